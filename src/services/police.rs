//! Reports to the police: the bundle, the short form, and the manager's decision whether to report.

use crate::domain::custody::CustodyAct;
use crate::domain::dossier::{Dossier, Fact};
use crate::domain::ground::Ground;
use crate::domain::ids::{CaseId, VersionId};
use crate::domain::person::Act;
use crate::domain::police::{Crime, PoliceDecision};
use crate::domain::text::is_blank;
use crate::evidence::EvidenceStore;
use crate::store::Store;
use crate::store::rows::AuditLine;
use crate::store::sqlite::police::NewPoliceDecision;

use super::case_sheet::done;
use super::corrections::{reason, words};
use super::dossiers::{Sealed, grouped, rendered, sealed, time};
use super::secrecy::stamp_of;
use super::{Change, ServiceError, Services, Viewer};

/// What stands in the short form and on the page.
#[derive(Clone)]
pub struct PoliceFile {
    /// The case.
    pub case: CaseId,
    /// The short form: what, when, where, ground, evidence.
    pub form: Vec<Fact>,
    /// The wording that stands there now.
    pub version: VersionId,
    /// Crimes to choose among, the suggested ones first.
    pub crimes: Vec<Crime>,
    /// How many of them are suggested, by findings or a decision.
    pub n_suggested: usize,
    /// Decisions so far, oldest first.
    pub decisions: Vec<PoliceDecision>,
    /// Whether the viewer may decide.
    pub may_decide: bool,
    /// Nothing of the content may be copied (regulation 2.2).
    pub no_copy: bool,
}

/// A decision as a person made it.
#[derive(Clone, Debug)]
pub struct PoliceChoice {
    /// The wording that was shown.
    pub version: VersionId,
    /// How many decisions were shown.
    pub n_before: usize,
    /// Whether it is reported.
    pub reported: bool,
    /// The crime's code.
    pub crime: String,
    /// Who was hurt, and what they want; may be empty.
    pub injured: String,
    /// Why.
    pub reason: String,
}

/// Crimes that the findings or the decision suggest.
async fn suggested(store: &Store, case: CaseId) -> Result<Vec<Crime>, ServiceError> {
    let row = store.case(case).await?;
    let mut grounds = Vec::new();
    for decision in store.decisions_on(case).await? {
        grounds.extend(decision.ground.filter(|_| decision.undone_at.is_none()));
    }
    if store.item(row.item).await?.no_copy {
        grounds.push(Ground::ChildAbuse);
    }
    if let Some(verdict) = store.version(row.version).await?.verdict {
        for finding in &verdict.findings {
            grounds.extend(Ground::suggested_by(finding.category));
        }
    }
    let mut crimes = Vec::new();
    for crime in grounds.into_iter().flat_map(Crime::suggested_by) {
        if !crimes.contains(&crime) {
            crimes.push(crime);
        }
    }
    Ok(crimes)
}

/// The case's sealed records, oldest first.
async fn records(
    store: &Store,
    evidence: &EvidenceStore,
    case: CaseId,
) -> Result<Vec<Sealed>, ServiceError> {
    let row = store.case(case).await?;
    let mut found = Vec::new();
    for version in store.versions_of(row.item).await? {
        if let Some(row) = store.evidence_of(version.id).await? {
            found.extend(sealed(store, evidence, row).await?);
        }
    }
    match found.is_empty() {
        false => Ok(found),
        true => Err(ServiceError::Refused {
            why: format!("Ärende {case} har inget säkrat bevis än. Vänta tills beviset är säkrat."),
        }),
    }
}

