//! What outsiders write on the authority's accounts (*inlägg, kommentar, meddelande*).
//!
//! [`FetchedItem`] and [`Batch`] are what every connector hands over, whatever its platform looks
//! like; the store turns them into items and versions.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::ActionKind;
use super::ids::{ContentHash, Cursor, PlatformItemId, PlatformPostId};

/// What sort of thing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A comment on one of the authority's posts.
    Comment,
    /// An answer to another comment.
    Reply,
    /// A post by somebody else on the authority's page.
    PostByOther,
    /// The authority named elsewhere.
    Mention,
    /// A private message. Not covered by 1998:112 (2 § 4), always a case.
    DirectMessage,
    /// A review with or without a grade.
    Review,
}

impl ItemKind {
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::Comment,
        Self::Reply,
        Self::PostByOther,
        Self::Mention,
        Self::DirectMessage,
        Self::Review,
    ];

    /// Identifier in the store and in manifests.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Reply => "reply",
            Self::PostByOther => "post_by_other",
            Self::Mention => "mention",
            Self::DirectMessage => "direct_message",
            Self::Review => "review",
        }
    }

    /// The kind with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.id() == id)
    }

    /// The Swedish word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Comment => "kommentar",
            Self::Reply => "svar på kommentar",
            Self::PostByOther => "inlägg av utomstående",
            Self::Mention => "omnämnande",
            Self::DirectMessage => "privat meddelande",
            Self::Review => "omdöme",
        }
    }
}

/// Who wrote it, as the platform shows it. Platforms may withhold every part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The platform's identity of the person; may be scoped to our app.
    pub platform_id: Option<String>,
    /// The shown name.
    pub name: Option<String>,
    /// The handle.
    pub handle: Option<String>,
    /// Link to the profile.
    pub url: Option<String>,
}

/// What the platform says of an item's visibility. Most platforms do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Shown to everybody.
    Visible,
    /// Hidden, in the platform's own sense of the word.
    Hidden,
    /// Moved to the platform's bin or marked as spam; can be brought back.
    Binned,
    /// Gone: deleted by author, platform or somebody else, or no longer shown to us.
    Gone,
    /// The platform does not say, or did not answer.
    Unknown,
}

impl Presence {
    /// All states.
    pub const ALL: &[Self] =
        &[Self::Visible, Self::Hidden, Self::Binned, Self::Gone, Self::Unknown];

    /// Identifier in the store and in manifests.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Hidden => "hidden",
            Self::Binned => "binned",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
        }
    }

    /// The state with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.id() == id)
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Visible => "synlig",
            Self::Hidden => "dold",
            Self::Binned => "i papperskorgen",
            Self::Gone => "borta från plattformen",
            Self::Unknown => "okänt om den syns",
        }
    }
}

/// Something attached to an item. Addresses are often signed and short-lived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The platform's word for the type: `photo`, `video`, `sticker`…
    pub kind: String,
    /// Where the bytes are.
    pub url: Option<String>,
    /// The media type, where the platform tells.
    pub media_type: Option<String>,
    /// A file name or description.
    pub name: Option<String>,
}

/// Where a permalink comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PermalinkSource {
    /// The platform gave it.
    Given,
    /// We built it after a documented pattern.
    Built,
}

/// A link to one item on its platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permalink {
    /// The address.
    pub url: String,
    /// Given or built.
    pub source: PermalinkSource,
}

/// One item as a connector read it, before the store has seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedItem {
    /// The platform's identity of the item, in the normal form of its platform.
    pub platform_id: PlatformItemId,
    /// What it is.
    pub kind: ItemKind,
    /// The post it stands under.
    pub post_id: Option<PlatformPostId>,
    /// The item it answers.
    pub parent_id: Option<PlatformItemId>,
    /// What stands at the top of its thread where that is not a post of ours, by a name that is the
    /// same to every account on the platform. Needed where the thread between is not known.
    pub page: Option<String>,
    /// Author as shown.
    pub author: Author,
    /// Plain text after the transport's own escaping is undone; nothing else changed.
    pub text: String,
    /// When the platform says it was written.
    pub created_at: Option<Timestamp>,
    /// That time exactly as received.
    pub created_raw: Option<String>,
    /// When it was edited, only where the platform states it.
    pub edited_at: Option<Timestamp>,
    /// Link to the item.
    pub permalink: Option<Permalink>,
    /// What hangs on it.
    pub attachments: Vec<Attachment>,
    /// Visibility as the platform states it. An item that comes with [`Presence::Gone`] still has
    /// its last text; one that has lost its text too comes in [`Batch::gone`] instead.
    pub presence: Presence,
    /// Written by the authority's own account. Kept as part of the thread; never opens a case.
    pub by_us: bool,
    /// What the platform says cannot be done with this very item (Facebook's `can_hide`, YouTube's
    /// `canReply`…), beside what the account cannot do at all. Known at the time of reading only.
    pub barred: Vec<Barred>,
    /// The element of the response exactly as received.
    pub raw: Vec<u8>,
    /// The call that it came by, where that is known.
    pub exchange: Option<Arc<Exchange>>,
}

