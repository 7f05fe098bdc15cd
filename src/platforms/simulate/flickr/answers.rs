//! The calls themselves: one in, one answer out.

use std::collections::BTreeMap;

use axum::http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::Url;

use crate::platforms::flickr::session::signature;
use crate::platforms::held;
use crate::platforms::html::escape;
use crate::platforms::simulate::flickr::{
    API_KEY, API_SECRET, Flickr, NAME, State, TOKEN, TOKEN_SECRET, USER, name, number,
};
use crate::platforms::simulate::is_shown;
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{Stage, Turned};
use crate::platforms::simulate::world::{Comment, Post, World};
use crate::runtime::secret::Secret;

/// How far a caller's clock may be off.
const CLOCK_APART: SignedDuration = SignedDuration::from_mins(5);

/// Lists give no more at a time.
const MOST_PHOTOS: usize = 500;

fn ok(mut body: Value) -> Reply {
    body["stat"] = "ok".into();
    Reply::ok(&body)
}

/// A failure: it comes with success.
fn fault(code: i64, message: &str) -> Reply {
    Reply::ok(&json!({"stat": "fail", "code": code, "message": message}))
}

/// The answer of a call that is turned away unread.
pub fn turned_away(why: Turned) -> Reply {
    match why {
        Turned::App(minutes) | Turned::Account(minutes) | Turned::Token(minutes) => {
            Reply::text(429, "").after(minutes)
        }
        Turned::Expired => fault(98, "Invalid auth token"),
        Turned::Ill => fault(105, "Service currently unavailable"),
        Turned::LostPlace => fault(106, "Write operation failed"),
        Turned::Refused => fault(99, "Insufficient permissions"),
    }
}

struct Question<'a> {
    stage: &'a Stage<Flickr>,
    sent: BTreeMap<String, String>,
    now: Timestamp,
    there: Vec<Comment>,
}

/// What the header of OAuth holds.
fn shown(call: &Call) -> Vec<(String, String)> {
    let header = call.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let parts = header.and_then(|text| text.strip_prefix("OAuth ")).unwrap_or_default();
    let read = |part: &str| {
        let (name, value) = part.trim().split_once('=')?;
        let value = value.trim_matches('"');
        // Of a form with one value: what it decodes to.
        let plus = value.replace('+', "%2B");
        let value =
            url::form_urlencoded::parse(format!("v={plus}").as_bytes()).next()?.1.into_owned();
        Some((name.to_owned(), value))
    };
    parts.split(',').filter_map(read).collect()
}

/// Whether a call is signed by whom it says; otherwise what the platform calls the problem.
fn signed(
    stage: &Stage<Flickr>,
    state: &mut State,
    call: &Call,
    sent: &[(String, String)],
    now: Timestamp,
) -> Result<(), &'static str> {
    let mut all = shown(call);
    let theirs = all.iter().position(|(name, _)| name == "oauth_signature");
    let theirs = all.remove(theirs.ok_or("parameter_absent")?).1;
    let field = |name: &str| {
        let found = all.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or("parameter_absent")
    };
    if !is_shown(field("oauth_consumer_key")?, API_KEY) {
        return Err("consumer_key_unknown");
    }
    if !is_shown(field("oauth_token")?, TOKEN) {
        return Err("token_rejected");
    }
    let at = field("oauth_timestamp")?.parse().ok();
    let at = at.and_then(|at| Timestamp::from_second(at).ok()).ok_or("timestamp_refused")?;
    if now.duration_since(at).abs() > CLOCK_APART {
        return Err("timestamp_refused");
    }
    let nonce = format!("{at} {}", field("oauth_nonce")?);
    all.extend_from_slice(sent);
    let url = Url::parse(&stage.origin).ok().and_then(|url| url.join(call.uri.path()).ok());
    let url = url.ok_or("signature_invalid")?;
    let (app, token) = (Secret::new(API_SECRET), Secret::new(TOKEN_SECRET));
    if signature(&call.method, &url, &all, &app, &token) != theirs {
        return Err("signature_invalid");
    }
    if state.nonces.insert(nonce) { Ok(()) } else { Err("nonce_used") }
}

