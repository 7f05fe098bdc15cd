//! From any text to what the sheet can show of it, without losing or hiding anything silently.
//!
//! Hidden characters become marks, characters without a glyph become their code points, piles of
//! combining marks are cut with a count, words without end get places to break, and a text beyond
//! the budget is cut with its true length told. Costs time in proportion to what is shown, not to
//! the text.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::domain::text::{is_hidden, mark};
use crate::formats::sheet::fonts::{Fonts, is_variation_selector};

/// Combining marks that may stand on one character: real languages need four at most, and a pile
/// of many more would cover the lines around it.
const MOST_MARKS: usize = 8;
/// From so many marks on one character its line gets more room above and below.
const TALL_PILE: usize = 3;
/// Words longer than this (in user-perceived characters) are cut into pieces. The longest Swedish
/// words in use have about thirty letters.
const LONGEST_WORD: usize = 32;
/// How long those pieces are.
const PIECE: usize = 12;
/// Blank lines in a row that are shown as such.
const MOST_BLANK_LINES: usize = 3;
/// Emoji joined into one: real sequences have four at most. Longer chains are taken in pieces,
/// since no line could hold them.
const MOST_JOINED: usize = 8;
/// What an emoji costs of the budget, compared with a plain character.
const EMOJI_COST: usize = 2;
/// What a mark costs of the budget, compared with a plain character: it is as wide as nine.
const MARK_COST: usize = 9;
/// What a line costs, so that a text of nothing but line breaks stays within ten pages.
const LINE_COST: usize = 40;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "k", content = "s", rename_all = "lowercase")]
pub enum Run {
    /// Text as written.
    Text(String),
    /// A piece of an overlong word, as written: the line may break before and after it.
    Piece(String),
    /// Our words in the place of something that cannot be shown.
    Mark(String),
}

/// One line of the text, as its author broke it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Whether it reads from right to left: decided by its first letter, as a browser does.
    pub rtl: bool,
    /// Whether piles of combining marks reach beyond a plain line's height.
    pub tall: bool,
    /// Its pieces; none for a blank line.
    pub runs: Vec<Run>,
}

/// What the sheet shows of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The lines.
    pub lines: Vec<Line>,
    /// How many characters (Unicode scalar values) of the text stand on the sheet.
    #[serde(skip)]
    pub shown_chars: usize,
    /// Whether the text goes on after that.
    #[serde(skip)]
    pub cut: bool,
}

impl Shown {
    /// Everything in one line, marks included: for titles and alternative texts.
    pub fn plain(&self) -> String {
        let mut plain = String::new();
        for (i, line) in self.lines.iter().enumerate() {
            if i > 0 {
                plain.push(' ');
            }
            for run in &line.runs {
                let (Run::Text(text) | Run::Piece(text) | Run::Mark(text)) = run;
                plain.push_str(text);
            }
        }
        plain
    }

    /// Whether anything was replaced by a mark.
    pub fn has_marks(&self) -> bool {
        self.lines.iter().flat_map(|l| &l.runs).any(|run| matches!(run, Run::Mark(_)))
    }
}

/// Which characters are shown as themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repertoire {
    /// Whatever the embedded fonts cover.
    Fonts,
    /// Latin letters, digits and common signs alone: the way out if a sheet with everything
    /// cannot be made, so that there always is one.
    Latin,
}

/// Prepares text after text and gathers what could not be shown.
pub struct Preparer<'a> {
    fonts: &'a Fonts,
    repertoire: Repertoire,
    /// Characters without a glyph, so far.
    pub uncovered: BTreeSet<char>,
    /// Whether any text so far holds a mark.
    pub has_marks: bool,
}

impl<'a> Preparer<'a> {
    /// A preparer for one sheet.
    pub fn new(fonts: &'a Fonts, repertoire: Repertoire) -> Self {
        Self { fonts, repertoire, uncovered: BTreeSet::new(), has_marks: false }
    }

