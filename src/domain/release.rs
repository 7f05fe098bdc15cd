//! Handing out public records (*utlämnande av allmän handling*, tryckfrihetsförordningen 2 kap.).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::ids::{CaseId, ContentHash, EvidenceId};
use super::text::is_hidden;

/// The number of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseId(pub i64);

impl std::fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// Handed out, whole or in part.
    Released,
    /// Refused: nothing was handed out.
    Refused,
    /// Whoever asked took it back.
    Withdrawn,
}

impl ReleaseOutcome {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Released, Self::Refused, Self::Withdrawn];

    /// Identifier in forms and in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Released => "utlämnat",
            Self::Refused => "avslaget",
            Self::Withdrawn => "återtaget av den som bad om det",
        }
    }

    /// The outcome with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.id() == id)
    }
}

/// A request.
#[derive(Clone, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub id: ReleaseId,
    /// What is asked for.
    pub subject: String,
    /// Who asks, where they have said so of their own will: nobody has to (2 kap. 18 §).
    pub asker: Option<String>,
    /// When it came, and who noted it.
    pub opened: (Timestamp, String),
    /// How it ended: when, by whom, how, and the person's words.
    pub ended: Option<(Timestamp, String, ReleaseOutcome, String)>,
    /// The document that was handed out.
    pub pdf: Option<ContentHash>,
    /// How many records it is about.
    pub n_records: u64,
}

/// What and who stay out of logs.
impl std::fmt::Debug for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Release")
            .field("id", &self.id)
            .field("n_records", &self.n_records)
            .finish_non_exhaustive()
    }
}

/// A word or phrase that is masked wherever it stands in a record, and the provision under which: a note of
/// secrecy must name its own (2 kap. 20 §).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// As it is written.
    pub phrase: String,
    /// For example *21 kap. 7 § OSL*.
    pub provision: String,
}

/// A record of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// The record.
    pub evidence: EvidenceId,
    /// Its case.
    pub case: CaseId,
    /// The provision under which nothing of its content is handed out.
    pub withheld: Option<String>,
    /// The provision under which neither its sender nor a link to it is handed out.
    pub sender_withheld: Option<String>,
    /// What is masked.
    pub masks: Vec<Mask>,
}

/// What stands in the place of what is masked.
pub const MASKED: &str = "[maskat]";

/// The text with what is masked struck out, and under which provisions in how many places.
///
/// A phrase is found however it was typed: capitals and small letters are one, composed letters and those with
/// their mark apart (*Å* in two ways), all kinds and rows of blanks; hidden characters within it count for
/// nothing, and a letter of another script is the Latin one that `alike` reads it as. Numbers are found by their
/// digits, names of several words also where other signs or none part them, turned round, and as an address or a
/// user name writes them.
pub fn masked(text: &str, masks: &[Mask], alike: Alike) -> (String, Vec<(String, usize)>) {
    let letters = letters(text, alike);
    let mut cuts: Vec<(usize, usize, &str)> = Vec::new();
    for mask in masks {
        let mut cut = |from, to| cuts.push((from, to, mask.provision.as_str()));
        each_place(&letters, &mask.phrase, alike, &mut cut);
        each_other_form(&letters, &mask.phrase, alike, &mut cut);
    }
    cuts.sort_unstable_by_key(|(from, to, _)| (*from, std::cmp::Reverse(*to)));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    let mut grounds: Vec<(String, usize)> = Vec::new();
    for (from, to, provision) in cuts {
        let is_new = from >= at;
        if is_new {
            out.push_str(text.get(at..from).unwrap_or_default());
            out.push_str(MASKED);
        }
        match grounds.iter_mut().find(|(known, _)| known == provision) {
            Some((_, n)) => *n += usize::from(is_new),
            // Within one that is struck out already: its own provision is told all the same.
            None => grounds.push((provision.to_owned(), 1)),
        }
        at = at.max(to);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, grounds)
}

/// Whether [`masked`] strikes the phrase out anywhere in the text.
pub fn stands_in(text: &str, phrase: &str, alike: Alike) -> bool {
    let mut found = false;
    let letters = letters(text, alike);
    each_place(&letters, phrase, alike, |_, _| found = true);
    each_other_form(&letters, phrase, alike, |_, _| found = true);
    found
}

/// What a letter of another script is read as, where it is one that looks like a Latin one.
pub type Alike = fn(char) -> Option<&'static str>;

/// A letter as it is compared, and the bytes of the text that it was read from.
struct Letter {
    letter: char,
    from: usize,
    to: usize,
}

