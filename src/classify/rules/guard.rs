//! Guards: what makes a hit harmless whatever rule it comes from.
//!
//! Four have a shape of their own, since order and distance decide: `negation`, `quotation`,
//! `report` and `question`. All others, and what the four cannot see, are lists of patterns that
//! authors write as `[[guard]]`, by where they stand to the hit.

use std::sync::Arc;

use crate::classify::rules::conditions::Conditions;
use crate::classify::rules::everyday::Often;
use crate::classify::rules::pattern::{Match, Pattern};
use crate::classify::rules::sets::Asked;
use crate::classify::rules::{TextPattern, View, WINDOW};
use crate::classify::words::ClassId;

/// A guard, ready for use.
#[derive(Debug, Default)]
pub struct Guard {
    /// The name that rules use.
    pub id: Arc<str>,
    /// What order and distance decide.
    pub shape: Option<Shape>,
    /// Just before the hit, at most [`NEAR`] words between.
    pub lead: Conditions,
    /// Just after the hit.
    pub tail: Conditions,
    /// Before the hit in its sentence.
    pub before: Conditions,
    /// After the hit in its sentence.
    pub after: Conditions,
    /// Anywhere in the sentence.
    pub sentence: Conditions,
    /// Sharing words with the hit.
    pub overlap: Conditions,
    /// Anywhere in the text.
    pub text: Vec<TextPattern>,
    /// In the sentence, these lift the guard.
    pub except: Conditions,
    /// In the text, these lift the guard.
    pub except_text: Vec<TextPattern>,
}

/// How many words may stand between a hit and what leads it in or follows it up.
const NEAR: usize = 2;

/// The guards with a shape of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// *inte, aldrig, ingen* in the clause of the hit.
    Negation,
    /// Between quotation marks, and told of rather than said.
    Quotation,
    /// Told of somebody else: *han hotade, de skrev att, dömdes för*.
    Report,
    /// In a question.
    Question,
}

impl Shape {
    /// The shaped guards by name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("negation", Self::Negation),
        ("quotation", Self::Quotation),
        ("report", Self::Report),
        ("question", Self::Question),
    ];
}

/// The classes that the shapes look for.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuardClasses {
    /// *inte, aldrig…*
    pub negation: Option<ClassId>,
    /// *sluta, vägra, slippa*: what follows is not done.
    pub refusal: Option<ClassId>,
    /// *bara, minst, rädd*: after these a negation does not negate.
    pub apparent: Option<ClassId>,
    /// *att, så, vill*: may stand between a negation and what it negates.
    pub bridge: Option<ClassId>,
    /// *dig, dem, verkligen*: may stand between what is negated and a negation after it.
    pub light: Option<ClassId>,
    /// *men, om, annars*: a new clause begins.
    pub border: Option<ClassId>,
    /// *ska, borde, kan*.
    pub modal: Option<ClassId>,
    /// *jag, vi*.
    pub first_person: Option<ClassId>,
    /// *du, ni, någon, vi*: subjects of a suggestion (*kan inte någon…*).
    pub subject: Option<ClassId>,
    /// *han, hon, mannen, en*: who is quoted.
    pub other_person: Option<ClassId>,
    /// *sa, skrev, ordet, kallas…*: what stands outside a quotation that reports it.
    pub utterance: Option<ClassId>,
    /// *skrek, sa, skrev*: verbs of saying that follow what was said.
    pub said: Option<ClassId>,
    /// *hotade, dömdes, polisen…*: somebody else's act is told.
    pub report: Option<ClassId>,
    /// Those of them that say nothing where the writer speaks of herself: *polisen, filmen*.
    pub report_thing: Option<ClassId>,
    /// *noll, ett, två…*: a number may be spelled out.
    pub number_word: Option<ClassId>,
}

impl Guard {
    /// Makes all its patterns ready to be looked for.
    pub fn prepare(&mut self, asked: &Asked, often: &Often) {
        let Self { lead, tail, before, after, sentence, overlap, except, .. } = self;
        let of_sentences = [lead, tail, before, after, sentence, overlap, except];
        of_sentences.into_iter().for_each(|c| c.prepare(asked, often));
        let of_texts = self.text.iter_mut().chain(&mut self.except_text).map(|t| &mut t.pattern);
        of_texts.for_each(|p| p.prepare_gated(asked, often));
    }

