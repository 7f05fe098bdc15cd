//! Full-text search over items.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::accounts::account;
use super::cases::filter_sql;
use super::items::item_kind;
use super::value::{at, from_json, json, maybe_at, maybe_row, ms, rows};
use crate::domain::account::Account;
use crate::domain::case::CaseState;
use crate::domain::ids::{CaseId, ItemId, VersionId};
use crate::domain::item::ItemKind;
use crate::domain::search;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::QueueFilter;

/// How much of a text is read to show where the hit is, in bytes.
const READ_BYTES: i64 = 20_000;

/// Where fewer cases than this stand as asked for, the search goes through them. At this many both ways cost
/// about the same.
const FEW_CASES: u32 = 2_000;

/// For what leads to few versions by itself.
const BY_VERSION: &str = "versions v cross join items i on i.id = v.item_id
                          left join cases k on k.item_id = i.id";

/// Versions taken into the index at a time, where a database is older than it.
const AT_A_TIME: u32 = 2_000;

/// What is searched for.
#[derive(Clone, Debug)]
pub enum Sought {
    /// A full-text expression ([`search::Question::expression`]).
    Words(String),
    /// A diary number, as it was entered.
    Diary(String),
    /// A record of evidence.
    Evidence(i64),
}

/// A search with its limits.
#[derive(Clone, Debug)]
pub struct Search {
    /// What.
    pub sought: Sought,
    /// Key of the one account.
    pub account: Option<String>,
    /// Where its case stands.
    pub state: Option<QueueFilter>,
    /// Also what has no case.
    pub beyond_cases: bool,
    /// Fetched at this moment or later.
    pub from: Option<Timestamp>,
    /// Fetched before this moment.
    pub before: Option<Timestamp>,
    /// So many are passed over.
    pub offset: u32,
    /// So many at most.
    pub most: u32,
    /// Items whose words whoever asks may not read: they are not found by them.
    pub shut: Vec<ItemId>,
}

/// A version that was found. It tells nothing of who wrote it.
#[derive(Clone, Debug)]
pub struct FoundRow {
    /// The version.
    pub version: VersionId,
    /// Its item's case, if it has one, and where it stands.
    pub case: Option<(CaseId, CaseState)>,
    /// Its account.
    pub account: Account,
    /// What the item is.
    pub kind: ItemKind,
    /// The beginning of its text.
    pub text: String,
    /// When it was written, as the platform says.
    pub created_at: Option<Timestamp>,
    /// When this version was fetched.
    pub fetched_at: Timestamp,
    /// Whether the item says this now.
    pub current: bool,
    /// Nothing of it may be shown.
    pub no_copy: bool,
    /// Its case bears a secrecy mark.
    pub secret: bool,
    /// Its case was closed so long ago that its text is not shown unasked.
    pub veiled: bool,
}

fn found(row: &Row<'_>) -> Result<FoundRow, StoreError> {
    let case = match (row.get::<_, Option<i64>>(7)?, row.get::<_, Option<String>>(8)?) {
        (Some(id), Some(state)) => Some((CaseId(id), from_json("cases", &state)?)),
        (Some(_), None) | (None, Some(_) | None) => None,
    };
    let text: Option<Vec<u8>> = row.get(1)?;
    Ok(FoundRow {
        version: VersionId(row.get(0)?),
        text: String::from_utf8_lossy(&text.unwrap_or_default())
            .trim_end_matches('\u{FFFD}')
            .into(),
        fetched_at: at(row.get(2)?)?,
        kind: item_kind(&row.get::<_, String>(3)?)?,
        created_at: maybe_at(row.get(4)?)?,
        no_copy: row.get(5)?,
        current: row.get(6)?,
        case,
        secret: row.get::<_, Option<bool>>(14)?.unwrap_or_default(),
        veiled: row.get(15)?,
        account: account(row, 9)?,
    })
}

/// Takes a version's words into the index: in the transaction that stores it. Nothing of an item that may
/// not be copied comes in.
pub(super) fn index_version(
    tx: &Transaction<'_>,
    item: ItemId,
    version: VersionId,
    text: &str,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into item_words (rowid, words)
         select ?1, '§' || account_id || ' ' || ?2 from items where id = ?3 and no_copy = 0",
    )?
    .execute(params![version.0, search::indexed(text), item.0])?;
    Ok(())
}

/// Takes all versions of an item into the index that are not there: the bar on copying was lifted.
pub(super) fn index_item(tx: &Transaction<'_>, item: ItemId) -> Result<(), StoreError> {
    let missing = rows(
        &mut tx.prepare_cached(
            "select v.id, v.text from versions v
             where v.item_id = ?1 and v.read_for is null
               and not exists (select 1 from item_words w where w.rowid = v.id)
               and not exists (select 1 from cases k where k.item_id = v.item_id and k.veiled_at is not null)",
        )?,
        [item.0],
        |row| Ok((VersionId(row.get(0)?), row.get::<_, String>(1)?)),
    )?;
    for (version, text) in missing {
        index_version(tx, item, version, &text)?;
    }
    Ok(())
}

/// Takes in what a database older than the index holds, in steps of their own. Versions come in by rising
/// number, so what is interrupted goes on where it was.
pub(in crate::store) fn take_in(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        let tx = connection.transaction()?;
        let missing = rows(
            &mut tx.prepare_cached(
                "select v.id, v.item_id, v.text from versions v join items i on i.id = v.item_id
                 where v.id > coalesce((select rowid from item_words order by rowid desc limit 1), 0) and i.no_copy = 0
                   and v.read_for is null
                   and not exists (select 1 from cases k where k.item_id = i.id and k.veiled_at is not null)
                 order by v.id limit ?1",
            )?,
            [AT_A_TIME],
            |row| Ok((VersionId(row.get(0)?), ItemId(row.get(1)?), row.get::<_, String>(2)?)),
        )?;
        for (version, item, text) in &missing {
            index_version(&tx, *item, *version, text)?;
        }
        tx.commit()?;
        if missing.len() < AT_A_TIME as usize {
            return Ok(());
        }
    }
}

