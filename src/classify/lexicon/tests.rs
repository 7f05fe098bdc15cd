use super::*;
use crate::classify::{Classifier, Context};

const COMMON: &str = r#"
[[class]]
name = "negation"
lexemes = ["inte"]
[[class]]
name = "utterance"
lexemes = ["sa"]
[[class]]
name = "report"
lexemes = ["hotade"]
[[class]]
name = "talord"
lexemes = ["noll"]
"#;

fn guards_file() -> String {
    let ours = built_in::sources().into_iter().find(|s| s.name == "sv/guards.toml");
    ours.expect("the guards are built in").text
}

fn compile(text: &str) -> Lexicon {
    Lexicon::compile(&[
        Source { name: "sv/common.toml".into(), text: COMMON.into() },
        Source { name: "sv/guards.toml".into(), text: guards_file() },
        Source { name: "sv/prov.toml".into(), text: text.into() },
    ])
}

fn complaints(text: &str) -> Vec<String> {
    compile(text).complaints.iter().map(ToString::to_string).collect()
}

const GOOD: &str = r#"
category = "insult"
legal = "kontots egna regler"
[[words]]
id = "prov.ord"
severity = "medium"
why = "Texten innehåller ett prövat ord."
lexemes = ["glufs n2 first@led last not=halv", "knölig a1"]
examples = ["glufs", "glufsen", "glufsar"]
counterexamples = ["nej", "halvglufs", "ja"]
[[class]]
name = "led"
lexemes = ["bil n2"]
"#;

#[test]
fn a_good_file_has_no_complaints_and_its_words_are_found() {
    let lexicon = compile(GOOD);
    assert_eq!(lexicon.complaints, []);
    let classifier = Classifier::new(lexicon);
    for (text, hits) in [
        ("glufsarna", true),
        ("knöligare", true),
        ("GLUFSBILEN", true),
        ("storglufsen", true),
        ("halvglufsen", false),
        ("glufsmatta", false),
        ("glu", false),
    ] {
        let found = !classifier.classify(text, &Context::default()).findings.is_empty();
        assert_eq!(found, hits, "{text}");
    }
}

#[test]
fn faults_are_named_by_file_line_and_mend() {
    let text = GOOD.replace("severity = \"medium\"", "severty = \"medium\"");
    let said = complaints(&text);
    assert_eq!(said[0], "sv/prov.toml:6: okänd nyckel `severty`. Menades `severity`.");
    assert!(said[1].contains("regeln saknar severity"), "{said:?}");

    let said = complaints(&GOOD.replace("glufs n2", "glufs n9"));
    assert!(said[0].starts_with("sv/prov.toml:8: okänt böjningsmönster `n9`"), "{said:?}");

    let said = complaints(&GOOD.replace("first@led", "first@okänd"));
    assert!(said[0].starts_with("sv/prov.toml:8: okänd ordklass `@okänd`"), "{said:?}");

    let said = complaints("category = \"insult\"\nfel fel\n");
    assert!(said[0].starts_with("sv/prov.toml:2: filen följer inte TOML här"), "{said:?}");
}

#[test]
fn a_rule_needs_three_examples_of_each_and_an_unknown_class_gets_a_suggestion() {
    let said = complaints(&GOOD.replace("counterexamples = [\"nej\", ", "counterexamples = ["));
    assert!(
        said[0].starts_with("sv/prov.toml:4: regeln har 3 exempel och 2 motexempel"),
        "{said:?}"
    );
    let said = complaints(&GOOD.replace("first@led", "first@leda"));
    assert!(said[0].ends_with("Menades `@led`."), "{said:?}");
}

#[test]
fn one_bad_rule_leaves_the_others_standing() {
    let text = format!("{GOOD}\n[[rule]]\nid = \"prov.fel\"\n");
    let lexicon = compile(&text);
    assert_eq!(lexicon.rules.len(), 1);
    assert_eq!(lexicon.complaints.len(), 1);
    assert_eq!(lexicon.complaints[0].line, 15);
}

#[test]
fn a_class_that_holds_itself_is_refused() {
    let text = "[[class]]\nname = \"a\"\nlexemes = [\"@b\"]\n[[class]]\nname = \"b\"\nlexemes = [\"@a\"]\n";
    assert!(complaints(text).iter().any(|c| c.contains("innehåller sig själv")));
}

