//! What the lexicon knows of a word: a hashed look-up over all forms, and the parts of compounds.
//!
//! One probe answers for most tokens: a filter of two bits per form stays in the nearest caches
//! and says "unknown" for almost every ordinary word. A word of up to [`KEY`] bytes is its own key
//! (two numbers), so a hit is compared without following a pointer, and a hash collision costs a
//! comparison, never a wrong answer. Memory is 48 to 96 bytes a form.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::classify::gate::{Bits, ClassMask};

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

/// What is kept of a key's halves for every length.
const FRONT: [u64; KEY + 1] = kept(0);
const BACK: [u64; KEY + 1] = kept(8);

const fn kept(skipped: usize) -> [u64; KEY + 1] {
    let mut masks = [0; KEY + 1];
    let mut length = skipped + 1;
    while length <= KEY {
        let bytes = length - skipped;
        masks[length] = if bytes >= 8 { u64::MAX } else { (1 << (8 * bytes)) - 1 };
        length += 1;
    }
    masks
}

impl Key {
    /// The key of the first `length` bytes (at most [`KEY`]) of `sixteen`.
    #[inline]
    pub fn cut(sixteen: &[u8; KEY], length: usize) -> Self {
        let (front, back) = sixteen.split_at(8);
        let number = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("eight bytes"));
        Self { front: number(front) & FRONT[length], back: number(back) & BACK[length] }
    }

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

    /// Whether a digit is among the bytes of this key of a word of that length.
    #[inline]
    pub fn has_digit(self, length: usize) -> bool {
        // Of the bytes in words, letters and digits, only digits lack both upper bits.
        const UPPER: u64 = 0x8080_8080_8080_8080;
        let without = |half: u64| !(half | half << 1) & UPPER;
        without(self.front) & FRONT[length] | without(self.back) & BACK[length] != 0
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

/// A lexeme as a part of compounds.
#[derive(Clone, Debug)]
pub struct Part {
    /// What the whole compound counts as.
    pub entry: EntryId,
    /// For a first part: the class that the rest must be in; without one, any rest will do.
    pub rest: Option<ClassId>,
    /// Words that only look like compounds; compared as the beginning of the whole word for a
    /// first part, as the rest in front for a last part.
    pub stops: Vec<Vec<u8>>,
}

/// All forms of a lexicon.
#[derive(Debug, Default)]
pub struct Words {
    slots: Vec<Slot>,
    /// Forms longer than a key, behind the same filter.
    long: HashMap<(Form, Vec<u8>), EntryId>,
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

/// First or last parts of compounds, by their bytes. A gate over the four outermost bytes keeps
/// almost all words out.
#[derive(Debug, Default)]
struct Parts {
    gate: Gate,
    /// For the parts' four outermost bytes, hashed: which lengths there are; bit 31 stands for all
    /// from there on.
    lengths: Vec<u32>,
    /// One bit per part, by its hash.
    filter: Vec<u64>,
    by_text: HashMap<Vec<u8>, Vec<Part>>,
    longest: usize,
}

/// A table over the two outermost bytes, with one bit for the two next.
#[derive(Debug)]
struct Gate(Box<[u64; 1024]>);

impl Default for Gate {
    fn default() -> Self {
        Self(Box::new([0; 1024]))
    }
}

impl Gate {
    /// The outermost byte is lowest.
    #[inline]
    const fn at(four: u32) -> (usize, u32) {
        ((four & 31 | four >> 3 & 0x3E0) as usize, four >> 16 & 7 | four >> 21 & 0x38)
    }

    /// Lets the `n` outermost bytes through, whatever follows them.
    fn put(&mut self, four: u32, n: usize) {
        let (at, bit) = Self::at(four);
        self.0[at] |= match n {
            2 => u64::MAX,
            3 => 0x0101_0101_0101_0101 << (bit & 7),
            _ => 1 << bit,
        };
    }

    /// Whether a part may stand outermost in a word with these outermost bytes.
    #[inline]
    fn may(&self, four: u32) -> bool {
        let (at, bit) = Self::at(four);
        self.0[at] >> bit & 1 != 0
    }
}

/// The longest length with a bit of its own.
const LONG: usize = 31;

/// The first four bytes of a word, the first lowest.
#[inline]
fn first_four(word: &[u8]) -> u32 {
    word.iter().take(4).rev().fold(0, |all, b| all << 8 | u32::from(*b))
}

/// The last four bytes of a word, the last lowest.
#[inline]
fn last_four(word: &[u8]) -> u32 {
    word.iter().rev().take(4).rev().fold(0, |all, b| all << 8 | u32::from(*b))
}

impl Parts {
    /// `outermost` gives the four outermost bytes, the outermost lowest.
    fn new(by_text: HashMap<Vec<u8>, Vec<Part>>, outermost: impl Fn(&[u8]) -> u32) -> Self {
        let mut gate = Gate::default();
        let mut lengths = vec![0; 1 << 12];
        let mut filter = vec![0_u64; 1024];
        for key in by_text.keys() {
            let bit = hash_of(key) as usize % 65_536;
            filter[bit / 64] |= 1 << (bit % 64);
            let (four, n) = (outermost(key), key.len());
            gate.put(four, n);
            lengths[Self::place(four, n.min(4))] |= 1 << n.min(LONG);
        }
        let longest = by_text.keys().map(Vec::len).max().unwrap_or(0);
        Self { gate, lengths, filter, by_text, longest }
    }

    /// The parts of exactly these bytes.
    fn get(&self, bytes: &[u8]) -> Option<&Vec<Part>> {
        let bit = hash_of(bytes) as usize % 65_536;
        let may = self.filter.get(bit / 64).is_some_and(|bits| bits >> (bit % 64) & 1 == 1);
        if may { self.by_text.get(bytes) } else { None }
    }

    #[inline]
    const fn place(four: u32, n: usize) -> usize {
        let bytes = if n < 4 { four & ((1 << (8 * n)) - 1) } else { four };
        (bytes.wrapping_add(n as u32).wrapping_mul(0x9E37_79B1) >> 20) as usize
    }

    /// The lengths, falling, that a part may have which is outermost in a word with these
    /// outermost bytes and takes up at most `room` bytes.
    fn lengths(&self, four: u32, room: usize) -> impl Iterator<Item = usize> {
        let at = |n| self.lengths.get(Self::place(four, n)).copied().unwrap_or(0);
        let bits = at(4) & !0xF | at(3) & 0x8 | at(2) & 0x4;
        let long = if bits >> LONG == 1 { LONG..self.longest.min(room) + 1 } else { LONG..LONG };
        let short = (2..LONG.min(room + 1)).rev().filter(move |n| bits >> n & 1 == 1);
        long.rev().chain(short)
    }
}

/// The shortest rest that can be a word beside a part, in bytes.
const SHORTEST_REST: usize = 2;
/// No compound longer than this is looked into, in bytes.
const LONGEST_COMPOUND: usize = 64;

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
            self.long.get(&(form, word.to_vec())).copied().unwrap_or(EntryId::UNKNOWN)
        }
    }

    /// As [`Self::look_up`] for a word of at most [`KEY`] bytes, given by its key.
    #[inline]
    pub fn look_up_key(&self, key: Key, stripped: bool) -> EntryId {
        let hash = key.hash();
        if self.may_hold(hash) {
            let exact = self.find_key(hash, key, Form::Exact);
            if exact != EntryId::UNKNOWN {
                return exact;
            }
        }
        if stripped {
            let place = Form::Stripped.place(hash);
            if self.may_hold(place) {
                return self.find_key(place, key, Form::Stripped);
            }
        }
        EntryId::UNKNOWN
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

    /// Whether a word with these first and last four bytes, as they stand, can be a compound. True
    /// a little too often.
    #[inline]
    pub fn may_be_compound(&self, first: u32, last: u32) -> bool {
        self.firsts.gate.may(first) | self.lasts.gate.may(last.swap_bytes())
    }

    /// Whether a word with these first four bytes (zero where it is shorter) can be the first part
    /// of a compound. True a little too often.
    #[inline]
    pub fn may_be_first(&self, first: u32) -> bool {
        self.firsts.gate.may(first)
    }

    /// What an unknown word is as a compound, by its last or its first part.
    pub fn compound(&self, word: &[u8], stripped: bool) -> EntryId {
        if !(5..=LONGEST_COMPOUND).contains(&word.len()) {
            return EntryId::UNKNOWN;
        }
        let mut best = EntryId::UNKNOWN;
        // First parts say more: muslimjävel is contempt for a group before it is a swear word.
        if self.firsts.gate.may(first_four(word)) {
            self.by_first(word, stripped, &mut best);
        }
        if self.lasts.gate.may(last_four(word)) && !self.disguisable(best) {
            self.by_last(word, stripped, &mut best);
        }
        best
    }

    /// Keeps the reading that says most: words of the matter before those of the surroundings.
    fn prefer(&self, entry: EntryId, best: &mut EntryId) -> bool {
        if *best == EntryId::UNKNOWN || self.disguisable(entry) {
            *best = entry;
        }
        self.disguisable(*best)
    }

    fn by_last(&self, word: &[u8], stripped: bool, best: &mut EntryId) {
        let n = word.len();
        for length in self.lasts.lengths(last_four(word), n - SHORTEST_REST) {
            let front = n - length;
            let Some(parts) = self.lasts.get(&word[front..]) else { continue };
            let front = &word[..front];
            for part in parts {
                if is_wordlike(front)
                    && !part.stops.iter().any(|s| s == front)
                    && self.rest_fits(front, part, stripped)
                    && self.prefer(part.entry, best)
                {
                    return;
                }
            }
        }
    }

    fn by_first(&self, word: &[u8], stripped: bool, best: &mut EntryId) {
        for length in self.firsts.lengths(first_four(word), word.len() - SHORTEST_REST) {
            let Some(parts) = self.firsts.get(&word[..length]) else { continue };
            let rest = &word[length..];
            for part in parts {
                let stopped = part.stops.iter().any(|s| word.starts_with(s));
                if is_wordlike(rest)
                    && !stopped
                    && self.rest_fits(rest, part, stripped)
                    && self.prefer(part.entry, best)
                {
                    return;
                }
            }
        }
    }

    /// What `front` and `rest`, written apart, are as a compound: `front` must be a first part, and
    /// `rest` what may follow it, or a word of weight where anything may.
    pub fn compound_of(&self, front: &[u8], rest: &[u8], stripped: bool) -> EntryId {
        if !self.firsts.gate.may(first_four(front)) {
            return EntryId::UNKNOWN;
        }
        let Some(parts) = self.firsts.get(front).filter(|_| is_wordlike(rest)) else {
            return EntryId::UNKNOWN;
        };
        let of_weight = self.disguisable(self.look_up(hash_of(rest), rest, stripped));
        let fits = |p: &&Part| (p.rest.is_some() || of_weight) && self.rest_fits(rest, p, stripped);
        parts.iter().find(fits).map_or(EntryId::UNKNOWN, |p| p.entry)
    }

    fn rest_fits(&self, rest: &[u8], part: &Part, stripped: bool) -> bool {
        part.rest.is_none_or(|class| {
            let entry = self.look_up(hash_of(rest), rest, stripped);
            self.classes_of(entry).contains(&class)
        })
    }

    /// The classes that the entry belongs to.
    #[inline]
    pub fn classes_of(&self, entry: EntryId) -> &[ClassId] {
        let (from, to) = self.entries[entry.0 as usize].classes;
        &self.classes[from as usize..to as usize]
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
        let long: usize = self.long.keys().map(|(_, text)| text.len() + 48).sum();
        self.slots.len() * size_of::<Slot>() + self.filter.len() * 8 + long
    }
}

