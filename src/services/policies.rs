//! The policies that rule (*riktlinjer*): changed on the page or in their files, version by version.
//!
//! **Which one rules.** What was changed last. A version published on the page rules at once, without a restart. The
//! file that the settings name is read at the start; is it another text than it was, it becomes a version of its own
//! and rules from then on, since whoever changed it on the server meant it to. A file that stays as it is never takes
//! back what was published after it.
//!
//! **What cannot be read.** A later program may refuse a text that an earlier one took. Then the last version that can be
//! read stands in for deadlines and suggestions; nothing is removed or disposed of, since nobody has decided that it
//! rules now, and administrators have a task. What the unread text may demand is demanded: a second person approves
//! whatever is published instead ([`Policy::doubted`]).
//!
//! A decision keeps the version that it was made under: by its hash, which finds the text here for as long as there
//! is a database.

pub(super) mod due;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::changes::{Stretch, by_lines};
use crate::domain::ids::{AccountId, CaseId, PolicyVersionId};
use crate::domain::person::Act;
use crate::domain::policy::Policy;
use crate::domain::policy_version::{Governs, PolicyVersion};
use crate::domain::policy_words::{listed, said, whole};
use crate::domain::text::{hidden_at, mark};
use crate::store::Store;
use crate::store::rows::AuditLine;
use crate::store::sqlite::policies::{MovedDeadline, NewPolicyVersion, OpenCase};

use super::corrections::reason;
use super::{ServiceError, Services, Viewer};

use due::{Due, due_by};

/// The authority's policy in addresses.
pub const AUTHORITY: &str = "myndigheten";
/// Open cases are read so many at a time.
const PAGE: u32 = 500;
/// So many changed suggestions are told one by one.
const TOLD: usize = 30;

/// Something wrong in a policy's text, in Swedish, with its mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What, and how to mend it.
    pub what: String,
}

/// Reads a policy's text: whether it is the authority's (then what the settings say beside it holds), and the text.
pub type Read = Arc<dyn Fn(bool, &str) -> Result<Policy, Vec<Fault>> + Send + Sync>;

/// A policy that is built into the program: copied, never changed.
#[derive(Clone, Debug)]
pub struct Ready {
    /// What it is called in addresses.
    pub id: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// What changing policies takes, which the settings' layer knows.
#[derive(Clone)]
pub struct Desk {
    /// Reads a text.
    pub read: Read,
    /// The ready ones.
    pub ready: Vec<Ready>,
}

/// A policy with its stricter twin.
#[derive(Clone, Debug)]
struct Twins {
    plain: Arc<Policy>,
    strict: Arc<Policy>,
}

impl Twins {
    fn new(policy: Policy) -> Self {
        Self { strict: Arc::new(policy.stricter()), plain: Arc::new(policy) }
    }
}

#[derive(Clone, Debug)]
struct Held {
    authority: Twins,
    accounts: BTreeMap<AccountId, Twins>,
}

/// The policies in force, and those of the files.
#[derive(Debug)]
pub(super) struct InForce {
    held: RwLock<Held>,
    files: BTreeMap<Option<AccountId>, Policy>,
}

impl InForce {
    /// Those of the files, until the versions are read.
    pub(super) fn new(authority: Policy, accounts: BTreeMap<AccountId, Policy>) -> Self {
        let twins = accounts.iter().map(|(id, policy)| (*id, Twins::new(policy.clone())));
        let held = Held { authority: Twins::new(authority.clone()), accounts: twins.collect() };
        let own = accounts.into_iter().map(|(id, policy)| (Some(id), policy));
        let files = own.chain([(None, authority)]).collect();
        Self { held: RwLock::new(held), files }
    }

    fn held(&self) -> std::sync::RwLockReadGuard<'_, Held> {
        // Whole values are put in; a panic leaves none half done.
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The authority's.
    pub(super) fn authority(&self) -> Arc<Policy> {
        self.held().authority.plain.clone()
    }

