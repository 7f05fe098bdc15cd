//! Rules, what they have done, and what a change would do → what their pages show.

use crate::domain::ids::UserId;
use crate::domain::policy_version::PolicyVersion;
use crate::domain::verdict::Span;
use crate::services::policies::compared;
use crate::services::rule_book::{OWN_FILE, OwnRules, RulesPreview, Tried, late_words};
use crate::services::rule_desk::Told;
use crate::services::rule_facts::{Quiet, RuleFacts};

use super::present_policies::{lines, proposed, version};
use super::view::case::WhyRow;
use super::view::marked::MarkedText;
use super::view::policies::VersionRow;
use super::view::rules::{ChangeRow, RuleRow, RulesChange, TriedView, WaitingRules};
use super::view::visible::Visible;
use super::view::words::count;

fn shown(text: &str) -> String {
    Visible::new(text).into_line()
}

/// What came of a text.
pub fn tried(text: &str, tried: &Tried) -> TriedView {
    let Tried { findings, near, notes, folded, language, whole } = tried;
    let word = |at: &Span| text.get(at.start as usize..at.end as usize).unwrap_or_default();
    let near = near.iter().map(|(rule, at, why)| (rule.clone(), shown(word(at)), why.clone()));
    TriedView {
        text: MarkedText::whole(text, findings),
        folded: MarkedText::plain(folded.trim()),
        why: WhyRow::rows(findings, &[]),
        foreign: language.filter(|language| !language.is_read()).map(|language| language.label()),
        notes: notes.clone(),
        near: near.collect(),
        whole: whole.lines().map(shown).collect(),
    }
}

/// A rule on a line.
pub fn rule(facts: &RuleFacts) -> RuleRow {
    let RuleFacts { id, category, severity, why, quiet, figures, judged } = facts;
    let fired = match figures {
        None => "Inga träffar de senaste 28 dygnen".to_owned(),
        Some(known) => {
            let all = known.today.fired + known.past.fired;
            format!("{} de senaste 28 dygnen, {} i dag", count_of(all), known.today.fired)
        }
    };
    let right = match judged.precision() {
        None => "Ingen har beslutat om någon träff de senaste 90 dygnen".to_owned(),
        Some(share) => format!(
            "{share} procent rätt: {} av {} beslutade ärenden avfärdade som fel",
            judged.wrong, judged.of
        ),
    };
    let aside = figures.as_ref().and_then(|known| known.shadow.as_ref());
    let quiet = match (quiet, aside) {
        (Some(Quiet::Off), _) => Some("avstängd i de egna reglerna".to_owned()),
        (Some(Quiet::Shadow), _) => Some("i skugga".to_owned()),
        (None, Some((_, why))) => Some(format!("satt i skugga: {why}")),
        (None, None) => None,
    };
    RuleRow {
        id: id.clone(),
        category: category.label(),
        severity: severity.label(),
        why: why.clone(),
        fired,
        right,
        quiet,
    }
}

fn count_of(n: u64) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX), "träff", "träffar")
}

/// Which own rules are in force.
pub fn from(own: &OwnRules) -> String {
    if let Some(late) = own.in_force.late {
        return late_words(late);
    }
    match (own.in_force.version, own.in_force.refused) {
        (Some(version), Some(refused)) => format!(
            "Version {refused} godtas inte av den här versionen av Uppsikt, så version {version} gäller. Rätta reglerna och publicera på nytt."
        ),
        (None, Some(refused)) => format!(
            "Version {refused} godtas inte av den här versionen av Uppsikt, så bara de inbyggda reglerna gäller. Rätta reglerna och publicera på nytt."
        ),
        (Some(version), None) => format!("Version {version} gäller, ovanpå de inbyggda reglerna."),
        (None, None) => "Inga. De inbyggda reglerna gäller som de är.".to_owned(),
    }
}

/// All versions.
pub fn versions(own: &OwnRules) -> Vec<VersionRow> {
    let ruling = own.ruling().map(|ruling| ruling.id);
    own.versions.iter().map(|row| version(row, ruling)).collect()
}

/// The version that waits.
pub fn waiting(own: &OwnRules, viewer: UserId, may: bool) -> Option<WaitingRules> {
    let waits: &PolicyVersion = own.waiting()?;
    let is_own = waits.made_by.as_ref().is_some_and(|(id, _)| *id == viewer);
    Some(WaitingRules {
        id: waits.id.0,
        words: proposed(waits),
        text: lines(compared(&own.in_force.text, &waits.text)),
        may_withdraw: may,
        may_approve: may && !is_own,
    })
}

/// Where a fault stands, and what it is.
pub fn fault(told: &Told) -> (String, String) {
    let place = match told.file == OWN_FILE {
        true => format!("Rad {}", told.line),
        false => format!("{}, rad {}", told.file, told.line),
    };
    (place, shown(&told.what))
}

/// What rules would change.
pub fn change(preview: RulesPreview) -> RulesChange {
    let mark = preview.mark();
    let weakened = preview.weakened.iter().map(|one| format!("{} {}", one.rule, shown(&one.what)));
    let weakened: Vec<_> = weakened.collect();
    let RulesPreview { text, warnings, n_examples, otherwise, texts, queued, changes, .. } =
        preview;
    let examples = match otherwise.len() {
        0 => format!("{n_examples} exempel och motexempel är provade, och alla stämmer."),
        n => format!(
            "{n_examples} exempel och motexempel är provade. De egna stämmer; {} av de inbyggda gör det inte längre.",
            n
        ),
    };
    let n_changes: u64 = changes.iter().map(|one| one.n).sum();
    let tried = match (texts, n_changes) {
        (0, _) => "Det finns inga lagrade texter att prova på.".to_owned(),
        (1, 0) => "Prövade på den enda lagrade texten: ingenting ändras.".to_owned(),
        (n, 0) => format!("Prövade på de {n} nyaste lagrade texterna: ingenting ändras."),
        (n, _) => format!(
            "Prövade på de {n} nyaste lagrade texterna. Till kön skulle {} av dem ha gått i stället för {}.",
            queued.1, queued.0
        ),
    };
    let rows = changes.into_iter().map(|one| ChangeRow {
        category: one.category.label(),
        what: one.what,
        n: one.n,
        samples: one
            .samples
            .into_iter()
            .map(|(text, rules, case)| (shown(&text), rules, case.map(|case| case.0)))
            .collect(),
    });
    RulesChange {
        weakened: mark.map(|mark| (weakened, mark)),
        told: vec![
            examples,
            tried,
            "Det som redan är bedömt bedöms inte om. Reglerna gäller det som kommer in sedan."
                .into(),
        ],
        warnings: warnings.iter().map(fault).map(|(at, what)| format!("{at}: {what}")).collect(),
        otherwise: otherwise.iter().map(|line| shown(line)).collect(),
        changes: rows.collect(),
        text: lines(text),
    }
}

/// Lines as they stand.
pub fn plain(text: &str) -> Vec<String> {
    text.lines().map(shown).collect()
}
