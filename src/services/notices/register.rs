//! What is amiss with accounts, told to whoever answers for them: the yearly inventory (T15, T16), too few
//! people (T24), purposes to look over (T26), deliveries to the archive (T22) and runs that were missed, closings that wait (T23).

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::calendar::local;
use crate::domain::card::Flag;
use crate::domain::connection::{Nearing, when};
use crate::domain::notice::Part;
use crate::services::ServiceError;
use crate::services::cards::Entry;

use super::Notifier;
use super::plan::{Message, To, person};

/// The kind of these notices.
pub(super) const KIND: &str = "register";

/// So many days before the inventory ends it is asked for once more.
const REMINDER_DAYS: i32 = 7;

/// When something amiss is told again: what it is about, in time.
fn period(flag: &Flag, today: Date) -> String {
    match flag {
        // Every day until it is reported.
        Flag::Incident(incident) => match incident.is_reported() {
            true => incident.since.to_string(),
            false => format!("{}:{today}", incident.since),
        },
        // Another end is another login.
        Flag::LoginEnds { on, near, .. } => format!("{on}:{}", near.id()),
        Flag::Unread { since, .. } => since.to_string(),
        Flag::Unconfirmed { by, late: true } => format!("{}:sen", by.year()),
        Flag::Unconfirmed { by, late: false } => {
            let soon = (*by - today).get_days() <= REMINDER_DAYS;
            format!("{}:{}", by.year(), if soon { "påminnelse" } else { "fråga" })
        }
        Flag::ArchiveDue { since }
        | Flag::RunMissed { since }
        | Flag::ReviewDue { since }
        | Flag::Inactive { since }
        | Flag::PasswordDue { since, .. } => since.to_string(),
        // As long as it is so, once a month.
        Flag::LoginLacks { .. }
        | Flag::NoOwner
        | Flag::FewHolders { .. }
        | Flag::OwnerNoManager
        | Flag::OneStep
        | Flag::NoText { .. }
        | Flag::NoPurpose => format!("{}-{:02}", today.year(), today.month()),
    }
}

fn subject(flag: &Flag, name: &str) -> String {
    match flag {
        Flag::Incident(_) => format!("Kontot {name} är kapat eller förlorat"),
        Flag::Unread { .. } => format!("Kontot {name} läses inte"),
        Flag::LoginEnds { near: Nearing::Over, .. } => {
            format!("Inloggningen till kontot {name} har gått ut")
        }
        Flag::LoginEnds { on, today, .. } => {
            format!("Inloggningen till kontot {name} går ut {}", when(*on, *today))
        }
        Flag::Unconfirmed { late: false, .. } => format!("Bekräfta kontot {name}"),
        Flag::Unconfirmed { late: true, .. } => format!("Inte bekräftat: kontot {name}"),
        Flag::NoOwner => format!("Kontot {name} har ingen kontoansvarig"),
        Flag::FewHolders { .. } => format!("För få har hand om kontot {name}"),
        Flag::Inactive { .. } => format!("Kontot {name} används inte"),
        Flag::ReviewDue { .. } => format!("Se över syftet med kontot {name}"),
        Flag::ArchiveDue { .. } => format!("Kontot {name} ska arkiveras"),
        Flag::RunMissed { .. } => format!("Arkivkörningen av kontot {name} är inte gjord"),
        Flag::PasswordDue { .. } => format!("Byt lösenord till kontot {name}"),
        Flag::LoginLacks { .. }
        | Flag::OwnerNoManager
        | Flag::OneStep
        | Flag::NoText { .. }
        | Flag::NoPurpose => {
            format!("Uppgifter saknas om kontot {name}")
        }
    }
}

fn body(flag: &Flag) -> String {
    let what = match flag {
        Flag::LoginEnds { near: Nearing::Over, .. } => {
            "Om kontot ändå läses är dagen i inställningarna gammal: rätta `token_expires`."
        }
        Flag::LoginEnds { .. } => {
            "När den har gått ut ser Uppsikt inte längre vad som skrivs på kontot."
        }
        Flag::Incident(_) => {
            "Anmäl det genast, och notera varje steg under Säkerhet på kontots sida i Uppsikt."
        }
        Flag::Unread { .. } | Flag::LoginLacks { .. } => "Se kontots sida i Uppsikt.",
        Flag::Unconfirmed { .. } => {
            "Svara på kontots sida i Uppsikt: används kontot, och stämmer uppgifterna?"
        }
        Flag::NoOwner => "Ange en kontoansvarig på kontots sida i Uppsikt.",
        Flag::FewHolders { .. } => "Ange en redaktör till på kontots sida i Uppsikt.",
        Flag::Inactive { .. } => "Börja använda det, eller stäng det på kontots sida i Uppsikt.",
        Flag::ReviewDue { .. } => "Läs igenom syfte och målgrupp på kontots sida i Uppsikt.",
        Flag::ArchiveDue { .. } => {
            "Leverera till arkivet, och notera leveransen på kontots sida i Uppsikt."
        }
        Flag::RunMissed { .. } => {
            "Se under Arkivkörningar i Uppsikt varför, och begär en extra körning om det behövs."
        }
        Flag::PasswordDue { .. } => {
            "Notera sedan bytet under Säkerhet på kontots sida i Uppsikt. Skriv aldrig lösenordet där."
        }
        Flag::OwnerNoManager | Flag::OneStep | Flag::NoText { .. } | Flag::NoPurpose => {
            "Fyll i på kontots sida i Uppsikt."
        }
    };
    format!("{} {what}", flag.words())
}

