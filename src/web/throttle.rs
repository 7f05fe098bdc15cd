//! Limits on login tries: per network and site, per user name from one network, and per user name at
//! large.
//!
//! The tight limit on a name counts one network's tries alone, so that nobody can lock a colleague
//! out from elsewhere. The limits on a name from a whole site and at large are wide: they stop guessing
//! from many networks. Networks from which the name has got in before are not held by those two, so
//! that a person at their usual desk gets in whatever others try.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::domain::ids::ContentHash;

/// Tries for one name at once from one network.
const NAME_BURST: NonZeroU32 = NonZeroU32::new(8).unwrap();
/// One more try for the name from that network each. Slow enough for guessing to be hopeless.
const NAME_EVERY: Duration = Duration::from_secs(30);
/// Tries for one name at once from one site, which has 65,536 networks to try from.
const SITE_BURST: NonZeroU32 = NonZeroU32::new(16).unwrap();
/// One more try for the name from that site each.
const SITE_EVERY: Duration = Duration::from_secs(30);
/// Tries for one name at once from all networks together: far more than one attacker's site
/// can use up, since it is stopped at [`SITE_BURST`].
const ANYWHERE_BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// One more try for the name from anywhere each.
const ANYWHERE_EVERY: Duration = Duration::from_secs(10);
/// An address may try for two minutes at once; a municipality's people often share one.
const ADDRESS_MINUTES_AT_ONCE: NonZeroU32 = NonZeroU32::new(2).unwrap();
/// A site may try as much as so many of its networks, whatever the names: it has 65,536 to try from.
const NETWORKS_OF_SITE: NonZeroU32 = NonZeroU32::new(4).unwrap();
/// Networks that are remembered for each name; a person has a desk, a home and a telephone.
const KNOWN_OF_ONE: usize = 16;
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
    by_site: Limiter<IpAddr, C>,
    by_name: Limiter<(ContentHash, IpAddr), C>,
    by_name_and_site: Limiter<(ContentHash, IpAddr), C>,
    by_name_anywhere: Limiter<ContentHash, C>,
    /// From where each name has got in, latest last, and how often. A success begins a new count for
    /// its own network: a person's failures there no longer count, an attacker's elsewhere do.
    /// Grows by one entry a user; forgotten when the program stops.
    known: Mutex<HashMap<ContentHash, VecDeque<(IpAddr, u64)>>>,
    clock: C,
}

impl LoginThrottle<DefaultClock> {
    /// Counts by the machine's steady clock: its waits have nothing to do with the calendar.
    /// `per_min` tries are taken from one address, whatever the names.
    pub fn new(per_min: NonZeroU32) -> Self {
        Self::with_clock(per_min, DefaultClock::default())
    }
}

