//! What is asked of Graph and answered, held against the names and types that Meta publishes with its client
//! packages: fields that are asked for, parameters that are sent, and what stands in answers.

use serde_json::Value;

use crate::platforms::simulate::graph::fields;
use crate::platforms::simulate::server::Exchange;
use crate::platforms::testing::published::broken;

pub const PUBLISHED: &str = include_str!("../../../fixtures/platforms/meta/published.json");

/// Parameters that every call may have.
const COMMON: &[&str] = &["fields", "limit", "after", "ids", "access_token", "appsecret_proof"];

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Of what kind a node is, and the elements of an edge; nothing for what is not published.
pub trait Kinds {
    fn node(&self, id: &str) -> Option<&'static str>;

    /// Of what kind those are that an edge of a node lists.
    fn edge(&self, node: &str, edge: &str) -> Option<&'static str>;
}

/// What a call and its answer break of what was published.
pub fn broken_by(exchange: &Exchange, published: &Value, kinds: &dyn Kinds) -> Vec<String> {
    let mut found = Vec::new();
    let (path, query) = exchange.uri.split_once('?').unwrap_or((&exchange.uri, ""));
    let mut segments = path.trim_matches('/').split('/').skip(1);
    let (node, edge) = (segments.next().unwrap_or_default(), segments.next());
    let name = format!("{} {node}/{}", exchange.method, edge.unwrap_or_default());
    let mut sent: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    match serde_json::from_slice::<Value>(&exchange.body) {
        Ok(Value::Object(body)) => sent.extend(body.into_iter().map(|(n, v)| (n, v.to_string()))),
        Ok(_) | Err(_) => {
            sent.extend(url::form_urlencoded::parse(&exchange.body).into_owned());
        }
    }
    let ids = sent.iter().find(|(name, _)| name == "ids").map(|(_, ids)| ids.clone());
    let kind = match (edge, &ids) {
        (Some(edge), _) => kinds.edge(node, edge),
        (None, Some(ids)) => kinds.node(ids.split(',').next().unwrap_or_default()),
        (None, None) => kinds.node(node),
    };
    if let Some(edge) = edge
        && let Some(of) = kinds.node(node)
    {
        match &published["methods"][format!("{} {of}/{edge}", exchange.method)] {
            Value::Null => found.push(format!("{name}: no such edge of {of}")),
            method => {
                let known: Vec<_> = names(&method["parameters"]).collect();
                for (parameter, _) in &sent {
                    if !known.contains(&parameter.as_str()) && !COMMON.contains(&parameter.as_str())
                    {
                        found.push(format!("{name}: no parameter {parameter}"));
                    }
                }
                for needed in names(&method["required"]) {
                    if sent.iter().all(|(name, _)| name != needed) {
                        found.push(format!("{name}: {needed} is missing"));
                    }
                }
            }
        }
    }
    let Some(kind) = kind else { return found };
    let schema = &published["schemas"][kind];
    let beside = [&published["edges"][kind], &published["documented"][kind]];
    let may_stand = |field: &str| {
        schema.get(field).is_some() || beside.iter().any(|list| names(list).any(|n| n == field))
    };
    if let Some((_, wanted)) = sent.iter().find(|(name, _)| name == "fields") {
        for (field, _) in fields(wanted) {
            if !may_stand(&field) {
                found.push(format!("{name}: {kind} has no field {field}"));
            }
        }
    }
    let Ok(answer) = serde_json::from_str::<Value>(&exchange.answer) else { return found };
    if exchange.method != "GET" || answer.get("error").is_some() {
        return found;
    }
    let elements: Vec<&Value> = match (&answer["data"], &answer) {
        (Value::Array(all), _) if edge.is_some() => all.iter().collect(),
        (_, Value::Object(all)) if ids.is_some() => all.values().collect(),
        (_, one) => vec![one],
    };
    for element in elements {
        for (field, value) in element.as_object().into_iter().flatten() {
            match schema.get(field) {
                Some(kind) => {
                    let (schemas, place) = (&published["schemas"], format!("{name}.{field}"));
                    broken(value, kind, schemas, &place, &mut found);
                }
                None if may_stand(field) => {}
                None => found.push(format!("{name}.{field}: no field of {kind}")),
            }
        }
    }
    found
}