/// The first version fetched at `moment` or later, by halving: versions are numbered as they come. One
/// that is a copy of an earlier one has its time, and is found by that one.
pub(super) fn first_at(c: &Connection, moment: Timestamp) -> Result<i64, StoreError> {
    let mut newest = c.prepare_cached("select coalesce(max(id), 0) + 1 from versions")?;
    let (mut low, mut high) = (1, newest.query_row([], |row| row.get::<_, i64>(0))?);
    let mut probe =
        c.prepare_cached("select id, fetched_at from versions where id >= ?1 order by id limit 1")?;
    while low < high {
        let middle = low + (high - low) / 2;
        let found =
            rows(&mut probe, [middle], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        match found.first() {
            Some((id, fetched)) if *fetched < ms(moment) => low = id + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(low)
}

/// How a search is asked for.
struct Plan {
    source: &'static str,
    condition: &'static str,
    key: String,
}

/// Words come from the index by falling number of the version, and the rest is looked up for each. Where
/// few cases stand as asked for, it goes the other way, or a common word would be looked up a million times.
fn plan(c: &Connection, search: &Search, account: Option<i64>) -> Result<Plan, StoreError> {
    Ok(match &search.sought {
        Sought::Words(expression) => {
            let key = match account {
                Some(id) => format!("\"§{id}\" AND {expression}"),
                None => expression.clone(),
            };
            let few = match search.state {
                Some(state) => {
                    let condition = filter_sql(state).condition;
                    let sql = format!(
                        "select count(*) from (select 1 from cases k where {condition} limit {FEW_CASES})"
                    );
                    c.prepare_cached(&sql)?.query_row([], |row| row.get::<_, u32>(0))? < FEW_CASES
                }
                None => false,
            };
            let source = match few {
                true => {
                    "cases k cross join items i on i.id = k.item_id cross join versions v on v.item_id = i.id
                     cross join item_words w on w.rowid = v.id"
                }
                false => {
                    "item_words w cross join versions v on v.id = w.rowid
                     cross join items i on i.id = v.item_id left join cases k on k.item_id = i.id"
                }
            };
            let condition = match few {
                true => "item_words match ?1 and v.id >= ?2 and v.id < ?3",
                false => "item_words match ?1 and w.rowid >= ?2 and w.rowid < ?3",
            };
            Plan { source, condition, key }
        }
        Sought::Diary(number) => Plan {
            source: BY_VERSION,
            condition: "v.id in (select k2.version_id from registrations r join cases k2 on k2.id = r.case_id
                                 where r.diary_number = ?1 collate nocase) and v.id >= ?2 and v.id < ?3",
            key: number.clone(),
        },
        Sought::Evidence(id) => Plan {
            source: BY_VERSION,
            condition: "v.id in (select version_id from evidence where id = cast(?1 as integer))
                        and v.id >= ?2 and v.id < ?3",
            key: id.to_string(),
        },
    })
}

impl Store {
    /// What was found, newest first.
    pub async fn search(&self, search: Search) -> Result<Vec<FoundRow>, StoreError> {
        self.read(move |c| {
            let account = match &search.account {
                Some(key) => {
                    let sql = "select id from accounts where key = ?1";
                    match maybe_row(&mut c.prepare_cached(sql)?, [key], |row| Ok(row.get(0)?))? {
                        Some(id) => Some(id),
                        None => return Ok(Vec::new()),
                    }
                }
                None => None,
            };
            let from = search.from.map_or(Ok(1), |moment| first_at(c, moment))?;
            let before = search.before.map_or(Ok(i64::MAX), |moment| first_at(c, moment))?;
            let Plan { source, condition, key } = plan(c, &search, account)?;
            let anywhere = if search.beyond_cases { "1" } else { "k.id is not null" };
            let state = search.state.map_or(anywhere, |state| filter_sql(state).condition);
            let shut = json(&search.shut.iter().map(|item| item.0).collect::<Vec<_>>())?;
            // Nearly always nothing is shut; and a number is not what a case says.
            let by_words = matches!(search.sought, Sought::Words(_)) && !search.shut.is_empty();
            let open = match by_words {
                true => "i.id not in (select value from json_each(?8))",
                false => "?8 is not null",
            };
            // By the index where that is what leads, so that no page is sorted.
            let order = if source.starts_with("item_words") { "w.rowid" } else { "v.id" };
            let sql = format!(
                "select v.id, substr(cast(v.text as blob), 1, ?7), v.fetched_at, i.kind, i.created_at,
                        i.no_copy, i.current_version_id = v.id or v.read_for is not null and v.content_hash =
                          (select cv.content_hash from versions cv where cv.id = i.current_version_id), k.id, k.state_json,
                        a.id, a.key, a.platform, a.name, a.simulated, k.secret,
                        k.veiled_at is not null
                 from {source} cross join accounts a on a.id = i.account_id
                 where {condition} and (?4 is null or a.id = ?4) and {state} and {open}
                 order by {order} desc limit ?5 offset ?6"
            );
            rows(
                &mut c.prepare_cached(&sql)?,
                params![key, from, before, account, search.most, search.offset, READ_BYTES, shut],
                found,
            )
        })
        .await
    }
}
