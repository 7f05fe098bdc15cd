//! How far back a walk goes: a little at most fetches, further once an hour, and far once a day.
//! What arrives late, or is edited without a word, is found so in the end.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::platforms::position::is_due;

const MIDDLE_EVERY: SignedDuration = SignedDuration::from_hours(1);
const FAR_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How far back a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    Near,
    Middle,
    Far,
}

/// When a walk last came to its end that reached so far. Part of a stored position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    #[serde(default)]
    middle: Option<Timestamp>,
    #[serde(default)]
    far: Option<Timestamp>,
}

impl Reached {
    /// How far the next walk goes.
    pub fn next(self, now: Timestamp) -> Reach {
        if is_due(self.far, FAR_EVERY, now) {
            Reach::Far
        } else if is_due(self.middle, MIDDLE_EVERY, now) {
            Reach::Middle
        } else {
            Reach::Near
        }
    }

    /// Notes a walk that has come to its end.
    pub fn note(&mut self, reach: Reach, now: Timestamp) {
        match reach {
            Reach::Near => {}
            Reach::Middle => self.middle = Some(now),
            Reach::Far => (self.middle, self.far) = (Some(now), Some(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_comes_once_a_day_and_counts_for_the_hour_too() {
        let start: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let at = |minutes| start + SignedDuration::from_mins(minutes);
        let mut reached = Reached::default();
        let mut walks = Vec::new();
        for minutes in [0, 59, 60, 61, 120, 24 * 60] {
            let reach = reached.next(at(minutes));
            reached.note(reach, at(minutes));
            walks.push(reach);
        }
        use Reach::{Far, Middle, Near};
        assert_eq!(walks, [Far, Near, Middle, Near, Middle, Far]);
    }
}
