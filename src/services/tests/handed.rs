//! What leaves the house: documents for the police, and public records that somebody asks for.

use crate::domain::custody::CustodyAct;
use crate::domain::decision::Choice;
use crate::domain::ids::{CaseId, VersionId};
use crate::domain::person::Role;
use crate::domain::police::Crime;
use crate::domain::release::{Mask, ReleaseId, ReleaseOutcome};
use crate::evidence::verify;
use crate::services::police::{PoliceChoice, PoliceFile};
use crate::services::tests::harness::{Stage, THREAT};
use crate::services::tests::keeping::TWO_MONTHS_S;
use crate::services::{ServiceError, Viewer};

const PROVISION: &str = "21 kap. 7 § OSL";

fn why<T>(refused: Result<T, ServiceError>) -> String {
    match refused {
        Err(ServiceError::Refused { why }) => why,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("not refused"),
    }
}

fn choice(seen: &PoliceFile, reported: bool, reason: &str) -> PoliceChoice {
    PoliceChoice {
        version: seen.version,
        n_before: seen.decisions.len(),
        reported,
        crime: Crime::Threat.code().into(),
        injured: String::new(),
        reason: reason.into(),
    }
}

/// What verification finds where it is to find something.
async fn faults(stage: &Stage) -> Vec<verify::Fault> {
    let evidence = &stage.services.inner.evidence;
    verify::verify(evidence, stage.store(), &verify::Options::default()).await.unwrap().faults
}

/// The text of a PDF.
fn text_of(stage: &Stage, pdf: &[u8]) -> Option<String> {
    let path = stage.dir.path().join("prov.pdf");
    std::fs::write(&path, pdf).unwrap();
    let out = std::process::Command::new("pdftotext").arg(&path).arg("-").output().ok()?;
    Some(String::from_utf8(out.stdout).unwrap())
}

#[tokio::test]
async fn a_manager_decides_and_the_bundle_tells_it() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::ConsiderPoliceReport]).await;
    let owner = stage.person(Role::Owner, "Olle Chef").await;
    let services = &stage.services;
    let file = services.police_file(&stage.editor, case).await.unwrap();
    assert!(!file.may_decide && file.n_suggested > 0);
    let first = [Crime::Threat, Crime::OfficialThreat];
    assert_eq!(file.crimes[..2], first, "suggested first");
    let hot = |seen, reason: &str| choice(seen, true, reason);
    let refused = services.decide_police(&stage.editor, case, &hot(&file, "Ett hot.")).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })), "{refused:?}");
    assert!(why(services.decide_police(&owner, case, &hot(&file, " ")).await).contains("skälet"));
    let no_crime = PoliceChoice { crime: "svordom".into(), ..hot(&file, "Fult språk.") };
    assert!(why(services.decide_police(&owner, case, &no_crime).await).contains("brott"));
    let not = choice(&file, false, "Väntar på målsäganden.");
    services.decide_police(&owner, case, &not).await.unwrap();
    // The button pressed twice, or another manager was quicker.
    let twice = services.decide_police(&owner, case, &not).await;
    assert!(why(twice).contains("Ett beslut om anmälan har sparats"));
    assert!(stage.store().covering_hold(case).await.unwrap().is_none());
    let file = services.police_file(&owner, case).await.unwrap();
    let other = PoliceChoice { version: VersionId(999), ..hot(&file, "Hotet är allvarligt.") };
    assert!(why(services.decide_police(&owner, case, &other).await).contains("har ändrats"));
    services.decide_police(&owner, case, &hot(&file, "Hotet är allvarligt.")).await.unwrap();
    let held = stage.store().covering_hold(case).await.unwrap();
    assert!(held.is_some_and(|hold| hold.reason.starts_with("Polisanmäls")));
    let file = services.police_file(&owner, case).await.unwrap();
    assert_eq!(file.decisions.len(), 2, "the earlier one stays");
    let history = stage.history(case).await;
    let told = history.iter().filter(|step| step.contains("Beslut: polisanmäls"));
    assert_eq!(told.count(), 2, "{history:?}");
    let pdf = services.police_bundle(&stage.editor, case).await.unwrap();
    assert!(pdf == services.police_bundle(&stage.editor, case).await.unwrap(), "the same again");
    assert_eq!(stage.store().audit_count(CustodyAct::PoliceBundle.id()).await.unwrap(), 2);
    if let Some(text) = text_of(&stage, &pdf) {
        for words in ["olaga hot, brottsbalken 4 kap. 5 §", "Anmäls av Olle Chef", "Förteckning"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains(THREAT), "{text}");
    }
    assert_eq!(stage.verified().await.faults, []);
    // A reason that is changed afterwards is found.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("drop trigger police_decisions_stay").unwrap();
    raw.execute("update police_decisions set reason = 'Annat' where id = 2", []).unwrap();
    let faults = faults(&stage).await;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].place.contains("polisanmälan 2"), "{faults:?}");
    // And so is one that is put on another wording, or said to be older than the log's holding it.
    raw.execute("update police_decisions set reason = 'Hotet är allvarligt.' where id = 2", [])
        .unwrap();
    assert_eq!(self::faults(&stage).await, []);
    raw.execute("update police_decisions set holds_version = 0 where id = 2", []).unwrap();
    assert_eq!(self::faults(&stage).await.len(), 1);
}

