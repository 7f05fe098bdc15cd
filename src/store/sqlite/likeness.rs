//! Nearly equal texts, and who has gone for whom: kept for a while, read for one item at a time.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};

use super::value::{at, maybe_row, ms, rows};
use super::veil::Veil;
use crate::domain::ids::{AccountId, CaseId, ItemId, VersionId};
use crate::domain::likeness::{
    ALIKE_COUNTED, ALIKE_DAYS, Alike, AlikeItem, EarlierPrint, KEPT_DAYS, Print, Traces,
};
use crate::store::Store;
use crate::store::error::StoreError;

/// How many earlier items are handed out for one text: enough to tell a campaign.
const MOST_EARLIER: u32 = 64;
/// How many rows of one band are looked at for that.
const MOST_LOOKED_AT: u32 = 128;
/// How many of the items alike are shown.
const MOST_SHOWN: u32 = 10;
/// So many items alike are counted; more are told as at least so many.
const MOST_COUNTED: u32 = ALIKE_COUNTED;
/// How many rows are forgotten in one transaction, so that nobody waits for it.
const FORGOTTEN_AT_ONCE: u32 = 5_000;

fn days_before(now: Timestamp, days: u8) -> i64 {
    let span = SignedDuration::from_hours(24 * i64::from(days));
    ms(now.saturating_sub(span).unwrap_or(Timestamp::MIN))
}

/// SQLite's numbers have a sign; the same bits. For what is no number of a person: see [`Veil`].
const fn column(n: u64) -> i64 {
    n.cast_signed()
}

/// Keeps what an assessed version leaves for those after it. A later version takes the place of the
/// one before, and what its text was like before counts no more: nobody decides on it by a group that another
/// text stands in. What is no longer the present text leaves nothing but whom it went for.
pub(super) fn keep(
    tx: &Transaction<'_>,
    veil: &Veil,
    version: VersionId,
    traces: &Traces,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (item, account, by_us, is_present, is_changed) = tx
        .prepare_cached(
            "select i.id, i.account_id, i.by_us, i.current_version_id is v.id,
                    exists (select 1 from versions o where o.item_id = v.item_id and o.text <> v.text
                              and o.id = (select max(b.id) from versions b
                                          where b.item_id = v.item_id and b.id < v.id))
             from versions v join items i on i.id = v.item_id
             where v.id = ?1",
        )?
        .query_row([version.0], |row| {
            let (by_us, is_present): (bool, bool) = (row.get(2)?, row.get(3)?);
            let is_changed: bool = row.get(4)?;
            Ok((ItemId(row.get(0)?), AccountId(row.get(1)?), by_us, is_present, is_changed))
        })?;
    if by_us {
        return Ok(());
    }
    let author = traces.author.map(|author| veil.cover(author));
    if is_present && is_changed {
        tx.prepare_cached("delete from prints where item_id = ?1")?.execute([item.0])?;
        tx.prepare_cached("delete from alikes where item_id = ?1")?.execute([item.0])?;
    }
    if let Some(print) = traces.print.as_ref().filter(|_| is_present) {
        tx.prepare_cached("delete from prints where item_id = ?1")?.execute([item.0])?;
        tx.prepare_cached(
            "insert into prints (item_id, account_id, author, at, sketch) values (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![item.0, account.0, author, ms(now), print.sketch_bytes()])?;
        let mut insert = tx.prepare_cached(
            "insert into print_bands (band, item_id) values (?1, ?2) on conflict do nothing",
        )?;
        for band in print.bands {
            insert.execute(params![column(band), item.0])?;
        }
    }
    if is_present {
        join(tx, item, author, &traces.alike)?;
    }
    if let Some(author) = author {
        let mut insert = tx.prepare_cached(
            "insert into attacks (author, target, item_id, at) values (?1, ?2, ?3, ?4)
             on conflict do nothing",
        )?;
        for target in &traces.targets {
            insert.execute(params![author, veil.cover(*target), item.0, ms(now)])?;
        }
    }
    Ok(())
}

/// Puts an item and those alike into one group: that of the first of them that has one, or else a new one.
fn join(
    tx: &Transaction<'_>,
    item: ItemId,
    author: Option<i64>,
    alike: &[ItemId],
) -> Result<(), StoreError> {
    if alike.is_empty() {
        return Ok(());
    }
    let mut groups = BTreeSet::new();
    let mut group_of = tx.prepare_cached("select group_id from alikes where item_id = ?1")?;
    for member in alike.iter().chain([&item]) {
        groups.insert(maybe_row(&mut group_of, [member.0], |row| Ok(row.get::<_, i64>(0)?))?);
    }
    let group = match groups.iter().copied().flatten().min() {
        Some(known) => known,
        None => unused_number(tx, alike.iter().chain([&item]).map(|i| i.0).min())?,
    };
    for other in groups.into_iter().flatten().filter(|other| *other != group) {
        tx.prepare_cached("update alikes set group_id = ?2 where group_id = ?1")?
            .execute([other, group])?;
        tx.prepare_cached(
            "insert into alike_groups (group_id, n_authors)
             select ?2, n_authors from alike_groups where group_id = ?1
             on conflict (group_id) do update set n_authors = max(n_authors, excluded.n_authors)",
        )?
        .execute([other, group])?;
    }
    let mut insert = tx.prepare_cached(
        "insert into alikes (item_id, group_id, author)
         values (?1, ?2, coalesce(?3, (select author from prints where item_id = ?1)))
         on conflict (item_id) do update set group_id = excluded.group_id",
    )?;
    for member in alike {
        insert.execute(params![member.0, group, None::<i64>])?;
    }
    insert.execute(params![item.0, group, author])?;
    Ok(())
}

/// A number for a new group: that of its first item, where that item has not given its number to another group
/// and left it.
fn unused_number(tx: &Transaction<'_>, first: Option<i64>) -> Result<i64, StoreError> {
    let mut in_use = tx.prepare_cached(
        "select 1 from alikes where group_id = ?1
         union all select 1 from alike_groups where group_id = ?1",
    )?;
    if let Some(first) = first
        && !in_use.exists([first])?
    {
        return Ok(first);
    }
    // Below all items, whose numbers groups begin with.
    Ok(tx
        .prepare_cached(
            "select min(0, coalesce((select min(group_id) from alikes), 0),
                           coalesce((select min(group_id) from alike_groups), 0)) - 1",
        )?
        .query_row([], |row| row.get(0))?)
}

