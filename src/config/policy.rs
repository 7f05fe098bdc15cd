//! `lexicons/policies/*.toml` → [`Policy`].

mod duties;
pub mod ready;

use std::path::Path;

use jiff::SignedDuration;
use jiff::civil::Time;

use super::complaint::ConfigError;
use super::reader::{At, Source, Table};
use super::{read_text, shown};
use crate::domain::calendar::OfficeHours;
use crate::domain::category::{Category, Severity};
use crate::domain::deadline::{Clock, FortyEight, MOST_DAYS, MOST_HOURS};
use crate::domain::duties::{Duties, Politics, Told};
use crate::domain::ground::Ground;
use crate::domain::ids::ContentHash;
use crate::domain::policy::{HelpLine, Line, Policy, Proposed, Rule};

/// Longest undo window: what has not begun after five minutes looks broken to whoever waits.
pub(super) const UNDO_MOST_S: u64 = 300;
/// Undo window unless the policy says otherwise.
const UNDO_DEFAULT_S: u64 = 10;

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
    let mut policy = Source::new(file, text).read(|root| policy(root, version))?;
    policy.text = text.into();
    Ok(policy)
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
    let has_politics = root.has("politics");
    let duties = duties::read(root);
    let default = Duties::default();
    // Where the settings have a fault, nothing is held against them: one fault is told once.
    let whole = duties.is_some();
    let frame = Frame { duties: duties.as_ref().unwrap_or(&default), whole, has_politics };
    let message = match root.table("message") {
        Some(table) => message(table, &frame),
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
            Some(table) => rules.extend(rule(table, category, &frame)),
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
    policy.duties = duties?;
    policy.retention = retention;
    Some(policy)
}

/// What the categories are checked against.
struct Frame<'a> {
    duties: &'a Duties,
    /// Whether they are those of the file.
    whole: bool,
    /// Whether the file says itself what becomes of party politics.
    has_politics: bool,
}