/// Letters only, at least two, with a vowel among them.
fn is_wordlike(part: &[u8]) -> bool {
    part.len() >= SHORTEST_REST
        && part.iter().all(|b| b.is_ascii_lowercase() || *b >= 0x80)
        && part.iter().any(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y') || *b >= 0x80)
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

/// `word` with every run of a letter made single.
pub fn squeeze(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if !out.ends_with(c) {
            out.push(c);
        }
    }
    out
}

/// `word` without rings and dots.
pub fn strip(word: &str) -> String {
    word.replace(['å', 'ä'], "a").replace('ö', "o")
}

/// Parts of compounds before they have entries: class, what the rest must be, stops.
type RawParts = BTreeMap<Vec<u8>, Vec<(ClassId, Option<ClassId>, Vec<Vec<u8>>)>>;

/// What parts of one text and condition have together.
type ClassesAndStops = (Vec<ClassId>, Vec<Vec<u8>>);

/// In how many ways a form may be read, each holding those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readings {
    /// As spelled.
    Exact,
    /// Also without å, ä, ö, in a text that has none of them.
    Stripped,
    /// Also with letters stretched.
    Disguised,
}

/// Gathers forms with their classes, and builds the table.
#[derive(Clone, Debug, Default)]
pub struct WordsBuilder {
    forms: BTreeMap<(Form, String), Vec<ClassId>>,
    /// The forms that may be met misspelled.
    disguised: BTreeSet<String>,
    firsts: RawParts,
    lasts: RawParts,
}

