//! Cases: the queue, one case, history.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::accounts::account;
use super::lines;
use super::value::{at, each_row, from_json, json, maybe_at, maybe_row, ms, rows};
use crate::domain::case::{CaseEvent, CaseState};
use crate::domain::category::{Category, Severity};
use crate::domain::claim::{Claim, Hold};
use crate::domain::ids::{CaseId, DecisionId, ItemId, UserId, VersionId};
use crate::domain::verdict::Verdict;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::queue::QueueRow;
use crate::store::rows::{CaseCounts, CaseEventRow, CaseRow, Lines, QueueFilter};

/// How much of a text the queue needs, in bytes: one line, shortened by the page. Bytes, because
/// SQLite's own counting of characters ends at the first NUL.
const HEAD_BYTES: usize = 800;

/// Who let a case rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetRest {
    /// By which decision.
    pub decision: DecisionId,
    /// Their name.
    pub name: String,
    /// Their address, where they have one.
    pub mail: Option<String>,
}

const CASE: &str = "k.id, k.item_id, k.version_id, k.state_json, k.rank, k.severity, k.category,
    k.opened_at, k.due_at, k.claimed_by, k.claimed_until, k.revision,
    (select name from users u where u.id = k.claimed_by), k.claim_kept,
    coalesce(k.waits_since, k.opened_at), k.rested_at is not null, k.outside,
    k.veiled_at is not null";
const CASE_COLUMNS: usize = 18;

/// How many others have nearly the same text: no more are counted than a page needs to say.
const N_ALIKE: &str = "(select count(*) from (select 1 from alikes l
    join alikes o on o.group_id = l.group_id and o.item_id <> l.item_id
    where l.item_id = k.item_id limit 100))";

/// How many others of its group wait: on all accounts, and on its own.
const N_SIMILAR: [&str; 2] = [
    "(select count(*) from (select 1 from cases g indexed by cases_of_group
       where g.group_id = k.group_id and g.state in ('waiting', 'returned') and g.id <> k.id limit 200))",
    "(select count(*) from (select 1 from cases g indexed by cases_of_group_here
       where g.group_id = k.group_id and g.account_id = k.account_id
         and g.state in ('waiting', 'returned') and g.id <> k.id limit 200))",
];

/// See [`Store::earlier_cases_of_author`].
pub(super) const EARLIER_CASES: &str = "select k2.id, k2.opened_at, k2.state_json
    from cases k join items i on i.id = k.item_id join versions v on v.id = k.version_id
    -- By the index on authors; the plus keeps it from going through all items.
    join versions v2
      on json_extract(v2.author, '$.platform_id') = json_extract(v.author, '$.platform_id')
    join items i2 on i2.id = v2.item_id and +i2.account_id = i.account_id
    join cases k2 on k2.item_id = v2.item_id and k2.version_id = v2.id
    where k.id = ?1 and k2.id <> k.id
    order by k2.id desc limit ?2";

/// Reads the columns of [`CASE`].
fn case_row(row: &Row<'_>) -> Result<CaseRow, StoreError> {
    let severity: u8 = row.get(5)?;
    let category: Option<String> = row.get(6)?;
    let claim = match (row.get::<_, Option<i64>>(9)?, maybe_at(row.get(10)?)?) {
        (Some(by), Some(until)) => {
            let name: Option<String> = row.get(12)?;
            let hold = if row.get(13)? { Hold::Kept } else { Hold::Opened };
            Some((Claim { by: UserId(by), until, hold }, name.unwrap_or_default()))
        }
        (Some(_), None) | (None, Some(_) | None) => None,
    };
    Ok(CaseRow {
        id: CaseId(row.get(0)?),
        item: ItemId(row.get(1)?),
        version: VersionId(row.get(2)?),
        state: from_json("cases", &row.get::<_, String>(3)?)?,
        rank: row.get(4)?,
        severity: match severity {
            0 => None,
            1 => Some(Severity::Low),
            2 => Some(Severity::Medium),
            3 => Some(Severity::High),
            other => return Err(StoreError::row("cases", format!("severity {other}"))),
        },
        category: category
            .map(|c| c.parse::<Category>().map_err(|e| StoreError::row("cases", e)))
            .transpose()?,
        opened_at: at(row.get(7)?)?,
        due_at: at(row.get(8)?)?,
        waits_since: at(row.get(14)?)?,
        has_rested: row.get(15)?,
        claim,
        revision: row.get(11)?,
        outside: row.get(16)?,
        veiled: row.get(17)?,
    })
}

