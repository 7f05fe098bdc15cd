//! The connector against the simulator.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::{ItemKind, Presence};
use crate::evidence::warrant::RemovalWarrant;
use crate::platforms::conformance::{self, Collected, World, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::linkedin::LinkedIn;
use crate::platforms::push::{Callback, Subscribed};
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::linkedin::{self as simulate, Options, Own, Simulator};
use crate::platforms::testing::stage::{
    self, a_lost_answer_can_be_found_out, a_refusal_stops_nothing_else, faults_have_their_classes,
    few, first_item, many, warrant,
};
use crate::platforms::testing::{self, at};
use crate::platforms::{Platform, Receipt};
use crate::runtime::clock::TestClock;

type Stage = stage::Stage<simulate::LinkedIn, LinkedIn>;

async fn stage(options: Options) -> Stage {
    let connect =
        |simulator: &Simulator, clock| LinkedIn::new(simulator.settings(), clock).unwrap();
    stage::set(options, connect).await
}

/// Enough for several pages, of posts' comments and of the answers to one.
fn large() -> Options {
    let own = Own { most: 10, ..Own::default() };
    Options { own, ..many(90, |n| if n % 40 == 7 { 25 } else { 0 }) }
}

/// Posts are opened by their age: whoever writes there is seen when a post's time has come.
struct Later<'a> {
    simulator: &'a Simulator,
    clock: &'a TestClock,
}

#[async_trait]
impl World for Later<'_> {
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>> {
        World::truth(self.simulator).await
    }

    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId {
        let id = World::write(self.simulator, text, parent).await;
        self.clock.advance(SignedDuration::from_mins(61));
        id
    }

    async fn edit(&self, id: &PlatformItemId, text: &str) {
        World::edit(self.simulator, id, text).await;
    }

    async fn remove(&self, id: &PlatformItemId) {
        World::remove(self.simulator, id).await;
    }
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    for options in [few(), large()] {
        let Stage { simulator, account: linkedin, clock } = stage(options).await;
        let world = Later { simulator: &simulator, clock: &clock };
        conformance::everything(&linkedin, &world, &RemovalWarrant::for_test).await;
    }
}

#[tokio::test]
async fn a_comment_is_read_with_all_that_is_given() {
    let Stage { account: linkedin, simulator, .. } = stage(few()).await;
    let all = fetch_all(&linkedin, None).await.unwrap();
    let question = &all.items[&simulator.id(222_000_000_000_001)];
    let answer = &all.items[&simulator.id(222_000_000_000_002)];
    assert_eq!((question.kind, answer.kind), (ItemKind::Comment, ItemKind::Reply));
    assert_eq!(question.author.name, None, "names are not given out");
    assert_eq!(question.post_id.as_ref().unwrap().as_str(), "urn:li:share:111000000000001");
    assert_eq!(question.presence, Presence::Visible);
    let link = question.permalink.as_ref().unwrap().url.clone();
    let page = reqwest::get(link).await.unwrap();
    assert_eq!(page.headers()["x-uppsikt-simulator"], "linkedin");
    assert!(page.text().await.unwrap().contains("(simulerad)"));
}

#[tokio::test]
async fn an_edit_is_told_with_its_time() {
    let Stage { account: linkedin, simulator, clock } = stage(few()).await;
    let id = simulator.id(simulator.write("Kim Exempel", "Första", None));
    let before = fetch_all(&linkedin, None).await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    simulator.edit(&id, "Andra").await;
    let after = fetch_all(&linkedin, before.cursor.as_ref()).await.unwrap();
    assert_eq!(after.items[&id].edited_at, Some(at("2026-11-21T14:00:00Z")));
}

#[tokio::test]
async fn that_others_comments_cannot_be_deleted_is_learnt_by_trying() {
    let Stage { account: linkedin, simulator: _running, .. } =
        stage(Options { own: Own { deletes_others: false, ..Own::default() }, ..few() }).await;
    let item = first_item(&linkedin).await;
    assert!(Platform::capabilities(&linkedin).delete.is_native());
    let error = linkedin.delete(warrant(&item)).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
    assert!(!Platform::capabilities(&linkedin).delete.is_native(), "remembered");
    assert_eq!(linkedin.delete(warrant(&item)).await, PlatformError::not_offered("delete"));
}

