//! Decisions by people: checked against role, capability and policy, then committed whole.

use std::time::Instant;

use jiff::Timestamp;
use metrics::{counter, histogram};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::classify::Context;
use crate::domain::action::ActionKind;
use crate::domain::category::{Category, Severity};
use crate::domain::custody::CustodyAct;
use crate::domain::decision::{Choice, Decision, warning_mark};
use crate::domain::duties::Standing;
use crate::domain::ground::Ground;
use crate::domain::ids::{ActionId, CaseId, DecisionId, DiaryNumber, VersionId};
use crate::domain::item::ItemKind;
use crate::domain::person::Act;
use crate::domain::policy::Policy;
use crate::domain::register::{Answered, Kept, Question, Subject, propose, unsaid};
use crate::domain::registration::parse_diary_number;
use crate::domain::saved_reply::unfilled;
use crate::domain::snooze::{is_grave, may_rest};
use crate::domain::text::{capitalised, hidden_at};
use crate::domain::together::{Pick, Within};
use crate::domain::verdict::Finding;
use crate::platforms::capability::{Capabilities, LengthUnit, Offer};
use crate::store::rows::{CaseRow, EvidenceState, ItemRow};
use crate::store::sqlite::decide::NewDecision;
use crate::telemetry::metrics as names;

use super::corrections::NOT_A_NUMBER;
use super::secrecy::mark_of;
use super::{Change, ServiceError, Services, Viewer};

/// What forwarding is where the settings name no unit that letters go to.
pub const FORWARD_BY_HAND: &str = "Uppsikt skickar inget brev hit. Du skickar det vidare för hand; det står under Att göra för hand tills du säger att det är klart.";

/// Why what is suspected cannot be dismissed.
const BARRED_NOT_DISMISSED: &str = "Inlägget är spärrat mot kopiering: det misstänks vara barnpornografibrott. Är misstanken fel häver den som är kontoansvarig först spärren, med ett skäl som sparas.";

/// What a decision comes to that may be made.
pub(super) struct Examined {
    /// What of it a person does on the platform itself.
    pub(super) by_hand: Vec<ActionKind>,
    /// What is kept of the answers on the diary.
    answered: Option<Kept>,
    /// The secrecy mark that it sets: provision and reason.
    mark: Option<(String, String)>,
}

/// What the person was warned of that stands in an answer, and publishes all the same.
#[derive(Clone, Debug)]
pub(super) enum Warned {
    /// The mark of what the warning said, as it was sent; empty where nothing was.
    Of(String),
    /// The same words have been judged already.
    Before,
}

