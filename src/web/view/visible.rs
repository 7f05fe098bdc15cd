//! Text made safe to look at: hidden characters as marks, stacks of accents capped.
//!
//! Nothing here escapes HTML; the templates do that. What is made here has no character left that
//! changes how its neighbours are shown.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::domain::text::{is_hidden, mark};

/// Combining marks shown on one character. Vietnamese and pointed Hebrew need up to three; what is
/// above that is decoration that covers other lines.
const MOST_MARKS: usize = 4;

const ZERO_WIDTH_JOINER: char = '\u{200D}';
const BLACK_FLAG: char = '\u{1F3F4}';
const CANCEL_TAG: char = '\u{E007F}';

/// A piece of text as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text without hidden characters.
    Text(String),
    /// One hidden character, or several of the same in a row.
    Hidden {
        /// What stands in its place: `⟦U+202E⟧`, `⟦U+200B⟧ × 40`.
        mark: String,
        /// What the character does, in Swedish.
        does: &'static str,
    },
}

/// Text as pieces, with the count of what was marked and left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// In reading order.
    pub pieces: Vec<Piece>,
    /// How many hidden characters are shown as marks.
    pub hidden: usize,
    /// How many stacked accents are not shown.
    pub stacked: usize,
}

impl Visible {
    /// Makes `text` safe to look at.
    pub fn new(text: &str) -> Self {
        let mut builder = Builder::default();
        for cluster in text.graphemes(true) {
            builder.cluster(cluster);
        }
        builder.finish()
    }

    /// The pieces as one string, marks included.
    pub fn into_line(self) -> String {
        let mut line = String::new();
        for piece in self.pieces {
            match piece {
                Piece::Text(text) => line.push_str(&text),
                Piece::Hidden { mark, does: _ } => line.push_str(&mark),
            }
        }
        line
    }
}

#[derive(Default)]
struct Builder {
    visible: Visible,
    text: String,
    run: Option<(char, usize)>,
}

impl Builder {
    fn cluster(&mut self, cluster: &str) {
        if let [byte] = cluster.as_bytes()
            && !byte.is_ascii_control()
        {
            self.shown(char::from(*byte));
            return;
        }
        let emoji = cluster.chars().next().is_some_and(is_pictograph);
        let mut marks = 0;
        let mut chars = cluster.chars().peekable();
        while let Some(c) = chars.next() {
            let joins =
                emoji && c == ZERO_WIDTH_JOINER && chars.peek().copied().is_some_and(is_pictograph);
            if joins || is_flag_tag(cluster, c) {
                self.shown(c);
            } else if is_hidden(c) {
                self.hidden(c);
            } else if is_combining_mark(c) {
                marks += 1;
                if marks > MOST_MARKS { self.visible.stacked += 1 } else { self.shown(c) }
            } else {
                self.shown(c);
            }
        }
    }

    fn shown(&mut self, c: char) {
        self.end_run();
        self.text.push(c);
    }

    fn hidden(&mut self, c: char) {
        self.visible.hidden += 1;
        match &mut self.run {
            Some((same, times)) if *same == c => *times += 1,
            Some(_) | None => {
                self.end_run();
                self.end_text();
                self.run = Some((c, 1));
            }
        }
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.visible.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }

    fn end_run(&mut self) {
        if let Some((c, times)) = self.run.take() {
            let mark = if times == 1 { mark(c) } else { format!("{} × {times}", mark(c)) };
            self.visible.pieces.push(Piece::Hidden { mark, does: does(c) });
        }
    }

    fn finish(mut self) -> Visible {
        self.end_run();
        self.end_text();
        self.visible
    }
}

/// Letters of a subdivision flag (England, Scotland, Wales): a black flag, at most six tags, an
/// end. Tags anywhere else smuggle text that no reader sees, and are marked.
fn is_flag_tag(cluster: &str, c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
        && cluster.starts_with(BLACK_FLAG)
        && cluster.ends_with(CANCEL_TAG)
        && cluster.chars().count() <= 8
}

/// Whether `c` may begin or follow in a joined emoji. Wider than the standard's list: the only
/// effect is that a joiner between two such characters is not marked.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{1F000}'..='\u{1FAFF}' | '\u{2190}'..='\u{2BFF}' | '\u{00A9}' | '\u{00AE}'
        | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{3030}' | '\u{303D}'
        | '\u{3297}' | '\u{3299}')
}

/// What a hidden character does, for the person who hovers over its mark.
fn does(c: char) -> &'static str {
    match c {
        '\u{202A}' | '\u{202B}' | '\u{202D}' | '\u{202E}' | '\u{2066}'..='\u{2068}' => {
            "styr om läsriktningen för texten som följer"
        }
        '\u{202C}' | '\u{2069}' => "avslutar en omstyrd läsriktning",
        '\u{200E}' | '\u{200F}' | '\u{061C}' => "osynligt tecken som påverkar läsriktningen",
        '\u{200B}' | '\u{2060}' | '\u{FEFF}' => "osynligt tecken utan bredd",
        '\u{200C}' | '\u{200D}' => "osynligt tecken som skiljer eller fogar samman bokstäver",
        '\u{00AD}' => "osynligt bindestreck",
        '\u{E0000}'..='\u{E007F}' => "osynlig bokstav",
        '\u{0000}'..='\u{001F}' | '\u{007F}'..='\u{009F}' => "styrtecken",
        _ => "tecken som inte syns",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, line: &str) {
        assert_eq!(Visible::new(text).into_line(), line, "of {text:?}");
    }

    #[test]
    fn hidden_characters_become_marks() {
        check("vanlig text, åäö", "vanlig text, åäö");
        check("a\u{202E}b", "a⟦U+202E⟧b");
        check("a\0b", "a⟦U+0000⟧b");
        check("a\u{200B}\u{200B}\u{200B}b", "a⟦U+200B⟧ × 3b");
        check("ra\u{00AD}d", "ra⟦U+00AD⟧d");
        check("rad\r\nrad\ttab", "rad\r\nrad\ttab");
    }

    #[test]
    fn emoji_sequences_stay_whole() {
        for emoji in ["👩‍👩‍👧", "🏳️‍🌈", "🧑🏽‍🚒", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👍🏿", "🇸🇪"]
        {
            check(emoji, emoji);
        }
        check("🙂\u{200D}", "🙂⟦U+200D⟧");
    }

    #[test]
    fn letters_smuggled_as_tags_are_marked() {
        let visible = Visible::new("🙂\u{E0068}\u{E0065}\u{E006A}");
        assert_eq!(visible.hidden, 3);
    }

    #[test]
    fn stacked_accents_are_capped_and_counted() {
        let zalgo = format!("h{}ej", "\u{0301}".repeat(50));
        let visible = Visible::new(&zalgo);
        assert_eq!(visible.stacked, 46);
        assert_eq!(visible.into_line(), format!("h{}ej", "\u{0301}".repeat(4)));
    }
}
