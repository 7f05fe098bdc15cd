//! What the connectors' own tests share: times, answers out of thin air, and small fakes of
//! platforms that can be told to misbehave.

mod contract;
pub mod meta;
pub mod published;
pub mod stage;
mod unverified;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::domain::ids::{AccountKey, Cursor, PlatformItemId};
use crate::domain::item::{FetchedItem, LiveReading, Presence, Walk};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::Platform;
use crate::platforms::conformance::World;
use crate::platforms::error::PlatformError;
use crate::platforms::http::Answer;
use crate::platforms::limit::{Limited, Limits, Pace};
use crate::platforms::push::Callback;
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::server::{Call, Exchange, Front, Port, Server};
use crate::runtime::clock::TestClock;
use crate::runtime::secret::Secret;

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

/// Fetches from scratch while calls fail: nothing is lost. What a walk tells that it had to pass over
/// comes with a later one.
pub async fn random_faults_lose_nothing(
    platform: &dyn Platform,
    world: &dyn World,
    clock: &TestClock,
) {
    let (mut cursor, mut walk) = (None, None);
    let mut seen = BTreeMap::new();
    let mut passed_over = false;
    for _ in 0..500 {
        match platform.fetch(cursor.as_ref(), walk.as_ref()).await {
            Ok(batch) => {
                seen.extend(batch.items.into_iter().map(|i| (i.platform_id, Some(i.text))));
                cursor = batch.next.or(cursor);
                walk = batch.walk;
                passed_over |= batch.gap.is_some();
                if walk.is_none() && !std::mem::take(&mut passed_over) {
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

    /// The time there, where silence that was asked for is to be kept.
    fn now(&self) -> Option<Timestamp> {
        None
    }
}

#[derive(Default)]
struct Script {
    /// Answers instead of everything else, in turn.
    instead: VecDeque<(u16, Vec<u8>)>,
    calls: Vec<String>,
    /// Whole exchanges, where somebody wants them.
    exchanges: Option<Vec<Exchange>>,
    /// When calls may come again after the last that was too many, and how many came before.
    silent_until: Option<Timestamp>,
    disobeyed: usize,
}

/// How long a fake asks for silence, in seconds.
const SILENCE_S: i64 = 90;

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
            let told = Arc::clone(&told);
            let now = answering.lock().unwrap().now();
            let instead = {
                let mut script = told.lock().unwrap();
                script.calls.push(format!("{} {}", call.method, call.uri));
                if now.zip(script.silent_until).is_some_and(|(now, until)| now < until) {
                    script.disobeyed += 1;
                }
                let instead = script.instead.pop_front();
                if instead.as_ref().is_some_and(|(status, _)| *status == 429) {
                    script.silent_until = now.map(|now| now + SignedDuration::from_secs(SILENCE_S));
                }
                instead
            };
            let answer = match instead {
                Some((429, body)) => {
                    let wait = HeaderValue::from(SILENCE_S);
                    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait)], body)
                        .into_response()
                }
                Some((status, body)) => {
                    (StatusCode::from_u16(status).unwrap(), body).into_response()
                }
                None => answering.lock().unwrap().answer(&call),
            };
            async move {
                if told.lock().unwrap().exchanges.is_none() {
                    return answer;
                }
                let (head, body) = answer.into_parts();
                let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let exchange = Exchange {
                    method: call.method.to_string(),
                    uri: call.uri.to_string(),
                    body: call.body.to_vec(),
                    answer: String::from_utf8_lossy(&bytes).into_owned(),
                };
                told.lock().unwrap().exchanges.get_or_insert_default().push(exchange);
                Response::from_parts(head, bytes.into())
            }
        });
        Self { world, script, server }
    }

    /// From now on whole exchanges are kept.
    pub fn record(&self) {
        self.script.lock().unwrap().exchanges.get_or_insert_default();
    }

    /// Those since then.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.script.lock().unwrap().exchanges.clone().unwrap_or_default()
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

impl<W> Fake<W> {
    /// Nothing but the world answers any more.
    fn calm(&self) {
        self.script.lock().unwrap().instead.clear();
    }
}

/// Where a platform is to push, with all that any of them is told.
pub fn callback() -> Callback {
    Callback {
        url: "https://uppsikt.exempelstad.example/api/v1/intake/kontot".parse().unwrap(),
        secret: Secret::new("appens-hemlighet"),
        app: Some("4711".into()),
        person: Some("aBcDeF1234".into()),
        token: Some(Secret::new(crate::platforms::simulate::x::Simulator::APP_TOKEN)),
    }
}

/// What goes wrong around a platform, and what it saw of us.
pub trait Weather: Sync {
    /// Something goes wrong with the next call or some more.
    fn strike(&self, n: u8);
    /// Nothing goes wrong any more.
    fn clear_up(&self);
    /// Calls that came while the platform had asked to be left alone.
    fn disobeyed(&self) -> usize;
}

impl Weather for Front {
    fn strike(&self, n: u8) {
        let menu: Vec<_> = Fault::MENU
            .iter()
            .map(|(_, fault)| *fault)
            // Waiting for nothing takes time, and whoever has run out of consent is asked no more.
            .filter(|fault| {
                !matches!(fault, Fault::Slow(_) | Fault::ExpiredToken | Fault::Late { .. })
            })
            .chain([Fault::ClockSkew { seconds: -90 }, Fault::ClockSkew { seconds: 0 }])
            .collect();
        self.fail_next(menu[usize::from(n) % menu.len()], 1 + usize::from(n) % 3);
    }

    fn clear_up(&self) {
        self.calm();
    }

    fn disobeyed(&self) -> usize {
        Self::disobeyed(self)
    }
}

