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

impl Escalation {
    /// When a step is due for a case that was opened at `opened` and is to be decided by `due`.
    pub fn at(&self, step: EscalationStep, opened: Timestamp, due: Timestamp) -> Timestamp {
        let after = |minutes: u16| {
            due.saturating_add(SignedDuration::from_mins(i64::from(minutes)))
                .unwrap_or(Timestamp::MAX)
        };
        match step {
            EscalationStep::Owner => {
                let whole = due.duration_since(opened).max(SignedDuration::ZERO);
                // Per cent of whole seconds: enough for a deadline, and nothing can run over.
                let gone = whole.as_secs().saturating_mul(i64::from(self.owner_percent)) / 100;
                opened.saturating_add(SignedDuration::from_secs(gone)).unwrap_or(due).min(due)
            }
            EscalationStep::Substitute => after(self.substitute_after_min),
            EscalationStep::Administrator => {
                after(self.administrator_after_min.max(self.substitute_after_min))
            }
        }
    }

    /// The steps that are due by `now` and not taken yet, in order, and when the one after them is.
    pub fn due(
        &self,
        opened: Timestamp,
        due: Timestamp,
        taken: &[EscalationStep],
        now: Timestamp,
    ) -> (Vec<EscalationStep>, Option<Timestamp>) {
        let left = EscalationStep::ALL.iter().copied().filter(|step| !taken.contains(step));
        let (ready, later): (Vec<_>, Vec<_>) =
            left.map(|step| (step, self.at(step, opened, due))).partition(|(_, at)| *at <= now);
        let next = later.into_iter().map(|(_, at)| at).min();
        (ready.into_iter().map(|(step, _)| step).collect(), next)
    }
}
