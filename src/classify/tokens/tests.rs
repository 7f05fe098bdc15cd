use super::*;
use crate::classify::fold::Folded;

fn cut(text: &str) -> Tokens {
    let words = crate::classify::words::builder::WordsBuilder::default().build(&[], &[]);
    let mut folded = Folded::default();
    folded.fold(text);
    let mut tokens = Tokens::default();
    let mut vocabulary = Vocabulary::default();
    tokens.cut(folded.padded(), &words, &mut vocabulary, false);
    tokens
}

#[test]
fn sentences_end_at_their_signs_and_not_at_abbreviations() {
    for (text, want) in [
        ("en sak. en till", 2),
        ("kl. 8 på torget", 1),
        ("t.ex. en sak", 1),
        ("vad? jo!", 2),
        ("rad\n\nrad", 2),
        ("en två tre fyra\nfem", 2),
        ("en\ntvå", 1),
        ("slut… ny", 2),
        ("akta dig du. hej", 2),
        ("”ja.” sa han", 2),
        ("", 0),
        ("... ?!", 0),
    ] {
        assert_eq!(cut(text).sentences.len(), want, "{text}");
    }
}

#[test]
fn a_question_mark_asks_even_behind_signs() {
    for (text, want) in [
        ("när?", true),
        ("när ?", true),
        ("när?!", true),
        ("(när?)", true),
        ("när? 🙂", true),
        ("när.", false),
        ("när", false),
    ] {
        let tokens = cut(text);
        assert!(tokens.sentences.iter().any(|s| s.asks) == want, "{text}: {:?}", tokens.sentences);
    }
}

#[test]
fn words_numbers_pictures_and_addresses_are_told_apart() {
    let kinds: Vec<Kind> = cut("hej 12 🙂 www.a.example kim@a.example @kim h2o")
        .tokens
        .iter()
        .map(|t| t.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            Kind::Word,
            Kind::Number,
            Kind::Picture,
            Kind::Address,
            Kind::Mail,
            Kind::Mention,
            Kind::Word
        ]
    );
}

#[test]
fn what_stands_in_quotation_marks_is_marked() {
    for (text, want) in
        [("a ”b c” d", "0110"), ("a \"b\" c", "010"), ("a ”b c d", "0000"), ("»a« b", "10")]
    {
        let marks: String =
            cut(text).tokens.iter().map(|t| if t.quoted { '1' } else { '0' }).collect();
        assert_eq!(marks, want, "{text}");
    }
}
