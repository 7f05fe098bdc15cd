//! Weighing fast: the same sums as over [`each_cue`](crate::classify::cues::extract::each_cue), with
//! all that a word or an entry decides alone looked up once and kept.
//!
//! The numbers of a word's own cues stand in the vocabulary, those of an entry's classes as bits where they are
//! met often and else in a list. What was met is a bit a cue; the rows are added last, all in a row, in
//! sixteen bits as long as these suffice.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use smallvec::SmallVec;

use crate::classify::cues::extract::{
    Cue, FEWEST_FOR_END, LONG, MOST_BYTES, SHORT, Shape, address, cut, end, is_plain, last_letters,
    plain, plain_swedish, shape,
};
use crate::classify::cues::table::{Cues, LANES, Row};
use crate::classify::cues::{Scales, hits_in};
use crate::classify::rules::everyday;
use crate::classify::rules::{Hit, View};
use crate::classify::tokens::Kind;
use crate::classify::vocabulary::Vocabulary;
use crate::classify::words::{ClassId, EntryId, Words, hash_of};
use crate::domain::verdict::Span;

/// The numbers of the cues that a word carries by itself; zero where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordCues {
    /// The hash of its beginning, for pairs. In two parts, so that no room is lost beside it.
    half: [u32; 2],
    /// The word, its two beginnings and its end.
    own: [u16; 4],
    /// The set of classes of its entry, by number.
    profile: u32,
    /// Its beginning as the first word of a sentence.
    first: u16,
    state: State,
}

/// What is known of a word's cues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing yet.
    Open,
    /// No pair of the table begins or ends with it.
    Single,
    /// One may begin with it.
    Front,
    /// One may end with it.
    Back,
    /// Both.
    Both,
}

impl WordCues {
    /// Not looked up yet.
    pub const OPEN: Self =
        Self { half: [0; 2], own: [0; 4], profile: 0, first: 0, state: State::Open };

    const fn half(&self) -> u64 {
        (self.half[0] as u64) << 32 | self.half[1] as u64
    }

    fn is_front(&self) -> bool {
        matches!(self.state, State::Front | State::Both)
    }

    fn is_back(&self) -> bool {
        matches!(self.state, State::Back | State::Both)
    }
}

/// How many numbers are kept for the classes that are met most, and for no other cues; zero, which is
/// no cue, is among them.
const N_COMMON: usize = 448;
/// The bits of so many cues.
type Common = [u64; N_COMMON / 64];

/// The cues of a set of classes, in one cache line: the common ones, and where the others begin and
/// how many there are.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Carried {
    common: Common,
    from: u32,
    n: u32,
}

/// The set of no class, which is that of the unknown word and therefore the first.
const NO_CUES: u32 = 0;

/// What weighing needs beside the table, made of it and the words.
///
/// Cues have numbers of their own here: those of the classes that everyday words carry come first, so
/// that these are kept for a word as bits, and those of a text are had by joining bits.
#[derive(Debug, Default)]
pub struct Quick {
    /// For each entry, the set of its classes that carry cues.
    profiles: Vec<u32>,
    /// For each such set, its cues.
    carried: Vec<Carried>,
    /// Those that are not common.
    others: Vec<u16>,
    shapes: [u16; Shape::ALL.len()],
    /// What stands for numbers, addresses and mentions in pairs.
    number: Option<WordCues>,
    address: Option<WordCues>,
    mention: Option<WordCues>,
    /// For each place in the table, the number of its cue.
    numbers: Vec<u16>,
    /// The rows by number, those of classes that always stand together made one.
    rows: Vec<Weights>,
    /// How many of them may be added in sixteen bits.
    group: usize,
}

/// A row in one cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Weights(Row);

/// How many cues a table may have: their numbers are kept in sixteen bits.
pub const MOST_CUES: usize = u16::MAX as usize - N_COMMON;

