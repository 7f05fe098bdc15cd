//! Verdicts, and the cases they open.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::bars::bar_copying;
use super::cases::{case_of_item, note_event, set_state, the_case};
use super::value::{at, from_json, json, maybe_row, ms, rows};
use super::{likeness, rules};
use crate::domain::case::{CaseEvent, CaseState};
use crate::domain::ids::{AccountId, CaseId, ItemId, LexiconVersion, UserId, VersionId};
use crate::domain::verdict::Verdict;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{
    AssessedVersion, AssessmentCount, CaseOpening, RecordedAssessments, Unassessed, UnderAssessment,
};

/// The fact that holds what is being assessed.
const UNDER_ASSESSMENT: &str = "under-assessment";

/// 1 January 2000: older than any platform, site or comment field that is watched.
const EARLIEST: Timestamp = Timestamp::constant(946_684_800, 0);

/// When a version reached the authority, by the platform's word as far as it can be true: a
/// platform's clock may run ahead of ours, but nothing was received later than we fetched it, and a
/// time before there were such platforms is no time at all. The word itself is kept as it came.
pub(super) fn received_at(said: Timestamp, fetched: Timestamp) -> Timestamp {
    if said < EARLIEST { fetched } else { said.min(fetched) }
}

impl Store {
    /// Versions without a verdict, oldest first.
    pub async fn unassessed(&self, most: u32) -> Result<Vec<Unassessed>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select v.id, i.id, i.kind, i.by_us, v.text, pv.text,
                            coalesce(p.title || char(10), '') || p.text,
                            case when v.number = 1 then coalesce(i.created_at, v.fetched_at)
                                 else coalesce(v.edited_at, v.fetched_at) end,
                            v.fetched_at, i.account_id, a.platform, v.author,
                            case when pi.by_us = 0 then pv.author end
                     from versions v
                     join items i on i.id = v.item_id
                     join accounts a on a.id = i.account_id
                     left join posts p on p.account_id = i.account_id and p.platform_id = i.post_id
                     left join items pi on pi.account_id = i.account_id and pi.platform_id = i.parent_id
                     left join versions pv on pv.id = pi.current_version_id
                     where v.assessed_by is null order by v.id limit ?1",
                )?,
                [most],
                |row| {
                    let received: i64 = row.get(7)?;
                    let fetched: i64 = row.get(8)?;
                    let author = |text: String| from_json("versions", &text);
                    Ok(Unassessed {
                        version: VersionId(row.get(0)?),
                        item: ItemId(row.get(1)?),
                        kind: super::items::item_kind(&row.get::<_, String>(2)?)?,
                        by_us: row.get(3)?,
                        account: AccountId(row.get(9)?),
                        platform: row.get(10)?,
                        author: author(row.get(11)?)?,
                        answers: row.get::<_, Option<String>>(12)?.map(author).transpose()?,
                        text: row.get(4)?,
                        parent_text: row.get(5)?,
                        post_text: row.get(6)?,
                        received_at: received_at(at(received)?, at(fetched)?),
                        fetched_at: at(fetched)?,
                    })
                },
            )
        })
        .await
    }

    /// Texts of versions by others, from behind that version on: oldest first, and none of an item that may
    /// not be copied.
    pub async fn texts_after(
        &self,
        after: VersionId,
        most: u32,
    ) -> Result<Vec<(VersionId, String)>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select v.id, v.text from versions v join items i on i.id = v.item_id
                     where v.id > ?1 and v.read_for is null and i.by_us = 0 and i.no_copy = 0
                       and not exists (select 1 from cases k where k.item_id = i.id and k.secret = 1)
                     order by v.id limit ?2",
                )?,
                params![after.0, most],
                |row| Ok((VersionId(row.get(0)?), row.get(1)?)),
            )
        })
        .await
    }

    /// Texts of others before `before`, newest first, at most `most`, each with the case of its item. What may not be
    /// copied, what a smaller circle opens and what is no longer shown unasked is not among them.
    pub async fn texts_before(
        &self,
        before: VersionId,
        most: u32,
    ) -> Result<Vec<(VersionId, Option<CaseId>, String)>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select v.id, (select k.id from cases k where k.item_id = i.id), v.text
                     from versions v join items i on i.id = v.item_id
                     where v.id < ?1 and v.read_for is null and i.by_us = 0 and i.no_copy = 0
                       and not exists (select 1 from cases k where k.item_id = i.id
                                         and (k.secret = 1 or k.veiled_at is not null))
                     order by v.id desc limit ?2",
                )?,
                params![before.0, most],
                |row| {
                    let case: Option<i64> = row.get(1)?;
                    Ok((VersionId(row.get(0)?), case.map(CaseId), row.get(2)?))
                },
            )
        })
        .await
    }

    /// Notes what is about to be assessed.
    pub async fn note_assessment(&self, note: UnderAssessment) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "insert into facts (name, value) values (?1, ?2)
                 on conflict (name) do update set value = excluded.value",
            )?
            .execute(params![UNDER_ASSESSMENT, json(&note)?])?;
            Ok(())
        })
        .await
    }

    /// What was noted last. It may have been assessed since; then no version of it waits.
    pub async fn noted_assessment(&self) -> Result<Option<UnderAssessment>, StoreError> {
        let note = self.fact(UNDER_ASSESSMENT).await?;
        // A note of another shape is of another release, and says nothing.
        Ok(note.and_then(|note| serde_json::from_str(&note).ok()))
    }

    /// Stores verdicts and what follows from each: a case opened or brought back, evidence wanted,
    /// copying barred, fingerprints kept, rules counted.
    pub async fn record_assessments(
        &self,
        assessed: Vec<AssessedVersion>,
        rule_quota: u64,
        now: Timestamp,
    ) -> Result<RecordedAssessments, StoreError> {
        let veil = self.veil();
        self.write(move |tx| {
            let mut recorded = RecordedAssessments::default();
            let mut counted = Vec::with_capacity(assessed.len());
            for one in &assessed {
                let AssessedVersion { version, verdict, opening, traces, unread } = one;
                if !store_verdict(tx, *version, verdict, now)? {
                    // Assessed a second time: what it leaves is there already.
                    continue;
                }
                let is_ours = is_ours(tx, *version)?;
                if !is_ours {
                    counted.push(one);
                }
                if *unread {
                    tx.prepare_cached("update versions set unread = 1 where id = ?1")?
                        .execute([version.0])?;
                }
                likeness::keep(tx, &veil, *version, traces, now)?;
                if let Some(opening) = opening {
                    recorded.touched.push(open_or_bring_back(tx, *version, opening, now)?);
                } else if let Some(case) = follow_version(tx, *version, now)? {
                    recorded.touched.push(case);
                }
                if !is_ours {
                    recorded.touched.extend(wake_thread(tx, *version, now)?);
                }
                // In the same transaction as the wish for evidence of it, and after the case whose
                // history is to tell it. What we say ourselves is no suspicion.
                if verdict.bars_copying() && !is_ours {
                    bar_copying(tx, *version, None, now)?;
                }
            }
            recorded.alarms = rules::count(tx, &counted, rule_quota, now)?;
            Ok(recorded)
        })
        .await
    }

    /// How many versions each lexicon has assessed last.
    pub async fn assessment_counts(&self) -> Result<Vec<AssessmentCount>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select assessed_by, count(*) from versions
                     where assessed_by is not null group by assessed_by",
                )?,
                [],
                |row| {
                    Ok(AssessmentCount {
                        lexicon: LexiconVersion::new(row.get::<_, String>(0)?),
                        n: row.get(1)?,
                    })
                },
            )
        })
        .await
    }
}

