//! The folded text cut into words, numbers, pictures and addresses, with sentence borders.
//!
//! No allocation once the buffers have grown. [`borders`] says where words stand; from border to
//! border a word is taken as a number or two, its look-up costs one probe, and what stands between
//! two words is looked at only where it is not a single blank. A *chunk* is what stands between
//! blanks; a chunk that mixes letters with digits or signs is handed to
//! [`crate::classify::disguise`].

pub mod borders;

use smallvec::SmallVec;

use crate::classify::fold::{BLOCK, Padded};
use crate::classify::tokens::borders::Borders;
use crate::classify::words::{EntryId, KEY, Key, Words, hash_of};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Letters, or letters and digits.
    Word,
    /// Digits alone.
    Number,
    /// One pictographic character.
    Picture,
    /// A web address.
    Address,
    /// A mail address.
    Mail,
    /// `@name`: a mention of another user.
    Mention,
    /// A number proved to be something: a telephone number, an account, a plate.
    Identifier,
}

impl Kind {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Word,
        Self::Number,
        Self::Picture,
        Self::Address,
        Self::Mail,
        Self::Mention,
        Self::Identifier,
    ];
}

/// One token; offsets are bytes of the folded text.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// First byte.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// Which sentence it stands in.
    pub sentence: u32,
    /// What the lexicon knows of it.
    pub entry: EntryId,
    /// What it is.
    pub kind: Kind,
    /// Found by undoing a disguise.
    pub disguised: bool,
    /// Stands between quotation marks.
    pub quoted: bool,
}

/// How a sentence ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    /// Its first token.
    pub first: u32,
    /// The token after its last.
    pub last: u32,
    /// A question mark ends it.
    pub asks: bool,
}

/// The cut text. Kept and refilled.
#[derive(Debug, Default)]
pub struct Tokens {
    /// In reading order.
    pub tokens: Vec<Token>,
    /// In reading order; empty ones are left out.
    pub sentences: Vec<Sentence>,
    /// Digits in the whole text: few mean that no number needs looking for.
    pub n_digits: usize,
    /// Web and mail addresses.
    pub n_addresses: usize,
    /// Whether any token may begin a rule.
    pub may_match: bool,
    /// The tokens before which quotation marks stand.
    quotes: Vec<u32>,
    /// How many tokens may be single letters.
    n_single: usize,
    borders: Borders,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Letter,
    Digit,
    Sign,
    /// First byte of a longer character: decided by the bytes that follow.
    High,
}

const fn classes() -> [Class; 256] {
    let mut table = [Class::Sign; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = match b as u8 {
            b' ' | b'\t' | b'\n' | b'\r' => Class::Blank,
            b'a'..=b'z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            0x80..=0xFF => Class::High,
            _ => Class::Sign,
        };
        b += 1;
    }
    table
}

static CLASS: [Class; 256] = classes();

/// What stands at a byte, and how long it is.
fn class_at(text: &[u8], i: usize) -> (Class, usize) {
    match CLASS[text[i] as usize] {
        Class::High => match text[i] {
            0xC2 => (if text[i + 1] == 0xA0 { Class::Blank } else { Class::Sign }, 2),
            0xC3 => {
                (if matches!(text[i + 1], 0x97 | 0xB7) { Class::Sign } else { Class::Letter }, 2)
            }
            0xC4..=0xDF => (Class::Letter, 2),
            // Crosses, skulls, scissors and other dingbats are pictures.
            0xE2 if matches!(text[i + 1], 0x98..=0x9E) => (Class::High, 3),
            0xE2 => (Class::Sign, 3),
            0xE3 if text[i + 1] == 0x80 => (Class::Sign, 3),
            0xE0..=0xEF => (Class::Letter, 3),
            _ => (Class::High, 4),
        },
        class => (class, 1),
    }
}

/// How far the chunk being read keeps to the order of signs in which nothing can be hidden:
/// brackets and the like, a word, full stops and the like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Nothing yet but opening signs of ASCII.
    #[default]
    Opening,
    /// A sign or picture beyond ASCII.
    HighOpening,
    /// The word.
    Word,
    /// A sign or picture beyond ASCII behind it.
    HighClosing,
    /// Closing signs of ASCII.
    Closing,
    /// Anything else: the chunk may hide a word or be an address.
    Other,
}

/// What was seen in the chunk being read.
#[derive(Clone, Copy, Default)]
struct Chunk {
    start: usize,
    first_token: usize,
    letters: bool,
    digits: bool,
    signs: bool,
    stage: Stage,
}

impl Chunk {
    fn word(&mut self) {
        self.stage = if self.stage < Stage::Word { Stage::Word } else { Stage::Other };
    }

