//! Accounts, where fetching stands, and the machine's part of the supervision log.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, Transaction, params};

use super::value::{at, hash, maybe_at, maybe_row, ms, rows};
use crate::domain::account::{Account, PlatformKind};
use crate::domain::breaker::{Breaker, Trouble};
use crate::domain::ids::{AccountId, AccountKey, ContentHash, Cursor};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AccountOverview, FetchState};

/// One row of `looks` covers an hour.
const HOUR_MS: i64 = 3_600_000;

const ACCOUNT: &str = "a.id, a.key, a.platform, a.name, a.simulated";
const FETCH: &str =
    "f.cursor, f.last_ok_at, f.last_try_at, f.failures, f.next_at, f.problem, f.stopped,
     f.class, f.alike, f.open_since,
     (select group_concat(g.what, ' ') from
        (select what from gaps where account_id = f.account_id and closed_at is null
         order by seen_at desc limit 3) g)";

/// What was not told of again for so long is no gap any more: a walk that reaches as far as the first
/// one did is made every day.
const GAP_CLOSES: SignedDuration = SignedDuration::from_hours(24 * 3);

/// Reads the columns of [`ACCOUNT`] from `first` on.
pub(super) fn account(row: &Row<'_>, first: usize) -> Result<Account, StoreError> {
    let platform: String = row.get(first + 2)?;
    Ok(Account {
        id: AccountId(row.get(first)?),
        key: AccountKey::new(row.get::<_, String>(first + 1)?),
        platform: PlatformKind::from_id(&platform)
            .ok_or_else(|| StoreError::row("accounts", format!("platform `{platform}`")))?,
        name: row.get(first + 3)?,
        simulated: row.get(first + 4)?,
    })
}

fn fetch_state(row: &Row<'_>, first: usize) -> Result<FetchState, StoreError> {
    let class: Option<String> = row.get(first + 7)?;
    let class = class
        .map(|id| {
            Trouble::from_id(&id)
                .ok_or_else(|| StoreError::row("fetch_states", format!("class `{id}`")))
        })
        .transpose()?;
    let alike: u32 = row.get(first + 8)?;
    Ok(FetchState {
        cursor: row.get::<_, Option<String>>(first)?.map(Cursor::new),
        last_ok_at: maybe_at(row.get(first + 1)?)?,
        last_try_at: maybe_at(row.get(first + 2)?)?,
        failures: row.get(first + 3)?,
        next_at: at(row.get(first + 4)?)?,
        problem: row.get(first + 5)?,
        stopped: row.get(first + 6)?,
        alike: class.map(|class| (class, alike)),
        open_since: maybe_at(row.get(first + 9)?)?,
        gap: row.get(first + 10)?,
    })
}

/// Notes what a step says is missing, and closes what has not been missed for long. `since` and
/// `seen_at` tell when it was first and last said; it stays on record.
pub(super) fn note_gap(
    tx: &Transaction<'_>,
    account: AccountId,
    gap: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(what) = gap {
        let known = tx
            .prepare_cached(
                "update gaps set seen_at = ?3 where account_id = ?1 and what = ?2 and closed_at is null",
            )?
            .execute(params![account.0, what, ms(now)])?;
        if known == 0 {
            tx.prepare_cached(
                "insert into gaps (account_id, what, since, seen_at) values (?1, ?2, ?3, ?3)",
            )?
            .execute(params![account.0, what, ms(now)])?;
        }
    }
    let before = now.saturating_sub(GAP_CLOSES).unwrap_or(Timestamp::MIN);
    tx.prepare_cached(
        "update gaps set closed_at = ?2
         where account_id = ?1 and closed_at is null and seen_at < ?3",
    )?
    .execute(params![account.0, ms(now), ms(before)])?;
    Ok(())
}

