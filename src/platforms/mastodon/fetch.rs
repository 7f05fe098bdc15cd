//! What is read at each fetch, and the walk through it.
//!
//! Two lists, since neither holds everything: who names us is in the notifications, and who
//! answers us without naming us is only in the threads under our own posts. Both are read newest
//! first by `max_id`, the one way of paging that every server known takes alike, down to an
//! overlap in time that is short at most fetches, a day once an hour, and two weeks once a day.
//! An id is no page token and does not go stale: where a walk down the notifications is broken
//! off, the next fetch goes on below the last page that was stored.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::item::Batch;
use crate::platforms::connector::Walks;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::mastodon::api::{self, Older};
use crate::platforms::mastodon::wire::{Context, Id, Notification, Status};
use crate::platforms::mastodon::{Mastodon, Place, unread_thread};
use crate::platforms::reach::{Reach, Reached};
use crate::platforms::threads::{
    Listed, MOST_QUEUED, TOO_MANY_THREADS, Threads, age_of_posts, overlap,
};
use crate::platforms::{http, json};

/// The most that a server gives of one thread.
const LARGEST_THREAD: usize = 4_096;

/// What is remembered of unknown places, how many of them are asked for at one walk, and how many
/// times each.
const MOST_UNPLACED: usize = 500;
const UNPLACED_AT_ONCE: usize = 10;
const ASKED_AGAIN: u32 = 10;

const UNPLACED: &str =
    "Servern lämnar inte ut trådarna kring många omnämnanden. Läs dem på plattformen.";
const TOO_LARGE: &str = "En tråd är större än vad servern lämnar ut; läs den på plattformen.";
const LIST_ENDS: &str = "Servern listar bara de senaste omnämnandena. Medan kontot inte lästes kan äldre ha fallit bort: gå igenom dem på plattformen.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// Whether the notifications have been read to their end once.
    begun: bool,
    /// The newest notification known when a walk down last ended.
    seen: Option<Timestamp>,
    /// A walk down the notifications that has not ended.
    down: Option<Down>,
    #[serde(flatten)]
    reached: Reached,
    /// Our own posts and answers, and what others wrote under which the server shows no more.
    threads: Threads,
    /// Others' answers under which there is more, found and not yet opened: nothing else would
    /// lead back to them soon.
    left: Vec<ToOpen>,
    /// What names us in threads that the server did not give when it was fetched: where it stands
    /// is asked again, a few at each walk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unplaced: Vec<Unplaced>,
    /// The newest report that a moderator has read.
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<Id>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Unplaced {
    id: Id,
    /// How many times it was asked again.
    asked: u32,
}

impl Position {
    fn note_unplaced(&mut self, id: Id, gap: &mut Option<String>) {
        if self.unplaced.iter().any(|unplaced| unplaced.id == id) {
            return;
        }
        if self.unplaced.len() < MOST_UNPLACED {
            self.unplaced.push(Unplaced { id, asked: 0 });
        } else {
            gap.get_or_insert_with(|| UNPLACED.into());
        }
    }

    fn forget_unplaced(&mut self, id: &Id) {
        self.unplaced.retain(|unplaced| unplaced.id != *id);
    }

