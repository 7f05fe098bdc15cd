//! Disposal of texts that never became a case: routine, by the policy's plan and decision, a batch at a time.
//!
//! What goes is what goes with a case ([`super::disposals`]); what stays is that there was an item, and the
//! hashes of its versions, so that the same text fetched again does not come back.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::disposals::{DISPOSED_TEXT, wipe};
use super::holds::covering;
use super::value::{at, each_row, hash, ms, rows};
use super::{audit, log};
use crate::domain::ids::{AccountId, ContentHash, ItemId};
use crate::domain::log::{LogKind, words_hash};
use crate::domain::retention::Sweep;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::handed::{RuledFacts, RuledRecord, SweepFacts};
use crate::store::rows::{AuditLine, Readable};

/// What is to go.
#[derive(Clone, Debug)]
pub struct NewSweep {
    /// Of which account.
    pub account: AccountId,
    /// The plan it follows.
    pub plan: String,
    /// The decision that allows it.
    pub decision: String,
    /// The policy's hash.
    pub policy: ContentHash,
    /// What was fetched for the last time before then.
    pub before: Timestamp,
}

/// Items of the account from `after` on that never became a case and were fetched for the last time before the
/// day in question. Left alone is what stands beside an open case in its thread, what is not assessed, what
/// rests on a record, what may not be touched, and what the authority wrote itself.
fn due(
    c: &Connection,
    account: AccountId,
    before: Timestamp,
    after: ItemId,
    most: u32,
) -> Result<Vec<ItemId>, StoreError> {
    rows(
        &mut c.prepare_cached(
            "select i.id from items i
             where i.account_id = ?1 and i.id > ?3 and i.by_us = 0 and i.no_copy = 0 and i.barred = '[]'
               and not exists (select 1 from cases k where k.item_id = i.id)
               and not exists (select 1 from evidence e where e.item_id = i.id)
               and exists (select 1 from versions v where v.item_id = i.id and v.text <> ?5)
               and not exists (select 1 from versions v where v.item_id = i.id
                 and (v.assessed_by is null or v.fetched_at >= ?2))
               and not exists (
                 select 1 from items o join cases k on k.item_id = o.id
                 where o.account_id = i.account_id and o.platform_id = i.parent_id and k.state <> 'closed')
               and not exists (
                 select 1 from items o join cases k on k.item_id = o.id
                 where o.account_id = i.account_id and o.parent_id = i.platform_id and k.state <> 'closed')
             order by i.id limit ?4",
        )?,
        params![account.0, ms(before), after.0, most, DISPOSED_TEXT],
        |row| Ok(ItemId(row.get(0)?)),
    )
}

/// All that the leaf holds.
fn words(sweep: &Sweep) -> ContentHash {
    words_hash(&[
        &sweep.account.to_string(),
        &sweep.plan,
        &sweep.decision,
        &sweep.policy.to_hex(),
        &ms(sweep.before).to_string(),
        &sweep.n_items.to_string(),
    ])
}

fn sweep(row: &Row<'_>) -> Result<Sweep, StoreError> {
    Ok(Sweep {
        account: AccountId(row.get(1)?),
        name: row.get(2)?,
        at: at(row.get(3)?)?,
        plan: row.get(4)?,
        decision: row.get(5)?,
        policy: hash("sweeps", &row.get::<_, Vec<u8>>(6)?)?,
        before: at(row.get(7)?)?,
        n_items: row.get(8)?,
    })
}

const SWEEP: &str =
    "s.id, s.account_id, (select name from accounts a where a.id = s.account_id), s.at, s.plan, s.decision,
       s.policy, s.before, s.n_items, s.log_seq";

fn record(
    tx: &Transaction<'_>,
    sweep: &Sweep,
    line: &AuditLine,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::append(tx, line, now)?;
    let row: i64 = tx
        .prepare_cached("select coalesce(max(id), 0) + 1 from sweeps")?
        .query_row([], |row| row.get(0))?;
    let leaf = RuledRecord { row, case: None, user: 0, words_sha256: words(sweep) };
    // After the lines it is to hold.
    let seq = log::append(tx, LogKind::Sweep, &leaf, now)?;
    tx.execute(
        "insert into sweeps (id, account_id, at, plan, decision, policy, before, n_items, log_seq)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            row,
            sweep.account.0,
            ms(now),
            sweep.plan,
            sweep.decision,
            sweep.policy.bytes(),
            ms(sweep.before),
            sweep.n_items,
            seq
        ],
    )?;
    Ok(())
}

impl Store {
    /// Makes the content of at most `most` items go. Gives the last one that was looked at and how many went;
    /// nothing where there are no more.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has gone.
    pub async fn sweep(
        &self,
        new: NewSweep,
        after: ItemId,
        most: u32,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<Option<(ItemId, u64)>, StoreError> {
        self.write(move |tx| {
            let found = due(tx, new.account, new.before, after, most)?;
            let Some(last) = found.last().copied() else { return Ok(None) };
            let mut n_items = 0;
            for item in found {
                // An exemption on a case covers its thread.
                if covering(tx, item)?.is_none() {
                    wipe(tx, item)?;
                    n_items += 1;
                }
            }
            if n_items > 0 {
                let NewSweep { account, plan, decision, policy, before } = new.clone();
                let name = String::new();
                let sweep =
                    Sweep { account, name, at: now, plan, decision, policy, before, n_items };
                let detail = format!("{n_items} inlägg utan ärende, {}", sweep.decision);
                record(tx, &sweep, &AuditLine { detail: Some(detail), ..line.clone() }, now)?;
            }
            Ok(Some((last, n_items)))
        })
        .await
    }

    /// What went without ever having been a case, newest first, at most `most`.
    pub async fn sweeps(&self, most: u32) -> Result<Vec<Sweep>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {SWEEP} from sweeps s order by s.id desc limit ?1"
                ))?,
                [most],
                sweep,
            )
        })
        .await
    }

    /// The same after `after`, in order, for verification.
    pub async fn sweep_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<SweepFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(&format!(
                    "select {SWEEP} from sweeps s where s.id > ?1 order by s.id limit ?2"
                ))?,
                params![after, most],
                |row| {
                    let known = sweep(row)?;
                    Ok(SweepFacts(RuledFacts {
                        row: row.get(0)?,
                        case: None,
                        user: 0,
                        at: known.at,
                        words: words(&known),
                        log_seq: row.get(9)?,
                    }))
                },
            )
        })
        .await
    }
}
