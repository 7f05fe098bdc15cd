//! The pass after cutting: what people break, run together and misspell is put right, where that
//! makes a word of weight; prices and shares get their marks.
//!
//! All of it looks only at words that the lexicon does not know, so a word that it knows, or that
//! it lists as harmless, stays what it is.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use smallvec::SmallVec;

use crate::classify::disguise;
use crate::classify::fold::Folded;
use crate::classify::near::Near;
use crate::classify::repair::glued::Small;
use crate::classify::tokens::{Kind, Token, Tokens};
use crate::classify::vocabulary::{self, About, Vocabulary, WordId};
use crate::classify::words::{EntryId, SeenTraits, Traits, Words, hash_of, mix};

pub mod glued;

/// The names of the marks that this pass sets; classes of that name stand for them.
pub const MARKS: [&str; 2] = ["%money", "%percent"];

/// The class that stands for a text that repeats itself.
pub const REPEAT: &str = "%repeat";

/// The class of small words.
pub const SMALL: &str = "småord";

/// What the pass needs of the lexicon.
#[derive(Debug)]
pub struct Repair {
    /// Words that may be met misspelled.
    pub near: Near,
    /// What stands for a price.
    pub money: EntryId,
    /// What stands for a share in per cent.
    pub percent: EntryId,
    /// Small words.
    pub small: Option<Small>,
}

/// The longest piece of a broken word, in bytes: a longer one is a word.
const LONGEST_PIECE: usize = 4;
/// Into how many pieces a word is looked for broken.
const MOST_PIECES: usize = 4;
/// The shortest word that is looked for broken, in bytes.
const SHORTEST_BROKEN: usize = 5;
/// The shortest word read without å, ä, ö in a text that has them, in bytes.
const SHORTEST_STRIPPED: usize = 5;

impl Repair {
    /// Puts the tokens right.
    pub fn run(
        &self,
        original: &str,
        folded: &Folded,
        tokens: &mut Tokens,
        words: &Words,
        traits: &Traits,
        vocabulary: &mut Vocabulary,
    ) {
        let text = folded.bytes();
        let stripped = !folded.has_swedish_letters();
        if memchr::memchr(b'#', text).is_some() {
            as_they_stand(tokens, vocabulary);
            glued::cut_hashtags(original, folded, tokens, words, stripped);
        }
        if tokens.is_changed {
            // What is known of the words that were cut is not known of these.
            tokens.open.clear();
            tokens.open.extend(0..tokens.tokens.len() as u32);
            (tokens.about, tokens.n_numbers) = (About::default(), 0);
        }
        let mut glued: SmallVec<[u32; 4]> = SmallVec::new();
        let open = std::mem::take(&mut tokens.open);
        for at in &open {
            let token = &mut tokens.tokens[*at as usize];
            if self.settle(text, token, words, traits, stripped, vocabulary) {
                glued.push(*at);
            }
            let of_entry = traits.of(token.entry);
            tokens.n_numbers += usize::from(of_entry.has(About::NUMBER));
            tokens.about = tokens.about.or(of_entry).or(about(token));
        }
        tokens.open = open;
        let mut is_same = glued.is_empty();
        if !is_same {
            glued::cut(text, &glued, tokens, words, stripped);
        }
        let apart = About::PIECE.or(About::PICTURE).or(About::LEADS);
        if tokens.about.has(apart) && join(text, tokens, words, stripped) {
            tokens.close_up();
            is_same = false;
        }
        tokens.seen = if is_same {
            SeenTraits::new(tokens.about, tokens.n_numbers)
        } else {
            traits.seen(tokens.tokens.iter().map(|t| t.entry))
        };
        tokens.may_match = tokens.seen.begins;
        if memchr::memchr2(b'\'', 0xE2, text).is_some() {
            single_quotes(text, tokens);
        }
    }

