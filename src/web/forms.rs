//! Forms as browsers send them, and the values they turn into.

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::calendar::stockholm;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::domain::ids::{ActionId, DecisionId};
use crate::domain::register::{Answered, Question};

use super::view::changed::Seen;
use super::view::choice::ChoiceKind;
use super::view::decision::Filled;
use super::view::register;
use super::view::together::Rest;

/// The name and password of a login.
#[derive(Deserialize)]
pub struct LoginForm {
    /// User name.
    pub namn: String,
    /// Password. Never logged: the type has no `Debug`.
    pub losenord: String,
    /// Where to go afterwards.
    #[serde(default)]
    pub sedan: String,
}

/// A form with nothing but its token.
#[derive(Deserialize)]
pub struct BareForm {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
}

/// What a page says of the person at it.
#[derive(Deserialize)]
pub struct StayForm {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// `ja` where something is filled in.
    #[serde(default)]
    pub skriver: String,
}

/// The policy that disposal is proposed by.
#[derive(Deserialize)]
pub struct DisposalForm {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// The policy's hash.
    #[serde(default)]
    pub riktlinje: String,
}

/// Approval of a proposal to dispose.
#[derive(Clone, Debug, Deserialize)]
pub struct ApproveForm {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// A hash of the proposal that was shown.
    #[serde(default)]
    pub visat: String,
}

/// A decision as sent. Repeated `val` fields need `axum_extra::extract::Form`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DecisionFields {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    pub csrf: String,
    /// The revision of the case that the person saw.
    pub utgava: u64,
    /// Steps of the history that the person saw.
    pub steg: usize,
    /// Number of the version that they saw.
    pub lydelse: u32,
    /// Choices' identifiers.
    pub val: Vec<String>,
    /// Choices that stood ticked but could not be sent, since their evidence was not sealed yet.
    pub sparrat: Vec<String>,
    /// `ja` where the person decides without those.
    pub avsta: String,
    /// Ground's code.
    pub grund: String,
    /// The answer.
    pub svar: String,
    /// The reference.
    pub hanvisning: String,
    /// Why not registered.
    pub skal: String,
    /// To whom to forward.
    pub till: String,
    /// What to tell them.
    pub till_not: String,
    /// What the platform is told in a report.
    pub anmalan: String,
    /// Until when to wait.
    pub vanta_till: String,
    /// The person's own time, where that was chosen: `2026-11-24T08:00`, as clocks show it here.
    pub vanta_egen: String,
    /// The person's own note.
    pub anteckning: String,
    /// `ja` where the answer is published although there was a warning of it.
    pub publicera: String,
    /// The text to put in the answer: the number of a saved reply, or `invanaren`.
    pub mall: String,
    /// The answer before something was put in.
    pub svar_fore: String,
    /// `angra` where that is to be taken out again.
    pub infoga: String,
    /// The case that it concerns, as typed.
    pub dnr: String,
    /// The provision that secrecy may rest on, as typed.
    pub lagrum: String,
    /// Where many are decided together: those that are, each as `case:revision`.
    pub valda: Vec<String>,
    /// What tells this form from every other, so that it is no second act when it is sent twice.
    pub formular: String,
    /// All that the list showed, ticked or not.
    pub visade: Vec<String>,
    /// `besluta` where the summary has been seen; else it is shown.
    pub gor: String,
    /// `ja` or `nej` to [`Question::Secrecy`], and so on: each question is a field of its own.
    pub sekretess: String,
    /// See [`Question::RaisesMatter`].
    pub arende: String,
    /// See [`Question::OngoingCase`].
    pub pagaende: String,
    /// See [`Question::LeadsToAction`].
    pub atgard: String,
    /// See [`Question::BecomesCase`].
    pub blir_arende: String,
    /// See [`Question::ExistingCase`].
    pub befintligt: String,
    /// See [`Question::SpecialInterest`].
    pub intresse: String,
    /// See [`Question::Simple`].
    pub enkelt: String,
    /// See [`Question::OutsideOurs`].
    pub utanfor: String,
}

impl DecisionFields {
    /// The decision.
    ///
    /// # Errors
    /// A Swedish sentence that says what to change; show the form again with [`Self::filled`].
    pub fn decision(&self) -> Result<Decision, String> {
        let choices = self.val.iter().map(|id| self.choice(id)).collect::<Result<Vec<_>, _>>()?;
        if self.filled().has_wrong_number() {
            return Err(WRONG_NUMBER.to_owned());
        }
        let ground = self.ground()?;
        for kind in self.barred() {
            // What excludes it was chosen in its place.
            let replaced = self.kinds().any(|chosen| kind.is_excluded_by(chosen));
            if !replaced && !choices.is_empty() {
                return Err(still_barred(kind));
            }
        }
        Decision::new(choices, ground, Some(self.anteckning.clone()))
            .map_err(|error| error.swedish())
    }

