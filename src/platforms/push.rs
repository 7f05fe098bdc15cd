//! What platforms and own sites push to us.
//!
//! A push is a hint: it comes doubled, late, out of order, or not at all. Apart from own sites,
//! which push whole items, a hint is followed by [`Platform::read_live`], and the poll goes on in
//! any case (`platforms` sheet, section 1.8). One source stands behind one address; where an app
//! serves several accounts (Meta, X, TikTok), each hint names the account.
//!
//! [`Platform::read_live`]: crate::platforms::Platform::read_live

use jiff::Timestamp;

use crate::domain::account::PlatformKind;
use crate::domain::ids::{ContentHash, PlatformItemId};
use crate::domain::item::{FetchedItem, FetchedPost, Unreadable};
use crate::evidence::warrant::ItemAddress;
use crate::runtime::secret::Secret;

/// Why an account of a platform that pushes is not told by it.
pub const NO_PUSHES: &str = "appens hemlighet (webhook_secret) saknas i inställningarna; Uppsikt frågar plattformen i stället";

/// Where a platform is to push, and what it knows the app by that asks for it.
#[derive(Clone, Debug)]
pub struct Callback {
    /// Our address, as the platform reaches it.
    pub url: url::Url,
    /// The app's secret, which pushes are signed with.
    pub secret: Secret,
    /// The app's own name, where the platform asks for it (LinkedIn).
    pub app: Option<String>,
    /// The person behind the connection, where the platform asks for it (LinkedIn).
    pub person: Option<String>,
    /// The app's own token, where the platform asks for it (X).
    pub token: Option<Secret>,
}

/// What came of asking a platform to push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscribed {
    /// It pushes to us, since now or since before.
    Yes,
    /// It is set up on the platform's own pages, or the settings lack what asking takes.
    ByHand,
}

/// A push as it came in over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct PushRequest<'a> {
    /// Header names in lower case, with their values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, byte for byte: signatures are over these bytes.
    pub body: &'a [u8],
}

impl PushRequest<'_> {
    /// The first header of this name (given in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }
}

/// What one push tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A whole item, or a new version of one.
    Item(Box<FetchedItem>),
    /// Something happened to this item: read it.
    Look(ItemAddress),
    /// Something happened that has no address of its own: read the account's lists.
    Poll,
    /// The item was deleted, and its text did not come along.
    Gone(PlatformItemId),
}

/// One thing that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The platform's identity of the account concerned; `None` where the address serves one.
    pub account: Option<String>,
    /// What is told.
    pub told: News,
    /// The post it stands under, where the push describes it.
    pub post: Option<FetchedPost>,
}

/// All that one push held, in its order: things told and things that could not be read.
pub type Push = Vec<Result<Pushed, Unreadable>>;

/// Why a push is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushRefused {
    /// The signature is missing or malformed.
    #[error("the signature header is missing or malformed: {problem}")]
    NoSignature {
        /// What is wrong with it and how to mend it.
        problem: &'static str,
    },
    /// The signature is not over these bytes with a secret of ours.
    #[error("the signature does not match the body")]
    WrongSignature,
    /// The signature is too old or from the future.
    #[error(
        "the signature's time is off by {off_by_s} seconds, at most {most_s} are accepted: check the sender's clock"
    )]
    OffTime {
        /// By how much.
        off_by_s: i64,
        /// What would be accepted.
        most_s: i64,
    },
    /// The body as a whole has not the agreed shape.
    #[error("{problem}")]
    Shape {
        /// Field or place, and how to mend it. Never holds content.
        problem: String,
    },
}

/// Something that pushes to us.
pub trait PushSource: Send + Sync + 'static {
    /// Which platform.
    fn kind(&self) -> PlatformKind;

    /// The platform's identity of the account behind this address; `None` where nothing pushed names one.
    fn account(&self) -> Option<&str> {
        None
    }

    /// A mark of the app that pushes: what names another account goes to the one with the same app.
    fn app(&self) -> Option<String> {
        None
    }

    /// Where the platform is to push, where it can be asked for that.
    fn callback(&self) -> Option<&Callback> {
        None
    }

    /// By what the same push is known when it comes again; `None` where it does not tell and should.
    fn delivery(&self, request: PushRequest<'_>) -> Option<String>;

    /// Answers the platform's question whether this address is ours (Meta's `hub.challenge`, X's
    /// `crc_token`…): the body to send back. `None` where the question is not understood or not
    /// meant for us, which is answered with 403.
    fn handshake(&self, query: &[(&str, &str)]) -> Option<String>;

    /// Checks the signature and reads the body.
    ///
    /// # Errors
    /// [`PushRefused`] when nothing of the push may be used.
    fn receive(&self, request: PushRequest<'_>, now: Timestamp) -> Result<Push, PushRefused>;

    /// The hash of what was signed: the same push sent again has the same, under whatever identity.
    fn signed(&self, request: PushRequest<'_>) -> ContentHash;
}
