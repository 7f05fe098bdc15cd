//! Which posts to open, and the walk through their comments.
//!
//! The platform gives few calls a day and tells nowhere how many comments a post has, so the
//! posts of a month are opened by their age: the youngest often, the others rarely. The order of
//! comments is not published: all pages of a post are read, and the answers under each comment.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::PlatformPostId;
use crate::domain::item::Batch;
use crate::platforms::connector::Walks;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::linkedin::wire::{Comment, Page, Post};
use crate::platforms::linkedin::{LinkedIn, encoded};
use crate::platforms::patience::Part;
use crate::platforms::position::is_due;
use crate::platforms::youtube::quota::Spent;

/// Posts older than this are not opened.
const OLDEST: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Until which age a post is opened how often.
const EVERY: &[(SignedDuration, SignedDuration)] = &[
    (SignedDuration::from_hours(24 * 2), SignedDuration::from_hours(1)),
    (SignedDuration::from_hours(24 * 14), SignedDuration::from_hours(8)),
    (OLDEST, SignedDuration::from_hours(24)),
];

const TOO_OLD: &str = "Kommentarer läses bara under egna inlägg från de senaste 30 dagarna.";

const UNREAD: &str = "Kommentarerna under ett av organisationens inlägg kunde inte läsas. De prövas igen vid nästa läsning.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// When each post was last read to its end.
    posts: BTreeMap<String, Timestamp>,
    /// Calls made today.
    spent: Spent,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Something of the post in hand was not given.
    #[serde(default)]
    is_unread: bool,
    /// Where the next page of posts begins; `None` when all are listed.
    posts: Option<u64>,
    /// Posts to open, the next one last.
    queue: Vec<String>,
    /// Where the next page of the one in hand begins.
    start: u64,
    /// Comments whose answers are still to be read, and where the next page of them begins.
    below: Vec<(String, u64)>,
}

#[async_trait]
impl Walks for LinkedIn {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        self.rest.calls.remember(self.organization(), from.spent, now);
        Step { posts: Some(0), queue: Vec::new(), start: 0, below: Vec::new(), is_unread: false }
    }

    async fn step(
        &self,
        mut step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        if let Some(start) = step.posts {
            self.list_posts(&mut step, start, position, batch, now).await?;
        } else if let Some((comment, start)) = step.below.last().cloned() {
            let next = self.read_page(&comment, start, &mut step, batch).await?;
            // What was found below that one may stand on top of it by now.
            let at = step.below.iter().position(|(below, _)| *below == comment);
            if let Some(at) = at {
                match next {
                    Some(next) => step.below[at].1 = next,
                    None => drop(step.below.remove(at)),
                }
            }
        } else if let Some(post) = step.queue.last().cloned() {
            match self.read_page(&post, step.start, &mut step, batch).await? {
                Some(next) => step.start = next,
                None => step.start = u64::MAX,
            }
        }
        // A post is done when its last page and all answers have been read.
        if step.posts.is_none() && step.start == u64::MAX && step.below.is_empty() {
            // What was not given is opened again.
            let is_unread = std::mem::take(&mut step.is_unread);
            if let Some(post) = step.queue.pop().filter(|_| !is_unread) {
                position.posts.insert(post, now);
            }
            step.start = 0;
        }
        position.spent = self.rest.calls.spent_by(self.organization(), now);
        if step.posts.is_some() || !step.queue.is_empty() {
            return Ok(Some(step));
        }
        position.posts.retain(|_, opened| !is_due(Some(*opened), OLDEST, now));
        Ok(None)
    }
}

impl LinkedIn {
    async fn list_posts(
        &self,
        step: &mut Step,
        start: u64,
        position: &Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let author = encoded(&self.us);
        let query = format!("q=author&author={author}&start={start}&count=50&sortBy=LAST_MODIFIED");
        let answer = self.rest.find("posts", &query).await?;
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "posts", shape: "LinkedIns beskrivning av ett inlägg" };
        let (mut opened, mut any_young) = (Vec::new(), false);
        for (post, _) in list.read::<Post>(&page.elements, batch) {
            let age = post.written_at().map_or(SignedDuration::ZERO, |at| now.duration_since(at));
            match EVERY.iter().find(|(until, _)| age < *until) {
                Some((_, every)) => {
                    any_young = true;
                    if is_due(position.posts.get(&post.id).copied(), *every, now) {
                        opened.push(post.id.clone());
                    }
                }
                None => {
                    batch.gap.get_or_insert_with(|| TOO_OLD.into());
                }
            }
            batch.posts.push(post.into_post(&self.rest.settings.site));
        }
        // The next one stands last.
        opened.retain(|post| !step.queue.contains(post));
        step.queue.splice(0..0, opened.into_iter().rev());
        // Sorted by their last change: a page without young ones is followed by none with.
        step.posts = page.next(start).filter(|_| any_young);
        Ok(())
    }

    /// One page of what stands under a post or a comment; gives where the next one begins.
    async fn read_page(
        &self,
        under: &str,
        start: u64,
        step: &mut Step,
        batch: &mut Batch,
    ) -> Result<Option<u64>, PlatformError> {
        let looked = self.comments(under, start).await;
        let answer = match self.patience.own_part(under, looked, batch, || UNREAD.into())? {
            Part::There(answer) => answer,
            Part::Gone => return Ok(None),
            Part::NotGiven => {
                step.is_unread = true;
                return Ok(None);
            }
        };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "comments", shape: "LinkedIns beskrivning av en kommentar" };
        let post = step.queue.last().map(|post| PlatformPostId::new(post.as_str()));
        for (comment, raw) in list.read::<Comment>(&page.elements, batch) {
            let urn = comment.urn();
            if comment.answers() > 0 && !step.below.iter().any(|(below, _)| *below == urn) {
                step.below.push((urn, 0));
            }
            batch.items.push(comment.into_item(
                raw,
                &self.us,
                post.as_ref(),
                &self.rest.settings.site,
            ));
        }
        Ok(page.next(start))
    }
}
