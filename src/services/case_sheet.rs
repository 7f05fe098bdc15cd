//! The case sheet (*ärendeblad*): what was decided about an item and done so far, with the seals of its records, as a
//! document to read. The evidence sheet is made when evidence is taken, before anybody has decided; this one
//! when something leaves the house.

use jiff::Timestamp;

use crate::domain::action::ActionState;
use crate::domain::decision::Choice;
use crate::domain::dossier::{Chapter, Dossier, Fact, Passage};
use crate::domain::ids::CaseId;
use crate::domain::text::capitalised;
use crate::evidence::EvidenceStore;
use crate::store::Store;
use crate::store::rows::{ActionRow, CaseEventRow, DecisionRow};

use super::ServiceError;
use super::dossiers::{Sealed, grouped, rendered, sealed, time};
use super::secrecy::stamp_of;

/// How much of a case is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// As it stands now.
    Now,
    /// As it stood when this was decided, so that the same package can be written anew.
    AsDecided(Timestamp),
}

impl Told {
    fn holds(self, at: Timestamp) -> bool {
        match self {
            Self::Now => true,
            Self::AsDecided(then) => at <= then,
        }
    }
}

/// What it is called in a package.
pub(super) const NAME: &str = "arende.pdf";

const NOTES: &[&str] = &[
    "Bladet visar hur ärendet stod när paketet gjordes. Texten och allt annat som hämtades från plattformen står på bevisbladet.",
    "Raderna om beslut och åtgärder är myndighetens uppgifter. Förseglingen gäller bevisen: kontrollsumman är den som står i loggen.",
];

