//! X's calls for mentions, threads, hidden answers and messages as the `platforms` sheet has them
//! (section 7), over HTTP on loopback: pairs of tokens that are good once, edits under new names, and a
//! page for people.

mod answers;

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::domain::ids::PlatformItemId;
use crate::platforms::held;
use crate::platforms::http::{HttpSettings, below};
use crate::platforms::settings::XSettings;
use crate::platforms::simulate::consent::{Consent, Rotation};
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{self, COMMENTS_FROM, POSTS_FROM, Play, Stage, Turned};
use crate::platforms::simulate::world::{Comment, Post};
use crate::runtime::secret::Secret;

/// The simulated account.
const USER: &str = "2222222222";
const USERNAME: &str = "exempelstad_sim";
const NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "x", name: NAME, nobody: "X-användare" };

const CLIENT: &str = "simulerad-app";
const CLIENT_SECRET: &str = "simulerad-klienthemlighet";

/// Where the platform's ids begin to count, in milliseconds.
const EPOCH: i64 = 1_288_834_974_657;

/// Of an id the last bits tell things of one moment apart: comments of the script, those that came
/// later, and posts.
const BITS: u32 = 12;
const ADDED: u64 = 2_048;
const ADDED_FROM: u64 = COMMENTS_FROM + 1_000_000_000_000;
const POSTS: u64 = 4_000;

/// What can be chosen at the beginning.
#[derive(Clone, Debug)]
pub struct Own {
    /// How many posts a page has at the most.
    pub page: usize,
    /// How many posts that name the account are listed at the most; 800 at the platform.
    pub mentions: usize,
    /// How often posts and messages can be read in a quarter of an hour.
    pub post_reads: u32,
    pub message_reads: u32,
    /// What becomes of a pair of tokens.
    pub rotation: Rotation,
    /// Whether things are called as in the published interface, not as in the documentation.
    pub published_names: bool,
    /// Whether everybody can be answered.
    pub answers_all: bool,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            page: 100,
            mentions: 800,
            post_reads: 100_000,
            message_reads: 100_000,
            rotation: Rotation::Once,
            published_names: false,
            answers_all: true,
        }
    }
}

/// How a simulator is begun.
pub type Options = stage::Options<Own>;

/// A running simulator; ends when dropped.
pub type Simulator = stage::Simulator<X>;

/// What X has of its own.
#[derive(Debug)]
pub struct X;

/// What is true beside what was written.
#[derive(Debug, Default)]
pub struct State {
    consent: Consent,
    /// Answers that do not name the account.
    unnamed: BTreeSet<u64>,
    messages: Vec<Message>,
    /// Posts that name the account in threads of others.
    elsewhere: Vec<Elsewhere>,
    /// Calls of each kind in this window, and when it ends.
    windows: BTreeMap<&'static str, (u32, Timestamp)>,
    /// Calls that came although those of a window were made.
    overspent: usize,
    /// Where the app is pushed to, and whether we were found there.
    webhook: Option<(String, bool)>,
    /// What the account has subscribed there.
    subscribed: Vec<String>,
}

#[derive(Clone, Debug)]
struct Message {
    id: String,
    person: String,
    by_us: bool,
    text: String,
    at: Timestamp,
}

#[derive(Clone, Debug)]
struct Elsewhere {
    id: String,
    text: String,
    at: Timestamp,
}

/// A name: the moment, and what tells things of one moment apart.
fn snowflake(at: Timestamp, last: u64) -> String {
    let moment = u64::try_from(at.as_millisecond() - EPOCH).unwrap_or(0);
    ((moment << BITS) | last).to_string()
}

fn last_bits(number: u64) -> u64 {
    if number >= ADDED_FROM { ADDED + number - ADDED_FROM } else { number - COMMENTS_FROM }
}

/// What a comment's names have been, the newest last.
fn names(comment: &Comment) -> Vec<String> {
    let times = std::iter::once(comment.created).chain(comment.edited);
    times.map(|at| snowflake(at, last_bits(comment.number))).collect()
}

fn post_name(post: &Post) -> String {
    snowflake(post.created, POSTS + post.number - POSTS_FROM)
}

/// Nought, which nothing has, for what is no name of a comment.
fn number(id: &str) -> u64 {
    let last = id.parse::<u64>().map_or(0, |id| id & ((1 << BITS) - 1));
    match last {
        0 | POSTS.. => 0,
        ADDED.. => ADDED_FROM + last - ADDED,
        _ => COMMENTS_FROM + last,
    }
}

