//! Whose rules an account's content is disposed of by: a decision on disposal binds the body that made it,
//! and no other (*arkivlagen 1990:782 10 §*). A municipal company has its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::account::{Account, PlatformKind};
use crate::domain::ids::{AccountId, AccountKey};
use crate::domain::policy::Policy;
use crate::domain::retention::{Disposal, DisposalLine, Retention};

/// The policies in force: the authority's, and those of accounts that have their own.
#[derive(Clone, Debug)]
pub struct Policies {
    authority: Arc<Policy>,
    accounts: BTreeMap<AccountKey, Option<Arc<Policy>>>,
}

/// A policy with the accounts that go by it.
#[derive(Clone, Debug)]
pub struct Group {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The accounts, by key.
    pub accounts: Vec<Account>,
}

impl Group {
    /// The accounts.
    pub fn ids(&self) -> Vec<AccountId> {
        self.accounts.iter().map(|account| account.id).collect()
    }
}

impl Policies {
    /// The authority's policy, and each account of the settings with its own where it has one.
    pub fn new(
        authority: Arc<Policy>,
        accounts: impl Iterator<Item = (AccountKey, Option<Arc<Policy>>)>,
    ) -> Self {
        Self { authority, accounts: accounts.collect() }
    }

    /// The policy of an account. None where the account is in the settings no more: nobody can tell whose
    /// rules it went by.
    fn of(&self, account: &Account) -> Option<&Arc<Policy>> {
        match self.accounts.get(&account.key) {
            Some(own) => Some(own.as_ref().unwrap_or(&self.authority)),
            // What an editor records is the authority's own.
            None => (account.platform == PlatformKind::Manual).then_some(&self.authority),
        }
    }

    /// The accounts by policy, the authority's first, also where no account goes by it; and those whose
    /// policy is not known.
    pub fn groups(&self, accounts: Vec<Account>) -> (Vec<Group>, Vec<Account>) {
        let mut groups = vec![Group { policy: self.authority.clone(), accounts: Vec::new() }];
        let mut unknown = Vec::new();
        for account in accounts {
            let Some(policy) = self.of(&account) else {
                unknown.push(account);
                continue;
            };
            let known = groups.iter_mut().find(|group| group.policy.version == policy.version);
            match known {
                Some(group) => group.accounts.push(account),
                None => groups.push(Group { policy: policy.clone(), accounts: vec![account] }),
            }
        }
        (groups, unknown)
    }
}

/// What the rules say, or why nothing is due, in Swedish.
///
/// # Errors
/// The reason.
pub fn rules(policy: &Policy) -> Result<(&Retention, &str), String> {
    let retention = policy.retention.as_ref().ok_or(
        "Riktlinjen säger inget om gallring. Lägg till avsnittet [retention] i riktlinjens fil; då står här vad som kan gallras.",
    )?;
    let decision = retention.decision.as_deref().ok_or(
        "Riktlinjen anger inget gallringsbeslut, så ingenting får gallras (arkivlagen 10 §). Skriv in beslutet som `decision` i avsnittet [retention].",
    )?;
    Ok((retention, decision))
}

/// Why a proposal may not be carried out any more, in Swedish: its policy is no longer in force, or allows
/// no disposal, or not of this.
///
/// # Errors
/// The reason.
pub fn still_allowed<'g>(
    groups: &'g [Group],
    row: &Disposal,
    lines: &[DisposalLine],
    now: jiff::Timestamp,
) -> Result<&'g Group, String> {
    const AGAIN: &str = "Dra tillbaka förslaget och föreslå på nytt.";
    let group =
        groups.iter().find(|group| group.policy.version == row.policy).ok_or_else(|| {
            format!("Den riktlinje som gallringen föreslogs enligt gäller inte längre. {AGAIN}")
        })?;
    let (retention, decision) = rules(&group.policy)?;
    if decision != row.decision || retention.plan != row.plan {
        return Err(format!(
            "Riktlinjen har fått ett annat gallringsbeslut sedan gallringen föreslogs. {AGAIN}"
        ));
    }
    let not_due = lines
        .iter()
        .find(|line| retention.due(line.class, line.closed_at).is_none_or(|due_at| due_at > now));
    match not_due {
        Some(line) => {
            Err(format!("Ärende {} får inte gallras än enligt riktlinjen. {AGAIN}", line.case))
        }
        None => Ok(group),
    }
}
