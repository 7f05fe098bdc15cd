//! The calls themselves: one in, one answer out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::platforms::held;
use crate::platforms::simulate::is_shown;
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{Stage, Turned};
use crate::platforms::simulate::tiktok::{
    BUSINESS, CLIENT, CLIENT_SECRET, State, TikTok, name, number,
};
use crate::platforms::simulate::world::{Comment, World};

/// How long an access token lives, in seconds.
const TOKEN_LIVES: u32 = 86_400;
const DAY: u32 = 86_400;

/// The platform's own most.
const MOST_VIDEOS: usize = 20;
const MOST_COMMENTS: usize = 30;
const MOST_CHARACTERS: usize = 150;

/// An answer: failures too come with success.
fn told(code: i64, data: &Value) -> Reply {
    let message = if code == 0 { "OK" } else { "as the simulator has it" };
    Reply::ok(&json!({"code": code, "message": message, "request_id": "2026112", "data": data}))
}

fn fault(code: i64) -> Reply {
    told(code, &json!({}))
}

/// The answer of a call that is turned away unread.
pub fn turned_away(why: Turned) -> Reply {
    fault(match why {
        Turned::App(_) => 40100,
        Turned::Account(_) => 40016,
        Turned::Token(_) => 40132,
        Turned::Expired => 40102,
        Turned::Ill => 50000,
        Turned::LostPlace | Turned::Refused => 40002,
    })
}

struct Question<'a> {
    stage: &'a Stage<TikTok>,
    query: BTreeMap<String, String>,
    body: Value,
    there: Vec<Comment>,
}

/// Answers one call.
pub fn answer(stage: &Stage<TikTok>, call: &Call) -> Reply {
    let Some(path) = call.uri.path().strip_prefix("/open_api/v1.3/") else { return fault(40400) };
    // A path without its last slash is another one.
    let Some(path) = path.strip_suffix('/') else { return fault(40400) };
    let body = serde_json::from_slice::<Value>(&call.body).unwrap_or_default();
    let mut state = held(&stage.state);
    if path == "tt_user/oauth2/refresh_token" {
        return token(stage, &mut state, &body);
    }
    if path == "business/webhook/update" {
        // The app's own matter: no account's token is shown.
        let field = |name: &str| body[name].as_str().unwrap_or_default();
        if field("app_id") != CLIENT || field("secret") != CLIENT_SECRET {
            return fault(40001);
        }
        if field("event_type") != "COMMENT" || field("callback_url").is_empty() {
            return fault(40002);
        }
        state.callback = Some(field("callback_url").to_owned());
        return told(
            0,
            &json!({"app_id": CLIENT, "callback_url": field("callback_url"), "event_type": "COMMENT"}),
        );
    }
    let shown = call.headers.get("access-token").and_then(|value| value.to_str().ok());
    if !state.consent.knows(shown) {
        return fault(40102);
    }
    let mut world = held(&stage.world);
    let all = world.comments(stage.now());
    let there = all.into_iter().filter(|comment| !comment.deleted).collect();
    let asked = Question { stage, query: call.query_by_name(), body, there };
    if asked.field("business_id") != BUSINESS {
        return fault(40001);
    }
    match (call.method.as_str(), path) {
        ("GET", "business/video/list") => asked.videos(&world),
        ("GET", "business/comment/list") => asked.comments(&world),
        ("GET", "business/comment/reply/list") => asked.replies(),
        ("POST", "business/comment/hide") => asked.hide(&mut world),
        ("POST", "business/comment/reply/create") => asked.reply(&mut world),
        _ => fault(40400),
    }
}

fn token(stage: &Stage<TikTok>, state: &mut State, body: &Value) -> Reply {
    let field = |name: &str| body[name].as_str().unwrap_or_default();
    if !is_shown(field("client_id"), CLIENT) || field("client_secret") != CLIENT_SECRET {
        return fault(40001);
    }
    let form = ["grant_type", "refresh_token"];
    let form = form.into_iter().map(|name| (name.to_owned(), field(name).to_owned())).collect();
    match state.consent.renew(&form, stage.own.rotation) {
        Ok(pair) => told(
            0,
            &json!({
                "access_token": pair.access, "expires_in": TOKEN_LIVES, "open_id": BUSINESS,
                "refresh_token": pair.refresh,
                "refresh_token_expires_in": stage.own.consent_days * DAY,
                "scope": "user.info.basic,video.list,comment.list,comment.list.manage",
            }),
        ),
        Err(_) => fault(40105),
    }
}

