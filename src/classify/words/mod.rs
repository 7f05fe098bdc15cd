//! What the lexicon knows of a word: a hashed look-up over all forms, and the parts of compounds.
//!
//! One probe answers for most tokens: a filter of two bits per form stays in the nearest caches
//! and says "unknown" for almost every ordinary word. A word of up to [`KEY`] bytes is its own key
//! (two numbers), so a hit is compared without following a pointer, and a hash collision costs a
//! comparison, never a wrong answer. Memory is 48 to 96 bytes a form.

pub mod builder;
pub mod compounds;
mod stored;
pub mod texts;

use smallvec::SmallVec;

use crate::classify::gate::{Bits, ClassMask};
use crate::classify::vocabulary::About;
use crate::classify::words::compounds::{LONGEST_COMPOUND, Parts};

/// What the lexicon knows of a word; [`EntryId::UNKNOWN`] for most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u32);

impl EntryId {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self(0);
}

/// A set of words that rules refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u16);

/// How many bytes of a word make a key.
pub const KEY: usize = 16;

/// Up to [`KEY`] bytes of a word as two numbers, the rest zero. No word holds a zero byte, so the
/// key of a short word is the word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// The first eight bytes.
    pub front: u64,
    /// The next eight.
    pub back: u64,
}

impl Key {
    /// The key of at most [`KEY`] bytes. The loads overlap, so that no byte outside is read.
    #[inline]
    pub fn of(bytes: &[u8]) -> Self {
        let n = bytes.len();
        let eight =
            |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let four = |at: usize| {
            u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")))
        };
        if n > 8 {
            Self { front: eight(0), back: eight(n - 8) >> (8 * (KEY - n)) }
        } else if n >= 4 {
            Self { front: four(0) | four(n - 4) << (8 * (n - 4)), back: 0 }
        } else if n > 0 {
            let (middle, last) = (n / 2, n - 1);
            let at = |i: usize| u64::from(bytes[i]) << (8 * i);
            Self { front: at(0) | at(middle) | at(last), back: 0 }
        } else {
            Self::default()
        }
    }

    /// The hash of a word of at most [`KEY`] bytes.
    #[inline]
    pub const fn hash(self) -> u64 {
        mix(self.front, self.back)
    }
}

/// One multiplication of 64 by 64 bits, both halves of the product joined.
#[inline]
pub const fn mix(a: u64, b: u64) -> u64 {
    let product = (a ^ 0x9E37_79B9_7F4A_7C15) as u128 * (b ^ 0xD6E8_FEB8_6659_FD93) as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// The hash of a whole word.
#[inline]
pub fn hash_of(word: &[u8]) -> u64 {
    if word.len() <= KEY {
        return Key::of(word).hash();
    }
    let mut hash = 0;
    for piece in word.chunks(KEY) {
        let key = Key::of(piece);
        hash = mix(key.front ^ hash, key.back);
    }
    hash
}

/// How a form came into the table. The first letter of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// As spelled.
    Exact,
    /// å, ä, ö left out.
    Stripped,
    /// Every run of one letter made single.
    Squeezed,
}

impl Form {
    /// The place of this reading of a word with that hash.
    #[inline]
    const fn place(self, hash: u64) -> u64 {
        match self {
            Self::Exact => hash,
            Self::Stripped => mix(hash, 0x5851_F42D_4C95_7F2D),
            Self::Squeezed => mix(hash, 0x1405_7B7E_F767_814F),
        }
    }
}

/// One form of up to [`KEY`] bytes.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: Key,
    entry: u32,
    form: Form,
}

const EMPTY: Slot = Slot { key: Key { front: 0, back: 0 }, entry: 0, form: Form::Exact };

/// What is known of one set of forms.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    classes: (u32, u32),
    disguisable: bool,
    mask: ClassMask,
}

/// What has to be asked of every word of a text, in one byte for each entry.
#[derive(Debug, Default)]
pub struct Traits(Vec<About>);

/// What was seen of it in one text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenTraits {
    /// Rules may begin at some word.
    pub begins: bool,
    /// Some word is a sign of an address.
    pub address_sign: bool,
    /// How many words are number words.
    pub n_numbers: usize,
}

