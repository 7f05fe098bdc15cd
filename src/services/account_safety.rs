//! The safety of the authority's accounts: passwords that are changed each year and when somebody leaves, logins in two
//! steps, and accounts that were taken over (Jönköping, lines 271-302; Nässjö, rule 14; T18, T25). The passwords
//! themselves are never known here.

use jiff::civil::Date;

use crate::domain::calendar::{local, stockholm};
use crate::domain::card::Safety;
use crate::domain::deadline::{Clock, due};
use crate::domain::ids::AccountId;
use crate::store::rows::AuditLine;
use crate::store::sqlite::account_safety::SafetyRow;

use super::cards::{refused, sensible};
use super::corrections::{reason, words};
use super::{ServiceError, Services, Viewer};

/// What was noted of one account, as its page shows it.
pub type Noted = SafetyRow;

/// The latest day on which such a thing was.
pub(super) fn latest(noted: &[SafetyRow], account: AccountId, kind: Safety) -> Option<Date> {
    noted.iter().filter(|row| row.account == account && row.kind == kind).map(|row| row.day).max()
}

impl Services {
    pub(super) async fn safety_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<SafetyRow>, ServiceError> {
        let all = self.inner.store.account_safety().await?.into_iter();
        Ok(all.filter(|row| row.account == account).collect())
    }

    /// Notes that a password was changed, that the login has two steps, or that an account was taken over or lost. The
    /// last one is a task at once: it is reported to whoever keeps the authority's information safe, and where
    /// personal data may have come out, to the data protection authority within 72 hours.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing is noted then.
    pub async fn note_safety(
        &self,
        viewer: &Viewer,
        key: &str,
        (kind, day): (Safety, Date),
        note: &str,
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let now = self.inner.clock.now();
        if sensible(day)? > local(now).date() {
            return refused("Dagen ligger framåt. Skriv när det hände.");
        }
        let (note, task) = match kind {
            Safety::Left => return refused("Det noteras av sig självt när någon tas bort."),
            Safety::Password | Safety::TwoSteps => (words(note, "Anteckningen")?, None),
            Safety::Incident => {
                let note = reason(note)?;
                let office = self.policy_of(entry.account.id).office;
                // From the beginning of the day: the hour is not known, and too early does no harm.
                let from = day.to_zoned(stockholm()).map_or(now, |day| day.timestamp());
                let last = local(due(Clock::INCIDENT_72H, from, office));
                let name = &entry.account.name;
                let subject = format!("Kontot {name} är kapat eller förlorat");
                let problem = format!(
                    "Anmäl det genast som en informationssäkerhetsincident till den som har hand om informationssäkerhet och till kommunikationsavdelningen. Byt lösenord, avsluta alla inloggningar på plattformen och kontrollera vem som har åtkomst. Kan personuppgifter ha kommit ut ska Integritetsskyddsmyndigheten få veta det inom 72 timmar, senast {} (dataskyddsförordningen artikel 33). Det här noterades: {note}",
                    last.strftime("%Y-%m-%d kl. %H:%M")
                );
                (note, Some((subject, problem)))
            }
        };
        let what = match note.as_str() {
            "" => format!("{} {day}.", kind.label()),
            note => format!("{} {day}: {note}", kind.label()),
        };
        let line = AuditLine {
            detail: Some(what.clone()),
            ..Self::account_line(viewer, "account.safety", &entry.account)
        };
        let account = entry.account.id;
        let row = SafetyRow { account, kind, day, note, at: now, by: viewer.name.clone() };
        Ok(self.inner.store.note_safety(row, what, task, line).await?)
    }
}