impl Services {
    /// Bars a case's item from copying: the person suspects images of child abuse (regulation 2.2). By
    /// itself, asking nothing but leave to decide: whatever becomes of the decision, and whoever
    /// works on the case, from now on nothing of it is fetched, kept or shown.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`].
    pub async fn suspect(&self, viewer: &Viewer, case: CaseId) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        let line = viewer.line(CustodyAct::Suspect.id(), format!("case {case}"));
        let now = self.inner.clock.now();
        let is_new = self.inner.store.suspect(case, viewer.user, line, now).await?;
        self.note_log().await;
        if is_new {
            tracing::info!(case.id = %case, user.id = %viewer.user, "barred from copying");
            self.tell(Change::Case(case));
        }
        Ok(())
    }

    /// The same for a form that names that ground, whatever else it holds. Where the rules propose it,
    /// it stands in the form before anybody has chosen anything: then it is barred already, or a
    /// person has lifted the bar.
    ///
    /// # Errors
    /// As [`Services::suspect`].
    pub async fn suspect_by_form(&self, viewer: &Viewer, case: CaseId) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        let version = self.inner.store.case(case).await?.version;
        let verdict = self.inner.store.version(version).await?.verdict;
        if verdict.is_some_and(|verdict| verdict.bars_copying()) {
            return Ok(());
        }
        self.suspect(viewer, case).await
    }

    /// Decides. Durable when it returns; nothing is carried out before the time to undo is over.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] and [`ServiceError::Conflict`] with words for the person;
    /// nothing has changed then.
    pub async fn decide(
        &self,
        viewer: &Viewer,
        case: CaseId,
        revision: u64,
        decision: Decision,
    ) -> Result<DecisionId, ServiceError> {
        self.decide_with(viewer, case, revision, decision, &Answered::default()).await
    }

    /// Decides, with what the person has answered on the diary.
    ///
    /// # Errors
    /// As [`Services::decide`]; refused too is what the account's policy does not allow: a removal on a
    /// ground that it does not have, or one that goes against what must be registered.
    pub async fn decide_with(
        &self,
        viewer: &Viewer,
        case: CaseId,
        revision: u64,
        decision: Decision,
        answered: &Answered,
    ) -> Result<DecisionId, ServiceError> {
        self.decide_as_sent(viewer, case, revision, decision, answered, "").await
    }

    /// As [`Services::decide_with`]. `publishes`: the mark of the warning that the person has read and publishes in
    /// spite of ([`warning_mark`]); a mark of other words, or none, is as if nobody had been warned.
    ///
    /// # Errors
    /// As [`Services::decide_with`]; refused too is an answer of which nobody has been warned.
    pub async fn decide_as_sent(
        &self,
        viewer: &Viewer,
        case: CaseId,
        revision: u64,
        decision: Decision,
        answered: &Answered,
        publishes: &str,
    ) -> Result<DecisionId, ServiceError> {
        let warned = Warned::Of(publishes.to_owned());
        self.decide_within(viewer, Pick { case, revision }, decision, answered, warned, None).await
    }

    /// The same, perhaps as one of many that are decided in one act.
    pub(super) async fn decide_within(
        &self,
        viewer: &Viewer,
        pick: Pick,
        decision: Decision,
        answered: &Answered,
        warned: Warned,
        within: Option<Within>,
    ) -> Result<DecisionId, ServiceError> {
        viewer.demand(Act::Decide)?;
        let begun = Instant::now();
        let Pick { case, revision } = pick;
        self.demand_open(viewer, case).await?;
        if decision.ground() == Some(Ground::ChildAbuse) {
            self.suspect(viewer, case).await?;
        }
        let row = self.inner.store.case(case).await?;
        let item = self.inner.store.item(row.item).await?;
        let now = self.inner.clock.now();
        let policy = self.policy_of(item.account);
        let secret = answered.is_yes(Question::Secrecy);
        let decision = signed(viewer, &policy, decision);
        let Examined { by_hand, answered, mark } =
            self.examine(&row, &item, &decision, answered, now).await?;
        // A report may well say what it is about: it is not published.
        let published = |choice: &&Choice| !matches!(choice, Choice::Report { .. });
        let said = decision.choices().iter().filter(published).filter_map(Choice::action_text);
        let warning = self.warns_of(said, secret);
        let in_spite = match (&warning, &warned) {
            (Some(warning), Warned::Of(mark)) => *mark == warning_mark(warning),
            (Some(_), Warned::Before) => true,
            (None, Warned::Of(_) | Warned::Before) => false,
        };
        if let Some(warning) = warning.filter(|_| !in_spite) {
            let why = format!(
                "{warning} Läs svaret en gång till: ändra det, eller kryssa för Publicera ändå."
            );
            return Err(ServiceError::Refused { why });
        }
        if decision.removes() {
            self.check_seal(row.version).await?;
        }
        let decision = match policy.duties.registers_before_removal() {
            true => decision.registering_first(),
            false => decision,
        };
        let undo_until = now.saturating_add(policy.undo).unwrap_or(now);
        let undo_until = within.map_or(undo_until, |within| within.undo_until.max(undo_until));
        let mut line = viewer.line("case.decide", format!("case {case}"));
        let ids: Vec<_> = decision.choices().iter().map(Choice::id).collect();
        let in_spite = if in_spite { ", publicerat trots varning" } else { "" };
        line.detail = Some(format!("{}{in_spite}", ids.join(",")));
        let user = viewer.user;
        let bulk = within;
        let new = NewDecision {
            case,
            revision,
            user,
            decision,
            undo_until,
            answered,
            policy: policy.version,
            by_hand,
            mark,
            bulk,
            line,
        };
        let decided = match self.inner.store.decide(new, now).await {
            Ok(decided) => decided,
            Err(error) => return Err(self.told_of_claim(case, error).await),
        };
        self.note_log().await;
        counter!(names::DECISIONS).increment(1);
        histogram!(names::DECISION_SECONDS).record(begun.elapsed().as_secs_f64());
        tracing::info!(case.id = %case, decision.id = %decided, user.id = %viewer.user, "decided");
        self.inner.wakes.outbox.notify_one();
        self.tell(Change::Case(case));
        Ok(decided)
    }

    /// Refuses what item, platform or policy does not allow, before anything is promised.
    pub(super) async fn examine(
        &self,
        row: &CaseRow,
        item: &ItemRow,
        decision: &Decision,
        answered: &Answered,
        now: Timestamp,
    ) -> Result<Examined, ServiceError> {
        if item.no_copy && decision.choices().contains(&Choice::Dismiss) {
            return Err(ServiceError::Refused { why: BARRED_NOT_DISMISSED.into() });
        }
        let mut by_hand = self.check_capabilities(item, decision)?;
        if self.goes_by_mail(row, decision, answered.is_yes(Question::Secrecy)).await? {
            by_hand.retain(|kind| *kind != ActionKind::Forward);
        }
        if let Some(until) = decision.held_until() {
            let verdict = self.inner.store.version(row.version).await?.verdict;
            // What nobody has judged may be anything.
            let grave = verdict.as_ref().is_none_or(is_grave) || item.no_copy;
            may_rest(until, row.due_at, grave, now)
                .map_err(|no| ServiceError::Refused { why: no.words(now) })?;
        }
        let policy = self.policy_of(item.account);
        if let Some(why) = policy.doubt.as_deref().filter(|_| decision.removes()) {
            return Err(ServiceError::Refused { why: why.into() });
        }
        check_secrecy(&policy, decision, answered.says_secret(decision.ground()))?;
        let verdict = self.inner.store.version(row.version).await?.verdict;
        let incoming = item.kind == ItemKind::DirectMessage
            || verdict.is_some_and(|verdict| verdict.is_incoming());
        let before = self.inner.store.is_answered(row.id).await?;
        if let Some(why) = unsaid(item.kind, incoming, before, decision) {
            return Err(ServiceError::Refused { why });
        }
        let mark = mark_of(decision, answered)?;
        let answered = check_policy(&policy, item.kind, incoming, decision, answered)?;
        check_lengths(decision)?;
        Ok(Examined { by_hand, answered, mark })
    }

    /// Refuses what the platform, or this very item, does not allow: the person is told before
    /// anything is promised. Gives what a person has to do on the platform itself.
    fn check_capabilities(
        &self,
        item: &ItemRow,
        decision: &Decision,
    ) -> Result<Vec<ActionKind>, ServiceError> {
        let mut by_hand = Vec::new();
        let refused = |why: String| Err(ServiceError::Refused { why });
        for choice in decision.choices() {
            if matches!(choice, Choice::Forward { .. }) {
                by_hand.push(ActionKind::Forward);
                continue;
            }
            let Some(kind) = choice.action() else { continue };
            if let Some(barred) = item.barred.iter().find(|barred| barred.act == kind) {
                return refused(barred.why.clone());
            }
            let Some(served) = self.served(item.account) else {
                return refused("Kontot finns inte längre i inställningarna, så plattformen kan inte nås. Lägg tillbaka kontot, eller gör åtgärden på plattformen.".into());
            };
            let capabilities = served.platform.capabilities();
            if let Choice::Answer { text } | Choice::Refer { text } = choice {
                check_answer(text, &capabilities, item.kind)?;
            }
            match offered(&capabilities, kind, item.kind) {
                None | Some(Offer::Native | Offer::Conditional { .. }) => {}
                Some(Offer::ByHand { .. }) => by_hand.push(kind),
                Some(Offer::No { why }) => {
                    return refused(format!(
                        "{} kan inte göras härifrån: {why}",
                        capitalised(kind.label())
                    ));
                }
            }
        }
        Ok(by_hand)
    }

    /// Refuses a removal whose evidence is not whole, before anything is promised. The outbox
    /// checks again when it comes to the act.
    async fn check_seal(&self, version: VersionId) -> Result<(), ServiceError> {
        let Some(row) = self.inner.store.evidence_of(version).await? else { return Ok(()) };
        if !matches!(row.state, EvidenceState::Sealed { .. }) {
            return Ok(());
        }
        self.inner.evidence.intact(&row).await.map_err(|error| {
            tracing::error!(evidence.id = %row.id, error = &error as &dyn std::error::Error, "the evidence fails its check");
            ServiceError::Refused {
                why: "Beviset är inte helt: en fil saknas eller har ändrats. Inget har beslutats. Kontakta den som sköter servern.".into(),
            }
        })?;
        Ok(())
    }

    /// What stands in texts of ours that should not be published, each once, with the words themselves.
    pub(super) fn slips<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for text in texts {
            let verdict = self.classifier().classify(text, &Context::default());
            for finding in verdict.findings.iter().filter(|finding| is_a_slip(finding)) {
                let span = finding.spans.first();
                let words = span.and_then(|span| text.get(span.start as usize..span.end as usize));
                let told = match words {
                    Some(words) => format!("{} (”{words}”)", finding.category.label()),
                    None => finding.category.label().to_owned(),
                };
                if !found.contains(&told) {
                    found.push(told);
                }
            }
        }
        found
    }

    /// What a person should know of an answer before it is published, in Swedish.
    pub fn warns_of<'t>(
        &self,
        texts: impl Iterator<Item = &'t str>,
        secret: bool,
    ) -> Option<String> {
        let mut texts = texts.filter(|text| !text.trim().is_empty()).peekable();
        texts.peek()?;
        let found = self.slips(texts);
        let held = (!found.is_empty()).then(|| format!("Svaret innehåller {}.", found.join(", ")));
        let secret = secret.then(|| {
            "Du har svarat att inlägget kan omfattas av sekretess, och ett svar som alla ser kan röja det.".to_owned()
        });
        let told: Vec<_> = secret.into_iter().chain(held).collect();
        (!told.is_empty()).then(|| told.join(" "))
    }

    /// Undoes the standing decision while nothing has begun.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] when it is too late.
    pub async fn undo(
        &self,
        viewer: &Viewer,
        case: CaseId,
        decision: DecisionId,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let line = viewer.line("case.undo", format!("case {case}"));
        self.inner.store.undo(case, decision, viewer.user, line, self.inner.clock.now()).await?;
        self.note_log().await;
        self.tell(Change::Case(case));
        Ok(())
    }

    /// Tries one failed action again.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where that action has not failed.
    pub async fn try_again(
        &self,
        viewer: &Viewer,
        case: CaseId,
        action: ActionId,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let now = self.inner.clock.now();
        let line = viewer.line("case.try_again", format!("case {case}"));
        if !self.inner.store.try_failed_again(case, action, viewer.user, line, now).await? {
            return Err(ServiceError::Refused {
                why: "Åtgärden är inte misslyckad längre. Läs historiken för att se hur det gick."
                    .into(),
            });
        }
        self.note_log().await;
        self.inner.wakes.outbox.notify_one();
        self.tell(Change::Case(case));
        Ok(())
    }

    /// Enters the diary number that came back.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it is no diary number or none is awaited.
    pub async fn enter_diary_number(
        &self,
        viewer: &Viewer,
        case: CaseId,
        number: &str,
    ) -> Result<DiaryNumber, ServiceError> {
        viewer.demand(Act::EnterDiaryNumber)?;
        self.demand_open(viewer, case).await?;
        let number = parse_diary_number(number)
            .map_err(|_| ServiceError::Refused { why: NOT_A_NUMBER.into() })?;
        let line = viewer.line("case.diary_number", format!("case {case}"));
        let now = self.inner.clock.now();
        self.inner.store.enter_diary_number(case, number.clone(), viewer.user, line, now).await?;
        self.note_log().await;
        self.tell(Change::Case(case));
        Ok(number)
    }

    /// Brings back cases whose time of waiting is over.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn end_holds(&self) -> Result<(), ServiceError> {
        let back = self.inner.store.end_holds(self.inner.clock.now()).await?;
        self.tell_cases(&back);
        Ok(())
    }
}

