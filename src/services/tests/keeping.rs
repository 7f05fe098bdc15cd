//! Events around the evidence, exemption from disposal, and disposal with its protocol.

use crate::domain::decision::{Choice, Decision};
use crate::domain::ids::{CaseId, EvidenceId};
use crate::domain::person::Role;
use crate::domain::release::ReleaseOutcome;
use crate::domain::retention::DisposalState;
use crate::evidence::verify::one::verify_one;
use crate::services::deliveries::PackageForm;
use crate::services::disposal::plan::Plan;
use crate::services::records::Evidence;
use crate::services::tests::harness::{Stage, THREAT, viewer};
use crate::services::{ServiceError, Viewer, archive, packages};
use crate::store::sqlite::disposals::DISPOSED_TEXT;

/// Two months, in seconds: longer than what is dismissed is kept here.
pub const TWO_MONTHS_S: i64 = 62 * 86_400;

impl Stage {
    pub async fn evidence_of(&self, case: CaseId) -> EvidenceId {
        let version = self.store().case(case).await.unwrap().version;
        self.store().evidence_of(version).await.unwrap().unwrap().id
    }

    /// Somebody writes a text, it is taken in, dismissed, and carried out.
    pub async fn dismissed(&self, text: &str) -> (u64, CaseId) {
        let (number, case) = self.written(text).await;
        self.dismiss(case).await;
        (number, case)
    }

    pub async fn dismiss(&self, case: CaseId) {
        let revision = self.store().case(case).await.unwrap().revision;
        let decision = Decision::new(vec![Choice::Dismiss], None, None).unwrap();
        self.services.decide(&self.editor, case, revision, decision).await.unwrap();
        self.act_after_undo().await;
    }

    pub async fn plan(&self) -> Plan {
        self.services.disposing().plan().await.unwrap()
    }

    async fn events(&self, viewer: &Viewer, case: CaseId) -> Vec<String> {
        let file = self.services.case_file(viewer, case).await.unwrap();
        let event = |e: crate::services::custody::CustodyEvent| {
            format!("{} {}{}", e.who, e.what, e.detail.map_or(String::new(), |d| format!(": {d}")))
        };
        file.custody.events.into_iter().map(event).collect()
    }
}

pub fn why(refused: Result<impl std::fmt::Debug, ServiceError>) -> String {
    match refused {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_access_is_an_event_on_the_record_and_goes_out_with_it() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let (_, other) = stage.written("Du är en jävla idiot som ska dö.").await;
    let id = stage.evidence_of(case).await;
    let services = &stage.services;
    let administrator = stage.person(Role::Administrator, "Adam").await;
    services.case_file(&stage.editor, case).await.unwrap();
    services.case_file(&stage.editor, case).await.unwrap();
    services.case_file(&administrator, case).await.unwrap();
    services.evidence_record(&stage.editor, id).await.unwrap();
    services.evidence_part(&stage.editor, id, "text.txt").await.unwrap();
    let (store, evidence) = (stage.store(), &services.inner.evidence);
    archive::manifest_text(store, evidence, id, stage.now()).await.unwrap();
    let found = archive::verify(store, evidence, Vec::new(), None).await.unwrap();
    let by = || archive::line("", String::new());
    archive::note_verified(store, None, &found, by(), stage.now()).await;
    let found = archive::verify_one(store, evidence, id, Vec::new()).await.unwrap();
    archive::note_verified(store, Some(id), &found, by(), stage.now()).await;
    services.exempt(&administrator, case, "Begäran om utlämnande").await.unwrap();
    services.end_exemption(&administrator, case, "Utlämnat").await.unwrap();
    let out = stage.dir.path().join("paket.zip");
    let clock = &services.inner.clock;
    packages::export(store, evidence, &[id], &out, "Exempelstad", clock, &PackageForm::Zip)
        .await
        .unwrap();
    assert_eq!(
        stage.events(&stage.editor, case).await,
        [
            "Kim Exempel öppnade ärendet",
            "Adam Exempel öppnade ärendet: personuppgifter maskerade",
            "Kim Exempel öppnade beviset",
            "Kim Exempel öppnade en fil i beviset: text.txt",
            "kommandoraden skrev ut bevisets manifest",
            "kommandoraden kontrollerade beviset: allt stämmer",
            "kommandoraden kontrollerade beviset: allt stämmer",
            "Adam Exempel undantog ärendet från gallring: Begäran om utlämnande",
            "Adam Exempel hävde undantaget från gallring: Utlämnat",
            "kommandoraden exporterade beviset: paket.zip",
            "Kim Exempel öppnade ärendet",
        ]
    );
    // Of another case only what is about all, and its own opening.
    assert_eq!(
        stage.events(&stage.editor, other).await,
        ["kommandoraden kontrollerade beviset: allt stämmer", "Kim Exempel öppnade ärendet"]
    );
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&out).unwrap()).unwrap();
    let told: serde_json::Value =
        serde_json::from_reader(zip.by_name(&format!("bevis-{id}/arende.json")).unwrap()).unwrap();
    let acts: Vec<_> =
        told["custody"].as_array().unwrap().iter().map(|e| e["act"].as_str().unwrap()).collect();
    assert_eq!((acts.len(), acts[0], acts[10]), (11, "case.open", "evidence.export"));
    assert!(packages::verify(&out, &|_, _| {}).unwrap().is_whole());
}

