//! Seals on their way: which files they put there, so that none stays of a seal that never came to stand.
//!
//! Files must lie there before the row that names them commits, and the row may be refused: an item can
//! be suspected while its evidence is taken (regulation 2.2), a faster capture can come first, the
//! program can die. So the names of the new files are written down first, and crossed out when the
//! seal stands; what is found written down is taken away.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blob::{BlobError, BlobStore, listed, sync_folder};
use crate::domain::ids::{ContentHash, EvidenceId};
use crate::runtime::disk::{Disk, Step};
use crate::runtime::private;

/// A folder with one file for each seal on its way.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    dir: PathBuf,
    disk: Disk,
    /// Nothing is left of an earlier seal.
    pub(super) is_settled: bool,
}

/// A seal that was on its way.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) evidence: EvidenceId,
    pub(super) manifest: ContentHash,
    note: PathBuf,
    disk: Disk,
    new: Vec<ContentHash>,
}

impl Pending {
    pub(super) fn new(dir: &Path, disk: Disk) -> Self {
        Self { dir: dir.join("pending"), disk, is_settled: false }
    }

    /// Notes which of the files are new, then puts them all. Called with nothing else on its way.
    pub(super) fn begin(
        &self,
        evidence: EvidenceId,
        manifest: ContentHash,
        files: &[(ContentHash, Arc<Vec<u8>>)],
        blobs: &BlobStore,
    ) -> Result<(), BlobError> {
        let note = self.dir.join(evidence.to_string());
        let io = |source| BlobError::Io { doing: "written", path: note.clone(), source };
        let mut text = format!("{evidence} {manifest}\n");
        for (hash, _) in files {
            // What lies there already belongs to another record.
            if !blobs.path(*hash).exists() {
                text.push_str(&format!("{hash}\n"));
            }
        }
        private::folder(&self.dir).map_err(io)?;
        let write = || {
            let mut file =
                private::options().write(true).create(true).truncate(true).open(&note)?;
            file.write_all(text.as_bytes())?;
            Ok(file)
        };
        self.disk
            .step(Step::Write, &note, write)
            .and_then(|file: File| self.disk.step(Step::Sync, &note, || file.sync_all()))
            .and_then(|()| sync_folder(&self.disk, &self.dir))
            .map_err(io)?;
        files.iter().try_for_each(|(_, bytes)| blobs.put(bytes).map(|_| ()))
    }

    /// Files that are on their way just now. Changes nothing: another process may be at it.
    pub(super) fn named(&self) -> Result<BTreeSet<ContentHash>, BlobError> {
        let mut named = BTreeSet::new();
        for note in listed(&self.dir)? {
            match private::read_text(&note) {
                Ok(text) => {
                    named.extend(parse(&text, &note, &self.disk).map_or(Vec::new(), |b| b.new));
                }
                // Crossed out since.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(self.unread(error)),
            }
        }
        Ok(named)
    }

    /// What is noted still.
    pub(super) fn left(&self) -> Result<Vec<Begun>, BlobError> {
        let io = |source| self.unread(source);
        let mut left = Vec::new();
        for note in listed(&self.dir)? {
            match parse(&private::read_text(&note).map_err(io)?, &note, &self.disk) {
                Some(begun) => left.push(begun),
                // Half a note that a power cut left: no file was put yet.
                None => fs::remove_file(&note).map_err(io)?,
            }
        }
        Ok(left)
    }

    fn unread(&self, source: io::Error) -> BlobError {
        BlobError::Io { doing: "read", path: self.dir.clone(), source }
    }
}

impl Begun {
    /// Crosses it out, and takes its new files away where it does not stand.
    pub(super) fn end(self, stands: bool, blobs: &BlobStore) -> Result<(), BlobError> {
        if !stands {
            for hash in &self.new {
                blobs.remove(*hash)?;
            }
            tracing::info!(evidence.id = %self.evidence, n_files = self.new.len(), "files of a seal that does not stand are removed");
        }
        let removed = self.disk.step(Step::Remove, &self.note, || fs::remove_file(&self.note));
        removed.map_err(|source| BlobError::Io {
            doing: "removed",
            path: self.note.clone(),
            source,
        })
    }
}

fn parse(text: &str, note: &Path, disk: &Disk) -> Option<Begun> {
    let text = text.strip_suffix('\n')?;
    let mut lines = text.lines();
    let (evidence, manifest) = lines.next()?.split_once(' ')?;
    let hash = |text: &str| text.parse::<ContentHash>().ok();
    Some(Begun {
        evidence: EvidenceId(evidence.parse().ok()?),
        manifest: hash(manifest)?,
        note: note.to_owned(),
        disk: disk.clone(),
        new: lines.map(hash).collect::<Option<_>>()?,
    })
}
