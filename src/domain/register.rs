//! Whether an item goes to the diary (*diarieföring*): what the policy says, what has to be asked of a
//! person, and the proposal with its reason (duties, section 3: R1 to R24).
//!
//! A category alone never registers anything: the character of the item decides (R15), and that a
//! person sees. What is forced is forced by a removal, by secrecy, or by a person's own answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decision::{Choice, Decision};
use super::duties::{Duties, MustNotRegister, MustRegister, OnRemoval, Register};
use super::ground::Ground;
use super::ids::DiaryNumber;
use super::item::ItemKind;

macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $words:literal, $rule:literal;)*) => {
        /// What only a person can know.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Question {
            $($(#[$doc])* $name,)*
        }

        impl Question {
            /// All of them, in the order in which they are asked.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Identifier in forms.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// The question in Swedish.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words),* }
            }

            /// The row of the duties that it comes from.
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule),* }
            }
        }
    };
}

questions! {
    /// Whether it holds what is secret.
    Secrecy = "sekretess", "Innehåller det något som kan omfattas av sekretess?", "R9";
    /// Whether somebody raises a matter.
    RaisesMatter = "arende", "Vill den som skriver tydligt föra fram ett ärende?", "R2";
    /// Whether it concerns an ongoing case.
    OngoingCase = "pagaende", "Rör det ett bestämt ärende som pågår?", "R4";
    /// Whether the authority has to act.
    LeadsToAction = "atgard", "Måste kommunen handlägga, ta ställning eller besluta något med anledning av det?", "R5";
    /// Whether it will be a case.
    BecomesCase = "blir_arende", "Kommer det att bli ett ärende?", "R6";
    /// Whether it matters to a case in the diary.
    ExistingCase = "befintligt", "Kan det ha betydelse för ett ärende som redan finns i diariet?", "R7";
    /// Whether it is of special interest.
    SpecialInterest = "intresse", "Är det av särskilt intresse att bevara?", "R8";
    /// Whether it is simple or of passing importance.
    Simple = "enkelt", "Är det enkelt eller tillfälligt, till exempel en fråga som får sitt svar?", "R12";
    /// Whether it is outside the authority's responsibility.
    OutsideOurs = "utanfor", "Ligger det utanför kommunens ansvar?", "R13";
}

impl Question {
    /// The question with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|question| question.id() == id)
    }

    /// What a yes calls for, where it calls for the diary.
    pub const fn calls_for(self) -> Option<MustRegister> {
        match self {
            Self::Secrecy => Some(MustRegister::Secrecy),
            Self::RaisesMatter => Some(MustRegister::RaisesMatter),
            Self::OngoingCase => Some(MustRegister::OngoingCase),
            Self::LeadsToAction => Some(MustRegister::LeadsToAction),
            Self::BecomesCase => Some(MustRegister::BecomesCase),
            Self::ExistingCase => Some(MustRegister::ExistingCase),
            Self::SpecialInterest => Some(MustRegister::SpecialInterest),
            Self::Simple | Self::OutsideOurs => None,
        }
    }

    /// What a yes speaks against the diary by.
    pub const fn speaks_against(self) -> Option<MustNotRegister> {
        match self {
            Self::Simple => Some(MustNotRegister::Simple),
            Self::OutsideOurs => Some(MustNotRegister::OutsideOurs),
            Self::Secrecy
            | Self::RaisesMatter
            | Self::OngoingCase
            | Self::LeadsToAction
            | Self::BecomesCase
            | Self::ExistingCase
            | Self::SpecialInterest => None,
        }
    }

    /// Whether the case that it concerns has a number to write down.
    pub const fn asks_for_number(self) -> bool {
        matches!(self, Self::OngoingCase | Self::ExistingCase)
    }
}

/// What a person has answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Yes or no; what is not there is not answered.
    pub to: BTreeMap<Question, bool>,
    /// The case that it concerns.
    pub number: Option<DiaryNumber>,
    /// The provision that secrecy is likely to rest on, as it was written.
    pub provision: Option<String>,
}

impl Answered {
    /// Yes to these, nothing else answered.
    pub fn yes(questions: &[Question]) -> Self {
        let to = questions.iter().map(|question| (*question, true)).collect();
        Self { to, ..Self::default() }
    }

    /// Whether whoever decides for `ground` and answers so says that secrecy may apply.
    pub fn says_secret(&self, ground: Option<Ground>) -> bool {
        is_said_secret(ground, self.to.get(&Question::Secrecy).copied())
    }

    /// Whether the answer was yes.
    pub fn is_yes(&self, question: Question) -> bool {
        self.to.get(&question) == Some(&true)
    }
}

