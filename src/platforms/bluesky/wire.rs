//! Bluesky's shapes → ours (`platforms` sheet, section 12.3).

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use url::Url;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, Barred, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource,
    Presence,
};

pub const POST: &str = "app.bsky.feed.post";

/// What hangs on posts that we read. Nothing else is taken for nothing.
const KNOWN_EMBEDS: &[&str] = &[
    "app.bsky.embed.images",
    "app.bsky.embed.video",
    "app.bsky.embed.external",
    "app.bsky.embed.record",
    "app.bsky.embed.recordWithMedia",
];

const NOT_OUR_THREAD: &str =
    "bara svar i trådar som kontot självt har startat kan döljas; anmäl inlägget i stället";

/// The longest id of an author, and the longest key of a post, that the protocol allows.
const LONGEST_DID: usize = 2_048;
const LONGEST_KEY: usize = 512;

/// A post's address, `at://{did}/app.bsky.feed.post/{rkey}`: with the author's permanent id, never
/// with a handle, which may change hands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Uri(String);

impl Uri {
    /// `None` where it is no such address, or could lead elsewhere when put into a link.
    pub fn new(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("at://")?.split('/');
        let (did, collection, rkey) = (parts.next()?, parts.next()?, parts.next()?);
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
        let fits = did.len() <= LONGEST_DID
            && rkey.len() <= LONGEST_KEY
            && parts.next().is_none()
            && did.starts_with("did:")
            && did.bytes().all(|b| is_plain(b) || b == b'%')
            && collection == POST
            && !matches!(rkey, "" | "." | "..")
            && rkey.bytes().all(|b| is_plain(b) || b == b'~');
        fits.then(|| Self(text.to_owned()))
    }

    /// A post of this account's.
    pub fn of(did: &str, rkey: &str) -> Option<Self> {
        Self::new(&format!("at://{did}/{POST}/{rkey}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The author's permanent id.
    pub fn did(&self) -> &str {
        self.parts().0
    }

    /// The post's key among its author's posts.
    pub fn rkey(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        let rest = self.0.strip_prefix("at://").unwrap_or_default();
        let (did, rest) = rest.split_once('/').unwrap_or_default();
        (did, rest.split_once('/').unwrap_or_default().1)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Uri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom("not the address of a post"))
    }
}

/// A post in one exact version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub uri: Uri,
    pub cid: String,
}

/// What an answer answers, and what stands at the top of its thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub root: Reference,
    pub parent: Reference,
}

#[derive(Deserialize)]
pub struct Person {
    pub did: String,
    #[serde(default)]
    handle: Option<String>,
    #[serde(default, rename = "displayName")]
    name: Option<String>,
}

#[derive(Deserialize)]
pub struct Record {
    pub text: String,
    #[serde(default, rename = "createdAt")]
    created_at: Option<String>,
    #[serde(default)]
    pub reply: Option<Place>,
    #[serde(default)]
    embed: Option<Embed>,
    /// What parts of the text lead to.
    #[serde(default)]
    facets: Vec<Facet>,
}

/// A stretch of the text, counted in bytes, and what it does.
#[derive(Deserialize)]
struct Facet {
    #[serde(default)]
    index: Stretch,
    #[serde(default)]
    features: Vec<Feature>,
}

#[derive(Default, Deserialize)]
struct Stretch {
    #[serde(default, rename = "byteStart")]
    start: usize,
    #[serde(default, rename = "byteEnd")]
    end: usize,
}

#[derive(Deserialize)]
struct Feature {
    /// Only links have one.
    #[serde(default)]
    uri: Option<String>,
}

/// What hangs on a post, as its author's program wrote it. With media beside a quoted post the two
/// are in one.
#[derive(Default, Deserialize)]
struct Embed {
    #[serde(default, rename = "$type")]
    kind: String,
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    video: Option<Blob>,
    #[serde(default)]
    alt: Option<String>,
    #[serde(default)]
    external: Option<External>,
    #[serde(default)]
    media: Option<Box<Embed>>,
    #[serde(default)]
    record: Option<Quoted>,
}

#[derive(Deserialize)]
struct Image {
    #[serde(default)]
    alt: Option<String>,
    image: Blob,
}

#[derive(Deserialize)]
struct Blob {
    #[serde(default, rename = "ref")]
    link: Option<Link>,
    #[serde(default, rename = "mimeType")]
    media_type: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(rename = "$link")]
    cid: String,
}

#[derive(Deserialize)]
struct External {
    uri: String,
    #[serde(default)]
    title: Option<String>,
}

/// A quoted post, or a wrapper around it.
#[derive(Deserialize)]
struct Quoted {
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    record: Option<Box<Quoted>>,
}

/// The same as the platform serves it: only where pictures can be fetched.
#[derive(Default, Deserialize)]
struct EmbedView {
    #[serde(default)]
    images: Vec<ImageView>,
    #[serde(default)]
    playlist: Option<String>,
    #[serde(default)]
    media: Option<Box<EmbedView>>,
}

