//! The cues of a text: what is weighed.
//!
//! A cue is small and says little alone: a word, its beginning or end, two words that stand side by
//! side, a class of the lexicon, a rule that hit, the text's outer shape. Letters are taken without
//! marks (å as a), a letter that is repeated more than twice counts twice, and signs inside a word are left
//! out, so that careless and stretched writing gives the same cues.

use std::fmt::Write as _;
use std::ops::Range;

use smallvec::SmallVec;

use crate::classify::rules::View;
use crate::classify::tokens::Kind;
use crate::classify::words::{ClassId, hash_of};

/// How many letters of a word's beginning make the shorter cue.
pub(super) const SHORT: usize = 5;
/// How many make the longer one.
pub(super) const LONG: usize = 7;
/// How many letters of a word's end make a cue.
const END: usize = 5;
/// Letters that a word needs before its end is a cue of its own.
pub(super) const FEWEST_FOR_END: usize = 7;
/// How many bytes of a word are read.
pub(super) const MOST_BYTES: usize = 40;

/// One cue, before it is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cue<'a> {
    /// A whole word (or picture).
    Word(&'a [u8]),
    /// How a longer word begins.
    Start(&'a [u8]),
    /// How a longer word ends: the head of a compound.
    End(&'a [u8]),
    /// The beginnings of two words side by side.
    Pair(&'a [u8], &'a [u8]),
    /// The beginning of the first word of a sentence.
    First(&'a [u8]),
    /// A part of a web address.
    InAddress(&'a [u8]),
    /// A class of the lexicon.
    Class(ClassId),
    /// A rule that hit, by index.
    Rule(u32),
    /// The outer shape.
    Shape(Shape),
}

/// What can be said of a text without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Shape {
    /// Up to three words.
    Tiny,
    /// Up to seven.
    Short,
    /// Up to fourteen.
    Middling,
    /// Up to 29.
    Long,
    /// More.
    VeryLong,
    /// A sentence ends with a question mark.
    Asks,
    /// Two exclamation marks or more.
    Exclaims,
    /// Mostly capitals.
    Capitals,
    /// One word with a capital inside a sentence.
    OneName,
    /// Several.
    Names,
    /// A web address.
    Address,
    /// A mail address.
    Mail,
    /// Somebody is mentioned with `@`.
    Mention,
    /// A number of one or two digits.
    SmallNumber,
    /// Three or four.
    Number,
    /// More.
    BigNumber,
    /// A number that was proved to be something.
    Identifier,
    /// A word was written in disguise.
    Disguise,
    /// Something stands between quotation marks.
    Quotes,
}

impl Shape {
    /// All of them with their names, in order.
    pub(super) const ALL: [(Self, &'static str); 19] = [
        (Self::Tiny, "tiny"),
        (Self::Short, "short"),
        (Self::Middling, "middling"),
        (Self::Long, "long"),
        (Self::VeryLong, "very-long"),
        (Self::Asks, "asks"),
        (Self::Exclaims, "exclaims"),
        (Self::Capitals, "capitals"),
        (Self::OneName, "one-name"),
        (Self::Names, "names"),
        (Self::Address, "address"),
        (Self::Mail, "mail"),
        (Self::Mention, "mention"),
        (Self::SmallNumber, "small-number"),
        (Self::Number, "number"),
        (Self::BigNumber, "big-number"),
        (Self::Identifier, "identifier"),
        (Self::Disguise, "disguise"),
        (Self::Quotes, "quotes"),
    ];

    /// How a number of so many bytes looks.
    pub(super) const fn of_number(length: u32) -> Self {
        match length {
            0..=2 => Self::SmallNumber,
            3..=4 => Self::Number,
            _ => Self::BigNumber,
        }
    }

    fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The shape of that name in the list.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, n)| *n == name).map(|(shape, _)| shape)
    }
}

/// A cue as the table knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CueKey(pub u64);

impl CueKey {
    fn tagged(tag: u64, hash: u64) -> Self {
        Self(hash.rotate_left(7).wrapping_add(tag))
    }

    /// The key of a pair, whose beginnings have these hashes.
    pub fn of_pair(front: u64, back: u64) -> Self {
        Self::tagged(4, front.rotate_left(29) ^ back)
    }
}

impl Cue<'_> {
    /// The key of a cue that is made of letters; nothing for classes and rules, which are weighed
    /// by their place.
    pub fn key(self) -> Option<CueKey> {
        let tagged = |tag: u64, hash: u64| Some(CueKey::tagged(tag, hash));
        match self {
            Self::Word(w) => tagged(1, hash_of(w)),
            Self::Start(w) => tagged(2, hash_of(w)),
            Self::End(w) => tagged(3, hash_of(w)),
            Self::Pair(a, b) => Some(CueKey::of_pair(hash_of(a), hash_of(b))),
            Self::First(w) => tagged(5, hash_of(w)),
            Self::InAddress(w) => tagged(6, hash_of(w)),
            Self::Shape(s) => tagged(7, hash_of(s.name().as_bytes())),
            Self::Class(_) | Self::Rule(_) => None,
        }
    }

    /// How the cue is written in the list.
    pub fn name(self, classes: &[String], rule: impl Fn(u32) -> String) -> String {
        let text = |w: &[u8]| String::from_utf8_lossy(w).into_owned();
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Word(w) if is_sign(w) => write!(out, "\\{}", text(w)),
            Self::Word(w) => write!(out, "{}", text(w)),
            Self::Start(w) => write!(out, "{}-", text(w)),
            Self::End(w) => write!(out, "-{}", text(w)),
            Self::Pair(a, b) => write!(out, "{} {}", text(a), text(b)),
            Self::First(w) => write!(out, "^{}", text(w)),
            Self::InAddress(w) => write!(out, "//{}", text(w)),
            Self::Class(c) => write!(out, "@{}", classes[c.0 as usize]),
            Self::Rule(r) => write!(out, "!{}", rule(r)),
            Self::Shape(s) => write!(out, "%{}", s.name()),
        };
        out
    }
}

