//! What people say of rules' findings: that they were wrong. Rules' precision is counted from it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::params;

use super::audit;
use super::cases::note_event;
use super::value::{ms, rows};
use crate::domain::ids::{CaseId, UserId, VersionId};
use crate::domain::rule_watch::Judged;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// So many decisions back, at the most, are looked at: what is counted is how a rule does now.
const DECISIONS: i64 = 5_000;

impl Store {
    /// The rules whose findings in a version a person has called wrong.
    pub async fn wrong_findings(&self, version: VersionId) -> Result<BTreeSet<String>, StoreError> {
        self.read(move |c| {
            let mut statement =
                c.prepare_cached("select rule from wrong_findings where version_id = ?1")?;
            Ok(rows(&mut statement, [version.0], |row| Ok(row.get(0)?))?.into_iter().collect())
        })
        .await
    }

    /// Notes that a rule's finding in a case was wrong, or takes that back. Says whether anything changed.
    pub async fn judge_finding(
        &self,
        (case, version, rule): (CaseId, VersionId, String),
        wrong: bool,
        (by, name): (UserId, String),
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let (what, changed) = match wrong {
                true => (
                    "Regelträff avfärdad som fel",
                    tx.prepare_cached(
                        "insert into wrong_findings (version_id, rule, case_id, by, at)
                         values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
                    )?
                    .execute(params![
                        version.0,
                        rule,
                        case.0,
                        by.0,
                        ms(now)
                    ])?,
                ),
                false => (
                    "Avfärdad regelträff återtagen",
                    tx.prepare_cached(
                        "delete from wrong_findings where version_id = ?1 and rule = ?2",
                    )?
                    .execute(params![version.0, rule])?,
                ),
            };
            if changed == 0 {
                return Ok(false);
            }
            // Without the rule: what was found goes with the content, and the history stays.
            note_event(tx, case, Some((by, &name)), what, None, now)?;
            audit::append(tx, &line, now)?;
            Ok(true)
        })
        .await
    }

    /// How rules did since `since`: in how many decided cases they had found something, and in how many of these a
    /// person called it wrong.
    pub async fn judged_rules(
        &self,
        since: Timestamp,
    ) -> Result<BTreeMap<String, Judged>, StoreError> {
        self.read(move |c| {
            let found = rows(
                &mut c.prepare_cached(
                    "with decided as (
                       select distinct version_id from (
                         select version_id, at from decisions where undone_at is null
                         order by id desc limit ?2)
                       where at >= ?1
                       union select version_id from wrong_findings where at >= ?1)
                     select json_extract(f.value, '$.rule') as rule, count(distinct d.version_id),
                       count(distinct w.version_id)
                     from decided d
                     join versions v on v.id = d.version_id
                     join verdicts b on b.version_id = v.id and b.lexicon = v.assessed_by
                     join json_each(b.verdict, '$.findings') f
                     left join wrong_findings w
                       on w.version_id = d.version_id and w.rule = json_extract(f.value, '$.rule')
                     group by 1",
                )?,
                params![ms(since), DECISIONS],
                |row| Ok((row.get(0)?, Judged { of: row.get(1)?, wrong: row.get(2)? })),
            )?;
            Ok(found.into_iter().collect())
        })
        .await
    }

    /// Cases in which a rule's finding was called wrong, newest first, without those that a smaller circle opens.
    pub async fn cases_judged_wrong(
        &self,
        rule: String,
        most: u32,
    ) -> Result<Vec<CaseId>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select w.case_id from wrong_findings w join cases k on k.id = w.case_id
                     where w.rule = ?1 and k.secret = 0 order by w.at desc limit ?2",
                )?,
                params![rule, most],
                |row| Ok(CaseId(row.get(0)?)),
            )
        })
        .await
    }
}
