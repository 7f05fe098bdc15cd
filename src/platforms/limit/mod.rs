//! A wrapper that keeps calls within limits: ours, per app and per token, and the platforms' own.
//! Accounts that share an app or a token are held back together: one governor stands before both.
//!
//! While a platform has asked us to wait, no call goes out at all: on some, each
//! one lengthens the block.
//!
//! What is counted is the trait's calls; behind one of them stand one to a few calls over HTTP.

use std::collections::HashMap;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::domain::account::PlatformKind;
use crate::domain::ids::{AccountKey, Cursor};
use crate::domain::item::{Batch, LiveReading, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::Capabilities;
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::push::{Callback, Subscribed};
use crate::platforms::{ConnectionReport, Platform, Receipt, Sought, held};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// Longer than this nobody is kept waiting inside a call; it comes back as throttled instead.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How many calls a minute we allow ourselves, well inside what the platform sheet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// All accounts of the platform together.
    pub app_per_min: NonZeroU32,
    /// One account.
    pub account_per_min: NonZeroU32,
    /// How many of them at once.
    pub burst: NonZeroU32,
}

const fn pace(app_per_min: u32, account_per_min: u32, burst: u32) -> Pace {
    match (NonZeroU32::new(app_per_min), NonZeroU32::new(account_per_min), NonZeroU32::new(burst)) {
        (Some(app_per_min), Some(account_per_min), Some(burst)) => {
            Pace { app_per_min, account_per_min, burst }
        }
        _ => panic!("a pace is more than nothing"),
    }
}

impl Pace {
    /// Our pace on a platform.
    pub const fn of(kind: PlatformKind) -> Self {
        match kind {
            PlatformKind::Facebook | PlatformKind::Instagram => pace(600, 60, 30),
            // The daily quota is what counts there; the connector keeps that account.
            PlatformKind::YouTube => pace(120, 30, 10),
            // 100 calls a member and day in the lowest tier.
            PlatformKind::LinkedIn => pace(60, 10, 10),
            // 450 a quarter for the app, 300 for a user.
            PlatformKind::X => pace(25, 15, 15),
            // 40 an account and endpoint, 600 an app.
            PlatformKind::TikTok => pace(500, 30, 10),
            // 100 a client, averaged over ten minutes.
            PlatformKind::Reddit => pace(80, 60, 20),
            // Nobody's limit but the site's strength.
            PlatformKind::WordPress => pace(1_200, 240, 60),
            // 300 calls in five minutes for a token.
            PlatformKind::Mastodon => pace(600, 50, 40),
            // 3,000 in five minutes for an address.
            PlatformKind::Bluesky => pace(500, 120, 40),
            // 3,600 an hour for a key.
            PlatformKind::Flickr => pace(50, 50, 10),
            PlatformKind::Snapchat | PlatformKind::OwnSite | PlatformKind::Manual => {
                pace(6_000, 1_200, 200)
            }
        }
    }
}

/// What an account has in common with others, and is limited together with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shares {
    /// The app or project that calls.
    pub app: String,
    /// A mark of the token, from which it cannot be had back; `None` where no other has it.
    pub token: Option<String>,
}

impl Shares {
    /// As where each platform has one app, and each account its own token.
    pub fn alone(kind: PlatformKind) -> Self {
        Self { app: kind.id().to_owned(), token: None }
    }
}

/// The mark of a token.
pub fn fingerprint(token: &Secret) -> String {
    let digest = Sha256::digest(token.expose().as_bytes());
    hex::encode(&digest[..8])
}

/// Which calls a platform has asked to wait.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Gate {
    App(String),
    Token(String),
    Account(AccountKey),
    Call(AccountKey, &'static str),
}

/// The pace of apps, and within them of tokens: accounts with one token have its pace together.
struct Limiter {
    apps: DefaultKeyedRateLimiter<String>,
    tokens: DefaultKeyedRateLimiter<String>,
}

/// Whose pace counts: one app of Meta's serves both its platforms.
const fn paced_as(kind: PlatformKind) -> PlatformKind {
    match kind {
        PlatformKind::Instagram => PlatformKind::Facebook,
        other => other,
    }
}

/// The limits of the whole program, shared by all wrappers.
pub struct Limits {
    limiters: HashMap<PlatformKind, Limiter>,
    gates: Mutex<HashMap<Gate, Timestamp>>,
    clock: Clock,
    stopwatch: DefaultClock,
}

impl Limits {
    /// Limits with our own pace on each platform.
    pub fn new(clock: Clock) -> Self {
        Self::with_pace(clock, Pace::of)
    }

    /// Limits with another pace.
    pub fn with_pace(clock: Clock, pace: impl Fn(PlatformKind) -> Pace) -> Self {
        let limiter = |kind: &PlatformKind| {
            let Pace { app_per_min, account_per_min, burst } = pace(*kind);
            let app = Quota::per_minute(app_per_min);
            let account = Quota::per_minute(account_per_min).allow_burst(burst);
            let limiter =
                Limiter { apps: RateLimiter::keyed(app), tokens: RateLimiter::keyed(account) };
            (*kind, limiter)
        };
        Self {
            limiters: PlatformKind::ALL.iter().map(limiter).collect(),
            gates: Mutex::default(),
            clock,
            stopwatch: DefaultClock::default(),
        }
    }

