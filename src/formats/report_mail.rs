//! A mail from the public (*anmälan med e-post*) → what it reports. The bytes are hostile: broken MIME, wrong
//! charsets, HTML alone, answers of machines. Nothing is fetched, nothing but text is taken out.

use mail_parser::{Address, Message, MessageParser};
use url::Url;

use crate::domain::public_report::{LONGEST_CONTACT, LONGEST_LINK, LONGEST_REASON};
use crate::domain::text::hidden_at;

/// What a mail says.
#[derive(Clone, PartialEq, Eq)]
pub struct Reported {
    /// The first address in it that can be what is reported.
    pub link: Option<Url>,
    /// Subject and text, with what cannot be shown as `�`, cut at the longest reason.
    pub reason: String,
    /// Who sent it, by the mail's own word.
    pub contact: Option<String>,
}

/// What somebody wrote stays out of logs.
impl std::fmt::Debug for Reported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reported").field("has_link", &self.link.is_some()).finish_non_exhaustive()
    }
}

/// What a mail is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mail {
    /// Somebody reports something.
    Report(Reported),
    /// A machine wrote it: an absence, a bounce, a list. Answering or taking it in would make a loop.
    Automatic,
    /// No text can be had of it, or it is no mail.
    Unreadable,
}

/// Parts that are looked at for text: more are no letter.
const MOST_PARTS: usize = 20;

/// Fewer letters than that say nothing.
const FEWEST_LETTERS: usize = 3;

/// Text that shows all that it holds.
fn shown(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let hidden: Vec<usize> = hidden_at(&text).into_iter().map(|(at, _)| at).collect();
    let seen = |(at, c): (usize, char)| match c {
        '\n' | '\t' => c,
        _ if c.is_control() || hidden.binary_search(&at).is_ok() => '\u{FFFD}',
        _ => c,
    };
    text.char_indices().map(seen).collect()
}

fn cut(text: &str, most: usize) -> String {
    const MORE: &str = " […]";
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let room = most - MORE.chars().count();
    text.chars().take(room).collect::<String>() + MORE
}

/// Whether a machine wrote it (RFC 3834, and what is older than that).
fn is_automatic(message: &Message<'_>) -> bool {
    let said = |name: &'static str| message.header_raw(name).map(|raw| raw.trim().to_lowercase());
    let auto = said("Auto-Submitted").is_some_and(|word| word != "no");
    // Lists pass on what people write: `list`, `bulk` and a list's name say nothing.
    let reply = said("Precedence").is_some_and(|word| word == "auto_reply");
    let bounce = said("Return-Path").is_some_and(|path| path == "<>");
    let report = said("Content-Type").is_some_and(|kind| kind.starts_with("multipart/report"));
    let named = ["X-Autoreply", "X-Autorespond"];
    auto || reply
        || bounce
        || report
        || named.iter().any(|name| message.header_raw(*name).is_some())
}

/// The first address in a text. Each stretch without a blank is walked through once, however long it is.
fn link_in(text: &str) -> Option<Url> {
    let end = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\u{FFFD}');
    text.split(end)
        .filter_map(|stretch| {
            let word = &stretch[stretch.find("http")?..];
            let word = word.trim_end_matches(['.', ',', ')', ';', '!', '?']);
            let url = Some(word).filter(|word| word.len() <= LONGEST_LINK)?;
            let url = Url::parse(url).ok()?;
            let is_page = matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some_and(|host| host.contains('.'))
                && url.username().is_empty()
                && url.password().is_none()
                && url.as_str().len() <= LONGEST_LINK;
            is_page.then_some(url)
        })
        .next()
}

fn sender(from: Option<&Address<'_>>) -> Option<String> {
    let first = from?.first()?;
    let address = first.address()?;
    let told = match first.name().filter(|name| !name.trim().is_empty()) {
        Some(name) => format!("{name} <{address}>"),
        None => address.to_owned(),
    };
    let told = shown(&told).replace(['\n', '\t'], " ");
    (!told.trim().is_empty()).then(|| cut(told.trim(), LONGEST_CONTACT))
}

/// The text of a mail that is broken off or put together wrongly: of its plain parts, or all that follows the head.
fn unended(message: &Message<'_>, bytes: &[u8]) -> String {
    let parts = message.parts.iter().take(MOST_PARTS);
    let plain = parts.filter(|part| part.is_text() && !part.is_text_html());
    let text: String = plain.filter_map(|part| part.text_contents()).collect();
    let body = message.parts.first().map(|root| root.offset_body as usize);
    match (text.trim().is_empty(), message.parts.len(), body.and_then(|at| bytes.get(at..))) {
        (true, 1, Some(rest)) => String::from_utf8_lossy(rest).into_owned(),
        _ => text,
    }
}

