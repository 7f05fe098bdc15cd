//! The connector against the simulator.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use crate::domain::action::ActionKind;
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{ItemKind, LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, World as _, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::reddit::Reddit;
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::reddit::{self as simulate, Options, Own, Simulator};
use crate::platforms::simulate::server::Exchange;
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, a_refusal_stops_nothing_else, faults_have_their_classes,
    few, first_item, many, troubled, warrant, what_is_shown_late_is_found,
};
use crate::platforms::testing::{self, at, published};
use crate::platforms::{Platform, Receipt, Sought};

type Stage = stage::Stage<simulate::Reddit, Reddit>;

async fn stage(options: Options) -> Stage {
    let connect = |simulator: &Simulator, clock| Reddit::new(simulator.settings(), clock).unwrap();
    stage::set(options, connect).await
}

/// Lists of several pages, and trees that leave much out.
fn large() -> Options {
    let own = Own { page: 20, shown: 4, ..Own::default() };
    Options { own, ..many(90, |n| if n % 30 == 6 { 9 } else { 0 }) }
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    for options in [few(), large()] {
        let Stage { simulator, account: reddit, .. } = stage(options).await;
        simulator.message("kim_exempel", "Hej!");
        simulator.mail("robin_exempel", "Varför är mitt inlägg borta?");
        simulator.post("kim_exempel", "Finns det lediga båtplatser?");
        conformance::everything(&reddit, &simulator, &RemovalWarrant::for_test).await;
    }
}

#[tokio::test]
async fn an_account_without_a_subreddit_reads_what_is_written_to_it() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    let settings =
        crate::platforms::settings::RedditSettings { subreddit: None, ..simulator.settings() };
    let reddit = Reddit::new(settings, clock.clock()).unwrap();
    let hello = simulator.message("kim_exempel", "Hej!");
    let all = fetch_all(&reddit, None).await.unwrap();
    assert!(all.items.contains_key(&PlatformItemId::new(hello)));
    let truth = simulator.truth();
    let missing: Vec<_> = truth
        .iter()
        .filter(|c| !c.deleted && !all.items.contains_key(&simulator.id(c.number)))
        .collect();
    assert!(missing.iter().all(|c| c.parent.is_some()) || missing.is_empty(), "{missing:?}");
    let item = first_item(&reddit).await;
    assert_eq!(reddit.hide(warrant(&item)).await, PlatformError::not_offered("hide"));
    assert!(!simulator.calls().iter().any(|call| call.contains("/about")));
}

#[tokio::test]
async fn a_comment_is_read_with_all_that_is_given() {
    let Stage { account: reddit, simulator, .. } = stage(few()).await;
    let all = fetch_all(&reddit, None).await.unwrap();
    let [question, answer] = [1, 2].map(|n| &all.items[&simulator.id(222_000_000_000_000 + n)]);
    assert_eq!((question.kind, answer.kind), (ItemKind::Comment, ItemKind::Reply));
    assert_eq!(question.author.name.as_deref(), Some("Kim Exempel"));
    assert_eq!(question.presence, Presence::Visible);
    let post = question.post_id.clone().unwrap();
    let post = all.posts.iter().find(|told| told.platform_id == post).unwrap();
    assert_eq!(post.title.as_deref(), Some("Badhuset öppnar igen"));
    let link = question.permalink.as_ref().unwrap().url.clone();
    let page = reqwest::get(link).await.unwrap();
    assert_eq!(page.headers()["x-uppsikt-simulator"], "reddit");
    assert!(page.text().await.unwrap().contains("(simulerad)"));
}

#[tokio::test]
async fn what_a_colleague_removed_is_read_as_hidden_and_what_is_elsewhere_cannot_be() {
    let Stage { account: reddit, simulator, .. } = stage(few()).await;
    let [away, here] = ["Bort", "Kvar"].map(|text| simulator.write("kim", text, None));
    let elsewhere = simulator.id(simulator.write_under(1, "kim", "I en annan subreddit"));
    simulator.take_away(away);
    let all = fetch_all(&reddit, None).await.unwrap();
    assert_eq!(all.items[&simulator.id(away)].presence, Presence::Hidden);
    assert_eq!(all.items[&simulator.id(here)].presence, Presence::Visible);
    let elsewhere = &all.items[&elsewhere];
    assert!(elsewhere.barred.iter().any(|barred| barred.act == ActionKind::Hide));
    let error = reddit.hide(warrant(&elsewhere.into())).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
    let Receipt::Done(_) = reddit.report(&elsewhere.into(), &"skäl ".repeat(40)).await.unwrap()
    else {
        panic!("reported")
    };
    assert_eq!(simulator.reported(), [elsewhere.platform_id.as_str()]);
}

