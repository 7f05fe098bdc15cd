//! Items and their versions. Invariant 1 is kept here: items and cursor commit together.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::accounts::{note_gap, note_look};
use super::cases::{case_of_item, note_event, touch};
use super::search::index_version;
use super::value::{at, from_json, hash, json, maybe_at, maybe_row, ms, rows};
use super::vanishings::note_vanished;
use crate::domain::case::CaseState;
use crate::domain::ids::{
    AccountId, ActionId, CaseId, ContentHash, ItemId, PlatformItemId, PlatformPostId, VersionId,
};
use crate::domain::item::{
    Batch, Exchange, FetchedItem, FetchedPost, ItemKind, LiveReading, Permalink, PermalinkSource,
    Presence,
};
use crate::domain::verdict::Verdict;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{Committed, ItemRow, VersionRow};

const ITEM: &str = concat!(
    "i.id, i.account_id, i.platform_id, i.kind, i.post_id, i.parent_id, i.by_us,
    i.permalink, i.permalink_source, i.created_at, i.created_raw, i.presence, i.presence_at, ",
    barred!(),
    ", i.current_version_id, i.first_fetched_at, i.barred,
    (select name from users u where u.id = i.recorded_by)"
);

/// Of one account, which must be asked of the case: of the item, all that was ever fetched is walked.
pub(super) const TO_READ_AGAIN: &str = "from cases k join items i on i.id = k.item_id
     where k.state in ('waiting', 'returned', 'held') and k.account_id = ?1
       and i.last_fetched_at < ?2 and i.presence <> 'gone'
     order by i.last_fetched_at limit ?3";

const VERSION: &str = "v.id, v.item_id, v.number, v.content_hash, v.text, v.author, v.attachments,
    v.edited_at, v.presence, v.fetched_at,
    (select d.verdict from verdicts d where d.version_id = v.id and d.lexicon = v.assessed_by), v.read_for";

fn permalink(url: Option<String>, source: Option<String>) -> Option<Permalink> {
    let source = match source.as_deref() {
        Some("built") => PermalinkSource::Built,
        Some(_) | None => PermalinkSource::Given,
    };
    url.map(|url| Permalink { url, source })
}

/// The column's word for where a permalink comes from.
fn source_id(fetched: &FetchedItem) -> Option<&'static str> {
    fetched.permalink.as_ref().map(|p| match p.source {
        PermalinkSource::Given => "given",
        PermalinkSource::Built => "built",
    })
}

/// The column's word for a presence.
pub(super) fn presence(id: &str) -> Result<Presence, StoreError> {
    Presence::from_id(id).ok_or_else(|| StoreError::row("items", format!("presence `{id}`")))
}

/// The column's word for a kind of item.
pub(super) fn item_kind(id: &str) -> Result<ItemKind, StoreError> {
    ItemKind::from_id(id).ok_or_else(|| StoreError::row("items", format!("kind `{id}`")))
}

fn item_row(row: &Row<'_>) -> Result<ItemRow, StoreError> {
    Ok(ItemRow {
        id: ItemId(row.get(0)?),
        account: AccountId(row.get(1)?),
        platform_id: PlatformItemId::new(row.get::<_, String>(2)?),
        kind: item_kind(&row.get::<_, String>(3)?)?,
        post_id: row.get::<_, Option<String>>(4)?.map(PlatformPostId::new),
        parent_id: row.get::<_, Option<String>>(5)?.map(PlatformItemId::new),
        by_us: row.get(6)?,
        permalink: permalink(row.get(7)?, row.get(8)?),
        created_at: maybe_at(row.get(9)?)?,
        created_raw: row.get(10)?,
        presence: presence(&row.get::<_, String>(11)?)?,
        presence_at: at(row.get(12)?)?,
        no_copy: row.get(13)?,
        current_version: VersionId(row.get(14)?),
        first_fetched_at: at(row.get(15)?)?,
        barred: from_json("items", &row.get::<_, String>(16)?)?,
        recorded_by: row.get(17)?,
    })
}

fn version_row(row: &Row<'_>) -> Result<VersionRow, StoreError> {
    let verdict: Option<String> = row.get(10)?;
    Ok(VersionRow {
        id: VersionId(row.get(0)?),
        item: ItemId(row.get(1)?),
        number: row.get(2)?,
        content_hash: hash("versions", &row.get::<_, Vec<u8>>(3)?)?,
        text: row.get(4)?,
        author: from_json("versions", &row.get::<_, String>(5)?)?,
        attachments: from_json("versions", &row.get::<_, String>(6)?)?,
        edited_at: maybe_at(row.get(7)?)?,
        presence: presence(&row.get::<_, String>(8)?)?,
        fetched_at: at(row.get(9)?)?,
        verdict: verdict.map(|v| from_json::<Verdict>("verdicts", &v)).transpose()?,
        read_for: row.get::<_, Option<i64>>(11)?.map(ActionId),
    })
}

