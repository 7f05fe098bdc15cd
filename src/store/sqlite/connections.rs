//! What platforms tell of the logins of accounts: when they end, and what they lack.

use jiff::Timestamp;
use rusqlite::params;

use super::value::{at, maybe_at, ms, rows};
use crate::domain::ids::AccountId;
use crate::store::Store;
use crate::store::error::StoreError;

/// An end that is told within this of the known one is the same end: some platforms count it anew from each
/// renewal, to the second.
const SAME_MS: i64 = 12 * 3_600_000;

/// What a platform told of an account's login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Of which account.
    pub account: AccountId,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When the login ends; nothing where the platform tells of no end.
    pub ends_at: Option<Timestamp>,
    /// What is missing for full service, in Swedish.
    pub lacks: Vec<String>,
}

impl Store {
    /// Notes what a platform told of an account's login.
    pub async fn note_credential(&self, told: Credential) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into credentials (account_id, asked_at, ends_at, lacks)
                 values (?1, ?2, ?3, ?4)
                 on conflict (account_id) do update set
                   asked_at = excluded.asked_at, lacks = excluded.lacks,
                   ends_at = case when abs(ends_at - excluded.ends_at) < ?5 then ends_at
                                  else excluded.ends_at end",
                params![
                    told.account.0,
                    ms(told.asked_at),
                    told.ends_at.map(ms),
                    told.lacks.join("\n"),
                    SAME_MS
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Notes that a platform was asked and did not tell: what it told before stands.
    pub async fn note_credential_asked(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into credentials (account_id, asked_at) values (?1, ?2)
                 on conflict (account_id) do update set asked_at = excluded.asked_at",
                params![account.0, ms(now)],
            )?;
            Ok(())
        })
        .await
    }

    /// What each platform told last.
    pub async fn credentials(&self) -> Result<Vec<Credential>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select account_id, asked_at, ends_at, lacks from credentials order by account_id",
                )?,
                [],
                |row| {
                    let lacks: String = row.get(3)?;
                    Ok(Credential {
                        account: AccountId(row.get(0)?),
                        asked_at: at(row.get(1)?)?,
                        ends_at: maybe_at(row.get(2)?)?,
                        lacks: lacks.lines().map(str::to_owned).collect(),
                    })
                },
            )
        })
        .await
    }

    /// Accounts that rest or are being probed, with since when. Those that are closed are left out.
    pub async fn resting(&self) -> Result<Vec<(AccountId, Timestamp)>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select f.account_id, f.open_since from fetch_states f
                     where f.open_since is not null and not exists (
                       select 1 from account_closings c where c.account_id = f.account_id
                         and c.closed_at is not null and c.withdrawn_at is null)
                     order by f.open_since",
                )?,
                [],
                |row| Ok((AccountId(row.get(0)?), at(row.get(1)?)?)),
            )
        })
        .await
    }
}
