//! Forwarding to a unit of the authority (*vidarebefordra*) by mail, with what was sealed.
//!
//! A letter goes to units that the settings name and to nobody else: an address that somebody typed is theirs to
//! write to. What is marked as secret, suspected or no longer shown unasked never goes by mail; it is a task.

use crate::domain::calendar::local;
use crate::domain::custody::CustodyAct;
use crate::domain::decision::{Choice, Decision};
use crate::domain::evidence::{CutOff, PartKind};
use crate::domain::ids::{CaseId, EvidenceId, VersionId};
use crate::domain::person::Act;
use crate::store::rows::{ActionRow, AuditLine, CaseRow, EvidenceRow, EvidenceState};

use super::decide::FORWARD_BY_HAND;
use super::handovers::enclosed;
use super::notices::courier::{Courier, Enclosed, Undelivered};
use super::outbox::{End, later, never};
use super::secrecy::marks_beside;
use super::{ServiceError, Services, Viewer};

/// A unit that may be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// As people name it.
    pub name: String,
    /// Its mail address.
    pub mail: String,
}

/// To whom letters go, and how large they may be.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The units.
    pub units: Vec<Unit>,
    /// The largest package that is attached beside the sheet, in bytes.
    pub most_bytes: u64,
}

/// What forwarding by mail takes; set at the start.
pub(super) struct Desk {
    courier: Courier,
    settings: Settings,
}

/// Why the evidence of a case does not go by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotByMail {
    /// It, or what can be seen beside it, is marked as secret.
    Secret,
    /// It, or what stands on its page, is suspected (regulation 2.2).
    Suspected,
    /// Closed so long ago that text and names are not shown unasked.
    Veiled,
}

impl NotByMail {
    /// Why, in Swedish.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Secret => {
                "Ärendet, eller något som syns i beviset, är sekretessmarkerat och skickas därför aldrig med e-post."
            }
            Self::Suspected => {
                "Inlägget, eller något på samma sida, misstänks vara barnpornografibrott och får varken kopieras eller skickas."
            }
            Self::Veiled => {
                "Ärendet är avslutat sedan länge, så text och namn är dolda och skickas inte med e-post."
            }
        }
    }

    /// The same for whoever has it as a task.
    pub(super) const fn task(self) -> &'static str {
        match self {
            Self::Secret => {
                "Ärendet, eller något som syns i beviset, är sekretessmarkerat och skickas därför aldrig med e-post. Lämna över det till mottagaren på ett säkert sätt, och säg sedan till här."
            }
            Self::Suspected => {
                "Inlägget, eller något på samma sida, misstänks vara barnpornografibrott och får varken kopieras eller skickas. Säg till mottagaren att ärendet finns, utan att visa något av det, och säg sedan till här."
            }
            Self::Veiled => {
                "Ärendet är avslutat sedan länge, så text och namn är dolda och skickas inte med e-post. Lämna över det till mottagaren på ett annat sätt, och säg sedan till här."
            }
        }
    }
}

/// A letter as its receiver gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Unit and address.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// What is to be seen of forwarding before it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// A letter goes out once the time to undo is over.
    ByMail(Letter),
    /// A person does it, and why, in Swedish.
    ByHand(String),
}

/// Files of a letter, as its text names them.
fn file_names(case: CaseId, evidence: EvidenceId) -> (String, String) {
    (format!("arende-{case}-bevis-{evidence}.pdf"), format!("arende-{case}-bevis-{evidence}.zip"))
}

impl Services {
    /// Opens the way by mail, to these units.
    pub fn open_forwarding(&self, courier: Courier, settings: Settings) {
        // Opened once, at the start; a second time changes nothing.
        drop(self.inner.forwarding.set(Desk { courier, settings }));
    }

    /// What forwarding by mail takes, where there is a mail server.
    fn forwarding(&self) -> Option<&Desk> {
        self.inner.forwarding.get().filter(|desk| desk.courier.has_mail())
    }

    /// Names of the units that a letter goes to.
    pub(super) fn unit_names(&self) -> Vec<String> {
        let desk = self.forwarding();
        desk.into_iter().flat_map(|d| &d.settings.units).map(|unit| unit.name.clone()).collect()
    }

    /// The unit that somebody means: by its name, or by its address.
    fn unit(&self, to: &str) -> Option<(&Desk, &Unit)> {
        let (desk, to) = (self.forwarding()?, to.trim().to_lowercase());
        let is_meant =
            |unit: &&Unit| unit.name.to_lowercase() == to || unit.mail.to_lowercase() == to;
        desk.settings.units.iter().find(is_meant).map(|unit| (desk, unit))
    }

