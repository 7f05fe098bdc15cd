//! The classes of a word as bits, so that most questions whether it is in a class are answered by one.
//!
//! Classes that are asked for and met most have a bit of their own; the rest share.

use crate::classify::words::ClassId;

/// How many bits a mask has.
const N_BITS: usize = 512;
/// How many of them belong to one class each.
const N_OWN: usize = 448;

/// A set of classes, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassMask([u64; N_BITS / 64]);

impl ClassMask {
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

    /// The mask of these classes.
    pub fn mask(&self, classes: &[ClassId]) -> ClassMask {
        let mut mask = ClassMask::default();
        for class in classes {
            mask.set(self.0.get(class.0 as usize).copied().unwrap_or(0));
        }
        mask
    }
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
}
