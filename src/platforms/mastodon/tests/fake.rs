//! A small Mastodon: as much of the interface as the connector uses, with the manners that
//! servers of different make were seen to have.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::ids::PlatformItemId;
use crate::platforms::conformance::World;
use crate::platforms::html;
use crate::platforms::simulate::server::Call;
use crate::platforms::testing::{Fake, Fakes, item_id, number, ok, told};
use crate::runtime::clock::Clock;

pub const ME: &str = "1";
pub const KIM: &str = "2";

/// How a server behaves.
#[derive(Clone, Copy)]
pub struct Manners {
    /// Sends `Link`.
    pub links: bool,
    /// Shows one level of a thread at a time.
    pub shallow: bool,
    /// Knows `max_id` in the list of an account's posts.
    pub own_list_pages: bool,
    /// How many notifications it keeps.
    pub kept: usize,
    /// Publishes to everybody whatever is asked for.
    pub opens: bool,
    /// Calls in five minutes, where it counts them.
    pub limit: Option<u64>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            links: true,
            shallow: false,
            own_list_pages: true,
            kept: usize::MAX,
            opens: false,
            limit: None,
        }
    }
}

#[derive(Clone)]
pub struct Post {
    pub id: u64,
    pub author: String,
    pub text: String,
    pub parent: Option<u64>,
    pub visibility: String,
    at: Timestamp,
    edited: Option<Timestamp>,
}

pub struct Server {
    manners: Manners,
    clock: Clock,
    posts: BTreeMap<u64, Post>,
    last_id: u64,
    keys: BTreeMap<String, u64>,
    scopes: Vec<String>,
    left: u64,
    reports: Vec<Value>,
    /// What its moderators have to look at: the number of the report, and that of the post.
    reported: Vec<(u64, u64)>,
    /// Posts of which the thread cannot be had, and the status that says so.
    broken: BTreeMap<u64, u16>,
    /// Who has blocked us.
    blocking: BTreeSet<String>,
    /// Whom the server's moderators have limited.
    limited: BTreeSet<String>,
}

impl Fake<Server> {
    pub async fn open(manners: Manners, clock: Clock) -> Self {
        let scopes = ["read", "write:statuses", "write:reports"].map(str::to_owned).to_vec();
        Self::start(Server {
            manners,
            clock,
            posts: BTreeMap::new(),
            last_id: 1_000,
            keys: BTreeMap::new(),
            scopes,
            left: manners.limit.unwrap_or(0),
            reports: Vec::new(),
            reported: Vec::new(),
            broken: BTreeMap::new(),
            blocking: BTreeSet::new(),
            limited: BTreeSet::new(),
        })
        .await
    }

    /// Puts a post there.
    pub fn post(&self, author: &str, text: &str, parent: Option<u64>, visibility: &str) -> u64 {
        self.world().add(author, text, parent, visibility)
    }

    /// A post of ours with so many answers and as many mentions.
    pub fn fill(&self, n: u64) {
        let post = self.post(ME, "Badet öppnar", None, "public");
        for i in 0..n {
            self.post(KIM, &format!("Kommentar {i}"), Some(post), "public");
            self.post(KIM, &format!("@kommunen nummer {i}"), None, "public");
        }
    }

    pub fn status(&self, id: u64) -> Post {
        self.world().posts[&id].clone()
    }

    pub fn notification(&self, id: u64) -> Value {
        let inner = self.world();
        inner.notification(&inner.posts[&id])
    }

    /// From now on the thread around a post cannot be had.
    pub fn break_thread(&self, id: u64, status: u16) {
        self.world().broken.insert(id, status);
    }

    /// The thread can be had again.
    pub fn mend_thread(&self, id: u64) {
        self.world().broken.remove(&id);
    }

    /// From now on somebody's posts are not shown to us.
    pub fn block(&self, author: &str) {
        self.world().blocking.insert(author.to_owned());
    }

    /// Somebody reports a post to the server's moderators.
    pub fn tell_moderators(&self, id: u64) {
        let mut inner = self.world();
        let number = 100 + inner.reported.len() as u64;
        inner.reported.push((number, id));
    }