impl WordsBuilder {
    /// Adds a form to a class, with the readings it may have.
    pub fn add(&mut self, form: &str, class: ClassId, readings: Readings) {
        let mut put = |kind, text: String| {
            let classes = self.forms.entry((kind, text)).or_default();
            if !classes.contains(&class) {
                classes.push(class);
            }
        };
        put(Form::Exact, form.to_owned());
        let bare = strip(form);
        if readings == Readings::Exact {
            return;
        }
        if readings == Readings::Disguised {
            self.disguised.insert(form.to_owned());
            put(Form::Squeezed, squeeze(form));
            if bare != form {
                put(Form::Squeezed, squeeze(&bare));
            }
        }
        if bare != form {
            put(Form::Stripped, bare);
        }
    }

    /// Adds a first part of compounds.
    pub fn add_first(
        &mut self,
        part: &str,
        class: ClassId,
        rest: Option<ClassId>,
        stops: &[String],
    ) {
        let stops: Vec<Vec<u8>> = stops.iter().map(|s| s.as_bytes().to_vec()).collect();
        self.firsts.entry(part.as_bytes().to_vec()).or_default().push((class, rest, stops.clone()));
        let bare = strip(part);
        if bare != part {
            self.firsts.entry(bare.into_bytes()).or_default().push((class, rest, stops));
        }
    }

