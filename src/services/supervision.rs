//! The supervision log (*uppsiktslogg*) as people see it: per account and day, when the machine read it
//! and when a person did, held against the account's policy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::account::PlatformKind;
use crate::domain::calendar::local;
use crate::domain::dossier::Dossier;
use crate::domain::ids::{AccountId, UserId};
use crate::domain::person::Act;
use crate::domain::supervision::{DayKept, Uncovered, day_after, known_from, midnight};
use crate::store::sqlite::looks::{MachineHour, PersonLook, SLOT_MS};

use super::dossiers::rendered;
use super::{ServiceError, Services, Viewer};

/// The longest stretch that is shown at once, in days.
pub const MOST_DAYS: i32 = 400;

/// Who has each account: of each person the days on which they are away.
pub(super) type Cover = BTreeMap<AccountId, Vec<Vec<(Date, Date)>>>;

/// What each person's last noted look was, so that one who leafs through the queue writes one row in ten
/// minutes and not one a page.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<BTreeMap<(UserId, Option<AccountId>), i64>>);

impl Seen {
    /// Whether this look is the first in its ten minutes.
    fn is_new(&self, user: UserId, account: Option<AccountId>, now: Timestamp) -> bool {
        let slot = now.as_millisecond().div_euclid(SLOT_MS);
        // A short section; a panic in it leaves nothing half done.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert((user, account), slot) != Some(slot)
    }
}

/// One day of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub day: Date,
    /// How people kept it.
    pub kept: DayKept,
    /// How often people looked; within ten minutes once.
    pub n_looks: usize,
    /// Who, in order of their names.
    pub who: Vec<String>,
    /// The first and the last look.
    pub between: Option<(Timestamp, Timestamp)>,
    /// In how many hours the machine read the account.
    pub machine_hours: u32,
    /// In how many hours it tried and could not.
    pub failed_hours: u32,
    /// What went wrong last, in Swedish.
    pub problem: Option<String>,
}

/// The log of one account.
#[derive(Clone, Debug)]
pub struct AccountLog {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: PlatformKind,
    /// What the policy wants, in Swedish.
    pub wants: String,
    /// Every day, the newest first.
    pub days: Vec<Day>,
    /// Days ahead on which everybody of the account is away though the policy wants somebody to look.
    pub uncovered: Vec<Date>,
    /// Whether anybody is set to the account at all.
    pub has_people: bool,
}

impl AccountLog {
    /// How many days are gaps.
    pub fn n_gaps(&self) -> usize {
        self.days.iter().filter(|day| day.kept.is_gap()).count()
    }

    /// How many days wanted somebody to look.
    pub fn n_wanted(&self) -> usize {
        let asked = |day: &&Day| !matches!(day.kept, DayKept::Free | DayKept::UnderWay);
        self.days.iter().filter(asked).count()
    }
}

