use rayon::prelude::*;

use super::*;
use crate::domain::account::PlatformKind;
use crate::domain::category::{Category, Severity};
use crate::domain::evidence::{
    EmbeddedFile, FullPage, Manifest, MissingPart, Part, PartKind, Thread, ThreadItem,
};
use crate::domain::ids::{AccountKey, ContentHash, LexiconVersion, PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, FetchedPost, ItemKind, Permalink, PermalinkSource, Presence,
};
use crate::domain::page_log::{PageLog, Resource, StopReason, StoppedCall};
use crate::domain::verdict::{Finding, Span, Verdict};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().expect("an instant")
}

/// A sheet with everything on it, around `text`.
fn content(text: &str) -> SheetContent {
    SheetContent {
        secrecy: None,
        embedded: Vec::new(),
        authority: "Exempelstads kommun".to_owned(),
        account_name: "Exempelstad på nätet".to_owned(),
        platform_name: "WordPress".to_owned(),
        simulated: false,
        manifest: Manifest {
            format: 1,
            account: AccountKey::new("blogg"),
            platform: "wordpress".to_owned(),
            simulated: false,
            item: PlatformItemId::new("4711"),
            version: 2,
            content_sha256: ContentHash::of(text.as_bytes()),
            kind: ItemKind::Comment,
            author: Author {
                platform_id: Some("u-17".to_owned()),
                name: Some("Kim Exempel".to_owned()),
                handle: Some("@kim.exempel".to_owned()),
                url: Some("https://blogg.exempelstad.example/kim".to_owned()),
            },
            created_raw: Some("2026-04-03T14:05:09+02:00".to_owned()),
            created_at: Some(at("2026-04-03T12:05:09Z")),
            edited_at: None,
            fetched_at: at("2026-04-03T12:06:00Z"),
            sealed_at: at("2026-04-03T12:06:07Z"),
            presence: Presence::Visible,
            permalink: Some(Permalink {
                url: "https://blogg.exempelstad.example/2026/04/nytt-badhus/#comment-4711"
                    .to_owned(),
                source: PermalinkSource::Given,
            }),
            attachments: vec![Attachment {
                kind: "photo".to_owned(),
                url: Some("https://blogg.exempelstad.example/bild.jpg".to_owned()),
                media_type: Some("image/jpeg".to_owned()),
                name: None,
            }],
            verdict: Some(Verdict {
                lexicon: LexiconVersion::new("3f9a0c1d2e"),
                findings: vec![Finding {
                    category: Category::Threat,
                    severity: Severity::High,
                    rule: "hot.doda-dig".into(),
                    spans: vec![Span { start: 0, end: 3 }],
                    why: "Texten säger att mottagaren ska skadas.".into(),
                    legal: "1998:112 5 § 1 a; BrB 4:5".into(),
                    mark: None,
                }],
            }),
            parts: Vec::new(),
            missing: vec![MissingPart {
                kind: PartKind::Screenshot,
                reason: "Sidan kräver inloggning.".to_owned(),
            }],
            beside: None,
            sealed_by: "Uppsikt 0.1.0".to_owned(),
            earlier: None,
            read_before: None,
            sheet_is_blurred: false,
        },
        text: text.to_owned(),
        thread: Thread {
            post: Some(FetchedPost {
                published_by: None,
                platform_id: PlatformPostId::new("12"),
                title: Some("Nytt badhus".to_owned()),
                text: "Nu börjar vi bygga.\nInvigning nästa år.".to_owned(),
                created_at: Some(at("2026-04-02T08:00:00Z")),
                permalink: None,
            }),
            above: vec![ThreadItem {
                platform_id: PlatformItemId::new("4710"),
                author: Author { name: Some("Robin Påhitt".to_owned()), ..Author::default() },
                text: "Vad kostar det?".to_owned(),
                created_at: Some(at("2026-04-03T11:00:00Z")),
                answers: None,
            }],
            missing: vec!["4709".to_owned()],
            below: Vec::new(),
            below_left_out: 0,
        },
        screenshot_png: None,
        full_page: None,
        page_log: None,
        pictures: Vec::new(),
    }
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let content = content("Jag ska döda dig.\n\nHälsar Kim 👍🏽");
    let sheet = render(&content).expect("a sheet");
    assert_eq!(sheet, render(&content).expect("a sheet"));
    assert!(sheet.uncovered.is_empty());
    assert_eq!(sheet.pages_png.len(), 2);
}

