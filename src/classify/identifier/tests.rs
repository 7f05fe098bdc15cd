use proptest::prelude::*;

use std::sync::LazyLock;

use super::*;
use crate::classify::fold::Folded;
use crate::classify::identifier::personal_number::tests::complete;
use crate::classify::{Classifier, Context, Scratch};
use crate::domain::category::Category;

fn found(text: &str) -> Vec<(Mark, String)> {
    let mut folded = Folded::default();
    folded.fold(text);
    let mut out = Vec::new();
    numbers(folded.bytes(), &mut out);
    out.iter()
        .map(|i| {
            let span = folded.original(i.start, i.end);
            (i.mark, text[span.start as usize..span.end as usize].to_owned())
        })
        .collect()
}

#[test]
fn numbers_are_cut_out_of_sentences() {
    for (text, want) in [
        (
            "Ring 070-174 06 05 eller 08-465 004 12",
            vec![(Mark::Phone, "070-174 06 05"), (Mark::Phone, "08-465 004 12")],
        ),
        ("Ring +46 70 174 06 05.", vec![(Mark::Phone, "+46 70 174 06 05")]),
        ("０７０−１７４ ０６ ０５", vec![(Mark::Phone, "０７０−１７４ ０６ ０５")]),
        ("Kort 4111 1111 1111 1111 går ut", vec![(Mark::Card, "4111 1111 1111 1111")]),
        (
            "Iban SE45 5000 0000 0583 9825 7466!",
            vec![(Mark::Card, "SE45 5000 0000 0583 9825 7466")],
        ),
        ("Där: 58.410807, 15.621373", vec![(Mark::Coordinates, "58.410807, 15.621373")]),
        ("Swisha 123 456 78 90", vec![(Mark::Giro, "123 456 78 90")]),
        ("Öppet 08.00-16.00, 850 kr, 2024-01-15, s. 123-125", vec![]),
        ("Paragraf 12345 och 2024/0123-45", vec![]),
    ] {
        let want: Vec<_> = want.into_iter().map(|(m, s)| (m, s.to_owned())).collect();
        assert_eq!(found(text), want, "{text}");
    }
}

/// Numbers of every kind, as people write them.
const WRITTEN: [(&str, Mark); 8] = [
    ("070-174 06 05", Mark::Phone),
    ("0701740605", Mark::Phone),
    ("08-465 004 12", Mark::Phone),
    ("+46 70 174 06 05", Mark::Phone),
    ("4111 1111 1111 1111", Mark::Card),
    ("5555555555554444", Mark::Card),
    ("SE45 5000 0000 0583 9825 7466", Mark::Card),
    ("58.410807, 15.621373", Mark::Coordinates),
];

#[test]
fn where_in_a_row_a_number_stands_changes_nothing() {
    let four = "1 070-174 06 05, 070-174 06 06, 070-174 06 07, 070-174 06 08";
    assert_eq!(found(four).len(), 4, "{:?}", found(four));
    // So long a row that it is read in pieces.
    let zeros = "0,000000,000 0000,0000000,0000000 000 00000000,8000 000000, 4111 1111 1111 1111";
    assert!(found(zeros).contains(&(Mark::Card, "4111 1111 1111 1111".to_owned())));
    // The zeros of an account's form end where the first piece does, and the card goes before it.
    let account = "00000 000000,000000000 00000000,0000000,000000000,80000, 4111 1111 1111 1111";
    assert!(found(account).contains(&(Mark::Card, "4111 1111 1111 1111".to_owned())));
    let dates = "2024-01-15, 2024-02-15, 2024-03-15, 2024-04-15, 4111 1111 1111 1111";
    assert_eq!(found(dates), [(Mark::Card, "4111 1111 1111 1111".to_owned())]);
    for (number, mark) in WRITTEN {
        for n in 0..200 {
            let text = format!("{}{number}", "7, ".repeat(n));
            assert_eq!(found(&text), [(mark, number.to_owned())], "{text}");
            let text = format!("{}80000, {number}", "0, ".repeat(n));
            assert!(
                found(&text).contains(&(mark, number.to_owned())),
                "{text}: {:?}",
                found(&text)
            );
        }
    }
}

#[test]
fn long_rows_of_digits_take_time_in_proportion() {
    for unit in ["0", "0 ", "07 ", "070-174 06 05, ", "4111 1111 1111 1111 ", "1o", "o1 ", "0,"] {
        let text = unit.repeat(100_000 / unit.len());
        let mut out = Vec::new();
        numbers(text.as_bytes(), &mut out);
        personal_number::find(text.as_bytes(), &mut Vec::new());
    }
}