#[tokio::test]
async fn nothing_that_may_not_be_copied_goes_into_any_document() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let owner = stage.person(Role::Owner, "Olle Chef").await;
    let services = &stage.services;
    let id = services.open_release(&owner, "Kommentaren om badhuset", "").await.unwrap();
    // Chosen before anybody suspected anything.
    services.add_to_release(&owner, id, &[], &[case]).await.unwrap();
    services.suspect(&stage.editor, case).await.unwrap();
    let bundle = services.police_bundle(&owner, case).await.unwrap();
    let draft = services.release_document(&owner, id).await.unwrap();
    for pdf in [bundle, draft] {
        let Some(text) = text_of(&stage, &pdf) else { return };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!text.contains(THREAT) && text.contains("får inte kopieras"), "{text}");
    }
    let found = services.search_for_release(&owner, id, THREAT).await.unwrap();
    assert!(found.hits.is_empty());
    let (_, items) = services.release_file(&owner, id).await.unwrap();
    assert_eq!((items[0].author.as_str(), items[0].place.as_str()), ("[maskat]", "[maskat]"));
    let end = services.end_release(&owner, id, ReleaseOutcome::Released, "Per post.").await;
    assert!(why(end).contains("får kopieras"));
    // Withheld whole, its facts go out, and the document can be fetched.
    let record = (id, items[0].record.evidence);
    services.mask_in_release(&owner, record, ("", ""), PROVISION, "").await.unwrap();
    let (_, other) = stage.written("Jag ska slå ihjäl dig i kväll").await;
    services.add_to_release(&owner, id, &[], &[other]).await.unwrap();
    services.end_release(&owner, id, ReleaseOutcome::Released, "Per post.").await.unwrap();
    let handed = services.release_document(&owner, id).await.unwrap();
    if let Some(text) = text_of(&stage, &handed) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!text.contains(THREAT) && text.contains(PROVISION), "{text}");
    }
    let file = services.police_file(&owner, case).await.unwrap();
    assert_eq!(file.crimes[0], Crime::ChildAbuse);
}

/// A request about two cases, one with a telephone number in it.
async fn request(stage: &Stage) -> (Viewer, ReleaseId, [CaseId; 2]) {
    let registrar = stage.person(Role::Registrar, "Rut Registrator").await;
    let (_, one) = stage.written("Du ska dö, ring mig på 070-174 06 35 så får du se").await;
    let (_, two) = stage.written(THREAT).await;
    let id = stage.services.open_release(&registrar, "Hoten om badhuset", "").await.unwrap();
    (registrar, id, [one, two])
}

