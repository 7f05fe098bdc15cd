//! Reports from the public (*anmälan utifrån*): somebody outside says that something we show may be unlawful. The
//! report is an incoming document by itself, whatever becomes of what it is about.

use jiff::Timestamp;
use url::Url;

use super::ids::CaseId;
use super::text::hidden_at;

/// The longest link, in bytes.
pub const LONGEST_LINK: usize = 2_000;
/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 3_000;
/// The longest contact, in characters.
pub const LONGEST_CONTACT: usize = 200;
/// The shortest reason that says anything, in characters.
const SHORTEST_REASON: usize = 5;

/// Where a report stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportState {
    /// Nothing we know has that link: a person has to find it.
    New,
    /// It belongs to a case, and nobody has said yet that they have read it.
    Joined,
    /// Somebody has read it and taken it into account.
    Read,
    /// It leads to nothing, for a written reason.
    SetAside,
}

impl ReportState {
    /// All of them.
    pub const ALL: &[Self] = &[Self::New, Self::Joined, Self::Read, Self::SetAside];

    /// Identifier in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Joined => "joined",
            Self::Read => "read",
            Self::SetAside => "set_aside",
        }
    }

    /// The state with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.id() == id)
    }

    /// In Swedish.
    pub const fn label(self) -> &'static str {
        match self {
            Self::New => "väntar på att någon hittar inlägget",
            Self::Joined => "hör till ett ärende och väntar på att läsas",
            Self::Read => "läst och beaktad",
            Self::SetAside => "lagd åt sidan",
        }
    }

    /// Whether a person still has something to do about it.
    pub const fn waits(self) -> bool {
        match self {
            Self::New | Self::Joined => true,
            Self::Read | Self::SetAside => false,
        }
    }
}

/// A report as it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicReport {
    /// Its number.
    pub id: i64,
    /// What whoever sent it was told.
    pub receipt: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// What it points at; nothing when it has been disposed of.
    pub link: Option<String>,
    /// What is wrong with it, in their words; nothing when it has been disposed of.
    pub reason: Option<String>,
    /// How they can be reached.
    pub contact: Option<String>,
    /// Where it stands.
    pub state: ReportState,
    /// The case that it belongs to.
    pub case: Option<CaseId>,
    /// Who has read it or set it aside, when, and their words.
    pub ended: Option<(String, Timestamp, Option<String>)>,
}

/// What somebody wrote stays out of logs.
impl std::fmt::Debug for PublicReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicReport").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What was typed into the form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// Where it stands.
    pub link: String,
    /// What is wrong with it.
    pub reason: String,
    /// How the person can be reached; may be empty.
    pub contact: String,
}

/// A report that can be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// Where it stands.
    pub link: Url,
    /// What is wrong with it.
    pub reason: String,
    /// How the person can be reached.
    pub contact: Option<String>,
}

/// What somebody wrote stays out of logs.
impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report").field("host", &self.link.host_str()).finish_non_exhaustive()
    }
}

/// What is wrong with a form, by field, in Swedish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faulty {
    /// The link.
    Link(&'static str),
    /// The reason.
    Reason(&'static str),
    /// The contact.
    Contact(&'static str),
}

impl Faulty {
    /// What to mend.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Link(words) | Self::Reason(words) | Self::Contact(words) => words,
        }
    }
}

/// Plain text that shows all that it holds.
fn is_plain(text: &str, lines: bool) -> bool {
    !text.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\t')))
        && hidden_at(text).is_empty()
}

