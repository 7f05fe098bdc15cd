//! What simulators that follow a script have in common: a world, what goes wrong, and a server.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::domain::ids::PlatformItemId;
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::server::{Call, CannotStart, Front, Port, Server};
use crate::platforms::simulate::world::{Comment, World};
use crate::platforms::{conformance, held};
use crate::runtime::clock::Clock;

/// What the numbers of posts and comments begin with, which short ids leave out.
pub const POSTS_FROM: u64 = 111_000_000_000_000;
pub const COMMENTS_FROM: u64 = 222_000_000_000_000;

/// Why a call is turned away unread. Limits are told in minutes until their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The app calls too much.
    App(u32),
    /// The account is called too much.
    Account(u32),
    /// The token is used too much.
    Token(u32),
    /// The token has run out.
    Expired,
    /// The platform is ill.
    Ill,
    /// The place in a list is not known.
    LostPlace,
    /// This very thing is not given to us.
    Refused,
}

impl Turned {
    const fn by(fault: Fault) -> Option<Self> {
        match fault {
            Fault::AppLimit { minutes } => Some(Self::App(minutes)),
            Fault::PageLimit { minutes } => Some(Self::Account(minutes)),
            Fault::TokenLimit { minutes } => Some(Self::Token(minutes)),
            Fault::ExpiredToken => Some(Self::Expired),
            Fault::ServerError => Some(Self::Ill),
            Fault::CursorInvalid => Some(Self::LostPlace),
            Fault::HtmlPage
            | Fault::BrokenJson
            | Fault::Slow(_)
            | Fault::LostAnswer
            | Fault::DuplicatePage
            | Fault::Late { .. }
            | Fault::ClockSkew { .. } => None,
        }
    }
}

/// What one platform has of its own.
pub trait Play: Debug + Send + Sync + Sized + 'static {
    /// How its answers are labelled.
    const PLATFORM: &'static str;

    /// The list of elements in its pages: names, with a slash between.
    const LIST: &'static str;

    /// What somebody who writes there is called.
    const SOMEBODY: &'static str = "Kim Exempel";

    /// Whether nothing answers anything there: what is written under a comment stands beside it.
    const IS_FLAT: bool = false;

    /// What can be chosen at the beginning.
    type Own: Clone + Debug + Default + Send + Sync;

    /// What is true beside what was written.
    type State: Debug + Default + Send;

    /// The platform's name for a comment.
    fn id(comment: &Comment) -> String;

    /// The number in a name; nought, which no comment has, for what has none.
    fn number(id: &str) -> u64;

    /// Whether a call asks for some later page of a list.
    fn names_a_page(call: &Call) -> bool;

    /// A page for people, where the call asks for one.
    fn page(stage: &Stage<Self>, call: &Call) -> Option<Response>;

    /// The answer of a call that is turned away unread.
    fn turned_away(why: Turned) -> Reply;

    fn answer(stage: &Stage<Self>, call: &Call) -> Reply;

    /// Puts on what headers tell of limits.
    fn dress(_: &Stage<Self>, reply: Reply) -> Reply {
        reply
    }

    /// Whether a comment that was not deleted is there to nobody all the same.
    fn is_away(_: &Self::State, _: &Comment) -> bool {
        false
    }

    /// What is there beside comments: messages by their ids.
    fn messages(_: &Stage<Self>) -> BTreeMap<PlatformItemId, Option<String>> {
        BTreeMap::new()
    }
}

/// How a simulator is begun.
#[derive(Clone, Debug)]
pub struct Options<O> {
    /// What happens.
    pub script: Script,
    /// What goes wrong.
    pub faults: Faults,
    /// Where to listen; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// Keeps what was done over restarts.
    pub journal: Option<PathBuf>,
    /// What this platform lets one choose.
    pub own: O,
}

impl<O: Default> Options<O> {
    /// On a free port, without faults, forgetting everything at the end.
    pub fn new(script: Script) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { script, faults: Faults::none(), listen, journal: None, own: O::default() }
    }
}

/// What stands behind the server. Whoever needs state and world takes them in this order.
#[derive(Debug)]
pub struct Stage<P: Play> {
    pub state: Mutex<P::State>,
    pub world: Mutex<World>,
    pub front: Front,
    pub clock: Clock,
    pub own: P::Own,
    /// `http://`, address and port.
    pub origin: String,
}

impl<P: Play> Stage<P> {
    /// The platform's own time.
    pub fn now(&self) -> Timestamp {
        self.clock.now() + self.front.skew()
    }
}

/// A running simulator; ends when dropped.
#[derive(Debug)]
pub struct Simulator<P: Play> {
    pub(in crate::platforms::simulate) stage: Arc<Stage<P>>,
    server: Server,
}

