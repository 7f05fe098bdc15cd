//! Logging in.

use askama::Template;

use super::shell::{Notice, Place, Shell};

/// The page `/logga-in`.
#[derive(Clone, Debug, Template)]
#[template(path = "login.html", config = "src/web/askama.toml")]
pub struct LoginPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Why the last try failed, or that the session ended.
    pub notice: Option<Notice>,
    /// The name that was typed.
    pub name: String,
    /// Where to go afterwards: a path on this site, checked by [`safe_return`].
    pub then: String,
    /// Ways to log in elsewhere: where, and what they are called.
    pub elsewhere: Vec<(String, String)>,
}

/// What was sent after the session had ended, and so was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaved {
    /// A decision.
    Decision,
    /// A decision that stands in the form again once its writer has logged in.
    Kept,
    /// Something else that would have changed something.
    Other,
}

impl Unsaved {
    /// What a form with this address would have done; nothing worth a word for logging out.
    pub fn by(path: &str) -> Option<Self> {
        match path {
            "/logga-ut" => None,
            _ if path.ends_with("/beslut") => Some(Self::Decision),
            _ => Some(Self::Other),
        }
    }

    /// The word in the address of the log-in page.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Decision => "nej",
            Self::Kept => "kvar",
            Self::Other => "inget",
        }
    }

    /// What the word in the address means.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Decision, Self::Kept, Self::Other].into_iter().find(|unsaved| unsaved.id() == id)
    }

    /// What the person has to know before they log in again.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Decision => {
                "Du har loggats ut. Beslutet sparades inte. Logga in, så kommer du tillbaka till ärendet."
            }
            Self::Kept => {
                "Du har loggats ut. Beslutet sparades inte, men det du fyllde i finns kvar. Logga in, så står det i ärendet igen."
            }
            Self::Other => {
                "Du har loggats ut. Det du gjorde sist sparades inte. Logga in och gör om det."
            }
        }
    }
}

/// The path to go to after login: only a path of this site, or the queue.
pub fn safe_return(asked: &str) -> &str {
    let inside = asked.starts_with('/')
        && !asked.starts_with("//")
        && !asked.contains(|c: char| c == '\\' || c.is_control())
        && !asked.starts_with("/logga-");
    if inside { asked } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site_after_login() {
        for (asked, then) in [
            ("/arende/4", "/arende/4"),
            ("/?visa=avslutade", "/?visa=avslutade"),
            ("", "/"),
            ("//fel.example", "/"),
            ("/\\fel.example", "/"),
            ("/\t/fel.example", "/"),
            ("https://fel.example", "/"),
            ("/logga-ut", "/"),
            ("/\0", "/"),
            ("/\u{b}", "/"),
            ("/\u{1f}/fel.example", "/"),
            ("/arende/4\u{7f}", "/"),
            ("/arende/4\r\nSet-Cookie: a=b", "/"),
            ("/\u{85}", "/"),
        ] {
            assert_eq!(safe_return(asked), then, "{asked}");
        }
    }
}
