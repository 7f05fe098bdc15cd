//! What the services of handing out give → display values.

use jiff::Timestamp;

use crate::domain::release::{Release, ReleaseOutcome};
use crate::services::police::{PoliceChoice, PoliceFile};
use crate::services::releases::{Hit, Hits, ReleaseItem, mask_lines};

use super::view::handed::{
    CrimeView, HitView, PoliceFilled, PolicePage, PoliceRow, ReleaseItemView, ReleasePage,
    ReleaseRow, ReleasesPage,
};
use super::view::marked::MarkedText;
use super::view::shell::{Notice, Shell};
use super::view::times::Moment;
use super::view::visible::Visible;

/// What anybody wrote, with hidden characters marked.
fn shown(text: &str) -> String {
    Visible::new(text).into_line()
}

/// The page of a report to the police. `typed` is what comes back.
pub fn police(
    shell: Shell,
    notice: Option<Notice>,
    file: PoliceFile,
    typed: Option<&PoliceChoice>,
    now: Timestamp,
) -> PolicePage {
    let last = file.decisions.last().map(|decision| decision.crime.code().to_owned());
    let chosen = typed.map(|typed| typed.crime.clone()).or(last);
    let crimes = file.crimes.iter().enumerate().map(|(n, crime)| CrimeView {
        code: crime.code(),
        label: crime.label(),
        statute: crime.statute(),
        by: crime.reported_by().words(),
        suggested: n < file.n_suggested,
        chosen: chosen.as_deref() == Some(crime.code()),
    });
    let decisions = file.decisions.iter().rev().map(|decision| PoliceRow {
        at: Moment::new(decision.at, now),
        by: decision.by.clone(),
        what: if decision.reported { "Anmäls" } else { "Anmäls inte" },
        crime: decision.crime.label(),
        injured: decision.injured.as_deref().map(shown),
        reason: shown(&decision.reason),
    });
    PolicePage {
        shell,
        notice,
        case: file.case,
        seen: (file.version.0, file.decisions.len()),
        form: file.form.iter().map(|(label, value)| (label.clone(), shown(value))).collect(),
        crimes: crimes.collect(),
        decisions: decisions.collect(),
        may_decide: file.may_decide,
        no_copy: file.no_copy,
        filled: typed.map_or_else(PoliceFilled::default, |typed| PoliceFilled {
            reported: Some(typed.reported),
            injured: typed.injured.clone(),
            reason: typed.reason.clone(),
        }),
    }
}

fn row(release: &Release, now: Timestamp) -> ReleaseRow {
    ReleaseRow {
        id: release.id,
        subject: shown(&release.subject),
        asker: release.asker.as_deref().map_or("anonym".into(), shown),
        opened: (Moment::new(release.opened.0, now), release.opened.1.clone()),
        ended: release.ended.as_ref().map(|(at, by, outcome, words)| {
            (Moment::new(*at, now), by.clone(), outcome.label(), shown(words))
        }),
        n_records: release.n_records,
    }
}

/// The page of all requests.
pub fn releases(
    shell: Shell,
    notice: Option<Notice>,
    filled: (String, String),
    all: &[Release],
    now: Timestamp,
) -> ReleasesPage {
    let (pending, ended): (Vec<_>, Vec<_>) =
        all.iter().map(|release| row(release, now)).partition(|row| row.ended.is_none());
    ReleasesPage { shell, notice, filled, pending, ended }
}

fn item(item: ReleaseItem) -> ReleaseItemView {
    let ReleaseItem {
        record,
        what,
        when,
        author,
        place,
        text,
        no_copy,
        grounds,
        nowhere,
        secrecy,
        ..
    } = item;
    let text = match (&record.withheld, text, no_copy) {
        (Some(provision), _, _) => Err(format!("Texten lämnas inte ut: {provision}")),
        (None, Some(text), _) => Ok(MarkedText::plain(&text)),
        (None, None, Some(why)) => Err(why.to_owned()),
        (None, None, None) => Err("Ingen text finns.".to_owned()),
    };
    let told = |(provision, n): (String, usize)| match (provision.as_str(), n) {
        ("", 1) => "Maskat på ett ställe, utan lagrum än.".to_owned(),
        ("", n) => format!("Maskat på {n} ställen, utan lagrum än."),
        (provision, 1) => format!("Maskat på ett ställe: {provision}"),
        (provision, n) => format!("Maskat på {n} ställen: {provision}"),
    };
    ReleaseItemView {
        evidence: record.evidence,
        case: record.case,
        what: shown(&what),
        when: shown(&when),
        author: shown(&author),
        place: shown(&place),
        text,
        nowhere: nowhere.iter().map(|phrase| shown(phrase)).collect(),
        sender_withheld: record.sender_withheld.unwrap_or_default(),
        grounds: grounds.into_iter().map(told).collect(),
        lines: mask_lines(&record.masks),
        lacks_ground: record.withheld.is_none()
            && record.masks.iter().any(|mask| mask.provision.is_empty()),
        withheld: record.withheld.unwrap_or_default(),
        secrecy: secrecy.map(|mark| shown(&mark)),
    }
}

/// The page of one request.
pub fn release(
    shell: Shell,
    notice: Option<Notice>,
    (known, items): (Release, Vec<ReleaseItem>),
    wanted: String,
    found: Hits,
    now: Timestamp,
) -> ReleasePage {
    let hit = |hit: Hit| HitView {
        evidence: hit.evidence,
        case: hit.case,
        text: shown(&hit.text),
        chosen: hit.chosen,
    };
    let released =
        known.ended.as_ref().is_some_and(|(_, _, outcome, _)| *outcome == ReleaseOutcome::Released);
    ReleasePage {
        shell,
        notice,
        row: row(&known, now),
        released,
        items: items.into_iter().map(item).collect(),
        wanted,
        hits: found.hits.into_iter().map(hit).collect(),
        more: found.more,
    }
}
