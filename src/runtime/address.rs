//! Addresses as they may be kept and shown: without what may be a secret.

use url::Url;

/// What stands for a secret.
pub const STRUCK: &str = "•••";

/// Whether a parameter of this name can carry a secret. Tokens for a next page go too; nothing is lost by it.
pub fn may_be_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words =
        ["token", "key", "secret", "proof", "sig", "auth", "code", "pass", "session", "cred"];
    words.iter().any(|word| name.contains(word))
}

/// The address without user, password, fragment and what may be a secret in its query. `clean` strikes out
/// secrets that are known.
pub fn without_secrets(address: &Url, clean: &impl Fn(&str) -> String) -> String {
    let mut shown = address.clone();
    shown.set_fragment(None);
    // Without a host neither can be set; then there is neither.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    if address.query().is_some() {
        let pairs = address.query_pairs().map(|(name, value)| {
            let is_secret = may_be_secret(&name) || clean(&value) != *value;
            (name.into_owned(), if is_secret { STRUCK.to_owned() } else { value.into_owned() })
        });
        let pairs: Vec<_> = pairs.collect();
        shown.query_pairs_mut().clear().extend_pairs(pairs);
    }
    // Percent signs would hide a secret of the path from the eye, and from `clean`.
    clean(shown.as_str())
}

/// A text with every web address in it shown like that.
pub fn text_without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = next_address(rest) {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        let is_end = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '<' | '>' | '`');
        let (address, after) = from.split_at(from.find(is_end).unwrap_or(from.len()));
        match Url::parse(address) {
            Ok(url) if url.query().is_some() || !url.username().is_empty() => {
                shown.push_str(&without_secrets(&url, &str::to_owned));
            }
            Ok(_) | Err(_) => shown.push_str(address),
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn next_address(text: &str) -> Option<usize> {
    ["https://", "http://", "wss://", "ws://"].iter().filter_map(|s| text.find(s)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_words_and_loses_the_secrets_of_its_addresses() {
        let table = [
            ("inget här", "inget här"),
            (
                "gick fel: 'https://kim:hej@a.example/x?access_token=abc&sida=2#del' (404)",
                "gick fel: 'https://a.example/x?access_token=%E2%80%A2%E2%80%A2%E2%80%A2&sida=2' (404)",
            ),
            ("http://a.example/å https://b.example", "http://a.example/å https://b.example"),
            ("wss://a.example/?sig=1", "wss://a.example/?sig=%E2%80%A2%E2%80%A2%E2%80%A2"),
            ("https://", "https://"),
        ];
        for (text, shown) in table {
            assert_eq!(text_without_secrets(text), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(https?://|wss?://|[?&=@#:' ]|token|\\PC){0,30}") {
            let _ = text_without_secrets(&text);
        }
    }
}
