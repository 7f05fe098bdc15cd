//! What the classifier says of one version of an item (*bedömning*).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::category::{Category, Severity, Task};
use super::ids::LexiconVersion;
use super::item::ItemKind;

/// A stretch of the original text, in bytes, on character boundaries: `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// First byte after the stretch.
    pub end: u32,
}

impl From<(u32, u32)> for Span {
    fn from((start, end): (u32, u32)) -> Self {
        Self { start, end }
    }
}

impl From<Span> for (u32, u32) {
    fn from(span: Span) -> Self {
        (span.start, span.end)
    }
}

/// Something that a finding means for the whole product, whatever the category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Sexual content that concerns children: nothing of the item may be copied, fetched or shown
    /// (*barnpornografibrott*, BrB 16:10 a; regulation 2.2).
    Child,
}

impl Mark {
    /// Every mark.
    pub const ALL: &[Self] = &[Self::Child];

    /// The identifier in rule files and output.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Child => "child",
        }
    }
}

/// One thing found in a text, with everything an editor needs to judge it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was found.
    pub category: Category,
    /// How grave.
    pub severity: Severity,
    /// The rule that found it, as named in the lexicon, for example `hot.doda-dig`.
    pub rule: Arc<str>,
    /// The words that made the rule fire, sorted, not overlapping.
    pub spans: Vec<Span>,
    /// One Swedish sentence for the editor: why. Never quotes the text itself.
    pub why: Arc<str>,
    /// The law or house rule the category rests on, for example `1998:112 5 § 1 a; BrB 4:5`.
    pub legal: Arc<str>,
    /// What it means beyond its category; absent in what was written before there were marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

impl Finding {
    /// Whether this finding by itself brings the item before a person (design, section 3).
    pub fn opens_case(&self) -> bool {
        match self.category.task() {
            Task::Removal => self.severity >= Severity::Medium,
            Task::Routing => true,
        }
    }
}

/// Everything found in one version, hardest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The lexicon and rules that made it. The same text, version and context always give the
    /// same verdict.
    pub lexicon: LexiconVersion,
    /// The findings, primary first.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The gravest severity, or nothing for a benign text.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.severity).max()
    }

    /// What opens a case: a removal finding of medium or high severity, any routing finding, and
    /// every private message, whatever it says.
    pub fn opens_case(&self, kind: ItemKind) -> bool {
        kind == ItemKind::DirectMessage || self.findings.iter().any(Finding::opens_case)
    }

    /// Whether nothing of the item may be copied (design, invariant 2; regulation 2.2).
    pub fn bars_copying(&self) -> bool {
        self.findings.iter().any(|f| f.mark == Some(Mark::Child))
    }

    /// Whether somebody's life or health, or a child, is at stake now: a cry for help or a report
    /// of danger.
    pub fn asks_for_help(&self) -> bool {
        let grave = |f: &Finding| f.category == Category::Case && f.severity == Severity::High;
        self.findings.iter().any(grave)
    }

    /// Whether somebody wants something of the authority: reports a fault, raises a matter, or asks what probably
    /// expects an answer. Such an item is an incoming document (*inkommen handling*).
    pub fn is_incoming(&self) -> bool {
        self.findings.iter().any(|f| match f.category {
            Category::Case => true,
            Category::Question => f.severity >= Severity::Medium,
            _ => false,
        })
    }

    /// The finding that a person should see first.
    pub fn primary(&self) -> Option<&Finding> {
        self.findings.first()
    }
}
