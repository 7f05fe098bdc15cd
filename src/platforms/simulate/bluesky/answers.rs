//! The calls themselves: one in, one answer out.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::platforms::held;
use crate::platforms::html::escape;
use crate::platforms::simulate::LABEL;
use crate::platforms::simulate::bluesky::world::{Post, Token, World};
use crate::platforms::simulate::bluesky::{HANDLE, Inner, ME, NAME};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::server::Call;

const NAME_OF_PLATFORM: &str = "bluesky";

/// The platform's own most.
const MOST_LISTED: usize = 100;
const MOST_READ: usize = 25;
const MOST_GRAPHEMES: usize = 300;

/// How long the limit of calls lasts.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// An answer before the headers that all have.
pub struct Reply {
    status: u16,
    body: String,
    kind: &'static str,
    limit: Option<(u64, u64, Timestamp)>,
}

impl Reply {
    fn told(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string(), kind: "application/json", limit: None }
    }

    fn ok(body: &Value) -> Self {
        Self::told(200, body)
    }

    fn fault(status: u16, name: &str) -> Self {
        Self::told(status, &json!({"error": name, "message": "as the simulator has it"}))
    }

    fn page(status: u16, html: String) -> Self {
        Self { status, body: html, kind: "text/html; charset=utf-8", limit: None }
    }

    /// The body, to be sent through what may go wrong with it.
    pub fn take_body(&mut self) -> String {
        std::mem::take(&mut self.body)
    }

    /// With the headers that all answers have.
    pub fn into_response(self, body: Vec<u8>) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let label = (HeaderName::from_static(LABEL), HeaderValue::from_static(NAME_OF_PLATFORM));
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        let mut answer = (status, [label, kind], body).into_response();
        if let Some((limit, left, until)) = self.limit {
            let headers = answer.headers_mut();
            headers.insert("ratelimit-limit", limit.into());
            headers.insert("ratelimit-remaining", left.into());
            headers.insert("ratelimit-reset", until.as_second().into());
        }
        answer
    }
}

/// The answer of a call that is turned away unread.
pub fn refusal(fault: Fault, now: Timestamp) -> Option<Reply> {
    match fault {
        Fault::AppLimit { minutes }
        | Fault::PageLimit { minutes }
        | Fault::TokenLimit { minutes } => {
            let until = now + SignedDuration::from_mins(i64::from(minutes));
            let limit = Some((3_000, 0, until));
            Some(Reply { limit, ..Reply::fault(429, "RateLimitExceeded") })
        }
        Fault::ExpiredToken => Some(Reply::fault(400, "ExpiredToken")),
        Fault::ServerError => Some(Reply::fault(500, "InternalServerError")),
        Fault::HtmlPage => Some(Reply::page(403, "<html><title>Blocked</title></html>".to_owned())),
        Fault::CursorInvalid => Some(Reply::fault(400, "InvalidRequest")),
        Fault::BrokenJson
        | Fault::Slow(_)
        | Fault::LostAnswer
        | Fault::DuplicatePage
        | Fault::Late { .. }
        | Fault::ClockSkew { .. } => None,
    }
}

/// What a gateway in between says when it has lost the answer.
pub fn gateway_page() -> Response {
    let mut page = Reply::page(502, "<html><title>502</title></html>".to_owned());
    let body = page.take_body().into_bytes();
    page.into_response(body)
}

/// One question: what for, and when.
struct Question<'a> {
    inner: &'a Inner,
    query: Vec<(String, String)>,
    body: Value,
    now: Timestamp,
}