#[tokio::test]
async fn no_page_shows_anything_of_what_may_not_be_copied_without_a_line() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    stage.services.suspect(&stage.editor, case).await.unwrap();
    let lines = async || stage.store().custody(case, 1_000).await.unwrap().0;
    let before = lines().await;
    stage.services.case_file(&stage.editor, case).await.unwrap();
    stage.services.evidence_record(&stage.editor, stage.evidence_of(case).await).await.unwrap();
    assert_eq!(lines().await, before + 2);
    // Lists write no line, and so tell nothing of its text or its author.
    let queue = stage.services.queue(&stage.editor, crate::services::queue::Filter::Open, None, 0);
    let line = queue.await.unwrap().lines.into_iter().find(|line| line.case == case).unwrap();
    assert!(!line.text.contains("slå") && line.text.contains("visas bara i ärendet"), "{line:?}");
    assert!(!line.author.contains("Påhitt"), "{line:?}");
}

#[tokio::test]
async fn an_exemption_is_set_and_lifted_with_a_reason_by_those_who_may_and_is_on_the_log() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let services = &stage.services;
    let owner = stage.person(Role::Owner, "Olle").await;
    for role in [Role::Editor, Role::Registrar, Role::Archivist, Role::Auditor] {
        let refused = services.exempt(&viewer(role, owner.user), case, "Åtal väntar").await;
        assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })), "{role:?}");
    }
    assert!(why(services.exempt(&owner, case, " ").await).contains("skäl"));
    services.exempt(&owner, case, "Åtal väntar").await.unwrap();
    assert!(why(services.exempt(&owner, case, "Åtal väntar").await).contains("redan undantaget"));
    let counts = services.counts(&owner).await.unwrap();
    assert_eq!(counts.exempt, 1);
    let exempt = crate::services::queue::Filter::Exempt;
    let listed = services.queue(&owner, exempt, None, 0).await.unwrap().lines;
    assert_eq!(listed.iter().map(|line| line.case).collect::<Vec<_>>(), [case]);
    stage.verified().await;
    services.end_exemption(&owner, case, "Domen vann laga kraft").await.unwrap();
    assert!(
        why(services.end_exemption(&owner, case, "Igen och igen").await)
            .contains("inte undantaget")
    );
    assert!(services.queue(&owner, exempt, None, 0).await.unwrap().lines.is_empty());
    stage.verified().await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    for sql in ["delete from holds", "update holds set reason = 'annat'"] {
        assert!(raw.execute(sql, []).unwrap_err().to_string().contains("stays on record"), "{sql}");
    }
}

