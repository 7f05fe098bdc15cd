//! Accounts that are no longer read: told at once where somebody has to connect them anew, and after an hour
//! where the platform or something else is in the way.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::breaker::Trouble;
use crate::domain::connection::mend;
use crate::domain::ids::AccountId;
use crate::domain::notice::Part;
use crate::services::connections::Rest;
use crate::services::{Served, ServiceError};

use super::Notifier;
use super::plan::{Message, person};
use super::register::KIND;

/// How long an account that may get well by itself rests before somebody is told.
const TOLD_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// The rests that were told, by account: since when, and whether of the login. What is in the store decides;
/// this only keeps it from being asked each time.
pub(super) type Told = BTreeMap<AccountId, (Timestamp, bool)>;

fn is_due(rest: &Rest, now: Timestamp) -> bool {
    rest.why.needs_a_person()
        || rest.why.is_of_login()
        || now.duration_since(rest.since) >= TOLD_AFTER
}

/// What is told of it: subject and body.
pub(super) fn words(served: &Served, rest: &Rest, problem: Option<&str>) -> (String, String) {
    let (name, platform) = (&served.account.name, served.account.platform);
    let safe = "Det som redan är läst finns kvar, och andra konton läses som vanligt. Läsningen fortsätter där den slutade.";
    if rest.why.is_of_login() {
        return (
            format!("Anslut kontot {name} på nytt"),
            format!(
                "{} godtar inte längre inloggningen till kontot {name}, så Uppsikt ser inte vad som skrivs där. {} {safe}",
                platform.label(),
                mend(platform)
            ),
        );
    }
    let subject = format!("Kontot {name} läses inte");
    let what = match rest.why {
        // The class says nothing that the problem does not.
        Trouble::Barred | Trouble::Unreadable | Trouble::Here => problem.unwrap_or_default(),
        Trouble::NoAnswer | Trouble::Asked | Trouble::Expired | Trouble::Login => {
            "Uppsikt försöker igen av sig själv. Se så länge efter på plattformen vad som skrivs där."
        }
    };
    let since = super::moment(rest.since);
    let body = format!(
        "Uppsikt läser inte kontot {name} sedan {since}, eftersom {}. {what} {safe}",
        rest.why.words()
    );
    (subject, body)
}

impl Notifier {
    /// Tells of accounts that are no longer read, once for each time that it happens.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn connections(&self) -> Result<(), ServiceError> {
        let services = &self.services;
        let store = &services.inner.store;
        let now = services.inner.clock.now();
        let resting = store.resting().await?;
        self.told_mut(|told| told.retain(|id, _| resting.iter().any(|(known, _)| known == id)));
        for (account, _) in resting {
            let Some(served) = services.served(account) else { continue };
            let state = store.fetch_state(account).await?;
            let Some(rest) = Rest::of(&state, now).filter(|rest| is_due(rest, now)) else {
                continue;
            };
            // A rest that turns out to be about the login is something else to tell.
            let this = (rest.since, rest.why.is_of_login());
            if self.told_mut(|told| told.get(&account) == Some(&this)) {
                continue;
            }
            let (subject, body) = words(&served, &rest, state.problem.as_deref());
            let what = if rest.why.is_of_login() { "inloggning" } else { "vila" };
            let message = Message {
                key: format!("konto:{account}:{what}:{}", rest.since.as_second()),
                kind: KIND,
                case: None,
                // What is written there is seen by nobody until somebody has connected it.
                urgent: rest.why.is_of_login(),
                subject,
                body,
            };
            let day = crate::domain::calendar::local(now).date();
            let people = store.people_of(account, day).await?;
            let owners = people.iter().filter(|p| p.part == Some(Part::Owner));
            let mut to: Vec<_> = owners.map(|p| person(p, Part::Owner.label())).collect();
            for admin in self.administrators(now).await? {
                if !to.contains(&admin) {
                    to.push(admin);
                }
            }
            store.add_notices(self.notices(&message, &to, now), now).await?;
            self.told_mut(|told| told.insert(account, this));
        }
        Ok(())
    }

    fn told_mut<T>(&self, change: impl FnOnce(&mut Told) -> T) -> T {
        change(&mut self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
