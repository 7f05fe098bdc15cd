//! Recorded calls over HTTP, played back to a connector: HAR 1.2 (as browsers and proxies save it) and the
//! cassettes of VCR (Ruby) and vcrpy (Python).
//!
//! A call is answered by the recording that has its method, path and query; whatever opens something is left
//! out of the comparison, on both sides, and so is the host. Of several recordings of one call each is played
//! once, in their order, and the last one stays. A call that was not recorded is told, with the one that is
//! nearest to it, and answered with 501.

pub mod read;
mod yaml;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use url::Url;

use crate::platforms::held;
use crate::platforms::simulate::LABEL;
use crate::platforms::simulate::server::{Call, CannotStart, Port, Server};

use read::BadRecording;

/// Names in a query that open something: their values differ from one who calls to another.
const SECRETS: &[&str] = &[
    "access_token",
    "api_key",
    "appsecret_proof",
    "client_id",
    "client_secret",
    "code",
    "fb_exchange_token",
    "input_token",
    "key",
    "oauth_consumer_key",
    "oauth_nonce",
    "oauth_signature",
    "oauth_timestamp",
    "oauth_token",
    "refresh_token",
    "state",
    "token",
];

/// Headers that belong to the connection that was recorded, or open something.
const LEFT_OUT: &[&str] = &[
    "alt-svc",
    "authorization",
    "connection",
    "content-length",
    "keep-alive",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
];

/// What a call is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    method: String,
    path: String,
    /// Names and values, sorted, without what opens something.
    query: Vec<(String, String)>,
}

impl Question {
    fn new(method: &str, path: &str, query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        let is_open = |name: &str| !SECRETS.contains(&name.to_ascii_lowercase().as_str());
        let mut query: Vec<_> = pairs.filter(|(name, _)| is_open(name)).collect();
        query.sort_unstable();
        Self { method: method.to_ascii_uppercase(), path: path.to_owned(), query }
    }

    /// How much two have in common: the more the nearer.
    fn likeness(&self, other: &Self) -> usize {
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (ours, theirs) = (segments(&self.path), segments(&other.path));
        let path = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count() * 4;
        let whole = if self.path == other.path { 100 } else { 0 };
        let query = self.query.iter().filter(|pair| other.query.contains(pair)).count() * 2;
        whole + path + query + usize::from(self.method == other.method)
    }

    fn line(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(&self.query).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{query}", self.method, self.path)
    }
}

/// One recorded call with its answer.
#[derive(Clone, Debug)]
struct Recorded {
    question: Question,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Calls and answers, in the order in which they were recorded.
#[derive(Clone, Debug)]
pub struct Recording {
    exchanges: Vec<Recorded>,
    /// The hosts that were called.
    hosts: BTreeSet<String>,
}

/// A call that was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The call, without what opens something.
    pub call: String,
    /// The recorded one that is nearest to it.
    pub nearest: Option<String>,
}

#[derive(Debug)]
struct State {
    exchanges: Vec<Recorded>,
    /// Which have been played.
    played: Vec<bool>,
    unmatched: Vec<Unmatched>,
}

impl State {
    /// The recording for a call: the first that has not been played, else the last.
    fn answer(&mut self, question: &Question) -> Result<Recorded, Unmatched> {
        let fits = |at: &usize| self.exchanges[*at].question == *question;
        let all: Vec<usize> = (0..self.exchanges.len()).filter(fits).collect();
        let next = all.iter().find(|at| !self.played[**at]).or(all.last());
        if let Some(at) = next {
            self.played[*at] = true;
            return Ok(self.exchanges[*at].clone());
        }
        let nearest = self.exchanges.iter().max_by_key(|known| question.likeness(&known.question));
        let unmatched = Unmatched {
            call: question.line(),
            nearest: nearest.map(|known| known.question.line()),
        };
        self.unmatched.push(unmatched.clone());
        Err(unmatched)
    }
}

/// A recording that is being played back; ends when dropped.
#[derive(Debug)]
pub struct Replay {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Recording {
    /// Reads HAR or a cassette.
    ///
    /// # Errors
    /// [`BadRecording`], with where it stands.
    pub fn read(text: &str) -> Result<Self, BadRecording> {
        read::read(text)
    }

    /// How many calls it holds.
    pub fn n_calls(&self) -> usize {
        self.exchanges.len()
    }

    /// Which hosts were called.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// Plays it back on loopback.
    ///
    /// # Errors
    /// [`CannotStart`].
    pub async fn play(self, listen: SocketAddr) -> Result<Replay, CannotStart> {
        let port = Port::open(listen).await?;
        let played = vec![false; self.exchanges.len()];
        let state = State { exchanges: self.exchanges, played, unmatched: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let (shared, origin, hosts) = (Arc::clone(&state), port.origin(), self.hosts);
        let server = port.serve(move |call| {
            let answer = answer(&shared, &call, &origin, &hosts);
            async move { answer }
        });
        Ok(Replay { server, state })
    }
}

fn answer(state: &Mutex<State>, call: &Call, origin: &str, hosts: &BTreeSet<String>) -> Response {
    let query = call.uri.query().unwrap_or_default();
    let question = Question::new(call.method.as_str(), call.uri.path(), query);
    let found = held(state).answer(&question);
    let mut response = match found {
        Ok(recorded) => {
            let status = StatusCode::from_u16(recorded.status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut response = (status, recorded.body).into_response();
            for (name, value) in &recorded.headers {
                // Where the next page is: there it is asked for.
                let value = match name.as_str() {
                    "link" | "location" => hosts.iter().fold(value.clone(), |value, host| {
                        value
                            .replace(&format!("https://{host}"), origin)
                            .replace(&format!("http://{host}"), origin)
                    }),
                    _ => value.clone(),
                };
                let (name, value) =
                    (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value));
                if let (Ok(name), Ok(value)) = (name, value) {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Err(Unmatched { call, nearest }) => {
            tracing::warn!(call, nearest, "a call that was not recorded");
            let told = json!({"error": "not recorded", "call": call, "nearest": nearest});
            (StatusCode::NOT_IMPLEMENTED, axum::Json(told)).into_response()
        }
    };
    response
        .headers_mut()
        .insert(HeaderName::from_static(LABEL), HeaderValue::from_static("replay"));
    response
}

impl Replay {
    /// Where it answers.
    pub fn base(&self) -> &Url {
        self.server.base()
    }

    /// Calls that were not recorded, so far.
    pub fn unmatched(&self) -> Vec<Unmatched> {
        held(&self.state).unmatched.clone()
    }

    /// Recorded calls that nobody has made, so far.
    pub fn unplayed(&self) -> Vec<String> {
        let state = held(&self.state);
        let unplayed = state.exchanges.iter().zip(&state.played).filter(|(_, played)| !**played);
        unplayed.map(|(known, _)| known.question.line()).collect()
    }
}

#[cfg(test)]
mod tests;
