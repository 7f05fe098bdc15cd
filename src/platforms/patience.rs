//! How long look-ups that fail hold up the reading around them: a thread that a platform never gives
//! must not keep an account from being read, and nothing that it does not give just now is passed over
//! for good. Strangers decide how many such threads there are, so what is counted is the platform's
//! answers and not the threads: one that answers others is well, and what it does not give is passed
//! over at once; one that answers nothing is waited for, a few times.

use std::sync::Mutex;

use crate::domain::ids::ContentHash;
use crate::domain::item::Batch;
use crate::platforms::error::PlatformError;
use crate::platforms::held;
use crate::platforms::threads::Threads;

/// So many failures in a row, after an answer, are those of the things looked up and not of the platform.
const PASSED_AT_ONCE: u32 = 5;

/// So many failures at most end a step each; intake waits the longer the more there were.
const MOST_HELD: u32 = 8;

/// So many answers give one of those back.
const REGAINED_BY: u32 = 100;

/// How the look-ups of one account went. In memory only: a restart begins without.
#[derive(Debug)]
pub struct Patience(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Failures since the last answer.
    in_a_row: u32,
    /// How many more may end a step.
    left: u32,
    /// Answers since one was given back.
    answered: u32,
}

/// What came of asking for a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<T> {
    There(T),
    /// It went away between the listing and now.
    Gone,
    /// The platform does not give it, which stands in the gap; it is to be asked for again.
    NotGiven,
}

impl Default for Patience {
    fn default() -> Self {
        // Nothing is known of the platform yet.
        Self(Mutex::new(State { in_a_row: PASSED_AT_ONCE, left: MOST_HELD, answered: 0 }))
    }
}

impl Patience {
    /// The answer to a look-up; `None` where the reading goes on without it. `what` names the
    /// thing looked up, never its content.
    ///
    /// # Errors
    /// What concerns the whole account, and what may pass while the platform seems to be ill.
    pub fn answer<T>(
        &self,
        what: &str,
        looked: Result<T, PlatformError>,
    ) -> Result<Option<T>, PlatformError> {
        let mut state = held(&self.0);
        let error = match looked {
            Ok(found) => {
                state.in_a_row = 0;
                state.answered += 1;
                if state.answered >= REGAINED_BY {
                    (state.answered, state.left) = (0, MOST_HELD.min(state.left + 1));
                }
                return Ok(Some(found));
            }
            Err(error) => error,
        };
        if error.concerns_the_account() {
            return Err(error);
        }
        if error.may_pass() {
            state.in_a_row = state.in_a_row.saturating_add(1);
            if state.in_a_row > PASSED_AT_ONCE && state.left > 0 {
                state.left -= 1;
                return Err(error);
            }
        }
        // What is looked up may be somebody's post, whose address names its author.
        let what = &ContentHash::of(what.as_bytes()).to_hex()[..12];
        tracing::warn!(what, error = %error, "a look-up fails and is passed over");
        Ok(None)
    }

    /// A part of a walk: what stands in a conversation, or below a comment. What the platform does not
    /// give leaves a gap, which `unread` names in Swedish, and the walk goes on.
    ///
    /// # Errors
    /// As [`Patience::answer`].
    pub fn part<T>(
        &self,
        id: &str,
        looked: Result<T, PlatformError>,
        batch: &mut Batch,
        unread: impl FnOnce() -> String,
    ) -> Result<Part<T>, PlatformError> {
        let looked = match looked {
            Ok(found) => Ok(Part::There(found)),
            Err(PlatformError::Gone) => Ok(Part::Gone),
            Err(error) => Err(error),
        };
        Ok(self.answer(id, looked)?.unwrap_or_else(|| {
            batch.gap.get_or_insert_with(unread);
            Part::NotGiven
        }))
    }

