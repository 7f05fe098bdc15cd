use proptest::prelude::*;

use super::*;
use crate::formats::sheet::fonts::fonts;

/// Lines by `\n`, pieces by `|`, right-to-left lines with `<` before them; marks look like marks.
fn picture(shown: &Shown) -> String {
    let lines: Vec<String> = shown
        .lines
        .iter()
        .map(|line| {
            let mut runs = String::from(if line.rtl { "<" } else { "" });
            for (i, run) in line.runs.iter().enumerate() {
                let after_piece = i > 0 && matches!(line.runs[i - 1], Run::Piece(_));
                match run {
                    Run::Text(text) | Run::Mark(text) => runs.push_str(text),
                    Run::Piece(text) => {
                        runs.push_str(if after_piece { "|" } else { "" });
                        runs.push_str(text);
                    }
                }
            }
            runs
        })
        .collect();
    lines.join("\n")
}

#[track_caller]
fn check(text: &str, expect: &str) {
    let shown = Preparer::new(fonts(), Repertoire::Fonts).show(text, 1_000);
    assert_eq!(picture(&shown), expect, "{text:?}");
    assert!(!shown.cut);
}

#[test]
fn plain_text_stays_as_it_is() {
    for text in
        ["Hej på dig!", "åäö ÅÄÖ é ü ß", "a  b   c", " blank först", "*fet* #panic() @x $y$ \\"]
    {
        check(text, text);
    }
    check("A\u{30a}r sma\u{30a}", "A\u{30a}r sma\u{30a}");
}

#[test]
fn hidden_characters_become_marks() {
    check("i\u{200b}d\u{200d}i\u{ad}ot", "i⟦U+200B⟧d⟦U+200D⟧i⟦U+00AD⟧ot");
    check("a\u{202e}b\u{2066}c\0d\u{1b}[", "a⟦U+202E⟧b⟦U+2066⟧c⟦U+0000⟧d⟦U+001B⟧[");
    check("\u{feff}Hej\u{e0068}\u{e007f}", "⟦U+FEFF⟧Hej⟦U+E0068⟧⟦U+E007F⟧");
    check("a\u{fe00}\u{e0158}b", "a⟦U+FE00⟧⟦U+E0158⟧b");
    check("x\u{2060}\u{2060}\u{2060}y", "x⟦U+2060 × 3⟧y");
    check("a\u{2028}b\u{85}c", "a⟦U+2028⟧b⟦U+0085⟧c");
}

#[test]
fn what_no_font_has_becomes_its_code_point_and_is_listed() {
    let mut preparer = Preparer::new(fonts(), Repertoire::Fonts);
    let shown = preparer.show("a\u{e000}\u{12000}\u{fffc}b\u{ffff}", 100);
    assert_eq!(picture(&shown), "a⟦U+E000⟧⟦U+12000⟧⟦U+FFFC⟧b⟦U+FFFF⟧");
    let listed: Vec<char> = preparer.uncovered.into_iter().collect();
    assert_eq!(listed, ['\u{e000}', '\u{fffc}', '\u{ffff}', '\u{12000}']);
}

#[test]
fn a_mark_without_a_font_beside_its_letter_is_named_alone() {
    // No font of ours has both an Arabic letter and this mark.
    check("م\u{336}", "<م⟦U+0336⟧");
}

#[test]
fn the_glue_of_emoji_and_scripts_stays_and_stray_glue_is_shown() {
    for whole in ["👨‍👩‍👧‍👦", "👩🏽‍🦰", "🏳️‍🌈", "❤️", "1️⃣", "©️", "🇸🇪"]
    {
        check(whole, whole);
    }
    let scotland = "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
    check(scotland, scotland);
    check("می\u{200c}خواهم", "<می\u{200c}خواهم");
    check("र\u{94d}\u{200d}य", "र\u{94d}\u{200d}य");
    check("👩\u{200d} a", "👩⟦U+200D⟧ a");
    check("🏴\u{e0068}\u{e006f}\u{e007f}", "🏴⟦U+E0068⟧⟦U+E006F⟧⟦U+E007F⟧");
    check("a\u{fe0f}", "a⟦U+FE0F⟧");
}

#[test]
fn piles_of_marks_are_cut_with_their_number() {
    let pile = format!("a{}b", "\u{301}".repeat(25));
    check(&pile, &format!("a{}⟦17 kombinerande tecken utelämnade⟧b", "\u{301}".repeat(8)));
}

