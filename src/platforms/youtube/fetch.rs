//! What is read at each fetch, and in which order: new threads first, then old threads of the videos
//! where most was written of late, since each call costs units of a day that is shared.
//!
//! A list of threads is sorted by when the thread began: an answer does not lift an old one. So at
//! every fetch the three lists of the channel (published, held, taken for spam) are read down to a
//! day before what was known; once an hour the videos with recent comments are read in full, the
//! most recent first; and once a day all lists are read to the end. A list shows only some answers
//! of a thread: where there are more, and their number moved, the thread is opened.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::item::{Batch, FetchedPost};
use crate::platforms::connector::Walks;
use crate::platforms::elements::{List, readable};
use crate::platforms::error::PlatformError;
use crate::platforms::http::Answer;
use crate::platforms::position::is_due;
use crate::platforms::reach::{Reach, Reached};
use crate::platforms::threads::Threads;
use crate::platforms::youtube::YouTube;
use crate::platforms::youtube::quota::Spent;
use crate::platforms::youtube::session::COMMENTS_OFF;
use crate::platforms::youtube::wire::{Comment, Met, Page, Status, Thread, Video};

const SHAPE: &str = "YouTubes beskrivning av en kommentar";

/// How far behind the newest thread known a walk goes on: held ones are published late.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A video where nothing was written for so long is read only once a day.
const ACTIVE: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A video's title is asked for again.
const TOLD_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How many videos are read in full once an hour, and how many pages of each.
const MOST_VIDEOS: usize = 50;
const MOST_PAGES_VIDEO: u32 = 10;

/// How many pages of a list are read once a day: 20,000 threads.
const MOST_PAGES: u32 = 200;

const TOO_MANY: &str = "Kanalen har fler kommentarstrådar än vad som läses. Äldre trådar kan ha nya svar: gå igenom dem på plattformen.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// The newest thread known of each list when a walk down it last ended.
    seen: BTreeMap<String, Timestamp>,
    #[serde(flatten)]
    reached: Reached,
    /// Threads with more answers than a list shows.
    threads: Threads,
    videos: BTreeMap<String, Known>,
    /// Units used today.
    spent: Spent,
}

/// What is known of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The newest comment met there.
    newest: Timestamp,
    /// When its title was last asked for.
    told: Timestamp,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    reach: Reach,
    phase: Phase,
    /// Videos to read in full, the next one last.
    videos: Vec<String>,
    /// Threads to open, the next one last.
    queue: Vec<ToOpen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// One of the channel's lists.
    List {
        which: usize,
        page: Option<String>,
        newest: Option<Timestamp>,
        n_pages: u32,
    },
    Videos {
        page: Option<String>,
        n_pages: u32,
    },
    Threads {
        page: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToOpen {
    id: String,
    video: Option<String>,
    count: u64,
}

/// What one page of threads told.
#[derive(Default)]
struct Told {
    newest: Option<Timestamp>,
    oldest: Option<Timestamp>,
    opened: Vec<ToOpen>,
    next: Option<String>,
}

impl Step {
    fn begin(from: &Position, now: Timestamp) -> Self {
        let phase = Phase::List { which: 0, page: None, newest: None, n_pages: 0 };
        Self { reach: from.reached.next(now), phase, videos: Vec::new(), queue: Vec::new() }
    }

    /// What comes after the channel's lists.
    fn after_lists(&mut self, position: &Position, now: Timestamp) -> Phase {
        if self.reach == Reach::Middle {
            let active = |known: &Known| now.duration_since(known.newest) < ACTIVE;
            let mut videos: Vec<_> =
                position.videos.iter().filter(|(_, known)| active(known)).collect();
            videos.sort_by_key(|(_, known)| Reverse(known.newest));
            let first = videos.into_iter().take(MOST_VIDEOS).map(|(video, _)| video.clone());
            self.videos = first.collect();
            self.videos.reverse();
        }
        self.after_videos()
    }

    fn after_videos(&self) -> Phase {
        if self.videos.is_empty() {
            Phase::Threads { page: None }
        } else {
            Phase::Videos { page: None, n_pages: 0 }
        }
    }

    /// The newest threads are opened first, and each once.
    fn queue(&mut self, opened: Vec<ToOpen>) {
        let known: BTreeSet<_> = self.queue.iter().map(|open| open.id.clone()).collect();
        let new = opened.into_iter().filter(|open| !known.contains(&open.id));
        let new: Vec<_> = new.collect();
        self.queue.splice(0..0, new.into_iter().rev());
    }
}

#[async_trait]
impl Walks for YouTube {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        self.google.quota.remember(self.channel(), from.spent, now);
        Step::begin(from, now)
    }

    async fn step(
        &self,
        mut step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        step.phase = match step.phase.clone() {
            Phase::List { which, page, newest, n_pages } => {
                let status = Status::LISTED.get(which).copied().unwrap_or(Status::Published);
                let all = ("allThreadsRelatedToChannelId", self.channel());
                let answer = self.threads_page(all, status, page.as_deref()).await?;
                let told =
                    self.take_threads(&answer, status, step.reach, position, batch, now).await?;
                let newest = newest.max(told.newest);
                step.queue(told.opened);
                let known = position.seen.get(status.word());
                let until = known.and_then(|known| known.saturating_sub(OVERLAP).ok());
                let is_below =
                    matches!((told.oldest, until), (Some(oldest), Some(until)) if oldest < until);
                let n_pages = n_pages + 1;
                let is_cut = n_pages >= MOST_PAGES && told.next.is_some();
                if is_cut {
                    batch.gap = Some(TOO_MANY.into());
                }
                let is_done = is_cut || (is_below && step.reach != Reach::Far);
                match told.next.filter(|next| !is_done && Some(next) != page.as_ref()) {
                    Some(next) => Phase::List { which, page: Some(next), newest, n_pages },
                    None => {
                        if let Some(newest) = newest {
                            let seen = position.seen.entry(status.word().to_owned());
                            let seen = seen.or_insert(newest);
                            *seen = (*seen).max(newest);
                        }
                        if which + 1 < Status::LISTED.len() {
                            Phase::List { which: which + 1, page: None, newest: None, n_pages: 0 }
                        } else {
                            step.after_lists(position, now)
                        }
                    }
                }
            }
            Phase::Videos { page, n_pages } => {
                self.read_video(&mut step, page, n_pages, position, batch, now).await?
            }
            Phase::Threads { page } => match step.queue.last().cloned() {
                Some(open) => {
                    let page = self.open(&open, page, position, batch, now).await?;
                    if page.is_none() {
                        step.queue.pop();
                    }
                    Phase::Threads { page }
                }
                None => Phase::Threads { page: None },
            },
        };
        position.spent = self.google.quota.spent_by(self.channel(), now);
        if !matches!(step.phase, Phase::Threads { .. }) || !step.queue.is_empty() {
            return Ok(Some(step));
        }
        position.reached.note(step.reach, now);
        if step.reach == Reach::Far {
            position.threads.forget(now);
            position.videos.retain(|_, known| now.duration_since(known.newest) < ACTIVE);
        }
        Ok(None)
    }
}

