//! What was signed of the log, by which key, and the time stamps on it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::value::{at, each_row, hash, maybe_at, maybe_row, ms, rows};
use super::{audit, log};
use crate::domain::log::LogKind;
use crate::store::Store;
use crate::store::anchors::{CheckpointRow, KeyRow, StampRow, StampState};
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, Readable};

const CHECKPOINT: &str = "size, at, root, key_id, note";
const STAMP: &str =
    "size, state, attempts, next_at, problem, authority, answer, stamped_at, ca_pem";

/// What the audit log calls the keeping of a time stamp.
const STAMP_KEPT: &str = "evidence.stamp";

/// How it names the checkpoint, before its size.
const CHECKPOINT_SUBJECT: &str = "checkpoint ";

/// What the log says of a key.
#[derive(Serialize)]
struct KeyRecord<'a> {
    key: &'a str,
    public: String,
    previous: Option<&'a str>,
    signature: Option<String>,
}

fn checkpoint(row: &Row<'_>) -> Result<CheckpointRow, StoreError> {
    Ok(CheckpointRow {
        size: row.get(0)?,
        at: at(row.get(1)?)?,
        root: hash("checkpoints", &row.get::<_, Vec<u8>>(2)?)?,
        key: row.get(3)?,
        note: row.get(4)?,
    })
}

fn stamp(row: &Row<'_>) -> Result<StampRow, StoreError> {
    let state: String = row.get(1)?;
    let state = match state.as_str() {
        "wanted" => StampState::Wanted {
            attempts: row.get(2)?,
            next_at: at(row.get(3)?)?,
            problem: row.get(4)?,
        },
        "kept" => StampState::Kept {
            authority: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
            answer: row.get(6)?,
            at: maybe_at(row.get(7)?)?
                .ok_or_else(|| StoreError::row("stamps", "a stamp without a time"))?,
            ca_pem: row.get(8)?,
        },
        other => return Err(StoreError::row("stamps", format!("state `{other}`"))),
    };
    Ok(StampRow { size: row.get(0)?, state })
}

fn key(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    let fixed = |what| StoreError::row("log_keys", what);
    let public: Vec<u8> = row.get(1)?;
    let signature: Option<Vec<u8>> = row.get(5)?;
    Ok(KeyRow {
        id: row.get(0)?,
        public: public.try_into().map_err(|_| fixed("a key of the wrong length"))?,
        made_at: at(row.get(2)?)?,
        log_seq: row.get(3)?,
        previous: row.get(4)?,
        signature: signature
            .map(|s| s.try_into().map_err(|_| fixed("a signature of the wrong length")))
            .transpose()?,
    })
}

/// Writes that the stamp on a checkpoint was kept. The first such line takes in the stamps from before there were any.
fn tell_stamps(tx: &Transaction<'_>, size: u64, now: Timestamp) -> Result<(), StoreError> {
    let is_first =
        !tx.prepare_cached("select 1 from audit where act = ?1")?.exists([STAMP_KEPT])?;
    let kept = rows(
        &mut tx.prepare_cached(&format!(
            "select {STAMP} from stamps where state = 'kept' and (size = ?1 or ?2) order by size"
        ))?,
        params![size, is_first],
        stamp,
    )?;
    for row in kept {
        let Some(words) = row.state.words() else { continue };
        let line = AuditLine {
            user: None,
            user_name: "Uppsikt".into(),
            act: STAMP_KEPT,
            subject: format!("{CHECKPOINT_SUBJECT}{}", row.size),
            address: "lokalt".into(),
            detail: Some(words),
        };
        audit::append(tx, &line, now)?;
    }
    Ok(())
}

const KEY: &str = "id, public, made_at, log_seq, previous, signature";

fn newest_key(c: &Connection) -> Result<Option<KeyRow>, StoreError> {
    maybe_row(
        &mut c
            .prepare_cached(&format!("select {KEY} from log_keys order by log_seq desc limit 1"))?,
        [],
        key,
    )
}

impl Store {
    /// The name of this installation, if it has got one.
    pub async fn installation(&self) -> Result<Option<String>, StoreError> {
        self.read(|c| {
            maybe_row(
                &mut c.prepare_cached("select value from facts where name = 'installation'")?,
                [],
                |row| Ok(row.get(0)?),
            )
        })
        .await
    }

    /// The key that signs now.
    pub async fn newest_key(&self) -> Result<Option<KeyRow>, StoreError> {
        self.read(newest_key).await
    }

