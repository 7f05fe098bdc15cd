//! Policies and their versions → what their pages show.

use jiff::Timestamp;

use crate::domain::calendar::local;
use crate::domain::ids::{PolicyVersionId, UserId};
use crate::domain::policy_version::PolicyVersion;
use crate::services::policies::{Checked, Effects, InUse, Line, Preview};

use super::view::policies::{InUseRow, PreviewView, Side, VersionRow, WaitingView};
use super::view::visible::Visible;

/// Deadlines that are told one by one.
const TOLD: usize = 30;

fn moment(at: Timestamp) -> String {
    local(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Who let it rule: a person, or whoever changed the file.
fn by(version: &PolicyVersion) -> String {
    match &version.made_by {
        Some((_, name)) => name.clone(),
        None => "filen på servern".to_owned(),
    }
}

/// A policy in use on a line.
pub fn in_use(one: &InUse) -> InUseRow {
    let ruling = one.ruling().and_then(|version| Some((version, version.ruled_from?)));
    InUseRow {
        id: one.id.clone(),
        whose: one.whose.clone(),
        name: one.policy.name.clone(),
        accounts: one.accounts.clone(),
        since: ruling.map_or_else(
            || "ur filen".to_owned(),
            |(version, from)| format!("sedan {} av {}", moment(from), by(version)),
        ),
        waits: one.waiting().is_some(),
    }
}

/// Where the policy that rules comes from.
pub fn from(one: &InUse) -> String {
    if let Some(doubt) = &one.policy.doubt {
        return doubt.to_string();
    }
    match one.ruling() {
        Some(version) if version.made_by.is_none() => format!(
            "Version {} gäller. Den lästes ur filen på servern. Publiceras en version här gäller den i stället, tills filen ändras.",
            version.id
        ),
        Some(version) => format!(
            "Version {} gäller. Den publicerades här. Filen på servern gäller först om någon ändrar den och startar om Uppsikt.",
            version.id
        ),
        None => "Den lästes ur filen på servern.".to_owned(),
    }
}

/// A version on a line.
pub fn version(version: &PolicyVersion, ruling: Option<PolicyVersionId>) -> VersionRow {
    let rules = ruling == Some(version.id);
    let approved = version.approved_by.as_ref();
    let approved = approved.map_or_else(String::new, |(_, name)| format!(", godkänd av {name}"));
    let state = match (version.ruled_from, version.withdrawn_at) {
        (Some(at), _) if rules => format!("gäller sedan {}{approved}", moment(at)),
        (Some(at), _) => format!("började gälla {}{approved}", moment(at)),
        (None, Some(at)) => format!("drogs tillbaka {}", moment(at)),
        (None, None) => "väntar på godkännande".to_owned(),
    };
    VersionRow {
        id: version.id.0,
        made: format!("{} av {}", moment(version.made_at), by(version)),
        why: version.why.clone(),
        state,
        rules,
    }
}

/// All of them.
pub fn versions(one: &InUse) -> Vec<VersionRow> {
    let ruling = one.ruling().map(|version| version.id);
    one.versions.iter().map(|row| version(row, ruling)).collect()
}

/// Who proposed a version when, and why.
pub fn proposed(version: &PolicyVersion) -> String {
    format!("{} föreslog {}: {}", by(version), moment(version.made_at), version.why)
}

/// The one that waits.
pub fn waiting(version: &PolicyVersion, checked: Option<Checked>, viewer: UserId) -> WaitingView {
    let own = version.made_by.as_ref().is_some_and(|(id, _)| *id == viewer);
    let may = checked.is_some();
    WaitingView {
        id: version.id.0,
        words: proposed(version),
        preview: match checked {
            Some(Checked::Fits(fits)) => Some(preview(*fits)),
            Some(Checked::Faulty(_) | Checked::Same) | None => None,
        },
        may_approve: may && !own,
        may_withdraw: may,
    }
}

/// A comparison as it is shown; nothing where there is no difference.
pub fn lines(compared: Vec<Line>) -> Vec<(Side, String)> {
    let shown = |line: &str| Visible::new(line).into_line();
    let any = compared.iter().any(|line| !matches!(line, Line::Skipped(_)));
    let line = |line: Line| match line {
        Line::Same(line) => (Side::Same, shown(&line)),
        Line::Gone(line) => (Side::Gone, shown(&line)),
        Line::New(line) => (Side::New, shown(&line)),
        Line::Skipped(1) => (Side::Same, "… en rad är som förut".to_owned()),
        Line::Skipped(n) => (Side::Same, format!("… {n} rader är som förut")),
    };
    if any { compared.into_iter().map(line).collect() } else { Vec::new() }
}

fn told(effects: &Effects) -> Vec<String> {
    let Effects { n_open, moved, n_kept, suggestions, n_more } = effects;
    if *n_open == 0 {
        return vec!["Inga ärenden väntar under riktlinjen.".into()];
    }
    let cases = |n: usize| if n == 1 { "ett ärende".to_owned() } else { format!("{n} ärenden") };
    let earlier = moved.iter().filter(|moved| moved.to < moved.from).count();
    let later = moved.len() - earlier;
    let mut all = vec![format!("Under riktlinjen väntar {}.", cases(*n_open))];
    match (earlier, later) {
        (0, 0) => all.push("Inga frister flyttas.".into()),
        _ => all.push(format!(
            "Fristen blir tidigare för {} och senare för {}, om den räknas om.",
            cases(earlier),
            cases(later)
        )),
    }
    if *n_kept > 0 {
        all.push(format!(
            "{} behåller en frist som har satts av annat skäl, till exempel en ändrad text.",
            cases(*n_kept)
        ));
    }
    match suggestions.len() + n_more {
        0 => all.push("Inga förslag ändras.".into()),
        n => all.push(format!("Förslaget ändras för {}. Det gäller genast.", cases(n))),
    }
    all
}

/// What a text would change.
pub fn preview(preview: Preview) -> PreviewView {
    let effects = told(&preview.effects);
    let Effects { moved, suggestions, .. } = preview.effects;
    let moved = moved.iter().take(TOLD);
    PreviewView {
        words: lines(preview.words),
        text: lines(preview.text),
        effects,
        suggestions: suggestions.into_iter().map(|(case, a, b)| (case.0, a, b)).collect(),
        moved: moved.map(|m| (m.case.0, moment(m.from), moment(m.to))).collect(),
    }
}