/// The letters of a text without marks of their own, small, every row of blanks as one.
fn letters(text: &str, alike: Alike) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::with_capacity(text.len());
    for (from, c) in text.char_indices() {
        let to = from + c.len_utf8();
        // The separators of lines and paragraphs are hidden as well, and blanks all the same.
        if is_hidden(c) && !c.is_whitespace() {
            continue;
        }
        if c.is_whitespace() {
            match letters.last_mut() {
                Some(last) if last.letter == ' ' => last.to = to,
                _ => letters.push(Letter { letter: ' ', from, to }),
            }
            continue;
        }
        for small in std::iter::once(c).nfkd().flat_map(char::to_lowercase) {
            match alike(small) {
                Some(latin) => {
                    letters.extend(latin.nfkd().map(|letter| Letter { letter, from, to }))
                }
                None => letters.push(Letter { letter: small, from, to }),
            }
        }
    }
    letters
}

/// Tells where the phrase stands, as bytes of the text.
fn each_place(text: &[Letter], phrase: &str, alike: Alike, mut tell: impl FnMut(usize, usize)) {
    let wanted: Vec<char> =
        letters(phrase.trim(), alike).iter().map(|letter| letter.letter).collect();
    if wanted.is_empty() {
        return;
    }
    let mut at = 0;
    while let Some(window) = text.get(at..at + wanted.len()) {
        let is_it = window.iter().zip(&wanted).all(|(letter, wanted)| letter.letter == *wanted);
        // A mark behind it belongs to its last letter, which then is another one.
        let ends = text.get(at + wanted.len()).is_none_or(|next| !is_combining_mark(next.letter));
        match (is_it && ends, window.first(), window.last()) {
            (true, Some(first), Some(last)) => {
                tell(first.from, last.to);
                at += wanted.len();
            }
            _ => at += 1,
        }
    }
}

/// From so many digits a phrase without letters is a number, which everybody groups as they like.
const NUMBER: usize = 6;

/// Names with fewer letters are found as they are written alone: run together they stand within other words.
const NAME: usize = 5;

/// How many signs may part two letters of a name, or two digits of a number.
const MOST_BETWEEN: usize = 3;

/// Tells where the phrase stands in another form, as bytes of the text.
fn each_other_form(
    text: &[Letter],
    phrase: &str,
    alike: Alike,
    mut tell: impl FnMut(usize, usize),
) {
    let wanted: Vec<char> =
        letters(phrase.trim(), alike).iter().map(|letter| letter.letter).collect();
    let digits: Vec<char> = wanted.iter().copied().filter(char::is_ascii_digit).collect();
    if digits.len() >= NUMBER && !wanted.iter().any(|c| c.is_alphabetic()) {
        for form in forms_of_number(digits) {
            each_parted(
                text,
                &form,
                |c| c.is_ascii_digit(),
                |_, from, to| {
                    if let Some((from, to)) = whole_number(text, from, to) {
                        tell(from, to);
                    }
                },
            );
        }
        return;
    }
    let is_of_name = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let words: Vec<Vec<char>> = wanted
        .split(|c| !is_of_name(*c))
        .filter(|word| !word.is_empty())
        .map(<[char]>::to_vec)
        .collect();
    let [first @ .., last] = words.as_slice() else { return };
    if first.is_empty() || words.iter().flatten().filter(|c| c.is_alphanumeric()).count() < NAME {
        return;
    }
    let plain = |form: &[char]| -> Vec<char> {
        form.iter().copied().filter(|c| !is_combining_mark(*c)).collect()
    };
    for form in [words.concat(), [last.clone(), first.concat()].concat()] {
        each_parted(text, &form, is_of_name, |_, from, to| {
            if let Some((from, to)) = whole_name(text, from, to) {
                tell(from, to);
            }
        });
        // Addresses and user names have no å, ä, ö.
        each_parted(text, &plain(&form), char::is_alphanumeric, |_, from, to| {
            let at = |n: Option<usize>| n.and_then(|n| text.get(n)).map(|letter| letter.letter);
            let is_handle = at(to.checked_add(1)) == Some('@')
                || matches!(at(from.checked_sub(1)), Some('@' | '/'));
            if let (true, Some(first), Some(last)) = (is_handle, text.get(from), text.get(to)) {
                tell(first.from, last.to);
            }
        });
    }
}

