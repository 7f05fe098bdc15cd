use std::collections::BTreeSet;

use proptest::prelude::*;
use smallvec::SmallVec;

use crate::classify::cues::extract::{Cue, MOST_BYTES, Shape, plain, plain_swedish};
use crate::classify::cues::fit::{Sample, Settings, fit};
use crate::classify::cues::stretches;
use crate::classify::cues::table::{Cues, LANES, Written, lane, read_cue, write_row};
use crate::classify::cues::thresholds::{Costs, Judged, choose};
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::{Lexicon, Source};
use crate::classify::rules::View;
use crate::classify::{Classifier, Context, Scratch};
use crate::domain::category::{Category, Severity};

const SUMS: &str = r#"
[[sum]]
category = "threat"
id = "samlat.hot"
severity = "high"
why = "Tecknen pekar mot hot."
legal = "BrB 4:5"
"#;

const RULES: &str = r#"
category = "insult"
legal = "regler"
[[class]]
name = "dumord"
lexemes = ["tokig a1"]
[[rule]]
id = "angrepp.tok"
severity = "medium"
why = "Ett dumt ord."
patterns = ["@dumord"]
examples = ["Du är tokig", "tokig", "så tokig"]
counterexamples = ["klok", "snäll", "glad"]
"#;

fn classifier(weights: &str) -> Classifier {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    Classifier::new(Lexicon::compile(&[
        source("cues/sums.toml", SUMS),
        source("cues/weights.tsv", weights),
        source("sv/a.toml", RULES),
    ]))
}

const WEIGHTS: &str = "\
=start\tthreat-50
=finding\tthreat+100
=sure\tthreat+200
=doubt\tinsult-200
dotter\tthreat+80
skola-\tthreat+80
vet vilke\tthreat+120
@dumord\tinsult-300
";

fn found(text: &str) -> Vec<(Category, Severity, Vec<String>)> {
    classifier(WEIGHTS)
        .classify(text, &Context::default())
        .findings
        .iter()
        .map(|f| {
            let words = f.spans.iter().map(|s| text[s.start as usize..s.end as usize].to_owned());
            (f.category, f.severity, words.collect())
        })
        .collect()
}

#[test]
fn cues_that_weigh_enough_together_are_a_finding_with_their_words() {
    assert_eq!(found("jag har en dotter"), []);
    assert_eq!(
        found("jag vet vilken skolan är, hälsa din dotter"),
        [(
            Category::Threat,
            Severity::High,
            vec!["vilken".to_owned(), "skolan".to_owned(), "dotter".to_owned()]
        )],
    );
}

