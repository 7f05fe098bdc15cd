//! What is read and sealed once more right before an item is removed.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};

use super::items::{highest_number, insert_unsearched, the_item};
use super::value::{hash, maybe_row, ms};
use crate::domain::ids::{AccountId, ActionId, ContentHash, ItemId, VersionId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::OnceMore;

/// So long whoever reads it has it alone; then whoever takes evidence in turn does it.
const ITS_OWN_TURN: SignedDuration = SignedDuration::from_mins(10);

/// So long what was read for an attempt serves the next attempt at the same removal.
const STILL_NEW: SignedDuration = SignedDuration::from_mins(5);

/// How many removals that wait are counted.
const ENOUGH: u32 = 20;

/// Behind what somebody waits to see.
const LAST: u8 = 9;

impl Store {
    /// Takes in what was read right before a removal, or where it cannot be read, what was fetched last, as a version
    /// beside the current one, with the verdict of that one and a wish for evidence. Asked again within minutes for
    /// the same removal and text, it gives the same version.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the text is not the current one.
    pub async fn take_in_read_again(
        &self,
        action: ActionId,
        item: ItemId,
        read: OnceMore,
        now: Timestamp,
    ) -> Result<VersionId, StoreError> {
        self.write(move |tx| {
            let current = the_item(tx, item)?.current_version;
            let stands = content_of(tx, current)?;
            let content = match &read {
                OnceMore::Read(fetched) => Some(fetched.content_hash()),
                OnceMore::AsFetched(version) => content_of(tx, *version)?,
            };
            let Some(content) = content.filter(|content| stands == Some(*content)) else {
                let why = "Texten på plattformen är inte den senast hämtade.".to_owned();
                return Err(StoreError::Refused { why });
            };
            if let Some(known) = read_for(tx, action, content, now)? {
                return Ok(known);
            }
            let number = highest_number(tx, item)?.saturating_add(1);
            let version = match &read {
                OnceMore::Read(fetched) => {
                    insert_unsearched(tx, item, number, content, fetched, now)?
                }
                OnceMore::AsFetched(version) => copy_of(tx, *version, number)?,
            };
            // The very text has its verdict: assessed once more, it would be counted twice.
            tx.prepare_cached(
                "update versions set read_for = ?2, (assessed_by, unread) =
                   (select assessed_by, unread from versions where id = ?3)
                 where id = ?1",
            )?
            .execute(params![version.0, action.0, current.0])?;
            tx.prepare_cached(
                "insert into verdicts (version_id, lexicon, at, verdict)
                 select ?2, lexicon, at, verdict from verdicts where version_id = ?1",
            )?
            .execute(params![current.0, version.0])?;
            tx.prepare_cached(
                "insert into evidence (version_id, item_id, state, priority, wanted_at, next_at)
                 values (?1, ?2, 'wanted', ?3, ?4, ?5)",
            )?
            .execute(params![
                version.0,
                item.0,
                LAST,
                ms(now),
                ms(now.saturating_add(ITS_OWN_TURN).unwrap_or(Timestamp::MAX))
            ])?;
            Ok(version)
        })
        .await
    }
}

impl Store {
    /// How many removals of an account are due, counted no further than [`ENOUGH`].
    pub async fn waiting_removals(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached(
                "select count(*) from (
                   select 1 from actions x join items i on i.id = x.item_id
                   where x.due_at <= ?2 and x.kind in ('hide', 'delete') and i.account_id = ?1 limit ?3)",
            )?
            .query_row(params![account.0, ms(now), ENOUGH], |row| row.get(0))?)
        })
        .await
    }

    /// Whether an action was decided on under another version of its policy than this one.
    pub async fn decided_under_another(
        &self,
        action: ActionId,
        policy: ContentHash,
    ) -> Result<bool, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached(
                "select 1 from actions x join decisions d on d.id = x.decision_id
                 where x.id = ?1 and d.policy_sha256 is not null and d.policy_sha256 <> ?2",
            )?
            .exists(params![action.0, policy.bytes()])?)
        })
        .await
    }
}

/// The version that was read for a removal a while ago, with this text.
fn read_for(
    tx: &Transaction<'_>,
    action: ActionId,
    content: ContentHash,
    now: Timestamp,
) -> Result<Option<VersionId>, StoreError> {
    let since = now.saturating_sub(STILL_NEW).unwrap_or(Timestamp::MIN);
    maybe_row(
        &mut tx.prepare_cached(
            "select v.id from versions v join evidence e on e.version_id = v.id
             where v.read_for = ?1 and v.content_hash = ?2 and e.wanted_at between ?3 and ?4
             order by v.id desc limit 1",
        )?,
        params![action.0, content.bytes(), ms(since), ms(now)],
        |row| Ok(VersionId(row.get(0)?)),
    )
}

/// A version with all that another one holds; when it was fetched, too.
fn copy_of(tx: &Transaction<'_>, of: VersionId, number: u32) -> Result<VersionId, StoreError> {
    tx.prepare_cached(
        "insert into versions (item_id, number, content_hash, text, author, attachments, edited_at,
           presence, fetched_at, payload, exchange)
         select item_id, ?2, content_hash, text, author, attachments, edited_at,
           presence, fetched_at, payload, exchange from versions where id = ?1",
    )?
    .execute(params![of.0, number])?;
    Ok(VersionId(tx.last_insert_rowid()))
}

fn content_of(tx: &Transaction<'_>, version: VersionId) -> Result<Option<ContentHash>, StoreError> {
    maybe_row(
        &mut tx.prepare_cached("select content_hash from versions where id = ?1")?,
        [version.0],
        |row| hash("versions", &row.get::<_, Vec<u8>>(0)?),
    )
}
