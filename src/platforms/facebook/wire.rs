//! Facebook's shapes → ours (`platforms` sheet, section 3.3).

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, Barred, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource,
    Presence,
};
use crate::platforms::graph;

pub const COMMENT_FIELDS: &str = "id,message,from{id,name},created_time,parent{id},permalink_url,attachment,is_hidden,is_private,can_hide,can_remove,can_comment,can_reply_privately,like_count,comment_count,message_tags";

pub const POST_FIELDS: &str = "id,message,created_time,updated_time,permalink_url,comments.filter(stream).limit(0).summary(true)";

/// Of what others posted on the Page: what a comment tells, as far as a post has it.
pub const VISITOR_FIELDS: &str = "id,message,from{id,name},created_time,permalink_url,is_hidden,comments.filter(stream).limit(0).summary(true)";

/// The same comment is spelled `98765` and `{post}_98765`: the last segment is the identity.
pub fn last_segment(id: &str) -> &str {
    id.rsplit('_').next().unwrap_or(id)
}

#[derive(Deserialize)]
pub struct Comment {
    pub id: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub from: Option<Person>,
    #[serde(default)]
    created_time: Option<String>,
    #[serde(default)]
    pub parent: Option<Reference>,
    #[serde(default)]
    permalink_url: Option<String>,
    #[serde(default)]
    attachment: Option<Attached>,
    #[serde(default)]
    pub is_hidden: Option<bool>,
    #[serde(default)]
    pub can_hide: Option<bool>,
    #[serde(default)]
    pub can_remove: Option<bool>,
    #[serde(default)]
    pub can_comment: Option<bool>,
}

#[derive(Deserialize)]
pub struct Person {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Deserialize)]
pub struct Reference {
    pub id: String,
}

#[derive(Deserialize)]
struct Attached {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    media: Option<Media>,
    #[serde(default)]
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Media {
    #[serde(default)]
    image: Option<Image>,
    /// The film itself, where it is one and the platform gives it.
    #[serde(default)]
    source: Option<String>,
}

#[derive(Deserialize)]
struct Image {
    src: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    id: Option<String>,
}

#[derive(Deserialize)]
pub struct Post {
    pub id: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    created_time: Option<String>,
    #[serde(default)]
    permalink_url: Option<String>,
    #[serde(default)]
    comments: Option<Counted>,
    #[serde(default)]
    from: Option<Person>,
    #[serde(default)]
    pub is_hidden: Option<bool>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default)]
    summary: Option<graph::Summary>,
}

impl Comment {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.created_time.as_deref().and_then(graph::time)
    }

    pub fn is_by(&self, page_id: &str) -> bool {
        self.from.as_ref().is_some_and(|from| from.id == page_id)
    }

    pub fn into_item(
        self,
        post: Option<&PlatformPostId>,
        raw: &[u8],
        page_id: &str,
    ) -> FetchedItem {
        let created_at = self.written_at();
        let by_us = self.is_by(page_id);
        let kind = if self.parent.is_some() { ItemKind::Reply } else { ItemKind::Comment };
        let id = PlatformItemId::new(last_segment(&self.id));
        let mut item = FetchedItem::new(id, kind, self.message, raw);
        item.post_id = post.cloned();
        item.parent_id = self.parent.map(|parent| PlatformItemId::new(last_segment(&parent.id)));
        if let Some(from) = self.from {
            item.author =
                Author { platform_id: Some(from.id), name: from.name, ..Author::default() };
        }
        item.created_at = created_at;
        item.created_raw = self.created_time;
        item.permalink =
            self.permalink_url.map(|url| Permalink { url, source: PermalinkSource::Given });
        item.attachments = self.attachment.into_iter().map(Attached::into_attachment).collect();
        item.presence = match self.is_hidden {
            Some(true) => Presence::Hidden,
            Some(false) => Presence::Visible,
            None => Presence::Unknown,
        };
        item.by_us = by_us;
        let barred = [
            (
                self.can_hide,
                ActionKind::Hide,
                "plattformen låter inte sidan dölja den här kommentaren",
            ),
            (
                self.can_remove,
                ActionKind::Delete,
                "plattformen låter inte sidan ta bort den här kommentaren",
            ),
            (
                self.can_comment,
                ActionKind::Reply,
                "plattformen låter inte sidan svara på den här kommentaren",
            ),
        ];
        item.barred = barred
            .into_iter()
            .filter(|(can, _, _)| *can == Some(false))
            .map(|(_, act, why)| Barred { act, why: why.into() })
            .collect();
        item
    }
}

impl Attached {
    fn into_attachment(self) -> Attachment {
        let media = self.media;
        let picture = media
            .and_then(|media| media.source.or_else(|| media.image.and_then(|image| image.src)));
        Attachment {
            kind: self.kind.unwrap_or_else(|| "unknown".into()),
            url: picture.or(self.url),
            media_type: None,
            // The signed address changes at every reading, this does not.
            name: self.target.and_then(|target| target.id),
        }
    }
}

impl Post {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.created_time.as_deref().and_then(graph::time)
    }

    /// How many comments there are on all levels, where the platform counted.
    pub fn comments(&self) -> Option<u64> {
        Some(self.comments.as_ref()?.summary.as_ref()?.total_count)
    }

    /// A post of somebody else's, as an item.
    pub fn to_item(&self, raw: &[u8], page_id: &str) -> FetchedItem {
        let text = self.message.clone().unwrap_or_default();
        let id = PlatformItemId::new(self.id.as_str());
        let mut item = FetchedItem::new(id, ItemKind::PostByOther, text, raw);
        if let Some(from) = &self.from {
            item.by_us = from.id == page_id;
            item.author = Author {
                platform_id: Some(from.id.clone()),
                name: from.name.clone(),
                ..Author::default()
            };
        }
        item.created_at = self.written_at();
        item.created_raw = self.created_time.clone();
        let given = |url| Permalink { url, source: PermalinkSource::Given };
        item.permalink = self.permalink_url.clone().map(given);
        item.presence = match self.is_hidden {
            Some(true) => Presence::Hidden,
            Some(false) => Presence::Visible,
            None => Presence::Unknown,
        };
        item
    }

    pub fn into_post(self) -> FetchedPost {
        FetchedPost {
            published_by: None,
            created_at: self.written_at(),
            platform_id: PlatformPostId::new(self.id),
            title: None,
            text: self.message.unwrap_or_default(),
            permalink: self.permalink_url,
        }
    }
}

/// What a Page says of itself.
#[derive(Deserialize)]
pub struct Presented {
    #[serde(default)]
    pub about: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
}
