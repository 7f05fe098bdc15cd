//! What is read at each fetch: posts that name us, newest first, down to the last one known; once an
//! hour our own posts of the last week and what was answered under them without naming us, since each
//! post read costs; and the newest messages, of which few calls are to be had.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::item::{Batch, FetchedItem};
use crate::platforms::connector::Walks;
use crate::platforms::elements::{List, readable};
use crate::platforms::error::PlatformError;
use crate::platforms::held;
use crate::platforms::http::Answer;
use crate::platforms::newest::{self, Down, Then, newest_first};
use crate::platforms::reach::{Reach, Reached};
use crate::platforms::threads::{Listed, Threads};
use crate::platforms::x::X;
use crate::platforms::x::wire::{Message, Page, Post, is_later};

/// What is asked for of each post, in the names of the platform's documentation.
pub const FIELDS: &[(&str, &str)] = &[
    (
        "tweet.fields",
        "author_id,created_at,conversation_id,in_reply_to_user_id,referenced_tweets,attachments,public_metrics,edit_history_tweet_ids,note_tweet,lang,reply_settings,entities,withheld",
    ),
    ("expansions", "author_id,attachments.media_keys"),
    ("user.fields", "name,username,profile_image_url,verified"),
    ("media.fields", "type,url,preview_image_url"),
];

/// The same of each message.
pub const MESSAGE_FIELDS: &[(&str, &str)] = &[
    (
        "dm_event.fields",
        "id,event_type,text,sender_id,dm_conversation_id,created_at,attachments,participant_ids",
    ),
    ("expansions", "sender_id,attachments.media_keys"),
    ("user.fields", "name,username"),
];

/// The most that one call gives.
pub const MOST: usize = 100;

/// Nothing older is searched.
const SEARCHED: SignedDuration = SignedDuration::from_hours(24 * 7);

/// The platform shows no more mentions than these.
const MOST_MENTIONS: u32 = 800;

const TOO_MANY: &str = "Plattformen visar bara de 800 senaste inläggen som nämner kontot. Äldre kan saknas: gå igenom dem på plattformen.";
const UNREAD: &str =
    "Svaren under ett av kontots inlägg kunde inte läsas. De prövas igen vid nästa läsning.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// The newest post that named us when a walk last ended.
    mention: Option<String>,
    message: Option<String>,
    #[serde(flatten)]
    reached: Reached,
    /// Our own posts.
    threads: Threads,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    reach: Reach,
    phase: Phase,
    /// Threads to search, the next one last, each with its number of answers.
    queue: Vec<(String, Option<u64>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Mentions { page: Option<String>, newest: Option<String>, n_listed: u32 },
    Own { page: Option<String> },
    Threads { page: Option<String> },
    Messages { page: Option<String>, newest: Option<String> },
    Done,
}

/// What a page of posts told.
#[derive(Default)]
struct Told {
    /// The page after it.
    next: Option<String>,
    newest: Option<String>,
    /// The last on it.
    oldest: Option<String>,
    n_listed: u32,
}

/// A name by which things are ordered in time.
#[derive(Debug, PartialEq, Eq)]
struct Name(String);

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[async_trait]
impl Walks for X {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        let phase = Phase::Mentions { page: None, newest: None, n_listed: 0 };
        Step { reach: from.reached.next(now), phase, queue: Vec::new() }
    }

    async fn step(
        &self,
        mut step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        step.phase = match step.phase.clone() {
            Phase::Mentions { page, newest, n_listed } => {
                self.mentions(step.reach, page, newest, n_listed, position, batch).await?
            }
            Phase::Own { page } => self.own(&mut step, page, position, batch, now).await?,
            Phase::Threads { page } => match step.queue.last().cloned() {
                Some((root, count)) => {
                    let next = self.search(&root, count, page, position, batch, now).await?;
                    if next.is_none() {
                        step.queue.pop();
                    }
                    Phase::Threads { page: next }
                }
                None => Phase::Messages { page: None, newest: None },
            },
            // What is left of these calls belongs to editors: messages wait for the next walk.
            Phase::Messages { .. } if self.calls.messages.may_read_on(now).is_err() => Phase::Done,
            Phase::Messages { page, newest } => {
                self.messages(page, newest, position, batch).await?
            }
            Phase::Done => Phase::Done,
        };
        if step.phase != Phase::Done {
            return Ok(Some(step));
        }
        position.reached.note(step.reach, now);
        if step.reach == Reach::Far {
            position.threads.forget(now);
        }
        Ok(None)
    }
}

