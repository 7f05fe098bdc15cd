//! What somebody had filled in when a decision was refused, kept for their session alone.
//!
//! Without a script the refused form is the answer to a POST, and going back from it asks for the
//! case's page anew: what was written would be gone. So that page shows it again, until a decision
//! is made, the person lets it go, or a while has passed. It lives in memory and nowhere else.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::{CaseId, ContentHash, UserId};

use super::view::decision::{Again, Filled};

/// How long it is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(2);
/// How many, over all sessions: the oldest goes first.
const MOST: usize = 200;

/// How many sessions it is known of whose they are: those that were used last.
const SESSIONS: usize = 500;

/// Refused decisions by session and case.
#[derive(Default)]
pub struct Drafts {
    held: Mutex<HashMap<(ContentHash, CaseId), Draft>>,
    /// Whose sessions are, also for a while after they have ended: what is sent then is kept for that person.
    owners: Mutex<HashMap<ContentHash, (UserId, Timestamp)>>,
}

struct Draft {
    filled: Filled,
    /// Why it was refused; nothing where it was never sent as a decision.
    why: Option<String>,
    at: Timestamp,
}

impl Drafts {
    fn held(&self) -> MutexGuard<'_, HashMap<(ContentHash, CaseId), Draft>> {
        // Short sections that cannot leave anything half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whose a session is that is used.
    pub fn used(&self, token: &str, user: UserId, now: Timestamp) {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let key = ContentHash::of(token.as_bytes());
        if owners.len() >= SESSIONS && !owners.contains_key(&key) {
            let oldest = owners.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| *key);
            oldest.and_then(|oldest| owners.remove(&oldest));
        }
        owners.insert(key, (user, now));
    }

    /// Whose a session is or was; nothing of one that this program has not seen.
    pub fn owner(&self, token: &str) -> Option<UserId> {
        let owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.get(&ContentHash::of(token.as_bytes())).map(|(user, _)| *user)
    }

    /// Gives what the session before had to the one that its person has opened. Somebody else gets nothing of it.
    pub fn hand_over(&self, old: &str, new: &str, user: UserId) {
        if self.owner(old) != Some(user) {
            return self.drop_all(old);
        }
        let [old, new] = [old, new].map(|token| ContentHash::of(token.as_bytes()));
        let mut held = self.held();
        let cases: Vec<_> = held.keys().filter(|key| key.0 == old).map(|key| key.1).collect();
        for case in cases {
            if let Some(draft) = held.remove(&(old, case)) {
                held.insert((new, case), draft);
            }
        }
    }

    /// Keeps what was filled in, and why it was refused where it was.
    pub fn keep(&self, token: &str, case: CaseId, again: &Again, now: Timestamp) {
        let filled = again.filled().clone();
        let why = match again {
            Again::Refused(_, why) => Some(why.clone()),
            Again::Asked(_) | Again::Kept(_) => None,
        };
        let mut held = self.held();
        held.retain(|_, draft| now.duration_since(draft.at) < KEPT);
        let key = (ContentHash::of(token.as_bytes()), case);
        if held.len() >= MOST && !held.contains_key(&key) {
            let oldest = held.iter().min_by_key(|(_, draft)| draft.at).map(|(key, _)| *key);
            oldest.and_then(|oldest| held.remove(&oldest));
        }
        held.insert(key, Draft { filled, why, at: now });
    }

    /// What was kept for this session and case, in words for its page.
    pub fn of(&self, token: &str, case: CaseId, now: Timestamp) -> Option<Again> {
        let held = self.held();
        let draft = held.get(&(ContentHash::of(token.as_bytes()), case))?;
        let fresh = now.duration_since(draft.at) < KEPT;
        fresh.then(|| match &draft.why {
            Some(why) => {
                let words = format!("{why} Det du hade fyllt i står kvar.");
                Again::Refused(draft.filled.clone(), words)
            }
            None => Again::Kept(draft.filled.clone()),
        })
    }

    /// Lets it go.
    pub fn drop_one(&self, token: &str, case: CaseId) {
        self.held().remove(&(ContentHash::of(token.as_bytes()), case));
    }

    /// Lets go of all that a session had.
    pub fn drop_all(&self, token: &str) {
        let token = ContentHash::of(token.as_bytes());
        self.held().retain(|(owner, _), _| *owner != token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn note(text: &str) -> Again {
        let filled = Filled { note: text.into(), ..Filled::default() };
        Again::Refused(filled, "Välj.".into())
    }

    #[test]
    fn a_draft_is_its_sessions_own_and_is_let_go() {
        let drafts = Drafts::default();
        drafts.keep("a", CaseId(1), &note("ring"), at(0));
        let Some(Again::Refused(filled, words)) = drafts.of("a", CaseId(1), at(1)) else {
            panic!("it was refused");
        };
        assert_eq!(filled.note, "ring");
        assert_eq!(words, "Välj. Det du hade fyllt i står kvar.");
        drafts.keep("a", CaseId(3), &Again::Asked(filled.clone()), at(0));
        assert_eq!(
            drafts.of("a", CaseId(3), at(1)),
            Some(Again::Kept(filled)),
            "nothing is told of a refusal"
        );
        assert!(drafts.of("b", CaseId(1), at(1)).is_none(), "another session");
        assert!(drafts.of("a", CaseId(2), at(1)).is_none(), "another case");
        assert!(drafts.of("a", CaseId(1), at(121)).is_none(), "too old");
        drafts.drop_one("a", CaseId(1));
        assert!(drafts.of("a", CaseId(1), at(1)).is_none());
        drafts.keep("a", CaseId(1), &note("x"), at(0));
        drafts.keep("b", CaseId(1), &note("y"), at(0));
        drafts.drop_all("a");
        assert!(drafts.of("a", CaseId(1), at(1)).is_none());
        assert_eq!(drafts.of("b", CaseId(1), at(1)).unwrap().filled().note, "y");
    }

    #[test]
    fn what_was_sent_too_late_waits_for_its_writer_alone() {
        for (user, kept) in [(UserId(1), true), (UserId(2), false)] {
            let drafts = Drafts::default();
            drafts.used("a", UserId(1), at(0));
            assert_eq!(drafts.owner("okänd"), None);
            drafts.keep("a", CaseId(1), &note("ring"), at(0));
            drafts.hand_over("a", "b", user);
            assert_eq!(drafts.of("b", CaseId(1), at(1)).is_some(), kept);
            assert!(drafts.of("a", CaseId(1), at(1)).is_none());
        }
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let drafts = Drafts::default();
        for n in 0..300 {
            drafts.keep("a", CaseId(n), &note("x"), at(n / 100));
        }
        assert_eq!(drafts.held().len(), MOST);
        assert!(drafts.of("a", CaseId(299), at(3)).is_some(), "the newest stays");
    }
}
