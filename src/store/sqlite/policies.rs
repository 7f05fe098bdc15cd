//! Versions of the policies: the one that began to rule last rules, and none is ever changed or cut.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::items::item_kind;
use super::notices::tell_trouble;
use super::value::{at, each_row, from_json, hash, maybe_at, maybe_row, ms, rows};
use super::{assessments, audit, cases, log};
use crate::domain::ids::{AccountId, CaseId, ContentHash, PolicyVersionId, UserId};
use crate::domain::item::ItemKind;
use crate::domain::log::{LogKind, words_hash};
use crate::domain::policy_version::{Governs, PolicyVersion};
use crate::domain::verdict::Verdict;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::handed::{PolicyFacts, RuledFacts, RuledRecord};
use crate::store::rows::{AuditLine, Readable};

/// A version that is to be.
#[derive(Clone, Debug)]
pub struct NewPolicyVersion {
    /// What it is of.
    pub of: Governs,
    /// The policy's name.
    pub name: String,
    /// Its whole text.
    pub text: String,
    /// The text's hash.
    pub hash: ContentHash,
    /// Why.
    pub why: String,
    /// Whether a second person has to approve it.
    pub four_eyes: bool,
    /// Whether deadlines of open cases are counted anew by it.
    pub recounts: bool,
    /// The version that ruled when it was written: whoever wrote it has not seen a later one.
    pub base: PolicyVersionId,
}

/// A deadline that moves with a policy: the case, what stood, what stands from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovedDeadline {
    /// The case.
    pub case: CaseId,
    /// As it stood.
    pub from: Timestamp,
    /// As it stands from now on.
    pub to: Timestamp,
}

/// An open case as a policy looks at it.
#[derive(Clone, Debug)]
pub struct OpenCase {
    /// The case.
    pub case: CaseId,
    /// Its account.
    pub account: AccountId,
    /// What kind of item.
    pub kind: ItemKind,
    /// From when deadlines count.
    pub received_at: Timestamp,
    /// Its deadline.
    pub due_at: Timestamp,
    /// What was found; none where nobody has judged it.
    pub verdict: Option<Verdict>,
    /// Whether a smaller circle opens it.
    pub is_shut: bool,
}

const VERSION: &str = "p.id, p.account_id, p.name, p.text, p.sha256, p.made_by,
    (select name from users u where u.id = p.made_by), p.made_at, p.why, p.four_eyes, p.recounts, p.approved_by,
    (select name from users u where u.id = p.approved_by), p.withdrawn_at, p.ruled_from, p.seq, p.rules,
    p.base_sha256 from policy_versions p";

fn person(row: &Row<'_>, id: usize) -> Result<Option<(UserId, String)>, StoreError> {
    let (user, name): (Option<i64>, Option<String>) = (row.get(id)?, row.get(id + 1)?);
    Ok(user.map(UserId).zip(name))
}

fn version(row: &Row<'_>) -> Result<PolicyVersion, StoreError> {
    Ok(PolicyVersion {
        id: PolicyVersionId(row.get(0)?),
        of: match row.get(16)? {
            true => Governs::Rules,
            false => Governs::Policy(row.get::<_, Option<i64>>(1)?.map(AccountId)),
        },
        name: row.get(2)?,
        text: row.get(3)?,
        hash: hash("policy_versions", &row.get::<_, Vec<u8>>(4)?)?,
        made_by: person(row, 5)?,
        made_at: at(row.get(7)?)?,
        why: row.get(8)?,
        four_eyes: row.get(9)?,
        recounts: row.get(10)?,
        approved_by: person(row, 11)?,
        withdrawn_at: maybe_at(row.get(13)?)?,
        ruled_from: maybe_at(row.get(14)?)?,
        seq: row.get(15)?,
        base: row
            .get::<_, Option<Vec<u8>>>(17)?
            .map(|bytes| hash("policy_versions", &bytes))
            .transpose()?,
    })
}

/// What the log holds of a version: all of it, so that no word of it can be changed unseen.
fn words(version: &PolicyVersion) -> ContentHash {
    let account = match version.of {
        Governs::Policy(account) => account.map(|id| id.to_string()).unwrap_or_default(),
        Governs::Rules => "rules".to_owned(),
    };
    let approved = version.approved_by.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default();
    let PolicyVersion { name, text, why, .. } = version;
    let hash = version.hash.to_string();
    let base = version.base.map(|base| base.to_string());
    let mut words: Vec<&str> = vec![&account, name, text, &hash, why, &approved];
    words.extend(base.as_deref());
    words_hash(&words)
}

