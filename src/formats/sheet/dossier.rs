//! A document for somebody outside as PDF/A-2a with PDF/UA-1, by the same engine and fonts as the evidence
//! sheet.

use serde::Serialize;

use super::data::strip_name;
use super::fonts::{FAMILIES, fonts};
use super::shown::{Preparer, Repertoire, Shown};
use super::{SheetError, engine, strips};
use crate::domain::dossier::{Dossier, Fact};

/// Characters of a fact, a heading or a cell.
const VALUE_BUDGET: usize = 2_400;
/// Characters of a record's text: some twenty pages. The whole text lies in the evidence package.
const TEXT_BUDGET: usize = 50_000;
/// What is left of an A4 page between the margins, in points, and a pixel of a browser in these.
const PAGE_WIDTH_POINTS: f64 = 481.9;
const POINTS_PER_PIXEL: f64 = 0.75;

/// The values that `dossier.typ` reads, under these names.
#[derive(Serialize)]
struct Data {
    fonts: &'static [&'static str],
    title: String,
    authority: Shown,
    authority_plain: String,
    heading: &'static str,
    facts: Vec<FactView>,
    notes: Vec<Shown>,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Shown>>,
    chapters: Vec<ChapterView>,
}

#[derive(Serialize)]
struct FactView {
    label: String,
    value: Shown,
}

#[derive(Serialize)]
struct ChapterView {
    title: String,
    facts: Vec<FactView>,
    passages: Vec<PassageView>,
    strips: Vec<StripView>,
}

#[derive(Serialize)]
struct PassageView {
    title: String,
    notes: Vec<Shown>,
    text: Option<Shown>,
}

#[derive(Serialize)]
struct StripView {
    file: String,
    caption: String,
    alt: String,
    share: f64,
}

/// Renders it.
///
/// # Errors
/// As [`super::render`].
pub fn render(dossier: &Dossier) -> Result<Vec<u8>, SheetError> {
    let mut files = Vec::new();
    let mut cut = Vec::new();
    for chapter in &dossier.chapters {
        let first = files.len();
        let made = chapter.picture.as_ref().map(|(png, _)| strips::cut(png));
        cut.push(match made {
            None => Pictured::None,
            Some(Err(_)) => Pictured::Unreadable,
            Some(Ok((strips, pngs))) => {
                files.extend(pngs);
                Pictured::Strips { first, strips }
            }
        });
    }
    let with = |repertoire| -> Result<Vec<u8>, SheetError> {
        let data = data(dossier, &cut, repertoire);
        engine::pdf(engine::Job {
            template: engine::Template::Dossier,
            data: serde_json::to_vec(&data).map_err(SheetError::Data)?,
            strips: files.clone(),
            files: Vec::new(),
            ident: dossier.ident.clone(),
            date: dossier.at,
        })
    };
    match with(Repertoire::Fonts) {
        Err(SheetError::Layout(_) | SheetError::Export(_) | SheetError::Broken) => {
            with(Repertoire::Latin)
        }
        made => made,
    }
}

/// How a chapter's picture came out.
enum Pictured {
    None,
    Unreadable,
    Strips { first: usize, strips: strips::Strips },
}

