//! Limits on login tries: per network, per user name from one network, and per user name at large.
//!
//! The tight limit on a name counts one network's tries alone, so that nobody can lock a colleague
//! out from elsewhere. The limit on a name at large is wide: it stops guessing from many networks.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::domain::ids::ContentHash;

/// Tries an address may make at once; a municipality's people often share one.
const ADDRESS_BURST: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// One more try for the address each.
const ADDRESS_EVERY: Duration = Duration::from_secs(6);
/// Tries for one name at once from one network.
const NAME_BURST: NonZeroU32 = NonZeroU32::new(8).unwrap();
/// One more try for the name from that network each. Slow enough for guessing to be hopeless.
const NAME_EVERY: Duration = Duration::from_secs(30);
/// Tries for one name at once from all networks together: far more than one attacker's network
/// can use up, since it is stopped at [`NAME_BURST`].
const ANYWHERE_BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// One more try for the name from anywhere each.
const ANYWHERE_EVERY: Duration = Duration::from_secs(10);
/// When more keys than this are remembered, those long quiet are forgotten.
const TIDY_AT: usize = 10_000;

type Limiter<K, C> =
    RateLimiter<K, DefaultKeyedStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Too many tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many login tries, the next is taken in {retry_after_s} s")]
pub struct Throttled {
    /// Seconds until the next try is taken, at least one.
    pub retry_after_s: u64,
}

/// Counts login tries. Ask it before the password is checked, since checking is the costly part.
pub struct LoginThrottle<C: Clock = DefaultClock> {
    by_address: Limiter<IpAddr, C>,
    by_name: Limiter<(ContentHash, IpAddr), C>,
    by_name_anywhere: Limiter<ContentHash, C>,
    /// How often each name has got in. A success begins a new count, so that only failures slow
    /// a person down. Grows by one entry a user.
    successes: Mutex<HashMap<ContentHash, u64>>,
    clock: C,
}

impl LoginThrottle<DefaultClock> {
    /// Counts by the machine's steady clock: its waits have nothing to do with the calendar.
    pub fn new() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl Default for LoginThrottle<DefaultClock> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock + Clone> LoginThrottle<C> {
    /// Counts by the given clock.
    pub fn with_clock(clock: C) -> Self {
        let quota = |every, burst| Quota::with_period(every).map(|quota| quota.allow_burst(burst));
        let by_address = quota(ADDRESS_EVERY, ADDRESS_BURST).expect("the period is not zero");
        let by_name = quota(NAME_EVERY, NAME_BURST).expect("the period is not zero");
        let anywhere = quota(ANYWHERE_EVERY, ANYWHERE_BURST).expect("the period is not zero");
        Self {
            by_address: RateLimiter::new(
                by_address,
                DefaultKeyedStateStore::default(),
                clock.clone(),
            ),
            by_name: RateLimiter::new(by_name, DefaultKeyedStateStore::default(), clock.clone()),
            by_name_anywhere: RateLimiter::new(
                anywhere,
                DefaultKeyedStateStore::default(),
                clock.clone(),
            ),
            successes: Mutex::default(),
            clock,
        }
    }

    /// Counts a try by `name` from `address`.
    ///
    /// # Errors
    /// [`Throttled`] where there have been too many; the try must then not be carried out.
    pub fn check(&self, address: IpAddr, name: &str) -> Result<(), Throttled> {
        self.tidy();
        // Names are kept as hashes: somebody may type a password in the wrong field.
        let name = self.counted(key(name));
        let now = self.clock.now();
        let throttled = |wait: Duration| {
            let part = u64::from(wait.subsec_nanos() > 0);
            Throttled { retry_after_s: (wait.as_secs() + part).max(1) }
        };
        let network = network(address);
        // In this order: a try that its own network's limit refuses uses up nobody else's.
        self.by_address
            .check_key(&network)
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))?;
        self.by_name
            .check_key(&(name, network))
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))?;
        self.by_name_anywhere
            .check_key(&name)
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))
    }

    /// Notes that a name got in: its failures so far no longer count.
    pub fn succeeded(&self, name: &str) {
        let mut successes = self.successes.lock().unwrap_or_else(PoisonError::into_inner);
        *successes.entry(key(name)).or_default() += 1;
    }

    /// What tries at a name are counted under since it last got in.
    fn counted(&self, name: ContentHash) -> ContentHash {
        let successes = self.successes.lock().unwrap_or_else(PoisonError::into_inner);
        match successes.get(&name) {
            Some(n) => ContentHash::of(format!("{name} {n}").as_bytes()),
            None => name,
        }
    }

    fn tidy(&self) {
        if self.by_address.len() > TIDY_AT {
            self.by_address.retain_recent();
        }
        if self.by_name.len() > TIDY_AT {
            self.by_name.retain_recent();
        }
        if self.by_name_anywhere.len() > TIDY_AT {
            self.by_name_anywhere.retain_recent();
        }
    }
}

fn key(name: &str) -> ContentHash {
    ContentHash::of(name.trim().to_lowercase().as_bytes())
}

/// An IPv6 subscriber owns at least a whole /64, and could otherwise be a new address at every
/// try.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => {
                let mut segments = v6.segments();
                segments[4..].fill(0);
                IpAddr::from(segments)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn guessing_one_name_is_slowed_for_that_network_alone() {
        let clock = FakeRelativeClock::default();
        let throttle = LoginThrottle::with_clock(clock.clone());
        for _ in 0..8 {
            throttle.check(address("192.0.2.1"), "Kim").unwrap();
        }
        for _ in 0..10 {
            let refused = throttle.check(address("192.0.2.1"), " kim ").unwrap_err();
            assert!((1..=30).contains(&refused.retry_after_s), "{refused}");
        }
        throttle.check(address("192.0.2.2"), "kim").unwrap();
        throttle.check(address("192.0.2.1"), "sam").unwrap();
        clock.advance(Duration::from_secs(31));
        throttle.check(address("192.0.2.1"), "kim").unwrap();
    }

    #[test]
    fn guessing_one_name_from_many_networks_is_slowed() {
        let throttle = LoginThrottle::with_clock(FakeRelativeClock::default());
        for n in 0..100 {
            throttle.check(address(&format!("192.0.2.{n}")), "kim").unwrap();
        }
        throttle.check(address("192.0.2.200"), "kim").unwrap_err();
        throttle.check(address("192.0.2.200"), "sam").unwrap();
    }

    #[test]
    fn a_success_begins_a_new_count() {
        let throttle = LoginThrottle::with_clock(FakeRelativeClock::default());
        for _ in 0..40 {
            for _ in 0..4 {
                throttle.check(address("2001:db8::1"), "kim").ok();
            }
            throttle.succeeded("kim");
        }
        throttle.check(address("192.0.2.1"), "kim").unwrap();
    }

    #[test]
    fn guessing_many_names_from_one_network_is_slowed() {
        let throttle = LoginThrottle::with_clock(FakeRelativeClock::default());
        for n in 0..20 {
            throttle.check(address(&format!("2001:db8::{n}")), &format!("namn{n}")).unwrap();
        }
        throttle.check(address("2001:db8::ffff"), "kim").unwrap_err();
        throttle.check(address("2001:db8:0:1::1"), "kim").unwrap();
        throttle.check(address("192.0.2.1"), "kim").unwrap();
    }
}
