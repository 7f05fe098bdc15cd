//! Which media to open, and the walk through their comments and through the conversations.
//!
//! A listing of media tells how many comments each has. A medium is opened when the number moved,
//! while it is young, and (up to a month) once a day in any case, since one comment may go while
//! another comes. Its comments come newest first with their answers, and no date can be asked for: a
//! walk goes on until it is well below what was known and has met as many new ones as the number
//! told of, since an answer does not lift an old comment.

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
use crate::platforms::graph::messages::Conversation;
use crate::platforms::graph::{Pace, Page};
use crate::platforms::instagram::Instagram;
use crate::platforms::instagram::wire::{
    COMMENT_FIELDS, Comment, MEDIA_FIELDS, Media, Met, THREAD_FIELDS, WithReplies, elements,
};
use crate::platforms::json;
use crate::platforms::patience::Part;
use crate::platforms::position::is_due;
use crate::platforms::reach::{Reach, Reached};

const SHAPE: &str = "Instagrams beskrivning av en kommentar";

/// How far back media are listed at every fetch, once an hour, and (without end) once a day.
const NEAR: SignedDuration = SignedDuration::from_hours(24 * 14);
const MIDDLE: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Younger media are opened whether or not the number of comments moved.
const YOUNG: SignedDuration = SignedDuration::from_hours(24 * 2);
const YOUNG_EVERY: SignedDuration = SignedDuration::from_mins(2);

/// How much rarer that is when three quarters of the platform's limit are used.
const SLOWER: i32 = 5;

/// How far behind the newest comment known a walk goes on.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// So young a medium is read to its end once a day.
const DEEP: SignedDuration = SignedDuration::from_hours(24 * 30);
const DEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The platform's clock need not be ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// How far behind the newest conversation known the list of them is read.
const TALKS_OVERLAP: SignedDuration = SignedDuration::from_mins(15);

const UNREAD: &str =
    "Kommentarerna under ett av kontots inlägg kunde inte läsas. De prövas igen vid nästa läsning.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    media: BTreeMap<String, Known>,
    /// Of media older than [`MIDDLE`] only the number of comments is kept: there are thousands.
    old: BTreeMap<String, Option<u64>>,
    #[serde(flatten)]
    reached: Reached,
    /// When the conversation that moved last had moved, at the end of the last walk.
    talks: Option<Timestamp>,
}

