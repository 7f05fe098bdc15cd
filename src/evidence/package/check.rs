//! A package verified: every byte against the sums, the sums and the checkpoint against the key, each
//! record's entry against the checkpoint, its manifest and parts against the entry.
//!
//! What comes in is anybody's file: nothing of it is written anywhere, small files alone are read
//! whole, and parts go by in pieces.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::{INDEX, Index, Listed, Proof, SUMS, SUMS_SIGNATURE, way};
use crate::domain::checkpoint::{Note, PublicKey};
use crate::domain::evidence::Manifest;
use crate::domain::ids::ContentHash;
use crate::domain::log::leaf_hash;
use crate::domain::tree::root_of_path;
use crate::evidence::timestamp;
use crate::evidence::verify::Fault;

/// Sums of ten thousand records are some 12 MB; nothing else that is read whole is as large.
const MOST_BYTES: u64 = 64 << 20;

/// What was found in a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageReport {
    /// Records that it lists.
    pub n_records: u64,
    /// Files whose bytes are those of the sums.
    pub n_files: u64,
    /// Entries of the log that its checkpoint holds.
    pub size: u64,
    /// The key's fingerprint, to compare with what the authority has published.
    pub fingerprint: Option<String>,
    /// The time that the stamp states.
    pub stamped_at: Option<jiff::Timestamp>,
    /// Everything that does not add up.
    pub faults: Vec<Fault>,
}

impl PackageReport {
    fn fault(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.faults.push(Fault { place: place.into(), what: what.into() });
    }
}

/// Verifies a package. `tell` is told how many files have been read.
///
/// # Errors
/// Where the file itself cannot be read; a damaged package is a report.
pub fn check(path: &Path, tell: &dyn Fn(u64)) -> io::Result<PackageReport> {
    let mut report = PackageReport::default();
    match ZipArchive::new(File::open(path)?) {
        Ok(zip) => {
            // Names that stand there twice are one to the reader.
            if has_doubles(path, zip.len() as u64)? {
                report.fault("paketet", "två filer har samma namn");
            }
            Opened::read(zip, tell, &mut report).check(&mut report);
        }
        Err(_) => report.fault("paketet", "filen är inte ett helt zip-arkiv"),
    }
    Ok(report)
}

struct Opened {
    zip: ZipArchive<File>,
    /// The sum of each file as it is.
    there: BTreeMap<String, ContentHash>,
}

impl Opened {
    fn read(mut zip: ZipArchive<File>, tell: &dyn Fn(u64), report: &mut PackageReport) -> Self {
        let mut there = BTreeMap::new();
        for at in 0..zip.len() {
            let Ok(mut file) = zip.by_index(at) else {
                report.fault("paketet", format!("fil nummer {} går inte att läsa", at + 1));
                continue;
            };
            let Ok(name) = file.name().map(|name| name.into_owned()) else {
                report
                    .fault("paketet", format!("namnet på fil nummer {} går inte att läsa", at + 1));
                continue;
            };
            if file.is_dir() {
                continue;
            }
            match sum(&mut file) {
                Ok(hash) => drop(there.insert(name, hash)),
                Err(_) => report.fault(name, "filen går inte att läsa"),
            }
            tell(at as u64 + 1);
        }
        Self { zip, there }
    }

    /// A small file, whole.
    fn whole(&mut self, name: &str, report: &mut PackageReport) -> Option<Vec<u8>> {
        let read = |zip: &mut ZipArchive<File>| -> Option<Vec<u8>> {
            let file = zip.by_name(name).ok()?;
            let mut bytes = Vec::new();
            file.take(MOST_BYTES + 1).read_to_end(&mut bytes).ok()?;
            (bytes.len() as u64 <= MOST_BYTES).then_some(bytes)
        };
        let bytes = read(&mut self.zip);
        if bytes.is_none() {
            report.fault(name, "filen saknas eller går inte att läsa");
        }
        bytes
    }

    fn text(&mut self, name: &str, report: &mut PackageReport) -> Option<String> {
        let bytes = self.whole(name, report)?;
        let text = String::from_utf8(bytes).ok();
        if text.is_none() {
            report.fault(name, "filen går inte att läsa som text");
        }
        text
    }

