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
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// Something that was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafetyRow {
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
                    "select account_id, kind, day, note, at, by_name from account_safety
                     order by day desc, id desc",
                )?,
                [],
                |row| {
                    let kind: String = row.get(1)?;
                    Ok(SafetyRow {
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
                let key = format!("account incident {}", tx.last_insert_rowid());
                let who = "informationssäkerhet";
                tell_trouble(tx, &key, "incident", None, who, subject, problem, row.at)?;
            }
            note_history(tx, row.account, &row.by, &what, row.at)?;
            audit::append(tx, &line, row.at)
        })
        .await
    }
}
