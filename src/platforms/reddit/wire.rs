//! Reddit's shapes → ours (`platforms` sheet, section 9.3).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, Barred, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource,
    Presence,
};

/// What stands for a name or text that its author or somebody else has taken away.
const DELETED: &str = "[deleted]";
const REMOVED: &str = "[removed]";

/// A list.
#[derive(Deserialize)]
pub struct Listing<'a> {
    #[serde(borrow)]
    pub data: ListingData<'a>,
}

#[derive(Deserialize)]
pub struct ListingData<'a> {
    #[serde(default)]
    pub after: Option<String>,
    #[serde(borrow, default)]
    pub children: Vec<&'a RawValue>,
}

/// An element of a list.
#[derive(Deserialize)]
pub struct Thing<'a> {
    pub kind: String,
    #[serde(borrow)]
    pub data: &'a RawValue,
}

/// A comment, a post or a message.
#[derive(Clone, Deserialize)]
pub struct Entry {
    /// Its full name: `t1_`, `t3_` or `t4_` and its id.
    pub name: String,
    #[serde(default)]
    pub parent_id: Option<String>,
    #[serde(default)]
    link_id: Option<String>,
    #[serde(default)]
    subreddit: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    author_fullname: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    selftext: Option<String>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    created_utc: Option<f64>,
    #[serde(default)]
    edited: Value,
    #[serde(default)]
    permalink: Option<String>,
    /// The link of what came to the inbox.
    #[serde(default)]
    context: Option<String>,
    #[serde(default, rename = "type")]
    what: Option<String>,
    #[serde(default)]
    can_mod_post: Option<bool>,
    #[serde(default)]
    removed: Option<bool>,
    #[serde(default)]
    spam: Option<bool>,
    #[serde(default)]
    banned_by: Value,
    #[serde(default)]
    locked: Option<bool>,
    #[serde(default)]
    pub num_comments: Option<u64>,
    /// Pictures in a text or a gallery, by their names.
    #[serde(default)]
    media_metadata: Value,
    #[serde(default)]
    post_hint: Option<String>,
    /// Of a post that is nothing but a picture: where it is.
    #[serde(default)]
    url: Value,
}

/// What stands below a comment, in a tree.
#[derive(Deserialize)]
pub struct Below<'a> {
    #[serde(borrow, default)]
    pub replies: Option<&'a RawValue>,
}

/// What a tree leaves out.
#[derive(Deserialize)]
pub struct More {
    #[serde(default)]
    pub children: Vec<String>,
    #[serde(default)]
    pub parent_id: Option<String>,
}

/// What a form is answered with where all is well.
#[derive(Deserialize)]
pub struct Done<'a> {
    #[serde(borrow)]
    pub json: DoneBody<'a>,
}

#[derive(Deserialize)]
pub struct DoneBody<'a> {
    #[serde(borrow)]
    pub data: Things<'a>,
}

#[derive(Deserialize)]
pub struct Things<'a> {
    #[serde(borrow, default)]
    pub things: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
pub struct Me {
    pub name: String,
}

#[derive(Deserialize)]
pub struct About {
    pub data: AboutData,
}

#[derive(Deserialize)]
pub struct AboutData {
    #[serde(default)]
    pub user_is_moderator: Option<bool>,
}

/// Moderators' conversations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mailbox {
    #[serde(default)]
    pub conversation_ids: Vec<String>,
    #[serde(default)]
    pub conversations: BTreeMap<String, Conversation>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    pub id: String,
    #[serde(default)]
    last_updated: Option<String>,
}

/// One of them, with its messages by their ids.
#[derive(Deserialize)]
pub struct Talk<'a> {
    pub conversation: Conversation,
    #[serde(borrow, default)]
    pub messages: BTreeMap<String, &'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    pub id: String,
    #[serde(default)]
    body_markdown: String,
    #[serde(default)]
    author: MailAuthor,
    #[serde(default)]
    date: Option<String>,
    /// A note among moderators, which nobody else sees.
    #[serde(default)]
    pub is_internal: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MailAuthor {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    is_mod: bool,
}

/// Whose eyes it is seen with.
#[derive(Clone, Copy)]
pub struct Met<'a> {
    /// The account's name.
    pub us: &'a str,
    /// The subreddit that it moderates.
    pub subreddit: Option<&'a str>,
    /// Links begin with it.
    pub site: &'a Url,
    /// What it is known as, where its own element does not tell.
    pub kind: Option<ItemKind>,
}