    /// Whether the form names images of child abuse. Then nothing of the item may be copied from now
    /// on, whatever becomes of the decision (regulation 2.2).
    pub fn suspects_child_abuse(&self) -> bool {
        Ground::from_code(&self.grund) == Some(Ground::ChildAbuse)
    }

    fn kinds(&self) -> impl Iterator<Item = ChoiceKind> {
        self.val.iter().filter_map(|id| ChoiceKind::from_id(id))
    }

    /// Choices that a browser does not send, since they were barred, though they stood ticked and
    /// the person has not let them go.
    fn barred(&self) -> impl Iterator<Item = ChoiceKind> {
        let barred = self.sparrat.iter().filter(|id| self.avsta != "ja" && !self.val.contains(id));
        barred.filter_map(|id| ChoiceKind::from_id(id))
    }

    /// What the person has answered on the diary.
    pub fn answered(&self) -> Answered {
        let answer = |question: &Question| (*question, self.answer(*question));
        register::read(Question::ALL.iter().map(answer), &self.dnr, &self.lagrum)
    }

    fn answer(&self, question: Question) -> &str {
        match question {
            Question::Secrecy => &self.sekretess,
            Question::RaisesMatter => &self.arende,
            Question::OngoingCase => &self.pagaende,
            Question::LeadsToAction => &self.atgard,
            Question::BecomesCase => &self.blir_arende,
            Question::ExistingCase => &self.befintligt,
            Question::SpecialInterest => &self.intresse,
            Question::Simple => &self.enkelt,
            Question::OutsideOurs => &self.utanfor,
        }
    }

    /// What the page showed of the case.
    pub fn seen(&self) -> Seen {
        Seen { steps: self.steg, version: self.lydelse }
    }

    /// What the person had filled in, to be shown again.
    pub fn filled(&self) -> Filled {
        Filled {
            choices: self.kinds().chain(self.barred()).collect(),
            ground: Ground::from_code(&self.grund),
            answer: self.svar.clone(),
            refer: self.hanvisning.clone(),
            reason: self.skal.clone(),
            to: self.till.clone(),
            forward_note: self.till_not.clone(),
            report: self.anmalan.clone(),
            note: self.anteckning.clone(),
            rest: Rest { chosen: self.vanta_till.clone(), own: self.vanta_egen.clone() },
            diary: self.answered(),
            number: self.dnr.trim().to_owned(),
            publishes: self.publicera.clone(),
            warning: None,
            before: None,
            said: None,
            preview: None,
            letter: None,
        }
    }

    fn ground(&self) -> Result<Option<Ground>, String> {
        if self.grund.is_empty() {
            return Ok(None);
        }
        match Ground::from_code(&self.grund) {
            Some(ground) => Ok(Some(ground)),
            None => Err("Grunden finns inte. Välj en grund i listan.".to_owned()),
        }
    }

    fn choice(&self, id: &str) -> Result<Choice, String> {
        let Some(kind) = ChoiceKind::from_id(id) else {
            return Err("Ett av valen finns inte. Ladda om sidan och välj på nytt.".to_owned());
        };
        Ok(match kind {
            ChoiceKind::Hide => Choice::Hide,
            ChoiceKind::Unhide => Choice::Unhide,
            ChoiceKind::Delete => Choice::Delete,
            ChoiceKind::Register => Choice::Register,
            ChoiceKind::Answer => Choice::Answer { text: text(&self.svar) },
            ChoiceKind::Refer => Choice::Refer { text: text(&self.hanvisning) },
            ChoiceKind::Forward => {
                Choice::Forward { to: text(&self.till), note: text(&self.till_not) }
            }
            ChoiceKind::Report => Choice::Report { reason: text(&self.anmalan) },
            ChoiceKind::Dismiss => Choice::Dismiss,
            ChoiceKind::NotRegister => Choice::NotRegister { reason: text(&self.skal) },
            ChoiceKind::Hold => Choice::Hold { until: self.until()? },
            ChoiceKind::Police => Choice::ConsiderPoliceReport,
        })
    }