/// Says whether it is new.
fn store_verdict(
    tx: &Transaction<'_>,
    version: VersionId,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let n = tx
        .prepare_cached(
            "insert into verdicts (version_id, lexicon, at, verdict) values (?1, ?2, ?3, ?4)
             on conflict do nothing",
        )?
        .execute(params![version.0, verdict.lexicon.as_str(), ms(now), json(verdict)?])?;
    tx.prepare_cached("update versions set assessed_by = ?2 where id = ?1")?
        .execute(params![version.0, verdict.lexicon.as_str()])?;
    Ok(n > 0)
}

/// Whether the authority itself wrote a version.
fn is_ours(tx: &Transaction<'_>, version: VersionId) -> Result<bool, StoreError> {
    let item = item_of(tx, version)?.0;
    Ok(tx
        .prepare_cached("select by_us from items where id = ?1")?
        .query_row([item.0], |row| row.get(0))?)
}

fn item_of(tx: &Transaction<'_>, version: VersionId) -> Result<(ItemId, VersionId), StoreError> {
    Ok(tx
        .prepare_cached(
            "select i.id, i.current_version_id from versions v join items i on i.id = v.item_id
             where v.id = ?1",
        )?
        .query_row([version.0], |row| Ok((ItemId(row.get(0)?), VersionId(row.get(1)?))))?)
}

