//! Rules: what must stand around a listed word for a finding.
//!
//! A rule is looked at only where its anchor word stands, so a text without listed words costs
//! nothing here. Every look is bounded: patterns are short, gaps have a length, conditions look at
//! most [`WINDOW`] tokens away; the work is linear in the text whatever the text.

pub mod conditions;
pub mod everyday;
pub mod guard;
pub mod index;
pub mod pattern;
pub mod sets;
mod stored;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::classify::fold::Folded;
use crate::classify::identifier::marks::Marks;
use crate::classify::repair;
use crate::classify::rules::conditions::Conditions;
use crate::classify::rules::everyday::Often;
use crate::classify::rules::guard::{Guard, GuardClasses};
use crate::classify::rules::pattern::{Match, Pattern};
use crate::classify::rules::sets::{Asked, Row, Seen, SetRef, Sets};
use crate::classify::tokens::{Sentence, Token, Tokens};
use crate::classify::words::{ClassId, Words};
use crate::domain::category::{Category, Severity};
use crate::domain::verdict::Mark;

/// How far, in tokens, a condition of a rule looks from the hit.
pub const WINDOW: usize = 30;

/// How often one rule may hit in one text; further hits add nothing for the editor.
pub const MOST_HITS: usize = 16;
/// The same for a rule that leaves some of them to another, which is found out last.
pub const MOST_YIELDING: usize = 256;

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
    pub except: Conditions,
    /// In the same sentence, these cancel the hit.
    pub unless: Conditions,
    /// In the same sentence, one of these is needed as well.
    pub requires: Conditions,
    /// Somewhere in the text, these cancel the hit.
    pub unless_text: Vec<TextPattern>,
    /// Somewhere in the text, one of these is needed as well.
    pub requires_text: Vec<TextPattern>,
    /// General guards, by their place in [`Guards::list`].
    pub guards: Vec<u16>,
    /// Rules to which this one leaves a hit on the same words, by index.
    pub yields_to: Vec<u32>,
    /// Counted, but never shown.
    pub shadow: bool,
    /// Never lowered by cues: its author says that the form of the words is proof enough.
    pub certain: bool,
    /// What its findings mean beyond their category.
    pub mark: Option<Mark>,
}

impl Rule {
    /// Whether the cues may not lower what it finds: a child, or somebody's life, or what its author
    /// calls certain. There, one too many costs a person a minute, and one too few more than that.
    pub fn is_beyond_doubt(&self) -> bool {
        self.certain
            || self.mark.is_some()
            || (self.category == Category::Case && self.severity == Severity::High)
    }
}

/// All guards with the classes that they look for.
#[derive(Debug, Default)]
pub struct Guards {
    /// In the order in which rules name them.
    pub list: Vec<Guard>,
    /// What the shaped ones look for.
    pub classes: GuardClasses,
}

/// A condition on the whole text: looked for once per text, whatever the number of hits.
#[derive(Clone, Debug)]
pub struct TextPattern {
    /// Its place in [`Memo`].
    pub slot: u32,
    /// What to look for.
    pub pattern: Pattern,
}

impl TextPattern {
    /// Whether the pattern is found somewhere in the text.
    pub fn holds(&self, view: &View<'_>) -> bool {
        let code = self.pattern.code();
        view.memo.get(self.slot as usize, || {
            view.seen_in_text().has_all(code.gate())
                && (0..view.tokens.tokens.len())
                    .any(|at| code.may_begin(view, at) && code.at(view, at).is_some())
        })
    }
}

/// What has been found out about the whole text.
#[derive(Debug, Default)]
pub struct Memo {
    known: RefCell<Vec<Option<bool>>>,
    asks: Cell<Option<bool>>,
    repeats: Cell<Option<bool>>,
}

impl Memo {
    /// Forgets all, for the next text.
    pub fn clear(&mut self) {
        self.known.get_mut().clear();
        self.asks.set(None);
        self.repeats.set(None);
    }

    fn get(&self, slot: usize, find: impl FnOnce() -> bool) -> bool {
        if let Some(known) = self.known.borrow().get(slot).copied().flatten() {
            return known;
        }
        let found = find();
        let mut known = self.known.borrow_mut();
        if known.len() <= slot {
            known.resize(slot + 1, None);
        }
        known[slot] = Some(found);
        found
    }
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
    /// What is known of the text as a whole.
    pub memo: &'a Memo,
    /// What was proved of numbers and addresses.
    pub marks: &'a Marks,
    /// The sets that its words belong to.
    pub sets: &'a Sets,
    /// Which of them stand in it.
    pub seen: &'a Seen,
}

