//! The calls themselves: one in, one answer out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::platforms::held;
use crate::platforms::simulate::consent::Rotation;
use crate::platforms::simulate::reddit::{
    CLIENT, CLIENT_SECRET, ELSEWHERE, NAME, OtherPost, Reddit, SUBREDDIT, State, base36, mail,
    number,
};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{POSTS_FROM, Stage, Turned};
use crate::platforms::simulate::world::{Comment, Post, World};

/// How long an access token lives, in seconds.
const TOKEN_LIVES: u32 = 86_400;

const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The platform's own most.
pub const MOST_LISTED: usize = 100;
const LISTED_IN_ALL: usize = 1_000;
const MOST_CHARACTERS: usize = 10_000;

fn fault(status: u16, message: &str) -> Reply {
    Reply::told(status, &json!({"message": message, "error": status}))
}

pub fn not_found() -> Reply {
    fault(404, "Not Found")
}

/// The answer of a call that is turned away unread.
pub fn turned_away(why: Turned) -> Reply {
    match why {
        Turned::App(minutes) | Turned::Account(minutes) | Turned::Token(minutes) => {
            fault(429, "Too Many Requests").after(minutes)
        }
        Turned::Expired => fault(401, "Unauthorized"),
        Turned::Ill => Reply::text(500, ""),
        Turned::LostPlace => fault(400, "Bad Request"),
        Turned::Refused => fault(403, "Forbidden"),
    }
}

/// A form that was understood and not taken.
fn refused(code: &str) -> Reply {
    let error = json!([code, "as the simulator has it", "text"]);
    Reply::ok(&json!({"json": {"errors": [error]}}))
}

pub fn listing(children: &[Value], after: Option<String>) -> Value {
    json!({"kind": "Listing", "data": {
        "after": after, "before": Value::Null, "dist": children.len(), "children": children,
    }})
}

/// An entry of a list with when it was written.
type Dated = (Timestamp, Value);

struct Question<'a> {
    stage: &'a Stage<Reddit>,
    query: BTreeMap<String, String>,
    form: BTreeMap<String, String>,
    now: Timestamp,
}

/// Answers one call.
pub fn answer(stage: &Stage<Reddit>, call: &Call) -> Reply {
    let form = call.form().into_iter().collect();
    let asked = Question { stage, query: call.query_by_name(), form, now: stage.now() };
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    let agent = header("user-agent").unwrap_or_default();
    if !agent.starts_with("server:") || !agent.contains("(by /u/") {
        return fault(429, "Too Many Requests").after(1);
    }
    let path = call.uri.path().trim_matches('/');
    let mut state = held(&stage.state);
    if path == "api/v1/access_token" {
        return match call.is_from(CLIENT, CLIENT_SECRET) {
            true => asked.token(&mut state),
            false => fault(401, "Unauthorized"),
        };
    }
    if !state.consent.knows(call.bearer()) {
        return fault(401, "Unauthorized");
    }
    if let Some(reply) = asked.count(&mut state) {
        return reply;
    }
    let mut world = held(&stage.world);
    let parts: Vec<_> = path.split('/').collect();
    match (call.method.as_str(), &parts[..]) {
        ("GET", ["api", "v1", "me"]) => Reply::ok(&json!({"name": NAME, "id": "sim"})),
        ("GET", ["r", SUBREDDIT, "about"]) => Reply::ok(&json!({"kind": "t5", "data": {
            "display_name": SUBREDDIT, "user_is_moderator": stage.own.moderates,
        }})),
        ("GET", ["r", SUBREDDIT, "comments"]) => asked.list(asked.comments(&world, |c| !c.hidden)),
        ("GET", ["r", SUBREDDIT, "new"]) => asked.list(asked.new_posts(&world, &state)),
        ("GET", ["r", SUBREDDIT, "about", list]) => asked.moderated(&world, list),
        ("GET", ["message", "inbox"]) => asked.list(asked.inbox(&world, &state)),
        ("GET", ["message", "messages", id]) => mail::messages(&state, id),
        ("GET", ["user", NAME, "submitted"]) => asked.list(asked.submitted(&world)),
        ("GET", ["comments", post]) => asked.tree(&world, post),
        ("GET", ["api", "morechildren"]) => asked.more(&world),
        ("GET", ["api", "info"]) => asked.info(&world, &state),
        ("GET", ["api", "mod", "conversations"]) if stage.own.moderates => {
            mail::mailbox(&state, asked.field("limit"), asked.field("after"))
        }
        ("GET", ["api", "mod", "conversations", id]) if stage.own.moderates => {
            mail::talk(&state, id, 200)
        }
        ("POST", ["api", "mod", "conversations", id]) if stage.own.moderates => {
            let text = asked.sent("body").to_owned();
            state.write(id, &text, true, true, asked.now);
            mail::talk(&state, id, 201)
        }
        ("POST", ["api", "remove"]) => asked.remove(&mut world, &mut state, true),
        ("POST", ["api", "approve"]) => asked.remove(&mut world, &mut state, false),
        ("POST", ["api", "comment"]) => asked.comment(&mut world, &mut state),
        ("POST", ["api", "report"]) => {
            state.reported.push(asked.sent("thing_id").to_owned());
            Reply::ok(&json!({"json": {"errors": []}}))
        }
        (_, ["api", "mod", ..]) => fault(403, "Forbidden"),
        _ => not_found(),
    }
}

