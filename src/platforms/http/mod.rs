//! The one way out to platforms over HTTP: time limits, a limit on size, no redirects, and error
//! texts without secrets.
//!
//! Nothing is retried here. Whether a failed write may have reached the platform is decided here
//! once, for all connectors.

pub mod clients;
pub mod heard;

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::domain::ids::ContentHash;
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::json;
use crate::runtime::clock::Clock;
use crate::runtime::names::{Names, refused_name};
use crate::runtime::network::{Reach, reach};
use crate::runtime::secret::Secret;

/// Longer waits than this are not believed: a mistyped header must not stop an account for years.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// How long a platform is left alone that says "too many" or shows an error page, but not for how
/// long (`platforms` sheet, section 10.5: a long wait).
const LONG_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(20);

/// How calls are made.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Longest time for name look-up, connection and TLS.
    pub connect_timeout: Duration,
    /// Longest silence while an answer comes in.
    pub read_timeout: Duration,
    /// Longest time for one call in all.
    pub total_timeout: Duration,
    /// Largest answer, in bytes after unpacking.
    pub max_body_bytes: usize,
    /// Certificates (PEM) of an authority's own certification authority, trusted beside the
    /// machine's.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// Lets `http://` through to loopback addresses: for tests and the demo alone.
    pub allow_http_loopback: bool,
    /// Lets names lead into private networks.
    pub allow_private: bool,
    /// Whom the client is shared with; nobody where nothing is said.
    pub clients: Option<clients::Clients>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(20),
            total_timeout: Duration::from_secs(60),
            // A page of 100 comments is some 200 kB; one hostile comment may be 10 MB.
            max_body_bytes: 64 << 20,
            extra_ca_pem: None,
            allow_http_loopback: false,
            allow_private: false,
            clients: None,
        }
    }
}

impl HttpSettings {
    /// As by default, and let through to loopback addresses over plain http: for simulators and
    /// tests.
    pub fn loopback() -> Self {
        Self { allow_http_loopback: true, ..Self::default() }
    }
}

/// The address or the settings cannot be used. Each text names the mend.
#[derive(Debug, thiserror::Error)]
pub enum BadHttpSettings {
    /// Neither https nor permitted http.
    #[error(
        "`{host}`: only https addresses are used; http is possible to loopback addresses with allow_http_loopback = true"
    )]
    NotHttps {
        /// The host.
        host: String,
    },
    /// An address written as a number that lies inside the house, or nowhere.
    #[error(
        "`{host}` lies on a private network: set allow_private_addresses = true if that is meant"
    )]
    Private {
        /// The host.
        host: String,
    },
    /// User name or password inside the address.
    #[error("`{host}`: the address holds a user name or password; give them in their own settings")]
    CredentialsInAddress {
        /// The host.
        host: String,
    },
    /// The address has no host.
    #[error("the address names no host")]
    NoHost,
    /// The certificates cannot be read.
    #[error("the extra certificates cannot be read: PEM with BEGIN CERTIFICATE is expected")]
    BadCertificates(#[source] reqwest::Error),
    /// The client could not be made.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// A client for one account.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    clock: Clock,
    secrets: Vec<Secret>,
    max_body_bytes: usize,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, unpacked.
    pub body: Vec<u8>,
    /// When it was read.
    pub at: Timestamp,
    /// Whether the call was one that may change something.
    pub was_write: bool,
}

impl Answer {
    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    /// When the answer asks us to come back.
    pub fn retry_after(&self) -> Option<Timestamp> {
        retry_after(&self.headers, self.at)
    }

    /// A time from now at which a platform that gave no time may be asked again.
    pub fn after_a_long_wait(&self) -> Timestamp {
        self.at.saturating_add(LONG_WAIT).unwrap_or(self.at)
    }

    /// The answer as an error of the whole service, not of the question: 429, 5xx, or a page where
    /// data was expected (a firewall, a maintenance page, a parked domain). `None` where the
    /// answer is the platform's own to read.
    pub fn trouble(&self) -> Option<PlatformError> {
        let status = self.status;
        match status {
            429 => Some(PlatformError::Throttled {
                until: self.retry_after().unwrap_or_else(|| self.after_a_long_wait()),
                lane: Lane::Account,
                detail: "HTTP 429".into(),
            }),
            503 => Some(PlatformError::Transient {
                detail: "HTTP 503".into(),
                // With a Retry-After the service says that it turned the call away unread.
                may_have_acted: self.was_write && self.retry_after().is_none(),
                retry_at: Some(self.retry_after().unwrap_or_else(|| self.after_a_long_wait())),
            }),
            500..=599 => Some(PlatformError::Transient {
                detail: format!("HTTP {status}"),
                may_have_acted: self.was_write,
                retry_at: self.retry_after(),
            }),
            _ => None,
        }
    }

