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

/// How many places there are at first.
const FEWEST_PLACES: usize = 1 << 12;
/// How many there may be, 8 MB: a reader of dumps meets new words all the time, and each costs as much
/// as a hundred that are known.
const MOST_PLACES: usize = 1 << 17;
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

/// What is known of a word beside its entry, or of several together: a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About(u16);

impl About {
    /// The entry was found by undoing a disguise.
    pub const DISGUISED: Self = Self(1);
    /// It is the first part of compounds.
    pub const LEADS: Self = Self(1 << 1);
    /// All is known: what it is taken for if the lexicon does not know it, and the bits below.
    pub const SETTLED: Self = Self(1 << 2);
    /// It may be a piece of a broken word.
    pub const PIECE: Self = Self(1 << 3);
    /// It is a picture.
    pub const PICTURE: Self = Self(1 << 4);
    /// Rules may begin at it.
    pub const BEGINS: Self = Self(1 << 5);
    /// It is a sign of an address.
    pub const ADDRESS_SIGN: Self = Self(1 << 6);
    /// It is a number word.
    pub const NUMBER: Self = Self(1 << 7);
    /// The lexicon does not know it as it stands: the entry is that of the word that it is taken for.
    pub const TAKEN: Self = Self(1 << 8);

    /// These bits as well, if so.
    #[must_use]
    pub const fn with(self, bits: Self, is_so: bool) -> Self {
        Self(self.0 | if is_so { bits.0 } else { 0 })
    }

    /// The bits of either.
    #[inline]
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of these bits is set.
    #[inline]
    pub const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 != 0
    }
}

/// What is known of a word.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Known {
    key: WordKey,
    /// What the lexicon knows of it, as a compound too; once it is settled, what it is taken for.
    pub entry: EntryId,
    /// Its cues.
    pub cues: WordCues,
    /// The text in which it was met last.
    text: u32,
    /// What else is known of it.
    pub about: About,
    /// How long it is, in bytes; zero in a place that is free.
    pub length: u8,
    /// In how many texts it was met again, as far as a byte tells.
    n_used: u8,
}

impl Known {
    /// All is known of the word now: its entry, which is another's if the lexicon does not know it as it
    /// stands, and what else it is.
    pub fn settle(&mut self, entry: EntryId, about: About, is_unknown: bool) {
        if self.entry != entry {
            self.cues = WordCues::OPEN;
        }
        self.entry = entry;
        self.about = about.or(About::SETTLED).with(About::TAKEN, is_unknown);
    }
}

const FREE: Known = Known {
    key: WordKey([0; 3]),
    entry: EntryId::UNKNOWN,
    cues: WordCues::OPEN,
    text: 0,
    about: About(0),
    length: 0,
    n_used: 0,
};

/// The table. One for each thread; it grows with what the thread reads.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Whose answers these are.
    lexicon: Option<LexiconVersion>,
    places: Vec<Known>,
    n_kept: usize,
    /// The number of the text that is being read.
    text: u32,
}

impl Vocabulary {
    /// Gets ready for a text, or for several that are in flight together, read by this lexicon: forgets all
    /// that another one knew, and makes room when the table is full.
    pub fn begin(&mut self, lexicon: &LexiconVersion) {
        if self.lexicon.as_ref() != Some(lexicon) {
            self.lexicon = Some(lexicon.clone());
            self.places.clear();
            self.places.resize(FEWEST_PLACES, FREE);
            self.n_kept = 0;
        } else if self.n_kept >= self.most() {
            self.make_room();
        }
    }

    /// Begins to read one of these texts.
    pub fn begin_text(&mut self) {
        self.text = self.text.wrapping_add(1);
    }

    /// How many words are kept at most, so that places are found fast.
    const fn most(&self) -> usize {
        self.places.len() / 8 * 5
    }

