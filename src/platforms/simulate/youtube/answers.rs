//! The calls themselves: one in, one answer out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::platforms::held;
use crate::platforms::simulate::consent::Rotation;
use crate::platforms::simulate::is_shown;
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{Stage, Turned};
use crate::platforms::simulate::world::{Comment, World};
use crate::platforms::simulate::youtube::{
    Aside, CHANNEL, CLIENT, CLIENT_SECRET, NAME, Own, State, YouTube, id, number, video,
    video_number,
};
use crate::platforms::youtube::quota::Quota;

/// The platform's own most.
const MOST_LISTED: usize = 100;
const MOST_READ: usize = 50;
const MOST_CHARACTERS: usize = 10_000;

/// How long an access token lives, in seconds.
const TOKEN_LIVES: u32 = 3_599;

fn fault(status: u16, domain: &str, reason: &str) -> Reply {
    let error = json!({"domain": domain, "reason": reason, "message": "as the simulator has it"});
    let body =
        json!({"error": {"code": status, "message": "as the simulator has it", "errors": [error]}});
    Reply::told(status, &body)
}

fn bad(reason: &str) -> Reply {
    fault(400, "youtube.comment", reason)
}

/// The answer of a call that is turned away unread.
pub fn turned_away(why: Turned) -> Reply {
    match why {
        Turned::App(minutes) => fault(403, "usageLimits", "rateLimitExceeded").after(minutes),
        Turned::Account(minutes) | Turned::Token(minutes) => {
            fault(403, "usageLimits", "userRateLimitExceeded").after(minutes)
        }
        Turned::Expired => fault(401, "global", "authError"),
        Turned::Ill => fault(500, "global", "backendError"),
        Turned::LostPlace => bad("invalidPageToken"),
        Turned::Refused => fault(403, "youtube.commentThread", "forbidden"),
    }
}

/// What comments and threads are listed by.
type Place = (Timestamp, u64);

struct Question<'a> {
    stage: &'a Stage<YouTube>,
    query: BTreeMap<String, String>,
    now: Timestamp,
}

/// Answers one call.
pub fn answer(stage: &Stage<YouTube>, call: &Call) -> Reply {
    let asked = Question { stage, query: call.query_by_name(), now: stage.now() };
    let (method, path) = (call.method.as_str(), call.uri.path());
    let mut state = held(&stage.state);
    if path == "/token" {
        return token(&mut state, &call.form().into_iter().collect());
    }
    let Some(path) = path.strip_prefix("/youtube/v3/") else {
        return fault(404, "global", "notFound");
    };
    if !state.consent.knows(call.bearer()) {
        return fault(401, "global", "authError");
    }
    if let Some(reply) = asked.charge(&mut state, if method == "GET" { 1 } else { 50 }) {
        return reply;
    }
    if method != "POST" || path == "comments" {
        let demanded = method == "DELETE" || asked.query.contains_key("part");
        if !demanded {
            return fault(400, "youtube.parameter", "missingRequiredParameter");
        }
    }
    let mut world = held(&stage.world);
    match (method, path) {
        ("GET", "channels") => Reply::ok(&json!({
            "kind": "youtube#channelListResponse", "etag": "e",
            "pageInfo": {"totalResults": 1, "resultsPerPage": 5},
            "items": [{"kind": "youtube#channel", "etag": "e", "id": CHANNEL, "snippet": {"title": NAME}}],
        })),
        ("GET", "videos") => asked.videos(&world),
        ("GET", "commentThreads") => asked.threads(&world, &state),
        ("GET", "comments") => asked.comments(&world, &state),
        ("POST", "comments/setModerationStatus") => asked.moderate(&mut world, &mut state),
        ("POST", "comments") => asked.reply(&mut world, &state, &call.body),
        // Only the author may.
        ("DELETE", "comments") => fault(403, "youtube.comment", "forbidden"),
        _ => fault(404, "global", "notFound"),
    }
}

