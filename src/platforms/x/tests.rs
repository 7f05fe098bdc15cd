//! The connector against the simulator, and both against what the platform publishes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use crate::domain::action::ActionKind;
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{ItemKind, LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, World as _, fetch_all};
use crate::platforms::error::PlatformError;
use crate::platforms::push::{Callback, Subscribed};
use crate::platforms::settings::XSettings;
use crate::platforms::simulate::consent::Rotation;
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::x::{self as simulate, Options, Own, Simulator};
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, faults_have_their_classes, few, many, troubled, warrant,
    what_is_shown_late_is_found,
};
use crate::platforms::testing::{self, at, published};
use crate::platforms::x::X;
use crate::platforms::{Platform, Receipt, Sought};
use crate::runtime::secret::Secret;
use crate::runtime::vault::{Key, Shelf};

const PUBLISHED: &str = include_str!("../../../fixtures/platforms/x/published.json");

type Stage = stage::Stage<simulate::X, X>;

async fn stage(options: Options) -> Stage {
    let connect = |simulator: &Simulator, clock| X::new(simulator.settings(), clock).unwrap();
    stage::set(options, connect).await
}

fn large() -> Options {
    let own = Own { page: 20, ..Own::default() };
    Options { own, ..many(60, |n| if n % 30 == 6 { 9 } else { 0 }) }
}

#[tokio::test]
async fn the_connector_keeps_every_promise_under_either_set_of_names() {
    for published_names in [false, true] {
        let own = Own { published_names, ..Own::default() };
        let Stage { simulator, account: x, .. } = stage(Options { own, ..few() }).await;
        simulator.message("77", "Hej!");
        simulator.mention("@exempelstad_sim ni borde svara");
        simulator.write_unnamed("Svar utan namn");
        conformance::everything(&x, &simulator, &RemovalWarrant::for_test).await;
    }
}

#[tokio::test]
async fn it_keeps_them_over_many_pages() {
    let Stage { simulator, account: x, .. } = stage(large()).await;
    conformance::reading_holds(&x, &simulator).await;
}

#[tokio::test]
async fn requests_and_answers_are_as_x_publishes_them() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let own = Own { published_names: true, ..Own::default() };
    let Stage { simulator, account: x, .. } = stage(Options { own, ..few() }).await;
    let id = PlatformItemId::new(simulator.message("77", "Hej!"));
    simulator.front().record();
    conformance::everything(&x, &simulator, &RemovalWarrant::for_test).await;
    let all = fetch_all(&x, None).await.unwrap();
    let message = ItemAddress::from(&all.items[&id]);
    x.reply(&message, "Hej själv", "n").await.unwrap();
    x.find_reply(&message, &Sought::ever("Hej själv", "n")).await.unwrap();
    assert_eq!(x.subscribe(&testing::callback()).await, Ok(Subscribed::Yes));
    simulator.lose_webhook();
    assert_eq!(x.subscribe(&testing::callback()).await, Ok(Subscribed::Yes));
    let exchanges = simulator.front().exchanges();
    insta::assert_snapshot!(published::called(&exchanges), @"
    GET /2/activity/subscriptions
    GET /2/dm_conversations/{}/dm_events
    GET /2/dm_events
    GET /2/dm_events/{}
    GET /2/tweets
    GET /2/tweets/search/recent
    GET /2/users/me
    GET /2/users/{}/mentions
    GET /2/users/{}/tweets
    GET /2/webhooks
    POST /2/activity/subscriptions
    POST /2/dm_conversations/{}/messages
    POST /2/oauth2/token
    POST /2/tweets
    POST /2/webhooks
    PUT /2/tweets/{}/hidden
    PUT /2/webhooks/77
    ");
    // Tokens are a matter of their own.
    let calls = exchanges.iter().filter(|e| !e.uri.ends_with("/oauth2/token"));
    let found: BTreeSet<_> =
        calls.flat_map(|e| published::broken_by(e, &published, "/2/")).collect();
    assert_eq!(found, BTreeSet::new());
}

