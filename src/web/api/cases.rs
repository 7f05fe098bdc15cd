//! The queue and its cases: read, decide, undo, take, note.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::problem::Problem;
use super::shape::{LARGEST, one_of};
use super::{Ask, Operation, Told};
use crate::domain::api_key::Scope;
use crate::domain::case::CaseState;
use crate::domain::decision::{Choice, Decision, warning_mark};
use crate::domain::ground::Ground;
use crate::domain::ids::{CaseId, DecisionId};
use crate::domain::register::{Answered, Question};
use crate::services::case_file::CaseFile;
use crate::services::claims::Look;
use crate::services::queue::{Filter, Line, SHOWN_IN_THE_CASE};
use crate::services::records::Evidence as Held;
use crate::services::veiled::VEILED;
use crate::web::view::register;

/// Lines of a page where nothing is said.
const USUAL: u32 = 50;
/// Lines of a page at most.
const MOST: u32 = 200;

shape! {
    "Ett konto"
    AccountName {
        "Nyckel i inställningarna" key: String,
        "Namn" name: String,
        "Plattform" platform: String,
    }
}

shape! {
    "Något som Uppsikt fann i texten"
    Found {
        "Kategori" category: String,
        "Allvar: low, medium eller high" severity: String,
    }
}

shape! {
    "Den som arbetar med ett ärende"
    Claim {
        "Namn" name: String,
        "Till när" until: Timestamp,
    }
}

shape! {
    "Ett ärende i en lista. Text och namn är maskerade"
    CaseLine {
        "Ärendets nummer" case: i64,
        "Var det står: waiting, returned, held, decided, awaiting_diary eller closed" state: String,
        "Kontot" account: AccountName,
        "Vad inlägget är" kind: String,
        "Avsändaren, maskerad" author: String,
        "Textens början, maskerad" text: String,
        "När det skrevs, om plattformen säger det" created_at: Option<Timestamp>,
        "När Uppsikt hämtade det" fetched_at: Timestamp,
        "När det senast ska vara beslutat" due_at: Timestamp,
        "Om beviset är säkrat" sealed: bool,
        "Om det är sekretessmarkerat" secret: bool,
        "Vad som fanns i texten, allvarligast först" found: Vec<Found>,
        "Vem som arbetar med det" claim: Option<Claim>,
        "Hur många andra som har nästan samma text" alike: u32,
        "Vem som ansvarar" responsible: Option<String>,
    }
}

shape! {
    "En sida av kön"
    CaseList {
        "Ärendena, i köns ordning" cases: Vec<CaseLine>,
        "Skickas som cursor för nästa sida; null efter den sista" next: Option<String>,
    }
}

shape! {
    "Vem som skrev"
    Author {
        "Namn som det visas" name: Option<String>,
        "Användarnamn som det visas" handle: Option<String>,
    }
}

shape! {
    "Ett fynd med sitt skäl"
    Finding {
        "Kategori" category: String,
        "Allvar: low, medium eller high" severity: String,
        "Regelns namn" rule: String,
        "Varför" why: String,
        "Var i texten, som byte från och till" spans: Vec<Vec<u32>>,
    }
}

shape! {
    "Ett inlägg i tråden ovanför"
    ThreadItem {
        "Vem som skrev" author: Author,
        "Texten" text: String,
        "När" created_at: Option<Timestamp>,
    }
}

shape! {
    "Beviset för den text som gäller"
    EvidenceState {
        "none, wanted, sealed eller disposed" state: String,
        "Bevisets nummer" evidence: Option<i64>,
        "När det säkrades" sealed_at: Option<Timestamp>,
    }
}

shape! {
    "Beslutet som gäller"
    StandingDecision {
        "Beslutets nummer" decision: i64,
        "Valen" choices: Vec<String>,
        "Grundens kod" ground: Option<String>,
        "Vem som beslutade" by: String,
        "När" at: Timestamp,
        "Till när det kan ångras" undo_until: Timestamp,
    }
}

