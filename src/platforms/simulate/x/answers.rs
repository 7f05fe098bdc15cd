//! The calls themselves: one in, one answer out.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::platforms::held;
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{Stage, Turned};
use crate::platforms::simulate::world::{Comment, Post, World};
use crate::platforms::simulate::x::{
    CLIENT, CLIENT_SECRET, Elsewhere, Message, NAME, Simulator, State, USER, USERNAME, X, names,
    number, post_name,
};

/// How long an access token lives, in seconds.
const TOKEN_LIVES: u32 = 7_200;

const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Nothing older is searched.
const SEARCHED: SignedDuration = SignedDuration::from_hours(24 * 7);

const MOST_CHARACTERS: usize = 280;

/// The root of the threads of others.
const OTHERS_ROOT: &str = "1000000000000000001";

fn problem(status: u16, kind: &str, detail: &str) -> Reply {
    Reply::told(
        status,
        &json!({"title": "x", "type": format!("https://api.x.com/2/problems/{kind}"),
            "status": status, "detail": detail}),
    )
}

fn not_found() -> Reply {
    problem(404, "resource-not-found", "as the simulator has it")
}

fn bad() -> Reply {
    problem(400, "invalid-request", "as the simulator has it")
}

/// The answer of a call that is turned away unread.
pub fn turned_away(why: Turned) -> Reply {
    match why {
        Turned::App(minutes) | Turned::Account(minutes) | Turned::Token(minutes) => {
            let told = json!({"errors": [{"code": 88, "message": "Rate limit exceeded."}]});
            Reply::told(429, &told).after(minutes)
        }
        Turned::Expired => unauthorized(),
        Turned::Ill => problem(503, "resource-unavailable", "as the simulator has it"),
        Turned::LostPlace => bad(),
        Turned::Refused => problem(403, "not-authorized-for-resource", "as the simulator has it"),
    }
}

fn unauthorized() -> Reply {
    let body = json!({"title": "Unauthorized", "type": "about:blank", "status": 401,
        "detail": "Unauthorized"});
    Reply::told(401, &body)
}

/// A thing by the name that lists are ordered by.
type Named = (u64, Value);

struct Question<'a> {
    stage: &'a Stage<X>,
    query: BTreeMap<String, String>,
    now: Timestamp,
    /// Names by numbers, of whoever was met so far.
    people: RefCell<BTreeMap<String, String>>,
}

/// Answers one call.
pub fn answer(stage: &Stage<X>, call: &Call) -> Reply {
    let people = RefCell::default();
    let asked = Question { stage, query: call.query_by_name(), now: stage.now(), people };
    let mut state = held(&stage.state);
    let path = call.uri.path().trim_matches('/');
    if path == "2/oauth2/token" {
        return asked.token(&mut state, call);
    }
    if call.bearer() == Some(Simulator::APP_TOKEN) {
        return asked.app(call, path, &mut state);
    }
    if !state.consent.knows(call.bearer()) {
        return unauthorized();
    }
    let parts: Vec<_> = path.split('/').collect();
    let bucket = match (call.method.as_str(), parts.get(1)) {
        ("GET", Some(&"dm_events" | &"dm_conversations")) => {
            Some(("messages", stage.own.message_reads))
        }
        ("GET", _) => Some(("posts", stage.own.post_reads)),
        _ => None,
    };
    let (left, refused) = match bucket {
        Some((name, most)) => asked.count(&mut state, name, most),
        None => (None, None),
    };
    let reply = match refused {
        Some(reply) => reply,
        None => asked.called(call, &parts, &mut state),
    };
    let mut reply = match left {
        Some((most, left, ends)) if reply.wait.is_none() => reply
            .with("x-rate-limit-limit", most)
            .with("x-rate-limit-remaining", left)
            .with("x-rate-limit-reset", ends),
        _ => reply,
    };
    if stage.own.published_names {
        for (old, new) in [
            ("referenced_tweets", "referenced_posts"),
            ("edit_history_tweet_ids", "edit_history_post_ids"),
        ] {
            reply.body = reply.body.replace(old, new);
        }
    }
    reply
}

