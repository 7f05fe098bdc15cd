//! Facebook Graph's comment endpoints as the `platforms` sheet has them (sections 2 and 3), over
//! HTTP on loopback, and a page for people where each comment can be seen.

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
use crate::platforms::http::HttpSettings;
use crate::platforms::settings::FacebookSettings;
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::simulate::graph::{self, Of, Usage};
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::server::{Call, CannotStart, Front, Port, Server};
use crate::platforms::simulate::world::{Comment, World};
use crate::platforms::{conformance, held};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// The simulated Page.
const PAGE_ID: &str = "100000000000009";
const PAGE_NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "facebook", name: PAGE_NAME, nobody: "Facebook-användare" };
/// A person who works with the Page, and whose token is not the Page's.
const PERSON_ID: &str = "300000000000000";

/// The version spoken.
const VERSION: &str = "v26.0";

/// How a simulator is begun.
#[derive(Clone, Debug)]
pub struct Options {
    /// What happens on the Page.
    pub script: Script,
    /// What goes wrong.
    pub faults: Faults,
    /// Where to listen; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// Keeps what was done over restarts.
    pub journal: Option<PathBuf>,
}

impl Options {
    /// On a free port, without faults, forgetting everything at the end.
    pub fn new(script: Script) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { script, faults: Faults::none(), listen, journal: None }
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
    front: Front,
    clock: Clock,
    origin: String,
    token: Secret,
    person_token: Secret,
    /// What `X-App-Usage` says, in per cent.
    usage: Mutex<u32>,
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
        let world = World::open(options.script, clock.now(), options.journal.as_deref())
            .map_err(CannotStart::Journal)?;
        let inner = Arc::new(Inner {
            world: Mutex::new(world),
            front: Front::new(options.faults),
            clock,
            origin: port.origin(),
            token: Secret::new("simulerad-sidnyckel"),
            person_token: Secret::new("simulerad-personnyckel"),
            usage: Mutex::new(3),
        });
        let answering = Arc::clone(&inner);
        let server = port.serve(move |call| answer(Arc::clone(&answering), call));
        Ok(Self { inner, server })
    }

    /// Where it answers.
    pub fn base(&self) -> &Url {
        self.server.base()
    }

    /// The Page's id.
    pub fn page_id(&self) -> &'static str {
        PAGE_ID
    }

    /// What a connector needs to use it.
    pub fn settings(&self) -> FacebookSettings {
        FacebookSettings {
            base: self.server.base().clone(),
            version: VERSION.into(),
            page_id: PAGE_ID.into(),
            token: self.inner.token.clone(),
            app_secret: None,
            http: HttpSettings::loopback(),
        }
    }

    /// The token of a person who works with the Page: the wrong one.
    pub fn person_token(&self) -> Secret {
        self.inner.person_token.clone()
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

    /// The author changes a comment.
    pub fn edit(&self, number: u64, text: &str) {
        let now = self.inner.now();
        held(&self.inner.world).edit(number, text, now);
    }

    /// The author deletes a comment.
    pub fn delete(&self, number: u64) {
        held(&self.inner.world).delete(number);
    }

    /// Somebody hides a comment on the Page itself.
    pub fn hide(&self, number: u64) {
        held(&self.inner.world).hide(number, true);
    }

    /// Lets the next calls fail.
    pub fn fail_next(&self, fault: Fault, times: usize) {
        self.inner.front.fail_next(fault, times);
    }

    /// What `X-App-Usage` says from now on, in per cent.
    pub fn set_usage(&self, percent: u32) {
        *held(&self.inner.usage) = percent;
    }

    /// What stands around its calls: what goes wrong, and what came in.
    pub fn front(&self) -> &Front {
        &self.inner.front
    }

    /// Method and path of every call so far, without the query.
    pub fn calls(&self) -> Vec<String> {
        self.inner.front.calls()
    }
}

fn id(number: u64) -> PlatformItemId {
    PlatformItemId::new(number.to_string())
}

/// Nought, which no comment has, for what is no number.
fn number(id: &PlatformItemId) -> u64 {
    id.as_str().parse().unwrap_or(0)
}

#[async_trait]
impl conformance::World for Simulator {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        Self::truth(self)
            .into_iter()
            .filter(|comment| !comment.deleted)
            .map(|comment| (id(comment.number), Some(comment.text)))
            .collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        id(Self::write(self, "Kim Exempel", text, parent.map(number)))
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        Self::edit(self, number(id), text);
    }

    async fn remove(&self, id: &PlatformItemId) {
        self.delete(number(id));
    }
}

async fn answer(inner: Arc<Inner>, call: Call) -> Response {
    let path = call.uri.path();
    if let Some(post) = path.strip_prefix("/inlagg/") {
        let world = held(&inner.world);
        return page::render(OWNER, &world, inner.now(), post.parse().ok(), |_| false);
    }
    let names_a_page = call.query_by_name().contains_key("after");
    let fault = inner.front.receive(&call, names_a_page, inner.clock.now()).await;
    let usage = *held(&inner.usage);
    let mut answer = match fault.and_then(|fault| graph::refusal(fault, 32)) {
        Some(answer) => answer,
        None => answers::answer(&inner, &call),
    };
    if fault == Some(Fault::LostAnswer) {
        // A gateway that lost the answer says so in its own words.
        return graph::gateway_page("facebook");
    }
    let body = answer.take_body();
    let of = Of { platform: "facebook", id: PAGE_ID, kind: "pages" };
    let usage = Usage { app: usage, own: usage };
    answer.into_response(of, usage, inner.front.send(&call, "data", fault, body))
}
