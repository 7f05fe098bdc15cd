//! Webhooks to other systems (*webbhookar*): what has happened, with ids, states and links, signed as Standard
//! Webhooks has it. Never a word of a comment or a name.
//!
//! A message is a row from the transaction of what it tells (triggers), so none is lost; it is tried with the waits of
//! notices, and what never came through is a task. What a receiver answers is read no further than its status.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use url::Url;

use crate::domain::hook::HookEvent;
use crate::domain::ids::{HookId, HookMessageId};
use crate::domain::notice::next_try;
use crate::domain::person::Act;
use crate::platforms::error::PlatformError;
use crate::platforms::forum::push::standard;
use crate::platforms::http::{Http, HttpSettings, may_be_entered};
use crate::runtime::secret::Secret;
use crate::store::error::StoreError;
use crate::store::sqlite::hooks::{HookMessage, HookRow, HookTrouble};

use super::corrections::words;
use super::{ServiceError, Services, Viewer};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a round waits for its lanes: a receiver that takes longer goes on by itself, and is left out until then.
const ROUND_WAITS: Duration = Duration::from_secs(2);
/// Messages to one receiver in a round.
const AT_ONCE: u32 = 20;
/// How long the secret before a new one signs as well.
const TURNED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long before its end a deadline is near.
const NEAR: SignedDuration = SignedDuration::from_hours(4);
/// How long what came through stands on the page.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often deadlines are gone through.
const DEADLINES_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// Messages on the page.
const SHOWN: u32 = 100;
/// The longest name, in characters, and the longest address, in bytes.
const LONGEST_NAME: usize = 60;
const LONGEST_URL: usize = 500;

/// A receiver, as the page shows it.
pub type Known = HookRow;
/// A message, as the page shows it.
pub type Message = HookMessage;

/// Where messages may go.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Plain http to this machine: a bridge to another system, or a test.
    pub allow_loopback: bool,
    /// Receivers may lie on a private network.
    pub allow_private: bool,
    /// Administrators may make keys that act for others.
    pub keys_for_others: bool,
    /// The address that people type.
    pub public_url: Option<Url>,
}

impl Settings {
    fn http(&self) -> HttpSettings {
        HttpSettings {
            total_timeout: PATIENCE,
            allow_http_loopback: self.allow_loopback,
            allow_private: self.allow_private,
            ..HttpSettings::default()
        }
    }
}

/// Carries messages.
#[derive(Clone)]
pub struct Hooks {
    services: Services,
    settings: Settings,
    /// When deadlines were last gone through.
    asked: Arc<Mutex<Option<Timestamp>>>,
    /// Receivers that something is being sent to just now, each in a lane of its own.
    busy: Arc<Mutex<BTreeSet<HookId>>>,
}

/// The lane of one receiver, given back when dropped.
struct Lane {
    busy: Arc<Mutex<BTreeSet<HookId>>>,
    hook: HookId,
}

impl Lane {
    fn take(busy: &Arc<Mutex<BTreeSet<HookId>>>, hook: HookId) -> Option<Self> {
        let is_free = held(busy).insert(hook);
        is_free.then(|| Self { busy: Arc::clone(busy), hook })
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        held(&self.busy).remove(&self.hook);
    }
}

/// What a mutex holds; short sections, and a panic in between leaves nothing half done.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a message says. A pure function of what is noted, so that each try says the same.
fn body(message: &HookMessage, state: &str, account: &str, link: Option<Url>) -> String {
    let about = match message.event {
        HookEvent::CaseDecided | HookEvent::DecisionUndone => Some("decision"),
        HookEvent::CaseRegistered => Some("registration"),
        HookEvent::EvidenceSealed => Some("evidence"),
        HookEvent::CaseOpened | HookEvent::DeadlineNear => None,
    };
    let mut data =
        json!({ "case": message.case, "account": account, "state": state, "link": link });
    if let (Some(name), Some(id), Some(data)) = (about, message.about, data.as_object_mut()) {
        data.insert(name.to_owned(), json!(id));
    }
    json!({ "type": message.event.id(), "timestamp": message.at, "data": data }).to_string()
}

impl Hooks {
    /// Nothing is called yet.
    pub fn new(services: Services, settings: Settings) -> Self {
        Self { services, settings, asked: Arc::default(), busy: Arc::default() }
    }

