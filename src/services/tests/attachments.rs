//! Attachments: fetched when evidence is taken, stated where they are not, shown blurred where need be, and never
//! touched where nothing may be copied.

use std::io::Cursor;
use std::time::Duration;

use image::{DynamicImage, ImageFormat, RgbImage};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::domain::custody::CustodyAct;
use crate::domain::evidence::{Manifest, PartKind};
use crate::domain::ids::{CaseId, EvidenceId, PlatformItemId, PlatformPostId};
use crate::domain::item::{Attachment, Batch, Exchange, FetchedItem, ItemKind};
use crate::evidence::fetch::FetchLimits;
use crate::platforms::facebook::Facebook;
use crate::services::deliveries::PackageForm;
use crate::services::packages;
use crate::services::records::Look;
use crate::services::tests::harness::{Stage, THREAT, services_within};
use crate::services::{Served, ServiceError};

/// Hits the rules of children by a word of the trade, nothing more.
const CHILD: &str = "Byter lolitabilder, skriv dm";
/// Lets violence be expected in the pictures.
const GORE: &str = "snuff utan filter -> se.doden.example, min favorit är gasklippet";

fn picture(width: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(width, 40, image::Rgb([9, 90, 200]));
    DynamicImage::ImageRgb8(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

struct Hosted {
    stage: Stage,
    server: MockServer,
}

impl Hosted {
    /// A stage whose account's own address is this server's, with files on it.
    async fn new(fetch: FetchLimits) -> Self {
        let mut stage = Stage::new().await;
        let server = MockServer::start().await;
        let platform = Facebook::new(stage.simulator.settings(), stage.clock.clock()).unwrap();
        let account = stage.services.served(stage.account).unwrap().account.clone();
        let served = Served {
            account,
            platform: std::sync::Arc::new(platform),
            interval: Duration::from_secs(60),
            policy: None,
            token_expires: None,
            push: None,
            private_at: Some(server.uri().parse().unwrap()),
        };
        let inner = &stage.services.inner;
        let (store, evidence) = (inner.store.clone(), inner.evidence.clone());
        let within =
            services_within(stage.dir.path(), &stage.clock, store, evidence, served, fetch);
        stage.services = within;
        Self { stage, server }
    }

    async fn serves(&self, at: &str, kind: &str, bytes: Vec<u8>) {
        let answer = ResponseTemplate::new(200).set_body_raw(bytes, kind);
        Mock::given(path(at)).respond_with(answer).mount(&self.server).await;
    }

    fn photo(&self, at: &str) -> Attachment {
        let url = Some(format!("{}{at}", self.server.uri()));
        Attachment { kind: "photo".into(), url, media_type: None, name: Some(at.into()) }
    }

    async fn n_asked(&self) -> usize {
        self.server.received_requests().await.unwrap().len()
    }

    /// Somebody writes this with that attached; it is assessed and sealed.
    async fn written(
        &self,
        id: &str,
        text: &str,
        attachments: Vec<Attachment>,
    ) -> (CaseId, EvidenceId, Manifest) {
        let mut item = FetchedItem::new(PlatformItemId::new(id), ItemKind::Comment, text, "{}");
        item.attachments = attachments;
        item.post_id = Some(PlatformPostId::new("1"));
        self.written_as(item).await
    }

    async fn written_as(&self, item: FetchedItem) -> (CaseId, EvidenceId, Manifest) {
        let (stage, now) = (&self.stage, self.stage.now());
        let id = item.platform_id.clone();
        let batch = Batch { items: vec![item], ..Batch::default() };
        stage.store().commit_batch(stage.account, batch, now, now).await.unwrap();
        while stage.services.assess_waiting().await.unwrap() {}
        while stage.services.capture_wanted().await.unwrap() {}
        let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
        let sql =
            "select k.id from cases k join items i on i.id = k.item_id where i.platform_id = ?1";
        let case = CaseId(raw.query_row(sql, [id.as_str()], |row| row.get(0)).unwrap());
        let version = stage.store().case(case).await.unwrap().version;
        let row = stage.store().evidence_of(version).await.unwrap().unwrap();
        let manifest = stage.services.inner.evidence.manifest(&row).await.unwrap();
        (case, row.id, manifest)
    }
}

/// Names, types and sizes of what hung on it.
fn hung(manifest: &Manifest) -> Vec<(&str, &str)> {
    let parts = manifest.parts.iter().filter(|part| part.kind == PartKind::Attachment);
    parts.map(|part| (part.name.as_str(), part.media_type.as_str())).collect()
}

fn missed(manifest: &Manifest) -> Vec<&str> {
    let missing = manifest.missing.iter().filter(|part| part.kind == PartKind::Attachment);
    missing.map(|part| part.reason.as_str()).collect()
}

fn described(kind: &str, url: Option<&str>) -> Attachment {
    Attachment { kind: kind.into(), url: url.map(Into::into), media_type: None, name: None }
}

#[tokio::test]
async fn what_hangs_on_an_item_is_sealed_by_what_it_is_and_the_rest_is_stated() {
    let hosted = Hosted::new(FetchLimits { file_bytes: 100_000, ..FetchLimits::default() }).await;
    let png = picture(60, ImageFormat::Png);
    // The server lies about both.
    hosted.serves("/a", "text/html", png.clone()).await;
    hosted.serves("/b", "image/png", b"<svg onload='alert(1)'/>".to_vec()).await;
    hosted.serves("/film", "video/mp4", b"\0\0\0\x18ftypisom\0\0\0\0".to_vec()).await;
    hosted.serves("/large", "image/png", vec![0; 100_001]).await;
    let attachments = vec![
        hosted.photo("/a"),
        hosted.photo("/b"),
        hosted.photo("/film"),
        hosted.photo("/large"),
        hosted.photo("/gone"),
        hosted.photo("/a"),
        described("photo", None),
        described("link", Some("https://a.example/")),
        described("photo", Some("http://169.254.169.254/latest/meta-data/")),
        described("photo", Some("http://127.0.0.1:1/x.png")),
        described("photo", Some("file:///etc/passwd")),
    ];
    let (_, evidence, manifest) = hosted.written("1", THREAT, attachments).await;
    assert_eq!(hung(&manifest), [("bilaga-1.png", "image/png"), ("bilaga-3.mp4", "video/mp4")]);
    let method = &manifest.parts.iter().find(|p| p.name == "bilaga-1.png").unwrap().method;
    assert!(method.contains("servern kallar den text/html"), "{method}");
    assert_eq!(
        missed(&manifest),
        [
            "Bilaga 2 (/b) hämtades inte: innehållet är varken bild, film, ljud eller PDF.",
            "Bilaga 4 (/large) hämtades inte: den är större än gränsen på 97 kB.",
            "Bilaga 5 (/gone) hämtades inte: den finns inte längre på adressen.",
            "Bilaga 7 (photo): plattformen anger ingen adress till innehållet.",
            "Bilaga 8 (link) är en länk eller ett citat, ingen fil.",
            "Bilaga 9 (photo) hämtades inte: adressen leder till ett internt nät.",
            "Bilaga 10 (photo) hämtades inte: adressen leder till ett internt nät.",
            "Bilaga 11 (photo) hämtades inte: adressen är av slaget file, och bara http och https hämtas.",
        ]
    );
    // As it came, and drawn anew; a film has no picture.
    let (services, editor) = (&hosted.stage.services, &hosted.stage.editor);
    let kept = services.evidence_part(editor, evidence, "bilaga-1.png").await.unwrap();
    assert_eq!(kept.bytes, png);
    let drawn = services.evidence_picture(editor, evidence, "bilaga-1.png", Look::Clear).await;
    assert_eq!(drawn.unwrap().media_type, "image/png");
    let film = services.evidence_picture(editor, evidence, "bilaga-3.mp4", Look::Clear).await;
    assert!(matches!(film, Err(ServiceError::Refused { .. })), "{film:?}");
    hosted.stage.verified().await;
}

#[tokio::test]
async fn the_picture_that_the_platform_shows_of_the_author_is_sealed_beside() {
    let hosted = Hosted::new(FetchLimits::default()).await;
    let png = picture(60, ImageFormat::Png);
    hosted.serves("/kim", "image/png", png.clone()).await;
    hosted.serves("/film", "video/mp4", b"\0\0\0\x18ftypisom\0\0\0\0".to_vec()).await;
    let by = |at: &str| serde_json::json!({"from": {"picture": {"data": {"url": format!("{}{at}", hosted.server.uri())}}}});
    let item = |id: &str, text: &str, at: &str| {
        let id = PlatformItemId::new(id);
        let payload = by(at).to_string();
        let mut item = FetchedItem::new(id, ItemKind::Comment, text, payload);
        item.post_id = Some(PlatformPostId::new("1"));
        item
    };
    let (_, evidence, manifest) = hosted.written_as(item("1", THREAT, "/kim")).await;
    assert_eq!(hung(&manifest), [("forfattarens-bild.png", "image/png")]);
    let name = "forfattarens-bild.png";
    let (services, editor) = (&hosted.stage.services, &hosted.stage.editor);
    assert_eq!(services.evidence_part(editor, evidence, name).await.unwrap().bytes, png);
    // One that does not come is stated, and one that is no picture is none.
    for (id, at, why) in [("2", "/borta", "den finns inte längre"), ("3", "/film", "ingen bild")] {
        let text = format!("{THREAT} {id}");
        let (_, _, manifest) = hosted.written_as(item(id, &text, at)).await;
        let missed = missed(&manifest);
        assert!(missed[0].starts_with("Bilden av författaren hämtades inte: "), "{missed:?}");
        assert!(missed[0].contains(why), "{missed:?}");
    }
    hosted.stage.verified().await;
}

#[tokio::test]
async fn the_same_picture_lies_once_and_goes_with_the_last_that_has_it() {
    let hosted = Hosted::new(FetchLimits::default()).await;
    let png = picture(60, ImageFormat::Png);
    hosted.serves("/a", "image/png", png.clone()).await;
    hosted.serves("/b", "image/png", png).await;
    let two = vec![hosted.photo("/a"), hosted.photo("/b")];
    let (_, _, first) = hosted.written("1", THREAT, two).await;
    let (_, _, second) =
        hosted.written("2", "Jag ska döda dig i morgon", vec![hosted.photo("/a")]).await;
    let hash = |manifest: &Manifest| {
        let parts = manifest.parts.iter().filter(|part| part.kind == PartKind::Attachment);
        parts.map(|part| part.sha256).collect::<Vec<_>>()
    };
    assert_eq!(hash(&first), [hash(&second)[0], hash(&second)[0]]);
    let raw = rusqlite::Connection::open(hosted.stage.store().path()).unwrap();
    let sql = "select count(*) from evidence_blobs where sha256 = ?1";
    let n: i64 = raw.query_row(sql, [hash(&second)[0].bytes()], |row| row.get(0)).unwrap();
    assert_eq!(n, 2, "two records rest on it");
    hosted.stage.verified().await;
}

#[tokio::test]
async fn of_what_may_concern_children_no_server_is_asked_for_anything() {
    let hosted = Hosted::new(FetchLimits::default()).await;
    hosted.serves("/a", "image/png", picture(60, ImageFormat::Png)).await;
    let (_, _, manifest) = hosted.written("1", CHILD, vec![hosted.photo("/a")]).await;
    assert_eq!((manifest.parts.len(), hosted.n_asked().await), (0, 0));
    // Nor of what stands beside it on the page.
    let (_, _, beside) = hosted.written("2", THREAT, vec![hosted.photo("/a")]).await;
    assert_eq!((hung(&beside).len(), hosted.n_asked().await), (0, 0));
    assert!(missed(&beside)[0].contains("inte får kopieras"), "{:?}", missed(&beside));
}

#[tokio::test]
async fn attachments_are_cut_off_when_their_item_is_suspected_later() {
    let hosted = Hosted::new(FetchLimits::default()).await;
    hosted.serves("/a", "image/jpeg", picture(60, ImageFormat::Jpeg)).await;
    let (_, evidence, _) = hosted.written("1", THREAT, vec![hosted.photo("/a")]).await;
    let (services, editor) = (&hosted.stage.services, &hosted.stage.editor);
    for look in [Look::Clear, Look::Blurred] {
        services.evidence_picture(editor, evidence, "bilaga-1.jpg", look).await.unwrap();
    }
    let row = hosted.stage.store().evidence(evidence).await.unwrap();
    assert_eq!(hosted.stage.store().barred_media().await.unwrap(), Vec::<String>::new());
    hosted.stage.store().bar_copying(row.version, hosted.stage.now()).await.unwrap();
    let known = hosted.stage.store().barred_media().await.unwrap();
    assert_eq!(known, hosted.photo("/a").url.into_iter().collect::<Vec<_>>());
    for look in [Look::Clear, Look::Blurred] {
        let shown = services.evidence_picture(editor, evidence, "bilaga-1.jpg", look).await;
        assert!(matches!(shown, Err(ServiceError::Refused { .. })), "{shown:?}");
    }
}

#[tokio::test]
async fn what_may_be_hard_to_look_at_stands_blurred_and_its_showing_is_told() {
    let hosted = Hosted::new(FetchLimits::default()).await;
    hosted.serves("/a", "image/png", picture(60, ImageFormat::Png)).await;
    let (case, evidence, manifest) = hosted.written("1", GORE, vec![hosted.photo("/a")]).await;
    assert!(manifest.is_blurred() && hung(&manifest).len() == 1);
    let (services, editor) = (&hosted.stage.services, &hosted.stage.editor);
    let told = async || {
        let file = services.case_file(editor, case).await.unwrap();
        let shown = CustodyAct::ShowBlurred.label();
        file.custody
            .events
            .iter()
            .filter(|event| event.what == shown)
            .map(|event| event.n)
            .sum::<u32>()
    };
    let blurred = services.evidence_picture(editor, evidence, "bilaga-1.png", Look::Blurred).await;
    assert_eq!((blurred.is_ok(), told().await), (true, 0));
    let clear =
        services.evidence_picture(editor, evidence, "bilaga-1.png", Look::Clear).await.unwrap();
    assert_eq!(told().await, 1);
    assert_ne!(clear.bytes, blurred.unwrap().bytes);
    services.evidence_part(editor, evidence, "bilaga-1.png").await.unwrap();
    assert_eq!(told().await, 2);
}

#[tokio::test]
async fn servers_that_are_slow_or_send_too_much_hold_no_seal_up() {
    let limits = FetchLimits {
        record_bytes: 3_000,
        record_time: Duration::from_millis(600),
        files: 2,
        ..FetchLimits::default()
    };
    let hosted = Hosted::new(limits).await;
    let file = |n: usize| [b"%PDF-1.7\n".to_vec(), vec![b'x'; n]].concat();
    hosted.serves("/a", "application/pdf", file(2_000)).await;
    hosted.serves("/b", "application/pdf", file(2_001)).await;
    hosted.serves("/c", "application/pdf", file(10)).await;
    let slow =
        ResponseTemplate::new(200).set_body_bytes(file(11)).set_delay(Duration::from_secs(20));
    Mock::given(path("/slow")).respond_with(slow).mount(&hosted.server).await;
    let all = ["/a", "/b", "/c", "/slow", "/d"].map(|at| hosted.photo(at)).to_vec();
    let (_, _, manifest) = hosted.written("1", THREAT, all).await;
    assert_eq!(hung(&manifest).len(), 2);
    assert!(missed(&manifest)[0].contains("större än vad som ryms"), "{:?}", missed(&manifest));
    assert!(missed(&manifest)[1].contains("högst 2 filer"), "{:?}", missed(&manifest));
    let slow = ["/slow", "/c"].map(|at| hosted.photo(at)).to_vec();
    let (_, _, manifest) = hosted.written("2", "Jag ska döda dig i morgon", slow).await;
    assert!(missed(&manifest)[0].contains("hann inte hämtas"), "{:?}", missed(&manifest));
    assert!(missed(&manifest)[1].contains("var slut"), "{:?}", missed(&manifest));
}

#[tokio::test]
async fn the_call_that_an_item_came_by_is_sealed_with_it_and_what_stood_beside() {
    let hosted = Hosted::new(FetchLimits::default()).await;
    let raw = r#"{"like_count":3,"comment_count":1}"#;
    let mut item = FetchedItem::new(PlatformItemId::new("1"), ItemKind::Comment, THREAT, raw);
    let exchange = Exchange {
        method: "GET".into(),
        address: "https://graph.example/v25.0/1?limit=5".into(),
        status: 200,
        headers: vec![("date".into(), "Sat, 21 Nov 2026 12:00:00 GMT".into())],
        at: hosted.stage.now(),
    };
    item.exchange = Some(std::sync::Arc::new(exchange.clone()));
    let (_, evidence, manifest) = hosted.written_as(item).await;
    let editor = &hosted.stage.editor;
    let part = hosted.stage.services.evidence_part(editor, evidence, "anrop.json").await.unwrap();
    assert_eq!(serde_json::from_slice::<Exchange>(&part.bytes).unwrap(), exchange);
    let beside = manifest.beside.unwrap();
    assert_eq!(beside.counts_in_words(), "3 gilla-markeringar, 1 svar");
    let (_, _, manifest) = hosted.written("2", "Jag ska döda dig i morgon", Vec::new()).await;
    let missing = manifest.missing.iter().find(|part| part.kind == PartKind::Exchange).unwrap();
    assert!(missing.reason.contains("inte antecknat"));
}

#[tokio::test]
async fn a_fetched_comment_is_sealed_with_its_call_and_without_the_token() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}
    let version = stage.store().case(stage.case_of(number).await).await.unwrap().version;
    let row = stage.store().evidence_of(version).await.unwrap().unwrap();
    let part = stage.services.evidence_part(&stage.editor, row.id, "anrop.json").await.unwrap();
    let told: Exchange = serde_json::from_slice(&part.bytes).unwrap();
    assert_eq!((told.method.as_str(), told.status), ("GET", 200));
    assert!(told.address.contains("comments"), "{}", told.address);
    assert!(told.headers.iter().any(|(name, _)| name == "content-type"), "{:?}", told.headers);
    assert!(!told.address.contains("token=EA"), "{}", told.address);
}

