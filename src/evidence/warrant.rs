//! The proof that a removing call consumes (invariant 2, *evidence before removal*).
//!
//! A [`RemovalWarrant`] has private fields and no public constructor: it can only come out of
//! [`crate::evidence`], which makes one when sealed evidence of exactly the live version exists.
//! Connectors demand it by value, so each warrant serves one call.

use crate::domain::ids::{ContentHash, EvidenceId, PlatformItemId, PlatformPostId};
use crate::domain::item::{FetchedItem, ItemKind};

/// How a platform finds an item again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemAddress {
    /// The platform's identity of the item.
    pub platform_id: PlatformItemId,
    /// What it is; some platforms have other calls for messages than for comments.
    pub kind: ItemKind,
    /// The post it stands under.
    pub post_id: Option<PlatformPostId>,
    /// The item it answers.
    pub parent_id: Option<PlatformItemId>,
}

impl From<&FetchedItem> for ItemAddress {
    fn from(item: &FetchedItem) -> Self {
        Self {
            platform_id: item.platform_id.clone(),
            kind: item.kind,
            post_id: item.post_id.clone(),
            parent_id: item.parent_id.clone(),
        }
    }
}

/// What the removal rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarrantBasis {
    /// Sealed evidence with this content.
    Sealed {
        /// The record.
        evidence: EvidenceId,
        /// The content that was sealed and that stood on the platform when the warrant was made.
        content: ContentHash,
    },
    /// The exception by law (regulation 2.2, *barnpornografibrott*): nothing may be copied, so
    /// the seal holds metadata only.
    MetadataOnly {
        /// The record.
        evidence: EvidenceId,
    },
}

/// Leave to remove one version of one item, once.
///
/// Whoever holds one may look at it:
///
/// ```
/// use uppsikt::evidence::warrant::{ItemAddress, RemovalWarrant, WarrantBasis};
///
/// fn look(warrant: &RemovalWarrant) -> (&ItemAddress, WarrantBasis) {
///     (warrant.item(), warrant.basis())
/// }
/// ```
///
/// Nobody can put one together from its parts:
///
/// ```compile_fail,E0451
/// use uppsikt::evidence::warrant::{ItemAddress, RemovalWarrant, WarrantBasis};
///
/// fn forge(item: ItemAddress, basis: WarrantBasis) -> RemovalWarrant {
///     RemovalWarrant { item, basis }
/// }
/// ```
///
/// nor call the constructor:
///
/// ```compile_fail,E0624
/// use uppsikt::evidence::warrant::{ItemAddress, RemovalWarrant, WarrantBasis};
///
/// fn forge(item: ItemAddress, basis: WarrantBasis) -> RemovalWarrant {
///     RemovalWarrant::new(item, basis)
/// }
/// ```
///
/// nor make two out of one:
///
/// ```compile_fail,E0277
/// use uppsikt::evidence::warrant::RemovalWarrant;
///
/// fn double(warrant: &RemovalWarrant) -> RemovalWarrant {
///     RemovalWarrant::clone(warrant)
/// }
/// ```
///
/// nor use one twice:
///
/// ```compile_fail,E0382
/// use uppsikt::evidence::warrant::RemovalWarrant;
/// use uppsikt::platforms::Platform;
///
/// async fn twice(platform: &dyn Platform, warrant: RemovalWarrant) {
///     let _ = platform.hide(warrant).await;
///     let _ = platform.delete(warrant).await;
/// }
/// ```
///
/// while once is right:
///
/// ```
/// use uppsikt::evidence::warrant::RemovalWarrant;
/// use uppsikt::platforms::Platform;
///
/// async fn once(platform: &dyn Platform, warrant: RemovalWarrant) {
///     let _ = platform.hide(warrant).await;
/// }
/// ```
#[derive(Debug)]
pub struct RemovalWarrant {
    item: ItemAddress,
    basis: WarrantBasis,
}

impl RemovalWarrant {
    /// Made by the evidence store alone, after it has compared the live text with the sealed one.
    pub(in crate::evidence) fn new(item: ItemAddress, basis: WarrantBasis) -> Self {
        Self { item, basis }
    }

    /// A warrant for the connectors' own unit tests; not compiled into the program.
    #[cfg(test)]
    pub(crate) fn for_test(item: ItemAddress) -> Self {
        let content = ContentHash::of(b"");
        Self { item, basis: WarrantBasis::Sealed { evidence: EvidenceId(0), content } }
    }

    /// The item that may be removed.
    pub fn item(&self) -> &ItemAddress {
        &self.item
    }

    /// What the removal rests on.
    pub fn basis(&self) -> WarrantBasis {
        self.basis
    }
}
