//! What other systems are told of by webhooks (*webbhookar*): events with ids, states and links, never a text.

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $label:literal;)*) => {
        /// What is told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HookEvent {
            $($(#[$doc])* $name,)*
        }

        impl HookEvent {
            /// All of them, in the order of the page.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Identifier in the store and in messages.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// What has happened, in Swedish.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }
        }
    };
}

events! {
    /// A case was opened.
    CaseOpened = "case.opened", "ett ärende har öppnats";
    /// A person has decided; it may still be undone.
    CaseDecided = "case.decided", "ett ärende är beslutat";
    /// A decision was undone.
    DecisionUndone = "case.undone", "ett beslut är ångrat";
    /// A diary number has come.
    CaseRegistered = "case.registered", "ett ärende har fått sitt diarienummer";
    /// The deadline of an open case is near.
    DeadlineNear = "case.deadline_near", "fristen är snart ute";
    /// Evidence was sealed.
    EvidenceSealed = "evidence.sealed", "ett bevis är säkrat";
}

impl HookEvent {
    /// The event with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_apart_and_found_again() {
        for &event in HookEvent::ALL {
            assert_eq!(HookEvent::from_id(event.id()), Some(event));
        }
        assert_eq!(HookEvent::from_id("case"), None);
    }
}
