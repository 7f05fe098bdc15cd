//! Any rule file, with what is weighed, through parser and compiler: every fault is a complaint
//! with a place, what holds is used, and the rules of another file are none the worse for it.
//!
//! The input is a rule file, then, each after a NUL, `cues/sums.toml` and `cues/weights.tsv`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use uppsikt_fuzz::classify::lexicon::{
    Lexicon, Source, SourcesHash, built_in, compiled, lint, trial,
};
use uppsikt_fuzz::classify::{Classifier, Context, Scratch};

/// Its words are no Swedish, so that no other file can mean them.
const SOUND: &str = r#"
category = "insult"
legal = "x"
[[words]]
id = "zqv.ord"
severity = "medium"
why = "Prov."
lexemes = ["zqvumf"]
examples = ["zqvumf", "en zqvumf", "zqvumf!"]
counterexamples = ["a", "b", "c"]
[[rule]]
id = "zqv.regel"
severity = "high"
why = "Prov."
patterns = ["zqvurk *2 zqvirk"]
examples = ["zqvurk zqvirk", "zqvurk a zqvirk", "zqvurk a b zqvirk"]
counterexamples = ["a", "b", "c"]
"#;

const TEXTS: [&str; 5] = [
    "zqvumf och zqvurk med zqvirk",
    "Jag ska inte döda dig? Han sa att du är en idiot. ”Va fan” 070-174 06 05",
    "köp nu på https://www.exempel.example/ 850709-9805 bil bilar lastbilen glufsig",
    "a b c 1 2 3 ! @kim #tagg",
    "",
];

static GUARDS: LazyLock<Source> = LazyLock::new(|| {
    built_in::sources().into_iter().find(|s| s.name == "sv/guards.toml").expect("built in")
});

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, '\0');
    let names = ["sv/fuzz.toml", "cues/sums.toml", "cues/weights.tsv"];
    let mut sources: Vec<Source> = names
        .iter()
        .zip(&mut parts)
        .map(|(name, text)| Source { name: (*name).to_owned(), text: text.to_owned() })
        .collect();
    sources.push(Source { name: "sv/sound.toml".to_owned(), text: SOUND.to_owned() });
    sources.push(GUARDS.clone());
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    let lexicon = Lexicon::compile(&sources);
    for complaint in &lexicon.complaints {
        let source = sources.iter().find(|s| s.name == complaint.file);
        let lines = source.map_or(1, |s| s.text.split('\n').count());
        assert!((1..=lines).contains(&complaint.line), "{complaint}");
        assert_ne!(complaint.file, "sv/sound.toml", "{complaint}");
        assert!(!complaint.what.is_empty() && !complaint.mend.is_empty());
    }
    let hash = SourcesHash::of(&sources);
    let kept = compiled::encode(&lexicon, &hash);
    let classifier = Classifier::new(lexicon);
    lint::warnings(&sources, &classifier);
    let read_back = Classifier::new(compiled::decode(&kept, &hash).expect("just written"));
    let (mut one, mut other) = (Scratch::default(), Scratch::default());
    for text in TEXTS {
        let verdict = classifier.classify_with(&mut one, text, &Context::default());
        let of_kept = read_back.classify_with(&mut other, text, &Context::default());
        assert_eq!(verdict, of_kept, "kept and read back, it answers otherwise");
    }
    let sound = classifier.by_rules(&mut Scratch::default(), TEXTS[0]);
    for rule in ["zqv.ord", "zqv.regel"] {
        assert!(sound.findings.iter().any(|f| &*f.rule == rule), "{rule} was silenced");
    }
    trial::run(&classifier);
});