    /// One round: near deadlines are told, then what is due is sent, to each receiver by itself. Says whether there
    /// is more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store fails; what did not come through is a row.
    pub async fn round(&self) -> Result<bool, ServiceError> {
        let services = &self.services.inner;
        let now = services.clock.now();
        let is_time = {
            let mut asked = held(&self.asked);
            let is_time = asked.is_none_or(|at| now.duration_since(at) >= DEADLINES_EVERY);
            if is_time {
                *asked = Some(now);
            }
            is_time
        };
        if is_time {
            let until = now.saturating_add(NEAR).unwrap_or(now);
            services.store.tell_near_deadlines(now, until).await?;
        }
        let due = services.store.due_hook_messages(now, AT_ONCE).await?;
        // A receiver that hangs keeps none of the others waiting, in this round or the next.
        let mut lanes = tokio::task::JoinSet::new();
        for (hook, messages) in due {
            let Some(lane) = Lane::take(&self.busy, hook.id) else { continue };
            let hooks = self.clone();
            lanes.spawn(async move {
                let sent = hooks.send_all(hook, messages).await;
                drop(lane);
                sent
            });
        }
        let (mut more, mut failed) = (false, None);
        let until = tokio::time::Instant::now() + ROUND_WAITS;
        while let Ok(Some(sent)) = tokio::time::timeout_at(until, lanes.join_next()).await {
            match sent {
                Ok(Ok(this)) => more |= this,
                // Told once the others have had their time: dropping them would break their calls off.
                Ok(Err(error)) => failed = Some(error),
                Err(error) => {
                    tracing::error!(error = %error, "a webhook's lane broke");
                }
            }
        }
        if !lanes.is_empty() {
            tokio::spawn(finish(lanes));
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(more),
        }
    }

    /// Says whether there is more for this receiver, which is well.
    async fn send_all(
        &self,
        hook: HookRow,
        messages: Vec<HookMessage>,
    ) -> Result<bool, ServiceError> {
        let more = messages.len() == AT_ONCE as usize;
        for message in messages {
            if !self.send(&hook, message).await? {
                // The next one would fail too, and each try counts.
                return Ok(false);
            }
        }
        Ok(more)
    }

    async fn send(&self, hook: &HookRow, message: HookMessage) -> Result<bool, ServiceError> {
        let services = &self.services.inner;
        let said = match message.body.clone() {
            Some(said) => said,
            None => {
                let row = services.store.case(message.case).await?;
                let item = services.store.item(row.item).await?;
                let account = self.services.served(item.account);
                let account = account.map_or(String::new(), |a| a.account.key.to_string());
                let link = self.settings.public_url.as_ref();
                let link = link.and_then(|url| url.join(&format!("arende/{}", message.case)).ok());
                let said = body(&message, row.state.id(), &account, link);
                services.store.word_hook_message(message.id, said.clone()).await?;
                said
            }
        };
        let outcome = self.post(hook, &message, said).await;
        let now = services.clock.now();
        let (status, problem, gone) = match outcome {
            Ok(status @ 200..=299) => {
                let forgotten = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
                services.store.hook_message_sent(message.id, status, forgotten, now).await?;
                return Ok(true);
            }
            Ok(status) => {
                (Some(status), format!("Mottagaren svarade med HTTP {status}."), status == 410)
            }
            Err(problem) => (None, problem, false),
        };
        let attempts = message.attempts + 1;
        // Gone is said on purpose: nobody wants to hear more there.
        let next = match gone {
            true => None,
            false => next_try(message.tried_since.unwrap_or(now), now, attempts, false),
        };
        tracing::warn!(hook.id = %hook.id, status, attempts, given_up = next.is_none(), "a webhook was not taken");
        let trouble = HookTrouble { status, problem, next };
        services.store.hook_message_failed(message.id, trouble, now).await?;
        Ok(false)
    }

    /// The status of the answer, or why there is none, in Swedish.
    async fn post(
        &self,
        hook: &HookRow,
        message: &HookMessage,
        said: String,
    ) -> Result<u16, String> {
        let services = &self.services.inner;
        let now = services.clock.now();
        let mut secrets = vec![services.store.hook_secret(hook.id, hook.turn)];
        if hook.turned_until.is_some_and(|until| until > now) {
            secrets.push(services.store.hook_secret(hook.id, hook.turn.saturating_sub(1)));
        }
        let no_address = || {
            "Adressen går inte att använda längre. Ta bort mottagaren och lägg in den på nytt."
                .to_owned()
        };
        let url = Url::parse(&hook.url).map_err(|_| no_address())?;
        // Judged anew at each call: the settings may have changed, and what the name leads to.
        let http = Http::new(&url, &self.settings.http(), services.clock.clone(), secrets.clone())
            .map_err(|_| no_address())?;
        let id = format!("msg_{}", message.token);
        let call = http
            .call(Method::POST, url)
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header("webhook-id", &id)
            .header("webhook-timestamp", now.as_second().to_string())
            .header("webhook-signature", standard(&secrets, &id, said.as_bytes(), now))
            .body(said);
        match http.status(call).await {
            Ok(status) => Ok(status),
            Err(error @ PlatformError::Contract { .. }) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(hook.id = %hook.id, error, "a webhook may not be called");
                Err("Adressen leder till ett privat nät, eller vidare till en annan adress, och anropas därför inte.".into())
            }
            Err(_) => Err("Mottagaren svarar inte, eller bröt.".into()),
        }
    }
}

