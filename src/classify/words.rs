//! What the lexicon knows of a word: a hashed look-up over all forms, and the parts of compounds.
//!
//! One probe answers for most tokens: a filter of one bit per form stays in the first cache and
//! says "unknown" for almost every ordinary word. A hit is compared byte by byte, so a hash
//! collision costs a comparison, never a wrong answer. Memory is 16 bytes a form and the text of
//! the forms.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

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

/// The state of the hash before the first byte.
pub const HASH_START: u64 = 0x9E37_79B9_7F4A_7C15;

/// One byte more. Multiplication spreads upwards; [`finish`] brings the spread down again.
#[inline]
pub const fn hash_step(hash: u64, b: u8) -> u64 {
    (hash ^ b as u64).wrapping_mul(0x0100_0000_01B3)
}

#[inline]
const fn finish(hash: u64) -> u64 {
    let h = hash ^ (hash >> 32);
    let h = h.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    h ^ (h >> 29)
}

/// The hash of a whole word.
pub fn hash_of(word: &[u8]) -> u64 {
    word.iter().fold(HASH_START, |h, b| hash_step(h, *b))
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
    const fn salt(self) -> u64 {
        match self {
            Self::Exact => 0,
            Self::Stripped => 0x5851_F42D_4C95_7F2D,
            Self::Squeezed => 0x1405_7B7E_F767_814F,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Upper half of the finished hash, and where the text of the form is.
    check: u32,
    text: u32,
    length: u16,
    entry: u32,
}

/// What is known of one set of forms.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    classes: (u32, u32),
    begins_rule: bool,
    disguisable: bool,
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
    mask: usize,
    filter: Vec<u64>,
    filter_mask: u64,
    text: Vec<u8>,
    entries: Vec<Entry>,
    classes: Vec<ClassId>,
    firsts: Parts,
    lasts: Parts,
    n_forms: usize,
}

/// First or last parts of compounds, by their bytes. A gate over the two outermost bytes keeps
/// most words out.
#[derive(Debug, Default)]
struct Parts {
    gate: Vec<u64>,
    /// One bit per part, by the hash of its bytes from the outermost inwards.
    filter: Vec<u64>,
    by_text: BTreeMap<Vec<u8>, Vec<Part>>,
    shortest: usize,
    longest: usize,
}

impl Parts {
    /// `inwards` gives the bytes of a part from the outermost on.
    fn new<I: Iterator<Item = u8>>(
        by_text: BTreeMap<Vec<u8>, Vec<Part>>,
        outermost: impl Fn(&[u8]) -> [u8; 2],
        inwards: impl Fn(Vec<u8>) -> I,
    ) -> Self {
        let mut gate = vec![0_u64; 1024];
        let mut filter = vec![0_u64; 1024];
        for key in by_text.keys() {
            let pair = u16::from_be_bytes(outermost(key)) as usize;
            gate[pair / 64] |= 1 << (pair % 64);
            let bit = finish(inwards(key.clone()).fold(HASH_START, hash_step)) as usize % 65_536;
            filter[bit / 64] |= 1 << (bit % 64);
        }
        let shortest = by_text.keys().map(Vec::len).min().unwrap_or(0);
        let longest = by_text.keys().map(Vec::len).max().unwrap_or(0);
        Self { gate, filter, by_text, shortest, longest }
    }

    /// The lengths, falling, at which a part may end; the bytes come from the outermost inwards.
    fn lengths(&self, inwards: impl Iterator<Item = u8>) -> SmallVec<[usize; 8]> {
        let mut found = SmallVec::new();
        let mut hash = HASH_START;
        for (i, b) in inwards.take(self.longest).enumerate() {
            hash = hash_step(hash, b);
            let bit = finish(hash) as usize % 65_536;
            if i + 1 >= self.shortest && self.filter[bit / 64] & (1 << (bit % 64)) != 0 {
                found.push(i + 1);
            }
        }
        found.reverse();
        found
    }

    #[inline]
    fn may(&self, pair: [u8; 2]) -> bool {
        let pair = u16::from_be_bytes(pair) as usize;
        self.gate.get(pair / 64).is_some_and(|word| word & (1 << (pair % 64)) != 0)
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
        let h = finish(hash ^ form.salt());
        let bit = h & self.filter_mask;
        match self.filter.get((bit / 64) as usize) {
            Some(bits) if bits & (1 << (bit % 64)) != 0 => {}
            _ => return EntryId::UNKNOWN,
        }
        let check = (h >> 32) as u32;
        let mut at = h as usize & self.mask;
        loop {
            let slot = &self.slots[at];
            if slot.entry == 0 {
                return EntryId::UNKNOWN;
            }
            if slot.check == check {
                let text =
                    &self.text[slot.text as usize..slot.text as usize + slot.length as usize];
                if text == word {
                    return EntryId(slot.entry);
                }
            }
            at = (at + 1) & self.mask;
        }
    }

    /// What an unknown word is as a compound, by its last or its first part.
    #[inline]
    pub fn compound(&self, word: &[u8], stripped: bool) -> EntryId {
        let n = word.len();
        if !(5..=LONGEST_COMPOUND).contains(&n) {
            return EntryId::UNKNOWN;
        }
        let mut best = EntryId::UNKNOWN;
        // First parts say more: muslimjävel is contempt for a group before it is a swear word.
        if self.firsts.may([word[0], word[1]]) {
            self.by_first(word, stripped, &mut best);
        }
        if !self.disguisable(best) && self.lasts.may([word[n - 2], word[n - 1]]) {
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
        for length in self.lasts.lengths(word[SHORTEST_REST..].iter().rev().copied()) {
            let Some(parts) = self.lasts.by_text.get(&word[n - length..]) else { continue };
            let front = &word[..n - length];
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
        for length in self.firsts.lengths(word[..word.len() - SHORTEST_REST].iter().copied()) {
            let Some(parts) = self.firsts.by_text.get(&word[..length]) else { continue };
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
        if front.len() < 2 || !self.firsts.may([front[0], front[1]]) || !is_wordlike(rest) {
            return EntryId::UNKNOWN;
        }
        let Some(parts) = self.firsts.by_text.get(front) else { return EntryId::UNKNOWN };
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

    /// Whether some rule begins to be looked for at this entry.
    #[inline]
    pub fn begins_rule(&self, entry: EntryId) -> bool {
        self.entries[entry.0 as usize].begins_rule
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
        self.slots.len() * size_of::<Slot>() + self.text.len() + self.filter.len() * 8
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
        let mut words = Words { entries: vec![Entry::default()], ..Words::default() };
        let mut sets: BTreeMap<Vec<ClassId>, EntryId> = BTreeMap::new();
        let mut intern = |words: &mut Words, classes: &[ClassId]| -> EntryId {
            let mut set = classes.to_vec();
            set.sort_unstable();
            set.dedup();
            if let Some(known) = sets.get(&set) {
                return *known;
            }
            let from = words.classes.len() as u32;
            words.classes.extend_from_slice(&set);
            let holds = |flags: &[bool]| {
                set.iter().any(|c| flags.get(c.0 as usize).copied().unwrap_or(false))
            };
            words.entries.push(Entry {
                classes: (from, words.classes.len() as u32),
                begins_rule: holds(anchors),
                disguisable: holds(disguisable),
            });
            let id = EntryId(words.entries.len() as u32 - 1);
            sets.insert(set, id);
            id
        };
        words.n_forms = self.forms.len();
        let size = (self.forms.len() * 2).next_power_of_two().max(64);
        words.slots = vec![Slot::default(); size];
        words.mask = size - 1;
        let bits = (self.forms.len() as u64 * 16).next_power_of_two().clamp(1 << 12, 1 << 19);
        words.filter = vec![0; (bits / 64) as usize];
        words.filter_mask = bits - 1;
        for ((form, text), classes) in &self.forms {
            let entry = intern(&mut words, classes);
            let h = finish(hash_of(text.as_bytes()) ^ form.salt());
            let bit = h & words.filter_mask;
            words.filter[(bit / 64) as usize] |= 1 << (bit % 64);
            let mut at = h as usize & words.mask;
            while words.slots[at].entry != 0 {
                at = (at + 1) & words.mask;
            }
            let start = words.text.len() as u32;
            words.text.extend_from_slice(text.as_bytes());
            words.slots[at] = Slot {
                check: (h >> 32) as u32,
                text: start,
                length: text.len() as u16,
                entry: entry.0,
            };
        }
        let mut parts = |from: RawParts| {
            from.into_iter()
                .map(|(text, raw)| {
                    // One part per condition, with all its classes: jäveln swears, abuses and
                    // names a person at once.
                    let mut by_rest: BTreeMap<Option<ClassId>, ClassesAndStops> = BTreeMap::new();
                    for (class, rest, stops) in raw {
                        let (classes, all_stops) = by_rest.entry(rest).or_default();
                        classes.push(class);
                        all_stops.extend(stops);
                    }
                    let parts = by_rest
                        .into_iter()
                        .map(|(rest, (classes, stops))| Part {
                            entry: intern(&mut words, &classes),
                            rest,
                            stops,
                        })
                        .collect();
                    (text, parts)
                })
                .collect::<BTreeMap<_, Vec<Part>>>()
        };
        let (firsts, lasts) = (parts(self.firsts), parts(self.lasts));
        words.firsts = Parts::new(firsts, |key| [key[0], key[1]], Vec::into_iter);
        words.lasts = Parts::new(
            lasts,
            |key| [key[key.len() - 2], key[key.len() - 1]],
            |key| key.into_iter().rev(),
        );
        words
    }
}
