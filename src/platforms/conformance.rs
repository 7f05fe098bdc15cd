//! What every connector must show, whatever stands behind it: plain functions over the trait, run
//! against simulators, small fakes and real servers. Which cases apply follows from the
//! capability record, and what a platform lacks must be refused by type.
//!
//! A broken promise panics with the promise's name. Each function leaves the world changed; the
//! order does not matter.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::domain::action::ActionKind;
use crate::domain::ids::{Cursor, PlatformItemId};
use crate::domain::item::{FetchedItem, FetchedPost, LiveReading, Presence, Unreadable};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{Offer, Told};
use crate::platforms::error::PlatformError;
use crate::platforms::{Platform, Receipt, Sought};

/// A walk that takes more steps than this goes round in circles.
const MOST_STEPS: usize = 2_000;

/// The people behind the platform: what they do there, and what is true there.
#[async_trait]
pub trait World: Send + Sync {
    /// Every item that is there in any state, with its plain text where the world knows it.
    async fn truth(&self) -> BTreeMap<PlatformItemId, Option<String>>;

    /// Somebody writes. Comes back when the platform shows it to us.
    async fn write(&self, text: &str, parent: Option<&PlatformItemId>) -> PlatformItemId;

    /// The author changes the text.
    async fn edit(&self, id: &PlatformItemId, text: &str);

    /// The author, or somebody else, deletes it for good.
    async fn remove(&self, id: &PlatformItemId);

    /// Comes back when the platform shows what we have written ourselves: on a real network that takes a while.
    async fn shows(&self, _: &PlatformItemId) {}
}

/// Makes the warrants that removing calls demand.
pub type Warrants<'a> = &'a (dyn Fn(ItemAddress) -> RemovalWarrant + Send + Sync);

/// What one whole walk gave.
#[derive(Debug, Default)]
pub struct Collected {
    /// The last reading of each item.
    pub items: BTreeMap<PlatformItemId, FetchedItem>,
    /// Posts.
    pub posts: Vec<FetchedPost>,
    /// Reported as deleted.
    pub gone: BTreeSet<PlatformItemId>,
    /// What the platform told that it did not give.
    pub gaps: Vec<String>,
    /// Elements that could not be read.
    pub unreadable: Vec<Unreadable>,
    /// The cursor as it stood after the last step.
    pub cursor: Option<Cursor>,
    /// How many steps it took.
    pub steps: usize,
}

/// Fetches until nothing more is to be had at once, as intake does.
///
/// # Errors
/// The first failure, with nothing else done.
pub async fn fetch_all(
    platform: &dyn Platform,
    cursor: Option<&Cursor>,
) -> Result<Collected, PlatformError> {
    let mut all = Collected { cursor: cursor.cloned(), ..Collected::default() };
    let mut walk = None;
    loop {
        let batch = platform.fetch(all.cursor.as_ref(), walk.as_ref()).await?;
        all.steps += 1;
        assert!(all.steps <= MOST_STEPS, "a walk ends");
        for item in batch.items {
            all.items.insert(item.platform_id.clone(), item);
        }
        for id in &batch.gone {
            all.items.remove(id);
        }
        all.posts.extend(batch.posts);
        all.gone.extend(batch.gone);
        all.unreadable.extend(batch.unreadable);
        all.gaps.extend(batch.gap);
        if batch.next.is_some() {
            all.cursor = batch.next;
        }
        walk = batch.walk;
        if walk.is_none() {
            return Ok(all);
        }
    }
}

/// The platform knows us, and nothing is missing.
pub async fn the_connection_is_whole(platform: &dyn Platform) {
    let report = platform.check().await.expect("the check is answered");
    assert!(!report.acting_as.is_empty(), "the platform knows us by a name");
    assert_eq!(report.missing, Vec::<String>::new(), "nothing is missing");
}