/// What became of one fetched item.
pub(super) enum Stored {
    New,
    NewVersion,
    /// With the case that was told of how it stands now.
    Same {
        presence_changed: bool,
        told: Option<CaseId>,
    },
}

pub(super) fn store_item(
    tx: &Transaction<'_>,
    account: AccountId,
    fetched: &FetchedItem,
    now: Timestamp,
) -> Result<Stored, StoreError> {
    let known = maybe_row(
        &mut tx.prepare_cached(
            "select i.id, i.presence, v.content_hash, v.number, v.edited_at
             from items i join versions v on v.id = i.current_version_id
             where i.account_id = ?1 and i.platform_id = ?2",
        )?,
        params![account.0, fetched.platform_id.as_str()],
        |row| {
            Ok((
                ItemId(row.get(0)?),
                row.get::<_, String>(1)?,
                hash("versions", &row.get::<_, Vec<u8>>(2)?)?,
                row.get::<_, u32>(3)?,
                row.get::<_, Option<i64>>(4)?,
            ))
        },
    )?;
    let content = fetched.content_hash();
    let Some((item, old_presence, old_content, number, old_edited)) = known else {
        let item = insert_item(tx, account, fetched, now)?;
        let version = insert_version(tx, item, 1, content, fetched, now)?;
        make_current(tx, item, version)?;
        return Ok(Stored::New);
    };
    // A push may arrive late: an edit older than the one we have is history, not the present.
    // What the platform calls an edit is one, whatever we see of it: the payload is another.
    let edited = fetched.edited_at.is_some_and(|at| old_edited.is_none_or(|old| ms(at) > old));
    let changed = content != old_content || edited;
    let stale = match (fetched.edited_at, old_edited) {
        (Some(theirs), Some(ours)) => ms(theirs) < ours,
        // The first text once more, from a platform that has told of an edit since.
        (None, Some(_)) => changed && knows_content(tx, item, content)?,
        (Some(_) | None, None) => false,
    };
    if stale {
        if changed && !knows_content(tx, item, content)? {
            // Kept as a version of its own with the next number; the current one stays current.
            let number = highest_number(tx, item)?.saturating_add(1);
            insert_version(tx, item, number, content, fetched, now)?;
        }
        return Ok(Stored::Same { presence_changed: false, told: None });
    }
    tx.prepare_cached(
        "update items set presence = ?2,
                presence_at = case when presence <> ?2 then ?3 else presence_at end,
                last_fetched_at = ?3, barred = ?5,
                permalink_source = case when ?4 is null then permalink_source else ?6 end,
                permalink = coalesce(?4, permalink),
                parent_id = case when post_id is null and ?7 is not null then ?8 else parent_id end,
                post_id = coalesce(post_id, ?7), page = coalesce(page, ?9)
         where id = ?1",
    )?
    .execute(params![
        item.0,
        fetched.presence.id(),
        ms(now),
        fetched.permalink.as_ref().map(|p| p.url.as_str()),
        json(&fetched.barred)?,
        source_id(fetched),
        fetched.post_id.as_ref().map(PlatformPostId::as_str),
        fetched.parent_id.as_ref().map(PlatformItemId::as_str),
        fetched.page
    ])?;
    let presence_changed = old_presence != fetched.presence.id();
    if changed {
        let number = highest_number(tx, item)?.max(number).saturating_add(1);
        let version = insert_version(tx, item, number, content, fetched, now)?;
        make_current(tx, item, version)?;
        return Ok(Stored::NewVersion);
    }
    let told = match Presence::from_id(&old_presence) {
        Some(before) if presence_changed => note_standing(tx, item, before, fetched.presence, now)?,
        Some(_) | None => None,
    };
    Ok(Stored::Same { presence_changed, told })
}

