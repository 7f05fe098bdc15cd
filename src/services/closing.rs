//! Closing an account of the register: announced, its steps done one by one, closed, or taken back.

use jiff::civil::Date;

use crate::domain::calendar::local;
use crate::domain::card::{ClosingStep, hinders_closing};
use crate::store::rows::AuditLine;

use super::cards::{refused, sensible};
use super::corrections::{reason, words};
use super::{ServiceError, Services, Viewer};

impl Services {
    /// Begins to close an account (T23): from when it is told on the account, why, and where people turn
    /// instead.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn announce_closing(
        &self,
        viewer: &Viewer,
        key: &str,
        announced: Date,
        (why, elsewhere): (&str, &str),
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let words = (reason(why)?, words(elsewhere, "Hänvisningen")?);
        let line = AuditLine {
            detail: Some(format!("Kontot ska stängas: {}", words.0)),
            ..Self::account_line(viewer, "account.closing", &entry.account)
        };
        let now = self.inner.clock.now();
        sensible(announced)?;
        if announced > local(now).date() {
            return refused("Dagen ligger framåt. Skriv när det ställdes ut på kontot.");
        }
        // Earlier nobody here could have seen that it was told, and the time until it may close counts from then.
        if announced < entry.known.since {
            return refused(format!(
                "Kontot finns här sedan {}. Beskedet kan inte räknas från en tidigare dag.",
                entry.known.since
            ));
        }
        let store = &self.inner.store;
        store.announce_closing(entry.account.id, announced, words, line, now).await?;
        self.want_closing_run(&entry, now).await
    }

    /// Notes that a step before the closing is done (R24).
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where the account does not close.
    pub async fn note_closing_step(
        &self,
        viewer: &Viewer,
        key: &str,
        step: ClosingStep,
        note: &str,
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let note = words(note, "Anteckningen")?;
        let line = AuditLine {
            detail: Some(match note.as_str() {
                "" => step.id().to_owned(),
                note => format!("{}: {note}", step.id()),
            }),
            ..Self::account_line(viewer, "account.closing_step", &entry.account)
        };
        let now = self.inner.clock.now();
        Ok(self.inner.store.note_closing_step(entry.account.id, step, note, line, now).await?)
    }

    /// Closes an account: it is read no more, and all its cases stay.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where a step is missing or the time is not over.
    pub async fn close_account(&self, viewer: &Viewer, key: &str) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let now = self.inner.clock.now();
        let Some(closing) = &entry.closing else {
            return refused("Kontot är inte på väg att stängas.");
        };
        let done: Vec<_> = closing.steps.iter().map(|(step, ..)| *step).collect();
        let duties = &self.policy_of(entry.account.id).duties;
        if let Some(why) = hinders_closing(duties, closing.announced, &done, local(now).date()) {
            return refused(why);
        }
        let line = Self::account_line(viewer, "account.closed", &entry.account);
        Ok(self.inner.store.close_account(entry.account.id, line, now).await?)
    }

    /// Takes a closing back.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where there is none.
    pub async fn withdraw_closing(
        &self,
        viewer: &Viewer,
        key: &str,
        why: &str,
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let why = reason(why)?;
        let line = AuditLine {
            detail: Some(format!("Kontot ska inte stängas: {why}")),
            ..Self::account_line(viewer, "account.closing_withdrawn", &entry.account)
        };
        let now = self.inner.clock.now();
        self.inner.store.withdraw_closing(entry.account.id, why, line, now).await?;
        self.inner.wakes.intake.notify_one();
        Ok(())
    }
}
