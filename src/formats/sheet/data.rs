//! What the template gets: the sheet's content as plain values in Swedish.

use serde::Serialize;

use super::fonts::{FAMILIES, Fonts};
use super::pictured::{FittedView, PageViews, Pictures, StripView, page_views, strip_name};
use super::shown::{Preparer, Repertoire, Shown};
use super::words;
use crate::domain::evidence::{Manifest, PartKind, SheetContent, SheetPicture, Thread, ThreadItem};
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{Author, FetchedPost, PermalinkSource};
use crate::domain::text::capitalised;
use crate::domain::verdict::Finding;

/// Characters of the item's own text on the sheet: some eight pages. The whole text lies in the
/// evidence package.
pub const TEXT_BUDGET: usize = 20_000;
/// Characters of the post at the top of the thread.
const POST_BUDGET: usize = 4_000;
/// Characters of each answer in between.
const ANSWER_BUDGET: usize = 2_000;
/// Answers that are shown: those nearest to the item.
const MOST_ANSWERS: usize = 12;
/// Characters of a name, an address or a reason.
pub const VALUE_BUDGET: usize = 1_200;
/// Characters of a name in a title or a footer.
pub const TITLE_BUDGET: usize = 120;
/// Rows of a list of things that a platform may send without end.
const MOST_ROWS: usize = 60;
/// Characters that are named one by one as having no glyph.
const MOST_UNCOVERED: usize = 40;

/// The values that `sheet.typ` reads, under these names.
#[derive(Serialize)]
pub struct Data {
    fonts: &'static [&'static str],
    title: String,
    authority: Shown,
    authority_plain: String,
    subtitle: Shown,
    simulated: bool,
    simulated_words: &'static str,
    header_left: String,
    header_right: String,
    footer_left: String,
    facts: Vec<Fact>,
    text: Shown,
    text_notes: Vec<String>,
    verdict_note: String,
    findings: Vec<[Shown; 4]>,
    thread: Vec<InThread>,
    thread_note: Option<String>,
    thread_missing: Vec<String>,
    below: Vec<InThread>,
    below_note: Option<String>,
    attachments: Vec<[Shown; 3]>,
    parts: Vec<[Shown; 3]>,
    parts_note: &'static str,
    missing: Vec<[Shown; 2]>,
    about: Vec<String>,
    uncovered: Option<String>,
    strips: Vec<StripView>,
    strips_note: String,
    screenshot_note: Option<String>,
    /// Pictures of the page that stand on one page each.
    fitted: Vec<FittedView>,
    page_log_note: Option<String>,
    pictures: Vec<PictureView>,
    pictures_note: Option<&'static str>,
    /// Files that lie in the sheet itself.
    files: Vec<EmbeddedView>,
}

#[derive(Serialize)]
struct EmbeddedView {
    name: &'static str,
    what: &'static str,
    media_type: &'static str,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    value: Shown,
}

