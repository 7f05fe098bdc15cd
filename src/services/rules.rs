//! Rules in force and set aside: what each has done, and who changes that. For the command line.

use crate::classify::lexicon::Lexicon;
use crate::classify::lexicon::file::distance;
use crate::domain::rule_watch::{RuleAlarm, RuleFigures};
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::rows::AuditLine;

use super::ServiceError;

/// What every rule has done lately, the busiest first.
///
/// # Errors
/// [`ServiceError`] where the store cannot be read.
pub async fn figures(store: &Store, clock: &Clock) -> Result<Vec<RuleFigures>, ServiceError> {
    Ok(store.rule_figures(clock.now()).await?)
}

/// Alarms that stand.
///
/// # Errors
/// [`ServiceError`] where the store cannot be read.
pub async fn alarms(store: &Store, clock: &Clock) -> Result<Vec<RuleAlarm>, ServiceError> {
    Ok(store.rule_alarms(clock.now()).await?)
}

fn line(act: &'static str, rule: &str, who: &str) -> AuditLine {
    AuditLine {
        user: None,
        user_name: who.to_owned(),
        act,
        subject: format!("rule {rule}"),
        address: "local".into(),
        detail: None,
    }
}

/// Sets a rule aside: counted, not shown, unless what it finds is grave.
///
/// # Errors
/// [`ServiceError::Refused`] where the lexicon knows no such rule, or a person has set it aside already.
pub async fn set_aside(
    store: &Store,
    clock: &Clock,
    lexicon: &Lexicon,
    rule: &str,
    why: &str,
    who: &str,
) -> Result<(), ServiceError> {
    if !lexicon.rule_names().any(|known| known == rule) {
        let nearest = lexicon.rule_names().min_by_key(|known| distance(known, rule));
        let meant = nearest.map(|known| format!(" Menades {known}?")).unwrap_or_default();
        return Err(ServiceError::Refused {
            why: format!("Ordlistorna har ingen regel som heter {rule}.{meant}"),
        });
    }
    let line = line("rule.shadow", rule, who);
    if store.shadow_rule(rule.to_owned(), why.to_owned(), line, clock.now()).await? {
        return Ok(());
    }
    Err(ServiceError::Refused { why: format!("Regeln {rule} är redan satt i skugga av någon.") })
}

/// Puts a rule back in force.
///
/// # Errors
/// [`ServiceError::Refused`] where it was not set aside.
pub async fn promote(
    store: &Store,
    clock: &Clock,
    rule: &str,
    who: &str,
) -> Result<(), ServiceError> {
    let line = line("rule.promote", rule, who);
    if store.promote_rule(rule.to_owned(), line, clock.now()).await? {
        return Ok(());
    }
    Err(ServiceError::Refused {
        why: format!(
            "Regeln {rule} är inte satt i skugga av programmet. Står det shadow = true i ordlistan: ta bort det där."
        ),
    })
}
