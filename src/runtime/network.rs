//! Which network an address lies on: what strangers name is never looked up inside the house.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What sort of network an address lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The open internet.
    Public,
    /// This machine or a private network: only where an account's settings allow it.
    Private,
    /// Never: link-local addresses, where machines keep their secrets for whoever asks
    /// (169.254.169.254), multicast, and addresses without meaning.
    Never,
}

/// What sort of network `ip` lies on, after the special-purpose registries of RFC 6890.
pub fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let [a, b, c, _] = ip.octets();
    if a == 0 || ip.is_link_local() || ip.is_multicast() || a >= 240 {
        return Reach::Never;
    }
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = (a, b, c) == (192, 0, 0);
    let benchmark = a == 198 && matches!(b, 18 | 19);
    if ip.is_private()
        || ip.is_loopback()
        || ip.is_documentation()
        || shared
        || protocol
        || benchmark
    {
        return Reach::Private;
    }
    Reach::Public
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    // An IPv4 address in IPv6 clothes is judged as what it is.
    if let Some(inner) = ip.to_ipv4_mapped() {
        return reach_v4(inner);
    }
    let s = ip.segments();
    let low = |hi: u16, lo: u16| {
        let [a, b] = hi.to_be_bytes();
        let [c, d] = lo.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // Unspecified, and the old form of IPv4 within IPv6.
        [0, 0, 0, 0, 0, 0, ..] => Reach::Never,
        // Translation (NAT64) and 6to4 carry an IPv4 address.
        [0x64, 0xFF9B, 0, 0, 0, 0, hi, lo] => reach_v4(low(hi, lo)),
        [0x64, 0xFF9B, ..] => Reach::Private,
        [0x2002, hi, lo, ..] => reach_v4(low(hi, lo)),
        [0x2001, 0xDB8, ..] => Reach::Private,
        // Teredo hides its IPv4 address by inversion; nobody serves pages there.
        [0x2001, 0, ..] => Reach::Never,
        [first, ..] if first & 0xFE00 == 0xFC00 => Reach::Private,
        [first, ..] if first & 0xFFC0 == 0xFE80 => Reach::Never,
        [first, ..] if first & 0xFFC0 == 0xFEC0 => Reach::Private,
        [first, ..] if first & 0xFF00 == 0xFF00 => Reach::Never,
        _ => Reach::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_told_apart() {
        let cases = [
            ("93.184.215.14", Reach::Public),
            ("172.15.0.1", Reach::Public),
            ("172.32.0.1", Reach::Public),
            ("2a00:1450:400f:80c::2004", Reach::Public),
            ("10.1.2.3", Reach::Private),
            ("172.16.0.1", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("127.0.0.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("198.18.0.1", Reach::Private),
            ("192.0.0.8", Reach::Private),
            ("::1", Reach::Private),
            ("fd00::1", Reach::Private),
            ("fec0::1", Reach::Private),
            ("::ffff:10.0.0.1", Reach::Private),
            ("64:ff9b::10.0.0.1", Reach::Private),
            ("2002:7f00:1::", Reach::Private),
            ("0.0.0.0", Reach::Never),
            ("169.254.169.254", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("fe80::1", Reach::Never),
            ("ff02::1", Reach::Never),
            ("::", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
        ];
        for (ip, expected) in cases {
            assert_eq!(reach(ip.parse().expect("an address")), expected, "{ip}");
        }
    }
}
