//! What people ask about their own personal data: extracts, rectification, erasure.
//!
//! Nobody is found by who they are anywhere else in the program (regulation 5.2). Here they are, since they ask for
//! it themselves: within a request that is noted, by those who may, each search on the audit log by the request's
//! number. Names stand in the request alone.

use jiff::Timestamp;

use crate::classify::Context;
use crate::domain::calendar::local;
use crate::domain::category::Category;
use crate::domain::dossier::Fact;
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::item::Author;
use crate::domain::person::Act;
use crate::domain::subject::{
    SubjectKind, SubjectOutcome, SubjectRequest, due, due_extended, spellings,
};
use crate::domain::text::is_blank;
use crate::store::sqlite::disposals::DISPOSED_TEXT;
use crate::store::sqlite::subjects::{EndOfSubject, Found, NewSubject, SubjectItem};

use super::corrections::{reason, words};
use super::dossiers::time;
use super::{Change, ServiceError, Services, Viewer};

/// From when the regulation applies (article 99.2): nobody asked by it before.
const APPLIES_FROM: jiff::civil::Date = jiff::civil::date(2018, 5, 25);
/// Requests on the page.
const ON_PAGE: u32 = 200;
/// Hits on a page.
const MOST_HITS: usize = 200;
/// Items of one request: whoever has written more is answered with several.
const MOST_ITEMS: usize = 5_000;
/// Hits that are gone through.
const MOST_FOUND: usize = 10_000;
/// Names and accounts of one request.
const MOST_NAMES: usize = 10;
/// The shortest name that is searched for, in characters: shorter ones stand in every second text.
const SHORTEST_NAME: usize = 3;

/// An item in which the person writes or is spoken of.
#[derive(Clone)]
pub struct Hit {
    /// The item.
    pub item: ItemId,
    /// Whether the person wrote it.
    pub wrote: bool,
    /// Where and when.
    pub what: String,
    /// The beginning of its text.
    pub text: String,
    /// It is part of the request already.
    pub chosen: bool,
}

/// An item of a request, as its page and its document tell it.
#[derive(Clone)]
pub struct Told {
    /// The item.
    pub item: ItemId,
    /// Its case.
    pub case: Option<CaseId>,
    /// Whether the person wrote it.
    pub wrote: bool,
    /// Where and when.
    pub what: String,
    /// The text; none where it may not be copied or shown, or has gone.
    pub text: Option<String>,
    /// Its wordings before that we have, the oldest first, with when each was fetched. In an extract alone.
    pub before: Vec<(Timestamp, String)>,
    /// What is known of it.
    pub facts: Vec<Fact>,
    /// What is wrong in it, in the person's words.
    pub note: Option<String>,
    /// Whether it may be disposed of, and on what that rests.
    pub erasure: (bool, String),
}

/// A request with what it is about.
#[derive(Clone)]
pub struct SubjectFile {
    /// The request.
    pub row: SubjectRequest,
    /// Its items; none for who may not read sealed texts.
    pub items: Vec<Told>,
    /// Whether the viewer may search, choose and answer.
    pub may_answer: bool,
}

fn refused(why: impl Into<String>) -> ServiceError {
    ServiceError::Refused { why: why.into() }
}

