use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::*;

/// A server that gives every path one answer, and remembers what it was asked.
struct Server {
    url: Url,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What is sent, and whether the connection is then held open.
#[derive(Clone)]
enum Answer {
    Whole(String, Vec<u8>),
    /// A byte now and then, for ever.
    Trickle,
    /// Bytes without end and without a length.
    Flood,
}

impl Server {
    async fn start(answers: Vec<(&'static str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answers, heard) = (answers.clone(), Arc::clone(&heard));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while memchr::memmem::find(&head, b"\r\n\r\n").is_none() {
                        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
                    heard.lock().await.push(head);
                    let found = answers.iter().find(|(at, _)| *at == path);
                    let missing = Answer::Whole("404 Not Found".into(), Vec::new());
                    match found.map_or(missing, |(_, answer)| answer.clone()) {
                        Answer::Whole(head, body) => {
                            let head = format!(
                                "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                                body.len()
                            );
                            let _ = stream.write_all(head.as_bytes()).await;
                            let _ = stream.write_all(&body).await;
                        }
                        Answer::Trickle => {
                            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                            while stream.write_all(b"x").await.is_ok() {
                                tokio::time::sleep(Duration::from_millis(20)).await;
                            }
                        }
                        Answer::Flood => {
                            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                            while stream.write_all(&[0; 4096]).await.is_ok() {}
                        }
                    }
                });
            }
        });
        Self { url, asked }
    }

    fn at(&self, path: &str) -> String {
        self.url.join(path).unwrap().into()
    }
}

const BOUNDS: Bounds = Bounds { most_bytes: 10_000, within: Duration::from_secs(5) };

async fn fetch(address: &str, private_at: Option<&Url>) -> Result<Fetched, FetchError> {
    let leave = PictureLeave::for_test();
    Fetcher::new().unwrap().fetch(&leave, address, private_at, BOUNDS).await
}

fn ok(kind: &str, body: &[u8]) -> Answer {
    Answer::Whole(format!("200 OK\r\nContent-Type: {kind}"), body.to_vec())
}

fn on_to(address: &str) -> Answer {
    Answer::Whole(format!("302 Found\r\nLocation: {address}"), Vec::new())
}

#[tokio::test]
async fn what_may_not_be_copied_elsewhere_is_not_asked_for_here_nor_behind_a_redirect() {
    let server = Server::start(vec![
        ("/a?sig=2", ok("image/png", b"bilden")),
        ("/b", on_to("/a?sig=2")),
        ("/c", ok("image/png", b"en annan")),
        ("/%61", ok("image/png", b"bilden")),
    ])
    .await;
    let leave = PictureLeave::for_test_barring(vec![server.at("/a?sig=1")]);
    let fetcher = Fetcher::new().unwrap();
    for (path, is_barred) in [("/a?sig=2", true), ("/b", true), ("/c", false), ("/%61", true)] {
        let got = fetcher.fetch(&leave, &server.at(path), Some(&server.url), BOUNDS).await;
        let refused = matches!(got, Err(FetchError::NoLeave(NoPicture::Barred)));
        assert_eq!((refused, got.is_ok()), (is_barred, !is_barred), "{path}");
    }
    assert_eq!(server.asked.lock().await.len(), 2, "the redirect and what is free");
}

#[tokio::test]
async fn bytes_come_with_their_way_and_nothing_of_ours_goes_along() {
    let server = Server::start(vec![
        ("/a?sig=hemligt", on_to("/b#x")),
        ("/b", ok("image/png; charset=x", b"bilden")),
    ])
    .await;
    let got = fetch(&server.at("/a?sig=hemligt#frag"), Some(&server.url)).await.unwrap();
    assert_eq!(got.bytes, b"bilden");
    assert_eq!(got.stated_type.as_deref(), Some("image/png; charset=x"));
    let hops: Vec<_> = got.hops.iter().map(|h| (h.address.path(), h.status)).collect();
    assert_eq!(hops, [("/a", 302), ("/b", 200)]);
    for head in server.asked.lock().await.iter() {
        let head = head.to_ascii_lowercase();
        for ours in ["authorization", "cookie", "referer", "accept-encoding"] {
            assert!(!head.contains(ours), "{head}");
        }
    }
}

