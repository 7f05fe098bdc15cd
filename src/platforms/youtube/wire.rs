//! YouTube's shapes → ours (`platforms` sheet, section 5.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, Barred, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource,
    Presence,
};
use crate::platforms::json;

/// How a comment stands with the channel's moderators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    Published,
    HeldForReview,
    LikelySpam,
    Rejected,
    #[serde(other)]
    Unknown,
}

impl Status {
    /// Those whose threads can be listed.
    pub const LISTED: [Self; 3] = [Self::Published, Self::HeldForReview, Self::LikelySpam];

    /// The platform's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::HeldForReview => "heldForReview",
            Self::LikelySpam => "likelySpam",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }

    pub const fn presence(self) -> Presence {
        match self {
            Self::Published => Presence::Visible,
            // What the platform took for spam nobody but moderators sees, and it can be published.
            Self::HeldForReview | Self::LikelySpam => Presence::Hidden,
            Self::Rejected => Presence::Binned,
            Self::Unknown => Presence::Unknown,
        }
    }
}

/// One page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<'a> {
    #[serde(borrow, default)]
    pub items: Vec<&'a RawValue>,
    #[serde(default)]
    next_page_token: Option<String>,
}

impl Page<'_> {
    /// Where the next page begins. An empty page is not the end where there is another.
    pub fn next(self) -> Option<String> {
        self.next_page_token.filter(|token| !token.is_empty())
    }
}

#[derive(Deserialize)]
pub struct Thread<'a> {
    pub id: String,
    #[serde(borrow)]
    pub snippet: ThreadSnippet<'a>,
    #[serde(borrow, default)]
    pub replies: Option<Replies<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSnippet<'a> {
    #[serde(default)]
    pub video_id: Option<String>,
    #[serde(default)]
    pub can_reply: Option<bool>,
    #[serde(default)]
    pub total_reply_count: u64,
    #[serde(borrow)]
    pub top_level_comment: &'a RawValue,
}

#[derive(Deserialize)]
pub struct Replies<'a> {
    #[serde(borrow, default)]
    pub comments: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
pub struct Comment {
    pub id: String,
    pub snippet: Snippet,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snippet {
    #[serde(default)]
    author_display_name: Option<String>,
    #[serde(default)]
    author_channel_url: Option<String>,
    #[serde(default)]
    author_channel_id: Option<Value>,
    #[serde(default)]
    pub video_id: Option<String>,
    #[serde(default)]
    text_display: String,
    #[serde(default)]
    parent_id: Option<String>,
    #[serde(default)]
    pub moderation_status: Option<Status>,
    #[serde(default)]
    published_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    image_url: Option<String>,
}

#[derive(Deserialize)]
struct Value {
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
pub struct Video {
    pub id: String,
    #[serde(default)]
    snippet: VideoSnippet,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VideoSnippet {
    title: Option<String>,
    description: Option<String>,
    published_at: Option<String>,
}

#[derive(Deserialize)]
pub struct Channel {
    pub id: String,
    #[serde(default)]
    pub snippet: ChannelSnippet,
}

#[derive(Default, Deserialize)]
pub struct ChannelSnippet {
    #[serde(default)]
    pub title: Option<String>,
}

/// Where a comment was met, and what its own element does not tell.
#[derive(Clone, Copy)]
pub struct Met<'a> {
    /// Whose answers are ours.
    pub channel: &'a str,
    /// Links begin with it.
    pub watch: &'a Url,
    /// The video of the thread.
    pub video: Option<&'a str>,
    /// Where its own status is not told.
    pub status: Option<Status>,
    pub can_reply: Option<bool>,
}

/// The thread that a comment stands in: its own first part.
pub fn thread_of(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

pub fn watch_link(watch: &Url, video: &str, comment: Option<&str>) -> String {
    let mut link = watch.clone();
    link.set_path("/watch");
    link.query_pairs_mut().append_pair("v", video);
    if let Some(comment) = comment {
        link.query_pairs_mut().append_pair("lc", comment);
    }
    link.into()
}

impl Comment {
    pub fn read(raw: &str) -> Result<Self, serde_json::Error> {
        json::decode(raw)
    }

    pub fn written_at(&self) -> Option<Timestamp> {
        time(self.snippet.published_at.as_ref())
    }

    pub fn is_by(&self, channel: &str) -> bool {
        self.snippet.author_channel_id.as_ref().is_some_and(|id| id.value == channel)
    }

    pub fn text(&self) -> &str {
        &self.snippet.text_display
    }

    pub fn into_item(self, raw: &[u8], met: Met<'_>) -> FetchedItem {
        let (by_us, created_at) = (self.is_by(met.channel), self.written_at());
        let Self { id, snippet } = self;
        let parent = snippet.parent_id.filter(|parent| *parent != id);
        let parent = parent.or_else(|| {
            let thread = thread_of(&id);
            (thread != id).then(|| thread.to_owned())
        });
        let kind = if parent.is_some() { ItemKind::Reply } else { ItemKind::Comment };
        let video = snippet.video_id.as_deref().or(met.video);
        let mut item =
            FetchedItem::new(PlatformItemId::new(id.as_str()), kind, snippet.text_display, raw);
        // Comments on the channel's community page stand under no video.
        item.post_id = video.map(PlatformPostId::new);
        item.permalink = video.map(|video| Permalink {
            url: watch_link(met.watch, video, Some(&id)),
            source: PermalinkSource::Built,
        });
        item.parent_id = parent.map(PlatformItemId::new);
        let handle = snippet.author_display_name.clone().filter(|name| name.starts_with('@'));
        item.author = Author {
            platform_id: snippet.author_channel_id.map(|id| id.value).filter(|id| !id.is_empty()),
            name: snippet.author_display_name,
            handle,
            url: snippet.author_channel_url.filter(|url| !url.is_empty()),
        };
        item.created_at = created_at;
        let edited_at = time(snippet.updated_at.as_ref());
        item.edited_at = edited_at.filter(|at| Some(*at) != created_at);
        item.created_raw = snippet.published_at;
        item.attachments = snippet
            .image_url
            .into_iter()
            .map(|url| Attachment {
                kind: "image".into(),
                url: Some(url),
                media_type: None,
                name: None,
            })
            .collect();
        let status = snippet.moderation_status.or(met.status);
        item.presence = status.unwrap_or(Status::Unknown).presence();
        item.by_us = by_us;
        if met.can_reply == Some(false) {
            let why = "plattformen tar inte emot svar i den här tråden".into();
            item.barred.push(Barred { act: ActionKind::Reply, why });
        }
        item
    }
}

impl Video {
    pub fn into_post(self, watch: &Url) -> FetchedPost {
        FetchedPost {
            published_by: None,
            created_at: time(self.snippet.published_at.as_ref()),
            permalink: Some(watch_link(watch, &self.id, None)),
            platform_id: PlatformPostId::new(self.id),
            title: self.snippet.title,
            text: self.snippet.description.unwrap_or_default(),
        }
    }
}
