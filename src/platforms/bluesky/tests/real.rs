//! Against Bluesky's own software, begun by `tests/real/bluesky/start`: server of the account, app view, directory
//! and moderation. In the long tier, since building it takes minutes. Its chat is closed software, and not there.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::{LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::bluesky::Bluesky;
use crate::platforms::conformance::{self, World, fetch_all};
use crate::platforms::error::PlatformError;
use crate::platforms::http::HttpSettings;
use crate::platforms::settings::BlueskySettings;
use crate::platforms::{Platform, Receipt};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

use std::collections::BTreeMap;

/// What somebody else's change may take to be seen.
const PATIENCE: usize = 150;

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run `bash tests/run --long`, which starts the network and sets it"
        )
    })
}

/// The network, and a citizen on it.
struct Network {
    pds: String,
    client: reqwest::Client,
    citizen: (String, String),
    /// The municipality, as it is in the app.
    own: (String, String),
    /// The post of ours under which people write.
    post: Mutex<Option<Value>>,
}

impl Network {
    async fn open() -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let pds = setting("BLUESKY_PDS");
        let session = async |who: &str| {
            let body = json!({
                "identifier": setting(&format!("BLUESKY_{who}_HANDLE")),
                "password": setting(&format!("BLUESKY_{who}_PASSWORD")),
            });
            let url = format!("{pds}/xrpc/com.atproto.server.createSession");
            let told = client.post(url).json(&body).send().await.unwrap();
            let told: Value = told.json().await.unwrap();
            let field = |name: &str| told[name].as_str().unwrap().to_owned();
            (field("did"), field("accessJwt"))
        };
        let (citizen, own) = (session("CITIZEN1").await, session("KOMMUN").await);
        let network = Self { pds, client, citizen, own, post: Mutex::default() };
        let post = network.publish(&network.own, "Badet öppnar den 3 maj.", None).await;
        *network.post.lock().await = Some(post);
        network
    }

    fn connector(&self, password: &str) -> Bluesky {
        let settings = BlueskySettings {
            server: Url::parse(&self.pds).unwrap(),
            handle: setting("BLUESKY_KOMMUN_HANDLE"),
            password: Secret::new(password),
            app: Url::parse("http://localhost/").unwrap(),
            http: HttpSettings::loopback(),
        };
        Bluesky::new(settings, Clock::system()).unwrap()
    }

    async fn call(
        &self,
        who: &(String, String),
        method: Method,
        name: &str,
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> Value {
        let mut url = Url::parse(&format!("{}/xrpc/{name}", self.pds)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let mut call = self.client.request(method, url).bearer_auth(&who.1);
        if let Some(body) = body {
            call = call.json(&body);
        }
        call.send().await.unwrap().json().await.unwrap_or_default()
    }

    /// A post as it is referred to: its address and its content's mark.
    async fn shown(&self, uri: &str) -> Option<Value> {
        let query = [("uris", uri)];
        let told =
            self.call(&self.citizen, Method::GET, "app.bsky.feed.getPosts", &query, None).await;
        told["posts"].get(0).cloned()
    }

    /// Comes back when the app view shows what was asked for.
    async fn wait(&self, uri: &str, is_there: impl Fn(Option<&Value>) -> bool) {
        for _ in 0..PATIENCE {
            if is_there(self.shown(uri).await.as_ref()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{uri} is not seen as it should be");
    }

    async fn publish(&self, who: &(String, String), text: &str, reply: Option<Value>) -> Value {
        let now = Clock::system().now().to_string();
        let mut record = json!({
            "$type": "app.bsky.feed.post", "text": text, "langs": ["sv"], "createdAt": now,
        });
        if let Some(reply) = reply {
            record["reply"] = reply;
        }
        let body = json!({"repo": who.0, "collection": "app.bsky.feed.post", "record": record});
        let name = "com.atproto.repo.createRecord";
        let made = self.call(who, Method::POST, name, &[], Some(body)).await;
        let uri = made["uri"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        self.wait(&uri, |post| post.is_some()).await;
        json!({"uri": uri, "cid": made["cid"]})
    }

    /// All that stands in a thread below its first post.
    fn below(view: &Value, all: &mut BTreeMap<PlatformItemId, Option<String>>) {
        for reply in view["replies"].as_array().into_iter().flatten() {
            if let Some(uri) = reply["post"]["uri"].as_str() {
                let text = reply["post"]["record"]["text"].as_str().map(str::to_owned);
                all.insert(PlatformItemId::new(uri), text);
            }
            Self::below(reply, all);
        }
    }
}

#[async_trait]
impl World for Network {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        let post = self.post.lock().await.clone().unwrap();
        let query = [("uri", post["uri"].as_str().unwrap()), ("depth", "1000")];
        let name = "app.bsky.feed.getPostThread";
        let told = self.call(&self.citizen, Method::GET, name, &query, None).await;
        let mut all = BTreeMap::new();
        Self::below(&told["thread"], &mut all);
        all
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let root = self.post.lock().await.clone().unwrap();
        let parent = match parent {
            None => root.clone(),
            Some(parent) => {
                let shown = self.shown(parent.as_str()).await.unwrap();
                json!({"uri": shown["uri"], "cid": shown["cid"]})
            }
        };
        let reply = json!({"root": root, "parent": parent});
        let made = self.publish(&self.citizen, text, Some(reply)).await;
        PlatformItemId::new(made["uri"].as_str().unwrap())
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        let shown = self.shown(id.as_str()).await.unwrap();
        let mut record = shown["record"].clone();
        record["text"] = text.into();
        let rkey = id.as_str().rsplit('/').next().unwrap();
        let body = json!({
            "repo": self.citizen.0, "collection": "app.bsky.feed.post", "rkey": rkey,
            "record": record,
        });
        let name = "com.atproto.repo.putRecord";
        self.call(&self.citizen, Method::POST, name, &[], Some(body)).await;
        self.wait(id.as_str(), |post| post.is_some_and(|post| post["record"]["text"] == text))
            .await;
    }

    async fn remove(&self, id: &PlatformItemId) {
        let rkey = id.as_str().rsplit('/').next().unwrap();
        let body = json!({
            "repo": self.citizen.0, "collection": "app.bsky.feed.post", "rkey": rkey,
        });
        let name = "com.atproto.repo.deleteRecord";
        self.call(&self.citizen, Method::POST, name, &[], Some(body)).await;
        self.wait(id.as_str(), |post| post.is_none()).await;
    }

    async fn shows(&self, id: &PlatformItemId) {
        self.wait(id.as_str(), |post| post.is_some()).await;
    }
}

/// One test, since all share one network and some look at the whole of it.
#[tokio::test]
#[ignore = "the long tier starts Bluesky's own software for it"]
async fn bluesky_itself_keeps_every_promise() {
    let network = Network::open().await;
    let bluesky = network.connector(&setting("BLUESKY_KOMMUN_APP_PASSWORD"));
    conformance::everything(&bluesky, &network, &RemovalWarrant::for_test).await;

    // Hidden by the thread's gate, which holds what is hidden already as well.
    let mut hidden = Vec::new();
    for text in ["Skamligt!", "Avgå!"] {
        let id = network.write(text, None).await;
        let all = fetch_all(&bluesky, None).await.unwrap();
        let item = ItemAddress::from(&all.items[&id]);
        let done = bluesky.hide(RemovalWarrant::for_test(item.clone())).await.unwrap();
        assert!(matches!(done, Receipt::Done(_)), "{done:?}");
        hidden.push(item);
    }
    for item in &hidden {
        let LiveReading::Present(read) = bluesky.read_live(item).await.unwrap() else {
            panic!("hidden is not gone")
        };
        assert_eq!(read.presence, Presence::Hidden);
    }
    let reported = bluesky.report(&hidden[0], "Olaga hot").await;
    assert!(matches!(reported, Ok(Receipt::Done(_))), "{reported:?}");

    shown_again_is_shown(&bluesky, &hidden).await;
    our_own_answer_is_there_and_what_is_not_ours_stays(&bluesky, &network).await;
    a_login_taken_back_needs_a_new_one_and_nothing_is_missed(&network).await;
}

/// Of two hidden answers one is shown again, and the other stays hidden: one record holds both.
async fn shown_again_is_shown(bluesky: &Bluesky, hidden: &[ItemAddress]) {
    assert!(matches!(bluesky.unhide(&hidden[0]).await, Ok(Receipt::Done(_))));
    for (item, expected) in hidden.iter().zip([Presence::Visible, Presence::Hidden]) {
        let LiveReading::Present(read) = bluesky.read_live(item).await.unwrap() else {
            panic!("it is there")
        };
        assert_eq!(read.presence, expected);
    }
}

/// Sent twice under one key it is one answer, and it is read back under the post that it answers. What others wrote
/// nobody but they can delete: refused before anything is called, and it stays.
async fn our_own_answer_is_there_and_what_is_not_ours_stays(bluesky: &Bluesky, network: &Network) {
    let id = network.write("När öppnar ni?", None).await;
    let all = fetch_all(bluesky, None).await.unwrap();
    let question = ItemAddress::from(&all.items[&id]);
    let first = bluesky.reply(&question, "Klockan 8.", "en-nyckel").await.unwrap();
    let again = bluesky.reply(&question, "Klockan 8.", "en-nyckel").await.unwrap();
    let (Receipt::Done(one), Receipt::Done(two) | Receipt::AlreadySo(two)) = (&first, &again)
    else {
        panic!("{first:?} {again:?}")
    };
    assert_eq!(one, two, "the same key never makes two");
    network.shows(&PlatformItemId::new(one.as_str())).await;
    let thread = network.truth().await;
    let said = thread.values().filter(|text| text.as_deref() == Some("Klockan 8.")).count();
    assert_eq!(said, 1);
    let refused = bluesky.delete(RemovalWarrant::for_test(question.clone())).await;
    assert_eq!(refused, PlatformError::not_offered("delete"));
    assert!(matches!(bluesky.read_live(&question).await, Ok(LiveReading::Present(_))));
}

/// The app password is taken back while the connector holds a session; a new one goes on where the old one ended.
async fn a_login_taken_back_needs_a_new_one_and_nothing_is_missed(network: &Network) {
    let wrong = network.connector("fel-fel-fel-fel").fetch(None, None).await.unwrap_err();
    assert!(matches!(wrong, PlatformError::ReauthNeeded { .. }), "{wrong:?}");
    let own = &network.own;
    let make = async |name: &str| {
        let body = json!({ "name": name });
        let call = "com.atproto.server.createAppPassword";
        let made = network.call(own, Method::POST, call, &[], Some(body)).await;
        made["password"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    };
    let name = format!("prov-{}", Clock::system().now().as_millisecond());
    let taken_back = make(&name).await;
    let bluesky = network.connector(&taken_back);
    let before = fetch_all(&bluesky, None).await.expect("logged in");
    let body = json!({ "name": name });
    network.call(own, Method::POST, "com.atproto.server.revokeAppPassword", &[], Some(body)).await;
    let late = network.write("Skrivet medan ingen var inloggad", None).await;
    // What a session may still do until it is renewed is the network's matter; one that begins is refused.
    let refused = network.connector(&taken_back).fetch(None, None).await.unwrap_err();
    assert!(matches!(refused, PlatformError::ReauthNeeded { .. }), "{refused:?}");
    let again = network.connector(&make(&format!("{name}-ny")).await);
    let after = fetch_all(&again, before.cursor.as_ref()).await.expect("logged in anew");
    assert!(after.items.contains_key(&late), "what was written meanwhile is read");
}
