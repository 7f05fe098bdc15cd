//! The hash-chained log: appending inside the transaction of what it records, and reading.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::value::{at, each_row, hash, json, maybe_row, ms, rows};
use super::{lines, tree};
use crate::domain::ids::{CaseId, ContentHash};
use crate::domain::log::{LogKind, chain_hash, genesis, leaf_hash};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{Lines, LogEntry, Readable};

const ENTRY: &str = "seq, at, kind, body, leaf_hash, chain_hash";

fn entry(row: &Row<'_>) -> Result<LogEntry, StoreError> {
    let kind: String = row.get(2)?;
    Ok(LogEntry {
        seq: row.get(0)?,
        at: at(row.get(1)?)?,
        kind: LogKind::from_id(&kind)
            .ok_or_else(|| StoreError::row("log", format!("kind `{kind}`")))?,
        body: row.get(3)?,
        leaf: hash("log", &row.get::<_, Vec<u8>>(4)?)?,
        chain: hash("log", &row.get::<_, Vec<u8>>(5)?)?,
    })
}

/// Appends an entry and gives its place. The stored body is the very text that was hashed.
pub(super) fn append(
    tx: &Transaction<'_>,
    kind: LogKind,
    body: &impl Serialize,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let (seq, previous) = head(tx)?;
    let seq = seq + 1;
    // A map with sorted keys, so that the same facts always give the same text.
    let lines = serde_json::json!({
        "audit": lines::held(tx, Lines::Audit)?, "history": lines::held(tx, Lines::History)?,
    });
    let value = serde_json::json!({
        "seq": seq, "at": now, "kind": kind.id(), "record": body, "lines": lines,
    });
    let body = json(&value)?;
    let leaf = leaf_hash(body.as_bytes());
    let chain = chain_hash(previous, leaf);
    tx.prepare_cached(
        "insert into log (seq, at, kind, body, leaf_hash, chain_hash) values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![seq, ms(now), kind.id(), body, leaf.bytes(), chain.bytes()])?;
    tree::grow(tx, seq)?;
    Ok(seq)
}

fn head(c: &Connection) -> Result<(u64, ContentHash), StoreError> {
    let head = maybe_row(
        &mut c.prepare_cached("select seq, chain_hash from log order by seq desc limit 1")?,
        [],
        |row| Ok((row.get::<_, u64>(0)?, hash("log", &row.get::<_, Vec<u8>>(1)?)?)),
    )?;
    Ok(head.unwrap_or((0, genesis())))
}

impl Store {
    /// The number of entries and the last link of the chain.
    pub async fn log_head(&self) -> Result<(u64, ContentHash), StoreError> {
        self.read(head).await
    }

    /// One entry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn log_entry(&self, seq: u64) -> Result<LogEntry, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!("select {ENTRY} from log where seq = ?1"))?,
                [seq],
                entry,
            )?
            .ok_or(StoreError::NotFound { what: "log entry" })
        })
        .await
    }

    /// What was decided and done about a case: decisions, what was taken back, actions, retries, registrations,
    /// police reports, in the log's order.
    pub async fn log_of_case(&self, case: CaseId) -> Result<Vec<LogEntry>, StoreError> {
        self.read(move |c| {
            // The kinds in the very words of the index.
            let sql = format!(
                "select {ENTRY} from log
                 where kind in ('decision', 'undo', 'action', 'retry', 'registration', 'police')
                   and json_extract(body, '$.record.case') = ?1 order by seq"
            );
            rows(&mut c.prepare_cached(&sql)?, [case.0], entry)
        })
        .await
    }

    /// Places and links of the chain after `seq`, in order, at most `most`.
    pub async fn log_links(
        &self,
        seq: u64,
        most: u32,
    ) -> Result<Vec<(u64, ContentHash)>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select seq, chain_hash from log where seq > ?1 order by seq limit ?2",
                )?,
                params![seq, most],
                |row| Ok((row.get(0)?, hash("log", &row.get::<_, Vec<u8>>(1)?)?)),
            )
        })
        .await
    }

    /// The same for verification, to which an entry that cannot be read is a finding.
    pub async fn log_to_verify(
        &self,
        seq: u64,
        most: u32,
    ) -> Result<Vec<Readable<LogEntry>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(&format!(
                    "select {ENTRY} from log where seq > ?1 order by seq limit ?2"
                ))?,
                params![seq, most],
                entry,
            )
        })
        .await
    }

    /// Entries after `seq`, in order, at most `most`.
    pub async fn log_after(&self, seq: u64, most: u32) -> Result<Vec<LogEntry>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {ENTRY} from log where seq > ?1 order by seq limit ?2"
                ))?,
                params![seq, most],
                entry,
            )
        })
        .await
    }
}
