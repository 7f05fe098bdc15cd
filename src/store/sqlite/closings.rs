//! Closing an account: announced, its steps done one by one, closed. Its cases stay.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, Transaction, params};

use super::audit;
use super::cards::{day, note_history};
use super::value::{at, maybe_at, ms, rows};
use crate::domain::card::ClosingStep;
use crate::domain::ids::AccountId;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// A closing that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingRow {
    /// Its row.
    pub id: i64,
    /// Of which account.
    pub account: AccountId,
    /// When it was told on the account.
    pub announced: Date,
    /// Why it closes.
    pub why: String,
    /// Where people turn instead.
    pub elsewhere: String,
    /// When it was closed, and by whom.
    pub closed: Option<(Timestamp, String)>,
    /// What is done, with by whom and what they noted.
    pub steps: Vec<(ClosingStep, String, String)>,
}

fn standing(c: &Connection) -> Result<Vec<ClosingRow>, StoreError> {
    let mut closings = rows(
        &mut c.prepare_cached(
            "select id, account_id, announced, why, elsewhere, closed_at, closed_by
             from account_closings where withdrawn_at is null order by account_id",
        )?,
        [],
        |row| {
            let closed = maybe_at(row.get(5)?)?.zip(row.get::<_, Option<String>>(6)?);
            Ok(ClosingRow {
                id: row.get(0)?,
                account: AccountId(row.get(1)?),
                announced: day("account_closings", row.get(2)?)?,
                why: row.get(3)?,
                elsewhere: row.get(4)?,
                closed,
                steps: Vec::new(),
            })
        },
    )?;
    for closing in &mut closings {
        closing.steps = rows(
            &mut c.prepare_cached(
                "select step, by_name, note from closing_steps where closing_id = ?1 order by at",
            )?,
            [closing.id],
            |row| {
                let step: String = row.get(0)?;
                let step = ClosingStep::from_id(&step)
                    .ok_or_else(|| StoreError::row("closing_steps", step))?;
                Ok((step, row.get(1)?, row.get(2)?))
            },
        )?;
    }
    Ok(closings)
}

fn of_account(tx: &Transaction<'_>, account: AccountId) -> Result<ClosingRow, StoreError> {
    let found = standing(tx)?.into_iter().find(|closing| closing.account == account);
    found.ok_or(StoreError::Refused { why: "Kontot är inte på väg att stängas.".into() })
}

impl Store {
    /// Closings that stand: under way and done.
    pub async fn closings(&self) -> Result<Vec<ClosingRow>, StoreError> {
        self.read(standing).await
    }

    /// When accounts were closed that were opened again: from when, and till when.
    pub async fn closed_before(
        &self,
    ) -> Result<Vec<(AccountId, Timestamp, Timestamp)>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select account_id, closed_at, withdrawn_at from account_closings
                     where closed_at is not null and withdrawn_at is not null order by id",
                )?,
                [],
                |row| Ok((AccountId(row.get(0)?), at(row.get(1)?)?, at(row.get(2)?)?)),
            )
        })
        .await
    }

    /// Begins to close an account.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is under way already.
    pub async fn announce_closing(
        &self,
        account: AccountId,
        announced: Date,
        (why, elsewhere): (String, String),
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            if of_account(tx, account).is_ok() {
                return Err(StoreError::Refused {
                    why: "Kontot är redan på väg att stängas.".into(),
                });
            }
            tx.execute(
                "insert into account_closings (account_id, announced, why, elsewhere, by_name, at)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
                params![account.0, announced.to_string(), why, elsewhere, line.user_name, ms(now)],
            )?;
            let what = format!("Kontot ska stängas: {why}");
            note_history(tx, account, &line.user_name, &what, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Notes that a step is done. Said twice, the first stands.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the account is not about to close.
    pub async fn note_closing_step(
        &self,
        account: AccountId,
        step: ClosingStep,
        note: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let closing = of_account(tx, account)?;
            let new = tx.execute(
                "insert into closing_steps (closing_id, step, at, by_name, note)
                 values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
                params![closing.id, step.id(), ms(now), line.user_name, note],
            )?;
            if new > 0 {
                let what = match note.trim() {
                    "" => format!("{}.", step.label()),
                    note => format!("{}. {note}", step.label()),
                };
                note_history(tx, account, &line.user_name, &what, now)?;
            }
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Closes an account. The schema refuses where a step is not done.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the account is not about to close, or is closed.
    pub async fn close_account(
        &self,
        account: AccountId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let closing = of_account(tx, account)?;
            if closing.closed.is_some() {
                return Err(StoreError::Refused { why: "Kontot är redan stängt.".into() });
            }
            tx.execute(
                "update account_closings set closed_at = ?2, closed_by = ?3 where id = ?1",
                params![closing.id, ms(now), line.user_name],
            )?;
            note_history(tx, account, &line.user_name, "Kontot är stängt.", now)?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Takes a closing back, also of an account that was closed.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is none.
    pub async fn withdraw_closing(
        &self,
        account: AccountId,
        why: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let closing = of_account(tx, account)?;
            tx.execute(
                "update account_closings set withdrawn_at = ?2, withdrawn_why = ?3 where id = ?1",
                params![closing.id, ms(now), why],
            )?;
            // A place that was closed is read again at once.
            tx.execute(
                "update fetch_states set next_at = ?2 where account_id = ?1",
                params![account.0, ms(now)],
            )?;
            let what = format!("Kontot ska inte stängas: {why}");
            note_history(tx, account, &line.user_name, &what, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }
}