impl Report {
    /// Checks what was typed.
    ///
    /// # Errors
    /// [`Faulty`]: the first field that does not do.
    pub fn check(typed: &Typed) -> Result<Self, Faulty> {
        let link = typed.link.trim();
        if link.is_empty() {
            return Err(Faulty::Link("Klistra in länken till inlägget."));
        }
        if link.len() > LONGEST_LINK {
            return Err(Faulty::Link("Länken är för lång: högst 2 000 tecken får plats."));
        }
        let url = Url::parse(link).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some()
                && url.username().is_empty()
                && url.password().is_none()
        });
        let Some(link) = url else {
            return Err(Faulty::Link(
                "Länken ska börja med https:// eller http://. Kopiera den från webbläsarens adressfält.",
            ));
        };
        // Letters outside ASCII are spelled out in it.
        if link.as_str().len() > LONGEST_LINK {
            return Err(Faulty::Link("Länken är för lång: högst 2 000 tecken får plats."));
        }
        let reason = typed.reason.replace("\r\n", "\n").trim().to_owned();
        let length = reason.chars().count();
        if length < SHORTEST_REASON {
            return Err(Faulty::Reason("Skriv med några ord varför du anmäler inlägget."));
        }
        if length > LONGEST_REASON {
            return Err(Faulty::Reason("Texten är för lång: högst 3 000 tecken får plats."));
        }
        if !is_plain(&reason, true) {
            return Err(Faulty::Reason(
                "Texten innehåller tecken som inte går att visa. Skriv om den för hand.",
            ));
        }
        let contact = typed.contact.trim();
        if contact.chars().count() > LONGEST_CONTACT {
            return Err(Faulty::Contact(
                "Kontaktuppgiften är för lång: högst 200 tecken får plats.",
            ));
        }
        if !is_plain(contact, false) {
            return Err(Faulty::Contact(
                "Kontaktuppgiften innehåller tecken som inte går att visa. Skriv om den för hand.",
            ));
        }
        let contact = (!contact.is_empty()).then(|| contact.to_owned());
        Ok(Self { link, reason, contact })
    }
}

/// All of a report as bytes, for its hash: the same report gives the same.
pub fn bytes(link: Option<&Url>, reason: &str, contact: Option<&str>) -> Vec<u8> {
    let link = link.map(Url::as_str).unwrap_or_default();
    [link, reason, contact.unwrap_or_default()].join("\0").into_bytes()
}

/// What a link carries along from where it was shared, and says nothing of what it leads to.
fn is_tracking(name: &str) -> bool {
    name.starts_with("utm_")
        || matches!(
            name,
            "fbclid" | "igshid" | "igsh" | "gclid" | "si" | "ref" | "__cft__[0]" | "__tn__"
        )
}

/// Host as people mean it: `m.facebook.com` and `www.facebook.com` lead to the same.
fn bare_host(host: &str) -> &str {
    ["www.", "m.", "mobile."].into_iter().find_map(|head| host.strip_prefix(head)).unwrap_or(host)
}

/// What stands behind the `#`, unless it is a browser's own highlighting.
fn anchor(link: &Url) -> Option<&str> {
    link.fragment().filter(|fragment| !fragment.is_empty() && !fragment.starts_with(":~:"))
}

/// The same link without its anchor, where it has one: some are added by whoever shares it and mean nothing.
pub fn without_anchor(link: &Url) -> Option<Url> {
    link.fragment()?;
    let mut plain = link.clone();
    plain.set_fragment(None);
    Some(plain)
}

