//! What holds for any text and any way of reading it: see issue "Trust".

use std::io::BufReader;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::classify::dump::{Batch, Batches, Fields, Format};
use crate::classify::parallel::ordered;
use crate::domain::category::Task;
use crate::domain::verdict::Finding;

/// Identity or line, and the verdict or what is wrong, of every record of a dump.
fn answers(input: &[u8], format: Format, buffer: usize, threads: usize) -> Vec<String> {
    let fields = Fields { id: "id".into(), text: vec!["text".into()] };
    let reader = BufReader::with_capacity(buffer, input);
    let Ok(mut batches) = Batches::new(reader, format, &fields) else { return Vec::new() };
    let mut out = Vec::new();
    ordered(
        NonZeroUsize::new(threads).expect("not zero"),
        || batches.next_batch(),
        |batch: Batch| {
            let mut told = Vec::new();
            batch.for_each(format, &fields, |record| {
                told.push(match record {
                    Ok(r) => format!("{} {:?}", r.id, verdict(&r.text).findings),
                    Err(m) => format!("{} {}", m.line, m.what),
                });
            });
            told
        },
        |told| {
            out.extend(told);
            Ok(())
        },
    )
    .expect("memory can be read");
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_dump_gives_the_same_answers_however_it_is_cut_and_shared_out(
        lines in proptest::collection::vec(
            prop_oneof![
                "[ a-zåäö]{0,30}".prop_map(|t| format!("{{\"id\":1,\"text\":\"jag ska döda dig {t}\"}}")),
                any::<String>().prop_map(|t| serde_json::json!({ "id": "x", "text": t }).to_string()),
                Just("{\"id\":1,\"text\":\"\\ud800\"}".to_owned()),
                Just("{trasig".to_owned()),
                Just(String::new()),
            ],
            0..12,
        ),
        // A mark of the byte order is looked for in the first three bytes.
        buffer in 3usize..64,
        threads in 1usize..4,
        crlf in any::<bool>(),
    ) {
        let input = lines.join(if crlf { "\r\n" } else { "\n" });
        for format in [Format::JsonLines, Format::Text] {
            let whole = answers(input.as_bytes(), format, 1 << 16, 1);
            prop_assert_eq!(&answers(input.as_bytes(), format, buffer, threads), &whole);
        }
    }
}

/// Harmless sentences in front and behind, complete and in lines of their own.
const BEFORE: &str = "Vi tackar för kaffet.\n";
const AFTER: &str = "\nOch vädret var fint.";

/// What a rule hits, it hits with harmless sentences before and behind as well. It is not said where
/// the rule itself looks beyond the sentence, at where the text begins or ends or at how much there
/// is of it: [`MOST_LOST`] of its own examples, of questions, signatures and calls in a word or two.
#[test]
fn harmless_sentences_around_what_a_rule_hits_change_nothing() {
    let mut scratch = Scratch::default();
    let (mut n, mut lost) = (0, Vec::new());
    for example in BUILT_IN.lexicon().examples.iter().filter(|e| e.hits) {
        let rule = &BUILT_IN.lexicon().rules[example.rule as usize];
        let mut hits = |text: &str| {
            let verdict = BUILT_IN.by_rules(&mut scratch, text);
            verdict.findings.iter().any(|f| f.rule == rule.id)
        };
        if !hits(&example.text) {
            continue;
        }
        n += 1;
        if !hits(&format!("{BEFORE}{}{AFTER}", example.text)) {
            lost.push(format!("{}: {}", rule.id, example.text));
        }
    }
    assert!(n > 1_000, "{n}");
    assert!(lost.len() <= MOST_LOST, "{} of {n}:\n{}", lost.len(), lost.join("\n"));
}

/// Examples of rules that look beyond their sentence, of some 2,000.
const MOST_LOST: usize = 31;

/// Whether a person sees it.
fn is_queued(text: &str) -> bool {
    let verdict = BUILT_IN.classify(text, &Context::default());
    let to_a_person =
        |f: &Finding| f.severity >= Severity::Medium || f.category.task() == Task::Routing;
    verdict.findings.iter().any(to_a_person)
}

