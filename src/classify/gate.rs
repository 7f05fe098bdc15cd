//! What must be in a text before a rule is looked at.
//!
//! Every class of words has one of [`N_BITS`] bits; classes that many patterns need have one of
//! their own, the rest share. The bits of all words of a sentence and of a text are joined once,
//! and a pattern whose needed words cannot be there costs one comparison instead of a look. The
//! gate may let too much through, never too little.

use std::cell::OnceCell;

use smallvec::SmallVec;

use crate::classify::tokens::{Sentence, Token, Tokens};
use crate::classify::words::{ClassId, EntryId, Words};

/// How many bits a mask has.
const N_BITS: usize = 512;
/// How many of them belong to one class each.
const N_OWN: usize = 448;

/// A set of classes, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassMask([u64; N_BITS / 64]);

impl ClassMask {
    /// Adds all of another set.
    #[inline]
    pub fn add(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(other.0) {
            *mine |= others;
        }
    }

    /// Whether the two sets share a bit.
    #[inline]
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(mine, others)| mine & others != 0)
    }

    /// Whether they share a bit that belongs to one class alone: then they share that class.
    #[inline]
    pub fn meets_for_sure(&self, other: &Self) -> bool {
        let own = 0..N_OWN / 64;
        self.0[own.clone()].iter().zip(&other.0[own]).any(|(mine, others)| mine & others != 0)
    }

    /// Whether the bit is set.
    #[inline]
    pub fn has(&self, bit: u16) -> bool {
        self.0[usize::from(bit) / 64] >> (bit % 64) & 1 == 1
    }

    fn set(&mut self, bit: u16) {
        self.0[usize::from(bit) / 64] |= 1 << (bit % 64);
    }
}

/// Which bit each class has.
#[derive(Clone, Debug, Default)]
pub struct Bits(Vec<u16>);

impl Bits {
    /// Shares out the bits; `needed` gives every class as often as a pattern needs it, `often` says
    /// how often the words of each class are met. What is asked for or met most gets bits of its
    /// own: a bit that two such classes share is set in every sentence and tells nothing.
    pub fn share_out(needed: impl Iterator<Item = ClassId>, often: &[f32]) -> Self {
        let mut uses = vec![0.0_f32; often.len()];
        for class in needed {
            uses[class.0 as usize] += 1.0;
        }
        let worth = |class: &usize| uses[*class] * (often[*class] + 1.0);
        let mut order: Vec<usize> = (0..often.len()).collect();
        order.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        let mut bits = vec![0; often.len()];
        for (rank, class) in order.into_iter().enumerate() {
            let bit = if rank < N_OWN { rank } else { N_OWN + (rank - N_OWN) % (N_BITS - N_OWN) };
            bits[class] = bit as u16;
        }
        Self(bits)
    }

    /// Whether the class may be in the set. Before any bits were shared out it may be in all.
    #[inline]
    pub fn may_hold(&self, mask: &ClassMask, class: ClassId) -> bool {
        self.0.get(usize::from(class.0)).is_none_or(|bit| mask.has(*bit))
    }

    /// Whether no other class has the bit of this one.
    #[inline]
    pub fn is_own(&self, class: ClassId) -> bool {
        self.0.get(usize::from(class.0)).is_some_and(|bit| usize::from(*bit) < N_OWN)
    }

    /// The bit of a class that shares it with others.
    pub fn shared(&self, class: ClassId) -> Option<u16> {
        self.0.get(usize::from(class.0)).copied().filter(|bit| usize::from(*bit) >= N_OWN)
    }

    /// The mask of these classes.
    pub fn mask(&self, classes: &[ClassId]) -> ClassMask {
        let mut mask = ClassMask::default();
        for class in classes {
            mask.set(self.0.get(class.0 as usize).copied().unwrap_or(0));
        }
        mask
    }
}

/// What a pattern needs: a class of each of these sets.
#[derive(Clone, Debug, Default)]
pub struct Needs(SmallVec<[ClassMask; 2]>);

impl Needs {
    /// Needs a word of each of these sets of classes.
    pub fn new(sets: impl Iterator<Item = SmallVec<[ClassId; 4]>>, bits: &Bits) -> Self {
        Self(sets.map(|classes| bits.mask(&classes)).collect())
    }

    /// The set of the fewest classes, where there is one.
    pub fn rarest(&self) -> Option<ClassMask> {
        self.0.iter().copied().min_by_key(|mask| mask.0.iter().map(|w| w.count_ones()).sum::<u32>())
    }

    /// Whether all of it may be among the classes seen.
    #[inline]
    pub fn may_be_in(&self, seen: &ClassMask) -> bool {
        self.0.iter().all(|need| need.meets(seen))
    }
}

/// The classes of the words of one text, found out where somebody asks. Kept and refilled.
#[derive(Debug, Default)]
pub struct Seen {
    text: OnceCell<ClassMask>,
    sentences: Vec<OnceCell<ClassMask>>,
}

impl Seen {
    /// Forgets all, for a text of so many sentences.
    pub fn clear(&mut self, n_sentences: usize) {
        self.text.take();
        self.sentences.clear();
        self.sentences.resize_with(n_sentences, OnceCell::new);
    }

    /// In all of it.
    #[inline]
    pub fn text(&self, tokens: &Tokens, words: &Words) -> &ClassMask {
        self.text.get_or_init(|| joined(&tokens.tokens, words))
    }

    /// In one sentence.
    #[inline]
    pub fn sentence(&self, n: u32, tokens: &Tokens, words: &Words) -> &ClassMask {
        self.sentences[n as usize].get_or_init(|| {
            let Sentence { first, last, .. } = tokens.sentences[n as usize];
            joined(&tokens.tokens[first as usize..last as usize], words)
        })
    }
}

/// The classes of all these together.
fn joined(tokens: &[Token], words: &Words) -> ClassMask {
    let mut all = ClassMask::default();
    for token in tokens.iter().filter(|t| t.entry != EntryId::UNKNOWN) {
        all.add(words.mask_of(token.entry));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_are_needed_often_have_bits_of_their_own() {
        let needed = (0..600_u16).flat_map(|c| vec![ClassId(c); if c % 3 == 0 { 2 } else { 1 }]);
        let bits = Bits::share_out(needed, &[0.0; 600]);
        let own: std::collections::BTreeSet<u16> = (0..200).map(|n| bits.0[n * 3]).collect();
        assert_eq!(own.len(), 200);
    }

    #[test]
    fn a_pattern_is_looked_at_only_where_all_that_it_needs_may_stand() {
        let bits = Bits::share_out([0, 1, 2, 3, 4].map(ClassId).into_iter(), &[0.0; 8]);
        let set = |of: &[u16]| of.iter().copied().map(ClassId).collect::<SmallVec<[ClassId; 4]>>();
        let needs = Needs::new([set(&[0]), set(&[1, 2])].into_iter(), &bits);
        for (seen, want) in
            [(&[0, 1][..], true), (&[0, 2, 5], true), (&[0, 3], false), (&[1, 2], false)]
        {
            assert_eq!(needs.may_be_in(&bits.mask(&set(seen))), want, "{seen:?}");
        }
    }
}
