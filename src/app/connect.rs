//! `uppsikt accounts connect`: a person agrees at the platform, and what it gives is sealed.

use jiff::Timestamp;
use url::Url;

use crate::config::secret::{SealedToken, Tokens, is_name, second_name};
use crate::domain::account::PlatformKind;
use crate::platforms::authorize::flickr::{Asked, FLICKR_OAUTH};
use crate::platforms::authorize::tiktok::Pasted;
use crate::platforms::authorize::{
    self, Client, NotConnected, NotSo, Provider, TIKTOK_TOKENS, Waiting,
};
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
    /// Which of several Pages, at Meta.
    pub page: Option<String>,
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
    way: Way,
    wanted: Wanted,
    tokens: Tokens,
    is_local: bool,
}

/// How what the platform gives comes here.
#[derive(Debug)]
enum Way {
    /// It sends the person back to this machine.
    Back(Box<Waiting>),
    /// The same, by what the platform has named before.
    Asked(Box<Asked>),
    /// The person copies the address that they were sent to.
    Pasted(Box<Pasted>),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The account as it stands in `config.toml`.
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
pub async fn begin(wanted: Wanted, tokens: Tokens, clock: Clock) -> Result<Begun, CannotConnect> {
    if !is_name(&wanted.name) {
        return Err(CannotConnect::Name(wanted.name));
    }
    let client = Client { id: wanted.client_id.clone(), secret: wanted.client_secret.clone() };
    if let (PlatformKind::TikTok, Some(issued)) = (wanted.platform, &wanted.authorize_url) {
        let fixed = || Url::parse(TIKTOK_TOKENS).expect("a fixed address is one");
        let token = wanted.token_url.clone().unwrap_or_else(fixed);
        let key = Key::read_or_make(&tokens.key_file)?;
        let tokens = Tokens { key: Some(key), ..tokens };
        let way = Way::Pasted(Box::new(Pasted::begin(issued, token, client)?));
        let is_local = wanted.token_url.is_some();
        return Ok(Begun { way, wanted, tokens, is_local });
    }
    if wanted.platform == PlatformKind::Flickr {
        let fixed = || Url::parse(FLICKR_OAUTH).expect("a fixed address is one");
        let is_local = wanted.token_url.is_some();
        let base = wanted.token_url.clone().unwrap_or_else(fixed);
        let key = Key::read_or_make(&tokens.key_file)?;
        let tokens = Tokens { key: Some(key), ..tokens };
        let settings = reach(is_local);
        let asked = Asked::begin(base, client, wanted.port, &settings, clock).await?;
        let way = Way::Asked(Box::new(asked));
        return Ok(Begun { way, wanted, tokens, is_local });
    }
    let mut provider = Provider::of(wanted.platform)?;
    let is_local = wanted.token_url.is_some();
    provider.authorize = wanted.authorize_url.clone().unwrap_or(provider.authorize);
    provider.token = wanted.token_url.clone().unwrap_or(provider.token);
    if !wanted.scopes.is_empty() {
        provider.scopes = wanted.scopes.clone();
    }
    let key = Key::read_or_make(&tokens.key_file)?;
    let tokens = Tokens { key: Some(key), ..tokens };
    let way = Way::Back(Box::new(authorize::begin(provider, client, wanted.port).await?));
    Ok(Begun { way, wanted, tokens, is_local })
}

/// Addresses that somebody typed may lie here; those of platforms never do.
fn reach(is_local: bool) -> HttpSettings {
    if is_local { HttpSettings::loopback() } else { HttpSettings::default() }
}

/// The first lines of the account. Token and app are found by its key.
fn account(wanted: &Wanted) -> String {
    format!("[[account]]\nkey = \"{}\"\nplatform = \"{}\"", wanted.name, wanted.platform.id())
}

/// What a person knows and the platform has not told: a line to be filled in.
const fn to_fill_in(platform: PlatformKind) -> Option<&'static str> {
    match platform {
        PlatformKind::YouTube => Some("channel_id = \"\" # fyll i kanalens id, som börjar på UC"),
        PlatformKind::LinkedIn => Some("organization_id = \"\" # fyll i sidans nummer"),
        PlatformKind::X => Some("user_id = \"\" # fyll i kontots nummer"),
        PlatformKind::TikTok => Some("business_id = \"\" # fyll i kontots id"),
        PlatformKind::Reddit => Some("account = \"\" # fyll i kontots namn"),
        PlatformKind::Flickr => Some("user_id = \"\" # fyll i kontots id, som 12345678@N01"),
        PlatformKind::Facebook => Some("page_id = \"\" # fyll i sidans nummer"),
        PlatformKind::Instagram => Some("ig_id = \"\" # fyll i kontots nummer"),
        PlatformKind::WordPress
        | PlatformKind::Mastodon
        | PlatformKind::Bluesky
        | PlatformKind::Snapchat
        | PlatformKind::OwnSite
        | PlatformKind::Manual => None,
    }
}

impl Begun {
    /// What the person has to open in a browser.
    pub fn address(&self) -> &Url {
        match &self.way {
            Way::Back(waiting) => waiting.address(),
            Way::Asked(asked) => asked.address(),
            Way::Pasted(pasted) => pasted.address(),
        }
    }

    /// What has to be among the app's addresses at the platform; nothing where the person copies the address that
    /// they were sent to, which [`Begun::finish`] wants then.
    pub fn redirect(&self) -> Option<&str> {
        match &self.way {
            Way::Back(waiting) => Some(waiting.redirect()),
            // Told to the platform with the request: it need not be known there before.
            Way::Asked(asked) => Some(asked.redirect()),
            Way::Pasted(_) => None,
        }
    }

    /// Waits for the person, and seals what the platform gives. `pasted` is the address that they copied.
    ///
    /// # Errors
    /// [`CannotConnect`].
    pub async fn finish(self, pasted: &str, clock: Clock) -> Result<Sealed, CannotConnect> {
        let Self { way, wanted, tokens, is_local } = self;
        let settings = reach(is_local);
        let since = clock.now();
        let connected = match way {
            Way::Back(waiting) => waiting.finish(&settings, wanted.page.as_deref(), clock).await?,
            Way::Asked(asked) => asked.finish().await?,
            Way::Pasted(waiting) => waiting.finish(pasted, &settings, clock).await?,
        };
        let (ends, scope) = (connected.ends, connected.scope);
        let seal = |name: &str, secret: &Secret| {
            let token = secret.expose().to_owned();
            let sealed = SealedToken {
                token,
                ends,
                scope: scope.clone(),
                since,
                client_id: Some(wanted.client_id.clone()),
                client_secret: wanted.client_secret.as_ref().map(|app| app.expose().to_owned()),
            };
            let text = serde_json::to_string(&sealed).expect("plain text and times serialize");
            tokens.shelf(name).write(&zeroize::Zeroizing::new(text))
        };
        if let Some((_, secret)) = &connected.second {
            seal(&second_name(&wanted.name), secret)?;
        }
        seal(&wanted.name, &connected.token)?;
        let mut line = account(&wanted);
        for (key, value) in &connected.beside {
            line.push_str(&format!("\n{key} = \"{value}\""));
        }
        if let Some(left) = to_fill_in(wanted.platform)
            && connected.beside.is_empty()
        {
            line.push_str(&format!("\n{left}"));
        }
        Ok(Sealed { line, ends: connected.ends, lacks: connected.lacks })
    }
}
