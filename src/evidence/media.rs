//! Leave to copy: what may be taken of an item, as a value that only this layer makes.
//!
//! Images of child abuse may not be possessed, so they may not be captured either (*barnpornografibrott*,
//! BrB 16:10 a; regulation 2.2): from the moment of suspicion nothing of the item is fetched, rendered or
//! kept but what describes it. So whatever keeps a part takes a [`CopyLeave`], and whatever takes a
//! picture of a page, or fetches an attachment, takes a [`PictureLeave`]. Both are asked for anew for
//! every capture; the database asks once more when it seals.

use crate::domain::ids::{ItemId, VersionId};
use crate::evidence::{EvidenceError, EvidenceStore};

/// What may be taken of an item.
#[derive(Debug)]
pub enum MediaPolicy {
    /// Everything, with what the leave says of pictures.
    Copy(CopyLeave),
    /// What describes it and nothing else.
    MetadataOnly,
}

/// Leave to keep parts of one item.
///
/// Nobody can make one:
///
/// ```compile_fail,E0451
/// use uppsikt::evidence::media::CopyLeave;
///
/// fn forge() -> CopyLeave {
///     CopyLeave { item: uppsikt::domain::ids::ItemId(1), page_is_clean: true }
/// }
/// ```
///
/// nor copy one:
///
/// ```compile_fail,E0277
/// use uppsikt::evidence::media::CopyLeave;
///
/// fn double(leave: &CopyLeave) -> CopyLeave {
///     CopyLeave::clone(leave)
/// }
/// ```
#[derive(Debug)]
pub struct CopyLeave {
    item: ItemId,
    page_is_clean: bool,
}

/// Leave to take a picture of the page on which one item stands, or to fetch what hangs on it.
///
/// ```compile_fail,E0451
/// use uppsikt::evidence::media::PictureLeave;
///
/// fn forge() -> PictureLeave {
///     PictureLeave { item: uppsikt::domain::ids::ItemId(1) }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureLeave {
    item: ItemId,
}

/// Why no picture may be taken of a page although the item itself may be copied.
pub const PAGE_IS_BARRED: &str =
    "Ingen bild tas av sidan: på samma sida står ett inlägg som inte får kopieras.";

impl CopyLeave {
    /// The item.
    pub const fn item(&self) -> ItemId {
        self.item
    }

    /// Leave to take a picture of the page; none where something stands on it that may not be copied.
    ///
    /// # Errors
    /// The reason, in Swedish.
    pub const fn picture(&self) -> Result<PictureLeave, &'static str> {
        if self.page_is_clean { Ok(PictureLeave { item: self.item }) } else { Err(PAGE_IS_BARRED) }
    }
}

#[cfg(test)]
impl CopyLeave {
    /// Leave for tests of what keeps parts; not compiled into the program.
    pub(crate) const fn for_test() -> Self {
        Self { item: ItemId(0), page_is_clean: true }
    }
}

impl PictureLeave {
    /// The item.
    pub const fn item(&self) -> ItemId {
        self.item
    }

    /// Leave for the browser's own tests; not compiled into the program.
    #[cfg(all(test, feature = "browser"))]
    pub(crate) const fn for_test() -> Self {
        Self { item: ItemId(0) }
    }
}

impl EvidenceStore {
    /// What may be taken of a version's item, as known now.
    ///
    /// # Errors
    /// [`EvidenceError`] where the store does not answer: then nothing may be taken.
    pub async fn media_policy(&self, version: VersionId) -> Result<MediaPolicy, EvidenceError> {
        let item = self.store.version(version).await?.item;
        if self.store.item(item).await?.no_copy {
            return Ok(MediaPolicy::MetadataOnly);
        }
        let page_is_clean = !self.store.page_is_barred(item).await?;
        Ok(MediaPolicy::Copy(CopyLeave { item, page_is_clean }))
    }
}
