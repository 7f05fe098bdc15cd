//! Crisis mode (*krisläge*): begun and ended by one act of an administrator, or over by itself. While it stands
//! its accounts are read more often, rules may fire more often before they are set aside, and everybody who has
//! to do with an account is told of each new case at any hour.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use crate::domain::calendar::{local, stockholm};
use crate::domain::crisis::Crisis;
use crate::domain::duties::Duties;
use crate::domain::ids::AccountId;
use crate::domain::person::Act;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

use super::corrections::reason;
use super::{Served, ServiceError, Services, Viewer};

/// The longest, in days: what lasts longer is no crisis but how things are.
const LONGEST_DAYS: i64 = 30;

/// A crisis as typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// What happened.
    pub why: String,
    /// Keys of the accounts; none: all of them.
    pub accounts: Vec<String>,
    /// Login names of who is told beside the accounts' own people.
    pub people: Vec<String>,
    /// When it ends by itself, `2026-11-24T18:00`, Swedish time.
    pub until: String,
}

/// The page of crises.
#[derive(Clone, Debug)]
pub struct Board {
    /// The one that stands.
    pub standing: Option<Crisis>,
    /// Those that are over, the latest first.
    pub past: Vec<Crisis>,
    /// Accounts: row, key and name.
    pub accounts: Vec<(AccountId, String, String)>,
    /// Everybody who may log in: login and name.
    pub users: Vec<(String, String)>,
    /// When one that is begun now ends by the policy.
    pub usual_end: Timestamp,
    /// Who works with it by the policy.
    pub who: Option<String>,
    /// What it changes, in words.
    pub changes: Vec<String>,
}

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

/// When a crisis is to be over, from what was typed in Swedish time.
fn end(typed: &str, now: Timestamp) -> Result<Timestamp, ServiceError> {
    let until = typed.trim().parse::<DateTime>().ok();
    let until = until.and_then(|at| at.to_zoned(stockholm()).ok()).map(|at| at.timestamp());
    let Some(until) = until else {
        return refused("Skriv när krisläget ska ta slut, som 2026-11-24 18:00.");
    };
    if until <= now {
        return refused("Krisläget måste ta slut senare än nu.");
    }
    if until.duration_since(now) > SignedDuration::from_hours(24 * LONGEST_DAYS) {
        return refused(
            "Krisläget kan vara högst 30 dagar framåt. Flytta slutet senare om det behövs.",
        );
    }
    Ok(until)
}

