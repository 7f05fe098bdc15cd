//! Texts by number, for the builder: each is kept once.

use crate::classify::words::hash_of;

/// The number of a text in one builder of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextId(u32);

impl TextId {
    /// Not found out yet.
    pub(super) const OPEN: Self = Self(u32::MAX);

    /// The text that came after so many others.
    pub(super) const fn at(place: usize) -> Self {
        Self(place as u32)
    }

    /// How many texts came before.
    pub(super) const fn place(self) -> usize {
        self.0 as usize
    }
}

/// Texts, each once, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    letters: String,
    /// Where each ends in `letters`; it begins where the one before ends.
    ends: Vec<u32>,
    hashes: Vec<u64>,
    /// By hash, open addressing: the number and one, or zero.
    slots: Vec<u32>,
}

impl Texts {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, text: TextId) -> &str {
        let n = text.place();
        let from = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.letters[from as usize..self.ends[n] as usize]
    }

    /// The number of a text that was added before.
    pub(super) fn find(&self, text: &str) -> Option<TextId> {
        self.find_hashed(text, hash_of(text.as_bytes()))
    }

    /// The hash of a text.
    pub(super) fn hash(&self, text: TextId) -> u64 {
        self.hashes[text.place()]
    }

    fn find_hashed(&self, text: &str, hash: u64) -> Option<TextId> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            let n = self.slots[at] - 1;
            if self.hashes[n as usize] == hash && self.get(TextId(n)) == text {
                return Some(TextId(n));
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// The number of the text, which is kept if it is new.
    pub(super) fn add(&mut self, text: &str) -> TextId {
        let hash = hash_of(text.as_bytes());
        if let Some(known) = self.find_hashed(text, hash) {
            return known;
        }
        // At most half of the places are taken.
        if self.slots.len() < 2 * (self.len() + 1) {
            self.slots = vec![0; (4 * (self.len() + 1)).next_power_of_two().max(1024)];
            for n in 0..self.len() {
                self.place(n as u32);
            }
        }
        let n = self.len() as u32;
        self.letters.push_str(text);
        self.ends.push(self.letters.len() as u32);
        self.hashes.push(hash);
        self.place(n);
        TextId(n)
    }

    fn place(&mut self, n: u32) {
        let mask = self.slots.len() - 1;
        let mut at = self.hashes[n as usize] as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = n + 1;
    }
}
