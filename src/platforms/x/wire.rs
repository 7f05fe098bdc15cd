//! X's shapes → ours (`platforms` sheet, section 7.3). Its documentation and its published interface
//! call the same things by other names: both are read.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, Barred, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource,
    Presence,
};

/// One page of a list, or what is there of what was asked for.
#[derive(Deserialize)]
pub struct Page<'a> {
    #[serde(borrow, default)]
    pub data: Vec<&'a RawValue>,
    #[serde(default)]
    pub includes: Includes,
    #[serde(default)]
    pub meta: Meta,
}

/// One of what was asked for.
#[derive(Deserialize)]
pub struct One<'a> {
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    #[serde(default)]
    pub includes: Includes,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Meta {
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Includes {
    users: Vec<User>,
    media: Vec<Media>,
}

#[derive(Clone, Deserialize)]
pub struct User {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
}

#[derive(Deserialize)]
struct Media {
    media_key: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    preview_image_url: Option<String>,
}

#[derive(Deserialize)]
pub struct Me {
    pub data: User,
}

#[derive(Clone, Deserialize)]
pub struct Post {
    pub id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    author_id: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    pub conversation_id: Option<String>,
    #[serde(default, alias = "referenced_posts")]
    referenced_tweets: Vec<Referenced>,
    #[serde(default, alias = "edit_history_post_ids")]
    edit_history_tweet_ids: Vec<String>,
    #[serde(default, alias = "note_post")]
    note_tweet: Option<Note>,
    #[serde(default)]
    attachments: Keys,
    #[serde(default)]
    entities: Entities,
    #[serde(default)]
    public_metrics: Metrics,
}

#[derive(Clone, Deserialize)]
struct Referenced {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

#[derive(Clone, Deserialize)]
struct Note {
    #[serde(default)]
    text: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Keys {
    media_keys: Vec<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Entities {
    urls: Vec<Link>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Link {
    url: String,
    expanded_url: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Metrics {
    reply_count: Option<u64>,
}

/// A private message.
#[derive(Deserialize)]
pub struct Message {
    pub id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    sender_id: Option<String>,
    #[serde(default)]
    pub dm_conversation_id: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    attachments: Keys,
}

/// What a post that we wrote is answered with.
#[derive(Deserialize)]
pub struct Created {
    pub data: CreatedPost,
}

#[derive(Deserialize)]
pub struct CreatedPost {
    pub id: String,
}

#[derive(Deserialize)]
pub struct Sent {
    pub data: SentMessage,
}

#[derive(Deserialize)]
pub struct SentMessage {
    pub dm_event_id: String,
}

#[derive(Deserialize)]
pub struct Hidden {
    pub data: HiddenData,
}

#[derive(Deserialize)]
pub struct HiddenData {
    pub hidden: bool,
}

/// Whose eyes it is seen with, and what is known of the thread.
#[derive(Clone, Copy)]
pub struct Met<'a> {
    /// The account's number.
    pub us: &'a str,
    /// Links begin with it.
    pub site: &'a Url,
    /// Whether the thread began with a post of ours; `None` where nobody knows.
    pub is_ours: Option<bool>,
}

impl Page<'_> {
    /// Where the next page begins.
    pub fn next(&self) -> Option<String> {
        self.meta.next_token.clone().filter(|token| !token.is_empty())
    }
}

/// Ids are numbers, too large for some programs: the longer is the later.
pub fn is_later(id: &str, than: &str) -> bool {
    (id.len(), id) > (than.len(), than)
}

/// The three signs that the platform writes otherwise.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A text without the names that an answer begins with.
pub fn without_names(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(name) = rest.strip_prefix('@') {
        let end = name.find(char::is_whitespace).unwrap_or(name.len());
        rest = name[end..].trim_start();
    }
    rest
}

fn attachments(keys: Keys, includes: &Includes) -> Vec<Attachment> {
    let media = keys.media_keys.into_iter().map(|key| {
        let told = includes.media.iter().find(|media| media.media_key == key);
        Attachment {
            kind: told.map_or_else(|| "media".to_owned(), |media| media.kind.clone()),
            url: told.and_then(|media| media.url.clone().or(media.preview_image_url.clone())),
            media_type: None,
            name: None,
        }
    });
    media.collect()
}

fn author(id: Option<String>, includes: &Includes, site: &Url) -> Author {
    let user = includes.users.iter().find(|user| Some(&user.id) == id.as_ref()).cloned();
    let username = user.as_ref().and_then(|user| user.username.clone());
    Author {
        platform_id: id,
        name: user.and_then(|user| user.name),
        url: username.as_ref().and_then(|name| site.join(name).ok()).map(Into::into),
        handle: username.map(|name| format!("@{name}")),
    }
}

impl Post {
    /// The name that stays the same however often it is edited.
    pub fn first_id(&self) -> &str {
        self.edit_history_tweet_ids.first().unwrap_or(&self.id)
    }

    /// The name of its newest version, where that is another.
    pub fn newest_id(&self) -> Option<&str> {
        self.edit_history_tweet_ids.last().map(String::as_str).filter(|id| *id != self.id)
    }

    pub fn written_at(&self) -> Option<Timestamp> {
        self.created_at.as_ref()?.parse().ok()
    }

    pub fn is_by(&self, us: &str) -> bool {
        self.author_id.as_deref() == Some(us)
    }

    pub fn answers(&self) -> Option<u64> {
        self.public_metrics.reply_count
    }

    /// What it answers.
    pub fn parent(&self) -> Option<&str> {
        let above = self.referenced_tweets.iter().find(|above| above.kind == "replied_to");
        above.map(|above| above.id.as_str())
    }

    /// The whole text, with links as they lead.
    pub fn text(&self) -> String {
        let text = self.note_tweet.as_ref().map_or(self.text.as_str(), |note| note.text.as_str());
        let mut text = plain(text);
        for link in &self.entities.urls {
            if let Some(whole) = link.expanded_url.as_deref().filter(|_| !link.url.is_empty()) {
                text = text.replace(&link.url, whole);
            }
        }
        text
    }

    pub fn into_item(self, raw: &[u8], includes: &Includes, met: Met<'_>) -> FetchedItem {
        let id = self.first_id().to_owned();
        let root = self.conversation_id.clone().unwrap_or_else(|| id.clone());
        let parent = self.parent().map(str::to_owned);
        let is_under_ours = met.is_ours == Some(true);
        let kind = match &parent {
            _ if !is_under_ours => ItemKind::Mention,
            Some(parent) if *parent != root => ItemKind::Reply,
            Some(_) | None => ItemKind::Comment,
        };
        let was_edited = self.edit_history_tweet_ids.len() > 1;
        let by_us = self.is_by(met.us);
        let mut item = FetchedItem::new(PlatformItemId::new(id.as_str()), kind, self.text(), raw);
        item.created_at = self.written_at();
        // The time of an edited post is that of its newest version.
        item.edited_at = item.created_at.filter(|_| was_edited);
        item.created_raw = self.created_at;
        item.author = author(self.author_id, includes, met.site);
        let handle = item.author.handle.as_deref().and_then(|handle| handle.strip_prefix('@'));
        let path = format!("{}/status/{}", handle.unwrap_or("i/web"), self.id);
        item.permalink = met
            .site
            .join(&path)
            .ok()
            .map(|url| Permalink { url: url.into(), source: PermalinkSource::Built });
        item.attachments = attachments(self.attachments, includes);
        item.by_us = by_us;
        item.parent_id = parent.filter(|parent| *parent != root).map(PlatformItemId::new);
        if is_under_ours {
            item.post_id = Some(PlatformPostId::new(root));
        } else {
            item.page = Some(root);
        }
        // Whether an answer is hidden is told nowhere.
        item.presence = Presence::Unknown;
        if met.is_ours == Some(false) {
            let why = "bara svar i trådar som kontot självt har startat kan döljas";
            for act in [ActionKind::Hide, ActionKind::Unhide] {
                item.barred.push(Barred { act, why: why.into() });
            }
        }
        item
    }

    pub fn into_post(self, site: &Url) -> FetchedPost {
        let link = site.join(&format!("i/web/status/{}", self.id));
        FetchedPost {
            published_by: None,
            created_at: self.written_at(),
            permalink: link.ok().map(Into::into),
            title: None,
            text: self.text(),
            platform_id: PlatformPostId::new(self.first_id()),
        }
    }
}

impl Message {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.created_at.as_ref()?.parse().ok()
    }

    pub fn is_by(&self, us: &str) -> bool {
        self.sender_id.as_deref() == Some(us)
    }

    pub fn text(&self) -> String {
        plain(&self.text)
    }

    pub fn into_item(self, raw: &[u8], includes: &Includes, us: &str, site: &Url) -> FetchedItem {
        let (by_us, text, written_at) = (self.is_by(us), self.text(), self.written_at());
        let id = PlatformItemId::new(self.id);
        let mut item = FetchedItem::new(id, ItemKind::DirectMessage, text, raw);
        item.created_at = written_at;
        item.created_raw = self.created_at;
        item.author = author(self.sender_id, includes, site);
        item.permalink = self.dm_conversation_id.and_then(|conversation| {
            let url = site.join(&format!("messages/{conversation}")).ok()?;
            Some(Permalink { url: url.into(), source: PermalinkSource::Built })
        });
        item.attachments = attachments(self.attachments, includes);
        item.presence = Presence::Visible;
        item.by_us = by_us;
        for act in [ActionKind::Hide, ActionKind::Unhide] {
            let why = "meddelanden kan inte döljas".into();
            item.barred.push(Barred { act, why });
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str, is_ours: Option<bool>) -> FetchedItem {
        let site = Url::parse("https://x.com/").unwrap();
        let post: Post = serde_json::from_str(raw).unwrap();
        let includes: Includes = serde_json::from_str(
            r#"{"users":[{"id":"3","name":"Kim","username":"kimexempel"}],"media":[{"media_key":"3_1","type":"photo","url":"https://pbs.example/1.jpg"}]}"#,
        )
        .unwrap();
        post.into_item(raw.as_bytes(), &includes, Met { us: "2", site: &site, is_ours })
    }

    #[test]
    fn both_sets_of_names_are_read_alike() {
        let old = r#"{"id":"21","text":"kort…","author_id":"3","created_at":"2026-07-24T21:05:48.000Z","conversation_id":"10",
            "referenced_tweets":[{"type":"replied_to","id":"11"}],"edit_history_tweet_ids":["20","21"],
            "note_tweet":{"text":"a &lt; b &amp;lt; https://t.co/x"},"entities":{"urls":[{"url":"https://t.co/x","expanded_url":"https://exempel.example/sida"}]},
            "attachments":{"media_keys":["3_1"]}}"#;
        let new = old
            .replace("referenced_tweets", "referenced_posts")
            .replace("edit_history_tweet_ids", "edit_history_post_ids")
            .replace("note_tweet", "note_post");
        for raw in [old, &new] {
            let item = read(raw, Some(true));
            assert_eq!(item.platform_id.as_str(), "20", "the first name stays");
            assert_eq!(item.text, "a < b &lt; https://exempel.example/sida");
            assert_eq!((item.kind, item.parent_id.unwrap().as_str()), (ItemKind::Reply, "11"));
            assert_eq!(item.permalink.unwrap().url, "https://x.com/kimexempel/status/21");
            assert_eq!(item.attachments[0].url.as_deref(), Some("https://pbs.example/1.jpg"));
            assert!(item.edited_at.is_some() && item.barred.is_empty());
        }
    }

    #[test]
    fn what_stands_in_threads_of_others_is_a_mention_and_cannot_be_hidden() {
        let raw = r#"{"id":"20","text":"@exempelstad Hej","author_id":"3","conversation_id":"10"}"#;
        let item = read(raw, Some(false));
        assert_eq!(
            (item.kind, item.post_id, item.page.as_deref()),
            (ItemKind::Mention, None, Some("10"))
        );
        assert_eq!(item.barred[0].act, ActionKind::Hide);
        assert!(read(raw, None).barred.is_empty(), "what nobody knows is tried");
    }

    #[test]
    fn names_before_an_answer_are_no_part_of_it_and_ids_are_ordered_by_length() {
        assert_eq!(without_names("@kim @robin  Hej @kim"), "Hej @kim");
        assert_eq!(without_names("@kim"), "");
        assert!(is_later("100", "99") && !is_later("99", "100") && !is_later("7", "7"));
    }
}
