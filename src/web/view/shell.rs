//! What surrounds every page: who is logged in, where we are, whether keys are on.

use jiff::Timestamp;

use crate::domain::person::{Act, Role};

/// The person at the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Shown name.
    pub name: String,
    /// Role in words.
    pub role: &'static str,
    /// Whether the menu leads to disposal.
    pub disposes: bool,
    /// Whether it leads to search.
    pub searches: bool,
    /// Whether it leads to the audit log.
    pub audits: bool,
}

impl Who {
    /// A person with a role.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self {
            name: name.into(),
            role: role.label(),
            disposes: role.may(Act::Dispose),
            searches: role.may(Act::Search),
            audits: role.may(Act::ReadAudit),
        }
    }
}

/// Which part of the site a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The queue and its cases.
    Queue,
    /// Search.
    Search,
    /// Awaiting diary numbers.
    Diary,
    /// Disposal and its protocols.
    Disposal,
    /// Accounts.
    Accounts,
    /// Rules and words.
    Rules,
    /// How the work goes.
    Statistics,
    /// The audit log.
    Audit,
    /// Help and keys.
    Help,
    /// Nothing in the menu.
    Elsewhere,
}

/// Whether single keys do things (WCAG 2.1.4). Kept in the cookie `uppsikt_tangenter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Keys work.
    On,
    /// Only buttons and forms.
    Off,
}

impl Keys {
    /// Name of the cookie. It holds no secret and lives as long as the browser wants.
    pub const COOKIE: &'static str = "uppsikt_tangenter";

    /// As the cookie says; on where it says nothing we know.
    pub fn from_cookie(value: Option<&str>) -> Self {
        if value == Some(Self::Off.id()) { Self::Off } else { Self::On }
    }

    /// The word in cookie, form and markup.
    pub const fn id(self) -> &'static str {
        match self {
            Self::On => "pa",
            Self::Off => "av",
        }
    }

    /// Whether they are on.
    pub const fn on(self) -> bool {
        match self {
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// What every page needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// The authority's name.
    pub authority: String,
    /// Who is logged in; nobody on the login page.
    pub who: Option<Who>,
    /// The token that every form carries, as [`csrf_token`](crate::web::guard::csrf_token) makes it. Empty
    /// where nobody is logged in.
    pub csrf: String,
    /// Whether keys are on.
    pub keys: Keys,
    /// Where we are.
    pub here: Place,
    /// Whether platforms are simulated: then every page says so.
    pub simulated: bool,
    /// The server's time as ISO 8601, so that countdowns do not trust the reader's clock.
    pub now: String,
    /// What every page says while a crisis stands.
    pub crisis: Option<String>,
}

impl Shell {
    /// Whether the person at the page may search.
    pub fn searches(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.searches)
    }

    /// The shell of a page for somebody who is not logged in.
    pub fn outside(authority: impl Into<String>, simulated: bool, now: Timestamp) -> Self {
        Self {
            authority: authority.into(),
            who: None,
            csrf: String::new(),
            keys: Keys::On,
            here: Place::Elsewhere,
            simulated,
            now: now.to_string(),
            crisis: None,
        }
    }

    /// The shell of a page for `who`.
    pub fn inside(
        authority: impl Into<String>,
        who: Who,
        csrf: String,
        keys: Keys,
        here: Place,
        simulated: bool,
        now: Timestamp,
    ) -> Self {
        Self { who: Some(who), csrf, keys, here, ..Self::outside(authority, simulated, now) }
    }

    /// For `aria-current` in the menu.
    pub fn is_at(&self, place: Place) -> bool {
        self.here == place
    }
}

/// A short message on top of a page after something was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What to say, in Swedish.
    pub words: String,
    /// Good news or a problem.
    pub kind: NoticeKind,
}

/// What sort of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// It is done and saved.
    Done,
    /// Nothing was done; the person must change something.
    Problem,
    /// Neither: something to know.
    Waits,
}

impl Notice {
    /// It is done and saved.
    pub fn done(words: impl Into<String>) -> Self {
        Self { words: words.into(), kind: NoticeKind::Done }
    }

    /// Nothing was done; the person must change something.
    pub fn problem(words: impl Into<String>) -> Self {
        Self { words: words.into(), kind: NoticeKind::Problem }
    }

    /// Something to know.
    pub fn waits(words: impl Into<String>) -> Self {
        Self { words: words.into(), kind: NoticeKind::Waits }
    }

    /// Class in the stylesheet.
    pub const fn class(&self) -> &'static str {
        match self.kind {
            NoticeKind::Waits => "notis vantar",
            NoticeKind::Done => "notis klart",
            NoticeKind::Problem => "notis problem",
        }
    }

    /// Role for those who hear the page.
    pub const fn role(&self) -> &'static str {
        match self.kind {
            NoticeKind::Done | NoticeKind::Waits => "status",
            NoticeKind::Problem => "alert",
        }
    }
}
