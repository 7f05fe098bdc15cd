//! The people behind servers that speak Mastodon's interface: citizens who write, and the web page
//! through which one of them deletes. Shared by the integration tests and the connector's own
//! (which name `World` by another path).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Clock, HttpSettings, Mastodon, MastodonSettings, PlatformItemId, Secret, Url, World};

/// What another server than Mastodon does in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// snac: ids that begin with the time of the last change, threads one level at a time,
    /// deleting on its web page only, everything after a delay.
    Snac,
    /// The stand-in for Mastodon's whole interface.
    StandIn,
}

/// A server begun by `tests/real/mastodon/start` or `tests/real/mastodon-api/start`.
pub struct Server {
    pub make: Make,
    pub url: String,
    /// The municipality's token.
    pub token: String,
    citizen: String,
    pub client: reqwest::Client,
    written: Mutex<BTreeMap<PlatformItemId, String>>,
}

pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `bash tests/run`, which starts the server and sets it")
    })
}

/// What somebody else's change may take to be seen.
pub const PATIENCE: usize = 150;

impl Server {
    pub fn from_env(make: Make) -> Self {
        let own = |name: &str| match make {
            Make::Snac => setting(&format!("MASTODON_{name}")),
            Make::StandIn => setting(&format!("MASTODON_API_{name}")),
        };
        Self {
            make,
            url: own("URL"),
            token: own("KOMMUN_TOKEN"),
            citizen: own("CITIZEN1_TOKEN"),
            client: reqwest::Client::builder()
                .no_proxy()
                // snac closes after every answer without saying so.
                .pool_max_idle_per_host(0)
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            written: Mutex::default(),
        }
    }

    /// The municipality's connector.
    pub fn connector(&self) -> Mastodon {
        self.connector_with(&self.token)
    }

    /// The same where the server is the municipality's own.
    #[allow(dead_code, reason = "one of the two test binaries that share this file uses it")]
    pub fn moderator(&self) -> Mastodon {
        self.connector_as(&self.token, true, false)
    }

    /// The same where hiding limits the author there.
    #[allow(dead_code, reason = "one of the two test binaries that share this file uses it")]
    pub fn limiting(&self) -> Mastodon {
        self.connector_as(&self.token, true, true)
    }

    /// The same with another token.
    pub fn connector_with(&self, token: &str) -> Mastodon {
        self.connector_as(token, false, false)
    }

    fn connector_as(&self, token: &str, moderator: bool, limits: bool) -> Mastodon {
        let settings = MastodonSettings {
            server: Url::parse(&self.url).unwrap(),
            token: Secret::new(token),
            moderator,
            limits,
            http: HttpSettings::loopback(),
        };
        Mastodon::new(settings, Clock::system()).unwrap()
    }

    /// The id as the connector knows it.
    pub fn id(&self, status: &Value) -> PlatformItemId {
        let id = status["id"].as_str().expect("a status has an id");
        match self.make {
            Make::Snac => PlatformItemId::new(format!("0000000000{}", &id[10..])),
            Make::StandIn => PlatformItemId::new(id),
        }
    }

