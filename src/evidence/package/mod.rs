//! Exported packages: records with all that it takes to verify them without this program.
//!
//! One zip: each record in a folder of its own, what was signed of the log in `logg/`, sums over
//! everything with a signature, a text that says how to check it with public tools alone, and an
//! independent checker. Names are ASCII and flat, so that `sha256sum` finds them on any system.

pub mod check;
pub mod eark;
pub mod run;
mod shape;
pub mod sink;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use eark::{Archive, Eark};
use sink::{Container, Sink, sweep};

use super::{EvidenceError, EvidenceStore};
use crate::domain::checkpoint::{Note, Signer};
use crate::domain::evidence::CutOff;
use crate::domain::ids::{CaseId, ContentHash, EvidenceId};
use crate::formats::eark::Described;
use crate::store::anchors::{CheckpointRow, InclusionProof, StampState};
use crate::store::rows::{EvidenceRow, EvidenceState, LogEntry};

const README: &str = include_str!("LASMIG.txt");
const CHECKER: &str = include_str!("kontroll.py");

const SUMS: &str = "SHA256SUMS";
const SUMS_SIGNATURE: &str = "SHA256SUMS.sig";
const INDEX: &str = "paket.json";
const STAMP: &str = "logg/stampel.tsr";
/// The certificate that the stamp is held against.
const STAMP_ROOT: &str = "logg/stampel-rot.pem";
/// What lists the files of an archive run.
const RUN_MANIFEST: &str = "forteckning.json";

/// The version of the package's shape.
const FORMAT: u32 = 1;

/// What lists one record in `paket.json`.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Listed {
    folder: String,
    evidence: i64,
    log_seq: u64,
    /// Why no parts are there, in Swedish; none where they are.
    withheld: Option<String>,
    /// Single parts that are not there.
    #[serde(default)]
    without: Vec<Without>,
}

/// A part that is not in a package.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Without {
    name: String,
    /// Why, in Swedish.
    reason: String,
}

/// `paket.json`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Index {
    format: u32,
    program: String,
    authority: String,
    origin: String,
    made_at: jiff::Timestamp,
    size: u64,
    root: ContentHash,
    records: Vec<Listed>,
}

/// `loggbevis.json`: that the entry is in the tree.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Proof {
    index: u64,
    size: u64,
    path: Vec<ContentHash>,
}

/// What was decided and done about an item, as the log has it, in its order.
const EVENTS: &str = "handelser.json";

/// One entry of `handelser.json`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Event {
    /// The entry, byte for byte.
    post: String,
    index: u64,
    path: Vec<ContentHash>,
}

/// Which leaves of the path stand to the left of what is known: what a shell needs to walk it.
fn way(proof: &Proof) -> String {
    let (mut at, mut last) = (proof.index, proof.size.saturating_sub(1));
    let mut lines = String::new();
    for step in &proof.path {
        let left = at & 1 == 1 || at == last;
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{} {step}", if left { 'V' } else { 'H' });
        if left {
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        }
        at >>= 1;
        last >>= 1;
    }
    lines
}

/// How a package is written.
#[derive(Clone, Debug)]
pub struct Form {
    /// Into what.
    pub container: Container,
    /// What it has around it where it is for an archive.
    pub archive: Option<Archive>,
}

impl Form {
    /// The plain form.
    pub const ZIP: Self = Self { container: Container::Zip, archive: None };
}

/// What is written next.
enum Entry {
    File {
        name: String,
        bytes: Vec<u8>,
        /// Media type and time of a part.
        of: Option<(String, jiff::Timestamp)>,
    },
    Record(Box<Described>),
}

/// A package that is being written. Nothing is at its place until [`Package::finish`].
#[derive(Debug)]
pub struct Package {
    evidence: EvidenceStore,
    signer: Signer,
    checkpoint: CheckpointRow,
    index: Index,
    /// A few entries wait at most, so that memory does not grow with the selection.
    entries: mpsc::Sender<Entry>,
    writing: JoinHandle<io::Result<()>>,
    path: PathBuf,
}

