//! The platform layer as the rest of the program sees it.

use std::sync::Arc;

use uppsikt::domain::ids::AccountKey;
use uppsikt::platforms::bluesky::Bluesky;
use uppsikt::platforms::conformance::{self, fetch_all};
use uppsikt::platforms::facebook::Facebook;
use uppsikt::platforms::limit::{Limited, Limits};
use uppsikt::platforms::simulate::bluesky;
use uppsikt::platforms::simulate::facebook::{Options, Simulator};
use uppsikt::platforms::simulate::faults::{Fault, Faults};
use uppsikt::platforms::simulate::script::Script;
use uppsikt::platforms::simulate::{flickr, instagram, linkedin, reddit, tiktok, x, youtube};
use uppsikt::runtime::clock::Clock;

const POSTS: &str = include_str!("../../fixtures/platforms/facebook/posts.json");
const COMMENTS: &str = include_str!("../../fixtures/platforms/facebook/demo.jsonl");

/// On the machine's clock, through the limits, as the program runs it.
#[tokio::test]
async fn a_simulated_page_is_read_and_answered_through_the_limits() {
    let script = Script::read(POSTS, COMMENTS).unwrap();
    let simulator = Simulator::start(Options::new(script), Clock::system()).await.unwrap();
    let facebook = Facebook::new(simulator.settings(), Clock::system()).unwrap();
    let limits = Arc::new(Limits::new(Clock::system()));
    let account = Limited::new(Arc::new(facebook), AccountKey::new("sidan"), limits);
    conformance::the_connection_is_whole(&account).await;
    conformance::a_fetch_from_scratch_sees_everything(&account, &simulator).await;
    conformance::an_answer_can_be_found_again(&account, &simulator).await;
    conformance::an_edit_becomes_known(&account, &simulator).await;
}

#[tokio::test]
async fn a_simulated_bluesky_is_read_and_answered_through_the_limits() {
    let options = bluesky::Options::default();
    let simulator = bluesky::Simulator::start(options, Clock::system()).await.unwrap();
    simulator.fill(5);
    let connector = Bluesky::new(simulator.settings(), Clock::system()).unwrap();
    let limits = Arc::new(Limits::new(Clock::system()));
    let account = Limited::new(Arc::new(connector), AccountKey::new("himlen"), limits);
    conformance::the_connection_is_whole(&account).await;
    conformance::reading_holds(&account, &simulator).await;
    conformance::an_answer_can_be_found_again(&account, &simulator).await;
    let faults = Faults { seed: 1, per_thousand: 500, kinds: Fault::MILD.to_vec() };
    let options = bluesky::Options { faults, ..bluesky::Options::default() };
    let simulator = bluesky::Simulator::start(options, Clock::system()).await.unwrap();
    for path in ["xrpc/x", "xrpc/com.atproto.server.getSession", "profile/a/post/b"].repeat(4) {
        let answer = reqwest::get(simulator.base().join(path).unwrap()).await.unwrap();
        assert_eq!(answer.headers()["x-uppsikt-simulator"], "bluesky");
    }
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
async fn the_later_simulators_label_their_answers_too() {
    let kinds = Fault::MENU.iter().map(|(_, fault)| *fault);
    let kinds = kinds.filter(|fault| !matches!(fault, Fault::Slow(_))).collect();
    let faults = Faults { seed: 1, per_thousand: 500, kinds };
    let script = || Script::read(POSTS, COMMENTS).unwrap();
    let clock = Clock::system;
    let options =
        instagram::Options { faults: faults.clone(), ..instagram::Options::new(script()) };
    let instagram = instagram::Simulator::start(options, clock()).await.unwrap();
    let options = youtube::Options { faults: faults.clone(), ..youtube::Options::new(script()) };
    let youtube = youtube::Simulator::start(options, clock()).await.unwrap();
    let options = linkedin::Options { faults: faults.clone(), ..linkedin::Options::new(script()) };
    let linkedin = linkedin::Simulator::start(options, clock()).await.unwrap();
    let options = reddit::Options { faults: faults.clone(), ..reddit::Options::new(script()) };
    let reddit = reddit::Simulator::start(options, clock()).await.unwrap();
    let options = tiktok::Options { faults: faults.clone(), ..tiktok::Options::new(script()) };
    let tiktok = tiktok::Simulator::start(options, clock()).await.unwrap();
    let options = flickr::Options { faults: faults.clone(), ..flickr::Options::new(script()) };
    let flickr = flickr::Simulator::start(options, clock()).await.unwrap();
    let options = x::Options { faults, ..x::Options::new(script()) };
    let x = x::Simulator::start(options, clock()).await.unwrap();
    let table = [
        (instagram.base(), "instagram", ["v26.0/me", "v26.0/1/comments?after=x", "p/7/"]),
        (youtube.base(), "youtube", ["youtube/v3/channels", "token", "watch?v=vid00000001"]),
        (
            linkedin.base(),
            "linkedin",
            ["rest/posts?start=3", "rest/x", "feed/update/urn:li:share:7"],
        ),
        (reddit.base(), "reddit", ["api/v1/me", "r/x/new?after=t1_a", "r/x/comments/a/b/c/"]),
        (
            tiktok.base(),
            "tiktok",
            ["open_api/v1.3/business/video/list/", "x?cursor=3", "@kommun/video/7"],
        ),
        (
            flickr.base(),
            "flickr",
            ["services/rest/?method=x", "services/rest/?page=2", "photos/a/7/"],
        ),
        (x.base(), "x", ["2/users/me", "2/oauth2/token", "kim/status/7"]),
    ];
    for (base, name, paths) in table {
        for path in paths.repeat(6) {
            let answer = reqwest::get(base.join(path).unwrap()).await.unwrap();
            assert_eq!(answer.headers()["x-uppsikt-simulator"], name, "{path}");
        }
    }
}

#[tokio::test]
async fn a_simulator_is_not_to_be_reached_from_outside() {
    let mut options = Options::new(Script::default());
    options.listen = "0.0.0.0:0".parse().unwrap();
    let error = Simulator::start(options, Clock::system()).await.unwrap_err();
    assert!(error.to_string().contains("loopback"));
}