/// What the audit log says of who sees and hears more while it stands.
fn switched(duties: &Duties) -> String {
    let queue = duties.crisis.central_queue.then_some("gemensam kö");
    let told = duties.crisis.tells_everybody.then_some("besked till alla");
    let words: Vec<_> = queue.into_iter().chain(told).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// `24 november kl. 18:00`.
fn moment(at: Timestamp) -> String {
    let at = local(at);
    let month = crate::domain::calendar::MONTHS
        [usize::from(at.month().unsigned_abs()).saturating_sub(1) % 12];
    format!("{} {month} kl. {}", at.day(), at.strftime("%H:%M"))
}

/// What a crisis changes, in words. `called` is how those are told of who are told besides.
pub(super) fn changes(duties: &Duties, called: &str) -> Vec<String> {
    let crisis = &duties.crisis;
    let mut changes = vec![
        format!("Kontona läses av minst var {}:e sekund.", crisis.poll_s),
        format!(
            "Högst {} minuter får gå mellan två genomgångar under kontorstid. Längre tid räknas som en lucka i uppsiktsloggen.",
            duties.watching.crisis_gap_min
        ),
        match crisis.tells_everybody {
            true => format!(
                "Alla redaktörer och kontoansvariga, och {called}, får besked om varje nytt ärende, dygnet runt."
            ),
            false => format!(
                "Alla som har hand om kontona, och {called}, får besked om varje nytt ärende, dygnet runt."
            ),
        },
        format!(
            "Regler får slå till {} gånger så ofta som annars innan de ställs åt sidan.",
            crisis.limit_times
        ),
    ];
    if crisis.central_queue {
        changes.push(
            "Alla redaktörer arbetar i en gemensam kö: urvalet ”på mina konton” visar alla konton som krisläget gäller."
                .into(),
        );
    }
    changes.push("Varje sida i Uppsikt säger att krisläge råder.".into());
    changes
}

impl Services {
    /// Takes in the crisis that stands. To be called at the start.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn open_crisis(&self) -> Result<(), ServiceError> {
        let found = self.inner.store.crises().await?.into_iter().find(|c| c.ended.is_none());
        *self.inner.crisis.write().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    /// The crisis that stands now.
    pub fn crisis(&self) -> Option<Crisis> {
        let now = self.inner.clock.now();
        let held = self.inner.crisis.read().unwrap_or_else(PoisonError::into_inner);
        held.clone().filter(|crisis| crisis.stands(now))
    }

    /// The same where it is for an account.
    pub(super) fn crisis_of(&self, account: AccountId) -> Option<Crisis> {
        self.crisis().filter(|crisis| crisis.covers(account))
    }

    /// The accounts of the common queue: none unless a crisis stands in which everybody works in one.
    pub(super) async fn common_accounts(&self) -> Result<BTreeSet<AccountId>, ServiceError> {
        let Some(crisis) = self.crisis() else { return Ok(BTreeSet::new()) };
        let all = self.inner.store.accounts().await?.into_iter().map(|account| account.id);
        let shared =
            |id: &AccountId| crisis.covers(*id) && self.policy_of(*id).duties.crisis.central_queue;
        Ok(all.filter(shared).collect())
    }

    /// What every page says while a crisis stands.
    pub fn crisis_words(&self) -> Option<String> {
        let crisis = self.crisis()?;
        let whom = match crisis.accounts.len() {
            0 => "alla konton".to_owned(),
            1 => "ett konto".to_owned(),
            n => format!("{n} konton"),
        };
        let until = moment(crisis.until);
        Some(format!("Krisläge för {whom} till {until}: {}", crisis.why))
    }

    /// How often an account is read now.
    pub(super) fn interval_of(&self, served: &Served) -> Duration {
        let account = served.account.id;
        match self.crisis_of(account) {
            Some(_) => {
                let most = u64::from(self.policy_of(account).duties.crisis.poll_s);
                served.interval.min(Duration::from_secs(most))
            }
            None => served.interval,
        }
    }

    /// How often a rule may fire in a day now before it is set aside.
    pub(super) fn rule_quota(&self) -> u64 {
        let usual = self.inner.settings.rule_quota;
        match self.crisis() {
            Some(_) => usual.saturating_mul(u64::from(self.policy().duties.crisis.limit_times)),
            None => usual,
        }
    }

    /// The page of crises.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn crises(&self, viewer: &Viewer) -> Result<Board, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let duties = &self.policy().duties;
        let (standing, past) = store.crises().await?.into_iter().partition(|c| c.stands(now));
        let standing: Vec<Crisis> = standing;
        let accounts = store.accounts().await?.into_iter();
        let users = store.users().await?.into_iter().filter(|user| user.active);
        let hours = SignedDuration::from_hours(i64::from(duties.crisis.hours));
        Ok(Board {
            standing: standing.into_iter().next(),
            past,
            accounts: accounts.map(|a| (a.id, a.key.as_str().to_owned(), a.name)).collect(),
            users: users.map(|user| (user.login, user.name)).collect(),
            usual_end: now.saturating_add(hours).unwrap_or(now),
            who: duties.watching.crisis_who.clone(),
            changes: changes(duties, "de du väljer här"),
        })
    }

    /// Begins a crisis.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn begin_crisis(&self, viewer: &Viewer, typed: &Typed) -> Result<(), ServiceError> {
        viewer.demand(Act::ManageAccounts)?;
        self.end_crisis_if_over().await?;
        let why = reason(&typed.why)?;
        let now = self.inner.clock.now();
        let until = end(&typed.until, now)?;
        let known = self.inner.store.accounts().await?;
        let mut accounts = BTreeSet::new();
        for key in &typed.accounts {
            let Some(found) = known.iter().find(|account| account.key.as_str() == key) else {
                return refused("Ett av kontona finns inte. Ladda om sidan och välj på nytt.");
            };
            accounts.insert(found.id);
        }
        let mut people = BTreeSet::new();
        for login in &typed.people {
            people.insert(super::users::known(&self.inner.store, login).await?.id);
        }
        let line = AuditLine {
            detail: Some(format!("till {until}: {why}{}", switched(&self.policy().duties))),
            ..viewer.line("crisis.begin", "crisis")
        };
        let (accounts, people) = (accounts.into_iter().collect(), people.into_iter().collect());
        let store = &self.inner.store;
        store.begin_crisis((why, until), accounts, people, viewer.user, line, now).await?;
        self.open_crisis().await?;
        self.inner.wakes.intake.notify_one();
        tracing::warn!(user.id = %viewer.user, "a crisis began");
        Ok(())
    }

    /// Moves when the crisis that stands is over by itself, forward or back.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn move_crisis(&self, viewer: &Viewer, until: &str) -> Result<(), ServiceError> {
        viewer.demand(Act::ManageAccounts)?;
        self.end_crisis_if_over().await?;
        let now = self.inner.clock.now();
        let until = end(until, now)?;
        let line = AuditLine {
            detail: Some(format!("till {until}")),
            ..viewer.line("crisis.move", "crisis")
        };
        self.inner.store.move_crisis(until, line, now).await?;
        self.open_crisis().await?;
        tracing::warn!(user.id = %viewer.user, "the end of a crisis was moved");
        Ok(())
    }

    /// Ends the crisis that stands.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where none does.
    pub async fn end_crisis(&self, viewer: &Viewer) -> Result<(), ServiceError> {
        viewer.demand(Act::ManageAccounts)?;
        self.end_crisis_if_over().await?;
        let now = self.inner.clock.now();
        let line = viewer.line("crisis.end", "crisis");
        self.inner.store.end_crisis(Some(viewer.user), now, line, now).await?;
        self.open_crisis().await?;
        tracing::warn!(user.id = %viewer.user, "a crisis was ended");
        Ok(())
    }

    /// Writes down that a crisis is over by itself.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn end_crisis_if_over(&self) -> Result<(), ServiceError> {
        let now = self.inner.clock.now();
        let held = self.inner.crisis.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(crisis) = held.filter(|crisis| !crisis.stands(now)) else { return Ok(()) };
        let line = AuditLine {
            user: None,
            user_name: "Uppsikt".into(),
            act: "crisis.end",
            subject: "crisis".into(),
            address: "local".into(),
            detail: Some("tiden gick ut".into()),
        };
        match self.inner.store.end_crisis(None, crisis.until, line, now).await {
            Ok(()) => tracing::warn!("a crisis ended by itself"),
            // Somebody else has just written it down.
            Err(StoreError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.open_crisis().await?;
        Ok(())
    }
}