impl Quick {
    /// Looks up what entries and shapes carry.
    pub fn new(cues: &Cues, words: &Words) -> Self {
        let mut quick = Self { group: 1, ..Self::default() };
        if cues.is_empty() {
            return quick;
        }
        let entries = (0..words.n_entries() as u32).map(|n| words.classes_of(EntryId(n)));
        let places_of = |classes: &[ClassId]| -> Vec<u16> {
            classes.iter().map(|c| cues.place(Cue::Class(*c))).filter(|p| *p != 0).collect()
        };
        let mut of_entries: Vec<Vec<u16>> = entries.map(places_of).collect();
        let (rows, leads) = join_rows(cues, &of_entries);
        for places in &mut of_entries {
            places.retain(|place| leads[usize::from(*place)]);
        }
        quick.number_cues(&rows, &of_entries, words);
        quick.sort_entries(of_entries);
        for (number, (shape, _)) in quick.shapes.iter_mut().zip(Shape::ALL) {
            *number = quick.numbers[usize::from(cues.place(Cue::Shape(shape)))];
        }
        quick.number = Some(cues.of_word(&quick, b"0", EntryId::UNKNOWN));
        quick.address = Some(cues.of_word(&quick, b"/", EntryId::UNKNOWN));
        quick.mention = Some(cues.of_word(&quick, b"@", EntryId::UNKNOWN));
        let weights = quick.rows.iter().flat_map(|row| row.0).map(|weight| weight.unsigned_abs());
        let heaviest = weights.max().unwrap_or(0).max(1);
        quick.group = usize::from(i16::MAX.unsigned_abs() / heaviest).max(1);
        quick
    }

    /// Gives the cues their numbers: the common ones are those of the classes whose words are met most.
    fn number_cues(&mut self, rows: &[Row], of_entries: &[Vec<u16>], words: &Words) {
        let mut is_class = vec![false; rows.len()];
        of_entries.iter().flatten().for_each(|place| is_class[usize::from(*place)] = true);
        let mut often = vec![0.0_f32; rows.len()];
        everyday::known(words).for_each(|(entry, known)| {
            for place in &of_entries[entry.0 as usize] {
                often[usize::from(*place)] += known;
            }
        });
        let (mut classes, mut rest): (Vec<usize>, Vec<usize>) =
            (1..rows.len()).partition(|place| is_class[*place]);
        classes.sort_by(|a, b| often[*b].total_cmp(&often[*a]));
        rest.extend(classes.drain((N_COMMON - 1).min(classes.len())..));
        self.rows = vec![Weights::default(); N_COMMON + rest.len()];
        self.numbers = vec![0; rows.len()];
        for (number, place) in (1..).zip(classes).chain((N_COMMON..).zip(rest)) {
            self.rows[number] = Weights(rows[place]);
            self.numbers[place] = number as u16;
        }
    }

    /// Keeps the cues of all entries.
    fn sort_entries(&mut self, of_entries: Vec<Vec<u16>>) {
        let mut known: HashMap<Vec<u16>, u32> = HashMap::new();
        for places in of_entries {
            let next = known.len() as u32;
            match known.entry(places) {
                Entry::Occupied(profile) => self.profiles.push(*profile.get()),
                Entry::Vacant(free) => {
                    let from = self.others.len() as u32;
                    let mut carried = Carried { from, ..Carried::default() };
                    for place in free.key() {
                        let number = self.numbers[usize::from(*place)];
                        match carried.common.get_mut(usize::from(number / 64)) {
                            Some(bits) => *bits |= 1 << (number % 64),
                            None => self.others.push(number),
                        }
                    }
                    carried.n = self.others.len() as u32 - from;
                    self.carried.push(carried);
                    self.profiles.push(*free.insert(next));
                }
            }
        }
    }

    /// The set of an entry's classes, by number.
    #[inline]
    fn profile(&self, entry: EntryId) -> u32 {
        self.profiles.get(entry.0 as usize).copied().unwrap_or(NO_CUES)
    }

    /// The cues of such a set: the common ones as bits, and the others.
    #[inline]
    fn of_profile(&self, profile: u32) -> (&Common, &[u16]) {
        let Carried { common, from, n } = &self.carried[profile as usize];
        let others = if *n == 0 { &[][..] } else { &self.others[*from as usize..][..*n as usize] };
        (common, others)
    }
}

