//! Connecting an account: the authorization code of OAuth 2 (RFC 6749, section 4.1) with PKCE (RFC 7636), `state`,
//! and a redirect to this machine (RFC 8252, section 7.3).
//!
//! A person opens an address in a browser, logs in and agrees; the platform sends them back to a port that is
//! open here for as long, with a code that is good once. Only an answer with our `state` is taken, and only one.

pub mod flickr;
mod meta;
pub mod tiktok;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;
use url::Url;

use crate::domain::account::PlatformKind;
use crate::platforms::error::PlatformError;
use crate::platforms::grant;
use crate::platforms::held;
use crate::platforms::http::{BadHttpSettings, Http, HttpSettings};
use crate::platforms::simulate::server::{Call, CannotStart, Port, Server};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// How long a person has to log in and agree.
pub const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// How a platform takes the client at the address of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientShown {
    /// In the form.
    Form,
    /// As user name and password; a client without a secret in the form.
    Basic,
}

/// What a platform gives that has to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The consent, which is renewed.
    Refresh,
    /// The token itself: it is not renewed.
    Access,
}

/// How what a platform sends back becomes what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As the standard has it.
    Standard,
    /// By way of a person's token to that of a Page.
    Page,
    /// The same for the Instagram account that is linked to the Page.
    PageOfInstagram,
}

impl How {
    /// What stands between rights in an address.
    const fn between(self) -> &'static str {
        match self {
            Self::Standard => " ",
            Self::Page | Self::PageOfInstagram => ",",
        }
    }

    /// What this machine is called in the address that people are sent back to. Meta takes no number where it is
    /// not encrypted.
    const fn host(self) -> &'static str {
        match self {
            Self::Standard => "127.0.0.1",
            Self::Page | Self::PageOfInstagram => "localhost",
        }
    }
}

/// Where and how a platform is asked for consent.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Where people agree.
    pub authorize: Url,
    /// Where codes are exchanged.
    pub token: Url,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What the platform wants beside, in the address.
    pub extra: &'static [(&'static str, &'static str)],
    /// How the client is shown.
    pub client: ClientShown,
    /// What is kept.
    pub kept: Kept,
    /// How it is come by.
    pub how: How,
}

/// Why an account of a platform is not connected so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotSo(pub &'static str);

fn fixed(address: &str) -> Url {
    Url::parse(address).expect("a fixed address is one")
}

/// Where people agree at Meta, and where codes are exchanged.
const META_CONSENT: &str = "https://www.facebook.com/v26.0/dialog/oauth";
const META_TOKENS: &str = "https://graph.facebook.com/v26.0/oauth/access_token";

/// What is asked for beside what a Page cannot do without: to list Pages, to subscribe to pushes, and to read
/// messages, which not every app is given.
const META_RIGHTS: &[&str] = &["pages_show_list", "pages_manage_metadata", "pages_messaging"];
const INSTAGRAM_RIGHTS: &[&str] =
    &["instagram_basic", "instagram_manage_comments", "instagram_manage_messages"];

/// Where TikTok exchanges codes.
pub const TIKTOK_TOKENS: &str =
    "https://business-api.tiktok.com/open_api/v1.3/tt_user/oauth2/token/";

