//! What may not be copied: since when, by whom, how far it reaches, and what is left of it.

use crate::domain::account::PlatformKind;
use crate::domain::decision::{Choice, Decision};
use crate::domain::evidence::{PartKind, TEXT_NOT_COPIED};
use crate::domain::ground::Ground;
use crate::domain::ids::{
    AccountId, AccountKey, CaseId, EvidenceId, PlatformItemId, PlatformPostId, VersionId,
};
use crate::domain::item::{Batch, FetchedItem, ItemKind, Presence};
use crate::domain::log::LogKind;
use crate::domain::person::Role;
use crate::evidence::media::{MediaPolicy, NoPicture};
use crate::evidence::{EvidenceError, NewPart, verify};
use crate::services::claims::Look;
use crate::services::deliveries::PackageForm;
use crate::services::records::Evidence;
use crate::services::tests::harness::{Stage, THREAT, manifest_of, viewer};
use crate::services::{ServiceError, packages};
use crate::store::error::StoreError;

/// Hits the rules of children by a word of the trade, nothing more.
const CHILD: &str = "Byter lolitabilder, skriv dm";

fn part(kind: PartKind, name: &str, bytes: &[u8]) -> NewPart {
    let (name, bytes) = (name.to_owned(), bytes.to_vec());
    NewPart { kind, name, media_type: "application/octet-stream", method: "prov".into(), bytes }
}

/// Seals a version with a picture of its page.
async fn seal_with_picture(
    stage: &Stage,
    version: VersionId,
    meanwhile: impl AsyncFnOnce(),
) -> Result<EvidenceId, EvidenceError> {
    let evidence = &stage.services.inner.evidence;
    let row = stage.store().want_evidence(version, stage.now()).await.unwrap();
    let MediaPolicy::Copy(leave) = evidence.media_policy(version).await? else {
        panic!("may be copied")
    };
    let mut manifest = manifest_of(&stage.services, &row).await;
    let text = stage.store().version(version).await.unwrap().text;
    for (kind, name, bytes) in [
        (PartKind::Text, "text.txt", text.as_bytes()),
        (PartKind::Screenshot, "screenshot.png", b"bilden"),
        (PartKind::FullPage, "hela-sidan.png", b"sidan"),
        (PartKind::PageLog, "webbsida-logg.json", b"{}"),
        (PartKind::SheetPng, "bevisblad-1.png", b"bladet med bilden"),
    ] {
        manifest.parts.push(evidence.keep(&leave, part(kind, name, bytes)).await?);
    }
    meanwhile().await;
    evidence.seal(row.id, &manifest, Some(&leave)).await.map(|(row, _)| row.id)
}

/// Written, assessed, and sealed with a picture of its page.
async fn pictured(stage: &Stage, text: &str) -> (CaseId, EvidenceId) {
    let number = stage.simulator.write("Robin Påhitt", text, None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let case = stage.case_of(number).await;
    let version = stage.store().case(case).await.unwrap().version;
    (case, seal_with_picture(stage, version, async || ()).await.unwrap())
}

/// Which files of a record are shown, of those that were sealed.
async fn shown(stage: &Stage, evidence: EvidenceId) -> Vec<&'static str> {
    let mut shown = Vec::new();
    let all =
        ["text.txt", "screenshot.png", "hela-sidan.png", "webbsida-logg.json", "bevisblad-1.png"];
    for name in all {
        match stage.services.evidence_part(&stage.editor, evidence, name).await {
            Ok(_) => shown.push(name),
            Err(ServiceError::Refused { why }) => assert!(why.contains("visas inte"), "{why}"),
            Err(error) => panic!("{error:?}"),
        }
    }
    let (record, _) = stage.services.evidence_record(&stage.editor, evidence).await.unwrap();
    let listed = record.manifest.unwrap().parts;
    assert_eq!(listed.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), shown);
    shown
}

