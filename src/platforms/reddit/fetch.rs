//! What is read at each fetch: lists first, newest first; then the threads under our own posts
//! elsewhere, which no list of ours tells of; then the moderators' mail.
//!
//! Reddit has no times to ask from, and a place in a list dies with the item it names: so every walk
//! begins at the top and goes down to what was known, with a stretch of overlap. What was edited,
//! reported or taken away stands in lists of the moderators', whose first page is read each time.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::{Batch, ItemKind};
use crate::platforms::connector::Walks;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::http::Answer;
use crate::platforms::json;
use crate::platforms::newest::{self, Down, Then, is_full, newest_first};
use crate::platforms::patience::Part;
use crate::platforms::position::is_due;
use crate::platforms::reach::{Reach, Reached};
use crate::platforms::reddit::wire::{
    Done, Entry, Listing, Mail, Mailbox, More, Talk, Thing, short,
};
use crate::platforms::reddit::{Reddit, replies};
use crate::platforms::threads::{Listed, Threads, age_of_posts, overlap};

const SHAPE: &str = "Reddits beskrivning av ett inlägg";

/// The most that one call lists or reads.
const PAGE: usize = 100;

/// A list ends after about so many, whatever there is.
const LISTED_AT_MOST: u32 = 1_000;

/// A post's title is asked for again.
const TOLD_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Conversations of moderators that are listed at a time, and how many of them are gone through.
const MAILBOX: u32 = 100;
const MOST_TALKS: u32 = 1_000;

const TOO_MANY: &str = "Reddit listar bara de omkring tusen nyaste. Äldre inlägg som inte har lästs tidigare kan saknas: gå igenom dem på plattformen.";
const TOO_MUCH_MAIL: &str = "Mer moderatorpost har kommit än vad som hinner läsas. Gå igenom de äldre konversationerna på plattformen.";
const UNREAD_MAIL: &str =
    "En konversation i moderatorposten kunde inte läsas. Läs den på plattformen.";
const UNREAD: &str = "Kommentarerna under ett av kontots inlägg i andra subreddits kunde inte läsas. De prövas igen vid nästa läsning.";

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// The newest entry known of each list when a walk down it last ended.
    seen: BTreeMap<String, Timestamp>,
    #[serde(flatten)]
    reached: Reached,
    /// Our posts elsewhere.
    threads: Threads,
    /// When each post was last described.
    told: BTreeMap<String, Timestamp>,
    /// When the conversation that moved last had moved.
    mail: Option<Timestamp>,
}

/// A list that is read from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Source {
    Comments,
    Posts,
    Queue,
    Reports,
    Spam,
    Edited,
    Inbox,
    /// Our own posts, wherever they stand.
    Submitted,
}

impl Source {
    const OF_A_MODERATOR: &[Self] = &[
        Self::Comments,
        Self::Posts,
        Self::Queue,
        Self::Reports,
        Self::Spam,
        Self::Edited,
        Self::Inbox,
        Self::Submitted,
    ];
    const OF_OTHERS: &[Self] = &[Self::Inbox, Self::Submitted];

    const fn name(self) -> &'static str {
        match self {
            Self::Comments => "comments",
            Self::Posts => "new",
            Self::Queue => "modqueue",
            Self::Reports => "reports",
            Self::Spam => "spam",
            Self::Edited => "edited",
            Self::Inbox => "inbox",
            Self::Submitted => "submitted",
        }
    }

    /// Whether what is new there stands on top, by the time of its writing.
    const fn is_by_time(self) -> bool {
        match self {
            Self::Comments | Self::Posts | Self::Inbox => true,
            Self::Queue | Self::Reports | Self::Spam | Self::Edited | Self::Submitted => false,
        }
    }
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    reach: Reach,
    phase: Phase,
    /// Threads and parts of threads to open, the next one last.
    queue: Vec<ToOpen>,
    /// Conversations to open, the next one last.
    talks: Vec<String>,
    /// When the one that moved last had moved.
    moved: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    List { which: usize, after: Option<String>, newest: Option<Timestamp>, n_listed: u32 },
    Threads,
    Mailbox { after: Option<String>, n_listed: u32 },
    Talks,
}

