//! The outbox: due actions → carried out → recorded.
//!
//! Invariants 2 and 4: a removal reads the live text, has exactly that sealed, and only then gets
//! its warrant; every action ends as done, as moot, or as a failure that a person sees. Between
//! the call to the platform and the record of its answer nothing is cancelled.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use metrics::counter;

use crate::domain::action::{ActionEvent, ActionKind, ActionState};
use crate::domain::ids::{AccountId, ActionId, VersionId};
use crate::domain::item::{LiveReading, Presence};
use crate::evidence::Leave;
use crate::evidence::warrant::ItemAddress;
use crate::platforms::error::PlatformError;
use crate::platforms::{Platform, Receipt, Sought, capability};
use crate::store::error::StoreError;
use crate::store::rows::{ActionRow, EvidenceState};
use crate::telemetry::metrics as names;

use super::intake::{address, growing_wait};
use super::read_again::Again;
use super::{Change, ServiceError, Services};

/// How many due actions of one account are taken in hand at a time.
const AT_ONCE: u32 = 50;

/// After so many attempts a person is told; with growing waits that is about an hour.
const MOST_ATTEMPTS: u32 = 12;

/// So long after an answer of which nobody knows whether it went out the platform is asked for it: some
/// list what was written only after a while, and to look too early is to send it twice.
const LOOKED_FOR_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// So far may the platform's clock be behind ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(10);

/// How one attempt ended.
pub(super) enum End {
    Done(String),
    Moot(String),
    /// Try again by itself.
    Later {
        at: Option<Timestamp>,
        reason: String,
        may_have_acted: bool,
    },
    /// Not without a person.
    Never {
        reason: String,
        may_have_acted: bool,
    },
}

/// What is known of earlier attempts at the same action.
#[derive(Clone, Copy)]
struct Before {
    /// When an earlier run had begun that died between intent and record.
    died: Option<Timestamp>,
    /// Some attempt may have reached the platform without our hearing of it.
    may_have_acted: bool,
    /// Whether this attempt was asked for by a person, who has been told what may have got through.
    is_asked_for: bool,
}

/// Why something may not be removed yet under a policy that has the diary first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotInTheDiary {
    /// The package is not written yet.
    NotYet,
    /// It could not be written.
    Failed,
    /// The diary has another wording than the one that stands there.
    AnotherText,
}

impl NotInTheDiary {
    /// The Swedish sentence for whoever is to remove it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::NotYet => {
                "Inlägget ska vara diariefört innan det tas bort, och det är det inte än."
            }
            Self::Failed => {
                "Inlägget ska vara diariefört innan det tas bort, och diarieföringen misslyckades. Inget har tagits bort."
            }
            Self::AnotherText => {
                "Texten har ändrats sedan den diariefördes, och diariet ska ha den först. Läs den nya lydelsen och besluta på nytt."
            }
        }
    }

    fn end(self) -> End {
        match self {
            Self::NotYet => later(self.words()),
            Self::Failed | Self::AnotherText => never(self.words()),
        }
    }
}

impl Services {
    /// Begins to carry out what is due, one lane an account: in order within it, and no account
    /// waits for another. Then moves on the cases that are settled.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer; the actions stay due.
    pub async fn begin_acts(&self) -> Result<(), ServiceError> {
        let now = self.inner.clock.now();
        let mut lanes: BTreeMap<AccountId, Vec<ActionId>> = BTreeMap::new();
        for action in self.inner.store.due_actions(now, AT_ONCE).await? {
            lanes.entry(action.account).or_default().push(action.id);
        }
        for (account, actions) in lanes {
            let Some(lane) = self.inner.acts.take(account, now) else { continue };
            let services = self.clone();
            tokio::spawn(async move {
                for id in actions {
                    let acted = AssertUnwindSafe(services.carry_out(id)).catch_unwind().await;
                    match acted {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => {
                            let error = &error as &dyn std::error::Error;
                            tracing::error!(action.id = %id, error, "an action could not be recorded");
                            lane.rest(services.inner.clock.now());
                            break;
                        }
                        Err(_) => {
                            // Its intent stands: the next round looks at the live state first.
                            tracing::error!(action.id = %id, "an action panicked");
                            lane.rest(services.inner.clock.now());
                            break;
                        }
                    }
                }
                drop(lane);
                services.inner.wakes.outbox.notify_one();
            });
        }
        let settled = self.inner.store.settle_decided(self.inner.clock.now()).await?;
        self.tell_cases(&settled);
        Ok(())
    }

