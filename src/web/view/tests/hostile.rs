//! Texts by people who want to break the page, in every place where a stranger's text is shown.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use askama::Template as _;
use regex::Regex;

use crate::domain::ids::CaseId;
use crate::domain::text::is_hidden;
use crate::web::view::case::CasePage;
use crate::web::view::fixtures::cases::case;
use crate::web::view::fixtures::{others, shell};
use crate::web::view::marked::MarkedText;
use crate::web::view::masked::Masked;
use crate::web::view::outside::Outside;
use crate::web::view::shell::Place;

static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<[a-zA-Z/!?][^>]*>").unwrap());
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\s([^\s=>"]+)="[^"]*""#).unwrap());
static HREF: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\s(?:href|src|action|formaction)="([^"]*)""#).unwrap());

const MARKUP: &[&str] = &[
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//fel.example/x.js></SCRIPT>",
    "</script><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</bdi></div></article><h1>Ny rubrik</h1>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href=\"data:x,<script>alert(1)</script>\">",
    "<iframe src=\"javascript:alert(1)\"></iframe>",
    "<object data=\"data:text/html,<script>alert(1)</script>\">",
    "<embed src=//fel.example/x.swf>",
    "<base href=//fel.example/>",
    "<link rel=stylesheet href=//fel.example/x.css>",
    "<meta http-equiv=refresh content=0;url=//fel.example>",
    "<form action=//fel.example><input name=csrf>",
    "<button formaction=//fel.example>Besluta</button>",
    "<a href=\"javascript:alert(1)\">klicka</a>",
    "<details open ontoggle=alert(1)>",
    "<style>*{display:none}</style>",
    "<div style=\"position:fixed;inset:0\">",
    "<template><script>alert(1)</script></template>",
    "<!-- --><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version=\"1.0\"?>",
    "<plaintext>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "` onerror=`alert(1)",
    "\" autofocus onfocus=alert(1) x=\"",
    "{{ 7 * 7 }} {% include \"/etc/passwd\" %} ${7*7} #{7*7} <%= 7*7 %>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "&amp;lt;b&amp;gt;",
    "\\u003cscript\\u003e",
    "%3Cscript%3E",
    "+ADw-script+AD4-",
    "<scr\0ipt>alert(1)</scr\0ipt>",
    "<\u{200B}script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
];

const ADDRESSES: &[&str] = &[
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "\u{1}javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://fel.example/1",
    "https://fel.example/\"onclick=\"alert(1)",
    "https://fel.example/'><script>alert(1)</script>",
    "https://kommunen.example@fel.example/",
    "https://kommunen.example%40fel.example/",
    "https://fel.example\\@kommunen.example/",
    "//fel.example/x",
    "https://xn--kmmunen-jua.example/",
    "http://[::1]/",
    "http://127.0.0.1:8080/logga-ut",
    "https://",
    "mailto:kim@exempel.example",
];

const UNICODE: &[&str] = &[
    "\u{202E}txet ednäv\u{202C}",
    "\u{2066}isolerad\u{2069}",
    "\u{2067}rtl\u{2069} ltr",
    "slut \u{202D}utan att avsluta",
    "\u{200F}\u{200E}\u{061C}",
    "مرحبا بالعالم",
    "שלום עולם",
    "שָׁלוֹם",
    "אבג <script> דהו",
    "你好，世界",
    "こんにちは",
    "안녕하세요",
    "\u{1100}\u{1161}\u{11A8}",
    "สวัสดี",
    "नमस्ते",
    "\u{FDFD}",
    "𒐫𒐫𒐫",
    "👩‍👩‍👧‍👦 👍🏿 🇸🇪 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "🏳️‍🌈🏴‍☠️❤️‍🔥",
    "🙂\u{200D}\u{200D}\u{200D}",
    "\u{200D}\u{200D}x",
    "h\u{0301}\u{0302}\u{0303}\u{0304}\u{0305}\u{0306}\u{0307}\u{0308}ej",
    "\u{0301}\u{0301}inleds med accent",
    "e\u{0489}\u{0488}\u{20DD}",
    "a\u{0308}a\u{030A}o\u{0308}",
    "ａｂｃ１２３",
    "𝓲𝓭𝓲𝓸𝓽 𝕚𝕕𝕚𝕠𝕥",
    "іdiоt med kyrilliska",
    "i\u{00AD}d\u{00AD}i\u{00AD}o\u{00AD}t",
    "i\u{200B}d\u{200C}i\u{2060}o\u{FEFF}t",
    "\u{FEFF}börjar med märke",
    "\u{E0041}\u{E0042}\u{E0043}",
    "🙂\u{E0068}\u{E0069}\u{E007F}",
    "\u{3164}\u{115F}\u{1160}\u{FFA0}",
    "\u{FFFD}\u{FFFE}\u{FFFF}\u{10FFFF}",
    "\u{F8FF}\u{E000}",
    "rad ett\u{2028}rad två\u{2029}rad tre",
    "\u{FFF9}under\u{FFFA}över\u{FFFB}",
    "\u{180E}\u{17B4}\u{17B5}",
];

const CONTROLS: &[&str] = &[
    "",
    " ",
    "\n\n\n",
    "\t\t",
    "\r\n\r\n",
    "a\rb",
    "a\0b",
    "\0\0\0\0",
    "\u{1}\u{2}\u{3}\u{7}\u{8}",
    "\u{1B}[31mrött\u{1B}[0m",
    "\u{7F}\u{80}\u{85}\u{9F}",
    "\u{B}\u{C}",
    "x\u{A0}\u{A0}\u{A0}y",
    "'; drop table cases; --",
    "../../../../etc/passwd",
    "null undefined NaN true",
    "-1 0 99999999999999999999",
    "%s%s%n%x",
];

fn texts() -> Vec<String> {
    let mut texts: Vec<String> =
        [MARKUP, ADDRESSES, UNICODE, CONTROLS].concat().into_iter().map(str::to_owned).collect();
    texts.extend([
        "a".repeat(5_000_000),
        "å".repeat(2_500_000),
        "<b>".repeat(100_000),
        "&".repeat(100_000),
        "\u{202E}".repeat(100_000),
        "\u{0301}".repeat(1_000_000),
        format!("h{}ej", "\u{0316}\u{0301}".repeat(2_000)),
        "👩‍👩‍👧".repeat(10_000),
        "\n".repeat(100_000),
        "https://fel.example/ ".repeat(20_000),
        format!("https://fel.example/{}", "x".repeat(100_000)),
        "\u{200B}a".repeat(50_000),
    ]);
    texts
}

/// A page of the case and of the queue with `text` wherever a stranger's text can stand.
fn drawn(text: &str) -> String {
    let mut view = case();
    view.text = MarkedText::new(text, &[]);
    view.folded = Some(MarkedText::plain(text));
    view.author.name = Masked::line(text);
    view.author.handle = Some(Masked::line(text));
    view.author.profile = Some(Outside::new("Profilen", text));
    view.permalink = Some(Outside::new("Kommentaren", text));
    for item in view.context.above.iter_mut().chain(&mut view.context.below) {
        item.author = Masked::line(text);
        item.text = MarkedText::plain(text);
    }
    if let Some(post) = &mut view.context.post {
        post.title = Some(Masked::line(text));
        post.text = MarkedText::plain(text);
        post.link = Some(Outside::read_only("Inlägget", text));
    }
    let page = CasePage {
        shell: shell(Place::Queue),
        notice: None,
        previous: None,
        next: Some(CaseId(1)),
        case: view,
    };
    let mut queue = others::queue();
    for row in &mut queue.rows {
        row.line = Masked::line(text);
        row.author = Masked::line(text);
    }
    format!("{}{}", page.render().unwrap(), queue.render().unwrap())
}

/// Tags of the page with their attributes' names, without the marks for hidden characters and
/// what comes and goes with the text: notes, lists of addresses.
fn skeleton(html: &str) -> Vec<String> {
    TAG.find_iter(html)
        .map(|found| ATTRIBUTE.replace_all(found.as_str(), " $1").into_owned())
        .collect()
}

#[test]
fn there_are_more_than_a_hundred_texts() {
    assert!(texts().len() >= 120, "{}", texts().len());
}

/// One drawing a text, looked at in three ways, since drawing is what takes time.
#[test]
fn no_text_breaks_out_of_its_place() {
    let known: BTreeSet<String> = [
        drawn("vanlig text"),
        drawn("se https://exempel.example/ \u{202E}"),
        drawn("https://exempel.example/"),
        drawn(&format!("{}{}", "lång ".repeat(5_000), "\u{0301}".repeat(6))),
        drawn(""),
    ]
    .iter()
    .flat_map(|html| skeleton(html))
    .collect();
    for text in texts() {
        let html = drawn(&text);
        let from = text.chars().take(80).collect::<String>();
        only_known_tags(&html, &known, &from);
        no_hidden_character(&html, &from);
        links_lead_inside_or_plainly_to_the_web(&html, &from);
    }
}

fn only_known_tags(html: &str, known: &BTreeSet<String>, from: &str) {
    for tag in skeleton(html) {
        assert!(known.contains(&tag), "{tag} came from {from:?}");
    }
}

fn no_hidden_character(html: &str, from: &str) {
    // Joiners inside emoji and the letters of flags are shown as they are.
    let shown = |c: char| matches!(c, '\u{200D}' | '\u{E0020}'..='\u{E007F}');
    let left = html.chars().find(|c| is_hidden(*c) && !shown(*c));
    assert_eq!(left, None, "from {from:?}");
}

fn links_lead_inside_or_plainly_to_the_web(html: &str, from: &str) {
    for found in HREF.captures_iter(html) {
        let address = &found[1];
        let inside =
            (address.starts_with('/') && !address.starts_with("//")) || address.starts_with('#');
        let web = address.starts_with("https://") || address.starts_with("http://");
        assert!(inside || web, "{address} from {from:?}");
    }
}

#[test]
fn a_text_of_five_megabytes_makes_a_small_page() {
    assert!(drawn(&"a".repeat(5_000_000)).len() < 200_000);
    assert!(drawn(&"\u{202E}<b>&".repeat(500_000)).len() < 2_000_000);
}
