//! HTML as platforms deliver it → plain text (`platforms` sheet, section 17.3).
//!
//! Tags go, entities are undone once, targets of links stay readable. What looks like a tag but is
//! never closed is text, as browsers and WordPress's own filter see it. Linear in the input: every
//! byte is looked at a bounded number of times, whatever it holds.

use unicode_normalization::UnicodeNormalization as _;

/// What line breaks in the source mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newlines {
    /// They are line breaks (WordPress's raw content, Flickr).
    Keep,
    /// They are spaces, as in HTML proper (Mastodon, own sites).
    Fold,
}

/// A picture inside the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its address as written.
    pub src: String,
    /// Its text alternative.
    pub alt: Option<String>,
}

/// What is left of the markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plain {
    /// The text as a reader sees it, with link targets in parentheses where they differ from the
    /// shown text.
    pub text: String,
    /// Pictures, in order.
    pub images: Vec<Image>,
}

/// Reads HTML as plain text.
pub fn to_plain(html: &str, newlines: Newlines) -> Plain {
    to_plain_with_names(html, newlines, &[])
}

/// As [`to_plain`], where a link that shows `@name` or `#word` and leads to one of `named` is the
/// platform's own way to write that name: its target is left out.
pub fn to_plain_with_names(html: &str, newlines: Newlines, named: &[&str]) -> Plain {
    let mut out = Writer { plain: Plain::default(), newlines, link: None, named };
    // Without it, each unclosed `<!--` would be searched to the end of the text.
    let last_comment_end = memchr::memmem::rfind(html.as_bytes(), b"-->");
    let mut at = 0;
    let mut text_from = 0;
    while let Some(step) = memchr::memchr(b'<', &html.as_bytes()[at..]) {
        at += step;
        match tag_end(html.as_bytes(), at, last_comment_end) {
            Some(end) => {
                out.text(&html[text_from..at]);
                out.tag(&html[at + 1..end]);
                at = end + 1;
                text_from = at;
            }
            None => at += 1,
        }
    }
    out.text(&html[text_from..]);
    out.close_link();
    if newlines == Newlines::Fold {
        out.plain.text.truncate(out.plain.text.trim_end().len());
    }
    out.plain
}

/// The text as it is compared: platforms trim and normalise, and editors' line ends differ.
pub fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

/// Text as HTML that shows exactly that text.
pub fn escape(text: &str) -> String {
    html_escape::encode_text(text).into_owned()
}

/// Where the tag that begins at `open` ends; `None` where it is no tag.
///
/// A `<` inside the tag ends the attempt, so that a stray one costs nothing. Quoted values may
/// hold anything; they do not nest, so the bytes are read at most once per kind of quote.
fn tag_end(bytes: &[u8], open: usize, last_comment_end: Option<usize>) -> Option<usize> {
    match bytes.get(open + 1)? {
        b'a'..=b'z' | b'A'..=b'Z' => {}
        b'/' if bytes.get(open + 2)?.is_ascii_alphabetic() => {}
        b'!' if bytes[open..].starts_with(b"<!--") => {
            if last_comment_end? < open + 4 {
                return None;
            }
            return memchr::memmem::find(&bytes[open + 4..], b"-->").map(|i| open + 4 + i + 2);
        }
        _ => return None,
    }
    let mut at = open + 1;
    loop {
        at += memchr::memchr3(b'>', b'<', b'=', &bytes[at..])?;
        match bytes[at] {
            b'>' => return Some(at),
            b'<' => return None,
            _ => {
                // Only a value, that is after `=`, can be quoted: an apostrophe in running text
                // opens nothing.
                at += 1;
                while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
                    at += 1;
                }
                if let Some(quote @ (b'"' | b'\'')) = bytes.get(at).copied() {
                    at += 2 + memchr::memchr(quote, &bytes[at + 1..])?;
                }
            }
        }
    }
}

struct Writer<'a> {
    plain: Plain,
    newlines: Newlines,
    named: &'a [&'a str],
    /// Target of the open link, and where its shown text begins.
    link: Option<(String, usize)>,
}

impl Writer<'_> {
    fn text(&mut self, html: &str) {
        if html.is_empty() {
            return;
        }
        let text = html_escape::decode_html_entities(html);
        match self.newlines {
            Newlines::Keep => self.plain.text.push_str(&text),
            Newlines::Fold => {
                for c in text.chars() {
                    let is_space = matches!(c, ' ' | '\t' | '\n' | '\r');
                    if !is_space {
                        self.plain.text.push(c);
                    } else if !self.plain.text.is_empty() && !self.plain.text.ends_with([' ', '\n'])
                    {
                        self.plain.text.push(' ');
                    }
                }
            }
        }
    }

    fn tag(&mut self, inside: &str) {
        let (closing, inside) = match inside.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, inside),
        };
        let name_end = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
        let name = inside[..name_end].to_ascii_lowercase();
        match name.as_str() {
            "br" => self.line(1),
            "p" | "blockquote" | "ul" | "ol" | "pre" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.end_line(2);
            }
            "div" | "li" | "tr" => self.end_line(1),
            "a" if closing => self.close_link(),
            "a" => {
                self.close_link();
                if let Some(href) = attribute(inside, "href") {
                    self.link = Some((href, self.plain.text.len()));
                }
            }
            "img" => {
                if let Some(src) = attribute(inside, "src") {
                    let alt = attribute(inside, "alt").filter(|a| !a.is_empty());
                    if let Some(alt) = &alt {
                        self.plain.text.push_str(alt);
                    }
                    self.plain.images.push(Image { src, alt });
                }
            }
            _ => {}
        }
    }

    /// A line break that the author made.
    fn line(&mut self, count: usize) {
        let kept = self.plain.text.trim_end_matches(' ').len();
        self.plain.text.truncate(kept);
        self.plain.text.extend(std::iter::repeat_n('\n', count));
    }

    /// The end of a paragraph or block: as many breaks as are lacking.
    fn end_line(&mut self, wanted: usize) {
        if self.plain.text.is_empty() {
            return;
        }
        let wanted = if self.newlines == Newlines::Keep { 1 } else { wanted };
        let there = self.plain.text.bytes().rev().take(2).take_while(|b| *b == b'\n').count();
        if there < wanted {
            self.line(wanted - there);
        }
    }

    fn close_link(&mut self) {
        let Some((href, from)) = self.link.take() else { return };
        let shown = self.plain.text[from..].trim();
        let bare = |s: &str| {
            s.trim_start_matches("https://")
                .trim_start_matches("http://")
                .trim_start_matches("mailto:")
                .trim_end_matches('/')
                .to_owned()
        };
        let is_name = shown.starts_with(['@', '#']) && self.named.contains(&href.as_str());
        if href.is_empty() || href.starts_with('#') || is_name || bare(shown) == bare(&href) {
            return;
        }
        if shown.is_empty() {
            self.plain.text.push_str(&href);
        } else {
            let kept = self.plain.text.trim_end_matches(' ').len();
            self.plain.text.truncate(kept);
            self.plain.text.push_str(" (");
            self.plain.text.push_str(&href);
            self.plain.text.push(')');
        }
    }
}

