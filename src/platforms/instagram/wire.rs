//! Instagram's shapes → ours (`platforms` sheet, sections 4.3 and 4.5).

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Author, Barred, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource, Presence,
};
use crate::platforms::graph;

pub const COMMENT_FIELDS: &str = "id,text,timestamp,username,from{id,username},hidden,like_count,parent_id,media{id,permalink},user";

/// A comment with its answers.
pub const THREAD_FIELDS: &str = "id,text,timestamp,username,from{id,username},hidden,like_count,parent_id,media{id,permalink},user,replies.limit(50){id,text,timestamp,username,from{id,username},hidden,like_count,parent_id,user}";

pub const MEDIA_FIELDS: &str = "id,caption,permalink,timestamp,comments_count,media_type,media_product_type,is_comment_enabled";

/// Of what names the account elsewhere, as much as is published of a comment and of a medium there.
pub const MENTIONED_COMMENT_FIELDS: &str =
    "id,text,timestamp,username,like_count,media{id,permalink,owner}";
pub const MENTIONED_MEDIA_FIELDS: &str = "id,caption,timestamp,username,permalink,media_type";

const OWN_STAYS: &str = "plattformen döljer inte kontots egna kommentarer";

#[derive(Deserialize)]
pub struct Comment {
    pub id: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    from: Option<Person>,
    /// Given only for the account's own comments.
    #[serde(default)]
    user: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    pub hidden: Option<bool>,
    #[serde(default)]
    pub parent_id: Option<String>,
    #[serde(default)]
    media: Option<OfMedia>,
}

#[derive(Clone, Deserialize)]
pub struct Person {
    pub id: String,
    #[serde(default)]
    pub username: Option<String>,
}

#[derive(Deserialize)]
struct OfMedia {
    #[serde(default)]
    permalink: Option<String>,
    /// Told of one's own alone.
    #[serde(default)]
    owner: Option<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    id: String,
}

/// The answers that came along with a comment.
#[derive(Deserialize)]
pub struct WithReplies<'a> {
    #[serde(borrow, default)]
    pub replies: Option<graph::Page<'a>>,
}

#[derive(Deserialize)]
pub struct Media {
    pub id: String,
    #[serde(default)]
    caption: Option<String>,
    #[serde(default)]
    pub permalink: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    pub comments_count: Option<u64>,
}

#[derive(Deserialize)]
pub struct Talk<'a> {
    #[serde(borrow, default)]
    messages: Option<graph::Page<'a>>,
    /// As the edge of its messages lists them.
    #[serde(borrow, default)]
    data: Vec<&'a RawValue>,
}

impl<'a> Talk<'a> {
    pub fn elements(&self) -> Vec<&'a RawValue> {
        if self.messages.is_some() { elements(self.messages.as_ref()) } else { self.data.clone() }
    }
}

/// What names the account elsewhere, as it is asked of the account itself.
#[derive(Deserialize)]
pub struct Mentioned {
    #[serde(default)]
    pub mentioned_comment: Option<Comment>,
    #[serde(default)]
    pub mentioned_media: Option<MentionedMedia>,
}

/// Somebody else's medium that names the account in its caption.
#[derive(Deserialize)]
pub struct MentionedMedia {
    id: String,
    #[serde(default)]
    caption: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    permalink: Option<String>,
}

/// Who we are there.
#[derive(Clone, Copy)]
pub struct Us<'a> {
    pub id: &'a str,
    pub username: &'a str,
}

impl Us<'_> {
    pub fn is(self, id: Option<&str>, username: Option<&str>) -> bool {
        id == Some(self.id) || (username.is_some() && username == Some(self.username))
    }
}

/// Where a comment was met, and what its own element does not tell.
#[derive(Clone, Copy)]
pub struct Met<'a> {
    pub us: Us<'a>,
    pub media: Option<&'a PlatformPostId>,
    pub permalink: Option<&'a str>,
    pub parent: Option<&'a str>,
}

impl Comment {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.timestamp.as_deref().and_then(graph::time)
    }

    pub fn is_by(&self, us: Us<'_>) -> bool {
        let id = self.from.as_ref().map(|from| from.id.as_str());
        self.user.is_some() || us.is(id, self.username.as_deref())
    }

    /// Whether it stands under a medium of this account's.
    pub fn is_under_media_of(&self, ig_id: &str) -> bool {
        let owner = self.media.as_ref().and_then(|media| media.owner.as_ref());
        owner.is_some_and(|owner| owner.id == ig_id)
    }

    pub fn presence(&self) -> Presence {
        match self.hidden {
            Some(true) => Presence::Hidden,
            Some(false) => Presence::Visible,
            None => Presence::Unknown,
        }
    }

    pub fn into_item(self, raw: &[u8], met: Met<'_>) -> FetchedItem {
        let (by_us, created_at) = (self.is_by(met.us), self.written_at());
        let presence = self.presence();
        let parent = self.parent_id.as_deref().or(met.parent).filter(|parent| *parent != self.id);
        let kind = if parent.is_some() { ItemKind::Reply } else { ItemKind::Comment };
        let mut item =
            FetchedItem::new(PlatformItemId::new(self.id.as_str()), kind, self.text, raw);
        item.post_id = met.media.cloned();
        item.parent_id = parent.map(PlatformItemId::new);
        let name = self.from.as_ref().and_then(|from| from.username.clone()).or(self.username);
        item.author = Author {
            platform_id: self.from.map(|from| from.id),
            url: name.as_ref().map(|name| format!("https://www.instagram.com/{name}/")),
            handle: name.clone(),
            name,
        };
        item.created_at = created_at;
        item.created_raw = self.timestamp;
        // Single comments have no link that the platform vouches for.
        let link = self.media.and_then(|media| media.permalink);
        let link = link.or_else(|| met.permalink.map(str::to_owned));
        item.permalink = link.map(|url| Permalink { url, source: PermalinkSource::Given });
        item.presence = presence;
        item.by_us = by_us;
        if by_us {
            item.barred.push(Barred { act: ActionKind::Hide, why: OWN_STAYS.into() });
        }
        item
    }
}

impl Media {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.timestamp.as_deref().and_then(graph::time)
    }

    pub fn into_post(self) -> FetchedPost {
        FetchedPost {
            published_by: None,
            created_at: self.written_at(),
            platform_id: PlatformPostId::new(self.id),
            title: None,
            text: self.caption.unwrap_or_default(),
            permalink: self.permalink,
        }
    }
}

impl MentionedMedia {
    pub fn into_item(self, raw: &[u8]) -> FetchedItem {
        let id = PlatformItemId::new(self.id);
        let text = self.caption.unwrap_or_default();
        let mut item = FetchedItem::new(id, ItemKind::Mention, text, raw);
        item.author = Author {
            platform_id: None,
            url: self.username.as_ref().map(|name| format!("https://www.instagram.com/{name}/")),
            handle: self.username.clone(),
            name: self.username,
        };
        item.created_at = self.timestamp.as_deref().and_then(graph::time);
        item.created_raw = self.timestamp;
        let given = |url| Permalink { url, source: PermalinkSource::Given };
        item.permalink = self.permalink.map(given);
        item.presence = Presence::Visible;
        item
    }
}

/// The elements of a page, where there is one.
pub fn elements<'a>(page: Option<&graph::Page<'a>>) -> Vec<&'a RawValue> {
    page.map(|page| page.data.clone()).unwrap_or_default()
}