#[tokio::test]
async fn nothing_is_due_before_its_time_and_then_one_proposes_and_another_approves() {
    let mut stage = Stage::new().await;
    let (number, case) = stage.dismissed(THREAT).await;
    let id = stage.evidence_of(case).await;
    let (archivist, other) = (
        stage.person(Role::Archivist, "Arne").await,
        stage.person(Role::Administrator, "Eva").await,
    );
    assert_eq!(stage.plan().await.due, []);
    assert!(why(stage.services.propose_disposal(&archivist, None).await).contains("Ingenting"));
    stage.wait_s(TWO_MONTHS_S);
    let plan = stage.plan().await;
    assert_eq!(plan.due.iter().map(|due| due.case).collect::<Vec<_>>(), [case]);
    assert_eq!((plan.destroyed.n_files, plan.destroyed.n_shared), (2, 0));
    assert_eq!(stage.n_blobs(), 2, "a dry run touches nothing");
    let refused = stage.services.propose_disposal(&stage.editor, None).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    assert_eq!((row.state, stage.n_blobs()), (DisposalState::Proposed, 2));
    assert!(why(stage.services.propose_disposal(&other, None).await).contains("väntar redan"));
    assert!(why(stage.services.approve_disposal(&archivist, row.id).await).contains("någon annan"));
    let row = stage.services.approve_disposal(&other, row.id).await.unwrap();
    assert_eq!((row.state, row.n, stage.n_blobs()), (DisposalState::Done, (1, 1), 0));

    // What stays: the leaf, the manifest's hash, the history, the protocol; verification says which.
    let report = stage.verified().await;
    assert_eq!((report.n_sealed, report.n_disposed), (0, 1));
    assert!(
        report.notes.iter().any(|n| n.contains("gallrat enligt protokoll 1 (beslut: KS 2026/1)"))
    );
    let one = verify_one(&stage.services.inner.evidence, stage.store(), id, &[]).await.unwrap();
    assert_eq!(one.faults, []);
    assert!(one.notes.iter().any(|note| note.contains("protokoll 1")), "{one:?}");
    let file = stage.services.case_file(&other, case).await.unwrap();
    assert!(
        matches!(file.evidence, Evidence::Disposed { under: Some((of, _)), .. } if of == row.id)
    );
    assert_eq!(file.text, DISPOSED_TEXT);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let in_index = "select count(*) from item_words w join versions v on v.id = w.rowid
                    join cases k on k.item_id = v.item_id where k.id = ?1";
    let n: i64 = raw.query_row(in_index, [case.0], |row| row.get(0)).unwrap();
    assert_eq!(n, 0, "nobody finds what is disposed of");
    assert!(file.author.name.is_none() && file.findings.is_empty());
    let csv = stage.services.protocol_file(&archivist, row.id, "csv").await.unwrap();
    let csv = String::from_utf8(csv).unwrap();
    for told in ["KS 2026/1", "Arne Exempel", "Eva Exempel", "avfärdade", "Exempelstads kommun"] {
        assert!(csv.contains(told), "{told} in {csv}");
    }

    // The same text read again is known, and does not come back.
    stage.wait_s(600);
    stage.restart().await;
    stage.take_in_plainly().await;
    assert_eq!(stage.case_of(number).await, case);
    let item = stage.store().case(case).await.unwrap().item;
    assert_eq!(stage.store().versions_of(item).await.unwrap().len(), 1);
    assert_eq!(stage.verified().await.n_disposed, 1);
    // And nothing of it is left in the database's file, once what is written ahead is taken in.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    let bytes = std::fs::read(stage.store().path()).unwrap();
    assert!(memchr::memmem::find(&bytes, "ska slå ihjäl".as_bytes()).is_none());
}

