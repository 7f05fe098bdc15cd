//! The thread around an item, as far as we were given it.

use rusqlite::{Connection, Row, params};

use super::items::the_item;
use super::value::{from_json, maybe_at, maybe_row, rows};
use crate::domain::evidence::{TEXT_NOT_COPIED, Thread, ThreadItem};
use crate::domain::ids::{AccountId, ItemId, PlatformItemId, PlatformPostId};
use crate::domain::item::FetchedPost;
use crate::domain::secrecy::WITHHELD;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::ItemRow;

/// How far up a thread is followed.
const DEEPEST_THREAD: usize = 50;

/// How many answers below an item are taken down with it.
const MOST_BELOW: usize = 500;

/// All that was answered to the item `?1` and to its answers, with the item itself; nothing private below what is
/// public. Each once: ids alone come in.
const ANSWERS: &str = "with recursive down (id, account_id, platform_id, kind) as (
       select id, account_id, platform_id, kind from items where id = ?1
       union
       select i.id, i.account_id, i.platform_id, i.kind from down join items i
         on i.account_id = down.account_id and i.parent_id = down.platform_id
           and (i.kind <> 'direct_message' or down.kind = 'direct_message'))";

/// What of it is copied: nothing whose text may turn out to be what must not be.
const ASSESSED: &str = "(v.assessed_by is not null or i.by_us = 1)";

/// The answers under an item.
pub(super) const BELOW: &str = "from items i join versions v on v.id = i.current_version_id
     where i.account_id = ?1 and i.parent_id = ?2 order by i.created_at, i.id limit ?3";

/// Whether the item `i` is under a secrecy mark: its words stand in its own case alone.
const SECRET: &str = "exists (select 1 from cases k where k.item_id = i.id and k.secret = 1)";

impl Store {
    /// The thread above an item: the post, and the answers from the top down to its parent.
    pub async fn thread_above(&self, item: ItemId) -> Result<Thread, StoreError> {
        self.read(move |c| {
            let item = the_item(c, item)?;
            let mut thread = Thread { post: post_of(c, &item)?, ..Thread::default() };
            let mut next = item.parent_id.clone();
            while let Some(parent) = next.take() {
                if thread.above.len() >= DEEPEST_THREAD
                    || thread.above.iter().any(|seen| seen.platform_id == parent)
                {
                    thread.missing.push(parent.as_str().to_owned());
                    break;
                }
                match thread_item(c, item.account, &parent)? {
                    Some((above, grandparent)) => {
                        thread.above.push(above);
                        next = grandparent;
                    }
                    None => thread.missing.push(parent.as_str().to_owned()),
                }
            }
            thread.above.reverse();
            Ok(thread)
        })
        .await
    }

    /// The thread of an item: what [`Self::thread_above`] gives, and the answers below it that are assessed.
    pub async fn whole_thread(&self, item: ItemId) -> Result<Thread, StoreError> {
        let mut thread = self.thread_above(item).await?;
        (thread.below, thread.below_left_out) =
            self.read(move |c| all_below(c, &the_item(c, item)?)).await?;
        Ok(thread)
    }

    /// The answers directly under an item, oldest first, at most `most`.
    pub async fn thread_below(
        &self,
        item: ItemId,
        most: u32,
    ) -> Result<Vec<ThreadItem>, StoreError> {
        self.read(move |c| {
            let item = the_item(c, item)?;
            rows(
                &mut c.prepare_cached(&format!(
                    "select i.platform_id, v.author, v.text, i.created_at, {}, {SECRET} {BELOW}",
                    barred!()
                ))?,
                params![item.account.0, item.platform_id.as_str(), most],
                read_thread_item,
            )
        })
        .await
    }
}

/// The answers below an item and below these, oldest first, and how many more are known of.
fn all_below(c: &Connection, item: &ItemRow) -> Result<(Vec<ThreadItem>, u32), StoreError> {
    const OF: &str = "from items i join versions v on v.id = i.current_version_id
         where i.id <> ?1 and i.id in (select id from down)";
    let below = rows(
        &mut c.prepare_cached(&format!(
            "{ANSWERS} select i.platform_id, v.author, v.text, i.created_at, {}, {SECRET}, i.parent_id
             {OF} and {ASSESSED}
             order by coalesce(i.created_at, i.first_fetched_at), i.id limit {MOST_BELOW}",
            barred!()
        ))?,
        params![item.id.0],
        |row| {
            let parent: Option<String> = row.get(6)?;
            let answers = parent.filter(|parent| parent != item.platform_id.as_str());
            let answers = answers.map(PlatformItemId::new);
            Ok(ThreadItem { answers, ..read_thread_item(row)? })
        },
    )?;
    let all: usize = c
        .prepare_cached(&format!("{ANSWERS} select count(*) {OF}"))?
        .query_row(params![item.id.0], |row| row.get(0))?;
    let left_out = u32::try_from(all.saturating_sub(below.len())).unwrap_or(u32::MAX);
    Ok((below, left_out))
}

fn post_of(c: &Connection, item: &ItemRow) -> Result<Option<FetchedPost>, StoreError> {
    let Some(post) = &item.post_id else { return Ok(None) };
    maybe_row(
        &mut c.prepare_cached(
            "select platform_id, title, text, created_at, permalink from posts
             where account_id = ?1 and platform_id = ?2",
        )?,
        params![item.account.0, post.as_str()],
        |row| {
            Ok(FetchedPost {
                published_by: None,
                platform_id: PlatformPostId::new(row.get::<_, String>(0)?),
                title: row.get(1)?,
                text: row.get(2)?,
                created_at: maybe_at(row.get(3)?)?,
                permalink: row.get(4)?,
            })
        },
    )
}

fn read_thread_item(row: &Row<'_>) -> Result<ThreadItem, StoreError> {
    Ok(ThreadItem {
        platform_id: PlatformItemId::new(row.get::<_, String>(0)?),
        author: from_json("versions", &row.get::<_, String>(1)?)?,
        text: match (row.get(4)?, row.get(5)?) {
            (true, _) => TEXT_NOT_COPIED.into(),
            (false, true) => WITHHELD.into(),
            (false, false) => row.get(2)?,
        },
        created_at: maybe_at(row.get(3)?)?,
        answers: None,
    })
}

fn thread_item(
    c: &Connection,
    account: AccountId,
    platform_id: &PlatformItemId,
) -> Result<Option<(ThreadItem, Option<PlatformItemId>)>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!(
            "select i.platform_id, v.author, v.text, i.created_at, {}, {SECRET}, i.parent_id
             from items i join versions v on v.id = i.current_version_id
             where i.account_id = ?1 and i.platform_id = ?2",
            barred!()
        ))?,
        params![account.0, platform_id.as_str()],
        |row| {
            let parent: Option<String> = row.get(6)?;
            Ok((read_thread_item(row)?, parent.map(PlatformItemId::new)))
        },
    )
}