    /// Adds a last part of compounds; stops are what may not stand in front.
    pub fn add_last(
        &mut self,
        part: &str,
        class: ClassId,
        rest: Option<ClassId>,
        stops: &[String],
    ) {
        let stops: Vec<Vec<u8>> = stops.iter().map(|s| s.as_bytes().to_vec()).collect();
        self.lasts.entry(part.as_bytes().to_vec()).or_default().push((class, rest, stops));
    }

    /// The same forms and parts without derived readings: enough to ask about compounds.
    pub fn as_spelled(&self) -> Self {
        let exact = self.forms.iter().filter(|((form, _), _)| *form == Form::Exact);
        Self {
            forms: exact.map(|(key, classes)| (key.clone(), classes.clone())).collect(),
            disguised: BTreeSet::new(),
            firsts: self.firsts.clone(),
            lasts: self.lasts.clone(),
        }
    }

    /// Gives every form also the classes that it has as a compound, unless it is of the class
    /// `never`.
    pub fn add_compounds(&mut self, words: &Words, never: ClassId) {
        for ((form, text), classes) in &mut self.forms {
            if *form == Form::Exact && !classes.contains(&never) {
                for class in words.classes_of(words.compound(text.as_bytes(), false)) {
                    if !classes.contains(class) {
                        classes.push(*class);
                    }
                }
            }
        }
    }

    /// Takes every form of `out` out of the class.
    pub fn take_out(&mut self, class: ClassId, out: ClassId) {
        for classes in self.forms.values_mut() {
            if classes.contains(&out) {
                classes.retain(|c| *c != class && *c != out);
            }
        }
        self.forms.retain(|_, classes| !classes.is_empty());
    }

    /// The forms that may be met misspelled.
    pub fn disguised(&self) -> impl Iterator<Item = &str> {
        self.disguised.iter().map(String::as_str)
    }

