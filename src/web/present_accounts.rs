//! The register of accounts → what its pages show.

use jiff::Timestamp;

use super::present_supervision::day_words;
use super::view::account_card::{
    AbsenceRow, AccountPage, CardFields, ClosingView, CoverView, IncidentView, PersonRow, TextView,
};
use super::view::accounts::{InventoryView, Summary};
use super::view::outside::Outside;
use super::view::shell::{Notice, Shell};
use super::view::times::Moment;
use crate::domain::account::PlatformKind;
use crate::domain::calendar::local;
use crate::domain::card::{Card, Care, ClosingStep, Flag, Said};
use crate::domain::incident::{IncidentStep, OpenIncident};
use crate::domain::notice::Part;
use crate::services::account_safety::{Noted, StepNoted};
use crate::services::cards::{Archiving, Confirmation, Entry, File};
use crate::services::coverage::{AccountCover, Cover};

/// The page of one account.
pub fn file(shell: Shell, notice: Option<Notice>, file: File, now: Timestamp) -> AccountPage {
    let File {
        entry,
        history,
        users,
        safety,
        incident_steps,
        absences,
        away_for,
        ready_text,
        can_read,
        hindered,
        asked_for,
    } = file;
    let closing = entry.closing.as_ref();
    let closed = closing.and_then(|closing| closing.closed.clone());
    AccountPage {
        shell,
        notice,
        key: entry.account.key.as_str().to_owned(),
        name: entry.account.name.clone(),
        platform: entry.account.platform.label(),
        is_own: entry.account.platform != PlatformKind::Manual,
        flags: entry.flags.iter().map(Flag::words).collect(),
        closed: closed.map(|(at, by)| (Moment::new(at, now), by)),
        may_edit: entry.may_edit,
        address: (!entry.card.address.is_empty())
            .then(|| Outside::new("Öppna kontot", &entry.card.address)),
        people: entry
            .people
            .iter()
            .map(|person| PersonRow {
                login: person.user.login.clone(),
                name: person.user.name.clone(),
                part: person.part.map_or("", Part::label),
                part_id: person.part.map_or("", Part::id),
                away: person.away,
                has_mail: person.mail.is_some(),
            })
            .collect(),
        users,
        absences: absences
            .into_iter()
            .map(|(away, may_end)| AbsenceRow {
                may_end,
                id: away.id,
                name: away.name,
                first: away.first.to_string(),
                last: away.last.to_string(),
            })
            .collect(),
        away_for,
        texts: Said::ALL.iter().map(|said| text(&entry, *said)).collect(),
        ready_text,
        can_read,
        asked_for,
        confirmations: entry.confirmations.iter().rev().map(confirmed).collect(),
        archivings: entry.archivings.iter().map(archived).collect(),
        safety: safety.iter().map(noted).collect(),
        incident: entry.known.incident.as_ref().map(|incident| incident_view(incident, now)),
        incident_steps: incident_steps.iter().map(incident_step).collect(),
        closing: closing.map(|closing| ClosingView {
            announced: closing.announced.to_string(),
            why: closing.why.clone(),
            elsewhere: closing.elsewhere.clone(),
            steps: ClosingStep::ALL
                .iter()
                .map(|step| {
                    let done = closing.steps.iter().find(|(known, ..)| known == step);
                    let done = done.map(|(_, by, note)| match note.trim() {
                        "" => by.clone(),
                        note => format!("{by}: {note}"),
                    });
                    (step.id(), step.label(), done)
                })
                .collect(),
            hindered,
        }),
        today: local(now).date().to_string(),
        history: history
            .into_iter()
            .map(|row| (Moment::new(row.at, now), row.by, row.what))
            .collect(),
        card: fields(&entry),
    }
}

fn incident_view(incident: &OpenIncident, now: Timestamp) -> IncidentView {
    let left = IncidentStep::ALL.iter().filter(|step| !incident.done.contains(step));
    IncidentView {
        since: incident.since.to_string(),
        tell_by: Moment::new(incident.tell_by, now),
        is_settled: !incident.missing().contains(&IncidentStep::DataProtection),
        left: left.map(|step| (step.id(), step.label())).collect(),
    }
}

fn incident_step(row: &StepNoted) -> String {
    let done = local(row.done_at).strftime("%Y-%m-%d kl. %H:%M");
    let noted = format!("noterat av {} {}", row.by, local(row.at).strftime("%Y-%m-%d kl. %H:%M"));
    match row.note.as_str() {
        "" => format!("{}, {done}, {noted}.", row.step.label()),
        note => format!("{}, {done}, {noted}: {note}", row.step.label()),
    }
}