    pub async fn ask(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = format!("{}/api/v1/{path}", self.url);
        let mut call = self.client.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            call = call.json(&body);
        }
        let answer = call.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// As the municipality sees it.
    pub async fn see(&self, path: &str) -> Value {
        let (status, body) = self.ask(&self.token, Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn citizen(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(&self.citizen, method, path, Some(body)).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The municipality's own posts, the oldest last.
    async fn own(&self) -> Vec<Value> {
        let me = self.see("accounts/verify_credentials").await;
        let me = me["id"].as_str().unwrap().to_owned();
        let mut all: Vec<Value> = Vec::new();
        loop {
            let below = all.last().map(|post| format!("&max_id={}", post["id"].as_str().unwrap()));
            let path = format!("accounts/{me}/statuses?limit=40{}", below.unwrap_or_default());
            let Value::Array(page) = self.see(&path).await else { panic!("a list was expected") };
            let new: Vec<_> = page
                .into_iter()
                .filter(|post| all.iter().all(|old| old["id"] != post["id"]))
                .collect();
            if new.is_empty() {
                return all;
            }
            all.extend(new.into_iter().filter(|post| post["reblog"].is_null()));
        }
    }

    /// The municipality's oldest post.
    async fn first_post(&self) -> String {
        let own = self.own().await;
        let first = own.iter().rfind(|post| post["in_reply_to_id"].is_null());
        self.id(first.expect("the seed has posts")).to_string()
    }

    /// Deletes as the author does.
    async fn delete(&self, id: &PlatformItemId) {
        match self.make {
            Make::StandIn => {
                self.citizen(Method::DELETE, &format!("statuses/{id}"), Value::Null).await;
            }
            Make::Snac => {
                let status = self.see(&format!("statuses/{id}")).await;
                let user = setting("MASTODON_CITIZEN1_USER");
                let form = [
                    ("action", "Delete"),
                    ("id", status["uri"].as_str().unwrap()),
                    ("actor", &format!("{}/{user}", self.url)),
                    ("group", ""),
                    ("redir", ""),
                ];
                let call = self.client.post(format!("{}/{user}/admin/action", self.url));
                let password = setting("MASTODON_CITIZEN1_PASSWORD");
                let answer =
                    call.basic_auth(user, Some(password)).form(&form).send().await.unwrap();
                assert_eq!(answer.status().as_u16(), 303, "snac takes the form");
            }
        }
    }
}

#[async_trait]
impl World for Server {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        let mut found = BTreeSet::new();
        let mut open = Vec::new();
        for post in self.own().await {
            open.push(self.id(&post));
            if !post["in_reply_to_id"].is_null() {
                found.insert(self.id(&post));
            }
        }
        while let Some(id) = open.pop() {
            let thread = self.see(&format!("statuses/{id}/context")).await;
            for answer in thread["descendants"].as_array().unwrap() {
                let id = self.id(answer);
                let has_more = self.make == Make::Snac && answer["replies_count"] != 0;
                if found.insert(id.clone()) && has_more {
                    open.push(id);
                }
            }
        }
        let told = self.see("notifications?limit=80&types[]=mention").await;
        for note in told.as_array().unwrap() {
            if note["type"] == "mention" && note["status"].is_object() {
                found.insert(self.id(&note["status"]));
            }
        }
        let written = self.written.lock().unwrap();
        found.into_iter().map(|id| (id.clone(), written.get(&id).cloned())).collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let above = match parent {
            Some(parent) => parent.to_string(),
            None => self.first_post().await,
        };
        // snac brings what citizens say to each other only to those whom it names.
        let is_named = self.make == Make::Snac && parent.is_some();
        let said = if is_named { format!("@kommunen {text}") } else { text.to_owned() };
        let body = json!({"status": said, "in_reply_to_id": above, "visibility": "public"});
        let id = self.id(&self.citizen(Method::POST, "statuses", body).await);
        for _ in 0..PATIENCE {
            let thread = self.see(&format!("statuses/{above}/context")).await;
            let mut below = thread["descendants"].as_array().unwrap().iter();
            if below.any(|status| self.id(status) == id) {
                if !is_named {
                    self.written.lock().unwrap().insert(id.clone(), said);
                }
                return id;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the answer was not shown");
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        let path = format!("statuses/{id}");
        self.citizen(Method::PUT, &path, json!({"status": text})).await;
        self.written.lock().unwrap().insert(id.clone(), text.to_owned());
        for _ in 0..PATIENCE {
            if self.see(&path).await["content"].as_str().unwrap().contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the edit was not shown");
    }

    async fn remove(&self, id: &PlatformItemId) {
        self.delete(id).await;
        self.written.lock().unwrap().remove(id);
        for _ in 0..PATIENCE {
            if self.ask(&self.token, Method::GET, &format!("statuses/{id}"), None).await.0 == 404 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the deletion was not seen");
    }
}
