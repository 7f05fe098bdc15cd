//! Personal data in closed cases, masked after the policy's time (data protection regulation, articles 5.1 c and 25):
//! pages show neither text nor names until somebody asks for it, and the search finds nothing by them. Nothing is
//! lost: what is sealed stays, and disposal goes by its own plan.

use std::collections::BTreeSet;

use crate::domain::custody::CustodyAct;
use crate::domain::ids::{CaseId, PlatformItemId};
use crate::domain::item::Author;
use crate::domain::person::Act;

use super::case_file::CaseFile;
use super::claims::Look;
use super::records::SealedEvidence;
use super::{Change, ServiceError, Services, Viewer};

/// Cases in one transaction: other writers wait for it.
const AT_ONCE: u32 = 200;

/// What stands in place of a text that is not shown unasked.
pub const VEILED: &str = "[Dolt: ärendet är avslutat sedan länge. Öppna det för att visa texten.]";

/// What stands in place of a neighbour's in a thread.
const VEILED_BESIDE: &str = "[Dolt: ärendet om det här inlägget är avslutat sedan länge.]";

impl CaseFile {
    /// Takes away what others wrote in the thread whose own cases are no longer shown unasked.
    pub(super) fn veil_beside(&mut self, veiled: &BTreeSet<PlatformItemId>) {
        let thread = self.above.above.iter_mut().chain(&mut self.below);
        for item in thread.filter(|item| veiled.contains(&item.platform_id)) {
            item.text = VEILED_BESIDE.to_owned();
            item.author = Author { name: Some("(dolt namn)".into()), ..Author::default() };
        }
    }

    /// Takes away what is not shown unasked: texts, names and links, here and in the thread.
    pub(super) fn veil(&mut self) {
        self.text = VEILED.to_owned();
        self.earlier.clear();
        self.author = Author { name: Some("(dolt namn)".into()), ..Author::default() };
        self.permalink = None;
        self.language = None;
        self.alike = None;
        self.earlier_cases.clear();
        self.above.above.clear();
        self.above.post = None;
        self.below.clear();
        for (index, finding) in self.findings.iter_mut().enumerate() {
            if !finding.spans.is_empty() {
                finding.spans.clear();
                self.withheld.push(index);
            }
        }
        for action in &mut self.actions {
            action.text = None;
        }
        // What people wrote about it may quote it.
        self.history.iter_mut().for_each(|step| step.detail = None);
    }
}

impl SealedEvidence {
    /// Takes away what is not shown unasked. What was sealed, when and under which hashes stays.
    pub(super) fn veil(&mut self) {
        self.veiled = true;
        self.page_log = None;
        if let Ok(manifest) = &mut self.manifest {
            manifest.author = Author { name: Some("(dolt namn)".into()), ..Author::default() };
            manifest.permalink = None;
            manifest.beside = None;
            manifest.attachments.clear();
        }
    }
}

impl Services {
    /// Veils what has been closed for as long as its policy says. Says how many.
    ///
    /// # Errors
    /// [`ServiceError`]; what is left goes the next time.
    pub async fn veil_closed(&self) -> Result<u64, ServiceError> {
        let now = self.inner.clock.now();
        let store = &self.inner.store;
        let disposing = self.disposing();
        let (groups, _) = disposing.policies.groups(store.accounts().await?);
        let mut n = 0;
        for group in &groups {
            let retention = group.policy.retention.as_ref();
            let Some(before) = retention.and_then(|retention| retention.veils_before(now)) else {
                continue;
            };
            loop {
                let veiled = store.veil_closed(group.ids(), before, AT_ONCE, now).await?;
                n += veiled.len() as u64;
                for case in &veiled {
                    self.tell(Change::Case(*case));
                }
                if veiled.len() < AT_ONCE as usize {
                    break;
                }
            }
        }
        if n > 0 {
            tracing::info!(n_cases = n, "closed cases are no longer shown unasked");
        }
        Ok(n)
    }

    /// A case with all that is veiled in it, since somebody asks to see it: an event on its record.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for who may not read sealed texts; [`ServiceError::Shut`].
    pub async fn case_unveiled(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<CaseFile, ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        self.demand_open(viewer, case).await?;
        let line = viewer.line(CustodyAct::Unveil.id(), format!("case {case}"));
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        self.case_with(viewer, case, Look::Follows, true).await
    }
}