#[tokio::test]
async fn a_late_answer_elsewhere_is_found_when_the_number_moves() {
    let Stage { account: reddit, simulator, clock } = stage(many(6, |_| 0)).await;
    let old = simulator.write_under(1, "kim", "Fråga");
    let first = fetch_all(&reddit, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(2));
    let trees = || simulator.calls().iter().filter(|c| c.starts_with("GET /comments/")).count();
    let before = trees();
    let second = fetch_all(&reddit, first.cursor.as_ref()).await.unwrap();
    assert_eq!(trees(), before, "nothing moved");
    let late = simulator.id(simulator.write("robin", "Svar", Some(old)));
    clock.advance(SignedDuration::from_mins(2));
    let third = fetch_all(&reddit, second.cursor.as_ref()).await.unwrap();
    assert!(third.items.contains_key(&late));
}

#[tokio::test]
async fn an_edit_of_an_old_comment_is_told_by_the_moderators_list() {
    let Stage { account: reddit, simulator, clock } = stage(few()).await;
    let id = simulator.id(simulator.write("kim", "Första", None));
    let before = fetch_all(&reddit, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(50));
    simulator.write("kim", "Nyare", None);
    simulator.edit(&id, "Andra").await;
    let after = fetch_all(&reddit, before.cursor.as_ref()).await.unwrap();
    assert_eq!(after.items[&id].text, "Andra");
    assert_eq!(after.items[&id].edited_at, Some(at("2026-11-21T12:50:00Z")));
}

#[tokio::test]
async fn messages_and_moderators_mail_are_read_answered_and_found_again() {
    let Stage { account: reddit, simulator, clock } = stage(few()).await;
    let ids = [simulator.message("kim", "Hej!"), simulator.mail("robin", "Varför?")];
    let all = fetch_all(&reddit, None).await.unwrap();
    for (id, text) in ids.into_iter().zip(["Till kommunen\n\nHej!", "Varför?"]) {
        let item = &all.items[&PlatformItemId::new(id)];
        assert_eq!((item.kind, item.by_us), (ItemKind::DirectMessage, false));
        assert_eq!(item.text, text);
        let address = ItemAddress::from(item);
        let LiveReading::Present(read) = reddit.read_live(&address).await.unwrap() else {
            panic!("it is there")
        };
        assert_eq!(read.content_hash(), item.content_hash());
        assert_eq!(reddit.find_reply(&address, &Sought::ever("Svar", "n")).await.unwrap(), None);
        let Receipt::Done(ours) = reddit.reply(&address, "Svar", "n").await.unwrap() else {
            panic!("an answer")
        };
        let found = reddit.find_reply(&address, &Sought::ever("Svar", "n")).await.unwrap();
        assert_eq!(found, Some(Receipt::AlreadySo(ours)));
        let error = reddit.hide(warrant(&address)).await.unwrap_err();
        assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
    }
    let later = simulator.mail("robin", "Hallå?");
    clock.advance(SignedDuration::from_mins(3));
    let after = fetch_all(&reddit, all.cursor.as_ref()).await.unwrap();
    assert!(after.items.contains_key(&PlatformItemId::new(later)));
}

