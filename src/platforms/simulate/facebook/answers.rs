//! The endpoints themselves: one call in, one answer out.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::platforms::held;
use crate::platforms::simulate::LABEL;
use crate::platforms::simulate::facebook::{Inner, PAGE_ID, PAGE_NAME, PERSON_ID};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::world::{Comment, Post, World};

/// The platform's own default and most.
const DEFAULT_LIMIT: usize = 25;
const MOST_LIMIT: usize = 100;

/// An answer before the headers that all have.
pub struct Reply {
    status: StatusCode,
    body: String,
    /// Minutes until a limit ends.
    regain: u32,
}

impl Reply {
    fn ok(body: &Value) -> Self {
        Self { status: StatusCode::OK, body: body.to_string(), regain: 0 }
    }

    fn fault(code: i64, subcode: i64, message: &str) -> Self {
        let status =
            if code <= 2 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
        let mut error = json!({
            "message": format!("(#{code}) {message}"), "type": "OAuthException", "code": code,
            "fbtrace_id": "AbCdEfG",
        });
        if subcode != 0 {
            error["error_subcode"] = json!(subcode);
        }
        Self { status, body: json!({ "error": error }).to_string(), regain: 0 }
    }

    fn no_such_object(id: &str) -> Self {
        Self::fault(
            100,
            33,
            &format!(
                "Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation"
            ),
        )
    }

    /// With the headers that all answers have, cut in half where that is wanted.
    pub fn into_response(self, usage: u32, broken: bool) -> Response {
        let mut body = self.body.into_bytes();
        if broken {
            body.truncate(body.len() / 2);
        }
        let app = json!({"call_count": usage, "total_time": usage / 2, "total_cputime": usage / 3});
        let page = json!({PAGE_ID: [{"type": "pages", "call_count": usage, "total_cputime": usage / 3,
            "total_time": usage / 2, "estimated_time_to_regain_access": self.regain}]});
        let text = |value: Value| {
            HeaderValue::from_str(&value.to_string()).expect("numbers and ASCII names fit a header")
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8")),
            (HeaderName::from_static(LABEL), HeaderValue::from_static("facebook")),
            (HeaderName::from_static("x-app-usage"), text(app)),
            (HeaderName::from_static("x-business-use-case-usage"), text(page)),
        ];
        (self.status, headers, body).into_response()
    }
}

/// The answer of a call that is turned away unread.
pub fn refusal(fault: Fault) -> Option<Reply> {
    match fault {
        Fault::AppLimit { minutes } => Some(Reply {
            regain: minutes,
            ..Reply::fault(4, 0, "Application request limit reached")
        }),
        Fault::PageLimit { minutes } => {
            Some(Reply { regain: minutes, ..Reply::fault(32, 0, "Page request limit reached") })
        }
        Fault::ExpiredToken => {
            Some(Reply::fault(190, 463, "Error validating access token: Session has expired"))
        }
        Fault::ServerError => Some(Reply::fault(2, 0, "Service temporarily unavailable")),
        Fault::HtmlPage => Some(Reply {
            status: StatusCode::FORBIDDEN,
            body: "<html><title>Blocked</title></html>".into(),
            regain: 0,
        }),
        Fault::BrokenJson | Fault::Slow(_) | Fault::LostAnswer => None,
    }
}

/// What a gateway in between says when it has lost the answer.
pub fn gateway_page() -> Response {
    (StatusCode::BAD_GATEWAY, [(LABEL, "facebook")], "<html><title>502</title></html>")
        .into_response()
}

/// One question: who asks, what for, and what the form and query hold.
struct Question<'a> {
    inner: &'a Inner,
    form: Vec<(String, String)>,
    now: Timestamp,
}

/// Answers one call.
pub fn answer(inner: &Inner, call: &Call) -> Reply {
    let form = call.query().into_iter().chain(call.form()).collect();
    let asked = Question { inner, form, now: inner.clock.now() };
    let Some(token) = call.bearer().or_else(|| asked.field("access_token")) else {
        return Reply::fault(190, 0, "An access token is required to request this resource.");
    };
    let is_page = token == inner.token.expose();
    if !is_page && token != inner.person_token.expose() {
        return Reply::fault(190, 467, "Invalid OAuth access token.");
    }
    let mut segments = call.uri.path().trim_matches('/').split('/');
    if !segments.next().is_some_and(|version| version.starts_with('v')) {
        return Reply::fault(2500, 0, "Unknown path components");
    }
    let (node, edge) = (segments.next().unwrap_or(""), segments.next());
    let mut world = held(&inner.world);
    match (call.method.as_str(), node, edge) {
        ("GET", "me", None) if is_page => asked.select(json!({"id": PAGE_ID, "name": PAGE_NAME})),
        ("GET", "me", None) => asked.select(json!({"id": PERSON_ID, "name": "Kim Exempel"})),
        ("GET", "", None) => asked.several(&world),
        ("GET", PAGE_ID, Some("published_posts")) => asked.posts(&world),
        ("GET", id, Some("comments")) => asked.comments(&world, id, is_page),
        ("GET", id, None) => {
            asked.one(&world, id).map_or_else(|| Reply::no_such_object(id), |v| asked.select(v))
        }
        ("POST", _, _) | ("DELETE", _, _) if !is_page => {
            Reply::fault(200, 0, "Requires pages_manage_engagement permission")
        }
        ("POST", id, Some("comments")) => asked.reply(&mut world, id),
        ("POST", id, None) => asked.change(&mut world, id),
        ("DELETE", id, None) => match asked.find(&world, id) {
            Some(comment) => {
                world.delete(comment.number);
                Reply::ok(&json!({"success": true}))
            }
            None => Reply::no_such_object(id),
        },
        _ => Reply::fault(100, 0, "Unsupported request"),
    }
}

