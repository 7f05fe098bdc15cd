//! What is sent and answered, held against names, types and values that a platform publishes. Connector
//! and simulator were written from one sheet, so that they agree with each other proves little.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::platforms::simulate::server::Exchange;

/// What a value breaks of a published type.
pub fn broken(value: &Value, kind: &Value, schemas: &Value, place: &str, found: &mut Vec<String>) {
    match kind {
        // What may be nothing.
        Value::String(name) if value.is_null() && name.ends_with('?') => {}
        Value::String(name) => match name.trim_end_matches('?') {
            "string" if value.is_string() => {}
            "boolean" if value.is_boolean() => {}
            // What is not used is not held to anything.
            "any" => {}
            "integer" if value.is_u64() => {}
            "string" | "boolean" | "integer" => found.push(format!("{place}: not a {name}")),
            schema => {
                let Some(fields) = value.as_object() else {
                    return found.push(format!("{place}: not a {schema}"));
                };
                let needed = schemas["needed"][schema].as_array().into_iter().flatten();
                for needed in needed.filter_map(Value::as_str) {
                    if !fields.contains_key(needed) {
                        found.push(format!("{place}: {needed} of {schema} is missing"));
                    }
                }
                // By its own word for what it is an object is told apart from others, and not described.
                for (field, value) in fields.iter().filter(|(field, _)| *field != "$type") {
                    let place = format!("{place}.{field}");
                    match named(&schemas[schema], field) {
                        Some(kind) => broken(value, kind, schemas, &place, found),
                        None => found.push(format!("{place}: no field of {schema}")),
                    }
                }
            }
        },
        Value::Array(of) => {
            let Some(elements) = value.as_array() else {
                return found.push(format!("{place}: no list"));
            };
            for element in elements {
                broken(element, &of[0], schemas, place, found);
            }
        }
        // One of several, told apart by what it says of itself.
        Value::Object(of) if of.contains_key("union") => {
            let own = value["$type"].as_str().unwrap_or_default();
            match of["union"].get(own) {
                Some(kind) => broken(value, kind, schemas, place, found),
                None => found.push(format!("{place}: {own} cannot stand there")),
            }
        }
        _ => found.push(format!("{place}: the fixture is wrong")),
    }
}

/// A name as it was published, or as the platform's documentation calls the same: where one says
/// "post" the other says "tweet".
fn named<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    of.get(name).or_else(|| of.get(name.replace("tweet", "post")))
}

/// The published method that is called so: parts of a path in braces stand for anything.
fn method<'a>(published: &'a Value, name: &str) -> Option<&'a Value> {
    let fits = |template: &str| {
        let (template, name): (Vec<_>, Vec<_>) =
            (template.split('/').collect(), name.split('/').collect());
        template.len() == name.len()
            && template.iter().zip(name).all(|(t, n)| *t == n || t.starts_with('{'))
    };
    let all = published["methods"].as_object()?;
    all.get(name).or_else(|| all.iter().find(|(template, _)| fits(template)).map(|(_, m)| m))
}

/// Method and path of each kind of call, in order.
pub fn called(exchanges: &[Exchange]) -> String {
    let calls = exchanges.iter().map(|e| {
        let path = e.uri.split('?').next().unwrap_or_default();
        let part = |part: &str| match part.len() > 8 && part.bytes().any(|b| b.is_ascii_digit()) {
            true => "{}".to_owned(),
            false => part.to_owned(),
        };
        let path: Vec<_> = path.split('/').map(part).collect();
        format!("{} {}", e.method, path.join("/"))
    });
    let calls: BTreeSet<_> = calls.collect();
    calls.into_iter().collect::<Vec<_>>().join("\n")
}

/// What a call and its answer break of what was published. Only calls below `root` are meant.
pub fn broken_by(exchange: &Exchange, published: &Value, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (path, query) = exchange.uri.split_once('?').unwrap_or((&exchange.uri, ""));
    let Some(path) = path.strip_prefix(root) else { return found };
    let name = format!("{} {path}", exchange.method);
    let Some(method) = method(published, &name) else {
        return vec![format!("{name}: no method")];
    };
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    for required in method["required"].as_array().unwrap() {
        if !query.contains_key(required.as_str().unwrap()) {
            found.push(format!("{name}: {required} is missing"));
        }
    }
    for (parameter, value) in &query {
        let fits = match named(&method["parameters"], parameter) {
            None => false,
            Some(Value::Array(values)) => values.iter().any(|v| v.as_str() == Some(value)),
            Some(Value::Object(kind)) => value.split(',').all(|one| {
                let each = kind["each"].as_array().map(Vec::as_slice).unwrap_or_default();
                // Where the platform contradicts itself, either of its words is good.
                let documented = published["documented"].as_array();
                let mut all = each.iter().chain(documented.into_iter().flatten());
                all.any(|v| v == one || *v == one.replace("tweet", "post"))
            }),
            Some(kind) if kind == "integer" => value.parse::<u32>().is_ok(),
            Some(kind) if kind == "boolean" => value == "true" || value == "false",
            Some(_) => true,
        };
        if !fits {
            found.push(format!("{name}: {parameter}={value}"));
        }
    }
    let schemas = &published["schemas"];
    let body = serde_json::from_slice::<Value>(&exchange.body).ok();
    match (method.get("request"), body) {
        (Some(kind), Some(body)) => broken(&body, kind, schemas, &name, &mut found),
        (None, None) => {}
        (_, _) => found.push(format!("{name}: a body where there is none, or none where there is")),
    }
    match (method.get("response"), serde_json::from_str::<Value>(&exchange.answer).ok()) {
        (Some(kind), Some(answer))
            if answer.get("error").is_none() && answer.get("title").is_none() =>
        {
            broken(&answer, kind, schemas, &name, &mut found);
        }
        _ => {}
    }
    found
}

/// Every name in a value, those of what stands in it included.
pub fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(name.clone());
                names(value, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| names(element, found)),
        _ => {}
    }
}

/// What a form or a query says.
pub fn said(text: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
