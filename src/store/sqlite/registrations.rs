//! Registrations: exported packages and the diary numbers that come back.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;

use super::cases::{note_event, set_state, the_case, touch};
use super::value::{at, hash, maybe_at, maybe_row, ms, rows};
use super::{audit, handovers, log};
use crate::domain::case::{CaseEvent, CaseState};
use crate::domain::custody::CustodyAct;
use crate::domain::handover::HandoverWay;
use crate::domain::ids::{ActionId, CaseId, ContentHash, DiaryNumber, RegistrationId, UserId};
use crate::domain::log::{LogKind, words_hash};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, RegistrationEntry, RegistrationRow};

pub(super) const REGISTRATION: &str =
    "id, case_id, package, package_sha256, exported_at, diary_number";

#[derive(Serialize)]
struct NumberRecord<'a> {
    case: i64,
    registration: i64,
    package_sha256: ContentHash,
    diary_number: &'a str,
    user: i64,
}

#[derive(Serialize)]
struct CorrectionRecord<'a> {
    #[serde(flatten)]
    number: NumberRecord<'a>,
    /// The number that stood there before.
    replaces: &'a str,
    /// Of the reason, whose words are in the history of the case.
    words_sha256: ContentHash,
}

/// A diary number that is to take the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberCorrection {
    /// One of the registrations that have the wrong number.
    pub registration: RegistrationId,
    /// The right number.
    pub number: DiaryNumber,
    /// Who puts it right.
    pub user: UserId,
    /// Why.
    pub reason: String,
}

pub(super) fn registration_row(row: &Row<'_>) -> Result<RegistrationRow, StoreError> {
    Ok(RegistrationRow {
        id: RegistrationId(row.get(0)?),
        case: CaseId(row.get(1)?),
        package: row.get(2)?,
        package_sha256: hash("registrations", &row.get::<_, Vec<u8>>(3)?)?,
        exported_at: at(row.get(4)?)?,
        diary_number: row.get::<_, Option<String>>(5)?.map(DiaryNumber::new),
    })
}

/// Enters a number for what a case awaits, or for one registration alone, and closes the case if it waited for it
/// and awaits no other.
pub(super) fn enter(
    tx: &Transaction<'_>,
    (case, only): (CaseId, Option<RegistrationId>),
    number: &DiaryNumber,
    user: UserId,
    line: &AuditLine,
    now: Timestamp,
) -> Result<(), StoreError> {
    let registration = maybe_row(
        &mut tx.prepare_cached(&format!(
            "select {REGISTRATION} from registrations
             where case_id = ?1 and diary_number is null and (?2 is null or id = ?2)
             order by id desc limit 1"
        ))?,
        params![case.0, only.map(|id| id.0)],
        registration_row,
    )?
    .ok_or_else(|| StoreError::Refused {
        why: "Ärendet väntar inte på något diarienummer.".into(),
    })?;
    tx.execute(
        "update registrations set diary_number = ?2, entered_at = ?3, entered_by = ?4
         where case_id = ?1 and diary_number is null and (?5 is null or id = ?5)",
        params![case.0, number.as_str(), ms(now), user.0, only.map(|id| id.0)],
    )?;
    let record = NumberRecord {
        case: case.0,
        registration: registration.id.0,
        package_sha256: registration.package_sha256,
        diary_number: number.as_str(),
        user: user.0,
    };
    let detail = number.as_str();
    let by = Some((user, line.user_name.as_str()));
    note_event(tx, case, by, "Diarienummer inlagt", Some(detail), now)?;
    audit::append(tx, line, now)?;
    log::append(tx, LogKind::Registration, &record, now)?;
    let row = the_case(tx, case)?;
    let awaits = tx
        .prepare_cached("select 1 from registrations where case_id = ?1 and diary_number is null")?
        .exists([case.0])?;
    if !awaits && matches!(row.state, CaseState::AwaitingDiary) {
        let next =
            row.state.on(CaseEvent::DiaryNumberEntered).map_err(|e| StoreError::row("cases", e))?;
        set_state(tx, case, &next, now)?;
    }
    Ok(())
}