impl<P: Play> Simulator<P> {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`CannotStart`], each with its mend.
    pub async fn start(options: Options<P::Own>, clock: Clock) -> Result<Self, CannotStart> {
        let port = Port::open(options.listen).await?;
        let mut script = options.script;
        if P::IS_FLAT {
            script.comments.iter_mut().for_each(|comment| comment.parent = None);
        }
        let world = World::open(script, clock.now(), options.journal.as_deref())
            .map_err(CannotStart::Journal)?;
        let stage = Arc::new(Stage {
            state: Mutex::default(),
            world: Mutex::new(world),
            front: Front::new(options.faults),
            clock,
            own: options.own,
            origin: port.origin(),
        });
        let answering = Arc::clone(&stage);
        let server = port.serve(move |call| answer(Arc::clone(&answering), call));
        Ok(Self { stage, server })
    }

    /// Where it answers.
    pub fn base(&self) -> &Url {
        self.server.base()
    }

    /// Every comment written until now, as it stands, deleted ones included.
    pub fn truth(&self) -> Vec<Comment> {
        held(&self.stage.world).comments(self.stage.now())
    }

    /// Somebody writes under the first post, or answers a comment.
    pub fn write(&self, name: &str, text: &str, parent: Option<u64>) -> u64 {
        let now = self.stage.now();
        let mut world = held(&self.stage.world);
        let above = world.comments(now).into_iter().find(|comment| Some(comment.number) == parent);
        let post = above.map_or_else(|| world.posts()[0].number, |comment| comment.post);
        world.add(post, parent.filter(|_| !P::IS_FLAT), Some(name), text, now)
    }

    /// Somebody writes under this post, counted from nought.
    pub fn write_under(&self, post: usize, name: &str, text: &str) -> u64 {
        let now = self.stage.now();
        let mut world = held(&self.stage.world);
        let post = world.posts()[post].number;
        world.add(post, None, Some(name), text, now)
    }

    /// Lets the next calls fail.
    pub fn fail_next(&self, fault: Fault, times: usize) {
        self.stage.front.fail_next(fault, times);
    }

    /// What stands around its calls: what goes wrong, and what came in.
    pub fn front(&self) -> &Front {
        &self.stage.front
    }

    /// Method and path of every call so far, without the query.
    pub fn calls(&self) -> Vec<String> {
        self.stage.front.calls()
    }

    /// The id that the platform gives a comment.
    pub fn id(&self, number: u64) -> PlatformItemId {
        let all = self.truth();
        let comment = all.iter().find(|comment| comment.number == number);
        PlatformItemId::new(comment.map(P::id).unwrap_or_default())
    }
}

#[async_trait]
impl<P: Play> conformance::World for Simulator<P> {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        let mut all = P::messages(&self.stage);
        let comments = Self::truth(self);
        let state = held(&self.stage.state);
        let there = comments.into_iter().filter(|c| !c.deleted && !P::is_away(&state, c));
        all.extend(there.map(|c| (PlatformItemId::new(P::id(&c)), Some(c.text))));
        all
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let parent = parent.map(|id| P::number(id.as_str()));
        self.id(Self::write(self, P::SOMEBODY, text, parent))
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        let now = self.stage.now();
        held(&self.stage.world).edit(P::number(id.as_str()), text, now);
    }

    async fn remove(&self, id: &PlatformItemId) {
        held(&self.stage.world).delete(P::number(id.as_str()));
    }
}

async fn answer<P: Play>(stage: Arc<Stage<P>>, call: Call) -> Response {
    if let Some(page) = P::page(&stage, &call) {
        return page;
    }
    let names_a_page = P::names_a_page(&call);
    let fault = stage.front.receive(&call, names_a_page, stage.clock.now()).await;
    let reply = match fault {
        _ if stage.front.refuses(&call) => P::turned_away(Turned::Refused),
        Some(Fault::HtmlPage) => Reply::blocked(),
        fault => match fault.and_then(Turned::by) {
            Some(why) => P::turned_away(why),
            None => {
                held(&stage.world).show_late(stage.front.late());
                let reply = P::answer(&stage, &call);
                // What is true is true at once.
                held(&stage.world).show_late(SignedDuration::ZERO);
                reply
            }
        },
    };
    if fault == Some(Fault::LostAnswer) {
        // A gateway that lost the answer says so in its own words.
        let mut lost = Reply::gateway();
        let body = std::mem::take(&mut lost.body);
        return lost.into_response(P::PLATFORM, body.into_bytes());
    }
    let mut reply = P::dress(&stage, reply);
    let body = std::mem::take(&mut reply.body);
    reply.into_response(P::PLATFORM, stage.front.send(&call, P::LIST, fault, body))
}