/// What else of a version the log holds: when it was written, and by which rules it came to rule.
fn rest(version: &PolicyVersion) -> ContentHash {
    let yes = |is: bool| if is { "1" } else { "0" };
    let made_at = ms(version.made_at).to_string();
    words_hash(&[&made_at, yes(version.four_eyes), yes(version.recounts)])
}

/// What the log says of a version that began to rule.
#[derive(Serialize)]
struct PolicyRecord {
    #[serde(flatten)]
    ruled: RuledRecord,
    rest_sha256: ContentHash,
}

fn the_version(c: &Connection, id: PolicyVersionId) -> Result<PolicyVersion, StoreError> {
    let sql = format!("select {VERSION} where p.id = ?1");
    maybe_row(&mut c.prepare_cached(&sql)?, [id.0], version)?
        .ok_or(StoreError::NotFound { what: "policy version" })
}

fn ruling(c: &Connection, of: Governs) -> Result<Option<PolicyVersion>, StoreError> {
    let sql = format!(
        "select {VERSION} where p.account_id is ?1 and p.rules = ?2 and p.seq is not null
         order by p.seq desc limit 1"
    );
    maybe_row(&mut c.prepare_cached(&sql)?, slot(of), version)
}

/// Refuses what was written while another version ruled.
fn demand_base(c: &Connection, of: Governs, base: PolicyVersionId) -> Result<(), StoreError> {
    // Rules of one's own begin with nothing; a policy always has its file.
    let begins = of.is_rules() && base == PolicyVersionId(0);
    let what = if of.is_rules() { "Reglerna" } else { "Riktlinjen" };
    match ruling(c, of)? {
        Some(known) if known.id == base => Ok(()),
        None if begins => Ok(()),
        Some(_) | None => Err(StoreError::Refused {
            why: format!(
                "{what} har fått en ny version sedan du öppnade sidan. Din text är kvar: jämför den med den nya och granska på nytt. Inget är publicerat."
            ),
        }),
    }
}

/// Account and kind, as the columns have them.
fn slot(of: Governs) -> (Option<i64>, bool) {
    (of.account().map(|id| id.0), of.is_rules())
}

/// Refuses a version that was written as a change of another text than the one that rules.
fn demand_same_base(c: &Connection, version: &PolicyVersion) -> Result<(), StoreError> {
    let ruling = ruling(c, version.of)?;
    let is_same = match (version.base, ruling) {
        (Some(base), Some(ruling)) => ruling.hash == base,
        // From before it was kept: what began to rule since is another one.
        (None, Some(ruling)) => ruling.ruled_from.is_none_or(|from| from <= version.made_at),
        // The first rules of one's own are a change of nothing.
        (base, None) => version.of.is_rules() && base.is_none(),
    };
    if is_same {
        return Ok(());
    }
    Err(StoreError::Refused {
        why: "Det som gäller har ändrats sedan förslaget skrevs, så förslaget ändrar en text som inte längre gäller. Dra tillbaka det och skriv ett nytt.".into(),
    })
}

fn move_deadlines(
    tx: &Transaction<'_>,
    version: &PolicyVersion,
    moved: &[MovedDeadline],
    now: Timestamp,
) -> Result<(), StoreError> {
    for MovedDeadline { case, from, to } in moved {
        // One that was decided or moved meanwhile is left as it is.
        let n = tx
            .prepare_cached(
                "update cases set due_at = ?3, changed_at = ?4, revision = revision + 1
                 where id = ?1 and due_at = ?2 and state in ('waiting', 'returned')",
            )?
            .execute(params![case.0, ms(*from), ms(*to), ms(now)])?;
        if n > 0 {
            let detail =
                format!("Fristen räknades om efter {}, version {}.", version.name, version.id);
            cases::note_event(tx, *case, None, "Ny frist av ändrad riktlinje", Some(&detail), now)?;
        }
    }
    Ok(())
}

/// Lets a version rule from now on: its leaf, and the deadlines that move with it.
fn begin(
    tx: &Transaction<'_>,
    mut version: PolicyVersion,
    approved_by: Option<UserId>,
    moved: &[MovedDeadline],
    now: Timestamp,
) -> Result<(), StoreError> {
    move_deadlines(tx, &version, moved, now)?;
    version.approved_by = approved_by.map(|id| (id, String::new()));
    let user = version.made_by.as_ref().map_or(0, |(id, _)| id.0);
    let row = version.id.0;
    let ruled = RuledRecord { row, case: None, user, words_sha256: words(&version) };
    let leaf = PolicyRecord { ruled, rest_sha256: rest(&version) };
    // After the lines it is to hold.
    let seq = log::append(tx, LogKind::Policy, &leaf, now)?;
    tx.execute(
        "update policy_versions set approved_by = ?2, ruled_from = ?3, seq = ?4 where id = ?1",
        params![row, approved_by.map(|id| id.0), ms(now), seq],
    )?;
    Ok(())
}

