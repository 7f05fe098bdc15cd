//! YAML as far as recordings need it: one document of mappings, lists and scalars, all scalars as texts but
//! whole numbers and null that stand bare. Anchors, aliases and own tags are refused, `!!binary` becomes what
//! it stands for in base64.

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

/// So deep nothing that was recorded is.
const DEEPEST: usize = 32;

/// The name under which `!!binary` is handed on, in base64.
pub const BINARY: &str = "!!binary";

/// Reads one document.
///
/// # Errors
/// What is wrong, and in which line.
pub fn read(text: &str) -> Result<Value, String> {
    // What is being filled, with the key that waits for its value.
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    let mut whole = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let at = |what: &str| format!("{what}, line {}", span.start.line());
        let done = match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => None,
            Event::Alias(_) => return Err(at("an alias")),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return Err(at("an anchor"));
            }
            Event::Scalar(text, style, _, tag) => {
                Some(scalar(&text, style, tag.as_deref()).ok_or_else(|| at("an unknown tag"))?)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == DEEPEST => {
                return Err(at("too deep"));
            }
            Event::SequenceStart(..) => {
                open.push((Value::Array(Vec::new()), None));
                None
            }
            Event::MappingStart(..) => {
                open.push((Value::Object(Map::new()), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|(value, _)| value),
        };
        let Some(value) = done else { continue };
        match open.last_mut() {
            None if whole.is_some() => return Err(at("a second document")),
            None => whole = Some(value),
            Some((Value::Object(map), waiting)) => match waiting.take() {
                Some(key) => {
                    if map.insert(key, value).is_some() {
                        return Err(at("the same key twice"));
                    }
                }
                None => match value {
                    Value::String(key) => *waiting = Some(key),
                    Value::Number(key) => *waiting = Some(key.to_string()),
                    _ => return Err(at("a key that is no text")),
                },
            },
            Some((Value::Array(list), _)) => list.push(value),
            Some(_) => return Err(at("a value within a scalar")),
        }
    }
    whole.ok_or_else(|| "nothing".to_owned())
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Option<Value> {
    if let Some(tag) = tag {
        let is_core = tag.is_yaml_core_schema();
        return match tag.suffix.as_str() {
            "binary" if is_core => {
                let packed: String = text.split_whitespace().collect();
                Some(Value::Object(Map::from_iter([(BINARY.to_owned(), Value::String(packed))])))
            }
            "str" if is_core => Some(Value::String(text.to_owned())),
            "int" if is_core => text.parse::<i64>().ok().map(Value::from),
            _ => None,
        };
    }
    Some(match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null") => Value::Null,
        (ScalarStyle::Plain, text) => {
            text.parse::<i64>().map_or_else(|_| Value::String(text.to_owned()), Value::from)
        }
        (_, text) => Value::String(text.to_owned()),
    })
}
