//! Decisions, actions and registrations: each row against its leaf, each leaf against its row.

use std::collections::BTreeSet;

use crate::domain::ids::{ActionId, DecisionId, RegistrationId};
use crate::store::Store;
use crate::store::rows::{ActionFacts, DecisionFacts, RegistrationFacts};

use super::chain::LogRead;
use super::{PAGE, Report};
use crate::evidence::EvidenceError;

/// Verifies all three. The daemon may go on meanwhile: a row that disagrees is held once more
/// against a log that was read on, since row and leaf are one transaction.
pub(super) async fn verify(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    verify_decisions(store, log, report).await?;
    verify_actions(store, log, report).await?;
    verify_registrations(store, log, report).await
}

async fn verify_decisions(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let mut seen = BTreeSet::new();
    let mut after = DecisionId(i64::MIN);
    let mut again = true;
    loop {
        let rows = store.decision_facts(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        if again && rows.iter().any(|row| decision_fault(row, log).is_some()) {
            log.read_on(store, report).await?;
            again = false;
            continue;
        }
        again = true;
        after = last.id;
        for row in rows {
            if let Some(what) = decision_fault(&row, log) {
                report.fault(format!("beslut {}", row.id), what);
            }
            seen.insert(row.id.0);
        }
    }
    for (id, leaf) in log.decided.iter().filter(|(id, _)| !seen.contains(id)) {
        let what = format!("loggen (post {}) säger att det fattades, men raden saknas", leaf.seq);
        report.fault(format!("beslut {id}"), what);
    }
    Ok(())
}

fn decision_fault(row: &DecisionFacts, log: &LogRead) -> Option<String> {
    let Some(leaf) = log.decided.get(&row.id.0) else {
        return Some("raden finns, men loggen har ingen post om beslutet".into());
    };
    let said = &leaf.record;
    let mut differ = Vec::new();
    if said.case != row.case {
        differ.push("ärendet");
    }
    if said.version != row.version {
        differ.push("lydelsen");
    }
    if Some(said.user) != row.user {
        differ.push("vem som beslutade");
    }
    if leaf.at.as_millisecond() != row.at.as_millisecond() {
        differ.push("tiden");
    }
    if said.choices != row.choices {
        differ.push("valen");
    }
    if said.ground != row.ground {
        differ.push("grunden");
    }
    if said.words_sha256.is_some_and(|words| words != row.words) {
        differ.push("orden (svar, skäl eller anteckning)");
    }
    let undone = log.undone.get(&row.id.0).map(|at| at.as_millisecond());
    if undone != row.undone_at.map(|at| at.as_millisecond()) {
        differ.push("om och när det ångrades");
    }
    if !differ.is_empty() {
        let what = differ.join(", ");
        return Some(format!("raden stämmer inte med loggens post {}: {what}", leaf.seq));
    }
    (!row.actions_fit).then(|| "åtgärderna är inte de som beslutades".into())
}

async fn verify_actions(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let mut seen = BTreeSet::new();
    let mut after = ActionId(i64::MIN);
    let mut again = true;
    loop {
        let rows = store.action_facts(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        if again && rows.iter().any(|row| action_fault(row, log).is_some()) {
            log.read_on(store, report).await?;
            again = false;
            continue;
        }
        again = true;
        after = last.id;
        for row in rows {
            if let Some(what) = action_fault(&row, log) {
                report.fault(format!("åtgärd {}", row.id), what);
            }
            seen.insert(row.id.0);
        }
    }
    for (id, leaf) in log.ended.iter().filter(|(id, _)| !seen.contains(id)) {
        let what = format!("loggen (post {}) säger hur den slutade, men raden saknas", leaf.seq);
        report.fault(format!("åtgärd {id}"), what);
    }
    Ok(())
}

fn action_fault(row: &ActionFacts, log: &LogRead) -> Option<String> {
    let leaf = log.ended.get(&row.id.0);
    let ended = matches!(row.state.as_str(), "done" | "moot" | "failed");
    let Some(leaf) = leaf else {
        if ended {
            return Some(
                "raden säger att den är avslutad, men loggen har ingen post om det".into(),
            );
        }
        let undone = log.undone.contains_key(&row.decision);
        return (row.state == "cancelled" && !undone)
            .then(|| "raden säger att den ångrades, men loggen har ingen post om det".into());
    };
    let said = &leaf.record;
    let mut differ = Vec::new();
    if said.case != row.case {
        differ.push("ärendet");
    }
    if said.kind != row.kind {
        differ.push("slaget");
    }
    if said.end == row.state {
        if said.version != row.version {
            differ.push("lydelsen");
        }
        if said.evidence != row.evidence {
            differ.push("beviset");
        }
        if said.words_sha256.is_some_and(|words| words != row.words) {
            differ.push("texten eller plattformens svar");
        }
    } else if said.end != "failed" || ended {
        // Only a failure is taken up again, by a person.
        differ.push("hur den slutade");
    }
    (!differ.is_empty())
        .then(|| format!("raden stämmer inte med loggens post {}: {}", leaf.seq, differ.join(", ")))
}

async fn verify_registrations(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let mut seen = BTreeSet::new();
    let mut after = RegistrationId(i64::MIN);
    let mut again = true;
    loop {
        let rows = store.registration_facts(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        if again && rows.iter().any(|row| registration_fault(row, log).is_some()) {
            log.read_on(store, report).await?;
            again = false;
            continue;
        }
        again = true;
        after = last.id;
        for row in rows {
            if let Some(what) = registration_fault(&row, log) {
                report.fault(format!("registrering {}", row.id), what);
            }
            seen.insert(row.id.0);
        }
    }
    for (id, leaf) in log.entered.iter().filter(|(id, _)| !seen.contains(id)) {
        let what = format!("loggen (post {}) har dess diarienummer, men raden saknas", leaf.seq);
        report.fault(format!("registrering {id}"), what);
    }
    Ok(())
}

fn registration_fault(row: &RegistrationFacts, log: &LogRead) -> Option<String> {
    let own = log.entered.get(&row.id.0);
    let Some((number, at, user)) = &row.number else {
        return own.map(|leaf| format!("diarienumret i loggens post {} saknas i raden", leaf.seq));
    };
    // One entry of a number serves every package of a case that waits for one.
    let fits = log.entered.values().any(|leaf| {
        leaf.record.case == row.case
            && leaf.record.diary_number == *number
            && leaf.record.user == *user
            && leaf.at.as_millisecond() == at.as_millisecond()
    });
    let package = own.is_none_or(|leaf| leaf.record.package_sha256 == row.package_sha256);
    (!fits || !package).then(|| {
        "raden stämmer inte med loggen: diarienummer, paket, tid eller vem som lade in det".into()
    })
}