#[test]
fn lines_are_kept_and_long_rows_of_blank_ones_counted() {
    check("en\ntvå\r\ntre\n\nfyra\n", "en\ntvå\ntre\n\nfyra");
    check("a\rb", "a⟦U+000D⟧\nb");
    check("a\n\n\n\n\n\nb", "a\n⟦5 tomma rader⟧\nb");
    check("\ta", "    a");
    check("", "");
}

#[test]
fn overlong_words_are_cut_into_pieces_and_others_are_not() {
    let word = "å".repeat(32);
    check(&format!("ett {word} ord"), &format!("ett {word} ord"));
    check(
        &format!("ett {}", "å".repeat(33)),
        &format!("ett {}|{}|{}", "å".repeat(12), "å".repeat(12), "å".repeat(9)),
    );
}

#[test]
fn addresses_with_places_to_break_are_left_whole() {
    let address = "https://a.exempelstad.example/kommentarer-och-fragor/badhus-och-bibliotek/sida";
    check(address, address);
}

#[test]
fn direction_follows_the_first_letter() {
    check("12 שלום hej", "<12 שלום hej");
    check("hej שלום", "hej שלום");
    check("مرحبا\nhej", "<مرحبا\nhej");
}

#[test]
fn a_text_beyond_the_budget_is_cut_and_says_so() {
    let mut preparer = Preparer::new(fonts(), Repertoire::Fonts);
    let shown = preparer.show(&"a".repeat(5_000_000), 30);
    assert!(shown.cut);
    assert_eq!((shown.shown_chars, picture(&shown).len()), (30, 30));
    // Marks and lines cost more, so that a sheet stays a sheet.
    let shown = preparer.show(&"\u{200b}x".repeat(1_000), 900);
    assert!(shown.cut && shown.shown_chars < 200, "{}", shown.shown_chars);
    let shown = preparer.show(&"x\n".repeat(1_000), 900);
    assert!(shown.cut && shown.lines.len() < 30, "{}", shown.lines.len());
    // Exactly at the border nothing is cut.
    assert!(!preparer.show(&"a".repeat(30), 30).cut);
}

#[test]
fn with_latin_letters_alone_everything_else_is_a_code_point() {
    let mut preparer = Preparer::new(fonts(), Repertoire::Latin);
    assert_eq!(picture(&preparer.show("Hej 👍 på é", 100)), "Hej ⟦U+1F44D⟧ på é");
}

/// What the runs stand for, as characters; for texts without lines, tabs and piles.
fn meant(shown: &Shown) -> Vec<char> {
    let mut meant = Vec::new();
    for run in shown.lines.iter().flat_map(|line| &line.runs) {
        match run {
            Run::Text(text) | Run::Piece(text) => meant.extend(text.chars()),
            Run::Mark(mark) => {
                let inner = mark.trim_start_matches("⟦U+").trim_end_matches('⟧');
                let (code, times) = inner.split_once(" × ").unwrap_or((inner, "1"));
                let code = u32::from_str_radix(code, 16).expect("hexadecimal");
                let c = char::from_u32(code).expect("a character");
                meant.extend(std::iter::repeat_n(c, times.parse().expect("a number")));
            }
        }
    }
    meant
}

proptest! {
    #[test]
    fn every_character_is_shown_or_marked(text in proptest::collection::vec(any_char(), 0..60)) {
        let text: String = text.into_iter().collect();
        let shown = Preparer::new(fonts(), Repertoire::Fonts).show(&text, 100_000);
        let mut meant = meant(&shown);
        let mut given: Vec<char> = text.chars().collect();
        // Within one cluster a mark may stand after what it stood between.
        meant.sort_unstable();
        given.sort_unstable();
        prop_assert_eq!(meant, given);
    }
}

/// Any character that starts no line, with the troublesome ones often.
fn any_char() -> impl Strategy<Value = char> {
    prop_oneof![
        any::<char>(),
        proptest::char::range('\u{200b}', '\u{206f}'),
        proptest::char::range('\u{1f1e6}', '\u{1f9ff}'),
        proptest::char::range('\u{fe00}', '\u{fe0f}'),
        proptest::char::range('\u{e0020}', '\u{e007f}'),
        proptest::char::range('\u{600}', '\u{6ff}'),
        Just('\u{200d}'),
        Just('👩'),
        Just('a'),
    ]
    .prop_filter("lines and tabs have their own tests", |c| !matches!(c, '\n' | '\r' | '\t'))
}
