//! Seal, keep, verify.
//!
//! [`EvidenceStore`] keeps parts as content-addressed blobs, seals a canonical manifest with a
//! leaf in the hash-chained log, and is the only maker of [`warrant::RemovalWarrant`]s. What it
//! never does: change or delete what is sealed.

pub mod blob;
pub mod browser;
pub mod verify;
pub mod warrant;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::evidence::{Manifest, Part, PartKind};
use crate::domain::ids::{CaseId, ContentHash, EvidenceId, VersionId};
use crate::domain::item::LiveReading;
use crate::formats::canonical_json;
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{EvidenceRow, EvidenceState};

use blob::{BlobError, BlobStore};
use warrant::{ItemAddress, RemovalWarrant, WarrantBasis};

/// Where the links of the log's chain are noted outside the database, one line a seal.
pub(crate) const HEADS_FILE: &str = "heads.txt";

/// Where evidence lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory; made where it is missing.
    pub dir: PathBuf,
}

/// Something about evidence did not go.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A blob could not be kept or read.
    #[error("an evidence file failed")]
    Blob(#[from] BlobError),
    /// The store refused.
    #[error("the evidence record could not be read or written")]
    Store(#[from] StoreError),
    /// The manifest does not serialise.
    #[error("the manifest cannot be written as canonical json")]
    Canonical(#[source] canonical_json::CanonicalError),
    /// A kept manifest cannot be read.
    #[error("the manifest {hash} cannot be read")]
    Manifest {
        /// Its hash.
        hash: ContentHash,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The file of chain heads cannot be written.
    #[error("the file {path} cannot be written")]
    Heads {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The record is not sealed.
    #[error("evidence {0} is not sealed")]
    NotSealed(EvidenceId),
    /// A worker thread ended before its time.
    #[error("the work was broken off")]
    BrokenOff,
}

/// A part to be kept.
#[derive(Clone, Debug)]
pub struct NewPart {
    /// What it is.
    pub kind: PartKind,
    /// File name in a package, ASCII.
    pub name: String,
    /// Media type.
    pub media_type: &'static str,
    /// How it was taken.
    pub method: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What asking for leave to remove came to.
#[derive(Debug)]
pub enum Leave {
    /// Go ahead, once.
    Granted(RemovalWarrant),
    /// What stands on the platform is not what is sealed: capture it anew first.
    NotSealed,
    /// There is nothing left to remove.
    Gone,
}

/// Keeps and seals. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EvidenceStore {
    blobs: BlobStore,
    store: Store,
    clock: Clock,
    heads: PathBuf,
    /// One writer of the heads at a time: see [`append_line`].
    heads_turn: Arc<Mutex<()>>,
}

impl EvidenceStore {
    /// Opens the evidence directory.
    ///
    /// # Errors
    /// [`EvidenceError::Blob`].
    pub fn open(settings: &Settings, store: Store, clock: Clock) -> Result<Self, EvidenceError> {
        let blobs = BlobStore::open(&settings.dir)?;
        let heads = settings.dir.join(HEADS_FILE);
        Ok(Self { blobs, store, clock, heads, heads_turn: Arc::default() })
    }

    /// Keeps one part; durable when it returns.
    ///
    /// # Errors
    /// [`EvidenceError::Blob`].
    pub async fn keep(&self, part: NewPart) -> Result<Part, EvidenceError> {
        let blobs = self.blobs.clone();
        let captured_at = self.clock.now();
        let keep = move || -> Result<Part, BlobError> {
            Ok(Part {
                kind: part.kind,
                name: part.name,
                media_type: part.media_type.to_owned(),
                sha256: blobs.put(&part.bytes)?,
                size_bytes: part.bytes.len() as u64,
                captured_at,
                method: part.method,
            })
        };
        let kept = tokio::task::spawn_blocking(keep).await.map_err(|_| EvidenceError::BrokenOff)?;
        Ok(kept?)
    }

    /// Seals: the canonical manifest becomes a blob, its hash a leaf of the log.
    ///
    /// # Errors
    /// [`EvidenceError`]; then the record still waits and may be sealed later.
    pub async fn seal(
        &self,
        evidence: EvidenceId,
        manifest: &Manifest,
    ) -> Result<(EvidenceRow, Option<CaseId>), EvidenceError> {
        let bytes = canonical_json::to_vec(manifest).map_err(EvidenceError::Canonical)?;
        let blobs = self.blobs.clone();
        let hash = tokio::task::spawn_blocking(move || blobs.put(&bytes))
            .await
            .map_err(|_| EvidenceError::BrokenOff)??;
        let sealed = self.store.seal(evidence, hash, self.clock.now()).await?;
        self.note_head().await?;
        Ok(sealed)
    }

    /// Notes the chain's present end beside the database, so that a database put back to an older
    /// state no longer agrees with the file. Also called at start-up.
    ///
    /// # Errors
    /// [`EvidenceError::Heads`].
    pub async fn note_head(&self) -> Result<(), EvidenceError> {
        let (seq, chain) = self.store.log_head().await?;
        let path = self.heads.clone();
        if seq == 0 {
            return Ok(());
        }
        let line = format!("{seq} {chain}\n");
        let turn = self.heads_turn.clone();
        let append = move || {
            // Guards a file, not a value: a panic before leaves nothing that matters.
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            append_line(&path, &line)
        };
        tokio::task::spawn_blocking(append)
            .await
            .map_err(|_| EvidenceError::BrokenOff)?
            .map_err(|source| EvidenceError::Heads { path: self.heads.clone(), source })
    }

    /// The manifest of a sealed record, checked against its hash.
    ///
    /// # Errors
    /// [`EvidenceError::NotSealed`], [`EvidenceError::Blob`], [`EvidenceError::Manifest`].
    pub async fn manifest(&self, row: &EvidenceRow) -> Result<Manifest, EvidenceError> {
        let hash = match row.state {
            EvidenceState::Sealed { manifest, .. } | EvidenceState::Disposed { manifest, .. } => {
                manifest
            }
            EvidenceState::Wanted => return Err(EvidenceError::NotSealed(row.id)),
        };
        let bytes = self.bytes(hash).await?;
        serde_json::from_slice(&bytes).map_err(|source| EvidenceError::Manifest { hash, source })
    }

    /// The manifest of a sealed record, and that every part it names is there in its size.
    ///
    /// # Errors
    /// As [`EvidenceStore::manifest`]; [`EvidenceError::Blob`] where a part is missing.
    pub async fn intact(&self, row: &EvidenceRow) -> Result<Manifest, EvidenceError> {
        let manifest = self.manifest(row).await?;
        let blobs = self.blobs.clone();
        let parts: Vec<_> = manifest.parts.iter().map(|p| (p.sha256, p.size_bytes)).collect();
        let check = move || parts.into_iter().try_for_each(|(hash, size)| blobs.stands(hash, size));
        tokio::task::spawn_blocking(check).await.map_err(|_| EvidenceError::BrokenOff)??;
        Ok(manifest)
    }

    /// The bytes of a blob, checked against its hash.
    ///
    /// # Errors
    /// [`EvidenceError::Blob`].
    pub async fn bytes(&self, hash: ContentHash) -> Result<Vec<u8>, EvidenceError> {
        let blobs = self.blobs.clone();
        let read = tokio::task::spawn_blocking(move || blobs.get(hash)).await;
        Ok(read.map_err(|_| EvidenceError::BrokenOff)??)
    }

    /// Leave to remove what stands on the platform now, if exactly that is sealed.
    ///
    /// `version` is the store's current version of the item, after `reading` has been recorded.
    /// The seal is checked down to the bytes of manifest and parts: a record of which anything is
    /// lost or changed grants nothing.
    ///
    /// # Errors
    /// [`EvidenceError`] where the seal cannot be checked.
    pub async fn leave_to_remove(
        &self,
        item: ItemAddress,
        version: VersionId,
        reading: &LiveReading,
    ) -> Result<Leave, EvidenceError> {
        let Some(row) = self.store.evidence_of(version).await? else { return Ok(Leave::NotSealed) };
        if !matches!(row.state, EvidenceState::Sealed { .. }) {
            return Ok(Leave::NotSealed);
        }
        let manifest = self.manifest(&row).await?;
        // What is about to go from the platform must be here, every part of it.
        for part in &manifest.parts {
            self.bytes(part.sha256).await?;
        }
        let live = match reading {
            LiveReading::Present(fetched) => fetched.content_hash(),
            LiveReading::Gone => return Ok(Leave::Gone),
            // Where nobody may read, the newest version we were given is what stands there.
            LiveReading::NotReadable { .. } => self.store.version(version).await?.content_hash,
        };
        if manifest.content_sha256 != live || manifest.item != item.platform_id {
            return Ok(Leave::NotSealed);
        }
        let basis = if self.store.item(row.item).await?.no_copy {
            WarrantBasis::MetadataOnly { evidence: row.id }
        } else {
            WarrantBasis::Sealed { evidence: row.id, content: live }
        };
        Ok(Leave::Granted(RemovalWarrant::new(item, basis)))
    }

    /// The file where the chain's heads are noted.
    pub(crate) fn heads_file(&self) -> &Path {
        &self.heads
    }
}

/// Appends a line and makes it durable. Half a line that a power cut left at the end is taken
/// away first: it was never a whole fact, and a line written behind it would be lost with it.
fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file =
        File::options().create(true).truncate(false).read(true).write(true).open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    // A line is much shorter than this.
    let tail_from = length.saturating_sub(1024);
    file.seek(SeekFrom::Start(tail_from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|b| *b == b'\n').map_or(0, |at| at as u64 + 1);
    if end < tail.len() as u64 {
        file.set_len(tail_from + end)?;
    }
    file.seek(SeekFrom::End(0))?;
    file.write_all(line.as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests;
