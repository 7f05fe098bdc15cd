//! Parts of compounds: what an unknown word is by its first or its last part.

use std::collections::HashMap;

use crate::classify::words::{ClassId, EntryId, Words, hash_of};

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

/// First or last parts of compounds, by their bytes. A gate over the four outermost bytes keeps
/// almost all words out.
#[derive(Debug, Default)]
pub(super) struct Parts {
    gate: Gate,
    /// For the parts' four outermost bytes, hashed: which lengths there are; bit 31 stands for all
    /// from there on.
    lengths: Vec<u32>,
    /// One bit per part, by its hash.
    filter: Vec<u64>,
    pub(super) by_text: HashMap<Vec<u8>, Vec<Part>>,
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
pub(super) fn first_four(word: &[u8]) -> u32 {
    word.iter().take(4).rev().fold(0, |all, b| all << 8 | u32::from(*b))
}

/// The last four bytes of a word, the last lowest.
#[inline]
pub(super) fn last_four(word: &[u8]) -> u32 {
    word.iter().rev().take(4).rev().fold(0, |all, b| all << 8 | u32::from(*b))
}

impl Parts {
    /// `outermost` gives the four outermost bytes, the outermost lowest.
    pub(super) fn new(
        by_text: HashMap<Vec<u8>, Vec<Part>>,
        outermost: impl Fn(&[u8]) -> u32,
    ) -> Self {
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
pub(super) const LONGEST_COMPOUND: usize = 64;

impl Words {
    /// Whether the word is the first part of compounds.
    pub fn is_first_part(&self, word: &[u8]) -> bool {
        self.firsts.gate.may(first_four(word)) && self.firsts.get(word).is_some()
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
        let rest = self.look_up(hash_of(rest), rest, stripped);
        let fits = |p: &&Part| match p.rest {
            Some(class) => self.classes_of(rest).contains(&class),
            None => self.disguisable(rest),
        };
        parts.iter().find(fits).map_or(EntryId::UNKNOWN, |p| p.entry)
    }

    fn rest_fits(&self, rest: &[u8], part: &Part, stripped: bool) -> bool {
        part.rest.is_none_or(|class| {
            let entry = self.look_up(hash_of(rest), rest, stripped);
            self.classes_of(entry).contains(&class)
        })
    }
}

/// Letters only, at least two, with a vowel among them.
fn is_wordlike(part: &[u8]) -> bool {
    part.len() >= SHORTEST_REST
        && part.iter().all(|b| b.is_ascii_lowercase() || *b >= 0x80)
        && part.iter().any(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y') || *b >= 0x80)
}
