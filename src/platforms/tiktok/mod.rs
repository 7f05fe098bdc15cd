//! Comments on a business account's videos on TikTok (`platforms` sheet, section 8). Messages are given
//! to no program for accounts in the EEA, and what others wrote can be hidden and not deleted.

mod fetch;
mod session;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::json;

use crate::domain::account::PlatformKind;
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{FetchedItem, FetchedPost, LiveReading, Presence, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::connector::{Answered, Connector, Standing, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::grant::Session as _;
use crate::platforms::http::BadHttpSettings;
use crate::platforms::limit::{Shares, fingerprint};
use crate::platforms::patience::Patience;
use crate::platforms::push::{Callback, NO_PUSHES, Subscribed};
use crate::platforms::settings::TikTokSettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, held, html};
use crate::runtime::clock::Clock;

use session::{Calls, data};
use wire::{Comment, Created, Page, Video, shown_below};

/// What the account must be allowed.
const RIGHTS: &[&str] = &["user.info.basic", "video.list", "comment.list", "comment.list.manage"];

/// How many pages of answers one is looked for in.
const MOST_PAGES_BELOW: usize = 40;

const MAYBE_BELOW: &str =
    "under kommentaren står fler svar än vad som gås igenom, så det som lästes senast gäller";

/// What was found below a comment.
enum Below {
    /// It.
    Found(Box<FetchedItem>),
    /// It does not stand there.
    Missing,
    /// More answers stand there than are gone through, and it was not among them.
    TooMany,
}

fn too_many() -> PlatformError {
    PlatformError::Contract {
        detail: "more answers stand below the comment than are gone through".into(),
    }
}

/// How many pages of videos one is looked for in.
const MOST_SEARCHED: usize = 5;

/// The connector for one account.
pub struct TikTok {
    calls: Calls,
    capabilities: Arc<Capabilities>,
    patience: Patience,
    /// The videos met so far. In memory only: comments are linked through them.
    posts: Mutex<BTreeMap<String, FetchedPost>>,
}

impl TikTok {
    /// A connector for the account.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: TikTokSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let mut can = capability::of(PlatformKind::TikTok);
        if !settings.pushes {
            can.webhook = Offer::No { why: NO_PUSHES };
        }
        Ok(Self {
            calls: Calls::new(settings, clock)?,
            capabilities: Arc::new(can),
            patience: Patience::default(),
            posts: Mutex::default(),
        })
    }

    /// `parent` is the comment that it was met below, where its own element does not tell.
    fn item(
        &self,
        mut comment: Comment,
        raw: &[u8],
        video: &str,
        parent: Option<&str>,
    ) -> FetchedItem {
        if comment.parent_comment_id.is_none() {
            comment.parent_comment_id = parent.map(str::to_owned);
        }
        let link = held(&self.posts).get(video).and_then(|post| post.permalink.clone());
        comment.into_item(raw, video, link.as_deref())
    }

    /// The video that an item stands under. Every call wants it.
    fn video(item: &ItemAddress) -> Result<&str, PlatformError> {
        let video = item.post_id.as_ref().map(|video| video.as_str());
        video.ok_or_else(|| PlatformError::Contract { detail: "the item has no video".into() })
    }

    /// Those of at most thirty comments of a video that are there.
    async fn by_ids(
        &self,
        video: &str,
        items: &[&ItemAddress],
    ) -> Result<Vec<FetchedItem>, PlatformError> {
        let ids: Vec<_> = items.iter().map(|item| item.platform_id.as_str()).collect();
        let ids = json!(ids).to_string();
        let query = [("video_id", video), ("comment_ids", ids.as_str()), ("status", "ALL")];
        let answer = match self.calls.get("business/comment/list/", &query).await {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let told: Vec<(Comment, &[u8])> = readable(&page.data.comments).collect();
        if told.is_empty() && !page.data.comments.is_empty() {
            return Err(PlatformError::Contract { detail: "a comment of another shape".into() });
        }
        // An answer may stand by itself or below its comment.
        let below: Vec<_> = told.iter().flat_map(|(_, raw)| shown_below(raw)).collect();
        let below = readable::<Comment>(&below);
        let all = told.into_iter().chain(below);
        let found = all.filter_map(|(comment, raw)| {
            let of = items.iter().find(|item| item.platform_id.as_str() == comment.comment_id)?;
            let parent = of.parent_id.as_ref().map(|parent| parent.as_str());
            Some(self.item(comment, raw, video, parent))
        });
        Ok(found.collect())
    }

    /// An answer that is looked for below its comment, the newest first.
    async fn below(
        &self,
        video: &str,
        parent: &str,
        is_it: impl Fn(&Comment) -> bool + Send + Sync,
    ) -> Result<Below, PlatformError> {
        let mut cursor = "0".to_owned();
        for _ in 0..MOST_PAGES_BELOW {
            let answer = self.replies(video, parent, &cursor).await?;
            let text = answer.text();
            let page: Page<'_> = answer.view(&text)?;
            let mut replies = readable::<Comment>(&page.data.comments);
            if let Some((reply, raw)) = replies.find(|(reply, _)| is_it(reply)) {
                let found = self.item(reply, raw, video, Some(parent));
                return Ok(Below::Found(Box::new(found)));
            }
            match page.data.next() {
                Some(next) if next != cursor => cursor = next,
                Some(_) | None => return Ok(Below::Missing),
            }
        }
        Ok(Below::TooMany)
    }

    /// Looks for an item by its id, and for an answer below its comment too: whether answers can be asked for
    /// by their ids the documentation does not say.
    async fn find(&self, item: &ItemAddress) -> Result<Below, PlatformError> {
        let video = Self::video(item)?;
        if let Some(found) = self.by_ids(video, &[item]).await?.into_iter().next() {
            return Ok(Below::Found(Box::new(found)));
        }
        let Some(parent) = &item.parent_id else { return Ok(Below::Missing) };
        let is_it = |reply: &Comment| reply.comment_id == item.platform_id.as_str();
        self.below(video, parent.as_str(), is_it).await
    }

    /// A video, among those met or the newest.
    async fn post(&self, video: &str) -> Result<Option<FetchedPost>, PlatformError> {
        if let Some(known) = held(&self.posts).get(video) {
            return Ok(Some(known.clone()));
        }
        let mut cursor = "0".to_owned();
        for _ in 0..MOST_SEARCHED {
            let answer = self.videos(&cursor).await?;
            let text = answer.text();
            let page: Page<'_> = answer.view(&text)?;
            for (found, _) in readable::<Video>(&page.data.videos) {
                held(&self.posts).insert(found.item_id.clone(), found.into_post());
            }
            match page.data.next() {
                Some(next) if next != cursor => cursor = next,
                Some(_) | None => break,
            }
        }
        Ok(held(&self.posts).get(video).cloned())
    }
}

#[async_trait]
impl Connector for TikTok {
    const KIND: PlatformKind = PlatformKind::TikTok;

    fn clock(&self) -> &Clock {
        self.calls.http.clock()
    }

    fn shares(&self) -> Shares {
        let settings = &self.calls.settings;
        Shares {
            app: format!("tiktok {}", settings.client_id),
            token: Some(fingerprint(&settings.refresh_token)),
        }
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        // The platform names nobody here: that it lists the account's videos says whose token it is.
        self.videos("0").await?;
        let access = self.calls.access(None).await?;
        let acting_as = self.calls.settings.business_id.clone();
        Ok(ConnectionReport { acting_as, missing: access.lacks(RIGHTS), expires_at: access.ends })
    }

    /// The platform tells nowhere what is left of its limits.
    async fn may_read_on(&self) -> Result<(), PlatformError> {
        Ok(())
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        match self.find(item).await? {
            Below::Found(found) => Ok(*found),
            Below::Missing => Err(PlatformError::Gone),
            Below::TooMany => Err(too_many()),
        }
    }

    /// An answer in a thread that is flooded may stand where nobody looked: it is not gone, and can be hidden
    /// as it was last read.
    async fn look(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        match self.find(item).await {
            Ok(Below::Found(found)) => Ok(LiveReading::Present(found)),
            Ok(Below::Missing) | Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            Ok(Below::TooMany) => Ok(LiveReading::NotReadable { why: MAYBE_BELOW }),
            Err(error) => Err(error),
        }
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        let mut by_video: BTreeMap<&str, Vec<&ItemAddress>> = BTreeMap::new();
        for item in items {
            by_video.entry(Self::video(item)?).or_default().push(item);
        }
        let mut found = Vec::new();
        for (video, items) in by_video {
            found.extend(self.by_ids(video, &items).await?);
        }
        Ok(found)
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread { post: self.post(Self::video(item)?).await?, ..Thread::default() };
        if thread.post.is_none() {
            thread.missing = Some("filmen är borttagen eller äldre än vad som listas".into());
        }
        // The platform shows one level.
        if let Some(parent) = &item.parent_id {
            let above =
                ItemAddress { platform_id: parent.clone(), parent_id: None, ..item.clone() };
            match self.read(&above).await {
                Ok(above) => thread.above.push(above),
                Err(PlatformError::Gone) => {
                    thread.missing = Some("kommentaren ovanför är borttagen".into());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(thread)
    }

    /// What stands where nobody looked is changed all the same: the platform says whether it was there.
    async fn standing(&self, item: &ItemAddress) -> Result<Standing, PlatformError> {
        match self.find(item).await? {
            Below::Found(found) => Ok(Standing::new(found.presence, found.barred)),
            Below::Missing => Err(PlatformError::Gone),
            Below::TooMany => Ok(Standing::new(Presence::Unknown, Vec::new())),
        }
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        let action = match wanted {
            Wanted::Hidden => "HIDE",
            Wanted::Visible => "UNHIDE",
            Wanted::Away => return PlatformError::not_offered("delete"),
        };
        let video = Self::video(item)?;
        let body =
            json!({"video_id": video, "comment_id": item.platform_id.as_str(), "action": action});
        self.calls.post("business/comment/hide/", body).await?;
        let seen = self.find(item).await.map_err(PlatformError::after_the_act)?;
        Ok(Answered::Now(match seen {
            Below::Found(found) => Standing::new(found.presence, found.barred),
            Below::Missing => return Err(PlatformError::Gone.after_the_act()),
            // Where it cannot be looked at, the platform's word is what there is.
            Below::TooMany if wanted == Wanted::Visible => {
                Standing::new(Presence::Visible, Vec::new())
            }
            Below::TooMany => Standing::new(Presence::Hidden, Vec::new()),
        }))
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let (video, id) = (Self::video(item)?, item.platform_id.as_str());
        let body = json!({"video_id": video, "comment_id": id, "text": text});
        let answer = self.calls.post("business/comment/reply/create/", body).await?;
        let created: Created = data(&answer)?;
        let ours = ItemAddress {
            platform_id: PlatformItemId::new(created.comment_id.as_str()),
            parent_id: Some(item.parent_id.clone().unwrap_or_else(|| item.platform_id.clone())),
            ..item.clone()
        };
        // What the platform takes for advertising it hides without a word.
        match self.read(&ours).await {
            Ok(read) if read.presence == Presence::Hidden => Err(PlatformError::Refused {
                code: "hidden".into(),
                reason: "Svaret togs emot men visas inte: plattformen tar det troligen för skräp, eftersom det liknar andra svar. Skriv om det.".into(),
            }),
            // It may take a while until it is shown.
            Ok(_) | Err(PlatformError::Gone) => Ok(Receipt::Done(created.comment_id)),
            Err(error) => Err(error.after_the_act()),
        }
    }

    async fn subscribe(&self, callback: &Callback) -> Result<Subscribed, PlatformError> {
        let settings = &self.calls.settings;
        let body = json!({
            "app_id": settings.client_id, "secret": settings.client_secret.expose(),
            "event_type": "COMMENT", "callback_url": callback.url.as_str(),
        });
        self.calls.as_app("business/webhook/update/", &body).await?;
        Ok(Subscribed::Yes)
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let (video, wanted) = (Self::video(item)?, html::folded(sought.text));
        let top = item.parent_id.as_ref().unwrap_or(&item.platform_id).as_str();
        let is_it = |reply: &Comment| {
            reply.owner
                && html::folded(reply.text()) == wanted
                && sought.can_be(&reply.comment_id, reply.written_at())
        };
        match self.below(video, top, is_it).await? {
            Below::Found(ours) => Ok(Some(ours.platform_id.as_str().to_owned())),
            Below::Missing => Ok(None),
            Below::TooMany => Err(too_many()),
        }
    }
}