/// Answers one call.
pub fn answer(stage: &Stage<Flickr>, call: &Call) -> Reply {
    if call.uri.path() != "/services/rest/" {
        return Reply::text(404, "<html><title>404</title></html>");
    }
    let now = stage.now();
    let is_post = call.method.as_str() == "POST";
    let sent = if is_post { call.form() } else { call.query() };
    if let Err(problem) = signed(stage, &mut held(&stage.state), call, &sent, now) {
        return Reply::text(401, format!("oauth_problem={problem}"));
    }
    let sent: BTreeMap<_, _> = sent.into_iter().collect();
    if sent.get("format").map(String::as_str) != Some("json") {
        return fault(111, "Format \"\" not found");
    }
    let mut world = held(&stage.world);
    let all = world.comments(now).into_iter().filter(|comment| !comment.deleted).collect();
    let asked = Question { stage, sent, now, there: all };
    let may_write = stage.own.perms == "write" || stage.own.perms == "delete";
    match (is_post, asked.field("method")) {
        (false, "flickr.test.login") => {
            ok(json!({"user": {"id": USER, "username": {"_content": NAME}, "path_alias": null}}))
        }
        (false, "flickr.auth.oauth.checkToken") => ok(json!({"oauth": {
            "token": {"_content": TOKEN}, "perms": {"_content": stage.own.perms},
            "user": {"nsid": USER, "username": NAME, "fullname": NAME},
        }})),
        (false, "flickr.people.getInfo") => ok(json!({"person": {
            "id": USER, "nsid": USER,
            "description": {"_content": "Exempelstads kommun. Det du skriver här blir allm&auml;n handling."},
        }})),
        (false, "flickr.people.getPhotos") if asked.field("user_id") == "me" => {
            asked.photos(&world, None)
        }
        (false, "flickr.photos.recentlyUpdated") => match asked.field("min_date").parse() {
            Ok(since) => asked.photos(&world, Some(since)),
            Err(_) => fault(2, "Not a valid date string"),
        },
        (false, "flickr.photos.getInfo") => match asked.photo(&world) {
            Some(photo) => ok(json!({"photo": {
                "id": photo.number.to_string(), "title": {"_content": escape(title(&photo))},
                "description": {"_content": escape(about(&photo))},
                "dateuploaded": photo.created.as_second().to_string(),
            }})),
            None => fault(1, "Photo not found"),
        },
        (false, "flickr.photos.comments.getList") => asked.comments(&world),
        (true, _) if !may_write => fault(99, "Insufficient permissions. Method requires write"),
        (true, "flickr.photos.comments.addComment") => asked.add(&mut world),
        (true, "flickr.photos.comments.deleteComment") => asked.delete(&mut world),
        _ => fault(112, "Method \"\" not found"),
    }
}

fn title(photo: &Post) -> &str {
    photo.message.split("\n\n").next().unwrap_or_default()
}

fn about(photo: &Post) -> &str {
    photo.message.split_once("\n\n").map_or("", |(_, about)| about)
}

