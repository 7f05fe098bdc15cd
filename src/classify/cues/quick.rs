//! Weighing fast: the same sums as over [`each_cue`](crate::classify::cues::extract::each_cue), with
//! all that a word or an entry decides alone looked up once and kept.
//!
//! The places of a word's own cues stand in the vocabulary, those of an entry's classes in one list. What was
//! met is a bit a cue; the rows are added last, all in a row, in sixteen bits as long as these suffice.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use smallvec::SmallVec;

use crate::classify::cues::extract::{
    Cue, FEWEST_FOR_END, LONG, MOST_BYTES, SHORT, Shape, address, cut, end, is_plain, last_letters,
    plain, shape,
};
use crate::classify::cues::table::{Cues, LANES, Row};
use crate::classify::cues::{Scales, hits_in};
use crate::classify::rules::{Hit, View};
use crate::classify::tokens::Kind;
use crate::classify::vocabulary::Vocabulary;
use crate::classify::words::{ClassId, EntryId, Words, hash_of};
use crate::domain::verdict::Span;

/// The places of the cues that a word carries by itself; zero where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordCues {
    /// The hash of its beginning, for pairs.
    half: u64,
    /// The word, its two beginnings and its end.
    own: [u16; 4],
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
    pub const OPEN: Self = Self { half: 0, own: [0; 4], first: 0, state: State::Open };

    fn is_front(&self) -> bool {
        matches!(self.state, State::Front | State::Both)
    }

    fn is_back(&self) -> bool {
        matches!(self.state, State::Back | State::Both)
    }
}

/// What weighing needs beside the table, made of it and the words.
#[derive(Debug, Default)]
pub struct Quick {
    /// For each entry, where the places of its classes begin in `places`; they end where those of
    /// the next one begin.
    entries: Vec<u32>,
    places: Vec<u16>,
    shapes: [u16; Shape::ALL.len()],
    /// What stands for numbers, addresses and mentions in pairs.
    number: Option<WordCues>,
    address: Option<WordCues>,
    mention: Option<WordCues>,
    /// The table's rows, those of classes that always stand together made one.
    rows: Vec<Row>,
    /// How many of them may be added in sixteen bits.
    group: usize,
}

/// How many cues a table may have: their places are kept in sixteen bits.
pub const MOST_CUES: usize = u16::MAX as usize;

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
        let of_entries: Vec<Vec<u16>> = entries.map(places_of).collect();
        let leads = quick.join_rows(cues, &of_entries);
        for places in of_entries {
            quick.entries.push(quick.places.len() as u32);
            quick.places.extend(places.into_iter().filter(|place| leads[usize::from(*place)]));
        }
        quick.entries.push(quick.places.len() as u32);
        for (place, (shape, _)) in quick.shapes.iter_mut().zip(Shape::ALL) {
            *place = cues.place(Cue::Shape(shape));
        }
        quick.number = Some(cues.of_word(b"0"));
        quick.address = Some(cues.of_word(b"/"));
        quick.mention = Some(cues.of_word(b"@"));
        let weights = quick.rows.iter().flatten().map(|weight| weight.unsigned_abs());
        let heaviest = weights.max().unwrap_or(0).max(1);
        quick.group = usize::from(i16::MAX.unsigned_abs() / heaviest).max(1);
        quick
    }

    /// Takes the table's rows, and makes one of those that always count together: of classes that
    /// stand in the same entries. Says of every place whether its row is to be counted.
    fn join_rows(&mut self, cues: &Cues, of_entries: &[Vec<u16>]) -> Vec<bool> {
        self.rows = (1..=cues.len()).map(|place| *cues.row(place as u32)).collect();
        let mut entries_of: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
        for (n, places) in of_entries.iter().enumerate() {
            for place in places {
                entries_of.entry(*place).or_default().push(n as u32);
            }
        }
        let mut leads = vec![true; cues.len() + 1];
        let mut first: HashMap<Vec<u32>, u16> = HashMap::new();
        for (place, entries) in entries_of {
            match first.entry(entries) {
                Entry::Vacant(free) => {
                    free.insert(place);
                }
                Entry::Occupied(with) => {
                    let (a, b) = (usize::from(*with.get()) - 1, usize::from(place) - 1);
                    let both =
                        std::array::from_fn(|n| self.rows[a][n].checked_add(self.rows[b][n]));
                    if both.iter().all(Option::is_some) {
                        self.rows[a] = both.map(Option::unwrap_or_default);
                        leads[usize::from(place)] = false;
                    }
                }
            }
        }
        leads
    }
}

/// What was met in one stretch. Without branches, for nobody can foresee what was met before.
#[derive(Debug, Default)]
pub struct Met {
    /// A bit for each cue; that of zero, which is no cue, is always set.
    bits: Vec<u64>,
    /// Those that were met, and room behind them.
    places: Vec<u16>,
    n: usize,
}

