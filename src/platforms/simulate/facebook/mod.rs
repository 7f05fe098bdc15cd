//! Facebook Graph's comment endpoints as the `platforms` sheet has them (sections 2 and 3), over
//! HTTP on loopback, and a page for people where each comment can be seen.

mod answers;

use std::collections::BTreeMap;

use axum::response::Response;
use jiff::Timestamp;

use crate::domain::ids::PlatformItemId;
use crate::platforms::held;
use crate::platforms::http::HttpSettings;
use crate::platforms::settings::FacebookSettings;
use crate::platforms::simulate::graph::{self, Of, Usage};
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{self, Play, Stage, Turned};
use crate::platforms::simulate::world::Comment;
use crate::runtime::secret::Secret;

/// The simulated Page.
const PAGE_ID: &str = "100000000000009";
const PAGE_NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "facebook", name: PAGE_NAME, nobody: "Facebook-användare" };
/// A person who works with the Page, and whose token is not the Page's.
const PERSON_ID: &str = "300000000000000";

/// What the numbers of visitors' posts begin with.
const FIRST_VISITOR: u64 = 133_000_000_000_000;

/// The version spoken.
const VERSION: &str = "v26.0";
const TOKEN: &str = "simulerad-sidnyckel";
const PERSON_TOKEN: &str = "simulerad-personnyckel";

/// How a simulator is begun.
pub type Options = stage::Options<()>;

/// A running simulator; ends when dropped.
pub type Simulator = stage::Simulator<Facebook>;

/// What Facebook has of its own.
#[derive(Debug)]
pub struct Facebook;

/// What is true of the Page beside what was written there.
#[derive(Debug, Default)]
pub struct State {
    /// How much is used.
    usage: Usage,
    /// When the token ends; nothing: never.
    login_ends: Option<Timestamp>,
    /// Which rights the token does not have.
    lacks: Vec<&'static str>,
    /// Whether the app may answer for a week.
    human_agent: bool,
    /// Tokens are looked for among the parameters alone.
    parameter_only: bool,
    /// What was written to the Page and by it.
    messages: Vec<Message>,
    /// What others posted on the Page.
    visitors: Vec<Visitor>,
    /// Somebody else has taken the conversation with these people over.
    handed_over: Vec<u64>,
    /// Whether the app is told of the Page.
    subscribed: bool,
}

/// A message to the Page or from it.
#[derive(Clone, Debug)]
struct Message {
    id: String,
    /// The other one.
    person: u64,
    by_us: bool,
    text: String,
    at: Timestamp,
}

/// A post of a visitor's.
#[derive(Clone, Debug)]
struct Visitor {
    number: u64,
    name: String,
    text: String,
    at: Timestamp,
    hidden: bool,
}

impl Simulator {
    /// Whether the app is told of the Page.
    pub fn is_subscribed(&self) -> bool {
        held(&self.stage.state).subscribed
    }

