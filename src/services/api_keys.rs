//! Keys for programs (*API-nycklar*): made and revoked by an administrator, shown once, kept as a hash.
//!
//! A program is let in as the user that its key acts for: every act goes through the same checks of role, circle and
//! version as that person's own, and stands in the audit log with person and key. The key's scopes, accounts and
//! calls a minute only take away from that.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use crate::domain::account::Account;
use crate::domain::api_key::{
    Allowance, LONGEST_DAYS, MOST_PER_MIN, PREFIX_DIGITS, Scope, prefix_of, written,
};
use crate::domain::calendar::local;
use crate::domain::case::CaseState;
use crate::domain::ids::{
    AccountId, ApiKeyId, CaseId, ContentHash, DecisionId, EvidenceId, RegistrationId,
};
use crate::domain::person::Act;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::store::Store;
use crate::store::rows::AuditLine;
use crate::store::sqlite::api_keys::{ApiKeyRow, Before, NewApiKey, QueueMark};

use super::corrections::words;
use super::queue::{ClaimedBy, Filter, Line, claimed};
use super::session::random_hex;
use super::{ServiceError, Services, Viewer};

/// How often a key's use is noted: not at every call.
const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How long somebody is told of a key that was made for them.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(24 * 7);
/// The longest name, in characters.
const LONGEST_NAME: usize = 60;
/// When more keys than this have asked, those long quiet are forgotten.
const TIDY_AT: usize = 1_000;

/// A key, as pages and the command line show it.
pub type Known = ApiKeyRow;
/// What is known of an act that may have been sent before.
pub type Once = Before;

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// What it is called.
    pub name: String,
    /// Login name of whom it acts for.
    pub login: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// Keys of the accounts it is for; none: all.
    pub accounts: BTreeSet<String>,
    /// Days until it ends.
    pub days: u32,
    /// Calls a minute.
    pub per_min: u32,
}

/// A program that has shown its key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whom it acts for, with the key's shown part.
    pub viewer: Viewer,
    /// The key.
    pub key: ApiKeyId,
    /// What the key is called.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// The accounts it is for; none: all.
    pub accounts: BTreeSet<AccountId>,
    /// Calls a minute.
    pub per_min: u32,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Caller {
    /// Whether the key is for this account.
    pub fn reaches(&self, account: AccountId) -> bool {
        self.accounts.is_empty() || self.accounts.contains(&account)
    }
}

/// How many calls each key has left.
#[derive(Debug, Default)]
pub struct Meter(Mutex<BTreeMap<ApiKeyId, (u32, Allowance)>>);

