//! The decision form: the same choices always in the same place, each possible or not in words.

use jiff::{SignedDuration, Timestamp};

use crate::domain::decision::warning_mark;
use crate::domain::duties::Duties;
use crate::domain::ground::Ground;
use crate::domain::ids::CaseId;
use crate::domain::item::ItemKind;
use crate::domain::register::{Answered, Question, Subject};
use crate::domain::snooze::{may_rest, offered};

use super::changed::Seen;
use super::choice::ChoiceKind;
use super::grounds::{GroundGroup, GroundMenu};
use super::outside::Outside;
use super::register::{RegisterView, tick};
use super::replies::{AnswerHelp, LetterView, PreviewView};
use super::together::Rest;

/// What the platform offers for one choice, as the capability record says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformOffer {
    /// It can be done from here. What it does, before the click: who still sees a hidden item.
    Native {
        /// A Swedish sentence, perhaps with the condition.
        effect: Option<String>,
    },
    /// A person does it on the platform itself once it is decided: it becomes a task.
    Task {
        /// Why, and how, in Swedish.
        why: String,
    },
    /// Only on the platform itself, and not decided here.
    ByHand {
        /// Why, and how, in Swedish.
        why: String,
    },
    /// There is no such thing on the platform.
    No {
        /// Why, in Swedish.
        why: String,
    },
}

/// Whether removing choices may be made yet (invariant 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalGate {
    /// Evidence of this very version is sealed.
    Open,
    /// Not yet: why, in Swedish.
    Closed(String),
}

/// Whether the form may be used at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormState {
    /// Yes.
    Open,
    /// No, and why, in Swedish: the role, a colleague, a decision under way.
    Closed(String),
}

/// How one choice stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChoiceState {
    /// It can be chosen.
    Free,
    /// Not yet: why, in Swedish. Becomes free when evidence is sealed.
    AwaitsEvidence(String),
    /// Not from here: why, and where to do it.
    ByHand(String),
    /// Not at all: why.
    Never(String),
}

/// One choice as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceView {
    /// Which.
    pub kind: ChoiceKind,
    /// How it stands.
    pub state: ChoiceState,
    /// What it does, before the click.
    pub effect: Option<String>,
    /// Whether it is chosen: by the policy at first, by the person after a refused try.
    pub checked: bool,
    /// Identifiers of choices it excludes.
    pub excludes: String,
}

impl ChoiceView {
    /// Whether it can be chosen now.
    pub fn is_free(&self) -> bool {
        self.state == ChoiceState::Free
    }

    /// Whether it waits for evidence.
    pub fn awaits_evidence(&self) -> bool {
        matches!(self.state, ChoiceState::AwaitsEvidence(_))
    }

    /// Whether it stands ticked but cannot be sent yet: a browser leaves out a disabled box, so the
    /// form names it by itself.
    pub fn is_ticked_in_wait(&self) -> bool {
        self.checked && self.awaits_evidence()
    }

    /// Why it cannot be chosen here at all, if so.
    pub fn why_never(&self) -> Option<String> {
        let label = self.kind.label();
        match &self.state {
            ChoiceState::Free | ChoiceState::AwaitsEvidence(_) => None,
            ChoiceState::ByHand(why) => Some(format!("{label} går inte härifrån. {why}")),
            // Said once, in the same words wherever it is said.
            ChoiceState::Never(why) if why.starts_with(label) => Some(why.clone()),
            ChoiceState::Never(why) => Some(format!("{label} går inte. {why}")),
        }
    }
}

/// What the wizard on the diary is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiaryInput {
    /// The policy's name.
    pub policy: String,
    /// The policy's settings.
    pub duties: Duties,
    /// What sort of item.
    pub kind: ItemKind,
}

/// A time to wait until.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldOption {
    /// ISO 8601 in UTC.
    pub value: String,
    /// `i morgon kl. 8.00`.
    pub label: String,
}

