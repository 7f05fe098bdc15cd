//! What can be done with an item on its platform, in words for people.

use crate::domain::item::ItemKind;
use crate::platforms::capability::{Capabilities, LengthUnit, Offer, ReplyLimit};

/// Whether something can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// Yes.
    Yes,
    /// Yes, under a condition, in Swedish.
    Conditional(&'static str),
    /// Only on the platform itself: why and how, in Swedish.
    ByHand(&'static str),
    /// Not at all: why, in Swedish.
    No(&'static str),
}

impl Offered {
    fn of(offer: &Offer) -> Self {
        match offer {
            Offer::Native => Self::Yes,
            Offer::Conditional { condition } => Self::Conditional(condition),
            Offer::ByHand { why } => Self::ByHand(why),
            Offer::No { why } => Self::No(why),
        }
    }
}

/// What an account offers, as its page and its cases show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offers {
    /// Hide.
    pub hide: Offered,
    /// Show again.
    pub unhide: Offered,
    /// Delete.
    pub delete: Offered,
    /// Answer a comment.
    pub reply_comment: Offered,
    /// Answer a private message.
    pub reply_message: Offered,
    /// Who still sees a hidden item, in Swedish.
    pub hide_effect: String,
    /// What deleting does, in Swedish.
    pub delete_effect: String,
    /// Longest answer to a comment and its unit.
    pub longest_reply: Option<(u32, &'static str)>,
    /// Longest answer to a message and its unit.
    pub longest_message: Option<(u32, &'static str)>,
    /// Every verb in words.
    pub rows: Vec<(&'static str, Offered)>,
    /// What the platform's terms say of stored data, in Swedish.
    pub storage_terms: &'static str,
}

impl Offers {
    /// The record in words.
    pub(super) fn of(capabilities: &Capabilities) -> Self {
        Self {
            hide: Offered::of(&capabilities.hide),
            unhide: Offered::of(&capabilities.unhide),
            delete: Offered::of(&capabilities.delete),
            reply_comment: Offered::of(&capabilities.reply_comment),
            reply_message: Offered::of(&capabilities.reply_message),
            hide_effect: capabilities.hide_effect.to_string(),
            delete_effect: capabilities.delete_effect.to_string(),
            longest_reply: capabilities.longest_reply.map(limit),
            longest_message: capabilities.longest_message.map(limit),
            rows: capabilities.rows().map(|(what, offer)| (what, Offered::of(offer))).to_vec(),
            storage_terms: capabilities.storage_terms,
        }
    }

    /// Answering an item of this kind.
    pub fn reply(&self, kind: ItemKind) -> (Offered, Option<(u32, &'static str)>) {
        match kind {
            ItemKind::DirectMessage => (self.reply_message, self.longest_message),
            ItemKind::Comment
            | ItemKind::Reply
            | ItemKind::PostByOther
            | ItemKind::Mention
            | ItemKind::Review => (self.reply_comment, self.longest_reply),
        }
    }
}

fn limit(limit: ReplyLimit) -> (u32, &'static str) {
    let unit = match limit.unit {
        LengthUnit::Characters | LengthUnit::Graphemes | LengthUnit::Weighted => "tecken",
        LengthUnit::Bytes => "byte",
    };
    (limit.most, unit)
}
