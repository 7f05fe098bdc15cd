//! Pushes of the platforms that offer them: Meta, LinkedIn, X and TikTok (`platforms` sheet, sections 1.8 and 17.5). Each
//! proves itself by an HMAC over the raw body under the app's secret, compared in constant time, and tells
//! nothing but where to look: what is told comes from the platform's own answer.
//!
//! One address serves one app, whose pushes may concern any of its accounts: those with the same secret.

mod linkedin;
pub mod mentions;
mod meta;
mod tiktok;
mod x;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::domain::account::PlatformKind;
use crate::domain::ids::ContentHash;
use crate::domain::item::Unreadable;
use crate::platforms::limit::fingerprint;
use crate::platforms::push::{Callback, Push, PushRefused, PushRequest, PushSource};
use crate::runtime::secret::Secret;

/// Largest body: Meta sends a thousand changes at once.
const MOST_BYTES: usize = 4 << 20;

/// The longest word that is sent back to a platform that asks whether the address is ours.
const MOST_CHALLENGE: usize = 256;

/// How an app's pushes are known.
#[derive(Clone, Debug)]
pub struct HookSettings {
    /// Which platform.
    pub kind: PlatformKind,
    /// The platform's identity of the account.
    pub account: String,
    /// What pushes are signed with: the app's secret.
    pub secret: Secret,
    /// What Meta shows when it asks whether the address is ours.
    pub verify: Option<Secret>,
    /// Where the platform is to push, where it can be asked for that.
    pub callback: Option<Callback>,
}

/// The pushes that reach the address of one account.
#[derive(Clone, Debug)]
pub struct Hook(HookSettings);

impl Hook {
    /// Pushes of a platform that has them; nothing for the others.
    pub fn new(settings: HookSettings) -> Option<Self> {
        match settings.kind {
            PlatformKind::Facebook
            | PlatformKind::Instagram
            | PlatformKind::LinkedIn
            | PlatformKind::X
            | PlatformKind::TikTok => Some(Self(settings)),
            PlatformKind::YouTube
            | PlatformKind::Reddit
            | PlatformKind::WordPress
            | PlatformKind::Mastodon
            | PlatformKind::Bluesky
            | PlatformKind::Flickr
            | PlatformKind::Snapchat
            | PlatformKind::OwnSite
            | PlatformKind::Manual => None,
        }
    }

    fn mac(&self, signed: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.secret.expose().as_bytes())
            .expect("HMAC takes keys of any length");
        signed.iter().for_each(|part| mac.update(part));
        mac
    }

    /// The header's signature over the body. An empty secret signs nothing.
    fn verify(&self, request: PushRequest<'_>, now: Timestamp) -> Result<(), PushRefused> {
        let told = match self.0.kind {
            PlatformKind::X => x::signature(request)?,
            PlatformKind::TikTok => tiktok::signature(request, now)?,
            PlatformKind::LinkedIn => linkedin::signature(request)?,
            _ => meta::signature(request)?,
        };
        let mac = match (&told.time, self.0.kind) {
            (Some(time), _) => self.mac(&[time.as_bytes(), b".", request.body]),
            // So that no answer to its question is the signature of a body.
            (None, PlatformKind::LinkedIn) => self.mac(&[linkedin::BEFORE, request.body]),
            (None, _) => self.mac(&[request.body]),
        };
        let is_ours = mac.verify_slice(&told.digest).is_ok();
        if is_ours && !self.0.secret.expose().is_empty() {
            Ok(())
        } else {
            Err(PushRefused::WrongSignature)
        }
    }
}

/// A signature as a header tells it.
struct Told {
    digest: [u8; 32],
    /// What stands before the body in what was signed.
    time: Option<String>,
}

fn malformed<T>(problem: &'static str) -> Result<T, PushRefused> {
    Err(PushRefused::NoSignature { problem })
}

/// An id, which may come as text or as a number of any length.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text.len() <= 200 => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// What could not be read, as it came.
fn unreadable(platform: PlatformKind, place: String, raw: &Value) -> Unreadable {
    Unreadable {
        place,
        problem: format!("svarar inte mot det som {} skickar", platform.label()),
        raw: raw.to_string().into_bytes(),
    }
}

impl PushSource for Hook {
    fn kind(&self) -> PlatformKind {
        self.0.kind
    }

    fn account(&self) -> Option<&str> {
        Some(&self.0.account)
    }

    fn app(&self) -> Option<String> {
        Some(fingerprint(&self.0.secret))
    }

    fn callback(&self) -> Option<&Callback> {
        self.0.callback.as_ref()
    }

    fn delivery(&self, request: PushRequest<'_>) -> Option<String> {
        // The platforms give none: what was signed is what was delivered.
        Some(self.signed(request).to_hex())
    }

    fn handshake(&self, query: &[(&str, &str)]) -> Option<String> {
        let field = |name: &str| query.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        // Nothing that could be a body, or a page: X has the word signed as it signs bodies.
        let is_word = |text: &&str| {
            (1..=MOST_CHALLENGE).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=+/.".contains(&b))
        };
        match self.0.kind {
            PlatformKind::Facebook | PlatformKind::Instagram => {
                let ours = self.0.verify.as_ref().filter(|ours| !ours.expose().is_empty())?;
                let theirs = field("hub.verify_token")?;
                let is_ours = bool::from(theirs.as_bytes().ct_eq(ours.expose().as_bytes()));
                let asks = field("hub.mode") == Some("subscribe");
                let challenge = field("hub.challenge").filter(is_word)?;
                (is_ours && asks).then(|| challenge.to_owned())
            }
            PlatformKind::X => {
                let token = field("crc_token").filter(is_word)?;
                (!self.0.secret.expose().is_empty()).then(|| x::response(self, token))
            }
            PlatformKind::LinkedIn => {
                let code = field("challengeCode").filter(is_word)?;
                (!self.0.secret.expose().is_empty()).then(|| linkedin::response(self, code))
            }
            // TikTok asks nothing.
            _ => None,
        }
    }

    fn receive(&self, request: PushRequest<'_>, now: Timestamp) -> Result<Push, PushRefused> {
        self.verify(request, now)?;
        if request.body.len() > MOST_BYTES {
            let problem = format!("more than {MOST_BYTES} bytes");
            return Err(PushRefused::Shape { problem });
        }
        let body: Value = serde_json::from_slice(request.body)
            .map_err(|_| PushRefused::Shape { problem: "the body is not JSON".into() })?;
        match self.0.kind {
            PlatformKind::X => x::read(&body),
            PlatformKind::TikTok => tiktok::read(&body),
            PlatformKind::LinkedIn => linkedin::read(&body),
            _ => meta::read(&body),
        }
    }

    fn signed(&self, request: PushRequest<'_>) -> ContentHash {
        let time = match self.0.kind {
            PlatformKind::TikTok => tiktok::time(request).unwrap_or_default(),
            _ => "",
        };
        let mut bytes = time.as_bytes().to_vec();
        bytes.push(b'.');
        bytes.extend_from_slice(request.body);
        ContentHash::of(&bytes)
    }
}

#[cfg(test)]
mod tests;
