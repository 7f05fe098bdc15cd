//! One vocabulary for everything a platform can answer (`platforms` sheet, section 1.5).

use jiff::Timestamp;

use crate::domain::breaker::Trouble;

/// How far a rate limit reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Every account of the same app (Meta code 4, YouTube's quota).
    App,
    /// Every account with the same token (Meta codes 17 and 613).
    Token,
    /// This account.
    Account,
    /// This kind of call on this account; the others may go on (X counts by endpoint; Meta's
    /// usage headers ask background reading to stop so that editors can act).
    Call,
}

/// What went wrong, by what the daemon does about it. `detail` is for the log: it never holds
/// comment text, personal data or a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// Network, time limit, 5xx, "try again".
    #[error("the platform did not answer as it should: {detail}")]
    Transient {
        /// What happened.
        detail: String,
        /// Whether a writing call may have reached the platform: then read back before repeating.
        may_have_acted: bool,
        /// The platform's own word on when to come back.
        retry_at: Option<Timestamp>,
    },
    /// A rate limit; nothing may be called before `until`.
    #[error("rate limited until {until}: {detail}")]
    Throttled {
        /// When calls are welcome again.
        until: Timestamp,
        /// Which calls have to wait.
        lane: Lane,
        /// Which limit.
        detail: String,
    },
    /// A daily or paid quota is spent.
    #[error("quota spent until {until}: {detail}")]
    QuotaGone {
        /// When it is filled up.
        until: Timestamp,
        /// Which calls have to wait.
        lane: Lane,
        /// Which quota.
        detail: String,
    },
    /// The access token has run out. A connector that can renew it does so by itself, and lets this
    /// out only where that did not help.
    #[error("the access token has run out: {detail}")]
    TokenExpired {
        /// What the platform said, as a code.
        detail: String,
    },
    /// A person must log in at the platform again.
    #[error("the account must be connected again: {detail}")]
    ReauthNeeded {
        /// What the platform said, as a code.
        detail: String,
    },
    /// A permission, role or feature is missing.
    #[error("not permitted: {what}")]
    Forbidden {
        /// Which permission, in Swedish.
        what: String,
    },
    /// Deleted or no longer visible.
    #[error("the item is gone from the platform")]
    Gone,
    /// A valid request that the platform will not carry out.
    #[error("refused by the platform: {code}")]
    Refused {
        /// The platform's code.
        code: String,
        /// Why and what to do, in Swedish.
        reason: String,
    },
    /// An answer we cannot read, or a request the platform cannot.
    #[error("unexpected answer: {detail}")]
    Contract {
        /// What was expected and what came, without content.
        detail: String,
    },
    /// Something on this machine is in the way; the platform was not asked.
    #[error("cannot be done on this machine: {detail}")]
    Local {
        /// What, for the log.
        detail: String,
        /// What to mend, as a Swedish sentence.
        mend: String,
    },
    /// The platform has no such verb.
    #[error("{verb} is not offered by the platform")]
    NotOffered {
        /// Which verb.
        verb: &'static str,
    },
}

impl PlatformError {
    /// The platform has no such verb.
    pub fn not_offered<T>(verb: &'static str) -> Result<T, Self> {
        Err(Self::NotOffered { verb })
    }

    /// The Swedish sentence for the editor: what happened, and what to do.
    pub fn swedish(&self) -> String {
        match self {
            Self::Transient { .. } => "Plattformen svarade inte som den ska. Uppsikt försöker igen av sig själv.".into(),
            Self::Throttled { .. } => "Plattformen ber oss vänta. Uppsikt fortsätter när väntetiden är slut.".into(),
            Self::QuotaGone { .. } => "Dagens kvot hos plattformen är slut. Uppsikt fortsätter när den fylls på.".into(),
            Self::TokenExpired { .. } => "Inloggningen hos plattformen har gått ut. Uppsikt försöker igen; om det inte hjälper måste kontot anslutas på nytt.".into(),
            Self::ReauthNeeded { .. } => "Kontot måste anslutas på nytt: plattformen godtar inte längre inloggningen. Inget har gått förlorat.".into(),
            Self::Forbidden { what } => format!("Plattformen tillåter inte detta: {what}"),
            Self::Gone => "Inlägget finns inte längre på plattformen.".into(),
            Self::Refused { reason, .. } => reason.clone(),
            Self::Contract { .. } => "Plattformen svarade på ett sätt som Uppsikt inte förstår. Gör åtgärden direkt på plattformen och kontakta den som sköter Uppsikt.".into(),
            Self::Local { mend, .. } => mend.clone(),
            Self::NotOffered { .. } => "Plattformen erbjuder inte den här åtgärden. Gör den direkt på plattformen.".into(),
        }
    }

