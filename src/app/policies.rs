//! Policies: how their texts are read, and which are in force for a command beside the daemon.

use std::sync::Arc;

use super::AppError;
use crate::config::Config;
use crate::config::complaint::{Complaint, ConfigError};
use crate::config::policy::parse as parse_policy;
use crate::config::policy::ready::Ready;
use crate::services::disposal::rules::Policies;
use crate::services::policies::{self, Desk, Fault, Ready as BuiltIn};
use crate::store::Store;

/// What changing policies takes: how their texts are read, and those that are built in.
pub fn desk(config: &Config) -> Desk {
    let beside = config.policy_beside;
    let read = move |is_authority: bool, text: &str| match parse_policy("riktlinjen", text) {
        Ok(policy) if is_authority => Ok(beside.on(policy)),
        Ok(policy) => Ok(policy),
        Err(ConfigError::Refused(complaints)) => Err(complaints
            .into_iter()
            .map(|Complaint { line, column, what, .. }| Fault { line, column, what })
            .collect()),
        // Nothing is read from a file here.
        Err(error @ ConfigError::Unreadable { .. }) => {
            Err(vec![Fault { line: 1, column: 1, what: error.to_string() }])
        }
    };
    let ready = Ready::ALL.iter();
    let ready =
        ready.map(|one| BuiltIn { id: one.id(), what: one.what(), text: one.text() }).collect();
    Desk { read: Arc::new(read), ready }
}

/// The policies in force for a command that works beside the daemon: those of the settings, or what was published
/// on the page since.
///
/// # Errors
/// [`AppError`].
pub async fn in_force(config: &Config, store: &Store) -> Result<Policies, AppError> {
    let known = store.accounts().await?;
    let own = config.accounts.iter().filter_map(|account| {
        let row = known.iter().find(|row| row.key == account.key)?;
        Some((Some(row.id), account.policy.clone()?))
    });
    let files = own.chain([(None, config.policy.clone())]).collect();
    let (mut ruling, _) = policies::ruling(store, &desk(config).read, &files).await?;
    let authority = ruling.remove(&None).unwrap_or_else(|| config.policy.clone());
    let accounts = config.accounts.iter().map(|account| {
        let row = known.iter().find(|row| row.key == account.key);
        let own = row.and_then(|row| ruling.remove(&Some(row.id)));
        (account.key.clone(), own.or_else(|| account.policy.clone()).map(Arc::new))
    });
    let accounts: Vec<_> = accounts.collect();
    Ok(Policies::new(Arc::new(authority), accounts.into_iter()))
}
