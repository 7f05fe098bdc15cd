//! The classifier stage by stage, beside the base row, on the comments of `fixtures/classify`.
//!
//! `cargo bench --bench classify`. Every bench states how many matches it must find, so that a
//! wrong answer is never a fast one. For figures on a dump of one's own: `uppsikt bench FILE`.

use std::sync::LazyLock;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};

use uppsikt::classify::dump::{Batches, Fields, Format};
use uppsikt::classify::lexicon::{Lexicon, Source};
use uppsikt::classify::parallel::ordered;
use uppsikt::classify::{Classifier, Context, Scratch, baseline};

/// Counts what is allocated, and tells it of every bench.
#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

static CLASSIFIER: LazyLock<Classifier> = LazyLock::new(Classifier::built_in);

/// The texts: ordinary comments of our own, repeated until caches are warm and full.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let one = include_str!("../fixtures/classify/bench-comments.txt");
    let lines: Vec<String> = one.lines().map(str::to_owned).collect();
    std::iter::repeat_n(lines, 50).flatten().collect()
});

/// How many texts of the fixture have findings, and how many hold a personal number.
const FLAGGED: usize = 13 * 50;
const WITH_NUMBERS: usize = 2 * 50;
/// What the words of the base match in them.
const BASE_MATCHES: usize = 45 * 50;

fn main() {
    divan::main();
}

fn bytes() -> BytesCount {
    BytesCount::new(TEXTS.iter().map(String::len).sum::<usize>())
}

fn items() -> ItemsCount {
    ItemsCount::new(TEXTS.len())
}

#[divan::bench]
fn base(bencher: Bencher<'_, '_>) {
    let automaton = baseline::automaton();
    let run = || TEXTS.iter().map(|t| baseline::count(&automaton, t)).sum::<usize>();
    assert_eq!(run(), BASE_MATCHES);
    bencher.counter(bytes()).counter(items()).bench(run);
}

#[divan::bench]
fn fold(bencher: Bencher<'_, '_>) {
    let mut scratch = Scratch::default();
    let mut run = || {
        TEXTS
            .iter()
            .map(|t| {
                CLASSIFIER.fold(&mut scratch, t);
                scratch.folded.bytes().len()
            })
            .sum::<usize>()
    };
    assert!(run() > 0);
    bencher.counter(bytes()).counter(items()).bench_local(run);
}

#[divan::bench]
fn fold_and_match(bencher: Bencher<'_, '_>) {
    let mut scratch = Scratch::default();
    let mut run = || {
        TEXTS
            .iter()
            .map(|t| {
                CLASSIFIER.fold(&mut scratch, t);
                CLASSIFIER.cut(&mut scratch);
                scratch.tokens.tokens.len()
            })
            .sum::<usize>()
    };
    assert!(run() > 0);
    bencher.counter(bytes()).counter(items()).bench_local(run);
}

#[divan::bench]
fn identifiers(bencher: Bencher<'_, '_>) {
    let mut out = Vec::new();
    let folded: Vec<Vec<u8>> = TEXTS
        .iter()
        .map(|t| {
            let mut scratch = Scratch::default();
            CLASSIFIER.fold(&mut scratch, t);
            scratch.folded.bytes().to_vec()
        })
        .collect();
    let mut run = || {
        folded
            .iter()
            .filter(|t| {
                uppsikt::classify::identifier::personal_number::find(t, &mut out);
                !out.is_empty()
            })
            .count()
    };
    assert_eq!(run(), WITH_NUMBERS);
    bencher.counter(bytes()).counter(items()).bench_local(run);
}