/// Takes the table's rows behind an empty one, and makes one of those that always count together: of
/// classes that stand in the same entries. Says of every place whether its row is to be counted.
fn join_rows(cues: &Cues, of_entries: &[Vec<u16>]) -> (Vec<Row>, Vec<bool>) {
    let of_table = (1..=cues.len()).map(|place| *cues.row(place as u32));
    let mut rows: Vec<Row> = std::iter::once([0; LANES]).chain(of_table).collect();
    let mut entries_of: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
    for (n, places) in of_entries.iter().enumerate() {
        for place in places {
            entries_of.entry(*place).or_default().push(n as u32);
        }
    }
    let mut leads = vec![true; rows.len()];
    let mut first: HashMap<Vec<u32>, u16> = HashMap::new();
    for (place, entries) in entries_of {
        match first.entry(entries) {
            Entry::Vacant(free) => {
                free.insert(place);
            }
            Entry::Occupied(with) => {
                let (a, b) = (usize::from(*with.get()), usize::from(place));
                let both = std::array::from_fn(|n| rows[a][n].checked_add(rows[b][n]));
                if both.iter().all(Option::is_some) {
                    rows[a] = both.map(Option::unwrap_or_default);
                    leads[b] = false;
                }
            }
        }
    }
    (rows, leads)
}

/// The common cues among these bits.
#[inline]
fn each_common(bits: &Common, mut tell: impl FnMut(u16)) {
    for (n, bits) in bits.iter().enumerate() {
        let mut bits = *bits;
        while bits != 0 {
            tell((n * 64) as u16 + bits.trailing_zeros() as u16);
            bits &= bits - 1;
        }
    }
}

/// Who is told of the cues of a stretch.
trait Told {
    /// The classes of the token's word, as a set.
    fn profile(&mut self, at: usize, profile: u32);
    /// A cue of the token; zero is none.
    fn cue(&mut self, at: usize, number: u16);
}

/// What was met in one stretch. Without branches, for nobody can foresee what was met before.
///
/// There is room for every number of sixteen bits, so that no place need be checked.
#[derive(Debug)]
pub struct Met {
    /// A bit for each cue but the common ones; that of zero, which is no cue, is always set.
    bits: Box<[u64; ALL / 64]>,
    /// The others that were met. Each is put here once; what was met already is put behind and
    /// forgotten.
    numbers: Box<[u16; ALL]>,
    n: u16,
}

/// How many numbers sixteen bits can tell apart.
const ALL: usize = 1 << 16;

impl Default for Met {
    fn default() -> Self {
        let bits = vec![0; ALL / 64].into_boxed_slice();
        let numbers = vec![0; ALL].into_boxed_slice();
        Self {
            bits: bits.try_into().expect("a bit for each number"),
            numbers: numbers.try_into().expect("a place for each number"),
            n: 0,
        }
    }
}

impl Met {
    /// Forgets all.
    fn clear(&mut self) {
        for number in &self.numbers[..usize::from(self.n)] {
            self.bits[usize::from(*number) / 64] = 0;
        }
        self.n = 0;
        self.bits[0] = 1;
    }

    /// All that were met. The common ones are put to the others.
    fn numbers(&mut self, mut common: Common) -> &[u16] {
        // Zero is none.
        common[0] &= !1;
        let Self { numbers, n, .. } = self;
        each_common(&common, |number| {
            numbers[usize::from(*n)] = number;
            *n = n.wrapping_add(1);
        });
        &numbers[..usize::from(*n)]
    }
}

/// Gathers what was met. How many there are is counted here and not in [`Met`], so that it is kept in a
/// register: each count waits for the one before.
struct Gather<'a> {
    quick: &'a Quick,
    bits: &'a mut [u64; ALL / 64],
    numbers: &'a mut [u16; ALL],
    n: u16,
    common: Common,
}

impl Told for Gather<'_> {
    #[inline(always)]
    fn profile(&mut self, _at: usize, profile: u32) {
        let (common, others) = self.quick.of_profile(profile);
        for (all, bits) in self.common.iter_mut().zip(common) {
            *all |= bits;
        }
        for number in others {
            self.cue(0, *number);
        }
    }

    #[inline(always)]
    fn cue(&mut self, _at: usize, number: u16) {
        let (bits, bit) = (&mut self.bits[usize::from(number) / 64], number % 64);
        let is_new = *bits >> bit & 1 ^ 1;
        *bits |= 1 << bit;
        self.numbers[usize::from(self.n)] = number;
        // Never more than there are numbers, and zero is never new.
        self.n = self.n.wrapping_add(is_new as u16);
    }
}

