//! Words of weight, misspelled: by sound (*feta*, *kärring* as *chärring*), or one edit away.
//!
//! Asked only for words that the lexicon does not know, and only for words of classes that may be
//! disguised. Swedish is dense: most edits of a short word give another real word. So short words
//! must sound alike or have two letters swapped, longer ones may lose, gain or change a letter,
//! never the first and never in the ending, where edits are inflection. What real words still
//! collide is listed as harmless in the lexicon (`uppsikt lexicon collisions` finds them).

use smallvec::SmallVec;

use crate::classify::stored::{Damaged, Reader, Stored, Writer};
use crate::classify::words::{EntryId, Words, hash_of};

/// Characters of a word.
type Letters = SmallVec<[char; 24]>;

/// The shortest and longest listed word that is looked for, in letters.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=LENGTHS_END;
const LENGTHS_END: usize = 20;
/// From here on a letter may be lost, gained or changed for one of its neighbours.
const EDITABLE: usize = 7;
/// From here on a letter may be changed for any other.
const LONG: usize = 9;
/// Forms that lie close to those of too many other words: participles, genitives and passives.
fn is_dense(form: &str, letters: usize) -> bool {
    form.ends_with("ande") || form.ends_with("ende") || (form.ends_with('s') && letters < LONG)
}

/// The letters at the end that edits leave alone.
const ENDING: usize = 2;

/// The words that may be found misspelled.
#[derive(Debug, Default)]
pub struct Near {
    targets: Vec<(Box<str>, EntryId)>,
    /// By the hash of the sound.
    sounds: ByHash,
    /// By the hash of the word with one letter taken out, for each letter.
    shortened: ByHash,
    /// One bit per hash in both.
    filter: Vec<u64>,
    /// One bit for each way in which a word within one slip of a target may begin or end.
    outlines: Vec<u64>,
}

/// No more than the lower half of a hash tells apart.
const FILTER_BITS: u64 = 1 << 22;

impl Near {
    /// Gathers the words.
    pub fn new<'f>(forms: impl Iterator<Item = &'f str>, words: &Words) -> Self {
        let mut near = Self::default();
        let (mut sounds, mut short) = (Vec::new(), Vec::new());
        for form in forms {
            let letters: Letters = form.chars().collect();
            if !LENGTHS.contains(&letters.len())
                || !letters.iter().all(|c| c.is_alphabetic())
                || is_dense(form, letters.len())
            {
                continue;
            }
            let entry = words.look_up(hash_of(form.as_bytes()), form.as_bytes(), false);
            if !words.disguisable(entry) {
                continue;
            }
            let target = near.targets.len() as u32;
            near.targets.push((form.into(), entry));
            sounds.push((hash(&sound(&letters)), target));
            short.extend(shortened(&letters).map(|h| (h, target)));
        }
        near.sounds = ByHash::new(&sounds);
        near.shortened = ByHash::new(&short);
        near.fill_filter();
        near.outline();
        near
    }

    fn fill_filter(&mut self) {
        self.filter = vec![0; (FILTER_BITS / 64) as usize];
        for (low, _) in self.sounds.pairs.iter().chain(&self.shortened.pairs) {
            let bit = u64::from(*low) % FILTER_BITS;
            self.filter[(bit / 64) as usize] |= 1 << (bit % 64);
        }
    }

    /// How many words may be found misspelled.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether none may.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// A slip leaves the first half of a word or the last as it is, and always the first letter. So
    /// a word is worth looking for if a target of about its length begins as it does, or begins
    /// with the same letter and ends as it does.
    fn outline(&mut self) {
        let n_bits = (self.targets.len() * 6 * 8).next_power_of_two().max(64);
        self.outlines = vec![0; n_bits / 64];
        for (form, _) in &self.targets {
            let letters: Letters = form.chars().collect();
            // None is added; damaged bytes may hold one.
            if !LENGTHS.contains(&letters.len()) {
                continue;
            }
            for n in letters.len() - 1..=letters.len() + 1 {
                for key in outlines(&letters, n) {
                    let at = key as usize % n_bits;
                    self.outlines[at / 64] |= 1 << (at % 64);
                }
            }
        }
    }

    /// Whether a target may be one slip away from the word.
    #[inline]
    fn may_slip(&self, letters: &[char]) -> bool {
        letters.len() >= *LENGTHS.start()
            && outlines(letters, letters.len()).into_iter().any(|key| {
                let at = key as usize & (self.outlines.len() * 64).wrapping_sub(1);
                self.outlines.get(at / 64).is_some_and(|bits| bits >> (at % 64) & 1 == 1)
            })
    }

    fn may(&self, h: u64) -> bool {
        let bit = h % FILTER_BITS;
        self.filter.get((bit / 64) as usize).is_some_and(|word| word & (1 << (bit % 64)) != 0)
    }

    /// The listed word that `word`, which is listed nowhere, stands for.
    pub fn find(&self, word: &[u8]) -> EntryId {
        self.index(word).map_or(EntryId::UNKNOWN, |target| self.targets[target as usize].1)
    }

    /// As [`Self::find`], as the word that is listed.
    pub fn target(&self, word: &[u8]) -> Option<&str> {
        self.index(word).map(|target| &*self.targets[target as usize].0)
    }

    fn index(&self, word: &[u8]) -> Option<u32> {
        // Bytes are at least letters, so this bound is cheap and safe.
        if word.len() < *LENGTHS.start() - 1 || word.len() > 2 * LENGTHS.end() {
            return None;
        }
        let Ok(text) = std::str::from_utf8(word) else { return None };
        let mut letters = ['\0'; LENGTHS_END + 1];
        let mut n = 0;
        for c in text.chars() {
            if n == letters.len() || !(c.is_ascii_lowercase() || c.is_alphabetic()) {
                return None;
            }
            letters[n] = c;
            n += 1;
        }
        let letters = &letters[..n];
        if n < *LENGTHS.start() - 1 {
            return None;
        }
        let h = hash_of_sound(letters);
        if self.may(h) {
            let own = sound(letters);
            for target in self.sounds.among(h) {
                let (form, _) = &self.targets[target as usize];
                if sound(&form.chars().collect::<Letters>()) == own {
                    return Some(target);
                }
            }
        }
        if !self.may_slip(letters) {
            return None;
        }
        let slip = |h: u64| {
            if !self.may(h) {
                return None;
            }
            let is_slip = |target: &u32| {
                let (form, _) = &self.targets[*target as usize];
                is_slip(letters, &form.chars().collect::<Letters>())
            };
            self.shortened.among(h).find(is_slip)
        };
        slip(hash(letters)).or_else(|| shortened(letters).find_map(slip))
    }
}

