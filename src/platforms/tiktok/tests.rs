//! The connector against the simulator.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::{ItemKind, LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, World as _, fetch_all};
use crate::platforms::error::PlatformError;
use crate::platforms::push::Subscribed;
use crate::platforms::settings::TikTokSettings;
use crate::platforms::simulate::consent::Rotation;
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::tiktok::{self as simulate, Options, Own, Simulator};
use crate::platforms::testing;
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, a_refusal_stops_nothing_else, faults_have_their_classes,
    few, first_item, many, troubled, what_is_shown_late_is_found,
};
use crate::platforms::tiktok::TikTok;
use crate::platforms::{Platform, Receipt};
use crate::runtime::secret::Secret;
use crate::runtime::vault::Shelf;

type Stage = stage::Stage<simulate::TikTok, TikTok>;

async fn stage(options: Options) -> Stage {
    let connect = |simulator: &Simulator, clock| TikTok::new(simulator.settings(), clock).unwrap();
    stage::set(options, connect).await
}

/// Short pages, and more answers than come along.
fn large() -> Options {
    let own = Own { page: 12, rotation: Rotation::Lenient, ..Own::default() };
    Options { own, ..many(60, |n| if n % 20 == 7 { 15 } else { 0 }) }
}

#[tokio::test]
async fn the_connector_keeps_every_promise_whatever_ids_look_like() {
    for numbers in [false, true] {
        let own = Own { numbers, ..Own::default() };
        let Stage { simulator, account: tiktok, .. } = stage(Options { own, ..few() }).await;
        conformance::everything(&tiktok, &simulator, &RemovalWarrant::for_test).await;
    }
}

#[tokio::test]
async fn it_keeps_them_over_many_pages() {
    let Stage { simulator, account: tiktok, .. } = stage(large()).await;
    conformance::reading_holds(&tiktok, &simulator).await;
}

#[tokio::test]
async fn a_comment_is_read_with_all_that_is_given() {
    let Stage { account: tiktok, simulator, .. } = stage(few()).await;
    let all = fetch_all(&tiktok, None).await.unwrap();
    let [question, answer] = [1, 2].map(|n| &all.items[&simulator.id(222_000_000_000_000 + n)]);
    assert_eq!((question.kind, answer.kind), (ItemKind::Comment, ItemKind::Reply));
    assert_eq!(question.author.handle.as_deref(), Some("@Kim Exempel"));
    assert_eq!(question.presence, Presence::Visible);
    let link = question.permalink.as_ref().unwrap().url.clone();
    let page = reqwest::get(link).await.unwrap();
    assert_eq!(page.headers()["x-uppsikt-simulator"], "tiktok");
    assert!(page.text().await.unwrap().contains("(simulerad)"));
}

#[tokio::test]
async fn quiet_videos_are_not_opened_and_a_late_answer_is_found() {
    let Stage { account: tiktok, simulator, clock } = stage(many(6, |_| 0)).await;
    let old = simulator.truth()[0].number;
    clock.advance(SignedDuration::from_hours(24 * 3));
    let first = fetch_all(&tiktok, None).await.unwrap();
    let opened = || simulator.calls().iter().filter(|c| c.ends_with("/comment/list/")).count();
    let before = opened();
    clock.advance(SignedDuration::from_mins(61));
    let second = fetch_all(&tiktok, first.cursor.as_ref()).await.unwrap();
    let hourly = opened();
    let late = simulator.id(simulator.write("robin", "Sent svar", Some(old)));
    clock.advance(SignedDuration::from_mins(61));
    let third = fetch_all(&tiktok, second.cursor.as_ref()).await.unwrap();
    assert!(third.items.contains_key(&late));
    clock.advance(SignedDuration::from_mins(5));
    let after = opened();
    fetch_all(&tiktok, third.cursor.as_ref()).await.unwrap();
    assert_eq!(opened(), after, "nothing moved, and nothing is young");
    assert!(hourly >= before);
}

#[tokio::test]
async fn an_answer_in_a_flooded_thread_can_be_hidden_and_is_not_called_gone() {
    let own = Own { page: 1, shown: 0, ..Own::default() };
    let Stage { account: tiktok, simulator, .. } = stage(Options { own, ..many(1, |_| 45) }).await;
    let [comment, first] = [0, 1].map(|n| simulator.id(simulator.truth()[n].number));
    let newest = simulator.id(simulator.truth()[45].number);
    let top = first_item(&tiktok).await;
    assert_eq!(top.platform_id, comment);
    let answer = |id: &PlatformItemId| ItemAddress {
        platform_id: id.clone(),
        parent_id: Some(comment.clone()),
        kind: ItemKind::Reply,
        ..top.clone()
    };
    let read = tiktok.read_live(&answer(&newest)).await.unwrap();
    assert!(matches!(read, LiveReading::Present(_)), "{read:?}");
    let read = tiktok.read_live(&answer(&first)).await.unwrap();
    assert!(matches!(read, LiveReading::NotReadable { .. }), "{read:?}");
    tiktok.hide(RemovalWarrant::for_test(answer(&first))).await.unwrap();
    assert!(simulator.truth()[1].hidden);
}

#[tokio::test]
async fn an_answer_that_the_platform_hides_is_told() {
    let own = Own { hides_answers: true, ..Own::default() };
    let Stage { account: tiktok, simulator: _running, .. } = stage(Options { own, ..few() }).await;
    let item = first_item(&tiktok).await;
    let error = tiktok.reply(&item, "Vi öppnar klockan 6.", "n").await.unwrap_err();
    assert!(error.swedish().contains("skräp"), "{error:?}");
}

