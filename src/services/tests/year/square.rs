//! A platform in memory on which people write for a year. It looks at every removal, keeps what it has handed out, and
//! is so one half of the table of truth: nothing in it comes from the program's own rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::account::PlatformKind;
use crate::domain::ids::{ContentHash, Cursor, PlatformItemId, PlatformPostId};
use crate::domain::item::{Batch, FetchedItem, ItemKind, LiveReading, Presence, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{self, Capabilities};
use crate::platforms::error::PlatformError;
use crate::platforms::{ConnectionReport, Platform, Receipt, Sought};
use crate::runtime::clock::Clock;
use crate::services::tests::schedules::page::whole_record;

/// So many are told of in one step.
const AT_ONCE: usize = 500;

#[derive(Clone, Debug)]
pub struct Comment {
    pub kind: ItemKind,
    pub author: u64,
    pub name: &'static str,
    pub text: String,
    pub parent: Option<u64>,
    pub at: Timestamp,
    pub by_us: bool,
    pub hidden: bool,
    pub deleted: bool,
}

/// What the platform tells of, in order.
#[derive(Clone, Copy, Debug)]
enum Told {
    Written(u64),
    Gone(u64),
}

/// A hiding or deletion that the platform has carried out.
#[derive(Clone, Copy, Debug)]
pub struct Removed {
    pub number: u64,
    pub deleted: bool,
}

#[derive(Default)]
pub struct World {
    pub comments: BTreeMap<u64, Comment>,
    told: Vec<Told>,
    /// What was given to the program and may never be lost: which, and as it stood then.
    pub handed: Vec<(u64, ContentHash)>,
    pub first: BTreeSet<u64>,
    /// When each wording was given last.
    pub last: BTreeMap<(u64, ContentHash), Timestamp>,
    pub removed: Vec<Removed>,
    pub wrong: Vec<String>,
}

/// Begins the cursors that an archive run is given.
const ARCHIVE: &str = "arkiv:";

/// The platform as the program sees it.
#[derive(Clone)]
pub struct Square {
    pub world: Arc<Mutex<World>>,
    kind: PlatformKind,
    key: String,
    dir: PathBuf,
    clock: Clock,
    capabilities: Arc<Capabilities>,
}

fn number(id: &PlatformItemId) -> u64 {
    id.as_str().parse().unwrap_or(0)
}

impl Square {
    pub fn new(kind: PlatformKind, key: &str, dir: &Path, clock: Clock) -> Self {
        let capabilities = Arc::new(capability::of(kind));
        let (key, dir) = (key.to_owned(), dir.to_owned());
        Self { world: Arc::default(), kind, key, dir, clock, capabilities }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn write(&self, comment: Comment) -> u64 {
        let mut world = self.world();
        let number = world.comments.len() as u64 + 1;
        world.comments.insert(number, comment);
        world.told.push(Told::Written(number));
        number
    }

    pub fn edit(&self, number: u64, text: &str) {
        let mut world = self.world();
        if let Some(comment) = world.comments.get_mut(&number) {
            text.clone_into(&mut comment.text);
            world.told.push(Told::Written(number));
        }
    }

    /// By its author. Some platforms tell, others leave it to be found out.
    pub fn author_deletes(&self, number: u64, tells: bool) {
        let mut world = self.world();
        if let Some(comment) = world.comments.get_mut(&number) {
            comment.deleted = true;
            if tells {
                world.told.push(Told::Gone(number));
            }
        }
    }

    fn item(number: u64, comment: &Comment) -> FetchedItem {
        let raw = format!("{{\"id\":{number},\"kind\":\"{}\"}}", comment.kind.id());
        let id = PlatformItemId::new(number.to_string());
        let mut item = FetchedItem::new(id, comment.kind, comment.text.clone(), raw);
        item.presence = if comment.hidden { Presence::Hidden } else { Presence::Visible };
        item.parent_id = comment.parent.map(|parent| PlatformItemId::new(parent.to_string()));
        item.author.platform_id = Some(format!("p{}", comment.author));
        item.author.name = Some(comment.name.to_owned());
        item.created_at = Some(comment.at);
        item.by_us = comment.by_us;
        if comment.kind != ItemKind::DirectMessage {
            // A post a week.
            let week = comment.at.as_second().div_euclid(7 * 86_400);
            item.post_id = Some(PlatformPostId::new(format!("inlagg-{week}")));
        }
        item
    }

    fn remove(&self, warrant: &RemovalWarrant, deletes: bool) -> Result<Receipt, PlatformError> {
        let mut world = self.world();
        let number = number(&warrant.item().platform_id);
        let comment = world.comments.get(&number).cloned().ok_or(PlatformError::Gone)?;
        if comment.deleted {
            return Err(PlatformError::Gone);
        }
        let content = Self::item(number, &comment).content_hash();
        if let Err(why) = self.whole_seal(number, content) {
            let what = format!("{} {number} was removed without a whole seal: {why}", self.key);
            world.wrong.push(what);
        }
        if comment.hidden && !deletes {
            return Ok(Receipt::AlreadySo("hidden".into()));
        }
        world.removed.push(Removed { number, deleted: deletes });
        if let Some(comment) = world.comments.get_mut(&number) {
            comment.hidden |= !deletes;
            comment.deleted |= deletes;
        }
        Ok(Receipt::Done("ok".into()))
    }

    /// Looks past all our code: a sealed row of that very text, its manifest, and every part of it.
    fn whole_seal(&self, number: u64, content: ContentHash) -> Result<(), String> {
        let raw =
            rusqlite::Connection::open(self.dir.join("uppsikt.db")).map_err(|e| e.to_string())?;
        let manifest: Vec<u8> = raw
            .query_row(
                "select e.manifest_hash from evidence e join versions v on v.id = e.version_id
                   join items i on i.id = v.item_id join accounts a on a.id = i.account_id
                 where a.key = ?1 and i.platform_id = ?2 and v.content_hash = ?3 and e.state = 'sealed'",
                rusqlite::params![self.key, number.to_string(), content.bytes()],
                |row| row.get(0),
            )
            .map_err(|e| e.to_string())?;
        whole_record(&self.dir, &manifest)
    }
}

#[async_trait]
impl Platform for Square {
    fn kind(&self) -> PlatformKind {
        self.kind
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        Ok(ConnectionReport { acting_as: "prov".into(), missing: Vec::new(), expires_at: None })
    }

    async fn fetch(
        &self,
        cursor: Option<&Cursor>,
        walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError> {
        let now = self.clock.now();
        let mut world = self.world();
        let at = walk.map(Walk::as_str).or(cursor.map(Cursor::as_str)).unwrap_or("0");
        // Whoever fills an archive run in walks from the beginning and stores nothing: the way it is shown bears a mark.
        let marked = at.strip_prefix(ARCHIVE);
        let stores = marked.is_none() && (cursor.is_some() || world.handed.is_empty());
        let from: usize = marked.unwrap_or(at).parse().unwrap_or(0);
        let told: Vec<_> = world.told.iter().skip(from).take(AT_ONCE).copied().collect();
        let upto = from + told.len();
        let (mut items, mut gone, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for told in told {
            match told {
                Told::Written(number) if seen.insert(number) => {
                    let Some(comment) = world.comments.get(&number) else { continue };
                    if !comment.deleted {
                        items.push((number, Self::item(number, comment)));
                    }
                }
                Told::Written(_) => {}
                Told::Gone(number) => gone.push(PlatformItemId::new(number.to_string())),
            }
        }
        if stores {
            for (number, item) in &items {
                let hash = item.content_hash();
                world.handed.push((*number, hash));
                world.first.insert(*number);
                world.last.insert((*number, hash), now);
            }
        }
        let more = upto < world.told.len();
        let mark = if stores { "" } else { ARCHIVE };
        Ok(Batch {
            items: items.into_iter().map(|(_, item)| item).collect(),
            gone,
            next: Some(Cursor::new(format!("{mark}{upto}"))),
            walk: more.then(|| Walk::new(format!("{mark}{upto}"))),
            ..Batch::default()
        })
    }

    async fn read_live(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        let now = self.clock.now();
        let mut world = self.world();
        let number = number(&item.platform_id);
        let comment = world.comments.get(&number).filter(|comment| !comment.deleted);
        Ok(match comment.map(|comment| Self::item(number, comment)) {
            Some(item) => {
                let hash = item.content_hash();
                world.handed.push((number, hash));
                world.last.insert((number, hash), now);
                LiveReading::Present(Box::new(item))
            }
            None => LiveReading::Gone,
        })
    }

    async fn read_live_many(
        &self,
        items: &[ItemAddress],
    ) -> Result<Vec<Result<LiveReading, PlatformError>>, PlatformError> {
        let mut readings = Vec::new();
        for item in items {
            readings.push(self.read_live(item).await);
        }
        Ok(readings)
    }

    async fn read_thread(&self, _item: &ItemAddress) -> Result<Thread, PlatformError> {
        Ok(Thread::default())
    }

    async fn hide(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        self.remove(&warrant, false)
    }

    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        self.remove(&warrant, true)
    }

    async fn unhide(&self, item: &ItemAddress) -> Result<Receipt, PlatformError> {
        let mut world = self.world();
        let comment = world.comments.get_mut(&number(&item.platform_id));
        comment.ok_or(PlatformError::Gone)?.hidden = false;
        Ok(Receipt::Done("shown".into()))
    }

    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let above = number(&item.platform_id);
        if self.world().comments.get(&above).is_none_or(|comment| comment.deleted) {
            return Err(PlatformError::Gone);
        }
        let kind = match item.kind {
            ItemKind::DirectMessage => ItemKind::DirectMessage,
            ItemKind::Comment
            | ItemKind::Reply
            | ItemKind::PostByOther
            | ItemKind::Mention
            | ItemKind::Review => ItemKind::Reply,
        };
        let number = self.write(Comment {
            kind,
            author: 0,
            name: "Exempelstads kommun",
            text: text.to_owned(),
            parent: Some(above),
            at: self.clock.now(),
            by_us: true,
            hidden: false,
            deleted: false,
        });
        Ok(Receipt::Done(number.to_string()))
    }

    async fn find_reply(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<Receipt>, PlatformError> {
        let above = Some(number(&item.platform_id));
        let world = self.world();
        let found = world.comments.iter().find(|(number, comment)| {
            comment.by_us
                && comment.parent == above
                && comment.text == sought.text
                && sought.can_be(&number.to_string(), Some(comment.at))
        });
        Ok(found.map(|(number, _)| Receipt::Done(number.to_string())))
    }

    async fn report(&self, _item: &ItemAddress, _reason: &str) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("report")
    }
}