fn at(seconds: f64) -> Option<Timestamp> {
    // A time in floating point has no more than seconds to offer.
    let is_one = seconds.is_finite() && (0.0..1e11).contains(&seconds);
    is_one.then(|| Timestamp::from_second(seconds as i64).ok()).flatten()
}

/// The part of a full name that addresses are made of.
pub fn short(name: &str) -> &str {
    name.split_once('_').map_or(name, |(_, id)| id)
}

/// The post in an address of a comment: `/r/{sub}/comments/{post}/…`.
fn post_in(path: &str) -> Option<String> {
    let mut parts = path.split('/').skip_while(|part| *part != "comments");
    let id = parts.nth(1).filter(|id| !id.is_empty())?;
    Some(format!("t3_{id}"))
}

/// Our name for a message among moderators.
pub fn mail_id(conversation: &str, message: &str) -> String {
    format!("mail_{conversation}_{message}")
}

/// The conversation and the message of such a name.
pub fn mail_parts(id: &str) -> Option<(&str, &str)> {
    id.strip_prefix("mail_")?.split_once('_')
}

fn is_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

impl Entry {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.created_utc.and_then(at)
    }

    pub fn is_by(&self, us: &str) -> bool {
        self.author.as_deref().is_some_and(|author| is_name(author, us))
    }

    pub fn text(&self) -> String {
        match (&self.body, &self.title) {
            (Some(body), _) => body.clone(),
            (None, Some(title)) => {
                let text = self.selftext.as_deref().unwrap_or("");
                format!("{title}\n\n{text}").trim_end().to_owned()
            }
            (None, None) => String::new(),
        }
    }

    /// Pictures in it. Addresses are signed and change; the names do not.
    fn attachments(&self) -> Vec<Attachment> {
        let text =
            |one: &Value, place| one.pointer(place).and_then(Value::as_str).map(str::to_owned);
        let image = |name: Option<String>, url| Attachment {
            kind: "image".into(),
            url,
            media_type: None,
            name,
        };
        let inside = self.media_metadata.as_object().into_iter().flatten();
        let mut all: Vec<_> = inside
            .map(|(name, one)| {
                let url = text(one, "/s/u").or_else(|| text(one, "/s/gif"));
                image(Some(name.clone()), url.or_else(|| text(one, "/s/mp4")))
            })
            .collect();
        if self.post_hint.as_deref() == Some("image") && all.is_empty() {
            all.extend(self.url.as_str().map(|url| image(None, Some(url.to_owned()))));
        }
        all
    }

    /// Whether it has lost its text: its author, or somebody else where we moderate nothing, has
    /// taken it away.
    pub fn is_gone(&self) -> bool {
        let text = self.body.as_deref().or(self.selftext.as_deref()).unwrap_or("");
        // A post that is a link has no text to lose.
        let is_link = self.is_post() && text.is_empty();
        let is_mark = is_link || [DELETED, REMOVED].contains(&text.trim());
        is_mark && self.author.as_deref().is_none_or(|author| author == DELETED)
    }

    pub fn is_post(&self) -> bool {
        self.name.starts_with("t3_")
    }

    pub fn is_message(&self) -> bool {
        self.name.starts_with("t4_")
    }

    pub fn is_in(&self, subreddit: Option<&str>) -> bool {
        matches!((&self.subreddit, subreddit), (Some(its), Some(ours)) if is_name(its, ours))
    }

    /// The post that it stands under.
    pub fn post(&self) -> Option<String> {
        self.link_id.clone().or_else(|| post_in(self.context.as_deref()?))
    }

    fn kind(&self, met: Met<'_>) -> ItemKind {
        if self.is_message() {
            return ItemKind::DirectMessage;
        }
        if self.is_post() {
            return ItemKind::PostByOther;
        }
        let is_mention = self.what.as_deref() == Some("username_mention");
        match met.kind {
            Some(kind) => kind,
            None if is_mention && !self.is_in(met.subreddit) => ItemKind::Mention,
            None if self.parent_id.as_deref().is_some_and(|p| p.starts_with("t1_")) => {
                ItemKind::Reply
            }
            None => ItemKind::Comment,
        }
    }

    fn presence(&self) -> Presence {
        let is_hidden =
            self.removed == Some(true) || self.spam == Some(true) || !self.banned_by.is_null();
        if is_hidden { Presence::Hidden } else { Presence::Visible }
    }

    fn barred(&self, met: Met<'_>) -> Vec<Barred> {
        let mut barred = Vec::new();
        let is_ours = self.is_in(met.subreddit) && self.can_mod_post != Some(false);
        if !is_ours || self.is_message() {
            let why = "bara det som står i den egna subredditen kan tas bort därifrån";
            for act in [ActionKind::Hide, ActionKind::Unhide] {
                barred.push(Barred { act, why: why.into() });
            }
        }
        if self.locked == Some(true) && !is_ours {
            let why = "tråden är låst".into();
            barred.push(Barred { act: ActionKind::Reply, why });
        }
        barred
    }

    fn link(&self, site: &Url) -> Option<String> {
        let path = self.permalink.as_deref().or(self.context.as_deref())?;
        let path = path.split('?').next().filter(|path| path.starts_with('/'))?;
        site.join(path).ok().map(Into::into)
    }

    pub fn into_item(self, raw: &[u8], met: Met<'_>) -> FetchedItem {
        let (kind, by_us) = (self.kind(met), self.is_by(met.us));
        let id = PlatformItemId::new(self.name.as_str());
        let text = match &self.subject {
            // The subject is part of what a message says, once.
            Some(subject) if self.is_message() && !subject.starts_with("re: ") => {
                format!("{subject}\n\n{}", self.text())
            }
            _ => self.text(),
        };
        let mut item = FetchedItem::new(id, kind, text, raw);
        item.created_at = self.written_at();
        item.created_raw = self.created_utc.map(|seconds| seconds.to_string());
        item.edited_at = self.edited.as_f64().and_then(at);
        item.permalink =
            self.link(met.site).map(|url| Permalink { url, source: PermalinkSource::Given });
        item.presence = self.presence();
        item.attachments = self.attachments();
        item.barred = self.barred(met);
        item.post_id = self.post().map(PlatformPostId::new);
        item.by_us = by_us;
        let above = self.parent_id.filter(|p| p.starts_with("t1_") || p.starts_with("t4_"));
        item.parent_id = above.map(PlatformItemId::new);
        let author = self.author.filter(|author| author != DELETED);
        item.author = Author {
            platform_id: self.author_fullname,
            handle: author.as_ref().map(|name| format!("u/{name}")),
            url: author
                .as_ref()
                .and_then(|name| met.site.join(&format!("user/{name}")).ok())
                .map(Into::into),
            name: author,
        };
        item
    }

    /// As what others write under.
    pub fn into_post(self, site: &Url) -> FetchedPost {
        FetchedPost {
            published_by: None,
            created_at: self.written_at(),
            permalink: self.link(site),
            platform_id: PlatformPostId::new(self.name),
            title: self.title,
            text: self.selftext.unwrap_or_default(),
        }
    }
}