#[tokio::test]
async fn a_post_is_read_with_all_that_is_given() {
    let Stage { account: x, simulator, .. } = stage(few()).await;
    let elsewhere = PlatformItemId::new(simulator.mention("@exempelstad_sim hallå"));
    let all = fetch_all(&x, None).await.unwrap();
    let [question, answer] = [1, 2].map(|n| &all.items[&simulator.id(222_000_000_000_000 + n)]);
    assert_eq!((question.kind, answer.kind), (ItemKind::Comment, ItemKind::Reply));
    assert_eq!(question.author.name.as_deref(), Some("Kim Exempel"));
    assert_eq!(question.presence, Presence::Unknown, "the platform does not tell");
    let link = question.permalink.as_ref().unwrap().url.clone();
    let page = reqwest::get(link).await.unwrap();
    assert_eq!(page.headers()["x-uppsikt-simulator"], "x");
    assert!(page.text().await.unwrap().contains("(simulerad)"));
    let elsewhere = &all.items[&elsewhere];
    assert_eq!((elsewhere.kind, elsewhere.post_id.as_ref()), (ItemKind::Mention, None));
}

#[tokio::test]
async fn what_is_hidden_is_known_by_the_answer_and_never_claimed_before() {
    let Stage { account: x, simulator, .. } = stage(few()).await;
    let number = simulator.write("kim", "Ska döljas", None);
    let all = fetch_all(&x, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&simulator.id(number)]);
    assert_eq!(x.hide(warrant(&item)).await, Ok(Receipt::Done("hidden".into())));
    assert!(simulator.is_hidden(number));
    assert_eq!(x.unhide(&item).await, Ok(Receipt::Done("visible".into())));
    assert!(!simulator.is_hidden(number));
}

#[tokio::test]
async fn an_edited_post_keeps_its_first_name() {
    let Stage { account: x, simulator, clock } = stage(few()).await;
    let id = simulator.id(simulator.write("kim", "Första", None));
    let before = fetch_all(&x, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(3));
    simulator.edit(&id, "Andra").await;
    let after = fetch_all(&x, before.cursor.as_ref()).await.unwrap();
    assert_eq!(after.items[&id].text, "Andra", "it comes under its new name");
    let LiveReading::Present(read) =
        x.read_live(&ItemAddress::from(&before.items[&id])).await.unwrap()
    else {
        panic!("it is there")
    };
    assert_eq!((read.text.as_str(), &read.platform_id), ("Andra", &id));
    assert_eq!(read.edited_at, Some(at("2026-11-21T12:03:00Z")));
}

#[tokio::test]
async fn answers_that_do_not_name_us_are_found_within_the_hour() {
    let Stage { account: x, simulator, clock } = stage(many(3, |_| 0)).await;
    let before = fetch_all(&x, None).await.unwrap();
    let unnamed = simulator.id(simulator.write_unnamed("Utan namn"));
    clock.advance(SignedDuration::from_mins(2));
    let near = fetch_all(&x, before.cursor.as_ref()).await.unwrap();
    assert!(!near.items.contains_key(&unnamed), "each search costs");
    clock.advance(SignedDuration::from_hours(1));
    let hour = fetch_all(&x, near.cursor.as_ref()).await.unwrap();
    assert!(hour.items.contains_key(&unnamed));
}

#[tokio::test]
async fn who_did_not_name_us_cannot_be_answered_and_it_says_why() {
    let own = Own { answers_all: false, ..Own::default() };
    let Stage { account: x, simulator, .. } = stage(Options { own, ..few() }).await;
    let id = simulator.id(simulator.write_unnamed("Utan namn"));
    let all = fetch_all(&x, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&id]);
    let error = x.reply(&item, "Hej", "n").await.unwrap_err();
    assert!(error.swedish().contains("nämnt eller citerat"), "{error:?}");
    let elsewhere = PlatformItemId::new(simulator.mention("@exempelstad_sim hallå"));
    let all = fetch_all(&x, None).await.unwrap();
    let elsewhere = &all.items[&elsewhere];
    assert!(elsewhere.barred.is_empty(), "of a root that is not shown nobody knows whose it is");
    assert!(!elsewhere.barred.iter().any(|barred| barred.act == ActionKind::Reply));
}

