use super::*;
use crate::classify::BUILT_IN;
use crate::classify::lexicon::{Lexicon, built_in};

fn warned(text: &str) -> Vec<String> {
    let source =
        Source { name: "sv/prov.toml".into(), text: format!("category = \"hate\"\n{text}") };
    let sources = [source];
    let classifier = Classifier::new(Lexicon::compile(&sources));
    warnings(&sources, &classifier).iter().map(ToString::to_string).collect()
}

fn one(text: &str, part: &str) {
    let found = warned(text);
    assert_eq!(found.iter().filter(|w| w.contains(part)).count(), 1, "{part}: {found:#?}");
}

/// A class, used.
fn class(lexemes: &str) -> String {
    format!("[[class]]\nname = \"k\"\nlexemes = {lexemes}\n{}", guard("@k"))
}

fn guard(pattern: &str) -> String {
    format!("[[guard]]\nid = \"g\"\nlead = [\"{pattern}\"]\n")
}

#[test]
fn the_built_in_lexicon_holds_no_traps() {
    let found = warnings(&built_in::sources(), &BUILT_IN);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn words_that_no_text_can_hold_are_told_of() {
    for dead in ["e-posten", "två.ord", "smör&bröd"] {
        one(&class(&format!("[\"bil n2\", \"{dead}\"]")), &format!("`{dead}` kan aldrig hittas"));
    }
    for alive in ["bil n2", "skit- first", "-unge n2 last", "göra v1", "nr1", "ä"] {
        let found = warned(&class(&format!("[\"{alive}\"]")));
        assert!(found.is_empty(), "{alive}: {found:#?}");
    }
    one(&guard("skicka e-brev"), "ordet `e-brev` kan aldrig hittas");
}

#[test]
fn exclusions_without_effect_are_told_of() {
    let with = |k: &str, l: &str| {
        format!("[[class]]\nname = \"k\"\n{k}\n[[class]]\nname = \"l\"\n{l}\n{}", guard("@k @l"))
    };
    let cars = "lexemes = [\"bil n2\", \"båt n2\"]";
    one(&with("lexemes = [\"buss n2\"]\nnot = [\"bil\"]", cars), "`bil` under `not` tar inte bort");
    one(&with("lexemes = [\"@l\"]\nnot = [\"@l\"]", cars), "`@k` är tom");
    let less = format!("{cars}\nnot = [\"båten\"]");
    one(&with("lexemes = [\"@l\"]", &less), "`@l` tas in utan sitt `not`: 1 former");
    assert_eq!(warned(&with("lexemes = [\"@l\"]\nnot = [\"båten\"]", &less)), [""; 0]);
}

#[test]
fn what_stands_twice_and_what_nobody_uses_is_told_of() {
    one(&class("[\"bil n2\", \"båt n2\", \"bil n2\"]"), "`bil` står redan i listan");
    one("[[class]]\nname = \"k\"\nlexemes = [\"bil\"]", "`@k` används ingenstans");
    one("[[guard]]\nid = \"g\"\nlead = [\"bil\", \"bil\"]", "mönstret `bil` står redan");
    let rule = "[[words]]\nid = \"a.b\"\nseverity = \"low\"\nwhy = \"x.\"\nlegal = \"x\"\n\
                lexemes = [\"bil\"]\nexamples = [\"bil\", \"en bil\", \"bil!\"]\n\
                counterexamples = [\"a\", \"en bil\", \"c\"]";
    one(rule, "exemplet ”en bil” står redan");
}

#[test]
fn patterns_that_cannot_be_meant_are_told_of() {
    for (pattern, part) in [
        ("sluta|lägg av|strunta nu", "`lägg av` läses inte som en fras"),
        ("minecraft|i spelet|matchen", "`i spelet` läses inte som en fras"),
        ("bil < båt", "`<` kan aldrig stämma"),
        ("bil > båt", "`>` kan aldrig stämma"),
        ("bil&!bil", "utesluter det andra"),
        ("^bil !båt|hus båt", "`!båt|hus` utesluter `båt`"),
        ("båt !båt ^bil", "`!båt` utesluter `båt`"),
    ] {
        one(&guard(pattern), part);
    }
    for pattern in [
        "< bil båt >",
        "du|ni är|e",
        "till|mot dig",
        "bil ** < ^båt",
        "^bil !båt hus",
        "sluta|lägg_av nu",
        "full av|fart",
        "* < bil",
        "bil|båt *2 i|på hus",
    ] {
        assert_eq!(warned(&guard(pattern)), [""; 0], "{pattern}");
    }
}