/// The digits, also after the country code, and without the century.
fn forms_of_number(digits: Vec<char>) -> Vec<Vec<char>> {
    let mut forms = Vec::new();
    match digits.as_slice() {
        ['0', rest @ ..] if rest.len() > NUMBER => {
            for code in ["46", "0046"] {
                forms.push(code.chars().chain(rest.iter().copied()).collect());
            }
        }
        ['1', '9', rest @ ..] | ['2', '0', rest @ ..] if rest.len() == 10 => {
            forms.push(rest.to_vec());
        }
        _ => {}
    }
    forms.push(digits);
    forms
}

/// Tells where the letters of a form stand after one another with nothing but a few other signs between: which, and
/// the first and the last place in the text.
fn each_parted(
    text: &[Letter],
    form: &[char],
    keep: impl Fn(char) -> bool,
    mut tell: impl FnMut(&[(usize, char)], usize, usize),
) {
    let kept: Vec<(usize, char)> = text
        .iter()
        .enumerate()
        .filter(|(_, letter)| keep(letter.letter))
        .map(|(at, letter)| (at, letter.letter))
        .collect();
    let parts = |from: usize, to: usize| {
        let between = text.get(from + 1..to).unwrap_or_default();
        between.len() <= MOST_BETWEEN
            && between.iter().all(|l| !l.letter.is_alphanumeric() || is_combining_mark(l.letter))
    };
    for window in kept.windows(form.len().max(1)) {
        let is_it = window.iter().zip(form).all(|((_, letter), wanted)| letter == wanted)
            && window.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if parts(*a, *b)));
        if let (true, Some((from, _)), Some((to, _))) = (is_it, window.first(), window.last()) {
            tell(window, *from, *to);
        }
    }
}

/// The bytes of a number that no other digits belong to, but for a century before it.
fn whole_number(text: &[Letter], from: usize, to: usize) -> Option<(usize, usize)> {
    let is_digit = |n: Option<usize>| {
        n.and_then(|n| text.get(n)).is_some_and(|letter| letter.letter.is_ascii_digit())
    };
    let century = from.checked_sub(2).and_then(|at| text.get(at..from)).is_some_and(
        |two| matches!(two, [a, b] if matches!((a.letter, b.letter), ('1', '9') | ('2', '0'))),
    );
    let begins = if century && !is_digit(from.checked_sub(3)) { from - 2 } else { from };
    let is_whole = !is_digit(begins.checked_sub(1)) && !is_digit(to.checked_add(1));
    is_whole.then(|| Some((text.get(begins)?.from, text.get(to)?.to))).flatten()
}