/// One case of `fixtures/hostile/texts.json`.
#[derive(serde::Deserialize)]
struct Case {
    name: String,
    text: Option<String>,
    json: Option<String>,
    repeat: Option<Repeat>,
}

#[derive(serde::Deserialize)]
struct Repeat {
    unit: String,
    times: usize,
}

/// The cases that are text in Rust: those that are only JSON literals may hold lone surrogates.
fn hostile_texts() -> Vec<(String, String)> {
    let file = include_str!("../../../fixtures/hostile/texts.json");
    let cases: Vec<Case> = serde_json::from_str(file).expect("the fixture is JSON");
    assert!(cases.len() >= 120);
    cases
        .into_iter()
        .filter_map(|case| {
            let text = match (case.text, case.json, case.repeat) {
                (Some(text), None, None) => text,
                (None, Some(literal), None) => serde_json::from_str(&literal).ok()?,
                (None, None, Some(Repeat { unit, times })) => unit.repeat(times),
                _ => panic!("{}: one of text, json, repeat", case.name),
            };
            Some((case.name, text))
        })
        .collect()
}

/// A sheet without pictures of the page.
const NO_PICTURES: pictured::Pictures =
    pictured::Pictures { item: pictured::Picture::None, whole: pictured::Picture::None };

/// Lays a sheet out with every script allowed, writes it as PDF, and gives all its text.
fn laid_out(content: &SheetContent) -> (String, Vec<u8>) {
    let (job, _) = job(content, &NO_PICTURES, Vec::new(), shown::Repertoire::Fonts)
        .expect("the data can be written");
    let (ident, date) = (job.ident.clone(), job.date);
    let document = engine::lay_out(job).expect("a layout");
    let mut text = String::new();
    for page in document.pages() {
        text_of(&page.frame, &mut text);
    }
    let pdf =
        engine::write_pdf(&document, ident, date, typst_pdf::PdfStandard::A_2a).expect("PDF/A");
    typst::comemo::evict(1);
    (text, pdf)
}

fn text_of(frame: &typst::layout::Frame, text: &mut String) {
    use typst::layout::FrameItem;
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => text_of(&group.frame, text),
            FrameItem::Text(item) => text.push_str(&item.text),
            FrameItem::Shape(..)
            | FrameItem::Image(..)
            | FrameItem::Link(..)
            | FrameItem::Tag(_) => {}
        }
    }
}

fn counts(text: &str) -> std::collections::BTreeMap<char, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        *counts.entry(c).or_insert(0) += 1;
    }
    counts
}

