//! What a page was made of: the answers that it got while it was loaded, kept as a web archive.
//!
//! A body is asked for as soon as it has come, while the page settles; the archive is written when the picture is
//! there, so that nobody waits for it longer than for that. What is left out
//! (large files, films, what a script sent elsewhere, frames in a process of their own) is counted and told.
//! Nothing is fetched that the page did not fetch, so all of it came through the gate.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::network::{
    EventLoadingFailed, EventLoadingFinished, EventRequestWillBeSent, EventResponseReceived,
    GetResponseBodyParams, RequestId, ResourceType, Response,
};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::CaptureError;
use super::capture::broken;
use crate::formats::wacz::warc::Answer;
use crate::formats::wacz::{About, Added, Page as Begin, Writer};
use crate::runtime::clock::Clock;

/// The most answers of one page.
const MOST_ANSWERS: usize = 500;
/// The most bytes of one body.
const MOST_BODY_BYTES: usize = 5_000_000;
/// The most bytes of the whole, packed.
const MOST_BYTES: u64 = 20_000_000;
/// The most bytes of bodies that are kept in memory for it.
const MOST_RAW_BYTES: usize = 60_000_000;
/// How long bodies that had not come are asked for when the picture is there. The page itself comes first.
const BODIES_LIMIT: Duration = Duration::from_secs(3);

/// What is known of one request.
#[derive(Default)]
struct Seen {
    /// Its place among all.
    n: usize,
    /// Whether it asks for something and sends nothing.
    is_get: bool,
    kind: Option<ResourceType>,
    answer: Option<Response>,
    at: Option<Timestamp>,
    is_whole: bool,
    body: Option<Body>,
}

/// What asking for a body gave.
enum Body {
    Bytes(Vec<u8>),
    /// It is larger than what is kept.
    Large,
    /// The browser has it no more.
    Gone,
}

/// Asks for a body.
async fn ask(page: &Page, id: String) -> Body {
    match page.execute(GetResponseBodyParams::new(RequestId::from(id))).await {
        Err(error) => {
            tracing::debug!(%error, "a body is not there any more");
            Body::Gone
        }
        Ok(got) => {
            let got = got.result;
            let bytes = match got.base64_encoded {
                true => STANDARD.decode(&got.body).unwrap_or_default(),
                false => got.body.into_bytes(),
            };
            if bytes.len() > MOST_BODY_BYTES { Body::Large } else { Body::Bytes(bytes) }
        }
    }
}

impl Seen {
    /// Whether it is to be kept, as far as known.
    fn is_wanted(&self) -> bool {
        self.is_get
            && self.kind.as_ref().is_some_and(is_kept)
            && self.answer.as_ref().is_some_and(|answer| {
                answer.url.starts_with("http")
                    && answer.encoded_data_length <= MOST_BODY_BYTES as f64
            })
    }
}

#[derive(Default)]
struct State {
    seen: BTreeMap<String, Seen>,
    /// Answers that only led on.
    led_on: Vec<(Response, Timestamp)>,
    n: usize,
    n_too_many: usize,
}

impl State {
    fn of(&mut self, id: &RequestId) -> Option<&mut Seen> {
        let id: &str = id.as_ref();
        if !self.seen.contains_key(id) {
            if self.seen.len() >= MOST_ANSWERS {
                self.n_too_many += 1;
                return None;
            }
            self.n += 1;
            self.seen.insert(id.to_owned(), Seen { n: self.n, ..Seen::default() });
        }
        self.seen.get_mut(id)
    }
}

/// Gathers what a page loads.
pub(super) struct Recorder {
    state: Arc<Mutex<State>>,
}

