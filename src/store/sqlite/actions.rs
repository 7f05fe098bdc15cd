//! The outbox: actions due, begun, ended. Every change of state is the domain's `on`.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::cases::{note_event, set_state, the_case, touch};
use super::value::{at as instant, from_json, hash, json, maybe_row, ms, rows};
use super::{audit, log};
use crate::domain::action::{ActionEvent, ActionKind, ActionState};
use crate::domain::case::{CaseEvent, CaseState};
use crate::domain::ids::{
    AccountId, ActionId, CaseId, ContentHash, DecisionId, EvidenceId, ItemId, UserId, VersionId,
};
use crate::domain::log::{LogKind, words_hash};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{ActionRow, AuditLine};

pub(super) const ACTION: &str =
    "x.id, x.key, x.kind, x.state_json, x.decision_id, x.case_id, x.item_id,
    x.version_id, x.evidence_id, json_extract(x.payload, '$.text'), i.account_id, x.by_hand";

/// When the outbox is to look at what a person does by hand.
pub(super) const NEVER: Timestamp = Timestamp::MAX;

/// That action `x` has to wait for another of its decision. Nobody can answer or report what has been
/// deleted, so a deletion waits until that is settled, however it ends. What is only hidden can still be
/// answered, and hiding is too urgent to wait for a platform that takes no answers just now. One
/// that is under way has begun already, and must be looked at.
const WAITS: &str = "x.kind = 'delete' and x.state <> 'under_way'
    and exists (select 1 from actions before where before.case_id = x.case_id
                and before.decision_id = x.decision_id and before.kind in ('reply', 'report') and before.due_at is not null)";

#[derive(Serialize)]
struct ActionRecord<'a> {
    action: i64,
    case: i64,
    kind: &'a str,
    version: i64,
    evidence: Option<i64>,
    end: &'a str,
    words_sha256: ContentHash,
    /// What was handed to the diary, where that is what it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<PackageRecord>,
}

/// A package as the log holds it.
#[derive(Serialize)]
struct PackageRecord {
    name: String,
    sha256: ContentHash,
}

/// What the log says of another try.
#[derive(Serialize)]
struct RetryRecord {
    action: i64,
    case: i64,
    user: i64,
}

pub(super) fn action_row(row: &Row<'_>) -> Result<ActionRow, StoreError> {
    let kind: String = row.get(2)?;
    Ok(ActionRow {
        id: ActionId(row.get(0)?),
        key: row.get(1)?,
        kind: ActionKind::from_id(&kind)
            .ok_or_else(|| StoreError::row("actions", format!("kind `{kind}`")))?,
        state: from_json("actions", &row.get::<_, String>(3)?)?,
        decision: DecisionId(row.get(4)?),
        case: CaseId(row.get(5)?),
        item: ItemId(row.get(6)?),
        version: VersionId(row.get(7)?),
        evidence: row.get::<_, Option<i64>>(8)?.map(EvidenceId),
        text: row.get(9)?,
        account: AccountId(row.get(10)?),
        by_hand: row.get(11)?,
    })
}

pub(super) fn the_action(c: &Connection, action: ActionId) -> Result<ActionRow, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!(
            "select {ACTION} from actions x join items i on i.id = x.item_id where x.id = ?1"
        ))?,
        [action.0],
        action_row,
    )?
    .ok_or(StoreError::NotFound { what: "action" })
}

/// What its leaf holds of an action's text and of how it ended.
fn words(c: &Connection, action: ActionId) -> Result<ContentHash, StoreError> {
    let (payload, state): (String, String) = c
        .prepare_cached("select payload, state_json from actions where id = ?1")?
        .query_row([action.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(words_hash(&[&payload, &state]))
}

/// The package of a registration.
fn package_of(c: &Connection, action: ActionId) -> Result<Option<PackageRecord>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(
            "select package, package_sha256 from registrations where action_id = ?1",
        )?,
        [action.0],
        |row| {
            let sha256 = hash("registrations", &row.get::<_, Vec<u8>>(1)?)?;
            Ok(PackageRecord { name: row.get(0)?, sha256 })
        },
    )
}

/// When the outbox is to look at an action in this state.
fn due_at(state: &ActionState) -> Option<Timestamp> {
    match state {
        ActionState::Pending { not_before } => Some(*not_before),
        // Under way after a restart means unknown: it is due at once.
        ActionState::UnderWay { since, .. } => Some(*since),
        ActionState::Retrying { at, .. } => Some(*at),
        ActionState::Done { .. }
        | ActionState::Moot { .. }
        | ActionState::Failed { .. }
        | ActionState::Cancelled { .. } => None,
    }
}

