//! Signing what the log is: kept in the database, in a file beside it, and wherever else the
//! configuration says, so that a database that was put back is found out.

use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use jiff::SignedDuration;

use super::{EvidenceError, EvidenceStore, tail};
use crate::domain::checkpoint::{Checkpoint, Note, notes};
use crate::runtime::disk::{Disk, Step};
use crate::runtime::private;
use crate::store::anchors::CheckpointRow;
use crate::store::error::StoreError;

/// Where checkpoints are noted outside the database, one after the other.
pub(crate) const CHECKPOINTS_FILE: &str = "checkpoints.txt";

/// Checkpoints that are noted at a time.
const PAGE: u32 = 500;

/// When a checkpoint is made, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSettings {
    /// As soon as so many entries have come.
    pub every_entries: u64,
    /// As soon as the oldest entry without one is so old.
    pub every: SignedDuration,
    /// Folders on other disks or machines into which each checkpoint is written as well.
    pub witnesses: Vec<PathBuf>,
    /// Whether an authority stamps each with the time.
    pub stamped: bool,
    /// Root certificates (PEM) that stamps are held against: of the authority that stamps now, and of
    /// earlier ones.
    pub stamp_roots: Vec<String>,
    /// Fingerprints of keys that a person has said took the place of a lost one.
    pub acknowledged: Vec<String>,
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        Self {
            every_entries: 256,
            every: SignedDuration::from_hours(1),
            witnesses: Vec::new(),
            stamped: false,
            stamp_roots: Vec::new(),
            acknowledged: Vec::new(),
        }
    }
}

impl EvidenceStore {
    /// Makes a checkpoint if one is due, and notes outside the database what is not noted yet. For
    /// the loop of the daemon.
    ///
    /// # Errors
    /// [`EvidenceError`]; what was signed stands, and is noted the next time.
    pub async fn checkpoint_if_due(&self) -> Result<(), EvidenceError> {
        // Told at every turn, not only when something is to be signed.
        self.hold_signed().await?;
        let (n, _) = self.store.log_head().await?;
        let newest = self.store.newest_checkpoint().await?;
        let signed = newest.as_ref().map_or(0, |newest| newest.size);
        let due = if n <= signed {
            false
        } else if n - signed >= self.checkpoints.every_entries {
            true
        } else {
            // The oldest entry that no checkpoint holds.
            let oldest = self.store.log_entry(signed + 1).await?.at;
            self.clock.now().duration_since(oldest) >= self.checkpoints.every
        };
        if due {
            self.checkpoint().await?;
        } else {
            self.note_checkpoints().await?;
        }
        Ok(())
    }

    /// Signs what the log is now, if anything has come since the last time, and notes it outside.
    /// Only on top of what was signed before: a log that was written anew, or put back, stays
    /// unsigned.
    ///
    /// # Errors
    /// [`EvidenceError::Rewritten`]; [`EvidenceError`].
    pub async fn checkpoint(&self) -> Result<Option<CheckpointRow>, EvidenceError> {
        let _turn = self.signing_turn.lock().await;
        self.hold_signed().await?;
        let newest = self.store.newest_checkpoint().await?;
        let (n, _) = self.store.log_head().await?;
        if n == 0 || newest.as_ref().is_some_and(|newest| newest.size == n) {
            self.note_checkpoints().await?;
            return Ok(newest);
        }
        // The first key is an entry itself, so the head is read after it.
        let mut signer = self.signer().await?;
        let (size, root) = loop {
            let (size, root, key) = self.store.tree_head_and_key().await?;
            if key.as_deref() == Some(signer.public().id().to_string().as_str()) {
                break (size, root);
            }
            // Another process changed the key in between: that one signs what is from then on.
            signer = self.signer().await?;
        };
        let at = self.clock.now();
        let checkpoint = Checkpoint { size, root, at };
        let row = CheckpointRow {
            size,
            at,
            root,
            key: signer.public().id().to_string(),
            note: signer.note(&checkpoint),
        };
        self.remember_signed(row.note.clone()).await?;
        self.store.add_checkpoint(row.clone(), self.checkpoints.stamped).await?;
        self.note_checkpoints().await?;
        Ok(Some(row))
    }

    /// Holds the log against the last of what was signed: as the database says, the file beside it,
    /// each witness that can be read, and what the one who signs remembers by itself, where only who
    /// could sign anyhow can write. Whoever takes all the others away leaves that.
    ///
    /// # Errors
    /// [`EvidenceError::Rewritten`].
    pub(super) async fn hold_signed(&self) -> Result<(), EvidenceError> {
        let mut signed = Vec::new();
        if let Some(row) = self.store.newest_checkpoint().await? {
            signed.push(("the database".to_owned(), row.size, Some(row.root)));
        }
        let origin = self.origin().await?;
        let own = self.checkpoints_file();
        let name = origin.as_str().replace('/', "-");
        let witnesses =
            self.checkpoints.witnesses.iter().map(|dir| dir.join(format!("{name}.txt")));
        for (n, path) in [self.memory_file(), own].into_iter().chain(witnesses).enumerate() {
            let file = path.clone();
            let last = match on_file(&path, move || last_note(&file)).await {
                Ok(last) => last,
                // The others are told of where they are written.
                Err(error) if n == 0 => return Err(error),
                Err(_) => None,
            };
            let Some(note) = last else { continue };
            let root = (note.origin == origin).then_some(note.checkpoint.root);
            signed.push((path.display().to_string(), note.checkpoint.size, root));
        }
        // Read last: it only grows.
        let (entries, _) = self.store.log_head().await?;
        for (place, size, root) in signed {
            let holds = match root {
                Some(root) if size <= entries => match self.store.tree_root(size).await {
                    Ok(found) => found == root,
                    Err(StoreError::Row { .. } | StoreError::NotFound { .. }) => false,
                    Err(error) => return Err(error.into()),
                },
                // Of another log, or of more than there is.
                Some(_) | None => false,
            };
            if !holds {
                return Err(EvidenceError::Rewritten { place, signed: size, entries });
            }
        }
        Ok(())
    }