/// One case, or that it does not exist.
pub(super) fn the_case(c: &Connection, case: CaseId) -> Result<CaseRow, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!("select {CASE} from cases k where k.id = ?1"))?,
        [case.0],
        case_row,
    )?
    .ok_or(StoreError::NotFound { what: "case" })
}

/// The case of an item, if it has one.
pub(super) fn case_of_item(c: &Connection, item: ItemId) -> Result<Option<CaseRow>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!("select {CASE} from cases k where k.item_id = ?1"))?,
        [item.0],
        case_row,
    )
}

/// Writes the next state. Every change of state goes through here.
pub(super) fn set_state(
    tx: &Transaction<'_>,
    case: CaseId,
    state: &CaseState,
    now: Timestamp,
) -> Result<(), StoreError> {
    // What came back stands before all but somebody's life.
    let came_back = matches!(state, CaseState::Returned { .. });
    tx.prepare_cached(
        "update cases set state = ?2, state_json = ?3, changed_at = ?4, revision = revision + 1,
                rested_at = null,
                closed_at = case when ?2 = 'closed' then coalesce(closed_at, ?4) end,
                rank = case when ?5 then min(rank, 1) else rank end
         where id = ?1",
    )?
    .execute(params![case.0, state.id(), json(state)?, ms(now), came_back])?;
    Ok(())
}

/// Marks a case as changed, so that open pages show it anew. Its revision stays: what changed
/// does not make a decision on it stale, and a closed case was closed when it was.
pub(super) fn touch(tx: &Transaction<'_>, case: CaseId, now: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached("update cases set changed_at = ?2 where id = ?1")?
        .execute(params![case.0, ms(now)])?;
    Ok(())
}

/// Adds a step to a case's history.
pub(super) fn note_event(
    tx: &Transaction<'_>,
    case: CaseId,
    user: Option<(UserId, &str)>,
    what: &str,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into case_events (case_id, at, user_id, user_name, what, detail)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        case.0,
        ms(now),
        user.map(|(id, _)| id.0),
        user.map(|(_, name)| name),
        what,
        detail
    ])?;
    lines::grown(tx, Lines::History)
}

/// The first bytes of a text as text: a character cut in two at the end goes.
fn head(mut bytes: Vec<u8>) -> String {
    if let Err(error) = std::str::from_utf8(&bytes) {
        bytes.truncate(error.valid_up_to());
    }
    // What is left was just found to be valid.
    String::from_utf8(bytes).unwrap_or_default()
}

fn queue_row(row: &Row<'_>) -> Result<QueueRow, StoreError> {
    let n = CASE_COLUMNS;
    let verdict: Option<String> = row.get(n + 11)?;
    // SQLite makes nothing of an empty blob's beginning.
    let text = row.get::<_, Option<Vec<u8>>>(n + 7)?.unwrap_or_default();
    Ok(QueueRow {
        case: case_row(row)?,
        account: account(row, n)?,
        kind: super::items::item_kind(&row.get::<_, String>(n + 5)?)?,
        author: from_json("versions", &row.get::<_, String>(n + 6)?)?,
        text_is_cut: text.len() >= HEAD_BYTES,
        text_head: head(text),
        created_at: maybe_at(row.get(n + 8)?)?,
        first_fetched_at: at(row.get(n + 9)?)?,
        presence: super::items::presence(&row.get::<_, String>(n + 10)?)?,
        verdict: verdict.map(|v| from_json::<Verdict>("verdicts", &v)).transpose()?,
        sealed: row.get(n + 12)?,
        n_alike: row.get(n + 13)?,
        n_similar: row.get(n + 14)?,
        no_copy: row.get(n + 15)?,
        secret: row.get(n + 16)?,
    })
}

