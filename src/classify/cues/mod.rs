//! Weighing: many small cues, none of which proves anything, summed to a category.
//!
//! Rules say what a text means by the order of its words; they miss whoever says the same thing in
//! other words. Here every word, pair of words, class, rule hit and outer shape may carry weights,
//! written in a list that a person can read and change; the sum over a stretch of text, against a
//! threshold for each category, gives a finding, and the words that weighed most are its reason.

pub mod extract;
pub mod fit;
pub mod quick;
pub mod table;
pub mod thresholds;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use crate::classify::cues::extract::{Cue, each_cue};
use crate::classify::cues::quick::{Met, Quick};
use crate::classify::cues::table::{Cues, LANES, Row, Sum, WEIGHED, lane};
use crate::classify::cues::thresholds::NEVER;
use crate::classify::rules::pattern::Match;
use crate::classify::rules::{Guards, Hit, Rule, View};
use crate::classify::vocabulary::Vocabulary;
use crate::domain::category::{Category, Severity};

/// How far below its threshold a sum is still told of.
const NEARLY: i32 = 30;
/// How many cues are told of a sum.
const MOST_SHOWN: usize = 10;
/// How many words a finding names as its reason.
const MOST_REASONS: usize = 5;

/// From this many words on, a stretch ends where its sentence ends.
const STRETCH: usize = 40;
/// A stretch is never longer than this.
const LONGEST: usize = 80;

/// Cuts the text into stretches that are weighed each for itself, so that a long text is not
/// suspected for being long.
pub fn stretches(view: &View<'_>) -> impl Iterator<Item = Range<usize>> {
    let n = view.tokens.tokens.len();
    let mut from = 0;
    std::iter::from_fn(move || {
        if from >= n {
            return None;
        }
        let mut to = (from + STRETCH).min(n);
        while to < n && to - from < LONGEST {
            if view.token(to).sentence != view.token(to - 1).sentence {
                break;
            }
            to += 1;
        }
        let stretch = from..to;
        from = to;
        Some(stretch)
    })
}

/// The buffer that one thread needs for weighing.
#[derive(Debug, Default)]
pub struct Scales {
    /// What was met in the stretch weighed last.
    pub met: Met,
    /// What was found in the text weighed last.
    pub found: Vec<Weighed>,
    /// The highest sum of any of its stretches.
    highest: [i32; LANES],
}

/// How many words must speak for what is found.
const FEWEST_REASONS: usize = 2;

impl Scales {
    /// Forgets what was found, as if nothing had been weighed.
    pub fn clear(&mut self) {
        self.found.clear();
        self.highest = [i32::MIN; LANES];
    }
}

/// What a sum is made of, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighing {
    /// What was weighed.
    pub category: Category,
    /// The sum, in hundredths.
    pub sum: i32,
    /// From which sum on there is a finding.
    pub threshold: i32,
    /// The cues that weigh most, with their weights.
    pub cues: Vec<(String, i16)>,
}

/// A category whose cues weigh enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The category's place in a row.
    pub lane: usize,
    /// How much, in hundredths.
    pub sum: i32,
    /// The words that weighed most, in reading order.
    pub tokens: SmallVec<[u32; MOST_REASONS]>,
}

impl Cues {
    /// Weighs the whole text; what is found is left in `scales`, at most one of each category.
    pub fn weigh(
        &self,
        quick: &Quick,
        view: &View<'_>,
        vocabulary: &mut Vocabulary,
        hits: &[Hit],
        guards: &Guards,
        scales: &mut Scales,
    ) {
        scales.clear();
        if self.is_empty() {
            return;
        }
        for stretch in stretches(view) {
            let sums = self.sums_of(quick, view, vocabulary, hits, stretch.clone(), scales);
            for (lane, sum) in sums.into_iter().enumerate() {
                scales.highest[lane] = scales.highest[lane].max(sum);
                let threshold = i32::from(self.finding[lane]);
                let Some(of) = self.sums[lane].as_ref().filter(|_| sum >= threshold) else {
                    continue;
                };
                match scales.found.iter_mut().find(|w| w.lane == lane) {
                    Some(w) if w.sum >= sum => {}
                    found => {
                        let mut weights =
                            self.weights_of(quick, view, vocabulary, stretch.clone(), lane);
                        let sum = sum - excuse(of, view, guards, stretch.start, &mut weights);
                        if sum < threshold {
                            continue;
                        }
                        let tokens = self.reasons(weights, hits, stretch.clone(), lane);
                        // Several words are said to point there together: one alone is no reason.
                        if tokens.len() < FEWEST_REASONS {
                            continue;
                        }
                        let weighed = Weighed { lane, sum, tokens };
                        match found {
                            Some(w) => *w = weighed,
                            None => scales.found.push(weighed),
                        }
                    }
                }
            }
        }
    }

    /// From which sum on a finding of this rule is believed, in hundredths; nothing where it always is.
    pub fn belief(&self, id: u32, rule: &Rule) -> Option<i32> {
        let lane = lane(rule.category).filter(|_| !self.is_empty() && !rule.is_beyond_doubt())?;
        let row = match rule.severity {
            Severity::High if self.is_doubted(id) => &self.grave,
            Severity::High => return None,
            Severity::Medium | Severity::Low => &self.doubt,
        };
        (row[lane] != -NEVER).then(|| i32::from(row[lane]))
    }

