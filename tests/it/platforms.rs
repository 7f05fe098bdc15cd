//! The platform layer as the rest of the program sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use uppsikt::domain::ids::{AccountKey, PlatformItemId};
use uppsikt::platforms::conformance::{self, World, fetch_all};
use uppsikt::platforms::facebook::Facebook;
use uppsikt::platforms::limit::{Limited, Limits};
use uppsikt::platforms::simulate::facebook::{Options, Simulator};
use uppsikt::platforms::simulate::faults::{Fault, Faults};
use uppsikt::platforms::simulate::script::Script;
use uppsikt::runtime::clock::Clock;

const POSTS: &str = include_str!("../../fixtures/platforms/facebook/posts.json");
const COMMENTS: &str = include_str!("../../fixtures/platforms/facebook/demo.jsonl");

struct Page(Simulator);

#[async_trait]
impl World for Page {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        self.0
            .truth()
            .into_iter()
            .filter(|comment| !comment.deleted)
            .map(|comment| (PlatformItemId::new(comment.number.to_string()), Some(comment.text)))
            .collect()
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let parent = parent.map(|id| id.as_str().parse().unwrap());
        PlatformItemId::new(self.0.write("Kim Exempel", text, parent).to_string())
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        self.0.edit(id.as_str().parse().unwrap(), text);
    }

    async fn remove(&self, id: &PlatformItemId) {
        self.0.delete(id.as_str().parse().unwrap());
    }
}

/// On the machine's clock, through the limits, as the program runs it.
#[tokio::test]
async fn a_simulated_page_is_read_and_answered_through_the_limits() {
    let script = Script::read(POSTS, COMMENTS).unwrap();
    let simulator = Simulator::start(Options::new(script), Clock::system()).await.unwrap();
    let facebook = Facebook::new(simulator.settings(), Clock::system()).unwrap();
    let limits = Arc::new(Limits::new(Clock::system()));
    let account = Limited::new(Arc::new(facebook), AccountKey::new("sidan"), limits);
    let page = Page(simulator);
    conformance::the_connection_is_whole(&account).await;
    conformance::a_fetch_from_scratch_sees_everything(&account, &page).await;
    conformance::an_answer_can_be_found_again(&account, &page).await;
    conformance::an_edit_becomes_known(&account, &page).await;
}

#[tokio::test]
async fn every_answer_of_a_simulator_is_labelled_even_the_failing_ones() {
    let script = Script::read(POSTS, COMMENTS).unwrap();
    let faults = Faults { seed: 1, per_thousand: 500, kinds: Fault::MILD.to_vec() };
    let options = Options { faults, ..Options::new(script) };
    let simulator = Simulator::start(options, Clock::system()).await.unwrap();
    for _ in 0..12 {
        let answer = reqwest::get(simulator.base().join("v26.0/me").unwrap()).await.unwrap();
        assert_eq!(answer.headers()["x-uppsikt-simulator"], "facebook");
    }
    let facebook = Facebook::new(simulator.settings(), Clock::system()).unwrap();
    // With half of the calls failing, a read is a matter of trying.
    for _ in 0..100 {
        if fetch_all(&facebook, None).await.is_ok() {
            return;
        }
    }
    panic!("a hundred tries have not been enough");
}

#[tokio::test]
async fn a_simulator_is_not_to_be_reached_from_outside() {
    let mut options = Options::new(Script::default());
    options.listen = "0.0.0.0:0".parse().unwrap();
    let error = Simulator::start(options, Clock::system()).await.unwrap_err();
    assert!(error.to_string().contains("loopback"));
}
