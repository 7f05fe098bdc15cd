//! Seal, keep, verify.
//!
//! [`EvidenceStore`] keeps parts as content-addressed blobs, seals a canonical manifest with a
//! leaf in the hash-chained log, and is the only maker of [`warrant::RemovalWarrant`]s. What it
//! never does: change or delete what is sealed.

pub mod archive_runs;
pub mod blob;
pub mod browser;
pub mod checkpoints;
pub mod disposal;
pub mod fetch;
pub mod handed_out;
pub mod keys;
pub mod media;
pub mod package;
mod pending;
pub mod timestamp;
pub mod verify;
pub mod warrant;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::evidence::{Manifest, Part, PartKind};
use crate::domain::ids::{CaseId, ContentHash, EvidenceId, VersionId};
use crate::domain::item::LiveReading;
use crate::formats::canonical_json;
use crate::runtime::clock::Clock;
use crate::runtime::disk::{Disk, Step};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, EvidenceRow, EvidenceState, SealHolds};

use blob::{BlobError, BlobStore};
use checkpoints::CheckpointSettings;
use media::CopyLeave;
use pending::Pending;
use warrant::{ItemAddress, RemovalWarrant, WarrantBasis};

/// Where the links of the log's chain are noted outside the database, one line an entry.
pub(crate) const HEADS_FILE: &str = "heads.txt";

/// Entries of the log that are noted at a time.
const HEADS_PAGE: u32 = 500;

/// Where evidence lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory; made where it is missing.
    pub dir: PathBuf,
    /// When what the log is is signed, and where that is written.
    pub checkpoints: CheckpointSettings,
    /// What takes the steps on the disk.
    pub disk: Disk,
}

impl Settings {
    /// In this directory, all else as by default.
    pub fn in_folder(dir: PathBuf) -> Self {
        Self { dir, checkpoints: CheckpointSettings::default(), disk: Disk::default() }
    }
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
    /// A signing key cannot be read or written. Never tells what it is.
    #[error("the signing key {path} cannot be used")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A package cannot be written or read.
    #[error("the package {path} cannot be written or read")]
    Package {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A document that was handed out cannot be written or read.
    #[error("the document {path} cannot be written or read")]
    HandedOut {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The record is not sealed.
    #[error("evidence {0} is not sealed")]
    NotSealed(EvidenceId),
    /// A part of the manifest was not taken by the leave it is sealed with.
    #[error("the part {name} was not taken by this leave")]
    NotTaken {
        /// Its file name.
        name: String,
    },
    /// The log is not the one that was signed: nothing is signed on top of it.
    #[error(
        "the log is not the one that was signed: {place} holds {signed} entries, the log has {entries}"
    )]
    Rewritten {
        /// Where it shows: a file, or the database's own checkpoints.
        place: String,
        /// How many entries were signed.
        signed: u64,
        /// How many the log has.
        entries: u64,
    },
    /// The file of the key that signs is not there: a person says what is to be done.
    #[error("the signing key {id} is lost")]
    KeyLost {
        /// Its short name.
        id: String,
    },
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
    /// Files of archive runs.
    runs: BlobStore,
    store: Store,
    clock: Clock,
    disk: Disk,
    folder: PathBuf,
    heads: PathBuf,
    checkpoints: CheckpointSettings,
    /// One writer of the heads and checkpoints at a time: see [`append_lines`].
    heads_turn: Arc<tokio::sync::Mutex<()>>,
    /// One seal at a time, from its files to its row.
    pending: Arc<tokio::sync::Mutex<Pending>>,
    /// One who signs at a time.
    signing_turn: Arc<tokio::sync::Mutex<()>>,
    /// Witnesses that could not be written the last time.
    witnesses_away: Arc<std::sync::Mutex<BTreeSet<PathBuf>>>,
}

/// Work on files, where it holds nobody else up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, blob::BlobError> + Send + 'static,
) -> Result<T, EvidenceError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| EvidenceError::BrokenOff)?;
    Ok(done?)
}

