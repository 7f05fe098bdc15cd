//! Calls in the name of one account: logging in, renewing, errors and limits (`platforms` sheet,
//! sections 12.1 and 12.6).
//!
//! The app password is what the account is configured with. It buys a pair of tokens; the pair is
//! renewed when it runs out, and only where that fails the password is used again, since logging in
//! is limited to some hundred times a day. The pair lives in memory: losing it costs one login.

use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use crate::platforms::allowance::{Allowance, Said, believed, throttled};
use crate::platforms::error::PlatformError;
use crate::platforms::http::{self, Answer, BadHttpSettings, Http, below};
use crate::platforms::settings::BlueskySettings;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// Where the account's own server is said to be, in what a login answers.
const OWN_SERVER: &str = "#atproto_pds";

/// What the account is logged in with.
#[derive(Clone)]
pub struct Session {
    pub did: String,
    /// The account's own server.
    host: Url,
    access: Secret,
    refresh: Secret,
}

/// Calls to the server of one account.
pub struct Server {
    pub http: Http,
    pub allowance: Allowance,
    settings: BlueskySettings,
    /// Held while a pair is being fetched, so that of many calls that need one only one logs in.
    session: Mutex<Option<Session>>,
}

#[derive(Deserialize)]
struct LoggedIn {
    did: String,
    #[serde(rename = "accessJwt")]
    access: String,
    #[serde(rename = "refreshJwt")]
    refresh: String,
    #[serde(default, rename = "didDoc")]
    document: Option<Document>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    service: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "serviceEndpoint")]
    endpoint: Value,
}

impl Server {
    pub fn new(settings: BlueskySettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let secrets = vec![settings.password.clone()];
        let http = Http::new(&settings.server, &settings.http, clock, secrets)?;
        let allowance = Allowance::default();
        Ok(Self { http, allowance, settings, session: Mutex::default() })
    }

    /// The session in hand, or a new one.
    pub async fn session(&self) -> Result<Session, PlatformError> {
        let mut held = self.session.lock().await;
        if let Some(session) = &*held {
            return Ok(session.clone());
        }
        let session = self.log_in().await?;
        *held = Some(session.clone());
        Ok(session)
    }

    async fn log_in(&self) -> Result<Session, PlatformError> {
        let body = json!({
            "identifier": self.settings.handle, "password": self.settings.password.expose(),
        });
        let url = address(&self.settings.server, "com.atproto.server.createSession", &[]);
        self.opened(self.http.call(Method::POST, url).json(&body), &self.settings.server).await
    }

    async fn refreshed(&self, old: &Session) -> Result<Session, PlatformError> {
        let url = address(&old.host, "com.atproto.server.refreshSession", &[]);
        let call = self.http.call(Method::POST, url).bearer_auth(old.refresh.expose());
        self.opened(call, &old.host).await
    }

    /// Nothing that an editor asked for has left us yet when this fails.
    async fn opened(&self, call: RequestBuilder, host: &Url) -> Result<Session, PlatformError> {
        let answer = async { self.send(call).await?.object() };
        let told = answer.await.map_err(|error| match error {
            PlatformError::Transient { detail, retry_at, .. } => {
                PlatformError::Transient { detail, may_have_acted: false, retry_at }
            }
            other => other,
        })?;
        self.open(told, host)
    }

    /// The server that holds the password names the one that holds the account. It has to pass for
    /// an address as the configured one had to.
    fn open(&self, told: LoggedIn, host: &Url) -> Result<Session, PlatformError> {
        let services = told.document.map(|document| document.service).unwrap_or_default();
        let named = services.iter().find(|service| service.id.ends_with(OWN_SERVER));
        let host = match named.and_then(|service| service.endpoint.as_str()) {
            None => host.clone(),
            Some(text) => Url::parse(text)
                .ok()
                .filter(|url| http::may_be_called(url, &self.settings.http).is_ok())
                .ok_or_else(|| PlatformError::Contract {
                    detail: "the login names a server whose address cannot be used".into(),
                })?,
        };
        Ok(Session {
            did: told.did,
            host,
            access: Secret::new(told.access),
            refresh: Secret::new(told.refresh),
        })
    }

    /// A session that is not `stale`: another call may have fetched it meanwhile.
    async fn session_after(&self, stale: &Session) -> Result<Session, PlatformError> {
        let mut held = self.session.lock().await;
        if let Some(session) = &*held
            && session.access.expose() != stale.access.expose()
        {
            return Ok(session.clone());
        }
        let session = match self.refreshed(stale).await {
            // The pair is spent: what is left is the password.
            Err(PlatformError::TokenExpired { .. } | PlatformError::ReauthNeeded { .. }) => {
                *held = None;
                self.log_in().await?
            }
            other => other?,
        };
        *held = Some(session.clone());
        Ok(session)
    }

    /// Any answer but success becomes an error.
    async fn send(&self, call: RequestBuilder) -> Result<Answer, PlatformError> {
        let answer = self.http.send(call).await?;
        if answer.is_success() { Ok(answer) } else { Err(fault(&answer)) }
    }

