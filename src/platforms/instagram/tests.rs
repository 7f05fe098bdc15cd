//! The connector against the simulator.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::account::PlatformKind;
use crate::domain::action::ActionKind;
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{ItemKind, LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, Collected, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::instagram::Instagram;
use crate::platforms::settings::{InstagramLogin, InstagramSettings};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::instagram::{self as simulate, Options, Own, Simulator};
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, a_refusal_stops_nothing_else, faults_have_their_classes,
    few, first_item, many, troubled, warrant, what_is_shown_late_is_found,
};
use crate::platforms::testing::{self, at, item_id};
use crate::platforms::{Platform, Receipt, Sought};
use crate::runtime::secret::Secret;

type Stage = stage::Stage<simulate::Instagram, Instagram>;

async fn stage(options: Options) -> Stage {
    let connect =
        |simulator: &Simulator, clock| Instagram::new(simulator.settings(), clock).unwrap();
    stage::set(options, connect).await
}

/// Enough that a medium takes several pages, and comments with more answers than come along.
fn large() -> Options {
    many(180, |n| if n % 60 == 7 { 9 } else { usize::from(n % 9 == 1) })
}

fn opened(simulator: &Simulator) -> usize {
    simulator.calls().iter().filter(|call| call.ends_with("/comments")).count()
}

#[tokio::test]
async fn the_connector_keeps_every_promise_by_either_way() {
    for login in [InstagramLogin::Own, Own::default().login, InstagramLogin::Page { page_id: None }]
    {
        let Stage { simulator, account: instagram, .. } =
            stage(Options { own: Own { login, ..Own::default() }, ..few() }).await;
        simulator.message(77, "Hej, har ni öppet?");
        conformance::everything(&instagram, &simulator, &RemovalWarrant::for_test).await;
    }
}

