//! YouTube's comment calls as the `platforms` sheet has them (section 5), over HTTP on loopback:
//! access tokens that run out, three lists, units that are counted, and a page for people.

mod answers;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::response::Response;
use jiff::Timestamp;
use url::Url;

use crate::domain::ids::PlatformItemId;
use crate::platforms::http::{HttpSettings, below};
use crate::platforms::settings::YouTubeSettings;
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::server::{Call, CannotStart, Front, Port, Server};
use crate::platforms::simulate::world::{Comment, World};
use crate::platforms::{conformance, held};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// The simulated channel.
const CHANNEL: &str = "UCexempelstadsimulerad00";
const NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "youtube", name: NAME, nobody: "YouTube-användare" };

const CLIENT: &str = "simulerat-projekt";

/// What the numbers of posts and comments begin with, which ids leave out.
const POSTS_FROM: u64 = 111_000_000_000_000;

/// How a simulator is begun.
#[derive(Clone, Debug)]
pub struct Options {
    /// What happens on the channel.
    pub script: Script,
    /// What goes wrong.
    pub faults: Faults,
    /// Where to listen; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// Keeps what was done over restarts.
    pub journal: Option<PathBuf>,
    /// How many units the project has in a day.
    pub units_per_day: u32,
    /// How many answers a list shows of a thread.
    pub shown: usize,
    /// Whether what is held is shown by its id. Nobody has published it.
    pub held_by_id: bool,
    /// The same of what was rejected.
    pub rejected_by_id: bool,
}

impl Options {
    /// On a free port, without faults, forgetting everything at the end.
    pub fn new(script: Script) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            script,
            faults: Faults::none(),
            listen,
            journal: None,
            units_per_day: 10_000,
            shown: 5,
            held_by_id: true,
            rejected_by_id: false,
        }
    }
}

/// A running simulator; ends when dropped.
#[derive(Debug)]
pub struct Simulator {
    inner: Arc<Inner>,
    server: Server,
}

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    state: Mutex<State>,
    front: Front,
    clock: Clock,
    options: Options,
}

/// What is true beside what was written.
#[derive(Debug, Default)]
struct State {
    /// Comments that the platform took for spam, or that were rejected.
    set_aside: BTreeMap<u64, Aside>,
    /// How many access tokens were handed out, and how many of them have run out.
    handed_out: u32,
    expired: u32,
    /// The consent was taken back.
    is_revoked: bool,
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

impl Inner {
    /// The platform's own time.
    fn now(&self) -> Timestamp {
        self.clock.now() + self.front.skew()
    }
}

impl Simulator {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`CannotStart`], each with its mend.
    pub async fn start(options: Options, clock: Clock) -> Result<Self, CannotStart> {
        let port = Port::open(options.listen).await?;
        let script = options.script.clone();
        let world = World::open(script, clock.now(), options.journal.as_deref())
            .map_err(CannotStart::Journal)?;
        let inner = Arc::new(Inner {
            world: Mutex::new(world),
            state: Mutex::default(),
            front: Front::new(options.faults.clone()),
            clock,
            options,
        });
        let answering = Arc::clone(&inner);
        let server = port.serve(move |call| answer(Arc::clone(&answering), call));
        Ok(Self { inner, server })
    }

    /// Where it answers.
    pub fn base(&self) -> &Url {
        self.server.base()
    }

    /// What a connector needs to use it.
    pub fn settings(&self) -> YouTubeSettings {
        YouTubeSettings {
            base: below(self.base(), "youtube/v3/", &[]),
            token_url: below(self.base(), "token", &[]),
            watch: self.base().clone(),
            channel_id: CHANNEL.into(),
            client_id: CLIENT.into(),
            client_secret: Secret::new("simulerad-klienthemlighet"),
            refresh_token: Secret::new("simulerat-medgivande"),
            units_per_day: self.inner.options.units_per_day,
            http: HttpSettings::loopback(),
        }
    }

    /// Every comment written until now, as it stands, deleted ones included.
    pub fn truth(&self) -> Vec<Comment> {
        held(&self.inner.world).comments(self.inner.now())
    }