fn rule(pattern: &str, more: &str) -> Classifier {
    let text = format!(
        "category = \"threat\"\nlegal = \"x\"\n[[rule]]\nid = \"prov.regel\"\nseverity = \"high\"\nwhy = \"Prov.\"\npatterns = [\"{pattern}\"]\n{more}\nexamples = [\"a\", \"a\", \"a\"]\ncounterexamples = [\"b\", \"b\", \"b\"]\n"
    );
    let lexicon = compile(&text);
    assert_eq!(lexicon.complaints, []);
    Classifier::new(lexicon)
}

fn hits(classifier: &Classifier, text: &str) -> bool {
    !classifier.classify(text, &Context::default()).findings.is_empty()
}

#[test]
fn patterns_follow_order_gaps_borders_and_kinds() {
    let cases: &[(&str, &[(&str, bool)])] = &[
        ("röd ^bil", &[("en röd bil", true), ("bil röd", false), ("röd stor bil", false)]),
        (
            "röd *2 ^bil",
            &[
                ("röd bil", true),
                ("röd a b bil", true),
                ("röd a b c bil", false),
                ("röd. bil", false),
            ],
        ),
        ("< ^bil", &[("bil här", true), ("en bil", false), ("Hej! bil", true)]),
        ("^bil >", &[("en bil", true), ("en bil.", true), ("bil här", false)]),
        ("röd? ^bil", &[("röd bil", true), ("bil", true)]),
        ("!röd ^bil", &[("bil", true), ("blå bil", true), ("röd bil", false)]),
        ("^bil %number", &[("bil 12", true), ("bil tolv", false)]),
        (
            "^bil %name|%address",
            &[("bil Kim", true), ("bil kim", false), ("bil www.a.example", true)],
        ),
        ("^bil *3 %asks", &[("bil nu?", true), ("bil nu.", false)]),
        (
            "röd|ljus_röd|mörk_röd ^bil",
            &[
                ("röd bil", true),
                ("ljus röd bil", true),
                ("ljus bil", false),
                ("mörk röd bil", true),
            ],
        ),
        ("jag ^åker_hem|kör >", &[("jag åker hem", true), ("jag kör", true), ("jag åker", false)]),
        ("^bil *3 %asks_text", &[("bil nu. va?", true), ("bil nu.", false)]),
        (
            "röd *3!stor ^bil",
            &[("röd liten bil", true), ("röd stor bil", false), ("röd liten stor bil", false)],
        ),
        (
            "röd **2 ^bil",
            &[
                ("röd. bil", true),
                ("bil är röd. en bil", true),
                ("röd. och. bil", false),
                ("röd. a b c bil", false),
            ],
        ),
        ("^bil **2 röd %asks", &[("en bil. röd?", true), ("en bil? röd.", false)]),
        ("^bil&%name", &[("min Bil", true), ("min bil", false)]),
        ("%capital&!bil buss", &[("Hus buss", true), ("Bil buss", false), ("hus buss", false)]),
    ];
    for (pattern, texts) in cases {
        let classifier = rule(pattern, "");
        for (text, want) in *texts {
            assert_eq!(hits(&classifier, text), *want, "{pattern} på {text}");
        }
    }
}

#[test]
fn guards_and_conditions_stop_a_hit() {
    let all = rule("^bil", "guards = [\"negation\", \"quotation\", \"report\", \"question\"]");
    for (text, want) in [
        ("bil", true),
        ("inte bil", false),
        ("han sa ”bil”", false),
        ("”bil”", true),
        ("han hotade bil", false),
        ("bil?", false),
    ] {
        assert_eq!(hits(&all, text), want, "{text}");
    }
    let conditions =
        rule("^bil", "except = [\"leksaks bil\"]\nunless = [\"garage\"]\nrequires = [\"väg\"]");
    for (text, want) in [
        ("bil på väg", true),
        ("bil", false),
        ("leksaks bil på väg", false),
        ("bil på väg i garage", false),
    ] {
        assert_eq!(hits(&conditions, text), want, "{text}");
    }
}

#[test]
fn negation_follows_the_order_of_swedish_clauses() {
    let classifier = rule("jag? ska? jag? ^köra dig", "guards = [\"negation\"]");
    for (text, want) in [
        ("jag ska köra dig", true),
        ("jag ska inte köra dig", false),
        ("jag köra dig inte", false),
        ("att jag inte ska köra dig", false),
        ("det är inte så att jag ska köra dig", false),
        ("om du inte slutar ska jag köra dig", true),
        ("kan inte någon köra dig", true),
        ("varför inte köra dig", true),
        ("inte bara köra dig", true),
        ("jag ska köra dig om du inte flyttar dig", true),
        ("sluta köra dig", false),
        ("inte nu, jag ska köra dig", true),
    ] {
        assert_eq!(hits(&classifier, text), want, "{text}");
    }
}