fn insert(
    tx: &Transaction<'_>,
    new: &NewPolicyVersion,
    made_by: Option<UserId>,
    now: Timestamp,
) -> Result<PolicyVersionId, StoreError> {
    let base = match made_by {
        Some(_) => ruling(tx, new.of)?.map(|known| known.hash),
        None => None,
    };
    tx.execute(
        "insert into policy_versions (account_id, name, text, sha256, made_by, made_at, why, four_eyes, recounts, rules,
           base_sha256)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            new.of.account().map(|id| id.0),
            new.name,
            new.text,
            new.hash.bytes(),
            made_by.map(|id| id.0),
            ms(now),
            new.why,
            new.four_eyes,
            new.recounts,
            new.of.is_rules(),
            base.as_ref().map(|base| base.bytes().as_slice())
        ],
    )?;
    Ok(PolicyVersionId(tx.last_insert_rowid()))
}

impl Store {
    /// The versions that rule: the authority's, and those of accounts that have or had their own.
    pub async fn ruling_policies(
        &self,
    ) -> Result<BTreeMap<Option<AccountId>, PolicyVersion>, StoreError> {
        self.read(|c| {
            let sql = format!(
                "select {VERSION} where p.seq in (
                   select max(seq) from policy_versions where seq is not null and rules = 0
                   group by coalesce(account_id, 0))"
            );
            let all = rows(&mut c.prepare_cached(&sql)?, [], version)?;
            Ok(all.into_iter().map(|version| (version.of.account(), version)).collect())
        })
        .await
    }

    /// Every version of one policy, or of the rules, the newest first.
    pub async fn policy_versions(&self, of: Governs) -> Result<Vec<PolicyVersion>, StoreError> {
        self.read(move |c| {
            let sql = format!(
                "select {VERSION} where p.account_id is ?1 and p.rules = ?2 order by p.id desc"
            );
            rows(&mut c.prepare_cached(&sql)?, slot(of), version)
        })
        .await
    }

    /// Takes in what the file says, if that is another text than it last said: whoever changed the file meant
    /// it to rule. Says whether it was.
    pub async fn take_policy_file(
        &self,
        (account, name): (Option<AccountId>, String),
        (text, hash): (String, ContentHash),
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let last = maybe_row(
                &mut tx.prepare_cached(
                    "select sha256 from policy_versions where account_id is ?1 and rules = 0 and made_by is null
                     order by id desc limit 1",
                )?,
                [account.map(|id| id.0)],
                |row| super::value::hash("policy_versions", &row.get::<_, Vec<u8>>(0)?),
            )?;
            if last == Some(hash) {
                return Ok(false);
            }
            let why = match last {
                None => "Så stod det i filen när Uppsikt började föra versioner.",
                Some(_) => "Filen har ändrats på servern.",
            };
            let new = NewPolicyVersion {
                of: Governs::Policy(account),
                name,
                text,
                hash,
                why: why.into(),
                four_eyes: false,
                recounts: false,
                base: PolicyVersionId(0),
            };
            let id = insert(tx, &new, None, now)?;
            audit::append(tx, &line, now)?;
            begin(tx, the_version(tx, id)?, None, &[], now)?;
            Ok(true)
        })
        .await
    }

    /// Publishes a version, or proposes it where a second person has to approve.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where another version rules than the writer saw, or one waits already.
    pub async fn publish_policy(
        &self,
        new: NewPolicyVersion,
        by: UserId,
        moved: Vec<MovedDeadline>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<PolicyVersionId, StoreError> {
        self.write(move |tx| {
            demand_base(tx, new.of, new.base)?;
            let waits: bool = tx
                .prepare_cached(
                    "select exists (select 1 from policy_versions where account_id is ?1 and rules = ?2
                       and ruled_from is null and withdrawn_at is null)",
                )?
                .query_row(slot(new.of), |row| row.get(0))?;
            if waits {
                return Err(StoreError::Refused {
                    why: "Ett förslag väntar redan på godkännande. Godkänn det eller dra tillbaka det först. Inget är publicerat.".into(),
                });
            }
            let id = insert(tx, &new, Some(by), now)?;
            audit::append(tx, &line, now)?;
            if !new.four_eyes {
                begin(tx, the_version(tx, id)?, None, &moved, now)?;
            }
            Ok(id)
        })
        .await
    }

    /// Approves a version that waits, so that it rules from now on.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it waits no more, another version rules than its writer saw, or it is one's own.
    pub async fn approve_policy(
        &self,
        id: PolicyVersionId,
        (base, by): (PolicyVersionId, UserId),
        moved: Vec<MovedDeadline>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let version = the_version(tx, id)?;
            if !version.waits() {
                return Err(StoreError::Refused { why: "Förslaget väntar inte längre.".into() });
            }
            demand_base(tx, version.of, base)?;
            demand_same_base(tx, &version)?;
            if version.made_by.as_ref().is_some_and(|(made_by, _)| *made_by == by) {
                return Err(StoreError::Refused {
                    why:
                        "Den som skrev förslaget kan inte godkänna det. Be en annan administratör."
                            .into(),
                });
            }
            audit::append(tx, &line, now)?;
            begin(tx, version, Some(by), &moved, now)
        })
        .await
    }

    /// Moves deadlines that were set while a version began to rule.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_deadlines(
        &self,
        version: PolicyVersion,
        moved: Vec<MovedDeadline>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| move_deadlines(tx, &version, &moved, now)).await
    }

    /// Tells administrators of a version that rules and cannot be read, as a task; the same once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tell_unread_policy(
        &self,
        version: PolicyVersionId,
        problem: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let key = format!("policy unread {version} {}", env!("CARGO_PKG_VERSION"));
            let subject = "En publicerad riktlinje kan inte läsas";
            tell_trouble(tx, &key, "policy", None, "administratören", subject, &problem, now)
        })
        .await
    }

    /// Tells administrators of own rules that this program refuses, as a task; the same once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tell_refused_rules(
        &self,
        version: PolicyVersionId,
        problem: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let key = format!("rules refused {version} {}", env!("CARGO_PKG_VERSION"));
            let subject = "De egna reglerna godtas inte av den här versionen av Uppsikt";
            tell_trouble(tx, &key, "policy", None, "administratören", subject, &problem, now)
        })
        .await
    }

    /// Takes back a version that waits.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it waits no more.
    pub async fn withdraw_policy(
        &self,
        id: PolicyVersionId,
        by: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            if !the_version(tx, id)?.waits() {
                return Err(StoreError::Refused { why: "Förslaget väntar inte längre.".into() });
            }
            audit::append(tx, &line, now)?;
            tx.execute(
                "update policy_versions set withdrawn_at = ?2, withdrawn_by = ?3 where id = ?1",
                params![id.0, ms(now), by.0],
            )?;
            Ok(())
        })
        .await
    }

    /// Cases that wait for a decision, by number from `after` on, at most `most`.
    pub async fn open_cases(&self, after: CaseId, most: u32) -> Result<Vec<OpenCase>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select k.id, i.account_id, i.kind,
                       case when v.number = 1 then coalesce(i.created_at, v.fetched_at)
                            else coalesce(v.edited_at, v.fetched_at) end,
                       v.fetched_at, k.due_at, d.verdict, k.secret or i.no_copy
                     from cases k join items i on i.id = k.item_id join versions v on v.id = k.version_id
                     left join verdicts d on d.version_id = v.id and d.lexicon = v.assessed_by
                     where k.id > ?1 and k.state in ('waiting', 'returned') order by k.id limit ?2",
                )?,
                params![after.0, most],
                |row| {
                    let verdict: Option<String> = row.get(6)?;
                    Ok(OpenCase {
                        case: CaseId(row.get(0)?),
                        account: AccountId(row.get(1)?),
                        kind: item_kind(&row.get::<_, String>(2)?)?,
                        received_at: assessments::received_at(at(row.get(3)?)?, at(row.get(4)?)?),
                        due_at: at(row.get(5)?)?,
                        verdict: verdict
                            .map(|v| from_json::<Verdict>("verdicts", &v))
                            .transpose()?,
                        is_shut: row.get(7)?,
                    })
                },
            )
        })
        .await
    }

    /// Versions that came to rule, after `after`, in order, for verification.
    pub async fn policy_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<PolicyFacts>>, StoreError> {
        self.read(move |c| {
            let sql = format!(
                "select {VERSION} where p.id > ?1 and p.seq is not null order by p.id limit ?2"
            );
            each_row(&mut c.prepare_cached(&sql)?, params![after, most], |row| {
                let known = version(row)?;
                let facts = RuledFacts {
                    row: known.id.0,
                    case: None,
                    user: known.made_by.as_ref().map_or(0, |(id, _)| id.0),
                    at: known
                        .ruled_from
                        .ok_or_else(|| StoreError::row("policy_versions", known.id))?,
                    words: words(&known),
                    log_seq: known
                        .seq
                        .ok_or_else(|| StoreError::row("policy_versions", known.id))?,
                };
                Ok(PolicyFacts { facts, rest: rest(&known) })
            })
        })
        .await
    }
}