#[test]
fn what_somebody_typed_in_is_never_called_the_platforms_word() {
    let letters = |content: &SheetContent| -> String {
        laid_out(content).0.chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let (fetched, mut typed) = (content("Hej"), content("Hej"));
    typed.manifest.platform = PlatformKind::Manual.id().to_owned();
    let by_platform = ["Plattformenssvarioriginal", "ärplattformens", "Skrivetenligtplattformen"];
    let by_hand = ["Inläggetärinlagtförhand", "Inlagtförhand", "OkändUppsiktharintesettinlägget"];
    let (fetched, typed) = (letters(&fetched), letters(&typed));
    for words in by_platform {
        assert_eq!((fetched.contains(words), typed.contains(words)), (true, false), "{words}");
    }
    for words in by_hand {
        assert_eq!((fetched.contains(words), typed.contains(words)), (false, true), "{words}");
    }
}

/// Texts of at most so many characters are tried several to a sheet, as answers in a thread.
const SHORT: usize = 1_000;
/// How many fit there.
const TO_A_SHEET: usize = 12;

/// Every hostile text gives a sheet, and every character that the sheet means to show of it is
/// really laid out, as itself or as its mark.
#[test]
fn every_hostile_text_gives_a_sheet_that_shows_it() {
    let (short, long): (Vec<_>, Vec<_>) =
        hostile_texts().into_iter().partition(|(_, text)| text.chars().count() <= SHORT);
    assert!(short.len() > 150 && long.len() > 15);
    let mut empty = content("");
    empty.thread = Thread::default();
    let rest: usize = counts(&laid_out(&empty).0).values().sum();
    let mut sheets: Vec<Vec<(String, String)>> =
        short.chunks(TO_A_SHEET).map(<[_]>::to_vec).collect();
    sheets.extend(long.into_iter().map(|case| vec![case]));
    sheets.into_par_iter().for_each(|cases| {
        let names: Vec<&str> = cases.iter().map(|(name, _)| name.as_str()).collect();
        let mut sheet = content("");
        sheet.thread = Thread::default();
        let mut expected = std::collections::BTreeMap::new();
        let mut show = shown::Preparer::new(fonts::fonts(), shown::Repertoire::Fonts);
        if let [(_, text)] = cases.as_slice() {
            sheet.text.clone_from(text);
            expected = counts(&show.show(text, data::TEXT_BUDGET).plain());
        } else {
            for (name, text) in &cases {
                sheet.thread.above.push(ThreadItem {
                    platform_id: PlatformItemId::new(name.clone()),
                    author: Author::default(),
                    text: text.clone(),
                    created_at: None,
                    answers: None,
                });
                let shown = show.show(text, 2_000);
                assert!(!shown.cut, "{name}");
                for (c, n) in counts(&shown.plain()) {
                    *expected.entry(c).or_insert(0) += n;
                }
            }
        }
        let (text, pdf) = laid_out(&sheet);
        assert!(pdf.starts_with(b"%PDF-1.7"), "{names:?}");
        let found = counts(&text);
        for (c, n) in expected {
            let found = found.get(&c).copied().unwrap_or(0);
            assert!(found >= n, "{names:?}: {c:?} {n} times, found {found}");
        }
        // The rest of the sheet is there too.
        assert!(found.values().sum::<usize>() >= rest, "{names:?}");
    });
}

/// Each of these would end or change the sheet if it were read as typst's markup or code.
#[test]
fn markup_in_texts_and_names_is_shown_literally() {
    let hostile = "#panic(\"x\") #read(\"/etc/passwd\") *fet* _kursiv_ $x^2$ @etikett <etikett> \\ `kod` // /* = - + ~ --- \"citat\" #[ ] } {";
    let mut sheet = content(hostile);
    sheet.authority = format!("A{hostile}");
    sheet.account_name = format!("B{hostile}");
    sheet.platform_name = format!("C{hostile}");
    sheet.manifest.author.name = Some(format!("D{hostile}"));
    sheet.manifest.missing[0].reason = format!("E{hostile}");
    let (text, _) = laid_out(&sheet);
    let squeezed = |text: &str| text.replace(char::is_whitespace, "");
    let (text, hostile) = (squeezed(&text), squeezed(hostile));
    for before in ["A", "B", "C", "D", "E", ""] {
        assert!(text.contains(&format!("{before}{hostile}")), "{before}");
    }
    assert!(text.contains(&format!("Texten{hostile}")));
}

#[test]
fn the_sheet_says_what_a_court_needs() {
    let (text, _) = laid_out(&content("Jag ska döda dig."));
    for words in [
        "Exempelstads kommun",
        "Bevisblad",
        "Kim Exempel",
        "3 april 2026 kl. 14.05.09 svensk tid (Europe/Stockholm, UTC+02:00)",
        "2026-04-03 12:05:09 UTC",
        "Som mottaget: 2026-04-03T14:05:09+02:00",
        "Plattformen anger ingen tid för ändring.",
        "synlig",
        "4711",
        "Jag ska döda dig.",
        "hot",
        "hög",
        "Texten säger att mottagaren ska skadas.",
        "1998:112 5 § 1 a; BrB 4:5",
        "Nu börjar vi bygga.",
        "Vad kostar det?",
        "Saknas i tråden: 4709",
        "image/jpeg",
        "Sidan kräver inloggning.",
        "sida 1 av 2",
        "sida 2 av 2",
    ] {
        assert!(text.contains(words), "{words}");
    }
    let hex = ContentHash::of("Jag ska döda dig.".as_bytes()).to_hex();
    assert!(text.replace(char::is_whitespace, "").contains(&hex), "the whole digest");
    assert!(!text.contains("SIMULERAD"));
}

#[test]
fn a_simulated_platform_is_said_loudly_on_every_page() {
    let mut sheet = content(&"rad\n".repeat(120));
    sheet.simulated = true;
    let (text, _) = laid_out(&sheet);
    let pages = text.matches(" av ").filter(|_| true).count();
    let bands = text.matches("SIMULERAD PLATTFORM – inte ett riktigt inlägg").count();
    assert!(pages >= 3 && bands >= 4, "{bands} bands");
}

#[test]
fn a_text_too_long_for_the_sheet_is_cut_with_a_clear_sentence() {
    let sheet = render(&content(&"Du är dum. ".repeat(10_000))).expect("a sheet");
    assert_eq!(sheet.pages_png.len(), engine::MOST_PAGES);
    let (text, _) = laid_out(&content(&"Du är dum. ".repeat(10_000)));
    assert!(text.contains("Här står de första 20\u{a0}000 av 110\u{a0}000 tecken."));
    assert!(text.contains("Hela texten finns i bevispaketet."));
}

#[test]
fn unknown_is_said_and_not_left_blank() {
    let mut sheet = content("");
    sheet.manifest.author = Author::default();
    sheet.manifest.created_at = None;
    sheet.manifest.created_raw = Some("i går".to_owned());
    sheet.manifest.permalink = None;
    sheet.manifest.presence = Presence::Unknown;
    sheet.manifest.verdict = None;
    sheet.manifest.attachments.clear();
    sheet.manifest.missing.clear();
    sheet.thread = Thread::default();
    let (text, _) = laid_out(&sheet);
    for words in [
        "Plattformen lämnar inga uppgifter om författaren.",
        "Tiden kunde inte tolkas.",
        "Som mottaget: i går",
        "Plattformen anger ingen länk till inlägget.",
        "okänt om den syns",
        "(Ingen text.)",
        "Ingen maskinell bedömning är gjord.",
        "Ingen tråd är känd ovanför inlägget.",
        "Plattformen anger inga bilagor.",
        "Ingenting uppges saknas.",
    ] {
        assert!(text.contains(words), "{words}");
    }
}

fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbaImage::from_fn(width, height, |x, y| {
        image::Rgba([(x % 251) as u8, (y % 241) as u8, 90, 200])
    })
    .write_to(&mut png, image::ImageFormat::Png)
    .expect("a picture");
    png.into_inner()
}

