//! Bytes from an address that somebody outside wrote: attachments, and what links lead to.
//!
//! Whoever writes on a platform chooses these addresses. So every step, the first and each to which a server
//! points on, is held to the same: http or https, no user name in it, and no address on this machine or a
//! private network, but for the account's own host and port where its settings say so. Names are looked up
//! here and what was looked up is what is connected to, so that a name cannot point elsewhere the second time.
//! Nothing of ours goes along: no token, no cookie, no referrer. What comes is bounded in bytes (as sent: nothing
//! is unpacked), steps and time.
//!
//! Fetching takes a [`PictureLeave`]: of what may not be copied, nothing is asked for (regulation 2.2).

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use url::{Host, Url};

use crate::evidence::media::{BarredMedia, NoPicture, PictureLeave};
use crate::runtime::names::{Names, refused_name};
use crate::runtime::network::{Reach, reach};

/// How many times a server may point on.
pub const MOST_STEPS: usize = 5;
/// Longest time for look-up, connection and TLS.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Longest silence while bytes come in.
const SILENCE_LIMIT: Duration = Duration::from_secs(10);
/// Of what a server says of the type, so many characters are remembered.
const MOST_TYPE_CHARS: usize = 100;

/// How much is fetched for one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// The largest file, in bytes.
    pub file_bytes: u64,
    /// All files of a record together, in bytes: they are in memory until the record is sealed.
    pub record_bytes: u64,
    /// All files of a record together, in time.
    pub record_time: Duration,
    /// How many files of a record.
    pub files: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            file_bytes: 50 << 20,
            record_bytes: 100 << 20,
            record_time: Duration::from_secs(30),
            files: 20,
        }
    }
}

/// One step on the way to the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where it was asked.
    pub address: Url,
    /// What the server answered.
    pub status: u16,
}

/// What came.
pub struct Fetched {
    /// The bytes as sent.
    pub bytes: Vec<u8>,
    /// What the server calls them.
    pub stated_type: Option<String>,
    /// Every step, the first first.
    pub hops: Vec<Hop>,
}

/// Its bytes stay out of logs.
impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetched")
            .field("n_bytes", &self.bytes.len())
            .field("n_hops", &self.hops.len())
            .finish_non_exhaustive()
    }
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nothing may be fetched of it.
    #[error("no leave to fetch")]
    NoLeave(NoPicture),
    /// It is no address.
    #[error("the address cannot be read")]
    Unreadable,
    /// Neither http nor https.
    #[error("addresses of the kind {0} are not fetched")]
    Scheme(String),
    /// The address holds a user name or password.
    #[error("the address holds credentials")]
    Credentials,
    /// It lies where nothing is fetched.
    #[error("the address lies on a private network")]
    Private,
    /// The server points on and on.
    #[error("more than {MOST_STEPS} redirects")]
    Endless,
    /// The server answered otherwise than with the file.
    #[error("HTTP {0}")]
    Status(u16),
    /// More than fits.
    #[error("larger than {most_bytes} bytes")]
    TooLarge {
        /// The limit that it met.
        most_bytes: u64,
    },
    /// Too slow.
    #[error("no whole answer within {} s", after.as_secs())]
    TimedOut {
        /// The limit that it met.
        after: Duration,
    },
    /// No connection, or one that broke off.
    #[error("no connection, or one that broke off")]
    Failed(#[source] reqwest::Error),
}

impl FetchError {
    /// Why, in Swedish, as the end of a sentence that names the file.
    pub fn swedish(&self) -> String {
        match self {
            Self::NoLeave(_) => {
                "något på samma sida får inte kopieras, eller är inte bedömt än".into()
            }
            Self::Unreadable => "adressen går inte att läsa".into(),
            Self::Scheme(scheme) => {
                let plain: String =
                    scheme.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
                format!("adressen är av slaget {plain}, och bara http och https hämtas")
            }
            Self::Credentials => "adressen innehåller användarnamn eller lösenord".into(),
            Self::Private => "adressen leder till ett internt nät".into(),
            Self::Endless => format!("adressen leder vidare fler än {MOST_STEPS} gånger"),
            Self::Status(404 | 410) => "den finns inte längre på adressen".into(),
            Self::Status(401 | 403) => "servern lämnar inte ut den".into(),
            Self::Status(status) => format!("servern svarade med HTTP {status}"),
            Self::TooLarge { most_bytes } => {
                format!("den är större än gränsen på {}", megabytes(*most_bytes))
            }
            Self::TimedOut { after } => {
                format!("den hann inte hämtas på {} sekunder", after.as_secs().max(1))
            }
            Self::Failed(_) => "servern gick inte att nå, eller bröt av".into(),
        }
    }
}

/// A limit in words.
fn megabytes(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} kB", bytes >> 10),
        mb => format!("{mb} MB"),
    }
}

/// What one fetch may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// In bytes.
    pub most_bytes: u64,
    /// In time, all steps together.
    pub within: Duration,
}

