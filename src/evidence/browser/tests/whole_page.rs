//! The whole page beside the item, the frame on it, and what the page was refused.

use super::*;
use crate::domain::page_log::{ConsoleLevel, PageLog, Resource, StopReason};
use crate::formats::framed::{COLOUR, REACH};

/// As high as the window above the comment, so that a layout that moves with the window is noticed; and a script that
/// tells of every change to the page once it is there, and makes one itself.
const WATCHED: &str = r#"<!doctype html><html lang="sv"><head><title>Nytt badhus</title><script>
addEventListener('load', () => {
  const all = {attributes: true, childList: true, characterData: true, subtree: true};
  new MutationObserver(() => fetch('/rord')).observe(document, all);
  setTimeout(() => { document.body.dataset.egen = '1'; }, 20);
});
</script></head><body style="margin:0;background:#fff">
<div style="position:sticky;top:0;height:40px;background:#0a0">Huvud</div>
<div style="height:100vh">Inlägget</div>
<div id="comment-57" style="background:rgb(200,0,0);margin-left:100px;width:600px;height:120px"></div>
<div style="height:700px"></div></body></html>"#;

/// The rectangle that all dots of a colour lie in: left, top, right, bottom.
fn bounds(picture: &image::RgbImage, colour: [u8; 3]) -> Option<(u32, u32, u32, u32)> {
    let dots = picture.enumerate_pixels().filter(|(_, _, dot)| dot.0 == colour);
    dots.fold(None, |found, (x, y, _)| {
        let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
        Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_item_stands_cropped_and_in_a_frame_on_the_whole_page_and_nothing_touched_the_page() {
    let touched = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&touched);
    let tall = r#"<!doctype html><title>Lång</title><body style="margin:0"><div style="height:4000px"></div>
        <div id="comment-9" style="background:rgb(200,0,0);width:600px;height:120px"></div>"#;
    let app = Router::new()
        .route("/post", get(|| async { Html(WATCHED) }))
        .route("/tall", get(move || async move { Html(tall) }))
        .route(
            "/rord",
            get(move || {
                seen.fetch_add(1, Ordering::SeqCst);
                async { "" }
            }),
        );
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|settings| settings.most_height_px = 3_000);
    let anchored = |path: &str, anchor: &str, record| CaptureRequest {
        anchor: Some(anchor.to_owned()),
        record,
        ..request(port, path)
    };
    let shot = browser.capture(anchored("/post", "comment-57", true)).await.expect("a picture");
    assert_eq!(shot.cut, Cut::Element);
    let cropped = pixels(&shot);
    assert_eq!(cropped.dimensions(), (664, 184));
    assert_eq!(bounds(&cropped, COLOUR), None, "nothing of ours is on the cropped picture");
    let whole = shot.whole_page.expect("the whole page too").expect("taken");
    let picture = image::load_from_memory(&whole.png).expect("a PNG").into_rgb8();
    assert_eq!(picture.dimensions(), (whole.width_px, whole.height_px));
    assert_eq!((whole.width_px, whole.height_px), (1280, 40 + 900 + 120 + 700));
    assert_eq!(picture.get_pixel(640, 20).0, [0, 170, 0], "the head stands at the top");
    // The frame lies around the element where the element is, and covers nothing of it.
    let red = bounds(&picture, RED).expect("the element");
    assert_eq!(red, (100, 940, 699, 1_059));
    let n_red = picture.pixels().filter(|dot| dot.0 == RED).count();
    assert_eq!(n_red, 600 * 120);
    let (left, top, right, bottom) = bounds(&picture, COLOUR).expect("a frame");
    assert!(left < 100 && top < 940 && right > 699 && bottom > 1_059);
    assert!(left + REACH > 100 && top + REACH > 940 && right < 699 + REACH);
    for words in ["Ramen runt inlägget är ritad av Uppsikt", "1280 × 1760 bildpunkter"] {
        assert!(whole.method.contains(words), "{words}: {}", whole.method);
    }
    assert!(!shot.method.contains("Ramen"), "{}", shot.method);
    // Neither the page nor the record of it knows anything of that.
    assert_eq!(touched.load(Ordering::SeqCst), 1, "changes to the page but its own");
    let archive = shot.archive.expect("asked for").expect("recorded");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&archive.wacz)).expect("a zip");
    let mut packed = Vec::new();
    let mut file = zip.by_name("archive/data.warc.gz").expect("a file");
    std::io::Read::read_to_end(&mut file, &mut packed).expect("read");
    let mut records = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(packed.as_slice());
    std::io::Read::read_to_end(&mut reader, &mut records).expect("unpacked");
    let is_as_sent = memchr::memmem::find(&records, WATCHED.as_bytes()).is_some();
    assert!(is_as_sent, "the page as the server sent it, byte for byte");

    // Where the picture ends above the element there is no frame, and both are said.
    let shot = browser.capture(anchored("/tall", "comment-9", false)).await.expect("a picture");
    assert_eq!(shot.cut, Cut::Element);
    assert_eq!(bounds(&pixels(&shot), RED), Some((0, 32, 599, 151)));
    let whole = shot.whole_page.expect("the whole page too").expect("taken");
    assert_eq!((whole.height_px, whole.frame), (3_000, None));
    for words in ["Sidan är 4120 bildpunkter hög", "Ingen ram är ritad"] {
        assert!(whole.method.contains(words), "{words}: {}", whole.method);
    }
    let picture = image::load_from_memory(&whole.png).expect("a PNG").into_rgb8();
    assert_eq!(bounds(&picture, COLOUR), None);

    // Where the element is not found the picture is of the whole page already.
    let shot = browser.capture(anchored("/tall", "comment-8", false)).await.expect("a picture");
    assert!(shot.whole_page.is_none() && shot.cut == Cut::ElementMissing);
    browser.stop().await;
    assert_gone(profiles.path()).await;
}