/// Refuses what the account's policy does not allow, in words that say what to change. Gives what is kept of
/// the answers on the diary.
fn check_policy(
    policy: &Policy,
    kind: ItemKind,
    incoming: bool,
    decision: &Decision,
    answered: &Answered,
) -> Result<Option<Kept>, ServiceError> {
    let refused = |why: String| Err(ServiceError::Refused { why });
    if let Some(ground) = decision.ground().filter(|_| decision.removes()) {
        if !policy.duties.may_remove_for(ground) {
            let instead = match policy.duties.ground(ground).map(|known| known.standing) {
                Some(Standing::Escalate) => {
                    "Berätta för närmaste chef med Vidarebefordra, och välj en annan grund om något ska tas bort."
                }
                Some(Standing::Refer) => "Hänvisa i stället, eller välj en annan grund.",
                Some(Standing::Named | Standing::Covered | Standing::May | Standing::Statute)
                | None => "Välj en annan grund, eller låt inlägget stå.",
            };
            return refused(format!(
                "{} tar inte bort något på grunden {}. {instead}",
                policy.name,
                ground.label()
            ));
        }
        if ground.needs_words() && decision.note().is_none() {
            return refused(format!(
                "Grunden {} säger för lite. Skriv i din anteckning vilken lag eller vilket styrdokument det gäller.",
                ground.label()
            ));
        }
    }
    let proposal = propose(&policy.duties, Subject::of(kind, decision), answered);
    match proposal.refuses(decision) {
        Some(why) => refused(why),
        None => Ok(Kept::of(decision, answered, &proposal, incoming)),
    }
}