impl SeenTraits {
    /// What is known of all words together, and how many are number words.
    pub const fn new(about: About, n_numbers: usize) -> Self {
        let (begins, address_sign) = (about.has(About::BEGINS), about.has(About::ADDRESS_SIGN));
        Self { begins, address_sign, n_numbers }
    }
}

impl Traits {
    /// Of all entries.
    pub fn new(words: &Words, address_sign: Option<ClassId>, number: Option<ClassId>) -> Self {
        let has = |class: Option<ClassId>, classes: &[ClassId]| {
            class.is_some_and(|class| classes.contains(&class))
        };
        let of = |entry: EntryId| {
            let classes = words.classes_of(entry);
            About::default()
                .with(About::BEGINS, words.begins_rule(entry))
                .with(About::ADDRESS_SIGN, has(address_sign, classes))
                .with(About::NUMBER, has(number, classes))
        };
        Self((0..words.n_entries()).map(|n| of(EntryId(n as u32))).collect())
    }

    /// Of one entry.
    pub fn of(&self, entry: EntryId) -> About {
        self.0.get(entry.0 as usize).copied().unwrap_or_default()
    }

    /// Of the words of a text together.
    pub fn seen(&self, entries: impl Iterator<Item = EntryId>) -> SeenTraits {
        let (mut any, mut n_numbers) = (About::default(), 0);
        for entry in entries {
            let of = self.of(entry);
            any = any.or(of);
            n_numbers += usize::from(of.has(About::NUMBER));
        }
        SeenTraits::new(any, n_numbers)
    }
}

/// All forms of a lexicon.
#[derive(Debug, Default)]
pub struct Words {
    slots: Vec<Slot>,
    /// Forms longer than a key, behind the same filter.
    long: LongForms,
    filter: Vec<u64>,
    /// Entries that rules begin at come first, so that a comparison tells them.
    entries: Vec<Entry>,
    n_begin: u32,
    classes: Vec<ClassId>,
    bits: Bits,
    firsts: Parts,
    lasts: Parts,
    n_forms: usize,
}

impl Words {
    /// What is known of `word`, whose hash is given; `stripped` also tries it as written without
    /// å, ä, ö.
    #[inline]
    pub fn look_up(&self, hash: u64, word: &[u8], stripped: bool) -> EntryId {
        let exact = self.find(hash, word, Form::Exact);
        if exact == EntryId::UNKNOWN && stripped {
            self.find(hash, word, Form::Stripped)
        } else {
            exact
        }
    }

    /// What is known of `word` when a letter that stands three times and more counts as one or as two:
    /// *hiiissen*, *kvinnnna*. Exact, so any word will do.
    pub fn look_up_drawn_out(&self, word: &[u8], stripped: bool) -> EntryId {
        let Some(runs) = Runs::of(word) else { return EntryId::UNKNOWN };
        for pairs in 0..1_u32 << runs.n_long {
            let mut buffer = [0_u8; LONGEST_COMPOUND];
            let Some(n) = runs.write(pairs, &mut buffer) else { continue };
            let reading = &buffer[..n];
            let mut entry = self.look_up(hash_of(reading), reading, stripped);
            if entry == EntryId::UNKNOWN {
                entry = self.compound(reading, stripped);
            }
            if entry != EntryId::UNKNOWN {
                return entry;
            }
        }
        EntryId::UNKNOWN
    }

    /// What is known of `word` when every run of one letter counts as one.
    pub fn look_up_squeezed(&self, word: &[u8]) -> EntryId {
        let mut buffer = [0_u8; LONGEST_COMPOUND];
        let Some(n) = squeeze_into(word, &mut buffer) else { return EntryId::UNKNOWN };
        let squeezed = &buffer[..n];
        let entry = self.find(hash_of(squeezed), squeezed, Form::Squeezed);
        if entry == EntryId::UNKNOWN { self.compound(squeezed, false) } else { entry }
    }

    #[inline]
    fn find(&self, hash: u64, word: &[u8], form: Form) -> EntryId {
        let place = form.place(hash);
        if !self.may_hold(place) {
            EntryId::UNKNOWN
        } else if word.len() <= KEY {
            self.find_key(place, Key::of(word), form)
        } else {
            self.long.get(place, word, form)
        }
    }

