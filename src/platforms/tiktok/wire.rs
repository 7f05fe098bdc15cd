//! TikTok's shapes → ours (`platforms` sheet, section 8.3).

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource, Presence,
};

/// A page, in the envelope of every answer.
#[derive(Deserialize)]
pub struct Page<'a> {
    #[serde(borrow)]
    pub data: PageData<'a>,
}

#[derive(Deserialize)]
pub struct PageData<'a> {
    #[serde(borrow, default)]
    pub videos: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    pub comments: Vec<&'a RawValue>,
    #[serde(default)]
    cursor: Option<Value>,
    #[serde(default)]
    has_more: bool,
}

impl PageData<'_> {
    /// Where the next page begins. A page may be short, or empty, and not the last.
    pub fn next(&self) -> Option<String> {
        let cursor = self.cursor.as_ref().filter(|_| self.has_more)?;
        Some(cursor.as_str().map_or_else(|| cursor.to_string(), str::to_owned))
    }
}

/// Numbers too large for some programs come as text or as numbers.
fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    optional(from)?.ok_or_else(|| serde::de::Error::custom("an id is text or a number"))
}

fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::String(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    })
}

#[derive(Clone, Deserialize)]
pub struct Video {
    #[serde(deserialize_with = "id")]
    pub item_id: String,
    #[serde(default, deserialize_with = "optional")]
    create_time: Option<String>,
    #[serde(default)]
    caption: Option<String>,
    #[serde(default)]
    pub share_url: Option<String>,
    #[serde(default)]
    pub comments: Option<u64>,
}

#[derive(Deserialize)]
pub struct Comment {
    #[serde(deserialize_with = "id")]
    pub comment_id: String,
    #[serde(default, deserialize_with = "optional")]
    pub video_id: Option<String>,
    #[serde(default)]
    unique_identifier: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    create_time: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    image_url: Option<String>,
    #[serde(default)]
    pub replies: u64,
    /// Whether the account itself wrote it.
    #[serde(default)]
    pub owner: bool,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub parent_comment_id: Option<String>,
}

/// The answers that come along with a comment.
#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow, default)]
    reply_list: Vec<&'a RawValue>,
}

/// What an answer of ours is answered with.
#[derive(Deserialize)]
pub struct Created {
    #[serde(deserialize_with = "id")]
    pub comment_id: String,
}

/// The answers that came along with a comment, as received.
pub fn shown_below(raw: &[u8]) -> Vec<&RawValue> {
    let text = std::str::from_utf8(raw).ok();
    let shown = text.and_then(|text| serde_json::from_str::<Shown<'_>>(text).ok());
    shown.map(|shown| shown.reply_list).unwrap_or_default()
}

fn at(seconds: Option<&String>) -> Option<Timestamp> {
    Timestamp::from_second(seconds?.parse().ok()?).ok()
}

impl Comment {
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    pub fn written_at(&self) -> Option<Timestamp> {
        at(self.create_time.as_ref())
    }

    /// `video` is where it was asked for, `link` that video's.
    pub fn into_item(self, raw: &[u8], video: &str, link: Option<&str>) -> FetchedItem {
        let written_at = self.written_at();
        let parent = self.parent_comment_id.filter(|parent| *parent != video && parent != "0");
        let kind = if parent.is_some() { ItemKind::Reply } else { ItemKind::Comment };
        let id = PlatformItemId::new(self.comment_id);
        let mut item = FetchedItem::new(id, kind, self.text.unwrap_or_default(), raw);
        item.post_id = Some(PlatformPostId::new(self.video_id.as_deref().unwrap_or(video)));
        item.parent_id = parent.map(PlatformItemId::new);
        item.created_at = written_at;
        item.created_raw = self.create_time;
        item.author = Author {
            platform_id: self.unique_identifier,
            name: self.display_name,
            url: self.username.as_ref().map(|name| format!("https://www.tiktok.com/@{name}")),
            handle: self.username.map(|name| format!("@{name}")),
        };
        let picture = self.image_url.filter(|url| !url.is_empty());
        item.attachments = picture
            .into_iter()
            .map(|url| Attachment {
                kind: "image".into(),
                url: Some(url),
                media_type: None,
                name: None,
            })
            .collect();
        // Comments have no links of their own.
        item.permalink =
            link.map(|url| Permalink { url: url.to_owned(), source: PermalinkSource::Given });
        item.presence = match self.status.as_deref() {
            Some("PUBLIC") => Presence::Visible,
            Some("HIDDEN") => Presence::Hidden,
            Some(_) | None => Presence::Unknown,
        };
        item.by_us = self.owner;
        item
    }
}

impl Video {
    pub fn written_at(&self) -> Option<Timestamp> {
        at(self.create_time.as_ref())
    }

    pub fn into_post(self) -> FetchedPost {
        FetchedPost {
            published_by: None,
            created_at: self.written_at(),
            permalink: self.share_url,
            platform_id: PlatformPostId::new(self.item_id),
            title: None,
            text: self.caption.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_times_are_read_as_text_or_numbers() {
        for raw in [
            r#"{"comment_id":"7106532145678901234","video_id":"7106500000000000000","create_time":"1753391148","text":"Hej","status":"PUBLIC","parent_comment_id":null}"#,
            r#"{"comment_id":7106532145678901234,"video_id":7106500000000000000,"create_time":1753391148,"text":"Hej","status":"PUBLIC"}"#,
        ] {
            let comment: Comment = serde_json::from_str(raw).unwrap();
            let item = comment.into_item(raw.as_bytes(), "1", None);
            assert_eq!(item.platform_id.as_str(), "7106532145678901234");
            assert_eq!(item.post_id.unwrap().as_str(), "7106500000000000000");
            assert_eq!(item.created_at.unwrap().to_string(), "2025-07-24T21:05:48Z");
            assert_eq!((item.kind, item.presence), (ItemKind::Comment, Presence::Visible));
        }
    }

    #[test]
    fn a_short_page_is_not_the_last_where_there_is_more() {
        let next = |text: &str| serde_json::from_str::<Page<'_>>(text).unwrap().data.next();
        assert_eq!(next(r#"{"data":{"comments":[],"cursor":30,"has_more":true}}"#).unwrap(), "30");
        assert_eq!(next(r#"{"data":{"comments":[{}],"cursor":30,"has_more":false}}"#), None);
    }
}