#[tokio::test]
async fn pictures_taken_before_of_a_page_are_cut_off_when_something_on_it_is_suspected() {
    let stage = Stage::new().await;
    let (case, evidence) = pictured(&stage, THREAT).await;
    assert_eq!(shown(&stage, evidence).await.len(), 5);
    stage.written(CHILD).await;
    assert_eq!(shown(&stage, evidence).await, ["text.txt"]);
    stage.decide(case, vec![Choice::Hide, Choice::Register]).await;
    stage.act_after_undo().await;
    let package = stage.store().registrations_of(case).await.unwrap().remove(0).package;
    let zip = std::fs::File::open(stage.dir.path().join("export").join(package)).unwrap();
    let zip = zip::ZipArchive::new(zip).unwrap();
    let mut names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["arende.json", "arende.pdf", "manifest.json", "text.txt"]);
    stage.verified().await;
}

#[tokio::test]
async fn an_export_has_no_pictures_of_a_page_on_which_something_is_suspected() {
    let stage = Stage::new().await;
    let (_, evidence) = pictured(&stage, THREAT).await;
    let (_, suspected) = stage.written(CHILD).await;
    let version = stage.store().case(suspected).await.unwrap().version;
    let own = stage.store().evidence_of(version).await.unwrap().unwrap().id;
    // What the police had erased is missed by nobody.
    let row = stage.store().evidence(evidence).await.unwrap();
    let parts = stage.services.inner.evidence.manifest(&row).await.unwrap().parts;
    let picture = parts.iter().find(|part| part.kind == PartKind::Screenshot).unwrap();
    let hex = picture.sha256.to_hex();
    let blob = stage.dir.path().join("evidence/blobs").join(&hex[..2]).join(&hex[2..]);
    std::fs::remove_file(blob).unwrap();
    let out = stage.dir.path().join("paket.zip");
    let services = &stage.services.inner;
    let authority = &services.settings.authority;
    packages::export(
        stage.store(),
        &services.evidence,
        &[evidence, own],
        &out,
        authority,
        &services.clock,
        &PackageForm::Zip,
    )
    .await
    .unwrap();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&out).unwrap()).unwrap();
    let mut parts: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    parts.retain(|name| name.contains("/delar/"));
    assert_eq!(parts, [format!("bevis-{evidence}/delar/text.txt")]);
    let index: serde_json::Value =
        serde_json::from_reader(zip.by_name("paket.json").unwrap()).unwrap();
    let without = &index["records"][0]["without"];
    assert_eq!(without[0]["name"], "screenshot.png");
    let rest = [1, 2, 3].map(|n| without[n]["name"].as_str().unwrap_or_default());
    assert_eq!(rest, ["hela-sidan.png", "webbsida-logg.json", "bevisblad-1.png"]);
    assert!(without[0]["reason"].as_str().unwrap().contains("på samma sida"), "{without}");
    let found = packages::verify(&out, &|_, _| {}).unwrap();
    assert!(found.is_whole(), "{}", found.words());
    assert!(found.words().contains("4 delar"), "{}", found.words());
}

#[tokio::test]
async fn what_was_pictured_of_a_page_is_shown_again_when_the_suspicion_is_lifted_and_not_before() {
    let stage = Stage::new().await;
    let (_, evidence) = pictured(&stage, THREAT).await;
    let (_, suspected) = stage.written(CHILD).await;
    assert_eq!(shown(&stage, evidence).await, ["text.txt"]);
    // An editor's "dismiss" is no lifting, which is the owner's and has its reason.
    let revision = stage.store().case(suspected).await.unwrap().revision;
    let dismissed = Decision::new(vec![Choice::Dismiss], None, None).unwrap();
    let refused = stage.services.decide(&stage.editor, suspected, revision, dismissed).await;
    let Err(ServiceError::Refused { why }) = refused else { panic!("{refused:?}") };
    assert!(why.contains("kontoansvarig"), "{why}");
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute(
        "update cases set state = 'closed', closed_at = changed_at, state_json = '{\"state\":\"closed\",\"outcome\":\"dismissed\"}' where id = ?1",
        [suspected.0],
    )
    .unwrap();
    assert_eq!(shown(&stage, evidence).await, ["text.txt"], "one that was dismissed before");
    raw.execute(
        "update cases set state = 'waiting', closed_at = null, state_json = '{\"state\":\"waiting\"}' where id = ?1",
        [suspected.0],
    )
    .unwrap();
    let owner = viewer(Role::Owner, stage.editor.user);
    stage.services.lift_copy_bar(&owner, suspected, "Texten citerar en dom.").await.unwrap();
    assert_eq!(shown(&stage, evidence).await.len(), 5);
}

