//! Decisions: decision, actions, history, log and audit commit together (invariant 4).

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::actions::NEVER;
use super::bars::bar_copying;
use super::cases::{note_event, set_state, the_case};
use super::claims::clear_claim;
use super::items::{the_item, the_version};
use super::value::{at, from_json, hash, json, maybe_at, maybe_row, ms, rows};
use super::{audit, evidence, log, secrecies};
use crate::domain::action::{ActionEvent, ActionKind, ActionState};
use crate::domain::case::{CaseEvent, Outcome};
use crate::domain::decision::{Choice, Decision, outcome_of};
use crate::domain::ground::Ground;
use crate::domain::ids::{CaseId, ContentHash, DecisionId, EvidenceId, UserId, VersionId};
use crate::domain::log::{LogKind, words_hash};
use crate::domain::register::Kept;
use crate::domain::together::Within;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, CaseRow, DecisionRow, EvidenceState};

const DECISION: &str = "d.id, d.case_id, d.version_id, d.choices, d.ground, d.note, d.at,
    d.undo_until, d.undone_at, d.answered, coalesce(
    (select e.user_name from case_events e
     where e.case_id = d.case_id and e.user_id = d.user_id and e.at = d.at order by e.id limit 1),
    (select name from users u where u.id = d.user_id), d.policy), d.policy_sha256";

/// What a person decided, with everything the transaction needs.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// The case.
    pub case: CaseId,
    /// The revision the person saw; an older one is refused.
    pub revision: u64,
    /// Who.
    pub user: UserId,
    /// What.
    pub decision: Decision,
    /// Until when it can be undone; actions begin then.
    pub undo_until: Timestamp,
    /// What was answered on the diary, where anything was.
    pub answered: Option<Kept>,
    /// The version of the policy that it is made under.
    pub policy: ContentHash,
    /// What of it a person does on the platform itself, since nobody else can.
    pub by_hand: Vec<ActionKind>,
    /// The secrecy mark that it sets by what it says, where none stands: provision and reason.
    pub mark: Option<(String, String)>,
    /// The act that decided many cases, where it was one.
    pub bulk: Option<Within>,
    /// For the audit log.
    pub line: AuditLine,
}

#[derive(Serialize)]
struct DecisionRecord<'a> {
    case: i64,
    decision: i64,
    version: i64,
    user: i64,
    choices: Vec<&'a str>,
    ground: Option<&'a str>,
    words_sha256: ContentHash,
    /// The policy's text, which a leaf of its own holds under this hash.
    policy_sha256: ContentHash,
    terms: TermsRecord<'a>,
}

/// What else of its row decides what is done, and when.
#[derive(Serialize)]
struct TermsRecord<'a> {
    /// Milliseconds since 1970, as in the row; so is the deadline that it was to meet.
    undo_until: i64,
    due_at: i64,
    bulk: Option<i64>,
    /// What a person does on the platform, in order.
    by_hand: Vec<&'a str>,
}

#[derive(Serialize)]
struct UndoRecord {
    case: i64,
    decision: i64,
    user: i64,
}

fn decision_row(row: &Row<'_>) -> Result<DecisionRow, StoreError> {
    let ground: Option<String> = row.get(4)?;
    Ok(DecisionRow {
        id: DecisionId(row.get(0)?),
        case: CaseId(row.get(1)?),
        version: VersionId(row.get(2)?),
        choices: from_json("decisions", &row.get::<_, String>(3)?)?,
        ground: ground
            .map(|g| Ground::from_code(&g).ok_or_else(|| StoreError::row("decisions", "ground")))
            .transpose()?,
        note: row.get(5)?,
        at: at(row.get(6)?)?,
        undo_until: at(row.get(7)?)?,
        undone_at: maybe_at(row.get(8)?)?,
        answered: row
            .get::<_, Option<String>>(9)?
            .map(|kept| from_json("decisions", &kept))
            .transpose()?,
        by: row.get(10)?,
        policy: row
            .get::<_, Option<Vec<u8>>>(11)?
            .map(|bytes| hash("decisions", &bytes))
            .transpose()?,
    })
}