impl Conversation {
    pub fn moved_at(&self) -> Option<Timestamp> {
        self.last_updated.as_ref()?.parse().ok()
    }
}

impl Mail {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.date.as_ref()?.parse().ok()
    }

    pub fn is_by(&self, us: &str) -> bool {
        self.author.name.as_deref().is_some_and(|name| is_name(name, us))
    }

    pub fn text(&self) -> &str {
        &self.body_markdown
    }

    pub fn into_item(self, raw: &[u8], conversation: &Conversation) -> FetchedItem {
        let id = PlatformItemId::new(mail_id(&conversation.id, &self.id));
        let mut item =
            FetchedItem::new(id, ItemKind::DirectMessage, self.body_markdown.as_str(), raw);
        item.created_at = self.written_at();
        item.created_raw = self.date;
        item.permalink = Some(Permalink {
            url: format!("https://mod.reddit.com/mail/all/{}", conversation.id),
            source: PermalinkSource::Built,
        });
        // Moderators answer with one voice.
        item.by_us = self.author.is_mod;
        item.author = Author {
            handle: self.author.name.as_ref().map(|name| format!("u/{name}")),
            name: self.author.name,
            ..Author::default()
        };
        item.presence = Presence::Visible;
        for act in [ActionKind::Hide, ActionKind::Unhide, ActionKind::Report] {
            let why = "moderatorpost kan bara arkiveras på plattformen".into();
            item.barred.push(Barred { act, why });
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> FetchedItem {
        let site = Url::parse("https://www.reddit.com/").unwrap();
        let entry: Entry = serde_json::from_str(raw).unwrap();
        let met =
            Met { us: "exempelstad", subreddit: Some("exempelstad"), site: &site, kind: None };
        entry.into_item(raw.as_bytes(), met)
    }

    #[test]
    fn a_comment_is_read_and_linked_as_the_sheet_has_it() {
        let item = read(
            r#"{"id":"zz00002","name":"t1_zz00002","parent_id":"t1_zz00003","link_id":"t3_1zz0001","subreddit":"Exempelstad",
            "author":"kim_exempel","author_fullname":"t2_zz01","body":"Hej <3","created_utc":1784796918.0,"edited":1784796999,
            "permalink":"/r/exempelstad/comments/1zz0001/badet/zz00002/","can_mod_post":true,"removed":false,"spam":false,"banned_by":null,"replies":""}"#,
        );
        assert_eq!((item.kind, item.presence), (ItemKind::Reply, Presence::Visible));
        assert_eq!(item.parent_id.unwrap().as_str(), "t1_zz00003");
        assert_eq!(item.post_id.unwrap().as_str(), "t3_1zz0001");
        assert_eq!(
            item.permalink.unwrap().url,
            "https://www.reddit.com/r/exempelstad/comments/1zz0001/badet/zz00002/"
        );
        assert_eq!(item.author.handle.as_deref(), Some("u/kim_exempel"));
        assert!(item.edited_at > item.created_at && item.barred.is_empty());
    }

    #[test]
    fn pictures_are_read_with_names_that_stay() {
        let item = read(
            r#"{"name":"t1_a","body":"Se ![img](abc)","media_metadata":{"abc":{"e":"Image","m":"image/png","s":{"u":"https://preview.redd.example/abc.png?s=1"}},
            "giphy|x":{"e":"AnimatedImage","s":{"gif":"https://giphy.example/x.gif"}},"failed":{"status":"failed"}}}"#,
        );
        let read_as: Vec<_> =
            item.attachments.iter().map(|a| (a.name.as_deref(), a.url.as_deref())).collect();
        assert_eq!(
            read_as,
            [
                (Some("abc"), Some("https://preview.redd.example/abc.png?s=1")),
                (Some("failed"), None),
                (Some("giphy|x"), Some("https://giphy.example/x.gif")),
            ]
        );
        let post = read(
            r#"{"name":"t3_b","title":"Bild","selftext":"","post_hint":"image","url":"https://i.redd.example/b.png"}"#,
        );
        assert_eq!(post.attachments[0].url.as_deref(), Some("https://i.redd.example/b.png"));
    }

    #[test]
    fn what_came_to_the_inbox_finds_its_post_and_what_is_elsewhere_cannot_be_hidden() {
        let item = read(
            r#"{"name":"t1_a","parent_id":"t3_b","subreddit":"sverige","author":"kim","body":"Hej u/exempelstad","created_utc":1784796918.0,
            "context":"/r/sverige/comments/b/titel/a/?context=3","was_comment":true,"type":"username_mention","subject":"username mention"}"#,
        );
        assert_eq!(item.kind, ItemKind::Mention);
        assert_eq!(item.post_id.unwrap().as_str(), "t3_b");
        assert_eq!(
            item.permalink.unwrap().url,
            "https://www.reddit.com/r/sverige/comments/b/titel/a/"
        );
        assert_eq!(item.text, "Hej u/exempelstad");
        assert!(item.barred.iter().any(|barred| barred.act == ActionKind::Hide));
    }

    #[test]
    fn what_lost_its_text_is_gone_and_a_quoted_mark_is_not() {
        let gone = |raw: &str| serde_json::from_str::<Entry>(raw).unwrap().is_gone();
        assert!(gone(r#"{"name":"t1_a","author":"[deleted]","body":"[deleted]"}"#));
        assert!(gone(r#"{"name":"t1_a","author":"[deleted]","body":"[removed]"}"#));
        assert!(!gone(r#"{"name":"t1_a","author":"kim","body":"[deleted]"}"#));
        assert!(!gone(r#"{"name":"t1_a","author":"[deleted]","body":"Hej"}"#));
    }
}
