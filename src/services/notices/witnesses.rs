//! Checkpoints of the log by mail to somebody who keeps them: whoever has one can show that the database was rolled
//! back, or rewritten with the key in hand. Once a day, the newest; queued, and tried until the mail server took it.

use jiff::{SignedDuration, Timestamp};

use crate::services::ServiceError;
use crate::store::sqlite::witnesses::WitnessMail;

use super::Notifier;
use super::courier::Undelivered;

/// How often each recipient gets one, at most. A little less than a day, so that it stays at the same hour.
const EVERY: SignedDuration = SignedDuration::from_hours(23);
/// Letters in one round.
const AT_ONCE: u32 = 20;
/// The first wait after one that was not taken; doubled each time.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// The longest.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

fn next(attempts: u32, now: Timestamp) -> Timestamp {
    let wait = FIRST_WAIT.saturating_mul(1 << attempts.min(10)).min(LONGEST_WAIT);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

impl Notifier {
    /// The same, with recipients of checkpoints.
    pub fn witnessed_by(mut self, recipients: Vec<String>) -> Self {
        self.witnesses = recipients;
        self
    }

    /// Queues the newest checkpoint for whoever has had none for a day, and sends what is due.
    ///
    /// # Errors
    /// [`ServiceError`] where the store fails; a letter that was not taken is a row.
    pub async fn send_witnesses(&self) -> Result<(), ServiceError> {
        if self.witnesses.is_empty() {
            return Ok(());
        }
        let services = &self.services.inner;
        let (store, now) = (&services.store, services.clock.now());
        let since = now.saturating_sub(EVERY).unwrap_or(Timestamp::MIN);
        store.queue_witness_mails(self.witnesses.clone(), since, now).await?;
        for mail in store.due_witness_mails(now, AT_ONCE).await? {
            let now = services.clock.now();
            let (subject, text) = self.words(&mail);
            match self.courier.witness(&mail, &subject, &text).await {
                Ok(()) => {
                    tracing::info!(checkpoint.size = mail.size, "a checkpoint was mailed");
                    store.witness_mailed(&mail, Ok(()), now).await?;
                }
                Err(
                    Undelivered::Refused { why }
                    | Undelivered::Later { why }
                    | Undelivered::Away { why },
                ) => {
                    tracing::warn!(checkpoint.size = mail.size, "a checkpoint could not be mailed");
                    let again = next(mail.attempts, now);
                    store.witness_mailed(&mail, Err((why, again)), now).await?;
                }
            }
        }
        Ok(())
    }

    fn words(&self, mail: &WitnessMail) -> (String, String) {
        let authority = self.services.authority();
        let subject =
            format!("Kontrollpunkt över {} poster i bevisloggen hos {authority}", mail.size);
        let text = format!(
            "Spara det här brevet med sin bilaga. Bilagan är ett undertecknat intyg om hur loggen över säkrade bevis såg \
             ut hos {authority} när den hade {} poster. Med den visar kommandot\r\n\r\n    uppsikt evidence verify \
             --witness {}\r\n\r\nom loggen har skrivits om eller rullats tillbaka sedan dess. Bilagan innehåller inga \
             personuppgifter.\r\n\r\nSvara inte på brevet. Det skickas högst en gång om dygnet.\r\n",
            mail.size,
            file_name(mail.size)
        );
        (subject, text)
    }
}

/// The name of what is attached.
pub(super) fn file_name(size: u64) -> String {
    format!("kontrollpunkt-{size}.txt")
}
