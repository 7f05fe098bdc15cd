//! The audit log (*granskningsloggen*) as the one who examines reads it: who did what, when, from where. What a case
//! says stands nowhere in it, so it is read of cases that the reader may not open, too.

use jiff::Timestamp;

use crate::domain::custody::CustodyAct;
use crate::domain::ids::CaseId;
use crate::domain::person::Act;
use crate::store::keeping::{AuditRead, AuditSought};
use crate::store::rows::AuditLine;

use super::{ServiceError, Services, Viewer};

/// How many lines stand on a page.
pub const ON_PAGE: u32 = 100;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its row.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What, in words that follow the name, where there are any.
    pub label: Option<&'static str>,
    /// What, as the log has it.
    pub act: String,
    /// On what, as the log has it: `case 17`, `evidence 3`.
    pub subject: String,
    /// From where.
    pub address: String,
    /// More: a reason, a file, a result.
    pub detail: Option<String>,
}

impl Services {
    /// Lines of the audit log, newest first, at most [`ON_PAGE`]. That it was read is a line, too.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for any other role; [`ServiceError`].
    pub async fn audit_log(
        &self,
        viewer: &Viewer,
        sought: AuditSought,
    ) -> Result<Vec<AuditEntry>, ServiceError> {
        viewer.demand(Act::ReadAudit)?;
        let store = &self.inner.store;
        let about = sought.case.map_or_else(|| "audit".to_owned(), |case| format!("case {case}"));
        let mut asked: Vec<_> = sought.who.iter().map(|who| format!("person: {who}")).collect();
        asked.extend(sought.before.map(|row| format!("före rad {row}")));
        let detail = (!asked.is_empty()).then(|| asked.join(", "));
        let line = AuditLine { detail, ..viewer.line(READ, about) };
        store.record_audit(line, self.inner.clock.now()).await?;
        let lines = store.audit_lines(sought, ON_PAGE).await?;
        let entry = |read: AuditRead| AuditEntry {
            label: CustodyAct::from_id(&read.act)
                .map(CustodyAct::label)
                .or_else(|| label(&read.act)),
            id: read.id,
            at: read.at,
            who: read.who,
            act: read.act,
            subject: read.subject,
            address: read.address,
            // Reasons are people's words.
            detail: read.detail.map(|detail| match read.is_shut {
                true => SHUT.to_owned(),
                false => self.shown_to(viewer, detail),
            }),
        };
        Ok(lines.into_iter().map(entry).collect())
    }
}

/// What stands for a reason in the log of a secret case.
const SHUT: &str = "[Sekretess: står i ärendet]";

/// What stands in the log when it was read. Not among the events around a record: an examiner opens none.
const READ: &str = "audit.read";

/// What is sought, as typed: an empty field asks for nothing.
///
/// # Errors
/// With Swedish words where a field cannot be understood.
pub fn sought(case: &str, who: &str, before: &str) -> Result<AuditSought, String> {
    let case = match case.trim() {
        "" => None,
        number => Some(CaseId(
            number
                .parse()
                .map_err(|_| "Skriv ärendets nummer med siffror, till exempel 17.".to_owned())?,
        )),
    };
    let who = Some(who.trim().to_owned()).filter(|who| !who.is_empty());
    let before = match before.trim() {
        "" => None,
        row => Some(row.parse().map_err(|_| "Adressen till sidan stämmer inte.".to_owned())?),
    };
    Ok(AuditSought { case, who, before })
}

