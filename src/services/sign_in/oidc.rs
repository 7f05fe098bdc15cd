//! OpenID Connect: the authorization code flow with PKCE (Core 1.0; RFC 7636; RFC 9700), as with Entra ID.
//!
//! The browser is sent to the provider with `state`, `nonce` and a challenge of our own making, and comes back with a
//! code that we exchange. What belongs to one log-in is held in memory, is good once and for ten minutes, and is bound
//! to the browser that began it by a cookie. Nothing is asked of any address that the provider's own document, fetched
//! from the configured issuer, does not name; each goes through the client that keeps out of private networks.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::domain::ids::ContentHash;
use crate::domain::sign_in::Way;
use crate::platforms::http::{BadHttpSettings, Http, HttpSettings, may_be_called};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::services::session::Opened;
use crate::services::{ServiceError, Services};

use super::id_token::{self, Expected, Keys, Refusal, Said};
use super::outside::Person;

/// How long somebody may take at the provider.
const ATTEMPT_KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Log-ins that are under way. Anybody can begin one; where there are more, the oldest is let go.
const MOST_ATTEMPTS: usize = 5_000;
/// How long what the provider tells of itself is good.
const KNOWN_KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Where it cannot be asked just then, what it told before is good so long.
const STILL_GOOD: SignedDuration = SignedDuration::from_hours(24);
/// Keys are asked for anew no oftener than this, whatever key tokens name.
const KEYS_AGAIN: SignedDuration = SignedDuration::from_secs(60);
/// An answer of a provider is some kilobytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// How the provider is reached.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Who it is: what stands before `/.well-known/openid-configuration`, as its tokens say it.
    pub issuer: String,
    /// What we are called there.
    pub client: String,
    /// Our secret there, where it gave us one.
    pub secret: Option<Secret>,
    /// What people know it as.
    pub name: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that groups stand in.
    pub groups_claim: String,
    /// Where it sends people back.
    pub redirect: Url,
    /// It may lie on a private network.
    pub allow_private: bool,
    /// A root certificate (PEM) beside the machine's.
    pub ca_pem: Option<String>,
}

/// The provider.
#[derive(Debug)]
pub struct Provider {
    settings: ProviderSettings,
    http: HttpSettings,
    clock: Clock,
    attempts: Mutex<HashMap<ContentHash, Attempt>>,
    known: tokio::sync::Mutex<Option<Known>>,
}

struct Attempt {
    nonce: Secret,
    verifier: Secret,
    browser: ContentHash,
    then: String,
    until: Timestamp,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").field("until", &self.until).finish_non_exhaustive()
    }
}

/// What the provider tells of itself.
#[derive(Clone, Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
struct Known {
    document: Document,
    asked: Timestamp,
    /// When it was last asked in vain.
    tried: Timestamp,
    keys: Keys,
    keys_asked: Timestamp,
}

/// Where the browser is sent, and what it has to hold meanwhile.
#[derive(Debug)]
pub struct Begun {
    /// The provider's page.
    pub address: Url,
    /// What binds the answer to this browser.
    pub browser: Secret,
}

/// What the provider sent the browser back with.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Which log-in it answers.
    pub state: String,
    /// The code, where there is one.
    pub code: Option<Secret>,
    /// Why there is none, in the provider's words.
    pub error: Option<String>,
    /// Who answers (RFC 9207), where it says so.
    pub issuer: Option<String>,
}