impl Question<'_> {
    fn field(&self, name: &str) -> &str {
        self.sent.get(name).map_or("", String::as_str)
    }

    fn photo(&self, world: &World) -> Option<Post> {
        let id = self.field("photo_id");
        world.posts().into_iter().find(|photo| photo.number.to_string() == id)
    }

    /// When a photo was last changed: a comment that is added moves it, an edit or a deletion does not.
    fn updated(&self, photo: &Post, all: &[Comment]) -> Timestamp {
        let written = all.iter().filter(|c| c.post == photo.number).map(|c| c.created);
        written.max().map_or(photo.created, |at| at.max(photo.created))
    }

    fn photos(&self, world: &World, since: Option<i64>) -> Reply {
        let number = |name: &str, usual: usize| match self.field(name) {
            "" => Some(usual),
            text => text.parse().ok(),
        };
        let (Some(page @ 1..), Some(count)) = (number("page", 1), number("per_page", 100)) else {
            return fault(2, "Not a valid page");
        };
        let count = count.clamp(1, MOST_PHOTOS).min(self.stage.own.page);
        // Those that were deleted have moved it as well.
        let ever = world.comments(self.now);
        let wanted = |name: &str| self.field("extras").split(',').any(|extra| extra == name);
        let all: Vec<_> = world
            .posts()
            .into_iter()
            .map(|photo| (self.updated(&photo, &ever), photo))
            .filter(|(updated, _)| since.is_none_or(|since| updated.as_second() >= since))
            .map(|(updated, photo)| {
                let mut view = json!({
                    "id": photo.number.to_string(), "owner": USER, "title": escape(title(&photo)),
                    "ispublic": 1, "isfriend": 0, "isfamily": 0,
                });
                if wanted("description") {
                    view["description"] = json!({"_content": escape(about(&photo))});
                }
                if wanted("date_upload") {
                    view["dateupload"] = photo.created.as_second().to_string().into();
                }
                if wanted("last_update") {
                    view["lastupdate"] = updated.as_second().to_string().into();
                }
                view
            })
            .collect();
        let shown: Vec<_> = all.iter().skip((page - 1) * count).take(count).collect();
        ok(json!({"photos": {
            "page": page, "pages": all.len().div_ceil(count), "perpage": count,
            "total": all.len(), "photo": shown,
        }}))
    }

    fn view(&self, comment: &Comment) -> Value {
        let Comment { post, number, .. } = comment;
        let (author, shown) = match &comment.from {
            _ if comment.by_page => (USER.to_owned(), NAME.to_owned()),
            Some((number, name)) => (format!("{number}@N01"), name.clone()),
            None => (String::new(), String::new()),
        };
        json!({
            "id": name(*post, *number), "author": author, "author_is_deleted": 0,
            "authorname": shown, "realname": "", "path_alias": null,
            "datecreate": comment.created.as_second().to_string(),
            "permalink": format!("{}/photos/{USER}/{post}/#comment-{number}", self.stage.origin),
            "_content": escape(&comment.text),
        })
    }

    fn comments(&self, world: &World) -> Reply {
        let Some(photo) = self.photo(world) else { return fault(1, "Photo not found") };
        let of = self.there.iter().filter(|comment| comment.post == photo.number);
        let all: Vec<_> = of.map(|comment| self.view(comment)).collect();
        let mut told = json!({"photo_id": photo.number.to_string()});
        if !all.is_empty() {
            told["comment"] = all.into();
        }
        ok(json!({ "comments": told }))
    }

    fn add(&self, world: &mut World) -> Reply {
        let Some(photo) = self.photo(world) else { return fault(1, "Photo not found") };
        let text = self.field("comment_text").trim().to_owned();
        if text.is_empty() {
            return fault(8, "Blank comment");
        }
        // The same words under the same photo are the same comment.
        let is_it = |c: &&Comment| c.by_page && c.post == photo.number && c.text == text;
        let before = self.there.iter().find(is_it).map(|comment| comment.number);
        let number = before.unwrap_or_else(|| world.add(photo.number, None, None, &text, self.now));
        ok(json!({"comment": {"id": name(photo.number, number)}}))
    }

    fn delete(&self, world: &mut World) -> Reply {
        let wanted = number(self.field("comment_id"));
        let Some(comment) = self.there.iter().find(|comment| comment.number == wanted) else {
            return fault(2, "Comment not found");
        };
        if !comment.by_page && !self.stage.own.owner_deletes {
            return fault(99, "User does not have permission to delete this comment");
        }
        world.delete(comment.number);
        ok(json!({}))
    }
}
