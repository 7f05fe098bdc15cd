//! A platform in memory that outlives the program, and looks at every removal: what stands there must be
//! sealed, whole, at that very moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::domain::account::PlatformKind;
use crate::domain::evidence::Manifest;
use crate::domain::ids::{ContentHash, Cursor, PlatformItemId};
use crate::domain::item::{Batch, FetchedItem, ItemKind, LiveReading, Presence, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{self, Capabilities};
use crate::platforms::error::PlatformError;
use crate::platforms::{ConnectionReport, Platform, Receipt, Sought};

#[derive(Clone, Debug)]
pub struct Comment {
    pub text: String,
    pub hidden: bool,
    pub deleted: bool,
    /// By us.
    pub removed: bool,
}

#[derive(Default)]
pub struct World {
    pub comments: BTreeMap<u64, Comment>,
    pub away: bool,
    /// No comment can be read by itself, as on a site that pushes.
    pub shut: bool,
    /// How many answers get lost after it has acted.
    pub loses: u64,
    /// What was written or edited, in order: a list is read from a place in it on.
    pub told: Vec<u64>,
    /// What the author writes right after the next look at a comment.
    pub after_look: Option<String>,
    pub n_removed: u64,
    pub n_lost: u64,
    pub wrong: Vec<String>,
}

/// The platform as the program sees it.
#[derive(Clone)]
pub struct Page {
    pub world: Arc<Mutex<World>>,
    dir: PathBuf,
    /// What is removed has to be in a package to the diary before.
    diary_first: bool,
    capabilities: Arc<Capabilities>,
}

impl Page {
    pub fn new(dir: &Path, diary_first: bool) -> Self {
        let capabilities = Arc::new(capability::of(PlatformKind::Facebook));
        Self { world: Arc::default(), dir: dir.to_owned(), diary_first, capabilities }
    }

    pub fn item(number: u64, comment: &Comment) -> FetchedItem {
        let raw = format!("{{\"id\":{number}}}");
        let id = PlatformItemId::new(number.to_string());
        let mut item = FetchedItem::new(id, ItemKind::Comment, comment.text.clone(), raw);
        item.presence = if comment.hidden { Presence::Hidden } else { Presence::Visible };
        item
    }

    /// Where it does not answer, and where it does.
    fn there(&self) -> Result<std::sync::MutexGuard<'_, World>, PlatformError> {
        let world = self.world.lock().unwrap();
        match world.away {
            true => {
                let detail = "prov".to_owned();
                Err(PlatformError::Transient { detail, may_have_acted: false, retry_at: None })
            }
            false => Ok(world),
        }
    }

    fn remove(&self, warrant: &RemovalWarrant, deletes: bool) -> Result<Receipt, PlatformError> {
        let mut world = self.there()?;
        let number: u64 = warrant.item().platform_id.as_str().parse().unwrap();
        let comment = world.comments.get(&number).cloned().ok_or(PlatformError::Gone)?;
        if comment.deleted {
            return Err(PlatformError::Gone);
        }
        let content = Self::item(number, &comment).content_hash();
        if let Err(why) = whole_seal(&self.dir, number, content) {
            world.wrong.push(format!("comment {number} was removed without a whole seal: {why}"));
        }
        if self.diary_first
            && let Err(why) = registered(&self.dir, number, content)
        {
            world.wrong.push(format!("comment {number} was removed and is in no diary: {why}"));
        }
        if comment.hidden && !deletes {
            world.wrong.push(format!("comment {number} was hidden a second time"));
        }
        world.n_removed += 1;
        if let Some(comment) = world.comments.get_mut(&number) {
            comment.removed = true;
            comment.hidden |= !deletes;
            comment.deleted |= deletes;
        }
        if world.loses > 0 {
            world.loses -= 1;
            world.n_lost += 1;
            let detail = "prov".to_owned();
            return Err(PlatformError::Transient { detail, may_have_acted: true, retry_at: None });
        }
        Ok(Receipt::Done("ok".into()))
    }
}

