//! The tree over the log, recomputed from its leaves, against the subtrees that are kept and all
//! that was ever signed: in the database, in the file beside it, and in what was kept elsewhere.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::chain::{KeyTaken, LogRead};
use super::{PAGE, Report};
use crate::domain::checkpoint::{Note, Origin, PublicKey, key_change, notes};
use crate::domain::ids::ContentHash;
use crate::domain::tree::{Growing, n_nodes};
use crate::evidence::checkpoints::CheckpointSettings;
use crate::evidence::timestamp;
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::runtime::private;
use crate::store::Store;
use crate::store::anchors::{CheckpointRow, KeyRow, StampRow, StampState};
use crate::store::error::StoreError;
use crate::store::rows::Readable;

/// A checkpoint is noted right after it is made; who died in between notes it at the next start.
const NOTED_WITHIN: SignedDuration = SignedDuration::from_mins(10);

const PLACE: &str = "kontrollpunkterna";

/// A file of checkpoints that was read before the log.
struct Kept {
    /// How complaints name it.
    name: String,
    /// Whether it is the one beside the database, which has to have all of them.
    is_own: bool,
    read: io::Result<String>,
}

/// What is held against the tree, read before the log is.
pub(super) struct Signed {
    origin: Origin,
    rows: Vec<Readable<CheckpointRow>>,
    stamps: Vec<Readable<StampRow>>,
    /// By size of their checkpoints: what the audit log says of the stamps that were kept.
    told: BTreeMap<u64, String>,
    files: Vec<Kept>,
    notes: Vec<(usize, usize, Note)>,
}

