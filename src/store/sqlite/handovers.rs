//! Packages on their way to the diary by mail or signed call, and numbers that the diary system gives back.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use super::audit;
use super::cases::note_event;
use super::notices::tell_trouble;
use super::registrations::{REGISTRATION, enter, registration_row};
use super::value::{hash, maybe_at, maybe_row, ms, rows};
use crate::domain::handover::{HandoverNow, HandoverState, HandoverWay};
use crate::domain::ids::{
    ActionId, CaseId, ContentHash, DiaryNumber, RegistrationId, UserId, VersionId,
};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// How long one try may take before it is held to have died.
const HELD_MS: i64 = 10 * 60 * 1000;

/// The login name of whoever enters numbers that the diary system gave. No person can have it: it has a blank,
/// and the user is shut out.
const DIARY_LOGIN: &str = "diariesystemet (svar)";
/// Their name.
pub const DIARY_NAME: &str = "Diariesystemet";

/// A package that is to be handed over now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Its row.
    pub id: i64,
    /// The registration.
    pub registration: RegistrationId,
    /// The case.
    pub case: CaseId,
    /// The action that it is of.
    pub action: ActionId,
    /// The version that was registered.
    pub version: VersionId,
    /// File name of the package.
    pub package: String,
    /// What it was when it was written.
    pub package_sha256: ContentHash,
    /// By what way.
    pub way: HandoverWay,
    /// 1, and one more each time a person wants it handed over anew.
    pub n: u32,
    /// An earlier try, or an earlier hand-over, may have come through.
    pub perhaps: bool,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// Since when it is tried in vain.
    pub tried_since: Option<Timestamp>,
}

/// What became of a number that the diary system gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberCame {
    /// It was entered; the case.
    Entered(CaseId),
    /// It stood there already.
    Known,
    /// It cannot be entered; why, in Swedish.
    Refused(String),
}

/// What went wrong with a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverTrouble {
    /// In Swedish.
    pub problem: String,
    /// When to try again; nothing where a person has to see to it.
    pub next: Option<Timestamp>,
    /// It may have come through all the same.
    pub perhaps: bool,
}

fn way(id: &str) -> Result<HandoverWay, StoreError> {
    HandoverWay::from_id(id).ok_or_else(|| StoreError::row("handovers", format!("way `{id}`")))
}

/// Queues a registration for these ways, inside the transaction that notes its package.
pub(super) fn queue(
    tx: &Transaction<'_>,
    registration: i64,
    ways: &[HandoverWay],
    now: Timestamp,
) -> Result<(), StoreError> {
    for way in ways {
        tx.prepare_cached(
            "insert into diary_handovers (registration_id, way, state, queued_at, next_at)
             values (?1, ?2, 'waiting', ?3, ?3) on conflict do nothing",
        )?
        .execute(params![registration, way.id(), ms(now)])?;
    }
    Ok(())
}

/// The user under whom numbers of the diary system stand.
fn diary_system(tx: &Transaction<'_>, now: Timestamp) -> Result<UserId, StoreError> {
    tx.execute(
        "insert into users (login, name, title, role, password_hash, active, added_at)
         values (?1, ?2, '', 'registrator', '!', 0, ?3) on conflict (login) do nothing",
        params![DIARY_LOGIN, DIARY_NAME, ms(now)],
    )?;
    let id =
        tx.query_row("select id from users where login = ?1", [DIARY_LOGIN], |row| row.get(0))?;
    Ok(UserId(id))
}

fn handover(row: &Row<'_>) -> Result<Handover, StoreError> {
    Ok(Handover {
        id: row.get(0)?,
        registration: RegistrationId(row.get(1)?),
        case: CaseId(row.get(2)?),
        action: ActionId(row.get(3)?),
        version: VersionId(row.get(4)?),
        package: row.get(5)?,
        package_sha256: hash("registrations", &row.get::<_, Vec<u8>>(6)?)?,
        way: way(&row.get::<_, String>(7)?)?,
        n: row.get(8)?,
        perhaps: row.get(9)?,
        attempts: row.get(10)?,
        tried_since: maybe_at(row.get(11)?)?,
    })
}

