//! Users and what their roles let them do.

use serde::{Deserialize, Serialize};

/// A role (*roll*). One person may have several over time; a login has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// *Redaktör*: works the queue.
    Editor,
    /// *Kontoansvarig*: an editor who also answers for accounts.
    Owner,
    /// *Registrator*: hands records to the diary.
    Registrar,
    /// *Arkivarie*: keeps and disposes.
    Archivist,
    /// *Granskare*: reads, never acts.
    Auditor,
    /// *Administratör*: users and settings.
    Administrator,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// See the queue and cases.
    ReadCases,
    /// Search in all that has been written, cases or not.
    Search,
    /// See evidence in full, personal data included. The showing is audited.
    ReadEvidence,
    /// Claim and decide.
    Decide,
    /// Write internal notes on cases.
    WriteNotes,
    /// Change the saved replies that everybody answers with.
    EditReplies,
    /// Enter a diary number.
    EnterDiaryNumber,
    /// Lift the bar on copying an item that was wrongly suspected to show abuse of a child.
    LiftCopyBar,
    /// Exempt a case from disposal, or lift that.
    Exempt,
    /// Mark a case as secret, and say who else may open it.
    MarkSecrecy,
    /// Lift such a mark.
    LiftSecrecy,
    /// Decide whether to report to the police.
    DecidePoliceReport,
    /// Hand out public records to whoever asks.
    Release,
    /// Note what people ask about their own personal data, and when it is due. To search for them and to answer
    /// takes the right to read evidence besides.
    AnswerSubjects,
    /// Propose, approve and carry out disposal.
    Dispose,
    /// Keep the register of accounts, whoever answers for each; begin and end a crisis.
    ManageAccounts,
    /// Change the policies that everybody works by.
    ManagePolicies,
    /// Change the authority's own rules and words.
    ManageRules,
    /// Add and change users.
    ManageUsers,
    /// See the audit log.
    ReadAudit,
}

impl Act {
    /// All acts.
    pub const ALL: &[Self] = &[
        Self::ReadCases,
        Self::Search,
        Self::ReadEvidence,
        Self::Decide,
        Self::WriteNotes,
        Self::EditReplies,
        Self::EnterDiaryNumber,
        Self::LiftCopyBar,
        Self::Exempt,
        Self::MarkSecrecy,
        Self::LiftSecrecy,
        Self::DecidePoliceReport,
        Self::Release,
        Self::AnswerSubjects,
        Self::Dispose,
        Self::ManageAccounts,
        Self::ManagePolicies,
        Self::ManageRules,
        Self::ManageUsers,
        Self::ReadAudit,
    ];

    /// What is done, as in "Din roll får inte …".
    pub const fn label(self) -> &'static str {
        match self {
            Self::ReadCases => "läsa ärenden",
            Self::Search => "söka i det som har skrivits",
            Self::ReadEvidence => "läsa säkrade bevis i sin helhet",
            Self::Decide => "ta, besluta i eller ångra ärenden",
            Self::WriteNotes => "skriva anteckningar i ärenden",
            Self::EditReplies => "ändra sparade svar",
            Self::EnterDiaryNumber => "skriva in diarienummer",
            Self::LiftCopyBar => "häva spärren mot kopiering",
            Self::Exempt => "undanta ärenden från gallring",
            Self::MarkSecrecy => "sekretessmarkera ärenden",
            Self::LiftSecrecy => "häva sekretessmarkeringar",
            Self::DecidePoliceReport => "besluta om polisanmälan",
            Self::Release => "lämna ut allmänna handlingar",
            Self::AnswerSubjects => "handlägga begäranden från registrerade",
            Self::Dispose => "gallra",
            Self::ManageAccounts => "ändra i kontoregistret eller krisläget",
            Self::ManagePolicies => "ändra riktlinjer",
            Self::ManageRules => "ändra regler",
            Self::ManageUsers => "lägga till och ändra användare",
            Self::ReadAudit => "läsa granskningsloggen",
        }
    }

    /// The roles that may, in the order of [`Role::ALL`].
    pub fn roles(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| role.may(self))
    }
}

impl Role {
    /// All roles.
    pub const ALL: &[Self] = &[
        Self::Editor,
        Self::Owner,
        Self::Registrar,
        Self::Archivist,
        Self::Auditor,
        Self::Administrator,
    ];

