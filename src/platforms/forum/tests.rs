//! The connector against a small site that writes lines and takes acts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use url::Url;

use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{ItemKind, LiveReading};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::Offer;
use crate::platforms::conformance::{self, World};
use crate::platforms::error::PlatformError;
use crate::platforms::forum::{OwnSite, push};
use crate::platforms::http::HttpSettings;
use crate::platforms::push::{PushRefused, PushRequest, PushSource as _};
use crate::platforms::settings::{OwnSiteActions, OwnSiteSettings, OwnSiteVerb};
use crate::platforms::{Platform, Receipt};
use crate::runtime::clock::{Clock, TestClock};
use crate::runtime::secret::Secret;

/// The site: a file of lines, and what was done to its items.
struct Site {
    directory: tempfile::TempDir,
    items: Mutex<BTreeMap<PlatformItemId, String>>,
    done: Done,
    base: Url,
}

/// Acts carried out, with every action id seen.
type Done = Arc<Mutex<(BTreeSet<(String, String)>, BTreeSet<String>)>>;

impl Site {
    async fn open() -> Self {
        let done = Done::default();
        let router = Router::new()
            .route("/acts", post(act))
            .route("/fault/{status}", post(fault))
            .with_state(Arc::clone(&done));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let directory = tempfile::tempdir().unwrap();
        Self { directory, items: Mutex::default(), done, base }
    }

    fn settings(&self, path: &str, can: &[OwnSiteVerb]) -> OwnSiteSettings {
        OwnSiteSettings {
            directory: Some(self.directory.path().to_owned()),
            push_secrets: vec![Secret::new("inåt")],
            actions: Some(OwnSiteActions {
                url: self.base.join(path).unwrap(),
                secret: Secret::new("utåt"),
                can: can.to_vec(),
                hide_effect: None,
                http: HttpSettings::loopback(),
            }),
        }
    }

