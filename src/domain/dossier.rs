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
    /// Column headings of the index, which as many cells go with in each row. A last one that is called *Sida* is
    /// filled in with the page on which the row's chapter begins.
    pub columns: Vec<&'static str>,
    /// The index: a row for each chapter.
    pub rows: Vec<Vec<String>>,
    /// The chapters.
    pub chapters: Vec<Chapter>,
    /// Files that lie in the document itself. With any it is PDF/A-3a.
    pub files: Vec<DossierFile>,
}

/// A file within a document.
#[derive(Clone, PartialEq, Eq)]
pub struct DossierFile {
    /// Its name there: ASCII, without folders.
    pub name: String,
    /// What it is, in Swedish.
    pub what: String,
    /// Media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
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
    /// Pictures of the page.
    pub pictures: Vec<ChapterPicture>,
}

/// A picture of a page.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ChapterPicture {
    /// PNG.
    pub png: Vec<u8>,
    /// What it is a picture of.
    pub about: String,
    /// What has to be known about it.
    pub notes: Vec<String>,
    /// How it is shown.
    pub look: PictureLook,
}

/// How a picture is shown in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PictureLook {
    /// In its own size, over as many pages as it takes.
    #[default]
    InFull,
    /// Small, on one page.
    OnOnePage,
    /// As fields of colour, on one page.
    Blurred,
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
