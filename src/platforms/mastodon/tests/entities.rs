//! Connector and fake were written from one sheet, so that they agree with each other proves little: here both are held
//! against what Mastodon publishes of its calls and entities.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::platforms::simulate::server::Exchange;
use crate::platforms::testing::published;

use super::*;

const PUBLISHED: &str = include_str!("../../../../fixtures/platforms/mastodon/published.json");

fn broken_by(exchange: &Exchange) -> Vec<String> {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    published::broken_by(exchange, &published, "/api/")
}

#[tokio::test]
async fn requests_and_answers_are_as_mastodon_publishes_them() {
    let Stage { fake, clock, .. } = stage(Manners::default()).await;
    let settings = MastodonSettings {
        server: fake.base().clone(),
        token: Secret::new("hemlig-nyckel"),
        moderator: true,
        limits: true,
        http: HttpSettings::loopback(),
    };
    let mastodon = Mastodon::new(settings, clock.clock()).unwrap();
    fake.set_scopes(&[
        "read",
        "write:statuses",
        "write:reports",
        "admin:read:reports",
        "admin:write",
    ]);
    fake.fill(3);
    fake.record();
    conformance::everything(&mastodon, &fake, &RemovalWarrant::for_test).await;
    let post = fake.post(KIM, "@kommunen ord", None, "public");
    fake.tell_moderators(post);
    let all = fetch_all(&mastodon, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&item_id(post)]);
    mastodon.report(&item, "Olaga hot").await.unwrap();
    mastodon.hide(RemovalWarrant::for_test(item.clone())).await.unwrap();
    mastodon.unhide(&item).await.unwrap();
    let sent = mastodon.reply(&item, "Svar", "n").await.unwrap();
    let Receipt::Done(own) = sent else { panic!("{sent:?}") };
    let own = ItemAddress { platform_id: crate::domain::ids::PlatformItemId::new(own), ..item };
    mastodon.delete(RemovalWarrant::for_test(own)).await.unwrap();
    let exchanges = fake.exchanges();
    insta::assert_snapshot!(published::called(&exchanges));
    let found: BTreeSet<_> = exchanges.iter().flat_map(broken_by).collect();
    assert_eq!(found, BTreeSet::new());
}

#[test]
fn what_mastodon_does_not_publish_is_found() {
    let call = |method: &str, uri: &str, body: &str, answer: &str| {
        let exchange = Exchange {
            method: method.into(),
            uri: uri.into(),
            body: body.into(),
            answer: answer.into(),
        };
        broken_by(&exchange)
    };
    for found in [
        call("GET", "/api/v1/notifications?order=new", "", "[]"),
        call("GET", "/api/v1/notifications", "", r#"[{"id":7}]"#),
        call("GET", "/api/v1/statuses/7", "", r#"{"id":"7","secret":true}"#),
        call("POST", "/api/v1/admin/accounts/7/action", r#"{"type":"silence","days":3}"#, "{}"),
        call("POST", "/api/v1/admin/accounts/7/silence", "{}", "{}"),
    ] {
        assert!(!found.is_empty());
    }
}