    fn sign(&mut self, b: u8) {
        self.stage = match (self.stage, b) {
            (Stage::Opening, b'(' | b'[' | b'<' | b'"' | b'\'' | b',') => Stage::Opening,
            (Stage::Opening | Stage::HighOpening, 0x80..) => Stage::HighOpening,
            (Stage::Word | Stage::HighClosing, 0x80..) => Stage::HighClosing,
            (
                Stage::Word | Stage::HighClosing | Stage::Closing,
                b')' | b']' | b'>' | b'"' | b'\'' | b',' | b'.' | b'!' | b'?' | b';' | b':',
            ) => Stage::Closing,
            _ => Stage::Other,
        };
    }

    /// Whether it may be an address or hide a word.
    fn needs_a_look(&self) -> bool {
        self.letters && (self.digits || (self.signs && self.stage == Stage::Other))
    }
}

/// What cutting one text needs beside the tokens.
struct Cut<'a> {
    text: Padded<'a>,
    words: &'a Words,
    stripped: bool,
    may_stretch: bool,
    /// The chunk being read; nothing when it is the last token alone, letters between blanks.
    chunk: Option<Chunk>,
    first_of_sentence: usize,
}

impl Tokens {
    /// Cuts `text` (folded) and looks every word up in `words`. `stripped` says that words may
    /// also be read as written without å, ä, ö.
    pub fn cut(&mut self, text: Padded<'_>, words: &Words, stripped: bool) {
        self.tokens.clear();
        self.sentences.clear();
        self.quotes.clear();
        self.n_single = 0;
        self.n_addresses = 0;
        let mut borders = std::mem::take(&mut self.borders);
        borders.fill(text);
        self.n_digits = borders.n_digits;
        let mut cut = Cut {
            text,
            words,
            stripped,
            may_stretch: borders.may_stretch,
            chunk: Some(Chunk::default()),
            first_of_sentence: 0,
        };
        // The edges of words, two by two.
        let mut inside = 0;
        let mut start = 0;
        let mut end = 0;
        for (block, bits) in borders.words.iter().enumerate() {
            let mut edges = bits ^ (bits << 1 | inside);
            while edges != 0 {
                let at = block * BLOCK + edges.trailing_zeros() as usize;
                edges &= edges - 1;
                if inside == 0 {
                    start = at;
                    if start != end + 1 || text.bytes()[end] != b' ' || cut.chunk.is_some() {
                        self.gap(&mut cut, end, start);
                    }
                } else {
                    end = at;
                    self.word(&mut cut, start, end);
                }
                inside ^= 1;
            }
        }
        if inside == 1 {
            end = text.len();
            self.word(&mut cut, start, end);
        }
        self.borders = borders;
        self.gap(&mut cut, end, text.len());
        self.end_chunk(&mut cut, text.len());
        let bytes = text.bytes();
        let asks = ends_sentence(bytes, bytes.len()) == Some(true);
        self.end_sentence(&mut cut.first_of_sentence, asks);
        self.mark_quoted();
        if self.n_single >= FEWEST_SPACED {
            self.join_spaced(bytes, words, stripped);
        }
        self.may_match = self.tokens.iter().any(|t| words.begins_rule(t.entry));
    }

    /// What stands between two words, when it is more than a blank between two plain ones.
    fn gap(&mut self, cut: &mut Cut<'_>, from: usize, to: usize) {
        let mut chunk = cut.chunk.take().unwrap_or_else(|| self.plain_chunk());
        let text = cut.text.bytes();
        let mut i = from;
        while i < to {
            let (class, length) = class_at(text, i);
            match class {
                Class::Blank => {
                    self.look_at_chunk(cut, &chunk, i);
                    let mut lines = 0;
                    let mut j = i;
                    while j < to {
                        let (class, length) = class_at(text, j);
                        if class != Class::Blank {
                            break;
                        }
                        lines += usize::from(text[j] == b'\n');
                        j += length;
                    }
                    let n = self.tokens.len() - cut.first_of_sentence;
                    if lines > 1 || (lines == 1 && n > 3) {
                        self.end_sentence(&mut cut.first_of_sentence, false);
                    } else if let Some(asks) = ends_sentence(text, i) {
                        self.end_sentence(&mut cut.first_of_sentence, asks);
                    }
                    i = j;
                    chunk = Chunk { start: i, first_token: self.tokens.len(), ..Chunk::default() };
                }
                Class::Sign => {
                    if is_quote(&text[i..i + length]) {
                        self.quotes.push(self.tokens.len() as u32);
                    } else {
                        chunk.signs = true;
                    }
                    chunk.sign(text[i]);
                    i += length;
                }
                Class::High => {
                    let picture = &text[i..i + length];
                    let entry = cut.words.look_up(hash_of(picture), picture, false);
                    self.push(i, i + length, Kind::Picture, entry);
                    chunk.sign(text[i]);
                    i += length;
                }
                Class::Letter | Class::Digit => unreachable!("words stand between gaps"),
            }
        }
        // A word behind a blank alone is plain until something else is met.
        cut.chunk = (chunk.start < to || to == text.len()).then_some(chunk);
    }