#[test]
fn a_long_screenshot_is_cut_into_numbered_strips() {
    let mut sheet = content("Hej");
    sheet.screenshot_png = Some(picture(1280, 4200));
    let rendered = render(&sheet).expect("a sheet");
    assert!(rendered.method.contains("5 sidor"), "{}", rendered.method);
    let (strips, files) = strips::cut(&picture(1280, 4200)).expect("strips");
    assert_eq!((strips.shown, strips.whole, files.len()), (3, 3, 3));
    assert_eq!(structure(&rendered.pdf).matches("/Subtype/Image").count(), 3);
}

#[test]
fn a_screenshot_that_is_none_is_said_and_does_not_stop_the_sheet() {
    let mut sheet = content("Hej");
    sheet.screenshot_png = Some(b"inte en bild".to_vec());
    let rendered = render(&sheet).expect("a sheet");
    assert_eq!(structure(&rendered.pdf).matches("/Subtype/Image").count(), 0);
}

/// The item, and the whole page it stands on: one colour each, so that they are found on the sheet.
fn with_pictures(is_blurred: bool) -> SheetContent {
    let mut sheet = content("Hej");
    let part = |kind: PartKind, name: &str| Part {
        kind,
        name: name.to_owned(),
        media_type: "image/png".to_owned(),
        sha256: ContentHash::of(name.as_bytes()),
        size_bytes: 1_000,
        captured_at: at("2026-04-03T12:06:05Z"),
        method: "Chromium 143.".to_owned(),
    };
    sheet.manifest.missing.clear();
    sheet.manifest.parts = vec![
        part(PartKind::Screenshot, "screenshot.png"),
        part(PartKind::FullPage, "hela-sidan.png"),
        part(PartKind::PageLog, "webbsida-logg.json"),
    ];
    sheet.manifest.sheet_is_blurred = is_blurred;
    sheet.screenshot_png = Some(lines(664, 184, RED));
    sheet.full_page = Some(FullPage { png: lines(1280, 4020, GREEN), is_framed: true });
    let call = StoppedCall {
        address: "http://10.0.0.1/hemlig".to_owned(),
        resource: Resource::Image,
        reason: StopReason::PrivateAddress,
        detail: None,
        times: 2,
    };
    sheet.page_log = Some(PageLog { stopped: vec![call], ..PageLog::default() });
    sheet
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];

