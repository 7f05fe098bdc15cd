//! What links lead to, as text, where the account's policy asks for it (`[evidence] follow_links`).
//!
//! Asked for once, as anybody would, through the same guard as attachments: no cookie, no token, nothing inside
//! the house. Kept are every step on the way, the title and the text; no picture, no script, no page.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::domain::file_kind::FileKind;
use crate::domain::ids::ContentHash;
use crate::domain::item::Attachment;
use crate::evidence::fetch::{Bounds, Fetched, Fetcher};
use crate::evidence::media::PictureLeave;
use crate::platforms::html::{Newlines, to_plain};

/// Links of one item that are followed.
const MOST_LINKS: usize = 5;
/// The largest page that is read, in bytes.
const MOST_BYTES: u64 = 2 << 20;
/// How long all of them may take.
const WITHIN: Duration = Duration::from_secs(20);
/// Characters of a page's text and title that are kept.
const MOST_TEXT: usize = 20_000;
const MOST_TITLE: usize = 300;
/// The longest address that is followed, in bytes.
const LONGEST_ADDRESS: usize = 2_000;

/// Where a link leads.
#[derive(Serialize)]
struct Target {
    /// As written.
    address: String,
    /// Every step, the first first.
    steps: Vec<Step>,
    /// What the server calls it.
    stated_type: Option<String>,
    sha256: Option<ContentHash>,
    n_bytes: Option<usize>,
    title: Option<String>,
    text: Option<String>,
    /// Why there is no text, in Swedish.
    problem: Option<String>,
}

#[derive(Serialize)]
struct Step {
    address: String,
    status: u16,
}

/// The addresses in a text and among what hangs on it, each once, in order.
pub(super) fn links(text: &str, attachments: &[Attachment]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = next_link(rest) {
        let link = &rest[at..];
        let is_end =
            |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '»' | '”' | '\u{0}');
        let end = link.find(is_end).unwrap_or(link.len());
        let (link, after) = link.split_at(end);
        rest = after;
        // Punctuation behind a link belongs to the sentence; a bracket does where it was opened before it.
        let mut link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']);
        while link.ends_with(')') && !link.contains('(') {
            link = link[..link.len() - 1].trim_end_matches(['.', ',']);
        }
        found.push(link.to_owned());
    }
    let hanging = attachments.iter().filter(|a| matches!(a.kind.as_str(), "link" | "external"));
    found.extend(hanging.filter_map(|attachment| attachment.url.clone()));
    let mut once: Vec<String> = Vec::new();
    for link in found {
        if link.len() > "https://".len() && link.len() <= LONGEST_ADDRESS && !once.contains(&link) {
            once.push(link);
        }
    }
    once
}

/// Where the next address begins.
fn next_link(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    ["https://", "http://"].iter().filter_map(|scheme| lower.find(scheme)).min()
}

/// Follows links; gives what they lead to as JSON.
///
/// # Errors
/// Where it cannot be written, which would be a fault of ours.
pub(super) async fn follow(
    fetcher: &Fetcher,
    leave: &PictureLeave,
    links: Vec<String>,
    hurry: Option<Duration>,
) -> Result<Vec<u8>, serde_json::Error> {
    let ends = Instant::now() + hurry.map_or(WITHIN, |hurry| hurry.min(WITHIN));
    let mut targets = Vec::new();
    for (n, address) in links.into_iter().enumerate() {
        let within = ends.saturating_duration_since(Instant::now());
        let bounds = Bounds { most_bytes: MOST_BYTES, within };
        let fetched = if n >= MOST_LINKS {
            Err(format!("högst {MOST_LINKS} länkar följs"))
        } else if within.is_zero() {
            Err("tiden för att följa länkar var slut".to_owned())
        } else {
            let fetched = fetcher.fetch(leave, &address, None, bounds).await;
            fetched.map_err(|error| error.swedish())
        };
        targets.push(match fetched {
            Ok(fetched) => target(address, fetched),
            Err(problem) => Target {
                address,
                steps: Vec::new(),
                stated_type: None,
                sha256: None,
                n_bytes: None,
                title: None,
                text: None,
                problem: Some(problem),
            },
        });
    }
    serde_json::to_vec_pretty(&targets)
}

fn target(address: String, fetched: Fetched) -> Target {
    let Fetched { bytes, stated_type, hops } = fetched;
    let step = |hop: crate::evidence::fetch::Hop| Step {
        address: hop.address.to_string(),
        status: hop.status,
    };
    let (title, text, problem) = match (FileKind::of(&bytes), std::str::from_utf8(&bytes)) {
        (Some(_), _) | (None, Err(_)) => {
            (None, None, Some("det är ingen text i UTF-8; bara kontrollsumman sparas".to_owned()))
        }
        (None, Ok(page)) => {
            let (title, text) = read(page);
            (title, Some(text), None)
        }
    };
    Target {
        address,
        steps: hops.into_iter().map(step).collect(),
        stated_type,
        sha256: Some(ContentHash::of(&bytes)),
        n_bytes: Some(bytes.len()),
        title,
        text,
        problem,
    }
}

