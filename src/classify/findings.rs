//! The last stage: what was hit and weighed, as findings that a person can read.

use std::sync::Arc;

use crate::classify::cues::Scales;
use crate::classify::cues::table::{WEIGHED, lane};
use crate::classify::lexicon::Lexicon;
use crate::classify::rules::{Hit, View};
use crate::classify::vocabulary::Vocabulary;
use crate::classify::{Classifier, Scratch};
use crate::domain::category::{Category, Severity, Task};
use crate::domain::verdict::{Finding, Span};

/// A rule that hit, and that the cues made less of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// The rule.
    pub rule: Arc<str>,
    /// What it says itself.
    pub from: Severity,
    /// What is left of it.
    pub to: Option<Severity>,
    /// The sum that spoke against it, in hundredths.
    pub sum: i32,
    /// From which sum on it is believed.
    pub belief: i32,
}

impl Classifier {
    /// Last stage: one finding per rule, its words together, hardest first.
    pub(super) fn findings(
        &self,
        scratch: &mut Scratch,
        text: &str,
        lowered: &mut Vec<Lowered>,
    ) -> Vec<Finding> {
        let Scratch {
            folded, tokens, numbers, marks, hits, scales, memo, seen, vocabulary, ..
        } = scratch;
        let mut findings = Vec::new();
        if hits.is_empty() && numbers.is_empty() && scales.found.is_empty() {
            return findings;
        }
        for rule in &self.numbers {
            let mut spans: Vec<Span> = numbers
                .iter()
                .filter(|f| f.number.kind() == rule.kind)
                .flat_map(|f| f.stretches().iter().map(|(from, to)| folded.original(*from, *to)))
                .collect();
            if !spans.is_empty() {
                merge(&mut spans);
                findings.push(Finding {
                    category: Category::PersonalId,
                    severity: rule.severity,
                    rule: Arc::clone(&rule.rule),
                    spans,
                    why: Arc::clone(&rule.why),
                    legal: Arc::clone(&rule.legal),
                    mark: None,
                });
            }
        }
        self.yield_hits(hits);
        hits.sort_by_key(|h| h.rule);
        let Lexicon { words, sets, .. } = &self.lexicon;
        let view = View { original: text, folded, tokens, words, marks, memo, sets, seen };
        for same in hits.chunk_by(|a, b| a.rule == b.rule) {
            let rule = &self.lexicon.rules[same[0].rule as usize];
            if rule.shadow {
                continue;
            }
            let mut spans: Vec<Span> = same
                .iter()
                .flat_map(|h| &h.matched.tokens)
                .map(|t| {
                    let (start, end) = marks.stretch(&tokens.tokens[*t as usize]);
                    folded.original(start, end)
                })
                .collect();
            merge(&mut spans);
            let doubted = self.doubts(&view, vocabulary, scales, hits, same);
            let left = match (doubted, rule.category.task()) {
                (None, _) => Some(rule.severity),
                (Some(_), Task::Removal) => Some(rule.severity.min(Severity::Low)),
                (Some(_), Task::Routing) => None,
            };
            if let Some((sum, belief)) = doubted {
                let (rule, from) = (Arc::clone(&rule.id), rule.severity);
                lowered.push(Lowered { rule, from, to: left, sum, belief });
            }
            let Some(severity) = left else { continue };
            findings.push(Finding {
                category: rule.category,
                severity,
                rule: Arc::clone(&rule.id),
                spans,
                why: Arc::clone(&rule.why),
                legal: Arc::clone(&rule.legal),
                mark: rule.mark,
            });
        }
        self.weighed_findings(scratch, &mut findings);
        findings.sort_by(order);
        findings
    }

