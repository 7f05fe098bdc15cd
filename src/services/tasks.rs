//! Tasks: what was decided and what the platform lets nobody but a person on it do.
//!
//! A task is an action like any other: decided, undone within its time, sealed before it removes
//! anything, and ended on the record. Only that a person does it, and says so.

use jiff::Timestamp;

use crate::domain::action::ActionKind;
use crate::domain::ids::{ActionId, CaseId};
use crate::domain::item::{Permalink, Presence};
use crate::domain::person::Act;
use crate::store::rows::{ActionRow, EvidenceState};
use crate::store::sqlite::tasks::TaskEnd;

use super::corrections::reason;
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
    /// Where it is to be done; nothing where the item may not be looked at.
    pub permalink: Option<Permalink>,
    /// What to publish, where it is an answer.
    pub text: Option<String>,
    /// Who decided it, and when.
    pub decided: Option<(String, Timestamp)>,
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
            tasks.push(Task {
                action: row.id,
                kind: row.kind,
                line: self.queue_line(viewer, row.case).await?,
                permalink: item.permalink.filter(|_| !item.no_copy),
                // The authority's own words; who may not read sealed texts gets them masked too.
                text: row.text.map(|text| self.shown_to(viewer, text)),
                decided: decision.map(|decision| (decision.by, decision.at)),
            });
        }
        Ok(tasks)
    }

    /// How many tasks wait.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn n_tasks(&self, viewer: &Viewer) -> Result<u64, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(self.inner.store.n_tasks().await?)
    }

    pub(super) fn shown_to(&self, viewer: &Viewer, text: String) -> String {
        match viewer.may(Act::ReadEvidence) {
            true => text,
            false => self.inner.classifier.masked(&text).into_owned(),
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
        if row.kind.removes() {
            self.sealed_for_task(&row).await?;
        }
        let now = self.inner.clock.now();
        let words = format!("{} har gjort det på plattformen.", viewer.name);
        let end = TaskEnd::Done { words };
        self.end_task(viewer, &row, end, "task.done").await?;
        let presence = match row.kind {
            ActionKind::Hide => Some(Presence::Hidden),
            ActionKind::Unhide => Some(Presence::Visible),
            ActionKind::Delete => Some(Presence::Gone),
            ActionKind::Reply | ActionKind::Report | ActionKind::Register | ActionKind::Forward => {
                None
            }
        };
        if let Some(presence) = presence {
            self.inner.store.record_presence(row.item, presence, now).await?;
        }
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