shape! {
    "En åtgärd"
    Action {
        "Åtgärdens nummer" action: i64,
        "hide, unhide, delete, reply, report, register eller forward" kind: String,
        "Var den står" state: String,
        "Om en människa gör den på plattformen" by_hand: bool,
    }
}

shape! {
    "En händelse i ärendet"
    Step {
        "När" at: Timestamp,
        "Vem; null för Uppsikt" by: Option<String>,
        "Vad" what: String,
        "Mer" detail: Option<String>,
    }
}

shape! {
    "Ett ärende i sin helhet, som den person som nyckeln handlar för ser det"
    Case {
        "Ärendets nummer" case: i64,
        "Växer med varje ändring; skickas med i beslut" revision: u64,
        "Var det står" state: String,
        "Varför det har kommit tillbaka" returned: Option<String>,
        "Kontot" account: AccountName,
        "Vad inlägget är" kind: String,
        "Vem som skrev" author: Author,
        "Texten" text: String,
        "Om texten inte lämnas ut och varför" withheld: Option<String>,
        "Vilken lydelse det är" version: u32,
        "När det skrevs" created_at: Option<Timestamp>,
        "När lydelsen hämtades" fetched_at: Timestamp,
        "När ärendet öppnades" opened_at: Timestamp,
        "När det senast ska vara beslutat" due_at: Timestamp,
        "Om inlägget syns: visible, hidden, binned, gone eller unknown" presence: String,
        "Länk till inlägget" link: Option<String>,
        "Vad som fanns i texten" findings: Vec<Finding>,
        "Val som riktlinjen föreslår" proposed: Vec<String>,
        "Varför den föreslår dem" proposed_why: String,
        "Grunder som fynden pekar mot" grounds: Vec<String>,
        "Tråden ovanför, uppifrån" above: Vec<ThreadItem>,
        "Beviset" evidence: EvidenceState,
        "Beslutet som gäller" decision: Option<StandingDecision>,
        "Åtgärderna" actions: Vec<Action>,
        "Diarienummer, i ordning; null där numret väntas" diary_numbers: Vec<Option<String>>,
        "Vem som arbetar med det" claim: Option<Claim>,
        "Vem som ansvarar" responsible: Option<String>,
        "Historiken, äldst först" history: Vec<Step>,
    }
}

shape! {
    "Ett val i ett beslut"
    ChoiceIn {
        "Vad som ska göras" choice: String = one_of([
            "hide", "unhide", "delete", "register", "not_register", "answer", "refer", "forward",
            "report", "dismiss", "police", "hold",
        ]),
        "Svarets eller hänvisningens text, till answer och refer" text: Option<String> = json!({ "maxLength": 65_000 }),
        "Skälet, till not_register och report" reason: Option<String> = json!({ "maxLength": 10_000 }),
        "Mottagaren, till forward" to: Option<String> = json!({ "maxLength": 500 }),
        "Till när ärendet vilar, till hold" until: Option<Timestamp>,
    }
}

shape! {
    "Svar på riktlinjens frågor om diariet, med samma namn som i formuläret"
    AnswersIn {
        "Kan det omfattas av sekretess?" sekretess: Option<bool>,
        "Förs ett ärende fram?" arende: Option<bool>,
        "Rör det ett ärende som pågår?" pagaende: Option<bool>,
        "Måste kommunen göra något?" atgard: Option<bool>,
        "Blir det ett ärende?" blir_arende: Option<bool>,
        "Har det betydelse för ett ärende i diariet?" befintligt: Option<bool>,
        "Är det av särskilt intresse?" intresse: Option<bool>,
        "Är det enkelt eller tillfälligt?" enkelt: Option<bool>,
        "Ligger det utanför kommunens ansvar?" utanfor: Option<bool>,
        "Diarienummer på ärendet som det rör" dnr: Option<String> = json!({ "maxLength": 60 }),
        "Bestämmelsen som sekretessen kan vila på, till exempel OSL 26 kap. 1 §" lagrum: Option<String> = json!({ "maxLength": 200 }),
    }
}

