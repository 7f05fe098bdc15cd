//! The one serialisation that hashes are taken of: the *JSON Canonicalization Scheme*, RFC 8785.
//!
//! No white space; an object's members sorted by the UTF-16 code units of their names; strings
//! with the shortest escapes. Numbers are whole numbers that every JSON reader keeps exactly,
//! ±(2⁵³ − 1): for these RFC 8785 and a plain decimal agree. Fractions are refused, since nothing
//! that we seal is measured in them, and their shortest form is where canonicalisers have
//! disagreed. Larger numbers must be written as strings, as RFC 8785 (section 3.1) says too.
//!
//! Two values that are equal give the same bytes, whatever order their members were written in;
//! a name that occurs twice is refused.

mod ser;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::domain::ids::ContentHash;
use ser::{Node, ToNode};

/// The largest whole number that every JSON reader keeps exactly.
pub const LARGEST: i128 = (1 << 53) - 1;

/// The value has no canonical form.
#[derive(Debug, thiserror::Error)]
#[error("no canonical JSON at `{}`: {problem}", shown_path(.path))]
pub struct CanonicalError {
    /// Names and indices from the inside out.
    path: Vec<String>,
    /// What is wrong there.
    pub problem: Problem,
}

/// Why a value has no canonical form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A number with a fraction, or one that is not a number.
    #[error("fractions are not sealed; write whole numbers of a smaller unit")]
    Fraction,
    /// A whole number beyond ±(2⁵³ − 1).
    #[error("a whole number beyond 2^53 - 1; write it as a string")]
    LargeNumber,
    /// Two members of one object have the same name.
    #[error("the name `{0}` occurs twice in one object")]
    NameTwice(String),
    /// A map's key is neither text nor a whole number.
    #[error("an object's names must be text or whole numbers")]
    KeyNotText,
    /// Ready-made JSON text, whose form is not ours.
    #[error("raw JSON cannot be made canonical; parse it first")]
    Raw,
    /// The value itself refused to be written.
    #[error("{0}")]
    Value(String),
}

impl CanonicalError {
    fn new(problem: Problem) -> Self {
        Self { path: Vec::new(), problem }
    }

    fn within(mut self, name: impl Into<String>) -> Self {
        self.path.push(name.into());
        self
    }
}

impl serde::ser::Error for CanonicalError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(Problem::Value(message.to_string()))
    }
}

fn shown_path(path: &[String]) -> String {
    let mut shown = String::from("$");
    for step in path.iter().rev() {
        shown.push('.');
        shown.push_str(step);
    }
    shown
}

/// The canonical bytes, UTF-8 without a byte order mark or a final newline.
///
/// # Errors
/// [`CanonicalError`] names the place and the mend.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let node = value.serialize(ToNode)?;
    let mut out = Vec::new();
    write(&node, &mut out);
    Ok(out)
}

/// The canonical bytes and their SHA-256 digest.
///
/// # Errors
/// As [`to_vec`].
pub fn to_vec_and_hash<T: Serialize + ?Sized>(
    value: &T,
) -> Result<(Vec<u8>, ContentHash), CanonicalError> {
    let bytes = to_vec(value)?;
    let hash = ContentHash::of(&bytes);
    Ok((bytes, hash))
}

/// Whether `bytes` are JSON in its canonical form: what a verifier asks of a stored manifest
/// before it trusts that equal content means equal hash.
pub fn is_canonical(bytes: &[u8]) -> bool {
    // Members that occur twice are lost in parsing, and then the lengths differ.
    serde_json::from_slice::<serde_json::Value>(bytes)
        .is_ok_and(|value| to_vec(&value).is_ok_and(|canonical| canonical == bytes))
}

fn write(node: &Node, out: &mut Vec<u8>) {
    match node {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Bool(true) => out.extend_from_slice(b"true"),
        Node::Bool(false) => out.extend_from_slice(b"false"),
        Node::Whole(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Node::Text(text) => write_text(text, out),
        Node::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Node::Object(members) => {
            out.push(b'{');
            for (i, (name, value)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_text(name, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

/// RFC 8785, section 3.2.2.2.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0C => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0x00..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            0x20.. => out.push(byte),
        }
    }
    out.push(b'"');
}
