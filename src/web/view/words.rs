//! Small words shared by pages: sizes, counts, severity.

use crate::domain::category::{Category, Severity, Task};

/// A size as people read it: `640 byte`, `12 kB`, `1,2 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} byte"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => {
            let tenths = bytes / 100_000;
            format!("{},{} MB", tenths / 10, tenths % 10)
        }
    }
}

/// A number with its noun: `1 träff`, `1 204 träffar`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A number with a non-breaking space between thousands.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 2);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{00A0}');
        }
        out.push(digit);
    }
    out
}

/// How grave a mark looks. Always a word and a pattern beside the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// To answer or hand on; nothing wrong with it.
    Routing,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

impl Tone {
    /// The tone of a finding.
    pub const fn of(category: Category, severity: Severity) -> Self {
        match category.task() {
            Task::Routing => Self::Routing,
            Task::Removal => match severity {
                Severity::Low => Self::Low,
                Severity::Medium => Self::Medium,
                Severity::High => Self::High,
            },
        }
    }

    /// Its class in the stylesheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Routing => "ton-rutt",
            Self::Low => "ton-lag",
            Self::Medium => "ton-medel",
            Self::High => "ton-hog",
        }
    }
}

/// A category in a list: its word and its tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryWord {
    /// `hot`, `personuppgifter`…
    pub label: &'static str,
    /// How grave here.
    pub tone: Tone,
}

impl CategoryWord {
    /// The word for a category found with a severity.
    pub const fn new(category: Category, severity: Severity) -> Self {
        Self { label: category.label(), tone: Tone::of(category, severity) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts_read_as_swedish() {
        assert_eq!(size(640), "640 byte");
        assert_eq!(size(12_900), "12 kB");
        assert_eq!(size(1_249_000), "1,2 MB");
        assert_eq!(count(1, "träff", "träffar"), "1 träff");
        assert_eq!(count(1_204_000, "träff", "träffar"), "1\u{a0}204\u{a0}000 träffar");
        assert_eq!(thousands(0), "0");
    }
}
