//! Who is told of what: cases to notices, deadlines to steps.

use jiff::Timestamp;

use crate::domain::calendar::local;
use crate::domain::case::CaseState;
use crate::domain::duties::Told;
use crate::domain::escalation::EscalationStep;
use crate::domain::ids::{AccountId, CaseId};
use crate::domain::notice::{Channel, Part, Urgency};
use crate::domain::person::Role;
use crate::services::ServiceError;
use crate::store::rows::CaseRow;
use crate::store::sqlite::notices::{NewNotice, StepTaken};
use crate::store::sqlite::people::Reachable;

use super::{AT_ONCE, Notifier};

/// Somebody to be told, with the address where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct To {
    who: String,
    mail: Option<String>,
}

/// What is told.
struct Message {
    /// What makes it the same message.
    key: String,
    kind: &'static str,
    case: Option<CaseId>,
    urgent: bool,
    subject: String,
    body: String,
}

/// Whether anybody has to do anything about the case.
fn is_open(state: &CaseState) -> bool {
    state.needs_a_person() || matches!(state, CaseState::Held { .. })
}

fn person(reachable: &Reachable, part: &str) -> To {
    To { who: format!("{} ({part})", reachable.user.name), mail: reachable.mail.clone() }
}

impl Notifier {
    /// Turns cases that something happened to into notices. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn plan(&self) -> Result<bool, ServiceError> {
        let inner = &self.services.inner;
        let marked = inner.store.cases_to_tell(AT_ONCE).await?;
        let more = marked.len() == AT_ONCE as usize;
        for (case, since) in marked {
            let row = inner.store.case(case).await?;
            let now = inner.clock.now();
            let (notices, next) = match is_open(&row.state) {
                true => (self.of_case(&row, now).await?, self.next_step(&row, now).await?),
                false => (Vec::new(), None),
            };
            inner.store.tell_of_case(case, since, notices, next, now).await?;
        }
        Ok(more)
    }

    /// Takes the steps of deadlines that are due. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn escalate(&self) -> Result<bool, ServiceError> {
        let inner = &self.services.inner;
        let due = inner.store.escalations_due(inner.clock.now(), AT_ONCE).await?;
        let more = due.len() == AT_ONCE as usize;
        for case in due {
            let row = inner.store.case(case).await?;
            let now = inner.clock.now();
            if !is_open(&row.state) {
                inner.store.escalate(case, Vec::new(), Vec::new(), None, now).await?;
                continue;
            }
            let account = inner.store.item(row.item).await?.account;
            let taken = self.taken(&row).await?;
            let points = self.services.policy_of(account).duties.escalation;
            let (steps, next) = points.due(row.opened_at, row.due_at, &taken, now);
            let (mut noted, mut notices) = (Vec::new(), Vec::new());
            for step in steps {
                let people = self.people_for(step, account, now).await?;
                notices.extend(self.notices(&escalation(&row, step, now), &people, now));
                let told = self.names(&people, step);
                noted.push(StepTaken { step, due_at: row.due_at, told });
            }
            let n = noted.len();
            inner.store.escalate(case, noted, notices, next, now).await?;
            if n > 0 {
                tracing::info!(case.id = %case, steps = n, "a deadline went on");
                self.services.tell(crate::services::Change::Case(case));
            }
        }
        Ok(more)
    }

    /// Tells of days ahead on which everybody of an account is away: whoever answers for the account, and the
    /// administrators. The same days are told once.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn coverage(&self) -> Result<(), ServiceError> {
        let inner = &self.services.inner;
        let now = inner.clock.now();
        let today = local(now).date();
        for overview in inner.store.account_overview().await? {
            let account = overview.account;
            let (days, _) = self.services.uncovered(account.id, today).await?;
            if days.is_empty() {
                continue;
            }
            let days: Vec<_> = days.iter().map(ToString::to_string).collect();
            let days = days.join(", ");
            let message = Message {
                key: format!("coverage:{}:{days}", account.id),
                kind: "coverage",
                case: None,
                urgent: false,
                subject: format!("Ingen finns på plats för {}", account.name),
                body: format!(
                    "Alla som har hand om kontot är borta {days}, och riktlinjen kräver att någon tittar de dagarna. Utse en ersättare. Mer står i uppsiktsloggen."
                ),
            };
            let day_people = inner.store.people_of(account.id, today).await?;
            let owners = day_people.iter().filter(|p| p.part == Some(Part::Owner));
            let mut people: Vec<_> = owners.map(|p| person(p, Part::Owner.label())).collect();
            people.extend(self.administrators(now).await?);
            inner.store.add_notices(self.notices(&message, &people, now), now).await?;
        }
        Ok(())
    }

    /// The steps taken for the case's present deadline.
    async fn taken(&self, row: &CaseRow) -> Result<Vec<EscalationStep>, ServiceError> {
        let taken = self.services.inner.store.steps_taken(row.id).await?;
        Ok(taken.into_iter().filter(|s| s.due_at == row.due_at).map(|s| s.step).collect())
    }

    async fn next_step(
        &self,
        row: &CaseRow,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ServiceError> {
        let account = self.services.inner.store.item(row.item).await?.account;
        let points = self.services.policy_of(account).duties.escalation;
        let taken = self.taken(row).await?;
        let (ready, later) = points.due(row.opened_at, row.due_at, &taken, now);
        Ok(if ready.is_empty() { later } else { Some(now) })
    }

    /// Who is told that a case is there: whoever the policy names for what was found, and everybody of the
    /// account where it hurries.
    async fn of_case(&self, row: &CaseRow, now: Timestamp) -> Result<Vec<NewNotice>, ServiceError> {
        let inner = &self.services.inner;
        let account = inner.store.item(row.item).await?.account;
        let urgency = Urgency::of(row.rank, row.category, row.severity);
        let mut people: Vec<To> = Vec::new();
        if let Some(category) = row.category {
            for told in &self.services.policy_of(account).rule(category).tell {
                people.extend(self.told(*told, account, now).await?);
            }
        }
        if urgency.is_urgent() {
            people.extend(self.all_of(account, now).await?);
        }
        if people.is_empty() && !urgency.is_urgent() {
            return Ok(Vec::new());
        }
        let (hurry, body) = match urgency {
            Urgency::Life => (
                "Någons liv kan vara i fara",
                "Någon kan vara i fara. Läs ärendet genast och följ er rutin. Ring 112 vid akut fara för liv.",
            ),
            Urgency::Threat => (
                "Hot",
                "Något som kan vara ett allvarligt hot har kommit in. Läs det genast och besluta.",
            ),
            Urgency::Ordinary => {
                ("Nytt ärende", "Något har kommit in som er riktlinje säger att du ska få veta.")
            }
        };
        let name = self.account_name(account);
        let message = Message {
            key: format!("case:{}:{}:{hurry}", row.id, row.version),
            kind: "case",
            case: Some(row.id),
            urgent: urgency.is_urgent(),
            subject: format!("{hurry}: ärende {} på {name}", row.id),
            body: body.to_owned(),
        };
        Ok(self.notices(&message, &people, now))
    }

    fn account_name(&self, account: AccountId) -> String {
        self.services
            .served(account)
            .map_or_else(|| "ett konto".to_owned(), |served| served.account.name.clone())
    }

    /// One notice for each person, and one for each webhook that takes such.
    fn notices(&self, message: &Message, people: &[To], now: Timestamp) -> Vec<NewNotice> {
        let due_at = match (message.urgent, &self.settings.quiet) {
            (false, Some(quiet)) => quiet.next_open(now),
            (true, _) | (_, None) => now,
        };
        let notice = |channel: Channel, recipient: Option<&str>, who: &str| NewNotice {
            key: format!(
                "{}:{}:{}",
                message.key,
                channel.id(),
                recipient.map_or_else(|| format!("ingen:{who}"), str::to_lowercase)
            ),
            kind: message.kind,
            case: message.case,
            urgent: message.urgent,
            channel,
            recipient: recipient.map(str::to_owned),
            who: who.to_owned(),
            subject: message.subject.clone(),
            body: message.body.clone(),
            due_at,
        };
        // Whose address is missing is told once a day, and not for each case, unless it hurries.
        let missing = |who: &str| NewNotice {
            key: format!("ingen:{who}:{}", local(now).date()),
            case: None,
            subject: format!("Ingen e-postadress till {who}"),
            body: "Ange adressen, så att aviseringar kommer fram.".into(),
            ..notice(Channel::Mail, None, who)
        };
        let mut notices = Vec::new();
        if self.courier.has_mail() {
            notices.extend(people.iter().map(|to| match &to.mail {
                None if !message.urgent => missing(&to.who),
                mail => notice(Channel::Mail, mail.as_deref(), &to.who),
            }));
        }
        for hook in self.courier.webhooks(message.urgent) {
            notices.push(notice(Channel::Webhook, Some(hook), &format!("kanalen {hook}")));
        }
        notices
    }

    /// Everybody of an account who is not away; the administrators where it has nobody.
    async fn all_of(&self, account: AccountId, now: Timestamp) -> Result<Vec<To>, ServiceError> {
        let day = local(now).date();
        let people = self.services.inner.store.people_of(account, day).await?;
        let here: Vec<_> = people
            .iter()
            .filter(|someone| !someone.away)
            .map(|someone| person(someone, someone.part.map_or("", Part::label)))
            .collect();
        if here.iter().any(|to| to.mail.is_some()) {
            Ok(here)
        } else {
            self.administrators(now).await
        }
    }

    async fn administrators(&self, now: Timestamp) -> Result<Vec<To>, ServiceError> {
        let day = local(now).date();
        let label = Role::Administrator.label();
        let people = self.services.inner.store.people_with_role(Role::Administrator, day).await?;
        let with_mail: Vec<_> = people.iter().filter(|p| p.mail.is_some()).collect();
        // Whoever is away is better than nobody.
        let here = with_mail.iter().filter(|p| !p.away).copied().collect::<Vec<_>>();
        let chosen = if here.is_empty() { with_mail } else { here };
        if chosen.is_empty() {
            return Ok(vec![To { who: "administratören".into(), mail: None }]);
        }
        Ok(chosen.into_iter().map(|p| person(p, label)).collect())
    }

    async fn with_part(
        &self,
        account: AccountId,
        part: Part,
        now: Timestamp,
    ) -> Result<Vec<To>, ServiceError> {
        let people = self.services.inner.store.people_of(account, local(now).date()).await?;
        let here = people.iter().filter(|p| p.part == Some(part) && !p.away);
        Ok(here.map(|p| person(p, part.label())).collect())
    }

    /// Whom a step goes to. The owner's goes to the substitute too while the owner is away, and what goes to
    /// nobody in particular goes to the administrator.
    async fn people_for(
        &self,
        step: EscalationStep,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Vec<To>, ServiceError> {
        let mut people = match step {
            EscalationStep::Owner => self.with_part(account, Part::Owner, now).await?,
            EscalationStep::Substitute => self.with_part(account, Part::Substitute, now).await?,
            EscalationStep::Administrator => self.administrators(now).await?,
        };
        if people.is_empty() && step == EscalationStep::Owner {
            people = self.with_part(account, Part::Substitute, now).await?;
        }
        if people.is_empty() {
            people = self.administrators(now).await?;
        }
        Ok(people)
    }

    /// Whom a policy tells of a finding.
    async fn told(
        &self,
        told: Told,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Vec<To>, ServiceError> {
        match told {
            Told::Owner => self.people_for(EscalationStep::Owner, account, now).await,
            // Told where it was written, by the person who decides.
            Told::Citizen => Ok(Vec::new()),
            Told::Manager
            | Told::Officer
            | Told::Communications
            | Told::Registrar
            | Told::Security => {
                let mail = self.settings.told.get(&told).cloned();
                Ok(vec![To { who: told.label().to_owned(), mail }])
            }
        }
    }

    /// Who was told, for the history.
    fn names(&self, people: &[To], step: EscalationStep) -> String {
        if !self.courier.has_mail() {
            return format!(
                "Visas i kön för {}. E-post är inte inkopplad, så ingen fick brev.",
                step.label()
            );
        }
        let told: Vec<_> =
            people.iter().filter(|to| to.mail.is_some()).map(|to| &*to.who).collect();
        if told.is_empty() {
            return format!("Ingen e-postadress finns till {}: ingen fick brev.", step.label());
        }
        format!("Brev till {}.", told.join(", "))
    }
}

/// What is said when a deadline goes on.
fn escalation(row: &CaseRow, step: EscalationStep, now: Timestamp) -> Message {
    let late = now > row.due_at;
    let (what, body) = match step {
        EscalationStep::Owner if !late => (
            "Fristen går snart ut",
            "Ärendet väntar fortfarande på beslut och tiden är snart slut. Besluta, eller se till att någon gör det.",
        ),
        EscalationStep::Owner => (
            "Fristen har gått ut",
            "Ärendet väntar fortfarande på beslut. Besluta, eller se till att någon gör det.",
        ),
        EscalationStep::Substitute => (
            "Fristen har gått ut",
            "Ingen har beslutat i tid. Du är ersättare: besluta, eller se till att någon gör det.",
        ),
        EscalationStep::Administrator => (
            "Ingen har beslutat",
            "Fristen har gått ut, och varken den kontoansvarige eller ersättaren har beslutat. Se till att någon gör det.",
        ),
    };
    Message {
        key: format!("escalation:{}:{}:{}", row.id, row.due_at.as_millisecond(), step.id()),
        kind: "escalation",
        case: Some(row.id),
        urgent: Urgency::of(row.rank, row.category, row.severity).is_urgent(),
        subject: format!("{what}: ärende {}", row.id),
        body: body.to_owned(),
    }
}