    /// The filter: two bits of one word.
    #[inline]
    fn may_hold(&self, place: u64) -> bool {
        let bits = 1_u64 << (place & 63) | 1 << (place >> 6 & 63);
        // The length is a power of two; a filter of none holds nothing.
        let at = (place >> 12) as usize & self.filter.len().wrapping_sub(1);
        self.filter.get(at).is_some_and(|word| word & bits == bits)
    }

    fn find_key(&self, place: u64, key: Key, form: Form) -> EntryId {
        let mask = self.slots.len() - 1;
        let mut at = (place >> 32) as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.entry == 0 {
                return EntryId::UNKNOWN;
            }
            if slot.key == key && slot.form == form {
                return EntryId(slot.entry);
            }
            at = (at + 1) & mask;
        }
    }

    /// The classes that the entry belongs to.
    #[inline]
    pub fn classes_of(&self, entry: EntryId) -> &[ClassId] {
        let (from, to) = self.entries[entry.0 as usize].classes;
        &self.classes[from as usize..to as usize]
    }

    /// Tells of every form of the class of at most [`KEY`] bytes, derived readings as well.
    pub fn each_form(&self, class: ClassId, mut tell: impl FnMut(&[u8])) {
        for slot in self.slots.iter().filter(|slot| self.is(EntryId(slot.entry), class)) {
            let mut letters = [0; KEY];
            let (front, back) = letters.split_at_mut(KEY / 2);
            front.copy_from_slice(&slot.key.front.to_le_bytes());
            back.copy_from_slice(&slot.key.back.to_le_bytes());
            let n = letters.iter().position(|b| *b == 0).unwrap_or(KEY);
            tell(&letters[..n]);
        }
    }

    /// How many entries there are; their numbers lie below it.
    pub fn n_entries(&self) -> usize {
        self.entries.len()
    }

    /// Whether some rule begins to be looked for at this entry.
    #[inline]
    pub fn begins_rule(&self, entry: EntryId) -> bool {
        entry.0.wrapping_sub(1) < self.n_begin
    }

    /// Whether the entry belongs to the class.
    #[inline]
    pub fn is(&self, entry: EntryId, class: ClassId) -> bool {
        self.bits.may_hold(self.mask_of(entry), class)
            && (self.bits.is_own(class) || self.classes_of(entry).contains(&class))
    }

    /// The classes of the entry as a mask.
    #[inline]
    pub fn mask_of(&self, entry: EntryId) -> &ClassMask {
        &self.entries[entry.0 as usize].mask
    }

    /// Whether the entry may be met in disguise.
    pub fn disguisable(&self, entry: EntryId) -> bool {
        self.entries[entry.0 as usize].disguisable
    }

    /// How many forms the table holds, spelled-out ones and derived readings together.
    pub fn n_forms(&self) -> usize {
        self.n_forms
    }

    /// How much memory the table takes, in bytes (parts of compounds left out).
    pub fn n_bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>() + self.filter.len() * 8 + self.long.n_bytes()
    }
}

