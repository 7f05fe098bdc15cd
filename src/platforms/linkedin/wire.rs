//! LinkedIn's shapes → ours (`platforms` sheet, section 6.3).

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource, Presence,
};

/// One page of a list.
#[derive(Deserialize)]
pub struct Page<'a> {
    #[serde(borrow, default)]
    pub elements: Vec<&'a RawValue>,
    #[serde(default)]
    paging: Paging,
}

#[derive(Default, Deserialize)]
struct Paging {
    #[serde(default)]
    total: Option<u64>,
}

impl Page<'_> {
    /// Where the next page begins after one that began at `start`: how many come on a page is the
    /// platform's choice, and where it tells how many there are in all, that is the end.
    pub fn next(&self, start: u64) -> Option<u64> {
        let next = start + self.elements.len() as u64;
        let is_end = self.elements.is_empty() || self.paging.total.is_some_and(|all| next >= all);
        (!is_end).then_some(next)
    }
}

/// Numbers too large for some programs come as text or as numbers.
fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("an id is text or a number")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    pub id: String,
    #[serde(default)]
    commentary: Option<String>,
    #[serde(default)]
    published_at: Option<i64>,
    #[serde(default)]
    created_at: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default)]
    comment_urn: Option<String>,
    /// The thread, under one of its names.
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    pub actor: Option<String>,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    created: Option<Stamp>,
    #[serde(default)]
    last_modified: Option<Stamp>,
    #[serde(default)]
    pub parent_comment: Option<String>,
    #[serde(default)]
    comments_summary: Summary,
    /// Pictures, in a form that is documented by example alone.
    #[serde(default)]
    content: Value,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Stamp {
    time: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    #[serde(default)]
    total_first_level_comments: u64,
}