    /// How many reports are open.
    pub fn n_reported(&self) -> usize {
        self.world().reported.len()
    }

    pub fn forget_keys(&self) {
        self.world().keys.clear();
    }

    pub fn set_scopes(&self, scopes: &[&str]) {
        self.world().scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    pub fn refill(&self) {
        let mut inner = self.world();
        inner.left = inner.manners.limit.unwrap_or(0);
    }

    pub fn report(&self) -> Value {
        self.world().reports.last().unwrap().clone()
    }
}

impl Server {
    fn add(&mut self, author: &str, text: &str, parent: Option<u64>, visibility: &str) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let at = self.clock.now();
        let (author, text, visibility) =
            (author.to_owned(), text.to_owned(), visibility.to_owned());
        self.posts.insert(id, Post { id, author, text, parent, visibility, at, edited: None });
        id
    }

    fn answers(&self, id: u64) -> impl Iterator<Item = &Post> {
        self.posts.values().filter(move |post| post.parent == Some(id))
    }

    fn view(&self, post: &Post) -> Value {
        let (acct, name) = if post.author == ME {
            ("kommunen", "Exempelstad")
        } else {
            ("kim@annan.example", "Kim Exempel")
        };
        // Said only of those of whom it is so.
        let picture = "https://s.example/x.png";
        let mut account = json!({
            "id": post.author, "acct": acct, "username": acct.split('@').next(), "display_name": name,
            "url": "https://s.example/@x", "uri": "https://s.example/users/x", "note": "",
            "avatar": picture, "avatar_static": picture, "header": picture, "header_static": picture,
            "bot": false, "group": false, "locked": false, "indexable": false, "fields": [],
            "emojis": [], "followers_count": 0, "following_count": 0, "statuses_count": 1,
            "created_at": "2026-01-01T00:00:00.000Z",
        });
        if self.limited.contains(&post.author) {
            account["limited"] = true.into();
        }
        let content = html::escape(&post.text).replace('\n', "<br />");
        json!({
            "id": post.id.to_string(), "uri": format!("https://s.example/p/{}", post.id),
            "url": format!("https://s.example/@x/{}", post.id),
            "account": account,
            "content": format!("<p>{content}</p>"), "created_at": post.at.to_string(),
            "edited_at": post.edited.map(|at| at.to_string()), "visibility": post.visibility,
            "in_reply_to_id": post.parent.map(|id| id.to_string()), "spoiler_text": "",
            "replies_count": self.answers(post.id).count(), "mentions": [], "media_attachments": [],
            "emojis": [], "tags": [], "sensitive": false, "favourites_count": 0, "reblogs_count": 0,
        })
    }

    fn names_us(post: &Post) -> bool {
        post.author != ME && post.text.contains("@kommunen")
    }

    /// Numbered apart from posts, and newer ones higher.
    fn notification(&self, post: &Post) -> Value {
        let (id, status) = ((post.id + 500_000).to_string(), self.view(post));
        json!({"id": id, "type": "mention", "group_key": format!("ungrouped-{id}"),
            "account": status["account"], "created_at": post.at.to_string(), "status": status})
    }

    fn under(&self, id: u64, found: &mut Vec<Value>) {
        for answer in self.answers(id) {
            found.push(self.view(answer));
            if !self.manners.shallow {
                self.under(answer.id, found);
            }
        }
    }

    fn above(&self, post: &Post) -> Vec<Value> {
        let mut found = Vec::new();
        let mut next = post.parent;
        while let Some(above) = next.and_then(|id| self.posts.get(&id)) {
            found.push(self.view(above));
            next = above.parent.filter(|_| !self.manners.shallow);
        }
        found.reverse();
        found
    }

