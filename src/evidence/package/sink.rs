//! What a package is written into: a zip, a tar or a folder, each file as it comes.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

use crate::domain::ids::ContentHash;
use crate::formats::tar;
use crate::runtime::private;

/// The form of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// A zip file.
    Zip,
    /// A tar file.
    Tar,
    /// A folder.
    Folder,
}

impl Container {
    /// What the ending of a name asks for.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("zip") => Self::Zip,
            Some("tar") => Self::Tar,
            Some(_) | None => Self::Folder,
        }
    }
}

/// Takes files.
pub(super) enum Sink {
    Zip(Box<zip::ZipWriter<File>>),
    Tar(BufWriter<File>),
    Folder(PathBuf),
}

impl Sink {
    /// Begins at a path where nothing is.
    pub(super) fn begin(container: Container, path: &Path) -> io::Result<Self> {
        let file = || private::options().write(true).create_new(true).open(path);
        Ok(match container {
            Container::Zip => Self::Zip(Box::new(zip::ZipWriter::new(file()?))),
            Container::Tar => Self::Tar(BufWriter::new(file()?)),
            Container::Folder => {
                private::folder(path)?;
                Self::Folder(path.to_owned())
            }
        })
    }

    /// Adds a file of so many bytes.
    pub(super) fn put(&mut self, name: &str, size: u64, mut from: impl Read) -> io::Result<()> {
        let copied = match self {
            Self::Zip(zip) => {
                let options = SimpleFileOptions::default()
                    .compression_method(zip::CompressionMethod::Deflated)
                    .last_modified_time(zip::DateTime::default())
                    .large_file(size > u64::from(u32::MAX / 2));
                zip.start_file(name, options).map_err(io::Error::other)?;
                io::copy(&mut from, zip)?
            }
            Self::Tar(tar) => {
                let header = tar::header(name, size)
                    .ok_or_else(|| io::Error::other(format!("tar cannot hold {name}")))?;
                tar.write_all(&header)?;
                let copied = io::copy(&mut from, tar)?;
                io::copy(&mut io::repeat(0).take(tar::padding(size)), tar)?;
                copied
            }
            Self::Folder(root) => {
                let path = root.join(name);
                private::folder(path.parent().unwrap_or(root))?;
                let mut file = private::options().write(true).create_new(true).open(&path)?;
                let copied = io::copy(&mut from, &mut file)?;
                file.sync_all()?;
                copied
            }
        };
        if copied == size { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Ends it, durably.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Zip(zip) => zip.finish().map_err(io::Error::other)?.sync_all(),
            Self::Tar(mut tar) => {
                // Two blocks of zeros end an archive.
                tar.write_all(&[0; 2 * tar::BLOCK])?;
                tar.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
            }
            Self::Folder(root) => File::open(root)?.sync_all(),
        }
    }
}

/// A document that grows while the records come: on the disk, so that memory does not.
pub(super) fn spool(folder: &Path, name: &str) -> io::Result<BufWriter<File>> {
    let path = folder.join(name);
    let file = private::options().read(true).write(true).create_new(true).open(path)?;
    Ok(BufWriter::new(file))
}

/// Its bytes from the beginning.
pub(super) fn reopened(folder: &Path, name: &str) -> io::Result<(u64, BufReader<File>)> {
    let file = File::open(folder.join(name))?;
    Ok((file.metadata()?.len(), BufReader::new(file)))
}

/// SHA-256 of all that can be read.
///
/// # Errors
/// Of the reader.
pub fn sum(mut from: impl Read) -> io::Result<ContentHash> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        let n = from.read(&mut block)?;
        let Some(read) = block.get(..n).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
    }
    Ok(ContentHash::new(hasher.finalize().into()))
}

/// Takes away what was written aside, whatever it is. Best effort: a leftover is named as such.
pub(super) fn sweep(path: &Path) {
    if path.is_dir() {
        drop(fs::remove_dir_all(path));
    } else {
        drop(fs::remove_file(path));
    }
}