#[test]
fn what_others_said_is_a_report_and_what_oneself_says_is_not() {
    let common = COMMON.replace("[\"hotade\"]", "[\"hotade\", \"sa\", \"polisen\"]");
    assert!(common.contains("polisen"));
    let text = "category = \"threat\"\nlegal = \"x\"\n[[rule]]\nid = \"prov.regel\"\nseverity = \"high\"\nwhy = \"Prov.\"\npatterns = [\"jag|han *1 ^köra\"]\nguards = [\"report\"]\nexamples = [\"a\", \"a\", \"a\"]\ncounterexamples = [\"b\", \"b\", \"b\"]\n";
    let classifier = Classifier::new(Lexicon::compile(&[
        Source { name: "sv/common.toml".into(), text: common },
        Source { name: "sv/guards.toml".into(), text: guards_file() },
        Source { name: "sv/prov.toml".into(), text: text.into() },
    ]));
    for (text, want) in [
        ("han sa att han ska köra", false),
        ("jag ska köra, skrek mannen", false),
        ("som jag sa, jag ska köra", true),
        ("polisen hjälper inte när jag ska köra", true),
        ("polisen hörde att han ska köra", false),
    ] {
        assert_eq!(hits(&classifier, text), want, "{text}");
    }
}

#[test]
fn conditions_on_the_whole_text_and_guards_of_ones_own_hold() {
    let classifier = rule(
        "^bil",
        "requires_text = [\"väg\"]\nunless_text = [\"garage\"]\nguards = [\"tuta\"]\nexamples = [\"a\", \"a\", \"a\"]\ncounterexamples = [\"b\", \"b\", \"b\"]\n[[guard]]\nid = \"tuta\"\nlead = [\"tut\"]\nexcept = [\"larm\"]\n[[rule]]\nid = \"prov.två\"\nseverity = \"low\"\nwhy = \"Prov.\"\npatterns = [\"^båt\"]",
    );
    for (text, want) in [
        ("bil. en väg", true),
        ("bil", false),
        ("väg. bil. garage", false),
        ("väg. tut tut bil", false),
        ("väg. tut tut bil larm", true),
        ("väg. tut a b c bil", true),
    ] {
        assert_eq!(hits(&classifier, text), want, "{text}");
    }
}

#[test]
fn a_rule_yields_a_class_loses_words_and_a_shadow_is_never_shown() {
    let text = r#"
category = "insult"
legal = "x"
[[class]]
name = "allt"
lexemes = ["bil", "båt", "tåg"]
not = ["båt"]
[[rule]]
id = "a.allmän"
severity = "medium"
why = "Prov."
patterns = ["^@allt"]
yields_to = ["a.tåg"]
examples = ["a", "a", "a"]
counterexamples = ["b", "b", "b"]
[[rule]]
id = "a.tåg"
severity = "low"
why = "Prov."
patterns = ["^tåg"]
examples = ["a", "a", "a"]
counterexamples = ["b", "b", "b"]
[[rule]]
id = "a.skugga"
shadow = true
severity = "high"
why = "Prov."
patterns = ["^bil"]
examples = ["a", "a", "a"]
counterexamples = ["b", "b", "b"]
"#;
    let lexicon = compile(text);
    assert_eq!(lexicon.complaints, []);
    let classifier = Classifier::new(lexicon);
    for (text, want) in [("bil", vec!["a.allmän"]), ("båt", vec![]), ("tåg", vec!["a.tåg"])] {
        let found = classifier.classify(text, &Context::default()).findings;
        assert_eq!(found.iter().map(|f| &*f.rule).collect::<Vec<_>>(), want, "{text}");
    }
    let said = complaints(&text.replace("[\"a.tåg\"]", "[\"a.tog\"]"));
    assert!(said.iter().any(|c| c.contains("okänd regel `a.tog`")), "{said:?}");
}

/// Rules that leave their hits to others, by name.
fn yielding(rules: &[(&str, &str, &str)]) -> Lexicon {
    compile(&yielding_text(rules))
}

fn yielding_text(rules: &[(&str, &str, &str)]) -> String {
    let mut text = String::from("category = \"insult\"\nlegal = \"x\"\n");
    for (id, pattern, more) in rules {
        text += &format!(
            "[[rule]]\nid = \"{id}\"\nseverity = \"medium\"\nwhy = \"Prov.\"\npatterns = [\"{pattern}\"]\n{more}\nexamples = [\"a\", \"a\", \"a\"]\ncounterexamples = [\"b\", \"b\", \"b\"]\n"
        );
    }
    text
}