fn token(state: &mut State, form: &BTreeMap<String, String>) -> Reply {
    let field = |name: &str| form.get(name).map(String::as_str);
    let fault = |status, name: &str| {
        Reply::told(status, &json!({"error": name, "error_description": "as the simulator has it"}))
    };
    if !field("client_id").is_some_and(|shown| is_shown(shown, CLIENT))
        || field("client_secret") != Some(CLIENT_SECRET)
    {
        return fault(401, "invalid_client");
    }
    match state.consent.renew(form, Rotation::Lasting) {
        Ok(pair) => Reply::ok(&json!({
            "access_token": pair.access, "expires_in": TOKEN_LIVES,
            "scope": "https://www.googleapis.com/auth/youtube.force-ssl", "token_type": "Bearer",
        })),
        Err(name) => fault(400, name),
    }
}

/// How a comment stands.
fn status(comment: &Comment, state: &State) -> &'static str {
    match state.set_aside.get(&comment.number) {
        Some(Aside::Rejected) => "rejected",
        Some(Aside::Spam) => "likelySpam",
        None if comment.hidden => "heldForReview",
        None => "published",
    }
}

fn read_place(token: &str) -> Option<Place> {
    let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
    let (at, number) = text.split_once(' ')?;
    Some((at.parse().ok()?, number.parse().ok()?))
}

