//! Text as people are shown it: marks for hidden characters, shortening on character borders.

use unicode_segmentation::UnicodeSegmentation as _;

/// Scalar values kept of one user-perceived character when shortening: the longest emoji in use
/// has ten; more is decoration stacked to break the page.
const CLUSTER_MOST: usize = 16;

/// A character that a reader would not see, or that changes how its neighbours are shown.
///
/// Some of them have honest uses (a joiner inside an emoji): see [`hidden_at`].
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0D}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFC}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// The hidden characters of a text that have no honest use where they stand, with their byte
/// offsets: those to be marked.
///
/// Left out are the joiner between two emoji (families, professions), joiner and non-joiner inside
/// a script that spells with them (Persian, Sinhala), and the tags of a flag that ends as it should.
pub fn hidden_at(text: &str) -> Vec<(usize, char)> {
    let mut found = Vec::new();
    let mut before: Option<char> = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let after = rest.peek().map(|(_, c)| *c);
        let spelling = before.is_some_and(is_joining) && after.is_some_and(is_joining);
        let honest = match c {
            '\u{200D}' => {
                spelling || (before.is_some_and(joins_emoji) && after.is_some_and(is_pictograph))
            }
            '\u{200C}' => spelling,
            _ => false,
        };
        if c == '\u{1F3F4}' && after.is_some_and(is_tag) {
            let tags: Vec<(usize, char)> =
                std::iter::from_fn(|| rest.next_if(|(_, c)| is_tag(*c))).collect();
            // A region of the form `gbeng` and the closing tag; anything longer hides a text.
            let is_flag = tags.len() <= 7 && tags.last().is_some_and(|t| t.1 == '\u{E007F}');
            if !is_flag {
                found.extend(tags);
            }
        } else if is_hidden(c) && !honest {
            found.push((at, c));
        }
        before = Some(c);
    }
    found
}

/// What an emoji may end with before a joiner: itself, a skin tone, a presentation selector.
fn joins_emoji(c: char) -> bool {
    is_pictograph(c) || c == '\u{FE0F}' || ('\u{1F3FB}'..='\u{1F3FF}').contains(&c)
}

/// Whether the character is a picture. The blocks, not the exact list: a letter is never in them.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21FF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}'
        | '\u{1F000}'..='\u{1FAFF}')
}

/// Scripts in which joiner and non-joiner are spelling: Arabic and the scripts of India.
fn is_joining(c: char) -> bool {
    matches!(c, '\u{0600}'..='\u{0DFF}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
        && !is_hidden(c)
}

fn is_tag(c: char) -> bool {
    ('\u{E0020}'..='\u{E007F}').contains(&c)
}

/// What stands in the place of a hidden character: `⟦U+202E⟧`.
pub fn mark(c: char) -> String {
    format!("⟦U+{:04X}⟧", c as u32)
}

/// Whether a reader would see nothing at all.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_hidden(c))
}

/// The text with its first letter in upper case.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// At most `most` user-perceived characters, with an ellipsis where something was left out. The
/// result is bounded in bytes too: of a character stacked with marks only the first few are kept.
pub fn shorten(text: &str, most: usize) -> String {
    let mut clusters = text.graphemes(true);
    let mut head = String::new();
    for cluster in clusters.by_ref().take(most) {
        head.extend(cluster.chars().take(CLUSTER_MOST));
    }
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
