//! Pictures of the live page and what was stopped on it, from the browser to the seal and to whoever sees them.

use std::time::Duration;

use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::domain::custody::CustodyAct;
use crate::domain::evidence::{Manifest, PartKind};
use crate::domain::ids::{CaseId, EvidenceId, PlatformItemId, PlatformPostId};
use crate::domain::item::{Batch, FetchedItem, ItemKind, Permalink, PermalinkSource};
use crate::domain::page_log::{PageLog, StopReason};
use crate::evidence::browser::{Browser, BrowserSettings};
use crate::evidence::fetch::FetchLimits;
use crate::formats::framed::COLOUR;
use crate::platforms::facebook::Facebook;
use crate::services::deliveries::PackageForm;
use crate::services::packages;
use crate::services::records::Look;
use crate::services::tests::harness::{Stage, services_with};
use crate::services::{BeforeRemoval, Served};

/// Lets violence be expected in the pictures.
const GORE: &str = "snuff utan filter -> se.doden.example, min favorit är gasklippet";
/// Hits the rules of children by a word of the trade, nothing more.
const CHILD: &str = "Byter lolitabilder, skriv dm";

/// Lines of red on the item, so that they are found again where they are not blurred.
const PAGE: &str = r#"<!doctype html><html lang="sv"><title>Nytt badhus</title><body style="margin:0;background:#fff">
<div style="height:700px">Inlägget</div>
<div id="c1" style="margin-left:50px;width:600px;height:120px;background:repeating-linear-gradient(90deg,#f00 0 8px,#fff 8px 16px)"></div>
<div style="height:900px"></div>
<img src="http://127.0.0.2:8099/kamera?key=hemligt"><script>console.error("det gick fel")</script>"#;

/// A stage with a browser, whose account's own address is this server's.
async fn stage() -> (Stage, MockServer, Browser) {
    let mut stage = Stage::new().await;
    let server = MockServer::start().await;
    let platform = Facebook::new(stage.simulator.settings(), stage.clock.clock()).unwrap();
    let served = Served {
        account: stage.services.served(stage.account).unwrap().account.clone(),
        platform: std::sync::Arc::new(platform),
        interval: Duration::from_secs(60),
        policy: None,
        push: None,
        token_expires: None,
        private_at: Some(server.uri().parse().unwrap()),
    };
    let browser = Browser::new(BrowserSettings::default(), stage.clock.clock());
    let inner = &stage.services.inner;
    let (store, evidence) = (inner.store.clone(), inner.evidence.clone());
    let (dir, limits) = (stage.dir.path(), FetchLimits::default());
    let with = Ok(browser.clone());
    stage.services = services_with(
        dir,
        &stage.clock,
        store,
        evidence,
        vec![served],
        limits,
        with,
        BeforeRemoval::Compare,
    );
    let html = ResponseTemplate::new(200).set_body_raw(PAGE, "text/html; charset=utf-8");
    Mock::given(path("/sida")).respond_with(html).mount(&server).await;
    (stage, server, browser)
}

/// Somebody writes this on that page; it is assessed and sealed.
async fn written(
    stage: &Stage,
    id: &str,
    text: &str,
    url: String,
) -> (CaseId, EvidenceId, Manifest) {
    let mut item = FetchedItem::new(PlatformItemId::new(id), ItemKind::Comment, text, "{}");
    item.post_id = Some(PlatformPostId::new("1"));
    item.permalink = Some(Permalink { url, source: PermalinkSource::Given });
    let batch = Batch { items: vec![item], ..Batch::default() };
    stage.store().commit_batch(stage.account, batch, stage.now(), stage.now()).await.unwrap();
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "select k.id from cases k join items i on i.id = k.item_id where i.platform_id = ?1";
    let case = CaseId(raw.query_row(sql, [id], |row| row.get(0)).unwrap());
    let version = stage.store().case(case).await.unwrap().version;
    let row = stage.store().evidence_of(version).await.unwrap().unwrap();
    let manifest = stage.services.inner.evidence.manifest(&row).await.unwrap();
    (case, row.id, manifest)
}