impl View<'_> {
    /// Whether the token belongs to the class.
    pub fn is(&self, at: usize, class: ClassId) -> bool {
        self.words.is(self.token(at).entry, class)
    }

    /// Whether the word of the token belongs to the set.
    #[inline]
    pub fn has(&self, at: usize, set: SetRef) -> bool {
        self.sets.has(self.token(at).entry, set)
    }

    /// The sets that stand in the sentence of a token.
    pub fn seen_round(&self, at: usize) -> Row {
        self.seen.sentence(self.token(at).sentence, self.tokens, self.sets)
    }

    /// The sets that stand in the text.
    #[inline]
    pub fn seen_in_text(&self) -> &Row {
        self.seen.text(self.tokens, self.sets)
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
        self.is_capital(at) && at != self.sentence(at).first as usize
    }

    /// Whether the word has a capital first letter and a small second one.
    pub fn is_capital(&self, at: usize) -> bool {
        let token = self.token(at);
        let start = self.folded.original(token.start, token.end).start as usize;
        if let [first @ 0..0x80, second @ 0..0x80, ..] = self.original.as_bytes()[start..] {
            return first.is_ascii_uppercase() && second.is_ascii_lowercase();
        }
        let mut letters = self.original[start..].chars();
        letters.next().is_some_and(char::is_uppercase)
            && letters.next().is_some_and(char::is_lowercase)
    }

    /// Whether some sentence of the text ends with a question mark.
    pub fn asks(&self) -> bool {
        self.memo.asks.get().unwrap_or_else(|| {
            let asks = self.tokens.sentences.iter().any(|s| s.asks);
            self.memo.asks.set(Some(asks));
            asks
        })
    }

    /// Whether the text says the same thing over and over.
    pub fn repeats(&self) -> bool {
        self.memo.repeats.get().unwrap_or_else(|| {
            let repeats = repair::repeats(self.folded.bytes(), self.tokens);
            self.memo.repeats.set(Some(repeats));
            repeats
        })
    }

    /// Whether the word stands behind `#`.
    pub fn is_hashtag(&self, at: usize) -> bool {
        let start = self.token(at).start as usize;
        start.checked_sub(1).is_some_and(|before| self.folded.bytes()[before] == b'#')
    }

    /// Whether a comma, bracket or dash stands between the token and the next.
    pub fn breaks_after(&self, at: usize) -> bool {
        let Some(next) = self.tokens.tokens.get(at + 1) else { return true };
        let bytes = self.folded.bytes();
        let between = bytes.get(self.token(at).end as usize..next.start as usize);
        between.is_some_and(|between| {
            between.iter().any(|b| matches!(b, b',' | b';' | b'(' | b')' | 0x93 | 0x94))
                || between.windows(3).any(|w| w == b" - ")
        })
    }

    /// The tokens of the sentence around `at` that conditions may look at.
    pub fn around(&self, at: usize) -> std::ops::Range<usize> {
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
    /// A word elsewhere in the text speaks against it.
    UnlessText,
    /// A word that it needs is nowhere in the text.
    RequiresText,
    /// A general guard, by name.
    Guard(Arc<str>),
}

/// A rule that fired, with the words it fired on.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Index of the rule.
    pub rule: u32,
    /// The words.
    pub matched: Match,
}

impl Hit {
    /// The words around it alone: what a writer adds before and after does not reach there.
    pub fn around(&self, view: &View<'_>) -> std::ops::Range<usize> {
        let (first, last) = self.matched.bounds();
        view.around(first).start..view.around(last).end
    }
}

impl Rule {
    /// Makes all its patterns ready to be looked for.
    pub fn prepare(&mut self, asked: &Asked, often: &Often) {
        let Self { patterns, except, unless, requires, unless_text, requires_text, .. } = self;
        [except, unless, requires].into_iter().for_each(|c| c.prepare(asked, often));
        let of_texts = unless_text.iter_mut().chain(requires_text).map(|t| &mut t.pattern);
        of_texts.for_each(|p| p.prepare_gated(asked, often));
        patterns.iter_mut().for_each(|p| p.prepare(asked));
    }

    /// Its conditions: what is looked for where one of its patterns stands.
    pub fn conditions(&self) -> impl Iterator<Item = &Pattern> {
        let Self { except, unless, requires, unless_text, requires_text, .. } = self;
        let of_texts = unless_text.iter().chain(requires_text).map(|t| &t.pattern);
        except.iter().chain(unless.iter()).chain(requires.iter()).chain(of_texts)
    }

    /// Whether the text has what it needs somewhere.
    fn finds_required(&self, view: &View<'_>) -> bool {
        self.requires_text.is_empty() || self.requires_text.iter().any(|p| p.holds(view))
    }

    /// Looks for the pattern at an anchor.
    ///
    /// # Errors
    /// What stopped it.
    pub fn look(
        &self,
        pattern: &Pattern,
        view: &View<'_>,
        at: usize,
        guards: &Guards,
    ) -> Result<Match, Stopped> {
        let matched = pattern.at(view, at).ok_or(Stopped::Incomplete)?;
        for guard in &self.guards {
            let guard = &guards.list[usize::from(*guard)];
            if guard.stops(view, at, &matched, &guards.classes) {
                return Err(Stopped::Guard(Arc::clone(&guard.id)));
            }
        }
        let (lo, hi) = matched.bounds();
        if self.except.any(view, at, |m| m.overlaps(lo, hi)) {
            return Err(Stopped::Except);
        }
        if self.unless.any(view, at, |_| true) {
            return Err(Stopped::Unless);
        }
        if !self.requires.is_empty() && !self.requires.any(view, at, |_| true) {
            return Err(Stopped::Requires);
        }
        if self.unless_text.iter().any(|p| p.holds(view)) {
            return Err(Stopped::UnlessText);
        }
        if !self.finds_required(view) {
            return Err(Stopped::RequiresText);
        }
        Ok(matched)
    }
}
