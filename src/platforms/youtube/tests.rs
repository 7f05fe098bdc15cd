//! The connector against the simulator.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::action::ActionKind;
use crate::domain::item::{ItemKind, LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, Collected, World as _, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::youtube::{self as simulate, Options, Own, Simulator};
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, a_refusal_stops_nothing_else, faults_have_their_classes,
    few, first_item, many, troubled, warrant, what_is_shown_late_is_found,
};
use crate::platforms::testing::{self, at};
use crate::platforms::{Platform, Receipt};

use super::wire::Comment;
use super::{Met, YouTube};

mod discovery;

type Stage = stage::Stage<simulate::YouTube, YouTube>;

async fn stage(options: Options) -> Stage {
    let connect = |simulator: &Simulator, clock| YouTube::new(simulator.settings(), clock).unwrap();
    stage::set(options, connect).await
}

/// Enough that a list takes several pages, and threads with more answers than a list shows.
fn large() -> Options {
    many(250, |n| if n % 100 == 7 { 130 } else { 0 })
}

fn lists(simulator: &Simulator) -> usize {
    simulator.calls().iter().filter(|call| call.ends_with("/commentThreads")).count()
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    let Stage { simulator, account: youtube, .. } = stage(few()).await;
    conformance::everything(&youtube, &simulator, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn it_keeps_them_over_many_pages_and_few_shown_answers() {
    let Stage { simulator, account: youtube, .. } =
        stage(Options { own: Own { shown: 1, ..Own::default() }, ..large() }).await;
    conformance::everything(&youtube, &simulator, &RemovalWarrant::for_test).await;
}

/// What nobody has published: whether held and rejected comments are shown by their ids.
#[tokio::test]
async fn it_keeps_them_whatever_is_shown_by_its_id() {
    for (held_by_id, rejected_by_id) in [(false, false), (true, true)] {
        let options = Options {
            own: Own { held_by_id, rejected_by_id, shown: 0, ..Own::default() },
            ..few()
        };
        let Stage { simulator, account: youtube, .. } = stage(options).await;
        conformance::reading_holds(&youtube, &simulator).await;
        conformance::hiding_is_idempotent(&youtube, &simulator, &RemovalWarrant::for_test).await;
        let item = first_item(&youtube).await;
        let done = youtube.delete(warrant(&item)).await.unwrap();
        let word = if rejected_by_id { "binned" } else { "gone" };
        assert_eq!(done, Receipt::Done(word.into()));
    }
}

#[tokio::test]
async fn a_comment_is_read_with_all_that_is_given() {
    let Stage { account: youtube, simulator, .. } = stage(few()).await;
    let all = fetch_all(&youtube, None).await.unwrap();
    let [question, answer, _, unknown] =
        [1, 2, 3, 4].map(|n| &all.items[&simulator.id(222_000_000_000_000 + n)]);
    assert_eq!((question.kind, answer.kind), (ItemKind::Comment, ItemKind::Reply));
    assert_eq!(question.author.name.as_deref(), Some("Kim Exempel"));
    assert_eq!(question.post_id.as_ref().unwrap().as_str(), "vid00000001");
    assert_eq!(question.presence, Presence::Visible);
    let link = question.permalink.as_ref().unwrap().url.clone();
    assert!(link.ends_with("/watch?v=vid00000001&lc=Ugx222000000000001AaABAg"), "{link}");
    assert_eq!(unknown.author, crate::domain::item::Author::default());
    let post = all.posts.iter().find(|post| post.platform_id.as_str() == "vid00000001").unwrap();
    assert_eq!(post.title.as_deref(), Some("Badhuset öppnar igen"));
    let page = reqwest::get(link).await.unwrap();
    assert_eq!(page.headers()["x-uppsikt-simulator"], "youtube");
    assert!(page.text().await.unwrap().contains("(simulerad)"));
}

#[tokio::test]
async fn what_is_held_and_what_is_taken_for_spam_is_read_as_hidden() {
    let Stage { account: youtube, simulator, .. } =
        stage(Options { own: Own { shown: 1, ..Own::default() }, ..few() }).await;
    let [held, spam, open] =
        ["Hållen", "Skräp", "Öppen"].map(|text| simulator.write("@kim", text, None));
    let answers = ["Ett", "Två", "Tre"].map(|text| simulator.write("@kim", text, Some(open)));
    simulator.hold(held);
    simulator.hold(answers[2]);
    simulator.take_for_spam(spam);
    let all = fetch_all(&youtube, None).await.unwrap();
    let presence = |number| all.items[&simulator.id(number)].presence;
    assert_eq!([held, spam, answers[2]].map(presence), [Presence::Hidden; 3]);
    assert_eq!([open, answers[0], answers[1]].map(presence), [Presence::Visible; 3]);
    let known = [held, answers[2], answers[1], open]
        .map(|n| ItemAddress::from(&all.items[&simulator.id(n)]));
    for (item, expected) in
        known.iter().zip([Presence::Hidden, Presence::Hidden, Presence::Visible, Presence::Visible])
    {
        let LiveReading::Present(read) = youtube.read_live(item).await.unwrap() else {
            panic!("it is there")
        };
        assert_eq!(read.presence, expected, "{}", item.platform_id);
    }
    // What is not seen is not claimed: of a thread with something held only the shown part is known.
    let several = [Presence::Hidden, Presence::Unknown, Presence::Unknown, Presence::Visible];
    for (read, expected) in youtube.read_live_many(&known).await.unwrap().into_iter().zip(several) {
        let Ok(LiveReading::Present(read)) = read else { panic!("{read:?}") };
        assert_eq!(read.presence, expected, "{}", read.platform_id);
    }
    let Receipt::Done(_) = youtube.unhide(&known[1]).await.unwrap() else { panic!("shown now") };
}

#[tokio::test]
async fn an_edit_is_told_with_its_time() {
    let Stage { account: youtube, simulator, clock } = stage(few()).await;
    let id = simulator.id(simulator.write("@kim", "Första", None));
    let before = fetch_all(&youtube, None).await.unwrap();
    assert_eq!(before.items[&id].edited_at, None);
    clock.advance(SignedDuration::from_mins(3));
    simulator.edit(&id, "Andra").await;
    let after = fetch_all(&youtube, before.cursor.as_ref()).await.unwrap();
    assert_eq!(after.items[&id].edited_at, Some(at("2026-11-21T12:03:00Z")));
    assert_eq!(after.items[&id].text, "Andra");
}

#[tokio::test]
async fn an_old_thread_with_a_new_answer_is_found_within_the_hour() {
    let Stage { account: youtube, simulator, clock } = stage(few()).await;
    let old = simulator.write("@kim", "Gammal", None);
    clock.advance(SignedDuration::from_hours(30));
    simulator.write("@kim", "Ny", None);
    let first = fetch_all(&youtube, None).await.unwrap();
    // Enough new ones that the old one stands on a later page.
    for n in 0..120 {
        simulator.write("@kim", &format!("Ny {n}"), None);
    }
    clock.advance(SignedDuration::from_hours(2) + SignedDuration::from_mins(1));
    let before = fetch_all(&youtube, first.cursor.as_ref()).await.unwrap();
    let answer = simulator.write("@kim", "Sent svar", Some(old));
    clock.advance(SignedDuration::from_mins(5));
    let near = fetch_all(&youtube, before.cursor.as_ref()).await.unwrap();
    assert!(near.steps < before.steps, "a usual fetch reads less");
    clock.advance(SignedDuration::from_hours(1));
    let hour = fetch_all(&youtube, near.cursor.as_ref()).await.unwrap();
    assert!(hour.items.contains_key(&simulator.id(answer)));
}

#[tokio::test]
async fn a_usual_fetch_costs_three_units_and_the_busiest_videos_are_read_first() {
    let Stage { account: youtube, simulator, clock } = stage(few()).await;
    let first = fetch_all(&youtube, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(5));
    let used = simulator.used();
    let second = fetch_all(&youtube, first.cursor.as_ref()).await.unwrap();
    assert_eq!(simulator.used() - used, 3);
    simulator.write_under(1, "@kim", "Nytt under den andra");
    clock.advance(SignedDuration::from_hours(1));
    simulator.front().record();
    fetch_all(&youtube, second.cursor.as_ref()).await.unwrap();
    let videos: Vec<_> = simulator
        .front()
        .exchanges()
        .into_iter()
        .filter_map(|exchange| Some(exchange.uri.split_once("videoId=")?.1[..11].to_owned()))
        .collect();
    assert_eq!(videos, ["vid00000002", "vid00000001"]);
    assert_eq!(
        youtube.quota().spent_by(youtube.channel(), clock.clock().now()).units,
        simulator.used()
    );
}

#[tokio::test]
async fn reading_leaves_units_for_acts_and_goes_on_the_next_day() {
    let Stage { account: youtube, simulator, clock } =
        stage(Options { own: Own { units_per_day: 400, ..Own::default() }, ..few() }).await;
    let item = first_item(&youtube).await;
    let mut cursor = None;
    let error = loop {
        match fetch_all(&youtube, cursor.as_ref()).await {
            Ok(all) => cursor = all.cursor,
            Err(error) => break error,
        }
    };
    let PlatformError::Throttled { until, lane: Lane::Call, .. } = error else {
        panic!("{error:?}")
    };
    assert!(until <= at("2026-11-22T08:00:00Z"));
    youtube.hide(warrant(&item)).await.unwrap();
    youtube.unhide(&item).await.unwrap();
    let mut acts = 0;
    let error = loop {
        match youtube.reply(&item, &format!("Svar {acts}"), "n").await {
            Ok(_) => acts += 1,
            Err(error) => break error,
        }
    };
    let PlatformError::QuotaGone { until, lane: Lane::App, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(until, at("2026-11-22T08:00:00Z"), "midnight where the platform lives");
    assert_eq!(simulator.overspent(), 0, "no call went out that the day had no room for");
    clock.advance(SignedDuration::from_hours(20));
    fetch_all(&youtube, cursor.as_ref()).await.unwrap();
    youtube.reply(&item, "Nästa dag", "n").await.unwrap();
}

#[tokio::test]
async fn what_was_used_is_stored_with_the_cursor() {
    let Stage { account: youtube, simulator, clock } = stage(few()).await;
    let all = fetch_all(&youtube, None).await.unwrap();
    let again = YouTube::new(simulator.settings(), clock.clock()).unwrap();
    fetch_all(&again, all.cursor.as_ref()).await.unwrap();
    // The identity is asked for once more, before the cursor is read.
    let counted = again.quota().spent_by(again.channel(), clock.clock().now()).units;
    assert!((simulator.used() - 1..=simulator.used()).contains(&counted), "{counted}");
}

#[tokio::test]
async fn an_access_token_is_renewed_and_a_taken_back_consent_is_told() {
    let Stage { account: youtube, simulator, clock } = stage(few()).await;
    let item = first_item(&youtube).await;
    simulator.expire();
    youtube.reply(&item, "Svar", "n").await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    let renewed = || simulator.calls().iter().filter(|call| call.ends_with("/token")).count();
    assert_eq!(renewed(), 2);
    youtube.check().await.unwrap();
    assert_eq!(renewed(), 3, "before it runs out");
    simulator.revoke();
    let error = youtube.check().await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
}

#[tokio::test]
async fn another_channels_consent_is_refused() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    let mut settings = simulator.settings();
    settings.channel_id = "UCnagonannan".into();
    let youtube = YouTube::new(settings, clock.clock()).unwrap();
    for error in [youtube.fetch(None, None).await.unwrap_err(), youtube.check().await.unwrap_err()]
    {
        assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_video_without_comments_is_passed_over() {
    let Stage { account: youtube, simulator, clock } = stage(few()).await;
    let first = fetch_all(&youtube, None).await.unwrap();
    simulator.close(0);
    clock.advance(SignedDuration::from_hours(2));
    let second = fetch_all(&youtube, first.cursor.as_ref()).await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    let before = lists(&simulator);
    fetch_all(&youtube, second.cursor.as_ref()).await.unwrap();
    assert_eq!(lists(&simulator) - before, 4, "three lists and the other video");
}

#[tokio::test]
async fn every_fault_has_its_class_and_the_next_try_goes_through() {
    let Stage { simulator, account: youtube, .. } = stage(few()).await;
    let table = [
        (Fault::AppLimit { minutes: 7 }, "throttled"),
        (Fault::PageLimit { minutes: 7 }, "throttled"),
        (Fault::ServerError, "transient"),
        (Fault::HtmlPage, "transient"),
        (Fault::BrokenJson, "transient"),
        (Fault::LostAnswer, "transient"),
    ];
    faults_have_their_classes(&youtube, simulator.front(), &table).await;
    simulator.fail_next(Fault::ExpiredToken, 1);
    youtube.fetch(None, None).await.expect("renewed without a word");
}

#[tokio::test]
async fn a_lost_answer_to_an_act_is_told_as_unknown_and_can_be_found_out() {
    let Stage { simulator, account: youtube, .. } = stage(few()).await;
    a_lost_answer_can_be_found_out(&youtube, simulator.front(), 0).await;
}

#[tokio::test]
async fn what_is_held_cannot_be_answered_and_says_why() {
    let Stage { account: youtube, simulator, .. } = stage(few()).await;
    let item = first_item(&youtube).await;
    youtube.hide(warrant(&item)).await.unwrap();
    let error = youtube.reply(&item, "Svar", "n").await.unwrap_err();
    assert!(error.swedish().contains("Visa den först"), "{error:?}");
    assert!(!error.may_have_acted());
    drop(simulator);
}

#[tokio::test]
async fn random_faults_lose_nothing() {
    let Stage { simulator, account: youtube, clock } =
        stage(troubled(Options { own: Own { shown: 2, ..Own::default() }, ..large() }, 150)).await;
    testing::random_faults_lose_nothing(&youtube, &simulator, &clock).await;
}

#[test]
fn an_answer_that_is_barred_says_so() {
    let raw = r#"{"id":"Ugx1","snippet":{"textDisplay":"Hej","publishedAt":"2026-03-01T03:36:55.123Z","updatedAt":"2026-03-01T03:36:55.123Z","moderationStatus":"something new"}}"#;
    let watch = url::Url::parse("https://www.youtube.com/").unwrap();
    let met =
        Met { channel: "UC", watch: &watch, video: None, status: None, can_reply: Some(false) };
    let item = Comment::read(raw).unwrap().into_item(raw.as_bytes(), met);
    assert_eq!(item.barred[0].act, ActionKind::Reply);
    assert_eq!((item.presence, item.permalink, item.post_id), (Presence::Unknown, None, None));
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(12, async |storm| {
        let Stage { simulator, account: youtube, clock } =
            stage(Options { own: Own { shown: 1, ..Own::default() }, ..few() }).await;
        let front = simulator.front();
        storm.rage(Arc::new(youtube), &simulator, front, &clock).await;
        assert_eq!(simulator.overspent(), 0, "no unit is spent that is not there");
    });
}

#[tokio::test]
async fn a_thread_whose_answers_are_not_given_stops_no_other() {
    let options = many(8, |n| if n == 7 { 9 } else { 0 });
    let Stage { simulator, account: youtube, clock } = stage(options).await;
    let name = |all: &Collected| {
        let above = all.items.values().find_map(|item| item.parent_id.clone()).unwrap();
        format!("parentId={}", above.as_str())
    };
    a_refusal_stops_nothing_else(&youtube, simulator.front(), &clock, name).await;
}

#[tokio::test]
async fn what_is_shown_later_than_it_was_written_is_found() {
    let Stage { simulator, account: youtube, clock } = stage(few()).await;
    what_is_shown_late_is_found(&youtube, &simulator, simulator.front(), &clock).await;
}