    #[tracing::instrument(name = "action", skip_all, fields(action.id = %id))]
    async fn carry_out(&self, id: ActionId) -> Result<(), ServiceError> {
        // Read only now that the lane is ours: whoever had it before may have moved it.
        let action = self.inner.store.action(id).await?;
        let now = self.inner.clock.now();
        if !action.state.is_due(now) || self.inner.store.must_wait(id).await? {
            return Ok(());
        }
        // Under way already means that an earlier run died between intent and record: unknown.
        let (died, may_have_acted) = match action.state {
            ActionState::UnderWay { since, .. } => (Some(since), true),
            ActionState::Retrying { may_have_acted, .. } => (None, may_have_acted),
            ActionState::Pending { .. }
            | ActionState::Done { .. }
            | ActionState::Moot { .. }
            | ActionState::Failed { .. }
            | ActionState::Cancelled { .. } => (None, false),
        };
        let action =
            self.inner.store.move_action(action.id, ActionEvent::Begin { at: now }, now).await?;
        let attempt = match action.state {
            ActionState::UnderWay { attempt, .. } => attempt,
            ActionState::Pending { .. }
            | ActionState::Retrying { .. }
            | ActionState::Done { .. }
            | ActionState::Moot { .. }
            | ActionState::Failed { .. }
            | ActionState::Cancelled { .. } => 1,
        };
        let before = Before { died, may_have_acted, is_asked_for: attempt == 1 };
        let end = match action.kind {
            // Begun over and over without an end on record: a person has to look.
            _ if attempt > MOST_ATTEMPTS => never(format!(
                "Uppsikt har börjat {} gånger utan att få veta hur det gick. Kontrollera på plattformen om åtgärden är gjord.",
                attempt - 1
            )),
            ActionKind::Hide | ActionKind::Delete => self.remove(&action, before).await?,
            ActionKind::Unhide => self.show_again(&action).await?,
            ActionKind::Reply => self.reply(&action, before).await?,
            ActionKind::Report => self.report(&action, before).await?,
            ActionKind::Register => self.export(&action).await?,
            ActionKind::Forward => self.forward(&action, before.may_have_acted).await?,
        };
        let now = self.inner.clock.now();
        let event = match end {
            End::Done(receipt) => ActionEvent::Succeed { at: now, receipt },
            End::Moot(reason) => ActionEvent::FoundMoot { at: now, reason },
            End::Later { at, reason, may_have_acted } if attempt < MOST_ATTEMPTS => {
                let wait = now.saturating_add(growing_wait(attempt)).unwrap_or(Timestamp::MAX);
                let again_at = at.map_or(wait, |at| at.max(wait));
                let may_have_acted = before.may_have_acted || may_have_acted;
                ActionEvent::FailForNow { again_at, reason, may_have_acted }
            }
            End::Later { reason, may_have_acted, .. } => {
                let reason =
                    format!("{reason} Uppsikt har försökt {attempt} gånger och slutar nu.");
                let may_have_acted = before.may_have_acted || may_have_acted;
                ActionEvent::FailForGood { at: now, reason, may_have_acted }
            }
            End::Never { reason, may_have_acted } => {
                let may_have_acted = before.may_have_acted || may_have_acted;
                ActionEvent::FailForGood { at: now, reason, may_have_acted }
            }
        };
        let after = self.inner.store.move_action(action.id, event, now).await?;
        if after.state.is_settled() {
            self.note_log().await;
        }
        counter!(names::ACTIONS, "kind" => action.kind.id(), "outcome" => after.state.id())
            .increment(1);
        tracing::info!(attempt, state = after.state.id(), "action moved");
        self.tell(Change::Case(action.case));
        Ok(())
    }

