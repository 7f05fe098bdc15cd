//! Where an account's addresses may lead.

use std::net::IpAddr;

use url::{Host, Url};

use crate::config::reader::{At, Table};

/// Where an account's addresses may lead.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub simulated: bool,
    pub private: bool,
}

/// Checks an address. Names are resolved at the time of the call and checked again there; here
/// only what can be seen in the text is refused.
pub(super) fn address(
    table: &Table<'_, '_>,
    key: &str,
    at: &At<String>,
    reach: Reach,
) -> Option<Url> {
    let refuse = |what: String| {
        table.complain(at, what);
        None
    };
    let Ok(mut url) = Url::parse(&at.value) else {
        return refuse(format!(
            "`{key}` är ingen webbadress: skriv till exempel `https://blogg.exempelstad.example/`"
        ));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(format!(
            "`{key}` får inte innehålla användarnamn eller lösenord: skriv dem som egna nycklar"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse(format!("`{key}` ska sluta före `?` och `#`"));
    }
    let Some(network) = network(&url) else {
        return refuse(format!(
            "`{key}` saknar servernamn: skriv till exempel `https://blogg.exempelstad.example/`"
        ));
    };
    match (url.scheme(), network) {
        (_, Network::Public | Network::Private) if reach.simulated => {
            return refuse(format!(
                "`{key}` måste ligga på den egna datorn när `simulated = true`: skriv till exempel `http://127.0.0.1:8081/`"
            ));
        }
        ("http" | "https", Network::Loopback) if reach.simulated || reach.private => {}
        ("http" | "https", Network::Private) if reach.private => {}
        ("http" | "https", Network::Loopback | Network::Private) => {
            return refuse(format!(
                "`{key}` leder in i ett privat nät: sätt `allow_private_addresses = true` om det är meningen"
            ));
        }
        ("https", Network::Public) => {}
        ("http", Network::Public) => {
            return refuse(format!(
                "`{key}` måste börja med https://: annars går lösenordet i klartext"
            ));
        }
        _ => return refuse(format!("`{key}` måste börja med https://")),
    }
    if key != "actions_url" && !url.path().ends_with('/') {
        // So that joining a path to it does not drop the last part.
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Some(url)
}

/// Which network an address plainly lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    Loopback,
    Private,
    Public,
}

fn network(url: &Url) -> Option<Network> {
    let ip = match url.host()? {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let loopback = name == "localhost" || name.ends_with(".localhost");
            return Some(if loopback { Network::Loopback } else { Network::Public });
        }
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => ip.to_canonical(),
    };
    let private = match ip {
        IpAddr::V4(ip) => {
            // 100.64.0.0/10 is shared address space (RFC 6598).
            let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || shared
        }
        IpAddr::V6(ip) => {
            ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
        }
    };
    Some(match (ip.is_loopback(), private) {
        (true, _) => Network::Loopback,
        (false, true) => Network::Private,
        (false, false) => Network::Public,
    })
}

/// The address of the simulator that serves an account; a real account has none.
pub(super) fn simulator(table: &mut Table<'_, '_>, reach: Reach) -> Option<Option<Url>> {
    match table.text("api_url") {
        Some(at) if !reach.simulated => {
            table.complain(&at, "`api_url` används bara för simulatorer: ta bort raden, eller sätt `simulated = true`");
            None
        }
        Some(at) => address(table, "api_url", &at, reach).map(Some),
        None if reach.simulated => {
            table.missing("api_url", "api_url = \"http://127.0.0.1:8081/\"");
            None
        }
        None => Some(None),
    }
}
