//! The sections of a policy file that stand beside its categories → [`Duties`].

use jiff::civil::Date;

use super::clock;
use crate::config::reader::{At, Table};
use crate::domain::deadline::FortyEight;
use crate::domain::duties::{
    AccountList, Accounts, Answers, Archive, Crisis, Duties, MustNotRegister, MustRegister,
    OnRemoval, PolicyDecision, PolicyGround, Politics, Register, RegisterTarget, Removal,
    Signature, Standing, Step, Strength, Target, Watch, Watching, is_mid_term,
};
use crate::domain::escalation::Escalation;
use crate::domain::ground::Ground;
use crate::domain::policy::HelpLine;

/// The identifiers of an enum with their values.
macro_rules! ids {
    ($name:ident) => {
        &$name::ALL.iter().map(|value| (value.id(), *value)).collect::<Vec<_>>()
    };
}

/// Reads all of them; what is left out is as [`Duties::default`] has it. Every section is read, so
/// that all faults are told at once.
pub(super) fn read(root: &mut Table<'_, '_>) -> Option<Duties> {
    let default = Duties::default();
    let decision = section(root, "decision", |table| decision(table).map(Some));
    let grounds = grounds(root, &default);
    let removal = section(root, "removal", |table| removal(table, &default.removal));
    let answers = section(root, "answers", |table| answers(table, &default.answers));
    let politics = section(root, "politics", politics);
    let register = section(root, "register", |table| register(table, &default.register));
    let follow_links = section(root, "evidence", |table| {
        Some(table.yes("follow_links", default.follow_links)?.value)
    });
    let archive = section(root, "archive", |table| archive(table, &default.archive));
    let watching = section(root, "watch", |table| watching(table, &default.watching));
    let crisis = section(root, "crisis", |table| crisis(table, default.crisis));
    let crisis_numbers = help_lines(root.tables("crisis_number"), "Tjänsteman i beredskap");
    let accounts = section(root, "accounts", |table| accounts(table, &default.accounts));
    let escalation = section(root, "escalation", |table| escalation(table, &default.escalation));
    let changed_by_two = section(root, "changes", |table| {
        Some(table.yes("four_eyes", default.changed_by_two)?.value)
    });
    let (politics, politics_to) = politics?.unwrap_or((default.politics, default.politics_to));
    Some(Duties {
        decision: decision?.flatten(),
        grounds: grounds?,
        removal: removal?.unwrap_or(default.removal),
        answers: answers?.unwrap_or(default.answers),
        politics,
        politics_to,
        register: register?.unwrap_or(default.register),
        follow_links: follow_links?.unwrap_or(default.follow_links),
        archive: archive?.unwrap_or(default.archive),
        watching: watching?.unwrap_or(default.watching),
        crisis: crisis?.unwrap_or(default.crisis),
        crisis_numbers,
        accounts: accounts?.unwrap_or(default.accounts),
        escalation: escalation?.unwrap_or(default.escalation),
        changed_by_two: changed_by_two?.unwrap_or(default.changed_by_two),
    })
}

/// A section that may be left out: nothing then; nothing at all where it has a fault.
#[expect(clippy::option_option, reason = "left out and faulty are told apart")]
fn section<'s, 't, T>(
    root: &mut Table<'s, 't>,
    key: &'static str,
    read: impl FnOnce(&mut Table<'s, 't>) -> Option<T>,
) -> Option<Option<T>> {
    let written = root.has(key);
    match root.table(key) {
        Some(mut table) => {
            // Where in the rulebook: for those who read the file and for tests.
            let value = read(&mut table);
            table.done();
            Some(Some(value?))
        }
        None => (!written).then_some(None),
    }
}