#[tokio::test]
async fn a_suspicion_stands_whatever_becomes_of_the_decision_around_it() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let case = stage.case_of(number).await;
    let row = stage.store().case(case).await.unwrap();
    // Nothing is sealed yet, so it cannot be hidden.
    let decision = Decision::new(vec![Choice::Hide], Some(Ground::ChildAbuse), None).unwrap();
    let refused = stage.services.decide(&stage.editor, case, row.revision, decision).await;
    assert!(matches!(refused, Err(ServiceError::Refused { .. })), "{refused:?}");
    assert!(stage.store().item(row.item).await.unwrap().no_copy);
    assert!(stage.store().case(case).await.unwrap().state.may_be_decided());
}

#[tokio::test]
async fn a_person_who_suspects_what_the_program_had_barred_already_is_on_record_too() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(CHILD).await;
    stage.services.suspect(&stage.editor, case).await.unwrap();
    assert_eq!(stage.store().audit_count("case.suspect").await.unwrap(), 1);
    let history = stage.store().case_history(case).await.unwrap();
    let step = history.last().unwrap();
    assert_eq!(step.what, "En person misstänker barnpornografibrott");
    assert_eq!(step.user.as_deref(), Some("Kim Exempel"));
    stage.verified().await;
}

#[tokio::test]
async fn a_ground_that_stood_in_the_form_by_itself_is_no_persons_suspicion() {
    let stage = Stage::new().await;
    let (_, proposed) = stage.written(CHILD).await;
    let (_, chosen) = stage.written(THREAT).await;
    for (case, by_a_person) in [(proposed, 0), (chosen, 1)] {
        stage.services.suspect_by_form(&stage.editor, case).await.unwrap();
        assert_eq!(stage.store().audit_count("case.suspect").await.unwrap(), by_a_person);
        let item = stage.store().case(case).await.unwrap().item;
        assert!(stage.store().item(item).await.unwrap().no_copy);
    }
}

#[tokio::test]
async fn a_person_bars_by_itself_in_any_state_of_the_case_and_it_is_on_record() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let row = stage.store().case(case).await.unwrap();
    // A colleague holds it and has decided: no decision of ours would be taken.
    stage.decide(case, vec![Choice::Register]).await;
    stage.services.suspect(&stage.editor, case).await.unwrap();
    stage.services.suspect(&stage.editor, case).await.unwrap();
    assert!(stage.store().item(row.item).await.unwrap().no_copy);
    let told = stage.history(case).await;
    assert_eq!(told.iter().filter(|what| *what == "Spärrat mot kopiering").count(), 1, "{told:?}");
    let log = stage.store().log_after(0, 100).await.unwrap();
    let bars: Vec<_> = log.iter().filter(|entry| entry.kind == LogKind::Bar).collect();
    assert_eq!(bars.len(), 1);
    assert!(bars[0].body.contains(&format!("\"user\":{}", stage.editor.user)), "{}", bars[0].body);
    stage.verified().await;
    let auditor = viewer(Role::Auditor, stage.editor.user);
    let refused = stage.services.suspect(&auditor, case).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })), "{refused:?}");
}

async fn faults(stage: &Stage) -> Vec<verify::Fault> {
    let evidence = &stage.services.inner.evidence;
    verify::verify(evidence, stage.store(), &Default::default()).await.unwrap().faults
}

#[tokio::test]
async fn a_bar_that_somebody_takes_off_past_the_program_is_found() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(CHILD).await;
    stage.verified().await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("drop trigger no_copy_stays; update items set no_copy = 0").unwrap();
    let found = faults(&stage).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].what.contains("hävd"), "{found:?}");
    raw.execute_batch("update items set no_copy = 1").unwrap();
    let found = faults(&stage).await;
    assert!(found.iter().any(|fault| fault.what.contains("ingen misstanke")));
    stage.store().case(case).await.unwrap();
}