#[tokio::test]
async fn messages_are_read_sparingly_and_answered() {
    let own = Own { message_reads: 15, ..Own::default() };
    let Stage { account: x, simulator, clock } = stage(Options { own, ..few() }).await;
    let id = PlatformItemId::new(simulator.message("77", "Hej!"));
    let mut all = fetch_all(&x, None).await.unwrap();
    let item = all.items[&id].clone();
    assert_eq!((item.kind, item.by_us), (ItemKind::DirectMessage, false));
    let address = ItemAddress::from(&item);
    let Receipt::Done(ours) = x.reply(&address, "Hej själv", "n").await.unwrap() else {
        panic!("an answer")
    };
    let found = x.find_reply(&address, &Sought::ever("Hej själv", "n")).await.unwrap();
    assert_eq!(found, Some(Receipt::AlreadySo(ours)));
    for _ in 0..30 {
        all = fetch_all(&x, all.cursor.as_ref()).await.unwrap();
    }
    let read = x.read_live(&address).await.unwrap();
    assert!(matches!(read, LiveReading::NotReadable { .. }), "{read:?}");
    assert_eq!(simulator.overspent(), 0);
    let later = PlatformItemId::new(simulator.message("77", "Är ni där?"));
    clock.advance(SignedDuration::from_mins(16));
    let after = fetch_all(&x, all.cursor.as_ref()).await.unwrap();
    assert!(after.items.contains_key(&later));
}

#[tokio::test]
async fn a_pair_that_is_good_once_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("nycklar").join("x.json");
    let Stage { simulator, clock, .. } = stage(few()).await;
    let settings =
        XSettings { kept: Some(Shelf::new(kept.clone(), "x", None)), ..simulator.settings() };
    let x = || X::new(settings.clone(), clock.clock()).unwrap();
    x().check().await.unwrap();
    simulator.expire();
    x().check().await.expect("the kept pair is shown, not the first");
    clock.advance(SignedDuration::from_hours(3));
    let daemon = x();
    daemon.check().await.expect("and renewed when it has run out");
    clock.advance(SignedDuration::from_hours(3));
    x().check().await.expect("by another process");
    daemon.check().await.expect("whose pair is taken over");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&kept).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read it");
    // Without it the first consent is all there is, and it is spent.
    std::fs::remove_file(&kept).unwrap();
    let error = x().check().await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
    // What cannot be read is not taken for none: the first consent would be shown, and is spent.
    for put in [
        |at: &Path| std::fs::create_dir(at).unwrap(),
        |at: &Path| {
            std::fs::remove_dir(at).unwrap();
            std::fs::write(at, r#"{"of":"halv"#).unwrap();
        },
    ] {
        put(&kept);
        let calls = simulator.calls().len();
        let error = x().check().await.unwrap_err();
        assert!(matches!(error, PlatformError::Local { .. }), "{error:?}");
        assert!(error.swedish().contains("x.json"), "{}", error.swedish());
        assert_eq!(simulator.calls().len(), calls, "nothing was shown to the platform");
    }
    // Another consent in the settings means that the account was connected anew.
    std::fs::write(
        &kept,
        r#"{"of":"en annan","access":"a","until":"2030-01-01T00:00:00Z","refresh":"r"}"#,
    )
    .unwrap();
    let error = x().check().await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
}

/// Where the simulator is and where the pair lies, to a process of its own.
const OTHER_BASE: &str = "UPPSIKT_TEST_X_BASE";
const OTHER_PAIR: &str = "UPPSIKT_TEST_X_PAIR";

