//! Which posts to open, and the walk through their comments.
//!
//! A listing of posts tells how many comments each has. A post is opened when the number moved,
//! while it is young, and once a day in any case, since one comment may go while another comes.
//! The durable cursor moves when a post is done, so a walk broken off costs one post.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::PlatformPostId;
use crate::domain::item::Batch;
use crate::platforms::connector::Walks;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::facebook::Facebook;
use crate::platforms::facebook::wire::{Comment, POST_FIELDS, Post, VISITOR_FIELDS};
use crate::platforms::graph::{Pace, Page};
use crate::platforms::patience::Part;
use crate::platforms::position::is_due;
use crate::platforms::reach::{Reach, Reached};

/// How far back posts are listed at every fetch, once an hour, and (without end) once a day.
const NEAR: SignedDuration = SignedDuration::from_hours(24 * 14);
const MIDDLE: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Younger posts are opened whether or not the number of comments moved.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);
const YOUNG_EVERY: SignedDuration = SignedDuration::from_mins(2);

/// How much rarer that is when three quarters of the platform's limit are used.
const SLOWER: i32 = 5;

/// How far behind the newest comment known a walk goes on: held and late ones come there.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Once a day a post is read to its end; finds silent edits.
const DEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);

const UNREAD: &str =
    "Kommentarerna under ett av sidans inlägg kunde inte läsas. De prövas igen vid nästa läsning.";

const UNREAD_VISITORS: &str =
    "Besökares inlägg på sidan kunde inte läsas. De prövas igen vid nästa läsning.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    #[serde(default)]
    posts: BTreeMap<String, Known>,
    /// Of posts older than [`MIDDLE`] only the number of comments is kept: a Page has thousands.
    #[serde(default)]
    old: BTreeMap<String, Option<u64>>,
    /// When the conversation that was read last had moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    talks: Option<Timestamp>,
    #[serde(flatten)]
    reached: Reached,
}

