//! Leave to copy: what may be taken of an item, as a value that only this layer makes.
//!
//! Images of child abuse may not be possessed, so they may not be captured either (*barnpornografibrott*,
//! BrB 16:10 a; regulation 2.2): from the moment of suspicion nothing of the item is fetched, rendered or
//! kept but what describes it. So whatever keeps a part takes a [`CopyLeave`], and whatever takes a
//! picture of a page, or fetches an attachment, takes a [`PictureLeave`]. Both are asked for anew for
//! every capture; a picture is asked for once more when its turn at the browser has come; the database
//! asks for both when it seals. Until then parts are in memory alone: what is refused never lay on the
//! disk. What a barred item shows may hang on other pages too, so its addresses ([`BarredMedia`]) are asked for nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::domain::ids::{AccountId, ContentHash, ItemId, VersionId};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::store::Store;
use crate::store::rows::PageState;

/// What may be taken of an item.
#[derive(Debug)]
pub enum MediaPolicy {
    /// Everything, with what the leave says of pictures.
    Copy(CopyLeave),
    /// What describes it and nothing else.
    MetadataOnly,
}

/// Leave to keep parts of one item, and the parts until they are sealed.
///
/// Nobody can make one:
///
/// ```compile_fail,E0451
/// use uppsikt::evidence::media::CopyLeave;
///
/// fn forge(other: CopyLeave) -> CopyLeave {
///     CopyLeave { item: uppsikt::domain::ids::ItemId(1), ..other }
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
    page: PageState,
    again: Asking,
    taken: Taken,
}

/// Parts that were taken and not sealed yet.
#[derive(Default)]
struct Taken(Mutex<BTreeMap<ContentHash, Arc<Vec<u8>>>>);

/// Their bytes stay out of logs.
impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken").finish_non_exhaustive()
    }
}

/// Leave to take a picture of the page on which one item stands, or to fetch what hangs on it.
///
/// ```compile_fail,E0451
/// use uppsikt::evidence::media::PictureLeave;
///
/// fn forge(other: PictureLeave) -> PictureLeave {
///     PictureLeave { item: uppsikt::domain::ids::ItemId(1), ..other }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct PictureLeave {
    again: Asking,
}

/// Of whom leave is asked once more.
#[derive(Clone, Debug)]
enum Asking {
    Store(Store, VersionId),
    /// Of the whole page of an account.
    Account(Store, AccountId),
    /// Tests of what takes pictures have no database; what they bar lies at these addresses.
    #[cfg(test)]
    Nobody(Vec<String>),
}

/// Why no picture may be taken of a page although the item itself may be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPicture {
    /// Something stands on the page, or may, that may not be copied.
    Barred,
    /// Something stands on the page, or may, that has not been assessed yet. It will be.
    Unassessed,
    /// The machine could not read the item, and no person has yet.
    Unread,
    /// It could not be asked.
    Unknown,
}

impl NoPicture {
    /// For the manifest, in Swedish.
    pub const fn swedish(self) -> &'static str {
        match self {
            Self::Barred => {
                "Ingen bild tas av sidan: på samma sida står, eller kan stå, ett inlägg som inte får kopieras."
            }
            Self::Unassessed => {
                "Ingen bild tas av sidan: på samma sida står, eller kan stå, ett inlägg som inte är bedömt än."
            }
            Self::Unread => {
                "Ingen bild tas av sidan: Uppsikt kunde inte bedöma texten, och ingen hade läst den när beviset togs."
            }
            Self::Unknown => {
                "Ingen bild tas av sidan: det gick inte att avgöra om något på den inte får kopieras."
            }
        }
    }

    const fn of(page: PageState) -> Option<Self> {
        match page {
            PageState::Clean => None,
            PageState::Unassessed => Some(Self::Unassessed),
            PageState::Unread => Some(Self::Unread),
            PageState::Barred => Some(Self::Barred),
        }
    }
}

impl CopyLeave {
    /// Leave to take a picture of the page; none where something stands on it that may not be copied.
    ///
    /// # Errors
    /// Why not.
    pub fn picture(&self) -> Result<PictureLeave, NoPicture> {
        match NoPicture::of(self.page) {
            None => Ok(PictureLeave { again: self.again.clone() }),
            Some(why) => Err(why),
        }
    }

    pub(in crate::evidence) const fn is_for(&self, item: ItemId) -> bool {
        self.item.0 == item.0
    }

    pub(in crate::evidence) fn take(&self, hash: ContentHash, bytes: Vec<u8>) {
        self.taken().insert(hash, Arc::new(bytes));
    }

    pub(in crate::evidence) fn bytes(&self, hash: ContentHash) -> Option<Arc<Vec<u8>>> {
        self.taken().get(&hash).cloned()
    }

