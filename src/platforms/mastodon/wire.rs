//! Mastodon's shapes → ours (`platforms` sheet, section 11.3).
//!
//! Other software speaks the same interface with fields missing or of another kind, so nothing
//! but id, author and text is demanded.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, Barred, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource,
    Presence,
};
use crate::platforms::html::{self, Newlines};

const NOT_OURS: &str = "servern låter bara skribenten själv ta bort; anmäl inlägget, eller blockera skribenten på plattformen";

/// The longest id of any software known is 42 characters.
const LONGEST_ID: usize = 128;

/// An id as it may stand in an address: opaque, and nothing but letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Id(String);

impl Id {
    /// `None` where it could lead an address elsewhere.
    ///
    /// The server snac puts the time of the last change in front of what names the post (ten
    /// digits, then 32 hexadecimal), and takes any time in its place: it is set to nought, so that
    /// an edit does not make another post of it.
    pub fn new(text: &str) -> Option<Self> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.is_empty() || text.len() > LONGEST_ID || !text.bytes().all(is_plain) {
            return None;
        }
        Some(Self(held_still(text)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An id without the time in front that some servers move; with what follows a sign between.
fn held_still(text: &str) -> String {
    let (id, rest) = text.split_at(text.find('_').unwrap_or(text.len()));
    let bytes = id.as_bytes();
    let with_time = bytes.len() == 42
        && bytes[..10].iter().all(u8::is_ascii_digit)
        && bytes[10..].iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if with_time { format!("{:010}{}{rest}", 0, &id[10..]) } else { text.to_owned() }
}

/// An id as it comes.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawId {
    Text(String),
    // Forks have given numbers.
    Number(u64),
}

impl RawId {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = RawId::deserialize(deserializer)?.into_text();
        Self::new(&text).ok_or_else(|| serde::de::Error::custom("not an id"))
    }
}

/// `null` where a value was expected is the value's absence.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
pub struct Account {
    pub id: Id,
    #[serde(default, deserialize_with = "or_default")]
    pub acct: String,
    #[serde(default, deserialize_with = "or_default")]
    display_name: String,
    #[serde(default)]
    url: Option<String>,
    /// Said of those whom the server's moderators have limited.
    #[serde(default, deserialize_with = "or_default")]
    limited: bool,
}

/// What an account says of itself, in HTML, with the lines beside it.
#[derive(Deserialize)]
pub struct Presented {
    #[serde(default, deserialize_with = "or_default")]
    note: String,
    #[serde(default, deserialize_with = "or_default")]
    fields: Vec<Line>,
}

/// A line beside an account's description.
#[derive(Deserialize)]
struct Line {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

impl Presented {
    /// As plain text, with the targets of links.
    pub fn text(&self) -> String {
        let plain = |html: &str| html::to_plain(html, Newlines::Fold).text;
        let lines = self.fields.iter().map(|line| format!("{}: {}", line.name, plain(&line.value)));
        let mut all = vec![plain(&self.note)];
        all.extend(lines);
        all.join("\n")
    }
}

impl Account {
    /// Whether the account lives on another server.
    pub fn is_remote(&self) -> bool {
        self.acct.contains('@')
    }
}

#[derive(Deserialize)]
struct Linked {
    #[serde(default, deserialize_with = "or_default")]
    url: String,
}

#[derive(Deserialize)]
struct Media {
    #[serde(default)]
    id: Option<RawId>,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    remote_url: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

impl Media {
    /// With the server's id in the name: the address may be signed, and another picture is another
    /// version.
    fn into_attachment(self) -> Attachment {
        let description = self.description.filter(|text| !text.is_empty());
        let id =
            self.id.map(RawId::into_text).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        let name = match (description, id.map(|id| held_still(&id))) {
            (Some(description), Some(id)) => Some(format!("{description} ({id})")),
            (description, id) => description.or(id),
        };
        let url = web_link(self.url).or_else(|| web_link(self.remote_url));
        Attachment { kind: self.kind, url, media_type: None, name }
    }
}

#[derive(Deserialize)]
struct Poll {
    #[serde(default, deserialize_with = "or_default")]
    options: Vec<PollOption>,
}

#[derive(Deserialize)]
struct PollOption {
    #[serde(default, deserialize_with = "or_default")]
    title: String,
}

#[derive(Deserialize)]
pub struct Status {
    pub id: Id,
    pub account: Account,
    pub content: String,
    /// The source of our own posts, where the server gives it.
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    edited_at: Option<String>,
    #[serde(default)]
    pub in_reply_to_id: Option<Id>,
    #[serde(default, deserialize_with = "or_default")]
    spoiler_text: String,
    #[serde(default, deserialize_with = "or_default")]
    pub visibility: String,
    #[serde(default)]
    pub replies_count: Option<u64>,
    #[serde(default)]
    pub reblog: Option<serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    mentions: Vec<Linked>,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<Linked>,
    #[serde(default, deserialize_with = "or_default")]
    media_attachments: Vec<Media>,
    #[serde(default)]
    poll: Option<Poll>,
}

#[derive(Deserialize)]
pub struct Notification<'a> {
    pub id: Id,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(borrow, default)]
    pub status: Option<&'a RawValue>,
}

impl Notification<'_> {
    pub fn at(&self) -> Option<Timestamp> {
        self.created_at.as_deref().and_then(time)
    }

    /// Whether somebody speaks to us: kinds that the server was not asked for come from some.
    pub fn is_addressed(&self) -> bool {
        matches!(self.kind.as_str(), "mention" | "quote")
    }
}