impl Question<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn token(&self, state: &mut State, call: &Call) -> Reply {
        if !call.is_from(CLIENT, CLIENT_SECRET) {
            return Reply::told(401, &json!({"error": "invalid_client"}));
        }
        let form = call.form().into_iter().collect();
        match state.consent.renew(&form, self.stage.own.rotation) {
            Ok(pair) => Reply::ok(&json!({
                "token_type": "bearer", "expires_in": TOKEN_LIVES, "access_token": pair.access,
                "refresh_token": pair.refresh,
                "scope": "tweet.read users.read tweet.write tweet.moderate.write dm.read dm.write offline.access",
            })),
            Err("invalid_grant") => Reply::told(
                400,
                &json!({"error": "invalid_request",
                "error_description": "Value passed for the token was invalid."}),
            ),
            Err(name) => Reply::told(400, &json!({"error": name})),
        }
    }

    /// What the app asks for by itself.
    fn app(&self, call: &Call, path: &str, state: &mut State) -> Reply {
        let view = |(url, valid): &(String, bool)| json!({"id": "77", "url": url, "valid": valid, "created_at": "2026-11-21T12:00:00.000Z"});
        match (call.method.as_str(), path, &mut state.webhook) {
            ("GET", "2/webhooks", webhook) => {
                let data: Vec<_> = webhook.iter().map(view).collect();
                let mut body = json!({"meta": {"result_count": data.len()}});
                if !data.is_empty() {
                    body["data"] = data.into();
                }
                Reply::ok(&body)
            }
            // One an app.
            ("POST", "2/webhooks", webhook) if webhook.is_none() => {
                let body = serde_json::from_slice::<Value>(&call.body).unwrap_or_default();
                let Some(url) = body["url"].as_str() else { return bad() };
                let made = webhook.insert((url.to_owned(), true));
                Reply::ok(&json!({"data": view(&*made)}))
            }
            ("PUT", "2/webhooks/77", Some((_, valid))) => {
                *valid = true;
                Reply::ok(&json!({"data": {"valid": true}}))
            }
            ("GET", "2/activity/subscriptions", _) => {
                let of = |(n, event): (usize, &String)| {
                    json!({"subscription_id": n.to_string(), "event_type": event, "webhook_id": "77",
                        "filter": {"user_id": USER}, "tag": "uppsikt"})
                };
                let data: Vec<_> = state.subscribed.iter().enumerate().map(of).collect();
                Reply::ok(&json!({"data": data}))
            }
            _ => not_found(),
        }
    }

    /// By the account's own leave.
    fn subscribe(state: &mut State, body: &Value) -> Reply {
        let event = body["event_type"].as_str().unwrap_or_default();
        let is_known = matches!(event, "post.mention.create" | "dm.received");
        if !is_known || body["filter"]["user_id"] != USER || body["webhook_id"] != "77" {
            return bad();
        }
        state.subscribed.push(event.to_owned());
        let subscription = json!({"subscription_id": state.subscribed.len().to_string(),
            "event_type": event, "webhook_id": "77", "filter": {"user_id": USER}});
        Reply::told(201, &json!({"data": {"subscription": subscription}}))
    }

    /// What is left of a window, and the answer where nothing is.
    fn count(
        &self,
        state: &mut State,
        name: &'static str,
        most: u32,
    ) -> (Option<(u32, u32, i64)>, Option<Reply>) {
        let fresh = (0, self.now + WINDOW);
        let window = state.windows.entry(name).or_insert(fresh);
        if window.1 <= self.now {
            *window = fresh;
        }
        let ends = window.1.as_second();
        if window.0 >= most {
            state.overspent += 1;
            return (None, Some(turned_away(Turned::Account(15))));
        }
        window.0 += 1;
        (Some((most, most - window.0, ends)), None)
    }

    fn called(&self, call: &Call, parts: &[&str], state: &mut State) -> Reply {
        let mut world = held(&self.stage.world);
        let body = || serde_json::from_slice::<Value>(&call.body).unwrap_or_default();
        match (call.method.as_str(), parts) {
            ("GET", ["2", "users", "me"]) => Reply::ok(&json!({"data": user(USER, NAME)})),
            ("GET", ["2", "users", USER, "mentions"]) => self.mentions(&world, state),
            ("GET", ["2", "users", USER, "tweets"]) => self.own(&world),
            ("GET", ["2", "tweets", "search", "recent"]) => self.search(&world),
            ("GET", ["2", "tweets"]) => self.by_ids(&world, state),
            ("PUT", ["2", "tweets", id, "hidden"]) => self.hide(&mut world, id, &body()),
            ("POST", ["2", "tweets"]) => self.reply(&mut world, state, &body()),
            ("POST", ["2", "activity", "subscriptions"]) => Self::subscribe(state, &body()),
            ("GET", ["2", "dm_events"]) => {
                self.page(state.messages.iter().map(Self::message).collect())
            }
            ("GET", ["2", "dm_events", id]) => {
                match state.messages.iter().find(|message| message.id == *id) {
                    Some(message) => {
                        Reply::ok(&json!({"data": Self::message(message).1, "includes": {}}))
                    }
                    None => not_found(),
                }
            }
            ("GET", ["2", "dm_conversations", id, "dm_events"]) => {
                let of = state.messages.iter().filter(|m| conversation(m) == *id);
                self.page(of.map(Self::message).collect())
            }
            ("POST", ["2", "dm_conversations", id, "messages"]) => {
                let of = state.messages.iter().find(|m| conversation(m) == *id);
                let Some(person) = of.map(|message| message.person.clone()) else {
                    return not_found();
                };
                let body = body();
                let Some(text) = body["text"].as_str() else { return bad() };
                let event = state.message(&person, text, true, self.now);
                let data = json!({"dm_conversation_id": id, "dm_event_id": event});
                Reply::told(201, &json!({"data": data}))
            }
            _ => not_found(),
        }
    }

    fn there(&self, world: &World) -> Vec<Comment> {
        let all = world.comments(self.now).into_iter().filter(|comment| !comment.deleted);
        let all: Vec<_> = all.collect();
        let mut people = self.people.borrow_mut();
        people.insert(USER.to_owned(), NAME.to_owned());
        people.extend(
            all.iter().filter_map(|c| c.from.clone()).map(|(n, name)| (n.to_string(), name)),
        );
        all
    }

    /// A comment under one of its names; under an older one, as it was.
    fn view(&self, world: &World, comment: &Comment, name: Option<&str>) -> Named {
        let names = names(comment);
        let newest = names.last().expect("a comment has a name");
        let id = name.filter(|name| names.iter().any(|known| known == name)).unwrap_or(newest);
        let root = world.posts().into_iter().find(|post| post.number == comment.post);
        let root = root.map(|post| post_name(&post)).unwrap_or_default();
        let above = comment.parent.and_then(|parent| {
            let all = self.there(world);
            all.iter().find(|c| c.number == parent).map(|c| super::names(c).remove(0))
        });
        let above = above.unwrap_or_else(|| root.clone());
        let text = if id == newest { comment.text.as_str() } else { "(tidigare lydelse)" };
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let at = comment.edited.filter(|_| id == newest).unwrap_or(comment.created);
        let data = json!({
            "id": id, "text": text, "author_id": author(comment),
            "created_at": at.to_string(), "conversation_id": root, "in_reply_to_user_id": USER,
            "referenced_tweets": [{"type": "replied_to", "id": above}],
            "public_metrics": metrics(0), "edit_history_tweet_ids": names,
            "lang": "sv", "reply_settings": "everyone",
        });
        (id.parse().unwrap_or(0), data)
    }

    fn post(&self, world: &World, post: &Post) -> Named {
        let id = post_name(post);
        let below = self.there(world);
        let below = below.iter().filter(|c| c.post == post.number && c.parent.is_none()).count();
        let data = json!({
            "id": id, "text": post.message, "author_id": USER, "conversation_id": id,
            "created_at": post.created.to_string(), "public_metrics": metrics(below),
            "edit_history_tweet_ids": [id], "lang": "sv", "reply_settings": "everyone",
        });
        (id.parse().unwrap_or(0), data)
    }

    fn elsewhere(post: &Elsewhere) -> Named {
        let data = json!({
            "id": post.id, "text": post.text, "author_id": "9", "conversation_id": OTHERS_ROOT,
            "created_at": post.at.to_string(), "edit_history_tweet_ids": [post.id],
            "referenced_tweets": [{"type": "replied_to", "id": OTHERS_ROOT}],
            "public_metrics": metrics(0), "lang": "sv", "reply_settings": "everyone",
        });
        (post.id.parse().unwrap_or(0), data)
    }

    fn message(message: &Message) -> Named {
        let sender = if message.by_us { USER } else { message.person.as_str() };
        let data = json!({
            "id": message.id, "event_type": "MessageCreate", "text": message.text,
            "sender_id": sender, "dm_conversation_id": conversation(message),
            "created_at": message.at.to_string(),
        });
        (message.id.parse().unwrap_or(0), data)
    }

    /// One page, the newest first. A place is the name of the last on the page before.
    fn page(&self, mut all: Vec<Named>) -> Reply {
        all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        if let Some(since) = self.field("since_id") {
            let Ok(since) = since.parse::<u64>() else { return bad() };
            all.retain(|(id, _)| *id > since);
        }
        let limit = match self.field("max_results").map_or(Ok(10), str::parse) {
            Ok(limit @ 5..=100) => limit.min(self.stage.own.page),
            Ok(_) | Err(_) => return bad(),
        };
        let place = self.field("pagination_token").or(self.field("next_token"));
        let begin = match place.map(|place| u64::from_str_radix(place, 16)) {
            None => 0,
            Some(Ok(last)) => all.partition_point(|(id, _)| *id >= last),
            Some(Err(_)) => return bad(),
        };
        let shown: Vec<_> = all.iter().skip(begin).take(limit).collect();
        let mut meta = json!({"result_count": shown.len()});
        if let (Some((newest, _)), Some((oldest, _))) = (shown.first(), shown.last()) {
            // Lists of messages do not tell these.
            if shown.iter().all(|(_, one)| one.get("event_type").is_none()) {
                meta["newest_id"] = newest.to_string().into();
                meta["oldest_id"] = oldest.to_string().into();
            }
            if begin + shown.len() < all.len() {
                meta["next_token"] = format!("{oldest:x}").into();
            }
        }
        let data: Vec<_> = shown.iter().map(|(_, one)| one.clone()).collect();
        self.told(&data, &[], meta)
    }

    /// What is there, with whoever wrote it, and what is not.
    fn told(&self, data: &[Value], missing: &[&str], meta: Value) -> Reply {
        let mut body = json!({});
        if !meta.is_null() {
            body["meta"] = meta;
        }
        if !data.is_empty() {
            let people = data.iter().filter_map(|one| {
                let id = one["author_id"].as_str().or(one["sender_id"].as_str())?;
                Some(user(id, self.people.borrow().get(id).map_or(id, String::as_str)))
            });
            let people: Vec<_> = people.collect();
            body["data"] = data.into();
            body["includes"] = json!({"users": people});
        }
        if !missing.is_empty() {
            let errors: Vec<_> = missing.iter().map(|id| json!({
                "resource_type": "tweet", "resource_id": id, "parameter": "ids", "value": id,
                "title": "Not Found Error", "detail": "as the simulator has it",
                "type": "https://api.x.com/2/problems/resource-not-found",
            })).collect();
            body["errors"] = errors.into();
        }
        Reply::ok(&body)
    }

    fn mentions(&self, world: &World, state: &State) -> Reply {
        let named = self.there(world).into_iter();
        let named = named.filter(|c| !c.by_page && !state.unnamed.contains(&c.number));
        let named = named.map(|comment| self.view(world, &comment, None));
        let mut all: Vec<_> = named.chain(state.elsewhere.iter().map(Self::elsewhere)).collect();
        all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        all.truncate(self.stage.own.mentions);
        self.page(all)
    }

    fn own(&self, world: &World) -> Reply {
        let start = self.field("start_time").and_then(|at| at.parse::<Timestamp>().ok());
        let posts =
            world.posts().into_iter().filter(|post| start.is_none_or(|at| post.created >= at));
        let posts = posts.map(|post| self.post(world, &post));
        let answers = self.there(world).into_iter().filter(|comment| comment.by_page);
        let answers: Vec<_> = answers.map(|comment| self.view(world, &comment, None)).collect();
        self.page(posts.chain(answers).collect())
    }

    fn search(&self, world: &World) -> Reply {
        let query = self.field("query").unwrap_or_default();
        let Some(root) = query.strip_prefix("conversation_id:") else { return bad() };
        let posts = world.posts();
        let Some(post) = posts.iter().find(|post| post_name(post) == root) else {
            return self.page(Vec::new());
        };
        let all = self.there(world).into_iter().filter(|c| c.post == post.number);
        let young = all.filter(|c| self.now.duration_since(c.created) < SEARCHED);
        self.page(young.map(|comment| self.view(world, &comment, None)).collect())
    }

    fn by_ids(&self, world: &World, state: &State) -> Reply {
        let ids: Vec<_> = self.field("ids").unwrap_or("").split(',').collect();
        if ids.len() > 100 {
            return bad();
        }
        let (all, posts) = (self.there(world), world.posts());
        let find = |id: &str| {
            let comment =
                all.iter().find(|c| c.number == number(id) && names(c).iter().any(|n| n == id));
            let own = posts.iter().find(|post| post_name(post) == id);
            let other = state.elsewhere.iter().find(|post| post.id == id);
            comment
                .map(|comment| self.view(world, comment, Some(id)))
                .or_else(|| own.map(|post| self.post(world, post)))
                .or_else(|| other.map(Self::elsewhere))
                .map(|(_, one)| one)
        };
        let found: Vec<_> = ids.iter().filter_map(|id| find(id)).collect();
        let missing: Vec<_> = ids.iter().copied().filter(|id| find(id).is_none()).collect();
        self.told(&found, &missing, Value::Null)
    }

    fn hide(&self, world: &mut World, id: &str, body: &Value) -> Reply {
        let Some(hidden) = body["hidden"].as_bool() else { return bad() };
        let there = self.there(world);
        match there.iter().find(|c| c.number == number(id)) {
            Some(comment) => {
                world.hide(comment.number, hidden);
                Reply::ok(&json!({"data": {"hidden": hidden}}))
            }
            None => not_found(),
        }
    }

    fn reply(&self, world: &mut World, state: &State, body: &Value) -> Reply {
        let text = body["text"].as_str().unwrap_or("").trim();
        if text.is_empty() || text.chars().count() > MOST_CHARACTERS {
            let told = json!({"errors": [{"message": "text is invalid", "parameters": {}}]});
            return Reply::told(400, &told);
        }
        let Some(to) = body["reply"]["in_reply_to_tweet_id"].as_str() else { return bad() };
        let there = self.there(world);
        let Some(to) = there.iter().find(|c| c.number == number(to)) else {
            return problem(403, "not-authorized-for-resource", "deleted or not visible to you");
        };
        let is_summoned = self.stage.own.answers_all || !state.unnamed.contains(&to.number);
        if !is_summoned {
            let detail = "Reply to this conversation is not allowed: you have not been mentioned";
            return problem(403, "not-authorized-for-resource", detail);
        }
        if there.iter().any(|c| c.by_page && c.text == text) {
            let detail = "You are not allowed to create a Tweet with duplicate content.";
            return problem(403, "not-authorized-for-resource", detail);
        }
        let number = world.add(to.post, Some(to.number), None, text, self.now);
        let written = world.comments(self.now).into_iter().find(|c| c.number == number);
        let id = written.map(|c| names(&c).remove(0)).unwrap_or_default();
        Reply::told(201, &json!({"data": {"id": id, "text": text}}))
    }
}

fn metrics(answers: usize) -> Value {
    json!({"retweet_count": 0, "reply_count": answers, "like_count": 0, "quote_count": 0,
        "bookmark_count": 0, "impression_count": 0})
}

fn author(comment: &Comment) -> String {
    match &comment.from {
        _ if comment.by_page => USER.to_owned(),
        Some((number, _)) => number.to_string(),
        None => "0".to_owned(),
    }
}

fn conversation(message: &Message) -> String {
    format!("{}-{USER}", message.person)
}

fn user(id: &str, name: &str) -> Value {
    let username = match id {
        USER => USERNAME.to_owned(),
        _ => name.to_lowercase().replace(' ', "_"),
    };
    json!({"id": id, "name": name, "username": username})
}
