//! The protocol of a disposal (*gallringsprotokoll*) as a table: one line a record, each telling all, so
//! that a line that is taken out of it still says under which rule and decision it stands.

use jiff::Timestamp;

use crate::domain::retention::{DisposalLine, Protocol};

const COLUMNS: &[&str] = &[
    "protokoll",
    "myndighet",
    "bevis",
    "ärende",
    "konto",
    "klass",
    "månader",
    "skäl",
    "avslutat",
    "gallringsbart",
    "gallrat",
    "plan",
    "beslut",
    "riktlinje_sha256",
    "föreslaget_av",
    "föreslaget",
    "genomfört_av",
    "två_personer",
    "manifest_sha256",
    "plats_i_loggen",
];

/// The table: UTF-8, semicolons, one heading, as RFC 4180 but for the separator (which Swedish spreadsheets
/// expect). The same protocol always gives the same bytes.
pub fn csv(protocol: &Protocol) -> Vec<u8> {
    let mut text = heading();
    for record in &protocol.lines {
        line(&mut text, cells(protocol, record));
    }
    text.into_bytes()
}

/// The heading of such a table.
pub fn heading() -> String {
    let mut text = String::new();
    line(&mut text, COLUMNS.iter().map(|&name| name.to_owned()));
    text
}

/// Any table of ours in that form.
pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut text = String::new();
    line(&mut text, head.iter().map(|&name| name.to_owned()));
    for row in rows {
        line(&mut text, row.into_iter());
    }
    text.into_bytes()
}

fn cells(protocol: &Protocol, record: &DisposalLine) -> impl Iterator<Item = String> {
    [
        protocol.number.to_string(),
        protocol.authority.clone(),
        record.evidence.to_string(),
        record.case.to_string(),
        record.account.clone(),
        record.class.label().to_owned(),
        record.months.to_string(),
        record.why.clone(),
        time(record.closed_at),
        time(record.due_at),
        time(protocol.done.0),
        protocol.plan.clone(),
        protocol.decision.clone(),
        protocol.policy.to_string(),
        protocol.proposed.1.clone(),
        time(protocol.proposed.0),
        protocol.done.1.clone(),
        if protocol.four_eyes { "ja" } else { "nej" }.to_owned(),
        record.manifest.to_string(),
        record.log_seq.to_string(),
    ]
    .into_iter()
}

/// To the second, in UTC.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Adds a line of cells: separated, quoted, and none of them a formula.
pub(super) fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            text.push(';');
        }
        // What a spreadsheet would take for a formula is made text.
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let cell = if formula { format!("'{cell}") } else { cell };
        if cell.contains([';', '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::ids::{CaseId, ContentHash, DisposalId, EvidenceId};
    use crate::domain::retention::{Destroyed, RetentionClass};

    pub(crate) fn protocol(account: &str) -> Protocol {
        let at = |text: &str| text.parse().expect("a time");
        Protocol {
            number: DisposalId(3),
            authority: "Exempelstads kommun".into(),
            plan: "Plan för sociala medier".into(),
            decision: "Kommunstyrelsen 2026-03-02, KS 2026/114".into(),
            policy: ContentHash::new([7; 32]),
            proposed: (at("2026-11-21T12:00:00.5Z"), "Kim Exempel".into()),
            done: (at("2026-11-22T09:30:00Z"), "Lo Påhitt".into()),
            four_eyes: true,
            destroyed: Destroyed { n_files: 5, n_bytes: 91_204, n_shared: 1 },
            lines: vec![DisposalLine {
                evidence: EvidenceId(17),
                manifest: ContentHash::new([9; 32]),
                log_seq: 203,
                case: CaseId(12),
                account: account.into(),
                class: RetentionClass::Dismissed,
                months: 24,
                why: "Ringa betydelse.".into(),
                closed_at: at("2024-10-01T08:00:00Z"),
                due_at: at("2026-10-01T22:00:00Z"),
            }],
        }
    }

    #[test]
    fn each_line_tells_rule_decision_and_who() {
        let text = String::from_utf8(csv(&protocol("Facebook; \"torget\""))).expect("UTF-8");
        insta::assert_snapshot!(text.replace("\r\n", "\n"), @r#"
        protokoll;myndighet;bevis;ärende;konto;klass;månader;skäl;avslutat;gallringsbart;gallrat;plan;beslut;riktlinje_sha256;föreslaget_av;föreslaget;genomfört_av;två_personer;manifest_sha256;plats_i_loggen
        3;Exempelstads kommun;17;12;"Facebook; ""torget""";avfärdade;24;Ringa betydelse.;2024-10-01T08:00:00Z;2026-10-01T22:00:00Z;2026-11-22T09:30:00Z;Plan för sociala medier;Kommunstyrelsen 2026-03-02, KS 2026/114;0707070707070707070707070707070707070707070707070707070707070707;Kim Exempel;2026-11-21T12:00:00Z;Lo Påhitt;ja;0909090909090909090909090909090909090909090909090909090909090909;203
        "#);
    }

    #[test]
    fn nothing_in_it_is_a_formula() {
        let text = String::from_utf8(csv(&protocol("=1+1"))).expect("UTF-8");
        assert!(text.contains(";'=1+1;"), "{text}");
    }
}
