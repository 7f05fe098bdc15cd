//! Fetching comments in the order in which they were written.
//!
//! The cursor is the newest time seen. Within a walk the next page is asked for by time, not by
//! number, since a comment deleted meanwhile would shift the pages and hide one.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::item::{Batch, FetchedPost};
use crate::platforms::connector::Walks;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::position::is_due;
use crate::platforms::wordpress::wire::{Comment, Post};
use crate::platforms::wordpress::{PER_PAGE, WordPress};
use crate::platforms::{held, json};

/// How far behind the newest comment a fetch begins. Fifteen minutes for late arrivals, and an
/// hour because WordPress compares local times, which the end of summer time repeats.
const OVERLAP: SignedDuration = SignedDuration::from_mins(75);

/// How often a fetch begins much further back, and how far: finds silent edits and comments
/// brought in with old dates.
const DEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);
const DEEP_REACH: SignedDuration = SignedDuration::from_hours(24 * 14);

/// `after` leaves out the very second it names.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A post is handed over again once an hour at most.
const POST_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// What is remembered between fetches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The newest comment seen.
    pub seen: Option<Timestamp>,
    /// When a deep fetch last came to its end.
    pub deep: Option<Timestamp>,
}

/// Where a walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Only comments newer than this.
    pub after: Option<Timestamp>,
    /// Page under that condition; more than one only where a hundred comments share a second.
    pub page: u64,
    /// Whether the walk began far back.
    pub deep: bool,
}

impl Step {
    /// The first step from a position.
    pub fn begin(from: Position, now: Timestamp) -> Self {
        let deep = is_due(from.deep, DEEP_EVERY, now);
        let back = if deep { DEEP_REACH } else { OVERLAP };
        let after = from.seen.map(|seen| minus(seen, back + SECOND));
        Self { after, page: 1, deep }
    }

    /// The next step, where `newest` stood on the page just read.
    fn on(self, newest: Option<Timestamp>) -> Self {
        let from_newest = newest.map(|newest| minus(newest, SECOND));
        match from_newest {
            Some(after) if self.after.is_none_or(|now| after > now) => {
                Self { after: Some(after), page: 1, ..self }
            }
            Some(_) | None => Self { page: self.page + 1, ..self },
        }
    }
}

