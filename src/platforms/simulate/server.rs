//! What every simulator stands on: a server on loopback that takes calls one by one and ends when
//! it is dropped.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use url::Url;

use crate::platforms::held;
use crate::platforms::simulate::faults::{Dice, Fault, Faults};
use crate::platforms::simulate::is_shown;

/// The simulator cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum CannotStart {
    /// It would be reachable from outside.
    #[error("{0} is not a loopback address: a simulator must not be reachable from outside")]
    NotLoopback(SocketAddr),
    /// The address is taken or not to be had.
    #[error("{0} cannot be listened on")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The journal is unreadable.
    #[error("the simulator's journal cannot be used: remove it to begin anew")]
    Journal(#[source] std::io::Error),
}

/// One call as it came in.
#[derive(Debug)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Call {
    /// Names and values of the query, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        pairs(self.uri.query().unwrap_or_default().as_bytes())
    }

    /// The query by name; of names that stand twice the last.
    pub fn query_by_name(&self) -> BTreeMap<String, String> {
        self.query().into_iter().collect()
    }

    /// Names and values of a body that is a form.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// Whether the caller shows this client and its secret, as user name and password.
    pub fn is_from(&self, client: &str, secret: &str) -> bool {
        let shown = self.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| STANDARD.decode(value.strip_prefix("Basic ")?).ok());
        let shown = shown.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let shown = shown.split_once(':');
        shown.is_some_and(|(name, word)| is_shown(name, client) && word == secret)
    }

    /// The token that the caller shows.
    pub fn bearer(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// One call and its answer, in full.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Method.
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// What was sent along.
    pub body: Vec<u8>,
    /// What came back.
    pub answer: String,
}

/// What happens around a call: it is noted, and perhaps goes wrong.
#[derive(Debug)]
pub struct Front {
    dice: Mutex<Dice>,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    calls: Vec<String>,
    /// Until when the platform has asked to be left alone.
    limited_until: Option<Timestamp>,
    /// Calls that came before that all the same.
    disobeyed: usize,
    /// How far the platform's clock is off.
    skew: SignedDuration,
    /// How much later than written it shows what others write.
    late: SignedDuration,
    /// The last page of each list, as it was before anything went wrong with it.
    pages: BTreeMap<String, String>,
    /// What is in every call that is refused.
    refused: Vec<String>,
    /// Whole exchanges, where somebody wants them.
    exchanges: Option<Vec<Exchange>>,
}

impl Front {
    /// With these faults.
    pub fn new(faults: Faults) -> Self {
        Self { dice: Mutex::new(Dice::new(faults)), noted: Mutex::default() }
    }

    /// Takes a call in at this time of our clock, slowly where that is what goes wrong.
    /// `names_a_page` is whether it asks for some later page of a list.
    pub async fn receive(&self, call: &Call, names_a_page: bool, now: Timestamp) -> Option<Fault> {
        let fault = held(&self.dice).deal();
        let fault = fault.filter(|fault| names_a_page || *fault != Fault::CursorInvalid);
        {
            let mut noted = held(&self.noted);
            noted.calls.push(format!("{} {}", call.method, call.uri.path()));
            if noted.limited_until.is_some_and(|until| now < until) {
                noted.disobeyed += 1;
            }
            if let Some(minutes) = fault.and_then(Fault::limits_for) {
                let until = now + SignedDuration::from_mins(i64::from(minutes));
                noted.limited_until = noted.limited_until.max(Some(until));
            }
            if let Some(Fault::ClockSkew { seconds }) = fault {
                noted.skew = SignedDuration::from_secs(i64::from(seconds));
            }
            if let Some(Fault::Late { seconds }) = fault {
                noted.late = SignedDuration::from_secs(i64::from(seconds));
            }
        }
        if let Some(Fault::Slow(wait)) = fault {
            tokio::time::sleep(wait).await;
        }
        fault
    }

    /// From now on calls that name this are refused: a thing that is not given to us.
    pub fn refuse(&self, name: &str) {
        held(&self.noted).refused.push(name.to_owned());
    }