fn n_of(png: &[u8], colour: [u8; 3]) -> usize {
    let picture = image::load_from_memory(png).unwrap().into_rgb8();
    picture.pixels().filter(|dot| dot.0 == colour).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_pictures_and_what_was_stopped_are_sealed_blurred_where_need_be_and_never_of_children()
{
    let (stage, server, browser) = stage().await;
    let (services, editor) = (&stage.services, &stage.editor);
    let at = format!("{}/sida#c1", server.uri());
    let (case, id, manifest) = written(&stage, "1", GORE, at).await;
    let names: Vec<_> = manifest.parts.iter().map(|part| (part.kind, part.name.as_str())).collect();
    for part in [
        (PartKind::Screenshot, "screenshot.png"),
        (PartKind::FullPage, "hela-sidan.png"),
        (PartKind::PageArchive, "sida.wacz"),
        (PartKind::PageLog, "webbsida-logg.json"),
    ] {
        assert!(names.contains(&part), "{part:?} in {names:?}, missing {:?}", manifest.missing);
    }
    let bytes = async |name: &str| services.evidence_part(editor, id, name).await.unwrap().bytes;
    let (item, whole) = (bytes("screenshot.png").await, bytes("hela-sidan.png").await);
    let red = 300 * 120;
    assert_eq!((n_of(&item, [255, 0, 0]), n_of(&item, COLOUR)), (red + red / 75, 0));
    assert!(n_of(&whole, [255, 0, 0]) == n_of(&item, [255, 0, 0]) && n_of(&whole, COLOUR) > 1_000);
    let log: PageLog = serde_json::from_slice(&bytes("webbsida-logg.json").await).unwrap();
    assert_eq!(log.stopped[0].reason, StopReason::PrivateAddress, "{log:?}");
    assert!(log.console.iter().any(|line| line.text == "det gick fel"), "{log:?}");
    let (record, _) = services.evidence_record(editor, id).await.unwrap();
    assert_eq!(record.page_log, Some(log));
    // The sheet is blurred, and says so; the record's pictures are not, and their showing is told.
    assert!(manifest.is_blurred() && manifest.sheet_is_blurred);
    let sheets = manifest.parts.iter().filter(|part| part.kind == PartKind::SheetPng);
    let mut n_sheets = 0;
    for sheet in sheets {
        assert!(!manifest.is_part_blurred(sheet), "{}", sheet.name);
        assert_eq!(n_of(&bytes(&sheet.name).await, [255, 0, 0]), 0, "{}", sheet.name);
        n_sheets += 1;
    }
    assert!(n_sheets >= 3, "{n_sheets}");
    let blurred = services.evidence_picture(editor, id, "hela-sidan.png", Look::Blurred).await;
    assert_eq!(n_of(&blurred.unwrap().bytes, COLOUR), 0);
    let file = services.case_file(editor, case).await.unwrap();
    let shown = file.custody.events.iter().filter(|e| e.what == CustodyAct::ShowBlurred.label());
    assert_eq!(shown.map(|event| event.n).sum::<u32>(), 2, "each picture once, no sheet");
    // The bundle for the police shows them blurred, with the originals as files in it.
    let bundle = services.police_bundle(editor, case).await.unwrap();
    for words in ["bevis-1-screenshot.png", "bevis-1-full_page.png", "<pdfaid:part>3<"] {
        assert!(memchr::memmem::find(&bundle, words.as_bytes()).is_some(), "{words}");
    }
    // The package has them as they were sealed, for anybody to verify; so has one for an archive.
    let inner = &services.inner;
    for (name, form) in
        [("paket.zip", PackageForm::Zip), ("eark.zip", PackageForm::Eark { schemas: None })]
    {
        let out = stage.dir.path().join(name);
        let authority = &inner.settings.authority;
        packages::export(
            stage.store(),
            &inner.evidence,
            &[id],
            &out,
            authority,
            &inner.clock,
            &form,
        )
        .await
        .unwrap();
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&out).unwrap()).unwrap();
        for (part, sealed) in [("screenshot.png", &item), ("hela-sidan.png", &whole)] {
            let part = format!("bevis-{id}/delar/{part}");
            let inside: Vec<_> = zip.file_names().map(|n| n.unwrap().into_owned()).collect();
            let found = inside.iter().find(|name| name.ends_with(&part)).unwrap();
            let mut there = Vec::new();
            std::io::Read::read_to_end(&mut zip.by_name(found).unwrap(), &mut there).unwrap();
            assert!(there == *sealed, "{part}");
        }
        let lists = |wanted: &str| {
            let mets = zip.file_names().map(|n| n.unwrap().into_owned()).collect::<Vec<_>>();
            mets.into_iter().find(|name| name.ends_with(wanted))
        };
        if let Some(list) = lists("rep1/METS.xml") {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut zip.by_name(&list).unwrap(), &mut text).unwrap();
            for part in ["hela-sidan.png", "webbsida-logg.json"] {
                assert!(text.contains(&format!("bevis-{id}/delar/{part}\"")), "{part}");
            }
        }
    }
    let checked = packages::verify(&stage.dir.path().join("paket.zip"), &|_, _| {}).unwrap();
    assert!(checked.is_whole(), "{}", checked.words());
    assert_eq!(stage.verified().await.faults, []);

    // Of what is suspected the page is not even asked for.
    let elsewhere = format!("{}/annan-sida#c2", server.uri());
    let (_, _, barred) = written(&stage, "2", CHILD, elsewhere).await;
    assert_eq!(barred.parts, []);
    let missing: Vec<_> = barred.missing.iter().map(|part| part.kind).collect();
    for kind in [PartKind::Screenshot, PartKind::FullPage, PartKind::PageArchive, PartKind::PageLog]
    {
        assert!(missing.contains(&kind), "{kind:?} is named");
    }
    let asked = server.received_requests().await.unwrap();
    assert!(asked.iter().all(|request| request.url.path() != "/annan-sida"));
    // And what was taken of a page on which it may stand is cut off, its log too.
    let (record, _) = services.evidence_record(editor, id).await.unwrap();
    assert_eq!(record.page_log, None);
    assert!(!record.manifest.unwrap().holds_picture());
    browser.stop().await;
}
