//! Private messages and the moderators' mail.

use serde_json::{Value, json};

use crate::platforms::simulate::reddit::{Letter, NAME, SUBREDDIT, State};
use crate::platforms::simulate::reply::Reply;

use super::answers::{MOST_LISTED, listing, not_found};

/// What a message says: its subject stands on top of the first.
pub fn told(letter: &Letter) -> String {
    if letter.is_mail || letter.by_us {
        letter.text.clone()
    } else {
        format!("Till kommunen\n\n{}", letter.text)
    }
}

fn author(letter: &Letter) -> &str {
    if letter.by_us { NAME } else { &letter.person }
}

/// A private message as the inbox shows it, with what was answered below it.
pub fn message(letter: &Letter, below: Vec<Value>) -> Value {
    let subject = if letter.by_us { "re: Till kommunen" } else { "Till kommunen" };
    let dest = if letter.by_us { letter.person.as_str() } else { NAME };
    let replies = if below.is_empty() { json!("") } else { listing(&below, None) };
    json!({"kind": "t4", "data": {
        "id": letter.number.to_string(), "name": letter.id(), "author": author(letter),
        "author_fullname": format!("t2_{}", author(letter)), "body": letter.text, "subject": subject,
        "dest": dest, "created_utc": letter.at.as_second() as f64, "was_comment": false,
        "type": "unknown", "new": true, "context": "", "replies": replies,
        "parent_id": Value::Null,
    }})
}

/// A conversation by private messages, asked for by any of them.
pub fn messages(state: &State, id: &str) -> Reply {
    let of = |letter: &&Letter| !letter.is_mail && letter.number.to_string() == id;
    let Some(asked) = state.letters.iter().find(of) else { return not_found() };
    let all = state.letters.iter().filter(|l| !l.is_mail && l.person == asked.person);
    let mut all = all.map(|letter| {
        let mut shown = message(letter, Vec::new());
        if letter.by_us {
            shown["data"]["parent_id"] = answered(state, letter).into();
        }
        shown
    });
    let Some(mut first) = all.next() else { return not_found() };
    let below: Vec<_> = all.collect();
    if !below.is_empty() {
        first["data"]["replies"] = listing(&below, None);
    }
    Reply::ok(&listing(&[first], None))
}

/// What an answer of ours answers: the newest message before it.
pub fn answered(state: &State, ours: &Letter) -> Option<String> {
    let before = state.letters.iter().rev().skip_while(|letter| letter.number >= ours.number);
    let mut before = before.filter(|l| !l.is_mail && !l.by_us && l.person == ours.person);
    before.next().map(Letter::id)
}

/// A message among moderators, as the platform writes it.
fn mail(letter: &Letter) -> Value {
    json!({
        "id": letter.number.to_string(), "body": format!("<p>{}</p>", letter.text),
        "bodyMarkdown": letter.text, "date": letter.at.to_string(), "isInternal": false,
        "author": {"name": author(letter), "isMod": letter.by_us, "isParticipant": !letter.by_us,
            "isHidden": false, "isDeleted": false, "isAdmin": false},
    })
}

fn conversation(state: &State, person: &str) -> Value {
    let of = state.letters.iter().filter(|letter| letter.is_mail && letter.person == person);
    let newest = of.clone().map(|letter| letter.at).max();
    json!({
        "id": person, "subject": "Till moderatorerna", "numMessages": of.count(),
        "lastUpdated": newest.map(|at| at.to_string()), "isInternal": false, "isAuto": false,
        "owner": {"displayName": SUBREDDIT, "type": "subreddit", "id": "t5_1"}, "state": 1,
    })
}

/// A page of conversations, the one that moved last first; it begins after one of them.
pub fn mailbox(state: &State, limit: Option<&str>, after: Option<&str>) -> Reply {
    let mut people: Vec<&str> = Vec::new();
    for letter in state.letters.iter().rev().filter(|letter| letter.is_mail) {
        if !people.contains(&letter.person.as_str()) {
            people.push(&letter.person);
        }
    }
    let begin = after.map_or(0, |after| {
        people.iter().position(|person| *person == after).map_or(people.len(), |at| at + 1)
    });
    let limit = limit.and_then(|limit| limit.parse().ok()).unwrap_or(25).min(MOST_LISTED);
    let people: Vec<_> = people.into_iter().skip(begin).take(limit).collect();
    let conversations: serde_json::Map<_, _> =
        people.iter().map(|person| ((*person).to_owned(), conversation(state, person))).collect();
    let newest = people.iter().filter_map(|person| {
        let letter = state.letters.iter().rev().find(|l| l.is_mail && l.person == *person)?;
        Some((letter.number.to_string(), mail(letter)))
    });
    let messages: serde_json::Map<_, _> = newest.collect();
    Reply::ok(&json!({
        "viewerId": "t2_sim", "conversationIds": people, "conversations": conversations,
        "messages": messages,
    }))
}

/// One conversation.
pub fn talk(state: &State, person: &str, status: u16) -> Reply {
    let of = state.letters.iter().filter(|letter| letter.is_mail && letter.person == person);
    let messages: serde_json::Map<_, _> =
        of.map(|letter| (letter.number.to_string(), mail(letter))).collect();
    if messages.is_empty() {
        return not_found();
    }
    let body = json!({
        "conversation": conversation(state, person), "messages": messages, "modActions": {},
    });
    Reply::told(status, &body)
}
