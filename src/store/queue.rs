//! A line of the queue.

use jiff::Timestamp;

use crate::domain::account::Account;
use crate::domain::item::{Author, ItemKind, Presence};
use crate::domain::verdict::Verdict;
use crate::store::rows::CaseRow;

/// One line of the queue.
#[derive(Clone, Debug)]
pub struct QueueRow {
    /// The case.
    pub case: CaseRow,
    /// Its account.
    pub account: Account,
    /// The item's kind.
    pub kind: ItemKind,
    /// Author as shown.
    pub author: Author,
    /// The first part of the text (unmasked: the service masks it).
    pub text_head: String,
    /// Whether the text goes on.
    pub text_is_cut: bool,
    /// When the platform says it was written.
    pub created_at: Option<Timestamp>,
    /// When we first fetched it.
    pub first_fetched_at: Timestamp,
    /// Visibility now.
    pub presence: Presence,
    /// The newest verdict.
    pub verdict: Option<Verdict>,
    /// Whether evidence of the current version is sealed.
    pub sealed: bool,
    /// How many other items have nearly the same text; counted up to a hundred.
    pub n_alike: u32,
    /// How many others of them wait for a person, on the accounts that were asked for; counted up to
    /// [`MOST_TOGETHER`](crate::domain::together::MOST_TOGETHER).
    pub n_similar: u32,
    /// It bears the mark of what may not be copied or shown in a list.
    pub no_copy: bool,
    /// It bears a secrecy mark.
    pub secret: bool,
}