    fn until(&self) -> Result<Timestamp, String> {
        let none = || "Välj när du vill bli påmind.".to_owned();
        if self.vanta_till == "egen" {
            let own: jiff::civil::DateTime = self.vanta_egen.parse().map_err(|_| none())?;
            let own = own.to_zoned(stockholm()).map_err(|_| none())?;
            return Ok(own.timestamp());
        }
        self.vanta_till.parse().map_err(|_| none())
    }
}

/// What is typed as the number of a case is none: left out, it would reach nobody.
const WRONG_NUMBER: &str = "Det du skrev som ärendets diarienummer är inget diarienummer. Skriv till exempel KS 2026/123, eller lämna rutan tom. Inget har beslutats.";

/// A removal that stood ticked was not sent along: leaving it out would decide something else than
/// what the page showed.
fn still_barred(kind: ChoiceKind) -> String {
    format!(
        "{} är valt men kunde inte tas med: beviset var inte säkrat än. Inget har beslutats. Vänta ett ögonblick tills det står Säkrat vid beviset och besluta igen, eller avstå från valet.",
        kind.label()
    )
}

/// Browsers send line breaks as CRLF; platforms and records want LF.
fn text(sent: &str) -> String {
    sent.replace("\r\n", "\n").trim().to_owned()
}

/// Undoing a decision.
#[derive(Clone, Debug, Deserialize)]
pub struct UndoFields {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// The decision, so that a newer one is not undone by an old page.
    pub beslut: DecisionId,
}

/// Trying a failed action again.
#[derive(Clone, Debug, Deserialize)]
pub struct RetryFields {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// The action.
    pub atgard: ActionId,
}

/// Entering a diary number.
#[derive(Clone, Debug, Deserialize)]
pub struct DiaryFields {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// As typed.
    pub nummer: String,
}

/// Putting a diary number right.
#[derive(Clone, Debug, Deserialize)]
pub struct CorrectionFields {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// The right number, as typed.
    pub nummer: String,
    /// Why.
    pub skal: String,
}

/// A form with a reason: lifting the bar on copying, a task that could not be done.
#[derive(Clone, Debug, Deserialize)]
pub struct ReasonFields {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// Why.
    pub skal: String,
}

/// Turning keys on or off.
#[derive(Clone, Debug, Deserialize)]
pub struct KeysFields {
    /// See [`csrf_matches`](super::guard::csrf_matches).
    #[serde(default)]
    pub csrf: String,
    /// `pa` or `av`.
    pub tangenter: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(val: &[&str]) -> DecisionFields {
        DecisionFields {
            val: val.iter().map(|v| (*v).to_owned()).collect(),
            ..DecisionFields::default()
        }
    }

    #[test]
    fn a_form_that_names_child_abuse_says_so_whatever_else_it_holds() {
        for val in [&["hold"][..], &["hide"], &[], &["explode"]] {
            let form = DecisionFields {
                grund: "barnporr".into(),
                sparrat: vec!["hide".into()],
                ..fields(val)
            };
            assert!(form.suspects_child_abuse(), "{val:?}");
        }
        assert!(
            !DecisionFields { grund: "hot".into(), ..fields(&["hide"]) }.suspects_child_abuse()
        );
    }

    #[test]
    fn a_form_turns_into_a_decision_or_a_sentence() {
        let hide = DecisionFields { grund: "hot".into(), ..fields(&["hide", "register"]) };
        let decision = hide.decision().unwrap();
        assert_eq!(decision.choices(), [Choice::Hide, Choice::Register]);
        assert_eq!(decision.ground(), Some(Ground::Threat));

        let answer = DecisionFields { svar: " Hej!\r\nVälkommen. ".into(), ..fields(&["answer"]) };
        assert_eq!(
            answer.decision().unwrap().choices(),
            [Choice::Answer { text: "Hej!\nVälkommen.".into() }]
        );

        let report = DecisionFields { anmalan: " Olaga hot.\r\n".into(), ..fields(&["report"]) };
        let report = report.decision().unwrap();
        assert_eq!(report.choices(), [Choice::Report { reason: "Olaga hot.".into() }]);

        let own = DecisionFields {
            vanta_till: "egen".into(),
            vanta_egen: "2026-11-24T08:00".into(),
            ..fields(&["hold"])
        };
        let until = "2026-11-24T07:00:00Z".parse().unwrap();
        assert_eq!(own.decision().unwrap().choices(), [Choice::Hold { until }]);

        for (form, sentence) in [
            (fields(&[]), "Välj vad som ska göras."),
            (fields(&["hide"]), "Välj en grund innan du döljer eller tar bort."),
            (fields(&["answer"]), "Skriv texten som ska publiceras."),
            (fields(&["report"]), "Skriv vad plattformen ska få veta i anmälan."),
            (
                DecisionFields {
                    vanta_till: "egen".into(),
                    vanta_egen: "snart".into(),
                    ..fields(&["hold"])
                },
                "Välj när du vill bli påmind.",
            ),
            (fields(&["hold"]), "Välj när du vill bli påmind."),
            (fields(&["explode"]), "Ett av valen finns inte. Ladda om sidan och välj på nytt."),
            (
                DecisionFields { grund: "tycke".into(), ..fields(&["hide"]) },
                "Grunden finns inte. Välj en grund i listan.",
            ),
            (
                fields(&["dismiss", "register"]),
                "Valen går inte att kombinera. Ta bort ett av dem och försök igen.",
            ),
        ] {
            assert_eq!(form.decision().unwrap_err(), sentence);
        }
    }

