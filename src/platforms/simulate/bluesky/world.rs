//! What is true on the simulated network: posts, the account's own records, and who is logged in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::platforms::bluesky::tid::{CLOCK_BITS, key_of};
use crate::platforms::simulate::bluesky::{HANDLE, ME};

/// Answers so far down reach nobody's notifications.
const NOTIFIED_DEPTH: usize = 2;

/// A post as it stands.
#[derive(Clone, Debug)]
pub struct Post {
    pub number: u64,
    pub uri: String,
    pub did: String,
    pub record: Value,
    pub indexed: Timestamp,
    /// Counted up by each change.
    pub revision: u32,
    is_removed: bool,
}

/// A record of the account's own that is no post.
#[derive(Clone, Debug)]
pub struct Record {
    pub value: Value,
    pub revision: u32,
}

impl Record {
    pub fn cid(&self) -> String {
        format!("bafyreigrind{:05}", self.revision)
    }
}

/// The tokens that count. Only the last pair that was handed out can be renewed.
#[derive(Debug, Default)]
pub struct Tokens {
    handed_out: u32,
    /// Those up to this one have run out.
    expired: u32,
    /// Those up to this one are unknown.
    forgotten: u32,
}

/// How a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Good,
    Expired,
    Unknown,
}

impl Tokens {
    pub fn hand_out(&mut self) -> (String, String) {
        self.handed_out += 1;
        (format!("access-{}", self.handed_out), format!("refresh-{}", self.handed_out))
    }

    pub fn expire(&mut self) {
        self.expired = self.handed_out;
    }

    pub fn forget(&mut self) {
        (self.expired, self.forgotten) = (self.handed_out, self.handed_out);
    }

    pub fn access(&self, token: &str) -> Token {
        match token.strip_prefix("access-").and_then(|number| number.parse::<u32>().ok()) {
            Some(number) if number > self.handed_out => Token::Unknown,
            Some(number) if number <= self.expired => Token::Expired,
            Some(_) => Token::Good,
            None => Token::Unknown,
        }
    }

    pub fn refresh(&self, token: &str) -> Token {
        match token.strip_prefix("refresh-").and_then(|number| number.parse::<u32>().ok()) {
            Some(number) if number == self.handed_out && number > self.forgotten => Token::Good,
            Some(_) => Token::Expired,
            None => Token::Unknown,
        }
    }
}

/// The whole of it.
#[derive(Debug)]
pub struct World {
    posts: BTreeMap<u64, Post>,
    gates: BTreeMap<String, Record>,
    pub reports: Vec<Value>,
    pub tokens: Tokens,
    pub password: String,
    /// Calls left until the limit is filled up.
    pub left: u64,
    /// How many changes of records are to be forestalled.
    pub interfere: usize,
    /// Those who have blocked the account: it is shown nothing of theirs.
    pub blocks: BTreeSet<String>,
    /// Calls that fail whenever their query has this in it, and with which status.
    pub broken: Vec<(String, u16)>,
}

impl Post {
    pub fn cid(&self) -> String {
        format!("bafyreiinlagg{:05}v{}", self.number, self.revision)
    }

    pub fn text(&self) -> &str {
        self.record["text"].as_str().unwrap_or_default()
    }

    pub fn rkey(&self) -> &str {
        self.uri.rsplit('/').next().unwrap_or_default()
    }

    pub fn parent(&self) -> Option<&str> {
        self.record["reply"]["parent"]["uri"].as_str()
    }

    /// What lists are sorted by and what the network says of when it saw the post: the earlier of
    /// the author's claim and the arrival.
    pub fn sort_at(&self) -> Timestamp {
        let claimed = self.record["createdAt"].as_str().and_then(|text| text.parse().ok());
        claimed.map_or(self.indexed, |claimed: Timestamp| claimed.min(self.indexed))
    }

    fn quoted(&self) -> Option<&str> {
        self.record["embed"]["record"]["uri"].as_str()
    }

    fn reference(&self) -> Value {
        json!({"uri": self.uri, "cid": self.cid()})
    }
}

impl World {
    pub fn new(limit: u64) -> Self {
        Self {
            posts: BTreeMap::new(),
            gates: BTreeMap::new(),
            reports: Vec::new(),
            tokens: Tokens::default(),
            password: "abcd-efgh-ijkl-mnop".into(),
            left: limit,
            interfere: 0,
            blocks: BTreeSet::new(),
            broken: Vec::new(),
        }
    }

    /// Those that are there, in order of writing.
    pub fn posts(&self) -> impl DoubleEndedIterator<Item = &Post> {
        self.posts.values().filter(|post| !post.is_removed)
    }

    /// Those that are there, the newest by their dates first.
    pub fn newest_first(&self) -> Vec<&Post> {
        let mut all: Vec<_> = self.posts().collect();
        all.sort_by_key(|post| std::cmp::Reverse((post.sort_at(), post.number)));
        all
    }

