//! Access tokens that run out, and the consent that they come out of (RFC 6749, section 6).
//!
//! Of many calls that need a new token only one asks for it. On some platforms a consent is good for
//! one renewal, which gives the next: such a pair is written down before it is used, since whoever
//! loses it has to connect the account anew. So one process at a time renews a pair, whatever else runs
//! beside the service, and a renewal that has begun comes to its end also where whoever asked for it has
//! given up.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::RequestBuilder;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::platforms::error::PlatformError;
use crate::platforms::http::{Answer, Http};
use crate::platforms::json;
use crate::platforms::limit::fingerprint;
use crate::runtime::secret::Secret;
use crate::runtime::vault::{Alone, Shelf, VaultError};

/// How often a pair is looked at that another process is renewing, and how often at the most: longer than
/// that process would wait for an answer.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const MOST_LOOKS: u32 = 1_800;

/// An access token is not used in its last minute.
const SPARE: SignedDuration = SignedDuration::from_mins(1);

/// What a platform gave for a consent.
#[derive(Clone, Debug)]
pub struct Granted {
    pub access: Secret,
    /// For how long, in seconds.
    pub lives: u32,
    /// The next consent, where the one that was shown is spent.
    pub refresh: Option<Secret>,
    /// How long that one is good, in seconds, where the platform tells.
    pub refresh_lives: Option<u32>,
    /// What the token may do, in the platform's words, where it tells.
    pub scope: Option<String>,
}

/// As most platforms write it.
#[derive(Deserialize)]
pub struct Told {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u32>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    refresh_token_expires_in: Option<u32>,
    #[serde(default)]
    scope: Option<String>,
}

/// Where a platform does not say how long its token is good, in seconds.
const UNTOLD_LIFE: u32 = 3_600;

impl From<Told> for Granted {
    fn from(told: Told) -> Self {
        Self {
            access: Secret::new(told.access_token),
            lives: told.expires_in.unwrap_or(UNTOLD_LIFE),
            refresh: told.refresh_token.map(Secret::new),
            refresh_lives: told.refresh_token_expires_in,
            scope: told.scope,
        }
    }
}

/// What is in hand.
#[derive(Clone, Debug)]
pub struct Access {
    token: Secret,
    until: Timestamp,
    refresh: Secret,
    /// When the consent ends, where the platform told.
    pub ends: Option<Timestamp>,
    scope: Option<String>,
}

impl Access {
    /// Those of these rights that it lacks, where the platform tells which it has.
    pub fn lacks(&self, wanted: &[&str]) -> Vec<String> {
        let Some(scope) = &self.scope else { return Vec::new() };
        let has: Vec<_> = scope.split([' ', ',', '+']).collect();
        let lacking = wanted.iter().filter(|right| !has.contains(right) && !has.contains(&"*"));
        lacking.map(|right| format!("rätten {right} saknas: anslut kontot på nytt")).collect()
    }
}

/// The consent of one account.
#[derive(Clone)]
pub struct Consent(Arc<One>);

struct One {
    /// The one in the settings.
    first: Secret,
    /// Where pairs are kept that must not be lost.
    file: Option<Shelf>,
    /// Held while a token is being fetched.
    held: Mutex<Hand>,
}

#[derive(Default)]
struct Hand {
    access: Option<Access>,
    /// What is in hand could not be written down.
    is_unkept: bool,
}

/// As it stands in a file. Nobody but the service may read it.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The mark of the consent in the settings that all of it came out of: another one there means
    /// that the account was connected anew.
    of: String,
    access: String,
    until: Timestamp,
    refresh: String,
    #[serde(default)]
    ends: Option<Timestamp>,
    #[serde(default)]
    scope: Option<String>,
}

impl Consent {
    /// One that stays as it is however often it is shown.
    pub fn lasting(first: Secret) -> Self {
        Self::replaced(first, None)
    }

    /// One that is replaced at each renewal, and kept in this file.
    pub fn replaced(first: Secret, file: Option<Shelf>) -> Self {
        Self(Arc::new(One { first, file, held: Mutex::default() }))
    }

