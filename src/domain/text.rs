//! Text as people are shown it: marks for hidden characters, shortening on character borders.

use unicode_segmentation::UnicodeSegmentation as _;

/// A character that a reader would not see, or that changes how its neighbours are shown.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E007F}')
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