fn locked(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    // Whoever panicked with it left it whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was left out, by why.
#[derive(Default)]
struct LeftOut {
    kind: usize,
    sent: usize,
    broken: usize,
    large: usize,
    room: usize,
    late: usize,
}

impl LeftOut {
    fn words(&self) -> String {
        let told = [
            (self.kind, "filmer, strömmar och annat som inte hör till sidans utseende"),
            (self.sent, "svar på vad sidans skript skickade"),
            (self.broken, "svar som inte kom fram hela"),
            (self.large, "filer över 5 MB"),
            (self.room, "svar som inte fick plats (högst 20 MB och 500 svar)"),
            (self.late, "svar som inte hann läsas"),
        ];
        let told: Vec<_> =
            told.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{what} ({n})")).collect();
        match told.is_empty() {
            true => "Inget av det som sidan laddade är utelämnat.".into(),
            false => format!("Utelämnat: {}.", told.join(", ")),
        }
    }
}

/// Whether what was loaded belongs to how a page looks.
fn is_kept(kind: &ResourceType) -> bool {
    match kind {
        ResourceType::Document
        | ResourceType::Stylesheet
        | ResourceType::Image
        | ResourceType::Font
        | ResourceType::Script
        | ResourceType::Xhr
        | ResourceType::Fetch
        | ResourceType::Manifest => true,
        ResourceType::Media
        | ResourceType::TextTrack
        | ResourceType::Prefetch
        | ResourceType::EventSource
        | ResourceType::WebSocket
        | ResourceType::SignedExchange
        | ResourceType::Ping
        | ResourceType::CspViolationReport
        | ResourceType::Preflight
        | ResourceType::FedCm
        | ResourceType::Other => false,
    }
}

fn answer(response: &Response, at: Timestamp, body: Vec<u8>) -> Answer {
    let headers = response.headers.inner().as_object().into_iter().flatten();
    // Several of one name come as lines of one value.
    let headers = headers.flat_map(|(name, value)| {
        let value = value.as_str().unwrap_or_default();
        value.split('\n').map(|value| (name.clone(), value.to_owned())).collect::<Vec<_>>()
    });
    Answer {
        url: response.url.clone(),
        at,
        status: u16::try_from(response.status).unwrap_or(0),
        reason: response.status_text.clone(),
        headers: headers.collect(),
        body,
    }
}

/// What came of a recording.
pub(super) struct Recorded {
    pub wacz: Vec<u8>,
    /// What is in it and what is not, in Swedish.
    pub words: String,
}

impl Recorder {
    /// Begins to gather, before the page is opened.
    pub(super) async fn begin(
        page: &Page,
        clock: &Clock,
        listeners: &mut JoinSet<()>,
    ) -> Result<Self, CaptureError> {
        let state = Arc::new(Mutex::new(State::default()));
        let mut sent = page.event_listener::<EventRequestWillBeSent>().await.map_err(broken)?;
        let mut came = page.event_listener::<EventResponseReceived>().await.map_err(broken)?;
        let mut ended = page.event_listener::<EventLoadingFinished>().await.map_err(broken)?;
        let mut failed = page.event_listener::<EventLoadingFailed>().await.map_err(broken)?;
        let (all, clock) = (Arc::clone(&state), clock.clone());
        let (ready, mut to_ask) = mpsc::channel::<String>(MOST_ANSWERS);
        listeners.spawn(async move {
            loop {
                tokio::select! {
                    // What comes first of one request is looked at first.
                    biased;
                    Some(event) = sent.next() => {
                        let mut state = locked(&all);
                        if let Some(response) = &event.redirect_response
                            && state.led_on.len() < MOST_ANSWERS
                        {
                            state.led_on.push((response.clone(), clock.now()));
                        }
                        if let Some(seen) = state.of(&event.request_id) {
                            seen.is_get = event.request.method == "GET";
                        }
                    }
                    Some(event) = came.next() => {
                        if let Some(seen) = locked(&all).of(&event.request_id) {
                            seen.kind = Some(event.r#type.clone());
                            seen.answer = Some(event.response.clone());
                            seen.at = Some(clock.now());
                        }
                    }
                    Some(event) = ended.next() => {
                        if let Some(seen) = locked(&all).of(&event.request_id) {
                            seen.is_whole = true;
                            if seen.is_wanted() {
                                let id: &str = event.request_id.as_ref();
                                // Where there is no room it is asked for at the end.
                                drop(ready.try_send(id.to_owned()));
                            }
                        }
                    }
                    Some(event) = failed.next() => {
                        if let Some(seen) = locked(&all).of(&event.request_id) {
                            seen.is_whole = false;
                        }
                    }
                    else => break,
                }
            }
        });
        let (all, page) = (Arc::clone(&state), page.clone());
        listeners.spawn(async move {
            let mut n_bytes = 0;
            while let Some(id) = to_ask.recv().await {
                if n_bytes > MOST_RAW_BYTES {
                    continue;
                }
                let body = ask(&page, id.clone()).await;
                if let Body::Bytes(bytes) = &body {
                    n_bytes += bytes.len();
                }
                if let Some(seen) = locked(&all).seen.get_mut(&id) {
                    seen.body = Some(body);
                }
            }
        });
        Ok(Self { state })
    }

    /// Asks for the bodies and writes the archive. `begin` is the page as it stands now.
    ///
    /// # Errors
    /// In Swedish, why there is none.
    pub(super) async fn finish(
        self,
        page: &Page,
        begin: Begin,
        software: String,
    ) -> Result<Recorded, String> {
        let state = std::mem::take(&mut *locked(&self.state));
        let mut seen: Vec<_> = state.seen.into_iter().collect();
        seen.sort_by_key(|(_, seen)| seen.n);
        let until = Instant::now() + BODIES_LIMIT;
        let mut left = LeftOut { room: state.n_too_many, ..LeftOut::default() };
        let mut answers: Vec<_> =
            state.led_on.iter().map(|(led, at)| (false, answer(led, *at, Vec::new()))).collect();
        let mut n_bytes = 0;
        for (id, seen) in seen {
            let (Some(response), Some(kind), Some(at)) = (&seen.answer, &seen.kind, seen.at) else {
                continue;
            };
            // What lies within the page itself is kept with it.
            if !response.url.starts_with("http") {
                continue;
            }
            let is_document = *kind == ResourceType::Document;
            let body = match seen.body {
                _ if !is_kept(kind) => {
                    left.kind += 1;
                    continue;
                }
                _ if !seen.is_get => {
                    left.sent += 1;
                    continue;
                }
                // A page that never ends loading is kept as far as it came.
                _ if !seen.is_whole && !is_document => Body::Gone,
                _ if response.encoded_data_length > MOST_BODY_BYTES as f64 => Body::Large,
                Some(body) => body,
                None if n_bytes > MOST_RAW_BYTES => {
                    left.room += 1;
                    continue;
                }
                None => match tokio::time::timeout_at(until, ask(page, id)).await {
                    Ok(body) => body,
                    Err(_) => {
                        left.late += 1;
                        continue;
                    }
                },
            };
            match body {
                Body::Bytes(bytes) => {
                    n_bytes += bytes.len();
                    answers.push((is_document, answer(response, at, bytes)));
                }
                Body::Large => left.large += 1,
                Body::Gone => left.broken += 1,
            }
        }
        tokio::task::spawn_blocking(move || write(begin, software, answers, left))
            .await
            .map_err(|_| UNWRITTEN.to_owned())?
    }
}

/// Why there is no archive where it could not be written.
const UNWRITTEN: &str = "Webbarkivet kunde inte skrivas.";

/// Packs what was gathered.
fn write(
    begin: Begin,
    software: String,
    answers: Vec<(bool, Answer)>,
    mut left: LeftOut,
) -> Result<Recorded, String> {
    let about = About {
        title: begin.title.clone().unwrap_or_else(|| begin.url.clone()),
        software,
        created: begin.at,
        most_bytes: MOST_BYTES,
    };
    let unwritten = |error: io::Error| {
        tracing::warn!(%error, "a web archive could not be written");
        UNWRITTEN.to_owned()
    };
    let mut writer = Writer::begin(Cursor::new(Vec::new()), about).map_err(unwritten)?;
    let mut has_document = false;
    for (is_document, answer) in answers {
        match writer.answer(answer).map_err(unwritten)? {
            Added::Kept | Added::Known => has_document |= is_document,
            Added::NoRoom => left.room += 1,
            Added::Unfit => {}
        }
    }
    if !has_document {
        return Err("Sidans eget innehåll gick inte att läsa ur webbläsaren.".into());
    }
    writer.page(&begin);
    let words = format!("{} svar. {}", writer.n_records(), left.words());
    let wacz = writer.finish(&words).map_err(unwritten)?.into_inner();
    Ok(Recorded { wacz, words })
}
