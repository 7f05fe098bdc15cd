//! Addresses outside Uppsikt. They come from strangers: never fetched unasked, never clickable
//! without a step between (design, invariant 7).

use askama::Template;
use askama::filters::HtmlSafe;
use url::Url;

use super::visible::Visible;

/// The longest address shown; longer ones are cut and cannot be opened.
const LONGEST: usize = 2_000;

/// An address, folded away behind "Visa adressen", with the host in plain sight.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "parts/outside.html", config = "src/web/askama.toml")]
pub struct Outside {
    /// What it leads to: "Kommentaren på Facebook".
    pub what: String,
    /// The address as shown.
    pub shown: String,
    /// Host and address to open, only for http and https.
    pub opens: Option<(String, String)>,
}

impl HtmlSafe for Outside {}

impl Outside {
    /// An address that a person may want to open: a permalink, a profile.
    pub fn new(what: impl Into<String>, address: &str) -> Self {
        let opens = Some(address)
            .filter(|address| address.len() <= LONGEST)
            .and_then(|address| Url::parse(address).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            // A name before the host is there to deceive: `https://kommunen.example@fel.example`.
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .and_then(|url| Some((url.host_str()?.to_owned(), url.to_string())));
        Self { what: what.into(), shown: shown(address), opens }
    }

    /// An address in a stranger's text: can be read and copied, not opened.
    pub fn read_only(what: impl Into<String>, address: &str) -> Self {
        Self { what: what.into(), shown: shown(address), opens: None }
    }
}

fn shown(address: &str) -> String {
    let head = &address[..address.floor_char_boundary(LONGEST)];
    let line = Visible::new(head).into_line();
    if head.len() < address.len() { line + "…" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_can_be_opened() {
        for (address, host) in [
            ("https://blogg.exempelstad.example/?p=1#c2", Some("blogg.exempelstad.example")),
            ("http://åäö.example/", Some("xn--4cab6c.example")),
            ("javascript:alert(1)", None),
            ("data:text/html,<script>", None),
            ("https://kommunen.example@fel.example/", None),
            ("//fel.example/", None),
            ("", None),
        ] {
            let outside = Outside::new("Sidan", address);
            assert_eq!(outside.opens.as_ref().map(|(host, _)| host.as_str()), host, "{address}");
        }
    }
}
