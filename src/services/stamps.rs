//! Time stamps on checkpoints: asked for through the one way out, kept only when they hold, asked for
//! again while the authority is away.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use url::Url;

use crate::evidence::timestamp::{MOST_ANSWER_BYTES, QUERY_TYPE, Query};
use crate::platforms::http::{BadHttpSettings, Http, HttpSettings};
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::anchors::CheckpointRow;

use super::ServiceError;

/// How long one stamp may take. Most answer within a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// So many are asked for in one round, one after the other.
const AT_ONCE: u32 = 10;

/// Who stamps.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the authority answers.
    pub url: Url,
    /// Its root certificate, PEM.
    pub ca_pem: String,
    /// It may lie on a private network.
    pub allow_private: bool,
}

/// Asks for time stamps.
#[derive(Clone, Debug)]
pub struct Stamping {
    store: Store,
    clock: Clock,
    http: Http,
    settings: Settings,
}

impl Stamping {
    /// A client of the authority.
    ///
    /// # Errors
    /// [`BadHttpSettings`].
    pub fn new(settings: Settings, store: Store, clock: Clock) -> Result<Self, BadHttpSettings> {
        let http = HttpSettings {
            total_timeout: PATIENCE,
            max_body_bytes: MOST_ANSWER_BYTES,
            allow_http_loopback: settings.url.scheme() == "http",
            allow_private: settings.allow_private,
            ..HttpSettings::default()
        };
        let http = Http::new(&settings.url, &http, clock.clone(), Vec::new())?;
        Ok(Self { store, clock, http, settings })
    }

    /// Asks for every stamp that is due, the newest checkpoint first. After the first that comes to
    /// nothing the others wait too. Gives whether there may be more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store fails; that no stamp was got is a row.
    pub async fn ask(&self) -> Result<bool, ServiceError> {
        let due = self.store.wanted_stamps(self.clock.now(), AT_ONCE).await?;
        let more = due.len() == AT_ONCE as usize;
        for checkpoint in due {
            let size = checkpoint.size;
            let Err(problem) = self.stamp(checkpoint).await? else { continue };
            tracing::warn!(checkpoint.size = size, problem, "no time stamp was got");
            self.store.put_off_stamp(size, problem, self.clock.now()).await?;
            return Ok(false);
        }
        Ok(more)
    }

    /// Asks for one; the inner error says in Swedish why nothing was kept.
    async fn stamp(&self, checkpoint: CheckpointRow) -> Result<Result<(), String>, ServiceError> {
        let (body, at) = match self.ask_for(checkpoint.note.as_bytes()).await? {
            Ok(stamped) => stamped,
            Err(problem) => return Ok(Err(problem)),
        };
        let (authority, ca) = (self.settings.url.to_string(), self.settings.ca_pem.clone());
        let now = self.clock.now();
        self.store.keep_stamp(checkpoint.size, authority, body, at, ca, now).await?;
        Ok(Ok(()))
    }

    /// Whether the authority stamps what it is asked for, and when it says that was. Nothing is kept. The inner error
    /// says in Swedish why not.
    ///
    /// # Errors
    /// [`ServiceError`] where this machine gives no random number.
    pub async fn check(&self) -> Result<Result<Timestamp, String>, ServiceError> {
        let asked = self.ask_for(b"uppsikt doctor").await?;
        Ok(asked.map(|(_, at)| at))
    }

    /// The authority's answer about some bytes, and its time.
    async fn ask_for(
        &self,
        note: &[u8],
    ) -> Result<Result<(Vec<u8>, Timestamp), String>, ServiceError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|e| ServiceError::broken("random number", std::io::Error::other(e)))?;
        let query = Query::new(note, random);
        let call = self
            .http
            .call(Method::POST, self.settings.url.clone())
            .header(CONTENT_TYPE, QUERY_TYPE)
            .body(query.bytes().to_vec());
        let answer = match self.http.send(call).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(format!("stämpeltjänsten svarade inte: {error}"))),
        };
        if !answer.is_success() {
            return Ok(Err(format!("stämpeltjänsten svarade med HTTP {}", answer.status)));
        }
        let body = answer.body;
        let stamp = query.check(&body, note, &self.settings.ca_pem, self.clock.now());
        Ok(stamp.map(|stamp| (body, stamp.at)).map_err(|error| error.swedish()))
    }
}

#[cfg(test)]
mod tests;