proptest! {
    #[test]
    fn digits_and_a_comma_before_a_number_never_hide_it(
        before in "[0-9]{1,9}([ ,.\\-/]{1,2}[0-9]{1,9}){0,30}",
        which in 0..WRITTEN.len(),
    ) {
        let (number, mark) = WRITTEN[which];
        let text = format!("{before}, {number}");
        prop_assert!(found(&text).contains(&(mark, number.to_owned())), "{text}: {:?}", found(&text));
    }

    #[test]
    fn any_text_is_read_and_stretches_stay_inside(text in "[0-9a-eilosåOÅ@ +.,:/()\\-\n–]{0,160}") {
        let mut folded = Folded::default();
        folded.fold(&text);
        let mut out = Vec::new();
        numbers(folded.bytes(), &mut out);
        let mut end = 0;
        for i in out {
            prop_assert!(end <= i.start && i.start < i.end && i.end as usize <= folded.bytes().len());
            end = i.end;
            let span = folded.original(i.start, i.end);
            prop_assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize));
        }
    }
}

static BUILT_IN: LazyLock<Classifier> = LazyLock::new(Classifier::built_in);

/// What the classifier marks, with the lexicon that is built in.
fn marked(text: &str) -> Vec<(Mark, String)> {
    let mut scratch = Scratch::default();
    BUILT_IN.trace(&mut scratch, text);
    let stretch = |i: &Identifier| {
        let span = scratch.folded.original(i.start, i.end);
        (i.mark, text[span.start as usize..span.end as usize].to_owned())
    };
    scratch.marks.found().iter().map(stretch).collect()
}

fn has_personal_number(text: &str) -> bool {
    let verdict = BUILT_IN.classify(text, &Context::default());
    verdict.findings.iter().any(|f| f.category == Category::PersonalId)
}

const DIGIT_WORDS: [&str; 10] =
    ["noll", "ett", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"];

fn spelled_out(digits: &str) -> String {
    let words: Vec<_> = digits.bytes().map(|b| DIGIT_WORDS[usize::from(b - b'0')]).collect();
    words.join(" ")
}

#[test]
fn number_words_before_and_behind_hide_no_number_in_words() {
    let ten = complete("850709980");
    for number in [spelled_out(&ten), spelled_out(&format!("19{ten}"))] {
        for (before, behind) in [
            ("", ""),
            ("en", ""),
            ("ett", ""),
            ("nummer ett", "fem"),
            ("tre fyra", "och sju åtta"),
            ("", "ett två tre fyra fem sex sju åtta nio tio elva tolv"),
            ("ett två tre fyra fem sex sju åtta nio tio elva tolv", ""),
        ] {
            let text = format!("{before} {number} {behind}");
            assert!(has_personal_number(&text), "{text}");
        }
    }
    let phone = spelled_out("0701740605");
    for (before, behind) in [("", ""), ("en", ""), ("ett två", ""), ("", "och fem"), ("tio", "tio")]
    {
        let text = format!("Ring {before} {phone} {behind}");
        assert_eq!(marked(&text), [(Mark::Phone, phone.clone())], "{text}");
    }
    assert!(!has_personal_number("ett två tre fyra fem sex sju åtta nio tio elva tolv"));
    assert_eq!(marked("nio åtta sju sex fem fyra tre två ett noll"), []);
}

#[test]
fn number_words_without_end_take_time_in_proportion() {
    for word in ["noll ", "ett noll ", "noll sju ", "åttiofem "] {
        has_personal_number(&word.repeat(20_000 / word.len()));
    }
    has_personal_number(&format!("ett två {}", "noll".repeat(6000)));
}

#[test]
fn plates_are_marked_in_sentences() {
    for (text, want) in [
        ("Bilen TBC·392 igen", &["TBC·392"][..]),
        ("Bilen ABC·123 igen", &["ABC·123"]),
        ("Bil med skylt T B C 3 9 2 smet", &["T B C 3 9 2"]),
        ("regnr: A P A 1 2 C", &["A P A 1 2 C"]),
        ("t b c 3 9 2 är numret", &["t b c 3 9 2"]),
        ("Serien T B C 3 9 2 är klar", &[]),
        ("Vem fick bil 3 9 2 i lotteriet", &[]),
    ] {
        let plates: Vec<_> =
            marked(text).into_iter().filter(|(m, _)| *m == Mark::Plate).map(|(_, s)| s).collect();
        assert_eq!(plates, want, "{text}");
    }
}