/// Reads a mail. The same bytes give the same.
pub fn read(bytes: &[u8]) -> Mail {
    let Some(message) = MessageParser::default().parse(bytes) else { return Mail::Unreadable };
    if is_automatic(&message) {
        return Mail::Automatic;
    }
    // HTML alone is told as its text.
    let mut text = String::new();
    for part in 0..message.text_body_count().min(MOST_PARTS) {
        if let Some(body) = message.body_text(part) {
            text.push_str(body.trim());
            text.push('\n');
        }
    }
    if text.trim().is_empty() {
        text = unended(&message, bytes);
    }
    let subject = message.subject().map(shown).unwrap_or_default().replace(['\n', '\t'], " ");
    let (subject, text) = (subject.trim().to_owned(), shown(text.trim()));
    let reason = match (subject.is_empty(), text.is_empty()) {
        (true, true) => return Mail::Unreadable,
        (true, false) => text.clone(),
        (false, true) => subject.clone(),
        (false, false) => format!("{subject}\n\n{text}"),
    };
    // What shows no word is no letter that anybody can act on here.
    if reason.chars().filter(|c| c.is_alphanumeric()).count() < FEWEST_LETTERS {
        return Mail::Unreadable;
    }
    let link = link_in(&text).or_else(|| link_in(&subject));
    Mail::Report(Reported {
        link,
        reason: cut(reason.trim(), LONGEST_REASON),
        contact: sender(message.reply_to().or_else(|| message.from())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://facebook.example/p/1?comment_id=7";

    fn report(mail: &str) -> Reported {
        match read(mail.as_bytes()) {
            Mail::Report(report) => report,
            other => panic!("{other:?}: {mail}"),
        }
    }

    #[test]
    fn a_plain_mail_gives_its_link_its_words_and_who_sent_it() {
        let told = report(&format!(
            "From: Robin =?utf-8?q?P=C3=A5hitt?= <robin@exempel.example>\r\nSubject: Hot\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\nDet står ett hot här: {LINK}. Ta bort det!\r\n"
        ));
        assert_eq!(told.link.as_ref().map(Url::as_str), Some(LINK));
        assert_eq!(told.contact.as_deref(), Some("Robin Påhitt <robin@exempel.example>"));
        assert!(told.reason.starts_with("Hot\n\nDet står ett hot här"), "{}", told.reason);
    }

    #[test]
    fn odd_mails_are_read_as_far_as_they_go() {
        for (mail, words) in [
            // HTML alone, with a script in it.
            (
                format!("Subject: x\r\nContent-Type: text/html\r\n\r\n<p>Hot mot <b>lärare</b> <a href=\"{LINK}\">{LINK}</a><script>alert(1)</script></p>"),
                "lärare",
            ),
            // Says UTF-8 and is not.
            ("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHot mot larare".to_owned(), "larare"),
            // A charset that nobody knows.
            ("Subject: x\r\nContent-Type: text/plain; charset=klingon\r\n\r\nHot".to_owned(), "Hot"),
            // Multipart that never ends.
            (
                "Subject: x\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\nHot mot oss".to_owned(),
                "Hot mot oss",
            ),
            // Base64 that is broken off.
            (
                "Subject: Hot\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nSG90IG1vd".to_owned(),
                "Hot",
            ),
            // Nothing but a subject.
            ("Subject: Hot mot en larare\r\n\r\n".to_owned(), "Hot mot en larare"),
        ] {
            let told = report(&mail);
            assert!(told.reason.contains(words), "{mail}: {}", told.reason);
            assert!(!told.reason.contains("alert"), "{}", told.reason);
        }
        // A head that never ends is no letter: a person looks at it.
        assert_eq!(read("Subject: Hot mot en lärare".as_bytes()), Mail::Unreadable);
        let hidden = report("Subject: a\u{202E}b\r\n\r\nx\u{0}y\u{200B}z");
        assert!(
            hidden.reason.contains('\u{FFFD}') && !hidden.reason.contains('\u{202E}'),
            "{}",
            hidden.reason
        );
        let long = report(&format!("Subject: x\r\n\r\n{}", "lång ".repeat(10_000)));
        assert_eq!(long.reason.chars().count(), LONGEST_REASON);
        assert_eq!(report("Subject: Hot\r\n\r\nutan länk").link, None);
        assert_eq!(
            report("Subject: Hot\r\n\r\nhttps://a:b@c.example/ http://utanpunkt/").link,
            None
        );
    }

    #[test]
    fn what_machines_write_is_told_apart() {
        for header in [
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: auto-generated (absence)",
            "Precedence: auto_reply",
            "Return-Path: <>",
            "X-Autoreply: yes",
            "Content-Type: multipart/report; boundary=a",
        ] {
            let mail = format!("{header}\r\nSubject: Hot\r\n\r\n{LINK}");
            assert_eq!(read(mail.as_bytes()), Mail::Automatic, "{header}");
        }
        // What a person writes to a list is passed on by a machine, and is a person's all the same.
        for header in ["Auto-Submitted: no", "Precedence: bulk", "List-Id: <lista.exempel.example>"]
        {
            let mail = format!("{header}\r\nSubject: Hot\r\n\r\n{LINK}");
            assert!(matches!(read(mail.as_bytes()), Mail::Report(_)), "{header}");
        }
    }

    /// Each beginning of an address once walked to the end of the text: minutes for a mail like this one.
    #[test]
    fn a_mail_that_is_nothing_but_beginnings_of_addresses_is_read_at_once() {
        let told = report(&format!("Subject: Hot\r\n\r\n{}", "http".repeat(500_000)));
        assert_eq!(told.link, None);
    }

    #[test]
    fn any_bytes_are_read_without_a_fault() {
        for bytes in
            [&b""[..], b"\0\0\0", b"\xff\xfe\xfd", b"From:", b"\r\n\r\n", b"Subject:\r\n\r\n  "]
        {
            let told = read(bytes);
            assert!(!matches!(told, Mail::Automatic), "{bytes:?}: {told:?}");
        }
    }
}