/// The numbers of the routine; none where the policy names none, or one that is not whole.
fn help(tables: Vec<Table<'_, '_>>) -> Option<Vec<HelpLine>> {
    let lines = duties::help_lines(tables, "Akut fara för liv");
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

fn message(mut table: Table<'_, '_>, frame: &Frame<'_>) -> Option<Rule> {
    let why = table.demanded_text("why", "why = \"Meddelanden besvaras alltid.\"");
    let line = line(&mut table, frame.duties.answers.forty_eight);
    if let Some(line) = &line
        && line.choices.iter().any(|c| c.removes())
    {
        let place = At { value: (), place: table.place.clone() };
        table.complain(
            &place,
            "[message] får inte föreslå `hide` eller `delete`: utan träff finns ingen grund",
        );
    }
    let more = more(&mut table);
    table.done();
    let line = line?;
    let rule = Rule::plain(None, why?.value, [line.clone(), line.clone(), line]);
    Some(more?.on(rule))
}

fn rule(mut table: Table<'_, '_>, category: Category, frame: &Frame<'_>) -> Option<Rule> {
    let duties = frame.duties;
    let ground = table.text("ground");
    let codes: Vec<_> = Ground::ALL.iter().map(|g| (g.code(), *g)).collect();
    let known_ground = ground.as_ref().and_then(|at| table.one_of("ground", at, &codes));
    let why = table.demanded_text("why", "why = \"Varför, i en mening.\"");
    let hours48 = duties.answers.forty_eight;
    let low = severity(&mut table, Severity::Low, hours48);
    let medium = severity(&mut table, Severity::Medium, hours48);
    let high = severity(&mut table, Severity::High, hours48);
    let suggests = suggests(&mut table, category, known_ground, frame, &codes);
    let more = more(&mut table);
    table.done();
    let (low, medium, high) = (low?, medium?, high?);
    let place = At { value: (), place: table.place.clone() };
    let proposes = |which: fn(&Proposed) -> bool| {
        [&low, &medium, &high].iter().any(|line| line.choices.iter().any(which))
    };
    let removes = proposes(|c| c.removes());
    if removes && ground.is_none() {
        let suggested = Ground::suggested_by(category).first().map_or("svordom", |g| g.code());
        table.missing("ground", &format!("ground = \"{suggested}\""));
        return None;
    }
    if ground.is_some() && known_ground.is_none() {
        return None;
    }
    if let (Some(at), Some(known)) = (&ground, known_ground)
        && removes
        && frame.whole
        && !duties.may_remove_for(known)
    {
        table.complain(at, format!("riktlinjen tar inte bort något på grunden `{}`: lägg till den i `grounds`, eller välj en annan", known.code()));
    }
    let politics = category == Category::PartyPolitical && frame.has_politics && frame.whole;
    match duties.politics {
        Politics::Refer | Politics::Leave if politics && removes => table.complain(&place, format!("[party_political] tar bort, men `mode` i [politics] är `{}`: ta bort `hide` och `delete` ur `do`", duties.politics.id())),
        Politics::Remove if politics && !removes => table.complain(&place, "[party_political] tar inte bort något, men `mode` i [politics] är `ta_bort`: skriv `hide` eller `delete` i `do`"),
        Politics::Remove | Politics::MayRemove | Politics::Refer | Politics::Leave => {}
    }
    if frame.whole
        && duties.removal.police.is_none()
        && proposes(|c| *c == Proposed::ConsiderPoliceReport)
    {
        table.complain(
            &place,
            format!(
                "[{}] föreslår `police`, men `police` i [removal] är `nej`: ändra det ena",
                category.id()
            ),
        );
    }
    let mut rule = Rule::plain(known_ground, why?.value, [low, medium, high]);
    rule.suggests = suggests?;
    Some(more?.on(rule))
}

/// The grounds that a category suggests: as the file says, or as the program knows, but only such as
/// the policy has, its own first choice first.
fn suggests(
    table: &mut Table<'_, '_>,
    category: Category,
    first: Option<Ground>,
    frame: &Frame<'_>,
    codes: &[(&'static str, Ground)],
) -> Option<Vec<Ground>> {
    let duties = frame.duties;
    let written = table.has("suggests");
    let texts = table.texts("suggests")?;
    let mut grounds: Vec<Ground> = first.into_iter().collect();
    if !written {
        let known = Ground::suggested_by(category).iter().filter(|g| duties.may_remove_for(**g));
        grounds.extend(known.filter(|ground| Some(**ground) != first));
        return Some(grounds);
    }
    for at in &texts.value {
        let ground = match Ground::from_code(&at.value) {
            Some(ground) => ground,
            None => table.one_of("suggests", at, codes)?,
        };
        if frame.whole && duties.ground(ground).is_none() {
            table.complain(at, format!("grunden `{}` finns inte i riktlinjens `grounds`: lägg till den där, eller ta bort den här", at.value));
            return None;
        }
        if !grounds.contains(&ground) {
            grounds.push(ground);
        }
    }
    Some(grounds)
}

/// What a rule may say beside its lines.
struct More {
    tell: Vec<Told>,
    source: Option<String>,
}

impl More {
    fn on(self, rule: Rule) -> Rule {
        Rule { tell: self.tell, source: self.source, ..rule }
    }
}

fn more(table: &mut Table<'_, '_>) -> Option<More> {
    let told: Vec<_> = Told::ALL.iter().map(|told| (told.id(), *told)).collect();
    let texts = table.texts("tell")?;
    let tell = texts.value.iter().map(|at| table.one_of("tell", at, &told)).collect::<Option<_>>();
    let source = duties::optional(table, "source");
    Some(More { tell: tell?, source: source? })
}

fn severity(table: &mut Table<'_, '_>, severity: Severity, hours48: FortyEight) -> Option<Line> {
    let key = severity.id();
    let Some(mut line_table) = table.table(key) else {
        if !table.has(key) {
            let mend = format!("{key} = {{ do = [\"dismiss\"], clock = \"nasta_arbetsdag\" }}");
            table.missing(key, &mend);
        }
        return None;
    };
    let line = line(&mut line_table, hours48);
    line_table.done();
    line
}

/// `clock`: a name or a number with its unit. `svar48` is as the policy reads 48 hours.
fn clock(table: &mut Table<'_, '_>, hours48: FortyEight) -> Option<Clock> {
    let at = table.demanded_text("clock", "clock = \"svar48\"")?;
    match Clock::from_id(&at.value) {
        Some(Clock::TWO_WORKING_DAYS) if at.value == "svar48" => Some(hours48.clock()),
        Some(clock) => Some(clock),
        None => {
            let number = at.value.starts_with(|c: char| c.is_ascii_digit());
            if number {
                table.complain(&at, format!("`clock` kan inte vara `{}`: skriv ett tal från 1 med sin enhet, till exempel `12 timmar` (högst {MOST_HOURS}), `3 arbetsdagar` (högst {MOST_DAYS}) eller `16 kontorstimmar`", at.value.chars().take(40).collect::<String>()));
                return None;
            }
            table.one_of("clock", &at, Clock::NAMED)
        }
    }
}

fn line(table: &mut Table<'_, '_>, hours48: FortyEight) -> Option<Line> {
    let words: Vec<_> = Proposed::ALL.iter().map(|p| (p.id(), *p)).collect();
    let clock = clock(table, hours48);
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

#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;