    /// An account's, or its stricter twin.
    pub(super) fn of(&self, account: AccountId, strict: bool) -> Arc<Policy> {
        let held = self.held();
        let twins = held.accounts.get(&account).unwrap_or(&held.authority);
        if strict { twins.strict.clone() } else { twins.plain.clone() }
    }

    /// The own policy of an account.
    pub(super) fn own(&self, account: AccountId) -> Option<Arc<Policy>> {
        self.held().accounts.get(&account).map(|twins| twins.plain.clone())
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Policy>> {
        let held = self.held();
        let own = held.accounts.values().map(|twins| twins.plain.clone());
        own.chain([held.authority.plain.clone()]).collect()
    }

    fn replace(&self, ruling: BTreeMap<Option<AccountId>, Policy>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for (account, policy) in ruling {
            match account {
                None => held.authority = Twins::new(policy),
                Some(account) => drop(held.accounts.insert(account, Twins::new(policy))),
            }
        }
    }
}

/// A version that rules and cannot be read.
#[derive(Clone, Debug)]
pub struct Unread {
    /// Which.
    pub version: PolicyVersionId,
    /// What people are told of it.
    pub words: String,
}

/// What rules by the versions; where there is none, the file. Where this program refuses its text, the last one that
/// can be read stands in, doubted. Says which ones those are.
///
/// # Errors
/// [`ServiceError`].
pub async fn ruling(
    store: &Store,
    read: &Read,
    files: &BTreeMap<Option<AccountId>, Policy>,
) -> Result<(BTreeMap<Option<AccountId>, Policy>, Vec<Unread>), ServiceError> {
    let versions = store.ruling_policies().await?;
    let (mut ruling, mut unread) = (BTreeMap::new(), Vec::new());
    for (account, file) in files {
        let read = |version: &PolicyVersion| read(account.is_none(), &version.text).ok();
        let version = versions.get(account).filter(|version| version.hash != file.version);
        let policy = match version.map(|version| (version, read(version))) {
            None => file.clone(),
            Some((_, Some(policy))) => policy,
            Some((version, None)) => {
                let mut earlier = store.policy_versions(Governs::Policy(*account)).await?;
                earlier.retain(|one| one.seq.is_some() && one.id != version.id);
                earlier.sort_by_key(|one| std::cmp::Reverse(one.seq));
                let last = earlier.iter().find_map(|one| Some((one.id, read(one)?)));
                let (from, policy) = match last {
                    Some((id, policy)) => (format!("version {id}"), policy),
                    None => ("filen på servern".to_owned(), file.clone()),
                };
                let words = format!(
                    "Riktlinjen {}, version {}, kan inte läsas av den här versionen av Uppsikt. Frister och förslag går efter {from}. Inget tas bort och inget gallras förrän en administratör har publicerat en riktlinje som går att läsa, och en annan har godkänt den: om den olästa kräver två personer går inte att veta. Där det bara finns en administratör ändras filen på servern i stället.",
                    version.name, version.id
                );
                let policy = policy.doubted(&words);
                unread.push(Unread { version: version.id, words });
                policy
            }
        };
        ruling.insert(*account, policy);
    }
    Ok((ruling, unread))
}

/// Every version of a policy, the newest first: the authority's, or that of the account with this key.
///
/// # Errors
/// [`ServiceError::NotFound`] where there is no such account.
pub async fn history(store: &Store, id: &str) -> Result<Vec<PolicyVersion>, ServiceError> {
    if id == AUTHORITY {
        return Ok(store.policy_versions(Governs::Policy(None)).await?);
    }
    let accounts = store.accounts().await?;
    let account = accounts.iter().find(|account| account.key.as_str() == id);
    let account = account.ok_or(ServiceError::NotFound { what: "account" })?;
    Ok(store.policy_versions(Governs::Policy(Some(account.id))).await?)
}

/// One of the policies in use.
#[derive(Clone, Debug)]
pub struct InUse {
    /// What it is called in addresses.
    pub id: String,
    /// Whose it is: the authority's, or an account's by name.
    pub whose: String,
    /// What rules.
    pub policy: Arc<Policy>,
    /// The accounts that go by it.
    pub accounts: Vec<String>,
    /// Every version, the newest first.
    pub versions: Vec<PolicyVersion>,
}

impl InUse {
    /// The version that rules.
    pub fn ruling(&self) -> Option<&PolicyVersion> {
        self.versions.iter().filter(|version| version.seq.is_some()).max_by_key(|v| v.seq)
    }