#[tokio::test]
async fn the_exempt_the_barred_and_what_changed_are_left_alone_by_name() {
    let stage = Stage::new().await;
    let (number, held) = stage.dismissed(THREAT).await;
    // On another page, for all that stands on its own is left alone with it.
    let barred = stage.simulator.write_under(1, "Robin Påhitt", &format!("{THREAT} Två."));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let barred = stage.case_of(barred).await;
    stage.dismiss(barred).await;
    let (_, free) = stage.dismissed(&format!("{THREAT} Tre.")).await;
    let answer = stage.simulator.write("Love Provare", &format!("{THREAT} Svar."), Some(number));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let below = stage.case_of(answer).await;
    stage.dismiss(below).await;
    let owner = stage.person(Role::Owner, "Olle").await;
    let (archivist, other) =
        (stage.person(Role::Archivist, "Arne").await, stage.person(Role::Archivist, "Eva").await);
    stage.services.exempt(&owner, held, "Åtal väntar").await.unwrap();
    stage.services.suspect(&stage.editor, barred).await.unwrap();
    stage.wait_s(TWO_MONTHS_S);
    let plan = stage.plan().await;
    let spared = |case: CaseId| {
        let found = plan.spared.iter().find(|(spared, _)| *spared == case);
        found.map(|(_, why)| why.clone()).unwrap_or_default()
    };
    assert_eq!(plan.due.iter().map(|due| due.case).collect::<Vec<_>>(), [free], "{}", spared(free));
    assert_eq!(spared(held), "undantaget från gallring av Olle Exempel: Åtal väntar");
    assert!(spared(below).contains(&format!("samma tråd som ärende {held}")), "{}", spared(below));
    assert!(spared(barred).contains("polisens besked"), "{}", spared(barred));
    // Exempted between proposal and approval: nothing goes at all, and the refusal names it.
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    stage.services.exempt(&owner, free, "Begärd i går").await.unwrap();
    let refused = why(stage.services.approve_disposal(&other, row.id).await);
    assert!(refused.contains(&format!("Ärende {free} är undantaget")), "{refused}");
    assert_eq!(stage.verified().await.n_disposed, 0);
    stage.services.withdraw_disposal(&archivist, row.id, "Ett ärende är begärt").await.unwrap();
    assert!(why(stage.services.approve_disposal(&other, row.id).await).contains("väntar inte"));
    // The schema says it again.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    for (case, what) in [
        (held, "exempt from disposal"),
        (barred, "not disposed of by rule"),
        (below, "under a protocol alone"),
    ] {
        let id = stage.evidence_of(case).await;
        let refused = raw.execute("update evidence set state = 'disposed' where id = ?1", [id.0]);
        assert!(refused.unwrap_err().to_string().contains(what), "{what}");
    }
}

#[tokio::test]
async fn a_file_that_a_living_record_shares_stays_until_that_one_goes_too() {
    let stage = Stage::new().await;
    // The same words by two: one blob, two records.
    let (_, first) = stage.dismissed(THREAT).await;
    stage.wait_s(TWO_MONTHS_S);
    let (_, second) = stage.dismissed(THREAT).await;
    let (archivist, other) =
        (stage.person(Role::Archivist, "Arne").await, stage.person(Role::Archivist, "Eva").await);
    let plan = stage.plan().await;
    assert_eq!((plan.destroyed.n_files, plan.destroyed.n_shared), (1, 1));
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    stage.services.approve_disposal(&other, row.id).await.unwrap();
    assert_eq!(stage.n_blobs(), 2, "the second record's manifest and the shared text");
    let report = stage.verified().await;
    assert_eq!((report.n_sealed, report.n_disposed), (1, 1));
    let text = stage.evidence_of(second).await;
    stage.services.evidence_part(&stage.editor, text, "text.txt").await.unwrap();
    stage.wait_s(TWO_MONTHS_S);
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    stage.services.approve_disposal(&other, row.id).await.unwrap();
    assert_eq!(stage.n_blobs(), 0);
    assert_eq!(stage.verified().await.n_disposed, 2);
    assert_ne!(first, second);
}

/// By the rows a disposal knows what others still need: one that somebody took away is named, and costs nothing.
#[tokio::test]
async fn a_file_stays_though_somebody_took_away_that_a_living_record_rests_on_it() {
    let stage = Stage::new().await;
    stage.dismissed(THREAT).await;
    stage.wait_s(TWO_MONTHS_S);
    let (_, second) = stage.dismissed(THREAT).await;
    let living = stage.evidence_of(second).await;
    past_all_triggers(
        &stage,
        "evidence_blobs",
        &format!(
            "delete from evidence_blobs where evidence_id = {living} and sha256 in
           (select sha256 from evidence_blobs group by sha256 having count(*) > 1)"
        ),
    );
    let evidence = &stage.services.inner.evidence;
    let report = crate::evidence::verify::verify(evidence, stage.store(), &Default::default())
        .await
        .unwrap();
    assert!(
        report
            .faults
            .iter()
            .any(|f| f.place == format!("bevis {living}") && f.what.contains("vilar på")),
        "{:?}",
        report.faults
    );
    let (archivist, other) =
        (stage.person(Role::Archivist, "Arne").await, stage.person(Role::Archivist, "Eva").await);
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    stage.services.approve_disposal(&other, row.id).await.unwrap();
    let text = stage.services.evidence_part(&stage.editor, living, "text.txt").await;
    assert!(text.is_ok(), "{:?}", text.err());
    assert_eq!(stage.verified().await.faults, [], "it is noted again");
}