#[test]
fn a_rule_in_shadow_silences_none_in_force() {
    let lexicon = yielding(&[
        ("a.synlig", "^bil", "yields_to = [\"a.skugga\"]"),
        ("a.skugga", "^bil", "shadow = true"),
    ]);
    assert_eq!(lexicon.complaints, []);
    assert!(hits(&Classifier::new(lexicon), "bil"));
}

#[test]
fn rules_that_yield_in_a_ring_are_complained_of_and_do_not_silence_each_other() {
    for rules in [
        &[("a.en", "^bil", "yields_to = [\"a.en\"]")][..],
        &[
            ("a.en", "^bil", "yields_to = [\"a.två\"]"),
            ("a.två", "^bil", "yields_to = [\"a.tre\"]"),
            ("a.tre", "^bil", "yields_to = [\"a.en\"]"),
        ],
    ] {
        let lexicon = yielding(rules);
        let said: Vec<String> = lexicon.complaints.iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].contains("i en ring"), "{said:?}");
        assert!(hits(&Classifier::new(lexicon), "bil"));
    }
}

#[test]
fn a_rule_whose_safeguard_cannot_be_read_is_not_used() {
    for more in [
        "requires = [\"@finnsinte\"]",
        "unless = [\"@finnsinte\"]",
        "except = [\"@finnsinte\"]",
        "requires_text = [\"@finnsinte\"]",
        "unless_text = [\"@finnsinte\"]",
        "guards = [\"finnsinte\"]",
        "yields_to = [\"finnsinte\"]",
    ] {
        let lexicon = yielding(&[("a.utan", "^bil", more), ("a.annan", "^tåg", "")]);
        assert_eq!(lexicon.complaints.len(), 1, "{more}");
        let classifier = Classifier::new(lexicon);
        assert!(!hits(&classifier, "bil"), "{more}");
        assert!(hits(&classifier, "tåg"), "{more}");
    }
}

#[test]
fn a_guard_that_cannot_be_read_takes_its_rules_with_it() {
    let rules = [("a.utan", "^bil", "guards = [\"egen\"]"), ("a.annan", "^tåg", "")];
    for (pattern, used) in [("@finnsinte", false), ("röd", true)] {
        let guard = format!("[[guard]]\nid = \"egen\"\nbefore = [\"{pattern}\"]\n");
        let lexicon = compile(&(yielding_text(&rules) + &guard));
        assert_eq!(lexicon.complaints.is_empty(), used, "{:?}", lexicon.complaints);
        let classifier = Classifier::new(lexicon);
        assert_eq!(hits(&classifier, "bil"), used);
        assert!(hits(&classifier, "tåg"));
    }
}

#[test]
fn the_second_rule_of_a_name_gives_the_first_nothing() {
    let lexicon = yielding(&[
        ("a.en", "^bil", ""),
        ("a.en", "^tåg", "yields_to = [\"a.två\"]"),
        ("a.två", "^bil", ""),
    ]);
    assert_eq!(lexicon.complaints.len(), 1);
    let found = Classifier::new(lexicon).classify("bil", &Context::default()).findings;
    assert_eq!(found.iter().map(|f| &*f.rule).collect::<Vec<_>>(), ["a.en", "a.två"]);
}

#[test]
fn a_word_that_a_class_does_not_hold_is_not_in_it_stretched_either() {
    let lexicon = compile(
        &(yielding_text(&[("a.fordon", "^@fordon", "")])
            + "[[class]]\nname = \"fordon\"\ndisguise = true\nlexemes = [\"bil\", \"båt\"]\nnot = [\"båt\"]\n"),
    );
    assert_eq!(lexicon.complaints, []);
    let classifier = Classifier::new(lexicon);
    for (text, hit) in [("biiiil", true), ("båt", false), ("bååååt", false), ("baaaat", false)]
    {
        assert_eq!(hits(&classifier, text), hit, "{text}");
    }
}

#[test]
fn patterns_that_cannot_be_read_are_complained_of() {
    for (pattern, says) in [
        ("@finns_inte", "okänd ordklass"),
        ("*99 bil", "för långt"),
        ("%okänt bil", "okänd sort"),
        ("Bil", "små bokstäver"),
        ("%any", "att börja vid"),
    ] {
        let text = format!(
            "category = \"threat\"\nlegal = \"x\"\n[[rule]]\nid = \"a.b\"\nseverity = \"high\"\nwhy = \"Prov.\"\npatterns = [\"{pattern}\"]\nexamples = [\"a\", \"a\", \"a\"]\ncounterexamples = [\"b\", \"b\", \"b\"]\n"
        );
        let said = complaints(&text);
        assert!(
            said.iter().any(|c| c.contains(says) && c.starts_with("sv/prov.toml:7:")),
            "{pattern}: {said:?}"
        );
    }
}

