//! Which photos to open, and the walk through them. No list tells how many comments a photo has; when it was
//! last changed moves with each comment that is added. So what changed of late is opened, and what was
//! uploaded in the last three months once a day in any case, since an edit or a deletion moves nothing.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::item::Batch;
use crate::platforms::connector::Walks;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::flickr::Flickr;
use crate::platforms::flickr::wire::{Comment, Comments, Photo, Photos};
use crate::platforms::patience::Part;
use crate::platforms::position::is_due;
use crate::platforms::reach::{Reach, Reached};

const SHAPE: &str = "Flickrs beskrivning av en kommentar";

const UNREAD: &str =
    "Kommentarerna till ett av kontots foton kunde inte läsas. De prövas igen vid nästa läsning.";

/// How far behind the last known change a list of changes begins, by the walk's reach.
const NEAR: SignedDuration = SignedDuration::from_hours(1);
const MIDDLE: SignedDuration = SignedDuration::from_hours(24);

/// Photos uploaded since then are opened once a day in any case.
const YOUNG: SignedDuration = SignedDuration::from_hours(24 * 90);
const YOUNG_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The platform's clock and ours may be so far apart, and a change may be written in the second in which a
/// photo was opened.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(2);

/// More pages of photos are not listed in one walk: five hundred each.
const MOST_PAGES: i64 = 200;

/// What is remembered between fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    photos: BTreeMap<String, Known>,
    /// Photos whose comments were not given: they are asked for again, whether or not a list names them.
    unread: BTreeSet<String>,
    /// The last change that was listed, by the platform's clock.
    updated: Option<Timestamp>,
    #[serde(flatten)]
    reached: Reached,
}

/// What is known of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// When it was last changed, in seconds since 1970, as listed before it was opened.
    updated: Option<i64>,
    opened: Timestamp,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    reach: Reach,
    /// The page of photos to list, counted from one; `None` when all are listed.
    list: Option<i64>,
    /// Since when changes are listed, by the platform's clock. The walk that reaches far lists all.
    since: Timestamp,
    /// The last change met in the lists.
    updated: Option<Timestamp>,
    /// Photos to open, the next one last.
    queue: Vec<(String, Option<i64>)>,
}

impl Position {
    fn is_to_open(&self, photo: &Photo, now: Timestamp) -> bool {
        let Some(known) = self.photos.get(&photo.id) else { return true };
        let fresh = |at: Timestamp| known.opened.duration_since(at) < CLOCKS_APART;
        let is_young = photo.uploaded_at().is_none_or(|at| now.duration_since(at) < YOUNG);
        photo.updated != known.updated
            || photo.updated_at().is_none_or(fresh)
            || (is_young && is_due(Some(known.opened), YOUNG_EVERY, now))
    }
}

#[async_trait]
impl Walks for Flickr {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        let reach = from.reached.next(now);
        let overlap = if reach == Reach::Near { NEAR } else { MIDDLE };
        let since = from.updated.unwrap_or(now);
        let since = since.saturating_sub(overlap).unwrap_or(since);
        Step { reach, list: Some(1), since, updated: None, queue: Vec::new() }
    }

    async fn step(
        &self,
        mut step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        if let Some(page) = step.list.take() {
            self.list_photos(page, &mut step, position, batch, now).await?;
        } else if let Some((photo, updated)) = step.queue.pop() {
            self.read_comments(&photo, updated, position, batch, now).await?;
        }
        if step.list.is_some() || !step.queue.is_empty() {
            return Ok(Some(step));
        }
        position.updated = position.updated.max(step.updated);
        position.reached.note(step.reach, now);
        Ok(None)
    }
}

impl Flickr {
    async fn list_photos(
        &self,
        number: i64,
        step: &mut Step,
        position: &Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let (page, since) = (number.to_string(), step.since.as_second().to_string());
        let mut query = vec![
            ("per_page", "500"),
            ("page", page.as_str()),
            ("extras", "date_upload,last_update,description"),
        ];
        let method = if step.reach == Reach::Far {
            query.push(("user_id", "me"));
            "flickr.people.getPhotos"
        } else {
            query.push(("min_date", since.as_str()));
            "flickr.photos.recentlyUpdated"
        };
        let answer = self.calls.get(method, &query).await?;
        let text = answer.text();
        let told: Photos<'_> = answer.view(&text)?;
        let list = List { name: "photos", shape: "Flickrs beskrivning av ett foto" };
        let mut opened = Vec::new();
        for (photo, _) in list.read::<Photo>(&told.photos.photo, batch) {
            step.updated = step.updated.max(photo.updated_at());
            let is_queued = step.queue.iter().chain(&opened).any(|(known, _)| *known == photo.id);
            if !is_queued && position.is_to_open(&photo, now) {
                opened.push((photo.id.clone(), photo.updated));
            }
            batch.posts.push(photo.into_post(&self.site()));
        }
        if number == 1 {
            let unread = position.unread.iter();
            let unread = unread.filter(|id| opened.iter().all(|(known, _)| known != *id));
            let unread: Vec<_> = unread.map(|id| (id.clone(), None)).collect();
            opened.extend(unread);
        }
        // The next one stands last, and the newest come first.
        step.queue.splice(0..0, opened.into_iter().rev());
        let pages = told.photos.pages.unwrap_or(1).min(MOST_PAGES);
        step.list = (number < pages && !told.photos.photo.is_empty()).then(|| number + 1);
        Ok(())
    }

    async fn read_comments(
        &self,
        photo: &str,
        updated: Option<i64>,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let looked = self.comments(photo).await;
        match self.patience.own_part(photo, looked, batch, || UNREAD.into())? {
            Part::There(answer) => {
                let text = answer.text();
                let told: Comments<'_> = answer.view(&text)?;
                let name = format!("{photo}/comments");
                let list = List { name: &name, shape: SHAPE };
                for (comment, raw) in list.read::<Comment>(&told.comments.comment, batch) {
                    batch.items.push(comment.into_item(raw, photo, &self.calls.settings.user_id));
                }
                position.photos.insert(photo.to_owned(), Known { updated, opened: now });
                position.unread.remove(photo);
            }
            Part::Gone => {
                position.photos.remove(photo);
                position.unread.remove(photo);
            }
            Part::NotGiven => {
                position.unread.insert(photo.to_owned());
            }
        }
        Ok(())
    }
}
