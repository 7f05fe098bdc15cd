//! The outbox: actions due, begun, ended. Every change of state is the domain's `on`.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::cases::{note_event, set_state, the_case, touch};
use super::decide::unsettled;
use super::value::{from_json, json, maybe_row, ms, rows};
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

const ACTION: &str = "x.id, x.key, x.kind, x.state_json, x.decision_id, x.case_id, x.item_id,
    x.version_id, x.evidence_id, json_extract(x.payload, '$.text'), i.account_id";

#[derive(Serialize)]
struct ActionRecord<'a> {
    action: i64,
    case: i64,
    kind: &'a str,
    version: i64,
    evidence: Option<i64>,
    end: &'a str,
    words_sha256: ContentHash,
}

/// What the log says of another try.
#[derive(Serialize)]
struct RetryRecord {
    action: i64,
    case: i64,
    user: i64,
}

fn action_row(row: &Row<'_>) -> Result<ActionRow, StoreError> {
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
    })
}

fn the_action(c: &Connection, action: ActionId) -> Result<ActionRow, StoreError> {
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
fn ending(kind: ActionKind, state: &ActionState) -> Option<(String, Option<String>)> {
    let label = kind.label();
    match state {
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

impl Store {
    /// Actions to be looked at now, oldest first, of each account at most `most_each`: an account
    /// whose platform does not answer never hides what is due on another.
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
                        where x.due_at <= ?1) due
                     join actions x on x.id = due.id join items i on i.id = x.item_id
                     where due.nth <= ?2 order by x.due_at, x.id"
                ))?,
                params![ms(now), most_each],
                action_row,
            )
        })
        .await
    }

    /// When the next action is due, if any is on its way.
    pub async fn next_action_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|c| {
            let next: Option<i64> = c
                .prepare_cached("select min(due_at) from actions where due_at is not null")?
                .query_row([], |row| row.get(0))?;
            super::value::maybe_at(next)
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
        self.write(move |tx| {
            let before = the_action(tx, action)?;
            let next = before
                .state
                .clone()
                .on(event)
                .map_err(|e| StoreError::Refused { why: e.to_string() })?;
            tx.prepare_cached(
                "update actions set state = ?2, state_json = ?3, due_at = ?4 where id = ?1",
            )?
            .execute(params![
                action.0,
                next.id(),
                json(&next)?,
                due_at(&next).map(ms)
            ])?;
            if let Some((what, detail)) = ending(before.kind, &next) {
                note_event(tx, before.case, None, &what, detail.as_deref(), now)?;
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
        })
        .await
    }

    /// A person asks for another try of the failed actions of a case.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while somebody else holds the case.
    pub async fn try_failed_again(
        &self,
        case: CaseId,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |tx| {
            let known = the_case(tx, case)?;
            if known.claim.is_some_and(|(claim, _)| claim.blocks(user, now)) {
                return Err(StoreError::Conflict { what: "claim" });
            }
            let Some(decision) = super::decide::standing(tx, case)? else { return Ok(0) };
            let failed = rows(
                &mut tx.prepare_cached(
                    "select id, state_json from actions where decision_id = ?1 and state = 'failed'",
                )?,
                [decision.id.0],
                |row| Ok((row.get::<_, i64>(0)?, from_json("actions", &row.get::<_, String>(1)?)?)),
            )?;
            let n_failed = failed.len();
            let ids: Vec<i64> = failed.iter().map(|(id, _)| *id).collect();
            for (id, state) in failed {
                let state = ActionState::on(state, ActionEvent::TryAgain { at: now })
                    .map_err(|e| StoreError::Refused { why: e.to_string() })?;
                tx.prepare_cached(
                    "update actions set state = ?2, state_json = ?3, due_at = ?4 where id = ?1",
                )?
                .execute(params![id, state.id(), json(&state)?, due_at(&state).map(ms)])?;
            }
            if n_failed > 0 {
                let row = the_case(tx, case)?;
                let next = row
                    .state
                    .on(CaseEvent::Decide)
                    .map_err(|e| StoreError::Refused { why: e.to_string() })?;
                set_state(tx, case, &next, now)?;
                note_event(tx, case, Some((user, &line.user_name)), "Försök igen", None, now)?;
                audit::append(tx, &line, now)?;
                for action in ids {
                    let record = RetryRecord { action, case: case.0, user: user.0 };
                    log::append(tx, LogKind::Retry, &record, now)?;
                }
            }
            Ok(n_failed)
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

    /// How many actions on a case are still on their way.
    pub async fn unsettled_actions(&self, case: CaseId) -> Result<u64, StoreError> {
        self.read(move |c| unsettled(c, case)).await
    }
}