impl EvidenceStore {
    /// Begins a package for records sealed by entries up to place `newest` of the log.
    ///
    /// # Errors
    /// [`EvidenceError::Package`] where the file cannot be made or is there already.
    pub async fn begin_package(
        &self,
        path: &Path,
        authority: &str,
        newest: u64,
        form: Form,
    ) -> Result<Package, EvidenceError> {
        let failed = |source| EvidenceError::Package { path: path.to_owned(), source };
        let (signer, checkpoint) = self.signed_up_to(path, newest).await?;
        if path.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let (entries, waiting) = mpsc::channel(4);
        let made_at = form.archive.as_ref().map(|archive| archive.delivery.created);
        let (target, by) = (path.to_owned(), signer.clone());
        let writing = tokio::task::spawn_blocking(move || write(&target, waiting, &by, form));
        let index = Index {
            format: FORMAT,
            program: concat!("Uppsikt ", env!("CARGO_PKG_VERSION")).into(),
            authority: authority.to_owned(),
            origin: signer.origin().as_str().to_owned(),
            made_at: made_at.unwrap_or_else(|| self.clock.now()),
            size: checkpoint.size,
            root: checkpoint.root,
            records: Vec::new(),
        };
        let evidence = self.clone();
        Ok(Package { evidence, signer, checkpoint, index, entries, writing, path: path.to_owned() })
    }

    /// The signer and a checkpoint of theirs that holds the entries up to place `newest`, held against the log.
    async fn signed_up_to(
        &self,
        path: &Path,
        newest: u64,
    ) -> Result<(Signer, CheckpointRow), EvidenceError> {
        let failed = |source| EvidenceError::Package { path: path.to_owned(), source };
        let signer = self.signer().await?;
        self.hold_signed().await?;
        let id = signer.public().id().to_string();
        // One with a stamp rather than a newer one without; by the key that signs the sums.
        let known = self.store.checkpoint_of(newest).await?.filter(|row| row.key == id);
        let checkpoint = match known {
            Some(known) => Some(known),
            None => self.checkpoint().await?,
        };
        let checkpoint = checkpoint
            .filter(|row| row.size >= newest && row.key == id)
            .ok_or_else(|| failed(io::Error::other("the log could not be signed")))?;
        // The row is anybody's who has the database; what it says is signed must be.
        let is_own = Note::parse(&checkpoint.note).is_ok_and(|note| {
            let said = note.checkpoint;
            (said.size, said.root) == (checkpoint.size, checkpoint.root)
                && note.signer(std::slice::from_ref(signer.public())).is_some()
        });
        if !is_own || self.store.tree_root(checkpoint.size).await? != checkpoint.root {
            return Err(EvidenceError::Rewritten {
                place: "the database".into(),
                signed: checkpoint.size,
                entries: self.store.log_head().await?.0,
            });
        }
        Ok((signer, checkpoint))
    }

    /// What was signed of the log: checkpoint, key, and the stamp where there is one.
    async fn signed_files(
        &self,
        path: &Path,
        signer: &Signer,
        checkpoint: &CheckpointRow,
    ) -> Result<Vec<(&'static str, Vec<u8>)>, EvidenceError> {
        let failed = |source| EvidenceError::Package { path: path.to_owned(), source };
        let note =
            Note::parse(&checkpoint.note).map_err(|e| failed(io::Error::other(e.to_string())))?;
        let signature = note.signatures.first().map(|(_, s)| s.to_vec()).unwrap_or_default();
        let mut files = vec![
            ("logg/kontrollpunkt.txt", checkpoint.note.clone().into_bytes()),
            ("logg/kontrollpunkt.text", note.text.into_bytes()),
            ("logg/kontrollpunkt.sig", signature),
            ("logg/nyckel.pem", signer.public().pem().into_bytes()),
        ];
        if let Some(stamp) = self.store.stamp(checkpoint.size).await?
            && let StampState::Kept { answer, ca_pem, .. } = stamp.state
        {
            files.push((STAMP, answer));
            files.push((STAMP_ROOT, ca_pem.into_bytes()));
        }
        Ok(files)
    }