/// Adds up what speaks for one category, by token.
struct Speak<'a> {
    quick: &'a Quick,
    lane: usize,
    from: usize,
    weights: &'a mut [i32],
}

impl Told for Speak<'_> {
    fn profile(&mut self, at: usize, profile: u32) {
        let (common, others) = self.quick.of_profile(profile);
        each_common(common, |number| self.cue(at, number));
        others.iter().for_each(|number| self.cue(at, *number));
    }

    fn cue(&mut self, at: usize, number: u16) {
        let weight = self.quick.rows[usize::from(number)].0[self.lane];
        self.weights[at - self.from] += i32::from(weight);
    }
}

impl Cues {
    #[inline]
    fn place(&self, cue: Cue<'_>) -> u16 {
        // No table has more than `MOST_CUES`.
        self.find(cue) as u16
    }

    /// The cues that a word carries by itself and by its entry.
    fn of_word(&self, quick: &Quick, written: &[u8], entry: EntryId) -> WordCues {
        let mut letters = SmallVec::<[u8; MOST_BYTES]>::new();
        let mut swedish = [0; MOST_BYTES];
        let word = if is_plain(written) {
            written
        } else if let Some(n) = plain_swedish(written, &mut swedish) {
            &swedish[..n]
        } else {
            plain(written, &mut letters);
            &letters
        };
        let number = |cue: Cue<'_>| quick.numbers[usize::from(self.place(cue))];
        let mut own = [number(Cue::Word(word)), 0, 0, 0];
        if word.len() > SHORT {
            own[1] = number(Cue::Start(cut(word, SHORT)));
        }
        if word.len() > LONG {
            own[2] = number(Cue::Start(cut(word, LONG)));
        }
        if written.len() > MOST_BYTES {
            own[3] = number(Cue::End(end(&last_letters(written))));
        } else if word.len() >= FEWEST_FOR_END {
            own[3] = number(Cue::End(end(word)));
        }
        // Those that there are first.
        own.sort_unstable_by_key(|number| *number == 0);
        let front = cut(word, SHORT);
        let half = hash_of(front);
        let state = match self.in_pairs(half) {
            (false, false) => State::Single,
            (true, false) => State::Front,
            (false, true) => State::Back,
            (true, true) => State::Both,
        };
        let half = [(half >> 32) as u32, half as u32];
        let (profile, first) = (quick.profile(entry), number(Cue::First(front)));
        WordCues { half, own, profile, first, state }
    }

    /// The sums of one stretch, each cue counted once.
    pub fn sums_of(
        &self,
        quick: &Quick,
        view: &View<'_>,
        vocabulary: &mut Vocabulary,
        hits: &[Hit],
        stretch: Range<usize>,
        scales: &mut Scales,
    ) -> [i32; LANES] {
        let met = &mut scales.met;
        met.clear();
        let Met { bits, numbers, n } = met;
        let mut gather = Gather { quick, bits, numbers, n: *n, common: Common::default() };
        let names = self.walk(quick, view, vocabulary, stretch.clone(), &mut gather);
        let mut shapes = SmallVec::<[Shape; 8]>::new();
        shape(view, stretch.clone(), names, |shape| shapes.push(shape));
        for shape in shapes {
            gather.cue(0, quick.shapes[shape as usize]);
        }
        for hit in hits_in(hits, &stretch) {
            gather.cue(0, quick.numbers[usize::from(self.place(Cue::Rule(hit.rule)))]);
        }
        *n = gather.n;
        let common = gather.common;
        self.add_up(quick, met.numbers(common))
    }

    /// How much each token of the stretch speaks for the category by its own cues. Asked of few texts, so its
    /// code stands apart.
    #[cold]
    #[inline(never)]
    pub fn weights_of(
        &self,
        quick: &Quick,
        view: &View<'_>,
        vocabulary: &mut Vocabulary,
        stretch: Range<usize>,
        lane: usize,
    ) -> Vec<i32> {
        let mut weights = vec![0; stretch.len()];
        let mut speak = Speak { quick, lane, from: stretch.start, weights: &mut weights };
        self.walk(quick, view, vocabulary, stretch, &mut speak);
        weights
    }