/// A fetch without cursor gives every item with its text, readable, under a known post.
pub async fn a_fetch_from_scratch_sees_everything(platform: &dyn Platform, world: &dyn World) {
    // Others may be writing meanwhile, so the truth is taken before and after.
    let truth = world.truth().await;
    let all = fetch_all(platform, None).await.expect("fetch from scratch");
    let later = world.truth().await;
    for id in truth.keys() {
        assert!(all.items.contains_key(id), "{id} is seen");
    }
    for id in all.items.keys() {
        assert!(later.contains_key(id), "{id} is there in truth");
    }
    for (id, text) in &truth {
        if let Some(text) = text {
            assert_eq!(&all.items[id].text, text, "{id} is seen as it stands");
        }
    }
    assert!(all.unreadable.is_empty(), "everything is readable");
    assert!(all.cursor.is_some(), "a cursor comes back");
    let posts: BTreeSet<_> = all.posts.iter().map(|post| &post.platform_id).collect();
    for item in all.items.values() {
        assert!(item.created_at.is_some(), "{}: a time", item.platform_id);
        assert!(!item.raw.is_empty(), "{}: the payload as received", item.platform_id);
        if let Some(post) = &item.post_id
            && !all.posts.is_empty()
        {
            assert!(posts.contains(post), "{}: its post comes along", item.platform_id);
        }
    }
}

/// Fetching again from the same cursor gives nothing that contradicts what came before.
pub async fn fetching_twice_changes_nothing(platform: &dyn Platform) {
    let first = fetch_all(platform, None).await.expect("first fetch");
    let again = fetch_all(platform, first.cursor.as_ref()).await.expect("second fetch");
    for (id, item) in &again.items {
        if let Some(before) = first.items.get(id) {
            assert_eq!(before.content_hash(), item.content_hash(), "{id}: the same version");
        }
    }
}

/// What is written after a fetch comes with the next one, answers included.
pub async fn a_later_fetch_sees_what_is_new(platform: &dyn Platform, world: &dyn World) {
    let before = fetch_all(platform, None).await.expect("first fetch");
    let new = world.write("Ny kommentar, åäö 😀", None).await;
    let answer = world.write("Svar på den nya", Some(&new)).await;
    let after = fetch_all(platform, before.cursor.as_ref()).await.expect("second fetch");
    let seen = after.items.get(&new).expect("the new comment is seen");
    assert_eq!(seen.text, "Ny kommentar, åäö 😀");
    let seen = after.items.get(&answer).expect("the new answer is seen");
    let above = (!lies_flat(platform)).then_some(&new);
    assert_eq!(seen.parent_id.as_ref(), above, "the answer knows what it answers");
}

/// A walk broken off after any number of steps and begun again from the stored cursor loses
/// nothing.
pub async fn a_broken_walk_loses_nothing(platform: &dyn Platform, world: &dyn World) {
    let truth: BTreeSet<_> = world.truth().await.into_keys().collect();
    let whole = fetch_all(platform, None).await.expect("a whole walk").steps;
    for broken_after in 1..=whole.min(8) {
        let mut seen = BTreeSet::new();
        let (mut cursor, mut walk) = (None, None);
        for _ in 0..broken_after {
            let batch = platform.fetch(cursor.as_ref(), walk.as_ref()).await.expect("a step");
            seen.extend(batch.items.into_iter().map(|item| item.platform_id));
            cursor = batch.next.or(cursor);
            walk = batch.walk;
        }
        let rest = fetch_all(platform, cursor.as_ref()).await.expect("the rest");
        seen.extend(rest.items.into_keys());
        assert!(truth.is_subset(&seen), "broken off after step {broken_after}: nothing is lost");
    }
}

/// An edit becomes known in the way the capability record says.
pub async fn an_edit_becomes_known(platform: &dyn Platform, world: &dyn World) {
    let id = world.write("Första lydelsen", None).await;
    let before = fetch_all(platform, None).await.expect("first fetch");
    let address = ItemAddress::from(&before.items[&id]);
    world.edit(&id, "Andra lydelsen").await;
    let text = match platform.capabilities().edits {
        Told::Pushed | Told::Flagged if pushes_whole_items(platform) => {
            let after = fetch_all(platform, before.cursor.as_ref()).await.expect("second fetch");
            after.items.get(&id).map(|item| item.text.clone())
        }
        Told::Pushed | Told::Flagged | Told::OnRead | Told::Silent => {
            match &platform.read_live_many(&[address]).await.expect("reading again")[..] {
                [Ok(LiveReading::Present(item))] => Some(item.text.clone()),
                other => panic!("one reading of a living item was expected, not {other:?}"),
            }
        }
    };
    assert_eq!(text.as_deref(), Some("Andra lydelsen"), "the edit becomes known");
}

/// Whether the source tells everything by itself and cannot be asked.
fn pushes_whole_items(platform: &dyn Platform) -> bool {
    platform.kind() == crate::domain::account::PlatformKind::OwnSite
}

