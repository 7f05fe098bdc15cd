//! The connector against the simulator.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{ItemKind, LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, Collected, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::facebook::Facebook;
use crate::platforms::push::Subscribed;
use crate::platforms::settings::FacebookSettings;
use crate::platforms::simulate::facebook::{self as simulate, Options, Simulator};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, a_refusal_stops_nothing_else, faults_have_their_classes,
    few, first_item, many, troubled, warrant, what_is_shown_late_is_found,
};
use crate::platforms::testing::{self, at, item_id};
use crate::platforms::{Platform, Receipt, Sought};

type Stage = stage::Stage<simulate::Facebook, Facebook>;

async fn stage(options: Options) -> Stage {
    let connect =
        |simulator: &Simulator, clock| Facebook::new(simulator.settings(), clock).unwrap();
    stage::set(options, connect).await
}

/// Enough comments that a post takes several pages.
fn large() -> Options {
    many(450, |_| 0)
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    let Stage { simulator, account: facebook, .. } = stage(few()).await;
    conformance::everything(&facebook, &simulator, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn it_keeps_them_over_many_pages() {
    let Stage { simulator, account: facebook, .. } = stage(large()).await;
    conformance::everything(&facebook, &simulator, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn a_comment_is_read_with_all_that_is_given() {
    let Stage { account: facebook, simulator: _running, .. } = stage(few()).await;
    let all = fetch_all(&facebook, None).await.unwrap();
    let [question, answer, third, unknown] =
        [1, 2, 3, 4].map(|n| &all.items[&item_id(222_000_000_000_000 + n)]);
    assert_eq!(question.kind, ItemKind::Comment);
    assert_eq!(question.author.name.as_deref(), Some("Kim Exempel"));
    assert_eq!(question.post_id.as_ref().unwrap().as_str(), "100000000000009_111000000000001");
    assert_eq!(question.presence, Presence::Visible);
    assert!(question.permalink.as_ref().unwrap().url.ends_with("#comment-222000000000001"));
    assert_eq!(answer.kind, ItemKind::Reply);
    assert_eq!(third.parent_id.as_ref(), Some(&question.platform_id), "answers lie in one level");
    assert_eq!(unknown.author.name, None, "the platform withholds some names");
    assert_eq!(all.posts[0].text.lines().next(), Some("Badhuset öppnar igen"));
}

#[tokio::test]
async fn the_script_unrolls_with_the_clock() {
    let Stage { simulator, account: facebook, clock } = stage(few()).await;
    let start = fetch_all(&facebook, None).await.unwrap();
    assert_eq!(start.items.len(), 4);
    clock.advance(SignedDuration::from_secs(100));
    let later = fetch_all(&facebook, start.cursor.as_ref()).await.unwrap();
    let edited = &later.items[&item_id(222_000_000_000_005)];
    let removed = ItemAddress::from(&later.items[&item_id(222_000_000_000_006)]);
    assert_eq!(edited.text, "Bra jobbat.");
    clock.advance(SignedDuration::from_secs(100));
    let readings = facebook.read_live_many(&[ItemAddress::from(edited), removed]).await.unwrap();
    let Ok(LiveReading::Present(edited)) = &readings[0] else { panic!("{readings:?}") };
    assert_eq!(edited.text, "Bra jobbat. Eller nej, vilket slarv.");
    assert_eq!(readings[1], Ok(LiveReading::Gone));
    assert_eq!(simulator.truth().iter().filter(|comment| comment.deleted).count(), 1);
}

#[tokio::test]
async fn quiet_posts_are_not_opened() {
    let Stage { simulator, account: facebook, clock } = stage(few()).await;
    let first = fetch_all(&facebook, None).await.unwrap();
    let opened = || simulator.calls().iter().filter(|call| call.ends_with("/comments")).count();
    assert_eq!(opened(), 2, "both posts at first");
    let second = fetch_all(&facebook, first.cursor.as_ref()).await.unwrap();
    assert_eq!(opened(), 2, "nothing moved");
    clock.advance(SignedDuration::from_secs(70));
    let third = fetch_all(&facebook, second.cursor.as_ref()).await.unwrap();
    assert_eq!(opened(), 3, "one post has a new comment");
    clock.advance(SignedDuration::from_secs(130));
    fetch_all(&facebook, third.cursor.as_ref()).await.unwrap();
    assert_eq!(opened(), 5, "young posts are looked into every two minutes");
}

#[tokio::test]
async fn a_persons_token_is_refused_before_it_lists_nothing() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    let mut settings = simulator.settings();
    settings.token = simulator.person_token();
    let facebook = Facebook::new(settings, clock.clock()).unwrap();
    for error in
        [facebook.fetch(None, None).await.unwrap_err(), facebook.check().await.unwrap_err()]
    {
        assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn every_fault_has_its_class_and_the_next_try_goes_through() {
    let Stage { simulator, account: facebook, .. } = stage(few()).await;
    let table = [
        (Fault::AppLimit { minutes: 7 }, "throttled"),
        (Fault::PageLimit { minutes: 7 }, "throttled"),
        (Fault::ExpiredToken, "reauth_needed"),
        (Fault::ServerError, "transient"),
        (Fault::HtmlPage, "transient"),
        (Fault::BrokenJson, "transient"),
        (Fault::LostAnswer, "transient"),
    ];
    faults_have_their_classes(&facebook, simulator.front(), &table).await;
    simulator.fail_next(Fault::AppLimit { minutes: 7 }, 1);
    let error = facebook.fetch(None, None).await.unwrap_err();
    let PlatformError::Throttled { until, lane, .. } = error else { panic!("{error:?}") };
    assert_eq!((until, lane), (at("2026-11-21T12:07:00Z"), Lane::App));
}

#[tokio::test]
async fn a_lost_answer_to_an_act_is_told_as_unknown_and_can_be_found_out() {
    let Stage { simulator, account: facebook, .. } = stage(few()).await;
    a_lost_answer_can_be_found_out(&facebook, simulator.front(), 0).await;
    let item = first_item(&facebook).await;
    simulator.fail_next(Fault::ServerError, 1);
    assert!(facebook.delete(warrant(&item)).await.unwrap_err().may_have_acted());
    simulator.fail_next(Fault::PageLimit { minutes: 1 }, 1);
    assert!(!facebook.delete(warrant(&item)).await.unwrap_err().may_have_acted());
}

#[tokio::test]
async fn our_own_comments_cannot_be_hidden_and_say_so() {
    let Stage { account: facebook, simulator: _running, .. } = stage(few()).await;
    let item = first_item(&facebook).await;
    let Receipt::Done(ours) = facebook.reply(&item, "Vi öppnar klockan 6.", "n").await.unwrap()
    else {
        panic!("an answer")
    };
    let all = fetch_all(&facebook, None).await.unwrap();
    let ours = &all.items[&PlatformItemId::new(ours)];
    assert!(ours.by_us);
    assert_eq!(ours.barred[0].act, ActionKind::Hide);
    let error = facebook.hide(warrant(&ours.into())).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn background_reading_stops_when_the_limit_is_near_and_acts_go_on() {
    let Stage { simulator, account: facebook, clock } = stage(few()).await;
    let item = first_item(&facebook).await;
    simulator.set_usage(92);
    fetch_all(&facebook, None).await.unwrap_err();
    let calls = simulator.calls().len();
    let error = facebook.fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::Throttled { lane: Lane::Call, .. }), "{error:?}");
    assert_eq!(simulator.calls().len(), calls, "nothing was called");
    facebook.hide(warrant(&item)).await.unwrap();
    simulator.set_usage(10);
    clock.advance(SignedDuration::from_mins(11));
    fetch_all(&facebook, None).await.unwrap();
}

#[tokio::test]
async fn random_faults_lose_nothing() {
    let Stage { simulator, account: facebook, clock } = stage(troubled(large(), 200)).await;
    testing::random_faults_lose_nothing(&facebook, &simulator, &clock).await;
}

#[tokio::test]
async fn what_was_done_outlives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { journal: Some(directory.path().join("simulator.jsonl")), ..few() };
    let (clock, before) = {
        let Stage { simulator, account: facebook, clock } = stage(options.clone()).await;
        let item = first_item(&facebook).await;
        facebook.hide(warrant(&item)).await.unwrap();
        facebook.reply(&item, "Svar", "nyckel").await.unwrap();
        (clock, simulator.truth())
    };
    clock.advance(SignedDuration::from_secs(30));
    let simulator = Simulator::start(options, clock.clock()).await.unwrap();
    assert_eq!(simulator.truth(), before);
}

#[tokio::test]
async fn the_page_for_people_shows_what_is_visible_and_nothing_runs() {
    let Stage { simulator, account: facebook, .. } = stage(few()).await;
    let hostile = simulator.write("<b>Kim</b>", "<script>alert(1)</script>", None);
    let item = first_item(&facebook).await;
    let all = fetch_all(&facebook, None).await.unwrap();
    let link = all.items[&item.platform_id].permalink.clone().unwrap().url;
    facebook.hide(warrant(&item)).await.unwrap();
    let answer = reqwest::get(link).await.unwrap();
    assert_eq!(answer.headers()["x-uppsikt-simulator"], "facebook");
    let html = answer.text().await.unwrap();
    assert!(html.contains(&format!("id=\"comment-{hostile}\"")));
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"));
    assert!(html.contains("(simulerad)"));
    assert!(!html.contains(&format!("id=\"comment-{}\"", item.platform_id)), "hidden is hidden");
}

#[tokio::test]
async fn old_posts_are_opened_again_only_when_their_number_of_comments_moved() {
    let Stage { simulator, account: facebook, clock } = stage(few()).await;
    clock.advance(SignedDuration::from_hours(24 * 100));
    let first = fetch_all(&facebook, None).await.unwrap();
    let opened = || simulator.calls().iter().filter(|call| call.ends_with("/comments")).count();
    assert_eq!(opened(), 2, "both posts at first");
    clock.advance(SignedDuration::from_hours(25));
    let second = fetch_all(&facebook, first.cursor.as_ref()).await.unwrap();
    assert_eq!(opened(), 2, "nothing moved");
    let late = item_id(simulator.write("Kim Exempel", "Ett år senare", None));
    clock.advance(SignedDuration::from_hours(25));
    let third = fetch_all(&facebook, second.cursor.as_ref()).await.unwrap();
    assert_eq!(opened(), 3, "one moved");
    assert!(third.items.contains_key(&late));
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(12, async |storm| {
        let Stage { simulator, account: facebook, clock } = stage(few()).await;
        let front = simulator.front();
        storm.rage(Arc::new(facebook), &simulator, front, &clock).await;
    });
}

#[tokio::test]
async fn a_post_whose_comments_are_not_given_stops_no_other() {
    let Stage { simulator, account: facebook, clock } = stage(many(9, |_| 0)).await;
    let name = |all: &Collected| {
        let post = all.items.values().find_map(|item| item.post_id.clone()).unwrap();
        format!("{}/comments", post.as_str())
    };
    a_refusal_stops_nothing_else(&facebook, simulator.front(), &clock, name).await;
}

#[tokio::test]
async fn messages_are_read_and_answered_within_their_window() {
    let Stage { simulator, account: facebook, clock } = stage(few()).await;
    let (first, other) =
        (simulator.message(77, "Hej, när öppnar badet?"), simulator.message(88, "Hej"));
    let all = fetch_all(&facebook, None).await.unwrap();
    let first = &all.items[&PlatformItemId::new(first)];
    assert_eq!(first.kind, ItemKind::DirectMessage);
    assert_eq!(first.author.name.as_deref(), Some("Kim Exempel"));
    assert!(first.permalink.as_ref().unwrap().url.ends_with("/inbox/"));
    assert!(all.items.contains_key(&PlatformItemId::new(other)));
    let item = ItemAddress::from(first);
    let text = "Klockan 8.";
    let before = facebook.find_reply(&item, &Sought::ever(text, "n")).await.unwrap();
    assert_eq!(before, None);
    let Receipt::Done(ours) = facebook.reply(&item, text, "n").await.unwrap() else {
        panic!("an answer")
    };
    let found = facebook.find_reply(&item, &Sought::ever(text, "n")).await.unwrap();
    assert_eq!(found, Some(Receipt::AlreadySo(ours.clone())));
    let again = fetch_all(&facebook, all.cursor.as_ref()).await.unwrap();
    assert!(again.items[&PlatformItemId::new(ours.as_str())].by_us);
    let own = ItemAddress::from(&again.items[&PlatformItemId::new(ours)]);
    assert!(matches!(facebook.reply(&own, "x", "m").await, Err(PlatformError::Refused { .. })));
    assert!(matches!(facebook.hide(warrant(&item)).await, Err(PlatformError::Refused { .. })));
    let LiveReading::Present(read) = facebook.read_live(&item).await.unwrap() else {
        panic!("it is there")
    };
    assert_eq!(read.content_hash(), first.content_hash(), "read alone it is the same");
    // A day later nobody is answered any more, and whoever asks is told where.
    clock.advance(SignedDuration::from_hours(25));
    let error = facebook.reply(&item, "För sent", "o").await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
    assert!(error.swedish().contains("inkorg"), "{}", error.swedish());
}

#[tokio::test]
async fn a_message_is_answered_for_a_week_where_the_app_has_the_right() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    simulator.grant_human_agent();
    let settings = FacebookSettings { human_agent: true, ..simulator.settings() };
    let facebook = Facebook::new(settings, clock.clock()).unwrap();
    let id = simulator.message(77, "Hej!");
    let all = fetch_all(&facebook, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&PlatformItemId::new(id)]);
    clock.advance(SignedDuration::from_hours(30));
    assert!(matches!(facebook.reply(&item, "Hej", "n").await, Ok(Receipt::Done(_))));
    // What the person has written since counts, and not what we wrote.
    clock.advance(SignedDuration::from_hours(24 * 7));
    let error = facebook.reply(&item, "Hej", "n").await.unwrap_err();
    assert!(error.swedish().contains("7 dygn"), "{error:?}");
    simulator.message(77, "Hallå?");
    assert!(matches!(facebook.reply(&item, "Hej", "n").await, Ok(Receipt::Done(_))));
    let can = facebook.capabilities();
    assert_eq!(can.answers_messages_for, Some(SignedDuration::from_hours(24 * 7)));
    assert!(can.reply_message.words().contains("7 dygn"));
}

#[tokio::test]
async fn what_stands_on_others_pages_is_neither_read_again_nor_touched() {
    let Stage { account: facebook, simulator: _running, .. } = stage(few()).await;
    for post in [Some(PlatformPostId::new("55_111")), None] {
        let item = ItemAddress {
            platform_id: PlatformItemId::new("222"),
            kind: ItemKind::Mention,
            post_id: post,
            parent_id: None,
        };
        let read = facebook.read_live(&item).await.unwrap();
        assert!(matches!(read, LiveReading::NotReadable { .. }), "{read:?}");
        let refused =
            [facebook.delete(warrant(&item)).await, facebook.reply(&item, "Hej", "n").await];
        for refused in refused {
            assert!(matches!(refused, Err(PlatformError::Refused { .. })), "{refused:?}");
        }
        assert!(facebook.read_thread(&item).await.unwrap().missing.is_some());
    }
}

#[tokio::test]
async fn a_long_conversation_is_read_to_its_beginning_once_and_then_what_is_new() {
    let Stage { simulator, account: facebook, clock } = stage(few()).await;
    for n in 0..120 {
        simulator.message(77, &format!("Meddelande {n}"));
        clock.advance(SignedDuration::from_secs(30));
    }
    let all = fetch_all(&facebook, None).await.unwrap();
    let read =
        |all: &Collected| all.items.values().filter(|i| i.kind == ItemKind::DirectMessage).count();
    assert_eq!(read(&all), 120);
    let pages = || simulator.calls().iter().filter(|c| c.ends_with("t_77/messages")).count();
    assert_eq!(pages(), 3);
    let new = simulator.message(77, "En sak till");
    let later = fetch_all(&facebook, all.cursor.as_ref()).await.unwrap();
    assert!(later.items.contains_key(&PlatformItemId::new(new)));
    assert_eq!(pages(), 4, "one page is enough");
}

#[tokio::test]
async fn a_conversation_that_another_inbox_has_taken_over_is_not_answered() {
    let Stage { simulator, account: facebook, .. } = stage(few()).await;
    let id = simulator.message(77, "Hej!");
    let all = fetch_all(&facebook, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&PlatformItemId::new(id)]);
    simulator.hand_over(77);
    let error = facebook.reply(&item, "Svar", "n").await.unwrap_err();
    assert!(error.swedish().contains("annan inkorg"), "{error:?}");
    assert!(simulator.calls().iter().all(|call| call != "POST /v26.0/100000000000009/messages"));
}