#[tokio::test]
async fn nobody_has_to_say_who_asks_and_each_mask_needs_its_provision() {
    let stage = Stage::new().await;
    let (registrar, id, [one, _]) = request(&stage).await;
    let services = &stage.services;
    let refused = services.releases(&stage.editor).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
    assert_eq!(services.releases(&registrar).await.unwrap()[0].asker, None);
    let number = services.search_for_release(&registrar, id, "070-174 06 35").await;
    assert!(why(number).contains("Långa nummer"), "nobody looks for numbers here either");
    let hits = services.search_for_release(&registrar, id, "DÖ ringer").await.unwrap().hits;
    assert_eq!(hits.len(), 1);
    assert!(!hits[0].text.contains("174"), "{}", hits[0].text);
    services.add_to_release(&registrar, id, &[hits[0].evidence], &[]).await.unwrap();
    let (_, items) = services.release_file(&registrar, id).await.unwrap();
    let proposed = Mask { phrase: "070-174 06 35".into(), provision: String::new() };
    assert_eq!(items[0].record.masks, [proposed], "what the classifier knows is proposed");
    let end =
        |how: &'static str| services.end_release(&registrar, id, ReleaseOutcome::Released, how);
    assert!(why(end("Kopia i receptionen.").await).contains("utan lagrum"));
    let record = (id, hits[0].evidence);
    let set = |lines: &'static str, provision: &'static str| {
        services.mask_in_release(&registrar, record, (lines, provision), "", "")
    };
    assert!(why(set("070-174 06 35", "").await).contains("lagrum"));
    set("070-174 06 35\nSå Får | 21 kap. 3 § OSL", PROVISION).await.unwrap();
    let (_, items) = services.release_file(&registrar, id).await.unwrap();
    assert_eq!(items[0].text.as_deref(), Some("Du ska dö, ring mig på [maskat] [maskat] du se"));
    let grounds = [(PROVISION.to_owned(), 1), ("21 kap. 3 § OSL".to_owned(), 1)];
    assert_eq!(items[0].grounds, grounds);
    end("Kopia i receptionen.").await.unwrap();
    let pdf = services.release_document(&registrar, id).await.unwrap();
    if let Some(text) = text_of(&stage, &pdf) {
        assert!(
            !text.contains("070") && text.contains("[maskat]") && text.contains(PROVISION),
            "{text}"
        );
        assert!(!text.contains("UTKAST"));
    }
    assert!(why(set("x", PROVISION).await).contains("avslutad"));
    assert_eq!(stage.store().audit_count(CustodyAct::Release.id()).await.unwrap(), 1);
    assert!(stage.history(one).await.join("\n").contains("Lämnades ut som allmän handling"));
    assert_eq!(stage.verified().await.faults, []);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("drop trigger release_records_stay").unwrap();
    raw.execute("update release_records set masks = '[]'", []).unwrap();
    let faults = faults(&stage).await;
    assert!(faults.len() == 1 && faults[0].place.contains("utlämnande 1"), "{faults:?}");
}

/// What stands in the folder of documents.
fn documents(stage: &Stage) -> Vec<std::path::PathBuf> {
    let folder = stage.services.inner.evidence.folder().join("utlamnanden");
    let entries = std::fs::read_dir(folder).map(|entries| entries.flatten().collect());
    entries.unwrap_or_else(|_| Vec::new()).iter().map(std::fs::DirEntry::path).collect()
}

