//! Reports from the public: kept as they came, joined to the case of what they point at, or waiting for a person to
//! find it; and cases about what stands outside our control.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::assessments::open_or_bring_back;
use super::audit;
use super::cases::{case_of_item, note_event, the_case, touch};
use super::value::{at, json, maybe_at, maybe_row, ms, rows};
use crate::domain::ids::{CaseId, ContentHash, ItemId, UserId, VersionId};
use crate::domain::public_report::{PublicReport, ReportState};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, CaseOpening};

/// A report to be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct NewReport {
    /// What whoever sent it is told.
    pub receipt: String,
    /// The Swedish day, `2026-11-23`.
    pub day: String,
    /// What it points at; none where a mail names no address.
    pub link: Option<String>,
    /// Why.
    pub reason: String,
    /// How they can be reached.
    pub contact: Option<String>,
    /// Of all of it.
    pub sha256: ContentHash,
    /// The mail that it came by; none where it came by the form.
    pub mail: Option<NewMail>,
}

/// A mail from the mailbox for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMail {
    /// Of all of it.
    pub sha256: ContentHash,
    /// Of its head.
    pub head_sha256: ContentHash,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// A report.
    Report,
    /// Nothing: a machine wrote it.
    Automatic,
    /// A task: a person has to look at it.
    Faulty,
}

impl Became {
    const fn id(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Automatic => "automatic",
            Self::Faulty => "faulty",
        }
    }

    fn from_id(id: &str) -> Option<Self> {
        [Self::Report, Self::Automatic, Self::Faulty].into_iter().find(|became| became.id() == id)
    }
}

fn keep_mail(
    tx: &Transaction<'_>,
    mail: NewMail,
    became: Became,
    report: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into report_mails (sha256, head_sha256, became, report_id, taken_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (sha256) do nothing",
    )?
    .execute(params![
        mail.sha256.bytes(),
        mail.head_sha256.bytes(),
        became.id(),
        report,
        ms(now)
    ])?;
    Ok(())
}

/// The item that a report points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointed {
    /// Which.
    pub item: ItemId,
    /// Its version at hand.
    pub version: VersionId,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is kept; with the case that it joined.
    Kept(Option<CaseId>),
    /// The same came today already, under that receipt.
    Again(String),
    /// There are as many as we take.
    Full,
}

/// A case about what stands outside our control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideMark {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

const REPORT: &str =
    "r.id, r.receipt, r.received_at, r.link, r.reason, r.contact, r.state, r.case_id,
    (select name from users u where u.id = r.ended_by), r.ended_at, r.words";

fn report(row: &Row<'_>) -> Result<PublicReport, StoreError> {
    let state: String = row.get(6)?;
    let ended = row.get::<_, Option<String>>(8)?.zip(maybe_at(row.get(9)?)?);
    let words: Option<String> = row.get(10)?;
    Ok(PublicReport {
        id: row.get(0)?,
        receipt: row.get(1)?,
        received_at: at(row.get(2)?)?,
        link: row.get(3)?,
        reason: row.get(4)?,
        contact: row.get(5)?,
        state: ReportState::from_id(&state)
            .ok_or_else(|| StoreError::row("public_reports", format!("state `{state}`")))?,
        case: row.get::<_, Option<i64>>(7)?.map(CaseId),
        ended: ended.map(|(name, at)| (name, at, words)),
    })
}

fn the_report(c: &Connection, id: i64) -> Result<PublicReport, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!("select {REPORT} from public_reports r where r.id = ?1"))?,
        [id],
        report,
    )?
    .ok_or(StoreError::NotFound { what: "report" })
}

/// Notes on a case that a report belongs to it, with the hash of what was written: the history is held by the log.
fn note_joined(
    tx: &Transaction<'_>,
    case: CaseId,
    report: i64,
    sha256: &[u8],
    by: Option<(UserId, &str)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let detail = format!("Anmälan {report}, SHA-256 {}", hex::encode(sha256));
    note_event(tx, case, by, "En anmälan utifrån hör till ärendet", Some(&detail), now)?;
    touch(tx, case, now)
}

/// Disposes of the content of a case's reports with the case.
pub(super) fn wipe_of_case(
    tx: &Transaction<'_>,
    case: CaseId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "update public_reports set link = null, reason = null, contact = null, disposed_at = ?2
         where case_id = ?1 and disposed_at is null",
    )?
    .execute(params![case.0, ms(now)])?;
    Ok(())
}

