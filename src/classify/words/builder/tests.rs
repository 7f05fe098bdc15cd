use super::*;
use crate::classify::words::hash_of;

const A: ClassId = ClassId(0);
const B: ClassId = ClassId(1);
const C: ClassId = ClassId(2);

fn classes<'w>(words: &'w Words, word: &str, stripped: bool) -> &'w [ClassId] {
    words.classes_of(words.look_up(hash_of(word.as_bytes()), word.as_bytes(), stripped))
}

#[test]
fn a_form_has_the_readings_and_classes_that_it_was_given_in_any_order() {
    let mut builder = WordsBuilder::default();
    let long = "räddningstjänstförbunden";
    for (form, class, readings) in [
        ("kål", B, Readings::Stripped),
        ("kål", A, Readings::Exact),
        ("kål", B, Readings::Stripped),
        ("kal", C, Readings::Exact),
        (long, C, Readings::Disguised),
    ] {
        builder.add(form, class, readings);
    }
    assert_eq!(builder.classes_of_form("kål"), [A, B]);
    assert_eq!(builder.disguised(), [long]);
    let words = builder.build(&[true], &[false, false, true]);
    for (word, stripped, want) in [
        ("kål", false, &[A, B][..]),
        ("kal", false, &[C]),
        ("kal", true, &[C]),
        ("kol", true, &[]),
        (long, false, &[C]),
        ("raddningstjanstforbunden", true, &[C]),
        ("raddningstjanstforbunden", false, &[]),
    ] {
        assert_eq!(classes(&words, word, stripped), want, "{word}");
    }
    let squeezed = words.look_up_squeezed("rädningstjänstförbunden".as_bytes());
    assert_eq!(words.classes_of(squeezed), [C]);
    assert!(words.disguisable(squeezed) && !words.begins_rule(squeezed));
    // kål; kal; the long one as spelled, stripped, and squeezed with and without dots; kål bare.
    assert_eq!(words.n_forms(), 7);
}

#[test]
fn what_is_taken_out_of_a_class_stays_in_the_others() {
    let mut builder = WordsBuilder::default();
    for (form, class) in [("bil", A), ("bil", B), ("bil", C), ("båt", A), ("tåg", C)] {
        builder.add(form, class, Readings::Stripped);
    }
    builder.take_out(A, C);
    assert_eq!(builder.classes_of_form("bil"), [B]);
    assert_eq!(builder.classes_of_form("båt"), [A]);
    assert_eq!(builder.classes_of_form("tåg"), []);
    let words = builder.build(&[], &[]);
    assert_eq!((words.n_forms(), classes(&words, "tag", true)), (3, &[][..]));
}

#[test]
fn a_listed_compound_has_the_classes_of_its_parts_too_unless_it_never_may() {
    let mut builder = WordsBuilder::default();
    let part = builder.text("bilen");
    builder.add_last(part, B, None, &["van".to_owned()]);
    builder.add_first("ö", B, None, &[]);
    builder.add_first("hus", C, Some(B), &[]);
    for (form, class) in [("lastbilen", C), ("vanbilen", C), ("husbilen", B), ("husvagn", B)] {
        builder.add(form, class, Readings::Exact);
    }
    builder.add("bilen", B, Readings::Exact);
    builder.add("skåpbilen", A, Readings::Exact);
    let words = builder.build_as_spelled(&[], &[]);
    builder.add_compounds(&words, A);
    for (form, want) in [
        ("lastbilen", &[B, C][..]),
        ("vanbilen", &[C]),
        ("husbilen", &[B, C]),
        ("husvagn", &[B]),
        ("skåpbilen", &[A]),
    ] {
        assert_eq!(builder.classes_of_form(form), want, "{form}");
    }
}

#[test]
fn texts_and_sets_keep_their_numbers_however_many_there_are() {
    let mut builder = WordsBuilder::default();
    let texts: Vec<String> = (0..5_000).map(|n| format!("ord{n}")).collect();
    let ids: Vec<TextId> = texts.iter().map(|t| builder.text(t)).collect();
    for (n, id) in ids.iter().enumerate() {
        builder.add_text(*id, ClassId((n % 700) as u16), Readings::Exact);
        builder.add_text(*id, ClassId((n % 30) as u16), Readings::Exact);
    }
    let words = builder.build(&[], &[]);
    for (n, text) in texts.iter().enumerate() {
        assert_eq!(builder.text(text), ids[n]);
        let mut want = vec![ClassId((n % 700) as u16), ClassId((n % 30) as u16)];
        want.sort_unstable();
        want.dedup();
        assert_eq!(classes(&words, text, false), want, "{text}");
    }
}
