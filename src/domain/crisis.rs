//! A crisis (*krisläge*): for a time everything is read more often, looked at more often, and told to everybody
//! (Jönköping, lines 408-420; Finspång, lines 187, 245; T14).

use jiff::Timestamp;

use super::ids::{AccountId, UserId};

/// A crisis on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crisis {
    /// Its row.
    pub id: i64,
    /// What happened, in the words of whoever began it.
    pub why: String,
    /// When it began.
    pub began_at: Timestamp,
    /// Who began it.
    pub began_by: String,
    /// When it ends by itself.
    pub until: Timestamp,
    /// When it ended, and by whom; by nobody where it ended by itself.
    pub ended: Option<(Timestamp, Option<String>)>,
    /// For which accounts; none: all of them.
    pub accounts: Vec<AccountId>,
    /// Who is told beside the accounts' own people.
    pub people: Vec<UserId>,
}

impl Crisis {
    /// Whether it is for an account.
    pub fn covers(&self, account: AccountId) -> bool {
        self.accounts.is_empty() || self.accounts.contains(&account)
    }

    /// Whether it stands at a moment. It is over at the very moment until which it was to last, also where
    /// nobody has written that down yet.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.until
    }

    /// From when until when it stood, as far as is known.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        (self.began_at, self.ended.as_ref().map_or(self.until, |(at, _)| *at))
    }
}