#[tokio::test]
async fn what_the_account_may_not_do_is_told() {
    let own = Own { moderates: false, scope: "identity,read,history,submit", ..Own::default() };
    let Stage { account: reddit, simulator: _running, .. } = stage(Options { own, ..few() }).await;
    let report = reddit.check().await.unwrap();
    insta::assert_snapshot!(report.missing.join("\n"), @"
    rätten privatemessages saknas: anslut kontot på nytt
    rätten report saknas: anslut kontot på nytt
    rätten modposts saknas: anslut kontot på nytt
    rätten modmail saknas: anslut kontot på nytt
    kontot är inte moderator i r/exempelstad: be en moderator lägga till det, med rätten posts
    ");
}

#[tokio::test]
async fn another_accounts_consent_is_refused() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    let mut settings = simulator.settings();
    settings.name = "nagon_annan".into();
    let reddit = Reddit::new(settings, clock.clock()).unwrap();
    for error in [reddit.fetch(None, None).await.unwrap_err(), reddit.check().await.unwrap_err()] {
        assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_access_token_is_renewed_and_a_taken_back_consent_is_told() {
    let Stage { account: reddit, simulator, .. } = stage(few()).await;
    let item = first_item(&reddit).await;
    simulator.expire();
    reddit.reply(&item, "Svar", "n").await.unwrap();
    simulator.revoke();
    let error = reddit.check().await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
}

#[tokio::test]
async fn reading_leaves_a_tenth_of_the_limit_to_acts() {
    let own = Own { calls_per_window: 60, ..Own::default() };
    let Stage { account: reddit, simulator, clock } = stage(Options { own, ..few() }).await;
    let item = first_item(&reddit).await;
    let mut cursor = None;
    let error = loop {
        match fetch_all(&reddit, cursor.as_ref()).await {
            Ok(all) => cursor = all.cursor,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, PlatformError::Throttled { lane: Lane::Call, .. }), "{error:?}");
    reddit.hide(warrant(&item)).await.unwrap();
    assert_eq!(simulator.overspent(), 0);
    clock.advance(SignedDuration::from_mins(11));
    fetch_all(&reddit, cursor.as_ref()).await.unwrap();
}

#[tokio::test]
async fn every_fault_has_its_class_and_the_next_try_goes_through() {
    let Stage { simulator, account: reddit, .. } = stage(few()).await;
    let table = [
        (Fault::AppLimit { minutes: 7 }, "throttled"),
        (Fault::ServerError, "transient"),
        (Fault::HtmlPage, "transient"),
        (Fault::BrokenJson, "transient"),
        (Fault::LostAnswer, "transient"),
    ];
    // A limit is believed until it ends, so it comes last.
    faults_have_their_classes(&reddit, simulator.front(), &table[1..]).await;
    simulator.fail_next(table[0].0, 1);
    let error = reddit.fetch(None, None).await.unwrap_err();
    let PlatformError::Throttled { until, lane, .. } = error else { panic!("{error:?}") };
    assert_eq!((until, lane), (at("2026-11-21T12:07:00Z"), Lane::App));
}

#[tokio::test]
async fn a_lost_answer_to_an_act_is_told_as_unknown_and_can_be_found_out() {
    let Stage { simulator, account: reddit, .. } = stage(few()).await;
    a_lost_answer_can_be_found_out(&reddit, simulator.front(), 0).await;
}

#[tokio::test]
async fn random_faults_lose_nothing() {
    let Stage { simulator, account: reddit, clock } = stage(troubled(large(), 100)).await;
    testing::random_faults_lose_nothing(&reddit, &simulator, &clock).await;
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(8, async |storm| {
        let own = Own { page: 3, shown: 2, ..Own::default() };
        let Stage { simulator, account: reddit, clock } = stage(Options { own, ..few() }).await;
        let front = simulator.front();
        storm.rage(Arc::new(reddit), &simulator, front, &clock).await;
    });
}

#[tokio::test]
async fn a_conversation_or_a_part_of_a_tree_that_is_not_given_stops_nothing_else() {
    let Stage { account: reddit, simulator, clock } = stage(large()).await;
    let id = simulator.mail("robin_exempel", "Varför är mitt inlägg borta?");
    simulator.mail("kim_exempel", "Hej!");
    let name = "conversations/robin_exempel".to_owned();
    let lost = a_refusal_stops_nothing_else(&reddit, simulator.front(), &clock, |_| name).await;
    assert_eq!(lost, BTreeSet::from([PlatformItemId::new(id)]));
    // What a tree elsewhere leaves out.
    let Stage { account: reddit, simulator, clock } = stage(large()).await;
    let name = "morechildren".to_owned();
    a_refusal_stops_nothing_else(&reddit, simulator.front(), &clock, |_| name).await;
}

#[tokio::test]
async fn more_than_a_list_reaches_is_told_and_not_lost_without_a_word() {
    let Stage { account: reddit, simulator, clock } = stage(few()).await;
    simulator.mail("kim_exempel", "Hej!");
    let first = fetch_all(&reddit, None).await.unwrap();
    assert_eq!(first.gaps, Vec::<String>::new());
    for n in 0..130 {
        clock.advance(SignedDuration::from_secs(20));
        simulator.mail(&format!("person{n}"), "Hallå?");
    }
    let second = fetch_all(&reddit, first.cursor.as_ref()).await.unwrap();
    let mails = second.items.values().filter(|i| i.kind == ItemKind::DirectMessage).count();
    assert_eq!((mails, second.gaps.len()), (131, 0), "mail goes on to the next page");
    clock.advance(SignedDuration::from_mins(30));
    for n in 0..1_010 {
        simulator.write("kim", &format!("Kommentar {n}"), None);
    }
    let third = fetch_all(&reddit, second.cursor.as_ref()).await.unwrap();
    let gaps: BTreeSet<_> = third.gaps.iter().cloned().collect();
    insta::assert_snapshot!(gaps.into_iter().collect::<String>(), @"Reddit listar bara de omkring tusen nyaste. Äldre inlägg som inte har lästs tidigare kan saknas: gå igenom dem på plattformen.");
    let fourth = fetch_all(&reddit, third.cursor.as_ref()).await.unwrap();
    assert_eq!(fourth.gaps, Vec::<String>::new(), "told once");
}

#[tokio::test]
async fn what_is_shown_later_than_it_was_written_is_found() {
    let Stage { simulator, account: reddit, clock } = stage(few()).await;
    what_is_shown_late_is_found(&reddit, &simulator, simulator.front(), &clock).await;
}

const PUBLISHED: &str = include_str!("../../../fixtures/platforms/reddit/published.json");

/// What a form, or the comments and posts of an answer, break of what Reddit publishes.
fn broken_by(exchange: &Exchange, published: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let path = exchange.uri.split('?').next().unwrap_or_default().trim_matches('/');
    if let Some(fields) = published["posted"][path].as_array()
        && exchange.method == "POST"
    {
        // In which form the answer is to be.
        let own = |name: &str| matches!(name, "api_type" | "raw_json");
        let said = published::said(&exchange.body);
        let unknown =
            said.keys().filter(|name| !own(name) && !fields.iter().any(|f| *f == name.as_str()));
        found.extend(unknown.map(|name| format!("{path}: no field {name}")));
    }
    if let Ok(answer) = serde_json::from_str(&exchange.answer) {
        things(&answer, published, &mut found);
    }
    found
}

/// Holds each comment and post, wherever it stands.
fn things(value: &Value, published: &Value, found: &mut Vec<String>) {
    if let Some(kind @ ("t1" | "t3")) = value["kind"].as_str() {
        for (name, value) in value["data"].as_object().into_iter().flatten() {
            let documented = published["documented"].get(name);
            let fits = match documented.or(published["fields"].get(name)).and_then(Value::as_str) {
                _ if value.is_null() => published["fields"].get(name).is_some(),
                Some("string") => value.is_string(),
                Some("boolean") => value.is_boolean(),
                Some("number") => value.is_number(),
                Some(_) => true,
                None => false,
            };
            if !fits {
                found.push(format!("{kind}: {name} cannot be {value}"));
            }
        }
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|v| things(v, published, found)),
        Value::Array(all) => all.iter().for_each(|v| things(v, published, found)),
        _ => {}
    }
}

#[tokio::test]
async fn requests_and_answers_are_as_reddit_publishes_them() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let Stage { simulator, account: reddit, .. } = stage(few()).await;
    simulator.front().record();
    conformance::everything(&reddit, &simulator, &RemovalWarrant::for_test).await;
    let item = first_item(&reddit).await;
    reddit.report(&item, "Hot mot en tjänsteman").await.unwrap();
    let exchanges = simulator.front().exchanges();
    let broken: BTreeSet<_> = exchanges.iter().flat_map(|e| broken_by(e, &published)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    for path in published["posted"].as_object().unwrap().keys() {
        let is_called = |e: &Exchange| e.uri.trim_matches('/').starts_with(path.as_str());
        assert!(exchanges.iter().any(is_called), "{path} was called");
    }
}

/// The test above would find what is amiss.
#[test]
fn what_reddit_does_not_publish_is_found() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let exchange = |body: &str, answer: &str| Exchange {
        method: "POST".into(),
        uri: "/api/remove".into(),
        body: body.into(),
        answer: answer.into(),
    };
    for (body, answer, told) in [
        ("id=t1_a&hide=true", "{}", "no field hide"),
        ("id=t1_a", r#"[{"kind":"t1","data":{"hidden_by":"x"}}]"#, "hidden_by cannot be"),
        ("id=t1_a", r#"{"kind":"t3","data":{"title":7}}"#, "title cannot be 7"),
    ] {
        let found = broken_by(&exchange(body, answer), &published);
        assert!(found.iter().any(|broken| broken.contains(told)), "{told}: {found:?}");
    }
}