fn data(dossier: &Dossier, cut: &[Pictured], repertoire: Repertoire) -> Data {
    let mut show = Preparer::new(fonts(), repertoire);
    let authority = show.show(&dossier.authority, VALUE_BUDGET);
    let facts = |show: &mut Preparer<'_>, facts: &[Fact]| {
        facts
            .iter()
            .map(|(label, value)| FactView {
                label: show.show(label, VALUE_BUDGET).plain(),
                value: show.show(value, VALUE_BUDGET),
            })
            .collect()
    };
    let all = |show: &mut Preparer<'_>, texts: &[String]| -> Vec<Shown> {
        texts.iter().map(|text| show.show(text, VALUE_BUDGET)).collect()
    };
    Data {
        fonts: FAMILIES,
        title: show.show(&dossier.title, VALUE_BUDGET).plain(),
        authority_plain: authority.plain(),
        authority,
        heading: dossier.heading,
        facts: facts(&mut show, &dossier.facts),
        notes: all(&mut show, &dossier.notes),
        columns: dossier.columns.clone(),
        rows: dossier.rows.iter().map(|row| all(&mut show, row)).collect(),
        chapters: dossier
            .chapters
            .iter()
            .zip(cut)
            .map(|(chapter, pictured)| {
                let mut passages: Vec<_> = chapter
                    .passages
                    .iter()
                    .map(|passage| {
                        let text = passage.text.as_ref().map(|text| show.show(text, TEXT_BUDGET));
                        let mut notes = all(&mut show, &passage.notes);
                        if text.as_ref().is_some_and(|text| text.cut) {
                            let note = "Texten är för lång för dokumentet. Här står början; hela texten finns i bevispaketet.";
                            notes.push(show.show(note, VALUE_BUDGET));
                        }
                        let title = show.show(&passage.title, VALUE_BUDGET).plain();
                        PassageView { title, notes, text }
                    })
                    .collect();
                let about = chapter.picture.as_ref().map_or("", |(_, about)| about.as_str());
                let strips = match pictured {
                    Pictured::None => Vec::new(),
                    Pictured::Unreadable => {
                        let note = "Bilden kunde inte läsas och visas inte här. Den finns i bevispaketet.";
                        passages.push(PassageView {
                            title: "Skärmbild".into(),
                            notes: vec![show.show(note, VALUE_BUDGET)],
                            text: None,
                        });
                        Vec::new()
                    }
                    Pictured::Strips { first, strips } => {
                        let about = show.show(about, VALUE_BUDGET).plain();
                        let share = f64::from(strips.width) * POINTS_PER_PIXEL / PAGE_WIDTH_POINTS;
                        (0..strips.shown)
                            .map(|n| {
                                let caption =
                                    format!("{about}, del {} av {}", n + 1, strips.whole);
                                let has_text = chapter.passages.iter().any(|p| p.text.is_some());
                                let text = if has_text { " Inläggets text står ovanför." } else { "" };
                                StripView {
                                    file: strip_name(first + n),
                                    alt: format!("{caption}.{text}"),
                                    caption,
                                    share: share.min(1.0),
                                }
                            })
                            .collect()
                    }
                };
                ChapterView {
                    title: show.show(&chapter.title, VALUE_BUDGET).plain(),
                    facts: facts(&mut show, &chapter.facts),
                    passages,
                    strips,
                }
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dossier::{Chapter, Passage};

    #[test]
    fn a_document_is_for_the_archive_whatever_is_written_in_it() {
        let hostile = "#set page(fill: red) \u{202E}\0 🦊 *fet* \u{FFFE} عربي";
        let passage = Passage {
            title: "Texten".into(),
            notes: vec![hostile.into()],
            text: Some(hostile.repeat(40)),
        };
        let picture = image::RgbImage::from_pixel(600, 1_900, image::Rgb([200, 10, 10]));
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
        let chapter = |picture| Chapter {
            title: hostile.into(),
            facts: vec![(hostile.into(), hostile.into())],
            passages: vec![passage.clone()],
            picture: Some((picture, "Skärmbild av sidan".into())),
        };
        let dossier = Dossier {
            title: "Underlag till polisanmälan, ärende 12".into(),
            authority: hostile.into(),
            at: "2026-11-22T12:00:00Z".parse().expect("a time"),
            ident: "prov".into(),
            heading: "I korthet",
            facts: vec![("Vad".into(), hostile.into())],
            notes: vec![hostile.into()],
            columns: vec!["Bevis", "Vad"],
            rows: vec![vec!["1".into(), hostile.into()], vec!["2".into(), String::new()]],
            chapters: vec![chapter(png.into_inner()), chapter(b"ingen bild".to_vec())],
        };
        let pdf = render(&dossier).expect("a PDF");
        let is_in = |words: &str| memchr::memmem::find(&pdf, words.as_bytes()).is_some();
        assert!(is_in("<pdfaid:part>2</pdfaid:part>") && is_in("<pdfuaid:part>1</pdfuaid:part>"));
        assert!(render(&dossier).expect("a PDF") == pdf, "the same every time");
        // For tests/check-pdf.sh.
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sheet-check");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("dossier.pdf"), pdf).expect("a file");
    }
}