#[derive(Serialize)]
struct InThread {
    head: Shown,
    text: Shown,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct PictureView {
    file: String,
    caption: String,
    alt: String,
}

/// The data, and the characters that no font could show.
pub fn build(
    content: &SheetContent,
    taken: &Pictures,
    fonts: &Fonts,
    repertoire: Repertoire,
) -> (Data, Vec<char>) {
    let mut show = Preparer::new(fonts, repertoire);
    let manifest = &content.manifest;
    let whole_name = whole_text_name(manifest);
    let text = show.show(&content.text, TEXT_BUDGET);
    let text_notes = text_notes(&content.text, &text, &whole_name);
    let (thread, thread_note, thread_missing) = thread(&mut show, content);
    let (below, below_note) = below(&mut show, &content.thread);
    let authority = show.show(&content.authority, TITLE_BUDGET);
    let authority_plain = authority.plain();
    let account = show.show(&content.account_name, TITLE_BUDGET).plain();
    let platform = show.show(&content.platform_name, TITLE_BUDGET).plain();
    let item = show.show(manifest.item.as_str(), TITLE_BUDGET).plain();
    let kind = capitalised(manifest.kind.label());
    let facts = facts(&mut show, content);
    let findings = manifest.verdict.iter().flat_map(|v| &v.findings);
    let findings = findings.take(MOST_ROWS).map(|f| finding(&mut show, f)).collect();
    let attachments = manifest
        .attachments
        .iter()
        .take(MOST_ROWS)
        .map(|a| {
            let name = a.name.as_deref().or(a.media_type.as_deref());
            [
                show.show(&a.kind, VALUE_BUDGET),
                show.show(name.unwrap_or("uppgift saknas"), VALUE_BUDGET),
                show.show(a.url.as_deref().unwrap_or("uppgift saknas"), VALUE_BUDGET),
            ]
        })
        .collect();
    let parts = manifest
        .parts
        .iter()
        .take(MOST_ROWS)
        .map(|part| {
            [
                show.show(&format!("{}\n{}", part.kind.label(), part.name), VALUE_BUDGET),
                show.show(&words::bytes(part.size_bytes), VALUE_BUDGET),
                show.show(&words::digest(&part.sha256.to_hex()), VALUE_BUDGET),
            ]
        })
        .collect();
    let missing = manifest
        .missing
        .iter()
        .take(MOST_ROWS)
        .map(|m| [show.show(m.kind.label(), VALUE_BUDGET), show.show(&m.reason, VALUE_BUDGET)])
        .collect();
    let subtitle = show.show(&format!("{kind} på {platform}, konto {account}"), VALUE_BUDGET);
    let PageViews { strips, strips_note, screenshot_note, fitted } =
        page_views(&mut show, content, taken);
    let first = strips.len() + fitted.len();
    let page_log_note = page_log_note(content);
    let pictures = content.pictures.iter().enumerate();
    let pictures: Vec<_> = pictures.map(|(n, picture)| drawn(first + n, picture)).collect();
    let pictures_note = pictures_note(manifest, &pictures);
    let about = about(&mut show, manifest);
    let digest = manifest.content_sha256.to_hex();
    let short = digest.get(..16).unwrap_or(&digest);
    let uncovered: Vec<char> = show.uncovered.iter().copied().collect();
    let files = content.embedded.iter().map(|file| EmbeddedView {
        name: file.name,
        what: file.what,
        media_type: file.media_type,
    });
    let data = Data {
        files: files.collect(),
        fonts: FAMILIES,
        title: format!("Bevisblad – {kind} {item} på {platform}, version {}", manifest.version),
        header_left: authority_plain.clone(),
        header_right: format!("Bevisblad – {platform}"),
        footer_left: format!(
            "Version {} · kontrollsumma för innehållet {short}…",
            manifest.version
        ),
        authority,
        authority_plain,
        subtitle,
        simulated: content.simulated,
        simulated_words: "SIMULERAD PLATTFORM – inte ett riktigt inlägg",
        facts,
        text,
        text_notes,
        verdict_note: verdict_note(manifest),
        findings,
        thread,
        thread_note,
        thread_missing,
        below,
        below_note,
        attachments,
        parts,
        parts_note: "Delarna och deras kontrollsummor står i bevispaketets förteckning (manifestet).",
        missing,
        about,
        uncovered: uncovered_words(&uncovered),
        strips,
        strips_note,
        screenshot_note,
        fitted,
        page_log_note,
        pictures,
        pictures_note,
    };
    (data, uncovered)
}

fn facts(show: &mut Preparer<'_>, content: &SheetContent) -> Vec<Fact> {
    let manifest = &content.manifest;
    let mut facts = Vec::new();
    let mut fact = |label, value: &str| {
        facts.push(Fact { label, value: show.show(value, VALUE_BUDGET) });
    };
    if let Some(mark) = &content.secrecy {
        fact("Sekretessmarkering", mark);
    }
    fact("Myndighet", &content.authority);
    fact("Konto", &format!("{}\nKontots beteckning: {}", content.account_name, manifest.account));
    let simulated = if content.simulated { "\nSimulerad: inte ett riktigt inlägg" } else { "" };
    fact("Plattform", &format!("{}{simulated}", content.platform_name));
    fact("Slag", manifest.kind.label());
    let by_hand = manifest.is_by_hand();
    let told = |by_platform, by_person| if by_hand { by_person } else { by_platform };
    fact(told("Plattformens id", "Nummer i Uppsikt"), manifest.item.as_str());
    fact("Version", &manifest.version.to_string());
    fact(told("Författare som visad", "Författare enligt uppgift"), &author(manifest));
    if let Some(beside) = &manifest.beside {
        let picture = beside.picture.as_deref();
        fact(
            "Författarens bild",
            picture.unwrap_or("Ingen bild av författaren följde med svaret."),
        );
        let counts = beside.counts_in_words();
        let none = "Inga uppgifter om reaktioner följde med svaret.";
        fact("Reaktioner vid hämtningen", if counts.is_empty() { none } else { &counts });
    }
    fact(told("Skrivet enligt plattformen", "Skrivet enligt uppgift"), &written(manifest));
    fact(
        "Redigerat",
        &manifest.edited_at.map_or_else(
            || told("Plattformen anger ingen tid för ändring.", "Okänt.").to_owned(),
            both_times,
        ),
    );
    fact(told("Hämtat av oss", "Inlagt för hand"), &both_times(manifest.fetched_at));
    fact("Förseglat av oss", &both_times(manifest.sealed_at));
    if let Some(removal) = manifest.read_before {
        fact(
            "Varför just då",
            &format!(
                "Säkrat en gång till omedelbart före åtgärden att {} inlägget.",
                removal.label()
            ),
        );
    }
    fact(
        "Synlighet vid hämtningen",
        told(manifest.presence.label(), "Okänd: Uppsikt har inte sett inlägget på plattformen."),
    );
    fact("Länk", &link(manifest));
    fact(
        "Textens längd",
        &format!(
            "{} tecken ({} i UTF-8)",
            words::count(content.text.chars().count()),
            words::bytes(u64::try_from(content.text.len()).unwrap_or(u64::MAX)),
        ),
    );
    fact(
        "Kontrollsumma för innehållet (SHA-256)",
        &words::digest(&manifest.content_sha256.to_hex()),
    );
    facts
}

fn both_times(at: jiff::Timestamp) -> String {
    format!("{}\n{}", words::swedish_time(at), words::utc_time(at))
}

fn author(manifest: &Manifest) -> String {
    let Author { platform_id, name, handle, url } = &manifest.author;
    let lines: Vec<String> = [
        name.clone(),
        handle.as_ref().map(|h| format!("Användarnamn: {h}")),
        platform_id.as_ref().map(|id| format!("Plattformens id: {id}")),
        url.as_ref().map(|u| format!("Profil: {u}")),
    ]
    .into_iter()
    .flatten()
    // A name is one line: a line break in it must not look like one of ours.
    .map(|line| line.replace(['\n', '\r'], "⏎"))
    .collect();
    match (lines.is_empty(), manifest.is_by_hand()) {
        (true, true) => "Den som lade in inlägget uppgav ingen författare.".to_owned(),
        (true, false) => "Plattformen lämnar inga uppgifter om författaren.".to_owned(),
        (false, _) => lines.join("\n"),
    }
}

fn written(manifest: &Manifest) -> String {
    match (manifest.created_at, &manifest.created_raw) {
        (Some(at), Some(raw)) => format!("{}\nSom mottaget: {raw}", both_times(at)),
        (Some(at), None) => both_times(at),
        (None, Some(raw)) => format!("Tiden kunde inte tolkas.\nSom mottaget: {raw}"),
        (None, None) if manifest.is_by_hand() => "Okänt.".to_owned(),
        (None, None) => "Plattformen anger ingen tid.".to_owned(),
    }
}

fn link(manifest: &Manifest) -> String {
    match &manifest.permalink {
        Some(link) => {
            let source = match link.source {
                PermalinkSource::Given if manifest.is_by_hand() => {
                    "angiven av den som lade in inlägget"
                }
                PermalinkSource::Given => "angiven av plattformen",
                PermalinkSource::Built => "sammansatt av oss efter plattformens mönster",
            };
            format!("{}\n({source})", link.url)
        }
        None if manifest.is_by_hand() => "Ingen länk är angiven.".to_owned(),
        None => "Plattformen anger ingen länk till inlägget.".to_owned(),
    }
}

fn whole_text_name(manifest: &Manifest) -> String {
    match manifest.parts.iter().find(|part| part.kind == PartKind::Text) {
        Some(part) => format!("bevispaketet (filen {})", part.name),
        None => "bevispaketet".to_owned(),
    }
}

fn text_notes(text: &str, shown: &Shown, where_whole: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if shown.cut {
        notes.push(format!(
            "Texten är för lång för bladet. Här står de första {} av {} tecken. Hela texten finns i {where_whole}.",
            words::count(shown.shown_chars),
            words::count(text.chars().count()),
        ));
    }
    if shown.has_marks() {
        notes.push(
            "Tecken som inte syns, eller som inte kan visas, står som sin kod i grå ruta, till exempel U+200B. \
             Rutorna är våra; allt annat är författarens text."
                .to_owned(),
        );
    }
    notes
}

fn finding(show: &mut Preparer<'_>, finding: &Finding) -> [Shown; 4] {
    [
        show.show(finding.category.label(), VALUE_BUDGET),
        show.show(finding.severity.label(), VALUE_BUDGET),
        show.show(&format!("{}\nRegel: {}", finding.why, finding.rule), VALUE_BUDGET),
        show.show(&finding.legal, VALUE_BUDGET),
    ]
}

fn verdict_note(manifest: &Manifest) -> String {
    match &manifest.verdict {
        None => "Ingen maskinell bedömning är gjord.".to_owned(),
        Some(verdict) if verdict.findings.is_empty() => format!(
            "Maskinen fann ingenting att anmärka på. Ordlista {}.",
            verdict
                .lexicon
                .as_str()
                .chars()
                .take(64)
                .filter(char::is_ascii_graphic)
                .collect::<String>()
        ),
        Some(verdict) => format!(
            "Ett förslag av ett program, inte ett beslut: en person beslutar. Ordlista {}.",
            verdict
                .lexicon
                .as_str()
                .chars()
                .take(64)
                .filter(char::is_ascii_graphic)
                .collect::<String>()
        ),
    }
}

fn thread(
    show: &mut Preparer<'_>,
    content: &SheetContent,
) -> (Vec<InThread>, Option<String>, Vec<String>) {
    let thread = &content.thread;
    let mut shown = Vec::new();
    if let Some(post) = &thread.post {
        shown.push(post_view(show, post));
    }
    let skipped = thread.above.len().saturating_sub(MOST_ANSWERS);
    for (i, item) in thread.above.iter().enumerate().skip(skipped) {
        shown.push(answer_view(show, i + 1, item));
    }
    let note = if shown.is_empty() {
        Some("Ingen tråd är känd ovanför inlägget.".to_owned())
    } else if skipped > 0 {
        Some(format!(
            "Tråden har {} svar ovanför. Här står de {MOST_ANSWERS} närmaste; alla finns i bevispaketet.",
            words::count(thread.above.len()),
        ))
    } else {
        None
    };
    let missing = thread
        .missing
        .iter()
        .take(MOST_ROWS)
        .map(|m| format!("Saknas i tråden: {}", show.show(m, TITLE_BUDGET).plain()))
        .collect();
    (shown, note, missing)
}

/// The answers below, the first ones, and what is not shown of them.
fn below(show: &mut Preparer<'_>, thread: &Thread) -> (Vec<InThread>, Option<String>) {
    let number = |id: &PlatformItemId| thread.below.iter().position(|item| item.platform_id == *id);
    let mut shown = Vec::new();
    for (i, item) in thread.below.iter().take(MOST_ANSWERS).enumerate() {
        let mut view = answer_view(show, i + 1, item);
        if let Some(other) = item.answers.as_ref().and_then(number) {
            view.notes.push(format!("Svarar på svar {} här.", other + 1));
        }
        shown.push(view);
    }
    let all = thread.below.len() + thread.below_left_out as usize;
    let note = match (all, thread.below_left_out) {
        (0, _) => Some("Inga svar under inlägget är kända.".to_owned()),
        (all, _) if all <= shown.len() => None,
        (all, 0) => Some(format!(
            "Uppsikt känner till {} svar under inlägget. Här står de {MOST_ANSWERS} första; alla finns i bevispaketet.",
            words::count(all),
        )),
        (all, _) => Some(format!(
            "Uppsikt känner till {} svar under inlägget. {} av dem finns i bevispaketet, och här står högst {MOST_ANSWERS}.",
            words::count(all),
            words::count(thread.below.len()),
        )),
    };
    (shown, note)
}

fn post_view(show: &mut Preparer<'_>, post: &FetchedPost) -> InThread {
    let mut head = String::from("Myndighetens inlägg");
    if let Some(title) = &post.title {
        head.push_str(": ");
        head.push_str(&title.replace(['\n', '\r'], " "));
    }
    if let Some(at) = post.created_at {
        head.push('\n');
        head.push_str(&words::swedish_time(at));
    }
    let text = show.show(&post.text, POST_BUDGET);
    let notes = cut_note(&text);
    InThread { head: show.show(&head, VALUE_BUDGET), text, notes }
}

fn answer_view(show: &mut Preparer<'_>, number: usize, item: &ThreadItem) -> InThread {
    let name = item.author.name.as_deref().or(item.author.handle.as_deref());
    let name = name.unwrap_or("okänd författare").replace(['\n', '\r'], "⏎");
    let mut head = format!("Svar {number}: {name} (id {})", item.platform_id);
    if let Some(at) = item.created_at {
        head.push('\n');
        head.push_str(&words::swedish_time(at));
    }
    let text = show.show(&item.text, ANSWER_BUDGET);
    let notes = cut_note(&text);
    InThread { head: show.show(&head, VALUE_BUDGET), text, notes }
}

fn cut_note(shown: &Shown) -> Vec<String> {
    if shown.cut {
        vec![format!(
            "Här står de första {} tecknen; hela texten finns i bevispaketet.",
            words::count(shown.shown_chars)
        )]
    } else {
        Vec::new()
    }
}

/// What the page was refused and what it complained of, in one line.
fn page_log_note(content: &SheetContent) -> Option<String> {
    let log = content.page_log.as_ref()?;
    let parts = &content.manifest.parts;
    let file = parts.iter().find(|part| part.kind == PartKind::PageLog);
    let file = file.map_or_else(String::new, |part| format!(" Listan står i filen {}.", part.name));
    Some(format!("{}{file}", log.summary()))
}

/// A picture that hung on the item; its file comes after the strips.
fn drawn(index: usize, picture: &SheetPicture) -> PictureView {
    let size = format!(
        "{} × {} bildpunkter",
        words::number(picture.width.into()),
        words::number(picture.height.into())
    );
    let (of, what) = match picture.of_author {
        true => ("Författarens bild: ", "Bilden som plattformen visade av författaren"),
        false => ("", "Bild som hängde på inlägget"),
    };
    PictureView {
        file: strip_name(index),
        caption: format!("{of}{}, {size}, förminskad", picture.name),
        alt: format!("{what}, filen {} i bevispaketet.", picture.name),
    }
}

/// Why pictures that were fetched are not on the sheet.
fn pictures_note(manifest: &Manifest, drawn: &[PictureView]) -> Option<&'static str> {
    let holds = manifest
        .parts
        .iter()
        .any(|part| part.kind == PartKind::Attachment && part.media_type.starts_with("image/"));
    match (holds, manifest.is_blurred()) {
        (true, true) => Some(
            "Bilagornas bilder visas inte på bladet, eftersom de kan visa våld eller sexuellt innehåll. De ligger i bevispaketet.",
        ),
        (true, false) if drawn.is_empty() => {
            Some("Bilagornas bilder går inte att återge på bladet. De ligger i bevispaketet.")
        }
        (true, false) | (false, _) => None,
    }
}