    /// What can be shown of `text` for `budget`: about the number of characters.
    pub fn show(&mut self, text: &str, budget: usize) -> Shown {
        let end = text.char_indices().nth(budget).map_or(text.len(), |(at, _)| at);
        // The budget bounds the slice, so that a single cluster of millions of marks costs no
        // more than any other text.
        let head = &text[..end];
        let mut page = Page::default();
        let mut used = 0;
        for (at, cluster) in head.grapheme_indices(true) {
            if used >= budget {
                page.cut_at(at);
                break;
            }
            match cluster {
                "\n" | "\r\n" => used += page.end_line(),
                "\r" => used += page.mark('\r') + page.end_line(),
                "\t" => {
                    page.space("    ");
                    used += 4;
                }
                _ => {
                    let next = head[at + cluster.len()..].chars().next();
                    used += self.cluster(&mut page, cluster, next);
                }
            }
        }
        let cut_inside = page.cut_at;
        let lines = page.finish();
        let shown_to = cut_inside.unwrap_or(end);
        let shown = Shown {
            lines,
            shown_chars: text[..shown_to].chars().count(),
            cut: shown_to < text.len(),
        };
        self.has_marks |= shown.has_marks();
        shown
    }

    /// Puts one user-perceived character on the page; returns what it cost.
    fn cluster(&mut self, page: &mut Page, cluster: &str, next: Option<char>) -> usize {
        let chars: Vec<char> = cluster.chars().collect();
        let mut rest = chars.as_slice();
        let mut cost = 0;
        while let Some((at, _)) =
            rest.iter().enumerate().filter(|(_, c)| **c == '\u{200D}').nth(MOST_JOINED)
        {
            let (piece, after) = rest.split_at(at + 1);
            cost += self.piece(page, piece, after.first().copied());
            rest = after;
        }
        cost + self.piece(page, rest, next)
    }

    /// Puts the characters of one cluster, or of a piece of an endless one, on the page.
    fn piece(&mut self, page: &mut Page, chars: &[char], next: Option<char>) -> usize {
        let flag = is_tagged_flag(chars);
        let mut cost = 0;
        let mut kept: Vec<char> = Vec::with_capacity(chars.len());
        let mut left_out = 0_usize;
        let mut n_marks = 0_usize;
        let mut marks: Vec<char> = Vec::new();
        for (i, &c) in chars.iter().enumerate() {
            let before = kept.iter().rev().copied().find(|&c| !is_variation_selector(c));
            let after = chars.get(i + 1).copied().or(next);
            let joins = self.is_joining(c, before, kept.last().copied(), after)
                || (flag && i > 0 && is_tag(c));
            if joins {
                kept.push(c);
            } else if never_shown(c) {
                self.uncovered.insert(c);
                marks.push(c);
            } else if is_hidden(c) || is_variation_selector(c) {
                marks.push(c);
            } else if !kept.is_empty() && !self.fonts.is_emoji(c) && is_extending(c) {
                n_marks += 1;
                if n_marks > MOST_MARKS {
                    left_out += 1;
                } else {
                    kept.push(c);
                }
            } else {
                kept.push(c);
            }
        }
        cost += self.kept(page, &kept);
        page.line.tall |= n_marks >= TALL_PILE;
        if left_out > 0 {
            page.mark_words(format!("⟦{left_out} kombinerande tecken utelämnade⟧"));
            cost += MARK_COST;
        }
        for c in marks {
            cost += page.mark(c);
        }
        cost
    }

    /// The visible part of a cluster: as it is where one font has all of it.
    fn kept(&mut self, page: &mut Page, kept: &[char]) -> usize {
        let Some(&base) = kept.first() else { return 0 };
        if self.covered(kept) {
            if kept.iter().all(|&c| is_breaking_space(c)) {
                page.space(&String::from_iter(kept));
            } else {
                page.text(&String::from_iter(kept));
            }
            let cost = |&c: &char| if self.fonts.is_emoji(c) { EMOJI_COST } else { 1 };
            return kept.iter().map(cost).sum();
        }
        // No font has all. Take the one that has the base and most of the rest, and name what
        // it lacks.
        let best = (0..self.fonts.families())
            .filter(|&family| self.allowed(base) && self.fonts.covers(family, base))
            .max_by_key(|&family| {
                let n = kept.iter().filter(|&&c| self.fonts.covers(family, c)).count();
                // Of equals the first, as typst chooses.
                (n, std::cmp::Reverse(family))
            });
        let has =
            |c: char| best.is_some_and(|family| self.allowed(c) && self.fonts.covers(family, c));
        let (shown, lacking): (Vec<char>, Vec<char>) = kept.iter().partition(|&&c| has(c));
        let mut cost = shown.len();
        if !shown.is_empty() {
            page.text(&String::from_iter(shown));
        }
        for c in lacking {
            if !is_variation_selector(c) && !is_hidden(c) {
                self.uncovered.insert(c);
            }
            cost += page.mark(c);
        }
        cost
    }

