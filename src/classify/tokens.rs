//! The folded text cut into words, numbers, pictures and addresses, with sentence borders.
//!
//! No allocation once the buffers have grown. [`borders`] says where words stand; from border to
//! border a word is taken as a number or two, its look-up costs one probe, and what stands between
//! two words is looked at only where it is not a single blank. A *chunk* is what stands between
//! blanks; a chunk that mixes letters with digits or signs is handed to
//! [`crate::classify::disguise`].

pub mod borders;
pub mod chunk;
pub mod looks;
mod met;
pub mod sentence;
pub mod spaced;

use crate::classify::fold::{BLOCK, Padded};
use crate::classify::tokens::borders::Borders;
use crate::classify::tokens::chunk::{Chunk, Class, Stage, class_at};
use crate::classify::tokens::looks::{
    count_digits, has_stretched, is_quote, is_single_letter, is_stretched,
};
use crate::classify::tokens::met::Met;
use crate::classify::tokens::sentence::ends_sentence;
use crate::classify::tokens::spaced::FEWEST_SPACED;
use crate::classify::vocabulary::{self, About, Known, Vocabulary, WordId, WordKey};
use crate::classify::words::{EntryId, SeenTraits, Words, hash_of};

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
    /// It may be the first part of a compound that was written apart; true too often, never too
    /// seldom.
    pub leads: bool,
    /// Where it is kept as a word; nowhere once it was joined with others or cut.
    pub word: WordId,
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
    /// What the entries of all tokens have in them; known when what is broken was repaired.
    pub seen: SeenTraits,
    /// Whether any token may begin a rule, identifiers among them; known from then on too.
    pub may_match: bool,
    /// The tokens of which not all is known yet.
    pub open: Vec<u32>,
    /// What is known of all others together.
    pub about: About,
    /// How many of these are number words.
    pub n_numbers: usize,
    /// The tokens are no longer those that were cut: some were made one, or several.
    pub is_changed: bool,
    met: Met,
    /// The tokens before which quotation marks stand.
    quotes: Vec<u32>,
    /// How many tokens may be single letters.
    n_single: usize,
    borders: Borders,
}

/// How many addresses a text must have, to repeat itself by these alone.
const FEWEST_ADDRESSES: usize = 3;

/// What cutting one text needs beside the tokens.
struct Cut<'a> {
    text: Padded<'a>,
    words: &'a Words,
    vocabulary: &'a mut Vocabulary,
    stripped: bool,
    may_stretch: bool,
    /// The chunk being read; nothing when it is the last token alone, letters between blanks.
    chunk: Option<Chunk>,
    first_of_sentence: usize,
}

