//! The sealed snapshot of one version of one item (*bevis*), as values.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::PlatformKind;
use super::action::ActionKind;
use super::category::Category;
use super::ids::{AccountKey, ContentHash, PlatformItemId};
use super::item::{Attachment, Author, FetchedPost, ItemKind, Permalink, Presence};
use super::page_log::PageLog;
use super::verdict::Verdict;

/// What a part of the evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// The element of the platform's answer, byte for byte.
    Payload,
    /// The item's text as UTF-8.
    Text,
    /// The thread above, as JSON.
    Thread,
    /// The rendered sheet, PDF/A.
    SheetPdf,
    /// The rendered sheet, one PNG per page.
    SheetPng,
    /// A picture of the live page: cut to the item where it was found there, and then with [`Self::FullPage`]
    /// beside it; else of the whole page.
    Screenshot,
    /// A picture of the whole live page with a frame around the item, which we drew on it.
    FullPage,
    /// Bytes of an attachment.
    Attachment,
    /// What links lead to, as JSON with text, where the policy asks for it.
    Links,
    /// The call that the item came by: request line and response headers, without secrets, as JSON.
    Exchange,
    /// What the live page loaded, as a web archive (WACZ).
    PageArchive,
    /// What the live page was refused and what it complained of, as JSON ([`super::page_log::PageLog`]).
    PageLog,
}

impl PartKind {
    /// Identifier in manifests, also the stem of the part's file name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Payload => "payload",
            Self::Text => "text",
            Self::Thread => "thread",
            Self::SheetPdf => "sheet_pdf",
            Self::SheetPng => "sheet_png",
            Self::Screenshot => "screenshot",
            Self::FullPage => "full_page",
            Self::Attachment => "attachment",
            Self::Links => "links",
            Self::Exchange => "exchange",
            Self::PageArchive => "page_archive",
            Self::PageLog => "page_log",
        }
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Payload => "plattformens svar i original",
            Self::Text => "texten",
            Self::Thread => "tråden",
            Self::SheetPdf => "bevisblad (PDF/A)",
            Self::SheetPng => "bevisblad (bild)",
            Self::Screenshot => "skärmbild av sidan",
            Self::FullPage => "skärmbild av hela sidan",
            Self::Attachment => "bilaga",
            Self::Links => "vart länkarna leder",
            Self::Exchange => "anropet till plattformen",
            Self::PageArchive => "sidan som webbarkiv (WACZ)",
            Self::PageLog => "vad som stoppades på sidan",
        }
    }
}

/// What of a record is neither shown, exported nor needed any more (regulation 2.2): what was copied
/// before anybody suspected anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// Nothing.
    Nothing,
    /// Whatever may hold a picture: on the same page stands an item that may not be copied.
    PagePictures,
    /// Whatever may hold a picture: the item may not be copied, but this version was not what
    /// aroused suspicion.
    OwnPictures,
    /// All of it: this is the version that aroused suspicion.
    Everything,
}

/// One captured part: its bytes lie in the blob store under their hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// File name in an exported package, ASCII.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// SHA-256 of the bytes.
    pub sha256: ContentHash,
    /// How many bytes.
    pub size_bytes: u64,
    /// When the bytes were taken.
    pub captured_at: Timestamp,
    /// How: program, version, viewport… in plain words.
    pub method: String,
}

/// A part that could not be taken, and why (invariant 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPart {
    /// What is missing.
    pub kind: PartKind,
    /// Why, in Swedish, for the editor and the court.
    pub reason: String,
}

/// What stands in a thread instead of the text of an item that may not be copied.
pub const TEXT_NOT_COPIED: &str =
    "[Texten får inte kopieras: misstänkt barnpornografibrott, brottsbalken 16:10 a.]";

/// One item of the thread above, as it stood when the evidence was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadItem {
    /// The platform's identity.
    pub platform_id: PlatformItemId,
    /// Author as shown.
    pub author: Author,
    /// Text.
    pub text: String,
    /// When the platform says it was written.
    pub created_at: Option<Timestamp>,
    /// What it answers, where it stands below the item and answers another than it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<PlatformItemId>,
}