/// A list of words without doubles; the default where it is left out.
fn list<T: Copy + PartialEq>(
    table: &mut Table<'_, '_>,
    key: &'static str,
    default: &[T],
    words: &[(&'static str, T)],
) -> Option<At<Vec<T>>> {
    let written = table.has(key);
    let texts = table.texts(key)?;
    if !written {
        return Some(At { value: default.to_vec(), place: texts.place });
    }
    let mut values = Vec::with_capacity(texts.value.len());
    for at in &texts.value {
        let value = table.one_of(key, at, words)?;
        if values.contains(&value) {
            table.complain(at, format!("`{}` står två gånger: ta bort den ena", at.value));
            return None;
        }
        values.push(value);
    }
    Some(At { value: values, place: texts.place })
}

/// A text that may be left out: nothing then; nothing at all where it has a fault.
#[expect(clippy::option_option, reason = "left out and faulty are told apart")]
pub(super) fn optional(table: &mut Table<'_, '_>, key: &'static str) -> Option<Option<String>> {
    let written = table.has(key);
    match table.text(key) {
        Some(at) => Some(Some(at.value)),
        None => (!written).then_some(None),
    }
}

fn decision(table: &mut Table<'_, '_>) -> Option<PolicyDecision> {
    let body = table.demanded_text("body", "body = \"Kommunstyrelsen\"");
    let written = table.has("date");
    let date = match table.text("date") {
        Some(at) => match at.value.parse::<Date>() {
            Ok(day) => Some(Some(day)),
            Err(_) => {
                table.complain(&at, "`date` ska vara en dag: skriv till exempel `\"2026-03-17\"`");
                None
            }
        },
        None => (!written).then_some(None),
    };
    let reference = optional(table, "reference");
    let replaces = optional(table, "replaces");
    let source = optional(table, "source");
    Some(PolicyDecision {
        body: body?.value,
        date: date?,
        reference: reference?,
        replaces: replaces?,
        source: source?,
    })
}

fn grounds(root: &mut Table<'_, '_>, default: &Duties) -> Option<Vec<PolicyGround>> {
    let written = root.has("grounds");
    let place = At { value: (), place: root.place.clone() };
    let tables = root.tables("grounds");
    if !written {
        return Some(default.grounds.clone());
    }
    let codes: Vec<_> = Ground::ALL.iter().map(|ground| (ground.code(), *ground)).collect();
    let mut grounds: Vec<PolicyGround> = Vec::with_capacity(tables.len());
    let mut whole = !tables.is_empty();
    if tables.is_empty() {
        root.complain(&place, "`grounds` är tom: skriv minst en grund, eller ta bort raden");
    }
    for mut table in tables {
        let code = table.demanded_text("code", "code = \"hot\"");
        let ground = code.as_ref().and_then(|at| match Ground::from_code(&at.value) {
            Some(ground) => Some(ground),
            None => table.one_of("code", at, &codes),
        });
        // What is added by statute is never written.
        let written: Vec<_> = ids!(Standing)
            .iter()
            .filter(|(_, standing)| *standing != Standing::Statute)
            .copied()
            .collect();
        let standing = table.word("stands", Standing::Named, &written);
        let words = optional(&mut table, "words");
        let legal = optional(&mut table, "legal");
        let source = optional(&mut table, "source");
        table.done();
        let (Some(ground), Some(standing), Some(words), Some(legal), Some(source)) =
            (ground, standing, words, legal, source)
        else {
            whole = false;
            continue;
        };
        if grounds.iter().any(|known| known.ground == ground) {
            let place = At { value: (), place: table.place.clone() };
            let what = format!("grunden `{}` står två gånger: ta bort den ena", ground.code());
            table.complain(&place, what);
            whole = false;
            continue;
        }
        let words = words.unwrap_or_else(|| ground.label().to_owned());
        grounds.push(PolicyGround { ground, standing: standing.value, words, legal, source });
    }
    Duties::complete_by_statute(&mut grounds);
    whole.then_some(grounds)
}

/// `clock` and `figure`.
fn target(table: &mut Table<'_, '_>, default: &Target, hours48: FortyEight) -> Option<Target> {
    let clock = if table.has("clock") {
        clock(table, hours48)
    } else {
        let _absent = table.text("clock");
        Some(default.clock)
    };
    let figure = optional(table, "figure");
    Some(Target { clock: clock?, figure: figure?.unwrap_or_else(|| default.figure.clone()) })
}

fn removal(table: &mut Table<'_, '_>, default: &Removal) -> Option<Removal> {
    let steps = list(table, "steps", &default.steps, ids!(Step));
    let acts = table.word("first", default.hides_first, &[("hide", true), ("delete", false)]);
    let target = target(table, &default.target, FortyEight::default());
    let police = table.word(
        "police",
        default.police,
        &[("ska", Some(Strength::Must)), ("bor", Some(Strength::Should)), ("nej", None)],
    );
    let _source = optional(table, "source")?;
    let steps = steps?;
    let place = |step| steps.value.iter().position(|s| *s == step);
    // Nothing is removed without sealed evidence, whatever a rulebook says.
    let last = steps.value.len().checked_sub(1);
    if place(Step::Capture) != Some(0) || place(Step::Remove) != last || last == Some(0) {
        table.complain(&steps, "`steps` ska börja med `bevis` och sluta med `ta_bort`: skriv till exempel `[\"bevis\", \"diariefor\", \"ta_bort\"]`");
        return None;
    }
    Some(Removal {
        steps: steps.value,
        hides_first: acts?.value,
        target: target?,
        police: police?.value,
    })
}

fn answers(table: &mut Table<'_, '_>, default: &Answers) -> Option<Answers> {
    let forty_eight = table.word("hours48", default.forty_eight, ids!(FortyEight));
    let reading = forty_eight.as_ref().map_or(default.forty_eight, |at| at.value);
    let target = target(table, &default.target, reading);
    let signature = table.word("signature", default.signature, ids!(Signature));
    let responsible = optional(table, "responsible");
    let _source = optional(table, "source")?;
    Some(Answers {
        target: target?,
        forty_eight: forty_eight?.value,
        signature: signature?.value,
        responsible: responsible?,
    })
}

fn politics(table: &mut Table<'_, '_>) -> Option<(Politics, Option<String>)> {
    let mode = table.demanded_text("mode", "mode = \"hanvisa\"");
    let mode = mode.and_then(|at| table.one_of("mode", &at, ids!(Politics)));
    let to = optional(table, "refer_to");
    let _source = optional(table, "source")?;
    Some((mode?, to?))
}

fn register(table: &mut Table<'_, '_>, default: &Register) -> Option<Register> {
    let on_removal = table.word("on_removal", default.on_removal, ids!(OnRemoval));
    let must = list(table, "must", &default.must, ids!(MustRegister));
    let must_not = list(table, "must_not", &default.must_not, ids!(MustNotRegister));
    let target = table.word("target", default.target, ids!(RegisterTarget));
    let tell = table.yes("tell_citizen", default.tell_citizen);
    let ends_talk = table.yes("secrecy_ends_talk", default.secrecy_ends_talk);
    let source = optional(table, "source");
    Some(Register {
        on_removal: on_removal?.value,
        must: must?.value,
        must_not: must_not?.value,
        target: target?.value,
        tell_citizen: tell?.value,
        secrecy_ends_talk: ends_talk?.value,
        source: source?,
    })
}

fn archive(table: &mut Table<'_, '_>, default: &Archive) -> Option<Archive> {
    let by_plan = table.yes("by_plan", false);
    let per_year = table.number("per_year", 1, 1..=12, "gånger per år");
    let days = table.texts("days");
    let mid_term = table.yes("mid_term", false);
    let at_closing = table.yes("at_closing", default.at_closing);
    let before_redesign = table.yes("before_redesign", default.before_redesign);
    let _source = optional(table, "source")?;
    let (days, mid_term) = (days?, mid_term?.value);
    let mut read: Vec<(i8, i8)> = Vec::with_capacity(days.value.len());
    for at in &days.value {
        // A leap year, so that every day that any year has is one.
        let day = format!("2028-{}", at.value).parse::<Date>().ok();
        match day.map(|day| (day.month(), day.day())) {
            Some((month, day)) if mid_term && !is_mid_term(month, day) => table.complain(
                at,
                "dagen ligger i sommar- eller juluppehållet: välj en dag mitt i terminen, till exempel `03-15` eller `10-15`",
            ),
            Some(day) => read.push(day),
            None => table.complain(at, "`days` ska vara månad och dag: skriv till exempel `[\"03-15\", \"10-15\"]`"),
        }
    }
    let (by_plan, per_year) = (by_plan?.value, per_year?);
    if read.len() < days.value.len() {
        return None;
    }
    if !by_plan && (read.len() as u64) < per_year {
        table.complain(
            &days,
            format!(
                "`days` har {} dagar men `per_year` är {per_year}: skriv en dag för varje gång",
                read.len()
            ),
        );
        return None;
    }
    read.sort_unstable();
    Some(Archive {
        // At most 12.
        per_year: (!by_plan).then_some(per_year as u8),
        days: read,
        at_closing: at_closing?.value,
        before_redesign: before_redesign?.value,
    })
}

fn watching(table: &mut Table<'_, '_>, default: &Watching) -> Option<Watching> {
    let how = table.word("how", default.how, ids!(Watch));
    let minutes = 1..=24 * 60;
    // Nought where it is left out.
    let gap = table.number("gap_min", 0, minutes.clone(), "minuter");
    let crisis = u64::from(default.crisis_gap_min);
    let crisis = table.number("crisis_gap_min", crisis, minutes, "minuter");
    let who = optional(table, "crisis_who");
    let _source = optional(table, "source")?;
    Some(Watching {
        how: how?.value,
        // At most 1440.
        gap_min: Some(gap? as u16).filter(|gap| *gap > 0),
        crisis_gap_min: crisis? as u16,
        crisis_who: who?,
    })
}

fn crisis(table: &mut Table<'_, '_>, default: Crisis) -> Option<Crisis> {
    let poll = table.number("poll_s", u64::from(default.poll_s), 10..=3600, "sekunder");
    let times = table.number("limit_times", u64::from(default.limit_times), 1..=100, "gånger");
    let hours = table.number("hours", u64::from(default.hours), 1..=24 * 30, "timmar");
    let queue = table.yes("central_queue", default.central_queue);
    let tells = table.yes("tells_everybody", default.tells_everybody);
    let _source = optional(table, "source")?;
    Some(Crisis {
        // All of them at most 3600.
        poll_s: poll? as u16,
        limit_times: times? as u8,
        hours: hours? as u16,
        central_queue: queue?.value,
        tells_everybody: tells?.value,
    })
}

/// Numbers with what they are for; what is not whole is told.
pub(super) fn help_lines(tables: Vec<Table<'_, '_>>, example: &str) -> Vec<HelpLine> {
    let mut lines = Vec::with_capacity(tables.len());
    for mut table in tables {
        let what = table.demanded_text("what", &format!("what = \"{example}\""));
        let number = table.demanded_text("number", "number = \"112\"");
        table.done();
        if let (Some(what), Some(number)) = (what, number) {
            lines.push(HelpLine { what: what.value, number: number.value });
        }
    }
    lines
}

fn accounts(table: &mut Table<'_, '_>, default: &Accounts) -> Option<Accounts> {
    let least = table.number("least_holders", u64::from(default.least_holders), 1..=10, "personer");
    let holders = table.word("holders", default.holders, ids!(Strength));
    let list = table.word("list", default.list, ids!(AccountList));
    // Nought: none.
    let month = table.number("inventory_month", 0, 0..=12, "(månadens nummer; 0 om ingen)");
    let notice = table.number("notice_days", 0, 0..=90, "dagar");
    let months = u64::from(default.inactive_months.unwrap_or(0));
    let inactive = table.number("inactive_months", months, 0..=60, "månader");
    let password = table.yes("yearly_password", default.yearly_password);
    let steps = table.yes("two_steps", default.two_steps);
    let report = table.yes("yearly_report", default.yearly_report);
    let _source = optional(table, "source")?;
    Some(Accounts {
        // All of them at most 90.
        least_holders: least? as u8,
        holders: holders?.value,
        list: list?.value,
        inventory_month: Some(month? as i8).filter(|month| *month > 0),
        notice_days: Some(notice? as u8).filter(|days| *days > 0),
        inactive_months: Some(inactive? as u8).filter(|months| *months > 0),
        yearly_password: password?.value,
        two_steps: steps?.value,
        yearly_report: report?.value,
    })
}

fn escalation(table: &mut Table<'_, '_>, default: &Escalation) -> Option<Escalation> {
    let number = |value: u16| u64::from(value);
    let percent =
        table.number("owner_percent", u64::from(default.owner_percent), 1..=100, "procent");
    let most = 0..=14 * 24 * 60;
    let substitute = number(default.substitute_after_min);
    let substitute = table.number("substitute_after_min", substitute, most.clone(), "minuter");
    let administrator = number(default.administrator_after_min);
    let administrator = table.number("administrator_after_min", administrator, most, "minuter");
    let _source = optional(table, "source")?;
    Some(Escalation {
        // At most 100, and 20,160.
        owner_percent: percent? as u8,
        substitute_after_min: substitute? as u16,
        administrator_after_min: administrator? as u16,
    })
}