/// Answers one call.
pub fn answer(inner: &Inner, call: &Call) -> Reply {
    let asked = Question {
        inner,
        query: call.query(),
        body: serde_json::from_slice(&call.body).unwrap_or_default(),
        now: inner.now(),
    };
    let mut world = held(&inner.world);
    let path = call.uri.path();
    if let Some((_, rkey)) = path.split_once("/post/") {
        return for_people(&world, rkey);
    }
    let name = path.strip_prefix("/xrpc/").unwrap_or_default();
    let token = call.bearer().unwrap_or_default();
    match name {
        "com.atproto.server.createSession" => return asked.log_in(&mut world),
        "com.atproto.server.refreshSession" => return asked.refresh(&mut world, token),
        _ => {}
    }
    match world.tokens.access(token) {
        Token::Good => {}
        Token::Expired => return Reply::fault(400, "ExpiredToken"),
        Token::Unknown if token.is_empty() => return Reply::fault(401, "AuthMissing"),
        Token::Unknown => return Reply::fault(400, "InvalidToken"),
    }
    let limit = inner.options.limit;
    let until = asked.now + WINDOW;
    if world.left == 0 {
        let limit = Some((limit, 0, until));
        return Reply { limit, ..Reply::fault(429, "RateLimitExceeded") };
    }
    world.left -= 1;
    let is_look_up = matches!(name, "app.bsky.feed.getPostThread" | "com.atproto.repo.getRecord");
    let broken = world
        .broken
        .iter()
        .filter(|_| is_look_up)
        .find(|(part, _)| asked.query.iter().any(|(_, value)| value.contains(part.as_str())));
    if let Some((_, status)) = broken {
        let name = if *status < 500 { "InvalidRequest" } else { "InternalServerError" };
        return Reply::fault(*status, name);
    }
    let reply = match (call.method.as_str(), name) {
        ("GET", "com.atproto.server.getSession") => {
            Reply::ok(&json!({"did": ME, "handle": HANDLE, "active": true}))
        }
        ("GET", "app.bsky.notification.listNotifications") => asked.notifications(&world),
        ("GET", "app.bsky.feed.getAuthorFeed") => asked.feed(&world),
        ("GET", "app.bsky.feed.getPosts") => asked.posts(&world),
        ("GET", "app.bsky.feed.getPostThread") => asked.thread(&world),
        ("GET", "com.atproto.repo.getRecord") => asked.record(&world),
        ("POST", "com.atproto.repo.putRecord") => asked.put(&mut world),
        ("POST", "com.atproto.moderation.createReport") => {
            let to = call.headers.get("atproto-proxy").and_then(|to| to.to_str().ok());
            if to.is_none_or(|to| !to.ends_with("#atproto_labeler")) {
                return Reply::fault(400, "InvalidRequest");
            }
            let told = json!({
                "id": 9_001 + world.reports.len(), "reasonType": asked.body["reasonType"],
                "subject": asked.body["subject"], "reportedBy": ME,
                "createdAt": asked.now.to_string(),
            });
            world.reports.push(asked.body);
            Reply::ok(&told)
        }
        _ => Reply::fault(501, "MethodNotImplemented"),
    };
    Reply { limit: Some((limit, world.left, until)), ..reply }
}

fn person(did: &str) -> Value {
    if did == ME {
        json!({"did": ME, "handle": HANDLE, "displayName": NAME})
    } else {
        let handle = format!("{}.example", did.trim_start_matches("did:plc:"));
        json!({"did": did, "handle": handle, "displayName": "Kim Exempel"})
    }
}

fn view(world: &World, post: &Post) -> Value {
    json!({
        "$type": "app.bsky.feed.defs#postView", "uri": post.uri, "cid": post.cid(),
        "author": person(&post.did), "record": post.record, "indexedAt": post.sort_at().to_string(),
        "replyCount": world.answers(&post.uri).count(), "likeCount": 0, "labels": [],
    })
}