/// The short form.
async fn form(
    store: &Store,
    authority: &str,
    case: CaseId,
    records: &[Sealed],
    crimes: &[Crime],
    decisions: &[PoliceDecision],
) -> Result<Vec<Fact>, ServiceError> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut fact = |label: &str, value: String| facts.push((label.to_owned(), value));
    fact("Anmälare", authority.to_owned());
    fact("Ärende hos oss", case.to_string());
    let Some(last) = records.last() else { return Ok(facts) };
    fact("Vad", last.what());
    fact("När", last.when());
    fact("Var", last.place());
    fact("Av vem, som plattformen visar det", last.author());
    let decision = decisions.last();
    let crime = |crime: &Crime| format!("{}, {}", crime.label(), crime.statute());
    fact(
        "Brott som det kan vara",
        match decision {
            Some(decision) => crime(&decision.crime),
            None if crimes.is_empty() => "Inte bedömt än.".into(),
            None => crimes.iter().map(crime).collect::<Vec<_>>().join("\n"),
        },
    );
    let asks = decision
        .map_or(crimes.iter().any(|crime| crime.asks_injured()), |d| d.crime.asks_injured());
    match decision.and_then(|decision| decision.injured.clone()) {
        Some(injured) => fact("Målsägande", injured),
        None if asks => fact(
            "Målsägande",
            "Inte uppgivet. För det här brottet har det betydelse vem som drabbats och om den vill att det anmäls.".into(),
        ),
        None => {}
    }
    fact(
        "Beslut",
        match decision {
            Some(d) => format!(
                "{} av {} {}. Skäl: {}",
                if d.reported { "Anmäls" } else { "Anmäls inte" },
                d.by,
                time(d.at),
                d.reason
            ),
            None => "Inget beslut är fattat om anmälan.".into(),
        },
    );
    let item = store.item(store.case(case).await?.item).await?;
    fact(
        "Synlighet nu, så vitt vi vet",
        format!("{} ({})", item.presence.label(), time(item.presence_at)),
    );
    let seals: Vec<_> = records
        .iter()
        .map(|r| {
            let sum = grouped(&r.manifest_sha256);
            format!(
                "Bevis {}, förseglat {}, plats {} i loggen: {sum}",
                r.row.id,
                time(r.manifest.sealed_at),
                r.log_seq
            )
        })
        .collect();
    fact("Bevisens försegling (SHA-256)", seals.join("\n"));
    Ok(facts)
}

const NOTES: &[&str] = &[
    "Underlaget återger vad myndigheten har säkrat från plattformen, eller vad någon har lagt in för hand där det står så. Uppgifter om författare och tid är plattformens egna eller de som uppgavs; hämtning och försegling är våra.",
    PACKAGES,
];

/// Where the rest is.
const PACKAGES: &str = "Varje bevis finns som paket med plattformens svar i original, kontrollsummor, underskrift och en text om hur allt kontrolleras utan vårt program. Be oss om paketet och ange bevisets nummer.";

/// What is said where pictures stand blurred.
const BLURRED: &str = "Bilder som kan visa våld eller sexuellt innehåll står suddade i texten. De osuddade ligger som bifogade filer i den här PDF-filen, byte för byte som de säkrades.";

/// What stands in place of content that may not be copied.
const NO_COPY: &str = "Innehållet misstänks vara barnpornografibrott och får inte kopieras. Här finns bara uppgifter om det. Ring polisen på 114 14 och följ deras anvisning om materialet.";

