//! How often an account is read: as the settings say while something happens there, and more seldom the longer
//! nothing has. A platform that pushes is read at once all the same, and what the policy lets pass between two
//! looks holds two of ours however quiet a page is.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::breaker;
use crate::domain::ids::AccountId;
use crate::domain::item::Batch;

use super::{Served, Services};

/// A post of ours younger than this draws comments: its page is not quiet.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// After so long without anything new the interval is doubled, and after so much longer doubled again.
const QUIET: SignedDuration = SignedDuration::from_hours(24 * 3);
const VERY_QUIET: SignedDuration = SignedDuration::from_hours(24 * 14);

/// Nothing makes an interval longer than this that was shorter.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// When something last happened on each account. In memory alone: who starts anew takes every page for a lively
/// one.
#[derive(Debug, Default)]
pub(super) struct Stirred(Mutex<BTreeMap<AccountId, Timestamp>>);

impl Stirred {
    /// Notes what one step told; `n_new` is how much of it was not known.
    pub fn note(&self, account: AccountId, post: Option<Timestamp>, n_new: u32, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = post.is_some_and(|at| now.duration_since(at) < FRESH);
        let last = all.entry(account).or_insert(now);
        if is_fresh || n_new > 0 {
            *last = now;
        }
    }

    /// For how long nothing has happened there; nought where nothing is known.
    pub fn quiet_for(&self, account: AccountId, now: Timestamp) -> SignedDuration {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&account).map_or(SignedDuration::ZERO, |last| now.duration_since(*last))
    }
}

/// The newest of the account's own posts that a step told of.
pub(super) fn newest_post(batch: &Batch) -> Option<Timestamp> {
    batch.posts.iter().filter_map(|post| post.created_at).max()
}

/// The interval of a page that has been quiet for so long. `ceiling` is what the policy leaves.
fn stretched(interval: Duration, quiet: SignedDuration, ceiling: Duration) -> Duration {
    let times = match quiet {
        quiet if quiet >= VERY_QUIET => 4,
        quiet if quiet >= QUIET => 2,
        _ => 1,
    };
    // What the settings say is never shortened.
    (interval * times).min(LONGEST).min(ceiling).max(interval)
}

impl Services {
    /// How long until an account is read again.
    pub(super) fn pace_of(&self, served: &Served, now: Timestamp) -> Duration {
        let (account, interval) = (served.account.id, self.interval_of(served));
        if self.crisis_of(account).is_some() {
            return interval;
        }
        let within = self.policy_of(account).duties.watching.gap_min(false);
        let ceiling = breaker::ceiling(within.map(|min| SignedDuration::from_mins(min.into())));
        let ceiling = Duration::try_from(ceiling).unwrap_or(LONGEST);
        stretched(interval, self.inner.stirred.quiet_for(account, now), ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_pages_are_read_more_seldom_and_never_past_the_policys_ceiling() {
        let minute = Duration::from_secs(60);
        let of = |minutes: u32, days: i64, ceiling: u32| {
            let quiet = SignedDuration::from_hours(24 * days);
            stretched(minute * minutes, quiet, minute * ceiling).as_secs() / 60
        };
        for (minutes, days, ceiling, expected) in [
            (1, 0, 60, 1),
            (1, 2, 60, 1),
            (1, 3, 60, 2),
            (1, 13, 60, 2),
            (1, 14, 60, 4),
            (1, 1_000, 60, 4),
            (5, 30, 60, 15),
            (5, 30, 7, 7),
            // Settings that are slower than either stand.
            (60, 30, 60, 60),
            (10, 30, 5, 10),
        ] {
            assert_eq!(of(minutes, days, ceiling), expected, "{minutes} {days} {ceiling}");
        }
    }

    #[test]
    fn what_is_new_and_a_fresh_post_wake_a_page() {
        let (stirred, account) = (Stirred::default(), AccountId(1));
        let start: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        let day = |n: i64| start + SignedDuration::from_hours(24 * n);
        assert_eq!(stirred.quiet_for(account, day(50)), SignedDuration::ZERO, "nothing is known");
        stirred.note(account, Some(day(-40)), 0, start);
        assert_eq!(stirred.quiet_for(account, day(5)), SignedDuration::from_hours(120));
        stirred.note(account, Some(day(-40)), 0, day(5));
        assert_eq!(stirred.quiet_for(account, day(6)), SignedDuration::from_hours(144));
        stirred.note(account, None, 1, day(6));
        assert_eq!(stirred.quiet_for(account, day(7)), SignedDuration::from_hours(24));
        stirred.note(account, Some(day(19)), 0, day(19) + SignedDuration::from_hours(1));
        assert_eq!(stirred.quiet_for(account, day(20)), SignedDuration::from_hours(23));
    }
}