    /// Cuts a page out of what is listed newest first.
    fn page(
        &self,
        all: Vec<Value>,
        query: &BTreeMap<String, String>,
        most: usize,
        knows_max_id: bool,
    ) -> Response {
        let id = |value: &Value| value["id"].as_str().unwrap().parse::<u64>().unwrap();
        let below: Option<u64> =
            query.get("max_id").filter(|_| knows_max_id).map(|id| id.parse().unwrap());
        let limit = query.get("limit").map_or(20, |limit| limit.parse().unwrap()).min(most);
        let shown: Vec<_> = all
            .into_iter()
            .filter(|value| below.is_none_or(|below| id(value) < below))
            .take(limit)
            .collect();
        let mut answer = ok(&json!(shown));
        if self.manners.links
            && let (Some(first), Some(last)) = (shown.first(), shown.last())
        {
            let mut link = format!("<https://s.example/?min_id={}>; rel=\"prev\"", id(first));
            if shown.len() == limit {
                link = format!("<https://s.example/?max_id={}>; rel=\"next\", {link}", id(last));
            }
            answer.headers_mut().insert(header::LINK, HeaderValue::from_str(&link).unwrap());
        }
        answer
    }
}

fn fault(status: u16) -> Response {
    told(status, &json!({"error": "På svenska"}))
}

impl Fakes for Server {
    fn now(&self) -> Option<Timestamp> {
        Some(self.clock.now())
    }

    fn answer(&mut self, call: &Call) -> Response {
        let is_read = call.method == "GET" && call.uri.path().starts_with("/api/v1/statuses/");
        if call.bearer().is_none() && is_read {
            let id = call.uri.path().rsplit('/').next().and_then(|id| id.parse::<u64>().ok());
            let post = id.and_then(|id| self.posts.get(&id));
            return post.map_or_else(|| fault(404), |post| ok(&self.view(post)));
        }
        if call.bearer() != Some("hemlig-nyckel") {
            return fault(401);
        }
        let mut answer = serve(self, call);
        if let Some(limit) = self.manners.limit {
            self.left = self.left.saturating_sub(1);
            let (limit, left) = (HeaderValue::from(limit), HeaderValue::from(self.left));
            answer.headers_mut().insert("x-ratelimit-limit", limit);
            answer.headers_mut().insert("x-ratelimit-remaining", left);
            let reset = HeaderValue::from_static("2026-11-21T12:05:00.500000Z");
            answer.headers_mut().insert("x-ratelimit-reset", reset);
        }
        answer
    }
}

fn serve(inner: &mut Server, call: &Call) -> Response {
    let query = call.query_by_name();
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let path = call.uri.path().strip_prefix("/api/v1/").unwrap_or("");
    match (call.method.as_str(), path) {
        ("GET", "accounts/verify_credentials") => ok(&json!({"id": ME, "acct": "kommunen"})),
        ("GET", "apps/verify_credentials") => ok(&json!({"name": "x", "scopes": inner.scopes})),
        ("GET", "accounts/1/statuses") => {
            let own = inner.posts.values().rev().filter(|post| post.author == ME);
            let own = own.map(|post| inner.view(post)).collect();
            inner.page(own, &query, 40, inner.manners.own_list_pages)
        }
        ("GET", "notifications") => {
            assert_eq!(query.contains_key("include_filtered"), query["limit"] != "1");
            let named = inner.posts.values().rev().filter(|post| Server::names_us(post));
            let named = named.take(inner.manners.kept).map(|post| inner.notification(post));
            inner.page(named.collect(), &query, 80, true)
        }
        ("GET", "admin/reports") => {
            if !inner.scopes.iter().any(|scope| scope == "admin:read:reports") {
                return fault(403);
            }
            // With whatever value.
            if query.contains_key("resolved") {
                return ok(&json!([]));
            }
            let view = |(number, id): &(u64, u64)| {
                json!({"id": number.to_string(), "action_taken": false, "comment": "Kim Exempel tycker illa om det",
                    "statuses": inner.posts.get(id).map(|post| inner.view(post)).into_iter().collect::<Vec<_>>()})
            };
            let of = query.get("target_account_id");
            let is_of = |(_, id): &&(u64, u64)| {
                of.is_none_or(|of| inner.posts.get(id).is_some_and(|post| post.author == *of))
            };
            let all = inner.reported.iter().rev().filter(is_of).map(view).collect();
            inner.page(all, &query, 40, true)
        }
        ("POST", "statuses") => publish(inner, &call.headers, &body),
        ("POST", "reports") => {
            inner.reports.push(body);
            ok(&json!({"id": "9001"}))
        }
        _ if call.uri.path() == "/api/v2/instance" => {
            ok(&json!({"configuration": {"statuses": {"max_characters": 1_000}}}))
        }
        (method, path) if path.starts_with("admin/") => moderate(inner, method, path, &body),
        (method, path) => one(inner, method, path),
    }
}

