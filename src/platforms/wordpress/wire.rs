//! WordPress' own shapes → ours, and its errors → our one vocabulary.
//!
//! After developer.wordpress.org/rest-api/reference/comments and the answers of versions 6.1, 6.8
//! and 7.1 (read November 2026).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource, Presence,
};
use crate::platforms::error::PlatformError;
use crate::platforms::html::{Newlines, to_plain};
use crate::platforms::http::Answer;

#[derive(Deserialize)]
pub struct Comment {
    pub id: u64,
    #[serde(default)]
    pub post: u64,
    #[serde(default)]
    pub parent: u64,
    #[serde(default)]
    pub author: u64,
    #[serde(default)]
    author_name: Option<String>,
    #[serde(default)]
    author_url: Option<String>,
    #[serde(default)]
    date_gmt: Option<String>,
    pub content: Content,
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    pub status: String,
    /// What it is: WordPress's own kinds, and those of plug-ins.
    #[serde(default, rename = "type")]
    sort: String,
    #[serde(default, rename = "_links")]
    links: Links,
}

/// `raw` comes in the edit context only, which is the only one we ask in.
#[derive(Deserialize)]
pub struct Content {
    pub raw: String,
}

#[derive(Default, Deserialize)]
struct Links {
    #[serde(default)]
    up: Vec<Up>,
}

#[derive(Deserialize)]
struct Up {
    #[serde(default)]
    href: String,
}

#[derive(Deserialize)]
pub struct Post {
    pub id: u64,
    #[serde(default)]
    date_gmt: Option<String>,
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    title: Option<MaybeRaw>,
    #[serde(default)]
    content: Option<MaybeRaw>,
    #[serde(default)]
    author: Option<u64>,
}

#[derive(Deserialize)]
struct MaybeRaw {
    raw: Option<String>,
    rendered: Option<String>,
}

impl MaybeRaw {
    /// The editor's source where we may see it: the rendered form holds what plugins put in.
    fn plain(&self) -> String {
        match (&self.raw, &self.rendered) {
            (Some(raw), _) => to_plain(raw, Newlines::Keep).text,
            (None, Some(rendered)) => to_plain(rendered, Newlines::Fold).text,
            (None, None) => String::new(),
        }
    }
}

#[derive(Deserialize)]
pub struct Me {
    pub id: u64,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    capabilities: serde_json::Map<String, serde_json::Value>,
}

impl Me {
    pub fn may_moderate(&self) -> bool {
        self.capabilities.get("moderate_comments").and_then(serde_json::Value::as_bool)
            == Some(true)
    }
}

/// A `*_gmt` time: UTC without a zone mark.
pub fn gmt(text: &str) -> Option<Timestamp> {
    let local: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(local).ok()
}

/// What a status says of visibility. Comments of a binned post are `post-trashed`.
pub fn presence(status: &str) -> Presence {
    match status {
        "approved" | "approve" | "1" => Presence::Visible,
        "hold" | "0" => Presence::Hidden,
        "spam" | "trash" | "post-trashed" => Presence::Binned,
        _ => Presence::Unknown,
    }
}

/// Kinds that are kept among comments and are no part of the page: notes between editors (WordPress 6.9), and
/// what shops and other plug-ins write down for themselves, about customers too.
const INTERNAL: &[&str] = &["note", "action_log", "webhook_delivery"];

impl Comment {
    /// Whether it is none of those that people write on the page.
    pub fn is_internal(&self) -> bool {
        INTERNAL.contains(&self.sort.as_str())
            || self.sort.ends_with("_note")
            || self.sort.ends_with("_log")
    }

    /// The comment that it answers.
    pub fn parent(&self) -> Option<u64> {
        (self.parent != 0).then_some(self.parent)
    }

    /// When it was written, for the cursor.
    pub fn written_at(&self) -> Option<Timestamp> {
        self.date_gmt.as_deref().and_then(gmt)
    }

    /// The address of the post's record in the REST interface.
    pub fn post_href(&self) -> Option<&str> {
        self.links.up.first().map(|up| up.href.as_str()).filter(|href| !href.is_empty())
    }