/// The provider did not let somebody in, or could not be asked. The texts repeat nothing that was sent.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the provider could not be asked: {0}")]
    Unreachable(String),
    #[error("what the provider tells of itself is not to be used: {0}")]
    Document(&'static str),
    #[error("an address of the provider is not to be used")]
    Address(#[from] BadHttpSettings),
    #[error("the provider gave no token for the code: HTTP {0}")]
    Exchange(u16),
    #[error(transparent)]
    Token(#[from] Refusal),
}

fn chance() -> Result<Secret, ServiceError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|e| ServiceError::broken("random numbers", e.to_string()))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// A credential as it stands in the header (RFC 6749, section 2.3.1).
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

const OVER: &str = "Inloggningen tog för lång tid, är redan använd eller började i en annan webbläsare. Logga in igen.";
const DENIED: &str = "Organisationens inloggning släppte inte in dig. Försök igen, eller vänd dig till den som administrerar Uppsikt.";
const AWAY: &str = "Organisationens inloggning svarar inte. Försök igen om en stund.";
const NOT_TAKEN: &str = "Svaret från organisationens inloggning godtogs inte. Försök igen. Händer det igen: vänd dig till den som administrerar Uppsikt.";
const TOO_MANY: &str = "Du hör till så många grupper att organisationens inloggning utelämnade dem. Den som administrerar inloggningen behöver begränsa vilka grupper som skickas till Uppsikt.";

impl Provider {
    /// A provider that has not been asked anything yet.
    ///
    /// # Errors
    /// [`BadHttpSettings`] where its address is not to be called.
    pub fn new(settings: ProviderSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let issuer = Url::parse(&settings.issuer).map_err(|_| BadHttpSettings::NoHost)?;
        let http = HttpSettings {
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(15),
            max_body_bytes: LARGEST_ANSWER,
            extra_ca_pem: settings.ca_pem.clone().map(String::into_bytes),
            // Only where the provider itself is on this machine: for tests.
            allow_http_loopback: issuer.scheme() == "http",
            allow_private: settings.allow_private,
            clients: None,
        };
        may_be_called(&issuer, &http)?;
        Ok(Self {
            settings,
            http,
            clock,
            attempts: Mutex::default(),
            known: tokio::sync::Mutex::default(),
        })
    }

    /// What people know it as.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Asks the provider what it tells of itself, for `doctor`.
    ///
    /// # Errors
    /// What is wrong with it, in words for whoever runs the program.
    pub async fn look(&self) -> Result<(), String> {
        self.ask().await.map(drop).map_err(|error| error.to_string())
    }

    fn attempts(&self) -> MutexGuard<'_, HashMap<ContentHash, Attempt>> {
        // Short sections that leave nothing half done.
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self, url: &Url) -> Result<Http, Failed> {
        let secrets = self.settings.secret.iter().cloned().collect();
        Ok(Http::new(url, &self.http, self.clock.clone(), secrets)?)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, Failed> {
        let http = self.client(url)?;
        let answer = http.send(http.call(Method::GET, url.clone())).await;
        let answer = answer.map_err(|error| Failed::Unreachable(error.to_string()))?;
        if !answer.is_success() {
            return Err(Failed::Unreachable(format!("HTTP {}", answer.status)));
        }
        Ok(answer.body)
    }

    async fn keys(&self, document: &Document) -> Result<Keys, Failed> {
        let json = self.get(&document.jwks_uri).await?;
        Keys::read(&json).ok_or(Failed::Document("its keys cannot be read"))
    }

    async fn ask(&self) -> Result<Known, Failed> {
        let issuer = self.settings.issuer.trim_end_matches('/');
        let address = format!("{issuer}/.well-known/openid-configuration");
        let address = Url::parse(&address).map_err(|_| Failed::Document("its address"))?;
        let json = self.get(&address).await?;
        let document: Document = serde_json::from_slice(&json)
            .map_err(|_| Failed::Document("its configuration cannot be read"))?;
        if document.issuer != self.settings.issuer {
            return Err(Failed::Document("it calls itself by another name than the settings"));
        }
        // The browser is sent there, so it is held to the same; the others are when they are called.
        may_be_called(&document.authorization_endpoint, &self.http)?;
        let keys = self.keys(&document).await?;
        let now = self.clock.now();
        Ok(Known { document, asked: now, tried: now, keys, keys_asked: now })
    }

    /// What is known of the provider, asked for where it is not known or old. Where it cannot be asked just then, what
    /// it told lately stands: nobody is kept out for a moment's sake.
    async fn known(&self) -> Result<Known, Failed> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        let is_new = |known: &&Known| {
            now.duration_since(known.asked) < KNOWN_KEPT
                || now.duration_since(known.tried) < KEYS_AGAIN
        };
        if let Some(known) = known.as_ref().filter(is_new) {
            return Ok(known.clone());
        }
        match (self.ask().await, known.as_mut()) {
            (Ok(told), _) => Ok(known.insert(told).clone()),
            (Err(Failed::Unreachable(why)), Some(before))
                if now.duration_since(before.asked) < STILL_GOOD =>
            {
                tracing::warn!(error = why, "what the provider told before is used");
                before.tried = now;
                Ok(before.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// The keys anew, since a token names one that is not among them: providers change keys as they like. Not oftener
    /// than once in a while, or anybody could have us ask.
    async fn fresh_keys(&self, document: &Document) -> Result<Option<Keys>, Failed> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        let Some(known) = known.as_mut() else { return Ok(None) };
        if now.duration_since(known.keys_asked) < KEYS_AGAIN {
            return Ok(None);
        }
        known.keys_asked = now;
        known.keys = self.keys(document).await?;
        Ok(Some(known.keys.clone()))
    }

    async fn exchange(
        &self,
        document: &Document,
        code: &Secret,
        verifier: &Secret,
    ) -> Result<Secret, Failed> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let settings = &self.settings;
        let http = self.client(&document.token_endpoint)?;
        let mut call = http.call(Method::POST, document.token_endpoint.clone());
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", settings.redirect.as_str()),
            ("code_verifier", verifier.expose()),
        ];
        let ways = document.token_endpoint_auth_methods_supported.as_deref();
        // Where nothing is said, this is what is meant (OpenID Connect Discovery 1.0, section 3).
        let basic = ways.is_none_or(|ways| ways.iter().any(|way| way == "client_secret_basic"));
        match &settings.secret {
            Some(secret) if basic => {
                let password = zeroize::Zeroizing::new(encoded(secret.expose()));
                call = call.basic_auth(encoded(&settings.client), Some(password.as_str()));
            }
            Some(secret) => form.extend([
                ("client_id", settings.client.as_str()),
                ("client_secret", secret.expose()),
            ]),
            None => form.push(("client_id", settings.client.as_str())),
        }
        let answer = http.send(call.form(&form)).await;
        let answer = answer.map_err(|error| Failed::Unreachable(error.to_string()))?;
        if !answer.is_success() {
            return Err(Failed::Exchange(answer.status));
        }
        let tokens: Tokens =
            serde_json::from_slice(&answer.body).map_err(|_| Refusal::Unreadable)?;
        Ok(Secret::new(tokens.id_token))
    }

    async fn begin(&self, then: &str) -> Result<Begun, Failed> {
        let random = || chance().map_err(|_| Failed::Unreachable("no random numbers".into()));
        let (state, nonce, verifier, browser) = (random()?, random()?, random()?, random()?);
        let mut address = self.known().await?.document.authorization_endpoint;
        let settings = &self.settings;
        let mut scopes = vec!["openid"];
        scopes.extend(settings.scopes.iter().map(String::as_str));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()));
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client)
            .append_pair("redirect_uri", settings.redirect.as_str())
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", state.expose())
            .append_pair("nonce", nonce.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let now = self.clock.now();
        let attempt = Attempt {
            nonce,
            verifier,
            browser: ContentHash::of(browser.expose().as_bytes()),
            then: then.to_owned(),
            until: now.saturating_add(ATTEMPT_KEPT).unwrap_or(now),
        };
        let mut attempts = self.attempts();
        attempts.retain(|_, attempt| attempt.until > now);
        if attempts.len() >= MOST_ATTEMPTS
            && let Some(oldest) = attempts.iter().min_by_key(|(_, a)| a.until).map(|(key, _)| *key)
        {
            attempts.remove(&oldest);
        }
        attempts.insert(ContentHash::of(state.expose().as_bytes()), attempt);
        Ok(Begun { address, browser })
    }

    /// The log-in that an answer belongs to: taken out, so that it is good once, whoever brings it.
    fn attempt(&self, state: &str, browser: Option<&str>) -> Option<Attempt> {
        let now = self.clock.now();
        let attempt = self.attempts().remove(&ContentHash::of(state.as_bytes()))?;
        let browser = ContentHash::of(browser?.as_bytes());
        let same = bool::from(browser.bytes().ct_eq(attempt.browser.bytes()));
        (same && attempt.until > now).then_some(attempt)
    }

    async fn said(&self, code: &Secret, attempt: &Attempt) -> Result<Said, Failed> {
        let known = self.known().await?;
        let token = self.exchange(&known.document, code, &attempt.verifier).await?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client: &self.settings.client,
            nonce: attempt.nonce.expose(),
            now: self.clock.now(),
            groups_claim: &self.settings.groups_claim,
        };
        match id_token::read(token.expose(), &known.keys, &expected) {
            Err(Refusal::UnknownKey) => match self.fresh_keys(&known.document).await? {
                Some(keys) => Ok(id_token::read(token.expose(), &keys, &expected)?),
                None => Err(Refusal::UnknownKey.into()),
            },
            read => Ok(read?),
        }
    }
}

