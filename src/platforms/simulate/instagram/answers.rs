//! The endpoints themselves: one call in, one answer out.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::platforms::held;
use crate::platforms::settings::InstagramLogin;
use crate::platforms::simulate::graph::{Form, fault, graph_time, no_such_object};
use crate::platforms::simulate::instagram::{
    FIRST_MENTION, IG_ID, Instagram, Mention, Message, OWNER, PAGE_ID, READABLE, TOKEN, USERNAME,
};
use crate::platforms::simulate::is_shown;
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::Stage;
use crate::platforms::simulate::world::{Comment, Post, World};

/// The edge of comments lists no more at a time.
const MOST_COMMENTS: usize = 50;

struct Question<'a> {
    stage: &'a Stage<Instagram>,
    form: Form,
    now: Timestamp,
}

/// Answers one call.
pub fn answer(stage: &Stage<Instagram>, call: &Call) -> Reply {
    let asked = Question { stage, form: Form::of(call), now: stage.now() };
    let Some(token) = call.bearer().or_else(|| asked.form.field("access_token")) else {
        return fault(190, 0, "An access token is required to request this resource.");
    };
    if !is_shown(token, TOKEN) {
        return fault(190, 467, "Invalid OAuth access token.");
    }
    let mut segments = call.uri.path().trim_matches('/').split('/');
    if !segments.next().is_some_and(|version| version.starts_with('v')) {
        return fault(2500, 0, "Unknown path components");
    }
    let (node, edge) = (segments.next().unwrap_or(""), segments.next());
    let is_own = stage.own.login == InstagramLogin::Own;
    let owner = if is_own { "me" } else { PAGE_ID };
    let writer = if is_own { "me" } else { IG_ID };
    let mut world = held(&stage.world);
    match (call.method.as_str(), node, edge) {
        // The `id` of a token of its own is the app's and good for nothing else.
        ("GET", "me", None) if is_own => {
            asked.form.select(json!({"id": "9990009", "user_id": IG_ID, "username": USERNAME}))
        }
        ("GET", IG_ID, None) if asked.asks_of_mentions() => asked.mentioned(),
        ("POST", IG_ID, Some("mentions")) => asked.answer_mention(),
        ("GET", IG_ID, None) => {
            asked.form.select(json!({"id": IG_ID, "username": USERNAME, "name": OWNER.name}))
        }
        ("GET", "", None) => asked.several(&world),
        ("GET", IG_ID, Some("media")) => asked.media(&world),
        ("GET", id, Some("conversations")) if id == owner && held(&stage.state).is_shut => {
            fault(200, 2_534_041, "Access to messages is switched off")
        }
        ("GET", id, Some("conversations")) if id == owner => asked.conversations(),
        ("GET", id, Some("messages")) if id.starts_with("t_") => {
            match id.strip_prefix("t_").and_then(|person| asked.talk(person.parse().ok()?)) {
                Some(talk) => Reply::ok(&talk["messages"]),
                None => no_such_object(id),
            }
        }
        ("GET", id, None) if id.starts_with("t_") && held(&stage.state).by_edge => {
            fault(100, 0, "Tried accessing nonexisting field (messages)")
        }
        ("POST", id, Some("messages")) if id == writer => asked.send(),
        ("GET", id, Some("comments")) => asked.comments(&world, id),
        ("GET", id, Some("replies")) => asked.replies(&world, id),
        ("GET", id, None) => asked
            .one(&world, id)
            .map_or_else(|| no_such_object(id), |found| asked.form.select(found)),
        ("POST", id, Some("replies")) => asked.reply(&mut world, id),
        ("POST", id, None) => asked.hide(&mut world, id),
        ("DELETE", id, None) => match asked.find(&world, id) {
            Some(comment) => {
                world.delete(comment.number);
                Reply::ok(&json!({"success": true}))
            }
            None => no_such_object(id),
        },
        _ => fault(100, 0, "Unsupported request"),
    }
}