/// The last two stages alone: rules and cues, on texts that are cut and put right.
#[divan::bench]
fn rules_and_cues(bencher: Bencher<'_, '_>) {
    let texts = include_str!("../fixtures/classify/bench-comments.txt");
    let mut ready: Vec<(&str, Scratch)> = texts
        .lines()
        .map(|text| {
            let mut scratch = Scratch::default();
            CLASSIFIER.classify_with(&mut scratch, text, &Context::default());
            (text, scratch)
        })
        .collect();
    let mut run = || {
        for (text, scratch) in &mut ready {
            CLASSIFIER.match_rules(scratch, text, None);
            CLASSIFIER.weigh(scratch, text);
        }
        ready.len()
    };
    assert_eq!(run() * 50, TEXTS.len());
    bencher
        .counter(BytesCount::new(texts.len()))
        .counter(ItemsCount::new(texts.lines().count()))
        .bench_local(run);
}

#[divan::bench]
fn whole(bencher: Bencher<'_, '_>) {
    let mut scratch = Scratch::default();
    let mut run = || {
        TEXTS
            .iter()
            .filter(|t| {
                !CLASSIFIER.classify_with(&mut scratch, t, &Context::default()).findings.is_empty()
            })
            .count()
    };
    assert_eq!(run(), FLAGGED);
    bencher.counter(bytes()).counter(items()).bench_local(run);
}

/// The comments without findings: of these none may allocate once the buffers have grown.
#[divan::bench]
fn benign(bencher: Bencher<'_, '_>) {
    let mut scratch = Scratch::default();
    let none = |t: &&String| CLASSIFIER.classify(t, &Context::default()).findings.is_empty();
    let texts: Vec<&String> = TEXTS.iter().filter(none).collect();
    assert_eq!(texts.len(), TEXTS.len() - FLAGGED);
    let mut run = || {
        let classify = |t: &&String| {
            CLASSIFIER.classify_with(&mut scratch, t, &Context::default()).findings.len()
        };
        texts.iter().map(classify).sum::<usize>()
    };
    assert_eq!(run(), 0);
    bencher.counter(ItemsCount::new(texts.len())).bench_local(run);
}

/// From JSON lines to verdicts.
#[divan::bench]
fn json_lines(bencher: Bencher<'_, '_>) {
    let lines: String = TEXTS
        .iter()
        .enumerate()
        .map(|(n, text)| format!("{}\n", serde_json::json!({ "id": n, "text": text })))
        .collect();
    let fields = Fields { id: "id".to_owned(), text: vec!["text".to_owned()] };
    let mut scratch = Scratch::default();
    let mut run = || {
        let mut batches =
            Batches::new(lines.as_bytes(), Format::JsonLines, &fields).expect("memory is readable");
        let mut flagged = 0;
        while let Some(batch) = batches.next_batch().expect("memory is readable") {
            batch.for_each(Format::JsonLines, &fields, |record| {
                let text = record.expect("whole records").text;
                let verdict = CLASSIFIER.classify_with(&mut scratch, &text, &Context::default());
                flagged += usize::from(!verdict.findings.is_empty());
            });
        }
        flagged
    };
    assert_eq!(run(), FLAGGED);
    bencher.counter(BytesCount::new(lines.len())).counter(items()).bench_local(run);
}

/// The same comments with a soft hyphen in every word, a combining mark and a Cyrillic letter.
#[divan::bench]
fn dirty(bencher: Bencher<'_, '_>) {
    let disguise = |text: &String| -> String {
        let spelled = text.chars().enumerate().map(|(n, c)| match c {
            'a' if n % 3 == 0 => "\u{430}".to_owned(),
            'e' if n % 3 == 1 => "e\u{336}".to_owned(),
            't' => "t\u{AD}".to_owned(),
            _ => c.to_string(),
        });
        spelled.collect()
    };
    let texts: Vec<String> = TEXTS.iter().map(disguise).collect();
    let mut scratch = Scratch::default();
    let mut run = || {
        let flagged = |t: &&String| {
            !CLASSIFIER.classify_with(&mut scratch, t, &Context::default()).findings.is_empty()
        };
        texts.iter().filter(flagged).count()
    };
    assert_eq!(run(), FLAGGED);
    let size = texts.iter().map(String::len).sum::<usize>();
    bencher.counter(BytesCount::new(size)).counter(items()).bench_local(run);
}

