use std::time::Instant;

use crate::platforms::conformance;
use crate::platforms::facebook::Facebook;
use crate::platforms::instagram::Instagram;
use crate::platforms::settings::FacebookSettings;
use crate::platforms::simulate::facebook::{Options, Simulator};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::graph::Usage;
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::{instagram, youtube};
use crate::platforms::usage::Apps;
use crate::platforms::youtube::YouTube;
use crate::platforms::youtube::quota::Quotas;
use crate::runtime::clock::TestClock;

use super::*;

const POSTS: &str = include_str!("../../../fixtures/platforms/facebook/posts.json");
const COMMENTS: &str = include_str!("../../../fixtures/platforms/facebook/demo.jsonl");

struct Stage {
    simulator: Simulator,
    clock: TestClock,
    limits: Arc<Limits>,
    apps: Apps,
}

impl Stage {
    async fn set(pace: impl Fn(PlatformKind) -> Pace) -> Self {
        let clock = TestClock::at("2026-11-21T12:00:00Z".parse().unwrap());
        let script = Script::read(POSTS, COMMENTS).unwrap();
        let simulator = Simulator::start(Options::new(script), clock.clock()).await.unwrap();
        let limits = Arc::new(Limits::with_pace(clock.clock(), pace));
        Self { simulator, clock, limits, apps: Apps::default() }
    }

    fn account(&self, key: &str) -> Limited {
        self.with_token(key, self.simulator.settings().token)
    }

    fn with_token(&self, key: &str, token: Secret) -> Limited {
        let settings = FacebookSettings { token, ..self.simulator.settings() };
        let facebook = Facebook::sharing(settings, &self.apps, self.clock.clock()).unwrap();
        Limited::new(Arc::new(facebook), AccountKey::new(key), Arc::clone(&self.limits))
    }
}

fn fast(_: PlatformKind) -> Pace {
    pace(60_000, 60_000, 1_000)
}