fn fields(entry: &Entry) -> CardFields {
    let Card { purpose, audience, unit, address, rules_link, owner_is_manager, care, listed } =
        entry.card.clone();
    CardFields {
        purpose,
        audience,
        unit,
        address,
        rules_link,
        owner_is_manager,
        care: care.id(),
        care_words: mark(care),
        listed,
        reviewed: entry.known.reviewed.map(|day| day.to_string()),
        looked_over: false,
        revision: entry.revision,
        publishes: None,
    }
}

/// A mark that is to be seen; an ordinary account has none.
pub fn mark(care: Care) -> Option<&'static str> {
    care.is_strict().then(|| care.label())
}

fn text(entry: &Entry, said: Said) -> TextView {
    let rows: Vec<_> = entry.texts.iter().filter(|text| text.said == said).collect();
    TextView {
        id: said.id(),
        label: said.label(),
        ticked: rows.iter().any(|row| !row.by_platform && row.holds),
        words: rows
            .iter()
            .map(|row| {
                let day = local(row.at).date();
                match (row.by_platform, row.holds) {
                    (true, true) => format!("står där, läst på plattformen {day}"),
                    (true, false) => format!("hittades inte när plattformen lästes {day}"),
                    (false, true) => format!("står där enligt {}, {day}", row.by),
                    (false, false) => format!("står inte där enligt {}, {day}", row.by),
                }
            })
            .collect(),
    }
}

fn confirmed(row: &Confirmation) -> String {
    let what = if row.active { "kontot används" } else { "kontot används inte" };
    let note = if row.note.is_empty() { String::new() } else { format!(" {}", row.note) };
    format!("{}: {what}, {} {}.{note}", row.year, row.by, local(row.at).date())
}

fn archived(row: &Archiving) -> String {
    let receipt = match row.receipt.as_str() {
        "" => String::new(),
        receipt => format!(" Kvitto: {receipt}."),
    };
    format!("{}: {}, noterat av {}.{receipt}", row.day, row.what, row.by)
}

fn noted(row: &Noted) -> String {
    let note = match row.note.as_str() {
        "" => String::new(),
        note => format!(": {note}"),
    };
    format!("{} {}, noterat av {}{note}", row.kind.label(), row.day, row.by)
}

/// What the list of accounts says of one.
pub fn summary(entry: &Entry) -> Summary {
    let who = |part: Part| -> Vec<String> {
        let people = entry.people.iter().filter(|p| p.part == Some(part));
        people.map(|p| p.user.name.clone()).collect()
    };
    Summary {
        unit: entry.card.unit.clone(),
        owner: who(Part::Owner).into_iter().next(),
        editors: who(Part::Editor),
        mark: mark(entry.card.care),
        flags: entry.flags.iter().map(Flag::words).collect(),
        is_closed: entry.known.is_closed,
    }
}

/// The days of one account.
pub fn cover(account: AccountCover) -> CoverView {
    let words = |cover: &Cover| match cover {
        Cover::Free => "ingen tillsyn krävs".to_owned(),
        Cover::Here(names) => names.join(", "),
        Cover::Nobody | Cover::Unset => String::new(),
    };
    let empty: Vec<_> = account
        .days
        .iter()
        .filter(|(_, cover)| *cover == Cover::Nobody)
        .map(|(day, _)| day_words(*day))
        .collect();
    CoverView {
        unset: account.days.iter().any(|(_, cover)| *cover == Cover::Unset),
        empty: empty.join(", "),
        days: account
            .days
            .iter()
            .map(|(day, cover)| {
                let gap = *cover == Cover::Nobody;
                (day.to_string(), day_words(*day), words(cover), gap)
            })
            .collect(),
        key: account.key,
        name: account.name,
    }
}

/// Where the yearly inventory stands; nothing where nobody waits for an answer.
pub fn inventory(register: &[Entry]) -> Option<InventoryView> {
    let asked = |entry: &Entry| {
        entry.flags.iter().find_map(|flag| match flag {
            Flag::Unconfirmed { by, .. } => Some(*by),
            Flag::Unread { .. }
            | Flag::LoginEnds { .. }
            | Flag::LoginLacks { .. }
            | Flag::NoOwner
            | Flag::OwnerNoManager
            | Flag::FewHolders { .. }
            | Flag::Inactive { .. }
            | Flag::NoText { .. }
            | Flag::NoPurpose
            | Flag::ReviewDue { .. }
            | Flag::ArchiveDue { .. }
            | Flag::RunMissed { .. }
            | Flag::PasswordDue { .. }
            | Flag::Incident(_)
            | Flag::OneStep => None,
        })
    };
    let open: Vec<_> = register.iter().filter_map(|entry| Some((entry, asked(entry)?))).collect();
    let by = open.iter().map(|(_, by)| *by).min()?;
    let named = |(entry, _): &(&Entry, _)| {
        (entry.account.key.as_str().to_owned(), entry.account.name.clone())
    };
    Some(InventoryView { by: by.to_string(), open: open.iter().map(named).collect() })
}