/// A thread, what stands below one comment of it, or comments that a tree has left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToOpen {
    post: String,
    count: Option<u64>,
    below: Option<String>,
    more: Vec<String>,
}

/// What a page told.
#[derive(Default)]
struct Told {
    newest: Option<Timestamp>,
    oldest: Option<Timestamp>,
    after: Option<String>,
    n_listed: u32,
}

#[async_trait]
impl Walks for Reddit {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        let phase = Phase::List { which: 0, after: None, newest: None, n_listed: 0 };
        let reach = from.reached.next(now);
        Step { reach, phase, queue: Vec::new(), talks: Vec::new(), moved: None }
    }

    async fn step(
        &self,
        mut step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        step.phase = match step.phase.clone() {
            Phase::List { which, after, newest, n_listed } => {
                let sources = self.sources();
                let source = sources.get(which).copied().unwrap_or(Source::Inbox);
                let told =
                    self.list(source, after.as_deref(), &mut step, position, batch, now).await?;
                let newest = newest.max(told.newest);
                let known = position.seen.get(source.name()).copied();
                let until = known.and_then(|known| known.saturating_sub(overlap(step.reach)).ok());
                // Of lists that are not by time the first page is read, and once a day all of them.
                let goes_down = source.is_by_time() || step.reach == Reach::Far;
                let is_empty = told.n_listed == 0;
                let n_listed = n_listed.saturating_add(told.n_listed);
                let until = until.filter(|_| step.reach != Reach::Far);
                let down = Down { known, until, most: LISTED_AT_MOST };
                let page = newest::Told {
                    asked: after.as_deref(),
                    next: told.after.as_deref().filter(|_| goes_down),
                    oldest: told.oldest,
                    n_listed,
                };
                match newest_first(&down, page) {
                    Then::On(next) => Phase::List { which, after: Some(next), newest, n_listed },
                    end @ (Then::Reached | Then::CutOff) => {
                        if end == Then::CutOff && source.is_by_time() {
                            batch.gap.get_or_insert_with(|| TOO_MANY.into());
                        }
                        // A place that has died lists nothing: what stands below it was not seen.
                        let is_broken =
                            is_empty && after.is_some() && !is_full(n_listed, LISTED_AT_MOST);
                        if let Some(newest) = newest.filter(|_| !is_broken) {
                            let seen = position.seen.entry(source.name().to_owned());
                            let seen = seen.or_insert(newest);
                            *seen = (*seen).max(newest);
                        }
                        if which + 1 < sources.len() {
                            Phase::List { which: which + 1, after: None, newest: None, n_listed: 0 }
                        } else {
                            Phase::Threads
                        }
                    }
                }
            }
            Phase::Threads => match step.queue.pop() {
                Some(open) => {
                    self.open(open, &mut step, position, batch, now).await?;
                    Phase::Threads
                }
                None if self.subreddit().is_some() => Phase::Mailbox { after: None, n_listed: 0 },
                None => Phase::Talks,
            },
            Phase::Mailbox { after, n_listed } => {
                self.list_mail(&mut step, after, n_listed, position, batch).await?
            }
            Phase::Talks => {
                if let Some(talk) = step.talks.last().cloned() {
                    self.read_talk(&talk, batch).await?;
                    step.talks.pop();
                }
                Phase::Talks
            }
        };
        if step.phase != Phase::Talks || !step.talks.is_empty() {
            return Ok(Some(step));
        }
        position.mail = position.mail.max(step.moved);
        position.reached.note(step.reach, now);
        if step.reach == Reach::Far {
            position.threads.forget(now);
            position.told.retain(|_, told| !is_due(Some(*told), TOLD_EVERY * 2, now));
        }
        Ok(None)
    }
}

