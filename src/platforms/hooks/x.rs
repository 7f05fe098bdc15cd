//! What X pushes, and the question by which it makes sure that the address is ours (`platforms` sheet,
//! section 7.7). A post, whoever wrote it, is found by the ordinary walk: by its number it would cost a read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac as _;
use serde_json::{Value, json};

use crate::domain::account::PlatformKind;
use crate::platforms::push::{News, Push, PushRefused, PushRequest, Pushed};

use super::{Hook, Told, id, malformed, unreadable};

const HEADER: &str = "x-twitter-webhooks-signature";

pub fn signature(request: PushRequest<'_>) -> Result<Told, PushRefused> {
    let told = request.header(HEADER).and_then(|told| told.strip_prefix("sha256="));
    let Some(told) = told else {
        return malformed("x-twitter-webhooks-signature: sha256={base64} is missing");
    };
    match STANDARD.decode(told).ok().and_then(|digest| digest.try_into().ok()) {
        Some(digest) => Ok(Told { digest, time: None }),
        None => malformed("the signature is to be the base64 of 32 bytes"),
    }
}

/// The answer to `crc_token`.
pub fn response(hook: &Hook, token: &str) -> String {
    let digest = hook.mac(&[token.as_bytes()]).finalize().into_bytes();
    json!({ "response_token": format!("sha256={}", STANDARD.encode(digest)) }).to_string()
}

pub fn read(body: &Value) -> Result<Push, PushRefused> {
    // The envelope of today, and the older one, which some events still come in.
    let account = id(&body["data"]["filter"]["user_id"]).or_else(|| id(&body["for_user_id"]));
    let is_event = body["data"]["event_type"].is_string() || body["for_user_id"].is_string();
    match account {
        Some(account) => {
            Ok(vec![Ok(Pushed { account: Some(account), told: News::Poll, post: None })])
        }
        None if is_event => Ok(vec![Err(unreadable(PlatformKind::X, "data.filter".into(), body))]),
        None => Err(PushRefused::Shape { problem: "no event of an account".into() }),
    }
}