shape! {
    "Ett beslut"
    DecisionIn {
        "Ärendets revision när det lästes; är den gammal beslutas inget" revision: u64 = json!({ "maximum": LARGEST }),
        "Valen" choices: Vec<ChoiceIn> = json!({ "minItems": 1, "maxItems": 5 }),
        "Grundens kod, när något tas bort" ground: Option<String> = one_of(Ground::ALL.iter().map(|g| g.code())),
        "Den egna anteckningen" note: Option<String> = json!({ "maxLength": 10_000 }),
        "Svar om diariet" answers: Option<AnswersIn>,
        "Märket i den varning som svaret gav, för att publicera trots den" in_spite_of: Option<String> = json!({ "maxLength": 64 }),
    }
}

shape! {
    "Var ett ärende står efter en handling"
    CaseNow {
        "Ärendets nummer" case: i64,
        "Ärendets revision nu" revision: u64,
        "Var det står" state: String,
        "Beslutet som gäller" decision: Option<i64>,
        "Till när det kan ångras" undo_until: Option<Timestamp>,
        "Vem som arbetar med ärendet" claim: Option<Claim>,
    }
}

shape! {
    "En intern anteckning"
    NoteIn { "Texten; en kollega nämns med @ och sitt namn" text: String = json!({ "minLength": 1, "maxLength": 2_000 }) }
}

pub(super) fn operations() -> Vec<Operation> {
    let states = Filter::ALL.iter().map(|filter| filter.id());
    let states: Vec<_> = states.collect();
    vec![
        Operation::get("/cases", "listCases", "Ärenden i kön, i köns ordning")
            .about("Text och namn är maskerade, som i kön. Nästa sida fås med cursor.")
            .scope(Scope::QueueRead)
            .query("state", json!({ "type": "string", "enum": states }), "Vilka ärenden; öppna om inget anges")
            .query(
                "account",
                json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,99}$" }),
                "Bara det här kontot",
            )
            .query(
                "cursor",
                json!({ "type": "string", "minLength": 1, "maxLength": 200 }),
                "Värdet i next från sidan innan",
            )
            .query(
                "limit",
                json!({ "type": "integer", "minimum": 1, "maximum": MOST }),
                "Högst så många ärenden på sidan; 50 om inget anges",
            )
            .reads(list),
        Operation::get("/cases/{case}", "readCase", "Ett ärende i sin helhet")
            .about("Personuppgifter visas eller maskeras efter rollen hos den som nyckeln handlar för, och visningen skrivs i granskningsloggen. Sekretessmarkerade ärenden visas bara för den som är i kretsen.")
            .scope(Scope::CasesRead)
            .reads(read),
        Operation::post("/cases/{case}/decisions", "decide", "Besluta i ett ärende")
            .about("Beslutet går genom samma kontroller som i formuläret. Inget utförs förrän tiden för att ångra är över.")
            .scope(Scope::CasesDecide)
            .once()
            .status(StatusCode::CREATED)
            .takes(decide),
        Operation::post("/cases/{case}/decisions/{decision}/undo", "undo", "Ångra ett beslut")
            .about("Går så länge inget har börjat utföras.")
            .scope(Scope::CasesDecide)
            .reads(undo),
        Operation::post("/cases/{case}/claim", "claim", "Ta ett ärende")
            .scope(Scope::CasesDecide)
            .reads(claim),
        Operation::post("/cases/{case}/take-over", "takeOver", "Ta över ett ärende från en kollega")
            .about("Den som hade ärendet får veta det.")
            .scope(Scope::CasesDecide)
            .reads(take_over),
        Operation::post("/cases/{case}/release", "release", "Släpp ett ärende")
            .scope(Scope::CasesDecide)
            .reads(release),
        Operation::post("/cases/{case}/notes", "writeNote", "Skriv en intern anteckning")
            .scope(Scope::NotesWrite)
            .once()
            .status(StatusCode::CREATED)
            .takes(note),
    ]
}

