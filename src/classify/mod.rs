//! Text and context in, verdict out: pure and deterministic.
//!
//! The way of a text: [`fold`] gives its matching form with a map back; [`tokens`] cuts it and
//! looks every word up in [`words`] (undoing what [`disguise`] hides); [`rules`] look around the
//! listed words; [`identifier`] proves numbers; the findings come out hardest first. The lexicon
//! that all this reads is made by [`lexicon`] from authors' files.
//!
//! No I/O but [`lexicon::read_folder`], no clock, no state: the same text, lexicon and context
//! always give the same verdict, on any thread.

#[macro_use]
pub mod stored;

pub mod address;
pub mod baseline;
pub mod compare;
pub mod context;
pub mod cues;
pub mod disguise;
pub mod dump;
pub mod explain;
pub mod findings;
pub mod fold;
pub mod gate;
pub mod identifier;
pub mod lanes;
pub mod language;
pub mod lexicon;
pub mod mask;
pub mod near;
pub mod parallel;
pub mod repair;
pub mod rules;
pub mod suite;
pub mod tokens;
pub mod trace;
pub mod vocabulary;
pub mod words;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use crate::classify::context::Surroundings;
use crate::classify::cues::Scales;
use crate::classify::cues::quick::Quick;
use crate::classify::fold::Folded;
use crate::classify::identifier::Mark;
use crate::classify::identifier::marks::Marks;
use crate::classify::identifier::personal_number::{self, Found};
use crate::classify::identifier::spelled;
use crate::classify::lexicon::{Lexicon, built_in};
use crate::classify::rules::index::Candidate;
use crate::classify::rules::sets::Seen;
use crate::classify::rules::{Hit, MOST_HITS, MOST_YIELDING, Memo, Stopped, View};
use crate::classify::tokens::{Token, Tokens};
use crate::classify::trace::{MOST_NEAR, Near};
use crate::classify::vocabulary::{About, Vocabulary};
use crate::classify::words::{ClassId, EntryId, Traits};
use crate::domain::category::Severity;
use crate::domain::ids::LexiconVersion;
use crate::domain::personal_number::NumberKind;
use crate::domain::verdict::Verdict;

/// What the classifier may know beside the text itself. All of it is optional.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The authority's post that the text stands under.
    pub post: Option<&'a str>,
    /// The item it answers.
    pub parent: Option<&'a str>,
    /// What is known of earlier items: read by [`Classifier::assess`] alone.
    pub around: Option<Surroundings<'a>>,
}

/// A compiled lexicon with its rules. Shared by all threads.
#[derive(Debug)]
pub struct Classifier {
    lexicon: Lexicon,
    numbers: [NumberRule; 3],
    quick: Quick,
    traits: Traits,
}

/// How findings of one kind of number read.
#[derive(Debug)]
struct NumberRule {
    kind: NumberKind,
    severity: Severity,
    rule: Arc<str>,
    why: Arc<str>,
    legal: Arc<str>,
}

/// The buffers that one thread needs. Kept between texts, so that a benign text allocates nothing
/// once they have grown.
#[derive(Default)]
pub struct Scratch {
    /// The text in matching form.
    pub folded: Folded,
    /// The same, cut.
    pub tokens: Tokens,
    numbers: Vec<Found>,
    marks: Marks,
    hits: Vec<Hit>,
    memo: Memo,
    seen: Seen,
    candidates: Vec<Candidate>,
    standing: Vec<Standing>,
    vocabulary: Vocabulary,
    scales: Scales,
}

impl Scratch {
    /// Gives back the buffers that have grown with a long text. Words that are known stay.
    #[cold]
    fn give_back(&mut self) {
        let vocabulary = std::mem::take(&mut self.vocabulary);
        *self = Self { vocabulary, ..Self::default() };
    }
}