impl Tokens {
    /// Cuts `text` (folded) and looks every word up in `words`. `stripped` says that words may
    /// also be read as written without å, ä, ö. The vocabulary must have begun with this text.
    pub fn cut(
        &mut self,
        text: Padded<'_>,
        words: &Words,
        vocabulary: &mut Vocabulary,
        stripped: bool,
    ) {
        self.tokens.clear();
        self.sentences.clear();
        self.quotes.clear();
        self.open.clear();
        self.about = About::default();
        self.n_numbers = 0;
        self.is_changed = false;
        self.met = Met::default();
        self.n_single = 0;
        self.n_addresses = 0;
        vocabulary.begin_text();
        let mut borders = std::mem::take(&mut self.borders);
        borders.fill(text);
        self.n_digits = borders.n_digits;
        let mut cut = Cut {
            text,
            words,
            vocabulary,
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
                    // A comma after a plain word says nothing either.
                    let plain = matches!(&text.bytes()[end..start], b" " | b", ");
                    if !plain || cut.chunk.is_some() {
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
                    let hash = hash_of(picture);
                    let entry = cut.words.look_up(hash, picture, false);
                    self.met.meet_hashed(hash);
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

    /// A word: most have been met before.
    #[inline]
    fn word(&mut self, cut: &mut Cut<'_>, start: usize, end: usize) {
        let length = end - start;
        if length > vocabulary::LONGEST {
            return self.new_word(cut, start, end, None);
        }
        let key = WordKey::cut(cut.text.key(start), length, cut.stripped);
        let Some((word, is_met, known)) = cut.vocabulary.find(key) else {
            return self.new_word(cut, start, end, Some(key));
        };
        // What is kept has no digits.
        if let Some(chunk) = &mut cut.chunk {
            chunk.word();
            chunk.letters = true;
        }
        self.n_single +=
            usize::from(length <= 2 && is_single_letter(&cut.text.bytes()[start..end]));
        let Known { entry, about, .. } = *known;
        self.met.meet(word.number(), is_met);
        self.about = self.about.or(about);
        self.n_numbers += usize::from(about.has(About::NUMBER));
        if !about.has(About::SETTLED) {
            self.open.push(self.tokens.len() as u32);
        }
        self.tokens.push(Token {
            start: start as u32,
            end: end as u32,
            sentence: self.sentences.len() as u32,
            entry,
            kind: Kind::Word,
            disguised: about.has(About::DISGUISED),
            quoted: false,
            leads: about.has(About::LEADS),
            word,
        });
    }

    /// A word that is not kept. It is, if it has a key and no digits.
    #[cold]
    fn new_word(&mut self, cut: &mut Cut<'_>, start: usize, end: usize, key: Option<WordKey>) {
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
        let hash = hash_of(bytes);
        let mut entry = cut.words.look_up(hash, bytes, cut.stripped);
        if !letters {
            self.met.meet_hashed(hash);
            return self.push(start, end, Kind::Number, entry);
        }
        let mut disguised = false;
        if entry == EntryId::UNKNOWN {
            entry = cut.words.compound(bytes, cut.stripped);
        }
        if entry == EntryId::UNKNOWN && is_stretched(bytes) {
            entry = cut.words.look_up_drawn_out(bytes, cut.stripped);
            if entry == EntryId::UNKNOWN {
                entry = cut.words.look_up_squeezed(bytes);
            }
            disguised = cut.words.disguisable(entry);
        }
        let leads = cut.words.is_first_part(bytes);
        let word = match key {
            Some(key) if digits == 0 => {
                let about = About::default();
                let about = about.with(About::DISGUISED, disguised).with(About::LEADS, leads);
                cut.vocabulary.keep(key, bytes.len(), entry, about)
            }
            Some(_) | None => WordId::NONE,
        };
        if word == WordId::NONE {
            self.met.meet_hashed(hash);
        } else {
            self.met.meet(word.number(), false);
        }
        self.push(start, end, Kind::Word, entry);
        if let Some(last) = self.tokens.last_mut() {
            last.disguised = disguised;
            last.leads = leads;
            last.word = word;
        }
    }

    fn push(&mut self, start: usize, end: usize, kind: Kind, entry: EntryId) {
        self.open.push(self.tokens.len() as u32);
        self.tokens.push(Token {
            start: start as u32,
            end: end as u32,
            sentence: self.sentences.len() as u32,
            entry,
            kind,
            disguised: false,
            quoted: false,
            leads: kind == Kind::Word,
            word: WordId::NONE,
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
        }
    }

    /// One token in the place of those that the chunk gave.
    fn replace_chunk(&mut self, chunk: &Chunk, from: usize, to: usize, kind: Kind, entry: EntryId) {
        self.is_changed = true;
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

    /// Takes out the tokens that went into others, and counts the sentences anew.
    pub fn close_up(&mut self) {
        self.is_changed = true;
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

    /// Whether the text may say the same thing again. True too often, never too seldom.
    pub fn may_repeat(&self) -> bool {
        self.met.again || self.is_changed || self.n_addresses >= FEWEST_ADDRESSES
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

#[cfg(test)]
mod tests;