/// What is known of a medium.
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
    /// Something of the medium in hand was not given.
    #[serde(default)]
    is_unread: bool,
    reach: Reach,
    phase: Phase,
    /// Media to open, the next one last.
    queue: Vec<ToOpen>,
    /// Comments with more answers than came along, and where the next page of those begins.
    more: Vec<More>,
    /// Conversations to open, the next one last.
    talks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Media {
        after: Option<String>,
    },
    Comments {
        after: Option<String>,
        newest: Option<Timestamp>,
        n_new: u64,
    },
    /// All pages of the medium in hand have been read; answers may still be left.
    Done {
        newest: Option<Timestamp>,
    },
    Conversations {
        after: Option<String>,
        newest: Option<Timestamp>,
    },
    Talks {
        newest: Option<Timestamp>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToOpen {
    media: String,
    permalink: Option<String>,
    count: Option<u64>,
    deep: bool,
    is_old: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct More {
    media: String,
    permalink: Option<String>,
    comment: String,
    after: String,
}

const FIRST_COMMENTS: Phase = Phase::Comments { after: None, newest: None, n_new: 0 };

impl Position {
    /// Whether a listed medium is to be opened, and how.
    fn to_open(&self, media: &Media, pace: Pace, now: Timestamp) -> Option<ToOpen> {
        let count = media.comments_count;
        let (id, permalink) = (media.id.clone(), media.permalink.clone());
        let age = media.written_at().map(|at| now.duration_since(at));
        let is_younger = |than: SignedDuration| age.is_none_or(|age| age < than);
        let is_old = !is_younger(MIDDLE);
        let open = |deep| Some(ToOpen { media: id, permalink, count, deep, is_old });
        if let Some(known) = self.old.get(&media.id) {
            return if count.is_none() || count != *known { open(true) } else { None };
        }
        let Some(known) = self.media.get(&media.id) else { return open(true) };
        let moved = count.is_none() || count != known.count;
        if is_younger(DEEP) && is_due(Some(known.deep), DEEP_EVERY, now) {
            return open(true);
        }
        if moved {
            // What is old and moves all the same is read whole: it is rare.
            return open(!is_younger(DEEP));
        }
        let young_every = if pace == Pace::Free { YOUNG_EVERY } else { YOUNG_EVERY * SLOWER };
        (is_younger(YOUNG) && is_due(Some(known.opened), young_every, now))
            .then_some(())
            .and_then(|()| open(false))
    }
}

impl Position {
    /// A medium has been read with all answers: what is broken off before is read again.
    fn done(&mut self, open: Option<ToOpen>, newest: Option<Timestamp>, now: Timestamp) {
        let Some(open) = open else { return };
        if open.is_old {
            self.media.remove(&open.media);
            self.old.insert(open.media, open.count);
            return;
        }
        let before = self.media.get(&open.media);
        let known = Known {
            // What came later than the listing makes the medium be opened again, not left out.
            count: open.count,
            newest: newest.max(before.and_then(|known| known.newest)),
            opened: now,
            deep: if open.deep { now } else { before.map_or(now, |known| known.deep) },
        };
        self.media.insert(open.media, known);
    }
}

#[async_trait]
impl Walks for Instagram {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        Step {
            reach: from.reached.next(now),
            phase: Phase::Media { after: None },
            queue: Vec::new(),
            more: Vec::new(),
            talks: Vec::new(),
            is_unread: false,
        }
    }

    async fn step(
        &self,
        mut step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        step.phase = match step.phase.clone() {
            Phase::Media { after } => {
                self.list_media(&mut step, after, position, batch, now).await?
            }
            Phase::Comments { after, newest, n_new } => {
                if let Some(more) = step.more.pop() {
                    self.more_replies(&mut step, &more, batch).await?;
                    Phase::Comments { after, newest, n_new }
                } else if let Some(open) = step.queue.last().cloned() {
                    let place = Place { after, newest, n_new };
                    self.comments_of(&mut step, &open, place, position, batch).await?
                } else if self.reads_messages()
                    // Whether the right to read them has come is asked once a day.
                    && (!self.lacks_messages.load(Ordering::Relaxed) || step.reach == Reach::Far)
                {
                    Phase::Conversations { after: None, newest: None }
                } else {
                    Phase::Talks { newest: None }
                }
            }
            Phase::Done { newest } => {
                if let Some(more) = step.more.pop() {
                    self.more_replies(&mut step, &more, batch).await?;
                    Phase::Done { newest }
                } else {
                    let open = step.queue.pop();
                    // What was not given is opened again.
                    if !std::mem::take(&mut step.is_unread) {
                        position.done(open, newest, now);
                    }
                    FIRST_COMMENTS
                }
            }
            Phase::Conversations { after, newest } => {
                self.list_talks(&mut step, after, newest, position, batch).await?
            }
            Phase::Talks { newest } => {
                if let Some(talk) = step.talks.last().cloned() {
                    self.read_talk(&talk, batch).await?;
                    step.talks.pop();
                }
                Phase::Talks { newest }
            }
        };
        let Phase::Talks { newest } = &step.phase else { return Ok(Some(step)) };
        if !step.talks.is_empty() {
            return Ok(Some(step));
        }
        position.talks = position.talks.max(*newest);
        position.reached.note(step.reach, now);
        Ok(None)
    }
}

/// A place among the comments of a medium.
struct Place {
    after: Option<String>,
    newest: Option<Timestamp>,
    n_new: u64,
}

impl Instagram {
    async fn list_media(
        &self,
        step: &mut Step,
        after: Option<String>,
        position: &Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Phase, PlatformError> {
        let mut query = vec![("fields", MEDIA_FIELDS), ("limit", "100")];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let answer = self.graph.get(&format!("{}/media", self.ig_id), &query).await?;
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "media", shape: "Instagrams beskrivning av ett inlägg" };
        let (mut oldest, mut opened) = (None, Vec::new());
        for (media, _) in list.read::<Media>(&page.data, batch) {
            oldest = media.written_at().or(oldest);
            opened.extend(position.to_open(&media, self.graph.pace(), now));
            batch.posts.push(media.into_post());
        }
        // The next one stands last, and the newest come first.
        step.queue.splice(0..0, opened.into_iter().rev());
        let limit = match step.reach {
            Reach::Near => Some(NEAR),
            Reach::Middle => Some(MIDDLE),
            Reach::Far => None,
        };
        let is_far_enough = matches!((oldest, limit), (Some(oldest), Some(limit)) if now.duration_since(oldest) > limit);
        let next = page.after().filter(|_| !is_far_enough).map(str::to_owned);
        Ok(match next.filter(|next| Some(next) != after.as_ref()) {
            Some(next) => Phase::Media { after: Some(next) },
            None => FIRST_COMMENTS,
        })
    }

    /// One page of a medium's comments, with their answers.
    async fn comments_of(
        &self,
        step: &mut Step,
        open: &ToOpen,
        place: Place,
        position: &Position,
        batch: &mut Batch,
    ) -> Result<Phase, PlatformError> {
        let Place { after, mut newest, mut n_new } = place;
        let mut query = vec![("fields", THREAD_FIELDS), ("limit", "50")];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let known = position.media.get(&open.media).copied();
        let mut next = None;
        let looked = self.graph.get(&format!("{}/comments", open.media), &query).await;
        match self.patience.own_part(&open.media, looked, batch, || UNREAD.into())? {
            Part::There(answer) => {
                let text = answer.text();
                let page: Page<'_> = answer.view(&text)?;
                let name = format!("{}/comments", open.media);
                let list = List { name: &name, shape: SHAPE };
                let media = PlatformPostId::new(open.media.as_str());
                let met = Met { media: Some(&media), ..self.met(open.permalink.as_deref()).await? };
                let since = known.and_then(|known| known.opened.saturating_sub(CLOCKS_APART).ok());
                let is_new = |at: Option<Timestamp>| at >= since;
                let before = known.and_then(|known| known.newest);
                let mut all_old = before.is_some() && !page.data.is_empty();
                for (index, element) in page.data.iter().enumerate() {
                    let raw = element.get().as_bytes();
                    let (comment, with) = match (
                        json::decode::<Comment>(element.get()),
                        serde_json::from_str::<WithReplies<'_>>(element.get()),
                    ) {
                        (Ok(comment), Ok(with)) => (comment, with),
                        (Err(error), _) | (_, Err(error)) => {
                            batch.unreadable.push(list.unreadable(index, &error, raw));
                            continue;
                        }
                    };
                    let (top, at) = (comment.id.clone(), comment.written_at());
                    newest = newest.max(at);
                    n_new += u64::from(is_new(at));
                    all_old &= matches!((at, before), (Some(at), Some(before))
                        if before.duration_since(at) > OVERLAP);
                    batch.items.push(comment.into_item(raw, met));
                    let inner = Met { parent: Some(&top), ..met };
                    for (reply, raw) in
                        list.read::<Comment>(&elements(with.replies.as_ref()), batch)
                    {
                        let at = reply.written_at();
                        newest = newest.max(at);
                        n_new += u64::from(is_new(at));
                        batch.items.push(reply.into_item(raw, inner));
                    }
                    if let Some(after) = with.replies.as_ref().and_then(|page| page.after()) {
                        step.more.push(More {
                            media: open.media.clone(),
                            permalink: open.permalink.clone(),
                            comment: top,
                            after: after.to_owned(),
                        });
                    }
                }
                let came = match (open.count, known.and_then(|known| known.count)) {
                    (Some(count), Some(before)) => count.saturating_sub(before),
                    _ => 0,
                };
                if open.deep || !all_old || n_new < came {
                    next = page.after().map(str::to_owned);
                }
            }
            Part::Gone => {}
            Part::NotGiven => step.is_unread = true,
        }
        if let Some(next) = next.filter(|next| Some(next) != after.as_ref()) {
            return Ok(Phase::Comments { after: Some(next), newest, n_new });
        }
        Ok(Phase::Done { newest })
    }

    /// A further page of the answers to one comment.
    async fn more_replies(
        &self,
        step: &mut Step,
        more: &More,
        batch: &mut Batch,
    ) -> Result<(), PlatformError> {
        let query = [("fields", COMMENT_FIELDS), ("limit", "50"), ("after", more.after.as_str())];
        let looked = self.graph.get(&format!("{}/replies", more.comment), &query).await;
        let answer = match self.patience.own_part(&more.comment, looked, batch, || UNREAD.into())? {
            Part::There(answer) => answer,
            Part::Gone => return Ok(()),
            Part::NotGiven => {
                step.is_unread = true;
                return Ok(());
            }
        };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "replies", shape: SHAPE };
        let media = PlatformPostId::new(more.media.as_str());
        let met = self.met(more.permalink.as_deref()).await?;
        let met = Met { media: Some(&media), parent: Some(&more.comment), ..met };
        for (reply, raw) in list.read::<Comment>(&page.data, batch) {
            batch.items.push(reply.into_item(raw, met));
        }
        if let Some(after) = page.after().filter(|after| *after != more.after) {
            step.more.push(More { after: after.to_owned(), ..more.clone() });
        }
        Ok(())
    }

    /// One page of conversations, the one that moved last first.
    async fn list_talks(
        &self,
        step: &mut Step,
        after: Option<String>,
        newest: Option<Timestamp>,
        position: &Position,
        batch: &mut Batch,
    ) -> Result<Phase, PlatformError> {
        let answer = match self.conversations(after.as_deref()).await {
            Ok(answer) => answer,
            // Comments are read all the same, and the account's record says what is not.
            Err(error @ PlatformError::Forbidden { .. }) => {
                if !self.lacks_messages.swap(true, Ordering::Relaxed) {
                    tracing::info!(error = %error, "the account may not read its conversations");
                }
                return Ok(Phase::Talks { newest });
            }
            Err(error) => return Err(error),
        };
        self.lacks_messages.store(false, Ordering::Relaxed);
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list =
            List { name: "conversations", shape: "Instagrams beskrivning av en konversation" };
        let until = position.talks.and_then(|at| at.saturating_sub(TALKS_OVERLAP).ok());
        let (mut newest, mut is_below, mut opened) = (newest, false, Vec::new());
        for (talk, _) in list.read::<Conversation>(&page.data, batch) {
            let at = talk.updated_at();
            newest = newest.max(at);
            if matches!((at, until), (Some(at), Some(until)) if at < until) {
                is_below = true;
            } else {
                opened.push(talk.id);
            }
        }
        step.talks.splice(0..0, opened.into_iter().rev());
        let next = page.after().filter(|_| !is_below).map(str::to_owned);
        Ok(match next.filter(|next| Some(next) != after.as_ref()) {
            Some(next) => Phase::Conversations { after: Some(next), newest },
            // Stored when the last of them has been read: a walk broken off reads them again.
            None => Phase::Talks { newest },
        })
    }
}
