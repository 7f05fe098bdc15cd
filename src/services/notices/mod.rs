//! Notices (*aviseringar*): who is told of a case, who is told when its deadline goes on, and how that
//! reaches them.
//!
//! What happened to a case marks it in the same transaction (a trigger); [`Notifier::plan`] turns marks
//! into rows, [`Notifier::send_due`] tries these until they came through or a person has to tell it in
//! another way. So a crash anywhere resumes there, and nothing fails in silence.

mod connections;
pub mod courier;
mod mentions;
mod plan;
mod register;
mod witnesses;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::domain::calendar::{MONTHS, local};
use crate::domain::category::{Category, Severity};
use crate::domain::deadline::{is_at_once, time_left_of};
use crate::domain::duties::Told;
use crate::domain::ids::{CaseId, NoticeId};
use crate::domain::notice::{Channel, QuietHours, is_given_up, next_try};
use crate::domain::person::Act;
use crate::formats::notice::Letter;
use crate::store::sqlite::notices::NoticeRow;

use super::queue::Line;
use super::{ServiceError, Services, Viewer};
use courier::{Courier, Undelivered};

/// How many are planned in one round, and sent by each way.
const AT_ONCE: u32 = 20;

/// A way that took longer in a round has no more sent by it, so that the next round can begin.
const LANE_TIME: SignedDuration = SignedDuration::from_secs(20);

/// When a case that could not be read is looked at again.
const PUT_OFF: SignedDuration = SignedDuration::from_mins(10);

/// What stands in place of a text that has personal data in it.
const KEPT_BACK: &str = "Texten kan innehålla personuppgifter och visas bara i ärendet.";

/// How many notices in trouble the page shows.
const SHOWN: u32 = 100;

/// Who is told, and when not.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that people type, for links to a case.
    pub public_url: Url,
    /// When only what is urgent is sent.
    pub quiet: Option<QuietHours>,
    /// Whether the beginning of the comment stands in the notice, masked.
    pub shows_text: bool,
    /// Where those are written to whom a policy tells of a finding and who are no users of ours.
    pub told: BTreeMap<Told, String>,
}

/// A notice that did not come through, as the page shows it.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Which.
    pub notice: NoticeId,
    /// Whether a person has to tell it in another way; otherwise it is tried again by itself.
    pub needs_a_person: bool,
    /// Whether there is anybody to try again with.
    pub has_recipient: bool,
    /// For whom.
    pub who: String,
    /// What they were to be told.
    pub subject: String,
    /// Why it did not come through.
    pub problem: String,
    /// The case it leads to.
    pub case: Option<CaseId>,
    /// When it was made.
    pub made_at: Timestamp,
}

/// Plans notices and sends them.
#[derive(Clone)]
pub struct Notifier {
    services: Services,
    settings: Settings,
    courier: Courier,
    /// The hour for which days ahead were looked at.
    hour: Arc<AtomicI64>,
    /// Who is sent checkpoints of the log.
    witnesses: Vec<String>,
    /// Which accounts were told of that are not read.
    told: Arc<Mutex<connections::Told>>,
}

impl Notifier {
    /// A notifier for these services.
    pub fn new(services: Services, settings: Settings, courier: Courier) -> Self {
        let hour = Arc::new(AtomicI64::new(i64::MIN));
        Self { services, settings, courier, hour, witnesses: Vec::new(), told: Arc::default() }
    }

    fn is_new_hour(&self) -> bool {
        let hour = self.services.inner.clock.now().as_second().div_euclid(3600);
        self.hour.swap(hour, Ordering::Relaxed) != hour
    }

