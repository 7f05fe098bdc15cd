//! The folded text cut into words, numbers, pictures and addresses, with sentence borders.
//!
//! One pass, no allocation once the buffers have grown. The hash of a word is computed while it is
//! read, so that the look-up that follows costs one probe. A *chunk* is what stands between
//! blanks; a chunk that mixes letters with digits or signs is handed to
//! [`crate::classify::disguise`].

use smallvec::SmallVec;

use crate::classify::words::{EntryId, HASH_START, Words, hash_step};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            0xE2 => (Class::Sign, 3),
            0xE3 if text[i + 1] == 0x80 => (Class::Sign, 3),
            0xE0..=0xEF => (Class::Letter, 3),
            _ => (Class::High, 4),
        },
        class => (class, 1),
    }
}

/// What was seen in the chunk being read.
#[derive(Clone, Copy, Default)]
struct Chunk {
    start: usize,
    first_token: usize,
    letters: bool,
    digits: bool,
    signs: bool,
    stretched: bool,
}

impl Tokens {
    /// Cuts `text` (folded) and looks every word up in `words`. `stripped` says that words may
    /// also be read as written without å, ä, ö.
    pub fn cut(&mut self, text: &[u8], words: &Words, stripped: bool) {
        self.tokens.clear();
        self.sentences.clear();
        self.quotes.clear();
        self.n_digits = 0;
        self.n_addresses = 0;
        self.may_match = false;
        let mut first_of_sentence = 0;
        let mut chunk = Chunk::default();
        let mut i = 0;
        while i < text.len() {
            let (class, length) = class_at(text, i);
            match class {
                Class::Blank => {
                    if i > chunk.start {
                        self.end_chunk(text, &chunk, i, words, stripped);
                    }
                    let mut lines = 0;
                    let mut j = i;
                    while j < text.len() {
                        let (class, length) = class_at(text, j);
                        if class != Class::Blank {
                            break;
                        }
                        lines += usize::from(text[j] == b'\n');
                        j += length;
                    }
                    if lines > 1 || (lines == 1 && self.tokens.len() - first_of_sentence > 3) {
                        self.end_sentence(&mut first_of_sentence, false);
                    } else if let Some(asks) = ends_sentence(text, i) {
                        self.end_sentence(&mut first_of_sentence, asks);
                    }
                    i = j;
                    chunk = Chunk { start: i, first_token: self.tokens.len(), ..Chunk::default() };
                }
                Class::Letter | Class::Digit => {
                    i = self.word(text, i, words, stripped, &mut chunk);
                }
                Class::Sign => {
                    if is_quote(&text[i..i + length]) {
                        self.quotes.push(self.tokens.len() as u32);
                    } else {
                        chunk.signs = true;
                    }
                    i += length;
                }
                Class::High => {
                    let mut hash = HASH_START;
                    for b in &text[i..i + length] {
                        hash = hash_step(hash, *b);
                    }
                    let entry = words.look_up(hash, &text[i..i + length], false);
                    self.push(i, i + length, Kind::Picture, entry);
                    i += length;
                }
            }
        }
        if text.len() > chunk.start {
            self.end_chunk(text, &chunk, text.len(), words, stripped);
        }
        let asks = ends_sentence(text, text.len()) == Some(true);
        self.end_sentence(&mut first_of_sentence, asks);
        self.mark_quoted();
        self.join_spaced(text, words, stripped);
        self.may_match = self.tokens.iter().any(|t| words.begins_rule(t.entry));
    }

    fn word(
        &mut self,
        text: &[u8],
        start: usize,
        words: &Words,
        stripped: bool,
        chunk: &mut Chunk,
    ) -> usize {
        let mut i = start;
        let mut hash = HASH_START;
        let mut digits = 0;
        let mut letters = false;
        let mut previous = 0;
        let mut run = 0;
        let mut stretched = false;
        while i < text.len() {
            let b = text[i];
            let length = match CLASS[b as usize] {
                Class::Letter => {
                    letters = true;
                    1
                }
                Class::Digit => {
                    digits += 1;
                    1
                }
                Class::High => match class_at(text, i) {
                    (Class::Letter, length) => {
                        letters = true;
                        length
                    }
                    _ => break,
                },
                Class::Blank | Class::Sign => break,
            };
            // The last byte tells stretched letters of several bytes apart well enough.
            let last = text[i + length - 1];
            run = if last == previous { run + 1 } else { 1 };
            stretched |= run >= 3 && !last.is_ascii_digit();
            previous = last;
            for b in &text[i..i + length] {
                hash = hash_step(hash, *b);
            }
            i += length;
        }
        self.n_digits += digits;
        chunk.letters |= letters;
        chunk.digits |= digits > 0;
        chunk.stretched |= stretched;
        let kind = if letters { Kind::Word } else { Kind::Number };
        let bytes = &text[start..i];
        let mut entry = words.look_up(hash, bytes, stripped);
        let mut disguised = false;
        if entry == EntryId::UNKNOWN && letters {
            entry = words.compound(bytes, stripped);
            if entry == EntryId::UNKNOWN && stretched {
                entry = words.look_up_squeezed(bytes);
                disguised = entry != EntryId::UNKNOWN;
            }
        }
        self.push(start, i, kind, entry);
        if disguised && let Some(last) = self.tokens.last_mut() {
            last.disguised = true;
        }
        i
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

    /// Looks at what stood between two blanks: an address, a mention, a disguise?
    fn end_chunk(&mut self, text: &[u8], chunk: &Chunk, end: usize, words: &Words, stripped: bool) {
        if !chunk.letters || !(chunk.signs || chunk.digits) {
            return;
        }
        let bytes = &text[chunk.start..end];
        if let Some((kind, from, to)) = crate::classify::address::whole_chunk(bytes) {
            self.n_addresses += 1;
            self.replace_chunk(chunk, from, to, kind, EntryId::UNKNOWN);
            return;
        }
        if let Some((entry, from, to)) =
            crate::classify::disguise::undo(bytes, words, stripped, chunk.stretched)
        {
            self.replace_chunk(chunk, from, to, Kind::Word, entry);
            if let Some(last) = self.tokens.last_mut() {
                last.disguised = true;
            }
        } else {
            self.cut_hashtag(text, chunk, words, stripped);
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
        while i + 2 < self.tokens.len() {
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
            if j - i >= 3 {
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
