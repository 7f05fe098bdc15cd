//! What editors record by hand, with the pictures they hand in.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::audit;
use super::items::store_item;
use super::value::{hash, maybe_row, ms, rows};
use crate::domain::ids::{AccountId, ContentHash, ItemId, PlatformItemId, UserId};
use crate::domain::item::FetchedItem;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// A picture as it was handed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// Our own name for it.
    pub name: String,
    /// What its content is.
    pub media_type: String,
    /// Of its bytes.
    pub sha256: ContentHash,
    /// The bytes; gone where the item may not be copied.
    pub bytes: Option<Vec<u8>>,
}

/// What a picture shows stays out of logs.
impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An item by the platform's identity of it.
fn item_by_platform_id(
    c: &Connection,
    account: AccountId,
    platform_id: &PlatformItemId,
) -> Result<Option<ItemId>, StoreError> {
    maybe_row(
        &mut c.prepare_cached("select id from items where account_id = ?1 and platform_id = ?2")?,
        params![account.0, platform_id.as_str()],
        |row| Ok(ItemId(row.get(0)?)),
    )
}

/// What a person typed and handed in, without who and when: that differs from try to try.
fn what_was_typed(payload: &[u8]) -> Option<serde_json::Value> {
    let mut typed: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let fields = typed.as_object_mut()?;
    fields.remove("recorded_by");
    fields.remove("recorded_at");
    Some(typed)
}

impl Store {
    /// Stores an item with its pictures, all or nothing. The same sent twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where something else was recorded under that identity: it is
    /// another item, or a corrected one, and no version of the first.
    pub async fn record_by_hand(
        &self,
        account: AccountId,
        item: FetchedItem,
        uploads: Vec<Upload>,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<ItemId, StoreError> {
        self.write(move |tx| {
            if let Some(known) = item_by_platform_id(tx, account, &item.platform_id)? {
                let first: Vec<u8> = tx
                    .prepare_cached(
                        "select payload from versions where item_id = ?1 order by number limit 1",
                    )?
                    .query_row([known.0], |row| row.get(0))?;
                return match what_was_typed(&first) == what_was_typed(&item.raw) {
                    true => Ok(known),
                    false => Err(StoreError::Conflict { what: "item recorded by hand" }),
                };
            }
            store_item(tx, account, &item, now)?;
            let id = item_by_platform_id(tx, account, &item.platform_id)?
                .ok_or(StoreError::NotFound { what: "item" })?;
            for upload in &uploads {
                tx.prepare_cached(
                    "insert into uploads (item_id, name, media_type, sha256, bytes, added_at, added_by)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    id.0,
                    upload.name,
                    upload.media_type,
                    upload.sha256.bytes(),
                    upload.bytes,
                    ms(now),
                    user.0
                ])?;
            }
            tx.prepare_cached("update items set recorded_by = ?2 where id = ?1")?
                .execute(params![id.0, user.0])?;
            // Where it stands was said before its number was known.
            let (subject, detail) = (format!("item {id}"), Some(line.subject.clone()));
            audit::append(tx, &AuditLine { subject, detail, ..line.clone() }, now)?;
            Ok(id)
        })
        .await
    }

    /// The pictures that were handed in with an item.
    pub async fn uploads_of(&self, item: ItemId) -> Result<Vec<Upload>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select name, media_type, sha256, bytes from uploads where item_id = ?1 order by id",
                )?,
                [item.0],
                |row| {
                    Ok(Upload {
                        name: row.get(0)?,
                        media_type: row.get(1)?,
                        sha256: hash("uploads", &row.get::<_, Vec<u8>>(2)?)?,
                        bytes: row.get(3)?,
                    })
                },
            )
        })
        .await
    }
}
