//! Pushes of a platform: where they say to look is looked, once, and a stranger brings about nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::harness::{Stage, idle, services_of_all};
use crate::domain::account::PlatformKind;
use crate::domain::ids::{AccountKey, VersionId};
use crate::evidence::fetch::FetchLimits;
use crate::platforms::facebook::Facebook;
use crate::platforms::hooks::{Hook, HookSettings};
use crate::runtime::secret::Secret;
use crate::services::push::PushError;
use crate::services::{Served, Services};

const SECRET: &str = "appens-hemlighet";
/// Two Pages of one app, the second of which has the address.
const PAGE: &str = "100000000000009";
const OTHER: &str = "100000000000008";

fn hook(account: &str, secret: &str) -> Option<Arc<dyn crate::platforms::push::PushSource>> {
    let settings = HookSettings {
        kind: PlatformKind::Facebook,
        account: account.into(),
        secret: Secret::new(secret),
        verify: Some(Secret::new("ordet")),
        callback: None,
    };
    Some(Arc::new(Hook::new(settings)?))
}

/// The stage's account, and another of the same app that takes the pushes.
async fn stage() -> Stage {
    let mut stage = Stage::new().await;
    stage.services = served(&stage).await;
    stage
}

/// A process that has just begun on what is stored.
async fn served(stage: &Stage) -> Services {
    let (store, clock) = (stage.store().clone(), stage.clock.clone());
    let mut all = Vec::new();
    for (key, page) in [("facebook", PAGE), ("sidan", OTHER)] {
        let account = store
            .ensure_account(
                AccountKey::new(key),
                PlatformKind::Facebook,
                key.into(),
                true,
                clock.clock().now(),
            )
            .await
            .unwrap();
        let connector = Facebook::new(stage.simulator.settings(), clock.clock()).unwrap();
        all.push(Served {
            account,
            platform: Arc::new(connector),
            interval: Duration::from_secs(3_600),
            policy: None,
            token_expires: None,
            push: hook(page, SECRET),
            private_at: None,
        });
    }
    let evidence = stage.services.inner.evidence.clone();
    let dir = stage.dir.path().to_owned();
    services_of_all(&dir, &clock, store, evidence, all, FetchLimits::default())
}

async fn poll(stage: &Stage) {
    stage.services.begin_polls().await.unwrap();
    idle(&stage.services.inner.polls).await;
}

