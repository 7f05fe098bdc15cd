//! `lexicons/policies/*.toml` → [`Policy`].

use std::path::Path;

use jiff::SignedDuration;
use jiff::civil::Time;

use super::complaint::ConfigError;
use super::reader::{At, Source, Table};
use super::{read_text, shown};
use crate::domain::calendar::OfficeHours;
use crate::domain::category::{Category, Severity};
use crate::domain::deadline::Clock;
use crate::domain::ground::Ground;
use crate::domain::ids::ContentHash;
use crate::domain::policy::{HelpLine, Line, Policy, Proposed, Rule};

/// The policy that is built into the program.
const STANDARD: &str = include_str!("../../lexicons/policies/standard.toml");
/// What it is called in complaints.
const STANDARD_FILE: &str = "lexicons/policies/standard.toml";
/// Longest undo window: what has not begun after five minutes looks broken to whoever waits.
pub(super) const UNDO_MOST_S: u64 = 300;
/// Undo window unless the policy says otherwise.
const UNDO_DEFAULT_S: u64 = 10;

/// The policy that is built into the program.
///
/// # Errors
/// None as released: a test reads it. A changed one is refused like any other file.
pub fn standard() -> Result<Policy, ConfigError> {
    parse(STANDARD_FILE, STANDARD)
}

/// Reads a policy from a file.
///
/// # Errors
/// [`ConfigError`], with every fault of the file.
pub fn load(path: &Path) -> Result<Policy, ConfigError> {
    parse(&shown(path), &read_text(path)?)
}

/// Reads a policy from text. `file` is how complaints name it.
///
/// # Errors
/// [`ConfigError::Refused`], with every fault.
pub fn parse(file: &str, text: &str) -> Result<Policy, ConfigError> {
    let version = ContentHash::of(text.as_bytes());
    Source::new(file, text).read(|root| policy(root, version))
}

fn policy(root: &mut Table<'_, '_>, version: ContentHash) -> Option<Policy> {
    let name = root.demanded_text("name", "name = \"Exempelstads riktlinje\"");
    let undo = undo(root, UNDO_DEFAULT_S);
    let office = match root.table("office") {
        Some(mut table) => {
            let hours = office(&mut table, OfficeHours::default());
            table.done();
            hours
        }
        None => Some(OfficeHours::default()),
    };
    let message = match root.table("message") {
        Some(table) => message(table),
        None => {
            if !root.has("message") {
                root.missing_section("message");
            }
            None
        }
    };
    let help = help(root.tables("help"));
    let retention = root.table("retention").map(super::retention::read);
    let mut rules = Vec::with_capacity(Category::ALL.len());
    for &category in Category::ALL {
        match root.table(category.id()) {
            Some(table) => rules.extend(rule(table, category)),
            None if root.has(category.id()) => {}
            None => root.missing_section(category.id()),
        }
    }
    if rules.len() < Category::ALL.len() {
        return None;
    }
    let retention = match retention {
        Some(read) => Some(read?),
        None => None,
    };
    let mut rules = rules.into_iter();
    let message = message?;
    // One rule for each category, in their order.
    let mut policy = Policy::new(name?.value, version, undo?, office?, message.clone(), |_| {
        rules.next().unwrap_or_else(|| message.clone())
    });
    if let Some(help) = help {
        policy.help = help;
    }
    policy.retention = retention;
    Some(policy)
}

/// The numbers of the routine; none where the policy names none, or one that is not whole.
fn help(tables: Vec<Table<'_, '_>>) -> Option<Vec<HelpLine>> {
    let mut lines = Vec::with_capacity(tables.len());
    for mut table in tables {
        let what = table.demanded_text("what", "what = \"Akut fara för liv\"");
        let number = table.demanded_text("number", "number = \"112\"");
        table.done();
        if let (Some(what), Some(number)) = (what, number) {
            lines.push(HelpLine { what: what.value, number: number.value });
        }
    }
    (!lines.is_empty()).then_some(lines)
}

pub(super) fn undo(table: &mut Table<'_, '_>, default_s: u64) -> Option<SignedDuration> {
    let seconds = table.number("undo_s", default_s, 0..=UNDO_MOST_S, "sekunder")?;
    // At most 300.
    Some(SignedDuration::from_secs(seconds as i64))
}

pub(super) fn office(table: &mut Table<'_, '_>, default: OfficeHours) -> Option<OfficeHours> {
    let opens = time(table, "opens", default.opens);
    let closes = time(table, "closes", default.closes);
    let (opens, closes) = (opens?, closes?);
    if opens.value >= closes.value {
        table.complain(&closes, "`closes` ska vara senare än `opens`: skriv till exempel `opens = \"08:00\"` och `closes = \"16:30\"`");
        return None;
    }
    Some(OfficeHours { opens: opens.value, closes: closes.value })
}