/// What the history says when an action ends.
fn ending(
    kind: ActionKind,
    state: &ActionState,
    by_hand: bool,
) -> Option<(String, Option<String>)> {
    let label = kind.label();
    match state {
        ActionState::Done { receipt, .. } if by_hand => {
            Some((format!("Gjort för hand: {label}"), Some(receipt.clone())))
        }
        ActionState::Done { receipt, .. } => {
            Some((format!("Genomfört: {label}"), Some(format!("Plattformens svar: {receipt}"))))
        }
        ActionState::Moot { reason, .. } => {
            Some((format!("Behövdes inte: {label}"), Some(reason.clone())))
        }
        ActionState::Failed { reason, .. } => {
            Some((format!("Gick inte: {label}"), Some(reason.clone())))
        }
        ActionState::Retrying { reason, attempt, .. } if *attempt == 1 => {
            Some((format!("Försöker igen: {label}"), Some(reason.clone())))
        }
        ActionState::Retrying { .. }
        | ActionState::Pending { .. }
        | ActionState::UnderWay { .. }
        | ActionState::Cancelled { .. } => None,
    }
}

/// Lets something happen to an action, with all that follows for its case; `by` says it of a task.
pub(super) fn moved(
    tx: &Transaction<'_>,
    action: ActionId,
    event: ActionEvent,
    by: Option<(UserId, &str)>,
    now: Timestamp,
) -> Result<ActionRow, StoreError> {
    let before = the_action(tx, action)?;
    let next =
        before.state.clone().on(event).map_err(|e| StoreError::Refused { why: e.to_string() })?;
    tx.prepare_cached("update actions set state = ?2, state_json = ?3, due_at = ?4 where id = ?1")?
        .execute(params![action.0, next.id(), json(&next)?, due_at(&next).map(ms)])?;
    if let Some((what, detail)) = ending(before.kind, &next, before.by_hand) {
        note_event(tx, before.case, by, &what, detail.as_deref(), now)?;
        touch(tx, before.case, now)?;
    }
    if next.is_settled() {
        let record = ActionRecord {
            action: action.0,
            case: before.case.0,
            kind: before.kind.id(),
            version: before.version.0,
            evidence: before.evidence.map(|e| e.0),
            end: next.id(),
            words_sha256: words(tx, action)?,
            package: package_of(tx, action)?,
        };
        log::append(tx, LogKind::Action, &record, now)?;
    }
    if let ActionState::Failed { reason, .. } = &next {
        let case = the_case(tx, before.case)?;
        // A second failure of the same decision finds the case back already.
        if matches!(case.state, CaseState::Decided) {
            let reason = reason.clone();
            let back = case
                .state
                .on(CaseEvent::ActionFailed { reason })
                .map_err(|e| StoreError::row("cases", e))?;
            set_state(tx, case.id, &back, now)?;
        }
    }
    the_action(tx, action)
}