/// What is done, in words that follow a name: of what is no event around a record.
fn label(act: &str) -> Option<&'static str> {
    Some(match act {
        "account.closed" => "stängde ett konto",
        "account.people" => "ändrade vilka som sköter ett konto",
        "account.publisher" => "kopplade en publicist till en person",
        "act.refused" => "försökte göra något som inte är tillåtet",
        "archive.delivered" => "antecknade att en arkivkörning är levererad",
        "archive.want" => "begärde en arkivkörning",
        "audit.read" => "läste granskningsloggen",
        "case.claim" => "tog ärendet",
        "case.decide" => "beslutade",
        "case.decide_together" => "beslutade i flera ärenden",
        "case.diary_number" => "skrev in ett diarienummer",
        "case.diary_number_corrected" => "rättade ett diarienummer",
        "case.hand_over_again" => "lämnade ett paket till diariet på nytt",
        "case.handed_over" => "lämnade ett paket till diariet",
        "case.note" => "skrev en anteckning",
        "case.outside" => "markerade inlägget som utanför vår kontroll",
        "case.police" => "beslutade om polisanmälan",
        "case.read_anew" => "läste inlägget på nytt",
        "case.release" => "släppte ärendet",
        "case.take_over" => "tog över ärendet",
        "case.try_again" => "försökte igen",
        "case.undo" => "ångrade beslutet",
        "clock.confirm" => "bekräftade datorns klocka",
        "account.safety" => "noterade något om ett kontos säkerhet",
        "crisis.begin" => "började krisläge",
        "crisis.end" => "avslutade krisläge",
        "crisis.move" => "ändrade när krisläget slutar",
        "diary.enter" => "skrev in ett diarienummer",
        "disposal.carry_out" => "genomförde gallring",
        "disposal.mail" => "gallrade ett brev med en anmälan",
        "disposal.propose" => "föreslog gallring",
        "disposal.reports" => "gallrade anmälningar utifrån",
        "disposal.subjects" => "gallrade begäranden från registrerade",
        "disposal.sweep" => "gallrade texter utan ärende",
        "disposal.withdraw" => "drog tillbaka ett förslag om gallring",
        "evidence.heads_filled" => "fyllde på heads.txt",
        "evidence.replace_key" => "ersatte loggens nyckel",
        "evidence.rotate_key" => "bytte loggens nyckel",
        "evidence.stamp" => "tog emot en tidsstämpel",
        "evidence.tree_filled" => "räknade om delträd i loggen",
        "factor.reset" => "nollställde tvåstegsinloggning",
        "factor.set" => "slog på tvåstegsinloggning",
        "filter.save" => "sparade ett filter",
        "hook.add" => "lade till en webbhook",
        "hook.again" => "skickade ett meddelande igen",
        "hook.end" => "tog bort en webbhook",
        "hook.turn" => "bytte en webbhooks hemlighet",
        "item.record" => "la in ett inlägg för hand",
        "key.add" => "skapade en API-nyckel",
        "key.revoke" => "återkallade en API-nyckel",
        "policy.approve" => "godkände riktlinjer",
        "policy.propose" => "föreslog riktlinjer",
        "policy.publish" => "publicerade riktlinjer",
        "rules.publish" => "publicerade egna regler",
        "rules.propose" => "föreslog egna regler",
        "rules.approve" => "godkände egna regler",
        "rules.withdraw" => "drog tillbaka egna regler",
        "finding.judge" => "avfärdade en regelträff, eller tog tillbaka det",
        "policy.withdraw" => "drog tillbaka ett förslag om riktlinjer",
        "release.add" => "valde handlingar",
        "release.drop" => "tog bort en handling ur en begäran",
        "release.end" => "avslutade en begäran",
        "release.fetch" => "hämtade det som lämnas ut",
        "release.mask" => "ändrade vad som stryks",
        "release.open" => "öppnade en begäran om allmän handling",
        "release.search" => "sökte i en begäran",
        "reply.save" => "sparade ett svar",
        "report.end" => "avslutade en anmälan",
        "report.join" => "lade en anmälan till ett ärende",
        "report.open" => "öppnade ett ärende av en anmälan",
        "report.received" => "tog emot en anmälan utifrån",
        "rule.promote" => "började visa en regel",
        "rule.shadow" => "satte en regel i skugga",
        "search" => "sökte",
        "session.end" => "loggade ut",
        "session.open" => "loggade in",
        "session.refused" => "försökte logga in och nekades",
        "subject.add" => "valde uppgifter",
        "subject.drop" => "tog bort uppgifter",
        "subject.end" => "avslutade en begäran",
        "subject.extend" => "förlängde tiden för en begäran",
        "subject.fetch" => "hämtade ett registerutdrag",
        "subject.note" => "antecknade om en begäran",
        "subject.open" => "tog emot en begäran från en registrerad",
        "subject.search" => "sökte efter en registrerad",
        "subject.show" => "visade en begäran",
        "user.add" => "lade till en användare",
        "user.away" => "ändrade en frånvaro",
        "user.back" => "avslutade en frånvaro",
        "user.disable" => "stängde av en användare",
        "user.enable" => "släppte in en användare igen",
        "user.mail" => "ändrade en e-postadress",
        "user.password" => "bytte lösenord",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_field_asks_for_nothing_and_a_strange_one_is_refused() {
        assert_eq!(sought("", " ", "").unwrap(), AuditSought::default());
        let asked = sought(" 17 ", "Kim Exempel", "250").unwrap();
        assert_eq!(asked.case, Some(CaseId(17)));
        assert_eq!((asked.who.as_deref(), asked.before), (Some("Kim Exempel"), Some(250)));
        assert!(sought("sjutton", "", "").unwrap_err().contains("siffror"));
        assert!(sought("", "", "1; drop table audit").is_err());
    }
}
