//! Connector and simulator were written from one sheet, so that they agree with each other proves little: here
//! both are held against the lexicons of the network.

use std::collections::BTreeSet;

use crate::platforms::simulate::server::Exchange;
use crate::platforms::testing::published;

use super::*;

const PUBLISHED: &str = include_str!("../../../../fixtures/platforms/bluesky/published.json");

fn broken_by(exchange: &Exchange) -> Vec<String> {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    published::broken_by(exchange, &published, "/xrpc/")
}

#[tokio::test]
async fn requests_and_answers_are_as_the_lexicons_have_them() {
    let stage = stage().await;
    stage.simulator.fill(3);
    stage.simulator.front().record();
    conformance::everything(&stage.bluesky, &stage.simulator, &RemovalWarrant::for_test).await;
    let (_, comment) = answered(&stage).await;
    stage.bluesky.report(&comment, "Olaga hot").await.unwrap();
    stage.simulator.expire();
    stage.bluesky.read_live(&comment).await.unwrap();
    let exchanges = stage.simulator.front().exchanges();
    insta::assert_snapshot!(published::called(&exchanges));
    let found: BTreeSet<_> = exchanges.iter().flat_map(broken_by).collect();
    assert_eq!(found, BTreeSet::new());
}

#[test]
fn what_is_not_in_the_lexicons_is_found() {
    let call = |method: &str, uri: &str, body: &str, answer: &str| {
        let exchange = Exchange {
            method: method.into(),
            uri: uri.into(),
            body: body.into(),
            answer: answer.into(),
        };
        broken_by(&exchange)
    };
    let post = r#"{"$type":"app.bsky.feed.post","text":"x"}"#;
    let put =
        |record: &str| format!(r#"{{"repo":"a","collection":"b","rkey":"c","record":{record}}}"#);
    let table = [
        call("GET", "/xrpc/app.bsky.feed.getPosts", "", r#"{"posts":[]}"#),
        call("GET", "/xrpc/app.bsky.feed.getPosts?uris=a&nya=b", "", r#"{"posts":[]}"#),
        call("GET", "/xrpc/app.bsky.feed.getPosts?uris=a", "", r#"{"posts":[{"uri":"x"}]}"#),
        call("POST", "/xrpc/com.atproto.repo.putRecord", &put(post), "{}"),
        call("POST", "/xrpc/com.atproto.repo.putRecord", &put(r#"{"$type":"x"}"#), "{}"),
        call("POST", "/xrpc/app.bsky.feed.like", "{}", "{}"),
    ];
    for found in table {
        assert!(!found.is_empty());
    }
}