/// The runs of one letter of a word, some of which are too long for any word.
struct Runs<'w> {
    /// Each letter with its number of times.
    runs: SmallVec<[(&'w [u8], usize); 24]>,
    /// How many stand three times and more.
    n_long: u32,
}

impl<'w> Runs<'w> {
    /// More long runs than this are not read: each doubles the readings.
    const MOST: u32 = 4;

    /// Nothing where no run is too long, too many are, or the word is none that is listed.
    fn of(word: &'w [u8]) -> Option<Self> {
        let mut runs: SmallVec<[(&[u8], usize); 24]> = SmallVec::new();
        for letter in std::str::from_utf8(word).ok()?.split_inclusive(|_| true) {
            match runs.last_mut() {
                Some((last, times)) if *last == letter.as_bytes() => *times += 1,
                _ => runs.push((letter.as_bytes(), 1)),
            }
            if runs.len() > LONGEST_COMPOUND {
                return None;
            }
        }
        let n_long = runs.iter().filter(|(_, times)| *times >= 3).count() as u32;
        (1..=Self::MOST).contains(&n_long).then_some(Self { runs, n_long })
    }

    /// The reading in which the long runs whose bits are set count as two letters, the others as one.
    fn write(&self, pairs: u32, to: &mut [u8]) -> Option<usize> {
        let (mut n, mut long) = (0, 0);
        for (letter, times) in &self.runs {
            let times = if *times < 3 {
                *times
            } else {
                long += 1;
                1 + (pairs >> (long - 1) & 1) as usize
            };
            for _ in 0..times {
                to.get_mut(n..n + letter.len())?.copy_from_slice(letter);
                n += letter.len();
            }
        }
        Some(n)
    }
}

/// Writes `word` with every run of a character made single; nothing when it does not fit.
fn squeeze_into(word: &[u8], buffer: &mut [u8]) -> Option<usize> {
    let mut n = 0;
    let mut i = 0;
    while i < word.len() {
        let length = match word[i] {
            0..0xC0 => 1,
            0xC0..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0.. => 4,
        };
        let c = word.get(i..i + length)?;
        if n < c.len() || &buffer[n - c.len()..n] != c {
            buffer.get_mut(n..n + length)?.copy_from_slice(c);
            n += length;
        }
        i += length;
    }
    Some(n)
}

impl Words {
    /// Gives every entry the mask of its classes.
    pub fn set_masks(&mut self, bits: &Bits) {
        let Self { entries, classes, .. } = self;
        for entry in entries {
            let (from, to) = entry.classes;
            entry.mask = bits.mask(&classes[from as usize..to as usize]);
        }
        self.bits = bits.clone();
    }

    /// A table with room for so many forms.
    fn for_forms(n_forms: usize) -> Self {
        Self {
            slots: vec![EMPTY; (n_forms * 3 / 2).next_power_of_two().max(64)],
            filter: vec![0; (n_forms / 4).next_power_of_two().clamp(64, 1 << 16)],
            n_forms,
            ..Self::default()
        }
    }

    /// Puts in a form that is not there yet.
    fn put(&mut self, form: Form, hash: u64, text: &[u8], entry: EntryId) {
        let place = form.place(hash);
        let at = (place >> 12) as usize & (self.filter.len() - 1);
        self.filter[at] |= 1_u64 << (place & 63) | 1 << (place >> 6 & 63);
        if text.len() > KEY {
            self.long.put(place, text, form, entry);
            return;
        }
        let mask = self.slots.len() - 1;
        let mut at = (place >> 32) as usize & mask;
        while self.slots[at].entry != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = Slot { key: Key::of(text), entry: entry.0, form };
    }
}

/// Forms that are longer than a key, by the place of their hash.
#[derive(Debug, Default)]
struct LongForms {
    letters: Vec<u8>,
    forms: Vec<LongForm>,
    /// Open addressing: the number of the form and one, or zero.
    slots: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct LongForm {
    place: u64,
    from: u32,
    to: u32,
    entry: EntryId,
    form: Form,
}

impl LongForms {
    fn get(&self, place: u64, word: &[u8], form: Form) -> EntryId {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = (place >> 32) as usize & mask;
        while let Some(n) = self.slots.get(at).and_then(|n| n.checked_sub(1)) {
            let known = &self.forms[n as usize];
            if known.place == place
                && known.form == form
                && &self.letters[known.from as usize..known.to as usize] == word
            {
                return known.entry;
            }
            at = (at + 1) & mask;
        }
        EntryId::UNKNOWN
    }

    fn put(&mut self, place: u64, word: &[u8], form: Form, entry: EntryId) {
        let from = self.letters.len() as u32;
        self.letters.extend_from_slice(word);
        self.forms.push(LongForm { place, from, to: self.letters.len() as u32, entry, form });
        // At most half of the places are taken.
        if self.slots.len() < 2 * self.forms.len() {
            self.index_all();
        } else {
            self.index(self.forms.len() - 1);
        }
    }

    fn index_all(&mut self) {
        self.slots = vec![0; (4 * self.forms.len()).next_power_of_two()];
        (0..self.forms.len()).for_each(|n| self.index(n));
    }

    fn index(&mut self, n: usize) {
        let mask = self.slots.len() - 1;
        let mut at = (self.forms[n].place >> 32) as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = n as u32 + 1;
    }

    fn n_bytes(&self) -> usize {
        self.letters.len() + self.forms.len() * size_of::<LongForm>() + self.slots.len() * 4
    }
}
