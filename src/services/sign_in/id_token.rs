//! Id tokens (OpenID Connect Core 1.0, section 3.1.3.7): JWS in compact form (RFC 7515), held against the provider's
//! published keys (RFC 7517).
//!
//! Only signatures by a public key are taken: `none` and everything with a shared key is refused before anything else
//! is looked at, and a key is never used with an algorithm of another kind.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far clocks may differ, in seconds.
const LEEWAY_S: f64 = 120.0;
/// Longest token, in bytes: one with some hundred groups has ten thousand.
const LONGEST: usize = 128 * 1024;
/// Groups that are read.
const MOST_GROUPS: usize = 1_000;

/// Why a token is not taken. None of the texts repeats what stood in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no signed token.
    #[error("the id token cannot be read")]
    Unreadable,
    /// Its algorithm is none that is taken.
    #[error("the id token is signed in a way that is not taken")]
    Algorithm,
    /// The provider has no such key.
    #[error("the id token names a key that the provider has not published")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the signature of the id token does not hold")]
    Signature,
    /// Somebody else issued it.
    #[error("the id token was issued by somebody else")]
    Issuer,
    /// It is for somebody else.
    #[error("the id token is for another client")]
    Audience,
    /// It is not good any more, or not yet.
    #[error("the id token is not good at this time; do the clocks agree?")]
    Time,
    /// It answers another log-in.
    #[error("the id token belongs to another log-in")]
    Nonce,
    /// It names nobody.
    #[error("the id token names nobody")]
    Nobody,
    /// The person is in more groups than fit, so the provider left all of them out.
    #[error(
        "the provider left the groups out since there are too many: let it send only those of the application"
    )]
    TooManyGroups,
}

/// The algorithms that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Ps256,
    Es256,
}

impl Algorithm {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A published key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// The one algorithm it is for, where the provider says so.
    only: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point of P-256.
    P256(Vec<u8>),
}

/// What a provider has published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

#[derive(Deserialize)]
struct RawKeys {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

fn decoded(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

/// A whole number without the zeros before it.
fn number(text: Option<&str>) -> Option<Vec<u8>> {
    let bytes = decoded(text)?;
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[start..].to_vec())
}

fn key(raw: &RawKey) -> Option<Key> {
    if raw.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let only = match raw.alg.as_deref() {
        None => None,
        // One for an algorithm that is not taken is of no use.
        Some(name) => Some(Algorithm::from_name(name)?),
    };
    let material = match (raw.kty.as_str(), raw.crv.as_deref()) {
        ("RSA", _) => Material::Rsa { n: number(raw.n.as_deref())?, e: number(raw.e.as_deref())? },
        ("EC", Some("P-256")) => {
            let (x, y) = (decoded(raw.x.as_deref())?, decoded(raw.y.as_deref())?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            Material::P256([vec![4], x, y].concat())
        }
        _ => return None,
    };
    Some(Key { id: raw.kid.clone(), only, material })
}

impl Keys {
    /// Reads a key set; keys that are of no use here are left out.
    pub fn read(json: &[u8]) -> Option<Self> {
        let raw: RawKeys = serde_json::from_slice(json).ok()?;
        let keys = raw.keys.into_iter().filter_map(|raw| key(&serde_json::from_value(raw).ok()?));
        Some(Self(keys.collect()))
    }

    /// The keys that may have made a signature.
    fn of<'k>(&'k self, id: Option<&'k str>) -> impl Iterator<Item = &'k Key> {
        let named = move |key: &&Key| id.is_none() || key.id.as_deref() == id;
        self.0.iter().filter(named)
    }
}

fn holds(key: &Key, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
    if key.only.is_some_and(|only| only != algorithm) {
        return false;
    }
    match (&key.material, algorithm) {
        (Material::Rsa { n, e }, Algorithm::Rs256 | Algorithm::Ps256) => {
            let parameters = match algorithm {
                Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                Algorithm::Rs256 | Algorithm::Es256 => &RSA_PKCS1_2048_8192_SHA256,
            };
            let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters);
            key.is_ok_and(|key| key.verify_sig(signed, signature).is_ok())
        }
        (Material::P256(point), Algorithm::Es256) => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed, signature)
                .is_ok()
        }
        (Material::Rsa { .. }, Algorithm::Es256)
        | (Material::P256(_), Algorithm::Rs256 | Algorithm::Ps256) => false,
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that have to be understood: none are.
    #[serde(default)]
    crit: Option<Value>,
}