/// No test by itself: what a process beside the service does, in the test after it.
#[tokio::test]
#[ignore = "run by the test of two processes"]
async fn a_process_beside_the_service() {
    let (Ok(base), Ok(pair)) = (std::env::var(OTHER_BASE), std::env::var(OTHER_PAIR)) else {
        return;
    };
    let base: url::Url = base.parse().unwrap();
    let Stage { simulator, clock, .. } = stage(few()).await;
    let settings = XSettings {
        base: base.join("2/").unwrap(),
        token_url: base.join("2/oauth2/token").unwrap(),
        kept: Some(Shelf::new(pair.into(), "x", None)),
        ..simulator.settings()
    };
    for _ in 0..25 {
        // Each is new to what is in hand, as a command is.
        let x = X::new(settings.clone(), clock.clock()).unwrap();
        match x.check().await {
            Ok(_) => {}
            // It ran out once more between the renewal and the call.
            Err(PlatformError::ReauthNeeded { detail }) if detail.starts_with("HTTP 401") => {}
            Err(error) => panic!("somebody has spent the consent beside us: {error:?}"),
        }
    }
}

#[tokio::test]
async fn of_two_processes_that_renew_at_once_none_spends_the_others_consent() {
    let folder = tempfile::tempdir().unwrap();
    let Stage { simulator, .. } = stage(few()).await;
    let program = std::env::current_exe().unwrap();
    let beside = || {
        std::process::Command::new(&program)
            .args(["--exact", "platforms::x::tests::a_process_beside_the_service", "--ignored"])
            .env(OTHER_BASE, simulator.base().as_str())
            .env(OTHER_PAIR, folder.path().join("x.json"))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut both = [beside(), beside()];
    let renewals = || simulator.calls().iter().filter(|c| c.ends_with("/oauth2/token")).count();
    while both.iter_mut().any(|one| one.try_wait().unwrap().is_none()) {
        // Whatever either of them has in hand has run out.
        simulator.expire();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for one in both {
        let told = one.wait_with_output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stdout));
        assert!(String::from_utf8_lossy(&told.stdout).contains("1 passed"));
    }
    assert!(renewals() >= 4, "they have renewed: {}", renewals());
    let names = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["x.json", "x.lock"], "nothing half written is left");
}

#[tokio::test]
async fn a_renewal_whose_caller_gives_up_is_written_down_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let Stage { simulator, clock, .. } = stage(few()).await;
    let kept = Some(Shelf::new(path.clone(), "x", None));
    let settings = XSettings { kept, ..simulator.settings() };
    let x = X::new(settings, clock.clock()).unwrap();
    simulator.fail_next(Fault::Slow(std::time::Duration::from_millis(100)), 1);
    let limit = std::time::Duration::from_millis(20);
    assert!(tokio::time::timeout(limit, x.check()).await.is_err(), "given up");
    drop(x);
    for _ in 0..500 {
        if path.exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("what the platform gave for the consent is lost");
}

#[tokio::test]
async fn a_pair_lies_sealed_where_there_is_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let key = Key::read_or_make(&folder.path().join("nyckel")).unwrap();
    let Stage { simulator, clock, .. } = stage(few()).await;
    let kept = Some(Shelf::new(path.clone(), "pair x", Some(key)));
    let settings = XSettings { kept, ..simulator.settings() };
    let x = || X::new(settings.clone(), clock.clock()).unwrap();
    x().check().await.unwrap();
    let lies_there = std::fs::read_to_string(&path).unwrap();
    assert!(lies_there.starts_with("uppsikt-sealed-1"), "{lies_there}");
    clock.advance(SignedDuration::from_hours(3));
    x().check().await.expect("renewed with the kept pair, which is sealed anew");
    assert_ne!(std::fs::read_to_string(&path).unwrap(), lies_there);
    // Without the key nothing is shown to the platform: the first consent is spent.
    let kept = Some(Shelf::new(path, "pair x", None));
    let calls = simulator.calls().len();
    let x = X::new(XSettings { kept, ..simulator.settings() }, clock.clock()).unwrap();
    let error = x.check().await.unwrap_err();
    assert!(matches!(error, PlatformError::Local { .. }), "{error:?}");
    assert_eq!(simulator.calls().len(), calls);
}