/// Fetches. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    outside: Client,
    /// For the account's own host and port alone.
    own: Client,
}

impl Fetcher {
    /// A fetcher that has not called anybody yet.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = |allow_private| {
            Client::builder()
                .user_agent(concat!("Uppsikt/", env!("CARGO_PKG_VERSION")))
                // Followed here, each step held to the same.
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                // What is kept is what was sent, and what is packed cannot grow.
                .no_gzip()
                // A proxy would look names up by itself.
                .no_proxy()
                .connect_timeout(CONNECT_LIMIT)
                .read_timeout(SILENCE_LIMIT)
                .dns_resolver(Names::direct(allow_private))
                .build()
        };
        Ok(Self { outside: client(false)?, own: client(true)? })
    }

    /// The bytes at an address, by leave. `private_at` is the one host and port that may lie inside.
    ///
    /// # Errors
    /// [`FetchError`], each with its Swedish words.
    pub async fn fetch(
        &self,
        leave: &PictureLeave,
        address: &str,
        private_at: Option<&Url>,
        bounds: Bounds,
    ) -> Result<Fetched, FetchError> {
        leave.ask_again().await.map_err(FetchError::NoLeave)?;
        let barred = leave.barred_media().await.map_err(FetchError::NoLeave)?;
        let walk = self.walk(address, private_at, bounds.most_bytes, &barred);
        match tokio::time::timeout(bounds.within, walk).await {
            Ok(fetched) => fetched,
            Err(_) => Err(FetchError::TimedOut { after: bounds.within }),
        }
    }

    async fn walk(
        &self,
        address: &str,
        private_at: Option<&Url>,
        most_bytes: u64,
        barred: &BarredMedia,
    ) -> Result<Fetched, FetchError> {
        let mut hops = Vec::new();
        let mut at = Url::parse(address).map_err(|_| FetchError::Unreadable)?;
        loop {
            at.set_fragment(None);
            if barred.holds(&at) {
                return Err(FetchError::NoLeave(NoPicture::Barred));
            }
            let client = self.client_for(&at, private_at)?;
            let answer = client.get(at.clone()).header(ACCEPT, "*/*").send().await;
            let mut answer = answer.map_err(failed)?;
            let status = answer.status().as_u16();
            hops.push(Hop { address: at.clone(), status });
            if matches!(status, 301 | 302 | 303 | 307 | 308) {
                let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                let to = to.and_then(|to| at.join(to).ok()).ok_or(FetchError::Unreadable)?;
                if hops.len() > MOST_STEPS {
                    return Err(FetchError::Endless);
                }
                at = to;
                continue;
            }
            if status != 200 {
                return Err(FetchError::Status(status));
            }
            if answer.content_length().is_some_and(|told| told > most_bytes) {
                return Err(FetchError::TooLarge { most_bytes });
            }
            let stated = answer.headers().get(CONTENT_TYPE).and_then(|stated| stated.to_str().ok());
            let stated_type = stated.map(|stated| stated.chars().take(MOST_TYPE_CHARS).collect());
            let mut bytes = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(failed)? {
                if (bytes.len() + chunk.len()) as u64 > most_bytes {
                    return Err(FetchError::TooLarge { most_bytes });
                }
                bytes.extend_from_slice(&chunk);
            }
            return Ok(Fetched { bytes, stated_type, hops });
        }
    }

    /// Who may ask there, if anybody.
    fn client_for(&self, at: &Url, private_at: Option<&Url>) -> Result<&Client, FetchError> {
        if !matches!(at.scheme(), "http" | "https") {
            return Err(FetchError::Scheme(at.scheme().to_owned()));
        }
        if !at.username().is_empty() || at.password().is_some() {
            return Err(FetchError::Credentials);
        }
        let is_own = private_at.is_some_and(|own| is_at(own, at));
        // Names are held to the same when they are looked up; numbers never are.
        let ip = match at.host().ok_or(FetchError::Unreadable)? {
            Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
            Host::Domain(_) => None,
        };
        match ip.map(reach) {
            None | Some(Reach::Public) => {}
            Some(Reach::Private) if is_own => {}
            Some(Reach::Private | Reach::Never) => return Err(FetchError::Private),
        }
        Ok(if is_own { &self.own } else { &self.outside })
    }
}

fn failed(error: reqwest::Error) -> FetchError {
    match refused_name(&error) {
        Some(_) => FetchError::Private,
        None => FetchError::Failed(error.without_url()),
    }
}

/// Whether an address leads to the host and port of the account's own. The address may come from
/// whoever writes on the platform; the account's comes from the settings.
pub fn is_at(own: &Url, address: &Url) -> bool {
    let host = |url: &Url| url.host_str().map(|host| host.trim_end_matches('.').to_owned());
    host(own) == host(address) && own.port_or_known_default() == address.port_or_known_default()
}

#[cfg(test)]
mod tests;