    /// The pair that was written down, where there is one of the consent in the settings. A file that
    /// cannot be read is not taken for none: the consent in the settings is spent by then.
    fn load(&self) -> Result<Option<Access>, PlatformError> {
        let Some(file) = &self.0.file else { return Ok(None) };
        let path = file.path().display();
        let text = match file.read() {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(VaultError::File { source, .. }) => {
                let mend = format!(
                    "Kontots nycklar i filen {path} kan inte läsas ({}). Låt den användare som Uppsikt körs som äga filen och läsa den; sedan fortsätter läsningen av sig själv.",
                    source.kind(),
                );
                let detail = format!("{path} cannot be read: {source}");
                return Err(PlatformError::Local { detail, mend });
            }
            Err(error) => {
                let detail = format!("{path} cannot be opened");
                return Err(PlatformError::Local { detail, mend: format!("{error}.") });
            }
        };
        let kept: Kept = serde_json::from_str(text.expose()).map_err(|error| PlatformError::Local {
            detail: format!("{path} is damaged: {}", json::place(&error)),
            mend: format!(
                "Filen {path} med kontots nycklar är skadad. Lägg tillbaka den från en säkerhetskopia, eller ta bort den och anslut kontot på nytt."
            ),
        })?;
        Ok((kept.of == fingerprint(&self.0.first)).then(|| Access {
            token: Secret::new(kept.access),
            until: kept.until,
            refresh: Secret::new(kept.refresh),
            ends: kept.ends,
            scope: kept.scope,
        }))
    }

    fn keep(&self, access: &Access) -> Result<(), VaultError> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let kept = Kept {
            of: fingerprint(&self.0.first),
            access: access.token.expose().to_owned(),
            until: access.until,
            refresh: access.refresh.expose().to_owned(),
            ends: access.ends,
            scope: access.scope.clone(),
        };
        let text = serde_json::to_string(&kept).expect("plain text and times serialize");
        let text = zeroize::Zeroizing::new(text);
        file.write(&text)
    }

    /// The leave to renew the pair, which one process has at a time; nothing where there is no file, or none
    /// can be made: then nobody else can have written one either.
    async fn alone(&self) -> Result<Option<Alone>, PlatformError> {
        let Some(file) = &self.0.file else { return Ok(None) };
        for _ in 0..MOST_LOOKS {
            match file.alone() {
                Ok(Some(alone)) => return Ok(Some(alone)),
                Ok(None) => tokio::time::sleep(LOOK_AGAIN).await,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "a pair is renewed without its lock");
                    return Ok(None);
                }
            }
        }
        Err(PlatformError::Transient {
            detail: "another process has been renewing the same consent for too long".into(),
            may_have_acted: false,
            retry_at: None,
        })
    }
}

/// Whether what is in hand can be used.
fn is_good(known: &Access, stale: Option<&Access>, now: Timestamp) -> bool {
    known.until > now && stale.is_none_or(|stale| stale.token.expose() != known.token.expose())
}

/// Calls that are made with an access token.
#[async_trait]
pub trait Session: Clone + Send + Sync + 'static {
    fn http(&self) -> &Http;

    fn consent(&self) -> &Consent;

    /// Exchanges the consent for an access token.
    async fn renew(&self, refresh: &Secret) -> Result<Granted, PlatformError>;

    /// One attempt. `cost` is what it takes out of a quota, where there is one.
    async fn attempt(&self, call: RequestBuilder, cost: u32) -> Result<Answer, PlatformError>;

    /// Puts the token where the platform wants it.
    fn show(&self, call: RequestBuilder, token: &Secret) -> RequestBuilder {
        call.bearer_auth(token.expose())
    }

    /// A token that is not `stale`: another call may have fetched it meanwhile.
    async fn access(&self, stale: Option<&Access>) -> Result<Access, PlatformError> {
        {
            let held = self.consent().0.held.lock().await;
            let known = held.access.as_ref().filter(|_| !held.is_unkept);
            if let Some(known) = known.filter(|a| is_good(a, stale, self.http().clock().now())) {
                return Ok(known.clone());
            }
        }
        // Whoever gives up waiting must not cut it off between the platform's answer and the file.
        let (session, stale) = (self.clone(), stale.cloned());
        let renewal = tokio::spawn(async move { renewed(&session, stale.as_ref()).await });
        match renewal.await {
            Ok(access) => access,
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => Err(PlatformError::Transient {
                detail: "the program ends".into(),
                may_have_acted: false,
                retry_at: None,
            }),
        }
    }

    /// Makes the call; with an expired token it was turned away unread, so it is made once more.
    async fn send(
        &self,
        cost: u32,
        make: &(dyn Fn() -> RequestBuilder + Send + Sync),
    ) -> Result<Answer, PlatformError> {
        let access = self.access(None).await?;
        match self.attempt(self.show(make(), &access.token), cost).await {
            Err(PlatformError::TokenExpired { .. }) => {
                let access = self.access(Some(&access)).await?;
                let again = self.attempt(self.show(make(), &access.token), cost).await;
                again.map_err(|error| match error {
                    PlatformError::TokenExpired { detail } => {
                        PlatformError::ReauthNeeded { detail }
                    }
                    other => other,
                })
            }
            other => other,
        }
    }
}