impl Question<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn fields(&self, name: &str) -> Vec<&str> {
        let all = self.query.iter().filter(|(n, _)| n == name);
        all.map(|(_, value)| value.as_str()).collect()
    }

    fn number(&self, name: &str, otherwise: usize) -> usize {
        self.field(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    }

    fn session(&self, world: &mut World) -> Reply {
        let (access, refresh) = world.tokens.hand_out();
        let service = json!([{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": self.inner.origin}]);
        Reply::ok(&json!({
            "did": ME, "handle": HANDLE, "accessJwt": access, "refreshJwt": refresh,
            "didDoc": {"id": ME, "service": service}, "active": true,
        }))
    }

    fn log_in(&self, world: &mut World) -> Reply {
        let is_right = self.body["identifier"] == HANDLE
            && self.body["password"].as_str() == Some(&world.password);
        if is_right { self.session(world) } else { Reply::fault(401, "AuthenticationRequired") }
    }

    fn refresh(&self, world: &mut World, token: &str) -> Reply {
        match world.tokens.refresh(token) {
            Token::Good => self.session(world),
            Token::Expired => Reply::fault(400, "ExpiredToken"),
            Token::Unknown => Reply::fault(400, "InvalidToken"),
        }
    }

    /// One page of what is listed newest first. The cursor tells the date of the last element, and
    /// its number among those of one date.
    fn page<'w>(
        &self,
        all: impl Iterator<Item = &'w Post>,
    ) -> Result<(Vec<&'w Post>, Option<String>), Reply> {
        let limit = self.number("limit", 50);
        let read = |text: &str| {
            let (at, number) = text.split_once('~')?;
            Some((at.parse::<Timestamp>().ok()?, number.parse::<u64>().ok()?))
        };
        let below = match self.field("cursor").map(read) {
            None => (Timestamp::MAX, u64::MAX),
            Some(Some(below)) => below,
            Some(None) => return Err(Reply::fault(400, "InvalidRequest")),
        };
        if limit == 0 || limit > MOST_LISTED {
            return Err(Reply::fault(400, "InvalidRequest"));
        }
        let mut shown: Vec<_> =
            all.filter(|post| (post.sort_at(), post.number) < below).take(limit + 1).collect();
        let is_more = shown.len() > limit;
        shown.truncate(limit);
        let last = shown.last().filter(|_| is_more);
        let cursor = last.map(|post| format!("{}~{}", post.sort_at(), post.number));
        Ok((shown, cursor))
    }

    fn notifications(&self, world: &World) -> Reply {
        let reasons = self.fields("reasons");
        let told = world.newest_first().into_iter().filter(|post| {
            world.reason(post).is_some_and(|reason| reasons.is_empty() || reasons.contains(&reason))
        });
        let (shown, cursor) = match self.page(told) {
            Ok(page) => page,
            Err(refused) => return refused,
        };
        let shown: Vec<_> = shown
            .into_iter()
            .map(|post| {
                // How many answers a post has is not told here.
                json!({
                    "uri": post.uri, "cid": post.cid(), "author": person(&post.did),
                    "record": post.record, "indexedAt": post.sort_at().to_string(), "labels": [],
                    "reason": world.reason(post), "isRead": false,
                })
            })
            .collect();
        let mut body = json!({"notifications": shown});
        if let Some(cursor) = cursor {
            body["cursor"] = cursor.into();
        }
        Reply::ok(&body)
    }

    fn feed(&self, world: &World) -> Reply {
        if self.field("actor") != Some(ME) {
            return Reply::fault(400, "InvalidRequest");
        }
        let own = world
            .newest_first()
            .into_iter()
            .filter(|post| post.did == ME && post.parent().is_none());
        let (shown, cursor) = match self.page(own) {
            Ok(page) => page,
            Err(refused) => return refused,
        };
        let feed: Vec<_> =
            shown.into_iter().map(|post| json!({"post": view(world, post)})).collect();
        let mut body = json!({ "feed": feed });
        if let Some(cursor) = cursor {
            body["cursor"] = cursor.into();
        }
        Reply::ok(&body)
    }

    fn posts(&self, world: &World) -> Reply {
        let uris = self.fields("uris");
        if uris.is_empty() || uris.len() > MOST_READ {
            return Reply::fault(400, "InvalidRequest");
        }
        let found: Vec<_> =
            uris.iter().filter_map(|uri| Some(view(world, shown(world, uri)?))).collect();
        Reply::ok(&json!({ "posts": found }))
    }

    fn thread(&self, world: &World) -> Reply {
        let uri = self.field("uri").unwrap_or_default();
        let Some(post) = world.find(uri) else { return Reply::fault(400, "NotFound") };
        if world.blocks.contains(&post.did) {
            return Reply::ok(&json!({ "thread": blocked(post) }));
        }
        let depth = self.number("depth", 6).min(self.inner.options.deepest);
        let mut thread = self.below(world, post, depth);
        let parent = above(world, post, self.number("parentHeight", 80));
        if !parent.is_null() {
            thread["parent"] = parent;
        }
        Reply::ok(&json!({ "thread": thread }))
    }

    fn below(&self, world: &World, post: &Post, depth: usize) -> Value {
        let mut node =
            json!({"$type": "app.bsky.feed.defs#threadViewPost", "post": view(world, post)});
        if depth > 0 {
            let answers = world.answers(&post.uri).map(|post| {
                let is_blocked = world.blocks.contains(&post.did);
                if is_blocked { blocked(post) } else { self.below(world, post, depth - 1) }
            });
            let gaps = world.gaps(&post.uri).map(|post| not_found(&post.uri));
            node["replies"] = answers.chain(gaps).collect::<Vec<_>>().into();
        }
        node
    }

    fn record(&self, world: &World) -> Reply {
        let rkey = self.field("rkey").unwrap_or_default();
        let found = match self.field("collection") {
            _ if self.field("repo") != Some(ME) => None,
            Some("app.bsky.feed.threadgate") => {
                world.gate(rkey).map(|record| (record.cid(), record.value.clone()))
            }
            Some("app.bsky.feed.post") => {
                own(world, rkey).map(|post| (post.cid(), post.record.clone()))
            }
            Some(_) | None => None,
        };
        match found {
            Some((cid, value)) => Reply::ok(&json!({"uri": "at://…", "cid": cid, "value": value})),
            None => Reply::fault(400, "RecordNotFound"),
        }
    }

    fn put(&self, world: &mut World) -> Reply {
        let rkey = self.body["rkey"].as_str().unwrap_or_default();
        let record = &self.body["record"];
        let collection = self.body["collection"].as_str().unwrap_or_default();
        if self.body["repo"] != ME || record["$type"] != collection {
            return Reply::fault(400, "InvalidRequest");
        }
        let standing = match collection {
            "app.bsky.feed.threadgate" => {
                if world.interfere > 0 {
                    world.interfere -= 1;
                    let value = world.gate(rkey).map(|gate| gate.value.clone());
                    world.set_gate(rkey, value.unwrap_or_else(|| json!({"hiddenReplies": []})));
                }
                world.gate(rkey).map(|gate| gate.cid())
            }
            "app.bsky.feed.post" => own(world, rkey).map(|post| post.cid()),
            _ => return Reply::fault(400, "InvalidRequest"),
        };
        // Where a version is named, nothing else may stand there; null names nothing at all.
        if let Some(expected) = self.body.get("swapRecord")
            && expected.as_str() != standing.as_deref()
        {
            return Reply::fault(400, "InvalidSwap");
        }
        let uri = if collection == "app.bsky.feed.post" {
            let text = record["text"].as_str().unwrap_or_default();
            if standing.is_some() || text.graphemes(true).count() > MOST_GRAPHEMES {
                return Reply::fault(400, "InvalidRequest");
            }
            world.put(ME, rkey, record.clone(), self.now)
        } else {
            world.set_gate(rkey, record.clone());
            format!("at://{ME}/{collection}/{rkey}")
        };
        Reply::ok(&json!({"uri": uri, "cid": "bafyreinytt"}))
    }
}

fn own<'w>(world: &'w World, rkey: &str) -> Option<&'w Post> {
    world.posts().find(|post| post.did == ME && post.rkey() == rkey)
}