fn signed(body: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// As Meta pushes it, of the first Page.
fn told(post: &str, comment: &str, time: u32) -> String {
    format!(
        r#"{{"object":"page","entry":[{{"id":"{PAGE}","time":{time},"changes":[{{"field":"feed","value":{{"item":"comment","verb":"edited","comment_id":"{comment}","post_id":"{post}","parent_id":"{post}"}}}}]}}]}}"#
    )
}

async fn pushed(stage: &Stage, body: &str, signature: &str) -> Result<String, PushError> {
    let headers = [("x-hub-signature-256", signature)];
    let key = AccountKey::new("sidan");
    stage.services.may_push(&key, &headers)?;
    Ok(stage.services.take_push(&key, &headers, body.as_bytes()).await?.answer)
}

/// How an item stands, and its version, as the database has it.
fn stored(stage: &Stage, id: &str) -> Option<(String, i64)> {
    let database = rusqlite::Connection::open(stage.dir.path().join("uppsikt.db")).unwrap();
    let asked = "select presence, current_version_id from items
                 where platform_id = ?1 and account_id = ?2";
    let of = rusqlite::params![id, stage.account.0];
    database.query_row(asked, of, |row| Ok((row.get(0)?, row.get(1)?))).ok()
}

async fn text_of(stage: &Stage, id: &str) -> Option<String> {
    let (_, version) = stored(stage, id)?;
    Some(stage.store().version(VersionId(version)).await.unwrap().text)
}

#[tokio::test]
async fn an_edit_that_is_pushed_is_read_at_once_and_by_its_id() {
    let stage = stage().await;
    let number = stage.simulator.write("Kim Exempel", "Första lydelsen", None);
    poll(&stage).await;
    assert_eq!(text_of(&stage, &number.to_string()).await.unwrap(), "Första lydelsen");
    // An edit moves no count, so that the next walk alone would not open the post.
    stage.clock.advance(SignedDuration::from_secs(30));
    stage.simulator.edit(number, "Andra lydelsen");
    let post = stage.simulator.truth()[0].post;
    let body = told(&format!("{PAGE}_{post}"), &format!("{post}_{number}"), 1);
    poll(&stage).await;
    assert_eq!(text_of(&stage, &number.to_string()).await.unwrap(), "Första lydelsen");
    // Whoever does not know the secret has nothing read.
    let calls = stage.simulator.calls().len();
    let wrong = signed("{}");
    let error = pushed(&stage, &body, &wrong).await.unwrap_err();
    assert!(matches!(error, PushError::Signature(_)), "{error:?}");
    let error = pushed(&stage, &body, "sha256=00").await.unwrap_err();
    assert!(matches!(error, PushError::Signature(_)), "{error:?}");
    poll(&stage).await;
    assert_eq!(stage.simulator.calls().len(), calls);
    // Pushed to the address of the other Page, whose app is the same.
    let answer = pushed(&stage, &body, &signed(&body)).await.unwrap();
    poll(&stage).await;
    assert_eq!(text_of(&stage, &number.to_string()).await.unwrap(), "Andra lydelsen");
    // The same again brings about nothing.
    let calls = stage.simulator.calls().len();
    stage.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(pushed(&stage, &body, &signed(&body)).await.unwrap(), answer);
    poll(&stage).await;
    assert_eq!(stage.simulator.calls().len(), calls, "a replay has nothing read");
}

#[tokio::test]
async fn a_deletion_that_is_pushed_is_seen_and_a_flood_is_not_answered_with_one() {
    let stage = stage().await;
    let number = stage.simulator.write("Kim Exempel", "Ska bort", None);
    poll(&stage).await;
    stage.simulator.delete(number);
    let post = stage.simulator.truth()[0].post;
    stage.clock.advance(SignedDuration::from_secs(30));
    let calls = stage.simulator.calls().len();
    for time in 0..50 {
        let body = told(&format!("{PAGE}_{post}"), &format!("{post}_{number}"), time);
        pushed(&stage, &body, &signed(&body)).await.unwrap();
        poll(&stage).await;
    }
    assert_eq!(stored(&stage, &number.to_string()).unwrap().0, "gone");
    let made = stage.simulator.calls().len() - calls;
    assert!(made < 20, "{made} calls for fifty pushes within a moment");
}

#[tokio::test]
async fn what_was_pushed_is_read_although_the_program_died_after_its_answer() {
    let mut stage = stage().await;
    let number = stage.simulator.write("Kim Exempel", "Första lydelsen", None);
    poll(&stage).await;
    stage.clock.advance(SignedDuration::from_secs(30));
    stage.simulator.edit(number, "Andra lydelsen");
    let post = stage.simulator.truth()[0].post;
    let body = told(&format!("{PAGE}_{post}"), &format!("{post}_{number}"), 1);
    pushed(&stage, &body, &signed(&body)).await.unwrap();
    // Nothing of what is in memory is left, and the walk alone would not see an edit.
    stage.services = served(&stage).await;
    poll(&stage).await;
    assert_eq!(text_of(&stage, &number.to_string()).await.unwrap(), "Andra lydelsen");
    let calls = stage.simulator.calls().len();
    stage.clock.advance(SignedDuration::from_secs(3_700));
    poll(&stage).await;
    let again = &stage.simulator.calls()[calls..];
    let by_id = format!("GET /v26.0/{post}_{number}");
    assert!(again.iter().all(|call| *call != by_id), "it is read once: {again:?}");
}

#[tokio::test]
async fn a_mention_comes_with_its_text_to_the_page_that_it_names() {
    let stage = stage().await;
    poll(&stage).await;
    let mention = |verb: &str, time: u32| {
        format!(
            r#"{{"object":"page","entry":[{{"id":"{PAGE}","time":{time},"changes":[{{"field":"mention","value":{{"item":"comment","verb":"{verb}","comment_id":"9_77","post_id":"55_9","message":"Skäms, @Exempelstad"}}}}]}}]}}"#
        )
    };
    let body = mention("add", 1);
    // Pushed to the address of the other Page.
    let answer = pushed(&stage, &body, &signed(&body)).await.unwrap();
    assert!(answer.contains("\"accepted\":1"), "{answer}");
    assert_eq!(text_of(&stage, "77").await.unwrap(), "Skäms, @Exempelstad");
    let body = mention("remove", 2);
    pushed(&stage, &body, &signed(&body)).await.unwrap();
    assert_eq!(stored(&stage, "77").unwrap().0, "gone");
}

#[tokio::test]
async fn a_page_of_another_app_is_not_read_for_whoever_pushes() {
    let stage = stage().await;
    poll(&stage).await;
    stage.clock.advance(SignedDuration::from_secs(30));
    let calls = stage.simulator.calls().len();
    let body = told("55_1", "1_2", 1).replace(PAGE, "55");
    pushed(&stage, &body, &signed(&body)).await.unwrap();
    poll(&stage).await;
    assert_eq!(stage.simulator.calls().len(), calls);
    let key = AccountKey::new("sidan");
    let asked = [("hub.mode", "subscribe"), ("hub.verify_token", "ordet"), ("hub.challenge", "42")];
    assert_eq!(stage.services.shake_hands(&key, &asked).as_deref(), Some("42"));
    assert_eq!(stage.services.shake_hands(&AccountKey::new("ingen"), &asked), None);
}