    fn json<T: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
        report: &mut PackageReport,
    ) -> Option<T> {
        let bytes = self.whole(name, report)?;
        let value = serde_json::from_slice(&bytes).ok();
        if value.is_none() {
            report.fault(name, "filen går inte att tolka");
        }
        value
    }

    fn check(mut self, report: &mut PackageReport) {
        self.check_sums(report);
        let Some(index) = self.json::<Index>(INDEX, report) else { return };
        let signed = self.check_signed(report);
        let Some((root, size)) = signed else { return };
        if (index.root, index.size) != (root, size) {
            report.fault(INDEX, "listan nämner en annan kontrollpunkt");
        }
        report.size = size;
        let folders: BTreeSet<String> = self
            .there
            .keys()
            .filter_map(|name| Some(name.split_once('/')?.0.to_owned()))
            .filter(|folder| folder.starts_with("bevis-"))
            .collect();
        let listed: BTreeSet<String> = index.records.iter().map(|r| r.folder.clone()).collect();
        for folder in folders.symmetric_difference(&listed) {
            report.fault(folder, "mappen och listan i paket.json stämmer inte");
        }
        for record in &index.records {
            report.n_records += 1;
            self.check_record(record, (root, size), report);
        }
    }

    fn check_sums(&mut self, report: &mut PackageReport) {
        let Some(sums) = self.text(SUMS, report) else { return };
        let mut listed = BTreeMap::new();
        for (n, line) in (1..).zip(sums.lines()) {
            let read = line
                .split_once("  ")
                .and_then(|(sum, name)| Some((name.to_owned(), sum.parse::<ContentHash>().ok()?)));
            match read {
                Some((name, hash)) if is_plain(&name) => {
                    if listed.insert(name.clone(), hash).is_some() {
                        report.fault(name, "filen står två gånger i SHA256SUMS");
                    }
                }
                Some((name, _)) => report.fault(name, "namnet får inte förekomma"),
                None => report.fault(SUMS, format!("rad {n} går inte att läsa")),
            }
        }
        for (name, hash) in &listed {
            match self.there.get(name) {
                Some(found) if found == hash => report.n_files += 1,
                Some(_) => report.fault(name, "filen har ändrats"),
                None => report.fault(name, "filen saknas"),
            }
        }
        for name in self.there.keys() {
            if !listed.contains_key(name) && name != SUMS && name != SUMS_SIGNATURE {
                report.fault(name, "filen står inte i SHA256SUMS");
            }
        }
    }

    /// Key, checkpoint and stamp. Gives what was signed, where that can be told.
    fn check_signed(&mut self, report: &mut PackageReport) -> Option<(ContentHash, u64)> {
        const NOTE: &str = "logg/kontrollpunkt.txt";
        let text = self.text(NOTE, report)?;
        let Ok(note) = Note::parse(&text) else {
            report.fault(NOTE, "kontrollpunkten går inte att läsa");
            return None;
        };
        let pem = self.text("logg/nyckel.pem", report)?;
        let key = match PublicKey::from_pem(&note.origin, &pem) {
            Ok(key) => key,
            Err(_) => {
                report.fault("logg/nyckel.pem", "det är ingen nyckel");
                return None;
            }
        };
        report.fingerprint = Some(key.fingerprint());
        self.check_sums_signature(&key, report);
        if note.signer(std::slice::from_ref(&key)).is_none() {
            report.fault(NOTE, "kontrollpunkten är inte undertecknad av nyckeln");
        }
        let signed = self.whole("logg/kontrollpunkt.text", report)?;
        if signed != note.text.as_bytes() {
            report.fault(NOTE, "texten är inte den som är undertecknad");
        }
        let signature = self.whole("logg/kontrollpunkt.sig", report)?;
        if !note.signatures.iter().any(|(_, own)| own.as_slice() == signature) {
            report.fault(NOTE, "underskriften är en annan");
        }
        if self.there.contains_key("logg/stampel.tsr") {
            let answer = self.whole("logg/stampel.tsr", report)?;
            let root = self.text("logg/stampel-rot.pem", report)?;
            match timestamp::check(&answer, text.as_bytes(), &root) {
                Ok(stamp) => report.stamped_at = Some(stamp.at),
                Err(error) => report.fault("logg/stampel.tsr", error.swedish()),
            }
        }
        Some((note.checkpoint.root, note.checkpoint.size))
    }

    fn check_sums_signature(&mut self, key: &PublicKey, report: &mut PackageReport) {
        let (Some(sums), Some(signature)) =
            (self.whole(SUMS, report), self.whole(SUMS_SIGNATURE, report))
        else {
            return;
        };
        let holds = <[u8; 64]>::try_from(signature).is_ok_and(|own| key.signed(&sums, &own));
        if !holds {
            report.fault(SUMS, "listan är inte undertecknad av nyckeln");
        }
    }

    fn check_record(
        &mut self,
        record: &Listed,
        (root, size): (ContentHash, u64),
        report: &mut PackageReport,
    ) {
        let folder = &record.folder;
        let name = |file: &str| format!("{folder}/{file}");
        let (Some(entry), Some(proof)) = (
            self.whole(&name("loggpost.json"), report),
            self.json::<Proof>(&name("loggbevis.json"), report),
        ) else {
            return;
        };
        let led = root_of_path(leaf_hash(&entry), proof.index, proof.size, &proof.path);
        if proof.size != size || led != Some(root) {
            report.fault(folder, "posten ingår inte i den undertecknade loggen");
        }
        if let Some(text) = self.text(&name("vag.txt"), report)
            && text != way(&proof)
        {
            report.fault(name("vag.txt"), "vägen är inte den i loggbevis.json");
        }
        let Some(bytes) = self.whole(&name("manifest.json"), report) else { return };
        let said = serde_json::from_slice::<Sealed>(&entry).ok().filter(|said| {
            said.kind == "seal"
                && proof.index.checked_add(1) == Some(said.seq)
                && said.seq == record.log_seq
                && said.record.evidence == record.evidence
                && said.record.manifest_sha256 == ContentHash::of(&bytes)
        });
        if said.is_none() {
            report.fault(folder, "manifestet är inte det som förseglades");
        }
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else {
            report.fault(name("manifest.json"), "filen går inte att tolka");
            return;
        };
        let parts = name("delar/");
        let of_part =
            |(file, hash): (&String, &ContentHash)| file.starts_with(&parts).then_some(*hash);
        let mut have: Vec<_> = self.there.iter().filter_map(of_part).collect();
        let mut sealed: Vec<_> = match record.withheld {
            Some(_) => Vec::new(),
            None => manifest.parts.iter().map(|part| part.sha256).collect(),
        };
        have.sort_unstable();
        sealed.sort_unstable();
        if have != sealed {
            report.fault(folder, "delarna är inte de som säkrades");
        }
    }
}

