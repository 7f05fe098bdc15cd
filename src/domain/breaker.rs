//! The circuit breaker of an account: after repeated failures of one kind the account rests, and one call at
//! a time finds out whether it is well again. Rests grow, and never longer than what is written down of how
//! often the account has to be read.
//!
//! A wait that the platform itself asks for (a rate limit, a quota) is no failure of the account and opens
//! nothing; it is obeyed all the same, also past the ceiling: calls before it would only lengthen it.

use jiff::{SignedDuration, Timestamp};

/// The kinds of failure that are told apart: by what mends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// The platform does not answer as it should.
    NoAnswer,
    /// The platform has asked us to wait.
    Asked,
    /// The token has run out, and renewing it has not helped so far.
    Expired,
    /// The platform does not take our login any more.
    Login,
    /// The platform takes the login and lets it do too little.
    Barred,
    /// The platform's answers are not understood.
    Unreadable,
    /// Something on this machine.
    Here,
}

impl Trouble {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::NoAnswer,
        Self::Asked,
        Self::Expired,
        Self::Login,
        Self::Barred,
        Self::Unreadable,
        Self::Here,
    ];

    /// Identifier in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Asked => "asked",
            Self::Expired => "expired",
            Self::Login => "login",
            Self::Barred => "barred",
            Self::Unreadable => "unreadable",
            Self::Here => "here",
        }
    }

    /// The one with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|trouble| trouble.id() == id)
    }

    /// In Swedish, after "eftersom".
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoAnswer => "plattformen inte svarar som den ska",
            Self::Asked => "plattformen ber oss vänta",
            Self::Expired => "inloggningen har gått ut",
            Self::Login => "plattformen inte längre godtar inloggningen",
            Self::Barred => "inloggningen inte räcker till",
            Self::Unreadable => "plattformens svar inte går att förstå",
            Self::Here => "något på den här datorn är i vägen",
        }
    }

    /// How many in a row open the breaker; nothing where none do.
    const fn opens_at(self) -> Option<u32> {
        match self {
            Self::NoAnswer => Some(5),
            Self::Asked => None,
            Self::Expired => Some(3),
            // These do not pass by themselves: a person has to mend them.
            Self::Login | Self::Barred | Self::Unreadable | Self::Here => Some(1),
        }
    }

    /// Whether the account has to be connected anew.
    pub const fn is_of_login(self) -> bool {
        match self {
            Self::Expired | Self::Login => true,
            Self::NoAnswer | Self::Asked | Self::Barred | Self::Unreadable | Self::Here => false,
        }
    }

    /// Whether a person has to act before it can go well.
    pub const fn needs_a_person(self) -> bool {
        match self {
            Self::NoAnswer | Self::Asked | Self::Expired => false,
            Self::Login | Self::Barred | Self::Unreadable | Self::Here => true,
        }
    }
}

/// The shortest and longest wait after failures in a row (platform sheet, section 1.5).
const FIRST: SignedDuration = SignedDuration::from_secs(1);
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// Doubled so often the first wait is past the longest.
const MOST_DOUBLINGS: u32 = 10;

/// The longest rest where an account has to be read at least so often. What the policy lets pass between two
/// looks holds two probes, so that one that fails leaves time for another.
pub fn ceiling(reads_within: Option<SignedDuration>) -> SignedDuration {
    let half = reads_within.map(|most| most.checked_div(2).unwrap_or(most));
    half.map_or(LONGEST, |half| half.clamp(FIRST, LONGEST))
}

/// 1 s, 2 s, 4 s … up to the ceiling.
pub fn growing(failures: u32, ceiling: SignedDuration) -> SignedDuration {
    let doubled = FIRST.as_secs() << failures.min(MOST_DOUBLINGS);
    SignedDuration::from_secs(doubled).min(ceiling)
}

/// Where the breaker of one account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    /// It is read as usual, perhaps with some failures behind it.
    Closed {
        /// Failures in a row, of any kind.
        failures: u32,
        /// The kind of the last one, and how many of that kind came in a row.
        alike: Option<(Trouble, u32)>,
        /// Not before this.
        next_at: Timestamp,
    },
    /// It rests.
    Open {
        /// Why.
        why: Trouble,
        /// Since when it has not been well.
        since: Timestamp,
        /// Failures in a row, those of probes too.
        failures: u32,
        /// When a probe is due.
        until: Timestamp,
    },
    /// Its rest is over: one call finds out whether it is well.
    HalfOpen {
        /// Why it rested.
        why: Trouble,
        /// Since when it has not been well.
        since: Timestamp,
        /// Failures in a row, those of probes too.
        failures: u32,
    },
}