/// The sheet with the time of the newest thing on it. None where this program was built without documents.
///
/// # Errors
/// [`ServiceError`].
pub(super) async fn case_sheet(
    store: &Store,
    evidence: &EvidenceStore,
    authority: &str,
    case: CaseId,
    told: Told,
) -> Result<Option<(Vec<u8>, Timestamp)>, ServiceError> {
    let mut records = Vec::new();
    for version in store.versions_of(store.case(case).await?.item).await? {
        if let Some(row) = store.evidence_of(version.id).await? {
            records.extend(sealed(store, evidence, row).await?);
        }
    }
    let mut decisions = store.decisions_on(case).await?;
    let mut history = store.case_history(case).await?;
    let mut actions = Vec::new();
    match told {
        Told::Now => actions = store.actions_on(case).await?,
        // What became of it is told by what comes later.
        Told::AsDecided(_) => {
            records.retain(|record| told.holds(record.manifest.fetched_at));
            decisions.retain(|decision| told.holds(decision.at));
            history.retain(|event| told.holds(event.at));
            for decision in &mut decisions {
                decision.undone_at = decision.undone_at.filter(|at| told.holds(*at));
            }
        }
    }
    let facts = facts(store, case, records.last(), &decisions, told).await?;
    let mut notes: Vec<_> = NOTES.iter().map(|&note| note.to_owned()).collect();
    notes.splice(..0, stamp_of(store, case, authority).await?);
    let sealed_at = records.iter().map(|record| record.manifest.sealed_at);
    let at = match told {
        Told::Now => history.iter().map(|event| event.at).chain(sealed_at).max(),
        Told::AsDecided(at) => Some(at),
    };
    let at = at.unwrap_or_default();
    let dossier = Dossier {
        title: format!("Ärendeblad, ärende {case}"),
        authority: authority.to_owned(),
        at,
        ident: format!("arende/{case}/{}", history.len()),
        heading: "I korthet",
        facts,
        notes,
        columns: vec!["Bevis", "Lydelse", "Förseglat", "Plats i loggen", "Manifestets SHA-256"],
        rows: records.iter().map(row).collect(),
        chapters: vec![done(&decisions, &actions, &history)],
        files: Vec::new(),
    };
    match rendered(dossier).await {
        Ok(pdf) => Ok(Some((pdf, at))),
        // What is in it stands in arende.json as well.
        Err(ServiceError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn facts(
    store: &Store,
    case: CaseId,
    last: Option<&Sealed>,
    decisions: &[DecisionRow],
    told: Told,
) -> Result<Vec<Fact>, ServiceError> {
    let row = store.case(case).await?;
    let item = store.item(row.item).await?;
    let mut facts: Vec<Fact> = Vec::new();
    let mut fact = |label: &str, value: String| facts.push((label.to_owned(), value));
    if let Some(last) = last {
        fact("Vad", last.what());
        fact("Var", last.place());
        fact("Publicerat", last.when());
    }
    fact("Ärendet öppnades", time(row.opened_at));
    if told == Told::Now {
        fact("Skulle avgöras senast", time(row.due_at));
        fact("Läge", capitalised(row.state.label()));
    }
    let standing = decisions.iter().rev().find(|decision| decision.undone_at.is_none());
    fact("Beslut som gäller", standing.map_or("Inget beslut.".into(), decided));
    if told != Told::Now {
        return Ok(facts);
    }
    let numbers = store.registrations_of(case).await?.into_iter();
    let numbers: Vec<_> = numbers
        .map(|known| known.diary_number.map_or("Inväntas".to_owned(), |n| n.to_string()))
        .collect();
    if !numbers.is_empty() {
        fact("Diarienummer", numbers.join("\n"));
    }
    let seen = item.presence.label();
    fact(
        "Synlighet, så vitt vi vet",
        format!("{} ({})", capitalised(seen), time(item.presence_at)),
    );
    Ok(facts)
}

fn row(record: &Sealed) -> Vec<String> {
    vec![
        record.row.id.to_string(),
        record.wording(),
        time(record.manifest.sealed_at),
        record.log_seq.to_string(),
        grouped(&record.manifest_sha256),
    ]
}

/// Decisions and actions, oldest first, and the history below.
pub(super) fn done(
    decisions: &[DecisionRow],
    actions: &[ActionRow],
    history: &[CaseEventRow],
) -> Chapter {
    let mut facts = Vec::new();
    for decision in decisions {
        facts.push((format!("Beslut {}", decision.id), decided(decision)));
        for action in actions.iter().filter(|action| action.decision == decision.id) {
            facts.push((format!("Åtgärd {}", action.id), carried_out(action)));
        }
    }
    if facts.is_empty() {
        facts.push(("Beslut".into(), "Inget beslut är fattat.".into()));
    }
    let event = |event: &CaseEventRow| {
        let who = event.user.as_deref().unwrap_or("Uppsikt");
        let detail = event.detail.as_ref().map_or(String::new(), |detail| format!(" ({detail})"));
        format!("{} {who}: {}{detail}", time(event.at), event.what)
    };
    let told = Passage {
        title: "Historik".into(),
        notes: history.iter().map(event).collect(),
        text: None,
    };
    Chapter {
        title: "Beslut och åtgärder".into(),
        facts,
        passages: if history.is_empty() { Vec::new() } else { vec![told] },
        pictures: Vec::new(),
    }
}

/// `Dölj, diarieför. Grund: olaga hot. Av Kim Exempel 2026-11-22 14:05.`, and the person's own words.
fn decided(decision: &DecisionRow) -> String {
    let labels: Vec<_> = decision.choices.iter().map(Choice::label).collect();
    let mut lines = vec![format!("{}.", capitalised(&labels.join(", ")))];
    lines.extend(decision.ground.map(|ground| format!("Grund: {}.", ground.label())));
    lines.push(format!("Av {} {}.", decision.by, time(decision.at)));
    lines.extend(decision.choices.iter().filter_map(Choice::words));
    lines.extend(decision.note.as_ref().map(|note| format!("Anteckning: {}", note.trim())));
    if let Some(kept) = &decision.answered {
        lines.push(format!("Om diarieföring: {}", kept.why));
    }
    lines.extend(decision.undone_at.map(|at| format!("Beslutet ångrades {}.", time(at))));
    lines.join("\n")
}

/// `Dölja inlägget: genomfört 2026-11-22 14:05. Plattformens kvitto: 200.`
fn carried_out(action: &ActionRow) -> String {
    let became = match &action.state {
        ActionState::Pending { .. } => "väntar på att genomföras.".to_owned(),
        ActionState::UnderWay { since, .. } => format!("påbörjat {}.", time(*since)),
        ActionState::Retrying { reason, .. } => format!("försöks igen. {reason}"),
        ActionState::Done { at, receipt } => {
            format!("genomfört {}. Kvitto: {}.", time(*at), receipt.trim_end_matches('.'))
        }
        ActionState::Moot { at, reason } => format!("behövdes inte, {}. {reason}", time(*at)),
        ActionState::Failed { at, reason, .. } => {
            format!("gick inte att genomföra, {}. {reason}", time(*at))
        }
        ActionState::Cancelled { at } => format!("avbrutet {}.", time(*at)),
    };
    let hand = if action.by_hand { " för hand" } else { "" };
    let evidence = action.evidence.map_or(String::new(), |id| format!(" Vilar på bevis {id}."));
    format!("{}{hand}: {became}{evidence}", capitalised(action.kind.label()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::tests::harness::{Stage, THREAT};

    /// All that is written in it, without the engine: what is shown is what is in these values.
    fn words(chapter: &Chapter) -> String {
        let facts = chapter.facts.iter().map(|(label, value)| format!("{label}: {value}"));
        let notes = chapter.passages.iter().flat_map(|passage| passage.notes.clone());
        facts.chain(notes).collect::<Vec<_>>().join("\n")
    }

    #[tokio::test]
    async fn it_tells_ground_decision_action_and_seal_and_is_the_same_while_nothing_happens() {
        let stage = Stage::new().await;
        let (_, case) = stage.written(THREAT).await;
        let (store, evidence) = (stage.store(), &stage.services.inner.evidence);
        let made = async || {
            let made = case_sheet(store, evidence, "Exempelstads kommun", case, Told::Now).await;
            made.unwrap().expect("a PDF")
        };
        let before = made().await;
        assert!(before.0.starts_with(b"%PDF") && before == made().await);
        stage.decide(case, vec![Choice::Hide]).await;
        stage.act_after_undo().await;
        assert_ne!(before.0, made().await.0);

        // For tests/check-pdf.sh.
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sheet-check");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("arendeblad.pdf"), made().await.0).unwrap();

        let decisions = store.decisions_on(case).await.unwrap();
        let actions = store.actions_on(case).await.unwrap();
        let history = store.case_history(case).await.unwrap();
        let told = words(&done(&decisions, &actions, &history));
        for wanted in
            ["Beslut 1: Dölj.", "Grund: ", "Av Kim Exempel", "genomfört", "Vilar på bevis 1"]
        {
            assert!(told.contains(wanted), "{wanted}: {told}");
        }
        let record = store.evidence_of(store.case(case).await.unwrap().version).await.unwrap();
        let record = sealed(store, evidence, record.unwrap()).await.unwrap().expect("sealed");
        assert_eq!(row(&record)[4].replace(' ', ""), record.manifest_sha256);
        let facts = facts(store, case, Some(&record), &decisions, Told::Now).await.unwrap();
        assert!(facts.iter().any(|(l, v)| l == "Beslut som gäller" && v.starts_with("Dölj.")));
    }
}