/// Says on an item's case, where a person is still to decide it, that somebody else has hidden the item or shows it again.
fn note_standing(
    tx: &Transaction<'_>,
    item: ItemId,
    before: Presence,
    now_is: Presence,
    now: Timestamp,
) -> Result<Option<CaseId>, StoreError> {
    let what = match (before, now_is) {
        // What was not told before has perhaps been so all the time.
        (Presence::Unknown, _) | (_, Presence::Unknown | Presence::Gone) => return Ok(None),
        (Presence::Gone, _) => "Inlägget finns åter på plattformen",
        (_, Presence::Hidden) => "Inlägget är dolt på plattformen",
        (_, Presence::Binned) => "Inlägget ligger i plattformens papperskorg",
        (_, Presence::Visible) => "Inlägget syns på plattformen",
    };
    let Some(case) = case_of_item(tx, item)? else { return Ok(None) };
    match case.state {
        CaseState::Waiting | CaseState::Returned { .. } | CaseState::Held { .. } => {}
        CaseState::Decided | CaseState::AwaitingDiary | CaseState::Closed { .. } => {
            return Ok(None);
        }
    }
    // What an act of ours has brought about, or may just be bringing about, is told by that act.
    let is_ours = tx
        .prepare_cached(
            "select 1 from actions where case_id = ?1 and kind in ('hide', 'unhide', 'delete')
             and (state in ('under_way', 'retrying', 'done') or by_hand = 1 and state = 'pending')",
        )?
        .exists([case.id.0])?;
    if is_ours {
        return Ok(None);
    }
    let detail = "Det är inte gjort härifrån. Ärendet ska ändå avgöras.";
    note_event(tx, case.id, None, what, Some(detail), now)?;
    touch(tx, case.id, now)?;
    Ok(Some(case.id))
}

fn knows_content(
    tx: &Transaction<'_>,
    item: ItemId,
    content: ContentHash,
) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("select 1 from versions where item_id = ?1 and content_hash = ?2")?
        .exists(params![item.0, content.bytes()])?)
}

pub(super) fn highest_number(tx: &Transaction<'_>, item: ItemId) -> Result<u32, StoreError> {
    Ok(tx
        .prepare_cached("select max(number) from versions where item_id = ?1")?
        .query_row([item.0], |row| row.get(0))?)
}

fn insert_item(
    tx: &Transaction<'_>,
    account: AccountId,
    fetched: &FetchedItem,
    now: Timestamp,
) -> Result<ItemId, StoreError> {
    tx.prepare_cached(
        "insert into items (account_id, platform_id, kind, post_id, parent_id, by_us, permalink,
           permalink_source, created_at, created_raw, presence, presence_at, first_fetched_at,
           last_fetched_at, barred, page)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?12, ?13, ?14)",
    )?
    .execute(params![
        account.0,
        fetched.platform_id.as_str(),
        fetched.kind.id(),
        fetched.post_id.as_ref().map(PlatformPostId::as_str),
        fetched.parent_id.as_ref().map(PlatformItemId::as_str),
        fetched.by_us,
        fetched.permalink.as_ref().map(|p| p.url.as_str()),
        source_id(fetched),
        fetched.created_at.map(ms),
        fetched.created_raw,
        fetched.presence.id(),
        ms(now),
        json(&fetched.barred)?,
        fetched.page,
    ])?;
    Ok(ItemId(tx.last_insert_rowid()))
}

pub(super) fn insert_version(
    tx: &Transaction<'_>,
    item: ItemId,
    number: u32,
    content: ContentHash,
    fetched: &FetchedItem,
    now: Timestamp,
) -> Result<VersionId, StoreError> {
    let version = insert_unsearched(tx, item, number, content, fetched, now)?;
    index_version(tx, item, version, &fetched.text)?;
    Ok(version)
}

/// The same, not taken into the search: its words are there by another version.
pub(super) fn insert_unsearched(
    tx: &Transaction<'_>,
    item: ItemId,
    number: u32,
    content: ContentHash,
    fetched: &FetchedItem,
    now: Timestamp,
) -> Result<VersionId, StoreError> {
    tx.prepare_cached(
        "insert into versions (item_id, number, content_hash, text, author, attachments, edited_at,
           presence, fetched_at, payload, exchange)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        item.0,
        number,
        content.bytes(),
        fetched.text,
        json(&fetched.author)?,
        json(&fetched.attachments)?,
        fetched.edited_at.map(ms),
        fetched.presence.id(),
        ms(now),
        fetched.raw,
        fetched.exchange.as_deref().map(json).transpose()?,
    ])?;
    Ok(VersionId(tx.last_insert_rowid()))
}

