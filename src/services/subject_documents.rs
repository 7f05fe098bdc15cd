//! The document that a request about personal data ends with: PDF/A, and where it is about very much, several of them in a
//! zip, each with the answer and how to appeal.

use jiff::Timestamp;

use crate::domain::calendar::local;
use crate::domain::dossier::{Chapter, Dossier, Fact, Passage};
use crate::domain::subject::{SubjectKind, SubjectOutcome, SubjectRequest};

use super::dossiers::{rendered, time};
use super::registration::zip_of;
use super::subjects::{SubjectFile, Told};
use super::{ServiceError, Services};

/// Items in one document: more are several hundred pages.
const IN_ONE: usize = 500;

/// One of the documents.
struct Volume<'a> {
    items: &'a [Told],
    /// Items in those before it.
    before: usize,
    /// Which it is, from 1.
    number: usize,
    /// How many there are.
    of: usize,
}

impl Services {
    /// The document, or a zip of them.
    pub(super) async fn subject_answer(
        &self,
        file: &SubjectFile,
        answer: (SubjectOutcome, &str),
        now: Timestamp,
    ) -> Result<Vec<u8>, ServiceError> {
        self.subject_volumes(file, answer, now, IN_ONE).await
    }

    pub(super) async fn subject_volumes(
        &self,
        file: &SubjectFile,
        answer: (SubjectOutcome, &str),
        now: Timestamp,
        in_one: usize,
    ) -> Result<Vec<u8>, ServiceError> {
        let all = &file.items;
        let of = all.len().div_ceil(in_one).max(1);
        let volume = |n: usize| {
            let (from, to) = (n * in_one, all.len().min((n + 1) * in_one));
            Volume { items: &all[from..to], before: from, number: n + 1, of }
        };
        if of == 1 {
            return self.subject_pdf(file, volume(0), answer, now).await;
        }
        let mut files = Vec::with_capacity(of);
        for n in 0..of {
            let pdf = self.subject_pdf(file, volume(n), answer, now).await?;
            files.push((format!("begaran-{}-del-{}-av-{of}.pdf", file.row.id, n + 1), pdf));
        }
        let packed = tokio::task::spawn_blocking(move || zip_of(&files)).await;
        let broken = |e| ServiceError::broken("answer about personal data", e);
        packed.map_err(|e| ServiceError::broken("answer about personal data", e))?.map_err(broken)
    }

    async fn subject_pdf(
        &self,
        file: &SubjectFile,
        volume: Volume<'_>,
        (outcome, answer): (SubjectOutcome, &str),
        now: Timestamp,
    ) -> Result<Vec<u8>, ServiceError> {
        let SubjectRequest { id, kind, received_at, .. } = file.row;
        let authority = self.authority();
        let title = match kind {
            SubjectKind::Access => format!("Registerutdrag, begäran {id}"),
            SubjectKind::Rectification => format!("Beslut om rättelse, begäran {id}"),
            SubjectKind::Erasure => format!("Beslut om radering, begäran {id}"),
        };
        let title = match volume.of {
            1 => title,
            of => format!("{title}, del {} av {of}", volume.number),
        };
        let mut facts: Vec<Fact> = vec![
            ("Personuppgiftsansvarig".into(), authority.to_owned()),
            (
                "Begäran".into(),
                format!(
                    "Om {} ({}), kom in {}",
                    kind.label(),
                    kind.article(),
                    local(received_at).date()
                ),
            ),
            ("Beslut".into(), format!("Begäran är {}. {}", outcome.label(), local(now).date())),
        ];
        if let Some(whom) = &file.row.whom {
            facts.push(("Sökt efter".into(), whom.replace('\n', ", ")));
        }
        let mut notes = vec![answer.to_owned()];
        notes.extend(notes_for(kind, authority));
        let (mut rows, mut chapters) = (Vec::new(), Vec::new());
        for (n, told) in volume.items.iter().enumerate() {
            let number = (volume.before + n + 1).to_string();
            let part = if told.wrote { "skrivet av dig" } else { "du kan vara nämnd" };
            let decided = match kind {
                SubjectKind::Access => part.to_owned(),
                SubjectKind::Rectification => match &told.note {
                    Some(_) => "en anteckning har fogats till handlingen".to_owned(),
                    None => "ändras inte".to_owned(),
                },
                SubjectKind::Erasure if told.erasure.0 => "gallras".to_owned(),
                SubjectKind::Erasure => "gallras inte".to_owned(),
            };
            rows.push(vec![number.clone(), told.what.clone(), decided]);
            let mut passages = Vec::new();
            let no_text = "Innehållet är gallrat, eller får inte kopieras.".to_owned();
            passages.push(Passage {
                title: "Texten".into(),
                notes: told.text.is_none().then_some(no_text).into_iter().collect(),
                text: told.text.clone(),
            });
            for (at, text) in &told.before {
                passages.push(Passage {
                    title: format!("Tidigare lydelse, hämtad {}", time(*at)),
                    notes: Vec::new(),
                    text: Some(text.clone()),
                });
            }
            if let Some(note) = &told.note {
                passages.push(Passage {
                    title: "Anteckning om vad du anser vara fel".into(),
                    notes: Vec::new(),
                    text: Some(note.clone()),
                });
            }
            if kind == SubjectKind::Erasure {
                passages.push(Passage {
                    title: "Skäl".into(),
                    notes: vec![told.erasure.1.clone()],
                    text: None,
                });
            }
            let title = format!("{number}. {}", told.what);
            chapters.push(Chapter {
                title,
                facts: told.facts.clone(),
                passages,
                pictures: Vec::new(),
            });
        }
        rendered(Dossier {
            title,
            authority: authority.to_owned(),
            at: now,
            ident: format!("registrerad/{id}/{}/{}", now.as_millisecond(), volume.number),
            heading: "Begäran",
            facts,
            notes,
            columns: vec!["Nr", "Uppgift", "Beslut"],
            rows,
            chapters,
            files: Vec::new(),
        })
        .await
    }
}