/// The entry of a seal, as far as a package is held against it.
#[derive(serde::Deserialize)]
struct Sealed {
    seq: u64,
    kind: String,
    record: SealedRecord,
}

#[derive(serde::Deserialize)]
struct SealedRecord {
    evidence: i64,
    manifest_sha256: ContentHash,
}

/// No way out of the folder that a package is unpacked into.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('/')
        && !name.contains(['\\', '\0'])
        && name.split('/').all(|part| !part.is_empty() && part != "..")
}

/// Whether the archive lists more files than have names of their own: two readers might take two
/// different ones.
fn has_doubles(path: &Path, n_names: u64) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    let mut at = |from: Option<u64>, n: usize| -> io::Result<Vec<u8>> {
        let from = from.ok_or(io::ErrorKind::UnexpectedEof)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = vec![0; n];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |sum, b| sum << 8 | u64::from(*b));
    // The end of the directory (APPNOTE 4.3.16); ours has no comment behind it.
    let end = at(length.checked_sub(22), 22)?;
    if !end.starts_with(b"PK\x05\x06") {
        return Ok(true);
    }
    let mut listed = number(&end[10..12]);
    if listed == 0xFFFF {
        // More than fit there: the larger form tells (4.3.14 and 4.3.15).
        let locator = at(length.checked_sub(42), 20)?;
        let large = at(Some(number(&locator[8..16])), 40)?;
        listed = number(&large[32..40]);
    }
    Ok(listed != n_names)
}

fn sum(file: &mut impl Read) -> io::Result<ContentHash> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(ContentHash::new(hasher.finalize().into())),
            n => hasher.update(&buffer[..n]),
        }
    }
}