/// Whether nothing answers anything on the platform.
fn lies_flat(platform: &dyn Platform) -> bool {
    platform.kind() == crate::domain::account::PlatformKind::Flickr
}

/// What was deleted reads as gone, one by one and among others, and acts on it say so too.
pub async fn a_deleted_item_reads_as_gone(
    platform: &dyn Platform,
    world: &dyn World,
    warrants: Warrants<'_>,
) {
    let gone = world.write("Ska bort", None).await;
    let stays = world.write("Stannar", None).await;
    let before = fetch_all(platform, None).await.expect("a fetch");
    let gone = ItemAddress::from(&before.items[&gone]);
    let stays = ItemAddress::from(&before.items[&stays]);
    world.remove(&gone.platform_id).await;
    if pushes_whole_items(platform) {
        let after = fetch_all(platform, before.cursor.as_ref()).await.expect("a fetch");
        assert!(after.gone.contains(&gone.platform_id), "the deletion is told");
        return;
    }
    let one = platform.read_live(&gone).await.expect("reading one");
    assert_eq!(one, LiveReading::Gone, "read alone it is gone");
    let both = platform.read_live_many(&[gone.clone(), stays]).await.expect("reading both");
    assert_eq!(both[0], Ok(LiveReading::Gone), "read with others it is gone");
    assert!(matches!(both[1], Ok(LiveReading::Present(_))), "the other one is there");
    if platform.capabilities().hide.is_native() {
        let act = platform.hide(warrants(gone.clone())).await;
        assert_eq!(act, Err(PlatformError::Gone), "there is nothing to hide");
    }
    if platform.capabilities().delete.is_native() {
        let act = platform.delete(warrants(gone)).await;
        assert_eq!(act, Err(PlatformError::Gone), "there is nothing to delete");
    }
}

async fn presence(platform: &dyn Platform, item: &ItemAddress) -> Option<Presence> {
    match platform.read_live(item).await.expect("reading live") {
        LiveReading::Present(item) => Some(item.presence),
        LiveReading::Gone => Some(Presence::Gone),
        LiveReading::NotReadable { .. } => None,
    }
}

/// Whether the platform says of this very item that it will not do this.
async fn is_barred(platform: &dyn Platform, item: &ItemAddress, act: ActionKind) -> bool {
    match platform.read_live(item).await.expect("reading live") {
        LiveReading::Present(item) => item.barred.iter().any(|barred| barred.act == act),
        LiveReading::Gone | LiveReading::NotReadable { .. } => false,
    }
}

/// Hiding and showing again take effect, and doing either twice is harmless and told apart.
pub async fn hiding_is_idempotent(
    platform: &dyn Platform,
    world: &dyn World,
    warrants: Warrants<'_>,
) {
    if !platform.capabilities().hide.is_native() {
        return;
    }
    let item = written(platform, world, "Ska döljas").await;
    let first = platform.hide(warrants(item.clone())).await.expect("hide");
    assert!(matches!(first, Receipt::Done(_)), "hidden now: {first:?}");
    let is = presence(platform, &item).await;
    assert!(matches!(is, Some(Presence::Hidden | Presence::Unknown) | None), "hidden: {is:?}");
    // Where the platform does not tell how an item stands, nobody can know that it stood so before.
    let is_told = is != Some(Presence::Unknown);
    let again = platform.hide(warrants(item.clone())).await.expect("hide again");
    assert!(!is_told || matches!(again, Receipt::AlreadySo(_)), "hidden already: {again:?}");
    if !platform.capabilities().unhide.is_native() {
        return;
    }
    let first = platform.unhide(&item).await.expect("unhide");
    assert!(matches!(first, Receipt::Done(_)), "shown now: {first:?}");
    let is = presence(platform, &item).await;
    assert!(matches!(is, Some(Presence::Visible | Presence::Unknown) | None), "visible: {is:?}");
    let again = platform.unhide(&item).await.expect("unhide again");
    assert!(!is_told || matches!(again, Receipt::AlreadySo(_)), "shown already: {again:?}");
}

