//! What can be done with an item on its platform, in words for people.

use jiff::{SignedDuration, Timestamp};

use crate::domain::calendar::local;
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
    /// Report to the platform.
    pub report: Offered,
    /// Who still sees a hidden item, in Swedish.
    pub hide_effect: String,
    /// What deleting does, in Swedish.
    pub delete_effect: String,
    /// Longest answer to a comment and its unit.
    pub longest_reply: Option<(u32, &'static str)>,
    /// Longest answer to a message and its unit.
    pub longest_message: Option<(u32, &'static str)>,
    /// How long after a person's last message they can be answered, where the platform ends it.
    pub answers_messages_for: Option<SignedDuration>,
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
            report: Offered::of(&capabilities.report),
            hide_effect: capabilities.hide_effect.to_string(),
            delete_effect: capabilities.delete_effect.to_string(),
            longest_reply: capabilities.longest_reply.map(limit),
            longest_message: capabilities.longest_message.map(limit),
            answers_messages_for: capabilities.answers_messages_for,
            rows: capabilities.rows().map(|(what, offer)| (what, Offered::of(offer))).to_vec(),
            storage_terms: capabilities.storage_terms,
        }
    }

    /// Until when a private message of that time can be answered, in Swedish, where the platform ends it. A newer one of
    /// the same person's moves it.
    pub fn answered_until(
        &self,
        kind: ItemKind,
        written: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<String> {
        let within = self.answers_messages_for.filter(|_| kind == ItemKind::DirectMessage)?;
        let until = written?.checked_add(within).ok()?;
        let when = local(until).strftime("%-d/%-m kl. %H.%M");
        Some(if now < until {
            format!("Räknat från det här meddelandet tar plattformen emot svar till {when}.")
        } else {
            format!(
                "Räknat från det här meddelandet tog plattformen emot svar till {when}. Har personen skrivit igen går det längre; annars svarar du i kontots inkorg på plattformen."
            )
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::PlatformKind;
    use crate::platforms::capability;

    #[test]
    fn a_message_says_until_when_it_can_be_answered() {
        let mut can = capability::of(PlatformKind::Facebook);
        can.answers_messages_for = Some(SignedDuration::from_hours(24));
        let offers = Offers::of(&can);
        let written: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let told = |hours| {
            let now = written + SignedDuration::from_hours(hours);
            offers.answered_until(ItemKind::DirectMessage, Some(written), now)
        };
        assert_eq!(
            told(1).unwrap(),
            "Räknat från det här meddelandet tar plattformen emot svar till 22/11 kl. 13.00."
        );
        assert!(told(25).unwrap().contains("inkorg"));
        assert_eq!(offers.answered_until(ItemKind::Comment, Some(written), written), None);
        assert_eq!(offers.answered_until(ItemKind::DirectMessage, None, written), None);
    }
}
