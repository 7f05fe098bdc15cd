//! Text and context in, verdict out: pure and deterministic.

pub mod mask;

use crate::domain::ids::LexiconVersion;
use crate::domain::verdict::Verdict;

/// What the classifier may know beside the text itself. All of it is optional.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The authority's post that the text stands under.
    pub post: Option<&'a str>,
    /// The item it answers.
    pub parent: Option<&'a str>,
}

/// A compiled lexicon with its rules. Shared by all threads.
#[derive(Debug)]
pub struct Classifier {
    version: LexiconVersion,
}

impl Classifier {
    /// The lexicon that is built into the program.
    pub fn built_in() -> Self {
        Self { version: LexiconVersion::new("empty") }
    }

    /// The version of lexicon and rules: a hash over their sources.
    pub fn version(&self) -> &LexiconVersion {
        &self.version
    }

    /// Classifies one text. Never panics, whatever the text.
    pub fn classify(&self, _text: &str, _context: &Context<'_>) -> Verdict {
        Verdict { lexicon: self.version.clone(), findings: Vec::new() }
    }
}