impl X {
    /// One page of posts that name us.
    async fn mentions(
        &self,
        reach: Reach,
        page: Option<String>,
        newest: Option<String>,
        n_listed: u32,
        position: &mut Position,
        batch: &mut Batch,
    ) -> Result<Phase, PlatformError> {
        let mut query = vec![("max_results", "100")];
        query.extend_from_slice(FIELDS);
        // Once a day from the top: what came late or was passed over is found so.
        let since = position.mention.clone().filter(|_| reach != Reach::Far);
        query.extend(since.as_deref().map(|since| ("since_id", since)));
        query.extend(page.as_deref().map(|page| ("pagination_token", page)));
        let path = format!("users/{}/mentions", self.us());
        let answer = self.calls.get(&path, &query).await?;
        let told = self.take(&answer, "mentions", batch).await?;
        let newest = later(newest, told.newest);
        let n_listed = n_listed + told.n_listed;
        // What was known bounds the question, so the list is read to its end.
        let known = position.mention.clone().map(Name);
        let down = Down { known, until: None, most: MOST_MENTIONS };
        let page = newest::Told {
            asked: page.as_deref(),
            next: told.next.as_deref(),
            oldest: told.oldest.map(Name),
            n_listed,
        };
        match newest_first(&down, page) {
            Then::On(next) => return Ok(Phase::Mentions { page: Some(next), newest, n_listed }),
            Then::Reached => {}
            Then::CutOff => {
                batch.gap.get_or_insert_with(|| TOO_MANY.into());
            }
        }
        position.mention = later(position.mention.take(), newest);
        Ok(match reach {
            Reach::Near => Phase::Messages { page: None, newest: None },
            Reach::Middle | Reach::Far => Phase::Own { page: None },
        })
    }

