//! A small WordPress: as much of the interface as the connector uses, with the traps that real
//! ones were seen to have.

use std::collections::BTreeMap;

use async_trait::async_trait;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::ids::PlatformItemId;
use crate::platforms::conformance::World;
use crate::platforms::simulate::server::Call;
use crate::platforms::testing::{Fake, Fakes, item_id, number, ok, told};
use crate::platforms::wordpress::wire::gmt;
use crate::runtime::clock::Clock;

/// The user that the connector logs in as.
const ME: u64 = 3;

#[derive(Clone)]
pub struct Comment {
    pub id: u64,
    pub parent: u64,
    pub author: u64,
    pub raw: String,
    pub at: Timestamp,
    pub status: String,
    /// What WordPress calls its type.
    pub sort: String,
}

#[derive(Default)]
pub struct Blog {
    pub comments: BTreeMap<u64, Comment>,
    last_id: u64,
    /// Setting a status it has already is answered with 500.
    pub strict_status: bool,
    /// Links are plain: nothing lies below `wp-json`.
    pub plain_links: bool,
    /// Where silence that it asks for is to be kept.
    pub clock: Option<Clock>,
}

impl Fake<Blog> {
    pub async fn open() -> Self {
        Self::start(Blog::default()).await
    }

    /// Puts comments there, `apart` from each other.
    pub fn fill(&self, n: u64, from: &str, apart: SignedDuration) {
        let from: Timestamp = from.parse().unwrap();
        for i in 0..n {
            let at = from + apart * i32::try_from(i).unwrap();
            self.world().add(0, 0, &format!("Kommentar {i}"), at);
        }
    }
}

impl Blog {
    pub fn add(&mut self, parent: u64, author: u64, raw: &str, at: Timestamp) -> u64 {
        self.last_id += 1;
        let (id, raw, status) = (self.last_id, raw.to_owned(), "approved".to_owned());
        let sort = "comment".to_owned();
        self.comments.insert(id, Comment { id, parent, author, raw, at, status, sort });
        id
    }
}

fn view(comment: &Comment) -> Value {
    let at = comment.at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    json!({
        "id": comment.id, "post": 12, "parent": comment.parent, "author": comment.author,
        "author_name": "Kim Exempel", "author_url": "", "date_gmt": at,
        "content": {"rendered": format!("<p>{}</p>", comment.raw), "raw": comment.raw},
        "link": format!("https://blogg.example/2026/03/badet/#comment-{}", comment.id),
        "status": comment.status, "type": comment.sort,
        "_links": {"up": [{"href": "https://blogg.example/wp-json/wp/v2/pages/12"}]},
    })
}

fn fault(status: u16, code: &str) -> Response {
    told(status, &json!({"code": code, "message": "På svenska", "data": {"status": status}}))
}

impl Fakes for Blog {
    fn now(&self) -> Option<Timestamp> {
        self.clock.as_ref().map(Clock::now)
    }

    fn answer(&mut self, call: &Call) -> Response {
        if call.headers.get(header::AUTHORIZATION).is_none() {
            return fault(401, "rest_forbidden_context");
        }
        serve(self, call)
    }
}

fn serve(inner: &mut Blog, call: &Call) -> Response {
    let query = call.query_by_name();
    if inner.plain_links && !query.contains_key("rest_route") {
        return (StatusCode::NOT_FOUND, "<!doctype html><title>Sidan finns inte</title>")
            .into_response();
    }
    assert_eq!(query.get("context").map(String::as_str), Some("edit"), "always the edit context");
    let rest = query.get("rest_route").map_or(call.uri.path(), String::as_str);
    let path = rest.trim_start_matches("/wp-json").strip_prefix("/wp/v2/").unwrap_or("");
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let method = call.method.as_str();
    match (method, path, path.strip_prefix("comments/").and_then(|id| id.parse().ok())) {
        ("GET", "users/me", _) => {
            ok(&json!({"id": ME, "name": "Redaktör", "capabilities": {"moderate_comments": true}}))
        }
        ("GET", "pages", _) => ok(&json!([{"id": 12, "title": {"raw": "Badet"},
            "content": {"raw": "<p>Öppnar</p>"}, "date_gmt": "2026-03-01T08:00:00"}])),
        ("GET", "comments", _) => list(inner, &query),
        ("POST", "comments", _) => create(inner, &body),
        ("GET", _, Some(id)) => match inner.comments.get(&id) {
            Some(comment) => ok(&view(comment)),
            None => fault(404, "rest_comment_invalid_id"),
        },
        ("POST", _, Some(id)) => set_status(inner, id, &body),
        ("DELETE", _, Some(id)) => match inner.comments.get_mut(&id) {
            Some(comment) if comment.status == "trash" => fault(410, "rest_already_trashed"),
            Some(comment) => {
                comment.status = "trash".into();
                ok(&view(comment))
            }
            None => fault(404, "rest_comment_invalid_id"),
        },
        _ => fault(404, "rest_no_route"),
    }
}

