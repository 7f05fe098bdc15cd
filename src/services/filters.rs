//! Filters of the queue: what is picked, and what somebody has saved to pick again.

use crate::domain::ids::{CaseId, SavedFilterId};
use crate::domain::person::Act;
use crate::domain::sieve::{Asker, Candidate, Mine, Sieve};
use crate::store::sqlite::saved_filters::SavedFilter;

use super::corrections::words;
use super::queue::{Filter, Line, PAGE, Page};
use super::{ServiceError, Services, Viewer};

/// How many cases are looked at in one go.
const WINDOW: u32 = 5_000;
/// The most that are looked at for one page: what lies deeper is found by a narrower filter.
const DEEPEST: u32 = 100_000;
/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

/// What is looked at for a count: state, account, and whether who is responsible is asked too.
type LookedAt = (Filter, Option<String>, bool);

/// A saved filter, as pages show it.
pub type Saved = SavedFilter;

/// What is asked for: the state, the account, the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which state.
    pub shown: Filter,
    /// Key of the account; none: all.
    pub account: Option<String>,
    /// What else.
    pub sieve: Sieve,
}

impl Query {
    /// From an address, or from what was saved of one.
    pub fn read(query: &str) -> Self {
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let of = |wanted: &str| pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| value);
        let sieve = Sieve::read(pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        let shown = of("visa").and_then(|id| Filter::from_id(id)).unwrap_or(Filter::Open);
        let account = of("konto").filter(|key| !key.is_empty() && key.len() <= 100).cloned();
        Self { shown, account, sieve }
    }

    /// As an address says it, the same for all that ask for the same.
    pub fn written(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("visa", self.shown.id());
        if let Some(account) = &self.account {
            query.append_pair("konto", account);
        }
        query.extend_pairs(self.sieve.pairs());
        query.finish()
    }

    /// Whether what is closed is asked for by more than its account: there are too many to go through.
    fn is_too_wide(&self) -> bool {
        self.shown == Filter::Closed && !self.sieve.is_open()
    }
}

/// A saved filter with how many cases it picks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The filter.
    pub saved: Saved,
    /// So many; where more were not looked at, at least so many.
    pub n: u64,
    /// Whether there may be more.
    pub at_least: bool,
}

impl Services {
    async fn asker(&self, viewer: &Viewer) -> Result<Asker, ServiceError> {
        let mut accounts = self.inner.store.accounts_of(viewer.user).await?;
        // In a crisis everybody's accounts are everybody's.
        accounts.extend(self.common_accounts().await?);
        Ok(Asker { user: viewer.user, accounts, now: self.inner.clock.now() })
    }

    async fn looked_at(
        &self,
        query: &Query,
        offset: u32,
        asker: &Asker,
    ) -> Result<Vec<Candidate>, ServiceError> {
        let (store, row) = (&self.inner.store, query.shown.row());
        let window = (offset, WINDOW);
        let holder = (query.sieve.mine == Some(Mine::Working)).then_some(asker.user);
        let account = query.account.clone();
        let mut found = store.candidates(row, account, holder, window, asker.now).await?;
        if query.sieve.mine == Some(Mine::Responsible) {
            self.name_responsible(&mut found).await?;
        }
        Ok(found)
    }

