//! Loops under supervision: wake on notice or tick, do what is due, go on whatever happens.
//!
//! A round is never cancelled: the token is asked between rounds only, so that an act in hand
//! reaches its record. An error or a panic in one round is counted, logged and waited out; the
//! loop goes on, and [`Health`] tells `/readyz` how it fares.

use std::collections::BTreeMap;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::clock::Clock;
use crate::telemetry::metrics::{LOOP_ROUNDS, LOOP_SECONDS};

/// The first wait after a failed round; it doubles with each failure in a row.
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);
/// The longest wait: a minute after the database is back, everything runs again.
const BACK_OFF_MOST: Duration = Duration::from_secs(60);
/// Failures in a row after which a loop no longer counts as healthy. One or two are weather.
const SICK_AFTER: u32 = 3;
/// A round that takes longer hangs: the longest honest one is a capture with its retries.
const HANGS_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What a round found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Nothing more is due: sleep until notice or tick.
    Idle,
    /// There is more: go again at once.
    More,
}

/// What a loop does right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Sleeps until notice or tick.
    Waiting,
    /// Works, since then.
    Working(Timestamp),
    /// Waits out a failure.
    BackingOff,
    /// Was asked to stop and has.
    Stopped,
}

/// How one loop fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopHealth {
    /// What it does.
    pub doing: Doing,
    /// End of the last round that went well.
    pub last_ok: Option<Timestamp>,
    /// The last failure, with its causes. Error texts hold no content and no secrets.
    pub last_error: Option<(Timestamp, String)>,
    /// Failures since the last round that went well.
    pub failures_in_row: u32,
}

impl LoopHealth {
    /// Whether the loop can be relied on at `now`: it has been round once, does not fail again
    /// and again, and does not hang in a round.
    pub fn is_well(&self, now: Timestamp) -> bool {
        let alive = match self.doing {
            Doing::Waiting | Doing::BackingOff => true,
            Doing::Working(since) => now.duration_since(since) < HANGS_AFTER,
            Doing::Stopped => false,
        };
        alive && self.last_ok.is_some() && self.failures_in_row < SICK_AFTER
    }
}

/// How all loops fare; shared by the loops and `/readyz`.
#[derive(Clone, Debug)]
pub struct Health {
    clock: Clock,
    // Locked for the copying of a few values, never across an await.
    loops: Arc<Mutex<BTreeMap<&'static str, LoopHealth>>>,
}

impl Health {
    /// No loops yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, loops: Arc::default() }
    }

    /// Says that a loop is to run: until it has been round once, it ails. Without this a program
    /// whose loops have not started yet would look ready.
    pub fn expect(&self, name: &'static str) {
        self.note(name, |_, _| {});
    }

    /// Every loop by name, as it fares now.
    pub fn all(&self) -> BTreeMap<&'static str, LoopHealth> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Names of the loops that are not well; the program is ready when there are none.
    pub fn ailing(&self) -> Vec<&'static str> {
        let now = self.clock.now();
        self.all().into_iter().filter(|(_, h)| !h.is_well(now)).map(|(name, _)| name).collect()
    }

    fn note(&self, name: &'static str, change: impl FnOnce(&mut LoopHealth, Timestamp)) {
        let now = self.clock.now();
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        let health = loops.entry(name).or_insert(LoopHealth {
            doing: Doing::Waiting,
            last_ok: None,
            last_error: None,
            failures_in_row: 0,
        });
        change(health, now);
    }
}

/// The loop: to be spawned on the tracker of its stage ([`super::shutdown::Shutdown::spawn`]).
///
/// The first round runs at once. Then `round` runs when `wake` is notified (a notice given while a
/// round runs is not lost), and at the latest every `tick`; after a failure it waits, longer each
/// time, and notices do not shorten that wait. Ends when `token` is cancelled and the round in
/// hand is over.
pub async fn run_loop<F, Fut, E>(
    name: &'static str,
    wake: Arc<Notify>,
    tick: Duration,
    token: CancellationToken,
    health: Health,
    mut round: F,
) where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<Round, E>> + Send,
    E: Error + Send,
{
    health.expect(name);
    let mut failures: u32 = 0;
    while !token.is_cancelled() {
        health.note(name, |h, now| h.doing = Doing::Working(now));
        let begun = Instant::now();
        let span = tracing::info_span!("round", loop.name = name);
        let result =
            AssertUnwindSafe(async { round().await }.instrument(span)).catch_unwind().await;
        metrics::histogram!(LOOP_SECONDS, "loop" => name).record(begun.elapsed().as_secs_f64());

        let pause = match result {
            Ok(Ok(found)) => {
                failures = 0;
                count(name, "ok");
                health.note(name, |h, now| {
                    (h.doing, h.last_ok, h.failures_in_row) = (Doing::Waiting, Some(now), 0);
                });
                match found {
                    // Lets other tasks in between, however much there is.
                    Round::More => {
                        tokio::task::yield_now().await;
                        continue;
                    }
                    Round::Idle => None,
                }
            }
            Ok(Err(error)) => {
                count(name, "error");
                Some(chain(&error))
            }
            Err(_panic) => {
                // The panic hook has logged where; the message may hold content and is left out.
                count(name, "panic");
                Some("the round panicked".to_owned())
            }
        };
        match pause {
            None => tokio::select! {
                () = wake.notified() => {}
                () = sleep(tick) => {}
                () = token.cancelled() => {}
            },
            Some(error) => {
                failures = failures.saturating_add(1);
                let wait = back_off(failures, super::chance::share());
                let wait_ms = wait.as_millis() as u64;
                tracing::error!(loop.name = name, attempt = failures, wait_ms, error, "round failed");
                health.note(name, |h, now| {
                    h.doing = Doing::BackingOff;
                    h.last_error = Some((now, error));
                    h.failures_in_row = failures;
                });
                tokio::select! {
                    () = sleep(wait) => {}
                    () = token.cancelled() => {}
                }
            }
        }
    }
    health.note(name, |h, _| h.doing = Doing::Stopped);
}

fn count(name: &'static str, outcome: &'static str) {
    metrics::counter!(LOOP_ROUNDS, "loop" => name, "outcome" => outcome).increment(1);
}

/// The error and its causes, each once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The wait after the `failures`-th failure in a row. `share` (0 to 1) spreads it over its upper
/// half, so that loops that failed together do not come back together.
fn back_off(failures: u32, share: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = BACK_OFF_FIRST.saturating_mul(1 << doublings).min(BACK_OFF_MOST);
    full.mul_f64(0.5 + share.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests;
