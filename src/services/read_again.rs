//! Right before a removal what stands on the platform is read and sealed once more: between flag and removal answers
//! come, reactions gather and the page changes, and afterwards nobody can look.

use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::domain::evidence::{Manifest, PartKind};
use crate::domain::ids::{EvidenceId, VersionId};
use crate::domain::item::{FetchedItem, LiveReading};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::Platform;
use crate::platforms::error::PlatformError;
use crate::store::error::StoreError;
use crate::store::rows::{ActionRow, EvidenceState, OnceMore};

use super::capture::NOTHING_WAITED_FOR;
use super::outbox::{End, later, never, sentence, unseen};
use super::{BeforeRemoval, ServiceError, Services};

/// What was sealed so lately is not sealed once more: a wording that was new when its removal began.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// Nothing is left on a page for the sake of its picture longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was read so lately is not read again before it is removed.
const SOON: Duration = Duration::from_secs(1);

/// Where more removals of an account than this wait, none of them waits for a page or anything else that others hold:
/// what is unlawful goes first (1998:112 5 §), and each was pictured when it was flagged.
const MANY: u64 = 10;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Sealed, with what of it is there, in Swedish, and whether anything was waited for.
    Sealed(EvidenceId, &'static str, Waited),
    /// Not wanted: it was sealed a moment ago, may not be copied, or the settings say no.
    NotWanted,
    /// Another wording has come in meanwhile.
    Overtaken,
    /// It could not be sealed. The same text is sealed since before, and that holds.
    Failed,
}

/// Whether a seal waited for pages and servers of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// It did, for a while.
    Long,
    /// Too many removals wait.
    Not,
}

impl Again {
    /// Whether it took its time, so that another text may stand there by now.
    pub(super) const fn took_time(&self) -> bool {
        match self {
            Self::Sealed(_, _, Waited::Long) | Self::Failed => true,
            Self::Sealed(_, _, Waited::Not) | Self::NotWanted | Self::Overtaken => false,
        }
    }

    /// What the history says of it after the sentence on the text.
    pub(super) fn words(&self) -> Option<String> {
        match self {
            Self::Sealed(id, parts, _) => {
                Some(format!("Det säkrades en gång till, {parts}: bevis {id}."))
            }
            Self::Failed => Some("Det gick inte att säkra sidan en gång till.".into()),
            Self::NotWanted | Self::Overtaken => None,
        }
    }
}

/// What of an item a record holds, in Swedish.
fn parts(manifest: &Manifest) -> &'static str {
    let has = |kind| manifest.parts.iter().any(|part| part.kind == kind);
    match (manifest.parts.is_empty(), has(PartKind::Screenshot) || has(PartKind::FullPage)) {
        (true, _) => "med bara uppgifter om inlägget",
        (false, true) => "med sidan och de svar som Uppsikt hade hämtat",
        (false, false) => "utan bild av sidan men med de svar som Uppsikt hade hämtat",
    }
}

