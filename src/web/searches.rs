//! What a person searched for, kept for their session under a number that nobody can guess.
//!
//! A search is sent as a form and answered with the address of its results, which names that number alone: the words
//! themselves stand neither in the browser's history nor in the log of a proxy. They live in memory and nowhere else.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::ContentHash;

/// How long one is kept after it was asked for.
const KEPT: SignedDuration = SignedDuration::from_hours(2);
/// How many, over all sessions: the oldest goes first.
const MOST: usize = 1_000;

/// Searches by session and number.
pub struct Searches<T>(Mutex<HashMap<(ContentHash, String), (T, Timestamp)>>);

impl<T> Default for Searches<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Searches<T> {
    fn held(&self) -> MutexGuard<'_, HashMap<(ContentHash, String), (T, Timestamp)>> {
        // Short sections that cannot leave anything half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one, and gives its number.
    ///
    /// # Errors
    /// Where the machine gives no random numbers.
    pub fn keep(&self, token: &str, asked: T, now: Timestamp) -> Result<String, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let number = hex::encode(random);
        let mut held = self.held();
        held.retain(|_, (_, at)| now.duration_since(*at) < KEPT);
        if held.len() >= MOST {
            let oldest = held.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| held.remove(&oldest));
        }
        held.insert((ContentHash::of(token.as_bytes()), number.clone()), (asked, now));
        Ok(number)
    }

    /// What this session searched for under this number.
    pub fn of(&self, token: &str, number: &str, now: Timestamp) -> Option<T> {
        let held = self.held();
        let (asked, at) = held.get(&(ContentHash::of(token.as_bytes()), number.to_owned()))?;
        (now.duration_since(*at) < KEPT).then(|| asked.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_its_sessions_own_for_a_while() {
        let at = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let searches = Searches::default();
        let number = searches.keep("a", "ord", at(0)).unwrap();
        assert_eq!(number.len(), 32);
        assert_eq!(searches.of("a", &number, at(1)), Some("ord"));
        assert_eq!(searches.of("b", &number, at(1)), None, "another session");
        assert_eq!(searches.of("a", "0", at(1)), None);
        assert_eq!(searches.of("a", &number, at(121)), None, "too old");
        for n in 0..1_100 {
            searches.keep("a", "x", at(n / 1_000)).unwrap();
        }
        assert_eq!(searches.held().len(), MOST);
    }
}
