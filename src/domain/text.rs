//! Text as people are shown it: marks for hidden characters, shortening on character borders.

use unicode_segmentation::UnicodeSegmentation as _;

/// A character that a reader would not see, or that changes how its neighbours are shown.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFC}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        // Variation selectors, with which whole messages can be hidden after one letter. The two that choose between text and emoji (U+FE0E, U+FE0F) are in every
        // other comment and are not marked.
        | '\u{FE00}'..='\u{FE0D}' | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// What stands in the place of a hidden character: `⟦U+202E⟧`.
pub fn mark(c: char) -> String {
    format!("⟦U+{:04X}⟧", c as u32)
}

/// At most `most` user-perceived characters, with an ellipsis where something was left out.
pub fn shorten(text: &str, most: usize) -> String {
    let mut clusters = text.graphemes(true);
    let head: String = clusters.by_ref().take(most).collect();
    if clusters.next().is_none() { head } else { format!("{}…", head.trim_end()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_hidden_text_is_hidden_and_what_is_seen_is_not() {
        for c in [
            '\u{200B}',
            '\u{202E}',
            '\u{2066}',
            '\u{FEFF}',
            '\u{FE00}',
            '\u{E0041}',
            '\u{E0100}',
            '\u{E01EF}',
            '\u{FFFC}',
            '\0',
            '\u{1B}',
        ] {
            assert!(is_hidden(c), "U+{:04X}", u32::from(c));
        }
        for c in
            ['a', 'å', ' ', '\n', '\t', '\r', '\u{301}', '\u{FE0F}', '😀', 'ش', '中', '\u{FFFD}']
        {
            assert!(!is_hidden(c), "U+{:04X}", u32::from(c));
        }
    }
}
