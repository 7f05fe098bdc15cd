//! Content-addressed files: written aside, synced, renamed; checked on every read.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::ids::ContentHash;
use crate::runtime::disk::{Disk, Step};
use crate::runtime::private;

/// Where blobs are written before they get their names. What a crash leaves there belongs to nothing.
const INCOMING: &str = "incoming";

/// How many recomputed blobs are remembered: some hundred bytes each.
const MOST_KNOWN: usize = 10_000;

/// A directory of blobs, each under its SHA-256: `blobs/ab/cdef…`.
#[derive(Clone, Debug)]
pub struct BlobStore {
    dir: PathBuf,
    disk: Disk,
    /// The last blob found the disk full or not writable.
    refused: Arc<AtomicBool>,
    /// Blobs whose bytes were recomputed, with the mark of the file as it was then.
    known: Arc<Mutex<HashMap<ContentHash, Mark>>>,
}

/// What changes with a file's bytes. The system sets the time of change, and nobody can set it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    size_bytes: u64,
    changed_s: i64,
    changed_ns: i64,
}

impl Mark {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            changed_s: metadata.ctime(),
            changed_ns: metadata.ctime_nsec(),
        }
    }
}

/// What lies in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::evidence) enum Found {
    /// Named as a blob is. Whether its bytes are those is for who reads it.
    Blob(ContentHash),
    /// Anything else.
    Other(PathBuf),
}

/// A blob could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The file system refused.
    #[error("the evidence file {path} cannot be {doing}")]
    Io {
        /// What was tried: `written`, `read`, `removed`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no such blob.
    #[error("the evidence file {hash} is missing")]
    Missing {
        /// What it should hash to.
        hash: ContentHash,
    },
    /// The bytes are not those that were kept.
    #[error("the evidence file {hash} has been changed: it now hashes to {found}")]
    Changed {
        /// What it should hash to.
        hash: ContentHash,
        /// What it does hash to.
        found: ContentHash,
    },
}

