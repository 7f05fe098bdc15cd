//! Decisions, actions, registrations and suspicions: each row against its leaf, each leaf against its row.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::action::ActionKind;
use crate::domain::ids::{ActionId, DecisionId, RegistrationId};
use crate::store::Store;
use crate::store::facts::{ActionFacts, DecisionFacts, RegistrationFacts};
use crate::store::rows::{BarFacts, Readable};
use crate::store::sqlite::lifts::LiftFacts;

use super::chain::{Leaf, Lifted, LogRead};
use super::{PAGE, Report};
use crate::evidence::EvidenceError;

/// Verifies them all. The daemon may go on meanwhile: a row that disagrees is held once more
/// against a log that was read on, since row and leaf are one transaction.
pub(super) async fn verify(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    kind::<DecisionFacts>(store, log, report).await?;
    kind::<ActionFacts>(store, log, report).await?;
    kind::<RegistrationFacts>(store, log, report).await?;
    kind::<BarFacts>(store, log, report).await?;
    lifts(store, log, report).await?;
    for item in store.wrongly_current(PAGE).await? {
        let what = "lydelsen som gäller är inte inläggets egen, eller inte den nyaste";
        report.fault(format!("inlägg {item}"), what);
    }
    for item in store.marks_without_suspicion().await? {
        let what = "det är spärrat mot kopiering, men ingen misstanke står antecknad";
        report.fault(format!("inlägg {item}"), what);
    }
    Ok(())
}

/// A kind of row that has leaves of its own in the log.
pub(super) trait Logged: Sized {
    /// What a report calls it, before its number.
    const NAME: &'static str;
    /// What its leaf says about it.
    const LEAF_SAYS: &'static str;

    /// The next rows by number.
    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError>;

    /// How the row disagrees with the log.
    fn fault(&self, log: &LogRead) -> Option<String>;

    /// Every leaf of this kind: the number of its row and its own place.
    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)>;
}

/// Verifies all rows of a kind, and that none is missing.
pub(super) async fn kind<R: Logged>(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let mut seen = BTreeSet::new();
    let mut after = i64::MIN;
    let mut again = true;
    loop {
        let rows = R::page(store, after).await?;
        let Some(last) = rows.last() else { break };
        if again && rows.iter().flat_map(|row| &row.value).any(|row| row.fault(log).is_some()) {
            log.read_on(store, report).await?;
            again = false;
            continue;
        }
        again = true;
        after = last.id;
        for Readable { id, value } in rows {
            let what = match value {
                Some(row) => row.fault(log),
                None => Some("raden går inte att läsa".to_owned()),
            };
            if let Some(what) = what {
                report.fault(format!("{} {id}", R::NAME), what);
            }
            seen.insert(id);
        }
    }
    for (id, seq) in R::leaves(log).filter(|(id, _)| !seen.contains(id)) {
        let what = format!("loggen (post {seq}) {}, men raden saknas", R::LEAF_SAYS);
        report.fault(format!("{} {id}", R::NAME), what);
    }
    Ok(())
}

