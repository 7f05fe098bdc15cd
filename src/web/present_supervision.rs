//! The supervision log → what its page shows.

use jiff::civil::Date;

use super::view::supervision::{AccountWatch, DayRow};
use crate::domain::account::PlatformKind;
use crate::domain::calendar::{MONTHS, local};
use crate::domain::crisis::Crisis;
use crate::services::supervision::{AccountLog, Day};

const WEEKDAYS: [&str; 7] = ["måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"];

/// `måndag 23 november`.
pub fn day_words(day: Date) -> String {
    let weekday = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs()) % 7;
    let month = usize::from(day.month().unsigned_abs()).saturating_sub(1) % 12;
    format!("{} {} {}", WEEKDAYS[weekday], day.day(), MONTHS[month])
}

fn row(day: &Day) -> DayRow {
    let clock = |at| local(at).strftime("%H:%M").to_string();
    let people = match day.between {
        None => "ingen".to_owned(),
        Some((first, last)) if clock(first) == clock(last) => {
            format!("{} kl. {}", day.who.join(", "), clock(first))
        }
        Some((first, last)) => format!(
            "{}, {} gånger, kl. {}–{}",
            day.who.join(", "),
            day.n_looks,
            clock(first),
            clock(last)
        ),
    };
    let machine = match (day.machine_hours, day.failed_hours, &day.problem) {
        (0, 0, _) => "inte läst".to_owned(),
        (read, 0, _) => format!("läst under {read} av dygnets timmar"),
        (read, failed, Some(problem)) => {
            format!("läst under {read} av dygnets timmar, misslyckades under {failed}: {problem}")
        }
        (read, failed, None) => {
            format!("läst under {read} av dygnets timmar, misslyckades under {failed}")
        }
    };
    DayRow {
        iso: day.day.to_string(),
        day: day_words(day.day),
        gap: day.kept.is_gap(),
        kept: day.kept.words(),
        people,
        machine,
    }
}

fn warning(log: &AccountLog) -> Option<String> {
    if !log.has_people {
        return Some("Ingen är satt att ansvara för kontot. Be den som sköter Uppsikt ange kontoansvarig, redaktörer och ersättare.".into());
    }
    let days: Vec<_> = log.uncovered.iter().map(|day| day_words(*day)).collect();
    (!days.is_empty()).then(|| {
        format!(
            "Ingen finns på plats {}: alla som har hand om kontot är borta. Utse en ersättare.",
            days.join(", ")
        )
    })
}

/// One account of the page.
pub fn account(log: &AccountLog) -> AccountWatch {
    let (wanted, gaps) = (log.n_wanted(), log.n_gaps());
    let sum = match wanted {
        0 => "Inga dagar att räkna än".to_owned(),
        _ => format!(
            "{} av {wanted} {}{}",
            wanted.saturating_sub(gaps),
            if wanted == 1 { "dag hållen" } else { "dagar hållna" },
            match gaps {
                0 => String::new(),
                1 => ", 1 lucka".to_owned(),
                n => format!(", {n} luckor"),
            }
        ),
    };
    AccountWatch {
        key: log.key.clone(),
        name: log.name.clone(),
        platform: log.platform.label(),
        wants: log.wants.clone(),
        sum,
        gaps,
        by_hand: log.platform == PlatformKind::Manual,
        warning: warning(log),
        days: log.days.iter().map(row).collect(),
    }
}

/// One line of the log of crises.
pub fn past_crisis(crisis: &Crisis) -> String {
    let at = |at| local(at).strftime("%Y-%m-%d %H:%M").to_string();
    let whom = match crisis.accounts.len() {
        0 => "alla konton".to_owned(),
        1 => "ett konto".to_owned(),
        n => format!("{n} konton"),
    };
    let end = match &crisis.ended {
        None => format!("tar slut av sig självt {}", at(crisis.until)),
        Some((ended, Some(by))) => format!("avslutat {} av {by}", at(*ended)),
        Some((ended, None)) => format!("tog slut av sig självt {}", at(*ended)),
    };
    format!("{}, {whom}: {} Infört av {}, {end}.", at(crisis.began_at), crisis.why, crisis.began_by)
}