/// What the policy proposes (never decides: invariant 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Choices to tick beforehand.
    pub choices: Vec<ChoiceKind>,
    /// The ground to choose beforehand.
    pub ground: Option<Ground>,
}

/// What a person had written, shown again after a refused try.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Ticked.
    pub choices: Vec<ChoiceKind>,
    /// Chosen ground.
    pub ground: Option<Ground>,
    /// The answer.
    pub answer: String,
    /// The reference.
    pub refer: String,
    /// Why it need not be registered.
    pub reason: String,
    /// To whom to forward.
    pub to: String,
    /// What to tell them.
    pub forward_note: String,
    /// What the platform is told.
    pub report: String,
    /// The person's own note.
    pub note: String,
    /// Until when it rests.
    pub rest: Rest,
    /// What was answered on the diary.
    pub diary: Answered,
    /// The number of the case that it concerns, as typed: it need not be one.
    pub number: String,
    /// The mark of the warning in spite of which the answer is published; empty where there was none.
    pub publishes: String,
    /// What there is to be warned of in the answer.
    pub warning: Option<String>,
    /// The answer before something was put in, so that it can be taken out again.
    pub before: Option<String>,
    /// What is to be said of what was put in.
    pub said: Option<String>,
    /// The answer as it will look, where that was asked for.
    pub preview: Option<PreviewView>,
    /// What would be mailed to whom it is forwarded to, where that was asked for.
    pub letter: Option<LetterView>,
}

impl Filled {
    /// What would be published: the answer, or the reference where that was chosen and no answer.
    pub fn published(&self) -> &str {
        let chosen = |kind| self.choices.contains(&kind);
        match chosen(ChoiceKind::Refer) && !chosen(ChoiceKind::Answer) {
            true => &self.refer,
            false => &self.answer,
        }
    }

    /// The mark of the warning that stands, and whether it is the one that was published in spite of.
    pub fn marked(&self) -> Option<(String, bool)> {
        let mark = warning_mark(self.warning.as_deref()?);
        let is_it = mark == self.publishes;
        Some((mark, is_it))
    }

    /// Whether the number that was typed is none.
    pub fn has_wrong_number(&self) -> bool {
        !self.number.trim().is_empty() && self.diary.number.is_none()
    }
}

/// A form that comes back with what a person had filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// The decision was refused, and why.
    Refused(Filled, String),
    /// The person has asked what the answers on the diary lead to.
    Asked(Filled),
    /// That was asked before, and the page is shown again.
    Kept(Filled),
}

impl Again {
    /// What was filled in.
    pub const fn filled(&self) -> &Filled {
        match self {
            Self::Refused(filled, _) | Self::Asked(filled) | Self::Kept(filled) => filled,
        }
    }

    /// With the answer, and the letter, as they will look.
    pub fn previewed(mut self, preview: Option<PreviewView>, letter: Option<LetterView>) -> Self {
        let (Self::Refused(filled, _) | Self::Asked(filled) | Self::Kept(filled)) = &mut self;
        (filled.preview, filled.letter) = (preview, letter);
        self
    }

    /// With what there is to be warned of in the answer.
    pub fn warned(mut self, warning: Option<String>) -> Self {
        let (Self::Refused(filled, _) | Self::Asked(filled) | Self::Kept(filled)) = &mut self;
        filled.warning = warning;
        self
    }

    /// Why it was refused.
    fn problem(&self) -> Option<String> {
        match self {
            Self::Refused(_, why) => Some(why.clone()),
            Self::Asked(_) | Self::Kept(_) => None,
        }
    }

    /// Whether the answers tick what they lead to. What was refused stands as it was sent, and who has unticked
    /// something since is not overruled.
    const fn ticks(&self) -> bool {
        match self {
            Self::Asked(_) => true,
            Self::Refused(..) | Self::Kept(_) => false,
        }
    }
}