/// A post that the account may see.
fn shown<'w>(world: &'w World, uri: &str) -> Option<&'w Post> {
    world.find(uri).filter(|post| !world.blocks.contains(&post.did))
}

fn blocked(post: &Post) -> Value {
    json!({
        "$type": "app.bsky.feed.defs#blockedPost", "uri": post.uri, "blocked": true,
        "author": {"did": post.did, "viewer": {"blockedBy": true}},
    })
}

fn not_found(uri: &str) -> Value {
    json!({"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": true})
}

fn above(world: &World, post: &Post, height: usize) -> Value {
    let Some(parent) = post.parent().filter(|_| height > 0) else { return Value::Null };
    let Some(post) = world.find(parent) else { return not_found(parent) };
    if world.blocks.contains(&post.did) {
        return blocked(post);
    }
    let mut view = json!({"$type": "app.bsky.feed.defs#threadViewPost", "post": view(world, post)});
    let parent = above(world, post, height - 1);
    if !parent.is_null() {
        view["parent"] = parent;
    }
    view
}

/// The page for people: one post, if it is there and not hidden.
fn for_people(world: &World, rkey: &str) -> Reply {
    let Some(post) = world.posts().find(|post| post.rkey() == rkey) else {
        return Reply::page(404, "<!doctype html><title>Inlägget finns inte</title>".to_owned());
    };
    let name = person(&post.did);
    Reply::page(
        200,
        format!(
            "<!doctype html><html lang=\"sv\"><meta charset=\"utf-8\"><title>{0}</title>\
             <p>Simulerad sida i Uppsikt. Inga riktiga personer eller inlägg.</p>\
             <article><strong>{0}</strong><p>{1}</p></article>",
            escape(name["displayName"].as_str().unwrap_or_default()),
            escape(post.text()),
        ),
    )
}
