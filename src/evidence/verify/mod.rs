//! Recompute everything: every link of the log, every manifest, every part; and hold the rows of the
//! database against what the log says of them.

mod chain;
pub(in crate::evidence) mod heads;
mod keeping;
mod lines;
pub mod one;
mod record;
mod rows;
mod ruled;
mod signing;
mod strays;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::domain::ids::{ContentHash, EvidenceId};
use crate::runtime::private;
use crate::store::Store;
use crate::store::anchors::TREE_FILLED;
use crate::store::error::StoreError;
use crate::store::rows::{Lines, Readable};

use super::{EvidenceError, EvidenceStore};
use chain::LogRead;
use tree::Signed;

/// How many rows are read at a time, so that memory stays level on a large archive.
const PAGE: u32 = 500;

/// What verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries of the log.
    pub n_entries: u64,
    /// Sealed records.
    pub n_sealed: u64,
    /// Records whose content was disposed of under a rule.
    pub n_disposed: u64,
    /// Records still to be taken.
    pub n_wanted: u64,
    /// Parts read and recomputed.
    pub n_parts: u64,
    /// The last link of the chain.
    pub head: Option<ContentHash>,
    /// The tree's head over the entries that were read.
    pub root: Option<ContentHash>,
    /// Signed checkpoints.
    pub n_checkpoints: u64,
    /// How many entries the newest of them holds.
    pub n_signed_entries: u64,
    /// Time stamps that hold.
    pub n_stamps: u64,
    /// By number of the protocol: how many records were disposed of under it, and by which decision.
    pub disposed_under: BTreeMap<i64, (u64, String)>,
    /// What is no fault and has to be known, in Swedish.
    pub notes: Vec<String>,
    /// Everything that does not add up. Empty means whole.
    pub faults: Vec<Fault>,
}

/// What stands in the audit log where the file of heads had lost its end.
pub(in crate::evidence) const HEADS_FILLED: &str = "evidence.heads_filled";

/// How far verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read, in Swedish.
    pub what: &'static str,
    /// How much of it.
    pub n: u64,
}

/// How to verify.
#[derive(Default)]
pub struct Options<'o> {
    /// Files of checkpoints that were kept elsewhere.
    pub witnesses: Vec<PathBuf>,
    /// Told now and then.
    pub progress: Option<&'o (dyn Fn(Progress) + Sync)>,
}

/// One thing that does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which record or entry: `bevis 17`, `logg 203`.
    pub place: String,
    /// What is wrong, in Swedish.
    pub what: String,
}

impl Report {
    fn fault(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.faults.push(Fault { place: place.into(), what: what.into() });
    }

    /// A row that cannot be read ends the part that it stands in, not the rest.
    fn unless_unreadable(
        &mut self,
        done: Result<(), EvidenceError>,
        part: &str,
    ) -> Result<(), EvidenceError> {
        match done {
            Err(EvidenceError::Store(error @ StoreError::Row { .. })) => {
                let what = format!(
                    "en rad går inte att läsa ({error}), så resten av den delen är inte kontrollerad"
                );
                self.fault(part, what);
                Ok(())
            }
            done => done,
        }
    }

    fn disposed_under(&mut self, protocol: i64, decision: &str) {
        let under = self.disposed_under.entry(protocol);
        under.or_insert_with(|| (0, decision.to_owned())).0 += 1;
    }

    fn tell_of_disposals(&mut self) {
        for (protocol, (n, decision)) in &self.disposed_under {
            let records = if *n == 1 { "ett bevis" } else { &format!("{n} bevis") };
            self.notes.push(format!(
                "Innehållet i {records} är gallrat enligt protokoll {protocol} (beslut: {decision})."
            ));
        }
    }

    /// Once, however often it is found.
    fn note(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.notes.contains(&what) {
            self.notes.push(what);
        }
    }
}

/// Adds what is wrong with the database itself: pages and indexes that contradict one another, tables and triggers
/// that are not ours. Reads all of it.
///
/// # Errors
/// Where it cannot be read.
pub async fn verify_database(store: &Store, report: &mut Report) -> Result<(), EvidenceError> {
    for what in store.damage().await? {
        report.fault("databasen", what);
    }
    Ok(())
}