    /// Finds out what is not yet known of the token, and keeps it where its word is kept; says whether the
    /// word is several that were run together, which is found out anew where it is met again.
    fn settle(
        &self,
        text: &[u8],
        token: &mut Token,
        words: &Words,
        traits: &Traits,
        stripped: bool,
        vocabulary: &mut Vocabulary,
    ) -> bool {
        let known = vocabulary.get(token.word, token.end - token.start);
        if let Some(known) = &known
            && known.about.has(About::SETTLED)
        {
            // Met earlier in this text, or with it in flight.
            token.entry = known.entry;
            token.disguised = known.about.has(About::DISGUISED);
            return false;
        }
        let is_unknown = token.entry == EntryId::UNKNOWN;
        if is_unknown {
            match token.kind {
                Kind::Word => {
                    let word = bytes(text, token);
                    token.entry = self.read(word, words, stripped);
                    if token.entry == EntryId::UNKNOWN
                        && glued::is_glued(word, self.small.as_ref(), words, stripped)
                    {
                        return true;
                    }
                    token.disguised = words.disguisable(token.entry);
                    if word[0].is_ascii_digit() && glued_price(word) {
                        token.entry = self.money;
                    }
                }
                Kind::Number => token.entry = self.amount(&text[token.end as usize..]),
                Kind::Picture | Kind::Address | Kind::Mail | Kind::Mention | Kind::Identifier => {}
            }
        }
        if let Some(known) = known {
            known.settle(token.entry, traits.of(token.entry).or(about(token)), is_unknown);
        }
        false
    }

    /// An unknown word as one without å, ä, ö, or misspelled. What lost its dots is any word, as no
    /// other is known that is spelled so; a slip is looked for in words of weight alone.
    fn read(&self, word: &[u8], words: &Words, stripped: bool) -> EntryId {
        if !stripped && word.len() >= SHORTEST_STRIPPED && word.is_ascii() {
            let bare = || words.look_up(hash_of(word), word, true);
            let heavy = Some(disguise::look_up(word, words, true));
            let entry = heavy.filter(|e| *e != EntryId::UNKNOWN).unwrap_or_else(bare);
            if entry != EntryId::UNKNOWN {
                return entry;
            }
        }
        self.near.find(word)
    }

    /// What the number before `after` is an amount of.
    fn amount(&self, after: &[u8]) -> EntryId {
        let after = after.strip_prefix(b" ").or(after.strip_prefix(b"\xC2\xA0")).unwrap_or(after);
        const MONEY: [&[u8]; 22] = [
            b":-",
            b",-",
            b"kr",
            b"kronor",
            b"krona",
            b"sek",
            b"tkr",
            b"mkr",
            b"\xE2\x82\xAC",
            b"$",
            b"euro",
            b"eur",
            b"usd",
            b"dollar",
            b"sp\xC3\xA4nn",
            b"lax",
            b"papp",
            b"\xC2\xA3",
            b"kkr",
            b"bitcoin",
            b"btc",
            ":–".as_bytes(),
        ];
        let starts = |sign: &&[u8]| {
            after.starts_with(sign)
                && (!sign[0].is_ascii_alphabetic()
                    || after.get(sign.len()).is_none_or(|b| !b.is_ascii_alphabetic() && *b < 0x80))
        };
        // Most numbers are no amounts, which one byte tells.
        let first = after.first().copied().unwrap_or(b' ');
        if first != b'%' && first != b'p' && !MONEY.iter().any(|sign| sign[0] == first) {
            EntryId::UNKNOWN
        } else if MONEY.iter().any(starts) {
            self.money
        } else if after.starts_with(b"%") || starts(&b"procent".as_slice()) {
            self.percent
        } else {
            EntryId::UNKNOWN
        }
    }
}

/// Joins what stands apart: *svart skallar*, *fi tta*, *i👏d👏i👏o👏t*; says whether anything was.
fn join(text: &[u8], tokens: &mut Tokens, words: &Words, stripped: bool) -> bool {
    let mut joined = false;
    let mut from = 0;
    for (block, mut worth) in worth_joining(&tokens.tokens).into_iter().enumerate() {
        while worth != 0 {
            let i = block * 64 + worth.trailing_zeros() as usize;
            worth &= worth - 1;
            if i < from {
                continue;
            }
            let n = letters_between_pictures(text, tokens, words, stripped, i)
                .or_else(|| compound_apart(text, tokens, words, stripped, i))
                .or_else(|| pieces(text, tokens, words, stripped, i));
            from = i + n.unwrap_or(1);
            joined |= n.is_some();
        }
    }
    joined
}

/// A bit for each token at which something may begin that stands apart: it leads a compound, a picture
/// follows, or a piece is among the next.
fn worth_joining(tokens: &[Token]) -> SmallVec<[u64; 16]> {
    let mut worth: SmallVec<[u64; 16]> = SmallVec::from_elem(0, tokens.len().div_ceil(64));
    let mut set = |at: usize| worth[at / 64] |= 1 << (at % 64);
    for (i, token) in tokens.iter().enumerate() {
        if token.leads {
            set(i);
        }
        if token.kind == Kind::Picture {
            set(i.saturating_sub(1));
        }
        if may_be_piece(token) {
            (i.saturating_sub(MOST_PIECES - 1)..=i).for_each(&mut set);
        }
    }
    worth
}

