//! The evidence archive as a whole: listed, shown, verified. For the command line; people at the
//! page come through [`super::records`].

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::domain::checkpoint::PublicKey;
use crate::domain::custody::{CustodyAct, EVERY_RECORD};
use crate::domain::ids::{ContentHash, EvidenceId};
use crate::evidence::verify::{self, Options, Progress, Report};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::store::Store;
use crate::store::anchors::KeyRow;
use crate::store::rows::{AuditLine, EvidenceRow, EvidenceState};

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
    now: Timestamp,
) -> Result<String, ServiceError> {
    let row = store.evidence(id).await?;
    let manifest = match row.state {
        EvidenceState::Sealed { manifest, .. } => manifest,
        EvidenceState::Disposed { .. } => {
            return Err(ServiceError::Refused {
                why: format!("Innehållet i bevis {id} är gallrat."),
            });
        }
        EvidenceState::Wanted => {
            return Err(ServiceError::NotFound { what: "sealed evidence of that number" });
        }
    };
    // Before anything is shown, so that no showing is without its event.
    let printed = line(CustodyAct::PrintManifest.id(), format!("evidence {id}"));
    store.record_audit(printed, now).await?;
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

    /// In a few words, for the events around the records.
    pub fn in_short(&self) -> String {
        match self.0.faults.len() {
            0 => "allt stämmer".into(),
            1 => "ett fel".into(),
            n => format!("{n} fel"),
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        let Report { n_entries, n_sealed, n_disposed, n_wanted, n_parts, .. } = &self.0;
        let Report { head, root, n_checkpoints, n_signed_entries, n_stamps, .. } = &self.0;
        let Report { notes, faults, .. } = &self.0;
        let of = |n: &u64, one: &str, more: &str| match n {
            1 => format!("1 {one}"),
            n => format!("{n} {more}"),
        };
        let (files, entries) =
            (of(n_parts, "fil", "filer"), of(n_entries, "loggpost", "loggposter"));
        let mut text = format!(
            "{n_sealed} bevis förseglade, {n_disposed} gallrade, {n_wanted} väntar; {files} och {entries} omräknade."
        );
        let points =
            of(n_checkpoints, "undertecknad kontrollpunkt", "undertecknade kontrollpunkter");
        let signed = of(n_signed_entries, "post", "poster");
        let stamps = of(n_stamps, "tidsstämpel", "tidsstämplar");
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{points}, den senaste över {signed}; {stamps}.");
        if let Some(head) = head {
            let _ = write!(text, "\nKedjans slut: {n_entries} {head}");
        }
        if let Some(root) = root {
            let _ = write!(text, "\nTrädets topp: {n_entries} {root}");
        }
        for note in notes {
            let _ = write!(text, "\nAtt känna till: {note}");
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
        let r = &self.0;
        let faults: Vec<_> = r
            .faults
            .iter()
            .map(|fault| serde_json::json!({ "place": fault.place, "what": fault.what }))
            .collect();
        serde_json::json!({
            "whole": self.is_whole(), "log_entries": r.n_entries, "sealed": r.n_sealed,
            "disposed": r.n_disposed, "wanted": r.n_wanted, "parts": r.n_parts, "head": r.head,
            "tree_root": r.root, "checkpoints": r.n_checkpoints,
            "signed_entries": r.n_signed_entries, "stamps": r.n_stamps, "notes": r.notes,
            "faults": faults,
        })
        .to_string()
    }
}

/// Told how far verification has come: what is being read, and how much of it.
pub type Tell<'t> = &'t (dyn Fn(&'static str, u64) + Sync);

/// Verifies the whole archive, also against checkpoints that were kept elsewhere.
///
/// # Errors
/// [`ServiceError`] where the database cannot be read; faults are in the report.
pub async fn verify(
    store: &Store,
    evidence: &EvidenceStore,
    witnesses: Vec<PathBuf>,
    tell: Option<Tell<'_>>,
) -> Result<Verified, ServiceError> {
    let progress = |at: Progress| tell.iter().for_each(|tell| tell(at.what, at.n));
    let options = Options { witnesses, progress: Some(&progress) };
    let mut report = verify::verify(evidence, store, &options).await.map_err(broken)?;
    verify::verify_database(store, &mut report).await.map_err(broken)?;
    Ok(Verified(report))
}

/// Notes that records were verified, among the events around them: one record, or all. Where it cannot
/// be written the result stands all the same: a database that somebody damaged has to be verified, too.
pub async fn note_verified(
    store: &Store,
    id: Option<EvidenceId>,
    found: &Verified,
    by: AuditLine,
    now: Timestamp,
) {
    let subject = id.map_or(EVERY_RECORD.to_owned(), |id| format!("evidence {id}"));
    let detail = Some(found.in_short());
    let noted = AuditLine { act: CustodyAct::Verify.id(), subject, detail, ..by };
    if let Err(error) = store.record_audit(noted, now).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the verification could not be noted among the events");
    }
}

/// Verifies one record alone.
///
/// # Errors
/// [`ServiceError`] where the database cannot be read or has no such record.
pub async fn verify_one(
    store: &Store,
    evidence: &EvidenceStore,
    id: EvidenceId,
    witnesses: Vec<PathBuf>,
) -> Result<Verified, ServiceError> {
    Ok(Verified(verify::one::verify_one(evidence, store, id, &witnesses).await.map_err(broken)?))
}

/// The fingerprint of the key that signs the log, as far as one has been taken into use.
///
/// # Errors
/// [`ServiceError::Damaged`], with the mend, where it cannot sign.
pub async fn signing_key(evidence: &EvidenceStore) -> Result<Option<String>, ServiceError> {
    let signer = evidence.known_signer().await.map_err(broken)?;
    Ok(signer.map(|signer| signer.public().fingerprint()))
}

/// A key of the log, for people: its short name, since when, and its fingerprint.
///
/// # Errors
/// [`ServiceError`].
pub async fn keys(evidence: &EvidenceStore) -> Result<Vec<String>, ServiceError> {
    let origin = evidence.origin().await.map_err(broken)?;
    let keys = evidence.keys().await.map_err(broken)?;
    let newest = keys.len();
    let line = |(n, (row, key)): (usize, (KeyRow, PublicKey))| {
        let state = if n + 1 == newest { "gäller" } else { "utbytt" };
        let (made, seq) = (row.made_at, row.log_seq);
        let (print, note_key) = (key.fingerprint(), key.note_key(&origin));
        format!("{}\t{state}\t{made}\tlogg {seq}\n  fingeravtryck {print}\n  {note_key}", row.id)
    };
    Ok(keys.into_iter().enumerate().map(line).collect())
}

/// Takes a new signing key into use, and gives its short name. A human act: it is audited.
///
/// # Errors
/// [`ServiceError`].
pub async fn rotate_key(
    store: &Store,
    evidence: &EvidenceStore,
    now: Timestamp,
) -> Result<String, ServiceError> {
    let new = evidence.rotate_key().await.map_err(broken)?;
    let id = new.public().id().to_string();
    store.record_audit(line("evidence.rotate_key", format!("key {id}")), now).await?;
    Ok(id)
}

/// Takes a new signing key into use in place of a lost one, and gives its fingerprint. A human act:
/// it is audited, and verification asks for it to be acknowledged.
///
/// # Errors
/// [`ServiceError`].
pub async fn replace_key(
    store: &Store,
    evidence: &EvidenceStore,
    now: Timestamp,
) -> Result<String, ServiceError> {
    let new = evidence.replace_key().await.map_err(broken)?;
    let id = new.public().id().to_string();
    store.record_audit(line("evidence.replace_key", format!("key {id}")), now).await?;
    Ok(new.public().fingerprint())
}

/// A line of the audit log for what is done at the command line.
pub fn line(act: &'static str, subject: String) -> AuditLine {
    AuditLine {
        user: None,
        user_name: "kommandoraden".into(),
        act,
        subject,
        address: "lokalt".into(),
        detail: None,
    }
}

/// What failed below; where a person has to do something, what.
pub fn broken(error: EvidenceError) -> ServiceError {
    match error {
        EvidenceError::Rewritten { ref place, signed, entries } => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the log is not the one that was signed"
            );
            ServiceError::Damaged {
                why: format!(
                    "Loggen är inte den som undertecknades, så inget mer undertecknas: {place} omfattar {signed} poster, loggen har {entries}. Kör uppsikt evidence verify. Har ni själva lagt tillbaka databasen från en kopia, så flytta undan filerna med kontrollpunkter och kör uppsikt evidence keys replace."
                ),
            }
        }
        EvidenceError::KeyLost { id } => ServiceError::Damaged {
            why: format!(
                "Filen med nyckeln {id}, som undertecknar loggen, finns inte. Kontrollera att mappen är monterad. Är nyckeln förlorad, kör uppsikt evidence keys replace."
            ),
        },
        EvidenceError::Key { path, source } => {
            let named = path.display();
            tracing::error!(error = &source as &dyn std::error::Error, path = %named, "the signing key cannot be used");
            ServiceError::Damaged {
                why: format!(
                    "Filen {named}, med nyckeln som undertecknar loggen, går inte att använda ({source}), så inget mer undertecknas. Lägg tillbaka filen från en säkerhetskopia och se till att Uppsikt får läsa den. Är nyckeln förlorad, flytta undan filen och kör uppsikt evidence keys replace."
                ),
            }
        }
        EvidenceError::Blob(_)
        | EvidenceError::Store(_)
        | EvidenceError::Canonical(_)
        | EvidenceError::Manifest { .. }
        | EvidenceError::Heads { .. }
        | EvidenceError::Package { .. }
        | EvidenceError::HandedOut { .. }
        | EvidenceError::NotSealed(_)
        | EvidenceError::NotTaken { .. }
        | EvidenceError::BrokenOff => ServiceError::broken("reading of evidence", error),
    }
}