/// The decision with what it publishes signed as the account's policy has it: what the preview shows.
pub(super) fn signed(viewer: &Viewer, policy: &Policy, decision: Decision) -> Decision {
    let signature = policy.duties.answers.signature;
    decision.with_published(|text| signature.under(text, &viewer.name, &viewer.title))
}

/// Refuses to go on with a talk that the policy breaks off where it comes to what is secret (Finspång 438).
fn check_secrecy(policy: &Policy, decision: &Decision, secret: bool) -> Result<(), ServiceError> {
    let answers = |choice: &Choice| matches!(choice, Choice::Answer { .. } | Choice::Refer { .. });
    if secret && policy.duties.register.secrecy_ends_talk && decision.choices().iter().any(answers)
    {
        return Err(ServiceError::Refused {
            why: format!(
                "{} avbryter samtalet när det kan gälla sekretess, så inget svar publiceras här. Ta bort Svara eller Hänvisa, och kontakta den som skrev på ett annat sätt.",
                policy.name
            ),
        });
    }
    Ok(())
}

/// What an answer of ours should not hold: numbers of persons, and what would be flagged if somebody else wrote it.
fn is_a_slip(finding: &Finding) -> bool {
    let graver = finding.severity >= Severity::Medium;
    match finding.category {
        Category::PersonalId | Category::SensitiveData => true,
        Category::Threat
        | Category::Incitement
        | Category::Hate
        | Category::Violence
        | Category::Sexual
        | Category::PersonalData
        | Category::Insult
        | Category::Profanity
        | Category::LinkIllegal => graver,
        // The authority's own matters: it may advertise, name a party, link, and ask.
        Category::Copyright
        | Category::Spam
        | Category::Commercial
        | Category::PartyPolitical
        | Category::Case
        | Category::Question => false,
    }
}