    /// Tells of the cues of every token. Gives how many names there are, of two at most.
    #[inline(always)]
    fn walk(
        &self,
        quick: &Quick,
        view: &View<'_>,
        vocabulary: &mut Vocabulary,
        stretch: Range<usize>,
        told: &mut impl Told,
    ) -> usize {
        let text = view.folded.bytes();
        let mut before: Option<WordCues> = None;
        let before_it = stretch.start.checked_sub(1).map(|at| view.token(at));
        let mut sentence = before_it.map_or(u32::MAX, |token| token.sentence);
        let mut names = 0;
        let shape_of = |shape: Shape| quick.shapes[shape as usize];
        for (at, token) in stretch.clone().zip(&view.tokens.tokens[stretch]) {
            if token.disguised {
                told.cue(at, shape_of(Shape::Disguise));
            }
            if token.quoted {
                told.cue(at, shape_of(Shape::Quotes));
            }
            let first = token.sentence != sentence;
            sentence = token.sentence;
            let word = || &text[token.start as usize..token.end as usize];
            let is_word = matches!(token.kind, Kind::Word | Kind::Picture);
            if !is_word && token.entry != EntryId::UNKNOWN {
                told.profile(at, quick.profile(token.entry));
            }
            let own = match token.kind {
                Kind::Word | Kind::Picture => {
                    if token.kind == Kind::Word && !first && names < 2 {
                        let Span { start, .. } = view.folded.original(token.start, token.end);
                        let letter = view.original.as_bytes()[start as usize];
                        let may_be = letter >= 0x80 || letter.is_ascii_uppercase();
                        names += usize::from(may_be && view.is_capital(at));
                    }
                    let own = match vocabulary.get(token.word, token.end - token.start) {
                        Some(known) => {
                            if known.cues.state == State::Open {
                                known.cues = self.of_word(quick, word(), known.entry);
                            }
                            let mut own = known.cues;
                            if known.entry != token.entry {
                                own.profile = quick.profile(token.entry);
                            }
                            own
                        }
                        None => self.of_word(quick, word(), token.entry),
                    };
                    if own.profile != NO_CUES {
                        told.profile(at, own.profile);
                    }
                    let [one, two, rest @ ..] = own.own;
                    told.cue(at, one);
                    told.cue(at, two);
                    if rest[0] != 0 {
                        told.cue(at, rest[0]);
                        told.cue(at, rest[1]);
                    }
                    Some(own)
                }
                Kind::Number => {
                    told.cue(at, shape_of(Shape::of_number(token.end - token.start)));
                    quick.number
                }
                Kind::Address => {
                    told.cue(at, shape_of(Shape::Address));
                    let mut parts = SmallVec::<[u16; 8]>::new();
                    address(word(), |part| parts.push(self.place(Cue::InAddress(part))));
                    for place in parts {
                        told.cue(at, quick.numbers[usize::from(place)]);
                    }
                    quick.address
                }
                Kind::Mail => {
                    told.cue(at, shape_of(Shape::Mail));
                    quick.address
                }
                Kind::Mention => {
                    told.cue(at, shape_of(Shape::Mention));
                    quick.mention
                }
                Kind::Identifier => {
                    told.cue(at, shape_of(Shape::Identifier));
                    quick.number
                }
            };
            if let Some(own) = own {
                if first {
                    told.cue(at, own.first);
                } else if let Some(before) = before.filter(WordCues::is_front)
                    && own.is_back()
                {
                    let place = self.pair(before.half(), own.half());
                    told.cue(at, quick.numbers[place as usize]);
                }
            }
            before = own;
        }
        names
    }

    /// The start and the rows of these cues, added.
    fn add_up(&self, quick: &Quick, numbers: &[u16]) -> [i32; LANES] {
        let mut sums = self.start.map(i32::from);
        for group in numbers.chunks(quick.group) {
            let mut part = [0_i16; LANES];
            for number in group {
                for (sum, weight) in part.iter_mut().zip(&quick.rows[usize::from(*number)].0) {
                    // A group is never heavier than sixteen bits can say.
                    *sum = sum.wrapping_add(*weight);
                }
            }
            for (sum, part) in sums.iter_mut().zip(part) {
                *sum += i32::from(part);
            }
        }
        sums
    }
}