impl Question<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn sent(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    fn token(&self, state: &mut State) -> Reply {
        match state.consent.renew(&self.form, Rotation::Lasting) {
            Ok(pair) => Reply::ok(&json!({
                "access_token": pair.access, "token_type": "bearer", "expires_in": TOKEN_LIVES,
                "refresh_token": pair.refresh, "scope": self.stage.own.scope,
            })),
            Err(name) => Reply::told(400, &json!({"message": "Bad Request", "error": name})),
        }
    }

    fn count(&self, state: &mut State) -> Option<Reply> {
        if state.window_ends.is_none_or(|end| end <= self.now) {
            state.window_ends = Some(self.now + WINDOW);
            state.calls = 0;
        }
        if state.calls >= self.stage.own.calls_per_window {
            state.overspent += 1;
            return Some(fault(429, "Too Many Requests").after(1));
        }
        state.calls += 1;
        None
    }

    /// Texts come escaped unless asked for as they are.
    fn text(&self, text: &str) -> String {
        if self.field("raw_json") == Some("1") {
            return text.to_owned();
        }
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    fn home(post: u64) -> &'static str {
        if post == POSTS_FROM + 1 { SUBREDDIT } else { ELSEWHERE }
    }

    fn moderates(&self, post: u64) -> bool {
        self.stage.own.moderates && Self::home(post) == SUBREDDIT
    }

    fn there(&self, world: &World) -> Vec<Comment> {
        world.comments(self.now).into_iter().filter(|comment| !comment.deleted).collect()
    }

    fn view(&self, comment: &Comment) -> Value {
        let (post, id) = (base36(comment.post), base36(comment.number));
        let home = Self::home(comment.post);
        let author = match &comment.from {
            _ if comment.by_page => NAME,
            Some((_, name)) => name.as_str(),
            None => "[deleted]",
        };
        let parent = match comment.parent {
            Some(parent) => format!("t1_{}", base36(parent)),
            None => format!("t3_{post}"),
        };
        let edited = comment.edited.map_or(json!(false), |at| json!(at.as_second() as f64));
        let mut data = json!({
            "id": id, "name": format!("t1_{id}"), "parent_id": parent,
            "link_id": format!("t3_{post}"), "subreddit": home, "author": author,
            "author_fullname": format!("t2_{author}"), "body": self.text(&comment.text),
            "created_utc": comment.created.as_second() as f64, "edited": edited,
            "permalink": format!("/r/{home}/comments/{post}/inlagg/{id}/"), "score": 1, "ups": 1,
            "stickied": false, "distinguished": Value::Null, "collapsed": false, "replies": "",
            "can_mod_post": self.moderates(comment.post), "num_reports": Value::Null,
        });
        if self.moderates(comment.post) {
            let by = if comment.hidden { json!(NAME) } else { Value::Null };
            data["removed"] = comment.hidden.into();
            data["spam"] = false.into();
            data["banned_by"] = by;
            data["num_reports"] = 0.into();
        }
        json!({"kind": "t1", "data": data})
    }

    fn post_view(&self, world: &World, post: &Post) -> Value {
        let (title, text) = post.message.split_once("\n\n").unwrap_or((&post.message, ""));
        let (id, home) = (base36(post.number), Self::home(post.number));
        let below = self.there(world).iter().filter(|c| c.post == post.number).count();
        json!({"kind": "t3", "data": {
            "id": id, "name": format!("t3_{id}"), "subreddit": home, "author": NAME,
            "author_fullname": "t2_sim", "title": self.text(title), "selftext": self.text(text),
            "created_utc": post.created.as_second() as f64, "edited": false, "num_comments": below,
            "permalink": format!("/r/{home}/comments/{id}/inlagg/"),
            "can_mod_post": self.moderates(post.number),
        }})
    }

    fn other_view(&self, index: usize, post: &OtherPost) -> Value {
        let id = OtherPost::id(index);
        json!({"kind": "t3", "data": {
            "id": &id[3..], "name": id, "subreddit": SUBREDDIT, "author": post.name,
            "author_fullname": format!("t2_{}", post.name), "title": self.text(&post.title),
            "selftext": "", "created_utc": post.at.as_second() as f64, "edited": false,
            "num_comments": 0, "permalink": format!("/r/{SUBREDDIT}/comments/{}/inlagg/", &id[3..]),
            "can_mod_post": self.stage.own.moderates, "removed": post.hidden, "spam": false,
            "banned_by": if post.hidden { json!(NAME) } else { Value::Null },
        }})
    }

    /// One page of a list, the newest first. What a page begins after has to be there still.
    fn list(&self, mut all: Vec<Dated>) -> Reply {
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        all.truncate(LISTED_IN_ALL);
        let limit = match self.field("limit").map_or(Ok(25), str::parse) {
            Ok(limit @ 1..=MOST_LISTED) => limit.min(self.stage.own.page),
            Ok(_) | Err(_) => return fault(400, "Bad Request"),
        };
        let begin = match self.field("after") {
            None => 0,
            Some(after) => match all.iter().position(|(_, one)| one["data"]["name"] == after) {
                Some(at) => at + 1,
                None => all.len(),
            },
        };
        let shown: Vec<_> =
            all.iter().skip(begin).take(limit).map(|(_, one)| one.clone()).collect();
        let more = begin + shown.len() < all.len();
        let after = shown.last().filter(|_| more);
        let after = after.and_then(|one| one["data"]["name"].as_str().map(str::to_owned));
        Reply::ok(&listing(&shown, after))
    }

    fn comments(&self, world: &World, is_meant: impl Fn(&Comment) -> bool) -> Vec<Dated> {
        let all = self.there(world).into_iter();
        all.filter(|c| Self::home(c.post) == SUBREDDIT && is_meant(c))
            .map(|c| (c.created, self.view(&c)))
            .collect()
    }

    fn new_posts(&self, world: &World, state: &State) -> Vec<Dated> {
        let own = world.posts().into_iter().filter(|post| Self::home(post.number) == SUBREDDIT);
        let own = own.map(|post| (post.created, self.post_view(world, &post)));
        let others = state.posts.iter().enumerate().filter(|(_, post)| !post.hidden);
        own.chain(others.map(|(n, post)| (post.at, self.other_view(n, post)))).collect()
    }

    fn submitted(&self, world: &World) -> Vec<Dated> {
        let all = world.posts().into_iter();
        all.map(|post| (post.created, self.post_view(world, &post))).collect()
    }

    fn moderated(&self, world: &World, list: &str) -> Reply {
        if !self.stage.own.moderates {
            return fault(403, "Forbidden");
        }
        match list {
            "spam" => self.list(self.comments(world, |c| c.hidden)),
            "edited" => self.list(self.comments(world, |c| c.edited.is_some())),
            "modqueue" | "reports" | "unmoderated" => self.list(Vec::new()),
            _ => not_found(),
        }
    }

    /// Answers to what the account wrote, and messages to it. They lack a link of their own.
    fn inbox(&self, world: &World, state: &State) -> Vec<Dated> {
        let all = self.there(world);
        let ours = |n: u64| all.iter().any(|c| c.number == n && c.by_page);
        let to_us = all.iter().filter(|c| !c.by_page && c.parent.is_none_or(ours));
        let comments = to_us.map(|comment| {
            let mut view = self.view(comment);
            let data = view["data"].as_object_mut().expect("a view is an object");
            let link = data.remove("permalink").unwrap_or_default();
            for only_elsewhere in ["link_id", "can_mod_post", "removed", "spam", "banned_by"] {
                data.remove(only_elsewhere);
            }
            let context = format!("{}?context=3", link.as_str().unwrap_or_default());
            data.insert("context".into(), context.into());
            data.insert("was_comment".into(), true.into());
            data.insert("type".into(), "comment_reply".into());
            data.insert("subject".into(), "comment reply".into());
            (comment.created, view)
        });
        let letters = state.letters.iter().filter(|letter| !letter.is_mail && !letter.by_us);
        let letters = letters.map(|letter| (letter.at, mail::message(letter, Vec::new())));
        comments.chain(letters).collect()
    }

    /// What stands below a comment or a post: so many, and the rest by their ids.
    fn below(&self, all: &[Comment], post: u64, parent: Option<u64>) -> Vec<Value> {
        let of: Vec<_> = all.iter().filter(|c| c.post == post && c.parent == parent).collect();
        let shown = self.stage.own.shown;
        let mut listed: Vec<_> = of
            .iter()
            .take(shown)
            .map(|comment| {
                let mut view = self.view(comment);
                let below = self.below(all, post, Some(comment.number));
                if !below.is_empty() {
                    view["data"]["replies"] = listing(&below, None);
                }
                view
            })
            .collect();
        let rest: Vec<_> = of.iter().skip(shown).map(|c| base36(c.number)).collect();
        if !rest.is_empty() {
            let parent =
                parent.map_or(format!("t3_{}", base36(post)), |n| format!("t1_{}", base36(n)));
            listed.push(json!({"kind": "more", "data": {
                "count": rest.len(), "children": rest, "parent_id": parent, "id": "x", "name": "t1_x",
            }}));
        }
        listed
    }

    fn tree(&self, world: &World, post: &str) -> Reply {
        let posts = world.posts();
        let Some(post) = posts.iter().find(|p| p.number == number(post)) else {
            return not_found();
        };
        let all = self.there(world);
        let tree = match self.field("comment").map(number) {
            None => self.below(&all, post.number, None),
            Some(top) => match all.iter().find(|c| c.number == top) {
                Some(comment) => {
                    let mut view = self.view(comment);
                    let below = self.below(&all, post.number, Some(top));
                    view["data"]["replies"] = listing(&below, None);
                    vec![view]
                }
                None => Vec::new(),
            },
        };
        let head = listing(&[self.post_view(world, post)], None);
        Reply::ok(&json!([head, listing(&tree, None)]))
    }

    /// Those that a tree left out, flat, each with what stands below it.
    fn more(&self, world: &World) -> Reply {
        let asked: Vec<_> = self.field("children").unwrap_or("").split(',').map(number).collect();
        if asked.len() > MOST_LISTED || self.field("api_type") != Some("json") {
            return fault(400, "Bad Request");
        }
        let all = self.there(world);
        let is_meant = |c: &&Comment| {
            asked.contains(&c.number) || c.parent.is_some_and(|p| asked.contains(&p))
        };
        let things: Vec<_> = all.iter().filter(is_meant).map(|c| self.view(c)).collect();
        Reply::ok(&json!({"json": {"errors": [], "data": {"things": things}}}))
    }

    fn info(&self, world: &World, state: &State) -> Reply {
        let asked: Vec<_> = self.field("id").unwrap_or("").split(',').collect();
        if asked.len() > MOST_LISTED {
            return fault(400, "Bad Request");
        }
        let (all, posts) = (world.comments(self.now), world.posts());
        let found = asked.iter().filter_map(|name| {
            if name.starts_with("t3_") {
                let other = (0..state.posts.len()).find(|n| OtherPost::id(*n) == *name);
                return match other {
                    Some(n) => Some(self.other_view(n, &state.posts[n])),
                    None => posts
                        .iter()
                        .find(|post| post.number == number(name))
                        .map(|post| self.post_view(world, post)),
                };
            }
            let comment = all.iter().find(|comment| comment.number == number(name))?;
            let mut view = self.view(comment);
            if comment.deleted {
                // It stays, without text or name.
                view["data"]["author"] = "[deleted]".into();
                view["data"]["body"] = "[deleted]".into();
            }
            Some(view)
        });
        Reply::ok(&listing(&found.collect::<Vec<_>>(), None))
    }

    fn remove(&self, world: &mut World, state: &mut State, hidden: bool) -> Reply {
        let name = self.sent("id");
        if let Some(n) = (0..state.posts.len()).find(|n| OtherPost::id(*n) == name) {
            state.posts[n].hidden = hidden;
            return Reply::ok(&json!({}));
        }
        let comment = self.there(world).into_iter().find(|c| c.number == number(name));
        match comment {
            Some(comment) if self.moderates(comment.post) => {
                world.hide(comment.number, hidden);
                Reply::ok(&json!({}))
            }
            Some(_) => fault(403, "Forbidden"),
            // Nothing is said of what is not there.
            None => Reply::ok(&json!({})),
        }
    }

    fn comment(&self, world: &mut World, state: &mut State) -> Reply {
        let (to, text) = (self.sent("thing_id"), self.sent("text").trim());
        if text.is_empty() {
            return refused("NO_TEXT");
        }
        if text.chars().count() > MOST_CHARACTERS {
            return refused("TOO_LONG");
        }
        let written = if to.starts_with("t4_") {
            let letter = state.letters.iter().find(|letter| letter.id() == to);
            let Some(person) = letter.map(|letter| letter.person.clone()) else {
                return refused("DELETED_COMMENT");
            };
            state.write(&person, text, false, true, self.now);
            let ours = state.letters.last().expect("written now");
            let mut view = mail::message(ours, Vec::new());
            view["data"]["parent_id"] = to.into();
            view
        } else {
            let there = self.there(world);
            let post = world.posts().into_iter().find(|p| to == format!("t3_{}", base36(p.number)));
            let above = there.iter().find(|c| to == format!("t1_{}", base36(c.number)));
            let number = match (post, above) {
                (Some(post), _) => world.add(post.number, None, None, text, self.now),
                (None, Some(above)) => {
                    world.add(above.post, Some(above.number), None, text, self.now)
                }
                (None, None) => return refused("DELETED_COMMENT"),
            };
            let there = self.there(world);
            let Some(written) = there.iter().find(|comment| comment.number == number) else {
                return Reply::text(500, "");
            };
            let mut view = self.view(written);
            // The answer itself knows what it answers, however flat the world is.
            view["data"]["parent_id"] = to.into();
            view
        };
        Reply::ok(&json!({"json": {"errors": [], "data": {"things": [written]}}}))
    }
}
