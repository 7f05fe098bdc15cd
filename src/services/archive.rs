//! The evidence archive as a whole: listed, shown, verified. For the command line; people at the
//! page come through [`super::records`].

use std::fmt::Write as _;

use crate::domain::ids::{ContentHash, EvidenceId};
use crate::evidence::verify::{self, Report};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::store::Store;
use crate::store::rows::{EvidenceRow, EvidenceState};

use super::ServiceError;

/// How many records are read at a time.
const PAGE: u32 = 500;

/// One record of the list.
#[derive(Clone, Debug)]
pub struct Record(EvidenceRow);

impl Record {
    fn state(&self) -> (&'static str, Option<(ContentHash, u64, jiff::Timestamp)>) {
        match self.0.state {
            EvidenceState::Wanted => ("väntar", None),
            EvidenceState::Sealed { manifest, log_seq, at } => {
                ("förseglat", Some((manifest, log_seq, at)))
            }
            EvidenceState::Disposed { manifest, log_seq, at } => {
                ("gallrat", Some((manifest, log_seq, at)))
            }
        }
    }

    /// For people: number, state, time, place in the log, hash.
    pub fn line(&self) -> String {
        match self.state() {
            (state, Some((manifest, seq, at))) => {
                format!("{}\t{state}\t{at}\tlogg {seq}\t{manifest}", self.0.id)
            }
            (state, None) => {
                let problem = self.0.problem.as_deref().unwrap_or("");
                format!("{}\t{state}\t{problem}", self.0.id)
            }
        }
    }

    /// For programs.
    pub fn json(&self) -> String {
        let (state, seal) = self.state();
        serde_json::json!({
            "evidence": self.0.id, "item": self.0.item, "version": self.0.version, "state": state,
            "manifest_sha256": seal.map(|s| s.0), "log_seq": seal.map(|s| s.1),
            "sealed_at": seal.map(|s| s.2), "attempts": self.0.attempts, "problem": self.0.problem,
        })
        .to_string()
    }
}

/// Hands every record to `each`, in order.
///
/// # Errors
/// [`ServiceError`] where the store cannot be read.
pub async fn list(store: &Store, mut each: impl FnMut(Record)) -> Result<(), ServiceError> {
    let mut after = EvidenceId(0);
    loop {
        let rows = store.evidence_after(after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        rows.into_iter().map(Record).for_each(&mut each);
    }
}

/// The manifest's very bytes as text.
///
/// # Errors
/// [`ServiceError`] where it is not sealed or fails its check.
pub async fn manifest_text(
    store: &Store,
    evidence: &EvidenceStore,
    id: EvidenceId,
) -> Result<String, ServiceError> {
    let row = store.evidence(id).await?;
    let (EvidenceState::Sealed { manifest, .. } | EvidenceState::Disposed { manifest, .. }) =
        row.state
    else {
        return Err(ServiceError::NotFound { what: "sealed evidence of that number" });
    };
    let bytes = evidence.bytes(manifest).await.map_err(broken)?;
    String::from_utf8(bytes).map_err(|e| ServiceError::broken("reading of evidence", e))
}

/// What verification found.
#[derive(Clone, Debug)]
pub struct Verified(Report);

impl Verified {
    /// Nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.0.faults.is_empty()
    }

    /// For people.
    pub fn words(&self) -> String {
        let Report { n_entries, n_sealed, n_disposed, n_wanted, n_parts, head, faults } = &self.0;
        let mut text = format!(
            "{n_sealed} bevis förseglade, {n_disposed} gallrade, {n_wanted} väntar; {n_parts} filer och {n_entries} loggposter omräknade."
        );
        if let Some(head) = head {
            // Writing to a string cannot fail.
            let _ = write!(text, "\nKedjans slut: {n_entries} {head}");
        }
        if faults.is_empty() {
            text.push_str("\nAllt stämmer.");
        } else {
            let _ = write!(text, "\n{} fel:", faults.len());
            for fault in faults {
                let _ = write!(text, "\n  {}: {}", fault.place, fault.what);
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        let Report { n_entries, n_sealed, n_disposed, n_wanted, n_parts, head, faults } = &self.0;
        let faults: Vec<_> = faults
            .iter()
            .map(|fault| serde_json::json!({ "place": fault.place, "what": fault.what }))
            .collect();
        serde_json::json!({
            "whole": self.is_whole(), "log_entries": n_entries, "sealed": n_sealed,
            "disposed": n_disposed, "wanted": n_wanted, "parts": n_parts, "head": head,
            "faults": faults,
        })
        .to_string()
    }
}

/// Verifies the whole archive.
///
/// # Errors
/// [`ServiceError`] where the database cannot be read; faults are in the report.
pub async fn verify(store: &Store, evidence: &EvidenceStore) -> Result<Verified, ServiceError> {
    Ok(Verified(verify::verify(evidence, store).await.map_err(broken)?))
}

fn broken(error: EvidenceError) -> ServiceError {
    ServiceError::broken("reading of evidence", error)
}
