//! Polling: which account next, one poll, what a failure means. Items and cursor commit together.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::breaker::{self, Breaker, Event};
use crate::domain::ids::AccountId;
use crate::domain::item::{LiveReading, Walk};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::error::PlatformError;
use crate::runtime::chance;
use crate::store::rows::{Committed, FetchState, ItemRow};
use crate::telemetry::metrics as names;

use super::{Change, Served, ServiceError, Services, pace};

/// How much of a rest is left to chance, so that accounts that fell ill together are not probed in step.
const REST_JITTER: f64 = 0.25;

/// Where a wait is longer than can be held.
const BACK_OFF_MOST: SignedDuration = SignedDuration::from_mins(15);

/// How much of the interval is left to chance, so that a thousand accounts do not poll in step.
const JITTER_SHARE: f64 = 0.1;

/// Items with an open case are read again at this pace (platform sheet, section 1.4).
const READ_AGAIN: SignedDuration = SignedDuration::from_mins(15);
const READ_AGAIN_AT_ONCE: u32 = 50;

/// How long one round of that may take before the account's next poll gets its turn.
const READ_AGAIN_LONGEST: SignedDuration = SignedDuration::from_secs(20);

/// How many steps of one walk are taken before other accounts get their turn.
const STEPS_AT_ONCE: u32 = 20;

/// How long a poll waits for its platform before it gives its turn on. What is well answers within.
const LONG_WAIT: Duration = Duration::from_secs(1);

/// How many polls may wait so: each an open connection and what it has read of an answer.
pub(super) const MOST_WAITING: usize = 256;

/// Walks in hand, by account. In memory only: see [`Walk`].
#[derive(Debug, Default)]
pub(super) struct Walks(Mutex<BTreeMap<AccountId, Walk>>);

impl Walks {
    fn take(&self, account: AccountId) -> Option<Walk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&account)
    }

    fn put(&self, account: AccountId, walk: Option<Walk>) {
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match walk {
            Some(walk) => walks.insert(account, walk),
            None => walks.remove(&account),
        };
    }
}

/// One of the few turns to poll. Who waits for a platform longer than [`LONG_WAIT`] gives it on and takes another
/// when the answer is there: a platform that takes the call and never answers holds a place among those that wait, and
/// what is done with answers stays bounded by the turns.
struct Turn {
    turns: Arc<Semaphore>,
    waits: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Turn {
    async fn take(turns: Arc<Semaphore>, waits: Arc<Semaphore>) -> Self {
        let mut turn = Self { turns, waits, held: None };
        turn.again().await;
        turn
    }

    async fn again(&mut self) {
        // The semaphore is never closed.
        self.held = Arc::clone(&self.turns).acquire_owned().await.ok();
    }

    async fn while_waiting<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = std::pin::pin!(call);
        if let Ok(answer) = tokio::time::timeout(LONG_WAIT, call.as_mut()).await {
            return answer;
        }
        // Until there is a place it keeps its turn: what is open at once stays bounded.
        let place = Arc::clone(&self.waits).acquire_owned();
        let place = tokio::select! {
            answer = call.as_mut() => return answer,
            place = place => place,
        };
        self.held = None;
        let answer = call.await;
        // First: whoever has a turn may be waiting for the place. Turns are given in order, so those with an answer
        // in hand come before new calls.
        drop(place);
        self.again().await;
        answer
    }
}

