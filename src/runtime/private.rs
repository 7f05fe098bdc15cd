//! Files and folders that the service alone may read: the database, evidence and packages for the
//! diary hold citizens' data.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

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
    let aside = path.with_extension("part");
    let mut file = options().write(true).create(true).truncate(true).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    File::open(into)?.sync_all()
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
