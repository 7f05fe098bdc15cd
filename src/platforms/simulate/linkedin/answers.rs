//! The calls themselves: one in, one answer out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::platforms::held;
use crate::platforms::simulate::is_shown;
use crate::platforms::simulate::linkedin::{
    LinkedIn, NAME, ORGANIZATION, TOKEN, VERSION, activity, number, share, urn,
};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{Stage, Turned};
use crate::platforms::simulate::world::{Comment, Post, World};
use crate::platforms::youtube::quota::Quota;

const MOST_CHARACTERS: usize = 1_250;

fn fault(status: u16, number: i64, code: &str) -> Reply {
    let message = "as the simulator has it";
    Reply::told(
        status,
        &json!({"status": status, "serviceErrorCode": number, "code": code, "message": message}),
    )
}

fn not_found() -> Reply {
    fault(404, 0, "NOT_FOUND")
}

/// The answer of a call that is turned away unread.
pub fn turned_away(why: Turned) -> Reply {
    match why {
        Turned::App(_) | Turned::Account(_) | Turned::Token(_) => {
            fault(429, 101, "TOO_MANY_REQUESTS")
        }
        Turned::Expired => fault(401, 65602, "EXPIRED_ACCESS_TOKEN"),
        Turned::Ill => fault(500, 0, "INTERNAL_SERVER_ERROR"),
        Turned::LostPlace => fault(400, 0, "INVALID_START"),
        Turned::Refused => fault(403, 100, "ACCESS_DENIED"),
    }
}

struct Question<'a> {
    stage: &'a Stage<LinkedIn>,
    query: BTreeMap<String, String>,
    now: Timestamp,
}

/// A name out of a path, where every sign that means something is encoded.
fn decoded(segment: &str) -> String {
    let pairs = url::form_urlencoded::parse(segment.as_bytes());
    pairs.map(|(name, _)| name.into_owned()).collect()
}

/// Answers one call.
pub fn answer(stage: &Stage<LinkedIn>, call: &Call) -> Reply {
    let asked = Question { stage, query: call.query_by_name(), now: stage.now() };
    let sent = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    if !call.bearer().is_some_and(|shown| is_shown(shown, TOKEN)) {
        return fault(401, 65600, "INVALID_ACCESS_TOKEN");
    }
    if sent("linkedin-version") != Some(VERSION) {
        return fault(426, 0, "NONEXISTENT_VERSION");
    }
    if sent("x-restli-protocol-version") != Some("2.0.0") {
        return fault(400, 0, "INVALID_PROTOCOL_VERSION");
    }
    if let Some(reply) = asked.count() {
        return reply;
    }
    if let Some(key) = call.uri.path().strip_prefix("/rest/eventSubscriptions/") {
        return asked.subscribe(call, key);
    }
    // A parenthesis that is not encoded means something else in a path.
    if call.uri.path().contains(['(', ')', ':']) {
        return fault(400, 0, "ILLEGAL_ARGUMENT");
    }
    let Some(path) = call.uri.path().strip_prefix("/rest/") else { return not_found() };
    let segments: Vec<_> = path.split('/').map(decoded).collect();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let mut world = held(&stage.world);
    match (call.method.as_str(), &segments[..]) {
        ("GET", ["organizations", ORGANIZATION]) => {
            Reply::ok(&json!({"id": 90009, "localizedName": NAME}))
        }
        ("GET", ["posts"]) if sent("x-restli-method") == Some("FINDER") => asked.posts(&world),
        ("GET", ["posts", post]) => match asked.post(&world, post) {
            Some(post) => Reply::ok(&post_view(&post)),
            None => not_found(),
        },
        ("GET", ["socialActions", under, "comments"]) => asked.comments(&world, under),
        ("POST", ["socialActions", under, "comments"]) => {
            asked.reply(&mut world, under, &call.body)
        }
        ("GET", ["socialActions", _, "comments", id]) => match asked.find(&world, id) {
            Some(comment) => Reply::ok(&asked.view(&world, &comment)),
            None => not_found(),
        },
        ("DELETE", ["socialActions", _, "comments", id]) => asked.delete(&mut world, id),
        _ => not_found(),
    }
}

fn us() -> String {
    format!("urn:li:organization:{ORGANIZATION}")
}

fn post_view(post: &Post) -> Value {
    json!({
        "id": share(post.number), "author": us(), "commentary": post.message,
        "publishedAt": post.created.as_millisecond(), "createdAt": post.created.as_millisecond(),
        "lastModifiedAt": post.created.as_millisecond(), "lifecycleState": "PUBLISHED",
        "visibility": "PUBLIC",
    })
}

