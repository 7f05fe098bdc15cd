//! Whether a page that was pictured is the one that was asked for, or something that stands before it: a log-in, a
//! question about cookies, word that nothing is there.

use url::Url;

use super::{Cut, Over, Screenshot};

/// Words of addresses that lead to a log-in.
const LOGIN: [&str; 10] = [
    "login",
    "log-in",
    "log_in",
    "signin",
    "sign_in",
    "sign-in",
    "logga-in",
    "loggain",
    "checkpoint",
    "authwall",
];
/// Words of addresses that ask about cookies.
const CONSENT: [&str; 3] = ["consent", "cookiewall", "samtycke"];
/// How titles of such pages begin, in small letters.
const LOGIN_TITLES: [&str; 4] = ["logga in", "log in", "sign in", "login"];
const GONE_TITLES: [&str; 6] = [
    "404",
    "sidan finns inte",
    "sidan kunde inte hittas",
    "sidan hittades inte",
    "page not found",
    "innehållet är inte tillgängligt",
];
const CONSENT_TITLES: [&str; 3] = ["innan du fortsätter", "before you continue", "cookie"];

/// What stands there instead, in Swedish; nothing where the page seems to be the one asked for.
pub fn stands_before(asked: &str, shot: &Screenshot) -> Option<String> {
    match shot.http_status {
        Some(404 | 410) => return Some("Sidan finns inte längre (HTTP 404 eller 410)".into()),
        Some(401 | 403) => return Some("Sidan kräver behörighet (HTTP 401 eller 403)".into()),
        Some(status @ 400..) => return Some(format!("Sidan svarade med HTTP {status}")),
        Some(_) | None => {}
    }
    let title = shot.title.as_deref().unwrap_or_default().trim().to_lowercase();
    let titled = |words: &[&str]| words.iter().any(|word| title.starts_with(word));
    // What the asked address says of itself tells nothing: a comment may stand under a post about log-ins.
    let led = |words: &[&str]| {
        let says =
            |address: &str| words.iter().any(|word| signs(address).any(|sign| sign == *word));
        says(&shot.final_url) && !says(asked)
    };
    if led(&LOGIN) || titled(&LOGIN_TITLES) {
        return Some("Sidan visar en inloggning".into());
    }
    if led(&CONSENT) || titled(&CONSENT_TITLES) {
        return Some("Sidan visar en fråga om kakor".into());
    }
    // Some servers answer 200 with such a page; where the item stands on it, it is no such page.
    if shot.cut != Cut::Element && titled(&GONE_TITLES) {
        return Some("Sidan säger att den inte finns".into());
    }
    None
}

/// What lies over the item on its picture, or over the page, in Swedish.
pub fn lies_over(shot: &Screenshot) -> Option<String> {
    let what = match shot.over? {
        Over::Cookies => "En fråga om kakor",
        Over::Login => "En inloggning",
        Over::Other => "En ruta",
    };
    let where_to = match shot.cut {
        Cut::Element => "inlägget",
        Cut::WholePage | Cut::ElementMissing => "sidan",
    };
    Some(format!("{what} ligger över {where_to}"))
}

/// The labels of an address's host and the segments of its path.
fn signs(address: &str) -> impl Iterator<Item = String> {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
    let path = url.as_ref().map(Url::path).unwrap_or_default().to_owned();
    let words = format!("{host}/{path}");
    let words: Vec<_> = words.split(['/', '.']).map(str::to_ascii_lowercase).collect();
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::page_log::PageLog;

    fn shot(final_url: &str, title: &str, http_status: u16) -> Screenshot {
        Screenshot {
            png: Vec::new(),
            width_px: 1,
            height_px: 1,
            final_url: final_url.into(),
            title: Some(title.into()),
            http_status: Some(http_status),
            cut: Cut::WholePage,
            over: None,
            method: String::new(),
            taken_at: Timestamp::MIN,
            archive: None,
            whole_page: None,
            log: PageLog::default(),
        }
    }

    #[test]
    fn what_stands_before_a_page_is_known() {
        let asked = "https://www.facebook.com/exempel/posts/1?comment_id=2";
        let table = [
            (asked, "Exempelstads kommun", 200, None),
            (asked, "Logga in för att fortsätta", 200, Some("inloggning")),
            (asked, "Inloggningen i e-tjänsten är trasig", 200, None),
            ("https://www.facebook.com/login/?next=x", "Facebook", 200, Some("inloggning")),
            ("https://www.linkedin.com/authwall?x", "LinkedIn", 200, Some("inloggning")),
            ("https://consent.youtube.com/m?x", "YouTube", 200, Some("kakor")),
            (asked, "Innan du fortsätter till YouTube", 200, Some("kakor")),
            (asked, "Sidan finns inte", 404, Some("finns inte längre")),
            (asked, "Sidan finns inte | Kommunen", 200, Some("inte finns")),
            (asked, "Nej", 403, Some("behörighet")),
            (asked, "Fel", 503, Some("HTTP 503")),
        ];
        for (final_url, title, status, expected) in table {
            let found = stands_before(asked, &shot(final_url, title, status));
            match expected {
                None => assert_eq!(found, None, "{final_url} {title}"),
                Some(words) => {
                    assert!(found.is_some_and(|f| f.contains(words)), "{final_url} {title}")
                }
            }
        }
        let about = "https://blogg.example/login/#comment-4";
        assert_eq!(stands_before(about, &shot(about, "Nytt sätt att logga in", 200)), None);
    }
}