/// Whether a decision says that secrecy may apply: by its ground, or by the answer to [`Question::Secrecy`]. A no takes
/// back what a ground alone proposes, not what it says.
pub fn is_said_secret(ground: Option<Ground>, answer: Option<bool>) -> bool {
    ground.is_some_and(Ground::is_secrecy)
        || answer.unwrap_or(ground.is_some_and(Ground::may_be_secret))
}

/// What a decision keeps of the wizard: what a person answered, and what the policy proposed on that. Kept
/// apart from the person's own words: the proposal is the machine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// A question's identifier, and yes or no.
    pub answers: BTreeMap<String, bool>,
    /// The case that it concerns.
    pub number: Option<String>,
    /// The row of the duties that the proposal came from.
    pub rule: String,
    /// The proposal with its reason.
    pub why: String,
    /// Whether the diary has it, decided then and there; nothing where the decision leaves that open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<bool>,
}

impl Kept {
    /// What is to be kept; nothing where nothing was answered and nothing decided on the diary. `incoming`: the item
    /// is a message, a question or a report of a fault, so that whoever ends it decides on the diary by that (R12).
    pub fn of(
        decision: &Decision,
        answered: &Answered,
        proposal: &Proposal,
        incoming: bool,
    ) -> Option<Self> {
        let chosen = |ids: &[&str]| decision.choices().iter().any(|c| ids.contains(&c.id()));
        let ends = incoming && chosen(&["dismiss", "answer", "refer"]);
        let registered = match chosen(&["register"]) {
            true => Some(true),
            false => (ends || chosen(&["not_register"])).then_some(false),
        };
        let nothing = answered.to.is_empty() && answered.number.is_none();
        if nothing && registered.is_none() {
            return None;
        }
        // Whoever answers a simple question, or says why it needs no answer, has said what the questions would ask.
        let (rule, why) = match (registered, proposal.way) {
            (Some(false), Way::Open | Way::ByPlan) => ("R12", self::simple(decision).to_owned()),
            (_, Way::Forced | Way::Yes | Way::No | Way::NotToBe | Way::ByPlan | Way::Open) => {
                (proposal.rule, proposal.why.clone())
            }
        };
        Some(Self {
            answers: answered.to.iter().map(|(q, yes)| (q.id().to_owned(), *yes)).collect(),
            number: answered.number.as_ref().map(ToString::to_string),
            rule: rule.to_owned(),
            why,
            registered,
        })
    }

    /// For the case's history: a line a question, then the case and what the policy says.
    pub fn words(&self) -> Vec<String> {
        let answer = |yes: bool| if yes { "Ja" } else { "Nej" };
        let asked = Question::ALL.iter().filter_map(|question| {
            let yes = self.answers.get(question.id())?;
            Some(format!("{} {}.", question.words(), answer(*yes)))
        });
        let number = self.number.iter().map(|number| format!("Gäller ärende: {number}"));
        let why = std::iter::once(format!("Riktlinjens förslag: {}", self.why));
        let not = (self.registered == Some(false)).then(|| "Diarieförs inte.".to_owned());
        asked.chain(number).chain(why).chain(not).collect()
    }
}

/// Why what came in is not in the diary, where nobody has answered the questions.
fn simple(decision: &Decision) -> &'static str {
    let answers = |c: &Choice| matches!(c, Choice::Answer { .. } | Choice::Refer { .. });
    match decision.choices().iter().any(answers) {
        true => "Enkelt eller av tillfällig betydelse: det har fått sitt svar.",
        false => "Det diarieförs inte, av det skäl som den som beslutade har skrivit.",
    }
}

/// What the proposal is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// What sort of item.
    pub kind: ItemKind,
    /// For what it is removed, or is to be registered.
    pub ground: Option<Ground>,
    /// Whether it is to be hidden or deleted.
    pub removes: bool,
}

impl Subject {
    /// An item as a decision would have it.
    pub fn of(kind: ItemKind, decision: &Decision) -> Self {
        Self { kind, ground: decision.ground(), removes: decision.removes() }
    }
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It must be registered: a decision without is refused.
    Forced,
    /// It should be.
    Yes,
    /// It need not be, or is not to be.
    No,
    /// It is not to be: whoever registers it all the same says why.
    NotToBe,
    /// The document plan decides, which this program has not read.
    ByPlan,
    /// The questions decide.
    Open,
}

/// The proposal with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Which way.
    pub way: Way,
    /// The row of the duties that it comes from: `R5`.
    pub rule: &'static str,
    /// Why, a whole Swedish sentence.
    pub why: String,
    /// What is still to be asked, in order.
    pub ask: Vec<Question>,
    /// Whether the person who wrote it is to be told (R2).
    pub tell_citizen: bool,
    /// It concerns an ongoing case, the number of which nobody has written (R4).
    pub lacks_number: bool,
}