/// Targets by a hash, in buckets by its upper half; in each the targets rise, if they came so.
#[derive(Debug, Default)]
struct ByHash {
    /// Where each bucket ends in `pairs`; it begins where the one before ends.
    ends: Vec<u32>,
    /// The lower half of the hash, and the target.
    pairs: Vec<(u32, u32)>,
}

impl ByHash {
    fn new(all: &[(u64, u32)]) -> Self {
        let n_buckets = (all.len() / 8).next_power_of_two().clamp(64, 1 << 24);
        let bucket = |h: u64| (h >> 32) as usize & (n_buckets - 1);
        let mut ends = vec![0_u32; n_buckets];
        for (h, _) in all {
            ends[bucket(*h)] += 1;
        }
        let mut before = 0;
        for end in &mut ends {
            before += std::mem::replace(end, before);
        }
        // Each end is where its bucket begins, and moves on with every pair that is put in.
        let mut pairs = vec![(0, 0); all.len()];
        for (h, target) in all {
            let end = &mut ends[bucket(*h)];
            pairs[*end as usize] = (*h as u32, *target);
            *end += 1;
        }
        Self { ends, pairs }
    }

    fn among(&self, h: u64) -> impl Iterator<Item = u32> + '_ {
        let bucket = (h >> 32) as usize & self.ends.len().wrapping_sub(1);
        let from = bucket.checked_sub(1).and_then(|n| self.ends.get(n)).map_or(0, |n| *n as usize);
        let to = self.ends.get(bucket).map_or(0, |n| *n as usize);
        let pairs = self.pairs.get(from..to).unwrap_or_default();
        pairs.iter().filter(move |(low, _)| *low == h as u32).map(|(_, target)| *target)
    }
}

impl Stored for Near {
    fn put(&self, to: &mut Writer) {
        let Self { targets, sounds, shortened, filter: _, outlines: _ } = self;
        targets.put(to);
        sounds.put(to);
        shortened.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut near = Self {
            targets: Stored::take(from)?,
            sounds: Stored::take(from)?,
            shortened: Stored::take(from)?,
            filter: Vec::new(),
            outlines: Vec::new(),
        };
        let n_targets = near.targets.len();
        let mut pairs = near.sounds.pairs.iter().chain(&near.shortened.pairs);
        if pairs.any(|(_, target)| *target as usize >= n_targets) {
            return Err(Damaged);
        }
        near.fill_filter();
        near.outline();
        Ok(near)
    }
}

