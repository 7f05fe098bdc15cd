//! Reading JSON that may be damaged inside its strings, without losing an element.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// The body as UTF-8. Bytes that are none are shown as U+FFFD: a platform that breaks its own
/// encoding in one comment must not hide the other ninety-nine.
pub fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body)
}

/// Decodes one element. Escapes of half a surrogate pair (`\ud83d` alone), which JSON writers let
/// through and no UTF-8 text can hold, are read as U+FFFD.
pub fn decode<T: DeserializeOwned>(element: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(element).or_else(|first| match mend_surrogates(element) {
        Some(mended) => serde_json::from_str(&mended),
        None => Err(first),
    })
}

/// What is wrong, and where, in Swedish. The error's own text would quote what was found, and
/// that may be a comment or a name.
pub fn place(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let own = error.to_string();
    let what = match error.classify() {
        Category::Syntax => "ogiltig JSON".to_owned(),
        Category::Eof => "texten slutar i förtid".to_owned(),
        Category::Io => "kunde inte läsas".to_owned(),
        // This text names nothing but a field of ours.
        Category::Data => match own.strip_prefix("missing field `").and_then(|o| o.split_once('`'))
        {
            Some((field, _)) => format!("fältet {field} saknas"),
            None => "fel slags värde".to_owned(),
        },
    };
    format!("{what} (rad {}, tecken {})", error.line(), error.column())
}

/// The escape at `at`, where it is `\u` with four digits.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// `element` with lone surrogates replaced; `None` where there are none.
fn mend_surrogates(element: &str) -> Option<String> {
    let bytes = element.as_bytes();
    let mut mended: Option<String> = None;
    let mut kept = 0;
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'\\', &bytes[at..]) {
        at += step;
        let Some(first) = unit(bytes, at) else {
            at = (at + 2).min(bytes.len());
            continue;
        };
        let paired = matches!(first, 0xD800..=0xDBFF)
            && matches!(unit(bytes, at + 6), Some(0xDC00..=0xDFFF));
        if paired {
            at += 12;
            continue;
        }
        if matches!(first, 0xD800..=0xDFFF) {
            let out = mended.get_or_insert_with(String::new);
            out.push_str(&element[kept..at]);
            out.push_str("\\ufffd");
            kept = at + 6;
        }
        at += 6;
    }
    mended.map(|mut out| {
        out.push_str(&element[kept..]);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_read_as_replacement_characters() {
        let table = [
            (r#""\ud83d""#, "\u{FFFD}"),
            (r#""a\ud83d b\ude00c""#, "a\u{FFFD} b\u{FFFD}c"),
            (r#""\ud83d\ude00 \ud83d""#, "😀 \u{FFFD}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d""#, "\\\u{FFFD}"),
            (r#""å\u0000\ud83d""#, "å\0\u{FFFD}"),
        ];
        for (json, expected) in table {
            assert_eq!(decode::<String>(json).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_what_was_found() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only its shape is used")]
        struct Shape {
            id: u64,
        }
        let table = [
            (r#"{"id":"Kim Exempel"}"#, "fel slags värde (rad 1, tecken 19)"),
            (r#"{"x":"Kim"}"#, "fältet id saknas (rad 1, tecken 11)"),
            (r#"{"id":Kim}"#, "ogiltig JSON (rad 1, tecken 7)"),
            (r#"{"id":"#, "texten slutar i förtid (rad 1, tecken 6)"),
        ];
        for (json, expected) in table {
            assert_eq!(place(&decode::<Shape>(json).unwrap_err()), expected, "{json}");
        }
    }

    #[test]
    fn other_faults_stay_faults() {
        for json in [r#""\u12""#, r#""\ud83d"#, r#""\q""#, "\"a\0b\"", ""] {
            assert!(decode::<String>(json).is_err(), "{json}");
        }
    }
}