impl Provider {
    /// A platform's, by its sheet.
    ///
    /// # Errors
    /// [`NotSo`], in Swedish, with the other way.
    pub fn of(platform: PlatformKind) -> Result<Self, NotSo> {
        let provider = |authorize: &str, token: &str, scopes: &[&str], extra, client, kept| Self {
            authorize: fixed(authorize),
            token: fixed(token),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            extra,
            client,
            kept,
            how: How::Standard,
        };
        let of_meta = |more: &[&str], how| {
            let scopes = [super::facebook::RIGHTS, META_RIGHTS, more].concat();
            let (form, kept) = (ClientShown::Form, Kept::Access);
            Self { how, ..provider(META_CONSENT, META_TOKENS, &scopes, &[], form, kept) }
        };
        match platform {
            // Without both, Google gives no consent that can be renewed but the first time.
            PlatformKind::YouTube => Ok(provider(
                "https://accounts.google.com/o/oauth2/v2/auth",
                "https://oauth2.googleapis.com/token",
                super::youtube::RIGHTS,
                &[("access_type", "offline"), ("prompt", "consent")],
                ClientShown::Form,
                Kept::Refresh,
            )),
            PlatformKind::LinkedIn => Ok(provider(
                "https://www.linkedin.com/oauth/v2/authorization",
                "https://www.linkedin.com/oauth/v2/accessToken",
                &["r_organization_social_feed", "w_organization_social_feed"],
                &[],
                ClientShown::Form,
                // Only some partners are given one that can be renewed.
                Kept::Access,
            )),
            // † The address at which people agree is from memory.
            PlatformKind::X => Ok(provider(
                "https://x.com/i/oauth2/authorize",
                "https://api.x.com/2/oauth2/token",
                super::x::RIGHTS,
                &[],
                ClientShown::Basic,
                Kept::Refresh,
            )),
            PlatformKind::Reddit => Ok(provider(
                "https://www.reddit.com/api/v1/authorize",
                "https://www.reddit.com/api/v1/access_token",
                super::reddit::ALL_RIGHTS,
                &[("duration", "permanent")],
                ClientShown::Basic,
                Kept::Refresh,
            )),
            PlatformKind::TikTok => Err(NotSo(
                "TikTok skickar bara tillbaka till en https-adress utan port, så inloggningen kan inte tas emot på den här datorn. Låt portalen utfärda länken, ange den med --authorize-url, och klistra in adressen som webbläsaren hamnar på",
            )),
            PlatformKind::Facebook => Ok(of_meta(&[], How::Page)),
            PlatformKind::Instagram => Ok(of_meta(INSTAGRAM_RIGHTS, How::PageOfInstagram)),
            PlatformKind::WordPress
            | PlatformKind::Mastodon
            | PlatformKind::Bluesky
            // By its predecessor: `flickr`.
            | PlatformKind::Flickr
            | PlatformKind::Snapchat
            | PlatformKind::OwnSite
            | PlatformKind::Manual => Err(NotSo(
                "Plattformen ansluts inte med OAuth. README beskriver vad kontot behöver",
            )),
        }
    }
}

/// The app that asks.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret, where it has one.
    pub secret: Option<Secret>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Connected {
    /// What is to be kept.
    pub token: Secret,
    /// When that ends, where the platform told.
    pub ends: Option<Timestamp>,
    /// What it may do, where the platform told.
    pub scope: Option<String>,
    /// What was asked for and not given.
    pub lacks: Vec<String>,
    /// What else of it belongs in the account's settings: keys with their values.
    pub beside: Vec<(&'static str, String)>,
    /// What is secret beside the token, where there is such a thing: the key of the settings, and its value.
    pub second: Option<(&'static str, Secret)>,
}

/// It could not be connected. The texts are whole Swedish sentences.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// The port is taken or not to be had.
    #[error("ingen port kunde öppnas på den här datorn: välj en annan med --port")]
    Port(#[source] CannotStart),
    /// The addresses cannot be used.
    #[error("plattformens adresser kan inte användas")]
    Address(#[source] BadHttpSettings),
    /// Nobody agreed in time.
    #[error("ingen loggade in och godkände inom tio minuter: börja om")]
    TooLate,
    /// The person or the platform said no.
    #[error("plattformen godkände inte anslutningen ({code}): börja om, och godkänn rättigheterna")]
    Denied {
        /// The platform's code.
        code: String,
    },
    /// The code could not be exchanged.
    #[error("plattformen lämnade ingen nyckel: {}", .0.swedish())]
    Exchange(#[source] PlatformError),
    /// What was wanted is not among what it gave.
    #[error(
        "plattformen lämnade ingen nyckel som kan förnyas: ta bort Uppsikt bland de godkända apparna hos plattformen, och börja om"
    )]
    NotKept,
    /// The person works with several Pages, or not with that one.
    #[error("välj en sida med --page: {pages}")]
    WhichPage {
        /// Those that there are.
        pages: String,
    },
    /// No Instagram account is linked to the Page.
    #[error(
        "inget professionellt Instagramkonto är kopplat till sidan: koppla det i sidans inställningar och börja om"
    )]
    NoInstagram,
    /// What was pasted is not the address that the platform sent the person to.
    #[error(
        "det inklistrade är inte adressen som plattformen skickade webbläsaren till: kopiera hela adressen ur adressfältet, och börja om om den är äldre än tio minuter"
    )]
    Pasted,
    /// The machine gave no randomness.
    #[error("datorn gav inga slumptal")]
    Chance,
}