impl Met {
    /// Forgets all, and makes room for so many cues.
    fn clear(&mut self, n_cues: usize) {
        for place in &self.places[..self.n] {
            self.bits[usize::from(*place) / 64] = 0;
        }
        self.n = 0;
        // Each is put here once; what was met already is put behind and forgotten.
        if self.places.len() < n_cues + 1 {
            self.places.resize(n_cues + 1, 0);
            self.bits.resize((n_cues + 1).div_ceil(64), 0);
        }
        self.bits[0] = 1;
    }

    #[inline]
    fn add(&mut self, place: u16) {
        let (bits, bit) = (&mut self.bits[usize::from(place) / 64], place % 64);
        let is_new = *bits >> bit & 1 ^ 1;
        *bits |= 1 << bit;
        self.places[self.n] = place;
        self.n += is_new as usize;
    }

    fn places(&self) -> &[u16] {
        &self.places[..self.n]
    }
}

impl Cues {
    #[inline]
    fn place(&self, cue: Cue<'_>) -> u16 {
        // No table has more than `MOST_CUES`.
        self.find(cue) as u16
    }

    /// The cues that a word carries by itself.
    fn of_word(&self, written: &[u8]) -> WordCues {
        let mut letters = SmallVec::<[u8; MOST_BYTES]>::new();
        let word = if is_plain(written) {
            written
        } else {
            plain(written, &mut letters);
            &letters
        };
        let mut own = [self.place(Cue::Word(word)), 0, 0, 0];
        if word.len() > SHORT {
            own[1] = self.place(Cue::Start(cut(word, SHORT)));
        }
        if word.len() > LONG {
            own[2] = self.place(Cue::Start(cut(word, LONG)));
        }
        if written.len() > MOST_BYTES {
            own[3] = self.place(Cue::End(end(&last_letters(written))));
        } else if word.len() >= FEWEST_FOR_END {
            own[3] = self.place(Cue::End(end(word)));
        }
        let front = cut(word, SHORT);
        let half = hash_of(front);
        let state = match self.in_pairs(half) {
            (false, false) => State::Single,
            (true, false) => State::Front,
            (false, true) => State::Back,
            (true, true) => State::Both,
        };
        WordCues { half, own, first: self.place(Cue::First(front)), state }
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
        met.clear(self.len());
        let text = view.folded.bytes();
        let mut before: Option<WordCues> = None;
        let before_it = stretch.start.checked_sub(1).map(|at| view.token(at));
        let mut sentence = before_it.map_or(u32::MAX, |token| token.sentence);
        let (mut names, mut entry) = (0, EntryId::UNKNOWN);
        let shape_of = |shape: Shape| quick.shapes[shape as usize];
        for at in stretch.clone() {
            let token = view.token(at);
            if token.entry != EntryId::UNKNOWN && token.entry != entry {
                entry = token.entry;
                let from = quick.entries[entry.0 as usize] as usize;
                let to = quick.entries[entry.0 as usize + 1] as usize;
                quick.places[from..to].iter().for_each(|place| met.add(*place));
            }
            if token.disguised {
                met.add(shape_of(Shape::Disguise));
            }
            if token.quoted {
                met.add(shape_of(Shape::Quotes));
            }
            let first = token.sentence != sentence;
            sentence = token.sentence;
            let word = || &text[token.start as usize..token.end as usize];
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
                                known.cues = self.of_word(word());
                            }
                            known.cues
                        }
                        None => self.of_word(word()),
                    };
                    own.own.into_iter().for_each(|place| met.add(place));
                    Some(own)
                }
                Kind::Number => {
                    met.add(shape_of(Shape::of_number(token.end - token.start)));
                    quick.number
                }
                Kind::Address => {
                    met.add(shape_of(Shape::Address));
                    address(word(), |part| met.add(self.place(Cue::InAddress(part))));
                    quick.address
                }
                Kind::Mail => {
                    met.add(shape_of(Shape::Mail));
                    quick.address
                }
                Kind::Mention => {
                    met.add(shape_of(Shape::Mention));
                    quick.mention
                }
                Kind::Identifier => {
                    met.add(shape_of(Shape::Identifier));
                    quick.number
                }
            };
            if let Some(own) = own {
                if first {
                    met.add(own.first);
                } else if let Some(before) = before.filter(WordCues::is_front)
                    && own.is_back()
                {
                    met.add(self.pair(before.half, own.half) as u16);
                }
            }
            before = own;
        }
        shape(view, stretch.clone(), names, |shape| met.add(shape_of(shape)));
        for hit in hits_in(hits, &stretch) {
            met.add(self.place(Cue::Rule(hit.rule)));
        }
        self.add_up(quick, met.places())
    }

    /// The start and the rows at these places, added.
    fn add_up(&self, quick: &Quick, places: &[u16]) -> [i32; LANES] {
        let mut sums = self.start.map(i32::from);
        for group in places.chunks(quick.group) {
            let mut part = [0_i16; LANES];
            for place in group {
                for (sum, weight) in part.iter_mut().zip(&quick.rows[usize::from(*place) - 1]) {
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