/// The context of an item: the authority's post, the answers between it and the item, and the answers below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The post it stands under.
    pub post: Option<FetchedPost>,
    /// From the top down to the item's parent.
    pub above: Vec<ThreadItem>,
    /// Links of the chain that we never saw.
    pub missing: Vec<String>,
    /// What was answered to the item and to its answers, as far as we were given it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<ThreadItem>,
    /// How many more answers are known of than stand in it: beyond the first ones, or not assessed yet.
    #[serde(default, skip_serializing_if = "is_none_left")]
    pub below_left_out: u32,
}

// As serde calls it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
const fn is_none_left(left: &u32) -> bool {
    *left == 0
}

/// What the platform showed beside the text when it was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Where the author's picture is.
    pub picture: Option<String>,
    /// How others reacted.
    pub counts: Vec<Told>,
}

/// How many of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What, in Swedish.
    pub what: String,
    /// How many; a score may be below none.
    pub n: i64,
}

impl Beside {
    /// The counts in one line; empty where there are none.
    pub fn counts_in_words(&self) -> String {
        let words: Vec<_> =
            self.counts.iter().map(|told| format!("{} {}", told.n, told.what)).collect();
        words.join(", ")
    }
}

/// Everything that is sealed of one version. Its canonical JSON is what the log's leaf hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this shape.
    pub format: u32,
    /// The account's key.
    pub account: AccountKey,
    /// The platform's identifier, for example `wordpress`.
    pub platform: String,
    /// Whether the platform was a simulator.
    pub simulated: bool,
    /// The platform's identity of the item.
    pub item: PlatformItemId,
    /// Number of the version, from 1.
    pub version: u32,
    /// Hash of the version's content: what [`super::item::FetchedItem::content_hash`] gives.
    pub content_sha256: ContentHash,
    /// What it is.
    pub kind: ItemKind,
    /// Author as shown.
    pub author: Author,
    /// When the platform says it was written, as received.
    pub created_raw: Option<String>,
    /// That time, read.
    pub created_at: Option<Timestamp>,
    /// When it was edited, where stated.
    pub edited_at: Option<Timestamp>,
    /// When we fetched this version.
    pub fetched_at: Timestamp,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Visibility when fetched.
    pub presence: Presence,
    /// Link to it.
    pub permalink: Option<Permalink>,
    /// What hung on it, as described by the platform.
    pub attachments: Vec<Attachment>,
    /// What the platform showed beside the text. Absent where it was not asked for: in records from before, and
    /// where a person typed it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// What the classifier said, by which lexicon.
    pub verdict: Option<Verdict>,
    /// What was captured.
    pub parts: Vec<Part>,
    /// What was not, and why.
    pub missing: Vec<MissingPart>,
    /// The program that sealed it, with version.
    pub sealed_by: String,
    /// The seal of the wording before this one, where its author has changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<EarlierSeal>,
    /// The removal right before which it was read and sealed once more; none where it was sealed because somebody
    /// was to see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_before: Option<ActionKind>,
    /// Whether its sheet shows pictures blurred. Sheets from before never did.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sheet_is_blurred: bool,
}

// As serde calls it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A seal, as a later one points to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierSeal {
    /// Number of its version.
    pub version: u32,
    /// Hash of its manifest.
    pub manifest_sha256: ContentHash,
    /// Its place in the log.
    pub log_seq: u64,
}

impl Manifest {
    /// Whether a person typed it in: then nobody but that person says what stood where.
    pub fn is_by_hand(&self) -> bool {
        self.platform == PlatformKind::Manual.id()
    }

    /// Whether its pictures are shown blurred until somebody asks for them: what was found in the text lets
    /// violence or pornography be expected in them, or nothing had been looked for yet.
    pub fn is_blurred(&self) -> bool {
        let Some(verdict) = &self.verdict else { return true };
        let mut found = verdict.findings.iter().map(|finding| finding.category);
        found.any(|category| matches!(category, Category::Violence | Category::Sexual))
    }

    /// Whether a part is a picture that stands blurred: also the sheet's pages, where the screenshot is on them
    /// as it is. It never is on the first.
    pub fn is_part_blurred(&self, part: &Part) -> bool {
        let is = |kind: PartKind| move |part: &&Part| part.kind == kind;
        let shows = match part.kind {
            PartKind::Screenshot | PartKind::FullPage | PartKind::Attachment => true,
            PartKind::SheetPng => {
                !self.sheet_is_blurred
                    && self.parts.iter().any(|part| is(PartKind::Screenshot)(&part))
                    && self.parts.iter().find(is(PartKind::SheetPng)) != Some(part)
            }
            PartKind::Payload
            | PartKind::Text
            | PartKind::Thread
            | PartKind::SheetPdf
            | PartKind::PageArchive
            | PartKind::PageLog
            | PartKind::Links
            | PartKind::Exchange => false,
        };
        shows && self.is_blurred()
    }

