//! What may not be copied (regulation 2.2): the mark on an item with what it leaves on record, and
//! what follows from it for the same item elsewhere, for its page, and for what was sealed before.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Serialize;

use super::cases::{case_of_item, note_event, the_case, touch};
use super::items::the_version;
use super::value::{at, each_row, maybe_row, ms, rows};
use super::{audit, log};
use crate::domain::account::{ItemIdentity, PlatformKind};
use crate::domain::evidence::CutOff;
use crate::domain::ids::{AccountId, CaseId, ItemId, PlatformItemId, UserId, VersionId};
use crate::domain::log::LogKind;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, BarFacts, PageState, Readable};

/// How far up a thread is followed to find the page on which an item stands.
const DEEPEST: usize = 100;

/// How many versions that wait for their assessment are held against a page. Where more wait, none
/// is known to be clean.
const MOST_WAITING: u32 = 500;

/// Whether the item `i` may not be copied: it bears the mark, or the same item does as another account
/// of ours was given it. By which name it is the same: [`PlatformKind::identity`].
macro_rules! barred {
    () => {
        "(i.no_copy = 1 or exists (
            select 1 from items t indexed by items_barred_by_id
              join accounts ta on ta.id = t.account_id join accounts ia on ia.id = i.account_id
            where t.no_copy = 1 and t.platform_id = i.platform_id and t.account_id <> i.account_id
              and ta.platform = ia.platform
              and ta.platform not in ('mastodon', 'wordpress', 'jsonl', 'manual'))
          or exists (
            select 1 from items t indexed by items_barred_by_link
              join accounts ta on ta.id = t.account_id join accounts ia on ia.id = i.account_id
            where t.no_copy = 1 and t.permalink = i.permalink and t.id <> i.id
              and ta.platform = 'mastodon' and ia.platform = 'mastodon'))"
    };
}

/// What the log says of a suspicion.
#[derive(Serialize)]
struct BarRecord<'a> {
    bar: i64,
    item: i64,
    account: &'a str,
    platform_id: &'a str,
    version: u32,
    /// Who; none where the program did.
    user: Option<i64>,
}