pub(super) fn account(account: &crate::domain::account::Account) -> AccountName {
    AccountName {
        key: account.key.as_str().to_owned(),
        name: account.name.clone(),
        platform: account.platform.id().to_owned(),
    }
}

pub(super) fn line(line: Line) -> CaseLine {
    CaseLine {
        case: line.case.0,
        state: line.state.id().to_owned(),
        account: account(&line.account),
        kind: line.kind.id().to_owned(),
        author: line.author,
        text: line.text,
        created_at: line.created_at,
        fetched_at: line.fetched_at,
        due_at: line.due_at,
        sealed: line.sealed,
        secret: line.secret,
        found: line
            .categories
            .iter()
            .map(|(category, severity)| Found {
                category: category.id().to_owned(),
                severity: severity.id().to_owned(),
            })
            .collect(),
        claim: line.claim.map(|claim| Claim { name: claim.name, until: claim.until }),
        alike: line.n_alike,
        responsible: line.responsible,
    }
}

async fn list(ask: Ask) -> Result<Told<CaseList>, Problem> {
    let filter = ask.text("state").and_then(Filter::from_id).unwrap_or(Filter::Open);
    let limit = ask.number("limit").and_then(|n| u32::try_from(n).ok()).unwrap_or(USUAL);
    let (account, cursor) = (ask.text("account"), ask.text("cursor"));
    let services = &ask.site.services;
    let found = services.stretch(&ask.caller, filter, account, cursor, limit).await?;
    Ok(CaseList { cases: found.lines.into_iter().map(line).collect(), next: found.next }.into())
}

fn author(author: &crate::domain::item::Author, hidden: bool) -> Author {
    let shown = |text: &Option<String>| text.clone().filter(|_| !hidden);
    Author { name: shown(&author.name), handle: shown(&author.handle) }
}

fn shown(file: CaseFile) -> Case {
    // What may not be copied goes to no other system.
    let withheld = match (file.no_copy, file.veiled) {
        (true, _) => Some(SHOWN_IN_THE_CASE.to_owned()),
        (false, true) => Some(VEILED.to_owned()),
        (false, false) => None,
    };
    let hidden = file.no_copy;
    let finding = |finding: &crate::domain::verdict::Finding| Finding {
        category: finding.category.id().to_owned(),
        severity: finding.severity.id().to_owned(),
        rule: finding.rule.to_string(),
        why: finding.why.to_string(),
        spans: match withheld {
            Some(_) => Vec::new(),
            None => finding.spans.iter().map(|span| vec![span.start, span.end]).collect(),
        },
    };
    let evidence = match &file.evidence {
        Held::None => ("none", None, None),
        Held::Wanted { .. } => ("wanted", None, None),
        Held::Sealed(sealed) => ("sealed", Some(sealed.id.0), Some(sealed.sealed_at)),
        Held::Disposed { id, .. } => ("disposed", Some(id.0), None),
    };
    let returned = match &file.state {
        CaseState::Returned { reason } => Some(reason.clone()),
        CaseState::Waiting
        | CaseState::Held { .. }
        | CaseState::Decided
        | CaseState::AwaitingDiary
        | CaseState::Closed { .. } => None,
    };
    Case {
        case: file.id.0,
        revision: file.revision,
        state: file.state.id().to_owned(),
        returned,
        account: account(&file.account),
        kind: file.kind.id().to_owned(),
        author: author(&file.author, hidden),
        text: if withheld.is_some() { String::new() } else { file.text.clone() },
        version: file.version.0,
        created_at: file.created_at,
        fetched_at: file.fetched_at,
        opened_at: file.opened_at,
        due_at: file.due_at,
        presence: file.presence.id().to_owned(),
        link: file.permalink.as_ref().filter(|_| !hidden).map(|link| link.url.clone()),
        findings: file.findings.iter().map(finding).collect(),
        proposed: file.proposal.choices.iter().map(|choice| choice.id().to_owned()).collect(),
        proposed_why: file.proposal.why.clone(),
        grounds: file.suggested.iter().map(|(ground, _)| ground.code().to_owned()).collect(),
        above: match withheld {
            Some(_) => Vec::new(),
            None => file
                .above
                .above
                .iter()
                .map(|item| ThreadItem {
                    author: author(&item.author, false),
                    text: item.text.clone(),
                    created_at: item.created_at,
                })
                .collect(),
        },
        evidence: EvidenceState {
            state: evidence.0.to_owned(),
            evidence: evidence.1,
            sealed_at: evidence.2,
        },
        decision: file.standing.as_ref().map(|standing| StandingDecision {
            decision: standing.id.0,
            choices: standing.choices.iter().map(|choice| choice.id().to_owned()).collect(),
            ground: standing.ground.map(|ground| ground.code().to_owned()),
            by: standing.by.clone(),
            at: standing.at,
            undo_until: standing.undo_until,
        }),
        actions: file
            .actions
            .iter()
            .map(|action| Action {
                action: action.id.0,
                kind: action.kind.id().to_owned(),
                state: action.state.id().to_owned(),
                by_hand: action.by_hand,
            })
            .collect(),
        diary_numbers: file
            .diary
            .iter()
            .map(|number| number.as_ref().map(|number| number.as_str().to_owned()))
            .collect(),
        claim: file.claim.map(|claim| Claim { name: claim.name, until: claim.until }),
        responsible: file.responsible,
        history: file
            .history
            .into_iter()
            .map(|step| Step { at: step.at, by: step.by, what: step.what, detail: step.detail })
            .collect(),
        withheld,
    }
}

