//! Words as they are searched for: Swedish endings taken off, so that *skola* finds *skolan* and *skolorna*.
//!
//! The endings of nouns, adjectives and regular verbs go, one after the other, until none is left. What is
//! left need not be a word; all forms of a word shall leave the same. Vowels that change (*bok*, *böcker*)
//! and strong verbs (*skrev*) are not followed, and now and then two words leave the same: a search finds
//! rather too much than too little. Complexity: each word costs its length times a small number of endings.
//!
//! Long numbers are left out, whatever stands between their digits, so that nobody is found by a personal
//! number, a telephone number or an account (invariant 8): the mask that hides them in lists would be worth
//! little if they could be asked for.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::text::is_hidden;

/// So much of a text is searched, in bytes. What is longer is no comment.
pub const MOST_BYTES: usize = 200_000;
/// Words of a question: more are a text, not a question.
pub const MOST_WORDS: usize = 12;
/// Digits that stand together, blanks and signs between them left out, are a number from here on.
const LONG_NUMBER: usize = 6;
/// A word's letters that count. Longer ones are cut, in the text and in the question alike.
const LONGEST_WORD: usize = 40;
/// Letters that must be left where an ending goes.
const SHORTEST_STEM: usize = 3;

/// Endings, longest first within each last letter's family: the first that fits goes.
const ENDINGS: &[&str] = &[
    "heternas", "heterna", "heters", "hetens", "heten", "heter", "ornas", "arnas", "ernas",
    "andets", "andens", "andes", "andet", "anden", "arens", "enas", "orna", "arna", "erna", "ande",
    "aren", "aste", "arne", "ades", "ares", "orns", "erns", "ena", "ade", "are", "ast", "orn",
    "ern", "ens", "ets", "ors", "ars", "ers", "ans", "ats", "et", "en", "er", "ar", "or", "an",
    "ad", "at", "as", "es", "de", "te", "a", "e",
];

/// A word of a text with the stem it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its first byte in the text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// What it is found by.
    pub stem: String,
}

fn has_vowel(stem: &[char]) -> bool {
    stem.iter().any(|c| "aeiouyåäöéü".contains(*c))
}

fn may_be_left(stem: &[char]) -> bool {
    stem.len() >= SHORTEST_STEM && has_vowel(stem)
}

/// One ending less, if there is one.
fn shortened(word: &[char]) -> Option<usize> {
    for ending in ENDINGS {
        let n = ending.chars().count();
        if word.len() > n
            && word[word.len() - n..].iter().copied().eq(ending.chars())
            && may_be_left(&word[..word.len() - n])
        {
            return Some(word.len() - n);
        }
    }
    let (last, rest) = word.split_last()?;
    let before = *rest.last()?;
    let goes = match last {
        // *elevs*, *stängs*; not *buss*, and *hus* is too short.
        's' => "bcdfghjklmnoprtvyåö".contains(before),
        // *köpt*, *byggt*, *vanligt*: not *brott* or *kontrast*.
        't' => "gkpdmvj".contains(before),
        // *cykeln*.
        'n' => rest.ends_with(&['e', 'l']),
        _ => false,
    };
    (goes && may_be_left(rest)).then_some(rest.len())
}

/// What all forms of a word have in common, of a word in small letters.
fn stem(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().take(LONGEST_WORD).collect();
    while let Some(left) = shortened(&letters) {
        letters.truncate(left);
    }
    // *nyckel* as *nycklar*.
    if let [rest @ .., before, 'e', 'l'] = letters.as_slice()
        && !"aeiouyåäöl".contains(*before)
        && has_vowel(rest)
    {
        let at = letters.len() - 2;
        letters.remove(at);
    }
    letters.into_iter().collect()
}

/// The bytes of `text` that belong to long numbers.
fn long_numbers(text: &str) -> Vec<(usize, usize)> {
    let (mut found, mut run): (Vec<_>, Option<(usize, usize, usize)>) = (Vec::new(), None);
    let mut ends = |run: &mut Option<(usize, usize, usize)>| {
        if let Some((start, end, n)) = run.take()
            && n >= LONG_NUMBER
        {
            found.push((start, end));
        }
    };
    for (at, c) in text.char_indices() {
        if c.is_numeric() {
            let (start, _, n) = run.unwrap_or((at, at, 0));
            run = Some((start, at + c.len_utf8(), n + 1));
        } else if c.is_alphabetic() {
            ends(&mut run);
        }
        // Whatever else stands between digits does not part a number.
    }
    ends(&mut run);
    found
}

/// The letters and digits of a word: composed, letters in other clothes as themselves, small. Marks that are
/// no part of a letter go, vowel signs of other scripts too.
fn plain(word: &str) -> String {
    let small = word.nfkc().flat_map(char::to_lowercase);
    small.filter(|c| c.is_alphanumeric() && !is_combining_mark(*c)).collect()
}

