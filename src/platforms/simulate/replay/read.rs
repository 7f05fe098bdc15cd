//! HAR and cassettes → recorded calls.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::yaml::{self, BINARY};
use super::{LEFT_OUT, Question, Recorded, Recording};

/// The recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadRecording {
    /// Neither JSON nor YAML.
    #[error("the recording is no JSON and no YAML that is understood: {0}")]
    Unreadable(String),
    /// Of another shape.
    #[error("the recording is neither HAR nor a cassette of VCR: {0}")]
    Shape(String),
    /// One call is damaged.
    #[error("call {n} of the recording: {what}")]
    Call {
        /// Which, from 1.
        n: usize,
        /// What is wrong.
        what: String,
    },
    /// It holds no call.
    #[error("the recording holds no calls")]
    Empty,
}

#[derive(Deserialize)]
struct Har {
    log: HarLog,
}

#[derive(Deserialize)]
struct HarLog {
    entries: Vec<HarEntry>,
}

#[derive(Deserialize)]
struct HarEntry {
    request: HarRequest,
    response: HarResponse,
}

#[derive(Deserialize)]
struct HarRequest {
    method: String,
    url: String,
}

#[derive(Deserialize)]
struct HarResponse {
    status: u16,
    #[serde(default)]
    headers: Vec<HarHeader>,
    #[serde(default)]
    content: HarContent,
}

#[derive(Deserialize)]
struct HarHeader {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
struct HarContent {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
}

/// Of vcrpy (`interactions`) and of VCR (`http_interactions`).
#[derive(Deserialize)]
struct Cassette {
    #[serde(alias = "http_interactions")]
    interactions: Vec<Interaction>,
}

#[derive(Deserialize)]
struct Interaction {
    request: CassetteRequest,
    response: CassetteResponse,
}

#[derive(Deserialize)]
struct CassetteRequest {
    method: String,
    uri: String,
}

#[derive(Deserialize)]
struct CassetteResponse {
    status: Status,
    #[serde(default)]
    headers: Option<BTreeMap<String, OneOrMore>>,
    #[serde(default)]
    body: Option<Body>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    Number(u16),
    Of { code: u16 },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    More(Vec<Value>),
    One(Value),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Text(String),
    Of {
        #[serde(default)]
        string: Option<Value>,
        #[serde(default)]
        base64_string: Option<String>,
    },
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn unpacked(packed: &str) -> Result<Vec<u8>, String> {
    let packed: String = packed.split_whitespace().collect();
    STANDARD.decode(packed).map_err(|_| "a body that is no base64".to_owned())
}

impl Body {
    fn bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Of { base64_string: Some(packed), .. } => unpacked(&packed),
            Self::Of { string: None | Some(Value::Null), .. } => Ok(Vec::new()),
            Self::Of { string: Some(Value::Object(map)), .. } => {
                match map.get(BINARY).and_then(Value::as_str) {
                    Some(packed) => unpacked(packed),
                    None => Err("a body of an unknown form".into()),
                }
            }
            Self::Of { string: Some(value), .. } => Ok(text(value).into_bytes()),
        }
    }
}

/// As it is read from either.
struct Raw {
    method: String,
    url: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: Result<Vec<u8>, String>,
}

impl From<HarEntry> for Raw {
    fn from(HarEntry { request, response }: HarEntry) -> Self {
        let HarContent { text, encoding } = response.content;
        let text = text.unwrap_or_default();
        let body = match encoding.as_deref() {
            Some("base64") => unpacked(&text),
            Some(_) | None => Ok(text.into_bytes()),
        };
        let headers = response.headers.into_iter().map(|HarHeader { name, value }| (name, value));
        // Bodies stand there unpacked, whatever the header says.
        let headers = headers.filter(|(name, _)| !name.eq_ignore_ascii_case("content-encoding"));
        let (method, url, status) = (request.method, request.url, response.status);
        Self { method, url, status, headers: headers.collect(), body }
    }
}

impl From<Interaction> for Raw {
    fn from(Interaction { request, response }: Interaction) -> Self {
        let headers = response.headers.unwrap_or_default().into_iter();
        let headers = headers.map(|(name, value)| {
            let value = match value {
                OneOrMore::One(value) => text(value),
                OneOrMore::More(all) => all.into_iter().map(text).collect::<Vec<_>>().join(", "),
            };
            (name, value)
        });
        let status = match response.status {
            Status::Number(code) | Status::Of { code } => code,
        };
        let body = response.body.map_or_else(|| Ok(Vec::new()), Body::bytes);
        let (method, url) = (request.method, request.uri);
        Self { method, url, status, headers: headers.collect(), body }
    }
}

pub fn read(text: &str) -> Result<Recording, BadRecording> {
    let shape = |error: serde_json::Error| BadRecording::Shape(error.to_string());
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let raw: Vec<Raw> = if is_json {
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| BadRecording::Unreadable(error.to_string()))?;
        // A cassette may be JSON too.
        if value.get("log").is_some() {
            let har: Har = serde_json::from_value(value).map_err(shape)?;
            har.log.entries.into_iter().map(Raw::from).collect()
        } else {
            let cassette: Cassette = serde_json::from_value(value).map_err(shape)?;
            cassette.interactions.into_iter().map(Raw::from).collect()
        }
    } else {
        let value = yaml::read(text).map_err(BadRecording::Unreadable)?;
        let cassette: Cassette = serde_json::from_value(value).map_err(shape)?;
        cassette.interactions.into_iter().map(Raw::from).collect()
    };
    let (mut exchanges, mut hosts) = (Vec::with_capacity(raw.len()), BTreeSet::new());
    for (at, raw) in raw.into_iter().enumerate() {
        let bad = |what: String| BadRecording::Call { n: at + 1, what };
        let url = Url::parse(&raw.url).map_err(|_| bad("an address that is none".into()))?;
        if let Some(host) = url.host_str() {
            let port = url.port().map_or(String::new(), |port| format!(":{port}"));
            hosts.insert(format!("{host}{port}"));
        }
        let headers =
            raw.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        exchanges.push(Recorded {
            question: Question::new(&raw.method, url.path(), url.query().unwrap_or_default()),
            status: raw.status,
            headers: headers.filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())).collect(),
            body: raw.body.map_err(bad)?,
        });
    }
    if exchanges.is_empty() {
        return Err(BadRecording::Empty);
    }
    Ok(Recording { exchanges, hosts })
}
