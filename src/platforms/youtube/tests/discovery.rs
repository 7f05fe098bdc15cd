//! Connector and simulator were written from one sheet, so that they agree with each other proves
//! little: here both are held against the names, types and values that Google publishes.

use serde_json::Value;

use crate::platforms::conformance;
use crate::platforms::simulate::server::Exchange;
use crate::platforms::testing::published;

use super::*;

const PUBLISHED: &str = include_str!("../../../../fixtures/platforms/youtube/discovery.json");

fn broken_by(exchange: &Exchange, published: &Value) -> Vec<String> {
    published::broken_by(exchange, published, "/youtube/v3/")
}

#[tokio::test]
async fn requests_and_answers_are_as_google_publishes_them() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let own = Own { shown: 1, ..Own::default() };
    let Stage { simulator, account: youtube, .. } = stage(Options { own, ..large() }).await;
    simulator.front().record();
    conformance::everything(&youtube, &simulator, &RemovalWarrant::for_test).await;
    let exchanges = simulator.front().exchanges();
    insta::assert_snapshot!(published::called(&exchanges), @"
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
