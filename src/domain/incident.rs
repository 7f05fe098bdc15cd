//! An account of the authority's that was taken over by somebody or lost (*informationssäkerhetsincident*; Jönköping, lines
//! 294-302; T25): what has to be done, step by step, each with its time.

use jiff::Timestamp;
use jiff::civil::Date;

/// A step after an account was taken over or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IncidentStep {
    /// It was reported as an information security incident: to the service desk or the head of IT.
    Reported,
    /// The communications unit was told.
    Communications,
    /// The authority has the account again, or it is taken down; nobody else is logged in.
    Regained,
    /// The data protection authority was told (GDPR art. 33).
    DataProtection,
    /// It need not be told: with its reason, which is kept (GDPR art. 33.5).
    NoDataProtection,
    /// It is over.
    Over,
}

impl IncidentStep {
    /// All of them, in their order.
    pub const ALL: &[Self] = &[
        Self::Reported,
        Self::Communications,
        Self::Regained,
        Self::DataProtection,
        Self::NoDataProtection,
        Self::Over,
    ];

    /// Identifier in the store and in forms.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Reported => "anmald",
            Self::Communications => "kommunikation",
            Self::Regained => "atertaget",
            Self::DataProtection => "anmald_imy",
            Self::NoDataProtection => "inte_imy",
            Self::Over => "avslutad",
        }
    }

    /// The one with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| step.id() == id)
    }

    /// What was done, in Swedish.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Reported => {
                "Anmält som informationssäkerhetsincident till servicedesk eller it-chef"
            }
            Self::Communications => "Kommunikationsavdelningen har fått veta det",
            Self::Regained => {
                "Kontot är återtaget eller nedtaget, lösenordet är bytt och andra är utloggade"
            }
            Self::DataProtection => "Anmält till Integritetsskyddsmyndigheten",
            Self::NoDataProtection => "Anmäls inte till Integritetsskyddsmyndigheten",
            Self::Over => "Avslutad",
        }
    }
}

/// An incident that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIncident {
    /// The day of it.
    pub since: Date,
    /// By when the data protection authority is told where it has to be: 72 hours after it was known.
    pub tell_by: Timestamp,
    /// What is done.
    pub done: Vec<IncidentStep>,
}

impl OpenIncident {
    /// Whether it was reported inside the authority.
    pub fn is_reported(&self) -> bool {
        self.done.contains(&IncidentStep::Reported)
    }

    /// What is still to be done before it is over.
    pub fn missing(&self) -> Vec<IncidentStep> {
        let done = |step: &IncidentStep| self.done.contains(step);
        let has_answer =
            done(&IncidentStep::DataProtection) || done(&IncidentStep::NoDataProtection);
        let is_missing = |step: &IncidentStep| match step {
            IncidentStep::Reported | IncidentStep::Communications | IncidentStep::Regained => {
                !done(step)
            }
            // One of the two is enough.
            IncidentStep::DataProtection => !has_answer,
            IncidentStep::NoDataProtection | IncidentStep::Over => false,
        };
        IncidentStep::ALL.iter().copied().filter(is_missing).collect()
    }

    /// Why it cannot be ended yet, in Swedish; nothing where it can.
    pub fn hinders_ending(&self) -> Option<String> {
        let missing = self.missing();
        let words: Vec<_> = missing
            .iter()
            .map(|step| match step {
                IncidentStep::DataProtection => {
                    "anmält till Integritetsskyddsmyndigheten, eller skälet till att det inte görs"
                        .to_owned()
                }
                other => other.label().to_lowercase(),
            })
            .collect();
        (!words.is_empty()).then(|| format!("Det här är inte noterat: {}.", words.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::IncidentStep::{
        Communications, DataProtection, NoDataProtection, Regained, Reported,
    };
    use super::*;

    #[test]
    fn t25_an_incident_ends_when_all_was_done_and_the_data_protection_was_settled() {
        let with = |done: &[IncidentStep]| OpenIncident {
            since: jiff::civil::date(2026, 11, 21),
            tell_by: Timestamp::UNIX_EPOCH,
            done: done.to_vec(),
        };
        for (done, missing) in [
            (&[][..], &[Reported, Communications, Regained, DataProtection][..]),
            (&[Reported, Regained], &[Communications, DataProtection]),
            (&[Reported, Communications, Regained], &[DataProtection]),
            (&[Reported, Communications, Regained, DataProtection], &[]),
            (&[Reported, Communications, Regained, NoDataProtection], &[]),
        ] {
            let incident = with(done);
            assert_eq!(incident.missing(), missing, "{done:?}");
            assert_eq!(incident.hinders_ending().is_none(), missing.is_empty(), "{done:?}");
        }
        assert!(
            IncidentStep::ALL.iter().all(|step| IncidentStep::from_id(step.id()) == Some(*step))
        );
    }
}