impl Store {
    /// The item that one of these links leads to, the first group first: the newest, where there are several. `numbers`
    /// are tried where no link fits, and then `fits` says whether the stored link leads to the same site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn item_at(
        &self,
        links: Vec<Vec<String>>,
        numbers: Vec<String>,
        fits: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Option<Pointed>, StoreError> {
        self.read(move |c| {
            let pointed = |row: &Row<'_>| {
                Ok(Pointed { item: ItemId(row.get(0)?), version: VersionId(row.get(1)?) })
            };
            // Said as `is not null`, so that the index over links is one that may be used.
            for group in &links {
                let found = maybe_row(
                    &mut c.prepare_cached(
                        "select i.id, i.current_version_id from items i
                         where i.permalink is not null and i.by_us = 0
                           and i.permalink in (select value from json_each(?1))
                         order by i.id desc limit 1",
                    )?,
                    [json(group)?],
                    pointed,
                )?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            for number in numbers {
                let known = rows(
                    &mut c.prepare_cached(
                        "select i.id, i.current_version_id, i.permalink from accounts a
                         cross join items i on i.account_id = a.id and i.platform_id = ?1
                         where i.by_us = 0 and i.permalink is not null order by i.id desc limit 20",
                    )?,
                    [&number],
                    |row| Ok((pointed(row)?, row.get::<_, String>(2)?)),
                )?;
                if let Some((found, _)) = known.into_iter().find(|(_, link)| fits(link)) {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Keeps a report, and joins it to the case of what it points at; where that has none, one is opened. At most
    /// `per_day` are taken in a day and `waiting` may wait for a person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn receive_report(
        &self,
        new: NewReport,
        pointed: Option<(Pointed, CaseOpening)>,
        per_day: u32,
        waiting: u32,
        now: Timestamp,
    ) -> Result<Received, StoreError> {
        self.write(move |tx| {
            let again = maybe_row(
                &mut tx.prepare_cached(
                    "select receipt, id from public_reports where day = ?1 and content_sha256 = ?2",
                )?,
                params![new.day, new.sha256.bytes()],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)),
            )?;
            if let Some((receipt, id)) = again {
                if let Some(mail) = new.mail {
                    keep_mail(tx, mail, Became::Report, Some(id), now)?;
                }
                return Ok(Received::Again(receipt));
            }
            let by_mail = new.mail.is_some();
            // Each way by itself: mails cannot shut the form, nor the form the mailbox.
            let today: u32 = tx
                .prepare_cached("select count(*) from public_reports where day = ?1 and by_mail = ?2")?
                .query_row(params![new.day, by_mail], |row| row.get(0))?;
            let open: u32 = tx
                .prepare_cached(
                    "select count(*) from public_reports where state in ('new', 'joined') and by_mail = ?1",
                )?
                .query_row([by_mail], |row| row.get(0))?;
            if today >= per_day || open >= waiting {
                return Ok(Received::Full);
            }
            let case = match &pointed {
                None => None,
                Some((pointed, opening)) => Some(match case_of_item(tx, pointed.item)? {
                    Some(case) => case.id,
                    None => open_or_bring_back(tx, pointed.version, opening, now)?,
                }),
            };
            tx.prepare_cached(
                "insert into public_reports (receipt, received_at, day, link, reason, contact, content_sha256,
                   state, case_id, by_mail)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                new.receipt,
                ms(now),
                new.day,
                new.link,
                new.reason,
                new.contact,
                new.sha256.bytes(),
                if case.is_some() { ReportState::Joined.id() } else { ReportState::New.id() },
                case.map(|case| case.0),
                by_mail
            ])?;
            let id = tx.last_insert_rowid();
            if let Some(mail) = new.mail {
                keep_mail(tx, mail, Became::Report, Some(id), now)?;
            }
            if let Some(case) = case {
                note_joined(tx, case, id, new.sha256.bytes(), None, now)?;
            }
            // Not from where it came: nobody is to be found out by what they report.
            let line = AuditLine {
                user: None,
                user_name: "Allmänheten".into(),
                act: "report.received",
                subject: format!("report {id}"),
                address: "utifrån".into(),
                detail: Some(format!("SHA-256 {}", hex::encode(new.sha256.bytes()))),
            };
            audit::append(tx, &line, now)?;
            Ok(Received::Kept(case))
        })
        .await
    }

