//! What is read at each fetch, and the walk through it.
//!
//! Who answers, names or quotes us is in the notifications, newest first. They leave out what
//! stands deep in a thread, under a hidden answer, or against the thread's own rule, so the threads
//! under our own posts are read as well. Page tokens go stale and are never stored: a walk broken
//! off begins again at the newest, and goes down to what was known when a walk last ended; once an
//! hour some way further, and once a day to the end, since dates are what authors say they are.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::PlatformItemId;
use crate::domain::item::Batch;
use crate::platforms::bluesky::wire::{
    Feed, FeedItem, Node, Notice, Notifications, Post, Thread, Uri,
};
use crate::platforms::bluesky::{Bluesky, Gates, unread_thread};
use crate::platforms::connector::Walks;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::json;
use crate::platforms::reach::{Reach, Reached};
use crate::platforms::threads::{
    Listed, MOST_QUEUED, TOO_MANY_THREADS, Threads, age_of_posts, overlap,
};

const SHAPE: &str = "Blueskys beskrivning av ett inlägg";

/// How deep one call reads a thread; what stands deeper is opened by itself.
const DEPTH: &str = "100";

/// How many pages of notifications are read once an hour, whatever their dates; once a day all are,
/// up to a bound. The network sorts by the date that the author claims where that is earlier than its
/// own: a notification of today may lie below those of ten years ago.
const PAGES_MIDDLE: u32 = 10;
const MOST_PAGES: u32 = 500;

const TOO_MANY: &str = "Kontot har fler aviseringar än vad som läses. Inlägg med gammalt datum kan ligga längre ned: gå igenom dem på plattformen.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// The newest notification known when a walk down them last ended.
    seen: Option<Timestamp>,
    #[serde(flatten)]
    reached: Reached,
    /// Our own posts, and answers under which more stands than was shown.
    threads: Threads,
    /// Such answers, found and not yet opened: nothing else would lead back to them soon.
    left: Vec<ToOpen>,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    reach: Reach,
    phase: Phase,
    /// Threads to open, the next one last.
    queue: Vec<ToOpen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Notifications { page: Option<String>, newest: Option<Timestamp>, n_pages: u32 },
    OwnPosts { page: Option<String> },
    Threads,
}

/// A place in a walk down the notifications.
struct Down {
    reach: Reach,
    page: Option<String>,
    newest: Option<Timestamp>,
    n_pages: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToOpen {
    uri: Uri,
    count: Option<u64>,
    is_own: bool,
}

impl Step {
    pub fn begin(from: &Position, now: Timestamp) -> Self {
        let phase = Phase::Notifications { page: None, newest: None, n_pages: 0 };
        Self { reach: from.reached.next(now), phase, queue: from.left.clone() }
    }
}

#[async_trait]
impl Walks for Bluesky {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        // One walk of an account goes on at a time.
        if let Ok(mut gates) = self.looked_up.try_lock() {
            *gates = Gates::default();
        }
        Step::begin(from, now)
    }

    async fn step(
        &self,
        mut step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        let me = self.me().await?;
        step.phase = match step.phase.clone() {
            Phase::Notifications { page, newest, n_pages } => {
                let down = Down { reach: step.reach, page, newest, n_pages };
                let next = self.notifications(&me, down, position, batch, now).await?;
                next.unwrap_or(Phase::OwnPosts { page: None })
            }
            Phase::OwnPosts { page } => {
                let next = self.own_posts(&me, page, position, &mut step, batch, now).await?;
                next.map_or(Phase::Threads, |page| Phase::OwnPosts { page: Some(page) })
            }
            Phase::Threads => {
                if let Some(open) = step.queue.pop() {
                    self.open(&me, &open, position, &mut step, batch, now).await?;
                    position.left =
                        step.queue.iter().filter(|open| !open.is_own).cloned().collect();
                }
                Phase::Threads
            }
        };
        if step.phase != Phase::Threads || !step.queue.is_empty() {
            return Ok(Some(step));
        }
        position.reached.note(step.reach, now);
        if step.reach == Reach::Far {
            position.threads.forget(now);
        }
        Ok(None)
    }
}

