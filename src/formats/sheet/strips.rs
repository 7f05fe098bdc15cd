//! A long screenshot cut into strips that each fit on a page.

use std::io::Cursor;

use image::{DynamicImage, GenericImageView as _, ImageFormat, ImageReader, Limits};

/// Height of a strip as a share of its width: what is left of an A4 page under a caption.
const HEIGHT_PER_WIDTH: f64 = 1.28;
/// Pixels that a strip repeats of the one before, so that no line of text is lost in a cut.
const OVERLAP_PX: u32 = 48;
/// Strips that are shown; the whole picture lies in the evidence package.
const MOST_STRIPS: usize = 12;
/// Larger pictures than any page we take are refused before they are unpacked.
const MOST_SIDE_PX: u32 = 60_000;
/// Memory that unpacking may take.
const MOST_ALLOC_BYTES: u64 = 512 * 1024 * 1024;

/// How one screenshot was cut.
pub struct Strips {
    /// How many strips are shown.
    pub shown: usize,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How many strips the whole picture would take.
    pub whole: usize,
}

/// The picture could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the screenshot is not a readable PNG")]
pub struct UnreadablePicture(#[from] image::ImageError);

/// Cuts a PNG into strips: how, and the PNG files, top first.
pub fn cut(png: &[u8]) -> Result<(Strips, Vec<Vec<u8>>), UnreadablePicture> {
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE_PX);
    limits.max_image_height = Some(MOST_SIDE_PX);
    limits.max_alloc = Some(MOST_ALLOC_BYTES);
    reader.limits(limits);
    // Without an alpha channel: an archived page is opaque.
    let picture = DynamicImage::ImageRgb8(reader.decode()?.into_rgb8());
    let (width, height) = picture.dimensions();
    let bands = bands(width, height);
    let files: Vec<Vec<u8>> = bands
        .iter()
        .take(MOST_STRIPS)
        .map(|&(top, tall)| {
            let mut out = Cursor::new(Vec::new());
            picture.crop_imm(0, top, width, tall).write_to(&mut out, ImageFormat::Png)?;
            Ok(out.into_inner())
        })
        .collect::<Result<_, image::ImageError>>()?;
    Ok((Strips { shown: files.len(), width, height, whole: bands.len() }, files))
}

/// Top and height of each strip.
fn bands(width: u32, height: u32) -> Vec<(u32, u32)> {
    // At least twice the overlap, so that every strip brings something new.
    let tallest = ((f64::from(width) * HEIGHT_PER_WIDTH) as u32).max(2 * OVERLAP_PX);
    let mut bands = Vec::new();
    let mut top = 0;
    loop {
        let tall = tallest.min(height - top);
        bands.push((top, tall));
        if top + tall >= height {
            return bands;
        }
        top += tall - OVERLAP_PX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_picture_is_one_strip() {
        assert_eq!(bands(1280, 600), vec![(0, 600)]);
    }

    #[test]
    fn what_is_no_png_is_refused() {
        assert!(cut(b"GIF89a").is_err());
        assert!(cut(b"").is_err());
    }

    proptest! {
        #[test]
        fn strips_cover_the_picture_and_overlap(width in 1_u32..4000, height in 1_u32..60_000) {
            let bands = bands(width, height);
            prop_assert_eq!(bands[0].0, 0);
            let (top, tall) = bands[bands.len() - 1];
            prop_assert_eq!(top + tall, height);
            for pair in bands.windows(2) {
                prop_assert_eq!(pair[0].0 + pair[0].1, pair[1].0 + OVERLAP_PX);
            }
        }
    }
}
