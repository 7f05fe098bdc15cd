use std::fmt::Write as _;

use crate::domain::person::{Act, Role};

#[test]
fn the_permission_table() {
    let mut table = String::new();
    for &role in Role::ALL {
        let may: Vec<_> =
            Act::ALL.iter().filter(|act| role.may(**act)).map(|act| format!("{act:?}")).collect();
        let _ = writeln!(table, "{:<14} {}", role.label(), may.join(", "));
    }
    insta::assert_snapshot!(table, @r"
    redaktör       ReadCases, Search, ReadEvidence, Decide, WriteNotes, EditReplies, EnterDiaryNumber, MarkSecrecy
    kontoansvarig  ReadCases, Search, ReadEvidence, Decide, WriteNotes, EditReplies, EnterDiaryNumber, LiftCopyBar, Exempt, MarkSecrecy, LiftSecrecy, DecidePoliceReport, Release
    registrator    ReadCases, Search, ReadEvidence, WriteNotes, EnterDiaryNumber, MarkSecrecy, LiftSecrecy, Release, AnswerSubjects
    arkivarie      ReadCases, ReadEvidence, WriteNotes, MarkSecrecy, LiftSecrecy, Release, Dispose
    granskare      ReadCases, ReadEvidence, ReadAudit
    administratör  ReadCases, Exempt, AnswerSubjects, Dispose, ManageAccounts, ManagePolicies, ManageRules, ManageUsers, ReadAudit
    ");
}

#[test]
fn nobody_both_decides_and_reads_the_audit_log_or_manages_users() {
    for &role in Role::ALL {
        assert!(
            !(role.may(Act::Decide) && (role.may(Act::ReadAudit) || role.may(Act::ManageUsers)))
        );
        assert_eq!(Role::from_id(role.id()), Some(role));
        assert!(role.id().is_ascii(), "identifiers are typed on the command line");
    }
    assert_eq!(Role::from_id("redaktör"), None);
}