    fn append(&self, line: &Value) {
        let path: PathBuf = self.directory.path().join("forum.jsonl");
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    fn item(&self, id: &PlatformItemId, text: &str, parent: Option<&PlatformItemId>) {
        self.append(&json!({
            "id": id, "text": text, "parent_id": parent, "post_id": "trad-1", "title": "Badet",
            "created_at": "2026-07-23T08:35:18+02:00",
        }));
        self.items.lock().unwrap().insert(id.clone(), text.to_owned());
    }
}

async fn act(State(done): State<Done>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let header = headers.get(push::SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    let secrets = [Secret::new("utåt")];
    if push::verify_signature(header, &body, &secrets, Clock::system().now()).is_err() {
        return (StatusCode::UNAUTHORIZED, "{}".into());
    }
    let act: Value = serde_json::from_slice(&body).unwrap();
    let [verb, id, action_id] =
        ["action", "id", "action_id"].map(|f| act[f].as_str().unwrap().to_owned());
    let mut done = done.lock().unwrap();
    let is_new_id = done.1.insert(action_id);
    let is_new = match verb.as_str() {
        "unhide" => done.0.remove(&("hide".into(), id)),
        "reply" => is_new_id,
        _ => done.0.insert((verb, id)),
    };
    let status = if is_new { "done" } else { "already" };
    (StatusCode::OK, json!({ "status": status }).to_string())
}

async fn fault(axum::extract::Path(status): axum::extract::Path<u16>) -> (StatusCode, String) {
    let body =
        json!({"error": "too_long", "message": "Svaret är för långt.", "status": "konstigt"});
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

#[async_trait]
impl World for Site {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        self.items
            .lock()
            .unwrap()
            .iter()
            .map(|(id, text)| (id.clone(), Some(text.clone())))
            .collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let id = PlatformItemId::new(uuid::Uuid::new_v4().to_string());
        self.item(&id, text, parent);
        id
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        self.item(id, text, None);
    }

    async fn remove(&self, id: &PlatformItemId) {
        self.append(&json!({"id": id, "deleted": true}));
        self.items.lock().unwrap().remove(id);
    }
}

const ALL: [OwnSiteVerb; 4] =
    [OwnSiteVerb::Hide, OwnSiteVerb::Unhide, OwnSiteVerb::Delete, OwnSiteVerb::Reply];

fn some_item() -> ItemAddress {
    ItemAddress {
        platform_id: PlatformItemId::new("a"),
        kind: ItemKind::Comment,
        post_id: Some(PlatformPostId::new("trad-1")),
        parent_id: None,
    }
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    let site = Site::open().await;
    let connector = OwnSite::new(site.settings("acts", &ALL), Clock::system()).unwrap();
    site.write("Första", None).await;
    conformance::everything(&connector, &site, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn what_the_site_has_not_declared_is_refused() {
    let site = Site::open().await;
    let connector = OwnSite::new(site.settings("acts", &[]), Clock::system()).unwrap();
    site.write("Första", None).await;
    conformance::everything(&connector, &site, &RemovalWarrant::for_test).await;
    let item = some_item();
    let hidden = connector.hide(RemovalWarrant::for_test(item.clone())).await;
    assert_eq!(hidden, PlatformError::not_offered("hide"));
    assert!(matches!(connector.capabilities().delete, Offer::ByHand { .. }));
    assert!(matches!(connector.read_live(&item).await, Ok(LiveReading::NotReadable { .. })));
}

#[tokio::test]
async fn an_answer_is_safe_to_send_again_with_its_key_and_a_second_hiding_is_not_an_old_one() {
    let site = Site::open().await;
    let connector = OwnSite::new(site.settings("acts", &ALL), Clock::system()).unwrap();
    let item = some_item();
    let hide = || connector.hide(RemovalWarrant::for_test(item.clone()));
    assert_eq!(connector.reply(&item, "Hej", "åtgärd-1").await, Ok(Receipt::Done("done".into())));
    let again = connector.reply(&item, "Hej", "åtgärd-1").await;
    assert_eq!(again, Ok(Receipt::AlreadySo("already".into())));
    assert_eq!(hide().await, Ok(Receipt::Done("done".into())));
    connector.unhide(&item).await.unwrap();
    assert_eq!(hide().await, Ok(Receipt::Done("done".into())));
    assert_eq!(site.done.lock().unwrap().1.len(), 4, "four attempts had ids of their own");
}

#[tokio::test]
async fn every_answer_of_the_site_has_its_class() {
    let site = Site::open().await;
    let table = [
        (200, "contract"),
        (400, "contract"),
        (401, "reauth_needed"),
        (403, "forbidden"),
        (404, "gone"),
        (422, "refused"),
        (429, "throttled"),
        (500, "transient"),
        (503, "transient"),
        (302, "contract"),
    ];
    for (status, class) in table {
        let settings = site.settings(&format!("fault/{status}"), &ALL);
        let connector = OwnSite::new(settings, Clock::system()).unwrap();
        let error = connector.unhide(&some_item()).await.unwrap_err();
        assert_eq!(error.class(), class, "{status}: {error:?}");
    }
}

#[tokio::test]
async fn a_missing_directory_is_told_and_passes() {
    let site = Site::open().await;
    let mut settings = site.settings("acts", &ALL);
    settings.directory = Some(site.directory.path().join("finns-inte"));
    let connector = OwnSite::new(settings, Clock::system()).unwrap();
    let error = connector.fetch(None, None).await.unwrap_err();
    assert_eq!(error.class(), "transient");
    assert_eq!(connector.check().await.unwrap().missing.len(), 1);
}

#[tokio::test]
async fn a_push_is_taken_only_with_its_signature() {
    let site = Site::open().await;
    let clock = TestClock::at("2026-11-21T12:00:00Z".parse().unwrap());
    let connector = OwnSite::new(site.settings("acts", &ALL), clock.clock()).unwrap();
    let now = clock.clock().now();
    let body = br#"{"id":"a","text":"Hej","created_at":"2026-07-23T08:35:18Z"}"#;
    let signature = push::sign(&Secret::new("inåt"), body, now);
    let headers = [("x-uppsikt-signature", signature.as_str())];
    let taken = connector.receive(PushRequest { headers: &headers, body }, now).unwrap();
    assert_eq!(taken.len(), 1);
    let other = PushRequest { headers: &headers, body: b"{}" };
    assert_eq!(connector.receive(other, now), Err(PushRefused::WrongSignature));
    let bare = PushRequest { headers: &[], body };
    assert!(matches!(connector.receive(bare, now), Err(PushRefused::NoSignature { .. })));
}

#[tokio::test]
async fn the_sample_in_the_fixtures_is_read_to_its_end() {
    let site = Site::open().await;
    let sample = include_str!("../../../fixtures/platforms/own-site/items.jsonl");
    std::fs::write(site.directory.path().join("items.jsonl"), sample).unwrap();
    let connector = OwnSite::new(site.settings("acts", &[]), Clock::system()).unwrap();
    let all = conformance::fetch_all(&connector, None).await.unwrap();
    let texts: Vec<_> = all.items.values().map(|item| item.text.as_str()).collect();
    assert_eq!(texts, ["När öppnar badet? Tack för svaret!", "Vi öppnar klockan 6 på måndag."]);
    assert_eq!(all.gone, BTreeSet::from([PlatformItemId::new("forum-8812")]));
    assert!(all.unreadable.is_empty());
    assert!(all.items.values().next_back().is_some_and(|item| item.by_us));
}
