use jiff::SignedDuration;
use proptest::prelude::*;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::ItemKind;
use crate::platforms::push::{News, Pushed};
use crate::platforms::testing::{NOW, at};

use super::*;

const META: &str = "x-hub-signature-256";
const X: &str = "x-twitter-webhooks-signature";
const TIKTOK: &str = "tiktok-signature";
const LINKEDIN: &str = "x-li-signature";

/// What openssl makes of LinkedIn's question and `hemligt`.
const RESPONSE: &str = "4b3639d313b9b78df7f4f98d2dfa5c5c7b057bb4621b226fd1ce471722dee869";

fn hook(kind: PlatformKind) -> Hook {
    let verify = Some(Secret::new("vi-är-vi"));
    let settings = HookSettings {
        kind,
        account: "1".into(),
        secret: Secret::new("hemligt"),
        verify,
        callback: None,
    };
    Hook::new(settings).unwrap()
}

/// What openssl makes of `hemligt` and `{}`, with and without the time before it.
const HEX: &str = "sha256=6a643d570c8e9aa730ddb9009b3c1354ab97c6b820a2bed77f9748b04df3ba0d";

fn received(hook: &Hook, header: (&str, &str), body: &str) -> Result<Push, PushRefused> {
    hook.receive(PushRequest { headers: &[header], body: body.as_bytes() }, at(NOW))
}

/// A header over a body, made by hand.
fn header(kind: PlatformKind, body: &str, secret: &str) -> (&'static str, String) {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let t = at(NOW).as_second();
    if kind == PlatformKind::TikTok {
        mac.update(format!("{t}.").as_bytes());
    }
    if kind == PlatformKind::LinkedIn {
        mac.update(b"hmacsha256=");
    }
    mac_told(kind, mac, body, t)
}

fn mac_told(
    kind: PlatformKind,
    mut mac: Hmac<Sha256>,
    body: &str,
    t: i64,
) -> (&'static str, String) {
    mac.update(body.as_bytes());
    let digest = mac.finalize().into_bytes();
    match kind {
        PlatformKind::LinkedIn => (LINKEDIN, hex::encode(digest)),
        PlatformKind::X => {
            use base64::Engine as _;
            let coded = base64::engine::general_purpose::STANDARD.encode(digest);
            (X, format!("sha256={coded}"))
        }
        PlatformKind::TikTok => (TIKTOK, format!("t={t},s={}", hex::encode(digest))),
        _ => (META, format!("sha256={}", hex::encode(digest))),
    }
}

const BODIES: [(PlatformKind, &str); 4] = [
    (
        PlatformKind::Facebook,
        r#"{"object":"page","entry":[{"id":"1","time":1753253718,"changes":[{"field":"feed","value":{"item":"comment","verb":"add","comment_id":"111_222","post_id":"1_111","parent_id":"1_111","from":{"id":"7","name":"Kim Exempel"},"message":"n\u00e4r?","created_time":1753253718}}]}]}"#,
    ),
    (
        PlatformKind::X,
        r#"{"data":{"event_uuid":"a","filter":{"user_id":"1"},"event_type":"post.mention.create","tag":"x","payload":{"id":"2090000000000000001"}}}"#,
    ),
    (
        PlatformKind::TikTok,
        r#"{"client_key":"k","event":"comment.update","create_time":1753391148,"user_openid":"1","content":"{\"comment_id\":7106532145678901234,\"video_id\":7106500000000000000,\"parent_comment_id\":0,\"comment_type\":\"comment\",\"comment_action\":\"insert\",\"timestamp\":1753391148000,\"text\":\"Hej\"}"}"#,
    ),
    (
        PlatformKind::LinkedIn,
        r#"{"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS","notifications":[{"notificationId":7,"organizationalEntity":"urn:li:organization:1","action":"COMMENT","sourcePost":"urn:li:share:7200000000000000001","generatedActivity":"urn:li:comment:(urn:li:activity:7300000000000000001,7300000000000000002)","lastModifiedAt":1784796918000}]}"#,
    ),
];