/// How one filter is asked for.
pub(super) struct FilterSql {
    /// The index, over all accounts and within one. It is named, since SQLite by itself would
    /// rather find the open cases by their state and sort all of them for one page.
    pub(super) index: [&'static str; 2],
    pub(super) condition: &'static str,
    /// What leaves one line of each group of similar ones, in the same two ways.
    pub(super) in_front: [&'static str; 2],
    pub(super) order: &'static str,
}

pub(super) fn filter_sql(filter: QueueFilter) -> FilterSql {
    let by_state = ["cases_by_state", "cases_of_account_by_state"];
    let (index, condition, order) = match filter {
        QueueFilter::Open => (
            ["cases_front", "cases_front_of_account"],
            "k.state in ('waiting', 'returned')",
            "k.rank, k.due_at, k.id",
        ),
        QueueFilter::Held => (by_state, "k.state = 'held'", "k.changed_at desc"),
        QueueFilter::Decided => (by_state, "k.state = 'decided'", "k.changed_at desc"),
        QueueFilter::AwaitingDiary => (by_state, "k.state = 'awaiting_diary'", "k.changed_at"),
        QueueFilter::Closed => (by_state, "k.state = 'closed'", "k.changed_at desc"),
        QueueFilter::Exempt => (["cases_exempt"; 2], "k.exempt = 1", "k.changed_at desc"),
        QueueFilter::Secret => (["cases_secret"; 2], "k.secret = 1", "k.changed_at desc"),
    };
    let in_front = match filter {
        QueueFilter::Open => ["and k.behind = 0", "and k.behind_here = 0"],
        QueueFilter::Held
        | QueueFilter::Decided
        | QueueFilter::AwaitingDiary
        | QueueFilter::Closed
        | QueueFilter::Exempt
        | QueueFilter::Secret => [""; 2],
    };
    FilterSql { index, condition, in_front, order }
}

impl Store {
    /// A page of the queue. Of open cases with nearly the same text the first stands for all.
    pub async fn queue(
        &self,
        filter: QueueFilter,
        account_key: Option<String>,
        offset: u32,
        most: u32,
    ) -> Result<Vec<QueueRow>, StoreError> {
        self.read(move |c| {
            let FilterSql { index, condition, in_front, order } = filter_sql(filter);
            let (way, only) = match account_key {
                Some(_) => (1, "and k.account_id = (select id from accounts where key = ?4)"),
                None => (0, "and ?4 is null"),
            };
            let (index, in_front, n_similar) = (index[way], in_front[way], N_SIMILAR[way]);
            // The limit is taken on the cases alone, so that a page costs what a page holds, however deep.
            let sql = format!(
                "select {CASE}, a.id, a.key, a.platform, a.name, a.simulated, i.kind, v.author,
                        coalesce(substr(cast(v.text as blob), 1, ?3), x''), i.created_at, i.first_fetched_at, i.presence,
                        (select d.verdict from verdicts d
                         where d.version_id = v.id and d.lexicon = v.assessed_by),
                        exists (select 1 from evidence e where e.version_id = v.id and e.state <> 'wanted'),
                        {N_ALIKE}, {n_similar}, i.no_copy, k.secret
                 from (select k.id from cases k indexed by {index}
                       where {condition} {in_front} {only} order by {order} limit ?1 offset ?2) p
                      cross join cases k on k.id = p.id
                      cross join items i on i.id = k.item_id
                      cross join accounts a on a.id = i.account_id
                      cross join versions v on v.id = k.version_id
                 order by {order}"
            );
            rows(
                &mut c.prepare_cached(&sql)?,
                params![most, offset, HEAD_BYTES as i64, account_key],
                queue_row,
            )
        })
        .await
    }

    /// One case as a line of the queue.
    pub async fn queue_line(&self, case: CaseId) -> Result<QueueRow, StoreError> {
        self.read(move |c| {
            let n_similar = N_SIMILAR[0];
            let sql = format!(
                "select {CASE}, a.id, a.key, a.platform, a.name, a.simulated, i.kind, v.author,
                        coalesce(substr(cast(v.text as blob), 1, ?2), x''), i.created_at, i.first_fetched_at, i.presence,
                        (select d.verdict from verdicts d
                         where d.version_id = v.id and d.lexicon = v.assessed_by),
                        exists (select 1 from evidence e where e.version_id = v.id and e.state <> 'wanted'),
                        {N_ALIKE}, {n_similar}, i.no_copy, k.secret
                 from cases k join items i on i.id = k.item_id join accounts a on a.id = i.account_id
                      join versions v on v.id = k.version_id
                 where k.id = ?1"
            );
            maybe_row(
                &mut c.prepare_cached(&sql)?,
                params![case.0, HEAD_BYTES as i64],
                queue_row,
            )?
            .ok_or(StoreError::NotFound { what: "case" })
        })
        .await
    }

    /// How many cases there are per state.
    pub async fn case_counts(&self) -> Result<CaseCounts, StoreError> {
        self.read(|c| {
            let exempt = c
                .prepare_cached("select count(*) from cases where exempt = 1")?
                .query_row([], |row| row.get(0))?;
            let secret = c
                .prepare_cached("select count(*) from cases where secret = 1")?
                .query_row([], |row| row.get(0))?;
            let mut counts = CaseCounts { exempt, secret, ..CaseCounts::default() };
            for (state, n) in
                rows(&mut c.prepare_cached("select state, n from case_counts")?, [], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?))
                })?
            {
                match state.as_str() {
                    "waiting" => counts.open += n,
                    "returned" => {
                        counts.open += n;
                        counts.returned = n;
                    }
                    "held" => counts.held = n,
                    "decided" => counts.decided = n,
                    "awaiting_diary" => counts.awaiting_diary = n,
                    "closed" => counts.closed = n,
                    other => return Err(StoreError::row("case_counts", other)),
                }
            }
            Ok(counts)
        })
        .await
    }

    /// How many open cases are past their deadline.
    pub async fn n_overdue(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached(
                "select count(*) from cases indexed by cases_due
                 where state in ('waiting', 'returned') and due_at < ?1 and outside = 0",
            )?
            .query_row([ms(now)], |row| row.get(0))?)
        })
        .await
    }

    /// One case.
    pub async fn case(&self, case: CaseId) -> Result<CaseRow, StoreError> {
        self.read(move |c| the_case(c, case)).await
    }

    /// The case of an item, if it has one.
    pub async fn case_of(&self, item: ItemId) -> Result<Option<CaseRow>, StoreError> {
        self.read(move |c| case_of_item(c, item)).await
    }

    /// The open cases before and after one in the queue's order.
    pub async fn neighbours(
        &self,
        case: CaseId,
    ) -> Result<(Option<CaseId>, Option<CaseId>), StoreError> {
        self.read(move |c| {
            let one = the_case(c, case)?;
            let beside = |sql: &str| -> Result<Option<CaseId>, StoreError> {
                maybe_row(
                    &mut c.prepare_cached(sql)?,
                    params![one.rank, ms(one.due_at), case.0],
                    |row| Ok(CaseId(row.get(0)?)),
                )
            };
            let before = beside(
                "select id from cases indexed by cases_queue where state in ('waiting', 'returned')
                   and (rank, due_at, id) < (?1, ?2, ?3) order by rank desc, due_at desc, id desc limit 1",
            )?;
            let after = beside(
                "select id from cases indexed by cases_queue where state in ('waiting', 'returned')
                   and (rank, due_at, id) > (?1, ?2, ?3) order by rank, due_at, id limit 1",
            )?;
            Ok((before, after))
        })
        .await
    }

    /// A case's history, oldest first.
    pub async fn case_history(&self, case: CaseId) -> Result<Vec<CaseEventRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select at, user_name, what, detail from case_events where case_id = ?1 order by id",
                )?,
                [case.0],
                |row| {
                    Ok(CaseEventRow {
                        at: at(row.get(0)?)?,
                        user: row.get(1)?,
                        what: row.get(2)?,
                        detail: row.get(3)?,
                    })
                },
            )
        })
        .await
    }

    /// Brings back what a person had put off until now. Returns the cases. One that cannot be read is told in
    /// the log and keeps no other back.
    pub async fn end_holds(&self, now: Timestamp) -> Result<Vec<CaseId>, StoreError> {
        self.write(move |tx| {
            let held = each_row(
                &mut tx.prepare_cached(
                    "select id, state_json from cases where state = 'held'
                     order by id",
                )?,
                [],
                |row| from_json::<CaseState>("cases", &row.get::<_, String>(1)?),
            )?;
            let mut back = Vec::new();
            for row in held {
                let case = CaseId(row.id);
                let Some(state) = row.value else {
                    tracing::error!(case.id = %case, "a case that rests cannot be read");
                    continue;
                };
                let due = matches!(&state, CaseState::Held { until, .. } if *until <= now);
                if due {
                    let next =
                        state.on(CaseEvent::HoldEnds).map_err(|e| StoreError::row("cases", e))?;
                    set_state(tx, case, &next, now)?;
                    tx.prepare_cached("update cases set rested_at = ?2 where id = ?1")?
                        .execute(params![case.0, ms(now)])?;
                    note_event(tx, case, None, "Tillbaka efter vila", None, now)?;
                    back.push(case);
                }
            }
            Ok(back)
        })
        .await
    }

    /// Who let a case rest last, by which decision, and their address.
    pub async fn put_to_rest_by(&self, case: CaseId) -> Result<Option<LetRest>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(
                    "select d.id, u.name, c.mail
                     from decisions d join users u on u.id = d.user_id
                          left join contacts c on c.user_id = u.id
                     where d.case_id = ?1 and d.undone_at is null
                       and exists (select 1 from json_each(d.choices) e
                                   where json_extract(e.value, '$.choice') = 'hold')
                     order by d.id desc limit 1",
                )?,
                [case.0],
                |row| {
                    let (decision, name) = (DecisionId(row.get(0)?), row.get(1)?);
                    Ok(LetRest { decision, name, mail: row.get(2)? })
                },
            )
        })
        .await
    }

    /// Notes a step in a case's history that changes nothing else.
    pub async fn note_case(
        &self,
        case: CaseId,
        what: String,
        detail: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            note_event(tx, case, None, &what, detail.as_deref(), now)?;
            touch(tx, case, now)
        })
        .await
    }

    /// Earlier cases on the same account by the same author as the platform knows them: dates and
    /// outcomes, never categories (invariant 8).
    pub async fn earlier_cases_of_author(
        &self,
        case: CaseId,
        most: u32,
    ) -> Result<Vec<(CaseId, Timestamp, CaseState)>, StoreError> {
        self.read(move |c| {
            rows(&mut c.prepare_cached(EARLIER_CASES)?, params![case.0, most], |row| {
                Ok((
                    CaseId(row.get(0)?),
                    at(row.get(1)?)?,
                    from_json("cases", &row.get::<_, String>(2)?)?,
                ))
            })
        })
        .await
    }
}
