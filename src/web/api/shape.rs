//! What goes over the wire, described once: a type and its JSON schema come from the same lines, and what comes in is
//! held to the schema that the document shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value, json};

use super::problem::Fault;

/// The schemas that have a name, for the document.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(pub(super) BTreeMap<&'static str, Value>);

/// Something with a schema.
pub(super) trait Shape {
    /// Whether it may be left out.
    const OPTIONAL: bool = false;

    /// Its schema; whatever has a name is made known and pointed to.
    fn schema(known: &mut Known) -> Value;
}

impl Shape for String {
    fn schema(_: &mut Known) -> Value {
        json!({ "type": "string" })
    }
}

impl Shape for bool {
    fn schema(_: &mut Known) -> Value {
        json!({ "type": "boolean" })
    }
}

/// The largest whole number that every reader of JSON keeps.
pub(super) const LARGEST: i64 = 9_007_199_254_740_991;

impl Shape for i64 {
    fn schema(_: &mut Known) -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": LARGEST })
    }
}

impl Shape for u64 {
    fn schema(known: &mut Known) -> Value {
        i64::schema(known)
    }
}

impl Shape for u32 {
    fn schema(_: &mut Known) -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
    }
}

impl Shape for Timestamp {
    fn schema(_: &mut Known) -> Value {
        json!({ "type": "string", "format": "date-time" })
    }
}

impl Shape for jiff::civil::Date {
    fn schema(_: &mut Known) -> Value {
        json!({ "type": "string", "format": "date" })
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(known: &mut Known) -> Value {
        json!({ "type": "array", "items": T::schema(known) })
    }
}

impl<T: Shape> Shape for Option<T> {
    const OPTIONAL: bool = true;

    fn schema(known: &mut Known) -> Value {
        let mut schema = T::schema(known);
        match schema.get("type").cloned() {
            Some(Value::String(kind)) => {
                schema["type"] = json!([kind, "null"]);
                schema
            }
            _ => json!({ "anyOf": [schema, { "type": "null" }] }),
        }
    }
}

/// One property of an object.
pub(super) struct Property {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) optional: bool,
    pub(super) schema: Value,
}

