//! Connector and simulator were written from one sheet, so that they agree with each other proves
//! little: here both are held against the names, types and values that Google publishes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::platforms::conformance;
use crate::platforms::simulate::server::Exchange;

use super::*;

const PUBLISHED: &str = include_str!("../../../../fixtures/platforms/youtube/discovery.json");

/// What a value breaks of a published type.
fn broken(value: &Value, kind: &Value, schemas: &Value, place: &str, found: &mut Vec<String>) {
    match kind {
        Value::String(name) => match name.as_str() {
            "string" if value.is_string() => {}
            "boolean" if value.is_boolean() => {}
            "integer" if value.is_u64() => {}
            "string" | "boolean" | "integer" => found.push(format!("{place}: not a {name}")),
            schema => {
                let Some(fields) = value.as_object() else {
                    return found.push(format!("{place}: not a {schema}"));
                };
                for (field, value) in fields {
                    let place = format!("{place}.{field}");
                    match schemas[schema].get(field) {
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
        _ => found.push(format!("{place}: the fixture is wrong")),
    }
}

fn broken_by(exchange: &Exchange, published: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (path, query) = exchange.uri.split_once('?').unwrap_or((&exchange.uri, ""));
    let Some(path) = path.strip_prefix("/youtube/v3/") else { return found };
    let name = format!("{} {path}", exchange.method);
    let method = &published["methods"][&name];
    if method.is_null() {
        return vec![format!("{name}: no method")];
    }
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    for required in method["required"].as_array().unwrap() {
        if !query.contains_key(required.as_str().unwrap()) {
            found.push(format!("{name}: {required} is missing"));
        }
    }
    for (parameter, value) in &query {
        let fits = match method["parameters"].get(parameter) {
            None => false,
            Some(Value::Array(values)) => values.iter().any(|v| v.as_str() == Some(value)),
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
        (Some(kind), Some(answer)) if answer.get("error").is_none() => {
            broken(&answer, kind, schemas, &name, &mut found);
        }
        _ => {}
    }
    found
}

#[tokio::test]
async fn requests_and_answers_are_as_google_publishes_them() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let own = Own { shown: 1, ..Own::default() };
    let Stage { simulator, account: youtube, .. } = stage(Options { own, ..large() }).await;
    simulator.front().record();
    conformance::everything(&youtube, &simulator, &RemovalWarrant::for_test).await;
    let exchanges = simulator.front().exchanges();
    let mut methods: Vec<_> = exchanges
        .iter()
        .map(|e| format!("{} {}", e.method, e.uri.split('?').next().unwrap()))
        .collect();
    methods.sort();
    methods.dedup();
    insta::assert_snapshot!(methods.join("\n"), @"
    GET /youtube/v3/channels
    GET /youtube/v3/commentThreads
    GET /youtube/v3/comments
    GET /youtube/v3/videos
    POST /token
    POST /youtube/v3/comments
    POST /youtube/v3/comments/setModerationStatus
    ");
    let found: Vec<_> = exchanges.iter().flat_map(|e| broken_by(e, &published)).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_is_not_published_is_found() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let call = |method: &str, uri: &str, body: &str, answer: &str| {
        let exchange = Exchange {
            method: method.into(),
            uri: uri.into(),
            body: body.into(),
            answer: answer.into(),
        };
        broken_by(&exchange, &published)
    };
    let table = [
        call("GET", "/youtube/v3/commentThreads?part=snippet&order=oldest", "", "{}"),
        call("GET", "/youtube/v3/commentThreads?channelId=UC", "", "{}"),
        call("POST", "/youtube/v3/comments/markAsSpam?id=a", "", ""),
        call("POST", "/youtube/v3/comments?part=snippet", r#"{"snippet":{"text":"x"}}"#, "{}"),
        call("GET", "/youtube/v3/comments?part=snippet", "", r#"{"items":[{"id":7}]}"#),
    ];
    for found in table {
        assert!(!found.is_empty());
    }
}