    /// A page of the queue through a sieve. Each case stands by itself, also those that stand behind a similar one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn sifted(
        &self,
        viewer: &Viewer,
        query: &Query,
        page: u32,
    ) -> Result<Page, ServiceError> {
        if query.sieve.is_open() || query.is_too_wide() {
            return self.queue(viewer, query.shown, query.account.clone(), page * PAGE).await;
        }
        viewer.demand(Act::ReadCases)?;
        let asker = self.asker(viewer).await?;
        let wanted = (page as usize + 1) * PAGE as usize + 1;
        let mut picked: Vec<CaseId> = Vec::new();
        for offset in (0..DEEPEST).step_by(WINDOW as usize) {
            let looked_at = self.looked_at(query, offset, &asker).await?;
            let taken = looked_at.iter().filter(|case| query.sieve.takes(case, &asker));
            picked.extend(taken.map(|case| case.case));
            if looked_at.len() < WINDOW as usize || picked.len() >= wanted {
                break;
            }
        }
        let first = page as usize * PAGE as usize;
        let more = picked.len() >= wanted;
        let shown: Vec<_> = picked.into_iter().skip(first).take(PAGE as usize).collect();
        let went_on = self.inner.store.last_steps(shown.clone()).await?;
        let mut lines = Vec::new();
        for case in shown {
            let went_on_to = went_on.get(&case).copied();
            lines.push(Line { went_on_to, ..self.unasked_line(case).await? });
        }
        self.name_lines(&mut lines).await?;
        Ok(Page { lines, counts: self.counts(viewer).await?, more })
    }

    /// What the viewer may pick, each with how many cases it gives among the first that wait.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn saved_filters(&self, viewer: &Viewer) -> Result<Vec<Counted>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let saved = self.inner.store.saved_filters(viewer.user, false).await?;
        if saved.is_empty() {
            return Ok(Vec::new());
        }
        let asker = self.asker(viewer).await?;
        let mut seen: Vec<(LookedAt, Vec<Candidate>)> = Vec::new();
        let mut counted = Vec::new();
        for saved in saved {
            let query = Query::read(&saved.query);
            let by_name = query.sieve.mine == Some(crate::domain::sieve::Mine::Responsible);
            let key = (query.shown, query.account.clone(), by_name);
            if !seen.iter().any(|(known, _)| *known == key) {
                let looked_at = self.looked_at(&query, 0, &asker).await?;
                seen.push((key.clone(), looked_at));
            }
            let looked_at = seen.iter().find(|(known, _)| *known == key).map(|(_, all)| all);
            let all = looked_at.map_or(&[][..], |all| all);
            let n = all.iter().filter(|case| query.sieve.takes(case, &asker)).count();
            let at_least = all.len() == WINDOW as usize;
            counted.push(Counted { saved, n: n as u64, at_least });
        }
        Ok(counted)
    }

    /// Those that were taken away, of the viewer's own and of everybody's.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn removed_filters(&self, viewer: &Viewer) -> Result<Vec<Saved>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let all = self.inner.store.saved_filters(viewer.user, true).await?;
        Ok(all.into_iter().filter(|saved| saved.removed).collect())
    }

    /// Saves a filter under a name, for the viewer or for everybody; or gives one another name, and another
    /// query where one is sent.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] to share where the role does not work the queue; [`ServiceError::Refused`]
    /// with words for the person.
    pub async fn keep_filter(
        &self,
        viewer: &Viewer,
        filter: Option<SavedFilterId>,
        name: &str,
        query: Option<&str>,
        shared: bool,
    ) -> Result<SavedFilterId, ServiceError> {
        viewer.demand(if shared { Act::Decide } else { Act::ReadCases })?;
        let name = words(name, "Namnet")?;
        if name.is_empty() || name.contains('\n') || name.chars().count() > LONGEST_NAME {
            return Err(ServiceError::Refused {
                why: "Ge filtret ett namn på högst 60 tecken, till exempel Hot som brådskar."
                    .into(),
            });
        }
        let query = query.map(Query::read);
        if query.as_ref().is_some_and(Query::is_too_wide) {
            return Err(ServiceError::Refused {
                why: "Avslutade ärenden går bara att filtrera efter konto. Använd Sök i stället."
                    .into(),
            });
        }
        let query = query.map(|query| query.written());
        let owner = (!shared).then_some(viewer.user);
        let line = viewer.line("filter.save", "saved filter");
        let (store, now) = (&self.inner.store, self.inner.clock.now());
        Ok(store.keep_filter(filter, (owner, viewer.user), (name, query), line, now).await?)
    }

    /// Takes a filter away, or brings it back.
    ///
    /// # Errors
    /// As [`Services::keep_filter`].
    pub async fn turn_filter(
        &self,
        viewer: &Viewer,
        filter: SavedFilterId,
        shared: bool,
        removed: bool,
    ) -> Result<(), ServiceError> {
        viewer.demand(if shared { Act::Decide } else { Act::ReadCases })?;
        let owner = (!shared).then_some(viewer.user);
        let act = if removed { "filter.remove" } else { "filter.restore" };
        let line = viewer.line(act, format!("saved filter {filter}"));
        let now = self.inner.clock.now();
        let by = (owner, viewer.user);
        Ok(self.inner.store.turn_filter(filter, by, removed, line, now).await?)
    }
}
