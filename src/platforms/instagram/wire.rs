//! Instagram's shapes → ours (`platforms` sheet, sections 4.3 and 4.5).

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, Barred, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource,
    Presence,
};
use crate::platforms::graph;

pub const COMMENT_FIELDS: &str = "id,text,timestamp,username,from{id,username},hidden,like_count,parent_id,media{id,permalink},user";

/// A comment with its answers.
pub const THREAD_FIELDS: &str = "id,text,timestamp,username,from{id,username},hidden,like_count,parent_id,media{id,permalink},user,replies.limit(50){id,text,timestamp,username,from{id,username},hidden,like_count,parent_id,user}";

pub const MEDIA_FIELDS: &str = "id,caption,permalink,timestamp,comments_count,media_type,media_product_type,is_comment_enabled";

pub const MESSAGE_FIELDS: &str = "id,created_time,from,to,message,attachments";

/// Where people read and write messages; single ones have no link.
const INBOX: &str = "https://www.instagram.com/direct/inbox/";

const MESSAGE_STAYS: &str = "meddelanden kan varken döljas eller tas bort av kontot";
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
pub struct Conversation {
    pub id: String,
    #[serde(default)]
    updated_time: Option<String>,
    #[serde(default)]
    pub participants: Option<People>,
}

#[derive(Deserialize)]
pub struct People {
    #[serde(default)]
    pub data: Vec<Person>,
}

#[derive(Deserialize)]
pub struct Talk<'a> {
    #[serde(borrow, default)]
    pub messages: Option<graph::Page<'a>>,
}

#[derive(Deserialize)]
pub struct Message {
    pub id: String,
    #[serde(default)]
    created_time: Option<String>,
    #[serde(default)]
    pub from: Option<Person>,
    #[serde(default)]
    pub to: Option<People>,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    attachments: Option<Attachments>,
}

#[derive(Deserialize)]
struct Attachments {
    #[serde(default)]
    data: Vec<Attached>,
}

#[derive(Deserialize)]
struct Attached {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    mime_type: Option<String>,
    #[serde(default)]
    image_data: Option<Located>,
    #[serde(default)]
    video_data: Option<Located>,
    #[serde(default)]
    file_url: Option<String>,
}

#[derive(Deserialize)]
struct Located {
    #[serde(default)]
    url: Option<String>,
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

impl Conversation {
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.updated_time.as_deref().and_then(graph::time)
    }

    /// Whether this person takes part, as far as it is told.
    pub fn may_have(&self, person: &str) -> bool {
        self.participants.as_ref().is_none_or(|p| p.data.iter().any(|one| one.id == person))
    }
}

impl Message {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.created_time.as_deref().and_then(graph::time)
    }

    pub fn is_by(&self, us: Us<'_>) -> bool {
        let from = self.from.as_ref();
        us.is(from.map(|from| from.id.as_str()), from.and_then(|from| from.username.as_deref()))
    }

    pub fn into_item(self, raw: &[u8], us: Us<'_>) -> FetchedItem {
        let (by_us, created_at) = (self.is_by(us), self.written_at());
        let id = PlatformItemId::new(self.id);
        let mut item = FetchedItem::new(id, ItemKind::DirectMessage, self.message, raw);
        item.created_at = created_at;
        item.created_raw = self.created_time;
        if let Some(from) = self.from {
            item.author = Author {
                platform_id: Some(from.id),
                name: from.username.clone(),
                handle: from.username,
                url: None,
            };
        }
        let inbox = Permalink { url: INBOX.into(), source: PermalinkSource::Built };
        item.permalink = Some(inbox);
        let attached = self.attachments.map(|all| all.data).unwrap_or_default();
        item.attachments = attached.into_iter().map(Attached::into_attachment).collect();
        item.presence = Presence::Visible;
        item.by_us = by_us;
        let barred = |act| Barred { act, why: MESSAGE_STAYS.into() };
        item.barred = vec![barred(ActionKind::Hide), barred(ActionKind::Delete)];
        item
    }
}

impl Attached {
    fn into_attachment(self) -> Attachment {
        let kind = if self.video_data.is_some() {
            "video"
        } else if self.image_data.is_some() {
            "image"
        } else {
            "file"
        };
        let located = self.image_data.or(self.video_data).and_then(|at| at.url);
        Attachment {
            kind: kind.into(),
            url: located.or(self.file_url),
            media_type: self.mime_type,
            // The signed address changes at every reading, this does not.
            name: self.id,
        }
    }
}

/// The elements of a page, where there is one.
pub fn elements<'a>(page: Option<&graph::Page<'a>>) -> Vec<&'a RawValue> {
    page.map(|page| page.data.clone()).unwrap_or_default()
}