    /// Somebody writes under the first video, or answers a comment.
    pub fn write(&self, name: &str, text: &str, parent: Option<u64>) -> u64 {
        let now = self.inner.now();
        let mut world = held(&self.inner.world);
        let above = world.comments(now).into_iter().find(|comment| Some(comment.number) == parent);
        let post = above.map_or_else(|| world.posts()[0].number, |comment| comment.post);
        world.add(post, parent, Some(name), text, now)
    }

    /// Somebody writes under this video, counted from nought.
    pub fn write_under(&self, video: usize, name: &str, text: &str) -> u64 {
        let now = self.inner.now();
        let mut world = held(&self.inner.world);
        let post = world.posts()[video].number;
        world.add(post, None, Some(name), text, now)
    }

    /// A moderator holds a comment for review in Studio.
    pub fn hold(&self, number: u64) {
        held(&self.inner.world).hide(number, true);
    }

    /// The platform takes a comment for spam.
    pub fn take_for_spam(&self, number: u64) {
        held(&self.inner.state).set_aside.insert(number, Aside::Spam);
    }

    /// The comments of this video, counted from nought, are switched off.
    pub fn close(&self, video: usize) {
        let post = held(&self.inner.world).posts()[video].number;
        held(&self.inner.state).closed.push(post);
    }

    /// The access tokens handed out so far run out.
    pub fn expire(&self) {
        let mut state = held(&self.inner.state);
        state.expired = state.handed_out;
    }

    /// The owner takes the consent back.
    pub fn revoke(&self) {
        let mut state = held(&self.inner.state);
        state.is_revoked = true;
        state.expired = state.handed_out;
    }

    /// Units used today.
    pub fn used(&self) -> u32 {
        held(&self.inner.state).used
    }

    /// Calls that came although the units were gone.
    pub fn overspent(&self) -> usize {
        held(&self.inner.state).overspent
    }

    /// Lets the next calls fail.
    pub fn fail_next(&self, fault: Fault, times: usize) {
        self.inner.front.fail_next(fault, times);
    }

    /// What stands around its calls: what goes wrong, and what came in.
    pub fn front(&self) -> &Front {
        &self.inner.front
    }

    /// Method and path of every call so far, without the query.
    pub fn calls(&self) -> Vec<String> {
        self.inner.front.calls()
    }

    /// The id that the platform gives a comment.
    pub fn id(&self, number: u64) -> PlatformItemId {
        let all = self.truth();
        let parent = all.iter().find(|comment| comment.number == number).and_then(|c| c.parent);
        PlatformItemId::new(id(number, parent))
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

#[async_trait]
impl conformance::World for Simulator {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        let all = Self::truth(self);
        let state = held(&self.inner.state);
        let is_rejected = |number| state.set_aside.get(&number) == Some(&Aside::Rejected);
        all.into_iter()
            .filter(|c| !c.deleted && !is_rejected(c.number) && !c.parent.is_some_and(is_rejected))
            .map(|c| (PlatformItemId::new(id(c.number, c.parent)), Some(c.text)))
            .collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let parent = parent.map(|id| number(id.as_str()));
        self.id(Self::write(self, "@kimexempel", text, parent))
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        let now = self.inner.now();
        held(&self.inner.world).edit(number(id.as_str()), text, now);
    }

    async fn remove(&self, id: &PlatformItemId) {
        held(&self.inner.world).delete(number(id.as_str()));
    }
}

async fn answer(inner: Arc<Inner>, call: Call) -> Response {
    if call.uri.path() == "/watch" {
        let shown = call.query_by_name().remove("v").and_then(|id| video_number(&id));
        // In this order everywhere.
        let state = held(&inner.state);
        let world = held(&inner.world);
        let aside = |number| state.set_aside.contains_key(&number);
        let is_away = |c: &Comment| aside(c.number) || c.parent.is_some_and(aside);
        return page::render(OWNER, &world, inner.now(), shown, is_away);
    }
    let names_a_page = call.query_by_name().contains_key("pageToken");
    let fault = inner.front.receive(&call, names_a_page, inner.clock.now()).await;
    let mut answer = match fault.and_then(answers::refusal) {
        Some(answer) => answer,
        None => answers::answer(&inner, &call),
    };
    if fault == Some(Fault::LostAnswer) {
        // A gateway that lost the answer says so in its own words.
        return answers::gateway_page();
    }
    let body = answer.take_body();
    answer.into_response(inner.front.send(&call, "items", fault, body))
}
