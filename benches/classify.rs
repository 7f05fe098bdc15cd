//! The classifier stage by stage, beside the base row, on the comments of `fixtures/classify`.
//!
//! `cargo bench --bench classify`. Every bench states how many matches it must find, so that a
//! wrong answer is never a fast one. For figures on a dump of one's own: `uppsikt bench FILE`.

use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

use uppsikt::classify::{Classifier, Context, Scratch, baseline};

static CLASSIFIER: LazyLock<Classifier> = LazyLock::new(Classifier::built_in);

/// The texts: ordinary comments of our own, repeated until caches are warm and full.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let one = include_str!("../fixtures/classify/bench-comments.txt");
    let lines: Vec<String> = one.lines().map(str::to_owned).collect();
    std::iter::repeat_n(lines, 50).flatten().collect()
});

/// How many texts of the fixture have findings, and how many hold a personal number.
const FLAGGED: usize = 12 * 50;
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

#[divan::bench(sample_count = 10)]
fn compile_lexicon() -> usize {
    Classifier::built_in().lexicon().rules.len()
}
