//! The only way out for the browser: a proxy on the loopback interface that resolves every host
//! itself, refuses those on private networks, and connects to the very address it has checked.
//!
//! A check before navigating would not do: pages redirect, load pictures from anywhere, and a name
//! may point elsewhere when it is asked the second time. Here every connection passes, and what
//! was checked is what is used. Closed between captures.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

use super::CaptureError;
use super::address::{AddressError, host_of};
use crate::runtime::network::{Reach, reach};

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

#[derive(Default)]
struct State {
    open: bool,
    /// The host and port that may lie on a private network.
    private_at: Option<(String, u16)>,
    refused: Vec<String>,
}

/// While this lives, the gate lets traffic through.
pub struct Opened {
    state: Arc<Mutex<State>>,
}

impl Opened {
    /// Lets nothing through any more; returns the hosts that were refused meanwhile.
    pub fn close(self) -> Vec<String> {
        std::mem::take(&mut locked(&self.state).refused)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        *locked(&self.state) = State::default();
    }
}

/// Why a host is not reached.
#[derive(Debug)]
pub enum Refusal {
    /// It lies on a network that it may not lie on.
    Private(String),
    /// Its name leads nowhere.
    Unknown,
}

impl From<Refusal> for CaptureError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Private(host) => Self::Private { host },
            Refusal::Unknown => Self::Address(AddressError::UnknownHost),
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
    /// `port` wherever it lies if `allow_private`.
    pub fn open(&self, host: &str, port: u16, allow_private: bool) -> Opened {
        *locked(&self.state) = State {
            open: true,
            private_at: allow_private.then(|| (host.to_owned(), port)),
            refused: Vec::new(),
        };
        Opened { state: Arc::clone(&self.state) }
    }

    /// Whether a host would be let through now.
    pub async fn check(&self, host: &str, port: u16) -> Result<(), Refusal> {
        resolve(&self.state, host, port).await.map(|_| ())
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
        Err(Refusal::Private(_)) => return answer(&mut client, "403 Forbidden").await,
        Err(Refusal::Unknown) => return answer(&mut client, "502 Bad Gateway").await,
    };
    let connected = tokio::time::timeout(HEAD_LIMIT, TcpStream::connect(address)).await;
    let Ok(Ok(mut server)) = connected else {
        return answer(&mut client, "502 Bad Gateway").await;
    };
    match asked.head {
        Some(head) => server.write_all(&head).await?,
        None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
    }
    server.write_all(&rest).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
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
    let (open, may_be_private) = {
        let state = locked(state);
        let named = state.private_at.as_ref().is_some_and(|(h, p)| h == host && *p == port);
        (state.open, named)
    };
    if !open {
        return Err(Refusal::Private(host.to_owned()));
    }
    let found: Vec<SocketAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.collect(),
        Err(error) => {
            tracing::debug!(%error, "host name not resolved");
            return Err(Refusal::Unknown);
        }
    };
    if found.is_empty() {
        return Err(Refusal::Unknown);
    }
    let allowed = found.into_iter().find(|address| match reach(address.ip()) {
        Reach::Public => true,
        Reach::Private => may_be_private,
        Reach::Never => false,
    });
    allowed.ok_or_else(|| {
        locked(state).refused.push(host.to_owned());
        Refusal::Private(host.to_owned())
    })
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
        let opened = gate.open("127.0.0.1", 80, true);
        assert!(gate.check("127.0.0.1", 80).await.is_ok());
        assert!(gate.check("127.0.0.2", 80).await.is_err(), "another host");
        assert!(gate.check("127.0.0.1", 81).await.is_err(), "another port");
        assert!(gate.check("169.254.169.254", 80).await.is_err());
        assert_eq!(opened.close(), ["127.0.0.2", "127.0.0.1", "169.254.169.254"]);
        assert!(gate.check("127.0.0.1", 80).await.is_err(), "closed again");
        let _opened = gate.open("169.254.169.254", 80, true);
        assert!(gate.check("169.254.169.254", 80).await.is_err(), "never, even if named");
        let _opened = gate.open("127.0.0.1", 80, false);
        assert!(gate.check("127.0.0.1", 80).await.is_err());
    }
}