impl Services {
    /// Begins a poll of every account that is due and not being polled, each in a lane of its own:
    /// a platform that is slow or broken never slows another.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer. A platform's failure is no error here: it
    /// is recorded on its account.
    pub async fn begin_polls(&self) -> Result<(), ServiceError> {
        let now = self.inner.clock.now();
        let mut due = self.inner.store.fetch_schedule(now).await?;
        // Where turns or a day's units are scarce, the liveliest pages have them.
        due.sort_by_key(|(account, _)| self.inner.stirred.quiet_for(*account, now));
        for (account, state) in due {
            let Some(served) = self.inner.accounts.get(&account).cloned() else { continue };
            let Some(lane) = self.inner.polls.take(account, now) else { continue };
            let services = self.clone();
            let turns = match state.failures {
                0 => &self.inner.polls_at_once,
                // What is not well waits among its like: healthy accounts never wait for its turn.
                _ => &self.inner.probes_at_once,
            };
            let (turns, waits) = (Arc::clone(turns), Arc::clone(&self.inner.waits_at_once));
            tokio::spawn(async move {
                let mut turn = Turn::take(turns, waits).await;
                let poll = services.poll_if_due(&served, &mut turn);
                match AssertUnwindSafe(poll).catch_unwind().await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(account.id = %account, error, "a poll could not be recorded");
                        lane.rest(services.inner.clock.now());
                    }
                    Err(_) => {
                        tracing::error!(account.id = %account, "a poll panicked");
                        lane.rest(services.inner.clock.now());
                    }
                }
                drop(lane);
            });
        }
        Ok(())
    }

    /// Reads where fetching stands only now that the lane is ours: what the schedule said may have
    /// been done by whoever had it before, and its cursor is not to be put back.
    async fn poll_if_due(&self, served: &Served, turn: &mut Turn) -> Result<(), ServiceError> {
        let state = self.inner.store.fetch_state(served.account.id).await?;
        if state.next_at > self.inner.clock.now() {
            return Ok(());
        }
        self.poll(served, state, turn).await
    }

    /// One poll of one account: steps until the walk ends or others should have their turn.
    #[tracing::instrument(name = "poll", skip_all, fields(account.id = %served.account.id, platform = %served.account.platform))]
    async fn poll(
        &self,
        served: &Served,
        mut state: FetchState,
        turn: &mut Turn,
    ) -> Result<(), ServiceError> {
        let account = served.account.id;
        for _ in 0..STEPS_AT_ONCE {
            let walk = self.inner.walks.take(account);
            let fetch = served.platform.fetch(state.cursor.as_ref(), walk.as_ref());
            let fetched = turn.while_waiting(fetch).await;
            let now = self.inner.clock.now();
            let mut batch = match fetched {
                Ok(batch) => batch,
                Err(error) => {
                    if goes_on_after(&error, state.failures) {
                        self.inner.walks.put(account, walk);
                    }
                    return self.record_failure(served, &state, &error, now).await;
                }
            };
            let walk = batch.walk.take();
            let more = walk.is_some();
            let next_at = if more { now } else { after_interval(self.pace_of(served, now), now) };
            let newest_post = pace::newest_post(&batch);
            if let Some(cursor) = &batch.next {
                state.cursor = Some(cursor.clone());
            }
            let committed = self.inner.store.commit_batch(account, batch, next_at, now).await?;
            let n_new = committed.new_items + committed.new_versions;
            self.inner.stirred.note(account, newest_post, n_new, now);
            // As the store has it now: a later step that fails is the first one again.
            state.failures = 0;
            state.alike = None;
            state.open_since = None;
            state.stopped = false;
            state.problem = None;
            state.next_at = next_at;
            if committed.presence_changes > 0 {
                // What was sealed and is gone is an entry of the log.
                self.note_log().await;
            }
            self.inner.walks.put(account, walk);
            self.count(served, &committed);
            self.tell_cases(&committed.touched);
            if committed.new_items + committed.new_versions > 0 {
                self.inner.wakes.assess.notify_one();
            }
            if !more {
                turn.while_waiting(self.read_pointed_at(served, next_at)).await?;
                turn.while_waiting(self.read_again(served, now)).await?;
                self.tell(Change::Account(account));
                return Ok(());
            }
        }
        Ok(())
    }

    fn count(&self, served: &Served, committed: &Committed) {
        let key = served.account.key.as_str().to_owned();
        counter!(names::POLLS, "account" => key.clone(), "outcome" => "ok").increment(1);
        counter!(names::ITEMS_NEW, "account" => key.clone())
            .increment(u64::from(committed.new_items));
        counter!(names::VERSIONS_NEW, "account" => key.clone())
            .increment(u64::from(committed.new_items + committed.new_versions));
        counter!(names::UNREADABLE, "account" => key).increment(u64::from(committed.unreadable));
        if committed.new_items + committed.new_versions + committed.unreadable > 0 {
            tracing::info!(
                n_items = committed.new_items,
                n_versions = committed.new_versions,
                n_unreadable = committed.unreadable,
                "fetched"
            );
        }
    }

    async fn record_failure(
        &self,
        served: &Served,
        state: &FetchState,
        error: &PlatformError,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let within = self
            .policy_of(served.account.id)
            .duties
            .watching
            .gap_min(self.crisis_of(served.account.id).is_some());
        let ceiling = breaker::ceiling(within.map(|min| SignedDuration::from_mins(min.into())));
        let (breaker, next_at) = after_failure(error, state.breaker(now), ceiling, now);
        let stopped = breaker.opened().is_some();
        let key = served.account.key.as_str().to_owned();
        counter!(names::POLLS, "account" => key, "outcome" => "failed").increment(1);
        tracing::warn!(error = %error, attempt = state.failures + 1, stopped, "poll failed");
        self.inner
            .store
            .record_fetch_failure(served.account.id, error.swedish(), breaker, next_at, now)
            .await?;
        self.tell(Change::Account(served.account.id));
        Ok(())
    }

    /// Reads items with an open case again, since most platforms tell nobody of edits and
    /// deletions.
    pub(super) async fn read_again(
        &self,
        served: &Served,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let before = now.saturating_sub(READ_AGAIN).unwrap_or(Timestamp::MIN);
        let store = &self.inner.store;
        let items =
            store.items_to_read_again(served.account.id, before, READ_AGAIN_AT_ONCE).await?;
        let group = served.platform.capabilities().read_batch.max(1);
        for items in items.chunks(group) {
            let asked = self.inner.clock.now();
            if asked.duration_since(now) > READ_AGAIN_LONGEST {
                return Ok(());
            }
            store.note_asked(items.iter().map(|item| item.id).collect(), asked).await?;
            let addresses: Vec<_> = items.iter().map(address).collect();
            let readings = match served.platform.read_live_many(&addresses).await {
                Ok(readings) => readings,
                Err(error) => {
                    tracing::warn!(error = %error, "reading open items again failed");
                    return self.scatter(items, asked).await;
                }
            };
            for (item, reading) in items.iter().zip(readings) {
                self.take_in_again(item, reading, asked).await?;
            }
        }
        Ok(())
    }

    /// Spreads a group that failed as one over the coming minutes: what spoils it for the others then
    /// meets others, or nobody. The items stay as they were known.
    async fn scatter(&self, items: &[ItemRow], asked: Timestamp) -> Result<(), ServiceError> {
        for item in items {
            let earlier =
                SignedDuration::from_secs_f64(READ_AGAIN.as_secs_f64() * 0.5 * chance::share());
            let at = asked.saturating_sub(earlier).unwrap_or(asked);
            self.inner.store.note_asked(vec![item.id], at).await?;
        }
        Ok(())
    }

    async fn take_in_again(
        &self,
        item: &ItemRow,
        reading: Result<LiveReading, PlatformError>,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let reading = match reading {
            Ok(reading) => reading,
            Err(error) => {
                tracing::warn!(item.id = %item.id, error = %error, "an open item could not be read again");
                return Ok(());
            }
        };
        match self.take_in_reading(item, reading, now).await {
            // One answer that does not fit its question says nothing of the others.
            Err(ServiceError::Refused { .. }) => {
                tracing::warn!(item.id = %item.id, "the platform answered with another item");
                Ok(())
            }
            taken => taken,
        }
    }

    /// Stores a reading and tells the case what changed.
    pub(super) async fn take_in_reading(
        &self,
        item: &ItemRow,
        reading: LiveReading,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let gone = matches!(reading, LiveReading::Gone);
        let (_, changed) = self.inner.store.record_live_reading(item.id, reading, now).await?;
        if changed {
            self.inner.wakes.assess.notify_one();
        }
        if gone {
            // What was sealed and is gone is an entry of the log.
            self.note_log().await;
        }
        if gone && let Some(case) = self.inner.store.case_of(item.id).await? {
            let what = "Inlägget finns inte längre på plattformen".to_owned();
            let detail = Some("Beviset finns kvar, och ärendet ska ändå avgöras.".to_owned());
            self.inner.store.note_case(case.id, what, detail, now).await?;
            self.tell(Change::Case(case.id));
        }
        Ok(())
    }
}

