//! YouTube's comment calls as the `platforms` sheet has them (section 5), over HTTP on loopback:
//! access tokens that run out, three lists, units that are counted, and a page for people.

mod answers;

use std::collections::BTreeMap;

use axum::response::Response;
use jiff::Timestamp;

use crate::platforms::held;
use crate::platforms::http::{HttpSettings, below};
use crate::platforms::settings::YouTubeSettings;
use crate::platforms::simulate::consent::Consent;
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{self, POSTS_FROM, Play, Stage, Turned};
use crate::platforms::simulate::world::Comment;
use crate::runtime::secret::Secret;

/// The simulated channel.
const CHANNEL: &str = "UCexempelstadsimulerad00";
const NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "youtube", name: NAME, nobody: "YouTube-användare" };

const CLIENT: &str = "simulerat-projekt";
const CLIENT_SECRET: &str = "simulerad-klienthemlighet";

/// What can be chosen at the beginning.
#[derive(Clone, Debug)]
pub struct Own {
    /// How many units the project has in a day.
    pub units_per_day: u32,
    /// How many answers a list shows of a thread.
    pub shown: usize,
    /// Whether what is held is shown by its id. Nobody has published it.
    pub held_by_id: bool,
    /// The same of what was rejected.
    pub rejected_by_id: bool,
}

impl Default for Own {
    fn default() -> Self {
        Self { units_per_day: 10_000, shown: 5, held_by_id: true, rejected_by_id: false }
    }
}

/// How a simulator is begun.
pub type Options = stage::Options<Own>;

/// A running simulator; ends when dropped.
pub type Simulator = stage::Simulator<YouTube>;

/// What YouTube has of its own.
#[derive(Debug)]
pub struct YouTube;

/// What is true beside what was written.
#[derive(Debug, Default)]
pub struct State {
    /// Comments that the platform took for spam, or that were rejected.
    set_aside: BTreeMap<u64, Aside>,
    consent: Consent,
    /// Units used, and when the day ends.
    used: u32,
    day_ends: Option<Timestamp>,
    /// Calls that came although the units were gone.
    overspent: usize,
    /// Videos without comments.
    closed: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aside {
    Spam,
    Rejected,
}

impl Simulator {
    /// What a connector needs to use it.
    pub fn settings(&self) -> YouTubeSettings {
        YouTubeSettings {
            base: below(self.base(), "youtube/v3/", &[]),
            token_url: below(self.base(), "token", &[]),
            watch: self.base().clone(),
            channel_id: CHANNEL.into(),
            client_id: CLIENT.into(),
            client_secret: Secret::new(CLIENT_SECRET),
            refresh_token: Secret::new(Consent::FIRST),
            units_per_day: self.stage.own.units_per_day,
            http: HttpSettings::loopback(),
        }
    }

    /// A moderator holds a comment for review in Studio.
    pub fn hold(&self, number: u64) {
        held(&self.stage.world).hide(number, true);
    }

    /// The platform takes a comment for spam.
    pub fn take_for_spam(&self, number: u64) {
        held(&self.stage.state).set_aside.insert(number, Aside::Spam);
    }

    /// The comments of this video, counted from nought, are switched off.
    pub fn close(&self, video: usize) {
        let post = held(&self.stage.world).posts()[video].number;
        held(&self.stage.state).closed.push(post);
    }

    /// The access tokens handed out so far run out.
    pub fn expire(&self) {
        held(&self.stage.state).consent.expire();
    }

    /// The owner takes the consent back.
    pub fn revoke(&self) {
        held(&self.stage.state).consent.revoke();
    }

    /// Units used today.
    pub fn used(&self) -> u32 {
        held(&self.stage.state).used
    }

    /// Calls that came although the units were gone.
    pub fn overspent(&self) -> usize {
        held(&self.stage.state).overspent
    }
}

/// The id of a comment: an answer's begins with that of its thread.
fn id(number: u64, parent: Option<u64>) -> String {
    match parent {
        Some(top) => format!("{}.{number}", id(top, None)),
        None => format!("Ugx{number}AaABAg"),
    }
}

/// The number in an id; nought, which no comment has, for what has none.
fn number(id: &str) -> u64 {
    let own = id.rsplit('.').next().unwrap_or(id);
    let own = own.strip_prefix("Ugx").and_then(|own| own.strip_suffix("AaABAg")).unwrap_or(own);
    own.parse().unwrap_or(0)
}

fn video(number: u64) -> String {
    format!("vid{:08}", number.saturating_sub(POSTS_FROM))
}

fn video_number(id: &str) -> Option<u64> {
    Some(id.strip_prefix("vid")?.parse::<u64>().ok()? + POSTS_FROM)
}

impl Play for YouTube {
    const PLATFORM: &'static str = "youtube";
    const LIST: &'static str = "items";
    const SOMEBODY: &'static str = "@kimexempel";
    type Own = Own;
    type State = State;

    fn id(comment: &Comment) -> String {
        id(comment.number, comment.parent)
    }

    fn number(id: &str) -> u64 {
        number(id)
    }

    fn names_a_page(call: &Call) -> bool {
        call.query_by_name().contains_key("pageToken")
    }

    fn page(stage: &Stage<Self>, call: &Call) -> Option<Response> {
        if call.uri.path() != "/watch" {
            return None;
        }
        let shown = call.query_by_name().remove("v").and_then(|id| video_number(&id));
        let state = held(&stage.state);
        let world = held(&stage.world);
        let aside = |number| state.set_aside.contains_key(&number);
        let is_away = |c: &Comment| aside(c.number) || c.parent.is_some_and(aside);
        Some(page::render(OWNER, &world, stage.now(), shown, is_away))
    }

    fn turned_away(why: Turned) -> Reply {
        answers::turned_away(why)
    }

    fn answer(stage: &Stage<Self>, call: &Call) -> Reply {
        answers::answer(stage, call)
    }

    fn dress(_: &Stage<Self>, reply: Reply) -> Reply {
        match reply.wait {
            Some(minutes) => reply.with("retry-after", minutes * 60),
            None => reply,
        }
    }

    fn is_away(state: &State, comment: &Comment) -> bool {
        let is_rejected = |number| state.set_aside.get(&number) == Some(&Aside::Rejected);
        is_rejected(comment.number) || comment.parent.is_some_and(is_rejected)
    }
}