impl<C: Clock + Clone> LoginThrottle<C> {
    /// Counts by the given clock.
    pub fn with_clock(per_min: NonZeroU32, clock: C) -> Self {
        let quota = |every, burst| {
            let quota = Quota::with_period(every).map(|quota| quota.allow_burst(burst));
            quota.expect("the period is not zero")
        };
        let at_once = per_min.saturating_mul(ADDRESS_MINUTES_AT_ONCE);
        let by_address = Quota::per_minute(per_min).allow_burst(at_once);
        let by_site = Quota::per_minute(per_min.saturating_mul(NETWORKS_OF_SITE))
            .allow_burst(at_once.saturating_mul(NETWORKS_OF_SITE));
        let by_name = quota(NAME_EVERY, NAME_BURST);
        let by_name_and_site = quota(SITE_EVERY, SITE_BURST);
        let anywhere = quota(ANYWHERE_EVERY, ANYWHERE_BURST);
        let (a, b) = (clock.clone(), clock.clone());
        Self {
            by_address: RateLimiter::new(by_address, DefaultKeyedStateStore::default(), a),
            by_site: RateLimiter::new(by_site, DefaultKeyedStateStore::default(), clock.clone()),
            by_name: RateLimiter::new(by_name, DefaultKeyedStateStore::default(), b),
            by_name_and_site: RateLimiter::new(
                by_name_and_site,
                DefaultKeyedStateStore::default(),
                clock.clone(),
            ),
            by_name_anywhere: RateLimiter::new(
                anywhere,
                DefaultKeyedStateStore::default(),
                clock.clone(),
            ),
            known: Mutex::default(),
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
        let name = key(name);
        let now = self.clock.now();
        let throttled = |wait: Duration| {
            let part = u64::from(wait.subsec_nanos() > 0);
            Throttled { retry_after_s: (wait.as_secs() + part).max(1) }
        };
        let network = network(address);
        let successes = self.successes(name, network);
        // In this order: a try that its own network's limit refuses uses up nobody else's.
        self.by_address
            .check_key(&network)
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))?;
        self.by_name
            .check_key(&(counted(name, successes), network))
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))?;
        if successes > 0 {
            return Ok(());
        }
        self.by_site
            .check_key(&site(network))
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))?;
        self.by_name_and_site
            .check_key(&(name, site(network)))
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))?;
        self.by_name_anywhere
            .check_key(&name)
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))
    }

    /// Counts a try from `address` whose name is not known yet: only where it comes from limits it.
    ///
    /// # Errors
    /// [`Throttled`] where there have been too many.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Throttled> {
        self.tidy();
        let (now, network) = (self.clock.now(), network(address));
        let throttled = |wait: Duration| Throttled { retry_after_s: wait.as_secs() + 1 };
        self.by_address
            .check_key(&network)
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))?;
        self.by_site
            .check_key(&site(network))
            .map_err(|not_until| throttled(not_until.wait_time_from(now)))
    }

    /// Notes that a name got in from an address: its failures from that network so far no longer
    /// count, and the network is known for it.
    pub fn succeeded(&self, address: IpAddr, name: &str) {
        let network = network(address);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let networks = known.entry(key(name)).or_default();
        let place = networks.iter().position(|(known, _)| *known == network);
        let successes = place.and_then(|place| networks.remove(place)).map_or(0, |(_, n)| n);
        networks.push_back((network, successes + 1));
        if networks.len() > KNOWN_OF_ONE {
            networks.pop_front();
        }
    }

    /// How often a name has got in from a network.
    fn successes(&self, name: ContentHash, network: IpAddr) -> u64 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut networks = known.get(&name).into_iter().flatten();
        networks.find(|(known, _)| *known == network).map_or(0, |(_, successes)| *successes)
    }

    fn tidy(&self) {
        if self.by_address.len() > TIDY_AT {
            self.by_address.retain_recent();
        }
        if self.by_site.len() > TIDY_AT {
            self.by_site.retain_recent();
        }
        if self.by_name.len() > TIDY_AT {
            self.by_name.retain_recent();
        }
        if self.by_name_and_site.len() > TIDY_AT {
            self.by_name_and_site.retain_recent();
        }
        if self.by_name_anywhere.len() > TIDY_AT {
            self.by_name_anywhere.retain_recent();
        }
    }
}

fn key(name: &str) -> ContentHash {
    ContentHash::of(name.trim().to_lowercase().as_bytes())
}

/// What tries at a name are counted under since it last got in.
fn counted(name: ContentHash, successes: u64) -> ContentHash {
    match successes {
        0 => name,
        n => ContentHash::of(format!("{name} {n}").as_bytes()),
    }
}

/// An IPv6 subscriber owns at least a whole /64, and could otherwise be a new address at every
/// try.
pub fn network(address: IpAddr) -> IpAddr {
    first_segments(address, 4)
}

/// Whoever has a site's worth of IPv6 owns a /48, and could otherwise be a new network at every try.
pub(super) fn site(address: IpAddr) -> IpAddr {
    first_segments(address, 3)
}