/// Makes the bundle of a case: the short form, an index and a chapter for each of its sealed records. `line` is
/// noted on each of them.
///
/// # Errors
/// [`ServiceError::Refused`] where nothing is sealed.
pub async fn bundle(
    store: &Store,
    evidence: &EvidenceStore,
    authority: &str,
    case: CaseId,
    line: AuditLine,
    now: jiff::Timestamp,
) -> Result<Vec<u8>, ServiceError> {
    let records = records(store, evidence, case).await?;
    let crimes = suggested(store, case).await?;
    let decisions = store.police_decisions(case).await?;
    let facts = form(store, authority, case, &records, &crimes, &decisions).await?;
    let (mut rows, mut chapters, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let mut notes: Vec<String> = NOTES.iter().map(|&note| note.to_owned()).collect();
    for record in &records {
        // Before anything leaves, so that no copy is without its event.
        let subject = format!("evidence {}", record.row.id);
        store.record_audit(AuditLine { subject, ..line.clone() }, now).await?;
        rows.push(vec![
            record.row.id.to_string(),
            record.what(),
            record.when(),
            record.place(),
            grouped(&record.manifest_sha256),
        ]);
        let (chapter, originals) = record.chapter(evidence).await?;
        chapters.push(chapter);
        files.extend(originals);
        // Suspected meanwhile: what is in already cannot be taken out.
        if store.cut_off(record.row.version).await? != record.cut {
            return Err(ServiceError::Conflict {
                why: "Inlägget spärrades mot kopiering medan underlaget gjordes. Försök igen."
                    .into(),
            });
        }
    }
    if !files.is_empty() {
        notes.push(BLURRED.to_owned());
    }
    if store.item(store.case(case).await?.item).await?.no_copy {
        // Nobody is to ask us for what may not be copied.
        notes.retain(|note| note != PACKAGES);
        notes.insert(0, NO_COPY.to_owned());
    }
    if let Some(stamp) = stamp_of(store, case, authority).await? {
        notes.insert(0, stamp);
    }
    let decided = store.decisions_on(case).await?;
    chapters.push(done(&decided, &store.actions_on(case).await?, &[]));
    let newest = decisions.last().map(|decision| decision.at);
    let newest =
        newest.max(decided.last().map(|decision| decision.undone_at.unwrap_or(decision.at)));
    let at = records.iter().map(|record| record.manifest.sealed_at).chain(newest).max();
    rendered(Dossier {
        title: format!("Underlag till polisanmälan, ärende {case}"),
        authority: authority.to_owned(),
        at: at.unwrap_or(now),
        ident: format!("polis/{case}/{}", decisions.len()),
        heading: "I korthet",
        facts,
        notes,
        columns: vec!["Bevis", "Vad", "När", "Var", "Försegling", "Sida"],
        rows,
        chapters,
        files,
    })
    .await
}

/// The short form of a case as text, for the command line. It shows who wrote what, so `line` is noted first.
///
/// # Errors
/// As [`bundle`].
pub async fn short_form(
    store: &Store,
    evidence: &EvidenceStore,
    authority: &str,
    case: CaseId,
    line: AuditLine,
    now: jiff::Timestamp,
) -> Result<Vec<Fact>, ServiceError> {
    store.record_audit(line, now).await?;
    let records = records(store, evidence, case).await?;
    let crimes = suggested(store, case).await?;
    let decisions = store.police_decisions(case).await?;
    form(store, authority, case, &records, &crimes, &decisions).await
}

impl Services {
    /// What a report about a case would say, and what was decided.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] where nothing is sealed.
    pub async fn police_file(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<PoliceFile, ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        self.demand_open(viewer, case).await?;
        let (store, now) = (&self.inner.store, self.inner.clock.now());
        let line = viewer.line(CustodyAct::OpenCase.id(), format!("case {case}"));
        store.record_audit(line, now).await?;
        // Before what is shown of it: where it changes meanwhile, the decision is refused.
        let row = store.case(case).await?;
        let records = records(store, &self.inner.evidence, case).await?;
        let mut crimes = suggested(store, case).await?;
        let decisions = store.police_decisions(case).await?;
        let authority = &self.inner.settings.authority;
        let form = form(store, authority, case, &records, &crimes, &decisions).await?;
        let n_suggested = crimes.len();
        let rest = Crime::ALL.iter().copied();
        crimes.extend(rest.filter(|crime| !crimes.contains(crime)).collect::<Vec<_>>());
        let no_copy = store.item(row.item).await?.no_copy;
        Ok(PoliceFile {
            case,
            form,
            version: row.version,
            crimes,
            n_suggested,
            decisions,
            may_decide: viewer.may(Act::DecidePoliceReport),
            no_copy,
        })
    }

    /// The bundle for the police as PDF/A. An event on each record in it.
    ///
    /// # Errors
    /// As [`Services::police_file`].
    pub async fn police_bundle(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<Vec<u8>, ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        let inner = &self.inner;
        self.demand_page_open(viewer, inner.store.case(case).await?.item).await?;
        let line = viewer.line(CustodyAct::PoliceBundle.id(), String::new());
        let authority = &inner.settings.authority;
        bundle(&inner.store, &inner.evidence, authority, case, line, inner.clock.now()).await
    }

    /// Exempts from disposal what was reported to the police before such a decision did so by itself. To be called
    /// at the start.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn hold_reported(&self) -> Result<(), ServiceError> {
        let line = AuditLine {
            user: None,
            user_name: "Uppsikt".into(),
            act: CustodyAct::Exempt.id(),
            subject: String::new(),
            address: "lokalt".into(),
            detail: None,
        };
        let n = self.inner.store.hold_reported(line, self.inner.clock.now()).await?;
        if n > 0 {
            self.note_log().await;
            tracing::info!(
                n_cases = n,
                "cases that were reported to the police are exempt from disposal"
            );
        }
        Ok(())
    }

    /// Decides whether to report to the police. The reason is kept, and the log holds it.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] with words for the person.
    pub async fn decide_police(
        &self,
        viewer: &Viewer,
        case: CaseId,
        choice: &PoliceChoice,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::DecidePoliceReport)?;
        self.demand_open(viewer, case).await?;
        let why = reason(&choice.reason)?;
        let crime = Crime::from_code(&choice.crime).ok_or_else(|| ServiceError::Refused {
            why: "Välj det brott som anmälan gäller.".into(),
        })?;
        let injured = Some(words(&choice.injured, "Uppgiften om målsägande")?);
        let injured = injured.filter(|injured| !is_blank(injured));
        // A decision rests on what is sealed.
        records(&self.inner.store, &self.inner.evidence, case).await?;
        let line = viewer.line("case.police", format!("case {case}"));
        let new = NewPoliceDecision {
            case,
            user: viewer.user,
            version: choice.version,
            n_before: choice.n_before,
            reported: choice.reported,
            crime,
            injured,
            reason: why,
        };
        self.inner.store.decide_police(new, line, self.inner.clock.now()).await?;
        self.note_log().await;
        tracing::info!(case.id = %case, user.id = %viewer.user, reported = choice.reported, "decided about a report to the police");
        self.tell(Change::Case(case));
        Ok(())
    }
}