impl Store {
    /// Actions to be looked at now, oldest first, of each account at most `most_each`: an account
    /// whose platform does not answer never hides what is due on another. Without those that have to
    /// wait for another action of their decision.
    pub async fn due_actions(
        &self,
        now: Timestamp,
        most_each: u32,
    ) -> Result<Vec<ActionRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {ACTION} from
                       (select x.id, row_number() over
                          (partition by i.account_id order by x.due_at, x.id) as nth
                        from actions x join items i on i.id = x.item_id
                        where x.due_at <= ?1 and not ({WAITS})) due
                     join actions x on x.id = due.id join items i on i.id = x.item_id
                     where due.nth <= ?2 order by x.due_at, x.id"
                ))?,
                params![ms(now), most_each],
                action_row,
            )
        })
        .await
    }

    /// The actions of a case, oldest first.
    pub async fn actions_on(&self, case: CaseId) -> Result<Vec<ActionRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {ACTION} from actions x join items i on i.id = x.item_id
                     where x.case_id = ?1 order by x.id"
                ))?,
                [case.0],
                action_row,
            )
        })
        .await
    }

    /// One action.
    pub async fn action(&self, action: ActionId) -> Result<ActionRow, StoreError> {
        self.read(move |c| the_action(c, action)).await
    }

    /// What tells an answer from others with the same words: when it was decided on, and what those
    /// are known by at the platform that the account has sent.
    pub async fn answers_like(
        &self,
        action: ActionId,
    ) -> Result<(Timestamp, Vec<String>), StoreError> {
        self.read(move |c| {
            let at = c
                .prepare_cached(
                    "select d.at from actions x join decisions d on d.id = x.decision_id
                     where x.id = ?1",
                )?
                .query_row([action.0], |row| row.get(0))?;
            let others = rows(
                &mut c.prepare_cached(
                    "select json_extract(x.state_json, '$.receipt')
                     from actions this
                     join items at on at.id = this.item_id
                     join items i on i.account_id = at.account_id
                     join actions x on x.item_id = i.id
                     where this.id = ?1 and x.id <> this.id and x.kind = 'reply'
                       and x.state = 'done' and x.by_hand = 0
                       and json_extract(x.payload, '$.text') = json_extract(this.payload, '$.text')",
                )?,
                [action.0],
                |row| Ok(row.get(0)?),
            )?;
            Ok((instant(at)?, others))
        })
        .await
    }

    /// Whether an action has to wait for another of its decision: a deletion for the answer.
    pub async fn must_wait(&self, action: ActionId) -> Result<bool, StoreError> {
        self.read(move |c| {
            let waits = format!("select 1 from actions x where x.id = ?1 and {WAITS}");
            Ok(c.prepare_cached(&waits)?.exists([action.0])?)
        })
        .await
    }

    /// Lets something happen to an action, with all that follows for its case.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the event does not fit the action's state.
    pub async fn move_action(
        &self,
        action: ActionId,
        event: ActionEvent,
        now: Timestamp,
    ) -> Result<ActionRow, StoreError> {
        self.write(move |tx| moved(tx, action, event, None, now)).await
    }

    /// A person asks for another try of one failed action of a case, and of no other: what else has
    /// failed brings the case back when this is settled. Says whether there was such an action.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while somebody else holds the case.
    pub async fn try_failed_again(
        &self,
        case: CaseId,
        action: ActionId,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let known = the_case(tx, case)?;
            if known.claim.is_some_and(|(claim, _)| claim.blocks(user, now)) {
                return Err(StoreError::Conflict { what: "claim" });
            }
            let Some(decision) = super::decide::standing(tx, case)? else { return Ok(false) };
            let failed = maybe_row(
                &mut tx.prepare_cached(
                    "select kind, state_json, by_hand from actions
                     where id = ?1 and decision_id = ?2 and state = 'failed'",
                )?,
                params![action.0, decision.id.0],
                |row| {
                    let kind: String = row.get(0)?;
                    let kind = ActionKind::from_id(&kind)
                        .ok_or_else(|| StoreError::row("actions", format!("kind `{kind}`")))?;
                    let state = from_json::<ActionState>("actions", &row.get::<_, String>(1)?)?;
                    Ok((kind, state, row.get::<_, bool>(2)?))
                },
            )?;
            let Some((kind, state, by_hand)) = failed else { return Ok(false) };
            let state = state
                .on(ActionEvent::TryAgain { at: if by_hand { NEVER } else { now } })
                .map_err(|e| StoreError::Refused { why: e.to_string() })?;
            tx.prepare_cached(
                "update actions set state = ?2, state_json = ?3, due_at = ?4 where id = ?1",
            )?
            .execute(params![
                action.0,
                state.id(),
                json(&state)?,
                due_at(&state).map(ms)
            ])?;
            // Another of its actions may have been asked for already.
            if !matches!(known.state, CaseState::Decided) {
                let next = known
                    .state
                    .on(CaseEvent::Decide)
                    .map_err(|e| StoreError::Refused { why: e.to_string() })?;
                set_state(tx, case, &next, now)?;
            }
            let what = format!("Försök igen: {}", kind.label());
            note_event(tx, case, Some((user, &line.user_name)), &what, None, now)?;
            audit::append(tx, &line, now)?;
            let record = RetryRecord { action: action.0, case: case.0, user: user.0 };
            log::append(tx, LogKind::Retry, &record, now)?;
            Ok(true)
        })
        .await
    }

    /// Points a removal to the version that stands on the platform now, once that is sealed.
    /// The schema refuses it otherwise.
    pub async fn retarget_removal(
        &self,
        action: ActionId,
        version: VersionId,
        evidence: EvidenceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let before = the_action(tx, action)?;
            tx.prepare_cached(
                "update actions set version_id = ?2, evidence_id = ?3 where id = ?1",
            )?
            .execute(params![action.0, version.0, evidence.0])?;
            let what =
                "Texten på plattformen hade ändrats; den nya lydelsen säkrades före åtgärden";
            note_event(tx, before.case, None, what, None, now)?;
            tx.prepare_cached("update cases set version_id = ?2 where id = ?1")?
                .execute(params![before.case.0, version.0])?;
            touch(tx, before.case, now)
        })
        .await
    }
}
