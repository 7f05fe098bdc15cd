//! What open pages are told while they are open (`/handelser`, server-sent events).
//!
//! An event says *that* something happened, never what it says: the page fetches what its reader
//! may see. So no text, no name of a stranger and no personal data passes here.

use axum::response::sse::Event;
use serde::Serialize;

use crate::domain::ids::CaseId;

/// Something an open page wants to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "vad", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A case entered the queue or came back to it.
    Ny {
        /// The case.
        arende: CaseId,
    },
    /// A case left the queue, or something happened to one that is not in it.
    Borta {
        /// The case.
        arende: CaseId,
        /// As in [`LiveEvent::Andrad`].
        ord: String,
    },
    /// Evidence of the case's version was sealed, or could not be.
    Bevis {
        /// The case.
        arende: CaseId,
    },
    /// Somebody undid the decision on a case in the queue, or its text changed.
    Andrad {
        /// The case.
        arende: CaseId,
        /// What to say to somebody who has it open: `Kim Exempel har beslutat: dölj.` Empty for what
        /// the reader did, which other pages of theirs follow without a word.
        ord: String,
    },
    /// Somebody took a case or let it go.
    Tagen {
        /// The case.
        arende: CaseId,
        /// Who is on it, as its row says it; empty where nobody is.
        vem: String,
        /// Whether that is a colleague of the reader.
        annan: bool,
        /// Set where it was taken over from the reader: who has it now.
        ord: String,
    },
    /// The page missed events (it was away, or we fell behind) and should fetch itself anew.
    HamtaOm,
    /// The session has too many pages open: this stream, its oldest, ends and is not to be opened again.
    Trangt,
}

impl LiveEvent {
    /// Name of the event in the stream.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ny { .. } => "ny",
            Self::Borta { .. } => "borta",
            Self::Bevis { .. } => "bevis",
            Self::Andrad { .. } => "andrad",
            Self::Tagen { .. } => "tagen",
            Self::HamtaOm => "hamta_om",
            Self::Trangt => "trangt",
        }
    }

    /// The event as it goes over the wire.
    ///
    /// # Errors
    /// Never in practice: the values are numbers and strings.
    pub fn to_sse(&self) -> Result<Event, axum::Error> {
        Event::default().event(self.name()).json_data(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tags_are_the_same_words() {
        let case = CaseId(4);
        for event in [
            LiveEvent::Ny { arende: case },
            LiveEvent::Borta { arende: case, ord: "x".into() },
            LiveEvent::Bevis { arende: case },
            LiveEvent::Andrad { arende: case, ord: "x".into() },
            LiveEvent::Tagen { arende: case, vem: "x".into(), annan: true, ord: "x".into() },
            LiveEvent::HamtaOm,
            LiveEvent::Trangt,
        ] {
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!(json["vad"], event.name());
            assert!(event.to_sse().is_ok());
        }
    }
}