/// Changes rows with a table's triggers out of the way, as somebody with the file in hand can.
fn past_all_triggers(stage: &Stage, table: &str, sql: &str) {
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let mut ask = raw
        .prepare("select name, sql from sqlite_master where type = 'trigger' and tbl_name = ?1")
        .unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let triggers: Vec<_> = ask.query_map([table], row).unwrap().map(Result::unwrap).collect();
    raw.execute_batch("pragma foreign_keys = off; pragma ignore_check_constraints = on").unwrap();
    for (name, _) in &triggers {
        raw.execute_batch(&format!("drop trigger {name}")).unwrap();
    }
    assert_ne!(raw.execute(sql, []).unwrap(), 0, "{sql}");
    for (_, words) in triggers {
        raw.execute_batch(&words).unwrap();
    }
}

#[tokio::test]
async fn a_case_that_is_taken_away_and_a_state_that_cannot_be_are_named() {
    for (sql, what) in [
        ("delete from cases", "det som den hör till i cases saknas"),
        ("update cases set state = 'closey'", "CHECK constraint failed in cases"),
        ("update cases set severity = 9", "CHECK constraint failed in cases"),
    ] {
        let stage = Stage::new().await;
        stage.written(THREAT).await;
        assert_eq!(stage.store().damage().await.unwrap(), Vec::<String>::new());
        past_all_triggers(&stage, "cases", sql);
        let found = stage.store().damage().await.unwrap();
        assert!(found.iter().any(|line| line.contains(what)), "{sql}: {found:?}");
    }
}

#[tokio::test]
async fn what_was_sealed_before_files_were_noted_is_taken_in_before_anything_goes() {
    let stage = Stage::new().await;
    let (_, case) = stage.dismissed(THREAT).await;
    let (_, living) = stage.written(THREAT).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("drop trigger evidence_blobs_are_never_cut; delete from evidence_blobs")
        .unwrap();
    stage.wait_s(TWO_MONTHS_S);
    let plan = stage.plan().await;
    assert_eq!(plan.due.iter().map(|due| due.case).collect::<Vec<_>>(), [case]);
    assert_eq!((plan.destroyed.n_files, plan.destroyed.n_shared), (1, 1));
    // Where a living record cannot be read nobody knows what it shares: nothing goes.
    raw.execute("delete from evidence_blobs", []).unwrap();
    let id = stage.evidence_of(living).await;
    let row = stage.store().evidence(id).await.unwrap();
    let crate::store::rows::EvidenceState::Sealed { manifest, .. } = row.state else { panic!() };
    let hex = manifest.to_hex();
    let blobs = stage.dir.path().join("evidence/blobs");
    std::fs::remove_file(blobs.join(&hex[..2]).join(&hex[2..])).unwrap();
    let refused = stage.services.disposing().plan().await;
    assert!(matches!(refused, Err(ServiceError::Damaged { .. })), "{refused:?}");
}

/// One case is disposed of under protocol 1, another is exempt.
async fn disposed_and_exempt() -> (Stage, EvidenceId) {
    let stage = Stage::new().await;
    let (_, case) = stage.dismissed(THREAT).await;
    let id = stage.evidence_of(case).await;
    stage.wait_s(TWO_MONTHS_S);
    let (archivist, other) =
        (stage.person(Role::Archivist, "Arne").await, stage.person(Role::Archivist, "Eva").await);
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    stage.services.approve_disposal(&other, row.id).await.unwrap();
    let (_, held) = stage.written(&format!("{THREAT} Två.")).await;
    let owner = stage.person(Role::Owner, "Olle").await;
    stage.services.exempt(&owner, held, "Åtal väntar").await.unwrap();
    stage.verified().await;
    (stage, id)
}

