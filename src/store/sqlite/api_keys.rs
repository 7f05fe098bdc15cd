//! Keys for programs, and the answers that they were given.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::audit;
use super::cases::filter_sql;
use super::users::{USER, user_row_at};
use super::value::{at, hash, maybe_at, maybe_row, ms, rows};
use crate::domain::api_key::Scope;
use crate::domain::ids::{AccountId, ApiKeyId, CaseId, ContentHash, EvidenceId, UserId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, QueueFilter, UserRow};

/// How long an answer is kept for who sends the same again.
const ANSWERS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What is shown of it.
    pub prefix: String,
    /// Of the whole key.
    pub digest: ContentHash,
    /// What it is called.
    pub name: String,
    /// For whom it acts.
    pub user: UserId,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// The accounts it is for; none: all.
    pub accounts: BTreeSet<AccountId>,
    /// Calls a minute.
    pub per_min: u32,
    /// Who made it.
    pub made_by: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A key as it stands.
#[derive(Clone, Debug)]
pub struct ApiKeyRow {
    /// Its number.
    pub id: ApiKeyId,
    /// What is shown of it.
    pub prefix: String,
    /// What it is called.
    pub name: String,
    /// For whom it acts.
    pub user: UserRow,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// The accounts it is for; none: all.
    pub accounts: BTreeSet<AccountId>,
    /// Calls a minute.
    pub per_min: u32,
    /// When it was made, and by whom.
    pub made: (Timestamp, String),
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked, and by whom.
    pub revoked: Option<(Timestamp, String)>,
    /// Of the whole key.
    pub digest: ContentHash,
}

/// What is known of an act that may have been sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// It is new, and noted as being in hand.
    New,
    /// It is in hand, or the program died in it.
    InHand,
    /// The same token came with something else.
    Another,
    /// It was answered.
    Answered {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
}

/// Where a line of the queue stands in its order: the next page begins behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueMark {
    /// Its place; nothing but 0 where the order is by time alone.
    pub rank: i64,
    /// Its deadline, or when it last changed, in milliseconds.
    pub at_ms: i64,
    /// The case.
    pub case: CaseId,
}

impl QueueMark {
    /// Whether it stands before another in the order of a filter.
    pub fn stands_before(&self, other: &Self, filter: QueueFilter) -> bool {
        let key = |mark: &Self| (mark.rank, mark.at_ms, mark.case);
        if filter_sql(filter).order.ends_with("desc") {
            key(self) > key(other)
        } else {
            key(self) < key(other)
        }
    }
}

const KEY: &str = "k.id, k.prefix, k.name, k.scopes, k.per_min, k.made_at, k.made_by, k.expires_at,
    k.used_at, k.revoked_at, k.revoked_by, k.digest";
const KEY_COLUMNS: usize = 12;

fn scopes(text: &str) -> Result<BTreeSet<Scope>, StoreError> {
    let read = |id: &str| {
        Scope::from_id(id).ok_or_else(|| StoreError::row("api_keys", format!("scope `{id}`")))
    };
    text.split_whitespace().map(read).collect()
}

fn key_row(c: &Connection, row: &Row<'_>) -> Result<ApiKeyRow, StoreError> {
    let id: i64 = row.get(0)?;
    let accounts = rows(
        &mut c.prepare_cached("select account_id from api_key_accounts where key_id = ?1")?,
        [id],
        |row| Ok(AccountId(row.get(0)?)),
    )?;
    let revoked_by: Option<String> = row.get(10)?;
    Ok(ApiKeyRow {
        id: ApiKeyId(id),
        prefix: row.get(1)?,
        name: row.get(2)?,
        user: user_row_at(row, KEY_COLUMNS)?,
        scopes: scopes(&row.get::<_, String>(3)?)?,
        accounts: accounts.into_iter().collect(),
        per_min: row.get(4)?,
        made: (at(row.get(5)?)?, row.get(6)?),
        expires_at: at(row.get(7)?)?,
        used_at: maybe_at(row.get(8)?)?,
        revoked: maybe_at(row.get(9)?)?.zip(revoked_by),
        digest: hash("api_keys", &row.get::<_, Vec<u8>>(11)?)?,
    })
}

