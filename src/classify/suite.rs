//! Labelled comments as a yardstick: what a verdict must hold to pass.
//!
//! The demands are those of `tests/score.py`: a removal category must reach the queue, a routing one
//! must be there with no removal before it, a note must stay a note, and what is to be left alone
//! must not come before a person.

use serde::Deserialize;

use crate::domain::category::{Category, Severity, Task};
use crate::domain::verdict::Verdict;

/// A comment that somebody has labelled.
#[derive(Clone, Debug, Deserialize)]
pub struct Labelled {
    /// The comment.
    pub text: String,
    /// What is in it, the foremost first.
    #[serde(default)]
    pub expect: Vec<Category>,
    /// The severity of the foremost; `None` where nothing is in it.
    #[serde(default, deserialize_with = "severity")]
    pub severity: Option<Severity>,
    /// What is tried, as `category/kind`.
    #[serde(default)]
    pub function: String,
}

fn severity<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Severity>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Written {
        None,
        #[serde(untagged)]
        Some(Severity),
    }
    Ok(match Written::deserialize(from)? {
        Written::None => None,
        Written::Some(severity) => Some(severity),
    })
}

/// What is asked of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Find it.
    Find,
    /// Leave it alone.
    Leave,
    /// Send it to whoever answers.
    Route,
}

impl Asked {
    /// All, in the order they are told.
    pub const ALL: [Self; 3] = [Self::Find, Self::Leave, Self::Route];

    /// Identifier in tables.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Leave => "leave",
            Self::Route => "route",
        }
    }
}

impl Labelled {
    /// The category that the function is about, as written.
    pub fn own_category(&self) -> &str {
        self.function.split('/').next().unwrap_or_default()
    }

    /// What is asked of the verdict.
    pub fn asked(&self) -> Asked {
        match self.expect.first().map(|c| c.task()) {
            None => Asked::Leave,
            Some(Task::Removal) => Asked::Find,
            Some(Task::Routing) => Asked::Route,
        }
    }

    /// Whether the verdict is right.
    pub fn passes(&self, verdict: &Verdict) -> bool {
        let given = |category: Category| {
            let same = verdict.findings.iter().filter(|f| f.category == category);
            same.map(|f| f.severity).max()
        };
        let removal = verdict.findings.iter().filter(|f| f.category.task() == Task::Removal);
        let queued = removal.map(|f| f.severity).max() >= Some(Severity::Medium);
        let Some(&primary) = self.expect.first() else {
            let own = Category::ALL.iter().find(|c| c.id() == self.own_category());
            let routed = own.filter(|c| c.task() == Task::Routing).and_then(|c| given(*c));
            return !queued && routed.is_none();
        };
        match primary.task() {
            Task::Routing => given(primary).is_some() && !queued,
            Task::Removal if self.severity == Some(Severity::Low) => {
                given(primary).is_some() && !queued
            }
            Task::Removal => given(primary) >= Some(Severity::Medium),
        }
    }
}