/// A megabyte of what costs most: one letter, quotation marks, one sentence of words that begin
/// rules, look-alike letters.
#[divan::bench(args = ["letter", "quotes", "anchors", "homoglyphs"], sample_count = 5)]
fn worst(bencher: Bencher<'_, '_>, kind: &str) {
    const SIZE: usize = 1_000_000;
    let piece = match kind {
        "letter" => "a",
        "quotes" => "\"'”",
        "anchors" => "ska du jävla idiot dö ",
        _ => "\u{456}\u{501}\u{456}\u{43E}t ",
    };
    let text = piece.repeat(SIZE / piece.len());
    let mut scratch = Scratch::default();
    let mut run =
        || !CLASSIFIER.classify_with(&mut scratch, &text, &Context::default()).findings.is_empty();
    assert_eq!(run(), matches!(kind, "anchors" | "homoglyphs"));
    bencher.counter(BytesCount::new(text.len())).bench_local(run);
}

/// A lexicon of so many made-up words beside the same rule: the more words, the more is looked up
/// in, not the more is found.
#[divan::bench(args = [5_000, 50_000])]
fn entries(bencher: Bencher<'_, '_>, n_words: usize) {
    let syllables = ["ba", "de", "fi", "go", "hu", "ly", "må", "nä", "rö", "sa"];
    let word = |n: usize| -> String {
        [10_000, 1_000, 100, 10, 1].iter().map(|place| syllables[n / place % 10]).collect()
    };
    let words: Vec<String> = (0..n_words).map(|n| format!("\"{}\"", word(n))).collect();
    let text = format!(
        "category = \"insult\"\nlegal = \"prov\"\n\n\
         [[class]]\nname = \"påhitt\"\nlexemes = [{}]\n\n\
         [[rule]]\nid = \"prov.ord\"\nseverity = \"low\"\n\
         why = \"Texten innehåller ett påhittat ord, till prov.\"\n\
         patterns = [\"du @påhitt\"]\n\
         examples = [\"du {}\"]\ncounterexamples = [\"nej\"]\n",
        words.join(", "),
        word(77)
    );
    let source = Source { name: "sv/prov.toml".to_owned(), text };
    let classifier = Classifier::new(Lexicon::compile(&[source]));
    let with_word = [format!("du {}", word(77)), format!("nej {}", word(77))];
    let mut scratch = Scratch::default();
    let mut run = || {
        let flagged = |t: &&String| {
            !classifier.classify_with(&mut scratch, t, &Context::default()).findings.is_empty()
        };
        TEXTS.iter().chain(&with_word).filter(flagged).count()
    };
    // Two of the fixture's comments hold a personal number, which needs no lexicon.
    assert_eq!(run(), WITH_NUMBERS + 1);
    bencher.counter(bytes()).counter(items()).bench_local(run);
}

/// The whole classifier on one thread and on two.
#[divan::bench(args = [1, 2])]
fn on_threads(bencher: Bencher<'_, '_>, n_threads: usize) {
    let n_threads = std::num::NonZeroUsize::new(n_threads).expect("one or two");
    let run = || {
        let mut batches = TEXTS.chunks(100);
        let mut flagged = 0;
        let outcome: Result<(), std::convert::Infallible> = ordered(
            n_threads,
            || Ok(batches.next()),
            |batch| {
                let verdicts = CLASSIFIER.classify_each(batch.iter().map(String::as_str));
                verdicts.iter().filter(|verdict| !verdict.findings.is_empty()).count()
            },
            |n| {
                flagged += n;
                Ok(())
            },
        );
        outcome.map_or_else(|never| match never {}, |()| flagged)
    };
    assert_eq!(run(), FLAGGED);
    bencher.counter(bytes()).counter(items()).bench(run);
}

#[divan::bench(sample_count = 10)]
fn compile_lexicon() -> usize {
    Classifier::built_in().lexicon().rules.len()
}