/// Lengths alone: what people write belongs in no log.
impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch")
            .field("folded", &self.folded)
            .field("n_tokens", &self.tokens.tokens.len())
            .field("n_numbers", &self.numbers.len())
            .field("n_marks", &self.marks.found().len())
            .field("n_hits", &self.hits.len())
            .finish_non_exhaustive()
    }
}

/// A pattern that stands at a token, and its class with which the pattern begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    class: ClassId,
    candidate: Candidate,
}

/// How many digits a text needs before a personal number can be in it.
const FEWEST_DIGITS: usize = 5;
/// How many number words, before one is looked for that is spelled out.
const FEWEST_WORDS: usize = 2;

/// From this length on, in bytes, a text's buffers are given back when a shorter one follows.
const LARGE: usize = 1 << 20;

/// How many tokens a text needs before it can repeat itself.
const FEWEST_REPEATED: usize = 3;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Classifier {
    /// The lexicon that is built into the program.
    pub fn built_in() -> Self {
        Self::new(Lexicon::compile(&built_in::sources()))
    }

    /// A classifier with a lexicon of one's own.
    pub fn new(lexicon: Lexicon) -> Self {
        let number = |kind, severity, rule: &str, why: &str| NumberRule {
            kind,
            severity,
            rule: Arc::from(rule),
            why: Arc::from(why),
            legal: Arc::from("GDPR art. 5, 6 och 87; 3 kap. 10 § lagen (2018:218)"),
        };
        Self {
            quick: Quick::new(&lexicon.cues, &lexicon.words),
            traits: Traits::new(
                &lexicon.words,
                lexicon.marks.address_sign,
                lexicon.marks.number_word,
            ),
            lexicon,
            numbers: [
                number(
                    NumberKind::Personal,
                    Severity::High,
                    "personnummer.personnummer",
                    "Texten innehåller ett personnummer: datumet finns och kontrollsiffran stämmer.",
                ),
                number(
                    NumberKind::Coordination,
                    Severity::High,
                    "personnummer.samordningsnummer",
                    "Texten innehåller ett samordningsnummer: datumet finns och kontrollsiffran stämmer.",
                ),
                number(
                    NumberKind::Interim,
                    Severity::Medium,
                    "personnummer.tillfalligt",
                    "Texten innehåller vad som ser ut som ett tillfälligt personnummer med bokstav.",
                ),
            ],
        }
    }

    /// The version of lexicon and rules: a hash over their sources.
    pub fn version(&self) -> &LexiconVersion {
        &self.lexicon.version
    }

    /// The lexicon, for those who check, count or explain it.
    pub fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// Classifies one text. Never panics, whatever the text.
    pub fn classify(&self, text: &str, context: &Context<'_>) -> Verdict {
        SCRATCH.with_borrow_mut(|scratch| self.classify_with(scratch, text, context))
    }

    /// As [`Self::classify`], with the caller's buffers.
    pub fn classify_with(
        &self,
        scratch: &mut Scratch,
        text: &str,
        _context: &Context<'_>,
    ) -> Verdict {
        self.read(scratch, text);
        self.find_numbers(scratch, text);
        self.match_rules(scratch, text, None);
        self.weigh(scratch, text);
        self.verdict(scratch, text)
    }

    /// What was found by all stages.
    fn verdict(&self, scratch: &mut Scratch, text: &str) -> Verdict {
        let findings = self.findings(scratch, text, &mut Vec::new());
        Verdict { lexicon: self.lexicon.version.clone(), findings }
    }

    /// What rules alone find, unweighed: for their own trials.
    pub fn by_rules(&self, scratch: &mut Scratch, text: &str) -> Verdict {
        self.read(scratch, text);
        self.find_numbers(scratch, text);
        self.match_rules(scratch, text, None);
        scratch.scales.clear();
        let findings = self.findings(scratch, text, &mut Vec::new());
        Verdict { lexicon: self.lexicon.version.clone(), findings }
    }

    /// Fifth stage: cues. Public for the bench.
    pub fn weigh(&self, scratch: &mut Scratch, text: &str) {
        let Scratch { folded, tokens, hits, marks, memo, seen, scales, vocabulary, .. } = scratch;
        let Lexicon { words, sets, .. } = &self.lexicon;
        let view = View { original: text, folded, tokens, words, marks, memo, sets, seen };
        let Lexicon { cues, guards, .. } = &self.lexicon;
        cues.weigh(&self.quick, &view, vocabulary, hits, guards, scales);
    }

    /// First stage: fold. Public for the bench.
    pub fn fold(&self, scratch: &mut Scratch, text: &str) {
        if scratch.folded.bytes().len() >= LARGE && text.len() < LARGE {
            scratch.give_back();
        }
        scratch.folded.fold(text);
    }

    /// Second stage: cut and look up. Public for the bench.
    pub fn cut(&self, scratch: &mut Scratch) {
        scratch.vocabulary.begin(&self.lexicon.version);
        self.cut_on(scratch);
    }

    /// The same with a vocabulary that has begun.
    fn cut_on(&self, scratch: &mut Scratch) {
        let Scratch { folded, tokens, vocabulary, .. } = scratch;
        let stripped = !folded.has_swedish_letters();
        tokens.cut(folded.padded(), &self.lexicon.words, vocabulary, stripped);
    }

    fn read(&self, scratch: &mut Scratch, text: &str) {
        self.fold(scratch, text);
        self.cut(scratch);
        self.repair(scratch, text);
    }

    /// After the cut: what is broken, run together or misspelled. Public for the bench.
    pub fn repair(&self, scratch: &mut Scratch, text: &str) {
        let Scratch { folded, tokens, vocabulary, .. } = scratch;
        let Lexicon { words, repair, .. } = &self.lexicon;
        repair.run(text, folded, tokens, words, &self.traits, vocabulary);
    }

    /// What a single word is taken for by its sound or by a slip; nothing for a word that the
    /// lexicon knows as it stands.
    pub fn taken_for(&self, scratch: &mut Scratch, word: &str) -> Option<&str> {
        self.fold(scratch, word);
        self.cut(scratch);
        let Scratch { folded, tokens, vocabulary, .. } = scratch;
        // A word that was met in a text has the entry of the one that it was taken for.
        let mut is_taken = |t: &Token| {
            let known = vocabulary.get(t.word, t.end - t.start);
            known.is_some_and(|known| known.about.has(About::TAKEN))
        };
        match tokens.tokens.as_slice() {
            [t] if t.entry == EntryId::UNKNOWN || is_taken(t) => {
                let word = &folded.bytes()[t.start as usize..t.end as usize];
                self.lexicon.repair.near.target(word)
            }
            _ => None,
        }
    }

    /// Fourth stage: rules. Public for the bench.
    pub fn match_rules(&self, scratch: &mut Scratch, text: &str, mut near: Option<&mut Vec<Near>>) {
        let Scratch { folded, tokens, hits, marks, memo, seen, candidates, standing, .. } = scratch;
        hits.clear();
        memo.clear();
        seen.clear();
        let repeat = self.lexicon.starts.get(self.lexicon.repeat.0 as usize);
        let asks_repeat =
            repeat.is_some_and(|s| !s.is_empty()) && tokens.tokens.len() >= FEWEST_REPEATED;
        if !tokens.may_match && !asks_repeat {
            return;
        }
        let Lexicon { words, sets, .. } = &self.lexicon;
        if near.is_none() {
            self.lexicon.index.candidates(tokens, sets, seen, candidates);
            if candidates.is_empty() && !asks_repeat {
                return;
            }
        }
        let view = View { original: text, folded, tokens, words, marks, memo, sets, seen };
        match near.as_deref_mut() {
            None => {
                self.find_standing(&view, candidates, standing);
                for Standing { candidate: Candidate { at, rule, pattern }, .. } in standing.iter() {
                    // What stopped it interests nobody here.
                    let _ = self.look(&view, *at as usize, *rule, *pattern, hits);
                }
            }
            // Who asks what came near is told of every rule.
            Some(near) => {
                for at in 0..tokens.tokens.len() {
                    for class in words.classes_of(tokens.tokens[at].entry) {
                        self.begin(&view, at, *class, hits, Some(near));
                    }
                }
            }
        }
        if asks_repeat && view.repeats() {
            self.begin(&view, 0, self.lexicon.repeat, hits, near);
        }
    }

    /// Those of the candidates that stand there, once for each class at which they begin, in the
    /// order in which they are tried.
    fn find_standing(&self, view: &View<'_>, candidates: &[Candidate], out: &mut Vec<Standing>) {
        out.clear();
        for candidate in candidates {
            let at = candidate.at as usize;
            let rule = &self.lexicon.rules[candidate.rule as usize];
            let pattern = &rule.patterns[usize::from(candidate.pattern)];
            if pattern.at(view, at).is_some() {
                let classes = pattern.anchors().iter().filter(|class| view.is(at, **class));
                let candidate = *candidate;
                out.extend(classes.map(|class| Standing { class: *class, candidate }));
            }
        }
        out.sort_unstable_by_key(|s| (s.candidate.at, s.class, s.candidate));
        out.dedup();
    }

    /// Looks for every pattern that begins at the class, with its anchor at the token.
    fn begin(
        &self,
        view: &View<'_>,
        at: usize,
        class: ClassId,
        hits: &mut Vec<Hit>,
        mut near: Option<&mut Vec<Near>>,
    ) {
        for (r, p) in &self.lexicon.starts[class.0 as usize] {
            let Err(stopped) = self.look(view, at, *r, *p, hits) else { continue };
            if let Some(near) = near.as_deref_mut()
                && near.len() < MOST_NEAR
            {
                let token = view.token(at);
                near.push(Near {
                    rule: Arc::clone(&self.lexicon.rules[*r as usize].id),
                    at: view.folded.original(token.start, token.end),
                    stopped,
                });
            }
        }
    }

    /// Looks for one pattern with its anchor at the token, unless its rule has hit often enough.
    fn look(
        &self,
        view: &View<'_>,
        at: usize,
        rule: u32,
        pattern: u16,
        hits: &mut Vec<Hit>,
    ) -> Result<(), Stopped> {
        let of = &self.lexicon.rules[rule as usize];
        // What is left to another rule takes no room from what is kept.
        let most = if of.yields_to.is_empty() { MOST_HITS } else { MOST_YIELDING };
        if hits.len() < most || hits.iter().filter(|h| h.rule == rule).count() < most {
            let pattern = &of.patterns[usize::from(pattern)];
            let matched = of.look(pattern, view, at, &self.lexicon.guards)?;
            hits.push(Hit { rule, matched });
        }
        Ok(())
    }

    /// The mark that a token carries.
    pub fn mark_of(&self, token: &Token) -> Option<Mark> {
        Mark::ALL
            .into_iter()
            .find(|m| token.entry != EntryId::UNKNOWN && self.lexicon.marks.of(*m) == token.entry)
    }

    /// Third stage: numbers and addresses. Public for the bench.
    pub fn find_numbers(&self, scratch: &mut Scratch, text: &str) {
        let Scratch { folded, tokens, numbers, marks, .. } = scratch;
        numbers.clear();
        if tokens.n_digits >= FEWEST_DIGITS {
            personal_number::find(folded.bytes(), numbers);
        }
        if tokens.seen.n_numbers >= FEWEST_WORDS {
            spelled::find(folded.bytes(), &tokens.tokens, numbers);
        }
        let Lexicon { words, marks: entries, .. } = &self.lexicon;
        marks.mark(text, folded, tokens, words, entries, numbers);
    }
}

/// The classifier of all unit tests, compiled once.
#[cfg(test)]
pub(crate) static BUILT_IN: std::sync::LazyLock<Arc<Classifier>> =
    std::sync::LazyLock::new(|| Arc::new(Classifier::built_in()));

#[cfg(test)]
mod tests;