impl Proposal {
    /// The proposal in two words.
    pub const fn label(&self) -> &'static str {
        match self.way {
            Way::Forced => "Ska diarieföras",
            Way::Yes => "Bör diarieföras",
            Way::No => "Behöver inte diarieföras",
            Way::NotToBe => "Ska inte diarieföras",
            Way::ByPlan => "Dokumenthanteringsplanen avgör",
            Way::Open => "Svara på frågorna",
        }
    }

    /// Why a decision goes against it, in Swedish; nothing where it does not.
    pub fn refuses(&self, decision: &Decision) -> Option<String> {
        let registers = decision.choices().contains(&Choice::Register);
        match self.way {
            // Who waits or shows it again decides nothing about the diary; who dismisses it does.
            Way::Forced if !registers && !decides_nothing(decision) => {
                Some(format!("{} Välj också Diarieför.", self.why))
            }
            Way::Forced if registers && self.lacks_number && decision.note().is_none() => {
                Some("Skriv diarienumret på det ärende som pågår, eller skriv i din anteckning varför numret saknas.".to_owned())
            }
            Way::NotToBe if registers && decision.note().is_none() => Some(format!(
                "{} Ska det diarieföras ändå: skriv varför i din anteckning.",
                self.why
            )),
            Way::Forced | Way::NotToBe | Way::Yes | Way::No | Way::ByPlan | Way::Open => {
                self.untold(decision)
            }
        }
    }

    /// That whoever raised the matter is to be told, and is not (Nässjö 72): an answer tells, or the person
    /// writes how else.
    fn untold(&self, decision: &Decision) -> Option<String> {
        let registers = decision.choices().contains(&Choice::Register);
        let answers = decision
            .choices()
            .iter()
            .any(|choice| matches!(choice, Choice::Answer { .. } | Choice::Refer { .. }));
        (self.tell_citizen && registers && !answers && decision.note().is_none()).then(|| {
            "Den som skrev ska få veta att det har diarieförts. Välj också Svara, eller skriv i din anteckning varför inte.".to_owned()
        })
    }
}

/// Why an item may not be ended so: nobody says anything to whoever wrote it, or nothing of the diary. `answered_before`:
/// an answer went out already.
///
/// A private message is always answered (Nässjö 31, T7), and a question or a report of a fault is handled by an answer,
/// by handing it on or by removing it (Smedjebacken 103): whoever dismisses it says why.
pub fn unsaid(
    kind: ItemKind,
    incoming: bool,
    answered_before: bool,
    decision: &Decision,
) -> Option<String> {
    let dismisses = decision.choices().contains(&Choice::Dismiss);
    if !dismisses || answered_before || decision.note().is_some() {
        return None;
    }
    match kind {
        ItemKind::DirectMessage => Some("Privata meddelanden ska besvaras. Välj Svara i stället för Avfärda, eller skriv i din anteckning varför det inte behövs något svar.".to_owned()),
        ItemKind::Comment | ItemKind::Reply | ItemKind::PostByOther | ItemKind::Mention | ItemKind::Review => incoming.then(|| "En fråga eller felanmälan är en inkommen handling. Svara, vidarebefordra eller diarieför den i stället för att avfärda, eller skriv i din anteckning varför den avfärdas utan svar. Det står sedan som skäl till att den inte diariefördes.".to_owned()),
    }
}

/// Whether a decision leaves open what becomes of the item.
fn decides_nothing(decision: &Decision) -> bool {
    decision.choices().iter().all(|choice| match choice {
        Choice::Hold { .. } | Choice::Unhide => true,
        Choice::Hide
        | Choice::Delete
        | Choice::Register
        | Choice::NotRegister { .. }
        | Choice::Answer { .. }
        | Choice::Refer { .. }
        | Choice::Forward { .. }
        | Choice::Report { .. }
        | Choice::Dismiss
        | Choice::ConsiderPoliceReport => false,
    })
}

/// Whether a policy has this called for. What is secret is registered by law (*OSL 5 kap. 1 §*): a file cannot
/// switch that off by leaving a word out.
fn calls(rules: &Register, what: MustRegister) -> bool {
    what == MustRegister::Secrecy || rules.must.contains(&what)
}

