//! The logins of accounts: asked about once a day, when they end, and which accounts rest.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::domain::account::PlatformKind;
use crate::domain::breaker::Trouble;
use crate::domain::calendar::local;
use crate::domain::ids::AccountId;
use crate::platforms::push::Subscribed;
use crate::store::rows::FetchState;
use crate::store::sqlite::connections::Credential;

use super::{Served, ServiceError, Services};

/// How often a platform is asked who we are and what we may do. Costs a call or two.
const ASKED_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The same while the last known end is near: a login that was renewed is known within the hour.
const ASKED_EVERY_NEAR: SignedDuration = SignedDuration::from_hours(1);
const NEAR: SignedDuration = SignedDuration::from_hours(24 * 21);

/// How many are asked in one round, so that a start with a thousand accounts leaves room for reading them.
const ASKED_AT_ONCE: usize = 8;

/// An account that rests, for whoever looks after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Why.
    pub why: Trouble,
    /// Since when it is not well.
    pub since: Timestamp,
    /// Failures in a row.
    pub failures: u32,
    /// When it is tried next.
    pub next_at: Timestamp,
}

impl Rest {
    /// Of an account whose fetching stands so; nothing where it is read as usual.
    pub fn of(state: &FetchState, now: Timestamp) -> Option<Self> {
        let breaker = state.breaker(now);
        let (why, since) = breaker.opened()?;
        let next_at = breaker.next_at().unwrap_or(now);
        Some(Self { why, since, failures: breaker.failures(), next_at })
    }
}

/// The day on which an account's login ends: by the platform's word, else by the settings.
pub fn ends(told: Option<&Credential>, settings: Option<Date>) -> Option<Date> {
    told.and_then(|told| told.ends_at).map(|at| local(at).date()).or(settings)
}

fn is_due(told: Option<&Credential>, now: Timestamp) -> bool {
    told.is_none_or(|told| {
        let is_near = told.ends_at.is_some_and(|ends| ends.duration_since(now) < NEAR);
        let every = if is_near { ASKED_EVERY_NEAR } else { ASKED_EVERY };
        now.duration_since(told.asked_at) >= every
    })
}

impl Services {
    /// Begins to ask the platforms of accounts that are due about their logins, each by itself. Says whether
    /// there may be more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer.
    pub async fn begin_checks(&self) -> Result<bool, ServiceError> {
        let now = self.inner.clock.now();
        let told = self.inner.store.credentials().await?;
        let due: Vec<_> = self
            .inner
            .accounts
            .values()
            .filter(|served| has_login(served.account.platform))
            .filter(|served| is_due(told.iter().find(|t| t.account == served.account.id), now))
            .cloned()
            .collect();
        let mut begun = 0;
        for served in due {
            if begun == ASKED_AT_ONCE {
                break;
            }
            let Some(lane) = self.inner.checks.take(served.account.id, now) else { continue };
            begun += 1;
            let services = self.clone();
            tokio::spawn(async move {
                let asked = AssertUnwindSafe(services.ask_login(&served)).catch_unwind().await;
                if !matches!(asked, Ok(Ok(()))) {
                    tracing::error!(account.id = %served.account.id, "what a platform tells of a login could not be recorded");
                    lane.rest(services.inner.clock.now());
                }
                drop(lane);
            });
        }
        Ok(begun == ASKED_AT_ONCE)
    }

    #[tracing::instrument(name = "check", skip_all, fields(account.id = %served.account.id, platform = %served.account.platform))]
    async fn ask_login(&self, served: &Served) -> Result<(), ServiceError> {
        let account = served.account.id;
        let told = served.platform.check().await;
        let now = self.inner.clock.now();
        match told {
            Ok(mut report) => {
                report.missing.extend(self.order_pushes(served).await);
                let credential = Credential {
                    account,
                    asked_at: now,
                    ends_at: report.expires_at,
                    lacks: report.missing,
                };
                self.inner.store.note_credential(credential).await?;
            }
            Err(error) => {
                // What is wrong with the account reading it tells; here only the end is asked for.
                tracing::info!(error = %error, "the platform did not tell of the login");
                self.inner.store.note_credential_asked(account, now).await?;
            }
        }
        Ok(())
    }

    /// Has the platform push to us, where it can be asked for that: what it was asked for may have ended without a word.
    /// Gives what is amiss, in Swedish.
    async fn order_pushes(&self, served: &Served) -> Option<String> {
        let callback = served.push.as_ref()?.callback()?;
        match served.platform.subscribe(callback).await {
            Ok(Subscribed::Yes) => tracing::debug!("the platform pushes to us"),
            Ok(Subscribed::ByHand) => {}
            Err(error) if error.may_pass() => {
                tracing::info!(error = %error, "pushes are asked for again tomorrow");
            }
            Err(error) => {
                tracing::warn!(error = %error, "the platform does not push to us");
                return Some(format!(
                    "besked från plattformen kunde inte beställas ({}). Uppsikt frågar den som vanligt",
                    error.swedish().trim_end_matches('.')
                ));
            }
        }
        None
    }

    /// When the login of an account ends, and what it lacks.
    pub(super) fn login_of(
        &self,
        account: AccountId,
        told: &[Credential],
    ) -> (Option<Date>, Vec<String>) {
        let told = told.iter().find(|told| told.account == account);
        let settings = self.served(account).and_then(|served| served.token_expires);
        (ends(told, settings), told.map(|told| told.lacks.clone()).unwrap_or_default())
    }
}

/// Whether there is a login to ask about.
const fn has_login(platform: PlatformKind) -> bool {
    match platform {
        PlatformKind::Facebook
        | PlatformKind::Instagram
        | PlatformKind::YouTube
        | PlatformKind::LinkedIn
        | PlatformKind::X
        | PlatformKind::TikTok
        | PlatformKind::Reddit
        | PlatformKind::WordPress
        | PlatformKind::Mastodon
        | PlatformKind::Bluesky
        | PlatformKind::Flickr => true,
        PlatformKind::Snapchat | PlatformKind::OwnSite | PlatformKind::Manual => false,
    }
}
