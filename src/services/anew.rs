//! Reading anew what was disposed of and still stands at the platform. The duty to remove (*1998:112 5 §*)
//! knows no disposal: whoever is told of it again has to be able to read, seal and remove it.

use crate::domain::ids::CaseId;
use crate::domain::item::LiveReading;
use crate::domain::person::Act;
use crate::platforms::error::PlatformError;
use crate::store::rows::EvidenceState;

use super::intake::address;
use super::{Change, ServiceError, Services, Viewer};

/// What a person does where the platform cannot be read.
const BY_HAND: &str = "Läs det på plattformen, och ta bort det där om det behövs. Lägg in det för hand först, så att det finns ett bevis.";

impl Services {
    /// Reads an item anew whose content was disposed of: it becomes a version of its own, is assessed and
    /// sealed, and can then be removed as any other.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person: nothing was disposed of, or the platform does
    /// not let us read it; [`ServiceError::TryLater`] where it does not answer just now.
    pub async fn read_anew(&self, viewer: &Viewer, case: CaseId) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let refused = |why: String| Err(ServiceError::Refused { why });
        let store = &self.inner.store;
        let row = store.case(case).await?;
        let kept = store.evidence_of(row.version).await?;
        if !kept.is_some_and(|kept| matches!(kept.state, EvidenceState::Disposed { .. })) {
            return refused(
                "Innehållet är inte gallrat, så det behöver inte läsas på nytt.".into(),
            );
        }
        let item = store.item(row.item).await?;
        let Some(served) = self.served(item.account) else {
            return refused(format!("Kontot finns inte längre i inställningarna. {BY_HAND}"));
        };
        let reading = match served.platform.read_live(&address(&item)).await {
            Ok(reading) => reading,
            Err(PlatformError::Gone) => LiveReading::Gone,
            Err(
                error @ (PlatformError::Transient { .. }
                | PlatformError::Throttled { .. }
                | PlatformError::QuotaGone { .. }
                | PlatformError::TokenExpired { .. }),
            ) => {
                tracing::warn!(item.id = %item.id, error = %error, "reading anew waits");
                return refused(
                    "Plattformen svarar inte just nu. Vänta en stund och försök igen.".into(),
                );
            }
            Err(error @ PlatformError::Local { .. }) => {
                tracing::error!(item.id = %item.id, error = %error, "reading anew failed here");
                return refused(error.swedish());
            }
            Err(
                error @ (PlatformError::ReauthNeeded { .. }
                | PlatformError::Forbidden { .. }
                | PlatformError::Refused { .. }
                | PlatformError::Contract { .. }
                | PlatformError::NotOffered { .. }),
            ) => {
                tracing::warn!(item.id = %item.id, error = %error, "reading anew failed");
                return refused(format!("Plattformen lämnade inte ut inlägget. {BY_HAND}"));
            }
        };
        let now = self.inner.clock.now();
        match reading {
            LiveReading::Present(fetched) => {
                let line = viewer.line("case.read_anew", format!("case {case}"));
                store.take_in_anew(item.id, *fetched, viewer.user, line, now).await?;
                tracing::info!(case.id = %case, user.id = %viewer.user, "read anew");
                self.inner.wakes.assess.notify_one();
                self.tell(Change::Case(case));
                Ok(())
            }
            LiveReading::Gone => {
                self.take_in_reading(&item, LiveReading::Gone, now).await?;
                refused(
                    "Inlägget finns inte längre på plattformen, så det finns inget att ta bort."
                        .into(),
                )
            }
            LiveReading::NotReadable { .. } => {
                refused(format!("Plattformen låter inte Uppsikt läsa inlägget. {BY_HAND}"))
            }
        }
    }
}