#[tokio::test]
async fn posts_are_opened_by_their_age_and_within_the_calls_of_a_day() {
    let Stage { account: linkedin, simulator, clock } =
        stage(Options { own: Own { calls_per_day: 100, ..Own::default() }, ..few() }).await;
    let mut cursor = fetch_all(&linkedin, None).await.unwrap().cursor;
    let comments = || simulator.calls().iter().filter(|call| call.ends_with("/comments")).count();
    let first = comments();
    cursor = fetch_all(&linkedin, cursor.as_ref()).await.unwrap().cursor;
    assert_eq!(comments(), first, "their hour has not come");
    for _ in 0..48 {
        clock.advance(SignedDuration::from_hours(1));
        match fetch_all(&linkedin, cursor.as_ref()).await {
            Ok(all) => cursor = all.cursor,
            Err(PlatformError::Throttled { lane: Lane::Call, .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(simulator.overspent(), 0);
    let item = first_item(&linkedin).await;
    assert!(matches!(linkedin.reply(&item, "Det går att svara", "n").await, Ok(Receipt::Done(_))));
}

#[tokio::test]
async fn every_fault_has_its_class_and_the_next_try_goes_through() {
    let Stage { simulator, account: linkedin, .. } = stage(few()).await;
    let table = [
        (Fault::AppLimit { minutes: 7 }, "quota_gone"),
        (Fault::ExpiredToken, "reauth_needed"),
        (Fault::ServerError, "transient"),
        (Fault::HtmlPage, "transient"),
        (Fault::BrokenJson, "transient"),
        (Fault::LostAnswer, "transient"),
    ];
    faults_have_their_classes(&linkedin, simulator.front(), &table).await;
}

#[tokio::test]
async fn a_lost_answer_to_an_act_is_told_as_unknown_and_can_be_found_out() {
    let Stage { simulator, account: linkedin, .. } = stage(few()).await;
    a_lost_answer_can_be_found_out(&linkedin, simulator.front(), 0).await;
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(8, async |storm| {
        let Stage { simulator, account: linkedin, clock } =
            stage(Options { own: Own { most: 3, ..Own::default() }, ..few() }).await;
        let front = simulator.front();
        storm.rage(Arc::new(linkedin), &simulator, front, &clock).await;
        assert_eq!(simulator.overspent(), 0, "no call is made that is not there");
    });
}

#[tokio::test]
async fn a_post_whose_comments_are_not_given_stops_no_other() {
    let Stage { simulator, account: linkedin, clock } = stage(many(9, |_| 0)).await;
    let name = |all: &Collected| {
        let post = all.items.values().find_map(|item| item.post_id.clone()).unwrap();
        post.as_str().rsplit(':').next().unwrap().to_owned()
    };
    a_refusal_stops_nothing_else(&linkedin, simulator.front(), &clock, name).await;
}

#[tokio::test]
async fn pushes_are_asked_for_where_the_settings_name_app_and_person() {
    let Stage { simulator, account: linkedin, .. } = stage(few()).await;
    let callback = testing::callback();
    let without = Callback { person: None, ..callback.clone() };
    assert_eq!(linkedin.subscribe(&without).await, Ok(Subscribed::ByHand));
    assert_eq!(simulator.subscription(), None);
    for _ in 0..2 {
        assert_eq!(linkedin.subscribe(&callback).await, Ok(Subscribed::Yes));
    }
    let (key, address) = simulator.subscription().unwrap();
    assert_eq!(address, callback.url.as_str());
    insta::assert_snapshot!(key, @"(developerApplication:urn%3Ali%3AdeveloperApplication%3A4711,user:urn%3Ali%3Aperson%3AaBcDeF1234,entity:urn%3Ali%3Aorganization%3A90009,eventType:ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS)");
}
