//! Rules: what must stand around a listed word for a finding.
//!
//! A rule is looked at only where its anchor word stands, so a text without listed words costs
//! nothing here. Every look is bounded: patterns are short, gaps have a length, conditions look at
//! most [`WINDOW`] tokens away; the work is linear in the text whatever the text.

pub mod pattern;

use std::sync::Arc;

use crate::classify::fold::Folded;
use crate::classify::identifier::marks::Marks;
use crate::classify::lexicon::file::Guard;
use crate::classify::rules::pattern::{Match, Pattern};
use crate::classify::tokens::{Sentence, Token, Tokens};
use crate::classify::words::{ClassId, Words};
use crate::domain::category::{Category, Severity};

/// How far, in tokens, a condition of a rule looks from the hit.
pub const WINDOW: usize = 30;

/// How often one rule may hit in one text; further hits add nothing for the editor.
pub const MOST_HITS: usize = 16;

/// A rule, ready for use.
#[derive(Debug)]
pub struct Rule {
    /// The identifier.
    pub id: Arc<str>,
    /// What it finds.
    pub category: Category,
    /// How grave.
    pub severity: Severity,
    /// The sentence for the editor.
    pub why: Arc<str>,
    /// Law or house rule.
    pub legal: Arc<str>,
    /// What to look for: any of these.
    pub patterns: Vec<Pattern>,
    /// Idioms: a hit that overlaps one is none.
    pub except: Vec<Pattern>,
    /// In the same sentence, these cancel the hit.
    pub unless: Vec<Pattern>,
    /// In the same sentence, one of these is needed as well.
    pub requires: Vec<Pattern>,
    /// General guards.
    pub guards: Vec<Guard>,
}

/// The classes that the guards look for.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuardClasses {
    /// *inte, aldrig…*
    pub negation: Option<ClassId>,
    /// *sa, skrev, ordet, kallas…*: what stands outside a quotation that reports it.
    pub utterance: Option<ClassId>,
    /// *hotade, dömdes, polisen…*: somebody else's act is told.
    pub report: Option<ClassId>,
    /// *noll, ett, två…*: a number may be spelled out.
    pub number_word: Option<ClassId>,
}

/// The text as rules see it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The text as received.
    pub original: &'a str,
    /// Its matching form.
    pub folded: &'a Folded,
    /// Its tokens.
    pub tokens: &'a Tokens,
    /// What the lexicon knows of words.
    pub words: &'a Words,
    /// What was proved of numbers and addresses.
    pub marks: &'a Marks,
}

impl View<'_> {
    /// Whether the token belongs to the class.
    pub fn is(&self, at: usize, class: ClassId) -> bool {
        self.words.classes_of(self.token(at).entry).contains(&class)
    }

    /// The token.
    pub fn token(&self, at: usize) -> &Token {
        &self.tokens.tokens[at]
    }

    /// The sentence of a token.
    pub fn sentence(&self, at: usize) -> Sentence {
        self.tokens.sentences[self.token(at).sentence as usize]
    }

    /// Whether the word stood with a capital first letter inside a sentence: a name, most often.
    pub fn is_name(&self, at: usize) -> bool {
        let token = self.token(at);
        if at == self.sentence(at).first as usize {
            return false;
        }
        let start = self.folded.original(token.start, token.end).start as usize;
        let mut letters = self.original[start..].chars();
        letters.next().is_some_and(char::is_uppercase)
            && letters.next().is_some_and(char::is_lowercase)
    }

    /// The tokens of the sentence around `at` that conditions may look at.
    fn around(&self, at: usize) -> std::ops::Range<usize> {
        let sentence = self.sentence(at);
        let from = (sentence.first as usize).max(at.saturating_sub(WINDOW));
        let to = (sentence.last as usize).min(at + WINDOW + 1);
        from..to
    }
}

/// Why a rule whose words stood there did not become a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The anchor stood there, the rest did not.
    Incomplete,
    /// An idiom of the rule's exceptions.
    Except,
    /// A word that speaks against it stood in the sentence.
    Unless,
    /// A word that it needs was missing.
    Requires,
    /// A general guard.
    Guard(Guard),
}

/// A rule that fired, with the words it fired on.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Index of the rule.
    pub rule: u32,
    /// The words.
    pub matched: Match,
}

impl Rule {
    /// Looks for the pattern at an anchor.
    ///
    /// # Errors
    /// What stopped it.
    pub fn look(
        &self,
        pattern: &Pattern,
        view: &View<'_>,
        at: usize,
        guards: &GuardClasses,
    ) -> Result<Match, Stopped> {
        let matched = pattern.at(view, at).ok_or(Stopped::Incomplete)?;
        for guard in &self.guards {
            if stops(*guard, view, &matched, guards) {
                return Err(Stopped::Guard(*guard));
            }
        }
        let (lo, hi) = matched.bounds();
        if self.except.iter().any(|p| in_window(p, view, at, |m| m.overlaps(lo, hi))) {
            return Err(Stopped::Except);
        }
        if self.unless.iter().any(|p| in_window(p, view, at, |_| true)) {
            return Err(Stopped::Unless);
        }
        if !self.requires.is_empty()
            && !self.requires.iter().any(|p| in_window(p, view, at, |_| true))
        {
            return Err(Stopped::Requires);
        }
        Ok(matched)
    }
}

/// Whether the pattern is found near `at`, in the same sentence, as `accept` wants it.
fn in_window(
    pattern: &Pattern,
    view: &View<'_>,
    at: usize,
    accept: impl Fn(&Match) -> bool,
) -> bool {
    view.around(at).any(|i| pattern.at(view, i).is_some_and(|m| accept(&m)))
}

fn stops(guard: Guard, view: &View<'_>, matched: &Match, classes: &GuardClasses) -> bool {
    let (lo, hi) = matched.bounds();
    let sentence = view.sentence(lo);
    match guard {
        Guard::Negation => classes.negation.is_some_and(|class| {
            let from = (sentence.first as usize).max(lo.saturating_sub(1));
            let to = (sentence.last as usize).min(hi + 2);
            (from..to).any(|i| view.is(i, class) && !matched.holds(i))
        }),
        Guard::Quotation => {
            view.token(lo).quoted
                && view.token(hi).quoted
                && classes.utterance.is_some_and(|class| {
                    let to = (hi + WINDOW).min(view.tokens.tokens.len());
                    (lo.saturating_sub(WINDOW)..to)
                        .any(|i| !view.token(i).quoted && view.is(i, class))
                })
        }
        Guard::Report => classes.report.is_some_and(|class| {
            let from = (sentence.first as usize).max(lo.saturating_sub(WINDOW));
            (from..lo).any(|i| view.is(i, class))
        }),
        Guard::Question => sentence.asks,
    }
}
