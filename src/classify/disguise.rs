//! Words hidden by digits, signs and separators, undone only where that makes a listed word.
//!
//! Given is what stands between two blanks. Readings are tried in a fixed, bounded order; each
//! must be a form that the lexicon lets be disguised ([`Words::disguisable`]), so that an ordinary
//! `b2b`, `m/s` or `24h` can never turn into anything.

use smallvec::SmallVec;

use crate::classify::words::{EntryId, Words, hash_of};

/// The longest chunk worth looking at, in bytes: no listed word is longer, disguised or not.
pub const LONGEST: usize = 48;

/// What a hidden letter may be, where a star stands for it.
const HIDDEN: [&[u8]; 10] =
    [b"a", b"e", b"i", b"o", b"u", b"y", "å".as_bytes(), "ä".as_bytes(), "ö".as_bytes(), b"t"];

/// The letter that a digit or sign imitates; `one` is what `1`, `!` and `|` stand for.
fn imitates(b: u8, one: u8) -> Option<u8> {
    Some(match b {
        b'0' => b'o',
        b'1' | b'!' | b'|' => one,
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'6' | b'9' => b'g',
        b'7' | b'+' => b't',
        b'8' => b'b',
        b'2' => b'z',
        _ => return None,
    })
}

/// A sign that stands for one letter. An `&` between two letters is a name (*h&m*).
fn is_star(b: u8, length: usize) -> bool {
    matches!(b, b'*' | b'#') || (matches!(b, b'%' | b'&') && length > 3)
}

fn is_separator(b: u8) -> bool {
    matches!(
        b,
        b'.' | b'-'
            | b'_'
            | b','
            | b'\''
            | b'~'
            | b'='
            | b'/'
            | b'\\'
            | b'^'
            | b':'
            | b';'
            | b'('
            | b')'
    )
}

/// Looks a bare reading up, exact, in compounds, and as written without å, ä, ö. Only entries
/// that may be disguised count.
pub fn look_up(word: &[u8], words: &Words, stripped: bool) -> EntryId {
    let mut entry = words.look_up(hash_of(word), word, stripped);
    if entry == EntryId::UNKNOWN {
        entry = words.compound(word, stripped);
    }
    if words.disguisable(entry) { entry } else { EntryId::UNKNOWN }
}

/// The listed word that the chunk hides, with the stretch it fills, or nothing.
pub fn undo(
    chunk: &[u8],
    words: &Words,
    stripped: bool,
    stretched: bool,
) -> Option<(EntryId, usize, usize)> {
    let wordlike = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80;
    let from = chunk.iter().position(|b| wordlike(b) || matches!(b, b'@' | b'$'))?;
    let to = chunk.iter().rposition(wordlike)? + 1;
    if to <= from || to - from < 3 || to - from > LONGEST {
        return None;
    }
    let core = &chunk[from..to];
    // Plain words joined by one sign each (hit/dit, ja-nej) are read apart, not together, unless
    // the pieces are too short to be words.
    let stars = core.iter().filter(|b| is_star(**b, core.len())).count();
    let imitations = core.iter().filter(|b| imitates(**b, b'i').is_some()).count();
    let separators = core.iter().filter(|b| is_separator(**b)).count();
    let letters = core.iter().filter(|b| b.is_ascii_alphabetic() || **b == 0xC3).count();
    if letters == 0 || (stars + imitations + separators) == 0 {
        return None;
    }
    let found = |entry: EntryId| (entry != EntryId::UNKNOWN).then_some((entry, from, to));
    let mut buffer = [0_u8; LONGEST * 2];
    if stars > 0 && stars <= 2 && imitations == 0 {
        return fill_stars(core, words, &mut buffer).and_then(found);
    }
    for one in [b'i', b'l'] {
        let mut n = 0;
        for b in core {
            let b = match imitates(*b, one) {
                Some(letter) => letter,
                None if is_separator(*b) || is_star(*b, core.len()) => continue,
                None => *b,
            };
            buffer[n] = b;
            n += 1;
        }
        // Separators alone are weak evidence: three letters or a long piece would be a guess.
        let longest = longest_piece(core);
        let spelled_out = n == 3 && longest == 1;
        if imitations == 0 && !spelled_out && (n < 4 || longest * 2 > n + 1) {
            break;
        }
        let reading = &buffer[..n];
        // A digit among letters is strong evidence: then everyday words count as well (sk4 → ska),
        // so that what they do in a rule is seen.
        let mut entry = look_up(reading, words, stripped || imitations > 0);
        if entry == EntryId::UNKNOWN && imitations > 0 && n > 2 {
            // Digits stand for å, ä and ö as well: t4nk3r.
            entry = words.look_up(hash_of(reading), reading, true);
        }
        if entry == EntryId::UNKNOWN && stretched {
            entry = words.look_up_squeezed(reading);
        }
        if let Some(found) = found(entry) {
            return Some(found);
        }
        if !core.iter().any(|b| matches!(b, b'1' | b'!' | b'|')) {
            break;
        }
    }
    None
}

