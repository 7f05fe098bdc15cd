//! The evidence sheet (*bevisblad*) as PDF/A-2a (PDF/A-3a where files lie in it) with PDF/UA-1, and as one PNG per page.
//!
//! Pure: values in, bytes out; no file system, no clock, no network. The same content gives the
//! same bytes. Everything that anybody wrote reaches the layout engine as a value and never as
//! markup. Whatever the text holds, a sheet comes out: characters that no font has, or that a
//! reader would not see, stand as their code points, and where even that fails the whole sheet is
//! made again with nothing but Latin letters and code points.

#[cfg(feature = "pdf")]
mod data;
#[cfg(feature = "pdf")]
mod dossier;
#[cfg(feature = "pdf")]
mod engine;
#[cfg(feature = "pdf")]
mod fonts;
#[cfg(feature = "pdf")]
mod pictured;
#[cfg(feature = "pdf")]
mod protocol;
#[cfg(feature = "pdf")]
mod shown;
#[cfg(feature = "pdf")]
mod strips;
#[cfg(all(test, feature = "pdf"))]
mod tests;
#[cfg(feature = "pdf")]
mod words;

use crate::domain::dossier::Dossier;
use crate::domain::evidence::{RenderedSheet, SheetContent};
use crate::domain::ids::ContentHash;
use crate::domain::retention::Protocol;

/// The sheet could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The program was built without the `pdf` feature.
    #[error("this build cannot render sheets: it was made without the pdf feature")]
    NotBuiltIn,
    /// The template and its data did not go together. Never quotes the content.
    #[error("the sheet could not be laid out: {0}")]
    Layout(String),
    /// The document does not meet the archive format. Never quotes the content.
    #[error("the sheet could not be written as PDF/A: {0}")]
    Export(String),
    /// The layout engine broke down.
    #[error("the layout engine broke down")]
    Broken,
    /// The values for the template could not be written.
    #[cfg(feature = "pdf")]
    #[error("the sheet's data could not be written")]
    Data(#[source] serde_json::Error),
    /// A page could not be written as PNG.
    #[cfg(feature = "pdf")]
    #[error("a page of the sheet could not be written as PNG")]
    Picture(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Renders the sheet. Takes tenths of a second, so call it from a thread that may block.
///
/// The PDF has every page; as pictures come the first six at most.
///
/// # Errors
/// [`SheetError::NotBuiltIn`] without the feature `pdf`. The others would be faults of ours: no
/// content is known that causes them.
#[cfg(feature = "pdf")]
pub fn render(content: &SheetContent) -> Result<RenderedSheet, SheetError> {
    use shown::Repertoire;

    // What is blurred on pages is blurred here: the sheet is read on screens too, and handed on.
    let blurs = content.manifest.sheet_is_blurred;
    let (item, mut files) = pictured::of_item(content.screenshot_png.as_deref(), blurs);
    let (whole, drawn) = match &content.full_page {
        Some(page) => pictured::on_one_page(&page.png, blurs),
        None => (pictured::Picture::None, Vec::new()),
    };
    files.extend(drawn);
    let pictures = pictured::Pictures { item, whole };
    files.extend(content.pictures.iter().map(|picture| picture.png.clone()));
    let with = |repertoire| -> Result<RenderedSheet, SheetError> {
        let (job, uncovered) = job(content, &pictures, files.clone(), repertoire)?;
        let out = engine::run(job)?;
        Ok(RenderedSheet {
            pdf: out.pdf,
            pages_png: out.pages_png,
            uncovered,
            method: method(out.n_pages, !content.embedded.is_empty(), repertoire),
        })
    };
    match with(Repertoire::Fonts) {
        Ok(sheet) => Ok(sheet),
        Err(SheetError::Layout(_) | SheetError::Export(_) | SheetError::Broken) => {
            with(Repertoire::Latin)
        }
        Err(error @ (SheetError::NotBuiltIn | SheetError::Data(_) | SheetError::Picture(_))) => {
            Err(error)
        }
    }
}

/// What the engine needs for one sheet, and the characters that no font could show.
#[cfg(feature = "pdf")]
fn job(
    content: &SheetContent,
    pictures: &pictured::Pictures,
    strips: Vec<Vec<u8>>,
    repertoire: shown::Repertoire,
) -> Result<(engine::Job, Vec<char>), SheetError> {
    let (data, uncovered) = data::build(content, pictures, fonts::fonts(), repertoire);
    let manifest = &content.manifest;
    let job = engine::Job {
        template: engine::Template::Evidence,
        data: serde_json::to_vec(&data).map_err(SheetError::Data)?,
        strips,
        files: content
            .embedded
            .iter()
            .map(|file| (file.name.to_owned(), file.bytes.clone()))
            .collect(),
        ident: format!(
            "{}/{}/{}/{}/{}",
            manifest.account,
            manifest.item,
            manifest.version,
            manifest.content_sha256,
            manifest.sealed_at
        ),
        date: manifest.sealed_at,
    };
    Ok((job, uncovered))
}

#[cfg(feature = "pdf")]
fn method(n_pages: usize, embeds: bool, repertoire: shown::Repertoire) -> String {
    let archive = if embeds { "PDF/A-3a" } else { "PDF/A-2a" };
    let mut method = format!(
        "Uppsikt {} med typst 0.15, framställt som {archive} och PDF/UA-1, {n_pages} sidor",
        env!("CARGO_PKG_VERSION")
    );
    if n_pages > engine::MOST_PAGES {
        method.push_str(&format!(", varav de första {} som bild", engine::MOST_PAGES));
    }
    match repertoire {
        shown::Repertoire::Fonts => {}
        shown::Repertoire::Latin => method.push_str("; andra tecken än latinska som kod"),
    }
    method
}

/// Renders the protocol of a disposal as PDF. `csv_sha256` is the hash of its table, which the log holds.
/// Takes tenths of a second, so call it from a thread that may block.
///
/// # Errors
/// [`SheetError::NotBuiltIn`] without the feature `pdf`. The others would be faults of ours.
pub fn render_protocol(
    protocol: &Protocol,
    csv_sha256: ContentHash,
) -> Result<Vec<u8>, SheetError> {
    #[cfg(feature = "pdf")]
    return protocol::render(protocol, csv_sha256);
    #[cfg(not(feature = "pdf"))]
    {
        let _not_rendered = (protocol, csv_sha256);
        Err(SheetError::NotBuiltIn)
    }
}

/// Renders a document for somebody outside as PDF. Takes tenths of a second and more with its pictures, so call
/// it from a thread that may block.
///
/// # Errors
/// [`SheetError::NotBuiltIn`] without the feature `pdf`. The others would be faults of ours.
pub fn render_dossier(content: &Dossier) -> Result<Vec<u8>, SheetError> {
    #[cfg(feature = "pdf")]
    return dossier::render(content);
    #[cfg(not(feature = "pdf"))]
    {
        let _not_rendered = content;
        Err(SheetError::NotBuiltIn)
    }
}

/// Renders the sheet.
///
/// # Errors
/// Always [`SheetError::NotBuiltIn`]: this build has no layout engine.
#[cfg(not(feature = "pdf"))]
pub fn render(_content: &SheetContent) -> Result<RenderedSheet, SheetError> {
    Err(SheetError::NotBuiltIn)
}