/// A call to a platform that was answered: request line and response headers, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// `GET`, mostly.
    pub method: String,
    /// The address, with whatever can be a secret struck out.
    pub address: String,
    /// HTTP status.
    pub status: u16,
    /// Headers of the answer that carry no secret, by name.
    pub headers: Vec<(String, String)>,
    /// When it was answered.
    pub at: Timestamp,
}

/// One act that the platform will not carry out on one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barred {
    /// The act.
    pub act: ActionKind,
    /// Why, in Swedish.
    pub why: String,
}

impl FetchedItem {
    /// An item of which nothing but the given is known: what a platform withholds stays as here.
    pub fn new(
        platform_id: PlatformItemId,
        kind: ItemKind,
        text: impl Into<String>,
        raw: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            platform_id,
            kind,
            post_id: None,
            parent_id: None,
            page: None,
            author: Author::default(),
            text: text.into(),
            created_at: None,
            created_raw: None,
            edited_at: None,
            permalink: None,
            attachments: Vec::new(),
            presence: Presence::Unknown,
            by_us: false,
            barred: Vec::new(),
            raw: raw.into(),
            exchange: None,
        }
    }

    /// The hash that tells one version from another: see [`content_hash`].
    pub fn content_hash(&self) -> ContentHash {
        content_hash(&self.text, &self.attachments)
    }
}

/// The hash that tells one version from another: of the text and of what is attached.
///
/// Signed addresses change at every fetch, so of an attachment only its type and name count.
pub fn content_hash(text: &str, attachments: &[Attachment]) -> ContentHash {
    let mut bytes = Vec::with_capacity(text.len() + 64);
    bytes.extend_from_slice(text.as_bytes());
    for attachment in attachments {
        // A byte that no UTF-8 text holds: NUL would not do, since a text may hold it and so
        // pass for a text with an attachment.
        bytes.push(0xFF);
        bytes.extend_from_slice(attachment.kind.as_bytes());
        bytes.push(0xFF);
        bytes.extend_from_slice(attachment.name.as_deref().unwrap_or("").as_bytes());
    }
    ContentHash::of(&bytes)
}

/// One of the authority's own posts, fetched as context for what is written under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedPost {
    /// The platform's identity of the post.
    pub platform_id: PlatformPostId,
    /// Title, where the platform has one.
    pub title: Option<String>,
    /// Plain text.
    pub text: String,
    /// When it was published.
    pub created_at: Option<Timestamp>,
    /// Link to it.
    pub permalink: Option<String>,
    /// Which of the platform's users published it for us, where the platform tells that: one of our own, never
    /// sealed or shown with the post.
    #[serde(default, skip)]
    pub published_by: Option<String>,
}

/// What one step of fetching gave: items *and* the cursor that may be remembered once they are
/// durable. There is no other way to move a cursor (invariant 1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The items, in any order, repeats allowed.
    pub items: Vec<FetchedItem>,
    /// Posts they stand under.
    pub posts: Vec<FetchedPost>,
    /// Items of which the platform says that they are deleted, without their text: the last
    /// version known stands, only the presence changes. Unknown identities are passed over.
    pub gone: Vec<PlatformItemId>,
    /// Elements that could not be decoded, kept so that nothing fetched is lost.
    pub unreadable: Vec<Unreadable>,
    /// Where a later fetch begins, once all of the above is durable. `None` keeps the cursor where
    /// it is: platforms that list newest first cannot promise anything before a walk has ended.
    pub next: Option<Cursor>,
    /// There is more to fetch at once: hand this to the next call. It lives in memory only. When
    /// the walk is broken off, the next fetch begins again from the stored cursor, so that a page
    /// may come twice and never not at all.
    pub walk: Option<Walk>,
    /// Why items may be missing although everything went well (the platform lists only so many),
    /// in Swedish. Recorded and shown, since a gap is never passed off as completeness.
    pub gap: Option<String>,
}

/// The place in a walk over several pages: page tokens, posts still to open. In the connector's
/// own form, never stored, since most platforms let page tokens go stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk(String);

impl Walk {
    /// Takes the connector's own form.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The connector's own form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An element of an answer that did not have the expected shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it stood: page and index, or file and line.
    pub place: String,
    /// What was wrong and how to mend it. Never holds the content.
    pub problem: String,
    /// The bytes as received.
    pub raw: Vec<u8>,
}

/// What the platform shows of an item right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveReading {
    /// It is there, as given (possibly hidden, possibly changed).
    Present(Box<FetchedItem>),
    /// It is not there any more.
    Gone,
    /// The platform cannot be asked (a site that only pushes to us; messages out of reach). The
    /// version last handed to us is then the best reading there is, and has to be recorded as that.
    NotReadable {
        /// Why, in Swedish.
        why: &'static str,
    },
}

/// What stands around an item: the post and the items above it, the topmost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// The authority's own post, where it stands under one.
    pub post: Option<FetchedPost>,
    /// The items between the post and the one asked for, without the latter.
    pub above: Vec<FetchedItem>,
    /// Why something above is missing, in Swedish.
    pub missing: Option<String>,
}