    /// When the longest wait that holds this call back ends.
    fn held_until(
        &self,
        shares: &Shares,
        account: &AccountKey,
        verb: &'static str,
    ) -> Option<(Timestamp, Lane)> {
        let now = self.clock.now();
        let mut gates = held(&self.gates);
        gates.retain(|_, until| *until > now);
        [Lane::App, Lane::Token, Lane::Account, Lane::Call]
            .into_iter()
            .filter_map(|lane| Some((*gates.get(&gate(lane, shares, account, verb))?, lane)))
            .max_by_key(|(until, _)| *until)
    }

    fn close(&self, gate: Gate, until: Timestamp) {
        let mut gates = held(&self.gates);
        let held = gates.entry(gate).or_insert(until);
        *held = (*held).max(until);
    }

    /// Waits for our own pace.
    async fn keep_pace(
        &self,
        kind: PlatformKind,
        shares: &Shares,
        account: &AccountKey,
    ) -> Result<(), PlatformError> {
        let Some(limiter) = self.limiters.get(&paced_as(kind)) else { return Ok(()) };
        let (token, lane) = match &shares.token {
            Some(token) => (format!("token {token}"), Lane::Token),
            None => (format!("account {account}"), Lane::Account),
        };
        while let Err(early) = limiter.tokens.check_key(&token) {
            self.wait(&early, lane).await?;
        }
        while let Err(early) = limiter.apps.check_key(&shares.app) {
            self.wait(&early, Lane::App).await?;
        }
        Ok(())
    }

    async fn wait(
        &self,
        early: &NotUntil<<DefaultClock as governor::clock::Clock>::Instant>,
        lane: Lane,
    ) -> Result<(), PlatformError> {
        let wait = early.wait_time_from(self.stopwatch.now());
        if wait > LONGEST_WAIT {
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            let now = self.clock.now();
            return Err(PlatformError::Throttled {
                until: now.saturating_add(wait).unwrap_or(now),
                lane,
                detail: "our own pace".into(),
            });
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// The gate that a wait of this lane closes for this call.
fn gate(lane: Lane, shares: &Shares, account: &AccountKey, verb: &'static str) -> Gate {
    match (lane, &shares.token) {
        (Lane::App, _) => Gate::App(shares.app.clone()),
        (Lane::Token, Some(token)) => Gate::Token(token.clone()),
        (Lane::Token, None) | (Lane::Account, _) => Gate::Account(account.clone()),
        (Lane::Call, _) => Gate::Call(account.clone(), verb),
    }
}

/// A connector within limits.
pub struct Limited {
    inner: Arc<dyn Platform>,
    account: AccountKey,
    limits: Arc<Limits>,
}

impl Limited {
    /// Wraps the connector of an account.
    pub fn new(inner: Arc<dyn Platform>, account: AccountKey, limits: Arc<Limits>) -> Self {
        Self { inner, account, limits }
    }

    /// Lets the call through when it may go, and remembers what the platform asks for. A future
    /// that is not let through has done nothing.
    async fn pass<T>(
        &self,
        verb: &'static str,
        call: impl Future<Output = Result<T, PlatformError>> + Send,
    ) -> Result<T, PlatformError> {
        let shares = self.inner.shares();
        if let Some((until, lane)) = self.limits.held_until(&shares, &self.account, verb) {
            let detail = "the platform has asked us to wait".into();
            return Err(PlatformError::Throttled { until, lane, detail });
        }
        self.limits.keep_pace(self.inner.kind(), &shares, &self.account).await?;
        let answer = call.await;
        if let Err(
            PlatformError::Throttled { until, lane, .. }
            | PlatformError::QuotaGone { until, lane, .. },
        ) = &answer
        {
            self.limits.close(gate(*lane, &shares, &self.account, verb), *until);
        }
        answer
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Platform for Limited {
    fn kind(&self) -> PlatformKind {
        self.inner.kind()
    }

    fn shares(&self) -> Shares {
        self.inner.shares()
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        self.inner.capabilities()
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        self.pass("check", self.inner.check()).await
    }

    async fn description(&self) -> Result<Option<String>, PlatformError> {
        self.pass("description", self.inner.description()).await
    }

    async fn fetch(
        &self,
        cursor: Option<&Cursor>,
        walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError> {
        self.pass("fetch", self.inner.fetch(cursor, walk)).await
    }

    async fn read_live(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        self.pass("read", self.inner.read_live(item)).await
    }

    async fn read_live_many(
        &self,
        items: &[ItemAddress],
    ) -> Result<Vec<Result<LiveReading, PlatformError>>, PlatformError> {
        self.pass("read_many", self.inner.read_live_many(items)).await
    }

    async fn read_thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        self.pass("read_thread", self.inner.read_thread(item)).await
    }

    async fn hide(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        self.pass("hide", self.inner.hide(warrant)).await
    }

    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        self.pass("delete", self.inner.delete(warrant)).await
    }

    async fn unhide(&self, item: &ItemAddress) -> Result<Receipt, PlatformError> {
        self.pass("unhide", self.inner.unhide(item)).await
    }

    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError> {
        self.pass("reply", self.inner.reply(item, text, key)).await
    }

    async fn find_reply(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<Receipt>, PlatformError> {
        self.pass("find_reply", self.inner.find_reply(item, sought)).await
    }

    async fn report(&self, item: &ItemAddress, reason: &str) -> Result<Receipt, PlatformError> {
        self.pass("report", self.inner.report(item, reason)).await
    }

    async fn subscribe(&self, callback: &Callback) -> Result<Subscribed, PlatformError> {
        self.pass("subscribe", self.inner.subscribe(callback)).await
    }
}

#[cfg(test)]
mod tests;