impl Store {
    /// Takes the next package that is due and notes that it is being handed over, before anything leaves: whoever
    /// finds it so later knows that it may have come through. Those whose number has come are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_handover(&self, now: Timestamp) -> Result<Option<Handover>, StoreError> {
        let is_due = self
            .read(move |c| {
                Ok(c.prepare_cached("select 1 from diary_handovers where next_at <= ?1 limit 1")?
                    .exists([ms(now)])?)
            })
            .await?;
        if !is_due {
            return Ok(None);
        }
        self.write(move |tx| {
            tx.execute(
                "update diary_handovers set state = 'moot', next_at = null, ended_at = ?1
                 where next_at <= ?1 and registration_id in
                   (select id from registrations where diary_number is not null)",
                [ms(now)],
            )?;
            let next = maybe_row(
                &mut tx.prepare_cached(
                    "select h.id, r.id, r.case_id, r.action_id, a.version_id, r.package, r.package_sha256,
                            h.way, h.n, h.perhaps or h.n > 1 or h.state = 'sending', h.attempts + 1,
                            h.tried_since
                     from diary_handovers h join registrations r on r.id = h.registration_id
                     join actions a on a.id = r.action_id
                     where h.next_at <= ?1 order by h.next_at, h.id limit 1",
                )?,
                [ms(now)],
                handover,
            )?;
            if let Some(next) = &next {
                tx.execute(
                    "update diary_handovers set state = 'sending', attempts = attempts + 1,
                            perhaps = perhaps or state = 'sending', next_at = ?2 + ?3
                     where id = ?1",
                    params![next.id, ms(now), HELD_MS],
                )?;
            }
            Ok(next)
        })
        .await
    }

    /// It was taken: on the record of the case.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn handed_over(&self, of: &Handover, now: Timestamp) -> Result<(), StoreError> {
        let of = of.clone();
        self.write(move |tx| {
            tx.execute(
                "update diary_handovers set state = 'handed', next_at = null, ended_at = ?2, problem = null
                 where id = ?1 and state = 'sending'",
                params![of.id, ms(now)],
            )?;
            let what = format!("Paketet lämnades till diariet {}", of.way.label());
            let detail = match of.perhaps {
                true => format!("{}. Det kan ha lämnats förut, och det sades.", of.package),
                false => of.package.clone(),
            };
            note_event(tx, of.case, None, &what, Some(&detail), now)?;
            let line = AuditLine {
                user: None,
                user_name: "Uppsikt".into(),
                act: "case.handed_over",
                subject: format!("case {}", of.case),
                address: "lokalt".into(),
                detail: Some(format!("{} {}", of.way.id(), of.package)),
            };
            audit::append(tx, &line, now)
        })
        .await
    }

    /// It was not taken: tried again, or given up and told to a person as a task.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn handover_failed(
        &self,
        of: &Handover,
        trouble: HandoverTrouble,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let of = of.clone();
        self.write(move |tx| {
            let HandoverTrouble { problem, next, perhaps } = trouble;
            tx.execute(
                "update diary_handovers set state = case when ?3 is null then 'failed' else 'waiting' end,
                        next_at = ?3, ended_at = case when ?3 is null then ?2 end,
                        perhaps = perhaps or ?5, problem = ?4, tried_since = coalesce(tried_since, ?2)
                 where id = ?1 and state = 'sending'",
                params![of.id, ms(now), next.map(ms), problem, perhaps],
            )?;
            if next.is_none() {
                let what = format!("Paketet kunde inte lämnas till diariet {}", of.way.label());
                note_event(tx, of.case, None, &what, Some(&problem), now)?;
                tell_trouble(
                    tx,
                    &format!("handover {}", of.id),
                    "handover",
                    Some(of.case),
                    "registrator",
                    &format!("Paketet för ärende {} har inte nått diariet", of.case),
                    &format!("{problem} Lämna över det igen på sidan Diarieföring, eller hämta det i exportmappen."),
                    now,
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Queues a package anew by every way by which it ended, since a person wants it handed over again. Gives the
    /// case.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it has its number, is on its way, or never went by any way.
    pub async fn hand_over_again(
        &self,
        registration: RegistrationId,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<CaseId, StoreError> {
        self.write(move |tx| {
            let refused = |why: &str| StoreError::Refused { why: why.into() };
            let known = maybe_row(
                &mut tx.prepare_cached(&format!(
                    "select {REGISTRATION} from registrations where id = ?1"
                ))?,
                [registration.0],
                registration_row,
            )?
            .ok_or(StoreError::NotFound { what: "registration" })?;
            if known.diary_number.is_some() {
                return Err(refused("Ärendet har redan fått sitt diarienummer."));
            }
            let queued = tx.execute(
                "insert into diary_handovers (registration_id, way, n, state, queued_at, next_at, asked_by)
                 select registration_id, way, n + 1, 'waiting', ?2, ?2, ?3 from diary_handovers h
                 where registration_id = ?1 and state in ('handed', 'failed')
                   and n = (select max(n) from diary_handovers x
                            where x.registration_id = h.registration_id and x.way = h.way)",
                params![registration.0, ms(now), user.0],
            )?;
            if queued == 0 {
                return Err(refused("Paketet är redan på väg, eller lämnas inte över av Uppsikt."));
            }
            let by = Some((user, line.user_name.as_str()));
            let what = "Paketet ska lämnas till diariet en gång till";
            note_event(tx, known.case, by, what, Some(&known.package), now)?;
            audit::append(tx, &line, now)?;
            Ok(known.case)
        })
        .await
    }

    /// How the newest hand-overs of a registration stand, one for each way.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn handovers_of(
        &self,
        registration: RegistrationId,
    ) -> Result<Vec<HandoverNow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select way, state, n, problem, ended_at from diary_handovers h where registration_id = ?1
                       and n = (select max(n) from diary_handovers x
                                where x.registration_id = h.registration_id and x.way = h.way)
                     order by way",
                )?,
                [registration.0],
                |row| {
                    let state: String = row.get(1)?;
                    Ok(HandoverNow {
                        way: way(&row.get::<_, String>(0)?)?,
                        state: HandoverState::from_id(&state).ok_or_else(|| {
                            StoreError::row("handovers", format!("state `{state}`"))
                        })?,
                        n: row.get(2)?,
                        problem: row.get(3)?,
                        ended_at: maybe_at(row.get(4)?)?,
                    })
                },
            )
        })
        .await
    }

    /// Enters a number that the diary system gave, by the package's reference. `by_way` says how it came, for the
    /// audit log. The same number twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn number_came(
        &self,
        reference: String,
        number: DiaryNumber,
        by_way: String,
        now: Timestamp,
    ) -> Result<NumberCame, StoreError> {
        self.write(move |tx| {
            let refused = |why: String| Ok(NumberCame::Refused(why));
            let found = maybe_row(
                &mut tx.prepare_cached(&format!(
                    "select {REGISTRATION} from registrations where package in (?1, ?1 || '.zip') limit 1"
                ))?,
                [&reference],
                registration_row,
            )?;
            let Some(found) = found else {
                return refused("Ingen handling här har den referensen.".into());
            };
            match found.diary_number {
                Some(known) if known == number => return Ok(NumberCame::Known),
                Some(known) => {
                    return refused(format!(
                        "Ärende {} har redan diarienummer {known}. Är det fel, rätta det på sidan Diarieföring.",
                        found.case
                    ));
                }
                None => {}
            }
            let user = diary_system(tx, now)?;
            let line = AuditLine {
                user: Some(user),
                user_name: DIARY_NAME.into(),
                act: "case.diary_number",
                subject: format!("case {}", found.case),
                address: "lokalt".into(),
                detail: Some(by_way),
            };
            enter(tx, (found.case, Some(found.id)), &number, user, &line, now)?;
            Ok(NumberCame::Entered(found.case))
        })
        .await
    }

    /// Tells that a mail to the mailbox for reports could not be read, as a task; the same once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tell_unread_mail(
        &self,
        key: String,
        subject: String,
        problem: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tell_trouble(tx, &key, "report_mail", None, "registrator", &subject, &problem, now)
        })
        .await
    }

    /// Tells that lines of an answer could not be read, as a task; the same once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tell_bad_replies(
        &self,
        key: String,
        subject: String,
        problem: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tell_trouble(tx, &key, "diary_reply", None, "registrator", &subject, &problem, now)
        })
        .await
    }
}
