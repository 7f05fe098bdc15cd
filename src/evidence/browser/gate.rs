//! The only way out for the browser: a proxy on the loopback interface that resolves every host
//! itself, refuses those on private networks, and connects to the very address it has checked.
//!
//! A check before navigating would not do: pages redirect, load pictures from anywhere, and a name
//! may point elsewhere when it is asked the second time. Here every connection passes, and what
//! was checked is what is used. Closed between captures.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf, copy_bidirectional,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

use super::CaptureError;
use super::address::{AddressError, host_of};
use crate::runtime::network::{Reach, reach};

/// How many refusals of one page are kept.
const MOST_REFUSED: usize = 1_000;
/// The longest request head that is read.
const MOST_HEAD_BYTES: usize = 64 * 1024;
/// How long a head or a connection may take to come about.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection may live: longer than any capture.
const CONNECTION_LIMIT: Duration = Duration::from_secs(120);

/// The proxy. Dropping it ends all connections.
pub struct Gate {
    /// Where Chromium finds it.
    pub at: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

/// What one page may have at most.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Hosts that it asks.
    pub hosts: usize,
    /// Bytes that they send.
    pub bytes: u64,
}

#[derive(Default)]
struct State {
    open: bool,
    /// The host and port that may lie on a private network.
    private_at: Option<(String, u16)>,
    refused: Vec<Refused>,
    most_hosts: usize,
    /// Hosts that were let through.
    hosts: BTreeSet<String>,
    /// What may still come.
    bytes_left: Arc<AtomicU64>,
}

impl State {
    /// Notes a refusal, each sort of each host once.
    fn refuse(&mut self, host: &str, port: u16, why: Refusal) -> Refusal {
        let refused = Refused { host: host.to_owned(), port, why };
        if self.refused.len() < MOST_REFUSED && !self.refused.contains(&refused) {
            self.refused.push(refused);
        }
        why
    }
}

/// While this lives, the gate lets traffic through.
pub struct Opened {
    state: Arc<Mutex<State>>,
}

impl Opened {
    /// Lets nothing through any more; returns what was refused meanwhile.
    pub fn close(self) -> Vec<Refused> {
        std::mem::take(&mut locked(&self.state).refused)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        *locked(&self.state) = State::default();
    }
}

/// A host that was not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The host, as [`super::address::PageAddress::host`] writes it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Why.
    pub why: Refusal,
}

/// Why a host is not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It lies on a network that it may not lie on.
    Private,
    /// Its name leads nowhere.
    Unknown,
    /// The page has asked as many hosts as one may.
    TooManyHosts,
    /// The page has got as much as one may.
    TooMuch,
}

impl Refused {
    /// The same for the page itself.
    pub fn of_page(self) -> CaptureError {
        match self.why {
            Refusal::Private => CaptureError::Private { host: self.host },
            Refusal::Unknown => CaptureError::Address(AddressError::UnknownHost),
            Refusal::TooManyHosts | Refusal::TooMuch => {
                CaptureError::Unreachable { reason: "the page asked for too much".to_owned() }
            }
        }
    }
}

