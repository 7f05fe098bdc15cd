//! An archive run as a package: its files, its manifest, its entry of the log, and sums, as zip or as an archive
//! takes it (E-ARK). The same run gives the same bytes.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::evidence::EvidenceError;
use crate::formats::eark::Described;

use super::eark::Eark;
use super::sink::{Sink, sweep};
use super::{Form, SUMS};

const README: &str = include_str!("lasmig-korning.txt");

/// What a package of a run holds.
#[derive(Debug)]
pub struct RunPackage {
    /// Name, media type, bytes of each file, manifest first.
    pub files: Vec<(String, String, Vec<u8>)>,
    /// The text of the run's entry in the log.
    pub entry: String,
    /// When the run ended.
    pub ended_at: Timestamp,
    /// What an archive is told of it.
    pub described: Described,
}

/// Writes it where nothing is yet.
///
/// # Errors
/// [`EvidenceError::Package`]; then nothing is there.
pub async fn write(package: RunPackage, out: &Path, form: Form) -> Result<(), EvidenceError> {
    let path = out.to_owned();
    let at = path.clone();
    let write = move || {
        let (aside, growing) = (beside(&path, "del"), beside(&path, "vaxer"));
        let written = write_aside(package, &aside, &growing, form, &path);
        sweep(&growing);
        if written.is_err() {
            sweep(&aside);
        }
        written
    };
    tokio::task::spawn_blocking(write)
        .await
        .map_err(|_| EvidenceError::BrokenOff)?
        .map_err(|source| EvidenceError::Package { path: at, source })
}

/// A name beside a file.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}

fn write_aside(
    package: RunPackage,
    aside: &Path,
    growing: &Path,
    form: Form,
    path: &Path,
) -> io::Result<()> {
    let RunPackage { files, entry, ended_at, described } = package;
    let readme = README.replace("{korning}", &described.evidence.to_string());
    let mut all = files;
    all.push(("loggpost.json".into(), "application/json".into(), entry.into_bytes()));
    all.push(("LASMIG.txt".into(), "text/plain".into(), readme.into_bytes()));
    let mut sums = String::new();
    for (name, _, bytes) in &all {
        // Writing to a string cannot fail.
        let _ = writeln!(sums, "{}  {name}", hex::encode(Sha256::digest(bytes)));
    }
    all.push((SUMS.into(), "text/plain".into(), sums.into_bytes()));
    let sink = Sink::begin(form.container, aside)?;
    let from = match form.archive {
        None => {
            let mut sink = sink;
            for (name, _, bytes) in &all {
                sink.put(name, bytes.len() as u64, bytes.as_slice())?;
            }
            sink.finish()?;
            aside.to_owned()
        }
        Some(archive) => {
            let root = archive.delivery.id.clone();
            let is_folder = form.container == super::sink::Container::Folder;
            let mut eark = Eark::begin(sink, archive, growing)?;
            for (name, media_type, bytes) in &all {
                eark.file(name, bytes, Some((media_type, ended_at)))?;
            }
            eark.record(&described)?;
            eark.finish()?;
            // A delivery in a folder lies in one of its own name.
            if is_folder { aside.join(root) } else { aside.to_owned() }
        }
    };
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    std::fs::rename(&from, path)?;
    if from != aside {
        sweep(aside);
    }
    Ok(())
}