/// How the platform finds an item again.
pub(super) fn address(item: &ItemRow) -> ItemAddress {
    ItemAddress {
        platform_id: item.platform_id.clone(),
        kind: item.kind,
        post_id: item.post_id.clone(),
        parent_id: item.parent_id.clone(),
    }
}

fn after_interval(interval: Duration, now: Timestamp) -> Timestamp {
    let jittered = interval.mul_f64(1.0 + JITTER_SHARE * (2.0 * chance::share() - 1.0));
    let wait = SignedDuration::try_from(jittered).unwrap_or(BACK_OFF_MOST);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// How many failures in a row that may pass a walk outlives. Then it is begun anew: where it stands
/// may be what the platform cannot answer any more.
const WALK_OUTLIVES: u32 = 5;

/// Whether a walk goes on where it stood. Where the platform, or we ourselves, only asked for a
/// pause, what it has read is read: begun anew with each unit of a day's quota, it would spend the
/// whole day on its first step.
fn goes_on_after(error: &PlatformError, failures: u32) -> bool {
    match error {
        PlatformError::Throttled { .. } | PlatformError::QuotaGone { .. } => true,
        PlatformError::Transient { .. }
        | PlatformError::TokenExpired { .. }
        | PlatformError::Local { .. } => failures < WALK_OUTLIVES,
        // An answer that does not fit may be to a page token that has run out.
        PlatformError::ReauthNeeded { .. }
        | PlatformError::Forbidden { .. }
        | PlatformError::Gone
        | PlatformError::Refused { .. }
        | PlatformError::Contract { .. }
        | PlatformError::NotOffered { .. } => false,
    }
}

/// What a failure makes of the account's breaker, and when it is called next.
fn after_failure(
    error: &PlatformError,
    before: Breaker,
    ceiling: SignedDuration,
    now: Timestamp,
) -> (Breaker, Timestamp) {
    let (why, not_before) = (error.trouble(), error.retry_at());
    let after = before.on(Event::Failed { why, at: now, not_before, ceiling });
    let until = after.next_at().unwrap_or(now);
    // Earlier by chance and never later: the ceiling is one.
    let rest = until.duration_since(now).mul_f64(1.0 - REST_JITTER * chance::share());
    let jittered = now.saturating_add(rest).unwrap_or(until);
    (after, not_before.map_or(jittered, |theirs| theirs.max(jittered)))
}

/// 1 s, 2 s, 4 s … 15 min, each up to a quarter longer by chance.
pub(super) fn growing_wait(failures: u32) -> SignedDuration {
    breaker::growing(failures, breaker::ceiling(None)).mul_f64(1.0 + REST_JITTER * chance::share())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_under_the_cap_with_jitter() {
        let cap = BACK_OFF_MOST.as_secs_f64() * 1.25;
        let mut last = 0.0;
        for failures in 0..40 {
            let wait = growing_wait(failures).as_secs_f64();
            assert!(wait <= cap, "{failures}: {wait}");
            assert!(wait * 1.3 >= last, "{failures}: {wait} after {last}");
            last = wait;
        }
        assert!(last >= BACK_OFF_MOST.as_secs_f64());
    }

    #[test]
    fn the_platforms_own_word_on_when_to_come_back_is_obeyed() {
        let now = Timestamp::UNIX_EPOCH;
        let until = now + SignedDuration::from_hours(3);
        let ceiling = breaker::ceiling(None);
        let closed = Breaker::new(now);
        let throttled = PlatformError::Throttled {
            until,
            lane: crate::platforms::error::Lane::Account,
            detail: "test".into(),
        };
        let (after, next_at) = after_failure(&throttled, closed, ceiling, now);
        assert_eq!((after.opened(), next_at), (None, until));
        let dead = PlatformError::ReauthNeeded { detail: "test".into() };
        let (after, next_at) = after_failure(&dead, closed, ceiling, now);
        assert!(after.opened().is_some());
        assert!(next_at <= now + ceiling, "{next_at}");
    }

    fn turns(n: usize) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(n))
    }

    /// Polls of a platform that takes every call and answers none.
    fn hanging(n: usize, of: &(Arc<Semaphore>, Arc<Semaphore>)) -> tokio::task::JoinSet<()> {
        let mut polls = tokio::task::JoinSet::new();
        for _ in 0..n {
            let (turns, waits) = of.clone();
            polls.spawn(async move {
                let mut turn = Turn::take(turns, waits).await;
                turn.while_waiting(tokio::time::sleep(Duration::from_secs(20))).await;
            });
        }
        polls
    }

    async fn all(mut polls: tokio::task::JoinSet<()>) {
        while let Some(polled) = polls.join_next().await {
            polled.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_that_hang_hold_no_healthy_one_up_for_their_time() {
        let of = (turns(8), turns(MOST_WAITING));
        let began = tokio::time::Instant::now();
        let polls = hanging(60, &of);
        tokio::task::yield_now().await;
        let mut healthy = Turn::take(of.0.clone(), of.1.clone()).await;
        healthy.while_waiting(async {}).await;
        assert!(began.elapsed() <= Duration::from_secs(8), "{:?}", began.elapsed());
        drop(healthy);
        all(polls).await;
        assert_eq!((of.0.available_permits(), of.1.available_permits()), (8, MOST_WAITING));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_open_at_once_stays_bounded() {
        let of = (turns(2), turns(3));
        let began = tokio::time::Instant::now();
        all(hanging(6, &of)).await;
        // Five have a place; the sixth begins when one of them is done.
        assert_eq!(began.elapsed().as_secs(), 40);
    }

    /// However many answers come late and together, only so many are worked on at once.
    #[tokio::test(start_paused = true)]
    async fn an_answer_that_came_late_waits_for_a_turn_to_be_worked_on() {
        let of = (turns(2), turns(50));
        let working = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let mut polls = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let ((turns, waits), working) = (of.clone(), Arc::clone(&working));
            polls.spawn(async move {
                use std::sync::atomic::Ordering::Relaxed;
                let mut turn = Turn::take(turns, waits).await;
                turn.while_waiting(tokio::time::sleep(Duration::from_secs(30))).await;
                assert!(working.fetch_add(1, Relaxed) < 2, "two turns");
                tokio::time::sleep(Duration::from_secs(5)).await;
                working.fetch_sub(1, Relaxed);
            });
        }
        all(polls).await;
    }
}
