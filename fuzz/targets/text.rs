//! Any text through the whole classifier: it answers, the answer holds together, it is the same
//! every time, and what is masked stays masked.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use uppsikt_fuzz::classify::explain::explain;
use uppsikt_fuzz::classify::{Classifier, Context, Scratch};
use uppsikt_fuzz::domain::category::Category;
use uppsikt_fuzz::domain::verdict::Verdict;

static CLASSIFIER: LazyLock<Classifier> = LazyLock::new(Classifier::built_in);

/// Longer texts are read by the same loops; the explanation of a long one is only slow.
const LONGEST_EXPLAINED: usize = 400;

fuzz_target!(init: { LazyLock::force(&CLASSIFIER); }, |bytes: &[u8]| {
    // Broken UTF-8 is refused where records are read; here it becomes what a reader would see.
    let text = &*String::from_utf8_lossy(bytes);
    let context = Context::default();
    let mut fresh = Scratch::default();
    let verdict = CLASSIFIER.classify_with(&mut fresh, text, &context);
    holds_together(text, &verdict);
    assert_eq!(verdict, CLASSIFIER.classify(text, &context), "used buffers change the answer");
    let masked = CLASSIFIER.masked(text);
    let again = CLASSIFIER.classify(&masked, &context);
    holds_together(&masked, &again);
    let numbers = again.findings.iter().find(|f| f.rule.starts_with("personnummer."));
    assert!(numbers.is_none(), "masked, and yet found: {masked:?} {numbers:?}");
    if text.len() <= LONGEST_EXPLAINED {
        let (traced, _) = CLASSIFIER.trace(&mut fresh, text);
        assert_eq!(verdict, traced, "asking why changes the answer");
        explain(&CLASSIFIER, text);
        CLASSIFIER.cues(&mut fresh, text);
    }
});

fn holds_together(text: &str, verdict: &Verdict) {
    assert!(verdict.findings.is_sorted_by(|a, b| a.severity >= b.severity));
    for finding in &verdict.findings {
        assert!(!finding.spans.is_empty(), "{finding:?}");
        assert!(finding.spans.is_sorted_by(|a, b| a.end < b.start), "{finding:?}");
        for span in &finding.spans {
            let found = text.get(span.start as usize..span.end as usize);
            assert!(found.is_some_and(|words| !words.is_empty()), "{finding:?}");
        }
        let known = Category::ALL.contains(&finding.category);
        assert!(known && !finding.why.is_empty() && !finding.rule.is_empty());
    }
}