#[tokio::test]
async fn the_wrapper_keeps_every_promise_of_what_it_wraps() {
    let stage = Stage::set(fast).await;
    let account = stage.account("a");
    conformance::everything(&account, &stage.simulator, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn nothing_is_called_until_the_time_the_platform_named() {
    let stage = Stage::set(fast).await;
    let (one, other) = (stage.account("one"), stage.account("other"));
    stage.simulator.fail_next(Fault::PageLimit { minutes: 5 }, 1);
    let until = Some("2026-11-21T12:05:00Z".parse().unwrap());
    assert_eq!(one.check().await.unwrap_err().retry_at(), until);
    let calls = stage.simulator.calls().len();
    assert_eq!(one.fetch(None, None).await.unwrap_err().retry_at(), until);
    assert_eq!(one.check().await.unwrap_err().retry_at(), until);
    assert_eq!(stage.simulator.calls().len(), calls, "no call went out");
    other.check().await.expect("the limit is this account's");
    stage.clock.advance(SignedDuration::from_mins(5));
    one.check().await.expect("the time has come");
}

#[tokio::test]
async fn a_limit_of_the_app_holds_for_all_its_accounts() {
    let stage = Stage::set(fast).await;
    let (one, other) = (stage.account("one"), stage.account("other"));
    stage.simulator.fail_next(Fault::AppLimit { minutes: 5 }, 1);
    one.check().await.unwrap_err();
    assert!(matches!(other.check().await, Err(PlatformError::Throttled { lane: Lane::App, .. })));
}

#[tokio::test]
async fn a_limit_on_background_reading_lets_acts_through() {
    let stage = Stage::set(fast).await;
    let account = stage.account("one");
    let all = conformance::fetch_all(&account, None).await.unwrap();
    let item = ItemAddress::from(all.items.values().next().unwrap());
    stage.simulator.set_usage(95);
    account.check().await.unwrap();
    account.fetch(None, None).await.unwrap_err();
    account.hide(RemovalWarrant::for_test(item)).await.expect("an editor may act");
}

#[tokio::test]
async fn our_own_pace_is_kept() {
    // Twenty a second, five at once.
    let stage = Stage::set(|_| pace(60_000, 1_200, 5)).await;
    let one = stage.account("one");
    one.check().await.unwrap();
    let begun = Instant::now();
    for _ in 0..9 {
        one.check().await.unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_millis(200), "five waited 50 ms each");
}

#[tokio::test]
async fn nobody_waits_inside_a_call_for_long_and_accounts_do_not_wait_for_each_other() {
    let stage = Stage::set(|_| pace(60_000, 1, 1)).await;
    let account = stage.account("one");
    account.check().await.unwrap();
    let error = account.check().await.unwrap_err();
    assert!(matches!(error, PlatformError::Throttled { lane: Lane::Token, .. }), "{error:?}");
    let error =
        stage.with_token("other", stage.simulator.person_token()).check().await.unwrap_err();
    assert!(matches!(error, PlatformError::Forbidden { .. }), "it was asked at once: {error:?}");
}

/// A page on Facebook and the account on Instagram that is linked to it, with one token.
async fn linked(stage: &Stage) -> (instagram::Simulator, Limited) {
    let script = Script::read(POSTS, COMMENTS).unwrap();
    let options = instagram::Options::new(script);
    let simulator = instagram::Simulator::start(options, stage.clock.clock()).await.unwrap();
    let connector =
        Instagram::sharing(simulator.settings(), &stage.apps, stage.clock.clock()).unwrap();
    let limits = Arc::clone(&stage.limits);
    (simulator, Limited::new(Arc::new(connector), AccountKey::new("instagram"), limits))
}

#[tokio::test]
async fn accounts_with_one_app_and_token_stand_before_one_governor() {
    for (fault, lane) in [
        (Fault::AppLimit { minutes: 5 }, Lane::App),
        (Fault::TokenLimit { minutes: 5 }, Lane::Token),
    ] {
        let stage = Stage::set(fast).await;
        let page = stage.account("facebook");
        let (simulator, account) = linked(&stage).await;
        stage.simulator.fail_next(fault, 1);
        page.check().await.unwrap_err();
        let error = account.check().await.unwrap_err();
        let PlatformError::Throttled { lane: held_by, .. } = error else { panic!("{error:?}") };
        assert_eq!(held_by, lane);
        assert_eq!(simulator.calls(), Vec::<String>::new(), "no call went out");
        let other = stage.with_token("other", stage.simulator.person_token()).check().await;
        let is_held = matches!(other, Err(PlatformError::Throttled { .. }));
        assert_eq!(is_held, lane == Lane::App, "another token: {other:?}");
        stage.clock.advance(SignedDuration::from_mins(5));
        account.check().await.unwrap();
        page.check().await.unwrap();
    }
    let stage = Stage::set(fast).await;
    let (page, (_running, account)) = (stage.account("facebook"), linked(&stage).await);
    stage.simulator.fail_next(Fault::PageLimit { minutes: 5 }, 1);
    page.check().await.unwrap_err();
    account.check().await.expect("the page's own limit is the page's");
}

#[tokio::test]
async fn what_an_app_has_used_slows_all_its_accounts() {
    let stage = Stage::set(fast).await;
    let page = stage.account("facebook");
    let (simulator, account) = linked(&stage).await;
    account.fetch(None, None).await.unwrap();
    stage.simulator.set_usage(95);
    page.check().await.unwrap();
    let error = account.fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::Throttled { lane: Lane::Call, .. }), "{error:?}");
    stage.simulator.set_usage(3);
    simulator.set_usage(Usage { app: 3, own: 95 });
    stage.clock.advance(SignedDuration::from_mins(11));
    account.check().await.unwrap();
    account.fetch(None, None).await.unwrap_err();
    page.fetch(None, None).await.expect("what one account has used is its own matter");
}

#[tokio::test]
async fn accounts_with_one_token_have_its_pace_together() {
    let stage = Stage::set(|_| pace(60_000, 1, 2)).await;
    let page = stage.account("facebook");
    let (simulator, account) = linked(&stage).await;
    page.check().await.unwrap();
    account.check().await.unwrap();
    for error in [page.check().await.unwrap_err(), account.check().await.unwrap_err()] {
        assert!(matches!(error, PlatformError::Throttled { lane: Lane::Token, .. }), "{error:?}");
    }
    // One check went out. It asks about its token too.
    let asked = simulator.calls().into_iter().filter(|call| !call.ends_with("/debug_token"));
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn channels_of_one_project_share_its_units() {
    let clock = TestClock::at("2026-11-21T12:00:00Z".parse().unwrap());
    let script = Script::read(POSTS, COMMENTS).unwrap();
    let options = youtube::Options {
        own: youtube::Own { units_per_day: 500, ..youtube::Own::default() },
        ..youtube::Options::new(script)
    };
    let simulator = youtube::Simulator::start(options, clock.clock()).await.unwrap();
    let quotas = Quotas::default();
    let one = YouTube::sharing(simulator.settings(), &quotas, clock.clock()).unwrap();
    let other = YouTube::sharing(simulator.settings(), &quotas, clock.clock()).unwrap();
    let mut cursor = None;
    while let Ok(all) = conformance::fetch_all(&one, cursor.as_ref()).await {
        cursor = all.cursor;
    }
    let error = other.fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::Throttled { lane: Lane::Call, .. }), "{error:?}");
    assert_eq!(simulator.overspent(), 0);
}
