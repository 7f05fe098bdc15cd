//! Crises: begun, ended, read.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::audit;
use super::value::{at, maybe_at, ms, rows};
use crate::domain::crisis::Crisis;
use crate::domain::ids::{AccountId, UserId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

fn numbers(c: &Connection, sql: &str, crisis: i64) -> Result<Vec<i64>, StoreError> {
    rows(&mut c.prepare_cached(sql)?, [crisis], |row| Ok(row.get(0)?))
}

impl Store {
    /// Every crisis, the latest first.
    pub async fn crises(&self) -> Result<Vec<Crisis>, StoreError> {
        self.read(|c| {
            let mut crises = rows(
                &mut c.prepare_cached(
                    "select k.id, k.why, k.began_at, b.name, k.until, k.ended_at, e.name
                     from crises k join users b on b.id = k.began_by
                     left join users e on e.id = k.ended_by order by k.id desc",
                )?,
                [],
                |row| {
                    let ended_by: Option<String> = row.get(6)?;
                    Ok(Crisis {
                        id: row.get(0)?,
                        why: row.get(1)?,
                        began_at: at(row.get(2)?)?,
                        began_by: row.get(3)?,
                        until: at(row.get(4)?)?,
                        ended: maybe_at(row.get(5)?)?.map(|at| (at, ended_by)),
                        accounts: Vec::new(),
                        people: Vec::new(),
                    })
                },
            )?;
            for crisis in &mut crises {
                let of = "select account_id from crisis_accounts where crisis_id = ?1";
                crisis.accounts = numbers(c, of, crisis.id)?.into_iter().map(AccountId).collect();
                let of = "select user_id from crisis_people where crisis_id = ?1";
                crisis.people = numbers(c, of, crisis.id)?.into_iter().map(UserId).collect();
            }
            Ok(crises)
        })
        .await
    }

    /// Begins a crisis, and has its accounts read at once. Those that a person must mend first are left.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where one stands already.
    pub async fn begin_crisis(
        &self,
        (why, until): (String, Timestamp),
        accounts: Vec<AccountId>,
        people: Vec<UserId>,
        by: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let stands =
                tx.prepare_cached("select 1 from crises where ended_at is null")?.exists([])?;
            if stands {
                return Err(StoreError::Refused {
                    why: "Krisläge råder redan. Avsluta det först om det ska ändras.".into(),
                });
            }
            tx.execute(
                "insert into crises (why, began_at, began_by, until) values (?1, ?2, ?3, ?4)",
                params![why, ms(now), by.0, ms(until)],
            )?;
            let crisis = tx.last_insert_rowid();
            for account in &accounts {
                tx.execute("insert into crisis_accounts values (?1, ?2)", [crisis, account.0])?;
            }
            for person in &people {
                tx.execute("insert into crisis_people values (?1, ?2)", [crisis, person.0])?;
            }
            tx.execute(
                "update fetch_states set next_at = min(next_at, ?2)
                 where stopped = 0 and failures = 0 and (
                   not exists (select 1 from crisis_accounts where crisis_id = ?1)
                   or account_id in (select account_id from crisis_accounts where crisis_id = ?1))",
                params![crisis, ms(now)],
            )?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Moves when the crisis that stands is over by itself.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where none stands.
    pub async fn move_crisis(
        &self,
        until: Timestamp,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let n =
                tx.execute("update crises set until = ?1 where ended_at is null", [ms(until)])?;
            if n == 0 {
                return Err(StoreError::Refused { why: "Det råder inget krisläge.".into() });
            }
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Ends the crisis that stands: by a person, or by itself at the moment it was to.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where none stands.
    pub async fn end_crisis(
        &self,
        by: Option<UserId>,
        at: Timestamp,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let n = tx.execute(
                "update crises set ended_at = ?1, ended_by = ?2 where ended_at is null",
                params![ms(at), by.map(|by| by.0)],
            )?;
            if n == 0 {
                return Err(StoreError::Refused { why: "Det råder inget krisläge.".into() });
            }
            audit::append(tx, &line, now)
        })
        .await
    }
}