fn time(table: &mut Table<'_, '_>, key: &'static str, default: Time) -> Option<At<Time>> {
    if !table.has(key) {
        let place = table.place.clone();
        // Asked all the same, so that the key counts as known.
        let _absent = table.text(key);
        return Some(At { value: default, place });
    }
    let at = table.text(key)?;
    let parts: Vec<&str> = at.value.split(':').collect();
    let two_digits = |part: &str| {
        let fits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if fits { part.parse::<i8>().ok() } else { None }
    };
    let read = match parts.as_slice() {
        [hour, minute] => two_digits(hour).zip(two_digits(minute)),
        _ => None,
    };
    let time = read.and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok());
    match time {
        // The spring change skips 02:00-03:00: no office may open or close then.
        Some(time) if time >= Time::constant(4, 0, 0, 0) => {
            Some(At { value: time, place: at.place })
        }
        _ => {
            table.complain(&at, format!("`{key}` ska vara ett klockslag mellan 04:00 och 23:59: skriv till exempel `{key} = \"08:00\"`"));
            None
        }
    }
}

fn message(mut table: Table<'_, '_>) -> Option<Rule> {
    let why = table.demanded_text("why", "why = \"Meddelanden besvaras alltid.\"");
    let line = line(&mut table);
    if let Some(line) = &line
        && line.choices.iter().any(|c| c.removes())
    {
        let place = At { value: (), place: table.place.clone() };
        table.complain(
            &place,
            "[message] får inte föreslå `hide` eller `delete`: utan träff finns ingen grund",
        );
    }
    table.done();
    let line = line?;
    Some(Rule {
        ground: None,
        why: why?.value,
        low: line.clone(),
        medium: line.clone(),
        high: line,
    })
}

fn rule(mut table: Table<'_, '_>, category: Category) -> Option<Rule> {
    let ground = table.text("ground");
    let known_ground = ground.as_ref().and_then(|at| {
        let codes: Vec<_> = Ground::ALL.iter().map(|g| (g.code(), *g)).collect();
        table.one_of("ground", at, &codes)
    });
    let why = table.demanded_text("why", "why = \"Varför, i en mening.\"");
    let low = severity(&mut table, Severity::Low);
    let medium = severity(&mut table, Severity::Medium);
    let high = severity(&mut table, Severity::High);
    table.done();
    let (low, medium, high) = (low?, medium?, high?);
    let removes = [&low, &medium, &high].iter().any(|l| l.choices.iter().any(|c| c.removes()));
    if removes && ground.is_none() {
        let suggested = Ground::suggested_by(category).first().map_or("svordom", |g| g.code());
        table.missing("ground", &format!("ground = \"{suggested}\""));
        return None;
    }
    if ground.is_some() && known_ground.is_none() {
        return None;
    }
    Some(Rule { ground: known_ground, why: why?.value, low, medium, high })
}

fn severity(table: &mut Table<'_, '_>, severity: Severity) -> Option<Line> {
    let key = severity.id();
    let Some(mut line_table) = table.table(key) else {
        if !table.has(key) {
            let mend = format!("{key} = {{ do = [\"dismiss\"], clock = \"nasta_arbetsdag\" }}");
            table.missing(key, &mend);
        }
        return None;
    };
    let line = line(&mut line_table);
    line_table.done();
    line
}

fn line(table: &mut Table<'_, '_>) -> Option<Line> {
    let words: Vec<_> = Proposed::ALL.iter().map(|p| (p.id(), *p)).collect();
    let clocks: Vec<_> = Clock::ALL.iter().map(|c| (c.id(), *c)).collect();
    let clock = match table.demanded_text("clock", "clock = \"svar48\"") {
        Some(at) => table.one_of("clock", &at, &clocks),
        None => None,
    };
    let wanted = table.texts("do")?;
    if wanted.value.is_empty() {
        let mend = "skriv till exempel `do = [\"dismiss\"]`";
        table.complain(&wanted, format!("`do` säger inte vad som ska föreslås: {mend}"));
        return None;
    }
    let mut choices: Vec<Proposed> = Vec::with_capacity(wanted.value.len());
    for at in &wanted.value {
        let choice = table.one_of("do", at, &words)?;
        if choices.contains(&choice) {
            table.complain(at, format!("`{}` står två gånger: ta bort den ena", choice.id()));
            return None;
        }
        if let Some(other) = choices.iter().find(|c| c.excludes(choice)) {
            table.complain(
                at,
                format!("`{}` går inte ihop med `{}`: ta bort den ena", choice.id(), other.id()),
            );
            return None;
        }
        choices.push(choice);
    }
    choices.sort_unstable();
    Some(Line { choices, clock: clock? })
}
