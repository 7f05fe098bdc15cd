//! Reports from the public, and marks on what stands outside our control.
//!
//! Whoever reports is told that it was taken, and nothing of what we know: not whether the link led anywhere, not
//! how many there are. A report changes no deadline and reopens nothing; it is a document that waits to be read.

use std::path::PathBuf;

use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

use crate::domain::calendar::local;
use crate::domain::ids::{CaseId, ContentHash};
use crate::domain::person::Act;
use crate::domain::public_report::{
    self, Faulty, PublicReport, ReportState, Typed, forms, numbers, same_site, without_anchor,
};
use crate::domain::verdict::Verdict;
use crate::store::Store;
use crate::store::rows::CaseOpening;
use crate::store::sqlite::public_reports::{NewMail, NewReport, OutsideMark, Pointed, Received};

use super::assess::RANK_REST;
use super::corrections::reason;
use super::imap::ImapSettings;
use super::{Change, ServiceError, Services, Viewer};

/// So many may wait for a person; then somebody is asked to turn elsewhere.
const MOST_WAITING: u32 = 1_000;
/// Reports on the page.
const ON_PAGE: u32 = MOST_WAITING;

/// Whether the public may report, and how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Whether the form is there.
    pub enabled: bool,
    /// Where to turn instead, in words.
    pub contact: String,
    /// How many the form takes in a day, from everybody together.
    pub per_day: u32,
    /// How many from one address in an hour.
    pub per_address_hour: u32,
    /// How many are taken in a day by mail.
    pub mails_per_day: u32,
    /// The folder into which the mail server puts reports by mail.
    pub mailbox: Option<PathBuf>,
    /// The mailbox on a mail server that is read for reports.
    pub imap: Option<ImapSettings>,
}

/// What whoever reports is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken, under this number.
    Taken(String),
    /// Something in the form does not do.
    Faulty(Faulty),
    /// No more are taken now.
    Full,
}

/// A report in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub id: i64,
    /// When it came in.
    pub received_at: Timestamp,
    /// The beginning of what is said, masked; or why it is not shown.
    pub line: String,
    /// Where it stands.
    pub state: ReportState,
    /// The case.
    pub case: Option<CaseId>,
}

/// What is known of a case from outside.
#[derive(Clone, Debug)]
pub struct FromOutside {
    /// Its reports, oldest first; masked for who may not read sealed texts.
    pub reports: Vec<PublicReport>,
    /// The mark that it stands outside our control.
    pub outside: Option<OutsideMark>,
    /// Whether the viewer may change anything.
    pub may: bool,
}

/// What stands in place of a report that has been disposed of.
const DISPOSED: &str = "(gallrad)";
/// What stands in place of one whose case is shut to the viewer.
const SHUT: &str = "(ärendet öppnas bara av en mindre krets)";

/// The reports of a case as a package tells them.
pub(super) async fn for_package(
    store: &Store,
    case: CaseId,
) -> Result<Vec<serde_json::Value>, ServiceError> {
    let reports = store.reports_of_case(case).await?;
    Ok(reports
        .into_iter()
        .map(|r| {
            serde_json::json!({
                "report": r.id, "received": r.received_at, "link": r.link, "reason": r.reason,
                "contact": r.contact, "state": r.state.id(),
            })
        })
        .collect())
}

impl Services {
    /// How the public may report; nothing where it may not.
    pub fn public_reporting(&self) -> Option<&Bounds> {
        Some(&self.inner.settings.public_reports).filter(|bounds| bounds.enabled)
    }

    /// Takes a report. The same sent twice in a day is one.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where the form is off.
    pub async fn report_from_outside(&self, typed: &Typed) -> Result<Answer, ServiceError> {
        if self.public_reporting().is_none() {
            return Err(ServiceError::NotFound { what: "form" });
        }
        let report = match public_report::Report::check(typed) {
            Ok(report) => report,
            Err(faulty) => return Ok(Answer::Faulty(faulty)),
        };
        self.keep_report(Some(report.link), report.reason, report.contact, None).await
    }

