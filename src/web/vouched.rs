//! What a trusted proxy says of who somebody is. Its headers are read from the proxy's own addresses alone; from
//! anywhere else a request that carries one is refused whole, since nobody sends them by mistake twice.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::services::sign_in::outside::ProxySettings;

use super::state::{Peer, Site};
use super::view::error::Trouble;

/// Longest text of a header, in bytes.
const LONGEST: usize = 16 * 1024;

/// Whom a proxy tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What they are called for good.
    pub user: String,
    /// Their name.
    pub name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

/// The one value of a header. Twice the same header is no value: one of them is not the proxy's.
fn one(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let (value, more) = (values.next()?, values.next());
    if more.is_some() || value.len() > LONGEST {
        return None;
    }
    let text = std::str::from_utf8(value.as_bytes()).ok()?.trim().to_owned();
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

/// Whether this is the proxy.
fn speaks(settings: &ProxySettings, peer: IpAddr) -> bool {
    settings.addresses.contains(&peer.to_canonical())
}

/// Whom the proxy tells of, where it is the proxy that speaks.
pub fn told(settings: &ProxySettings, peer: IpAddr, headers: &HeaderMap) -> Option<Told> {
    if !speaks(settings, peer) {
        return None;
    }
    let groups = one(headers, &settings.groups_header).unwrap_or_default();
    let groups = groups.split(settings.separator).map(str::trim).filter(|group| !group.is_empty());
    Some(Told {
        user: one(headers, &settings.user_header)?,
        name: settings.name_header.as_ref().and_then(|name| one(headers, name)),
        groups: groups.map(str::to_owned).collect(),
    })
}

/// Whether somebody who is not the proxy speaks as it would.
fn is_forged(settings: &ProxySettings, peer: IpAddr, headers: &HeaderMap) -> bool {
    let own =
        [Some(&settings.user_header), Some(&settings.groups_header), settings.name_header.as_ref()];
    !speaks(settings, peer) && own.into_iter().flatten().any(|name| headers.contains_key(name))
}

/// Refuses what carries the proxy's headers and does not come from it.
pub async fn refuse_forged(
    State(site): State<Site>,
    Peer(peer): Peer,
    request: Request,
    next: Next,
) -> Response {
    let proxy = site.services.trusted_proxy();
    if proxy.is_some_and(|settings| is_forged(settings, peer, request.headers())) {
        tracing::warn!(%peer, "somebody who is not the configured proxy sent its headers");
        let words = "Begäran bär uppgifter som bara organisationens inloggning får lämna. Öppna sidan på nytt i webbläsaren.";
        let mut response = site.guard.trouble(Trouble::Declined(words.into()), None);
        *response.status_mut() = StatusCode::FORBIDDEN;
        return response;
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ProxySettings {
        ProxySettings {
            addresses: vec!["192.0.2.80".parse().unwrap()],
            user_header: "x-anvandare".into(),
            name_header: Some("x-namn".into()),
            groups_header: "x-grupper".into(),
            separator: ';',
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, axum::http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    #[test]
    fn only_the_proxy_is_listened_to_and_only_where_it_speaks_with_one_voice() {
        let whole =
            headers(&[("X-Anvandare", "kim"), ("x-namn", "Kim Åker"), ("x-grupper", "a; b;;")]);
        let groups = vec!["a".to_owned(), "b".to_owned()];
        let kim = Told { user: "kim".into(), name: Some("Kim Åker".into()), groups };
        for (peer, told_of) in [
            ("192.0.2.80", Some(kim.clone())),
            ("::ffff:192.0.2.80", Some(kim)),
            ("192.0.2.81", None),
            ("127.0.0.1", None),
            ("::1", None),
        ] {
            let peer: IpAddr = peer.parse().unwrap();
            assert_eq!(told(&settings(), peer, &whole), told_of, "{peer}");
            assert_eq!(is_forged(&settings(), peer, &whole), told_of.is_none(), "{peer}");
        }
        let proxy: IpAddr = "192.0.2.80".parse().unwrap();
        let twice = headers(&[("x-anvandare", "kim"), ("x-anvandare", "chef"), ("x-grupper", "a")]);
        assert_eq!(told(&settings(), proxy, &twice), None);
        assert_eq!(told(&settings(), proxy, &headers(&[("x-grupper", "a")])), None);
        assert_eq!(told(&settings(), proxy, &headers(&[("x-anvandare", " ")])), None);
        let twice = headers(&[("x-anvandare", "kim"), ("x-grupper", "a"), ("x-grupper", "chef")]);
        assert_eq!(told(&settings(), proxy, &twice).unwrap().groups, Vec::<String>::new());
        // What says nothing of anybody is anybody's.
        assert!(!is_forged(&settings(), "192.0.2.81".parse().unwrap(), &headers(&[("host", "x")])));
        for name in ["x-anvandare", "x-namn", "x-grupper"] {
            let forged = headers(&[(name, "kim")]);
            assert!(is_forged(&settings(), "192.0.2.81".parse().unwrap(), &forged), "{name}");
        }
    }
}