/// Title and text of a page.
fn read(page: &str) -> (Option<String>, String) {
    let title = between(page, "<title", "</title").and_then(|title| title.split_once('>'));
    let title = title.map(|(_, title)| to_plain(title, Newlines::Fold).text);
    let mut body = page.trim_start().to_owned();
    if body.starts_with("<!") {
        body = body.split_once('>').map_or_else(String::new, |(_, rest)| rest.to_owned());
    }
    for (open, close) in [("<script", "</script"), ("<style", "</style"), ("<title", "</title")] {
        body = without(&body, open, close);
    }
    let text = to_plain(&body, Newlines::Fold).text;
    let title = title.map(|title| title.trim().chars().take(MOST_TITLE).collect::<String>());
    (title.filter(|title| !title.is_empty()), text.trim().chars().take(MOST_TEXT).collect())
}

fn between<'a>(page: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let lower = page.to_ascii_lowercase();
    let from = lower.find(open)?;
    let to = from + lower[from..].find(close)?;
    page.get(from..to)
}

/// The page without these elements and what is in them; one that is never closed goes to the end.
fn without(page: &str, open: &str, close: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let (mut kept, mut at) = (String::with_capacity(page.len()), 0);
    while let Some(from) = lower[at..].find(open).map(|found| at + found) {
        kept.push_str(&page[at..from]);
        at = match lower[from..].find(close).map(|found| from + found + close.len()) {
            Some(closes) => lower[closes..].find('>').map_or(lower.len(), |end| closes + end + 1),
            None => lower.len(),
        };
    }
    kept.push_str(&page[at..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::fetch::Hop;

    #[test]
    fn links_are_found_where_they_end_and_each_once() {
        let table: [(&str, &[&str]); 7] = [
            (
                "Läs https://a.example/x?y=1. Eller (HTTP://b.example/z)!",
                &["https://a.example/x?y=1", "HTTP://b.example/z"],
            ),
            ("https://a.example https://a.example", &["https://a.example"]),
            (
                "se https://sv.wikipedia.org/wiki/X_(y), tack",
                &["https://sv.wikipedia.org/wiki/X_(y)"],
            ),
            ("https://", &[]),
            ("ftp://a.example och javascript:alert(1)", &[]),
            ("<https://å.example/ö>", &["https://å.example/ö"]),
            ("", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(links(text, &[]), expected, "{text}");
        }
        let link = Attachment {
            kind: "external".into(),
            url: Some("https://c.example/".into()),
            media_type: None,
            name: None,
        };
        assert_eq!(
            links("https://a.example", &[link]),
            ["https://a.example", "https://c.example/"]
        );
    }

    #[test]
    fn a_page_is_read_as_its_title_and_its_text() {
        let page = "<!doctype html><TITLE lang=sv>Köp &amp; sälj</TITLE><style>p{}</style><script>var x = '<p>nej</p>';</script><p>Hej på er<script>evigt";
        assert_eq!(read(page), (Some("Köp & sälj".into()), "Hej på er".into()));
        assert_eq!(read("bara text"), (None, "bara text".into()));
    }

    #[test]
    fn every_step_on_the_way_is_kept_with_what_stood_at_its_end() {
        let hop = |address: &str, status| Hop { address: address.parse().unwrap(), status };
        let page = b"<title>Prov</title><p>Hej<script>x</script>".to_vec();
        let fetched = |bytes| Fetched {
            bytes,
            stated_type: Some("text/html".into()),
            hops: vec![
                hop("https://kort.example/a", 301),
                hop("https://www.kort.example/a?b=1", 302),
                hop("https://langt.example/", 200),
            ],
        };
        let told = |bytes| {
            let target = target("https://kort.example/a".into(), fetched(bytes));
            serde_json::to_value(target).unwrap()
        };
        let page_told = told(page.clone());
        let steps = serde_json::json!([
            {"address": "https://kort.example/a", "status": 301},
            {"address": "https://www.kort.example/a?b=1", "status": 302},
            {"address": "https://langt.example/", "status": 200},
        ]);
        assert_eq!(page_told["steps"], steps);
        assert_eq!((&page_told["title"], &page_told["text"]), (&"Prov".into(), &"Hej".into()));
        assert_eq!(page_told["sha256"], ContentHash::of(&page).to_hex());
        // Of what is no text the steps and the sum alone.
        let other = told(b"%PDF-1.7 x".to_vec());
        assert_eq!((&other["steps"], &other["text"]), (&steps, &serde_json::Value::Null));
        assert!(other["problem"].as_str().unwrap().contains("ingen text"), "{other}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<script|</script|<title|>|https://|[()åİK ]|\\PC){0,40}") {
            let _ = (links(&text, &[]), read(&text));
        }
    }
}