/// What the log holds of a decision's words: its choices with theirs, the note, and where anything was
/// answered on the diary, that.
pub(super) fn decision_words(
    choices: &str,
    note: Option<&str>,
    answered: Option<&str>,
) -> ContentHash {
    let note = note.unwrap_or("");
    match answered {
        Some(answered) => words_hash(&[choices, note, answered]),
        None => words_hash(&[choices, note]),
    }
}

/// The newest decision on a case that was not undone.
pub(super) fn standing(c: &Connection, case: CaseId) -> Result<Option<DecisionRow>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!(
            "select {DECISION} from decisions d where d.case_id = ?1 and d.undone_at is null
             order by d.id desc limit 1"
        ))?,
        [case.0],
        decision_row,
    )
}

fn refused(why: impl Into<String>) -> StoreError {
    StoreError::Refused { why: why.into() }
}

/// The sealed evidence a removal rests on.
fn seal_for(tx: &Transaction<'_>, version: VersionId) -> Result<EvidenceId, StoreError> {
    match evidence::of_version(tx, version)? {
        Some(row) if matches!(row.state, EvidenceState::Sealed { .. }) => Ok(row.id),
        Some(row) if matches!(row.state, EvidenceState::Disposed { .. }) => {
            Err(refused("Beviset är gallrat. Läs inlägget på nytt, så tas ett nytt bevis först."))
        }
        Some(_) | None => {
            Err(refused("Beviset är inte säkrat än. Vänta tills det står Säkrat och försök igen."))
        }
    }
}

/// Everything a decision holds beside its choices, for the case's history: one line each.
fn told(new: &NewDecision) -> Option<String> {
    let NewDecision { decision, answered, bulk, .. } = new;
    let answered = answered.as_ref();
    let mut lines = Vec::new();
    lines.extend(bulk.map(|within| within.words()));
    lines.extend(decision.ground().map(|ground| format!("Grund: {}", ground.label())));
    lines.extend(decision.choices().iter().filter_map(Choice::words));
    lines.extend(decision.note().map(|note| format!("Anteckning: {note}")));
    lines.extend(answered.into_iter().flat_map(Kept::words));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Which of its actions a person does, in order.
fn done_by_hand(new: &NewDecision) -> Vec<&'static str> {
    let mut kinds: Vec<_> = new.decision.choices().iter().filter_map(Choice::action).collect();
    kinds.retain(|kind| new.by_hand.contains(kind));
    let mut kinds: Vec<_> = kinds.into_iter().map(ActionKind::id).collect();
    kinds.sort_unstable();
    kinds
}

fn insert_actions(
    tx: &Transaction<'_>,
    case: &CaseRow,
    decision: DecisionId,
    new: &NewDecision,
) -> Result<(), StoreError> {
    let installation: String = tx
        .prepare_cached("select value from facts where name = 'installation'")?
        .query_row([], |row| row.get(0))?;
    // What a person hears and what is handed on goes before what takes the item away: nobody can
    // answer a comment that is gone. Where the answer does not get through at once, the deletion
    // waits for it (`actions::WAITS`).
    let mut actions: Vec<_> =
        new.decision.choices().iter().filter_map(|c| Some((c.action()?, c))).collect();
    actions.sort_by_key(|(kind, _)| kind.removes());
    for (kind, choice) in actions {
        let evidence = if kind.removes() { Some(seal_for(tx, case.version)?) } else { None };
        let by_hand = new.by_hand.contains(&kind);
        let not_before = if by_hand { NEVER } else { new.undo_until };
        let state = ActionState::Pending { not_before };
        tx.prepare_cached(
            "insert into actions (key, decision_id, case_id, item_id, version_id, evidence_id, kind,
               payload, state, state_json, due_at, by_hand)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            format!("{installation}-{decision}-{}", kind.id()),
            decision.0,
            case.id.0,
            case.item.0,
            case.version.0,
            evidence.map(|e| e.0),
            kind.id(),
            json(&serde_json::json!({ "text": choice.action_text() }))?,
            state.id(),
            json(&state)?,
            ms(not_before),
            by_hand
        ])?;
    }
    Ok(())
}

