//! A connector before its simulator, at a time that tests own.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::SignedDuration;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::ItemKind;
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{Collected, World, fetch_all};
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::server::Front;
use crate::platforms::simulate::stage::{Options, Play, Simulator};
use crate::platforms::testing::{NOW, at};
use crate::platforms::{Platform, Receipt, Sought};
use crate::runtime::clock::{Clock, TestClock};

const POSTS: &str = include_str!("../../../fixtures/platforms/facebook/posts.json");
const COMMENTS: &str = include_str!("../../../fixtures/platforms/facebook/demo.jsonl");

pub struct Stage<P: Play, C> {
    pub simulator: Simulator<P>,
    pub account: C,
    pub clock: TestClock,
}

pub async fn set<P: Play, C>(
    options: Options<P::Own>,
    connect: impl FnOnce(&Simulator<P>, Clock) -> C,
) -> Stage<P, C> {
    let clock = TestClock::at(at(NOW));
    let simulator = Simulator::start(options, clock.clock()).await.unwrap();
    let account = connect(&simulator, clock.clock());
    Stage { simulator, account, clock }
}

/// A few comments, with an edit and a deletion to come.
pub fn few<O: Default>() -> Options<O> {
    Options::new(Script::read(POSTS, COMMENTS).unwrap())
}

/// So many comments, one in three of them under the second post, each with so many answers.
pub fn many<O: Default>(comments: usize, answers: impl Fn(usize) -> usize) -> Options<O> {
    let mut lines = String::new();
    let mut line = |key: &str, parent: &str, post: &str, text: &str| {
        writeln!(lines, r#"{{"key":"{key}","post":"{post}"{parent},"name":"Kim Exempel","text":"{text}","after_s":0}}"#)
            .unwrap();
    };
    for n in 0..comments {
        let post = if n % 3 == 0 { "vag" } else { "bad" };
        line(&format!("k{n}"), "", post, &format!("Kommentar {n}"));
        for answer in 0..answers(n) {
            let parent = format!(r#","parent":"k{n}""#);
            line(&format!("k{n}s{answer}"), &parent, post, &format!("Svar {answer} på {n}"));
        }
    }
    Options::new(Script::read(POSTS, &lines).unwrap())
}

/// The same where so many calls of a thousand go wrong, in all the ways there are. Waiting for
/// nothing takes time, so that is left out.
pub fn troubled<O>(options: Options<O>, per_thousand: u16) -> Options<O> {
    let kinds = Fault::MENU.iter().map(|(_, fault)| *fault);
    let kinds =
        kinds.filter(|fault| !matches!(fault, Fault::Slow(_) | Fault::Late { .. })).collect();
    Options { faults: Faults { seed: 42, per_thousand, kinds }, ..options }
}

pub fn warrant(item: &ItemAddress) -> RemovalWarrant {
    RemovalWarrant::for_test(item.clone())
}

/// What the platform shows later than it was written, with its old time, is found all the same.
pub async fn what_is_shown_late_is_found(
    platform: &dyn Platform,
    world: &dyn World,
    front: &Front,
    clock: &TestClock,
) {
    let before = fetch_all(platform, None).await.unwrap();
    front.fail_next(Fault::Late { seconds: 60 }, 1);
    let at_once = fetch_all(platform, before.cursor.as_ref()).await.unwrap();
    clock.advance(SignedDuration::from_secs(5));
    let late = world.write("Visas sent", None).await;
    clock.advance(SignedDuration::from_secs(20));
    let meanwhile = fetch_all(platform, at_once.cursor.as_ref()).await.unwrap();
    assert!(!meanwhile.items.contains_key(&late), "it is not shown yet");
    let mut cursor = meanwhile.cursor;
    for _ in 0..4 {
        clock.advance(SignedDuration::from_mins(20));
        let later = fetch_all(platform, cursor.as_ref()).await.unwrap();
        if later.items.contains_key(&late) {
            return;
        }
        cursor = later.cursor;
    }
    panic!("what was shown late is never found");
}

/// A comment that is there.
pub async fn first_item(platform: &dyn Platform) -> ItemAddress {
    let all = fetch_all(platform, None).await.unwrap();
    let mut comments = all.items.values().filter(|item| item.kind == ItemKind::Comment);
    ItemAddress::from(comments.next().unwrap())
}

/// Reading fails as told, and goes through at the next try.
pub async fn faults_have_their_classes(
    platform: &dyn Platform,
    front: &Front,
    table: &[(Fault, &str)],
) {
    platform.fetch(None, None).await.unwrap();
    for (fault, class) in table {
        front.fail_next(*fault, 1);
        let error = platform.fetch(None, None).await.unwrap_err();
        assert_eq!(error.class(), *class, "{fault:?}: {error:?}");
        assert!(!error.may_have_acted(), "{fault:?}: reading never acts");
        platform.fetch(None, None).await.unwrap();
    }
}

/// What the platform does not give to us stops nothing else, is told, and comes when it is given again.
/// `name` stands in every call for it. Gives the ids that were not given.
pub async fn a_refusal_stops_nothing_else(
    platform: &dyn Platform,
    front: &Front,
    clock: &TestClock,
    name: impl FnOnce(&Collected) -> String,
) -> BTreeSet<PlatformItemId> {
    let before = fetch_all(platform, None).await.unwrap();
    front.refuse(&name(&before));
    let without = fetch_all(platform, None).await.expect("the walk goes on");
    assert!(!without.gaps.is_empty(), "it is told");
    let ids = |all: &Collected| all.items.keys().cloned().collect::<BTreeSet<_>>();
    let lost = &ids(&before) - &ids(&without);
    assert!(!lost.is_empty() && lost.len() < before.items.len(), "{lost:?} of {before:?}");
    front.give_all();
    clock.advance(SignedDuration::from_secs(61));
    let after = fetch_all(platform, without.cursor.as_ref()).await.unwrap();
    assert!(lost.is_subset(&ids(&after)), "{lost:?} come with the next walk");
    lost
}

/// Of an answer that went out and was not confirmed nobody claims to know, until it is looked for.
/// So many calls are made before the one that answers.
pub async fn a_lost_answer_can_be_found_out(
    platform: &dyn Platform,
    front: &Front,
    calls_before: usize,
) {
    let item = first_item(platform).await;
    front.fail_next(Fault::Slow(std::time::Duration::ZERO), calls_before);
    front.fail_next(Fault::LostAnswer, 1);
    let error = platform.reply(&item, "Svar", "nyckel").await.unwrap_err();
    assert!(error.may_have_acted(), "{error:?}");
    let found = platform.find_reply(&item, &Sought::ever("Svar", "nyckel")).await.unwrap();
    assert!(matches!(found, Some(Receipt::AlreadySo(_))), "it had gone out");
}