    /// The same of what is the account's own: where nothing but refusals come, a right is missing.
    ///
    /// # Errors
    /// As [`Patience::answer`], and a missing right.
    pub fn own_part<T>(
        &self,
        id: &str,
        looked: Result<T, PlatformError>,
        batch: &mut Batch,
        unread: impl FnOnce() -> String,
    ) -> Result<Part<T>, PlatformError> {
        if let Err(error @ PlatformError::Forbidden { .. }) = &looked {
            let mut state = held(&self.0);
            state.in_a_row = state.in_a_row.saturating_add(1);
            if state.in_a_row > PASSED_AT_ONCE {
                return Err(error.clone());
            }
        }
        self.part(id, looked, batch, unread)
    }

    /// A thread that was to be opened, where it was to be had. One that is gone is forgotten. One
    /// that the platform does not give leaves a gap, which `unread` names in Swedish, and does not
    /// count as opened, so that the next walk asks again.
    ///
    /// # Errors
    /// As [`Patience::answer`].
    pub fn open<T>(
        &self,
        id: &str,
        looked: Result<T, PlatformError>,
        threads: &mut Threads,
        batch: &mut Batch,
        unread: impl FnOnce() -> String,
    ) -> Result<Option<T>, PlatformError> {
        Ok(match self.part(id, looked, batch, unread)? {
            Part::There(found) => Some(found),
            Part::Gone => {
                threads.remove(id);
                None
            }
            Part::NotGiven => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transient() -> Result<(), PlatformError> {
        Err(PlatformError::Transient { detail: "x".into(), may_have_acted: false, retry_at: None })
    }

    #[test]
    fn an_ill_platform_is_waited_for_and_one_that_answers_others_is_not() {
        let patience = Patience::default();
        for n in 0..MOST_HELD {
            assert!(patience.answer(&format!("a{n}"), transient()).is_err(), "{n}");
        }
        assert_eq!(patience.answer("b", transient()), Ok(None), "not for ever");
        assert_eq!(patience.answer("c", Ok(())), Ok(Some(())));
        for n in 0..1_000 {
            // Whatever strangers put in its way, as long as it answers.
            assert_eq!(patience.answer(&format!("d{n}"), transient()), Ok(None), "{n}");
            assert_eq!(patience.answer("c", Ok(())), Ok(Some(())));
        }
        for n in 0..PASSED_AT_ONCE {
            assert_eq!(patience.answer(&format!("e{n}"), transient()), Ok(None));
        }
        assert!(patience.answer("f", transient()).is_err(), "it has fallen ill meanwhile");
    }

    #[test]
    fn a_refusal_of_our_own_is_passed_over_where_others_are_given() {
        let (patience, mut batch) = (Patience::default(), Batch::default());
        let mut look = |looked: Result<(), PlatformError>| {
            patience.own_part("a", looked, &mut batch, || "lucka".into())
        };
        let refused = || Err(PlatformError::Forbidden { what: "x".into() });
        assert!(look(refused()).is_err(), "nothing was ever given: a right is missing");
        assert_eq!(look(Ok(())), Ok(Part::There(())));
        for n in 0..PASSED_AT_ONCE {
            assert_eq!(look(refused()), Ok(Part::NotGiven), "{n}");
        }
        assert!(look(refused()).is_err(), "nothing is given any more");
        assert_eq!(look(Err(PlatformError::Gone)), Ok(Part::Gone));
        assert_eq!(batch.gap.as_deref(), Some("lucka"));
    }

    #[test]
    fn what_will_not_pass_is_passed_over_and_what_concerns_the_account_is_told() {
        let patience = Patience::default();
        let refused = PlatformError::Forbidden { what: "x".into() };
        assert_eq!(patience.answer::<()>("a", Err(refused)), Ok(None));
        let dead = PlatformError::ReauthNeeded { detail: "x".into() };
        for _ in 0..=MOST_HELD {
            assert_eq!(patience.answer::<()>("b", Err(dead.clone())), Err(dead.clone()));
        }
    }
}