#[tokio::test]
async fn whatever_is_changed_of_exemptions_and_disposals_is_named() {
    let (stage, id) = disposed_and_exempt().await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let mut triggers =
        raw.prepare("select name from sqlite_master where type = 'trigger'").unwrap();
    let names: Vec<String> =
        triggers.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    drop(triggers);
    for name in names {
        raw.execute(&format!("drop trigger {name}"), []).unwrap();
    }
    raw.execute_batch("pragma foreign_keys = off").unwrap();
    let faults = async || {
        let evidence = &stage.services.inner.evidence;
        crate::evidence::verify::verify(evidence, stage.store(), &Default::default())
            .await
            .unwrap()
            .faults
    };
    let named = async |place: &str, what: &str| {
        let found = faults().await;
        let is_named = found.iter().any(|f| f.place.starts_with(place) && f.what.contains(what));
        assert!(is_named, "{place}: {what} in {found:#?}");
    };
    let (hold, protocol, record) =
        ("undantag från gallring 1", "gallringsprotokoll 1", format!("bevis {id}"));
    for (change, back, place, what) in [
        (
            "update holds set reason = 'annat'",
            "update holds set reason = 'Åtal väntar'",
            hold,
            "stämmer inte med loggens post",
        ),
        (
            "update holds set lifted_at = 1, lifted_by = 1, lift_reason = 'x', lift_seq = 1",
            "update holds set lifted_at = null, lifted_by = null, lift_reason = null, lift_seq = null",
            hold,
            "hävt, men loggen har ingen post",
        ),
        (
            "update disposals set decision = 'KS 2026/2'",
            "update disposals set decision = 'KS 2026/1'",
            protocol,
            "beslutet",
        ),
        (
            "update disposals set ended_by = proposed_by, four_eyes = 0",
            "update disposals set ended_by = proposed_by + 1, four_eyes = 1",
            protocol,
            "vem som föreslog eller godkände",
        ),
        // What the protocol says, in its table and on its sheet.
        (
            "update disposals set plan = plan || 'x'",
            "update disposals set plan = substr(plan, 1, length(plan) - 1)",
            protocol,
            "planen",
        ),
        (
            "update disposals set n_files = n_files + 1",
            "update disposals set n_files = n_files - 1",
            protocol,
            "hur mycket som förstördes",
        ),
        (
            "update disposals set proposed_name = proposed_name || 'x'",
            "update disposals set proposed_name = substr(proposed_name, 1, length(proposed_name) - 1)",
            protocol,
            "ger inte den tabell",
        ),
        (
            "update disposals set ended_name = ended_name || 'x'",
            "update disposals set ended_name = substr(ended_name, 1, length(ended_name) - 1)",
            protocol,
            "ger inte den tabell",
        ),
        (
            "update disposal_lines set case_id = case_id + 1",
            "update disposal_lines set case_id = case_id - 1",
            protocol,
            "ger inte den tabell",
        ),
        (
            "update disposal_lines set class = 'carried_out'",
            "update disposal_lines set class = 'dismissed'",
            protocol,
            "ger inte den tabell",
        ),
        (
            "update disposal_lines set months = months + 1",
            "update disposal_lines set months = months - 1",
            protocol,
            "ger inte den tabell",
        ),
        (
            "update disposal_lines set why = why || 'x'",
            "update disposal_lines set why = substr(why, 1, length(why) - 1)",
            protocol,
            "ger inte den tabell",
        ),
        (
            "update disposal_lines set closed_at = closed_at + 86400000",
            "update disposal_lines set closed_at = closed_at - 86400000",
            protocol,
            "ger inte den tabell",
        ),
        // A person's own exemption made one that ends with a request.
        (
            "update holds set release_id = 1",
            "update holds set release_id = null",
            hold,
            "vilken begäran om utlämnande",
        ),
        (
            "update evidence set state = 'sealed' where id = 1",
            "update evidence set state = 'disposed' where id = 1",
            &record,
            "gallrades enligt protokoll 1",
        ),
    ] {
        raw.execute(change, []).unwrap();
        named(place, what).await;
        raw.execute(back, []).unwrap();
        assert_eq!(faults().await, [], "{back}");
    }
    // What was disposed of comes back; the protocol is changed, or goes.
    let evidence = stage.dir.path().join("evidence");
    let hex = crate::domain::ids::ContentHash::of(THREAT.as_bytes()).to_hex();
    let file = evidence.join("blobs").join(&hex[..2]).join(&hex[2..]);
    std::fs::write(&file, THREAT).unwrap();
    named("fil ", "gallrat, men den ligger kvar").await;
    std::fs::remove_file(&file).unwrap();
    let csv = evidence.join("protokoll/protokoll-1.csv");
    let table = std::fs::read(&csv).unwrap();
    std::fs::write(&csv, b"annat").unwrap();
    named(protocol, "inte den som loggen").await;
    std::fs::remove_file(&csv).unwrap();
    named(protocol, "saknas").await;
    std::fs::write(&csv, table).unwrap();
    // What lies around it is signed.
    for (ending, what) in [
        ("pdf", "protokoll-1.pdf är inte det som undertecknades"),
        ("sha256", "protokoll-1.sha256 är inte det som undertecknades"),
        ("sha256.sig", "protokoll-1.sha256 är inte det som undertecknades"),
        ("pem", "nyckeln i protokoll-1.pem är ingen av loggens nycklar"),
    ] {
        let file = evidence.join(format!("protokoll/protokoll-1.{ending}"));
        let whole = std::fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        std::fs::write(&file, flipped).unwrap();
        named(protocol, what).await;
        std::fs::remove_file(&file).unwrap();
        named(protocol, &format!("protokoll-1.{ending} saknas")).await;
        std::fs::write(&file, whole).unwrap();
    }
    assert_eq!(faults().await, []);
    raw.execute("delete from holds", []).unwrap();
    named(hold, "men raden saknas").await;
}

