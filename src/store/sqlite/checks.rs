//! What verification reads: rows with everything that the log holds of them.

use rusqlite::{Row, params};

use super::decide::decision_words;
use super::value::{at, each_row, from_json, hash, maybe_at, maybe_row, rows};
use crate::domain::decision::Choice;
use crate::domain::ids::{ActionId, ContentHash, DecisionId, EvidenceId, ItemId, RegistrationId};
use crate::domain::log::words_hash;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::facts::{ActionFacts, DecisionFacts, RegistrationFacts, SubjectFacts};
use crate::store::rows::Readable;

fn decision(row: &Row<'_>) -> Result<DecisionFacts, StoreError> {
    let choices: String = row.get(5)?;
    let note: Option<String> = row.get(7)?;
    let answered: Option<String> = row.get(10)?;
    let words = decision_words(&choices, note.as_deref(), answered.as_deref());
    let choices: Vec<Choice> = from_json("decisions", &choices)?;
    let mut wanted: Vec<(&str, Option<&str>)> =
        choices.iter().filter_map(|c| Some((c.action()?.id(), c.action_text()))).collect();
    wanted.sort_unstable();
    let found: Vec<(String, Option<String>)> = from_json("actions", &row.get::<_, String>(9)?)?;
    let found: Vec<_> = found.iter().map(|(kind, text)| (kind.as_str(), text.as_deref())).collect();
    Ok(DecisionFacts {
        id: DecisionId(row.get(0)?),
        case: row.get(1)?,
        version: row.get(2)?,
        user: row.get(3)?,
        at: at(row.get(4)?)?,
        choices: choices.iter().map(Choice::id).collect(),
        ground: row.get(6)?,
        words,
        undone_at: maybe_at(row.get(8)?)?,
        actions_fit: found == wanted,
        policy: row
            .get::<_, Option<Vec<u8>>>(11)?
            .map(|bytes| hash("decisions", &bytes))
            .transpose()?,
        undo_until: row.get(12)?,
        due_at: row.get(13)?,
        bulk: row.get(14)?,
        by_hand: from_json("actions", &row.get::<_, String>(15)?)?,
    })
}

fn action(row: &Row<'_>) -> Result<ActionFacts, StoreError> {
    let (payload, state): (String, String) = (row.get(7)?, row.get(8)?);
    Ok(ActionFacts {
        id: ActionId(row.get(0)?),
        case: row.get(1)?,
        decision: row.get(2)?,
        kind: row.get(3)?,
        version: row.get(4)?,
        evidence: row.get(5)?,
        state: row.get(6)?,
        registered: row.get(9)?,
        is_of_its_item: row.get(10)?,
        is_by_its_name: row.get(11)?,
        words: words_hash(&[&payload, &state]),
    })
}

fn registration(row: &Row<'_>) -> Result<RegistrationFacts, StoreError> {
    let number = match row.get::<_, Option<String>>(3)? {
        Some(number) => Some((number, at(row.get(4)?)?, row.get(5)?)),
        None => None,
    };
    Ok(RegistrationFacts {
        id: RegistrationId(row.get(0)?),
        case: row.get(1)?,
        package_sha256: hash("registrations", &row.get::<_, Vec<u8>>(2)?)?,
        number,
        action: row.get(6)?,
        package: row.get(7)?,
        is_of_its_action: row.get(8)?,
    })
}

fn subject(row: &Row<'_>) -> Result<SubjectFacts, StoreError> {
    Ok(SubjectFacts {
        account: row.get(0)?,
        platform_id: row.get(1)?,
        item: ItemId(row.get(2)?),
        number: row.get(3)?,
        content_hash: hash("versions", &row.get::<_, Vec<u8>>(4)?)?,
        text: row.get(5)?,
        author: from_json("versions", &row.get::<_, String>(6)?)?,
        attachments: from_json("versions", &row.get::<_, String>(7)?)?,
        fetched_at: at(row.get(8)?)?,
        payload: ContentHash::of(&row.get::<_, Vec<u8>>(9)?),
        kind: row.get(10)?,
        created_at: maybe_at(row.get(11)?)?,
        created_raw: row.get(12)?,
        edited_at: maybe_at(row.get(13)?)?,
        presence: row.get(14)?,
        read_before: row.get(15)?,
        exchange: row
            .get::<_, Option<String>>(16)?
            .map(|text| from_json("versions", &text))
            .transpose()?,
        verdicts: from_json::<Vec<String>>("verdicts", &row.get::<_, String>(17)?)?
            .iter()
            .map(|verdict| from_json("verdicts", verdict))
            .collect::<Result<_, _>>()?,
    })
}

