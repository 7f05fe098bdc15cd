use proptest::prelude::*;

use crate::domain::text::{hidden_at, is_blank, is_hidden, mark, shorten};

#[test]
fn hidden_characters_are_known_and_visible_ones_left_alone() {
    for c in "\u{00AD}\u{200B}\u{200C}\u{200D}\u{200E}\u{200F}\u{202A}\u{202E}\u{2028}\u{2060}\u{2066}\u{2069}\u{2800}\u{3164}\u{FEFF}\u{FFF9}\u{E0041}\u{E0100}\0\u{7}\u{1B}\u{7F}\u{85}".chars() {
        assert!(is_hidden(c), "U+{:04X}", c as u32);
    }
    for c in "aåÄ ö\n\t\r1!€😀漢ع\u{301}\u{FE0F}\u{00A0}\u{1F3FB}".chars() {
        assert!(!is_hidden(c), "U+{:04X}", c as u32);
    }
    assert_eq!(mark('\u{202E}'), "⟦U+202E⟧");
    assert_eq!(mark('\0'), "⟦U+0000⟧");
    assert_eq!(mark('\u{E0041}'), "⟦U+E0041⟧");
}

#[test]
fn joiners_with_an_honest_use_are_not_marked() {
    let honest = [
        "👩\u{200D}👩\u{200D}👧\u{200D}👦",
        "🧑🏽\u{200D}🚒",
        "🏳\u{FE0F}\u{200D}🌈",
        "❤\u{FE0F}\u{200D}🔥",
        "می\u{200C}خواهم",
        "ක්\u{200D}රි",
        "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
        "🏴",
        "",
        "vanlig text, å ä ö",
    ];
    for text in honest {
        assert_eq!(hidden_at(text), [], "{text}");
    }
}

#[test]
fn hiding_characters_are_found_where_they_stand() {
    let found = |text: &str| hidden_at(text).iter().map(|(at, c)| (*at, *c)).collect::<Vec<_>>();
    assert_eq!(found("a\u{200B}b"), [(1, '\u{200B}')]);
    assert_eq!(found("h\u{200D}o"), [(1, '\u{200D}')]);
    assert_eq!(found("å\u{200C}a"), [(2, '\u{200C}')]);
    assert_eq!(found("👩\u{200D}"), [(4, '\u{200D}')]);
    assert_eq!(found("👩\u{200D}\u{200D}👧").len(), 2);
    assert_eq!(found("\u{202E}a\u{202C}"), [(0, '\u{202E}'), (4, '\u{202C}')]);
    // Text smuggled in tags, behind a flag and without one.
    let tags: String =
        "hej hopp!".chars().map(|c| char::from_u32(0xE0000 + c as u32).expect("a tag")).collect();
    assert_eq!(found(&tags).len(), 9);
    assert_eq!(found(&format!("🏴{tags}\u{E007F}")).len(), 10);
    assert_eq!(found("🏴\u{E0067}").len(), 1);
}

#[test]
fn blank_is_what_a_reader_does_not_see() {
    for text in ["", " ", "\n\t", "\u{200B}", "\u{2800}\u{FEFF} \u{3164}"] {
        assert!(is_blank(text), "{text:?}");
    }
    assert!(!is_blank(" . "));
}

#[test]
fn shortening_keeps_whole_characters() {
    let table = [
        ("hej", 3, "hej"),
        ("hej!", 3, "hej…"),
        ("hej på dig", 4, "hej…"),
        ("", 0, ""),
        ("a", 0, "…"),
        ("👩\u{200D}👩\u{200D}👧 och", 1, "👩\u{200D}👩\u{200D}👧…"),
        ("🇸🇪🇸🇪", 1, "🇸🇪…"),
        ("e\u{301}e\u{301}", 1, "e\u{301}…"),
    ];
    for (text, most, expected) in table {
        assert_eq!(shorten(text, most), expected);
    }
}

#[test]
fn a_character_stacked_with_marks_does_not_make_the_short_form_long() {
    let zalgo = format!("a{}b", "\u{334}".repeat(1_000_000));
    assert!(shorten(&zalgo, 80).len() < 100);
}

proptest! {
    #[test]
    fn short_forms_are_bounded_whatever_the_text(text in any::<String>(), most in 0usize..50) {
        let short = shorten(&text, most);
        prop_assert!(short.chars().count() <= most * 16 + 1);
    }

    #[test]
    fn what_is_found_is_hidden_and_stands_there(text in any::<String>()) {
        for (at, c) in hidden_at(&text) {
            prop_assert!(is_hidden(c));
            prop_assert_eq!(text[at..].chars().next(), Some(c));
        }
    }
}