    /// Keeps what was just signed beside the key, whole or not at all.
    async fn remember_signed(&self, note: String) -> Result<(), EvidenceError> {
        let path = self.memory_file();
        let file = path.clone();
        on_file(&path, move || private::replace(&file, note.as_bytes())).await
    }

    /// Writes every checkpoint that is not noted yet into the file beside the database and into the
    /// witnesses' folders. A folder that cannot be written is told of and tried again; it never
    /// keeps the others waiting.
    ///
    /// # Errors
    /// [`EvidenceError::Heads`] for the file beside the database.
    async fn note_checkpoints(&self) -> Result<(), EvidenceError> {
        let _turn = self.heads_turn.lock().await;
        let own = self.checkpoints_file();
        let mut failed = None;
        for (n, path) in std::iter::once(own.clone()).chain(self.witness_files().await).enumerate()
        {
            match self.note_checkpoints_in(path.clone()).await {
                Err(error) if n == 0 => failed = Some(error),
                noted => self.tell_of_witness(n, path, noted.err()),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Says once that a witness cannot be written, and once that it can again.
    fn tell_of_witness(&self, n: usize, path: PathBuf, failed: Option<EvidenceError>) {
        // Holds nothing but notes: whoever panicked with it left them whole.
        let mut away = self.witnesses_away.lock().unwrap_or_else(PoisonError::into_inner);
        match failed {
            Some(error) => {
                if away.insert(path) {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, witness = n, "a witness cannot be written");
                }
            }
            None => {
                if away.remove(&path) {
                    tracing::info!(witness = n, "a witness can be written again");
                }
            }
        }
    }

    async fn note_checkpoints_in(&self, path: PathBuf) -> Result<(), EvidenceError> {
        let file = path.clone();
        let last = on_file(&path, move || last_note(&file)).await?;
        let mut last = last.map_or(0, |note| note.checkpoint.size);
        loop {
            let rows = self.store.checkpoints_after(last, PAGE).await?;
            let Some(newest) = rows.last() else { return Ok(()) };
            last = newest.size;
            // Each stands alone: a blank line keeps a torn one from swallowing the next.
            let lines: String = rows.iter().map(|row| format!("{}\n", row.note)).collect();
            let (file, disk) = (path.clone(), self.disk.clone());
            // A witness's folder is never made: where its disk is away, one of that name on our own
            // would witness nothing.
            on_file(&path, move || append_notes(&file, &lines, &disk)).await?;
        }
    }

    /// Folders elsewhere into which checkpoints are written.
    pub fn witnesses(&self) -> &[PathBuf] {
        &self.checkpoints.witnesses
    }

    /// The files in them; none where the log has no name yet.
    pub async fn witness_files(&self) -> Vec<PathBuf> {
        let Ok(origin) = self.origin().await else { return Vec::new() };
        let name = format!("{}.txt", origin.as_str().replace('/', "-"));
        self.checkpoints.witnesses.iter().map(|dir| dir.join(&name)).collect()
    }

    /// The file where checkpoints are noted.
    pub(crate) fn checkpoints_file(&self) -> PathBuf {
        self.folder.join(CHECKPOINTS_FILE)
    }
}

async fn on_file<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, EvidenceError> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| EvidenceError::BrokenOff)?
        .map_err(|source| EvidenceError::Heads { path, source })
}

/// The last whole note of a file; none where there is none.
fn last_note(path: &Path) -> io::Result<Option<Note>> {
    let mut file = match private::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (_, tail) = tail(&mut file)?;
    // The first of them may be cut by where the reading began.
    Ok(notes(&String::from_utf8_lossy(&tail)).into_iter().rev().find_map(|(_, note)| note.ok()))
}

/// Appends notes and makes them durable. What a power cut left of one at the end is taken away
/// first: the note written behind it would be lost with it.
fn append_notes(path: &Path, notes: &str, disk: &Disk) -> io::Result<()> {
    let mut file =
        private::options().create(true).truncate(false).read(true).write(true).open(path)?;
    // A command may sign beside the daemon: neither takes the other's note for a torn one.
    file.lock()?;
    let (from, tail) = tail(&mut file)?;
    let (mut at, mut end) = (0, 0);
    for line in tail.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        let is_signature = line.starts_with("— ".as_bytes()) && line.ends_with(b"\n");
        if is_signature || (line == b"\n" && end + 1 == at) {
            end = at;
        }
    }
    if end < tail.len() {
        file.set_len(from + end as u64)?;
    }
    file.seek(SeekFrom::End(0))?;
    disk.step(Step::Write, path, || file.write_all(notes.as_bytes()))?;
    disk.step(Step::Sync, path, || file.sync_data())
}
