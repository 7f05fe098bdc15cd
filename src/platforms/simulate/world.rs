//! What is true at the simulated platform: posts, comments and what was done to them.
//!
//! The script unrolls with the clock. What we or tests do is kept in a journal, which a file can
//! hold over restarts; ids follow from the script's order, so they stay the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::platforms::simulate::script::Script;

/// Numbers as long as the platform's own.
const FIRST_POST: u64 = 111_000_000_000_001;
const FIRST_COMMENT: u64 = 222_000_000_000_001;
const FIRST_PERSON: u64 = 300_000_000_000_001;
/// Comments that are not in the script.
const FIRST_ADDED: u64 = 223_000_000_000_001;

/// How far apart the posts were written, and the comments from before the start.
const POSTS_APART: SignedDuration = SignedDuration::from_hours(7);
const COMMENTS_APART: SignedDuration = SignedDuration::from_secs(97);

/// A post of the Page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Its number, without the Page's.
    pub number: u64,
    /// Its text with the title as first line.
    pub message: String,
    /// When it was written.
    pub created: Timestamp,
}

/// A comment as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub number: u64,
    /// Number of the post.
    pub post: u64,
    /// Number of the comment it answers.
    pub parent: Option<u64>,
    /// Who wrote it: number and name; `None` where the platform withholds it.
    pub from: Option<(u64, String)>,
    /// Whether the Page wrote it.
    pub by_page: bool,
    /// Text.
    pub text: String,
    /// When it was written.
    pub created: Timestamp,
    /// When its text was last changed.
    pub edited: Option<Timestamp>,
    /// Whether the Page has hidden it.
    pub hidden: bool,
    /// Whether it is gone.
    pub deleted: bool,
}

/// Something that happened outside the script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Event {
    Start {
        at: Timestamp,
    },
    Add {
        number: u64,
        post: u64,
        parent: Option<u64>,
        name: Option<String>,
        text: String,
        at: Timestamp,
    },
    Edit {
        number: u64,
        text: String,
        #[serde(default)]
        at: Option<Timestamp>,
    },
    Hide {
        number: u64,
        hidden: bool,
    },
    Delete {
        number: u64,
    },
}

/// The whole of it.
#[derive(Debug)]
pub struct World {
    script: Script,
    start: Timestamp,
    people: BTreeMap<String, u64>,
    events: Vec<Event>,
    journal: Option<File>,
    /// How much later than written it is told of what others write.
    late: SignedDuration,
}

impl World {
    /// From now on [`World::comments`] leaves out what others have written within so long.
    pub fn show_late(&mut self, late: SignedDuration) {
        self.late = late;
    }

