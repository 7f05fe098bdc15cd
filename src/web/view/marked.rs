//! An item's text with its findings underlined in place.
//!
//! A finding is never told by colour alone: it has a pattern by tone, its word stands behind it,
//! and a reader of the page by ear hears where it begins and ends.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::domain::verdict::Finding;

use super::visible::{Piece, Visible};
use super::words::{Tone, count, size};

/// Bytes of a text that are shown at once. Platforms stop comments at 8 to 65 kB; what is longer
/// is somebody trying things.
const SHOWN: usize = 10_000;
/// Bytes shown on each side of a finding that lies further down.
const AROUND: usize = 200;
/// Stretches further down that are shown.
const MOST_STRETCHES: usize = 10;
/// Addresses listed below a text.
const MOST_ADDRESSES: usize = 20;

/// One stretch of the shown text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Nothing found here.
    Plain(Vec<Piece>),
    /// One or more findings cover all of it.
    Found {
        /// The text.
        pieces: Vec<Piece>,
        /// The gravest tone.
        tone: Tone,
        /// Findings that begin here: what is heard before the text.
        opens: Vec<Label>,
        /// Findings that end here: their words stand behind the text.
        closes: Vec<Label>,
    },
    /// Something was left out here: how much, in words.
    Gap(String),
}

/// What a finding is called in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its number in the list of reasons, from 1.
    pub number: usize,
    /// Its category word.
    pub word: &'static str,
    /// How grave.
    pub tone: Tone,
}

/// What stands behind a stretch, each word once with the numbers of all its findings: `1–3 hot`.
fn grouped(labels: &[Label]) -> Vec<(String, &'static str, Tone)> {
    let mut words: Vec<(Vec<usize>, &'static str, Tone)> = Vec::new();
    for label in labels {
        match words.iter_mut().find(|(_, word, _)| *word == label.word) {
            Some((numbers, _, tone)) => {
                numbers.push(label.number);
                *tone = (*tone).max(label.tone);
            }
            None => words.push((vec![label.number], label.word, label.tone)),
        }
    }
    let told = |(mut numbers, word, tone): (Vec<usize>, _, _)| {
        numbers.sort_unstable();
        numbers.dedup();
        let runs = numbers.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
            [first, _, .., last] => format!("{first}–{last}"),
            few => few.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        });
        (runs.collect::<Vec<_>>().join(", "), word, tone)
    };
    words.into_iter().map(told).collect()
}

/// An item's text as it is shown in its case. Not for lists: see
/// [`Masked`](super::masked::Masked).
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "parts/marked.html", config = "src/web/askama.toml")]
pub struct MarkedText {
    /// The text in order.
    pub stretches: Vec<Stretch>,
    /// What a reader must know of how it is shown: marks, caps, cuts.
    pub notes: Vec<String>,
    /// Size of the whole text where only a part is shown: `1,2 MB`.
    pub cut: Option<String>,
    /// Addresses in the text: can be read and copied, not followed.
    pub addresses: Vec<String>,
}

impl HtmlSafe for MarkedText {}

impl MarkedText {
    /// The text with its findings, numbered in their order from 1; a very long text is shown in
    /// part.
    pub fn new(text: &str, findings: &[Finding]) -> Self {
        let marks = Marks::of(text, findings);
        let windows = marks.windows(text);
        Self::build(text, &marks, &windows)
    }

    /// The same, however long.
    pub fn whole(text: &str, findings: &[Finding]) -> Self {
        Self::build(text, &Marks::of(text, findings), &[(0, text.len())])
    }