impl Store {
    /// Decisions after `after`, in order, at most `most`.
    pub async fn decision_facts(
        &self,
        after: DecisionId,
        most: u32,
    ) -> Result<Vec<Readable<DecisionFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select d.id, d.case_id, d.version_id, d.user_id, d.at, d.choices, d.ground, d.note,
                       d.undone_at,
                       (select json_group_array(json_array(x.kind, x.text)) from
                         (select kind, case when json_valid(payload) then json_extract(payload, '$.text') end
                            as text from actions
                          where case_id = d.case_id and decision_id = d.id
                          order by kind, text) x),
                       d.answered, d.policy_sha256, d.undo_until, d.due_at, d.bulk_id,
                       (select json_group_array(kind) from
                         (select kind from actions
                          where case_id = d.case_id and decision_id = d.id and by_hand = 1 order by kind))
                     from decisions d where d.id > ?1 order by d.id limit ?2",
                )?,
                params![after.0, most],
                decision,
            )
        })
        .await
    }

    /// Actions after `after`, in order, at most `most`.
    pub async fn action_facts(
        &self,
        after: ActionId,
        most: u32,
    ) -> Result<Vec<Readable<ActionFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select x.id, x.case_id, x.decision_id, x.kind, x.version_id, x.evidence_id, x.state,
                       x.payload, x.state_json,
                       exists (select 1 from registrations r where r.action_id = x.id),
                       exists (select 1 from cases k join versions v on v.item_id = k.item_id
                               join decisions d on d.case_id = k.id
                               where k.id = x.case_id and k.item_id = x.item_id and v.id = x.version_id
                                 and d.id = x.decision_id),
                       coalesce(x.key = (select value from facts where name = 'installation')
                         || '-' || x.decision_id || '-' || x.kind, 1)
                     from actions x where x.id > ?1 order by x.id limit ?2",
                )?,
                params![after.0, most],
                action,
            )
        })
        .await
    }

    /// Registrations after `after`, in order, at most `most`.
    pub async fn registration_facts(
        &self,
        after: RegistrationId,
        most: u32,
    ) -> Result<Vec<Readable<RegistrationFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select r.id, r.case_id, r.package_sha256, r.diary_number, r.entered_at, r.entered_by,
                       r.action_id, r.package,
                       exists (select 1 from actions x where x.id = r.action_id
                               and x.case_id = r.case_id and x.kind = 'register')
                     from registrations r where r.id > ?1 order by r.id limit ?2",
                )?,
                params![after.0, most],
                registration,
            )
        })
        .await
    }

    /// Items whose current version is not one of theirs, or not the newest: at most `most`, by number. What was
    /// read once more for a removal lies beside the current one, and so does an edit that was told of late.
    pub async fn wrongly_current(&self, most: u32) -> Result<Vec<i64>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select i.id from items i
                     left join versions v on v.id = i.current_version_id and v.item_id = i.id
                     where v.id is null or exists (
                       select 1 from versions o
                       where o.item_id = i.id and o.number > v.number and o.read_for is null
                         and (o.edited_at is null or v.edited_at is null or o.edited_at >= v.edited_at))
                     order by i.id limit ?1",
                )?,
                [most],
                |row| Ok(row.get(0)?),
            )
        })
        .await
    }

    /// What an evidence record is of.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where version, item or account is gone.
    pub async fn subject_facts(&self, evidence: EvidenceId) -> Result<SubjectFacts, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(
                    "select a.key, i.platform_id, v.item_id, v.number, v.content_hash, v.text, v.author,
                       v.attachments, v.fetched_at, v.payload, i.kind, i.created_at, i.created_raw,
                       v.edited_at, v.presence,
                       coalesce((select x.kind from actions x join cases k on k.id = x.case_id
                         where x.id = v.read_for and k.item_id = v.item_id),
                         case when v.read_for is not null then '?' end),
                       v.exchange,
                       (select json_group_array(d.verdict) from verdicts d where d.version_id = v.id)
                     from evidence e join versions v on v.id = e.version_id
                       join items i on i.id = v.item_id join accounts a on a.id = i.account_id
                     where e.id = ?1",
                )?,
                [evidence.0],
                subject,
            )?
            .ok_or(StoreError::NotFound { what: "version" })
        })
        .await
    }
}
