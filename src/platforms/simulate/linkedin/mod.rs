//! LinkedIn's calls for an organisation's posts and their comments as the `platforms` sheet has them
//! (section 6), over HTTP on loopback, and a page for people.

mod answers;

use axum::response::Response;
use jiff::Timestamp;

use crate::platforms::held;
use crate::platforms::http::{HttpSettings, below};
use crate::platforms::settings::LinkedInSettings;
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{self, Play, Stage, Turned};
use crate::platforms::simulate::world::Comment;
use crate::runtime::secret::Secret;

/// The simulated organisation.
const ORGANIZATION: &str = "90009";
const NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "linkedin", name: NAME, nobody: "LinkedIn-medlem" };

const VERSION: &str = "202607";
const TOKEN: &str = "simulerad-nyckel";

/// What can be chosen at the beginning.
#[derive(Clone, Debug)]
pub struct Own {
    /// How many calls the member has in a day.
    pub calls_per_day: u32,
    /// The most that comes on a page, whatever is asked for. Nobody has published it.
    pub most: usize,
    /// Whether others' comments can be deleted. Sources contradict each other.
    pub deletes_others: bool,
}

impl Default for Own {
    fn default() -> Self {
        Self { calls_per_day: 100_000, most: 100, deletes_others: true }
    }
}

/// How a simulator is begun.
pub type Options = stage::Options<Own>;

/// A running simulator; ends when dropped.
pub type Simulator = stage::Simulator<LinkedIn>;

/// What LinkedIn has of its own.
#[derive(Debug)]
pub struct LinkedIn;

/// The calls of a day.
#[derive(Debug, Default)]
pub struct Calls {
    made: u32,
    day_ends: Option<Timestamp>,
    overspent: usize,
    /// What the app is told of, and where.
    subscription: Option<(String, String)>,
}

impl Simulator {
    /// What a connector needs to use it.
    pub fn settings(&self) -> LinkedInSettings {
        LinkedInSettings {
            base: below(self.base(), "rest/", &[]),
            site: self.base().clone(),
            version: VERSION.into(),
            organization_id: ORGANIZATION.into(),
            token: Secret::new(TOKEN),
            calls_per_day: self.stage.own.calls_per_day,
            pushes: false,
            http: HttpSettings::loopback(),
        }
    }

    /// What the app is told of, and where.
    pub fn subscription(&self) -> Option<(String, String)> {
        held(&self.stage.state).subscription.clone()
    }

    /// Calls that came although those of the day were made.
    pub fn overspent(&self) -> usize {
        held(&self.stage.state).overspent
    }
}

/// Comments and links name the thread by its activity, lists of posts by its share.
fn activity(post: u64) -> String {
    format!("urn:li:activity:{post}")
}

fn share(post: u64) -> String {
    format!("urn:li:share:{post}")
}

fn urn(post: u64, number: u64) -> String {
    format!("urn:li:comment:({},{number})", activity(post))
}

/// The last number in a name; nought, which nothing has, where there is none.
fn number(urn: &str) -> u64 {
    let last = urn.trim_end_matches(')').rsplit([',', ':']).next();
    last.and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Play for LinkedIn {
    const PLATFORM: &'static str = "linkedin";
    const LIST: &'static str = "elements";
    type Own = Own;
    type State = Calls;

    fn id(comment: &Comment) -> String {
        urn(comment.post, comment.number)
    }

    fn number(id: &str) -> u64 {
        number(id)
    }

    fn names_a_page(call: &Call) -> bool {
        call.query_by_name().get("start").is_some_and(|start| start != "0")
    }

    fn page(stage: &Stage<Self>, call: &Call) -> Option<Response> {
        let thread = call.uri.path().strip_prefix("/feed/update/")?;
        let world = held(&stage.world);
        Some(page::render(OWNER, &world, stage.now(), Some(number(thread)), |_| false))
    }

    fn turned_away(why: Turned) -> Reply {
        answers::turned_away(why)
    }

    fn answer(stage: &Stage<Self>, call: &Call) -> Reply {
        answers::answer(stage, call)
    }
}