#[test]
fn what_is_signed_is_taken_and_nothing_else() {
    for (kind, body) in BODIES {
        let hook = hook(kind);
        let (name, good) = header(kind, body, "hemligt");
        assert_eq!(received(&hook, (name, good.as_str()), body).unwrap().len(), 1, "{kind}");
        let other = format!("{body} ");
        assert_eq!(
            received(&hook, (name, good.as_str()), &other),
            Err(PushRefused::WrongSignature)
        );
        let (_, wrong) = header(kind, body, "annat");
        assert_eq!(received(&hook, (name, wrong.as_str()), body), Err(PushRefused::WrongSignature));
        for broken in
            ["", "sha256=", "sha256=zz", "t=1", "t=x,s=00", "s=00", &good[..good.len() - 2]]
        {
            let told = received(&hook, (name, broken), body);
            assert!(
                matches!(told, Err(PushRefused::NoSignature { .. })),
                "{kind} {broken}: {told:?}"
            );
        }
        let told = received(&hook, ("x-other", good.as_str()), body);
        assert!(matches!(told, Err(PushRefused::NoSignature { .. })), "{told:?}");
        // An app without a secret takes nothing, whoever knows that.
        let empty = HookSettings { secret: Secret::new(""), ..hook.0.clone() };
        let (_, signed) = header(kind, body, "");
        let told = received(&Hook::new(empty).unwrap(), (name, signed.as_str()), body);
        assert_eq!(told, Err(PushRefused::WrongSignature));
    }
}

#[test]
fn the_signatures_are_what_anybody_else_computes() {
    // printf '{}' | openssl dgst -sha256 -hmac hemligt
    let (_, ours) = header(PlatformKind::Facebook, "{}", "hemligt");
    assert_eq!(ours, HEX);
    // The digest of X is the same bytes, coded otherwise.
    let answer = hook(PlatformKind::X).handshake(&[("crc_token", "abc")]).unwrap();
    assert_eq!(answer, CRC);
}

/// `printf abc | openssl dgst -sha256 -hmac hemligt -binary | base64`, in the platform's envelope.
const CRC: &str = r#"{"response_token":"sha256=KTFHLMWssAFUmNDTdBY7dnGlglaNceLhI98HIDlCyW0="}"#;

#[test]
fn each_push_says_where_to_look() {
    let mut told = BODIES.map(|(kind, body)| {
        let (name, signed) = header(kind, body, "hemligt");
        received(&hook(kind), (name, signed.as_str()), body).unwrap().remove(0).unwrap()
    });
    let [facebook, x, tiktok, linkedin] = &mut told;
    let News::Look(comment) = &facebook.told else { panic!("{facebook:?}") };
    assert_eq!(facebook.account.as_deref(), Some("1"));
    assert_eq!(comment.platform_id.as_str(), "222");
    assert_eq!(comment.post_id.as_ref().unwrap().as_str(), "1_111");
    assert_eq!(comment.parent_id, None, "a comment on the post itself");
    assert_eq!(x, &Pushed { account: Some("1".into()), told: News::Poll, post: None });
    let News::Look(comment) = &tiktok.told else { panic!("{tiktok:?}") };
    assert_eq!(comment.platform_id.as_str(), "7106532145678901234", "no digit is lost");
    assert_eq!(comment.post_id.as_ref().unwrap().as_str(), "7106500000000000000");
    assert_eq!(comment.parent_id, None);
    let News::Look(comment) = &linkedin.told else { panic!("{linkedin:?}") };
    assert_eq!(linkedin.account.as_deref(), Some("1"));
    let urn = "urn:li:comment:(urn:li:activity:7300000000000000001,7300000000000000002)";
    assert_eq!(comment.platform_id.as_str(), urn);
    assert_eq!(comment.post_id.as_ref().unwrap().as_str(), "urn:li:share:7200000000000000001");
}

#[test]
fn linkedin_asks_whether_the_address_is_ours_and_its_answer_signs_no_body() {
    let hook = hook(PlatformKind::LinkedIn);
    let code = "890e4665-4dfe-4ab1-b689-ed553bceeed0";
    let told = hook.handshake(&[("challengeCode", code), ("applicationId", "1")]).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["challengeCode"], code);
    // printf CODE | openssl dgst -sha256 -hmac hemligt
    assert_eq!(told["challengeResponse"], RESPONSE);
    let answer = told["challengeResponse"].as_str().unwrap();
    assert_eq!(received(&hook, (LINKEDIN, answer), code), Err(PushRefused::WrongSignature));
    assert_eq!(hook.handshake(&[("challengeCode", "{\"notifications\":[]}")]), None);
    assert_eq!(hook.handshake(&[]), None);
}

