//! Clients that accounts share: what one trusts and how long it waits is the same for nearly all, and a thousand of their
//! own would be a hundred megabytes. Nothing of an account is in them: credentials go with each call, and cookies are not kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Client;

use super::{BadHttpSettings, Http, HttpSettings};
use crate::platforms::held;

/// All that tells one client from another.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    waits: [Duration; 3],
    extra_ca_pem: Option<Vec<u8>>,
    allow_private: bool,
    /// To this machine, which no proxy stands before, and where plain http is let through.
    loopback: bool,
    allow_http_loopback: bool,
}

/// Clients by what they are like.
#[derive(Clone, Debug, Default)]
pub struct Clients(Arc<Mutex<Vec<(Kind, Client)>>>);

impl Clients {
    /// The client for these settings, made where there is none yet.
    pub(super) fn of(
        &self,
        settings: &HttpSettings,
        loopback: bool,
    ) -> Result<Client, BadHttpSettings> {
        let kind = Kind {
            waits: [settings.connect_timeout, settings.read_timeout, settings.total_timeout],
            extra_ca_pem: settings.extra_ca_pem.clone(),
            allow_private: settings.allow_private,
            loopback,
            allow_http_loopback: settings.allow_http_loopback,
        };
        let mut all = held(&self.0);
        if let Some((_, client)) = all.iter().find(|(known, _)| *known == kind) {
            return Ok(client.clone());
        }
        let client = Http::client(settings, loopback)?;
        all.push((kind, client.clone()));
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_with_the_same_settings_share_a_client_and_others_do_not() {
        let clients = Clients::default();
        let usual = HttpSettings::default();
        let patient = HttpSettings { total_timeout: Duration::from_secs(90), ..usual.clone() };
        let inside = HttpSettings { allow_private: true, ..usual.clone() };
        for _ in 0..3 {
            clients.of(&usual, false).unwrap();
            clients.of(&patient, false).unwrap();
            clients.of(&inside, false).unwrap();
            clients.of(&usual, true).unwrap();
        }
        assert_eq!(held(&clients.0).len(), 4);
    }
}
