//! A package verified: every byte against the sums, the sums and the checkpoint against the key, each
//! record's entry against the checkpoint, its manifest and parts against the entry.
//!
//! It may be a zip or a folder that one was unpacked into, and it may lie in a delivery to an archive, where the
//! files around it are held against what METS says of them.
//!
//! What comes in is anybody's file: nothing of it is written anywhere, small files alone are read
//! whole, and parts go by in pieces.

mod events;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::eark::{HEAD, LIST, SUMS_AROUND, SUMS_AROUND_SIGNATURE, head, unsummed};
use super::shape::{self, Sizes};
use super::{
    EVENTS, FORMAT, INDEX, Index, Listed, Proof, RUN_MANIFEST, SUMS, SUMS_SIGNATURE, safe, way,
};
use crate::domain::archive_run::RunManifest;
use crate::domain::checkpoint::{Note, PublicKey};
use crate::domain::evidence::Manifest;
use crate::domain::ids::ContentHash;
use crate::domain::log::leaf_hash;
use crate::domain::tree::root_of_path;
use crate::evidence::timestamp;
use crate::evidence::verify::Fault;
use crate::formats::eark::mets::{self, REPRESENTATION};

/// Sums of ten thousand records are some 12 MB; nothing else that is read whole is as large.
const MOST_BYTES: u64 = 64 << 20;

/// What every package has outside its records.
const WHOLE: &[&str] = &[
    INDEX,
    SUMS,
    SUMS_SIGNATURE,
    "LASMIG.txt",
    "kontroll.py",
    "logg/kontrollpunkt.txt",
    "logg/kontrollpunkt.text",
    "logg/kontrollpunkt.sig",
    "logg/nyckel.pem",
];
/// What every record has beside its parts.
const OF_RECORD: &[&str] =
    &["manifest.json", "loggpost.json", "loggbevis.json", "vag.txt", "arende.json", EVENTS];
/// What it has where a case was opened.
const CASE_SHEET: &str = "arende.pdf";

/// What was found in a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageReport {
    /// Records that it lists.
    pub n_records: u64,
    /// Parts of them that are not in it, each with its reason there.
    pub n_withheld: u64,
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
    if path.is_dir() {
        Opened::walk(path, tell, &mut report)?.check(&mut report);
        return Ok(report);
    }
    if path.extension().is_some_and(|ending| ending == "tar") {
        let what = "tar-filer läses inte här: packa upp den och ange mappen";
        report.fault("paketet", what);
        return Ok(report);
    }
    let mut file = File::open(path)?;
    let sizes = match shape::walk(&mut file)? {
        Ok(sizes) => sizes,
        // Whatever we read of it, another program might read something else.
        Err(wrong) => {
            let what = format!(
                "filen är inte ett helt zip-arkiv av det slag som Uppsikt skriver: {wrong}"
            );
            report.fault("paketet", what);
            return Ok(report);
        }
    };
    match ZipArchive::new(file) {
        Ok(zip) => Opened::read(zip, &sizes, tell, &mut report).check(&mut report),
        Err(_) => report.fault("paketet", "filen är inte ett helt zip-arkiv"),
    }
    Ok(report)
}

/// Where files are read from.
enum Source {
    Zip(ZipArchive<File>),
    Folder(PathBuf),
}

struct Opened {
    source: Source,
    /// What stands before the names of the package's own files, where it lies in a delivery.
    inside: String,
    /// The sum of each file of the package as it is.
    there: BTreeMap<String, ContentHash>,
    /// The same of the files around it.
    around: BTreeMap<String, ContentHash>,
}