#[derive(Default, Deserialize)]
pub struct Context<'a> {
    #[serde(borrow, default)]
    pub ancestors: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    pub descendants: Vec<&'a RawValue>,
}

/// What both versions of the server's self-description have.
#[derive(Default, Deserialize)]
pub struct Instance {
    #[serde(default)]
    configuration: Option<Configuration>,
    /// From before `configuration`.
    #[serde(default)]
    max_toot_chars: Option<u32>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    statuses: Option<StatusLimits>,
}

#[derive(Deserialize)]
struct StatusLimits {
    #[serde(default)]
    max_characters: Option<u32>,
}

impl Instance {
    pub fn longest_status(&self) -> Option<u32> {
        let limits = self.configuration.as_ref().and_then(|c| c.statuses.as_ref());
        limits.and_then(|limits| limits.max_characters).or(self.max_toot_chars)
    }
}

#[derive(Deserialize)]
pub struct Application {
    #[serde(default, deserialize_with = "or_default")]
    pub scopes: Vec<String>,
}

/// Times have three to six digits of a second, or none.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn web_link(text: Option<String>) -> Option<String> {
    text.filter(|link| link.starts_with("https://") || link.starts_with("http://"))
}

/// Who may read a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Everybody,
    /// Followers, or those named: whatever is not said to be open.
    Closed,
}

/// An answer of ours without the name that the interface demands in front of it.
fn without_address(text: &str) -> &str {
    let Some(rest) = text.strip_prefix('@') else { return text };
    let Some((name, said)) = rest.split_once(char::is_whitespace) else { return text };
    if name.is_empty() { text } else { said.trim_start() }
}

impl Status {
    pub fn audience(&self) -> Audience {
        match self.visibility.as_str() {
            "public" | "unlisted" => Audience::Everybody,
            _ => Audience::Closed,
        }
    }

    pub fn is_by(&self, me: &Id) -> bool {
        self.account.id == *me
    }

    pub fn written_at(&self) -> Option<Timestamp> {
        self.created_at.as_deref().and_then(time)
    }

    /// Warning, text and the choices of a poll: all that its author wrote.
    fn plain(&self) -> String {
        let named: Vec<&str> =
            self.mentions.iter().chain(&self.tags).map(|named| named.url.as_str()).collect();
        let said = html::to_plain_with_names(&self.content, Newlines::Fold, &named).text;
        let choices = self.poll.iter().flat_map(|poll| &poll.options);
        let choices: Vec<_> = choices.map(|choice| choice.title.as_str()).collect();
        let parts = [self.spoiler_text.clone(), said, choices.join("\n")];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// Whether this answer of ours says this text. Servers change what they render (snac makes
    /// pictures of signs), so the source counts where it is given.
    pub fn says(&self, text: &str) -> bool {
        let wanted = html::folded(without_address(text));
        let is_wanted = |said: &str| html::folded(without_address(said)) == wanted;
        self.text.as_deref().is_some_and(is_wanted) || is_wanted(&self.plain())
    }

    /// What it is called on every server.
    pub fn link(&self) -> Option<String> {
        web_link(self.url.clone()).or_else(|| web_link(self.uri.clone()))
    }

    /// `post` is our own post at the top of the thread, where there is one.
    pub fn into_item(self, raw: &[u8], me: &Id, post: Option<&Id>) -> FetchedItem {
        let by_us = self.is_by(me);
        let plain = self.plain();
        let text = match &self.in_reply_to_id {
            Some(_) if by_us => without_address(&plain).to_owned(),
            Some(_) | None => plain,
        };
        let is_under_post = self.in_reply_to_id.is_some() && self.in_reply_to_id.as_ref() == post;
        let kind = match (self.audience(), &self.in_reply_to_id) {
            (Audience::Closed, _) => ItemKind::DirectMessage,
            (Audience::Everybody, Some(_)) if is_under_post => ItemKind::Comment,
            (Audience::Everybody, Some(_)) => ItemKind::Reply,
            (Audience::Everybody, None) => ItemKind::Mention,
        };
        let created_at = self.written_at();
        let mut item = FetchedItem::new(PlatformItemId::new(self.id.as_str()), kind, text, raw);
        item.post_id = post.map(|post| PlatformPostId::new(post.as_str()));
        item.parent_id = self
            .in_reply_to_id
            .filter(|_| !is_under_post)
            .map(|parent| PlatformItemId::new(parent.as_str()));
        let account = self.account;
        let is_limited = account.limited;
        item.author = Author {
            platform_id: Some(account.id.to_string()),
            name: Some(account.display_name).filter(|name| !name.is_empty()),
            handle: Some(account.acct).filter(|acct| !acct.is_empty()),
            url: web_link(account.url),
        };
        item.created_at = created_at;
        item.created_raw = self.created_at;
        item.edited_at = self.edited_at.as_deref().and_then(time);
        item.permalink = web_link(self.url)
            .or_else(|| web_link(self.uri))
            .map(|url| Permalink { url, source: PermalinkSource::Given });
        item.attachments = self.media_attachments.into_iter().map(Media::into_attachment).collect();
        item.presence = match is_limited && !by_us {
            true => Presence::Hidden,
            false => Presence::Visible,
        };
        item.by_us = by_us;
        if !by_us {
            item.barred = vec![Barred { act: ActionKind::Delete, why: NOT_OURS.into() }];
        }
        item
    }

    pub fn into_post(self) -> FetchedPost {
        FetchedPost {
            published_by: None,
            platform_id: PlatformPostId::new(self.id.as_str()),
            title: None,
            text: self.plain(),
            created_at: self.written_at(),
            permalink: web_link(self.url).or_else(|| web_link(self.uri)),
        }
    }
}