/// Makes words that are taken for others what they are as they stand: a hashtag is cut first.
fn as_they_stand(tokens: &mut Tokens, vocabulary: &mut Vocabulary) {
    for token in &mut tokens.tokens {
        let known = vocabulary.get(token.word, token.end - token.start);
        if known.is_some_and(|known| known.about.has(About::TAKEN)) {
            token.entry = EntryId::UNKNOWN;
            token.disguised = false;
        }
    }
}

/// What a token is beside its entry.
fn about(token: &Token) -> About {
    About::default()
        .with(About::DISGUISED, token.disguised)
        .with(About::LEADS, token.leads)
        .with(About::PIECE, may_be_piece(token))
        .with(About::PICTURE, token.kind == Kind::Picture)
}

/// Whether the token may be a piece of a broken word: short, and no word.
fn may_be_piece(token: &Token) -> bool {
    token.entry == EntryId::UNKNOWN && token.end - token.start <= LONGEST_PIECE as u32
}

fn bytes<'t>(text: &'t [u8], token: &Token) -> &'t [u8] {
    &text[token.start as usize..token.end as usize]
}

/// Whether one blank or hyphen alone stands between the token and the next.
fn is_side_by_side(text: &[u8], tokens: &Tokens, at: usize) -> bool {
    match (tokens.tokens.get(at), tokens.tokens.get(at + 1)) {
        (Some(a), Some(b)) => {
            a.kind == Kind::Word
                && b.kind == Kind::Word
                && a.sentence == b.sentence
                && matches!(&text[a.end as usize..b.start as usize], b" " | b"-" | b"\n")
        }
        _ => false,
    }
}

/// Makes one token of `at..to`; those after the first are marked by standing nowhere.
fn merge(tokens: &mut Tokens, at: usize, to: usize, entry: EntryId) {
    let end = tokens.tokens[to - 1].end;
    let first = &mut tokens.tokens[at];
    first.end = end;
    first.entry = entry;
    first.kind = Kind::Word;
    first.disguised = true;
    first.leads = false;
    first.word = WordId::NONE;
    for token in &mut tokens.tokens[at + 1..to] {
        token.end = token.start;
    }
}

/// *svart skallar*: a first part of compounds and what may follow it.
fn compound_apart(
    text: &[u8],
    tokens: &mut Tokens,
    words: &Words,
    stripped: bool,
    at: usize,
) -> Option<usize> {
    if !tokens.tokens[at].leads || !is_side_by_side(text, tokens, at) {
        return None;
    }
    let (a, b) = (&tokens.tokens[at], &tokens.tokens[at + 1]);
    let (front, rest) = (bytes(text, a), bytes(text, b));
    let entry = words.compound_of(front, rest, stripped);
    let brings = |entry: EntryId| {
        words.disguisable(entry)
            && words.classes_of(entry).iter().any(|c| {
                !words.classes_of(a.entry).contains(c) && !words.classes_of(b.entry).contains(c)
            })
    };
    if entry == EntryId::UNKNOWN || !brings(entry) {
        return None;
    }
    merge(tokens, at, at + 2, entry);
    Some(2)
}

/// *fi tta*, *mus lim er*: pieces, one of them short and no word, of a listed word.
fn pieces(
    text: &[u8],
    tokens: &mut Tokens,
    words: &Words,
    stripped: bool,
    at: usize,
) -> Option<usize> {
    let window = &tokens.tokens[at..(at + MOST_PIECES).min(tokens.tokens.len())];
    if bytes(text, &tokens.tokens[at]).len() > LONGEST_PIECE || !window.iter().any(may_be_piece) {
        // A long word is not the beginning of a broken one, and one piece must be no word.
        return None;
    }
    let mut letters: SmallVec<[u8; 64]> = SmallVec::new();
    let mut best = None;
    let mut broken = false;
    for k in at..(at + MOST_PIECES).min(tokens.tokens.len()) {
        if k > at && !is_side_by_side(text, tokens, k - 1) {
            break;
        }
        let token = &tokens.tokens[k];
        let piece = bytes(text, token);
        if token.kind != Kind::Word
            || words.disguisable(token.entry)
            || letters.len() + piece.len() > disguise::LONGEST
        {
            break;
        }
        broken |= token.entry == EntryId::UNKNOWN && piece.len() <= LONGEST_PIECE;
        letters.extend_from_slice(piece);
        if k > at && broken && letters.len() >= SHORTEST_BROKEN {
            let entry = words.look_up(hash_of(&letters), &letters, stripped);
            if words.disguisable(entry) {
                best = Some((k + 1, entry));
            }
        }
    }
    let (to, entry) = best?;
    merge(tokens, at, to, entry);
    Some(to - at)
}