    /// Which kind of trouble it is to the account's breaker.
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::Transient { .. } => Trouble::NoAnswer,
            Self::Throttled { .. } | Self::QuotaGone { .. } => Trouble::Asked,
            Self::TokenExpired { .. } => Trouble::Expired,
            Self::ReauthNeeded { .. } => Trouble::Login,
            Self::Forbidden { .. } => Trouble::Barred,
            Self::Gone | Self::Refused { .. } | Self::Contract { .. } | Self::NotOffered { .. } => {
                Trouble::Unreadable
            }
            Self::Local { .. } => Trouble::Here,
        }
    }

    /// The class's name, for metrics and logs.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::Throttled { .. } => "throttled",
            Self::QuotaGone { .. } => "quota_gone",
            Self::TokenExpired { .. } => "token_expired",
            Self::ReauthNeeded { .. } => "reauth_needed",
            Self::Forbidden { .. } => "forbidden",
            Self::Gone => "gone",
            Self::Refused { .. } => "refused",
            Self::Contract { .. } => "contract",
            Self::Local { .. } => "local",
            Self::NotOffered { .. } => "not_offered",
        }
    }

    /// Whether a writing call that ended so may have reached the platform all the same: then the
    /// live state is looked at before it is repeated.
    pub const fn may_have_acted(&self) -> bool {
        match self {
            Self::Transient { may_have_acted, .. } => *may_have_acted,
            // The platform answered something we cannot read: it may have acted before.
            Self::Contract { .. } => true,
            Self::Throttled { .. }
            | Self::QuotaGone { .. }
            | Self::TokenExpired { .. }
            | Self::ReauthNeeded { .. }
            | Self::Forbidden { .. }
            | Self::Gone
            | Self::Refused { .. }
            | Self::Local { .. }
            | Self::NotOffered { .. } => false,
        }
    }

    /// The same failure, met after the platform had been told to act: nobody may take it for leave
    /// to act again without looking.
    #[must_use]
    pub fn after_the_act(self) -> Self {
        match self {
            Self::Transient { detail, may_have_acted: _, retry_at } => {
                Self::Transient { detail, may_have_acted: true, retry_at }
            }
            Self::Throttled { until, detail, .. } | Self::QuotaGone { until, detail, .. } => {
                Self::Transient { detail, may_have_acted: true, retry_at: Some(until) }
            }
            Self::TokenExpired { .. }
            | Self::ReauthNeeded { .. }
            | Self::Forbidden { .. }
            | Self::Gone
            | Self::Refused { .. }
            | Self::Contract { .. }
            | Self::Local { .. }
            | Self::NotOffered { .. } => Self::Contract {
                detail: format!(
                    "the act was accepted and could not be read back: {}",
                    self.class()
                ),
            },
        }
    }

    /// The platform's own word on when to come back, where it gave one.
    pub const fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Transient { retry_at, .. } => *retry_at,
            Self::Throttled { until, .. } | Self::QuotaGone { until, .. } => Some(*until),
            Self::TokenExpired { .. }
            | Self::ReauthNeeded { .. }
            | Self::Forbidden { .. }
            | Self::Gone
            | Self::Refused { .. }
            | Self::Contract { .. }
            | Self::Local { .. }
            | Self::NotOffered { .. } => None,
        }
    }

    /// Whether the failure is one of the whole account, rather than of what was asked for: then
    /// nothing else that is asked now will go better.
    pub const fn concerns_the_account(&self) -> bool {
        match self {
            Self::Throttled { .. }
            | Self::QuotaGone { .. }
            | Self::TokenExpired { .. }
            | Self::ReauthNeeded { .. }
            | Self::Local { .. } => true,
            Self::Transient { .. }
            | Self::Forbidden { .. }
            | Self::Gone
            | Self::Refused { .. }
            | Self::Contract { .. }
            | Self::NotOffered { .. } => false,
        }
    }

    /// Whether trying the same again later may help by itself.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Transient { .. }
            | Self::Throttled { .. }
            | Self::QuotaGone { .. }
            | Self::TokenExpired { .. }
            | Self::Local { .. } => true,
            Self::ReauthNeeded { .. }
            | Self::Forbidden { .. }
            | Self::Gone
            | Self::Refused { .. }
            | Self::Contract { .. }
            | Self::NotOffered { .. } => false,
        }
    }
}