/// Whether SQLite's cutting of words, which knows the letters of Unicode 6.1, surely takes this for a part
/// of a word.
const fn is_known(c: char) -> bool {
    matches!(c,
        '0'..='9' | 'a'..='z' | '\u{DF}'..='\u{F6}' | '\u{F8}'..='\u{2AF}'
        // Greek and Cyrillic.
        | '\u{3AC}'..='\u{3CE}' | '\u{430}'..='\u{481}' | '\u{48A}'..='\u{527}'
        // Hebrew, Arabic, Thai, Vietnamese.
        | '\u{5D0}'..='\u{5EA}' | '\u{620}'..='\u{64A}' | '\u{660}'..='\u{669}'
        | '\u{671}'..='\u{6D3}' | '\u{E01}'..='\u{E30}' | '\u{1E00}'..='\u{1EFF}'
        // Kana, Chinese, Korean.
        | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{4E00}'..='\u{9FCB}'
        | '\u{AC00}'..='\u{D7A3}')
}

/// A stem as the index holds it and a question asks for it. What SQLite might take for the end of a word
/// stands as its number: a word that it cuts in two is a phrase to it, which this index cannot answer.
fn push_known(line: &mut String, stem: &str) {
    for c in stem.chars() {
        match is_known(c) {
            true => line.push(c),
            // Letters and digits alone, and one can be told from the next.
            false => line.push_str(&format!("u{:x}u", u32::from(c))),
        }
    }
}

/// The words of a text that it is found by, in order.
pub fn words(text: &str) -> Vec<Word> {
    let text = &text[..text.floor_char_boundary(MOST_BYTES)];
    let numbers = long_numbers(text);
    let mut next_number = numbers.iter().peekable();
    let mut words = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let close = |open: &mut Option<(usize, String)>, end: usize, words: &mut Vec<Word>| {
        if let Some((start, raw)) = open.take() {
            // Composed, and letters in other clothes as themselves.
            let stem = stem(&plain(&raw));
            if !stem.is_empty() {
                words.push(Word { start, end, stem });
            }
        }
    };
    for (at, c) in text.char_indices() {
        while next_number.next_if(|(_, end)| *end <= at).is_some() {}
        let in_number = next_number.peek().is_some_and(|(start, _)| *start <= at);
        let mark = unicode_normalization::char::is_combining_mark(c);
        if !in_number && (c.is_alphanumeric() || (mark && open.is_some())) {
            open.get_or_insert_with(|| (at, String::new())).1.push(c);
        } else if !in_number && is_hidden(c) && open.is_some() {
            // Nobody sees it, so it parts no word.
        } else {
            close(&mut open, at, &mut words);
        }
    }
    close(&mut open, text.len(), &mut words);
    words
}

/// A text as the index takes it: its stems with blanks between.
pub fn indexed(text: &str) -> String {
    let mut line = String::new();
    for word in words(text) {
        if !line.is_empty() {
            line.push(' ');
        }
        push_known(&mut line, &word.stem);
    }
    line
}

/// A question: all of its words must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    stem: String,
    /// A star after it: whatever begins so.
    begins: bool,
}

/// Why nothing can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoQuestion {
    /// There is no word in it.
    #[error("there is no word to search for")]
    Empty,
    /// Only a long number.
    #[error("long numbers are not searched")]
    LongNumber,
    /// A star after fewer than three letters.
    #[error("too little of a word's beginning")]
    TooShort,
    /// See [`MOST_WORDS`].
    #[error("there are too many words")]
    TooLong,
}

