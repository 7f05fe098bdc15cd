//! Whether the clock can be trusted with what cannot be undone: a clock that goes ahead makes everything due, and
//! what was written meanwhile tells, once it is set right.

use jiff::{SignedDuration, Timestamp};

use crate::domain::calendar::local;
use crate::domain::person::Act;
use crate::services::{ServiceError, Services, Viewer};
use crate::store::Store;
use crate::store::sqlite::clock::Jump;

/// So much a clock may go back: machines are set right now and then.
const SET_RIGHT: SignedDuration = SignedDuration::from_mins(5);

/// Why disposal waits, in Swedish; nothing where it need not. `last` is when the log's newest entry was made.
fn doubt(now: Timestamp, last: Option<Timestamp>) -> Option<String> {
    let words = |at: Timestamp| local(at).strftime("%Y-%m-%d kl. %H.%M").to_string();
    let last = last.filter(|last| last.duration_since(now) > SET_RIGHT)?;
    Some(format!(
        "Serverns klocka visar {}, men det senaste som står i loggen är från {}. Någon av dem är fel, så inget gallras. Be den som sköter servern att ställa klockan.",
        words(now),
        words(last)
    ))
}

/// Why disposal waits for somebody who says that the clock is right, in Swedish.
fn gap(jump: Jump) -> String {
    let words = |at: Timestamp| local(at).strftime("%Y-%m-%d kl. %H.%M").to_string();
    format!(
        "Serverns klocka gick från {} till {} utan att Uppsikt kördes däremellan. Antingen stod Uppsikt stilla, eller så har klockan gått fram, och då skulle sådant gallras som ska sparas. Inget gallras förrän någon har intygat att klockan går rätt.",
        words(jump.from),
        words(jump.to)
    )
}

/// Refuses while the clock is in doubt.
///
/// # Errors
/// [`ServiceError::Refused`] with words for the person.
pub async fn trusted(store: &Store, now: Timestamp) -> Result<(), ServiceError> {
    let jump = store.clock_jump(now).await?;
    match doubt(now, store.last_entry_at().await?).or_else(|| jump.map(gap)) {
        Some(why) => Err(ServiceError::Refused { why }),
        None => Ok(()),
    }
}

impl Services {
    /// Notes that the program runs now. By housekeeping.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn note_sign(&self) -> Result<(), ServiceError> {
        Ok(self.inner.store.note_sign(self.inner.clock.now()).await?)
    }

    /// Why disposal waits for somebody who says that the clock is right; nothing where it need not.
    pub(super) async fn clock_in_doubt(&self) -> Result<Option<String>, ServiceError> {
        Ok(self.inner.store.clock_jump(self.inner.clock.now()).await?.map(gap))
    }

    /// A person says that the clock is right: disposal goes on. Audited.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] where nothing is in doubt.
    pub async fn confirm_clock(&self, viewer: &Viewer) -> Result<(), ServiceError> {
        viewer.demand(Act::Dispose)?;
        let line = viewer.line("clock.confirm", "clock");
        self.inner.store.confirm_clock(line, self.inner.clock.now()).await?;
        tracing::warn!(user.id = %viewer.user, "the clock was called right by a person");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disposal_waits_where_the_clock_lies_before_the_log() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2027-01-07T00:00:00Z");
        assert_eq!(doubt(now, None), None);
        assert_eq!(doubt(now, Some(at("2027-01-07T00:04:00Z"))), None);
        let back = doubt(now, Some(at("2027-01-09T00:00:00Z"))).unwrap();
        assert!(back.contains("2027-01-07 kl. 01.00") && back.contains("2027-01-09"), "{back}");
    }
}