#[derive(Deserialize)]
struct ImageView {
    #[serde(default)]
    fullsize: Option<String>,
}

/// What is known of the thread that a post stands in.
#[derive(Clone, Copy, Debug)]
pub enum Around<'a> {
    /// We did not begin it, and can hide nothing there.
    NotOurs,
    /// These answers are hidden.
    Hidden(&'a BTreeSet<String>),
    /// It could not be found out which are.
    Unknown,
}

/// A post, alone or in a notification.
#[derive(Deserialize)]
pub struct Post {
    pub uri: Uri,
    pub cid: String,
    pub author: Person,
    pub record: Record,
    #[serde(default, rename = "indexedAt")]
    indexed_at: Option<String>,
    #[serde(default, rename = "replyCount")]
    pub reply_count: Option<u64>,
    #[serde(default)]
    embed: Option<EmbedView>,
}

#[derive(Deserialize)]
pub struct Notifications<'a> {
    #[serde(borrow)]
    pub notifications: Vec<&'a RawValue>,
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What a notification is of, before it is read as a post.
#[derive(Deserialize)]
pub struct Notice {
    #[serde(default)]
    reason: String,
    #[serde(default, rename = "indexedAt")]
    indexed_at: Option<String>,
}

impl Notice {
    /// Whether somebody speaks to us: servers that do not know the filter give likes too.
    pub fn is_addressed(&self) -> bool {
        matches!(self.reason.as_str(), "reply" | "mention" | "quote")
    }

    pub fn at(&self) -> Option<Timestamp> {
        time(self.indexed_at.as_deref())
    }
}

#[derive(Deserialize)]
pub struct Feed<'a> {
    #[serde(borrow)]
    pub feed: Vec<&'a RawValue>,
    #[serde(default)]
    pub cursor: Option<String>,
}

#[derive(Deserialize)]
pub struct FeedItem {
    pub post: Post,
    /// Why it is in the feed, where it is not ours: a repost.
    #[serde(default)]
    pub reason: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
pub struct Posts<'a> {
    #[serde(borrow)]
    pub posts: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
pub struct Thread<'a> {
    #[serde(borrow)]
    pub thread: &'a RawValue,
}

/// A place in a thread. Read one level at a time: threads nest deeper than JSON readers like.
#[derive(Deserialize)]
pub struct Node<'a> {
    #[serde(borrow, default)]
    pub post: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub parent: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub replies: Option<Vec<&'a RawValue>>,
    /// Where there is no post to see.
    #[serde(default)]
    pub uri: Option<Uri>,
    #[serde(default, rename = "notFound")]
    pub is_gone: bool,
    /// There is one, and its author and we block each other.
    #[serde(default, rename = "blocked")]
    pub is_blocked: bool,
}

/// Times have three to six digits of a second.
fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}

