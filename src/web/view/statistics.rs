//! How the work goes (*statistik*): charts as drawings in the page, each with its table.

use askama::Template;

use super::shell::{Notice, Place, Shell};

/// The page `/statistik`.
#[derive(Clone, Debug, Template)]
#[template(path = "statistics.html", config = "src/web/askama.toml")]
pub struct StatisticsPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message.
    pub notice: Option<Notice>,
    /// Months and years to choose among: identifier and words.
    pub spans: Vec<(String, String)>,
    /// The figures.
    pub board: Option<BoardView>,
}

/// The figures of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardView {
    /// Identifier in addresses.
    pub id: String,
    /// Of what, in words.
    pub label: String,
    /// Its first and last day.
    pub days: (String, String),
    /// Whether the time is not over.
    pub is_under_way: bool,
    /// Its parts.
    pub parts: Vec<PartView>,
}

/// One chart with its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartView {
    /// Identifier.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Note.
    pub note: String,
    /// Columns over time, where it is drawn so.
    pub chart: Option<Chart>,
    /// Headings of the table.
    pub columns: Vec<&'static str>,
    /// Rows: label, figures, length of the bar in thousandths.
    pub rows: Vec<(String, Vec<String>, u64)>,
}

/// Columns beside each other, in a space of 1 000 by 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// What it shows, for those who do not see it.
    pub words: String,
    /// Place, top, width, height of each.
    pub columns: Vec<(u64, u64, u64, u64)>,
    /// The first and the last label.
    pub ends: (String, String),
    /// The greatest.
    pub most: u64,
}

impl Chart {
    /// The height of the space.
    pub const HEIGHT: u64 = 200;

    /// Columns for these figures.
    pub fn new(words: String, figures: &[(String, u64)]) -> Self {
        let most = figures.iter().map(|(_, n)| *n).max().unwrap_or_default();
        let step = 1_000 / u64::try_from(figures.len()).unwrap_or(1).max(1);
        let column = |(at, (_, n)): (u64, &(String, u64))| {
            let height = (n * Self::HEIGHT).checked_div(most).unwrap_or_default();
            (at * step, Self::HEIGHT - height, step.saturating_sub(4).max(1), height)
        };
        let end =
            |one: Option<&(String, u64)>| one.map(|(label, _)| label.clone()).unwrap_or_default();
        Self {
            words,
            columns: (0..).zip(figures).map(column).collect(),
            ends: (end(figures.first()), end(figures.last())),
            most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_inside_their_space_and_the_greatest_fills_it() {
        for figures in
            [vec![], vec![0; 12], (0..31).collect::<Vec<u64>>(), vec![u64::from(u32::MAX)]]
        {
            let figures: Vec<_> = figures.iter().map(|n| (n.to_string(), *n)).collect();
            let chart = Chart::new("Inflöde".into(), &figures);
            assert_eq!(chart.columns.len(), figures.len());
            for (x, y, width, height) in &chart.columns {
                assert!(x + width <= 1_000 && y + height == Chart::HEIGHT, "{chart:?}");
            }
            let tallest = chart.columns.iter().map(|column| column.3).max();
            assert_eq!(tallest.unwrap_or_default(), if chart.most > 0 { Chart::HEIGHT } else { 0 });
        }
    }
}