    /// The body as text; what is read out of it may borrow from it.
    pub fn text(&self) -> Cow<'_, str> {
        json::text(&self.body)
    }

    /// The answer as one object.
    ///
    /// # Errors
    /// [`Answer::unexpected`].
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, PlatformError> {
        json::decode(&self.text()).map_err(|error| self.unexpected(&error))
    }

    /// The answer as a value that borrows from its `text`.
    ///
    /// # Errors
    /// [`Answer::unexpected`].
    pub fn view<'a, T: Deserialize<'a>>(&self, text: &'a str) -> Result<T, PlatformError> {
        serde_json::from_str(text).map_err(|error| self.unexpected(&error))
    }

    /// The error for an answer that could not be decoded: of another shape, or no JSON at all.
    pub fn unexpected(&self, error: &serde_json::Error) -> PlatformError {
        let text = json::text(&self.body);
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => PlatformError::Contract {
                detail: format!("an answer of another shape: {}", json::place(error)),
            },
            Err(_) => self.not_json(),
        }
    }

    /// The error for an answer that is no JSON where JSON was expected. A page is what a platform or something before
    /// it shows that is not well, and is left alone for long; JSON that was cut short is a line that broke, and is
    /// asked for again as after any such.
    pub fn not_json(&self) -> PlatformError {
        let begins = json::text(&self.body).trim_start().chars().next();
        let is_cut = (200..300).contains(&self.status) && matches!(begins, Some('{' | '['));
        let wait = || (!is_cut).then(|| self.after_a_long_wait());
        PlatformError::Transient {
            detail: match is_cut {
                true => format!("HTTP {} with JSON that was cut short", self.status),
                false => format!("HTTP {} with a body that is not JSON", self.status),
            },
            may_have_acted: self.was_write,
            retry_at: self.retry_after().or_else(wait),
        }
    }
}

/// The address of `path` below `base`. What `base` has of query and fragment is left out.
pub fn below(base: &Url, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    let root = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{root}/{path}"));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

/// Whether this address leads to the machine itself.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether a name is one of the machine or of the house alone (RFC 6761, 6762, 8375, and `internal`, which ICANN has set
/// aside for it), or no full name at all.
fn is_inner_name(name: &str) -> bool {
    const INNER: &[&str] = &["localhost", "local", "internal", "home.arpa", "lan", "intranet"];
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let ends = |inner: &&str| {
        name.strip_suffix(*inner).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !name.contains('.') || INNER.iter().any(ends)
}

/// The same for an address that somebody types: names that lead inside wherever they are looked up are told at once, and
/// not at the first call.
///
/// # Errors
/// [`BadHttpSettings`], each with its mend.
pub fn may_be_entered(url: &Url, settings: &HttpSettings) -> Result<(), BadHttpSettings> {
    may_be_called(url, settings)?;
    let is_own = is_loopback(url) && settings.allow_http_loopback;
    match url.host() {
        Some(Host::Domain(name)) if is_inner_name(name) && !settings.allow_private && !is_own => {
            Err(BadHttpSettings::Private { host: name.to_owned() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether calls may go to this address: https, or http to this machine where that is permitted.
///
/// # Errors
/// [`BadHttpSettings`], each with its mend.
pub fn may_be_called(url: &Url, settings: &HttpSettings) -> Result<(), BadHttpSettings> {
    let host = url.host_str().ok_or(BadHttpSettings::NoHost)?.to_owned();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadHttpSettings::CredentialsInAddress { host });
    }
    let is_own = is_loopback(url) && settings.allow_http_loopback;
    match url.scheme() {
        "https" => {}
        "http" if is_own => {}
        _ => return Err(BadHttpSettings::NotHttps { host }),
    }
    // Names are held to the same when they are looked up; numbers never are.
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        Some(Host::Domain(_)) | None => None,
    };
    match ip.map(reach) {
        None | Some(Reach::Public) => Ok(()),
        Some(Reach::Private) if settings.allow_private || is_own => Ok(()),
        Some(Reach::Private | Reach::Never) => Err(BadHttpSettings::Private { host }),
    }
}

impl Http {
    /// A client for calls to `base`. The secrets are struck out of every error text.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(
        base: &Url,
        settings: &HttpSettings,
        clock: Clock,
        secrets: Vec<Secret>,
    ) -> Result<Self, BadHttpSettings> {
        may_be_called(base, settings)?;
        let loopback = is_loopback(base);
        let client = match &settings.clients {
            Some(shared) => shared.of(settings, loopback)?,
            None => Self::client(settings, loopback)?,
        };
        Ok(Self { client, clock, secrets, max_body_bytes: settings.max_body_bytes })
    }

    /// A client by itself. It costs some hundred kilobytes, for the certificates that it trusts.
    fn client(settings: &HttpSettings, loopback: bool) -> Result<Client, BadHttpSettings> {
        let mut builder = Client::builder()
            .user_agent(concat!("Uppsikt/", env!("CARGO_PKG_VERSION")))
            // A redirected write could be carried out twice or turn into a read, and a redirected
            // read would carry the credentials elsewhere: the address in the configuration is to
            // be mended instead.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.read_timeout)
            .timeout(settings.total_timeout)
            // Long enough for the calls of one walk; between walks a thousand accounts would hold a thousand.
            .pool_idle_timeout(IDLE)
            .dns_resolver(Names::new(
                settings.allow_private || (loopback && settings.allow_http_loopback),
            ));
        if loopback {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &settings.extra_ca_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(BadHttpSettings::BadCertificates)?;
            builder = builder.tls_certs_merge(certificates);
        }
        builder.build().map_err(BadHttpSettings::Client)
    }

    /// Begins a call.
    pub fn call(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// The clock that answers are dated by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Sends the call and reads the whole answer.
    ///
    /// # Errors
    /// `Transient` when no whole answer came, with `may_have_acted` true only for a writing call
    /// that had left us; `Contract` for an answer that is too large, or a redirect.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, PlatformError> {
        let request = request.build().map_err(|e| PlatformError::Contract {
            detail: self.clean(&format!("the call could not be built: {}", innermost(&e))),
        })?;
        let was_write = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let place = format!("{} {}", request.method(), place(request.url()));
        let asked = (request.method().clone(), request.url().clone());
        let mut response =
            self.client.execute(request).await.map_err(|e| self.failed(&place, &e, was_write))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|e| self.failed(&place, &e, was_write))?
        {
            if body.len() + chunk.len() > self.max_body_bytes {
                return Err(PlatformError::Contract {
                    detail: self.clean(&format!(
                        "{place}: the answer is larger than {} bytes",
                        self.max_body_bytes
                    )),
                });
            }
            body.extend_from_slice(&chunk);
        }
        if (300..400).contains(&status) {
            return Err(self.redirected(&place, &headers));
        }
        let at = self.clock.now();
        let clean = |text: &str| self.clean(text);
        heard::note((&asked.0, &asked.1), status, &headers, &body, at, clean);
        Ok(Answer { status, headers, body, at, was_write })
    }

    /// Sends the call and reads no further than the status of the answer, however large that is.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub async fn status(&self, request: RequestBuilder) -> Result<u16, PlatformError> {
        let request = request.build().map_err(|e| PlatformError::Contract {
            detail: self.clean(&format!("the call could not be built: {}", innermost(&e))),
        })?;
        let was_write = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let place = format!("{} {}", request.method(), place(request.url()));
        let response =
            self.client.execute(request).await.map_err(|e| self.failed(&place, &e, was_write))?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(self.redirected(&place, response.headers()));
        }
        Ok(status)
    }

    fn redirected(&self, place: &str, headers: &HeaderMap) -> PlatformError {
        let to = headers
            .get(LOCATION)
            .and_then(|v| Url::parse(v.to_str().ok()?).ok())
            .map_or_else(|| "elsewhere".to_owned(), |u| u.origin().ascii_serialization());
        PlatformError::Contract {
            detail: self.clean(&format!(
                "{place}: redirected to {to}; redirects are not followed, put the right address in the configuration"
            )),
        }
    }

    fn failed(&self, place: &str, error: &reqwest::Error, was_write: bool) -> PlatformError {
        if let Some(refused) = refused_name(error) {
            return PlatformError::Contract { detail: self.clean(&format!("{place}: {refused}")) };
        }
        let never_sent = error.is_connect() || error.is_builder();
        let what = if error.is_timeout() {
            "no answer within the time limit".to_owned()
        } else {
            innermost(error)
        };
        PlatformError::Transient {
            detail: self.clean(&format!("{place}: {what}")),
            may_have_acted: was_write && !never_sent,
            retry_at: None,
        }
    }

    fn clean(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| secret.strike_out(&text))
    }
}