    /// The one that waits for a second person.
    pub fn waiting(&self) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.waits())
    }
}

/// A text that somebody wants to publish.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// Why.
    pub why: String,
    /// The version that ruled when it was begun.
    pub base: i64,
    /// Whether deadlines of open cases are counted anew.
    pub recounts: bool,
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// In both.
    Same(String),
    /// Before alone.
    Gone(String),
    /// Now alone.
    New(String),
    /// So many left out that are in both.
    Skipped(usize),
}

/// What would come of a text.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The policy's name.
    pub name: String,
    /// The files compared.
    pub text: Vec<Line>,
    /// What they say in words, compared.
    pub words: Vec<Line>,
    /// What it does to open cases.
    pub effects: Effects,
    /// Whether a second person has to approve.
    pub four_eyes: bool,
}

/// What a text comes to.
#[derive(Clone, Debug)]
pub enum Checked {
    /// It has faults, all that were found.
    Faulty(Vec<Fault>),
    /// It says nothing else than what rules.
    Same,
    /// It can be published.
    Fits(Box<Preview>),
}

/// What a version does to open cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// How many wait for a decision.
    pub n_open: usize,
    /// Deadlines that would move.
    pub moved: Vec<MovedDeadline>,
    /// How many would have another deadline, had theirs not been set for another reason (an edited text, a report).
    pub n_kept: usize,
    /// Suggestions that change: case, before, after.
    pub suggestions: Vec<(CaseId, String, String)>,
    /// How many more than stand there, those of shut cases among them.
    pub n_more: usize,
}

/// Two texts compared by lines, with what is alike far from any change left out.
pub fn compared(before: &str, now: &str) -> Vec<Line> {
    /// So many lines around a change are shown.
    const AROUND: usize = 2;
    let mut all = Vec::new();
    for stretch in by_lines(before, now) {
        match stretch {
            Stretch::Same(lines) => all.extend(lines.lines().map(|l| Line::Same(l.to_owned()))),
            Stretch::Gone(lines) => all.extend(lines.lines().map(|l| Line::Gone(l.to_owned()))),
            Stretch::New(lines) => all.extend(lines.lines().map(|l| Line::New(l.to_owned()))),
        }
    }
    let changed: BTreeSet<usize> = all
        .iter()
        .enumerate()
        .filter(|(_, line)| !matches!(line, Line::Same(_)))
        .flat_map(|(n, _)| n.saturating_sub(AROUND)..=n + AROUND)
        .collect();
    let mut shown = Vec::new();
    for (n, line) in all.into_iter().enumerate() {
        match (changed.contains(&n), shown.last_mut()) {
            (true, _) => shown.push(line),
            (false, Some(Line::Skipped(more))) => *more += 1,
            (false, _) => shown.push(Line::Skipped(1)),
        }
    }
    shown
}

/// Characters of a text that nobody sees, or that change how others are shown: a text that people work by says what
/// it shows.
pub fn hidden_faults(text: &str) -> Vec<Fault> {
    let hidden = text.lines().enumerate().flat_map(|(n, line)| {
        let at = hidden_at(line).into_iter();
        at.map(move |(byte, c)| Fault {
            line: n + 1,
            column: line[..byte].chars().count() + 1,
            what: format!("här står ett dolt tecken, {}: ta bort det", mark(c)),
        })
    });
    hidden.take(TOLD).collect()
}

/// What is suggested, in words.
fn suggested(policy: &Policy, case: &OpenCase) -> Option<String> {
    let proposal = policy.proposal(case.verdict.as_ref()?);
    let words: Vec<_> = proposal.choices.iter().map(|choice| said(*choice)).collect();
    let ground =
        proposal.ground.map_or_else(String::new, |ground| format!(" ({})", ground.label()));
    Some(format!("{}{ground}", listed(&words)))
}

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

