//! A frame around a part of a picture: drawn on the pixels of a picture that is taken already, so that what it is a
//! picture of is never touched.

use image::{DynamicImage, Rgb, RgbImage};

use super::preview::{NotDrawn, decode, png};

/// A part of a picture, in dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// The frame's own colour, which few pages have.
pub const COLOUR: [u8; 3] = [213, 0, 109];
/// A line on either side of it, so that it is seen on a ground of that colour too.
pub const EDGE: [u8; 3] = [255, 255, 255];
/// Dots of that line.
const EDGE_DOTS: u32 = 2;
/// Dots between the part and its frame.
const GAP_DOTS: u32 = 2;
/// How thick the coloured line is, in dots: more on tall pictures, which are shown small.
const THICKNESS: std::ops::RangeInclusive<u32> = 5..=20;
/// So much of a picture's height is the line thick.
const OF_HEIGHT: u32 = 500;

/// How far outside the part the frame reaches at most, in dots.
pub const REACH: u32 = GAP_DOTS + 2 * EDGE_DOTS + *THICKNESS.end();

/// The picture with a frame around a part of it. What the frame covers lies outside the part, but for a part that
/// reaches to the picture's own edge: there it lies on it. Takes tenths of a second, so call it from a thread that
/// may block.
///
/// # Errors
/// [`NotDrawn`] where the picture cannot be read.
pub fn framed(bytes: &[u8], area: Area) -> Result<Vec<u8>, NotDrawn> {
    let mut picture = decode(bytes)?.into_rgb8();
    draw(&mut picture, area);
    png(&DynamicImage::ImageRgb8(picture))
}

fn draw(picture: &mut RgbImage, area: Area) {
    let thick = (picture.height() / OF_HEIGHT).clamp(*THICKNESS.start(), *THICKNESS.end());
    let outermost = GAP_DOTS + 2 * EDGE_DOTS + thick;
    let mut out = outermost;
    for (colour, dots) in [(EDGE, EDGE_DOTS), (COLOUR, thick), (EDGE, EDGE_DOTS)] {
        for _ in 0..dots {
            // At the picture's edge lines lie beside one another and not on each other.
            ring(picture, area, out, outermost - out, Rgb(colour));
            out -= 1;
        }
    }
}

/// A line of one dot, `out` dots outside the part and at least `within` dots from the picture's edge.
fn ring(picture: &mut RgbImage, area: Area, out: u32, within: u32, colour: Rgb<u8>) {
    let (width, height) = picture.dimensions();
    let side = |from: u32, length: u32, most: u32| {
        let low = from.saturating_sub(out).max(within.min(most.saturating_sub(1)));
        let high = from.saturating_add(length).saturating_add(out - 1);
        (low, high.min(most.saturating_sub(1 + within)))
    };
    let ((left, right), (top, bottom)) =
        (side(area.x, area.width, width), side(area.y, area.height, height));
    if left > right || top > bottom {
        return;
    }
    for x in left..=right {
        picture.put_pixel(x, top, colour);
        picture.put_pixel(x, bottom, colour);
    }
    for y in top..=bottom {
        picture.put_pixel(left, y, colour);
        picture.put_pixel(right, y, colour);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::ImageFormat;

    use super::*;

    const GROUND: [u8; 3] = [9, 90, 200];

    fn ground(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_pixel(width, height, Rgb(GROUND));
        DynamicImage::ImageRgb8(picture).write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn drawn(width: u32, height: u32, area: Area) -> RgbImage {
        let bytes = framed(&ground(width, height), area).unwrap();
        image::load_from_memory_with_format(&bytes, ImageFormat::Png).unwrap().into_rgb8()
    }

    #[test]
    fn the_frame_lies_around_the_part_and_covers_nothing_of_it() {
        let area = Area { x: 100, y: 80, width: 60, height: 40 };
        let seen = drawn(300, 200, area);
        let mut n = 0;
        for (x, y, dot) in seen.enumerate_pixels() {
            let inside = (100..160).contains(&x) && (80..120).contains(&y);
            let far = x + REACH < 100 || x >= 160 + REACH || y + REACH < 80 || y >= 120 + REACH;
            if inside || far {
                assert_eq!(dot.0, GROUND, "{x} {y}");
            }
            n += usize::from(dot.0 == COLOUR);
        }
        assert!(n > 1_000, "{n} dots of colour");
        // Across one side: ground, edge, colour, edge, gap, part.
        let across: Vec<_> = (86..102).map(|x| seen.get_pixel(x, 100).0).collect();
        let runs = across.chunk_by(|a, b| a == b).map(|run| (run[0], run.len()));
        assert_eq!(
            runs.collect::<Vec<_>>(),
            [(GROUND, 3), (EDGE, 2), (COLOUR, 5), (EDGE, 2), (GROUND, 4)]
        );
    }

    #[test]
    fn at_the_pictures_edge_the_frame_is_seen_whole() {
        // As wide as the picture, from its very top.
        let seen = drawn(300, 200, Area { x: 0, y: 0, width: 300, height: 100 });
        let coloured = |x: u32, y: u32| seen.get_pixel(x, y).0 == COLOUR;
        let left = (0..30).any(|x| coloured(x, 60));
        let right = (270..300).any(|x| coloured(x, 60));
        let top = (0..30).any(|y| coloured(150, y));
        assert!(left && right && top && (100..120).any(|y| coloured(150, y)));
    }

    #[test]
    fn on_a_tall_picture_the_line_is_thicker() {
        let thick = |height: u32| {
            let seen = drawn(60, height, Area { x: 25, y: 200, width: 10, height: 10 });
            (100..200).filter(|y| seen.get_pixel(30, *y).0 == COLOUR).count()
        };
        assert_eq!((thick(600), thick(6_000), thick(20_000)), (5, 12, 20));
    }

    proptest::proptest! {
        #[test]
        fn no_part_makes_it_panic(
            (width, height) in (1_u32..90, 1_u32..90),
            (x, y, w, h) in (0_u32..200, 0_u32..200, 0_u32..u32::MAX, 0_u32..200),
        ) {
            let mut picture = RgbImage::from_pixel(width, height, Rgb(GROUND));
            draw(&mut picture, Area { x, y, width: w, height: h });
        }
    }
}
