//! What is wrong with an author's file: where, what, and how to mend it.

use std::fmt;

/// One fault in a lexicon file. The rest of the file is used all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file, as named under the lexicon's folder.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, in Swedish.
    pub what: String,
    /// How to mend it, in Swedish.
    pub mend: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}. {}.", self.file, self.line, self.what, self.mend)
    }
}
