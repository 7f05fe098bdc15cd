//! What every simulator stands on: a server on loopback that takes calls one by one and ends when
//! it is dropped.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use url::Url;

use crate::platforms::held;
use crate::platforms::simulate::faults::{Dice, Fault, Faults};

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

    /// The token that the caller shows.
    pub fn bearer(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// What happens to a call before it is answered: it is noted, and perhaps goes wrong.
#[derive(Debug)]
pub struct Front {
    dice: Mutex<Dice>,
    calls: Mutex<Vec<String>>,
}

impl Front {
    /// With these faults.
    pub fn new(faults: Faults) -> Self {
        Self { dice: Mutex::new(Dice::new(faults)), calls: Mutex::default() }
    }

    /// Takes a call in, slowly where that is what goes wrong.
    pub async fn receive(&self, call: &Call) -> Option<Fault> {
        held(&self.calls).push(format!("{} {}", call.method, call.uri.path()));
        let fault = held(&self.dice).deal();
        if let Some(Fault::Slow(wait)) = fault {
            tokio::time::sleep(wait).await;
        }
        fault
    }

    /// Lets the next calls fail.
    pub fn fail_next(&self, fault: Fault, times: usize) {
        held(&self.dice).order(fault, times);
    }

    /// Method and path of every call so far, without the query.
    pub fn calls(&self) -> Vec<String> {
        held(&self.calls).clone()
    }
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