    /// The server did not tell this time either: it goes behind the others, or is given up.
    fn note_asked(&mut self, id: &Id, gap: &mut Option<String>) {
        let Some(at) = self.unplaced.iter().position(|unplaced| unplaced.id == *id) else { return };
        let mut unplaced = self.unplaced.remove(at);
        unplaced.asked = unplaced.asked.saturating_add(1);
        if unplaced.asked < ASKED_AGAIN {
            self.unplaced.push(unplaced);
        } else {
            gap.get_or_insert_with(|| unread_thread(id));
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Down {
    below: Id,
    /// `None`: to the end.
    until: Option<Timestamp>,
    newest: Option<Timestamp>,
    /// The oldest that a page so far has told of: the last page may be empty.
    #[serde(default)]
    oldest: Option<Timestamp>,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    reach: Reach,
    phase: Phase,
    /// From the very start threads come first: they tell what stands where, and one call gives
    /// many. Later notifications come first, since they are new.
    threads_first: bool,
    /// Threads to open, the next one last.
    queue: Vec<ToOpen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Notifications(Option<Down>),
    OwnPosts(Option<Id>),
    Threads,
    /// What has been reported on the account's own server: below which, and the newest met so far.
    Reports(Option<Id>, Option<Id>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToOpen {
    id: Id,
    count: Option<u64>,
    what: What,
}

/// What stands at the top of what is to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    OwnPost,
    OwnAnswer,
    /// Somebody's answer, with our own post above where there is one.
    Other(Option<Id>),
    /// What names us somewhere: asked for where it stands, not for what is below.
    Unplaced,
}

impl Step {
    pub fn begin(from: &Position, now: Timestamp) -> Self {
        let reach = from.reached.next(now);
        let threads_first = !from.begun && from.down.is_none();
        let phase = if threads_first {
            Phase::OwnPosts(None)
        } else {
            Phase::Notifications(from.down.clone())
        };
        // Those asked for first stand last in the queue: after them comes what is known to be there.
        let unplaced = from.unplaced.iter().take(UNPLACED_AT_ONCE);
        let ask = |unplaced: &Unplaced| ToOpen {
            id: unplaced.id.clone(),
            count: None,
            what: What::Unplaced,
        };
        let queue = unplaced.map(ask).chain(from.left.iter().cloned()).collect();
        Self { reach, phase, threads_first, queue }
    }

    /// What comes when this phase is done.
    fn next_phase(&self) -> Option<Phase> {
        match self.phase {
            Phase::Notifications(_) if self.threads_first => None,
            Phase::Notifications(_) => Some(Phase::OwnPosts(None)),
            Phase::OwnPosts(_) => Some(Phase::Threads),
            Phase::Threads if self.threads_first => Some(Phase::Notifications(None)),
            Phase::Threads | Phase::Reports(..) => None,
        }
    }
}

#[async_trait]
impl Walks for Mastodon {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
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
        let next = match step.phase.clone() {
            Phase::Notifications(down) => {
                let next = self.notifications(me, step.reach, down, position, batch, now).await?;
                next.map(|down| Phase::Notifications(Some(down)))
            }
            Phase::OwnPosts(below) => {
                let next = self.own_posts(me, below, position, &mut step, batch, now).await?;
                next.map(|below| Phase::OwnPosts(Some(below)))
            }
            Phase::Threads => {
                if let Some(open) = step.queue.pop() {
                    match open.what {
                        What::Unplaced => self.place(me, &open.id, position, batch).await?,
                        What::OwnPost | What::OwnAnswer | What::Other(_) => {
                            self.open(me, &open, position, &mut step, batch, now).await?;
                        }
                    }
                    let is_others = |open: &&ToOpen| matches!(open.what, What::Other(_));
                    position.left = step.queue.iter().filter(is_others).cloned().collect();
                }
                (!step.queue.is_empty()).then_some(Phase::Threads)
            }
            Phase::Reports(below, newest) => {
                let known = position.reported.clone();
                let page = self.reports(me, below.as_ref(), known.as_ref(), batch).await?;
                let newest = newest.or(page.newest);
                match page.below {
                    Some(below) => Some(Phase::Reports(Some(below), newest)),
                    None => {
                        position.reported = newest.or(known);
                        None
                    }
                }
            }
        };
        match next.or_else(|| step.next_phase()) {
            Some(phase)
                if phase != Phase::Threads || !step.queue.is_empty() || step.threads_first =>
            {
                step.phase = phase;
                Ok(Some(step))
            }
            Some(_) | None if self.is_moderator && !matches!(step.phase, Phase::Reports(..)) => {
                step.phase = Phase::Reports(None, None);
                Ok(Some(step))
            }
            Some(_) | None => {
                end(position, step.reach, now);
                Ok(None)
            }
        }
    }
}

impl Mastodon {
    /// One page of notifications; gives where the next one begins.
    async fn notifications(
        &self,
        me: &Id,
        reach: Reach,
        down: Option<Down>,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Down>, PlatformError> {
        let seen = position.seen;
        let until = match &down {
            Some(down) => down.until,
            None => seen.and_then(|seen| seen.saturating_sub(overlap(reach)).ok()),
        };
        let mut newest = down.as_ref().and_then(|down| down.newest);
        let mut query = vec![
            ("types[]", "mention"),
            ("types[]", "quote"),
            // Strangers are put aside otherwise, where the account is set so.
            ("include_filtered", "true"),
            ("limit", "80"),
        ];
        let mut oldest = down.as_ref().and_then(|down| down.oldest);
        let below = down.map(|down| down.below);
        if let Some(below) = &below {
            query.push(("max_id", below.as_str()));
        }
        let answer = self.list("v1/notifications", &query).await?;
        let text = answer.text();
        let elements: Vec<&RawValue> = answer.view(&text)?;
        let mut last = None;
        for (index, element) in elements.iter().enumerate() {
            let mut unreadable = |error: &serde_json::Error| {
                let raw = element.get().as_bytes();
                batch.unreadable.push(list("notifications").unreadable(index, error, raw));
            };
            let note: Notification<'_> = match serde_json::from_str(element.get()) {
                Ok(note) => note,
                Err(error) => {
                    unreadable(&error);
                    continue;
                }
            };
            let at = note.at();
            newest = newest.max(at);
            oldest = at.or(oldest);
            last = Some(note.id.clone());
            let Some(raw) = note.status.filter(|_| note.is_addressed()) else { continue };
            match json::decode::<Status>(raw.get()) {
                Ok(status) => {
                    // What was there at an earlier fetch has its place already.
                    let is_new = seen.is_none_or(|seen| at.is_none_or(|at| at > seen));
                    let place = if is_new {
                        self.place_of(me, &status).await?
                    } else {
                        let above = status.in_reply_to_id.as_ref();
                        let places = self.places();
                        Some(above.and_then(|above| places.get(above).cloned()).unwrap_or_default())
                    };
                    if place.is_none() {
                        position.note_unplaced(status.id.clone(), &mut batch.gap);
                    }
                    let place = place.unwrap_or_default();
                    batch.items.push(place.item(status, raw.get().as_bytes(), me));
                }
                Err(error) => unreadable(&error),
            }
        }
        let is_far_enough =
            matches!((oldest, until), (Some(oldest), Some(until)) if oldest < until);
        let next = if is_far_enough { None } else { page_below(&answer, below.as_ref(), last) };
        if let Some(below) = next {
            let down = Down { below, until, newest, oldest };
            position.down = Some(down.clone());
            return Ok(Some(down));
        }
        // The list ended before what was known came: the server has dropped some.
        if let (Some(seen), Some(oldest)) = (seen, oldest)
            && !is_far_enough
            && oldest > seen
        {
            batch.gap = Some(LIST_ENDS.into());
        }
        (position.begun, position.down) = (true, None);
        // A server whose clock goes ahead must not carry us past what is still to come.
        position.seen = seen.max(newest.map(|newest| newest.min(now)));
        Ok(None)
    }

    /// One page of our own posts; gives where the next one begins.
    async fn own_posts(
        &self,
        me: &Id,
        below: Option<Id>,
        position: &Position,
        step: &mut Step,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Id>, PlatformError> {
        let mut query = vec![("exclude_reblogs", "true"), ("limit", "40")];
        if let Some(below) = &below {
            query.push(("max_id", below.as_str()));
        }
        let answer = self.list(&format!("v1/accounts/{me}/statuses"), &query).await?;
        let text = answer.text();
        let (mut oldest, mut last) = (None, None);
        let mut opened = Vec::new();
        for (status, _) in list("statuses").read::<Status>(&answer.view::<Vec<_>>(&text)?, batch) {
            last = Some(status.id.clone());
            if status.reblog.is_some() || !status.is_by(me) {
                continue;
            }
            let at = status.written_at();
            oldest = at.or(oldest);
            if at.is_some_and(|at| now.duration_since(at) > age_of_posts(step.reach)) {
                continue;
            }
            let listed = Listed {
                id: status.id.as_str(),
                count: status.replies_count,
                written: at,
                is_bare: status.replies_count == Some(0) && status.in_reply_to_id.is_none(),
            };
            if position.threads.is_to_open(listed, step.reach, now) {
                let what = match &status.in_reply_to_id {
                    None => What::OwnPost,
                    Some(_) => What::OwnAnswer,
                };
                opened.push(ToOpen { id: status.id.clone(), count: status.replies_count, what });
            }
            if status.in_reply_to_id.is_none() {
                self.places().insert(status.id.clone(), Place::under(status.id.clone()));
                batch.posts.push(status.into_post());
            }
        }
        // The next one stands last: the newest first, and posts before answers, since a thread has
        // the answers in it.
        step.queue.splice(0..0, opened.into_iter().rev());
        step.queue.sort_by_key(|open| open.what == What::OwnPost);
        let is_far_enough =
            oldest.is_some_and(|oldest| now.duration_since(oldest) > age_of_posts(step.reach));
        if is_far_enough {
            return Ok(None);
        }
        Ok(page_below(&answer, below.as_ref(), last))
    }

    /// Asks again where something stands, and gives it once more with its place.
    async fn place(
        &self,
        me: &Id,
        id: &Id,
        position: &mut Position,
        batch: &mut Batch,
    ) -> Result<(), PlatformError> {
        let (status, raw) = match self.status(id).await {
            Ok(found) => found,
            Err(PlatformError::Gone) => {
                position.forget_unplaced(id);
                return Ok(());
            }
            Err(error) if error.concerns_the_account() => return Err(error),
            Err(_) => {
                position.note_asked(id, &mut batch.gap);
                return Ok(());
            }
        };
        match self.place_of(me, &status).await? {
            Some(place) => {
                position.forget_unplaced(id);
                batch.items.push(place.item(status, &raw, me));
            }
            None => position.note_asked(id, &mut batch.gap),
        }
        Ok(())
    }

    /// Everything under one post or answer.
    async fn open(
        &self,
        me: &Id,
        open: &ToOpen,
        position: &mut Position,
        step: &mut Step,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let looked = self.context(&open.id).await;
        let (threads, unread) = (&mut position.threads, || unread_thread(&open.id));
        let answer = self.patience.open(open.id.as_str(), looked, threads, batch, unread)?;
        let Some(answer) = answer else { return Ok(()) };
        let text = answer.text();
        let context: Context<'_> = answer.view(&text)?;
        let place = match &open.what {
            What::OwnPost => Place::under(open.id.clone()),
            What::Other(post) => Place { post: post.clone(), page: None },
            // Asked for in another way.
            What::Unplaced => Place::default(),
            What::OwnAnswer => {
                let place = self.place_below(me, &context);
                // A thread holds all but the post it was asked for.
                let looked = match self.status(&open.id).await {
                    Err(PlatformError::Gone) => Ok(None),
                    other => other.map(Some),
                };
                match self.patience.answer(&format!("post {}", open.id), looked)? {
                    Some(Some((status, raw))) => {
                        batch.items.push(place.item(status, &raw, me));
                    }
                    Some(None) => {}
                    None => {
                        batch.gap.get_or_insert_with(|| unread_thread(&open.id));
                    }
                }
                place
            }
        };
        let reads: Vec<(Status, _)> = list("context").read(&context.descendants, batch);
        let mut answers: BTreeMap<Id, u64> = BTreeMap::new();
        for parent in reads.iter().filter_map(|(status, _)| status.in_reply_to_id.as_ref()) {
            *answers.entry(parent.clone()).or_default() += 1;
        }
        for (status, raw) in reads {
            let shown = answers.get(&status.id).copied().unwrap_or(0);
            let is_own = status.is_by(me);
            self.places().insert(status.id.clone(), place.clone());
            if status.replies_count.is_none_or(|count| shown >= count) {
                step.queue.retain(|queued| queued.id != status.id);
                if is_own {
                    position.threads.opened(status.id.as_str(), status.replies_count, now);
                }
            } else {
                // Some servers show one level at a time.
                let is_queued = step.queue.iter().any(|queued| queued.id == status.id);
                let (id, count) = (status.id.as_str(), status.replies_count);
                let is_full = position.threads.is_full() || step.queue.len() >= MOST_QUEUED;
                if is_full && !is_queued {
                    batch.gap.get_or_insert_with(|| TOO_MANY_THREADS.into());
                }
                let has_room = step.queue.len() < MOST_QUEUED;
                if !is_queued && has_room && position.threads.has_unread(id, count, now) {
                    let (id, count) = (status.id.clone(), status.replies_count);
                    step.queue.push(ToOpen { id, count, what: What::Other(place.post.clone()) });
                }
            }
            batch.items.push(place.item(status, raw, me));
        }
        if context.descendants.len() >= LARGEST_THREAD {
            batch.gap = Some(TOO_LARGE.into());
        }
        position.threads.opened(open.id.as_str(), open.count, now);
        Ok(())
    }
}

/// Notes how far a walk reached that has come to its end.
fn end(position: &mut Position, reach: Reach, now: Timestamp) {
    position.reached.note(reach, now);
    if reach == Reach::Far {
        position.threads.forget(now);
    }
}

/// Where the next older page begins. A server that knows no `max_id` gives the same page again:
/// then there is none.
fn page_below(answer: &http::Answer, asked: Option<&Id>, last: Option<Id>) -> Option<Id> {
    let next = match api::older(answer) {
        Older::Than(id) => Some(id),
        Older::None => None,
        Older::Untold => last,
    };
    next.filter(|next| Some(next) != asked)
}

const fn list(name: &str) -> List<'_> {
    List { name, shape: "Mastodons beskrivning av ett inlägg" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_as_it_has_long_been_stored_is_read() {
        let stored = r#"{"begun":true,"seen":"2026-11-21T11:00:00Z","down":null,"middle":"2026-11-21T11:30:00Z",
            "far":"2026-11-21T08:00:00Z","threads":{"117":{"count":3,"opened":"2026-11-21T11:59:00Z"}},"left":[]}"#;
        let position: Position = serde_json::from_str(stored).unwrap();
        let again = serde_json::to_value(&position).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(stored).unwrap());
        assert_eq!(position.reached.next("2026-11-21T12:00:00Z".parse().unwrap()), Reach::Near);
    }
}