async fn read(ask: Ask) -> Result<Told<Case>, Problem> {
    let case = ask.case().await?;
    let file = ask.site.services.case_opened(&ask.caller.viewer, case, Look::Follows).await?;
    let revision = Some(file.revision);
    Ok(Told { body: shown(file), revision })
}

/// Where a case stands now.
async fn now(ask: &Ask, case: CaseId) -> Result<Told<CaseNow>, Problem> {
    let now = ask.site.services.case_now(&ask.caller, case).await?;
    let (decision, undo_until) = now.decision.unzip();
    let body = CaseNow {
        case: case.0,
        revision: now.revision,
        state: now.state.id().to_owned(),
        decision: decision.map(|id: DecisionId| id.0),
        undo_until,
        claim: now.claim.map(|claim| Claim { name: claim.name, until: claim.until }),
    };
    Ok(Told { revision: Some(now.revision), body })
}

fn choice(sent: &ChoiceIn) -> Result<Choice, Problem> {
    let text = |text: &Option<String>| {
        text.clone().unwrap_or_default().replace("\r\n", "\n").trim().to_owned()
    };
    Ok(match sent.choice.as_str() {
        "hide" => Choice::Hide,
        "unhide" => Choice::Unhide,
        "delete" => Choice::Delete,
        "register" => Choice::Register,
        "not_register" => Choice::NotRegister { reason: text(&sent.reason) },
        "answer" => Choice::Answer { text: text(&sent.text) },
        "refer" => Choice::Refer { text: text(&sent.text) },
        "forward" => Choice::Forward { to: text(&sent.to), note: text(&sent.text) },
        "report" => Choice::Report { reason: text(&sent.reason) },
        "dismiss" => Choice::Dismiss,
        "police" => Choice::ConsiderPoliceReport,
        "hold" => match sent.until {
            Some(until) => Choice::Hold { until },
            None => {
                return Err(Problem::refused(
                    "Valet hold kräver until: när ärendet ska komma tillbaka.",
                ));
            }
        },
        // The schema lets nothing else through.
        other => return Err(Problem::unreadable_at("/choices", format!("{other} är inget val"))),
    })
}

