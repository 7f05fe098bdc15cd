//! What platforms and own sites push: stored with its answer, and where it points, in one transaction, so that nothing
//! is lost by a stop after the answer.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, params};

use super::accounts::{delivery_answer, hasten, note_look, note_signed, signed_before};
use super::items::store_batch;
use super::value::{at, ms, rows};
use crate::domain::ids::{AccountId, PlatformItemId, PlatformPostId};
use crate::domain::item::ItemKind;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{Committed, Delivery, PointedAt, PushStored, PushTold};

/// So many items that were pointed at wait for one account, at the most: the walk finds the others.
const MOST_POINTED_AT: u32 = 5_000;

/// How often one is tried that cannot be read.
const MOST_TRIES: u32 = 5;

fn point_at(c: &Connection, account: AccountId, items: &[PointedAt]) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    let held: u32 = c
        .prepare_cached("select count(*) from pointed_at where account_id = ?1")?
        .query_row([account.0], |row| row.get(0))?;
    let room = MOST_POINTED_AT.saturating_sub(held) as usize;
    if items.len() > room {
        tracing::warn!(account.id = %account, left_out = items.len() - room, "pushes point at more than can wait");
    }
    let mut insert = c.prepare_cached(
        "insert into pointed_at (account_id, platform_id, kind, post_id, parent_id, at)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict do update set kind = excluded.kind, post_id = excluded.post_id,
           parent_id = excluded.parent_id, at = excluded.at, tries = 0",
    )?;
    for item in items.iter().take(room) {
        insert.execute(params![
            account.0,
            item.platform_id.as_str(),
            item.kind.id(),
            item.post_id.as_ref().map(|id| id.as_str()),
            item.parent_id.as_ref().map(|id| id.as_str()),
            ms(item.at)
        ])?;
    }
    Ok(())
}

fn pointed_at_row(row: &Row<'_>) -> Result<PointedAt, StoreError> {
    let kind: String = row.get(1)?;
    Ok(PointedAt {
        platform_id: PlatformItemId::new(row.get::<_, String>(0)?),
        kind: ItemKind::from_id(&kind)
            .ok_or_else(|| StoreError::row("pointed_at", format!("kind `{kind}`")))?,
        post_id: row.get::<_, Option<String>>(2)?.map(PlatformPostId::new),
        parent_id: row.get::<_, Option<String>>(3)?.map(PlatformItemId::new),
        at: at(row.get(4)?)?,
        tries: row.get(5)?,
    })
}

impl Store {
    /// Stores what was pushed, where it points, and the answer for this delivery, all or nothing. Returns the
    /// remembered answer where the delivery, or what was signed, had been answered before, and the cases that were
    /// told of something. `apart` is how soon after the last look another may be wanted.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the delivery had been answered with another body.
    pub async fn commit_push(
        &self,
        account: AccountId,
        told: PushTold,
        delivery: Delivery,
        answer: impl FnOnce(&Committed) -> String + Send + 'static,
        apart: SignedDuration,
        now: Timestamp,
    ) -> Result<PushStored, StoreError> {
        let Delivery { id: delivery, body, signed, is_hint } = delivery;
        self.write(move |tx| {
            if let Some((answer, answered)) = delivery_answer(tx, account, &delivery)? {
                // Another body under an old identity would be lost by giving the old answer.
                if answered != body {
                    return Err(StoreError::Conflict { what: "delivery" });
                }
                note_signed(tx, account, signed, &delivery, now)?;
                return Ok(PushStored::before(answer));
            }
            // The identity is not signed: what was signed once counts once, under any identity.
            if let Some((answer, _)) = match signed_before(tx, account, signed)? {
                Some(before) => delivery_answer(tx, account, &before)?,
                None => None,
            } {
                return Ok(PushStored::before(answer));
            }
            let mut committed = Committed::default();
            for (of, batch) in &told.batches {
                let one = store_batch(tx, *of, batch, now)?;
                committed.new_items += one.new_items;
                committed.new_versions += one.new_versions;
                committed.unchanged += one.unchanged;
                committed.unreadable += one.unreadable;
                committed.presence_changes += one.presence_changes;
                committed.touched.extend(one.touched);
            }
            for (of, items) in &told.looks {
                point_at(tx, *of, items)?;
                hasten(tx, *of, apart, now)?;
            }
            let answer = answer(&committed);
            tx.execute(
                "insert into deliveries (account_id, delivery, at, body_hash, answer)
                 values (?1, ?2, ?3, ?4, ?5)",
                params![account.0, delivery, ms(now), body.bytes(), answer],
            )?;
            note_signed(tx, account, signed, &delivery, now)?;
            let is_log_longer = committed.presence_changes > 0;
            let stored =
                PushStored { answer, touched: committed.touched, is_new: true, is_log_longer };
            // Where to look is no look.
            if is_hint {
                return Ok(stored);
            }
            tx.execute(
                "update fetch_states set last_try_at = ?2, last_ok_at = ?2 where account_id = ?1",
                params![account.0, ms(now)],
            )?;
            let n_items = told.batches.get(&account).map_or(0, |batch| batch.items.len());
            note_look(tx, account, now, n_items, None)?;
            Ok(stored)
        })
        .await
    }

    /// What pushes have pointed at and nobody has read, what came first first.
    pub async fn pointed_at(
        &self,
        account: AccountId,
        most: u32,
    ) -> Result<Vec<PointedAt>, StoreError> {
        self.read(move |c| {
            let sql = "select platform_id, kind, post_id, parent_id, at, tries from pointed_at
                       where account_id = ?1 order by tries, at, platform_id limit ?2";
            rows(&mut c.prepare_cached(sql)?, params![account.0, most], pointed_at_row)
        })
        .await
    }

    /// Forgets those that were read, unless they were pointed at again meanwhile, and counts a try of those that could
    /// not be: after some they are forgotten too. Gives how many were given up.
    pub async fn note_pointed_at(
        &self,
        account: AccountId,
        read: Vec<PointedAt>,
        unread: Vec<PointedAt>,
    ) -> Result<usize, StoreError> {
        self.write(move |tx| {
            let mut forget = tx.prepare_cached(
                "delete from pointed_at where account_id = ?1 and platform_id = ?2 and at = ?3",
            )?;
            for one in &read {
                forget.execute(params![account.0, one.platform_id.as_str(), ms(one.at)])?;
            }
            let mut count = tx.prepare_cached(
                "update pointed_at set tries = tries + 1 where account_id = ?1 and platform_id = ?2",
            )?;
            for one in &unread {
                count.execute(params![account.0, one.platform_id.as_str()])?;
            }
            let given_up = tx
                .prepare_cached("delete from pointed_at where account_id = ?1 and tries >= ?2")?
                .execute(params![account.0, MOST_TRIES])?;
            Ok(given_up)
        })
        .await
    }
}
