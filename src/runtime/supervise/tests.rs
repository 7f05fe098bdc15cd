use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::runtime::clock::TestClock;

#[derive(Debug, thiserror::Error)]
#[error("the store is away")]
struct Away(#[source] std::io::Error);

fn away() -> Away {
    Away(std::io::Error::other("disk full"))
}

struct Rig {
    wake: Arc<Notify>,
    token: CancellationToken,
    health: Health,
    clock: TestClock,
    rounds: Arc<AtomicU32>,
}

impl Rig {
    fn new() -> Self {
        let clock = TestClock::at("2026-03-02T08:00:00Z".parse().expect("a timestamp"));
        Self {
            wake: Arc::default(),
            token: CancellationToken::new(),
            health: Health::new(clock.clock()),
            clock,
            rounds: Arc::default(),
        }
    }

    /// Starts a loop whose `n`-th round (from 1) gives `answer(n)`.
    fn start<A>(&self, tick_s: u64, mut answer: A) -> tokio::task::JoinHandle<()>
    where
        A: FnMut(u32) -> Result<Round, Away> + Send + 'static,
    {
        let rounds = self.rounds.clone();
        tokio::spawn(run_loop(
            "probe",
            self.wake.clone(),
            Duration::from_secs(tick_s),
            self.token.clone(),
            self.health.clone(),
            move || {
                let answer = answer(rounds.fetch_add(1, Ordering::SeqCst) + 1);
                async move { answer }
            },
        ))
    }

    fn rounds(&self) -> u32 {
        self.rounds.load(Ordering::SeqCst)
    }

    fn is_well(&self) -> bool {
        self.health().is_well(self.clock.clock().now())
    }

    fn health(&self) -> LoopHealth {
        self.health.all()["probe"].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn runs_at_once_then_on_tick_and_on_notice() {
    let rig = Rig::new();
    let task = rig.start(60, |_| Ok(Round::Idle));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.rounds(), 1);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.rounds(), 2);
    rig.wake.notify_one();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.rounds(), 3);
    assert!(rig.is_well());
    assert_eq!(rig.health.ailing(), Vec::<&str>::new());
    rig.token.cancel();
    assert!(task.await.is_ok());
    assert_eq!(rig.health().doing, Doing::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_is_expected_ails_until_it_has_been_round() {
    let rig = Rig::new();
    rig.health.expect("probe");
    assert_eq!(rig.health.ailing(), ["probe"]);
    let _task = rig.start(60, |_| Ok(Round::Idle));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.health.ailing(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn goes_again_at_once_while_there_is_more() {
    let rig = Rig::new();
    let start = Instant::now();
    let _task = rig.start(3600, |n| Ok(if n < 10 { Round::More } else { Round::Idle }));
    while rig.rounds() < 10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_notice_during_a_round_is_not_lost() {
    let rig = Rig::new();
    let wake = rig.wake.clone();
    let _task = rig.start(3600, move |n| {
        if n == 1 {
            wake.notify_one();
        }
        Ok(Round::Idle)
    });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.rounds(), 2);
}

#[tokio::test(start_paused = true)]
async fn errors_are_waited_out_with_growing_waits_and_told() {
    let rig = Rig::new();
    let _task = rig.start(1, |n| if n <= 4 { Err(away()) } else { Ok(Round::Idle) });
    sleep(Duration::from_millis(10)).await;
    let health = rig.health();
    assert_eq!((rig.rounds(), health.failures_in_row), (1, 1));
    assert_eq!(health.doing, Doing::BackingOff);
    let (_, error) = health.last_error.expect("the failure is told");
    assert_eq!(error, "the store is away: disk full");
    // A notice must not turn a failing loop into a hot one.
    for _ in 0..100 {
        rig.wake.notify_one();
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.rounds(), 1);
    // 1 + 2 + 4 s at the most.
    sleep(Duration::from_secs(7)).await;
    assert_eq!(rig.rounds(), 4);
    assert_eq!(rig.health.ailing(), ["probe"]);
    sleep(Duration::from_secs(9)).await;
    let health = rig.health();
    assert_eq!(health.failures_in_row, 0);
    assert!(rig.is_well() && health.last_error.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_caught_whether_before_or_inside_the_future() {
    let rig = Rig::new();
    let rounds = rig.rounds.clone();
    let _task = tokio::spawn(run_loop(
        "probe",
        rig.wake.clone(),
        Duration::from_secs(1),
        rig.token.clone(),
        rig.health.clone(),
        move || {
            let n = rounds.fetch_add(1, Ordering::SeqCst) + 1;
            assert_ne!(n, 1, "before the future");
            async move {
                tokio::task::yield_now().await;
                assert_ne!(n, 2, "inside the future");
                Ok::<_, Away>(Round::Idle)
            }
        },
    ));
    sleep(Duration::from_millis(10)).await;
    assert_eq!(rig.health().failures_in_row, 1);
    sleep(Duration::from_secs(5)).await;
    assert!(rig.rounds() >= 3);
    assert!(rig.is_well());
    assert_eq!(rig.health().last_error.map(|(_, e)| e).as_deref(), Some("the round panicked"));
}

#[tokio::test(start_paused = true)]
async fn stopping_never_cuts_a_round_short() {
    let rig = Rig::new();
    let done = Arc::new(AtomicU32::new(0));
    let task = tokio::spawn(run_loop(
        "probe",
        rig.wake.clone(),
        Duration::from_secs(1),
        rig.token.clone(),
        rig.health.clone(),
        {
            let done = done.clone();
            move || {
                let done = done.clone();
                async move {
                    sleep(Duration::from_secs(20)).await;
                    done.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, Away>(Round::Idle)
                }
            }
        },
    ));
    sleep(Duration::from_secs(5)).await;
    assert!(matches!(rig.health().doing, Doing::Working(_)));
    rig.token.cancel();
    assert!(task.await.is_ok());
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_hangs_is_told_while_it_hangs() {
    let rig = Rig::new();
    let _task = rig.start(3600, |_| Ok(Round::Idle));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.health.ailing(), Vec::<&str>::new());
    let hanging = tokio::spawn(run_loop(
        "hanging",
        Arc::default(),
        Duration::from_secs(1),
        rig.token.clone(),
        rig.health.clone(),
        {
            let mut first = true;
            move || {
                let hang = !std::mem::replace(&mut first, false);
                async move {
                    if hang {
                        std::future::pending::<()>().await;
                    }
                    Ok::<_, Away>(Round::Idle)
                }
            }
        },
    ));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(rig.health.ailing(), Vec::<&str>::new());
    rig.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(rig.health.ailing(), ["hanging"]);
    hanging.abort();
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_a_back_off_at_once() {
    let rig = Rig::new();
    let task = rig.start(1, |_| Err(away()));
    sleep(Duration::from_secs(30)).await;
    let start = Instant::now();
    rig.token.cancel();
    assert!(task.await.is_ok());
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn waits_grow_stay_below_the_cap_and_are_spread_over_their_upper_half() {
    let ms = |n, share| back_off(n, share).as_millis();
    assert_eq!((ms(1, 0.0), ms(1, 1.0)), (500, 1000));
    assert_eq!((ms(2, 0.0), ms(2, 1.0)), (1000, 2000));
    assert_eq!((ms(6, 0.0), ms(6, 1.0)), (16_000, 32_000));
    assert_eq!((ms(7, 0.0), ms(7, 1.0)), (30_000, 60_000));
    assert_eq!(ms(u32::MAX, 1.0), 60_000);
    assert_eq!(ms(1, f64::INFINITY), 1000);
    for _ in 0..100 {
        assert!((0.0..=1.0).contains(&crate::runtime::chance::share()));
    }
}
