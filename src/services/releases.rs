//! Handing out public records (*utlämnande av allmän handling*): a request, the records that it is about, what is
//! masked on which ground, and the document that goes out. Who asks need never say who they are
//! (tryckfrihetsförordningen 2 kap. 18 §), and what a pending request touches is exempt from disposal.

mod ready;

use crate::classify::fold::table::latin as look_alike;
use crate::domain::custody::CustodyAct;
use crate::domain::dossier::{Chapter, Dossier, Passage};
use crate::domain::ids::{CaseId, EvidenceId};
use crate::domain::person::Act;
use crate::domain::release::{
    MASKED, Mask, Release, ReleaseId, ReleaseOutcome, ReleaseRecord, masked, stands_in,
};
use crate::domain::text::is_blank;
use crate::store::rows::{AuditLine, EvidenceState};
use crate::store::sqlite::releases::EndOfRelease;

use super::archive::broken;
use super::corrections::{SHORTEST_REASON, reason, words};
use super::dossiers::{Sealed, grouped, rendered, sealed, time};
use super::secrecy::stamp_of;
use super::{ServiceError, Services, Viewer, packages};

use ready::{ready, sensitive};

/// Requests on the page.
const ON_PAGE: u32 = 200;
/// Texts of a search that are shown.
const MOST_HITS: u32 = 50;
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
    /// The author as they would go out.
    pub author: String,
    /// Where it stands, as it would go out.
    pub place: String,
    /// The text as it would go out; none where it does not.
    pub text: Option<String>,
    /// Why not, where the text may not be copied at all.
    pub no_copy: Option<&'static str>,
    /// How often what is masked on which ground.
    pub grounds: Vec<(String, usize)>,
    /// Phrases that are to be masked and stand nowhere in it.
    pub nowhere: Vec<String>,
    /// Our seal: the manifest's hash.
    pub seal: String,
    /// The secrecy mark of its case, in words. Each request is tried by itself all the same.
    pub secrecy: Option<String>,
    /// What is masked in it, and all that its author is called where the sender does not go out.
    hidden: Vec<Mask>,
}

impl ReleaseItem {
    fn without_content(record: ReleaseRecord, what: &str) -> Self {
        Self {
            record,
            what: what.to_owned(),
            when: String::new(),
            author: String::new(),
            place: String::new(),
            text: None,
            no_copy: None,
            grounds: Vec::new(),
            nowhere: Vec::new(),
            seal: String::new(),
            secrecy: None,
            hidden: Vec::new(),
        }
    }