#[tokio::test]
async fn two_who_end_the_same_request_leave_one_document_and_it_is_the_one_on_record() {
    let stage = Stage::new().await;
    let (registrar, id, [_, two]) = request(&stage).await;
    let services = &stage.services;
    services.add_to_release(&registrar, id, &[], &[two]).await.unwrap();
    let end = || services.end_release(&registrar, id, ReleaseOutcome::Released, "Per post.");
    let (one, other) = tokio::join!(end(), end());
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert!(why(one.and(other)).contains("avslutad"));
    assert_eq!(stage.store().audit_count(CustodyAct::Release.id()).await.unwrap(), 1);
    let there = documents(&stage);
    assert_eq!(there.len(), 1);
    assert_eq!(
        services.release_document(&registrar, id).await.unwrap(),
        std::fs::read(&there[0]).unwrap()
    );
    assert_eq!(stage.verified().await.faults, []);
    // Another document in its place is found, by verification and by whoever fetches it.
    std::fs::write(&there[0], "kladd").unwrap();
    let found = faults(&stage).await;
    assert!(found.len() == 1 && found[0].place == "utlämnande 1", "{found:?}");
    let fetched = services.release_document(&registrar, id).await;
    assert!(matches!(fetched, Err(ServiceError::Damaged { .. })), "{fetched:?}");
}

#[tokio::test]
async fn a_mask_that_strikes_nothing_out_and_a_link_to_what_is_masked_go_nowhere() {
    let stage = Stage::new().await;
    let (registrar, id, [_, two]) = request(&stage).await;
    let services = &stage.services;
    services.add_to_release(&registrar, id, &[], &[two]).await.unwrap();
    let record = (id, stage.evidence_of(two).await);
    let set = |lines: &'static str, withheld: &'static str, sender: &'static str| {
        services.mask_in_release(&registrar, record, (lines, PROVISION), withheld, sender)
    };
    let item = async || services.release_file(&registrar, id).await.unwrap().1.remove(0);
    let end = || services.end_release(&registrar, id, ReleaseOutcome::Released, "Per post.");
    let open = item().await;
    assert!(open.place.contains("://") && open.nowhere.is_empty(), "{}", open.place);
    set("Finns Inte Här", "", "").await.unwrap();
    assert_eq!(item().await.nowhere, ["Finns Inte Här"]);
    assert!(why(end().await).contains("står inte där"));
    let first = THREAT.split_whitespace().next().unwrap();
    set(first, "", "").await.unwrap();
    let masked = item().await;
    assert!(masked.text.unwrap().contains("[maskat]") && !masked.place.contains("://"));
    // Whose name is struck out is not told by their id either.
    assert!(open.author.contains("Robin Påhitt") && open.author.contains("id hos plattformen"));
    set("Robin Påhitt", "", "").await.unwrap();
    let struck = item().await;
    assert_eq!((struck.author.as_str(), struck.place.as_str()), ("[maskat]", "[maskat]"));
    set("", "", PROVISION).await.unwrap();
    let unnamed = item().await;
    assert_eq!((unnamed.author.as_str(), unnamed.place.as_str()), ("[maskat]", "[maskat]"));
    set("", PROVISION, "").await.unwrap();
    assert!(why(end().await).contains("avslagen"), "nothing would go out");
    // A refusal can be appealed: until a person says otherwise nothing of it is disposed of.
    services.end_release(&registrar, id, ReleaseOutcome::Refused, "Sekretess.").await.unwrap();
    let held = stage.store().covering_hold(two).await.unwrap();
    assert!(held.is_some_and(|hold| hold.reason.contains("Begäran 1")));
    let owner = stage.person(Role::Owner, "Olle Chef").await;
    services.end_exemption(&owner, two, "Tiden för överklagande har gått ut.").await.unwrap();
    assert!(stage.store().covering_hold(two).await.unwrap().is_none());
    assert_eq!(stage.verified().await.faults, []);
}