/// Whether the diary must have it, what is still to be asked, and why.
///
/// Secrecy goes first, whatever else is answered; then what a removal forces; then a person's yes to
/// what calls for the diary; then what speaks against it. Nothing is proposed on a guess: as long as
/// a question is open that could call for the diary, the way is open.
pub fn propose(duties: &Duties, subject: Subject, answered: &Answered) -> Proposal {
    let rules = &duties.register;
    let must = |what| calls(rules, what);
    let source = rules.source.as_deref().map_or_else(String::new, |s| format!(" ({s})"));
    let forced = |rule, why: String| Proposal {
        way: Way::Forced,
        rule,
        why,
        // Whatever forces it, the record may be secret, and then it is marked.
        ask: match subject.ground.is_some_and(Ground::is_secrecy)
            || answered.to.contains_key(&Question::Secrecy)
        {
            true => Vec::new(),
            false => vec![Question::Secrecy],
        },
        tell_citizen: rules.tell_citizen && answered.is_yes(Question::RaisesMatter),
        lacks_number: answered.is_yes(Question::OngoingCase)
            && must(MustRegister::OngoingCase)
            && answered.number.is_none(),
    };
    let secret = subject.ground.is_some_and(Ground::is_secrecy);
    if secret || answered.is_yes(Question::Secrecy) {
        // The law's own words, whatever the policy's file says: no line of a rulebook stands behind them.
        let why = "Uppgifter med sekretess diarieförs alltid (OSL 5 kap. 1 §).";
        return forced("R9", why.to_owned());
    }
    if subject.removes && rules.on_removal == OnRemoval::Always {
        let order = match duties.registers_before_removal() {
            true => ", innan det tas bort",
            false => "",
        };
        let why = format!("Riktlinjen diarieför allt som tas bort{order}{source}.");
        let rule = match subject.ground {
            Some(ground) if ground.is_secrecy() || ground == Ground::SensitiveData => "R10",
            Some(_) | None => "R1",
        };
        return forced(rule, why);
    }
    for question in Question::ALL.iter().filter(|question| answered.is_yes(**question)) {
        if let Some(calls) = question.calls_for().filter(|calls| must(*calls)) {
            let number = match &answered.number {
                Some(number) if question.asks_for_number() => format!(": {number}"),
                Some(_) | None => String::new(),
            };
            let why = format!("Det ska diarieföras eftersom {}{number}{source}.", calls.label());
            return forced(question.rule(), why);
        }
    }
    let tells = |way, rule, why, ask| Proposal {
        way,
        rule,
        why,
        ask,
        tell_citizen: false,
        lacks_number: false,
    };
    let against = Question::ALL.iter().find_map(|question| {
        let against = question.speaks_against().filter(|a| rules.must_not.contains(a))?;
        answered.is_yes(*question).then(|| (question.rule(), against))
    });
    if let Some((rule, against)) = against {
        let why = format!("Det ska inte diarieföras: {}{source}.", against.label());
        return tells(Way::NotToBe, rule, why, Vec::new());
    }
    let private = subject.kind == ItemKind::DirectMessage;
    if private && must(MustRegister::Message) {
        let why = format!(
            "Privata meddelanden är i regel inkomna handlingar och förs till {}{source}.",
            rules.target.label()
        );
        return tells(Way::Yes, "R18", why, open(duties, subject, answered));
    }
    let ask = open(duties, subject, answered);
    if ask.iter().any(|question| question.calls_for().is_some()) {
        let why =
            "Det är innehållets karaktär som avgör, inte kategorin: svara på frågorna.".to_owned();
        return tells(Way::Open, "R15", why, ask);
    }
    if !private && rules.must_not.contains(&MustNotRegister::PublicForum) {
        let why = format!("Kommentarer i ett öppet forum behöver inte diarieföras{source}.");
        return tells(Way::No, "R3", why, ask);
    }
    if rules.on_removal == OnRemoval::ByPlan {
        let why =
            format!("Dokumenthanteringsplanen avgör om det ska diarieföras: slå upp den{source}.");
        return tells(Way::ByPlan, "R14", why, ask);
    }
    // The law's own reason, and no line of a rulebook: it is what is left when none of those holds.
    let why = "Inget av det som riktlinjen vill ha diariefört stämmer in. Då räcker det att inläggen hålls ordnade (OSL 5 kap. 1 §): plattformen visar dem i tidsordning, och det som tas bort därifrån behåller sin plats i Uppsikt.".to_owned();
    tells(Way::No, "R14", why, ask)
}

/// The questions that this policy gives a reason to ask, and that are not answered: never what is
/// known already.
fn open(duties: &Duties, subject: Subject, answered: &Answered) -> Vec<Question> {
    let rules = &duties.register;
    let asked = |question: &&Question| match (question.calls_for(), question.speaks_against()) {
        (Some(what), _) => calls(rules, what),
        // What is removed is not simple, and was on our own account.
        (None, Some(against)) => rules.must_not.contains(&against) && !subject.removes,
        (None, None) => false,
    };
    let open = |question: &&Question| !answered.to.contains_key(question);
    Question::ALL.iter().filter(asked).filter(open).copied().collect()
}