/// The top-level names in `a,b{c,d},e.limit(0){f}`, each with what follows it.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut all = vec![String::new()];
    let mut depth = 0_i32;
    for c in text.chars() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            ',' if depth == 0 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        all.last_mut().expect("begins with one").push(c);
    }
    all.into_iter()
        .map(|field| {
            let end = field.find(['{', '.', '(']).unwrap_or(field.len());
            (field[..end].trim().to_owned(), field[end..].to_owned())
        })
        .collect()
}

/// What a page's cursor says.
fn read_place(cursor: &str) -> Option<(Timestamp, u64)> {
    let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    let (at, number) = text.split_once(' ')?;
    Some((at.parse().ok()?, number.parse().ok()?))
}

fn graph_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

impl Question<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The object with `id` and the fields asked for.
    fn selected(&self, object: Value) -> Value {
        let Value::Object(all) = object else { return object };
        let wanted = fields(self.field("fields").unwrap_or("id"));
        let keep = |name: &String| name == "id" || wanted.iter().any(|(field, _)| field == name);
        Value::Object(all.into_iter().filter(|(name, _)| keep(name)).collect())
    }

    fn select(&self, object: Value) -> Reply {
        Reply::ok(&self.selected(object))
    }

    /// A comment that is there, by either spelling of its id.
    fn find(&self, world: &World, id: &str) -> Option<Comment> {
        let (post, number) = match id.split_once('_') {
            Some((post, number)) => (Some(post), number),
            None => (None, id),
        };
        let number: u64 = number.parse().ok()?;
        world.comments(self.now).into_iter().find(|comment| {
            comment.number == number
                && !comment.deleted
                && post.is_none_or(|post| post == comment.post.to_string())
        })
    }

    fn find_post(&self, world: &World, id: &str) -> Option<Post> {
        let number: u64 = id.strip_prefix(PAGE_ID)?.strip_prefix('_')?.parse().ok()?;
        world.posts().into_iter().find(|post| post.number == number)
    }

    fn comment_view(&self, comment: &Comment) -> Value {
        let origin = &self.inner.origin;
        let Comment { number, post, .. } = comment;
        let mut view = json!({
            "id": format!("{post}_{number}"),
            "message": comment.text,
            "created_time": graph_time(comment.created),
            "permalink_url": format!("{origin}/inlagg/{post}#comment-{number}"),
            "is_hidden": comment.hidden, "is_private": false,
            "can_hide": !comment.by_page, "can_remove": true, "can_comment": true,
            "can_reply_privately": !comment.by_page, "like_count": 0, "comment_count": 0,
        });
        let from = match &comment.from {
            Some((id, name)) => Some(json!({"id": id.to_string(), "name": name})),
            None => comment.by_page.then(|| json!({"id": PAGE_ID, "name": PAGE_NAME})),
        };
        if let Some(from) = from {
            view["from"] = from;
        }
        if let Some(parent) = comment.parent {
            view["parent"] = json!({"id": format!("{post}_{parent}")});
        }
        view
    }

    fn post_view(&self, world: &World, post: &Post) -> Value {
        let total = world
            .comments(self.now)
            .iter()
            .filter(|c| c.post == post.number && !c.deleted)
            .filter(|c| c.parent.is_none() || self.counts_all_levels())
            .count();
        let origin = &self.inner.origin;
        json!({
            "id": format!("{PAGE_ID}_{}", post.number),
            "message": post.message,
            "created_time": graph_time(post.created), "updated_time": graph_time(post.created),
            "permalink_url": format!("{origin}/inlagg/{}", post.number),
            "comments": {"data": [], "summary": {"order": "chronological", "total_count": total, "can_comment": true}},
        })
    }

    fn counts_all_levels(&self) -> bool {
        fields(self.field("fields").unwrap_or(""))
            .iter()
            .any(|(name, rest)| name == "comments" && rest.contains("filter(stream)"))
    }

    fn one(&self, world: &World, id: &str) -> Option<Value> {
        if let Some(post) = self.find_post(world, id) {
            return Some(self.post_view(world, &post));
        }
        self.find(world, id).map(|comment| self.comment_view(&comment))
    }

    fn several(&self, world: &World) -> Reply {
        let ids: Vec<_> =
            self.field("ids").unwrap_or("").split(',').filter(|id| !id.is_empty()).collect();
        if ids.is_empty() || ids.len() > 50 {
            return Reply::fault(100, 0, "ids takes 1 to 50 ids");
        }
        let mut all = Map::new();
        for id in ids {
            let Some(object) = self.one(world, id) else { return Reply::no_such_object(id) };
            all.insert(id.to_owned(), self.selected(object));
        }
        Reply::ok(&Value::Object(all))
    }

    fn posts(&self, world: &World) -> Reply {
        let posts: Vec<_> = world
            .posts()
            .iter()
            .map(|post| {
                let place = (post.created, post.number);
                (place, self.selected(self.post_view(world, post)))
            })
            .collect();
        self.page(&posts, true)
    }

    fn comments(&self, world: &World, id: &str, is_page: bool) -> Reply {
        let stream = self.field("filter") == Some("stream");
        let all = world.comments(self.now).into_iter().filter(|comment| !comment.deleted);
        let mut listed: Vec<_> = if let Some(post) = self.find_post(world, id) {
            all.filter(|c| c.post == post.number && (stream || c.parent.is_none())).collect()
        } else if let Some(top) = self.find(world, id) {
            all.filter(|c| c.parent == Some(top.number)).collect()
        } else {
            return Reply::no_such_object(id);
        };
        // The trap: a person's token lists nothing, and says so with success.
        if !is_page {
            listed.clear();
        }
        let newest_first = self.field("order") == Some("reverse_chronological");
        if newest_first {
            listed.reverse();
        }
        let listed: Vec<_> = listed
            .iter()
            .map(|c| ((c.created, c.number), self.selected(self.comment_view(c))))
            .collect();
        self.page(&listed, newest_first)
    }

    /// One page. The cursor tells the place of the last element, so that what is deleted or
    /// written meanwhile moves nothing.
    fn page(&self, all: &[((Timestamp, u64), Value)], descending: bool) -> Reply {
        let limit = match self.field("limit").map_or(Ok(DEFAULT_LIMIT), str::parse) {
            Ok(limit @ 1..=MOST_LIMIT) => limit,
            Ok(_) | Err(_) => return Reply::fault(100, 0, "limit must be between 1 and 100"),
        };
        let begin = match self.field("after").map(read_place) {
            None => 0,
            Some(Some(place)) => {
                all.partition_point(|(p, _)| if descending { *p >= place } else { *p <= place })
            }
            Some(None) => return Reply::fault(100, 0, "Invalid cursors values"),
        };
        let shown: Vec<_> = all.iter().skip(begin).take(limit).collect();
        let data: Vec<_> = shown.iter().map(|(_, value)| value).collect();
        let mut page = json!({ "data": data });
        if let (Some((first, _)), Some((last, _))) = (shown.first(), shown.last()) {
            let token = |(at, number): &(Timestamp, u64)| hex::encode(format!("{at} {number}"));
            page["paging"] = json!({"cursors": {"before": token(first), "after": token(last)}});
            if begin + shown.len() < all.len() {
                page["paging"]["next"] = json!("https://graph.facebook.com/…");
            }
        }
        Reply::ok(&page)
    }

    fn reply(&self, world: &mut World, id: &str) -> Reply {
        let Some(text) = self.field("message").filter(|text| !text.trim().is_empty()) else {
            return Reply::fault(100, 0, "message is required");
        };
        let (post, parent) = if let Some(post) = self.find_post(world, id) {
            (post.number, None)
        } else if let Some(comment) = self.find(world, id) {
            (comment.post, Some(comment.parent.unwrap_or(comment.number)))
        } else {
            return Reply::no_such_object(id);
        };
        let number = world.add(post, parent, None, text.trim(), self.now);
        Reply::ok(&json!({"id": format!("{post}_{number}")}))
    }

    fn change(&self, world: &mut World, id: &str) -> Reply {
        let Some(comment) = self.find(world, id) else { return Reply::no_such_object(id) };
        if let Some(text) = self.field("message") {
            // The danger: this is no answer but an edit.
            if !comment.by_page {
                return Reply::fault(200, 0, "Only the author may edit a comment");
            }
            world.edit(comment.number, text);
            return Reply::ok(&json!({"success": true}));
        }
        match self.field("is_hidden") {
            Some("true") if comment.by_page => {
                Reply::fault(100, 0, "This comment cannot be hidden")
            }
            Some(word @ ("true" | "false")) => {
                world.hide(comment.number, word == "true");
                Reply::ok(&json!({"success": true}))
            }
            Some(_) | None => Reply::fault(100, 0, "Invalid parameter"),
        }
    }
}
