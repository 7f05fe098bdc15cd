//! Letting a case rest (*vila*) until a person is reminded of it: until when it may, and the times offered.
//!
//! It comes back by itself, at once where its text is changed or somebody writes in its thread.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{MONTHS, local, next_working_day};
use super::category::{Category, Severity};
use super::verdict::Verdict;

/// The longest that a case may rest: what is forgotten longer is lost.
const LONGEST: SignedDuration = SignedDuration::from_hours(60 * 24);

/// When the working day begins for whoever is reminded.
const MORNING: i8 = 8;
/// When the afternoon does.
const AFTERNOON: i8 = 13;

/// Why a case may not rest, or not so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRest {
    /// A threat, a child or somebody's life.
    Grave,
    /// That time is over.
    Past,
    /// More than sixty days.
    TooLong,
    /// The case is due before, or is overdue.
    Due(Timestamp),
}

impl NoRest {
    /// In Swedish, with what to do.
    pub fn words(self, now: Timestamp) -> String {
        match self {
            Self::Grave => {
                "Det gäller ett hot, ett barn eller någons liv, så ärendet får inte vila."
                    .to_owned()
            }
            Self::Past => "Tiden har redan varit. Välj en tid som ligger framåt.".to_owned(),
            Self::TooLong => "Välj en tid som ligger högst 60 dygn bort.".to_owned(),
            Self::Due(due) if due <= now => {
                format!("Fristen gick ut {}, så ärendet får inte vila.", moment(due))
            }
            Self::Due(due) => {
                format!("Fristen går ut {}. Ärendet får vila högst till dess.", moment(due))
            }
        }
    }
}

/// `24 november kl. 08.00`.
fn moment(at: Timestamp) -> String {
    let at = local(at);
    let month = usize::from(at.month().unsigned_abs().saturating_sub(1));
    format!("{} {} kl. {}", at.day(), MONTHS[month], at.strftime("%H.%M"))
}

/// Whether what was found is never put aside: a high threat, a child, a cry for help.
pub fn is_grave(verdict: &Verdict) -> bool {
    let threat = |f: &super::verdict::Finding| {
        f.category == Category::Threat && f.severity == Severity::High
    };
    verdict.findings.iter().any(threat) || verdict.asks_for_help() || verdict.bars_copying()
}

/// Whether a case may rest until then.
///
/// # Errors
/// [`NoRest`], in words for the person.
pub fn may_rest(
    until: Timestamp,
    due: Timestamp,
    grave: bool,
    now: Timestamp,
) -> Result<(), NoRest> {
    if grave {
        return Err(NoRest::Grave);
    }
    if until <= now {
        return Err(NoRest::Past);
    }
    if until > due {
        return Err(NoRest::Due(due));
    }
    if until.duration_since(now) > LONGEST {
        return Err(NoRest::TooLong);
    }
    Ok(())
}

/// The times that are offered, each once and in words, none behind the deadline.
pub fn offered(due: Timestamp, now: Timestamp) -> Vec<(Timestamp, String)> {
    let today = local(now);
    let at = |date: Date, hour: i8| {
        let zoned = date.at(hour, 0, 0, 0).to_zoned(today.time_zone().clone());
        zoned.ok().map(|zoned| zoned.timestamp())
    };
    let working_day = next_working_day(today.date());
    // A time that no calendar has (beyond the year 9999) is left out.
    let times = [
        (now.checked_add(SignedDuration::from_hours(1)).ok(), "om 1 timme".to_owned()),
        (at(today.date(), AFTERNOON), "i eftermiddag kl. 13.00".to_owned()),
        (today.date().tomorrow().ok().and_then(|d| at(d, MORNING)), "i morgon kl. 8.00".to_owned()),
        (
            at(working_day, MORNING),
            format!(
                "nästa arbetsdag, {} {}, kl. 8.00",
                working_day.day(),
                MONTHS[usize::from(working_day.month().unsigned_abs().saturating_sub(1))]
            ),
        ),
        (
            today.date().checked_add(jiff::Span::new().days(7)).ok().and_then(|d| at(d, MORNING)),
            "om en vecka kl. 8.00".to_owned(),
        ),
    ];
    let mut offered: Vec<(Timestamp, String)> = Vec::new();
    for (until, words) in times {
        let Some(until) = until else { continue };
        let known = offered.iter().any(|(known, _)| *known == until);
        if !known && may_rest(until, due, false, now).is_ok() {
            offered.push((until, words));
        }
    }
    offered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn words(due: &str, now: &str) -> Vec<String> {
        offered(at(due), at(now)).into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn times_are_offered_in_words_each_once_and_none_behind_the_deadline() {
        // A Friday at nine; winter time.
        assert_eq!(
            words("2026-12-31T00:00:00Z", "2026-11-06T08:00:00Z"),
            [
                "om 1 timme",
                "i eftermiddag kl. 13.00",
                "i morgon kl. 8.00",
                "nästa arbetsdag, 9 november, kl. 8.00",
                "om en vecka kl. 8.00"
            ]
        );
        // A Wednesday afternoon: tomorrow is the next working day.
        assert_eq!(
            words("2026-11-05T08:00:00Z", "2026-11-04T13:00:00Z"),
            ["om 1 timme", "i morgon kl. 8.00"]
        );
        assert!(words("2026-11-04T13:59:00Z", "2026-11-04T13:00:00Z").is_empty());
    }

    #[test]
    fn nothing_rests_past_its_deadline_or_where_a_life_is_at_stake() {
        let (now, due) = (at("2026-11-04T08:00:00Z"), at("2026-11-05T08:00:00Z"));
        let rest = |until: &str, grave| may_rest(at(until), due, grave, now);
        assert_eq!(rest("2026-11-05T08:00:00Z", false), Ok(()));
        assert_eq!(rest("2026-11-05T08:00:00Z", true), Err(NoRest::Grave));
        assert_eq!(rest("2026-11-05T08:00:01Z", false), Err(NoRest::Due(due)));
        assert_eq!(rest("2026-11-04T08:00:00Z", false), Err(NoRest::Past));
        let far = may_rest(at("2027-02-01T08:00:00Z"), at("2028-01-01T08:00:00Z"), false, now);
        assert_eq!(far, Err(NoRest::TooLong));
        let told = NoRest::Due(due).words(now);
        assert_eq!(told, "Fristen går ut 5 november kl. 09.00. Ärendet får vila högst till dess.");
        assert!(NoRest::Due(at("2026-11-01T08:00:00Z")).words(now).starts_with("Fristen gick ut"));
    }
}
