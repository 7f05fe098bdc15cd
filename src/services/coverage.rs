//! The coverage calendar (*bemanning*): who is there on which day for which account, from parts, absences and
//! the days on which the policy wants somebody to look.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::domain::account::PlatformKind;
use crate::domain::calendar::local;
use crate::domain::notice::Part;
use crate::domain::person::Act;

use super::people::can_work;
use super::{ServiceError, Services, Viewer};

/// So many days are shown ahead.
pub const DAYS: i32 = 28;

/// Who is there for an account on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover {
    /// The policy wants nobody to look.
    Free,
    /// These are there: names.
    Here(Vec<String>),
    /// Everybody is away.
    Nobody,
    /// The account has nobody at all.
    Unset,
}

/// The days of one account.
#[derive(Clone, Debug)]
pub struct AccountCover {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Each day, from today on.
    pub days: Vec<(Date, Cover)>,
}

impl Services {
    /// The calendar of all accounts that are not closed, from today on.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn coverage(&self, viewer: &Viewer) -> Result<Vec<AccountCover>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let today = local(self.inner.clock.now()).date();
        let absences = self.inner.store.absences_from(today).await?;
        let ahead: Vec<_> = (0..DAYS).filter_map(|n| today.checked_add(n.days()).ok()).collect();
        let own = self.register(viewer).await?.into_iter().filter(|entry| {
            !entry.known.is_closed && entry.account.platform != PlatformKind::Manual
        });
        let mut all = Vec::new();
        for entry in own {
            let watching = &self.policy_of(entry.account.id).duties.watching;
            let people: Vec<_> = entry
                .people
                .iter()
                .filter(|p| matches!(p.part, Some(Part::Owner | Part::Editor | Part::Substitute)))
                .filter(|p| can_work(&p.user).is_ok())
                .collect();
            let on = |day: Date| {
                if !watching.wants(day) {
                    return Cover::Free;
                }
                if people.is_empty() {
                    return Cover::Unset;
                }
                let away = |user| {
                    absences.iter().any(|a| a.user == user && a.first <= day && day <= a.last)
                };
                let here = people.iter().filter(|p| !away(p.user.id));
                let here: Vec<_> = here.map(|p| p.user.name.clone()).collect();
                if here.is_empty() { Cover::Nobody } else { Cover::Here(here) }
            };
            all.push(AccountCover {
                key: entry.account.key.as_str().to_owned(),
                name: entry.account.name.clone(),
                days: ahead.iter().map(|day| (*day, on(*day))).collect(),
            });
        }
        Ok(all)
    }
}
