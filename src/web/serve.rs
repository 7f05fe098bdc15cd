//! The web server: connections in, requests to the router, within bounds.
//!
//! Everything that somebody outside can hold on to has an end: the head of a request and the
//! quiet between requests (by time), its body (by time and size), an answer that nobody reads (by
//! time), and the number of connections, which leaves the daemon files enough for polls, evidence
//! and the database.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::proxies::Trusted;
use super::throttle::network;

/// Connections where the system does not say how many files may be open.
const CONNECTIONS_UNTOLD: usize = 256;
/// However many files may be open: more connections than this serve nobody on two cores.
const CONNECTIONS_MOST: usize = 4096;
/// However few files may be open.
const CONNECTIONS_LEAST: usize = 16;
/// The largest size that a body's time is reckoned by, in bytes: the largest signed push that can
/// be configured.
const MOST_TIMED: u64 = 64 * 1024 * 1024;
/// How long to wait when a connection cannot be taken for want of files.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// What a caller may hold on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Open connections at once; further ones wait in the system's queue.
    pub connections: usize,
    /// Of those, from one network that is not this machine: one caller cannot take them all. A
    /// network is an IPv4 address or the /64 of an IPv6 address.
    pub of_one_network: usize,
    /// Time for a request's head, and for the quiet before it on a connection that is kept.
    pub head: Duration,
    /// Time for a request's body whatever its size.
    pub body: Duration,
    /// What a body must come by beyond that, in bytes a second.
    pub body_bytes_per_s: u64,
    /// How long an answer may wait for the caller to read on.
    pub unread: Duration,
}

impl Bounds {
    /// Bounds for a number of files that this process may have open.
    pub fn for_files(open_files: Option<usize>) -> Self {
        let connections = open_files.map_or(CONNECTIONS_UNTOLD, |files| {
            (files / 2).clamp(CONNECTIONS_LEAST, CONNECTIONS_MOST)
        });
        Self {
            connections,
            of_one_network: (connections / 4).max(CONNECTIONS_LEAST),
            head: Duration::from_secs(15),
            body: Duration::from_secs(20),
            body_bytes_per_s: 20_000,
            unread: Duration::from_secs(30),
        }
    }

    /// Bounds by the limit on open files that this process runs under, where the system tells.
    pub fn of_this_process() -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").ok();
        Self::for_files(limits.as_deref().and_then(open_files))
    }
}

/// The soft limit on open files, as Linux writes it in `/proc/self/limits`.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        soft => soft.parse().ok(),
    }
}

