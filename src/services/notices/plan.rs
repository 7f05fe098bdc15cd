//! Who is told of what: cases to notices, deadlines to steps.

use jiff::Timestamp;

use crate::domain::calendar::local;
use crate::domain::case::CaseState;
use crate::domain::crisis::Crisis;
use crate::domain::duties::Told;
use crate::domain::escalation::{EscalationStep, LEAST};
use crate::domain::ids::{AccountId, CaseId};
use crate::domain::notice::{Channel, Part, Urgency};
use crate::domain::person::{Act, Role};
use crate::services::ServiceError;
use crate::store::rows::CaseRow;
use crate::store::sqlite::notices::{Mark, NewNotice, StepTaken};
use crate::store::sqlite::people::Reachable;

use super::{AT_ONCE, Notifier, PUT_OFF};

/// Somebody to be told, with the address where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct To {
    pub(super) who: String,
    pub(super) mail: Option<String>,
}

/// What is told.
pub(super) struct Message {
    /// What makes it the same message.
    pub(super) key: String,
    pub(super) kind: &'static str,
    pub(super) case: Option<CaseId>,
    pub(super) urgent: bool,
    pub(super) subject: String,
    pub(super) body: String,
}

/// Whether anybody has to do anything about the case.
fn is_open(state: &CaseState) -> bool {
    state.needs_a_person() || matches!(state, CaseState::Held { .. })
}

pub(super) fn person(reachable: &Reachable, part: &str) -> To {
    To { who: format!("{} ({part})", reachable.user.name), mail: reachable.mail.clone() }
}