    /// That the entry at `log_seq` is in the tree that the checkpoint signs: for programs, and for a shell.
    async fn proof_files(
        &self,
        log_seq: u64,
        size: u64,
    ) -> Result<[(&'static str, Vec<u8>); 2], EvidenceError> {
        let proof = self.store.inclusion(log_seq, size).await?;
        let InclusionProof { index, size, path, .. } = proof;
        let proof = Proof { index, size, path };
        Ok([("loggbevis.json", json(&proof)), ("vag.txt", way(&proof).into_bytes())])
    }
}

impl Package {
    /// How many entries of the log are in what is signed.
    pub const fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// Adds a sealed record. What of it is cut off stays out, each part with the reason that `why`
    /// gives; that is asked anew before each part, since it may be suspected any moment. `case` is
    /// the JSON of what was decided and done in `of`, of which the log's own entries go along, `sheet` the same to read, with the time of the newest thing on it,
    /// `described` the same for a package to an archive.
    ///
    /// # Errors
    /// [`EvidenceError`] where the record is not whole: then the package must be given up.
    pub async fn add(
        &mut self,
        row: &EvidenceRow,
        why: fn(CutOff) -> &'static str,
        of: Option<CaseId>,
        case: Vec<u8>,
        sheet: Option<(Vec<u8>, jiff::Timestamp)>,
        described: Option<Described>,
    ) -> Result<(), EvidenceError> {
        let EvidenceState::Sealed { manifest: hash, log_seq, .. } = row.state else {
            return Err(EvidenceError::NotSealed(row.id));
        };
        let EvidenceId(number) = row.id;
        let folder = format!("bevis-{number}");
        let manifest = self.evidence.manifest(row).await?;
        self.put(format!("{folder}/manifest.json"), self.evidence.bytes(hash).await?).await?;
        let entry = self.evidence.store.log_entry(log_seq).await?;
        self.put(format!("{folder}/loggpost.json"), entry.body.into_bytes()).await?;
        for (name, bytes) in self.evidence.proof_files(log_seq, self.checkpoint.size).await? {
            self.put(format!("{folder}/{name}"), bytes).await?;
        }
        self.put(format!("{folder}/arende.json"), case).await?;
        let events = self.events(of).await?;
        self.put(format!("{folder}/{EVENTS}"), json(&events)).await?;
        if let Some((bytes, at)) = sheet {
            let of = Some(("application/pdf".to_owned(), at));
            self.send(Entry::File { name: format!("{folder}/arende.pdf"), bytes, of }).await?;
        }
        let (mut without, mut names) = (Vec::new(), BTreeSet::new());
        for part in &manifest.parts {
            let cut = self.evidence.store.cut_off(row.version).await?;
            if manifest.is_cut_off(part.kind, cut) {
                without.push(Without { name: part.name.clone(), reason: why(cut).to_owned() });
                continue;
            }
            let name = safe(&part.name);
            if !names.insert(name.clone()) {
                return Err(self.failed(io::Error::other(format!("two parts are called {name}"))));
            }
            let bytes = self.evidence.bytes(part.sha256).await?;
            let of = Some((part.media_type.clone(), part.captured_at));
            self.send(Entry::File { name: format!("{folder}/delar/{name}"), bytes, of }).await?;
        }
        let cut = self.evidence.store.cut_off(row.version).await?;
        let gone = |name: &str| without.iter().any(|without: &Without| without.name == name);
        if manifest
            .parts
            .iter()
            .any(|part| manifest.is_cut_off(part.kind, cut) && !gone(&part.name))
        {
            // What is in already cannot be taken out: the package is given up.
            return Err(self.failed(io::Error::other("it was suspected while it was being copied")));
        }
        let withheld = match cut {
            CutOff::Everything => {
                without.clear();
                Some(why(cut).to_owned())
            }
            CutOff::Nothing | CutOff::PagePictures | CutOff::OwnPictures => None,
        };
        if let Some(described) = described {
            let described = Described { withheld: withheld.clone(), ..described };
            self.send(Entry::Record(Box::new(described))).await?;
        }
        self.index.records.push(Listed { folder, evidence: number, log_seq, withheld, without });
        Ok(())
    }

    /// Adds what was signed, the sums and the texts, and puts the package at its place.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub async fn finish(self) -> Result<(), EvidenceError> {
        let signed = self.evidence.signed_files(&self.path, &self.signer, &self.checkpoint).await?;
        let is_stamped = signed.iter().any(|(name, _)| *name == STAMP);
        for (name, bytes) in signed {
            self.put(name.to_owned(), bytes).await?;
        }
        self.put(INDEX.into(), json(&self.index)).await?;
        self.put("kontroll.py".into(), CHECKER.as_bytes().to_vec()).await?;
        let readme = readme(&self.index, &self.signer.public().fingerprint(), is_stamped);
        self.put("LASMIG.txt".into(), readme.into_bytes()).await?;
        let Self { entries, writing, path, .. } = self;
        // What waits is written, then the sums.
        drop(entries);
        writing
            .await
            .map_err(|_| EvidenceError::BrokenOff)?
            .map_err(|source| EvidenceError::Package { path, source })
    }

    /// The log's entries about a case, as far as the checkpoint signs them, each with its proof.
    async fn events(&self, of: Option<CaseId>) -> Result<Vec<Event>, EvidenceError> {
        let (store, size) = (&self.evidence.store, self.checkpoint.size);
        let entries = match of {
            Some(case) => store.log_of_case(case).await?,
            None => Vec::new(),
        };
        let mut events = Vec::with_capacity(entries.len());
        for LogEntry { seq, body, .. } in entries.into_iter().filter(|entry| entry.seq <= size) {
            let InclusionProof { index, path, .. } = store.inclusion(seq, size).await?;
            events.push(Event { post: body, index, path });
        }
        Ok(events)
    }

    async fn put(&self, name: String, bytes: Vec<u8>) -> Result<(), EvidenceError> {
        self.send(Entry::File { name, bytes, of: None }).await
    }