    /// One page of our own posts: which threads to search.
    async fn own(
        &self,
        step: &mut Step,
        page: Option<String>,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Phase, PlatformError> {
        let start = now.saturating_sub(SEARCHED).unwrap_or(now);
        let start = start.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut query =
            vec![("max_results", "100"), ("exclude", "retweets"), ("start_time", start.as_str())];
        query.extend_from_slice(FIELDS);
        query.extend(page.as_deref().map(|page| ("pagination_token", page)));
        let answer = self.calls.get(&format!("users/{}/tweets", self.us()), &query).await?;
        let text = answer.text();
        let told: Page<'_> = answer.view(&text)?;
        for (post, raw) in readable::<Post>(&told.data) {
            let root = post.first_id().to_owned();
            if post.parent().is_some() {
                let is_ours = self.root(&post);
                batch.items.push(post.into_item(raw, &told.includes, self.met(is_ours)));
                continue;
            }
            held(&self.roots).insert(root.clone(), true);
            let (count, written) = (post.answers(), post.written_at());
            let listed = Listed { id: &root, count, written, is_bare: count == Some(0) };
            if position.threads.is_to_open(listed, step.reach, now) {
                step.queue.insert(0, (root, count));
            }
            batch.posts.push(post.into_post(&self.calls.settings.site));
        }
        let next = told.next().filter(|next| Some(next) != page.as_ref());
        Ok(match next {
            Some(next) => Phase::Own { page: Some(next) },
            None => Phase::Threads { page: None },
        })
    }

    /// One page of what stands in a thread of ours.
    async fn search(
        &self,
        root: &str,
        count: Option<u64>,
        page: Option<String>,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<String>, PlatformError> {
        let searched = format!("conversation_id:{root}");
        let mut query = vec![("query", searched.as_str()), ("max_results", "100")];
        query.extend_from_slice(FIELDS);
        query.extend(page.as_deref().map(|page| ("next_token", page)));
        let looked = self.calls.get("tweets/search/recent", &query).await;
        let opened =
            self.patience.open(root, looked, &mut position.threads, batch, || UNREAD.into())?;
        let Some(answer) = opened else { return Ok(None) };
        let told = self.take(&answer, "search", batch).await?;
        let next = told.next.filter(|next| Some(next) != page.as_ref());
        if next.is_none() {
            position.threads.opened(root, count, now);
        }
        Ok(next)
    }

    /// Takes in a page of posts.
    async fn take(
        &self,
        answer: &Answer,
        name: &str,
        batch: &mut Batch,
    ) -> Result<Told, PlatformError> {
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let n_listed = u32::try_from(page.data.len()).unwrap_or(u32::MAX);
        let mut told = Told { next: page.next(), n_listed, ..Told::default() };
        let list = List { name, shape: "X beskrivning av ett inlägg" };
        let posts = list.read::<Post>(&page.data, batch);
        let roots: BTreeSet<_> =
            posts.iter().filter_map(|(post, _)| post.conversation_id.clone()).collect();
        self.learn_roots(roots, batch).await?;
        for (post, raw) in posts {
            told.newest = later(told.newest, Some(post.id.clone()));
            told.oldest = Some(post.id.clone());
            // The post at the top is context, and comes by itself.
            if post.parent().is_none() && post.is_by(self.us()) {
                continue;
            }
            let is_ours = self.root(&post);
            batch.items.push(post.into_item(raw, &page.includes, self.met(is_ours)));
        }
        Ok(told)
    }

    /// Asks who began the threads of which that is not known. Once in the program's life.
    pub async fn learn_roots(
        &self,
        roots: BTreeSet<String>,
        batch: &mut Batch,
    ) -> Result<(), PlatformError> {
        let unknown: Vec<_> =
            roots.into_iter().filter(|root| !held(&self.roots).contains_key(root)).collect();
        for some in unknown.chunks(MOST) {
            let (posts, _) = self.by_ids(some).await?;
            for (post, ..) in posts {
                let is_ours = post.is_by(self.us());
                held(&self.roots).insert(post.first_id().to_owned(), is_ours);
                if is_ours {
                    batch.posts.push(post.into_post(&self.calls.settings.site));
                }
            }
        }
        Ok(())
    }

    /// One page of messages, down to the last one known.
    async fn messages(
        &self,
        page: Option<String>,
        newest: Option<String>,
        position: &mut Position,
        batch: &mut Batch,
    ) -> Result<Phase, PlatformError> {
        let mut query = vec![("event_types", "MessageCreate"), ("max_results", "100")];
        query.extend_from_slice(MESSAGE_FIELDS);
        query.extend(page.as_deref().map(|page| ("pagination_token", page)));
        let answer = match self.calls.get("dm_events", &query).await {
            Ok(answer) => answer,
            // The right to them is one by itself; `check` tells that it is missing.
            Err(PlatformError::Forbidden { .. }) => return Ok(Phase::Done),
            Err(error) => return Err(error),
        };
        let text = answer.text();
        let told: Page<'_> = answer.view(&text)?;
        let list = List { name: "dm_events", shape: "X beskrivning av ett meddelande" };
        let (mut first, mut is_known) = (None, false);
        for (message, raw) in list.read::<Message>(&told.data, batch) {
            is_known |=
                position.message.as_ref().is_some_and(|known| !is_later(&message.id, known));
            first = later(first, Some(message.id.clone()));
            batch.items.push(self.message_item(message, raw, &told.includes));
        }
        let newest = later(newest, first);
        match told.next().filter(|next| !is_known && Some(next) != page.as_ref()) {
            Some(next) => Ok(Phase::Messages { page: Some(next), newest }),
            None => {
                position.message = later(position.message.take(), newest);
                Ok(Phase::Done)
            }
        }
    }

    pub fn message_item(
        &self,
        message: Message,
        raw: &[u8],
        includes: &crate::platforms::x::wire::Includes,
    ) -> FetchedItem {
        message.into_item(raw, includes, self.us(), &self.calls.settings.site)
    }
}

/// The later of two names.
fn later(a: Option<String>, b: Option<String>) -> Option<String> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if is_later(&b, &a) { b } else { a }),
        (a, b) => a.or(b),
    }
}