    /// What holds a removal of this version back under a policy that has the diary first: a registration of
    /// the same decision that is not made, or was made of another wording (Jönköping 237, Finspång 349 and
    /// 375).
    pub(super) async fn not_in_the_diary(
        &self,
        action: &ActionRow,
        version: VersionId,
    ) -> Result<Option<NotInTheDiary>, ServiceError> {
        let store = &self.inner.store;
        // A policy that was changed since takes no gate off what was decided before it.
        let gated = self.policy_of(action.account).duties.registers_before_removal()
            || store
                .decided_under_another(action.id, self.policy_of(action.account).version)
                .await?;
        if !gated {
            return Ok(None);
        }
        let actions = store.actions_on(action.case).await?;
        let registration = actions
            .iter()
            .find(|a| a.decision == action.decision && a.kind == ActionKind::Register);
        let Some(registration) = registration else { return Ok(None) };
        match registration.state {
            ActionState::Done { .. } | ActionState::Moot { .. } => {}
            ActionState::Cancelled { .. } => return Ok(None),
            ActionState::Failed { .. } => return Ok(Some(NotInTheDiary::Failed)),
            ActionState::Pending { .. }
            | ActionState::UnderWay { .. }
            | ActionState::Retrying { .. } => return Ok(Some(NotInTheDiary::NotYet)),
        }
        if registration.version == version {
            return Ok(None);
        }
        let registered = store.version(registration.version).await?.content_hash;
        // A new version without a new text: an edit that was taken back, or a time that moved.
        let same = registered == store.version(version).await?.content_hash;
        Ok((!same).then_some(NotInTheDiary::AnotherText))
    }