/// What a token has to say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e> {
    /// Who issues.
    pub issuer: &'e str,
    /// For whom.
    pub client: &'e str,
    /// Of which log-in.
    pub nonce: &'e str,
    /// When it is read.
    pub now: Timestamp,
    /// The claim that groups stand in.
    pub groups_claim: &'e str,
}

/// What a token says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What the provider calls them, for good.
    pub subject: String,
    /// What they log in as.
    pub login: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    claims.get(name)?.as_str().map(str::to_owned)
}

/// Reads a token: the signature first, then what it says.
///
/// # Errors
/// [`Refusal`].
pub fn read(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Said, Refusal> {
    if token.len() > LONGEST {
        return Err(Refusal::Unreadable);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Unreadable)?;
    let (head, body) = signed.split_once('.').ok_or(Refusal::Unreadable)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Unreadable);
    let header: Header = serde_json::from_slice(&decode(head)?).map_err(|_| Refusal::Unreadable)?;
    if header.crit.is_some() {
        return Err(Refusal::Algorithm);
    }
    let algorithm = Algorithm::from_name(&header.alg).ok_or(Refusal::Algorithm)?;
    let signature = decode(signature)?;
    let mut candidates = keys.of(header.kid.as_deref()).peekable();
    if candidates.peek().is_none() {
        return Err(Refusal::UnknownKey);
    }
    if !candidates.any(|key| holds(key, algorithm, signed.as_bytes(), &signature)) {
        return Err(Refusal::Signature);
    }
    let claims: Map<String, Value> =
        serde_json::from_slice(&decode(body)?).map_err(|_| Refusal::Unreadable)?;
    said(&claims, expected)
}

fn said(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<Said, Refusal> {
    if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
        return Err(Refusal::Issuer);
    }
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return Err(Refusal::Audience),
    };
    let party = claims.get("azp").map(|azp| azp.as_str() == Some(expected.client));
    // With others beside, the provider has to say that it was asked by us.
    let ours = audience.contains(&expected.client) && party.unwrap_or(audience.len() == 1);
    if !ours {
        return Err(Refusal::Audience);
    }
    let second = |name| claims.get(name).and_then(Value::as_f64);
    let now = expected.now.as_second() as f64;
    let ends = second("exp").ok_or(Refusal::Time)?;
    let made = second("iat").ok_or(Refusal::Time)?;
    let begins = match claims.get("nbf") {
        None => made,
        Some(begins) => begins.as_f64().ok_or(Refusal::Time)?,
    };
    if ends + LEEWAY_S <= now || made - LEEWAY_S > now || begins - LEEWAY_S > now {
        return Err(Refusal::Time);
    }
    let nonce = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
    verify_slices_are_equal(nonce.as_bytes(), expected.nonce.as_bytes())
        .map_err(|_| Refusal::Nonce)?;
    let subject = text(claims, "sub").filter(|sub| !sub.is_empty()).ok_or(Refusal::Nobody)?;
    let groups = match claims.get(expected.groups_claim) {
        Some(Value::Array(groups)) => {
            let names = groups.iter().filter_map(Value::as_str).take(MOST_GROUPS);
            names.map(str::to_owned).collect()
        }
        Some(Value::String(one)) => vec![one.clone()],
        // Entra ID leaves them out beyond 200 and tells where they could be asked for.
        _ if claims
            .get("_claim_names")
            .is_some_and(|elsewhere| elsewhere.get(expected.groups_claim).is_some()) =>
        {
            return Err(Refusal::TooManyGroups);
        }
        _ => Vec::new(),
    };
    Ok(Said {
        subject,
        login: text(claims, "preferred_username"),
        name: text(claims, "name"),
        groups,
    })
}

#[cfg(test)]
pub(super) mod tests;