impl Store {
    /// Adds a key.
    pub async fn add_api_key(
        &self,
        key: NewApiKey,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<ApiKeyId, StoreError> {
        self.write(move |tx| {
            let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.id()).collect();
            tx.execute(
                "insert into api_keys (prefix, digest, name, user_id, scopes, per_min, made_at, made_by, expires_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    key.prefix,
                    key.digest.bytes(),
                    key.name,
                    key.user.0,
                    scopes.join(" "),
                    key.per_min,
                    ms(now),
                    key.made_by,
                    ms(key.expires_at)
                ],
            )?;
            let id = ApiKeyId(tx.last_insert_rowid());
            for account in &key.accounts {
                tx.execute("insert into api_key_accounts values (?1, ?2)", params![id.0, account.0])?;
            }
            audit::append(tx, &line, now)?;
            Ok(id)
        })
        .await
    }

    /// Every key there has been, newest first.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.read(|c| {
            let sql = format!(
                "select {KEY}, {USER} from api_keys k join users u on u.id = k.user_id order by k.id desc"
            );
            rows(&mut c.prepare_cached(&sql)?, [], |row| key_row(c, row))
        })
        .await
    }

    /// The key of which this is shown.
    pub async fn api_key(&self, prefix: String) -> Result<Option<ApiKeyRow>, StoreError> {
        self.read(move |c| {
            let sql = format!(
                "select {KEY}, {USER} from api_keys k join users u on u.id = k.user_id where k.prefix = ?1"
            );
            maybe_row(&mut c.prepare_cached(&sql)?, [prefix], |row| key_row(c, row))
        })
        .await
    }

    /// Revokes a key. Says whether it was in force.
    pub async fn revoke_api_key(
        &self,
        key: ApiKeyId,
        by: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let n = tx.execute(
                "update api_keys set revoked_at = ?2, revoked_by = ?3 where id = ?1 and revoked_at is null",
                params![key.0, ms(now), by],
            )?;
            if n > 0 {
                audit::append(tx, &line, now)?;
            }
            Ok(n > 0)
        })
        .await
    }

    /// Notes that a key was used.
    pub async fn note_api_key(&self, key: ApiKeyId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update api_keys set used_at = ?2 where id = ?1 and revoked_at is null",
            )?
            .execute(params![key.0, ms(now)])?;
            Ok(())
        })
        .await
    }

    /// Notes that an act is in hand, or says what became of the same one before.
    pub async fn begin_once(
        &self,
        key: ApiKeyId,
        token: String,
        request: ContentHash,
        now: Timestamp,
    ) -> Result<Before, StoreError> {
        self.write(move |tx| {
            let forgotten = now.saturating_sub(ANSWERS_KEPT).unwrap_or(Timestamp::MIN);
            tx.prepare_cached("delete from api_answers where at < ?1")?.execute([ms(forgotten)])?;
            let n = tx
                .prepare_cached(
                    "insert into api_answers (key_id, token, request, at) values (?1, ?2, ?3, ?4)
                     on conflict do nothing",
                )?
                .execute(params![key.0, token, request.bytes(), ms(now)])?;
            if n > 0 {
                return Ok(Before::New);
            }
            let known = tx
                .prepare_cached(
                    "select request, status, body from api_answers where key_id = ?1 and token = ?2",
                )?
                .query_row(params![key.0, token], |row| {
                    Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()?;
            Ok(match known {
                Some((known, _, _)) if known != request.bytes() => Before::Another,
                Some((_, Some(status), Some(body))) => Before::Answered { status, body },
                Some((_, None, _) | (_, _, None)) | None => Before::InHand,
            })
        })
        .await
    }

    /// Keeps what an act was answered with; nothing where it was refused, so that it can be sent again mended.
    pub async fn end_once(
        &self,
        key: ApiKeyId,
        token: String,
        answer: Option<(u16, String)>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            match answer {
                Some((status, body)) => tx
                    .prepare_cached(
                        "update api_answers set status = ?3, body = ?4 where key_id = ?1 and token = ?2",
                    )?
                    .execute(params![key.0, token, status, body])?,
                None => tx
                    .prepare_cached("delete from api_answers where key_id = ?1 and token = ?2")?
                    .execute(params![key.0, token])?,
            };
            Ok(())
        })
        .await
    }

    /// Cases of the queue in its order behind a mark, each by itself also where it stands behind a similar one.
    pub async fn queue_behind(
        &self,
        filter: QueueFilter,
        account: Option<AccountId>,
        behind: Option<QueueMark>,
        most: u32,
    ) -> Result<Vec<QueueMark>, StoreError> {
        self.read(move |c| {
            let sql = filter_sql(filter);
            let way = usize::from(account.is_some());
            let (index, rank, by, order) = match filter {
                QueueFilter::Open => {
                    (["cases_queue", "cases_queue_of_account"][way], "k.rank", "k.due_at", false)
                }
                QueueFilter::Held
                | QueueFilter::Decided
                | QueueFilter::AwaitingDiary
                | QueueFilter::Closed
                | QueueFilter::Exempt
                | QueueFilter::Secret => {
                    (sql.index[way], "0", "k.changed_at", sql.order.ends_with("desc"))
                }
            };
            let (sign, falls) = if order { ("<", "desc") } else { (">", "") };
            let only = match account {
                Some(_) => "and k.account_id = ?5",
                None => "and ?5 is null",
            };
            // As the index has them, so that a page costs what it holds.
            let (tuple, values) = match filter {
                QueueFilter::Open => ("(k.rank, k.due_at, k.id)", "(?2, ?3, ?4)"),
                QueueFilter::Held
                | QueueFilter::Decided
                | QueueFilter::AwaitingDiary
                | QueueFilter::Closed
                | QueueFilter::Exempt
                | QueueFilter::Secret => ("(k.changed_at, k.id)", "(?3, ?4 + 0 * ?2)"),
            };
            let behind_it = match behind {
                Some(_) => format!("and {tuple} {sign} {values}"),
                None => "and ?2 is null and ?3 is null and ?4 is null".to_owned(),
            };
            let ordered = match filter {
                QueueFilter::Open => "k.rank, k.due_at, k.id".to_owned(),
                QueueFilter::Held
                | QueueFilter::Decided
                | QueueFilter::AwaitingDiary
                | QueueFilter::Closed
                | QueueFilter::Exempt
                | QueueFilter::Secret => format!("k.changed_at {falls}, k.id {falls}"),
            };
            let condition = sql.condition;
            let ask = format!(
                "select {rank}, {by}, k.id from cases k indexed by {index}
                 where {condition} {only} {behind_it} order by {ordered} limit ?1"
            );
            let mark = behind.map(|mark| (mark.rank, mark.at_ms, mark.case.0));
            let values = params![
                most,
                mark.map(|(rank, _, _)| rank),
                mark.map(|(_, at, _)| at),
                mark.map(|(_, _, case)| case),
                account.map(|account| account.0)
            ];
            rows(&mut c.prepare_cached(&ask)?, values, |row| {
                Ok(QueueMark { rank: row.get(0)?, at_ms: row.get(1)?, case: CaseId(row.get(2)?) })
            })
        })
        .await
    }

    /// The account of a case.
    pub async fn account_of_case(&self, case: CaseId) -> Result<AccountId, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached("select account_id from cases where id = ?1")?,
                [case.0],
                |row| Ok(AccountId(row.get(0)?)),
            )?
            .ok_or(StoreError::NotFound { what: "case" })
        })
        .await
    }

    /// The account of a record.
    pub async fn account_of_record(&self, record: EvidenceId) -> Result<AccountId, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(
                    "select i.account_id from evidence e join items i on i.id = e.item_id where e.id = ?1",
                )?,
                [record.0],
                |row| Ok(AccountId(row.get(0)?)),
            )?
            .ok_or(StoreError::NotFound { what: "evidence" })
        })
        .await
    }
}