/// Whether the word, written as it is, would be read as another kind of cue.
fn is_sign(word: &[u8]) -> bool {
    word.len() > 1
        && (matches!(word[0], b'=' | b'@' | b'!' | b'%' | b'^' | b'-' | b'/' | b'\\')
            || word.ends_with(b"-"))
}

/// Tells `tell` every cue of a stretch of tokens, with the token at which it stands (none for those
/// of the stretch as a whole). The same cue may be told more than once.
pub fn each_cue(
    view: &View<'_>,
    stretch: Range<usize>,
    mut tell: impl FnMut(Cue<'_>, Option<u32>),
) {
    let bytes = view.folded.bytes();
    let mut before = SmallVec::<[u8; MOST_BYTES]>::new();
    let mut word = SmallVec::<[u8; MOST_BYTES]>::new();
    let mut names = 0;
    let before_it = stretch.start.checked_sub(1).map(|at| view.token(at));
    let mut sentence = before_it.map_or(u32::MAX, |token| token.sentence);
    for at in stretch.clone() {
        let token = view.token(at);
        let place = Some(at as u32);
        for class in view.words.classes_of(token.entry) {
            tell(Cue::Class(*class), place);
        }
        if token.disguised {
            tell(Cue::Shape(Shape::Disguise), place);
        }
        if token.quoted {
            tell(Cue::Shape(Shape::Quotes), place);
        }
        let first = token.sentence != sentence;
        sentence = token.sentence;
        word.clear();
        let written = &bytes[token.start as usize..token.end as usize];
        match token.kind {
            Kind::Word | Kind::Picture => plain(written, &mut word),
            Kind::Number => {
                tell(Cue::Shape(Shape::of_number(token.end - token.start)), place);
                word.push(b'0');
            }
            Kind::Address => {
                tell(Cue::Shape(Shape::Address), place);
                address(written, |part| {
                    tell(Cue::InAddress(part), place);
                });
                word.push(b'/');
            }
            Kind::Mail => {
                tell(Cue::Shape(Shape::Mail), place);
                word.push(b'/');
            }
            Kind::Mention => {
                tell(Cue::Shape(Shape::Mention), place);
                word.push(b'@');
            }
            Kind::Identifier => {
                tell(Cue::Shape(Shape::Identifier), place);
                word.push(b'0');
            }
        }
        if token.kind == Kind::Word {
            names += usize::from(!first && view.is_capital(at));
        }
        if matches!(token.kind, Kind::Word | Kind::Picture) {
            tell(Cue::Word(&word), place);
            if word.len() > SHORT {
                tell(Cue::Start(cut(&word, SHORT)), place);
            }
            if word.len() > LONG {
                tell(Cue::Start(cut(&word, LONG)), place);
            }
            if written.len() > MOST_BYTES {
                tell(Cue::End(end(&last_letters(written))), place);
            } else if word.len() >= FEWEST_FOR_END {
                tell(Cue::End(end(&word)), place);
            }
        }
        if first {
            tell(Cue::First(cut(&word, SHORT)), place);
        } else if !before.is_empty() {
            tell(Cue::Pair(cut(&before, SHORT), cut(&word, SHORT)), place);
        }
        std::mem::swap(&mut before, &mut word);
    }
    shape(view, stretch, names, |shape| tell(Cue::Shape(shape), None));
}

/// What is said of the stretch as a whole.
pub(super) fn shape(
    view: &View<'_>,
    stretch: Range<usize>,
    names: usize,
    mut tell: impl FnMut(Shape),
) {
    tell(match stretch.len() {
        0..=3 => Shape::Tiny,
        4..=7 => Shape::Short,
        8..=14 => Shape::Middling,
        15..=29 => Shape::Long,
        _ => Shape::VeryLong,
    });
    let sentence = |at: usize| view.token(at).sentence as usize;
    let sentences = sentence(stretch.start)..=sentence(stretch.end - 1);
    if view.tokens.sentences[sentences].iter().any(|s| s.asks) {
        tell(Shape::Asks);
    }
    match names {
        0 => {}
        1 => tell(Shape::OneName),
        _ => tell(Shape::Names),
    }
    // With the signs that follow the last word.
    let next = view.tokens.tokens.get(stretch.end);
    let from = view.token(stretch.start).start as usize;
    let to = next.map_or(view.folded.bytes().len(), |next| next.start as usize);
    let to = to.max(view.token(stretch.end - 1).end as usize).max(from + 1);
    let signs = &view.folded.bytes()[from..to];
    if memchr::memchr_iter(b'!', signs).take(2).count() == 2 {
        tell(Shape::Exclaims);
    }
    let original = view.folded.original(from as u32, to as u32);
    let written = &view.original.as_bytes()[original.start as usize..original.end as usize];
    let capitals = count(written, |b| b.is_ascii_uppercase());
    if capitals > 8 && capitals > 2 * count(written, |b| b.is_ascii_lowercase()) {
        tell(Shape::Capitals);
    }
}

/// How many bytes are so; summed in single bytes first, so that the compiler does sixteen at a time.
fn count(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    let of_piece = |piece: &[u8]| piece.iter().map(|b| u8::from(is(*b))).sum::<u8>();
    bytes.chunks(128).map(|piece| usize::from(of_piece(piece))).sum()
}

/// Whether [`plain`] leaves a word as it is: short, in plain letters, none of them three times in a
/// row.
pub(super) fn is_plain(word: &[u8]) -> bool {
    word.len() + 4 < MOST_BYTES
        && word.iter().all(u8::is_ascii_alphanumeric)
        && !word.windows(3).any(|w| w[0] == w[1] && w[1] == w[2])
}

/// As [`plain`], for a short word in the letters of Swedish, faster; gives its length. Nothing for any
/// other word.
pub(super) fn plain_swedish(word: &[u8], out: &mut [u8; MOST_BYTES]) -> Option<usize> {
    if word.len() + 4 >= MOST_BYTES {
        return None;
    }
    let mut n = 0;
    let mut is_second = false;
    for b in word {
        let letter = match (is_second, b) {
            (false, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') => *b,
            (false, 0xC3) => {
                is_second = true;
                continue;
            }
            (true, 0xA5 | 0xA4) => b'a',
            (true, 0xB6) => b'o',
            (true, 0xA9) => b'e',
            _ => return None,
        };
        is_second = false;
        if n < 2 || out[n - 1] != letter || out[n - 2] != letter {
            out[n] = letter;
            n += 1;
        }
    }
    (!is_second).then_some(n)
}

/// The word in the plain letters of cues.
pub(super) fn plain(word: &[u8], out: &mut SmallVec<[u8; MOST_BYTES]>) {
    // A picture may be all signs.
    let has_letters = word.iter().any(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
    let mut i = 0;
    while i < word.len() && out.len() + 4 < MOST_BYTES {
        let letter = match (word[i], word.get(i + 1)) {
            (0xC3, Some(0xA5 | 0xA4 | 0xA0 | 0xA1)) => Some(b'a'),
            (0xC3, Some(0xB6 | 0xB8)) => Some(b'o'),
            (0xC3, Some(0xA9 | 0xA8)) => Some(b'e'),
            _ => None,
        };
        let letter = match letter {
            Some(letter) => {
                i += 2;
                letter
            }
            None => {
                i += 1;
                word[i - 1]
            }
        };
        if letter.is_ascii() && !letter.is_ascii_alphanumeric() && has_letters {
            continue;
        }
        let n = out.len();
        if n >= 2 && letter.is_ascii() && out[n - 1] == letter && out[n - 2] == letter {
            continue;
        }
        out.push(letter);
    }
    // Never half a character.
    while i < word.len() && word[i] & 0xC0 == 0x80 {
        out.push(word[i]);
        i += 1;
    }
}

/// The end of a word that is too long to be read whole, in the plain letters of cues.
pub(super) fn last_letters(word: &[u8]) -> SmallVec<[u8; MOST_BYTES]> {
    let mut from = word.len().saturating_sub(MOST_BYTES / 2);
    while word[from] & 0xC0 == 0x80 {
        from += 1;
    }
    let mut letters = SmallVec::new();
    plain(&word[from..], &mut letters);
    letters
}

/// The first `n` bytes, or a few more where a character would be cut through.
pub(super) fn cut(word: &[u8], n: usize) -> &[u8] {
    let mut to = n.min(word.len());
    while to < word.len() && word[to] & 0xC0 == 0x80 {
        to += 1;
    }
    &word[..to]
}

/// The last bytes, or a few more where a character would be cut through.
pub(super) fn end(word: &[u8]) -> &[u8] {
    let mut from = word.len().saturating_sub(END);
    while from > 0 && word[from] & 0xC0 == 0x80 {
        from -= 1;
    }
    &word[from..]
}

/// The runs of letters in an address.
pub(super) fn address(address: &[u8], mut tell: impl FnMut(&[u8])) {
    for part in address.split(|b| !b.is_ascii_alphanumeric() && *b < 0x80).take(8) {
        if part.len() >= 2 && !matches!(part, b"http" | b"https" | b"www") {
            tell(cut(part, MOST_BYTES));
        }
    }
}
