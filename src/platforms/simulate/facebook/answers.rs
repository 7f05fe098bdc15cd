//! The endpoints themselves: one call in, one answer out.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::platforms::facebook::RIGHTS;
use crate::platforms::held;
use crate::platforms::simulate::facebook::{
    Facebook, Message, PAGE_ID, PAGE_NAME, PERSON_ID, PERSON_TOKEN, State, TOKEN, Visitor,
};
use crate::platforms::simulate::graph::{Form, fault, fields, graph_time, no_such_object};
use crate::platforms::simulate::is_shown;
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::Stage;
use crate::platforms::simulate::world::{Comment, Post, World};

/// One question: who asks, what for, and what the form and query hold.
struct Question<'a> {
    stage: &'a Stage<Facebook>,
    form: Form,
    now: Timestamp,
}

/// A comment that speaks of the picture has one.
pub fn has_picture(comment: &Comment) -> bool {
    comment.text.contains("bilden")
}

/// The picture of a comment, of its own colours: `/media/7.png`.
pub fn picture(world: &World, now: Timestamp, path: &str) -> Option<Vec<u8>> {
    let number: u64 = path.strip_prefix("/media/")?.strip_suffix(".png")?.parse().ok()?;
    let comments = world.comments(now);
    let is_it = |comment: &&Comment| comment.number == number && !comment.deleted;
    comments.iter().find(is_it).filter(|comment| has_picture(comment))?;
    // Any colours will do, and the same ones each time.
    let [red, green, blue, ..] = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    let drawn = image::RgbImage::from_fn(320, 200, |x, y| match x / 40 + y / 40 {
        field if field.is_multiple_of(2) => image::Rgb([red, green, blue]),
        _ => image::Rgb([blue, red, green]),
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    drawn.write_to(&mut bytes, image::ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}

/// Answers one call.
pub fn answer(stage: &Stage<Facebook>, call: &Call) -> Reply {
    let form = Form::of(call);
    let asked = Question { stage, form, now: stage.now() };
    let header = call.bearer().filter(|_| !held(&stage.state).parameter_only);
    let Some(token) = header.or_else(|| asked.form.field("access_token")) else {
        return fault(190, 0, "An access token is required to request this resource.");
    };
    let is_page = is_shown(token, TOKEN);
    if !is_page && token != PERSON_TOKEN {
        return fault(190, 467, "Invalid OAuth access token.");
    }
    let mut segments = call.uri.path().trim_matches('/').split('/');
    if !segments.next().is_some_and(|version| version.starts_with('v')) {
        return fault(2500, 0, "Unknown path components");
    }
    let (node, edge) = (segments.next().unwrap_or(""), segments.next());
    let mut world = held(&stage.world);
    match (call.method.as_str(), node, edge) {
        ("GET", "me", None) if is_page => {
            asked.form.select(json!({"id": PAGE_ID, "name": PAGE_NAME}))
        }
        ("GET", "me", None) => asked.form.select(json!({"id": PERSON_ID, "name": "Kim Exempel"})),
        ("GET", "debug_token", None) => {
            let state = held(&stage.state);
            let has: Vec<_> = RIGHTS.iter().filter(|right| !state.lacks.contains(right)).collect();
            Reply::ok(&json!({"data": {
                "is_valid": true, "expires_at": state.login_ends.map_or(0, Timestamp::as_second),
                "data_access_expires_at": 0, "scopes": has,
            }}))
        }
        ("GET", PAGE_ID, None) => asked.form.select(json!({
            "id": PAGE_ID, "name": PAGE_NAME,
            "about": "Exempelstads kommun. Det du skriver här blir allmän handling.",
        })),
        ("GET", "", None) => asked.several(&world),
        ("GET", PAGE_ID, Some("published_posts")) => asked.posts(&world),
        ("GET", PAGE_ID, Some("visitor_posts")) if is_page => asked.visitors(&world),
        ("GET", PAGE_ID, Some("conversations")) if is_page => asked.conversations(),
        ("GET", id, Some("messages")) if is_page => asked.messages(id),
        ("POST", PAGE_ID, Some("messages")) if is_page => asked.send(),
        ("POST", PAGE_ID, Some("subscribed_apps")) if is_page => {
            if !asked.form.field("subscribed_fields").is_some_and(|f| f.contains("feed")) {
                return fault(100, 0, "(#100) Param subscribed_fields is required");
            }
            held(&stage.state).subscribed = true;
            Reply::ok(&json!({"success": true}))
        }
        ("GET", id, None) if id.starts_with("m_") => match asked.message(id) {
            Some(message) => asked.form.select(Question::message_view(&message)),
            None => no_such_object(id),
        },
        ("GET", id, None) if asked.visitor(id).is_some() => {
            let post = asked.visitor(id).map(|post| asked.visitor_view(&world, &post));
            asked.form.select(post.unwrap_or_default())
        }
        ("POST", id, None) if asked.visitor(id).is_some() => asked.hide_visitor(id),
        ("DELETE", id, None) if asked.visitor(id).is_some() => {
            held(&stage.state).visitors.retain(|post| format!("{PAGE_ID}_{}", post.number) != id);
            Reply::ok(&json!({"success": true}))
        }
        ("GET", id, Some("comments")) => asked.comments(&world, id, is_page),
        ("GET", id, None) => {
            asked.one(&world, id).map_or_else(|| no_such_object(id), |v| asked.form.select(v))
        }
        ("POST", _, _) | ("DELETE", _, _) if !is_page => {
            fault(200, 0, "Requires pages_manage_engagement permission")
        }
        ("POST", id, Some("comments")) => asked.reply(&mut world, id),
        ("POST", id, None) => asked.change(&mut world, id),
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

/// Whether the token may read conversations.
pub fn may_read_messages(state: &State) -> bool {
    !state.lacks.contains(&"pages_messaging")
}

impl Question<'_> {
    fn visitor(&self, id: &str) -> Option<Visitor> {
        let number: u64 = id.strip_prefix(PAGE_ID)?.strip_prefix('_')?.parse().ok()?;
        held(&self.stage.state).visitors.iter().find(|post| post.number == number).cloned()
    }

    fn visitor_view(&self, world: &World, post: &Visitor) -> Value {
        let Visitor { number, name, text, at, hidden } = post;
        let under = world.comments(self.now);
        let total = under.iter().filter(|c| c.post == *number && !c.deleted).count();
        json!({
            "id": format!("{PAGE_ID}_{number}"), "message": text,
            "from": {"id": format!("3{number}"), "name": name},
            "created_time": graph_time(*at), "is_hidden": hidden,
            "permalink_url": format!("{}/inlagg/{number}", self.stage.origin),
            "comments": {"data": [], "summary": {"order": "chronological", "total_count": total, "can_comment": true}},
        })
    }

    fn visitors(&self, world: &World) -> Reply {
        let all = held(&self.stage.state).visitors.clone();
        let listed: Vec<_> = all
            .iter()
            .rev()
            .map(|post| {
                let view = self.visitor_view(world, post);
                ((post.at, post.number), self.form.selected(view))
            })
            .collect();
        self.form.page(&listed, true)
    }

    fn hide_visitor(&self, id: &str) -> Reply {
        let hidden = match self.form.field("is_hidden") {
            Some("true") => true,
            Some("false") => false,
            Some(_) | None => return fault(100, 0, "Invalid parameter"),
        };
        let mut state = held(&self.stage.state);
        let is_it = |post: &&mut Visitor| format!("{PAGE_ID}_{}", post.number) == id;
        match state.visitors.iter_mut().find(is_it) {
            Some(post) => post.hidden = hidden,
            None => return no_such_object(id),
        }
        Reply::ok(&json!({"success": true}))
    }

    /// Of a conversation, the newest message first.
    fn of(&self, person: u64) -> Vec<Message> {
        let state = held(&self.stage.state);
        state.messages.iter().rev().filter(|m| m.person == person).cloned().collect()
    }

    fn no_messages(&self) -> Option<Reply> {
        let may = may_read_messages(&held(&self.stage.state));
        (!may).then(|| fault(200, 0, "Requires pages_messaging permission"))
    }

    fn message_view(message: &Message) -> Value {
        let us = json!({"id": PAGE_ID, "name": PAGE_NAME, "email": "x@facebook.com"});
        let other = json!({"id": message.person.to_string(), "name": "Kim Exempel", "email": "x@facebook.com"});
        let (from, to) = if message.by_us { (us, other) } else { (other, us) };
        json!({
            "id": message.id, "created_time": graph_time(message.at), "message": message.text,
            "from": from, "to": {"data": [to]},
        })
    }

    fn may_answer(&self, person: u64, hours: i64) -> bool {
        let newest = self.of(person).into_iter().find(|message| !message.by_us);
        newest.is_some_and(|newest| self.now.duration_since(newest.at).as_hours() < hours)
    }

    fn conversations(&self) -> Reply {
        if let Some(no) = self.no_messages() {
            return no;
        }
        if self.form.field("platform") != Some("messenger") {
            return fault(100, 0, "platform is required");
        }
        let (mut people, handed_over) = {
            let state = held(&self.stage.state);
            let people: Vec<_> = state.messages.iter().map(|message| message.person).collect();
            (people, state.handed_over.clone())
        };
        people.sort_unstable();
        people.dedup();
        let mut listed: Vec<_> = people
            .into_iter()
            .filter_map(|person| {
                let newest = self.of(person).into_iter().next()?;
                let other = json!({"id": person.to_string(), "name": "Kim Exempel"});
                let us = json!({"id": PAGE_ID, "name": PAGE_NAME});
                let can_reply = self.may_answer(person, 24) && !handed_over.contains(&person);
                let talk = json!({
                    "id": format!("t_{person}"), "updated_time": graph_time(newest.at),
                    "link": format!("/{PAGE_ID}/inbox/{person}/"), "can_reply": can_reply,
                    "participants": {"data": [other, us]},
                });
                Some(((newest.at, person), self.form.selected(talk)))
            })
            .collect();
        listed.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        self.form.page(&listed, true)
    }

    fn messages(&self, id: &str) -> Reply {
        if let Some(no) = self.no_messages() {
            return no;
        }
        let person = id.strip_prefix("t_").and_then(|person| person.parse().ok());
        let all = person.map(|person| self.of(person)).unwrap_or_default();
        if all.is_empty() {
            return no_such_object(id);
        }
        let number = |id: &str| id.strip_prefix("m_").and_then(|n| n.parse().ok()).unwrap_or(0);
        let listed: Vec<_> = all
            .iter()
            .map(|m| ((m.at, number(&m.id)), self.form.selected(Self::message_view(m))))
            .collect();
        self.form.page(&listed, true)
    }

    fn message(&self, id: &str) -> Option<Message> {
        let state = held(&self.stage.state);
        let may = may_read_messages(&state);
        state.messages.iter().find(|message| message.id == id && may).cloned()
    }

    fn send(&self) -> Reply {
        if let Some(no) = self.no_messages() {
            return no;
        }
        let json =
            |name| self.form.field(name).and_then(|text| serde_json::from_str::<Value>(text).ok());
        let person = json("recipient").and_then(|to| to["id"].as_str()?.parse::<u64>().ok());
        let text = json("message").and_then(|m| m["text"].as_str().map(str::to_owned));
        let kind = json("messaging_type").and_then(|kind| kind.as_str().map(str::to_owned));
        let (Some(person), Some(text)) = (person, text) else {
            return fault(100, 0, "recipient and message are required");
        };
        let tag = json("tag").and_then(|tag| tag.as_str().map(str::to_owned));
        let is_person = held(&self.stage.state).human_agent;
        let hours = match (kind.as_deref(), tag.as_deref()) {
            (Some("RESPONSE"), None) => 24,
            (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) if is_person => 7 * 24,
            (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) => {
                return fault(10, 0, "Requires the Human Agent feature");
            }
            _ => return fault(100, 0, "messaging_type is required"),
        };
        if self.of(person).is_empty() {
            return fault(100, 2_534_014, "No matching user found");
        }
        if !self.may_answer(person, hours) {
            return fault(10, 2_018_278, "This message is sent outside of allowed window");
        }
        let messages = &mut held(&self.stage.state).messages;
        let id = format!("m_{}", messages.len() + 1);
        messages.push(Message { id: id.clone(), person, by_us: true, text, at: self.now });
        Reply::ok(&json!({"recipient_id": person.to_string(), "message_id": id}))
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
        let origin = &self.stage.origin;
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
        if has_picture(comment) {
            view["attachment"] = json!({
                "type": "photo", "url": format!("{origin}/bild/{number}"),
                "media": {"image": {"src": format!("{origin}/media/{number}.png"), "width": 320, "height": 200}},
                "target": {"id": format!("9{number}"), "url": format!("{origin}/bild/{number}")},
            });
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
        let origin = &self.stage.origin;
        json!({
            "id": format!("{PAGE_ID}_{}", post.number),
            "message": post.message,
            "created_time": graph_time(post.created), "updated_time": graph_time(post.created),
            "permalink_url": format!("{origin}/inlagg/{}", post.number),
            "comments": {"data": [], "summary": {"order": "chronological", "total_count": total, "can_comment": true}},
        })
    }

    fn counts_all_levels(&self) -> bool {
        fields(self.form.field("fields").unwrap_or(""))
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

    fn posts(&self, world: &World) -> Reply {
        let posts: Vec<_> = world
            .posts()
            .iter()
            .map(|post| {
                let place = (post.created, post.number);
                (place, self.form.selected(self.post_view(world, post)))
            })
            .collect();
        self.form.page(&posts, true)
    }

    fn comments(&self, world: &World, id: &str, is_page: bool) -> Reply {
        let stream = self.form.field("filter") == Some("stream");
        let all = world.comments(self.now).into_iter().filter(|comment| !comment.deleted);
        let mut listed: Vec<_> = if let Some(post) = self.find_post(world, id) {
            all.filter(|c| c.post == post.number && (stream || c.parent.is_none())).collect()
        } else if let Some(post) = self.visitor(id) {
            all.filter(|c| c.post == post.number && (stream || c.parent.is_none())).collect()
        } else if let Some(top) = self.find(world, id) {
            all.filter(|c| c.parent == Some(top.number)).collect()
        } else {
            return no_such_object(id);
        };
        // The trap: a person's token lists nothing, and says so with success.
        if !is_page {
            listed.clear();
        }
        let newest_first = self.form.field("order") == Some("reverse_chronological");
        if newest_first {
            listed.reverse();
        }
        let listed: Vec<_> = listed
            .iter()
            .map(|c| ((c.created, c.number), self.form.selected(self.comment_view(c))))
            .collect();
        self.form.page(&listed, newest_first)
    }

    fn reply(&self, world: &mut World, id: &str) -> Reply {
        let Some(text) = self.form.field("message").filter(|text| !text.trim().is_empty()) else {
            return fault(100, 0, "message is required");
        };
        let (post, parent) = if let Some(post) = self.find_post(world, id) {
            (post.number, None)
        } else if let Some(post) = self.visitor(id) {
            (post.number, None)
        } else if let Some(comment) = self.find(world, id) {
            (comment.post, Some(comment.parent.unwrap_or(comment.number)))
        } else {
            return no_such_object(id);
        };
        let number = world.add(post, parent, None, text.trim(), self.now);
        Reply::ok(&json!({"id": format!("{post}_{number}")}))
    }

    fn change(&self, world: &mut World, id: &str) -> Reply {
        let Some(comment) = self.find(world, id) else { return no_such_object(id) };
        if let Some(text) = self.form.field("message") {
            // The danger: this is no answer but an edit.
            if !comment.by_page {
                return fault(200, 0, "Only the author may edit a comment");
            }
            world.edit(comment.number, text, self.now);
            return Reply::ok(&json!({"success": true}));
        }
        match self.form.field("is_hidden") {
            Some("true") if comment.by_page => fault(100, 0, "This comment cannot be hidden"),
            Some(word @ ("true" | "false")) => {
                world.hide(comment.number, word == "true");
                Reply::ok(&json!({"success": true}))
            }
            Some(_) | None => fault(100, 0, "Invalid parameter"),
        }
    }
}
