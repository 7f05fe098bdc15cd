//! How long one look-up that fails holds up the reading around it: a thread that a platform never
//! gives must not keep an account from being read at all, and one that it does not give just now
//! must not be passed over.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::item::Batch;
use crate::platforms::error::PlatformError;
use crate::platforms::held;
use crate::platforms::threads::Threads;

/// After so many failures in a row that might have passed, the reading goes on without the answer.
/// Each failure before ends the step, and intake waits the longer the more there were.
const MOST_FAILURES: u32 = 5;

/// Look-ups remembered before they are forgotten all at once.
const MOST_REMEMBERED: usize = 10_000;

/// The look-ups of one account that failed, and how often in a row. In memory only: a restart
/// asks anew.
#[derive(Debug, Default)]
pub struct Patience(Mutex<HashMap<String, u32>>);

impl Patience {
    /// The answer to a look-up; `None` where the reading goes on without it. `what` names the
    /// thing looked up, never its content.
    ///
    /// # Errors
    /// What concerns the whole account, and what may pass and has not been met too often.
    pub fn answer<T>(
        &self,
        what: &str,
        looked: Result<T, PlatformError>,
    ) -> Result<Option<T>, PlatformError> {
        let error = match looked {
            Ok(found) => {
                held(&self.0).remove(what);
                return Ok(Some(found));
            }
            Err(error) => error,
        };
        if error.concerns_the_account() {
            return Err(error);
        }
        if error.may_pass() {
            let mut failures = held(&self.0);
            if failures.len() >= MOST_REMEMBERED {
                failures.clear();
            }
            let n = failures.entry(what.to_owned()).or_default();
            *n = n.saturating_add(1);
            if *n < MOST_FAILURES {
                return Err(error);
            }
        }
        tracing::warn!(what, error = %error, "a look-up fails and is passed over");
        Ok(None)
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
        let looked = match looked {
            Ok(found) => Ok(Some(found)),
            Err(PlatformError::Gone) => Ok(None),
            Err(error) => Err(error),
        };
        let found = self.answer(id, looked)?;
        match &found {
            Some(Some(_)) => {}
            Some(None) => threads.remove(id),
            None => {
                batch.gap.get_or_insert_with(unread);
            }
        }
        Ok(found.flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transient() -> Result<(), PlatformError> {
        Err(PlatformError::Transient { detail: "x".into(), may_have_acted: false, retry_at: None })
    }

    #[test]
    fn what_may_pass_is_waited_for_and_what_will_not_is_passed_over() {
        let patience = Patience::default();
        for _ in 1..MOST_FAILURES {
            assert!(patience.answer("a", transient()).is_err());
        }
        assert_eq!(patience.answer("a", transient()), Ok(None));
        assert_eq!(patience.answer("a", transient()), Ok(None), "and stays so");
        assert!(patience.answer("b", transient()).is_err(), "each has its own count");
        assert_eq!(patience.answer("a", Ok(())), Ok(Some(())));
        assert!(patience.answer("a", transient()).is_err(), "an answer begins the count anew");
        let refused = PlatformError::Forbidden { what: "x".into() };
        assert_eq!(patience.answer::<()>("c", Err(refused)), Ok(None));
        let dead = PlatformError::ReauthNeeded { detail: "x".into() };
        for _ in 0..=MOST_FAILURES {
            assert_eq!(patience.answer::<()>("d", Err(dead.clone())), Err(dead.clone()));
        }
    }
}