impl Gate {
    /// Starts listening, closed.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let at = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let task = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { at, state, task })
    }

    /// Lets traffic through while the returned value lives: to public addresses, and to `host` at
    /// `port` wherever it lies if `allow_private`; within bounds.
    pub fn open(&self, host: &str, port: u16, allow_private: bool, most: Most) -> Opened {
        *locked(&self.state) = State {
            open: true,
            private_at: allow_private.then(|| (host.to_owned(), port)),
            refused: Vec::new(),
            most_hosts: most.hosts,
            hosts: BTreeSet::new(),
            bytes_left: Arc::new(AtomicU64::new(most.bytes)),
        };
        Opened { state: Arc::clone(&self.state) }
    }

    /// Whether a host would be let through now.
    pub async fn check(&self, host: &str, port: u16) -> Result<(), Refused> {
        let found = resolve(&self.state, host, port).await;
        found.map(|_| ()).map_err(|why| Refused { host: host.to_owned(), port, why })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// No code panics while holding this lock, and the state would be whole if it did.
fn locked(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let state = Arc::clone(&state);
                    connections.spawn(async move {
                        let passed = tokio::time::timeout(CONNECTION_LIMIT, pass(stream, &state));
                        match passed.await {
                            Ok(Ok(())) => {}
                            Ok(Err(error)) => tracing::debug!(%error, "browser connection ended"),
                            Err(_) => tracing::debug!("browser connection took too long"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the browser's gate cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What a request asks for.
struct Asked {
    host: String,
    port: u16,
    /// The head to send on; `None` for a tunnel.
    head: Option<Vec<u8>>,
}

async fn pass(mut client: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let read = tokio::time::timeout(HEAD_LIMIT, read_head(&mut client)).await;
    let Ok(Ok((head, rest))) = read else {
        return answer(&mut client, "400 Bad Request").await;
    };
    let Some(asked) = understand(&head) else {
        return answer(&mut client, "400 Bad Request").await;
    };
    let address = match resolve(state, &asked.host, asked.port).await {
        Ok(address) => address,
        Err(Refusal::Unknown) => return answer(&mut client, "502 Bad Gateway").await,
        Err(Refusal::Private | Refusal::TooManyHosts | Refusal::TooMuch) => {
            return answer(&mut client, "403 Forbidden").await;
        }
    };
    let left = Arc::clone(&locked(state).bytes_left);
    let connected = tokio::time::timeout(HEAD_LIMIT, TcpStream::connect(address)).await;
    let Ok(Ok(server)) = connected else {
        return answer(&mut client, "502 Bad Gateway").await;
    };
    let mut server = Metered { stream: server, left };
    match asked.head {
        Some(head) => server.write_all(&head).await?,
        None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
    }
    server.write_all(&rest).await?;
    let copied = copy_bidirectional(&mut client, &mut server).await;
    if server.left.load(Ordering::Relaxed) == 0 {
        let mut state = locked(state);
        // Of a page before, this is of no matter to the one that is open now.
        if Arc::ptr_eq(&state.bytes_left, &server.left) {
            state.refuse(&asked.host, asked.port, Refusal::TooMuch);
        }
    }
    copied.map(|_| ())
}

/// What a server sends, as long as anything may come.
struct Metered {
    stream: TcpStream,
    left: Arc<AtomicU64>,
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let came = (buf.filled().len() - before) as u64;
        let less = |left: u64| Some(left.saturating_sub(came));
        // The closure always gives a value.
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        match left {
            Ok(left) if left < came => Poll::Ready(Err(io::ErrorKind::FileTooLarge.into())),
            Ok(_) | Err(_) => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

async fn answer(client: &mut TcpStream, status: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.shutdown().await
}

/// The head up to the blank line, and what came after it.
async fn read_head(client: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = memchr::memmem::find(&read, b"\r\n\r\n") {
            let rest = read.split_off(end + 4);
            return Ok((read, rest));
        }
        if read.len() > MOST_HEAD_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if client.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn understand(head: &[u8]) -> Option<Asked> {
    let head = std::str::from_utf8(head).ok()?;
    let (first, headers) = head.split_once("\r\n")?;
    let mut words = first.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if method == "CONNECT" {
        // The same reading of odd host names as for pages.
        let target = format!("https://{target}/");
        let port = Url::parse(&target).ok()?.port_or_known_default()?;
        return Some(Asked { host: host_of(&target)?, port, head: None });
    }
    let url = Url::parse(target).ok().filter(|url| url.scheme() == "http")?;
    let mut on = format!("{method} {}", url.path());
    if let Some(query) = url.query() {
        on.push('?');
        on.push_str(query);
    }
    on.push_str(&format!(" {version}\r\n"));
    for line in headers.split("\r\n").filter(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or("").trim();
        // One request a connection: the next may go to another host.
        if !["connection", "proxy-connection", "proxy-authorization", "keep-alive"]
            .iter()
            .any(|hop| name.eq_ignore_ascii_case(hop))
        {
            on.push_str(line);
            on.push_str("\r\n");
        }
    }
    on.push_str("Connection: close\r\n\r\n");
    let port = url.port_or_known_default()?;
    Some(Asked { host: host_of(target)?, port, head: Some(on.into_bytes()) })
}

async fn resolve(state: &Mutex<State>, host: &str, port: u16) -> Result<SocketAddr, Refusal> {
    let may_be_private = {
        let mut state = locked(state);
        if !state.open {
            return Err(Refusal::Private);
        }
        if state.bytes_left.load(Ordering::Relaxed) == 0 {
            return Err(state.refuse(host, port, Refusal::TooMuch));
        }
        if !state.hosts.contains(host) {
            if state.hosts.len() >= state.most_hosts {
                return Err(state.refuse(host, port, Refusal::TooManyHosts));
            }
            state.hosts.insert(host.to_owned());
        }
        state.private_at.as_ref().is_some_and(|(h, p)| h == host && *p == port)
    };
    let found: Vec<SocketAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.collect(),
        Err(error) => {
            tracing::debug!(%error, "host name not resolved");
            Vec::new()
        }
    };
    if found.is_empty() {
        return Err(locked(state).refuse(host, port, Refusal::Unknown));
    }
    let allowed = found.into_iter().find(|address| match reach(address.ip()) {
        Reach::Public => true,
        Reach::Private => may_be_private,
        Reach::Never => false,
    });
    allowed.ok_or_else(|| locked(state).refuse(host, port, Refusal::Private))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_is_sent_on_in_origin_form() {
        let asked = understand(
            b"GET http://blogg.example:8080/a?b=c HTTP/1.1\r\nHost: blogg.example:8080\r\nProxy-Connection: keep-alive\r\nCookie: x\r\n\r\n",
        )
        .expect("understood");
        assert_eq!((asked.host.as_str(), asked.port), ("blogg.example", 8080));
        assert_eq!(
            String::from_utf8(asked.head.expect("a head")).expect("text"),
            "GET /a?b=c HTTP/1.1\r\nHost: blogg.example:8080\r\nCookie: x\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn a_tunnel_names_host_and_port() {
        let asked = understand(b"CONNECT [::1]:8443 HTTP/1.1\r\n\r\n").expect("understood");
        assert_eq!((asked.host.as_str(), asked.port), ("::1", 8443));
        assert!(asked.head.is_none());
        let asked = understand(b"CONNECT blogg.example:443 HTTP/1.1\r\n\r\n").expect("understood");
        assert_eq!((asked.host.as_str(), asked.port), ("blogg.example", 443));
    }

    #[test]
    fn nonsense_is_not_understood() {
        for head in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"GET file:///etc/passwd HTTP/1.1\r\n\r\n",
            b"GET\r\n\r\n",
            b"\r\n\r\n",
            b"\xff\xfe\r\n\r\n",
        ] {
            assert!(understand(head).is_none());
        }
    }

    #[tokio::test]
    async fn private_hosts_pass_only_where_named_and_only_while_open() {
        let gate = Gate::start().await.expect("a gate");
        assert!(gate.check("127.0.0.1", 80).await.is_err(), "closed");
        let most = Most { hosts: 3, bytes: 1 };
        let opened = gate.open("127.0.0.1", 80, true, most);
        assert!(gate.check("127.0.0.1", 80).await.is_ok());
        assert!(gate.check("127.0.0.2", 80).await.is_err(), "another host");
        assert!(gate.check("127.0.0.1", 81).await.is_err(), "another port");
        assert!(gate.check("169.254.169.254", 80).await.is_err());
        let refused = opened.close();
        let hosts: Vec<_> = refused.iter().map(|r| (r.host.as_str(), r.port, r.why)).collect();
        let private = |host, port| (host, port, Refusal::Private);
        let never = private("169.254.169.254", 80);
        assert_eq!(hosts, [private("127.0.0.2", 80), private("127.0.0.1", 81), never]);
        assert!(gate.check("127.0.0.1", 80).await.is_err(), "closed again");
        let _opened = gate.open("169.254.169.254", 80, true, most);
        assert!(gate.check("169.254.169.254", 80).await.is_err(), "never, even if named");
        let _opened = gate.open("127.0.0.1", 80, false, most);
        assert!(gate.check("127.0.0.1", 80).await.is_err());
    }

    #[tokio::test]
    async fn a_page_asks_so_many_hosts_and_gets_so_many_bytes_and_no_more() {
        let gate = Gate::start().await.expect("a gate");
        let opened = gate.open("127.0.0.1", 80, true, Most { hosts: 1, bytes: 10 });
        assert!(gate.check("127.0.0.1", 80).await.is_ok());
        assert!(gate.check("127.0.0.1", 80).await.is_ok(), "the same again");
        let second = gate.check("10.0.0.1", 80).await.expect_err("one more host");
        assert_eq!(second.why, Refusal::TooManyHosts);
        assert_eq!(opened.close().len(), 1);

        // A server that sends more than there is room for.
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = server.local_addr().expect("an address").port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = server.accept().await.expect("a call");
            drop(stream.write_all(&[b'x'; 5_000]).await);
        });
        let opened = gate.open("127.0.0.1", port, true, Most { hosts: 9, bytes: 1_000 });
        let mut client = TcpStream::connect(gate.at).await.expect("the gate");
        let ask = format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\n\r\n");
        client.write_all(ask.as_bytes()).await.expect("asked");
        let mut got = Vec::new();
        drop(client.read_to_end(&mut got).await);
        served.await.expect("served");
        assert!(got.len() <= 1_000, "{} bytes", got.len());
        let next = gate.check("127.0.0.1", port).await.expect_err("nothing more");
        assert_eq!(next.why, Refusal::TooMuch);
        assert_eq!(opened.close().len(), 1);
    }
}