#[tokio::test]
async fn what_is_asked_for_is_exempt_until_every_request_has_ended() {
    let stage = Stage::new().await;
    let (registrar, id, [one, two]) = request(&stage).await;
    let owner = stage.person(Role::Owner, "Olle Chef").await;
    let services = &stage.services;
    services.exempt(&owner, two, "Tvist i domstol").await.unwrap();
    services.add_to_release(&registrar, id, &[], &[one, two]).await.unwrap();
    let other = services.open_release(&registrar, "Allt om badhuset", "Bo Läsare").await.unwrap();
    services.add_to_release(&registrar, other, &[], &[one]).await.unwrap();
    let held =
        async |case| stage.store().covering_hold(case).await.unwrap().map(|hold| hold.reason);
    assert!(held(one).await.unwrap().contains("Begäran 1"));
    // Nobody lifts it meanwhile, nor what a person has set.
    assert!(why(services.end_exemption(&owner, one, "Behövs inte").await).contains("begäran 1"));
    assert!(why(services.end_exemption(&owner, two, "Behövs inte").await).contains("begäran 1"));
    // Past our code too nothing of it is disposed of.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch(
        "drop trigger disposal_needs_a_protocol; drop trigger disposal_spares_the_exempt",
    )
    .unwrap();
    let gone = raw.execute("update evidence set state = 'disposed'", []).unwrap_err();
    assert!(gone.to_string().contains("asked for"), "{gone}");
    services
        .end_release(&registrar, id, ReleaseOutcome::Withdrawn, "Återtogs i telefon")
        .await
        .unwrap();
    assert!(held(one).await.is_some(), "the other request still waits");
    assert_eq!(held(two).await.as_deref(), Some("Tvist i domstol"), "a person's own stays");
    let evidence = stage.evidence_of(one).await;
    services.drop_from_release(&registrar, (other, evidence)).await.unwrap();
    assert_eq!(held(one).await, None);
    assert_eq!(stage.verified().await.faults, []);
}

#[tokio::test]
async fn the_end_of_a_request_lifts_nothing_that_another_cause_holds() {
    let stage = Stage::new().await;
    let (registrar, id, [one, two]) = request(&stage).await;
    let owner = stage.person(Role::Owner, "Olle Chef").await;
    let services = &stage.services;
    let held =
        async |case| stage.store().covering_hold(case).await.unwrap().map(|hold| hold.reason);
    // Refused, so that it can be appealed; then somebody else asks for the same and takes it back.
    services.add_to_release(&registrar, id, &[], &[one]).await.unwrap();
    services.end_release(&registrar, id, ReleaseOutcome::Refused, "Sekretess").await.unwrap();
    let ask_in_vain = async || {
        let other = services.open_release(&registrar, "Allt om badhuset", "").await.unwrap();
        services.add_to_release(&registrar, other, &[], &[one, two]).await.unwrap();
        other
    };
    let other = ask_in_vain().await;
    services.end_release(&registrar, other, ReleaseOutcome::Withdrawn, "Återtogs").await.unwrap();
    assert!(held(one).await.unwrap().contains("Begäran 1"), "the refusal can still be appealed");
    assert_eq!(held(two).await, None);
    // A person ends that. What is refused earlier holds nothing that is asked for anew.
    services.end_exemption(&owner, one, "Tiden att överklaga är slut").await.unwrap();
    stage.wait_s(60);
    let other = ask_in_vain().await;
    // Reported to the police while the request waits, and exempt by a person.
    let seen = services.police_file(&owner, two).await.unwrap();
    services.decide_police(&owner, two, &choice(&seen, true, "Rör en elev")).await.unwrap();
    assert!(held(two).await.unwrap().starts_with("Polisanmäls"));
    services.end_release(&registrar, other, ReleaseOutcome::Withdrawn, "Återtogs").await.unwrap();
    assert_eq!(held(one).await, None);
    assert!(held(two).await.unwrap().starts_with("Polisanmäls"), "until a person lifts it");
    let other = ask_in_vain().await;
    services.exempt(&owner, one, "Tvist i domstol").await.unwrap();
    let again = why(services.exempt(&owner, one, "Tvist i domstol igen").await);
    assert!(again.contains("redan undantaget"), "{again}");
    services.end_release(&registrar, other, ReleaseOutcome::Withdrawn, "Återtogs").await.unwrap();
    assert_eq!(held(one).await.as_deref(), Some("Tvist i domstol"));
    assert_eq!(stage.verified().await.faults, []);
}

