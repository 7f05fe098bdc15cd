//! What TikTok pushes of comments (`platforms` sheet, section 8.6).

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::account::PlatformKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::ItemKind;
use crate::evidence::warrant::ItemAddress;
use crate::platforms::push::{News, Push, PushRefused, PushRequest, Pushed};

use super::{Told, id, malformed, unreadable};

const HEADER: &str = "tiktok-signature";

/// What was not taken is sent again for so long; whether with a new time nobody says.
const REPEATED: SignedDuration = SignedDuration::from_hours(73);

/// How far its clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

fn part<'a>(request: PushRequest<'a>, name: &str) -> Option<&'a str> {
    let header = request.headers.iter().find(|(known, _)| *known == HEADER)?.1;
    let mut found = header.split(',').filter_map(|part| {
        let (known, value) = part.trim().split_once('=')?;
        (known == name).then_some(value)
    });
    // Once each.
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The time that was signed with the body, as it is written.
pub fn time(request: PushRequest<'_>) -> Option<&str> {
    part(request, "t").filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()))
}

pub fn signature(request: PushRequest<'_>, now: Timestamp) -> Result<Told, PushRefused> {
    let (Some(written), Some(told)) = (time(request), part(request, "s")) else {
        return malformed("Tiktok-Signature: t={unix s},s={hex} is missing");
    };
    let mut digest = [0; 32];
    if hex::decode_to_slice(told, &mut digest).is_err() {
        return malformed("s is to be 64 hexadecimal digits");
    }
    let Some(at) = written.parse().ok().and_then(|at| Timestamp::from_second(at).ok()) else {
        return malformed("t is to be the time in whole unix seconds");
    };
    let off = now.duration_since(at);
    if off > REPEATED || off < -AHEAD {
        let most = if off > REPEATED { REPEATED } else { AHEAD };
        return Err(PushRefused::OffTime { off_by_s: off.as_secs(), most_s: most.as_secs() });
    }
    Ok(Told { digest, time: Some(written.to_owned()) })
}

pub fn read(body: &Value) -> Result<Push, PushRefused> {
    let Some(account) = id(&body["user_openid"]) else {
        return Err(PushRefused::Shape { problem: "`user_openid` is missing".into() });
    };
    let told = |told| Ok(Pushed { account: Some(account.clone()), told, post: None });
    if body["event"] != "comment.update" {
        return Ok(Vec::new());
    }
    // Text within the text, with ids as bare numbers of 19 digits.
    let content =
        body["content"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let address = content.and_then(|content| {
        let (comment, video) = (id(&content["comment_id"])?, id(&content["video_id"])?);
        let parent = id(&content["parent_comment_id"]);
        let parent = parent.filter(|parent| *parent != video && parent != "0");
        Some(ItemAddress {
            platform_id: PlatformItemId::new(comment),
            kind: if parent.is_some() { ItemKind::Reply } else { ItemKind::Comment },
            post_id: Some(PlatformPostId::new(video)),
            parent_id: parent.map(PlatformItemId::new),
        })
    });
    Ok(vec![match address {
        Some(address) => told(News::Look(address)),
        None => Err(unreadable(PlatformKind::TikTok, "content".into(), body)),
    }])
}