fn minus(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[async_trait]
impl Walks for WordPress {
    type Position = Position;
    type Step = Step;

    fn begin(&self, from: &Position, now: Timestamp) -> Step {
        Step::begin(*from, now)
    }

    async fn step(
        &self,
        step: Step,
        position: &mut Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Step>, PlatformError> {
        let me = self.me().await?;
        let (page, size) = (step.page.to_string(), PER_PAGE.to_string());
        let after = step.after.map(|after| after.to_string());
        let mut query =
            vec![("orderby", "date_gmt"), ("order", "asc"), ("per_page", &size), ("page", &page)];
        if let Some(after) = &after {
            query.push(("after", after));
        }
        let (answer, pages) = self.list(&query).await?;
        let text = answer.text();
        let elements: Vec<_> = answer.view(&text)?;
        let list = format!("comments, page {}", step.page);
        let list = List { name: &list, shape: "WordPress beskrivning av en kommentar" };
        let mut newest = None;
        let mut posts = BTreeMap::new();
        for (comment, raw) in list.read::<Comment>(&elements, batch) {
            newest = newest.max(comment.written_at());
            if comment.is_internal() {
                continue;
            }
            if comment.post != 0 {
                posts.insert(comment.post, comment.post_href().map(str::to_owned));
            }
            batch.items.push(comment.into_item(raw, me));
        }
        let is_more = match pages {
            Some(pages) => pages > step.page,
            None => elements.len() >= PER_PAGE,
        };
        batch.posts = self.new_posts(posts, now).await?;
        // A date in the future (a moderator can set one) must not carry the cursor past what is
        // still to be written.
        position.seen = position.seen.max(newest.map(|newest| newest.min(now)));
        if step.deep && !is_more {
            position.deep = Some(now);
        }
        Ok(is_more.then(|| step.on(newest)))
    }
}

impl WordPress {
    /// The posts among `wanted` that were not handed over lately.
    async fn new_posts(
        &self,
        mut wanted: BTreeMap<u64, Option<String>>,
        now: Timestamp,
    ) -> Result<Vec<FetchedPost>, PlatformError> {
        {
            let mut given = held(&self.posts_given);
            given.retain(|_, at| now.duration_since(*at) < POST_AGAIN);
            wanted.retain(|id, _| !given.contains_key(id));
        }
        let wanted: Vec<_> = wanted.into_iter().collect();
        let posts = self.posts(&wanted).await?;
        let mut given = held(&self.posts_given);
        given.extend(wanted.iter().map(|(id, _)| (*id, now)));
        Ok(posts.into_iter().map(Post::into_post).collect())
    }

    /// Posts by id, with the address that WordPress gives for each: it tells the kind (post, page,
    /// or one that a plugin has made). Posts that we may not read are left out.
    pub(in crate::platforms::wordpress) async fn posts(
        &self,
        wanted: &[(u64, Option<String>)],
    ) -> Result<Vec<Post>, PlatformError> {
        let mut by_kind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (id, href) in wanted {
            let kind = href.as_deref().and_then(rest_base).unwrap_or("posts");
            by_kind.entry(kind).or_default().push(id.to_string());
        }
        let mut posts = Vec::new();
        for (kind, ids) in by_kind {
            for chunk in ids.chunks(PER_PAGE) {
                let include = chunk.join(",");
                let query = [
                    ("context", "edit"),
                    ("include", include.as_str()),
                    ("per_page", "100"),
                    ("_fields", "id,date_gmt,link,title,content"),
                ];
                match self.get(kind, &query).await {
                    Ok(answer) => {
                        let text = answer.text();
                        for element in answer.view::<Vec<&RawValue>>(&text)? {
                            match json::decode(element.get()) {
                                Ok(post) => posts.push(post),
                                Err(error) => {
                                    tracing::warn!(
                                        platform = "wordpress",
                                        error = json::place(&error),
                                        "post not understood, left out as context"
                                    );
                                }
                            }
                        }
                    }
                    Err(error) if error.may_pass() => return Err(error),
                    Err(error) => {
                        tracing::warn!(platform = "wordpress", %error, "posts not readable, left out as context");
                    }
                }
            }
        }
        Ok(posts)
    }
}

/// The kind in `…/wp/v2/{kind}/{id}`. Nothing else of the address is used: it comes from outside.
fn rest_base(href: &str) -> Option<&str> {
    let (_, rest) = href.split_once("/wp/v2/")?;
    let (kind, _) = rest.split_once('/')?;
    let is_name = !kind.is_empty()
        && kind.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    is_name.then_some(kind)
}

#[cfg(test)]
mod tests {
    use crate::domain::ids::Cursor;
    use crate::platforms::position;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_walk_goes_on_by_time_and_by_page_only_within_one_second() {
        let step = Step { after: None, page: 1, deep: true };
        let next = step.on(Some(at("2026-11-21T17:00:00Z")));
        assert_eq!(next, Step { after: Some(at("2026-11-21T16:59:59Z")), page: 1, deep: true });
        assert_eq!(next.on(Some(at("2026-11-21T17:00:00Z"))), Step { page: 2, ..next });
        assert_eq!(next.on(None), Step { page: 2, ..next });
    }

    #[test]
    fn a_fetch_overlaps_and_reaches_far_back_once_a_day() {
        let seen = Some(at("2026-11-21T17:00:00Z"));
        let deep = Some(at("2026-11-21T08:00:00Z"));
        let step = Step::begin(Position { seen, deep }, at("2026-11-21T18:00:00Z"));
        assert_eq!(step.after, Some(at("2026-11-21T15:44:59Z")));
        let step = Step::begin(Position { seen, deep }, at("2026-11-22T08:00:00Z"));
        assert_eq!(step.after, Some(at("2026-11-07T16:59:59Z")));
        assert_eq!(Step::begin(Position::default(), at("2026-11-22T08:00:00Z")).after, None);
    }

    #[test]
    fn a_damaged_cursor_begins_from_the_start() {
        let read = |text: &str| position::read::<Position>("wordpress", Some(&Cursor::new(text)));
        assert_eq!(read("{"), Position::default());
        let position = Position { seen: Some(at("2026-11-21T17:00:00Z")), deep: None };
        assert_eq!(read(&position::write(&position)), position);
    }

    #[test]
    fn the_kind_of_post_is_taken_from_its_address_and_nothing_else() {
        assert_eq!(rest_base("http://x.example/wp-json/wp/v2/pages/7"), Some("pages"));
        assert_eq!(rest_base("http://x.example/?rest_route=/wp/v2/posts/7"), Some("posts"));
        assert_eq!(rest_base("http://x.example/wp-json/wp/v2/../x/7"), None);
        assert_eq!(rest_base("http://x.example/7"), None);
    }
}
