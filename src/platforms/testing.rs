//! What the connectors' own tests share: times, answers out of thin air, and small fakes of
//! platforms that can be told to misbehave.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::domain::ids::PlatformItemId;
use crate::platforms::Platform;
use crate::platforms::conformance::World;
use crate::platforms::error::PlatformError;
use crate::platforms::http::Answer;
use crate::platforms::simulate::server::{Call, Port, Server};
use crate::runtime::clock::TestClock;

/// The time at which most tests play.
pub const NOW: &str = "2026-11-21T12:00:00Z";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn item_id(number: u64) -> PlatformItemId {
    PlatformItemId::new(number.to_string())
}

pub fn number(id: &PlatformItemId) -> u64 {
    id.as_str().parse().unwrap()
}

/// An answer to a writing call.
pub fn answer(status: u16, body: &str, headers: &[(&str, &str)]) -> Answer {
    let pair = |(name, value): &(&str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    let headers: HeaderMap = headers.iter().map(pair).collect();
    Answer { status, headers, body: body.into(), at: at(NOW), was_write: true }
}

/// One line of a table of errors: class, whether the call may have acted, and how long to wait.
pub fn line(name: &str, error: &PlatformError) -> String {
    let wait = error.retry_at().map_or("-".into(), |at| at.to_string());
    format!("{name}: {} acted={} {wait}\n", error.class(), error.may_have_acted())
}

/// Fetches from scratch while calls fail: nothing is lost.
pub async fn random_faults_lose_nothing(
    platform: &dyn Platform,
    world: &dyn World,
    clock: &TestClock,
) {
    let (mut cursor, mut walk) = (None, None);
    let mut seen = BTreeMap::new();
    for _ in 0..500 {
        match platform.fetch(cursor.as_ref(), walk.as_ref()).await {
            Ok(batch) => {
                seen.extend(batch.items.into_iter().map(|i| (i.platform_id, Some(i.text))));
                cursor = batch.next.or(cursor);
                walk = batch.walk;
                if walk.is_none() {
                    break;
                }
            }
            // As intake does: what went wrong drops the walk, and time passes.
            Err(_) => {
                walk = None;
                clock.advance(SignedDuration::from_secs(61));
            }
        }
    }
    assert_eq!(seen, world.truth().await);
}

/// What a fake platform does with a call.
pub trait Fakes: Send + 'static {
    fn answer(&mut self, call: &Call) -> Response;
}

#[derive(Default)]
struct Script {
    /// Answers instead of everything else, in turn.
    instead: VecDeque<(u16, Vec<u8>)>,
    calls: Vec<String>,
}

/// A small fake on loopback.
pub struct Fake<W> {
    world: Arc<Mutex<W>>,
    script: Arc<Mutex<Script>>,
    server: Server,
}

impl<W: Fakes> Fake<W> {
    pub async fn start(world: W) -> Self {
        let world = Arc::new(Mutex::new(world));
        let script = Arc::<Mutex<Script>>::default();
        let port = Port::open(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (answering, told) = (Arc::clone(&world), Arc::clone(&script));
        let server = port.serve(move |call| {
            let instead = {
                let mut script = told.lock().unwrap();
                script.calls.push(format!("{} {}", call.method, call.uri));
                script.instead.pop_front()
            };
            let answer = match instead {
                Some((status, body)) => {
                    (StatusCode::from_u16(status).unwrap(), body).into_response()
                }
                None => answering.lock().unwrap().answer(&call),
            };
            async { answer }
        });
        Self { world, script, server }
    }

    pub fn base(&self) -> &Url {
        self.server.base()
    }

    pub fn world(&self) -> MutexGuard<'_, W> {
        self.world.lock().unwrap()
    }

    /// What the next calls are answered with, whatever they ask.
    pub fn instead(&self, status: u16, body: impl Into<Vec<u8>>, times: usize) {
        let answers = std::iter::repeat_n((status, body.into()), times);
        self.script.lock().unwrap().instead.extend(answers);
    }

    /// Method, path and query of every call so far.
    pub fn calls(&self) -> Vec<String> {
        self.script.lock().unwrap().calls.clone()
    }
}

/// A JSON answer.
pub fn told(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

pub fn ok(body: &Value) -> Response {
    told(200, body)
}
