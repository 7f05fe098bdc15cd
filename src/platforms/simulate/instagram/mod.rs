//! Instagram's comment and message calls as the `platforms` sheet has them (sections 2 and 4), over
//! HTTP on loopback, and a page for people. Both ways of connecting answer.

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
use crate::platforms::settings::{InstagramLogin, InstagramSettings};
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::simulate::graph::{self, Of, Usage};
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::server::{Call, CannotStart, Front, Port, Server};
use crate::platforms::simulate::world::{Comment, World};
use crate::platforms::{conformance, held};
use crate::runtime::clock::Clock;
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

/// How many messages of a conversation can be read.
const READABLE: usize = 20;

/// How a simulator is begun.
#[derive(Clone, Debug)]
pub struct Options {
    /// What happens under the account's media.
    pub script: Script,
    /// What goes wrong.
    pub faults: Faults,
    /// Where to listen; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// Keeps what was done over restarts.
    pub journal: Option<PathBuf>,
    /// The way the account is connected by.
    pub login: InstagramLogin,
    /// How many answers come along with a comment.
    pub shown: usize,
}

impl Options {
    /// On a free port, without faults, forgetting everything at the end, by way of the Page.
    pub fn new(script: Script) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let login = InstagramLogin::Page { page_id: Some(PAGE_ID.into()) };
        Self { script, faults: Faults::none(), listen, journal: None, login, shown: 50 }
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
    messages: Mutex<Vec<Message>>,
    front: Front,
    clock: Clock,
    options: Options,
    origin: String,
    token: Secret,
    usage: Mutex<Usage>,
}

/// A message to the account or from it.
#[derive(Clone, Debug)]
struct Message {
    id: String,
    /// The other one.
    person: u64,
    by_us: bool,
    text: String,
    at: Timestamp,
    is_unsent: bool,
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
            messages: Mutex::default(),
            front: Front::new(options.faults.clone()),
            clock,
            options,
            origin: port.origin(),
            token: Secret::new("simulerad-sidnyckel"),
            usage: Mutex::new(Usage { app: 3, own: 3 }),
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
    pub fn settings(&self) -> InstagramSettings {
        InstagramSettings {
            base: self.base().clone(),
            version: VERSION.into(),
            login: self.inner.options.login.clone(),
            ig_id: IG_ID.into(),
            token: self.inner.token.clone(),
            app_secret: None,
            http: HttpSettings::loopback(),
        }
    }

    /// Every comment written until now, as it stands, deleted ones included.
    pub fn truth(&self) -> Vec<Comment> {
        held(&self.inner.world).comments(self.inner.now())
    }

    /// Somebody writes under the first medium, or answers a comment.
    pub fn write(&self, name: &str, text: &str, parent: Option<u64>) -> u64 {
        let now = self.inner.now();
        let mut world = held(&self.inner.world);
        let above = world.comments(now).into_iter().find(|comment| Some(comment.number) == parent);
        let post = above.map_or_else(|| world.posts()[0].number, |comment| comment.post);
        world.add(post, parent, Some(name), text, now)
    }

    /// A person writes a message to the account.
    pub fn message(&self, person: u64, text: &str) -> String {
        let at = self.inner.now();
        let mut messages = held(&self.inner.messages);
        let id = format!("m_{}", messages.len() + 1);
        let (text, by_us, is_unsent) = (text.to_owned(), false, false);
        messages.push(Message { id: id.clone(), person, by_us, text, at, is_unsent });
        id
    }

    /// What the usage headers say from now on, in per cent.
    pub fn set_usage(&self, usage: Usage) {
        *held(&self.inner.usage) = usage;
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
        let comments = Self::truth(self).into_iter().filter(|comment| !comment.deleted);
        let comments = comments.map(|comment| (id(comment.number), Some(comment.text)));
        let reads_messages = (InstagramLogin::Page { page_id: None }) != self.inner.options.login;
        let messages = held(&self.inner.messages).clone().into_iter();
        let messages = messages.filter(|message| reads_messages && !message.is_unsent);
        let messages =
            messages.map(|message| (PlatformItemId::new(message.id), Some(message.text)));
        comments.chain(messages).collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        id(Self::write(self, "kim.exempel", text, parent.map(number)))
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        let now = self.inner.now();
        held(&self.inner.world).edit(number(id), text, now);
    }

    async fn remove(&self, id: &PlatformItemId) {
        held(&self.inner.world).delete(number(id));
    }
}

async fn answer(inner: Arc<Inner>, call: Call) -> Response {
    if let Some(post) = call.uri.path().strip_prefix("/p/") {
        let world = held(&inner.world);
        return page::render(
            OWNER,
            &world,
            inner.now(),
            post.trim_end_matches('/').parse().ok(),
            |_| false,
        );
    }
    let names_a_page = call.query_by_name().contains_key("after");
    let fault = inner.front.receive(&call, names_a_page, inner.clock.now()).await;
    let mut answer = match fault.and_then(|fault| graph::refusal(fault, 80002)) {
        Some(answer) => answer,
        None => answers::answer(&inner, &call),
    };
    if fault == Some(Fault::LostAnswer) {
        // A gateway that lost the answer says so in its own words.
        return graph::gateway_page("instagram");
    }
    let of = Of { platform: "instagram", id: IG_ID, kind: "instagram" };
    let usage = *held(&inner.usage);
    let body = answer.take_body();
    answer.into_response(of, usage, inner.front.send(&call, "data", fault, body))
}