/// White with a line of the colour every eight dots: what letters are. Blurred nothing is white or of the colour.
fn lines(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let dot = |x: u32, _| if x % 8 < 4 { image::Rgb(colour) } else { image::Rgb([255; 3]) };
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(width, height, dot);
    picture.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    png.into_inner()
}

/// How many dots of the sheet's pages are as good as of the colour.
fn dots_of(sheet: &RenderedSheet, colour: [u8; 3]) -> usize {
    let near = |dot: &image::Rgb<u8>| dot.0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 40);
    let count = |png: &Vec<u8>| {
        let page = image::load_from_memory(png).expect("a PNG").into_rgb8();
        page.pixels().filter(|dot| near(dot)).count()
    };
    sheet.pages_png.iter().map(count).sum()
}

#[test]
fn the_item_stands_first_and_the_whole_page_after_it_with_what_was_stopped() {
    let sheet = with_pictures(false);
    let rendered = render(&sheet).expect("a sheet");
    assert_eq!(structure(&rendered.pdf).matches("/Subtype/Image").count(), 2);
    assert_eq!(structure(&rendered.pdf).matches("/Alt").count(), 2);
    // Lines of the item are seen as such; of the page, which is drawn small, their mean.
    assert!(dots_of(&rendered, RED) > 20_000, "{}", dots_of(&rendered, RED));
    let last = rendered.pages_png.last().expect("pages");
    let page = image::load_from_memory(last).expect("a PNG").into_rgb8();
    let is_greenish = |dot: &&image::Rgb<u8>| dot.0[1] > 240 && dot.0[0] < 200 && dot.0[2] < 200;
    assert!(page.pixels().filter(is_greenish).count() > 20_000, "the whole page is the last");
    let said = words_of(&sheet);
    for words in [
        "Ramen runt inlägget är ritad av Uppsikt på den färdiga bilden. Den fanns inte på sidan.",
        "2 anrop stoppades av Uppsikt när sidan laddades och 0 anrop kom inte fram.",
        "Listan står i filen webbsida-logg.json.",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("suddad"), "{said}");
    assert!(!said.contains("hemlig"), "addresses of a page are in the list alone");
}

#[test]
fn what_may_be_hard_to_look_at_stands_blurred_and_nothing_brings_it_back() {
    let sheet = with_pictures(true);
    let rendered = render(&sheet).expect("a sheet");
    assert!(rendered == render(&sheet).expect("a sheet"), "the same again");
    assert_eq!(structure(&rendered.pdf).matches("/Subtype/Image").count(), 2);
    assert_eq!((dots_of(&rendered, RED), dots_of(&rendered, GREEN)), (0, 0));
    let said = words_of(&sheet);
    for name in ["screenshot.png", "hela-sidan.png"] {
        let words = format!("Den osuddade ligger oförändrad i bevispaketet, filen {name}.");
        assert!(said.contains(&words), "{words}: {said}");
    }
    // What lies in the document is no larger than what is left of it.
    let (clear, blurred) = (render(&with_pictures(false)).expect("a sheet"), &rendered);
    assert!(blurred.pdf.len() < clear.pdf.len());
    for job_files in [sheet.screenshot_png.as_deref(), sheet.full_page.as_ref().map(|p| &*p.png)] {
        let (_, files) = pictured::of_item(job_files, true);
        let left = image::load_from_memory(&files[0]).expect("a PNG").into_rgb8();
        assert!(left.width().max(left.height()) <= 448);
    }
}

/// What is laid out as one line of words.
fn words_of(sheet: &SheetContent) -> String {
    let data = {
        let pictures = pictured::Pictures {
            item: pictured::of_item(
                sheet.screenshot_png.as_deref(),
                sheet.manifest.sheet_is_blurred,
            )
            .0,
            whole: match &sheet.full_page {
                Some(page) => pictured::on_one_page(&page.png, sheet.manifest.sheet_is_blurred).0,
                None => pictured::Picture::None,
            },
        };
        job(sheet, &pictures, Vec::new(), shown::Repertoire::Fonts).expect("data").0.data
    };
    String::from_utf8(data).expect("JSON is text")
}