#[tokio::test]
async fn a_disposal_cut_off_after_its_transaction_is_completed_at_the_next_start() {
    let mut stage = Stage::new().await;
    let (_, case) = stage.dismissed(THREAT).await;
    stage.wait_s(TWO_MONTHS_S);
    let (archivist, other) =
        (stage.person(Role::Archivist, "Arne").await, stage.person(Role::Archivist, "Eva").await);
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    // Carried out in the database, by a command say, and nothing after it.
    let line = other.line("", String::new());
    let row = stage.services.disposing().carry_out(row.id, line).await.unwrap();
    let folder = stage.dir.path().join("evidence/protokoll");
    let protocol = folder.join("protokoll-1.csv");
    let table = std::fs::read(&protocol).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("update disposals set written = 0", []).unwrap();
    assert_eq!(stage.n_blobs(), 2);
    let notes = stage.verified().await.notes;
    for told in ["väntar på att förstöras", "inte skrivet till fil än", "enligt protokoll 1"] {
        assert!(notes.iter().any(|note| note.contains(told)), "{told} in {notes:#?}");
    }
    stage.restart().await;
    stage.services.complete_disposals().await.unwrap();
    assert_eq!(stage.n_blobs(), 0);
    assert_eq!(std::fs::read(&protocol).unwrap(), table);
    let sums = std::fs::read_to_string(folder.join("protokoll-1.sha256")).unwrap();
    assert!(sums.contains(&row.csv_sha256.unwrap().to_hex()) && sums.contains("protokoll-1.pdf"));
    assert!(stage.verified().await.notes.iter().all(|note| !note.contains("väntar")));
    assert!(matches!(stage.state(case).await, crate::domain::case::CaseState::Closed { .. }));
}

