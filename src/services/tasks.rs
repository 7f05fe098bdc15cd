//! Tasks: what was decided and what the platform lets nobody but a person on it do.
//!
//! A task is an action like any other: decided, undone within its time, sealed before it removes
//! anything, and ended on the record. Only that a person does it, and says so.

use jiff::Timestamp;

use crate::domain::action::ActionKind;
use crate::domain::decision::Choice;
use crate::domain::ids::{ActionId, CaseId};
use crate::domain::item::{LiveReading, Permalink, Presence};
use crate::domain::person::Act;
use crate::platforms::error::PlatformError;
use crate::store::rows::{ActionRow, EvidenceState};
use crate::store::sqlite::tasks::TaskEnd;

use super::corrections::reason;
use super::forward::NotByMail;
use super::intake::address;
use super::outbox::{NotInTheDiary, is_removed};
use super::queue::{Line, PAGE};
use super::{Change, ServiceError, Services, Viewer};

/// A task as a person sees it.
#[derive(Clone, Debug)]
pub struct Task {
    /// The action.
    pub action: ActionId,
    /// What is to be done.
    pub kind: ActionKind,
    /// The case as a line of the queue.
    pub line: Line,
    /// Where it is to be done; nothing where the item may not be looked at, or something hinders it.
    pub permalink: Option<Permalink>,
    /// Why a removal is not to be done yet, in Swedish: what was last read there is not sealed, the diary
    /// is to have it first, or the decision may still be undone.
    pub hindered: Option<&'static str>,
    /// What to publish, where it is an answer; to whom and with what words, where it is to be sent on.
    pub text: Option<String>,
    /// Who decided it, and when.
    pub decided: Option<(String, Timestamp)>,
}

/// What a person is to publish, or to send and to whom.
pub(super) fn task_text(row: &ActionRow, choices: &[Choice]) -> Option<String> {
    match row.kind {
        ActionKind::Forward => choices
            .iter()
            .find(|choice| choice.action() == Some(ActionKind::Forward))
            .and_then(Choice::words),
        ActionKind::Hide
        | ActionKind::Unhide
        | ActionKind::Delete
        | ActionKind::Reply
        | ActionKind::Report
        | ActionKind::Register => row.text.clone(),
    }
}

