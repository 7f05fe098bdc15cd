//! In which language a text is written, as far as it can be told: pure, and in one pass.
//!
//! Letters tell the script. Of what is written in Latin letters the small words tell the language
//! (*och, and, og, ja, und*): they are few, stand in every sentence, and nobody chooses them. Each
//! word votes for the languages that have it, with less weight the more they are; letters that few
//! languages have (*ø, ł, ë, ğ*) vote too. A short text, or one whose two best languages are close,
//! is of no known language: it is better not to know than to guess. The lists were written for this.

mod words;

use std::sync::LazyLock;

use crate::classify::language::words::{LATIN, WORDS};
use crate::domain::language::Language;

/// How many bytes of a text are looked at: a language shows itself early.
const MOST_BYTES: usize = 600;
/// How many votes a word of one language alone has. Divisible by all small numbers.
const WHOLE: u32 = 12;
/// From this many votes a language is told: as much as two words that no other language has.
const ENOUGH: u32 = 2 * WHOLE;
/// By this much the best must lead, of its own votes: a third.
const LEAD: u32 = 3;
/// With this lead the rest of the text is not looked at.
const CLEAR: u32 = 4 * WHOLE;
/// After so many words that voted it is seen whether there is such a lead.
const LOOK_EVERY: u32 = 6;
/// The shortest word that votes, in bytes: single letters are as often spaced-out words.
const SHORTEST: usize = 2;
/// Written so much alike that no lead is asked for between them.
const TWINS: [Language; 2] = [Language::Norwegian, Language::Danish];
/// The longest word of the lists in bytes.
const LONGEST: usize = 8;
/// Places of the table: a power of two, more than twice the words.
const PLACES: usize = 4096;

/// Which languages have a word: bit n for `LATIN[n]`.
type Mask = u32;

/// Words of at most eight bytes, by open addressing.
struct Table {
    places: Vec<(u64, Mask)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

fn packed(word: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..word.len()].copy_from_slice(word);
    u64::from_le_bytes(bytes)
}

fn place(key: u64) -> usize {
    // Fibonacci hashing: the highest bits of a product with 2^64 / φ.
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52) as usize % PLACES
}

impl Table {
    fn new() -> Self {
        let mut table = Self { places: vec![(0, 0); PLACES] };
        for (language, words) in WORDS {
            // Every language of the lists is Latin: a test says so.
            let Some(bit) = LATIN.iter().position(|l| l == language) else { continue };
            for word in words.split_whitespace().filter(|w| w.len() <= LONGEST) {
                let key = packed(word.as_bytes());
                let at = table.find(key);
                table.places[at].0 = key;
                table.places[at].1 |= 1 << bit;
            }
        }
        table
    }

    /// The word's place, or the free one where it would stand. There is always a free one.
    fn find(&self, key: u64) -> usize {
        let mut at = place(key);
        while self.places[at].0 != 0 && self.places[at].0 != key {
            at = (at + 1) % PLACES;
        }
        at
    }

    /// The languages that have the word with this key.
    fn languages(&self, key: u64) -> Mask {
        self.places[self.find(key)].1
    }
}

/// The votes so far.
#[derive(Default)]
struct Votes([u32; LATIN.len()]);

impl Votes {
    fn add(&mut self, mask: Mask, whole: u32) {
        self.add_times(mask, whole, 1);
    }

    fn add_times(&mut self, mask: Mask, whole: u32, times: u32) {
        let Some(each) = whole.checked_div(mask.count_ones()) else { return };
        let mut left = mask;
        while left != 0 {
            self.0[left.trailing_zeros() as usize] += each * times;
            left &= left - 1;
        }
    }

    /// The best language with its votes, and those of the best that is not its twin.
    fn best_two(&self) -> ((usize, u32), u32) {
        let mut best = (0, self.0[0]);
        for (at, &votes) in self.0.iter().enumerate().skip(1) {
            if votes > best.1 {
                best = (at, votes);
            }
        }
        let others = self.0.iter().enumerate().filter(|(at, _)| *at != best.0);
        let second = others.map(|(at, &votes)| {
            // What is plainly one of two that share most words is told as the better of them.
            let twin = TWINS.contains(&LATIN[at]) && TWINS.contains(&LATIN[best.0]);
            if twin && votes < best.1 { 0 } else { votes }
        });
        (best, second.max().unwrap_or(0))
    }
}

/// Letters by script, and those that tell languages of one script apart.
#[derive(Default)]
struct Scripts {
    latin: u32,
    arabic: u32,
    persian: u32,
    sorani: u32,
    cyrillic: u32,
    ukrainian: u32,
    serbian: u32,
    ethiopic: u32,
    thai: u32,
    greek: u32,
    other: u32,
}

