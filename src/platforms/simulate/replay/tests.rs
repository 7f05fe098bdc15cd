//! Recordings in every form, and connectors before what two real servers answered.

use std::path::Path;

use super::*;
use crate::platforms::Platform as _;
use crate::platforms::conformance::fetch_all;
use crate::platforms::http::HttpSettings;
use crate::platforms::mastodon::Mastodon;
use crate::platforms::settings::{MastodonSettings, WordPressSettings};
use crate::platforms::wordpress::WordPress;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

const ANYWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

async fn fixture(name: &str) -> Replay {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms/simulate/replay/fixtures");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    // Nothing that opens anything is kept in a fixture.
    for word in ["Bearer ", "Basic ", "Set-Cookie", "set-cookie"] {
        assert!(!text.contains(word), "{name} holds {word}");
    }
    Recording::read(&text).unwrap().play(SocketAddr::from(ANYWHERE)).await.unwrap()
}

async fn ask(replay: &Replay, path: &str) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(replay.base().join(path).unwrap()).send().await.unwrap();
    assert_eq!(answer.headers()[LABEL], "replay");
    (answer.status().as_u16(), answer.text().await.unwrap())
}

const HAR: &str = r#"{"log":{"version":"1.2","entries":[
  {"request":{"method":"GET","url":"https://graph.example/v26.0/me?fields=id,name&access_token=BORT"},
   "response":{"status":200,"headers":[{"name":"Content-Type","value":"application/json"},
     {"name":"content-encoding","value":"gzip"},
     {"name":"Link","value":"<https://graph.example/next?a=1>; rel=\"next\""}],
   "content":{"mimeType":"application/json","text":"eyJpZCI6IjEifQ==","encoding":"base64"}}},
  {"request":{"method":"GET","url":"https://graph.example/v26.0/me?fields=id,name"},
   "response":{"status":500,"content":{"text":"andra gången"}}}]}}"#;

const VCRPY: &str = r#"interactions:
- request:
    body: null
    headers:
      Accept:
      - '*/*'
    method: GET
    uri: https://graph.example/v26.0/me?access_token=BORT&fields=id,name
  response:
    body:
      string: !!binary |
        eyJpZCI6
        IjEifQ==
    headers:
      Content-Type:
      - application/json
      Link:
      - <https://graph.example/next?a=1>; rel="next"
    status:
      code: 200
      message: OK
- request:
    method: GET
    uri: https://graph.example/v26.0/me?fields=id,name
  response:
    body: {string: "andra g\u00e5ngen"}
    status: {code: 500, message: Internal Server Error}
version: 1
"#;

const VCR: &str = r#"---
http_interactions:
- request:
    method: get
    uri: https://graph.example/v26.0/me?fields=id,name
    body:
      encoding: US-ASCII
      string: ''
  response:
    status:
      code: 200
      message: OK
    headers:
      Content-Type:
      - application/json
      Link: '<https://graph.example/next?a=1>; rel="next"'
    body:
      encoding: UTF-8
      base64_string: |
        eyJpZCI6IjEifQ==
  recorded_at: Tue, 01 Nov 2026 04:58:44 GMT
- request:
    method: get
    uri: https://graph.example/v26.0/me?fields=id,name
  response:
    status:
      code: 500
    body:
      string: >-
        andra
        gången
recorded_with: VCR 6.0.0
"#;

#[tokio::test]
async fn every_form_is_played_back_in_order_without_secrets() {
    for (form, text) in [("har", HAR), ("vcrpy", VCRPY), ("vcr", VCR)] {
        let recording = Recording::read(text).unwrap();
        assert_eq!(recording.hosts().collect::<Vec<_>>(), ["graph.example"]);
        let replay = recording.play(SocketAddr::from(ANYWHERE)).await.unwrap();
        // Another token, and the query in another order.
        let path = "v26.0/me?access_token=EN-ANNAN&fields=id,name";
        assert_eq!(replay.unplayed().len(), 2, "{form}");
        assert_eq!(ask(&replay, path).await, (200, "{\"id\":\"1\"}".into()), "{form}");
        for _ in 0..2 {
            assert_eq!(
                ask(&replay, path).await,
                (500, "andra gången".into()),
                "{form}: the last stays"
            );
        }
        assert_eq!(replay.unplayed(), Vec::<String>::new());
        let (status, told) = ask(&replay, "v26.0/me?fields=id&access_token=HEMLIG").await;
        assert_eq!(status, 501);
        assert!(!told.contains("HEMLIG"), "{told}");
        let nearest = Some("GET /v26.0/me?fields=id%2Cname".to_owned());
        let call = "GET /v26.0/me?fields=id".to_owned();
        assert_eq!(replay.unmatched(), [Unmatched { call, nearest }]);
    }
}

#[tokio::test]
async fn links_to_the_next_page_lead_back_here() {
    let replay = Recording::read(VCRPY).unwrap().play(SocketAddr::from(ANYWHERE)).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer =
        client.get(replay.base().join("v26.0/me?fields=id,name").unwrap()).send().await.unwrap();
    let origin = replay.base().as_str().trim_end_matches('/');
    assert_eq!(answer.headers()["link"], format!("<{origin}/next?a=1>; rel=\"next\""));
}

#[test]
fn what_is_no_recording_is_told_with_where() {
    let table = [
        ("", "nothing"),
        ("{\"log\":{}}", "entries"),
        ("{", "EOF"),
        ("interactions: []", "holds no calls"),
        ("a: &x 1\nb: *x", "anchor"),
        ("a: 1\na: 2", "twice"),
        ("a: !own x", "tag"),
        ("a: 1\n---\nb: 2", "second document"),
        (
            "interactions:\n- request: {method: GET, uri: 'ingen adress'}\n  response: {status: {code: 200}}",
            "call 1",
        ),
    ];
    for (text, words) in table {
        let error = Recording::read(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text:?}: {error}");
    }
    let deep = "[".repeat(100) + &"]".repeat(100);
    assert!(Recording::read(&format!("a: {deep}")).is_err());
}

#[tokio::test]
async fn a_recorded_wordpress_is_read_as_the_real_one_was() {
    let replay = fixture("wordpress.yaml").await;
    let settings = WordPressSettings {
        site: replay.base().clone(),
        user: "redaktor".into(),
        password: Secret::new("något annat än vid inspelningen"),
        pretty_links: true,
        http: HttpSettings::loopback(),
    };
    let wordpress = WordPress::new(settings, Clock::system()).unwrap();
    let report = wordpress.check().await;
    let all = fetch_all(&wordpress, None).await;
    assert_eq!(replay.unmatched(), []);
    assert_eq!(report.unwrap().missing, Vec::<String>::new());
    assert_eq!(all.unwrap().items.len(), 25);
}

#[tokio::test]
async fn a_recorded_mastodon_is_read_as_the_real_one_was() {
    let replay = fixture("mastodon.har").await;
    let settings = MastodonSettings {
        server: replay.base().clone(),
        token: Secret::new("något annat än vid inspelningen"),
        moderator: false,
        limits: false,
        http: HttpSettings::loopback(),
    };
    let mastodon = Mastodon::new(settings, Clock::system()).unwrap();
    let report = mastodon.check().await;
    let all = fetch_all(&mastodon, None).await;
    assert_eq!(replay.unmatched(), []);
    assert_eq!(report.unwrap().acting_as, "@kommunen");
    assert!(all.unwrap().items.len() >= 20);
}