/// The document without the contents of its streams, except the metadata, which is plain XML.
fn structure(pdf: &[u8]) -> String {
    let mut rest = pdf;
    let mut plain = Vec::new();
    while let Some(at) = memchr::memmem::find(rest, b"stream\n") {
        let (before, stream) = rest.split_at(at);
        plain.extend_from_slice(before);
        let end = memchr::memmem::find(stream, b"endstream").expect("every stream ends");
        if before.ends_with(b">>\n") && memchr::memmem::find(&stream[..end], b"<?xpacket").is_some()
        {
            plain.extend_from_slice(&stream[..end]);
        }
        rest = &stream[end + b"endstream".len()..];
    }
    plain.extend_from_slice(rest);
    String::from_utf8_lossy(&plain).into_owned()
}

#[test]
fn the_document_declares_its_standards_and_holds_nothing_active() {
    let mut sheet = content("Hej 👍🏽 مرحبا שלום 你好 ⓐ 𝓲 ก አ");
    sheet.screenshot_png = Some(picture(640, 400));
    let rendered = render(&sheet).expect("a sheet");
    assert!(rendered.uncovered.is_empty());
    let structure = structure(&rendered.pdf);
    let has = |words: &str, n: usize| {
        assert_eq!(structure.matches(words).count(), n, "{words} in {structure}");
    };
    has("<pdfaid:part>2</pdfaid:part>", 1);
    has("<pdfaid:conformance>A</pdfaid:conformance>", 1);
    has("<pdfuaid:part>1</pdfuaid:part>", 1);
    has("GTS_PDFA1", 1);
    has("/OutputIntents", 1);
    has("/Lang(sv-SE)", 1);
    has("/Marked true", 1);
    has("/DisplayDocTitle true", 1);
    has("/Alt", 1);
    for active in
        ["/JavaScript", "/JS", "/Launch", "/URI", "/OpenAction", "/AA", "/EmbeddedFile", "/Encrypt"]
    {
        has(active, 0);
    }
    // Every font is embedded and maps its glyphs to text. The nine families and the bold cut.
    let fonts = structure.matches("/Subtype/Type0").count();
    assert_eq!(fonts, 10);
    has("/ToUnicode", fonts);
    let embedded =
        structure.matches("/FontFile2").count() + structure.matches("/FontFile3").count();
    assert_eq!(embedded, fonts);
}

/// The way out that is there for texts nobody has thought of.
#[test]
fn with_latin_letters_alone_there_is_a_sheet_too() {
    let sheet = content("Hej 👍🏽 مرحبا");
    let (job, uncovered) = job(&sheet, &NO_PICTURES, Vec::new(), shown::Repertoire::Latin)
        .expect("the data can be written");
    assert!(uncovered.contains(&'👍'));
    let out = engine::run(job).expect("a sheet");
    assert_eq!(out.n_pages, 2);
}

