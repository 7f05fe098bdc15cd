//! Closed cases that are no longer shown unasked.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::params;

use super::cases::note_event;
use super::value::{json, ms, rows};
use crate::domain::ids::{AccountId, CaseId, PlatformItemId};
use crate::store::Store;
use crate::store::error::StoreError;

impl Store {
    /// Those of these items whose cases are no longer shown unasked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn veiled_among(
        &self,
        account: AccountId,
        items: Vec<PlatformItemId>,
    ) -> Result<BTreeSet<PlatformItemId>, StoreError> {
        if items.is_empty() {
            return Ok(BTreeSet::new());
        }
        let ids = json(&items.iter().map(PlatformItemId::as_str).collect::<Vec<_>>())?;
        self.read(move |c| {
            let found = rows(
                &mut c.prepare_cached(
                    "select i.platform_id from json_each(?2) s
                     join items i on i.account_id = ?1 and i.platform_id = s.value
                     join cases k on k.item_id = i.id where k.veiled_at is not null",
                )?,
                params![account.0, ids],
                |row| Ok(PlatformItemId::new(row.get::<_, String>(0)?)),
            )?;
            Ok(found.into_iter().collect())
        })
        .await
    }

    /// Veils cases of these accounts that were closed before then, at most so many. Gives them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn veil_closed(
        &self,
        accounts: Vec<AccountId>,
        before: Timestamp,
        most: u32,
        now: Timestamp,
    ) -> Result<Vec<CaseId>, StoreError> {
        let numbers: Vec<_> = accounts.iter().map(|account| account.0).collect();
        let accounts = json(&numbers)?;
        let due = self
            .read(move |c| {
                rows(
                    &mut c.prepare_cached(
                        "select id from cases indexed by cases_to_veil
                         where state = 'closed' and veiled_at is null and closed_at < ?1
                           and +account_id in (select value from json_each(?2))
                         order by closed_at limit ?3",
                    )?,
                    params![ms(before), accounts, most],
                    |row| Ok(CaseId(row.get(0)?)),
                )
            })
            .await?;
        if due.is_empty() {
            return Ok(due);
        }
        self.write(move |tx| {
            let mut veiled = Vec::with_capacity(due.len());
            for case in due {
                // Asked again: it may have come back meanwhile.
                let n = tx
                    .prepare_cached(
                        "update cases set veiled_at = ?2 where id = ?1 and state = 'closed' and veiled_at is null",
                    )?
                    .execute(params![case.0, ms(now)])?;
                if n > 0 {
                    let what = "Text och namn visas inte längre utan att någon ber om det";
                    note_event(tx, case, None, what, None, now)?;
                    veiled.push(case);
                }
            }
            Ok(veiled)
        })
        .await
    }
}
