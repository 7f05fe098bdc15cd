//! The files of archive runs (*arkivkörningar*), in a folder of their own beside the evidence: each under its hash,
//! durable before the row that rests on it. What no run rests on was left by one that was cut off, and is taken away.

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::archive_run::RunManifest;
use crate::domain::ids::ContentHash;
use crate::evidence::blob::{BlobError, BlobStore, Found};
use crate::evidence::{EvidenceError, EvidenceStore, blocking};
use crate::formats::canonical_json;
use crate::runtime::disk::Disk;

/// The folder beside the evidence.
const FOLDER: &str = "arkiv";

/// Opens it.
pub(super) fn open(dir: &Path, disk: Disk) -> Result<BlobStore, BlobError> {
    BlobStore::open(&dir.join(FOLDER), disk)
}

impl EvidenceStore {
    /// Keeps a file of a run.
    ///
    /// # Errors
    /// [`EvidenceError::Blob`].
    pub async fn keep_for_run(&self, bytes: Vec<u8>) -> Result<ContentHash, EvidenceError> {
        let files = self.runs.clone();
        blocking(move || files.put(&bytes)).await
    }

    /// Keeps a run's manifest, as canonical JSON.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub async fn keep_run(&self, manifest: &RunManifest) -> Result<ContentHash, EvidenceError> {
        let bytes = canonical_json::to_vec(manifest).map_err(EvidenceError::Canonical)?;
        self.keep_for_run(bytes).await
    }

    /// A file of a run, checked against its hash.
    ///
    /// # Errors
    /// [`EvidenceError::Blob`].
    pub async fn run_file(&self, hash: ContentHash) -> Result<Vec<u8>, EvidenceError> {
        let files = self.runs.clone();
        blocking(move || files.get(hash)).await
    }

    /// A run's manifest.
    ///
    /// # Errors
    /// [`EvidenceError::Blob`], [`EvidenceError::Manifest`].
    pub async fn run_manifest(&self, hash: ContentHash) -> Result<RunManifest, EvidenceError> {
        let bytes = self.run_file(hash).await?;
        serde_json::from_slice(&bytes).map_err(|source| EvidenceError::Manifest { hash, source })
    }

    /// Takes away what no run rests on. By whoever makes runs, with none under way.
    ///
    /// # Errors
    /// [`EvidenceError`]; what is left goes the next time.
    pub async fn settle_runs(&self) -> Result<usize, EvidenceError> {
        let kept: BTreeSet<_> = self.store.run_files().await?.into_iter().collect();
        let files = self.runs.clone();
        blocking(move || {
            files.sweep()?;
            let mut n = 0;
            for folder in files.folders()? {
                for found in files.found_in(folder)? {
                    match found {
                        Found::Blob(hash) if kept.contains(&hash) => continue,
                        Found::Blob(hash) => files.remove(hash)?,
                        // Not of our making: it is left to whoever put it there.
                        Found::Other(_) => continue,
                    }
                    n += 1;
                }
            }
            Ok(n)
        })
        .await
    }
}