#[test]
fn linkedin_is_read_as_far_as_it_is_documented() {
    let read = |body: &str| linkedin::read(&serde_json::from_str(body).unwrap()).unwrap();
    let push = read(
        r#"{"notifications":[
            {"organizationalEntity":"urn:li:organization:5","action":"LIKE"},
            {"organizationalEntity":"urn:li:organization:5","action":"COMMENT_DELETE"},
            {"organizationalEntity":"urn:li:organization:5","action":"ADMIN_COMMENT","generatedActivity":"urn:li:activity:9"},
            {"action":"COMMENT"}]}"#,
    );
    assert_eq!(push.len(), 3, "{push:?}");
    for told in &push[..2] {
        assert_eq!(told.as_ref().unwrap().told, News::Poll);
    }
    assert_eq!(push[2].as_ref().unwrap_err().place, "notifications, element 4");
    assert!(linkedin::read(&serde_json::json!({"notifications": {}})).is_err());
}

#[test]
fn what_names_the_account_elsewhere_is_told_by_pushes_alone() {
    let one = |object: &str, field: &str, value: &str| {
        let body = format!(
            r#"{{"object":"{object}","entry":[{{"id":"1","time":1753253718,"changes":[{{"field":"{field}","value":{value}}}]}}]}}"#
        );
        meta::read(&serde_json::from_str(&body).unwrap()).unwrap().remove(0).map(|one| one.told)
    };
    let of_page = |value: &str| one("page", "mention", value);
    // Facebook tells the text along with it.
    let told = of_page(
        r#"{"post_id":"55_111","comment_id":"111_222","item":"comment","verb":"add","message":"Skäms, @Exempelstad","created_time":1753253700}"#,
    );
    let Ok(News::Item(item)) = told else { panic!("{told:?}") };
    assert_eq!((item.kind, item.platform_id.as_str()), (ItemKind::Mention, "222"));
    assert_eq!(item.text, "Skäms, @Exempelstad");
    assert_eq!(item.created_at.unwrap().as_second(), 1_753_253_700);
    assert_eq!(item.permalink.unwrap().url, "https://www.facebook.com/55_111?comment_id=222");
    assert_eq!(item.barred.len(), 4);
    let told = of_page(r#"{"post_id":"55_111","item":"post","verb":"remove"}"#);
    assert_eq!(told, Ok(News::Gone(PlatformItemId::new("55_111"))));
    let told = of_page(r#"{"post_id":"55_111","item":"post","verb":"add"}"#);
    let Ok(News::Look(address)) = told else { panic!("{told:?}") };
    assert_eq!((address.kind, address.post_id), (ItemKind::Mention, None));
    assert!(of_page(r#"{"item":"post","verb":"add"}"#).is_err());
    // Instagram names what to read.
    let of_instagram = |value: &str| one("instagram", "mentions", value);
    let told = of_instagram(r#"{"comment_id":"17990","media_id":17980}"#);
    let Ok(News::Look(address)) = told else { panic!("{told:?}") };
    assert_eq!(address.platform_id.as_str(), "17990");
    assert_eq!(address.post_id.unwrap().as_str(), "17980");
    let told = of_instagram(r#"{"comment_id":0,"media_id":"17980"}"#);
    let Ok(News::Look(address)) = told else { panic!("{told:?}") };
    assert_eq!((address.platform_id.as_str(), address.post_id), ("17980", None));
    assert!(of_instagram(r#"{"comment_id":"17990"}"#).is_err());
}

#[test]
fn a_message_that_is_taken_back_is_told_as_gone() {
    let body = r#"{"object":"instagram","entry":[{"id":"1","messaging":[{"sender":{"id":"5"},"message":{"mid":"m_9","is_deleted":true}}]}]}"#;
    let push = meta::read(&serde_json::from_str(body).unwrap()).unwrap();
    let told: Vec<_> = push.into_iter().map(|one| one.unwrap().told).collect();
    assert_eq!(told, [News::Gone(PlatformItemId::new("m_9")), News::Poll]);
}

#[test]
fn meta_is_read_in_all_its_shapes() {
    let read = |body: &str| meta::read(&serde_json::from_str(body).unwrap()).unwrap();
    // Both forms of Instagram, ids as numbers, one change that is of no concern, and one that is damaged.
    let push = read(
        r#"{"object":"instagram","entry":[
            {"id":17841,"time":1,"changes":[{"field":"comments","value":{"id":"1787","parent_id":1788,"media":{"id":"1785"}}},
                {"field":"story_insights","value":{}},{"value":{}}]},
            {"id":"17841","time":1,"field":"comments","value":{"id":"9","text":"Hej"}},
            {"id":"17841","messaging":[{"sender":{"id":"5"},"message":{"mid":"m","text":"Hej"}}]},
            {"id":"17841","messaging":[{"sender":{"id":"17841"},"message":{"mid":"m","is_echo":true}}]}]}"#,
    );
    let mut lines = String::new();
    for told in &push {
        lines.push_str(&match told {
            Ok(Pushed { account, told, .. }) => format!("{account:?} {told:?}\n"),
            Err(unreadable) => format!("{}: {}\n", unreadable.place, unreadable.problem),
        });
    }
    insta::assert_snapshot!(lines);
    let likes = r#"{"object":"page","entry":[{"id":"1","changes":[{"field":"feed","value":{"item":"like"}}]}]}"#;
    assert!(read(likes).is_empty());
    assert!(meta::read(&serde_json::json!({"object": "user", "entry": []})).is_err());
}

#[test]
fn only_whoever_knows_the_word_learns_that_the_address_is_ours() {
    let hook_ = hook(PlatformKind::Instagram);
    let ask = |mode, token, challenge| {
        hook_.handshake(&[
            ("hub.mode", mode),
            ("hub.verify_token", token),
            ("hub.challenge", challenge),
        ])
    };
    assert_eq!(ask("subscribe", "vi-är-vi", "1158201444"), Some("1158201444".into()));
    assert_eq!(ask("subscribe", "vi-är-v", "1158201444"), None);
    assert_eq!(ask("unsubscribe", "vi-är-vi", "1158201444"), None);
    assert_eq!(ask("subscribe", "vi-är-vi", "<script>"), None);
    let without = HookSettings { verify: None, ..hook_.0.clone() };
    let without = Hook::new(without).unwrap();
    let asked = [("hub.mode", "subscribe"), ("hub.verify_token", ""), ("hub.challenge", "1")];
    assert_eq!(without.handshake(&asked), None);
    // What X has signed for the question must never be a body that could be pushed.
    let x = hook(PlatformKind::X);
    assert_eq!(x.handshake(&[("crc_token", r#"{"for_user_id":"1"}"#)]), None);
    let long = "a".repeat(257);
    assert_eq!(x.handshake(&[("crc_token", long.as_str())]), None);
    assert_eq!(x.handshake(&[]), None);
    assert_eq!(hook(PlatformKind::TikTok).handshake(&[("crc_token", "abc")]), None);
}

#[test]
fn the_same_delivery_is_known_again_and_old_ones_are_refused() {
    for (kind, body) in BODIES {
        let hook = hook(kind);
        let (name, signed) = header(kind, body, "hemligt");
        let of = |signed: &str, body: &str| {
            let headers = [(name, signed)];
            hook.delivery(PushRequest { headers: &headers, body: body.as_bytes() })
        };
        assert_eq!(of(&signed, body), of(&signed, body));
        assert_ne!(of(&signed, body), of(&signed, "{}"));
    }
    let hook = hook(PlatformKind::TikTok);
    let (name, signed) = header(PlatformKind::TikTok, BODIES[2].1, "hemligt");
    for (hours, is_taken) in [(-1, false), (0, true), (72, true), (74, false)] {
        let now = at(NOW) + SignedDuration::from_hours(hours);
        let headers = [(name, signed.as_str())];
        let request = PushRequest { headers: &headers, body: BODIES[2].1.as_bytes() };
        assert_eq!(hook.receive(request, now).is_ok(), is_taken, "{hours}");
    }
}

#[test]
fn other_platforms_have_no_hook() {
    for kind in PlatformKind::ALL {
        let settings = HookSettings {
            kind: *kind,
            account: "1".into(),
            secret: Secret::new("hemligt"),
            verify: None,
            callback: None,
        };
        let can = crate::platforms::capability::of(*kind).webhook.is_native();
        let has_own = *kind == PlatformKind::OwnSite;
        assert_eq!(Hook::new(settings).is_some(), can && !has_own, "{kind}");
    }
}

proptest! {
    #[test]
    fn no_header_or_body_panics(header in ".{0,80}", body in ".{0,200}", n in 0..4_usize) {
        let (kind, _) = BODIES[n];
        let hook = hook(kind);
        for name in [META, X, TIKTOK, LINKEDIN] {
            let _ = received(&hook, (name, header.as_str()), &body);
        }
        if let Ok(body) = serde_json::from_str(&body) {
            let _ = (meta::read(&body), x::read(&body), tiktok::read(&body));
            let _ = linkedin::read(&body);
        }
        let _ = hook.handshake(&[("crc_token", header.as_str()), ("hub.challenge", body.as_str())]);
    }
}