impl Stored for ByHash {
    fn put(&self, to: &mut Writer) {
        let Self { ends, pairs } = self;
        // Two in one number; there are no buckets, or an even number of them.
        let (two, _) = ends.as_chunks::<2>();
        to.numbers(two.iter().map(|[a, b]| u64::from(*a) << 32 | u64::from(*b)));
        to.numbers(pairs.iter().map(|(low, target)| u64::from(*low) << 32 | u64::from(*target)));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let halves = |number: u64| ((number >> 32) as u32, number as u32);
        let ends: Vec<u32> = from.numbers()?.map(halves).flat_map(|(a, b)| [a, b]).collect();
        let pairs = from.numbers()?.map(halves).collect();
        if ends.is_empty() || ends.len().is_power_of_two() {
            Ok(Self { ends, pairs })
        } else {
            Err(Damaged)
        }
    }
}

/// Odd, so that multiplying by it can be undone.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
/// What undoes it.
const UNBASE: u64 = {
    // Newton's way: every round doubles the bits that are right.
    let mut inverse = BASE;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(BASE.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
};

fn mixed(h: u64) -> u64 {
    (h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 8
}

/// A polynomial over the letters, so that a word without one letter costs one step.
fn hash(letters: &[char]) -> u64 {
    mixed(letters.iter().fold(1, |h, c| push(h, *c)))
}

/// [`hash`] of [`sound`].
fn hash_of_sound(letters: &[char]) -> u64 {
    let mut h: u64 = 1;
    each_sound(letters, |c| h = push(h, c));
    mixed(h)
}

/// The first half of a word as one of `n` letters, and its first letter with its last half, hashed.
/// A slip leaves one of the halves alone: it lies in two letters side by side.
fn outlines(letters: &[char], n: usize) -> [u64; 2] {
    let kept = (n - 1) / 2;
    let back = letters[letters.len() - kept..].iter().fold(n as u64, |h, c| push(h, *c));
    let front = letters[..kept].iter().fold(!(n as u64), |h, c| push(h, *c));
    [mixed(front), mixed(push(back, letters[0]))]
}

/// The hashes of the word with one letter taken out, never the first.
fn shortened(letters: &[char]) -> impl Iterator<Item = u64> {
    let whole = letters.iter().fold(1, |h, c| push(h, *c));
    // The front up to each letter, and the power that lifts it over the letters behind.
    let mut front = letters.first().map_or(1, |c| push(1, *c));
    let mut power = letters.iter().skip(2).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    letters.iter().skip(1).map(move |c| {
        let with = push(front, *c);
        let without = whole.wrapping_sub(with.wrapping_sub(front).wrapping_mul(power));
        front = with;
        power = power.wrapping_mul(UNBASE);
        mixed(without)
    })
}

#[inline]
fn push(h: u64, c: char) -> u64 {
    h.wrapping_mul(BASE).wrapping_add(u64::from(c))
}

/// Whether `word` is `form` with one slip of hand or ear.
fn is_slip(word: &[char], form: &[char]) -> bool {
    let same_front = word.iter().zip(form).take_while(|(a, b)| a == b).count();
    let same_back = word.iter().rev().zip(form.iter().rev()).take_while(|(a, b)| a == b).count();
    let (n, m) = (word.len(), form.len());
    if same_front == 0 {
        return false;
    }
    if n == m {
        let differs = n - (same_front + same_back).min(n);
        return match differs {
            // Swapped: idoit.
            2 => {
                word[same_front] == form[same_front + 1]
                    && word[same_front + 1] == form[same_front]
                    && m > ENDING + 2
            }
            1 => {
                let (a, b) = (word[same_front], form[same_front]);
                same_back >= ENDING
                    && same_front >= 2
                    && is_vowel(a) == is_vowel(b)
                    && (m >= LONG || (m >= EDITABLE && (confused(a, b) || neighbours(a, b))))
            }
            _ => false,
        };
    }
    if same_front + same_back < n.min(m) || n.abs_diff(m) != 1 || m < EDITABLE {
        return false;
    }
    // One letter more or less, inside the word.
    same_back >= ENDING && same_front >= if n > m { 1 } else { 2 }
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'å' | 'ä' | 'ö' | 'é' | 'ü')
}

/// Letters that stand for sounds which writers confuse.
fn confused(a: char, b: char) -> bool {
    const PAIRS: [(char, char); 14] = [
        ('å', 'o'),
        ('ä', 'e'),
        ('å', 'a'),
        ('ä', 'a'),
        ('ö', 'o'),
        ('i', 'y'),
        ('u', 'y'),
        ('d', 't'),
        ('g', 'k'),
        ('b', 'p'),
        ('v', 'f'),
        ('s', 'z'),
        ('o', 'u'),
        ('g', 'j'),
    ];
    PAIRS.iter().any(|(x, y)| (a, b) == (*x, *y) || (a, b) == (*y, *x))
}

/// Letters side by side on the keyboard.
fn neighbours(a: char, b: char) -> bool {
    const ROWS: [&str; 3] = ["qwertyuiopå", "asdfghjklöä", "zxcvbnm"];
    ROWS.iter().any(|row| {
        let at = |c: char| row.chars().position(|r| r == c);
        matches!((at(a), at(b)), (Some(x), Some(y)) if x.abs_diff(y) == 1)
    })
}

/// The sound of a word as a Swedish reader hears it, in a rough spelling of our own: doubled
/// letters count once, `$` is the sje sound, `%` the tje sound.
fn sound(letters: &[char]) -> Letters {
    let mut out = Letters::new();
    each_sound(letters, |c| out.push(c));
    out
}

/// Gives the characters of [`sound`], one after the other.
fn each_sound(letters: &[char], mut then: impl FnMut(char)) {
    let mut last = None;
    let mut i = 0;
    let front = |c: Option<&char>| c.is_some_and(|c| matches!(c, 'e' | 'i' | 'y' | 'ä' | 'ö'));
    let begins = |i: usize, with: &str| {
        with.chars().enumerate().all(|(k, c)| letters.get(i + k) == Some(&c))
    };
    while i < letters.len() {
        let next = letters.get(i + 1);
        let (put, length): (&[char], usize) = match letters[i] {
            's' if begins(i, "skj") || begins(i, "sch") || begins(i, "stj") => (&['$'], 3),
            's' if begins(i, "sj") => (&['$'], 2),
            // Written so for the tje sound as well as for the sje sound; read as the former.
            's' if begins(i, "sh") => (&['%'], 2),
            's' if next == Some(&'k') && front(letters.get(i + 2)) => (&['$'], 2),
            't' | 'k' if next == Some(&'j') => (&['%'], 2),
            'k' if i == 0 && front(next) => (&['%'], 1),
            'c' if next == Some(&'h') => (&['%'], 2),
            'c' if next == Some(&'k') => (&['k'], 2),
            'c' if front(next) => (&['s'], 1),
            'c' | 'q' => (&['k'], 1),
            'p' if next == Some(&'h') => (&['f'], 2),
            't' if next == Some(&'h') => (&['t'], 2),
            'h' if next == Some(&'v') => (&['v'], 2),
            'h' | 'g' | 'd' | 'l' if i == 0 && next == Some(&'j') => (&['j'], 2),
            'g' if i == 0 && front(next) => (&['j'], 1),
            'v' if next == Some(&'v') => (&['v'], 2),
            'w' => (&['v'], 1),
            'z' => (&['s'], 1),
            'x' => (&['k', 's'], 1),
            'a' if next == Some(&'a') => (&['o'], 2),
            'å' => (&['o'], 1),
            'a' if next == Some(&'e') => (&['e'], 2),
            'ä' | 'é' => (&['e'], 1),
            'o' if next == Some(&'e') => (&['ö'], 2),
            'ü' => (&['y'], 1),
            _ => (&letters[i..=i], 1),
        };
        for c in put {
            if last != Some(*c) {
                then(*c);
                last = Some(*c);
            }
        }
        i += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::words::ClassId;
    use crate::classify::words::builder::{Readings, WordsBuilder};

    fn near(forms: &[&str]) -> (Words, Near) {
        let mut builder = WordsBuilder::default();
        for form in forms {
            builder.add(form, ClassId(0), Readings::Disguised);
        }
        let words = builder.build(&[true], &[true]);
        let near = Near::new(forms.iter().copied(), &words);
        (words, near)
    }

    #[test]
    fn slips_of_hand_and_ear_are_found_and_other_words_are_not() {
        let (_, near) = near(&["idioten", "idiot", "kärring", "mördare", "svartskalle", "fascist"]);
        for (word, want) in [
            ("idoit", true),
            ("iddiot", true),
            ("idioot", true),
            ("idjot", false),
            ("chärring", true),
            ("kerring", true),
            ("tjärring", true),
            ("käring", true),
            ("mörrdare", true),
            ("mördrae", true),
            ("mödare", true),
            ("mördar", false),
            ("mördaren", false),
            ("svartskale", true),
            ("svarskalle", true),
            ("svartskålle", true),
            ("svartsnalle", true),
            ("mornare", false),
            ("fasist", true),
            ("fassist", true),
            ("pianist", false),
            ("idé", false),
            ("a", false),
            ("", false),
            ("idioti1", false),
        ] {
            assert_eq!(near.find(word.as_bytes()) != EntryId::UNKNOWN, want, "{word}");
        }
    }
}