impl Services {
    /// Takes in the files that were changed, and lets rule what rules. To be called at the start.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn open_policies(&self, desk: Desk) -> Result<(), ServiceError> {
        let now = self.inner.clock.now();
        for (account, policy) in &self.inner.policies.files {
            if policy.text.is_empty() {
                continue;
            }
            let line = AuditLine {
                user: None,
                user_name: "Uppsikt".into(),
                act: "policy.file",
                subject: self.policy_subject(*account),
                address: "local".into(),
                detail: Some(policy.version.to_string()),
            };
            let (name, text) = (policy.name.clone(), policy.text.to_string());
            let store = &self.inner.store;
            if store.take_policy_file((*account, name), (text, policy.version), line, now).await? {
                tracing::info!(policy.version = %policy.version, "a policy was read from its file");
            }
        }
        // Nobody opens twice.
        drop(self.inner.policy_desk.set(desk));
        self.note_log().await;
        self.load_policies().await
    }

    fn policy_subject(&self, account: Option<AccountId>) -> String {
        format!("policy {}", account.map_or_else(|| AUTHORITY.into(), |id| id.to_string()))
    }

    pub(super) fn desk(&self) -> Result<&Desk, ServiceError> {
        match self.inner.policy_desk.get() {
            Some(desk) => Ok(desk),
            None => refused("Riktlinjer kan inte ändras här: Uppsikt startades utan dem."),
        }
    }

    async fn load_policies(&self) -> Result<(), ServiceError> {
        // One after the other: a map that was read before somebody else's change would take that back.
        let _turn = self.inner.policy_turn.lock().await;
        let desk = self.desk()?;
        let in_force = &self.inner.policies;
        let (ruling, unread) = ruling(&self.inner.store, &desk.read, &in_force.files).await?;
        for Unread { version, words } in unread {
            tracing::error!(policy.row = %version, "a published policy cannot be read; nothing is removed by another");
            let now = self.inner.clock.now();
            self.inner.store.tell_unread_policy(version, words, now).await?;
        }
        in_force.replace(ruling);
        Ok(())
    }

    /// The policies that are built in.
    pub fn ready_policies(&self) -> &[Ready] {
        self.inner.policy_desk.get().map_or(&[], |desk| &desk.ready)
    }

    /// A built-in policy in words.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub fn ready_policy(&self, viewer: &Viewer, id: &str) -> Result<(Ready, String), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let desk = self.desk()?;
        let ready = desk.ready.iter().find(|ready| ready.id == id);
        let ready = ready.ok_or(ServiceError::NotFound { what: "policy" })?.clone();
        let read = (desk.read)(false, ready.text);
        let words = read.map(|policy| whole(&policy)).unwrap_or_default();
        Ok((ready, words))
    }

    /// What a text says in words; nothing where this program refuses it.
    pub fn policy_words(&self, text: &str) -> String {
        let read = self.inner.policy_desk.get().map(|desk| (desk.read)(false, text));
        read.and_then(Result::ok).map(|policy| whole(&policy)).unwrap_or_default()
    }

    /// The policies in use, the authority's first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn policies(&self, viewer: &Viewer) -> Result<Vec<InUse>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let accounts = self.inner.store.accounts().await?;
        let mut found = Vec::new();
        for slot in self.inner.policies.files.keys() {
            let own = slot.and_then(|id| accounts.iter().find(|account| account.id == id));
            let goes_by = accounts.iter().filter(|account| self.policy_slot(account.id) == *slot);
            found.push(InUse {
                id: own.map_or_else(|| AUTHORITY.into(), |account| account.key.as_str().to_owned()),
                whose: own.map_or_else(|| self.authority().into(), |account| account.name.clone()),
                policy: match slot {
                    Some(id) => self.inner.policies.of(*id, false),
                    None => self.inner.policies.authority(),
                },
                accounts: goes_by.map(|account| account.name.clone()).collect(),
                versions: self.inner.store.policy_versions(Governs::Policy(*slot)).await?,
            });
        }
        Ok(found)
    }

    pub(super) fn policy_slot(&self, account: AccountId) -> Option<AccountId> {
        self.inner.policies.files.contains_key(&Some(account)).then_some(account)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn policy_in_use(&self, viewer: &Viewer, id: &str) -> Result<InUse, ServiceError> {
        let all = self.policies(viewer).await?;
        all.into_iter().find(|one| one.id == id).ok_or(ServiceError::NotFound { what: "policy" })
    }

    /// Whose a policy is that is in use.
    async fn slot_of(&self, id: &str) -> Result<Option<AccountId>, ServiceError> {
        if id == AUTHORITY {
            return Ok(None);
        }
        let accounts = self.inner.store.accounts().await?;
        let found = accounts.iter().find(|account| account.key.as_str() == id);
        match found.and_then(|account| self.policy_slot(account.id)) {
            Some(account) => Ok(Some(account)),
            None => Err(ServiceError::NotFound { what: "policy" }),
        }
    }

    /// What the open cases of its accounts would meet under another policy.
    async fn effects(
        &self,
        slot: Option<AccountId>,
        new: &Policy,
    ) -> Result<Effects, ServiceError> {
        let strict = self.inner.strict.read().unwrap_or_else(PoisonError::into_inner).clone();
        let new_strict = new.stricter();
        let (mut effects, mut after) = (Effects::default(), CaseId(0));
        loop {
            let page = self.inner.store.open_cases(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(effects) };
            after = last.case;
            for case in page.iter().filter(|case| self.policy_slot(case.account) == slot) {
                effects.n_open += 1;
                let Some(verdict) = &case.verdict else { continue };
                let is_strict = strict.contains(&case.account);
                let old = self.inner.policies.of(case.account, is_strict);
                let new = if is_strict { &new_strict } else { new };
                match due_by(case, verdict, &old, new) {
                    Due::Same => {}
                    Due::Moves(moved) => effects.moved.push(moved),
                    Due::Kept => effects.n_kept += 1,
                }
                let (Some(before), Some(now)) = (suggested(&old, case), suggested(new, case))
                else {
                    continue;
                };
                match (before == now, case.is_shut || effects.suggestions.len() >= TOLD) {
                    (true, _) => {}
                    (false, true) => effects.n_more += 1,
                    (false, false) => effects.suggestions.push((case.case, before, now)),
                }
            }
        }
    }

    /// What would come of a text: its faults, or how it differs and what it does to open cases.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`].
    pub async fn check_policy(
        &self,
        viewer: &Viewer,
        id: &str,
        text: &str,
    ) -> Result<Checked, ServiceError> {
        viewer.demand(Act::ManagePolicies)?;
        let slot = self.slot_of(id).await?;
        let old = match slot {
            Some(account) => self.inner.policies.of(account, false),
            None => self.inner.policies.authority(),
        };
        let hidden = hidden_faults(text);
        if !hidden.is_empty() {
            return Ok(Checked::Faulty(hidden));
        }
        let new = match (self.desk()?.read)(slot.is_none(), text) {
            Ok(policy) => policy,
            Err(faults) => return Ok(Checked::Faulty(faults)),
        };
        // What stands in for one that cannot be read rules only once somebody has published it.
        if new.version == old.version && old.doubt.is_none() {
            return Ok(Checked::Same);
        }
        Ok(Checked::Fits(Box::new(Preview {
            name: new.name.clone(),
            text: compared(&old.text, text),
            words: compared(&whole(&old), &whole(&new)),
            effects: self.effects(slot, &new).await?,
            four_eyes: old.duties.changed_by_two,
        })))
    }

    /// Publishes a text, or proposes it where the policy that rules asks for a second person. Says whether it rules.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn publish_policy(
        &self,
        viewer: &Viewer,
        id: &str,
        draft: &Draft,
    ) -> Result<bool, ServiceError> {
        let preview = match self.check_policy(viewer, id, &draft.text).await? {
            Checked::Fits(preview) => preview,
            Checked::Same => {
                return refused("Texten säger samma sak som den som gäller. Inget är publicerat.");
            }
            Checked::Faulty(_) => {
                return refused("Texten har fel som måste rättas först. Inget är publicerat.");
            }
        };
        let why = reason(&draft.why)?;
        let account = self.slot_of(id).await?;
        let new = match (self.desk()?.read)(account.is_none(), &draft.text) {
            Ok(policy) => policy,
            Err(_) => {
                return refused("Texten har fel som måste rättas först. Inget är publicerat.");
            }
        };
        let four_eyes = preview.four_eyes;
        let act = if four_eyes { "policy.propose" } else { "policy.publish" };
        let line = AuditLine {
            detail: Some(format!("{}: {why}", new.version)),
            ..viewer.line(act, self.policy_subject(account))
        };
        let moved = if draft.recounts { preview.effects.moved } else { Vec::new() };
        let cases: Vec<_> = moved.iter().map(|moved| moved.case).collect();
        let new = NewPolicyVersion {
            of: Governs::Policy(account),
            name: new.name,
            text: draft.text.clone(),
            hash: new.version,
            why,
            four_eyes,
            recounts: draft.recounts,
            base: PolicyVersionId(draft.base),
        };
        let now = self.inner.clock.now();
        let moved = if four_eyes { Vec::new() } else { moved };
        self.inner.store.publish_policy(new, viewer.user, moved, line, now).await?;
        if !four_eyes {
            self.policy_changed(&cases).await?;
        }
        Ok(!four_eyes)
    }

    /// Approves a version that waits, so that it rules.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn approve_policy(
        &self,
        viewer: &Viewer,
        id: &str,
        version: i64,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::ManagePolicies)?;
        let slot = self.slot_of(id).await?;
        let in_use = self.policy_in_use(viewer, id).await?;
        let waiting = in_use.waiting().filter(|waiting| waiting.id.0 == version);
        let (Some(waiting), Some(base)) = (waiting, in_use.ruling()) else {
            return refused("Förslaget väntar inte längre.");
        };
        let Ok(new) = (self.desk()?.read)(slot.is_none(), &waiting.text) else {
            return refused(
                "Den här versionen av Uppsikt godtar inte texten. Dra tillbaka förslaget och skriv ett nytt.",
            );
        };
        let moved = match waiting.recounts {
            true => self.effects(slot, &new).await?.moved,
            false => Vec::new(),
        };
        let cases: Vec<_> = moved.iter().map(|moved| moved.case).collect();
        let line = AuditLine {
            detail: Some(format!("version {version}, {}", waiting.hash)),
            ..viewer.line("policy.approve", self.policy_subject(slot))
        };
        let (base, now) = ((base.id, viewer.user), self.inner.clock.now());
        self.inner.store.approve_policy(waiting.id, base, moved, line, now).await?;
        self.policy_changed(&cases).await
    }

    /// Takes back a version that waits.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn withdraw_policy(
        &self,
        viewer: &Viewer,
        id: &str,
        version: i64,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::ManagePolicies)?;
        let in_use = self.policy_in_use(viewer, id).await?;
        if in_use.waiting().is_none_or(|waiting| waiting.id.0 != version) {
            return refused("Förslaget väntar inte längre.");
        }
        let line = AuditLine {
            detail: Some(format!("version {version}")),
            ..viewer.line("policy.withdraw", self.policy_subject(self.slot_of(id).await?))
        };
        let now = self.inner.clock.now();
        Ok(self
            .inner
            .store
            .withdraw_policy(PolicyVersionId(version), viewer.user, line, now)
            .await?)
    }

    async fn policy_changed(&self, cases: &[CaseId]) -> Result<(), ServiceError> {
        self.load_policies().await?;
        self.note_log().await;
        self.tell_cases(cases);
        tracing::info!(n_cases = cases.len(), "a version of a policy rules from now on");
        Ok(())
    }
}