impl Opened {
    fn read(
        mut zip: ZipArchive<File>,
        sizes: &Sizes,
        tell: &dyn Fn(u64),
        report: &mut PackageReport,
    ) -> Self {
        let mut there = BTreeMap::new();
        let sizes: BTreeMap<&str, u64> =
            sizes.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        if zip.len() != sizes.len() {
            report.fault("paketet", "filen är inte ett helt zip-arkiv");
        }
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
            let read = sizes.get(name.as_str()).map(|size| sum(&mut file, *size));
            match read {
                Some(Ok(hash)) => drop(there.insert(name, hash)),
                Some(Err(_)) | None => report.fault(name, "filen går inte att läsa"),
            }
            tell(at as u64 + 1);
        }
        Self::sorted(Source::Zip(zip), there)
    }

    /// Reads a folder; what is neither file nor folder in it is a fault, and a link leads nowhere.
    fn walk(root: &Path, tell: &dyn Fn(u64), report: &mut PackageReport) -> io::Result<Self> {
        let (mut there, mut folders) = (BTreeMap::new(), vec![(root.to_owned(), String::new())]);
        while let Some((folder, before)) = folders.pop() {
            let mut is_empty = true;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                is_empty = false;
                let Ok(name) = entry.file_name().into_string() else {
                    report.fault(&before, "ett filnamn går inte att läsa");
                    continue;
                };
                let name = format!("{before}{name}");
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push((entry.path(), format!("{name}/")));
                } else if kind.is_file() {
                    let size = entry.metadata()?.len();
                    match File::open(entry.path()).and_then(|mut file| sum(&mut file, size)) {
                        Ok(hash) => drop(there.insert(name, hash)),
                        Err(_) => report.fault(name, "filen går inte att läsa"),
                    }
                    tell(there.len() as u64);
                } else {
                    report.fault(name, "det är en länk eller något annat än en fil");
                }
            }
            if is_empty {
                report.fault(before, "mappen är tom");
            }
        }
        Ok(Self::sorted(Source::Folder(root.to_owned()), there))
    }

    /// The package's own files, and where it lies in a delivery, those around it.
    fn sorted(source: Source, all: BTreeMap<String, ContentHash>) -> Self {
        let end = format!("{REPRESENTATION}/data/");
        let inside = match all.contains_key(SUMS) {
            true => None,
            false => all.keys().find_map(|name| {
                let before = name.strip_suffix(SUMS)?;
                let folder = before.strip_suffix(&end)?;
                (folder.is_empty() || folder.ends_with('/')).then(|| before.to_owned())
            }),
        };
        let inside = inside.unwrap_or_default();
        let (mut there, mut around) = (BTreeMap::new(), BTreeMap::new());
        for (name, hash) in all {
            match name.strip_prefix(&inside) {
                Some(own) => drop(there.insert(own.to_owned(), hash)),
                None => drop(around.insert(name, hash)),
            }
        }
        Self { source, inside, there, around }
    }

    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        fn whole(file: impl Read) -> Option<Vec<u8>> {
            let mut bytes = Vec::new();
            file.take(MOST_BYTES + 1).read_to_end(&mut bytes).ok()?;
            (bytes.len() as u64 <= MOST_BYTES).then_some(bytes)
        }
        match &mut self.source {
            Source::Zip(zip) => whole(zip.by_name(name).ok()?),
            Source::Folder(root) => whole(File::open(root.join(name)).ok()?),
        }
    }

    /// A small file of the package, whole.
    fn whole(&mut self, name: &str, report: &mut PackageReport) -> Option<Vec<u8>> {
        let bytes = match self.there.contains_key(name) {
            true => self.bytes(&format!("{}{name}", self.inside)),
            false => None,
        };
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

    /// The files around a package, against what METS says of them and of those in it.
    fn check_around(&mut self, report: &mut PackageReport) {
        let Some(root) = self.inside.strip_suffix(&format!("{REPRESENTATION}/data/")) else {
            return;
        };
        let root = root.to_owned();
        let mut named = BTreeSet::from([format!("{root}METS.xml")]);
        for folder in [root.clone(), format!("{root}{REPRESENTATION}/")] {
            let file = format!("{folder}METS.xml");
            let is_file = self.around.contains_key(&file);
            let bytes = if is_file { self.bytes(&file) } else { None };
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            let Some(text) = text else {
                report.fault(file, "filen saknas eller går inte att läsa");
                continue;
            };
            for (path, sum) in mets::sums(&text) {
                let name = format!("{folder}{path}");
                let own = name.strip_prefix(&self.inside);
                let found = own.map_or(self.around.get(&name), |own| self.there.get(own));
                match found {
                    Some(found) if found.to_hex() == sum => report.n_files += 1,
                    Some(_) => report.fault(&name, "filen är inte den som METS.xml nämner"),
                    None => report.fault(&name, "filen står i METS.xml men saknas"),
                }
                named.insert(name);
            }
        }
        for name in self.around.keys().filter(|name| !named.contains(*name)) {
            report.fault(name, "filen står inte i METS.xml");
        }
        self.check_sums_around(&root, report);
        let own = self.there.keys().map(|name| format!("{}{name}", self.inside));
        for name in own.filter(|name| !named.contains(name)) {
            report.fault(name, "filen står inte i METS.xml");
        }
    }

    /// The files around against the sums that are signed: METS itself is written by whoever has it in hand.
    fn check_sums_around(&mut self, root: &str, report: &mut PackageReport) {
        let place = format!("{root}{SUMS_AROUND}");
        let sums = self.bytes(&place);
        let signature = self.bytes(&format!("{root}{SUMS_AROUND_SIGNATURE}"));
        let (Some(sums), Some(signature)) = (sums, signature) else {
            report.fault(
                place,
                "kontrollsummorna för det som står runt paketet, eller deras underskrift, saknas",
            );
            return;
        };
        let note = self.bytes(&format!("{}logg/kontrollpunkt.txt", self.inside));
        let pem = self.bytes(&format!("{}logg/nyckel.pem", self.inside));
        let text = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        // Where there is no key, that is told of the package itself.
        let (Some(note), Some(pem)) = (text(note), text(pem)) else { return };
        let key =
            Note::parse(&note).ok().and_then(|note| PublicKey::from_pem(&note.origin, &pem).ok());
        let Some(key) = key else { return };
        if !<[u8; 64]>::try_from(&signature[..]).is_ok_and(|own| key.signed(&sums, &own)) {
            report.fault(&place, "listan är inte undertecknad av nyckeln");
            return;
        }
        let mets = self.bytes(&format!("{root}METS.xml")).unwrap_or_default();
        let head = head(&mets).map(ContentHash::of);
        let list = unsummed(&mets, &sums, &signature);
        let mut sealed = BTreeSet::new();
        for line in String::from_utf8_lossy(&sums).lines() {
            let Some((sum, name)) = line.trim_start_matches("# ").split_once("  ") else {
                continue;
            };
            let (name, found) = match name {
                LIST => (format!("{root}METS.xml"), Some(list)),
                HEAD => (format!("{root}METS.xml"), head),
                name => {
                    let name = format!("{root}{name}");
                    let found = self.around.get(&name).copied();
                    (name, found)
                }
            };
            if found.map(|hash| hash.to_hex()).as_deref() != Some(sum) {
                report.fault(&name, "det är inte det som undertecknades i leverans-sha256.txt");
            }
            sealed.insert(name);
        }
        sealed.insert(place.clone());
        sealed.insert(format!("{root}{SUMS_AROUND_SIGNATURE}"));
        for name in self.around.keys().filter(|name| !sealed.contains(*name)) {
            report.fault(name, "filen står inte i leverans-sha256.txt");
        }
    }

    fn check(mut self, report: &mut PackageReport) {
        self.check_around(report);
        self.check_sums(report);
        if !self.there.contains_key(INDEX) && self.there.contains_key(RUN_MANIFEST) {
            return self.check_run(report);
        }
        let Some(index) = self.json::<Index>(INDEX, report) else { return };
        let signed = self.check_signed(report);
        let Some((root, size)) = signed else { return };
        if (index.root, index.size) != (root, size) {
            report.fault(INDEX, "listan nämner en annan kontrollpunkt");
        }
        report.size = size;
        self.check_names(report);
        if index.format != FORMAT {
            report.fault(INDEX, "paketet har en form som det här programmet inte känner");
        }
        if index.records.is_empty() {
            report.fault(INDEX, "listan nämner inget bevis");
        }
        let folders: BTreeSet<String> = self
            .there
            .keys()
            .filter_map(|name| name.split('/').next())
            .filter(|folder| folder.starts_with("bevis-"))
            .map(str::to_owned)
            .collect();
        let listed: BTreeSet<String> = index.records.iter().map(|r| r.folder.clone()).collect();
        for folder in folders.symmetric_difference(&listed) {
            report.fault(folder, "mappen och listan i paket.json stämmer inte");
        }
        let mut seen = BTreeSet::new();
        for record in &index.records {
            report.n_records += 1;
            if record.folder != format!("bevis-{}", record.evidence)
                || !seen.insert(record.evidence)
            {
                report.fault(
                    &record.folder,
                    "beviset står två gånger på listan, eller i en annan mapp",
                );
            }
            self.check_record(record, (root, size), report);
        }
    }

    /// That everything is there that a package has, and nothing that it has not.
    fn check_names(&self, report: &mut PackageReport) {
        for name in WHOLE {
            if !self.there.contains_key(*name) {
                report.fault(*name, "filen saknas");
            }
        }
        if self.there.contains_key(super::STAMP) != self.there.contains_key(super::STAMP_ROOT) {
            report.fault(super::STAMP, "stämpeln och dess certifikat hör ihop, och det ena saknas");
        }
        let is_ours = |name: &str| match name.split_once('/') {
            None => WHOLE.contains(&name),
            Some(("logg", _)) => {
                WHOLE.contains(&name) || matches!(name, super::STAMP | super::STAMP_ROOT)
            }
            Some((_, own)) => {
                matches!(own.split_once('/'), Some(("delar", part)) if !part.contains('/'))
                    || OF_RECORD.contains(&own)
                    || own == CASE_SHEET
            }
        };
        for name in self.there.keys().filter(|name| !is_ours(name)) {
            report.fault(name, "filen hör inte till ett paket");
        }
    }

    fn check_sums(&mut self, report: &mut PackageReport) {
        let Some(sums) = self.text(SUMS, report) else { return };
        let mut listed = BTreeMap::new();
        // As strict as a shell and other programs would have to be to read the same.
        for (n, line) in (1..).zip(sums.strip_suffix('\n').unwrap_or(&sums).split('\n')) {
            let read = line.split_once("  ").and_then(|(sum, name)| {
                let hash = sum.parse::<ContentHash>().ok().filter(|hash| hash.to_hex() == sum)?;
                Some((name.to_owned(), hash))
            });
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

    /// That an entry is in what was signed, for programs and for a shell.
    fn check_way(
        &mut self,
        entry: &[u8],
        proof: &Proof,
        place: &str,
        way_file: &str,
        (root, size): (ContentHash, u64),
        report: &mut PackageReport,
    ) {
        let led = root_of_path(leaf_hash(entry), proof.index, proof.size, &proof.path);
        if proof.size != size || led != Some(root) {
            report.fault(place, "posten ingår inte i den undertecknade loggen");
        }
        if let Some(text) = self.text(way_file, report)
            && text != way(proof)
        {
            report.fault(way_file, "vägen är inte den i loggbevis.json");
        }
    }

    /// An archive run: its manifest against the entry, its files against the manifest.
    fn check_run(&mut self, report: &mut PackageReport) {
        let Some((root, size)) = self.check_signed(report) else { return };
        report.size = size;
        let (Some(entry), Some(proof), Some(bytes)) = (
            self.whole("loggpost.json", report),
            self.json::<Proof>("loggbevis.json", report),
            self.whole(RUN_MANIFEST, report),
        ) else {
            return;
        };
        self.check_way(&entry, &proof, "loggpost.json", "vag.txt", (root, size), report);
        let Ok(manifest) = serde_json::from_slice::<RunManifest>(&bytes) else {
            report.fault(RUN_MANIFEST, "filen går inte att tolka");
            return;
        };
        report.n_records = 1;
        match serde_json::from_slice::<RunEntry>(&entry) {
            Ok(said)
                if said.kind == "archive_run"
                    && proof.index.checked_add(1) == Some(said.seq)
                    && said.record.row == manifest.run
                    && said.record.manifest_sha256 == Some(ContentHash::of(&bytes)) => {}
            Ok(RunEntry { record: RunRecord { manifest_sha256: None, .. }, .. }) => report.fault(
                "loggpost.json",
                "posten är från tiden innan förteckningens kontrollsumma stod i den; den går att pröva i Uppsikt",
            ),
            Ok(_) | Err(_) => {
                report.fault(RUN_MANIFEST, "förteckningen är inte den som körningen slutade med")
            }
        }
        let files: BTreeMap<&str, ContentHash> =
            manifest.files.iter().map(|file| (file.name.as_str(), file.sha256)).collect();
        for (name, hash) in &files {
            if self.there.get(*name) != Some(hash) {
                report.fault(*name, "filen är inte den som fångades");
            }
        }
        let own = |name: &str| {
            name.starts_with("logg/")
                || matches!(name, RUN_MANIFEST | SUMS | SUMS_SIGNATURE | "LASMIG.txt")
                || matches!(name, "loggpost.json" | "loggbevis.json" | "vag.txt")
        };
        for name in self.there.keys() {
            if !own(name) && !files.contains_key(name.as_str()) {
                report.fault(name, "filen står inte i förteckningen");
            }
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
        self.check_way(&entry, &proof, folder, &name("vag.txt"), (root, size), report);
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
        self.check_events(record, (root, size), report);
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else {
            report.fault(name("manifest.json"), "filen går inte att tolka");
            return;
        };
        let parts = name("delar/");
        let have: BTreeMap<String, ContentHash> = self
            .there
            .iter()
            .filter_map(|(file, hash)| Some((file.strip_prefix(&parts)?.to_owned(), *hash)))
            .collect();
        let is_here = |name: &str| {
            record.withheld.is_none() && record.without.iter().all(|without| without.name != name)
        };
        if record
            .without
            .iter()
            .any(|gone| manifest.parts.iter().all(|part| part.name != gone.name))
        {
            report.fault(INDEX, "en del som sägs saknas finns inte i manifestet");
        }
        let here: Vec<_> = manifest.parts.iter().filter(|part| is_here(&part.name)).collect();
        report.n_withheld += (manifest.parts.len() - here.len()) as u64;
        // By name: two parts that change places are two other parts.
        let sealed: BTreeMap<String, ContentHash> =
            here.into_iter().map(|part| (safe(&part.name), part.sha256)).collect();
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

/// The entry of an archive run, as far as a package is held against it.
#[derive(serde::Deserialize)]
struct RunEntry {
    seq: u64,
    kind: String,
    record: RunRecord,
}

#[derive(serde::Deserialize)]
struct RunRecord {
    row: i64,
    manifest_sha256: Option<ContentHash>,
}

/// No way out of the folder that a package is unpacked into.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('/')
        && !name.contains(['\\', '\r', '\0'])
        && name.split('/').all(|part| !part.is_empty() && part != "..")
}

/// The sum of a file that is as long as it says and no longer: what unpacks to more is not read on.
fn sum(file: &mut impl Read, size: u64) -> io::Result<ContentHash> {
    let mut hasher = Sha256::new();
    let mut file = file.take(size.saturating_add(1));
    let (mut buffer, mut length) = (vec![0; 64 * 1024], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => {
                hasher.update(&buffer[..n]);
                length += n as u64;
            }
        }
    }
    match length == size {
        true => Ok(ContentHash::new(hasher.finalize().into())),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}