impl Question {
    /// Reads what a person typed. A star at a word's end asks for all that begins so.
    ///
    /// # Errors
    /// [`NoQuestion`]: what to say is the page's.
    pub fn read(typed: &str) -> Result<Self, NoQuestion> {
        let mut terms: Vec<Term> = Vec::new();
        for word in words(typed) {
            let begins = typed[word.end..].starts_with('*');
            let stem = match begins {
                // As typed: what begins so may end in any way.
                true => plain(&typed[word.start..word.end]),
                false => word.stem,
            };
            if begins && stem.chars().count() < SHORTEST_STEM {
                return Err(NoQuestion::TooShort);
            }
            let term = Term { stem, begins };
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        match terms.len() {
            0 if !long_numbers(typed).is_empty() => Err(NoQuestion::LongNumber),
            0 => Err(NoQuestion::Empty),
            n if n > MOST_WORDS => Err(NoQuestion::TooLong),
            _ => Ok(Self { terms }),
        }
    }

    /// As SQLite's full-text search takes it.
    pub fn expression(&self) -> String {
        let mut expression = String::new();
        for term in &self.terms {
            if !expression.is_empty() {
                expression.push_str(" AND ");
            }
            // Nothing but letters and digits, so that no quotation mark is among them.
            expression.push('"');
            push_known(&mut expression, &term.stem);
            expression.push('"');
            if term.begins {
                expression.push('*');
            }
        }
        expression
    }

    /// Whether a word of a text is one that was asked for.
    pub fn hits(&self, word: &Word) -> bool {
        self.terms.iter().any(|term| match term.begins {
            true => word.stem.starts_with(&term.stem),
            false => word.stem == term.stem,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_forms_of_a_word_leave_the_same() {
        for forms in [
            "skola skolan skolor skolorna skolornas skolans skolas",
            "kommun kommunen kommuner kommunens kommunerna kommuns",
            "kommentar kommentaren kommentarer kommentarerna kommentarens",
            "elev elever eleven elevens eleverna elevs",
            "lärare läraren lärarna lärarnas lärares",
            "väg vägen vägar vägarna vägs",
            "beslut beslutet besluten beslutets",
            "brott brottet brotten brottets",
            "post posten poster",
            "buss bussen bussar bussarna",
            "hus huset husen husets",
            "nyckel nyckeln nycklar nycklarna",
            "cykel cykeln cyklar cyklarna",
            "rektor rektorn rektorer rektorerna",
            "politiker politikern politikerna",
            "människa människan människor människorna",
            "hota hotar hotade hotat",
            "arbeta arbetar arbetade arbetat arbete arbetet",
            "köper köpt köpte köp",
            "vanlig vanliga vanligt",
            "Bibliotek BIBLIOTEKET biblioteken",
        ] {
            let stems: Vec<_> = words(forms).into_iter().map(|w| w.stem).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{forms}: {stems:?}");
        }
    }

    #[test]
    fn different_words_stay_apart() {
        for pair in
            ["skola skog", "hot hat", "hus husbil", "barn bror", "far får", "bar bår", "lag lagg"]
        {
            let found = words(pair);
            assert_ne!(found[0].stem, found[1].stem, "{pair}");
        }
    }

    #[test]
    fn long_numbers_are_not_found_however_they_are_written() {
        for (text, expected) in [
            ("nummer 19850709-1234 här", "numm här"),
            ("ring 070-123 45 67", "ring"),
            ("8 5 0 7 0 9 1 2 3 4", ""),
            ("850709\u{200B}1234", ""),
            ("år 2026, linje 27", "år 2026 linj 27"),
        ] {
            assert_eq!(indexed(text), expected, "{text}");
        }
        assert_eq!(Question::read("19850709-1234"), Err(NoQuestion::LongNumber));
    }

    #[test]
    fn questions_are_read() {
        let asked = |typed: &str| Question::read(typed).map(|question| question.expression());
        assert_eq!(asked("Skolorna i \"Granby\"").unwrap(), "\"skol\" AND \"i\" AND \"granby\"");
        assert_eq!(asked("skol*").unwrap(), "\"skol\"*");
        assert_eq!(asked("a OR NEAR(b)").unwrap(), "\"a\" AND \"or\" AND \"near\" AND \"b\"");
        assert_eq!(asked(" ,. "), Err(NoQuestion::Empty));
        assert_eq!(asked("sk*"), Err(NoQuestion::TooShort));
        assert_eq!(asked(&"ord1 ord2 ord3 ord4 ".repeat(9)).unwrap().matches("AND").count(), 3);
        let many: Vec<_> = (0..13).map(|n| format!("ord{n}")).collect();
        assert_eq!(asked(&many.join(" ")), Err(NoQuestion::TooLong));
    }

    #[test]
    fn hidden_and_composed_letters_are_the_same_word() {
        let stem = |text: &str| words(text)[0].stem.clone();
        assert_eq!(stem("sko\u{200B}lan"), stem("skola"));
        assert_eq!(stem("fa\u{30A}r"), stem("får"));
        assert_eq!(stem("ｓｋｏｌａ"), stem("skola"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn words_stand_where_they_say_and_a_stem_is_its_own(text in "\\PC{0,60}") {
            let mut last = 0;
            for word in words(&text) {
                prop_assert!(last <= word.start && word.start < word.end);
                prop_assert!(text.is_char_boundary(word.start) && text.is_char_boundary(word.end));
                last = word.end;
            }
            // Whoever asks for the text itself is asking for what is in it.
            if let Ok(question) = Question::read(&text.replace('*', " ")) {
                let plain = text.replace('*', " ");
                prop_assert!(words(&plain).iter().all(|word| question.hits(word)));
            }
        }
    }
}
