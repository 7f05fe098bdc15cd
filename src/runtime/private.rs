//! Files and folders that the service alone may read: the database, evidence and packages for the
//! diary hold citizens' data.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many files this process has replaced.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Makes a folder, with all above it, that others cannot enter. One that is there stays as it is.
///
/// # Errors
/// Those of the operating system.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// How to open a file so that, where it is made, others cannot read it.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Writes a file, and its folder where it is missing, so that it is there whole or as it was, and
/// nobody else may read it.
///
/// # Errors
/// Those of the operating system.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let into = path.parent().ok_or_else(|| io::Error::other("no folder"))?;
    folder(into)?;
    // Of two that write the same at once neither may write into the other's.
    let nth = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let aside = path.with_extension(format!("{}-{nth}.part", std::process::id()));
    let mut file = options().write(true).create(true).truncate(true).open(&aside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| fs::rename(&aside, path)) {
        // What is half written may be a secret.
        drop(fs::remove_file(&aside));
        return Err(error);
    }
    File::open(into)?.sync_all()
}

/// Opens a file to read it. What is no file is refused: opening a pipe that somebody put in its
/// place would wait for ever.
///
/// # Errors
/// Those of the operating system; [`io::ErrorKind::InvalidInput`] where it is no file.
pub fn open(path: &Path) -> io::Result<File> {
    match fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Reads a file whole.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`]; [`io::ErrorKind::InvalidData`] where it is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nobody_else_may_read_what_is_made() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder_path = dir.path().join("a/b");
        folder(&folder_path).expect("made");
        folder(&folder_path).expect("made again");
        let file = folder_path.join("c");
        options().write(true).create(true).truncate(true).open(&file).expect("made");
        for path in [dir.path().join("a"), folder_path, file] {
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }
}
