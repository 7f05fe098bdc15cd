//! Whether a rule fires as it used to: a rule that suddenly fires far above its past is more often
//! wrong (a new word, a name, a campaign nobody thought of) than the people are.

use jiff::Timestamp;
use std::sync::Arc;

use super::category::Severity;

/// How many days back the past reaches.
pub const PAST_DAYS: i64 = 28;
/// Below this a rule never alarms, whatever its past: a handful is no flood.
const FEWEST: u64 = 20;
/// An alarm is from this many times what the past lets expect.
const TIMES: u64 = 5;
/// And this many on top, so that rules that hardly ever fire do not alarm at the first post about
/// their subject.
const ON_TOP: u64 = 10;
/// How many texts the past must hold before it tells anything.
const FEWEST_PAST: u64 = 200;
/// Without a past: a rule that fires on more than one text in so many.
const ONE_IN: u64 = 4;

/// One day's share: how often a rule fired, of how many texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Texts on which it fired.
    pub fired: u64,
    /// Texts assessed.
    pub of: u64,
}

/// What watching a rule came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// As it used to.
    Calm,
    /// Far more than it used to: tell people.
    Alarm {
        /// What its past lets expect of today, rounded.
        expected: u64,
    },
    /// The same, and past its daily quota: from now on it is counted and not shown.
    Shadow {
        /// What its past lets expect of today, rounded.
        expected: u64,
    },
}

/// Judges a rule's day by its past, which reaches back to its own first day. What is grave is never
/// silenced, however often it fires; nor is a rule whose past is too short to tell what is usual.
pub fn watch(today: Share, past: Share, severity: Severity, quota: u64) -> Watch {
    let is_known = past.of >= FEWEST_PAST;
    let expected = if is_known {
        // Counts of texts: nowhere near the end of 64 bits.
        past.fired.saturating_mul(today.of) / past.of
    } else {
        today.of / ONE_IN / TIMES
    };
    if today.fired < FEWEST || today.fired <= TIMES.saturating_mul(expected) + ON_TOP {
        return Watch::Calm;
    }
    match severity {
        Severity::High => Watch::Alarm { expected },
        Severity::Low | Severity::Medium if is_known && today.fired > quota => {
            Watch::Shadow { expected }
        }
        Severity::Low | Severity::Medium => Watch::Alarm { expected },
    }
}

/// Who set a rule aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAside {
    /// The program, since it ran wild. People still see what it hits, without being told of the hit: a flood
    /// may hide what must be read.
    ByProgram,
    /// A person, who knows that it is wrong.
    ByPerson,
}

/// An alarm as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleAlarm {
    /// The rule.
    pub rule: Arc<str>,
    /// When it was raised.
    pub at: Timestamp,
    /// How often the rule had fired that day.
    pub fired: u64,
    /// What its past let expect.
    pub expected: u64,
    /// Whether the rule was set to shadow.
    pub shadowed: bool,
}

impl RuleAlarm {
    /// One Swedish sentence for editors.
    pub fn words(&self) -> String {
        let Self { rule, fired, expected, .. } = self;
        let much = format!(
            "Regeln {rule} har slagit till {fired} gånger i dag; väntat var ungefär {expected}."
        );
        if self.shadowed {
            format!(
                "{much} Träffarna visas inte längre, tills någon har sett på regeln. Det den slår till på läggs ändå i kön, så att någon läser det."
            )
        } else {
            format!("{much} Se efter om den träffar rätt.")
        }
    }
}

/// How people judged what a rule found: in so many decided cases, and in so many of them it was called wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Decided cases in which it had found something.
    pub of: u64,
    /// Of these, where a person called the finding wrong.
    pub wrong: u64,
}

impl Judged {
    /// The share that was right (*precision*), in whole per cent; nothing before a person has decided on any.
    pub const fn precision(self) -> Option<u64> {
        match self.of {
            0 => None,
            of => Some((of - if self.wrong > of { of } else { self.wrong }) * 100 / of),
        }
    }
}

/// What a rule has done lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFigures {
    /// The rule.
    pub rule: String,
    /// Set to shadow by the program or a person, with when and why.
    pub shadow: Option<(Timestamp, String)>,
    /// Today, of all texts.
    pub today: Share,
    /// The days before, of all texts.
    pub past: Share,
    /// Of all these, how many were counted in shadow.
    pub in_shadow: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_alarms_far_above_its_past_and_is_silenced_past_its_quota_unless_grave() {
        let past = Share { fired: 28, of: 2_800 };
        let today = |fired| Share { fired, of: 500 };
        let table = [
            (5, Severity::Medium, Watch::Calm),
            (19, Severity::Medium, Watch::Calm),
            (35, Severity::Medium, Watch::Calm),
            (36, Severity::Medium, Watch::Alarm { expected: 5 }),
            (200, Severity::Medium, Watch::Alarm { expected: 5 }),
            (201, Severity::Medium, Watch::Shadow { expected: 5 }),
            (201, Severity::Low, Watch::Shadow { expected: 5 }),
            (400, Severity::High, Watch::Alarm { expected: 5 }),
        ];
        for (fired, severity, expected) in table {
            assert_eq!(watch(today(fired), past, severity, 200), expected, "{fired} {severity:?}");
        }
    }

    #[test]
    fn many_texts_in_a_day_are_no_alarm_where_the_share_is_as_ever() {
        let past = Share { fired: 300, of: 3_000 };
        let today = Share { fired: 3_000, of: 30_000 };
        assert_eq!(watch(today, past, Severity::Medium, 200), Watch::Calm);
    }

    #[test]
    fn without_a_past_only_a_rule_that_fires_on_a_quarter_of_all_texts_alarms() {
        let past = Share::default();
        let today = |fired| Share { fired, of: 1_000 };
        assert_eq!(watch(today(260), past, Severity::Medium, 500), Watch::Calm);
        assert_eq!(watch(today(261), past, Severity::Medium, 500), Watch::Alarm { expected: 50 });
    }

    #[test]
    fn a_rule_without_a_past_is_never_silenced() {
        for past in [Share::default(), Share { fired: 1, of: 199 }] {
            let today = Share { fired: 900, of: 1_000 };
            let watched = watch(today, past, Severity::Medium, 200);
            assert!(matches!(watched, Watch::Alarm { .. }), "{watched:?}");
        }
    }
}