fn list(inner: &Blog, query: &BTreeMap<String, String>) -> Response {
    assert_eq!(query["status"], "any", "in all states");
    let number = |name: &str| query.get(name).map(|text| text.parse::<usize>().unwrap());
    let size = number("per_page").unwrap_or(10);
    if size > 100 {
        return fault(400, "rest_invalid_param");
    }
    let after: Option<Timestamp> = query.get("after").map(|text| text.parse().unwrap());
    let include: Option<Vec<u64>> =
        query.get("include").map(|ids| ids.split(',').map(|id| id.parse().unwrap()).collect());
    let sort = query.get("type").map_or("comment", String::as_str);
    let mut found: Vec<_> = inner
        .comments
        .values()
        .filter(|c| sort == "all" || c.sort == sort)
        .filter(|c| after.is_none_or(|after| c.at > after))
        .filter(|c| include.as_ref().is_none_or(|ids| ids.contains(&c.id)))
        .filter(|c| number("parent").is_none_or(|parent| c.parent == parent as u64))
        .filter(|c| number("author").is_none_or(|author| c.author == author as u64))
        .collect();
    found.sort_by_key(|comment| (comment.at, comment.id));
    if query.get("order").map(String::as_str) == Some("desc") {
        found.reverse();
    }
    let pages = found.len().div_ceil(size);
    let page = number("page").unwrap_or(1);
    let shown: Vec<_> = found.into_iter().skip((page - 1) * size).take(size).map(view).collect();
    let mut answer = ok(&json!(shown));
    answer.headers_mut().insert("x-wp-totalpages", HeaderValue::from(pages));
    answer
}

fn create(inner: &mut Blog, body: &Value) -> Response {
    let (parent, raw) = (body["parent"].as_u64().unwrap(), body["content"].as_str().unwrap());
    let is_double =
        inner.comments.values().any(|c| c.parent == parent && c.author == ME && c.raw == raw);
    if raw.trim().is_empty() {
        return fault(400, "rest_comment_content_invalid");
    }
    if is_double {
        return fault(409, "comment_duplicate");
    }
    let at = inner.comments.values().map(|c| c.at).max().unwrap_or(Timestamp::UNIX_EPOCH);
    let id = inner.add(parent, ME, raw, at);
    told(201, &view(&inner.comments[&id]))
}

fn set_status(inner: &mut Blog, id: u64, body: &Value) -> Response {
    let strict = inner.strict_status;
    let Some(comment) = inner.comments.get_mut(&id) else {
        return fault(404, "rest_comment_invalid_id");
    };
    match body["status"].as_str() {
        Some(same) if same == comment.status && strict => {
            return fault(500, "rest_comment_failed_edit");
        }
        Some(known @ ("hold" | "approved" | "spam" | "trash")) => comment.status = known.into(),
        // An unknown status gives 200 and changes nothing.
        Some(_) | None => {}
    }
    ok(&view(comment))
}

#[async_trait]
impl World for Fake<Blog> {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        self.world().comments.keys().map(|id| (item_id(*id), None)).collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let mut blog = self.world();
        let newest = blog.comments.values().map(|c| c.at).max();
        let at = newest.unwrap_or_else(|| gmt("2026-11-21T10:00:00").unwrap());
        item_id(blog.add(parent.map_or(0, number), 0, text, at))
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        self.world().comments.get_mut(&number(id)).unwrap().raw = text.to_owned();
    }

    async fn remove(&self, id: &PlatformItemId) {
        self.world().comments.remove(&number(id));
    }
}
