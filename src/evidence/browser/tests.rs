//! Against a server of our own on the loopback interface, with the real Chromium.

mod over;
mod whole_page;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect};
use axum::routing::get;

use super::address::AddressError;
use super::*;
use crate::runtime::clock::TestClock;

const RED: [u8; 3] = [200, 0, 0];

/// A comment in a colour that nothing else on the page has.
const PAGE: &str = r#"<!doctype html><html lang="sv"><head><title>Nytt badhus</title></head>
<body style="margin:0;background:#fff"><div style="height:2400px">Inlägget</div>
<div id="comment-57" style="background:rgb(200,0,0);width:600px;height:120px">Kommentaren</div>
<div style="height:1500px"></div></body></html>"#;

/// A server that is there until the test's runtime ends.
async fn serve(host: &str, app: Router) -> u16 {
    let listener = tokio::net::TcpListener::bind((host, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

struct Fixture {
    browser: Browser,
    profiles: tempfile::TempDir,
}

fn browser(change: impl FnOnce(&mut BrowserSettings)) -> Fixture {
    let profiles = tempfile::tempdir().expect("a folder");
    // As the machine's own folder for passing things: where we are root, Chromium is somebody else.
    let open = std::fs::Permissions::from_mode(0o1777);
    std::fs::set_permissions(profiles.path(), open).expect("permissions");
    let mut settings = BrowserSettings {
        profiles: Some(profiles.path().to_owned()),
        ..BrowserSettings::default()
    };
    change(&mut settings);
    let clock = TestClock::at("2026-04-03T12:00:00Z".parse().expect("an instant")).clock();
    let browser = Browser::new(settings, clock);
    if let Err(error) = browser.executable() {
        panic!("these tests need Chromium, on Debian `apt-get install chromium`: {error}");
    }
    Fixture { browser, profiles }
}

fn request(port: u16, path: &str) -> CaptureRequest {
    CaptureRequest {
        url: format!("http://127.0.0.1:{port}{path}"),
        anchor: None,
        allow_private: true,
        leave: PictureLeave::for_test(),
        record: false,
    }
}

fn pixels(shot: &Screenshot) -> image::RgbImage {
    let picture = image::load_from_memory(&shot.png).expect("a PNG").into_rgb8();
    assert_eq!(picture.dimensions(), (shot.width_px, shot.height_px));
    picture
}

/// Processes that have the folder on their command line.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("a plain path");
    std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(Result::ok)
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(folder))
        .collect()
}

/// Kills all processes that have the folder on their command line, as the system does where memory is short, and says
/// how many these were.
fn kill_all_of(folder: &Path) -> usize {
    let folder = folder.to_str().expect("a plain path");
    let of_it = |entry: &std::fs::DirEntry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(folder))
    };
    let all = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok).filter(of_it);
    let numbers: Vec<_> = all.map(|entry| entry.file_name()).collect();
    let shell = ["-c", "kill -KILL \"$@\"", "sh"];
    let killed = std::process::Command::new("sh").args(shell).args(&numbers).output();
    assert!(killed.is_ok(), "a shell runs");
    numbers.len()
}

/// Users of the processes that have the folder on their command line.
fn users_of(folder: &Path) -> Vec<u32> {
    let folder = folder.to_str().expect("a plain path");
    let of_it = |entry: &std::fs::DirEntry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(folder))
    };
    let all = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok).filter(of_it);
    let told = all.filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok());
    let users = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.to_owned();
        line.split_whitespace().next()?.parse().ok()
    };
    told.filter_map(users).collect()
}