/// The bytes of a name that stands by itself, with the *s* of a genitive.
fn whole_name(text: &[Letter], from: usize, to: usize) -> Option<(usize, usize)> {
    let is_letter = |n: Option<usize>| {
        n.and_then(|n| text.get(n)).is_some_and(|letter| {
            letter.letter.is_alphanumeric() || is_combining_mark(letter.letter)
        })
    };
    let genitive = text.get(to + 1).is_some_and(|letter| letter.letter == 's');
    let to = if genitive && !is_letter(to.checked_add(2)) { to + 1 } else { to };
    let is_whole = !is_letter(from.checked_sub(1)) && !is_letter(to.checked_add(1));
    is_whole.then(|| Some((text.get(from)?.from, text.get(to)?.to))).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The two letters that the tests disguise.
    fn alike(c: char) -> Option<&'static str> {
        match c {
            'а' => Some("a"),
            'к' => Some("k"),
            _ => None,
        }
    }

    fn masked(text: &str, masks: &[Mask]) -> (String, Vec<(String, usize)>) {
        super::masked(text, masks, alike)
    }

    #[test]
    fn a_name_in_letters_of_another_script_is_the_same_name() {
        let masks = [mask("Åsa Ek", "21:7")];
        // Cyrillic а and к, in the text or in the phrase; with its ring apart.
        assert_eq!(masked("Hej Å\u{73}\u{430} Eк!", &masks).0, "Hej [maskat]!");
        assert_eq!(masked("Hej \u{410}\u{30a}sa Ek!", &masks).0, "Hej [maskat]!");
        assert_eq!(masked("Hej Åsa Ek!", &[mask("Ås\u{430} Ek", "21:7")]).0, "Hej [maskat]!");
        assert!(stands_in("ås\u{430} ek", "Åsa Ek", alike));
    }

    fn mask(phrase: &str, provision: &str) -> Mask {
        Mask { phrase: phrase.into(), provision: provision.into() }
    }

    #[test]
    fn a_phrase_goes_wherever_it_stands_and_its_ground_is_told() {
        let masks = [mask("åsa ek", "21:7"), mask("070-123 45 67", "21:1"), mask("Ek", "21:7")];
        let text = "Åsa Ek och ÅSA EK, ring 070-123 45 67. Eken står kvar.";
        let (out, grounds) = masked(text, &masks);
        assert_eq!(out, "[maskat] och [maskat], ring [maskat]. [maskat]en står kvar.");
        assert_eq!(grounds, [("21:7".to_owned(), 3), ("21:1".to_owned(), 1)]);
        assert_eq!(masked("hej", &[mask(" ", "x")]), ("hej".to_owned(), vec![]));
    }

    #[test]
    fn a_name_is_found_however_it_was_typed() {
        let masks = [mask("Åsa Ek", "21:7")];
        for name in [
            "A\u{30A}sa Ek",
            "Åsa  Ek",
            "Åsa\u{A0}Ek",
            "Åsa\nEk",
            "Å\u{AD}sa Ek",
            "Å\u{200B}sa\u{200D} Ek",
            "åsa\t\u{2009}EK",
            "Ａ\u{30A}ｓａ Ｅｋ",
        ] {
            let (out, grounds) = masked(&format!("Hej {name}!"), &masks);
            assert_eq!(out, "Hej [maskat]!", "{name:?}");
            assert_eq!(grounds, [("21:7".to_owned(), 1)]);
            assert!(stands_in(name, "åsa ek", alike));
        }
        // Another letter is another name, and so is one with a mark behind it.
        for other in ["Asa Ek", "Åsa Ek\u{301}", "läsa ekar"] {
            assert_eq!(masked(other, &masks).0, other);
        }
    }

    #[test]
    fn a_name_and_a_number_are_found_in_every_form_that_people_give_them() {
        let name = [mask("Åsa Öberg", "21:7")];
        for text in [
            "Åsa-Öberg",
            "Å.s.a Öberg",
            "ÅsaÖberg",
            "Öberg Åsa",
            "Öberg, Åsa",
            "Åsa_Öberg",
            "åsa öbergs",
            "asa.oberg@",
            "@asaoberg",
            "/asa-oberg",
        ] {
            let (out, _) = masked(&format!("Hej {text} nu"), &name);
            assert!(out.contains(MASKED) && !out.to_lowercase().contains("berg"), "{text}: {out}");
            assert!(stands_in(text, "Åsa Öberg", alike), "{text}");
        }
        for other in ["asa.oberg", "Åsa bor i Öberg", "Åsa, Kim, Öberg"] {
            assert_eq!(masked(other, &name).0, other);
        }
        for (phrase, texts) in [
            (
                "640823-3234",
                [
                    "19640823 3234",
                    "640823 – 3234",
                    "6408233234",
                    "19640823-3234",
                    "6 4 0 8 2 3 3 2 3 4",
                ],
            ),
            (
                "19640823-3234",
                ["640823-3234", "6408233234", "1964 08 23 3234", "640823+3234", "19640823–3234"],
            ),
            (
                "070-123 45 67",
                [
                    "+46 70 123 45 67",
                    "0701234567",
                    "070/1234567",
                    "0046701234567",
                    "(070) 123 45 67",
                ],
            ),
        ] {
            for text in texts {
                let (out, _) = masked(&format!("Hej {text} nu"), &[mask(phrase, "21:7")]);
                let left = out.chars().filter(char::is_ascii_digit).count();
                assert!(out.contains(MASKED) && left <= 2, "{phrase}, {text}: {out}");
            }
        }
        // Digits of a longer number are another number.
        let other = "OCR 640823323499";
        assert_eq!(masked(other, &[mask("640823-3234", "21:7")]).0, other);
    }

    #[test]
    fn a_ground_within_another_is_told_as_well() {
        let masks = [mask("Åsa Ek, Låtsasvägen 1", "21:7"), mask("Låtsasvägen 1", "21:3")];
        let (out, grounds) = masked("Åsa Ek, Låtsasvägen 1", &masks);
        assert_eq!(out, MASKED);
        assert_eq!(grounds, [("21:7".to_owned(), 1), ("21:3".to_owned(), 1)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn nothing_masked_is_left(text in "[aAbBåÅ ßİ]{0,30}", phrase in "[abåß]{1,3}") {
            let (out, _) = masked(&text, &[mask(&phrase, "x")]);
            let kept = out.replace(MASKED, "\u{0}");
            prop_assert!(!kept.to_lowercase().split('\u{0}').any(|piece| piece.contains(&phrase)), "{}", out);
        }
    }
}