    /// All keys, oldest first.
    pub async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(&format!("select {KEY} from log_keys order by log_seq"))?,
                [],
                key,
            )
        })
        .await
    }

    /// Takes a key in, with an entry of the log, if `previous` is the one that signs now.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another key came between.
    pub async fn add_key(
        &self,
        id: String,
        public: [u8; 32],
        previous: Option<String>,
        signature: Option<[u8; 64]>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| {
            if newest_key(tx)?.map(|key| key.id) != previous {
                return Err(StoreError::Conflict { what: "signing key" });
            }
            let record = KeyRecord {
                key: &id,
                public: hex::encode(public),
                previous: previous.as_deref(),
                signature: signature.map(hex::encode),
            };
            let seq = log::append(tx, LogKind::Key, &record, now)?;
            tx.prepare_cached(
                "insert into log_keys (id, public, made_at, log_seq, previous, signature)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![id, public, ms(now), seq, previous, signature])?;
            Ok(seq)
        })
        .await
    }

    /// Keeps a checkpoint, and wants a time stamp on it where `stamped` says so. One of that size
    /// that is there already stays.
    pub async fn add_checkpoint(
        &self,
        new: CheckpointRow,
        stamped: bool,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let added = tx
                .prepare_cached(
                    "insert into checkpoints (size, at, root, key_id, note)
                     values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
                )?
                .execute(params![new.size, ms(new.at), new.root.bytes(), new.key, new.note])?;
            if added > 0 && stamped {
                tx.prepare_cached(
                    "insert into stamps (size, state, next_at) values (?1, 'wanted', ?2)",
                )?
                .execute(params![new.size, ms(new.at)])?;
            }
            Ok(added > 0)
        })
        .await
    }

    /// The newest checkpoint.
    pub async fn newest_checkpoint(&self) -> Result<Option<CheckpointRow>, StoreError> {
        self.read(|c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {CHECKPOINT} from checkpoints order by size desc limit 1"
                ))?,
                [],
                checkpoint,
            )
        })
        .await
    }

    /// The first checkpoint that holds the entry at place `seq` and has a time stamp; where none has,
    /// the newest that holds it.
    pub async fn checkpoint_of(&self, seq: u64) -> Result<Option<CheckpointRow>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {CHECKPOINT} from checkpoints c where size >= ?1
                     order by exists (select 1 from stamps s where s.size = c.size and s.state = 'kept') desc,
                       case when exists (select 1 from stamps s where s.size = c.size and s.state = 'kept')
                         then size else -size end limit 1"
                ))?,
                [seq],
                checkpoint,
            )
        })
        .await
    }

    /// Checkpoints of more than `size` entries, in order, at most `most`.
    pub async fn checkpoints_after(
        &self,
        size: u64,
        most: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {CHECKPOINT} from checkpoints where size > ?1 order by size limit ?2"
                ))?,
                params![size, most],
                checkpoint,
            )
        })
        .await
    }

    /// The same for verification, to which one that cannot be read is a finding.
    pub async fn checkpoints_to_verify(
        &self,
        size: i64,
        most: u32,
    ) -> Result<Vec<Readable<CheckpointRow>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(&format!(
                    "select {CHECKPOINT} from checkpoints where size > ?1 order by size limit ?2"
                ))?,
                params![size, most],
                checkpoint,
            )
        })
        .await
    }

    /// Time stamps to be asked for now, of the newest checkpoint first: it speaks for all before it.
    pub async fn wanted_stamps(
        &self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select c.size, c.at, c.root, c.key_id, c.note
                     from stamps s join checkpoints c on c.size = s.size
                     where s.state = 'wanted' and s.next_at <= ?1 order by s.size desc limit ?2",
                )?,
                params![ms(now), most],
                checkpoint,
            )
        })
        .await
    }

    /// The stamp on a checkpoint, wanted or kept.
    pub async fn stamp(&self, size: u64) -> Result<Option<StampRow>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!("select {STAMP} from stamps where size = ?1"))?,
                [size],
                stamp,
            )
        })
        .await
    }

    /// Stamps after `size`, in order, at most `most`, for verification.
    pub async fn stamps_to_verify(
        &self,
        size: i64,
        most: u32,
    ) -> Result<Vec<Readable<StampRow>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(&format!(
                    "select {STAMP} from stamps where size > ?1 order by size limit ?2"
                ))?,
                params![size, most],
                stamp,
            )
        })
        .await
    }

    /// By the size of their checkpoints: what the audit log says of the stamps that were kept, see [`StampState::words`].
    pub async fn stamps_told(&self) -> Result<BTreeMap<u64, String>, StoreError> {
        self.read(|c| {
            let told = rows(
                &mut c.prepare_cached(
                    "select cast(replace(subject, ?2, '') as integer), coalesce(detail, '') from audit
                     where act = ?1 order by id",
                )?,
                params![STAMP_KEPT, CHECKPOINT_SUBJECT],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok(told.into_iter().collect())
        })
        .await
    }

    /// Keeps an answer that held, and says in the audit log, which entries of the log hold, that it is there. No
    /// entry of its own: that would want a checkpoint, and the checkpoint another stamp.
    pub async fn keep_stamp(
        &self,
        size: u64,
        authority: String,
        answer: Vec<u8>,
        stamped_at: Timestamp,
        ca_pem: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let kept = tx
                .prepare_cached(
                    "update stamps set state = 'kept', attempts = attempts + 1, problem = null,
                   authority = ?2, answer = ?3, stamped_at = ?4, ca_pem = ?5
                 where size = ?1 and state = 'wanted'",
                )?
                .execute(params![size, authority, answer, ms(stamped_at), ca_pem])?;
            match kept {
                0 => Ok(()),
                _ => tell_stamps(tx, size, now),
            }
        })
        .await
    }

    /// Notes that no stamp was got, and when to ask again: doubling from a minute to six hours.
    pub async fn put_off_stamp(
        &self,
        size: u64,
        problem: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update stamps set attempts = attempts + 1, problem = ?2,
                   next_at = ?3 + min(21600000, 60000 * (1 << min(attempts, 20)))
                 where size = ?1 and state = 'wanted'",
            )?
            .execute(params![size, problem, ms(now)])?;
            Ok(())
        })
        .await
    }
}
