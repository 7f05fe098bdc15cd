//! Deciding on many cases in one act: how many, what is left to each case by itself, and how long it can be
//! undone.
//!
//! Each case is decided by itself, by the same checks as alone; nothing here makes one of many.

use jiff::{SignedDuration, Timestamp};

use super::action::ActionKind;
use super::decision::{Choice, Decision};
use super::ground::Ground;
use super::ids::{BulkId, CaseId, DecisionId};

/// So many cases are decided at once, at most.
pub const MOST_TOGETHER: u32 = 200;

/// What each decision may take of the time to undo, so that the first can still be undone when the last is made.
const FOR_EACH: SignedDuration = SignedDuration::from_millis(50);

/// A case as a person saw it on the page that they decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pick {
    /// The case.
    pub case: CaseId,
    /// The revision that was seen; a decision on another is refused.
    pub revision: u64,
}

/// Over which accounts similar cases are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// All of them.
    AllAccounts,
    /// That of the case.
    ItsAccount,
}

/// What became of one case of an act that decided many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// Decided.
    Decided {
        /// By which decision.
        decision: DecisionId,
        /// What was chosen.
        choices: Vec<Choice>,
        /// What of it a person does on the platform itself.
        by_hand: Vec<ActionKind>,
        /// When that was undone.
        undone_at: Option<Timestamp>,
        /// Why it was not undone with the others, in Swedish.
        stays: Option<String>,
    },
    /// Not decided, and why, in Swedish.
    Refused(String),
    /// Not come to: still on its way, or the program stopped before it.
    NotComeTo,
}

/// The act that a decision was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// Its number.
    pub bulk: BulkId,
    /// How many cases were picked.
    pub n_cases: usize,
    /// Until when all of it can be undone.
    pub undo_until: Timestamp,
}

impl Within {
    /// For the case's history.
    pub fn words(&self) -> String {
        match self.n_cases.saturating_sub(1) {
            0 => format!("Beslutat från en lista (urval {})", self.bulk),
            1 => format!("Beslutat tillsammans med ett ärende till (urval {})", self.bulk),
            n => format!("Beslutat tillsammans med {n} andra ärenden (urval {})", self.bulk),
        }
    }
}

/// Until when so many decisions can be undone in one act, where each by itself could be for `undo`.
pub fn undo_until(now: Timestamp, undo: SignedDuration, n_cases: usize) -> Timestamp {
    let slack = FOR_EACH.saturating_mul(i32::try_from(n_cases).unwrap_or(i32::MAX));
    now.saturating_add(undo.saturating_add(slack)).unwrap_or(now)
}

/// Why no cases at all are decided in this way together, in Swedish.
pub fn refuses(decision: &Decision) -> Option<&'static str> {
    if decision.ground() == Some(Ground::ChildAbuse) {
        return Some(
            "Misstanke om barnpornografibrott hanteras i varje ärende för sig: öppna ärendet och spärra det där.",
        );
    }
    decision.choices().iter().find_map(|choice| match choice {
        Choice::Forward { .. } => {
            Some("Vidarebefordra gör du i varje ärende för sig, så att rätt underlag följer med.")
        }
        Choice::Report { .. } => {
            Some("Anmäl till plattformen gör du i varje ärende för sig: skälet gäller ett inlägg.")
        }
        Choice::Unhide => Some("Visa igen gör du i varje ärende för sig."),
        Choice::Hide
        | Choice::Delete
        | Choice::Register
        | Choice::NotRegister { .. }
        | Choice::Answer { .. }
        | Choice::Refer { .. }
        | Choice::Dismiss
        | Choice::ConsiderPoliceReport
        | Choice::Hold { .. } => None,
    })
}

/// How much is at stake in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It stands first in the queue since somebody's life may be at stake.
    Life,
    /// A threat, or something else of the highest severity.
    Grave,
    /// Anything else.
    Other,
}

/// Why one case is left to be decided by itself, in Swedish.
pub fn left_to_itself(decision: &Decision, barred: bool, weight: Weight) -> Option<&'static str> {
    if barred {
        return Some("Inlägget är spärrat mot kopiering. Det avgörs i ärendet.");
    }
    let puts_aside = decision.choices().iter().any(|choice| match choice {
        Choice::Dismiss | Choice::Hold { .. } => true,
        Choice::Hide
        | Choice::Unhide
        | Choice::Delete
        | Choice::Register
        | Choice::NotRegister { .. }
        | Choice::Answer { .. }
        | Choice::Refer { .. }
        | Choice::Forward { .. }
        | Choice::Report { .. }
        | Choice::ConsiderPoliceReport => false,
    });
    if !puts_aside {
        return None;
    }
    match weight {
        Weight::Life => Some(
            "Det kan gälla någons liv eller hälsa. Läs det i ärendet innan du avfärdar det eller låter det vila.",
        ),
        Weight::Grave => Some(
            "Det är bedömt som allvarligt. Läs det i ärendet innan du avfärdar det eller låter det vila.",
        ),
        Weight::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(choice: Choice) -> Decision {
        Decision::new(vec![choice], Some(Ground::Threat), None).unwrap()
    }

    #[test]
    fn what_needs_eyes_on_each_case_is_not_done_to_many() {
        let child = Decision::new(vec![Choice::Hide], Some(Ground::ChildAbuse), None).unwrap();
        assert!(refuses(&child).is_some());
        let forward = Choice::Forward { to: "a@exempel.example".into(), note: String::new() };
        assert!(refuses(&decision(forward)).is_some());
        assert_eq!(refuses(&decision(Choice::Hide)), None);
        let left = |choice, barred, weight| left_to_itself(&decision(choice), barred, weight);
        let hold = || Choice::Hold { until: Timestamp::UNIX_EPOCH };
        assert!(left(Choice::Hide, true, Weight::Other).is_some());
        for weight in [Weight::Life, Weight::Grave] {
            assert!(left(Choice::Dismiss, false, weight).is_some());
            assert!(left(hold(), false, weight).is_some());
            assert_eq!(left(Choice::Hide, false, weight), None);
        }
        assert_eq!(left(Choice::Dismiss, false, Weight::Other), None);
    }

    #[test]
    fn the_time_to_undo_grows_with_what_is_to_be_decided() {
        let now = Timestamp::UNIX_EPOCH;
        let until = |n| undo_until(now, SignedDuration::from_secs(10), n).duration_since(now);
        assert_eq!(until(1), SignedDuration::from_millis(10_050));
        assert_eq!(until(200), SignedDuration::from_secs(20));
    }
}