/// Whether two versions have the same text: read anew after disposal, or an edit that was taken back.
fn same_text(tx: &Transaction<'_>, one: VersionId, other: VersionId) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "select a.content_hash = b.content_hash from versions a, versions b
             where a.id = ?1 and b.id = ?2",
        )?
        .query_row(params![one.0, other.0], |row| row.get(0))?)
}

/// Who recorded an item by hand.
fn recorded_by(tx: &Transaction<'_>, item: ItemId) -> Result<Option<(UserId, String)>, StoreError> {
    maybe_row(
        &mut tx.prepare_cached(
            "select u.id, u.name from items i join users u on u.id = i.recorded_by where i.id = ?1",
        )?,
        [item.0],
        |row| Ok((UserId(row.get(0)?), row.get(1)?)),
    )
}

pub(super) fn open_or_bring_back(
    tx: &Transaction<'_>,
    version: VersionId,
    opening: &CaseOpening,
    now: Timestamp,
) -> Result<CaseId, StoreError> {
    let (item, current) = item_of(tx, version)?;
    want_evidence(tx, item, version, opening.rank, now)?;
    let severity = opening.severity.map_or(0, |s| s as i64 + 1);
    if let Some(case) = case_of_item(tx, item)? {
        if current != version {
            // A late older version: kept with its verdict and evidence, but not the present.
            return Ok(case.id);
        }
        let same = same_text(tx, case.version, version)?;
        let (what, reason) = match same {
            true => ("Samma lydelse igen", "Inlägget har lästs på nytt med samma text som förut."),
            false => {
                ("Ny lydelse", "Inlägget har ändrats av författaren sedan det senast bedömdes.")
            }
        };
        let reason = reason.to_owned();
        note_event(tx, case.id, None, what, Some(&opening.why), now)?;
        // What was finished begins a new time; what is open keeps the shorter one.
        tx.prepare_cached(
            "update cases set version_id = ?2, rank = min(rank, ?3), severity = ?4, category = ?5,
                    due_at = case when state in ('awaiting_diary', 'closed') then ?6
                                  else min(due_at, ?6) end,
                    revision = revision + 1, changed_at = ?7
             where id = ?1",
        )?
        .execute(params![
            case.id.0,
            version.0,
            opening.rank,
            severity,
            opening.category.map(|c| c.id()),
            ms(opening.due_at),
            ms(now)
        ])?;
        let next = case
            .state
            .on(CaseEvent::Reopen { reason })
            .map_err(|refused| StoreError::row("cases", refused))?;
        set_state(tx, case.id, &next, now)?;
        return Ok(case.id);
    }
    let state = CaseState::Waiting;
    tx.prepare_cached(
        "insert into cases (item_id, version_id, state, state_json, rank, severity, category,
           opened_at, due_at, changed_at, account_id)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8, (select account_id from items where id = ?1))",
    )?
    .execute(params![
        item.0,
        version.0,
        state.id(),
        json(&state)?,
        opening.rank,
        severity,
        opening.category.map(|c| c.id()),
        ms(now),
        ms(opening.due_at)
    ])?;
    let case = CaseId(tx.last_insert_rowid());
    if let Some((user, name)) = recorded_by(tx, item)? {
        let detail =
            Some("Uppsikt har inte sett inlägget: texten och uppgifterna är det som skrevs in.");
        note_event(tx, case, Some((user, &name)), "La in det för hand", detail, now)?;
    }
    note_event(tx, case, None, "Ärendet öppnades", Some(&opening.why), now)?;
    Ok(case)
}