    /// All its patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let Self { lead, tail, before, after, sentence, overlap, except, .. } = self;
        let of_sentences = [lead, tail, before, after, sentence, overlap, except];
        let of_texts = self.text.iter().chain(&self.except_text).map(|t| &t.pattern);
        of_sentences.into_iter().flat_map(Conditions::iter).chain(of_texts)
    }

    /// Whether the guard makes the hit harmless. `at` is the word at which looking began.
    pub fn stops(
        &self,
        view: &View<'_>,
        at: usize,
        matched: &Match,
        classes: &GuardClasses,
    ) -> bool {
        let (lo, hi) = matched.bounds();
        let shaped = self.shape.is_some_and(|shape| match shape {
            Shape::Negation => negated(view, matched, classes),
            Shape::Quotation => quoted(view, at, classes),
            Shape::Report => reported(view, matched, classes),
            Shape::Question => view.sentence(at).asks,
        });
        let stops = shaped
            || self.lead.any(view, at, |m| {
                let end = m.bounds().1;
                end < lo && lo - end <= NEAR + 1
            })
            || self.tail.any(view, at, |m| {
                let start = m.bounds().0;
                start > hi && start - hi <= NEAR + 1
            })
            || self.before.any(view, at, |m| m.bounds().1 < lo)
            || self.after.any(view, at, |m| m.bounds().0 > hi)
            || self.sentence.any(view, at, |_| true)
            || self.overlap.any(view, at, |m| m.overlaps(lo, hi))
            || self.text.iter().any(|p| p.holds(view));
        stops
            && !self.except.any(view, at, |_| true)
            && !self.except_text.iter().any(|p| p.holds(view))
    }
}

fn is(view: &View<'_>, at: usize, class: Option<ClassId>) -> bool {
    class.is_some_and(|class| view.is(at, class))
}

/// Swedish negation: in the main clause after the finite verb (*ska inte döda*), in the
/// subordinate clause before it (*att jag inte ska döda*), after a light object (*dödar dig
/// inte*), or above it (*vill inte att du dör*). A comma or a new clause shields the hit (*om du
/// inte slutar ska jag*).
fn negated(view: &View<'_>, matched: &Match, c: &GuardClasses) -> bool {
    let (lo, hi) = matched.bounds();
    let sentence = view.sentence(lo);
    let (first, last) = (sentence.first as usize, sentence.last as usize);
    let negates = |i: usize| {
        is(view, i, c.negation) && !matched.holds(i) && !is_apparent(view, i, first, last, c)
    };
    if (lo + 1..hi.min(last)).any(negates) {
        return true;
    }
    for i in (first.max(lo.saturating_sub(4))..lo).rev() {
        if view.breaks_after(i) {
            break;
        }
        let near = (i + 1..lo).all(|k| is(view, k, c.bridge));
        if is(view, i, c.negation) {
            if near && negates(i) {
                return true;
            }
            break;
        }
        if is(view, i, c.refusal) {
            let denied = i > first && is(view, i - 1, c.negation);
            let begins = is(view, lo, c.modal) || is(view, lo, c.first_person);
            if near && !denied && !begins {
                return true;
            }
        } else if is(view, i, c.border) {
            break;
        }
    }
    for i in hi + 1..last.min(hi + 3) {
        if view.breaks_after(i - 1) || is(view, i, c.border) {
            break;
        }
        if negates(i) {
            return true;
        }
        if !is(view, i, c.light) {
            break;
        }
    }
    false
}

/// *inte bara*, *om inte*, *varför inte*, *kan inte någon…*: a negation that negates nothing.
fn is_apparent(view: &View<'_>, at: usize, first: usize, last: usize, c: &GuardClasses) -> bool {
    if at + 1 < last && is(view, at + 1, c.apparent) {
        return true;
    }
    if at == first {
        return false;
    }
    let before = at - 1;
    let opens = before == first || view.breaks_after(before - 1) || is(view, before - 1, c.border);
    is(view, before, c.border)
        || (opens && is(view, before, c.modal) && at + 1 < last && is(view, at + 1, c.subject))
}

/// The word stands between quotation marks, and outside them somebody tells of it.
fn quoted(view: &View<'_>, at: usize, c: &GuardClasses) -> bool {
    if !view.token(at).quoted {
        return false;
    }
    let to = (at + WINDOW).min(view.tokens.tokens.len());
    (at.saturating_sub(WINDOW)..to).any(|i| !view.token(i).quoted && is(view, i, c.utterance))
}

/// Somebody else's words or deeds are told: *han sa att…*, *dömdes för att…*, *…, skrek mannen*.
fn reported(view: &View<'_>, matched: &Match, c: &GuardClasses) -> bool {
    let (lo, hi) = matched.bounds();
    let sentence = view.sentence(lo);
    let (first, last) = (sentence.first as usize, sentence.last as usize);
    let of_oneself = matched.tokens.iter().any(|t| is(view, *t as usize, c.first_person));
    for i in first.max(lo.saturating_sub(WINDOW))..lo {
        if !is(view, i, c.report) || (of_oneself && is(view, i, c.report_thing)) {
            continue;
        }
        let i_said = (i > first && is(view, i - 1, c.first_person))
            || (i + 1 < lo && is(view, i + 1, c.first_person));
        if !(i_said && is(view, i, c.said)) {
            return true;
        }
    }
    (hi + 1..last.min(hi + 5)).any(|i| {
        is(view, i, c.said)
            && i + 1 < last
            && (is(view, i + 1, c.other_person) || view.is_name(i + 1))
    })
}
