//! Packages of evidence for others: the police, a court, an archive. Each export is an event on each
//! record; what may not be copied goes out as what is known about it alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use crate::domain::action::ActionState;
use crate::domain::custody::CustodyAct;
use crate::domain::evidence::CutOff;
use crate::domain::ids::{CaseId, EvidenceId};
use crate::domain::log::LogKind;
use crate::evidence::package::check::{PackageReport, check};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::rows::{AuditLine, EvidenceRow, EvidenceState, LogEntry};

use super::ServiceError;
use super::archive::{Tell, broken, line};
use super::case_sheet::{Told, case_sheet};
use super::custody;
use super::deliveries::{self, PackageForm};
use super::public_reports;
use super::secrecy::{marked_json, marks_beside};

/// Why a part of a record is not in a package, in Swedish.
pub(super) const fn withheld(cut: CutOff) -> &'static str {
    match cut {
        // Nothing is withheld for that; the sentence holds for whatever is.
        CutOff::Nothing | CutOff::Everything => {
            "Inlägget misstänks vara barnpornografibrott: innehållet får inte kopieras. Här finns bara uppgifterna om det."
        }
        CutOff::OwnPictures => {
            "En annan lydelse av inlägget misstänks vara barnpornografibrott: det som hängde på inlägget får inte kopieras."
        }
        CutOff::PagePictures => {
            "Bilden får inte kopieras: på samma sida står, eller kan stå, ett inlägg som misstänks vara barnpornografibrott."
        }
    }
}

/// The sealed records of a case, oldest first.
///
/// # Errors
/// [`ServiceError::Refused`] where there is no such case, or none of it is sealed.
pub async fn of_case(store: &Store, case: CaseId) -> Result<Vec<EvidenceId>, ServiceError> {
    let refused = |why: String| ServiceError::Refused { why };
    let row = store.case(case).await.map_err(|_| refused(format!("Ärende {case} finns inte.")))?;
    let mut ids = Vec::new();
    for version in store.versions_of(row.item).await? {
        if let Some(evidence) = store.evidence_of(version.id).await?
            && matches!(evidence.state, EvidenceState::Sealed { .. })
        {
            ids.push(evidence.id);
        }
    }
    if ids.is_empty() {
        return Err(refused(format!("Ärende {case} har inget säkrat bevis.")));
    }
    Ok(ids)
}

/// The same, each wording once: what was read again right before a removal says what another record says.
///
/// # Errors
/// As [`of_case`].
pub(super) async fn wordings_of_case(
    store: &Store,
    case: CaseId,
) -> Result<Vec<EvidenceId>, ServiceError> {
    let mut ids = Vec::new();
    for id in of_case(store, case).await? {
        if store.version(store.evidence(id).await?.version).await?.read_for.is_none() {
            ids.push(id);
        }
    }
    Ok(ids)
}

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
    form: &PackageForm,
) -> Result<(), ServiceError> {
    let noted = Some((clock, line(CustodyAct::Export.id(), String::new())));
    write(store, evidence, records, out, authority, form, noted).await
}