impl Logged for DecisionFacts {
    const NAME: &'static str = "beslut";
    const LEAF_SAYS: &'static str = "säger att det fattades";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.decision_facts(DecisionId(after), PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        decision_fault(self, log)
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.decided.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
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
    if said.policy_sha256.is_some_and(|policy| row.policy != Some(policy)) {
        differ.push("vilken riktlinje det fattades under");
    }
    if let Some(terms) = &said.terms {
        if terms.undo_until != row.undo_until {
            differ.push("hur länge det gick att ångra");
        }
        if Some(terms.due_at) != row.due_at {
            differ.push("fristen");
        }
        if terms.bulk != row.bulk {
            differ.push("om det fattades tillsammans med andra");
        }
        if terms.by_hand != row.by_hand {
            differ.push("vad som görs för hand");
        }
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

impl Logged for ActionFacts {
    const NAME: &'static str = "åtgärd";
    const LEAF_SAYS: &'static str = "säger hur den slutade";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.action_facts(ActionId(after), PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        action_fault(self, log)
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.ended.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

fn action_fault(row: &ActionFacts, log: &LogRead) -> Option<String> {
    if !row.is_of_its_item {
        return Some(
            "inlägget är inte det som ärendet och lydelsen gäller, eller ärendet är inte beslutets"
                .into(),
        );
    }
    if !row.is_by_its_name {
        return Some("nyckeln är inte den som beslutet och slaget ger".into());
    }
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
    // Entries from before words were hashed say nothing of another try.
    let is_retried = said.words_sha256.is_none()
        || log.retried.get(&row.id.0).is_some_and(|again| *again > leaf.seq);
    let mut differ = Vec::new();
    if said.case != row.case {
        differ.push("ärendet");
    }
    if said.kind != row.kind {
        differ.push("slaget");
    }
    // One that awaits its number has no entry of its own in the log: this is the one that says there was one.
    if said.end == "done" && row.kind == ActionKind::Register.id() && !row.registered {
        return Some(format!(
            "loggens post {} säger att det diariefördes, men raden i diariet saknas",
            leaf.seq
        ));
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
    } else if said.end != "failed" || ended || row.state == "cancelled" || !is_retried {
        // Only a failure is taken up again, by a person, and that is on the log. What is not any
        // more on its way cannot be undone.
        differ.push("hur den slutade");
    }
    (!differ.is_empty())
        .then(|| format!("raden stämmer inte med loggens post {}: {}", leaf.seq, differ.join(", ")))
}

impl Logged for RegistrationFacts {
    const NAME: &'static str = "registrering";
    const LEAF_SAYS: &'static str = "har dess diarienummer";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.registration_facts(RegistrationId(after), PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        registration_fault(self, log)
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.entered.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

fn registration_fault(row: &RegistrationFacts, log: &LogRead) -> Option<String> {
    if !row.is_of_its_action {
        return Some("åtgärden som den hör till är ingen registrering av ärendet".into());
    }
    if let Some(leaf) = log.ended.get(&row.action) {
        let handed = leaf.record.package.as_ref();
        if handed.is_some_and(|said| said.sha256 != row.package_sha256 || said.name != row.package)
        {
            return Some(format!(
                "raden stämmer inte med loggens post {}: paketet som lämnades till diariet",
                leaf.seq
            ));
        }
    }
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

impl Logged for BarFacts {
    const NAME: &'static str = "spärr";
    const LEAF_SAYS: &'static str = "säger att ett inlägg spärrades mot kopiering";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.bar_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        bar_fault(self, log)
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.barred.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

fn bar_fault(row: &BarFacts, log: &LogRead) -> Option<String> {
    if !row.ended && !row.no_copy {
        return Some("inlägget bär inte längre märket som spärrar kopiering".into());
    }
    // A bar from before such were noted may have been lifted by any.
    let lift = log.lifted.get(&row.item).into_iter().flatten();
    let lift = lift.map(|leaf| leaf.seq).find(|seq| row.log_seq.is_none_or(|bar| bar < *seq));
    match (row.ended, lift) {
        (true, None) => return Some("spärren är hävd, men loggen har ingen post om det".into()),
        (false, Some(seq)) if row.log_seq.is_some() => {
            return Some(format!("spärren hävdes enligt loggens post {seq}, men raden står kvar"));
        }
        (true, Some(_)) | (false, _) => {}
    }
    let Some(leaf) = log.barred.get(&row.id) else {
        // Before suspicions were noted there was no entry of them.
        return row
            .log_seq
            .is_some()
            .then(|| "raden finns, men loggen har ingen post om den".into());
    };
    let said = &leaf.record;
    if leaf.at.as_millisecond() != row.at.as_millisecond() {
        return Some(format!("raden stämmer inte med loggens post {}: tiden", leaf.seq));
    }
    let fits = row.log_seq == Some(leaf.seq)
        && said.account == row.account
        && said.platform_id == row.platform_id
        && said.version == row.version
        && said.user == row.user;
    (!fits).then(|| {
        format!(
            "raden stämmer inte med loggens post {}: inlägg, lydelse eller vem som spärrade",
            leaf.seq
        )
    })
}

/// Every lifting against its own entry, in order for each item: who lifted, when, and with which words.
async fn lifts(store: &Store, log: &mut LogRead, report: &mut Report) -> Result<(), EvidenceError> {
    let mut faults = lift_faults(store, log).await?;
    if !faults.is_empty() {
        // One may have come while we were reading.
        log.read_on(store, report).await?;
        faults = lift_faults(store, log).await?;
    }
    for (place, what) in faults {
        report.fault(place, what);
    }
    Ok(())
}

async fn lift_faults(store: &Store, log: &LogRead) -> Result<Vec<(String, String)>, EvidenceError> {
    let mut faults = Vec::new();
    let mut n_of: BTreeMap<i64, usize> = BTreeMap::new();
    let mut after = i64::MIN;
    loop {
        let rows = store.lift_facts(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for Readable { id, value } in rows {
            let place = format!("hävning {id}");
            let Some(row) = value else {
                faults.push((place, "raden går inte att läsa".into()));
                continue;
            };
            let n = n_of.entry(row.item).or_default();
            let leaf = log.lifted.get(&row.item).and_then(|leaves| leaves.get(*n));
            *n += 1;
            faults.extend(lift_fault(&row, leaf).map(|what| (place, what)));
        }
    }
    for (item, leaves) in &log.lifted {
        for leaf in leaves.iter().skip(n_of.get(item).copied().unwrap_or(0)) {
            let what =
                format!("loggen (post {}) säger att en spärr hävdes, men raden saknas", leaf.seq);
            faults.push((format!("hävning av inlägg {item}"), what));
        }
    }
    Ok(faults)
}

fn lift_fault(row: &LiftFacts, leaf: Option<&Leaf<Lifted>>) -> Option<String> {
    let Some(leaf) = leaf else {
        return Some("raden finns, men loggen har ingen post om den".into());
    };
    let mut differ = Vec::new();
    if leaf.record.user != row.user {
        differ.push("vem som hävde");
    }
    if leaf.at.as_millisecond() != row.at.as_millisecond() {
        differ.push("tiden");
    }
    if leaf.record.words_sha256 != row.words {
        differ.push("skälet");
    }
    if !row.spent {
        // The database would let it lift another bar.
        differ.push("den är inte förbrukad");
    }
    (!differ.is_empty())
        .then(|| format!("raden stämmer inte med loggens post {}: {}", leaf.seq, differ.join(", ")))
}
