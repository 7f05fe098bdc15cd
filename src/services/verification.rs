//! Verification of the whole archive from the page: begun by a person, one at a time, beside everything
//! else; what it found is kept and told in words.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::domain::person::Act;
use crate::store::keeping::VerificationRow;

use super::archive::{self, Verified};
use super::{ServiceError, Services, Viewer};

/// One that goes on now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Since when.
    pub began_at: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// What is being read, and how much of it has been.
    pub at: Option<(&'static str, u64)>,
}

/// The state of verification in this process.
#[derive(Clone, Debug, Default)]
pub(super) struct Checking {
    running: Arc<Mutex<Option<Running>>>,
    stop: CancellationToken,
}

impl Checking {
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        // Short sections over plain values: whoever panicked with it left it whole.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks off what goes on: it only reads.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }
}

/// Why a verification came to no end, in words.
const STOPPED: &str = "Uppsikt stängdes av innan kontrollen var klar. Börja om den.";
const FAILED: &str = "Kontrollen avbröts av ett fel: databasen eller en fil gick inte att läsa. Det står i tjänstens logg. Börja om den när felet är avhjälpt.";

/// What is left behind when it ends, however it ends.
struct End(Checking);

impl Drop for End {
    fn drop(&mut self) {
        *self.0.running() = None;
    }
}

/// What the last one found. What a report of another release does not tell is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Found {
    /// Nothing was wrong.
    pub whole: bool,
    /// It came to no end; the one fault says why.
    pub broken_off: bool,
    /// Entries of the log.
    pub log_entries: u64,
    /// Sealed records.
    pub sealed: u64,
    /// Records whose content was disposed of.
    pub disposed: u64,
    /// Records still to be taken.
    pub wanted: u64,
    /// Files.
    pub parts: u64,
    /// Signed checkpoints.
    pub checkpoints: u64,
    /// How many entries the newest of them holds.
    pub signed_entries: u64,
    /// Time stamps that hold.
    pub stamps: u64,
    /// What is no fault and has to be known.
    pub notes: Vec<String>,
    /// What does not add up.
    pub faults: Vec<FoundFault>,
}

/// One thing that does not add up.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FoundFault {
    /// Where.
    pub place: String,
    /// What.
    pub what: String,
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Checks {
    /// What goes on now.
    pub running: Option<Running>,
    /// When the last one began and ended, who asked for it, and what it found.
    pub last: Option<(Timestamp, Timestamp, String, Found)>,
    /// When one last found nothing wrong.
    pub last_whole: Option<Timestamp>,
    /// Whether checkpoints are written outside this machine's own folder.
    pub has_witnesses: bool,
}

impl Services {
    /// How verification stands.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn checks(&self, viewer: &Viewer) -> Result<Checks, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let (last, last_whole) = self.inner.store.last_verification().await?;
        let last = match last {
            Some(row) => {
                let found = serde_json::from_str(&row.report)
                    .map_err(|e| ServiceError::broken("reading of a report", e))?;
                Some((row.began_at, row.ended_at, row.by, found))
            }
            None => None,
        };
        let has_witnesses = !self.inner.evidence.witnesses().is_empty();
        let running = self.inner.checking.running().clone();
        Ok(Checks { running, last, last_whole, has_witnesses })
    }

    /// Begins to verify everything. A human act: it is an event on every record.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where one goes on already.
    pub async fn begin_check(&self, viewer: &Viewer) -> Result<(), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let began_at = self.inner.clock.now();
        {
            let mut running = self.inner.checking.running();
            if let Some(other) = &*running {
                let why = format!("En kontroll pågår redan, begärd av {}.", other.by);
                return Err(ServiceError::Refused { why });
            }
            *running = Some(Running { began_at, by: viewer.name.clone(), at: None });
        }
        let (services, viewer) = (self.clone(), viewer.clone());
        // Hours of hashing on a large archive: it takes none of the threads that answer requests.
        let threads = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let _end = End(services.inner.checking.clone());
            let stop = services.inner.checking.stop.clone();
            threads.block_on(async {
                tokio::select! {
                    () = stop.cancelled() => {
                        services.keep_broken_off(&viewer, began_at, STOPPED).await;
                    }
                    () = services.check(&viewer, began_at) => {}
                }
            });
        });
        Ok(())
    }

    async fn check(&self, viewer: &Viewer, began_at: Timestamp) {
        let checking = self.inner.checking.clone();
        let tell = move |what: &'static str, n: u64| {
            if let Some(running) = &mut *checking.running() {
                running.at = Some((what, n));
            }
        };
        let (store, evidence) = (&self.inner.store, &self.inner.evidence);
        // The copies that this very machine can read; a file that was taken elsewhere is held with
        // `uppsikt evidence verify --witness`.
        let witnesses: Vec<PathBuf> =
            evidence.witness_files().await.into_iter().filter(|path| path.is_file()).collect();
        let found = archive::verify(store, evidence, witnesses, Some(&tell)).await;
        let kept = match found {
            Ok(found) => self.keep_check(viewer, began_at, &found).await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the archive could not be verified");
            self.keep_broken_off(viewer, began_at, FAILED).await;
        }
    }

    /// Tells that a verification came to no end: what the one before it found is not what was asked for.
    async fn keep_broken_off(&self, viewer: &Viewer, began_at: Timestamp, why: &str) {
        let fault = FoundFault { place: "kontrollen".into(), what: why.to_owned() };
        let found = Found { broken_off: true, faults: vec![fault], ..Found::default() };
        let row = VerificationRow {
            began_at,
            ended_at: self.inner.clock.now(),
            by: viewer.name.clone(),
            whole: false,
            report: serde_json::json!(found).to_string(),
        };
        if let Err(error) = self.inner.store.record_verification(row).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "that a verification was broken off could not be kept");
        }
    }

    async fn keep_check(
        &self,
        viewer: &Viewer,
        began_at: Timestamp,
        found: &Verified,
    ) -> Result<(), ServiceError> {
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let by = viewer.line("", String::new());
        archive::note_verified(store, None, found, by, now).await;
        if !found.is_whole() {
            tracing::error!("verification of the archive found faults");
        }
        let row = VerificationRow {
            began_at,
            ended_at: now,
            by: viewer.name.clone(),
            whole: found.is_whole(),
            report: found.json(),
        };
        Ok(store.record_verification(row).await?)
    }
}