    /// One round: plan, then send. Says whether there is more. What goes wrong in one part keeps none of the
    /// others back: above all, what is due is sent.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer; nothing is lost, it waits.
    pub async fn round(&self) -> Result<bool, ServiceError> {
        if let Err(error) = self.services.end_crisis_if_over().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "a crisis that is over could not be ended; it is tried again");
        }
        // What was noted and cannot wait for the hour is told with what the hour tells.
        let hurries = self.services.inner.amiss.swap(false, Ordering::Relaxed);
        if self.is_new_hour() || hurries {
            if let Err(error) = self.coverage().await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "days ahead without anybody could not be looked for");
            }
            if let Err(error) = self.register().await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "what is amiss with accounts could not be told");
            }
        }
        if let Err(error) = self.connections().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(
                error,
                "accounts that are not read could not be told; it is tried again"
            );
        }
        if let Err(error) = self.send_witnesses().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "checkpoints could not be mailed; it is tried again");
        }
        let named = self.mentions().await;
        let planned = self.plan().await;
        let escalated = self.escalate().await;
        let sent = self.send_due().await?;
        Ok(planned? || escalated? || named? || sent)
    }

    /// Sends what is due: the mail server and each webhook by itself, so that none waits for another, and of
    /// each what is urgent first. Says whether there may be more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store fails; that something did not come through is a row.
    pub async fn send_due(&self) -> Result<bool, ServiceError> {
        let services = &self.services.inner;
        let mut lanes: BTreeMap<(Channel, String), Vec<NoticeRow>> = BTreeMap::new();
        for notice in services.store.due_notices(services.clock.now(), AT_ONCE).await? {
            let way = match notice.channel {
                Channel::Mail => String::new(),
                Channel::Webhook => notice.recipient.clone(),
            };
            lanes.entry((notice.channel, way)).or_default().push(notice);
        }
        let sent = join_all(lanes.into_values().map(|lane| self.send_lane(lane))).await;
        let mut more = false;
        for lane in sent {
            more |= lane?;
        }
        Ok(more)
    }

    /// Sends one after the other by one way. After the first that no server took, and after one that took
    /// long, the others wait for the next round.
    async fn send_lane(&self, lane: Vec<NoticeRow>) -> Result<bool, ServiceError> {
        let services = &self.services.inner;
        let (began, full) = (services.clock.now(), lane.len() == AT_ONCE as usize);
        let mut lane = lane.into_iter();
        while let Some(notice) = lane.next() {
            let letter = self.letter(&notice).await;
            let outcome = self.courier.carry(&notice, &letter).await;
            let now = services.clock.now();
            match outcome {
                Ok(()) => {
                    tracing::info!(notice.id = %notice.id, channel = notice.channel.id(), "a notice was sent");
                    services.store.notice_sent(notice.id, now).await?;
                }
                Err(Undelivered::Refused { why }) => self.failed(&notice, why, None, now).await?,
                Err(Undelivered::Later { why }) => {
                    let next = again_at(&notice, now);
                    self.failed(&notice, why, next, now).await?;
                }
                Err(Undelivered::Away { why }) => {
                    let next = again_at(&notice, now);
                    self.failed(&notice, why.clone(), next, now).await?;
                    // Whoever does not answer is not asked for each.
                    for other in lane {
                        self.stands_back(&other, &why, now).await?;
                    }
                    return Ok(false);
                }
            }
            if now.duration_since(began) > LANE_TIME {
                return Ok(false);
            }
        }
        Ok(full)
    }

    /// It did not come through: tried again at `next`, or told to a person.
    async fn failed(
        &self,
        notice: &NoticeRow,
        problem: String,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        tracing::warn!(
            notice.id = %notice.id, channel = notice.channel.id(), attempts = notice.attempts + 1,
            given_up = next.is_none(), "a notice did not come through"
        );
        self.services.inner.store.notice_failed(notice.id, problem, next, now).await?;
        if let Some(case) = notice.case {
            self.services.tell(super::Change::Case(case));
        }
        Ok(())
    }

    /// It was not tried, since another one found nobody there. Its time runs all the same.
    async fn stands_back(
        &self,
        notice: &NoticeRow,
        problem: &str,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        match notice.tried_since {
            Some(since) if is_given_up(since, now, notice.urgent) => {
                self.failed(notice, problem.to_owned(), None, now).await
            }
            Some(_) | None => {
                let problem = problem.to_owned();
                Ok(self.services.inner.store.notice_stands_back(notice.id, problem, now).await?)
            }
        }
    }

    /// What a notice says. The case is read anew, so that it says where the case stands when it is sent. A case
    /// that cannot be read is told of all the same.
    async fn letter(&self, notice: &NoticeRow) -> Letter {
        let authority = self.services.authority();
        let mut letter = Letter {
            subject: notice.subject.clone(),
            paragraphs: vec![notice.body.clone()],
            facts: Vec::new(),
            quote: None,
            link: ("Öppna Uppsikt".into(), self.settings.public_url.to_string()),
            footer: format!(
                "Skickat av Uppsikt hos {authority} till {}. Svara inte på det här brevet.",
                notice.who
            ),
        };
        let Some(case) = notice.case else { return letter };
        match self.services.unasked_line(case).await {
            Ok(line) => {
                letter.facts = facts(&line, self.services.inner.clock.now());
                // Whoever was named reads what stands there in the case.
                let shows = self.settings.shows_text && notice.kind != mentions::KIND;
                letter.quote = quote_of(&line.categories, line.text, shows);
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(case.id = %case, error, "a notice leaves without what its case says");
            }
        }
        let path = format!("arende/{case}");
        // A path of digits joins onto any address of a site.
        let address = self.settings.public_url.join(&path);
        letter.link = (
            format!("Öppna ärende {case}"),
            address.map_or_else(|_| self.settings.public_url.to_string(), |url| url.to_string()),
        );
        letter
    }
}