impl Store {
    /// Commits a decision with its actions, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the case has changed since the person saw it or somebody
    /// else holds it; [`StoreError::Refused`] where the state or the evidence does not allow it.
    pub async fn decide(&self, new: NewDecision, now: Timestamp) -> Result<DecisionId, StoreError> {
        self.write(move |tx| {
            let case = the_case(tx, new.case)?;
            if case.revision != new.revision {
                return Err(StoreError::Conflict { what: "case" });
            }
            if case.claim.as_ref().is_some_and(|(claim, _)| claim.blocks(new.user, now)) {
                return Err(StoreError::Conflict { what: "claim" });
            }
            if unsettled(tx, new.case)? > 0 || !case.state.may_be_decided() {
                return Err(refused(
                    "Det förra beslutet genomförs fortfarande. Vänta tills det är klart, eller ångra det.",
                ));
            }
            let event = match new.decision.held_until() {
                Some(until) => CaseEvent::Hold { until },
                None => CaseEvent::Decide,
            };
            let next = case
                .state
                .clone()
                .on(event)
                .map_err(|_| refused("Ärendet kan inte beslutas i sitt nuvarande läge."))?;
            let choices = json(&new.decision.choices())?;
            let answered = new.answered.as_ref().map(json).transpose()?;
            tx.prepare_cached(
                "insert into decisions (case_id, version_id, user_id, at, choices, ground, note, undo_until,
                   answered, bulk_id, due_at, policy_sha256)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                case.id.0,
                case.version.0,
                new.user.0,
                ms(now),
                choices,
                new.decision.ground().map(Ground::code),
                new.decision.note(),
                ms(new.undo_until),
                answered,
                new.bulk.map(|within| within.bulk.0),
                ms(case.due_at),
                new.policy.bytes()
            ])?;
            let decision = DecisionId(tx.last_insert_rowid());
            insert_actions(tx, &case, decision, &new)?;
            if let Some(words) = &new.mark {
                secrecies::mark(tx, case.id, new.user, words, &new.line, now)?;
            }
            if new.decision.ground() == Some(Ground::ChildAbuse) {
                // A person's suspicion bars copying as the classifier's does (regulation 2.2).
                let by = (new.user, new.line.user_name.as_str());
                bar_copying(tx, case.version, Some(by), now)?;
            }
            let record = DecisionRecord {
                case: case.id.0,
                decision: decision.0,
                version: case.version.0,
                user: new.user.0,
                choices: new.decision.choices().iter().map(Choice::id).collect(),
                ground: new.decision.ground().map(Ground::code),
                words_sha256: decision_words(&choices, new.decision.note(), answered.as_deref()),
                policy_sha256: new.policy,
                terms: TermsRecord {
                    undo_until: ms(new.undo_until),
                    due_at: ms(case.due_at),
                    bulk: new.bulk.map(|within| within.bulk.0),
                    by_hand: done_by_hand(&new),
                },
            };
            let labels: Vec<_> = new.decision.choices().iter().map(Choice::label).collect();
            let what = format!("Beslut: {}", labels.join(", "));
            let detail = told(&new);
            let by = Some((new.user, new.line.user_name.as_str()));
            note_event(tx, case.id, by, &what, detail.as_deref(), now)?;
            audit::append(tx, &new.line, now)?;
            // After the lines it is to hold.
            log::append(tx, LogKind::Decision, &record, now)?;
            clear_claim(tx, case.id)?;
            set_state(tx, case.id, &next, now)?;
            Ok(decision)
        })
        .await
    }

    /// Undoes the standing decision while nothing of it has begun.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it is too late, with the reason in Swedish.
    pub async fn undo(
        &self,
        case: CaseId,
        decision: DecisionId,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let row = the_case(tx, case)?;
            // An old page must not undo a newer decision.
            let decision = standing(tx, case)?
                .filter(|standing| standing.id == decision)
                .ok_or_else(|| refused("Det finns inget beslut att ångra."))?;
            let rests = |choice: &Choice| matches!(choice, Choice::Hold { .. });
            if decision.undo_until <= now && decision.choices.iter().any(rests) {
                return Err(refused(
                    "Det är för sent att ångra. Ärendet vilar: öppna det och besluta om det, så vilar det inte längre.",
                ));
            }
            if decision.undo_until <= now {
                return Err(refused(
                    "Det är för sent att ångra: åtgärderna har börjat. Fatta ett nytt beslut i stället, till exempel Visa igen.",
                ));
            }
            let next = row
                .state
                .on(CaseEvent::Undo)
                .map_err(|_| refused("Det finns inget beslut att ångra."))?;
            for (id, state) in actions_of(tx, decision.id)? {
                let state = state
                    .on(ActionEvent::Cancel { at: now })
                    .map_err(|_| refused("Det är för sent att ångra: en åtgärd har redan börjat."))?;
                tx.prepare_cached(
                    "update actions set state = ?2, state_json = ?3, due_at = null where id = ?1",
                )?
                .execute(params![id, state.id(), json(&state)?])?;
            }
            tx.prepare_cached("update decisions set undone_at = ?2 where id = ?1")?
                .execute(params![decision.id.0, ms(now)])?;
            let record = UndoRecord { case: case.0, decision: decision.id.0, user: user.0 };
            note_event(tx, case, Some((user, &line.user_name)), "Beslutet ångrades", None, now)?;
            audit::append(tx, &line, now)?;
            log::append(tx, LogKind::Undo, &record, now)?;
            set_state(tx, case, &next, now)
        })
        .await
    }

    /// The decision that stands on a case.
    pub async fn standing_decision(&self, case: CaseId) -> Result<Option<DecisionRow>, StoreError> {
        self.read(move |c| standing(c, case)).await
    }

    /// Whether an answer of ours went out on a case, or is on its way.
    pub async fn is_answered(&self, case: CaseId) -> Result<bool, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached(
                "select 1 from actions where case_id = ?1 and kind = 'reply'
                   and state not in ('failed', 'cancelled')",
            )?
            .exists([case.0])?)
        })
        .await
    }

    /// All decisions on a case, oldest first.
    pub async fn decisions_on(&self, case: CaseId) -> Result<Vec<DecisionRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {DECISION} from decisions d where d.case_id = ?1 order by d.id"
                ))?,
                [case.0],
                decision_row,
            )
        })
        .await
    }

    /// Moves on every decided case whose actions are settled and whose time to undo is over.
    /// Returns the cases.
    pub async fn settle_decided(&self, now: Timestamp) -> Result<Vec<CaseId>, StoreError> {
        // Most of the time there is nothing to move on: then the writing thread is left alone.
        let any = self
            .read(|c| {
                Ok(c.prepare_cached("select 1 from cases where state = 'decided'")?.exists([])?)
            })
            .await?;
        if !any {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            let decided = rows(
                &mut tx.prepare_cached("select id from cases where state = 'decided'")?,
                [],
                |row| Ok(CaseId(row.get(0)?)),
            )?;
            let mut settled = Vec::new();
            for case in decided {
                if settle(tx, case, now)? {
                    settled.push(case);
                }
            }
            Ok(settled)
        })
        .await
    }
}

