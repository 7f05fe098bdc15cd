//! Forms with files (`multipart/form-data`, RFC 7578), read whole within the bounds of the route.
//!
//! Nothing of what a sender says of a file is believed: its name and type are passed over, and what
//! it is is told by its content where it is taken in.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use memchr::memmem;

/// More fields than any form of ours has.
const MOST_FIELDS: usize = 40;
/// The longest boundary that the standard allows.
const LONGEST_BOUNDARY: usize = 70;
/// The longest head of a part, in bytes.
const LONGEST_HEAD: usize = 8 * 1024;

/// One field as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the form.
    pub name: String,
    /// Whether it came as a file.
    pub is_file: bool,
    /// What it holds.
    pub bytes: Bytes,
}

/// The body is not a form of this kind, or is broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a whole multipart form: {0}")]
pub struct BadForm(&'static str);

/// The fields in the order in which they were sent.
///
/// # Errors
/// [`BadForm`].
pub fn fields(headers: &HeaderMap, body: &Bytes) -> Result<Vec<Field>, BadForm> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = kind.and_then(boundary).ok_or(BadForm("no boundary"))?;
    parse(&boundary, body)
}

fn boundary(kind: &str) -> Option<String> {
    let mut parts = kind.split(';');
    if !parts.next()?.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let given = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim())
    })?;
    let given = given.strip_prefix('"').and_then(|g| g.strip_suffix('"')).unwrap_or(given);
    let fits = (1..=LONGEST_BOUNDARY).contains(&given.len())
        && given.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    fits.then(|| given.to_owned())
}

fn parse(boundary: &str, body: &Bytes) -> Result<Vec<Field>, BadForm> {
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    // The first delimiter has no line break before it.
    let mut at = match body.strip_prefix(&delimiter.as_bytes()[2..]) {
        Some(_) => delimiter.len() - 2,
        None => finder.find(body).ok_or(BadForm("no part"))? + delimiter.len(),
    };
    let mut fields = Vec::new();
    loop {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return Ok(fields);
        }
        // Blanks may stand after a boundary.
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if !rest[blanks..].starts_with(b"\r\n") {
            return Err(BadForm("a boundary goes on"));
        }
        // A head may be empty, so its first line break belongs to what ends it.
        let head_from = at + blanks;
        let end =
            memmem::find(&body[head_from..], b"\r\n\r\n").ok_or(BadForm("no end of a head"))?;
        if end > LONGEST_HEAD {
            return Err(BadForm("a head that is too long"));
        }
        let from = head_from + end + 4;
        let length = finder.find(&body[from..]).ok_or(BadForm("no end of a part"))?;
        if fields.len() == MOST_FIELDS {
            return Err(BadForm("too many parts"));
        }
        let (name, is_file) = name(&body[head_from..head_from + end])?;
        fields.push(Field { name, is_file, bytes: body.slice(from..from + length) });
        at = from + length + delimiter.len();
    }
}

/// The field's name, and whether it is a file.
fn name(head: &[u8]) -> Result<(String, bool), BadForm> {
    let head = std::str::from_utf8(head).map_err(|_| BadForm("a head that is no text"))?;
    let disposition = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
        .map(|(_, value)| value)
        .ok_or(BadForm("a part without a name"))?;
    let name = parameter(disposition, "name").ok_or(BadForm("a part without a name"))?;
    let is_file = parameter(disposition, "filename").is_some()
        || disposition.to_ascii_lowercase().contains("filename*=");
    Ok((name, is_file))
}

/// A parameter of a header: quoted, with the quotes that browsers escape, or bare.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, value) = rest.split_once('=')?;
        let (value, after) = match value.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"')?;
                (&quoted[..end], &quoted[end + 1..])
            }
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (value[..end].trim(), &value[end..])
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.to_owned());
        }
        rest = after.trim_start().strip_prefix(';')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &[u8]) -> Result<Vec<Field>, BadForm> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        fields(&headers, &Bytes::copy_from_slice(body))
    }

    const KIND: &str = "multipart/form-data; boundary=x";

    #[test]
    fn a_form_with_a_file_is_read() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nHej\r\nd\xc3\xa5\r\n--x\r\n\
            content-disposition: form-data; name=\"bild\"; filename=\"../../etc/passwd\"\r\nContent-Type: text/html\r\n\r\n\
            \x89PNG\r\n--y\r\n--x\r\nContent-Disposition: form-data; name=tom\r\n\r\n\r\n--x--\r\n";
        let fields = read(KIND, body).unwrap();
        let all: Vec<_> =
            fields.iter().map(|f| (f.name.as_str(), f.is_file, f.bytes.as_ref())).collect();
        assert_eq!(
            all,
            [
                ("text", false, "Hej\r\ndå".as_bytes()),
                ("bild", true, b"\x89PNG\r\n--y"),
                ("tom", false, b""),
            ]
        );
        let quoted = read("Multipart/Form-Data; charset=utf-8; Boundary=\"x\"", body);
        assert_eq!(quoted.unwrap().len(), 3);
    }

    #[test]
    fn what_is_no_whole_form_is_refused() {
        let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        for (what, kind, body) in [
            ("another kind", "application/json", "{}".to_owned()),
            ("no boundary", "multipart/form-data", part.to_owned()),
            ("an empty boundary", "multipart/form-data; boundary=", part.to_owned()),
            ("nothing", KIND, String::new()),
            ("no end", KIND, part.to_owned()),
            ("half an end", KIND, format!("{part}--x")),
            ("a longer boundary", KIND, format!("{part}--xy--")),
            ("no name", KIND, "--x\r\nContent-Type: text/plain\r\n\r\n1\r\n--x--".to_owned()),
            ("no head", KIND, "--x\r\n1\r\n--x--".to_owned()),
            ("a long head", KIND, format!("--x\r\nA: {}\r\n\r\n1\r\n--x--", "b".repeat(9_000))),
            ("too many", KIND, format!("{}--x--", part.repeat(41))),
        ] {
            assert!(read(kind, body.as_bytes()).is_err(), "{what}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic(body in "(--x|\r\n|[-xa:;=\" ]|Content-Disposition: form-data; name=){0,60}") {
            let _ = read(KIND, body.as_bytes());
        }

        #[test]
        fn whatever_a_file_holds_comes_out_as_it_went_in(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let mut body = b"--grans-1\r\nContent-Disposition: form-data; name=\"bild\"; filename=\"a\"\r\n\r\n".to_vec();
            body.extend_from_slice(&bytes);
            body.extend_from_slice(b"\r\n--grans-1--\r\n");
            let fields = read("multipart/form-data; boundary=grans-1", &body).unwrap();
            proptest::prop_assert_eq!(fields[0].bytes.as_ref(), &bytes[..]);
        }
    }
}
