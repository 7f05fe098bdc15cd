//! A few reading connections, lent out one job at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::store::error::StoreError;

/// How many queries may run at once. Two cores serve any municipality.
const CONNECTIONS: usize = 4;

pub(in crate::store) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let idle = (0..CONNECTIONS)
            .map(|_| super::open::for_reading(path))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), free: Arc::new(Semaphore::new(CONNECTIONS)) })
    }

    /// Runs `work` on a connection, on a thread where blocking is allowed.
    pub(in crate::store) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = self.free.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let idle = self.idle.clone();
        let run = move || {
            let _permit = permit;
            // Short section: taking from and giving back to a list.
            let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = Lent { connection, idle };
            match &connection.connection {
                Some(connection) => work(connection),
                None => Err(StoreError::Closed),
            }
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| StoreError::Closed)?
    }
}

/// Gives the connection back even when the work panics.
struct Lent {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