    #[test]
    fn a_ticked_choice_that_waits_for_evidence_is_never_left_out_in_silence() {
        let barred = |val: &[&str], avsta: &str| DecisionFields {
            sparrat: vec!["hide".into()],
            avsta: avsta.into(),
            grund: "hot".into(),
            ..fields(val)
        };
        for val in [&["register"][..], &["register", "police"], &["unhide", "police"]] {
            let form = barred(val, "");
            let refused = form.decision();
            if val.contains(&"unhide") {
                // It excludes hiding, so hiding was given up.
                assert!(refused.is_ok());
                continue;
            }
            assert!(refused.unwrap_err().starts_with("Dölj är valt men kunde inte tas med"));
            assert!(form.filled().choices.contains(&ChoiceKind::Hide), "it stands ticked again");
        }
        assert_eq!(
            barred(&["register"], "ja").decision().unwrap().choices(),
            [Choice::Register],
            "given up in so many words"
        );
        assert!(!barred(&["register"], "ja").filled().choices.contains(&ChoiceKind::Hide));
        assert!(barred(&["dismiss"], "").decision().is_ok(), "dismissed in its place");
        assert_eq!(
            barred(&["hide", "register"], "").decision().unwrap().choices(),
            [Choice::Hide, Choice::Register],
            "sent after all, once the evidence was sealed"
        );
    }

    #[tokio::test]
    async fn each_question_on_the_diary_is_a_field_that_goes_with_the_decision() {
        use axum::extract::FromRequest as _;
        use axum_extra::extract::Form;

        for question in Question::ALL {
            let body = format!("utgava=1&val=dismiss&{}=ja&dnr=+KS+2026%2F12", question.id());
            let request = axum::extract::Request::builder()
                .method("POST")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.into())
                .unwrap();
            let Form(fields) = Form::<DecisionFields>::from_request(request, &()).await.unwrap();
            let number = fields.answered().number.map(|n| n.to_string());
            assert_eq!(fields.answered().to, Answered::yes(&[*question]).to, "{question:?}");
            assert_eq!(number.as_deref(), Some("KS 2026/12"));
        }
    }

    #[test]
    fn what_is_no_diary_number_stops_the_decision_and_stays_to_be_mended() {
        let form = DecisionFields { dnr: " det gamla ".into(), ..fields(&["dismiss"]) };
        assert_eq!(form.decision().unwrap_err(), WRONG_NUMBER);
        assert_eq!(form.filled().number, "det gamla");
        assert!(form.filled().has_wrong_number());
        assert!(DecisionFields { dnr: " ".into(), ..fields(&["dismiss"]) }.decision().is_ok());
    }

    #[tokio::test]
    async fn browsers_send_one_choice_or_several_or_none() {
        use axum::extract::FromRequest as _;
        use axum_extra::extract::Form;

        for (body, ids) in [
            ("csrf=a&utgava=4&grund=&svar=&anteckning=", vec![]),
            ("csrf=a&utgava=4&val=dismiss", vec!["dismiss"]),
            (
                "utgava=4&val=hide&val=register&grund=hot&svar=%C3%A5%0D%0A",
                vec!["hide", "register"],
            ),
        ] {
            let request = axum::extract::Request::builder()
                .method("POST")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.into())
                .unwrap();
            let Form(fields) = Form::<DecisionFields>::from_request(request, &()).await.unwrap();
            assert_eq!(fields.val, ids);
            assert_eq!(fields.utgava, 4);
        }
    }
}