    /// Identifier in the store and on the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Editor => "redaktor",
            Self::Owner => "kontoansvarig",
            Self::Registrar => "registrator",
            Self::Archivist => "arkivarie",
            Self::Auditor => "granskare",
            Self::Administrator => "administrator",
        }
    }

    /// The role with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.id() == id)
    }

    /// Those who have it, in Swedish.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Editor => "redaktörer",
            Self::Owner => "kontoansvariga",
            Self::Registrar => "registratorer",
            Self::Archivist => "arkivarier",
            Self::Auditor => "granskare",
            Self::Administrator => "administratörer",
        }
    }

    /// The Swedish word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Editor => "redaktör",
            Self::Owner => "kontoansvarig",
            Self::Registrar => "registrator",
            Self::Archivist => "arkivarie",
            Self::Auditor => "granskare",
            Self::Administrator => "administratör",
        }
    }

    /// The permission table: one row a role, one answer an act.
    pub const fn may(self, act: Act) -> bool {
        match self {
            Self::Editor => match act {
                Act::ReadCases
                | Act::Search
                | Act::ReadEvidence
                | Act::Decide
                | Act::WriteNotes
                | Act::EditReplies
                | Act::EnterDiaryNumber
                | Act::MarkSecrecy => true,
                Act::LiftCopyBar
                | Act::Exempt
                | Act::LiftSecrecy
                | Act::DecidePoliceReport
                | Act::Release
                | Act::AnswerSubjects
                | Act::Dispose
                | Act::ManageAccounts
                | Act::ManagePolicies
                | Act::ManageRules
                | Act::ManageUsers
                | Act::ReadAudit => false,
            },
            // Who answers for the account answers for a suspicion that is called wrong, and knows of
            // the trial or the request that a case has to be kept for.
            Self::Owner => match act {
                Act::ReadCases
                | Act::Search
                | Act::ReadEvidence
                | Act::Decide
                | Act::WriteNotes
                | Act::EditReplies
                | Act::EnterDiaryNumber
                | Act::LiftCopyBar
                | Act::Exempt
                | Act::MarkSecrecy
                | Act::LiftSecrecy
                | Act::DecidePoliceReport
                | Act::Release => true,
                Act::AnswerSubjects
                | Act::Dispose
                | Act::ManageAccounts
                | Act::ManagePolicies
                | Act::ManageRules
                | Act::ManageUsers
                | Act::ReadAudit => false,
            },
            Self::Registrar => match act {
                Act::ReadCases
                | Act::Search
                | Act::ReadEvidence
                | Act::WriteNotes
                | Act::EnterDiaryNumber
                | Act::MarkSecrecy
                | Act::LiftSecrecy
                | Act::Release
                | Act::AnswerSubjects => true,
                Act::Decide
                | Act::EditReplies
                | Act::LiftCopyBar
                | Act::Exempt
                | Act::DecidePoliceReport
                | Act::Dispose
                | Act::ManageAccounts
                | Act::ManagePolicies
                | Act::ManageRules
                | Act::ManageUsers
                | Act::ReadAudit => false,
            },
            Self::Archivist => match act {
                Act::ReadCases
                | Act::ReadEvidence
                | Act::WriteNotes
                | Act::Dispose
                | Act::Release
                | Act::MarkSecrecy
                | Act::LiftSecrecy => true,
                Act::Search
                | Act::Decide
                | Act::EditReplies
                | Act::EnterDiaryNumber
                | Act::LiftCopyBar
                | Act::Exempt
                | Act::DecidePoliceReport
                | Act::AnswerSubjects
                | Act::ManageAccounts
                | Act::ManagePolicies
                | Act::ManageRules
                | Act::ManageUsers
                | Act::ReadAudit => false,
            },
            Self::Auditor => match act {
                Act::ReadCases | Act::ReadEvidence | Act::ReadAudit => true,
                Act::Search
                | Act::Decide
                | Act::WriteNotes
                | Act::EditReplies
                | Act::EnterDiaryNumber
                | Act::LiftCopyBar
                | Act::Exempt
                | Act::MarkSecrecy
                | Act::LiftSecrecy
                | Act::DecidePoliceReport
                | Act::Release
                | Act::AnswerSubjects
                | Act::Dispose
                | Act::ManageAccounts
                | Act::ManagePolicies
                | Act::ManageRules
                | Act::ManageUsers => false,
            },
            Self::Administrator => match act {
                Act::ReadCases
                | Act::Exempt
                | Act::AnswerSubjects
                | Act::Dispose
                | Act::ManageAccounts
                | Act::ManagePolicies
                | Act::ManageRules
                | Act::ManageUsers
                | Act::ReadAudit => true,
                // Running the system gives no right to read sealed personal data or to decide.
                Act::Search
                | Act::ReadEvidence
                | Act::Decide
                | Act::WriteNotes
                | Act::EditReplies
                | Act::EnterDiaryNumber
                | Act::LiftCopyBar
                | Act::MarkSecrecy
                | Act::LiftSecrecy
                | Act::DecidePoliceReport
                | Act::Release => false,
            },
        }
    }
}