impl Services {
    /// What people know the authority's provider as, where there is one.
    pub fn provider_name(&self) -> Option<&str> {
        self.sign_in().provider.as_ref().map(Provider::name)
    }

    async fn refused_at(&self, address: IpAddr, detail: &str, words: &str) -> ServiceError {
        match self.refuse_login(address, Some(format!("provider: {detail}")), words).await {
            Ok(refused) => refused,
            Err(error) => error,
        }
    }

    fn provider(&self) -> Result<&Provider, ServiceError> {
        self.sign_in().provider.as_ref().ok_or(ServiceError::NotFound { what: "provider" })
    }

    /// Begins a log-in at the authority's provider. `then` is where the person wants to go afterwards.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where there is none, [`ServiceError::Refused`] where it does not answer.
    pub async fn begin_at_provider(&self, then: &str) -> Result<Begun, ServiceError> {
        self.provider()?.begin(then).await.map_err(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "a log-in at the provider could not be begun");
            ServiceError::Refused { why: AWAY.into() }
        })
    }

    /// Ends a log-in at the provider: what the browser came back with, and the cookie it held. Gives where the person
    /// wanted to go.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn finish_at_provider(
        &self,
        answer: Answer,
        browser: Option<&str>,
        address: IpAddr,
    ) -> Result<(Opened, String), ServiceError> {
        let provider = self.provider()?;
        let Some(attempt) = provider.attempt(&answer.state, browser) else {
            return Err(self.refused_at(address, "state", OVER).await);
        };
        if answer.issuer.as_ref().is_some_and(|issuer| *issuer != provider.settings.issuer) {
            return Err(self.refused_at(address, "issuer", NOT_TAKEN).await);
        }
        let Some(code) = answer.code.filter(|code| !code.expose().is_empty()) else {
            // A code of the protocol, and nothing that somebody might have put into the address.
            let told = answer.error.unwrap_or_default();
            let plain =
                told.len() <= 40 && told.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let told = if plain { told.as_str() } else { "error" };
            return Err(self.refused_at(address, told, DENIED).await);
        };
        let said = match provider.said(&code, &attempt).await {
            Ok(said) => said,
            Err(error) => {
                let words = match &error {
                    Failed::Unreachable(_) => AWAY,
                    Failed::Token(Refusal::TooManyGroups) => TOO_MANY,
                    Failed::Document(_)
                    | Failed::Address(_)
                    | Failed::Exchange(_)
                    | Failed::Token(_) => NOT_TAKEN,
                };
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a log-in at the provider was not taken"
                );
                let detail = error.to_string();
                return Err(self.refused_at(address, &detail, words).await);
            }
        };
        let person = Person {
            issuer: provider.settings.issuer.clone(),
            subject: said.subject,
            login: said.login,
            name: said.name,
            groups: said.groups,
        };
        let opened = self.enter(person, Way::Provider, address).await?;
        Ok((opened, attempt.then))
    }
}
