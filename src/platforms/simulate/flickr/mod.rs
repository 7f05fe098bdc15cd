//! Flickr's calls for an account's photos and their comments as the `platforms` sheet has them (section 13),
//! over HTTP on loopback: signed calls, failures with success, comments in one piece, and a page for people.

mod answers;

use axum::response::Response;
use url::Url;

use crate::platforms::held;
use crate::platforms::http::{HttpSettings, below};
use crate::platforms::settings::FlickrSettings;
use crate::platforms::simulate::page::{self, Owner};
use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::{self, Play, Stage, Turned};
use crate::platforms::simulate::world::Comment;
use crate::runtime::secret::Secret;

/// The simulated account.
const USER: &str = "99999999@N01";
const NAME: &str = "Exempelstads kommun (simulerad)";
const OWNER: Owner = Owner { platform: "flickr", name: NAME, nobody: "Flickr-användare" };

const API_KEY: &str = "simulerad-app";
const API_SECRET: &str = "simulerad-apphemlighet";
const TOKEN: &str = "simulerad-nyckel";
const TOKEN_SECRET: &str = "simulerad-nyckelhemlighet";

/// What can be chosen at the beginning.
#[derive(Clone, Debug)]
pub struct Own {
    /// How many photos a page has at the most, whatever is asked for.
    pub page: usize,
    /// Whether the owner of a photo may delete what others wrote under it. Nobody has confirmed either.
    pub owner_deletes: bool,
    /// What the login may do, in the platform's words.
    pub perms: &'static str,
}

impl Default for Own {
    fn default() -> Self {
        Self { page: 500, owner_deletes: true, perms: "write" }
    }
}

/// How a simulator is begun.
pub type Options = stage::Options<Own>;

/// A running simulator; ends when dropped.
pub type Simulator = stage::Simulator<Flickr>;

/// What Flickr has of its own.
#[derive(Debug)]
pub struct Flickr;

/// What is true beside what was written.
#[derive(Debug, Default)]
pub struct State {
    /// Signatures that were shown: each is good once.
    nonces: std::collections::BTreeSet<String>,
}

impl Simulator {
    /// What a connector needs to use it.
    pub fn settings(&self) -> FlickrSettings {
        FlickrSettings {
            base: self.base().clone(),
            site: self.site(),
            user_id: USER.into(),
            api_key: API_KEY.into(),
            api_secret: Secret::new(API_SECRET),
            token: Secret::new(TOKEN),
            token_secret: Secret::new(TOKEN_SECRET),
            http: HttpSettings::loopback(),
        }
    }

    fn site(&self) -> Url {
        below(self.base(), "photos/", &[])
    }
}

fn name(post: u64, number: u64) -> String {
    format!("9001-{post}-{number}")
}

/// Nought, which nothing has, for what is no name.
fn number(name: &str) -> u64 {
    name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Play for Flickr {
    const PLATFORM: &'static str = "flickr";
    const LIST: &'static str = "photos/photo";
    const IS_FLAT: bool = true;
    type Own = Own;
    type State = State;

    fn id(comment: &Comment) -> String {
        name(comment.post, comment.number)
    }

    fn number(id: &str) -> u64 {
        number(id)
    }

    fn names_a_page(call: &Call) -> bool {
        call.query_by_name().get("page").is_some_and(|page| page != "1")
    }

    fn page(stage: &Stage<Self>, call: &Call) -> Option<Response> {
        let rest = call.uri.path().strip_prefix("/photos/")?;
        let photo = rest.trim_end_matches('/').rsplit('/').next()?;
        let world = held(&stage.world);
        Some(page::render(OWNER, &world, stage.now(), photo.parse().ok(), |_| false))
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
}