/// Names and accounts, one a line.
fn names(whom: &str) -> Result<Vec<String>, ServiceError> {
    let names: Vec<_> = whom.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(refused("Skriv namn eller användarnamn, ett på varje rad."));
    }
    if names.len() > MOST_NAMES {
        return Err(refused("Högst tio namn och användarnamn får plats i en begäran."));
    }
    if names.iter().any(|name| name.trim_start_matches('@').chars().count() < SHORTEST_NAME) {
        return Err(refused("Ett namn att söka efter har minst tre tecken."));
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// Why an officer refuses, in the words of the law.
const KEPT_BY_LAW: &str = "Uppgifterna står i en allmän handling. Myndigheten är skyldig att bevara den (arkivlagen 1990:782, 3 och 10 §§), så rätten till radering gäller inte (dataskyddsförordningen artikel 17.3 b och d).";

impl Services {
    fn demand_answers(&self, viewer: &Viewer) -> Result<(), ServiceError> {
        viewer.demand(Act::AnswerSubjects)?;
        viewer.demand(Act::ReadEvidence)
    }

    /// Requests, pending ones first by when they are due.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn subject_requests(
        &self,
        viewer: &Viewer,
    ) -> Result<Vec<SubjectRequest>, ServiceError> {
        viewer.demand(Act::AnswerSubjects)?;
        Ok(self.inner.store.subjects(ON_PAGE).await?)
    }

    /// Notes a request. `received` is the Swedish day on which it came in, `2026-11-23`; today where empty.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn open_subject(
        &self,
        viewer: &Viewer,
        kind: &str,
        whom: &str,
        asker: &str,
        received: &str,
    ) -> Result<i64, ServiceError> {
        viewer.demand(Act::AnswerSubjects)?;
        let kind = SubjectKind::from_id(kind).ok_or_else(|| {
            refused("Välj vad begäran gäller: registerutdrag, rättelse eller radering.")
        })?;
        let whom = names(&words(whom, "Namnen")?)?.join("\n");
        let found = self.classifier().classify(&whom, &Context::default()).findings;
        if found.iter().any(|finding| finding.category == Category::PersonalId) {
            return Err(refused(
                "Skriv inget personnummer: sökningen går på namn och användarnamn, och numret skulle bara bli en uppgift till att skydda.",
            ));
        }
        let asker = Some(words(asker, "Kontaktuppgiften")?).filter(|asker| !is_blank(asker));
        let now = self.inner.clock.now();
        let received_at = match received.trim() {
            "" => now,
            day => {
                let day = day.parse::<jiff::civil::Date>();
                let at = day
                    .ok()
                    .and_then(|day| day.to_zoned(crate::domain::calendar::stockholm()).ok());
                let at = at.map(|at| at.timestamp());
                at.filter(|at| *at <= now && local(*at).date() >= APPLIES_FROM).ok_or_else(|| {
                    refused(
                        "Skriv dagen då begäran kom in som 2026-11-23. Den kan inte ligga framåt, och inte före den 25 maj 2018 då dataskyddsförordningen började gälla.",
                    )
                })?
            }
        };
        let new = NewSubject {
            kind,
            whom,
            asker,
            received_at,
            due_at: due(received_at),
            user: viewer.user,
        };
        // Whom it is about stays out of the audit log.
        let line = viewer.line("subject.open", String::new());
        let id = self.inner.store.open_subject(new, line, now).await?;
        tracing::info!(subject.id = id, user.id = %viewer.user, "a request about personal data was noted");
        Ok(id)
    }

    /// A request with what it is about. Opening it is audited.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn subject_file(
        &self,
        viewer: &Viewer,
        id: i64,
    ) -> Result<SubjectFile, ServiceError> {
        viewer.demand(Act::AnswerSubjects)?;
        let (mut row, items) = self.inner.store.subject(id).await?;
        let line = viewer.line("subject.show", format!("subject request {id}"));
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        let may_answer = viewer.may(Act::ReadEvidence);
        if !may_answer {
            // Words of the answer may quote what was written.
            row.ended = row.ended.map(|(at, by, outcome, _)| (at, by, outcome, None));
            return Ok(SubjectFile { row, items: Vec::new(), may_answer });
        }
        let items = self.told_of(viewer, (id, row.kind), items).await?;
        Ok(SubjectFile { row, items, may_answer })
    }

    async fn told_of(
        &self,
        viewer: &Viewer,
        (id, kind): (i64, SubjectKind),
        items: Vec<SubjectItem>,
    ) -> Result<Vec<Told>, ServiceError> {
        // Where no decision lets anything go nothing is due, and an extract is made all the same.
        let plans: Vec<_> = match kind {
            SubjectKind::Erasure => {
                let (plans, _) = self.disposing().plans().await?;
                plans.into_iter().filter_map(|under| under.plan.ok()).collect()
            }
            SubjectKind::Access | SubjectKind::Rectification => Vec::new(),
        };
        let ours = format!("Begäran {id} från en registrerad");
        let mut told = Vec::with_capacity(items.len());
        for SubjectItem { item, case, wrote, note } in items {
            self.demand_open_item(viewer, item).await?;
            let row = self.inner.store.item(item).await?;
            let version = self.inner.store.version(row.current_version).await?;
            let served = self.served(row.account);
            let account = served.map_or_else(String::new, |served| served.account.name.clone());
            let when = row.created_at.unwrap_or(version.fetched_at);
            let disposed = version.text == DISPOSED_TEXT;
            let mut facts: Vec<Fact> = vec![
                ("Konto".into(), account.clone()),
                ("Publicerat".into(), time(when)),
                ("Hämtat av oss".into(), time(version.fetched_at)),
            ];
            if wrote {
                facts.push(("Namn som visades".into(), author_words(&version.author)));
            }
            if let Some(link) = &row.permalink {
                facts.push(("Länk".into(), link.url.clone()));
            }
            if let Some(case) = case {
                facts.push(("Ärende hos oss".into(), case.to_string()));
                for decision in self.inner.store.decisions_on(case).await? {
                    if decision.undone_at.is_some() {
                        continue;
                    }
                    let chosen: Vec<_> =
                        decision.choices.iter().map(|choice| choice.label()).collect();
                    let ground = decision
                        .ground
                        .map_or(String::new(), |g| format!(", grund: {}", g.label()));
                    facts.push((
                        "Beslut".into(),
                        format!("{}: {}{ground}", time(decision.at), chosen.join(", ")),
                    ));
                }
                for registration in self.inner.store.registrations_of(case).await? {
                    let number = registration
                        .diary_number
                        .map_or("nummer väntas".to_owned(), |n| n.to_string());
                    facts.push((
                        "Lämnat till diariet".into(),
                        format!("{}, {number}", time(registration.exported_at)),
                    ));
                }
            }
            let policy = self.policy_of(row.account);
            let keeping = match &policy.retention {
                Some(retention) => format!("Enligt {}", retention.plan),
                None => "Tills vidare: ingen gallring är beslutad.".to_owned(),
            };
            facts.push(("Så länge sparas det".into(), keeping));
            let erasure = match (disposed, case, &policy.retention) {
                (true, _, _) => (true, "Innehållet är redan gallrat.".to_owned()),
                (false, Some(case), Some(retention)) if retention.decision.is_some() => {
                    // Due but for this very request counts as due.
                    let but_for_us =
                        |why: &str| why.contains(&ours) || why.starts_with("någon har begärt sina");
                    let is_due = plans.iter().any(|plan| {
                        plan.due.iter().any(|due| due.case == case)
                            || plan
                                .spared
                                .iter()
                                .any(|(spared, why)| *spared == case && but_for_us(why))
                    });
                    match is_due {
                        true => (
                            true,
                            format!(
                                "Tiden i {} har gått. Uppgifterna gallras enligt {}.",
                                retention.plan,
                                retention.decision.as_deref().unwrap_or_default()
                            ),
                        ),
                        false => (
                            false,
                            format!(
                                "{KEPT_BY_LAW} Tiden i {} har inte gått, eller handlingen ska bevaras.",
                                retention.plan
                            ),
                        ),
                    }
                }
                (false, _, _) => (
                    false,
                    format!(
                        "{KEPT_BY_LAW} Myndigheten har inte beslutat att handlingen får gallras nu."
                    ),
                ),
            };
            let shown = !row.no_copy && !disposed;
            // Of what somebody else wrote, their numbers and addresses are not this person's.
            let theirs = |text: String| match wrote {
                true => text,
                false => self.classifier().masked(&text).into_owned(),
            };
            let earlier = match (kind, shown) {
                (SubjectKind::Access, true) => self.inner.store.versions_of(item).await?,
                _ => Vec::new(),
            };
            let before = earlier
                .into_iter()
                .filter(|one| one.number < version.number && one.text != DISPOSED_TEXT)
                .map(|one| (one.fetched_at, theirs(one.text)))
                .collect();
            told.push(Told {
                item,
                case,
                wrote,
                what: format!(
                    "{} på {account}, {}",
                    crate::domain::text::capitalised(row.kind.label()),
                    time(when)
                ),
                text: shown.then(|| theirs(version.text)),
                before,
                facts,
                note,
                erasure,
            });
        }
        Ok(told)
    }

    /// Items in which the person of a request writes or is spoken of, the first page. Audited by the request's number.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where the request has ended.
    pub async fn find_subject(
        &self,
        viewer: &Viewer,
        id: i64,
    ) -> Result<(Vec<Hit>, bool), ServiceError> {
        self.find_subject_page(viewer, id, 0).await
    }

    /// A page of them, from 0, and whether there are more.
    ///
    /// # Errors
    /// As of [`Self::find_subject`].
    pub async fn find_subject_page(
        &self,
        viewer: &Viewer,
        id: i64,
        page: usize,
    ) -> Result<(Vec<Hit>, bool), ServiceError> {
        let (found, chosen) = self.found_of_subject(viewer, id).await?;
        let from = page.saturating_mul(MOST_HITS);
        let more = found.len() > from.saturating_add(MOST_HITS);
        let of_page = found.into_iter().skip(from).take(MOST_HITS).collect();
        Ok((self.hits(viewer, of_page, &chosen).await?, more))
    }

    async fn found_of_subject(
        &self,
        viewer: &Viewer,
        id: i64,
    ) -> Result<(Vec<Found>, Vec<SubjectItem>), ServiceError> {
        self.demand_answers(viewer)?;
        let (row, chosen) = self.inner.store.subject(id).await?;
        let (None, Some(whom)) = (&row.ended, &row.whom) else {
            return Err(refused("Begäran är avslutad."));
        };
        let names = names(whom)?;
        let spelled: Vec<_> =
            names.iter().flat_map(|name| spellings(name.trim_start_matches('@'))).collect();
        let line = viewer.line("subject.search", format!("subject request {id}"));
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        // Those that were chosen make room for the next, so that a request reaches past one page of hits.
        let skip = chosen.iter().map(|known| known.item).collect();
        let found = self.inner.store.find_person(names, spelled, skip, MOST_FOUND).await?;
        Ok((found, chosen))
    }

    async fn hits(
        &self,
        viewer: &Viewer,
        found: Vec<Found>,
        chosen: &[SubjectItem],
    ) -> Result<Vec<Hit>, ServiceError> {
        let mut hits = Vec::with_capacity(found.len());
        for one in found {
            // What is shut to the viewer is found by who is in the circle.
            if let Some(case) = self.inner.store.case_of(one.item).await?
                && !self.is_open_to(viewer, case.id).await?
            {
                continue;
            }
            let item = self.inner.store.item(one.item).await?;
            let version = self.inner.store.version(one.version).await?;
            let served = self.served(item.account);
            let account = served.map_or_else(String::new, |served| served.account.name.clone());
            let when = item.created_at.unwrap_or(version.fetched_at);
            let text = match item.no_copy {
                true => "(får inte visas)".to_owned(),
                false => version.text.chars().take(300).collect(),
            };
            hits.push(Hit {
                item: one.item,
                wrote: one.wrote,
                what: format!("{} på {account}, {}", item.kind.label(), time(when)),
                text,
                chosen: chosen.iter().any(|known| known.item == one.item),
            });
        }
        Ok(hits)
    }

    /// Adds items to a request, from those that a search finds for it and no others.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn add_to_subject(
        &self,
        viewer: &Viewer,
        id: i64,
        chosen: &[ItemId],
    ) -> Result<(), ServiceError> {
        let (mut found, known) = self.found_of_subject(viewer, id).await?;
        found.retain(|one| chosen.contains(&one.item));
        let hits = self.hits(viewer, found, &known).await?;
        let chosen: Vec<_> = hits.iter().map(|hit| (hit.item, hit.wrote)).collect();
        if chosen.is_empty() {
            return Err(refused("Välj minst ett inlägg bland träffarna."));
        }
        if self.inner.store.subject(id).await?.1.len() + chosen.len() > MOST_ITEMS {
            return Err(refused("En begäran rymmer 5 000 inlägg. Öppna en till för resten."));
        }
        let line = viewer.line("subject.add", format!("subject request {id}"));
        let now = self.inner.clock.now();
        self.inner.store.add_to_subject(id, chosen, viewer.user, line, now).await?;
        self.tell_of_subject(id).await
    }

    /// Takes an item out of a request.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it has ended.
    pub async fn drop_from_subject(
        &self,
        viewer: &Viewer,
        id: i64,
        item: ItemId,
    ) -> Result<(), ServiceError> {
        self.demand_answers(viewer)?;
        self.demand_open_item(viewer, item).await?;
        let line = viewer.line("subject.drop", format!("subject request {id}"));
        let now = self.inner.clock.now();
        self.inner.store.drop_from_subject(id, item, viewer.user, line, now).await?;
        self.note_log().await;
        Ok(())
    }

    /// Joins what the person says is wrong to an item's case. What was sealed stays as it was sealed.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn note_on_subject(
        &self,
        viewer: &Viewer,
        id: i64,
        item: ItemId,
        note: &str,
    ) -> Result<(), ServiceError> {
        self.demand_answers(viewer)?;
        self.demand_open_item(viewer, item).await?;
        let note = reason(note)?;
        let line = viewer.line("subject.note", format!("subject request {id}"));
        let now = self.inner.clock.now();
        self.inner.store.note_on_subject(id, item, note, viewer.user, line, now).await?;
        self.tell_of_subject(id).await
    }

    /// Makes the time longer by two months, once and within the first, with the reason.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn extend_subject(
        &self,
        viewer: &Viewer,
        id: i64,
        why: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::AnswerSubjects)?;
        let why = reason(why)?;
        let (row, _) = self.inner.store.subject(id).await?;
        let until = due_extended(row.received_at);
        let line = viewer.line("subject.extend", format!("subject request {id}"));
        let now = self.inner.clock.now();
        Ok(self.inner.store.extend_subject(id, until, why, line, now).await?)
    }

    /// Ends a request, with the words of the answer. An extract or a decision is made as a document; of an erasure
    /// what may go is a task for whoever disposes.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing is ended then.
    pub async fn end_subject(
        &self,
        viewer: &Viewer,
        id: i64,
        withdrawn: bool,
        answer: &str,
    ) -> Result<(), ServiceError> {
        self.demand_answers(viewer)?;
        let answer = reason(answer)?;
        let file = self.subject_file(viewer, id).await?;
        if file.row.ended.is_some() {
            return Err(refused("Begäran är redan avslutad."));
        }
        let now = self.inner.clock.now();
        let outcome = outcome(&file, withdrawn)?;
        let (mut pdf, mut may_go) = (None, Vec::new());
        if outcome != SubjectOutcome::Withdrawn {
            pdf = Some(self.subject_answer(&file, (outcome, &answer), now).await?);
            if file.row.kind == SubjectKind::Erasure {
                let goes = file.items.iter().filter(|told| told.erasure.0 && told.text.is_some());
                may_go = goes.filter_map(|told| told.case).collect();
                may_go.sort_unstable();
                may_go.dedup();
            }
        }
        let items = file.items.iter().map(|told| (told.item, told.note.clone())).collect();
        let user = viewer.user;
        let end = EndOfSubject { id, outcome, words: answer, pdf, items, may_go, user };
        let line = viewer.line("subject.end", format!("subject request {id}"));
        self.inner.store.end_subject(end, line, now).await?;
        self.note_log().await;
        tracing::info!(subject.id = id, user.id = %viewer.user, outcome = outcome.id(), "a request about personal data ended");
        self.tell_of_subject(id).await
    }

    /// The document that a request ended with. Fetching it is audited.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn subject_document(
        &self,
        viewer: &Viewer,
        id: i64,
    ) -> Result<Vec<u8>, ServiceError> {
        self.demand_answers(viewer)?;
        for item in self.inner.store.subject(id).await?.1 {
            self.demand_open_item(viewer, item.item).await?;
        }
        let line = viewer.line("subject.fetch", format!("subject request {id}"));
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        Ok(self.inner.store.subject_document(id).await?)
    }

    async fn tell_of_subject(&self, id: i64) -> Result<(), ServiceError> {
        self.note_log().await;
        for item in self.inner.store.subject(id).await?.1 {
            if let Some(case) = item.case {
                self.tell(Change::Case(case));
            }
        }
        Ok(())
    }
}