/// What has to be known, in plain Swedish.
fn notes_for(kind: SubjectKind, authority: &str) -> Vec<String> {
    let mut notes = Vec::new();
    match kind {
        SubjectKind::Access => notes.extend([
            format!("Varför: {authority} läser det som skrivs i myndighetens kanaler för att kunna svara, ta bort det som lagen eller kontots regler förbjuder, och bevara allmänna handlingar."),
            "Rättslig grund: uppgift av allmänt intresse, myndighetsutövning och rättslig förpliktelse (dataskyddsförordningen artikel 6.1 c och e; lagen 1998:112 om ansvar för elektroniska anslagstavlor; arkivlagen 1990:782).".to_owned(),
            "Varifrån: uppgifterna är hämtade från plattformen där de publicerades, som den visade dem, eller inlagda för hand av en medarbetare som såg dem.".to_owned(),
            "Till vem: det som diarieförs lämnas till myndighetens diarium. Allmänna handlingar lämnas ut till den som begär det, om inte sekretess hindrar. Ett brott kan anmälas till polisen. Uppgifterna förs inte över till land utanför EU av oss.".to_owned(),
            "Ett program har föreslagit hur inläggen ska bedömas. Alla beslut har fattats av en människa.".to_owned(),
            "Du kan begära rättelse, radering eller begränsning, och invända mot behandlingen (artikel 16–18 och 21).".to_owned(),
        ]),
        SubjectKind::Rectification => notes.push(
            "Det som har säkrats visar vad som stod på plattformen och ändras därför inte. Det du anser vara fel har antecknats och följer med handlingen.".to_owned(),
        ),
        SubjectKind::Erasure => notes.push(
            "Rätten till radering gäller inte när uppgifterna behövs för att uppfylla en rättslig förpliktelse eller för arkivändamål av allmänt intresse (dataskyddsförordningen artikel 17.3 b och d). Allmänna handlingar får gallras bara när myndigheten har beslutat det (arkivlagen 10 §).".to_owned(),
        ),
    }
    notes.push(format!("Beslutet kan överklagas till förvaltningsrätten (lagen 2018:218, 7 kap. 2 §). Skriv vilket beslut du överklagar och hur du vill att det ska ändras. Skicka överklagandet till {authority} inom tre veckor från den dag då du fick beslutet (förvaltningslagen 43 och 44 §§)."));
    notes.push(
        "Du kan också klaga hos Integritetsskyddsmyndigheten (IMY), imy.se (artikel 77)."
            .to_owned(),
    );
    notes
}