/// Whether the log has such a call.
fn has(log: &PageLog, address: &str, resource: Option<Resource>, reason: StopReason) -> bool {
    log.stopped.iter().any(|call| {
        call.address == address
            && resource.is_none_or(|resource| call.resource == resource)
            && call.reason == reason
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_page_was_refused_and_what_it_complained_of_is_told() {
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hits);
    let inside = Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { "inne" }
    });
    let inside = serve("127.0.0.2", inside).await;
    let html = format!(
        r#"<!doctype html><title>Sidan</title><body>
<img src="/finns.png">
<img src="http://127.0.0.2:{inside}/kamera.png?token=hemligt&amp;bild=1">
<img src="http://127.0.0.2:{inside}/kamera.png?token=annat&amp;bild=1">
<img src="file:///etc/passwd"><iframe src="file:///etc/hostname"></iframe>
<iframe src="http://127.0.0.2:{inside}/ram"></iframe>
<img src="http://finns-inte.invalid/x.png">
<iframe src="/fil"></iframe>
<script>
console.error("det gick fel", {{a: 1}}, "http://a.example/?sig=hemligt"); console.warn("akta"); console.log("tyst");
fetch("/tyst"); new WebSocket("ws://127.0.0.2:{inside}/ws");
throw new Error("kastat");
</script>"#
    );
    let app = Router::new()
        .route("/sida", get(move || async move { Html(html) }))
        .route("/finns.png", get(|| async { StatusCode::FORBIDDEN }))
        .route("/tyst", get(std::future::pending::<&'static str>))
        .route(
            "/fil",
            get(|| async {
                ([(header::CONTENT_DISPOSITION, "attachment; filename=a.bin")], "data")
            }),
        );
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|_| {});
    let log = browser.capture(request(port, "/sida")).await.expect("a picture").log;
    assert_eq!(hits.load(Ordering::SeqCst), 0, "the other host was reached");
    let host = format!("http://127.0.0.2:{inside}");
    let camera = format!("{host}/kamera.png?token=%E2%80%A2%E2%80%A2%E2%80%A2&bild=1");
    for (address, resource, reason) in [
        (camera.as_str(), Some(Resource::Image), StopReason::PrivateAddress),
        (&format!("{host}/ram"), None, StopReason::PrivateAddress),
        (
            &format!("ws://127.0.0.2:{inside}/ws"),
            Some(Resource::Socket),
            StopReason::PrivateAddress,
        ),
        ("file:///etc/passwd", None, StopReason::Scheme),
        ("file:///etc/hostname", None, StopReason::Scheme),
        ("http://finns-inte.invalid/x.png", Some(Resource::Image), StopReason::UnknownHost),
        (&format!("http://127.0.0.1:{port}/fil"), Some(Resource::Download), StopReason::Download),
        (&format!("http://127.0.0.1:{port}/tyst"), Some(Resource::Data), StopReason::Time),
    ] {
        assert!(has(&log, address, resource, reason), "{address} {reason:?} in {:#?}", log.stopped);
    }
    let files = log.stopped.iter().filter(|call| call.address == "file:///etc/passwd");
    assert_eq!(files.count(), 1, "{:#?}", log.stopped);
    let camera = log.stopped.iter().find(|call| call.address == camera).expect("above");
    assert_eq!(camera.times, 2);
    let refused = log.stopped.iter().any(|call| call.address.ends_with("finns.png"));
    assert!(!refused, "what the server itself refuses is an answer: {:#?}", log.stopped);
    let said = |level, words: &str| {
        log.console.iter().any(|line| line.level == level && line.text.contains(words))
    };
    assert!(
        said(ConsoleLevel::Error, "det gick fel Object http://a.example/?sig=%E2%80%A2"),
        "{:#?}",
        log.console
    );
    assert!(said(ConsoleLevel::Warning, "akta") && said(ConsoleLevel::Error, "Error: kastat"));
    assert!(!said(ConsoleLevel::Error, "tyst"), "{:#?}", log.console);
    let all = serde_json::to_string(&log).expect("JSON");
    assert!(!all.contains("hemligt") && !all.contains("annat&"), "{all}");
    // The next page begins with a log of its own.
    let app = Router::new().route("/", get(|| async { Html("<title>Ren</title><p>Hej") }));
    let port = serve("127.0.0.1", app).await;
    let shot = browser.capture(request(port, "/")).await.expect("a picture");
    assert_eq!(shot.log.stopped, [], "{:?}", shot.log);
    browser.stop().await;
    assert_gone(profiles.path()).await;
}