/// The same with the platform's answer and a manifest within, under a secrecy mark.
fn with_files(content: SheetContent) -> SheetContent {
    let file = |name, bytes: &[u8]| EmbeddedFile {
        name,
        what: "Plattformens svar i original",
        media_type: "application/json",
        bytes: bytes.to_vec(),
    };
    let mark = "Sekretess. OSL 26 kap. 1 §. 2026-04-03. Exempelstads kommun.";
    SheetContent {
        secrecy: Some(mark.to_owned()),
        embedded: vec![
            file("payload.json", br#"{"message":"Jag ska d\u00f6da dig."}"#),
            file("manifest-utan-bevisblad.json", br#"{"format":1}"#),
        ],
        ..content
    }
}

#[test]
fn files_lie_in_a_sheet_of_the_third_part_alone_and_the_same_ones_give_the_same_bytes() {
    let plain = render(&content("Hej")).expect("a sheet");
    let sheet = with_files(content("Hej"));
    let with = render(&sheet).expect("a sheet");
    assert!(plain.method.contains("PDF/A-2a") && with.method.contains("PDF/A-3a"));
    let says = |pdf: &[u8], what: &str| pdf.windows(what.len()).any(|at| at == what.as_bytes());
    assert!(says(&plain.pdf, "<pdfaid:part>2<") && !says(&plain.pdf, "EmbeddedFile"));
    assert!(says(&with.pdf, "<pdfaid:part>3<") && says(&with.pdf, "<pdfuaid:part>1<"));
    assert!(with.pdf == render(&sheet).expect("a sheet").pdf, "the same again");
}

/// Sheets for `tests/check-pdf.sh`, which looks at them with other people's tools, and for human
/// eyes. Beside each the lines that must be found in its text.
#[test]
fn sheets_are_left_for_outside_checks() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sheet-check");
    std::fs::create_dir_all(&folder).expect("a folder");
    let scripts = "Hej på dig, åäö ÅÄÖ é ü.\nПривет, когда открывается бассейн?\n图书馆什么时候开门？\n\
                   도서관은 언제 열어요?\n図書館はいつ開きますか？\nห้องสมุดเปิดกี่โมง\nሰላም ነው\n\
                   𝓲𝓭𝓲𝓸𝓽 ⓘⓓⓘⓞⓣ ｉｄｉｏｔ\n👍🏽 😀";
    let right_to_left =
        "مرحبا، لماذا أُغلِقَت المكتبة اليوم؟\nשלום, מתי נפתח?\nBlandat: مرحبا och hej";
    let marks = "Betala \u{202e}rk 001\u{202c} nu\ni\u{200b}d\u{200b}iot\nfamilj 👨‍👩‍👧‍👦 och 🇸🇪 🏳️‍🌈 1️⃣ ❤️\n\
                 \u{e000} \u{12000} före\0efter\nz\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}\u{30c}\u{30d}algo";
    let literal = "<script>alert(1)</script>\n#panic(\"x\") *fet* _kursiv_ $x^2$ @etikett \\ `kod`\n=HYPERLINK(\"x\")";
    let mut simulated = content(&format!("{scripts}\n\n{right_to_left}\n\n{marks}\n\n{literal}"));
    simulated.simulated = true;
    simulated.platform_name = "Facebook".to_owned();
    simulated.screenshot_png = Some(picture(1280, 4200));
    let long = "Det här är en lång kommentar om badhuset, som aldrig tycks ta slut. ".repeat(400);
    let cases = [
        (
            "vanlig",
            content("Jag ska döda dig.\n\nHälsar Kim"),
            "Jag ska döda dig.\nHälsar Kim".to_owned(),
        ),
        (
            "skriftsystem",
            simulated,
            format!(
                "{scripts}\n{literal}\nBetala ⟦U+202E⟧rk 001⟦U+202C⟧ nu\ni⟦U+200B⟧d⟦U+200B⟧iot\n⟦U+E000⟧ ⟦U+12000⟧ före⟦U+0000⟧efter\n5 kombinerande tecken utelämnade"
            ),
        ),
        ("lang", content(&long), "Här står de första 20 000 av 27 200 tecken.".to_owned()),
        (
            "bilder",
            with_pictures(false),
            "Ramen runt inlägget är ritad av Uppsikt på den färdiga bilden. Den fanns inte på sidan.\nListan står i filen webbsida-logg.json."
                .to_owned(),
        ),
        (
            "suddad",
            with_pictures(true),
            "Den osuddade ligger oförändrad i bevispaketet, filen hela-sidan.png.".to_owned(),
        ),
        (
            "inbaddad",
            with_files(content("Jag ska döda dig.")),
            "Sekretess. OSL 26 kap. 1 §. 2026-04-03. Exempelstads kommun.".to_owned(),
        ),
    ];
    for (name, content, lines) in cases {
        let sheet = render(&content).expect("a sheet");
        assert!(!sheet.method.contains("latinska"), "{name}: {}", sheet.method);
        std::fs::write(folder.join(format!("{name}.pdf")), &sheet.pdf).expect("written");
        std::fs::write(folder.join(format!("{name}.txt")), lines).expect("written");
        for (i, png) in sheet.pages_png.iter().enumerate() {
            std::fs::write(folder.join(format!("{name}-{}.png", i + 1)), png).expect("written");
        }
    }
}
