//! Words that were run together: `#DödaAllaX`, `#dödadig`, *jagskadödadig*.
//!
//! A hashtag says by itself that words were joined. In running text a long word that nobody knows is
//! a name or a compound, most often; only where words of weight and small ones fill it from end to
//! end, two small ones at least, is it read as these.

use smallvec::SmallVec;

use crate::classify::disguise::{self, Piece};
use crate::classify::fold::Folded;
use crate::classify::repair::bytes;
use crate::classify::tokens::{Kind, Token, Tokens};
use crate::classify::vocabulary::WordId;
use crate::classify::words::{ClassId, EntryId, Words, hash_of};

/// The longest row of letters that is cut, in bytes.
const LONGEST: usize = 120;
/// The shortest word that may be several, outside a hashtag.
const SHORTEST: usize = 6;
/// How long the word of weight in it must be, outside a hashtag.
const SHORTEST_WEIGHT: usize = 4;
/// How long a small one, in bytes: *er* and *en* are endings as well.
const SHORTEST_SMALL: usize = 3;
/// How many of these: one is the beginning of many a word (*har* of *harporna*).
const FEWEST_SMALL: usize = 2;

/// Small words, which tell words that were run together from a word that nobody has met.
#[derive(Debug)]
pub struct Small {
    class: ClassId,
    /// A bit for the first letters of each that is long enough, so that hardly any word is cut in vain.
    begins: Vec<u64>,
    /// The longest of them, in bytes.
    longest: usize,
}

stored!(Small { class, begins, longest });

/// How many bits there are for first letters, as a power of two.
const BEGIN_BITS: u32 = 14;

/// The place of the first [`SHORTEST_SMALL`] letters.
fn begin_at(letters: &[u8]) -> usize {
    let three = u32::from(letters[0]) | u32::from(letters[1]) << 8 | u32::from(letters[2]) << 16;
    (three.wrapping_mul(0x9E37_79B1) >> (32 - BEGIN_BITS)) as usize
}

impl Small {
    /// The words of that class.
    pub fn new(class: ClassId, words: &Words) -> Self {
        let mut small = Self { class, begins: vec![0; (1 << BEGIN_BITS) / 64], longest: 0 };
        words.each_form(class, |form| {
            small.longest = small.longest.max(form.len());
            if form.len() >= SHORTEST_SMALL {
                let at = begin_at(form);
                small.begins[at / 64] |= 1 << (at % 64);
            }
        });
        small
    }

    /// Whether a small word may begin at these letters, of which there are enough.
    fn may_begin(&self, letters: &[u8]) -> bool {
        let at = begin_at(letters);
        self.begins.get(at / 64).is_some_and(|bits| bits >> (at % 64) & 1 == 1)
    }

    /// Where the first to end of the small words ends that begin at `from` or behind it and are long
    /// enough.
    fn next(&self, word: &[u8], from: usize, words: &Words, stripped: bool) -> Option<usize> {
        let mut first = None;
        for at in from..=word.len().checked_sub(SHORTEST_SMALL)? {
            if first.is_some_and(|end| end <= at + SHORTEST_SMALL) {
                break;
            }
            if self.may_begin(&word[at..]) {
                let most = word.len().min(at + self.longest);
                let end = (at + SHORTEST_SMALL..=most).find(|end| {
                    let piece = &word[at..*end];
                    words.is(words.look_up(hash_of(piece), piece, stripped), self.class)
                });
                first = first.into_iter().chain(end).min();
            }
        }
        first
    }

    /// Whether so many stand in the word, none over another: what [`is_glued`] demands, for less.
    fn are_enough(&self, word: &[u8], words: &Words, stripped: bool) -> bool {
        let mut from = 0;
        (0..FEWEST_SMALL).all(|_| match self.next(word, from, words, stripped) {
            Some(after) => {
                from = after;
                true
            }
            None => false,
        })
    }
}

/// The listed words that fill the letters from end to end, two or more.
fn filling(letters: &[u8], words: &Words, stripped: bool) -> Option<SmallVec<[Piece; 8]>> {
    if letters.len() > LONGEST {
        return None;
    }
    let (pieces, covered) = disguise::split(letters, words, stripped);
    (covered && pieces.len() > 1).then_some(pieces)
}

/// Whether an unknown word of running text is several: of weight or small, each of them.
pub fn is_glued(word: &[u8], small: Option<&Small>, words: &Words, stripped: bool) -> bool {
    let Some(small) = small.filter(|small| {
        (SHORTEST..=LONGEST).contains(&word.len()) && small.are_enough(word, words, stripped)
    }) else {
        return false;
    };
    let small = small.class;
    let counts = |entry: EntryId| words.is(entry, small) || words.disguisable(entry);
    if !disguise::fills(word, words, stripped, counts) {
        return false;
    }
    filling(word, words, stripped).is_some_and(|pieces| {
        let heavy = |p: &&Piece| p.to - p.from >= SHORTEST_WEIGHT && words.disguisable(p.entry);
        let light = |p: &&Piece| p.to - p.from >= SHORTEST_SMALL && words.is(p.entry, small);
        pieces.iter().all(|p| heavy(&p) || words.is(p.entry, small))
            && pieces.iter().any(|p| heavy(&p))
            && pieces.iter().filter(light).count() >= FEWEST_SMALL
    })
}