    fn allowed(&self, c: char) -> bool {
        match self.repertoire {
            Repertoire::Fonts => true,
            Repertoire::Latin => matches!(c,
                ' '..='~' | '\u{A0}'..='\u{17F}' | '–' | '—' | '‘' | '’' | '“' | '”' | '…' | '€'),
        }
    }

    fn covered(&self, kept: &[char]) -> bool {
        let needed = || kept.iter().copied().filter(|&c| !is_joiner(c) && !is_tag(c));
        needed().all(|c| self.allowed(c))
            && kept.first().is_some_and(|&base| {
                self.fonts.covering(base).any(|family| {
                    needed()
                        .filter(|&c| !is_variation_selector(c))
                        .all(|c| self.fonts.covers(family, c))
                })
            })
    }

    /// Whether `c` is invisible by itself but belongs to how its neighbours are drawn: the glue of
    /// an emoji sequence, or the joining signs of Arabic and Indic spelling.
    fn is_joining(
        &self,
        c: char,
        before: Option<char>,
        last: Option<char>,
        after: Option<char>,
    ) -> bool {
        let (Some(before), Some(last)) = (before, last) else { return false };
        match c {
            '\u{FE0E}' | '\u{FE0F}' => {
                let may_be_emoji = self.fonts.is_emoji(before) || matches!(before, '©' | '®');
                last == before && (may_be_emoji || after == Some('\u{20E3}'))
            }
            '\u{200D}' | '\u{200C}' if last == before => {
                let Some(after) = after else { return false };
                let emoji = self.fonts.is_emoji(before) && self.fonts.is_emoji(after);
                (c == '\u{200D}' && emoji)
                    || (is_arabic(before) && is_arabic(after))
                    || is_indic_pair(before, after)
            }
            '\u{200D}' => {
                self.fonts.is_emoji(before) && after.is_some_and(|a| self.fonts.is_emoji(a))
            }
            _ => false,
        }
    }
}

/// The lines while they are being made.
#[derive(Default)]
struct Page {
    lines: Vec<Line>,
    line: Line,
    direction_known: bool,
    /// Byte offsets in the last text run at which a user-perceived character of the current word
    /// starts.
    word: Vec<usize>,
    /// The hidden character that the last mark stands for, and how many of it.
    repeated: Option<(char, usize)>,
    blank: usize,
    cut_at: Option<usize>,
}

impl Page {
    fn text(&mut self, cluster: &str) {
        self.repeated = None;
        if !self.direction_known
            && let Some(rtl) = cluster.chars().find_map(strong_direction)
        {
            self.line.rtl = rtl;
            self.direction_known = true;
        }
        if cluster.starts_with(char::is_alphabetic) && self.ends_in_border() {
            self.end_word();
        }
        let run = self.text_run();
        let at = run.len();
        run.push_str(cluster);
        self.word.push(at);
    }

    /// Whether a line may break here, after the slash or hyphen of a word or an address, by the
    /// rules of Unicode (UAX 14) that the layout engine follows.
    fn ends_in_border(&self) -> bool {
        let Some(Run::Text(text)) = self.line.runs.last() else { return false };
        let mut back = text.chars().rev();
        matches!(back.next(), Some('/' | '-')) && back.next().is_some_and(char::is_alphanumeric)
    }

    fn space(&mut self, space: &str) {
        self.end_word();
        self.repeated = None;
        self.text_run().push_str(space);
    }

    /// The text run at the end of the line, made if need be.
    fn text_run(&mut self) -> &mut String {
        if !matches!(self.line.runs.last(), Some(Run::Text(_))) {
            self.word.clear();
            self.line.runs.push(Run::Text(String::new()));
        }
        match self.line.runs.last_mut() {
            Some(Run::Text(text)) => text,
            _ => unreachable!("a text run was pushed just above"),
        }
    }

    /// A mark for `c`; a row of the same becomes one mark with a count.
    fn mark(&mut self, c: char) -> usize {
        self.end_word();
        if let Some((last, n)) = &mut self.repeated
            && *last == c
        {
            *n += 1;
            let (code, n) = (u32::from(c), *n);
            self.line.runs.pop();
            self.line.runs.push(Run::Mark(format!("⟦U+{code:04X} × {n}⟧")));
            return 1;
        }
        self.line.runs.push(Run::Mark(mark(c)));
        self.repeated = Some((c, 1));
        MARK_COST
    }

