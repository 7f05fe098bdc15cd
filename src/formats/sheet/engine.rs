//! Typst as a library: template and data in, PDF and pixels out.
//!
//! The world that typst sees holds the template, one data file and the strips of the screenshot,
//! and nothing else: no file system, no packages, no clock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use rayon::prelude::*;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::{LazyHash, Scalar};
use typst::{Feature, Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};
use typst_render::RenderOptions;

use super::SheetError;
use super::fonts::fonts;
use super::pictured::strip_name;

/// Resolution of the page pictures.
const DPI: f64 = 120.0;
/// Typographic points in an inch.
const POINTS_PER_INCH: f64 = 72.0;
/// Pages that are also given as pictures; the PDF has them all.
pub const MOST_PAGES: usize = 6;
/// Typst keeps intermediate results between sheets, of which the fonts' are worth keeping. Those
/// that the last so many sheets did not use are dropped, or a daemon would grow without end.
const KEEP_FOR_SHEETS: usize = 3;

/// Which document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// The evidence sheet.
    Evidence,
    /// The protocol of a disposal.
    Protocol,
    /// A document for somebody outside.
    Dossier,
}

/// What one sheet is made of.
pub struct Job {
    /// Which document.
    pub template: Template,
    /// `data.json`.
    pub data: Vec<u8>,
    /// PNG files that `data.json` names.
    pub strips: Vec<Vec<u8>>,
    /// Files that lie in the document itself, by name; `data.json` names them as well.
    pub files: Vec<(String, Vec<u8>)>,
    /// What the document identifier is made of: the same for the same content.
    pub ident: String,
    /// The document's date.
    pub date: jiff::Timestamp,
}

impl Job {
    /// PDF/A-2 lets no file of another kind lie in a document.
    fn archive(&self) -> PdfStandard {
        if self.files.is_empty() { PdfStandard::A_2a } else { PdfStandard::A_3a }
    }
}

/// The files of one sheet.
pub struct Output {
    /// The document.
    pub pdf: Vec<u8>,
    /// The first [`MOST_PAGES`] pages.
    pub pages_png: Vec<Vec<u8>>,
    /// How many pages the document has.
    pub n_pages: usize,
}

/// Lays the sheet out and writes it.
pub fn run(job: Job) -> Result<Output, SheetError> {
    // The layout engine is not ours and the text is anybody's: a panic in there must not take
    // the sealing of evidence down with it.
    let result = catch_unwind(AssertUnwindSafe(|| write(job)));
    typst::comemo::evict(KEEP_FOR_SHEETS);
    result.unwrap_or(Err(SheetError::Broken))
}

/// The same without pictures of the pages.
pub fn pdf(job: Job) -> Result<Vec<u8>, SheetError> {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let (ident, date, archive) = (job.ident.clone(), job.date, job.archive());
        write_pdf(&lay_out(job)?, ident, date, archive)
    }));
    typst::comemo::evict(KEEP_FOR_SHEETS);
    result.unwrap_or(Err(SheetError::Broken))
}

fn write(job: Job) -> Result<Output, SheetError> {
    let ident = job.ident.clone();
    let (date, archive) = (job.date, job.archive());
    let document = lay_out(job)?;
    let pdf = write_pdf(&document, ident, date, archive)?;
    let pages = document.pages();
    let shown = &pages[..pages.len().min(MOST_PAGES)];
    let pages_png = shown.par_iter().map(page_png).collect::<Result<_, _>>()?;
    Ok(Output { pdf, pages_png, n_pages: pages.len() })
}

/// The pages, before they are written in any format.
pub fn lay_out(job: Job) -> Result<PagedDocument, SheetError> {
    let world = SheetWorld::new(job);
    typst::compile(&world).output.map_err(|errors| SheetError::Layout(first(&errors)))
}

/// PDF/A of this part, conformance A, and PDF/UA-1. Typst refuses to write what does not meet them.
pub fn write_pdf(
    document: &PagedDocument,
    ident: String,
    date: jiff::Timestamp,
    archive: PdfStandard,
) -> Result<Vec<u8>, SheetError> {
    let standards = PdfStandards::new(&[archive, PdfStandard::Ua_1])
        .map_err(|e| SheetError::Export(e.message().to_string()))?;
    let options = PdfOptions {
        ident: Smart::Custom(ident),
        creator: Smart::Custom(Some(concat!("Uppsikt ", env!("CARGO_PKG_VERSION")).to_owned())),
        timestamp: pdf_timestamp(date),
        page_ranges: None,
        standards,
        tagged: true,
        pretty: false,
    };
    typst_pdf::pdf(document, &options).map_err(|errors| SheetError::Export(first(&errors)))
}

