//! The register of accounts (*kontoregister*): cards with what is amiss, the people of each, days on which
//! they are away, the yearly inventory, closing, and the list for the public.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use jiff::civil::Date;

use crate::domain::account::{Account, PlatformKind};
use crate::domain::calendar::local;
use crate::domain::card::{self, Card, Flag, Known, Safety, Said, hinders_closing};
use crate::domain::ids::{AccountId, AccountKey, UserId};
use crate::domain::notice::Part;
use crate::domain::person::Act;
use crate::domain::text::hidden_at;
use crate::store::rows::AuditLine;
use crate::store::sqlite::account_safety::{IncidentStepRow, SafetyRow};
use crate::store::sqlite::cards::{ArchivingRow, CardRow, ConfirmationRow, HistoryRow, TextRow};
use crate::store::sqlite::closings::ClosingRow;
use crate::store::sqlite::people::{Absence, Reachable};

use super::account_safety::{latest, left_with_the_password};
use super::connections::Rest;
use super::corrections::{reason, words};
use super::people::can_work;
use super::{ServiceError, Services, Viewer};

/// How much of an account's history its page shows.
const HISTORY: u32 = 200;
/// The longest link, in bytes.
const LONGEST_LINK: usize = 2_000;

/// An account as the register shows it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The account.
    pub account: Account,
    /// What is written down of it.
    pub card: Card,
    /// Whether anything was written down yet.
    pub is_written: bool,
    /// Grows each time that the card is written; 0 before the first.
    pub revision: u64,
    /// What is known beside.
    pub known: Known,
    /// Its people: owner, editors, substitutes.
    pub people: Vec<Reachable>,
    /// What of the duties text stands on it, by whose word.
    pub texts: Vec<TextRow>,
    /// What is amiss.
    pub flags: Vec<Flag>,
    /// Answers to the inventory, the latest year last.
    pub confirmations: Vec<ConfirmationRow>,
    /// What was handed to the archive, the newest first.
    pub archivings: Vec<ArchivingRow>,
    /// Where its closing stands.
    pub closing: Option<ClosingRow>,
    /// Whether whoever asks may change it.
    pub may_edit: bool,
}

/// The page of one account.
#[derive(Clone, Debug)]
pub struct File {
    /// The account.
    pub entry: Entry,
    /// Its history, the newest first.
    pub history: Vec<HistoryRow>,
    /// Everybody who may be given a part: login and name.
    pub users: Vec<(String, String)>,
    /// What was noted of its safety, the newest first.
    pub safety: Vec<SafetyRow>,
    /// What was done about incidents, the newest first.
    pub incident_steps: Vec<IncidentStepRow>,
    /// When its people are away, from today on, each with whether whoever asks may take it back.
    pub absences: Vec<(Absence, bool)>,
    /// Of whom whoever asks may say that they are away: login and name.
    pub away_for: Vec<(String, String)>,
    /// A text to paste into the account's description.
    pub ready_text: String,
    /// Whether the platform tells what the account says of itself.
    pub can_read: bool,
    /// Why it cannot be closed yet; nothing where it can, or does not close.
    pub hindered: Option<String>,
    /// The year of the inventory that waits for an answer.
    pub asked_for: Option<i16>,
}

/// An answer to the inventory, as the page shows it.
pub type Confirmation = ConfirmationRow;

/// A delivery to the archive, as the page shows it.
pub type Archiving = ArchivingRow;

/// A card as typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// What is to stand on it.
    pub card: Card,
    /// What of the duties text stands on the account, by the person's word.
    pub said: Vec<Said>,
    /// Whether purpose and audience were looked over.
    pub reviewed: bool,
}

/// How a card was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// The revision of the card that the form showed; none where nobody read it before.
    pub seen: Option<u64>,
    /// The person was warned of what stands in it, and publishes it all the same.
    pub publishes: bool,
}

pub(super) fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

pub(super) fn link(typed: &str, what: &str) -> Result<String, ServiceError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(String::new());
    }
    // A parser drops line breaks and tabs, and encodes what turns the order of letters: neither is what was typed.
    if typed.chars().any(char::is_control) || !hidden_at(typed).is_empty() {
        return refused(format!("{what} innehåller tecken som inte syns. Skriv den för hand."));
    }
    let good = |url: &url::Url| {
        matches!(url.scheme(), "https" | "http")
            && url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.as_str().len() <= LONGEST_LINK
    };
    match url::Url::parse(typed).ok().filter(good) {
        // As it is parsed: what stands in a published list is an address and nothing else.
        Some(url) => Ok(url.into()),
        None => refused(format!("{what} ska börja med https:// eller http://.")),
    }
}