#[tokio::test]
async fn it_keeps_them_over_many_pages_and_few_shown_answers() {
    let Stage { simulator, account: instagram, .. } =
        stage(Options { own: Own { shown: 2, ..Own::default() }, ..large() }).await;
    conformance::everything(&instagram, &simulator, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn a_comment_is_read_with_all_that_is_given() {
    let Stage { account: instagram, simulator: _running, .. } = stage(few()).await;
    let all = fetch_all(&instagram, None).await.unwrap();
    let [question, answer, third, unknown] =
        [1, 2, 3, 4].map(|n| &all.items[&item_id(222_000_000_000_000 + n)]);
    assert_eq!((question.kind, answer.kind), (ItemKind::Comment, ItemKind::Reply));
    assert_eq!(question.author.handle.as_deref(), Some("Kim Exempel"));
    assert_eq!(question.post_id.as_ref().unwrap().as_str(), "111000000000001");
    assert_eq!(question.presence, Presence::Visible);
    assert_eq!(third.parent_id.as_ref(), Some(&question.platform_id), "answers lie in one level");
    assert_eq!(unknown.author.name, None, "the platform withholds some names");
    let link = question.permalink.as_ref().unwrap().url.clone();
    assert!(link.ends_with("/p/111000000000001/"), "the medium's link: {link}");
    let page = reqwest::get(link).await.unwrap();
    assert_eq!(page.headers()["x-uppsikt-simulator"], "instagram");
}

#[tokio::test]
async fn another_accounts_token_is_refused() {
    for login in [InstagramLogin::Own, Own::default().login] {
        let Stage { simulator, clock, .. } =
            stage(Options { own: Own { login, ..Own::default() }, ..few() }).await;
        let mut settings = simulator.settings();
        settings.ig_id = "9990009".into();
        let instagram = Instagram::new(settings, clock.clock()).unwrap();
        assert!(instagram.fetch(None, None).await.is_err());
    }
}

#[tokio::test]
async fn quiet_media_are_not_opened_and_a_late_answer_to_an_old_comment_is_found() {
    let Stage { simulator, account: instagram, clock } = stage(large()).await;
    clock.advance(SignedDuration::from_hours(24 * 5));
    let first = fetch_all(&instagram, None).await.unwrap();
    let n = opened(&simulator);
    let second = fetch_all(&instagram, first.cursor.as_ref()).await.unwrap();
    assert_eq!(opened(&simulator), n, "nothing moved");
    // Under the oldest comment of the first medium, several pages down.
    let old =
        simulator.truth().iter().filter(|c| c.parent.is_none()).map(|c| c.number).nth(1).unwrap();
    let late = item_id(simulator.write("robin", "Sent svar", Some(old)));
    clock.advance(SignedDuration::from_mins(3));
    let third = fetch_all(&instagram, second.cursor.as_ref()).await.unwrap();
    assert!(third.items.contains_key(&late), "the number told of it, so it was looked for");
    let n = opened(&simulator);
    clock.advance(SignedDuration::from_hours(25));
    fetch_all(&instagram, third.cursor.as_ref()).await.unwrap();
    assert!(opened(&simulator) > n, "once a day in any case");
}

#[tokio::test]
async fn an_answer_to_an_answer_stands_on_top_and_names_whom_it_is_to() {
    let Stage { simulator, account: instagram, .. } = stage(few()).await;
    let top = simulator.write("kim.exempel", "Fråga", None);
    let below = simulator.write("robin", "Undrar också", Some(top));
    let all = fetch_all(&instagram, None).await.unwrap();
    let below = ItemAddress::from(&all.items[&item_id(below)]);
    let Receipt::Done(id) = instagram.reply(&below, "Vi öppnar kl. 8", "n").await.unwrap() else {
        panic!("an answer")
    };
    let found = instagram.find_reply(&below, &Sought::ever("Vi öppnar kl. 8", "n")).await.unwrap();
    assert_eq!(found, Some(Receipt::AlreadySo(id.clone())));
    let all = fetch_all(&instagram, None).await.unwrap();
    let ours = &all.items[&PlatformItemId::new(id)];
    assert_eq!(ours.text, "@robin Vi öppnar kl. 8");
    assert_eq!(ours.parent_id.as_ref(), Some(&item_id(top)));
    assert_eq!(ours.barred[0].act, ActionKind::Hide);
    let error = instagram.hide(warrant(&ours.into())).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_hidden_cannot_be_answered_and_says_why() {
    let Stage { account: instagram, simulator: _running, .. } = stage(few()).await;
    let item = first_item(&instagram).await;
    instagram.hide(warrant(&item)).await.unwrap();
    let error = instagram.reply(&item, "Svar", "n").await.unwrap_err();
    assert!(error.swedish().contains("Visa den först"), "{error:?}");
}

#[tokio::test]
async fn messages_are_read_answered_and_never_taken_for_deleted() {
    for login in [InstagramLogin::Own, Own::default().login] {
        let Stage { simulator, account: instagram, clock } =
            stage(Options { own: Own { login, ..Own::default() }, ..few() }).await;
        let first = simulator.message(77, "Hej!");
        simulator.message(88, "Något annat");
        let all = fetch_all(&instagram, None).await.unwrap();
        let hello = &all.items[&PlatformItemId::new(first.as_str())];
        assert_eq!((hello.kind, hello.by_us), (ItemKind::DirectMessage, false));
        assert_eq!(hello.author.platform_id.as_deref(), Some("77"));
        let item = ItemAddress::from(hello);
        assert_eq!(
            instagram.find_reply(&item, &Sought::ever("Hej själv", "n")).await.unwrap(),
            None
        );
        let Receipt::Done(id) = instagram.reply(&item, "Hej själv", "n").await.unwrap() else {
            panic!("an answer")
        };
        let found = instagram.find_reply(&item, &Sought::ever("Hej själv", "n")).await.unwrap();
        assert_eq!(found, Some(Receipt::AlreadySo(id.clone())));
        clock.advance(SignedDuration::from_mins(5));
        let later = fetch_all(&instagram, all.cursor.as_ref()).await.unwrap();
        assert!(later.items[&PlatformItemId::new(id)].by_us);
        for n in 0..25 {
            simulator.message(77, &format!("Meddelande {n}"));
        }
        let old = instagram.read_live(&item).await.unwrap();
        assert!(matches!(old, LiveReading::NotReadable { .. }), "{old:?}");
        let newest = ItemAddress::from(
            &fetch_all(&instagram, later.cursor.as_ref()).await.unwrap().items
                [&PlatformItemId::new("m_28")],
        );
        clock.advance(SignedDuration::from_hours(25));
        let error = instagram.reply(&newest, "För sent", "n").await.unwrap_err();
        assert!(error.swedish().contains("gått ut"), "{error:?}");
        let error = instagram.hide(warrant(&newest)).await.unwrap_err();
        assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn every_fault_has_its_class_and_the_next_try_goes_through() {
    let Stage { simulator, account: instagram, .. } = stage(few()).await;
    let table = [
        (Fault::AppLimit { minutes: 7 }, "throttled"),
        (Fault::PageLimit { minutes: 7 }, "throttled"),
        (Fault::ExpiredToken, "reauth_needed"),
        (Fault::ServerError, "transient"),
        (Fault::HtmlPage, "transient"),
        (Fault::BrokenJson, "transient"),
        (Fault::LostAnswer, "transient"),
    ];
    faults_have_their_classes(&instagram, simulator.front(), &table).await;
    simulator.fail_next(Fault::PageLimit { minutes: 7 }, 1);
    let error = instagram.fetch(None, None).await.unwrap_err();
    let PlatformError::Throttled { until, lane, .. } = error else { panic!("{error:?}") };
    assert_eq!((until, lane), (at("2026-11-21T12:07:00Z"), Lane::Account));
}

#[tokio::test]
async fn a_lost_answer_to_an_act_is_told_as_unknown_and_can_be_found_out() {
    let Stage { simulator, account: instagram, .. } = stage(few()).await;
    a_lost_answer_can_be_found_out(&instagram, simulator.front(), 1).await;
}

#[tokio::test]
async fn random_faults_lose_nothing() {
    let Stage { simulator, account: instagram, clock } =
        stage(troubled(Options { own: Own { shown: 2, ..Own::default() }, ..large() }, 200)).await;
    simulator.message(77, "Hej!");
    testing::random_faults_lose_nothing(&instagram, &simulator, &clock).await;
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(12, async |storm| {
        let Stage { simulator, account: instagram, clock } =
            stage(Options { own: Own { shown: 2, ..Own::default() }, ..few() }).await;
        let front = simulator.front();
        storm.rage(Arc::new(instagram), &simulator, front, &clock).await;
    });
}

/// What of the fields asked for is in Meta's own list for its client packages (IGComment, IGMedia of
/// facebook-business-sdk-codegen, commits 160b4def and 11298ba5). The others stand on its reference pages alone.
#[test]
fn the_fields_asked_for_are_in_metas_own_lists() {
    let comment = ["hidden", "id", "like_count", "media", "text", "timestamp", "user", "username"];
    let pages_only = ["from", "parent_id", "replies"];
    let media = [
        "caption",
        "comments_count",
        "id",
        "is_comment_enabled",
        "media_product_type",
        "media_type",
        "permalink",
        "timestamp",
    ];
    let names = |fields: &str| -> Vec<String> {
        let mut depth = 0;
        let mut all = vec![String::new()];
        for c in fields.chars() {
            match c {
                '{' | '(' => depth += 1,
                '}' | ')' => depth -= 1,
                ',' if depth == 0 => all.push(String::new()),
                c if depth == 0 => all.last_mut().unwrap().push(c),
                _ => {}
            }
        }
        all.into_iter().map(|name| name.trim_end_matches(".limit").to_owned()).collect()
    };
    for name in names(super::wire::THREAD_FIELDS) {
        assert!(comment.contains(&name.as_str()) || pages_only.contains(&name.as_str()), "{name}");
    }
    for name in names(super::wire::MEDIA_FIELDS) {
        assert!(media.contains(&name.as_str()), "{name}");
    }
}

#[tokio::test]
async fn a_post_whose_comments_are_not_given_stops_no_other() {
    let Stage { simulator, account: instagram, clock } = stage(many(9, |_| 0)).await;
    let name = |all: &Collected| {
        let post = all.items.values().find_map(|item| item.post_id.clone()).unwrap();
        format!("{}/comments", post.as_str())
    };
    a_refusal_stops_nothing_else(&instagram, simulator.front(), &clock, name).await;
}

/// What stands where in the simulated account's answers.
struct Kinds;

impl testing::meta::Kinds for Kinds {
    fn node(&self, id: &str) -> Option<&'static str> {
        match id {
            "17841400000000009" | "me" => Some("IGUser"),
            "100000000000009" => Some("Page"),
            "debug_token" => None,
            _ if id.starts_with("t_") || id.starts_with("m_") => None,
            _ if id.starts_with("111") => Some("IGMedia"),
            _ => Some("IGComment"),
        }
    }

    fn edge(&self, _: &str, edge: &str) -> Option<&'static str> {
        match edge {
            "media" => Some("IGMedia"),
            "comments" | "replies" => Some("IGComment"),
            "conversations" => Some("UnifiedThread"),
            _ => None,
        }
    }
}

/// What a push points at.
fn pointed_at(push: &serde_json::Value) -> ItemAddress {
    use crate::platforms::hooks::{Hook, HookSettings};
    use crate::platforms::push::{News, PushRequest, PushSource};
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let secret = Secret::new("appens-hemlighet");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.expose().as_bytes()).unwrap();
    let (kind, account) = (PlatformKind::Instagram, "17841400000000009".to_owned());
    let hook =
        Hook::new(HookSettings { kind, account, secret, verify: None, callback: None }).unwrap();
    let body = push.to_string();
    mac.update(body.as_bytes());
    let signed = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let headers = [("x-hub-signature-256", signed.as_str())];
    let request = PushRequest { headers: &headers, body: body.as_bytes() };
    match hook.receive(request, at(testing::NOW)).unwrap().remove(0).unwrap().told {
        News::Look(address) => address,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn where_others_mention_the_account_is_read_by_what_was_pushed_and_answered() {
    for in_comment in [true, false] {
        let Stage { simulator, account: instagram, .. } = stage(few()).await;
        let item = pointed_at(&simulator.mention("Skäms, @exempelstad!", in_comment));
        let LiveReading::Present(read) = instagram.read_live(&item).await.unwrap() else {
            panic!("it is there")
        };
        assert_eq!((read.kind, read.text.as_str()), (ItemKind::Mention, "Skäms, @exempelstad!"));
        assert_eq!(read.author.handle.as_deref(), Some("kim.exempel"));
        assert!(read.permalink.as_ref().unwrap().url.contains("/p/17"));
        assert_eq!(ItemAddress::from(&*read), item, "it is found again by what it says of itself");
        // It stands with others: nothing but an answer is ours to give.
        for act in [ActionKind::Hide, ActionKind::Delete] {
            assert!(read.barred.iter().any(|barred| barred.act == act), "{act:?}");
        }
        for refused in
            [instagram.hide(warrant(&item)).await, instagram.delete(warrant(&item)).await]
        {
            assert!(matches!(refused, Err(PlatformError::Refused { .. })), "{refused:?}");
        }
        let Receipt::Done(_) = instagram.reply(&item, "Vi hör av oss.", "n").await.unwrap() else {
            panic!("an answer")
        };
        assert_eq!(simulator.answers_elsewhere(), ["Vi hör av oss."]);
        let number = item.platform_id.as_str();
        simulator.change_mention(number, Some("Förlåt."));
        let Ok(LiveReading::Present(edited)) =
            instagram.read_live_many(std::slice::from_ref(&item)).await.unwrap().remove(0)
        else {
            panic!("it is there")
        };
        assert_ne!(edited.content_hash(), read.content_hash(), "an edit is seen");
        simulator.change_mention(number, None);
        let gone = instagram.read_live(&item).await.unwrap();
        assert!(matches!(gone, LiveReading::NotReadable { .. }), "nobody knows: {gone:?}");
    }
    // No word of a push becomes part of what is asked.
    let Stage { account: instagram, .. } = stage(few()).await;
    let odd = ItemAddress {
        platform_id: PlatformItemId::new("1){id},business_discovery.username(x"),
        ..pointed_at(
            &serde_json::json!({"object": "instagram", "entry": [{"id": "17841400000000009",
            "changes": [{"field": "mentions", "value": {"media_id": "1"}}]}]}),
        )
    };
    let error = instagram.read_live(&odd).await.unwrap_err();
    assert!(matches!(error, PlatformError::Contract { .. }), "{error:?}");
}

#[tokio::test]
async fn a_message_is_answered_for_a_week_where_the_app_has_the_right() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    let settings = InstagramSettings { human_agent: true, ..simulator.settings() };
    let instagram = Instagram::new(settings, clock.clock()).unwrap();
    let id = simulator.message(77, "Hej!");
    let all = fetch_all(&instagram, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&PlatformItemId::new(id)]);
    clock.advance(SignedDuration::from_hours(30));
    // The platform has the last word on the right.
    let error = instagram.reply(&item, "Hej", "n").await.unwrap_err();
    assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
    simulator.grant_human_agent();
    assert!(matches!(instagram.reply(&item, "Hej", "n").await, Ok(Receipt::Done(_))));
    clock.advance(SignedDuration::from_hours(24 * 7));
    let error = instagram.reply(&item, "Hej", "n").await.unwrap_err();
    assert!(error.swedish().contains("7 dygn"), "{error:?}");
    assert!(instagram.capabilities().reply_message.words().contains("7 dygn"));
}

#[tokio::test]
async fn requests_and_answers_are_as_meta_publishes_them() {
    let published: serde_json::Value = serde_json::from_str(testing::meta::PUBLISHED).unwrap();
    let Stage { simulator, account: instagram, .. } = stage(few()).await;
    simulator.front().record();
    conformance::everything(&instagram, &simulator, &RemovalWarrant::for_test).await;
    for in_comment in [true, false] {
        let item = pointed_at(&simulator.mention("Hej @exempelstad", in_comment));
        instagram.read_live(&item).await.unwrap();
        instagram.reply(&item, "Hej!", "n").await.unwrap();
    }
    let exchanges = simulator.front().exchanges();
    let found: std::collections::BTreeSet<_> =
        exchanges.iter().flat_map(|e| testing::meta::broken_by(e, &published, &Kinds)).collect();
    assert_eq!(found, std::collections::BTreeSet::new());
}

#[tokio::test]
async fn an_account_that_gives_no_messages_is_read_all_the_same_and_says_so() {
    let Stage { simulator, account: instagram, clock } = stage(few()).await;
    let id = PlatformItemId::new(simulator.message(77, "Hej!"));
    simulator.shut_messages(true);
    let all = fetch_all(&instagram, None).await.unwrap();
    assert!(!all.items.is_empty() && !all.items.contains_key(&id));
    assert!(instagram.capabilities().messages.words().starts_with("för hand"));
    let asked = || simulator.calls().iter().filter(|c| c.ends_with("/conversations")).count();
    let later = fetch_all(&instagram, all.cursor.as_ref()).await.unwrap();
    assert_eq!(asked(), 1, "it is not asked each time");
    simulator.shut_messages(false);
    clock.advance(SignedDuration::from_hours(25));
    let last = fetch_all(&instagram, later.cursor.as_ref()).await.unwrap();
    assert!(last.items.contains_key(&id));
    assert!(instagram.capabilities().messages.is_native());
}

#[tokio::test]
async fn messages_are_read_as_fields_of_a_conversation_or_by_their_own_edge() {
    for by_edge in [false, true] {
        let Stage { simulator, account: instagram, .. } = stage(few()).await;
        let id = PlatformItemId::new(simulator.message(77, "Hej!"));
        if by_edge {
            simulator.list_by_edge();
        }
        let all = fetch_all(&instagram, None).await.unwrap();
        let item = ItemAddress::from(&all.items[&id]);
        let Receipt::Done(sent) = instagram.reply(&item, "Hej själv", "n").await.unwrap() else {
            panic!("an answer")
        };
        let found = instagram.find_reply(&item, &Sought::ever("Hej själv", "n")).await.unwrap();
        assert_eq!(found, Some(Receipt::AlreadySo(sent)), "by the edge: {by_edge}");
    }
}

#[tokio::test]
async fn what_is_shown_later_than_it_was_written_is_found() {
    let Stage { simulator, account: instagram, clock } = stage(few()).await;
    what_is_shown_late_is_found(&instagram, &simulator, simulator.front(), &clock).await;
}
