//! The tree over the log: subtrees kept in the transaction of the leaf that completes them, proofs
//! made of a few rows.

use rusqlite::{Connection, TransactionBehavior, params};

use super::audit;
use super::value::{at, hash, maybe_row, rows};
use crate::domain::ids::ContentHash;
use crate::domain::tree::{self, Growing, Node, leaves_of, n_nodes};
use crate::store::Store;
use crate::store::anchors::{ConsistencyProof, InclusionProof, TREE_FILLED};
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// Entries of an older log that are taken in at a time: a second of work or so.
const PAGE: u64 = 20_000;

/// The head of a perfect subtree as it is kept.
fn find(c: &Connection, node: Node) -> Result<ContentHash, StoreError> {
    let (sql, at) = if node.level == 0 {
        ("select leaf_hash from log where seq = ?1", node.at + 1)
    } else {
        ("select hash from log_nodes where place = ?1", tree::place(node))
    };
    let found = maybe_row(&mut c.prepare_cached(sql)?, [at], |row| {
        hash("log_nodes", &row.get::<_, Vec<u8>>(0)?)
    })?;
    found.ok_or_else(|| {
        StoreError::row("log_nodes", format!("level {} at {} is missing", node.level, node.at))
    })
}

fn size(c: &Connection) -> Result<u64, StoreError> {
    one(c.prepare_cached("select coalesce(max(seq), 0) from log")?)
}

fn one(mut statement: rusqlite::CachedStatement<'_>) -> Result<u64, StoreError> {
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// How many subtrees are kept.
fn kept(c: &Connection) -> Result<u64, StoreError> {
    one(c.prepare_cached("select coalesce(max(place) + 1, 0) from log_nodes")?)
}

/// Takes in the leaves up to place `seq` of the log, inside the transaction that wrote the last.
pub(super) fn grow(c: &Connection, seq: u64) -> Result<(), StoreError> {
    let kept = kept(c)?;
    // Where nothing is behind it is the one leaf before.
    let from = if kept == n_nodes(seq - 1) { seq - 1 } else { leaves_of(kept).min(seq) };
    take_in(c, from, seq)
}

fn take_in(c: &Connection, from: u64, to: u64) -> Result<(), StoreError> {
    let mut growing = Growing::of(from, |node| find(c, node))?;
    // Where somebody took rows away, those that are left stay: verification names what is wrong.
    let mut keep =
        c.prepare_cached("insert or ignore into log_nodes (place, hash) values (?1, ?2)")?;
    let mut leaves =
        c.prepare_cached("select leaf_hash from log where seq > ?1 and seq <= ?2 order by seq")?;
    for leaf in rows(&mut leaves, params![from, to], |row| hash("log", &row.get::<_, Vec<u8>>(0)?))?
    {
        let mut kept = Ok(());
        growing.push(leaf, |place, head| {
            if kept.is_ok() {
                kept = keep.execute(params![place, head.bytes()]).map(drop);
            }
        });
        kept?;
    }
    Ok(())
}

/// Takes in what a log from before the tree has, some entries a transaction, so that who is
/// stopped on the way goes on there. The audit log tells how many subtrees it made. A log with gaps keeps what it
/// has: verification names what is missing.
pub(in crate::store) fn take_in_older(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (all, before) = (size(&tx)?, kept(&tx)?);
        if before >= n_nodes(all) {
            return Ok(());
        }
        let from = leaves_of(before).min(all);
        match take_in(&tx, from, all.min(from + PAGE)) {
            Ok(()) => {}
            Err(StoreError::Row { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        let grown = kept(&tx)?.saturating_sub(before);
        if grown == 0 {
            return Ok(());
        }
        let line = AuditLine {
            user: None,
            user_name: "Uppsikt".into(),
            act: TREE_FILLED,
            subject: "loggens träd".into(),
            address: "lokalt".into(),
            detail: Some(format!("{grown} delträd räknades om ur loggens poster")),
        };
        // No clock comes here; SQLite has the machine's.
        let now =
            tx.query_row("select cast(unixepoch('subsec') * 1000 as integer)", [], |row| {
                row.get::<_, i64>(0)
            })?;
        audit::append(&tx, &line, at(now)?)?;
        tx.commit()?;
    }
}

impl Store {
    /// How many entries the log has, the tree's head over them, and which key signs at that moment.
    ///
    /// # Errors
    /// [`StoreError::Row`] where a subtree is missing.
    pub async fn tree_head_and_key(
        &self,
    ) -> Result<(u64, ContentHash, Option<String>), StoreError> {
        self.read(|c| {
            let n = size(c)?;
            let key = maybe_row(
                &mut c.prepare_cached("select id from log_keys order by log_seq desc limit 1")?,
                [],
                |row| Ok(row.get(0)?),
            )?;
            Ok((n, tree::root(n, |node| find(c, node))?, key))
        })
        .await
    }

    /// The tree's head over the first `n` entries, as kept.
    ///
    /// # Errors
    /// As [`Store::tree_head_and_key`]; also where the log has fewer.
    pub async fn tree_root(&self, n: u64) -> Result<ContentHash, StoreError> {
        self.read(move |c| tree::root(n, |node| find(c, node))).await
    }

    /// That the entry at place `seq` is in the tree over the first `size` entries.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no such entry, [`StoreError::Row`] where a subtree
    /// is missing.
    pub async fn inclusion(&self, seq: u64, size: u64) -> Result<InclusionProof, StoreError> {
        self.read(move |c| {
            let index = seq.checked_sub(1).ok_or(StoreError::NotFound { what: "log entry" })?;
            let path = tree::inclusion(index, size, |node| find(c, node))?
                .ok_or(StoreError::NotFound { what: "log entry" })?;
            let leaf = find(c, Node { level: 0, at: index })?;
            Ok(InclusionProof { leaf, index, size, path })
        })
        .await
    }

    /// That the tree over the first `new` entries goes on from the one over the first `old`.
    ///
    /// # Errors
    /// As [`Store::inclusion`].
    pub async fn consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, StoreError> {
        self.read(move |c| {
            let path = tree::consistency(old, new, |node| find(c, node))?
                .ok_or(StoreError::NotFound { what: "log entry" })?;
            Ok(ConsistencyProof { old, new, path })
        })
        .await
    }

    /// How many subtrees are kept, and those from place `from`, in order, at most `most`: for
    /// verification, to which one that cannot be read is a finding.
    pub async fn tree_nodes(
        &self,
        from: u64,
        most: u32,
    ) -> Result<Vec<(u64, Option<ContentHash>)>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select place, hash from log_nodes where place >= ?1 order by place limit ?2",
                )?,
                params![from, most],
                |row| {
                    let read = row.get::<_, Vec<u8>>(1).ok();
                    Ok((row.get(0)?, read.and_then(|bytes| hash("log_nodes", &bytes).ok())))
                },
            )
        })
        .await
    }
}