    /// A world that begins at `now`, or goes on where its journal ends.
    ///
    /// # Errors
    /// When the journal cannot be read or written, or is no journal.
    pub fn open(script: Script, now: Timestamp, journal: Option<&Path>) -> std::io::Result<Self> {
        let mut people = BTreeMap::new();
        for (name, number) in script.comments.iter().map(|c| &c.name).zip(FIRST_PERSON..) {
            people.entry(name.clone()).or_insert(number);
        }
        let mut world = Self {
            script,
            start: now,
            people,
            events: Vec::new(),
            journal: None,
            late: SignedDuration::ZERO,
        };
        let Some(path) = journal else { return Ok(world) };
        let mut file =
            File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        let text = std::io::read_to_string(&mut file)?;
        // A last line without its end was being written when the process died.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        for line in text[..whole].lines() {
            match serde_json::from_str(line).map_err(std::io::Error::other)? {
                Event::Start { at } => world.start = at,
                event @ (Event::Add { .. }
                | Event::Edit { .. }
                | Event::Hide { .. }
                | Event::Delete { .. }) => world.events.push(event),
            }
        }
        file.set_len(whole as u64)?;
        file.seek(std::io::SeekFrom::End(0))?;
        world.journal = Some(file);
        if whole == 0 {
            let at = world.start;
            world.note(&Event::Start { at });
        }
        Ok(world)
    }

    fn note(&mut self, event: &Event) {
        if let Some(file) = &mut self.journal {
            let line = serde_json::to_string(event).expect("events are plain data");
            if let Err(error) = writeln!(file, "{line}") {
                tracing::error!(%error, "the simulator's journal cannot be written");
            }
        }
    }

    fn happen(&mut self, event: Event) {
        self.note(&event);
        self.events.push(event);
    }

    /// The posts, newest first.
    pub fn posts(&self) -> Vec<Post> {
        (FIRST_POST..)
            .zip(&self.script.posts)
            .zip(1..)
            .map(|((number, post), nth)| Post {
                number,
                message: format!("{}\n\n{}", post.title, post.text),
                created: self.start - POSTS_APART * nth,
            })
            .collect()
    }

    /// Every comment ever written until `now`, the deleted ones included, in order of writing.
    pub fn comments(&self, now: Timestamp) -> Vec<Comment> {
        let passed = |after_s: u32| now >= self.at(after_s);
        let early = self.script.comments.iter().filter(|c| c.after_s == 0).count();
        let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
        let mut comments = BTreeMap::new();
        for (number, (nth, scripted)) in
            (FIRST_COMMENT..).zip(self.script.comments.iter().enumerate())
        {
            numbers.insert(&scripted.key, number);
            if !passed(scripted.after_s) {
                continue;
            }
            let created = if scripted.after_s == 0 {
                let back = i32::try_from(early.saturating_sub(nth)).unwrap_or(i32::MAX);
                self.start - COMMENTS_APART * back
            } else {
                self.at(scripted.after_s)
            };
            let post = self.script.posts.iter().position(|post| post.key == scripted.post);
            let edit = scripted.edit.as_ref().filter(|edit| passed(edit.after_s));
            comments.insert(
                number,
                Comment {
                    number,
                    post: FIRST_POST + post.unwrap_or(0) as u64,
                    parent: scripted
                        .parent
                        .as_ref()
                        .and_then(|key| numbers.get(key.as_str()).copied()),
                    from: self.person(&scripted.name),
                    by_page: false,
                    text: edit.map_or(&scripted.text, |edit| &edit.text).clone(),
                    created,
                    edited: edit.map(|edit| self.at(edit.after_s)),
                    hidden: false,
                    deleted: scripted.delete_after_s.is_some_and(passed),
                },
            );
        }
        for event in &self.events {
            self.apply(event, &mut comments);
        }
        let mut comments: Vec<_> = flatten(comments).into_values().collect();
        if !self.late.is_zero() {
            comments.retain(|comment| comment.by_page || comment.created + self.late <= now);
        }
        comments.sort_by_key(|comment| (comment.created, comment.number));
        comments
    }

    fn apply(&self, event: &Event, comments: &mut BTreeMap<u64, Comment>) {
        match event {
            Event::Start { .. } => {}
            Event::Add { number, post, parent, name, text, at } => {
                let comment = Comment {
                    number: *number,
                    post: *post,
                    parent: *parent,
                    from: name.as_deref().and_then(|name| self.person(name)),
                    by_page: name.is_none(),
                    text: text.clone(),
                    created: *at,
                    edited: None,
                    hidden: false,
                    deleted: false,
                };
                comments.insert(*number, comment);
            }
            Event::Edit { number, text, at } => {
                if let Some(comment) = comments.get_mut(number) {
                    comment.text.clone_from(text);
                    comment.edited = *at;
                }
            }
            Event::Hide { number, hidden } => {
                if let Some(comment) = comments.get_mut(number) {
                    comment.hidden = *hidden;
                }
            }
            Event::Delete { number } => {
                // With a topmost comment goes all that stands under it.
                let tops = tops(comments);
                for comment in comments.values_mut() {
                    let top = tops.get(&comment.number);
                    comment.deleted |= comment.number == *number || top == Some(number);
                }
            }
        }
    }

    fn at(&self, after_s: u32) -> Timestamp {
        self.start + SignedDuration::from_secs(i64::from(after_s))
    }

    fn person(&self, name: &str) -> Option<(u64, String)> {
        let number = self.people.get(name).copied().unwrap_or(FIRST_PERSON - 1);
        (!name.is_empty()).then(|| (number, name.to_owned()))
    }

    /// Somebody (the Page itself where there is no name) writes.
    pub fn add(
        &mut self,
        post: u64,
        parent: Option<u64>,
        name: Option<&str>,
        text: &str,
        now: Timestamp,
    ) -> u64 {
        let added = self.events.iter().filter(|event| matches!(event, Event::Add { .. })).count();
        let number = FIRST_ADDED + added as u64;
        let name = name.map(str::to_owned);
        self.happen(Event::Add { number, post, parent, name, text: text.to_owned(), at: now });
        number
    }

    /// The text is changed.
    pub fn edit(&mut self, number: u64, text: &str, now: Timestamp) {
        self.happen(Event::Edit { number, text: text.to_owned(), at: Some(now) });
    }

    /// The Page hides it or shows it again.
    pub fn hide(&mut self, number: u64, hidden: bool) {
        self.happen(Event::Hide { number, hidden });
    }

    /// It is deleted.
    pub fn delete(&mut self, number: u64) {
        self.happen(Event::Delete { number });
    }
}

/// The topmost comment above each answer.
fn tops(comments: &BTreeMap<u64, Comment>) -> BTreeMap<u64, u64> {
    let top_of = |comment: &Comment| {
        let mut top = comment.parent?;
        while let Some(above) = comments.get(&top).and_then(|comment| comment.parent) {
            top = above;
        }
        Some((comment.number, top))
    };
    comments.values().filter_map(top_of).collect()
}

/// The platform shows one level: an answer to an answer stands under the topmost comment.
fn flatten(mut comments: BTreeMap<u64, Comment>) -> BTreeMap<u64, Comment> {
    let tops = tops(&comments);
    for comment in comments.values_mut() {
        comment.parent = tops.get(&comment.number).copied();
    }
    comments
}
