//! The people behind a real WordPress: visitors who write, and the site's administrator. Shared by
//! the integration tests and the connector's own (which name `World` by another path).

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Clock, HttpSettings, PlatformItemId, Secret, Url, WordPress, WordPressSettings, World,
};

/// A site begun by `tests/real/wordpress/start` and filled by `seed`.
pub struct Site {
    pub url: String,
    pub editor: (String, String),
    pub author: (String, String),
    admin: (String, String),
    client: reqwest::Client,
    written: Mutex<BTreeMap<PlatformItemId, String>>,
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `bash tests/run`, which starts WordPress and sets it")
    })
}

impl Site {
    pub fn from_env() -> Self {
        let login =
            |role: &str, user: String| (user, setting(&format!("WORDPRESS_{role}_APP_PASSWORD")));
        Self {
            url: setting("WORDPRESS_URL"),
            editor: login("EDITOR", setting("WORDPRESS_EDITOR_USER")),
            author: login("AUTHOR", setting("WORDPRESS_AUTHOR_USER")),
            admin: login("ADMIN", setting("WORDPRESS_ADMIN_USER")),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            written: Mutex::default(),
        }
    }

    /// The connector of the user who moderates.
    pub fn connector(&self) -> WordPress {
        self.connector_for(&self.editor)
    }

    /// The connector of any user.
    pub fn connector_for(&self, login: &(String, String)) -> WordPress {
        let settings = WordPressSettings {
            site: Url::parse(&self.url).unwrap(),
            user: login.0.clone(),
            password: Secret::new(login.1.clone()),
            pretty_links: true,
            http: HttpSettings::loopback(),
        };
        WordPress::new(settings, Clock::system()).unwrap()
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/wp-json/wp/v2/{path}", self.url);
        let mut call =
            self.client.request(method, url).basic_auth(&self.admin.0, Some(&self.admin.1));
        if let Some(body) = body {
            call = call.json(&body);
        }
        let answer = call.send().await.expect("WordPress answers");
        let status = answer.status();
        let body: Value = answer.json().await.expect("WordPress answers with JSON");
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    /// The status that the site itself gives, told to its administrator.
    pub async fn status(&self, id: &PlatformItemId) -> String {
        let comment = self.call(Method::GET, &format!("comments/{id}?context=edit"), None).await;
        comment["status"].as_str().unwrap().to_owned()
    }

    /// Another site says that it has linked to the first post: a comment of another kind.
    #[allow(dead_code, reason = "one of the two test binaries that share this file uses it")]
    pub async fn trackback(&self, excerpt: &str) {
        let posts = self.call(Method::GET, "posts?per_page=1&orderby=id&order=asc", None).await;
        let post = &posts[0]["id"];
        let open = json!({ "ping_status": "open" });
        self.call(Method::POST, &format!("posts/{post}"), Some(open)).await;
        // The number is looked for behind the last slash, where pretty links have it.
        let url = format!("{}/wp-trackback.php?x=/{post}", self.url);
        let number = uuid::Uuid::new_v4().simple();
        let form = [
            ("url", format!("https://grannkommunen.example/{number}")),
            ("title", "Så gör grannen".to_owned()),
            // WordPress takes the same words but once.
            ("excerpt", format!("{excerpt} {number}")),
            ("blog_name", "Grannkommunen".to_owned()),
        ];
        // WordPress takes one comment from an address in fifteen seconds, and ours have just been written.
        for _ in 0..12 {
            let sent = self.client.post(&url).form(&form).send().await.expect("WordPress answers");
            let status = sent.status();
            let text = sent.text().await.unwrap();
            if status != reqwest::StatusCode::TOO_MANY_REQUESTS {
                assert!(text.contains("<error>0</error>"), "{status}: {text}");
                return;
            }
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        }
        panic!("WordPress takes no trackback");
    }

    /// A plug-in writes a comment of a kind of its own, past REST.
    #[allow(dead_code, reason = "one of the two test binaries that share this file uses it")]
    pub fn by_plugin(&self, kind: &str, text: &str) -> PlatformItemId {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/wordpress/plugin-comment");
        let mut written = std::process::Command::new(script);
        let told = written.args([&setting("WORDPRESS_DATA"), kind, text]).output().unwrap();
        let id = String::from_utf8(told.stdout).unwrap();
        assert!(id.parse::<u64>().is_ok(), "{id}{}", String::from_utf8_lossy(&told.stderr));
        PlatformItemId::new(id)
    }

    /// Comments of every kind but what plug-ins note for themselves, so that nothing is amiss where something was left
    /// behind or others write at the same time.
    async fn all(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let path = format!(
                "comments?context=edit&status=any&type=all&orderby=id&order=asc&per_page=100&page={page}"
            );
            let Value::Array(comments) = self.call(Method::GET, &path, None).await else {
                panic!("a list of comments was expected");
            };
            if comments.is_empty() {
                break;
            }
            all.extend(comments);
        }
        all.retain(|comment| !comment["type"].as_str().unwrap().ends_with("_note"));
        all
    }
}

#[async_trait]
impl World for Site {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        let all = self.all().await;
        let written = self.written.lock().unwrap();
        all.iter()
            .map(|comment| PlatformItemId::new(comment["id"].to_string()))
            .map(|id| (id.clone(), written.get(&id).cloned()))
            .collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let parent: u64 = parent.map_or(0, |id| id.as_str().parse().unwrap());
        let posts = self.call(Method::GET, "posts?per_page=1&orderby=id&order=asc", None).await;
        // Somebody new each time: WordPress takes the same words from the same person but once.
        let number = uuid::Uuid::new_v4().simple();
        let comment = json!({
            "post": posts[0]["id"], "parent": parent, "content": text,
            "author_name": format!("Kim Exempel {number}"),
            "author_email": format!("kim{number}@medborgare.example"),
        });
        let comment = self.call(Method::POST, "comments", Some(comment)).await;
        let id = PlatformItemId::new(comment["id"].to_string());
        self.written.lock().unwrap().insert(id.clone(), text.to_owned());
        id
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        let body = json!({ "content": text });
        self.call(Method::POST, &format!("comments/{id}"), Some(body)).await;
        self.written.lock().unwrap().insert(id.clone(), text.to_owned());
    }

    async fn remove(&self, id: &PlatformItemId) {
        self.call(Method::DELETE, &format!("comments/{id}?force=true"), None).await;
        self.written.lock().unwrap().remove(id);
    }
}