/// Notes a look at an account in the supervision log.
pub(super) fn note_look(
    tx: &Transaction<'_>,
    account: AccountId,
    now: Timestamp,
    n_items: usize,
    problem: Option<&str>,
) -> Result<(), StoreError> {
    let hour = ms(now).div_euclid(HOUR_MS) * HOUR_MS;
    let ok = problem.is_none();
    tx.prepare_cached(
        "insert into looks (account_id, hour, n_ok, n_failed, n_items, last_ok_at, last_problem)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict (account_id, hour) do update set
           n_ok = n_ok + excluded.n_ok, n_failed = n_failed + excluded.n_failed,
           n_items = n_items + excluded.n_items,
           last_ok_at = coalesce(excluded.last_ok_at, last_ok_at),
           last_problem = coalesce(excluded.last_problem, last_problem)",
    )?
    .execute(params![
        account.0,
        hour,
        i64::from(ok),
        i64::from(!ok),
        n_items as i64,
        ok.then_some(ms(now)),
        problem
    ])?;
    Ok(())
}

impl Store {
    /// Makes the account known, or brings its name up to date. A key keeps its platform for ever:
    /// items of another platform must not mix with the old ones.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the key was used for another platform or for a simulator.
    pub async fn ensure_account(
        &self,
        key: AccountKey,
        platform: PlatformKind,
        name: String,
        simulated: bool,
        now: Timestamp,
    ) -> Result<Account, StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into accounts (key, platform, name, simulated, added_at)
                 values (?1, ?2, ?3, ?4, ?5)
                 on conflict (key) do update set name = excluded.name",
                params![key.as_str(), platform.id(), name, simulated, ms(now)],
            )?;
            let found = maybe_row(
                &mut tx
                    .prepare_cached(&format!("select {ACCOUNT} from accounts a where key = ?1"))?,
                [key.as_str()],
                |row| account(row, 0),
            )?
            .ok_or(StoreError::NotFound { what: "account" })?;
            if found.platform != platform || found.simulated != simulated {
                return Err(StoreError::Refused {
                    why: format!(
                        "kontonyckeln `{key}` har redan använts för {}; välj en ny nyckel",
                        found.platform.label()
                    ),
                });
            }
            tx.execute(
                "insert into fetch_states (account_id) values (?1) on conflict do nothing",
                [found.id.0],
            )?;
            Ok(found)
        })
        .await
    }

    /// Every account that was ever served, by key.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.read(|c| {
            rows(
                &mut c
                    .prepare_cached(&format!("select {ACCOUNT} from accounts a order by a.key"))?,
                [],
                |row| account(row, 0),
            )
        })
        .await
    }

    /// Every account with where its fetching stands, by key.
    pub async fn account_overview(&self) -> Result<Vec<AccountOverview>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {ACCOUNT}, {FETCH},
                            f.n_items,
                            (select count(*) from unreadable u where u.account_id = a.id),
                            l.at, l.place || ': ' || l.problem
                     from accounts a join fetch_states f on f.account_id = a.id
                     left join unreadable l on l.id =
                            (select max(u.id) from unreadable u where u.account_id = a.id)
                     order by a.key"
                ))?,
                [],
                |row| {
                    Ok(AccountOverview {
                        account: account(row, 0)?,
                        fetch: fetch_state(row, 5)?,
                        n_items: row.get(16)?,
                        n_unreadable: row.get(17)?,
                        last_unreadable: maybe_at(row.get(18)?)?.zip(row.get(19)?),
                    })
                },
            )
        })
        .await
    }

    /// The accounts whose time has come, longest overdue first.
    pub async fn fetch_schedule(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(AccountId, FetchState)>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {FETCH}, f.account_id from fetch_states f
                     where f.next_at <= ?1 and not exists (
                       select 1 from account_closings c where c.account_id = f.account_id
                         and c.closed_at is not null and c.withdrawn_at is null)
                     order by f.next_at"
                ))?,
                [ms(now)],
                |row| Ok((AccountId(row.get(11)?), fetch_state(row, 0)?)),
            )
        })
        .await
    }

    /// Where fetching of one account stands.
    pub async fn fetch_state(&self, account: AccountId) -> Result<FetchState, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {FETCH} from fetch_states f where f.account_id = ?1"
                ))?,
                [account.0],
                |row| fetch_state(row, 0),
            )?
            .ok_or(StoreError::NotFound { what: "account" })
        })
        .await
    }

    /// Notes that fetching failed, what that made of the account's breaker, and when to try again. The cursor
    /// stays where it is.
    pub async fn record_fetch_failure(
        &self,
        account: AccountId,
        problem: String,
        breaker: Breaker,
        next_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let (alike, since) = match breaker {
                Breaker::Closed { alike, .. } => (alike, None),
                Breaker::Open { why, since, failures, .. }
                | Breaker::HalfOpen { why, since, failures } => {
                    (Some((why, failures)), Some(since))
                }
            };
            let stopped = since.is_some() && alike.is_some_and(|(why, _)| why.needs_a_person());
            tx.execute(
                "update fetch_states set last_try_at = ?2, failures = ?3, next_at = ?4,
                        problem = ?5, stopped = ?6, class = ?7, alike = ?8, open_since = ?9
                 where account_id = ?1",
                params![
                    account.0,
                    ms(now),
                    breaker.failures(),
                    ms(next_at),
                    problem,
                    stopped,
                    alike.map(|(why, _)| why.id()),
                    alike.map_or(0, |(_, n)| n),
                    since.map(ms)
                ],
            )?;
            note_look(tx, account, now, 0, Some(&problem))
        })
        .await
    }

    /// Lets a stopped account be tried again, after a person may have mended it: by a probe, where it rests.
    pub async fn resume_fetching(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "update fetch_states set stopped = 0, failures = 0, next_at = ?2 where account_id = ?1",
                params![account.0, ms(now)],
            )?;
            Ok(())
        })
        .await
    }

    /// Forgets answered pushes older than `before`.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.write(move |tx| {
            tx.execute("delete from seen_signatures where at < ?1", [ms(before)])?;
            Ok(tx.execute("delete from deliveries where at < ?1", [ms(before)])?)
        })
        .await
    }
}

