//! What is known of the words that were met lately: one place in memory for all that a word alone
//! decides.
//!
//! Texts are made of few words said often. What a word is (its entry, as a compound and as a slip
//! too) and which cues it carries costs hundreds of steps to find out, in five tables. So it is
//! kept, one cache line a word of up to [`LONGEST`] bytes, with the whole word as key; a token remembers
//! where. What is kept follows from the word, the way of reading it and the lexicon alone, so
//! answers are the same with and without the table.

use crate::classify::cues::quick::WordCues;
use crate::classify::words::{EntryId, mix};
use crate::domain::ids::LexiconVersion;

/// The longest word that is kept, in bytes: the last byte of its key is free.
pub const LONGEST: usize = KEY - 1;
/// How many bytes a key has.
pub const KEY: usize = 24;

/// How many places there are.
const N_PLACES: usize = 1 << 15;
/// How many words are kept at most, so that places are found fast.
const MOST: usize = N_PLACES / 8 * 5;
/// How many places are tried for a word.
const MOST_TRIED: usize = 16;

/// A word as three numbers, zero behind its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordKey([u64; 3]);

/// What is kept of each number, by length.
const MASKS: [[u64; 3]; KEY] = {
    let mut masks = [[0; 3]; KEY];
    let mut length = 0;
    while length < KEY {
        let mut byte = 0;
        while byte < length {
            masks[length][byte / 8] |= 0xFF << (byte % 8 * 8);
            byte += 1;
        }
        length += 1;
    }
    masks
};

impl WordKey {
    /// The key of the first `length` bytes (at most [`LONGEST`]); `stripped` tells apart the two
    /// ways in which a text may be read.
    #[inline]
    pub fn cut(bytes: &[u8; KEY], length: usize, stripped: bool) -> Self {
        let (eights, _) = bytes.as_chunks::<8>();
        let masks = &MASKS[length];
        let number = |n: usize| u64::from_le_bytes(eights[n]) & masks[n];
        Self([number(0), number(1), number(2) | u64::from(stripped) << 63])
    }

    #[inline]
    const fn hash(self) -> u64 {
        let Self([front, back, tail]) = self;
        mix(front ^ tail.wrapping_mul(0x9FB2_1C65_1E98_DF25), back)
    }
}

/// Where a word is kept; [`WordId::NONE`] for those that are not. Holds until [`Vocabulary::begin`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordId(u32);

impl WordId {
    /// Kept nowhere.
    pub const NONE: Self = Self(0);

    const fn at(place: usize) -> Self {
        Self(place as u32 + 1)
    }

    /// A number that words of one text share only if they are the same; zero for
    /// [`WordId::NONE`].
    pub const fn number(self) -> u32 {
        self.0
    }

    const fn place(self) -> usize {
        (self.0 as usize).wrapping_sub(1)
    }
}

/// What is known of a word.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Known {
    key: WordKey,
    /// What the lexicon knows of it, as a compound too.
    pub entry: EntryId,
    /// For a word that the lexicon does not know, the one that it is taken for; nothing until that was
    /// found out.
    pub taken_for: Option<EntryId>,
    /// Its cues.
    pub cues: WordCues,
    /// Its entry was found by undoing a disguise.
    pub disguised: bool,
    /// It is the first part of compounds.
    pub leads: bool,
    /// How long it is, in bytes; zero in a place that is free.
    pub length: u8,
    /// It was met again after it was put here.
    is_used: bool,
}

const FREE: Known = Known {
    key: WordKey([0; 3]),
    entry: EntryId::UNKNOWN,
    taken_for: None,
    cues: WordCues::OPEN,
    disguised: false,
    leads: false,
    length: 0,
    is_used: false,
};

/// The table. One for each thread.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Whose answers these are.
    lexicon: Option<LexiconVersion>,
    places: Vec<Known>,
    n_kept: usize,
}

impl Vocabulary {
    /// Gets ready for a text, or for several that are in flight together, read by this lexicon: forgets all
    /// that another one knew, and, when the table is full, the words that were met once.
    pub fn begin(&mut self, lexicon: &LexiconVersion) {
        if self.lexicon.as_ref() != Some(lexicon) {
            self.lexicon = Some(lexicon.clone());
            self.places.clear();
            self.places.resize(N_PLACES, FREE);
            self.n_kept = 0;
        } else if self.n_kept >= MOST {
            self.forget();
        }
    }

    #[cold]
    fn forget(&mut self) {
        let used: Vec<Known> = self.places.iter().filter(|known| known.is_used).copied().collect();
        self.places.fill(FREE);
        self.n_kept = 0;
        // So many that there would be no room for others: then none.
        if used.len() <= MOST / 2 {
            for known in used {
                if let Some(place) = self.free_place(known.key) {
                    self.places[place] = Known { is_used: false, ..known };
                    self.n_kept += 1;
                }
            }
        }
    }