impl YouTube {
    /// One page of threads, the newest first.
    pub async fn threads_page(
        &self,
        filter: (&str, &str),
        status: Status,
        page: Option<&str>,
    ) -> Result<Answer, PlatformError> {
        let mut query = vec![
            ("part", "snippet,replies"),
            filter,
            ("moderationStatus", status.word()),
            ("order", "time"),
            ("maxResults", "100"),
            ("textFormat", "plainText"),
        ];
        query.extend(page.map(|page| ("pageToken", page)));
        self.google.get("commentThreads", &query).await
    }

    /// One page of the answers in a thread.
    pub async fn replies_page(
        &self,
        thread: &str,
        page: Option<&str>,
    ) -> Result<Answer, PlatformError> {
        let mut query = vec![
            ("part", "snippet"),
            ("parentId", thread),
            ("maxResults", "100"),
            ("textFormat", "plainText"),
        ];
        query.extend(page.map(|page| ("pageToken", page)));
        self.google.get("comments", &query).await
    }

    /// Takes in a page of threads: what was written, and which threads have more than was shown.
    async fn take_threads(
        &self,
        answer: &Answer,
        status: Status,
        reach: Reach,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Told, PlatformError> {
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let name = format!("commentThreads {}", status.word());
        let list = List { name: &name, shape: SHAPE };
        let mut told = Told::default();
        let mut newest_of: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (index, element) in page.items.iter().enumerate() {
            let thread: Thread<'_> = match serde_json::from_str(element.get()) {
                Ok(thread) => thread,
                Err(error) => {
                    let raw = element.get().as_bytes();
                    batch.unreadable.push(list.unreadable(index, &error, raw));
                    continue;
                }
            };
            let snippet = &thread.snippet;
            let video = snippet.video_id.as_deref();
            let met = Met { video, can_reply: snippet.can_reply, ..self.met() };
            let begun = self.take(
                snippet.top_level_comment,
                Met { status: Some(status), ..met },
                index,
                &list,
                batch,
            );
            told.newest = told.newest.max(begun);
            told.oldest = begun.or(told.oldest);
            let replies = thread.replies.map(|replies| replies.comments).unwrap_or_default();
            let shown = replies.len() as u64;
            // In the list of what is held, an answer need not be held itself.
            let of_replies = (status == Status::Published).then_some(status);
            let mut newest = begun;
            for reply in replies {
                let at = self.take(reply, Met { status: of_replies, ..met }, index, &list, batch);
                newest = newest.max(at);
            }
            if let (Some(video), Some(newest)) = (video, newest) {
                let known = newest_of.entry(video.to_owned()).or_insert(newest);
                *known = (*known).max(newest);
            }
            let count = snippet.total_reply_count;
            let is_unread = || position.threads.has_unread(&thread.id, Some(count), now);
            if count > shown && (reach == Reach::Far || is_unread()) {
                let video = snippet.video_id.clone();
                told.opened.push(ToOpen { id: thread.id.clone(), video, count });
            }
        }
        told.next = page.next();
        self.describe(newest_of, position, batch, now).await?;
        Ok(told)
    }