impl Reddit {
    const fn sources(&self) -> &'static [Source] {
        if self.calls.settings.subreddit.is_some() {
            Source::OF_A_MODERATOR
        } else {
            Source::OF_OTHERS
        }
    }

    fn path(&self, source: Source) -> String {
        let sub = self.subreddit().unwrap_or_default();
        match source {
            Source::Comments => format!("r/{sub}/comments"),
            Source::Posts => format!("r/{sub}/new"),
            Source::Queue | Source::Reports | Source::Spam | Source::Edited => {
                format!("r/{sub}/about/{}", source.name())
            }
            Source::Inbox => "message/inbox".into(),
            Source::Submitted => format!("user/{}/submitted", self.calls.settings.name),
        }
    }

    /// One page of a list.
    async fn list(
        &self,
        source: Source,
        after: Option<&str>,
        step: &mut Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Told, PlatformError> {
        let mut query = vec![("limit", "100")];
        query.extend(after.map(|after| ("after", after)));
        let answer = self.calls.get(&self.path(source), &query).await?;
        let text = answer.text();
        let page: Listing<'_> = answer.view(&text)?;
        let mut told = Told {
            after: page.data.after.filter(|after| !after.is_empty()),
            n_listed: u32::try_from(page.data.children.len()).unwrap_or(u32::MAX),
            ..Told::default()
        };
        let list = List { name: source.name(), shape: SHAPE };
        let mut posts = BTreeSet::new();
        for (index, element) in page.data.children.iter().enumerate() {
            let Some(entry) = readable_entry(element, index, &list, batch) else { continue };
            let at = entry.written_at();
            told.newest = told.newest.max(at);
            told.oldest = at.or(told.oldest);
            if source == Source::Submitted {
                self.take_own_post(entry, step, position, batch, now);
                continue;
            }
            posts.extend(entry.post());
            self.take(entry, element, source, batch);
        }
        self.describe(posts, position, batch, now).await?;
        Ok(told)
    }

    fn take(&self, entry: Entry, element: &RawValue, source: Source, batch: &mut Batch) {
        if entry.is_gone() {
            batch.gone.push(PlatformItemId::new(entry.name));
            return;
        }
        if entry.is_post() {
            batch.posts.push(entry.clone().into_post(&self.calls.settings.site));
            if entry.is_by(&self.calls.settings.name) {
                return;
            }
        }
        // The inbox tells nothing of how a comment stands; the moderators' lists have it too.
        if source == Source::Inbox && !entry.is_message() && entry.is_in(self.subreddit()) {
            return;
        }
        batch.items.push(entry.into_item(element.get().as_bytes(), self.met(None)));
    }

    /// Whether the thread under a post of ours is to be opened. That of our own subreddit need not be.
    fn take_own_post(
        &self,
        post: Entry,
        step: &mut Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) {
        let is_listed = post.is_in(self.subreddit());
        let (count, written) = (post.num_comments, post.written_at());
        let age = written.map(|at| now.duration_since(at));
        let is_young = age.is_none_or(|age| age < age_of_posts(step.reach));
        let listed = Listed { id: &post.name, count, written, is_bare: count == Some(0) };
        if !is_listed && is_young && position.threads.is_to_open(listed, step.reach, now) {
            let open = ToOpen { post: post.name.clone(), count, below: None, more: Vec::new() };
            step.queue.insert(0, open);
        }
        position.told.insert(post.name.clone(), now);
        batch.posts.push(post.into_post(&self.calls.settings.site));
    }

    /// Asks for posts that are not known yet, or not since yesterday.
    async fn describe(
        &self,
        posts: BTreeSet<String>,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let told = |post: &String| position.told.get(post).copied();
        let unknown: Vec<_> =
            posts.into_iter().filter(|post| is_due(told(post), TOLD_EVERY, now)).collect();
        for some in unknown.chunks(PAGE) {
            let found = self.info(&some.join(",")).await?;
            for (post, _) in found {
                batch.posts.push(post.into_post(&self.calls.settings.site));
            }
            position.told.extend(some.iter().map(|post| (post.clone(), now)));
        }
        Ok(())
    }

    /// A thread under a post of ours, or a part of one.
    async fn open(
        &self,
        open: ToOpen,
        step: &mut Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        if !open.more.is_empty() {
            return self.open_more(&open, step, position, batch).await;
        }
        let looked = self.tree(short(&open.post), open.below.as_deref()).await;
        let Some(answer) =
            self.patience
                .open(&open.post, looked, &mut position.threads, batch, || UNREAD.into())?
        else {
            return Ok(());
        };
        let text = answer.text();
        let (_, tree): (Listing<'_>, Listing<'_>) = answer.view(&text)?;
        self.take_tree(&tree.data.children, &open, step, batch);
        if open.below.is_none() {
            position.threads.opened(&open.post, open.count, now);
        }
        Ok(())
    }

    /// The comments under a post, or under one of them.
    pub async fn tree(&self, post: &str, below: Option<&str>) -> Result<Answer, PlatformError> {
        let mut query = vec![("sort", "new"), ("limit", "500")];
        query.extend(below.map(|comment| ("comment", short(comment))));
        self.calls.get(&format!("comments/{post}"), &query).await
    }

    fn take_tree(&self, elements: &[&RawValue], open: &ToOpen, step: &mut Step, batch: &mut Batch) {
        let list = List { name: "tree", shape: SHAPE };
        let mut stack: Vec<(usize, &RawValue)> = elements.iter().copied().enumerate().collect();
        while let Some((index, element)) = stack.pop() {
            let thing = serde_json::from_str::<Thing<'_>>(element.get());
            if let Ok(thing) = &thing
                && thing.kind == "more"
            {
                self.take_more(thing.data, open, step);
                continue;
            }
            let Some(entry) = readable_entry(element, index, &list, batch) else { continue };
            let below = thing.map(|thing| replies(thing.data)).unwrap_or_default();
            stack.extend(below.into_iter().enumerate());
            self.take(entry, element, Source::Comments, batch);
        }
    }

    /// What a tree leaves out: comments by their ids, or a thread that goes on elsewhere.
    fn take_more(&self, raw: &RawValue, open: &ToOpen, step: &mut Step) {
        let Ok(more) = json::decode::<More>(raw.get()) else { return };
        let part = ToOpen { count: None, below: None, more: Vec::new(), ..open.clone() };
        for some in more.children.chunks(PAGE) {
            step.queue.push(ToOpen { more: some.to_vec(), ..part.clone() });
        }
        let goes_on = more.children.is_empty() && more.parent_id.is_some();
        if goes_on && more.parent_id != open.below {
            step.queue.push(ToOpen { below: more.parent_id, ..part });
        }
    }

    async fn open_more(
        &self,
        open: &ToOpen,
        step: &mut Step,
        position: &mut Position,
        batch: &mut Batch,
    ) -> Result<(), PlatformError> {
        let children = open.more.join(",");
        let query =
            [("api_type", "json"), ("link_id", open.post.as_str()), ("children", &children)];
        let looked = self.calls.get("api/morechildren", &query).await;
        let part = format!("{} {}", open.post, children);
        let Part::There(answer) = self.patience.part(&part, looked, batch, || UNREAD.into())?
        else {
            // Part of it is missing: it is opened again.
            position.threads.remove(&open.post);
            return Ok(());
        };
        let text = answer.text();
        let done: Done<'_> = answer.view(&text)?;
        self.take_tree(&done.json.data.things, open, step, batch);
        Ok(())
    }

    /// Those of at most a hundred things that are there, in whatever state.
    pub async fn info(&self, names: &str) -> Result<Vec<(Entry, Vec<u8>)>, PlatformError> {
        let answer = self.calls.get("api/info", &[("id", names)]).await?;
        entries(&answer)
    }

    /// One page of the conversations of the moderators: which have moved, the last one first.
    async fn list_mail(
        &self,
        step: &mut Step,
        after: Option<String>,
        n_listed: u32,
        position: &Position,
        batch: &mut Batch,
    ) -> Result<Phase, PlatformError> {
        let limit = MAILBOX.to_string();
        let mut query = vec![("limit", limit.as_str()), ("sort", "recent")];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let answer = match self.calls.get("api/mod/conversations", &query).await {
            Ok(answer) => answer,
            // The right to it is one by itself; `check` tells that it is missing.
            Err(PlatformError::Forbidden { .. }) => return Ok(Phase::Talks),
            Err(error) => return Err(error),
        };
        let mailbox: Mailbox = answer.object()?;
        let until = position.mail.and_then(|at| at.saturating_sub(overlap(step.reach)).ok());
        let (mut oldest, mut opened) = (None, Vec::new());
        for id in &mailbox.conversation_ids {
            let Some(talk) = mailbox.conversations.get(id) else { continue };
            let moved = talk.moved_at();
            step.moved = step.moved.max(moved);
            oldest = moved.or(oldest);
            if moved.is_none() || until.is_none() || moved >= until {
                opened.push(id.clone());
            }
        }
        // Those that moved last are read first, and each once: it may have moved in between.
        opened.retain(|id| !step.talks.contains(id));
        step.talks.splice(0..0, opened.into_iter().rev());
        let n_told = u32::try_from(mailbox.conversation_ids.len()).unwrap_or(u32::MAX);
        let n_listed = n_listed.saturating_add(n_told);
        // The next page begins after the last on this one; how many are listed in all is not told.
        let is_more = n_told >= MAILBOX && n_listed < MOST_TALKS;
        let last = mailbox.conversation_ids.last().filter(|_| is_more);
        let page = newest::Told {
            asked: after.as_deref(),
            next: last.map(String::as_str),
            oldest,
            n_listed,
        };
        let down = Down { known: position.mail, until, most: MOST_TALKS };
        Ok(match newest_first(&down, page) {
            Then::On(next) => Phase::Mailbox { after: Some(next), n_listed },
            Then::Reached => Phase::Talks,
            Then::CutOff => {
                batch.gap.get_or_insert_with(|| TOO_MUCH_MAIL.into());
                Phase::Talks
            }
        })
    }

    pub async fn talk(&self, id: &str) -> Result<Answer, PlatformError> {
        self.calls.get(&format!("api/mod/conversations/{id}"), &[]).await
    }

    async fn read_talk(&self, id: &str, batch: &mut Batch) -> Result<(), PlatformError> {
        let looked = self.talk(id).await;
        let Part::There(answer) = self.patience.part(id, looked, batch, || UNREAD_MAIL.into())?
        else {
            return Ok(());
        };
        let text = answer.text();
        let talk: Talk<'_> = answer.view(&text)?;
        let elements: Vec<_> = talk.messages.values().copied().collect();
        let list = List { name: "conversations", shape: "Reddits beskrivning av moderatorpost" };
        for (mail, raw) in list.read::<Mail>(&elements, batch) {
            if !mail.is_internal {
                batch.items.push(mail.into_item(raw, &talk.conversation));
            }
        }
        Ok(())
    }
}