/// Under which forms a link may stand in the store: as written, and with what does not matter left out or put in.
/// At most some dozen.
pub fn forms(link: &Url) -> Vec<String> {
    let mut plain = link.clone();
    plain.set_fragment(None);
    let kept: Vec<(String, String)> = plain
        .query_pairs()
        .filter(|(name, _)| !is_tracking(name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    match kept.is_empty() {
        true => plain.set_query(None),
        false => {
            plain.query_pairs_mut().clear().extend_pairs(kept);
        }
    }
    // What an anchor points at is what is meant: forums name a comment so.
    let anchor = anchor(link).map_or(String::new(), |fragment| format!("#{fragment}"));
    let mut all = vec![link.to_string(), format!("{plain}{anchor}")];
    let Some(host) = plain.host_str().map(|host| bare_host(host).to_owned()) else { return all };
    let slash = plain.path().trim_end_matches('/').to_owned();
    for scheme in ["https", "http"] {
        for head in ["", "www.", "m."] {
            for path in [slash.clone(), format!("{slash}/")] {
                let port = plain.port().map_or(String::new(), |port| format!(":{port}"));
                let query = plain.query().map_or(String::new(), |query| format!("?{query}"));
                all.push(format!("{scheme}://{head}{host}{port}{path}{query}{anchor}"));
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The word of a link that may be a platform's number of an item: the last in its query, or else in its path. What
/// stands before it is the number of the post above.
pub fn numbers(link: &Url) -> Vec<String> {
    let is_number = |text: &&str| {
        (5..=200).contains(&text.len())
            && text.chars().any(|c| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    };
    let parts = link.path_segments().into_iter().flatten().filter(is_number).map(str::to_owned);
    let query = link.query_pairs().filter(|(name, _)| !is_tracking(name));
    let query = query.map(|(_, value)| value.into_owned());
    let query = query.filter(|value| is_number(&value.as_str()));
    // What is told last is the most exact: the comment under a post.
    let mut all: Vec<_> = parts.chain(query).collect();
    all.reverse();
    all.truncate(1);
    all
}

/// Whether two links lead to the same site.
pub fn same_site(one: &Url, other: &str) -> bool {
    let other = Url::parse(other).ok();
    let host = |url: &Url| url.host_str().map(|host| bare_host(host).to_owned());
    host(one).is_some() && other.as_ref().and_then(host) == host(one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(link: &str, reason: &str, contact: &str) -> Typed {
        Typed { link: link.into(), reason: reason.into(), contact: contact.into() }
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_field() {
        let good = "https://exempel.example/1";
        let check = |link, reason, contact| Report::check(&typed(link, reason, contact));
        assert!(check(good, "Det är ett hot.", "").is_ok());
        for link in [
            "",
            "javascript:alert(1)",
            "exempel.example/1",
            "https://u:p@exempel.example/",
            "file:///etc/passwd",
        ] {
            assert!(matches!(check(link, "Det är ett hot.", ""), Err(Faulty::Link(_))), "{link}");
        }
        let (long, longer) = ("x".repeat(3_001), "x".repeat(201));
        for reason in ["", " hot ", "ett\u{202e}hot", "a\u{0}bcdef", &long] {
            assert!(matches!(check(good, reason, ""), Err(Faulty::Reason(_))), "{reason:?}");
        }
        for contact in ["a\nb", &longer] {
            assert!(matches!(check(good, "Det är ett hot.", contact), Err(Faulty::Contact(_))));
        }
        assert!(!format!("{:?}", check(good, "hemligt ord", "kim").unwrap()).contains("hemligt"));
    }

    #[test]
    fn a_link_is_known_by_what_it_leads_to() {
        let of = |link: &str| forms(&Url::parse(link).unwrap());
        let stored = "https://www.facebook.com/exempel/posts/12345?comment_id=678910";
        for shared in [
            stored,
            "https://m.facebook.com/exempel/posts/12345?comment_id=678910&fbclid=abc",
            "http://facebook.com/exempel/posts/12345/?comment_id=678910#:~:text=x",
        ] {
            assert!(of(shared).iter().any(|form| form == stored), "{shared}");
        }
        // Another comment under the same post is another one.
        assert!(!of("https://forum.example/5#k-7").contains(&"https://forum.example/5".to_owned()));
        let bare = without_anchor(&Url::parse("https://forum.example/5#k-7").unwrap()).unwrap();
        assert_eq!((bare.as_str(), without_anchor(&bare)), ("https://forum.example/5", None));
        assert!(
            of("https://forum.example/trad/5#kommentar-7")
                .contains(&"https://www.forum.example/trad/5#kommentar-7".to_owned())
        );
        assert!(
            !of("https://facebook.com/exempel/posts/12345?comment_id=1")
                .contains(&stored.to_owned())
        );
        let numbers = numbers(&Url::parse(stored).unwrap());
        assert_eq!(numbers, ["678910"]);
        assert!(same_site(&Url::parse(stored).unwrap(), "https://m.facebook.com/x"));
        assert!(!same_site(&Url::parse(stored).unwrap(), "https://facebook.example/x"));
    }

    proptest! {
        #[test]
        fn any_link_has_few_forms(path in "[a-zA-Z0-9/._?&=#-]{0,80}") {
            if let Ok(link) = Url::parse(&format!("https://exempel.example/{path}")) {
                let all = forms(&link);
                prop_assert!(all.len() <= 40 && all.contains(&link.to_string()));
                prop_assert!(numbers(&link).len() <= 1);
            }
        }
    }
}