/// What is known of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// How many comments it had when it was last opened.
    count: Option<u64>,
    newest: Option<Timestamp>,
    opened: Timestamp,
    deep: Timestamp,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Page of the listing still to be read; `None` when the listing is done.
    list: Option<Listing>,
    reach: Reach,
    /// Posts to open, the next one last.
    queue: Vec<ToOpen>,
    /// Page within the next one.
    after: Option<String>,
    /// The newest comment met in it so far.
    newest: Option<Timestamp>,
    /// Page of visitors' posts still to be read; `None` when they are done.
    visitors: Option<Listing>,
    /// Page of the conversations still to be listed.
    talks_list: Option<Listing>,
    /// Conversations to open, the next one last, and the page within that one.
    talks: Vec<String>,
    talk_after: Option<String>,
    talks_newest: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listing {
    after: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToOpen {
    post: String,
    count: Option<u64>,
    deep: bool,
    is_old: bool,
}

impl Position {
    /// Whether a listed post is to be opened, and how.
    fn to_open(&self, post: &Post, pace: Pace, now: Timestamp) -> Option<ToOpen> {
        let count = post.comments();
        let is_old = post.written_at().is_some_and(|at| now.duration_since(at) > MIDDLE);
        let open = |deep| Some(ToOpen { post: post.id.clone(), count, deep, is_old });
        if let Some(known) = self.old.get(&post.id) {
            return if count.is_none() || count != *known { open(true) } else { None };
        }
        let Some(known) = self.posts.get(&post.id) else { return open(true) };
        if is_due(Some(known.deep), DEEP_EVERY, now) {
            return open(true);
        }
        let is_young = post.written_at().is_none_or(|at| now.duration_since(at) < YOUNG);
        let young_every = if pace == Pace::Free { YOUNG_EVERY } else { YOUNG_EVERY * SLOWER };
        let moved = count.is_none() || count != known.count;
        (moved || (is_young && is_due(Some(known.opened), young_every, now)))
            .then_some(())
            .and_then(|()| open(false))
    }
}

impl Step {
    pub fn begin(from: &Position, now: Timestamp) -> Self {
        Self {
            list: Some(Listing { after: None }),
            reach: from.reached.next(now),
            queue: Vec::new(),
            after: None,
            newest: None,
            visitors: Some(Listing { after: None }),
            talks_list: Some(Listing { after: None }),
            talks: Vec::new(),
            talk_after: None,
            talks_newest: None,
        }
    }

    fn is_done(&self) -> bool {
        self.list.is_none()
            && self.visitors.is_none()
            && self.queue.is_empty()
            && self.talks_list.is_none()
            && self.talks.is_empty()
    }
}

#[async_trait]
impl Walks for Facebook {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        let mut step = Step::begin(from, now);
        // What others posted, and conversations, cost a call each even where nothing has moved.
        if step.reach == Reach::Near && self.graph.pace() != Pace::Free {
            (step.visitors, step.talks_list) = (None, None);
        }
        // Whether the right to read them has come is asked once a day.
        if self.lacks_messages.load(Ordering::Relaxed) && step.reach != Reach::Far {
            step.talks_list = None;
        }
        step
    }

    async fn step(
        &self,
        step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        let mut step = step;
        if let Some(listing) = &step.list {
            let after = listing.after.clone();
            step = self.list_posts(position, step, after, batch, now).await?;
        } else if let Some(listing) = step.visitors.take() {
            self.list_visitors(position, &mut step, listing, batch, now).await?;
        } else if !step.queue.is_empty() {
            step = self.read_comments(position, step, batch, now).await?;
        } else if let Some(Listing { after }) = step.talks_list.take() {
            if let Some(listed) = self.list_talks(after.as_deref(), position.talks, batch).await? {
                step.talks.splice(0..0, listed.talks);
                step.talks_newest = step.talks_newest.max(listed.newest);
                step.talks_list = listed.next.map(|after| Listing { after: Some(after) });
            }
        } else if let Some(talk) = step.talks.last().cloned() {
            let after = step.talk_after.take();
            let next = self.read_talk(&talk, after.as_deref(), position.talks, batch).await?;
            match next {
                Some(next) => step.talk_after = Some(next),
                None => drop(step.talks.pop()),
            }
        }
        if !step.is_done() {
            return Ok(Some(step));
        }
        // Stored when the last of them has been read: a walk broken off reads them again.
        position.talks = position.talks.max(step.talks_newest);
        position.reached.note(step.reach, now);
        Ok(None)
    }
}

impl Facebook {
    async fn list_posts(
        &self,
        position: &Position,
        mut step: Step,
        after: Option<String>,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Step, PlatformError> {
        let mut query = vec![("fields", POST_FIELDS), ("limit", "100")];
        if let Some(after) = &after {
            query.push(("after", after));
        }
        let path = format!("{}/published_posts", self.page_id);
        let answer = self.graph.get(&path, &query).await?;
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let mut oldest = None;
        let mut opened = Vec::new();
        let list = List { name: "published_posts", shape: "Facebooks beskrivning av ett inlägg" };
        for (post, _) in list.read::<Post>(&page.data, batch) {
            oldest = post.written_at().or(oldest);
            opened.extend(position.to_open(&post, self.graph.pace(), now));
            batch.posts.push(post.into_post());
        }
        // The next one stands last, and the newest posts come first.
        step.queue.splice(0..0, opened.into_iter().rev());
        let limit = match step.reach {
            Reach::Near => Some(NEAR),
            Reach::Middle => Some(MIDDLE),
            Reach::Far => None,
        };
        let far_enough = match (oldest, limit) {
            (Some(oldest), Some(limit)) => now.duration_since(oldest) > limit,
            (Some(_) | None, _) => false,
        };
        step.list = match page.after() {
            Some(after) if !far_enough => Some(Listing { after: Some(after.to_owned()) }),
            Some(_) | None => None,
        };
        Ok(step)
    }

    /// One page of what others posted on the Page, the newest first.
    async fn list_visitors(
        &self,
        position: &Position,
        step: &mut Step,
        listing: Listing,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let mut query = vec![("fields", VISITOR_FIELDS), ("limit", "100")];
        query.extend(listing.after.as_deref().map(|after| ("after", after)));
        let path = format!("{}/visitor_posts", self.page_id);
        let looked = self.graph.get(&path, &query).await;
        let part = self.patience.own_part(&path, looked, batch, || UNREAD_VISITORS.into())?;
        let Part::There(answer) = part else { return Ok(()) };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "visitor_posts", shape: "Facebooks beskrivning av ett inlägg" };
        let (mut oldest, mut opened) = (None, Vec::new());
        for (post, raw) in list.read::<Post>(&page.data, batch) {
            oldest = post.written_at().or(oldest);
            let to_open = position.to_open(&post, self.graph.pace(), now);
            // Most have no comments: those are not opened once more to see it.
            opened.extend(to_open.filter(|open| open.count != Some(0)));
            batch.items.push(post.to_item(raw, &self.page_id));
            batch.posts.push(post.into_post());
        }
        step.queue.splice(0..0, opened.into_iter().rev());
        let limit = match step.reach {
            Reach::Near => NEAR,
            Reach::Middle | Reach::Far => MIDDLE,
        };
        let is_far_enough = oldest.is_some_and(|oldest| now.duration_since(oldest) > limit);
        let next = page.after().filter(|next| {
            !is_far_enough && step.reach != Reach::Near && Some(*next) != listing.after.as_deref()
        });
        step.visitors = next.map(|next| Listing { after: Some(next.to_owned()) });
        Ok(())
    }