impl BlobStore {
    /// A blob store in `dir`, which is made where it is missing.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn open(dir: &Path, disk: Disk) -> Result<Self, BlobError> {
        let dir = dir.join("blobs");
        private::folder(&dir).map_err(|source| BlobError::Io {
            doing: "made",
            path: dir.clone(),
            source,
        })?;
        Ok(Self { dir, disk, refused: Arc::default(), known: Arc::default() })
    }

    /// Whether the last blob could be kept, as far as the disk goes.
    pub fn is_writable(&self) -> bool {
        !self.refused.load(Ordering::Relaxed)
    }

    /// Where a blob lies.
    pub fn path(&self, hash: ContentHash) -> PathBuf {
        let hex = hash.to_hex();
        self.dir.join(&hex[..2]).join(&hex[2..])
    }

    /// Keeps `bytes`; durable when it returns. Keeping the same bytes again changes nothing.
    ///
    /// # Errors
    /// [`BlobError::Io`]; then nothing is there under the hash.
    pub fn put(&self, bytes: &[u8]) -> Result<ContentHash, BlobError> {
        let put = self.put_new(bytes);
        match &put {
            Ok(_) => self.refused.store(false, Ordering::Relaxed),
            Err(BlobError::Io { source, .. }) if is_full(source) => {
                self.refused.store(true, Ordering::Relaxed);
            }
            // Says nothing of the disk's room.
            Err(_) => {}
        }
        put
    }

    fn put_new(&self, bytes: &[u8]) -> Result<ContentHash, BlobError> {
        let hash = ContentHash::of(bytes);
        let path = self.path(hash);
        let io = |source| BlobError::Io { doing: "written", path: path.clone(), source };
        if let Ok(known) = private::read(&path)
            && ContentHash::of(&known) == hash
        {
            return Ok(hash);
        }
        // `path` always ends in two components of our own making.
        let folder = path.parent().unwrap_or(&self.dir);
        if !folder.exists() {
            private::folder(folder).map_err(io)?;
            // The new folder's own name has to survive a power cut as well.
            sync_folder(&self.disk, &self.dir).map_err(io)?;
        }
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| io(io::Error::other(e)))?;
        let incoming = self.dir.join(INCOMING);
        private::folder(&incoming).map_err(io)?;
        let aside = incoming.join(format!("{}.part", hex::encode(random)));
        if let Err(source) = put_file(&self.disk, &aside, &path, bytes) {
            // Best effort: what is left over is taken away at the next start.
            drop(self.disk.step(Step::Remove, &aside, || fs::remove_file(&aside)));
            return Err(io(source));
        }
        Ok(hash)
    }

    /// Takes a blob away; one that is not there is away already.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub(in crate::evidence) fn remove(&self, hash: ContentHash) -> Result<(), BlobError> {
        self.known().remove(&hash);
        let path = self.path(hash);
        match self.disk.step(Step::Remove, &path, || fs::remove_file(&path)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(BlobError::Io { doing: "removed", path, source }),
        }
    }

    /// Takes away what a crash left before it got a name: of what may not be copied, or was disposed of,
    /// no copy may stay. With nothing on its way.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub(in crate::evidence) fn sweep(&self) -> Result<(), BlobError> {
        let incoming = self.dir.join(INCOMING);
        let io = |source| BlobError::Io { doing: "removed", path: incoming.clone(), source };
        let left = match fs::read_dir(&incoming) {
            Ok(left) => left,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io(error)),
        };
        for file in left {
            let path = file.map_err(io)?.path();
            self.disk.step(Step::Remove, &path, || fs::remove_file(&path)).map_err(io)?;
        }
        Ok(())
    }

    /// What lies in the folder itself: the folders of blobs, and what should not be there.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub(in crate::evidence) fn folders(&self) -> Result<Vec<PathBuf>, BlobError> {
        let mut folders = listed(&self.dir)?;
        folders.retain(|path| !path.ends_with(INCOMING));
        Ok(folders)
    }

    /// What one of [`Self::folders`] holds, or is.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub(in crate::evidence) fn found_in(&self, folder: PathBuf) -> Result<Vec<Found>, BlobError> {
        let is_ours = fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir());
        if !is_ours {
            return Ok(vec![Found::Other(folder)]);
        }
        let found = listed(&folder)?.into_iter().map(|path| {
            let hex: String = [folder.file_name(), path.file_name()]
                .into_iter()
                .flatten()
                .map(|name| name.to_string_lossy())
                .collect();
            // Upper-case digits, or parted elsewhere, it is no name of ours.
            match hex.parse::<ContentHash>() {
                Ok(hash) if self.path(hash) == path => Found::Blob(hash),
                Ok(_) | Err(_) => Found::Other(path),
            }
        });
        Ok(found.collect())
    }

    /// That a blob is whole. Its bytes are recomputed the first time, and again whenever the file
    /// is no longer the one that was recomputed.
    ///
    /// # Errors
    /// [`BlobError`].
    pub fn stands(&self, hash: ContentHash) -> Result<(), BlobError> {
        let mark = fs::metadata(self.path(hash)).ok().map(|metadata| Mark::of(&metadata));
        if mark.is_some() && self.known().get(&hash).copied() == mark {
            return Ok(());
        }
        // A change while it is read is seen by the next one who asks: the mark was taken before.
        self.get(hash)?;
        if let Some(mark) = mark {
            let mut known = self.known();
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(hash, mark);
        }
        Ok(())
    }

    /// Holds nothing but notes: whoever panicked with it left them whole.
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<ContentHash, Mark>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a link stands where the file should: what it leads to is not in our keeping.
    pub fn is_link(&self, hash: ContentHash) -> bool {
        fs::symlink_metadata(self.path(hash)).is_ok_and(|found| found.file_type().is_symlink())
    }

    /// Reads a blob and checks that it is the one that was kept.
    ///
    /// # Errors
    /// [`BlobError`].
    pub fn get(&self, hash: ContentHash) -> Result<Vec<u8>, BlobError> {
        let path = self.path(hash);
        let bytes = private::read(&path).map_err(|source| {
            if source.kind() == io::ErrorKind::NotFound {
                BlobError::Missing { hash }
            } else {
                BlobError::Io { doing: "read", path, source }
            }
        })?;
        let found = ContentHash::of(&bytes);
        if found == hash { Ok(bytes) } else { Err(BlobError::Changed { hash, found }) }
    }
}

