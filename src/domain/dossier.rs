//! A document for somebody outside (the police, who asks for public records), as values: what stands in front,
//! an index, and a chapter for each record.

use jiff::Timestamp;

/// A fact with what it is called.
pub type Fact = (String, String);

/// A whole document. The same values give the same bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Dossier {
    /// What it is.
    pub title: String,
    /// The authority.
    pub authority: String,
    /// The document's date.
    pub at: Timestamp,
    /// What its identifier is made of.
    pub ident: String,
    /// What is told first, under this heading.
    pub heading: &'static str,
    /// Facts.
    pub facts: Vec<Fact>,
    /// What has to be known.
    pub notes: Vec<String>,
    /// Column headings of the index, which as many cells go with in each row.
    pub columns: Vec<&'static str>,
    /// The index: a row for each chapter.
    pub rows: Vec<Vec<String>>,
    /// The chapters.
    pub chapters: Vec<Chapter>,
}

/// One record.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Chapter {
    /// Its heading.
    pub title: String,
    /// What is known of it.
    pub facts: Vec<Fact>,
    /// Its texts.
    pub passages: Vec<Passage>,
    /// A picture of the page, as PNG, and what it is a picture of.
    pub picture: Option<(Vec<u8>, String)>,
}

/// A text with its heading.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// Its heading.
    pub title: String,
    /// What has to be known about it.
    pub notes: Vec<String>,
    /// The text as it was written; none where there are only notes.
    pub text: Option<String>,
}

/// Texts and pictures stay out of logs and of failing tests.
impl std::fmt::Debug for Dossier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dossier")
            .field("title", &self.title)
            .field("n_chapters", &self.chapters.len())
            .finish_non_exhaustive()
    }
}