#[tokio::test]
async fn earlier_versions_that_were_not_suspected_keep_their_texts_and_lose_their_pictures() {
    let stage = Stage::new().await;
    let (case, evidence) = pictured(&stage, THREAT).await;
    let row = stage.store().case(case).await.unwrap();
    let number = stage.store().item(row.item).await.unwrap().platform_id;
    stage.simulator.edit(number.as_str().parse().unwrap(), &format!("{THREAT} {CHILD}"));
    stage.wait_s(60 * 20);
    stage.take_in_plainly().await;
    let after = stage.store().case(case).await.unwrap();
    assert_ne!(after.version, row.version);
    assert!(stage.store().item(row.item).await.unwrap().no_copy);
    assert_eq!(shown(&stage, evidence).await, ["text.txt"], "the threat can still be proved");
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    let Evidence::Sealed(now) = file.evidence else { panic!("{:?}", file.evidence) };
    assert_eq!(now.manifest.unwrap().parts, []);
}

#[tokio::test]
async fn what_is_refused_or_overtaken_leaves_nothing_on_the_disk() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let case = stage.case_of(number).await;
    let row = stage.store().case(case).await.unwrap();
    let evidence = &stage.services.inner.evidence;
    let record = stage.store().want_evidence(row.version, stage.now()).await.unwrap();
    let MediaPolicy::Copy(leave) = evidence.media_policy(row.version).await.unwrap() else {
        panic!("may be copied")
    };
    let mut manifest = manifest_of(&stage.services, &record).await;
    let picture = part(PartKind::Screenshot, "screenshot.png", b"bilden");
    manifest.parts.push(evidence.keep(&leave, picture).await.unwrap());
    assert_eq!(stage.n_blobs(), 0, "in memory alone until it is sealed");
    stage.services.suspect(&stage.editor, case).await.unwrap();
    let refused = evidence.seal(record.id, &manifest, Some(&leave)).await;
    assert!(
        matches!(refused, Err(EvidenceError::Store(StoreError::Refused { .. }))),
        "{refused:?}"
    );
    assert_eq!(stage.n_blobs(), 0);
    while stage.services.capture_wanted().await.unwrap() {}
    assert_eq!(stage.n_blobs(), 1, "the manifest that describes it");
    // The slower of two captures: the first seal stands, and nothing of the other.
    manifest.parts.clear();
    manifest.sealed_by = "en annan".into();
    evidence.seal(record.id, &manifest, None).await.unwrap();
    assert_eq!(stage.n_blobs(), 1);
    stage.verified().await;
}

#[tokio::test]
async fn leave_for_one_item_keeps_nothing_of_another() {
    let stage = Stage::new().await;
    let versions = [stage.written(THREAT).await.1, stage.written(&format!("{THREAT}!")).await.1];
    let one = stage.store().case(versions[0]).await.unwrap().version;
    let other = stage.store().case(versions[1]).await.unwrap().version;
    let evidence = &stage.services.inner.evidence;
    let MediaPolicy::Copy(leave) = evidence.media_policy(one).await.unwrap() else {
        panic!("may be copied")
    };
    let record = stage.store().evidence_of(other).await.unwrap().unwrap();
    let mut manifest = manifest_of(&stage.services, &record).await;
    let text = part(PartKind::Text, "text.txt", b"texten");
    manifest.parts.push(evidence.keep(&leave, text).await.unwrap());
    let refused = evidence.seal(record.id, &manifest, Some(&leave)).await;
    assert!(matches!(refused, Err(EvidenceError::NotTaken { .. })), "{refused:?}");
}

#[tokio::test]
async fn leave_is_asked_again_when_the_picture_is_taken_and_when_it_is_sealed() {
    let stage = Stage::new().await;
    let (_, one) = stage.written(THREAT).await;
    let version = stage.store().case(one).await.unwrap().version;
    let policy = stage.services.inner.evidence.media_policy(version).await.unwrap();
    let MediaPolicy::Copy(leave) = policy else { panic!("may be copied") };
    let picture = leave.picture().unwrap();
    assert_eq!(picture.ask_again().await, Ok(()));
    stage.simulator.write("Robin Påhitt", "En fråga om badet", None);
    stage.wait_s(150);
    stage.poll().await;
    assert_eq!(picture.ask_again().await, Err(NoPicture::Unassessed));
    while stage.services.assess_waiting().await.unwrap() {}
    assert_eq!(picture.ask_again().await, Ok(()));
    // Suspected while the picture is being taken, on the same page.
    let next = stage.simulator.write("Robin Påhitt", &format!("{THREAT}!"), None);
    stage.wait_s(150);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let case = stage.case_of(next).await;
    let version = stage.store().case(case).await.unwrap().version;
    let suspect = async || stage.services.suspect(&stage.editor, one).await.unwrap();
    let refused = seal_with_picture(&stage, version, suspect).await;
    assert!(
        matches!(refused, Err(EvidenceError::Store(StoreError::Refused { .. }))),
        "{refused:?}"
    );
    assert_eq!(picture.ask_again().await, Err(NoPicture::Barred));
}