/// A connection that waits for a person.
#[derive(Debug)]
pub struct Waiting {
    provider: Provider,
    client: Client,
    verifier: Secret,
    redirect: String,
    address: Url,
    came: oneshot::Receiver<Result<Secret, String>>,
    server: Server,
}

/// What a platform sends back with the person.
fn taken(call: &Call, state: &str) -> Result<Result<Secret, String>, &'static str> {
    if call.method != Method::GET || call.uri.path() != "/" {
        return Err("Här finns inget.");
    }
    let query: BTreeMap<_, _> = call.query_by_name();
    let theirs = query.get("state").map_or("", String::as_str);
    if !bool::from(theirs.as_bytes().ct_eq(state.as_bytes())) {
        return Err("Svaret hör inte till den här anslutningen. Börja om från kommandot.");
    }
    match (query.get("code"), query.get("error")) {
        (Some(code), None) if !code.is_empty() => Ok(Ok(Secret::new(code.clone()))),
        (_, Some(error)) => {
            // A code of the protocol, and nothing that somebody might have put into the address.
            let is_code =
                error.len() <= 40 && error.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            Ok(Err(if is_code { error.clone() } else { "okänt fel".into() }))
        }
        (_, None) => Err("Svaret saknar kod. Börja om från kommandot."),
    }
}

fn page(status: StatusCode, text: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"sv\"><meta charset=\"utf-8\"><title>Uppsikt</title><p>{text}</p></html>"
    );
    // The address has the code in it: nobody is told of it, and it is not kept.
    let headers = [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'"),
    ];
    (status, headers, Html(html)).into_response()
}

/// 32 bytes by chance, as they stand in an address.
fn chance() -> Result<Secret, NotConnected> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| NotConnected::Chance)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// The challenge of a verifier (RFC 7636, section 4.2).
fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

/// Begins to wait for a person: port 0 takes a free one.
///
/// # Errors
/// [`NotConnected`].
pub async fn begin(provider: Provider, client: Client, port: u16) -> Result<Waiting, NotConnected> {
    let listen = SocketAddr::from(([127, 0, 0, 1], port));
    let port = Port::open(listen).await.map_err(NotConnected::Port)?;
    let (state, verifier) = (chance()?, chance()?);
    let redirect = format!("{}/", port.origin()).replace("127.0.0.1", provider.how.host());
    let mut address = provider.authorize.clone();
    address
        .query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &client.id)
        .append_pair("redirect_uri", &redirect)
        .append_pair("scope", &provider.scopes.join(provider.how.between()))
        .append_pair("state", state.expose())
        .append_pair("code_challenge", &challenge(&verifier))
        .append_pair("code_challenge_method", "S256")
        .extend_pairs(provider.extra);
    let (tell, came) = oneshot::channel();
    let tell = Arc::new(Mutex::new(Some(tell)));
    let server = port.serve(move |call| {
        let answer = match taken(&call, state.expose()) {
            Err(why) => page(StatusCode::BAD_REQUEST, why),
            // Good once: whoever comes second, with whatever, is told nothing.
            Ok(taken) => match held(&tell).take() {
                None => page(StatusCode::GONE, "Anslutningen är redan klar."),
                Some(tell) => {
                    let words = match &taken {
                        Ok(_) => "Klart. Stäng fliken och gå tillbaka till kommandot.",
                        Err(_) => "Anslutningen godkändes inte. Gå tillbaka till kommandot.",
                    };
                    // Nobody waits any more where the command was stopped.
                    drop(tell.send(taken));
                    page(StatusCode::OK, words)
                }
            },
        };
        async move { answer }
    });
    Ok(Waiting { provider, client, verifier, redirect, address, came, server })
}

