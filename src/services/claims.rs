//! Who works on a case, for people: opened, renewed, taken over, let go, and who is told of it.

use jiff::Timestamp;

use crate::domain::claim::{Granted, Wish};
use crate::domain::custody::CustodyAct;
use crate::domain::ids::CaseId;
use crate::domain::person::Act;
use crate::store::error::StoreError;
use crate::store::sqlite::claims::{Asking, Opened};

use super::queue::{ClaimedBy, claimed};
use super::{Change, ServiceError, Services, Viewer};

/// Whether a case is opened by somebody who means to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A person opened it: it is theirs while they are at it, where their role may decide.
    Opens,
    /// A page that stands open reads it anew. A forgotten page takes nothing.
    Follows,
}

/// A case that was taken over from the viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The case.
    pub case: CaseId,
    /// Name of whoever has it now.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Lost {
    /// In words.
    pub fn words(&self) -> String {
        format!("{} har tagit över ärende {} från dig.", self.by, self.case)
    }
}

/// Who has a case now, for an open page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who; nobody where it is free.
    pub claim: Option<ClaimedBy>,
    /// Set where it was taken over from the viewer, who has not seen it on a page yet.
    pub lost: Option<Lost>,
}

impl Services {
    fn asking(&self, viewer: &Viewer, case: CaseId, wish: Wish) -> Asking {
        Asking { case, user: viewer.user, wish, lease: self.inner.settings.claim }
    }

    /// Writes down that a case is opened, and takes it for somebody who means to decide on it.
    pub(super) async fn open(
        &self,
        viewer: &Viewer,
        case: CaseId,
        look: Look,
        detail: Option<String>,
    ) -> Result<(), ServiceError> {
        let mut line = viewer.line(CustodyAct::OpenCase.id(), format!("case {case}"));
        line.detail = detail;
        let asking = (look == Look::Opens && viewer.may(Act::Decide))
            .then(|| self.asking(viewer, case, Wish::Open));
        let now = self.inner.clock.now();
        let Opened { granted, let_go } =
            self.inner.store.open_case(case, asking, line, now).await?;
        for case in let_go {
            self.tell(Change::Claim(case));
        }
        if granted == Some(Granted::Taken) {
            self.tell(Change::Claim(case));
        }
        Ok(())
    }

    /// Renews the lease on a case for somebody who is active on its page, or takes it anew where it has run
    /// out and nobody else has it. `writes`: something is filled in, so that moving on does not let it go.
    /// No step of the history: opening the case was audited.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] with who has it while somebody else does; [`ServiceError::Refused`] where
    /// the case needs nobody any more.
    pub async fn stay(
        &self,
        viewer: &Viewer,
        case: CaseId,
        writes: bool,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let wish = if writes { Wish::Keep } else { Wish::Open };
        let asking = self.asking(viewer, case, wish);
        match self.inner.store.renew_claim(asking, self.inner.clock.now()).await {
            Ok(Granted::Renewed) => Ok(()),
            Ok(Granted::Taken | Granted::TakenFrom(_)) => {
                self.tell(Change::Claim(case));
                Ok(())
            }
            Err(error) => Err(self.told_of_claim(case, error).await),
        }
    }

    /// Takes a case on purpose: it stays theirs while they look at others, until its lease runs out.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] while somebody else holds it.
    pub async fn claim(&self, viewer: &Viewer, case: CaseId) -> Result<(), ServiceError> {
        self.take(viewer, case, Wish::Keep, "case.claim").await
    }

    /// Takes a case over from whoever holds it, who is told. What they have written stays with them.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`].
    pub async fn take_over(&self, viewer: &Viewer, case: CaseId) -> Result<(), ServiceError> {
        self.take(viewer, case, Wish::TakeOver, "case.take_over").await
    }

    async fn take(
        &self,
        viewer: &Viewer,
        case: CaseId,
        wish: Wish,
        act: &'static str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let line = viewer.line(act, format!("case {case}"));
        let asking = self.asking(viewer, case, wish);
        match self.inner.store.claim_case(asking, line, self.inner.clock.now()).await {
            Ok(_) => {
                self.tell(Change::Claim(case));
                Ok(())
            }
            Err(error) => Err(self.told_of_claim(case, error).await),
        }
    }

    /// Lets a case go on purpose.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn release(&self, viewer: &Viewer, case: CaseId) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        let line = viewer.line("case.release", format!("case {case}"));
        let now = self.inner.clock.now();
        if self.inner.store.release_case(case, viewer.user, line, now).await? {
            self.tell(Change::Claim(case));
        }
        Ok(())
    }

    /// Lets go of a case that was only opened: its page was closed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn leave(&self, viewer: &Viewer, case: CaseId) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        if self.inner.store.leave_case(case, viewer.user).await? {
            self.tell(Change::Claim(case));
        }
        Ok(())
    }

    /// Lets go of all that was only opened: the person is back at the list.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn leave_all(&self, viewer: &Viewer) -> Result<(), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        for case in self.inner.store.leave_cases(viewer.user).await? {
            self.tell(Change::Claim(case));
        }
        Ok(())
    }

    /// Lets go of every case whose lease has run out.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn end_claims(&self) -> Result<(), ServiceError> {
        for case in self.inner.store.end_claims(self.inner.clock.now()).await? {
            self.tell(Change::Claim(case));
        }
        Ok(())
    }

    /// What was taken over from the viewer since they were last told. They count as told from now on, so it is
    /// for a page that shows it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn tell_lost(&self, viewer: &Viewer) -> Result<Vec<Lost>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let rows = self.inner.store.untold_handovers(viewer.user).await?;
        if let Some(last) = rows.last() {
            let now = self.inner.clock.now();
            self.inner.store.handovers_told(viewer.user, last.id, now).await?;
        }
        Ok(rows.into_iter().map(|row| Lost { case: row.case, by: row.by, at: row.at }).collect())
    }

    /// Who has a case now, and whether it was taken from the viewer, for a page that stands open.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn holding(&self, viewer: &Viewer, case: CaseId) -> Result<Holding, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let row = self.inner.store.case(case).await?;
        let untold = self.inner.store.untold_handovers(viewer.user).await?;
        let lost = untold.into_iter().rfind(|row| row.case == case);
        Ok(Holding {
            claim: claimed(row.claim, self.inner.clock.now()),
            lost: lost.map(|row| Lost { case: row.case, by: row.by, at: row.at }),
        })
    }

    /// A refusal for somebody else's claim names who it is; everything else as it is.
    pub(super) async fn told_of_claim(&self, case: CaseId, error: StoreError) -> ServiceError {
        if !matches!(error, StoreError::Conflict { what: "claim" }) {
            return error.into();
        }
        let row = match self.inner.store.case(case).await {
            Ok(row) => row,
            Err(error) => return error.into(),
        };
        match claimed(row.claim, self.inner.clock.now()) {
            Some(by) => ServiceError::Conflict {
                why: format!("{} arbetar med ärendet nu. Ta över det om du ska besluta.", by.name),
            },
            // It ran out in between.
            None => error.into(),
        }
    }
}