impl Signed {
    pub(super) async fn read(
        evidence: &EvidenceStore,
        store: &Store,
        witnesses: &[PathBuf],
    ) -> Result<Self, EvidenceError> {
        let mut files = vec![Kept {
            name: "checkpoints.txt".into(),
            is_own: true,
            read: private::read_text(&evidence.checkpoints_file()),
        }];
        for path in witnesses {
            let name = path.display().to_string();
            files.push(Kept { name, is_own: false, read: private::read_text(path) });
        }
        let mut rows: Vec<Readable<CheckpointRow>> = Vec::new();
        loop {
            let after = rows.last().map_or(i64::MIN, |row| row.id);
            let page = store.checkpoints_to_verify(after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            rows.extend(page);
        }
        // Before the stamps: one that is kept meanwhile is not missed.
        let told = store.stamps_told().await?;
        let mut stamps: Vec<Readable<StampRow>> = Vec::new();
        loop {
            let after = stamps.last().map_or(i64::MIN, |row| row.id);
            let page = store.stamps_to_verify(after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            stamps.extend(page);
        }
        let origin = evidence.origin().await?;
        Ok(Self { origin, rows, stamps, told, files, notes: Vec::new() })
    }

    /// Reads the files' notes, so that the sizes at which the log's head matters are known.
    pub(super) fn sizes(&mut self, report: &mut Report) -> Vec<u64> {
        for (at, file) in self.files.iter().enumerate() {
            let text = match &file.read {
                Ok(text) => text,
                // That it is missing at all is told later, where it matters.
                Err(error) if file.is_own && error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) => {
                    report.fault(&file.name, "filen går inte att läsa");
                    continue;
                }
            };
            let read = notes(text);
            let n = read.len();
            if n == 0 && !file.is_own {
                report.fault(&file.name, "filen har ingen kontrollpunkt");
            }
            for (i, (line, note)) in read.into_iter().enumerate() {
                match note {
                    Ok(note) if note.origin == self.origin => self.notes.push((at, line, note)),
                    Ok(_) => report.fault(
                        format!("{} rad {line}", file.name),
                        "kontrollpunkten gäller en annan installations logg",
                    ),
                    // A power cut may leave the last one half-written beside the database.
                    Err(_) if file.is_own && i + 1 == n => {}
                    Err(_) => report.fault(
                        format!("{} rad {line}", file.name),
                        "kontrollpunkten går inte att läsa",
                    ),
                }
            }
        }
        let rows = self.rows.iter().flat_map(|row| &row.value).map(|row| row.size);
        rows.chain(self.notes.iter().map(|(_, _, note)| note.checkpoint.size)).collect()
    }
}

/// The tree as it grows while the log is read.
pub(super) struct TreeRead {
    growing: Growing,
    /// Heads at the sizes that matter.
    roots: BTreeMap<u64, Option<ContentHash>>,
    /// Subtrees that the leaves since the last look complete.
    done: Vec<(u64, ContentHash)>,
    /// A leaf is missing or cannot be read, so that nothing above it can be told.
    is_torn: bool,
    wrong: Vec<u64>,
}

impl TreeRead {
    pub(super) fn new(sizes: Vec<u64>) -> Self {
        Self {
            growing: Growing::default(),
            roots: sizes.into_iter().map(|size| (size, None)).collect(),
            done: Vec::new(),
            is_torn: false,
            wrong: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, seq: u64, leaf: ContentHash) {
        if self.is_torn || self.growing.n() + 1 != seq {
            self.is_torn = true;
            return;
        }
        let done = &mut self.done;
        self.growing.push(leaf, |place, head| done.push((place, head)));
        if let Some(root) = self.roots.get_mut(&seq) {
            *root = Some(self.growing.root());
        }
    }

    pub(super) fn tear(&mut self) {
        self.is_torn = true;
    }

    /// How many leaves, and the head over them; none where that cannot be told.
    pub(super) fn head(&self) -> Option<(u64, ContentHash)> {
        (!self.is_torn && self.growing.n() > 0).then(|| (self.growing.n(), self.growing.root()))
    }

    /// Holds what is kept against what was just computed.
    pub(super) async fn hold(&mut self, store: &Store) -> Result<(), EvidenceError> {
        let done = std::mem::take(&mut self.done);
        for part in done.chunks(PAGE as usize) {
            let Some((first, _)) = part.first() else { break };
            let kept = store.tree_nodes(*first, PAGE).await?;
            let kept: BTreeMap<u64, Option<ContentHash>> = kept.into_iter().collect();
            let differs = |(place, head): &&(u64, ContentHash)| {
                kept.get(place).copied().flatten() != Some(*head)
            };
            self.wrong.extend(part.iter().filter(differs).map(|(place, _)| *place));
        }
        Ok(())
    }
}

/// A key with the entries of the log that it may sign for.
pub(super) struct Force {
    pub(super) key: PublicKey,
    from: u64,
    until: u64,
}

/// Verifies tree, keys, checkpoints, files and stamps, after the log was read.
pub(super) async fn verify(
    signed: &Signed,
    store: &Store,
    log: &mut LogRead,
    settings: &CheckpointSettings,
    now: Timestamp,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let rows = key_rows(store, report).await?;
    if rows.last().is_some_and(|newest| newest.log_seq >= log.next) {
        log.read_on(store, report).await?;
    }
    let keys = keys_in_force(&signed.origin, &rows, &log.keys, &settings.acknowledged, report);
    for (seq, said) in &log.keys {
        if !rows.iter().any(|row| row.log_seq == *seq) {
            let what = format!("loggen (post {seq}) säger att den togs i bruk, men raden saknas");
            report.fault(format!("nyckel {}", said.key), what);
        }
    }
    verify_nodes(store, log, report).await?;
    for row in &signed.rows {
        let place = format!("kontrollpunkt {}", row.id);
        match &row.value {
            None => report.fault(place, "raden går inte att läsa"),
            Some(row) => verify_row(signed, row, &keys, log, &place, report),
        }
    }
    let (mut newest_witness, mut is_denied) = (None, false);
    for (file, line, note) in &signed.notes {
        let file = &signed.files[*file];
        let place = format!("{} rad {line}", file.name);
        let before = report.faults.len();
        verify_note(note, &keys, log, &place, report);
        match (file.is_own, report.faults.len() == before) {
            (false, true) => newest_witness = newest_witness.max(Some(note.checkpoint.size)),
            (false, false) => is_denied = true,
            (true, _) => {}
        }
    }
    verify_file(signed, now, report);
    verify_covered(signed, &rows, log, settings.every, now, report);
    verify_stamps(signed, &settings.stamp_roots, report);
    let n = log.links.len() as u64;
    match newest_witness {
        // The fault says it; an older one that holds is no comfort.
        _ if is_denied => {}
        Some(size) => report.note(format!(
            "Kontrollpunkten som har förvarats utanför omfattar {size} av {n} poster: databasen har inte rullats tillbaka förbi den."
        )),
        None if n > 0 => report.note(
            "Utan en kontrollpunkt som har förvarats någon annanstans kan det inte uteslutas att databasen och filerna bredvid har rullats tillbaka tillsammans: ange den med --witness FIL.",
        ),
        None => {}
    }
    let newest = signed.rows.iter().flat_map(|row| &row.value).map(|row| row.size).max();
    report.n_checkpoints = signed.rows.len() as u64;
    report.n_signed_entries = newest.unwrap_or(0);
    Ok(())
}

/// The rows of the keys; that one cannot be read is a fault.
pub(super) async fn key_rows(
    store: &Store,
    report: &mut Report,
) -> Result<Vec<KeyRow>, EvidenceError> {
    match store.keys().await {
        Ok(rows) => Ok(rows),
        Err(StoreError::Row { .. }) => {
            report.fault("nycklarna", "en nyckels rad går inte att läsa");
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

/// The keys with what each may sign: held against the entries by which the log took them in, and each
/// change against the key before it.
pub(super) fn keys_in_force(
    origin: &Origin,
    rows: &[KeyRow],
    taken: &BTreeMap<u64, KeyTaken>,
    acknowledged: &[String],
    report: &mut Report,
) -> Vec<Force> {
    let mut force: Vec<Force> = Vec::new();
    for row in rows {
        let place = format!("nyckel {}", row.id);
        let said = |row: &KeyRow| KeyTaken {
            key: row.id.clone(),
            public: hex::encode(row.public),
            previous: row.previous.clone(),
            signature: row.signature.map(hex::encode),
        };
        if taken.get(&row.log_seq) != Some(&said(row)) {
            report.fault(&place, "nyckeln är inte den som loggen säger togs i bruk");
        }
        let Ok(key) = PublicKey::new(origin, &row.public) else {
            report.fault(&place, "det är ingen nyckel");
            continue;
        };
        if key.id().to_string() != row.id {
            report.fault(&place, "nyckelns namn är inte dess eget");
        }
        match (force.last_mut(), &row.signature) {
            (None, _) => {}
            (Some(old), signature) => {
                old.until = row.log_seq;
                let text = key_change(origin, old.key.id(), &key);
                match signature {
                    Some(signature) if old.key.signed(text.as_bytes(), signature) => {}
                    Some(_) => {
                        report.fault(&place, "bytet är inte undertecknat av den förra nyckeln");
                    }
                    None if acknowledged.contains(&key.fingerprint()) => report.note(format!(
                        "Nyckel {} ersatte en som gått förlorad; det är bekräftat i inställningarna.",
                        row.id
                    )),
                    None => report.fault(&place, format!(
                        "bytet är inte undertecknat: den förra nyckeln gick förlorad, eller så har någon annan tagit en egen i bruk. Var det ni, så skriv in fingeravtrycket under acknowledged_keys i [evidence.checkpoint]: {}",
                        key.fingerprint()
                    )),
                }
            }
        }
        force.push(Force { key, from: row.log_seq, until: u64::MAX });
    }
    force
}

async fn verify_nodes(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let tree = &mut log.tree;
    if let Some(first) = tree.wrong.first() {
        let n = tree.wrong.len();
        report.fault(
            "trädet",
            format!("{n} delträd saknas eller stämmer inte med loggens poster, det första på plats {first}"),
        );
    }
    if !tree.is_torn {
        // What the daemon has added since belongs to entries that were not read.
        let more = store.tree_nodes(n_nodes(tree.growing.n()), 1).await?;
        let (entries, _) = store.log_head().await?;
        if !more.is_empty() && n_nodes(entries) == n_nodes(tree.growing.n()) {
            report.fault("trädet", "det har delträd för poster som inte finns");
        }
    }
    Ok(())
}

fn verify_row(
    signed: &Signed,
    row: &CheckpointRow,
    keys: &[Force],
    log: &LogRead,
    place: &str,
    report: &mut Report,
) {
    let Ok(note) = Note::parse(&row.note) else {
        report.fault(place, "kontrollpunkten går inte att läsa");
        return;
    };
    let said = note.checkpoint;
    if said.size != row.size
        || said.root != row.root
        || said.at.as_millisecond() != row.at.as_millisecond()
        || note.origin != signed.origin
        || !note.signatures.iter().any(|(id, _)| id.to_string() == row.key)
    {
        report.fault(place, "raden är inte den som undertecknades");
    }
    verify_note(&note, keys, log, place, report);
}

/// How the signature of a note on a log of `n` entries is not the log's own.
pub(super) fn signature_fault(note: &Note, keys: &[Force], n: u64) -> Option<&'static str> {
    let size = note.checkpoint.size;
    let publics: Vec<_> = keys.iter().map(|force| force.key.clone()).collect();
    let Some(key) = note.signer(&publics) else {
        return Some("underskriften är inte gjord med någon av loggens nycklar");
    };
    let in_force =
        keys.iter().any(|force| force.key == *key && (force.from..force.until).contains(&size));
    (!in_force && size <= n).then_some("nyckeln gällde inte när kontrollpunkten undertecknades")
}

/// The signature, and that the log is what was signed.
fn verify_note(note: &Note, keys: &[Force], log: &LogRead, place: &str, report: &mut Report) {
    let size = note.checkpoint.size;
    let n = log.links.last_key_value().map_or(0, |(seq, _)| *seq);
    if size > n {
        report.fault(
            place,
            format!("databasen har rullats tillbaka eller kortats: kontrollpunkten omfattar {size} poster, loggen har {n}"),
        );
    }
    if let Some(what) = signature_fault(note, keys, n) {
        report.fault(place, what);
    }
    match log.tree.roots.get(&size) {
        Some(Some(root)) if *root != note.checkpoint.root => report
            .fault(place, format!("loggens första {size} poster är inte de som undertecknades")),
        // What cannot be told because the log is torn is a fault there.
        Some(_) | None => {}
    }
}

/// That whatever ought to be signed by now is, and every key has signed what it was taken into use
/// for: where somebody took the checkpoints away with their file, nothing else is left to miss them.
fn verify_covered(
    signed: &Signed,
    keys: &[KeyRow],
    log: &LogRead,
    every: SignedDuration,
    now: Timestamp,
    report: &mut Report,
) {
    let within = every.saturating_add(NOTED_WITHIN);
    let is_old = |at: Timestamp| now.duration_since(at) > within;
    let rows = || signed.rows.iter().flat_map(|row| &row.value);
    let size = rows().map(|row| row.size).max().unwrap_or(0);
    if let Some((seq, link)) = log.links.range(size.saturating_add(1)..).next()
        && is_old(link.at)
    {
        report.fault(
            PLACE,
            format!(
                "loggen är inte undertecknad från och med post {seq}, som skrevs {}: starta Uppsikt så undertecknas den, men var den det redan så har kontrollpunkter tagits bort",
                link.at
            ),
        );
    }
    for key in keys.iter().filter(|key| is_old(key.made_at)) {
        if !rows().any(|row| row.key == key.id) {
            report.fault(
                format!("nyckel {}", key.id),
                format!(
                    "den togs i bruk {}, men inget som den har undertecknat finns kvar",
                    key.made_at
                ),
            );
        }
    }
}

/// That the file beside the database has every checkpoint.
fn verify_file(signed: &Signed, now: Timestamp, report: &mut Report) {
    let rows: Vec<_> = signed.rows.iter().flat_map(|row| &row.value).collect();
    for (at, file) in signed.files.iter().enumerate().filter(|(_, file)| file.is_own) {
        let has = |size: u64| {
            signed.notes.iter().any(|(of, _, note)| *of == at && note.checkpoint.size == size)
        };
        let lacking: Vec<_> = rows
            .iter()
            .filter(|row| !has(row.size) && now.duration_since(row.at) > NOTED_WITHIN)
            .collect();
        if let Some(first) = lacking.first() {
            report.fault(
                PLACE,
                format!(
                    "filen {} saknas eller har kortats: {} kontrollpunkter saknas, den första över {} poster",
                    file.name,
                    lacking.len(),
                    first.size
                ),
            );
        }
        // One that the file has and the database has not was taken away from it.
        for (of, line, note) in &signed.notes {
            let size = note.checkpoint.size;
            if *of == at && !rows.iter().any(|row| row.size == size) {
                report.fault(
                    format!("{} rad {line}", file.name),
                    format!("kontrollpunkten över {size} poster saknas i databasen"),
                );
            }
        }
    }
}

/// The time that a kept stamp states, where it holds: against a root that the settings name. One that
/// holds only against the certificate beside it in the database may be anybody's, who put both
/// there; where the settings name none at all, that is told.
pub(super) fn held_stamp(
    answer: &[u8],
    note: &str,
    beside: &str,
    roots: &[String],
    report: &mut Report,
) -> Result<Timestamp, String> {
    let held = |root: &str| timestamp::check(answer, note.as_bytes(), root).map(|found| found.at);
    if let Some(at) = roots.iter().find_map(|root| held(root).ok()) {
        return Ok(at);
    }
    let at = held(beside).map_err(|error| error.swedish())?;
    let print = timestamp::fingerprint(beside).unwrap_or_default();
    if roots.is_empty() {
        report.note(format!(
            "En tidsstämpel är prövad bara mot det rotcertifikat som ligger bredvid den i databasen, eftersom inställningarna inte anger något: jämför fingeravtrycket {print} med stämpeltjänstens."
        ));
        return Ok(at);
    }
    Err(format!(
        "stämpeln håller bara mot ett rotcertifikat som inte står i inställningarna, med fingeravtrycket {print}; är det en tidigare tjänsts, så skriv in det under earlier_stamp_roots i [evidence.checkpoint]"
    ))
}

/// That every stamp of which the audit log says that it was kept is there, as it was.
fn verify_told(signed: &Signed, report: &mut Report) {
    let rows = signed.stamps.iter().flat_map(|row| &row.value);
    let kept: BTreeMap<u64, String> =
        rows.filter_map(|row| Some((row.size, row.state.words()?))).collect();
    for (size, told) in &signed.told {
        let place = format!("tidsstämpel {size}");
        match kept.get(size) {
            Some(words) if words == told => {}
            Some(_) => report.fault(
                place,
                "den är inte den som granskningsloggen säger togs emot: tjänsten, svaret, tiden eller rotcertifikatet är ändrat",
            ),
            None => report.fault(
                place,
                format!("granskningsloggen säger att kontrollpunkten över {size} poster fick en tidsstämpel, men den saknas"),
            ),
        }
    }
}

fn verify_stamps(signed: &Signed, roots: &[String], report: &mut Report) {
    verify_told(signed, report);
    let mut n_wanted = 0_u64;
    for stamp in &signed.stamps {
        let place = format!("tidsstämpel {}", stamp.id);
        let Some(stamp) = &stamp.value else {
            report.fault(place, "raden går inte att läsa");
            continue;
        };
        match &stamp.state {
            StampState::Wanted { .. } => n_wanted += 1,
            StampState::Kept { answer, at, ca_pem, .. } => {
                let note = signed
                    .rows
                    .iter()
                    .flat_map(|row| &row.value)
                    .find(|row| row.size == stamp.size);
                let Some(row) = note else {
                    report.fault(place, "kontrollpunkten som stämplades saknas");
                    continue;
                };
                match held_stamp(answer, &row.note, ca_pem, roots, report) {
                    Ok(found) if found.as_millisecond() == at.as_millisecond() => {
                        report.n_stamps += 1;
                    }
                    Ok(_) => report.fault(place, "radens tid är inte den som stämpeln bär"),
                    Err(what) => report.fault(place, what),
                }
            }
        }
    }
    if n_wanted > 0 {
        report.note(format!("{n_wanted} kontrollpunkter väntar på tidsstämpel."));
    }
}
