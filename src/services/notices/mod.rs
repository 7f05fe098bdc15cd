//! Notices (*aviseringar*): who is told of a case, who is told when its deadline goes on, and how that
//! reaches them.
//!
//! What happened to a case marks it in the same transaction (a trigger); [`Notifier::plan`] turns marks
//! into rows, [`Notifier::send_due`] tries these until they came through or a person has to tell it in
//! another way. So a crash anywhere resumes there, and nothing fails in silence.

pub mod courier;
mod plan;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use url::Url;

use crate::domain::calendar::{MONTHS, local};
use crate::domain::duties::Told;
use crate::domain::ids::{CaseId, NoticeId};
use crate::domain::notice::{Channel, QuietHours, next_try};
use crate::domain::person::Act;
use crate::formats::notice::Letter;
use crate::store::sqlite::notices::NoticeRow;

use super::queue::Line;
use super::{ServiceError, Services, Viewer};
use courier::{Courier, Undelivered};

/// How many are planned or sent in one round.
const AT_ONCE: u32 = 20;

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
}

impl Notifier {
    /// A notifier for these services.
    pub fn new(services: Services, settings: Settings, courier: Courier) -> Self {
        Self { services, settings, courier, hour: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    fn is_new_hour(&self) -> bool {
        let hour = self.services.inner.clock.now().as_second().div_euclid(3600);
        self.hour.swap(hour, Ordering::Relaxed) != hour
    }

    /// One round: plan, then send. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer; nothing is lost, it waits.
    pub async fn round(&self) -> Result<bool, ServiceError> {
        if self.is_new_hour() {
            self.coverage().await?;
        }
        let planned = self.plan().await?;
        let escalated = self.escalate().await?;
        let sent = self.send_due().await?;
        Ok(planned || escalated || sent)
    }

    /// Sends what is due, what is urgent first. After the first that no server took the others of its way
    /// wait too. Says whether there may be more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store fails; that something did not come through is a row.
    pub async fn send_due(&self) -> Result<bool, ServiceError> {
        let services = &self.services.inner;
        let due = services.store.due_notices(services.clock.now(), AT_ONCE).await?;
        let more = due.len() == AT_ONCE as usize;
        let mut shut: Vec<Channel> = Vec::new();
        for notice in due {
            if shut.contains(&notice.channel) {
                continue;
            }
            let letter = self.letter(&notice).await?;
            let outcome = self.courier.carry(&notice, &letter).await;
            let now = services.clock.now();
            let (problem, given_up) = match outcome {
                Ok(()) => {
                    tracing::info!(notice.id = %notice.id, channel = notice.channel.id(), "a notice was sent");
                    services.store.notice_sent(notice.id, now).await?;
                    continue;
                }
                Err(Undelivered::Refused { why }) => (why, true),
                Err(Undelivered::Away { why }) => {
                    // Whoever does not answer is not asked for each.
                    shut.push(notice.channel);
                    (why, false)
                }
                Err(Undelivered::Later { why }) => (why, false),
            };
            let next = next_try(notice.made_at, now, notice.attempts + 1, notice.urgent)
                .filter(|_| !given_up);
            tracing::warn!(
                notice.id = %notice.id, channel = notice.channel.id(), problem,
                given_up = next.is_none(), "a notice did not come through"
            );
            services.store.notice_failed(notice.id, problem, next, now).await?;
            if let Some(case) = notice.case {
                self.services.tell(super::Change::Case(case));
            }
        }
        Ok(more && shut.is_empty())
    }

    /// What a notice says. The case is read anew, so that it says where the case stands when it is sent.
    async fn letter(&self, notice: &NoticeRow) -> Result<Letter, ServiceError> {
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
        let Some(case) = notice.case else { return Ok(letter) };
        let line = self.services.unasked_line(case).await?;
        letter.facts = facts(&line, self.services.inner.clock.now());
        // Of what may not be copied not a word leaves the case; the line holds none either.
        letter.quote = (self.settings.shows_text && !line.text.is_empty()).then_some(line.text);
        let path = format!("arende/{case}");
        // A path of digits joins onto any address of a site.
        let address = self.settings.public_url.join(&path);
        letter.link = (
            format!("Öppna ärende {case}"),
            address.map_or_else(|_| self.settings.public_url.to_string(), |url| url.to_string()),
        );
        Ok(letter)
    }
}

/// What is said of a case: never who wrote it.
fn facts(line: &Line, now: Timestamp) -> Vec<(String, String)> {
    let found: Vec<_> =
        line.categories.iter().map(|(category, _)| category.label().to_owned()).collect();
    let mut facts = vec![
        ("Konto".to_owned(), format!("{} ({})", line.account.name, line.account.platform.label())),
        ("Läget".to_owned(), line.state.label().to_owned()),
        ("Klart senast".to_owned(), in_words(line.due_at, now)),
    ];
    if !found.is_empty() {
        facts.insert(1, ("Kan gälla".to_owned(), found.join(", ")));
    }
    if let Some(claim) = &line.claim {
        facts.push(("Taget av".to_owned(), claim.name.clone()));
    }
    facts
}

/// `23 november 2026 kl. 14:05 (försenat 2 h)`.
fn in_words(due: Timestamp, now: Timestamp) -> String {
    let at = local(due);
    let month = MONTHS[usize::from(at.month().unsigned_abs()).saturating_sub(1) % 12];
    let left = crate::domain::deadline::time_left(due, now);
    format!("{} {month} {} kl. {} ({left})", at.day(), at.year(), at.strftime("%H:%M"))
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