/// The first complaint. Typst quotes the text it could not show, so everything in backquotes is
/// struck out: no content in error texts.
fn first(errors: &[SourceDiagnostic]) -> String {
    let Some(error) = errors.first() else { return "no reason given".to_owned() };
    let mut words = String::new();
    for (i, part) in error.message.split('`').enumerate() {
        words.push_str(if i % 2 == 0 { part } else { "…" });
    }
    words
}

fn page_png(page: &typst_layout::Page) -> Result<Vec<u8>, SheetError> {
    let options =
        RenderOptions { pixel_per_pt: Scalar::new(DPI / POINTS_PER_INCH), render_bleed: false };
    let pixels = typst_render::render(page, &options);
    pixels.encode_png().map_err(|e| SheetError::Picture(e.into()))
}

fn pdf_timestamp(at: jiff::Timestamp) -> Option<Timestamp> {
    let utc = at.to_zoned(jiff::tz::TimeZone::UTC);
    let part = |n: i8| u8::try_from(n).ok();
    let datetime = Datetime::from_ymd_hms(
        utc.year().into(),
        part(utc.month())?,
        part(utc.day())?,
        part(utc.hour())?,
        part(utc.minute())?,
        part(utc.second())?,
    )?;
    Some(Timestamp::new_utc(datetime))
}

struct Static {
    library: LazyHash<Library>,
    main: FileId,
    source: Source,
    data: FileId,
}

/// What all sheets of a kind share.
fn shared(template: Template) -> &'static Static {
    static EVIDENCE: LazyLock<Static> =
        LazyLock::new(|| Static::of("sheet.typ", include_str!("sheet.typ")));
    static PROTOCOL: LazyLock<Static> =
        LazyLock::new(|| Static::of("protocol.typ", include_str!("protocol.typ")));
    static DOSSIER: LazyLock<Static> =
        LazyLock::new(|| Static::of("dossier.typ", include_str!("dossier.typ")));
    match template {
        Template::Evidence => &EVIDENCE,
        Template::Protocol => &PROTOCOL,
        Template::Dossier => &DOSSIER,
    }
}

impl Static {
    fn of(name: &str, text: &str) -> Self {
        // Row headers of tables still stand behind this switch in typst.
        let features = [Feature::A11yExtras].into_iter().collect();
        let library = Library::builder().with_features(features).build();
        let main = file_id(name);
        Self {
            library: LazyHash::new(library),
            main,
            source: Source::new(main, text.to_owned()),
            data: file_id("data.json"),
        }
    }
}

fn file_id(name: &str) -> FileId {
    // Only our own constant names come here, without dots or slashes to stumble over.
    let path = VirtualPath::new(name).expect("our file names are plain");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

struct SheetWorld {
    shared: &'static Static,
    data: Bytes,
    /// Strips of the screenshot, and files to lie in the document.
    files: Vec<(FileId, Bytes)>,
}

impl SheetWorld {
    fn new(job: Job) -> Self {
        let strips = job
            .strips
            .into_iter()
            .enumerate()
            .map(|(i, png)| (file_id(&strip_name(i)), Bytes::new(png)));
        let embedded = job.files.into_iter();
        let embedded = embedded.map(|(name, bytes)| (file_id(&name), Bytes::new(bytes)));
        let files = strips.chain(embedded).collect();
        Self { shared: shared(job.template), data: Bytes::new(job.data), files }
    }
}

impl World for SheetWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.shared.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &fonts().book
    }

    fn main(&self) -> FileId {
        self.shared.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.shared.main {
            Ok(self.shared.source.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.shared.data {
            return Ok(self.data.clone());
        }
        self.files
            .iter()
            .find(|(file, _)| *file == id)
            .map(|(_, bytes)| bytes.clone())
            .ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        fonts().all.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_holds_the_sheet_and_nothing_else() {
        let job = Job {
            template: Template::Evidence,
            data: b"{}".to_vec(),
            strips: vec![vec![1, 2, 3]],
            files: vec![("payload.json".to_owned(), b"{}".to_vec())],
            ident: String::new(),
            date: jiff::Timestamp::UNIX_EPOCH,
        };
        let world = SheetWorld::new(job);
        assert!(world.file(file_id("data.json")).is_ok());
        assert!(world.file(file_id("strip-0.png")).is_ok());
        assert!(world.file(file_id("payload.json")).is_ok());
        for other in ["strip-1.png", "sheet.typ", "etc/passwd", "Cargo.toml"] {
            assert!(world.file(file_id(other)).is_err(), "{other}");
            assert_eq!(world.source(file_id(other)).is_ok(), other == "sheet.typ", "{other}");
        }
        assert!(world.today(None).is_none());
    }

    #[test]
    fn error_texts_quote_no_content() {
        let error = SourceDiagnostic::error(
            typst::syntax::Span::detached(),
            "the text `Kim Exempel, 19121212-1212` could not be displayed with `Noto Sans`",
        );
        assert_eq!(first(&[error]), "the text … could not be displayed with …");
    }
}
