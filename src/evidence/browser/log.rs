//! What a page was refused and what it complained of, while it was loaded.
//!
//! The gate knows which hosts it refused and why, the browser which calls came of it and which failed of
//! themselves: the two are held against each other. All of it is the page's own word, or an answer to it: bounded,
//! never logged by us, and without what may be a secret in an address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::browser::EventDownloadWillBegin;
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntryLevel};
use chromiumoxide::cdp::browser_protocol::network::{
    EventLoadingFailed, EventLoadingFinished, EventRequestWillBeSent, EventResponseReceived,
    EventWebSocketCreated, EventWebSocketFrameError, ResourceType,
};
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EventConsoleApiCalled, EventExceptionThrown, RemoteObject,
};
use chromiumoxide::listeners::EventStream;
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use url::Url;

use super::CaptureError;
use super::address::host_of;
use super::capture::broken;
use super::gate::{Refusal, Refused};
use super::process::Running;
use crate::domain::page_log::{
    ConsoleLevel, ConsoleLine, FORMAT, PageLog, Resource, StopReason, StoppedCall,
};
use crate::runtime::address::{text_without_secrets, without_secrets};

/// Calls of one page that are followed.
const MOST_CALLS: usize = 3_000;
/// Refused and failed calls that are listed.
const MOST_STOPPED: usize = 200;
/// Lines of the console that are listed.
const MOST_LINES: usize = 100;
/// Characters of an address and of a line that are kept.
const MOST_ADDRESS: usize = 500;
const MOST_LINE: usize = 500;
/// Characters of an address without a host (`data:` holds its whole content).
const MOST_OTHER: usize = 80;
/// How Chromium tells that a page may not open a file of the machine.
const NO_LOCAL: &str = "Not allowed to load local resource: ";

/// How far a call has come.
#[derive(Debug)]
enum Came {
    Waits,
    /// An answer began with this status.
    Began(u16),
    Whole(Option<u16>),
    Failed {
        error: String,
        by_rules: bool,
        given_up: bool,
    },
}

#[derive(Debug)]
struct Call {
    /// Its place among all.
    n: usize,
    url: String,
    resource: Resource,
    came: Came,
}

/// What was heard of a page so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    calls: BTreeMap<String, Call>,
    n: usize,
    n_beyond: u64,
    /// Stopped without ever being a call.
    other: Vec<StoppedCall>,
    console: Vec<ConsoleLine>,
    console_beyond: u64,
}

/// Hears a page until it is asked.
pub(super) struct Listener(Arc<Mutex<Heard>>);

fn locked(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    // Whoever panicked with it left it whole.
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of an address or a line that are looked at: a page writes as much as it likes, and what lies beyond is
/// never shown.
const MOST_HEARD: usize = 8_000;

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_HEARD)]
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// An address as it is kept.
fn shown(address: &str) -> String {
    let address = head(address);
    match Url::parse(address) {
        Ok(url) if url.has_host() => cut(&without_secrets(&url, &str::to_owned), MOST_ADDRESS),
        Ok(url) if url.scheme() == "file" => cut(address, MOST_ADDRESS),
        Ok(_) | Err(_) => cut(address, MOST_OTHER),
    }
}

fn resource(kind: &ResourceType) -> Resource {
    match kind {
        ResourceType::Document => Resource::Document,
        ResourceType::Stylesheet => Resource::Stylesheet,
        ResourceType::Image => Resource::Image,
        ResourceType::Media | ResourceType::TextTrack => Resource::Media,
        ResourceType::Font => Resource::Font,
        ResourceType::Script => Resource::Script,
        ResourceType::Xhr | ResourceType::Fetch | ResourceType::EventSource => Resource::Data,
        ResourceType::WebSocket => Resource::Socket,
        ResourceType::Prefetch
        | ResourceType::Manifest
        | ResourceType::SignedExchange
        | ResourceType::Ping
        | ResourceType::CspViolationReport
        | ResourceType::Preflight
        | ResourceType::FedCm
        | ResourceType::Other => Resource::Other,
    }
}