/// What the form is made of.
#[derive(Clone, Debug)]
pub struct DecisionInput<'a> {
    /// The case.
    pub case: CaseId,
    /// The revision of the case that the person sees: a decision on another is refused.
    pub revision: u64,
    /// What the person sees of it, to tell what they had not seen where that is refused.
    pub seen: Seen,
    /// Whether the form may be used.
    pub state: FormState,
    /// Whether evidence is sealed.
    pub gate: RemovalGate,
    /// Whether the item is hidden now; then it can be shown again instead.
    pub hidden: bool,
    /// From the capability record.
    pub hide: PlatformOffer,
    /// From the capability record.
    pub unhide: PlatformOffer,
    /// From the capability record.
    pub delete: PlatformOffer,
    /// From the capability record: to a comment or to a message, as the item is.
    pub reply: PlatformOffer,
    /// Whether forwarding is set up.
    pub forward: PlatformOffer,
    /// From the capability record.
    pub report: PlatformOffer,
    /// Longest answer and its unit: `8 000 tecken`.
    pub longest_reply: Option<(u32, &'static str)>,
    /// The grounds to choose from.
    pub grounds: GroundMenu,
    /// The wizard on the diary, where there is one.
    pub diary: Option<DiaryInput>,
    /// The times that it may rest until, or why it may not.
    pub rest: Result<Vec<HoldOption>, String>,
    /// What the policy proposes.
    pub proposal: Proposal,
    /// What the person had filled in.
    pub again: Option<Again>,
    /// The item on its platform.
    pub permalink: Option<&'a str>,
    /// The platform's name.
    pub platform: &'a str,
}

/// The form as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionForm {
    /// Where it is sent.
    pub action: String,
    /// Where it is sent to be shown again, with what the answers on the diary lead to.
    pub ask: String,
    /// Whether it shows what a person had filled in.
    pub kept: bool,
    /// The revision of the case decided on.
    pub revision: u64,
    /// What is seen of the case.
    pub seen: Seen,
    /// Whether it may be used.
    pub state: FormState,
    /// The choices, in order.
    pub choices: Vec<ChoiceView>,
    /// Grounds, suggested ones first.
    pub grounds: Vec<GroundGroup>,
    /// Why the ground is chosen beforehand.
    pub ground_why: Option<String>,
    /// The wizard on the diary.
    pub register: Option<RegisterView>,
    /// Units that a letter goes to when it is forwarded.
    pub units: Vec<String>,
    /// Times to wait until.
    pub holds: Vec<HoldOption>,
    /// Says what the policy proposes and that the person decides.
    pub proposal: Option<String>,
    /// What was wrong with the last try.
    pub problem: Option<String>,
    /// Texts.
    pub filled: Filled,
    /// Longest answer.
    pub longest_reply: Option<(u32, &'static str)>,
    /// The item on its platform, for what has to be done there.
    pub there: Option<Outside>,
    /// What helps to write the answer.
    pub help: AnswerHelp,
}

