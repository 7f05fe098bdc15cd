//! Log in, who is asking, log out.
//!
//! A session's token is 256 random bits; the store keeps only its hash, so a stolen database opens
//! nothing. Sessions end after the configured time, at log-out, when the password changes, and when
//! their user is shut out.

use std::net::IpAddr;

use jiff::SignedDuration;

use crate::domain::ids::ContentHash;
use crate::domain::sign_in::is_enough;
use crate::runtime::secret::Secret;
use crate::store::rows::{AuditLine, SessionRow};

use super::sign_in::Entered;
use super::{ServiceError, Services, Viewer};

/// A hash that fits no password anybody has: checked for unknown login names, so that the time of
/// the answer does not tell which names exist. Parameters are argon2's defaults.
pub(super) const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$SqlVijFGiPG+935vDSGEsA4Hh8fD8eJSJ7eNMQ3ZrR8";

/// How often a session's use is noted: not at every request.
const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// The only words for a failed log-in, whether the name or the password was wrong.
pub const WRONG: &str = "Namnet eller lösenordet stämmer inte. Kontrollera stavning och stora bokstäver och försök igen.";

/// What a program is told whose user has to show more than a password.
const NOT_ALONE: &str =
    "Användaren loggar in i två steg. Använd en användare utan tvåstegsinloggning för program.";

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
    /// Logs in by a password alone, for programs: not where more is to be shown, which asks for a person at a page.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn log_in(
        &self,
        login: &str,
        password: Secret,
        address: IpAddr,
    ) -> Result<Opened, ServiceError> {
        match self.begin_log_in(login, password, address).await? {
            Entered::Open(opened) => Ok(opened),
            Entered::Step(step) => {
                self.end_step(step.token.expose());
                Err(ServiceError::Refused { why: NOT_ALONE.into() })
            }
        }
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
        // One that was opened by a password alone is not good where more is asked for now.
        let demanded = |row: &SessionRow| self.demands_factor(row.user.role);
        let row = row.filter(|row| is_enough(row.way, row.has_factor, demanded(row)));
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