/// Deleting takes effect; the second time it is already so, or there is nothing left. Where the
/// platform bars it for what others wrote, it is refused and nothing happens.
pub async fn deleting_is_idempotent(
    platform: &dyn Platform,
    world: &dyn World,
    warrants: Warrants<'_>,
) {
    if !platform.capabilities().delete.is_native() {
        return;
    }
    let item = written(platform, world, "Ska tas bort").await;
    if is_barred(platform, &item, ActionKind::Delete).await {
        let answer = platform.delete(warrants(item.clone())).await;
        assert!(matches!(answer, Err(PlatformError::Refused { .. })), "barred: {answer:?}");
        assert_eq!(presence(platform, &item).await, Some(Presence::Visible), "nothing was done");
        return;
    }
    let first = platform.delete(warrants(item.clone())).await.expect("delete");
    assert!(matches!(first, Receipt::Done(_)), "deleted now: {first:?}");
    let left = presence(platform, &item).await;
    assert!(matches!(left, Some(Presence::Binned | Presence::Gone) | None), "away: {left:?}");
    let again = platform.delete(warrants(item)).await;
    assert!(
        matches!(again, Ok(Receipt::AlreadySo(_)) | Err(PlatformError::Gone)),
        "deleted already: {again:?}"
    );
}

/// An answer is published word for word, can be found again, comes back as ours, and is not
/// confused with another text.
pub async fn an_answer_can_be_found_again(platform: &dyn Platform, world: &dyn World) {
    if !platform.capabilities().reply_comment.is_native() {
        return;
    }
    let text = "Hej! Vi har öppet 8–16, \"vardagar\" & lördagar <3\nHälsningar\nKommunen";
    let item = written(platform, world, "När har ni öppet?").await;
    let before = platform.find_reply(&item, &Sought::ever(text, "svar-1")).await.expect("looking");
    assert_eq!(before, None, "nothing is there before");
    let sent = platform.reply(&item, text, "svar-1").await.expect("answering");
    let Receipt::Done(id) = sent else { panic!("answered now: {sent:?}") };
    if pushes_whole_items(platform) {
        return;
    }
    let found =
        platform.find_reply(&item, &Sought::ever(text, "svar-1")).await.expect("looking again");
    assert_eq!(found, Some(Receipt::AlreadySo(id.clone())), "our answer is found");
    let other = platform
        .find_reply(&item, &Sought::ever("Något helt annat", "svar-2"))
        .await
        .expect("looking");
    assert_eq!(other, None, "another text is not");
    world.shows(&PlatformItemId::new(id.as_str())).await;
    let all = fetch_all(platform, None).await.expect("a fetch");
    let ours = all.items.get(&PlatformItemId::new(id)).expect("the answer is fetched");
    assert!(ours.by_us, "it is known as ours");
    assert_eq!(ours.text, text, "it says what was written");
    assert!(!all.items[&item.platform_id].by_us, "the question is not ours");
}

/// The same words may have been sent before, in the same place: that is another answer, and whoever
/// takes it for this one leaves somebody without.
pub async fn an_older_answer_with_the_same_words_is_another(
    platform: &dyn Platform,
    world: &dyn World,
) {
    if !platform.capabilities().reply_comment.is_native() || pushes_whole_items(platform) {
        return;
    }
    let text = "Tack för att du skriver! Vi återkommer.";
    let item = written(platform, world, "Hör ni mig?").await;
    let sent = platform.reply(&item, text, "svar-i-mars").await.expect("answering");
    let Receipt::Done(first) = sent else { panic!("answered now: {sent:?}") };
    let others = [first.clone()];
    let sought = Sought { others: &others, ..Sought::ever(text, "svar-i-november") };
    let found = platform.find_reply(&item, &sought).await.expect("looking");
    assert_eq!(found, None, "what is known for another answer is not this one");
    world.shows(&PlatformItemId::new(first.as_str())).await;
    let all = fetch_all(platform, None).await.expect("a fetch");
    let ours = &all.items[&PlatformItemId::new(first.as_str())];
    let since = ours.created_at.expect("a time") + SignedDuration::from_hours(1);
    let sought = Sought { since, ..Sought::ever(text, "svar-i-november") };
    let found = platform.find_reply(&item, &sought).await.expect("looking");
    assert_eq!(found, None, "what was written long before is not this one");
    // Not every platform takes the same words twice.
    if let Ok(Receipt::Done(second)) = platform.reply(&item, text, "svar-i-november").await {
        let sought = Sought { others: &others, ..Sought::ever(text, "svar-i-november") };
        let found = platform.find_reply(&item, &sought).await.expect("looking");
        assert_eq!(found, Some(Receipt::AlreadySo(second)), "this one is found beside the other");
    }
}