fn actions_of(
    tx: &Transaction<'_>,
    decision: DecisionId,
) -> Result<Vec<(i64, ActionState)>, StoreError> {
    rows(
        &mut tx.prepare_cached("select id, state_json from actions where decision_id = ?1")?,
        [decision.0],
        |row| Ok((row.get(0)?, from_json("actions", &row.get::<_, String>(1)?)?)),
    )
}

/// How many actions on a case are still on their way.
pub(super) fn unsettled(c: &Connection, case: CaseId) -> Result<u64, StoreError> {
    Ok(c.prepare_cached("select count(*) from actions where case_id = ?1 and due_at is not null")?
        .query_row([case.0], |row| row.get(0))?)
}

/// Why an action of a decision has failed, if any has.
fn still_failed(tx: &Transaction<'_>, decision: DecisionId) -> Result<Option<String>, StoreError> {
    Ok(actions_of(tx, decision)?.into_iter().find_map(|(_, state)| match state {
        ActionState::Failed { reason, .. } => Some(reason),
        ActionState::Pending { .. }
        | ActionState::UnderWay { .. }
        | ActionState::Retrying { .. }
        | ActionState::Done { .. }
        | ActionState::Moot { .. }
        | ActionState::Cancelled { .. } => None,
    }))
}

/// Whether the diary has, under a number, what a decision was about, and whatever it removed: that it has
/// another wording makes this no copy.
fn is_registered(
    c: &Connection,
    case: CaseId,
    decision: DecisionId,
    version: VersionId,
) -> Result<bool, StoreError> {
    Ok(c.prepare_cached(
        "with registered as (
           select a.version_id from registrations r join actions a on a.id = r.action_id
           where r.case_id = ?1 and r.diary_number is not null)
         select ?3 in registered and not exists (
           select 1 from actions a where a.decision_id = ?2 and a.kind in ('hide', 'delete')
             and a.state = 'done' and a.version_id not in registered)",
    )?
    .query_row(params![case.0, decision.0, version.0], |row| row.get(0))?)
}

