//! What stands before the one form that anybody may send: a token that shows how old the form is, and a limit.
//!
//! There is no session and no cookie, so the token is bound to nothing but its time and this process: it keeps off
//! programs that send without having read the page, and forms that lay open for a day. The guard has refused foreign
//! pages before.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use uuid::Uuid;

use super::throttle::{network, site};

/// Nobody reads the page and writes a reason faster, in seconds.
const LEAST_S: i64 = 3;
/// How long a form may lie open, in seconds.
const MOST_S: i64 = 12 * 3600;
/// Forms taken in a minute from everybody together: far more than any honest day brings, and few enough for the
/// database not to notice.
const PER_MIN: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// A site's worth of networks may send as much as so many of them.
const NETWORKS_OF_SITE: NonZeroU32 = NonZeroU32::new(4).unwrap();
/// When more keys than this are remembered, those long quiet are forgotten.
const TIDY_AT: usize = 10_000;

type Keyed<C> =
    RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, C, NoOpMiddleware<<C as Clock>::Instant>>;
type All<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Why a form is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Its token is none of ours, or too old: the page gives a new one.
    Stale,
    /// It came faster than anybody writes.
    TooFast,
}

/// Makes and checks tokens, and counts.
pub struct PublicGate<C: Clock = DefaultClock> {
    secret: [u8; 32],
    by_network: Keyed<C>,
    by_site: Keyed<C>,
    all: All<C>,
    clock: C,
}

impl PublicGate<DefaultClock> {
    /// So many are taken from one network in an hour.
    pub fn new(per_hour: NonZeroU32) -> Self {
        Self::with_clock(per_hour, DefaultClock::default())
    }
}

impl<C: Clock + Clone> PublicGate<C> {
    /// Counts by the given clock.
    pub fn with_clock(per_hour: NonZeroU32, clock: C) -> Self {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        secret[16..].copy_from_slice(Uuid::new_v4().as_bytes());
        let of_site = per_hour.saturating_mul(NETWORKS_OF_SITE);
        let (hour, site_hour) = (Quota::per_hour(per_hour), Quota::per_hour(of_site));
        let keyed =
            |quota| RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        Self {
            secret,
            by_network: keyed(hour),
            by_site: keyed(site_hour),
            all: RateLimiter::direct_with_clock(Quota::per_minute(PER_MIN), clock.clone()),
            clock,
        }
    }

    fn mac(&self, at: i64) -> Hmac<Sha256> {
        let mut mac =
            <Hmac<Sha256>>::new_from_slice(&self.secret).expect("any length of key will do");
        mac.update(b"uppsikt public form v1");
        mac.update(&at.to_be_bytes());
        mac
    }

    /// A token for a form that is shown now.
    pub fn token(&self, now: Timestamp) -> String {
        let at = now.as_second();
        format!("{at}-{}", hex::encode(self.mac(at).finalize().into_bytes()))
    }

    /// Checks a form's token.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn check(&self, token: &str, now: Timestamp) -> Result<(), NotTaken> {
        let (at, told) = token.split_once('-').ok_or(NotTaken::Stale)?;
        let at: i64 = at.parse().map_err(|_| NotTaken::Stale)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(told, &mut bytes).map_err(|_| NotTaken::Stale)?;
        self.mac(at).verify_slice(&bytes).map_err(|_| NotTaken::Stale)?;
        match now.as_second().saturating_sub(at) {
            ..LEAST_S => Err(NotTaken::TooFast),
            LEAST_S..=MOST_S => Ok(()),
            _ => Err(NotTaken::Stale),
        }
    }

    /// Counts a form from an address; the error says for how many seconds no more are taken.
    ///
    /// # Errors
    /// Seconds to wait.
    pub fn count(&self, address: IpAddr) -> Result<(), u64> {
        for limiter in [&self.by_network, &self.by_site] {
            if limiter.len() > TIDY_AT {
                limiter.retain_recent();
            }
        }
        let now = self.clock.now();
        let seconds = |wait: std::time::Duration| {
            (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
        };
        let network = network(address);
        // In this order: one that its own network's limit refuses uses up nobody else's.
        self.by_network.check_key(&network).map_err(|no| seconds(no.wait_time_from(now)))?;
        self.by_site.check_key(&site(network)).map_err(|no| seconds(no.wait_time_from(now)))?;
        self.all.check().map_err(|no| seconds(no.wait_time_from(now)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use jiff::SignedDuration;

    use super::*;

    const PER_HOUR: NonZeroU32 = NonZeroU32::new(5).unwrap();

    fn now() -> Timestamp {
        "2026-11-23T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_token_holds_for_a_while_and_for_this_process_alone() {
        let gate = PublicGate::new(PER_HOUR);
        let token = gate.token(now());
        let after = |s| now() + SignedDuration::from_secs(s);
        assert_eq!(gate.check(&token, after(1)), Err(NotTaken::TooFast));
        assert_eq!(gate.check(&token, after(60)), Ok(()));
        assert_eq!(gate.check(&token, after(13 * 3600)), Err(NotTaken::Stale));
        assert_eq!(PublicGate::new(PER_HOUR).check(&token, after(60)), Err(NotTaken::Stale));
        let older = token.replacen("179", "178", 1);
        for wrong in ["", "-", "1-00", &older, &token[1..], "åäö-åäö"] {
            assert_eq!(gate.check(wrong, after(60)), Err(NotTaken::Stale), "{wrong}");
        }
    }

    #[test]
    fn one_network_one_site_and_everybody_together_have_their_limits() {
        let clock = FakeRelativeClock::default();
        let gate = PublicGate::with_clock(PER_HOUR, clock.clone());
        let from = |text: &str| text.parse::<IpAddr>().unwrap();
        for _ in 0..5 {
            gate.count(from("2001:db8:1:1::1")).unwrap();
        }
        let wait = gate.count(from("2001:db8:1:1:ffff::9")).unwrap_err();
        assert!((1..=720).contains(&wait), "the same /64: {wait}");
        // Other networks of the same site go on until the site's limit.
        let n =
            (2..40).filter(|n| gate.count(from(&format!("2001:db8:1:{n:x}::1"))).is_ok()).count();
        assert_eq!(n, 15);
        // And everybody together until theirs.
        let n = (1..60).filter(|n| gate.count(from(&format!("192.0.2.{n}"))).is_ok()).count();
        assert_eq!(n, 10);
        clock.advance(Duration::from_secs(61));
        gate.count(from("198.51.100.1")).unwrap();
    }
}