    /// The chunk that the last token alone begins.
    fn plain_chunk(&self) -> Chunk {
        let (start, first_token) = match self.tokens.split_last() {
            Some((last, before)) => (last.start as usize, before.len()),
            None => (0, 0),
        };
        Chunk { start, first_token, letters: true, stage: Stage::Word, ..Chunk::default() }
    }

    #[inline]
    fn word(&mut self, cut: &mut Cut<'_>, start: usize, end: usize) {
        let length = end - start;
        if length > KEY || cut.chunk.is_some() {
            return self.special_word(cut, start, end);
        }
        let key = Key::cut(cut.text.sixteen(start), length);
        if self.n_digits > 0 && key.has_digit(length) {
            return self.special_word(cut, start, end);
        }
        self.n_single += usize::from(length == 1 || (length == 2 && key.front & 0xFF == 0xC3));
        let entry = cut.words.look_up_key(key, cut.stripped);
        if entry == EntryId::UNKNOWN
            && (cut.may_stretch
                || (length >= 5
                    && cut.words.may_be_compound(key.front as u32, cut.text.four(end - 4))))
        {
            return self.unknown_word(cut, start, end);
        }
        self.push(start, end, Kind::Word, entry);
    }

    /// A word that is long, in a text with digits, or beside signs.
    fn special_word(&mut self, cut: &mut Cut<'_>, start: usize, end: usize) {
        let bytes = &cut.text.bytes()[start..end];
        let digits = if self.n_digits == 0 { 0 } else { count_digits(bytes) };
        let letters = digits < bytes.len();
        if digits > 0 && cut.chunk.is_none() {
            let first_token = self.tokens.len();
            cut.chunk = Some(Chunk { start, first_token, ..Chunk::default() });
        }
        if let Some(chunk) = &mut cut.chunk {
            chunk.word();
            chunk.letters |= letters;
            chunk.digits |= digits > 0;
        }
        self.n_single += usize::from(is_single_letter(bytes));
        let entry = cut.words.look_up(hash_of(bytes), bytes, cut.stripped);
        if !letters {
            self.push(start, end, Kind::Number, entry);
        } else if entry == EntryId::UNKNOWN {
            self.unknown_word(cut, start, end);
        } else {
            self.push(start, end, Kind::Word, entry);
        }
    }

    /// A word that is not listed: a compound, or stretched?
    fn unknown_word(&mut self, cut: &Cut<'_>, start: usize, end: usize) {
        let bytes = &cut.text.bytes()[start..end];
        let mut entry = cut.words.compound(bytes, cut.stripped);
        let mut disguised = false;
        if entry == EntryId::UNKNOWN && cut.may_stretch && is_stretched(bytes) {
            entry = cut.words.look_up_squeezed(bytes);
            disguised = entry != EntryId::UNKNOWN;
        }
        self.push(start, end, Kind::Word, entry);
        if disguised && let Some(last) = self.tokens.last_mut() {
            last.disguised = true;
        }
    }

    fn push(&mut self, start: usize, end: usize, kind: Kind, entry: EntryId) {
        self.tokens.push(Token {
            start: start as u32,
            end: end as u32,
            sentence: self.sentences.len() as u32,
            entry,
            kind,
            disguised: false,
            quoted: false,
        });
    }

    fn end_chunk(&mut self, cut: &mut Cut<'_>, end: usize) {
        if let Some(chunk) = cut.chunk.take() {
            self.look_at_chunk(cut, &chunk, end);
        }
    }

    /// Looks at what stood between two blanks: an address, a mention, a disguise?
    #[inline]
    fn look_at_chunk(&mut self, cut: &Cut<'_>, chunk: &Chunk, end: usize) {
        if chunk.needs_a_look() && end > chunk.start {
            self.read_chunk(cut, chunk, end);
        }
    }