/// An item with a case got a version that by itself would open none: the case follows it, so that
/// nobody decides about a text that no longer stands there.
fn follow_version(
    tx: &Transaction<'_>,
    version: VersionId,
    now: Timestamp,
) -> Result<Option<CaseId>, StoreError> {
    let (item, current) = item_of(tx, version)?;
    let Some(case) = case_of_item(tx, item)? else { return Ok(None) };
    if current != version || case.version == version {
        return Ok(None);
    }
    want_evidence(tx, item, version, 3, now)?;
    tx.prepare_cached(
        "update cases set version_id = ?2, revision = revision + 1, changed_at = ?3 where id = ?1",
    )?
    .execute(params![case.id.0, version.0, ms(now)])?;
    let what = match same_text(tx, case.version, version)? {
        true => "Inlägget har lästs på nytt med samma text; det flaggas inte",
        false => "Författaren har ändrat texten; den nya lydelsen flaggas inte",
    };
    note_event(tx, case.id, None, what, None, now)?;
    if matches!(case.state, CaseState::Held { .. }) {
        // Whoever put it aside had read another text.
        let reason = "Författaren ändrade texten medan ärendet vilade.".to_owned();
        let next = case.state.on(CaseEvent::Reopen { reason });
        set_state(tx, case.id, &next.map_err(|e| StoreError::row("cases", e))?, now)?;
    }
    Ok(Some(case.id))
}

/// Resting cases beside which something new is written: what it answers, what answers the same, and in
/// private what was written in the same conversation.
const RESTING: &str = "
    select k.id from items i cross join cases k on k.item_id = i.id
    where i.account_id = ?1 and i.platform_id = ?2 and k.state = 'held'
    union
    select k.id from items i indexed by items_by_parent cross join cases k on k.item_id = i.id
    where i.account_id = ?1 and i.parent_id = ?2 and i.parent_id is not ?3 and k.state = 'held'
    union
    select k.id from items i indexed by items_by_thread cross join cases k on k.item_id = i.id
    where i.account_id = ?1 and i.post_id = ?3 and ?4 and i.kind = 'direct_message' and k.state = 'held'";

/// Brings back what rests in the thread of an item that is new. Gives the cases.
fn wake_thread(
    tx: &Transaction<'_>,
    version: VersionId,
    now: Timestamp,
) -> Result<Vec<CaseId>, StoreError> {
    // Most of the time nothing rests.
    if !tx.prepare_cached("select 1 from case_counts where state = 'held' and n > 0")?.exists([])? {
        return Ok(Vec::new());
    }
    let new = rows(
        &mut tx.prepare_cached(
            "select i.account_id, i.parent_id, i.post_id, i.kind = 'direct_message'
             from versions v join items i on i.id = v.item_id
             where v.id = ?1 and v.number = 1",
        )?,
        [version.0],
        |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, bool>(3)?,
            ))
        },
    )?;
    let mut woken = Vec::new();
    for (account, parent, post, private) in new {
        let cases = rows(
            &mut tx.prepare_cached(RESTING)?,
            params![account, parent, post, private],
            |row| Ok(CaseId(row.get(0)?)),
        )?;
        for case in cases {
            let row = the_case(tx, case)?;
            let next =
                row.state.on(CaseEvent::HoldEnds).map_err(|e| StoreError::row("cases", e))?;
            let what = "Någon har skrivit i tråden, så ärendet vilar inte längre";
            note_event(tx, case, None, what, None, now)?;
            set_state(tx, case, &next, now)?;
            woken.push(case);
        }
    }
    Ok(woken)
}

/// Asks for evidence of a version, once.
pub(super) fn want_evidence(
    tx: &Transaction<'_>,
    item: ItemId,
    version: VersionId,
    priority: u8,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into evidence (version_id, item_id, state, priority, wanted_at, next_at)
         values (?1, ?2, 'wanted', ?3, ?4, ?4) on conflict (version_id) do nothing",
    )?
    .execute(params![version.0, item.0, priority, ms(now)])?;
    Ok(())
}
