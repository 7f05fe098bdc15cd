//! Several texts in flight: each stage is run on all of them before the next begins.
//!
//! The code of all stages together is larger than the nearest cache, and so is what they look up. A
//! stage that has several texts to do finds both there from the second text on. Nothing but time
//! depends on it: every text has buffers of its own, and gets the answer that it would get alone.

use std::cell::RefCell;
use std::mem::swap;

use crate::classify::cues::quick::Met;
use crate::classify::vocabulary::Vocabulary;
use crate::classify::{Classifier, Scratch};
use crate::domain::verdict::Verdict;

/// How many texts are in flight together.
pub const N_LANES: usize = 16;

/// How much text may be in flight, in bytes: what longer texts need would push itself out of the cache.
const MOST_BYTES: usize = 16 * 1024;

/// The buffers of one thread for several texts. They share the words that were met, and what is empty
/// between two texts anyway.
#[derive(Debug, Default)]
pub struct Lanes {
    scratches: [Scratch; N_LANES],
    vocabulary: Vocabulary,
    met: Met,
}

impl Lanes {
    /// Runs a stage on every text.
    #[inline]
    fn each(&mut self, texts: &[&str], mut stage: impl FnMut(&mut Scratch, &str)) {
        for (scratch, text) in self.scratches.iter_mut().zip(texts) {
            stage(scratch, text);
        }
    }

    /// The same for a stage that needs what the lanes share.
    #[inline]
    fn each_sharing(&mut self, texts: &[&str], mut stage: impl FnMut(&mut Scratch, &str)) {
        for (scratch, text) in self.scratches.iter_mut().zip(texts) {
            swap(&mut scratch.vocabulary, &mut self.vocabulary);
            swap(&mut scratch.scales.met, &mut self.met);
            stage(scratch, text);
            swap(&mut scratch.scales.met, &mut self.met);
            swap(&mut scratch.vocabulary, &mut self.vocabulary);
        }
    }
}

thread_local! {
    static LANES: RefCell<Lanes> = RefCell::default();
}

impl Classifier {
    /// As [`Self::classify`] for each of the texts, with the thread's own buffers; the verdicts in their
    /// order.
    pub fn classify_each<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        LANES.with_borrow_mut(|lanes| self.classify_all(lanes, texts, |_, v| verdicts.push(v)));
        verdicts
    }

    /// As [`Self::classify_with`] for each of the texts; `tell` is told the verdicts in their order, each with
    /// the buffers that hold its text.
    pub fn classify_all<'t>(
        &self,
        lanes: &mut Lanes,
        texts: impl IntoIterator<Item = &'t str>,
        mut tell: impl FnMut(&Scratch, Verdict),
    ) {
        let mut texts = texts.into_iter().peekable();
        let mut group = [""; N_LANES];
        while texts.peek().is_some() {
            let (mut n, mut size) = (0, 0);
            while n < N_LANES
                && let Some(text) = texts.next_if(|text| n == 0 || size + text.len() <= MOST_BYTES)
            {
                group[n] = text;
                n += 1;
                size += text.len();
            }
            self.classify_group(lanes, &group[..n], &mut tell);
        }
    }

    fn classify_group(
        &self,
        lanes: &mut Lanes,
        texts: &[&str],
        tell: &mut impl FnMut(&Scratch, Verdict),
    ) {
        // Where a word is kept must hold until all of the texts are done.
        lanes.vocabulary.begin(&self.lexicon.version);
        lanes.each(texts, |scratch, text| self.fold(scratch, text));
        lanes.each_sharing(texts, |scratch, _| self.cut_on(scratch));
        lanes.each_sharing(texts, |scratch, text| self.repair(scratch, text));
        lanes.each(texts, |scratch, text| self.find_numbers(scratch, text));
        lanes.each(texts, |scratch, text| self.match_rules(scratch, text, None));
        lanes.each_sharing(texts, |scratch, text| self.weigh(scratch, text));
        lanes.each_sharing(texts, |scratch, text| {
            let verdict = self.verdict(scratch, text);
            tell(scratch, verdict);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{BUILT_IN, Context};

    #[test]
    fn texts_in_flight_get_the_answers_that_they_get_alone() {
        let comments = include_str!("../../fixtures/classify/bench-comments.txt");
        let long = comments.repeat(3);
        let mut texts: Vec<&str> = comments.lines().collect();
        texts.extend(["", &long, "Du är en idiot", &long, ""]);
        texts.extend(comments.lines());
        let mut lanes = Lanes::default();
        for n in [1, 7, texts.len()] {
            let mut answers = Vec::new();
            for some in texts.chunks(n) {
                let texts = some.iter().copied();
                BUILT_IN.classify_all(&mut lanes, texts, |_, verdict| answers.push(verdict));
            }
            let alone: Vec<Verdict> =
                texts.iter().map(|t| BUILT_IN.classify(t, &Context::default())).collect();
            assert_eq!(answers, alone);
        }
    }
}