/// What may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call went well; the account is next read at this time.
    Answered {
        /// When it is read next.
        next_at: Timestamp,
    },
    /// A call failed.
    Failed {
        /// Of which kind.
        why: Trouble,
        /// When.
        at: Timestamp,
        /// The platform's own word on when to come back, where it gave one.
        not_before: Option<Timestamp>,
        /// The longest rest: see [`ceiling`].
        ceiling: SignedDuration,
    },
    /// Time has passed.
    Tick {
        /// The time.
        at: Timestamp,
    },
}

impl Breaker {
    /// As it begins.
    pub const fn new(next_at: Timestamp) -> Self {
        Self::Closed { failures: 0, alike: None, next_at }
    }

    /// Identifier in logs and tables.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }

    /// What becomes of it.
    #[must_use]
    pub fn on(self, event: Event) -> Self {
        match (self, event) {
            (
                Self::Closed { .. } | Self::Open { .. } | Self::HalfOpen { .. },
                Event::Answered { next_at },
            ) => Self::new(next_at),
            (
                Self::Closed { failures, alike, .. },
                Event::Failed { why, at, not_before, ceiling },
            ) => {
                let failed = failures.saturating_add(1);
                let before = alike.filter(|(kind, _)| *kind == why).map_or(0, |(_, n)| n);
                let in_a_row = before.saturating_add(1);
                let next_at = again(why, failures, at, not_before, ceiling);
                if why.opens_at().is_some_and(|most| in_a_row >= most) {
                    Self::Open { why, since: at, failures: failed, until: next_at }
                } else {
                    Self::Closed { failures: failed, alike: Some((why, in_a_row)), next_at }
                }
            }
            // A call that was begun before it opened, or the probe itself. A wait that the platform asks for
            // proves nothing of what was wrong.
            (
                Self::Open { why: was, since, failures, .. }
                | Self::HalfOpen { why: was, since, failures },
                Event::Failed { why, at, not_before, ceiling },
            ) => Self::Open {
                why: if why == Trouble::Asked { was } else { why },
                since,
                failures: failures.saturating_add(1),
                until: again(why, failures, at, not_before, ceiling),
            },
            (Self::Open { why, since, failures, until }, Event::Tick { at }) if at >= until => {
                Self::HalfOpen { why, since, failures }
            }
            (
                same @ (Self::Closed { .. } | Self::Open { .. } | Self::HalfOpen { .. }),
                Event::Tick { .. },
            ) => same,
        }
    }

    /// When the account may be called next; nothing where it may be now, as a probe.
    pub const fn next_at(self) -> Option<Timestamp> {
        match self {
            Self::Closed { next_at, .. } => Some(next_at),
            Self::Open { until, .. } => Some(until),
            Self::HalfOpen { .. } => None,
        }
    }

    /// Why and since when the account is not well; nothing while it is read as usual.
    pub const fn opened(self) -> Option<(Trouble, Timestamp)> {
        match self {
            Self::Closed { .. } => None,
            Self::Open { why, since, .. } | Self::HalfOpen { why, since, .. } => Some((why, since)),
        }
    }

    /// Failures in a row.
    pub const fn failures(self) -> u32 {
        match self {
            Self::Closed { failures, .. }
            | Self::Open { failures, .. }
            | Self::HalfOpen { failures, .. } => failures,
        }
    }
}

/// When a call may go again after one that failed with so many failures before it.
fn again(
    why: Trouble,
    failures: u32,
    at: Timestamp,
    not_before: Option<Timestamp>,
    ceiling: SignedDuration,
) -> Timestamp {
    // What a person has to mend is tried at the longest rest all the same: a password that was mended at the
    // platform needs no visit to our page.
    let rest = if why.needs_a_person() { ceiling } else { growing(failures, ceiling) };
    let ours = at.saturating_add(rest).unwrap_or(Timestamp::MAX);
    not_before.map_or(ours, |theirs| theirs.max(ours))
}
