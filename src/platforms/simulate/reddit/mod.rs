//! Reddit's calls for a subreddit, an account's own posts, its inbox and the moderators' mail as the
//! `platforms` sheet has them (section 9), over HTTP on loopback, and a page for people.

mod answers;
mod mail;

use std::collections::BTreeMap;

use axum::response::Response;
use jiff::Timestamp;

use crate::domain::ids::PlatformItemId;
use crate::platforms::held;
use crate::platforms::http::{HttpSettings, below};
use crate::platforms::settings::RedditSettings;
use crate::platforms::simulate::consent::Consent;
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{self, Play, Stage, Turned};
use crate::platforms::simulate::world::Comment;
use crate::runtime::secret::Secret;

/// The simulated account and its subreddit. The last of its posts stand in another.
const NAME: &str = "exempelstad_sim";
const SUBREDDIT: &str = "exempelstad";
const ELSEWHERE: &str = "sverige";
const OWNER: Owner =
    Owner { platform: "reddit", name: "r/exempelstad (simulerad)", nobody: "[deleted]" };

const CLIENT: &str = "simulerad-app";
const CLIENT_SECRET: &str = "simulerad-klienthemlighet";

/// What can be chosen at the beginning.
#[derive(Clone, Debug)]
pub struct Own {
    /// Whether the account moderates the subreddit.
    pub moderates: bool,
    /// How many calls a client has in ten minutes.
    pub calls_per_window: u32,
    /// How many entries a page of a list has at the most.
    pub page: usize,
    /// How many comments of a tree are shown at each level before the rest is left out.
    pub shown: usize,
    /// What the consent gives rights to.
    pub scope: &'static str,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            moderates: true,
            calls_per_window: 100_000,
            page: 100,
            shown: 200,
            scope: "identity read history submit privatemessages report modposts modmail",
        }
    }
}

/// How a simulator is begun.
pub type Options = stage::Options<Own>;

/// A running simulator; ends when dropped.
pub type Simulator = stage::Simulator<Reddit>;

/// What Reddit has of its own.
#[derive(Debug)]
pub struct Reddit;

/// What is true beside what was written.
#[derive(Debug, Default)]
pub struct State {
    consent: Consent,
    /// Private messages and moderators' mail, in order.
    letters: Vec<Letter>,
    /// Posts by others in the subreddit.
    posts: Vec<OtherPost>,
    /// Calls in this window, and when it ends.
    calls: u32,
    window_ends: Option<Timestamp>,
    /// Calls that came although those of the window were made.
    overspent: usize,
    reported: Vec<String>,
}

/// A message, of one person's to the account or to the moderators.
#[derive(Clone, Debug)]
struct Letter {
    number: usize,
    person: String,
    by_us: bool,
    /// Between moderators and a person, not in the inbox.
    is_mail: bool,
    text: String,
    at: Timestamp,
}

#[derive(Clone, Debug)]
struct OtherPost {
    name: String,
    title: String,
    at: Timestamp,
    hidden: bool,
}

impl Letter {
    fn id(&self) -> String {
        if self.is_mail {
            format!("mail_{}_{}", self.person, self.number)
        } else {
            format!("t4_{}", self.number)
        }
    }
}

impl OtherPost {
    fn id(index: usize) -> String {
        format!("t3_annan{index}")
    }
}

impl Simulator {
    /// What a connector needs to use it.
    pub fn settings(&self) -> RedditSettings {
        RedditSettings {
            base: self.base().clone(),
            token_url: below(self.base(), "api/v1/access_token", &[]),
            site: self.base().clone(),
            name: NAME.into(),
            subreddit: Some(SUBREDDIT.into()),
            client_id: CLIENT.into(),
            client_secret: Secret::new(CLIENT_SECRET),
            refresh_token: Secret::new(Consent::FIRST),
            http: HttpSettings::loopback(),
        }
    }

    /// Somebody posts in the subreddit.
    pub fn post(&self, name: &str, title: &str) -> String {
        let at = self.stage.now();
        let posts = &mut held(&self.stage.state).posts;
        let id = OtherPost::id(posts.len());
        posts.push(OtherPost { name: name.into(), title: title.into(), at, hidden: false });
        id
    }

