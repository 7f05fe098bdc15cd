use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::runtime::clock::TestClock;

use super::*;

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn client(base: &Url, settings: HttpSettings) -> Http {
    let settings = HttpSettings { allow_http_loopback: true, ..settings };
    let secrets = vec![Secret::new("hemligt")];
    Http::new(base, &settings, TestClock::at(now()).clock(), secrets).unwrap()
}

/// Answers every call with these bytes, after reading the head of it, and closes.
async fn server(answer: &'static str) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hemligt/x?token=hemligt", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 2048];
            let _ = stream.read(&mut head).await;
            if answer.is_empty() {
                // Silence, with the line held open.
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Url::parse(&url).unwrap()
}

async fn both(url: &Url, settings: HttpSettings) -> [Result<Answer, PlatformError>; 2] {
    let http = client(url, settings);
    [
        http.send(http.call(Method::GET, url.clone())).await,
        http.send(http.call(Method::POST, url.clone())).await,
    ]
}

fn quick() -> HttpSettings {
    HttpSettings { read_timeout: Duration::from_millis(300), ..HttpSettings::default() }
}

#[tokio::test]
async fn a_refused_connection_has_not_acted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    for answer in both(&url, quick()).await {
        let error = answer.unwrap_err();
        assert_eq!(error.class(), "transient");
        assert!(!error.may_have_acted(), "{error}");
    }
}

#[tokio::test]
async fn silence_and_broken_answers_may_have_acted_if_they_were_writes() {
    let table = [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nkort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        "rappakalja\r\n\r\n",
    ];
    for answer in table {
        let url = server(answer).await;
        let [read, write] = both(&url, quick()).await.map(Result::unwrap_err);
        assert_eq!((read.class(), write.class()), ("transient", "transient"), "{answer}");
        assert!(!read.may_have_acted() && write.may_have_acted(), "{answer}");
    }
}