    fn mark_words(&mut self, words: String) {
        self.end_word();
        self.repeated = None;
        self.line.runs.push(Run::Mark(words));
    }

    /// Cuts an overlong word into pieces between which the line may break.
    fn end_word(&mut self) {
        let starts = std::mem::take(&mut self.word);
        if starts.len() <= LONGEST_WORD {
            return;
        }
        let Some(Run::Text(mut text)) = self.line.runs.pop() else { return };
        let word = text.split_off(starts[0]);
        if !text.is_empty() {
            self.line.runs.push(Run::Text(text));
        }
        let offset = starts[0];
        let ends = starts.iter().skip(PIECE).step_by(PIECE).map(|at| at - offset);
        let mut from = 0;
        for end in ends.chain([word.len()]) {
            self.line.runs.push(Run::Piece(word[from..end].to_owned()));
            from = end;
        }
    }

    /// Ends the line; returns what it cost.
    fn end_line(&mut self) -> usize {
        self.end_word();
        self.repeated = None;
        self.direction_known = false;
        let line = std::mem::take(&mut self.line);
        if line.runs.is_empty() {
            self.blank += 1;
            if self.blank > MOST_BLANK_LINES { 1 } else { LINE_COST }
        } else {
            self.blanks();
            self.lines.push(line);
            LINE_COST
        }
    }

    /// Writes the blank lines that have gathered.
    fn blanks(&mut self) {
        let n = std::mem::take(&mut self.blank);
        if n <= MOST_BLANK_LINES {
            self.lines.extend(std::iter::repeat_n(Line::default(), n));
        } else {
            let words = format!("⟦{n} tomma rader⟧");
            self.lines.push(Line { runs: vec![Run::Mark(words)], ..Line::default() });
        }
    }

    fn cut_at(&mut self, at: usize) {
        self.cut_at = Some(at);
    }

    fn finish(mut self) -> Vec<Line> {
        if self.line.runs.is_empty() {
            self.end_word();
            self.blanks();
        } else {
            self.end_line();
        }
        self.lines
    }
}

/// A space at which a line may break. The others hold words together, and a row of them must be
/// cut like an overlong word.
fn is_breaking_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{A0}' | '\u{2007}' | '\u{202F}')
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// The three flags that are spelled with tag characters: England, Scotland, Wales. Any other row
/// of tags is hidden text.
fn is_tagged_flag(chars: &[char]) -> bool {
    let Some(('\u{1F3F4}', tags)) = chars.split_first() else { return false };
    let spelled: String =
        tags.iter().filter_map(|&c| char::from_u32(u32::from(c).wrapping_sub(0xE0000))).collect();
    matches!(spelled.as_str(), "gbeng\u{7F}" | "gbsct\u{7F}" | "gbwls\u{7F}")
}

/// Characters that may not stand in an archived document as text, or that the layout engine uses
/// for its own ends.
fn never_shown(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 0xE000..=0xF8FF | 0xF0000..=0x10FFFF | 0xFDD0..=0xFDEF | 0xFFFC)
        || code & 0xFFFE == 0xFFFE
}

/// Whether `c` sits on the character before it.
fn is_extending(c: char) -> bool {
    // A letter followed by it still is one cluster.
    let mut pair = String::from("a");
    pair.push(c);
    pair.graphemes(true).count() == 1
}

fn is_arabic(c: char) -> bool {
    matches!(c, '\u{0620}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{08A0}'..='\u{08FF}')
}

/// A joiner after a virama chooses between conjunct and half form.
fn is_indic_pair(before: char, after: char) -> bool {
    let indic = |c: char| matches!(c, '\u{0900}'..='\u{0DFF}');
    matches!(
        before,
        '\u{094D}'
            | '\u{09CD}'
            | '\u{0A4D}'
            | '\u{0ACD}'
            | '\u{0B4D}'
            | '\u{0BCD}'
            | '\u{0C4D}'
            | '\u{0CCD}'
            | '\u{0D4D}'
            | '\u{0DCA}'
    ) && indic(after)
}

/// `Some(true)` for a letter read from right to left, `Some(false)` for one read the other way.
fn strong_direction(c: char) -> Option<bool> {
    if matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
    {
        return c.is_alphabetic().then_some(true);
    }
    c.is_alphabetic().then_some(false)
}
