//! An archive run as a package: its files, its manifest, its entry of the log with the proof that it is in what was
//! signed, and signed sums, as zip or as an archive takes it (E-ARK). The same run under the same checkpoint
//! gives the same bytes.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::domain::checkpoint::Signer;
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::formats::eark::Described;

use super::eark::Eark;
use super::sink::{Sink, sweep};
use super::{Form, STAMP, SUMS, SUMS_SIGNATURE, of_stamp};

const README: &str = include_str!("lasmig-korning.txt");

/// What a package of a run holds.
#[derive(Debug)]
pub struct RunPackage {
    /// Name, media type, bytes of each file, manifest first.
    pub files: Vec<(String, String, Vec<u8>)>,
    /// The text of the run's entry in the log.
    pub entry: String,
    /// Its place there.
    pub log_seq: u64,
    /// When the run ended.
    pub ended_at: Timestamp,
    /// What an archive is told of it.
    pub described: Described,
}

/// Writes it where nothing is yet.
///
/// # Errors
/// [`EvidenceError::Package`]; then nothing is there.
pub async fn write(
    evidence: &EvidenceStore,
    package: RunPackage,
    out: &Path,
    form: Form,
) -> Result<(), EvidenceError> {
    let (signer, checkpoint) = evidence.signed_up_to(out, package.log_seq).await?;
    let mut signed = evidence.signed_files(out, &signer, &checkpoint).await?;
    signed.extend(evidence.proof_files(package.log_seq, checkpoint.size).await?);
    let path = out.to_owned();
    let at = path.clone();
    let write = move || {
        let (aside, growing) = (beside(&path, "del"), beside(&path, "vaxer"));
        let written = write_aside(package, signed, &signer, &aside, &growing, form, &path);
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

const BYTES: &str = "application/octet-stream";

/// Of our own files beside the run's.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "json")) => "application/json",
        Some((_, "txt" | "text" | "pem")) => "text/plain",
        Some((_, "tsr")) => "application/timestamp-reply",
        Some(_) | None => BYTES,
    }
}

/// A name beside a file.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}

fn write_aside(
    package: RunPackage,
    signed: Vec<(&'static str, Vec<u8>)>,
    signer: &Signer,
    aside: &Path,
    growing: &Path,
    form: Form,
    path: &Path,
) -> io::Result<()> {
    let RunPackage { files, entry, log_seq: _, ended_at, described } = package;
    let is_stamped = signed.iter().any(|(name, _)| *name == STAMP);
    let readme = of_stamp(README, is_stamped)
        .replace("{korning}", &described.evidence.to_string())
        .replace("{fingeravtryck}", &signer.public().fingerprint());
    let mut all = files;
    all.push(("loggpost.json".into(), "application/json".into(), entry.into_bytes()));
    for (name, bytes) in signed {
        all.push((name.into(), media_type(name).into(), bytes));
    }
    all.push(("LASMIG.txt".into(), "text/plain".into(), readme.into_bytes()));
    let mut sums = String::new();
    for (name, _, bytes) in &all {
        // Writing to a string cannot fail.
        let _ = writeln!(sums, "{}  {name}", hex::encode(Sha256::digest(bytes)));
    }
    let signature = signer.sign(sums.as_bytes());
    all.push((SUMS.into(), "text/plain".into(), sums.into_bytes()));
    all.push((SUMS_SIGNATURE.into(), BYTES.into(), signature.to_vec()));
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
            eark.finish(signer)?;
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
