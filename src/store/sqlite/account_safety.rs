//! The safety of accounts: passwords, two steps, who left, incidents.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Transaction, params};

use super::audit;
use super::cards::{day, note_history};
use super::notices::tell_trouble;
use super::value::{at, ms, rows};
use crate::domain::calendar::local;
use crate::domain::card::Safety;
use crate::domain::ids::{AccountId, UserId};
use crate::domain::incident::IncidentStep;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// Something that was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafetyRow {
    /// Its number; 0 before it is kept. A later one is greater.
    pub id: i64,
    /// Of which account.
    pub account: AccountId,
    /// What.
    pub kind: Safety,
    /// The day that it is about.
    pub day: Date,
    /// More of it, in words.
    pub note: String,
    /// When it was noted.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A step that was noted of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentStepRow {
    /// Of which account.
    pub account: AccountId,
    /// Of which incident.
    pub incident: i64,
    /// What.
    pub step: IncidentStep,
    /// When it was done.
    pub done_at: Timestamp,
    /// More of it, in words.
    pub note: String,
    /// When it was noted.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

fn insert(
    tx: &Transaction<'_>,
    account: AccountId,
    (kind, day): (Safety, Date),
    (note, by): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into account_safety (account_id, kind, day, note, at, by_name)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![account.0, kind.id(), day.to_string(), note, ms(now), by])?;
    Ok(())
}

/// Under which an incident is told of.
fn task_key(incident: i64) -> String {
    format!("account incident {incident}")
}

/// Somebody works with an account no more: its password is due.
pub(super) fn note_left(
    tx: &Transaction<'_>,
    account: AccountId,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert(tx, account, (Safety::Left, local(now).date()), ("", by), now)
}

/// The same of every account that somebody had a part in.
pub(super) fn note_left_all(
    tx: &Transaction<'_>,
    user: UserId,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let accounts = rows(
        &mut tx.prepare_cached("select account_id from account_people where user_id = ?1")?,
        [user.0],
        |row| Ok(AccountId(row.get(0)?)),
    )?;
    for account in accounts {
        note_left(tx, account, by, now)?;
    }
    Ok(())
}

impl Store {
    /// What was noted of every account, the newest first.
    pub async fn account_safety(&self) -> Result<Vec<SafetyRow>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select account_id, kind, day, note, at, by_name, id from account_safety
                     order by day desc, id desc",
                )?,
                [],
                |row| {
                    let kind: String = row.get(1)?;
                    Ok(SafetyRow {
                        id: row.get(6)?,
                        account: AccountId(row.get(0)?),
                        kind: Safety::from_id(&kind)
                            .ok_or_else(|| StoreError::row("account_safety", kind))?,
                        day: day("account_safety", row.get(2)?)?,
                        note: row.get(3)?,
                        at: at(row.get(4)?)?,
                        by: row.get(5)?,
                    })
                },
            )
        })
        .await
    }

    /// Notes something; `task` is what has to be done about it, in words, with its subject.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_safety(
        &self,
        row: SafetyRow,
        what: String,
        task: Option<(String, String)>,
        line: AuditLine,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            insert(tx, row.account, (row.kind, row.day), (&row.note, &row.by), row.at)?;
            if let Some((subject, problem)) = &task {
                let key = task_key(tx.last_insert_rowid());
                let who = "informationssäkerhet";
                tell_trouble(tx, &key, "incident", None, who, subject, problem, row.at)?;
            }
            note_history(tx, row.account, &row.by, &what, row.at)?;
            audit::append(tx, &line, row.at)
        })
        .await
    }

    /// What was noted of every incident, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn incident_steps(&self) -> Result<Vec<IncidentStepRow>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select s.account_id, i.incident_id, i.step, i.done_at, i.note, i.at, i.by_name
                     from incident_steps i join account_safety s on s.id = i.incident_id order by i.id desc",
                )?,
                [],
                |row| {
                    let step: String = row.get(2)?;
                    Ok(IncidentStepRow {
                        account: AccountId(row.get(0)?),
                        incident: row.get(1)?,
                        step: IncidentStep::from_id(&step)
                            .ok_or_else(|| StoreError::row("incident_steps", step))?,
                        done_at: at(row.get(3)?)?,
                        note: row.get(4)?,
                        at: at(row.get(5)?)?,
                        by: row.get(6)?,
                    })
                },
            )
        })
        .await
    }

    /// Notes a step of an incident; the one that ends it ends its task.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it was noted already, or the incident is over.
    pub async fn note_incident_step(
        &self,
        row: IncidentStepRow,
        what: String,
        line: AuditLine,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let stands = tx
                .prepare_cached(
                    "select 1 from incident_steps where incident_id = ?1 and step in (?2, 'avslutad')",
                )?
                .exists(params![row.incident, row.step.id()])?;
            if stands {
                let why = "Det är redan noterat, eller incidenten är avslutad.".into();
                return Err(StoreError::Refused { why });
            }
            tx.prepare_cached(
                "insert into incident_steps (incident_id, step, done_at, note, at, by_name)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                row.incident,
                row.step.id(),
                ms(row.done_at),
                row.note,
                ms(row.at),
                row.by
            ])?;
            if let (IncidentStep::Over, Some(user)) = (row.step, line.user) {
                tx.prepare_cached(
                    "update notices set state = 'seen_to', due_at = null, ended_at = ?2, ended_by = ?3
                     where key = ?1 and state = 'undeliverable'",
                )?
                .execute(params![task_key(row.incident), ms(row.at), user.0])?;
            }
            note_history(tx, row.account, &row.by, &what, row.at)?;
            audit::append(tx, &line, row.at)
        })
        .await
    }
}