/// The value of an attribute inside a tag, entities undone.
fn attribute(inside: &str, wanted: &str) -> Option<String> {
    let mut rest = inside.split_at(inside.find(|c: char| !c.is_ascii_alphanumeric())?).1;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let name_end =
            rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let name = &rest[..name_end];
        rest = rest[name_end..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            (value, rest) = match quote {
                Some(quote) => {
                    let body = &after[1..];
                    let end = body.find(quote).unwrap_or(body.len());
                    (&body[..end], body.get(end + 1..).unwrap_or(""))
                }
                None => {
                    let end = after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len());
                    after.split_at(end)
                }
            };
        } else if name.is_empty() {
            return None;
        }
        if name.eq_ignore_ascii_case(wanted) {
            return Some(html_escape::decode_html_entities(value).trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(to_plain(html, Newlines::Keep).text, expected, "{html}");
    }

    #[test]
    fn wordpress_content_becomes_what_a_reader_sees() {
        check("Hej", "Hej");
        check("rad ett\n\nrad två", "rad ett\n\nrad två");
        check("Tack – <b>bästa</b> insatsen &amp; snabbast!", "Tack – bästa insatsen & snabbast!");
        check("3 &lt; 5 och &quot;citat&quot;", "3 < 5 och \"citat\"");
        check("3 < 5 och <3 och <", "3 < 5 och <3 och <");
        check("a <b utan slut", "a <b utan slut");
        check("<<b>fet</b>", "<fet");
        check("&amp;lt;b&amp;gt;", "&lt;b&gt;");
        check("rad<br />\nrad", "rad\n\nrad");
        check("<p>ett</p><p>två</p>", "ett\ntvå\n");
        check("före<!-- dolt -->efter", "föreefter");
        check("<a title='>' href=\"https://x.example/\">x</a>", "x (https://x.example/)");
        check("det=ju så <i>att</i> 5 > 3", "det=ju så att 5 > 3");
        check("&#8217;&#x202E;&okänd;", "\u{2019}\u{202E}&okänd;");
    }

    #[test]
    fn targets_of_links_stay_readable() {
        check(
            "<a href=\"https://bluff.example/kampanj?a=1&amp;b=2\" rel=\"nofollow\">kommunen</a>!",
            "kommunen (https://bluff.example/kampanj?a=1&b=2)!",
        );
        check("<a href='https://a.example/'>a.example</a>", "a.example");
        check("<a href=https://a.example>här</a>", "här (https://a.example)");
        check(
            "<a href=\"https://a.example\"><img src=\"b.png\" alt=\"en bil\"></a>",
            "en bil (https://a.example)",
        );
        check("<a href=\"https://a.example\">öppen", "öppen (https://a.example)");
        check("<a name=x>ingen</a>", "ingen");
    }

    #[test]
    fn pictures_are_kept_apart() {
        let plain = to_plain("se <img alt='' src=/b.jpg> här", Newlines::Keep);
        assert_eq!(plain.text, "se  här");
        assert_eq!(plain.images, [Image { src: "/b.jpg".into(), alt: None }]);
    }

    #[test]
    fn html_proper_folds_its_line_breaks() {
        let html = "<p>Ett\n  stycke <br/> rad</p>\n<p>Två <a href=\"https://l.example/x\"><span class=\"invisible\">https://</span>l.example/x</a></p>";
        assert_eq!(
            to_plain(html, Newlines::Fold).text,
            "Ett stycke\nrad\n\nTvå https://l.example/x"
        );
    }

    #[test]
    fn hostile_markup_takes_linear_work() {
        for piece in ["<a", "<a =\"", "<a '", "<!--", "<a href='\"", "&", "<a b=\"<a c='"] {
            let html = piece.repeat(400_000);
            assert!(to_plain(&html, Newlines::Keep).text.len() <= html.len());
        }
    }

    proptest! {
        #[test]
        fn escaping_and_reading_gives_the_text_back(text in any::<String>()) {
            prop_assert_eq!(to_plain(&escape(&text), Newlines::Keep).text, text);
        }

        #[test]
        fn anything_is_read(html in "[<>/!&;'\"=a-c \\n-]{0,60}") {
            to_plain(&html, Newlines::Keep);
            to_plain(&html, Newlines::Fold);
        }
    }
}