/// `i👏d👏i👏o👏t`: single letters with pictures between.
fn letters_between_pictures(
    text: &[u8],
    tokens: &mut Tokens,
    words: &Words,
    stripped: bool,
    at: usize,
) -> Option<usize> {
    if tokens.tokens.get(at + 1).is_none_or(|t| t.kind != Kind::Picture) {
        return None;
    }
    let is_letter = |t: &Token| t.kind == Kind::Word && bytes(text, t).len() <= 2;
    let mut letters: SmallVec<[u8; 64]> = SmallVec::new();
    let mut to = at;
    while to < tokens.tokens.len()
        && letters.len() < disguise::LONGEST
        && is_letter(&tokens.tokens[to])
    {
        letters.extend_from_slice(bytes(text, &tokens.tokens[to]));
        to += 1;
        while tokens.tokens.get(to).is_some_and(|t| t.kind == Kind::Picture) {
            to += 1;
        }
    }
    if letters.len() < 4 {
        return None;
    }
    let entry = disguise::look_up(&letters, words, stripped);
    if entry == EntryId::UNKNOWN {
        return None;
    }
    merge(tokens, at, to, entry);
    Some(to - at)
}

/// `99kr`, `5000spänn`.
fn glued_price(word: &[u8]) -> bool {
    let unit = word.iter().position(|b| !b.is_ascii_digit()).map_or(&[][..], |at| &word[at..]);
    matches!(
        unit,
        b"kr" | b"kronor" | b"sek" | b"tkr" | b"lax" | b"euro" | b"sp\xC3\xA4nn" | b"papp"
    )
}

/// Marks what stands between single quotation marks, which are apostrophes as well: one opens
/// after a blank, the next before a blank or sign closes.
fn single_quotes(text: &[u8], tokens: &mut Tokens) {
    let sign_at = |i: usize| match text.get(i..)? {
        [b'\'', ..] => Some(1),
        [0xE2, 0x80, 0x98..=0x9A, ..] => Some(3),
        _ => None,
    };
    let n = tokens.tokens.len();
    let mut open: Option<usize> = None;
    for i in 0..=n {
        let from = if i == 0 { 0 } else { tokens.tokens[i - 1].end as usize };
        let to = tokens.tokens.get(i).map_or(text.len(), |t| t.start as usize);
        if to <= from || to - from > 16 || !text[from..to].iter().any(|b| matches!(b, b'\'' | 0xE2))
        {
            continue;
        }
        if let Some(first) = open
            && sign_at(from)
                .is_some_and(|n| from + n >= text.len() || !text[from + n].is_ascii_alphanumeric())
        {
            for token in &mut tokens.tokens[first..i] {
                token.quoted = true;
            }
            open = None;
        }
        let opens = [1, 3].into_iter().any(|k| {
            to >= from + k
                && sign_at(to - k) == Some(k)
                && (to == k || matches!(text[to - k - 1], b' ' | b'\n' | b'('))
        });
        if opens {
            open = Some(i);
        }
    }
}