    /// Reports: those that wait first, the longest first, then the newest; at most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reports_for_page(&self, most: u32) -> Result<Vec<PublicReport>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {REPORT} from public_reports r
                     order by r.state in ('new', 'joined') desc,
                       case when r.state in ('new', 'joined') then r.id end, r.id desc limit ?1"
                ))?,
                [most],
                report,
            )
        })
        .await
    }

    /// One report.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn public_report(&self, id: i64) -> Result<PublicReport, StoreError> {
        self.read(move |c| the_report(c, id)).await
    }

    /// The reports of a case, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reports_of_case(&self, case: CaseId) -> Result<Vec<PublicReport>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {REPORT} from public_reports r where r.case_id = ?1 order by r.id"
                ))?,
                [case.0],
                report,
            )
        })
        .await
    }

    /// How many wait for a person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn n_waiting_reports(&self) -> Result<u64, StoreError> {
        self.read(|c| {
            Ok(c.prepare_cached(
                "select count(*) from public_reports where state in ('new', 'joined')",
            )?
            .query_row([], |row| row.get(0))?)
        })
        .await
    }

    /// A person has read a report, or sets it aside with their words.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it waits no more, or belongs to no case yet and is only said to be read.
    pub async fn end_report(
        &self,
        id: i64,
        to: ReportState,
        words: Option<String>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let known = the_report(tx, id)?;
            let refused = |why: &str| Err(StoreError::Refused { why: why.into() });
            if !known.state.waits() {
                return refused("Anmälan väntar inte längre.");
            }
            if known.state == ReportState::New && to == ReportState::Read {
                return refused(
                    "Anmälan hör inte till något ärende. Lägg in inlägget för hand, eller lägg anmälan åt sidan med ett skäl.",
                );
            }
            let user = line.user.map(|user| user.0);
            tx.execute(
                "update public_reports set state = ?2, ended_at = ?3, ended_by = ?4, words = ?5 where id = ?1",
                params![id, to.id(), ms(now), user, words],
            )?;
            if let Some(case) = known.case {
                let by = line.user.map(|user| (user, line.user_name.as_str()));
                let what = format!("Anmälan {id} är {}", to.label());
                note_event(tx, case, by, &what, words.as_deref(), now)?;
                touch(tx, case, now)?;
            }
            // The officer's words may quote what was reported: they stand with the report and its case.
            let detail = Some(to.label().to_owned());
            audit::append(tx, &AuditLine { detail, ..line }, now)
        })
        .await
    }

    /// Joins a report that waited to a case that a person says it is about.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it waits no more.
    pub async fn join_report(
        &self,
        id: i64,
        case: CaseId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let known = the_report(tx, id)?;
            if !known.state.waits() {
                return Err(StoreError::Refused { why: "Anmälan väntar inte längre.".into() });
            }
            the_case(tx, case)?;
            tx.execute(
                "update public_reports set state = 'joined', case_id = ?2 where id = ?1",
                params![id, case.0],
            )?;
            let sha256: Vec<u8> = tx.query_row(
                "select content_sha256 from public_reports where id = ?1",
                [id],
                |row| row.get(0),
            )?;
            let by = line.user.map(|user| (user, line.user_name.as_str()));
            note_joined(tx, case, id, &sha256, by, now)?;
            audit::append(tx, &AuditLine { detail: Some(format!("case {case}")), ..line }, now)
        })
        .await
    }

    /// Makes the content of reports go that led to no case, or to one that had been disposed of, where they came in
    /// before then. Says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_reports(
        &self,
        before: Timestamp,
        decision: String,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| {
            let n = tx.execute(
                "update public_reports set link = null, reason = null, contact = null, disposed_at = ?2
                 where received_at < ?1 and disposed_at is null and state in ('set_aside', 'read')
                   and (case_id is null or (
                     -- It joined a case that was disposed of before it came, and nothing there will take it along.
                     exists (select 1 from cases k join evidence e on e.item_id = k.item_id
                             where k.id = case_id and e.state = 'disposed')
                     and not exists (select 1 from cases k join evidence e on e.item_id = k.item_id
                             where k.id = case_id and e.state <> 'disposed')))",
                params![ms(before), ms(now)],
            )?;
            if n > 0 {
                let detail = format!("{n} anmälningar, {decision}");
                audit::swept(tx, "disposal.reports", "reports", detail, now)?;
            }
            Ok(n as u64)
        })
        .await
    }

    /// What became of a mail that was taken in before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn taken_mail(&self, sha256: ContentHash) -> Result<Option<Became>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached("select became from report_mails where sha256 = ?1")?,
                [sha256.bytes()],
                |row| {
                    let id: String = row.get(0)?;
                    Became::from_id(&id).ok_or_else(|| StoreError::row("report_mails", id))
                },
            )
        })
        .await
    }

    /// Keeps what became of a mail that is no report.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_mail(
        &self,
        mail: NewMail,
        became: Became,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| keep_mail(tx, mail, became, None, now)).await
    }

    /// The mail with this head.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_by_head(&self, head: ContentHash) -> Result<Option<ContentHash>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached("select sha256 from report_mails where head_sha256 = ?1")?,
                [head.bytes()],
                |row| super::value::hash("report_mails", &row.get::<_, Vec<u8>>(0)?),
            )
        })
        .await
    }

    /// Says whether a mail that was moved beside is to go, and that it goes: its time is over, its report has gone,
    /// and nobody has it to look at (a task under `task`). Of one that is not known only its time and the task are
    /// asked. One of which that was said already, and that is still there, is to go too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dispose_mail(
        &self,
        sha256: ContentHash,
        task: String,
        before: Timestamp,
        decision: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let known = maybe_row(
                &mut tx.prepare_cached(
                    "select m.disposed_at is not null, m.taken_at < ?2 and (m.report_id is null or exists (
                       select 1 from public_reports r where r.id = m.report_id and r.disposed_at is not null))
                     from report_mails m where m.sha256 = ?1",
                )?,
                params![sha256.bytes(), ms(before)],
                |row| Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?)),
            )?;
            if let Some((true, _)) = known {
                return Ok(true);
            }
            let waits = tx
                .prepare_cached("select 1 from notices where key = ?1 and state = 'undeliverable'")?
                .exists([&task])?;
            // What is on no record was put there by somebody, or by a version that kept none: it is a person's.
            if waits || known.is_none_or(|(_, is_due)| !is_due) {
                return Ok(false);
            }
            tx.prepare_cached("update report_mails set disposed_at = ?2 where sha256 = ?1")?
                .execute(params![sha256.bytes(), ms(now)])?;
            let detail = format!("SHA-256 {}, {decision}", sha256.to_hex());
            audit::swept(tx, "disposal.mail", "report mail", detail, now)?;
            Ok(true)
        })
        .await
    }

    /// Says that what a case is about stands outside our control, or (`reason` none) takes that back.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where that is so already.
    pub async fn set_outside(
        &self,
        case: CaseId,
        reason: Option<String>,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            the_case(tx, case)?;
            let refused = |why: &str| Err(StoreError::Refused { why: why.into() });
            let stands = tx
                .prepare_cached("select 1 from outside_control where case_id = ?1 and lifted_at is null")?
                .exists([case.0])?;
            let by = Some((user, line.user_name.as_str()));
            match (&reason, stands) {
                (Some(_), true) => {
                    return refused("Ärendet är redan märkt som utanför vår kontroll.");
                }
                (None, false) => {
                    return refused("Ärendet är inte märkt som utanför vår kontroll.");
                }
                (Some(reason), false) => {
                    tx.execute(
                        "insert into outside_control (case_id, at, user_id, reason) values (?1, ?2, ?3, ?4)",
                        params![case.0, ms(now), user.0, reason],
                    )?;
                    let what = "Märktes som utanför vår kontroll";
                    note_event(tx, case, by, what, Some(reason), now)?;
                }
                (None, true) => {
                    tx.execute(
                        "update outside_control set lifted_at = ?2, lifted_by = ?3
                         where case_id = ?1 and lifted_at is null",
                        params![case.0, ms(now), user.0],
                    )?;
                    note_event(tx, case, by, "Märkningen utanför vår kontroll togs bort", None, now)?;
                }
            }
            audit::append(tx, &AuditLine { detail: reason, ..line }, now)
        })
        .await
    }

    /// The mark that stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outside_of(&self, case: CaseId) -> Result<Option<OutsideMark>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(
                    "select (select name from users u where u.id = o.user_id), o.at, o.reason
                     from outside_control o where o.case_id = ?1 and o.lifted_at is null",
                )?,
                [case.0],
                |row| {
                    Ok(OutsideMark { by: row.get(0)?, at: at(row.get(1)?)?, reason: row.get(2)? })
                },
            )
        })
        .await
    }
}