    fn read_chunk(&mut self, cut: &Cut<'_>, chunk: &Chunk, end: usize) {
        let Cut { words, stripped, .. } = cut;
        let text = cut.text.bytes();
        let bytes = &text[chunk.start..end];
        if let Some((kind, from, to)) = crate::classify::address::whole_chunk(bytes) {
            self.n_addresses += 1;
            self.replace_chunk(chunk, from, to, kind, EntryId::UNKNOWN);
            return;
        }
        let stretched = cut.may_stretch && has_stretched(bytes);
        if let Some((entry, from, to)) =
            crate::classify::disguise::undo(bytes, words, *stripped, stretched)
        {
            self.replace_chunk(chunk, from, to, Kind::Word, entry);
            if let Some(last) = self.tokens.last_mut() {
                last.disguised = true;
            }
        } else {
            self.cut_hashtag(text, chunk, words, *stripped);
        }
    }

    /// One token in the place of those that the chunk gave.
    fn replace_chunk(&mut self, chunk: &Chunk, from: usize, to: usize, kind: Kind, entry: EntryId) {
        self.tokens.truncate(chunk.first_token);
        self.push(chunk.start + from, chunk.start + to, kind, entry);
        let n = self.tokens.len() as u32;
        for mark in self.quotes.iter_mut().rev().take_while(|mark| **mark > n) {
            *mark = n;
        }
    }

    fn end_sentence(&mut self, first: &mut usize, asks: bool) {
        if self.tokens.len() > *first {
            self.sentences.push(Sentence {
                first: *first as u32,
                last: self.tokens.len() as u32,
                asks,
            });
            *first = self.tokens.len();
        } else if asks && let Some(last) = self.sentences.last_mut() {
            last.asks = true;
        }
    }

    /// `f i t t a`: single letters in a row, joined where that makes listed words.
    fn join_spaced(&mut self, text: &[u8], words: &Words, stripped: bool) {
        let single = |t: &Token| {
            t.kind == Kind::Word && is_single_letter(&text[t.start as usize..t.end as usize])
        };
        let mut joined = false;
        let mut i = 0;
        while i + FEWEST_SPACED <= self.tokens.len() {
            if !single(&self.tokens[i]) {
                i += 1;
                continue;
            }
            let mut j = i + 1;
            while j < self.tokens.len()
                && single(&self.tokens[j])
                && self.tokens[j].start - self.tokens[j - 1].end <= 5
                && j - i < crate::classify::disguise::LONGEST
            {
                j += 1;
            }
            if j - i >= FEWEST_SPACED {
                joined |= self.join_run(text, words, stripped, i, j);
            }
            i = j;
        }
        if joined {
            self.close_up();
        }
    }

    /// Joins what the letters `from..to` spell; says whether anything was joined. Tokens that went
    /// into another are marked by standing nowhere.
    fn join_run(
        &mut self,
        text: &[u8],
        words: &Words,
        stripped: bool,
        from: usize,
        to: usize,
    ) -> bool {
        let mut letters: SmallVec<[u8; 64]> = SmallVec::new();
        let mut token_at: SmallVec<[usize; 64]> = SmallVec::new();
        for (i, t) in self.tokens[from..to].iter().enumerate() {
            for b in &text[t.start as usize..t.end as usize] {
                letters.push(*b);
                token_at.push(from + i);
            }
        }
        let (pieces, _) = crate::classify::disguise::segment(&letters, words, stripped);
        for piece in &pieces {
            let (a, b) = (token_at[piece.from], token_at[piece.to - 1]);
            if b == a {
                continue;
            }
            let end = self.tokens[b].end;
            let token = &mut self.tokens[a];
            token.entry = piece.entry;
            token.end = end;
            token.disguised = true;
            for t in &mut self.tokens[a + 1..=b] {
                t.end = t.start;
            }
        }
        !pieces.is_empty()
    }

    /// Takes out the tokens that went into others, and counts the sentences anew.
    pub fn close_up(&mut self) {
        self.tokens.retain(|t| t.end > t.start);
        let mut at = 0;
        for (i, sentence) in self.sentences.iter_mut().enumerate() {
            sentence.first = at as u32;
            while at < self.tokens.len() && self.tokens[at].sentence as usize == i {
                at += 1;
            }
            sentence.last = at as u32;
        }
    }

    /// `#dödadig`: a hashtag that listed words fill from end to end is read as these.
    fn cut_hashtag(&mut self, text: &[u8], chunk: &Chunk, words: &Words, stripped: bool) {
        let Some(token) = self.tokens.get(chunk.first_token).copied() else { return };
        if text[chunk.start] != b'#'
            || token.entry != EntryId::UNKNOWN
            || self.tokens.len() != chunk.first_token + 1
        {
            return;
        }
        let letters = &text[token.start as usize..token.end as usize];
        if letters.len() > crate::classify::disguise::LONGEST {
            return;
        }
        let (pieces, covered) = crate::classify::disguise::segment(letters, words, stripped);
        if !covered || pieces.is_empty() {
            return;
        }
        self.tokens.truncate(chunk.first_token);
        self.n_single += pieces.len();
        for piece in pieces {
            self.push(
                token.start as usize + piece.from,
                token.start as usize + piece.to,
                Kind::Word,
                piece.entry,
            );
        }
    }