impl DecisionForm {
    /// Puts the form together.
    pub fn new(input: DecisionInput<'_>) -> Self {
        let mut filled = match &input.again {
            Some(again) => again.filled().clone(),
            None => {
                let Proposal { choices, ground } = input.proposal.clone();
                Filled { choices, ground, ..Filled::default() }
            }
        };
        let problem = input.again.as_ref().and_then(Again::problem);
        let register = input.diary.as_ref().map(|diary| {
            let removes = filled.choices.iter().any(|kind| kind.removes());
            let subject = Subject { kind: diary.kind, ground: filled.ground, removes };
            if input.again.as_ref().is_some_and(Again::ticks) {
                tick(&mut filled, &diary.duties, subject);
            }
            RegisterView::new(&diary.policy, &diary.duties, subject, &filled)
        });
        let choices: Vec<ChoiceView> = ChoiceKind::ALL
            .iter()
            .filter(|kind| match kind {
                ChoiceKind::Hide => !input.hidden,
                ChoiceKind::Unhide => input.hidden,
                ChoiceKind::Delete
                | ChoiceKind::Register
                | ChoiceKind::Answer
                | ChoiceKind::Refer
                | ChoiceKind::Forward
                | ChoiceKind::Report
                | ChoiceKind::Dismiss
                | ChoiceKind::NotRegister
                | ChoiceKind::Hold
                | ChoiceKind::Police => true,
            })
            .map(|kind| choice(*kind, &input, &filled))
            .collect();
        let by_hand = choices.iter().any(|c| matches!(c.state, ChoiceState::ByHand(_)));
        let there = by_hand.then_some(input.permalink).flatten();
        Self {
            action: format!("/arende/{}/beslut", input.case),
            ask: format!("/arende/{}/forslag", input.case),
            kept: input.again.is_some(),
            revision: input.revision,
            seen: input.seen,
            grounds: input.grounds.groups(filled.ground),
            ground_why: input.grounds.why.clone(),
            register,
            units: Vec::new(),
            holds: input.rest.clone().unwrap_or_default(),
            proposal: proposal_words(&input, &filled, &choices),
            problem,
            longest_reply: input.longest_reply,
            there: there.map(|url| Outside::new(format!("Gör det på {}", input.platform), url)),
            state: input.state,
            help: AnswerHelp::default(),
            choices,
            filled,
        }
    }

    /// With what helps to write the answer, where one can be written.
    pub fn helped(self, help: AnswerHelp) -> Self {
        let answers = |c: &ChoiceView| c.kind == ChoiceKind::Answer && c.is_free();
        let offers = self.choices.iter().any(answers);
        Self { help: AnswerHelp { offers, ..help }, ..self }
    }

    /// Whether the form may be used.
    pub fn is_open(&self) -> bool {
        self.state == FormState::Open
    }

    /// Why it may not be used.
    pub fn closed_because(&self) -> Option<&str> {
        match &self.state {
            FormState::Open => None,
            FormState::Closed(why) => Some(why),
        }
    }

    /// What a person had filled in, in words, for a form that can no longer show it: nothing that was written
    /// may be lost without being seen.
    pub fn unsaved(&self) -> Vec<(&'static str, String)> {
        if !self.kept {
            return Vec::new();
        }
        let Filled {
            choices,
            ground,
            answer,
            refer,
            reason,
            to,
            forward_note,
            report,
            note,
            rest: _,
            diary,
            number,
            publishes: _,
            warning: _,
            before: _,
            said: _,
            preview: _,
            letter: _,
        } = &self.filled;
        let yes = |(question, yes): (&Question, &bool)| {
            format!("{} {}.", question.words(), if *yes { "Ja" } else { "Nej" })
        };
        let answers: Vec<_> = diary.to.iter().map(yes).collect();
        let choices: Vec<_> = choices.iter().map(|kind| kind.label()).collect();
        let ground = ground.map(|ground| ground.label().to_owned()).unwrap_or_default();
        let mut rows = vec![
            ("Val", choices.join(", ")),
            ("Grund", ground),
            ("Svar", answer.clone()),
            ("Hänvisning", refer.clone()),
            ("Varför det inte ska diarieföras", reason.clone()),
            ("Vidarebefordra till", to.clone()),
            ("Meddelande till mottagaren", forward_note.clone()),
            ("Anmälan till plattformen", report.clone()),
            ("Svar om diariet", answers.join(" ")),
            ("Gäller ärende", number.clone()),
            ("Egen anteckning", note.clone()),
        ];
        rows.retain(|(_, words)| !words.trim().is_empty());
        rows
    }

    /// Whether a choice stands ticked that waits for its evidence.
    pub fn has_ticked_in_wait(&self) -> bool {
        self.choices.iter().any(ChoiceView::is_ticked_in_wait)
    }

