//! Users and passwords (argon2id).

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::domain::ids::UserId;
use crate::domain::person::Role;
use crate::domain::text::is_hidden;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, UserRow};
use crate::store::sqlite::users::NewUser;

use super::{ServiceError, Services};

/// The shortest password taken. Length is what counts; no rules of composition.
const SHORTEST: usize = 12;

/// Beyond this nobody types, and hashing it only costs.
const LONGEST: usize = 1024;

/// How many passwords are hashed at once: each takes 19 MiB and a core for a while, and whoever knocks
/// at the log-in page must not get all of them.
const HASHED_AT_ONCE: usize = 3;

/// One for the process, since memory and cores are.
static HASHING: Semaphore = Semaphore::const_new(HASHED_AT_ONCE);

/// Somebody to be added.
#[derive(Clone, Debug)]
pub struct Person {
    /// Login name.
    pub login: String,
    /// Name.
    pub name: String,
    /// Title, for signatures.
    pub title: String,
    /// Role.
    pub role: Role,
}

/// A user as the list shows them.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Login name.
    pub login: String,
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// The role's identifier.
    pub role: &'static str,
    /// May log in.
    pub active: bool,
}

/// Adds a user, from the command line or the demo.
///
/// # Errors
/// [`ServiceError::Refused`] where login name or password does not do, [`ServiceError::Conflict`]
/// where the login name is taken.
pub async fn add(
    store: &Store,
    clock: &Clock,
    person: Person,
    password: Secret,
) -> Result<UserId, ServiceError> {
    let refused = |why: String| Err(ServiceError::Refused { why });
    let login = person.login.trim().to_lowercase();
    if !is_login(&login) {
        return refused("Inloggningsnamnet ska ha 2 till 60 tecken: svenska bokstäver, siffror, punkt, bindestreck, understreck eller @.".into());
    }
    let name = check_name("Namnet", &person.name)?;
    let title = check_name("Titeln", &person.title)?;
    if name.is_empty() {
        return refused("Ange personens namn: det står i historiken vid allt hen gör.".into());
    }
    // The history tells people by name alone, and the machine by this one.
    let known = store.users().await?;
    let same = |other: &str| other.to_lowercase() == name.to_lowercase();
    if same(MACHINE) || known.iter().any(|user| user.active && same(&user.name)) {
        return refused(format!(
            "Det finns redan någon som heter {name} i historiken. Lägg till en initial eller enheten, så att det syns vem som gjorde vad."
        ));
    }
    check_length(&password)?;
    let detail = Some(person.role.id().to_owned());
    let line = AuditLine { detail, ..line("user.add", &login) };
    let user =
        NewUser { login, name, title, role: person.role, password_hash: hash(password).await? };
    store.add_user(user, line, clock.now()).await.map_err(|error| match error {
        StoreError::Conflict { .. } => ServiceError::Conflict {
            why: "Inloggningsnamnet är upptaget. Välj ett annat.".into(),
        },
        error => error.into(),
    })
}

/// Whether this can be a login name, in small letters.
pub(super) fn is_login(login: &str) -> bool {
    // Letters of one alphabet: a Cyrillic *а* beside a Latin one is another name that looks the same.
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, 'å' | 'ä' | 'ö' | 'é' | 'ü');
    (2..=60).contains(&login.chars().count())
        && login.chars().all(|c| letter(c) || matches!(c, '.' | '-' | '_' | '@'))
}

/// Whom the history names where nobody did it.
const MACHINE: &str = "Uppsikt";

/// The longest name or title, in characters.
const LONGEST_NAME: usize = 100;

/// A name as it stands in lists, histories and sealed records: one line, without what nobody sees.
pub(super) fn check_name(what: &str, typed: &str) -> Result<String, ServiceError> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().count() > LONGEST_NAME {
        let why = format!("{what} är för lång: högst {LONGEST_NAME} tecken får plats.");
        return Err(ServiceError::Refused { why });
    }
    if name.chars().any(|c| c.is_control() || is_hidden(c)) {
        let why =
            format!("{what} innehåller dolda tecken. Skriv för hand i stället för att klistra in.");
        return Err(ServiceError::Refused { why });
    }
    Ok(name)
}

/// Gives somebody a new password. Ends their sessions and lets go of the cases they have taken.
///
/// # Errors
/// [`ServiceError::Refused`] where there is no such user or the password does not do.
pub async fn set_password(
    store: &Store,
    clock: &Clock,
    login: &str,
    password: Secret,
) -> Result<(), ServiceError> {
    let user = known(store, login).await?;
    if store.vouched_for().await?.contains(&user.id) {
        return Err(ServiceError::Refused {
            why: format!(
                "{} loggar in genom organisationens inloggning och kan inte ha något lösenord här.",
                user.login
            ),
        });
    }
    check_length(&password)?;
    let line = line("user.password", &user.login);
    Ok(store.set_password(user.id, hash(password).await?, line, clock.now()).await?)
}

