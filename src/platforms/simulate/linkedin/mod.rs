//! LinkedIn's calls for an organisation's posts and their comments as the `platforms` sheet has them
//! (section 6), over HTTP on loopback, and a page for people.

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
use crate::platforms::settings::LinkedInSettings;
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::server::{Call, CannotStart, Front, Port, Server};
use crate::platforms::simulate::world::{Comment, World};
use crate::platforms::{conformance, held};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// The simulated organisation.
const ORGANIZATION: &str = "90009";
const NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "linkedin", name: NAME, nobody: "LinkedIn-medlem" };

const VERSION: &str = "202607";

/// How a simulator is begun.
#[derive(Clone, Debug)]
pub struct Options {
    /// What happens under the organisation's posts.
    pub script: Script,
    /// What goes wrong.
    pub faults: Faults,
    /// Where to listen; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// Keeps what was done over restarts.
    pub journal: Option<PathBuf>,
    /// How many calls the member has in a day.
    pub calls_per_day: u32,
    /// The most that comes on a page, whatever is asked for. Nobody has published it.
    pub most: usize,
    /// Whether others' comments can be deleted. Sources contradict each other.
    pub deletes_others: bool,
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
            calls_per_day: 100_000,
            most: 100,
            deletes_others: true,
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
    calls: Mutex<Calls>,
    front: Front,
    clock: Clock,
    options: Options,
    token: Secret,
}

/// The calls of a day.
#[derive(Debug, Default)]
struct Calls {
    made: u32,
    day_ends: Option<Timestamp>,
    overspent: usize,
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
            calls: Mutex::default(),
            front: Front::new(options.faults.clone()),
            clock,
            options,
            token: Secret::new("simulerad-nyckel"),
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
    pub fn settings(&self) -> LinkedInSettings {
        LinkedInSettings {
            base: below(self.base(), "rest/", &[]),
            site: self.base().clone(),
            version: VERSION.into(),
            organization_id: ORGANIZATION.into(),
            token: self.inner.token.clone(),
            calls_per_day: self.inner.options.calls_per_day,
            http: HttpSettings::loopback(),
        }
    }

    /// Every comment written until now, as it stands, deleted ones included.
    pub fn truth(&self) -> Vec<Comment> {
        held(&self.inner.world).comments(self.inner.now())
    }

    /// Somebody writes under the first post, or answers a comment.
    pub fn write(&self, name: &str, text: &str, parent: Option<u64>) -> u64 {
        let now = self.inner.now();
        let mut world = held(&self.inner.world);
        let above = world.comments(now).into_iter().find(|comment| Some(comment.number) == parent);
        let post = above.map_or_else(|| world.posts()[0].number, |comment| comment.post);
        world.add(post, parent, Some(name), text, now)
    }

    /// Calls that came although those of the day were made.
    pub fn overspent(&self) -> usize {
        held(&self.inner.calls).overspent
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

    /// The name that the platform gives a comment.
    pub fn id(&self, number: u64) -> PlatformItemId {
        let all = self.truth();
        let post = all.iter().find(|comment| comment.number == number).map_or(0, |c| c.post);
        PlatformItemId::new(urn(post, number))
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

#[async_trait]
impl conformance::World for Simulator {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        Self::truth(self)
            .into_iter()
            .filter(|comment| !comment.deleted)
            .map(|c| (PlatformItemId::new(urn(c.post, c.number)), Some(c.text)))
            .collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        self.id(Self::write(self, "Kim Exempel", text, parent.map(|id| number(id.as_str()))))
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
    if let Some(thread) = call.uri.path().strip_prefix("/feed/update/") {
        let world = held(&inner.world);
        return page::render(OWNER, &world, inner.now(), Some(number(thread)), |_| false);
    }
    let names_a_page = call.query_by_name().get("start").is_some_and(|start| start != "0");
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
    answer.into_response(inner.front.send(&call, "elements", fault, body))
}