    /// Text without findings: context, or masked text for roles that may not see the original.
    pub fn plain(text: &str) -> Self {
        Self::new(text, &[])
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    fn build(text: &str, marks: &Marks, windows: &[(usize, usize)]) -> Self {
        let mut out =
            Self { stretches: Vec::new(), notes: Vec::new(), cut: None, addresses: Vec::new() };
        let (mut hidden, mut stacked, mut shown_to) = (0, 0, 0);
        let last_shown = marks.last_shown(windows);
        for &(from, to) in windows {
            if from > shown_to {
                out.stretches.push(Stretch::Gap(size_words(from - shown_to)));
            }
            for (start, end) in marks.runs(from, to) {
                let visible = Visible::new(&text[start..end]);
                hidden += visible.hidden;
                stacked += visible.stacked;
                out.stretches.push(marks.stretch(start, end, visible.pieces, &last_shown));
            }
            shown_to = to;
        }
        if shown_to < text.len() {
            out.stretches.push(Stretch::Gap(size_words(text.len() - shown_to)));
        }
        if windows != [(0, text.len())] {
            let unseen = marks.not_within(windows);
            out.cut = Some(size_words(text.len()));
            let more = match unseen {
                0 => String::new(),
                n => format!(" {} i det som inte visas.", count(n, "träff finns", "träffar finns")),
            };
            out.notes.push(format!("Texten är lång och visas i utdrag.{more}"));
        }
        if hidden > 0 {
            let characters = count(hidden, "dolt tecken", "dolda tecken");
            out.notes.push(format!("Texten har {characters}, som visas som ⟦U+…⟧."));
        }
        if stacked > 0 {
            let accents = count(stacked, "staplat accenttecken", "staplade accenttecken");
            out.notes.push(format!("{accents} visas inte. De finns kvar i beviset."));
        }
        out.addresses = addresses(&text[..text.floor_char_boundary(SHOWN)]);
        out
    }
}

fn size_words(bytes: usize) -> String {
    size(u64::try_from(bytes).unwrap_or(u64::MAX))
}

/// Findings' spans, clamped to the text and to character borders.
struct Marks {
    /// Start, end, index into `labels`.
    spans: Vec<(usize, usize, usize)>,
    labels: Vec<Label>,
}

impl Marks {
    fn of(text: &str, findings: &[Finding]) -> Self {
        let mut spans = Vec::new();
        for (index, finding) in findings.iter().enumerate() {
            let mut own: Vec<(usize, usize, usize)> = Vec::new();
            for span in &finding.spans {
                // Spans come from the classifier and fit; a stored verdict from an older program
                // must still never break the page.
                let start = text.floor_char_boundary(span.start as usize);
                let end = text.ceil_char_boundary(span.end as usize);
                // Words that stand side by side are one stretch for a reader.
                match own.last_mut() {
                    Some((_, last, _))
                        if *last <= start && text[*last..start].trim().is_empty() =>
                    {
                        *last = end.max(*last);
                    }
                    Some(_) | None if start < end => own.push((start, end, index)),
                    Some(_) | None => {}
                }
            }
            spans.extend(own);
        }
        spans.sort_unstable();
        let labels = findings
            .iter()
            .enumerate()
            .map(|(index, f)| Label {
                number: index + 1,
                word: f.category.label(),
                tone: Tone::of(f.category, f.severity),
            })
            .collect();
        Self { spans, labels }
    }

    /// The parts of the text to show: its head, and the surroundings of findings further down.
    fn windows(&self, text: &str) -> Vec<(usize, usize)> {
        if text.len() <= SHOWN {
            return vec![(0, text.len())];
        }
        let mut windows = vec![(0, text.floor_char_boundary(SHOWN))];
        for &(start, end, _) in &self.spans {
            let from = text.floor_char_boundary(start.saturating_sub(AROUND));
            let to = text.ceil_char_boundary(end.min(start + SHOWN).saturating_add(AROUND));
            let so_far = windows.len();
            match windows.last_mut() {
                Some((_, last)) if from <= *last => *last = to.max(*last),
                Some(_) | None if so_far > MOST_STRETCHES => break,
                Some(_) | None => windows.push((from, to)),
            }
        }
        windows
    }

    /// The stretches between borders of spans within `from..to`.
    fn runs(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut borders = vec![from, to];
        for &(start, end, _) in &self.spans {
            borders.extend([start, end].into_iter().filter(|b| (from..to).contains(b)));
        }
        borders.sort_unstable();
        borders.dedup();
        borders.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }

    /// Where each finding ends in what is shown: its word stands there, even if the finding goes on
    /// where nobody sees it.
    fn last_shown(&self, windows: &[(usize, usize)]) -> Vec<Option<usize>> {
        let mut last = vec![None; self.labels.len()];
        for &(start, end, index) in &self.spans {
            // Windows stand in order and apart: the last that begins before the end holds it.
            let window = windows.partition_point(|(from, _)| *from < end).checked_sub(1);
            if let Some((_, to)) = window.map(|window| windows[window])
                && start < to
            {
                last[index] = last[index].max(Some(end.min(to)));
            }
        }
        last
    }

