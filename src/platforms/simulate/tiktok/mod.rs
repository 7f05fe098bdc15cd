//! TikTok's calls for a business account's videos and their comments as the `platforms` sheet has them
//! (section 8), over HTTP on loopback: failures with success, pairs of tokens, and a page for people.

mod answers;

use axum::response::Response;

use crate::platforms::held;
use crate::platforms::http::{HttpSettings, below};
use crate::platforms::settings::TikTokSettings;
use crate::platforms::simulate::consent::{Consent, Rotation};
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{self, Play, Stage, Turned};
use crate::platforms::simulate::world::Comment;
use crate::runtime::secret::Secret;

/// The simulated account.
const BUSINESS: &str = "_000exempelstad";
const NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "tiktok", name: NAME, nobody: "TikTok-användare" };

const CLIENT: &str = "simulerad-app";
const CLIENT_SECRET: &str = "simulerad-klienthemlighet";

/// What can be chosen at the beginning.
#[derive(Clone, Debug)]
pub struct Own {
    /// How many comments a page has at the most, whatever is asked for.
    pub page: usize,
    /// How many answers come along with a comment.
    pub shown: usize,
    /// What becomes of a pair of tokens.
    pub rotation: Rotation,
    /// How long the consent is good, in days.
    pub consent_days: u32,
    /// Whether our answers are taken for advertising.
    pub hides_answers: bool,
    /// Whether ids and times come as numbers.
    pub numbers: bool,
    /// Whether answers are told of when asked for by their ids. The documentation does not say.
    pub answers_by_ids: bool,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            page: 30,
            shown: 3,
            rotation: Rotation::Once,
            consent_days: 365,
            hides_answers: false,
            numbers: false,
            answers_by_ids: false,
        }
    }
}

/// How a simulator is begun.
pub type Options = stage::Options<Own>;

/// A running simulator; ends when dropped.
pub type Simulator = stage::Simulator<TikTok>;

/// What TikTok has of its own.
#[derive(Debug)]
pub struct TikTok;

/// What is true beside what was written.
#[derive(Debug, Default)]
pub struct State {
    consent: Consent,
    /// Where the app's pushes of comments go.
    callback: Option<String>,
}

impl Simulator {
    /// What a connector needs to use it.
    pub fn settings(&self) -> TikTokSettings {
        TikTokSettings {
            base: below(self.base(), "open_api/v1.3/", &[]),
            business_id: BUSINESS.into(),
            client_id: CLIENT.into(),
            client_secret: Secret::new(CLIENT_SECRET),
            refresh_token: Secret::new(Consent::FIRST),
            kept: None,
            pushes: false,
            http: HttpSettings::loopback(),
        }
    }

    /// Where the app's pushes of comments go.
    pub fn callback(&self) -> Option<String> {
        held(&self.stage.state).callback.clone()
    }

    /// The access tokens handed out so far run out.
    pub fn expire(&self) {
        held(&self.stage.state).consent.expire();
    }
}

/// Ids have 19 digits.
fn name(number: u64) -> String {
    format!("7{number:018}")
}

/// Nought, which nothing has, for what is no name.
fn number(name: &str) -> u64 {
    name.strip_prefix('7').and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Play for TikTok {
    const PLATFORM: &'static str = "tiktok";
    const LIST: &'static str = "data/comments";
    const SOMEBODY: &'static str = "kim.exempel";
    type Own = Own;
    type State = State;

    fn id(comment: &Comment) -> String {
        name(comment.number)
    }

    fn number(id: &str) -> u64 {
        number(id)
    }

    fn names_a_page(call: &Call) -> bool {
        call.query_by_name().get("cursor").is_some_and(|cursor| cursor != "0")
    }

    fn page(stage: &Stage<Self>, call: &Call) -> Option<Response> {
        let (_, video) = call.uri.path().split_once("/video/")?;
        if !call.uri.path().starts_with("/@") {
            return None;
        }
        let world = held(&stage.world);
        Some(page::render(OWNER, &world, stage.now(), Some(number(video)), |_| false))
    }

    fn turned_away(why: Turned) -> Reply {
        answers::turned_away(why)
    }

    fn answer(stage: &Stage<Self>, call: &Call) -> Reply {
        answers::answer(stage, call)
    }
}
