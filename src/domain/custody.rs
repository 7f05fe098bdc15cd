//! What happens around a record's evidence (*händelser kring beviset*): every opening, showing, copy,
//! check, exemption and disposal is a line of the audit log, and here is what such a line means.

/// What somebody did with a record or with the case it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CustodyAct {
    /// What is not shown unasked of a case closed long ago was shown.
    Unveil,
    /// The case was opened, with its text and names in full or masked.
    OpenCase,
    /// The record's own page was opened.
    OpenRecord,
    /// A file of the record was opened: a picture, the sheet, the platform's answer.
    OpenPart,
    /// A picture that stands blurred was looked at as it is.
    ShowBlurred,
    /// The manifest was printed at the command line.
    PrintManifest,
    /// The record went out in a package.
    Export,
    /// The record went out in a package to the diary.
    Register,
    /// The record went into a document for the police.
    PoliceBundle,
    /// The record was mailed to a unit of the authority.
    Forward,
    /// The record was handed out to somebody who asked for it.
    Release,
    /// The record was recomputed and held against the log.
    Verify,
    /// Copying was barred on suspicion (regulation 2.2).
    Suspect,
    /// That bar was lifted.
    LiftBar,
    /// The case was exempted from disposal.
    Exempt,
    /// That exemption was lifted.
    EndExemption,
    /// The case was marked as secret.
    Mark,
    /// That mark was lifted.
    LiftMark,
    /// Somebody was let into the circle that opens it, or out of it.
    ChangeCircle,
    /// Somebody outside the circle was refused.
    RefusedOpening,
    /// What shows the item was opened or went out with the record of another: a picture of the page, its thread.
    OpenBeside,
    /// A file of an archive run of the account went out: the item may stand in it.
    FetchRun,
    /// An archive run of the account went out whole.
    ExportRun,
    /// The content was disposed of.
    Dispose,
}

impl CustodyAct {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Unveil,
        Self::OpenCase,
        Self::OpenRecord,
        Self::OpenPart,
        Self::ShowBlurred,
        Self::PrintManifest,
        Self::Export,
        Self::Register,
        Self::PoliceBundle,
        Self::Forward,
        Self::Release,
        Self::Verify,
        Self::Suspect,
        Self::LiftBar,
        Self::Exempt,
        Self::EndExemption,
        Self::Mark,
        Self::LiftMark,
        Self::ChangeCircle,
        Self::RefusedOpening,
        Self::OpenBeside,
        Self::FetchRun,
        Self::ExportRun,
        Self::Dispose,
    ];

    /// The name in the audit log.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Unveil => "case.unveiled",
            Self::OpenCase => "case.open",
            Self::OpenRecord => "evidence.open",
            Self::OpenPart => "evidence.part",
            Self::ShowBlurred => "evidence.unblurred",
            Self::PrintManifest => "evidence.show",
            Self::Export => "evidence.export",
            Self::Register => "evidence.register",
            Self::PoliceBundle => "evidence.police",
            Self::Forward => "evidence.forward",
            Self::Release => "evidence.release",
            Self::Verify => "evidence.verify",
            Self::Suspect => "case.suspect",
            Self::LiftBar => "case.copy_bar_lifted",
            Self::Exempt => "case.exempt",
            Self::EndExemption => "case.exemption_ended",
            Self::Mark => "case.secrecy",
            Self::LiftMark => "case.secrecy_lifted",
            Self::ChangeCircle => "case.circle",
            Self::RefusedOpening => "case.open_refused",
            Self::OpenBeside => "case.open_beside",
            Self::FetchRun => "archive.fetch",
            Self::ExportRun => "archive.export",
            Self::Dispose => "evidence.dispose",
        }
    }

    /// The act with this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.id() == id)
    }

    /// What was done, as in "Kim Exempel …".
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unveil => "visade text och namn som var dolda",
            Self::OpenCase => "öppnade ärendet",
            Self::OpenRecord => "öppnade beviset",
            Self::OpenPart => "öppnade en fil i beviset",
            Self::ShowBlurred => "visade en suddad bild klart",
            Self::PrintManifest => "skrev ut bevisets manifest",
            Self::Export => "exporterade beviset",
            Self::Register => "lade beviset i ett paket till diariet",
            Self::PoliceBundle => "hämtade underlag till polisanmälan",
            Self::Forward => "skickade beviset med e-post till en enhet",
            Self::Release => "lämnade ut beviset som allmän handling",
            Self::Verify => "kontrollerade beviset",
            Self::Suspect => "spärrade inlägget mot kopiering",
            Self::LiftBar => "hävde spärren mot kopiering",
            Self::Exempt => "undantog ärendet från gallring",
            Self::EndExemption => "hävde undantaget från gallring",
            Self::Mark => "sekretessmarkerade ärendet",
            Self::LiftMark => "hävde sekretessmarkeringen",
            Self::ChangeCircle => "ändrade vilka som får öppna ärendet",
            Self::RefusedOpening => "nekades att öppna ärendet",
            Self::OpenBeside => "öppnade eller hämtade något annat där ärendet kan synas",
            Self::FetchRun => "hämtade en fil ur en arkivkörning av kontot",
            Self::ExportRun => "exporterade en arkivkörning av kontot",
            Self::Dispose => "gallrade beviset",
        }
    }
}

/// What an audit line about all records is about.
pub const EVERY_RECORD: &str = "evidence *";

/// What stands in the line of a case that was opened by somebody who sees personal data masked.
pub const MASKED: &str = "personuppgifter maskerade";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_act_has_a_name_and_words_of_its_own() {
        let names: BTreeSet<_> = CustodyAct::ALL.iter().map(|act| act.id()).collect();
        let words: BTreeSet<_> = CustodyAct::ALL.iter().map(|act| act.label()).collect();
        assert_eq!((names.len(), words.len()), (CustodyAct::ALL.len(), CustodyAct::ALL.len()));
        for act in CustodyAct::ALL {
            assert_eq!(CustodyAct::from_id(act.id()), Some(*act));
        }
        assert_eq!(CustodyAct::from_id("session.open"), None);
    }
}