impl Bluesky {
    /// One page of notifications; gives where the next one begins.
    async fn notifications(
        &self,
        me: &str,
        down: Down,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Phase>, PlatformError> {
        let Down { reach, page, mut newest, n_pages } = down;
        let mut query = vec![
            ("reasons", "reply"),
            ("reasons", "mention"),
            ("reasons", "quote"),
            ("limit", "100"),
        ];
        query.extend(page.as_deref().map(|page| ("cursor", page)));
        let answer = self.server.get("app.bsky.notification.listNotifications", &query).await?;
        let text = answer.text();
        let told: Notifications<'_> = answer.view(&text)?;
        let list = List { name: "notifications", shape: SHAPE };
        let (mut gates, mut oldest) = (self.looked_up.lock().await, None);
        for (index, element) in told.notifications.iter().enumerate() {
            let raw = element.get().as_bytes();
            let read = json::decode::<Notice>(element.get()).and_then(|notice| {
                newest = newest.max(notice.at());
                oldest = notice.at().or(oldest);
                let is_addressed = notice.is_addressed();
                is_addressed.then(|| json::decode::<Post>(element.get())).transpose()
            });
            match read {
                Ok(Some(post)) => {
                    let around = gates.around_at_best(self, me, &post, &mut batch.gap).await?;
                    batch.items.push(post.into_item(raw, me, &self.app, around));
                }
                Ok(None) => {}
                Err(error) => batch.unreadable.push(list.unreadable(index, &error, raw)),
            }
        }
        let until = position.seen.and_then(|seen| seen.saturating_sub(overlap(reach)).ok());
        let is_below = matches!((oldest, until), (Some(oldest), Some(until)) if oldest < until);
        let n_pages = n_pages + 1;
        let is_far_enough = match reach {
            Reach::Near => is_below,
            Reach::Middle => is_below && n_pages >= PAGES_MIDDLE,
            Reach::Far => false,
        };
        let is_cut = n_pages >= MOST_PAGES && !is_far_enough && told.cursor.is_some();
        if is_cut {
            batch.gap = Some(TOO_MANY.into());
        }
        let is_far_enough = is_far_enough || is_cut;
        // An empty page is not the end where there is another.
        match told.cursor.filter(|next| !is_far_enough && Some(next) != page.as_ref()) {
            Some(next) => Ok(Some(Phase::Notifications { page: Some(next), newest, n_pages })),
            None => {
                // A server whose clock goes ahead must not carry us past what is still to come.
                position.seen = position.seen.max(newest.map(|newest| newest.min(now)));
                Ok(None)
            }
        }
    }

    /// One page of our own posts; gives where the next one begins.
    async fn own_posts(
        &self,
        me: &str,
        page: Option<String>,
        position: &Position,
        step: &mut Step,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<String>, PlatformError> {
        let mut query = vec![("actor", me), ("filter", "posts_no_replies"), ("limit", "100")];
        query.extend(page.as_deref().map(|page| ("cursor", page)));
        let answer = self.server.get("app.bsky.feed.getAuthorFeed", &query).await?;
        let text = answer.text();
        let told: Feed<'_> = answer.view(&text)?;
        let list = List { name: "author feed", shape: SHAPE };
        let mut oldest = None;
        let mut opened = Vec::new();
        for (FeedItem { post, reason }, _) in list.read::<FeedItem>(&told.feed, batch) {
            if reason.is_some() || !post.is_by(me) || post.record.reply.is_some() {
                continue;
            }
            let written = post.written_at();
            oldest = written.or(oldest);
            if written.is_some_and(|at| now.duration_since(at) > age_of_posts(step.reach)) {
                continue;
            }
            let (id, count) = (post.uri.as_str(), post.reply_count);
            let listed = Listed { id, count, written, is_bare: count == Some(0) };
            if position.threads.is_to_open(listed, step.reach, now) {
                opened.push(ToOpen { uri: post.uri.clone(), count, is_own: true });
            }
            batch.posts.push(post.into_post(&self.app));
        }
        // The next one stands last, and the newest posts come first.
        step.queue.splice(0..0, opened.into_iter().rev());
        if oldest.is_some_and(|oldest| now.duration_since(oldest) > age_of_posts(step.reach)) {
            return Ok(None);
        }
        Ok(told.cursor.filter(|next| Some(next) != page.as_ref()))
    }

    /// Everything under one post. What its author has deleted is told as gone.
    async fn open(
        &self,
        me: &str,
        open: &ToOpen,
        position: &mut Position,
        step: &mut Step,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let query = [("uri", open.uri.as_str()), ("depth", DEPTH), ("parentHeight", "0")];
        let looked = self.server.get("app.bsky.feed.getPostThread", &query).await;
        let looked = looked.and_then(|answer| {
            answer.view::<Thread<'_>>(&answer.text())?;
            Ok(answer)
        });
        let (threads, unread) = (&mut position.threads, || unread_thread(&open.uri));
        let answer = self.patience.open(open.uri.as_str(), looked, threads, batch, unread)?;
        let Some(answer) = answer else { return Ok(()) };
        let text = answer.text();
        let thread: Thread<'_> = answer.view(&text)?;
        let top: Node<'_> = answer.view(thread.thread.get())?;
        let list = List { name: "thread", shape: SHAPE };
        let mut gates = self.looked_up.lock().await;
        let mut below = top.replies.unwrap_or_default();
        let mut index = 0;
        while let Some(element) = below.pop() {
            index += 1;
            let unreadable = |error: &serde_json::Error, raw: &str| {
                list.unreadable(index - 1, error, raw.as_bytes())
            };
            let node: Node<'_> = match serde_json::from_str(element.get()) {
                Ok(node) => node,
                Err(error) => {
                    batch.unreadable.push(unreadable(&error, element.get()));
                    continue;
                }
            };
            let replies = node.replies.unwrap_or_default();
            let shown = replies.len() as u64;
            below.extend(replies);
            let Some(raw) = node.post else {
                batch.gone.extend(
                    node.uri.filter(|_| node.is_gone).map(|uri| PlatformItemId::new(uri.as_str())),
                );
                continue;
            };
            let post: Post = match json::decode(raw.get()) {
                Ok(post) => post,
                Err(error) => {
                    batch.unreadable.push(unreadable(&error, raw.get()));
                    continue;
                }
            };
            let (id, count) = (post.uri.as_str(), post.reply_count);
            let is_queued = step.queue.iter().any(|queued| queued.uri == post.uri);
            let has_more = count.is_some_and(|count| shown < count) && !is_queued;
            if has_more && (position.threads.is_full() || step.queue.len() >= MOST_QUEUED) {
                batch.gap.get_or_insert_with(|| TOO_MANY_THREADS.into());
            }
            if has_more
                && step.queue.len() < MOST_QUEUED
                && position.threads.has_unread(id, count, now)
            {
                step.queue.push(ToOpen { uri: post.uri.clone(), count, is_own: false });
            }
            let around = gates.around_at_best(self, me, &post, &mut batch.gap).await?;
            batch.items.push(post.into_item(raw.get().as_bytes(), me, &self.app, around));
        }
        position.threads.opened(open.uri.as_str(), open.count, now);
        Ok(())
    }
}
