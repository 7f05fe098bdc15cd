//! Comments on a YouTube channel's videos, through the Data API with the channel owner's consent
//! (`platforms` sheet, section 5). The platform has no messages that programs may read.
//!
//! Hiding is to hold a comment for review, and deleting is to reject it, which nothing takes back.
//! How a comment stands is not told where it is asked for by its id: it is looked for in the lists
//! of what is held and of what was taken for spam. What was rejected stands in no list at all.

mod fetch;
pub mod quota;
mod session;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::domain::account::PlatformKind;
use crate::domain::item::{FetchedItem, Presence, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities};
use crate::platforms::connector::{Answered, Connector, Standing, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::grant::Session as _;
use crate::platforms::http::BadHttpSettings;
use crate::platforms::limit::{Shares, fingerprint};
use crate::platforms::patience::Patience;
use crate::platforms::settings::YouTubeSettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, html};
use crate::runtime::clock::Clock;

use quota::{Quota, Quotas};
use session::{ACT, ANSWER, COMMENTS_OFF, Google};
use wire::{Channel, Comment, Met, Page, Status, thread_of};

/// What the consent has to cover.
pub(super) const RIGHTS: &[&str] = &["https://www.googleapis.com/auth/youtube.force-ssl"];

/// How many pages of a list one comment is looked for in.
const MOST_SEARCHED: usize = 5;

const GONE_ABOVE: &str = "kommentaren överst i tråden är borttagen eller avvisad";
const NO_VIDEO: &str = "kommentaren står inte under någon video";

/// The connector for one channel.
pub struct YouTube {
    google: Google,
    capabilities: Arc<Capabilities>,
    patience: Patience,
    /// The channel's title, once the consent has been seen to be the channel's.
    identity: OnceCell<String>,
}

/// A comment as a list showed it.
struct Listed {
    comment: Comment,
    raw: Vec<u8>,
    status: Status,
}