    /// Read live, compare with the sealed version, capture anew if changed, warrant, call.
    async fn remove(&self, action: &ActionRow, before: Before) -> Result<End, ServiceError> {
        // Nobody has decided on the policy that stands in: people are told that nothing is removed by it.
        if self.policy_of(action.account).doubt.is_some() {
            return Ok(later(
                "Riktlinjen går inte att läsa, så inget tas bort förrän en administratör har publicerat den på nytt.",
            ));
        }
        // Before the platform is asked anything: most wait for nothing but the package.
        if let Some(hindrance) = self.not_in_the_diary(action, action.version).await? {
            return Ok(hindrance.end());
        }
        let Some(served) = self.served(action.account) else {
            return Ok(no_account());
        };
        let item = self.inner.store.item(action.item).await?;
        let target = address(&item);
        let reading = match served.platform.read_live(&target).await {
            Ok(reading) => reading,
            Err(PlatformError::Gone) => LiveReading::Gone,
            Err(error) => return Ok(unseen(error)),
        };
        let now = self.inner.clock.now();
        let recorded = self.inner.store.record_live_reading(item.id, reading.clone(), now).await;
        let (version, changed) = match recorded {
            Ok(recorded) => recorded,
            // The platform answered with another item: nothing may be removed on that.
            Err(StoreError::Refused { why }) => {
                return Ok(never(format!("{} Inget har tagits bort.", sentence(&why))));
            }
            Err(error) => return Err(error.into()),
        };
        if changed {
            self.inner.wakes.assess.notify_one();
        }
        match &reading {
            // An earlier attempt of ours got through without our hearing of it.
            LiveReading::Gone if before.may_have_acted && action.kind == ActionKind::Delete => {
                return Ok(End::Done("plattformen visar att inlägget är borta".into()));
            }
            LiveReading::Gone => {
                return Ok(End::Moot(
                    "Inlägget var redan borta från plattformen. Beviset finns kvar.".into(),
                ));
            }
            LiveReading::Present(fetched) if is_removed(action.kind, fetched.presence) => {
                let state = fetched.presence.label();
                return Ok(if before.may_have_acted {
                    // An earlier attempt of ours got through without our hearing of it.
                    End::Done(format!("plattformen visar att inlägget är {state}"))
                } else {
                    End::Moot(format!("Inlägget var redan {state} på plattformen."))
                });
            }
            LiveReading::Present(_) => {}
            LiveReading::NotReadable { .. } => {}
        }
        let mut resealed = false;
        if version != action.version {
            if let Some(hindrance) = self.not_in_the_diary(action, version).await? {
                return Ok(hindrance.end());
            }
            match self.seal_now(version).await {
                Ok(sealed) if matches!(sealed.state, EvidenceState::Sealed { .. }) => {
                    resealed = true;
                    self.inner
                        .store
                        .retarget_removal(action.id, version, sealed.id, self.inner.clock.now())
                        .await?;
                }
                Ok(_) => {
                    return Ok(later(
                        "Den ändrade texten kunde inte säkras än; inget har tagits bort.",
                    ));
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "capturing anew failed"
                    );
                    return Ok(later(
                        "Texten hade ändrats och kunde inte säkras på nytt; inget har tagits bort.",
                    ));
                }
            }
        }
        let again = self.seal_again(action, version, &reading).await?;
        if again == Again::Overtaken {
            return Ok(later("En annan lydelse kom in just nu; inget har tagits bort."));
        }
        // Taking evidence took its time, and the very text that is sealed is what may go.
        let reading = match resealed || again.took_time() {
            true => match self.still_stands(action, &*served.platform, &target, reading).await? {
                Ok(reading) => reading,
                Err(end) => return Ok(end),
            },
            false => reading,
        };
        let warrant = match self.inner.evidence.leave_to_remove(target, version, &reading).await {
            Ok(Leave::Granted(warrant)) => warrant,
            Ok(Leave::NotSealed) => {
                return Ok(later(
                    "Beviset för den text som står på plattformen är inte säkrat; inget har tagits bort.",
                ));
            }
            Ok(Leave::Gone) => {
                return Ok(End::Moot("Inlägget var redan borta från plattformen.".into()));
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the seal cannot be checked"
                );
                return Ok(never(
                    "Beviset kan inte styrkas, så inget har tagits bort. Kör uppsikt evidence verify och kontakta den som sköter servern.",
                ));
            }
        };
        self.note_seen(action, version, &reading, &again).await?;
        let (result, after) = match action.kind {
            ActionKind::Delete => (served.platform.delete(warrant).await, Presence::Gone),
            _ => (served.platform.hide(warrant).await, Presence::Hidden),
        };
        // Where the platform says that it has put it into a bin, it can be brought back.
        let after = match &result {
            Ok(Receipt::Done(word) | Receipt::AlreadySo(word)) if word == "trash" => {
                Presence::Binned
            }
            Ok(_) | Err(_) => after,
        };
        self.record_removal(action, result, after).await
    }

    async fn record_removal(
        &self,
        action: &ActionRow,
        result: Result<Receipt, PlatformError>,
        after: Presence,
    ) -> Result<End, ServiceError> {
        let now = self.inner.clock.now();
        Ok(match result {
            Ok(receipt) => {
                self.inner.store.record_presence(action.item, after, now).await?;
                end_of_receipt(receipt)
            }
            Err(PlatformError::Gone) => {
                self.inner.store.record_presence(action.item, Presence::Gone, now).await?;
                End::Moot("Inlägget var redan borta från plattformen. Beviset finns kvar.".into())
            }
            Err(error) => end_of(error),
        })
    }

    /// What stops an act that was decided on one text where another stands there now: nobody has read
    /// that one. A text that cannot be read counts as the last we were given.
    async fn not_what_was_read(
        &self,
        action: &ActionRow,
        platform: &dyn Platform,
        target: &ItemAddress,
    ) -> Result<Option<End>, ServiceError> {
        let reading = match platform.read_live(target).await {
            Ok(reading) => reading,
            Err(PlatformError::Gone) => LiveReading::Gone,
            Err(error) => return Ok(Some(unseen(error))),
        };
        let now = self.inner.clock.now();
        let store = &self.inner.store;
        let gone = matches!(reading, LiveReading::Gone);
        let recorded = store.record_live_reading(action.item, reading, now).await;
        if gone {
            // What was sealed and is gone is an entry of the log.
            self.note_log().await;
        }
        let (version, changed) = match recorded {
            Ok(recorded) => recorded,
            Err(StoreError::Refused { why }) => {
                return Ok(Some(never(format!("{} Inget har skickats.", sentence(&why)))));
            }
            Err(error) => return Err(error.into()),
        };
        if changed {
            self.inner.wakes.assess.notify_one();
        }
        if version == action.version {
            return Ok(None);
        }
        let (read, stands) = (store.version(action.version).await?, store.version(version).await?);
        // A new version without a new text: an edit that was taken back, or a time that moved.
        let same = read.content_hash == stands.content_hash;
        Ok((!same).then(|| never(CHANGED_SINCE)))
    }

    async fn show_again(&self, action: &ActionRow) -> Result<End, ServiceError> {
        let Some((platform, target)) = self.reach(action).await? else { return Ok(no_account()) };
        if let Some(end) = self.not_what_was_read(action, &*platform, &target).await? {
            return Ok(end);
        }
        let result = platform.unhide(&target).await;
        match result {
            Ok(receipt) => {
                let now = self.inner.clock.now();
                self.inner.store.record_presence(action.item, Presence::Visible, now).await?;
                Ok(end_of_receipt(receipt))
            }
            Err(PlatformError::Gone) => {
                Ok(never("Inlägget finns inte längre på plattformen och kan inte visas igen."))
            }
            Err(error) => Ok(end_of(error)),
        }
    }

    /// Answers. Where an earlier attempt may have got through, looks for the answer first; where that
    /// is not found and the platform takes the same answer twice, a person decides.
    async fn reply(&self, action: &ActionRow, before: Before) -> Result<End, ServiceError> {
        let Some((platform, target)) = self.reach(action).await? else { return Ok(no_account()) };
        let Some(text) = action.text.as_deref() else {
            return Ok(never("Svaret saknar text."));
        };
        let knows_repeats = capability::knows_repeats(platform.kind(), target.kind);
        if before.may_have_acted {
            let look_at = before.died.map(|since| after(since, LOOKED_FOR_AFTER));
            if let Some(at) = look_at.filter(|at| !knows_repeats && *at > self.inner.clock.now()) {
                return Ok(End::Later {
                    at: Some(at),
                    reason: LOOKED_FOR.into(),
                    may_have_acted: true,
                });
            }
            let (decided, others) = self.inner.store.answers_like(action.id).await?;
            let since = decided.saturating_sub(CLOCKS_APART).unwrap_or(Timestamp::MIN);
            let sought = Sought { text, key: &action.key, since, others: &others };
            match platform.find_reply(&target, &sought).await {
                // An earlier attempt of ours got through without our hearing of it.
                Ok(Some(Receipt::Done(id) | Receipt::AlreadySo(id))) => return Ok(End::Done(id)),
                Ok(None) if knows_repeats || before.is_asked_for => {}
                Ok(None) => return Ok(maybe_answered()),
                Err(error) => return Ok(unseen(error)),
            }
        }
        if let Some(end) = self.not_what_was_read(action, &*platform, &target).await? {
            return Ok(end);
        }
        Ok(match platform.reply(&target, text, &action.key).await {
            Ok(receipt) => end_of_receipt(receipt),
            Err(PlatformError::Gone) => {
                never("Inlägget finns inte längre på plattformen, så det går inte att svara.")
            }
            Err(error) if error.may_have_acted() && !knows_repeats => {
                looked_for(end_of(error), self.inner.clock.now())
            }
            Err(error) => end_of(error),
        })
    }

    /// Reports. No platform lets us look for a report, so one that may have got through is never
    /// sent again by itself: a person looks.
    async fn report(&self, action: &ActionRow, before: Before) -> Result<End, ServiceError> {
        if before.died.is_some() {
            return Ok(maybe_reported());
        }
        let Some((platform, target)) = self.reach(action).await? else { return Ok(no_account()) };
        let reason = action.text.clone().unwrap_or_default();
        Ok(end_of_report(platform.report(&target, &reason).await))
    }

    async fn export(&self, action: &ActionRow) -> Result<End, ServiceError> {
        match self.export_package(action).await {
            Ok(package) => Ok(End::Done(format!("paketet {package} ligger i exportmappen"))),
            Err(error @ ServiceError::TryLater { .. }) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "export waits");
                Ok(later("Paketet väntar på att beviset ska säkras."))
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "export failed");
                Ok(later(
                    "Paketet till diariet kunde inte skrivas. Kontrollera exportmappen och disken.",
                ))
            }
        }
    }

    async fn reach(
        &self,
        action: &ActionRow,
    ) -> Result<Option<(std::sync::Arc<dyn Platform>, ItemAddress)>, ServiceError> {
        let item = self.inner.store.item(action.item).await?;
        Ok(self.served(action.account).map(|served| (served.platform.clone(), address(&item))))
    }
}