#[test]
fn the_fast_sums_are_those_of_all_cues() {
    let classifier = &crate::classify::BUILT_IN;
    let cues = &classifier.lexicon.cues;
    let mut scratch = Scratch::default();
    let own = [
        "Är du tokig? \"Nej\" sa Kim Exempel 2024, ring 070-174 06 05 eller kim@exempel.example!!",
        "#DödaAlla jävla idioooter f i t t a svart skalle https://exempel-bio.example/gratis @kim 🔥🔥",
        "en två en två en två VERSALER ÖVERALLT HÄR OCH DÄR 12 och 1234 och 12345",
        "",
    ];
    let long = include_str!("../../../fixtures/classify/bench-comments.txt");
    for text in own.into_iter().chain(long.lines()).chain([long]) {
        for _ in 0..2 {
            classifier.classify_with(&mut scratch, text, &Context::default());
            let Scratch { folded, tokens, hits, marks, memo, seen, scales, vocabulary, .. } =
                &mut scratch;
            let Lexicon { words, sets, .. } = &classifier.lexicon;
            let view = View { original: text, folded, tokens, words, marks, memo, sets, seen };
            for stretch in stretches(&view) {
                let plain = cues.plain_sums_of(&view, hits, stretch.clone());
                let quick = &classifier.quick;
                let range = stretch.clone();
                let fast = cues.sums_of(quick, &view, vocabulary, hits, range, scales);
                assert_eq!(fast, plain, "{text}");
                for lane in 0..LANES {
                    let plain = cues.plain_weights_of(&view, stretch.clone(), lane);
                    let fast = cues.weights_of(quick, &view, vocabulary, stretch.clone(), lane);
                    assert_eq!(fast, plain, "{text}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn words_in_swedish_letters_are_plain_as_all_others(word in "[a-cåäöéü0]{1,40}") {
        let mut letters = SmallVec::new();
        plain(word.as_bytes(), &mut letters);
        let mut swedish = [0; MOST_BYTES];
        if let Some(n) = plain_swedish(word.as_bytes(), &mut swedish) {
            prop_assert_eq!(&swedish[..n], &letters[..]);
        } else {
            prop_assert!(word.contains('ü') || word.len() > 30);
        }
    }
}

#[test]
fn a_sum_just_above_the_threshold_is_at_most_medium() {
    assert_eq!(
        found("vet vilken dotter"),
        [(Category::Threat, Severity::Medium, vec!["vilken".to_owned(), "dotter".to_owned()])],
    );
}

#[test]
fn a_cue_counts_once_however_often_it_stands_there() {
    assert_eq!(found(&"dotter ".repeat(30)), []);
}

#[test]
fn a_rule_that_the_cues_speak_against_gives_a_note() {
    let of = |text| found(text).iter().map(|(c, s, _)| (*c, *s)).collect::<Vec<_>>();
    assert_eq!(of("du är tokig"), [(Category::Insult, Severity::Low)]);
}

#[test]
fn rules_are_tried_without_weights() {
    let (_, failed) = crate::classify::lexicon::trial::run(&classifier(WEIGHTS));
    assert_eq!(failed, []);
}

#[test]
fn what_cannot_be_read_is_named_by_line_and_the_rest_is_used() {
    let weights = "=start\tthreat+150\nord utan tabb\n@finnsinte\tthreat+1\n!finns.inte\tthreat+1\nord\thot+1\n=nytt\tthreat+1\n";
    let lexicon = Lexicon::compile(&[
        Source { name: "cues/sums.toml".into(), text: SUMS.into() },
        Source { name: "cues/weights.tsv".into(), text: weights.into() },
        Source { name: "sv/a.toml".into(), text: RULES.into() },
    ]);
    let lines: Vec<usize> = lexicon
        .complaints
        .iter()
        .filter(|c| c.file == "cues/weights.tsv")
        .map(|c| c.line)
        .collect();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
    assert_eq!(lexicon.cues.start[0], 150);
}

#[test]
fn a_sums_file_that_is_broken_weighs_nothing_and_is_named() {
    let mut complaints = Vec::new();
    let cues = Cues::read(
        ("cues/sums.toml", "[[sum]]\ncategory = 3"),
        ("cues/weights.tsv", "ord\tthreat+1\n"),
        &[],
        &[],
        &[],
        &mut complaints,
    );
    assert_eq!((complaints.len(), complaints[0].line), (1, 2));
    assert!(cues.sums.iter().all(Option::is_none));
}

/// What is found by a list of sums with these exceptions, and what is complained of.
fn excepted(exceptions: &str, text: &str) -> (usize, Vec<(usize, String)>) {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let guards = "\n[[guard]]\nid = \"tal\"\nlead = [\"sa\"]\n";
    let lexicon = Lexicon::compile(&[
        source("cues/sums.toml", &format!("{SUMS}{exceptions}")),
        source("cues/weights.tsv", WEIGHTS),
        source("sv/a.toml", &format!("{RULES}{guards}")),
    ]);
    let of_sums = lexicon.complaints.iter().filter(|c| c.file == "cues/sums.toml");
    let complaints = of_sums.map(|c| (c.line, c.what.clone())).collect();
    let verdict = Classifier::new(lexicon).classify(text, &Context::default());
    (verdict.findings.len(), complaints)
}

#[test]
fn words_that_an_exception_excuses_do_not_weigh() {
    const TEXT: &str = "jag vet vilken skolan är, hälsa din dotter";
    for (exceptions, found) in [
        ("", 1),
        ("unless = [\"hälsa\"]", 0),
        ("unless = [\"hunden\"]", 1),
        ("unless_text = [\"hälsa\"]", 0),
        // On one of the words: the others weigh enough without it, or do not.
        ("except = [\"din ^dotter\"]", 1),
        ("except = [\"din ^dotter\", \"vet vilken\"]", 0),
        ("guards = [\"tal\"]", 1),
    ] {
        assert_eq!(excepted(exceptions, TEXT), (found, vec![]), "{exceptions}");
    }
    let told = "han sa vet vilken skolan är. Hälsa din dotter";
    assert_eq!(excepted("guards = [\"tal\"]", told).0, 0);
    assert_eq!(excepted("", told).0, 1);
    // A sentence that is excused takes nothing from another one.
    let beside = "Hunden sover. Jag vet vilken skolan är, hälsa din dotter.";
    assert_eq!(excepted("unless = [\"hunden\"]", beside).0, 1);
}

#[test]
fn exceptions_of_sums_that_do_not_hold_are_named_with_their_line() {
    let (_, complaints) = excepted("unless = [\n\"@okänd\"]\nguards = [\"saknas\"]", "");
    let lines: Vec<usize> = complaints.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [9, 10], "{complaints:?}");
}

#[test]
fn every_cue_of_a_text_is_found_under_the_name_it_is_written_with() {
    let plain = classifier("");
    let mut scratch = Scratch::default();
    for text in [
        "Hej! Ring 070-174 06 05 nu, annars…",
        "LÄS MER på https://exempel-bio.example/gratis?id=4 @kim",
        "Ååååh vilken jättelångsammansättning 🔥🔥",
        "Är du tokig? \"Nej\" sa Kim Exempel 2024",
        "مرحبا بكم här 漢字 också",
        "d i n  f.i.t.t.a är d_u_m =) e-post -hej- ^o^ @nna f*an \\o/ %5",
        "Titta här: https://kommun.example/ååååååååååååååååååååååååååååååååååååååååå/öppet/nu/för/alla/gäster/hela/da",
        "Flaggstångsknoppspoleringsmedelsförpackningsetikettstryckerierna öppnar klockan nio idag",
    ] {
        let names: BTreeSet<String> =
            plain.cues(&mut scratch, text).into_iter().flatten().collect();
        assert!(names.len() > 8, "{names:?}");
        let mut row = [0; LANES];
        row[0] = 1;
        let list: String = names.iter().map(|name| write_row(name, &row)).collect();
        let listed = classifier(&list);
        let unread = listed.lexicon().complaints.iter().filter(|c| c.file == "cues/weights.tsv");
        assert_eq!(unread.collect::<Vec<_>>(), Vec::<&Complaint>::new());
        let n = listed.lexicon().cues.len();
        assert_eq!(n, names.len());
        // All of them are met again: the sum is their number.
        let weighings = {
            let high = format!("=finding\tthreat+{n}\n{list}");
            let listed = classifier(&high);
            let verdict = listed.classify(text, &Context::default());
            verdict.findings.iter().any(|f| f.category == Category::Threat)
        };
        assert!(weighings, "{text}");
    }
}

#[test]
fn names_and_keys_agree_for_shapes() {
    for name in ["tiny", "asks", "quotes", "very-long"] {
        let shape = Shape::named(name).expect("a known shape");
        let written = Cue::Shape(shape).name(&[], |_| String::new());
        assert_eq!(written, format!("%{name}"));
    }
    assert_eq!(Shape::named("okänd"), None);
}

fn sample(cues: &[&str], threat: bool, author: u32) -> Sample {
    let mut found = [Some(false); LANES];
    found[0] = Some(threat);
    Sample { cues: cues.iter().map(|c| (*c).to_owned()).collect(), found, author, weight: 1.0 }
}

#[test]
fn fitting_finds_what_separates_and_is_the_same_every_time() {
    let samples: Vec<Sample> = (0..60)
        .map(|i| {
            let noise = ["röd", "blå", "grön"][i % 3];
            match i % 2 {
                0 => sample(&["kniv", noise], true, i as u32 % 5),
                _ => sample(&["smör", noise], false, i as u32 % 5),
            }
        })
        .collect();
    let fitted = fit(&samples, &Settings::default());
    let weight =
        |name: &str| fitted.rows.iter().find(|(n, _)| n == name).map_or(0, |(_, row)| row[0]);
    assert!(weight("kniv") > 20 && weight("smör") < -20, "{:?}", fitted.rows);
    assert!(weight("röd").abs() < 10);
    assert!(
        samples.iter().zip(&fitted.unseen).all(|(s, u)| (u[0] > 0) == (s.found[0] == Some(true)))
    );
    assert_eq!(fit(&samples, &Settings::default()).rows, fitted.rows);
}

#[test]
fn a_cue_that_few_have_needs_fewer_comments_to_weigh_as_much() {
    let of = |n: usize, cue: &'static str, threat: bool| {
        (0..n).map(move |i| sample(&[cue], threat, i as u32 % 5))
    };
    let samples: Vec<Sample> =
        of(20, "ofta", true).chain(of(4, "sällan", true)).chain(of(40, "annat", false)).collect();
    let fitted = fit(&samples, &Settings::default());
    let weight = |name: &str| fitted.rows.iter().find(|(n, _)| n == name).map(|(_, row)| row[0]);
    let (rare, common) = (weight("sällan").unwrap(), weight("ofta").unwrap());
    assert!(common > 0 && i32::from(rare) * 10 > i32::from(common) * 8, "{rare} {common}");
}

#[test]
fn a_category_without_examples_is_never_found() {
    let fitted = fit(&[sample(&["a"], false, 0), sample(&["a"], false, 1)], &Settings::default());
    assert!(fitted.rows.is_empty());
    assert!(fitted.starts.iter().all(|s| *s < 0));
}

fn judged(sum: i32, found: bool, by_rule: Option<Severity>) -> Judged {
    let mut judged = Judged {
        found: [Some(false); LANES],
        removal: found,
        by_rules: [None; LANES],
        believed: [false; LANES],
        sums: [-100; LANES],
    };
    judged.found[0] = Some(found);
    judged.sums[0] = sum;
    judged.by_rules[0] = by_rule;
    judged
}

#[test]
fn thresholds_stand_where_finds_outweigh_alarms() {
    let alone: Vec<Judged> =
        [(90, true), (80, true), (70, true), (70, true), (60, false), (50, true), (40, false)]
            .map(|(sum, found)| judged(sum, found, None))
            .into();
    let t = choose(&alone, &Costs { finding: 2.0, doubt: 1.0, grave: 1.0 });
    assert_eq!((t.finding[0], t.sure[0]), (70, 70));
    assert_eq!(t.doubt[0], -i16::MAX);
    let ruled = [(-90, false), (-80, false), (-70, true), (10, true)]
        .map(|(sum, found)| judged(sum, found, Some(Severity::High)));
    let t = choose(&ruled, &Costs { finding: 2.0, doubt: 1.0, grave: 1.0 });
    assert_eq!((t.doubt[0], t.grave[0]), (-i16::MAX, -79));
    let t = choose(&ruled, &Costs { finding: 2.0, doubt: 1.0, grave: 0.4 });
    assert_eq!(t.grave[0], -79);
    let milder =
        ruled.map(|j| Judged { by_rules: j.by_rules.map(|s| s.and(Some(Severity::Medium))), ..j });
    let t = choose(&milder, &Costs { finding: 2.0, doubt: 1.0, grave: 1.0 });
    assert_eq!((t.doubt[0], t.grave[0]), (-79, -i16::MAX));
}

#[test]
fn a_threshold_takes_in_all_comments_of_its_sum_in_whatever_order_they_come() {
    let costs = Costs { finding: 2.0, doubt: 1.0, grave: 1.0 };
    for order in [[true, false, false], [false, true, false], [false, false, true]] {
        let alone: Vec<Judged> = order.map(|found| judged(20, found, None)).into();
        assert_eq!(choose(&alone, &costs).finding[0], i16::MAX, "{order:?}");
        let ruled: Vec<Judged> = order.map(|found| judged(20, !found, Some(Severity::High))).into();
        assert_eq!(choose(&ruled, &costs).grave[0], -i16::MAX, "{order:?}");
    }
}

#[test]
fn a_rule_is_never_doubted_where_the_sum_nearly_is_a_finding() {
    let mut all: Vec<Judged> = (0..9).map(|_| judged(50, true, None)).collect();
    all.extend((0..9).map(|_| judged(40, false, Some(Severity::High))));
    all.extend((0..9).map(|_| judged(10, false, Some(Severity::High))));
    let thresholds = choose(&all, &Costs { finding: 2.0, doubt: 1.0, grave: 1.0 });
    assert_eq!((thresholds.finding[0], thresholds.grave[0]), (50, 11));
    // Nor where a person has written it.
    let lexicon = classifier("=finding\tthreat+50\n=doubt\tthreat+45\n=grave\tthreat+45\n");
    assert_eq!((lexicon.lexicon().cues.doubt[0], lexicon.lexicon().cues.grave[0]), (30, 30));
    let complaints = &lexicon.lexicon().complaints;
    assert_eq!(complaints.iter().filter(|c| c.file == "cues/weights.tsv").count(), 2);
}

#[test]
fn settings_that_are_missing_find_and_doubt_nothing() {
    let of = |weights: &str| {
        let verdict = classifier(weights).classify("du är tokig, dotter", &Context::default());
        verdict.findings.iter().map(|f| (f.category, f.severity)).collect::<Vec<_>>()
    };
    let rule_alone = [(Category::Insult, Severity::Medium)];
    assert_eq!(of("=start\tinsult-900\ndotter\tthreat+900\n"), rule_alone);
    assert_eq!(of("=start\tinsult-900\n=doubt\tthreat+1\n=grave\tthreat+1\n"), rule_alone);
    // A sum of nothing is a setting like any other.
    assert_eq!(write_row("=finding", &[0; LANES]).matches("+0").count(), LANES);
}

#[test]
fn the_cues_of_the_built_in_list_are_read_as_what_they_are_written_as() {
    let sources = crate::classify::lexicon::built_in::sources();
    let list = sources.iter().find(|s| s.name == "cues/weights.tsv").expect("built in");
    for line in list.text.lines().filter(|line| !line.starts_with(['#', '=', '@', '!', '?'])) {
        let name = line.split('\t').next().expect("a split has a first part");
        let Some(Written::Letters(cue)) = read_cue(name) else { panic!("{name}") };
        assert_eq!(cue.name(&[], |_| String::new()), name);
        // No cue of a text holds a blank but that of a pair.
        assert!(name.matches(' ').count() <= 1, "{name}");
    }
}

#[test]
fn rows_are_written_as_they_are_read() {
    let mut row = [0; LANES];
    row[lane(Category::Threat).expect("weighed")] = 120;
    row[lane(Category::Question).expect("weighed")] = -7;
    assert_eq!(write_row("skola-", &row), "skola-\tthreat+120 question-7\n");
    assert_eq!(lane(Category::PersonalId), None);
}

#[test]
fn hostile_text_is_weighed_in_linear_time() {
    let text = "a ".repeat(200_000);
    assert!(classifier(WEIGHTS).classify(&text, &Context::default()).findings.is_empty());
}

proptest! {
    #[test]
    fn weighing_never_panics_and_names_words_of_the_text(text in "\\PC{0,200}") {
        let verdict = classifier("=finding\tthreat-1000\na\tthreat+1\n").classify(&text, &Context::default());
        for finding in &verdict.findings {
            for span in &finding.spans {
                prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
            }
        }
    }
}
