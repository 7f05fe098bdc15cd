//! The safety of the authority's accounts: passwords that are changed each year and when somebody leaves, logins in two
//! steps, and accounts that were taken over (Jönköping, lines 271-302; Nässjö, rule 14; T18, T25). The passwords
//! themselves are never known here.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use crate::domain::calendar::{local, stockholm};
use crate::domain::card::Safety;
use crate::domain::deadline::{Clock, due};
use crate::domain::ids::AccountId;
use crate::domain::incident::{IncidentStep, OpenIncident};
use crate::store::rows::AuditLine;
use crate::store::sqlite::account_safety::{IncidentStepRow, SafetyRow};

use super::cards::{refused, sensible};
use super::corrections::{reason, words};
use super::{ServiceError, Services, Viewer};

/// What was noted of one account, as its page shows it.
pub type Noted = SafetyRow;
/// What was noted of an incident, as its page shows it.
pub type StepNoted = IncidentStepRow;

/// The latest day on which such a thing was.
pub(super) fn latest(noted: &[SafetyRow], account: AccountId, kind: Safety) -> Option<Date> {
    noted.iter().filter(|row| row.account == account && row.kind == kind).map(|row| row.day).max()
}

/// When somebody last ceased to work with an account who may still know its password: it was not changed on a later
/// day, and not noted as changed after they had left.
pub(super) fn left_with_the_password(noted: &[SafetyRow], account: AccountId) -> Option<Date> {
    let of = |kind| move |row: &&SafetyRow| row.account == account && row.kind == kind;
    let changed = |left: &SafetyRow| {
        noted.iter().filter(of(Safety::Password)).any(|password| {
            password.day > left.day || (password.day == left.day && password.id > left.id)
        })
    };
    let left = noted.iter().filter(of(Safety::Left)).filter(|left| !changed(left));
    left.map(|left| left.day).max()
}

/// When a thing was done, as it was typed; now where nothing was.
fn moment(typed: &str, now: Timestamp) -> Result<Timestamp, ServiceError> {
    if typed.trim().is_empty() {
        return Ok(now);
    }
    let at = typed.trim().parse::<DateTime>().ok();
    match at.and_then(|at| at.to_zoned(stockholm()).ok()).map(|at| at.timestamp()) {
        None => refused("Skriv tiden som 2026-11-22T14:30."),
        Some(at) if at > now => refused("Tiden ligger framåt. Skriv när det gjordes."),
        Some(at) => Ok(at),
    }
}

impl Services {
    /// By when the data protection authority is told of what happened that day: from its beginning, since the hour is
    /// not known, and too early does no harm.
    fn tell_by(&self, account: AccountId, day: Date, now: Timestamp) -> Timestamp {
        let from = day.to_zoned(stockholm()).map_or(now, |day| day.timestamp());
        due(Clock::INCIDENT_72H, from, self.policy_of(account).office)
    }

    /// The oldest incident of an account that is not over.
    pub(super) fn open_incident(
        &self,
        noted: &[SafetyRow],
        steps: &[IncidentStepRow],
        account: AccountId,
    ) -> Option<OpenIncident> {
        let done = |incident: &SafetyRow| -> Vec<_> {
            steps.iter().filter(|row| row.incident == incident.id).map(|row| row.step).collect()
        };
        let all = noted.iter().filter(|row| row.account == account && row.kind == Safety::Incident);
        let open = all.filter(|row| !done(row).contains(&IncidentStep::Over));
        open.min_by_key(|row| row.id).map(|row| OpenIncident {
            since: row.day,
            tell_by: self.tell_by(account, row.day, row.at),
            done: done(row),
        })
    }

    pub(super) async fn incident_steps_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<IncidentStepRow>, ServiceError> {
        let all = self.inner.store.incident_steps().await?.into_iter();
        Ok(all.filter(|row| row.account == account).collect())
    }

    /// Notes what was done about an account that was taken over or lost, and when (T25). It is over when all was done,
    /// and when it was settled whether the data protection authority is told.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing is noted then.
    pub async fn note_incident_step(
        &self,
        viewer: &Viewer,
        key: &str,
        step: IncidentStep,
        (done_at, note): (&str, &str),
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let now = self.inner.clock.now();
        let noted = self.inner.store.account_safety().await?;
        let steps = self.inner.store.incident_steps().await?;
        let Some(open) = &entry.known.incident else {
            return refused("Det finns ingen incident som inte är avslutad.");
        };
        let over = |row: &SafetyRow| {
            steps.iter().any(|s| s.incident == row.id && s.step == IncidentStep::Over)
        };
        let mine = noted.iter().filter(|row| {
            row.account == entry.account.id && row.kind == Safety::Incident && !over(row)
        });
        let Some(incident) = mine.min_by_key(|row| row.id).map(|row| row.id) else {
            return refused("Det finns ingen incident som inte är avslutad.");
        };
        let done_at = moment(done_at, now)?;
        if local(done_at).date() < open.since {
            return refused(format!(
                "Kontot kapades eller förlorades {}, så det kan inte ha gjorts tidigare.",
                open.since
            ));
        }
        let note = match step {
            IncidentStep::NoDataProtection => reason(note)?,
            IncidentStep::Over => match open.hinders_ending() {
                Some(why) => return refused(why),
                None => words(note, "Anteckningen")?,
            },
            IncidentStep::Reported
            | IncidentStep::Communications
            | IncidentStep::Regained
            | IncidentStep::DataProtection => words(note, "Anteckningen")?,
        };
        let when = local(done_at).strftime("%Y-%m-%d kl. %H:%M").to_string();
        let what = match note.as_str() {
            "" => format!("Incident: {}, {when}.", step.label()),
            note => format!("Incident: {}, {when}: {note}", step.label()),
        };
        let line = AuditLine {
            detail: Some(what.clone()),
            ..Self::account_line(viewer, "account.incident", &entry.account)
        };
        let account = entry.account.id;
        let by = viewer.name.clone();
        let row = IncidentStepRow { account, incident, step, done_at, note, at: now, by };
        Ok(self.inner.store.note_incident_step(row, what, line).await?)
    }

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
                let last = local(self.tell_by(entry.account.id, day, now));
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
        let row = SafetyRow { id: 0, account, kind, day, note, at: now, by: viewer.name.clone() };
        self.inner.store.note_safety(row, what, task, line).await?;
        if kind == Safety::Incident {
            self.inner.amiss.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