impl AnswersIn {
    fn answered(&self) -> Result<Answered, Problem> {
        let word = |answer: Option<bool>| match answer {
            Some(true) => "ja",
            Some(false) => "nej",
            None => "",
        };
        let answer = |question: &Question| {
            let said = match question {
                Question::Secrecy => self.sekretess,
                Question::RaisesMatter => self.arende,
                Question::OngoingCase => self.pagaende,
                Question::LeadsToAction => self.atgard,
                Question::BecomesCase => self.blir_arende,
                Question::ExistingCase => self.befintligt,
                Question::SpecialInterest => self.intresse,
                Question::Simple => self.enkelt,
                Question::OutsideOurs => self.utanfor,
            };
            (*question, word(said))
        };
        let number = self.dnr.as_deref().unwrap_or_default();
        let answered = register::read(
            Question::ALL.iter().map(answer),
            number,
            self.lagrum.as_deref().unwrap_or_default(),
        );
        // What is sent as the number of a case is none: left out, it would reach nobody.
        if !number.trim().is_empty()
            && crate::domain::registration::parse_diary_number(number).is_err()
        {
            return Err(Problem::refused(
                "Det som står i dnr är inget diarienummer. Inget har beslutats.",
            ));
        }
        Ok(answered)
    }
}

async fn decide(ask: Ask, sent: DecisionIn) -> Result<Told<CaseNow>, Problem> {
    let case = ask.case().await?;
    let (services, viewer) = (&ask.site.services, &ask.caller.viewer);
    let ground = sent.ground.as_deref().and_then(Ground::from_code);
    if ground == Some(Ground::ChildAbuse) {
        // First, and by itself: no refusal of the rest takes it back.
        services.suspect_by_form(viewer, case).await?;
    }
    let choices = sent.choices.iter().map(choice).collect::<Result<Vec<_>, _>>()?;
    let decision = Decision::new(choices, ground, sent.note.clone())
        .map_err(|error| Problem::refused(error.swedish()))?;
    let answered = match &sent.answers {
        Some(answers) => answers.answered()?,
        None => Answered::default(),
    };
    let mark = sent.in_spite_of.as_deref().unwrap_or_default();
    let said = decision.choices().iter().filter_map(Choice::action_text);
    if let Some(warning) = services.warns_of(said, answered.is_yes(Question::Secrecy)) {
        let shown = warning_mark(&warning);
        // The service asks for the same; here the mark is told too.
        if shown != mark {
            let why = format!(
                "{warning} Ändra svaret, eller skicka in_spite_of: {shown} för att publicera det ändå."
            );
            return Err(Problem::refused(why));
        }
    }
    services.decide_as_sent(viewer, case, sent.revision, decision, &answered, mark).await?;
    now(&ask, case).await
}

async fn undo(ask: Ask) -> Result<Told<CaseNow>, Problem> {
    let case = ask.case().await?;
    let decision = DecisionId(ask.id("decision"));
    ask.site.services.undo(&ask.caller.viewer, case, decision).await?;
    now(&ask, case).await
}

async fn claim(ask: Ask) -> Result<Told<CaseNow>, Problem> {
    let case = ask.case().await?;
    ask.site.services.claim(&ask.caller.viewer, case).await?;
    now(&ask, case).await
}

async fn take_over(ask: Ask) -> Result<Told<CaseNow>, Problem> {
    let case = ask.case().await?;
    ask.site.services.take_over(&ask.caller.viewer, case).await?;
    now(&ask, case).await
}

async fn release(ask: Ask) -> Result<Told<CaseNow>, Problem> {
    let case = ask.case().await?;
    ask.site.services.release(&ask.caller.viewer, case).await?;
    now(&ask, case).await
}

async fn note(ask: Ask, sent: NoteIn) -> Result<Told<CaseNow>, Problem> {
    let case = ask.case().await?;
    ask.site.services.write_note(&ask.caller.viewer, case, &sent.text).await?;
    now(&ask, case).await
}
