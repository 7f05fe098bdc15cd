//! Pictures that strangers sent, drawn anew: what is shown is never their bytes.
//!
//! A picture is measured by its head before anything of it is unpacked, then decoded within bounds, made
//! small, and written as PNG without whatever else lay in the file. So nothing that hides in it (a script, a
//! second format, a profile) reaches a browser or the sheet.

use std::io::Cursor;
use std::panic::catch_unwind;

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use crate::domain::file_kind::FileKind;

/// Dots of the largest picture that is unpacked: platforms make what a camera takes smaller than this.
pub const MOST_DOTS: u64 = 26_000_000;
/// The longest side that is unpacked, in dots. Screenshots of whole pages are long.
const LONGEST_SIDE: u32 = 30_000;
/// What unpacking may take, in bytes.
const MOST_MEMORY: u64 = 192 << 20;
/// A JPEG may come in layers; each is gone through in full, however few bytes it has.
const MOST_LAYERS: usize = 64;
/// The longest side of a picture on a page, in dots.
pub const ON_PAGE: u32 = 1_280;
/// The longest side of a picture on the sheet, in dots.
pub const ON_SHEET: u32 = 560;
/// So few dots are left of a blurred picture's longest side: colours, no shapes.
const BLURRED_DOTS: u32 = 14;
/// The longest side at which a blurred picture is written, in dots.
const BLURRED_SIDE: u32 = 448;

/// Why a picture is not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDrawn {
    /// Another kind of file.
    #[error("not a picture that is drawn")]
    Kind,
    /// More dots than are unpacked.
    #[error("too many dots")]
    TooLarge,
    /// It cannot be decoded.
    #[error("damaged")]
    Damaged,
}

impl NotDrawn {
    /// In Swedish, as a sentence.
    pub const fn swedish(self) -> &'static str {
        match self {
            Self::Kind => "Filen är av ett slag som inte visas här.",
            Self::TooLarge => "Bilden har för många bildpunkter för att visas här.",
            Self::Damaged => "Bilden är skadad och går inte att visa.",
        }
    }
}

/// A picture drawn anew, as PNG.
#[derive(Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The bytes.
    pub png: Vec<u8>,
    /// Width of the original, in dots.
    pub width: u32,
    /// Height of the original, in dots.
    pub height: u32,
}

/// The picture, no side longer than `side`. Of a moving one the first picture. Takes up to seconds, so call it
/// from a thread that may block.
///
/// # Errors
/// [`NotDrawn`].
pub fn small(bytes: &[u8], side: u32) -> Result<Drawn, NotDrawn> {
    let picture = decode(bytes)?;
    let (width, height) = (picture.width(), picture.height());
    let fits = width <= side && height <= side;
    let picture = if fits { picture } else { picture.thumbnail(side, side) };
    Ok(Drawn { png: png(&picture)?, width, height })
}

/// The picture as a few fields of colour.
///
/// # Errors
/// [`NotDrawn`].
pub fn blurred(bytes: &[u8]) -> Result<Drawn, NotDrawn> {
    let picture = decode(bytes)?;
    let (width, height) = (picture.width(), picture.height());
    let few = picture.thumbnail(BLURRED_DOTS, BLURRED_DOTS);
    let large = few.resize(BLURRED_SIDE, BLURRED_SIDE, FilterType::Triangle);
    Ok(Drawn { png: png(&large)?, width, height })
}

/// The decoders are not ours and the bytes are anybody's: a panic in there is a damaged picture.
pub(super) fn decode(bytes: &[u8]) -> Result<DynamicImage, NotDrawn> {
    catch_unwind(|| decode_bounded(bytes)).unwrap_or(Err(NotDrawn::Damaged))
}

fn decode_bounded(bytes: &[u8]) -> Result<DynamicImage, NotDrawn> {
    let format = match FileKind::of(bytes) {
        Some(FileKind::Png) => ImageFormat::Png,
        Some(FileKind::Jpeg) => ImageFormat::Jpeg,
        Some(FileKind::Gif) => ImageFormat::Gif,
        Some(FileKind::Webp) => ImageFormat::WebP,
        Some(_) | None => return Err(NotDrawn::Kind),
    };
    let reader = || ImageReader::with_format(Cursor::new(bytes), format);
    // By the head alone.
    let (width, height) = reader().into_dimensions().map_err(|_| NotDrawn::Damaged)?;
    let dots = u64::from(width) * u64::from(height);
    if dots > MOST_DOTS || width.max(height) > LONGEST_SIDE {
        return Err(NotDrawn::TooLarge);
    }
    // Within a layer's own bytes the mark of another cannot stand.
    let layers = || memchr::memmem::find_iter(bytes, &[0xFF, 0xDA]).take(MOST_LAYERS + 1).count();
    if format == ImageFormat::Jpeg && layers() > MOST_LAYERS {
        return Err(NotDrawn::TooLarge);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = reader();
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| match error {
        image::ImageError::Limits(_) => NotDrawn::TooLarge,
        _ => NotDrawn::Damaged,
    })?;
    // Without an alpha channel: an archived page is opaque.
    Ok(DynamicImage::ImageRgb8(picture.into_rgb8()))
}