#[tokio::test]
async fn a_page_that_may_not_read_messages_is_read_all_the_same_and_says_so() {
    let Stage { simulator, account: facebook, clock } = stage(few()).await;
    let id = simulator.message(77, "Hej!");
    assert!(facebook.capabilities().messages.is_native());
    simulator.set_login(None, &["pages_messaging"]);
    let all = fetch_all(&facebook, None).await.unwrap();
    assert_eq!(all.items.len(), 4, "the comments");
    assert!(facebook.capabilities().messages.words().starts_with("för hand"));
    let asked = || simulator.calls().iter().filter(|c| c.ends_with("/conversations")).count();
    assert_eq!(asked(), 1);
    let later = fetch_all(&facebook, all.cursor.as_ref()).await.unwrap();
    assert_eq!(asked(), 1, "it is not asked each time");
    // The right has come: it is found out within a day.
    simulator.set_login(None, &[]);
    clock.advance(SignedDuration::from_hours(25));
    let last = fetch_all(&facebook, later.cursor.as_ref()).await.unwrap();
    assert!(last.items.contains_key(&PlatformItemId::new(id)));
    assert!(facebook.capabilities().messages.is_native());
}

#[tokio::test]
async fn what_visitors_post_is_read_hidden_answered_and_deleted() {
    let Stage { simulator, account: facebook, .. } = stage(few()).await;
    let id = simulator.post("Kim Exempel", "Varför är badet stängt?");
    let all = fetch_all(&facebook, None).await.unwrap();
    let post = &all.items[&PlatformItemId::new(id)];
    assert_eq!((post.kind, post.presence), (ItemKind::PostByOther, Presence::Visible));
    assert_eq!(post.author.name.as_deref(), Some("Kim Exempel"));
    let item = ItemAddress::from(post);
    assert!(matches!(facebook.hide(warrant(&item)).await, Ok(Receipt::Done(_))));
    assert!(matches!(facebook.hide(warrant(&item)).await, Ok(Receipt::AlreadySo(_))));
    assert!(matches!(facebook.unhide(&item).await, Ok(Receipt::Done(_))));
    let Receipt::Done(answer) = facebook.reply(&item, "Vi lagar taket.", "n").await.unwrap() else {
        panic!("an answer")
    };
    let found = facebook.find_reply(&item, &Sought::ever("Vi lagar taket.", "n")).await.unwrap();
    assert_eq!(found, Some(Receipt::AlreadySo(answer.clone())));
    let again = fetch_all(&facebook, all.cursor.as_ref()).await.unwrap();
    let answer = &again.items[&PlatformItemId::new(answer)];
    assert_eq!(answer.post_id.as_ref().unwrap().as_str(), item.platform_id.as_str());
    let read = facebook.read_live_many(std::slice::from_ref(&item)).await.unwrap();
    assert!(matches!(read[0], Ok(LiveReading::Present(_))), "{read:?}");
    assert!(matches!(facebook.delete(warrant(&item)).await, Ok(Receipt::Done(_))));
    assert_eq!(facebook.read_live(&item).await, Ok(LiveReading::Gone));
}