/// Verifies the whole archive. Faults are found, named and counted, never a reason to stop.
///
/// The daemon may go on sealing meanwhile: what is held against the log is always read before the
/// log, or the log is read on first.
///
/// # Errors
/// Only where the database itself cannot be read.
pub async fn verify(
    evidence: &EvidenceStore,
    store: &Store,
    options: &Options<'_>,
) -> Result<Report, EvidenceError> {
    let tell = |what, n| options.progress.iter().for_each(|tell| tell(Progress { what, n }));
    let mut report = Report::default();
    let heads = private::read_text(evidence.heads_file());
    let mut noted = Vec::new();
    for lines in [Lines::Audit, Lines::History] {
        match store.lines_held(lines).await {
            Ok(held) => noted.push((lines, Some(held))),
            Err(StoreError::Row { .. }) => noted.push((lines, None)),
            Err(error) => return Err(error.into()),
        }
    }
    let mut signed = Signed::read(evidence, store, &options.witnesses).await?;
    let mut log = LogRead::new(signed.sizes(&mut report));
    log.read_on(store, &mut report).await?;
    tell("loggposter", report.n_entries);
    // A clock that is behind would make everything look as if it was made a moment ago.
    let newest = match store.log_head().await? {
        (0, _) => None,
        (seq, _) => Some(store.log_entry(seq).await?.at),
    };
    let mut now = evidence.clock.now();
    if let Some(newest) = newest.filter(|newest| *newest > now) {
        report.note("Datorns klocka går efter loggens sista post. Ställ klockan rätt och kontrollera igen: det som borde vara noterat och undertecknat prövas mot postens tid så länge.");
        now = newest;
    }
    tree::verify(&signed, store, &mut log, &evidence.checkpoints, now, &mut report).await?;
    heads::verify(heads, &log, now, &mut report);
    signing::verify(evidence, &mut report).await?;
    let mut seen = BTreeSet::new();
    let mut after = EvidenceId(i64::MIN);
    loop {
        let rows = store.evidence_to_verify(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = EvidenceId(last.id);
        let mut files = Vec::new();
        for Readable { id, value } in rows {
            seen.insert(id);
            match value {
                Some(row) => {
                    files.extend(record::verify_row(store, row, &mut log, &mut report).await?);
                }
                None => report.fault(format!("bevis {id}"), "posten går inte att läsa"),
            }
        }
        record::verify_files(evidence, files, &mut report).await?;
        tell("bevis", report.n_sealed);
    }
    let unseen: Vec<_> = log.sealings.keys().copied().filter(|id| !seen.contains(id)).collect();
    for id in unseen {
        match store.evidence(EvidenceId(id)).await {
            // Came while we were reading.
            Ok(row) => {
                let files = record::verify_row(store, row, &mut log, &mut report).await?;
                record::verify_files(evidence, files.into_iter().collect(), &mut report).await?;
            }
            Err(StoreError::NotFound { .. }) => {
                let seq = log.sealings.get(&id).map_or(0, |sealing| sealing.seq);
                let what =
                    format!("loggen (post {seq}) säger att det förseglades, men posten saknas");
                report.fault(format!("bevis {id}"), what);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let done = rows::verify(store, &mut log, &mut report).await;
    report.unless_unreadable(done, "beslut, åtgärder och registreringar")?;
    let done = keeping::verify(evidence, store, &mut log, &mut report).await;
    report.unless_unreadable(done, "undantag, sekretess och gallring")?;
    let done = strays::verify(evidence, store, &mut report).await;
    report.unless_unreadable(done, "filer som inget bevis vilar på")?;
    let done = ruled::verify(evidence, store, &mut log, &mut report).await;
    report.unless_unreadable(done, "polisanmälningar, utlämnanden och arkivkörningar")?;
    report.tell_of_disposals();
    let done = lines::verify(store, noted, &log, &mut report).await;
    report.unless_unreadable(done, "granskningsloggen och ärendenas historik")?;
    if let n @ 1.. = store.missing_releases().await? {
        let what = format!("{n} som granskningsloggen säger kom in har tagits bort ur databasen");
        report.fault("begäranden om allmänna handlingar", what);
    }
    if let n @ 1.. = store.audit_count(HEADS_FILLED).await? {
        report.note(format!(
            "heads.txt har {n} gånger saknat äldre poster på slutet och fyllts på: granskningsloggen ({HEADS_FILLED}) säger när. Har disken inte krånglat då kan någon ha kortat filen."
        ));
    }
    if let n @ 1.. = store.audit_count(TREE_FILLED).await? {
        report.note(format!(
            "Loggens träd har {n} gånger saknat delträd när databasen öppnades. De räknades om ur loggens poster: granskningsloggen ({TREE_FILLED}) säger när. Så är det efter en uppgradering från en version utan träd; annars kan någon ha tagit bort dem."
        ));
    }
    report.head = (report.n_entries > 0).then_some(log.chain);
    report.root = log.tree.head().map(|(_, root)| root);
    Ok(report)
}

fn in_swedish(error: &EvidenceError) -> String {
    use crate::evidence::blob::BlobError;
    match error {
        EvidenceError::Blob(BlobError::Missing { hash }) => format!("filen {hash} saknas"),
        EvidenceError::Blob(BlobError::Changed { hash, .. }) => format!("filen {hash} har ändrats"),
        EvidenceError::Blob(BlobError::Io { path, .. }) => {
            format!("filen {} går inte att läsa", path.display())
        }
        EvidenceError::Manifest { hash, .. } => format!("manifestet {hash} går inte att tolka"),
        EvidenceError::Store(_)
        | EvidenceError::Canonical(_)
        | EvidenceError::Heads { .. }
        | EvidenceError::Key { .. }
        | EvidenceError::Package { .. }
        | EvidenceError::HandedOut { .. }
        | EvidenceError::NotSealed(_)
        | EvidenceError::NotTaken { .. }
        | EvidenceError::Rewritten { .. }
        | EvidenceError::KeyLost { .. }
        | EvidenceError::BrokenOff => error.to_string(),
    }
}