impl<W: Fakes> Weather for Fake<W> {
    fn strike(&self, n: u8) {
        let answers: [(u16, &str); 5] =
            [(500, "{}"), (429, "{}"), (502, "<html>"), (200, "[{\"id\":"), (503, "")];
        let (status, body) = answers[usize::from(n) % answers.len()];
        self.instead(status, body, 1 + usize::from(n) % 2);
    }

    fn clear_up(&self) {
        self.calm();
    }

    fn disobeyed(&self) -> usize {
        self.script.lock().unwrap().disobeyed
    }
}

/// What happens, in which order: drawn anew for each run.
#[derive(Debug)]
pub struct Storm(Vec<(u8, u8)>);

/// Runs a storm so many times, with what happens drawn by proptest: what fails is shown at its
/// smallest.
pub fn weathered(cases: u32, run: impl AsyncFn(&Storm)) {
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let events = proptest::collection::vec((0_u8..16, any::<u8>()), 20..90);
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&events, |events| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let storm = Storm(events);
        let run = std::panic::AssertUnwindSafe(|| runtime.block_on(run(&storm)));
        std::panic::catch_unwind(run).map_err(|_| TestCaseError::fail("see the panic above"))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// What a store keeps.
#[derive(Default)]
struct Kept {
    items: BTreeMap<PlatformItemId, (ItemAddress, String)>,
    cursor: Option<Cursor>,
    walk: Option<Walk>,
}

impl Kept {
    fn keep(&mut self, item: FetchedItem) {
        if item.presence == Presence::Gone {
            self.items.remove(&item.platform_id);
        } else {
            let address = ItemAddress::from(&item);
            self.items.insert(item.platform_id, (address, item.text));
        }
    }

    /// One step, as intake takes it: what went wrong drops the walk.
    async fn step(&mut self, platform: &dyn Platform) -> Result<(), PlatformError> {
        let fetched = platform.fetch(self.cursor.as_ref(), self.walk.as_ref()).await;
        let batch = fetched.inspect_err(|_| self.walk = None)?;
        for item in batch.items {
            self.keep(item);
        }
        for id in batch.gone {
            self.items.remove(&id);
        }
        self.cursor = batch.next.or(self.cursor.take());
        self.walk = batch.walk;
        Ok(())
    }

    /// Reads what is kept again.
    async fn look_again(&mut self, platform: &dyn Platform) -> Result<(), PlatformError> {
        let known: Vec<_> = self.items.values().map(|(address, _)| address.clone()).collect();
        let readings = platform.read_live_many(&known).await?;
        for (item, reading) in known.iter().zip(readings) {
            match reading {
                Ok(LiveReading::Present(item)) => self.keep(*item),
                Ok(LiveReading::Gone) => {
                    self.items.remove(&item.platform_id);
                }
                Ok(LiveReading::NotReadable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Storm {
    /// Whatever order pages, edits, deletions and faults come in: in the end the store is equal
    /// to the server's truth, and no call went out while the platform had asked for silence.
    pub async fn rage(
        &self,
        platform: Arc<dyn Platform>,
        world: &dyn World,
        weather: &dyn Weather,
        clock: &TestClock,
    ) {
        let minute = NonZeroU32::new(600_000).unwrap();
        let pace = Pace { app_per_min: minute, account_per_min: minute, burst: minute };
        let limits = Arc::new(Limits::with_pace(clock.clock(), |_| pace));
        let platform = Limited::new(platform, AccountKey::new("kontot"), limits);
        let (mut kept, mut parents) = (Kept::default(), BTreeMap::new());
        for (what, n) in &self.0 {
            let there: Vec<_> = world.truth().await.into_keys().collect();
            let one = (!there.is_empty()).then(|| &there[usize::from(*n) % there.len()]);
            match (what, one) {
                (0, _) => drop(world.write(&format!("Nytt {n}"), None).await),
                (1, Some(above)) => {
                    let answer = world.write(&format!("Svar {n}"), Some(above)).await;
                    parents.insert(answer, above.clone());
                }
                (2, Some(one)) => world.edit(one, &format!("Ändrat {n}")).await,
                // On some platforms nothing leads to an answer any more whose parent is gone.
                (3, Some(one))
                    if parents.iter().all(|(id, up)| up != one || !there.contains(id)) =>
                {
                    world.remove(one).await;
                }
                (4 | 5, _) => weather.strike(*n),
                (6, _) => clock.advance(SignedDuration::from_secs(i64::from(*n))),
                (7, _) => clock.advance(SignedDuration::from_mins(i64::from(*n))),
                (8, _) => drop(kept.look_again(&platform).await),
                _ => drop(kept.step(&platform).await),
            }
        }
        weather.clear_up();
        clock.advance(SignedDuration::from_hours(25));
        // Whole walks until one begins and ends in good weather, and a look at what is known.
        kept.walk = None;
        for _ in 0..2 {
            for _ in 0..400 {
                if let Err(error) = kept.step(&platform).await {
                    let again = error.retry_at().unwrap_or_else(|| clock.clock().now());
                    let wait = again.duration_since(clock.clock().now());
                    clock.advance(wait.max(SignedDuration::from_secs(61)));
                } else if kept.walk.is_none() {
                    break;
                }
            }
            assert!(kept.walk.is_none(), "a walk in good weather ends");
        }
        kept.look_again(&platform).await.expect("good weather");
        let truth = world.truth().await;
        let ids: Vec<_> = truth.keys().collect();
        assert_eq!(
            kept.items.keys().collect::<Vec<_>>(),
            ids,
            "nothing is lost, and nothing stays"
        );
        for (id, text) in &truth {
            if let Some(text) = text {
                assert_eq!(&kept.items[id].1, text, "{id} is kept as it stands");
            }
        }
        assert_eq!(weather.disobeyed(), 0, "no call goes out while the platform asks for silence");
    }
}