/// The same; an event on each record is noted with the clock's time, where one is given.
///
/// # Errors
/// As [`export`].
pub(super) async fn write(
    store: &Store,
    evidence: &EvidenceStore,
    records: &[EvidenceId],
    out: &Path,
    authority: &str,
    form: &PackageForm,
    noted: Option<(&Clock, AuditLine)>,
) -> Result<(), ServiceError> {
    let refused = |why: String| ServiceError::Refused { why };
    let (mut newest, mut newest_at) = (0, Timestamp::UNIX_EPOCH);
    let mut order = Vec::with_capacity(records.len());
    let mut ids = records.to_vec();
    ids.sort_unstable();
    ids.dedup();
    // Looked at first, so that nothing is begun that cannot be done.
    for id in &ids {
        let row =
            store.evidence(*id).await.map_err(|_| refused(format!("Bevis {id} finns inte.")))?;
        match row.state {
            EvidenceState::Sealed { log_seq, .. } => {
                newest = newest.max(log_seq);
                newest_at = newest_at.max(deliveries::newest(store, &row).await?);
                let of = store.case_of(row.item).await?.map(|case| case.id);
                if let Some(of) = of {
                    // What was decided and done is to be in what is signed as well.
                    let last = store.log_of_case(of).await?.last().map(|entry| entry.seq);
                    newest = newest.max(last.unwrap_or_default());
                }
                order.push((of, *id));
            }
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
    let is_archive = match form {
        PackageForm::Zip => false,
        PackageForm::Eark { .. } => {
            // Archives describe cases, so that records of one stand together.
            order.sort_unstable();
            true
        }
    };
    let form = form.of(out, authority, newest_at).await?;
    let begun = evidence.begin_package(out, authority, newest, form).await;
    let mut package = begun.map_err(broken)?;
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned());
    // Records of one case often follow one another.
    let mut sheet = (None, None);
    for (of, id) in order {
        let row = store.evidence(id).await?;
        // Before anything leaves, so that no copy is without its event.
        if let Some((clock, line)) = &noted {
            let subject = format!("evidence {id}");
            // What its receiver sees it called, where that is not the file's name.
            let detail = line.detail.clone().or_else(|| name.clone());
            let line = AuditLine { detail, subject, ..line.clone() };
            store.record_audit(line, clock.now()).await?;
        }
        let described = match is_archive {
            true => Some(deliveries::described(store, evidence, &row).await?),
            false => None,
        };
        let pictured = evidence.manifest(&row).await.is_ok_and(|manifest| manifest.holds_picture());
        let case =
            case_json(store, &row, (authority, package.size()), is_archive, pictured).await?;
        if let Some(of) = of.filter(|of| sheet.0 != Some(*of)) {
            sheet = (Some(of), case_sheet(store, evidence, authority, of, Told::Now).await?);
        }
        let shown = sheet.1.clone().filter(|_| of.is_some());
        package.add(&row, withheld, of, case, shown, described).await.map_err(|e| match e {
            EvidenceError::Blob(_) | EvidenceError::Manifest { .. } => ServiceError::Damaged {
                why: format!("Bevis {id} är inte helt: kör uppsikt evidence verify."),
            },
            error => broken(error),
        })?;
    }
    package.finish().await.map_err(broken)
}

/// What of a case is in the part of the log that is signed: the rest came while the package was written, and is told
/// of by none.
#[derive(Default)]
struct Signed {
    decided: BTreeSet<i64>,
    undone: BTreeSet<i64>,
    /// How each action ended, unless it was asked for again.
    ended: BTreeMap<i64, String>,
}

impl Signed {
    fn of(entries: Vec<LogEntry>, size: u64) -> Result<Self, ServiceError> {
        #[derive(serde::Deserialize)]
        struct Entry {
            record: Record,
        }
        #[derive(serde::Deserialize)]
        struct Record {
            decision: Option<i64>,
            action: Option<i64>,
            end: Option<String>,
        }
        let mut signed = Self::default();
        for entry in entries.into_iter().filter(|entry| entry.seq <= size) {
            let Entry { record } = serde_json::from_str(&entry.body)
                .map_err(|error| ServiceError::broken("export", error))?;
            match entry.kind {
                LogKind::Decision => signed.decided.extend(record.decision),
                LogKind::Undo => signed.undone.extend(record.decision),
                LogKind::Action => signed.ended.extend(record.action.zip(record.end)),
                LogKind::Retry => drop(record.action.and_then(|id| signed.ended.remove(&id))),
                _ => {}
            }
        }
        Ok(signed)
    }
}

/// What was decided and done about the item of a record. What happened around it goes with it, but not to an
/// archive: there the same records give the same bytes.
async fn case_json(
    store: &Store,
    row: &EvidenceRow,
    (authority, size): (&str, u64),
    is_archive: bool,
    pictured: bool,
) -> Result<Vec<u8>, ServiceError> {
    let Some(case) = store.case_of(row.item).await? else { return Ok(b"null\n".to_vec()) };
    // Read before the log, so that what has no entry there yet came after.
    let (known, done) = (store.decisions_on(case.id).await?, store.actions_on(case.id).await?);
    let signed = Signed::of(store.log_of_case(case.id).await?, size)?;
    let decisions: Vec<_> = known
        .into_iter()
        .filter(|d| signed.decided.contains(&d.id.0))
        .map(|d| {
            let undone_at = d.undone_at.filter(|_| signed.undone.contains(&d.id.0));
            serde_json::json!({
                "decision": d.id, "version": d.version, "by": d.by, "at": d.at, "choices": d.choices,
                "ground": d.ground.map(|g| g.label()), "note": d.note, "undone_at": undone_at,
            })
        })
        .collect();
    let actions: Vec<_> = done
        .into_iter()
        .filter(|a| signed.decided.contains(&a.decision.0))
        .map(|a| {
            let has_ended =
                a.state.is_settled() && !matches!(a.state, ActionState::Cancelled { .. });
            let state = match signed.ended.get(&a.id.0) {
                Some(end) if end != a.state.id() => serde_json::json!({ "state": end }),
                None if has_ended => serde_json::json!({ "state": "under_way" }),
                Some(_) | None => serde_json::json!(a.state),
            };
            serde_json::json!({
                "action": a.id, "decision": a.decision, "kind": a.kind, "version": a.version,
                "evidence": a.evidence, "state": state, "text": a.text,
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
    let reports = public_reports::for_package(store, case.id).await?;
    let custody = match is_archive {
        true => None,
        false => Some(custody::for_package(store, case.id).await?),
    };
    let mut all = serde_json::json!({
        "case": case.id, "decisions": decisions, "actions": actions, "history": history,
        "reports_from_the_public": reports, "custody": custody,
    });
    if let Some(all) = all.as_object_mut() {
        if let Some(mark) = store.secrecy_of(case.id).await?.mark {
            all.insert("secrecy".to_owned(), marked_json(&mark, authority));
        }
        let beside = marks_beside(store, row, pictured).await?;
        if !beside.is_empty() {
            let marks: Vec<_> = beside.iter().map(|mark| marked_json(mark, authority)).collect();
            all.insert("secrecy_beside".to_owned(), marks.into());
        }
    }
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
        let PackageReport { n_records, n_files, size, fingerprint, stamped_at, .. } = &self.0;
        let PackageReport { n_withheld, faults, .. } = &self.0;
        let mut lines = vec![format!(
            "{n_records} bevis, {n_files} filer; undertecknad logg av {size} poster."
        )];
        if *n_withheld > 0 {
            lines.push(format!(
                "{n_withheld} delar finns inte i paketet: paket.json säger varför för var och en."
            ));
        }
        match stamped_at {
            Some(at) => {
                lines.push(format!("Tidsstämplad {at}, prövad mot rotcertifikatet i paketet."))
            }
            None => {
                let is_bad = faults.iter().any(|fault| fault.place.ends_with("stampel.tsr"));
                let which =
                    if is_bad { "Ingen tidsstämpel som håller" } else { "Ingen tidsstämpel" };
                lines.push(format!("{which}: tiden är myndighetens egen uppgift."));
            }
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
            "withheld_parts": r.n_withheld,
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
