//! The writing thread: one connection, a bounded queue, one transaction a job.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::runtime::disk::{Disk, Step};
use crate::store::error::StoreError;

/// How many jobs may wait. A full queue makes callers wait, so a slow disk slows intake down
/// instead of filling the memory.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

pub(in crate::store) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    /// The last write found the disk full or not writable.
    refused: Arc<AtomicBool>,
    disk: Disk,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread that owns the connection.
    pub(in crate::store) fn start(mut connection: Connection, disk: Disk) -> Self {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                while let Some(job) = waiting.blocking_recv() {
                    job(&mut connection);
                }
                // A truncated write-ahead log makes the database one file again for backups.
                if let Err(error) = connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
                    tracing::warn!(error = %error, "could not checkpoint the write-ahead log");
                }
            })
            .expect("the operating system can start one more thread at start-up");
        Self { jobs: Some(jobs), refused: Arc::default(), disk, thread: Mutex::new(Some(thread)) }
    }

    /// Whether the last write could be written, as far as the disk goes.
    pub(in crate::store) fn is_writable(&self) -> bool {
        !self.refused.load(Ordering::Relaxed)
    }

    /// Runs `work` in a transaction of its own and waits until it is durable.
    ///
    /// When the caller goes away the work is still done whole: it is one transaction.
    pub(in crate::store) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let (refused, disk) = (Arc::clone(&self.refused), self.disk.clone());
        let job: Job = Box::new(move |connection| {
            let result = in_transaction(connection, &disk, work);
            match &result {
                Ok(_) => refused.store(false, Ordering::Relaxed),
                Err(StoreError::NotWritable(_)) => refused.store(true, Ordering::Relaxed),
                // Says nothing of the disk.
                Err(_) => {}
            }
            // The caller may have gone away; the write stands all the same.
            drop(answer.send(result));
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        // A job that panics drops its answer; the transaction was rolled back.
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    disk: &Disk,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&transaction)));
    match value {
        Ok(Ok(value)) => {
            // The database knows where it lies.
            let path = Path::new("");
            disk.before(Step::Commit, path).map_err(StoreError::cut_off)?;
            transaction.commit()?;
            disk.after(Step::Commit, path).map_err(StoreError::cut_off)?;
            Ok(value)
        }
        Ok(Err(error)) => {
            // On a full disk SQLite has rolled back by itself, and a second time is an error: the
            // first error is the one that says what happened.
            if let Err(again) = transaction.rollback() {
                tracing::debug!(error = %again, "nothing was left to roll back");
            }
            Err(error)
        }
        Err(panic) => {
            drop(transaction);
            tracing::error!("a write panicked and was rolled back");
            drop(panic);
            Err(StoreError::Row { table: "?", what: "a write panicked and was rolled back".into() })
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the queue lets the thread finish what waits, checkpoint and end.
        drop(self.jobs.take());
        let thread = match self.thread.get_mut() {
            Ok(thread) => thread.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writing thread ended by a panic");
        }
    }
}