/// Connections of each network, so that none takes them all.
#[derive(Clone, Debug)]
struct Callers {
    /// Those who speak for others and are not counted, beside this machine itself.
    proxies: Trusted,
    seated: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place among the connections; given back when dropped.
struct Seat {
    callers: Callers,
    network: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Callers {
    fn new(proxies: &[IpAddr]) -> Self {
        Self { proxies: Trusted::new(proxies), seated: Arc::default() }
    }

    /// A seat, unless the network has as many as it may.
    fn seat(&self, address: IpAddr, most: usize, permit: OwnedSemaphorePermit) -> Option<Seat> {
        let speaks_for_others =
            address.to_canonical().is_loopback() || self.proxies.contains(address);
        let network = network(address);
        let mut callers = self.seated.lock().unwrap_or_else(PoisonError::into_inner);
        let seated = callers.entry(network).or_default();
        if *seated >= most && !speaks_for_others {
            return None;
        }
        *seated += 1;
        Some(Seat { callers: self.clone(), network, _permit: permit })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut callers = self.callers.seated.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seated) = callers.get_mut(&self.network) {
            *seated -= 1;
            if *seated == 0 {
                callers.remove(&self.network);
            }
        }
    }
}

/// Serves until told to stop, then takes no more connections and answers what has begun.
/// `proxies` speak for many callers, so theirs are not counted as one's.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    proxies: &[IpAddr],
    stopping: CancellationToken,
) {
    let router = router.layer(from_fn_with_state(bounds, body_in_time));
    let seats = Arc::new(Semaphore::new(bounds.connections));
    let callers = Callers::new(proxies);
    let open = TaskTracker::new();
    loop {
        let next = async {
            let permit = seats.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stopping.cancelled() => break,
            next = next => next,
        };
        // The semaphore is never closed.
        let Ok(permit) = permit else { break };
        match accepted {
            Ok((stream, peer)) => {
                // Too many from there: the connection is dropped unread.
                if let Some(seat) = callers.seat(peer.ip(), bounds.of_one_network, permit) {
                    let one = connection(stream, peer, router.clone(), bounds, stopping.clone());
                    open.spawn(async move {
                        one.await;
                        drop(seat);
                    });
                }
            }
            Err(error) if gone_again(&error) => {}
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no connection can be taken"
                );
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// The caller hung up before it was served.
fn gone_again(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    bounds: Bounds,
    stopping: CancellationToken,
) {
    // Pages and events are small and should not wait for more.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection is gone");
    }
    let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.oneshot(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .serve_connection(TokioIo::new(Read::new(stream, bounds.unread)), answer);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopping.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        // Callers hang up and dawdle all day: not for the log of a day.
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
}

/// A connection whose answers are read: one that takes nothing for too long is broken off. Without
/// this, whoever asks again and again and reads nothing would keep a seat for ever. Each wait counts
/// by itself; the system lets no writing go on before a good part of what it holds has been read.
struct Read {
    stream: TcpStream,
    unread: Duration,
    /// Runs while an answer waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Read {
    fn new(stream: TcpStream, unread: Duration) -> Self {
        Self { stream, unread, waiting: None }
    }

    /// What came of a try to write, unless the wait has been too long.
    fn in_time<T>(
        &mut self,
        tried: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if tried.is_ready() {
            self.waiting = None;
            return tried;
        }
        let unread = self.unread;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(unread)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads the answer")))
    }
}

impl AsyncRead for Read {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Read {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(tried, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.in_time(tried, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Ends a body that does not come in time; without this a form could be sent for ever.
async fn body_in_time(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // What says no size gets the time of the smallest.
    let said = request.body().size_hint().exact().unwrap_or(0);
    let allowed = bounds.body + Duration::from_secs(said.min(MOST_TIMED) / bounds.body_bytes_per_s);
    let deadline = Instant::now() + allowed;
    let late = CancellationToken::new();
    let request = request.map(|body| {
        let pieces = (body.into_data_stream(), late.clone());
        Body::from_stream(stream::unfold(Some(pieces), move |pieces| async move {
            let (mut body, late) = pieces?;
            match timeout_at(deadline, body.next()).await {
                Ok(piece) => piece.map(|piece| (piece, Some((body, late)))),
                Err(elapsed) => {
                    late.cancel();
                    Some((Err(axum::Error::new(elapsed)), None))
                }
            }
        }))
    });
    let response = next.run(request).await;
    if late.is_cancelled() {
        // Nobody waits for a page: the rest of the form is still under way.
        return (StatusCode::REQUEST_TIMEOUT, [(CONNECTION, "close")]).into_response();
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Longer than anything in these tests may take on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(20);
    /// More than lies between two programs of one machine.
    const LARGE_BYTES: usize = 1_000_000;

    fn short() -> Bounds {
        Bounds {
            connections: 3,
            of_one_network: 2,
            head: Duration::from_millis(200),
            body: Duration::from_millis(200),
            body_bytes_per_s: 1_000_000,
            unread: Duration::from_millis(500),
        }
    }

    async fn started(bounds: Bounds) -> (SocketAddr, CancellationToken, TaskTracker) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let waits = || async {
            sleep(Duration::from_millis(300)).await;
            "till slut"
        };
        let router = Router::new()
            .route("/", get(|| async { "ja" }))
            .route("/drojer", get(waits))
            .route("/mycket", get(|| async { "x".repeat(LARGE_BYTES) }))
            .route("/form", post(|text: String| async move { text }));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let stopping = stop.clone();
        tasks.spawn(async move { serve(listener, router, bounds, &[], stopping).await });
        tasks.close();
        (address, stop, tasks)
    }

    async fn send(address: SocketAddr, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// All that comes until the server hangs up.
    async fn heard(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
        // A reset is a way of hanging up too.
        let _ = read.expect("the server hangs up in time");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[tokio::test]
    async fn a_request_that_never_ends_is_hung_up_on() {
        let (address, _stop, _tasks) = started(short()).await;
        let mut half = send(address, "GET / HTTP/1.1\r\nHost: uppsikt.example\r\nX-").await;
        let mut silent = send(address, "").await;
        heard(&mut half).await;
        heard(&mut silent).await;
    }

    #[tokio::test]
    async fn a_form_that_drips_is_ended_and_a_whole_one_is_taken() {
        let (address, _stop, _tasks) = started(short()).await;
        let head =
            "POST /form HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n";
        let mut stream = send(address, head).await;
        let (mut reading, mut writing) = stream.split();
        let drip = async {
            loop {
                if writing.write_all(b"x").await.is_err() {
                    return;
                }
                sleep(Duration::from_millis(60)).await;
            }
        };
        let mut bytes = vec![0; 100];
        let read = tokio::time::timeout(PATIENCE, reading.read(&mut bytes));
        let n = tokio::select! {
            read = read => read.unwrap().unwrap(),
            () = drip => 0,
        };
        let answer = String::from_utf8_lossy(&bytes[..n]);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");

        let mut whole = send(address, &format!("{head}abcdefghi")).await;
        assert!(heard(&mut whole).await.ends_with("abcdefghi"));
    }

    #[tokio::test]
    async fn connections_beyond_the_bound_wait_for_a_seat() {
        let patient = Bounds { connections: 1, head: Duration::from_secs(2), ..short() };
        let (address, _stop, _tasks) = started(patient).await;
        let mut first = send(address, "GET / HTTP/1.1\r\n").await;
        let ask = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let mut second = send(address, ask).await;
        let mut byte = [0; 1];
        let early = tokio::time::timeout(Duration::from_millis(500), second.read(&mut byte)).await;
        assert!(early.is_err(), "the second is served while the first has the only seat");
        heard(&mut first).await;
        assert!(heard(&mut second).await.ends_with("ja"));
    }

    #[tokio::test]
    async fn whoever_asks_and_never_reads_is_hung_up_on() {
        let (address, _stop, _tasks) = started(short()).await;
        let mut stream = send(address, "").await;
        let ask = "GET /mycket HTTP/1.1\r\nHost: x\r\n\r\n".repeat(40);
        stream.write_all(ask.as_bytes()).await.unwrap();
        // Nothing is read while everything that lies between is full; then what is left is read.
        sleep(Duration::from_millis(1_500)).await;
        let n_bytes = heard(&mut stream).await.len();
        assert!(n_bytes < 40 * LARGE_BYTES, "all {n_bytes} bytes came");
    }

    #[test]
    fn one_address_cannot_take_every_seat() {
        let seats = Arc::new(Semaphore::new(10));
        let seat = |callers: &Callers, address: &str| {
            let permit = seats.clone().try_acquire_owned().unwrap();
            callers.seat(address.parse().unwrap(), 2, permit)
        };
        let proxies = ["198.51.100.1", "::ffff:198.51.100.2"].map(|ip| ip.parse().unwrap());
        let callers = Callers::new(&proxies);
        let first = seat(&callers, "192.0.2.1");
        let _second = seat(&callers, "192.0.2.1");
        assert!(seat(&callers, "192.0.2.1").is_none());
        assert!(seat(&callers, "192.0.2.2").is_some());
        drop(first);
        assert!(seat(&callers, "192.0.2.1").is_some());
        // Whoever has one IPv6 address has a whole /64 of them.
        let _one = seat(&callers, "2001:db8:0:1::1");
        let _two = seat(&callers, "2001:db8:0:1::2");
        assert!(seat(&callers, "2001:db8:0:1:ffff::3").is_none());
        assert!(seat(&callers, "2001:db8:0:2::1").is_some());
        // Proxies speak for everybody.
        for proxy in ["127.0.0.1", "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.2"] {
            let proxied: Vec<_> = (0..3).map(|_| seat(&callers, proxy)).collect();
            assert!(proxied.iter().all(Option::is_some), "{proxy}");
        }
    }

    #[tokio::test]
    async fn stopping_answers_what_has_begun_and_takes_no_more() {
        let (address, stop, tasks) = started(short()).await;
        let ask = "GET /drojer HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut begun = send(address, ask).await;
        sleep(Duration::from_millis(100)).await;
        stop.cancel();
        assert!(heard(&mut begun).await.ends_with("till slut"));
        tokio::time::timeout(PATIENCE, tasks.wait()).await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[test]
    fn connections_leave_files_for_the_rest() {
        let table = "Limit      Soft Limit   Hard Limit   Units\n\
            Max processes    62798     62798      processes\n\
            Max open files            1024                 524288               files     \n";
        assert_eq!(open_files(table), Some(1024));
        assert_eq!(open_files("Max open files   unlimited  unlimited files"), Some(usize::MAX));
        assert_eq!(open_files("Max open files"), None);
        for (files, connections) in
            [(None, 256), (Some(1024), 512), (Some(20), 16), (Some(usize::MAX), 4096)]
        {
            assert_eq!(Bounds::for_files(files).connections, connections, "{files:?}");
        }
    }
}