fn moderate(inner: &mut Server, method: &str, path: &str, body: &Value) -> Response {
    if method == "POST" && !inner.scopes.iter().any(|scope| scope == "admin:write") {
        return fault(403);
    }
    let parts: Vec<_> = path.split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["admin", "accounts", id]) => {
            ok(&json!({"id": id, "silenced": inner.limited.contains(*id), "suspended": false}))
        }
        ("POST", ["admin", "accounts", id, "action"]) if body["type"] == "silence" => {
            inner.limited.insert((*id).to_owned());
            ok(&json!({}))
        }
        ("POST", ["admin", "accounts", id, "unsilence"]) => {
            inner.limited.remove(*id);
            ok(&json!({"id": id, "silenced": false, "suspended": false}))
        }
        ("POST", ["admin", "reports", id, "resolve"]) => {
            inner.reported.retain(|(number, _)| number.to_string() != *id);
            ok(&json!({"id": id, "action_taken": true}))
        }
        _ => fault(404),
    }
}

fn one(inner: &mut Server, method: &str, path: &str) -> Response {
    let Some((id, rest)) = path
        .strip_prefix("statuses/")
        .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        .and_then(|(id, rest)| Some((id.parse::<u64>().ok()?, rest)))
    else {
        return fault(404);
    };
    let Some(post) = inner.posts.get(&id).cloned() else { return fault(404) };
    if inner.blocking.contains(&post.author) {
        return fault(404);
    }
    match (method, rest) {
        ("GET", "") => ok(&inner.view(&post)),
        ("GET", "context") if inner.broken.contains_key(&id) => fault(inner.broken[&id]),
        ("GET", "context") => {
            let mut below = Vec::new();
            inner.under(id, &mut below);
            ok(&json!({"ancestors": inner.above(&post), "descendants": below}))
        }
        ("DELETE", "") if post.author != ME => fault(404),
        ("DELETE", "") => {
            inner.posts.remove(&id);
            ok(&inner.view(&post))
        }
        _ => fault(404),
    }
}

fn publish(inner: &mut Server, headers: &HeaderMap, body: &Value) -> Response {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    assert_eq!(body["language"], "sv");
    if let Some(id) = inner.keys.get(&key) {
        return ok(&inner.view(&inner.posts[id]));
    }
    let parent = body["in_reply_to_id"].as_str().and_then(|id| id.parse().ok());
    let visibility =
        if inner.manners.opens { "public" } else { body["visibility"].as_str().unwrap() };
    let id = inner.add(ME, body["status"].as_str().unwrap(), parent, visibility);
    inner.keys.insert(key, id);
    ok(&inner.view(&inner.posts[&id]))
}

#[async_trait]
impl World for Fake<Server> {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        let server = self.world();
        // All of them answer or name us, except our own posts.
        let all = server.posts.values().filter(|post| post.author != ME || post.parent.is_some());
        all.map(|post| (item_id(post.id), None)).collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let first = self.world().posts.keys().next().copied();
        item_id(self.post(KIM, text, parent.map(number).or(first), "public"))
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        let mut server = self.world();
        let now = server.clock.now();
        let post = server.posts.get_mut(&number(id)).unwrap();
        (post.text, post.edited) = (text.to_owned(), Some(now));
    }

    async fn remove(&self, id: &PlatformItemId) {
        self.world().posts.remove(&number(id));
    }
}
