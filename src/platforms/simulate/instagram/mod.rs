//! Instagram's comment and message calls as the `platforms` sheet has them (sections 2 and 4), over
//! HTTP on loopback, and a page for people. Both ways of connecting answer.

mod answers;

use std::collections::BTreeMap;

use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::ids::PlatformItemId;
use crate::platforms::held;
use crate::platforms::http::HttpSettings;
use crate::platforms::settings::{InstagramLogin, InstagramSettings};
use crate::platforms::simulate::graph::{self, Of, Usage};
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{self, Play, Stage, Turned};
use crate::platforms::simulate::world::Comment;
use crate::runtime::secret::Secret;

/// The simulated account, and the Page that it is linked to.
const IG_ID: &str = "17841400000000009";
const USERNAME: &str = "exempelstad.simulerad";
const PAGE_ID: &str = "100000000000009";
const OWNER: Owner = Owner {
    platform: "instagram",
    name: "Exempelstads kommun (simulerad)",
    nobody: "Instagram-användare",
};

/// The version spoken.
const VERSION: &str = "v26.0";
const TOKEN: &str = "simulerad-sidnyckel";

/// How many messages of a conversation can be read.
const READABLE: usize = 20;

/// What can be chosen at the beginning.
#[derive(Clone, Debug)]
pub struct Own {
    /// The way the account is connected by.
    pub login: InstagramLogin,
    /// How many answers come along with a comment.
    pub shown: usize,
}

impl Default for Own {
    fn default() -> Self {
        Self { login: InstagramLogin::Page { page_id: Some(PAGE_ID.into()) }, shown: 50 }
    }
}

/// How a simulator is begun.
pub type Options = stage::Options<Own>;

/// A running simulator; ends when dropped.
pub type Simulator = stage::Simulator<Instagram>;

/// What Instagram has of its own.
#[derive(Debug)]
pub struct Instagram;

/// What is true beside what was written.
#[derive(Debug, Default)]
pub struct State {
    messages: Vec<Message>,
    /// Where others mention the account.
    mentions: Vec<Mention>,
    /// Whether the app may answer for a week.
    human_agent: bool,
    /// The account gives apps no messages.
    is_shut: bool,
    /// Messages are no field of a conversation.
    by_edge: bool,
    usage: Usage,
}

/// Somebody else's comment, or medium, that names the account; or our answer to one.
#[derive(Clone, Debug)]
struct Mention {
    number: u64,
    /// The medium that it stands under; nothing where it is one itself.
    media: Option<u64>,
    text: String,
    at: Timestamp,
    by_us: bool,
}

/// What the numbers of those begin with.
const FIRST_MENTION: u64 = 17_990_000_000_000_000;
const FOREIGN_MEDIA: u64 = 17_980_000_000_000_000;

/// A message to the account or from it.
#[derive(Clone, Debug)]
struct Message {
    id: String,
    /// The other one.
    person: u64,
    by_us: bool,
    text: String,
    at: Timestamp,
}

impl Simulator {
    /// What a connector needs to use it.
    pub fn settings(&self) -> InstagramSettings {
        InstagramSettings {
            base: self.base().clone(),
            version: VERSION.into(),
            login: self.stage.own.login.clone(),
            ig_id: IG_ID.into(),
            token: Secret::new(TOKEN),
            app_secret: None,
            human_agent: false,
            pushes: false,
            http: HttpSettings::loopback(),
        }
    }

    /// A person writes a message to the account.
    pub fn message(&self, person: u64, text: &str) -> String {
        let at = self.stage.now();
        let messages = &mut held(&self.stage.state).messages;
        let id = format!("m_{}", messages.len() + 1);
        let (text, by_us) = (text.to_owned(), false);
        messages.push(Message { id: id.clone(), person, by_us, text, at });
        id
    }

    /// Somebody names the account in a comment under their own medium, or in the medium's own text. Gives what is pushed.
    pub fn mention(&self, text: &str, in_comment: bool) -> Value {
        let at = self.stage.now();
        let mentions = &mut held(&self.stage.state).mentions;
        let number = FIRST_MENTION + mentions.len() as u64;
        let media = in_comment.then_some(FOREIGN_MEDIA);
        mentions.push(Mention { number, media, text: text.into(), at, by_us: false });
        let value = match media {
            Some(media) => json!({"comment_id": number.to_string(), "media_id": media.to_string()}),
            None => json!({"media_id": number.to_string()}),
        };
        json!({"object": "instagram", "entry": [{"id": IG_ID, "time": at.as_second(),
            "changes": [{"field": "mentions", "value": value}]}]})
    }

    /// Its author changes it, or takes it away.
    pub fn change_mention(&self, number: &str, text: Option<&str>) {
        let mentions = &mut held(&self.stage.state).mentions;
        match text {
            Some(text) => {
                let its = mentions.iter_mut().filter(|one| one.number.to_string() == number);
                its.for_each(|one| one.text = text.into());
            }
            None => mentions.retain(|one| one.number.to_string() != number),
        }
    }

    /// What the account has answered where it was mentioned.
    pub fn answers_elsewhere(&self) -> Vec<String> {
        let state = held(&self.stage.state);
        state.mentions.iter().filter(|one| one.by_us).map(|one| one.text.clone()).collect()
    }

    /// From now on the app may answer messages for a week.
    pub fn grant_human_agent(&self) {
        held(&self.stage.state).human_agent = true;
    }

    /// The account's owner gives apps no messages any more, or does again.
    pub fn shut_messages(&self, is_shut: bool) {
        held(&self.stage.state).is_shut = is_shut;
    }

    /// From now on messages are listed by their own edge alone.
    pub fn list_by_edge(&self) {
        held(&self.stage.state).by_edge = true;
    }

    /// What the usage headers say from now on, in per cent.
    pub fn set_usage(&self, usage: Usage) {
        held(&self.stage.state).usage = usage;
    }
}

impl Play for Instagram {
    const PLATFORM: &'static str = "instagram";
    const LIST: &'static str = "data";
    const SOMEBODY: &'static str = "kim.exempel";
    type Own = Own;
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
        let post = call.uri.path().strip_prefix("/p/")?.trim_end_matches('/');
        let world = held(&stage.world);
        Some(page::render(OWNER, &world, stage.now(), post.parse().ok(), |_| false))
    }

    fn turned_away(why: Turned) -> Reply {
        graph::turned_away(why, 80002)
    }

    fn answer(stage: &Stage<Self>, call: &Call) -> Reply {
        answers::answer(stage, call)
    }

    fn dress(stage: &Stage<Self>, reply: Reply) -> Reply {
        let usage = held(&stage.state).usage;
        graph::dress(reply, Of { id: IG_ID, kind: "instagram" }, usage)
    }

    fn messages(stage: &Stage<Self>) -> BTreeMap<PlatformItemId, Option<String>> {
        if stage.own.login == (InstagramLogin::Page { page_id: None }) {
            return BTreeMap::new();
        }
        let messages = held(&stage.state).messages.clone().into_iter();
        messages.map(|message| (PlatformItemId::new(message.id), Some(message.text))).collect()
    }
}
