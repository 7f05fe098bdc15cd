//! The steps of logging in, one's own log-in, and everybody's.

use std::fmt::Write as _;

use askama::Template;
use qrcodegen::{QrCode, QrCodeEcc};

use super::shell::{Notice, Place, Shell};
use super::times::Moment;
use crate::domain::sign_in::in_fours;

/// The page `/logga-in/kod`.
#[derive(Clone, Debug, Template)]
#[template(path = "login_code.html", config = "src/web/askama.toml")]
pub struct CodePage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was wrong with the last code.
    pub notice: Option<Notice>,
    /// What the form carries.
    pub csrf: String,
    /// Where to go afterwards.
    pub then: String,
}

/// A picture that an authenticator reads, as squares of a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Squares in each row, the white margin included.
    pub size: i32,
    /// The dark squares, as an SVG path.
    pub dark: String,
    /// All of it, as an SVG path.
    pub all: String,
}

/// The white margin that readers need, in squares (ISO/IEC 18004, section 6.3.8).
const MARGIN: i32 = 4;

impl Picture {
    /// A picture of a text; none where it is too long for one.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let size = code.size() + 2 * MARGIN;
        let mut dark = String::new();
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                // Writing to a string cannot fail.
                let _ = write!(dark, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
            }
        }
        Some(Self { size, dark, all: format!("M0 0h{size}v{size}h-{size}z") })
    }
}

/// A text as it stands within an address.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// What an authenticator is set up with: who it is for, where, and the secret.
pub fn setup_address(authority: &str, login: &str, secret: &str) -> String {
    let issuer = percent(&format!("Uppsikt {authority}"));
    format!("otpauth://totp/{issuer}:{}?secret={secret}&issuer={issuer}", percent(login))
}

/// The page where a second factor is set up: `/logga-in/tvasteg`, `/mig/tvasteg`.
#[derive(Clone, Debug, Template)]
#[template(path = "second_factor.html", config = "src/web/askama.toml")]
pub struct FactorPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was wrong with the last try.
    pub notice: Option<Notice>,
    /// What the form carries.
    pub csrf: String,
    /// Where to go afterwards.
    pub then: String,
    /// Where the form goes.
    pub action: &'static str,
    /// Whether the person has logged in already, and shows the password once more.
    pub inside: bool,
    /// The secret, to be typed.
    pub secret: String,
    /// The secret, to be pointed at.
    pub picture: Option<Picture>,
}

impl FactorPage {
    /// The page for a secret.
    pub fn new(shell: Shell, login: &str, secret: &str) -> Self {
        let picture = Picture::of(&setup_address(&shell.authority, login, secret));
        Self {
            shell,
            notice: None,
            csrf: String::new(),
            then: "/".to_owned(),
            action: "/logga-in/tvasteg",
            inside: false,
            secret: in_fours(secret),
            picture,
        }
    }
}

/// Recovery codes, shown once.
#[derive(Clone, Template)]
#[template(path = "recovery_codes.html", config = "src/web/askama.toml")]
pub struct CodesPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The codes.
    pub codes: Vec<String>,
    /// Where to go on.
    pub then: String,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// What names it in a form.
    pub mark: String,
    /// Whether it is the one at the page.
    pub own: bool,
    /// When it was opened.
    pub opened: Moment,
    /// When it was last used.
    pub seen: Moment,
    /// When it ends by itself.
    pub ends: Moment,
    /// From where.
    pub address: String,
    /// By what way.
    pub way: &'static str,
}

/// One's own second factor in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorView {
    /// The log-in is elsewhere.
    Elsewhere,
    /// There is none.
    None,
    /// There is one: since when, recovery codes left, whether it may be taken away.
    Set(Moment, u64, bool),
}

/// The page `/mig`.
#[derive(Clone, Debug, Template)]
#[template(path = "me.html", config = "src/web/askama.toml")]
pub struct MePage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was done, or why not.
    pub notice: Option<Notice>,
    /// The second factor.
    pub factor: FactorView,
    /// Open sessions.
    pub sessions: Vec<SessionView>,
    /// Keys that act for the person: name and what is shown of it, who made it when, until when.
    pub keys: Vec<(String, String, String)>,
    /// Whether the person administers users.
    pub manages: bool,
}

/// A user in the administrator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SomebodyView {
    /// Its number.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Login name.
    pub login: String,
    /// Role in words.
    pub role: &'static str,
    /// May log in.
    pub active: bool,
    /// Whether it is the person at the page.
    pub own: bool,
    /// Whether there is a second factor.
    pub has_factor: bool,
    /// How they log in, in words.
    pub how: &'static str,
    /// Open sessions.
    pub sessions: Vec<SessionView>,
}

impl SomebodyView {
    /// Where the forms that end one of their sessions go.
    fn end_action(&self) -> String {
        format!("/anvandare/{}/avsluta", self.id)
    }
}

/// The page `/anvandare`.
#[derive(Clone, Debug, Template)]
#[template(path = "users.html", config = "src/web/askama.toml")]
pub struct UsersPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was done, or why not.
    pub notice: Option<Notice>,
    /// Everybody.
    pub users: Vec<SomebodyView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_up_names_authority_and_person_and_nothing_in_it_breaks_out() {
        let address = setup_address("Exempelstads kommun", "kim&issuer=fel@å", "MZXW6");
        assert_eq!(
            address,
            "otpauth://totp/Uppsikt%20Exempelstads%20kommun:kim%26issuer%3Dfel%40%C3%A5?secret=MZXW6&issuer=Uppsikt%20Exempelstads%20kommun"
        );
        let picture = Picture::of(&address).unwrap();
        // The finder in the corner, inside its margin.
        assert!(picture.dark.starts_with("M4 4h1v1h-1zM5 4h1v1h-1z"));
        assert!(picture.size > 2 * MARGIN + 21);
        assert!(Picture::of(&"x".repeat(5_000)).is_none());
    }
}
