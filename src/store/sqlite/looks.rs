//! The supervision log: who looked at which account, by the machine's rounds and by people.

use jiff::Timestamp;
use rusqlite::params;

use super::value::{at, maybe_row, ms, rows};
use crate::domain::ids::{AccountId, UserId};
use crate::store::Store;
use crate::store::error::StoreError;

/// People's looks are noted once in so many milliseconds: ten minutes.
pub const SLOT_MS: i64 = 600_000;

/// An hour of the machine's rounds at an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineHour {
    /// When the hour began.
    pub hour: Timestamp,
    /// Rounds that went well.
    pub n_ok: u32,
    /// Rounds that failed.
    pub n_failed: u32,
    /// What went wrong last, in Swedish.
    pub problem: Option<String>,
}

/// A person's look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonLook {
    /// At which account; none for all of them.
    pub account: Option<AccountId>,
    /// Who.
    pub name: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Notes that a person looked: at one account, or at all of them.
    pub async fn note_person_look(
        &self,
        account: Option<AccountId>,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "insert into person_looks (account_id, user_id, slot, at) values (?1, ?2, ?3, ?4)
                 on conflict do nothing",
            )?
            .execute(params![
                account.map_or(0, |account| account.0),
                user.0,
                ms(now).div_euclid(SLOT_MS),
                ms(now)
            ])?;
            Ok(())
        })
        .await
    }

    /// People's looks from one moment to another, in order.
    pub async fn person_looks(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<PersonLook>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select l.account_id, u.name, l.at from person_looks l
                     join users u on u.id = l.user_id
                     where l.slot between ?1 and ?2 and l.at >= ?3 and l.at < ?4
                     order by l.at",
                )?,
                params![ms(from).div_euclid(SLOT_MS), ms(to).div_euclid(SLOT_MS), ms(from), ms(to)],
                |row| {
                    let account: i64 = row.get(0)?;
                    Ok(PersonLook {
                        account: (account != 0).then_some(AccountId(account)),
                        name: row.get(1)?,
                        at: at(row.get(2)?)?,
                    })
                },
            )
        })
        .await
    }

    /// When the newest entry of the log was made.
    pub async fn last_entry_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|c| {
            let last = "select at from log order by seq desc limit 1";
            maybe_row(&mut c.prepare_cached(last)?, [], |row| at(row.get(0)?))
        })
        .await
    }

    /// Since when each account is known here.
    pub async fn accounts_since(&self) -> Result<Vec<(AccountId, Timestamp)>, StoreError> {
        self.read(|c| {
            rows(&mut c.prepare_cached("select id, added_at from accounts")?, [], |row| {
                Ok((AccountId(row.get(0)?), at(row.get(1)?)?))
            })
        })
        .await
    }

    /// The machine's rounds at an account from one moment to another, by the hour.
    pub async fn machine_hours(
        &self,
        account: AccountId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MachineHour>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select hour, n_ok, n_failed, last_problem from looks
                     where account_id = ?1 and hour >= ?2 and hour < ?3 order by hour",
                )?,
                params![account.0, ms(from), ms(to)],
                |row| {
                    Ok(MachineHour {
                        hour: at(row.get(0)?)?,
                        n_ok: row.get(1)?,
                        n_failed: row.get(2)?,
                        problem: row.get(3)?,
                    })
                },
            )
        })
        .await
    }
}