impl Question<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A key of several parts stands in parentheses, with the signs of names encoded.
    fn subscribe(&self, call: &Call, key: &str) -> Reply {
        let parts = key.strip_prefix('(').and_then(|key| key.strip_suffix(')')).unwrap_or_default();
        let parts: BTreeMap<_, _> =
            parts.split(',').filter_map(|part| part.split_once(':')).collect();
        let names = ["developerApplication", "entity", "eventType", "user"];
        let us = format!("urn%3Ali%3Aorganization%3A{ORGANIZATION}");
        let is_whole = parts.keys().copied().eq(names) && parts["entity"] == us;
        let body = serde_json::from_slice::<Value>(&call.body).unwrap_or_default();
        match (call.method.as_str(), body["webhook"].as_str()) {
            ("PUT", Some(webhook)) if is_whole && !parts["user"].contains(':') => {
                held(&self.stage.state).subscription = Some((key.to_owned(), webhook.to_owned()));
                Reply::text(204, "")
            }
            _ => fault(400, 0, "ILLEGAL_ARGUMENT"),
        }
    }

    fn count(&self) -> Option<Reply> {
        let mut calls = held(&self.stage.state);
        if calls.day_ends.is_none_or(|end| end <= self.now) {
            calls.day_ends = Some(Quota::in_zone(1, TimeZone::UTC).resets_at(self.now));
            calls.made = 0;
        }
        if calls.made >= self.stage.own.calls_per_day {
            calls.overspent += 1;
            return Some(fault(429, 101, "TOO_MANY_REQUESTS"));
        }
        calls.made += 1;
        None
    }

    fn there(&self, world: &World) -> Vec<Comment> {
        world.comments(self.now).into_iter().filter(|comment| !comment.deleted).collect()
    }

    fn find(&self, world: &World, id: &str) -> Option<Comment> {
        let number = number(id);
        self.there(world).into_iter().find(|comment| comment.number == number)
    }

    fn post(&self, world: &World, id: &str) -> Option<Post> {
        world
            .posts()
            .into_iter()
            .find(|post| share(post.number) == id || activity(post.number) == id)
    }

    fn view(&self, world: &World, comment: &Comment) -> Value {
        let actor = match &comment.from {
            _ if comment.by_page => us(),
            Some((number, _)) => format!("urn:li:person:p{number}"),
            None => "urn:li:person:unknown".to_owned(),
        };
        let (created, edited) = (comment.created, comment.edited.unwrap_or(comment.created));
        let all = self.there(world);
        let below = all.iter().filter(|other| other.parent == Some(comment.number)).count();
        let mut view = json!({
            "id": comment.number.to_string(), "commentUrn": urn(comment.post, comment.number),
            "object": activity(comment.post), "actor": actor,
            "message": {"text": comment.text, "attributes": []},
            "created": {"actor": actor, "time": created.as_millisecond()},
            "lastModified": {"actor": actor, "time": edited.as_millisecond()},
            "likesSummary": {"totalLikes": 0, "aggregatedTotalLikes": 0, "likedByCurrentUser": false},
            "commentsSummary": {"totalFirstLevelComments": below}, "content": [],
        });
        if let Some(parent) = comment.parent {
            view["parentComment"] = urn(comment.post, parent).into();
        }
        view
    }

    fn page(&self, all: &[Value]) -> Reply {
        let number = |name: &str, usual: usize| self.field(name).map_or(Ok(usual), str::parse);
        let (Ok(start), Ok(count)) = (number("start", 0), number("count", 10)) else {
            return fault(400, 0, "ILLEGAL_ARGUMENT");
        };
        let count = count.min(self.stage.own.most);
        let elements: Vec<_> = all.iter().skip(start).take(count).collect();
        Reply::ok(&json!({
            "paging": {"start": start, "count": count, "total": all.len(), "links": []},
            "elements": elements,
        }))
    }

    fn posts(&self, world: &World) -> Reply {
        if self.field("q") != Some("author") || self.field("author") != Some(us().as_str()) {
            return fault(403, 100, "ACCESS_DENIED");
        }
        self.page(&world.posts().iter().map(post_view).collect::<Vec<_>>())
    }

    fn comments(&self, world: &World, under: &str) -> Reply {
        let all = self.there(world);
        let listed: Vec<_> = if let Some(post) = self.post(world, under) {
            all.iter().filter(|c| c.post == post.number && c.parent.is_none()).collect()
        } else if let Some(top) = self.find(world, under) {
            all.iter().filter(|c| c.parent == Some(top.number)).collect()
        } else {
            return not_found();
        };
        self.page(&listed.iter().map(|comment| self.view(world, comment)).collect::<Vec<_>>())
    }

    fn reply(&self, world: &mut World, under: &str, body: &[u8]) -> Reply {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return fault(400, 0, "ILLEGAL_ARGUMENT");
        };
        if body["actor"].as_str() != Some(us().as_str()) {
            return fault(403, 100, "ACCESS_DENIED");
        }
        let text = body["message"]["text"].as_str().unwrap_or("").trim();
        if text.is_empty() || text.chars().count() > MOST_CHARACTERS {
            return fault(422, 0, "UNPROCESSABLE_ENTITY");
        }
        let Some(to) = self.find(world, under) else { return not_found() };
        if body["parentComment"].as_str() != Some(urn(to.post, to.number).as_str())
            || body["object"].as_str() != Some(activity(to.post).as_str())
        {
            return fault(400, 0, "ILLEGAL_ARGUMENT");
        }
        let top = to.parent.unwrap_or(to.number);
        let number = world.add(to.post, Some(top), None, text, self.now);
        match self.find(world, &number.to_string()) {
            Some(written) => {
                Reply::told(201, &self.view(world, &written)).with("x-restli-id", number)
            }
            None => fault(500, 0, "INTERNAL_SERVER_ERROR"),
        }
    }

    fn delete(&self, world: &mut World, id: &str) -> Reply {
        if self.field("actor") != Some(us().as_str()) {
            return fault(403, 100, "ACCESS_DENIED");
        }
        match self.find(world, id) {
            Some(comment) if comment.by_page || self.stage.own.deletes_others => {
                world.delete(comment.number);
                Reply::text(204, "")
            }
            Some(_) => fault(403, 100, "ACCESS_DENIED"),
            None => not_found(),
        }
    }
}
