//! What was taken in, read again from the beginning: for those who ask what another lexicon would have said.

use std::collections::BTreeMap;

use crate::domain::ids::{CaseId, VersionId};
use crate::store::Store;

use super::ServiceError;

/// How many texts are read at a time.
const AT_ONCE: u32 = 2_000;

/// Goes through the texts of others, oldest first. What may not be copied is not among them: a sample is a
/// copy.
pub struct Past {
    store: Store,
    after: VersionId,
}

impl Past {
    /// From the first text on.
    pub fn new(store: Store) -> Self {
        Self { store, after: VersionId(0) }
    }

    /// The next ones; none at the end.
    ///
    /// # Errors
    /// [`ServiceError`] where the store cannot be read.
    pub async fn next(&mut self) -> Result<Vec<(VersionId, String)>, ServiceError> {
        let texts = self.store.texts_after(self.after, AT_ONCE).await?;
        if let Some((last, _)) = texts.last() {
            self.after = *last;
        }
        Ok(texts)
    }
}

/// The newest texts of others, newest first and no more than so many, with the cases that they belong to. Left out is
/// also what a smaller circle opens, and what is no longer shown unasked.
pub struct Recent {
    store: Store,
    before: VersionId,
    left: u32,
    cases: BTreeMap<String, CaseId>,
}

impl Recent {
    /// The newest `most`.
    pub fn new(store: Store, most: u32) -> Self {
        Self { store, before: VersionId(i64::MAX), left: most, cases: BTreeMap::new() }
    }

    /// The next ones, each with its id; none at the end.
    ///
    /// # Errors
    /// [`ServiceError`] where the store cannot be read.
    pub async fn next(&mut self) -> Result<Vec<(String, String)>, ServiceError> {
        /// Few at a time, since each of them lies in memory and in a pipe.
        const AT_ONCE: u32 = 500;
        let most = self.left.min(AT_ONCE);
        if most == 0 {
            return Ok(Vec::new());
        }
        let texts = self.store.texts_before(self.before, most).await?;
        self.left = if texts.len() < most as usize { 0 } else { self.left - most };
        let mut found = Vec::with_capacity(texts.len());
        for (version, case, text) in texts {
            self.before = version;
            let id = version.to_string();
            if let Some(case) = case {
                self.cases.insert(id.clone(), case);
            }
            found.push((id, text));
        }
        Ok(found)
    }

    /// The case that a text belongs to.
    pub fn case_of(&self, id: &str) -> Option<CaseId> {
        self.cases.get(id).copied()
    }
}