    /// Why the evidence of a version does not go by mail; nothing where it may.
    pub(super) async fn not_by_mail(
        &self,
        case: CaseId,
        version: VersionId,
    ) -> Result<Option<NotByMail>, ServiceError> {
        let store = &self.inner.store;
        let row = store.case(case).await?;
        let no_copy = store.item(row.item).await?.no_copy;
        if no_copy || store.cut_off(version).await? != CutOff::Nothing {
            return Ok(Some(NotByMail::Suspected));
        }
        let beside = match store.evidence_of(version).await? {
            Some(sealed) => !marks_beside(store, &sealed, true).await?.is_empty(),
            None => false,
        };
        if beside || store.secrecy_of(case).await?.mark.is_some() {
            return Ok(Some(NotByMail::Secret));
        }
        Ok(row.veiled.then_some(NotByMail::Veiled))
    }

    /// Whether what is forwarded by a decision goes out as a letter of ours. `secret`: somebody has answered that it
    /// may be secret.
    pub(super) async fn goes_by_mail(
        &self,
        row: &CaseRow,
        decision: &Decision,
        secret: bool,
    ) -> Result<bool, ServiceError> {
        let to = decision.choices().iter().find_map(receiver);
        let Some((to, _)) = to.filter(|_| !secret) else { return Ok(false) };
        Ok(self.unit(to).is_some() && self.not_by_mail(row.id, row.version).await?.is_none())
    }

