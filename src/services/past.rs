//! What was taken in, read again from the beginning: for those who ask what another lexicon would have said.

use crate::domain::ids::VersionId;
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
