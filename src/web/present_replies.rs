//! What helps to write an answer → display values.

use jiff::Timestamp;

use crate::domain::item::ItemKind;
use crate::domain::mention::NOTE;
use crate::services::case_file::CaseFile;
use crate::services::forward::{Forwarded, Letter};
use crate::services::replies::{Filled, Informing, Preview};

use super::view::marked::MarkedText;
use super::view::mentions::NotesView;
use super::view::replies::{AnswerHelp, InformingView, LetterView, PreviewView, ReplyGroup};
use super::view::times::Moment;

/// What helps to write the answer in a case.
pub fn help(file: &CaseFile) -> AnswerHelp {
    let replies = &file.help_to_answer.replies;
    let group = |label, own: bool| {
        let of = |filled: &&Filled| filled.own == own;
        let option =
            |filled: &Filled| (filled.reply.0, filled.title.clone(), filled.ready.text.clone());
        let options: Vec<_> = replies.iter().filter(of).map(option).collect();
        (!options.is_empty()).then_some(ReplyGroup { label, options })
    };
    let informing = match &file.help_to_answer.informing {
        Informing::Nothing => None,
        Informing::Offered => Some(InformingView { not: None, draft: None }),
        Informing::Not { why, draft } => {
            Some(InformingView { not: Some(why.clone()), draft: draft.clone() })
        }
    };
    AnswerHelp {
        insert: format!("/arende/{}/infoga", file.id),
        offers: false,
        groups: [
            group("Sparade svar för kontot", true),
            group("Sparade svar för alla konton", false),
        ]
        .into_iter()
        .flatten()
        .collect(),
        informing,
    }
}

/// An answer as it will look.
pub fn preview(preview: Preview) -> PreviewView {
    let Preview { by, platform, kind, text, signed_by, problem } = preview;
    PreviewView {
        by: format!("{by} på {}", platform.label()),
        seen_by: match kind {
            ItemKind::DirectMessage => "Bara den som skrev ser det.",
            ItemKind::Comment
            | ItemKind::Reply
            | ItemKind::PostByOther
            | ItemKind::Mention
            | ItemKind::Review => "Alla som ser inlägget kan läsa det.",
        },
        text: MarkedText::plain(&text),
        signed: signed_by.map(|policy| {
            format!("Underskriften har satts dit enligt {policy}, och följer med när du beslutar.")
        }),
        problem,
    }
}

/// What would be mailed to whom it is forwarded to.
pub fn letter(forwarded: Forwarded) -> LetterView {
    match forwarded {
        Forwarded::ByMail(Letter { to, subject, text }) => {
            LetterView::Mail { to, subject, text: MarkedText::plain(&text.replace("\r\n", "\n")) }
        }
        Forwarded::ByHand(why) => LetterView::ByHand(why),
    }
}

/// Internal notes, out of the history.
pub fn notes(file: &CaseFile, now: Timestamp) -> NotesView {
    let notes = file.history.iter().filter(|step| step.what == NOTE).map(|step| {
        let text = MarkedText::plain(step.detail.as_deref().unwrap_or_default());
        (Moment::new(step.at, now), step.by.clone().unwrap_or_default(), text)
    });
    NotesView {
        notes: notes.collect(),
        may: file.may_write_notes,
        names: file.names_to_mention.clone(),
        refused: None,
    }
}
