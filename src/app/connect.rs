//! `uppsikt accounts connect`: a person agrees at the platform, and what it gives is sealed.

use jiff::Timestamp;
use url::Url;

use crate::config::secret::{SealedToken, Tokens, is_name};
use crate::domain::account::PlatformKind;
use crate::platforms::authorize::{self, Client, Kept, NotConnected, NotSo, Provider, Waiting};
use crate::platforms::http::HttpSettings;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::runtime::vault::{Key, VaultError};

/// What is to be connected.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The platform.
    pub platform: PlatformKind,
    /// Under which name its token is sealed.
    pub name: String,
    /// The app's client.
    pub client_id: String,
    /// Its secret, where it has one.
    pub client_secret: Option<Secret>,
    /// The port for the redirect; 0 takes a free one.
    pub port: u16,
    /// Other addresses than the platform's own: of a test, or of a server of one's own.
    pub authorize_url: Option<Url>,
    /// The same for tokens.
    pub token_url: Option<Url>,
    /// Other rights than the usual ones.
    pub scopes: Vec<String>,
}

/// It could not be connected. The texts are whole Swedish sentences.
#[derive(Debug, thiserror::Error)]
pub enum CannotConnect {
    /// The platform is connected in another way.
    #[error(transparent)]
    NotSo(#[from] NotSo),
    /// The name is none.
    #[error("`{0}` kan inte vara ett namn: skriv a–z, 0–9 och bindestreck, till exempel youtube")]
    Name(String),
    /// The platform did not do its part.
    #[error(transparent)]
    NotConnected(#[from] NotConnected),
    /// It cannot be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A connection that waits for a person, and where its token will lie.
#[derive(Debug)]
pub struct Begun {
    waiting: Waiting,
    wanted: Wanted,
    tokens: Tokens,
    kept: Kept,
    is_local: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The line for the account in `config.toml`.
    pub line: String,
    /// When the token ends, where the platform told.
    pub ends: Option<Timestamp>,
    /// Rights that were asked for and not given.
    pub lacks: Vec<String>,
}

/// Begins. The key is made where there is none yet, before anybody is asked: nothing that a platform gives is
/// lost for want of it.
///
/// # Errors
/// [`CannotConnect`].
pub async fn begin(wanted: Wanted, tokens: Tokens) -> Result<Begun, CannotConnect> {
    let mut provider = Provider::of(wanted.platform)?;
    if !is_name(&wanted.name) {
        return Err(CannotConnect::Name(wanted.name));
    }
    let is_local = wanted.token_url.is_some();
    provider.authorize = wanted.authorize_url.clone().unwrap_or(provider.authorize);
    provider.token = wanted.token_url.clone().unwrap_or(provider.token);
    if !wanted.scopes.is_empty() {
        provider.scopes = wanted.scopes.clone();
    }
    let key = Key::read_or_make(&tokens.key_file)?;
    let tokens = Tokens { key: Some(key), ..tokens };
    let kept = provider.kept;
    let client = Client { id: wanted.client_id.clone(), secret: wanted.client_secret.clone() };
    let waiting = authorize::begin(provider, client, wanted.port).await?;
    Ok(Begun { waiting, wanted, tokens, kept, is_local })
}

impl Begun {
    /// What the person has to open in a browser.
    pub fn address(&self) -> &Url {
        self.waiting.address()
    }

    /// What has to be among the app's addresses at the platform.
    pub fn redirect(&self) -> &str {
        self.waiting.redirect()
    }

    /// Waits for the person, and seals what the platform gives.
    ///
    /// # Errors
    /// [`CannotConnect`].
    pub async fn finish(self, clock: Clock) -> Result<Sealed, CannotConnect> {
        let Self { waiting, wanted, tokens, kept, is_local } = self;
        // Addresses that somebody typed may lie here; those of platforms never do.
        let settings = if is_local { HttpSettings::loopback() } else { HttpSettings::default() };
        let since = clock.now();
        let connected = waiting.finish(&settings, clock).await?;
        let sealed = SealedToken {
            token: connected.token.expose().to_owned(),
            ends: connected.ends,
            scope: connected.scope,
            since,
        };
        let text = serde_json::to_string(&sealed).expect("plain text and times serialize");
        tokens.shelf(&wanted.name).write(&zeroize::Zeroizing::new(text))?;
        let key = match kept {
            Kept::Refresh => "refresh_token",
            Kept::Access => "token",
        };
        let line = format!("{key} = \"sealed:{}\"", wanted.name);
        Ok(Sealed { line, ends: connected.ends, lacks: connected.lacks })
    }
}
