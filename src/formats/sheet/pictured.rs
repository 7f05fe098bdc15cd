//! Pictures of pages as documents show them: cut into strips, drawn small on one page, or blurred.

use serde::Serialize;

use super::data::{TITLE_BUDGET, VALUE_BUDGET};
use super::shown::Preparer;
use super::strips::{self, Strips};
use super::words;
use crate::domain::evidence::{Manifest, PartKind, SheetContent};
use crate::formats::preview;

/// The longest side of a picture that is drawn small, in pixels: some 200 to the inch on the page.
const FITTED_SIDE: u32 = 1_800;
/// A CSS pixel as a browser prints it: 96 to the inch.
pub const POINTS_PER_PIXEL: f64 = 0.75;
/// What is left of an A4 page between the margins, 170 mm.
pub const PAGE_WIDTH_POINTS: f64 = 481.9;
/// What is left of its height under a heading and the words on a picture.
const PAGE_HEIGHT_POINTS: f64 = 560.0;

/// How a picture came out.
pub enum Picture {
    /// There is none.
    None,
    /// It is there but is no picture that can be read.
    Unreadable,
    /// Cut into strips.
    Strips(Strips),
    /// Drawn small, or blurred, to stand on one page.
    Fitted(Fitted),
}

/// A picture that stands on one page.
pub struct Fitted {
    /// Width of the original, in pixels.
    pub width: u32,
    /// Height of the original, in pixels.
    pub height: u32,
    /// Whether only its colours are left. What is written holds nothing more, so nothing brings it back.
    pub is_blurred: bool,
}

impl Fitted {
    /// How wide it stands on the page, in points: never larger than a browser would print it.
    pub fn width_points(&self) -> f64 {
        let (width, height) = (f64::from(self.width.max(1)), f64::from(self.height.max(1)));
        let scale =
            (PAGE_WIDTH_POINTS / width).min(PAGE_HEIGHT_POINTS / height).min(POINTS_PER_PIXEL);
        (width * scale * 10.0).round() / 10.0
    }
}

/// A picture in its own size over as many pages as it takes, and the files that are shown.
pub fn in_strips(png: &[u8]) -> (Picture, Vec<Vec<u8>>) {
    match strips::cut(png) {
        Ok((strips, files)) => (Picture::Strips(strips), files),
        // The document says so; the picture itself lies in the evidence as it is.
        Err(_unreadable) => (Picture::Unreadable, Vec::new()),
    }
}

/// A picture on one page, and its file.
pub fn on_one_page(png: &[u8], is_blurred: bool) -> (Picture, Vec<Vec<u8>>) {
    let drawn = match is_blurred {
        true => preview::blurred(png),
        false => preview::small(png, FITTED_SIDE),
    };
    match drawn {
        Ok(preview::Drawn { png, width, height }) => {
            (Picture::Fitted(Fitted { width, height, is_blurred }), vec![png])
        }
        Err(_unreadable) => (Picture::Unreadable, Vec::new()),
    }
}

/// The picture of the item: blurred where that is asked for.
pub fn of_item(png: Option<&[u8]>, is_blurred: bool) -> (Picture, Vec<Vec<u8>>) {
    match (png, is_blurred) {
        (None, _) => (Picture::None, Vec::new()),
        (Some(png), true) => on_one_page(png, true),
        (Some(png), false) => in_strips(png),
    }
}

/// A piece of a picture in its own size.
#[derive(Serialize)]
pub struct StripView {
    pub file: String,
    pub caption: String,
    pub alt: String,
    /// Share of the page's width.
    pub share: f64,
}

/// A picture of the page that stands on one page.
#[derive(Serialize)]
pub struct FittedView {
    heading: &'static str,
    notes: Vec<String>,
    file: String,
    alt: String,
    /// In points.
    width: f64,
}

/// How the pictures of the page came out, before the template is filled.
pub struct Pictures {
    /// The item, or the whole page where it was not found on it.
    pub item: Picture,
    /// The whole page, where the other is cut to the item.
    pub whole: Picture,
}

/// What the template gets of the pictures of the page.
pub struct PageViews {
    /// Pieces of the picture of the item; their files are the first.
    pub strips: Vec<StripView>,
    /// What there is to say of it.
    pub strips_note: String,
    /// Why a picture that is there is not shown.
    pub screenshot_note: Option<String>,
    /// Pictures that stand on one page each; their files are the next.
    pub fitted: Vec<FittedView>,
}

/// The pictures of the page in words.
pub fn page_views(show: &mut Preparer<'_>, content: &SheetContent, taken: &Pictures) -> PageViews {
    let manifest = &content.manifest;
    let (strips, strips_note, mut screenshot_note) = strip_views(show, manifest, &taken.item);
    let mut fitted = Vec::new();
    if let Picture::Fitted(item) = &taken.item {
        fitted.push(fitted_item(show, manifest, item, strips.len()));
    }
    match (&taken.whole, &content.full_page) {
        (Picture::Fitted(whole), Some(page)) => {
            let index = strips.len() + fitted.len();
            fitted.push(fitted_page(show, manifest, whole, page.is_framed, index));
        }
        (Picture::Unreadable, _) => {
            let note = "Bilden av hela sidan kunde inte läsas som PNG och visas därför inte här.";
            screenshot_note.get_or_insert(note.to_owned());
        }
        (Picture::None | Picture::Strips(_) | Picture::Fitted(_), _) => {}
    }
    PageViews { strips, strips_note, screenshot_note, fitted }
}

