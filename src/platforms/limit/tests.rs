use std::time::Instant;

use crate::platforms::conformance;
use crate::platforms::facebook::Facebook;
use crate::platforms::simulate::facebook::{Options, Simulator};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::script::Script;
use crate::runtime::clock::TestClock;

use super::*;

const POSTS: &str = include_str!("../../../fixtures/platforms/facebook/posts.json");
const COMMENTS: &str = include_str!("../../../fixtures/platforms/facebook/demo.jsonl");

struct Stage {
    simulator: Simulator,
    clock: TestClock,
    limits: Arc<Limits>,
}

impl Stage {
    async fn set(pace: impl Fn(PlatformKind) -> Pace) -> Self {
        let clock = TestClock::at("2026-11-21T12:00:00Z".parse().unwrap());
        let script = Script::read(POSTS, COMMENTS).unwrap();
        let simulator = Simulator::start(Options::new(script), clock.clock()).await.unwrap();
        let limits = Arc::new(Limits::with_pace(clock.clock(), pace));
        Self { simulator, clock, limits }
    }

    fn account(&self, key: &str) -> Limited {
        let facebook = Facebook::new(self.simulator.settings(), self.clock.clock()).unwrap();
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
    assert!(matches!(error, PlatformError::Throttled { lane: Lane::Account, .. }), "{error:?}");
    stage.account("other").check().await.expect("another account");
}