    /// Why removing must wait, said once for all choices that wait.
    pub fn awaits(&self) -> Option<&str> {
        self.choices.iter().find_map(|c| match &c.state {
            ChoiceState::AwaitsEvidence(why) => Some(why.as_str()),
            ChoiceState::Free | ChoiceState::ByHand(_) | ChoiceState::Never(_) => None,
        })
    }
}

fn choice(kind: ChoiceKind, input: &DecisionInput<'_>, filled: &Filled) -> ChoiceView {
    let offer = match kind {
        ChoiceKind::Hide => Some(&input.hide),
        ChoiceKind::Unhide => Some(&input.unhide),
        ChoiceKind::Delete => Some(&input.delete),
        ChoiceKind::Answer | ChoiceKind::Refer => Some(&input.reply),
        ChoiceKind::Forward => Some(&input.forward),
        ChoiceKind::Report => Some(&input.report),
        ChoiceKind::Register
        | ChoiceKind::Dismiss
        | ChoiceKind::NotRegister
        | ChoiceKind::Hold
        | ChoiceKind::Police => None,
    };
    let (state, effect) = match offer {
        Some(PlatformOffer::Task { why }) => {
            let effect = format!("Du gör det själv på {}. {why}", input.platform);
            (gated(kind, &input.gate), Some(effect))
        }
        Some(PlatformOffer::ByHand { why }) => (ChoiceState::ByHand(why.clone()), None),
        Some(PlatformOffer::No { why }) => (ChoiceState::Never(why.clone()), None),
        Some(PlatformOffer::Native { effect }) => (gated(kind, &input.gate), effect.clone()),
        None => match (&input.rest, kind) {
            (Err(why), ChoiceKind::Hold) => (ChoiceState::Never(why.clone()), None),
            (Ok(_) | Err(_), _) => (ChoiceState::Free, None),
        },
    };
    ChoiceView {
        kind,
        // A choice that waits for evidence keeps its tick, so that it counts once it is free.
        checked: filled.choices.contains(&kind)
            && matches!(state, ChoiceState::Free | ChoiceState::AwaitsEvidence(_)),
        effect: effect.or_else(|| kind.hint().map(str::to_owned)),
        excludes: kind.excludes(),
        state,
    }
}

fn gated(kind: ChoiceKind, gate: &RemovalGate) -> ChoiceState {
    match gate {
        RemovalGate::Closed(why) if kind.removes() => ChoiceState::AwaitsEvidence(why.clone()),
        RemovalGate::Open | RemovalGate::Closed(_) => ChoiceState::Free,
    }
}

/// The times that a case may rest until, or why it may not.
///
/// # Errors
/// The reason, in Swedish.
pub fn rests(due: Timestamp, grave: bool, now: Timestamp) -> Result<Vec<HoldOption>, String> {
    // Any time at all, a second ahead.
    let soon = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
    may_rest(soon, due, grave, now).map_err(|no| no.words(now))?;
    let option = |(at, label): (Timestamp, String)| HoldOption { value: at.to_string(), label };
    Ok(offered(due, now).into_iter().map(option).collect())
}