    pub fn into_item(self, raw: &[u8], me: u64) -> FetchedItem {
        let kind = match self.sort.as_str() {
            // Another page that links here: what stands there is an extract of it.
            "pingback" | "trackback" => ItemKind::Mention,
            "review" if self.parent == 0 => ItemKind::Review,
            _ if self.parent == 0 => ItemKind::Comment,
            _ => ItemKind::Reply,
        };
        let created_at = self.written_at();
        let plain = to_plain(&self.content.raw, Newlines::Keep);
        let mut item =
            FetchedItem::new(PlatformItemId::new(self.id.to_string()), kind, plain.text, raw);
        item.post_id = (self.post != 0).then(|| PlatformPostId::new(self.post.to_string()));
        item.parent_id = self.parent().map(|parent| PlatformItemId::new(parent.to_string()));
        item.author = Author {
            // Guests all have author 0, which is nobody's identity.
            platform_id: (self.author != 0).then(|| self.author.to_string()),
            name: self.author_name.filter(|name| !name.is_empty()),
            handle: None,
            url: self.author_url.filter(|url| !url.is_empty()),
        };
        item.created_at = created_at;
        item.created_raw = self.date_gmt;
        item.permalink = self
            .link
            .filter(|link| !link.is_empty())
            .map(|url| Permalink { url, source: PermalinkSource::Given });
        item.attachments = plain
            .images
            .into_iter()
            .map(|image| Attachment {
                kind: "image".into(),
                url: Some(image.src),
                media_type: None,
                name: image.alt,
            })
            .collect();
        item.presence = presence(&self.status);
        item.by_us = self.author == me;
        item
    }
}

impl Post {
    pub fn into_post(self) -> FetchedPost {
        FetchedPost {
            // Ours: the site's users are whoever writes its posts.
            published_by: self
                .author
                .filter(|author| *author != 0)
                .map(|author| author.to_string()),
            platform_id: PlatformPostId::new(self.id.to_string()),
            title: self.title.map(|title| title.plain()).filter(|title| !title.is_empty()),
            text: self.content.map(|content| content.plain()).unwrap_or_default(),
            created_at: self.date_gmt.as_deref().and_then(gmt),
            permalink: self.link,
        }
    }
}

#[derive(Deserialize)]
struct Fault {
    code: String,
}

/// The code of an error answer, where it is one of WordPress' own.
pub fn code(answer: &Answer) -> Option<String> {
    let fault = serde_json::from_slice::<Fault>(&answer.body).ok()?;
    // It goes into logs and to editors, so nothing but a short name is let through.
    let is_name = fault.code.len() <= 80
        && fault.code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    Some(if is_name { fault.code } else { "unnamed".to_owned() })
}

/// The user may log in but not moderate.
pub fn may_not_moderate() -> PlatformError {
    PlatformError::Forbidden {
        what: "användaren saknar rätten moderate_comments: ge den rollen redaktör i WordPress"
            .into(),
    }
}

/// Turns an answer that is no success into an error (`platforms` sheet, section 10.5). Decides on
/// the code: the message is in the site's language.
pub fn fault(answer: &Answer) -> PlatformError {
    if let Some(trouble) = answer.trouble()
        && answer.status != 500
        && answer.status != 501
    {
        return trouble;
    }
    let Some(code) = code(answer) else { return answer.not_json() };
    let refused =
        |reason: &str| PlatformError::Refused { code: code.clone(), reason: reason.into() };
    match code.as_str() {
        "rest_comment_invalid_id" | "rest_post_invalid_id" | "rest_already_trashed" => {
            PlatformError::Gone
        }
        "comment_duplicate" => refused("WordPress har redan ett likadant svar under samma inlägg."),
        "comment_flood" => {
            refused("WordPress tycker att svaren kommer för tätt. Vänta en stund och försök igen.")
        }
        "rest_comment_closed" => refused(
            "Inlägget är stängt för kommentarer. Öppna det i WordPress eller svara på annat sätt.",
        ),
        "rest_comment_draft_post" | "rest_comment_trash_post" => {
            refused("Inlägget är inte publicerat, så det går inte att svara där.")
        }
        "rest_comment_content_invalid" => refused("WordPress godtar inte ett tomt svar."),
        "comment_content_column_length" => refused("Svaret är för långt för WordPress. Korta det."),
        "rest_trash_not_supported" => refused(
            "Webbplatsen har ingen papperskorg. Ta bort kommentaren för gott i WordPress om det är meningen.",
        ),
        "rest_no_route" => PlatformError::Contract {
            detail: "rest_no_route: the address is wrong or the REST interface is shut by a plugin"
                .into(),
        },
        _ => match answer.status {
            401 => PlatformError::ReauthNeeded { detail: code },
            403 => PlatformError::Forbidden {
                what: format!(
                    "användaren behöver rätten moderate_comments (rollen redaktör i WordPress); svaret var {code}"
                ),
            },
            500..=599 => PlatformError::Transient {
                detail: format!("HTTP {} {code}", answer.status),
                may_have_acted: answer.was_write,
                retry_at: answer.retry_after(),
            },
            status => PlatformError::Contract { detail: format!("HTTP {status} {code}") },
        },
    }
}