    /// What would become of forwarding a case so.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn forwarded(
        &self,
        viewer: &Viewer,
        case: CaseId,
        (to, note): (&str, &str),
        secret: bool,
    ) -> Result<Forwarded, ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let by_hand = |why: &str| Ok(Forwarded::ByHand(why.to_owned()));
        if to.trim().is_empty() {
            return by_hand("Skriv först vem det ska vidarebefordras till, så visas det här.");
        }
        if self.unit_names().is_empty() {
            return by_hand(FORWARD_BY_HAND);
        }
        let Some((desk, unit)) = self.unit(to) else {
            return by_hand(
                "Mottagaren är ingen av enheterna i listan, så Uppsikt skickar inget brev. Du skickar det själv; det står under Att göra för hand tills du säger att det är klart.",
            );
        };
        let row = self.inner.store.case(case).await?;
        if let Some(why) = self.not_by_mail(case, row.version).await? {
            return by_hand(why.task());
        }
        if secret {
            return by_hand(
                "Du har svarat att inlägget kan omfattas av sekretess, så Uppsikt skickar inget brev. Lämna över det på ett säkert sätt.",
            );
        }
        let sealed = self.inner.store.evidence_of(row.version).await?;
        let mut files = Vec::new();
        if let Some(sealed) = &sealed {
            let (sheet, package) = file_names(case, sealed.id);
            files = vec![sheet, format!("{package} (om det är högst {} MB)", megabytes(desk))];
        }
        let note = Some(note).filter(|note| !note.trim().is_empty());
        let letter = self.letter(case, unit, (&viewer.name, note), &files, &[], false).await?;
        Ok(Forwarded::ByMail(letter))
    }

    async fn letter(
        &self,
        case: CaseId,
        unit: &Unit,
        (by, note): (&str, Option<&str>),
        files: &[String],
        left_out: &[String],
        perhaps: bool,
    ) -> Result<Letter, ServiceError> {
        let line = self.inner.store.queue_line(case).await?;
        let row = self.inner.store.case(case).await?;
        let again = if perhaps { " (kan ha skickats förut)" } else { "" };
        let subject = format!("Ärende {case} i Uppsikt, till {}{again}", unit.name);
        let authority = self.authority();
        let mut lines =
            vec![format!("{by} vid {authority} vidarebefordrar ett inlägg till {}.", unit.name)];
        if perhaps {
            lines.push("Samma brev kan ha skickats förut. Har du det redan behöver du inte göra något mer.".into());
        }
        if let Some(note) = note {
            lines.push(format!("Meddelande från {by}:\r\n{}", note.trim().replace('\n', "\r\n")));
        }
        lines.push(format!(
            "Ärende i Uppsikt: {case}\r\nKonto: {}, {}\r\nÄrendet öppnades: {}",
            line.account.name,
            line.account.platform.label(),
            local(row.opened_at).strftime("%Y-%m-%d kl. %H:%M")
        ));
        lines.extend(files.iter().map(|name| format!("Bifogat: {name}")));
        lines.extend(left_out.iter().cloned());
        lines.push("Bilagorna innehåller personuppgifter. Visa dem bara för den som behöver dem i sitt arbete, och radera brevet när det inte behövs längre. Beviset finns kvar i Uppsikt.".into());
        lines.push("Svara inte på det här brevet.".into());
        let text = format!("{}\r\n", lines.join("\r\n\r\n"));
        Ok(Letter { to: format!("{} <{}>", unit.name, unit.mail), subject, text })
    }

    /// Sends a decided letter. `perhaps`: an earlier try may have come through.
    pub(super) async fn forward(
        &self,
        action: &ActionRow,
        perhaps: bool,
    ) -> Result<End, ServiceError> {
        let store = &self.inner.store;
        let decisions = store.decisions_on(action.case).await?;
        let decision = decisions.iter().find(|decision| decision.id == action.decision);
        let Some((decision, (to, note))) =
            decision.and_then(|d| Some((d, d.choices.iter().find_map(receiver)?)))
        else {
            return Ok(never(FORWARD_BY_HAND));
        };
        let Some((desk, unit)) = self.unit(to) else {
            return Ok(never(
                "Mottagaren är inte längre en enhet som Uppsikt skickar brev till, eller så är e-post inte inkopplad. Inget har skickats. Vidarebefordra på nytt, så blir det en uppgift.",
            ));
        };
        if let Some(why) = self.not_by_mail(action.case, action.version).await? {
            return Ok(never(format!(
                "{} Inget har skickats. Vidarebefordra på nytt, så blir det en uppgift.",
                why.reason()
            )));
        }
        let row = match store.evidence_of(action.version).await? {
            Some(row) if matches!(row.state, EvidenceState::Sealed { .. }) => row,
            Some(row) if matches!(row.state, EvidenceState::Disposed { .. }) => {
                return Ok(never("Beviset är gallrat, så det finns inget att skicka."));
            }
            Some(_) | None => {
                return Ok(later("Beviset är inte säkrat än, och brevet väntar på det."));
            }
        };
        let Some((files, left_out)) = self.enclosures(action.case, &row, desk).await? else {
            return Ok(never(
                "Beviset är inte helt eller saknar bevisblad, så inget har skickats. Kontakta den som sköter servern.",
            ));
        };
        let names: Vec<_> = files.iter().map(|file| file.name.clone()).collect();
        let note = Some(note).filter(|note| !note.trim().is_empty());
        let by = (decision.by.as_str(), note);
        let letter = self.letter(action.case, unit, by, &names, &left_out, perhaps).await?;
        // Before anything leaves, so that no copy is without its event.
        let line = AuditLine {
            user: None,
            user_name: "Uppsikt".into(),
            act: CustodyAct::Forward.id(),
            subject: format!("evidence {}", row.id),
            address: "lokalt".into(),
            detail: Some(format!("till {}: {}", unit.name, names.join(", "))),
        };
        store.record_audit(line, self.inner.clock.now()).await?;
        let id = format!("vidare-{}", action.id);
        let Letter { subject, text, .. } = letter;
        Ok(match desk.courier.enclose(&unit.mail, &id, &subject, &text, files).await {
            Ok(()) => End::Done(format!("brev till {}", unit.name)),
            Err(Undelivered::Refused { why }) => never(format!("{why} Inget har skickats.")),
            Err(Undelivered::Later { why }) => later(&why),
            // It may have been heard, and the answer not by us.
            Err(Undelivered::Away { why }) => {
                End::Later { at: None, reason: why, may_have_acted: true }
            }
        })
    }

    /// The sheet, and the package where it is small enough; what is left out, in Swedish. Nothing where there is no
    /// whole sheet.
    async fn enclosures(
        &self,
        case: CaseId,
        row: &EvidenceRow,
        desk: &Desk,
    ) -> Result<Option<(Vec<Enclosed>, Vec<String>)>, ServiceError> {
        let evidence = &self.inner.evidence;
        let (sheet_name, package_name) = file_names(case, row.id);
        let Ok(manifest) = evidence.manifest(row).await else { return Ok(None) };
        let sheet = manifest.parts.iter().find(|part| part.kind == PartKind::SheetPdf);
        let Some(sheet) = sheet else { return Ok(None) };
        let Ok(bytes) = evidence.bytes(sheet.sha256).await else { return Ok(None) };
        let mut files = vec![enclosed(sheet_name, "application/pdf", bytes)?];
        let mut left_out = Vec::new();
        let (mut file, size) = self.set_aside(&[row.id], None).await?;
        if size <= desk.settings.most_bytes {
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut file, &mut bytes).map(|_| bytes)
            });
            let read = read.await.map_err(|e| ServiceError::broken("export", e))?;
            let bytes = read.map_err(|e| ServiceError::broken("export", e))?;
            files.push(enclosed(package_name, "application/zip", bytes)?);
        } else {
            left_out.push(format!(
                "Paketet med alla filer är större än {} MB och är inte bifogat. Be den som skickade om det.",
                megabytes(desk)
            ));
        }
        Ok(Some((files, left_out)))
    }
}

const fn megabytes(desk: &Desk) -> u64 {
    desk.settings.most_bytes / (1024 * 1024)
}

/// To whom, and with what words.
fn receiver(choice: &Choice) -> Option<(&str, &str)> {
    match choice {
        Choice::Forward { to, note } => Some((to, note)),
        Choice::Hide
        | Choice::Unhide
        | Choice::Delete
        | Choice::Register
        | Choice::NotRegister { .. }
        | Choice::Answer { .. }
        | Choice::Refer { .. }
        | Choice::Report { .. }
        | Choice::Dismiss
        | Choice::ConsiderPoliceReport
        | Choice::Hold { .. } => None,
    }
}