/// Cuts the tokens at these places, which [`is_glued`] has found to be several words.
pub fn cut(text: &[u8], at: &[u32], tokens: &mut Tokens, words: &Words, stripped: bool) {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.tokens.len() + 4 * at.len());
    let mut at = at.iter().peekable();
    for (i, token) in tokens.tokens.iter().enumerate() {
        let is_glued = at.next_if(|n| **n as usize == i).is_some();
        match is_glued.then(|| filling(bytes(text, token), words, stripped)).flatten() {
            Some(pieces) => out.extend(parts(token, &pieces)),
            None => out.push(*token),
        }
    }
    tokens.tokens = out;
    tokens.close_up();
}

/// The pieces of a token as tokens.
fn parts<'t>(of: &'t Token, pieces: &'t [Piece]) -> impl Iterator<Item = Token> + 't {
    pieces.iter().map(|piece| Token {
        start: of.start + piece.from as u32,
        end: of.start + piece.to as u32,
        entry: piece.entry,
        leads: true,
        word: WordId::NONE,
        ..*of
    })
}

/// Cuts hashtags where capitals begin, as the writer did, and those without where listed words do.
pub fn cut_hashtags(
    original: &str,
    folded: &Folded,
    tokens: &mut Tokens,
    words: &Words,
    stripped: bool,
) {
    let text = folded.bytes();
    let mut out: Vec<Token> = Vec::with_capacity(tokens.tokens.len() + 8);
    for token in &tokens.tokens {
        let is_tag = token.start > 0 && text[token.start as usize - 1] == b'#';
        let as_spelled = || {
            let word = bytes(text, token);
            words.look_up(hash_of(word), word, stripped)
        };
        if !is_tag || token.kind != Kind::Word || as_spelled() != EntryId::UNKNOWN {
            out.push(*token);
            continue;
        }
        let begins_piece = |at: u32| {
            let span = folded.original(at, at + 1);
            original[span.start as usize..].chars().next().is_some_and(char::is_uppercase)
        };
        let word = bytes(text, token);
        let mut from = token.start;
        let mut was_capital = true;
        // Folding may have changed lengths; a place inside a character begins nothing.
        let letters = word.iter().enumerate().skip(1).filter(|(_, byte)| **byte & 0xC0 != 0x80);
        for (i, _) in letters {
            let at = token.start + i as u32;
            let capital = begins_piece(at);
            if capital && !was_capital {
                out.push(piece_of(token, from, at, text, words, stripped));
                from = at;
            }
            was_capital = capital;
        }
        if from > token.start {
            out.push(piece_of(token, from, token.end, text, words, stripped));
            continue;
        }
        let says = |p: &Piece| {
            p.to - p.from >= 3 && (words.disguisable(p.entry) || words.begins_rule(p.entry))
        };
        match filling(word, words, stripped).filter(|pieces| pieces.iter().any(says)) {
            Some(pieces) => out.extend(parts(token, &pieces)),
            None => out.push(*token),
        }
    }
    tokens.tokens = out;
    tokens.close_up();
}

fn piece_of(of: &Token, start: u32, end: u32, text: &[u8], words: &Words, stripped: bool) -> Token {
    let word = &text[start as usize..end as usize];
    let mut entry = words.look_up(hash_of(word), word, stripped);
    if entry == EntryId::UNKNOWN {
        entry = words.compound(word, stripped);
    }
    Token { start, end, entry, leads: true, word: WordId::NONE, ..*of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::BUILT_IN;

    /// What [`is_glued`] says without looking before.
    fn plainly(word: &[u8], small: ClassId, words: &Words, stripped: bool) -> bool {
        filling(word, words, stripped).is_some_and(|pieces| {
            let heavy = |p: &Piece| p.to - p.from >= SHORTEST_WEIGHT && words.disguisable(p.entry);
            let light = |p: &&Piece| p.to - p.from >= SHORTEST_SMALL && words.is(p.entry, small);
            pieces.iter().all(|p| heavy(p) || words.is(p.entry, small))
                && pieces.iter().any(heavy)
                && pieces.iter().filter(light).count() >= FEWEST_SMALL
        })
    }

    #[test]
    fn looking_before_cutting_changes_no_answer() {
        const PARTS: [&str; 14] = [
            "jag",
            "ska",
            "döda",
            "doda",
            "dig",
            "er",
            "alla",
            "i",
            "idiot",
            "som",
            "förskola",
            "harporna",
            "din",
            "x",
        ];
        let words = &BUILT_IN.lexicon().words;
        let small = BUILT_IN.lexicon().repair.small.as_ref().expect("the lexicon has small words");
        let mut n_glued = 0;
        for (n, a) in PARTS.iter().enumerate() {
            for b in PARTS {
                for c in PARTS {
                    let word = format!("{a}{b}{c}{}", PARTS[n / 2]);
                    for stripped in [false, true] {
                        let glued = is_glued(word.as_bytes(), Some(small), words, stripped);
                        let plain = (SHORTEST..=LONGEST).contains(&word.len())
                            && plainly(word.as_bytes(), small.class, words, stripped);
                        assert_eq!(glued, plain, "{word}, {stripped}");
                        n_glued += usize::from(glued);
                    }
                }
            }
        }
        assert!(n_glued > 100, "{n_glued}");
    }
}