    /// The classes that a form has so far.
    pub fn classes_of_form(&self, form: &str) -> &[ClassId] {
        self.forms.get(&(Form::Exact, form.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Builds the table. `anchors` are the classes that rules begin at, `disguisable` those that
    /// may be met in disguise.
    pub fn build(self, anchors: &[bool], disguisable: &[bool]) -> Words {
        let firsts = grouped(self.firsts);
        let lasts = grouped(self.lasts);
        let mut entries = Entries::new(anchors, disguisable);
        entries.gather(
            self.forms.values().chain(
                [&firsts, &lasts]
                    .into_iter()
                    .flat_map(|parts| parts.values().flatten().map(|(_, (classes, _))| classes)),
            ),
        );
        let mut words = Words { n_forms: self.forms.len(), ..Words::default() };
        words.slots = vec![EMPTY; (self.forms.len() * 3 / 2).next_power_of_two().max(64)];
        words.filter = vec![0; (self.forms.len() / 4).next_power_of_two().clamp(64, 1 << 16)];
        for ((form, text), classes) in &self.forms {
            words.put(*form, text.as_bytes(), entries.of(classes));
        }
        let parts = |from: GroupedParts| {
            from.into_iter()
                .map(|(text, parts)| {
                    let parts = parts
                        .into_iter()
                        .map(|(rest, (classes, stops))| Part {
                            entry: entries.of(&classes),
                            rest,
                            stops,
                        })
                        .collect();
                    (text, parts)
                })
                .collect::<HashMap<_, Vec<Part>>>()
        };
        words.firsts = Parts::new(parts(firsts), first_four);
        words.lasts = Parts::new(parts(lasts), last_four);
        words.entries = entries.all;
        words.n_begin = entries.n_begin;
        words.classes = entries.classes;
        words
    }
}

/// Parts with one part per condition, with all its classes: *jäveln* swears, abuses and names a
/// person at once.
type GroupedParts = BTreeMap<Vec<u8>, BTreeMap<Option<ClassId>, ClassesAndStops>>;

fn grouped(from: RawParts) -> GroupedParts {
    from.into_iter()
        .map(|(text, raw)| {
            let mut by_rest: BTreeMap<Option<ClassId>, ClassesAndStops> = BTreeMap::new();
            for (class, rest, stops) in raw {
                let (classes, all_stops) = by_rest.entry(rest).or_default();
                classes.push(class);
                all_stops.extend(stops);
            }
            (text, by_rest)
        })
        .collect()
}

/// The sets of classes that words have, each once; those that rules begin at first.
struct Entries<'f> {
    anchors: &'f [bool],
    disguisable: &'f [bool],
    ids: HashMap<Vec<ClassId>, EntryId>,
    all: Vec<Entry>,
    classes: Vec<ClassId>,
    n_begin: u32,
}

impl<'f> Entries<'f> {
    fn new(anchors: &'f [bool], disguisable: &'f [bool]) -> Self {
        Self {
            anchors,
            disguisable,
            ids: HashMap::new(),
            all: vec![Entry::default()],
            classes: Vec::new(),
            n_begin: 0,
        }
    }

    fn gather<'s>(&mut self, sets: impl Iterator<Item = &'s Vec<ClassId>>) {
        let mut known: BTreeSet<Vec<ClassId>> = BTreeSet::new();
        for set in sets {
            let set = sorted(set);
            if !known.contains(&set) {
                known.insert(set);
            }
        }
        let holds = |set: &[ClassId], flags: &[bool]| {
            set.iter().any(|c| flags.get(c.0 as usize).copied().unwrap_or(false))
        };
        let (begin, rest): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|set| holds(set, self.anchors));
        self.n_begin = begin.len() as u32;
        for set in begin.into_iter().chain(rest) {
            let from = self.classes.len() as u32;
            self.classes.extend_from_slice(&set);
            self.all.push(Entry {
                classes: (from, self.classes.len() as u32),
                disguisable: holds(&set, self.disguisable),
                mask: ClassMask::default(),
            });
            self.ids.insert(set, EntryId(self.all.len() as u32 - 1));
        }
    }

    /// The entry of a set that was gathered before.
    fn of(&self, classes: &[ClassId]) -> EntryId {
        self.ids[&sorted(classes)]
    }
}

fn sorted(classes: &[ClassId]) -> Vec<ClassId> {
    let mut set = classes.to_vec();
    set.sort_unstable();
    set.dedup();
    set
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

    fn put(&mut self, form: Form, text: &[u8], entry: EntryId) {
        let place = form.place(hash_of(text));
        let at = (place >> 12) as usize & (self.filter.len() - 1);
        self.filter[at] |= 1_u64 << (place & 63) | 1 << (place >> 6 & 63);
        if text.len() > KEY {
            self.long.insert((form, text.to_vec()), entry);
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
