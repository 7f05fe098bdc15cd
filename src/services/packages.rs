//! Packages of evidence for others: the police, a court, an archive. Each export is an event on each
//! record; what may not be copied goes out as what is known about it alone.

use std::path::Path;

use crate::domain::custody::CustodyAct;
use crate::domain::ids::EvidenceId;
use crate::evidence::package::check::{PackageReport, check};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::rows::{AuditLine, EvidenceRow, EvidenceState};

use super::ServiceError;
use super::archive::{Tell, broken, line};
use super::custody;

/// Why parts of a record are not in a package, in Swedish.
const WITHHELD: &str = "Inlägget misstänks vara barnpornografibrott: innehållet får inte kopieras. Här finns bara uppgifterna om det.";

/// Writes a package of these records to `out`, where nothing is yet.
///
/// # Errors
/// [`ServiceError::Refused`] where a record is not sealed, is named twice, or the file is there
/// already; [`ServiceError::Damaged`] where a record is not whole any more.
pub async fn export(
    store: &Store,
    evidence: &EvidenceStore,
    records: &[EvidenceId],
    out: &Path,
    authority: &str,
    clock: &Clock,
) -> Result<(), ServiceError> {
    let refused = |why: String| ServiceError::Refused { why };
    let mut newest = 0;
    let mut ids = records.to_vec();
    ids.sort_unstable();
    ids.dedup();
    // Looked at first, so that nothing is begun that cannot be done.
    for id in &ids {
        let row =
            store.evidence(*id).await.map_err(|_| refused(format!("Bevis {id} finns inte.")))?;
        match row.state {
            EvidenceState::Sealed { log_seq, .. } => newest = newest.max(log_seq),
            EvidenceState::Wanted => {
                return Err(refused(format!("Bevis {id} är inte säkrat än.")));
            }
            EvidenceState::Disposed { .. } => {
                let under = store.disposal_of(*id).await?;
                let under =
                    under.map_or(String::new(), |row| format!(" enligt protokoll {}", row.id));
                return Err(refused(format!("Innehållet i bevis {id} är gallrat{under}.")));
            }
        }
    }
    if ids.is_empty() {
        return Err(refused("Ange minst ett bevis.".into()));
    }
    if out.exists() {
        return Err(refused(format!("{} finns redan: välj ett annat namn.", out.display())));
    }
    let mut package = evidence.begin_package(out, authority, newest).await.map_err(broken)?;
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned());
    for id in ids {
        let row = store.evidence(id).await?;
        // Before anything leaves, so that no copy is without its event.
        let line = AuditLine {
            detail: name.clone(),
            ..line(CustodyAct::Export.id(), format!("evidence {id}"))
        };
        store.record_audit(line, clock.now()).await?;
        let barred = store.item(row.item).await?.no_copy;
        let case = case_json(store, &row).await?;
        package.add(&row, barred.then(|| WITHHELD.to_owned()), case).await.map_err(
            |e| match e {
                EvidenceError::Blob(_) | EvidenceError::Manifest { .. } => ServiceError::Damaged {
                    why: format!("Bevis {id} är inte helt: kör uppsikt evidence verify."),
                },
                error => broken(error),
            },
        )?;
    }
    package.finish().await.map_err(broken)
}

/// What was decided and done about the item of a record.
async fn case_json(store: &Store, row: &EvidenceRow) -> Result<Vec<u8>, ServiceError> {
    let Some(case) = store.case_of(row.item).await? else { return Ok(b"null\n".to_vec()) };
    let decisions: Vec<_> = store
        .decisions_on(case.id)
        .await?
        .into_iter()
        .map(|d| {
            serde_json::json!({
                "decision": d.id, "version": d.version, "by": d.by, "at": d.at, "choices": d.choices,
                "ground": d.ground.map(|g| g.label()), "note": d.note, "undone_at": d.undone_at,
            })
        })
        .collect();
    let actions: Vec<_> = store
        .actions_on(case.id)
        .await?
        .into_iter()
        .map(|a| {
            serde_json::json!({
                "action": a.id, "decision": a.decision, "kind": a.kind, "version": a.version,
                "evidence": a.evidence, "state": a.state, "text": a.text,
            })
        })
        .collect();
    let history: Vec<_> = store
        .case_history(case.id)
        .await?
        .into_iter()
        .map(
            |e| serde_json::json!({ "at": e.at, "by": e.user, "what": e.what, "detail": e.detail }),
        )
        .collect();
    let all = serde_json::json!({
        "case": case.id, "decisions": decisions, "actions": actions, "history": history,
        "custody": custody::for_package(store, case.id).await?,
    });
    let mut bytes =
        serde_json::to_vec_pretty(&all).map_err(|e| ServiceError::broken("export", e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// What verification of a package found.
#[derive(Clone, Debug)]
pub struct VerifiedPackage(PackageReport);

impl VerifiedPackage {
    /// Nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.0.faults.is_empty()
    }

    /// For people.
    pub fn words(&self) -> String {
        let PackageReport { n_records, n_files, size, fingerprint, stamped_at, faults } = &self.0;
        let mut lines = vec![format!(
            "{n_records} bevis, {n_files} filer; undertecknad logg av {size} poster."
        )];
        match stamped_at {
            Some(at) => {
                lines.push(format!("Tidsstämplad {at}, prövad mot rotcertifikatet i paketet."))
            }
            None => lines
                .push("Ingen tidsstämpel som håller: tiden är myndighetens egen uppgift.".into()),
        }
        if let Some(print) = fingerprint {
            lines.push(format!("Nyckelns fingeravtryck, att jämföra med det som myndigheten har publicerat: {print}"));
        }
        if faults.is_empty() {
            lines.push("Allt stämmer.".into());
        } else {
            lines.push(format!("{} fel:", faults.len()));
            lines.extend(faults.iter().map(|fault| format!("  {}: {}", fault.place, fault.what)));
        }
        lines.join("\n")
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
            "whole": self.is_whole(), "records": r.n_records, "files": r.n_files,
            "log_entries": r.size, "key_fingerprint": r.fingerprint, "stamped_at": r.stamped_at,
            "faults": faults,
        })
        .to_string()
    }
}

/// Verifies a package. Needs neither database nor settings.
///
/// # Errors
/// [`ServiceError`] where the file cannot be read.
pub fn verify(path: &Path, tell: Tell<'_>) -> Result<VerifiedPackage, ServiceError> {
    let every = |n: u64| {
        if n.is_multiple_of(1000) {
            tell("filer", n);
        }
    };
    Ok(VerifiedPackage(check(path, &every).map_err(|e| ServiceError::broken("reading", e))?))
}