/// An element of a list, where it can be read.
fn readable_entry(
    element: &RawValue,
    index: usize,
    list: &List<'_>,
    batch: &mut Batch,
) -> Option<Entry> {
    let read = serde_json::from_str::<Thing<'_>>(element.get())
        .and_then(|thing| json::decode::<Entry>(thing.data.get()));
    match read {
        Ok(entry) => Some(entry),
        Err(error) => {
            let raw = element.get().as_bytes();
            batch.unreadable.push(list.unreadable(index, &error, raw));
            None
        }
    }
}

/// The entries of a list that is asked for by names, each with its bytes as received.
pub fn entries(answer: &Answer) -> Result<Vec<(Entry, Vec<u8>)>, PlatformError> {
    let text = answer.text();
    let page: Listing<'_> = answer.view(&text)?;
    let read = page.data.children.iter().filter_map(|element| {
        let thing: Thing<'_> = serde_json::from_str(element.get()).ok()?;
        let entry: Entry = json::decode(thing.data.get()).ok()?;
        Some((entry, element.get().as_bytes().to_vec()))
    });
    let read: Vec<_> = read.collect();
    if read.is_empty() && !page.data.children.is_empty() {
        return Err(PlatformError::Contract { detail: "an entry of another shape".into() });
    }
    Ok(read)
}

/// What a known item stays known as: a mention does not become an answer by being read alone.
pub fn kept_kind(kind: ItemKind) -> Option<ItemKind> {
    match kind {
        ItemKind::Mention => Some(kind),
        ItemKind::Comment
        | ItemKind::Reply
        | ItemKind::PostByOther
        | ItemKind::DirectMessage
        | ItemKind::Review => None,
    }
}