    /// Nothing is refused any more.
    pub fn give_all(&self) {
        held(&self.noted).refused.clear();
    }

    /// Whether this call names what is not given.
    pub fn refuses(&self, call: &Call) -> bool {
        let uri = call.uri.to_string();
        held(&self.noted).refused.iter().any(|name| uri.contains(name.as_str()))
    }

    /// What the answer becomes on its way out. `list` is the name of its list of elements.
    pub fn send(&self, call: &Call, list: &str, fault: Option<Fault>, body: String) -> Vec<u8> {
        let mut noted = held(&self.noted);
        let mut body = body;
        let before = noted.pages.insert(call.uri.path().to_owned(), body.clone());
        if let (Some(Fault::DuplicatePage), Some(before)) = (fault, before)
            && let Some(doubled) = with_page_before(&body, &before, list)
        {
            body = doubled;
        }
        if let Some(exchanges) = &mut noted.exchanges {
            exchanges.push(Exchange {
                method: call.method.to_string(),
                uri: call.uri.to_string(),
                body: call.body.to_vec(),
                answer: body.clone(),
            });
        }
        let mut body = body.into_bytes();
        if fault == Some(Fault::BrokenJson) {
            body.truncate(body.len() / 2);
        }
        body
    }

    /// How much later than written it shows what others write.
    pub fn late(&self) -> SignedDuration {
        held(&self.noted).late
    }

    /// How far the platform's clock is off.
    pub fn skew(&self) -> SignedDuration {
        held(&self.noted).skew
    }

    /// Lets the next calls fail.
    pub fn fail_next(&self, fault: Fault, times: usize) {
        held(&self.dice).order(fault, times);
    }

    /// Nothing goes wrong any more.
    pub fn calm(&self) {
        *held(&self.dice) = Dice::new(Faults::none());
    }

    /// Method and path of every call so far, without the query.
    pub fn calls(&self) -> Vec<String> {
        held(&self.noted).calls.clone()
    }

    /// How many calls came while the platform had asked to be left alone.
    pub fn disobeyed(&self) -> usize {
        held(&self.noted).disobeyed
    }

    /// From now on whole exchanges are kept.
    pub fn record(&self) {
        held(&self.noted).exchanges.get_or_insert_default();
    }

    /// Those kept so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        held(&self.noted).exchanges.clone().unwrap_or_default()
    }
}

/// A page with the elements of the page before in front of its own.
fn with_page_before(body: &str, before: &str, list: &str) -> Option<String> {
    let mut told: Value = serde_json::from_str(body).ok()?;
    let mut before: Value = serde_json::from_str(before).ok()?;
    let list = format!("/{list}");
    let again = std::mem::take(before.pointer_mut(&list)?.as_array_mut()?);
    told.pointer_mut(&list)?.as_array_mut()?.splice(0..0, again);
    Some(told.to_string())
}

/// A port that is listened on, before anything is answered: its address may be part of the answers.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Begins to listen; port 0 takes a free one.
    ///
    /// # Errors
    /// [`CannotStart`], each with its mend.
    pub async fn open(listen: SocketAddr) -> Result<Self, CannotStart> {
        if !listen.ip().is_loopback() {
            return Err(CannotStart::NotLoopback(listen));
        }
        let failed = |source| CannotStart::Listen(listen, source);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// `http://`, address and port.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers calls from now on.
    pub fn serve<F, A>(self, answer: F) -> Server
    where
        F: Fn(Call) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        let base = Url::parse(&self.origin()).expect("an address and port make a URL");
        let handler = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            answer(Call { method, uri, headers, body })
        };
        let router = Router::new().fallback(handler);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(self.listener, router).await {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        Server { base, task: task.abort_handle() }
    }
}

/// A running server; ends when dropped.
#[derive(Debug)]
pub struct Server {
    base: Url,
    task: AbortHandle,
}

impl Server {
    /// Where it answers.
    pub fn base(&self) -> &Url {
        &self.base
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
