//! The short wizard on the diary (*diarieföring*): only what cannot be known is asked, and the
//! proposal stands with its reason.

use crate::domain::duties::Duties;
use crate::domain::ground::Ground;
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
    /// Whether the provision that secrecy may rest on is asked for.
    pub asks_provision: bool,
    /// What was written as that.
    pub provision: String,
    /// That the case will stand under a mark, and by which provision, where the decision says so as it is filled in.
    pub marks: Option<String>,
    /// Whether something has been answered.
    pub answered: bool,
    /// Whether the person who wrote it is to be told.
    pub tell: bool,
}

impl RegisterView {
    /// The wizard of a case.
    pub fn new(policy: &str, duties: &Duties, subject: Subject, filled: &Filled) -> Self {
        let answered = &filled.diary;
        let proposal = propose(duties, subject, answered);
        let secret = answered.says_secret(subject.ground);
        // What would be asked had nobody answered yet: an answer can be changed.
        let asked = propose(duties, subject, &Answered::default()).ask;
        let question = |question: &Question| QuestionView {
            id: question.id(),
            words: question.words(),
            answer: answered.to.get(question).copied(),
        };
        Self {
            label: proposal.label(),
            why: proposal.why.clone(),
            policy: policy.to_owned(),
            questions: asked.iter().map(question).collect(),
            asks_number: asked.iter().any(|question| question.asks_for_number()),
            number: filled.number.clone(),
            wrong_number: filled.has_wrong_number(),
            asks_provision: secret || asked.contains(&Question::Secrecy),
            provision: answered.provision.clone().unwrap_or_default(),
            marks: secret.then(|| match subject.ground.and_then(Ground::provision) {
                Some(provision) => format!("Diarieförs det sekretessmarkeras ärendet. Skriver du ingen bestämmelse anges {provision}."),
                None => "Diarieförs det sekretessmarkeras ärendet. Skriv vilken bestämmelse som kan gälla; annars får registratorn ange den.".to_owned(),
            }),
            answered: !answered.to.is_empty(),
            tell: proposal.tell_citizen,
        }
    }
}

/// Ticks in the form what the answers lead to. Nothing is ticked before anything is answered: then the
/// policy's own line stands. The reason stands beside the questions and goes with the decision: what a person
/// writes is theirs alone.
pub fn tick(filled: &mut Filled, duties: &Duties, subject: Subject) {
    if filled.diary.to.is_empty() {
        return;
    }
    let kind = match propose(duties, subject, &filled.diary).way {
        Way::Forced | Way::Yes => ChoiceKind::Register,
        Way::No | Way::NotToBe => ChoiceKind::NotRegister,
        Way::ByPlan | Way::Open => return,
    };
    filled.choices.retain(|chosen| !kind.is_excluded_by(*chosen));
    if !filled.choices.contains(&kind) {
        filled.choices.push(kind);
    }
}

/// Reads the answers that a form carries: question and `ja` or `nej`. What is not answered is left out.
pub fn read<'a>(
    pairs: impl Iterator<Item = (Question, &'a str)>,
    number: &str,
    provision: &str,
) -> Answered {
    let yes = |answer: &str| match answer {
        "ja" => Some(true),
        "nej" => Some(false),
        _ => None,
    };
    Answered {
        to: pairs.filter_map(|(question, answer)| Some((question, yes(answer)?))).collect(),
        number: crate::domain::registration::parse_diary_number(number.trim()).ok(),
        provision: Some(provision.trim().to_owned()).filter(|text| !text.is_empty()),
    }
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

    fn filled(yes: &[Question]) -> Filled {
        Filled { diary: Answered::yes(yes), ..Filled::default() }
    }

    #[test]
    fn answers_are_read_and_what_is_no_answer_is_left_out() {
        let pairs = [
            (Question::Secrecy, "nej"),
            (Question::OngoingCase, "ja"),
            (Question::Simple, ""),
            (Question::BecomesCase, "<b>"),
        ];
        let answered = read(pairs.into_iter(), " KS 2026/12 ", " OSL 26:1 ");
        let expected = [(Question::Secrecy, false), (Question::OngoingCase, true)];
        assert_eq!(answered.to.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(answered.number, Some(DiaryNumber::new("KS 2026/12".to_owned())));
        assert_eq!(answered.provision.as_deref(), Some("OSL 26:1"));
        let none = read([].into_iter(), "<script>", " ");
        assert!(none.number.is_none() && none.provision.is_none());
    }

    #[test]
    fn answers_tick_the_choice_and_leave_the_words_to_the_person() {
        let ticked = |questions: &[Question], choices: &[ChoiceKind]| {
            let mut filled = filled(questions);
            filled.choices = choices.to_vec();
            tick(&mut filled, &duties(), COMMENT);
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
        let mut own = filled(&[Question::OngoingCase]);
        own.note = "Mitt.".to_owned();
        tick(&mut own, &duties(), COMMENT);
        assert_eq!((own.note.as_str(), own.choices.len()), ("Mitt.", 1));
    }

    #[test]
    fn the_questions_stay_so_that_an_answer_can_be_changed() {
        let answered = filled(&[Question::OngoingCase]);
        let view = RegisterView::new("Prov", &duties(), COMMENT, &answered);
        assert_eq!(view.label, "Ska diarieföras");
        let ids: Vec<_> = view.questions.iter().map(|q| (q.id, q.answer)).collect();
        assert_eq!(ids, [("sekretess", None), ("pagaende", Some(true)), ("enkelt", None)]);
        assert!(view.asks_number && view.answered);
    }
}