/// What is in hand, or what somebody else has written down, or a new one.
async fn renewed<S: Session>(session: &S, stale: Option<&Access>) -> Result<Access, PlatformError> {
    let (consent, clock) = (session.consent(), session.http().clock());
    let mut held = consent.0.held.lock().await;
    if held.access.is_none() {
        held.access = consent.load()?;
    }
    if held.is_unkept {
        keep(consent, &mut held);
    }
    if let Some(known) = held.access.as_ref().filter(|a| is_good(a, stale, clock.now())) {
        return Ok(known.clone());
    }
    let _alone = consent.alone().await?;
    // Another process of ours may have renewed it meanwhile, and have spent what is in hand.
    if !held.is_unkept
        && let Some(kept) = consent.load()?
    {
        held.access = Some(kept);
        if let Some(known) = held.access.as_ref().filter(|a| is_good(a, stale, clock.now())) {
            return Ok(known.clone());
        }
    }
    let known = held.access.as_ref();
    let refresh = known.map_or_else(|| consent.0.first.clone(), |known| known.refresh.clone());
    let ends = known.and_then(|known| known.ends);
    // Nothing that an editor asked for has left us yet when this fails.
    let granted = session.renew(&refresh).await.map_err(not_yet)?;
    let now = clock.now();
    let after = |seconds: u32| now.saturating_add(SignedDuration::from_secs(seconds.into()));
    let until = after(granted.lives).unwrap_or(now);
    let access = Access {
        token: granted.access,
        until: until.saturating_sub(SPARE).unwrap_or(until),
        refresh: granted.refresh.unwrap_or(refresh),
        ends: granted.refresh_lives.and_then(|lives| after(lives).ok()).or(ends),
        scope: granted.scope,
    };
    held.access = Some(access.clone());
    keep(consent, &mut held);
    Ok(access)
}

/// What cannot be written down is good as long as the program lives, and is tried again each time.
fn keep(consent: &Consent, held: &mut Hand) {
    let Some(access) = &held.access else { return };
    let written = consent.keep(access);
    held.is_unkept = written.is_err();
    if let Err(error) = written {
        let error = &error as &dyn std::error::Error;
        tracing::error!(
            error,
            "a renewed consent cannot be written down: if the program ends now, the account must be connected anew"
        );
    }
}

/// A failure before anything was asked for.
fn not_yet(error: PlatformError) -> PlatformError {
    match error {
        PlatformError::Transient { detail, retry_at, .. } => {
            PlatformError::Transient { detail, may_have_acted: false, retry_at }
        }
        other => other,
    }
}

#[derive(Deserialize)]
struct Fault {
    error: String,
}

/// What an address that renews tokens answers where it says no. `client` names, in Swedish, what in
/// the settings it takes the program by.
pub fn refused(answer: &Answer, client: &str) -> PlatformError {
    match serde_json::from_slice::<Fault>(&answer.body) {
        Ok(Fault { error }) if error == "invalid_grant" => {
            PlatformError::ReauthNeeded { detail: error }
        }
        Ok(Fault { error }) if error == "invalid_client" || error == "unauthorized_client" => {
            PlatformError::Forbidden { what: format!("{client}; kontrollera dem hos plattformen") }
        }
        Ok(_) | Err(_) => answer.trouble().unwrap_or_else(|| answer.not_json()),
    }
}