/// Lanes that a round has not waited for. What one of them could not write down is sent again.
async fn finish(mut lanes: tokio::task::JoinSet<Result<bool, ServiceError>>) {
    while let Some(sent) = lanes.join_next().await {
        match sent {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a slow webhook could not be written down");
            }
            Err(error) => tracing::error!(error = %error, "a webhook's lane broke"),
        }
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

impl Services {
    /// The receivers, and the newest messages.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn hooks(&self, viewer: &Viewer) -> Result<(Vec<Known>, Vec<Message>), ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let store = &self.inner.store;
        Ok((store.hooks().await?, store.hook_messages(SHOWN).await?))
    }

    /// Adds a receiver. What comes back is the only time that its secret is shown.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] with words for the person.
    pub async fn add_hook(
        &self,
        viewer: &Viewer,
        name: &str,
        url: &str,
        events: BTreeSet<HookEvent>,
    ) -> Result<(HookId, Secret), ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let name = words(name, "Namnet")?;
        if name.is_empty() || name.contains('\n') || name.chars().count() > LONGEST_NAME {
            return refused(
                "Ge mottagaren ett namn på högst 60 tecken, till exempel Ärendesystemet.",
            );
        }
        if events.is_empty() {
            return refused("Välj minst en händelse.");
        }
        let parsed = Url::parse(url.trim()).ok().filter(|url| url.as_str().len() <= LONGEST_URL);
        let Some(parsed) = parsed else {
            return refused(
                "Adressen går inte att läsa. Skriv den som https://system.exempelstad.example/uppsikt.",
            );
        };
        if may_be_entered(&parsed, &self.inner.settings.hooks.http()).is_err() {
            return refused(
                "Adressen ska börja med https://, utan användarnamn och lösenord, och får inte leda till ett privat nät. Den som sköter servern kan tillåta mer under [api] i inställningarna.",
            );
        }
        let line = viewer.line("hook.add", format!("webhook {name}"));
        let now = self.inner.clock.now();
        let place = (name, parsed.to_string());
        let added = self.inner.store.add_hook(place, events, viewer.name.clone(), line, now).await;
        match added {
            Ok(id) => Ok((id, self.inner.store.hook_secret(id, 1))),
            Err(StoreError::Conflict { .. }) => refused(
                "Det finns redan, eller har funnits, en mottagare med det namnet. Välj ett annat.",
            ),
            Err(error) => Err(error.into()),
        }
    }

    /// A new secret for a receiver, shown once; the one before signs as well for a day.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::NotFound`]; [`ServiceError::Refused`] where it was taken away.
    pub async fn turn_hook(&self, viewer: &Viewer, hook: HookId) -> Result<Secret, ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let line = viewer.line("hook.turn", format!("webhook {hook}"));
        let now = self.inner.clock.now();
        let until = now.saturating_add(TURNED_FOR).unwrap_or(now);
        let turn = self.inner.store.turn_hook(hook, until, line, now).await?;
        Ok(self.inner.store.hook_secret(hook, turn))
    }

    /// Takes a receiver away: it is told nothing more.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::NotFound`].
    pub async fn end_hook(&self, viewer: &Viewer, hook: HookId) -> Result<(), ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let line = viewer.line("hook.end", format!("webhook {hook}"));
        Ok(self.inner.store.end_hook(hook, line, self.inner.clock.now()).await?)
    }

    /// Sends again: one message, or all that never came through.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] where there is nothing to send.
    pub async fn send_hook_again(
        &self,
        viewer: &Viewer,
        hook: HookId,
        only: Option<HookMessageId>,
    ) -> Result<u64, ServiceError> {
        viewer.demand(Act::ManageUsers)?;
        let line = viewer.line("hook.again", format!("webhook {hook}"));
        let n = self.inner.store.try_hook_again(hook, only, line, self.inner.clock.now()).await?;
        if n == 0 {
            return refused("Det finns inget att skicka igen: det väntar redan, eller är borta.");
        }
        Ok(n)
    }
}