    /// The sum that speaks against all hits of a rule, and the one from which it would be believed.
    /// Neither a stretch of the text nor the words around any hit may reach that: whoever adds
    /// pleasantries to a threat makes nobody doubt it.
    fn doubts(
        &self,
        view: &View<'_>,
        vocabulary: &mut Vocabulary,
        scales: &mut Scales,
        hits: &[Hit],
        of_rule: &[Hit],
    ) -> Option<(i32, i32)> {
        let cues = &self.lexicon.cues;
        let id = of_rule.first()?.rule;
        let rule = &self.lexicon.rules[id as usize];
        let belief = cues.belief(id, rule)?;
        let mut highest = cues.highest(scales, rule.category).filter(|sum| *sum < belief)?;
        for hit in of_rule {
            let around = hit.around(view);
            let sums = cues.sums_of(&self.quick, view, vocabulary, hits, around, scales);
            highest = highest.max(sums[lane(rule.category)?]);
            if highest >= belief {
                return None;
            }
        }
        Some((highest, belief))
    }
}

impl Classifier {
    /// Adds what the cues say where no rule says as much.
    fn weighed_findings(&self, scratch: &Scratch, findings: &mut Vec<Finding>) {
        let Scratch { folded, tokens, marks, scales, .. } = scratch;
        let cues = &self.lexicon.cues;
        for weighed in &scales.found {
            let (category, lane) = (WEIGHED[weighed.lane], weighed.lane);
            let Some(sum) = &cues.sums[lane] else { continue };
            let severity = if weighed.sum >= i32::from(cues.sure[lane]) {
                sum.severity
            } else {
                sum.severity.min(Severity::Medium)
            };
            if findings.iter().any(|f| f.category == category && f.severity >= severity) {
                continue;
            }
            let mut spans: Vec<Span> = weighed
                .tokens
                .iter()
                .map(|t| {
                    let (start, end) = marks.stretch(&tokens.tokens[*t as usize]);
                    folded.original(start, end)
                })
                .collect();
            merge(&mut spans);
            findings.push(Finding {
                category,
                severity,
                rule: Arc::clone(&sum.rule),
                spans,
                why: Arc::clone(&sum.why),
                legal: Arc::clone(&sum.legal),
                mark: None,
            });
        }
    }

    /// Takes out the hits whose rule leaves these words to another rule that hit them too.
    fn yield_hits(&self, hits: &mut Vec<Hit>) {
        let yields = |h: &Hit| &self.lexicon.rules[h.rule as usize].yields_to;
        if hits.iter().all(|h| yields(h).is_empty()) {
            return;
        }
        // A rule that is only tried silences none that is in force.
        let in_force = |h: &Hit| !self.lexicon.rules[h.rule as usize].shadow;
        let left: Vec<bool> = hits
            .iter()
            .map(|h| {
                let (lo, hi) = h.matched.bounds();
                !yields(h).is_empty()
                    && hits
                        .iter()
                        .filter(|o| in_force(o))
                        .any(|o| yields(h).contains(&o.rule) && o.matched.overlaps(lo, hi))
            })
            .collect();
        let mut left = left.into_iter();
        hits.retain(|_| !left.next().unwrap_or(false));
    }
}

impl Classifier {
    /// The rules in shadow that hit the text that was read into `scratch` last, each once.
    pub fn shadow_hits(&self, scratch: &Scratch) -> Vec<Arc<str>> {
        let mut rules: Vec<u32> = scratch.hits.iter().map(|h| h.rule).collect();
        rules.retain(|r| self.lexicon.rules[*r as usize].shadow);
        rules.sort_unstable();
        rules.dedup();
        rules.into_iter().map(|r| Arc::clone(&self.lexicon.rules[r as usize].id)).collect()
    }
}

/// Hardest first.
pub(super) fn order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    (b.severity, a.category).cmp(&(a.severity, b.category)).then_with(|| a.rule.cmp(&b.rule))
}

/// Sorts spans and joins those that overlap.
fn merge(spans: &mut Vec<Span>) {
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let joined = next.start <= kept.end;
        if joined {
            kept.end = kept.end.max(next.end);
        }
        joined
    });
}
