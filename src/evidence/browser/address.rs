//! Which addresses a page may be fetched from.

use url::{Host, Url};

/// The address is none that may be opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address.
    #[error("it cannot be read as an address")]
    Unreadable,
    /// Neither `http` nor `https`.
    #[error("only http and https are opened, not {0}")]
    Scheme(String),
    /// It carries a user name or password.
    #[error("it carries a user name or password")]
    Credentials,
    /// The name is not known to the network.
    #[error("the host name is unknown")]
    UnknownHost,
}

impl AddressError {
    /// The reason in Swedish.
    pub fn swedish(&self) -> String {
        match self {
            Self::Unreadable => "Länken går inte att tolka som en adress.".to_owned(),
            Self::Scheme(scheme) => {
                format!("Bara http- och https-länkar öppnas, inte {scheme}.")
            }
            Self::Credentials => {
                "Länken innehåller användarnamn eller lösenord och öppnas därför inte.".to_owned()
            }
            Self::UnknownHost => "Länkens värdnamn finns inte.".to_owned(),
        }
    }
}

/// An address that may be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAddress {
    /// The address in its normal form.
    pub url: String,
    /// The host, in lower case; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Reads an address.
///
/// # Errors
/// See [`AddressError`].
pub fn parse(text: &str) -> Result<PageAddress, AddressError> {
    let url = Url::parse(text).map_err(|_| AddressError::Unreadable)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AddressError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    let host = plain_host(&url).ok_or(AddressError::Unreadable)?;
    let port = url.port_or_known_default().ok_or(AddressError::Unreadable)?;
    Ok(PageAddress { host, port, url: url.into() })
}

/// The host of an address, as [`PageAddress::host`] writes it.
pub fn host_of(text: &str) -> Option<String> {
    plain_host(&Url::parse(text).ok()?)
}

fn plain_host(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_read() {
        let cases = [
            ("file:///etc/passwd", AddressError::Scheme("file".to_owned())),
            ("data:text/html,hej", AddressError::Scheme("data".to_owned())),
            ("javascript:alert(1)", AddressError::Scheme("javascript".to_owned())),
            ("chrome://settings", AddressError::Scheme("chrome".to_owned())),
            ("view-source:https://a.example", AddressError::Scheme("view-source".to_owned())),
            ("ftp://a.example", AddressError::Scheme("ftp".to_owned())),
            ("https://kim:hemligt@a.example/", AddressError::Credentials),
            ("https://kim@a.example/", AddressError::Credentials),
            ("/bara/en/sökväg", AddressError::Unreadable),
            ("", AddressError::Unreadable),
            ("https://", AddressError::Unreadable),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        let page = parse("https://Blogg.Exempelstad.example./x?y#comment-57").expect("an address");
        assert_eq!((page.host.as_str(), page.port), ("blogg.exempelstad.example", 443));
        assert_eq!(parse("http://[::1]:8080/").expect("an address").host, "::1");
        // Odd ways to write 127.0.0.1 are read as what they are.
        for odd in ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"] {
            assert_eq!(parse(odd).expect("an address").host, "127.0.0.1", "{odd}");
        }
    }
}
