//! Handing out public records (*utlämnande av allmän handling*): a request, the records that it is about, what is
//! masked on which ground, and the document that goes out. Who asks need never say who they are
//! (tryckfrihetsförordningen 2 kap. 18 §), and what a pending request touches is exempt from disposal.

use std::path::PathBuf;

use crate::domain::custody::CustodyAct;
use crate::domain::dossier::{Chapter, Dossier, Passage};
use crate::domain::evidence::CutOff;
use crate::domain::ids::{CaseId, ContentHash, EvidenceId};
use crate::domain::person::Act;
use crate::domain::release::{Mask, Release, ReleaseId, ReleaseOutcome, ReleaseRecord, masked};
use crate::domain::text::is_blank;
use crate::runtime::private;
use crate::store::rows::AuditLine;
use crate::store::sqlite::releases::EndOfRelease;

use super::corrections::{reason, words};
use super::dossiers::{Sealed, grouped, rendered, sealed, time};
use super::{ServiceError, Services, Viewer, packages};

/// Requests on the page.
const ON_PAGE: u32 = 200;
/// Hits of a search that are shown.
const MOST_HITS: usize = 50;
/// Records that a search looks through, the newest first.
const MOST_LOOKED: usize = 20_000;
/// Records that are read at a time for it.
const PAGE: u32 = 500;
/// Records of one request: more is several requests.
const MOST_RECORDS: usize = 500;
/// Phrases that are masked in one record.
const MOST_MASKS: usize = 200;
/// Characters of a phrase or a provision.
const LONGEST_PHRASE: usize = 500;

/// A record of a request, as its page shows it.
#[derive(Clone)]
pub struct ReleaseItem {
    /// The record with its masks.
    pub record: ReleaseRecord,
    /// What it is, where it stands in time.
    pub what: String,
    /// When.
    pub when: String,
    /// The author and the text as they would go out; none where the text does not.
    pub author: String,
    /// See `author`.
    pub text: Option<String>,
    /// Why not, where the text may not be copied at all.
    pub no_copy: Option<&'static str>,
    /// How often what is masked on which ground.
    pub grounds: Vec<(String, usize)>,
}

/// A hit of a search.
#[derive(Clone)]
pub struct Hit {
    /// The record.
    pub evidence: EvidenceId,
    /// Its case.
    pub case: CaseId,
    /// The beginning of its text.
    pub text: String,
    /// It is part of the request already.
    pub chosen: bool,
}

/// What a search found.
#[derive(Clone, Default)]
pub struct Hits {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// Not all records were looked through, or not all hits are shown.
    pub more: bool,
}

/// Names and texts stay out of logs.
impl std::fmt::Debug for ReleaseItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReleaseItem")
            .field("evidence", &self.record.evidence)
            .finish_non_exhaustive()
    }
}

fn refused(why: impl Into<String>) -> ServiceError {
    ServiceError::Refused { why: why.into() }
}

/// Lines of a form, `fras | lagrum`, as masks. `provision` is what goes for lines that name none.
///
/// # Errors
/// [`ServiceError::Refused`] where a line names none and none goes for all.
pub fn read_masks(lines: &str, provision: &str) -> Result<Vec<Mask>, ServiceError> {
    let general = provision.trim();
    let mut masks: Vec<Mask> = Vec::new();
    for line in lines.lines() {
        let (phrase, own) = line.rsplit_once(" | ").unwrap_or((line.trim_end_matches(" |"), ""));
        let (phrase, own) = (phrase.trim(), own.trim());
        if phrase.is_empty() {
            continue;
        }
        let provision = if own.is_empty() { general } else { own };
        if provision.is_empty() {
            return Err(refused(format!(
                "Ange på vilket lagrum ”{}” maskeras: ett för alla rader i fältet Lagrum, eller på raden efter ett lodstreck.",
                phrase.chars().take(60).collect::<String>()
            )));
        }
        if phrase.chars().count() > LONGEST_PHRASE || provision.chars().count() > LONGEST_PHRASE {
            return Err(refused("En rad är för lång: högst 500 tecken får plats."));
        }
        if !masks.iter().any(|mask| mask.phrase == phrase) {
            masks.push(Mask { phrase: phrase.to_owned(), provision: provision.to_owned() });
        }
    }
    if masks.len() > MOST_MASKS {
        return Err(refused(
            "Högst 200 ord och fraser kan maskeras i en handling. Undanta hellre hela texten.",
        ));
    }
    Ok(masks)
}

/// Masks as lines of a form.
pub fn mask_lines(masks: &[Mask]) -> String {
    let lines: Vec<_> = masks
        .iter()
        .map(|mask| match mask.provision.as_str() {
            "" => mask.phrase.clone(),
            provision => format!("{} | {provision}", mask.phrase),
        })
        .collect();
    lines.join("\n")
}