impl Services {
    /// Seals the very version that is about to be removed once more, as it was just read, or where it cannot be read,
    /// as it was fetched last, with the page and the thread as they stand now.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer.
    pub(super) async fn seal_again(
        &self,
        action: &ActionRow,
        version: VersionId,
        reading: &LiveReading,
    ) -> Result<Again, ServiceError> {
        let read = match reading {
            LiveReading::Present(fetched) => OnceMore::Read(fetched.clone()),
            LiveReading::NotReadable { .. } => OnceMore::AsFetched(version),
            LiveReading::Gone => return Ok(Again::NotWanted),
        };
        if self.inner.settings.before_removal == BeforeRemoval::Compare {
            return Ok(Again::NotWanted);
        }
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let Some(sealed) = store.evidence_of(version).await? else { return Ok(Again::NotWanted) };
        let EvidenceState::Sealed { at, .. } = sealed.state else { return Ok(Again::NotWanted) };
        // A clock that was put back makes nothing fresh.
        let age = now.duration_since(at);
        let is_fresh = age >= SignedDuration::ZERO && age < FRESH;
        // Regulation 2.2: of what may not be copied there is nothing more to take.
        if is_fresh || store.item(action.item).await?.no_copy {
            return Ok(Again::NotWanted);
        }
        let began = Instant::now();
        let (waited, patience) = match store.waiting_removals(action.account, now).await? {
            0..=MANY => (Waited::Long, PATIENCE),
            _ => (Waited::Not, NOTHING_WAITED_FOR),
        };
        let read = match store.take_in_read_again(action.id, action.item, read, now).await {
            Ok(read) => read,
            Err(StoreError::Refused { .. }) => return Ok(Again::Overtaken),
            Err(error) => return Err(error.into()),
        };
        match self.seal_within(read, patience).await {
            Ok(row) if matches!(row.state, EvidenceState::Sealed { .. }) => {
                let manifest = self.inner.evidence.manifest(&row).await;
                let manifest = manifest.map_err(|e| ServiceError::broken("reading a seal", e))?;
                // Nothing was asked of others, and yet the machine may have been busy.
                let waited = if began.elapsed() > SOON { Waited::Long } else { waited };
                Ok(Again::Sealed(row.id, parts(&manifest), waited))
            }
            Ok(_) => Ok(Again::Failed),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "sealing once more before a removal failed");
                Ok(Again::Failed)
            }
        }
    }

    /// Reads once more what was read a while ago, and keeps what it says: what stands there has to be the very same.
    pub(super) async fn still_stands(
        &self,
        action: &ActionRow,
        platform: &dyn Platform,
        target: &ItemAddress,
        before: LiveReading,
    ) -> Result<Result<LiveReading, End>, ServiceError> {
        let now = match platform.read_live(target).await {
            Ok(reading) => reading,
            Err(PlatformError::Gone) => LiveReading::Gone,
            Err(error) => return Ok(Err(unseen(error))),
        };
        let same = match (&before, &now) {
            (LiveReading::Present(before), LiveReading::Present(now)) => stands_as(now, before),
            (LiveReading::NotReadable { .. }, LiveReading::NotReadable { .. }) => true,
            _ => false,
        };
        if same {
            return Ok(Ok(now));
        }
        let words = match &now {
            LiveReading::Present(_) => {
                "Inlägget ändrades medan det säkrades. Uppsikt läser det på nytt."
            }
            LiveReading::Gone => {
                "Inlägget försvann medan det säkrades. Uppsikt ser efter en gång till."
            }
            LiveReading::NotReadable { .. } => {
                "Plattformen slutade visa inlägget medan det säkrades. Uppsikt försöker igen."
            }
        };
        let at = self.inner.clock.now();
        match self.inner.store.record_live_reading(action.item, now, at).await {
            Ok((_, true)) => self.inner.wakes.assess.notify_one(),
            Ok((_, false)) => {}
            Err(StoreError::Refused { why }) => {
                return Ok(Err(never(format!("{} Inget har tagits bort.", sentence(&why)))));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Err(later(words)))
    }

    /// Puts into the case's history, which the log holds by a running hash, what stood on the platform right before
    /// it was removed.
    pub(super) async fn note_seen(
        &self,
        action: &ActionRow,
        version: VersionId,
        reading: &LiveReading,
        again: &Again,
    ) -> Result<(), ServiceError> {
        let row = self.inner.store.version(version).await?;
        let which = format!("lydelse {}, SHA-256 {}", row.number, row.content_hash.to_hex());
        let told = match reading {
            LiveReading::Present(_) => {
                format!("Texten på plattformen var den som är säkrad: {which}.")
            }
            LiveReading::NotReadable { why } => {
                format!("{} Den senast hämtade är säkrad: {which}.", sentence(why))
            }
            // Nothing is removed then.
            LiveReading::Gone => return Ok(()),
        };
        let words = match again.words() {
            Some(more) => format!("{told} {more}"),
            None => told,
        };
        let what = "Lästes igen före åtgärden".to_owned();
        let now = self.inner.clock.now();
        Ok(self.inner.store.note_case(action.case, what, Some(words), now).await?)
    }
}

/// Whether an item stands there just as it was read before.
fn stands_as(now: &FetchedItem, before: &FetchedItem) -> bool {
    now.platform_id == before.platform_id
        && now.content_hash() == before.content_hash()
        && now.presence == before.presence
}
