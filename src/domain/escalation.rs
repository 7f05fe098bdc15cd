//! Deadlines that go on to the next person (*eskalering*) when nobody has decided: first whoever answers
//! for the account, then the substitute, then the administrator.

use jiff::{SignedDuration, Timestamp};

/// To whom a deadline goes on, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EscalationStep {
    /// *Kontoansvarig*, before the time is out.
    Owner,
    /// *Ersättare*, when it is.
    Substitute,
    /// *Administratör*, when nobody has decided even so.
    Administrator,
}

impl EscalationStep {
    /// All of them, in order.
    pub const ALL: &[Self] = &[Self::Owner, Self::Substitute, Self::Administrator];

    /// Identifier in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Substitute => "substitute",
            Self::Administrator => "administrator",
        }
    }

    /// The step with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| step.id() == id)
    }

    /// Those it goes to, in Swedish.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Owner => "kontoansvarig",
            Self::Substitute => "ersättaren",
            Self::Administrator => "administratören",
        }
    }
}

/// When a deadline goes on to whom: points of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// So much of the time has gone when the owner is told, in per cent.
    pub owner_percent: u8,
    /// So long after the deadline the substitute is told, in minutes.
    pub substitute_after_min: u16,
    /// So long after it the administrator is told, in minutes; not before the substitute.
    pub administrator_after_min: u16,
}

impl Default for Escalation {
    /// A warning at three quarters (regulation, section 11), the others after the deadline.
    fn default() -> Self {
        Self { owner_percent: 75, substitute_after_min: 0, administrator_after_min: 60 }
    }
}

/// So long whoever is told first has before a deadline goes on, whatever the deadline says: what is due at
/// once is due before anybody could see it. The same lies between two steps.
pub const LEAST: SignedDuration = SignedDuration::from_mins(15);

impl Escalation {
    /// When a step is due for a case that has waited since `since` and is to be decided by `due`.
    pub fn at(&self, step: EscalationStep, since: Timestamp, due: Timestamp) -> Timestamp {
        let due = due.max(since.saturating_add(LEAST).unwrap_or(Timestamp::MAX));
        let after = |minutes: u16| {
            due.saturating_add(SignedDuration::from_mins(i64::from(minutes)))
                .unwrap_or(Timestamp::MAX)
        };
        match step {
            EscalationStep::Owner => {
                let whole = due.duration_since(since).max(SignedDuration::ZERO);
                // Per cent of whole seconds: enough for a deadline, and nothing can run over.
                let gone = whole.as_secs().saturating_mul(i64::from(self.owner_percent)) / 100;
                since.saturating_add(SignedDuration::from_secs(gone)).unwrap_or(due).min(due)
            }
            EscalationStep::Substitute => after(self.substitute_after_min),
            EscalationStep::Administrator => {
                after(self.administrator_after_min.max(self.substitute_after_min))
            }
        }
    }

    /// The step that is due by `now`, and when the one after it is. Never two at once: whoever comes first is
    /// to have time before the next is told. `taken` are those taken for this deadline, and when.
    pub fn due(
        &self,
        since: Timestamp,
        due: Timestamp,
        taken: &[(EscalationStep, Timestamp)],
        now: Timestamp,
    ) -> (Option<EscalationStep>, Option<Timestamp>) {
        let last = taken.iter().map(|(step, _)| *step).max();
        let mut left = EscalationStep::ALL.iter().copied().filter(|step| Some(*step) > last);
        let apart = |at: Timestamp| at.saturating_add(LEAST).unwrap_or(Timestamp::MAX);
        let Some(next) = left.next() else { return (None, None) };
        let before = taken.iter().map(|(_, at)| apart(*at)).max();
        let at = self.at(next, since, due).max(before.unwrap_or(Timestamp::MIN));
        if at > now {
            return (None, Some(at));
        }
        (Some(next), left.next().map(|step| self.at(step, since, due).max(apart(now))))
    }
}
