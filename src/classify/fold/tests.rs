use proptest::prelude::*;

use super::*;

fn folded(text: &str) -> String {
    let mut folded = Folded::default();
    folded.fold(text);
    String::from_utf8(folded.bytes().to_vec()).expect("folded text is UTF-8")
}

#[test]
fn disguises_fold_to_the_letters_they_imitate() {
    for (text, want) in [
        ("Göteborg ÅÄÖ", "göteborg åäö"),
        ("ｉｄｉｏｔ", "idiot"),
        ("іdіоt", "idiot"),
        ("𝓲𝓭𝓲𝓸𝓽 𝐈𝐃𝐈𝐎𝐓", "idiot idiot"),
        ("i\u{200B}di\u{00AD}ot", "idiot"),
        ("ja\u{308}vla a\u{30A}", "jävla å"),
        ("i\u{335}d\u{336}i\u{488}o\u{334}t\u{335}", "idiot"),
        ("🅸🅳🅸🅾🆃 ⓘⓓⓘⓞⓣ", "idiot idiot"),
        ("1\u{FE0F}\u{20E3}2\u{FE0F}\u{20E3}", "12"),
        ("rœd ø æ ß", "röd ö ä ss"),
        ("idé – ”ja” … 🙂", "idé – ”ja” … 🙂"),
        ("a\0b", "ab"),
        ("a\u{7F}b", "ab"),
        ("rad\u{2028}rad", "rad\nrad"),
        ("en \u{202E}lib\u{202C} här", "en lib bil här"),
        ("\u{202E}lib", "lib bil"),
        ("ηej", "nej"),
    ] {
        assert_eq!(folded(text), want, "{text:?}");
    }
}

#[test]
fn a_decomposed_text_folds_like_its_composed_twin() {
    use unicode_normalization::UnicodeNormalization as _;
    for text in ["Åsa öser ärter över älven på ön", "IDÉ, café och müsli"] {
        let decomposed: String = text.nfd().collect();
        assert_eq!(folded(&decomposed), folded(text));
    }
}

fn check_map(text: &str) {
    let mut f = Folded::default();
    f.fold(text);
    assert!(std::str::from_utf8(f.bytes()).is_ok());
    let n = f.bytes().len() as u32;
    let folded = String::from_utf8_lossy(f.bytes()).into_owned();
    for (at, c) in folded.char_indices() {
        let span = f.original(at as u32, (at + c.len_utf8()) as u32);
        assert!(span.start < span.end && span.end as usize <= text.len(), "{span:?}");
        assert!(
            text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize)
        );
    }
    if n > 0 {
        let whole = f.original(0, n);
        assert!(whole.end as usize <= text.len());
    }
}

#[test]
fn debug_output_holds_no_content() {
    let mut f = Folded::default();
    f.fold("hemligt å \u{430}");
    let shown = format!("{f:?} {:?}", f.padded());
    assert_eq!(shown, "Folded { n_bytes: 12, .. } Padded { n_bytes: 12, .. }");
}

proptest! {
    #[test]
    fn any_text_folds_and_maps_back(text in any::<String>()) {
        check_map(&text);
    }

    #[test]
    fn marked_and_hidden_text_folds_and_maps_back(
        text in "[a-zåäöÅÄÖ0-9 \u{300}-\u{36F}\u{200B}-\u{200F}\u{202A}-\u{202E}\u{FE0F}\u{20E3}Ａ-Ｚ𝐀-𝐙а-я🙂]{0,60}"
    ) {
        check_map(&text);
    }

    #[test]
    fn both_paths_agree(
        text in "[ -~åäöÅÄÖéÉ\u{7F}-\u{FF}\u{2000}-\u{206F}€–”“’…🙂🌀-🛿🤀-🫿\n\t\r]{0,160}"
    ) {
        let mut either = Folded::default();
        either.fold(&text);
        let mut full = Folded::default();
        full.fold_full(&text);
        prop_assert_eq!(either.bytes(), full.bytes());
        prop_assert_eq!(either.has_swedish_letters(), full.has_swedish_letters());
    }

    #[test]
    fn ordinary_swedish_takes_the_cheap_path(
        text in "[ -~åäöÅÄÖéÉüÜ–”“’…€🙂×÷\n\t]{0,160}"
    ) {
        let mut cheap = Folded::default();
        prop_assert!(cheap.fold_cheap(text.as_bytes()) == Need::Cheap);
    }
}

#[test]
fn both_paths_agree_on_every_letter_of_latin_1_wherever_it_stands() {
    for c in '\u{7F}'..='\u{FF}' {
        for before in [0, BLOCK - 2, BLOCK - 1, BLOCK] {
            let text = format!("{}{c}ra {c}", "x".repeat(before));
            let mut either = Folded::default();
            either.fold(&text);
            let mut full = Folded::default();
            full.fold_full(&text);
            assert_eq!(either.bytes(), full.bytes(), "{text:?}");
        }
    }
}

#[test]
fn marks_over_letters_hide_nothing() {
    for (text, want) in [
        ("dïg", "dig"),
        ("fítta HÓRA", "fitta hora"),
        ("à la carte, Ñandú, çÿ", "a la carte, nandu, cy"),
        ("müsli idé", "müsli idé"),
    ] {
        assert_eq!(folded(text), want);
        assert_eq!(folded(&format!("{text} \u{430}")), format!("{want} a"));
    }
}