    async fn read_comments(
        &self,
        position: &mut Position,
        mut step: Step,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Step, PlatformError> {
        let Some(open) = step.queue.last().cloned() else { return Ok(step) };
        let (mut next, mut is_unread) = (None, false);
        let post_id = PlatformPostId::new(open.post.as_str());
        let looked = self.comments(&open.post, step.after.as_deref()).await;
        match self.patience.own_part(&open.post, looked, batch, || UNREAD.into())? {
            Part::There(answer) => {
                let text = answer.text();
                let page: Page<'_> = answer.view(&text)?;
                let known = position.posts.get(&open.post).and_then(|known| known.newest);
                let name = format!("{}/comments", open.post);
                let list = List { name: &name, shape: "Facebooks beskrivning av en kommentar" };
                let mut all_old = known.is_some() && !page.data.is_empty();
                for (comment, raw) in list.read::<Comment>(&page.data, batch) {
                    let at = comment.written_at();
                    step.newest = step.newest.max(at);
                    all_old &= matches!((at, known), (Some(at), Some(known))
                        if known.duration_since(at) > OVERLAP);
                    batch.items.push(comment.into_item(Some(&post_id), raw, &self.page_id));
                }
                if open.deep || !all_old {
                    next = page.after().map(str::to_owned);
                }
            }
            Part::Gone => {}
            Part::NotGiven => is_unread = true,
        }
        if is_unread {
            // As it was known: the next walk opens it again.
            step.queue.pop();
            step.newest = None;
        } else if next.is_none() {
            let before = position.posts.get(&open.post);
            let known = Known {
                count: open.count,
                newest: step.newest.max(before.and_then(|known| known.newest)),
                opened: now,
                deep: if open.deep { now } else { before.map_or(now, |known| known.deep) },
            };
            if open.is_old {
                position.posts.remove(&open.post);
                position.old.insert(open.post, open.count);
            } else {
                position.posts.insert(open.post, known);
            }
            step.queue.pop();
            step.newest = None;
        }
        step.after = next;
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_as_it_has_long_been_stored_is_read() {
        let stored = r#"{"posts":{"1_2":{"count":3,"newest":null,"opened":"2026-11-21T11:59:00Z","deep":"2026-11-21T08:00:00Z"}},
            "old":{"1_1":7},"middle":"2026-11-21T11:30:00Z","far":"2026-11-21T08:00:00Z"}"#;
        let position: Position = serde_json::from_str(stored).unwrap();
        let again = serde_json::to_value(&position).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(stored).unwrap());
        assert_eq!(position.reached.next("2026-11-21T12:00:00Z".parse().unwrap()), Reach::Near);
    }
}