    /// Where the word is kept, if it is.
    #[inline]
    pub fn find(&mut self, key: WordKey) -> Option<(WordId, &Known)> {
        let mut at = key.hash() as usize % N_PLACES;
        for _ in 0..MOST_TRIED {
            let known = self.places.get(at)?;
            if known.key == key {
                let known = &mut self.places[at];
                known.is_used = true;
                return Some((WordId::at(at), known));
            }
            if known.length == 0 {
                return None;
            }
            at = (at + 1) % N_PLACES;
        }
        None
    }

    fn free_place(&self, key: WordKey) -> Option<usize> {
        let from = key.hash() as usize % N_PLACES;
        let tried = (from..from + MOST_TRIED).map(|at| at % N_PLACES);
        tried.into_iter().find(|at| self.places.get(*at).is_some_and(|known| known.length == 0))
    }

    /// Keeps a word that is not there yet, of so many bytes, if there is room.
    pub fn keep(
        &mut self,
        key: WordKey,
        length: usize,
        entry: EntryId,
        disguised: bool,
        leads: bool,
    ) -> WordId {
        if self.n_kept >= MOST {
            return WordId::NONE;
        }
        let Some(place) = self.free_place(key) else { return WordId::NONE };
        self.places[place] = Known { key, entry, disguised, leads, length: length as u8, ..FREE };
        self.n_kept += 1;
        WordId::at(place)
    }

    /// What is known of a word that is kept, which has so many bytes.
    #[inline]
    pub fn get(&mut self, word: WordId, length: u32) -> Option<&mut Known> {
        self.places.get_mut(word.place()).filter(|known| u32::from(known.length) == length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(word: &str, stripped: bool) -> WordKey {
        let mut bytes = [b'x'; KEY];
        bytes[..word.len()].copy_from_slice(word.as_bytes());
        WordKey::cut(&bytes, word.len(), stripped)
    }

    fn find(words: &mut Vocabulary, word: &str, stripped: bool) -> Option<EntryId> {
        words.find(key(word, stripped)).map(|(_, known)| known.entry)
    }

    fn keep(words: &mut Vocabulary, word: &str, stripped: bool, entry: u32) {
        words.keep(key(word, stripped), word.len(), EntryId(entry), false, false);
    }

    #[test]
    fn a_word_takes_one_cache_line() {
        assert_eq!(size_of::<Known>(), 64);
    }

    #[test]
    fn words_are_kept_by_letters_way_and_lexicon() {
        let mut words = Vocabulary::default();
        assert_eq!(find(&mut words, "idoit", false), None);
        let one = LexiconVersion::new("one");
        words.begin(&one);
        keep(&mut words, "idoit", false, 3);
        keep(&mut words, "fördelningsnyckeln", true, 4);
        assert_eq!(find(&mut words, "idoit", false), Some(EntryId(3)));
        assert_eq!(find(&mut words, "idoit", true), None);
        assert_eq!(find(&mut words, "idoi", false), None);
        assert_eq!(find(&mut words, "fördelningsnyckeln", true), Some(EntryId(4)));
        words.begin(&one);
        assert_eq!(find(&mut words, "idoit", false), Some(EntryId(3)));
        words.begin(&LexiconVersion::new("two"));
        assert_eq!(find(&mut words, "idoit", false), None);
    }

    #[test]
    fn a_full_table_keeps_what_was_met_again_and_gives_no_wrong_answer() {
        let mut words = Vocabulary::default();
        let one = LexiconVersion::new("one");
        for n in 0..100_000_u32 {
            words.begin(&one);
            let word = format!("ord{n}");
            assert_eq!(find(&mut words, &word, false), None);
            keep(&mut words, &word, false, n);
            if n > 0 {
                assert!(find(&mut words, "ord0", false).is_none_or(|entry| entry == EntryId(0)));
                let before = find(&mut words, &format!("ord{}", n - 1), false);
                assert!(before.is_none_or(|entry| entry == EntryId(n - 1)));
            }
        }
        // All were met again, and so none was kept when there was no more room.
        assert_eq!(find(&mut words, "ord0", false), None);
        let mut few = Vocabulary::default();
        for n in 0..100_000_u32 {
            few.begin(&one);
            keep(&mut few, &format!("ord{n}"), false, n);
            assert_eq!(find(&mut few, "ord0", false), Some(EntryId(0)), "{n}");
        }
    }

    #[test]
    fn a_place_answers_only_for_words_of_its_length() {
        let mut words = Vocabulary::default();
        words.begin(&LexiconVersion::new("one"));
        let id = words.keep(key("hus", false), 3, EntryId(9), false, false);
        assert!(words.get(id, 3).is_some_and(|known| known.entry == EntryId(9)));
        assert!(words.get(id, 7).is_none());
        assert!(words.get(WordId::NONE, 3).is_none());
    }
}
