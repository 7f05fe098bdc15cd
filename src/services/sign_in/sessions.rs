//! Sessions that are listed and ended, and those who leave.

use jiff::Timestamp;

use crate::domain::ids::{ContentHash, UserId};
use crate::domain::person::{Act, Role};
use crate::domain::sign_in::Way;
use crate::services::{ServiceError, Services, Viewer};
use crate::store::rows::{AuditLine, OpenSessionRow, UserRow};
use crate::store::sqlite::sign_in::Ending;

/// A session as its list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What names it in a form: a piece of its token's hash, which opens nothing.
    pub mark: String,
    /// Whether it is the one that asks.
    pub own: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// From where it was opened.
    pub address: String,
    /// By what way.
    pub way: Way,
}

/// A user as the administrator's list shows them.
#[derive(Clone, Debug)]
pub struct Somebody {
    /// Who.
    pub user: UserRow,
    /// Whether they have a second factor.
    pub has_factor: bool,
    /// Whether one is demanded of their role.
    pub demanded: bool,
    /// Whether somebody else vouches for them.
    pub vouched: bool,
    /// Their open sessions.
    pub sessions: Vec<Listed>,
}

fn mark_of(token: ContentHash) -> String {
    token.to_hex()[..16].to_owned()
}

fn listed(row: &OpenSessionRow, own: Option<ContentHash>) -> Listed {
    Listed {
        mark: mark_of(row.token),
        own: own == Some(row.token),
        opened_at: row.opened_at,
        seen_at: row.seen_at,
        expires_at: row.expires_at,
        address: row.address.clone(),
        way: row.way,
    }
}

impl Services {
    /// The person's own sessions.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn own_sessions(
        &self,
        viewer: &Viewer,
        token: &str,
    ) -> Result<Vec<Listed>, ServiceError> {
        let own = Some(ContentHash::of(token.as_bytes()));
        let rows =
            self.inner.store.open_sessions(Some(viewer.user), self.inner.clock.now()).await?;
        Ok(rows.iter().map(|row| listed(row, own)).collect())
    }

    /// Ends one of the person's own sessions, or all but the one that asks.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where there is no such session of theirs.
    pub async fn end_own_sessions(
        &self,
        viewer: &Viewer,
        token: &str,
        mark: Option<&str>,
    ) -> Result<(), ServiceError> {
        let (store, now) = (&self.inner.store, self.inner.clock.now());
        let line = viewer.line("session.revoke", format!("user {}", viewer.user));
        let ending = match mark {
            None => Ending::AllBut(ContentHash::of(token.as_bytes())),
            Some(mark) => Ending::One(self.marked(viewer.user, mark).await?),
        };
        store.end_sessions(viewer.user, ending, line, now).await?;
        Ok(())
    }

    async fn marked(&self, user: UserId, mark: &str) -> Result<ContentHash, ServiceError> {
        let rows = self.inner.store.open_sessions(Some(user), self.inner.clock.now()).await?;
        let found = rows.iter().find(|row| mark_of(row.token) == mark);
        found.map(|row| row.token).ok_or(ServiceError::NotFound { what: "session" })
    }

    /// Everybody, with their open sessions, for whoever administers.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn everybody(
        &self,
        viewer: &Viewer,
        token: &str,
    ) -> Result<Vec<Somebody>, ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let (store, own) = (&self.inner.store, Some(ContentHash::of(token.as_bytes())));
        let users = store.users().await?;
        let sessions = store.open_sessions(None, self.inner.clock.now()).await?;
        let (with_factor, vouched) = (store.with_factor().await?, store.vouched_for().await?);
        Ok(users
            .into_iter()
            .map(|user| Somebody {
                has_factor: with_factor.contains(&user.id),
                demanded: self.demands_factor(user.role),
                vouched: vouched.contains(&user.id),
                sessions: sessions
                    .iter()
                    .filter(|row| row.user == user.id)
                    .map(|row| listed(row, own))
                    .collect(),
                user,
            })
            .collect())
    }

    async fn managed(&self, viewer: &Viewer, user: UserId) -> Result<UserRow, ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let known = self.inner.store.user_by_id(user).await?;
        known.map(|(user, _)| user).ok_or(ServiceError::NotFound { what: "user" })
    }

    /// Ends one session of somebody, or all of them.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`].
    pub async fn end_sessions_of(
        &self,
        viewer: &Viewer,
        user: UserId,
        mark: Option<&str>,
    ) -> Result<(), ServiceError> {
        let user = self.managed(viewer, user).await?;
        let ending = match mark {
            None => Ending::All,
            Some(mark) => Ending::One(self.marked(user.id, mark).await?),
        };
        let line = viewer.line("session.revoke", format!("user {}", user.login));
        self.inner.store.end_sessions(user.id, ending, line, self.inner.clock.now()).await?;
        Ok(())
    }

    /// Shuts somebody out who leaves, or lets them in again. In one act: sessions end, taken cases return to the
    /// queue, and nothing opens until somebody lets them in. Names stay in histories.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`]; [`ServiceError::Refused`] for oneself and for the
    /// last administrator.
    pub async fn shut_out(
        &self,
        viewer: &Viewer,
        user: UserId,
        out: bool,
    ) -> Result<(), ServiceError> {
        let user = self.managed(viewer, user).await?;
        let refused = |why: &str| Err(ServiceError::Refused { why: why.into() });
        if user.active != out {
            let state = if out { "redan avstängd" } else { "inte avstängd" };
            return refused(&format!("{} är {state}.", user.name));
        }
        if out && user.id == viewer.user {
            return refused("Du kan inte stänga av dig själv. Be en annan administratör.");
        }
        if out && user.role == Role::Administrator {
            let others = self.inner.store.users().await?;
            let other = |u: &UserRow| u.active && u.role == Role::Administrator && u.id != user.id;
            if !others.iter().any(other) {
                return refused("Det är den enda administratören. Lägg till en annan först.");
            }
        }
        let act = if out { "user.disable" } else { "user.enable" };
        let line = viewer.line(act, format!("user {}", user.login));
        let now = self.inner.clock.now();
        let held = self.inner.store.held_by(user.id).await?;
        self.inner.store.set_active(user.id, !out, line, now).await?;
        self.tell_cases(&held);
        Ok(())
    }

    /// Takes somebody's second factor away who has lost it. Their sessions end; where one is demanded they set up
    /// another when they log in.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`], [`ServiceError::Refused`] for oneself.
    pub async fn reset_factor(&self, viewer: &Viewer, user: UserId) -> Result<(), ServiceError> {
        let user = self.managed(viewer, user).await?;
        if user.id == viewer.user {
            let why = "Din egen tvåstegsinloggning ändrar du under Din inloggning, med en kod.";
            return Err(ServiceError::Refused { why: why.into() });
        }
        let line = viewer.line("factor.reset", format!("user {}", user.login));
        self.inner.store.remove_factor(user.id, line, self.inner.clock.now()).await?;
        Ok(())
    }
}

/// The line of an act that nobody here did: somebody else's word did it.
pub(super) fn line_of(user: &UserRow, act: &'static str, address: std::net::IpAddr) -> AuditLine {
    AuditLine {
        user: Some(user.id),
        user_name: user.name.clone(),
        act,
        subject: format!("user {}", user.id),
        address: address.to_string(),
        detail: None,
    }
}
