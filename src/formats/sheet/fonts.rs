//! The fonts embedded in the program, and which characters they can show.

use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

/// Family names in the order in which the template asks them; `sheet.typ` gets this list.
pub const FAMILIES: &[&str] = &[
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Thai",
    "Noto Sans Ethiopic",
    EMOJI,
    "Noto Sans Symbols",
    "Noto Sans Math",
    "Droid Sans Fallback",
];

const EMOJI: &str = "Noto Emoji";

/// In the order of [`FAMILIES`], the bold cut after its regular one.
static FILES: [&[u8]; 10] = [
    include_bytes!("fonts/NotoSans-Regular.ttf"),
    include_bytes!("fonts/NotoSans-Bold.ttf"),
    include_bytes!("fonts/NotoSansArabic-Regular.ttf"),
    include_bytes!("fonts/NotoSansHebrew-Regular.ttf"),
    include_bytes!("fonts/NotoSansThai-Regular.ttf"),
    include_bytes!("fonts/NotoSansEthiopic-Regular.ttf"),
    include_bytes!("fonts/NotoEmoji-Regular.ttf"),
    include_bytes!("fonts/NotoSansSymbols-Regular.ttf"),
    include_bytes!("fonts/NotoSansMath-Regular.ttf"),
    include_bytes!("fonts/DroidSansFallback.ttf"),
];

/// The fonts as typst wants them.
pub struct Fonts {
    /// What typst chooses from.
    pub book: LazyHash<FontBook>,
    /// The fonts, by the book's index.
    pub all: Vec<Font>,
    /// What each family covers, in the order of [`FAMILIES`].
    coverage: Vec<Ranges>,
    emoji: usize,
}

/// The fonts, read once.
pub fn fonts() -> &'static Fonts {
    static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::load);
    &FONTS
}

impl Fonts {
    fn load() -> Self {
        let all: Vec<Font> = FILES.iter().flat_map(|file| Font::iter(Bytes::new(*file))).collect();
        let coverage = FAMILIES
            .iter()
            .map(|family| {
                let font = all.iter().find(|font| font.info().family == *family);
                Ranges::of(font.into_iter().flat_map(|font| font.info().coverage.iter()))
            })
            .collect();
        let emoji = FAMILIES.iter().position(|f| *f == EMOJI).unwrap_or(0);
        Self { book: LazyHash::new(FontBook::from_fonts(&all)), all, coverage, emoji }
    }

    /// The families (as indices) that cover `c`, in the order in which they are asked.
    pub fn covering(&self, c: char) -> impl Iterator<Item = usize> + '_ {
        self.coverage.iter().enumerate().filter(move |(_, r)| r.contains(c)).map(|(i, _)| i)
    }

    /// Whether the family with this index covers `c`.
    pub fn covers(&self, family: usize, c: char) -> bool {
        self.coverage.get(family).is_some_and(|r| r.contains(c))
    }

    /// How many families there are.
    pub fn families(&self) -> usize {
        self.coverage.len()
    }

    /// Whether `c` is drawn as an emoji: digits and signs that merely may start one are not.
    pub fn is_emoji(&self, c: char) -> bool {
        c >= '\u{203C}' && !is_variation_selector(c) && self.covers(self.emoji, c)
    }
}

/// Whether `c` only chooses between shapes of the character before it.
pub fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Sorted, not touching ranges of code points, ends included.
struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// From ascending code points.
    fn of(codepoints: impl Iterator<Item = u32>) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for code in codepoints {
            match ranges.last_mut() {
                Some((_, end)) if *end + 1 == code => *end = code,
                _ => ranges.push((code, code)),
            }
        }
        Self(ranges)
    }

    fn contains(&self, c: char) -> bool {
        let code = u32::from(c);
        let after = self.0.partition_point(|(start, _)| *start <= code);
        after > 0 && self.0.get(after - 1).is_some_and(|(_, end)| code <= *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_there_and_covers_its_script() {
        let fonts = fonts();
        assert_eq!(fonts.all.len(), FILES.len());
        let cases = [
            ("Noto Sans", 'å'),
            ("Noto Sans Arabic", 'ع'),
            ("Noto Sans Hebrew", 'ש'),
            ("Noto Sans Thai", 'ก'),
            ("Noto Sans Ethiopic", 'አ'),
            ("Noto Emoji", '🧿'),
            ("Noto Sans Symbols", 'ⓐ'),
            ("Noto Sans Math", '⟦'),
            ("Droid Sans Fallback", '한'),
        ];
        for (family, c) in cases {
            let index = FAMILIES.iter().position(|f| *f == family).expect("a listed family");
            assert!(fonts.covers(index, c), "{family} lacks {c}");
        }
        assert!(fonts.covering('\u{1F9FF}').next().is_some());
        assert!(fonts.covering('\u{E000}').next().is_none(), "no font of ours has private signs");
    }

    #[test]
    fn the_embedded_fonts_stay_small() {
        let total: usize = FILES.iter().map(|f| f.len()).sum();
        assert!(total < 9_000_000, "{total} bytes");
    }
}