pub(super) fn make_current(
    tx: &Transaction<'_>,
    item: ItemId,
    version: VersionId,
) -> Result<(), StoreError> {
    tx.prepare_cached("update items set current_version_id = ?2 where id = ?1")?
        .execute(params![item.0, version.0])?;
    Ok(())
}

fn store_post(
    tx: &Transaction<'_>,
    account: AccountId,
    post: &FetchedPost,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into posts (account_id, platform_id, title, text, created_at, permalink, fetched_at,
           published_by)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (account_id, platform_id) do update set
           title = excluded.title, text = excluded.text, permalink = excluded.permalink,
           fetched_at = excluded.fetched_at,
           published_by = coalesce(excluded.published_by, published_by)",
    )?
    .execute(params![
        account.0,
        post.platform_id.as_str(),
        post.title,
        post.text,
        post.created_at.map(ms),
        post.permalink,
        ms(now),
        post.published_by
    ])?;
    Ok(())
}

/// Stores all that a batch holds.
pub(super) fn store_batch(
    tx: &Transaction<'_>,
    account: AccountId,
    batch: &Batch,
    now: Timestamp,
) -> Result<Committed, StoreError> {
    let mut committed = Committed::default();
    for post in &batch.posts {
        store_post(tx, account, post, now)?;
    }
    for fetched in &batch.items {
        match store_item(tx, account, fetched, now)? {
            Stored::New => committed.new_items += 1,
            Stored::NewVersion => committed.new_versions += 1,
            Stored::Same { presence_changed, told } => {
                committed.unchanged += 1;
                committed.presence_changes += u32::from(presence_changed);
                committed.touched.extend(told);
            }
        }
    }
    for gone in &batch.gone {
        let item = maybe_row(
            &mut tx.prepare_cached(
                "update items set presence = 'gone', presence_at = ?3, last_fetched_at = ?3
                 where account_id = ?1 and platform_id = ?2 and presence <> 'gone' returning id",
            )?,
            params![account.0, gone.as_str(), ms(now)],
            |row| Ok(ItemId(row.get(0)?)),
        )?;
        let Some(item) = item else { continue };
        committed.presence_changes += 1;
        committed.touched.extend(note_gone(tx, item, now)?);
        // After the line it is to hold.
        note_vanished(tx, item, now)?;
    }
    for element in &batch.unreadable {
        let kept = tx
            .prepare_cached(
                "insert into unreadable (account_id, at, place, problem, raw, raw_hash)
                 values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do nothing",
            )?
            .execute(params![
                account.0,
                ms(now),
                element.place,
                element.problem,
                element.raw,
                ContentHash::of(&element.raw).bytes()
            ])?;
        committed.unreadable += u32::from(kept > 0);
    }
    Ok(committed)
}

/// Says on an item's case that the item is gone, where a person is still to decide it. Whoever
/// decided has been told by what was done.
fn note_gone(
    tx: &Transaction<'_>,
    item: ItemId,
    now: Timestamp,
) -> Result<Option<CaseId>, StoreError> {
    let Some(case) = case_of_item(tx, item)? else { return Ok(None) };
    match case.state {
        CaseState::Waiting | CaseState::Returned { .. } | CaseState::Held { .. } => {}
        CaseState::Decided | CaseState::AwaitingDiary | CaseState::Closed { .. } => {
            return Ok(None);
        }
    }
    let what = "Inlägget finns inte längre på plattformen";
    let detail = "Beviset finns kvar, och ärendet ska ändå avgöras.";
    note_event(tx, case.id, None, what, Some(detail), now)?;
    touch(tx, case.id, now)?;
    Ok(Some(case.id))
}

impl Store {
    /// Stores a fetched batch and moves the cursor, both or neither.
    pub async fn commit_batch(
        &self,
        account: AccountId,
        batch: Batch,
        next_at: Timestamp,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        self.write(move |tx| {
            let committed = store_batch(tx, account, &batch, now)?;
            tx.prepare_cached(
                "update fetch_states set cursor = coalesce(?2, cursor), last_try_at = ?3,
                        last_ok_at = ?3, failures = 0, next_at = ?4, problem = null, stopped = 0,
                        class = null, alike = 0, open_since = null
                 where account_id = ?1",
            )?
            .execute(params![
                account.0,
                batch.next.as_ref().map(|c| c.as_str()),
                ms(now),
                ms(next_at)
            ])?;
            note_gap(tx, account, batch.gap.as_deref(), now)?;
            note_look(tx, account, now, batch.items.len(), None)?;
            Ok(committed)
        })
        .await
    }