fn again_at(notice: &NoticeRow, now: Timestamp) -> Option<Timestamp> {
    next_try(notice.tried_since.unwrap_or(now), now, notice.attempts + 1, notice.urgent)
}

/// The comment's beginning, masked, where the settings let it leave. Of what may not be copied not a word
/// does (the line holds none), and neither of what was found to say where somebody lives or how they are: that
/// mail and chat keep such words is worse than that somebody has to open the case.
pub(super) fn quote_of(
    found: &[(Category, Severity)],
    text: String,
    shows_text: bool,
) -> Option<String> {
    let private = found.iter().any(|(category, _)| match category {
        Category::PersonalId | Category::SensitiveData | Category::PersonalData => true,
        Category::Threat
        | Category::Incitement
        | Category::Hate
        | Category::Violence
        | Category::Sexual
        | Category::Insult
        | Category::Profanity
        | Category::LinkIllegal
        | Category::Copyright
        | Category::Spam
        | Category::Commercial
        | Category::PartyPolitical
        | Category::Case
        | Category::Question => false,
    });
    match shows_text && !text.is_empty() {
        true if private => Some(KEPT_BACK.to_owned()),
        true => Some(text),
        false => None,
    }
}

/// What is said of a case: never who wrote it.
fn facts(line: &Line, now: Timestamp) -> Vec<(String, String)> {
    let found: Vec<_> =
        line.categories.iter().map(|(category, _)| category.label().to_owned()).collect();
    let mut facts = vec![
        ("Konto".to_owned(), format!("{} ({})", line.account.name, line.account.platform.label())),
        ("Läget".to_owned(), line.state.label().to_owned()),
        ("Klart senast".to_owned(), in_words(line, now)),
    ];
    if !found.is_empty() {
        facts.insert(1, ("Kan gälla".to_owned(), found.join(", ")));
    }
    if let Some(claim) = &line.claim {
        facts.push(("Taget av".to_owned(), claim.name.clone()));
    }
    facts
}

/// `23 november 2026 kl. 14:05 (försenat 2 h)`, `genast`.
fn in_words(line: &Line, now: Timestamp) -> String {
    let left = time_left_of(line.due_at, line.waits_since, now);
    match is_at_once(line.due_at, line.waits_since) {
        true => left,
        false => format!("{} ({left})", moment(line.due_at)),
    }
}

/// `23 november 2026 kl. 14:05`.
fn moment(at: Timestamp) -> String {
    let at = local(at);
    let month = MONTHS[usize::from(at.month().unsigned_abs()).saturating_sub(1) % 12];
    format!("{} {month} {} kl. {}", at.day(), at.year(), at.strftime("%H:%M"))
}

impl Services {
    /// A line of the queue that no person asked for: masked all the same.
    pub(super) async fn unasked_line(&self, case: CaseId) -> Result<Line, ServiceError> {
        let row = self.inner.store.queue_line(case).await?;
        let went_on_to = self.inner.store.last_steps(vec![case]).await?.get(&case).copied();
        Ok(Line { went_on_to, ..self.line(row) })
    }

    /// Notices that did not come through: those that wait for a person first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn notice_troubles(&self, viewer: &Viewer) -> Result<Vec<Trouble>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let rows = self.inner.store.notices_in_trouble(SHOWN).await?;
        Ok(rows
            .into_iter()
            .map(|row| Trouble {
                notice: row.id,
                needs_a_person: row.state == "undeliverable",
                has_recipient: !row.recipient.is_empty(),
                who: row.who,
                subject: row.subject,
                problem: row.problem.unwrap_or_default(),
                case: row.case,
                made_at: row.made_at,
            })
            .collect())
    }

    /// How many notices wait for a person.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn n_undeliverable(&self, viewer: &Viewer) -> Result<u64, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(self.inner.store.n_undeliverable().await?)
    }

    /// A person has told it in another way (`again` false), or wants it tried once more.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it waits for nobody.
    pub async fn end_notice(
        &self,
        viewer: &Viewer,
        notice: NoticeId,
        again: bool,
    ) -> Result<(), ServiceError> {
        // Whoever keeps the system in order may mend an address and try again, without deciding cases.
        if !viewer.may(Act::ManageUsers) {
            viewer.demand(Act::Decide)?;
        }
        let act = if again { "notice.again" } else { "notice.seen_to" };
        let line = viewer.line(act, format!("notice {notice}"));
        let now = self.inner.clock.now();
        Ok(self.inner.store.end_notice(notice, viewer.user, again, line, now).await?)
    }
}