    /// The highest sum of any stretch for the category; nothing where none was weighed.
    pub fn highest(&self, scales: &Scales, category: Category) -> Option<i32> {
        let highest = scales.highest[lane(category)?];
        (highest != i32::MIN).then_some(highest)
    }

    /// The sums of one stretch, each cue counted once: what [`Self::sums_of`] finds faster.
    fn plain_sums_of(&self, view: &View<'_>, hits: &[Hit], stretch: Range<usize>) -> [i32; LANES] {
        let mut met = BTreeSet::new();
        each_cue(view, stretch.clone(), |cue, _| {
            met.insert(self.find(cue));
        });
        met.extend(hits_in(hits, &stretch).map(|hit| self.find(Cue::Rule(hit.rule))));
        met.remove(&0);
        let mut sums = self.start.map(i32::from);
        for place in met {
            for (sum, weight) in sums.iter_mut().zip(self.row(place)) {
                *sum += i32::from(*weight);
            }
        }
        sums
    }

    /// What the sums are made of, for the categories that come near a threshold.
    pub fn weighings(
        &self,
        view: &View<'_>,
        hits: &[Hit],
        name: impl Fn(Cue<'_>) -> String,
    ) -> Vec<Weighing> {
        let mut weighings: Vec<Weighing> = Vec::new();
        if self.is_empty() {
            return weighings;
        }
        for stretch in stretches(view) {
            let sums = self.plain_sums_of(view, hits, stretch.clone());
            let mut cues: BTreeMap<String, Row> = BTreeMap::new();
            let mut note = |cue: Cue<'_>| {
                let place = self.find(cue);
                if place != 0 {
                    cues.insert(name(cue), *self.row(place));
                }
            };
            each_cue(view, stretch.clone(), |cue, _| note(cue));
            for hit in hits_in(hits, &stretch) {
                note(Cue::Rule(hit.rule));
            }
            for (lane, category) in WEIGHED.into_iter().enumerate() {
                let threshold = i32::from(self.finding[lane]);
                let known = weighings.iter().any(|w| w.category == category && w.sum >= sums[lane]);
                if self.sums[lane].is_none() || known || sums[lane] < threshold - NEARLY {
                    continue;
                }
                let mut cues: Vec<(String, i16)> = cues
                    .iter()
                    .map(|(name, row)| (name.clone(), row[lane]))
                    .filter(|(_, weight)| *weight != 0)
                    .collect();
                cues.sort_by_key(|(_, weight)| std::cmp::Reverse(weight.abs()));
                cues.truncate(MOST_SHOWN);
                weighings.retain(|w| w.category != category);
                weighings.push(Weighing { category, sum: sums[lane], threshold, cues });
            }
        }
        weighings
    }

    /// How much each token of a stretch speaks for the category by its own cues: what
    /// [`Self::weights_of`] finds faster.
    #[cfg(test)]
    fn plain_weights_of(&self, view: &View<'_>, stretch: Range<usize>, lane: usize) -> Vec<i32> {
        let mut weights = vec![0; stretch.len()];
        each_cue(view, stretch.clone(), |cue, at| {
            let place = self.find(cue);
            if let Some(at) = at
                && place != 0
            {
                weights[at as usize - stretch.start] += i32::from(self.row(place)[lane]);
            }
        });
        weights
    }

    /// The words that speak most for the category, by their own cues and by the rules that hit them.
    fn reasons(
        &self,
        mut weights: Vec<i32>,
        hits: &[Hit],
        stretch: Range<usize>,
        lane: usize,
    ) -> SmallVec<[u32; MOST_REASONS]> {
        for hit in hits_in(hits, &stretch) {
            let place = self.find(Cue::Rule(hit.rule));
            for at in hit.matched.tokens.iter().filter(|t| stretch.contains(&(**t as usize))) {
                if place != 0 {
                    weights[*at as usize - stretch.start] += i32::from(self.row(place)[lane]);
                }
            }
        }
        let mut order: Vec<usize> = (0..weights.len()).filter(|i| weights[*i] > 0).collect();
        order.sort_by_key(|i| std::cmp::Reverse(weights[*i]));
        order.truncate(MOST_REASONS);
        order.sort_unstable();
        order.into_iter().map(|i| (stretch.start + i) as u32).collect()
    }
}

/// Takes away what words weigh that an exception excuses, and gives how much that was. Only what speaks
/// for the category is excused; `weights` are those of the words from `first` on.
fn excuse(sum: &Sum, view: &View<'_>, guards: &Guards, first: usize, weights: &mut [i32]) -> i32 {
    if sum.guards.is_empty() {
        return 0;
    }
    let mut excused = 0;
    for (at, weight) in (first..).zip(weights).filter(|(_, weight)| **weight > 0) {
        let matched = Match { tokens: smallvec![at as u32] };
        let stops = |guard: &u16| {
            guards.list[usize::from(*guard)].stops(view, at, &matched, &guards.classes)
        };
        if sum.guards.iter().any(stops) {
            excused += std::mem::take(weight);
        }
    }
    excused
}

/// The hits with a word in the stretch.
fn hits_in<'a>(hits: &'a [Hit], stretch: &Range<usize>) -> impl Iterator<Item = &'a Hit> {
    hits.iter().filter(|h| h.matched.tokens.iter().any(|t| stretch.contains(&(*t as usize))))
}

#[cfg(test)]
mod tests;