/// Refuses a day that no form of ours means.
pub(super) fn sensible(day: Date) -> Result<Date, ServiceError> {
    match (2000..=2100).contains(&day.year()) {
        true => Ok(day),
        false => refused("Skriv en dag mellan åren 2000 och 2100, till exempel 2026-11-22."),
    }
}

/// What differs between two cards, one line each.
fn changes(old: &Card, new: &Card) -> Vec<String> {
    let mut changes = Vec::new();
    let mut text = |what: &str, old: &str, new: &str| {
        if old != new {
            changes.push(match new {
                "" => format!("{what} togs bort: {old}"),
                new => format!("{what}: {new}"),
            });
        }
    };
    text("Syfte", &old.purpose, &new.purpose);
    text("Målgrupp", &old.audience, &new.audience);
    text("Verksamhet", &old.unit, &new.unit);
    text("Adress", &old.address, &new.address);
    text("Länk till reglerna", &old.rules_link, &new.rules_link);
    text("Märkning", old.care.label(), new.care.label());
    let yes_no = |yes: bool| if yes { "ja" } else { "nej" };
    let (old_word, new_word) = (yes_no(old.owner_is_manager), yes_no(new.owner_is_manager));
    text("Den kontoansvarige är chef", old_word, new_word);
    text("Med i den publika listan", yes_no(old.listed), yes_no(new.listed));
    changes
}