impl Meter {
    /// Takes one call of a key.
    ///
    /// # Errors
    /// Seconds until there is one again.
    pub fn take(&self, key: ApiKeyId, per_min: u32, now: Timestamp) -> Result<(), u64> {
        let now_ms = now.as_millisecond();
        // Short sections that cannot leave anything half done.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > TIDY_AT {
            all.retain(|_, (per_min, left)| !left.is_full(*per_min, now_ms));
        }
        let (_, left) =
            all.entry(key).or_insert_with(|| (per_min, Allowance::full(per_min, now_ms)));
        left.take(per_min, now_ms)
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

/// Makes a key. What comes back is the only time that it can be seen whole. `by`: who makes it, and the line of the
/// audit log without what it is about.
/// Who sets a system up may neither decide nor read sealed evidence through somebody else's key.
const FOR_OTHERS: &str = "Här gör du bara nycklar för dig själv: en nyckel får göra allt som den användare får som den handlar för. Nycklar för andra gör den som sköter servern, med uppsikt keys add.";

async fn make(
    store: &Store,
    wanted: &Wanted,
    by: String,
    line: AuditLine,
    now: Timestamp,
) -> Result<(ApiKeyId, Secret), ServiceError> {
    let name = words(&wanted.name, "Namnet")?;
    if name.is_empty() || name.contains('\n') || name.chars().count() > LONGEST_NAME {
        return refused("Ge nyckeln ett namn på högst 60 tecken, till exempel Diariesystemet.");
    }
    if wanted.scopes.is_empty() {
        return refused("Välj minst en behörighet.");
    }
    if !(1..=LONGEST_DAYS).contains(&wanted.days) {
        return refused(format!("En nyckel gäller i 1 till {LONGEST_DAYS} dagar."));
    }
    if !(1..=MOST_PER_MIN).contains(&wanted.per_min) {
        return refused(format!("En nyckel får 1 till {MOST_PER_MIN} anrop i minuten."));
    }
    let user = match store.user_by_login(wanted.login.trim().to_lowercase()).await? {
        Some((user, _)) if user.active => user,
        Some(_) | None => {
            return refused(
                "Den som nyckeln handlar för finns inte eller är avstängd. Välj någon i listan.",
            );
        }
    };
    let mut accounts = BTreeSet::new();
    let known = store.accounts().await?;
    for key in &wanted.accounts {
        match known.iter().find(|account| account.key.as_str() == key) {
            Some(account) => accounts.insert(account.id),
            None => return refused(format!("Kontot {key} finns inte.")),
        };
    }
    let (shown, secret) = (random_hex()?, random_hex()?);
    let prefix = shown[..PREFIX_DIGITS].to_owned();
    let token = Secret::new(written(&prefix, &secret));
    let expires_at = now
        .checked_add(SignedDuration::from_hours(24 * i64::from(wanted.days)))
        .map_err(|e| ServiceError::broken("end of a key", e))?;
    let scopes: Vec<_> = wanted.scopes.iter().map(|scope| scope.id()).collect();
    let line = AuditLine {
        subject: format!("api key {prefix}"),
        detail: Some(format!("{} för {}: {}", name, user.login, scopes.join(", "))),
        ..line
    };
    let key = NewApiKey {
        digest: ContentHash::of(token.expose().as_bytes()),
        prefix,
        name,
        user: user.id,
        scopes: wanted.scopes.clone(),
        accounts,
        per_min: wanted.per_min,
        made_by: by,
        expires_at,
    };
    Ok((store.add_api_key(key, line, now).await?, token))
}

fn at_hand(act: &'static str) -> AuditLine {
    AuditLine {
        user: None,
        user_name: "kommandoraden".into(),
        act,
        subject: String::new(),
        address: "local".into(),
        detail: None,
    }
}

/// Makes a key from the command line.
///
/// # Errors
/// [`ServiceError::Refused`] with words for the person.
pub async fn add(store: &Store, clock: &Clock, wanted: &Wanted) -> Result<Secret, ServiceError> {
    let made = make(store, wanted, "kommandoraden".into(), at_hand("key.add"), clock.now()).await;
    made.map(|(_, token)| token)
}

/// Every key there has been, newest first.
///
/// # Errors
/// [`ServiceError`].
pub async fn all(store: &Store) -> Result<Vec<Known>, ServiceError> {
    Ok(store.api_keys().await?)
}

/// Revokes a key from the command line, by what is shown of it.
///
/// # Errors
/// [`ServiceError::Refused`] with words for the person.
pub async fn revoke(store: &Store, clock: &Clock, prefix: &str) -> Result<(), ServiceError> {
    let Some(key) = store.api_key(prefix.to_owned()).await? else {
        return refused(format!(
            "Det finns ingen nyckel {prefix}. Visa dem med uppsikt keys list."
        ));
    };
    let line = AuditLine { subject: format!("api key {prefix}"), ..at_hand("key.revoke") };
    let was = store.revoke_api_key(key.id, "kommandoraden".into(), line, clock.now()).await?;
    if was { Ok(()) } else { refused("Nyckeln är redan återkallad.") }
}

/// Where a case stands after an act.
#[derive(Clone, Debug)]
pub struct Now {
    /// Where it stands.
    pub state: CaseState,
    /// Its revision.
    pub revision: u64,
    /// The decision that stands, and until when it can be undone.
    pub decision: Option<(DecisionId, Timestamp)>,
    /// Who works on it.
    pub claim: Option<ClaimedBy>,
}

/// A page of the queue as programs read it.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where the next page begins; nothing behind the last.
    pub next: Option<String>,
}

/// A mark as a program sees it: nothing to read in it.
fn cursor(mark: QueueMark) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}.{}", mark.rank, mark.at_ms, mark.case))
}

fn mark(cursor: &str) -> Option<QueueMark> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let mut parts = text.split('.').map(str::parse::<i64>);
    let (rank, at_ms, case) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    parts.next().is_none().then_some(QueueMark { rank, at_ms, case: CaseId(case) })
}

impl Services {
    /// Who shows this key. Nobody where it is none of ours, has ended or was revoked, or where its user may not
    /// log in: nobody is told which.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer.
    pub async fn caller(&self, key: &str, address: IpAddr) -> Result<Option<Caller>, ServiceError> {
        let Some(prefix) = prefix_of(key) else { return Ok(None) };
        let given = ContentHash::of(key.as_bytes());
        let Some(row) = self.inner.store.api_key(prefix.to_owned()).await? else { return Ok(None) };
        let now = self.inner.clock.now();
        // The whole is compared, so that the time taken tells nothing of how much of it fits.
        let fits: bool = row.digest.bytes().ct_eq(given.bytes()).into();
        if !fits || row.revoked.is_some() || row.expires_at <= now || !row.user.active {
            return Ok(None);
        }
        if row.used_at.is_none_or(|at| now.duration_since(at) >= SEEN_EVERY)
            && let Err(error) = self.inner.store.note_api_key(row.id, now).await
        {
            // Where nothing can be written, reading goes on.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the use of a key could not be noted");
        }
        Ok(Some(Caller {
            viewer: Viewer {
                user: row.user.id,
                name: row.user.name,
                title: row.user.title,
                role: row.user.role,
                address,
                key: Some(row.prefix),
            },
            key: row.id,
            name: row.name,
            scopes: row.scopes,
            accounts: row.accounts,
            per_min: row.per_min,
            expires_at: row.expires_at,
        }))
    }

