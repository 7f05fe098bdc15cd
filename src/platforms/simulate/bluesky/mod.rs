//! A Bluesky account's own server and the network behind it, as much as the `platforms` sheet has
//! of them (section 12), over HTTP on loopback: sessions that run out, notifications that leave
//! some answers out, threads, records with versions, reports.

mod answers;
mod world;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use crate::domain::ids::PlatformItemId;
use crate::platforms::http::HttpSettings;
use crate::platforms::settings::BlueskySettings;
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::simulate::server::{Call, CannotStart, Front, Port, Server};
use crate::platforms::{conformance, held};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

use world::World;

/// The simulated account.
pub const ME: &str = "did:plc:exempelstadsimulerad";
const HANDLE: &str = "exempelstad.example";
const NAME: &str = "Exempelstads kommun (simulerad)";

/// Somebody who writes to it.
pub const KIM: &str = "did:plc:kimexempel";

/// How a simulator is begun.
#[derive(Clone, Debug)]
pub struct Options {
    /// What goes wrong.
    pub faults: Faults,
    /// Where to listen; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// How many calls are allowed in five minutes.
    pub limit: u64,
    /// How many levels of a thread one call shows at the most.
    pub deepest: usize,
}

impl Default for Options {
    /// On a free port, without faults, as generous as the platform.
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { faults: Faults::none(), listen, limit: 3_000, deepest: 1_000 }
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
    options: Options,
    origin: String,
}

impl Inner {
    /// The network's own time.
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
        let inner = Arc::new(Inner {
            world: Mutex::new(World::new(options.limit)),
            front: Front::new(options.faults.clone()),
            clock,
            options,
            origin: port.origin(),
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
    pub fn settings(&self) -> BlueskySettings {
        BlueskySettings {
            server: self.base().clone(),
            handle: HANDLE.into(),
            password: Secret::new(held(&self.inner.world).password.clone()),
            app: self.base().clone(),
            http: HttpSettings::loopback(),
        }
    }

    /// Somebody writes, perhaps as an answer.
    pub fn post(&self, did: &str, text: &str, parent: Option<&str>) -> String {
        held(&self.inner.world).add(did, text, parent, None, self.inner.now())
    }

    /// Somebody writes, with a date of their own choice.
    pub fn post_dated(&self, did: &str, text: &str, parent: Option<&str>, date: &str) -> String {
        let uri = self.post(did, text, parent);
        let date = |post: &mut world::Post| post.record["createdAt"] = date.into();
        held(&self.inner.world).change(&uri, date);
        uri
    }

    /// Somebody blocks the account.
    pub fn block(&self, did: &str) {
        held(&self.inner.world).blocks.insert(did.to_owned());
    }

    /// From now on looking up anything with this in its address fails.
    pub fn break_look_up(&self, part: &str, status: u16) {
        held(&self.inner.world).broken.push((part.to_owned(), status));
    }

    /// Somebody writes about another post.
    pub fn quote(&self, did: &str, text: &str, quoted: &str) -> String {
        held(&self.inner.world).add(did, text, None, Some(quoted), self.inner.now())
    }

    /// A post of the account's with so many answers, and as many that name it.
    pub fn fill(&self, n: usize) {
        let post = self.post(ME, "Badet öppnar", None);
        for i in 0..n {
            self.post(KIM, &format!("Kommentar {i}"), Some(&post));
            self.post(KIM, &format!("@{HANDLE} nummer {i}"), None);
        }
    }

    /// The record that tells who may answer under a post, and which answers are hidden.
    pub fn gate(&self, post: &str) -> Option<Value> {
        held(&self.inner.world).gate(post).map(|record| record.value.clone())
    }

    /// Sets it, as somebody does in the app.
    pub fn set_gate(&self, post: &str, value: Value) {
        held(&self.inner.world).set_gate(post, value);
    }

    /// Before the next change of a record somebody else changes it.
    pub fn interfere(&self, times: usize) {
        held(&self.inner.world).interfere = times;
    }

    /// A post's record as it stands.
    pub fn record(&self, uri: &str) -> Option<Value> {
        held(&self.inner.world).find(uri).map(|post| post.record.clone())
    }

    /// Puts anything in the place of what a post is shown as.
    pub fn damage(&self, uri: &str, record: Value) {
        held(&self.inner.world).change(uri, |post| post.record = record);
    }

    /// Adds to a post's record, as its author's program may.
    pub fn amend(&self, uri: &str, field: &str, value: Value) {
        held(&self.inner.world).change(uri, |post| {
            post.record[field] = value;
            post.revision += 1;
        });
    }

    /// The tokens handed out so far run out; the later ones can be renewed.
    pub fn expire(&self) {
        held(&self.inner.world).tokens.expire();
    }

    /// Nothing but the password counts any more.
    pub fn forget_sessions(&self) {
        held(&self.inner.world).tokens.forget();
    }

    /// The password is taken back.
    pub fn revoke_password(&self) {
        held(&self.inner.world).password = "ett annat".into();
    }

    /// What was reported last.
    pub fn report(&self) -> Option<Value> {
        held(&self.inner.world).reports.last().cloned()
    }

    /// The limit is filled up.
    pub fn refill(&self) {
        held(&self.inner.world).left = self.inner.options.limit;
    }

    /// Lets the next calls fail.
    pub fn fail_next(&self, fault: Fault, times: usize) {
        self.inner.front.fail_next(fault, times);
    }

    /// What stands around its calls: what goes wrong, and what came in.
    pub fn front(&self) -> &Front {
        &self.inner.front
    }

    /// Method and name of every call so far.
    pub fn calls(&self) -> Vec<String> {
        self.inner.front.calls()
    }
}

#[async_trait]
impl conformance::World for Simulator {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        let world = held(&self.inner.world);
        // All of them answer, name or quote the account, except its own posts.
        let all = world.posts().filter(|post| post.did != ME || post.parent().is_some());
        all.map(|post| (PlatformItemId::new(post.uri.as_str()), Some(post.text().to_owned())))
            .collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let first = held(&self.inner.world).posts().next().map(|post| post.uri.clone());
        let parent = parent.map(|id| id.as_str().to_owned()).or(first);
        PlatformItemId::new(self.post(KIM, text, parent.as_deref()))
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        let change = |post: &mut world::Post| {
            post.record["text"] = text.into();
            post.revision += 1;
        };
        held(&self.inner.world).change(id.as_str(), change);
    }

    async fn remove(&self, id: &PlatformItemId) {
        held(&self.inner.world).remove(id.as_str());
    }
}

async fn answer(inner: Arc<Inner>, call: Call) -> Response {
    let names_a_page = call.query_by_name().contains_key("cursor");
    let fault = inner.front.receive(&call, names_a_page, inner.clock.now()).await;
    let mut answer = match fault.and_then(|fault| answers::refusal(fault, inner.clock.now())) {
        Some(answer) => answer,
        None => answers::answer(&inner, &call),
    };
    if fault == Some(Fault::LostAnswer) {
        // A gateway that lost the answer says so in its own words.
        return answers::gateway_page();
    }
    let list =
        if call.uri.path().ends_with("listNotifications") { "notifications" } else { "feed" };
    let body = answer.take_body();
    answer.into_response(inner.front.send(&call, list, fault, body))
}