    /// Makes the call; with an expired token it was turned away unread, so it is made once more.
    async fn call(
        &self,
        make: impl Fn(&Session) -> RequestBuilder + Send + Sync,
    ) -> Result<Answer, PlatformError> {
        let session = self.session().await?;
        let with = |session: &Session| make(session).bearer_auth(session.access.expose());
        match self.send(with(&session)).await {
            Err(PlatformError::TokenExpired { .. }) => {
                let session = self.session_after(&session).await?;
                self.send(with(&session)).await.map_err(|error| match error {
                    PlatformError::TokenExpired { detail } => {
                        PlatformError::ReauthNeeded { detail }
                    }
                    other => other,
                })
            }
            other => other,
        }
    }

    pub async fn get(&self, name: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let answer = self
            .call(|session| self.http.call(Method::GET, address(&session.host, name, query)))
            .await?;
        // Writing has limits of its own in the same headers, so only reading is counted.
        self.allowance.note(said(&answer));
        Ok(answer)
    }

    /// `proxy` names another service that the account's server hands the call on to.
    pub async fn post(
        &self,
        name: &str,
        body: &Value,
        proxy: Option<&str>,
    ) -> Result<Answer, PlatformError> {
        self.call(|session| {
            let call = self.http.call(Method::POST, address(&session.host, name, &[])).json(body);
            match proxy {
                Some(service) => call.header("atproto-proxy", service),
                None => call,
            }
        })
        .await
    }
}

fn address(host: &Url, name: &str, query: &[(&str, &str)]) -> Url {
    below(host, &format!("xrpc/{name}"), query)
}

/// When the limit is filled up again: told in whole seconds since 1970 that are rounded down, so it may be filled up only
/// in the course of that second.
fn reset(answer: &Answer) -> Option<Timestamp> {
    let at = i64::try_from(answer.number("ratelimit-reset")?).ok()?.checked_add(1)?;
    Some(believed(Timestamp::from_second(at).ok()?, answer))
}

fn said(answer: &Answer) -> Option<Said> {
    Some(Said {
        limit: answer.number("ratelimit-limit")?,
        left: answer.number("ratelimit-remaining")?,
        until: reset(answer)?,
    })
}

#[derive(Deserialize)]
struct Fault {
    error: String,
}

/// The name of an error, where the answer is one of the protocol's own.
pub fn code(answer: &Answer) -> Option<String> {
    let fault: Fault = serde_json::from_slice(&answer.body).ok()?;
    // It goes into logs and to editors, so nothing but a short name is let through.
    let is_name = fault.error.len() <= 80 && fault.error.bytes().all(|b| b.is_ascii_alphanumeric());
    Some(if is_name { fault.error } else { "unnamed".to_owned() })
}

/// The code of the refusal of a change to what has changed meanwhile.
pub const CHANGED_MEANWHILE: &str = "InvalidSwap";

/// The code of the refusal of what concerns somebody with whom we block each other.
pub const BLOCKED: &str = "BlockedActor";

/// The refusal of it.
pub fn blocked(code: &str) -> PlatformError {
    PlatformError::Refused {
        code: code.into(),
        reason: "Kontot och skribenten har blockerat varandra på plattformen, så det går inte att göra det här.".into(),
    }
}

/// Turns an answer that is no success into an error. Decides on the name of the error.
pub fn fault(answer: &Answer) -> PlatformError {
    let Some(code) = code(answer) else {
        return match answer.status {
            429 => throttled(answer, reset(answer)),
            _ => answer.trouble().unwrap_or_else(|| answer.not_json()),
        };
    };
    let refused =
        |reason: &str| PlatformError::Refused { code: code.clone(), reason: reason.into() };
    match code.as_str() {
        "ExpiredToken" => PlatformError::TokenExpired { detail: code },
        "InvalidToken"
        | "AuthMissing"
        | "AuthenticationRequired"
        | "AccountTakedown"
        | "AccountDeactivated"
        | "AccountSuspended"
        | "AuthFactorTokenRequired" => PlatformError::ReauthNeeded { detail: code },
        "NotFound" | "RecordNotFound" => PlatformError::Gone,
        "RateLimitExceeded" => throttled(answer, reset(answer)),
        BLOCKED | "BlockedByActor" => blocked(&code),
        CHANGED_MEANWHILE => {
            refused("Trådens inställningar ändrades samtidigt av någon annan. Försök igen.")
        }
        "UpstreamFailure" | "UpstreamTimeout" | "NotEnoughResources" | "InternalServerError" => {
            transient(answer, &code)
        }
        _ => match answer.status {
            401 => PlatformError::ReauthNeeded { detail: code },
            403 => PlatformError::Forbidden {
                what: format!(
                    "applösenordet räcker inte till det här, eller så är kontot begränsat; svaret var {code}"
                ),
            },
            429 => throttled(answer, reset(answer)),
            500..=599 => transient(answer, &code),
            status => PlatformError::Contract { detail: format!("HTTP {status} {code}") },
        },
    }
}

fn transient(answer: &Answer, code: &str) -> PlatformError {
    PlatformError::Transient {
        detail: format!("HTTP {} {code}", answer.status),
        may_have_acted: answer.was_write,
        retry_at: answer.retry_after(),
    }
}
