//! A platform that gives so many calls a day, through the daemon's own polls.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::account::PlatformKind;
use crate::domain::ids::AccountKey;
use crate::evidence::EvidenceStore;
use crate::platforms::linkedin::LinkedIn;
use crate::platforms::simulate::linkedin::{Options, Own, Simulator};
use crate::platforms::simulate::script::Script;
use crate::runtime::clock::TestClock;
use crate::services::Served;
use crate::services::tests::harness::{idle, services_of};
use crate::store::{self, Store};

/// Five posts, each with a comment.
fn script() -> Script {
    let keys = ["a", "b", "c", "d", "e"];
    let posts: Vec<_> = keys
        .iter()
        .map(|key| serde_json::json!({ "key": key, "title": key, "text": "Nu bygger vi." }))
        .collect();
    let comments: String = keys
        .iter()
        .map(|key| {
            let comment = serde_json::json!({
                "key": format!("{key}1"), "post": key, "name": "Kim Exempel", "text": "Bra!", "after_s": 0,
            });
            format!("{comment}\n")
        })
        .collect();
    Script::read(&serde_json::to_string(&posts).unwrap(), &comments).unwrap()
}

#[tokio::test]
async fn comments_are_read_all_day_long_with_the_calls_of_a_day() {
    let dir = tempfile::tempdir().unwrap();
    // Midnight, when the day's calls begin.
    let clock = TestClock::at("2026-11-22T00:00:00Z".parse::<Timestamp>().unwrap());
    let own = Own { calls_per_day: 100, ..Own::default() };
    let options = Options { own, ..Options::new(script()) };
    let simulator = Simulator::start(options, clock.clock()).await.unwrap();
    let store = Store::open(&store::Settings { path: dir.path().join("uppsikt.db") }).unwrap();
    let settings = crate::evidence::Settings::in_folder(dir.path().join("evidence"));
    let evidence = EvidenceStore::open(&settings, store.clone(), clock.clock()).unwrap();
    let key = AccountKey::new("linkedin");
    let (name, now) = ("Exempelstads kommun".to_owned(), clock.clock().now());
    let account = store.ensure_account(key, PlatformKind::LinkedIn, name, true, now).await.unwrap();
    let platform = Arc::new(LinkedIn::new(simulator.settings(), clock.clock()).unwrap());
    let interval = Duration::from_secs(3_600);
    let served = Served {
        account,
        platform,
        interval,
        policy: None,
        token_expires: None,
        push: None,
        private_at: None,
    };
    let services = services_of(dir.path(), &clock, store, evidence, served);
    let read = || simulator.calls().iter().filter(|call| call.ends_with("/comments")).count();
    let mut by_quarter = Vec::new();
    for _ in 0..4 {
        let before = read();
        for _ in 0..6 * 4 {
            clock.advance(SignedDuration::from_mins(15));
            services.begin_polls().await.unwrap();
            idle(&services.inner.polls).await;
        }
        by_quarter.push(read() - before);
    }
    assert!(by_quarter.iter().all(|n| *n >= 5), "each post in each quarter: {by_quarter:?}");
    assert_eq!(simulator.overspent(), 0);
}