    /// Keeps a report that was checked, and the mail that it came by with it. Without a link a person has to find what it is about.
    pub(super) async fn keep_report(
        &self,
        link: Option<Url>,
        reason: String,
        contact: Option<String>,
        mail: Option<NewMail>,
    ) -> Result<Answer, ServiceError> {
        let bounds = self.public_reporting().ok_or(ServiceError::NotFound { what: "form" })?;
        let now = self.inner.clock.now();
        let store = &self.inner.store;
        let found = match link.clone() {
            Some(link) => {
                let mut links = vec![forms(&link)];
                links.extend(without_anchor(&link).map(|link| forms(&link)));
                let numbers = numbers(&link);
                store.item_at(links, numbers, move |stored| same_site(&link, stored)).await?
            }
            None => None,
        };
        let pointed = match found {
            Some(pointed) => Some((pointed, self.opening_for(pointed, now).await?)),
            None => None,
        };
        let id = Uuid::new_v4().simple().to_string();
        let receipt = format!("{}-{}", &id[..4], &id[4..8]).to_uppercase();
        let new = NewReport {
            receipt: receipt.clone(),
            day: local(now).date().to_string(),
            sha256: ContentHash::of(&public_report::bytes(
                link.as_ref(),
                &reason,
                contact.as_deref(),
            )),
            link: link.map(String::from),
            reason,
            contact,
            mail,
        };
        let per_day = if mail.is_some() { bounds.mails_per_day } else { bounds.per_day };
        let received = store.receive_report(new, pointed, per_day, MOST_WAITING, now).await?;
        match received {
            Received::Kept(case) => {
                tracing::info!(joined = case.is_some(), "a report from the public was taken");
                if let Some(case) = case {
                    self.inner.wakes.capture.notify_one();
                    self.tell(Change::Case(case));
                }
                Ok(Answer::Taken(receipt))
            }
            Received::Again(receipt) => Ok(Answer::Taken(receipt)),
            Received::Full => {
                tracing::warn!("no more reports from the public are taken for now");
                Ok(Answer::Full)
            }
        }
    }

    /// The case that is opened where what somebody points at has none.
    async fn opening_for(
        &self,
        pointed: Pointed,
        now: Timestamp,
    ) -> Result<CaseOpening, ServiceError> {
        let item = self.inner.store.item(pointed.item).await?;
        let version = self.inner.store.version(pointed.version).await?;
        let verdict = version.verdict.unwrap_or_else(|| Verdict {
            lexicon: self.classifier().version().clone(),
            findings: Vec::new(),
        });
        Ok(CaseOpening {
            rank: RANK_REST,
            severity: verdict.severity(),
            category: verdict.primary().map(|finding| finding.category),
            // From now on: nobody had anything to decide before.
            due_at: self.policy_of(item.account).due(&verdict, item.kind, now),
            why: "Någon utifrån har anmält inlägget.".into(),
        })
    }