    /// Doubles the table, or, when it is as large as may be, forgets the words that were met least.
    #[cold]
    fn make_room(&mut self) {
        let n = (2 * self.places.len()).min(MOST_PLACES);
        let mut words = std::mem::take(&mut self.places);
        words.retain(|known| known.length > 0);
        if n / 8 * 5 <= self.n_kept {
            let half = words.len() / 2;
            words.select_nth_unstable_by_key(half, |known| std::cmp::Reverse(known.n_used));
            words.truncate(half);
            words.iter_mut().for_each(|known| known.n_used /= 2);
        }
        self.places.resize(n, FREE);
        self.n_kept = 0;
        for known in words {
            if let Some(place) = self.free_place(known.key) {
                self.places[place] = known;
                self.n_kept += 1;
            }
        }
    }

    /// Where the word is kept, if it is, and whether the text that is being read holds it already.
    #[inline]
    pub fn find(&mut self, key: WordKey) -> Option<(WordId, bool, &Known)> {
        let text = self.text;
        let mask = self.places.len().wrapping_sub(1);
        let mut at = key.hash() as usize & mask;
        for _ in 0..MOST_TRIED {
            let known = self.places.get(at)?;
            if known.key == key {
                let known = &mut self.places[at];
                let is_met = known.text == text;
                known.text = text;
                known.n_used = known.n_used.saturating_add(u8::from(!is_met));
                return Some((WordId::at(at), is_met, known));
            }
            if known.length == 0 {
                return None;
            }
            at = (at + 1) & mask;
        }
        None
    }

    fn free_place(&self, key: WordKey) -> Option<usize> {
        let mask = self.places.len().wrapping_sub(1);
        let from = key.hash() as usize & mask;
        let mut tried = (from..from + MOST_TRIED).map(|at| at & mask);
        tried.find(|at| self.places.get(*at).is_some_and(|known| known.length == 0))
    }

    /// Keeps a word that is not there yet, of so many bytes, if there is room.
    pub fn keep(&mut self, key: WordKey, length: usize, entry: EntryId, about: About) -> WordId {
        if self.n_kept >= self.most() {
            return WordId::NONE;
        }
        let Some(place) = self.free_place(key) else { return WordId::NONE };
        let (text, length) = (self.text, length as u8);
        self.places[place] = Known { key, entry, about, text, length, ..FREE };
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
        words.find(key(word, stripped)).map(|(_, _, known)| known.entry)
    }

    fn keep(words: &mut Vocabulary, word: &str, stripped: bool, entry: u32) {
        words.keep(key(word, stripped), word.len(), EntryId(entry), About::default());
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
    fn a_full_table_keeps_what_was_met_most_and_gives_no_wrong_answer() {
        let mut words = Vocabulary::default();
        let one = LexiconVersion::new("one");
        for n in 0..200_000_u32 {
            words.begin(&one);
            words.begin_text();
            let word = format!("ord{n}");
            assert_eq!(find(&mut words, &word, false), None);
            keep(&mut words, &word, false, n);
            assert!(find(&mut words, "ord0", false).is_none_or(|entry| entry == EntryId(0)), "{n}");
            // It has been met in every text since.
            assert_eq!(find(&mut words, "ord7", false), (n >= 7).then_some(EntryId(7)), "{n}");
        }
        assert_eq!(words.places.len(), MOST_PLACES);
        assert!(words.n_kept <= words.most());
    }

    #[test]
    fn a_word_is_met_once_in_a_text_before_it_is_met_again() {
        let mut words = Vocabulary::default();
        words.begin(&LexiconVersion::new("one"));
        let met = |words: &mut Vocabulary| words.find(key("hus", false)).map(|(_, met, _)| met);
        words.begin_text();
        keep(&mut words, "hus", false, 1);
        assert_eq!(met(&mut words), Some(true));
        words.begin_text();
        assert_eq!(met(&mut words), Some(false));
        assert_eq!(met(&mut words), Some(true));
    }

    #[test]
    fn a_place_answers_only_for_words_of_its_length() {
        let mut words = Vocabulary::default();
        words.begin(&LexiconVersion::new("one"));
        let id = words.keep(key("hus", false), 3, EntryId(9), About::default());
        assert!(words.get(id, 3).is_some_and(|known| known.entry == EntryId(9)));
        assert!(words.get(id, 7).is_none());
        assert!(words.get(WordId::NONE, 3).is_none());
    }
}