impl Question<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn charge(&self, state: &mut State, units: u32) -> Option<Reply> {
        // The platform's own clock and day.
        if state.day_ends.is_none_or(|end| end <= self.now) {
            state.day_ends = Some(Quota::new(1).resets_at(self.now));
            state.used = 0;
        }
        if state.used + units > self.stage.own.units_per_day {
            state.overspent += 1;
            return Some(fault(403, "youtube.quota", "quotaExceeded"));
        }
        state.used += units;
        None
    }

    fn there(&self, world: &World, state: &State) -> Vec<Comment> {
        let is_rejected = |n: u64| state.set_aside.get(&n) == Some(&Aside::Rejected);
        let all = world.comments(self.now).into_iter();
        all.filter(|c| !c.deleted && !is_rejected(c.number) && !c.parent.is_some_and(is_rejected))
            .collect()
    }

    /// A comment; how it stands is told only to whoever does not ask by its id.
    fn view(&self, comment: &Comment, status: Option<&str>) -> Value {
        let text = &comment.text;
        let display = if self.field("textFormat") == Some("plainText") {
            text.clone()
        } else {
            text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>")
        };
        let updated = comment.edited.unwrap_or(comment.created);
        let mut snippet = json!({
            "channelId": CHANNEL, "videoId": video(comment.post), "textDisplay": display,
            "canRate": true, "viewerRating": "none", "likeCount": 0,
            "publishedAt": comment.created.to_string(), "updatedAt": updated.to_string(),
        });
        let author = match &comment.from {
            _ if comment.by_page => Some((CHANNEL.to_owned(), NAME.to_owned())),
            Some((number, name)) => Some((format!("UC{number}"), name.clone())),
            None => None,
        };
        if let Some((channel, name)) = author {
            snippet["authorDisplayName"] = name.into();
            snippet["authorChannelUrl"] =
                format!("http://www.youtube.com/channel/{channel}").into();
            snippet["authorChannelId"] = json!({"value": channel});
        }
        if comment.by_page {
            snippet["textOriginal"] = text.as_str().into();
        }
        if let Some(parent) = comment.parent {
            snippet["parentId"] = id(parent, None).into();
        }
        if let Some(status) = status {
            snippet["moderationStatus"] = status.into();
        }
        let id = id(comment.number, comment.parent);
        json!({"kind": "youtube#comment", "etag": "e", "id": id, "snippet": snippet})
    }

    fn page(&self, kind: &str, all: &[(Place, Value)], is_descending: bool) -> Reply {
        let limit = match self.field("maxResults").map_or(Ok(20), str::parse) {
            Ok(limit @ 1..=MOST_LISTED) => limit,
            Ok(_) | Err(_) => return fault(400, "youtube.parameter", "invalidParameter"),
        };
        let begin = match self.field("pageToken").map(read_place) {
            None => 0,
            Some(Some(place)) => {
                all.partition_point(|(p, _)| if is_descending { *p >= place } else { *p <= place })
            }
            Some(None) => return bad("invalidPageToken"),
        };
        let shown: Vec<_> = all.iter().skip(begin).take(limit).collect();
        let items: Vec<_> = shown.iter().map(|(_, value)| value).collect();
        let mut page = json!({
            "kind": kind, "etag": "e", "items": items,
            "pageInfo": {"totalResults": all.len(), "resultsPerPage": limit},
        });
        if let Some(((at, number), _)) = shown.last()
            && begin + shown.len() < all.len()
        {
            page["nextPageToken"] = hex::encode(format!("{at} {number}")).into();
        }
        Reply::ok(&page)
    }

    fn threads(&self, world: &World, state: &State) -> Reply {
        let post = match (self.field("videoId"), self.field("allThreadsRelatedToChannelId")) {
            (Some(id), None) => {
                let known = world.posts().into_iter().map(|post| post.number);
                match video_number(id).filter(|number| known.clone().any(|post| post == *number)) {
                    Some(post) => Some(post),
                    None => return fault(404, "youtube.commentThread", "videoNotFound"),
                }
            }
            (None, Some(CHANNEL)) => None,
            (None, Some(_)) => {
                return fault(404, "youtube.commentThread", "channelNotFound");
            }
            _ => return fault(400, "youtube.parameter", "missingRequiredParameter"),
        };
        if post.is_some_and(|post| state.closed.contains(&post)) {
            return fault(403, "youtube.commentThread", "commentsDisabled");
        }
        let wanted = self.field("moderationStatus").unwrap_or("published");
        let all = self.there(world, state);
        let of_thread = |top: &Comment| -> Vec<Comment> {
            all.iter().filter(|c| c.parent == Some(top.number)).cloned().collect()
        };
        let mut listed = Vec::new();
        for top in all.iter().filter(|c| c.parent.is_none()) {
            if post.is_some_and(|post| post != top.post) || state.closed.contains(&top.post) {
                continue;
            }
            let mut replies = of_thread(top);
            let own = status(top, state);
            if wanted == "published" {
                replies.retain(|reply| status(reply, state) == "published");
                if own != "published" {
                    continue;
                }
            } else if own != wanted && replies.iter().all(|reply| status(reply, state) != wanted) {
                continue;
            }
            let mut thread = json!({
                "kind": "youtube#commentThread", "etag": "e", "id": id(top.number, None),
                "snippet": {
                    "channelId": CHANNEL, "videoId": video(top.post), "canReply": true,
                    "isPublic": own == "published", "totalReplyCount": replies.len(),
                    "topLevelComment": self.view(top, Some(own)),
                },
            });
            if !replies.is_empty() && self.stage.own.shown > 0 {
                let shown: Vec<_> = replies
                    .iter()
                    .take(self.stage.own.shown)
                    .map(|reply| self.view(reply, Some(status(reply, state))))
                    .collect();
                thread["replies"] = json!({"comments": shown});
            }
            listed.push(((top.created, top.number), thread));
        }
        listed.reverse();
        self.page("youtube#commentThreadListResponse", &listed, true)
    }

    fn comments(&self, world: &World, state: &State) -> Reply {
        let all = self.there(world, state);
        if let Some(parent) = self.field("parentId") {
            let top = number(parent);
            if !all.iter().any(|c| c.number == top) {
                return fault(404, "youtube.comment", "commentNotFound");
            }
            let listed: Vec<_> = all
                .iter()
                .filter(|c| c.parent == Some(top))
                .map(|c| ((c.created, c.number), self.view(c, Some(status(c, state)))))
                .collect();
            return self.page("youtube#commentListResponse", &listed, false);
        }
        let ids: Vec<_> = self.field("id").unwrap_or("").split(',').map(number).collect();
        if ids.len() > MOST_READ {
            return fault(400, "youtube.parameter", "invalidParameter");
        }
        let Own { held_by_id, rejected_by_id, .. } = self.stage.own;
        let all = world.comments(self.now);
        let shown = |comment: &&Comment| {
            !comment.deleted
                && ids.contains(&comment.number)
                && match status(comment, state) {
                    "published" => true,
                    "rejected" => rejected_by_id,
                    _ => held_by_id,
                }
        };
        let items: Vec<_> =
            all.iter().filter(shown).map(|comment| self.view(comment, None)).collect();
        Reply::ok(&json!({
            "kind": "youtube#commentListResponse", "etag": "e", "items": items,
            "pageInfo": {"totalResults": items.len(), "resultsPerPage": items.len()},
        }))
    }

    fn videos(&self, world: &World) -> Reply {
        let ids: Vec<_> =
            self.field("id").unwrap_or("").split(',').filter_map(video_number).collect();
        let posts = world.posts();
        let items: Vec<_> = posts
            .iter()
            .filter(|post| ids.contains(&post.number))
            .map(|post| {
                let (title, text) = post.message.split_once("\n\n").unwrap_or((&post.message, ""));
                json!({
                    "kind": "youtube#video", "etag": "e", "id": video(post.number),
                    "snippet": {
                        "publishedAt": post.created.to_string(), "channelId": CHANNEL,
                        "title": title, "description": text, "channelTitle": NAME,
                    },
                })
            })
            .collect();
        Reply::ok(&json!({
            "kind": "youtube#videoListResponse", "etag": "e", "items": items,
            "pageInfo": {"totalResults": items.len(), "resultsPerPage": items.len()},
        }))
    }

    fn moderate(&self, world: &mut World, state: &mut State) -> Reply {
        let ids: Vec<_> = self.field("id").unwrap_or("").split(',').map(number).collect();
        let there = self.there(world, state);
        if !ids.iter().all(|id| there.iter().any(|c| c.number == *id)) {
            return fault(404, "youtube.comment", "commentNotFound");
        }
        for id in ids {
            match self.field("moderationStatus") {
                Some("heldForReview") => {
                    state.set_aside.remove(&id);
                    world.hide(id, true);
                }
                Some("published") => {
                    state.set_aside.remove(&id);
                    world.hide(id, false);
                }
                Some("rejected") => {
                    state.set_aside.insert(id, Aside::Rejected);
                }
                Some(_) | None => return bad("operationNotSupported"),
            }
        }
        Reply::text(204, "")
    }

    fn reply(&self, world: &mut World, state: &State, body: &[u8]) -> Reply {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return fault(400, "global", "parseError");
        };
        let Some(parent) = body["snippet"]["parentId"].as_str() else {
            return bad("parentIdMissing");
        };
        let text = body["snippet"]["textOriginal"].as_str().unwrap_or("").trim();
        if text.is_empty() {
            return bad("commentTextRequired");
        }
        if text.chars().count() > MOST_CHARACTERS {
            return bad("commentTextTooLong");
        }
        let there = self.there(world, state);
        let top = there.iter().find(|c| id(c.number, None) == parent && c.parent.is_none());
        let Some(top) = top else {
            return fault(404, "youtube.comment", "parentCommentNotFound");
        };
        if status(top, state) != "published" {
            return bad("parentCommentIsPrivate");
        }
        let number = world.add(top.post, Some(top.number), None, text, self.now);
        let all = world.comments(self.now);
        let written = all.iter().find(|comment| comment.number == number);
        written.map_or_else(
            || fault(500, "global", "backendError"),
            |written| Reply::ok(&self.view(written, None)),
        )
    }
}