#[tokio::test]
async fn when_the_consent_ends_is_told_and_the_pair_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let Stage { simulator, clock, .. } = stage(few()).await;
    let kept = Some(Shelf::new(folder.path().join("tiktok.json"), "tiktok", None));
    let settings = TikTokSettings { kept, ..simulator.settings() };
    let tiktok = || TikTok::new(settings.clone(), clock.clock()).unwrap();
    let report = tiktok().check().await.unwrap();
    assert_eq!(report.expires_at.unwrap().to_string(), "2027-11-21T12:00:00Z");
    clock.advance(SignedDuration::from_hours(25));
    tiktok().check().await.expect("renewed with the kept pair");
    std::fs::remove_file(folder.path().join("tiktok.json")).unwrap();
    let error = tiktok().check().await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
}

#[tokio::test]
async fn another_account_is_refused() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    let settings = TikTokSettings { business_id: "_annan".into(), ..simulator.settings() };
    let tiktok = TikTok::new(settings, clock.clock()).unwrap();
    let error = tiktok.fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn every_fault_has_its_class_and_the_next_try_goes_through() {
    let Stage { simulator, account: tiktok, .. } = stage(few()).await;
    let table = [
        (Fault::AppLimit { minutes: 5 }, "throttled"),
        (Fault::PageLimit { minutes: 5 }, "throttled"),
        (Fault::ServerError, "transient"),
        (Fault::HtmlPage, "transient"),
        (Fault::BrokenJson, "transient"),
        (Fault::LostAnswer, "transient"),
    ];
    faults_have_their_classes(&tiktok, simulator.front(), &table).await;
    simulator.fail_next(Fault::ExpiredToken, 1);
    tiktok.fetch(None, None).await.expect("renewed without a word");
}

#[tokio::test]
async fn a_lost_answer_to_an_act_is_told_as_unknown_and_can_be_found_out() {
    let Stage { simulator, account: tiktok, .. } = stage(few()).await;
    a_lost_answer_can_be_found_out(&tiktok, simulator.front(), 0).await;
}

#[tokio::test]
async fn random_faults_lose_nothing() {
    let Stage { simulator, account: tiktok, clock } = stage(troubled(large(), 100)).await;
    testing::random_faults_lose_nothing(&tiktok, &simulator, &clock).await;
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(8, async |storm| {
        let own = Own { page: 3, shown: 1, rotation: Rotation::Lenient, ..Own::default() };
        let Stage { simulator, account: tiktok, clock } = stage(Options { own, ..few() }).await;
        let front = simulator.front();
        storm.rage(Arc::new(tiktok), &simulator, front, &clock).await;
    });
}

#[tokio::test]
async fn answers_that_one_comment_does_not_give_stop_no_other_video() {
    let Stage { account: tiktok, simulator, clock } = stage(large()).await;
    let many = simulator.truth();
    let top = many.iter().filter_map(|c| c.parent).next().unwrap();
    let name = format!("comment_id={}", simulator.id(top));
    let lost = a_refusal_stops_nothing_else(&tiktok, simulator.front(), &clock, |_| name).await;
    let below = many.iter().filter(|c| c.parent == Some(top)).count();
    assert_eq!(lost.len(), below - 3, "those that came along with the comment are there");
}

#[tokio::test]
async fn an_answer_that_the_list_of_comments_does_not_name_is_not_called_gone() {
    for answers_by_ids in [false, true] {
        let own = Own { answers_by_ids, page: 2, ..Own::default() };
        let Stage { account: tiktok, simulator, .. } = stage(Options { own, ..few() }).await;
        let top = simulator.write("kim", "Fråga", None);
        let threat = simulator.write("robin", "Ett hot", Some(top));
        for n in 0..5 {
            simulator.write("kim", &format!("Svar {n}"), Some(top));
        }
        let all = fetch_all(&tiktok, None).await.unwrap();
        let item = ItemAddress::from(&all.items[&simulator.id(threat)]);
        let done = tiktok.hide(RemovalWarrant::for_test(item.clone())).await.unwrap();
        assert!(matches!(done, Receipt::Done(_)), "{done:?}");
        let LiveReading::Present(read) = tiktok.read_live(&item).await.unwrap() else {
            panic!("it is there")
        };
        assert_eq!(read.presence, Presence::Hidden);
        simulator.remove(&simulator.id(threat)).await;
        assert_eq!(tiktok.read_live(&item).await, Ok(LiveReading::Gone));
    }
}

#[tokio::test]
async fn pushes_of_comments_are_asked_for_by_the_app() {
    let Stage { simulator, account: tiktok, .. } = stage(few()).await;
    let callback = testing::callback();
    for _ in 0..2 {
        assert_eq!(tiktok.subscribe(&callback).await, Ok(Subscribed::Yes));
        assert_eq!(simulator.callback(), Some(callback.url.to_string()));
    }
    let settings = TikTokSettings { client_secret: Secret::new("fel"), ..simulator.settings() };
    let wrong = TikTok::new(settings, crate::runtime::clock::Clock::system()).unwrap();
    assert_eq!(wrong.subscribe(&callback).await.unwrap_err().class(), "forbidden");
}

#[tokio::test]
async fn what_is_shown_later_than_it_was_written_is_found() {
    let Stage { simulator, account: tiktok, clock } = stage(few()).await;
    what_is_shown_late_is_found(&tiktok, &simulator, simulator.front(), &clock).await;
}
