//! What a platform's own limit leaves us: background reading stops before it is used up, so that
//! editors can still act.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::held;
use crate::platforms::http::Answer;

/// Background reading leaves this part of what the platform allows to editors' acts.
const KEPT_FOR_ACTS: u64 = 10;

/// No limit of a platform's lasts longer.
const LONGEST_LIMIT: SignedDuration = SignedDuration::from_hours(24);

/// What the platform said of its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub limit: u64,
    pub left: u64,
    /// When it is filled up again.
    pub until: Timestamp,
}

/// What it said last; those made of one are the same.
#[derive(Clone, Debug, Default)]
pub struct Allowance(Arc<Mutex<Option<Said>>>);

impl Allowance {
    /// Remembers what an answer told, where it told anything.
    pub fn note(&self, said: Option<Said>) {
        if said.is_some() {
            *held(&self.0) = said;
        }
    }

    /// Whether background reading may go on.
    pub fn may_read_on(&self, now: Timestamp) -> Result<(), PlatformError> {
        match *held(&self.0) {
            Some(Said { limit, left, until })
                if until > now && left.saturating_mul(KEPT_FOR_ACTS) < limit =>
            {
                Err(left_to_editors(until))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What background reading is answered until then. Only this kind of call: what is left of the
/// limit belongs to editors.
pub fn left_to_editors(until: Timestamp) -> PlatformError {
    PlatformError::Throttled {
        until,
        lane: Lane::Call,
        detail: "nine tenths of the limit are used".into(),
    }
}

/// A time from a header, as far as it is believed: never in the past, at most a day ahead.
pub fn believed(at: Timestamp, answer: &Answer) -> Timestamp {
    let latest = answer.at.saturating_add(LONGEST_LIMIT).unwrap_or(at);
    at.clamp(answer.at, latest)
}

/// The answer to a call that came too often: the later of what its headers name, or a long wait
/// where they name nothing.
pub fn throttled(answer: &Answer, reset: Option<Timestamp>) -> PlatformError {
    PlatformError::Throttled {
        until: answer.retry_after().max(reset).unwrap_or_else(|| answer.after_a_long_wait()),
        lane: Lane::Account,
        detail: "HTTP 429".into(),
    }
}