const fn reason(refusal: Refusal) -> StopReason {
    match refusal {
        Refusal::Private => StopReason::PrivateAddress,
        Refusal::Unknown => StopReason::UnknownHost,
        Refusal::TooManyHosts => StopReason::TooManyHosts,
        Refusal::TooMuch => StopReason::TooMuch,
    }
}

/// Whether the browser refuses such a thing by its own rules.
fn is_rule(error: &str) -> bool {
    error.starts_with("net::ERR_BLOCKED_BY_") || error == "net::ERR_UNSAFE_PORT"
}

/// Whether only the web's own schemes, and what lies in the page itself, are in it.
fn is_of_the_web(address: &str) -> bool {
    let scheme = address.split(':').next().unwrap_or_default();
    ["http", "https", "ws", "wss", "data", "blob", "about"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

impl Heard {
    fn ask(&mut self, id: &str, url: &str, resource: Resource) {
        if !self.calls.contains_key(id) && self.calls.len() >= MOST_CALLS {
            self.n_beyond += 1;
            return;
        }
        self.n += 1;
        // After a redirect the same call goes somewhere else.
        let call = Call { n: self.n, url: head(url).to_owned(), resource, came: Came::Waits };
        self.calls.insert(id.to_owned(), call);
    }

    fn say(&mut self, level: ConsoleLevel, text: &str, from: Option<&str>) {
        let text = cut(&text_without_secrets(head(text)), MOST_LINE);
        let from = from.filter(|from| !from.is_empty()).map(shown);
        let same =
            |line: &&mut ConsoleLine| (line.level, &line.text, &line.from) == (level, &text, &from);
        let has_room = self.console.len() < MOST_LINES;
        match self.console.iter_mut().find(same) {
            Some(line) => line.times += 1,
            None if has_room => {
                self.console.push(ConsoleLine { level, text, from, times: 1 });
            }
            None => self.console_beyond += 1,
        }
    }

    fn stop(&mut self, address: &str, resource: Resource, reason: StopReason) {
        if self.other.len() >= MOST_STOPPED {
            self.n_beyond += 1;
            return;
        }
        let address = shown(address);
        self.other.push(StoppedCall { address, resource, reason, detail: None, times: 1 });
    }

    /// The log, with what the gate refused meanwhile.
    pub(super) fn into_log(self, refused: &[Refused]) -> PageLog {
        let mut log = PageLog {
            format: FORMAT,
            stopped_beyond: self.n_beyond,
            console: self.console,
            console_beyond: self.console_beyond,
            ..PageLog::default()
        };
        let mut calls: Vec<_> = self.calls.into_values().collect();
        calls.sort_by_key(|call| call.n);
        let mut seen = vec![false; refused.len()];
        for call in calls {
            let gate = place(&call.url).and_then(|(host, port)| {
                refused.iter().position(|r| r.host == host && r.port == port)
            });
            if let Some((reason, detail)) = why(&call, gate.map(|at| refused[at].why)) {
                if let Some(at) = gate {
                    seen[at] = true;
                }
                add(&mut log, shown(&call.url), call.resource, reason, detail);
            }
        }
        for call in self.other {
            // What the console tells of a call is that call.
            let is_told = |told: &StoppedCall| {
                (&told.address, told.reason) == (&call.address, StopReason::Scheme)
            };
            if call.resource == Resource::Other && log.stopped.iter().any(is_told) {
                continue;
            }
            add(&mut log, call.address, call.resource, call.reason, None);
        }
        // Of frames and windows that the browser keeps apart only the gate knows. Names that lead nowhere may be
        // the browser's own.
        for (refused, seen) in refused.iter().zip(seen) {
            if !seen && refused.why != Refusal::Unknown {
                let address = format!("{}:{}", refused.host, refused.port);
                add(&mut log, address, Resource::Other, reason(refused.why), None);
            }
        }
        log
    }
}

/// Host and port of an address as the gate writes them.
fn place(address: &str) -> Option<(String, u16)> {
    Some((host_of(address)?, Url::parse(address).ok()?.port_or_known_default()?))
}

/// Why a call did not come through; nothing where it did.
fn why(call: &Call, gate: Option<Refusal>) -> Option<(StopReason, Option<String>)> {
    match (&call.came, gate) {
        // The gate's own answers. To a call of plain HTTP they look like the server's.
        (Came::Began(403 | 502) | Came::Whole(Some(403 | 502)), Some(refusal)) => {
            Some((reason(refusal), None))
        }
        (Came::Failed { error, .. }, Some(refusal)) => Some((reason(refusal), Some(error.clone()))),
        (Came::Failed { error, by_rules, given_up }, None) => {
            let reason = match (by_rules, given_up) {
                _ if !is_of_the_web(&call.url) => StopReason::Scheme,
                (true, _) => StopReason::Rules,
                (false, true) => StopReason::GivenUp,
                (false, false) => StopReason::Failed,
            };
            Some((reason, Some(error.clone()).filter(|error| !error.is_empty())))
        }
        // A refusal by the server is an answer, though its words have not all come.
        (Came::Began(400..), _) => None,
        (Came::Waits | Came::Began(_), _) if !call.url.starts_with("data:") => {
            Some((StopReason::Time, None))
        }
        (Came::Waits | Came::Began(_) | Came::Whole(_), _) => None,
    }
}

fn add(
    log: &mut PageLog,
    address: String,
    resource: Resource,
    reason: StopReason,
    detail: Option<String>,
) {
    let same = |call: &&mut StoppedCall| {
        (call.resource, call.reason, &call.address) == (resource, reason, &address)
    };
    let has_room = log.stopped.len() < MOST_STOPPED;
    match log.stopped.iter_mut().find(same) {
        Some(call) => call.times += 1,
        None if has_room => {
            let detail = detail.map(|detail| cut(&detail, MOST_OTHER));
            log.stopped.push(StoppedCall { address, resource, reason, detail, times: 1 });
        }
        None => log.stopped_beyond += 1,
    }
}

/// What a page hands to its console, as one line.
fn words(arguments: &[RemoteObject]) -> String {
    let one = |value: &RemoteObject| match (&value.value, &value.description) {
        (Some(serde_json::Value::String(text)), _) => head(text).to_owned(),
        (_, Some(description)) => head(description).to_owned(),
        (Some(value), None) => value.to_string(),
        (None, None) => value.r#type.as_ref().to_owned(),
    };
    let mut line = String::new();
    for value in arguments {
        if line.len() > 4 * MOST_LINE {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&one(value));
    }
    line
}

impl Listener {
    /// Begins to hear, before the page is opened.
    pub(super) async fn begin(
        browser: &Running,
        page: &Page,
        listeners: &mut JoinSet<()>,
    ) -> Result<Self, CaptureError> {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let mut sent = page.event_listener::<EventRequestWillBeSent>().await.map_err(broken)?;
        let mut came = page.event_listener::<EventResponseReceived>().await.map_err(broken)?;
        let mut ended = page.event_listener::<EventLoadingFinished>().await.map_err(broken)?;
        let mut failed = page.event_listener::<EventLoadingFailed>().await.map_err(broken)?;
        let mut opened = page.event_listener::<EventWebSocketCreated>().await.map_err(broken)?;
        let mut torn = page.event_listener::<EventWebSocketFrameError>().await.map_err(broken)?;
        let mut saves: EventStream<EventDownloadWillBegin> =
            browser.cdp.event_listener().await.map_err(broken)?;
        let mut entries = page.event_listener::<EventEntryAdded>().await.map_err(broken)?;
        let mut said = page.event_listener::<EventConsoleApiCalled>().await.map_err(broken)?;
        let mut thrown = page.event_listener::<EventExceptionThrown>().await.map_err(broken)?;
        let all = Arc::clone(&heard);
        listeners.spawn(async move {
            loop {
                tokio::select! {
                    // What comes first of one call is looked at first.
                    biased;
                    Some(event) = sent.next() => {
                        let kind = event.r#type.as_ref().map_or(Resource::Other, resource);
                        locked(&all).ask(event.request_id.as_ref(), &event.request.url, kind);
                    }
                    Some(event) = opened.next() => {
                        let id: &str = event.request_id.as_ref();
                        let mut all = locked(&all);
                        all.ask(id, &event.url, Resource::Socket);
                        // That it goes on is nothing that is awaited.
                        if let Some(call) = all.calls.get_mut(id) {
                            call.came = Came::Whole(None);
                        }
                    }
                    Some(event) = came.next() => {
                        let status = u16::try_from(event.response.status).unwrap_or(0);
                        let id: &str = event.request_id.as_ref();
                        if let Some(call) = locked(&all).calls.get_mut(id) {
                            call.came = Came::Began(status);
                        }
                    }
                    Some(event) = ended.next() => {
                        let id: &str = event.request_id.as_ref();
                        if let Some(call) = locked(&all).calls.get_mut(id) {
                            call.came = Came::Whole(match call.came {
                                Came::Began(status) => Some(status),
                                Came::Waits | Came::Whole(_) | Came::Failed { .. } => None,
                            });
                        }
                    }
                    Some(event) = failed.next() => {
                        let id: &str = event.request_id.as_ref();
                        if let Some(call) = locked(&all).calls.get_mut(id) {
                            call.came = Came::Failed {
                                error: event.error_text.clone(),
                                by_rules: event.blocked_reason.is_some()
                                    || event.cors_error_status.is_some()
                                    || is_rule(&event.error_text),
                                given_up: event.canceled == Some(true),
                            };
                        }
                    }
                    Some(event) = torn.next() => {
                        let id: &str = event.request_id.as_ref();
                        if let Some(call) = locked(&all).calls.get_mut(id) {
                            let error = event.error_message.clone();
                            call.came = Came::Failed { error, by_rules: false, given_up: false };
                        }
                    }
                    Some(event) = saves.next() => {
                        locked(&all).stop(&event.url, Resource::Download, StopReason::Download);
                    }
                    Some(event) = entries.next() => {
                        let entry = &event.entry;
                        let level = match entry.level {
                            LogEntryLevel::Error => Some(ConsoleLevel::Error),
                            LogEntryLevel::Warning => Some(ConsoleLevel::Warning),
                            LogEntryLevel::Verbose | LogEntryLevel::Info => None,
                        };
                        let mut all = locked(&all);
                        if let Some(address) = entry.text.strip_prefix(NO_LOCAL) {
                            all.stop(address, Resource::Other, StopReason::Scheme);
                        }
                        if let Some(level) = level {
                            all.say(level, &entry.text, entry.url.as_deref());
                        }
                    }
                    Some(event) = said.next() => {
                        let level = match event.r#type {
                            ConsoleApiCalledType::Error | ConsoleApiCalledType::Assert => {
                                Some(ConsoleLevel::Error)
                            }
                            ConsoleApiCalledType::Warning => Some(ConsoleLevel::Warning),
                            _ => None,
                        };
                        if let Some(level) = level {
                            locked(&all).say(level, &words(&event.args), None);
                        }
                    }
                    Some(event) = thrown.next() => {
                        let thrown = &event.exception_details;
                        let what = thrown.exception.as_ref().map(|e| words(std::slice::from_ref(e)));
                        let what = what.unwrap_or_default();
                        let text = format!("{} {what}", thrown.text);
                        locked(&all).say(ConsoleLevel::Error, text.trim(), thrown.url.as_deref());
                    }
                    else => break,
                }
            }
        });
        Ok(Self(heard))
    }

    /// What was heard until now.
    pub(super) fn end(self) -> Heard {
        std::mem::take(&mut *locked(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gate_refused_and_what_failed_of_itself_are_told_apart() {
        let mut heard = Heard::default();
        let failed = |error: &str, by_rules, given_up| Came::Failed {
            error: error.into(),
            by_rules,
            given_up,
        };
        let calls = [
            ("http://10.0.0.1/a?token=x&b=1", Came::Whole(Some(403))),
            ("http://10.0.0.1/a?token=y&b=1", Came::Whole(Some(403))),
            ("https://10.0.0.2/", failed("net::ERR_TUNNEL_CONNECTION_FAILED", false, false)),
            ("https://a.example/forbidden", Came::Whole(Some(403))),
            ("https://a.example/forbidden-in-part", Came::Began(403)),
            ("https://a.example/csp", failed("", true, true)),
            ("https://a.example/stopped", failed("net::ERR_ABORTED", false, true)),
            ("https://a.example/slow", Came::Began(200)),
            ("ftp://a.example/x", failed("net::ERR_UNKNOWN_URL_SCHEME", false, false)),
            ("https://a.example/fine", Came::Whole(Some(200))),
        ];
        for (n, (url, came)) in calls.into_iter().enumerate() {
            heard.ask(&n.to_string(), url, Resource::Image);
            heard.calls.get_mut(&n.to_string()).expect("asked").came = came;
        }
        let refused = |host: &str, port, why| Refused { host: host.into(), port, why };
        let log = heard.into_log(&[
            refused("10.0.0.1", 80, Refusal::Private),
            refused("10.0.0.2", 443, Refusal::TooMuch),
            refused("192.168.0.9", 81, Refusal::Private),
            refused("update.invalid", 443, Refusal::Unknown),
        ]);
        let told: Vec<_> =
            log.stopped.iter().map(|c| (c.address.as_str(), c.reason, c.times)).collect();
        let struck = "http://10.0.0.1/a?token=%E2%80%A2%E2%80%A2%E2%80%A2&b=1";
        assert_eq!(
            told,
            [
                (struck, StopReason::PrivateAddress, 2),
                ("https://10.0.0.2/", StopReason::TooMuch, 1),
                ("https://a.example/csp", StopReason::Rules, 1),
                ("https://a.example/stopped", StopReason::GivenUp, 1),
                ("https://a.example/slow", StopReason::Time, 1),
                ("ftp://a.example/x", StopReason::Scheme, 1),
                ("192.168.0.9:81", StopReason::PrivateAddress, 1),
            ]
        );
    }

    #[test]
    fn the_log_is_bounded_and_the_rest_is_counted() {
        let mut heard = Heard::default();
        for n in 0..MOST_CALLS + 5 {
            heard.ask(&n.to_string(), &format!("https://a.example/{n}"), Resource::Data);
        }
        for n in 0..MOST_LINES + 3 {
            heard.say(ConsoleLevel::Error, &format!("{n} {}", "x".repeat(2_000)), None);
        }
        heard.say(ConsoleLevel::Error, &format!("0 {}", "x".repeat(3_000)), None);
        heard.stop(
            &format!("data:text/html,{}", "x".repeat(9_000)),
            Resource::Download,
            StopReason::Download,
        );
        let log = heard.into_log(&[]);
        assert_eq!((log.stopped.len(), log.console.len()), (MOST_STOPPED, MOST_LINES));
        assert_eq!(log.stopped_beyond as usize, MOST_CALLS - MOST_STOPPED + 5 + 1);
        assert_eq!((log.console_beyond, log.console[0].times), (3, 2));
        assert!(serde_json::to_vec(&log).expect("JSON").len() < 200_000);
    }
}