fn web_link(text: Option<String>) -> Option<String> {
    text.filter(|link| link.starts_with("https://") || link.starts_with("http://"))
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

impl Facet {
    /// The links of this stretch, except those that the text itself spells out.
    fn links(&self, text: &str) -> Vec<Attachment> {
        let shown = text.get(self.index.start..self.index.end);
        let targets = self.features.iter().filter_map(|feature| feature.uri.as_deref());
        let hidden = targets.filter(|uri| shown != Some(uri));
        hidden
            .map(|uri| Attachment {
                kind: "link".into(),
                url: web_link(Some(uri.to_owned())),
                media_type: None,
                name: Some(uri.to_owned()),
            })
            .collect()
    }
}

impl Embed {
    /// Kind and name follow from what the author wrote alone, so that a version is the same from
    /// whichever list it was read; a picture's own hash is in its name, so that another picture is
    /// another version.
    fn attachments(self, view: EmbedView, found: &mut Vec<Attachment>) {
        let mut addresses = view.images.into_iter().map(|image| image.fullsize);
        for Image { alt, image } in self.images {
            let url = web_link(addresses.next().flatten());
            found.push(image.attachment("image", alt, url));
        }
        if let Some(video) = self.video {
            found.push(video.attachment("video", self.alt, web_link(view.playlist)));
        }
        if let Some(External { uri, title }) = self.external {
            // The address counts: a title stands over any.
            let name = match filled(title) {
                Some(title) => format!("{title} ({uri})"),
                None => uri.clone(),
            };
            let (kind, url) = ("external".to_owned(), web_link(Some(uri)));
            found.push(Attachment { kind, url, media_type: None, name: Some(name) });
        }
        let quoted = self
            .record
            .and_then(|quoted| quoted.uri.or_else(|| quoted.record.and_then(|inner| inner.uri)));
        if let Some(uri) = quoted {
            let kind = "quote".to_owned();
            found.push(Attachment { kind, url: None, media_type: None, name: Some(uri) });
        }
        if let Some(media) = self.media {
            media.attachments(view.media.map(|view| *view).unwrap_or_default(), found);
        }
    }
}

impl Blob {
    fn attachment(self, kind: &str, alt: Option<String>, url: Option<String>) -> Attachment {
        let cid = self.link.map(|link| link.cid);
        let name = match (filled(alt), cid) {
            (Some(alt), Some(cid)) => Some(format!("{alt} ({cid})")),
            (alt, cid) => alt.or(cid),
        };
        Attachment { kind: kind.to_owned(), url, media_type: self.media_type, name }
    }
}

impl Post {
    pub fn is_by(&self, me: &str) -> bool {
        self.author.did == me
    }

    /// The network's date of it: when it first saw it, or what the author's program claims, whichever
    /// is earlier. Somebody who writes with an old date has an old one here.
    pub fn written_at(&self) -> Option<Timestamp> {
        time(self.indexed_at.as_deref()).or_else(|| time(self.record.created_at.as_deref()))
    }

    pub fn reference(&self) -> Reference {
        Reference { uri: self.uri.clone(), cid: self.cid.clone() }
    }

    /// Where an answer to this post stands.
    pub fn place_below(&self) -> Place {
        let own = self.reference();
        let root =
            self.record.reply.as_ref().map_or_else(|| own.clone(), |above| above.root.clone());
        Place { root, parent: own }
    }

    /// Our own post at the top of its thread, where it is ours.
    pub fn our_root(&self, me: &str) -> Option<Uri> {
        self.record.reply.as_ref().map(|place| place.root.uri.clone()).filter(|r| r.did() == me)
    }

    /// `around` tells of the hidden answers of the thread it stands in.
    pub fn into_item(self, raw: &[u8], me: &str, app: &Url, around: Around<'_>) -> FetchedItem {
        let by_us = self.is_by(me);
        let created_at = self.written_at();
        let root = self.our_root(me);
        let top = self.record.reply.as_ref().map(|place| place.root.uri.as_str().to_owned());
        let parent = self.record.reply.map(|place| place.parent.uri);
        let is_under_post = parent.is_some() && parent == root;
        let kind = match &parent {
            Some(_) if is_under_post => ItemKind::Comment,
            Some(_) => ItemKind::Reply,
            None => ItemKind::Mention,
        };
        let id = PlatformItemId::new(self.uri.as_str());
        let mut item = FetchedItem::new(id, kind, self.record.text, raw);
        item.parent_id =
            parent.filter(|_| !is_under_post).map(|uri| PlatformItemId::new(uri.as_str()));
        item.page = top.filter(|_| root.is_none());
        item.presence = match around {
            Around::Hidden(hidden) if hidden.contains(self.uri.as_str()) => Presence::Hidden,
            Around::Hidden(_) | Around::NotOurs => Presence::Visible,
            Around::Unknown => Presence::Unknown,
        };
        if root.is_none() {
            let barred = |act| Barred { act, why: NOT_OUR_THREAD.into() };
            item.barred = [ActionKind::Hide, ActionKind::Unhide].map(barred).to_vec();
        }
        item.post_id = root.map(|uri| PlatformPostId::new(uri.as_str()));
        item.permalink =
            Some(Permalink { url: link(app, &self.uri), source: PermalinkSource::Built });
        item.author = Author {
            url: Some(below(app, &["profile", &self.author.did])),
            platform_id: Some(self.author.did),
            name: filled(self.author.name),
            handle: filled(self.author.handle),
        };
        item.created_at = created_at;
        item.created_raw = self.indexed_at.or(self.record.created_at);
        item.attachments = self.record.facets.iter().flat_map(|f| f.links(&item.text)).collect();
        if let Some(embed) = self.record.embed {
            let is_known = KNOWN_EMBEDS.contains(&embed.kind.as_str());
            if !is_known {
                // What we cannot read makes another version too: the post's own hash tells it.
                let (kind, name) = (embed.kind.clone(), Some(self.cid));
                item.attachments.push(Attachment { kind, url: None, media_type: None, name });
            }
            embed.attachments(self.embed.unwrap_or_default(), &mut item.attachments);
        }
        item.by_us = by_us;
        item
    }

    pub fn into_post(self, app: &Url) -> FetchedPost {
        FetchedPost {
            published_by: None,
            platform_id: PlatformPostId::new(self.uri.as_str()),
            title: None,
            created_at: self.written_at(),
            permalink: Some(link(app, &self.uri)),
            text: self.record.text,
        }
    }
}

/// The page for people: the author by permanent id, so that the link outlives a change of name.
fn link(app: &Url, uri: &Uri) -> String {
    below(app, &["profile", uri.did(), "post", uri.rkey()])
}

fn below(app: &Url, segments: &[&str]) -> String {
    format!("{}/{}", app.as_str().trim_end_matches('/'), segments.join("/"))
}