    /// Stores what an item looked like when it was read again. Says whether its content changed,
    /// and gives the version that stands now.
    pub async fn record_live_reading(
        &self,
        item: ItemId,
        reading: LiveReading,
        now: Timestamp,
    ) -> Result<(VersionId, bool), StoreError> {
        self.write(move |tx| {
            let known = the_item(tx, item)?;
            let changed = match &reading {
                LiveReading::Present(fetched) => {
                    if fetched.platform_id != known.platform_id {
                        return Err(StoreError::Refused {
                            why:
                                "plattformen svarade med ett annat inlägg än det som frågades efter"
                                    .into(),
                        });
                    }
                    matches!(store_item(tx, known.account, fetched, now)?, Stored::NewVersion)
                }
                LiveReading::Gone => {
                    set_presence(tx, item, Presence::Gone, now)?;
                    if known.presence != Presence::Gone {
                        note_vanished(tx, item, now)?;
                    }
                    false
                }
                LiveReading::NotReadable { .. } => false,
            };
            Ok((the_item(tx, item)?.current_version, changed))
        })
        .await
    }

    /// Notes what an act of ours did to an item's visibility.
    pub async fn record_presence(
        &self,
        item: ItemId,
        presence: Presence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| set_presence(tx, item, presence, now)).await
    }

    /// One item.
    pub async fn item(&self, item: ItemId) -> Result<ItemRow, StoreError> {
        self.read(move |c| the_item(c, item)).await
    }

    /// One version.
    pub async fn version(&self, version: VersionId) -> Result<VersionRow, StoreError> {
        self.read(move |c| the_version(c, version)).await
    }

    /// All versions of an item, oldest first.
    pub async fn versions_of(&self, item: ItemId) -> Result<Vec<VersionRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {VERSION} from versions v where v.item_id = ?1 order by v.number"
                ))?,
                [item.0],
                version_row,
            )
        })
        .await
    }

    /// The element of the platform's answer that a version was read from, byte for byte.
    pub async fn payload(&self, version: VersionId) -> Result<Vec<u8>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached("select payload from versions where id = ?1")?,
                [version.0],
                |row| Ok(row.get(0)?),
            )?
            .ok_or(StoreError::NotFound { what: "version" })
        })
        .await
    }

    /// The call that a version was read by, where that is known.
    pub async fn exchange(&self, version: VersionId) -> Result<Option<Exchange>, StoreError> {
        self.read(move |c| {
            let sql = "select exchange from versions where id = ?1";
            let found = maybe_row(&mut c.prepare_cached(sql)?, [version.0], |row| {
                let told: Option<String> = row.get(0)?;
                told.map(|told| from_json("versions", &told)).transpose()
            })?;
            found.ok_or(StoreError::NotFound { what: "version" })
        })
        .await
    }

    /// Notes that the platform was asked for these items once more, whatever comes of it: one that
    /// cannot be read then stands behind the others, and never before them.
    pub async fn note_asked(&self, items: Vec<ItemId>, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            for item in items {
                tx.prepare_cached("update items set last_fetched_at = ?2 where id = ?1")?
                    .execute(params![item.0, ms(now)])?;
            }
            Ok(())
        })
        .await
    }

    /// Items with an open case that have not been read since `before`, for reading again.
    pub async fn items_to_read_again(
        &self,
        account: AccountId,
        before: Timestamp,
        most: u32,
    ) -> Result<Vec<ItemRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!("select {ITEM} {TO_READ_AGAIN}"))?,
                params![account.0, ms(before), most],
                item_row,
            )
        })
        .await
    }
}

/// One item, or that it does not exist.
pub(super) fn the_item(c: &Connection, item: ItemId) -> Result<ItemRow, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!("select {ITEM} from items i where i.id = ?1"))?,
        [item.0],
        item_row,
    )?
    .ok_or(StoreError::NotFound { what: "item" })
}

/// One version, or that it does not exist.
pub(super) fn the_version(c: &Connection, version: VersionId) -> Result<VersionRow, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!("select {VERSION} from versions v where v.id = ?1"))?,
        [version.0],
        version_row,
    )?
    .ok_or(StoreError::NotFound { what: "version" })
}

pub(super) fn set_presence(
    tx: &Transaction<'_>,
    item: ItemId,
    presence: Presence,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "update items set presence_at = case when presence <> ?2 then ?3 else presence_at end,
                presence = ?2, last_fetched_at = ?3
         where id = ?1",
    )?
    .execute(params![item.0, presence.id(), ms(now)])?;
    Ok(())
}