impl YouTube {
    /// A connector for the channel, with a quota of its own.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: YouTubeSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        Self::sharing(settings, &Quotas::default(), clock)
    }

    /// A connector for the channel, whose units come out of its project's.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn sharing(
        settings: YouTubeSettings,
        quotas: &Quotas,
        clock: Clock,
    ) -> Result<Self, BadHttpSettings> {
        let quota = quotas.of(&settings.client_id, settings.units_per_day);
        Ok(Self {
            google: Google::new(settings, quota, clock)?,
            capabilities: Arc::new(capability::of(PlatformKind::YouTube)),
            patience: Patience::default(),
            identity: OnceCell::new(),
        })
    }

    /// What the project's channels have used, and may use.
    pub fn quota(&self) -> &Arc<Quota> {
        &self.google.quota
    }

    fn channel(&self) -> &str {
        &self.google.settings.channel_id
    }

    /// Where comments of this channel are met, as far as all have it alike.
    fn met(&self) -> Met<'_> {
        let watch = &self.google.settings.watch;
        Met { channel: self.channel(), watch, video: None, status: None, can_reply: None }
    }

    async fn ask_identity(&self) -> Result<String, PlatformError> {
        let query = [("part", "id,snippet"), ("mine", "true")];
        let answer = self.google.get("channels", &query).await?;
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let mut channels = readable::<Channel>(&page.items).map(|(channel, _)| channel);
        let ours = channels.find(|channel| channel.id == self.channel());
        let ours = ours.ok_or_else(|| PlatformError::Forbidden {
            what: "inloggningen hör till en annan kanal än den i inställningarna; anslut kanalen på nytt som dess ägare".into(),
        })?;
        Ok(ours.snippet.title.unwrap_or(ours.id))
    }

    /// Those of at most fifty comments that are shown by their ids.
    async fn by_ids(&self, ids: &[&str]) -> Result<Vec<(Comment, Vec<u8>)>, PlatformError> {
        let ids = ids.join(",");
        let query = [("part", "snippet"), ("id", ids.as_str()), ("textFormat", "plainText")];
        let answer = match self.google.get("comments", &query).await {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let found = readable::<Comment>(&page.items);
        let found: Vec<_> = found.map(|(comment, raw)| (comment, raw.to_vec())).collect();
        if found.is_empty() && !page.items.is_empty() {
            return Err(PlatformError::Contract { detail: "a comment of another shape".into() });
        }
        Ok(found)
    }

    /// Looks for a comment in one of the lists, where it is the comment or a part of its thread.
    async fn listed(
        &self,
        item: &ItemAddress,
        status: Status,
    ) -> Result<Option<Listed>, PlatformError> {
        let id = item.platform_id.as_str();
        let filter = match &item.post_id {
            Some(video) => ("videoId", video.as_str()),
            None => ("allThreadsRelatedToChannelId", self.channel()),
        };
        let mut page: Option<String> = None;
        for _ in 0..MOST_SEARCHED {
            let answer = match self.threads_page(filter, status, page.as_deref()).await {
                Ok(answer) => answer,
                Err(PlatformError::Gone) => return Ok(None),
                Err(PlatformError::Refused { code, .. }) if code == COMMENTS_OFF => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let text = answer.text();
            let told: Page<'_> = answer.view(&text)?;
            for element in &told.items {
                let Ok(thread) = serde_json::from_str::<wire::Thread<'_>>(element.get()) else {
                    continue;
                };
                if thread.id != thread_of(id) {
                    continue;
                }
                let replies = thread.replies.map(|replies| replies.comments).unwrap_or_default();
                let of_thread = std::iter::once(thread.snippet.top_level_comment).chain(replies);
                for raw in of_thread {
                    let Ok(comment) = Comment::read(raw.get()) else { continue };
                    if comment.id == id {
                        let status = comment.snippet.moderation_status.unwrap_or(status);
                        let raw = raw.get().as_bytes().to_vec();
                        return Ok(Some(Listed { comment, raw, status }));
                    }
                }
                return self.among_replies(id).await;
            }
            page = told.next();
            if page.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// Looks for an answer among those of its thread, which tell how they stand.
    async fn among_replies(&self, id: &str) -> Result<Option<Listed>, PlatformError> {
        let is_it = |comment: &Comment| comment.id == id;
        let found = self.find_reply_where(thread_of(id), is_it).await?;
        Ok(found.map(|(comment, raw)| {
            let status = comment.snippet.moderation_status.unwrap_or(Status::Unknown);
            Listed { comment, raw, status }
        }))
    }

    async fn find_reply_where(
        &self,
        thread: &str,
        is_it: impl Fn(&Comment) -> bool + Send + Sync,
    ) -> Result<Option<(Comment, Vec<u8>)>, PlatformError> {
        let mut page: Option<String> = None;
        loop {
            let answer = self.replies_page(thread, page.as_deref()).await?;
            let text = answer.text();
            let told: Page<'_> = answer.view(&text)?;
            let found = readable::<Comment>(&told.items).find(|(comment, _)| is_it(comment));
            if let Some((comment, raw)) = found {
                return Ok(Some((comment, raw.to_vec())));
            }
            let next = told.next();
            if next.is_none() || next == page {
                return Ok(None);
            }
            page = next;
        }
    }

    fn item(&self, comment: Comment, raw: &[u8], of: &ItemAddress, status: Status) -> FetchedItem {
        let video = of.post_id.as_ref().map(|video| video.as_str());
        comment.into_item(raw, Met { video, status: Some(status), ..self.met() })
    }

    /// How the newest comments that are held or taken for spam stand, and whether that is all of
    /// them. Threads of which not every answer was shown are named.
    async fn set_aside(
        &self,
    ) -> Result<(BTreeMap<String, Status>, BTreeSet<String>, bool), PlatformError> {
        let (mut known, mut unsure, mut is_all) = (BTreeMap::new(), BTreeSet::new(), true);
        for status in [Status::HeldForReview, Status::LikelySpam] {
            let all = ("allThreadsRelatedToChannelId", self.channel());
            let answer = self.threads_page(all, status, None).await?;
            let text = answer.text();
            let page: Page<'_> = answer.view(&text)?;
            for element in &page.items {
                let Ok(thread) = serde_json::from_str::<wire::Thread<'_>>(element.get()) else {
                    is_all = false;
                    continue;
                };
                let replies = thread.replies.map(|replies| replies.comments).unwrap_or_default();
                if (replies.len() as u64) < thread.snippet.total_reply_count {
                    unsure.insert(thread.id.clone());
                }
                let of_thread = std::iter::once(thread.snippet.top_level_comment).chain(replies);
                for raw in of_thread {
                    if let Ok(comment) = Comment::read(raw.get()) {
                        let told = comment.snippet.moderation_status.unwrap_or(Status::Unknown);
                        known.insert(comment.id, told);
                    }
                }
            }
            is_all &= page.next().is_none();
        }
        Ok((known, unsure, is_all))
    }
}

#[async_trait]
impl Connector for YouTube {
    const KIND: PlatformKind = PlatformKind::YouTube;

    fn clock(&self) -> &Clock {
        self.google.http.clock()
    }

    fn shares(&self) -> Shares {
        let settings = &self.google.settings;
        Shares {
            app: format!("google {}", settings.client_id),
            token: Some(fingerprint(&settings.refresh_token)),
        }
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let acting_as = self.ask_identity().await?;
        // Google tells of an end where the app is still being tried out: seven days.
        let access = self.google.access(None).await?;
        let missing = access.lacks(RIGHTS);
        Ok(ConnectionReport { acting_as, missing, expires_at: access.ends })
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.identity.get_or_try_init(|| self.ask_identity()).await?;
        self.google.quota.may_read_on(self.clock().now())
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        for status in [Status::HeldForReview, Status::LikelySpam] {
            if let Some(Listed { comment, raw, status }) = self.listed(item, status).await? {
                return Ok(self.item(comment, &raw, item, status));
            }
        }
        let found = self.by_ids(&[item.platform_id.as_str()]).await?.into_iter().next();
        let (comment, raw) = found.ok_or(PlatformError::Gone)?;
        Ok(self.item(comment, &raw, item, Status::Published))
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        let ids: Vec<_> = items.iter().map(|item| item.platform_id.as_str()).collect();
        let (known, unsure, is_all) = self.set_aside().await?;
        let mut found = Vec::new();
        for (comment, raw) in self.by_ids(&ids).await? {
            let of = items.iter().find(|item| item.platform_id.as_str() == comment.id);
            let Some(of) = of else { continue };
            let status = match known.get(&comment.id) {
                Some(status) => *status,
                None if is_all && !unsure.contains(thread_of(&comment.id)) => Status::Published,
                None => Status::Unknown,
            };
            found.push(self.item(comment, &raw, of, status));
        }
        Ok(found)
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread::default();
        match &item.post_id {
            Some(video) => {
                thread.post = self.videos(&[video.as_str().to_owned()]).await?.into_iter().next();
                if thread.post.is_none() {
                    thread.missing = Some("videon är borttagen eller inte längre synlig".into());
                }
            }
            None => thread.missing = Some(NO_VIDEO.into()),
        }
        // The platform shows one level.
        if let Some(parent) = &item.parent_id {
            match self.by_ids(&[parent.as_str()]).await?.into_iter().next() {
                Some((comment, raw)) => {
                    let above = self.item(comment, &raw, item, Status::Unknown);
                    thread.above.push(above);
                }
                None => thread.missing = Some(GONE_ABOVE.into()),
            }
        }
        Ok(thread)
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        let id = item.platform_id.as_str();
        let status = match wanted {
            Wanted::Hidden => Status::HeldForReview,
            Wanted::Visible => Status::Published,
            Wanted::Away => Status::Rejected,
        };
        let query = [("id", id), ("moderationStatus", status.word())];
        self.google.post("comments/setModerationStatus", &query, None, ACT).await?;
        if wanted != Wanted::Away {
            return Ok(Answered::Success);
        }
        // No list has what was rejected. It may still be shown by its id: then nothing but the list
        // of what is published can contradict the answer.
        let shown = self.by_ids(&[id]).await.map_err(PlatformError::after_the_act)?;
        if shown.is_empty() {
            return Ok(Answered::Now(Standing::new(Presence::Gone, Vec::new())));
        }
        let listed = self.listed(item, Status::Published).await;
        let presence = match listed.map_err(PlatformError::after_the_act)? {
            Some(Listed { status: Status::Published, .. }) => Presence::Visible,
            Some(_) | None => Presence::Binned,
        };
        Ok(Answered::Now(Standing::new(presence, Vec::new())))
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let thread = thread_of(item.platform_id.as_str());
        let body = json!({"snippet": {"parentId": thread, "textOriginal": text}});
        let query = [("part", "snippet")];
        let answer = self.google.post("comments", &query, Some(&body), ANSWER).await?;
        let published: Comment = answer.object()?;
        if thread_of(&published.id) != thread || published.id == thread {
            return Err(PlatformError::Contract {
                detail: "the answer stands in another thread".into(),
            });
        }
        Ok(Receipt::Done(published.id))
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let wanted = html::folded(sought.text);
        let is_it = |comment: &Comment| {
            comment.is_by(self.channel())
                && html::folded(comment.text()) == wanted
                && sought.can_be(&comment.id, comment.written_at())
        };
        let thread = thread_of(item.platform_id.as_str());
        Ok(self.find_reply_where(thread, is_it).await?.map(|(comment, _)| comment.id))
    }
}
