//! What verification holds against the log: rows with everything that the log says of them.

use jiff::Timestamp;

use crate::domain::ids::{ActionId, ContentHash, DecisionId, ItemId, RegistrationId};
use crate::domain::item::{Attachment, Author, Exchange};
use crate::domain::verdict::Verdict;

/// One decision with its actions, as verification holds it against the log.
pub struct DecisionFacts {
    /// Its row.
    pub id: DecisionId,
    /// The case.
    pub case: i64,
    /// The version decided about.
    pub version: i64,
    /// Who; none where a policy decided.
    pub user: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// Identifiers of the choices, in order.
    pub choices: Vec<&'static str>,
    /// The ground's code.
    pub ground: Option<String>,
    /// See `domain::log`: texts, reasons and note as they stand in the row.
    pub words: ContentHash,
    /// When it was undone.
    pub undone_at: Option<Timestamp>,
    /// The policy that it was made under.
    pub policy: Option<ContentHash>,
    /// Whether there is exactly one action, with the chosen text, for each choice that wants one.
    pub actions_fit: bool,
    /// Until when it could be undone, in milliseconds since 1970 as in the row; so is the deadline.
    pub undo_until: i64,
    /// The deadline that it was to meet.
    pub due_at: Option<i64>,
    /// The act that decided many cases, where it was one.
    pub bulk: Option<i64>,
    /// Kinds of its actions that a person does on the platform, in order.
    pub by_hand: Vec<String>,
}

/// One action, as verification holds it against the log.
pub struct ActionFacts {
    /// Its row.
    pub id: ActionId,
    /// The case.
    pub case: i64,
    /// The decision.
    pub decision: i64,
    /// Its kind's identifier.
    pub kind: String,
    /// The version it is about.
    pub version: i64,
    /// The evidence it rests on.
    pub evidence: Option<i64>,
    /// Its state's identifier.
    pub state: String,
    /// Whether the diary's row of it is there, where it is a registration.
    pub registered: bool,
    /// Whether the item is that of its case and its version, and the case that of its decision.
    pub is_of_its_item: bool,
    /// Whether the platform knows it by the name that follows from decision and kind.
    pub is_by_its_name: bool,
    /// Over its text and over how it ended, as they stand in the row.
    pub words: ContentHash,
}

/// One registration, as verification holds it against the log.
pub struct RegistrationFacts {
    /// Its row.
    pub id: RegistrationId,
    /// The case.
    pub case: i64,
    /// The action that made it.
    pub action: i64,
    /// Whether that action is a registration of this case.
    pub is_of_its_action: bool,
    /// The package's file name.
    pub package: String,
    /// SHA-256 of the package.
    pub package_sha256: ContentHash,
    /// The number with when and by whom it was entered.
    pub number: Option<(String, Timestamp, i64)>,
}

/// What an evidence record is of, as verification holds it against leaf and manifest.
pub struct SubjectFacts {
    /// Kind of the removal of the same item that it was read once more for, where it was.
    pub read_before: Option<String>,
    /// The call that gave it, where that was noted.
    pub exchange: Option<Exchange>,
    /// What each version of the lexicon has said of it.
    pub verdicts: Vec<Verdict>,
    /// The account's key.
    pub account: String,
    /// The platform's identity of the item.
    pub platform_id: String,
    /// The item of the version.
    pub item: ItemId,
    /// The version's number.
    pub number: u32,
    /// The hash in the version's row.
    pub content_hash: ContentHash,
    /// Text.
    pub text: String,
    /// Author as shown.
    pub author: Author,
    /// What hung on it.
    pub attachments: Vec<Attachment>,
    /// The identifier of what it is.
    pub kind: String,
    /// When the platform says it was written.
    pub created_at: Option<Timestamp>,
    /// That time as received.
    pub created_raw: Option<String>,
    /// When it was edited.
    pub edited_at: Option<Timestamp>,
    /// The identifier of its visibility when fetched.
    pub presence: String,
    /// When fetched.
    pub fetched_at: Timestamp,
    /// The hash of the element as received.
    pub payload: ContentHash,
}
