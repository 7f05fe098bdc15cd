//! Recompute everything: every link of the log, every manifest, every part; and hold the rows of the
//! database against what the log says of them.

mod chain;
pub(super) mod heads;
mod lines;
mod record;
mod rows;

use std::collections::BTreeSet;

use crate::domain::ids::{ContentHash, EvidenceId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{Lines, Readable};

use super::{EvidenceError, EvidenceStore};
use chain::LogRead;

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
    /// Everything that does not add up. Empty means whole.
    pub faults: Vec<Fault>,
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
}

/// Verifies the whole archive. Faults are found, named and counted, never a reason to stop.
///
/// The daemon may go on sealing meanwhile: what is held against the log is always read before the
/// log, or the log is read on first.
///
/// # Errors
/// Only where the database itself cannot be read.
pub async fn verify(evidence: &EvidenceStore, store: &Store) -> Result<Report, EvidenceError> {
    let mut report = Report::default();
    let heads = std::fs::read_to_string(evidence.heads_file());
    let mut noted = Vec::new();
    for lines in [Lines::Audit, Lines::History] {
        match store.lines_held(lines).await {
            Ok(held) => noted.push((lines, Some(held))),
            Err(StoreError::Row { .. }) => noted.push((lines, None)),
            Err(error) => return Err(error.into()),
        }
    }
    let mut log = LogRead::new();
    log.read_on(store, &mut report).await?;
    heads::verify(heads, &log, evidence.clock.now(), &mut report);
    let mut seen = BTreeSet::new();
    let mut after = EvidenceId(i64::MIN);
    loop {
        let rows = store.evidence_to_verify(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = EvidenceId(last.id);
        for Readable { id, value } in rows {
            seen.insert(id);
            match value {
                Some(row) => {
                    record::verify_row(evidence, store, row, &mut log, &mut report).await?;
                }
                None => report.fault(format!("bevis {id}"), "posten går inte att läsa"),
            }
        }
    }
    let unseen: Vec<_> = log.sealings.keys().copied().filter(|id| !seen.contains(id)).collect();
    for id in unseen {
        match store.evidence(EvidenceId(id)).await {
            // Came while we were reading.
            Ok(row) => record::verify_row(evidence, store, row, &mut log, &mut report).await?,
            Err(StoreError::NotFound { .. }) => {
                let seq = log.sealings.get(&id).map_or(0, |sealing| sealing.seq);
                let what =
                    format!("loggen (post {seq}) säger att det förseglades, men posten saknas");
                report.fault(format!("bevis {id}"), what);
            }
            Err(error) => return Err(error.into()),
        }
    }
    rows::verify(store, &mut log, &mut report).await?;
    lines::verify(store, noted, &log, &mut report).await?;
    report.head = (report.n_entries > 0).then_some(log.chain);
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
        | EvidenceError::NotSealed(_)
        | EvidenceError::NotTaken { .. }
        | EvidenceError::BrokenOff => error.to_string(),
    }
}