    /// Reports: those that wait first. Texts are masked, and shut where the case is.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn reports_from_outside(&self, viewer: &Viewer) -> Result<Vec<Line>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let mut lines = Vec::new();
        for row in self.inner.store.reports_for_page(ON_PAGE).await? {
            let is_open = match row.case {
                Some(case) => self.is_open_to(viewer, case).await?,
                None => true,
            };
            let line = match (&row.reason, is_open) {
                (_, false) => SHUT.to_owned(),
                (None, true) => DISPOSED.to_owned(),
                (Some(reason), true) => {
                    let line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
                    self.classifier().masked(&line).into_owned()
                }
            };
            let PublicReport { id, received_at, state, case, .. } = row;
            lines.push(Line { id, received_at, line, state, case });
        }
        Ok(lines)
    }

    /// How many wait for a person.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn n_reports_waiting(&self, viewer: &Viewer) -> Result<u64, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(self.inner.store.n_waiting_reports().await?)
    }

    /// One report in full. Opening it is audited.
    ///
    /// # Errors
    /// [`ServiceError::Shut`] where its case is shut to the viewer.
    pub async fn report_at(&self, viewer: &Viewer, id: i64) -> Result<PublicReport, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let row = self.inner.store.public_report(id).await?;
        if let Some(case) = row.case {
            self.demand_open(viewer, case).await?;
        }
        let line = viewer.line("report.open", format!("report {id}"));
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        Ok(self.shown_report(viewer, row))
    }

    fn shown_report(&self, viewer: &Viewer, mut row: PublicReport) -> PublicReport {
        if !viewer.may(Act::ReadEvidence) {
            let mask = |text: String| self.classifier().masked(&text).into_owned();
            row.reason = row.reason.map(mask);
            row.contact = row.contact.map(|_| "(visas inte för din roll)".into());
        }
        row
    }

    /// What is known of a case from outside.
    ///
    /// # Errors
    /// [`ServiceError::Shut`] where the case is shut to the viewer.
    pub async fn from_outside(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<FromOutside, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        self.demand_open(viewer, case).await?;
        let store = &self.inner.store;
        store.case(case).await?;
        let reports = store.reports_of_case(case).await?;
        for report in &reports {
            let line = viewer.line("report.open", format!("report {}", report.id));
            store.record_audit(line, self.inner.clock.now()).await?;
        }
        let reports = reports.into_iter().map(|row| self.shown_report(viewer, row)).collect();
        let may = viewer.may(Act::Decide);
        Ok(FromOutside { reports, outside: store.outside_of(case).await?, may })
    }

    /// Says that a report has been read and taken into account (`aside` none), or that it is set aside, and why.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn end_report(
        &self,
        viewer: &Viewer,
        id: i64,
        aside: Option<&str>,
    ) -> Result<Option<CaseId>, ServiceError> {
        viewer.demand(Act::Decide)?;
        let row = self.inner.store.public_report(id).await?;
        if let Some(case) = row.case {
            self.demand_open(viewer, case).await?;
        }
        let words = aside.map(reason).transpose()?;
        let state = match words {
            Some(_) => ReportState::SetAside,
            None => ReportState::Read,
        };
        let line = viewer.line("report.end", format!("report {id}"));
        let now = self.inner.clock.now();
        self.inner.store.end_report(id, state, words, line, now).await?;
        if let Some(case) = row.case {
            self.tell(Change::Case(case));
        }
        Ok(row.case)
    }

    /// Joins a report that waits to the case that a person says it is about.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where there is no such case, or the report waits no more.
    pub async fn join_report(
        &self,
        viewer: &Viewer,
        id: i64,
        case: CaseId,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        let known = self.inner.store.public_report(id).await?;
        if let Some(known) = known.case {
            self.demand_open(viewer, known).await?;
        }
        if self.inner.store.case(case).await.is_err() {
            return Err(ServiceError::Refused { why: format!("Ärende {case} finns inte.") });
        }
        self.demand_open(viewer, case).await?;
        let line = viewer.line("report.join", format!("report {id}"));
        self.inner.store.join_report(id, case, line, self.inner.clock.now()).await?;
        self.tell(Change::Case(case));
        Ok(())
    }

    /// Joins reports that wait for what was just recorded by hand under the same link.
    pub(super) async fn join_waiting(
        &self,
        viewer: &Viewer,
        case: CaseId,
        link: &str,
    ) -> Result<(), ServiceError> {
        let Ok(link) = Url::parse(link) else { return Ok(()) };
        let own = forms(&link);
        for row in self.inner.store.reports_for_page(ON_PAGE).await? {
            let told = row.link.as_deref().and_then(|link| Url::parse(link).ok());
            let same = told.is_some_and(|told| forms(&told).iter().any(|form| own.contains(form)));
            if row.state == ReportState::New && same {
                let line = viewer.line("report.join", format!("report {}", row.id));
                self.inner.store.join_report(row.id, case, line, self.inner.clock.now()).await?;
            }
        }
        Ok(())
    }

    /// Says that what a case is about stands outside our control (somebody's own share, another's account), so that
    /// no deadline of ours runs on it; or, with no reason, takes that back.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn set_outside(
        &self,
        viewer: &Viewer,
        case: CaseId,
        why: Option<&str>,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let why = why.map(reason).transpose()?;
        let act = if why.is_some() { "case.outside" } else { "case.outside_lifted" };
        let line = viewer.line(act, format!("case {case}"));
        let now = self.inner.clock.now();
        self.inner.store.set_outside(case, why, viewer.user, line, now).await?;
        self.tell(Change::Case(case));
        Ok(())
    }
}