    /// Somebody writes to the account.
    pub fn message(&self, person: &str, text: &str) -> String {
        self.letter(person, text, false)
    }

    /// Somebody writes to the moderators.
    pub fn mail(&self, person: &str, text: &str) -> String {
        self.letter(person, text, true)
    }

    fn letter(&self, person: &str, text: &str, is_mail: bool) -> String {
        let at = self.stage.now();
        held(&self.stage.state).write(person, text, is_mail, false, at)
    }

    /// A colleague removes a comment as a moderator.
    pub fn take_away(&self, number: u64) {
        held(&self.stage.world).hide(number, true);
    }

    /// The access tokens handed out so far run out.
    pub fn expire(&self) {
        held(&self.stage.state).consent.expire();
    }

    /// The account takes its consent back.
    pub fn revoke(&self) {
        held(&self.stage.state).consent.revoke();
    }

    /// What was reported.
    pub fn reported(&self) -> Vec<String> {
        held(&self.stage.state).reported.clone()
    }

    /// Calls that came although those of the window were made.
    pub fn overspent(&self) -> usize {
        held(&self.stage.state).overspent
    }
}

impl State {
    fn write(
        &mut self,
        person: &str,
        text: &str,
        is_mail: bool,
        by_us: bool,
        at: Timestamp,
    ) -> String {
        let number = self.letters.len() + 1;
        let (person, text) = (person.to_owned(), text.to_owned());
        let letter = Letter { number, person, by_us, is_mail, text, at };
        let id = letter.id();
        self.letters.push(letter);
        id
    }
}

/// Numbers are written with all letters, as the platform does.
fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
    }
    digits.iter().rev().collect()
}

/// Nought, which nothing has, for what is no name.
fn number(name: &str) -> u64 {
    let own = name.split_once('_').map_or(name, |(_, own)| own);
    u64::from_str_radix(own, 36).unwrap_or(0)
}

impl Play for Reddit {
    const PLATFORM: &'static str = "reddit";
    const LIST: &'static str = "data/children";
    const SOMEBODY: &'static str = "kim_exempel";
    type Own = Own;
    type State = State;

    fn id(comment: &Comment) -> String {
        format!("t1_{}", base36(comment.number))
    }

    fn number(id: &str) -> u64 {
        number(id)
    }

    fn names_a_page(call: &Call) -> bool {
        call.query_by_name().contains_key("after")
    }

    fn page(stage: &Stage<Self>, call: &Call) -> Option<Response> {
        let path = call.uri.path().trim_matches('/');
        let parts: Vec<_> = path.split('/').collect();
        let ["r", _, "comments", post, _, ..] = parts[..] else { return None };
        let world = held(&stage.world);
        Some(page::render(OWNER, &world, stage.now(), Some(number(post)), |_| false))
    }

    fn turned_away(why: Turned) -> Reply {
        answers::turned_away(why)
    }

    fn answer(stage: &Stage<Self>, call: &Call) -> Reply {
        answers::answer(stage, call)
    }

    fn dress(stage: &Stage<Self>, reply: Reply) -> Reply {
        let state = held(&stage.state);
        let most = stage.own.calls_per_window;
        let left = if reply.wait.is_some() { 0 } else { most.saturating_sub(state.calls) };
        let ends = state.window_ends.map_or(600, |end| end.duration_since(stage.now()).as_secs());
        let reset = reply.wait.map_or(ends, |minutes| i64::from(minutes) * 60);
        reply
            .with("x-ratelimit-used", most - left)
            .with("x-ratelimit-remaining", format!("{left}.0"))
            .with("x-ratelimit-reset", reset)
    }

    fn messages(stage: &Stage<Self>) -> BTreeMap<PlatformItemId, Option<String>> {
        let state = held(&stage.state);
        let letters = state.letters.iter().map(|letter| (letter.id(), Some(mail::told(letter))));
        let posts = state.posts.iter().enumerate();
        let posts = posts.map(|(n, post)| (OtherPost::id(n), Some(post.title.clone())));
        letters.chain(posts).map(|(id, text)| (PlatformItemId::new(id), text)).collect()
    }
}