fn about(show: &mut Preparer<'_>, manifest: &Manifest) -> Vec<String> {
    let by = show.show(&manifest.sealed_by, TITLE_BUDGET).plain();
    if manifest.is_by_hand() {
        return vec![
            format!(
                "Inlägget är inlagt för hand. Uppsikt har inte sett det på någon plattform och kan inte intyga att \
                 det har stått där. Bladet är en läsbar återgivning, framställd av {by}. Det som lades in, byte \
                 för byte och med uppgift om vem som gjorde det, ligger i bevispaketet tillsammans med övriga \
                 delar. Kontrollsumman ovan är beräknad på innehållet (texten samt bilagornas typ och namn), så att \
                 varje ändring efter inläggningen kan upptäckas."
            ),
            "Uppgifter om författare, tid och plats är de som uppgavs; förseglingen är vår. Länkar på bladet är \
             inte klickbara."
                .to_owned(),
        ];
    }
    vec![
        format!(
            "Bladet är en läsbar återgivning, framställd av {by}. Plattformens svar i original, byte för byte, \
             ligger i bevispaketet tillsammans med övriga delar. Kontrollsumman ovan är beräknad på innehållet \
             (texten samt bilagornas typ och namn), så att varje ändring kan upptäckas."
        ),
        "Uppgifter om författare, tid och synlighet är plattformens; hämtning och försegling är våra. Länkar \
         på bladet är inte klickbara."
            .to_owned(),
    ]
}

fn uncovered_words(uncovered: &[char]) -> Option<String> {
    if uncovered.is_empty() {
        return None;
    }
    let mut codes: Vec<String> =
        uncovered.iter().take(MOST_UNCOVERED).map(|&c| format!("U+{:04X}", u32::from(c))).collect();
    if uncovered.len() > MOST_UNCOVERED {
        codes.push(format!("och {} till", uncovered.len() - MOST_UNCOVERED));
    }
    Some(format!(
        "Tecken som bladets typsnitt saknar och som därför står som kod: {}. De finns oförändrade i bevispaketet.",
        codes.join(", ")
    ))
}