/// What stands where in the simulated Page's answers.
struct Kinds;

impl testing::meta::Kinds for Kinds {
    fn node(&self, id: &str) -> Option<&'static str> {
        match id {
            "me" | "100000000000009" => Some("Page"),
            "debug_token" => None,
            _ if id.starts_with("100000000000009_") => Some("PagePost"),
            _ if id.starts_with("t_") => Some("UnifiedThread"),
            // Messages have no description of their own.
            _ if id.starts_with("m_") => None,
            _ => Some("Comment"),
        }
    }

    fn edge(&self, _: &str, edge: &str) -> Option<&'static str> {
        match edge {
            "published_posts" | "visitor_posts" => Some("PagePost"),
            "comments" => Some("Comment"),
            "conversations" => Some("UnifiedThread"),
            _ => None,
        }
    }
}

#[tokio::test]
async fn requests_and_answers_are_as_meta_publishes_them() {
    let published: serde_json::Value = serde_json::from_str(testing::meta::PUBLISHED).unwrap();
    let Stage { simulator, account: facebook, .. } = stage(few()).await;
    let visitor = simulator.post("Kim Exempel", "Varför är badet stängt?");
    let message = simulator.message(77, "Hej!");
    simulator.front().record();
    conformance::everything(&facebook, &simulator, &RemovalWarrant::for_test).await;
    let all = fetch_all(&facebook, None).await.unwrap();
    for id in [visitor, message] {
        let item = ItemAddress::from(&all.items[&PlatformItemId::new(id)]);
        facebook.reply(&item, "Hej själv", "n").await.unwrap();
        facebook.find_reply(&item, &Sought::ever("Hej själv", "n")).await.unwrap();
        facebook.read_live(&item).await.unwrap();
    }
    assert_eq!(facebook.subscribe(&testing::callback()).await, Ok(Subscribed::Yes));
    assert!(simulator.is_subscribed(), "the app is told of the Page");
    let exchanges = simulator.front().exchanges();
    let found: std::collections::BTreeSet<_> =
        exchanges.iter().flat_map(|e| testing::meta::broken_by(e, &published, &Kinds)).collect();
    assert_eq!(found, std::collections::BTreeSet::new());
    // What is not published would be found.
    let call = |method: &str, uri: &str, body: &str, answer: &str| {
        let exchange = crate::platforms::simulate::server::Exchange {
            method: method.into(),
            uri: uri.into(),
            body: body.into(),
            answer: answer.into(),
        };
        testing::meta::broken_by(&exchange, &published, &Kinds)
    };
    for broken in [
        call("GET", "/v26.0/111_222?fields=id,wishes", "", "{}"),
        call("GET", "/v26.0/111_222/comments?sort=new", "", "{}"),
        call("GET", "/v26.0/111_222?fields=id", "", r#"{"id":7}"#),
        call("GET", "/v26.0/111_222/comments?fields=id", "", r#"{"data":[{"body":"x"}]}"#),
        call("POST", "/v26.0/100000000000009/messages", "message=x", "{}"),
    ] {
        assert!(!broken.is_empty());
    }
}

#[tokio::test]
async fn a_token_that_is_not_found_in_the_header_is_shown_as_a_parameter_and_told_nobody() {
    let Stage { simulator, account: facebook, .. } = stage(few()).await;
    simulator.look_past_headers();
    let all = fetch_all(&facebook, None).await.unwrap();
    assert_eq!(all.items.len(), 4);
    let item = first_item(&facebook).await;
    let Receipt::Done(_) = facebook.reply(&item, "Svar", "n").await.unwrap() else { panic!() };
    let calls = simulator.calls().len();
    facebook.hide(warrant(&item)).await.unwrap();
    assert_eq!(simulator.calls().len() - calls, 3, "it is remembered: a look, a call, a look");
    let exchange = all.items[&item.platform_id].exchange.clone().unwrap();
    assert!(!exchange.address.contains(simulator.settings().token.expose()), "{exchange:?}");
    simulator.fail_next(Fault::ServerError, 1);
    let error = facebook.read_live(&item).await.unwrap_err();
    assert!(!error.to_string().contains(simulator.settings().token.expose()), "{error}");
}

#[tokio::test]
async fn what_is_shown_later_than_it_was_written_is_found() {
    let Stage { simulator, account: facebook, clock } = stage(few()).await;
    what_is_shown_late_is_found(&facebook, &simulator, simulator.front(), &clock).await;
}