/// The longest reason or note, in characters: more is a document, not a note.
const LONGEST_NOTE: usize = 10_000;

fn check_lengths(decision: &Decision) -> Result<(), ServiceError> {
    let own = decision.note().map(|note| ("Anteckningen", note));
    let words = decision.choices().iter().filter_map(|choice| match choice {
        Choice::NotRegister { reason } => Some(("Skälet", reason.as_str())),
        Choice::Forward { note, .. } => Some(("Meddelandet till mottagaren", note.as_str())),
        Choice::Report { reason } => Some(("Anmälan", reason.as_str())),
        Choice::Hide
        | Choice::Unhide
        | Choice::Delete
        | Choice::Register
        | Choice::Answer { .. }
        | Choice::Refer { .. }
        | Choice::Dismiss
        | Choice::ConsiderPoliceReport
        | Choice::Hold { .. } => None,
    });
    for (what, text) in own.into_iter().chain(words) {
        // History would show something else than what is sealed.
        let unseen = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
        if let Some(c) = unseen.or_else(|| hidden_at(text).first().map(|(_, c)| *c)) {
            return Err(ServiceError::Refused {
                why: format!(
                    "{what} innehåller ett dolt tecken (U+{:04X}) som ingen ser men som kan ändra hur texten visas. Skriv stället för hand i stället för att klistra in det.",
                    u32::from(c)
                ),
            });
        }
        let length = text.chars().count();
        if length > LONGEST_NOTE {
            return Err(ServiceError::Refused {
                why: format!(
                    "{what} har {length} tecken; högst 10 000 får plats. Korta texten och försök igen."
                ),
            });
        }
    }
    Ok(())
}