impl Known {
    /// Makes an object known and points to it.
    pub(super) fn object(
        &mut self,
        name: &'static str,
        text: &'static str,
        properties: impl FnOnce(&mut Self) -> Vec<Property>,
    ) -> Value {
        if !self.0.contains_key(name) {
            self.0.insert(name, Value::Null);
            let mut described = Map::new();
            let mut required = Vec::new();
            for Property { name, text, optional, mut schema } in properties(self) {
                if schema.get("$ref").is_none() {
                    schema["description"] = json!(text);
                }
                if !optional {
                    required.push(name);
                }
                described.insert(name.to_owned(), schema);
            }
            let schema = json!({
                "type": "object", "description": text, "properties": described,
                "required": required, "additionalProperties": false,
            });
            self.0.insert(name, schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// A schema with bounds of its own.
pub(super) fn bounded(mut schema: Value, bounds: Value) -> Value {
    if let (Some(schema), Value::Object(bounds)) = (schema.as_object_mut(), bounds) {
        // Whatever may be nothing may be nothing within bounds too.
        let nullable = schema.get("type").is_some_and(|kind| kind.is_array());
        for (name, mut bound) in bounds {
            if name == "enum"
                && nullable
                && let Some(words) = bound.as_array_mut()
            {
                words.push(Value::Null);
            }
            schema.insert(name, bound);
        }
    }
    schema
}

/// One of these words.
pub(super) fn one_of(words: impl IntoIterator<Item = &'static str>) -> Value {
    json!({ "enum": words.into_iter().collect::<Vec<_>>() })
}

/// Writes a type together with its schema: the words stand in the document and on the page.
macro_rules! shape {
    ($(#[$meta:meta])* $title:literal $name:ident {
        $($text:literal $field:ident : $kind:ty $(= $bounds:expr)?),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $(#[doc = $text] pub(super) $field: $kind,)*
        }

        impl $crate::web::api::shape::Shape for $name {
            fn schema(known: &mut $crate::web::api::shape::Known) -> serde_json::Value {
                known.object(stringify!($name), $title, |known| vec![
                    $($crate::web::api::shape::Property {
                        name: stringify!($field).trim_start_matches("r#"),
                        text: $text,
                        optional: <$kind as $crate::web::api::shape::Shape>::OPTIONAL,
                        schema: {
                            let schema = <$kind as $crate::web::api::shape::Shape>::schema(known);
                            $(let schema = $crate::web::api::shape::bounded(schema, $bounds);)?
                            schema
                        },
                    },)*
                ])
            }
        }
    };
}

/// Whole numbers as such: to a schema `15.0` is one too, to whoever reads it afterwards it is not.
pub(super) fn settle(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= LARGEST as f64);
            if let Some(whole) = whole.filter(|_| number.is_f64()) {
                *value = json!(whole as i64);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(settle),
        Value::Object(fields) => fields.values_mut().for_each(settle),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// How a value breaks a schema: every fault with its place.
pub(super) fn faults(schema: &Value, value: &Value, known: &Known) -> Vec<Fault> {
    let mut found = Vec::new();
    check(schema, value, known, "", &mut found);
    found
}

fn check(schema: &Value, value: &Value, known: &Known, at: &str, found: &mut Vec<Fault>) {
    // Who sends nonsense needs no list of all of it.
    if found.len() >= 20 {
        return;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or_default();
        if let Some(schema) = known.0.get(name) {
            check(schema, value, known, at, found);
        }
        return;
    }
    if let Some(ways) = schema.get("anyOf").and_then(Value::as_array) {
        let mut first = Vec::new();
        for (n, way) in ways.iter().enumerate() {
            let mut here = Vec::new();
            check(way, value, known, at, &mut here);
            if here.is_empty() {
                return;
            }
            if n == 0 {
                first = here;
            }
        }
        found.append(&mut first);
        return;
    }
    let mut fault = |problem: String| found.push(Fault { pointer: at.to_owned(), problem });
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        Some(_) | None => Vec::new(),
    };
    let is = |kind: &&str| match *kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    if !kinds.is_empty() && !kinds.iter().any(is) {
        let words: Vec<_> = kinds.iter().map(|kind| kind_words(kind)).collect();
        return fault(format!("ska vara {}", words.join(" eller ")));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        return fault(format!("ska vara ett av {}", words.join(", ")));
    }
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    match value {
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or(i64::MAX);
            if bound("minimum").is_some_and(|least| number < least)
                || bound("maximum").is_some_and(|most| number > most)
            {
                let (least, most) = (bound("minimum"), bound("maximum"));
                fault(format!(
                    "ska ligga mellan {} och {}",
                    least.unwrap_or(0),
                    most.unwrap_or(LARGEST)
                ));
            }
        }
        Value::String(text) => {
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            if bound("minLength").is_some_and(|least| length < least) {
                fault(format!("är för kort: minst {} tecken", bound("minLength").unwrap_or(1)));
            }
            if bound("maxLength").is_some_and(|most| length > most) {
                fault(format!("är för långt: högst {} tecken", bound("maxLength").unwrap_or(0)));
            }
            let pattern = schema.get("pattern").and_then(Value::as_str);
            if pattern.is_some_and(|p| !Regex::new(p).is_ok_and(|p| p.is_match(text))) {
                fault(format!("har inte formen {}", pattern.unwrap_or_default()));
            }
            match schema.get("format").and_then(Value::as_str) {
                Some("date-time") if text.parse::<Timestamp>().is_err() => {
                    fault("ska vara en tid som 2026-11-23T08:00:00Z".into());
                }
                Some("date") if text.parse::<jiff::civil::Date>().is_err() => {
                    fault("ska vara en dag som 2026-11-23".into());
                }
                Some(_) | None => {}
            }
        }
        Value::Array(values) => {
            let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
            if bound("minItems").is_some_and(|least| length < least)
                || bound("maxItems").is_some_and(|most| length > most)
            {
                let (least, most) = (bound("minItems"), bound("maxItems"));
                fault(format!(
                    "ska ha {} till {} delar",
                    least.unwrap_or(0),
                    most.unwrap_or(LARGEST)
                ));
            }
            if let Some(items) = schema.get("items") {
                for (n, value) in values.iter().enumerate() {
                    check(items, value, known, &format!("{at}/{n}"), found);
                }
            }
        }
        Value::Object(fields) => {
            let described = schema.get("properties").and_then(Value::as_object);
            for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
                let name = name.as_str().unwrap_or_default();
                if !fields.contains_key(name) {
                    found.push(Fault { pointer: format!("{at}/{name}"), problem: "saknas".into() });
                }
            }
            for (name, value) in fields {
                let at = format!("{at}/{name}");
                match described.and_then(|described| described.get(name)) {
                    Some(schema) => check(schema, value, known, &at, found),
                    None => {
                        let problem = "är inget fält här".to_owned();
                        found.push(Fault { pointer: at.chars().take(100).collect(), problem });
                    }
                }
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn kind_words(kind: &str) -> &'static str {
    match kind {
        "null" => "null",
        "boolean" => "true eller false",
        "integer" => "ett heltal",
        "string" => "text",
        "array" => "en lista",
        _ => "ett objekt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    shape! {
        "Ett prov"
        Probe {
            "Ett ord" word: String = json!({ "minLength": 2, "maxLength": 4, "pattern": "^[a-zå]+$" }),
            "Ett val" choice: Option<String> = one_of(["ett", "två"]),
            "Ett tal" number: Option<u32> = json!({ "maximum": 10 }),
            "En tid" at: Option<Timestamp>,
            "Delar" parts: Option<Vec<Part>> = json!({ "maxItems": 2 }),
        }
    }

    shape! {
        "En del"
        Part { "En dag" day: jiff::civil::Date }
    }

    #[test]
    fn what_comes_in_is_held_to_the_schema_and_told_where_it_fails() {
        let mut known = Known::default();
        let schema = Probe::schema(&mut known);
        for (value, faulty) in [
            (json!({ "word": "få" }), ""),
            (
                json!({ "word": "ab", "choice": null, "number": null, "at": null, "parts": null }),
                "",
            ),
            (
                json!({ "word": "ab", "at": "2026-11-23T08:00:00+01:00", "parts": [{ "day": "2026-11-23" }] }),
                "",
            ),
            (json!({}), "/word"),
            (json!([]), ""),
            (json!({ "word": "a" }), "/word"),
            (json!({ "word": "abcde" }), "/word"),
            (json!({ "word": "AB" }), "/word"),
            (json!({ "word": 1 }), "/word"),
            (json!({ "word": "ab", "choice": "tre" }), "/choice"),
            (json!({ "word": "ab", "number": 11 }), "/number"),
            (json!({ "word": "ab", "number": -1 }), "/number"),
            (json!({ "word": "ab", "number": 1.5 }), "/number"),
            (json!({ "word": "ab", "at": "i går" }), "/at"),
            (json!({ "word": "ab", "parts": [{ "day": "2026-02-30" }] }), "/parts/0/day"),
            (json!({ "word": "ab", "parts": [{ "day": "2026-02-03" }, 1, 2] }), "/parts"),
            (json!({ "word": "ab", "annat": 1 }), "/annat"),
        ] {
            let found = faults(&schema, &value, &known);
            if faulty.is_empty() && value.is_object() {
                assert!(found.is_empty(), "{value}: {found:?}");
                serde_json::from_value::<Probe>(value.clone())
                    .unwrap_or_else(|e| panic!("{value}: {e}"));
            } else {
                assert_eq!(found.first().map(|f| f.pointer.as_str()), Some(faulty), "{value}");
            }
        }
        assert_eq!(known.0.len(), 2, "both have their names");
        let mut settled = json!({ "word": "ab", "number": 7.0, "parts": [1.5, -0.0, 1e300] });
        settle(&mut settled);
        assert_eq!(settled, json!({ "word": "ab", "number": 7, "parts": [1.5, 0, 1e300] }));
    }
}