/// What rules say is high, by their own examples, as the whole engine judges them.
fn grave_examples() -> impl Iterator<Item = &'static str> {
    let lexicon = BUILT_IN.lexicon();
    lexicon.examples.iter().filter_map(|example| {
        let rule = &lexicon.rules[example.rule as usize];
        let is_grave = example.hits && !rule.shadow && rule.severity == Severity::High;
        is_grave.then_some(example.text.as_str())
    })
}

/// Of what rules themselves say is high, the cues take back next to nothing: a sum of words knows
/// nothing of order and addressee.
#[test]
fn what_rules_say_is_high_reaches_a_person() {
    let all: Vec<&str> = grave_examples().collect();
    let lost: Vec<&str> = all.iter().copied().filter(|text| !is_queued(text)).collect();
    assert!(all.len() > 1_000, "{}", all.len());
    assert!(lost.len() <= MOST_TAKEN_BACK, "{} of {}:\n{}", lost.len(), all.len(), lost.join("\n"));
}

/// Examples of rules that were wrong too often to be believed alone.
const MOST_TAKEN_BACK: usize = 45;

/// Pleasantries, a question and a laugh around a threat hide it from nobody. These are what people
/// write, not what suits the rules.
#[test]
fn pleasantries_around_what_is_high_hide_it_from_nobody() {
    let around: [fn(&str) -> String; 4] = [
        |text| format!("Hej! Tack för fint fika på biblioteket. {text}. Trevlig helg!"),
        |text| format!("När öppnar badhuset? {text}. Tack på förhand för svar."),
        |text| format!("{text}. Ta bort kommentaren."),
        |text| format!("{text} haha skämt"),
    ];
    for (nth, around) in around.into_iter().enumerate() {
        let seen: Vec<&str> = grave_examples().filter(|text| is_queued(text)).collect();
        let lost: Vec<&str> = seen.iter().copied().filter(|t| !is_queued(&around(t))).collect();
        let most = seen.len() / 20;
        assert!(
            lost.len() <= most,
            "{nth}: {} of {}:\n{}",
            lost.len(),
            seen.len(),
            lost.join("\n")
        );
    }
}

/// The shortest of three runs, in each of which the text is judged so many times: what else the machine
/// does only ever adds.
fn shortest(text: &str, times: usize) -> Duration {
    let run = || {
        let began = Instant::now();
        for _ in 0..times {
            // With buffers of its own: those used before remember words.
            let mut scratch = Scratch::default();
            std::hint::black_box(BUILT_IN.classify_with(&mut scratch, text, &Context::default()));
        }
        began.elapsed()
    };
    (0..3).map(|_| run()).min().expect("three runs")
}

/// Eight times the text takes some eight times as long; a quadratic step would take 64 times.
#[test]
fn time_grows_with_the_length_of_the_worst_texts_and_not_with_its_square() {
    let worst: [(&str, &str); 12] = [
        ("one letter", "a"),
        ("stretched", "iiiiiiiiii"),
        ("nested quotes", "”\"»“"),
        ("anchors", "döda dig idiot "),
        ("one word", "kommunfullmäktigeordförande"),
        ("no stops", "jag tycker att det var bra och "),
        ("digits", "0123456789"),
        ("digits set apart", "850709-"),
        ("look-alikes", "аеорсух"),
        ("signs between", "f.i.t.t.a."),
        ("addresses", "www.a.example/?b="),
        ("marks", "a\u{301}\u{308}"),
    ];
    for (name, unit) in worst {
        let of = |size: usize| unit.repeat(size / unit.len());
        let (short, long) = (of(4_000), of(32_000));
        // What else the machine does may spoil a round; a quadratic step spoils all of them.
        let in_proportion = (0..5).any(|_| {
            // As much text in both, so that a busy machine holds up neither more than the other.
            let eight = shortest(&short, 8).max(8 * Duration::from_micros(200));
            shortest(&long, 1).as_secs_f64() / eight.as_secs_f64() < 24.0 / 8.0
        });
        assert!(in_proportion, "{name}: eight times the text took over 24 times as long");
    }
}