/// Whether an item in this state needs the removal no more.
pub(super) fn is_removed(kind: ActionKind, presence: Presence) -> bool {
    match presence {
        Presence::Hidden => kind == ActionKind::Hide,
        Presence::Binned | Presence::Gone => true,
        Presence::Visible | Presence::Unknown => false,
    }
}

fn end_of_receipt(receipt: Receipt) -> End {
    match receipt {
        Receipt::Done(answer) => End::Done(answer),
        Receipt::AlreadySo(found) => {
            End::Moot(format!("Så var det redan på plattformen: {found}."))
        }
    }
}

/// What a person is told of an act on a text that they have not read.
const CHANGED_SINCE: &str = "Texten har ändrats sedan beslutet; inget har skickats. Läs den nya lydelsen och besluta på nytt.";

/// What a person is told of an answer that is waited for.
const LOOKED_FOR: &str = "Svaret kan ha skickats, men plattformens bekräftelse kom aldrig fram. Uppsikt ser efter om det syns, innan något skickas igen.";

/// What a person is told of an answer whose end nobody knows.
const MAYBE_ANSWERED: &str = "Svaret kan ha skickats, men plattformens bekräftelse kom aldrig fram och svaret syns inte där än. Titta på plattformen innan du försöker igen, så att det inte skickas två gånger.";