/// Takes somebody's second factor away who has lost it. Their sessions end; where one is demanded they set up another
/// when they log in.
///
/// # Errors
/// [`ServiceError::Refused`] where there is no such user, or no factor.
pub async fn reset_factor(store: &Store, clock: &Clock, login: &str) -> Result<(), ServiceError> {
    let user = known(store, login).await?;
    if store.factor(user.id).await?.is_none() {
        let why = format!("{} har ingen tvåstegsinloggning.", user.login);
        return Err(ServiceError::Refused { why });
    }
    store.remove_factor(user.id, line("factor.reset", &user.login), clock.now()).await?;
    Ok(())
}

/// Shuts somebody out, or lets them in again. Who is shut out loses their sessions and the cases
/// they have taken at once.
///
/// # Errors
/// [`ServiceError::Refused`] where there is no such user, or nothing would change.
pub async fn set_active(
    store: &Store,
    clock: &Clock,
    login: &str,
    active: bool,
) -> Result<(), ServiceError> {
    let user = known(store, login).await?;
    let (act, already) = match active {
        true => ("user.enable", "är inte avstängd"),
        false => ("user.disable", "är redan avstängd"),
    };
    if user.active == active {
        return Err(ServiceError::Refused { why: format!("{} {already}.", user.login) });
    }
    Ok(store.set_active(user.id, active, line(act, &user.login), clock.now()).await?)
}

pub(super) async fn known(store: &Store, login: &str) -> Result<UserRow, ServiceError> {
    let login = login.trim().to_lowercase();
    match store.user_by_login(login).await? {
        Some((user, _)) => Ok(user),
        None => Err(ServiceError::Refused {
            why: "Det finns ingen användare med det inloggningsnamnet. Se namnen med uppsikt users list.".into(),
        }),
    }
}

fn check_length(password: &Secret) -> Result<(), ServiceError> {
    if (SHORTEST..=LONGEST).contains(&password.expose().chars().count()) {
        return Ok(());
    }
    let why = format!("Lösenordet ska ha {SHORTEST} till {LONGEST} tecken.");
    Err(ServiceError::Refused { why })
}

/// What the audit log says of an act at the command line, whose user nobody knows.
pub(super) fn line(act: &'static str, login: &str) -> AuditLine {
    AuditLine {
        user: None,
        user_name: "kommandoraden".into(),
        act,
        subject: format!("user {login}"),
        address: "local".into(),
        detail: None,
    }
}

/// Every user, by login name.
///
/// # Errors
/// [`ServiceError`].
pub async fn all(store: &Store) -> Result<Vec<Listed>, ServiceError> {
    let users = store.users().await?;
    Ok(users
        .into_iter()
        .map(|user| Listed {
            login: user.login,
            name: user.name,
            title: user.title,
            role: user.role.id(),
            active: user.active,
        })
        .collect())
}

impl Services {
    /// Adds a user.
    ///
    /// # Errors
    /// See [`add`].
    pub async fn add_user(&self, person: Person, password: Secret) -> Result<UserId, ServiceError> {
        add(&self.inner.store, &self.inner.clock, person, password).await
    }

    /// Whether there is any user yet.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn has_users(&self) -> Result<bool, ServiceError> {
        Ok(!self.inner.store.users().await?.is_empty())
    }
}

/// Hashes a password.
async fn hash(password: Secret) -> Result<String, ServiceError> {
    let hash = move || {
        Argon2::default().hash_password(password.expose().as_bytes()).map(|hash| hash.to_string())
    };
    hashing(hash).await?.map_err(|e| ServiceError::broken("password hashing", e.to_string()))
}

/// Whether a password fits a hash. A hash that cannot be read fits nothing.
pub(super) async fn fits(password: Secret, hash: String) -> Result<bool, ServiceError> {
    let verify = move || match PasswordHash::new(&hash) {
        Ok(hash) => Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok(),
        Err(error) => {
            tracing::error!(error = %error, "a stored password hash cannot be read");
            false
        }
    };
    hashing(verify).await
}

/// Computes with a password; a quarter of a second, so never on the reactor, and only so many at
/// once. The place is given back when the computing ends, not when nobody waits for it any more.
async fn hashing<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ServiceError> {
    let place = HASHING.acquire().await.map_err(|e| ServiceError::broken("password check", e))?;
    let compute = move || {
        let computed = compute();
        drop(place);
        computed
    };
    tokio::task::spawn_blocking(compute)
        .await
        .map_err(|e| ServiceError::broken("password check", e))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn only_so_many_passwords_are_hashed_at_once() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tries = (0..20).map(|n| {
            let (now, most) = (now.clone(), most.clone());
            let compute = move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(10));
                now.fetch_sub(1, Ordering::SeqCst);
            };
            tokio::spawn(async move {
                // Every other caller hangs up at once, and gives no place away by that.
                let limit = Duration::from_millis(if n % 2 == 0 { 1 } else { 60_000 });
                drop(tokio::time::timeout(limit, hashing(compute)).await);
            })
        });
        futures_util::future::join_all(tries).await;
        let most = most.load(Ordering::SeqCst);
        assert!((1..=HASHED_AT_ONCE).contains(&most), "{most} at once");
    }
}