fn at(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

/// The thread and the number in `urn:li:comment:(thread,number)`.
pub fn parts(comment: &str) -> Option<(&str, &str)> {
    comment.strip_prefix("urn:li:comment:(")?.strip_suffix(')')?.rsplit_once(',')
}

/// How links name a comment: the thread without `urn:li:`.
fn in_link(comment: &str) -> Option<String> {
    let (thread, number) = parts(comment)?;
    let thread = thread.strip_prefix("urn:li:").unwrap_or(thread);
    Some(format!("urn:li:comment:({thread},{number})"))
}

fn link(site: &Url, comment: &str, parent: Option<&str>) -> Option<String> {
    let (thread, _) = parts(comment)?;
    let mut link = site.join(&format!("feed/update/{thread}")).ok()?;
    {
        let mut query = link.query_pairs_mut();
        match parent {
            Some(parent) => {
                query.append_pair("commentUrn", &in_link(parent)?);
                query.append_pair("replyUrn", &in_link(comment)?);
            }
            None => {
                query.append_pair("commentUrn", &in_link(comment)?);
            }
        }
    }
    Some(link.into())
}

/// What hangs on a comment. Of another shape than the documented one nothing is read.
fn attachments(content: &Value) -> Vec<Attachment> {
    let text = |one: &Value, place| one.pointer(place).and_then(Value::as_str).map(str::to_owned);
    let read = |one: &Value| {
        let kind = text(one, "/type")?.to_lowercase();
        // The address is signed and changes, this does not.
        let name = text(one, "/entity/digitalmediaAsset");
        Some(Attachment { kind, url: text(one, "/url"), media_type: None, name })
    };
    content.as_array().into_iter().flatten().filter_map(read).collect()
}

impl Comment {
    /// Its whole name.
    pub fn urn(&self) -> String {
        match (&self.comment_urn, &self.object) {
            (Some(urn), _) => urn.clone(),
            (None, Some(thread)) => format!("urn:li:comment:({thread},{})", self.id),
            (None, None) => self.id.clone(),
        }
    }

    pub fn answers(&self) -> u64 {
        self.comments_summary.total_first_level_comments
    }

    pub fn text(&self) -> &str {
        &self.message.text
    }

    pub fn written_at(&self) -> Option<Timestamp> {
        self.created.as_ref().and_then(|stamp| at(stamp.time))
    }

    pub fn is_by(&self, us: &str) -> bool {
        self.actor.as_deref() == Some(us)
    }

    pub fn into_item(
        self,
        raw: &[u8],
        us: &str,
        post: Option<&PlatformPostId>,
        site: &Url,
    ) -> FetchedItem {
        let (urn, by_us, written_at) = (self.urn(), self.is_by(us), self.written_at());
        let url = link(site, &urn, self.parent_comment.as_deref());
        let kind = if self.parent_comment.is_some() { ItemKind::Reply } else { ItemKind::Comment };
        let mut item = FetchedItem::new(PlatformItemId::new(urn), kind, self.message.text, raw);
        item.post_id = post.cloned();
        item.parent_id = self.parent_comment.map(PlatformItemId::new);
        // Names are not given out; who is behind the id, people see on the platform.
        item.author = Author { platform_id: self.actor, ..Author::default() };
        let created = self.created.map(|stamp| stamp.time);
        item.created_at = written_at;
        item.created_raw = created.map(|time| time.to_string());
        let edited =
            self.last_modified.map(|stamp| stamp.time).filter(|time| Some(*time) > created);
        item.edited_at = edited.and_then(at);
        item.permalink = url.map(|url| Permalink { url, source: PermalinkSource::Built });
        // The platform hides nothing that it gives out.
        item.presence = Presence::Visible;
        item.by_us = by_us;
        item.attachments = attachments(&self.content);
        item
    }
}

impl Post {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.published_at.or(self.created_at).and_then(at)
    }

    pub fn into_post(self, site: &Url) -> FetchedPost {
        FetchedPost {
            published_by: None,
            created_at: self.written_at(),
            permalink: site.join(&format!("feed/update/{}", self.id)).ok().map(Into::into),
            platform_id: PlatformPostId::new(self.id),
            title: None,
            text: self.commentary.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: &str = "urn:li:comment:(urn:li:activity:7300000000000000001,7300000000000000003)";

    fn item(raw: &str) -> FetchedItem {
        let site = Url::parse("https://www.linkedin.com/").unwrap();
        let comment: Comment = serde_json::from_str(raw).unwrap();
        comment.into_item(raw.as_bytes(), "urn:li:organization:1", None, &site)
    }

    #[test]
    fn an_answer_is_read_and_linked_as_the_sheet_has_it() {
        let item = item(&format!(
            r#"{{"id":7300000000000000002,"object":"urn:li:activity:7300000000000000001","actor":"urn:li:person:aBc",
            "message":{{"text":"Hej","attributes":[]}},"created":{{"time":1784796918000}},"lastModified":{{"time":1784796919000}},
            "parentComment":"{TOP}"}}"#
        ));
        assert_eq!(
            item.platform_id.as_str(),
            "urn:li:comment:(urn:li:activity:7300000000000000001,7300000000000000002)"
        );
        assert_eq!(
            item.permalink.unwrap().url,
            "https://www.linkedin.com/feed/update/urn:li:activity:7300000000000000001?commentUrn=urn%3Ali%3Acomment%3A%28activity%3A7300000000000000001%2C7300000000000000003%29&replyUrn=urn%3Ali%3Acomment%3A%28activity%3A7300000000000000001%2C7300000000000000002%29"
        );
        assert!(item.edited_at > item.created_at);
        assert_eq!(item.author.name, None);
        assert_eq!(item.attachments, []);
    }

    #[test]
    fn pictures_are_read_with_a_name_that_stays() {
        let item = item(
            r#"{"id":"1","message":{"text":"Hej"},"content":[{"type":"IMAGE","url":"https://media.licdn.example/x?sig=1",
            "entity":{"digitalmediaAsset":"urn:li:digitalmediaAsset:C1"}},"annat",{"type":7}]}"#,
        );
        let [picture] = item.attachments.as_slice() else { panic!("one picture") };
        assert_eq!(
            (picture.kind.as_str(), picture.url.as_deref()),
            ("image", Some("https://media.licdn.example/x?sig=1"))
        );
        assert_eq!(picture.name.as_deref(), Some("urn:li:digitalmediaAsset:C1"));
    }

    #[test]
    fn pages_end_where_the_platform_says_or_gives_nothing_more() {
        let next = |text: &str, start| serde_json::from_str::<Page<'_>>(text).unwrap().next(start);
        assert_eq!(next(r#"{"elements":[{},{}],"paging":{"total":5}}"#, 0), Some(2));
        assert_eq!(next(r#"{"elements":[{},{}],"paging":{"total":5}}"#, 3), None);
        assert_eq!(next(r#"{"elements":[{}]}"#, 3), Some(4));
        assert_eq!(next(r#"{"elements":[]}"#, 4), None);
    }
}
