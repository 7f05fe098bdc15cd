//! Which sets of classes a word belongs to, and which stand in a sentence.
//!
//! All that patterns ask of words is whether one belongs to any of some classes: a *set*. Rules,
//! conditions and guards ask for some thousands of different sets, and there are as many words that
//! they can tell apart. Words that are in the same sets share a *profile*: a row of bits, and a
//! list of the sets whose bit is shared by several. Profiles stand in the order in which they are
//! met, so that those of everyday words lie side by side and stay in the nearest caches.
//!
//! The rows of all words of a sentence joined say what may stand in it. They may say too much,
//! never too little; a single word is told for sure.

use std::cell::{Cell, OnceCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use smallvec::SmallVec;

use crate::classify::rules::everyday;
use crate::classify::tokens::{Kind, Token, Tokens};
use crate::classify::words::{ClassId, EntryId, Words};

/// How many bits a row has.
const N_BITS: usize = 1024;
/// The bit that every row has: nothing is asked for.
pub const ALWAYS: u16 = 0;
/// The bit that no row has.
const NEVER: u16 = 1;
/// The bit of a sentence that asks.
const ASKS: u16 = 2;
/// From here on, every bit belongs to one set alone…
const OWN: usize = 3;
/// …from here on, to sets that are seldom met, so that few of the bits are set in a sentence…
const SHARED: usize = 576;
/// …and from here on, to sets that single words are asked for alone.
const SINGLE: usize = 960;
/// How often a set is met, at most, that shares a bit, among ten thousand words.
const SELDOM: f32 = 20.0;

/// Sets, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Row([u64; N_BITS / 64]);

impl Default for Row {
    fn default() -> Self {
        Self::NONE
    }
}

impl Row {
    const NONE: Self = Self([0; N_BITS / 64]);

    #[inline]
    fn add(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(other.0) {
            *mine |= others;
        }
    }

    #[inline]
    fn set(&mut self, bit: u16) {
        self.0[usize::from(bit) / 64 % (N_BITS / 64)] |= 1 << (bit % 64);
    }

    /// Whether the bit is set.
    #[inline]
    pub fn has(&self, bit: u16) -> bool {
        self.word(bit) & 1 == 1
    }

    /// Whether all of the bits are set.
    #[inline]
    pub fn has_all(&self, gate: &Gate) -> bool {
        let [rarest, rest @ ..] = &gate.0;
        self.has(*rarest) && rest.iter().fold(1, |all, bit| all & self.word(*bit)) & 1 == 1
    }

    #[inline]
    fn word(&self, bit: u16) -> u64 {
        self.0[usize::from(bit) / 64 % (N_BITS / 64)] >> (bit % 64)
    }
}

/// How many sets a gate names.
const N_GATE: usize = 4;

/// Bits of which a sentence must have every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate([u16; N_GATE]);

impl Default for Gate {
    fn default() -> Self {
        Self([ALWAYS; N_GATE])
    }
}

/// Classes and kinds of which one is needed.
pub type Wanted = (SmallVec<[ClassId; 4]>, SmallVec<[Kind; 2]>);

/// The same set always in the same order.
pub fn wanted(classes: &[ClassId], kinds: &[Kind]) -> Wanted {
    let mut wanted = (SmallVec::from_slice(classes), SmallVec::from_slice(kinds));
    wanted.0.sort_unstable();
    wanted.0.dedup();
    wanted.1.sort_unstable();
    wanted.1.dedup();
    wanted
}

/// A set as words are asked for it: its bit below, and above it its number in the lists; none where
/// the bit belongs to it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetRef(u32);

impl SetRef {
    /// The set of all words.
    pub const ALL: Self = Self(ALWAYS as u32);
    /// The set of none.
    pub const NONE: Self = Self(NEVER as u32);
    const SHIFT: u32 = 10;

    /// Its bit.
    #[inline]
    pub const fn bit(self) -> u16 {
        (self.0 % N_BITS as u32) as u16
    }

    #[inline]
    const fn listed(self) -> u32 {
        self.0 >> Self::SHIFT
    }
}

/// The sets that patterns ask for, while these are compiled.
#[derive(Debug, Default)]
pub struct Asked {
    /// Of sentences, with how often they are met and by how many patterns they are asked for.
    of_sentences: BTreeMap<Wanted, (f32, u32)>,
    /// Of single words.
    of_words: BTreeSet<Wanted>,
    refs: BTreeMap<Wanted, SetRef>,
}

impl Asked {
    /// A pattern needs the set in its sentence.
    pub fn of_sentence(&mut self, often: f32, set: Wanted) {
        self.of_sentences.entry(set).or_insert((often, 0)).1 += 1;
    }

    /// Will be asked of words.
    pub fn of_word(&mut self, set: Wanted) {
        if !set.0.is_empty() {
            self.of_words.insert(set);
        }
    }

    /// Gives the sets their bits. Those that are often met have one each, as far as there are
    /// enough for those that are asked for most: a bit that such sets share is set in every
    /// sentence and tells nothing. The rest share.
    pub fn share_out(&mut self) {
        let mut order: Vec<(&Wanted, f32, u32)> =
            self.of_sentences.iter().map(|(set, (often, uses))| (set, *often, *uses)).collect();
        order.sort_by_key(|(_, _, uses)| Reverse(*uses));
        let (seldom, common): (Vec<_>, Vec<_>) =
            order.into_iter().partition(|(_, often, _)| *often < SELDOM);
        let mut n_listed = 0;
        let mut listed = |bit: usize| {
            n_listed += 1;
            SetRef(bit as u32 | n_listed << SetRef::SHIFT)
        };
        for (bit, (set, ..)) in (OWN..SHARED).zip(&common) {
            self.refs.insert((*set).clone(), SetRef(bit as u32));
        }
        for (bit, (set, ..)) in (SHARED..SINGLE).cycle().zip(&seldom) {
            self.refs.insert((*set).clone(), listed(bit));
        }
        let rest = common.iter().map(|(set, ..)| *set).chain(&self.of_words);
        for (bit, set) in (SINGLE..N_BITS).cycle().zip(rest) {
            if !self.refs.contains_key(set) {
                self.refs.insert(set.clone(), listed(bit));
            }
        }
    }

    /// The rarest of the sets that sentences can be asked for.
    pub fn gate(&self, sets: impl Iterator<Item = (f32, Wanted)>, asks: bool) -> Gate {
        let bit = |set: &Wanted| usize::from(self.refs[set].bit());
        let mut sets: Vec<_> = sets.filter(|(_, set)| bit(set) < SINGLE).collect();
        sets.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        sets.dedup();
        let bits = sets.iter().map(|(_, set)| self.refs[set].bit());
        let mut gate = Gate::default();
        gate.0
            .iter_mut()
            .zip(asks.then_some(ASKS).into_iter().chain(bits))
            .for_each(|(to, b)| *to = b);
        gate
    }

    /// The set that was asked for; without classes and kinds, the set of no word.
    pub fn set(&self, classes: &[ClassId], kinds: &[Kind]) -> SetRef {
        let wanted = wanted(classes, kinds);
        if wanted == Wanted::default() { SetRef::NONE } else { self.refs[&wanted] }
    }
}

/// What the words of a lexicon are to all patterns.
#[derive(Debug, Default)]
pub struct Sets {
    /// For every entry, its profile.
    profiles: Vec<u32>,
    /// For every profile, its sets as bits.
    rows: Vec<Row>,
    /// For every profile, where the list of those that share a bit begins; it ends where the next
    /// begins.
    begins: Vec<u32>,
    lists: Vec<u32>,
    /// The same lists as a filter: one bit for each profile and set.
    filter: Vec<u64>,
    /// What every kind sets.
    kinds: [Row; Kind::ALL.len()],
}

impl Sets {
    /// Sorts the words by the sets that were asked for.
    pub fn new(asked: &Asked, words: &Words, n_classes: usize) -> Self {
        let mut sets = Self { profiles: vec![0; words.n_entries()], ..Self::default() };
        let mut of_class: Vec<Vec<SetRef>> = vec![Vec::new(); n_classes];
        for ((classes, kinds), of) in &asked.refs {
            for class in classes {
                of_class[usize::from(class.0)].push(*of);
            }
            for kind in kinds {
                sets.kinds[*kind as usize].set(of.bit());
            }
        }
        let mut often = vec![everyday::RARE; words.n_entries()];
        everyday::known(words).for_each(|(entry, known)| often[entry.0 as usize] += known);
        // Entries of one profile are alike in all classes that patterns name.
        let mut numbers: HashMap<Vec<ClassId>, usize> = HashMap::new();
        let mut profiles: Vec<(f32, Vec<usize>)> = Vec::new();
        for (entry, often) in often.iter().enumerate() {
            let classes = words.classes_of(EntryId(entry as u32)).iter().copied();
            let classes = classes.filter(|c| !of_class[usize::from(c.0)].is_empty()).collect();
            let number = *numbers.entry(classes).or_insert(profiles.len());
            if number == profiles.len() {
                profiles.push((0.0, Vec::new()));
            }
            profiles[number].0 += often;
            profiles[number].1.push(entry);
        }
        profiles.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (number, (_, members)) in profiles.into_iter().enumerate() {
            let classes = words.classes_of(EntryId(members[0] as u32)).iter();
            for entry in members {
                sets.profiles[entry] = number as u32;
            }
            sets.push(classes.flat_map(|c| &of_class[usize::from(c.0)]));
        }
        sets.begins.push(sets.lists.len() as u32);
        sets.set_filter();
        sets
    }

    /// Adds a profile.
    fn push<'s>(&mut self, sets: impl Iterator<Item = &'s SetRef>) {
        let mut row = Row::NONE;
        row.set(ALWAYS);
        let mut listed: Vec<u32> = Vec::new();
        for set in sets {
            row.set(set.bit());
            listed.extend(Some(set.listed()).filter(|number| *number > 0));
        }
        listed.sort_unstable();
        listed.dedup();
        self.rows.push(row);
        self.begins.push(self.lists.len() as u32);
        self.lists.extend(listed);
    }

    fn set_filter(&mut self) {
        // One bit in ten is set.
        self.filter = vec![0; (self.lists.len() / 6).next_power_of_two()];
        for profile in 0..self.rows.len() {
            for n in self.begins[profile]..self.begins[profile + 1] {
                let (at, bit) = self.place(profile as u32, self.lists[n as usize]);
                self.filter[at] |= bit;
            }
        }
    }

    /// Where the filter says whether the profile has the set.
    #[inline]
    fn place(&self, profile: u32, set: u32) -> (usize, u64) {
        let hash = (u64::from(profile) << 32 | u64::from(set)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((hash >> 40) as usize & (self.filter.len() - 1), 1 << (hash >> 34 & 63))
    }

    /// How many profiles there are.
    pub fn n_profiles(&self) -> usize {
        self.rows.len()
    }

    /// The profile of an entry.
    #[inline]
    pub fn profile(&self, entry: EntryId) -> usize {
        self.profiles[entry.0 as usize] as usize
    }

    /// Whether the word belongs to the set.
    #[inline]
    pub fn has(&self, entry: EntryId, set: SetRef) -> bool {
        let profile = self.profile(entry);
        self.rows[profile].has(set.bit()) && (set.listed() == 0 || self.lists(profile, set))
    }

    #[inline]
    fn lists(&self, profile: usize, set: SetRef) -> bool {
        let (at, bit) = self.place(profile as u32, set.listed());
        self.filter[at] & bit != 0 && self.finds(profile, set)
    }

    fn finds(&self, profile: usize, set: SetRef) -> bool {
        let list = &self.lists[self.begins[profile] as usize..self.begins[profile + 1] as usize];
        list.binary_search(&set.listed()).is_ok()
    }

    /// Whether the token may have the bit, by its word or by its kind.
    #[inline]
    pub fn may_have(&self, token: &Token, bit: u16) -> bool {
        self.rows[self.profile(token.entry)].has(bit)
            || (token.kind != Kind::Word && self.kinds[token.kind as usize].has(bit))
    }

    /// What the tokens have together; they stand in a sentence that asks or does not.
    pub fn joined(&self, tokens: &[Token], asks: bool) -> Row {
        let mut row = Row::NONE;
        row.set(ALWAYS);
        if asks {
            row.set(ASKS);
        }
        for token in tokens {
            if token.entry != EntryId::UNKNOWN {
                row.add(&self.rows[self.profile(token.entry)]);
            }
            if token.kind != Kind::Word {
                row.add(&self.kinds[token.kind as usize]);
            }
        }
        row
    }

    /// What a sentence has.
    pub fn of_sentence(&self, n: u32, tokens: &Tokens) -> Row {
        let sentence = tokens.sentences[n as usize];
        let of = &tokens.tokens[sentence.first as usize..sentence.last as usize];
        self.joined(of, sentence.asks)
    }
}

/// What stands in one text, found out where somebody asks. Kept and refilled.
#[derive(Debug, Default)]
pub struct Seen {
    text: OnceCell<Row>,
    /// The sentence that was asked of last.
    sentence: Cell<Option<(u32, Row)>>,
}

impl Seen {
    /// Forgets all, for the next text.
    pub fn clear(&mut self) {
        self.text.take();
        self.sentence.set(None);
    }

    /// In all of it. Which sentence asks is not told.
    #[inline]
    pub fn text(&self, tokens: &Tokens, sets: &Sets) -> &Row {
        self.text.get_or_init(|| sets.joined(&tokens.tokens, true))
    }

    /// In one sentence.
    #[inline]
    pub fn sentence(&self, n: u32, tokens: &Tokens, sets: &Sets) -> Row {
        match self.sentence.get() {
            Some((known, row)) if known == n => row,
            _ => {
                let row = sets.of_sentence(n, tokens);
                self.sentence.set(Some((n, row)));
                row
            }
        }
    }
}