/// Looks past all our code: a package of that very text.
fn registered(dir: &Path, number: u64, content: ContentHash) -> Result<(), String> {
    let raw = rusqlite::Connection::open(dir.join("uppsikt.db")).map_err(|e| e.to_string())?;
    let package: String = raw
        .query_row(
            "select r.package from registrations r join actions a on a.id = r.action_id
               join versions v on v.id = a.version_id join items i on i.id = v.item_id
             where i.platform_id = ?1 and v.content_hash = ?2",
            rusqlite::params![number.to_string(), content.bytes()],
            |row| row.get(0),
        )
        .map_err(|e| e.to_string())?;
    std::fs::metadata(dir.join("export").join(package)).map_err(|e| e.to_string())?;
    Ok(())
}

/// Looks past all our code: a sealed row of that very text, its manifest, and every part of it.
fn whole_seal(dir: &Path, number: u64, content: ContentHash) -> Result<(), String> {
    let raw = rusqlite::Connection::open(dir.join("uppsikt.db")).map_err(|e| e.to_string())?;
    let manifest: Vec<u8> = raw
        .query_row(
            "select e.manifest_hash from evidence e join versions v on v.id = e.version_id
               join items i on i.id = v.item_id
             where i.platform_id = ?1 and v.content_hash = ?2 and e.state = 'sealed'",
            rusqlite::params![number.to_string(), content.bytes()],
            |row| row.get(0),
        )
        .map_err(|e| e.to_string())?;
    whole_record(dir, &manifest)
}

/// That a manifest and all its parts lie there as they were sealed.
pub fn whole_record(dir: &Path, manifest: &[u8]) -> Result<(), String> {
    let read = |hash: &str| -> Result<Vec<u8>, String> {
        let path = dir.join("evidence/blobs").join(&hash[..2]).join(&hash[2..]);
        let bytes = std::fs::read(&path).map_err(|e| format!("{hash}: {e}"))?;
        match ContentHash::of(&bytes).to_hex() == hash {
            true => Ok(bytes),
            false => Err(format!("{hash} is not what was sealed")),
        }
    };
    let bytes = read(&hex::encode(manifest))?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
    manifest.parts.iter().try_for_each(|part| read(&part.sha256.to_hex()).map(|_| ()))
}

#[async_trait]
impl Platform for Page {
    fn kind(&self) -> PlatformKind {
        PlatformKind::Facebook
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
        _walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError> {
        let world = self.there()?;
        // What a cursor has passed is not told of again: who loses a batch has lost it.
        let from = cursor.and_then(|cursor| cursor.as_str().parse().ok()).unwrap_or(0);
        let new: BTreeSet<u64> = world.told.iter().skip(from).copied().collect();
        let there = world.comments.iter().filter(|(_, comment)| !comment.deleted);
        Ok(Batch {
            items: there
                .filter(|(number, _)| new.contains(number))
                .map(|(number, comment)| Self::item(*number, comment))
                .collect(),
            next: Some(Cursor::new(world.told.len().to_string())),
            ..Batch::default()
        })
    }

    async fn read_live(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        let mut world = self.there()?;
        if world.shut {
            return Ok(LiveReading::NotReadable {
                why: "webbplatsen lämnar inte ut enskilda inlägg",
            });
        }
        let number: u64 = item.platform_id.as_str().parse().unwrap();
        let reading = match world.comments.get(&number) {
            Some(comment) if !comment.deleted => {
                LiveReading::Present(Box::new(Self::item(number, comment)))
            }
            Some(_) | None => LiveReading::Gone,
        };
        if let Some(text) = world.after_look.take()
            && let Some(comment) = world.comments.get_mut(&number)
        {
            comment.text = text;
        }
        Ok(reading)
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

    async fn unhide(&self, _item: &ItemAddress) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("unhide")
    }

    async fn reply(
        &self,
        _item: &ItemAddress,
        _text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("reply")
    }

    async fn find_reply(
        &self,
        _item: &ItemAddress,
        _sought: &Sought<'_>,
    ) -> Result<Option<Receipt>, PlatformError> {
        Ok(None)
    }

    async fn report(&self, _item: &ItemAddress, _reason: &str) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("report")
    }
}
