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
    fn both_paths_agree(text in "[ -~åäöÅÄÖéÉ–”“’…€🙂\n\t]{0,80}") {
        let mut cheap = Folded::default();
        prop_assert!(cheap.fold_cheap(text.as_bytes()) == Need::Cheap);
        let mut full = Folded::default();
        full.fold_full(&text);
        prop_assert_eq!(cheap.bytes(), full.bytes());
        prop_assert_eq!(cheap.has_swedish_letters(), full.has_swedish_letters());
    }
}