/// Waits until nothing of the browser is left, neither processes nor files.
async fn assert_gone(folder: &Path) {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let left = processes_of(folder);
        let files = std::fs::read_dir(folder).expect("the folder").count();
        if left.is_empty() && files == 0 {
            return;
        }
        assert!(Instant::now() < patience, "{files} profiles left, processes: {left:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_taken_whole_or_cut_to_a_comment() {
    let app = Router::new().route("/post", get(|| async { Html(PAGE) })).route(
        "/borta",
        get(|| async { (StatusCode::GONE, Html("<title>Borta</title><p>Sidan är borttagen")) }),
    );
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|_| {});

    let whole = browser.capture(request(port, "/post")).await.expect("a picture");
    assert_eq!(whole.cut, Cut::WholePage);
    assert_eq!((whole.width_px, whole.height_px), (1280, 4020));
    assert_eq!(whole.title.as_deref(), Some("Nytt badhus"));
    assert_eq!(whole.http_status, Some(200));
    assert_eq!(whole.final_url, format!("http://127.0.0.1:{port}/post"));
    assert_eq!(whole.taken_at.to_string(), "2026-04-03T12:00:00Z");
    for words in ["Chrom", "1280 × 900", "Europe/Stockholm", "sv-SE", "Hela sidan"] {
        assert!(whole.method.contains(words), "{words}: {}", whole.method);
    }
    let users = users_of(profiles.path());
    assert!(!users.is_empty() && users.iter().all(|user| *user != 0), "as root: {users:?}");
    // What lies below the window is there too.
    assert_eq!(pixels(&whole).get_pixel(300, 2460).0, RED);

    let anchor = Some("comment-57".to_owned());
    let cut = browser
        .capture(CaptureRequest { anchor: anchor.clone(), ..request(port, "/post") })
        .await
        .expect("a picture");
    assert_eq!(cut.cut, Cut::Element);
    assert_eq!((cut.width_px, cut.height_px), (632, 184));
    assert_eq!(pixels(&cut).get_pixel(300, 92).0, RED);
    assert_eq!(pixels(&cut).get_pixel(620, 10).0, [255, 255, 255], "the margin");

    let missing = browser
        .capture(CaptureRequest {
            anchor: Some("comment-58\"]);alert(1)//".to_owned()),
            ..request(port, "/post")
        })
        .await
        .expect("a picture");
    assert_eq!(missing.cut, Cut::ElementMissing);
    assert_eq!(missing.height_px, 4020);
    assert!(missing.method.contains("hittades inte"), "{}", missing.method);

    let gone = browser
        .capture(CaptureRequest { anchor, ..request(port, "/borta") })
        .await
        .expect("a picture");
    assert_eq!((gone.http_status, gone.cut), (Some(410), Cut::ElementMissing));

    browser.stop().await;
    assert_gone(profiles.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_hosts_are_reached_only_where_allowed() {
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hits);
    let inner = Router::new().fallback(move || {
        let counted = Arc::clone(&counted);
        async move {
            counted.fetch_add(1, Ordering::SeqCst);
            "hemligt"
        }
    });
    // Another host on this machine stands for the rest of the private network.
    let inner = serve("127.0.0.2", inner).await;
    let page = format!(
        "<title>Sida</title><img src=http://127.0.0.2:{inner}/bild>\
         <iframe src=http://127.0.0.2:{inner}/ram></iframe>\
         <script>fetch('http://127.0.0.2:{inner}/hamta',{{mode:'no-cors'}}).catch(()=>0);\
         new WebSocket('ws://127.0.0.2:{inner}/ws')</script>"
    );
    let to = format!("http://127.0.0.2:{inner}/");
    let script = format!("<script>location.replace('{to}')</script>");
    let app = Router::new()
        .route("/sida", get(move || async move { Html(page) }))
        .route("/vidare", get(move || async move { Redirect::temporary(&to) }))
        .route("/skript", get(move || async move { Html(script) }));
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|_| {});

    let closed = CaptureRequest { allow_private: false, ..request(port, "/sida") };
    let error = browser.capture(closed).await.expect_err("refused");
    assert!(matches!(&error, CaptureError::Private { host } if host == "127.0.0.1"), "{error:?}");
    assert!(error.swedish().contains("privat nät"));

    let shot = browser.capture(request(port, "/sida")).await.expect("the page itself is allowed");
    assert_eq!(shot.title.as_deref(), Some("Sida"));
    for path in ["/vidare", "/skript"] {
        let error = browser.capture(request(port, path)).await.expect_err("led astray");
        let private = matches!(&error, CaptureError::Private { host } if host == "127.0.0.2");
        assert!(private, "{path}: {error:?}");
    }
    assert_eq!(hits.load(Ordering::SeqCst), 0, "the other host was reached");

    let unknown =
        CaptureRequest { url: "http://finns-inte.invalid/".to_owned(), ..request(port, "") };
    let error = browser.capture(unknown).await.expect_err("no such host");
    assert!(matches!(error, CaptureError::Address(AddressError::UnknownHost)), "{error:?}");
    for url in ["file:///etc/passwd", "data:text/html,hej", "chrome://version", "inte en adress"] {
        let request = CaptureRequest {
            url: url.to_owned(),
            anchor: None,
            allow_private: true,
            leave: PictureLeave::for_test(),
            record: false,
        };
        let error = browser.capture(request).await.expect_err("refused");
        assert!(matches!(error, CaptureError::Address(_)), "{url}: {error:?}");
    }
    browser.stop().await;
    assert_gone(profiles.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialogs_downloads_and_endless_pages_do_not_hold_it_up() {
    let cookies = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&cookies);
    let app = Router::new()
        .route(
            "/fragor",
            get(|| async {
                Html(
                    "<title>Fråga</title><script>alert(1);confirm(2);prompt(3);\
                      onbeforeunload=()=>'kvar?';window.open('/ny')</script><p>Hej",
                )
            }),
        )
        .route(
            "/fil",
            get(|| async {
                ([(header::CONTENT_DISPOSITION, "attachment; filename=a.bin")], "data")
            }),
        )
        .route(
            "/kaka",
            get(move |headers: HeaderMap| {
                if headers.contains_key(header::COOKIE) {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
                async {
                    ([(header::SET_COOKIE, "kaka=1; Max-Age=9999")], Html("<p>Kaka"))
                        .into_response()
                }
            }),
        )
        .route(
            "/spegel",
            get(|headers: HeaderMap| async move {
                let language = headers.get(header::ACCEPT_LANGUAGE).map(|v| format!("{v:?}"));
                let language = language.unwrap_or_default().replace('"', "");
                Html(format!(
                    "<script>document.title = '{language}|' + navigator.language + '|' + \
                     Intl.DateTimeFormat().resolvedOptions().timeZone</script>"
                ))
            }),
        )
        .route("/tyst", get(std::future::pending::<&'static str>))
        .route("/halv", get(|| async { Html("<title>Halv</title><p>Text<img src=/tyst>") }));
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|settings| {
        settings.load_limit = Duration::from_secs(3);
        settings.capture_limit = Duration::from_secs(12);
    });

    let shot = browser.capture(request(port, "/fragor")).await.expect("a picture");
    assert_eq!(shot.title.as_deref(), Some("Fråga"));

    let error = browser.capture(request(port, "/fil")).await.expect_err("a download");
    assert!(matches!(error, CaptureError::Unreachable { .. }), "{error:?}");

    for _ in 0..2 {
        browser.capture(request(port, "/kaka")).await.expect("a picture");
    }
    assert_eq!(cookies.load(Ordering::SeqCst), 0, "a cookie outlived its page");

    let shot = browser.capture(request(port, "/spegel")).await.expect("a picture");
    let seen = shot.title.expect("a title");
    assert!(seen.starts_with("sv-SE,sv"), "Accept-Language: {seen}");
    assert!(seen.ends_with("|sv-SE|Europe/Stockholm"), "{seen}");

    let shot = browser.capture(request(port, "/halv")).await.expect("a picture");
    assert!(shot.method.contains("inte färdigladdad"), "{}", shot.method);
    assert_eq!(shot.title.as_deref(), Some("Halv"));

    browser.stop().await;
    assert_gone(profiles.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_takes_too_long_is_replaced() {
    let app = Router::new()
        .route("/tyst", get(std::future::pending::<&'static str>))
        .route("/post", get(|| async { Html(PAGE) }));
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|settings| {
        settings.capture_limit = Duration::from_secs(6);
        settings.pages_per_process = 1;
    });
    let error = browser.capture(request(port, "/tyst")).await.expect_err("no answer");
    assert!(matches!(error, CaptureError::TimedOut { .. }), "{error:?}");
    assert!(error.swedish().contains("6 sekunder"));
    assert_gone(profiles.path()).await;

    // One page for each process, so each picture comes from a new one.
    let mut profile_names = Vec::new();
    for _ in 0..2 {
        browser.capture(request(port, "/post")).await.expect("a picture");
        let names: Vec<_> = std::fs::read_dir(profiles.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names.len(), 1, "the old profile is gone");
        profile_names.extend(names);
    }
    assert_ne!(profile_names[0], profile_names[1]);

    // Without a word of goodbye.
    drop(browser);
    assert_gone(profiles.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_is_killed_at_any_moment_is_told_at_once_and_replaced() {
    // The picture waits for this one, so that there is time to be killed in.
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(900)).await;
        StatusCode::NOT_FOUND
    };
    let page = format!("{PAGE}<img src='/bild'>");
    let app = Router::new()
        .route("/bild", get(slow))
        .route("/post", get(move || async move { Html(page) }));
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|_| {});
    browser.capture(request(port, "/post")).await.expect("a picture");
    for delay in [0, 60, 250, 600] {
        let killer = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            kill_all_of(profiles.path())
        };
        let began = Instant::now();
        let (captured, killed) = tokio::join!(browser.capture(request(port, "/post")), killer);
        assert!(killed > 0, "nothing was there to kill after {delay} ms");
        let error = captured.expect_err("no picture without a browser");
        assert!(matches!(error, CaptureError::Browser(_)), "after {delay} ms: {error:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{delay}: {:?}", began.elapsed());
        browser.capture(request(port, "/post")).await.expect("a picture, by a new browser");
    }
    browser.stop().await;
    assert_gone(profiles.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_that_were_left_behind_go_and_those_in_use_stay() {
    let app = Router::new().route("/post", get(|| async { Html(PAGE) }));
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|_| {});
    let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(7200);
    let [left, used, other] = ["uppsikt-webb-kvar", "uppsikt-webb-brukad", "annan"].map(|name| {
        let folder = profiles.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("fil"), "x").expect("a file");
        let opened = std::fs::File::open(&folder).expect("it opens");
        opened.set_modified(long_ago).expect("an old folder");
        folder
    });
    let mut user = std::process::Command::new("sh")
        .args(["-c", "read -r _", "sh"])
        .arg(&used)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("a shell runs");
    browser.capture(request(port, "/post")).await.expect("a picture");
    assert!(!left.exists() && used.exists() && other.exists());
    browser.stop().await;
    drop(user.stdin.take());
    user.wait().expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_that_is_given_up_leaves_no_page_running() {
    let beats = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&beats);
    let beat = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { "slag" }
    };
    let page =
        r#"<!doctype html><script>setInterval(() => fetch("/slag"), 50)</script><img src="/tyst">"#;
    let app = Router::new()
        .route("/slag", get(beat))
        .route("/tyst", get(std::future::pending::<&'static str>))
        .route("/sida", get(move || async move { Html(page) }))
        .route("/post", get(|| async { Html(PAGE) }));
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|_| {});
    browser.capture(request(port, "/post")).await.expect("a picture");
    let hostile = browser.capture(request(port, "/sida"));
    let given_up = tokio::time::timeout(Duration::from_secs(5), hostile).await;
    assert!(given_up.is_err(), "the page never ends loading");
    assert!(beats.load(Ordering::Relaxed) > 0, "its script runs");
    assert_gone(profiles.path()).await;
    let before = beats.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(beats.load(Ordering::Relaxed), before, "the script runs on");
    browser.capture(request(port, "/post")).await.expect("a picture, by a new browser");
    browser.stop().await;
    assert_gone(profiles.path()).await;
}

#[tokio::test]
async fn without_chromium_the_error_names_the_places() {
    let settings =
        BrowserSettings { executable: Some("/finns/inte".into()), ..BrowserSettings::default() };
    let clock = TestClock::at("2026-04-03T12:00:00Z".parse().expect("an instant")).clock();
    let browser = Browser::new(settings, clock);
    let error = browser.capture(request(1, "/")).await.expect_err("no browser");
    assert!(matches!(&error, CaptureError::NoBrowser { looked_at } if looked_at.len() == 1));
    assert_eq!(error.swedish(), "Chromium är inte installerat på servern (sökte på /finns/inte).");
}

#[tokio::test]
async fn a_program_that_is_no_chromium_is_told_as_such() {
    let settings =
        BrowserSettings { executable: Some("/bin/true".into()), ..BrowserSettings::default() };
    let clock = TestClock::at("2026-04-03T12:00:00Z".parse().expect("an instant")).clock();
    let error = Browser::new(settings, clock).capture(request(1, "/")).await.expect_err("no start");
    assert!(matches!(error, CaptureError::Start(_)), "{error:?}");
}

/// Kept where `tests/check-wacz.sh` holds it against tools that are not ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_page_loads_is_kept_as_a_web_archive_without_its_secrets() {
    const HTML: &str = r#"<!doctype html><html lang="sv"><head><title>Nytt badhus</title>
<link rel="stylesheet" href="/stil.css"><link rel="stylesheet" href="/stor.css"></head><body><h1>Nytt badhus</h1><img src="/bild.png" alt="">
<video src="/film.webm" preload="auto"></video>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="">
<script>fetch('/skicka', {method: 'POST', body: 'x'}); fetch('/text.json');</script></body></html>"#;
    let mut png = std::io::Cursor::new(Vec::new());
    let dot = image::RgbImage::from_pixel(8, 8, image::Rgb(RED));
    dot.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    let png = png.into_inner();
    let picture = png.clone();
    let app = Router::new()
        .route("/", get(|| async { Redirect::temporary("/sida?a=1") }))
        .route("/sida", get(|| async { ([(header::SET_COOKIE, "hemlighet=kaka")], Html(HTML)) }))
        .route(
            "/stil.css",
            get(|| async { ([(header::CONTENT_TYPE, "text/css")], "h1{color:red}") }),
        )
        .route(
            "/bild.png",
            get(move || async move { ([(header::CONTENT_TYPE, "image/png")], picture) }),
        )
        .route(
            "/stor.css",
            get(|| async { ([(header::CONTENT_TYPE, "text/css")], " ".repeat(5_500_000)) }),
        )
        .route("/film.webm", get(|| async { ([(header::CONTENT_TYPE, "video/webm")], "film") }))
        .route("/text.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], "{}") }))
        .route("/skicka", axum::routing::post(|| async { "mottaget" }));
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|_| {});
    let shot = browser
        .capture(CaptureRequest { record: true, ..request(port, "/") })
        .await
        .expect("a picture");
    let archive = shot.archive.expect("asked for").expect("recorded");
    for words in ["Chrom", "filer över 5 MB (1)", "svar på vad sidans skript skickade (1)"] {
        assert!(archive.method.contains(words), "{words}: {}", archive.method);
    }
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&archive.wacz)).expect("a zip");
    let mut read = |name: &str| {
        let mut bytes = Vec::new();
        let mut file = zip.by_name(name).expect("a file");
        std::io::Read::read_to_end(&mut file, &mut bytes).expect("read");
        bytes
    };
    let unpacked = |packed: &[u8]| {
        let mut bytes = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(packed);
        std::io::Read::read_to_end(&mut reader, &mut bytes).expect("unpacked");
        bytes
    };
    let index = String::from_utf8(unpacked(&read("indexes/index.cdx.gz"))).expect("text");
    let mut found: Vec<_> = index
        .lines()
        .filter_map(|line| serde_json::from_str(line.splitn(3, ' ').nth(2)?).ok())
        .map(|said: serde_json::Value| {
            let url = said["url"].as_str().unwrap_or_default().to_owned();
            let path = url.split_once(&format!(":{port}")).map(|(_, path)| path.to_owned());
            format!("{} {}", said["status"].as_str().unwrap_or_default(), path.unwrap_or(url))
        })
        .filter(|line| !line.contains("favicon"))
        .collect();
    found.sort();
    let expected = ["200 /bild.png", "200 /sida?a=1", "200 /stil.css", "200 /text.json", "307 /"];
    assert_eq!(found, expected);
    let records = unpacked(&read("archive/data.warc.gz"));
    let text = String::from_utf8_lossy(&records);
    assert!(!text.contains("hemlighet") && text.contains("h1{color:red}"));
    assert!(memchr::memmem::find(&records, &png).is_some(), "the picture, byte for byte");
    let pages = String::from_utf8(read("pages/pages.jsonl")).expect("text");
    assert!(pages.contains("/sida?a=1") && pages.contains("Nytt badhus"), "{pages}");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/wacz-check");
    std::fs::create_dir_all(&kept).expect("a folder");
    std::fs::write(kept.join("sida.wacz"), &archive.wacz).expect("kept");
    browser.stop().await;
    assert_gone(profiles.path()).await;
}

/// `cargo test --lib -- --ignored --nocapture how_long`: what recording adds to a picture of a page with forty files, and
/// what the picture of the whole page adds to one of an element.
#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_a_picture_takes_with_and_without_the_archive() {
    let pictures: String = (0..40).map(|n| format!(r#"<img src="/bild/{n}" alt="">"#)).collect();
    let html = format!(
        r#"<!doctype html><title>Sidan</title>{pictures}<p id="c1" style="height:120px">Hej</p>"#
    );
    let mut png = std::io::Cursor::new(Vec::new());
    let noise = image::RgbImage::from_fn(200, 200, |x, y| {
        image::Rgb([(x * 31 + y * 17) as u8, (x * y) as u8, (x ^ y) as u8])
    });
    noise.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    let png = png.into_inner();
    let app = Router::new().route("/", get(move || async move { Html(html) })).route(
        "/bild/{n}",
        get(move || async move { ([(header::CONTENT_TYPE, "image/png")], png) }),
    );
    let port = serve("127.0.0.1", app).await;
    // The folder goes with its guard.
    let Fixture { browser, profiles: _kept } =
        browser(|settings| settings.pages_per_process = 1_000);
    browser.capture(request(port, "/")).await.expect("a warm browser");
    let mut p95 = Vec::new();
    let kinds = [(false, None), (true, None), (true, Some("c1"))];
    for (record, anchor) in kinds.into_iter().chain(kinds) {
        let mut took = Vec::new();
        for _ in 0..20 {
            let begun = Instant::now();
            let anchor = anchor.map(str::to_owned);
            let wanted = CaptureRequest { record, anchor, ..request(port, "/") };
            browser.capture(wanted).await.expect("one");
            took.push(begun.elapsed());
        }
        took.sort();
        println!("record {record}, {anchor:?}: median {:?}, p95 {:?}", took[10], took[18]);
        p95.push(took[18]);
    }
    browser.stop().await;
    assert!(p95.iter().all(|took| *took < Duration::from_secs(3)), "{p95:?}");
}

#[tokio::test]
async fn media_that_may_not_be_copied_are_loaded_by_no_page_and_by_no_frame_on_it() {
    let asked = Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let heard = Arc::clone(&asked);
    let picture = move |uri: axum::http::Uri| {
        heard.lock().unwrap().push(uri.to_string());
        async {
            ([(header::CONTENT_TYPE, "image/svg+xml")], "<svg xmlns='http://www.w3.org/2000/svg'/>")
        }
    };
    let frame =
        r#"<img src="/media/sp%C3%A4rrad(1).svg?signed=3"><img src="/media/fri.svg?frame">"#;
    let app = Router::new()
        .route("/media/{name}", get(picture))
        .route("/ram", get(move || async move { Html(frame) }));
    let port = serve("127.0.0.1", app.clone()).await;
    let page = format!(
        r#"<img src="/media/sp%C3%A4rrad(1).svg?signed=2"><img src="/media/fri.svg?page">
           <img src="/media/sp%C3%A4%72rad%281%29.svg?signed=4">
           <iframe src="/ram"></iframe><iframe src="http://localhost:{port}/ram"></iframe>"#
    );
    let app = app.route("/sida", get(move || async move { Html(page) }));
    let own = serve("127.0.0.1", app).await;
    let barred = vec![
        format!("http://127.0.0.1:{own}/media/spärrad(1).svg?signed=1"),
        format!("http://localhost:{port}/media/spärrad(1).svg"),
        "inte en adress".to_owned(),
        "data:image/png;base64,AA".to_owned(),
    ];
    let fixture = browser(|_| {});
    let leave = PictureLeave::for_test_barring(barred);
    fixture.browser.capture(CaptureRequest { leave, ..request(own, "/sida") }).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    assert!(asked.contains(&"/media/fri.svg?page".to_owned()), "{asked:?}");
    assert!(asked.contains(&"/media/fri.svg?frame".to_owned()), "{asked:?}");
    assert!(asked.iter().all(|uri| uri.starts_with("/media/fri.svg")), "{asked:?}");
    fixture.browser.stop().await;
}