impl Services {
    /// Notes that a person looked at the open queue of one account, or of all. Only those count who may do
    /// something about what they see. That a look could not be noted keeps nobody from looking; it is told in
    /// the log.
    pub async fn looked(&self, viewer: &Viewer, account: Option<AccountId>) {
        let now = self.inner.clock.now();
        if !viewer.may(Act::Decide) || !self.inner.seen.is_new(viewer.user, account, now) {
            return;
        }
        if let Err(error) = self.inner.store.note_person_look(account, viewer.user, now).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "a look could not be noted in the supervision log");
        }
    }

    /// The supervision log of every account from one day to another, both included.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where the days stand the wrong way round or lie too far apart.
    pub async fn supervision(
        &self,
        viewer: &Viewer,
        first: Date,
        last: Date,
    ) -> Result<Vec<AccountLog>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let refused = |why: &str| Err(ServiceError::Refused { why: why.into() });
        if first > last {
            return refused("Den första dagen ligger efter den sista. Byt plats på dem.");
        }
        if (last - first).get_days() > MOST_DAYS {
            return refused("Välj högst 400 dagar åt gången.");
        }
        let now = self.inner.clock.now();
        let today = local(now).date();
        let store = &self.inner.store;
        let (from, to) = (midnight(first), day_after(last));
        // By account and day once: whoever leafs through a year of a thousand accounts looks at each look once.
        let mut looks: BTreeMap<(Option<AccountId>, Date), Vec<PersonLook>> = BTreeMap::new();
        for look in store.person_looks(from, to).await? {
            looks.entry((look.account, local(look.at).date())).or_default().push(look);
        }
        let cover = self.cover(today).await?;
        let since = store.accounts_since().await?;
        let closings = store.closings().await?;
        let closed_before = store.closed_before().await?;
        let crises = store.crises().await?;
        let mut logs = Vec::new();
        for overview in store.account_overview().await? {
            let account = overview.account;
            let policy = self.policy_of(account.id);
            let (watching, office) = (&policy.duties.watching, policy.office);
            // Read account by account, so that no more is in memory than the page shows.
            let mut machine: BTreeMap<Date, Vec<MachineHour>> = BTreeMap::new();
            for hour in store.machine_hours(account.id, from, to).await? {
                machine.entry(local(hour.hour).date()).or_default().push(hour);
            }
            let mut days = Vec::new();
            let mut day = last.min(today);
            // Before it was known here nobody could look at it here: that is no gap.
            let known = since.iter().find(|(id, _)| *id == account.id);
            let first = known.map_or(first, |(_, at)| local(*at).date().max(first));
            // And from the day on which it was closed nobody has to.
            let closing = closings.iter().find(|closing| closing.account == account.id);
            if let Some((at, _)) = closing.and_then(|closing| closing.closed.as_ref()) {
                let before = local(*at).date().checked_sub(1.day()).unwrap_or(day);
                day = day.min(before);
            }
            // Nor did anybody while it was closed, although it was opened again.
            let was_closed: Vec<_> = closed_before
                .iter()
                .filter(|(id, ..)| *id == account.id)
                .map(|(_, from, to)| local(*from).date()..local(*to).date())
                .collect();
            while day >= first {
                if was_closed.iter().any(|days| days.contains(&day)) {
                    match day.checked_sub(1.day()) {
                        Ok(before) => day = before,
                        Err(_) => break,
                    }
                    continue;
                }
                let (begins, ends) = (midnight(day), day_after(day));
                let of = |account| looks.get(&(account, day)).map_or(&[][..], Vec::as_slice);
                let mut seen: Vec<_> = of(None).iter().chain(of(Some(account.id))).collect();
                seen.sort_by_key(|look| look.at);
                let at: Vec<_> = seen.iter().map(|l| l.at).collect();
                let who: BTreeSet<_> = seen.iter().map(|l| l.name.clone()).collect();
                let read = machine.get(&day).map_or(&[][..], Vec::as_slice);
                let count = |good: bool| read.iter().filter(|h| (h.n_ok > 0) == good).count();
                days.push(Day {
                    day,
                    kept: match crises.iter().find(|c| {
                        let (began, ended) = c.span();
                        c.covers(account.id) && began < ends && ended > begins
                    }) {
                        Some(crisis) => {
                            watching.kept_in_crisis(day, &at, office, crisis.span(), now)
                        }
                        None => watching.kept(day, &at, office, false, now),
                    },
                    n_looks: at.len(),
                    who: who.into_iter().collect(),
                    between: at.first().copied().zip(at.last().copied()),
                    // At most 25 hours in a day.
                    machine_hours: count(true) as u32,
                    failed_hours: count(false) as u32,
                    problem: read.iter().rev().find_map(|h| h.problem.clone()),
                });
                match day.checked_sub(1.day()) {
                    Ok(before) => day = before,
                    Err(_) => break,
                }
            }
            let gap = watching.gap_min(false).map_or_else(String::new, |most| {
                format!(", högst {most} minuter mellan två genomgångar i öppettid")
            });
            let (gaps, has_people) = self.uncovered(account.id, &cover, today);
            let uncovered = gaps.iter().flat_map(|gap| gap.ahead(today)).collect();
            logs.push(AccountLog {
                key: account.key.as_str().to_owned(),
                name: account.name,
                platform: account.platform,
                wants: format!("{}{gap}", watching.how.label()),
                days,
                uncovered,
                has_people,
            });
        }
        Ok(logs)
    }

    /// Who has each account and when they are away.
    pub(super) async fn cover(&self, today: Date) -> Result<Cover, ServiceError> {
        let mut cover = self.inner.store.cover(known_from(today)).await?;
        for closing in self.inner.store.closings().await? {
            if closing.closed.is_some() {
                // Nobody has to look there any more: as if somebody always did.
                cover.insert(closing.account, vec![Vec::new()]);
            }
        }
        Ok(cover)
    }

    /// Stretches of days ahead on which everybody of an account is away though the policy wants a look; and
    /// whether there is anybody at all.
    pub(super) fn uncovered(
        &self,
        account: AccountId,
        cover: &Cover,
        today: Date,
    ) -> (Vec<Uncovered>, bool) {
        let people = cover.get(&account).map_or(&[][..], Vec::as_slice);
        let policy = self.policy_of(account);
        (policy.duties.watching.uncovered(people, today), !people.is_empty())
    }

    /// The supervision log of one account as PDF/A, the oldest day first, gaps marked.
    ///
    /// # Errors
    /// As [`Services::supervision`]; [`ServiceError::NotFound`] where there is no such account.
    pub async fn supervision_pdf(
        &self,
        viewer: &Viewer,
        account: &str,
        (first, last): (Date, Date),
    ) -> Result<Vec<u8>, ServiceError> {
        let logs = self.supervision(viewer, first, last).await?;
        let log = logs.into_iter().find(|log| log.key == account);
        let log = log.ok_or(ServiceError::NotFound { what: "account" })?;
        let at = self.inner.clock.now();
        let clock = |at: Timestamp| local(at).strftime("%H:%M").to_string();
        let gaps = log.days.iter().filter(|day| day.kept.is_gap()).count();
        let rows = log.days.iter().rev().map(|day| {
            let gap = if day.kept.is_gap() { "Lucka: " } else { "" };
            let people = match day.between {
                Some((a, b)) if a == b => format!("{} {}", day.who.join(", "), clock(a)),
                Some((a, b)) => format!("{} {}–{}", day.who.join(", "), clock(a), clock(b)),
                None => "ingen".to_owned(),
            };
            vec![
                day.day.to_string(),
                format!("{gap}{}", day.kept.words()),
                people,
                format!("läste {} h, misslyckades {} h", day.machine_hours, day.failed_hours),
            ]
        });
        rendered(Dossier {
            title: format!("Uppsiktslogg, {}", log.name),
            authority: self.inner.settings.authority.clone(),
            at,
            ident: format!("uppsikt/{}/{first}/{last}/{}", log.key, at.as_millisecond()),
            heading: "Uppsikt över kontot dag för dag",
            facts: vec![
                ("Konto".into(), format!("{} ({})", log.name, log.platform.label())),
                ("Tid".into(), format!("{first} till {last}")),
                ("Riktlinjen kräver".into(), format!("tillsyn {}", log.wants)),
                ("Luckor".into(), format!("{gaps} av {} dagar", log.days.len())),
            ],
            notes: vec![
                "En lucka är en dag då riktlinjen kräver tillsyn men ingen tittade, eller tittade för sällan (lagen om elektroniska anslagstavlor, 1998:112, 4 §). Människors genomgångar räknas när någon öppnar kön eller ett ärende; Uppsikts avläsning räknas i timmar då plattformen lästes.".into(),
            ],
            columns: vec!["Dag", "Tillsyn", "Människor", "Uppsikts avläsning"],
            rows: rows.collect(),
            chapters: Vec::new(),
            files: Vec::new(),
        })
        .await
    }

    /// The same as a table, one line for each account and day.
    ///
    /// # Errors
    /// As [`Services::supervision`].
    pub async fn supervision_csv(
        &self,
        viewer: &Viewer,
        first: Date,
        last: Date,
    ) -> Result<Vec<u8>, ServiceError> {
        let logs = self.supervision(viewer, first, last).await?;
        let lines = logs.iter().flat_map(|log| log.days.iter().map(move |day| (log, day)));
        Ok(crate::formats::supervision::csv(lines.map(|(log, day)| {
            crate::formats::supervision::Line {
                account: log.key.clone(),
                name: log.name.clone(),
                platform: log.platform.label(),
                wants: log.wants.clone(),
                day: day.day,
                is_gap: day.kept.is_gap(),
                kept: day.kept.words(),
                n_looks: day.n_looks,
                between: day.between,
                who: day.who.join(", "),
                machine_hours: day.machine_hours,
                failed_hours: day.failed_hours,
            }
        })))
    }
}