#[tokio::test]
async fn no_error_text_holds_a_secret() {
    let refused = Url::parse("http://127.0.0.1:1/hemligt?token=hemligt").unwrap();
    let elsewhere = server(
        "HTTP/1.1 302 Found\r\nlocation: https://x.example/hemligt\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let large =
        server("HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\nabcdefghijklmnopqrstuvwxyzabcd").await;
    for url in [refused, elsewhere, large] {
        let settings = HttpSettings { max_body_bytes: 20, ..quick() };
        for answer in both(&url, settings).await {
            let text = format!("{:?}", answer.unwrap_err());
            assert!(!text.contains("hemligt"), "{text}");
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_name_the_mend() {
    let url = server(
        "HTTP/1.1 301 Moved\r\nlocation: https://ny.example/a?b=c\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    for answer in both(&url, quick()).await {
        let PlatformError::Contract { detail } = answer.unwrap_err() else { panic!("a contract") };
        assert!(detail.contains("https://ny.example;"), "{detail}");
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_cut_off() {
    let url =
        server("HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\nabcdefghijklmnopqrstuvwxyzabcd").await;
    let [small, _] = both(&url, HttpSettings { max_body_bytes: 30, ..quick() }).await;
    assert_eq!(small.unwrap().body.len(), 30);
    let [large, _] = both(&url, HttpSettings { max_body_bytes: 29, ..quick() }).await;
    assert_eq!(large.unwrap_err().class(), "contract");
}

#[test]
fn retry_after_is_read_in_both_forms_and_bounded() {
    let table = [
        ("120", Some("2026-11-21T12:02:00Z")),
        ("0", Some("2026-11-21T12:00:00Z")),
        ("999999999", Some("2026-11-22T12:00:00Z")),
        ("Sat, 21 Nov 2026 12:05:00 GMT", Some("2026-11-21T12:05:00Z")),
        ("Fri, 20 Nov 2026 12:05:00 GMT", Some("2026-11-21T12:00:00Z")),
        ("Fri, 21 Nov 2036 12:05:00 GMT", Some("2026-11-22T12:00:00Z")),
        ("-5", None),
        ("snart", None),
        ("", None),
    ];
    for (value, expected) in table {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        let expected = expected.map(|text| text.parse().unwrap());
        assert_eq!(retry_after(&headers, now()), expected, "{value}");
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_called_only_where_the_settings_allow_it() {
    // Nobody listens there: what is let through is refused by the machine.
    let url = Url::parse("https://localhost:1/x").unwrap();
    let call = async |allow_private| {
        let settings = HttpSettings { allow_private, ..HttpSettings::default() };
        let http = Http::new(&url, &settings, TestClock::at(now()).clock(), Vec::new()).unwrap();
        http.send(http.call(Method::POST, url.clone())).await.unwrap_err()
    };
    let refused = call(false).await;
    assert_eq!(refused.class(), "contract");
    assert!(refused.to_string().contains("`localhost` leads into a private network"), "{refused}");
    assert_eq!(call(true).await.class(), "transient");
}

/// What names are held to holds for addresses written as numbers, which are never looked up.
#[test]
fn an_address_inside_the_house_is_not_called_unless_it_is_meant() {
    let inside = HttpSettings { allow_private: true, ..HttpSettings::default() };
    let table = [
        ("https://93.184.215.14/", true, true),
        ("https://10.0.0.5/", false, true),
        ("https://192.168.1.1:8443/", false, true),
        ("https://[fd00::1]/", false, true),
        ("https://[::ffff:10.0.0.5]/", false, true),
        ("https://127.0.0.1/", false, true),
        ("https://169.254.169.254/", false, false),
        ("https://[fe80::1]/", false, false),
        ("https://0.0.0.0/", false, false),
    ];
    for (address, open, private) in table {
        let url = Url::parse(address).unwrap();
        assert_eq!(may_be_called(&url, &HttpSettings::default()).is_ok(), open, "{address}");
        assert_eq!(may_be_called(&url, &inside).is_ok(), private, "{address}");
    }
    let here = Url::parse("http://127.0.0.1:8080/").unwrap();
    assert!(may_be_called(&here, &HttpSettings::loopback()).is_ok());
}

#[test]
fn a_place_in_a_log_names_nobody() {
    let table = [
        (
            "https://api.x.com/2/dm_conversations/3333-2222/messages?text=hej",
            "api.x.com/2/dm_conversations/{}/messages #",
        ),
        ("https://graph.facebook.com/v25.0/1_2/comments", "graph.facebook.com/v25.0/{}/comments #"),
        (
            "https://business-api.tiktok.com/open_api/v1.3/business/comment/list/",
            "business-api.tiktok.com/open_api/v1.3/business/comment/list/",
        ),
        ("https://a.example/users/%C3%A5sa", "a.example/users/{} #"),
    ];
    for (url, shape) in table {
        let told = place(&url.parse().unwrap());
        assert!(told.starts_with(shape), "{told}");
        assert_eq!(told.contains('#'), shape.contains('#'), "{told}");
    }
}

/// A line that broke is tried again as after an error 500; a page says that somebody else answers.
#[tokio::test]
async fn json_that_was_cut_short_gives_no_long_wait_and_a_page_does() {
    const CUT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"data\":[";
    const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>Vi vilar.";
    const BROKEN: &str = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\n{\"data\":[";
    const TOLD: &str =
        "HTTP/1.1 200 OK\r\nRetry-After: 30\r\nContent-Length: 15\r\n\r\n<html>Vi vilar.";
    for (answer, seconds) in [(CUT, None), (PAGE, Some(600)), (BROKEN, Some(600)), (TOLD, Some(30))]
    {
        let [read, wrote] = both(&server(answer).await, quick()).await;
        for (got, is_write) in [(read, false), (wrote, true)] {
            let error = got.unwrap().object::<serde_json::Value>().unwrap_err();
            let PlatformError::Transient { may_have_acted, retry_at, .. } = &error else {
                panic!("{answer}: {error:?}");
            };
            let waits = retry_at.map(|at| at.duration_since(now()).as_secs());
            assert_eq!((waits, *may_have_acted), (seconds, is_write), "{answer}");
        }
    }
}