    /// Whether anything sealed may show what stands on the page, or what hangs on the item.
    pub fn holds_picture(&self) -> bool {
        let is_picture = |kind| {
            matches!(
                kind,
                PartKind::Screenshot
                    | PartKind::FullPage
                    | PartKind::Attachment
                    | PartKind::PageArchive
                    | PartKind::PageLog
            )
        };
        self.parts.iter().any(|part| is_picture(part.kind))
    }

    /// Whether a part is cut off.
    pub fn is_cut_off(&self, part: PartKind, cut: CutOff) -> bool {
        match cut {
            CutOff::Nothing => false,
            CutOff::PagePictures | CutOff::OwnPictures => match part {
                PartKind::Screenshot
                | PartKind::FullPage
                | PartKind::Attachment
                | PartKind::PageArchive
                | PartKind::PageLog => true,
                // The sheet has the picture in it, where there is one.
                PartKind::SheetPdf | PartKind::SheetPng => self.holds_picture(),
                PartKind::Payload
                | PartKind::Text
                | PartKind::Thread
                | PartKind::Links
                | PartKind::Exchange => false,
            },
            CutOff::Everything => true,
        }
    }
}

/// What the evidence sheet shows: all that a reader without the system needs.
#[derive(Clone, PartialEq, Eq)]
pub struct SheetContent {
    /// The authority's name.
    pub authority: String,
    /// The account's name as people know it.
    pub account_name: String,
    /// The platform's name as people know it.
    pub platform_name: String,
    /// Whether the platform was a simulator; then the sheet says so in large letters.
    pub simulated: bool,
    /// Identity, author, times, permalink, attachments, verdict: taken from here.
    pub manifest: Manifest,
    /// The item's text.
    pub text: String,
    /// The thread above.
    pub thread: Thread,
    /// A screenshot as PNG bytes, if one was taken.
    pub screenshot_png: Option<Vec<u8>>,
    /// The whole page, where the screenshot is cut to the item.
    pub full_page: Option<FullPage>,
    /// What the page was refused and what it complained of, where it was pictured.
    pub page_log: Option<PageLog>,
    /// Pictures that hung on the item, drawn anew and small.
    pub pictures: Vec<SheetPicture>,
    /// The secrecy mark of its case, in words, where one stands.
    pub secrecy: Option<String>,
    /// Files that lie in the sheet itself. With any it is PDF/A-3a, which not every archive takes.
    pub embedded: Vec<EmbeddedFile>,
}

/// A picture of the whole page.
#[derive(Clone, PartialEq, Eq)]
pub struct FullPage {
    /// PNG.
    pub png: Vec<u8>,
    /// Whether we drew a frame around the item on it.
    pub is_framed: bool,
}

/// A picture that hung on an item, or that the platform shows of its author, as the sheet shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct SheetPicture {
    /// The part's name in the manifest.
    pub name: String,
    /// Whether it is the author's.
    pub of_author: bool,
    /// Drawn anew, small.
    pub png: Vec<u8>,
    /// Width of the original, in dots.
    pub width: u32,
    /// Height of the original, in dots.
    pub height: u32,
}

/// A file within a sheet.
#[derive(Clone, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// Its name there: ASCII, without folders.
    pub name: &'static str,
    /// What it is, in Swedish.
    pub what: &'static str,
    /// Media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A rendered sheet.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedSheet {
    /// PDF/A-2a and PDF/UA-1.
    pub pdf: Vec<u8>,
    /// One PNG per page, in order.
    pub pages_png: Vec<Vec<u8>>,
    /// Characters that no font could show and that stand as code points in words.
    pub uncovered: Vec<char>,
    /// Program and version that rendered it.
    pub method: String,
}

/// Text and pictures stay out of logs and of failing tests.
impl std::fmt::Debug for SheetContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SheetContent")
            .field("item", &self.manifest.item)
            .field("version", &self.manifest.version)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RenderedSheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RenderedSheet")
            .field("pdf_bytes", &self.pdf.len())
            .field("n_pages_png", &self.pages_png.len())
            .field("uncovered", &self.uncovered.len())
            .field("method", &self.method)
            .finish()
    }
}
