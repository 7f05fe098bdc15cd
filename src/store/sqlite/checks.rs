//! What verification reads: rows with everything that the log holds of them.

use rusqlite::{Row, params};

use super::decide::decision_words;
use super::value::{at, each_row, from_json, hash, maybe_at, maybe_row};
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
                       d.answered, d.policy_sha256
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
                    "select id, case_id, decision_id, kind, version_id, evidence_id, state, payload,
                       state_json, exists (select 1 from registrations r where r.action_id = actions.id)
                     from actions where id > ?1 order by id limit ?2",
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
                    "select id, case_id, package_sha256, diary_number, entered_at, entered_by
                     from registrations where id > ?1 order by id limit ?2",
                )?,
                params![after.0, most],
                registration,
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
