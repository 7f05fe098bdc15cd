//! The files of archive runs (*arkivkörningar*), in a folder of their own beside the evidence: each under its hash,
//! durable before the row that rests on it. What no run rests on was left by one that was cut off, and is taken away.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::archive_run::RunManifest;
use crate::domain::ids::ContentHash;
use crate::evidence::blob::{BlobError, BlobStore};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::formats::canonical_json;
use crate::runtime::disk::Disk;

/// The folder beside the evidence.
const FOLDER: &str = "arkiv";

/// Opens it.
pub(super) fn open(dir: &Path, disk: Disk) -> Result<BlobStore, BlobError> {
    BlobStore::open(&dir.join(FOLDER), disk)
}

/// What lies in a folder of blobs, by its name.
fn listed(folder: &Path) -> io::Result<Vec<(PathBuf, Option<ContentHash>)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let begins = entry.file_name();
        for file in fs::read_dir(entry.path())? {
            let file = file?;
            let hex = format!("{}{}", begins.to_string_lossy(), file.file_name().to_string_lossy());
            found.push((file.path(), hex.parse().ok()));
        }
    }
    Ok(found)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, EvidenceError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| EvidenceError::BrokenOff)?;
    Ok(done?)
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
        let (files, folder) = (self.runs.clone(), self.folder.join(FOLDER).join("blobs"));
        blocking(move || {
            let io = |source| BlobError::Io { doing: "removed", path: folder.clone(), source };
            let mut n = 0;
            for (path, hash) in listed(&folder).map_err(io)? {
                if hash.is_none_or(|hash| !kept.contains(&hash)) {
                    match hash {
                        Some(hash) => files.remove(hash)?,
                        None => fs::remove_file(path).map_err(io)?,
                    }
                    n += 1;
                }
            }
            Ok(n)
        })
        .await
    }
}