impl Services {
    /// Requests, pending ones first.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn releases(&self, viewer: &Viewer) -> Result<Vec<Release>, ServiceError> {
        viewer.demand(Act::Release)?;
        Ok(self.inner.store.releases(ON_PAGE).await?)
    }

    /// Notes a request. `asker` may be left empty by anybody.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] with words for the person.
    pub async fn open_release(
        &self,
        viewer: &Viewer,
        subject: &str,
        asker: &str,
    ) -> Result<ReleaseId, ServiceError> {
        viewer.demand(Act::Release)?;
        let subject = words(subject, "Beskrivningen")?;
        if is_blank(&subject) {
            return Err(refused(
                "Skriv vad som begärs, till exempel: kommentarerna under inlägget om badhuset.",
            ));
        }
        let asker = Some(words(asker, "Namnet")?).filter(|asker| !is_blank(asker));
        let line = viewer.line("release.open", String::new());
        let now = self.inner.clock.now();
        let id = self.inner.store.open_release(viewer.user, subject, asker, line, now).await?;
        tracing::info!(release.id = %id, user.id = %viewer.user, "a request for records was noted");
        Ok(id)
    }

    /// A request with its records as they would go out.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`].
    pub async fn release_file(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
    ) -> Result<(Release, Vec<ReleaseItem>), ServiceError> {
        viewer.demand(Act::Release)?;
        let inner = &self.inner;
        let row = inner.store.release(id).await?;
        let mut items = Vec::new();
        for record in inner.store.release_records(id).await? {
            let line =
                viewer.line(CustodyAct::OpenRecord.id(), format!("evidence {}", record.evidence));
            inner.store.record_audit(line, inner.clock.now()).await?;
            let evidence = inner.store.evidence(record.evidence).await?;
            items.push(match sealed(&inner.store, &inner.evidence, evidence).await? {
                Some(sealed) => self.item(record, &sealed).await?,
                None => ReleaseItem {
                    what: "Innehållet är gallrat.".into(),
                    when: String::new(),
                    author: String::new(),
                    text: None,
                    no_copy: None,
                    grounds: Vec::new(),
                    record,
                },
            });
        }
        Ok((row, items))
    }

    async fn item(
        &self,
        record: ReleaseRecord,
        sealed: &Sealed,
    ) -> Result<ReleaseItem, ServiceError> {
        let (author, mut grounds) = masked(&sealed.author(), &record.masks);
        let text = match &record.withheld {
            Some(_) => None,
            None => sealed.text(&self.inner.evidence).await?,
        };
        let text = text.map(|text| {
            let (text, found) = masked(&text, &record.masks);
            for (provision, n) in found {
                match grounds.iter_mut().find(|(known, _)| *known == provision) {
                    Some((_, known)) => *known += n,
                    None => grounds.push((provision, n)),
                }
            }
            text
        });
        Ok(ReleaseItem {
            what: sealed.what(),
            when: sealed.when(),
            author,
            no_copy: sealed.withheld().filter(|_| text.is_none()),
            text,
            grounds,
            record,
        })
    }

    /// Sealed records in whose text all these words stand. That it was searched is audited, not for what.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn search_for_release(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
        wanted: &str,
    ) -> Result<Hits, ServiceError> {
        viewer.demand(Act::Release)?;
        let wanted: Vec<_> = wanted.split_whitespace().map(str::to_lowercase).collect();
        if wanted.is_empty() {
            return Ok(Hits::default());
        }
        let store = &self.inner.store;
        let line = viewer.line("release.search", format!("release {id}"));
        store.record_audit(line, self.inner.clock.now()).await?;
        let chosen = store.release_records(id).await?;
        let (mut found, mut before, mut looked) = (Hits::default(), i64::MAX, 0);
        loop {
            let rows = store.records_to_search(before, PAGE).await?;
            let Some((EvidenceId(last), _, _)) = rows.last() else { return Ok(found) };
            (before, looked) = (*last, looked + rows.len());
            for (evidence, case, text) in rows {
                let small = text.to_lowercase();
                if !wanted.iter().all(|word| small.contains(word)) {
                    continue;
                }
                let row = store.evidence(evidence).await?;
                let cut = store.cut_off(row.version).await?;
                // Of what may not be copied only the number is known here.
                if cut == CutOff::Everything {
                    continue;
                }
                if found.hits.len() == MOST_HITS {
                    found.more = true;
                    return Ok(found);
                }
                let chosen = chosen.iter().any(|record| record.evidence == evidence);
                let text: String = text.chars().take(300).collect();
                found.hits.push(Hit { evidence, case, text, chosen });
            }
            if looked >= MOST_LOOKED {
                found.more = true;
                return Ok(found);
            }
        }
    }

    /// Adds records, and all of these cases, with what is proposed to be masked.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing is added then.
    pub async fn add_to_release(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
        records: &[EvidenceId],
        cases: &[CaseId],
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Release)?;
        let inner = &self.inner;
        let mut ids = records.to_vec();
        for case in cases {
            ids.extend(packages::of_case(&inner.store, *case).await?);
        }
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Err(refused("Välj minst en handling, eller skriv ett ärendes nummer."));
        }
        if inner.store.release_records(id).await?.len() + ids.len() > MOST_RECORDS {
            return Err(refused("En begäran rymmer 500 handlingar. Öppna en till för resten."));
        }
        let mut added = Vec::new();
        for evidence in ids {
            let row = inner
                .store
                .evidence(evidence)
                .await
                .map_err(|_| refused(format!("Bevis {evidence} finns inte.")))?;
            let case = inner.store.case_of(row.item).await?;
            let case = case
                .ok_or_else(|| refused(format!("Bevis {evidence} hör inte till något ärende.")))?
                .id;
            let found = sealed(&inner.store, &inner.evidence, row).await?;
            let found = found.ok_or_else(|| {
                refused(format!("Bevis {evidence} är inte säkrat, eller gallrat."))
            })?;
            let text = found.text(&inner.evidence).await?.unwrap_or_default();
            let masks = inner
                .classifier
                .personal(&text)
                .into_iter()
                .map(|phrase| Mask { phrase, provision: String::new() })
                .collect();
            added.push(ReleaseRecord { evidence, case, withheld: None, masks });
        }
        let line = viewer.line("release.add", format!("release {id}"));
        let now = inner.clock.now();
        inner.store.add_to_release(id, viewer.user, added, line, now).await?;
        self.note_log().await;
        Ok(())
    }

    /// Sets what of a record is masked; with `withheld` nothing of its text goes out.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn mask_in_release(
        &self,
        viewer: &Viewer,
        (id, evidence): (ReleaseId, EvidenceId),
        lines: &str,
        provision: &str,
        withheld: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Release)?;
        let withheld = Some(words(withheld, "Lagrummet")?).filter(|words| !is_blank(words));
        let masks = read_masks(lines, provision)?;
        let line = AuditLine {
            detail: Some(format!("bevis {evidence}")),
            ..viewer.line("release.mask", format!("release {id}"))
        };
        let now = self.inner.clock.now();
        Ok(self.inner.store.mask_in_release(id, evidence, withheld, masks, line, now).await?)
    }

    /// Takes a record out of a request.
    ///
    /// # Errors
    /// As [`Services::mask_in_release`].
    pub async fn drop_from_release(
        &self,
        viewer: &Viewer,
        (id, evidence): (ReleaseId, EvidenceId),
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Release)?;
        let line = AuditLine {
            detail: Some(format!("bevis {evidence}")),
            ..viewer.line("release.drop", format!("release {id}"))
        };
        let now = self.inner.clock.now();
        self.inner.store.drop_from_release(id, evidence, viewer.user, line, now).await?;
        self.note_log().await;
        Ok(())
    }

    fn release_path(&self, id: ReleaseId) -> PathBuf {
        self.inner.evidence.folder().join("utlamnanden").join(format!("utlamnande-{id}.pdf"))
    }

    /// The document: a draft while the request is pending, else what was handed out.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn release_document(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
    ) -> Result<Vec<u8>, ServiceError> {
        let (row, items) = self.release_file(viewer, id).await?;
        match &row.ended {
            None => self.release_pdf(&row, &items, None).await,
            Some((_, _, ReleaseOutcome::Released, _)) => {
                let path = self.release_path(id);
                let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
                read.map_err(|e| ServiceError::broken("document", e))?
                    .map_err(|_| ServiceError::NotFound { what: "document" })
            }
            Some(_) => Err(ServiceError::NotFound { what: "document" }),
        }
    }

    async fn release_pdf(
        &self,
        row: &Release,
        items: &[ReleaseItem],
        ended: Option<jiff::Timestamp>,
    ) -> Result<Vec<u8>, ServiceError> {
        let inner = &self.inner;
        let id = row.id;
        let mut facts = vec![
            ("Begäran".to_owned(), format!("Nummer {id}, {}", time(row.opened.0))),
            ("Vad som begärts".to_owned(), row.subject.clone()),
        ];
        if let Some(at) = ended {
            facts.push(("Lämnas ut".to_owned(), time(at)));
        }
        let (mut rows, mut chapters) = (Vec::new(), Vec::new());
        for (n, item) in items.iter().enumerate() {
            let grounds = match (&item.record.withheld, item.no_copy, item.grounds.as_slice()) {
                (Some(provision), _, _) => format!("Texten lämnas inte ut: {provision}"),
                (None, Some(why), _) => why.to_owned(),
                (None, None, []) => "Inget är maskat.".to_owned(),
                (None, None, grounds) => {
                    let told = |(provision, n): &(String, usize)| match n {
                        1 => format!("1 ställe maskat: {provision}"),
                        n => format!("{n} ställen maskade: {provision}"),
                    };
                    grounds.iter().map(told).collect::<Vec<_>>().join("\n")
                }
            };
            let number = (n + 1).to_string();
            rows.push(vec![number.clone(), item.what.clone(), item.when.clone(), grounds.clone()]);
            let evidence = inner.store.evidence(item.record.evidence).await?;
            let place = match sealed(&inner.store, &inner.evidence, evidence).await? {
                Some(sealed) => {
                    let sum = grouped(&sealed.manifest_sha256);
                    Some((masked(&sealed.place(), &item.record.masks).0, sum))
                }
                None => None,
            };
            let mut facts =
                vec![("Av".to_owned(), item.author.clone()), ("När".to_owned(), item.when.clone())];
            if let Some((place, sum)) = place {
                facts.push(("Var".to_owned(), place));
                facts.push(("Myndighetens försegling (SHA-256)".to_owned(), sum));
            }
            facts.push(("Maskerat".to_owned(), grounds));
            chapters.push(Chapter {
                title: format!("{number}. {}", item.what),
                facts,
                passages: vec![Passage {
                    title: "Texten".into(),
                    notes: Vec::new(),
                    text: item.text.clone(),
                }],
                picture: None,
            });
        }
        let mut notes = vec![
            "Ord som omfattas av sekretess är utbytta mot [maskat]. Vid varje handling står på vilket lagrum.".to_owned(),
            "Bilder, bilagor och tråden runt ett inlägg ingår inte i det här dokumentet. Säg till om du vill ha dem.".to_owned(),
            "Är något maskat eller undantaget kan du begära ett skriftligt beslut av myndigheten, som kan överklagas (tryckfrihetsförordningen 2 kap. 19 §).".to_owned(),
        ];
        if ended.is_none() {
            notes.insert(0, "UTKAST. Inte utlämnat.".to_owned());
        }
        rendered(Dossier {
            title: format!("Utlämnande av allmän handling, begäran {id}"),
            authority: inner.settings.authority.clone(),
            at: ended.unwrap_or(row.opened.0),
            ident: format!("utlamnande/{id}/{}", ended.map_or(0, jiff::Timestamp::as_millisecond)),
            heading: "Begäran",
            facts,
            notes,
            columns: vec!["Nr", "Handling", "När", "Maskerat"],
            rows,
            chapters,
        })
        .await
    }

    /// Ends a request. Where records are handed out, the document is made, kept, and an event on each.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing is ended then.
    pub async fn end_release(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
        outcome: ReleaseOutcome,
        how: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Release)?;
        let how = reason(how)?;
        let (row, items) = self.release_file(viewer, id).await?;
        if row.ended.is_some() {
            return Err(refused("Begäran är redan avslutad."));
        }
        let inner = &self.inner;
        let now = inner.clock.now();
        let mut pdf = None;
        if outcome == ReleaseOutcome::Released {
            if items.is_empty() {
                return Err(refused("Begäran har inga handlingar att lämna ut."));
            }
            let lacks = |item: &&ReleaseItem| {
                item.record.withheld.is_none()
                    && item.record.masks.iter().any(|mask| mask.provision.is_empty())
            };
            if let Some(item) = items.iter().find(lacks) {
                return Err(refused(format!(
                    "Bevis {} har maskeringar utan lagrum. Ange lagrum, eller ta bort raderna om uppgifterna ska lämnas ut.",
                    item.record.evidence
                )));
            }
            let bytes = self.release_pdf(&row, &items, Some(now)).await?;
            pdf = Some(ContentHash::of(&bytes));
            let path = self.release_path(id);
            // Before the row, so that no row is without its document.
            tokio::task::spawn_blocking(move || private::replace(&path, &bytes))
                .await
                .map_err(|e| ServiceError::broken("document", e))?
                .map_err(|e| ServiceError::broken("document", e))?;
            for item in &items {
                let subject = format!("evidence {}", item.record.evidence);
                let line = AuditLine {
                    detail: Some(format!("begäran {id}")),
                    ..viewer.line(CustodyAct::Release.id(), subject)
                };
                inner.store.record_audit(line, now).await?;
            }
        }
        let end = EndOfRelease {
            release: id,
            user: viewer.user,
            outcome,
            words: how,
            pdf,
            records: items.into_iter().map(|item| item.record).collect(),
        };
        let line = viewer.line("release.end", format!("release {id}"));
        inner.store.end_release(end, line, now).await?;
        self.note_log().await;
        tracing::info!(release.id = %id, user.id = %viewer.user, outcome = outcome.id(), "a request for records ended");
        Ok(())
    }
}