/// Hashes what are hashes already; of a few thousand at most, so that nobody gains by choosing words
/// that share a place.
#[derive(Debug, Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix(self.0, hash_of(bytes));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0, number);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Whether the text says the same thing at least three times: a run of two words or more, or one
/// address.
pub fn repeats(text: &[u8], tokens: &Tokens) -> bool {
    const MOST: usize = 2_000;
    const TIMES: usize = 3;
    if !tokens.may_repeat() {
        return false;
    }
    let tokens = &tokens.tokens[..tokens.tokens.len().min(MOST)];
    if !meets_again(text, tokens) || !may_repeat(tokens) {
        return false;
    }
    let mut seen: HashMap<(u64, u64), (usize, usize), BuildHasherDefault<Mixed>> =
        HashMap::with_capacity_and_hasher(2 * tokens.len(), BuildHasherDefault::default());
    let hashes: Vec<u64> = tokens.iter().map(|t| hash_of(bytes(text, t))).collect();
    let mut count = |key: (u64, u64), at: usize, length: usize| {
        let (times, free) = seen.entry(key).or_insert((0, 0));
        if at >= *free {
            *times += 1;
            *free = at + length;
        }
        *times >= TIMES
    };
    for (i, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Address && count((hashes[i], 0), i, 1) {
            return true;
        }
        let words = token.end - token.start >= 2;
        if words
            && i + 1 < tokens.len()
            && tokens[i + 1].kind != Kind::Picture
            && hashes[i] != hashes[i + 1]
            && i + 2 < tokens.len()
            && count((hashes[i] ^ hashes[i + 1].rotate_left(17), hashes[i + 2] | 1), i, 3)
        {
            return true;
        }
        // Two words said thrice in a row: köp nu köp nu köp nu.
        if words && i + 5 < tokens.len() && hashes[i..i + 4] == hashes[i + 2..i + 6] {
            return true;
        }
    }
    false
}

/// Whether three tokens in a row were all met before, or there are three addresses: less does not repeat
/// itself. Texts of everyday length are settled here. True too often, since places are shared.
fn meets_again(text: &[u8], tokens: &[Token]) -> bool {
    const PLACES: u32 = 1 << 11;
    let mut words = [0_u64; PLACES as usize / 64];
    let (mut run, mut longest, mut n_addresses) = (0, 0, 0);
    for token in tokens {
        let mut place = token.word.number();
        let mut is_met = false;
        if token.word == WordId::NONE {
            let length = token.end - token.start;
            is_met = match token.kind {
                // It may stand elsewhere as one that is kept.
                Kind::Word if length <= vocabulary::LONGEST as u32 => return true,
                Kind::Word | Kind::Number | Kind::Picture => false,
                Kind::Address | Kind::Mail | Kind::Mention | Kind::Identifier => true,
            };
            place = hash_of(bytes(text, token)) as u32;
            n_addresses += u32::from(token.kind == Kind::Address);
        }
        let (bits, bit) = (&mut words[(place % PLACES) as usize / 64], place % 64);
        is_met |= *bits >> bit & 1 == 1;
        *bits |= 1 << bit;
        run = if is_met { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest >= 3 || n_addresses >= 3
}

/// Whether [`repeats`] is worth its cost. What stands there a second time, be it three words or two in
/// turns, is a run of three words that were all met before; what stands there a third time is such
/// a run again, or an address. True too often, since places are shared, never too seldom.
fn may_repeat(tokens: &[Token]) -> bool {
    const PLACES: usize = 1 << 12;
    let (mut words, mut runs) = ([0_u64; PLACES / 64], [0_u64; PLACES / 64]);
    // Whether it was met before.
    let meet = |met: &mut [u64; PLACES / 64], what: usize| {
        let (at, bit) = (what % PLACES / 64, 1 << (what % 64));
        let before = met[at] & bit != 0;
        met[at] |= bit;
        before
    };
    let (mut last, mut in_turns, mut run, mut n_addresses) = ([0_u32; 2], 0, 0, 0);
    for token in tokens {
        // A word that is not kept, though it is short enough, may stand elsewhere as one that is.
        let length = token.end - token.start;
        let is_kept = token.word != WordId::NONE;
        if token.kind == Kind::Word && !is_kept && length <= vocabulary::LONGEST as u32 {
            return true;
        }
        // Long words and whatever is no word count by their length alone, and as met before.
        let own = if is_kept { token.word.number() } else { !length };
        let is_met = meet(&mut words, own as usize) || !is_kept;
        run = if is_met { run + 1 } else { 0 };
        in_turns = if own == last[0] { in_turns + 1 } else { 0 };
        n_addresses += u32::from(token.kind == Kind::Address);
        if in_turns >= 4 || n_addresses >= 3 {
            return true;
        }
        if run >= 3 {
            let three = mix(u64::from(last[0]) << 32 | u64::from(last[1]), u64::from(own));
            if meet(&mut runs, (three >> 32) as usize) {
                return true;
            }
        }
        last = [last[1], own];
    }
    false
}

/// The classes of the marks, which the compiler of lexicons declares.
pub fn classes() -> impl Iterator<Item = &'static str> {
    MARKS.into_iter().chain([REPEAT])
}
