//! Patterns of which one is enough: the conditions of a rule, and what a guard looks for.
//!
//! There are dozens in a list, and few can stand in a given sentence. So what each of them needs
//! most is kept apart from the patterns, side by side: a list is passed over without its patterns
//! being touched.

use crate::classify::gate::{Bits, ClassMask};
use crate::classify::rules::View;
use crate::classify::rules::pattern::{Match, Pattern};

/// The patterns with what each of them needs.
#[derive(Debug, Default)]
pub struct Conditions {
    /// Those that stay in their sentence, those that may leave it, those that need no class.
    patterns: Vec<Pattern>,
    /// What the patterns of the first two kinds need.
    gates: Vec<ClassMask>,
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

    /// Gives the patterns the masks of their classes.
    pub fn prepare(&mut self, bits: &Bits) {
        self.patterns.iter_mut().for_each(|p| p.prepare(bits));
        self.patterns.sort_by_key(|p| (p.rarest_need().is_none(), p.crosses()));
        self.gates = self.patterns.iter().map_while(Pattern::rarest_need).collect();
        self.n_within = self.patterns.iter().take_while(|p| !p.crosses()).count();
        self.n_within = self.n_within.min(self.gates.len());
    }

    /// Whether one of them is found near `at`, as `accept` wants it.
    pub fn any(&self, view: &View<'_>, at: usize, accept: impl Fn(&Match) -> bool) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let sentence = view.seen_round(at);
        let stands = |n: usize| {
            let pattern = &self.patterns[n];
            pattern.may_stand(view, at)
                && view.around(at).any(|i| {
                    pattern.may_begin(view, i)
                        && pattern.among_its_words(view, i).is_some_and(|m| accept(&m))
                })
        };
        let (within, crossing) = self.gates.split_at(self.n_within);
        let open = self.gates.len()..self.patterns.len();
        within.iter().enumerate().any(|(n, gate)| gate.meets(sentence) && stands(n))
            || crossing
                .iter()
                .zip(self.n_within..)
                .any(|(gate, n)| gate.meets(view.seen_in_text()) && stands(n))
            || open.into_iter().any(stands)
    }
}