/// One listed word inside letters that stand without borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First byte.
    pub from: usize,
    /// First byte after it.
    pub to: usize,
    /// What is known of it.
    pub entry: EntryId,
}

/// Cuts letters that stand without borders (`#dödadig`, `d ö d a d i g` joined) into listed words;
/// what is listed nowhere is left over. Says also whether all was covered. Nothing comes back unless one piece is a word of weight.
pub fn segment(letters: &[u8], words: &Words, stripped: bool) -> (SmallVec<[Piece; 8]>, bool) {
    let (mut pieces, covered) = split(letters, words, stripped);
    if !pieces.iter().any(|p| p.to - p.from >= 3 && words.disguisable(p.entry)) {
        pieces.clear();
    }
    (pieces, covered)
}

/// As [`segment`], whatever the weight of the pieces.
pub fn split(letters: &[u8], words: &Words, stripped: bool) -> (SmallVec<[Piece; 8]>, bool) {
    // The cheapest way to read the letters up to each place: a letter left over costs far more
    // than a word, so that full readings win, then those of few words, then those in which words of
    // weight are long (döda dem, not död adem).
    const WORD: u32 = 1 << 8;
    const SINGLE: u32 = WORD + WORD / 2;
    const LEFT_OVER: u32 = 100 * WORD;
    let mut best: SmallVec<[(u32, Option<Piece>); 64]> = SmallVec::new();
    best.push((0, None));
    for to in 1..=letters.len() {
        let mut cheapest = (best[to - 1].0 + LEFT_OVER, None);
        for from in to.saturating_sub(LONGEST_PIECE)..to {
            // One word alone is a single letter of one byte.
            if from + 1 == to && letters[from] != b'i' {
                continue;
            }
            let whole = if from + 1 == to { SINGLE } else { WORD };
            if best[from].0 + whole < cheapest.0 + LONGEST_PIECE as u32 {
                let piece = &letters[from..to];
                let entry = words.look_up(hash_of(piece), piece, stripped);
                let weight = if words.disguisable(entry) { (to - from) as u32 } else { 0 };
                let cost = best[from].0 + whole - weight;
                if entry != EntryId::UNKNOWN && cost < cheapest.0 {
                    cheapest = (cost, Some(Piece { from, to, entry }));
                }
            }
        }
        best.push(cheapest);
    }
    let covered = best[letters.len()].0 < LEFT_OVER;
    let mut pieces: SmallVec<[Piece; 8]> = SmallVec::new();
    let mut at = letters.len();
    while at > 0 {
        at = match best[at].1 {
            Some(piece) => {
                pieces.push(piece);
                piece.from
            }
            None => at - 1,
        };
    }
    pieces.reverse();
    (pieces, covered)
}

/// Whether listed words that count fill the letters from end to end: far cheaper than [`split`] where
/// none of them begins the letters.
pub fn fills(
    letters: &[u8],
    words: &Words,
    stripped: bool,
    counts: impl Fn(EntryId) -> bool,
) -> bool {
    let mut ends: SmallVec<[bool; 64]> = SmallVec::from_elem(false, letters.len() + 1);
    ends[0] = true;
    for from in 0..letters.len() {
        if !ends[from] {
            continue;
        }
        for to in from + 1..=letters.len().min(from + LONGEST_PIECE) {
            let piece = &letters[from..to];
            if !ends[to] && (piece.len() > 1 || piece == b"i") {
                ends[to] = counts(words.look_up(hash_of(piece), piece, stripped));
            }
        }
    }
    ends[letters.len()]
}

/// The longest piece looked for, in bytes.
const LONGEST_PIECE: usize = 20;

fn longest_piece(core: &[u8]) -> usize {
    core.split(|b| is_separator(*b)).map(<[u8]>::len).max().unwrap_or(0)
}

/// `f*tta`, `k*k`: each star one letter, from a fixed set.
fn fill_stars(core: &[u8], words: &Words, buffer: &mut [u8]) -> Option<EntryId> {
    let two = core.iter().filter(|b| is_star(**b, core.len())).count() == 2;
    for first in HIDDEN {
        for second in if two { &HIDDEN[..] } else { &HIDDEN[..1] } {
            let mut n = 0;
            let mut stars = 0;
            for b in core {
                if is_star(*b, core.len()) {
                    let filler = if stars == 0 { first } else { *second };
                    stars += 1;
                    buffer[n..n + filler.len()].copy_from_slice(filler);
                    n += filler.len();
                } else if !is_separator(*b) {
                    buffer[n] = *b;
                    n += 1;
                }
            }
            let entry = look_up(&buffer[..n], words, false);
            if entry != EntryId::UNKNOWN {
                return Some(entry);
            }
        }
    }
    None
}
