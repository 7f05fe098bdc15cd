//! Stopping in order: every task answers "who stops you" (the token of its stage) and "who waits
//! for you" (the tracker of its stage).
//!
//! Nothing is torn down in the middle of an act: a stage is asked to stop, given its time, and
//! only then left behind with a warning. What was left behind is taken up again at the next start
//! from its durable rows, as after a crash.

use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What stops when. The order is the order of stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Web requests: none are accepted any more, those begun are answered.
    Requests,
    /// Polls and assessment. A batch whose cursor has not moved is fetched again.
    Intake,
    /// Captures: finished or abandoned; abandoned ones start anew.
    Captures,
    /// The act in hand reaches its record. Nothing may be cancelled between the call to the
    /// platform and the record of its answer.
    Acts,
    /// Flush, checkpoint the log, close the database.
    Store,
}

impl Stage {
    /// All stages in the order of stopping.
    pub const ALL: &[Self] =
        &[Self::Requests, Self::Intake, Self::Captures, Self::Acts, Self::Store];

    /// Name in log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Intake => "intake",
            Self::Captures => "captures",
            Self::Acts => "acts",
            Self::Store => "store",
        }
    }

    /// How long the stage may take before it is left behind. Together 70 s: below the 90 s that
    /// systemd waits before it kills.
    pub const fn limit(self) -> Duration {
        match self {
            // Live pages hold their connection open until told; 5 s lets an upload end.
            Self::Requests => Duration::from_secs(5),
            // A poll ends with the request in hand, whose own limit is 10 s.
            Self::Intake => Duration::from_secs(12),
            // Cheap to do anew, so not worth much waiting.
            Self::Captures => Duration::from_secs(8),
            // The longest: leaving it makes an act unknown, which a person may have to look at.
            Self::Acts => Duration::from_secs(35),
            Self::Store => Duration::from_secs(10),
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// How one stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Every task of the stage came to its end.
    Finished,
    /// The time ran out, or a second signal came, with this many tasks still running.
    LeftBehind(usize),
}

struct StageTasks {
    token: CancellationToken,
    tracker: TaskTracker,
}

/// The root of stopping; one for the whole program.
pub struct Shutdown {
    requested: CancellationToken,
    hurry: CancellationToken,
    stages: [StageTasks; Stage::ALL.len()],
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// Nothing is asked to stop yet.
    pub fn new() -> Self {
        let stage = |_| StageTasks { token: CancellationToken::new(), tracker: TaskTracker::new() };
        Self {
            requested: CancellationToken::new(),
            hurry: CancellationToken::new(),
            stages: std::array::from_fn(stage),
        }
    }

    /// The token that tells tasks of a stage to stop. Ask it between two pieces of work.
    pub fn token(&self, stage: Stage) -> CancellationToken {
        self.stages[stage.index()].token.clone()
    }

    /// Starts a task that [`Shutdown::finish`] will wait for.
    pub fn spawn<F>(&self, stage: Stage, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.stages[stage.index()].tracker.spawn(task)
    }

    /// Asks the program to stop. Harmless when asked twice.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// Ends when somebody has asked the program to stop.
    pub async fn requested(&self) {
        self.requested.cancelled().await;
    }

    /// Listens for Ctrl-C and SIGTERM: the first asks the program to stop, the second makes
    /// [`Shutdown::finish`] leave everything behind. Must be called inside the runtime.
    ///
    /// # Errors
    /// The operating system refused the listener.
    pub fn listen_for_signals(&self) -> io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (requested, hurry) = (self.requested.clone(), self.hurry.clone());
        // Not tracked: it lives as long as the process.
        tokio::spawn(async move {
            for token in [requested, hurry] {
                let name = tokio::select! {
                    _ = interrupt.recv() => "SIGINT",
                    _ = terminate.recv() => "SIGTERM",
                };
                tracing::info!(signal = name, "asked to stop");
                token.cancel();
            }
        });
        Ok(())
    }

    /// Stops everything, stage by stage, and tells how each ended. To be called once.
    pub async fn finish(&self) -> Vec<(Stage, Stopped)> {
        self.requested.cancel();
        let mut ended = Vec::with_capacity(Stage::ALL.len());
        for &stage in Stage::ALL {
            let tasks = &self.stages[stage.index()];
            tasks.token.cancel();
            tasks.tracker.close();
            let waited = tokio::select! {
                waited = timeout(stage.limit(), tasks.tracker.wait()) => waited.is_ok(),
                () = self.hurry.cancelled() => tasks.tracker.is_empty(),
            };
            let how = if waited {
                Stopped::Finished
            } else {
                let count = tasks.tracker.len();
                tracing::warn!(stage = stage.name(), tasks = count, "left behind when stopping");
                Stopped::LeftBehind(count)
            };
            ended.push((stage, how));
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::{Instant, sleep};

    use super::*;

    #[test]
    fn the_stages_fit_into_the_time_before_the_service_manager_kills() {
        let total: Duration = Stage::ALL.iter().map(|s| s.limit()).sum();
        assert_eq!(total, Duration::from_secs(70));
        assert!(Stage::ALL.iter().enumerate().all(|(i, s)| s.index() == i));
    }

    #[tokio::test(start_paused = true)]
    async fn stages_stop_one_after_the_other_in_their_order() {
        let shutdown = Shutdown::new();
        let order = Arc::new(Mutex::new(Vec::new()));
        // Spawned in the wrong order on purpose.
        for &stage in Stage::ALL.iter().rev() {
            let (token, order) = (shutdown.token(stage), order.clone());
            shutdown.spawn(stage, async move {
                token.cancelled().await;
                // Whoever stops later must not have been told while this one still works.
                sleep(Duration::from_secs(1)).await;
                order.lock().expect("no test task panics").push(stage);
            });
        }
        let ended = shutdown.finish().await;
        assert_eq!(*order.lock().expect("no test task panics"), Stage::ALL);
        assert!(ended.iter().all(|(_, how)| *how == Stopped::Finished));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_that_does_not_end_is_left_behind_after_its_limit() {
        let shutdown = Shutdown::new();
        shutdown.spawn(Stage::Captures, std::future::pending::<()>());
        let acted = shutdown.spawn(Stage::Acts, sleep(Duration::from_secs(30)));
        let start = Instant::now();
        let ended = shutdown.finish().await;
        assert_eq!(ended[Stage::Captures.index()].1, Stopped::LeftBehind(1));
        assert_eq!(ended[Stage::Acts.index()].1, Stopped::Finished);
        assert!(acted.await.is_ok(), "the act in hand reached its end");
        assert_eq!(start.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_ends_the_waiting() {
        let shutdown = Shutdown::new();
        shutdown.spawn(Stage::Acts, std::future::pending::<()>());
        let start = Instant::now();
        let hurry = shutdown.hurry.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(3)).await;
            hurry.cancel();
        });
        let ended = shutdown.finish().await;
        assert_eq!(ended[Stage::Acts.index()].1, Stopped::LeftBehind(1));
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn the_first_signal_asks_to_stop_and_the_second_hurries() {
        let shutdown = Arc::new(Shutdown::new());
        // Once listened to, a signal no longer ends the process, here the test's.
        shutdown.listen_for_signals().expect("the system gives signals");
        shutdown.spawn(Stage::Acts, std::future::pending::<()>());
        let signal = async || {
            let id = std::process::id().to_string();
            let sent = tokio::process::Command::new("kill").args(["-TERM", &id]).status().await;
            assert!(sent.expect("there is a kill command").success());
        };
        assert!(!shutdown.requested.is_cancelled());
        signal().await;
        shutdown.requested().await;
        let finish = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.finish().await }
        });
        // Two signals at once may arrive as one: the second is sent when the first has been heard.
        signal().await;
        let ended = finish.await.expect("no panic");
        assert_eq!(ended[Stage::Acts.index()].1, Stopped::LeftBehind(1));
    }

    #[tokio::test]
    async fn asking_wakes_whoever_waits_for_it() {
        let shutdown = Arc::new(Shutdown::new());
        let waiter = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.requested().await }
        });
        shutdown.request();
        shutdown.request();
        assert!(waiter.await.is_ok());
    }
}