impl EvidenceStore {
    /// Opens the evidence directory.
    ///
    /// # Errors
    /// [`EvidenceError::Blob`].
    pub fn open(settings: &Settings, store: Store, clock: Clock) -> Result<Self, EvidenceError> {
        let blobs = BlobStore::open(&settings.dir, settings.disk.clone())?;
        let runs = archive_runs::open(&settings.dir, settings.disk.clone())?;
        let heads = settings.dir.join(HEADS_FILE);
        let pending =
            Arc::new(tokio::sync::Mutex::new(Pending::new(&settings.dir, settings.disk.clone())));
        Ok(Self {
            blobs,
            runs,
            store,
            clock,
            disk: settings.disk.clone(),
            folder: settings.dir.clone(),
            heads,
            checkpoints: settings.checkpoints.clone(),
            heads_turn: Arc::default(),
            signing_turn: Arc::default(),
            pending,
            witnesses_away: Arc::default(),
        })
    }

    /// Takes one part, by leave to copy the item it is of. It is kept when it is sealed.
    ///
    /// # Errors
    /// [`EvidenceError::BrokenOff`].
    pub async fn keep(&self, leave: &CopyLeave, part: NewPart) -> Result<Part, EvidenceError> {
        let NewPart { kind, name, media_type, method, bytes } = part;
        let captured_at = self.clock.now();
        let hash = move || (ContentHash::of(&bytes), bytes);
        let (sha256, bytes) =
            tokio::task::spawn_blocking(hash).await.map_err(|_| EvidenceError::BrokenOff)?;
        let size_bytes = bytes.len() as u64;
        leave.take(sha256, bytes);
        let media_type = media_type.to_owned();
        Ok(Part { kind, name, media_type, sha256, size_bytes, captured_at, method })
    }

