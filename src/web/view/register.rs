//! The short wizard on the diary (*diarieföring*): only what cannot be known is asked, and the
//! proposal stands with its reason.

use crate::domain::duties::Duties;
use crate::domain::ids::CaseId;
use crate::domain::register::{Answered, Question, Subject, Way, propose};

use super::choice::ChoiceKind;
use super::decision::Filled;

/// A question with the answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionView {
    /// Its identifier in forms.
    pub id: &'static str,
    /// Its words.
    pub words: &'static str,
    /// What was answered.
    pub answer: Option<bool>,
}

impl QuestionView {
    /// Whether the answer was yes.
    pub fn is_yes(&self) -> bool {
        self.answer == Some(true)
    }

    /// Whether the answer was no.
    pub fn is_no(&self) -> bool {
        self.answer == Some(false)
    }
}

/// The proposal and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterView {
    /// Where the answers are sent.
    pub action: String,
    /// `Ska diarieföras`.
    pub label: &'static str,
    /// Why.
    pub why: String,
    /// Whose rules these are.
    pub policy: String,
    /// The questions of this policy.
    pub questions: Vec<QuestionView>,
    /// Whether a case's number is asked for.
    pub asks_number: bool,
    /// The number that was written.
    pub number: String,
    /// The number that was written is none.
    pub wrong_number: bool,
    /// Whether something has been answered.
    pub answered: bool,
    /// Whether the person who wrote it is to be told.
    pub tell: bool,
    /// The answers, for the decision to take along: question and answer.
    pub kept: Vec<(&'static str, &'static str)>,
}

impl RegisterView {
    /// The wizard of a case.
    pub fn new(
        case: CaseId,
        policy: &str,
        duties: &Duties,
        subject: Subject,
        answered: &Answered,
        wrong_number: bool,
    ) -> Self {
        let proposal = propose(duties, subject, answered);
        // What would be asked had nobody answered yet: an answer can be changed.
        let asked = propose(duties, subject, &Answered::default()).ask;
        let question = |question: &Question| QuestionView {
            id: question.id(),
            words: question.words(),
            answer: answered.to.get(question).copied(),
        };
        Self {
            action: format!("/arende/{case}"),
            label: proposal.label(),
            why: proposal.why.clone(),
            policy: policy.to_owned(),
            questions: asked.iter().map(question).collect(),
            asks_number: asked.iter().any(|question| question.asks_for_number()),
            number: answered.number.as_ref().map(ToString::to_string).unwrap_or_default(),
            wrong_number,
            answered: !answered.to.is_empty(),
            tell: proposal.tell_citizen,
            kept: kept(answered),
        }
    }
}

/// The answers as form fields.
fn kept(answered: &Answered) -> Vec<(&'static str, &'static str)> {
    let word = |yes: &bool| if *yes { "ja" } else { "nej" };
    answered.to.iter().map(|(question, yes)| (question.id(), word(yes))).collect()
}

/// Ticks in the form what the answers lead to. Nothing is ticked before anything is answered: then the
/// policy's own line stands. The reason stands beside the questions and goes with the decision: what a person
/// writes is theirs alone.
pub fn tick(filled: &mut Filled, duties: &Duties, subject: Subject, answered: &Answered) {
    if answered.to.is_empty() {
        return;
    }
    let kind = match propose(duties, subject, answered).way {
        Way::Forced | Way::Yes => ChoiceKind::Register,
        Way::No | Way::NotToBe => ChoiceKind::NotRegister,
        Way::ByPlan | Way::Open => return,
    };
    filled.choices.retain(|chosen| !kind.is_excluded_by(*chosen));
    if !filled.choices.contains(&kind) {
        filled.choices.push(kind);
    }
}

/// Reads the answers that a form or an address carries: question and `ja` or `nej`. What is unknown or
/// not answered is left out.
pub fn read<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, number: &str) -> (Answered, bool) {
    let mut answered = Answered::default();
    for (id, answer) in pairs {
        if let (Some(question), Some(yes)) = (
            Question::from_id(id),
            match answer {
                "ja" => Some(true),
                "nej" => Some(false),
                _ => None,
            },
        ) {
            answered.to.insert(question, yes);
        }
    }
    let number = number.trim();
    let read = crate::domain::registration::parse_diary_number(number).ok();
    let wrong = !number.is_empty() && read.is_none();
    answered.number = read;
    (answered, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::duties::{MustNotRegister, MustRegister};
    use crate::domain::ids::DiaryNumber;
    use crate::domain::item::ItemKind;

    const COMMENT: Subject = Subject { kind: ItemKind::Comment, ground: None, removes: false };

    fn duties() -> Duties {
        let mut duties = Duties::default();
        duties.register.must.push(MustRegister::OngoingCase);
        duties.register.must_not = vec![MustNotRegister::Simple];
        duties
    }

    #[test]
    fn answers_are_read_and_what_is_no_answer_is_left_out() {
        let pairs = [("sekretess", "nej"), ("pagaende", "ja"), ("enkelt", ""), ("<b>", "ja")];
        let (answered, wrong) = read(pairs.into_iter(), " KS 2026/12 ");
        let expected = [(Question::Secrecy, false), (Question::OngoingCase, true)];
        assert_eq!(answered.to.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(answered.number, Some(DiaryNumber::new("KS 2026/12".to_owned())));
        assert!(!wrong);
        let (answered, wrong) = read([].into_iter(), "<script>");
        assert!(answered.number.is_none() && wrong);
    }

    #[test]
    fn answers_tick_the_choice_and_leave_the_words_to_the_person() {
        let ticked = |questions: &[Question], choices: &[ChoiceKind]| {
            let mut filled = Filled { choices: choices.to_vec(), ..Filled::default() };
            tick(&mut filled, &duties(), COMMENT, &Answered::yes(questions));
            filled
        };
        let yes = ticked(&[Question::OngoingCase], &[ChoiceKind::Dismiss]);
        assert_eq!(yes.choices, [ChoiceKind::Register]);
        assert_eq!(
            yes.note, "",
            "a note that a vague ground demands is not written by the machine"
        );
        let no = ticked(&[Question::Simple], &[ChoiceKind::Answer, ChoiceKind::Register]);
        assert_eq!(no.choices, [ChoiceKind::Answer, ChoiceKind::NotRegister]);
        assert_eq!(no.reason, "");
        assert_eq!(ticked(&[], &[ChoiceKind::Answer]).choices, [ChoiceKind::Answer]);
        // What a person has written stays.
        let mut own = Filled { note: "Mitt.".to_owned(), ..Filled::default() };
        tick(&mut own, &duties(), COMMENT, &Answered::yes(&[Question::OngoingCase]));
        assert_eq!((own.note.as_str(), own.choices.len()), ("Mitt.", 1));
    }

    #[test]
    fn the_questions_stay_so_that_an_answer_can_be_changed() {
        let answered = Answered::yes(&[Question::OngoingCase]);
        let view = RegisterView::new(CaseId(1), "Prov", &duties(), COMMENT, &answered, false);
        assert_eq!(view.label, "Ska diarieföras");
        let ids: Vec<_> = view.questions.iter().map(|q| (q.id, q.answer)).collect();
        assert_eq!(ids, [("sekretess", None), ("pagaende", Some(true)), ("enkelt", None)]);
        assert!(view.asks_number && view.answered);
        assert_eq!(view.kept, [("pagaende", "ja")]);
    }
}
