//! Disposal of texts that never became a case: routine, by the policy's plan and decision, a batch at a time.
//!
//! What goes is what goes with a case ([`super::disposals`]); what stays is that there was an item, and the
//! hashes of its versions, so that the same text fetched again does not come back.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use super::disposals::{DISPOSED_TEXT, wipe};
use super::holds::covering;
use super::value::{at, each_row, hash, json, ms, rows};
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

/// What holds for an item `i` whose content may go: it never became a case, and was seen for the last time
/// before `?1`; what still stands on the platform and is read there stays. Left alone is what stands beside an open case in its thread, what is not assessed, what rests
/// on a record, what may not be touched, and what the authority wrote itself. `?2` is what stands in place of
/// a text that has gone.
const DUE: &str = "i.by_us = 0 and i.no_copy = 0 and i.barred = '[]' and i.last_fetched_at < ?1
  and not exists (select 1 from cases k where k.item_id = i.id)
  and not exists (select 1 from evidence e where e.item_id = i.id)
  and exists (select 1 from versions v where v.item_id = i.id and v.text <> ?2)
  and not exists (select 1 from versions v where v.item_id = i.id
    and (v.assessed_by is null or v.fetched_at >= ?1))
  and not exists (
    select 1 from items o join cases k on k.item_id = o.id
    where o.account_id = i.account_id and o.platform_id = i.parent_id and k.state <> 'closed')
  and not exists (
    select 1 from items o join cases k on k.item_id = o.id
    where o.account_id = i.account_id and o.parent_id = i.platform_id and k.state <> 'closed')";

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
    /// Items of these accounts whose content may go, among the `window` numbers after `after`; with the last number
    /// that was looked at. Nothing where there are no more. Reads alone, so that nobody who writes waits for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn to_sweep(
        &self,
        accounts: Vec<AccountId>,
        before: Timestamp,
        after: ItemId,
        window: u32,
    ) -> Result<Option<(ItemId, Vec<(AccountId, ItemId)>)>, StoreError> {
        self.read(move |c| {
            let last: i64 = c
                .prepare_cached("select coalesce(max(id), 0) from items")?
                .query_row([], |row| row.get(0))?;
            if after.0 >= last {
                return Ok(None);
            }
            let upto = after.0.max(0).saturating_add(i64::from(window)).min(last);
            let numbers: Vec<_> = accounts.iter().map(|account| account.0).collect();
            // By number and not by account: each item is looked at once, whichever account is larger.
            let found = rows(
                &mut c.prepare_cached(&format!(
                    "select i.account_id, i.id from items i
                     where i.id > ?3 and i.id <= ?4
                       and +i.account_id in (select value from json_each(?5)) and {DUE} order by i.id"
                ))?,
                params![ms(before), DISPOSED_TEXT, after.0, upto, json(&numbers)?],
                |row| Ok((AccountId(row.get(0)?), ItemId(row.get(1)?))),
            )?;
            Ok(Some((ItemId(upto), found)))
        })
        .await
    }

    /// Makes the content of items of one account go, where it still may. Says of how many.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has gone.
    pub async fn sweep(
        &self,
        new: NewSweep,
        items: Vec<ItemId>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| {
            // What somebody asks for is kept until they have their answer, and it need not have a case.
            if tx.prepare_cached("select 1 from releases where ended_at is null")?.exists([])? {
                return Ok(0);
            }
            let mut n_items = 0;
            for item in &items {
                let is_due = tx
                    .prepare_cached(&format!(
                        "select 1 from items i where i.id = ?3 and i.account_id = ?4 and {DUE}"
                    ))?
                    .exists(params![ms(new.before), DISPOSED_TEXT, item.0, new.account.0])?;
                // An exemption on a case covers its thread.
                if is_due && covering(tx, *item)?.is_none() {
                    wipe(tx, *item)?;
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
            Ok(n_items)
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