    /// Takes in one comment, and tells when it was written.
    fn take(
        &self,
        element: &RawValue,
        met: Met<'_>,
        index: usize,
        list: &List<'_>,
        batch: &mut Batch,
    ) -> Option<Timestamp> {
        let raw = element.get().as_bytes();
        match Comment::read(element.get()) {
            Ok(comment) => {
                let item = comment.into_item(raw, met);
                let at = item.created_at;
                batch.items.push(item);
                at
            }
            Err(error) => {
                batch.unreadable.push(list.unreadable(index, &error, raw));
                None
            }
        }
    }

    /// Asks for the titles of videos that are not known yet, or not since yesterday.
    async fn describe(
        &self,
        newest_of: BTreeMap<String, Timestamp>,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let told = |video: &String| position.videos.get(video).map(|known| known.told);
        let unknown: Vec<_> = newest_of
            .keys()
            .filter(|video| is_due(told(video), TOLD_EVERY, now))
            .cloned()
            .collect();
        for some in unknown.chunks(50) {
            batch.posts.extend(self.videos(some).await?);
        }
        for (video, newest) in newest_of {
            let is_new = unknown.contains(&video);
            let known = position.videos.entry(video).or_insert(Known { newest, told: now });
            known.newest = known.newest.max(newest);
            if is_new {
                known.told = now;
            }
        }
        Ok(())
    }

    /// Those of at most fifty videos that are there.
    pub async fn videos(&self, ids: &[String]) -> Result<Vec<FetchedPost>, PlatformError> {
        let ids = ids.join(",");
        let answer = self.google.get("videos", &[("part", "snippet"), ("id", &ids)]).await?;
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let videos = readable::<Video>(&page.items);
        Ok(videos.map(|(video, _)| video.into_post(&self.google.settings.watch)).collect())
    }

    /// One page of the threads of the video that is next.
    async fn read_video(
        &self,
        step: &mut Step,
        page: Option<String>,
        n_pages: u32,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Phase, PlatformError> {
        let Some(video) = step.videos.last().cloned() else { return Ok(step.after_videos()) };
        let status = Status::Published;
        let looked = self.threads_page(("videoId", &video), status, page.as_deref()).await;
        let next = match looked {
            Ok(answer) => {
                let told =
                    self.take_threads(&answer, status, step.reach, position, batch, now).await?;
                step.queue(told.opened);
                told.next.filter(|next| Some(next) != page.as_ref())
            }
            // Nothing more comes there; what was written before is read again by itself.
            Err(PlatformError::Gone) => {
                position.videos.remove(&video);
                None
            }
            Err(PlatformError::Refused { code, .. }) if code == COMMENTS_OFF => {
                position.videos.remove(&video);
                None
            }
            Err(error) => {
                let looked: Result<(), _> = Err(error);
                self.patience.part(&video, looked, batch, || {
                    format!("Plattformen lämnar inte ut kommentarerna till filmen {video}. Läs dem på plattformen.")
                })?;
                None
            }
        };
        let n_pages = n_pages + 1;
        Ok(match next.filter(|_| n_pages < MOST_PAGES_VIDEO) {
            Some(next) => Phase::Videos { page: Some(next), n_pages },
            None => {
                step.videos.pop();
                step.after_videos()
            }
        })
    }

    /// One page of the answers in a thread; gives where the next one begins.
    async fn open(
        &self,
        open: &ToOpen,
        page: Option<String>,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<String>, PlatformError> {
        let looked = self.replies_page(&open.id, page.as_deref()).await;
        let looked = looked.and_then(|answer| {
            answer.view::<Page<'_>>(&answer.text())?;
            Ok(answer)
        });
        let unread = || {
            format!(
                "Plattformen lämnar inte ut svaren i tråden {}. Läs dem på plattformen.",
                open.id
            )
        };
        let answer = self.patience.open(&open.id, looked, &mut position.threads, batch, unread)?;
        let Some(answer) = answer else { return Ok(None) };
        let text = answer.text();
        let told: Page<'_> = answer.view(&text)?;
        let list = List { name: "comments", shape: SHAPE };
        let met = Met { video: open.video.as_deref(), ..self.met() };
        for (index, element) in told.items.iter().enumerate() {
            self.take(element, met, index, &list, batch);
        }
        let next = told.next().filter(|next| Some(next) != page.as_ref());
        if next.is_none() {
            position.threads.opened(&open.id, Some(open.count), now);
        }
        Ok(next)
    }
}