    async fn send(&self, entry: Entry) -> Result<(), EvidenceError> {
        // The writer has given up: `finish` tells why.
        let gone = |_| self.failed(io::Error::other("the package could not be written on"));
        self.entries.send(entry).await.map_err(gone)
    }

    fn failed(&self, source: io::Error) -> EvidenceError {
        EvidenceError::Package { path: self.path.clone(), source }
    }
}

/// The text that goes with a package: how to check it.
fn readme(index: &Index, fingerprint: &str, is_stamped: bool) -> String {
    of_stamp(README, is_stamped)
        .replace("{myndighet}", &index.authority)
        .replace("{antal}", &index.records.len().to_string())
        .replace("{tid}", &index.made_at.to_string())
        .replace("{program}", &index.program)
        .replace("{fingeravtryck}", fingerprint)
}

/// Of the passages about the stamp those that hold.
fn of_stamp(readme: &str, is_stamped: bool) -> String {
    let (stamped, unstamped) = ("[stämplad]\n", "[ostämplad]\n");
    let mut text = String::new();
    let mut keep = true;
    for line in readme.split_inclusive('\n') {
        match line {
            _ if line == stamped => keep = is_stamped,
            _ if line == unstamped => keep = !is_stamped,
            "[slut]\n" => keep = true,
            _ if keep => text.push_str(line),
            _ => {}
        }
    }
    text
}

/// A name of ours as it stands; of another one only what any system takes.
fn safe(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "namnlos".into() } else { name.to_owned() }
}

/// Values of our own making: their keys are texts and their numbers whole.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Writes entries as they come, then sums and signature; aside first, so that nobody takes up half a
/// package.
fn write(
    path: &Path,
    mut entries: mpsc::Receiver<Entry>,
    by: &Signer,
    form: Form,
) -> io::Result<()> {
    // A name that nobody else has: neither the package's own nor a stranger's file is written over.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}.part", uuid::Uuid::new_v4().simple()));
    let growing = aside.with_extension("spool");
    let written = write_aside(&aside, &growing, &mut entries, by, form).and_then(|root| {
        // What is in a folder for an archive has the package's own folder in it.
        fs::rename(root.as_deref().map_or(aside.clone(), |root| aside.join(root)), path)
    });
    sweep(&growing);
    sweep(&aside);
    written
}

/// What files go to.
enum Writing {
    Plain(Sink),
    Archive(Box<Eark>),
}

impl Writing {
    fn file(
        &mut self,
        name: &str,
        bytes: &[u8],
        of: Option<(&str, jiff::Timestamp)>,
    ) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.put(name, bytes.len() as u64, bytes),
            Self::Archive(eark) => eark.file(name, bytes, of),
        }
    }
}

/// Gives the folder that the package lies in, where it is one.
fn write_aside(
    aside: &Path,
    growing: &Path,
    entries: &mut mpsc::Receiver<Entry>,
    by: &Signer,
    form: Form,
) -> io::Result<Option<String>> {
    let sink = Sink::begin(form.container, aside)?;
    let root = match (&form.archive, form.container) {
        (Some(archive), Container::Folder) => Some(archive.delivery.id.clone()),
        (Some(_), Container::Zip | Container::Tar) | (None, _) => None,
    };
    let mut writing = match form.archive {
        None => Writing::Plain(sink),
        Some(archive) => Writing::Archive(Box::new(Eark::begin(sink, archive, growing)?)),
    };
    let mut sums = String::new();
    let mut is_finished = false;
    while let Some(entry) = entries.blocking_recv() {
        match (entry, &mut writing) {
            (Entry::File { name, bytes, of }, writing) => {
                is_finished |= name == "LASMIG.txt";
                let _ = writeln!(sums, "{}  {name}", hex::encode(Sha256::digest(&bytes)));
                let of = of.as_ref().map(|(media_type, at)| (media_type.as_str(), *at));
                writing.file(&name, &bytes, of)?;
            }
            (Entry::Record(described), Writing::Archive(eark)) => eark.record(&described)?,
            (Entry::Record(_), Writing::Plain(_)) => {}
        }
    }
    if !is_finished {
        return Err(io::Error::other("given up before it was whole"));
    }
    let signature = by.sign(sums.as_bytes());
    for (name, bytes) in [(SUMS, sums.as_bytes()), (SUMS_SIGNATURE, &signature[..])] {
        writing.file(name, bytes, None)?;
    }
    match writing {
        Writing::Plain(sink) => sink.finish()?,
        Writing::Archive(eark) => eark.finish(by)?,
    }
    Ok(root)
}

#[cfg(test)]
mod tests;