/// Refuses an answer that the platform would not take, or that holds what nobody can read.
pub(super) fn check_answer(
    text: &str,
    can: &Capabilities,
    item: ItemKind,
) -> Result<(), ServiceError> {
    let refused = |why: String| Err(ServiceError::Refused { why });
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return refused("Svaret innehåller tecken som inte går att visa. Skriv om det.".into());
    }
    if let Some((_, c)) = hidden_at(text).first() {
        return refused(format!(
            "Svaret innehåller ett dolt tecken (U+{:04X}) som ingen ser men som kan ändra hur texten visas. Skriv om stället för hand i stället för att klistra in det.",
            u32::from(*c)
        ));
    }
    if let Some(field) = unfilled(text) {
        return refused(format!(
            "I svaret står {field} kvar. Skriv det som ska stå där, eller ta bort det. Inget har beslutats."
        ));
    }
    let longest = match item {
        ItemKind::DirectMessage => can.longest_message,
        ItemKind::Comment
        | ItemKind::Reply
        | ItemKind::PostByOther
        | ItemKind::Mention
        | ItemKind::Review => can.longest_reply,
    };
    let Some(limit) = longest else { return Ok(()) };
    let (length, unit) = match limit.unit {
        LengthUnit::Bytes => (text.len(), "byte"),
        LengthUnit::Graphemes => (text.graphemes(true).count(), "tecken"),
        // The platform's own weighting never counts a text as shorter than half its characters;
        // what is closer to the limit than that the platform itself refuses with its reason.
        LengthUnit::Weighted => (text.chars().count().div_ceil(2), "tecken"),
        LengthUnit::Characters => (text.chars().count(), "tecken"),
    };
    if length > limit.most as usize {
        return refused(format!(
            "Svaret är {length} {unit} långt; plattformen tar högst {}. Korta det.",
            limit.most
        ));
    }
    Ok(())
}