    pub fn find(&self, uri: &str) -> Option<&Post> {
        self.posts().find(|post| post.uri == uri)
    }

    pub fn answers(&self, uri: &str) -> impl Iterator<Item = &Post> {
        self.posts().filter(move |post| post.parent() == Some(uri))
    }

    /// Answers that are gone while something still stands under them.
    pub fn gaps(&self, uri: &str) -> impl Iterator<Item = &Post> {
        let gone = self.posts.values().filter(|post| post.is_removed);
        gone.filter(move |post| post.parent() == Some(uri))
            .filter(|post| self.answers(&post.uri).next().is_some())
    }

    /// Somebody writes.
    pub fn add(
        &mut self,
        did: &str,
        text: &str,
        parent: Option<&str>,
        quoted: Option<&str>,
        now: Timestamp,
    ) -> String {
        let mut record = json!({
            "$type": "app.bsky.feed.post", "text": text, "createdAt": now.to_string(), "langs": ["sv"],
        });
        if let Some(above) = parent.and_then(|uri| self.find(uri)) {
            let root = match &above.record["reply"]["root"] {
                Value::Null => above.reference(),
                root => root.clone(),
            };
            record["reply"] = json!({"root": root, "parent": above.reference()});
        }
        if let Some(quoted) = quoted.and_then(|uri| self.find(uri)) {
            record["embed"] =
                json!({"$type": "app.bsky.embed.record", "record": quoted.reference()});
        }
        let micros = u64::try_from(now.as_microsecond()).unwrap_or(0);
        let rkey = key_of(micros << CLOCK_BITS | (self.posts.len() as u64 & 1023));
        self.put(did, &rkey, record, now)
    }

    /// A record comes to stand among somebody's posts.
    pub fn put(&mut self, did: &str, rkey: &str, record: Value, now: Timestamp) -> String {
        let number = self.posts.len() as u64;
        // More than 1,024 posts at one time have keys alike: their number tells them apart.
        let mut uri = format!("at://{did}/app.bsky.feed.post/{rkey}");
        if self.posts.values().any(|post| post.uri == uri) {
            uri.push_str(&format!("-{number}"));
        }
        let (did, is_removed) = (did.to_owned(), false);
        let post =
            Post { number, uri: uri.clone(), did, record, indexed: now, revision: 1, is_removed };
        self.posts.insert(number, post);
        uri
    }

    pub fn change(&mut self, uri: &str, change: impl FnOnce(&mut Post)) {
        if let Some(post) = self.posts.values_mut().find(|post| post.uri == uri) {
            change(post);
        }
    }

    pub fn remove(&mut self, uri: &str) {
        self.change(uri, |post| post.is_removed = true);
    }

    pub fn gate(&self, post: &str) -> Option<&Record> {
        self.gates.get(post.rsplit('/').next()?)
    }

    pub fn set_gate(&mut self, post: &str, value: Value) {
        let rkey = post.rsplit('/').next().unwrap_or_default().to_owned();
        let revision = self.gates.get(&rkey).map_or(1, |record| record.revision + 1);
        self.gates.insert(rkey, Record { value, revision });
    }

    /// Why the account is told of a post, where it is.
    pub fn reason(&self, post: &Post) -> Option<&'static str> {
        let is_ours = |uri: &str| uri.starts_with(&format!("at://{ME}/"));
        if post.did == ME || self.blocks.contains(&post.did) {
            return None;
        }
        if let Some(parent) = post.parent() {
            let root = post.record["reply"]["root"]["uri"].as_str().unwrap_or_default();
            let is_near = is_ours(root) && self.depth(post) <= NOTIFIED_DEPTH;
            if (is_ours(parent) || is_near) && !self.is_under_hidden(post) {
                return Some("reply");
            }
        } else if post.quoted().is_some_and(is_ours) {
            return Some("quote");
        }
        post.text().contains(&format!("@{HANDLE}")).then_some("mention")
    }

    fn above<'a>(&'a self, post: &'a Post) -> impl Iterator<Item = &'a Post> {
        let next =
            |post: &&Post| self.posts.values().find(|p| Some(p.uri.as_str()) == post.parent());
        std::iter::successors(next(&post), move |post| next(post))
    }

    fn depth(&self, post: &Post) -> usize {
        self.above(post).count()
    }

    fn is_under_hidden(&self, post: &Post) -> bool {
        let Some(root) = self.above(post).last() else { return false };
        let hidden = self.gate(&root.uri).map(|gate| gate.value["hiddenReplies"].clone());
        let hidden = hidden.and_then(|hidden| hidden.as_array().cloned()).unwrap_or_default();
        self.above(post).any(|above| hidden.iter().any(|uri| uri.as_str() == Some(&above.uri)))
    }
}