#[tokio::test]
async fn a_picture_in_a_comment_comes_all_the_way_from_the_platform() {
    let stage = Stage::new().await;
    let inner = &stage.services.inner;
    let served = Served {
        account: stage.services.served(stage.account).unwrap().account.clone(),
        platform: std::sync::Arc::new(
            Facebook::new(stage.simulator.settings(), stage.clock.clock()).unwrap(),
        ),
        interval: Duration::from_secs(60),
        policy: None,
        token_expires: None,
        push: None,
        private_at: Some(stage.simulator.base().clone()),
    };
    let (store, evidence) = (inner.store.clone(), inner.evidence.clone());
    let limits = FetchLimits::default();
    let within = services_within(stage.dir.path(), &stage.clock, store, evidence, served, limits);
    let stage = Stage { services: within, ..stage };
    let number = stage.simulator.write("Robin Påhitt", &format!("{THREAT} Se på bilden."), None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}
    let version = stage.store().case(stage.case_of(number).await).await.unwrap().version;
    let row = stage.store().evidence_of(version).await.unwrap().unwrap();
    let manifest = stage.services.inner.evidence.manifest(&row).await.unwrap();
    assert_eq!(hung(&manifest), [("bilaga-1.png", "image/png")], "{:?}", missed(&manifest));
    // It goes into the package that anyone can check.
    let out = stage.dir.path().join("paket.zip");
    let inner = &stage.services.inner;
    let (authority, clock) = (&inner.settings.authority, &inner.clock);
    packages::export(
        stage.store(),
        &inner.evidence,
        &[row.id],
        &out,
        authority,
        clock,
        &PackageForm::Zip,
    )
    .await
    .unwrap();
    let zip = zip::ZipArchive::new(std::fs::File::open(&out).unwrap()).unwrap();
    let part = format!("bevis-{}/delar/bilaga-1.png", row.id);
    assert!(zip.file_names().any(|name| name.unwrap() == part), "{part}");
    let report = crate::evidence::package::check::check(&out, &|_| ()).unwrap();
    assert_eq!(report.faults, []);
}

#[tokio::test]
async fn what_links_lead_to_is_sealed_as_text_only_where_the_policy_asks() {
    let linked = "Jag ska döda dig, se http://127.0.0.1:1/x och https://a.invalid/b.";
    let mut hosted = Hosted::new(FetchLimits::default()).await;
    let (_, _, manifest) = hosted.written("1", linked, Vec::new()).await;
    let is_links = |kind: PartKind| kind == PartKind::Links;
    assert!(!manifest.parts.iter().any(|part| is_links(part.kind)));
    assert!(!manifest.missing.iter().any(|part| is_links(part.kind)), "nobody asked for it");
    hosted.stage.under(|policy| policy.duties.follow_links = true).await;
    let (_, evidence, _) = hosted.written("2", linked, Vec::new()).await;
    let services = &hosted.stage.services;
    let part = services.evidence_part(&hosted.stage.editor, evidence, "lankar.json").await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&part.bytes).unwrap();
    assert_eq!(told[0]["address"], "http://127.0.0.1:1/x");
    assert_eq!(told[0]["problem"], "adressen leder till ett internt nät");
    assert_eq!(told[1]["address"], "https://a.invalid/b");
    assert!(told[1]["problem"].as_str().unwrap().contains("gick inte att nå"), "{told}");
}