#[tokio::test]
async fn another_accounts_consent_is_refused() {
    let Stage { simulator, clock, .. } = stage(few()).await;
    let settings = XSettings { user_id: "999".into(), ..simulator.settings() };
    let x = X::new(settings, clock.clock()).unwrap();
    let error = x.fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn every_fault_has_its_class_and_the_next_try_goes_through() {
    let Stage { simulator, account: x, .. } = stage(few()).await;
    let table = [
        (Fault::TokenLimit { minutes: 7 }, "throttled"),
        (Fault::ServerError, "transient"),
        (Fault::HtmlPage, "transient"),
        (Fault::BrokenJson, "transient"),
        (Fault::LostAnswer, "transient"),
    ];
    faults_have_their_classes(&x, simulator.front(), &table).await;
}

#[tokio::test]
async fn a_lost_answer_to_an_act_is_told_as_unknown_and_can_be_found_out() {
    let Stage { simulator, account: x, .. } = stage(few()).await;
    a_lost_answer_can_be_found_out(&x, simulator.front(), 0).await;
}

#[tokio::test]
async fn random_faults_lose_nothing() {
    let Stage { simulator, account: x, clock } = stage(troubled(lenient(), 100)).await;
    testing::random_faults_lose_nothing(&x, &simulator, &clock).await;
}

/// A platform that locks nobody out for an answer that was lost.
fn lenient() -> Options {
    let own = Own { page: 5, rotation: Rotation::Lenient, ..Own::default() };
    Options { own, ..few() }
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(8, async |storm| {
        let Stage { simulator, account: x, clock } = stage(lenient()).await;
        let front = simulator.front();
        storm.rage(Arc::new(x), &simulator, front, &clock).await;
    });
}

#[tokio::test]
async fn more_mentions_than_are_listed_are_told_and_not_lost_without_a_word() {
    let Stage { account: x, simulator, clock } = stage(few()).await;
    let first = fetch_all(&x, None).await.unwrap();
    assert_eq!(first.gaps, Vec::<String>::new());
    for hours in [2, 25] {
        clock.advance(SignedDuration::from_hours(hours));
        for n in 0..820 {
            simulator.write("kim", &format!("Efter {hours} timmar: {n}"), None);
        }
        let all = fetch_all(&x, first.cursor.as_ref()).await.unwrap();
        assert!(all.gaps.iter().any(|gap| gap.contains("800")), "{hours}: {:?}", all.gaps);
        let again = fetch_all(&x, all.cursor.as_ref()).await.unwrap();
        assert_eq!(again.gaps, Vec::<String>::new(), "told once");
    }
}

#[tokio::test]
async fn pushes_are_asked_for_once_and_again_where_they_have_ended() {
    let Stage { simulator, account: x, .. } = stage(few()).await;
    let callback = testing::callback();
    let without = Callback { token: None, ..callback.clone() };
    assert_eq!(x.subscribe(&without).await, Ok(Subscribed::ByHand), "nothing was asked for");
    assert_eq!(simulator.pushes(), (None, Vec::new()));
    for _ in 0..2 {
        assert_eq!(x.subscribe(&callback).await, Ok(Subscribed::Yes));
        let (webhook, events) = simulator.pushes();
        assert_eq!(webhook, Some((callback.url.to_string(), true)));
        assert_eq!(events, ["post.mention.create", "dm.received"], "each once");
    }
    simulator.lose_webhook();
    x.subscribe(&callback).await.unwrap();
    assert!(simulator.pushes().0.unwrap().1, "it is looked for again");
    let wrong = Callback { token: Some(Secret::new("en-annan")), ..callback };
    let error = x.subscribe(&wrong).await.unwrap_err();
    assert_eq!(error.class(), "forbidden", "{error:?}");
    x.fetch(None, None).await.expect("the account's own login is as good as before");
}

#[tokio::test]
async fn what_is_shown_later_than_it_was_written_is_found() {
    let Stage { simulator, account: x, clock } = stage(few()).await;
    what_is_shown_late_is_found(&x, &simulator, simulator.front(), &clock).await;
}