impl Services {
    /// Tasks that wait, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn tasks(&self, viewer: &Viewer) -> Result<Vec<Task>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let mut tasks = Vec::new();
        for row in self.inner.store.tasks(PAGE).await? {
            let item = self.inner.store.item(row.item).await?;
            let decision = self.inner.store.standing_decision(row.case).await?;
            // A way that is shown is gone: not while the decision may still be undone.
            let now = self.inner.clock.now();
            let stands = decision.as_ref().is_none_or(|decision| decision.undo_until <= now);
            let hindered = self.hindered(&row, stands).await?;
            let choices = decision.as_ref().map_or(&[][..], |decision| &decision.choices);
            let text = task_text(&row, choices);
            let is_open = self.is_open_to(viewer, row.case).await?;
            let is_shown = !item.no_copy && hindered.is_none() && is_open;
            tasks.push(Task {
                action: row.id,
                kind: row.kind,
                line: self.queue_line(viewer, row.case).await?,
                permalink: item.permalink.filter(|_| is_shown),
                hindered,
                // The authority's own words; who may not read sealed texts gets them masked too.
                text: text.filter(|_| is_open).map(|text| self.shown_to(viewer, text)),
                decided: decision.map(|decision| (decision.by, decision.at)),
            });
        }
        Ok(tasks)
    }

    /// How many tasks wait, notices that did not come through included: somebody has to tell them in
    /// another way.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn n_tasks(&self, viewer: &Viewer) -> Result<u64, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let store = &self.inner.store;
        let told = store.n_undeliverable().await? + store.n_waiting_reports().await?;
        Ok(store.n_tasks().await? + told)
    }

    pub(super) fn shown_to(&self, viewer: &Viewer, text: String) -> String {
        match viewer.may(Act::ReadEvidence) {
            true => text,
            false => self.classifier().masked(&text).into_owned(),
        }
    }

    /// The person has done it on the platform. Gives the case.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where evidence of what stands there is not sealed and whole: then
    /// nothing may be removed, by hand either.
    pub async fn task_done(
        &self,
        viewer: &Viewer,
        action: ActionId,
    ) -> Result<CaseId, ServiceError> {
        viewer.demand(Act::Decide)?;
        let row = self.inner.store.action(action).await?;
        self.demand_open(viewer, row.case).await?;
        let seen = match row.kind.removes() {
            true => {
                let seen = self.look_for_task(&row).await?;
                self.sealed_for_task(&row).await?;
                seen
            }
            false => None,
        };
        let words = format!("{} har gjort det på plattformen.", viewer.name);
        // What the platform shows goes before what a person says.
        let presence = seen.or(match row.kind {
            ActionKind::Hide => Some(Presence::Hidden),
            ActionKind::Unhide => Some(Presence::Visible),
            ActionKind::Delete => Some(Presence::Gone),
            ActionKind::Reply | ActionKind::Report | ActionKind::Register | ActionKind::Forward => {
                None
            }
        });
        self.end_task(viewer, &row, TaskEnd::Done { words, presence }, "task.done").await?;
        Ok(row.case)
    }

    /// The person could not do it: the case comes back with the reason. Gives the case.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn task_not_done(
        &self,
        viewer: &Viewer,
        action: ActionId,
        why: &str,
    ) -> Result<CaseId, ServiceError> {
        viewer.demand(Act::Decide)?;
        let reason = reason(why)?;
        let row = self.inner.store.action(action).await?;
        self.demand_open(viewer, row.case).await?;
        self.end_task(viewer, &row, TaskEnd::NotDone { reason }, "task.not_done").await?;
        Ok(row.case)
    }

    async fn end_task(
        &self,
        viewer: &Viewer,
        row: &ActionRow,
        end: TaskEnd,
        act: &'static str,
    ) -> Result<(), ServiceError> {
        let line = viewer.line(act, format!("action {}", row.id));
        let now = self.inner.clock.now();
        let ended = self.inner.store.end_task(row.id, viewer.user, end, line, now).await?;
        self.note_log().await;
        tracing::info!(action.id = %row.id, state = ended.state.id(), "a task ended");
        self.inner.wakes.outbox.notify_one();
        self.tell(Change::Case(row.case));
        Ok(())
    }

    /// Reads what stands there now, where the platform lets us: an edit that no poll has seen yet becomes
    /// a version to be sealed, as before any removal of ours. Gives the visibility that was seen.
    async fn look_for_task(&self, row: &ActionRow) -> Result<Option<Presence>, ServiceError> {
        let refused = |why: &str| Err(ServiceError::Refused { why: why.into() });
        if row.state.is_settled() {
            return Ok(None);
        }
        let Some(served) = self.served(row.account) else { return Ok(None) };
        let item = self.inner.store.item(row.item).await?;
        let reading = match served.platform.read_live(&address(&item)).await {
            Ok(reading) => reading,
            Err(PlatformError::Gone) => LiveReading::Gone,
            Err(
                PlatformError::Transient { .. }
                | PlatformError::Throttled { .. }
                | PlatformError::QuotaGone { .. },
            ) => {
                return refused(
                    "Plattformen svarar inte just nu, så Uppsikt kan inte se vad som står där. Vänta en stund och säg till igen.",
                );
            }
            // Nobody but the person can read there.
            Err(
                PlatformError::TokenExpired { .. }
                | PlatformError::ReauthNeeded { .. }
                | PlatformError::Forbidden { .. }
                | PlatformError::Refused { .. }
                | PlatformError::Contract { .. }
                | PlatformError::Local { .. }
                | PlatformError::NotOffered { .. },
            ) => return Ok(None),
        };
        self.take_in_reading(&item, reading.clone(), self.inner.clock.now()).await?;
        match reading {
            LiveReading::Gone => Ok(Some(Presence::Gone)),
            LiveReading::Present(fetched) if is_removed(row.kind, fetched.presence) => {
                Ok(Some(fetched.presence))
            }
            LiveReading::Present(fetched) if fetched.presence == Presence::Visible => refused(
                "Plattformen visar inlägget fortfarande. Vänta en stund och säg till igen, eller säg att det inte gick.",
            ),
            LiveReading::Present(_) | LiveReading::NotReadable { .. } => Ok(None),
        }
    }

    /// Why a person is not to remove it yet, or why it is theirs to send on. `stands`: the decision can be undone no more.
    pub(super) async fn hindered(
        &self,
        row: &ActionRow,
        stands: bool,
    ) -> Result<Option<&'static str>, ServiceError> {
        if row.kind == ActionKind::Forward {
            let why = self.not_by_mail(row.case, row.version).await?;
            return Ok(why.map(NotByMail::task));
        }
        if !row.kind.removes() {
            return Ok(None);
        }
        if !stands {
            return Ok(Some("Beslutet kan fortfarande ångras. Vänta tills den tiden är över."));
        }
        let current = self.inner.store.item(row.item).await?.current_version;
        let sealed = self.inner.store.evidence_of(current).await?;
        if !sealed.is_some_and(|row| matches!(row.state, EvidenceState::Sealed { .. })) {
            return Ok(Some("Beviset för den text som står där nu är inte säkrat än."));
        }
        Ok(self.not_in_the_diary(row, current).await?.map(NotInTheDiary::words))
    }

    /// Refuses where what a person is about to remove, or has removed, is not sealed as it stands.
    async fn sealed_for_task(&self, row: &ActionRow) -> Result<(), ServiceError> {
        let refused = |why: &str| Err(ServiceError::Refused { why: why.into() });
        if row.state.is_settled() {
            return Ok(());
        }
        let store = &self.inner.store;
        let current = store.item(row.item).await?.current_version;
        let sealed = match store.evidence_of(current).await? {
            Some(sealed) if matches!(sealed.state, EvidenceState::Sealed { .. }) => sealed,
            Some(_) | None => {
                store.want_evidence(current, self.inner.clock.now()).await?;
                self.inner.wakes.capture.notify_one();
                return refused(
                    "Beviset för den text som står där nu är inte säkrat än, så uppgiften kan inte avslutas. Vänta tills det står Säkrat vid beviset och försök igen.",
                );
            }
        };
        if self.inner.evidence.intact(&sealed).await.is_err() {
            return refused(
                "Beviset är inte helt: en fil saknas eller har ändrats. Ta inte bort något. Kontakta den som sköter servern.",
            );
        }
        if let Some(hindrance) = self.not_in_the_diary(row, current).await? {
            return refused(hindrance.words());
        }
        if current != row.version {
            store.retarget_removal(row.id, current, sealed.id, self.inner.clock.now()).await?;
            self.tell(Change::Case(row.case));
            return refused(
                "Författaren har ändrat texten efter beslutet. Den nya lydelsen är säkrad: läs den, och avsluta uppgiften om beslutet står fast.",
            );
        }
        Ok(())
    }
}