/// What the policy proposes, told by what could be ticked and what could not. Silent once the person
/// has filled in something of their own.
fn proposal_words(
    input: &DecisionInput<'_>,
    filled: &Filled,
    choices: &[ChoiceView],
) -> Option<String> {
    if input.again.is_some() {
        return None;
    }
    // With what the answers on the diary lead to, which may take the place of what was proposed.
    let (proposed, ground) = (&filled.choices, &input.proposal.ground);
    let (ticked, shut): (Vec<_>, Vec<_>) =
        choices.iter().filter(|choice| proposed.contains(&choice.kind)).partition(|c| c.checked);
    let words = |choices: &[&ChoiceView]| {
        let labels: Vec<_> = choices.iter().map(|c| c.kind.label().to_lowercase()).collect();
        labels.join(" och ")
    };
    let ground = ground.map(|g| format!(", grund {}", g.label())).unwrap_or_default();
    match (ticked.is_empty(), shut.is_empty()) {
        (true, true) => None,
        (false, true) => {
            Some(format!("Förvalt enligt riktlinjen: {}{ground}. Du bestämmer.", words(&ticked)))
        }
        (false, false) => Some(format!(
            "Förvalt enligt riktlinjen: {}{ground}. Riktlinjen föreslår också {}, men det går inte här. Du bestämmer.",
            words(&ticked),
            words(&shut)
        )),
        (true, false) => Some(format!(
            "Riktlinjen föreslår {}, men det går inte här. Du bestämmer.",
            words(&shut)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(hide: PlatformOffer) -> DecisionInput<'static> {
        let free = || PlatformOffer::Native { effect: None };
        DecisionInput {
            case: CaseId(1),
            revision: 1,
            seen: Seen { steps: 2, version: 1 },
            state: FormState::Open,
            gate: RemovalGate::Open,
            hidden: false,
            hide,
            unhide: free(),
            delete: free(),
            reply: free(),
            forward: free(),
            report: free(),
            longest_reply: None,
            grounds: GroundMenu::new(Vec::new(), None, &Duties::default()),
            diary: None,
            proposal: Proposal {
                choices: vec![ChoiceKind::Hide, ChoiceKind::Register],
                ground: Some(Ground::Threat),
            },
            rest: Ok(Vec::new()),
            again: None,
            permalink: None,
            platform: "Prov",
        }
    }

    #[test]
    fn what_the_policy_proposes_is_told_by_what_could_be_ticked() {
        let free = || PlatformOffer::Native { effect: None };
        let shut = || PlatformOffer::ByHand { why: "Gör det på plattformen.".into() };
        let words = |input: DecisionInput<'_>| DecisionForm::new(input).proposal;
        let ground = Ground::Threat.label();
        assert_eq!(
            words(input(free())).unwrap(),
            format!("Förvalt enligt riktlinjen: dölj och diarieför, grund {ground}. Du bestämmer.")
        );
        assert_eq!(
            words(input(shut())).unwrap(),
            format!(
                "Förvalt enligt riktlinjen: diarieför, grund {ground}. Riktlinjen föreslår också dölj, men det går inte här. Du bestämmer."
            )
        );
        let mut only_hide = input(shut());
        only_hide.proposal.choices.pop();
        assert_eq!(
            words(only_hide).unwrap(),
            "Riktlinjen föreslår dölj, men det går inte här. Du bestämmer."
        );
        // Hidden already: there is nothing to say of it.
        let mut hidden = input(free());
        hidden.hidden = true;
        assert!(!words(hidden).unwrap().contains("dölj"));
        // It waits for evidence and keeps its tick.
        let mut waits = input(free());
        waits.gate = RemovalGate::Closed("Beviset säkras.".into());
        assert!(DecisionForm::new(waits.clone()).has_ticked_in_wait(), "and the form names it");
        assert!(words(waits).unwrap().starts_with("Förvalt enligt riktlinjen: dölj och diarieför"));
    }

    #[test]
    fn what_was_written_is_told_where_the_form_has_closed() {
        let filled = Filled {
            choices: vec![ChoiceKind::Hide, ChoiceKind::Answer],
            ground: Some(Ground::Threat),
            answer: "Hej!".into(),
            note: "Ring polisen".into(),
            ..Filled::default()
        };
        let mut input = input(PlatformOffer::Native { effect: None });
        input.state = FormState::Closed("Beslutet genomförs.".into());
        assert!(DecisionForm::new(input.clone()).unsaved().is_empty());
        input.again = Some(Again::Refused(filled, "Ärendet har ändrats.".into()));
        let rows = DecisionForm::new(input).unsaved();
        assert_eq!(
            rows.iter().map(|(what, _)| *what).collect::<Vec<_>>(),
            ["Val", "Grund", "Svar", "Egen anteckning"]
        );
        assert_eq!((rows[0].1.as_str(), rows[3].1.as_str()), ("Dölj, Svara", "Ring polisen"));
    }
}
