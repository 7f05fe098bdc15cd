//! One line of text for lists: personal data struck out, hidden characters marked.

use std::fmt;

use crate::domain::text::shorten;

use super::visible::Visible;

/// The longest line of a list, in characters as people count them.
const LINE: usize = 180;

/// A line that may stand in a list, a notice or a title (invariant 8). Lists take this type and no
/// other, so an item's text in full cannot end up there ([`Masked::whole`] has its one place).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked(String);

impl Masked {
    /// Takes text in which the classifier has struck out personal data already.
    pub fn line(masked: &str) -> Self {
        // Cut twice: first roughly and in bytes, so that ten megabytes cost nothing even as one
        // letter with a million accents, then to the line.
        let head = &masked[..masked.floor_char_boundary(LINE * 32)];
        let visible = Visible::new(head).into_line();
        let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = shorten(&line, LINE);
        let cut = head.len() < masked.len() && !line.ends_with('…');
        Self(if cut { line + "…" } else { line })
    }

    /// All of such a text, on the one page where many are decided on: nobody does that by its beginning.
    pub fn whole(masked: &str) -> Self {
        let visible = Visible::new(masked).into_line();
        Self(visible.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// A stretch of such a text that others stand beside: a blank at either end stays one.
    pub fn piece(masked: &str) -> Self {
        let Self(mut line) = Self::line(masked);
        if masked.starts_with(char::is_whitespace) {
            line.insert(0, ' ');
        }
        if masked.ends_with(char::is_whitespace) && line != " " {
            line.push(' ');
        }
        Self(line)
    }

    /// Words of ours that stand where a text is lacking, such as *(utan text)*.
    pub fn words(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// Whether there is anything to read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Templates escape what this writes.
impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(Masked::line("två\n\n rader\u{202E}").to_string(), "två rader⟦U+202E⟧");
        let long = Masked::line(&"ord ".repeat(1_000_000)).to_string();
        assert!(long.chars().count() <= LINE + 1 && long.ends_with('…'));
        let zalgo = Masked::line(&format!("h{}", "\u{0301}".repeat(1_000_000))).to_string();
        assert_eq!(zalgo, format!("h{}…", "\u{0301}".repeat(4)));
    }
}