    /// Nothing of it goes out.
    pub fn is_withheld(&self) -> bool {
        self.record.withheld.is_some() || self.no_copy.is_some() || self.text.is_none()
    }
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
        let mut records = inner.store.release_records(id).await?;
        let mut shut = Vec::new();
        for record in &mut records {
            if !self.is_open_to(viewer, record.case).await? {
                // Phrases that are masked are the secret itself.
                record.masks.clear();
                shut.push(record.evidence);
            }
        }
        let shown = |record: &ReleaseRecord| {
            viewer.line(CustodyAct::OpenRecord.id(), format!("evidence {}", record.evidence))
        };
        let open = records.iter().filter(|record| !shut.contains(&record.evidence));
        inner.store.record_audits(open.map(shown).collect(), inner.clock.now()).await?;
        let mut items = Vec::with_capacity(records.len());
        for record in records {
            if shut.contains(&record.evidence) {
                let what = "Sekretess: visas för dem som får öppna ärendet.";
                items.push(ReleaseItem::without_content(record, what));
                continue;
            }
            let evidence = inner.store.evidence(record.evidence).await?;
            items.push(match sealed(&inner.store, &inner.evidence, evidence).await? {
                Some(sealed) => self.item(record, &sealed).await?,
                None => ReleaseItem::without_content(record, "Innehållet är gallrat."),
            });
        }
        Ok((row, items))
    }

    async fn item(
        &self,
        record: ReleaseRecord,
        sealed: &Sealed,
    ) -> Result<ReleaseItem, ServiceError> {
        let whole = sealed.text(&self.inner.evidence).await?;
        let (name, link) = (sealed.author(), sealed.place());
        let stands = |mask: &&Mask| {
            let texts = [Some(name.as_str()), Some(link.as_str()), whole.as_deref()];
            texts.into_iter().flatten().any(|text| stands_in(text, &mask.phrase, look_alike))
        };
        // What does not go out needs no masks.
        let is_open = record.withheld.is_none() && whole.is_some();
        let nowhere = record.masks.iter().filter(|mask| is_open && !stands(mask));
        let nowhere = nowhere.map(|mask| mask.phrase.clone()).collect();
        let mut hidden = record.masks.clone();
        // Where the name is struck out, so is all else that tells who it is: an id leads to the person, too.
        let struck = record.masks.iter().find(|mask| stands_in(&name, &mask.phrase, look_alike));
        let unnamed = record.sender_withheld.clone().or_else(|| Some(struck?.provision.clone()));
        if let Some(provision) = &unnamed {
            let named = |phrase| Mask { phrase, provision: provision.clone() };
            hidden.extend(sealed.identity().into_iter().map(named));
        }
        let mut grounds: Vec<(String, usize)> = Vec::new();
        let mut count = |found: Vec<(String, usize)>| {
            for (provision, n) in found {
                match grounds.iter_mut().find(|(known, _)| *known == provision) {
                    Some((_, known)) => *known += n,
                    None => grounds.push((provision, n)),
                }
            }
        };
        let text = whole.filter(|_| record.withheld.is_none()).map(|text| {
            let (text, found) = masked(&text, &hidden, look_alike);
            count(found);
            text
        });
        let sender_goes = unnamed.is_none() && !sealed.is_barred();
        let author = if sender_goes { name } else { MASKED.to_owned() };
        if let Some(provision) = &unnamed {
            count(vec![(provision.clone(), 1)]);
        }
        // Whoever follows the link reads what was masked.
        let place = match (sender_goes, text.is_some() && grounds.is_empty()) {
            (true, true) => link,
            (true, false) => {
                "Länken lämnas inte ut, eftersom den leder till det som är maskat.".into()
            }
            (false, _) => MASKED.to_owned(),
        };
        Ok(ReleaseItem {
            what: sealed.what(),
            when: sealed.when(),
            author,
            place,
            no_copy: sealed.withheld().filter(|_| sealed.is_barred()),
            text,
            grounds,
            nowhere,
            seal: grouped(&sealed.manifest_sha256),
            secrecy: stamp_of(&self.inner.store, record.case, self.authority()).await?,
            hidden,
            record,
        })
    }

    /// Sealed records in whose text all these words stand: the same search as everybody's, masked and audited
    /// as that one is.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] with what to change.
    pub async fn search_for_release(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
        wanted: &str,
    ) -> Result<Hits, ServiceError> {
        viewer.demand(Act::Release)?;
        if is_blank(wanted) {
            return Ok(Hits::default());
        }
        let store = &self.inner.store;
        let (rows, more) = self.texts_with(wanted, MOST_HITS, self.shut_to(viewer).await?).await?;
        let mut line = viewer.line("release.search", format!("release {id}"));
        line.detail = Some(self.classifier().masked(wanted.trim()).into_owned());
        store.record_audit(line, self.inner.clock.now()).await?;
        let chosen = store.release_records(id).await?;
        let mut found = Hits { hits: Vec::new(), more };
        for (version, case, text) in rows {
            let Some(row) = store.evidence_of(version).await? else { continue };
            if matches!(row.state, EvidenceState::Sealed { .. }) {
                let chosen = chosen.iter().any(|record| record.evidence == row.id);
                found.hits.push(Hit { evidence: row.id, case, text, chosen });
            }
        }
        Ok(found)
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
            ids.extend(packages::wordings_of_case(&inner.store, *case).await?);
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
            self.demand_open(viewer, case).await?;
            let found = sealed(&inner.store, &inner.evidence, row).await?;
            let found = found.ok_or_else(|| {
                refused(format!("Bevis {evidence} är inte säkrat, eller gallrat."))
            })?;
            let text = found.text(&inner.evidence).await?.unwrap_or_default();
            let mut phrases = self.classifier().personal(&text);
            for phrase in sensitive(&found.manifest, &text) {
                if !phrases.contains(&phrase) {
                    phrases.push(phrase);
                }
            }
            let proposed = |phrase| Mask { phrase, provision: String::new() };
            let masks = phrases.into_iter().map(proposed).take(MOST_MASKS).collect();
            added.push(ReleaseRecord {
                evidence,
                case,
                withheld: None,
                sender_withheld: None,
                masks,
            });
        }
        let line = viewer.line("release.add", format!("release {id}"));
        let now = inner.clock.now();
        inner.store.add_to_release(id, viewer.user, added, line, now).await?;
        self.note_log().await;
        Ok(())
    }

    /// Sets what of a record is masked; with `withheld` nothing of its text goes out, with `sender` neither who
    /// sent it nor the link.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn mask_in_release(
        &self,
        viewer: &Viewer,
        (id, evidence): (ReleaseId, EvidenceId),
        (lines, provision): (&str, &str),
        withheld: &str,
        sender: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Release)?;
        self.demand_all_open(viewer, id, Some(evidence)).await?;
        let withheld = Some(words(withheld, "Lagrummet")?).filter(|words| !is_blank(words));
        let sender = Some(words(sender, "Lagrummet")?).filter(|words| !is_blank(words));
        let masks = read_masks(lines, provision)?;
        let line = AuditLine {
            detail: Some(format!("bevis {evidence}")),
            ..viewer.line("release.mask", format!("release {id}"))
        };
        let now = self.inner.clock.now();
        Ok(self
            .inner
            .store
            .mask_in_release(id, evidence, (withheld, sender), masks, line, now)
            .await?)
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

    /// The document: a draft while the request is pending, else what was handed out.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with why it cannot be had any more.
    pub async fn release_document(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
    ) -> Result<Vec<u8>, ServiceError> {
        viewer.demand(Act::Release)?;
        let inner = &self.inner;
        let row = inner.store.release(id).await?;
        if row.ended.is_none() {
            self.demand_all_open(viewer, id, None).await?;
            let (row, items) = self.release_file(viewer, id).await?;
            return self.release_pdf(&row, &items, None).await;
        }
        let Some(pdf) = row.pdf else { return Err(ServiceError::NotFound { what: "document" }) };
        let line = viewer.line("release.fetch", format!("release {id}"));
        inner.store.record_audit(line, inner.clock.now()).await?;
        match inner.store.release_now(id).await? {
            (true, _) => Err(refused(
                "Dokumentet är förstört, eftersom något av det som lämnades ut har gallrats sedan dess.",
            )),
            (false, true) => Err(refused(
                "Dokumentet kan inte hämtas: något i det får inte längre kopieras. Kontakta den som ansvarar för kontot.",
            )),
            (false, false) => match inner.evidence.handed_out(id, pdf).await.map_err(broken)? {
                Some(bytes) => Ok(bytes),
                None => Err(ServiceError::Damaged {
                    why: "Dokumentet saknas, eller är inte längre det som lämnades ut. Kör uppsikt evidence verify och återställ mappen utlamnanden från en säkerhetskopia.".into(),
                }),
            },
        }
    }

    /// Refuses whoever may not open one of the records, or this one: nobody decides on what they may not read.
    async fn demand_all_open(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
        only: Option<EvidenceId>,
    ) -> Result<(), ServiceError> {
        for record in self.inner.store.release_records(id).await? {
            if only.is_none_or(|only| only == record.evidence) {
                self.demand_open(viewer, record.case).await?;
            }
        }
        Ok(())
    }

    async fn release_pdf(
        &self,
        row: &Release,
        items: &[ReleaseItem],
        ended: Option<jiff::Timestamp>,
    ) -> Result<Vec<u8>, ServiceError> {
        let id = row.id;
        let hidden: Vec<Mask> = items.iter().flat_map(|item| item.hidden.iter().cloned()).collect();
        let mut facts = vec![
            ("Begäran".to_owned(), format!("Nummer {id}, {}", time(row.opened.0))),
            // Who asks for what is written about somebody names them.
            ("Vad som begärts".to_owned(), masked(&row.subject, &hidden, look_alike).0),
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
            let mut facts = vec![
                ("Av".to_owned(), item.author.clone()),
                ("När".to_owned(), item.when.clone()),
                ("Var".to_owned(), item.place.clone()),
            ];
            if !item.seal.is_empty() {
                facts.push(("Myndighetens försegling (SHA-256)".to_owned(), item.seal.clone()));
            }
            if let Some(stamp) = &item.secrecy {
                facts.push(("Sekretessmarkering hos myndigheten".to_owned(), stamp.clone()));
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
                pictures: Vec::new(),
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
            authority: self.inner.settings.authority.clone(),
            at: ended.unwrap_or(row.opened.0),
            ident: format!("utlamnande/{id}/{}", ended.map_or(0, jiff::Timestamp::as_millisecond)),
            heading: "Begäran",
            facts,
            notes,
            columns: vec!["Nr", "Handling", "När", "Maskerat"],
            rows,
            chapters,
            files: Vec::new(),
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
        self.end_tried_release(viewer, id, outcome, how, false).await
    }

    /// The same; `secrecy_tried` says that marked records of which nothing is masked were tried, and may go out.
    ///
    /// # Errors
    /// As [`Self::end_release`].
    pub async fn end_tried_release(
        &self,
        viewer: &Viewer,
        id: ReleaseId,
        outcome: ReleaseOutcome,
        how: &str,
        secrecy_tried: bool,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Release)?;
        if how.trim().chars().count() < SHORTEST_REASON {
            return Err(refused("Skriv med några ord hur det lämnades ut, eller varför inte."));
        }
        let how = reason(how)?;
        self.demand_all_open(viewer, id, None).await?;
        let _ending = self.inner.ending.lock().await;
        let (row, items) = self.release_file(viewer, id).await?;
        if row.ended.is_some() {
            return Err(refused("Begäran är redan avslutad."));
        }
        let inner = &self.inner;
        let now = inner.clock.now();
        let (mut pdf, mut lines, mut handed_out) = (None, Vec::new(), Vec::new());
        if outcome == ReleaseOutcome::Released {
            ready(&items, secrecy_tried)?;
            let bytes = self.release_pdf(&row, &items, Some(now)).await?;
            // Before the row, so that no row is without its document.
            pdf = Some(inner.evidence.keep_handed_out(id, bytes).await.map_err(broken)?);
            for item in items.iter().filter(|item| !item.is_withheld()) {
                handed_out.push(item.record.evidence);
                let subject = format!("evidence {}", item.record.evidence);
                let tried = match item.secrecy {
                    Some(_) if item.grounds.is_empty() => ", sekretessen prövad",
                    Some(_) | None => "",
                };
                lines.push(AuditLine {
                    detail: Some(format!("begäran {id}{tried}")),
                    ..viewer.line(CustodyAct::Release.id(), subject)
                });
            }
        }
        let mut salt = [0; 32];
        getrandom::fill(&mut salt)
            .map_err(|e| ServiceError::broken("random number", std::io::Error::other(e)))?;
        let end = EndOfRelease {
            release: id,
            user: viewer.user,
            outcome,
            words: how,
            pdf,
            records: items.into_iter().map(|item| item.record).collect(),
            handed_out,
            lines,
            salt,
        };
        let line = viewer.line("release.end", format!("release {id}"));
        let done = inner.store.end_release(end, line, now).await;
        // A document that was made for nothing, here or at an attempt that was cut off, is no copy to keep.
        let kept = inner.store.release(id).await?.pdf;
        inner.evidence.destroy_handed_out(id, kept).await.map_err(broken)?;
        done?;
        self.note_log().await;
        tracing::info!(release.id = %id, user.id = %viewer.user, outcome = outcome.id(), "a request for records ended");
        Ok(())
    }
}
