//! Names to addresses, at the time of the call: a name that leads into a private network is not
//! called unless the account's settings allow it. What is looked up here is what is connected to, so that a
//! name cannot point elsewhere the second time.

use std::error::Error;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::network::{Reach, reach};

/// Where a proxy is named, which may lie inside the house: it is the way out.
const PROXIES: &[&str] =
    &["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// The name leads where it may not lead.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{host}` leads into a private network: set allow_private_addresses = true if that is meant"
)]
pub struct Private {
    host: String,
}

/// Looks up names and leaves out what may not be called.
pub struct Names {
    allow_private: bool,
    proxies: Vec<String>,
}

impl Names {
    /// For a client that may go out through the proxies that the environment names.
    pub fn new(allow_private: bool) -> Self {
        let named = PROXIES.iter().filter_map(|name| std::env::var(name).ok());
        Self { allow_private, proxies: named.filter_map(|proxy| proxy_host(&proxy)).collect() }
    }

    /// For a client that goes out by itself: no name is let inside for being a proxy's.
    pub const fn direct(allow_private: bool) -> Self {
        Self { allow_private, proxies: Vec::new() }
    }
}

fn proxy_host(proxy: &str) -> Option<String> {
    let whole = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    Url::parse(&whole).ok()?.host_str().map(str::to_ascii_lowercase)
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let is_proxy = self.proxies.contains(&host.to_ascii_lowercase());
        let allow_private = self.allow_private || is_proxy;
        Box::pin(async move {
            // The port is put in by the caller.
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let allowed = permitted(found, allow_private);
            if allowed.is_empty() {
                return Err(Box::new(Private { host }) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn permitted(found: impl Iterator<Item = SocketAddr>, allow_private: bool) -> Vec<SocketAddr> {
    found
        .filter(|address| match reach(address.ip()) {
            Reach::Public => true,
            Reach::Private => allow_private,
            Reach::Never => false,
        })
        .collect()
}

/// Whether a call failed because its name leads where it may not, and in which words.
pub fn refused_name(error: &reqwest::Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(private) = error.downcast_ref::<Private>() {
            return Some(private.to_string());
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_left_out_unless_allowed_and_some_always() {
        let found = ["93.184.215.14:0", "10.0.0.1:0", "127.0.0.1:0", "169.254.169.254:0"];
        let found = found.map(|text| text.parse().expect("an address"));
        assert_eq!(permitted(found.into_iter(), false), found[..1]);
        assert_eq!(permitted(found.into_iter(), true), found[..3]);
    }

    #[test]
    fn a_proxy_is_known_by_its_host() {
        for proxy in ["http://Proxy.kommun.example:8080", "proxy.kommun.example:8080"] {
            assert_eq!(proxy_host(proxy).as_deref(), Some("proxy.kommun.example"));
        }
    }
}