impl Notifier {
    /// Tells of what is amiss with accounts, each thing once in its time.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn register(&self) -> Result<(), ServiceError> {
        let inner = &self.services.inner;
        let now = inner.clock.now();
        let today = local(now).date();
        let entries = self.services.entries().await?;
        self.ownerless(&entries, today, now).await?;
        for entry in entries {
            // Without an owner there is one thing to do first.
            let has_owner = entry.known.has_owner;
            let told_here = |flag: &&Flag| match flag {
                // That an account is not read is told when it happens.
                Flag::Unread { .. } => false,
                // And that it soon will not be cannot wait for somebody to be named.
                Flag::LoginEnds { .. } | Flag::Incident(_) => true,
                other => other.is_told() && has_owner,
            };
            for flag in entry.flags.iter().filter(told_here) {
                let message = Message {
                    key: format!(
                        "konto:{}:{}:{}",
                        entry.account.id,
                        flag.id(),
                        period(flag, today)
                    ),
                    kind: KIND,
                    case: None,
                    urgent: matches!(flag, Flag::Incident(_)),
                    subject: subject(flag, &entry.account.name),
                    body: body(flag),
                };
                let late = matches!(
                    flag,
                    Flag::Incident(_)
                        | Flag::Unconfirmed { late: true, .. }
                        | Flag::LoginEnds { near: Nearing::Day | Nearing::Over, .. }
                );
                let people = self.owner_or_administrators(&entry, late, now).await?;
                inner.store.add_notices(self.notices(&message, &people, now), now).await?;
            }
            self.closing(&entry, today, now).await?;
        }
        Ok(())
    }

    /// Tells the administrators of all accounts that nobody answers for: one letter a month, and another
    /// where there are others.
    async fn ownerless(
        &self,
        entries: &[Entry],
        today: Date,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let without: Vec<_> =
            entries.iter().filter(|entry| entry.flags.contains(&Flag::NoOwner)).collect();
        if without.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = without.iter().map(|entry| entry.account.name.as_str()).collect();
        let ids: Vec<_> = without.iter().map(|entry| entry.account.id.to_string()).collect();
        let message = Message {
            key: format!(
                "konto:{}:{}:{}",
                ids.join(","),
                Flag::NoOwner.id(),
                period(&Flag::NoOwner, today)
            ),
            kind: KIND,
            case: None,
            urgent: false,
            subject: match names.len() {
                1 => subject(&Flag::NoOwner, names[0]),
                n => format!("{n} konton har ingen kontoansvarig"),
            },
            body: format!("Ange en kontoansvarig på kontots sida i Uppsikt: {}.", names.join(", ")),
        };
        let people = self.administrators(now).await?;
        self.services.inner.store.add_notices(self.notices(&message, &people, now), now).await?;
        Ok(())
    }

    /// Whoever answers for an account; the administrators where nobody does, or where it has gone `far`.
    async fn owner_or_administrators(
        &self,
        entry: &Entry,
        far: bool,
        now: Timestamp,
    ) -> Result<Vec<To>, ServiceError> {
        let owners = entry.people.iter().filter(|p| p.part == Some(Part::Owner));
        let mut people: Vec<_> = owners.map(|p| person(p, Part::Owner.label())).collect();
        if people.is_empty() || far {
            people.extend(self.administrators(now).await?);
        }
        Ok(people)
    }

    /// Tells that the time of a closing is over.
    async fn closing(
        &self,
        entry: &Entry,
        today: Date,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let Some(closing) = entry.closing.as_ref().filter(|c| c.closed.is_none()) else {
            return Ok(());
        };
        let duties = &self.services.policy_of(entry.account.id).duties;
        let earliest = duties.accounts.may_close(closing.announced).unwrap_or(closing.announced);
        if today < earliest {
            return Ok(());
        }
        let name = &entry.account.name;
        let message = Message {
            key: format!("konto:{}:stangning:{}", entry.account.id, closing.id),
            kind: KIND,
            case: None,
            urgent: false,
            subject: format!("Kontot {name} kan stängas"),
            body: format!(
                "Tiden efter beskedet på kontot är över sedan {earliest}. Gör klart stegen på kontots sida i Uppsikt och stäng det."
            ),
        };
        let people = self.owner_or_administrators(entry, false, now).await?;
        self.services.inner.store.add_notices(self.notices(&message, &people, now), now).await?;
        Ok(())
    }
}