/// An answer reads as there, alone and among others, however the platform lists answers.
pub async fn an_answer_reads_as_there(platform: &dyn Platform, world: &dyn World) {
    if pushes_whole_items(platform) {
        return;
    }
    let top = world.write("Har ni öppet?", None).await;
    let answer = world.write("Det undrar jag med", Some(&top)).await;
    let all = fetch_all(platform, None).await.expect("a fetch");
    let both = [&top, &answer].map(|id| ItemAddress::from(&all.items[id]));
    let alone = platform.read_live(&both[1]).await.expect("reading one");
    assert!(matches!(alone, LiveReading::Present(_)), "read alone: {alone:?}");
    for read in platform.read_live_many(&both).await.expect("reading both") {
        assert!(matches!(read, Ok(LiveReading::Present(_))), "read with others: {read:?}");
    }
    world.remove(&answer).await;
    let alone = platform.read_live(&both[1]).await.expect("reading one");
    assert_eq!(alone, LiveReading::Gone, "and as gone when it is");
}

/// The post and the items above an answer are found, the topmost first.
pub async fn a_thread_is_read_from_the_top(platform: &dyn Platform, world: &dyn World) {
    if !platform.capabilities().thread.is_native() || pushes_whole_items(platform) {
        return;
    }
    let top = world.write("Överst", None).await;
    let middle = world.write("Mitten", Some(&top)).await;
    let all = fetch_all(platform, None).await.expect("a fetch");
    let thread =
        platform.read_thread(&ItemAddress::from(&all.items[&middle])).await.expect("the thread");
    let above: Vec<_> = thread.above.iter().map(|item| item.platform_id.clone()).collect();
    let expected = if lies_flat(platform) { Vec::new() } else { vec![top] };
    assert_eq!(above, expected, "what stands above");
    assert!(thread.post.is_some(), "and the post");
    assert_eq!(thread.missing, None, "nothing is missing");
}

/// What the record denies is refused as that, and never emulated.
pub async fn what_is_lacking_is_refused(
    platform: &dyn Platform,
    item: &ItemAddress,
    warrants: Warrants<'_>,
) {
    let can = platform.capabilities();
    let lacks = |offer: &Offer| !offer.is_native();
    if lacks(&can.hide) {
        let answer = platform.hide(warrants(item.clone())).await;
        assert_eq!(answer, PlatformError::not_offered("hide"));
    }
    if lacks(&can.unhide) {
        assert_eq!(platform.unhide(item).await, PlatformError::not_offered("unhide"));
    }
    if lacks(&can.delete) {
        let answer = platform.delete(warrants(item.clone())).await;
        assert_eq!(answer, PlatformError::not_offered("delete"));
    }
    if lacks(&can.reply_comment) {
        let answer = platform.reply(item, "Hej", "nyckel").await;
        assert_eq!(answer, PlatformError::not_offered("reply"));
    }
    if lacks(&can.report) {
        let answer = platform.report(item, "skäl").await;
        assert_eq!(answer, PlatformError::not_offered("report"));
    }
}

async fn written(platform: &dyn Platform, world: &dyn World, text: &str) -> ItemAddress {
    let id = world.write(text, None).await;
    let all = fetch_all(platform, None).await.expect("a fetch");
    ItemAddress::from(all.items.get(&id).expect("what was written is seen"))
}

/// Everything above, in turn.
pub async fn everything(platform: &dyn Platform, world: &dyn World, warrants: Warrants<'_>) {
    the_connection_is_whole(platform).await;
    reading_holds(platform, world).await;
    an_answer_reads_as_there(platform, world).await;
    a_deleted_item_reads_as_gone(platform, world, warrants).await;
    hiding_is_idempotent(platform, world, warrants).await;
    deleting_is_idempotent(platform, world, warrants).await;
    an_answer_can_be_found_again(platform, world).await;
    an_older_answer_with_the_same_words_is_another(platform, world).await;
    let item = written(platform, world, "Till det som saknas").await;
    what_is_lacking_is_refused(platform, &item, warrants).await;
}

/// All that needs no warrant and no answer of ours.
pub async fn reading_holds(platform: &dyn Platform, world: &dyn World) {
    a_fetch_from_scratch_sees_everything(platform, world).await;
    fetching_twice_changes_nothing(platform).await;
    a_later_fetch_sees_what_is_new(platform, world).await;
    a_broken_walk_loses_nothing(platform, world).await;
    an_edit_becomes_known(platform, world).await;
    a_thread_is_read_from_the_top(platform, world).await;
}