/// What a person is told of a report whose end nobody knows.
const MAYBE_REPORTED: &str = "Anmälan kan ha skickats, men plattformens svar kom aldrig fram. Titta på plattformen om den finns där innan du försöker igen.";

fn end_of_report(result: Result<Receipt, PlatformError>) -> End {
    match result {
        Ok(receipt) => end_of_receipt(receipt),
        Err(error) if error.may_have_acted() => {
            tracing::warn!(error = %error, "it is not known whether a report got through");
            maybe_reported()
        }
        Err(error) => end_of(error),
    }
}

/// An end after a look that failed: nothing had been asked for.
pub(super) fn unseen(error: PlatformError) -> End {
    match end_of(error) {
        End::Later { at, reason, .. } => End::Later { at, reason, may_have_acted: false },
        End::Never { reason, .. } => End::Never { reason, may_have_acted: false },
        end @ (End::Done(_) | End::Moot(_)) => end,
    }
}

fn end_of(error: PlatformError) -> End {
    let reason = error.swedish();
    let may_have_acted = error.may_have_acted();
    tracing::warn!(error = %error, "the platform did not carry it out");
    match error {
        PlatformError::Transient { retry_at, .. } => {
            End::Later { at: retry_at, reason, may_have_acted }
        }
        PlatformError::Throttled { until, .. } | PlatformError::QuotaGone { until, .. } => {
            End::Later { at: Some(until), reason, may_have_acted }
        }
        PlatformError::TokenExpired { .. } | PlatformError::Local { .. } => {
            End::Later { at: None, reason, may_have_acted }
        }
        PlatformError::ReauthNeeded { .. }
        | PlatformError::Forbidden { .. }
        | PlatformError::Gone
        | PlatformError::Refused { .. }
        | PlatformError::Contract { .. }
        | PlatformError::NotOffered { .. } => End::Never { reason, may_have_acted },
    }
}

/// A reason as a sentence of its own.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    let first = characters.next().map_or_else(String::new, |c| c.to_uppercase().collect());
    format!("{first}{}.", characters.as_str())
}

/// It goes again: nothing has been asked of the platform yet.
pub(super) fn later(reason: &str) -> End {
    End::Later { at: None, reason: reason.to_owned(), may_have_acted: false }
}

/// It does not go: nothing has been asked of the platform.
pub(super) fn never(reason: impl Into<String>) -> End {
    End::Never { reason: reason.into(), may_have_acted: false }
}

/// The next attempt begins with a look, and not before there may be something to see.
fn looked_for(end: End, now: Timestamp) -> End {
    match end {
        End::Later { at, .. } => End::Later {
            at: at.max(Some(after(now, LOOKED_FOR_AFTER))),
            reason: LOOKED_FOR.into(),
            may_have_acted: true,
        },
        end @ (End::Done(_) | End::Moot(_) | End::Never { .. }) => end,
    }
}

fn after(moment: Timestamp, wait: SignedDuration) -> Timestamp {
    moment.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn maybe_answered() -> End {
    End::Never { reason: MAYBE_ANSWERED.into(), may_have_acted: true }
}

fn maybe_reported() -> End {
    End::Never { reason: MAYBE_REPORTED.into(), may_have_acted: true }
}

fn no_account() -> End {
    never(
        "Kontot finns inte längre i inställningarna, så plattformen kan inte nås. Lägg tillbaka kontot och försök igen.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_goes_again_only_where_it_surely_did_not_go() {
        let failed = |may_have_acted| {
            let detail = "prov".to_owned();
            end_of_report(Err(PlatformError::Transient { detail, may_have_acted, retry_at: None }))
        };
        assert!(
            matches!(failed(true), End::Never { reason, .. } if reason.contains("kan ha skickats"))
        );
        assert!(matches!(failed(false), End::Later { .. }));
    }
}