impl Services {
    /// Takes in which accounts go by stricter settings. To be called at the start.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn open_cards(&self) -> Result<(), ServiceError> {
        let strict = self.inner.store.cards().await?.into_iter();
        let strict: BTreeSet<_> =
            strict.filter(|row| row.card.care.is_strict()).map(|row| row.account).collect();
        *self.inner.strict.write().unwrap_or_else(PoisonError::into_inner) = strict;
        Ok(())
    }

    fn is_owner(people: &[Reachable], viewer: &Viewer) -> bool {
        let is_theirs = |p: &Reachable| p.part == Some(Part::Owner) && p.user.id == viewer.user;
        viewer.may(Act::Decide) && people.iter().any(is_theirs)
    }

    /// Every account of the register; what a person recorded by hand from elsewhere stands last.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn register(&self, viewer: &Viewer) -> Result<Vec<Entry>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let mut entries = self.entries().await?;
        for entry in &mut entries {
            entry.may_edit =
                viewer.may(Act::ManageAccounts) || Self::is_owner(&entry.people, viewer);
        }
        entries.sort_by_key(|entry| entry.account.platform == PlatformKind::Manual);
        Ok(entries)
    }

    /// The same for whoever tells people of it, which nobody asked for.
    pub(super) async fn entries(&self) -> Result<Vec<Entry>, ServiceError> {
        let store = &self.inner.store;
        let today = local(self.inner.clock.now()).date();
        let (cards, texts) = (store.cards().await?, store.account_texts().await?);
        let (own, since) = (store.last_own().await?, store.accounts_since().await?);
        let (confirmed, archived) = (store.confirmations().await?, store.archivings().await?);
        let (closings, runs) = (store.closings().await?, store.last_runs().await?);
        let (logins, fetching) = (store.credentials().await?, store.account_overview().await?);
        let noted = store.account_safety().await?;
        let steps = store.incident_steps().await?;
        let now = self.inner.clock.now();
        let mut entries = Vec::new();
        for account in store.accounts().await? {
            let id = account.id;
            let row = cards.iter().find(|row| row.account == id);
            let day = |rows: &[(AccountId, jiff::Timestamp)]| {
                let found = rows.iter().find(|(account, _)| *account == id);
                found.map(|(_, at)| local(*at).date())
            };
            let people = store.people_of(id, today).await?;
            let texts: Vec<_> = texts.iter().filter(|text| text.account == id).cloned().collect();
            let closing = closings.iter().find(|closing| closing.account == id).cloned();
            let confirmations: Vec<_> =
                confirmed.iter().filter(|row| row.account == id).cloned().collect();
            let archivings: Vec<_> =
                archived.iter().filter(|row| row.account == id).cloned().collect();
            let able = || people.iter().filter(|p| can_work(&p.user).is_ok());
            let run = runs.iter().find(|(account, ..)| *account == id);
            let captured = run.and_then(|(_, ended, _)| *ended).map(|(at, _)| local(at).date());
            let (login_ends, login_lacks) = self.login_of(id, &logins);
            let state = fetching.iter().find(|o| o.account.id == id).map(|o| &o.fetch);
            let unread = state.and_then(|state| Rest::of(state, now));
            let known = Known {
                // Of what is no longer configured nothing is read, and that is as it should be.
                unread: unread
                    .filter(|_| self.served(id).is_some())
                    .map(|rest| (rest.why, local(rest.since).date())),
                login_ends,
                login_lacks,
                platform: account.platform,
                since: day(&since).unwrap_or(today),
                // Who was given a part and cannot do anything any more stands there and does not count.
                has_owner: able().any(|p| p.part == Some(Part::Owner)),
                holders: able().count(),
                said: stands(&texts),
                last_own: day(&own),
                reviewed: row.map(|row| row.reviewed),
                archived: archivings.first().map(|row| row.day),
                taken: archivings.iter().find(|row| !row.of_run).map(|row| row.day),
                captured,
                confirmed: confirmations.last().map(|row| row.year),
                is_closed: closing.as_ref().is_some_and(|closing| closing.closed.is_some()),
                password: latest(&noted, id, Safety::Password),
                left: left_with_the_password(&noted, id),
                incident: self.open_incident(&noted, &steps, id),
                two_steps: latest(&noted, id, Safety::TwoSteps).is_some(),
            };
            let card = row.map(|row| row.card.clone()).unwrap_or_default();
            let duties = &self.policy_of(id).duties;
            entries.push(Entry {
                flags: card::flags(duties, &card, &known, today),
                is_written: row.is_some(),
                revision: row.map_or(0, |row| row.revision),
                card,
                known,
                people,
                texts,
                confirmations,
                archivings,
                closing,
                may_edit: false,
                account,
            });
        }
        Ok(entries)
    }

    async fn entry(&self, viewer: &Viewer, key: &str) -> Result<Entry, ServiceError> {
        let found = self.register(viewer).await?.into_iter();
        let mut found = found.filter(|entry| entry.account.key == AccountKey::new(key));
        found.next().ok_or(ServiceError::NotFound { what: "account" })
    }

    pub(super) async fn to_edit(&self, viewer: &Viewer, key: &str) -> Result<Entry, ServiceError> {
        let entry = self.entry(viewer, key).await?;
        if !entry.may_edit {
            return Err(ServiceError::NotPermitted { act: Act::ManageAccounts });
        }
        Ok(entry)
    }

    /// The page of one account.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn account_file(&self, viewer: &Viewer, key: &str) -> Result<File, ServiceError> {
        let entry = self.entry(viewer, key).await?;
        let store = &self.inner.store;
        let today = local(self.inner.clock.now()).date();
        let duties = &self.policy_of(entry.account.id).duties;
        let users = store.users().await?.into_iter().filter(|user| can_work(user).is_ok());
        let people: BTreeSet<_> = entry.people.iter().map(|p| p.user.id).collect();
        let absences = store.absences_from(today).await?;
        let asked = entry.flags.iter().any(|flag| matches!(flag, Flag::Unconfirmed { .. }));
        let platform = self.served(entry.account.id).map(|served| served.platform.kind());
        let closing = entry.closing.as_ref().filter(|closing| closing.closed.is_none());
        // Of oneself one may always say it.
        let may_say = |user: UserId| entry.may_edit || user == viewer.user;
        let away_for = entry.people.iter().filter(|p| may_say(p.user.id));
        Ok(File {
            away_for: away_for.map(|p| (p.user.login.clone(), p.user.name.clone())).collect(),
            history: store.account_history(entry.account.id, HISTORY).await?,
            incident_steps: self.incident_steps_of(entry.account.id).await?,
            safety: self.safety_of(entry.account.id).await?,
            users: users.map(|user| (user.login, user.name)).collect(),
            absences: absences
                .into_iter()
                .filter(|a| people.contains(&a.user))
                .map(|a| (may_say(a.user), a))
                .map(|(may, a)| (a, may))
                .collect(),
            ready_text: entry.card.ready_text(&self.inner.settings.authority),
            can_read: matches!(platform, Some(PlatformKind::Facebook | PlatformKind::Mastodon)),
            hindered: closing.and_then(|closing| {
                let done: Vec<_> = closing.steps.iter().map(|(step, ..)| *step).collect();
                hinders_closing(duties, closing.announced, &done, today)
            }),
            asked_for: asked.then(|| today.year()),
            entry,
        })
    }

    /// What waits for whoever answers for an account or keeps the register: key, name, and what in words.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn account_tasks(
        &self,
        viewer: &Viewer,
    ) -> Result<Vec<(String, String, Vec<String>)>, ServiceError> {
        let mine = self.register(viewer).await?.into_iter().filter(|entry| entry.may_edit);
        let tasks = mine.map(|entry| {
            let mut what: Vec<_> =
                entry.flags.iter().filter(|flag| flag.is_told()).map(Flag::words).collect();
            if entry.closing.as_ref().is_some_and(|closing| closing.closed.is_none()) {
                what.push("Kontot är på väg att stängas.".into());
            }
            (entry.account.key.as_str().to_owned(), entry.account.name, what)
        });
        Ok(tasks.filter(|(_, _, what)| !what.is_empty()).collect())
    }

    pub(super) fn account_line(viewer: &Viewer, act: &'static str, account: &Account) -> AuditLine {
        viewer.line(act, format!("account {}", account.key.as_str()))
    }

    /// What a person should know of a card before the public reads it, in Swedish; nothing where it is not for
    /// the public.
    pub fn warns_of_card(&self, card: &Card) -> Option<String> {
        if !card.listed {
            return None;
        }
        let texts = [&card.purpose, &card.audience, &card.unit];
        let found = self.slips(texts.into_iter().map(String::as_str));
        (!found.is_empty()).then(|| {
            format!(
                "Kontot står i den publika listan, och uppgifterna innehåller {}.",
                found.join(", ")
            )
        })
    }

    /// Writes an account's card.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn save_card(
        &self,
        viewer: &Viewer,
        key: &str,
        typed: Typed,
    ) -> Result<(), ServiceError> {
        self.save_card_as_sent(viewer, key, typed, Sent::default()).await
    }

    /// As [`Services::save_card`], by somebody who has read the card before.
    ///
    /// # Errors
    /// As there; refused too where the card has changed since it was read, with how it stands, and where what
    /// is for the public holds something of which nobody has been warned.
    pub async fn save_card_as_sent(
        &self,
        viewer: &Viewer,
        key: &str,
        typed: Typed,
        sent: Sent,
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let Typed { card, said, reviewed } = typed;
        let card = Card {
            purpose: words(&card.purpose, "Syftet")?,
            audience: words(&card.audience, "Målgruppen")?,
            unit: words(&card.unit, "Verksamheten")?,
            address: link(&card.address, "Adressen till kontot")?,
            rules_link: link(&card.rules_link, "Länken till reglerna")?,
            ..card
        };
        if sent.seen.is_some_and(|seen| seen != entry.revision) {
            return refused(self.changed_since(&entry, &card).await?);
        }
        if let Some(warning) = self.warns_of_card(&card).filter(|_| !sent.publishes) {
            return refused(format!(
                "{warning} Inget är sparat. Ändra texten, eller kryssa för att den ska publiceras ändå."
            ));
        }
        let now = self.inner.clock.now();
        let today = local(now).date();
        let mut changed = changes(&entry.card, &card);
        let stood = said_by_people(&entry.texts);
        for part in Said::ALL {
            match (stood.contains(part), said.contains(part)) {
                (false, true) => changed.push(format!("Står på kontot: {}.", part.label())),
                (true, false) => changed.push(format!("Står inte på kontot: {}.", part.label())),
                (true, true) | (false, false) => {}
            }
        }
        if reviewed {
            changed.push("Syfte och målgrupp är genomgångna.".into());
        }
        if changed.is_empty() && entry.is_written {
            return Ok(());
        }
        let before = entry.known.reviewed.unwrap_or(today);
        let row = CardRow {
            account: entry.account.id,
            reviewed: if reviewed { today } else { before },
            revision: entry.revision,
            card,
        };
        let strict = row.card.care.is_strict();
        // Only what the person has changed is their word: a box that stood empty says nothing.
        let is_changed = |part: &&Said| stood.contains(part) != said.contains(part);
        let texts = Said::ALL.iter().filter(is_changed);
        let texts = texts.map(|part| (*part, said.contains(part))).collect();
        let line = AuditLine {
            detail: Some(changed.join("; ")).filter(|detail| !detail.is_empty()),
            ..Self::account_line(viewer, "account.card", &entry.account)
        };
        self.inner.store.save_card(row, texts, changed, line, now).await?;
        let mut known = self.inner.strict.write().unwrap_or_else(PoisonError::into_inner);
        match strict {
            true => known.insert(entry.account.id),
            false => known.remove(&entry.account.id),
        };
        Ok(())
    }

    /// Tells that a card was changed by somebody else meanwhile, and how it stands where that is not what was
    /// typed.
    async fn changed_since(&self, entry: &Entry, typed: &Card) -> Result<String, ServiceError> {
        let last = self.inner.store.account_history(entry.account.id, 1).await?;
        let by = last.first().map_or("någon annan", |row| row.by.as_str());
        let differs = changes(typed, &entry.card);
        let stands = match differs.is_empty() {
            true => String::new(),
            false => format!(" Så står det nu: {}.", differs.join("; ")),
        };
        Ok(format!(
            "Uppgifterna har ändrats av {by} sedan du öppnade sidan, och inget av ditt är sparat.{stands} Det du skrev står kvar här nedanför: ändra det som behövs och spara igen."
        ))
    }

    /// Reads what the account says of itself, and notes what of the duties text stands there.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where the platform does not tell, [`ServiceError::TryLater`] where it does
    /// not answer.
    pub async fn read_description(&self, viewer: &Viewer, key: &str) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let Some(served) = self.served(entry.account.id) else {
            return refused("Kontot finns inte i inställningarna, så plattformen kan inte nås.");
        };
        let told = match served.platform.description().await {
            Ok(Some(told)) => told,
            Ok(None) => {
                return refused(
                    "Plattformen berättar inte vad som står i kontots presentation. Titta själv och kryssa i.",
                );
            }
            Err(error) => {
                return refused(format!(
                    "Presentationen kunde inte läsas: {} Inget är ändrat.",
                    error.swedish()
                ));
            }
        };
        let said = entry.card.said_in(&self.inner.settings.authority, &told);
        let missing: Vec<_> =
            said.iter().filter(|(_, holds)| !holds).map(|(said, _)| said.label()).collect();
        let what = match missing.is_empty() {
            true => "Läste kontots presentation: allt som krävs står där.".to_owned(),
            false => format!("Läste kontots presentation. Där saknas {}.", missing.join(", ")),
        };
        let line = AuditLine {
            detail: Some(what.clone()),
            ..Self::account_line(viewer, "account.description", &entry.account)
        };
        let now = self.inner.clock.now();
        Ok(self.inner.store.note_description(entry.account.id, said, what, line, now).await?)
    }

    /// Gives somebody a part in an account, or none.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where there is no such user.
    pub async fn set_account_part(
        &self,
        viewer: &Viewer,
        key: &str,
        login: &str,
        part: Option<Part>,
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let user = super::users::known(&self.inner.store, login).await?;
        if part.is_some() {
            can_work(&user)?;
        }
        if part.is_none() && !entry.people.iter().any(|p| p.user.id == user.id) {
            return Ok(());
        }
        let line = AuditLine {
            detail: Some(format!("{}: {}", user.login, part.map_or("ingen del", Part::label))),
            ..Self::account_line(viewer, "account.people", &entry.account)
        };
        let now = self.inner.clock.now();
        Ok(self.inner.store.set_part(entry.account.id, user.id, part, line, now).await?)
    }

    /// Whether somebody may say when another is away: oneself, whoever answers for an account of theirs, and
    /// who keeps the register.
    async fn may_say_away(&self, viewer: &Viewer, user: UserId) -> Result<bool, ServiceError> {
        if viewer.user == user || viewer.may(Act::ManageAccounts) {
            return Ok(true);
        }
        let entries = self.register(viewer).await?;
        let theirs = |entry: &Entry| entry.people.iter().any(|p| p.user.id == user);
        Ok(entries.iter().any(|entry| Self::is_owner(&entry.people, viewer) && theirs(entry)))
    }

    /// Notes that somebody is away, both days included.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where the days stand the wrong way round.
    pub async fn set_absence(
        &self,
        viewer: &Viewer,
        login: &str,
        days: (Date, Date),
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let user = super::users::known(&self.inner.store, login).await?;
        if !self.may_say_away(viewer, user.id).await? {
            return Err(ServiceError::NotPermitted { act: Act::ManageAccounts });
        }
        let (first, last) = (sensible(days.0)?, sensible(days.1)?);
        if last < local(self.inner.clock.now()).date() {
            return refused("De dagarna har redan varit. Skriv en frånvaro som inte är över.");
        }
        if first > last {
            return refused("Den sista dagen ligger före den första. Skriv dem i ordning.");
        }
        let line = AuditLine {
            detail: Some(format!("{} till {}", days.0, days.1)),
            ..viewer.line("user.away", format!("user {}", user.login))
        };
        Ok(self.inner.store.add_absence(user.id, days, line, self.inner.clock.now()).await?)
    }

    /// Takes an absence back.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where it is gone already.
    pub async fn end_absence(&self, viewer: &Viewer, absence: i64) -> Result<(), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let now = self.inner.clock.now();
        let known = self.inner.store.absences_from(local(now).date()).await?;
        let Some(found) = known.into_iter().find(|a| a.id == absence) else {
            return Err(ServiceError::NotFound { what: "absence" });
        };
        if !self.may_say_away(viewer, found.user).await? {
            return Err(ServiceError::NotPermitted { act: Act::ManageAccounts });
        }
        let line = viewer.line("user.back", format!("user {}", found.login));
        Ok(self.inner.store.end_absence(absence, line, now).await?)
    }

    /// Answers the yearly inventory (T15, T16): by whoever answers for the account or keeps the register.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it was not asked for, or is answered.
    pub async fn confirm_account(
        &self,
        viewer: &Viewer,
        key: &str,
        active: bool,
        note: &str,
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let now = self.inner.clock.now();
        let today = local(now).date();
        if !entry.flags.iter().any(|flag| matches!(flag, Flag::Unconfirmed { .. })) {
            return refused("Ingen genomgång väntar på svar för kontot.");
        }
        if active && !entry.known.has_owner {
            return refused("Kontot har ingen kontoansvarig. Ange en, och bekräfta sedan.");
        }
        let note = words(note, "Anteckningen")?;
        // Whoever works with an account is employed (Jönköping, line 172): its owner vouches for it by name.
        let names: Vec<_> = entry.people.iter().map(|person| person.user.name.as_str()).collect();
        let what = match active {
            true => format!(
                "Kontot används. De som har hand om det är anställda: {}.",
                names.join(", ")
            ),
            false => "Kontot används inte.".to_owned(),
        };
        let line = AuditLine {
            detail: Some(format!("{what} {note}").trim().to_owned()),
            ..Self::account_line(viewer, "account.confirm", &entry.account)
        };
        let (id, when) = (entry.account.id, (today.year(), today));
        let store = &self.inner.store;
        Ok(store.confirm_account(id, when, viewer.user, active, note, line, now).await?)
    }

    /// Notes that the whole account was handed to the archive (T22).
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn note_archiving(
        &self,
        viewer: &Viewer,
        key: &str,
        day: Date,
        (what, receipt): (&str, &str),
    ) -> Result<(), ServiceError> {
        let entry = self.to_edit(viewer, key).await?;
        let now = self.inner.clock.now();
        if sensible(day)? > local(now).date() {
            return refused("Dagen ligger framåt. Skriv när det gjordes.");
        }
        let what = reason(what)?;
        let receipt = words(receipt, "Kvittot")?;
        let row = ArchivingRow {
            account: entry.account.id,
            day,
            what,
            receipt,
            by: viewer.name.clone(),
            of_run: false,
        };
        let line = AuditLine {
            detail: Some(format!("{day}: {}", row.what)),
            ..Self::account_line(viewer, "account.archived", &entry.account)
        };
        Ok(self.inner.store.note_archiving(row, line, now).await?)
    }
}

/// What a person says stands on the account.
fn said_by_people(texts: &[TextRow]) -> Vec<Said> {
    texts.iter().filter(|text| !text.by_platform && text.holds).map(|text| text.said).collect()
}

/// What stands on the account: the newer word counts, be it a person's or the platform's.
fn stands(texts: &[TextRow]) -> Vec<Said> {
    let newest = |said: Said| texts.iter().filter(|t| t.said == said).max_by_key(|t| t.at);
    let holds = |said: &Said| newest(*said).is_some_and(|text| text.holds);
    Said::ALL.iter().copied().filter(holds).collect()
}