impl Scripts {
    fn add(&mut self, c: char) {
        match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {
                self.latin += 1;
            }
            '\u{600}'..='\u{6ff}'
            | '\u{750}'..='\u{77f}'
            | '\u{fb50}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}' => {
                self.arabic += 1;
                match c {
                    'پ' | 'چ' | 'ژ' | 'گ' | 'ک' | 'ی' => self.persian += 1,
                    'ێ' | 'ۆ' | 'ڕ' | 'ڵ' | 'ە' => self.sorani += 1,
                    _ => {}
                }
            }
            '\u{400}'..='\u{52f}' => {
                self.cyrillic += 1;
                match c {
                    'і' | 'ї' | 'є' | 'ґ' | 'І' | 'Ї' | 'Є' | 'Ґ' => self.ukrainian += 1,
                    'ђ' | 'ј' | 'љ' | 'њ' | 'ћ' | 'џ' | 'Ђ' | 'Ј' | 'Љ' | 'Њ' | 'Ћ' | 'Џ' =>
                    {
                        self.serbian += 1;
                    }
                    _ => {}
                }
            }
            '\u{1200}'..='\u{139f}' => self.ethiopic += 1,
            '\u{e00}'..='\u{e7f}' => self.thai += 1,
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => self.greek += 1,
            // Letters used as pictures and disguises (enclosed, fullwidth, mathematical) tell nothing.
            '\u{1d400}'..='\u{1d7ff}' | '\u{ff00}'..='\u{ff5e}' | '\u{2100}'..='\u{214f}' => {}
            _ if c.is_alphabetic() && !('\u{1f100}'..='\u{1f1ff}').contains(&c) => self.other += 1,
            _ => {}
        }
    }

    /// The language of the letters that are not Latin, where they are the most by far.
    fn language(&self) -> Option<Language> {
        let all = [self.arabic, self.cyrillic, self.ethiopic, self.thai, self.greek, self.other];
        let (at, most) = all.iter().copied().enumerate().max_by_key(|(_, n)| *n)?;
        // One letter of those writings is often a syllable or a word.
        let fewest = if matches!(at, 2 | 3 | 5) { 4 } else { 8 };
        if most < fewest || most < 2 * self.latin {
            return None;
        }
        Some(match at {
            0 if self.sorani * 20 >= self.arabic => Language::Sorani,
            0 if self.persian * 40 >= self.arabic => Language::Persian,
            0 => Language::Arabic,
            1 if self.serbian > 0 && self.ukrainian == 0 => Language::SerboCroatian,
            1 if self.ukrainian > 0 => Language::Ukrainian,
            1 => Language::Russian,
            2 => Language::Tigrinya,
            3 => Language::Thai,
            4 => Language::Greek,
            _ => Language::Other,
        })
    }
}

/// The bits of languages, when the program is compiled.
const fn bits(languages: &[Language]) -> Mask {
    let (mut mask, mut i) = (0, 0);
    while i < languages.len() {
        let mut at = 0;
        while at < LATIN.len() {
            if LATIN[at] as u8 == languages[i] as u8 {
                mask |= 1 << at;
            }
            at += 1;
        }
        i += 1;
    }
    mask
}

/// Languages that have a letter which few have. `c` is lower case.
fn of_letter(c: char) -> Mask {
    use Language::{
        Albanian, Danish, Finnish, French, German, Kurdish, Norwegian, Polish, Romanian,
        SerboCroatian, Spanish, Swedish, Turkish,
    };
    match c {
        'å' => const { bits(&[Swedish, Norwegian, Danish]) },
        'ä' => const { bits(&[Swedish, Finnish, German]) },
        'ö' => const { bits(&[Swedish, Finnish, German, Turkish]) },
        'æ' | 'ø' => const { bits(&[Norwegian, Danish]) },
        'ß' => const { bits(&[German]) },
        'ł' | 'ą' | 'ę' | 'ż' | 'ś' | 'ź' | 'ń' => const { bits(&[Polish]) },
        'đ' | 'č' | 'š' | 'ž' => const { bits(&[SerboCroatian]) },
        'ć' => const { bits(&[SerboCroatian, Polish]) },
        'ë' => const { bits(&[Albanian]) },
        'ğ' | 'ı' => const { bits(&[Turkish]) },
        'ş' => const { bits(&[Turkish, Kurdish, Romanian]) },
        'ç' => const { bits(&[Albanian, Turkish, Kurdish, French]) },
        'ê' | 'î' | 'û' => const { bits(&[Kurdish, French]) },
        'ñ' | '¿' | '¡' => const { bits(&[Spanish]) },
        'ă' | 'ș' | 'ț' | 'ţ' => const { bits(&[Romanian]) },
        'è' | 'à' | 'ù' => const { bits(&[French]) },
        _ => 0,
    }
}

