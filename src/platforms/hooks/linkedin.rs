//! What LinkedIn pushes of organisations' posts, and the question by which it makes sure that the address is ours, every
//! two hours (`platforms` sheet, section 6.6). Its shapes are documented by example alone: a comment that is named is
//! looked at, and whatever else has happened hastens the walk.

use hmac::Mac as _;
use serde_json::{Value, json};

use crate::domain::account::PlatformKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::ItemKind;
use crate::evidence::warrant::ItemAddress;
use crate::platforms::push::{News, Push, PushRefused, PushRequest, Pushed};

use super::{Hook, Told, malformed, unreadable};

const HEADER: &str = "x-li-signature";

/// What stands before the body in what is signed.
pub const BEFORE: &[u8] = b"hmacsha256=";

pub fn signature(request: PushRequest<'_>) -> Result<Told, PushRefused> {
    let told = request.header(HEADER);
    // Documents show it with and without its name.
    let told = told.map(|told| told.strip_prefix("hmacsha256=").unwrap_or(told));
    let mut digest = [0; 32];
    match told.map(|told| hex::decode_to_slice(told, &mut digest)) {
        Some(Ok(())) => Ok(Told { digest, time: None }),
        Some(Err(_)) => malformed("the signature is to be 64 hexadecimal digits"),
        None => malformed("X-LI-Signature: {hex} is missing"),
    }
}

/// The answer to `challengeCode`.
pub fn response(hook: &Hook, code: &str) -> String {
    let digest = hook.mac(&[code.as_bytes()]).finalize().into_bytes();
    json!({ "challengeCode": code, "challengeResponse": hex::encode(digest) }).to_string()
}

/// The number behind `urn:li:organization:`.
fn organization(urn: &str) -> Option<String> {
    let (kind, number) = urn.strip_prefix("urn:li:")?.split_once(':')?;
    let is_organization = matches!(kind, "organization" | "organizationalPage" | "company");
    (is_organization && !number.is_empty()).then(|| number.to_owned())
}

/// The comment that a notification is about, where it names one.
fn comment(one: &Value) -> Option<ItemAddress> {
    let places = ["generatedActivity", "comment", "commentUrn"];
    let urn = places
        .iter()
        .find_map(|place| one[*place].as_str().filter(|urn| urn.starts_with("urn:li:comment:(")))?;
    let inner = urn.strip_prefix("urn:li:comment:(")?.strip_suffix(')')?;
    let (thread, _) = inner.rsplit_once(',')?;
    // The same thread has several names: that of the post is the one that posts are listed by.
    let post = one["sourcePost"].as_str().filter(|urn| urn.starts_with("urn:li:"));
    Some(ItemAddress {
        platform_id: PlatformItemId::new(urn),
        // What it answers is told when it is read.
        kind: ItemKind::Comment,
        post_id: Some(PlatformPostId::new(post.unwrap_or(thread))),
        parent_id: None,
    })
}

pub fn read(body: &Value) -> Result<Push, PushRefused> {
    let Some(all) = body["notifications"].as_array() else {
        return Err(PushRefused::Shape { problem: "`notifications` is no list".into() });
    };
    let told = |(n, one): (usize, &Value)| {
        let entity = one["organizationalEntity"].as_str().and_then(organization);
        let Some(account) = entity else {
            let place = format!("notifications, element {}", n + 1);
            return Err(unreadable(PlatformKind::LinkedIn, place, one));
        };
        let news = match (one["action"].as_str(), comment(one)) {
            // Nothing of ours to look for, and no reason to hurry.
            (Some("LIKE" | "SHARE" | "SHARE_MENTION"), _) => None,
            (_, Some(address)) => Some(News::Look(address)),
            (_, None) => Some(News::Poll),
        };
        Ok(news.map(|told| Pushed { account: Some(account), told, post: None }))
    };
    let read = all.iter().enumerate().map(told);
    Ok(read.filter_map(Result::transpose).collect())
}
