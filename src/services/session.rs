//! Log in, who is asking, log out.
//!
//! A session's token is 256 random bits; the store keeps only its hash, so a stolen database opens
//! nothing. Sessions end after the configured time, at log-out, when the password changes, and when
//! their user is shut out.

use std::net::IpAddr;

use jiff::SignedDuration;
use metrics::counter;

use crate::domain::ids::ContentHash;
use crate::runtime::secret::Secret;
use crate::store::rows::AuditLine;
use crate::telemetry::metrics as names;

use super::users::fits;
use super::{ServiceError, Services, Viewer};

/// A hash that fits no password anybody has: checked for unknown login names, so that the time of
/// the answer does not tell which names exist. Parameters are argon2's defaults.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$SqlVijFGiPG+935vDSGEsA4Hh8fD8eJSJ7eNMQ3ZrR8";

/// How often a session's use is noted: not at every request.
const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// The only words for a failed log-in, whether the name or the password was wrong.
pub const WRONG: &str = "Namnet eller lösenordet stämmer inte. Kontrollera stavning och stora bokstäver och försök igen.";

/// A session that was just opened.
#[derive(Debug)]
pub struct Opened {
    /// The token, for the cookie.
    pub token: Secret,
    /// Who.
    pub viewer: Viewer,
}

/// Who asks, with the session's secret for forms.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub viewer: Viewer,
    /// What forms must carry.
    pub csrf: String,
}

pub(super) fn random_hex() -> Result<String, ServiceError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|e| ServiceError::broken("random numbers", e.to_string()))?;
    Ok(hex::encode(bytes))
}

impl Services {
    /// Logs in. The answer to a wrong name and to a wrong password is the same.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn log_in(
        &self,
        login: &str,
        password: Secret,
        address: IpAddr,
    ) -> Result<Opened, ServiceError> {
        let login = login.trim().to_lowercase();
        let known = self.inner.store.user_by_login(login).await?;
        let now = self.inner.clock.now();
        let (user, hash) = match known {
            Some((user, hash)) if user.active => (Some(user), hash),
            Some(_) | None => (None, NOBODY.to_owned()),
        };
        let right = fits(password, hash.clone()).await?;
        let Some(user) = user.filter(|_| right) else {
            return self.wrong(address).await;
        };
        let token = random_hex()?;
        let csrf = random_hex()?;
        let viewer = Viewer {
            user: user.id,
            name: user.name,
            title: user.title,
            role: user.role,
            address,
            key: None,
        };
        let expires_at = now.saturating_add(self.inner.settings.session).unwrap_or(now);
        let line = viewer.line("session.open", format!("user {}", user.id));
        let (digest, user) = (ContentHash::of(token.as_bytes()), (user.id, hash));
        let store = &self.inner.store;
        if !store.open_session(digest, user, csrf, expires_at, line, now).await? {
            return self.wrong(address).await;
        }
        Ok(Opened { token: Secret::new(token), viewer })
    }

    async fn wrong(&self, address: IpAddr) -> Result<Opened, ServiceError> {
        counter!(names::LOGINS_REFUSED).increment(1);
        // The typed name may be a password put into the wrong field: it is not written down.
        let line = AuditLine {
            user: None,
            user_name: String::new(),
            act: "session.refused",
            subject: "login".into(),
            address: address.to_string(),
            detail: None,
        };
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        Err(ServiceError::Refused { why: WRONG.into() })
    }

    /// Notes that an act was refused: by role, by the state of things, or since the form was none of ours.
    /// `subject` is the form's address, never what was sent. That it could not be noted keeps nobody from their
    /// answer; it is told in the log.
    pub async fn note_refused(
        &self,
        viewer: Option<&Viewer>,
        address: IpAddr,
        subject: String,
        detail: String,
    ) {
        let line = AuditLine {
            user: viewer.map(|viewer| viewer.user),
            user_name: viewer.map_or_else(String::new, Viewer::named),
            act: "act.refused",
            subject,
            address: address.to_string(),
            detail: Some(detail),
        };
        if let Err(error) = self.inner.store.record_audit(line, self.inner.clock.now()).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "a refused act could not be noted");
        }
    }

    /// Who asks with this token.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer.
    pub async fn session(
        &self,
        token: &str,
        address: IpAddr,
    ) -> Result<Option<Session>, ServiceError> {
        let hash = ContentHash::of(token.as_bytes());
        let now = self.inner.clock.now();
        let row = self.inner.store.session(hash, now).await?;
        if let Some(row) = &row
            && now.duration_since(row.seen_at) >= SEEN_EVERY
            && let Err(error) = self.inner.store.note_session(hash, now).await
        {
            // Where nothing can be written pages can still be read.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the use of a session could not be noted");
        }
        Ok(row.map(|row| Session {
            viewer: Viewer {
                user: row.user.id,
                name: row.user.name,
                title: row.user.title,
                role: row.user.role,
                address,
                key: None,
            },
            csrf: row.csrf,
        }))
    }

    /// Logs out.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn log_out(&self, viewer: &Viewer, token: &str) -> Result<(), ServiceError> {
        let line = viewer.line("session.end", format!("user {}", viewer.user));
        let hash = ContentHash::of(token.as_bytes());
        Ok(self.inner.store.end_session(hash, line, self.inner.clock.now()).await?)
    }
}