/// How each decision on a closed case that was not undone would have ended it, and how it did end.
pub(super) fn outcomes_of(
    c: &Connection,
    case: CaseId,
    ended: Outcome,
) -> Result<Vec<Outcome>, StoreError> {
    let decided = rows(
        &mut c.prepare_cached(
            "select choices, id, version_id from decisions where case_id = ?1 and undone_at is null",
        )?,
        [case.0],
        |row| {
            let choices: Vec<Choice> = from_json("decisions", &row.get::<_, String>(0)?)?;
            Ok((choices, DecisionId(row.get(1)?), VersionId(row.get(2)?)))
        },
    )?;
    let mut outcomes = vec![ended];
    for (choices, decision, version) in decided {
        // Who waited has decided nothing yet.
        if choices.iter().any(|choice| matches!(choice, Choice::Hold { .. })) {
            continue;
        }
        let outcome = outcome_of(&choices, is_registered(c, case, decision, version)?);
        if !outcomes.contains(&outcome) {
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

fn settle(tx: &Transaction<'_>, case: CaseId, now: Timestamp) -> Result<bool, StoreError> {
    let Some(decision) = standing(tx, case)? else { return Ok(false) };
    if decision.undo_until > now || unsettled(tx, case)? > 0 {
        return Ok(false);
    }
    let row = the_case(tx, case)?;
    // One action was tried again and another was not: a person has to see that one still.
    if let Some(reason) = still_failed(tx, decision.id)? {
        let back = row
            .state
            .on(CaseEvent::ActionFailed { reason })
            .map_err(|e| StoreError::row("cases", e))?;
        set_state(tx, case, &back, now)?;
        return Ok(true);
    }
    let awaits_diary = tx
        .prepare_cached("select 1 from registrations where case_id = ?1 and diary_number is null")?
        .exists([case.0])?;
    let registered = is_registered(tx, case, decision.id, decision.version)?;
    let outcome = outcome_of(&decision.choices, registered);
    let unseen = changed_unseen(tx, &row, &decision)?;
    let next = row
        .state
        .on(CaseEvent::ActionsSettled { awaits_diary, outcome })
        .map_err(|e| StoreError::row("cases", e))?;
    let detail = if awaits_diary { "Väntar på diarienummer" } else { outcome.label() };
    note_event(tx, case, None, "Beslutet är genomfört", Some(detail), now)?;
    set_state(tx, case, &next, now)?;
    if let Some(reason) = unseen {
        let back = next
            .on(CaseEvent::Reopen { reason: reason.to_owned() })
            .map_err(|e| StoreError::row("cases", e))?;
        note_event(tx, case, None, "Ärendet kom tillbaka", Some(reason), now)?;
        set_state(tx, case, &back, now)?;
    }
    Ok(true)
}

/// Why a person has to look once more: the text changed after the decision was made, and either
/// the new one is flagged by itself or it is what was removed. Nothing that nobody has judged is
/// closed (invariant 3).
fn changed_unseen(
    tx: &Transaction<'_>,
    case: &CaseRow,
    decision: &DecisionRow,
) -> Result<Option<&'static str>, StoreError> {
    if case.version == decision.version {
        return Ok(None);
    }
    let removed = tx
        .prepare_cached(
            "select 1 from actions where decision_id = ?1 and version_id = ?2
               and kind in ('hide', 'delete') and state = 'done'",
        )?
        .exists(params![decision.id.0, case.version.0])?;
    if removed {
        return Ok(Some(
            "Texten ändrades efter beslutet. Den nya lydelsen säkrades och åtgärden gällde den: kontrollera att beslutet står sig.",
        ));
    }
    let verdict = the_version(tx, case.version)?.verdict;
    let kind = the_item(tx, case.item)?.kind;
    // Not assessed yet: the assessment brings the case back by itself.
    let flagged = verdict.is_some_and(|verdict| verdict.opens_case(kind));
    Ok(flagged
        .then_some("Författaren ändrade texten efter beslutet, och den nya lydelsen flaggas."))
}
