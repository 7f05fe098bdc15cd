//! What a platform lets Uppsikt do: data, shown to people, and the ground for buttons, tests and
//! documentation alike (`platforms` sheet, sections 1.1 and 20).

mod matrix;

use std::borrow::Cow;

use jiff::SignedDuration;

use crate::domain::account::PlatformKind;
use crate::domain::item::ItemKind;

/// Whether a verb is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Yes.
    Native,
    /// Yes, under a condition.
    Conditional {
        /// The condition, in Swedish.
        condition: &'static str,
    },
    /// Not through the interface; a person does it on the platform.
    ByHand {
        /// Why, and where to do it, in Swedish.
        why: &'static str,
    },
    /// There is no such thing on the platform.
    No {
        /// Why, in Swedish.
        why: &'static str,
    },
}

impl Offer {
    /// Whether the connector may be asked.
    pub const fn is_native(&self) -> bool {
        match self {
            Self::Native | Self::Conditional { .. } => true,
            Self::ByHand { .. } | Self::No { .. } => false,
        }
    }

    /// In Swedish, as people read it in the matrix.
    pub fn words(&self) -> String {
        match self {
            Self::Native => "ja".into(),
            Self::Conditional { condition } => format!("ja, {condition}"),
            Self::ByHand { why } => format!("för hand: {why}"),
            Self::No { why } => format!("nej: {why}"),
        }
    }
}

/// How edits or deletions become known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The platform pushes them.
    Pushed,
    /// A field says so.
    Flagged,
    /// Seen when the item is read again.
    OnRead,
    /// Only by comparing.
    Silent,
}

/// Where links to single items come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The platform gives one for each item.
    Given,
    /// We build one after a documented pattern.
    Built,
    /// Only the post above has a link.
    PostOnly,
    /// As pasted by the editor.
    AsPasted,
    /// None.
    None,
}

/// What counts towards the longest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthUnit {
    /// Unicode scalar values.
    Characters,
    /// User-perceived characters.
    Graphemes,
    /// Bytes of UTF-8.
    Bytes,
    /// The platform's own weighting.
    Weighted,
}

/// The longest answer the platform takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimit {
    /// How many.
    pub most: u32,
    /// Of what.
    pub unit: LengthUnit,
}

/// The capability record of one platform or one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// List comments since a cursor.
    pub list: Offer,
    /// Read the thread around an item.
    pub thread: Offer,
    /// List private messages.
    pub messages: Offer,
    /// Hide.
    pub hide: Offer,
    /// Show again.
    pub unhide: Offer,
    /// Delete.
    pub delete: Offer,
    /// Answer a comment.
    pub reply_comment: Offer,
    /// Answer a message.
    pub reply_message: Offer,
    /// Report to the platform.
    pub report: Offer,
    /// Be told by webhook.
    pub webhook: Offer,
    /// Who still sees a hidden item, as a Swedish sentence shown before the click.
    pub hide_effect: Cow<'static, str>,
    /// What deleting does and whether it can be taken back, as a Swedish sentence.
    pub delete_effect: Cow<'static, str>,
    /// How edits become known.
    pub edits: Told,
    /// How deletions become known.
    pub deletes: Told,
    /// Where links to single items come from.
    pub links: Links,
    /// How many items one call reads again; 1 where each costs a call.
    pub read_batch: usize,
    /// Longest answer to a comment, where the platform publishes it or a careful guess is made.
    pub longest_reply: Option<ReplyLimit>,
    /// Longest answer to a private message.
    pub longest_message: Option<ReplyLimit>,
    /// How long after a person's last message they can be answered, where the platform ends it.
    pub answers_messages_for: Option<SignedDuration>,
    /// What the platform's terms say of stored data, in Swedish, shown at set-up.
    pub storage_terms: &'static str,
}

/// Whether the same answer sent twice is one answer there: the platform takes the second for the first,
/// or refuses it (`platforms` sheet, section 1.6). Elsewhere nothing goes out again that may have gone
/// out, until somebody has looked.
pub const fn knows_repeats(kind: PlatformKind, item: ItemKind) -> bool {
    match kind {
        PlatformKind::WordPress
        | PlatformKind::Mastodon
        | PlatformKind::Bluesky
        | PlatformKind::OwnSite => true,
        // Of messages nothing is said.
        PlatformKind::X => !matches!(item, ItemKind::DirectMessage),
        PlatformKind::Facebook
        | PlatformKind::Instagram
        | PlatformKind::YouTube
        | PlatformKind::LinkedIn
        | PlatformKind::TikTok
        | PlatformKind::Reddit
        | PlatformKind::Flickr
        | PlatformKind::Snapchat
        | PlatformKind::Manual => false,
    }
}

/// What a platform offers at best. What one account lacks of it (a permission, a declared
/// ability), its connector takes away.
pub const fn of(kind: PlatformKind) -> Capabilities {
    matrix::of(kind)
}

impl Capabilities {
    /// The verbs with their offers, in the order in which people read them, named in Swedish.
    pub fn rows(&self) -> [(&'static str, &Offer); 10] {
        [
            ("läsa kommentarer", &self.list),
            ("läsa tråden", &self.thread),
            ("läsa meddelanden", &self.messages),
            ("dölja", &self.hide),
            ("visa igen", &self.unhide),
            ("ta bort", &self.delete),
            ("svara på kommentar", &self.reply_comment),
            ("svara på meddelande", &self.reply_message),
            ("anmäla till plattformen", &self.report),
            ("få besked direkt", &self.webhook),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_as_people_will_read_it() {
        let mut table = String::new();
        for kind in PlatformKind::ALL {
            let can = of(*kind);
            table.push_str(&format!("# {}\n", kind.label()));
            for (verb, offer) in can.rows() {
                table.push_str(&format!("{verb}: {}\n", offer.words()));
            }
            table.push_str(&format!("döljer: {}\n", can.hide_effect));
            table.push_str(&format!("tar bort: {}\n", can.delete_effect));
            table.push_str(&format!(
                "ändringar {:?}, borttaget {:?}, länkar {:?}, läser om {} åt gången\n",
                can.edits, can.deletes, can.links, can.read_batch
            ));
            table.push_str(&format!("längsta svar {:?}\n", can.longest_reply));
            table.push_str(&format!("lagring: {}\n\n", can.storage_terms));
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn what_can_be_hidden_can_be_shown_again_and_says_who_still_sees_it() {
        for kind in PlatformKind::ALL {
            let can = of(*kind);
            assert_eq!(can.hide.is_native(), can.unhide.is_native(), "{kind}");
            assert!(can.hide_effect.ends_with('.') && can.delete_effect.ends_with('.'), "{kind}");
            assert!(can.read_batch >= 1, "{kind}");
        }
    }
}
