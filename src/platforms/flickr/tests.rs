//! The connector against the simulator.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use crate::domain::item::ItemKind;
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, Collected, fetch_all};
use crate::platforms::error::PlatformError;
use crate::platforms::flickr::Flickr;
use crate::platforms::settings::FlickrSettings;
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::flickr::{self as simulate, Options, Own, Simulator};
use crate::platforms::simulate::server::Exchange;
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, a_refusal_stops_nothing_else, faults_have_their_classes,
    few, first_item, many, troubled, warrant,
};
use crate::platforms::testing::{self, published};
use crate::platforms::{Platform, Receipt};
use crate::runtime::secret::Secret;

type Stage = stage::Stage<simulate::Flickr, Flickr>;

async fn stage(options: Options) -> Stage {
    let connect = |simulator: &Simulator, clock| Flickr::new(simulator.settings(), clock).unwrap();
    stage::set(options, connect).await
}

/// Lists of photos take several pages.
fn large() -> Options {
    Options { own: Own { page: 1, ..Own::default() }, ..many(60, |_| 0) }
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    let Stage { simulator, account: flickr, .. } = stage(few()).await;
    conformance::everything(&flickr, &simulator, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn it_keeps_them_over_many_pages_and_where_others_comments_stay() {
    let own = Own { page: 1, owner_deletes: false, ..Own::default() };
    let Stage { simulator, account: flickr, .. } = stage(Options { own, ..many(60, |_| 2) }).await;
    conformance::reading_holds(&flickr, &simulator).await;
    conformance::an_answer_can_be_found_again(&flickr, &simulator).await;
    let item = first_item(&flickr).await;
    let error = flickr.delete(warrant(&item)).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
    assert!(error.swedish().contains("via länken"), "{}", error.swedish());
    // What the account itself wrote it may delete either way.
    let Receipt::Done(ours) = flickr.reply(&item, "Vi öppnar klockan 6.", "n").await.unwrap()
    else {
        panic!("an answer")
    };
    let all = fetch_all(&flickr, None).await.unwrap();
    let ours = &all.items[&crate::domain::ids::PlatformItemId::new(ours)];
    assert!(ours.by_us);
    assert!(matches!(flickr.delete(warrant(&ours.into())).await, Ok(Receipt::Done(_))));
}

#[tokio::test]
async fn a_comment_is_read_with_all_that_is_given() {
    let Stage { account: flickr, simulator: _running, .. } = stage(few()).await;
    let all = fetch_all(&flickr, None).await.unwrap();
    assert!(all.items.values().all(|item| item.kind == ItemKind::Comment), "it lies flat");
    let question = all.items.values().next().unwrap();
    assert_eq!(question.author.name.as_deref(), Some("Kim Exempel"));
    let link = question.permalink.as_ref().unwrap().url.clone();
    let page = reqwest::get(link).await.unwrap();
    assert_eq!(page.headers()["x-uppsikt-simulator"], "flickr");
    assert!(page.text().await.unwrap().contains("(simulerad)"));
    assert_eq!(all.posts[0].title.as_deref(), Some("Badhuset öppnar igen"));
    let told = flickr.description().await.unwrap().unwrap();
    assert!(told.contains("allmän handling"), "{told}");
}

#[tokio::test]
async fn quiet_photos_are_not_opened_and_a_late_comment_is_found() {
    let Stage { account: flickr, simulator, clock } = stage(few()).await;
    let opened = || {
        let calls = simulator.front().exchanges();
        calls.iter().filter(|call| call.uri.contains("comments.getList")).count()
    };
    simulator.front().record();
    clock.advance(SignedDuration::from_hours(24 * 100));
    let first = fetch_all(&flickr, None).await.unwrap();
    assert_eq!(opened(), 2, "both photos at first");
    clock.advance(SignedDuration::from_hours(25));
    let second = fetch_all(&flickr, first.cursor.as_ref()).await.unwrap();
    assert_eq!(opened(), 2, "old photos that did not move are left alone");
    let late = simulator.id(simulator.write("Kim Exempel", "Ett år senare", None));
    let third = fetch_all(&flickr, second.cursor.as_ref()).await.unwrap();
    assert!(third.items.contains_key(&late));
    assert_eq!(opened(), 3, "the one that moved");
}

#[tokio::test]
async fn the_same_answer_twice_is_told_instead_of_taken_for_sent() {
    let Stage { account: flickr, simulator, .. } = stage(few()).await;
    let item = first_item(&flickr).await;
    flickr.reply(&item, "Tack för att du skriver!", "a").await.unwrap();
    let n = simulator.truth().len();
    let error = flickr.reply(&item, "Tack för att du skriver!", "b").await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
    assert_eq!(simulator.truth().len(), n);
}

#[tokio::test]
async fn a_wrong_login_is_told_apart_from_a_wrong_account_and_from_missing_rights() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    let of = |settings| Flickr::new(settings, clock.clock()).unwrap();
    let settings = FlickrSettings { token_secret: Secret::new("annan"), ..simulator.settings() };
    let error = of(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
    let settings = FlickrSettings { user_id: "1@N01".into(), ..simulator.settings() };
    let error = of(settings).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
    let own = Own { perms: "read", ..Own::default() };
    let Stage { account: flickr, simulator: _running, .. } = stage(Options { own, ..few() }).await;
    assert!(flickr.check().await.unwrap().missing[0].contains("write"));
    let item = first_item(&flickr).await;
    let error = flickr.reply(&item, "Svar", "n").await.unwrap_err();
    assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn a_comment_goes_with_its_photo_and_not_where_the_login_has_ended() {
    let Stage { account: flickr, simulator, .. } = stage(few()).await;
    let item = first_item(&flickr).await;
    let elsewhere =
        ItemAddress { post_id: Some(crate::domain::ids::PlatformPostId::new("1")), ..item.clone() };
    let read = flickr.read_live(&elsewhere).await.unwrap();
    assert_eq!(read, crate::domain::item::LiveReading::Gone);
    simulator.fail_next(Fault::ExpiredToken, 1);
    assert!(flickr.read_live(&item).await.is_err());
}

#[tokio::test]
async fn every_fault_has_its_class_and_the_next_try_goes_through() {
    let Stage { simulator, account: flickr, .. } = stage(few()).await;
    let table = [
        (Fault::AppLimit { minutes: 7 }, "throttled"),
        (Fault::ExpiredToken, "reauth_needed"),
        (Fault::ServerError, "transient"),
        (Fault::HtmlPage, "transient"),
        (Fault::BrokenJson, "transient"),
        (Fault::LostAnswer, "transient"),
    ];
    faults_have_their_classes(&flickr, simulator.front(), &table).await;
}

#[tokio::test]
async fn a_lost_answer_to_an_act_is_told_as_unknown_and_can_be_found_out() {
    let Stage { simulator, account: flickr, .. } = stage(few()).await;
    a_lost_answer_can_be_found_out(&flickr, simulator.front(), 1).await;
}

#[tokio::test]
async fn random_faults_lose_nothing() {
    let Stage { simulator, account: flickr, clock } = stage(troubled(large(), 100)).await;
    testing::random_faults_lose_nothing(&flickr, &simulator, &clock).await;
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(8, async |storm| {
        let own = Own { page: 1, ..Own::default() };
        let Stage { simulator, account: flickr, clock } = stage(Options { own, ..few() }).await;
        let front = simulator.front();
        storm.rage(Arc::new(flickr), &simulator, front, &clock).await;
    });
}

#[tokio::test]
async fn a_photo_whose_comments_are_not_given_stops_no_other() {
    let Stage { simulator, account: flickr, clock } = stage(many(9, |_| 0)).await;
    let name = |all: &Collected| {
        let photo = all.items.values().find_map(|item| item.post_id.clone()).unwrap();
        format!("photo_id={}", photo.as_str())
    };
    a_refusal_stops_nothing_else(&flickr, simulator.front(), &clock, name).await;
}

const PUBLISHED: &str = include_str!("../../../fixtures/platforms/flickr/published.json");

/// What a call and its answer break of what Flickr says of its methods.
fn broken_by(exchange: &Exchange, published: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let query = exchange.uri.split_once('?').map_or("", |(_, query)| query);
    let is_post = exchange.method == "POST";
    let said = published::said(if is_post { &exchange.body } else { query.as_bytes() });
    let name = said.get("method").map_or("", String::as_str);
    let method = &published["methods"][name];
    let words = |of: &Value| -> BTreeSet<String> {
        let words = of.as_array().into_iter().flatten();
        words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    if method.is_null() {
        return vec![format!("{name}: no method")];
    }
    let (required, optional) = (words(&method["required"]), words(&method["optional"]));
    // The key goes with the signature, in the header; the token as well.
    let signed = ["api_key", "oauth_token"];
    for missing in required.iter().filter(|name| !signed.contains(&name.as_str())) {
        if !said.contains_key(missing) {
            found.push(format!("{name}: {missing} is missing"));
        }
    }
    let of_all = ["method", "format", "nojsoncallback"];
    for argument in said.keys().filter(|said| !of_all.contains(&said.as_str())) {
        let is_known = required.contains(argument) || optional.contains(argument);
        if !is_known && !argument.starts_with("oauth_") {
            found.push(format!("{name}: no argument {argument}"));
        }
    }
    if let Some(extras) = said.get("extras") {
        let known = words(&method["extras"]);
        let unknown = extras.split(',').filter(|extra| !known.contains(*extra));
        found.extend(unknown.map(|extra| format!("{name}: no extra {extra}")));
    }
    if is_post != (method["perms"] == "write") {
        found.push(format!("{name}: {} for {}", exchange.method, method["perms"]));
    }
    let Ok(answer) = serde_json::from_str::<Value>(&exchange.answer) else { return found };
    if answer["stat"] == "fail" {
        let codes = method["errors"].as_array().unwrap();
        if !codes.contains(&answer["code"]) {
            found.push(format!("{name}: no code {}", answer["code"]));
        }
        return found;
    }
    let like = method["like"].as_str().unwrap_or(name);
    let known = words(&published["methods"][like]["fields"]);
    let documented = words(&published["documented"]);
    let mut told = BTreeSet::new();
    published::names(&answer, &mut told);
    // How what is XML stands in JSON.
    told.retain(|name| name != "_content" && name != "stat");
    let unknown = told.iter().filter(|told| !known.contains(*told) && !documented.contains(*told));
    found.extend(unknown.map(|told| format!("{name}: no field {told}")));
    found
}

#[tokio::test]
async fn requests_and_answers_are_as_flickr_publishes_them() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let Stage { simulator, account: flickr, .. } = stage(few()).await;
    simulator.front().record();
    conformance::everything(&flickr, &simulator, &RemovalWarrant::for_test).await;
    flickr.description().await.unwrap();
    let exchanges = simulator.front().exchanges();
    let broken: BTreeSet<_> = exchanges.iter().flat_map(|e| broken_by(e, &published)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let called: BTreeSet<_> = exchanges
        .iter()
        .flat_map(|e| [e.uri.as_bytes().to_vec(), e.body.clone()])
        .filter_map(|text| published::said(&text).get("method").cloned())
        .chain(exchanges.iter().filter_map(|e| {
            let (_, query) = e.uri.split_once('?')?;
            published::said(query.as_bytes()).get("method").cloned()
        }))
        .collect();
    let all: BTreeSet<_> = published["methods"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(&all - &called, BTreeSet::new(), "each published method was called");
}

/// The test above would find what is amiss.
#[test]
fn what_flickr_does_not_publish_is_found() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let call = |uri: &str, answer: &str| Exchange {
        method: "GET".into(),
        uri: format!("/services/rest/?{uri}"),
        body: Vec::new(),
        answer: answer.into(),
    };
    let list = "method=flickr.photos.comments.getList&format=json";
    for (uri, answer, told) in [
        (list.to_owned(), "{}", "photo_id is missing"),
        (format!("{list}&photo_id=1&page=2"), "{}", "no argument page"),
        (format!("{list}&photo_id=1"), r#"{"stat":"fail","code":7}"#, "no code 7"),
        (format!("{list}&photo_id=1"), r#"{"comments":{"hidden":1}}"#, "no field hidden"),
        ("method=flickr.photos.comments.hide".to_owned(), "{}", "no method"),
    ] {
        let found = broken_by(&call(&uri, answer), &published);
        assert!(found.iter().any(|broken| broken.contains(told)), "{told}: {found:?}");
    }
}