#[tokio::test]
async fn what_was_reported_to_the_police_before_that_exempted_it_is_exempt_from_the_next_start_on()
{
    let stage = Stage::new().await;
    let owner = stage.person(Role::Owner, "Olle Chef").await;
    let services = &stage.services;
    let mut cases = Vec::new();
    for text in [THREAT, "Jag ska komma hem till dig och slå ihjäl dig i natt."] {
        let (_, case) = stage.written(text).await;
        let seen = services.police_file(&owner, case).await.unwrap();
        services.decide_police(&owner, case, &choice(&seen, true, "Rör en elev")).await.unwrap();
        cases.push(case);
    }
    // As an older release left the first; of the second a person has lifted it.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let triggers = "select group_concat('drop trigger ' || name, ';') from sqlite_master
                    where type = 'trigger' and tbl_name = 'holds'";
    if let Ok(drop) = raw.query_row(triggers, [], |row| row.get::<_, String>(0)) {
        raw.execute_batch(&drop).unwrap();
    }
    raw.execute("delete from holds where case_id = ?1", [cases[0].0]).unwrap();
    services.end_exemption(&owner, cases[1], "Nedlagt").await.unwrap();
    services.hold_reported().await.unwrap();
    let held =
        async |case| stage.store().covering_hold(case).await.unwrap().map(|hold| hold.reason);
    assert!(held(cases[0]).await.unwrap().starts_with("Polisanmäls"));
    assert_eq!(held(cases[1]).await, None, "a person's word stands");
}

/// Whether the bytes stand anywhere in the database's files.
fn lies_in_the_database(stage: &Stage, wanted: &str) -> bool {
    let path = stage.store().path();
    let holds = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        memchr::memmem::find(&bytes, wanted.as_bytes()).is_some()
    };
    rusqlite::Connection::open(path)
        .unwrap()
        .query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
        .unwrap();
    holds(path) || holds(&path.with_extension("db-wal"))
}

#[tokio::test]
async fn what_was_handed_out_goes_with_the_record_and_other_acts_put_nothing_off() {
    let stage = Stage::new().await;
    let services = &stage.services;
    let registrar = stage.person(Role::Registrar, "Rut Registrator").await;
    let owner = stage.person(Role::Owner, "Olle Chef").await;
    let (_, case) = stage.dismissed("Du ska dö, ring mig på 070-174 06 35 så får du se").await;
    let id = services.open_release(&registrar, "Hotet", "").await.unwrap();
    services.add_to_release(&registrar, id, &[], &[case]).await.unwrap();
    let record = (id, stage.evidence_of(case).await);
    services
        .mask_in_release(&registrar, record, ("070-174 06 35", PROVISION), "", "")
        .await
        .unwrap();
    stage.wait_s(TWO_MONTHS_S / 2);
    services.end_release(&registrar, id, ReleaseOutcome::Released, "Per post.").await.unwrap();
    services.end_exemption(&owner, case, "Tiden för överklagande har gått ut.").await.unwrap();
    stage.wait_s(TWO_MONTHS_S / 2);
    // Two months from its closing, whatever was done to the case in between.
    let due: Vec<_> = stage.plan().await.due.iter().map(|due| due.case).collect();
    assert_eq!(due, [case]);
    assert_eq!(documents(&stage).len(), 1);
    assert!(lies_in_the_database(&stage, "070-174 06 35"));
    let [one, two] =
        [stage.person(Role::Archivist, "Ada").await, stage.person(Role::Archivist, "Bo").await];
    let proposed = services.propose_disposal(&one, None).await.unwrap();
    services.approve_disposal(&two, proposed.id).await.unwrap();
    assert!(!lies_in_the_database(&stage, "070-174 06 35"), "neither text nor mask is left");
    assert_eq!(documents(&stage).len(), 0);
    assert!(why(services.release_document(&registrar, id).await).contains("gallrats"));
    assert_eq!(stage.verified().await.faults, []);
}

