//! Patterns of which one is enough: the conditions of a rule, and what a guard looks for.
//!
//! There are dozens in a list, and few can stand in a given sentence. So what each of them needs
//! lies beside what the others need, eight bytes each: a list is passed over without its patterns
//! being touched.

use crate::classify::rules::View;
use crate::classify::rules::everyday::Often;
use crate::classify::rules::pattern::{Match, Pattern};
use crate::classify::rules::sets::{Asked, Gate};

/// The patterns with what each of them needs.
#[derive(Debug, Default)]
pub struct Conditions {
    /// Those that stay in their sentence, then those that may leave it.
    patterns: Vec<Pattern>,
    /// What the patterns need.
    gates: Vec<Gate>,
    n_within: usize,
}

impl From<Vec<Pattern>> for Conditions {
    fn from(patterns: Vec<Pattern>) -> Self {
        Self { patterns, ..Self::default() }
    }
}

impl Conditions {
    /// Adds patterns. They are looked for once [`Self::prepare`] has been called.
    pub fn extend(&mut self, patterns: Vec<Pattern>) {
        self.patterns.extend(patterns);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Pattern> {
        self.patterns.iter()
    }

    /// Makes the patterns ready to be looked for.
    pub fn prepare(&mut self, asked: &Asked, often: &Often) {
        self.patterns.iter_mut().for_each(|p| p.prepare_gated(asked, often));
        self.patterns.sort_by_key(Pattern::crosses);
        self.gates = self.patterns.iter().map(|p| *p.code().gate()).collect();
        self.n_within = self.patterns.iter().take_while(|p| !p.crosses()).count();
    }

    /// Whether one of them is found near `at`, as `accept` wants it.
    pub fn any(&self, view: &View<'_>, at: usize, accept: impl Fn(&Match) -> bool) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let stands = |n: usize| {
            let code = self.patterns[n].code();
            view.around(at)
                .any(|i| code.may_begin(view, i) && code.at(view, i).is_some_and(|m| accept(&m)))
        };
        let (within, crossing) = self.gates.split_at(self.n_within);
        let sentence = view.seen_round(at);
        within.iter().enumerate().any(|(n, gate)| sentence.has_all(gate) && stands(n))
            || crossing
                .iter()
                .zip(self.n_within..)
                .any(|(gate, n)| view.seen_in_text().has_all(gate) && stands(n))
    }
}
