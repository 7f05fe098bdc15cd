//! Pictures that a person hands in: what they are is told by their content, never by a name.
//!
//! A PNG is decoded whole, within bounds, so that whatever later draws it (the evidence sheet)
//! meets nothing that it has to fear. A JPEG is never decoded here or on the sheet; its structure is
//! walked, which tells what it is and how large.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

/// The largest file, in bytes.
pub const LARGEST_BYTES: usize = 10 * 1024 * 1024;
/// The largest picture, in dots: more than any telephone's screen, less than fills the memory.
const MOST_DOTS: u64 = 24_000_000;
/// The longest side, in dots.
const LONGEST_SIDE: u32 = 16_000;
/// What decoding may take, in bytes.
const MOST_MEMORY: u64 = 128 * 1024 * 1024;

/// What a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
}

impl Kind {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// The end of its file name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

/// What the bytes are, or what is wrong with them, in Swedish.
///
/// # Errors
/// A sentence for the person who handed it in.
pub fn check(bytes: &[u8]) -> Result<Kind, String> {
    if bytes.len() > LARGEST_BYTES {
        return Err("Bilden är för stor: högst 10 MB får plats.".into());
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return png(bytes).map(|()| Kind::Png);
    }
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return jpeg(bytes).map(|()| Kind::Jpeg);
    }
    Err("Filen är ingen bild som Uppsikt tar emot. Lägg in en skärmbild som PNG eller ett foto som JPEG.".into())
}

fn too_large() -> String {
    "Bilden har för många bildpunkter. Beskär den, eller ta en vanlig skärmbild.".into()
}

fn damaged() -> String {
    "Bilden är skadad och går inte att läsa. Ta om skärmbilden och försök igen.".into()
}

fn size_fits(width: u32, height: u32) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(damaged());
    }
    let dots = u64::from(width) * u64::from(height);
    let fits = dots <= MOST_DOTS && width.max(height) <= LONGEST_SIDE;
    if fits { Ok(()) } else { Err(too_large()) }
}

fn png(bytes: &[u8]) -> Result<(), String> {
    // Before anything is decoded: what the head says of the size.
    let head = bytes.get(12..24).filter(|head| head.starts_with(b"IHDR")).ok_or_else(damaged)?;
    let number = |at: usize| {
        head.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
    };
    size_fits(number(4), number(8))?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    match reader.decode() {
        Ok(_) => Ok(()),
        Err(image::ImageError::Limits(_)) => Err(too_large()),
        Err(_) => Err(damaged()),
    }
}

/// Walks the segments up to the picture itself.
fn jpeg(bytes: &[u8]) -> Result<(), String> {
    let mut at = 2;
    let mut size = None;
    loop {
        // Any number of filling bytes may stand before a marker.
        while bytes.get(at) == Some(&0xFF) && bytes.get(at + 1) == Some(&0xFF) {
            at += 1;
        }
        let (Some(0xFF), Some(&marker)) = (bytes.get(at), bytes.get(at + 1)) else {
            return Err(damaged());
        };
        let segment = bytes.get(at + 2..).ok_or_else(damaged)?;
        let length = match segment {
            [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
            _ => return Err(damaged()),
        };
        if length < 2 || segment.len() < length {
            return Err(damaged());
        }
        match marker {
            // Start of frame: all but the tables that have numbers in between.
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let [_, _, _, h1, h2, w1, w2, ..] = segment else { return Err(damaged()) };
                let height = u32::from(u16::from_be_bytes([*h1, *h2]));
                let width = u32::from(u16::from_be_bytes([*w1, *w2]));
                size_fits(width, height)?;
                size = Some((width, height));
            }
            // Start of scan: the picture follows, up to its end.
            0xDA => {
                let ends = memchr::memmem::rfind(segment, &[0xFF, 0xD9]).is_some();
                return if size.is_some() && ends { Ok(()) } else { Err(damaged()) };
            }
            // Markers without a segment have no place here.
            0xD0..=0xD9 | 0x00 | 0x01 => return Err(damaged()),
            _ => {}
        }
        at += 2 + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u32, height: u32) -> Vec<u8> {
        let picture = image::RgbImage::from_pixel(width, height, image::Rgb([9, 90, 200]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// The least that is walked as a JPEG of this size.
    fn photo(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 4, b'J', b'F', 0xFF, 0xC0, 0, 11, 8];
        bytes.extend_from_slice(&height.to_be_bytes());
        bytes.extend_from_slice(&width.to_be_bytes());
        bytes.extend_from_slice(&[
            1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 7, 7, 0xFF, 0xD9,
        ]);
        bytes
    }

    #[test]
    fn a_picture_is_known_by_its_content() {
        assert_eq!(check(&drawn(40, 30)), Ok(Kind::Png));
        assert_eq!(check(&photo(4000, 3000)), Ok(Kind::Jpeg));
        let mut with_film = photo(400, 300);
        with_film.extend_from_slice(b"ftypmp42 a film that telephones hang on");
        assert_eq!(check(&with_film), Ok(Kind::Jpeg), "telephones do that");
    }

    #[test]
    fn what_only_looks_like_a_picture_is_refused() {
        let png_head = &drawn(4, 4)[..8];
        let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
        let html = b"<!doctype html><script>alert(1)</script>";
        let joined = |head: &[u8], rest: &[u8]| [head, rest].concat();
        let mut cut = drawn(40, 30);
        cut.truncate(cut.len() / 2);
        let mut changed = drawn(40, 30);
        let middle = changed.len() / 2;
        changed[middle] ^= 0x55;
        for (what, bytes) in [
            ("nothing", Vec::new()),
            ("svg", svg.to_vec()),
            ("html", html.to_vec()),
            ("html with a PNG's beginning", joined(png_head, html)),
            ("svg with a JPEG's beginning", joined(&[0xFF, 0xD8, 0xFF], svg)),
            ("gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;".to_vec()),
            ("pdf", b"%PDF-1.7\n%%EOF".to_vec()),
            ("zip", b"PK\x03\x04".to_vec()),
            ("half a PNG", cut),
            ("a changed PNG", changed),
            ("half a JPEG", photo(10, 10)[..20].to_vec()),
            ("a JPEG without a frame", vec![0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 0xFF, 0xD9]),
            ("a JPEG with an endless segment", vec![0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF, 1]),
            ("no end of fillings", [vec![0xFF, 0xD8], vec![0xFF; 5_000]].concat()),
        ] {
            assert!(check(&bytes).is_err(), "{what}");
        }
    }

    #[test]
    fn a_small_file_that_unfolds_to_a_large_picture_is_refused() {
        // Few bytes, very many dots: told by the head, before anything is unfolded.
        let mut bomb = drawn(8, 8);
        bomb[16..24].copy_from_slice(&[0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0xFF]);
        assert_eq!(check(&bomb), Err(too_large()));
        assert_eq!(check(&photo(65_535, 65_535)), Err(too_large()));
        // A head that lies small over much data: the decoder ends at what the head says.
        let mut liar = drawn(3_000, 3_000);
        liar[16..24].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
        assert!(check(&liar).is_err(), "its checksum is of another head");
        assert!(check(&vec![0x89; LARGEST_BYTES + 1]).unwrap_err().contains("10 MB"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(head in 0..3_usize, rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let heads: [&[u8]; 3] = [b"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &[0xFF, 0xD8, 0xFF]];
            let _ = check(&[heads[head], &rest].concat());
        }
    }
}