#[derive(Deserialize)]
struct Told {
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

impl Waiting {
    /// What the person has to open in a browser.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// Where the platform sends them back: it has to be among the app's addresses there.
    pub fn redirect(&self) -> &str {
        &self.redirect
    }

    /// Waits for the person, and exchanges what they come back with.
    ///
    /// # Errors
    /// [`NotConnected`].
    pub async fn finish(
        self,
        settings: &HttpSettings,
        page: Option<&str>,
        clock: Clock,
    ) -> Result<Connected, NotConnected> {
        let Self { provider, client, verifier, redirect, came, server, .. } = self;
        let came = tokio::time::timeout(PATIENCE, came).await;
        let code = match came {
            Ok(Ok(Ok(code))) => code,
            Ok(Ok(Err(code))) => return Err(NotConnected::Denied { code }),
            Ok(Err(_)) | Err(_) => return Err(NotConnected::TooLate),
        };
        let mut secrets = vec![code.clone(), verifier.clone()];
        secrets.extend(client.secret.clone());
        let http =
            Http::new(&provider.token, settings, clock, secrets).map_err(NotConnected::Address)?;
        match provider.how {
            How::Standard => {}
            How::Page | How::PageOfInstagram => {
                // The person's page has been sent by now.
                drop(server);
                let came = meta::Came {
                    token: &provider.token,
                    code: &code,
                    redirect: &redirect,
                    verifier: &verifier,
                    page,
                    is_instagram: provider.how == How::PageOfInstagram,
                };
                return meta::connect(&http, &client, came).await;
            }
        }
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", verifier.expose()),
        ];
        let mut call = http.call(Method::POST, provider.token.clone());
        match (provider.client, &client.secret) {
            (ClientShown::Basic, Some(secret)) => {
                call = call.basic_auth(&client.id, Some(secret.expose()));
            }
            (ClientShown::Form, Some(secret)) => {
                form.extend([
                    ("client_id", client.id.as_str()),
                    ("client_secret", secret.expose()),
                ]);
            }
            (ClientShown::Form | ClientShown::Basic, None) => {
                form.push(("client_id", client.id.as_str()));
            }
        }
        let answer = http.send(call.form(&form)).await.map_err(NotConnected::Exchange)?;
        // The person's page has been sent by now.
        drop(server);
        if !answer.is_success() {
            let error = grant::refused(&answer, "client_id eller client_secret godtas inte");
            return Err(NotConnected::Exchange(error));
        }
        let told: Told = answer.object().map_err(NotConnected::Exchange)?;
        let (token, lives) = match provider.kept {
            Kept::Access => (Some(told.access_token), told.expires_in),
            Kept::Refresh => (told.refresh_token, told.refresh_token_expires_in),
        };
        let after = |seconds: u32| answer.at.checked_add(SignedDuration::from_secs(seconds.into()));
        let lacks = match &told.scope {
            None => Vec::new(),
            Some(scope) => {
                let has: Vec<_> = scope.split([' ', ',', '+']).collect();
                let has_it = |right: &String| has.contains(&right.as_str()) || has.contains(&"*");
                provider.scopes.into_iter().filter(|right| !has_it(right)).collect()
            }
        };
        Ok(Connected {
            token: Secret::new(token.ok_or(NotConnected::NotKept)?),
            ends: lives.and_then(|lives| after(lives).ok()),
            scope: told.scope,
            lacks,
            beside: Vec::new(),
            second: None,
        })
    }
}

#[cfg(test)]
mod tests;
