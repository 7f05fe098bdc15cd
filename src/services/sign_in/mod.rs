//! Logging in, step by step: password, second factor, or somebody else's word for the person.
//!
//! A step that is not the last opens no session. It is held in memory under a token of its own, in a cookie of its
//! own, for some minutes; the session's token comes with the last step, so nothing that was known before it opens
//! anything after. How far somebody has come is never taken from the browser.

pub mod enrol;
mod id_token;
pub mod oidc;
pub mod outside;
pub mod sessions;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use metrics::counter;

use crate::domain::ids::{ContentHash, UserId};
use crate::domain::person::Role;
use crate::domain::sign_in::{
    Demanded, GroupRule, SECRET_BYTES, Way, base32, from_base32, is_enough, step_of, typed_code,
};
use crate::runtime::secret::Secret;
use crate::runtime::vault::Key;
use crate::store::rows::{AuditLine, UserRow};
use crate::store::sqlite::sign_in::Ending;
use crate::telemetry::metrics as names;

use super::session::{NOBODY, Opened, WRONG, random_hex};
use super::users::fits;
use super::{ServiceError, Services, Viewer};

/// How long a step waits for the next.
const STEP_KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Wrong codes of one step; then it begins anew with the password.
const TRIES: u32 = 5;
/// Steps that are held; who makes one has shown a right password.
const MOST_STEPS: usize = 2_000;
/// Recovery codes of one user.
const RECOVERY_CODES: usize = 10;
/// Random bytes of a recovery code: more than anybody guesses, so that a plain hash keeps it.
const RECOVERY_BYTES: usize = 10;

/// How people log in here.
#[derive(Debug, Default)]
pub struct SignIn {
    /// Who has to show a second factor.
    pub demanded: Demanded,
    /// The key that the secrets of second factors are sealed with; made when the first one is set up.
    pub key_file: PathBuf,
    /// What groups mean here.
    pub groups: Vec<GroupRule>,
    /// The authority's own provider.
    pub provider: Option<oidc::Provider>,
    /// A proxy that vouches for people.
    pub proxy: Option<outside::ProxySettings>,
}

/// Where a log-in stands after the password.
#[derive(Debug)]
pub enum Entered {
    /// A session is open.
    Open(Opened),
    /// Another step is to be made.
    Step(Step),
}

/// A step that waits, for the browser to hold.
#[derive(Debug)]
pub struct Step {
    /// The token, for the step's cookie.
    pub token: Secret,
    /// What is wanted next.
    pub wants: Wanted,
}

/// What is wanted next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A code of the second factor.
    Code,
    /// A second factor is to be set up.
    Factor,
}

/// A waiting step as its page shows it.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// What its forms must carry.
    pub csrf: String,
    /// The login name.
    pub login: String,
    /// What is wanted.
    pub wants: Wanted,
    /// The secret to be set up, in base 32, where one is.
    pub secret: Option<Secret>,
}

/// What came of a code.
#[derive(Debug)]
pub enum Given {
    /// A session is open.
    Open(Opened),
    /// A second factor was set up and a session is open; the recovery codes are shown now and never again.
    SetUp(Opened, Vec<Secret>),
    /// It was not right; the words say so.
    Wrong(String),
    /// The step has ended: the password is asked for anew.
    Ended(String),
}

struct Held {
    user: UserRow,
    password_hash: String,
    csrf: String,
    wants: Wanted,
    secret: Option<Secret>,
    tries: u32,
    until: Timestamp,
}

/// What waits.
#[derive(Default)]
pub struct Steps {
    held: Mutex<HashMap<ContentHash, Held>>,
    proposed: Mutex<HashMap<ContentHash, (Secret, Timestamp)>>,
}

impl Steps {
    fn held(&self) -> MutexGuard<'_, HashMap<ContentHash, Held>> {
        // Short sections that leave nothing half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn proposed(&self) -> MutexGuard<'_, HashMap<ContentHash, (Secret, Timestamp)>> {
        self.proposed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, token: &str) {
        self.held().remove(&ContentHash::of(token.as_bytes()));
    }
}

const STEP_ENDED: &str = "Inloggningen tog för lång tid eller avbröts. Börja om med lösenordet.";
const WRONG_CODE: &str = "Koden stämmer inte. Vänta på nästa kod i appen och försök igen, eller använd en återställningskod.";
const TOO_MANY_CODES: &str = "För många fel koder. Börja om med lösenordet.";
/// The key is gone, or another than the one the secret was sealed with.
const NO_SECRET: &str = "Tvåstegsinloggningen går inte att läsa på servern. Logga in med en återställningskod, eller be den som administrerar Uppsikt att nollställa den.";