    /// Every key there has been.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn api_keys(&self, viewer: &Viewer) -> Result<Vec<Known>, ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        all(&self.inner.store).await
    }

    /// The keys in force that act for whoever asks.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn own_api_keys(&self, viewer: &Viewer) -> Result<Vec<Known>, ServiceError> {
        let now = self.inner.clock.now();
        let mut keys = all(&self.inner.store).await?;
        keys.retain(|key| {
            key.user.id == viewer.user && key.revoked.is_none() && key.expires_at > now
        });
        Ok(keys)
    }

    /// What somebody is told for whom a key was made lately by another person.
    pub(super) async fn key_notices(&self, viewer: &Viewer) -> Result<Vec<String>, ServiceError> {
        let since = self.inner.clock.now() - TOLD_FOR;
        let new = self.own_api_keys(viewer).await?.into_iter();
        let new = new.filter(|key| key.made.0 >= since && key.made.1 != viewer.name);
        Ok(new
            .map(|key| {
                let day = local(key.made.0).strftime("%Y-%m-%d");
                format!(
                    "{} skapade den {day} API-nyckeln {} som handlar i ditt namn. Den står på din sida Din inloggning. Känner du inte till den: be en administratör återkalla den.",
                    key.made.1, key.name
                )
            })
            .collect())
    }

    /// Whom a key can act for: login and name.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn key_users(&self, viewer: &Viewer) -> Result<Vec<(String, String)>, ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let users = self.inner.store.users().await?.into_iter().filter(|user| user.active);
        Ok(users
            .map(|user| (user.login, format!("{}, {}", user.name, user.role.label())))
            .collect())
    }

    /// The accounts a key can be for.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn key_accounts(&self, viewer: &Viewer) -> Result<Vec<Account>, ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        Ok(self.inner.store.accounts().await?)
    }

    /// Makes a key. What comes back is the only time that it can be seen whole.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] with words for the person.
    pub async fn add_api_key(
        &self,
        viewer: &Viewer,
        wanted: &Wanted,
    ) -> Result<(ApiKeyId, Secret), ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let login = wanted.login.trim().to_lowercase();
        let own = self.inner.store.user_by_login(login).await?;
        let is_own = own.is_some_and(|(user, _)| user.id == viewer.user);
        if !is_own && !self.inner.settings.hooks.keys_for_others {
            return refused(FOR_OTHERS);
        }
        let line = viewer.line("key.add", "");
        let now = self.inner.clock.now();
        make(&self.inner.store, wanted, viewer.name.clone(), line, now).await
    }

    /// Revokes a key: it is of no use from now on.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] where it was revoked already.
    pub async fn revoke_api_key(&self, viewer: &Viewer, key: ApiKeyId) -> Result<(), ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let known = self.inner.store.api_keys().await?.into_iter().find(|row| row.id == key);
        let Some(known) = known else { return Err(ServiceError::NotFound { what: "key" }) };
        let line = viewer.line("key.revoke", format!("api key {}", known.prefix));
        let now = self.inner.clock.now();
        match self.inner.store.revoke_api_key(key, viewer.name.clone(), line, now).await? {
            true => Ok(()),
            false => refused("Nyckeln är redan återkallad."),
        }
    }

    /// A case that a program names, where its key is for the account.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also of what the key is not for.
    pub async fn within(&self, caller: &Caller, case: CaseId) -> Result<CaseId, ServiceError> {
        let account = self.inner.store.account_of_case(case).await?;
        if caller.reaches(account) {
            Ok(case)
        } else {
            Err(ServiceError::NotFound { what: "case" })
        }
    }

    /// The same for the case of a registration.
    ///
    /// # Errors
    /// As [`Services::within`].
    pub async fn registration_within(
        &self,
        caller: &Caller,
        registration: RegistrationId,
    ) -> Result<CaseId, ServiceError> {
        let case = self.case_of_registration(&caller.viewer, registration).await?;
        self.within(caller, case).await
    }

    /// The same for a record.
    ///
    /// # Errors
    /// As [`Services::within`].
    pub async fn record_within(
        &self,
        caller: &Caller,
        record: EvidenceId,
    ) -> Result<EvidenceId, ServiceError> {
        let account = self.inner.store.account_of_record(record).await?;
        match caller.reaches(account) {
            true => Ok(record),
            false => Err(ServiceError::NotFound { what: "evidence" }),
        }
    }

    /// A page of the queue in its order, each case by itself, beginning behind a cursor.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where there is no such account for the key; [`ServiceError::Refused`] for a cursor
    /// that is none.
    pub async fn stretch(
        &self,
        caller: &Caller,
        filter: Filter,
        account: Option<&str>,
        behind: Option<&str>,
        most: u32,
    ) -> Result<Stretch, ServiceError> {
        caller.viewer.demand(Act::ReadCases)?;
        let behind = match behind.map(mark) {
            Some(None) => {
                return refused("Markören är ingen som Uppsikt har gett. Börja från början.");
            }
            Some(Some(mark)) => Some(mark),
            None => None,
        };
        let store = &self.inner.store;
        let only = match account {
            Some(key) => {
                let known = store.accounts().await?.into_iter();
                let mut known = known.filter(|a| a.key.as_str() == key && caller.reaches(a.id));
                let found = known.next().ok_or(ServiceError::NotFound { what: "account" })?;
                vec![Some(found.id)]
            }
            None if caller.accounts.is_empty() => vec![None],
            None => caller.accounts.iter().copied().map(Some).collect(),
        };
        let filter = filter.row();
        let mut marks: Vec<QueueMark> = Vec::new();
        for account in only {
            // One more than a page holds tells whether there are more.
            marks.extend(store.queue_behind(filter, account, behind, most + 1).await?);
        }
        marks.sort_by(|a, b| match (a.stands_before(b, filter), b.stands_before(a, filter)) {
            (true, _) => std::cmp::Ordering::Less,
            (false, true) => std::cmp::Ordering::Greater,
            (false, false) => std::cmp::Ordering::Equal,
        });
        let more = marks.len() > most as usize;
        marks.truncate(most as usize);
        let next = marks.last().filter(|_| more).copied().map(cursor);
        let went_on = store.last_steps(marks.iter().map(|mark| mark.case).collect()).await?;
        let mut lines = Vec::new();
        for mark in marks {
            let went_on_to = went_on.get(&mark.case).copied();
            lines.push(Line { went_on_to, ..self.unasked_line(mark.case).await? });
        }
        self.name_lines(&mut lines).await?;
        Ok(Stretch { lines, next })
    }

    /// Where a case stands, for whoever has just acted on it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn case_now(&self, caller: &Caller, case: CaseId) -> Result<Now, ServiceError> {
        caller.viewer.demand(Act::ReadCases)?;
        self.demand_open(&caller.viewer, case).await?;
        let row = self.inner.store.case(case).await?;
        let standing = self.inner.store.standing_decision(case).await?;
        Ok(Now {
            state: row.state,
            revision: row.revision,
            decision: standing.map(|decision| (decision.id, decision.undo_until)),
            claim: claimed(row.claim, self.inner.clock.now()),
        })
    }

    /// The keys of the accounts that a program may see; nothing where all.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn accounts_of_key(
        &self,
        caller: &Caller,
    ) -> Result<Option<Vec<String>>, ServiceError> {
        if caller.accounts.is_empty() {
            return Ok(None);
        }
        let known = self.inner.store.accounts().await?.into_iter();
        let known = known.filter(|account| caller.reaches(account.id));
        Ok(Some(known.map(|account| account.key.as_str().to_owned()).collect()))
    }

    /// Notes that an act is in hand, or says what became of the same one before.
    ///
    /// # Errors
    /// [`ServiceError`] where it cannot be noted: then it is not to be done.
    pub async fn begin_once(
        &self,
        caller: &Caller,
        token: &str,
        request: ContentHash,
    ) -> Result<Once, ServiceError> {
        let now = self.inner.clock.now();
        Ok(self.inner.store.begin_once(caller.key, token.to_owned(), request, now).await?)
    }

    /// Keeps what it was answered with, or that it was not done.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn end_once(
        &self,
        caller: &Caller,
        token: &str,
        answer: Option<(u16, String)>,
    ) -> Result<(), ServiceError> {
        Ok(self.inner.store.end_once(caller.key, token.to_owned(), answer).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_and_nothing_else_passes_for_one() {
        let one = QueueMark { rank: 2, at_ms: -5, case: CaseId(7) };
        assert_eq!(mark(&cursor(one)), Some(one));
        for wrong in
            ["", "x", "åäö", &URL_SAFE_NO_PAD.encode("1.2"), &URL_SAFE_NO_PAD.encode("1.2.3.4")]
        {
            assert_eq!(mark(wrong), None, "{wrong}");
        }
    }
}
