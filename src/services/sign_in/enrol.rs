//! What somebody who has logged in does with their own second factor.

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::ContentHash;
use crate::domain::sign_in::{Way, is_enough};
use crate::runtime::secret::Secret;
use crate::services::session::Opened;
use crate::services::users::fits;
use crate::services::{ServiceError, Services, Viewer};

use super::{Tried, WRONG_CODE, new_secret, recovery_codes};

/// How long a proposed secret waits for its first code.
const PROPOSED: SignedDuration = SignedDuration::from_mins(30);
/// Proposals that are held.
const MOST: usize = 1_000;

/// Somebody's own second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFactor {
    /// Whether it can be had: not by those who log in elsewhere.
    pub possible: bool,
    /// Since when there is one, and how many recovery codes are left.
    pub since: Option<(Timestamp, u64)>,
    /// Whether it is demanded of their role.
    pub demanded: bool,
}

const WRONG_PASSWORD: &str = "Lösenordet stämmer inte. Inget har ändrats.";
const ELSEWHERE: &str =
    "Du loggar in genom organisationens inloggning, och den sköter också det andra steget.";

impl Services {
    /// How somebody's own second factor stands.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn own_factor(&self, viewer: &Viewer) -> Result<OwnFactor, ServiceError> {
        let factor = self.inner.store.factor(viewer.user).await?;
        let known = self.inner.store.user_by_id(viewer.user).await?;
        Ok(OwnFactor {
            possible: known.is_some_and(|(_, hash)| hash.starts_with('$')),
            since: factor.map(|factor| (factor.since, factor.codes_left)),
            demanded: self.demands_factor(viewer.role),
        })
    }

    /// The secret that is proposed to somebody in this session: the same each time its page is opened, until it is
    /// set up or a while has passed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn proposed_factor(&self, session: &str) -> Result<Secret, ServiceError> {
        let now = self.inner.clock.now();
        let key = ContentHash::of(session.as_bytes());
        let mut proposed = self.inner.steps.proposed();
        proposed.retain(|_, (_, until)| *until > now);
        if let Some((secret, _)) = proposed.get(&key) {
            return Ok(secret.clone());
        }
        if proposed.len() >= MOST {
            return Err(ServiceError::TryLater { why: "Försök igen om en stund.".into() });
        }
        let secret = new_secret()?;
        let until = now.saturating_add(PROPOSED).unwrap_or(now);
        proposed.insert(key, (secret.clone(), until));
        Ok(secret)
    }

    /// Holds a password against the person's own: what changes how one logs in asks for it once more, since a page may
    /// have been left open.
    async fn own_password(
        &self,
        viewer: &Viewer,
        password: Secret,
    ) -> Result<String, ServiceError> {
        let known = self.inner.store.user_by_id(viewer.user).await?;
        let Some((_, hash)) = known.filter(|(user, hash)| user.active && hash.starts_with('$'))
        else {
            return Err(ServiceError::Refused { why: ELSEWHERE.into() });
        };
        if !fits(password, hash.clone()).await? {
            let line = viewer.line("session.refused", format!("user {}", viewer.user));
            self.inner.store.record_audit(line, self.inner.clock.now()).await?;
            return Err(ServiceError::Refused { why: WRONG_PASSWORD.into() });
        }
        Ok(hash)
    }

    /// Sets up the proposed secret, where password and first code are right and there is none yet. Every session ends,
    /// and one is opened anew; the recovery codes are shown now and never again.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn set_own_factor(
        &self,
        viewer: &Viewer,
        session: &str,
        password: Secret,
        typed: &str,
    ) -> Result<(Opened, Vec<Secret>), ServiceError> {
        let hash = self.own_password(viewer, password).await?;
        if self.inner.store.factor(viewer.user).await?.is_some() {
            let why = "Du har redan tvåstegsinloggning. Stäng av den först om du vill byta app.";
            return Err(ServiceError::Refused { why: why.into() });
        }
        let secret = self.proposed_factor(session)?;
        let Some(codes) = self.put_factor(viewer, &secret, typed).await? else {
            return Err(ServiceError::Refused { why: WRONG_CODE.into() });
        };
        self.inner.steps.proposed().remove(&ContentHash::of(session.as_bytes()));
        Ok((self.open_anew(viewer, hash, Way::Code).await?, codes))
    }

    /// A new session in place of those that a change of the second factor has ended.
    async fn open_anew(
        &self,
        viewer: &Viewer,
        hash: String,
        way: Way,
    ) -> Result<Opened, ServiceError> {
        let known = self.inner.store.user_by_id(viewer.user).await?;
        let Some((user, _)) = known else { return Err(ServiceError::NotFound { what: "user" }) };
        self.let_in(user, hash, way, viewer.address).await
    }

    /// Holds a code against the person's own second factor.
    async fn own_code(&self, viewer: &Viewer, typed: &str) -> Result<(), ServiceError> {
        match self.try_code(viewer, typed).await? {
            Tried::Right => Ok(()),
            Tried::Wrong(why) => Err(ServiceError::Refused { why }),
        }
    }

    /// Takes the person's own second factor away, where password and a code are right and it is not demanded of them.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn remove_own_factor(
        &self,
        viewer: &Viewer,
        password: Secret,
        typed: &str,
    ) -> Result<Opened, ServiceError> {
        if !is_enough(Way::Password, false, self.demands_factor(viewer.role)) {
            let why = "Tvåstegsinloggning krävs för din roll och kan inte stängas av. Har du bytt telefon: be den som administrerar Uppsikt att nollställa den.";
            return Err(ServiceError::Refused { why: why.into() });
        }
        let hash = self.own_password(viewer, password).await?;
        self.own_code(viewer, typed).await?;
        let line = viewer.line("factor.remove", format!("user {}", viewer.user));
        self.inner.store.remove_factor(viewer.user, line, self.inner.clock.now()).await?;
        self.open_anew(viewer, hash, Way::Password).await
    }

    /// New recovery codes in place of the old ones, where a code is right.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn renew_recovery(
        &self,
        viewer: &Viewer,
        typed: &str,
    ) -> Result<Vec<Secret>, ServiceError> {
        self.own_code(viewer, typed).await?;
        let (shown, kept) = recovery_codes(viewer.user)?;
        let line = viewer.line("factor.codes", format!("user {}", viewer.user));
        self.inner.store.set_recovery(viewer.user, kept, line, self.inner.clock.now()).await?;
        Ok(shown)
    }
}