/// What a user's secret is sealed under: it opens in no other's place.
fn seal_name(user: UserId) -> String {
    format!("second factor {user}")
}

/// A secret by chance, in base 32.
fn new_secret() -> Result<Secret, ServiceError> {
    let mut bytes = zeroize::Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|e| ServiceError::broken("random numbers", e.to_string()))?;
    Ok(Secret::new(base32(bytes.as_slice())))
}

/// A recovery code as it is kept. Bound to its user, so that equal codes are not seen to be.
fn recovery_hash(user: UserId, code: &[u8]) -> ContentHash {
    ContentHash::of(format!("uppsikt recovery code v1 {user} {}", hex::encode(code)).as_bytes())
}

/// New recovery codes: as people write them, and as they are kept.
fn recovery_codes(user: UserId) -> Result<(Vec<Secret>, Vec<ContentHash>), ServiceError> {
    let mut shown = Vec::with_capacity(RECOVERY_CODES);
    let mut kept = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let mut bytes = zeroize::Zeroizing::new([0; RECOVERY_BYTES]);
        getrandom::fill(bytes.as_mut_slice())
            .map_err(|e| ServiceError::broken("random numbers", e.to_string()))?;
        let text = base32(bytes.as_slice()).to_lowercase();
        let parts: Vec<_> = [0..4, 4..8, 8..12, 12..16].map(|part| text[part].to_owned()).into();
        shown.push(Secret::new(parts.join("-")));
        kept.push(recovery_hash(user, bytes.as_slice()));
    }
    Ok((shown, kept))
}

/// What was typed, where it can be a recovery code.
fn typed_recovery(typed: &str) -> Option<Vec<u8>> {
    from_base32(typed.trim()).filter(|bytes| bytes.len() == RECOVERY_BYTES)
}

impl Services {
    pub(super) fn sign_in(&self) -> &SignIn {
        &self.inner.settings.sign_in
    }