pub(super) fn png(picture: &DynamicImage) -> Result<Vec<u8>, NotDrawn> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png).map_err(|_| NotDrawn::Damaged)?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use image::{GenericImageView as _, Rgb, RgbImage};

    use super::*;

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        // Left half red, right half blue.
        let picture = RgbImage::from_fn(width, height, |x, _| {
            if x < width / 2 { Rgb([200, 20, 20]) } else { Rgb([20, 20, 200]) }
        });
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(picture).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn drawn_again(drawn: &Drawn) -> DynamicImage {
        image::load_from_memory_with_format(&drawn.png, ImageFormat::Png).unwrap()
    }

    #[test]
    fn every_kind_is_drawn_anew_and_small() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
            let mut original = encoded(400, 200, format);
            original.extend_from_slice(b"<script>alert(1)</script>PK\x03\x04");
            let drawn = small(&original, 100).unwrap();
            assert_eq!((drawn.width, drawn.height), (400, 200), "{format:?}");
            assert_eq!(drawn_again(&drawn).dimensions(), (100, 50), "{format:?}");
            let script = memchr::memmem::find(&drawn.png, b"script");
            assert_eq!(script, None, "{format:?}: what hid in it is gone");
            assert_eq!(drawn.png, small(&original, 100).unwrap().png, "the same bytes each time");
        }
    }

    #[test]
    fn a_blurred_picture_has_colours_and_no_shapes() {
        // Black and white lines, four dots wide: what a letter's stem is.
        let lines = RgbImage::from_fn(800, 800, |x, _| {
            if x / 4 % 2 == 0 { Rgb([0, 0, 0]) } else { Rgb([255, 255, 255]) }
        });
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(lines).write_to(&mut bytes, ImageFormat::Png).unwrap();
        let drawn = blurred(&bytes.into_inner()).unwrap();
        let seen = drawn_again(&drawn).into_luma8();
        let (low, high) = seen
            .pixels()
            .fold((255, 0), |(low, high), dot| (low.min(dot.0[0]), high.max(dot.0[0])));
        assert!(high - low < 40, "grey all over: {low} to {high}");
        let halves = blurred(&encoded(800, 400, ImageFormat::Png)).unwrap();
        let halves = drawn_again(&halves).into_rgb8();
        assert!(halves.get_pixel(20, 20)[0] > 150 && halves.get_pixel(420, 20)[2] > 150);
    }

    #[test]
    fn what_would_unfold_to_too_much_is_not_unpacked() {
        let mut bomb = encoded(8, 8, ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0x00, 0x00, 0x75, 0x30, 0x00, 0x00, 0x75, 0x30]);
        // The head's own sum is right again: 30,000 dots each way.
        let sum = crc32fast::hash(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(small(&bomb, 100).err(), Some(NotDrawn::TooLarge));
        let mut layered = encoded(8, 8, ImageFormat::Jpeg);
        let scan = memchr::memmem::find(&layered, &[0xFF, 0xDA]).unwrap();
        let layer = layered[scan..].to_vec();
        for _ in 0..MOST_LAYERS {
            layered.extend_from_slice(&layer);
        }
        assert_eq!(small(&layered, 100).err(), Some(NotDrawn::TooLarge));
        let mut gif = encoded(8, 8, ImageFormat::Gif);
        gif[6..10].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(small(&gif, 100).err(), Some(NotDrawn::TooLarge));
        let mut jpeg = encoded(8, 8, ImageFormat::Jpeg);
        let frame = memchr::memmem::find(&jpeg, &[0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(small(&jpeg, 100).err(), Some(NotDrawn::TooLarge));
    }

    #[test]
    fn what_is_no_picture_is_not_drawn() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        let mut cut = encoded(40, 30, ImageFormat::Png);
        cut.truncate(60);
        for (bytes, why) in [
            (&svg[..], NotDrawn::Kind),
            (b"%PDF-1.7", NotDrawn::Kind),
            (b"\0\0\0\x18ftypavif", NotDrawn::Kind),
            (b"", NotDrawn::Kind),
            (&cut, NotDrawn::Damaged),
            (b"GIF89a<script>", NotDrawn::TooLarge),
        ] {
            let found = blurred(bytes).err();
            assert!(found == Some(why) || found == Some(NotDrawn::Damaged), "{found:?}");
        }
    }
}
