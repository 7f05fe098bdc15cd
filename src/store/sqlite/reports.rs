//! What a report is counted from, of one span of time. Half-open: from the first moment, not at the last.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::params;

use super::search::first_at;
use super::value::{at, maybe_at, ms, rows};
use crate::domain::account::PlatformKind;
use crate::domain::category::Category;
use crate::domain::custody::CustodyAct;
use crate::domain::ground::Ground;
use crate::domain::item::ItemKind;
use crate::domain::party::Party;
use crate::domain::report::{BY_HAND, CaseFact, Facts, ItemFact, RecordFact, RemovalFact};
use crate::domain::search::Question;
use crate::domain::statistics::{PartyFact, Share};
use crate::store::Store;
use crate::store::error::StoreError;

impl Store {
    /// The facts of a span of time. What we wrote ourselves is no inflow.
    pub async fn report_facts(&self, from: Timestamp, to: Timestamp) -> Result<Facts, StoreError> {
        self.read(move |c| {
            let span = params![ms(from), ms(to)];
            // One key for all that is told of an account: a year may hold a million items. Places that people name
            // when they record by hand are one: nobody knows what they write there.
            let keys: HashMap<i64, Arc<str>> = rows(
                &mut c.prepare_cached(
                    "select id, case when platform = ?1 then ?2 else key end from accounts",
                )?,
                [PlatformKind::Manual.id(), BY_HAND],
                |row| Ok((row.get(0)?, row.get::<_, String>(1)?.into())),
            )?
            .into_iter()
            .collect();
            let key = |id: i64| {
                keys.get(&id).cloned().ok_or_else(|| StoreError::row("accounts", id.to_string()))
            };
            let items = rows(
                &mut c.prepare_cached(
                    "select i.account_id, i.first_fetched_at, i.kind from items i
                     where i.by_us = 0 and i.first_fetched_at >= ?1 and i.first_fetched_at < ?2
                     order by i.first_fetched_at, i.id",
                )?,
                span,
                |row| {
                    let kind: String = row.get(2)?;
                    Ok(ItemFact {
                        account: key(row.get(0)?)?,
                        at: at(row.get(1)?)?,
                        private: kind == ItemKind::DirectMessage.id(),
                    })
                },
            )?;
            let cases = rows(
                &mut c.prepare_cached(
                    // Whoever puts a case to rest has not decided it. The first decision is held against the
                    // deadline that the case had then.
                    "select k.id, k.account_id, k.opened_at, coalesce(d.due_at, k.due_at), k.category, d.at,
                            k.outside,
                            (select min(a.at) from audit a indexed by audit_by_subject
                             where a.subject = 'case ' || k.id and a.act = ?3),
                            exists (select 1 from json_each(d.choices) choice
                                    where choice.value ->> '$.choice' = 'dismiss'),
                            exists (select 1 from actions x where x.case_id = k.id
                                    and x.kind in ('hide', 'delete') and x.state = 'done')
                     from cases k
                     left join decisions d on d.id = (
                       select min(f.id) from decisions f
                       where f.case_id = k.id and f.undone_at is null
                         and exists (select 1 from json_each(f.choices) choice
                           where choice.value ->> '$.choice' <> 'hold'))
                     where k.opened_at >= ?1 and k.opened_at < ?2",
                )?,
                params![ms(from), ms(to), CustodyAct::OpenCase.id()],
                |row| {
                    let category: Option<String> = row.get(4)?;
                    let category = category
                        .map(|id| id.parse::<Category>().map_err(|_| StoreError::row("cases", id)));
                    Ok(CaseFact {
                        case: row.get(0)?,
                        account: key(row.get(1)?)?,
                        opened: at(row.get(2)?)?,
                        due: at(row.get(3)?)?,
                        category: category.transpose()?,
                        decided: maybe_at(row.get(5)?)?,
                        outside: row.get(6)?,
                        seen: maybe_at(row.get(7)?)?,
                        dismissed: row.get(8)?,
                        removed: row.get(9)?,
                    })
                },
            )?;
            let removals = rows(
                &mut c.prepare_cached(
                    // From the decisions of the span, which an index leads to: actions are of all time.
                    "select x.case_id, k.account_id, d.at, d.ground, x.kind
                     from decisions d cross join actions x on x.case_id = d.case_id and x.decision_id = d.id
                     cross join cases k on k.id = d.case_id
                     where x.kind in ('hide', 'delete') and x.state = 'done'
                       and d.at >= ?1 and d.at < ?2 order by x.id",
                )?,
                span,
                |row| {
                    let ground: Option<String> = row.get(3)?;
                    let ground = ground.map(|code| {
                        Ground::from_code(&code).ok_or_else(|| StoreError::row("decisions", code))
                    });
                    Ok(RemovalFact {
                        case: row.get(0)?,
                        account: key(row.get(1)?)?,
                        at: at(row.get(2)?)?,
                        ground: ground.transpose()?,
                        deleted: row.get::<_, String>(4)? == "delete",
                    })
                },
            )?;
            let registered = rows(
                &mut c.prepare_cached(
                    "select case_id, exported_at, diary_number is not null from registrations
                     where exported_at >= ?1 and exported_at < ?2 order by id",
                )?,
                span,
                |row| {
                    let (case, at) = (row.get(0)?, at(row.get(1)?)?);
                    Ok(RecordFact { case, at, numbered: row.get(2)? })
                },
            )?;
            let disposed = rows(
                &mut c.prepare_cached(
                    "select l.case_id, d.ended_at from disposal_lines l
                     join disposals d on d.id = l.disposal_id
                     where d.state = 'done' and d.ended_at >= ?1 and d.ended_at < ?2
                     order by l.disposal_id, l.evidence_id",
                )?,
                span,
                |row| {
                    let (case, at) = (row.get(0)?, at(row.get(1)?)?);
                    Ok(RecordFact { case, at, numbered: false })
                },
            )?;
            Ok(Facts { items, cases, removals, registered, disposed })
        })
        .await
    }

    /// Of each party how many texts name it that came in during a span of time, and how many of those were hidden
    /// or deleted. Asked of the index of words, so what was disposed of or barred is not among them.
    pub async fn party_facts(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<PartyFact>, StoreError> {
        self.read(move |c| {
            let mut ask = c.prepare_cached(
                "select count(*), coalesce(sum(exists (
                   select 1 from cases k join actions x on x.case_id = k.id
                   where k.item_id = i.id and x.kind in ('hide', 'delete') and x.state = 'done')), 0)
                 from (select distinct v.item_id id from item_words w
                         cross join versions v on v.id = w.rowid
                       -- What came before the time has no number in it.
                       where w.item_words match ?1 and w.rowid >= ?4) m
                 cross join items i on i.id = m.id
                 where i.by_us = 0 and i.first_fetched_at >= ?2 and i.first_fetched_at < ?3",
            )?;
            let first = first_at(c, from)?;
            let mut facts = Vec::new();
            for &party in Party::ALL {
                let words = party.words().iter().filter_map(|word| Question::read(word).ok());
                let words: Vec<_> = words.map(|word| word.expression()).collect();
                let share = ask.query_row(
                    params![words.join(" OR "), ms(from), ms(to), first],
                    |row| Ok(Share { all: row.get(0)?, of_kind: row.get(1)? }),
                )?;
                facts.push(PartyFact { party, share });
            }
            Ok(facts)
        })
        .await
    }
}