impl Store {
    /// Notes that the package of an action lies in the export directory, once per action, and queues it for these
    /// ways to the diary.
    pub async fn record_export(
        &self,
        action: ActionId,
        case: CaseId,
        package: String,
        package_sha256: ContentHash,
        ways: Vec<HandoverWay>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let is_new = tx.execute(
                "insert into registrations (action_id, case_id, package, package_sha256, exported_at)
                 values (?1, ?2, ?3, ?4, ?5) on conflict (action_id) do nothing",
                params![action.0, case.0, package, package_sha256.bytes(), ms(now)],
            )? > 0;
            if is_new {
                handovers::queue(tx, tx.last_insert_rowid(), &ways, now)?;
            }
            let record: Option<i64> = tx
                .prepare_cached(
                    "select e.id from actions a join evidence e on e.version_id = a.version_id
                     where a.id = ?1",
                )?
                .query_row([action.0], |row| row.get(0))
                .optional()?;
            if let (true, Some(record)) = (is_new, record) {
                let line = AuditLine {
                    user: None,
                    user_name: "Uppsikt".into(),
                    act: CustodyAct::Register.id(),
                    subject: format!("evidence {record}"),
                    address: "lokalt".into(),
                    detail: Some(package),
                };
                audit::append(tx, &line, now)?;
            }
            Ok(())
        })
        .await
    }

    /// The registrations of a case, oldest first.
    pub async fn registrations_of(&self, case: CaseId) -> Result<Vec<RegistrationRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {REGISTRATION} from registrations where case_id = ?1 order by id"
                ))?,
                [case.0],
                registration_row,
            )
        })
        .await
    }

    /// Registrations that await their number, oldest first, then the latest that have one; at
    /// most `most` of each.
    pub async fn registrations_for_page(
        &self,
        most: u32,
    ) -> Result<Vec<RegistrationEntry>, StoreError> {
        self.read(move |c| {
            let entered = |row: &Row<'_>| -> Result<RegistrationEntry, StoreError> {
                let at = maybe_at(row.get(6)?)?;
                Ok(RegistrationEntry {
                    registration: registration_row(row)?,
                    entered: at.zip(row.get::<_, Option<String>>(7)?),
                })
            };
            let columns = format!(
                "{REGISTRATION}, entered_at, (select name from users u where u.id = entered_by)"
            );
            let mut entries = rows(
                &mut c.prepare_cached(&format!(
                    "select {columns} from registrations where diary_number is null order by id limit ?1"
                ))?,
                [most],
                entered,
            )?;
            entries.extend(rows(
                &mut c.prepare_cached(&format!(
                    "select {columns} from registrations where diary_number is not null
                     order by entered_at desc limit ?1"
                ))?,
                [most],
                entered,
            )?);
            Ok(entries)
        })
        .await
    }

    /// The case that a registration belongs to.
    pub async fn case_of_registration(
        &self,
        registration: RegistrationId,
    ) -> Result<CaseId, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached("select case_id from registrations where id = ?1")?,
                [registration.0],
                |row| Ok(CaseId(row.get(0)?)),
            )?
            .ok_or(StoreError::NotFound { what: "registration" })
        })
        .await
    }

    /// Enters the diary number that the authority's register gave, and closes the case if it
    /// waited for it.
    pub async fn enter_diary_number(
        &self,
        case: CaseId,
        number: DiaryNumber,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| enter(tx, (case, None), &number, user, &line, now)).await
    }

    /// Puts a diary number right that was entered wrongly: a new entry in the log, with why. The old
    /// number stays in the history of the case. Gives the case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown registration; [`StoreError::Refused`] where it has no
    /// number yet, or this very one.
    pub async fn correct_diary_number(
        &self,
        correction: NumberCorrection,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<CaseId, StoreError> {
        self.write(move |tx| {
            let NumberCorrection { registration, number, user, reason } = correction;
            let known = maybe_row(
                &mut tx.prepare_cached(&format!(
                    "select {REGISTRATION} from registrations where id = ?1"
                ))?,
                [registration.0],
                registration_row,
            )?
            .ok_or(StoreError::NotFound { what: "registration" })?;
            let refused = |why: &str| StoreError::Refused { why: why.into() };
            let case = known.case;
            let old = known
                .diary_number
                .ok_or_else(|| refused("Det finns inget diarienummer att rätta än."))?;
            if old == number {
                return Err(refused("Det nya diarienumret är detsamma som det gamla."));
            }
            // One number may serve several packages of a case: they are put right together, and the
            // entry is about the newest of them, as the first was.
            let newest = maybe_row(
                &mut tx.prepare_cached(&format!(
                    "select {REGISTRATION} from registrations
                     where case_id = ?1 and diary_number = ?2 order by id desc limit 1"
                ))?,
                params![case.0, old.as_str()],
                registration_row,
            )?
            .ok_or(StoreError::NotFound { what: "registration" })?;
            tx.execute(
                "update registrations set diary_number = ?3, entered_at = ?4, entered_by = ?5
                 where case_id = ?1 and diary_number = ?2",
                params![case.0, old.as_str(), number.as_str(), ms(now), user.0],
            )?;
            let record = CorrectionRecord {
                number: NumberRecord {
                    case: case.0,
                    registration: newest.id.0,
                    package_sha256: newest.package_sha256,
                    diary_number: number.as_str(),
                    user: user.0,
                },
                replaces: old.as_str(),
                words_sha256: words_hash(&[&reason]),
            };
            let detail =
                format!("{} i stället för {}\nSkäl: {reason}", number.as_str(), old.as_str());
            let by = Some((user, line.user_name.as_str()));
            note_event(tx, case, by, "Diarienumret rättades", Some(&detail), now)?;
            audit::append(tx, &line, now)?;
            log::append(tx, LogKind::Registration, &record, now)?;
            touch(tx, case, now)?;
            Ok(case)
        })
        .await
    }
}
