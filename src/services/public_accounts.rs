//! The list of accounts for the authority's web page.

use crate::domain::account::PlatformKind;

use super::cards::link;
use super::{ServiceError, Services, Viewer};

/// What an account tells the public: no people, nothing internal.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Public {
    /// Its name.
    #[serde(rename = "namn")]
    pub name: String,
    /// Its platform.
    #[serde(rename = "plattform")]
    pub platform: &'static str,
    /// Where it is.
    #[serde(rename = "adress")]
    pub address: String,
    /// What it is for.
    #[serde(rename = "syfte")]
    pub purpose: String,
    /// For whom.
    #[serde(rename = "malgrupp")]
    pub audience: String,
    /// The unit that answers for it.
    #[serde(rename = "verksamhet")]
    pub unit: String,
}

impl Services {
    /// The accounts for the authority's web page: those that are marked for it and not closed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn public_list(&self, viewer: &Viewer) -> Result<Vec<Public>, ServiceError> {
        let entries = self.register(viewer).await?.into_iter();
        let shown = entries.filter(|entry| {
            // A place that somebody names when recording by hand is no account of ours.
            let is_own = entry.account.platform != PlatformKind::Manual;
            is_own && entry.card.listed && !entry.known.is_closed
        });
        Ok(shown
            .map(|entry| Public {
                name: entry.account.name,
                platform: entry.account.platform.label(),
                // Written before links were parsed, it may be none.
                address: link(&entry.card.address, "Adressen").unwrap_or_default(),
                purpose: entry.card.purpose,
                audience: entry.card.audience,
                unit: entry.card.unit,
            })
            .collect())
    }

    /// The same as a table.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn public_list_csv(&self, viewer: &Viewer) -> Result<Vec<u8>, ServiceError> {
        let list = self.public_list(viewer).await?;
        let cells = list.into_iter().map(|one| {
            vec![
                one.name,
                one.platform.to_owned(),
                one.address,
                one.purpose,
                one.audience,
                one.unit,
            ]
        });
        const HEAD: &[&str] = &["namn", "plattform", "adress", "syfte", "målgrupp", "verksamhet"];
        Ok(crate::formats::protocol::table(HEAD, cells))
    }
}
