//! Saved filters of the queue, and what cases are picked by.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::audit;
use super::cases::filter_sql;
use super::value::{at, ms, rows};
use crate::domain::category::{Category, Severity};
use crate::domain::ids::{AccountId, CaseId, SavedFilterId, UserId};
use crate::domain::sieve::Candidate;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, QueueFilter};

/// A saved filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFilter {
    /// Its row.
    pub id: SavedFilterId,
    /// Whose it is; none: everybody's.
    pub owner: Option<UserId>,
    /// What it is called.
    pub name: String,
    /// What it asks for, as an address says it.
    pub query: String,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
    /// Whether it was taken away.
    pub removed: bool,
}

fn saved(row: &Row<'_>) -> Result<SavedFilter, StoreError> {
    Ok(SavedFilter {
        id: SavedFilterId(row.get(0)?),
        owner: row.get::<_, Option<i64>>(1)?.map(UserId),
        name: row.get(2)?,
        query: row.get(3)?,
        changed_at: at(row.get(4)?)?,
        changed_by: row.get(5)?,
        removed: row.get(6)?,
    })
}

const FILTER: &str =
    "f.id, f.owner_id, f.name, f.query, f.changed_at, u.name, f.removed_at is not null
    from saved_filters f join users u on u.id = f.changed_by";

/// The most that one person keeps, and the most that all share.
const MOST: i64 = 30;

/// Refuses one more where there are as many as there may be.
fn room_for_one(tx: &Transaction<'_>, owner: Option<UserId>) -> Result<(), StoreError> {
    let n: i64 = tx.query_row(
        "select count(*) from saved_filters where owner_id is ?1 and removed_at is null",
        [owner.map(|owner| owner.0)],
        |row| row.get(0),
    )?;
    if n >= MOST {
        return Err(StoreError::Refused {
            why: "Det finns redan 30 sparade filter. Ta bort ett som inte används.".into(),
        });
    }
    Ok(())
}

impl Store {
    /// What a person may pick: their own by name, then everybody's. Also those that were taken away, where asked for.
    pub async fn saved_filters(
        &self,
        user: UserId,
        removed_too: bool,
    ) -> Result<Vec<SavedFilter>, StoreError> {
        self.read(move |c| {
            let sql = format!(
                "select {FILTER} where (f.owner_id is null or f.owner_id = ?1)
                   and (?2 or f.removed_at is null)
                 order by f.owner_id is null, f.name, f.id limit 200"
            );
            rows(&mut c.prepare_cached(&sql)?, params![user.0, removed_too], saved)
        })
        .await
    }

    /// Keeps a filter, new or changed.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there are too many; [`StoreError::NotFound`] where it is somebody else's.
    pub async fn keep_filter(
        &self,
        filter: Option<SavedFilterId>,
        (owner, by): (Option<UserId>, UserId),
        (name, query): (String, Option<String>),
        line: AuditLine,
        now: Timestamp,
    ) -> Result<SavedFilterId, StoreError> {
        self.write(move |tx| {
            let owner = owner.map(|owner| owner.0);
            let id = match filter {
                None => {
                    room_for_one(tx, owner.map(UserId))?;
                    tx.execute(
                        "insert into saved_filters (owner_id, name, query, changed_at, changed_by)
                         values (?1, ?2, ?3, ?4, ?5)",
                        params![owner, name, query.unwrap_or_default(), ms(now), by.0],
                    )?;
                    tx.last_insert_rowid()
                }
                Some(filter) => {
                    let n = tx.execute(
                        "update saved_filters set name = ?3, query = coalesce(?4, query),
                           changed_at = ?5, changed_by = ?6
                         where id = ?1 and owner_id is ?2 and removed_at is null",
                        params![filter.0, owner, name, query, ms(now), by.0],
                    )?;
                    if n == 0 {
                        return Err(StoreError::NotFound { what: "saved filter" });
                    }
                    filter.0
                }
            };
            let subject = format!("saved filter {id}");
            audit::append(tx, &AuditLine { subject, ..line }, now)?;
            Ok(SavedFilterId(id))
        })
        .await
    }