impl Store {
    /// Earlier items of the last days whose texts may be nearly that of each print, which is of the
    /// item beside it: by index, never by looking at all.
    pub async fn maybe_alike(
        &self,
        prints: Vec<(ItemId, Print)>,
        now: Timestamp,
    ) -> Result<Vec<Vec<EarlierPrint>>, StoreError> {
        let veil = self.veil();
        self.read(move |c| {
            let since = days_before(now, ALIKE_DAYS);
            // The newest first, and of a band only so many: one campaign fills it with rows that are
            // too old to count, or leaves no room for what came after.
            let mut by_band = c.prepare_cached(
                "select p.item_id, p.account_id, p.author, p.sketch
                 from (select b.item_id from print_bands b where b.band = ?1 and b.item_id <> ?2
                       order by b.item_id desc limit ?4) n
                   cross join prints p on p.item_id = n.item_id
                 where p.at >= ?3",
            )?;
            let mut all = Vec::with_capacity(prints.len());
            for (item, print) in &prints {
                let (mut seen, mut earlier) = (BTreeSet::new(), Vec::new());
                for band in print.bands {
                    if seen.len() >= MOST_EARLIER as usize {
                        break;
                    }
                    let wanted = params![column(band), item.0, since, MOST_LOOKED_AT];
                    for found in rows(&mut by_band, wanted, |row| {
                        Ok(EarlierPrint {
                            item: ItemId(row.get(0)?),
                            account: AccountId(row.get(1)?),
                            author: row
                                .get::<_, Option<i64>>(2)?
                                .map(|number| veil.uncover(number)),
                            print: Print::of_bytes(&row.get::<_, Vec<u8>>(3)?),
                        })
                    })? {
                        if seen.insert(found.item) {
                            earlier.push(found);
                        }
                    }
                }
                earlier.truncate(MOST_EARLIER as usize);
                all.push(earlier);
            }
            Ok(all)
        })
        .await
    }