    /// Marks open and close alike, as people write them; one left over quotes nothing.
    fn mark_quoted(&mut self) {
        for pair in self.quotes.chunks_exact(2) {
            for t in &mut self.tokens[pair[0] as usize..pair[1] as usize] {
                t.quoted = true;
            }
        }
    }
}

/// How many letters that stand alone are read as one word at least.
const FEWEST_SPACED: usize = 3;

fn count_digits(word: &[u8]) -> usize {
    word.iter().filter(|b| b.is_ascii_digit()).count()
}

/// Whether a letter stands three times in a row. Letters of several bytes are told apart well
/// enough by their last.
fn is_stretched(word: &[u8]) -> bool {
    let mut previous = 0;
    let mut run = 0;
    let mut lasts = word.iter().enumerate().filter(|(i, _)| {
        // The last byte of a character is the one that no continuation follows.
        word.get(i + 1).is_none_or(|next| next & 0xC0 != 0x80)
    });
    lasts.any(|(_, last)| {
        run = if *last == previous { run + 1 } else { 1 };
        previous = *last;
        run >= 3 && !last.is_ascii_digit()
    })
}

/// Whether a word of the chunk is stretched.
fn has_stretched(chunk: &[u8]) -> bool {
    let mut i = 0;
    let mut start = 0;
    while i < chunk.len() {
        let (class, length) = class_at(chunk, i);
        if !matches!(class, Class::Letter | Class::Digit) {
            if is_stretched(&chunk[start..i]) {
                return true;
            }
            start = i + length;
        }
        i += length;
    }
    is_stretched(&chunk[start..])
}

/// `"`, `”`, `“`, `«` or `»`.
fn is_quote(sign: &[u8]) -> bool {
    matches!(sign, b"\"" | [0xE2, 0x80, 0x9C..=0x9E] | [0xC2, 0xAB | 0xBB])
}

fn is_single_letter(bytes: &[u8]) -> bool {
    match bytes {
        [b] => b.is_ascii_alphabetic(),
        [0xC3, _] => true,
        _ => false,
    }
}

/// Whether the signs before `end` close a sentence, and whether by a question mark. An
/// abbreviation of one or two letters (*t.ex., kl.*) does not.
fn ends_sentence(text: &[u8], end: usize) -> Option<bool> {
    let mut i = end;
    let mut closes = false;
    let mut asks = false;
    let mut only_stop = true;
    while i > 0 {
        match text[i - 1] {
            b'.' => closes = true,
            b'!' | b'\n' | b'\r' => {
                closes = true;
                only_stop = false;
            }
            b'?' => {
                closes = true;
                asks = true;
                only_stop = false;
            }
            b'"' | b')' | b'\'' | b' ' | b'\t' => {}
            // The last byte of ”, “, ’ and …; of an emoji, which people set after the full stop.
            0x9D | 0x9C | 0x99 if i >= 3 && text[i - 3] == 0xE2 => i -= 2,
            0xA6 if i >= 3 && text[i - 3] == 0xE2 => {
                closes = true;
                only_stop = false;
                i -= 2;
            }
            0x80..=0xBF if i >= 4 && text[i - 4] == 0xF0 => i -= 3,
            _ => break,
        }
        i -= 1;
        if end - i > 24 {
            break;
        }
    }
    if !closes {
        return None;
    }
    if only_stop {
        let mut letters = 0;
        while i > letters && text[i - letters - 1].is_ascii_alphabetic() && letters < 3 {
            letters += 1;
        }
        let before = i.checked_sub(letters + 1).map(|at| text[at]);
        if letters > 0
            && letters < 3
            && matches!(before, None | Some(b' ' | b'.' | b'\n'))
            && !is_short_word(&text[i - letters..i])
        {
            return None;
        }
    }
    Some(asks)
}

/// Words of two letters that end sentences; other such endings are abbreviations.
fn is_short_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"du"
            | b"er"
            | b"ni"
            | b"vi"
            | b"ja"
            | b"nu"
            | b"in"
            | b"om"
            | b"av"
            | b"se"
            | b"ge"
            | b"bo"
            | b"ta"
            | b"ut"
            | b"si"
            | b"ga"
    )
}

#[cfg(test)]
mod tests;