#[test]
fn texts_typed_without_rings_and_dots_are_read() {
    let classifier = rule("^böld", "");
    assert!(hits(&classifier, "vilken bold"));
    assert!(!hits(&classifier, "vilken bold på ön"), "the text has ö elsewhere");
}

#[test]
fn the_folder_of_the_repository_is_what_is_built_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lexicons");
    let read = read_folder(&folder).expect("the folder is there");
    assert_eq!(SourcesHash::of(&read), SourcesHash::of(&built_in::sources()));
    assert!(matches!(read_folder(Path::new("/finns/inte")), Err(CannotRead::File { .. })));
}

#[test]
fn every_rule_file_of_a_language_that_is_built_in_gives_its_rules() {
    let sources = built_in::sources();
    let lexicon = Lexicon::compile(&sources);
    for source in sources.iter().filter(|s| s.text.contains("[[rule]]")) {
        let n = lexicon.counts.rules.get(&source.name).copied().unwrap_or(0);
        assert!(n > 0, "no rule of {} was taken in", source.name);
    }
}

#[test]
fn classes_within_classes_cost_what_their_words_cost() {
    // Each names the next one twelve times: twelve to the power of eleven ways down.
    let mut text = String::from("category = \"insult\"\nlegal = \"x\"\n");
    for n in 0..12 {
        let inner = format!("\"@k{}\", ", n + 1).repeat(12);
        text += &format!("[[class]]\nname = \"k{n}\"\nlexemes = [{inner}\"ord{n}\"]\n");
    }
    text += "[[class]]\nname = \"k12\"\nlexemes = [\"innerst\"]\n";
    text += "[[rule]]\nid = \"prov.djup\"\nseverity = \"low\"\nwhy = \"Prov.\"\npatterns = [\"@k0\"]\n\
             examples = [\"innerst\", \"ord0\", \"ord11\"]\ncounterexamples = [\"a\", \"b\", \"c\"]\n";
    let lexicon = compile(&text);
    assert_eq!(lexicon.complaints, []);
    let found = Classifier::new(lexicon).classify("allra innerst", &Context::default());
    assert_eq!(found.findings.len(), 1);
}

#[test]
fn more_words_than_there_is_room_for_are_complained_of_and_the_rest_is_used() {
    let words: Vec<String> = (0..66_000).map(|n| format!("o{n}")).collect();
    let text = format!(
        "category = \"insult\"\nlegal = \"x\"\n[[rule]]\nid = \"prov.många\"\nseverity = \"low\"\nwhy = \"Prov.\"\n\
         patterns = [{}]\nexamples = [\"a\", \"b\", \"c\"]\ncounterexamples = [\"a\", \"b\", \"c\"]\n",
        words
            .chunks(20)
            .map(|some| format!("\"{} x\"", some.join("|")))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let lexicon = compile(&text);
    assert!(lexicon.complaints.iter().any(|c| c.to_string().contains("fler än 65534")));
    let classifier = Classifier::new(lexicon);
    let found = |text: &str| classifier.classify(text, &Context::default()).findings.len();
    assert_eq!((found("o17 x"), found("o65999 x"), found("annat x")), (1, 0, 0));
}

#[test]
fn a_pattern_that_is_too_long_is_complained_of() {
    let text = format!(
        "category = \"insult\"\nlegal = \"x\"\n[[rule]]\nid = \"prov.lång\"\nseverity = \"low\"\nwhy = \"Prov.\"\n\
         patterns = [\"{}\"]\nexamples = [\"a\", \"b\", \"c\"]\ncounterexamples = [\"a\", \"b\", \"c\"]\n",
        "ord ".repeat(65).trim()
    );
    assert!(complaints(&text).iter().any(|c| c.contains("fler än 64 led")));
}

#[test]
fn what_is_left_to_another_rule_takes_no_room_from_what_is_kept() {
    let rules = [("a.apa", "apa", "yields_to = [\"b.stor\"]"), ("b.stor", "apa stor", "")];
    let classifier = Classifier::new(compile(&yielding_text(&rules)));
    let text = format!("{}En apa där.", "apa stor. ".repeat(16));
    let found = classifier.classify(&text, &Context::default()).findings;
    assert!(found.iter().any(|f| &*f.rule == "a.apa"), "{found:?}");
}
