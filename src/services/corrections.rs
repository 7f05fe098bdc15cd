//! What was wrong and is put right by a person, with a reason that is written down: a diary number,
//! a suspicion. Nothing is wiped out by it; what stood before stays in the history.

use crate::domain::custody::CustodyAct;
use crate::domain::ids::{CaseId, DiaryNumber, RegistrationId};
use crate::domain::person::Act;
use crate::domain::registration::parse_diary_number;
use crate::domain::text::hidden_at;
use crate::store::rows::EvidenceState;
use crate::store::sqlite::lifts::Lift;
use crate::store::sqlite::registrations::NumberCorrection;

use super::{Change, ServiceError, Services, Viewer};

/// What is not a diary number, in words.
pub const NOT_A_NUMBER: &str =
    "Ett diarienummer har 3 till 60 tecken och minst en siffra, till exempel KS 2026/123.";

/// The shortest reason that says anything, in characters.
pub(super) const SHORTEST_REASON: usize = 5;
/// The longest: more is a document, not a reason.
const LONGEST_REASON: usize = 2_000;

/// A written reason, or what is wrong with it.
pub(super) fn reason(typed: &str) -> Result<String, ServiceError> {
    let refused = |why: &str| Err(ServiceError::Refused { why: why.into() });
    let reason = typed.replace("\r\n", "\n").trim().to_owned();
    let length = reason.chars().count();
    if length < SHORTEST_REASON {
        return refused("Skriv skälet med några ord. Det sparas i historiken.");
    }
    if length > LONGEST_REASON {
        return refused("Skälet är för långt: högst 2 000 tecken får plats.");
    }
    let unreadable = reason.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    if unreadable || !hidden_at(&reason).is_empty() {
        return refused("Skälet innehåller tecken som inte går att visa. Skriv om det för hand.");
    }
    Ok(reason)
}

/// A text of a form that may be short or empty, readable as it is. `what` begins the refusal.
pub(super) fn words(typed: &str, what: &str) -> Result<String, ServiceError> {
    let text = typed.replace("\r\n", "\n").trim().to_owned();
    let unreadable = text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    if text.chars().count() > LONGEST_REASON || unreadable || !hidden_at(&text).is_empty() {
        // Whatever word it is about, masculine or neuter.
        let why = format!(
            "{what} kan inte sparas: texten är för lång eller innehåller tecken som inte går att visa."
        );
        return Err(ServiceError::Refused { why });
    }
    Ok(text)
}

impl Services {
    /// Puts a diary number right. The old one stays in the history with the reason.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn correct_diary_number(
        &self,
        viewer: &Viewer,
        registration: RegistrationId,
        number: &str,
        why: &str,
    ) -> Result<DiaryNumber, ServiceError> {
        viewer.demand(Act::EnterDiaryNumber)?;
        let number = parse_diary_number(number)
            .map_err(|_| ServiceError::Refused { why: NOT_A_NUMBER.into() })?;
        let reason = reason(why)?;
        let line =
            viewer.line("case.diary_number_corrected", format!("registration {registration}"));
        let correction =
            NumberCorrection { registration, number: number.clone(), user: viewer.user, reason };
        let now = self.inner.clock.now();
        let case = self.inner.store.correct_diary_number(correction, line, now).await?;
        self.note_log().await;
        self.tell(Change::Case(case));
        Ok(number)
    }

    /// Lifts the bar on copying what a case is about, where the suspicion was wrong. What was sealed
    /// as metadata alone is captured in full by the next capture.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for all roles but the one that answers for the account;
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn lift_copy_bar(
        &self,
        viewer: &Viewer,
        case: CaseId,
        why: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::LiftCopyBar)?;
        self.demand_open(viewer, case).await?;
        let reason = reason(why)?;
        let store = &self.inner.store;
        let version = store.item(store.case(case).await?.item).await?.current_version;
        let recapture = match store.evidence_of(version).await? {
            Some(row) if matches!(row.state, EvidenceState::Sealed { .. }) => {
                let manifest = self.inner.evidence.manifest(&row).await;
                let manifest =
                    manifest.map_err(|e| ServiceError::broken("reading of evidence", e))?;
                manifest.parts.is_empty().then_some(version)
            }
            // Still to be taken, and then in full; or disposed of.
            Some(_) | None => None,
        };
        let line = viewer.line(CustodyAct::LiftBar.id(), format!("case {case}"));
        let lift = Lift { case, user: viewer.user, reason, recapture };
        store.lift_copy_bar(lift, line, self.inner.clock.now()).await?;
        self.note_log().await;
        tracing::warn!(case.id = %case, user.id = %viewer.user, "the bar on copying was lifted by a person");
        self.inner.wakes.capture.notify_one();
        self.tell(Change::Case(case));
        Ok(())
    }
}