impl Question<'_> {
    fn there(&self, world: &World) -> Vec<Comment> {
        world.comments(self.now).into_iter().filter(|comment| !comment.deleted).collect()
    }

    fn find(&self, world: &World, id: &str) -> Option<Comment> {
        let number: u64 = id.parse().ok()?;
        self.there(world).into_iter().find(|comment| comment.number == number)
    }

    fn link(&self, post: u64) -> String {
        format!("{}/p/{post}/", self.stage.origin)
    }

    /// A comment, with the answers under it where it is a topmost one.
    fn view(&self, world: &World, comment: &Comment) -> Value {
        let mut view = json!({
            "id": comment.number.to_string(), "text": comment.text,
            "timestamp": graph_time(comment.created), "hidden": comment.hidden, "like_count": 0,
            "media": {"id": comment.post.to_string(), "permalink": self.link(comment.post)},
        });
        if comment.by_page {
            view["username"] = USERNAME.into();
            view["from"] = json!({"id": IG_ID, "username": USERNAME});
            view["user"] = json!({"id": IG_ID});
        } else if let Some((id, name)) = &comment.from {
            view["username"] = name.as_str().into();
            view["from"] = json!({"id": id.to_string(), "username": name});
        }
        if let Some(parent) = comment.parent {
            view["parent_id"] = parent.to_string().into();
            return view;
        }
        let all = self.there(world);
        let under: Vec<_> = all.iter().filter(|c| c.parent == Some(comment.number)).collect();
        if !under.is_empty() {
            let shown = under.iter().take(self.stage.own.shown);
            let data: Vec<_> = shown.map(|reply| self.view(world, reply)).collect();
            let mut page = json!({ "data": data });
            if let Some(last) = under.iter().take(self.stage.own.shown).next_back() {
                let place = hex::encode(format!("{} {}", last.created, last.number));
                page["paging"] = json!({"cursors": {"before": place, "after": place}});
                if under.len() > self.stage.own.shown {
                    page["paging"]["next"] = json!("https://graph.facebook.com/…");
                }
            }
            view["replies"] = page;
        }
        view
    }

    fn media_view(&self, world: &World, post: &Post) -> Value {
        let all = self.there(world);
        json!({
            "id": post.number.to_string(), "caption": post.message,
            "permalink": self.link(post.number), "timestamp": graph_time(post.created),
            "comments_count": all.iter().filter(|c| c.post == post.number).count(),
            "media_type": "IMAGE", "media_product_type": "FEED", "is_comment_enabled": true,
        })
    }

    fn one(&self, world: &World, id: &str) -> Option<Value> {
        if let Some(post) = world.posts().iter().find(|post| post.number.to_string() == id) {
            return Some(self.media_view(world, post));
        }
        if let Some(person) = id.strip_prefix("t_") {
            return self.talk(person.parse().ok()?);
        }
        if id.starts_with("m_") {
            return self.message(id);
        }
        self.find(world, id).map(|comment| self.view(world, &comment))
    }

    fn several(&self, world: &World) -> Reply {
        let ids: Vec<_> =
            self.form.field("ids").unwrap_or("").split(',').filter(|id| !id.is_empty()).collect();
        if ids.is_empty() || ids.len() > 50 {
            return fault(100, 0, "ids takes 1 to 50 ids");
        }
        let mut all = Map::new();
        for id in ids {
            let Some(object) = self.one(world, id) else { return no_such_object(id) };
            all.insert(id.to_owned(), self.form.selected(object));
        }
        Reply::ok(&Value::Object(all))
    }

    fn media(&self, world: &World) -> Reply {
        let posts = world.posts();
        let listed: Vec<_> = posts
            .iter()
            .map(|post| {
                let place = (post.created, post.number);
                (place, self.form.selected(self.media_view(world, post)))
            })
            .collect();
        self.form.page(&listed, true)
    }

    fn comments(&self, world: &World, id: &str) -> Reply {
        let Some(post) = world.posts().into_iter().find(|post| post.number.to_string() == id)
        else {
            return no_such_object(id);
        };
        let limit = self.form.field("limit").and_then(|limit| limit.parse().ok());
        if limit.is_some_and(|limit: usize| limit > MOST_COMMENTS) {
            return fault(100, 0, "limit must be at most 50");
        }
        // Topmost ones alone, the newest first.
        let mut listed: Vec<_> = self
            .there(world)
            .iter()
            .filter(|c| c.post == post.number && c.parent.is_none())
            .map(|c| ((c.created, c.number), self.form.selected(self.view(world, c))))
            .collect();
        listed.reverse();
        self.form.page(&listed, true)
    }

    fn replies(&self, world: &World, id: &str) -> Reply {
        let Some(top) = self.find(world, id) else { return no_such_object(id) };
        let listed: Vec<_> = self
            .there(world)
            .iter()
            .filter(|c| c.parent == Some(top.number))
            .map(|c| ((c.created, c.number), self.form.selected(self.view(world, c))))
            .collect();
        self.form.page(&listed, false)
    }

    fn reply(&self, world: &mut World, id: &str) -> Reply {
        let Some(text) = self.form.field("message").filter(|text| !text.trim().is_empty()) else {
            return fault(100, 0, "message is required");
        };
        let Some(to) = self.find(world, id) else { return no_such_object(id) };
        if to.hidden {
            return fault(10, 0, "Hidden comments cannot be replied to");
        }
        let top = to.parent.unwrap_or(to.number);
        let number = world.add(to.post, Some(top), None, text.trim(), self.now);
        Reply::ok(&json!({"id": number.to_string()}))
    }

    fn hide(&self, world: &mut World, id: &str) -> Reply {
        let Some(comment) = self.find(world, id) else { return no_such_object(id) };
        match self.form.field("hide") {
            // The account's own stay visible, whatever is set.
            Some("true" | "false") if comment.by_page => Reply::ok(&json!({"success": true})),
            Some(word @ ("true" | "false")) => {
                world.hide(comment.number, word == "true");
                Reply::ok(&json!({"success": true}))
            }
            Some(_) | None => fault(100, 0, "Invalid parameter"),
        }
    }

    fn asks_of_mentions(&self) -> bool {
        self.form.field("fields").is_some_and(|fields| fields.starts_with("mentioned_"))
    }

    /// One that names the account, by the id that a push has told.
    fn mentioned(&self) -> Reply {
        let asked = self.form.field("fields").unwrap_or_default();
        let id = asked.split(['(', ')']).nth(1).unwrap_or_default();
        let state = held(&self.stage.state);
        let of = |one: &&Mention| one.number.to_string() == id && !one.by_us;
        let Some(one) = state.mentions.iter().find(of) else { return no_such_object(id) };
        let (number, at) = (one.number.to_string(), graph_time(one.at));
        let link = |number: u64| format!("{}/p/{number}/", self.stage.origin);
        let told = match (asked.split('.').next(), one.media) {
            (Some("mentioned_comment"), Some(media)) => json!({
                "id": number, "text": one.text, "timestamp": at, "username": "kim.exempel",
                "like_count": 0, "media": {"id": media.to_string(), "permalink": link(media)},
            }),
            (Some("mentioned_media"), None) => json!({
                "id": number, "caption": one.text, "timestamp": at, "username": "kim.exempel",
                "permalink": link(one.number), "media_type": "IMAGE",
            }),
            _ => return no_such_object(id),
        };
        let name = if one.media.is_some() { "mentioned_comment" } else { "mentioned_media" };
        Reply::ok(&json!({"id": IG_ID, name: told}))
    }

    fn answer_mention(&self) -> Reply {
        let field = |name: &str| self.form.field(name).map(str::to_owned);
        let (Some(media), Some(text)) = (field("media_id"), field("message")) else {
            return fault(100, 0, "media_id and message are required");
        };
        let to = field("comment_id").unwrap_or_else(|| media.clone());
        let mut state = held(&self.stage.state);
        if !state.mentions.iter().any(|one| one.number.to_string() == to && !one.by_us) {
            return no_such_object(&to);
        }
        let number = FIRST_MENTION + state.mentions.len() as u64;
        let (media, at) = (media.parse().ok(), self.now);
        state.mentions.push(Mention { number, media, text, at, by_us: true });
        Reply::ok(&json!({"id": number.to_string()}))
    }

    fn messages(&self) -> Vec<Message> {
        held(&self.stage.state).messages.clone()
    }

    fn of(&self, person: u64) -> Vec<Message> {
        let mut all: Vec<_> = self.messages().into_iter().filter(|m| m.person == person).collect();
        all.reverse();
        all
    }

    fn message_view(message: &Message) -> Value {
        let us = json!({"id": IG_ID, "username": USERNAME});
        let other = json!({"id": message.person.to_string(), "username": "kim.exempel"});
        let (from, to) = if message.by_us { (us, other) } else { (other, us) };
        json!({
            "id": message.id, "created_time": graph_time(message.at), "message": message.text,
            "from": from, "to": {"data": [to]},
        })
    }

    fn conversations(&self) -> Reply {
        if self.form.field("platform") != Some("instagram") {
            return fault(100, 0, "platform is required");
        }
        let mut people: Vec<_> = self.messages().iter().map(|message| message.person).collect();
        people.sort_unstable();
        people.dedup();
        let mut listed: Vec<_> = people
            .into_iter()
            .filter_map(|person| {
                let newest = self.of(person).into_iter().next()?;
                let other = json!({"id": person.to_string(), "username": "kim.exempel"});
                let us = json!({"id": IG_ID, "username": USERNAME});
                let talk = json!({
                    "id": format!("t_{person}"), "updated_time": graph_time(newest.at),
                    "participants": {"data": [us, other]},
                });
                Some(((newest.at, person), self.form.selected(talk)))
            })
            .collect();
        listed.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        self.form.page(&listed, true)
    }

    /// Of a conversation nothing but the newest messages is shown.
    fn talk(&self, person: u64) -> Option<Value> {
        let all = self.of(person);
        if all.is_empty() {
            return None;
        }
        let data: Vec<_> = all.iter().take(READABLE).map(Self::message_view).collect();
        Some(json!({"id": format!("t_{person}"), "messages": {"data": data}}))
    }

    /// One that is older is answered as if it had been deleted.
    fn message(&self, id: &str) -> Option<Value> {
        let message = self.messages().into_iter().find(|message| message.id == id)?;
        let readable = self.of(message.person).into_iter().take(READABLE).any(|m| m.id == id);
        readable.then(|| Self::message_view(&message))
    }

    fn send(&self) -> Reply {
        let json =
            |name| self.form.field(name).and_then(|text| serde_json::from_str::<Value>(text).ok());
        let person = json("recipient").and_then(|to| to["id"].as_str()?.parse::<u64>().ok());
        let text = json("message").and_then(|m| m["text"].as_str().map(str::to_owned));
        let (Some(person), Some(text)) = (person, text) else {
            return fault(100, 0, "recipient and message are required");
        };
        let newest = self.of(person).into_iter().find(|message| !message.by_us);
        let Some(newest) = newest else {
            return fault(100, 2_534_014, "No matching user found");
        };
        let tag = json("tag").and_then(|tag| tag.as_str().map(str::to_owned));
        let is_person = tag.as_deref() == Some("HUMAN_AGENT");
        if is_person && !held(&self.stage.state).human_agent {
            return fault(10, 0, "Requires the Human Agent feature");
        }
        let hours = if is_person { 7 * 24 } else { 24 };
        if self.now.duration_since(newest.at).as_hours() >= hours {
            return fault(10, 2_534_022, "This message is sent outside of allowed window");
        }
        let messages = &mut held(&self.stage.state).messages;
        let id = format!("m_{}", messages.len() + 1);
        messages.push(Message { id: id.clone(), person, by_us: true, text, at: self.now });
        Reply::ok(&json!({"recipient_id": person.to_string(), "message_id": id}))
    }
}