/// Has an account read sooner than it would be, since a platform says that there is something: not sooner than
/// `apart` after the last look, and not where it rests or has been asked to wait.
pub(super) fn hasten(
    c: &Connection,
    account: AccountId,
    apart: SignedDuration,
    now: Timestamp,
) -> Result<(), StoreError> {
    c.prepare_cached(
        "update fetch_states
         set next_at = min(next_at, max(?2, coalesce(last_try_at, ?2 - ?3) + ?3))
         where account_id = ?1 and stopped = 0 and failures = 0",
    )?
    .execute(params![account.0, ms(now), apart.as_millis() as i64])?;
    Ok(())
}

/// The delivery under which this was signed and answered before.
pub(super) fn signed_before(
    c: &Connection,
    account: AccountId,
    signed: ContentHash,
) -> Result<Option<String>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(
            "select delivery from seen_signatures where account_id = ?1 and signed = ?2",
        )?,
        params![account.0, signed.bytes()],
        |row| Ok(row.get(0)?),
    )
}

/// Remembers what was signed. A delivery sent again is signed anew, with another time.
pub(super) fn note_signed(
    c: &Connection,
    account: AccountId,
    signed: ContentHash,
    delivery: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    c.prepare_cached(
        "insert into seen_signatures (account_id, signed, at, delivery) values (?1, ?2, ?3, ?4)
         on conflict (account_id, signed) do nothing",
    )?
    .execute(params![account.0, signed.bytes(), ms(now), delivery])?;
    Ok(())
}

/// The answer of a push that has been answered, with the hash of the body it came with.
pub(super) fn delivery_answer(
    c: &Connection,
    account: AccountId,
    delivery: &str,
) -> Result<Option<(String, ContentHash)>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(
            "select answer, body_hash from deliveries where account_id = ?1 and delivery = ?2",
        )?,
        params![account.0, delivery],
        |row| Ok((row.get(0)?, hash("deliveries", &row.get::<_, Vec<u8>>(1)?)?)),
    )
}