#[tokio::test]
async fn a_barred_text_is_not_copied_into_the_threads_of_its_neighbours() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(CHILD).await;
    let below = stage.simulator.write("Kim Påhitt", THREAT, Some(number));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let other = stage.case_of(below).await;
    let item = stage.store().case(other).await.unwrap().item;
    let thread = stage.store().thread_above(item).await.unwrap();
    assert_eq!(thread.above.len(), 1);
    assert_eq!(thread.above[0].text, TEXT_NOT_COPIED);
    assert_eq!(thread.above[0].author.name.as_deref(), Some("Robin Påhitt"));
    let barred = stage.store().case(case).await.unwrap().item;
    let under = stage.store().thread_below(barred, 10).await.unwrap();
    assert_eq!(under[0].text, THREAT);
}

/// An item as some platform gives it.
fn item(id: &str, text: &str, post: Option<&str>, parent: Option<&str>) -> FetchedItem {
    let mut item = FetchedItem::new(PlatformItemId::new(id), ItemKind::Mention, text, "{}");
    item.post_id = post.map(PlatformPostId::new);
    item.parent_id = parent.map(PlatformItemId::new);
    item
}

async fn account(stage: &Stage, key: &str, platform: PlatformKind) -> AccountId {
    let (key, name, now) = (AccountKey::new(key), "Exempelstad".to_owned(), stage.now());
    stage.store().ensure_account(key, platform, name, true, now).await.unwrap().id
}

/// Takes items in and gives the version of each.
async fn taken(stage: &Stage, account: AccountId, items: Vec<FetchedItem>) -> Vec<VersionId> {
    let now = stage.now();
    let ids: Vec<_> = items.iter().map(|item| item.platform_id.as_str().to_owned()).collect();
    let batch = Batch { items, ..Batch::default() };
    stage.store().commit_batch(account, batch, now, now).await.unwrap();
    while stage.services.assess_waiting().await.unwrap() {}
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let of = "select current_version_id from items where account_id = ?1 and platform_id = ?2";
    let version = |id: &String| raw.query_row(of, (account.0, id), |row| row.get(0)).unwrap();
    ids.iter().map(|id| VersionId(version(id))).collect()
}

async fn picture(stage: &Stage, version: VersionId) -> Result<(), NoPicture> {
    match stage.services.inner.evidence.media_policy(version).await.unwrap() {
        MediaPolicy::Copy(leave) => leave.picture().map(|_| ()),
        MediaPolicy::MetadataOnly => panic!("barred itself"),
    }
}

#[tokio::test]
async fn one_page_is_one_thread_whoever_began_it() {
    let stage = Stage::new().await;
    let own = account(&stage, "bluesky", PlatformKind::Bluesky).await;
    let items = vec![
        // A stranger's thread: B answers A, C answers B, D is beside it all.
        item("A", CHILD, None, None),
        item("B", THREAT, None, Some("A")),
        item("C", THREAT, None, Some("B")),
        item("D", THREAT, None, None),
        // Under our own post, beside it.
        item("E", THREAT, Some("P"), None),
    ];
    let versions = taken(&stage, own, items).await;
    for (version, barred) in versions[1..].iter().zip([true, true, false, false]) {
        let expected = if barred { Err(NoPicture::Barred) } else { Ok(()) };
        assert_eq!(picture(&stage, *version).await, expected, "{version}");
    }
}

