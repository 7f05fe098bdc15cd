//! Handing a record to the authority's diary (*diarieföring*).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::DiaryNumber;
use super::text::is_hidden;

/// Where a registration stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RegistrationState {
    /// The package lies in the export directory; the diary number is awaited.
    Exported {
        /// When it was written.
        at: Timestamp,
    },
    /// The diary number has come.
    Acknowledged {
        /// The number.
        number: DiaryNumber,
        /// When it was entered.
        at: Timestamp,
    },
}

/// The text is no diary number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a diary number has 3 to 60 characters, at least one digit, and no control or invisible characters"
)]
pub struct NotADiaryNumber;

/// Reads a diary number as a person typed it. Authorities form theirs freely (`KS 2026/123`,
/// `2026-114`, `BUN.2026.7`), so only what cannot be one is refused.
///
/// # Errors
/// [`NotADiaryNumber`] where the text is too short, too long or has no digit.
pub fn parse_diary_number(text: &str) -> Result<DiaryNumber, NotADiaryNumber> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = text.chars().count();
    let fits = (3..=60).contains(&length)
        && text.chars().any(|c| c.is_ascii_digit())
        && !text.chars().any(is_hidden);
    if fits { Ok(DiaryNumber::new(text)) } else { Err(NotADiaryNumber) }
}
