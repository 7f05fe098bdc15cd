//! What rules have done, and what people say of what they found.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::classify::cues::table::WEIGHED;
use crate::domain::category::{Category, Severity};
use crate::domain::ids::CaseId;
use crate::domain::person::Act;
use crate::domain::rule_watch::{Judged, RuleFigures};

use super::{ServiceError, Services, Viewer};

/// How far back people's judgements of rules are counted.
const JUDGED_FOR: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How many cases are shown in which a rule was wrong.
const WRONG_SHOWN: u32 = 20;

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

/// What a rule is and what it has done, for the page.
#[derive(Clone, Debug)]
pub struct RuleFacts {
    /// Its name.
    pub id: String,
    /// What it finds.
    pub category: Category,
    /// How grave.
    pub severity: Severity,
    /// The sentence for the editor.
    pub why: String,
    /// Counted and not shown, or looked for no more, by the rules themselves.
    pub quiet: Option<Quiet>,
    /// How often it has hit lately, where it has.
    pub figures: Option<RuleFigures>,
    /// How people judged what it found.
    pub judged: Judged,
}

/// Why a rule tells nobody of what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Counted.
    Shadow,
    /// Not even looked for.
    Off,
}

impl Services {
    /// The rules in force that fit what was asked for, by name or by what they say, the busiest first; without a
    /// question those that have hit lately. Also says how many rules there are.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn rule_facts(
        &self,
        viewer: &Viewer,
        asked: &str,
    ) -> Result<(Vec<RuleFacts>, usize), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let now = self.inner.clock.now();
        let figures = self.inner.store.rule_figures(now).await?;
        let mut figures: BTreeMap<String, RuleFigures> =
            figures.into_iter().map(|one| (one.rule.clone(), one)).collect();
        let judged = self.inner.store.judged_rules(now - JUDGED_FOR).await?;
        let asked = asked.trim().to_lowercase();
        let classifier = self.classifier();
        let lexicon = classifier.lexicon();
        let of_rules = lexicon.rules.iter().map(|rule| {
            let quiet = match (rule.patterns.is_empty(), rule.shadow) {
                (true, _) => Some(Quiet::Off),
                (false, true) => Some(Quiet::Shadow),
                (false, false) => None,
            };
            (&rule.id, rule.category, rule.severity, &rule.why, quiet)
        });
        let of_sums = WEIGHED.into_iter().zip(&lexicon.cues.sums).filter_map(|(category, sum)| {
            let sum = sum.as_ref()?;
            Some((&sum.rule, category, sum.severity, &sum.why, None))
        });
        let all: Vec<_> = of_rules.chain(of_sums).collect();
        let n_all = all.len();
        let mut found: Vec<RuleFacts> = all
            .into_iter()
            .map(|(id, category, severity, why, quiet)| RuleFacts {
                id: id.to_string(),
                category,
                severity,
                why: why.to_string(),
                quiet,
                figures: figures.remove(&**id),
                judged: judged.get(&**id).copied().unwrap_or_default(),
            })
            .filter(|one| match asked.is_empty() {
                true => one.figures.is_some() || one.judged.of > 0,
                false => {
                    one.id.to_lowercase().contains(&asked)
                        || one.why.to_lowercase().contains(&asked)
                }
            })
            .collect();
        let fired = |one: &RuleFacts| {
            one.figures.as_ref().map_or(0, |figures| figures.today.fired + figures.past.fired)
        };
        found.sort_by_key(|one| (std::cmp::Reverse(fired(one)), one.id.clone()));
        Ok((found, n_all))
    }

    /// Cases in which what a rule found was called wrong, the newest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn cases_judged_wrong(
        &self,
        viewer: &Viewer,
        rule: &str,
    ) -> Result<Vec<CaseId>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(self.inner.store.cases_judged_wrong(rule.to_owned(), WRONG_SHOWN).await?)
    }

    /// Says whether what a rule found in the version of a case that was shown is wrong (*avfärdar en regelträff*). Neither
    /// the verdict nor any decision changes by it; said again it changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] where the rule has found nothing there, or the text is
    /// another by now.
    pub async fn judge_finding(
        &self,
        viewer: &Viewer,
        (case, shown): (CaseId, u32),
        rule: &str,
        wrong: bool,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let row = self.inner.store.case(case).await?;
        let version = self.inner.store.version(row.version).await?;
        if version.number != shown {
            return refused(
                "Texten har ändrats sedan du läste den, så träffen gällde en annan lydelse. Läs sidan på nytt.",
            );
        }
        let verdict = version.verdict.as_ref();
        if !verdict.is_some_and(|v| v.findings.iter().any(|finding| *finding.rule == *rule)) {
            return refused("Regeln har ingen träff i ärendets text. Läs sidan på nytt.");
        }
        let line = viewer.line("finding.judge", format!("case {case}"));
        let who = (viewer.user, viewer.name.clone());
        let what = (case, row.version, rule.to_owned());
        let now = self.inner.clock.now();
        if self.inner.store.judge_finding(what, wrong, who, line, now).await? {
            self.tell_cases(&[case]);
        }
        Ok(())
    }
}