    /// Seals: parts and canonical manifest become blobs, the manifest's hash a leaf of the log. Copies
    /// of what may not be copied are refused, also where that became known while they were taken; then
    /// none of them stays on the disk.
    ///
    /// # Errors
    /// [`EvidenceError`]; then the record still waits and may be sealed later.
    pub async fn seal(
        &self,
        evidence: EvidenceId,
        manifest: &Manifest,
        leave: Option<&CopyLeave>,
    ) -> Result<(EvidenceRow, Option<CaseId>), EvidenceError> {
        let item = self.store.evidence(evidence).await?.item;
        let mut files = Vec::with_capacity(manifest.parts.len() + 1);
        for part in &manifest.parts {
            let leave = leave.filter(|leave| leave.is_for(item));
            let bytes = leave.and_then(|leave| leave.bytes(part.sha256));
            let not_taken = || EvidenceError::NotTaken { name: part.name.clone() };
            files.push((part.sha256, bytes.ok_or_else(not_taken)?));
        }
        let bytes = canonical_json::to_vec(manifest).map_err(EvidenceError::Canonical)?;
        let hash = ContentHash::of(&bytes);
        files.push((hash, Arc::new(bytes)));
        let holds = match (manifest.parts.is_empty(), manifest.holds_picture()) {
            (true, _) => SealHolds::MetadataOnly,
            (false, true) => SealHolds::Pictures,
            (false, false) => SealHolds::Copies,
        };
        let parts = manifest.parts.iter().map(|part| part.sha256).collect();
        // Until the row stands nobody else may come to rest on these files.
        let mut pending = self.pending.lock().await;
        self.settle(&mut pending).await?;
        let (work, blobs) = (pending.clone(), self.blobs.clone());
        let begin = move || work.begin(evidence, hash, &files, &blobs);
        let begun =
            tokio::task::spawn_blocking(begin).await.map_err(|_| EvidenceError::BrokenOff)?;
        // Half of them may be there: they are taken away again before the next seal, or here.
        let sealed = match begun {
            Ok(()) => self.store.seal(evidence, hash, parts, holds, self.clock.now()).await,
            Err(error) => {
                pending.is_settled = false;
                return Err(error.into());
            }
        };
        pending.is_settled = false;
        self.settle(&mut pending).await?;
        drop(pending);
        let sealed = sealed?;
        // The seal stands, noted or not; whatever comes next notes it.
        if let Err(error) = self.note_head().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(evidence.id = %evidence, error, "a seal could not be noted outside the database");
        }
        Ok(sealed)
    }

    /// Takes away files of seals that never came to stand: refused, overtaken, or cut off by a death.
    /// At start-up, by the process that seals.
    ///
    /// # Errors
    /// [`EvidenceError`]; then it is tried again before the next seal.
    pub async fn settle_pending(&self) -> Result<(), EvidenceError> {
        let mut pending = self.pending.lock().await;
        let blobs = self.blobs.clone();
        tokio::task::spawn_blocking(move || blobs.sweep())
            .await
            .map_err(|_| EvidenceError::BrokenOff)??;
        self.settle(&mut pending).await
    }

    async fn settle(&self, pending: &mut Pending) -> Result<(), EvidenceError> {
        if pending.is_settled {
            return Ok(());
        }
        let work = pending.clone();
        let left = tokio::task::spawn_blocking(move || work.left())
            .await
            .map_err(|_| EvidenceError::BrokenOff)??;
        for begun in left {
            let stands = match self.store.evidence(begun.evidence).await {
                Ok(row) => match row.state {
                    EvidenceState::Sealed { manifest, .. }
                    | EvidenceState::Disposed { manifest, .. } => manifest == begun.manifest,
                    EvidenceState::Wanted => false,
                },
                Err(StoreError::NotFound { .. }) => false,
                Err(error) => return Err(error.into()),
            };
            let blobs = self.blobs.clone();
            tokio::task::spawn_blocking(move || begun.end(stands, &blobs))
                .await
                .map_err(|_| EvidenceError::BrokenOff)??;
        }
        pending.is_settled = true;
        Ok(())
    }

    /// Notes every link of the chain that is not noted yet in a file beside the database, so that a
    /// database put back to an older state no longer agrees with the file. Called after each seal,
    /// by services after everything else that the log takes in, now and then, and at start-up.
    /// A file that was lost begins at the chain's present end; verification misses what was before.
    ///
    /// # Errors
    /// [`EvidenceError::Heads`].
    pub async fn note_head(&self) -> Result<(), EvidenceError> {
        // One at a time: each goes on where the one before it ended.
        let _turn = self.heads_turn.lock().await;
        let path = self.heads.clone();
        let noted = self.on_heads(move || last_noted(&path)).await?;
        let mut lines = String::new();
        let mut lost = None;
        let mut last = match noted {
            LastNoted::At(seq) => {
                lost = self.lost_since(seq).await?;
                seq
            }
            // Before the first entry, so that whoever dies between entry and note is found out.
            LastNoted::Nothing => {
                let (seq, chain) = self.store.log_head().await?;
                lines.push_str(&format!("{seq} {chain}\n"));
                seq
            }
        };
        loop {
            let links = self.store.log_links(last, HEADS_PAGE).await?;
            let Some((newest, _)) = links.last() else { break };
            last = *newest;
            for (seq, chain) in &links {
                lines.push_str(&format!("{seq} {chain}\n"));
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        let n_lines = lines.lines().count();
        let (path, disk) = (self.heads.clone(), self.disk.clone());
        self.on_heads(move || append_lines(&path, &lines, &disk)).await?;
        if let Some(first) = lost {
            tracing::warn!(first, n_lines, "the file of heads had lost entries and was filled");
            let line = AuditLine {
                user: None,
                user_name: "Uppsikt".into(),
                act: verify::HEADS_FILLED,
                subject: HEADS_FILE.into(),
                address: "lokalt".into(),
                detail: Some(format!("{n_lines} poster, från och med post {first}")),
            };
            self.store.record_audit(line, self.clock.now()).await?;
        }
        Ok(())
    }

    /// The first entry after `seq`, where it is so old that it ought to stand in the file of heads: a death between
    /// entry and note does not explain it.
    async fn lost_since(&self, seq: u64) -> Result<Option<u64>, EvidenceError> {
        let first = seq + 1;
        let entry = match self.store.log_entry(first).await {
            Ok(entry) => entry,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let age = self.clock.now().duration_since(entry.at);
        Ok((age > verify::heads::NOTED_WITHIN).then_some(first))
    }

    async fn on_heads<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, EvidenceError> {
        tokio::task::spawn_blocking(work)
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

    /// The manifest of a sealed record, and that every part it names is whole: see
    /// [`BlobStore::stands`]. What is cut off need not be there any more.
    ///
    /// # Errors
    /// As [`EvidenceStore::manifest`]; [`EvidenceError::Blob`] where a part is missing or
    /// changed.
    pub async fn intact(&self, row: &EvidenceRow) -> Result<Manifest, EvidenceError> {
        let manifest = self.manifest(row).await?;
        let blobs = self.blobs.clone();
        let parts = self.parts_needed(row, &manifest).await?;
        let parts: Vec<_> = parts.iter().map(|part| part.sha256).collect();
        let check = move || parts.into_iter().try_for_each(|hash| blobs.stands(hash));
        tokio::task::spawn_blocking(check).await.map_err(|_| EvidenceError::BrokenOff)??;
        Ok(manifest)
    }

    /// The parts of a record that are not cut off: what was may have been erased on police order.
    async fn parts_needed(
        &self,
        row: &EvidenceRow,
        manifest: &Manifest,
    ) -> Result<Vec<Part>, EvidenceError> {
        let cut = self.store.cut_off(row.version).await?;
        let needed = manifest.parts.iter().filter(|part| !manifest.is_cut_off(part.kind, cut));
        Ok(needed.cloned().collect())
    }

    /// The names of those files of a record that are missing or changed; the manifest's own name
    /// where that cannot be read.
    pub async fn damaged(&self, row: &EvidenceRow) -> Vec<String> {
        let Ok(manifest) = self.manifest(row).await else { return vec!["manifest.json".into()] };
        let blobs = self.blobs.clone();
        let parts = self.parts_needed(row, &manifest).await.unwrap_or(manifest.parts);
        let check = move || {
            let broken = parts.into_iter().filter(|part| blobs.stands(part.sha256).is_err());
            broken.map(|part| part.name).collect()
        };
        // A check that was broken off names nothing; the record stays unsound all the same.
        tokio::task::spawn_blocking(check).await.unwrap_or_default()
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
        // What is about to go from the platform must be here, every part of it that may be.
        for part in self.parts_needed(&row, &manifest).await? {
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

    /// Whether evidence can be kept: not where the last part found the disk full or read-only.
    pub fn is_writable(&self) -> bool {
        self.blobs.is_writable()
    }

    /// The folder that all evidence lies in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file where the chain's heads are noted.
    pub(crate) fn heads_file(&self) -> &Path {
        &self.heads
    }
}

/// Where the file of heads ends.
enum LastNoted {
    /// No line that can be read.
    Nothing,
    /// At this place of the log.
    At(u64),
}

fn last_noted(path: &Path) -> io::Result<LastNoted> {
    let mut file = match crate::runtime::private::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LastNoted::Nothing),
        Err(error) => return Err(error),
    };
    let (_, tail) = tail(&mut file)?;
    let tail = String::from_utf8_lossy(&tail);
    // Half a line that a power cut left is no line.
    let whole = tail.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let last = whole.lines().rev().find_map(verify::heads::parse);
    Ok(last.map_or(LastNoted::Nothing, |(seq, _)| LastNoted::At(seq)))
}

/// Much longer than a line of heads or a checkpoint.
const TAIL_BYTES: u64 = 4096;

/// The end of the file, and where it begins.
fn tail(file: &mut File) -> io::Result<(u64, Vec<u8>)> {
    let from = file.seek(SeekFrom::End(0))?.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok((from, tail))
}

/// Appends lines and makes them durable. Half a line that a power cut left at the end is taken
/// away first: it was never a whole fact, and a line written behind it would be lost with it.
fn append_lines(path: &Path, lines: &str, disk: &Disk) -> io::Result<()> {
    let mut file =
        File::options().create(true).truncate(false).read(true).write(true).open(path)?;
    // A command may note beside the daemon: neither takes the other's line for a torn one.
    file.lock()?;
    let (from, tail) = tail(&mut file)?;
    let end = tail.iter().rposition(|b| *b == b'\n').map_or(0, |at| at as u64 + 1);
    if end < tail.len() as u64 {
        file.set_len(from + end)?;
    }
    file.seek(SeekFrom::End(0))?;
    disk.step(Step::Write, path, || file.write_all(lines.as_bytes()))?;
    disk.step(Step::Sync, path, || file.sync_data())
}

#[cfg(test)]
mod tests;