/// How a request ends by what was found and decided.
fn outcome(file: &SubjectFile, withdrawn: bool) -> Result<SubjectOutcome, ServiceError> {
    if withdrawn {
        return Ok(SubjectOutcome::Withdrawn);
    }
    let all = file.items.len();
    let done = match file.row.kind {
        // That nothing is there is an answer, too.
        SubjectKind::Access => return Ok(SubjectOutcome::Granted),
        SubjectKind::Rectification => file.items.iter().filter(|told| told.note.is_some()).count(),
        SubjectKind::Erasure => file.items.iter().filter(|told| told.erasure.0).count(),
    };
    if all == 0 {
        return Err(refused(
            "Begäran har inga inlägg. Sök och välj dem, eller avsluta den som återtagen.",
        ));
    }
    Ok(match done {
        0 => SubjectOutcome::Refused,
        n if n == all => SubjectOutcome::Granted,
        _ => SubjectOutcome::Partly,
    })
}

fn author_words(author: &Author) -> String {
    let handle = author.handle.as_ref().map(|handle| format!("användarnamn {handle}"));
    let id = author.platform_id.as_ref().map(|id| format!("id hos plattformen {id}"));
    let told: Vec<_> = [author.name.clone(), handle, id].into_iter().flatten().collect();
    if told.is_empty() { "Plattformen lämnar inga uppgifter.".into() } else { told.join(", ") }
}
