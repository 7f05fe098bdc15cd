//! Who a request comes from when a proxy stands between.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::HeaderMap;

/// What a proxy writes the caller's address in.
const FORWARDED: &str = "x-forwarded-for";

/// The addresses of proxies that are trusted, however they are written: `::ffff:192.0.2.1` is
/// `192.0.2.1`.
#[derive(Clone, Debug)]
pub struct Trusted(Arc<[IpAddr]>);

impl Trusted {
    /// These addresses.
    pub fn new(addresses: &[IpAddr]) -> Self {
        Self(addresses.iter().map(IpAddr::to_canonical).collect())
    }

    /// Whether this is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// The proxies whose word on the caller's address is taken.
#[derive(Debug)]
pub struct Proxies {
    trusted: Trusted,
    /// Whether the log has been told that somebody else speaks for others.
    told: AtomicBool,
    /// Whether the log has been told that a trusted one cannot be understood.
    told_unreadable: AtomicBool,
}

impl Proxies {
    /// These proxies.
    pub fn new(trusted: &[IpAddr]) -> Self {
        Self {
            trusted: Trusted::new(trusted),
            told: AtomicBool::new(false),
            told_unreadable: AtomicBool::new(false),
        }
    }

    /// The address a request comes from: the peer's, or what a trusted proxy says of it. A proxy that
    /// is not trusted makes one caller of all behind it, which the log is told once.
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if self.is_news(peer, headers) {
            tracing::warn!(
                %peer,
                "X-Forwarded-For comes from an address that is not among trusted_proxies, so everybody \
                 behind it counts as one caller: if it is your proxy, add it to trusted_proxies"
            );
        }
        if !self.trusted.contains(peer) {
            return peer;
        }
        // The last entry is the one our own proxy wrote; those before it come from outside.
        let Some(said) = headers.get_all(FORWARDED).iter().next_back() else { return peer };
        let last = said.to_str().ok().and_then(|list| list.rsplit(',').next());
        last.and_then(address).unwrap_or_else(|| {
            if !self.told_unreadable.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    %peer,
                    "what the proxy writes in X-Forwarded-For is no address, so everybody behind it \
                     counts as one caller: let it write the caller's address alone"
                );
            }
            peer
        })
    }

    /// Whether this is the first time that somebody who is not trusted speaks for others.
    fn is_news(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED)
            && !self.trusted.contains(peer)
            && !self.told.swap(true, Ordering::Relaxed)
    }
}

/// An address as proxies write it: alone, in brackets, or with the port it was called from.
fn address(said: &str) -> Option<IpAddr> {
    let said = said.trim();
    let bare = said.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(said);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(said.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn said(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED, axum::http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_entry() {
        let proxies = Proxies::new(&[address("127.0.0.1")]);
        for (peer, values, caller) in [
            ("127.0.0.1", &["192.0.2.1"][..], "192.0.2.1"),
            ("::ffff:127.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["192.0.2.1:50123"], "192.0.2.1"),
            ("127.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("127.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("127.0.0.1", &["203.0.113.9, [2001:db8::1]:443"], "2001:db8::1"),
            ("127.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["ingenting"], "127.0.0.1"),
            ("127.0.0.1", &["2001:db8::1]"], "127.0.0.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("198.51.100.7", &["192.0.2.1"], "198.51.100.7"),
        ] {
            assert_eq!(
                proxies.caller(address(peer), &said(values)),
                address(caller),
                "{peer} {values:?}"
            );
        }
    }

    #[test]
    fn a_proxy_that_is_not_trusted_is_told_of_once() {
        let proxies = Proxies::new(&[address("192.0.2.80")]);
        assert!(!proxies.is_news(address("127.0.0.1"), &said(&[])));
        assert!(!proxies.is_news(address("192.0.2.80"), &said(&["192.0.2.1"])));
        assert!(proxies.is_news(address("127.0.0.1"), &said(&["192.0.2.1"])));
        assert!(!proxies.is_news(address("127.0.0.1"), &said(&["192.0.2.2"])));
    }
}
