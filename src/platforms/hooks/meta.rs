//! What Meta pushes for Pages and Instagram accounts (`platforms` sheet, sections 2.4, 3.6 and 4.6).

use serde_json::Value;

use crate::domain::account::PlatformKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::ItemKind;
use crate::evidence::warrant::ItemAddress;
use crate::platforms::push::{News, Push, PushRefused, PushRequest, Pushed};

use super::{Told, id, malformed, mentions, unreadable};

/// The SHA-1 beside it is not looked at.
const HEADER: &str = "x-hub-signature-256";

pub fn signature(request: PushRequest<'_>) -> Result<Told, PushRefused> {
    let told = request.header(HEADER).and_then(|told| told.strip_prefix("sha256="));
    let Some(told) = told else { return malformed("X-Hub-Signature-256: sha256={hex} is missing") };
    let mut digest = [0; 32];
    match hex::decode_to_slice(told, &mut digest) {
        Ok(()) => Ok(Told { digest, time: None }),
        Err(_) => malformed("the signature is to be 64 hexadecimal digits"),
    }
}

/// The last part of an id that may stand behind that of its post.
pub(super) fn last(id: &str) -> &str {
    id.rsplit('_').next().unwrap_or(id)
}

/// Where a change of a Page's feed is to be looked for; nothing where it is of no concern.
fn of_feed(value: &Value) -> Option<Result<News, ()>> {
    match value["item"].as_str() {
        Some("comment") => {
            let (Some(comment), Some(post)) = (id(&value["comment_id"]), id(&value["post_id"]))
            else {
                return Some(Err(()));
            };
            let parent = id(&value["parent_id"]).filter(|parent| last(parent) != last(&post));
            let kind = if parent.is_some() { ItemKind::Reply } else { ItemKind::Comment };
            Some(Ok(News::Look(ItemAddress {
                platform_id: PlatformItemId::new(last(&comment)),
                kind,
                post_id: Some(PlatformPostId::new(post)),
                parent_id: parent.map(|parent| PlatformItemId::new(last(&parent))),
            })))
        }
        Some("like" | "reaction") => None,
        // Posts of whatever kind.
        Some(_) => Some(Ok(News::Poll)),
        None => Some(Err(())),
    }
}

/// The same of a comment on Instagram.
fn of_comments(value: &Value) -> Result<News, ()> {
    let comment = id(&value["id"]).ok_or(())?;
    let parent = id(&value["parent_id"]);
    let kind = if parent.is_some() { ItemKind::Reply } else { ItemKind::Comment };
    // Older deliveries do not name the medium: the walk finds it.
    let Some(media) = id(&value["media"]["id"]) else { return Ok(News::Poll) };
    Ok(News::Look(ItemAddress {
        platform_id: PlatformItemId::new(comment),
        kind,
        post_id: Some(PlatformPostId::new(media)),
        parent_id: parent.map(PlatformItemId::new),
    }))
}

pub fn read(body: &Value) -> Result<Push, PushRefused> {
    let shape = |problem: &str| PushRefused::Shape { problem: problem.into() };
    let (platform, is_page) = match body["object"].as_str() {
        Some("page") => (PlatformKind::Facebook, true),
        Some("instagram") => (PlatformKind::Instagram, false),
        Some(_) | None => return Err(shape("`object` is neither page nor instagram")),
    };
    let entries = body["entry"].as_array().ok_or_else(|| shape("`entry` is no list"))?;
    let mut push = Push::new();
    for (n, entry) in entries.iter().enumerate() {
        let place = |m: usize| format!("entry {}, element {}", n + 1, m + 1);
        let Some(account) = id(&entry["id"]) else {
            push.push(Err(unreadable(platform, place(0), entry)));
            continue;
        };
        let told = |told| Pushed { account: Some(account.clone()), told, post: None };
        let none = Vec::new();
        let changes = entry["changes"].as_array().unwrap_or(&none).iter();
        // By Instagram's own login the change may stand on the entry itself.
        let alone = entry.get("field").map(|_| entry);
        for (m, change) in changes.chain(alone).enumerate() {
            let value = &change["value"];
            let news = match (is_page, change["field"].as_str()) {
                (true, Some("feed")) => match of_feed(value) {
                    Some(news) => news,
                    None => continue,
                },
                (false, Some("comments" | "live_comments")) => of_comments(value),
                (true, Some("mention")) => {
                    mentions::on_facebook(value, entry["time"].as_i64()).ok_or(())
                }
                (false, Some("mentions")) => mentions::on_instagram(value).ok_or(()),
                // What was subscribed to and is of no concern here.
                (_, Some(_)) => continue,
                (_, None) => Err(()),
            };
            push.push(news.map(told).map_err(|()| unreadable(platform, place(m), change)));
        }
        let messages = entry["messaging"].as_array().unwrap_or(&none);
        for message in messages {
            let message = &message["message"];
            // Taken back by whoever wrote it: ours stays, and is marked.
            if message["is_deleted"] == Value::Bool(true)
                && let Some(gone) = id(&message["mid"])
            {
                push.push(Ok(told(News::Gone(PlatformItemId::new(gone)))));
            }
        }
        // Our own come back as an echo.
        if messages.iter().any(|message| message["message"]["is_echo"] != Value::Bool(true)) {
            push.push(Ok(told(News::Poll)));
        }
    }
    Ok(push)
}