/// What a folder holds; nothing where it is not there (any more).
pub(in crate::evidence) fn listed(folder: &Path) -> Result<Vec<PathBuf>, BlobError> {
    let io = |source| BlobError::Io { doing: "read", path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Ok(found) => found.map(|file| Ok(file.map_err(io)?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(io(error)),
    }
}

/// Whether a write failed for want of room or of leave to write.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::StorageFull | Kind::QuotaExceeded | Kind::ReadOnlyFilesystem)
}

/// Writes a file aside, makes it durable and gives it its name, so that it is there whole or not at all.
pub(in crate::evidence) fn put_file(
    disk: &Disk,
    aside: &Path,
    path: &Path,
    bytes: &[u8],
) -> io::Result<()> {
    let file = disk.step(Step::Write, aside, || {
        let mut file = private::options().write(true).create(true).truncate(true).open(aside)?;
        file.write_all(bytes)?;
        Ok(file)
    })?;
    disk.step(Step::Sync, aside, || file.sync_all())?;
    disk.step(Step::Rename, path, || fs::rename(aside, path))?;
    // What we give names has a folder.
    path.parent().map_or(Ok(()), |folder| sync_folder(disk, folder))
}

/// Makes the names in a folder durable.
pub(in crate::evidence) fn sync_folder(disk: &Disk, folder: &Path) -> io::Result<()> {
    disk.step(Step::SyncFolder, folder, || File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> (tempfile::TempDir, BlobStore) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let blobs = BlobStore::open(dir.path(), Disk::default()).expect("an empty directory opens");
        (dir, blobs)
    }

    #[test]
    fn what_was_put_comes_back_and_twice_is_once() {
        let (_dir, blobs) = blobs();
        let hash = blobs.put(b"hej").expect("put");
        assert_eq!(blobs.put(b"hej").expect("put again"), hash);
        assert_eq!(blobs.get(hash).expect("get"), b"hej");
    }

    #[test]
    fn a_changed_file_is_named() {
        let (_dir, blobs) = blobs();
        let hash = blobs.put(b"hej").expect("put");
        fs::write(blobs.path(hash), b"haj").expect("tamper");
        assert!(matches!(blobs.get(hash), Err(BlobError::Changed { hash: h, .. }) if h == hash));
        // Keeping it again mends it.
        blobs.put(b"hej").expect("put");
        assert_eq!(blobs.get(hash).expect("get"), b"hej");
    }

    #[test]
    fn what_stands_is_recomputed_whenever_the_file_has_changed() {
        let (_dir, blobs) = blobs();
        let hash = blobs.put(b"hej").expect("put");
        blobs.stands(hash).expect("whole");
        blobs.stands(hash).expect("whole, as known");
        let times = fs::metadata(blobs.path(hash)).expect("there").modified().expect("a time");
        fs::write(blobs.path(hash), b"haj").expect("tamper, in equal size");
        let file = File::options().write(true).open(blobs.path(hash)).expect("opens");
        file.set_modified(times).expect("set back");
        drop(file);
        assert!(matches!(blobs.stands(hash), Err(BlobError::Changed { .. })));
        fs::remove_file(blobs.path(hash)).expect("removed");
        assert!(matches!(blobs.stands(hash), Err(BlobError::Missing { .. })));
    }

    #[test]
    fn a_missing_file_is_named() {
        let (_dir, blobs) = blobs();
        let hash = ContentHash::of(b"never");
        assert!(matches!(blobs.get(hash), Err(BlobError::Missing { hash: h }) if h == hash));
    }
}
