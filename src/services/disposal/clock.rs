//! Whether the clock can be trusted with what cannot be undone: a clock that goes ahead makes everything due, and
//! what was written meanwhile tells, once it is set right.

use jiff::{SignedDuration, Timestamp};

use crate::domain::calendar::local;
use crate::services::ServiceError;
use crate::store::Store;

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

/// Refuses while the clock is in doubt.
///
/// # Errors
/// [`ServiceError::Refused`] with words for the person.
pub async fn trusted(store: &Store, now: Timestamp) -> Result<(), ServiceError> {
    match doubt(now, store.last_entry_at().await?) {
        Some(why) => Err(ServiceError::Refused { why }),
        None => Ok(()),
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