    fn stretch(
        &self,
        start: usize,
        end: usize,
        pieces: Vec<Piece>,
        last_shown: &[Option<usize>],
    ) -> Stretch {
        let (mut tone, mut opens, mut closes) = (None, Vec::new(), Vec::new());
        for &(from, to, index) in &self.spans {
            if from <= start && end <= to {
                let label = &self.labels[index];
                tone = tone.max(Some(label.tone));
                if from == start {
                    opens.push(label.clone());
                }
                // The word stands once, behind the last stretch of its finding.
                if last_shown[index] == Some(end) {
                    closes.push(label.clone());
                }
            }
        }
        match tone {
            None => Stretch::Plain(pieces),
            Some(tone) => Stretch::Found { pieces, tone, opens, closes },
        }
    }

    fn not_within(&self, windows: &[(usize, usize)]) -> usize {
        let unseen = |(start, end, _): &&(usize, usize, usize)| {
            !windows.iter().any(|(from, to)| from <= start && end <= to)
        };
        self.spans.iter().filter(unseen).count()
    }
}

/// Web addresses in a text, as written, without doubles.
fn addresses(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')'))
    {
        let lower = word.get(..8).unwrap_or(word).to_ascii_lowercase();
        let address = ["http://", "https://", "www."].iter().any(|head| lower.starts_with(head));
        let word = word.trim_end_matches(['.', ',', '!', '?', ';', ':']);
        if address && !found.iter().any(|known| known == word) {
            let head = crate::domain::text::shorten(word, 300);
            found.push(Visible::new(&head).into_line());
        }
        if found.len() == MOST_ADDRESSES {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::domain::category::{Category, Severity};
    use crate::domain::verdict::Span;

    use super::*;

    fn finding(category: Category, severity: Severity, spans: &[(u32, u32)]) -> Finding {
        Finding {
            category,
            severity,
            rule: "prov.regel".into(),
            spans: spans.iter().copied().map(Span::from).collect(),
            why: "prov".into(),
            legal: "prov".into(),
            mark: None,
        }
    }

    /// The text with every stretch in brackets: `[1,2: text]`, openings `<n`, endings `n>`.
    fn drawn(text: &MarkedText) -> String {
        let mut out = String::new();
        for stretch in &text.stretches {
            match stretch {
                Stretch::Plain(pieces) => out.push_str(&line(pieces)),
                Stretch::Found { pieces, opens, closes, .. } => {
                    let numbers = |labels: &[Label]| {
                        labels.iter().map(|l| l.number.to_string()).collect::<Vec<_>>().join(",")
                    };
                    out.push_str(&format!(
                        "[{}<{}>{}]",
                        numbers(opens),
                        line(pieces),
                        numbers(closes)
                    ));
                }
                Stretch::Gap(words) => out.push_str(&format!("({words})")),
            }
        }
        out
    }

    fn line(pieces: &[Piece]) -> String {
        Visible { pieces: pieces.to_vec(), hidden: 0, stacked: 0 }.into_line()
    }

    #[test]
    fn a_word_stands_once_with_the_numbers_of_all_its_findings() {
        let label = |number, word, tone| Label { number, word, tone };
        let labels = [
            label(1, "hot", Tone::High),
            label(3, "hot", Tone::High),
            label(6, "svordom", Tone::High),
            label(2, "hot", Tone::High),
            label(5, "hot", Tone::High),
        ];
        let told: Vec<_> = grouped(&labels).into_iter().map(|(n, word, _)| (n, word)).collect();
        assert_eq!(told, [("1–3, 5".to_owned(), "hot"), ("6".to_owned(), "svordom")]);
    }

    #[test]
    fn spans_split_where_they_overlap() {
        let threat = |spans: &[(u32, u32)]| finding(Category::Threat, Severity::High, spans);
        let insult = |spans: &[(u32, u32)]| finding(Category::Insult, Severity::Low, spans);
        for (findings, drawing) in [
            (vec![], "din åsna dö"),
            (vec![threat(&[(10, 13)])], "din åsna [1<dö>1]"),
            (vec![threat(&[(0, 9)]), insult(&[(4, 13)])], "[1<din >][2<åsna>1][< dö>2]"),
            (vec![threat(&[(0, 13)]), insult(&[(4, 9)])], "[1<din >][2<åsna>2][< dö>1]"),
            (vec![threat(&[(0, 3), (10, 13)])], "[1<din>] åsna [1<dö>1]"),
            // Side by side: one stretch.
            (vec![threat(&[(0, 3), (4, 9)])], "[1<din åsna>1] dö"),
            (vec![threat(&[(4, 9)]), insult(&[(4, 9)])], "din [1,2<åsna>1,2] dö"),
            // Inside a character, past the end, backwards: clamped, never broken.
            (vec![threat(&[(5, 9)])], "din [1<åsna>1] dö"),
            (vec![threat(&[(10, 400)])], "din åsna [1<dö>1]"),
            (vec![threat(&[(9, 4), (400, 500)])], "din åsna dö"),
        ] {
            assert_eq!(drawn(&MarkedText::new("din åsna dö", &findings)), drawing);
        }
    }

    #[test]
    fn the_gravest_tone_wins_where_findings_meet() {
        let findings = [
            finding(Category::Insult, Severity::Low, &[(0, 3)]),
            finding(Category::Threat, Severity::High, &[(0, 3)]),
        ];
        let text = MarkedText::new("abc", &findings);
        assert!(matches!(text.stretches[0], Stretch::Found { tone: Tone::High, .. }));
    }

    #[test]
    fn a_long_text_shows_its_head_and_its_findings() {
        let text = format!("{}dö{}", "ordet ".repeat(200_000), " slut".repeat(1_000));
        let start = 1_200_000;
        let marked = MarkedText::new(
            &text,
            &[finding(Category::Threat, Severity::High, &[(start, start + 3)])],
        );
        assert_eq!(marked.cut.as_deref(), Some("1,2 MB"));
        let drawing = drawn(&marked);
        assert!(drawing.contains("[1<dö>1]") && drawing.len() < 12_000);
        assert_eq!(marked.stretches.iter().filter(|s| matches!(s, Stretch::Gap(_))).count(), 2);
        assert_eq!(MarkedText::whole(&text, &[]).cut, None);
    }

    #[test]
    fn a_finding_has_its_word_even_where_its_end_is_not_shown() {
        let text = "ord ".repeat(30_000);
        // Found at the head and in more places than are shown, the last of them far down.
        let spans: Vec<(u32, u32)> = (0..40).map(|n| (n * 3_000, n * 3_000 + 3)).collect();
        let marked = MarkedText::new(&text, &[finding(Category::Threat, Severity::High, &spans)]);
        let drawing = drawn(&marked);
        assert_eq!(drawing.matches(">1]").count(), 1, "{drawing}");
        // One that covers all of the text is cut where what is shown of it ends.
        let whole = finding(Category::Threat, Severity::High, &[(0, 120_000)]);
        let drawing = drawn(&MarkedText::new(&text, &[whole]));
        assert_eq!(drawing.matches(">1]").count(), 1, "{drawing}");
    }

    #[test]
    fn addresses_are_listed_as_text() {
        let marked = MarkedText::plain(
            "se https://fel.example/x?a=b, eller (www.fel.example). HTTPS://FEL.example",
        );
        assert_eq!(
            marked.addresses,
            ["https://fel.example/x?a=b", "www.fel.example", "HTTPS://FEL.example"]
        );
        assert!(!marked.to_string().contains("<a "));
    }

    #[test]
    fn markup_in_a_text_is_shown_as_text() {
        let marked = MarkedText::plain("<script>alert('x')</script> &amp; \"");
        let html = marked.to_string();
        assert!(!html.contains("<script") && html.contains("&#60;script&#62;"), "{html}");
    }

    proptest! {
        #[test]
        fn no_text_and_no_spans_break_the_page(
            text in "\\PC{0,40}",
            spans in prop::collection::vec((0_u32..60, 0_u32..60), 0..8),
        ) {
            let findings: Vec<_> =
                spans.iter().map(|s| finding(Category::Hate, Severity::Medium, &[*s])).collect();
            let marked = MarkedText::new(&text, &findings);
            let plain: String = marked.stretches.iter().map(|s| match s {
                Stretch::Plain(pieces) | Stretch::Found { pieces, .. } => line(pieces),
                Stretch::Gap(words) => words.clone(),
            }).collect();
            // Marks of a run differ where a border splits it; visible text must not.
            if Visible::new(&text).hidden == 0 && Visible::new(&text).stacked == 0 {
                prop_assert_eq!(plain, text);
            }
        }
    }
}
