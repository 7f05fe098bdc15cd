//! A verdict with its reasons, for those who write rules and learn weights.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::classify::cues::Weighing;
use crate::classify::cues::extract::{Cue, each_cue};
use crate::classify::findings::Lowered;
use crate::classify::lexicon::Lexicon;
use crate::classify::rules::{Stopped, View};
use crate::classify::{Classifier, Scratch, cues};
use crate::domain::verdict::{Span, Verdict};

/// A verdict with all that speaks for and against it.
#[derive(Clone, Debug)]
pub struct Traced {
    /// What [`Classifier::classify`] says.
    pub verdict: Verdict,
    /// The rules that came near.
    pub near: Vec<Near>,
    /// What was weighed, where it came near a finding.
    pub weighings: Vec<Weighing>,
    /// The rules that hit and were not believed.
    pub lowered: Vec<Lowered>,
}

/// A rule that came near, and what stopped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The rule.
    pub rule: Arc<str>,
    /// The word it began at, in the original.
    pub at: Span,
    /// What stopped it.
    pub stopped: Stopped,
}

/// How many rules that came near are told of.
pub(super) const MOST_NEAR: usize = 200;

impl Classifier {
    /// As [`Self::classify_with`], also saying which rules came near and what was weighed.
    pub fn trace(&self, scratch: &mut Scratch, text: &str) -> Traced {
        let mut near = Vec::new();
        self.read(scratch, text);
        self.find_numbers(scratch, text);
        self.match_rules(scratch, text, Some(&mut near));
        // What decides is found as ever: whoever tries everything may stop at other hits.
        self.match_rules(scratch, text, None);
        self.weigh(scratch, text);
        // Before hits are left to other rules: that is what was weighed.
        let weighings = self.weighings(scratch, text);
        let mut lowered = Vec::new();
        let findings = self.findings(scratch, text, &mut lowered);
        let verdict = Verdict { lexicon: self.version().clone(), findings };
        Traced { verdict, near, weighings, lowered }
    }

    /// The cues of a text, by name, each once: one list for every stretch that is weighed.
    pub fn cues(&self, scratch: &mut Scratch, text: &str) -> Vec<Vec<String>> {
        self.read(scratch, text);
        self.find_numbers(scratch, text);
        self.match_rules(scratch, text, None);
        let Scratch { folded, tokens, hits, marks, memo, seen, .. } = scratch;
        let Lexicon { words, sets, .. } = &self.lexicon;
        let view = View { original: text, folded, tokens, words, marks, memo, sets, seen };
        let rule = |r: u32| self.lexicon.rules[r as usize].id.to_string();
        let names = &self.lexicon.class_names;
        cues::stretches(&view)
            .map(|stretch| {
                let mut found = BTreeSet::new();
                each_cue(&view, stretch.clone(), |cue, _| {
                    found.insert(cue.name(names, rule));
                });
                for hit in hits.iter() {
                    if hit.matched.tokens.iter().any(|t| stretch.contains(&(*t as usize))) {
                        found.insert(Cue::Rule(hit.rule).name(names, rule));
                    }
                }
                found.into_iter().collect()
            })
            .collect()
    }

    /// What was weighed in the text that was read into `scratch` last: for every category that was
    /// found, or that the cues speak against, its sum and the cues that weigh most.
    fn weighings(&self, scratch: &mut Scratch, text: &str) -> Vec<Weighing> {
        let Scratch { folded, tokens, hits, marks, memo, seen, .. } = scratch;
        let Lexicon { words, sets, .. } = &self.lexicon;
        let view = View { original: text, folded, tokens, words, marks, memo, sets, seen };
        let rule = |r: u32| self.lexicon.rules[r as usize].id.to_string();
        let name = |cue: Cue<'_>| cue.name(&self.lexicon.class_names, rule);
        self.lexicon.cues.weighings(&view, hits, name)
    }

    /// The long way round: every pattern at every word, without the index.
    #[cfg(test)]
    pub(super) fn try_everything(&self, scratch: &mut Scratch, text: &str) -> Verdict {
        self.read(scratch, text);
        self.find_numbers(scratch, text);
        self.match_rules(scratch, text, Some(&mut Vec::new()));
        self.weigh(scratch, text);
        self.verdict(scratch, text)
    }
}