    /// Whom each author has gone for in the last weeks, in other items than the one beside them: a
    /// number for each person, with in how many items.
    pub async fn attacks_by(
        &self,
        asked: Vec<(u64, ItemId)>,
        now: Timestamp,
    ) -> Result<Vec<Vec<(u64, u32)>>, StoreError> {
        let veil = self.veil();
        self.read(move |c| {
            let since = days_before(now, KEPT_DAYS);
            let mut of_author = c.prepare_cached(
                "select target, count(*) from attacks
                 where author = ?1 and item_id <> ?2 and at >= ?3 group by target",
            )?;
            asked
                .into_iter()
                .map(|(author, item)| {
                    rows(&mut of_author, params![veil.cover(author), item.0, since], |row| {
                        Ok((veil.uncover(row.get(0)?), row.get(1)?))
                    })
                })
                .collect()
        })
        .await
    }

    /// The items whose text is nearly that of one at hand.
    pub async fn alike(&self, item: ItemId) -> Result<Option<Alike>, StoreError> {
        self.read(move |c| {
            let group = maybe_row(
                &mut c.prepare_cached("select group_id from alikes where item_id = ?1")?,
                [item.0],
                |row| Ok(row.get::<_, i64>(0)?),
            )?;
            let Some(group) = group else { return Ok(None) };
            let (n, n_accounts, n_authors): (u64, u64, u64) = c
                .prepare_cached(
                    "select count(*), count(distinct i.account_id),
                            max(count(distinct l.author),
                                coalesce((select g.n_authors from alike_groups g where g.group_id = ?1), 0))
                     from (select item_id, author from alikes where group_id = ?1
                           order by item_id desc limit ?2) l
                       join items i on i.id = l.item_id",
                )?
                .query_row(params![group, MOST_COUNTED + 1], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
            let some = rows(
                &mut c.prepare_cached(
                    "select i.id, k.id, a.name, coalesce(i.created_at, i.first_fetched_at), i.permalink
                     from alikes l join items i on i.id = l.item_id join accounts a on a.id = i.account_id
                          left join cases k on k.item_id = i.id
                     where l.group_id = ?1 and l.item_id <> ?2 order by l.item_id desc limit ?3",
                )?,
                params![group, item.0, MOST_SHOWN],
                |row| {
                    Ok(AlikeItem {
                        item: ItemId(row.get(0)?),
                        case: row.get::<_, Option<i64>>(1)?.map(CaseId),
                        account: row.get(2)?,
                        at: at(row.get(3)?)?,
                        permalink: row.get(4)?,
                    })
                },
            )?;
            Ok((n > 1).then(|| Alike { n_items: n - 1, n_accounts, n_authors, some }))
        })
        .await
    }

    /// Forgets fingerprints and attacks that are too old to tell anything. Says how many rows went.
    pub async fn forget_traces(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |tx| {
            let before = days_before(now, KEPT_DAYS);
            let prints = tx
                .prepare_cached(
                    "delete from prints where item_id in
                       (select item_id from prints where at < ?1 order by at limit ?2)",
                )?
                .execute(params![before, FORGOTTEN_AT_ONCE])?;
            let attacks = tx
                .prepare_cached(
                    "delete from attacks where (author, target, item_id) in
                       (select author, target, item_id from attacks where at < ?1 order by at limit ?2)",
                )?
                .execute(params![before, FORGOTTEN_AT_ONCE])?;
            forget_authors(tx)?;
            Ok(prints + attacks)
        })
        .await
    }
}

/// Forgets who wrote what is alike, where the fingerprint is forgotten; how many there were stays.
fn forget_authors(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let old = rows(
        &mut tx.prepare_cached(
            "select l.item_id, l.group_id from alikes l indexed by alikes_with_author
             where l.author is not null
               and not exists (select 1 from prints p where p.item_id = l.item_id)
             limit ?1",
        )?,
        [FORGOTTEN_AT_ONCE],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
    )?;
    let groups: BTreeSet<i64> = old.iter().map(|(_, group)| *group).collect();
    for group in groups {
        tx.prepare_cached(
            "insert into alike_groups (group_id, n_authors)
             select ?1, count(distinct author) from alikes where group_id = ?1
             on conflict (group_id) do update set n_authors = max(n_authors, excluded.n_authors)",
        )?
        .execute([group])?;
    }
    let mut forget = tx.prepare_cached("update alikes set author = null where item_id = ?1")?;
    for (item, _) in old {
        forget.execute([item])?;
    }
    Ok(())
}