    /// Whoever panicked with it left it whole.
    fn taken(&self) -> std::sync::MutexGuard<'_, BTreeMap<ContentHash, Arc<Vec<u8>>>> {
        self.taken.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl CopyLeave {
    /// Leave for tests of what keeps parts; not compiled into the program.
    pub(crate) fn for_test(item: ItemId) -> Self {
        Self {
            item,
            page: PageState::Clean,
            again: Asking::Nobody(Vec::new()),
            taken: Taken::default(),
        }
    }
}

impl PictureLeave {
    /// Asks once more: much may have come to be known while the browser was awaited.
    ///
    /// # Errors
    /// Why not any more.
    pub async fn ask_again(&self) -> Result<(), NoPicture> {
        match &self.again {
            Asking::Store(store, version) => {
                let item = match store.version(*version).await {
                    Ok(version) => store.item(version.item).await,
                    Err(error) => Err(error),
                };
                match (item, store.page_state(*version).await) {
                    (Ok(item), _) if item.no_copy => Err(NoPicture::Barred),
                    (Ok(_), Ok(page)) => NoPicture::of(page).map_or(Ok(()), Err),
                    (Err(error), _) | (_, Err(error)) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(error, "leave to take a picture cannot be asked for");
                        Err(NoPicture::Unknown)
                    }
                }
            }
            Asking::Account(store, account) => match store.account_page(*account).await {
                Ok(page) => NoPicture::of(page).map_or(Ok(()), Err),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "leave to take a picture cannot be asked for");
                    Err(NoPicture::Unknown)
                }
            },
            #[cfg(test)]
            Asking::Nobody(_) => Ok(()),
        }
    }

    /// What is asked for nowhere, as known now.
    ///
    /// # Errors
    /// [`NoPicture::Unknown`] where the store does not answer: then nothing may be asked for.
    pub(in crate::evidence) async fn barred_media(&self) -> Result<BarredMedia, NoPicture> {
        let store = match &self.again {
            Asking::Store(store, _) | Asking::Account(store, _) => store,
            #[cfg(test)]
            Asking::Nobody(addresses) => return Ok(BarredMedia::at(addresses)),
        };
        match store.barred_media().await {
            Ok(addresses) => Ok(BarredMedia::at(&addresses)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "addresses that are barred cannot be asked for");
                Err(NoPicture::Unknown)
            }
        }
    }

    /// Leave for tests of what takes pictures and fetches; not compiled into the program.
    #[cfg(test)]
    pub(crate) const fn for_test() -> Self {
        Self::for_test_barring(Vec::new())
    }

    /// The same where something at these addresses may not be copied.
    #[cfg(test)]
    pub(crate) const fn for_test_barring(addresses: Vec<String>) -> Self {
        Self { again: Asking::Nobody(addresses) }
    }
}

/// Where media lie that may not be copied: by host and path, since platforms sign what follows anew each time. A path is
/// the same however its characters are written.
#[derive(Clone, Debug, Default)]
pub(in crate::evidence) struct BarredMedia(Vec<Url>);

impl BarredMedia {
    fn at(addresses: &[String]) -> Self {
        let web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        Self(addresses.iter().filter_map(|text| Url::parse(text).ok()).filter(web).collect())
    }

    /// Whether it is one of them.
    pub fn holds(&self, address: &Url) -> bool {
        let path = |url: &Url| percent_decode_str(url.path()).collect::<Vec<u8>>();
        let asked = path(address);
        self.0.iter().any(|own| host(own) == host(address) && path(own) == asked)
    }

    /// Every host that one of them lies at, once, as it stands in addresses.
    pub fn hosts(&self) -> BTreeSet<&str> {
        self.0.iter().filter_map(host).collect()
    }
}

/// A host is the same with the dot of the root behind it.
fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_suffix('.').unwrap_or(host))
}

impl EvidenceStore {
    /// Leave to take pictures of an account's own page, as known now.
    ///
    /// # Errors
    /// Why not.
    pub async fn page_leave(&self, account: AccountId) -> Result<PictureLeave, NoPicture> {
        let leave = PictureLeave { again: Asking::Account(self.store.clone(), account) };
        leave.ask_again().await?;
        Ok(leave)
    }

    /// What may be taken of a version's item, as known now.
    ///
    /// # Errors
    /// [`EvidenceError`] where the store does not answer: then nothing may be taken.
    pub async fn media_policy(&self, version: VersionId) -> Result<MediaPolicy, EvidenceError> {
        let item = self.store.version(version).await?.item;
        if self.store.item(item).await?.no_copy {
            return Ok(MediaPolicy::MetadataOnly);
        }
        let page = self.store.page_state(version).await?;
        let again = Asking::Store(self.store.clone(), version);
        Ok(MediaPolicy::Copy(CopyLeave { item, page, again, taken: Taken::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_in_every_spelling_that_leads_to_the_same_place() {
        let own = ["https://bilder.example/a/bild(1).png?sig=1", "http://[::1]/b"];
        let barred = BarredMedia::at(&own.map(str::to_owned));
        for same in [
            "https://bilder.example/a/bild(1).png",
            "http://BILDER.example:8080/a/bild%281%29.png?sig=2#x",
            "https://bilder.example./a/%62ild(1).png",
            "https://kim:x@bilder.example/a/./b/../bild(1).png",
            "https://bilder.example\\a\\bild(1).png",
            "http://[0:0:0:0:0:0:0:1]:81/b?y",
        ] {
            assert!(barred.holds(&Url::parse(same).unwrap()), "{same}");
        }
        for other in [
            "https://bilder.example/a/bild(2).png",
            "https://andra.example/a/bild(1).png",
            "http://[::2]/b",
        ] {
            assert!(!barred.holds(&Url::parse(other).unwrap()), "{other}");
        }
        assert_eq!(barred.hosts().into_iter().collect::<Vec<_>>(), ["[::1]", "bilder.example"]);
    }
}