fn strip_views(
    show: &mut Preparer<'_>,
    manifest: &Manifest,
    picture: &Picture,
) -> (Vec<StripView>, String, Option<String>) {
    let strips = match picture {
        Picture::None => return (Vec::new(), String::new(), None),
        Picture::Unreadable => {
            let note = "Skärmbilden som lämnades till bladet kunde inte läsas som PNG och visas därför inte här.";
            return (Vec::new(), String::new(), Some(note.to_owned()));
        }
        Picture::Fitted(_) => return (Vec::new(), String::new(), None),
        Picture::Strips(strips) => strips,
    };
    let page = page_name(show, manifest);
    let n = strips.shown;
    let share = (f64::from(strips.width) * POINTS_PER_PIXEL / PAGE_WIDTH_POINTS).min(1.0);
    let views = (1..=n)
        .map(|i| StripView {
            file: strip_name(i - 1),
            caption: format!("Skärmbild, del {i} av {}", strips.whole),
            alt: format!(
                "Skärmbild av {page}, del {i} av {}. Inläggets text står i avsnittet Texten.",
                strips.whole
            ),
            share,
        })
        .collect();
    let taken = how_taken(show, manifest, PartKind::Screenshot);
    let mut note = format!(
        "Bilden är {} × {} bildpunkter och delad i sidhöga delar som överlappar något.",
        words::number(strips.width.into()),
        words::number(strips.height.into()),
    );
    if n < strips.whole {
        note.push_str(&format!(
            " De första {n} av {} delar visas; hela bilden finns i bevispaketet.",
            strips.whole
        ));
    }
    if let Some(taken) = taken {
        note.push(' ');
        note.push_str(&taken);
    }
    (views, note, None)
}

/// What page a picture is of.
fn page_name(show: &mut Preparer<'_>, manifest: &Manifest) -> String {
    match &manifest.permalink {
        Some(link) => show.show(&link.url, TITLE_BUDGET).plain(),
        None => "sidan".to_owned(),
    }
}

/// When and how a picture was taken.
fn how_taken(show: &mut Preparer<'_>, manifest: &Manifest, kind: PartKind) -> Option<String> {
    let part = manifest.parts.iter().find(|part| part.kind == kind)?;
    let method = show.show(&part.method, VALUE_BUDGET).plain();
    Some(format!("Tagen {}. {method}", words::swedish_time(part.captured_at)))
}

/// Where a blurred picture lies as it is.
fn blurred_note(manifest: &Manifest, kind: PartKind) -> String {
    let part = manifest.parts.iter().find(|part| part.kind == kind);
    let file = part.map_or_else(String::new, |part| format!(", filen {}", part.name));
    format!(
        "Bilden är suddad här, eftersom den kan visa våld eller sexuellt innehåll. Den osuddade ligger oförändrad i bevispaketet{file}."
    )
}

/// The picture of the item where it stands on one page: blurred.
fn fitted_item(
    show: &mut Preparer<'_>,
    manifest: &Manifest,
    picture: &Fitted,
    index: usize,
) -> FittedView {
    let mut notes = vec![blurred_note(manifest, PartKind::Screenshot)];
    notes.extend(how_taken(show, manifest, PartKind::Screenshot));
    FittedView {
        heading: "Skärmbild",
        notes,
        file: strip_name(index),
        alt: format!(
            "Suddad skärmbild av {}. Inläggets text står i avsnittet Texten.",
            page_name(show, manifest)
        ),
        width: picture.width_points(),
    }
}

/// The whole page.
fn fitted_page(
    show: &mut Preparer<'_>,
    manifest: &Manifest,
    picture: &Fitted,
    is_framed: bool,
    index: usize,
) -> FittedView {
    let mut notes = Vec::new();
    if picture.is_blurred {
        notes.push(blurred_note(manifest, PartKind::FullPage));
    }
    if is_framed {
        notes.push("Ramen runt inlägget är ritad av Uppsikt på den färdiga bilden. Den fanns inte på sidan.".to_owned());
    }
    if !picture.is_blurred {
        notes.push(format!(
            "Bilden är {} × {} bildpunkter och förminskad för att få plats. I full storlek ligger den i bevispaketet.",
            words::number(picture.width.into()),
            words::number(picture.height.into()),
        ));
    }
    notes.extend(how_taken(show, manifest, PartKind::FullPage));
    let (blurred, framed) = (
        if picture.is_blurred { "suddad och " } else { "" },
        if is_framed { " En ram som Uppsikt har ritat visar var inlägget står." } else { "" },
    );
    FittedView {
        heading: "Hela sidan",
        notes,
        file: strip_name(index),
        alt: format!("Hela sidan {}, {blurred}förminskad.{framed}", page_name(show, manifest)),
        width: picture.width_points(),
    }
}

/// The virtual file name of a strip.
pub fn strip_name(index: usize) -> String {
    format!("strip-{index}.png")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_stands_on_its_page_and_is_never_blown_up() {
        let width = |width, height| Fitted { width, height, is_blurred: false }.width_points();
        assert!((width(632, 184) - 474.0).abs() < 0.1, "as a browser prints it");
        assert!((width(2_560, 600) - PAGE_WIDTH_POINTS).abs() < 0.1, "the page's width");
        assert!((width(1_280, 20_000) - 35.8).abs() < 0.1, "the page's height");
        assert!(width(0, 0) > 0.0);
    }

    #[test]
    fn what_is_no_picture_is_told() {
        assert!(matches!(on_one_page(b"GIF89a", true).0, Picture::Unreadable));
        assert!(matches!(of_item(Some(b"x"), false).0, Picture::Unreadable));
        assert!(matches!(of_item(None, true).0, Picture::None));
    }
}