impl Question<'_> {
    fn field(&self, name: &str) -> &str {
        let sent = self.body[name].as_str();
        sent.or(self.query.get(name).map(String::as_str)).unwrap_or_default()
    }

    /// An id or a time, as text or as a number.
    fn large(&self, text: String) -> Value {
        match text.parse::<u64>() {
            Ok(number) if self.stage.own.numbers => number.into(),
            _ => text.into(),
        }
    }

    fn find(&self, id: &str) -> Option<&Comment> {
        self.there.iter().find(|comment| comment.number == number(id))
    }

    fn view(&self, comment: &Comment) -> Value {
        let (person, username) = match &comment.from {
            _ if comment.by_page => (BUSINESS.to_owned(), "exempelstad".to_owned()),
            Some((number, name)) => (format!("_{number}"), name.clone()),
            None => (String::new(), String::new()),
        };
        let below = self.there.iter().filter(|c| c.parent == Some(comment.number)).count();
        let parent = comment.parent.map(|parent| self.large(name(parent)));
        json!({
            "comment_id": self.large(name(comment.number)),
            "video_id": self.large(name(comment.post)), "unique_identifier": person,
            "create_time": self.large(comment.created.as_second().to_string()),
            "text": comment.text, "image_url": Value::Null, "likes": 0, "replies": below,
            "owner": comment.by_page, "liked": false, "pinned": false,
            "status": if comment.hidden { "HIDDEN" } else { "PUBLIC" }, "username": username,
            "display_name": username, "profile_image": "", "parent_comment_id": parent,
        })
    }

    /// One page; the cursor counts what came before.
    fn page(&self, list: &str, all: &[Value], most: usize, shown: usize) -> Reply {
        let number = |name: &str, usual: usize| match self.field(name) {
            "" => Ok(usual),
            text => text.parse(),
        };
        let (Ok(begin), Ok(count)) = (number("cursor", 0), number("max_count", 10)) else {
            return fault(40002);
        };
        if count > most {
            return fault(40002);
        }
        let page: Vec<_> = all.iter().skip(begin).take(count.min(shown)).collect();
        let end = begin + page.len();
        told(0, &json!({list: page, "cursor": end, "has_more": end < all.len()}))
    }

    fn videos(&self, world: &World) -> Reply {
        let all: Vec<_> = world
            .posts()
            .iter()
            .map(|post| {
                let id = name(post.number);
                let below = self.there.iter().filter(|c| c.post == post.number).count();
                json!({
                    "item_id": id, "create_time": post.created.as_second().to_string(),
                    "caption": post.message, "comments": below,
                    "share_url": format!("{}/@exempelstad/video/{id}", self.stage.origin),
                })
            })
            .collect();
        self.page("videos", &all, MOST_VIDEOS, MOST_VIDEOS)
    }

    fn comments(&self, world: &World) -> Reply {
        let video = number(self.field("video_id"));
        if !world.posts().iter().any(|post| post.number == video) {
            return fault(40007);
        }
        let of_video = || self.there.iter().filter(|comment| comment.post == video);
        if let Ok(ids) = serde_json::from_str::<Vec<String>>(self.field("comment_ids")) {
            if ids.len() > MOST_COMMENTS {
                return fault(40002);
            }
            let by_ids = self.stage.own.answers_by_ids;
            let is_asked =
                |c: &&Comment| ids.contains(&name(c.number)) && (by_ids || c.parent.is_none());
            let found: Vec<_> = of_video().filter(is_asked).map(|c| self.view(c)).collect();
            return told(0, &json!({"comments": found, "cursor": 0, "has_more": false}));
        }
        let mut tops: Vec<_> = of_video().filter(|comment| comment.parent.is_none()).collect();
        if self.field("sort_field") == "create_time" && self.field("sort_order") == "desc" {
            tops.reverse();
        }
        let shown = if self.field("include_replies") == "true" { self.stage.own.shown } else { 0 };
        let all: Vec<_> = tops
            .into_iter()
            .map(|top| {
                let below = self.there.iter().filter(|c| c.parent == Some(top.number)).rev();
                let below: Vec<_> = below.take(shown).map(|reply| self.view(reply)).collect();
                let mut view = self.view(top);
                view["reply_list"] = below.into();
                view
            })
            .collect();
        self.page("comments", &all, MOST_COMMENTS, self.stage.own.page)
    }

    fn replies(&self) -> Reply {
        let Some(top) = self.find(self.field("comment_id")) else { return fault(40007) };
        let below = self.there.iter().filter(|c| c.parent == Some(top.number)).rev();
        let all: Vec<_> = below.map(|reply| self.view(reply)).collect();
        self.page("comments", &all, MOST_COMMENTS, self.stage.own.page)
    }

    fn hide(&self, world: &mut World) -> Reply {
        if self.field("video_id").is_empty() {
            return fault(40002);
        }
        let Some(comment) = self.find(self.field("comment_id")) else { return fault(40007) };
        match self.field("action") {
            "HIDE" => world.hide(comment.number, true),
            "UNHIDE" => world.hide(comment.number, false),
            _ => return fault(40002),
        }
        told(0, &json!({}))
    }

    fn reply(&self, world: &mut World) -> Reply {
        let text = self.field("text").trim();
        if text.is_empty() || text.chars().count() > MOST_CHARACTERS {
            return fault(40002);
        }
        let Some(to) = self.find(self.field("comment_id")) else { return fault(40007) };
        let top = to.parent.unwrap_or(to.number);
        let number = world.add(to.post, Some(top), None, text, self.stage.now());
        if self.stage.own.hides_answers {
            world.hide(number, true);
        }
        told(0, &json!({"comment_id": name(number), "parent_comment_id": name(top)}))
    }
}
