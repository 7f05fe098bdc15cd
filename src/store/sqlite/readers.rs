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

    /// Runs `work` on a connection, on a thread where blocking is allowed. All that it asks is of one moment: what
    /// is written meanwhile, between a count and the rows that were counted, it does not see.
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
                Some(connection) => {
                    let moment = connection.unchecked_transaction()?;
                    work(&moment)
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_one_job_asks_is_of_one_moment_and_the_next_sees_what_came_since() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prov.db");
        let writer = crate::store::sqlite::open::for_writing(&path).unwrap();
        writer.execute_batch("create table one (n integer)").unwrap();
        let readers = Readers::open(&path).unwrap();
        let count = |c: &Connection| -> Result<i64, StoreError> {
            Ok(c.query_row("select count(*) from one", [], |row| row.get(0))?)
        };
        let seen = readers.run(move |c| {
            let before = count(c)?;
            writer.execute_batch("insert into one values (1)")?;
            Ok((before, count(c)?))
        });
        assert_eq!(seen.await.unwrap(), (0, 0));
        assert_eq!(readers.run(count).await.unwrap(), 1);
    }
}