/// Where a call went, for logs. Ids in a path name people (a conversation is called after those who hold
/// it): they are left out, and a short hash tells calls of the same shape apart.
fn place(url: &Url) -> String {
    let is_version = |part: &str| {
        let number = part.strip_prefix('v').unwrap_or(part);
        number.len() <= 5 && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    let is_word = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic() || b"._-".contains(&b));
    let (mut shape, mut ids) = (url.host_str().unwrap_or_default().to_owned(), String::new());
    for part in url.path().split('/').skip(1) {
        shape.push('/');
        if is_word(part) || is_version(part) {
            shape.push_str(part);
        } else {
            shape.push_str("{}");
            ids.push('/');
            ids.push_str(part);
        }
    }
    if ids.is_empty() {
        return shape;
    }
    format!("{shape} #{}", &ContentHash::of(ids.as_bytes()).to_hex()[..8])
}

/// The cause at the bottom of the chain: the outer texts of reqwest name the whole address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if std::ptr::addr_eq(cause, error as &dyn std::error::Error) {
        let kind = if error.is_body() { "the body broke off" } else { "the call failed" };
        kind.to_owned()
    } else {
        cause.to_string()
    }
}

/// The time that `Retry-After` names: seconds from `now`, or an HTTP date (RFC 9110 10.2.3). At
/// most a day ahead, never in the past.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let latest = now.saturating_add(LONGEST_WAIT).unwrap_or(now);
    let at = match value.parse::<u32>() {
        Ok(seconds) => {
            now.saturating_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(latest)
        }
        Err(_) => rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?,
    };
    Some(at.clamp(now, latest))
}

#[cfg(test)]
mod tests;
