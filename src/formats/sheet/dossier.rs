//! A document for somebody outside as PDF/A-2a with PDF/UA-1, by the same engine and fonts as the evidence
//! sheet.

use serde::Serialize;

use super::fonts::{FAMILIES, fonts};
use super::pictured::{
    PAGE_WIDTH_POINTS, POINTS_PER_PIXEL, Picture, in_strips, on_one_page, strip_name,
};
use super::shown::{Preparer, Repertoire, Shown};
use super::{SheetError, engine};
use crate::domain::dossier::{Chapter, ChapterPicture, Dossier, Fact, PictureLook};

/// Characters of a fact, a heading or a cell.
const VALUE_BUDGET: usize = 2_400;
/// Characters of a record's text: some twenty pages. The whole text lies in the evidence package.
const TEXT_BUDGET: usize = 50_000;

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
    files: Vec<FileView>,
}

#[derive(Serialize)]
struct FileView {
    name: String,
    what: String,
    media_type: String,
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
    pictures: Vec<PictureView>,
}

#[derive(Serialize)]
struct PassageView {
    title: String,
    notes: Vec<Shown>,
    text: Option<Shown>,
}

/// A picture, or a piece of one, on a page of its own.
#[derive(Serialize)]
struct PictureView {
    heading: Option<String>,
    notes: Vec<Shown>,
    file: String,
    caption: String,
    alt: String,
    /// In points.
    width: f64,
}

/// Renders it.
///
/// # Errors
/// As [`super::render`].
pub fn render(dossier: &Dossier) -> Result<Vec<u8>, SheetError> {
    let (mut files, mut made) = (Vec::new(), Vec::new());
    for picture in dossier.chapters.iter().flat_map(|chapter| &chapter.pictures) {
        let (came, pngs) = match picture.look {
            PictureLook::InFull => in_strips(&picture.png),
            PictureLook::OnOnePage => on_one_page(&picture.png, false),
            PictureLook::Blurred => on_one_page(&picture.png, true),
        };
        made.push(Made { first: files.len(), came });
        files.extend(pngs);
    }
    let with = |repertoire| -> Result<Vec<u8>, SheetError> {
        let data = data(dossier, &made, repertoire);
        engine::pdf(engine::Job {
            template: engine::Template::Dossier,
            data: serde_json::to_vec(&data).map_err(SheetError::Data)?,
            strips: files.clone(),
            files: dossier
                .files
                .iter()
                .map(|file| (file.name.clone(), file.bytes.clone()))
                .collect(),
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

/// How a picture came out, and which of the files is its first.
struct Made {
    first: usize,
    came: Picture,
}

/// One picture in words; where it cannot be shown, why.
fn pictured(
    show: &mut Preparer<'_>,
    chapter: &Chapter,
    picture: &ChapterPicture,
    made: &Made,
) -> Result<Vec<PictureView>, PassageView> {
    let about = show.show(&picture.about, VALUE_BUDGET).plain();
    let mut notes: Vec<_> =
        picture.notes.iter().map(|note| show.show(note, VALUE_BUDGET)).collect();
    let has_text = chapter.passages.iter().any(|passage| passage.text.is_some());
    let text = if has_text { " Inläggets text står ovanför." } else { "" };
    match &made.came {
        Picture::None => Ok(Vec::new()),
        Picture::Unreadable => {
            let note = "Bilden kunde inte läsas och visas inte här. Den finns i bevispaketet.";
            let notes = vec![show.show(note, VALUE_BUDGET)];
            Err(PassageView { title: about, notes, text: None })
        }
        Picture::Strips(strips) => {
            let width = f64::from(strips.width) * POINTS_PER_PIXEL;
            let view = |n: usize| {
                let caption = format!("{about}, del {} av {}", n + 1, strips.whole);
                PictureView {
                    heading: (n == 0).then(|| about.clone()),
                    notes: if n == 0 { std::mem::take(&mut notes) } else { Vec::new() },
                    file: strip_name(made.first + n),
                    alt: format!("{caption}.{text}"),
                    caption,
                    width: width.min(PAGE_WIDTH_POINTS),
                }
            };
            Ok((0..strips.shown).map(view).collect())
        }
        Picture::Fitted(fitted) => {
            let how = if fitted.is_blurred { "suddad" } else { "förminskad" };
            let caption = format!("{about}, {how}");
            Ok(vec![PictureView {
                heading: Some(about),
                notes,
                file: strip_name(made.first),
                alt: format!("{caption}.{text}"),
                caption,
                width: fitted.width_points(),
            }])
        }
    }
}

fn data(dossier: &Dossier, made: &[Made], repertoire: Repertoire) -> Data {
    let mut made = made.iter();
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
            .map(|chapter| {
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
                let mut pictures = Vec::new();
                for (picture, made) in chapter.pictures.iter().zip(&mut made) {
                    match pictured(&mut show, chapter, picture, made) {
                        Ok(views) => pictures.extend(views),
                        Err(why) => passages.push(why),
                    }
                }
                ChapterView {
                    title: show.show(&chapter.title, VALUE_BUDGET).plain(),
                    facts: facts(&mut show, &chapter.facts),
                    passages,
                    pictures,
                }
            })
            .collect(),
        files: dossier
            .files
            .iter()
            .map(|file| FileView {
                name: file.name.clone(),
                what: file.what.clone(),
                media_type: file.media_type.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dossier::{DossierFile, Passage};

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
        let png = png.into_inner();
        let chapter = |picture: Vec<u8>, look, n| Chapter {
            title: hostile.into(),
            facts: vec![(hostile.into(), hostile.into())],
            passages: vec![passage.clone()],
            pictures: vec![
                ChapterPicture {
                    png: picture,
                    about: "Skärmbild av sidan".into(),
                    notes: vec![hostile.into()],
                    look,
                };
                n
            ],
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
            chapters: vec![
                chapter(png.clone(), PictureLook::InFull, 1),
                chapter(png.clone(), PictureLook::OnOnePage, 2),
                chapter(b"ingen bild".to_vec(), PictureLook::InFull, 1),
            ],
            files: Vec::new(),
        };
        let pdf = render(&dossier).expect("a PDF");
        let is_in = |words: &str| memchr::memmem::find(&pdf, words.as_bytes()).is_some();
        assert!(is_in("<pdfaid:part>2</pdfaid:part>") && is_in("<pdfuaid:part>1</pdfuaid:part>"));
        assert!(render(&dossier).expect("a PDF") == pdf, "the same every time");
        // For tests/check-pdf.sh.
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sheet-check");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("dossier.pdf"), pdf).expect("a file");
        // What is blurred in it lies in it as it was: that takes the third part.
        let original = DossierFile {
            name: "bevis-7-screenshot.png".into(),
            what: "Skärmbild av sidan, osuddad".into(),
            media_type: "image/png".into(),
            bytes: png.clone(),
        };
        let blurred = Dossier {
            chapters: vec![chapter(png.clone(), PictureLook::Blurred, 1)],
            files: vec![original],
            ..dossier
        };
        let pdf = render(&blurred).expect("a PDF");
        let is_in = |words: &[u8]| memchr::memmem::find(&pdf, words).is_some();
        assert!(is_in(b"<pdfaid:part>3</pdfaid:part>") && is_in(b"bevis-7-screenshot.png"));
        assert!(render(&blurred).expect("a PDF") == pdf, "the same every time");
        std::fs::write(folder.join("dossier-suddad.pdf"), pdf).expect("a file");
    }
}
