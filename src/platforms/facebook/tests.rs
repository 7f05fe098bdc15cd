//! The connector against the simulator.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::action::ActionKind;
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{ItemKind, LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, Collected, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::facebook::Facebook;
use crate::platforms::simulate::facebook::{self as simulate, Options, Simulator};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, a_refusal_stops_nothing_else, faults_have_their_classes,
    few, first_item, many, troubled, warrant,
};
use crate::platforms::testing::{self, at, item_id};
use crate::platforms::{Platform, Receipt};

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