    /// The key that second factors are sealed by. What is to be opened was sealed by one that there is: only a new
    /// factor makes it.
    async fn key(&self, may_make: bool) -> Result<Key, ServiceError> {
        let file = self.sign_in().key_file.clone();
        let read = move || if may_make { Key::read_or_make(&file) } else { Key::read(&file) };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| ServiceError::broken("key of second factors", error))?
            .map_err(|error| ServiceError::broken("key of second factors", error))
    }

    /// Whether somebody with this role has to show a second factor.
    pub fn demands_factor(&self, role: Role) -> bool {
        self.sign_in().demanded.of_role(role)
    }

    /// The first step: name and password. The answer to a wrong name and to a wrong password is the same, in words
    /// and in time.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn begin_log_in(
        &self,
        login: &str,
        password: Secret,
        address: IpAddr,
    ) -> Result<Entered, ServiceError> {
        let login = login.trim().to_lowercase();
        let known = self.inner.store.user_by_login(login).await?;
        // Whoever has no password here has a hash that is none.
        let (user, hash) = match known {
            Some((user, hash)) if user.active && hash.starts_with('$') => (Some(user), hash),
            Some(_) | None => (None, NOBODY.to_owned()),
        };
        let right = fits(password, hash.clone()).await?;
        let Some(user) = user.filter(|_| right) else {
            return Err(self.refuse_login(address, None, WRONG).await?);
        };
        let has_factor = self.inner.store.factor(user.id).await?.is_some();
        if is_enough(Way::Password, has_factor, self.demands_factor(user.role)) {
            let opened = self.let_in(user, hash, Way::Password, address).await?;
            return Ok(Entered::Open(opened));
        }
        let wants = if has_factor { Wanted::Code } else { Wanted::Factor };
        let secret = if has_factor { None } else { Some(new_secret()?) };
        let token = random_hex()?;
        let now = self.inner.clock.now();
        let held = Held {
            user,
            password_hash: hash,
            csrf: random_hex()?,
            wants,
            secret,
            tries: 0,
            until: now.saturating_add(STEP_KEPT).unwrap_or(now),
        };
        let mut steps = self.inner.steps.held();
        steps.retain(|_, held| held.until > now);
        if steps.len() >= MOST_STEPS {
            return Err(ServiceError::TryLater { why: "Försök igen om en stund.".into() });
        }
        steps.insert(ContentHash::of(token.as_bytes()), held);
        Ok(Entered::Step(Step { token: Secret::new(token), wants }))
    }

    /// A step that waits, if it still does.
    pub fn waiting_step(&self, token: &str) -> Option<Waiting> {
        let now = self.inner.clock.now();
        let steps = self.inner.steps.held();
        let held = steps.get(&ContentHash::of(token.as_bytes())).filter(|held| held.until > now)?;
        Some(Waiting {
            csrf: held.csrf.clone(),
            login: held.user.login.clone(),
            wants: held.wants,
            secret: held.secret.clone(),
        })
    }

    /// Lets go of a step.
    pub fn end_step(&self, token: &str) {
        self.inner.steps.end(token);
    }

    /// Takes a step out while its code is looked at: two at the same time would both be tried against one count.
    fn take_step(&self, token: &str) -> Option<Held> {
        let now = self.inner.clock.now();
        let held = self.inner.steps.held().remove(&ContentHash::of(token.as_bytes()))?;
        (held.until > now).then_some(held)
    }

    /// Puts a step back after a wrong code, unless there were too many.
    fn put_back(&self, token: &str, mut held: Held, words: String) -> Given {
        held.tries += 1;
        if held.tries >= TRIES {
            return Given::Ended(TOO_MANY_CODES.into());
        }
        self.inner.steps.held().insert(ContentHash::of(token.as_bytes()), held);
        Given::Wrong(words)
    }

    /// Whether what the first step saw is still so: the password may have been changed since because somebody else
    /// knows it, and then they set up nothing either.
    async fn still_holds(&self, held: &Held) -> Result<bool, ServiceError> {
        let known = self.inner.store.user_by_id(held.user.id).await?;
        let same = known.is_some_and(|(user, hash)| user.active && hash == held.password_hash);
        let has_factor = self.inner.store.factor(held.user.id).await?.is_some();
        Ok(same && has_factor == (held.wants == Wanted::Code))
    }

    /// The second step: a code, or a recovery code in its place; or the first code of a factor that is set up.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer.
    pub async fn give_code(
        &self,
        token: &str,
        typed: &str,
        address: IpAddr,
    ) -> Result<Given, ServiceError> {
        let Some(held) = self.take_step(token) else {
            return Ok(Given::Ended(STEP_ENDED.into()));
        };
        if !self.still_holds(&held).await? {
            return Ok(Given::Ended(STEP_ENDED.into()));
        }
        let viewer = viewer_of(&held.user, address);
        match held.wants {
            Wanted::Code => match self.try_code(&viewer, typed).await? {
                Tried::Right => {
                    let opened =
                        self.let_in(held.user, held.password_hash, Way::Code, address).await?;
                    Ok(Given::Open(opened))
                }
                Tried::Wrong(words) => Ok(self.put_back(token, held, words)),
            },
            Wanted::Factor => {
                let Some(secret) = held.secret.clone() else {
                    return Ok(Given::Ended(STEP_ENDED.into()));
                };
                let Some(codes) = self.put_factor(&viewer, &secret, typed).await? else {
                    return Ok(self.put_back(token, held, WRONG_CODE.into()));
                };
                let opened = self.let_in(held.user, held.password_hash, Way::Code, address).await?;
                Ok(Given::SetUp(opened, codes))
            }
        }
    }

    /// Holds what was typed against somebody's second factor. Each wrong one is counted, and each is on the audit log.
    async fn try_code(&self, viewer: &Viewer, typed: &str) -> Result<Tried, ServiceError> {
        let (store, now) = (&self.inner.store, self.inner.clock.now());
        let Some(factor) = store.factor(viewer.user).await? else {
            return Ok(Tried::Wrong(STEP_ENDED.into()));
        };
        if let Some(until) = factor.wrong_until.filter(|until| *until > now) {
            let minutes = until.duration_since(now).as_secs().div_euclid(60) + 1;
            let unit = if minutes == 1 { "minut" } else { "minuter" };
            let words = format!(
                "Det har kommit för många fel koder. Vänta {minutes} {unit} och försök igen. Var det inte du: någon kan ditt lösenord, säg till den som administrerar Uppsikt."
            );
            return Ok(Tried::Wrong(words));
        }
        if let Some(code) = typed_code(typed) {
            let key = match self.key(false).await {
                Ok(key) => Some(key),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the key of second factors cannot be read");
                    None
                }
            };
            let sealed = key.and_then(|key| key.open(&seal_name(viewer.user), &factor.sealed));
            let secret = sealed.and_then(|secret| from_base32(secret.expose()));
            match secret.map(zeroize::Zeroizing::new) {
                Some(secret) => {
                    if let Some(step) = step_of(&secret, &code, now, factor.last_step)
                        && store.spend_step(viewer.user, step, now).await?
                    {
                        return Ok(Tried::Right);
                    }
                }
                None => {
                    tracing::error!(user.id = viewer.user.0, "a second factor cannot be opened");
                    // No code can be right, so none was guessed: a recovery code still opens.
                    return Ok(Tried::Wrong(NO_SECRET.into()));
                }
            }
        } else if let Some(code) = typed_recovery(typed) {
            let left = factor.codes_left.saturating_sub(1);
            let line = AuditLine {
                detail: Some(format!("{left} kvar")),
                ..viewer.line("factor.recovery", format!("user {}", viewer.user))
            };
            if store
                .spend_recovery(viewer.user, recovery_hash(viewer.user, &code), line, now)
                .await?
            {
                return Ok(Tried::Right);
            }
        }
        counter!(names::LOGINS_REFUSED).increment(1);
        let line = viewer.line("session.code_refused", format!("user {}", viewer.user));
        store.note_wrong_code(viewer.user, line, now).await?;
        Ok(Tried::Wrong(WRONG_CODE.into()))
    }

    /// Sets up a second factor where the first code fits its secret. Gives the recovery codes.
    async fn put_factor(
        &self,
        viewer: &Viewer,
        secret: &Secret,
        typed: &str,
    ) -> Result<Option<Vec<Secret>>, ServiceError> {
        let now = self.inner.clock.now();
        let bytes = from_base32(secret.expose()).map(zeroize::Zeroizing::new);
        let step =
            typed_code(typed).zip(bytes).and_then(|(code, bytes)| step_of(&bytes, &code, now, 0));
        let Some(step) = step else { return Ok(None) };
        let sealed = self
            .key(true)
            .await?
            .seal(&seal_name(viewer.user), secret.expose())
            .map_err(|error| ServiceError::broken("sealing of a second factor", error))?;
        let (shown, kept) = recovery_codes(viewer.user)?;
        let line = viewer.line("factor.set", format!("user {}", viewer.user));
        self.inner.store.set_factor(viewer.user, (sealed, step), kept, line, now).await?;
        Ok(Some(shown))
    }

    /// Opens a session: always under a new token.
    async fn let_in(
        &self,
        user: UserRow,
        hash: String,
        way: Way,
        address: IpAddr,
    ) -> Result<Opened, ServiceError> {
        let (token, csrf) = (random_hex()?, random_hex()?);
        let now = self.inner.clock.now();
        let viewer = viewer_of(&user, address);
        let expires_at = now.saturating_add(self.inner.settings.session).unwrap_or(now);
        let line = AuditLine {
            detail: Some(way.id().to_owned()),
            ..viewer.line("session.open", format!("user {}", user.id))
        };
        let digest = ContentHash::of(token.as_bytes());
        let store = &self.inner.store;
        if !store.open_session_by(way, digest, (user.id, hash), csrf, expires_at, line, now).await?
        {
            return Err(self.refuse_login(address, None, WRONG).await?);
        }
        Ok(Opened { token: Secret::new(token), viewer })
    }

    /// Writes down a log-in that was refused; gives the refusal.
    async fn refuse_login(
        &self,
        address: IpAddr,
        detail: Option<String>,
        words: &str,
    ) -> Result<ServiceError, ServiceError> {
        counter!(names::LOGINS_REFUSED).increment(1);
        // The typed name may be a password put into the wrong field: it is not written down.
        let line = AuditLine {
            user: None,
            user_name: String::new(),
            act: "session.refused",
            subject: "login".into(),
            address: address.to_string(),
            detail,
        };
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        Ok(ServiceError::Refused { why: words.into() })
    }

    /// Ends the session that a browser had before it logged in anew: nobody goes on with it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn replace_session(&self, old: &str, opened: &Opened) -> Result<(), ServiceError> {
        let (token, now) = (ContentHash::of(old.as_bytes()), self.inner.clock.now());
        if let Some(row) = self.inner.store.session(token, now).await? {
            let line = opened.viewer.line("session.end", format!("user {}", row.user.id));
            self.inner.store.end_sessions(row.user.id, Ending::One(token), line, now).await?;
        }
        Ok(())
    }
}

enum Tried {
    Right,
    Wrong(String),
}

fn viewer_of(user: &UserRow, address: IpAddr) -> Viewer {
    Viewer {
        user: user.id,
        name: user.name.clone(),
        title: user.title.clone(),
        role: user.role,
        address,
        key: None,
    }
}
