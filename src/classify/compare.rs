//! Two lexicons on the same texts: what the one finds that the other does not, by category.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::classify::Classifier;
use crate::classify::lanes::Lanes;
use crate::domain::category::{Category, Severity};
use crate::domain::text::{is_hidden, mark};
use crate::domain::verdict::Verdict;

/// What became of one category in one comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Change {
    /// Found by the new one alone.
    Added(Severity),
    /// Found by the old one alone.
    Removed(Severity),
    /// Found by both, with another severity.
    Changed(Severity, Severity),
}

impl Change {
    fn of(before: Option<Severity>, after: Option<Severity>) -> Option<Self> {
        match (before, after) {
            (None, Some(after)) => Some(Self::Added(after)),
            (Some(before), None) => Some(Self::Removed(before)),
            (Some(before), Some(after)) if before != after => Some(Self::Changed(before, after)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// In Swedish.
    pub fn label(self) -> String {
        match self {
            Self::Added(after) => format!("tillkommer ({})", after.label()),
            Self::Removed(before) => format!("försvinner ({})", before.label()),
            Self::Changed(before, after) => {
                format!("ändras ({} till {})", before.label(), after.label())
            }
        }
    }
}

/// A comment as a sample: it may be passed on, so it holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Which comment.
    pub id: String,
    /// The rules that found something in it.
    pub rules: Vec<Arc<str>>,
    /// How it begins, with personal data struck out and hidden characters marked.
    pub text: String,
}

/// What was counted; batches are added up in order, so that samples are the first ones.
#[derive(Debug, Default)]
pub struct Tally {
    /// Comments.
    pub records: u64,
    /// Those that could not be read.
    pub malformed: u64,
    /// How often, with samples.
    pub changes: BTreeMap<(Category, Change), (u64, Vec<Sample>)>,
    /// Comments with a finding that opens a case, before and after.
    pub queued: (u64, u64),
    /// How often rules hit that are in shadow.
    pub shadows: BTreeMap<Arc<str>, u64>,
}

/// Samples kept of one kind in one batch.
const MOST_SAMPLES: usize = 20;
/// How much of a comment a sample shows, in characters.
const SAMPLE: usize = 160;

thread_local! {
    /// The buffers for the lexicon before and for the one after. They outlive the batch, for they
    /// remember the words that were met.
    static LANES: RefCell<[Lanes; 2]> = RefCell::default();
}

impl Tally {
    /// Adds another one, keeping so many samples of each kind.
    pub fn add(&mut self, other: Self, samples: usize) {
        self.records += other.records;
        self.malformed += other.malformed;
        self.queued.0 += other.queued.0;
        self.queued.1 += other.queued.1;
        for (key, (n, texts)) in other.changes {
            let (all, kept) = self.changes.entry(key).or_default();
            *all += n;
            let room = samples.saturating_sub(kept.len());
            kept.extend(texts.into_iter().take(room));
        }
        for (rule, n) in other.shadows {
            *self.shadows.entry(rule).or_default() += n;
        }
    }

    /// Counts what the two say of these texts, each with its id.
    pub fn compare_all(
        &mut self,
        before: &Classifier,
        after: &Classifier,
        records: &[(&str, &str)],
    ) {
        let texts = || records.iter().map(|(_, text)| *text);
        let (mut was, mut is) = (Vec::new(), Vec::new());
        LANES.with_borrow_mut(|[old, new]| {
            after.classify_all(new, texts(), |scratch, verdict| {
                for rule in after.shadow_hits(scratch) {
                    *self.shadows.entry(rule).or_default() += 1;
                }
                is.push(verdict);
            });
            // Of the same lexicon nobody asks twice.
            if before.version() != after.version() {
                before.classify_all(old, texts(), |_, verdict| was.push(verdict));
            }
        });
        let was = if before.version() == after.version() { &is } else { &was };
        for (((id, text), was), is) in records.iter().zip(was).zip(&is) {
            self.compare(was, is, |verdict| Sample {
                id: (*id).to_owned(),
                rules: verdict.findings.iter().map(|f| Arc::clone(&f.rule)).collect(),
                text: excerpt(&after.masked(text)),
            });
        }
    }

    fn compare(&mut self, before: &Verdict, after: &Verdict, sample: impl Fn(&Verdict) -> Sample) {
        let gravest = |verdict: &Verdict, category: Category| {
            let of = verdict.findings.iter().filter(|f| f.category == category);
            of.map(|f| f.severity).max()
        };
        self.queued.0 += u64::from(before.findings.iter().any(|f| f.opens_case()));
        self.queued.1 += u64::from(after.findings.iter().any(|f| f.opens_case()));
        if before.findings.is_empty() && after.findings.is_empty() {
            return;
        }
        for category in Category::ALL.iter().copied() {
            let pair = (gravest(before, category), gravest(after, category));
            if let Some(change) = Change::of(pair.0, pair.1) {
                let (n, texts) = self.changes.entry((category, change)).or_default();
                *n += 1;
                if texts.len() < MOST_SAMPLES {
                    texts.push(sample(if pair.1.is_some() { after } else { before }));
                }
            }
        }
    }
}

fn excerpt(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(SAMPLE)
        .map(|c| match c {
            '\n' | '\r' | '\t' => " ".to_owned(),
            c if is_hidden(c) => mark(c),
            c => c.to_string(),
        })
        .collect();
    if text.chars().nth(SAMPLE).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_removed_and_changed_is_told_apart() {
        use Severity::{High, Low};
        assert_eq!(Change::of(None, Some(High)), Some(Change::Added(High)));
        assert_eq!(Change::of(Some(Low), None), Some(Change::Removed(Low)));
        assert_eq!(Change::of(Some(Low), Some(High)), Some(Change::Changed(Low, High)));
        assert_eq!(Change::of(Some(Low), Some(Low)), None);
        assert_eq!(Change::of(None, None), None);
    }

    #[test]
    fn what_another_lexicon_finds_is_counted_with_a_sample() {
        let verdict = |severities: &[Severity]| Verdict {
            lexicon: crate::domain::ids::LexiconVersion::new("x"),
            findings: severities
                .iter()
                .map(|severity| crate::domain::verdict::Finding {
                    category: Category::Profanity,
                    severity: *severity,
                    rule: Arc::from("prov.ord"),
                    spans: Vec::new(),
                    why: Arc::from("Prov."),
                    legal: Arc::from("prov"),
                    mark: None,
                })
                .collect(),
        };
        let sample =
            |text: &str| Sample { id: String::new(), rules: Vec::new(), text: text.into() };
        let mut tally = Tally::default();
        let (none, low, medium) =
            (verdict(&[]), verdict(&[Severity::Low]), verdict(&[Severity::Medium, Severity::Low]));
        tally.compare(&none, &low, |_| sample("ett"));
        tally.compare(&low, &medium, |_| sample("två"));
        tally.compare(&medium, &medium, |_| sample("tre"));
        let kinds: Vec<_> =
            tally.changes.iter().map(|((_, c), (n, s))| (*c, *n, s[0].text.as_str())).collect();
        assert_eq!(
            kinds,
            [
                (Change::Added(Severity::Low), 1, "ett"),
                (Change::Changed(Severity::Low, Severity::Medium), 1, "två")
            ]
        );
        assert_eq!(tally.queued, (1, 2));
    }
}
