//! Which posts to open, and the walk through their comments.
//!
//! A listing of posts tells how many comments each has. A post is opened when the number moved,
//! while it is young, and once a day in any case, since one comment may go while another comes.
//! The durable cursor moves when a post is done, so a walk broken off costs one post.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Cursor, PlatformPostId};
use crate::domain::item::{Batch, Unreadable, Walk};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::facebook::Facebook;
use crate::platforms::facebook::wire::{COMMENT_FIELDS, Comment, POST_FIELDS, Post};
use crate::platforms::graph::{self, Pace};
use crate::platforms::json;
use crate::platforms::position::{self, is_due};

/// How far back posts are listed at every fetch, once an hour, and (without end) once a day.
const NEAR: SignedDuration = SignedDuration::from_hours(24 * 14);
const MIDDLE: SignedDuration = SignedDuration::from_hours(24 * 90);
const MIDDLE_EVERY: SignedDuration = SignedDuration::from_hours(1);
const FAR_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Younger posts are opened whether or not the number of comments moved.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);
const YOUNG_EVERY: SignedDuration = SignedDuration::from_mins(2);

/// How much rarer that is when three quarters of the platform's limit are used.
const SLOWER: i32 = 5;

/// How far behind the newest comment known a walk goes on: held and late ones come there.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Once a day a post is read to its end; finds silent edits.
const DEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    #[serde(default)]
    posts: BTreeMap<String, Known>,
    /// Of posts older than [`MIDDLE`] only the number of comments is kept: a Page has thousands.
    #[serde(default)]
    old: BTreeMap<String, Option<u64>>,
    /// When posts were last listed so far back.
    #[serde(default)]
    middle: Option<Timestamp>,
    #[serde(default)]
    far: Option<Timestamp>,
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
struct Step {
    /// Page of the listing still to be read; `None` when the listing is done.
    list: Option<Listing>,
    reach: Reach,
    /// Posts to open, the next one last.
    queue: Vec<ToOpen>,
    /// Page within the next one.
    after: Option<String>,
    /// The newest comment met in it so far.
    newest: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listing {
    after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Reach {
    Near,
    Middle,
    Far,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToOpen {
    post: String,
    count: Option<u64>,
    deep: bool,
    is_old: bool,
}

impl Position {
    fn reach(&self, now: Timestamp) -> Reach {
        if is_due(self.far, FAR_EVERY, now) {
            Reach::Far
        } else if is_due(self.middle, MIDDLE_EVERY, now) {
            Reach::Middle
        } else {
            Reach::Near
        }
    }

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

impl Facebook {
    pub(in crate::platforms::facebook) async fn step(
        &self,
        cursor: Option<&Cursor>,
        walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError> {
        self.identity().await?;
        let now = self.graph.http.clock().now();
        if let Pace::Stop(until) = self.graph.pace() {
            // Only this kind of call: what is left of the limit belongs to editors.
            return Err(PlatformError::Throttled {
                until,
                lane: Lane::Call,
                detail: "nine tenths of the limit are used".into(),
            });
        }
        let from: Position = position::read("facebook", cursor);
        let step = match walk {
            Some(walk) => position::step(walk)?,
            None => Step {
                list: Some(Listing { after: None }),
                reach: from.reach(now),
                queue: Vec::new(),
                after: None,
                newest: None,
            },
        };
        match &step.list {
            Some(listing) => {
                let after = listing.after.clone();
                self.list_posts(from, step, after, now).await
            }
            None => self.read_comments(from, step, now).await,
        }
    }

    async fn list_posts(
        &self,
        from: Position,
        mut step: Step,
        after: Option<String>,
        now: Timestamp,
    ) -> Result<Batch, PlatformError> {
        let mut query = vec![("fields", POST_FIELDS), ("limit", "100")];
        if let Some(after) = &after {
            query.push(("after", after));
        }
        let path = format!("{}/published_posts", self.page_id);
        let answer = self.graph.get(&path, &query).await?;
        let text = json::text(&answer.body);
        let page = graph::page(&answer, &text)?;
        let mut batch = Batch::default();
        let mut oldest = None;
        let mut opened = Vec::new();
        for (index, element) in page.data.iter().enumerate() {
            match json::decode::<Post>(element.get()) {
                Ok(post) => {
                    oldest = post.written_at().or(oldest);
                    opened.extend(from.to_open(&post, self.graph.pace(), now));
                    batch.posts.push(post.into_post());
                }
                Err(error) => batch.unreadable.push(Unreadable {
                    place: format!("published_posts, element {}", index + 1),
                    problem: format!(
                        "svarar inte mot Facebooks beskrivning av ett inlägg: {}",
                        json::place(&error)
                    ),
                    raw: element.get().as_bytes().to_vec(),
                }),
            }
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
        Ok(finish(batch, from.clone(), from, step, now))
    }

    async fn read_comments(
        &self,
        from: Position,
        mut step: Step,
        now: Timestamp,
    ) -> Result<Batch, PlatformError> {
        let Some(open) = step.queue.last().cloned() else {
            return Ok(finish(Batch::default(), from.clone(), from, step, now));
        };
        let mut query = vec![
            ("filter", "stream"),
            ("order", "reverse_chronological"),
            ("limit", "100"),
            ("fields", COMMENT_FIELDS),
        ];
        if let Some(after) = &step.after {
            query.push(("after", after));
        }
        let mut batch = Batch::default();
        let mut next = None;
        let post_id = PlatformPostId::new(open.post.as_str());
        match self.graph.get(&format!("{}/comments", open.post), &query).await {
            Ok(answer) => {
                let text = json::text(&answer.body);
                let page = graph::page(&answer, &text)?;
                let known = from.posts.get(&open.post).and_then(|known| known.newest);
                let mut all_old = known.is_some() && !page.data.is_empty();
                for (index, element) in page.data.iter().enumerate() {
                    let raw = element.get().as_bytes();
                    match Comment::read(element.get()) {
                        Ok(comment) => {
                            let at = comment.written_at();
                            step.newest = step.newest.max(at);
                            all_old &= matches!((at, known), (Some(at), Some(known))
                                if known.duration_since(at) > OVERLAP);
                            batch.items.push(comment.into_item(Some(&post_id), raw, &self.page_id));
                        }
                        Err(error) => batch.unreadable.push(Unreadable {
                            place: format!("{}/comments, element {}", open.post, index + 1),
                            problem: format!(
                                "svarar inte mot Facebooks beskrivning av en kommentar: {}",
                                json::place(&error)
                            ),
                            raw: raw.to_vec(),
                        }),
                    }
                }
                if open.deep || !all_old {
                    next = page.after().map(str::to_owned);
                }
            }
            // The post went away between the listing and now.
            Err(PlatformError::Gone) => {}
            Err(error) => return Err(error),
        }
        let mut position = from.clone();
        if next.is_none() {
            let before = from.posts.get(&open.post);
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
        Ok(finish(batch, from, position, step, now))
    }
}

/// Puts cursor and walk into the batch; at the end of the walk notes how far it reached.
fn finish(
    mut batch: Batch,
    from: Position,
    mut position: Position,
    step: Step,
    now: Timestamp,
) -> Batch {
    if step.list.is_some() || !step.queue.is_empty() {
        batch.walk = Some(Walk::new(position::write(&step)));
    } else {
        match step.reach {
            Reach::Near => {}
            Reach::Middle => position.middle = Some(now),
            Reach::Far => (position.middle, position.far) = (Some(now), Some(now)),
        }
    }
    batch.next = (position != from).then(|| Cursor::new(position::write(&position)));
    batch
}