/// What the platform says of an action; nothing where it is carried out inside the authority.
fn offered(capabilities: &Capabilities, action: ActionKind, item: ItemKind) -> Option<&Offer> {
    match action {
        ActionKind::Hide => Some(&capabilities.hide),
        ActionKind::Unhide => Some(&capabilities.unhide),
        ActionKind::Delete => Some(&capabilities.delete),
        ActionKind::Report => Some(&capabilities.report),
        ActionKind::Reply if item == ItemKind::DirectMessage => Some(&capabilities.reply_message),
        ActionKind::Reply => Some(&capabilities.reply_comment),
        ActionKind::Register | ActionKind::Forward => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::calendar::OfficeHours;
    use crate::domain::deadline::Clock;
    use crate::domain::duties::{MustNotRegister, OnRemoval, PolicyGround, Standing};
    use crate::domain::ids::ContentHash;
    use crate::domain::policy::{Line, Proposed, Rule};
    use crate::domain::register::Question;

    fn policy() -> Policy {
        let line = || Line { choices: vec![Proposed::Dismiss], clock: Clock::AtOnce };
        let rule = || Rule::plain(None, "Prov.".into(), [line(), line(), line()]);
        let (version, undo) = (ContentHash::of(b""), SignedDuration::ZERO);
        let office = OfficeHours::default();
        let mut policy = Policy::new("Provets".into(), version, undo, office, rule(), |_| rule());
        policy.duties.grounds = vec![
            PolicyGround::plain(Ground::Threat, Standing::Named),
            PolicyGround::plain(Ground::LawOrPolicy, Standing::Named),
            PolicyGround::plain(Ground::PartyPolitical, Standing::Refer),
        ];
        policy.duties.register.on_removal = OnRemoval::Always;
        policy.duties.register.must_not = vec![MustNotRegister::Simple];
        policy
    }

    fn refusal(
        choices: &[Choice],
        ground: Option<Ground>,
        note: Option<&str>,
        yes: &[Question],
    ) -> Option<String> {
        let note = note.map(str::to_owned);
        let decision = Decision::new(choices.to_vec(), ground, note).expect("fits together");
        match check_policy(&policy(), ItemKind::Comment, false, &decision, &Answered::yes(yes)) {
            Ok(_) => None,
            Err(ServiceError::Refused { why }) => Some(why),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_removal_needs_a_ground_of_the_policy_and_words_where_the_ground_says_too_little() {
        let both = [Choice::Hide, Choice::Register];
        assert_eq!(refusal(&both, Some(Ground::Threat), None, &[]), None);
        let other = refusal(&both, Some(Ground::Profanity), None, &[]);
        assert!(other.is_some_and(|why| why.contains("Provets tar inte bort något på grunden")));
        assert!(refusal(&both, Some(Ground::PartyPolitical), None, &[]).is_some());
        let vague = refusal(&both, Some(Ground::LawOrPolicy), None, &[]);
        assert!(vague.is_some_and(|why| why.contains("säger för lite")));
        assert_eq!(
            refusal(&both, Some(Ground::LawOrPolicy), Some("Alkohollagen 8 kap."), &[]),
            None
        );
        // What removes nothing may be noted for any ground.
        assert_eq!(refusal(&[Choice::Register], Some(Ground::Profanity), None, &[]), None);
    }

    #[test]
    fn a_removal_is_not_promised_without_the_registration_that_the_policy_forces() {
        let alone = refusal(&[Choice::Hide], Some(Ground::Threat), None, &[]);
        assert!(alone.is_some_and(|why| why.contains("Välj också Diarieför")));
        let simple = refusal(&[Choice::Register], None, None, &[Question::Simple]);
        assert!(simple.is_some_and(|why| why.contains("skriv varför")));
        let until = Timestamp::UNIX_EPOCH;
        assert_eq!(refusal(&[Choice::Hold { until }], None, None, &[Question::Secrecy]), None);
    }
}
