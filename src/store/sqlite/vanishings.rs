//! What became of a sealed item on its platform by no doing of ours: an edited text's seal points to the one
//! before it, and an item that is gone has a leaf of its own that points to its last seal.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use super::log;
use super::value::{at, each_row, hash, maybe_row, ms};
use crate::domain::evidence::EarlierSeal;
use crate::domain::ids::{ContentHash, ItemId};
use crate::domain::log::{LogKind, words_hash};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::handed::{RuledFacts, VanishedFacts};
use crate::store::rows::Readable;

/// What the log says of it.
#[derive(Serialize)]
struct VanishedRecord<'a> {
    row: i64,
    case: Option<i64>,
    user: i64,
    words_sha256: ContentHash,
    /// For people who read the log: what is gone, and where it was sealed.
    account: &'a str,
    platform_id: &'a str,
    seal_seq: u64,
    manifest_sha256: ContentHash,
}

fn words(account: &str, platform_id: &str, seal: &EarlierSeal) -> ContentHash {
    let (version, seq) = (seal.version.to_string(), seal.log_seq.to_string());
    words_hash(&[account, platform_id, &version, &seq, &seal.manifest_sha256.to_hex()])
}

/// The newest seal of an item among its versions before `number`, with its record.
fn last_seal(
    c: &Connection,
    item: ItemId,
    number: u32,
) -> Result<Option<(i64, EarlierSeal)>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(
            "select e.id, v.number, e.manifest_hash, e.log_seq
             from evidence e join versions v on v.id = e.version_id
             where e.item_id = ?1 and e.state <> 'wanted' and v.number < ?2
             order by v.number desc limit 1",
        )?,
        params![item.0, number],
        |row| {
            let seal = EarlierSeal {
                version: row.get(1)?,
                manifest_sha256: hash("evidence", &row.get::<_, Vec<u8>>(2)?)?,
                log_seq: row.get(3)?,
            };
            Ok((row.get(0)?, seal))
        },
    )
}

/// Notes that an item is gone, where it was sealed: what never was has no place in the log.
pub(super) fn note_vanished(
    tx: &Transaction<'_>,
    item: ItemId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((evidence, seal)) = last_seal(tx, item, u32::MAX)? else { return Ok(()) };
    // Where a deletion of ours is out, was done, or is a person's to do on the platform, it is no act of others.
    let is_ours = tx
        .prepare_cached(
            "select 1 from cases k join actions a on a.case_id = k.id
             where k.item_id = ?1 and a.kind = 'delete'
               and (a.state in ('under_way', 'retrying', 'done')
                 or a.by_hand = 1 and a.state = 'pending')",
        )?
        .exists([item.0])?;
    if is_ours {
        return Ok(());
    }
    let (account, platform_id): (String, String) = tx
        .prepare_cached(
            "select a.key, i.platform_id from items i join accounts a on a.id = i.account_id
             where i.id = ?1",
        )?
        .query_row([item.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let row: i64 = tx
        .prepare_cached("select coalesce(max(id), 0) + 1 from vanishings")?
        .query_row([], |row| row.get(0))?;
    let record = VanishedRecord {
        row,
        case: None,
        user: 0,
        words_sha256: words(&account, &platform_id, &seal),
        account: &account,
        platform_id: &platform_id,
        seal_seq: seal.log_seq,
        manifest_sha256: seal.manifest_sha256,
    };
    let seq = log::append(tx, LogKind::Vanished, &record, now)?;
    tx.prepare_cached(
        "insert into vanishings (id, item_id, evidence_id, at, log_seq) values (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![row, item.0, evidence, ms(now), seq])?;
    Ok(())
}

impl Store {
    /// The seal of the version before this one, for a manifest to point to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn earlier_seal(
        &self,
        item: ItemId,
        number: u32,
    ) -> Result<Option<EarlierSeal>, StoreError> {
        self.read(move |c| Ok(last_seal(c, item, number)?.map(|(_, seal)| seal))).await
    }

    /// What vanished after `after`, in order, for verification.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vanished_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<VanishedFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select x.id, x.at, x.log_seq, a.key, i.platform_id, v.number, e.log_seq, e.manifest_hash
                     from vanishings x join items i on i.id = x.item_id
                       join accounts a on a.id = i.account_id join evidence e on e.id = x.evidence_id
                       join versions v on v.id = e.version_id
                     where x.id > ?1 order by x.id limit ?2",
                )?,
                params![after, most],
                |row| {
                    let seal = EarlierSeal {
                        version: row.get(5)?,
                        log_seq: row.get(6)?,
                        manifest_sha256: hash("evidence", &row.get::<_, Vec<u8>>(7)?)?,
                    };
                    let (account, id): (String, String) = (row.get(3)?, row.get(4)?);
                    Ok(VanishedFacts(RuledFacts {
                        row: row.get(0)?,
                        case: None,
                        user: 0,
                        at: at(row.get(1)?)?,
                        words: words(&account, &id, &seal),
                        log_seq: row.get(2)?,
                    }))
                },
            )
        })
        .await
    }
}