    /// Takes a filter away, or brings it back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is somebody else's.
    pub async fn turn_filter(
        &self,
        filter: SavedFilterId,
        (owner, by): (Option<UserId>, UserId),
        removed: bool,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            if !removed {
                room_for_one(tx, owner)?;
            }
            let n = tx.execute(
                "update saved_filters set removed_at = case when ?3 then ?4 end, changed_at = ?4,
                   changed_by = ?5
                 where id = ?1 and owner_id is ?2",
                params![filter.0, owner.map(|owner| owner.0), removed, ms(now), by.0],
            )?;
            if n == 0 {
                return Err(StoreError::NotFound { what: "saved filter" });
            }
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Cases of the queue in its order, each by itself also where it stands behind a similar one, as far as
    /// they are picked by: so many from the `offset`th on. `holder`: those alone that somebody works with, who are
    /// few, so that the rest is not walked.
    pub async fn candidates(
        &self,
        filter: QueueFilter,
        account_key: Option<String>,
        holder: Option<UserId>,
        (offset, most): (u32, u32),
        now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        self.read(move |c| {
            let account = match &account_key {
                None => None,
                Some(key) => {
                    let mut ask = c.prepare_cached("select id from accounts where key = ?1")?;
                    let found: Option<i64> = ask.query_row([key], |row| row.get(0)).optional()?;
                    // An account that there is not has no cases.
                    let Some(found) = found else { return Ok(Vec::new()) };
                    Some(found)
                }
            };
            let sql = filter_sql(filter);
            let (condition, order) = (sql.condition, sql.order);
            let way = usize::from(account.is_some());
            let index = match filter {
                _ if holder.is_some() => "cases_by_holder",
                QueueFilter::Open => ["cases_queue", "cases_queue_of_account"][way],
                QueueFilter::Held
                | QueueFilter::Decided
                | QueueFilter::AwaitingDiary
                | QueueFilter::Closed
                | QueueFilter::Exempt
                | QueueFilter::Secret => sql.index[way],
            };
            let only = match account {
                Some(_) => "and k.account_id = ?4",
                None => "and ?4 is null",
            };
            let held = match holder {
                Some(_) => "and k.claimed_by = ?5",
                None => "and ?5 is null",
            };
            let ask = format!(
                "select k.id, k.account_id, k.category, k.severity, k.opened_at, k.due_at,
                        case when k.claimed_until > ?3 then k.claimed_by end, k.secret
                 from cases k indexed by {index} where {condition} {only} {held}
                 order by {order} limit ?1 offset ?2"
            );
            let holder = holder.map(|user| user.0);
            rows(
                &mut c.prepare_cached(&ask)?,
                params![most, offset, ms(now), account, holder],
                |row| {
                    let category: Option<String> = row.get(2)?;
                    let category = category
                        .map(|id| id.parse::<Category>().map_err(|e| StoreError::row("cases", e)))
                        .transpose()?;
                    let severity = match row.get::<_, u8>(3)? {
                        1 => Some(Severity::Low),
                        2 => Some(Severity::Medium),
                        3 => Some(Severity::High),
                        _ => None,
                    };
                    Ok(Candidate {
                        case: CaseId(row.get(0)?),
                        account: AccountId(row.get(1)?),
                        category,
                        severity,
                        opened_at: at(row.get(4)?)?,
                        due_at: at(row.get(5)?)?,
                        claimed_by: row.get::<_, Option<i64>>(6)?.map(UserId),
                        responsible: None,
                        secret: row.get(7)?,
                    })
                },
            )
        })
        .await
    }

    /// The accounts that somebody has a part in.
    pub async fn accounts_of(&self, user: UserId) -> Result<BTreeSet<AccountId>, StoreError> {
        self.read(move |c| {
            let sql = "select account_id from account_people where user_id = ?1";
            let found =
                rows(&mut c.prepare_cached(sql)?, [user.0], |row| Ok(AccountId(row.get(0)?)))?;
            Ok(found.into_iter().collect())
        })
        .await
    }
}
