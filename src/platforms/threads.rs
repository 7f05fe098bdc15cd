//! Which threads to open: a listing tells how many answers stand under a post, and a thread is read
//! when that number moved, the more often the younger it is, and now and then in any case, since
//! one answer may go while another comes and edits move no number.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::platforms::position::is_due;
use crate::platforms::reach::Reach;

/// How old our own posts are that are listed, by the walk's reach.
const POSTS_NEAR: SignedDuration = SignedDuration::from_hours(24 * 2);
const POSTS_MIDDLE: SignedDuration = SignedDuration::from_hours(24 * 14);
const POSTS_FAR: SignedDuration = SignedDuration::from_hours(24 * 90);

/// How often the thread under a post is read although its number of answers did not move: that
/// counts only direct ones, and no edits.
const YOUNG_EVERY: SignedDuration = SignedDuration::from_mins(5);
const GROWN_EVERY: SignedDuration = SignedDuration::from_hours(1);
const OLD_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// A post not opened for so long is no longer listed.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24 * 3);

/// So many threads are remembered before no more answers of others are opened by themselves: how many
/// claim to have something below them is for other servers to say. Our own posts always are.
const MOST_THREADS: usize = 3_000;

/// So many threads wait to be opened at a time.
pub const MOST_QUEUED: usize = 500;

/// What is missing where there are more.
pub const TOO_MANY_THREADS: &str =
    "Svar under mycket många kommentarer läses inte. Gå igenom de största trådarna på plattformen.";

/// How far behind the newest notification a walk goes on, by its reach.
const OVERLAP_NEAR: SignedDuration = SignedDuration::from_mins(15);
const OVERLAP_MIDDLE: SignedDuration = SignedDuration::from_hours(24);
const OVERLAP_FAR: SignedDuration = SignedDuration::from_hours(24 * 14);

pub const fn age_of_posts(reach: Reach) -> SignedDuration {
    match reach {
        Reach::Near => POSTS_NEAR,
        Reach::Middle => POSTS_MIDDLE,
        Reach::Far => POSTS_FAR,
    }
}

pub const fn overlap(reach: Reach) -> SignedDuration {
    match reach {
        Reach::Near => OVERLAP_NEAR,
        Reach::Middle => OVERLAP_MIDDLE,
        Reach::Far => OVERLAP_FAR,
    }
}

/// What is known of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// How many direct answers there were when it was last opened.
    count: Option<u64>,
    opened: Timestamp,
}

/// A post as a listing tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    pub id: &'a str,
    /// How many direct answers stand under it.
    pub count: Option<u64>,
    pub written: Option<Timestamp>,
    /// Nothing under it that counts; it may have answers that do not.
    pub is_bare: bool,
}

/// The threads that were opened. Part of a stored position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Threads(BTreeMap<String, Known>);

impl Threads {
    /// Whether the thread under a listed post is to be opened.
    pub fn is_to_open(&self, post: Listed<'_>, reach: Reach, now: Timestamp) -> bool {
        let age = post.written.map(|at| now.duration_since(at));
        let is_younger = |than: SignedDuration| age.is_none_or(|age| age < than);
        let Some(known) = self.0.get(post.id) else {
            return !post.is_bare || (reach != Reach::Near && is_younger(POSTS_MIDDLE));
        };
        let moved = post.count.is_some() && post.count != known.count;
        let every = if is_younger(POSTS_NEAR) {
            YOUNG_EVERY
        } else if is_younger(POSTS_MIDDLE) {
            GROWN_EVERY
        } else {
            OLD_EVERY
        };
        moved || is_due(Some(known.opened), every, now)
    }

    /// Whether an answer under which more stands than was shown is to be opened by itself.
    pub fn has_unread(&self, id: &str, count: Option<u64>, now: Timestamp) -> bool {
        match self.0.get(id) {
            None => !self.is_full(),
            Some(known) => known.count != count || is_due(Some(known.opened), OLD_EVERY, now),
        }
    }

    /// Whether others' answers that were not opened before are left alone.
    pub fn is_full(&self) -> bool {
        self.0.len() >= MOST_THREADS
    }

    pub fn opened(&mut self, id: &str, count: Option<u64>, now: Timestamp) {
        self.0.insert(id.to_owned(), Known { count, opened: now });
    }

    /// It is gone from the platform.
    pub fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Forgets what is no longer listed. Only at the end of a walk that reached far.
    pub fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, known| !is_due(Some(known.opened), FORGOTTEN, now));
    }
}
