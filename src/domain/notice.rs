//! Notices (*aviseringar*): who is told of what, when, and how it went.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::calendar::{is_working_day, local, stockholm};
use super::category::{Category, Severity};

/// How a person answers for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// *Kontoansvarig*: one for each account.
    Owner,
    /// *Redaktör* of the account.
    Editor,
    /// *Ersättare*: steps in when the owner is away or silent.
    Substitute,
}

impl Part {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Owner, Self::Editor, Self::Substitute];

    /// Identifier in the store and on the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Editor => "editor",
            Self::Substitute => "substitute",
        }
    }

    /// The Swedish word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Owner => "kontoansvarig",
            Self::Editor => "redaktör",
            Self::Substitute => "ersättare",
        }
    }

    /// The part with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|part| part.id() == id)
    }
}

/// How much a case hurries. What concerns somebody's life or safety is told at any hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody's life may be in danger.
    Life,
    /// A grave threat, or a call to violence.
    Threat,
    /// Nothing of the kind.
    Ordinary,
}

impl Urgency {
    /// Of a case by its place in the queue and what was found. Rank 0 is somebody's life.
    pub fn of(rank: u8, category: Option<Category>, severity: Option<Severity>) -> Self {
        let grave = severity == Some(Severity::High);
        match category {
            _ if rank == 0 => Self::Life,
            Some(Category::Threat | Category::Incitement) if grave => Self::Threat,
            Some(_) | None => Self::Ordinary,
        }
    }

    /// Whether it is told at any hour.
    pub const fn is_urgent(self) -> bool {
        match self {
            Self::Life | Self::Threat => true,
            Self::Ordinary => false,
        }
    }
}

/// When nobody is disturbed but for what is urgent: outside the hours of the day, and on free days where so
/// set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// The first moment of a day at which notices are sent.
    pub opens: Time,
    /// From when on they wait for the next day. After `opens`.
    pub closes: Time,
    /// Whether days that are no working days are quiet altogether.
    pub free_days: bool,
}

impl QuietHours {
    /// The first moment from `at` on at which something not urgent may be sent.
    pub fn next_open(&self, at: Timestamp) -> Timestamp {
        let wall = local(at).datetime();
        let today = self.is_open_on(wall.date()) && wall.time() < self.closes;
        if today && wall.time() >= self.opens {
            return at;
        }
        let mut day = wall.date();
        if !today {
            day = later(day);
            // Free days never stand in a row for more than a week.
            for _ in 0..14 {
                if self.is_open_on(day) {
                    break;
                }
                day = later(day);
            }
        }
        instant(day.to_datetime(self.opens)).max(at)
    }

    fn is_open_on(&self, day: Date) -> bool {
        !self.free_days || is_working_day(day)
    }
}

fn later(day: Date) -> Date {
    day.checked_add(1.day()).unwrap_or(day)
}

fn instant(at: DateTime) -> Timestamp {
    at.to_zoned(stockholm()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// By what way somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// By mail.
    Mail,
    /// By a webhook.
    Webhook,
}

impl Channel {
    /// Identifier in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    /// The channel with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Mail, Self::Webhook].into_iter().find(|channel| channel.id() == id)
    }
}

/// Waits between two tries, in minutes; the last one goes on.
const WAITS_MIN: [i64; 6] = [1, 2, 5, 15, 30, 60];

/// How long something urgent is tried before a person is asked to tell it in another way.
const URGENT_TRIED: SignedDuration = SignedDuration::from_mins(30);

/// The same for everything else: a mail server may be away for a night.
const TRIED: SignedDuration = SignedDuration::from_hours(24);

/// When a notice that did not come through is tried again; nothing when it is given up and a person
/// takes over. `since` is when it failed first, not when it was made: it may have waited for a
/// morning. `attempts` counts the one that just failed.
pub fn next_try(
    since: Timestamp,
    now: Timestamp,
    attempts: u32,
    urgent: bool,
) -> Option<Timestamp> {
    let n = attempts.saturating_sub(1) as usize;
    let wait = WAITS_MIN.get(n).copied().unwrap_or(60);
    let next = now.checked_add(SignedDuration::from_mins(wait)).ok()?;
    (!is_given_up(since, next, urgent)).then_some(next)
}

/// Whether what has failed since then is given up now.
pub fn is_given_up(since: Timestamp, now: Timestamp, urgent: bool) -> bool {
    now.duration_since(since) > if urgent { URGENT_TRIED } else { TRIED }
}