#[tokio::test]
async fn a_cell_of_what_was_handed_out_that_cannot_be_read_is_a_fault_and_the_rest_is_verified() {
    let stage = Stage::new().await;
    let (registrar, id, [other, case]) = request(&stage).await;
    let services = &stage.services;
    services.add_to_release(&registrar, id, &[], &[case]).await.unwrap();
    services.end_release(&registrar, id, ReleaseOutcome::Released, "Per post.").await.unwrap();
    let evidence = stage.evidence_of(case).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("pragma ignore_check_constraints = 1").unwrap();
    // Something that is always to be found, by what comes last.
    raw.execute("update cases set exempt = 1 - exempt where id = ?1", [other.0]).unwrap();
    for (table, cell, broken) in [
        ("versions", "presence", "'synlix'"),
        ("versions", "author", "'[]'"),
        ("versions", "exchange", "'[]'"),
        ("items", "kind", "'kommentax'"),
        ("verdicts", "verdict", "'[]'"),
    ] {
        let of = match table {
            "items" => "id = (select item_id from evidence where id = ?1)",
            "versions" => "id = (select version_id from evidence where id = ?1)",
            _ => "version_id = (select version_id from evidence where id = ?1)",
        };
        let sql = format!("select {cell} from {table} where {of}");
        let before: rusqlite::types::Value =
            raw.query_row(&sql, [evidence.0], |row| row.get(0)).unwrap();
        raw.execute(&format!("update {table} set {cell} = {broken} where {of}"), [evidence.0])
            .unwrap();
        let found = faults(&stage).await;
        let named = found.iter().any(|fault| fault.place == format!("bevis {evidence}"));
        assert!(named, "{table}.{cell}: {found:?}");
        let last = found.iter().any(|fault| fault.what.contains("undantaget från gallring"));
        assert!(last, "{table}.{cell}: {found:?}");
        raw.execute(
            &format!("update {table} set {cell} = ?2 where {of}"),
            rusqlite::params![evidence.0, before],
        )
        .unwrap();
    }
}

#[tokio::test]
async fn what_the_machine_said_and_how_it_was_fetched_cannot_be_changed_unseen() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.wait_s(150);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}
    let case = stage.case_of(number).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    assert_eq!(stage.verified().await.faults, []);
    raw.execute(
        "update verdicts set verdict = replace(verdict, '\"high\"', '\"low\"') where version_id = ?1",
        [stage.store().case(case).await.unwrap().version.0],
    )
    .unwrap();
    assert!(faults(&stage).await[0].what.contains("maskinens bedömning"));
    raw.execute("update versions set exchange = replace(exchange, '200', '201')", []).unwrap();
    assert!(faults(&stage).await[0].what.contains("anropet, maskinens bedömning"));
}

#[tokio::test]
async fn when_a_request_came_in_and_to_whom_cannot_be_changed_unseen_nor_what_it_holds() {
    let stage = Stage::new().await;
    let (registrar, id, [one, _]) = request(&stage).await;
    stage.services.add_to_release(&registrar, id, &[], &[one]).await.unwrap();
    assert_eq!(stage.verified().await.faults, []);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("pragma foreign_keys = off").unwrap();
    let triggers = "select group_concat('drop trigger ' || name, ';') from sqlite_master
                    where type = 'trigger' and tbl_name in ('holds', 'releases')";
    let drop: String = raw.query_row(triggers, [], |row| row.get(0)).unwrap();
    raw.execute_batch(&drop).unwrap();
    for (change, back, place) in [
        (
            "update releases set opened_at = opened_at - 86400000",
            "update releases set opened_at = opened_at + 86400000",
            "utlämnande 1",
        ),
        (
            "update releases set opened_by = opened_by + 1",
            "update releases set opened_by = opened_by - 1",
            "utlämnande 1",
        ),
        (
            "update holds set release_id = null",
            "update holds set release_id = 1",
            "undantag från gallring 1",
        ),
    ] {
        raw.execute(change, []).unwrap();
        let found = faults(&stage).await;
        assert!(found.len() == 1 && found[0].place == place, "{change}: {found:?}");
        raw.execute(back, []).unwrap();
    }
    assert_eq!(faults(&stage).await, []);
}