/// The word that is being read: its first letters in lower case as one number, as [`packed`] has them.
#[derive(Default)]
struct Reading {
    key: u64,
    len: usize,
    /// It is no word of the lists.
    is_other: bool,
}

impl Reading {
    #[inline]
    fn push(&mut self, byte: u8) {
        self.key |= u64::from(byte) << (8 * self.len);
        self.len += 1;
    }

    #[inline]
    fn push_ascii(&mut self, letter: u8) {
        if self.len < LONGEST {
            self.push(letter.to_ascii_lowercase());
        } else {
            self.is_other = true;
        }
    }

    fn push_char(&mut self, c: char) {
        let mut bytes = [0; 4];
        let bytes = c.encode_utf8(&mut bytes).bytes();
        if self.len + bytes.len() <= LONGEST {
            bytes.for_each(|byte| self.push(byte));
        } else {
            self.is_other = true;
        }
    }
}

/// Å, ä and ö by their second byte in UTF-8, as small letters.
const fn swedish(second: u8) -> Option<(usize, char)> {
    match second {
        0xA5 | 0x85 => Some((0, 'å')),
        0xA4 | 0x84 => Some((1, 'ä')),
        0xB6 | 0x96 => Some((2, 'ö')),
        _ => None,
    }
}

/// What has been read of a text.
#[derive(Default)]
struct Reader {
    votes: Votes,
    scripts: Scripts,
    /// How often å, ä and ö stood there since they were last counted as votes.
    swedish: [u32; 3],
    word: Reading,
    n_voted: u32,
}

impl Reader {
    /// A character that is none of the everyday ones; says whether it is part of a word.
    #[cold]
    fn rare(&mut self, c: char) -> bool {
        self.scripts.add(c);
        for lower in c.to_lowercase() {
            self.votes.add(of_letter(lower), WHOLE / 2);
            if lower.is_alphabetic() {
                self.word.push_char(lower);
            } else {
                let hidden = matches!(lower, '\u{ad}' | '\u{200b}'..='\u{200f}');
                self.word.is_other |= self.word.len > 0 && hidden;
            }
        }
        c.is_alphabetic()
    }

    fn count_swedish(&mut self) {
        for (n, letter) in std::mem::take(&mut self.swedish).into_iter().zip(['å', 'ä', 'ö']) {
            self.votes.add_times(of_letter(letter), WHOLE / 2, n);
        }
    }

    /// A word has ended; says whether the language is clear already.
    fn end_word(&mut self) -> bool {
        let word = std::mem::take(&mut self.word);
        if word.len < SHORTEST || word.is_other {
            return false;
        }
        let mask = TABLE.languages(word.key);
        if mask == 0 {
            return false;
        }
        self.votes.add(mask, WHOLE);
        self.n_voted += 1;
        if !self.n_voted.is_multiple_of(LOOK_EVERY) {
            return false;
        }
        self.count_swedish();
        let ((_, best), second) = self.votes.best_two();
        best >= second + CLEAR
    }

    fn language(mut self) -> Option<Language> {
        if let Some(language) = self.scripts.language() {
            return Some(language);
        }
        self.count_swedish();
        let ((at, best), second) = self.votes.best_two();
        (best >= ENOUGH && (best - second) * LEAD >= best).then(|| LATIN[at])
    }
}

/// The language of a text, or nothing where it is too short or too mixed to tell.
pub fn of(text: &str) -> Option<Language> {
    let text = &text[..text.floor_char_boundary(MOST_BYTES)];
    let bytes = text.as_bytes();
    let mut reader = Reader::default();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        // The letters of Swedish, of which most texts are made, one by one; all else as characters.
        if byte.is_ascii_alphabetic() {
            reader.scripts.latin += 1;
            reader.word.push_ascii(*byte);
            at += 1;
            continue;
        }
        if *byte >= 0x80 {
            let second = bytes.get(at + 1).filter(|_| *byte == 0xC3);
            if let Some((n, letter)) = second.and_then(|second| swedish(*second)) {
                reader.scripts.latin += 1;
                reader.swedish[n] += 1;
                reader.word.push_char(letter);
                at += 2;
                continue;
            }
            // `at` is always at the first byte of a character.
            let c = text[at..].chars().next().unwrap_or_default();
            at += c.len_utf8();
            if reader.rare(c) {
                continue;
            }
        } else {
            at += 1;
        }
        if reader.end_word() {
            return reader.language();
        }
    }
    // Votes that the last word brings are counted as those of any other.
    let _ = reader.end_word();
    reader.language()
}

#[cfg(test)]
mod tests;
