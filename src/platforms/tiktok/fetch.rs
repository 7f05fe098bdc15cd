//! Which videos to open, and the walk through their comments: a video tells how many it has, and is
//! opened when that number moved or it is young. A comment comes with three of its answers at the most.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::item::Batch;
use crate::platforms::connector::Walks;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::held;
use crate::platforms::http::Answer;
use crate::platforms::json;
use crate::platforms::patience::Part;
use crate::platforms::reach::{Reach, Reached};
use crate::platforms::threads::{Listed, Threads, age_of_posts};
use crate::platforms::tiktok::TikTok;
use crate::platforms::tiktok::wire::{Comment, Page, Video, shown_below};

const SHAPE: &str = "TikToks beskrivning av en kommentar";

const UNREAD: &str =
    "Kommentarerna under en av kontots filmer kunde inte läsas. De prövas igen vid nästa läsning.";

const UNREAD_BELOW: &str = "Svaren under en kommentar till en av kontots filmer kunde inte läsas. De prövas igen vid nästa läsning.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    videos: Threads,
    #[serde(flatten)]
    reached: Reached,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    reach: Reach,
    /// The page of videos to list; `None` when all are listed.
    list: Option<String>,
    /// Videos to open, the next one last, each with its number of comments.
    queue: Vec<(String, Option<u64>)>,
    /// The next page of comments of that one; `None` when they are read.
    page: Option<String>,
    /// Comments with more answers than were shown, and the page of those.
    below: Vec<(String, String)>,
    /// Something of the video in hand was not given: it is opened again.
    #[serde(default)]
    is_unread: bool,
}

const FIRST: &str = "0";

#[async_trait]
impl Walks for TikTok {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        Step {
            reach: from.reached.next(now),
            list: Some(FIRST.into()),
            queue: Vec::new(),
            page: Some(FIRST.into()),
            below: Vec::new(),
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
        if let Some(cursor) = step.list.take() {
            self.list_videos(&cursor, &mut step, position, batch, now).await?;
        } else if let Some((video, count)) = step.queue.last().cloned() {
            if let Some(cursor) = step.page.take() {
                self.read_comments(&video, &cursor, &mut step, position, batch).await?;
            } else if let Some((comment, cursor)) = step.below.pop() {
                self.read_below(&video, comment, &cursor, &mut step, batch).await?;
            }
            step.is_unread |= batch.gap.is_some();
            if step.page.is_none() && step.below.is_empty() {
                step.queue.pop();
                if !std::mem::take(&mut step.is_unread) {
                    position.videos.opened(&video, count, now);
                }
                step.page = Some(FIRST.into());
            }
        }
        if step.list.is_some() || !step.queue.is_empty() {
            return Ok(Some(step));
        }
        position.reached.note(step.reach, now);
        if step.reach == Reach::Far {
            position.videos.forget(now);
        }
        Ok(None)
    }
}

impl TikTok {
    /// One page of videos, the newest first.
    pub async fn videos(&self, cursor: &str) -> Result<Answer, PlatformError> {
        let fields = r#"["item_id","create_time","caption","share_url","comments"]"#;
        let mut query = vec![("fields", fields), ("max_count", "20")];
        if cursor != FIRST {
            query.push(("cursor", cursor));
        }
        self.calls.get("business/video/list/", &query).await
    }

    async fn list_videos(
        &self,
        cursor: &str,
        step: &mut Step,
        position: &Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let answer = self.videos(cursor).await?;
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "videos", shape: "TikToks beskrivning av en film" };
        let (mut opened, mut any_young) = (Vec::new(), false);
        for (video, _) in list.read::<Video>(&page.data.videos, batch) {
            let written = video.written_at();
            let age = written.map(|at| now.duration_since(at));
            let (id, count) = (video.item_id.clone(), video.comments);
            if age.is_none_or(|age| age < age_of_posts(step.reach)) {
                any_young = true;
                let listed = Listed { id: &id, count, written, is_bare: count == Some(0) };
                if position.videos.is_to_open(listed, step.reach, now) {
                    opened.push((id.clone(), count));
                }
            }
            let post = video.into_post();
            held(&self.posts).insert(id, post.clone());
            batch.posts.push(post);
        }
        opened.retain(|(video, _)| !step.queue.iter().any(|(known, _)| known == video));
        step.queue.splice(0..0, opened.into_iter().rev());
        let next = page.data.next().filter(|next| any_young && next != cursor);
        step.list = next;
        Ok(())
    }

    /// One page of comments, the newest first.
    async fn read_comments(
        &self,
        video: &str,
        cursor: &str,
        step: &mut Step,
        position: &mut Position,
        batch: &mut Batch,
    ) -> Result<(), PlatformError> {
        let query = [
            ("video_id", video),
            ("include_replies", "true"),
            ("status", "ALL"),
            ("sort_field", "create_time"),
            ("sort_order", "desc"),
            ("cursor", cursor),
            ("max_count", "30"),
        ];
        let looked = self.calls.get("business/comment/list/", &query).await;
        let opened =
            self.patience.open(video, looked, &mut position.videos, batch, || UNREAD.into())?;
        let Some(answer) = opened else { return Ok(()) };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "comments", shape: SHAPE };
        for (comment, raw) in list.read::<Comment>(&page.data.comments, batch) {
            let shown = shown_below(raw);
            let is_known = step.below.iter().any(|(known, _)| *known == comment.comment_id);
            if comment.replies > shown.len() as u64 && !is_known {
                step.below.push((comment.comment_id.clone(), FIRST.into()));
            }
            for reply in shown {
                match json::decode::<Comment>(reply.get()) {
                    Ok(reply_) => {
                        let raw = reply.get().as_bytes();
                        batch.items.push(self.item(reply_, raw, video, Some(&comment.comment_id)));
                    }
                    Err(error) => {
                        let raw = reply.get().as_bytes();
                        batch.unreadable.push(list.unreadable(0, &error, raw));
                    }
                }
            }
            batch.items.push(self.item(comment, raw, video, None));
        }
        step.page = page.data.next().filter(|next| next != cursor);
        Ok(())
    }

    /// One page of the answers to a comment.
    pub async fn replies(
        &self,
        video: &str,
        comment: &str,
        cursor: &str,
    ) -> Result<Answer, PlatformError> {
        let query = [
            ("video_id", video),
            ("comment_id", comment),
            ("status", "ALL"),
            ("sort_field", "create_time"),
            ("sort_order", "desc"),
            ("cursor", cursor),
            ("max_count", "30"),
        ];
        self.calls.get("business/comment/reply/list/", &query).await
    }

    async fn read_below(
        &self,
        video: &str,
        comment: String,
        cursor: &str,
        step: &mut Step,
        batch: &mut Batch,
    ) -> Result<(), PlatformError> {
        let looked = self.replies(video, &comment, cursor).await;
        let Part::There(answer) =
            self.patience.part(&comment, looked, batch, || UNREAD_BELOW.into())?
        else {
            return Ok(());
        };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "replies", shape: SHAPE };
        for (reply, raw) in list.read::<Comment>(&page.data.comments, batch) {
            batch.items.push(self.item(reply, raw, video, Some(&comment)));
        }
        if let Some(next) = page.data.next().filter(|next| next != cursor) {
            step.below.push((comment, next));
        }
        Ok(())
    }
}