/// The address without all but its first `n` segments; IPv4 as it is.
fn first_segments(address: IpAddr, n: usize) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[n..].fill(0);
            IpAddr::from(segments)
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const PER_MIN: NonZeroU32 = NonZeroU32::new(10).unwrap();

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn throttle() -> LoginThrottle<FakeRelativeClock> {
        LoginThrottle::with_clock(PER_MIN, FakeRelativeClock::default())
    }

    /// Eight wrong passwords for `kim`: all that one network may try.
    fn fail(throttle: &LoginThrottle<FakeRelativeClock>, from: &str) {
        for _ in 0..8 {
            throttle.check(address(from), "kim").unwrap();
        }
    }

    #[test]
    fn guessing_one_name_is_slowed_for_that_network_alone() {
        let clock = FakeRelativeClock::default();
        let throttle = LoginThrottle::with_clock(PER_MIN, clock.clone());
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
        let throttle = throttle();
        for n in 0..100 {
            throttle.check(address(&format!("192.0.2.{n}")), "kim").unwrap();
        }
        throttle.check(address("192.0.2.200"), "kim").unwrap_err();
        throttle.check(address("192.0.2.200"), "sam").unwrap();
    }

    #[test]
    fn a_success_begins_a_new_count() {
        for succeeds in [true, false] {
            let throttle = throttle();
            fail(&throttle, "192.0.2.1");
            if succeeds {
                throttle.succeeded(address("192.0.2.1"), " Kim");
            }
            let ninth = throttle.check(address("192.0.2.1"), "kim");
            assert_eq!(ninth.is_ok(), succeeds);
        }
    }

    #[test]
    fn a_success_begins_no_new_count_elsewhere() {
        let throttle = throttle();
        fail(&throttle, "192.0.2.66");
        throttle.check(address("192.0.2.1"), "kim").unwrap();
        throttle.succeeded(address("192.0.2.1"), "kim");
        throttle.check(address("192.0.2.66"), "kim").unwrap_err();
    }

    #[test]
    fn nobody_is_locked_out_of_a_network_they_have_got_in_from() {
        let throttle = throttle();
        throttle.check(address("2001:db8:1::1"), "kim").unwrap();
        throttle.succeeded(address("2001:db8:1::1"), "kim");
        for n in 0..200 {
            throttle.check(address(&format!("198.51.100.{n}")), "kim").ok();
            throttle.check(address(&format!("2001:db8:1:{n:x}::2")), "kim").ok();
        }
        throttle.check(address("192.0.2.1"), "kim").unwrap_err();
        throttle.check(address("2001:db8:1:fff::1"), "kim").unwrap_err();
        throttle.check(address("2001:db8:1::9"), "kim").unwrap();
        // The tight limit holds there too.
        for _ in 0..8 {
            throttle.check(address("2001:db8:1::9"), "kim").ok();
        }
        throttle.check(address("2001:db8:1::9"), "kim").unwrap_err();
    }

    #[test]
    fn one_site_cannot_use_up_a_name_however_many_networks_it_has() {
        let throttle = throttle();
        for n in 0..1_000 {
            throttle.check(address(&format!("2001:db8:bad:{n:x}::1")), "kim").ok();
        }
        throttle.check(address("2001:db8:bad:ffff::1"), "kim").unwrap_err();
        throttle.check(address("2001:db8:900d::1"), "kim").unwrap();
        throttle.check(address("192.0.2.1"), "kim").unwrap();
    }

    #[test]
    fn one_site_cannot_guess_at_ever_new_names_from_ever_new_networks() {
        let throttle = throttle();
        let tries = (0..1_000).map(|n| {
            throttle.check(address(&format!("2001:db8:bad:{n:x}::1")), &format!("namn{n}"))
        });
        let taken = tries.filter(Result::is_ok).count();
        assert_eq!(taken, 80, "four networks' worth");
        throttle.check(address("2001:db8:900d::1"), "kim").unwrap();
        // Who has got in from their desk there before gets in again.
        throttle.succeeded(address("2001:db8:bad:ffff::1"), "lo");
        throttle.check(address("2001:db8:bad:ffff::1"), "lo").unwrap();
    }

    #[test]
    fn so_many_networks_are_known_for_a_name_and_no_more() {
        let throttle = throttle();
        for n in 0..40 {
            throttle.succeeded(address(&format!("192.0.2.{n}")), "kim");
        }
        assert_eq!(throttle.known.lock().unwrap()[&key("kim")].len(), KNOWN_OF_ONE);
        assert_eq!(throttle.successes(key("kim"), address("192.0.2.39")), 1);
        assert_eq!(throttle.successes(key("kim"), address("192.0.2.0")), 0);
    }

    #[test]
    fn guessing_many_names_from_one_network_is_slowed() {
        let throttle = throttle();
        for n in 0..20 {
            throttle.check(address(&format!("2001:db8::{n}")), &format!("namn{n}")).unwrap();
        }
        throttle.check(address("2001:db8::ffff"), "kim").unwrap_err();
        throttle.check(address("2001:db8:0:1::1"), "kim").unwrap();
        throttle.check(address("192.0.2.1"), "kim").unwrap();
    }

    #[test]
    fn tries_from_one_address_go_by_the_configured_number() {
        for per_min in [1, 10, 600] {
            let clock = FakeRelativeClock::default();
            let per_min = NonZeroU32::new(per_min).unwrap();
            let throttle = LoginThrottle::with_clock(per_min, clock.clone());
            let tries = |most: u32| {
                let tries =
                    (0..most).map(|n| throttle.check(address("192.0.2.1"), &format!("namn{n}")));
                u32::try_from(tries.filter(Result::is_ok).count()).unwrap()
            };
            assert_eq!(tries(2_000), 2 * per_min.get());
            clock.advance(Duration::from_secs(60));
            assert_eq!(tries(2_000), per_min.get());
        }
    }
}