    /// The Page's id.
    pub fn page_id(&self) -> &'static str {
        PAGE_ID
    }

    /// What a connector needs to use it.
    pub fn settings(&self) -> FacebookSettings {
        FacebookSettings {
            base: self.base().clone(),
            version: VERSION.into(),
            page_id: PAGE_ID.into(),
            token: Secret::new(TOKEN),
            app_secret: None,
            human_agent: false,
            pushes: false,
            http: HttpSettings::loopback(),
        }
    }

    /// The token of a person who works with the Page: the wrong one.
    pub fn person_token(&self) -> Secret {
        Secret::new(PERSON_TOKEN)
    }

    /// A person writes a message to the Page.
    pub fn message(&self, person: u64, text: &str) -> String {
        let at = self.stage.now();
        let messages = &mut held(&self.stage.state).messages;
        let id = format!("m_{}", messages.len() + 1);
        let (text, by_us) = (text.to_owned(), false);
        messages.push(Message { id: id.clone(), person, by_us, text, at });
        id
    }

    /// Somebody posts on the Page.
    pub fn post(&self, name: &str, text: &str) -> String {
        let at = self.stage.now();
        let visitors = &mut held(&self.stage.state).visitors;
        let number = FIRST_VISITOR + visitors.len() as u64;
        let (name, text) = (name.to_owned(), text.to_owned());
        visitors.push(Visitor { number, name, text, at, hidden: false });
        format!("{PAGE_ID}_{number}")
    }

    /// Another app takes the conversation with a person over.
    pub fn hand_over(&self, person: u64) {
        held(&self.stage.state).handed_over.push(person);
    }

    /// From now on tokens are looked for among the parameters alone.
    pub fn look_past_headers(&self) {
        held(&self.stage.state).parameter_only = true;
    }

    /// From now on the app may answer messages for a week.
    pub fn grant_human_agent(&self) {
        held(&self.stage.state).human_agent = true;
    }

    /// The author changes a comment.
    pub fn edit(&self, number: u64, text: &str) {
        let now = self.stage.now();
        held(&self.stage.world).edit(number, text, now);
    }

    /// The author deletes a comment.
    pub fn delete(&self, number: u64) {
        held(&self.stage.world).delete(number);
    }

    /// Somebody hides a comment on the Page itself.
    pub fn hide(&self, number: u64) {
        held(&self.stage.world).hide(number, true);
    }

    /// What `X-App-Usage` says from now on, in per cent.
    pub fn set_usage(&self, percent: u32) {
        held(&self.stage.state).usage = Usage { app: percent, own: percent };
    }

    /// From now on the token ends then, and lacks these rights.
    pub fn set_login(&self, ends: Option<Timestamp>, lacks: &[&'static str]) {
        let mut state = held(&self.stage.state);
        (state.login_ends, state.lacks) = (ends, lacks.to_vec());
    }
}

impl Play for Facebook {
    const PLATFORM: &'static str = "facebook";
    const LIST: &'static str = "data";
    type Own = ();
    type State = State;

    fn id(comment: &Comment) -> String {
        comment.number.to_string()
    }

    fn number(id: &str) -> u64 {
        id.parse().unwrap_or(0)
    }

    fn names_a_page(call: &Call) -> bool {
        call.query_by_name().contains_key("after")
    }

    fn page(stage: &Stage<Self>, call: &Call) -> Option<Response> {
        let world = held(&stage.world);
        if let Some(png) = answers::picture(&world, stage.now(), call.uri.path()) {
            let kind = (axum::http::header::CONTENT_TYPE, "image/png");
            return Some(axum::response::IntoResponse::into_response(([kind], png)));
        }
        // What stands at the address that the settings name.
        if call.uri.path() == "/" {
            return Some(page::render_account(OWNER, &world));
        }
        let post = call.uri.path().strip_prefix("/inlagg/")?;
        Some(page::render(OWNER, &world, stage.now(), post.parse().ok(), |_| false))
    }

    fn messages(stage: &Stage<Self>) -> BTreeMap<PlatformItemId, Option<String>> {
        let state = held(&stage.state);
        let posts = state.visitors.iter();
        let posts = posts.map(|post| (format!("{PAGE_ID}_{}", post.number), post.text.clone()));
        let messages = state.messages.iter().map(|m| (m.id.clone(), m.text.clone()));
        let all = if answers::may_read_messages(&state) { Some(messages) } else { None };
        let all = posts.chain(all.into_iter().flatten());
        all.map(|(id, text)| (PlatformItemId::new(id), Some(text))).collect()
    }

    fn turned_away(why: Turned) -> Reply {
        graph::turned_away(why, 32)
    }

    fn answer(stage: &Stage<Self>, call: &Call) -> Reply {
        answers::answer(stage, call)
    }

    fn dress(stage: &Stage<Self>, reply: Reply) -> Reply {
        let usage = held(&stage.state).usage;
        graph::dress(reply, Of { id: PAGE_ID, kind: "pages" }, usage)
    }
}