#[tokio::test]
async fn a_verification_that_came_to_no_end_is_told_of_and_not_the_one_before_it() {
    let stage = Stage::new().await;
    stage.written(THREAT).await;
    let ended = async || {
        stage.services.begin_check(&stage.editor).await.unwrap();
        while stage.services.checks(&stage.editor).await.unwrap().running.is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        stage.services.checks(&stage.editor).await.unwrap().last.unwrap().3
    };
    assert!(ended().await.whole);
    // A table that cannot be read any more.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("alter table disposals rename to away").unwrap();
    let found = ended().await;
    assert!(found.broken_off && !found.whole, "{found:?}");
    assert!(found.faults[0].what.contains("Börja om"), "{found:?}");
    // A report of another release, with less in it, is read all the same.
    raw.execute("update verifications set report = '{\"whole\": true}'", []).unwrap();
    let last = stage.services.checks(&stage.editor).await.unwrap().last.unwrap().3;
    assert!(last.whole && last.faults.is_empty());
}

#[tokio::test]
async fn what_never_became_a_case_goes_by_itself_once_its_time_is_out_and_leaves_a_leaf() {
    let mut stage = Stage::new().await;
    // Taken in with the next one; nothing in it asks for a case.
    stage.simulator.write("Kim Påhitt", "Vilken fin lekplats det blev vid Låtsasdammen!", None);
    let (_, case) = stage.written(THREAT).await;
    let n_gone = |stage: &Stage| {
        let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
        let texts = "select count(*) from versions where text = ?1";
        raw.query_row(texts, [DISPOSED_TEXT], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(stage.services.sweep_uncased().await.unwrap(), 0);
    stage.wait_s(TWO_MONTHS_S);
    // Somebody waits for public records, which need have no case.
    let registrar = stage.person(Role::Registrar, "Rut").await;
    let asked = stage.services.open_release(&registrar, "Allt om lekplatsen", "").await.unwrap();
    assert_eq!(stage.services.sweep_uncased().await.unwrap(), 0, "asked for");
    let withdrawn = ReleaseOutcome::Withdrawn;
    stage.services.end_release(&registrar, asked, withdrawn, "Återtogs").await.unwrap();
    assert_eq!(stage.services.sweep_uncased().await.unwrap(), 1, "the one without a case");
    assert_eq!(stage.services.sweep_uncased().await.unwrap(), 0, "once a day");
    assert_eq!(n_gone(&stage), 1);
    let version = stage.store().case(case).await.unwrap().version;
    assert_eq!(stage.store().version(version).await.unwrap().text, THREAT);
    let archivist = stage.person(Role::Archivist, "Arne").await;
    let told = stage.services.disposals(&archivist).await.unwrap().swept;
    assert_eq!((told.len(), told[0].n_items, told[0].decision.as_str()), (1, 1, "KS 2026/1"));
    assert_eq!(stage.verified().await.faults, []);
    // The same text read again is known, and does not come back.
    stage.restart().await;
    stage.take_in_plainly().await;
    assert_eq!(n_gone(&stage), 1);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("drop trigger sweeps_stay").unwrap();
    raw.execute("update sweeps set n_items = 9", []).unwrap();
    let evidence = &stage.services.inner.evidence;
    let found = crate::evidence::verify::verify(evidence, stage.store(), &Default::default()).await;
    let faults = found.unwrap().faults;
    assert!(faults.len() == 1 && faults[0].place.contains("utan ärende"), "{faults:?}");
}

#[tokio::test]
async fn a_case_that_its_row_alone_says_was_closed_is_not_disposed_of() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let (_, closed) = stage.written("Du är en jävla idiot som ska dö.").await;
    stage.dismiss(closed).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    // Nobody has decided on one of them, and of the other the time is another.
    raw.execute(
        "update cases set state = 'closed', state_json = (select state_json from cases where id = ?2),
           closed_at = (select closed_at from cases where id = ?2) - 1000 where id = ?1",
        [case.0, closed.0],
    )
    .unwrap();
    raw.execute("update cases set closed_at = closed_at - 500 where id = ?1", [closed.0]).unwrap();
    stage.wait_s(TWO_MONTHS_S);
    let plan = stage.plan().await;
    assert_eq!(plan.due, []);
    let spared = format!("{:?}", plan.spared);
    assert_eq!(spared.matches("inget beslut och ingen historik visar").count(), 2, "{spared}");
    raw.execute("update cases set closed_at = closed_at + 500 where id = ?1", [closed.0]).unwrap();
    let due: Vec<_> = stage.plan().await.due.iter().map(|due| due.case).collect();
    assert_eq!(due, [closed]);
}