impl Notifier {
    /// Turns cases that something happened to into notices. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn plan(&self) -> Result<bool, ServiceError> {
        let store = &self.services.inner.store;
        let now = self.services.inner.clock.now();
        let marked = store.cases_to_tell(now, AT_ONCE).await?;
        let more = marked.len() == AT_ONCE as usize;
        for mark in marked {
            if let Err(error) = self.plan_case(mark, now).await {
                unread(mark.case, &error);
                store.put_off_mark(mark, put_off(now)).await?;
            }
        }
        Ok(more)
    }

    async fn plan_case(&self, mark: Mark, now: Timestamp) -> Result<(), ServiceError> {
        let store = &self.services.inner.store;
        let row = store.case(mark.case).await?;
        let (notices, next) = match is_open(&row.state) {
            true => {
                let mut notices = self.of_case(&row, mark.came_back, now).await?;
                notices.extend(self.of_rest(&row, now).await?);
                let next = match row.outside {
                    // No deadline runs on what we cannot take away.
                    true => None,
                    false => self.next_step(&row, now).await?,
                };
                (notices, next)
            }
            false => (Vec::new(), None),
        };
        Ok(store.tell_of_case(mark, notices, next, now).await?)
    }

    /// Takes the steps of deadlines that are due. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn escalate(&self) -> Result<bool, ServiceError> {
        let store = &self.services.inner.store;
        let now = self.services.inner.clock.now();
        let due = store.escalations_due(now, AT_ONCE).await?;
        let more = due.len() == AT_ONCE as usize;
        for case in due {
            if let Err(error) = self.escalate_case(case, now).await {
                unread(case, &error);
                store.put_off_clock(case, put_off(now)).await?;
            }
        }
        Ok(more)
    }

    async fn escalate_case(&self, case: CaseId, now: Timestamp) -> Result<(), ServiceError> {
        let store = &self.services.inner.store;
        let row = store.case(case).await?;
        if !is_open(&row.state) || row.outside {
            return Ok(store.escalate(case, None, Vec::new(), None, now).await?);
        }
        let account = store.item(row.item).await?.account;
        let taken = self.taken(&row).await?;
        let points = self.services.policy_of(account).duties.escalation;
        let (step, mut next) = points.due(row.waits_since, row.due_at, &taken, now);
        let Some(mut step) = step else {
            return Ok(store.escalate(case, None, Vec::new(), next, now).await?);
        };
        // Where nobody steps in, the deadline does not go on to somebody who is not there.
        if step == EscalationStep::Substitute
            && self.with_part(account, Part::Substitute, now).await?.is_empty()
        {
            (step, next) = (EscalationStep::Administrator, None);
        }
        let people = self.people_for(step, account, now).await?;
        let (message, to_hooks) = escalation(&row, step, now);
        let notices = self.notices_as(&message, &to_hooks, &people, now);
        let told = self.names(&people, step, message.urgent, now);
        let noted = StepTaken { step, due_at: row.due_at, told, at: now };
        store.escalate(case, Some(noted), notices, next, now).await?;
        tracing::info!(case.id = %case, step = step.id(), "a deadline went on");
        self.services.tell(crate::services::Change::Case(case));
        Ok(())
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
        let cover = self.services.cover(today).await?;
        for overview in inner.store.account_overview().await? {
            let account = overview.account;
            for gap in self.services.uncovered(account.id, &cover, today).0 {
                // By its ends and not by the days that can be seen of it: those are others tomorrow.
                let key = format!("coverage:{}:{}", account.id, gap.key());
                self.tell_of_gap(account.id, &account.name, key, &gap.words(today), now).await?;
            }
        }
        Ok(())
    }

    async fn tell_of_gap(
        &self,
        account: AccountId,
        name: &str,
        key: String,
        days: &str,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let store = &self.services.inner.store;
        let message = Message {
            key,
            kind: "coverage",
            case: None,
            urgent: false,
            subject: format!("Ingen finns på plats för {name}"),
            body: format!(
                "Alla som har hand om kontot är borta {days}, och riktlinjen kräver att någon tittar de dagarna. Utse en ersättare. Mer står i uppsiktsloggen."
            ),
        };
        let day_people = store.people_of(account, local(now).date()).await?;
        let owners = day_people.iter().filter(|p| p.part == Some(Part::Owner));
        let mut people: Vec<_> = owners.map(|p| person(p, Part::Owner.label())).collect();
        people.extend(self.administrators(now).await?);
        Ok(store.add_notices(self.notices(&message, &people, now), now).await?)
    }

    /// The steps taken for the case's present deadline.
    async fn taken(&self, row: &CaseRow) -> Result<Vec<(EscalationStep, Timestamp)>, ServiceError> {
        let taken = self.services.inner.store.steps_taken(row.id).await?;
        Ok(taken.into_iter().filter(|s| s.due_at == row.due_at).map(|s| (s.step, s.at)).collect())
    }

    async fn next_step(
        &self,
        row: &CaseRow,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ServiceError> {
        let account = self.services.inner.store.item(row.item).await?.account;
        let points = self.services.policy_of(account).duties.escalation;
        let taken = self.taken(row).await?;
        let (ready, later) = points.due(row.waits_since, row.due_at, &taken, now);
        Ok(if ready.is_some() { Some(now) } else { later })
    }

    /// Who is told that a case is there: whoever the policy names for what was found, and everybody of the
    /// account where it hurries. Of what came back whoever answers for the account is told too: for them it
    /// was done with.
    async fn of_case(
        &self,
        row: &CaseRow,
        came_back: Option<u64>,
        now: Timestamp,
    ) -> Result<Vec<NewNotice>, ServiceError> {
        let inner = &self.services.inner;
        let account = inner.store.item(row.item).await?.account;
        let urgency = Urgency::of(row.rank, row.category, row.severity);
        let mut people: Vec<To> = Vec::new();
        // For all that was found and opens a case here, not only the gravest: who answers for a school's account
        // is told of a name beside an insult.
        let policy = self.services.policy_of(account);
        let verdict = inner.store.version(row.version).await?.verdict;
        let found = verdict.iter().flat_map(|verdict| verdict.findings.iter());
        let found = found.filter(|finding| policy.opens(finding)).map(|finding| finding.category);
        let mut tell: Vec<_> = row
            .category
            .into_iter()
            .chain(found)
            .flat_map(|c| policy.rule(c).tell.clone())
            .collect();
        tell.sort_unstable();
        tell.dedup();
        for told in tell {
            let told = self.told(told, account, now).await?;
            people.extend(told.into_iter().filter(|to| !people.contains(to)).collect::<Vec<_>>());
        }
        let crisis = self.services.crisis_of(account);
        let hurries = urgency.is_urgent() || crisis.is_some();
        if hurries {
            people.extend(self.all_of(account, now).await?);
        }
        if let Some(crisis) = &crisis {
            // Whoever is told as one is not told as another too.
            let mut more = self.called_in(crisis, now).await?;
            if policy.duties.crisis.tells_everybody {
                more.extend(self.everybody(now).await?);
            }
            for to in more {
                if to.mail.is_none() || people.iter().all(|known| known.mail != to.mail) {
                    people.push(to);
                }
            }
        }
        let reason = match &row.state {
            CaseState::Returned { reason } => came_back.map(|revision| (revision, reason)),
            CaseState::Waiting
            | CaseState::Held { .. }
            | CaseState::Decided
            | CaseState::AwaitingDiary
            | CaseState::Closed { .. } => None,
        };
        if reason.is_some() {
            let owners = self.people_for(EscalationStep::Owner, account, now).await?;
            people.extend(owners.into_iter().filter(|to| !people.contains(to)).collect::<Vec<_>>());
        }
        if people.is_empty() && !hurries {
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
            Urgency::Ordinary if crisis.is_some() => (
                "Krisläge, nytt ärende",
                "Krisläge råder, så alla får veta. Läs ärendet i den gemensamma kön och besluta, eller se att någon annan har tagit det.",
            ),
            Urgency::Ordinary => {
                ("Nytt ärende", "Något har kommit in som er riktlinje säger att du ska få veta.")
            }
        };
        let name = self.account_name(account);
        let key = format!("case:{}:{}:{hurry}", row.id, row.version);
        let (key, subject, body) = match reason {
            Some((revision, reason)) => {
                let what = match urgency {
                    Urgency::Life | Urgency::Threat => format!("{hurry}, tillbaka i kön"),
                    Urgency::Ordinary => "Tillbaka i kön".to_owned(),
                };
                let body = format!("Ärendet var beslutat men är tillbaka i kön. {reason}");
                // Another time that it comes back is another thing to tell.
                (format!("{key}:tillbaka:{revision}"), what, body)
            }
            None => (key, hurry.to_owned(), body.to_owned()),
        };
        let message = Message {
            key,
            kind: "case",
            case: Some(row.id),
            urgent: hurries,
            subject: format!("{subject}: ärende {} på {name}", row.id),
            body,
        };
        Ok(self.notices(&message, &people, now))
    }

    /// Whoever let a case rest is reminded of it when its time is over, once for each time.
    async fn of_rest(&self, row: &CaseRow, now: Timestamp) -> Result<Vec<NewNotice>, ServiceError> {
        if !row.has_rested {
            return Ok(Vec::new());
        }
        let store = &self.services.inner.store;
        let Some(let_rest) = store.put_to_rest_by(row.id).await? else { return Ok(Vec::new()) };
        let name = self.account_name(store.item(row.item).await?.account);
        let who = format!("{} (lät ärendet vila)", let_rest.name);
        let message = Message {
            key: format!("rest:{}", let_rest.decision),
            kind: "case",
            case: Some(row.id),
            urgent: false,
            subject: format!("Påminnelse: ärende {} på {name}", row.id),
            body: "Du bad om en påminnelse. Ärendet är tillbaka i kön efter vila.".into(),
        };
        Ok(self.notices(&message, &[To { who, mail: let_rest.mail }], now))
    }

    fn account_name(&self, account: AccountId) -> String {
        self.services
            .served(account)
            .map_or_else(|| "ett konto".to_owned(), |served| served.account.name.clone())
    }

    /// One notice for each person, and one for each webhook that takes such.
    pub(super) fn notices(
        &self,
        message: &Message,
        people: &[To],
        now: Timestamp,
    ) -> Vec<NewNotice> {
        self.notices_as(message, &message.key, people, now)
    }

    /// When something leaves.
    fn leaves_at(&self, urgent: bool, now: Timestamp) -> Timestamp {
        match (urgent, &self.settings.quiet) {
            (false, Some(quiet)) => quiet.next_open(now),
            (true, _) | (_, None) => now,
        }
    }

    /// The same where a channel, which has no persons, is told once what goes to several.
    fn notices_as(
        &self,
        message: &Message,
        to_hooks: &str,
        people: &[To],
        now: Timestamp,
    ) -> Vec<NewNotice> {
        let due_at = self.leaves_at(message.urgent, now);
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
        // Whose address is missing is told once a day, and not for each case. Once they have one they are told
        // of what is grave and still waits.
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
                None => missing(&to.who),
                Some(mail) => notice(Channel::Mail, Some(mail), &to.who),
            }));
        }
        // What somebody has to do about an account, or was named in, is for that person and not for a channel.
        let hooks = self.courier.webhooks(message.urgent);
        let own = [super::register::KIND, super::mentions::KIND].contains(&message.kind);
        for hook in hooks.into_iter().filter(|_| !own) {
            let told = notice(Channel::Webhook, Some(hook), &format!("kanalen {hook}"));
            notices.push(NewNotice { key: format!("{to_hooks}:webhook:{hook}"), ..told });
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

    /// Everybody who decides and is not away.
    async fn everybody(&self, now: Timestamp) -> Result<Vec<To>, ServiceError> {
        let day = local(now).date();
        let mut all = Vec::new();
        for role in Role::ALL.iter().filter(|role| role.may(Act::Decide)) {
            let people = self.services.inner.store.people_with_role(*role, day).await?;
            let here = people.iter().filter(|p| !p.away && p.mail.is_some());
            all.extend(here.map(|p| person(p, "krisläge")));
        }
        Ok(all)
    }

    /// Those who were named when a crisis was begun.
    async fn called_in(&self, crisis: &Crisis, now: Timestamp) -> Result<Vec<To>, ServiceError> {
        let mut called = Vec::new();
        for role in Role::ALL {
            let people =
                self.services.inner.store.people_with_role(*role, local(now).date()).await?;
            let named = people.iter().filter(|p| crisis.people.contains(&p.user.id));
            called.extend(named.map(|p| person(p, "inkallad i krisläget")));
        }
        Ok(called)
    }

    pub(super) async fn administrators(&self, now: Timestamp) -> Result<Vec<To>, ServiceError> {
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

    /// Who is told, for the history, which is written before anything has left: whether it came through is the
    /// notice's own line.
    fn names(&self, people: &[To], step: EscalationStep, urgent: bool, now: Timestamp) -> String {
        if !self.courier.has_mail() {
            return format!(
                "Visas i kön för {}. E-post är inte inkopplad, så ingen fick brev.",
                step.label()
            );
        }
        let told: Vec<_> =
            people.iter().filter(|to| to.mail.is_some()).map(|to| &*to.who).collect();
        if told.is_empty() {
            return format!("Ingen e-postadress finns till {}: ingen får brev.", step.label());
        }
        let leaves = self.leaves_at(urgent, now);
        let when = match leaves > now {
            true => format!(" {}", super::moment(leaves)),
            false => String::new(),
        };
        format!("Lagt för utskick{when} till {}.", told.join(", "))
    }
}

fn put_off(now: Timestamp) -> Timestamp {
    now.saturating_add(PUT_OFF).unwrap_or(Timestamp::MAX)
}

fn unread(case: CaseId, error: &ServiceError) {
    let error = error as &dyn std::error::Error;
    tracing::error!(case.id = %case, error, "nobody can be told of a case, since it cannot be read");
}

/// What is said when a deadline goes on, and what makes it the same for a channel: the words, since owner and
/// substitute are told alike there.
fn escalation(row: &CaseRow, step: EscalationStep, now: Timestamp) -> (Message, String) {
    let least = row.waits_since.saturating_add(LEAST).unwrap_or(Timestamp::MAX);
    let late = now >= row.due_at.max(least);
    let held = matches!(row.state, CaseState::Held { .. });
    let (what, body) = match step {
        EscalationStep::Owner | EscalationStep::Substitute if held => (
            "Ett ärende som vilar har snart ingen tid kvar",
            "Någon har låtit ärendet vila. Tiden för beslut är ändå slut, eller snart slut. Besluta, eller se till att någon gör det.",
        ),
        EscalationStep::Administrator if held => (
            "Ett ärende väntar efter sin frist",
            "Någon har låtit ärendet vila, och fristen har gått ut. Se till att någon beslutar.",
        ),
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
            "Fristen har gått ut och ingen av dem som har hand om kontot har beslutat. Se till att någon gör det.",
        ),
    };
    let key = |what: &str| format!("escalation:{}:{}:{what}", row.id, row.due_at.as_millisecond());
    let message = Message {
        key: key(step.id()),
        kind: "escalation",
        case: Some(row.id),
        urgent: Urgency::of(row.rank, row.category, row.severity).is_urgent(),
        subject: format!("{what}: ärende {}", row.id),
        body: body.to_owned(),
    };
    (message, key(what))
}