impl Simulator {
    /// What a connector needs to use it.
    pub fn settings(&self) -> XSettings {
        XSettings {
            base: below(self.base(), "2/", &[]),
            token_url: below(self.base(), "2/oauth2/token", &[]),
            site: self.base().clone(),
            user_id: USER.into(),
            client_id: CLIENT.into(),
            client_secret: Some(Secret::new(CLIENT_SECRET)),
            refresh_token: Secret::new(Consent::FIRST),
            kept: None,
            pushes: false,
            http: HttpSettings::loopback(),
        }
    }

    /// Somebody answers under the first post without naming the account.
    pub fn write_unnamed(&self, text: &str) -> u64 {
        let number = self.write("Kim Exempel", text, None);
        held(&self.stage.state).unnamed.insert(number);
        number
    }

    /// Somebody names the account in a thread of others.
    pub fn mention(&self, text: &str) -> String {
        let at = self.stage.now();
        let all = &mut held(&self.stage.state).elsewhere;
        let id = snowflake(at, 1_500 + all.len() as u64);
        all.push(Elsewhere { id: id.clone(), text: text.into(), at });
        id
    }

    /// A person writes a message to the account.
    pub fn message(&self, person: &str, text: &str) -> String {
        let at = self.stage.now();
        held(&self.stage.state).message(person, text, false, at)
    }

    /// The access tokens handed out so far run out.
    pub fn expire(&self) {
        held(&self.stage.state).consent.expire();
    }

    /// Calls that came although those of a window were made.
    pub fn overspent(&self) -> usize {
        held(&self.stage.state).overspent
    }

    /// The app's own token.
    pub const APP_TOKEN: &str = "simulerad-appnyckel";

    /// Where the app is pushed to and whether we were found there; and what of.
    pub fn pushes(&self) -> (Option<(String, bool)>, Vec<String>) {
        let state = held(&self.stage.state);
        (state.webhook.clone(), state.subscribed.clone())
    }

    /// The platform has not found us at the address.
    pub fn lose_webhook(&self) {
        if let Some((_, valid)) = &mut held(&self.stage.state).webhook {
            *valid = false;
        }
    }

    /// Whether the account has hidden it.
    pub fn is_hidden(&self, number: u64) -> bool {
        self.truth().iter().any(|comment| comment.number == number && comment.hidden)
    }
}

impl State {
    fn message(&mut self, person: &str, text: &str, by_us: bool, at: Timestamp) -> String {
        let id = snowflake(at, self.messages.len() as u64 + 1);
        let (person, text) = (person.to_owned(), text.to_owned());
        self.messages.push(Message { id: id.clone(), person, by_us, text, at });
        id
    }
}

impl Play for X {
    const PLATFORM: &'static str = "x";
    const LIST: &'static str = "data";
    type Own = Own;
    type State = State;

    fn id(comment: &Comment) -> String {
        names(comment).remove(0)
    }

    fn number(id: &str) -> u64 {
        number(id)
    }

    fn names_a_page(call: &Call) -> bool {
        let query = call.query_by_name();
        query.contains_key("pagination_token") || query.contains_key("next_token")
    }

    fn page(stage: &Stage<Self>, call: &Call) -> Option<Response> {
        let (_, id) = call.uri.path().split_once("/status/")?;
        let world = held(&stage.world);
        let all = world.comments(stage.now());
        let posts = world.posts();
        let above = all.iter().find(|comment| comment.number == number(id)).map(|c| c.post);
        let own = posts.iter().find(|post| post_name(post) == id).map(|post| post.number);
        Some(page::render(OWNER, &world, stage.now(), above.or(own), |_| false))
    }

    fn turned_away(why: Turned) -> Reply {
        answers::turned_away(why)
    }

    fn answer(stage: &Stage<Self>, call: &Call) -> Reply {
        answers::answer(stage, call)
    }

    fn dress(stage: &Stage<Self>, reply: Reply) -> Reply {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&stage.now());
        let reply = reply.with("date", date.unwrap_or_default());
        let Some(minutes) = reply.wait else { return reply };
        let ends = stage.now().as_second() + i64::from(minutes) * 60;
        reply
            .with("x-rate-limit-limit", 300)
            .with("x-rate-limit-remaining", 0)
            .with("x-rate-limit-reset", ends)
    }

    fn messages(stage: &Stage<Self>) -> BTreeMap<PlatformItemId, Option<String>> {
        let state = held(&stage.state);
        let messages = state.messages.iter().map(|message| (&message.id, &message.text));
        let elsewhere = state.elsewhere.iter().map(|post| (&post.id, &post.text));
        let all = messages.chain(elsewhere);
        all.map(|(id, text)| (PlatformItemId::new(id.as_str()), Some(text.clone()))).collect()
    }
}