/// From now on nothing of the item is copied. History and log tell it. Says whether it is new; a
/// version that is suspected already changes nothing.
pub(super) fn bar_copying(
    tx: &Transaction<'_>,
    version: VersionId,
    by: Option<(UserId, &str)>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = the_version(tx, version)?;
    let item = row.item;
    tx.prepare_cached("update items set no_copy = 1 where id = ?1 and no_copy = 0")?
        .execute([item.0])?;
    let stands = tx
        .prepare_cached("select 1 from bars where item_id = ?1 and version_id = ?2 and ended = 0")?
        .exists(params![item.0, version.0])?;
    if stands {
        return Ok(false);
    }
    if let Some(case) = case_of_item(tx, item)? {
        let detail = format!(
            "Lydelse {}, misstänkt barnpornografibrott ({}). Inget av inlägget kopieras, och det som kopierats är avskuret.",
            row.number,
            if by.is_some() { "markerat av en person" } else { "enligt Uppsikts regler" }
        );
        note_event(tx, case.id, by, "Spärrat mot kopiering", Some(&detail), now)?;
        // What was written for the diary before anybody suspected anything is out of our hands, and has pictures.
        let packages = rows(
            &mut tx.prepare_cached(
                "select package from registrations where case_id = ?1 order by id",
            )?,
            [case.id.0],
            |row| Ok(row.get::<_, String>(0)?),
        )?;
        for package in packages {
            let what = "Kopia utanför Uppsikt";
            let detail = format!(
                "Paketet {package} skrevs till exportmappen före spärren och kan ha bilder av inlägget. Öppna det inte, skicka det inte vidare, och fråga polisen (114 14) vad som ska göras med det."
            );
            note_event(tx, case.id, None, what, Some(&detail), now)?;
        }
        touch(tx, case.id, now)?;
    }
    let (account, platform_id): (String, String) = tx
        .prepare_cached(
            "select a.key, i.platform_id from items i join accounts a on a.id = i.account_id
             where i.id = ?1",
        )?
        .query_row([item.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let bar: i64 = tx
        .prepare_cached("select coalesce(max(id), 0) + 1 from bars")?
        .query_row([], |row| row.get(0))?;
    let record = BarRecord {
        bar,
        item: item.0,
        account: &account,
        platform_id: &platform_id,
        version: row.number,
        user: by.map(|(user, _)| user.0),
    };
    // After the line it is to hold.
    let seq = log::append(tx, LogKind::Bar, &record, now)?;
    tx.prepare_cached(
        "insert into bars (id, item_id, version_id, at, user_id, log_seq)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![bar, item.0, version.0, ms(now), by.map(|(user, _)| user.0), seq])?;
    Ok(true)
}

/// Whether a version is suspected already.
fn stands(c: &Connection, version: VersionId) -> Result<bool, StoreError> {
    let sql = "select 1 from versions v join bars b on b.item_id = v.item_id
               where v.id = ?1 and b.version_id = v.id and b.ended = 0";
    Ok(c.prepare_cached(sql)?.exists([version.0])?)
}

/// The items that bear the mark and are this one: itself, and what other accounts were given.
fn marked_as(c: &Connection, item: ItemId) -> Result<Vec<ItemId>, StoreError> {
    rows(
        &mut c.prepare_cached(
            "select i.id from items i where i.id = ?1 and i.no_copy = 1
             union
             select t.id from items i join accounts ia on ia.id = i.account_id
               join items t indexed by items_barred_by_id
                 on t.no_copy = 1 and t.platform_id = i.platform_id and t.account_id <> i.account_id
               join accounts ta on ta.id = t.account_id and ta.platform = ia.platform
             where i.id = ?1 and ta.platform not in ('mastodon', 'wordpress', 'jsonl', 'manual')
             union
             select t.id from items i join accounts ia on ia.id = i.account_id
               join items t indexed by items_barred_by_link
                 on t.no_copy = 1 and t.permalink = i.permalink and t.id <> i.id
               join accounts ta on ta.id = t.account_id and ta.platform = ia.platform
             where i.id = ?1 and ta.platform = 'mastodon'",
        )?,
        [item.0],
        |row| Ok(ItemId(row.get(0)?)),
    )
}

/// What of a version's evidence is cut off.
pub(super) fn cut_off(c: &Connection, version: VersionId) -> Result<CutOff, StoreError> {
    let item = the_version(c, version)?.item;
    let marked = marked_as(c, item)?;
    if marked.is_empty() {
        return Ok(match page_is_barred(c, item)? {
            true => CutOff::PagePictures,
            false => CutOff::Nothing,
        });
    }
    let mut suspected = c.prepare_cached(
        "select count(*), coalesce(max(b.content_hash = v.content_hash), 0)
         from versions v, (select w.content_hash from bars s join versions w on w.id = s.version_id
                           where s.item_id = ?2 and s.ended = 0) b
         where v.id = ?1",
    )?;
    for marked in marked {
        let (n, is_it): (u64, bool) = suspected
            .query_row(params![version.0, marked.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // A mark of which no version is on record: then it may be any.
        if n == 0 || is_it {
            return Ok(CutOff::Everything);
        }
    }
    Ok(CutOff::OwnPictures)
}

/// What an item is called, and where it stands.
struct Link {
    id: ItemId,
    account: AccountId,
    identity: ItemIdentity,
    platform_id: String,
    post: Option<String>,
    post_link: Option<String>,
    parent: Option<String>,
    page: Option<String>,
    permalink: Option<String>,
}

const LINK: &str = "i.id, i.account_id, a.platform, i.platform_id, i.post_id, p.permalink,
       i.parent_id, i.page, i.permalink
     from items i join accounts a on a.id = i.account_id
       left join posts p on p.account_id = i.account_id and p.platform_id = i.post_id";

/// The same of those that bear the mark: few, where without the name of the index all items are walked.
fn marked_links(more: &str) -> String {
    let marked = LINK.replacen("from items i", "from items i indexed by items_not_to_copy", 1);
    format!("select {marked} where i.no_copy = 1 and i.by_us = 0 {more}")
}

fn link(row: &rusqlite::Row<'_>) -> Result<Link, StoreError> {
    let platform: String = row.get(2)?;
    let platform = PlatformKind::from_id(&platform)
        .ok_or_else(|| StoreError::row("accounts", format!("platform `{platform}`")))?;
    Ok(Link {
        id: ItemId(row.get(0)?),
        account: AccountId(row.get(1)?),
        identity: platform.identity(),
        platform_id: row.get(3)?,
        post: row.get(4)?,
        post_link: row.get(5)?,
        parent: row.get(6)?,
        page: row.get(7)?,
        permalink: row.get(8)?,
    })
}

/// The thread above an item, as the names of all that stands in it, from itself to the top. Two that
/// have a name in common stand on one page.
struct Chain {
    names: BTreeSet<String>,
    /// Whether it reaches the top. Of one that does not, nobody knows on which page it stands.
    is_whole: bool,
}

impl Chain {
    fn above(c: &Connection, first: Link) -> Result<Self, StoreError> {
        let mut parent = c.prepare_cached(&format!(
            "select {LINK} where i.account_id = ?1 and i.platform_id = ?2"
        ))?;
        let mut chain = Self { names: BTreeSet::new(), is_whole: false };
        let mut next = Some(first);
        for _ in 0..DEEPEST {
            let Some(link) = next.take() else { break };
            let (identity, account) = (link.identity, link.account);
            let id = |id: &str| match identity {
                ItemIdentity::Id => format!("id {id}"),
                ItemIdentity::Link | ItemIdentity::OneAccount => format!("konto {account} {id}"),
            };
            chain.names.insert(id(&link.platform_id));
            for name in link.page.iter().chain(&link.post_link).chain(&link.permalink) {
                match identity {
                    ItemIdentity::Id => chain.names.insert(format!("id {name}")),
                    ItemIdentity::Link => chain.names.insert(format!("länk {name}")),
                    // The link to a whole page may be all that its items have.
                    ItemIdentity::OneAccount => false,
                };
            }
            chain.names.extend(link.post.as_deref().map(id));
            let Some(above) = link.parent.filter(|_| link.post.is_none() && link.page.is_none())
            else {
                chain.is_whole = true;
                break;
            };
            if !chain.names.insert(id(&above)) {
                // A ring, which no thread is.
                break;
            }
            next = maybe_row(&mut parent, params![account.0, above], self::link)?;
        }
        Ok(chain)
    }

    /// Whether both may stand on one page: what is between, or above, is known of neither or of one.
    fn may_meet(&self, other: &Self) -> bool {
        !(self.is_whole && other.is_whole && self.names.is_disjoint(&other.names))
    }
}

/// The thread above an item, with what the item itself quotes: its page shows that, too.
fn page_of(c: &Connection, item: ItemId) -> Result<Chain, StoreError> {
    let mut own = c.prepare_cached(&format!("select {LINK} where i.id = ?1"))?;
    let own = maybe_row(&mut own, [item.0], link)?.ok_or(StoreError::NotFound { what: "item" })?;
    let mut chain = Chain::above(c, own)?;
    let quoted = rows(
        &mut c.prepare_cached(
            "select json_extract(q.value, '$.name') from versions v, json_each(v.attachments) q
             where v.item_id = ?1 and json_extract(q.value, '$.kind') = 'quote'
               and json_extract(q.value, '$.name') is not null",
        )?,
        [item.0],
        |row| Ok(row.get::<_, String>(0)?),
    )?;
    chain.names.extend(quoted.into_iter().map(|name| format!("id {name}")));
    Ok(chain)
}

/// Whether something stands, or may stand, on the item's page that may not be copied: a picture of the
/// page would show it. Whether it is still there counts for nothing: what a platform does not show us
/// it may show others. Our own posts do not count. A bar that was wrong is lifted, in writing and by
/// who may; that its case is closed, in whatever way, takes nothing off.
fn page_is_barred(c: &Connection, item: ItemId) -> Result<bool, StoreError> {
    let mut barred = c.prepare_cached(&marked_links(
        "and a.platform = (select ia.platform from items ii join accounts ia on ia.id = ii.account_id
                           where ii.id = ?1)",
    ))?;
    let mut found = rows(&mut barred, [item.0], link)?.into_iter().peekable();
    if found.peek().is_none() {
        return Ok(false);
    }
    let page = page_of(c, item)?;
    for other in found {
        if other.id == item || page.may_meet(&Chain::above(c, other)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether two items may be seen on one page.
pub(super) fn pages_may_meet(
    c: &Connection,
    item: ItemId,
    other: ItemId,
) -> Result<bool, StoreError> {
    let mut of = c.prepare_cached(&format!("select {LINK} where i.id = ?1"))?;
    let platform = |item: ItemId| -> Result<String, StoreError> {
        Ok(c.prepare_cached(
            "select a.platform from items i join accounts a on a.id = i.account_id where i.id = ?1",
        )?
        .query_row([item.0], |row| row.get(0))?)
    };
    if platform(item)? != platform(other)? {
        return Ok(false);
    }
    let Some(other) = maybe_row(&mut of, [other.0], link)? else { return Ok(false) };
    Ok(page_of(c, item)?.may_meet(&Chain::above(c, other)?))
}

/// Whether something stands on the page of a version's item that has not been assessed yet, beside
/// that version itself.
fn page_waits(c: &Connection, version: VersionId, item: ItemId) -> Result<bool, StoreError> {
    let waiting = rows(
        &mut c.prepare_cached(&format!(
            "select {LINK} join versions v on v.item_id = i.id
             where v.assessed_by is null and v.id <> ?2 and i.by_us = 0
               and a.platform = (select ia.platform from items ii join accounts ia
                                   on ia.id = ii.account_id where ii.id = ?1)
             limit ?3"
        ))?,
        params![item.0, version.0, MOST_WAITING],
        link,
    )?;
    if waiting.is_empty() {
        return Ok(false);
    }
    if waiting.len() >= MOST_WAITING as usize {
        return Ok(true);
    }
    let page = page_of(c, item)?;
    for other in waiting {
        if page.may_meet(&Chain::above(c, other)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a picture may be taken of the page of a version's item.
pub(super) fn page_state(c: &Connection, version: VersionId) -> Result<PageState, StoreError> {
    let (item, unread): (i64, bool) = c
        .prepare_cached("select item_id, unread from versions where id = ?1")?
        .query_row([version.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let item = ItemId(item);
    Ok(if page_is_barred(c, item)? {
        PageState::Barred
    } else if unread {
        PageState::Unread
    } else if page_waits(c, version, item)? {
        PageState::Unassessed
    } else {
        PageState::Clean
    })
}

/// Whether a picture may be taken of an account's whole page: of all that may stand there.
pub(super) fn account_page(c: &Connection, account: AccountId) -> Result<PageState, StoreError> {
    let own = concat!(
        "select 1 from items i where i.account_id = ?1 and i.by_us = 0 and ",
        barred!(),
        " limit 1"
    );
    if c.prepare_cached(own)?.exists([account.0])? {
        return Ok(PageState::Barred);
    }
    // What was suspected on another account of the platform may stand in a thread here.
    let others = rows(
        &mut c.prepare_cached(&marked_links(
            "and i.account_id <> ?1 and a.platform = (select platform from accounts where id = ?1)",
        ))?,
        [account.0],
        link,
    )?;
    let mut stands = c.prepare_cached(
        "select 1 from posts where account_id = ?1 and ('id ' || platform_id = ?2
           or 'id ' || permalink = ?2 or 'länk ' || permalink = ?2)
         union all select 1 from items where account_id = ?1 and 'id ' || platform_id = ?2",
    )?;
    for other in others {
        // Such platforms have nothing in common between two accounts.
        if other.identity == ItemIdentity::OneAccount {
            continue;
        }
        let chain = Chain::above(c, other)?;
        if !chain.is_whole {
            return Ok(PageState::Barred);
        }
        for name in &chain.names {
            if stands.exists(params![account.0, name])? {
                return Ok(PageState::Barred);
            }
        }
    }
    let state =
        |sql: &str| -> Result<bool, StoreError> { Ok(c.prepare_cached(sql)?.exists([account.0])?) };
    Ok(if state(
        "select 1 from items i join versions v on v.item_id = i.id
         where i.account_id = ?1 and i.by_us = 0 and v.assessed_by is null and v.unread = 0 limit 1",
    )? {
        PageState::Unassessed
    } else if state(
        "select 1 from items i join versions v on v.id = i.current_version_id
         where i.account_id = ?1 and i.by_us = 0 and v.unread = 1 limit 1",
    )? {
        PageState::Unread
    } else {
        PageState::Clean
    })
}

impl Store {
    /// Where the media of items lie that may not be copied, each address once.
    pub async fn barred_media(&self) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            rows(
                &mut db.prepare_cached(
                    "select distinct a.value ->> 'url' from items i join versions v on v.item_id = i.id
                       join json_each(v.attachments) a
                     where i.no_copy = 1 and a.value ->> 'url' is not null",
                )?,
                [],
                |row| Ok(row.get(0)?),
            )
        })
        .await
    }

    /// Bars copying of a version's item: the program suspects it.
    pub async fn bar_copying(
        &self,
        version: VersionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| bar_copying(tx, version, None, now)).await
    }

    /// Bars copying of a case's item: a person suspects it. By itself, and demanding nothing of the
    /// case's state, so that no decision that is refused takes the mark away again. Says whether it
    /// is new.
    pub async fn suspect(
        &self,
        case: CaseId,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let version = the_case(tx, case)?.version;
            let by = Some((user, line.user_name.as_str()));
            audit::append(tx, &line, now)?;
            if stands(tx, version)? {
                // That a person knew of it, and since when, counts by itself (1998:112 4 a §).
                let what = "En person misstänker barnpornografibrott";
                note_event(tx, case, by, what, Some("Inlägget var redan spärrat."), now)?;
                return Ok(false);
            }
            bar_copying(tx, version, by, now)
        })
        .await
    }

    /// What of a version's evidence is cut off, as known now.
    pub async fn cut_off(&self, version: VersionId) -> Result<CutOff, StoreError> {
        self.read(move |c| cut_off(c, version)).await
    }

    /// Whether a picture may be taken of the page of a version's item, as known now.
    pub async fn page_state(&self, version: VersionId) -> Result<PageState, StoreError> {
        self.read(move |c| page_state(c, version)).await
    }

    /// Those of these items that may not be copied, and those that were never fetched.
    pub async fn barred_or_unknown(
        &self,
        account: AccountId,
        items: Vec<PlatformItemId>,
    ) -> Result<(Vec<PlatformItemId>, Vec<PlatformItemId>), StoreError> {
        self.read(move |c| {
            let mut ask = c.prepare_cached(concat!(
                "select ",
                barred!(),
                " from items i where i.account_id = ?1 and i.platform_id = ?2"
            ))?;
            let (mut barred, mut unknown) = (Vec::new(), Vec::new());
            for item in items {
                let known: Option<bool> = ask
                    .query_row(params![account.0, item.as_str()], |row| row.get(0))
                    .optional()?;
                match known {
                    Some(true) => barred.push(item),
                    Some(false) => {}
                    None => unknown.push(item),
                }
            }
            Ok((barred, unknown))
        })
        .await
    }

    /// Notes that a person has read a text that the machine could not.
    pub async fn note_read(&self, version: VersionId) -> Result<(), StoreError> {
        let unread = self
            .read(move |c| {
                Ok(c.prepare_cached("select 1 from versions where id = ?1 and unread = 1")?
                    .exists([version.0])?)
            })
            .await?;
        if !unread {
            return Ok(());
        }
        self.note_unread(version, false).await
    }

    /// Notes whether a text that the machine could not read is still unread.
    pub async fn note_unread(&self, version: VersionId, unread: bool) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached("update versions set unread = ?2 where id = ?1")?
                .execute(params![version.0, unread])?;
            Ok(())
        })
        .await
    }

    /// Suspicions after `after`, in order, each with what is known of its item, for verification.
    pub async fn bar_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<BarFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select b.id, a.key, i.platform_id, v.number, b.user_id, b.log_seq, b.ended, i.no_copy,
                       i.id, b.at
                     from bars b join items i on i.id = b.item_id join versions v on v.id = b.version_id
                       join accounts a on a.id = i.account_id
                     where b.id > ?1 order by b.id limit ?2",
                )?,
                params![after, most],
                |row| {
                    Ok(BarFacts {
                        id: row.get(0)?,
                        account: row.get(1)?,
                        platform_id: row.get(2)?,
                        version: row.get(3)?,
                        user: row.get(4)?,
                        log_seq: row.get(5)?,
                        ended: row.get(6)?,
                        no_copy: row.get(7)?,
                        item: row.get(8)?,
                        at: at(row.get(9)?)?,
                    })
                },
            )
        })
        .await
    }

    /// The marked items of which no suspicion is on record, for verification.
    pub async fn marks_without_suspicion(&self) -> Result<Vec<ItemId>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select i.id from items i indexed by items_not_to_copy
                     where i.no_copy = 1 and not exists
                       (select 1 from bars b where b.item_id = i.id and b.ended = 0)",
                )?,
                [],
                |row| Ok(ItemId(row.get(0)?)),
            )
        })
        .await
    }
}
