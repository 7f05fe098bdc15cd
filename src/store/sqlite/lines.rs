//! Running hashes over tables that only grow: the audit log, the histories of cases.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Transaction, params};

use super::open::{damage, for_checking};
use super::value::{hash, json, maybe_row, rows};
use crate::domain::log::{chain_hash, genesis, leaf_hash};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{Lines, LinesHeld};

/// Lines taken in at a time, where a database from before these hashes gets its first.
const PAGE: u32 = 1_000;

const fn name(lines: Lines) -> &'static str {
    match lines {
        Lines::Audit => "audit",
        Lines::History => "history",
    }
}

/// All columns of the next lines, the number first.
const fn query(lines: Lines) -> &'static str {
    match lines {
        Lines::Audit => {
            "select id, at, user_id, user_name, act, subject, address, detail from audit
             where id > ?1 order by id limit ?2"
        }
        Lines::History => {
            "select id, case_id, at, user_id, user_name, what, detail from case_events
             where id > ?1 order by id limit ?2"
        }
    }
}

/// Every column of a line, as one text.
fn line(row: &Row<'_>) -> Result<(i64, String), StoreError> {
    let n_columns = row.as_ref().column_count();
    let mut columns = Vec::with_capacity(n_columns);
    for i in 0..n_columns {
        columns.push(match row.get_ref(i)? {
            ValueRef::Null => serde_json::Value::Null,
            ValueRef::Integer(n) => n.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            ValueRef::Real(_) | ValueRef::Blob(_) => {
                return Err(StoreError::row("lines", "a column of another type"));
            }
        });
    }
    Ok((row.get(0)?, json(&columns)?))
}

fn next(c: &Connection, lines: Lines, after: i64) -> Result<Vec<(i64, String)>, StoreError> {
    rows(&mut c.prepare_cached(query(lines))?, params![after, PAGE], line)
}

fn state(c: &Connection, lines: Lines) -> Result<(LinesHeld, i64), StoreError> {
    let known = maybe_row(
        &mut c.prepare_cached("select n, hash, last_id from line_chains where name = ?1")?,
        [name(lines)],
        |row| {
            let sha256 = hash("line_chains", &row.get::<_, Vec<u8>>(1)?)?;
            Ok((LinesHeld { n: row.get(0)?, sha256 }, row.get(2)?))
        },
    )?;
    Ok(known.unwrap_or((LinesHeld { n: 0, sha256: genesis() }, i64::MIN)))
}

/// The hash over all lines there are.
pub(super) fn held(c: &Connection, lines: Lines) -> Result<LinesHeld, StoreError> {
    Ok(state(c, lines)?.0)
}

/// Takes in the line that was just written, and it alone: one that somebody put in behind our back stays
/// outside the hash, and verification comes upon it. A table without a hash gets that of all its lines.
pub(super) fn grown(tx: &Transaction<'_>, lines: Lines) -> Result<(), StoreError> {
    let id = tx.last_insert_rowid();
    let (mut held, mut last) = state(tx, lines)?;
    if held.n > 0 {
        let own = next(tx, lines, id - 1)?.into_iter().find(|(at, _)| *at == id);
        let (_, own) = own.ok_or_else(|| StoreError::row("lines", "the line just written"))?;
        return note(tx, lines, with(held, &own), id);
    }
    loop {
        let new = next(tx, lines, last)?;
        let Some((id, _)) = new.last() else { break };
        last = *id;
        held = new.iter().fold(held, |held, (_, line)| with(held, line));
        if new.len() < PAGE as usize {
            break;
        }
    }
    note(tx, lines, held, last)
}

fn note(tx: &Transaction<'_>, lines: Lines, held: LinesHeld, last: i64) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into line_chains (name, n, last_id, hash) values (?1, ?2, ?3, ?4)
         on conflict (name) do update set n = ?2, last_id = ?3, hash = ?4",
    )?
    .execute(params![name(lines), held.n, last, held.sha256.bytes()])?;
    Ok(())
}

fn with(held: LinesHeld, line: &str) -> LinesHeld {
    let leaf = leaf_hash(line.as_bytes());
    LinesHeld { n: held.n + 1, sha256: chain_hash(held.sha256, leaf) }
}

impl Store {
    /// The hash over all lines of a table, as the database itself notes it.
    pub async fn lines_held(&self, lines: Lines) -> Result<LinesHeld, StoreError> {
        self.read(move |c| held(c, lines)).await
    }

    /// What is wrong with the database itself, in Swedish. Reads all of it.
    pub async fn damage(&self) -> Result<Vec<String>, StoreError> {
        let path = self.path().to_owned();
        self.read(move |c| match for_checking(&path) {
            Ok(own) => damage(&own),
            // A copy that nobody may write to is looked at as far as can be.
            Err(_) => damage(c),
        })
        .await
    }

    /// How many lines there are that the database's own note does not count: as long as nobody writes past us,
    /// none.
    pub async fn uncounted_lines(&self, lines: Lines) -> Result<u64, StoreError> {
        self.read(move |c| {
            let table = match lines {
                Lines::Audit => "audit",
                Lines::History => "case_events",
            };
            // One reading: what is being written meanwhile is in both or in neither.
            let sql = format!(
                "select max(0, (select count(*) from {table}) - n) from line_chains where name = ?1"
            );
            let found =
                maybe_row(&mut c.prepare_cached(&sql)?, [name(lines)], |row| Ok(row.get(0)?))?;
            Ok(found.unwrap_or(0))
        })
        .await
    }

    /// The hash recomputed after each line that follows `after` (a number, the least at first), as far
    /// as one reading goes: the last number and the hash over what was read before carry on.
    pub async fn recompute_lines(
        &self,
        lines: Lines,
        after: i64,
        held: Option<LinesHeld>,
    ) -> Result<Vec<(i64, LinesHeld)>, StoreError> {
        self.read(move |c| {
            let mut held = held.unwrap_or(LinesHeld { n: 0, sha256: genesis() });
            Ok(next(c, lines, after)?
                .into_iter()
                .map(|(id, line)| {
                    held = with(held, &line);
                    (id, held)
                })
                .collect())
        })
        .await
    }
}