#[tokio::test]
async fn while_nobody_knows_where_a_suspected_item_stands_no_page_of_the_platform_is_pictured() {
    let stage = Stage::new().await;
    let own = account(&stage, "mastodon", PlatformKind::Mastodon).await;
    let other = account(&stage, "blogg", PlatformKind::WordPress).await;
    let items = vec![item("A", CHILD, None, Some("X")), item("E", THREAT, Some("P"), None)];
    let versions = taken(&stage, own, items).await;
    let elsewhere = taken(&stage, other, vec![item("F", THREAT, Some("P"), None)]).await;
    assert_eq!(picture(&stage, versions[1]).await, Err(NoPicture::Barred));
    assert_eq!(picture(&stage, elsewhere[0]).await, Ok(()));
    // The thread is told after all: it is somebody else's.
    let mut placed = item("A", CHILD, None, Some("X"));
    placed.page = Some("https://annan.example/@x/1".into());
    taken(&stage, own, vec![placed]).await;
    assert_eq!(picture(&stage, versions[1]).await, Ok(()));
    let mut below = item("G", THREAT, None, Some("Y"));
    below.page = Some("https://annan.example/@x/1".into());
    let below = taken(&stage, own, vec![below]).await;
    assert_eq!(picture(&stage, below[0]).await, Err(NoPicture::Barred), "the same top");
}

#[tokio::test]
async fn what_is_gone_and_what_we_say_ourselves_are_told_apart() {
    let stage = Stage::new().await;
    let own = account(&stage, "bluesky", PlatformKind::Bluesky).await;
    let mut ours = item("O", CHILD, Some("P"), None);
    ours.by_us = true;
    let versions = taken(&stage, own, vec![item("E", THREAT, Some("P"), None), ours]).await;
    assert_eq!(picture(&stage, versions[0]).await, Ok(()), "our own words are no suspicion");
    let suspected = taken(&stage, own, vec![item("A", CHILD, Some("P"), None)]).await;
    let suspected = stage.store().version(suspected[0]).await.unwrap().item;
    let now = stage.now();
    stage.store().record_presence(suspected, Presence::Gone, now).await.unwrap();
    assert_eq!(picture(&stage, versions[0]).await, Err(NoPicture::Barred), "others may see it");
}

#[tokio::test]
async fn the_same_item_on_another_account_of_ours_is_barred_with_it() {
    let stage = Stage::new().await;
    let accounts = [
        account(&stage, "bluesky", PlatformKind::Bluesky).await,
        account(&stage, "bluesky-2", PlatformKind::Bluesky).await,
        account(&stage, "blogg", PlatformKind::WordPress).await,
        account(&stage, "blogg-2", PlatformKind::WordPress).await,
    ];
    let mut versions = Vec::new();
    for of in accounts {
        versions.extend(taken(&stage, of, vec![item("17", THREAT, None, None)]).await);
    }
    let sealed = seal_with_picture(&stage, versions[1], async || ()).await.unwrap();
    for (suspected, same) in [(versions[0], true), (versions[2], false)] {
        stage.store().bar_copying(suspected, stage.now()).await.unwrap();
        let index = versions.iter().position(|version| *version == suspected).unwrap() + 1;
        let twin = stage.store().version(versions[index]).await.unwrap().item;
        assert_eq!(stage.store().item(twin).await.unwrap().no_copy, same, "{index}");
    }
    assert_eq!(shown(&stage, sealed).await, [] as [&str; 0], "the same text was suspected");
}

#[tokio::test]
async fn a_text_that_the_machine_could_not_read_is_pictured_once_a_person_has_opened_it() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let version = stage.store().case(case).await.unwrap().version;
    stage.store().note_unread(version, true).await.unwrap();
    assert_eq!(picture(&stage, version).await, Err(NoPicture::Unread));
    let administrator = viewer(Role::Administrator, stage.editor.user);
    let opens = Look::Opens;
    stage.services.case_opened(&administrator, case, opens).await.unwrap();
    assert_eq!(picture(&stage, version).await, Err(NoPicture::Unread), "whose texts are masked");
    stage.services.case_opened(&stage.editor, case, Look::Follows).await.unwrap();
    assert_eq!(picture(&stage, version).await, Err(NoPicture::Unread), "a page that follows it");
    stage.services.case_opened(&stage.editor, case, opens).await.unwrap();
    assert_eq!(picture(&stage, version).await, Ok(()));
}
