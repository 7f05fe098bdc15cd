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

/// The listed words that fill the letters from end to end, two or more.
fn filling(letters: &[u8], words: &Words, stripped: bool) -> Option<SmallVec<[Piece; 8]>> {
    if letters.len() > LONGEST {
        return None;
    }
    let (pieces, covered) = disguise::split(letters, words, stripped);
    (covered && pieces.len() > 1).then_some(pieces)
}

/// Whether an unknown word of running text is several: of weight or small, each of them.
pub fn is_glued(word: &[u8], small: Option<ClassId>, words: &Words, stripped: bool) -> bool {
    let Some(small) = small.filter(|_| (SHORTEST..=LONGEST).contains(&word.len())) else {
        return false;
    };
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
