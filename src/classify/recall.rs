//! What was found out lately about words that the lexicon does not know.
//!
//! Whether an unknown word is a misspelling costs hundreds of steps, and texts are made of few
//! words said often. So the answer for a word of up to sixteen bytes is kept in one place of a
//! small table, with the whole word as its key: a later word may take the place, but never the
//! answer. Answers depend on the word and the lexicon alone, so they are the same with and without
//! the table.

use crate::classify::words::{EntryId, KEY, Key};
use crate::domain::ids::LexiconVersion;

/// How many words are kept.
const N_PLACES: usize = 1 << 13;

#[derive(Clone, Copy, Debug)]
struct Place {
    key: Key,
    entry: EntryId,
}

/// The table. One for each thread.
#[derive(Debug, Default)]
pub struct Recall {
    /// Whose answers these are.
    lexicon: Option<LexiconVersion>,
    places: Vec<Place>,
}

impl Recall {
    /// Forgets all, unless it is of this lexicon and this way of reading it.
    pub fn be_of(&mut self, lexicon: &LexiconVersion) {
        if self.lexicon.as_ref() != Some(lexicon) {
            self.lexicon = Some(lexicon.clone());
            self.places.clear();
            // An empty key is no word's.
            self.places.resize(N_PLACES, Place { key: Key::default(), entry: EntryId::UNKNOWN });
        }
    }

    /// The answer for a word as kept, or as `find` gives it. `stripped` tells apart the two ways
    /// in which a text may be read.
    #[inline]
    pub fn of(&mut self, word: &[u8], stripped: bool, find: impl FnOnce() -> EntryId) -> EntryId {
        if word.is_empty() || word.len() >= KEY {
            return find();
        }
        let mut key = Key::of(word);
        // The last byte is free in words that are shorter than a key.
        key.back |= u64::from(stripped) << 63;
        let at = key.hash() as usize % N_PLACES;
        let Some(place) = self.places.get_mut(at) else { return find() };
        if place.key != key {
            *place = Place { key, entry: find() };
        }
        place.entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_by_word_way_and_lexicon() {
        let mut recall = Recall::default();
        let one = LexiconVersion::new("one");
        recall.be_of(&one);
        assert_eq!(recall.of(b"idoit", false, || EntryId(3)), EntryId(3));
        assert_eq!(recall.of(b"idoit", false, || EntryId(4)), EntryId(3));
        assert_eq!(recall.of(b"idoit", true, || EntryId(5)), EntryId(5));
        recall.be_of(&one);
        assert_eq!(recall.of(b"idoit", false, || EntryId(6)), EntryId(3));
        recall.be_of(&LexiconVersion::new("two"));
        assert_eq!(recall.of(b"idoit", false, || EntryId(7)), EntryId(7));
    }

    #[test]
    fn words_that_share_a_place_keep_their_answers_apart() {
        let mut recall = Recall::default();
        recall.be_of(&LexiconVersion::new("one"));
        for round in 0..2 {
            for n in 0..20_000_u32 {
                let word = format!("ord{n}");
                let entry = recall.of(word.as_bytes(), false, || EntryId(n));
                assert_eq!(entry, EntryId(n), "{round}");
            }
        }
    }
}