#[tokio::test]
async fn nothing_inside_the_house_is_asked_for() {
    let server = Server::start(vec![
        ("/x", ok("image/png", b"hemligt")),
        ("/meta", on_to("http://169.254.169.254/latest/meta-data/")),
        ("/in", on_to("http://10.0.0.1/")),
        ("/file", on_to("file:///etc/passwd")),
        ("/who", on_to("https://kim:hemligt@example.com/")),
    ])
    .await;
    let port = server.url.port().unwrap();
    // Other ways to write the same machine, and the account's own host at another port.
    let inside = [
        server.at("/x"),
        format!("http://localhost:{port}/x"),
        format!("http://[::1]:{port}/x"),
        format!("http://[::ffff:127.0.0.1]:{port}/x"),
        format!("http://2130706433:{port}/x"),
        format!("http://0x7f.1:{port}/x"),
        "http://0.0.0.0/".into(),
        "http://192.168.1.1/".into(),
        "http://169.254.169.254/latest/".into(),
        "http://[fd00::1]/".into(),
        "http://[64:ff9b::a9fe:a9fe]/".into(),
    ];
    let elsewhere = Url::parse("http://127.0.0.1:1/").unwrap();
    for address in inside {
        for own in [None, Some(&elsewhere)] {
            let got = fetch(&address, own).await;
            assert!(matches!(got, Err(FetchError::Private)), "{address}: {got:?}");
        }
    }
    assert_eq!(server.asked.lock().await.len(), 0, "nobody was asked");
    // From the account's own host, which may be asked, no way leads further inside.
    for (path, why) in [("/meta", "internt nät"), ("/in", "internt nät"), ("/file", "slaget file")]
    {
        let got = fetch(&server.at(path), Some(&server.url)).await.unwrap_err();
        assert!(got.swedish().contains(why), "{path}: {got:?}");
    }
    let got = fetch(&server.at("/who"), Some(&server.url)).await;
    assert!(matches!(got, Err(FetchError::Credentials)), "{got:?}");
    let got = fetch(&server.at("/x").replace("127.0.0.1", "127.0.0.2"), Some(&server.url)).await;
    assert!(matches!(got, Err(FetchError::Private)), "{got:?}");
    for address in ["ftp://a.example/", "data:image/png;base64,AA", "blob:x", "javascript:1"] {
        let got = fetch(address, None).await;
        assert!(matches!(got, Err(FetchError::Scheme(_))), "{address}: {got:?}");
    }
    assert!(matches!(fetch("/bara/en/väg", None).await, Err(FetchError::Unreadable)));
}

#[tokio::test]
async fn what_is_too_large_too_slow_or_goes_round_ends() {
    let server = Server::start(vec![
        ("/told", ok("image/png", &[0; 10_001])),
        ("/fits", ok("image/png", &[0; 10_000])),
        ("/flood", Answer::Flood),
        ("/trickle", Answer::Trickle),
        ("/round", on_to("/round")),
        ("/gone", Answer::Whole("410 Gone".into(), Vec::new())),
        ("/half", Answer::Whole("206 Partial Content".into(), b"x".to_vec())),
        ("/nowhere", Answer::Whole("302 Found".into(), Vec::new())),
    ])
    .await;
    let own = Some(&server.url);
    assert!(matches!(fetch(&server.at("/told"), own).await, Err(FetchError::TooLarge { .. })));
    assert_eq!(fetch(&server.at("/fits"), own).await.unwrap().bytes.len(), 10_000);
    assert!(matches!(fetch(&server.at("/flood"), own).await, Err(FetchError::TooLarge { .. })));
    assert!(matches!(fetch(&server.at("/round"), own).await, Err(FetchError::Endless)));
    assert_eq!(server.asked.lock().await.iter().filter(|h| h.contains("/round")).count(), 6);
    assert!(matches!(fetch(&server.at("/gone"), own).await, Err(FetchError::Status(410))));
    assert!(matches!(fetch(&server.at("/half"), own).await, Err(FetchError::Status(206))));
    assert!(matches!(fetch(&server.at("/nowhere"), own).await, Err(FetchError::Unreadable)));
    let bounds = Bounds { within: Duration::from_millis(100), ..BOUNDS };
    let leave = PictureLeave::for_test();
    let slow = Fetcher::new().unwrap().fetch(&leave, &server.at("/trickle"), own, bounds).await;
    assert!(matches!(slow, Err(FetchError::TimedOut { .. })), "{slow:?}");
}

#[test]
fn only_the_accounts_own_host_and_port_may_lie_inside() {
    let own = Url::parse("http://127.0.0.1:8081/api/").unwrap();
    let table = [
        ("http://127.0.0.1:8081/inlagg/5#c", true),
        ("http://127.0.0.7:8099/", false),
        ("http://127.0.0.1:8082/", false),
        ("http://127.0.0.1/", false),
        ("https://127.0.0.1:8081.example/", false),
        ("http://127.0.0.1:8081@10.0.0.1/", false),
    ];
    for (link, expected) in table {
        let link = Url::parse(link);
        assert_eq!(link.as_ref().is_ok_and(|link| is_at(&own, link)), expected, "{link:?}");
    }
}
