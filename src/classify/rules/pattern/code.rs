//! Patterns as the engine runs them.
//!
//! What an author writes becomes a row of steps of sixteen bytes, with sets of words as numbers, so
//! that most patterns lie in one or two lines of the cache.

use smallvec::SmallVec;

use crate::classify::rules::View;
use crate::classify::rules::pattern::{Element, Match, Test};
use crate::classify::rules::sets::{Asked, Gate, SetRef, wanted};
use crate::classify::tokens::Kind;
use crate::classify::words::ClassId;

/// How many steps one look may take: patterns written by people stay far below.
const MOST_STEPS: u32 = 2_000;

/// What one token must be: any one of these.
#[derive(Clone, Copy, Debug)]
struct Check {
    /// A word of this set.
    set: SetRef,
    /// Only a word of this set can pass.
    needed: SetRef,
    /// A token of one of these kinds, as bits.
    kinds: u8,
    /// What else, as bits.
    flags: u8,
    /// What takes more room, by its place in [`Code::extras`].
    extra: u16,
}

const ANY: u8 = 1;
const NAME: u8 = 1 << 1;
const CAPITAL: u8 = 1 << 2;
const HASHTAG: u8 = 1 << 3;
const REPEAT: u8 = 1 << 4;
const EXTRA: u8 = 1 << 5;

/// What is seldom asked.
#[derive(Clone, Debug)]
struct Extra {
    /// An address with a word of one of these classes inside.
    inside: SmallVec<[ClassId; 4]>,
    /// All of several at once; true: must not be that.
    all: Vec<Vec<(Check, bool)>>,
}

/// One step.
#[derive(Clone, Copy, Debug)]
enum Step {
    One(Check),
    Maybe(Check),
    Not(Check),
    Gap { most: u8, crosses: bool },
    GapWithout { most: u8, crosses: bool, without: Check },
    Begins,
    Ends,
    Asks,
    AsksText,
}

/// A pattern, ready to be looked for.
#[derive(Clone, Debug, Default)]
pub struct Code {
    steps: Box<[Step]>,
    extras: Vec<Extra>,
    anchor: usize,
    /// What must stand in the sentence of the anchor, or in the text if the pattern crosses.
    gate: Gate,
}

impl Test {
    /// Asks for the sets that it will need.
    pub fn ask(&self, asked: &mut Asked) {
        let mut of_word = |classes: &[ClassId]| asked.of_word(wanted(classes, &[]));
        of_word(&self.classes);
        self.needs().iter().for_each(|classes| of_word(classes));
        self.all.iter().flatten().for_each(|l| l.test.ask(asked));
    }
}

impl Check {
    fn new(test: &Test, asked: &Asked, extras: &mut Vec<Extra>) -> Self {
        let flag = |of: bool, flag: u8| if of { flag } else { 0 };
        let has_extra = test.inside.is_some() || !test.all.is_empty();
        let extra = if has_extra {
            let mut all = Vec::new();
            for literals in &test.all {
                let checks = literals.iter().map(|l| (Self::new(&l.test, asked, extras), l.not));
                all.push(checks.collect());
            }
            let inside = test.inside.as_ref().map(|(_, classes)| classes.clone());
            extras.push(Extra { inside: inside.unwrap_or_default(), all });
            extras.len() - 1
        } else {
            0
        };
        Self {
            set: asked.set(&test.classes, &[]),
            needed: test.needs().map_or(SetRef::ALL, |classes| asked.set(&classes, &[])),
            kinds: test.kinds.iter().fold(0, |all, kind| all | 1 << *kind as u8),
            flags: flag(test.any, ANY)
                | flag(test.name, NAME)
                | flag(test.capital, CAPITAL)
                | flag(test.hashtag, HASHTAG)
                | flag(test.repeat.is_some(), REPEAT)
                | flag(has_extra, EXTRA),
            extra: extra as u16,
        }
    }
}

impl Code {
    /// Compiles the elements of a pattern; `gate` names what it needs.
    pub fn new(elements: &[Element], anchor: usize, gate: Gate, asked: &Asked) -> Self {
        let mut extras = Vec::new();
        let mut check = |test: &Test| Check::new(test, asked, &mut extras);
        let steps = elements
            .iter()
            .map(|element| match element {
                Element::One { test, optional: false } => Step::One(check(test)),
                Element::One { test, optional: true } => Step::Maybe(check(test)),
                Element::Not(test) => Step::Not(check(test)),
                Element::Gap { most, without: None, crosses } => {
                    Step::Gap { most: *most, crosses: *crosses }
                }
                Element::Gap { most, without: Some(test), crosses } => {
                    Step::GapWithout { most: *most, crosses: *crosses, without: check(test) }
                }
                Element::Begins => Step::Begins,
                Element::Ends => Step::Ends,
                Element::Asks => Step::Asks,
                Element::AsksText => Step::AsksText,
            })
            .collect();
        Self { steps, extras, anchor, gate }
    }

    /// What must stand in the sentence, or in the text if the pattern crosses.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Whether the token may be the anchor, as far as its word tells.
    #[inline]
    pub fn may_begin(&self, view: &View<'_>, at: usize) -> bool {
        match self.steps.get(self.anchor) {
            Some(Step::One(check)) => view.has(at, check.needed),
            _ => false,
        }
    }

    /// Looks for the pattern with its anchor at token `at`.
    pub fn at(&self, view: &View<'_>, at: usize) -> Option<Match> {
        let (before, rest) = self.steps.split_at_checked(self.anchor)?;
        let (Step::One(check), after) = rest.split_first()? else { return None };
        if !self.fits(check, view, at) {
            return None;
        }
        let sentence = view.sentence(at);
        let mut look = Look {
            code: self,
            view,
            first: sentence.first as i64,
            last: sentence.last as i64,
            asks: sentence.asks,
            steps: 0,
            taken: SmallVec::new(),
        };
        if !look.go(before, at as i64 - 1, -1) {
            return None;
        }
        look.taken.reverse();
        look.taken.push(at as u32);
        (look.first, look.last) = (sentence.first as i64, sentence.last as i64);
        look.go(after, at as i64 + 1, 1).then(|| Match { tokens: look.taken })
    }

    /// Whether the token passes.
    #[inline]
    fn fits(&self, check: &Check, view: &View<'_>, at: usize) -> bool {
        view.has(at, check.set)
            || (check.kinds | check.flags != 0
                && view.has(at, check.needed)
                && self.fits_else(check, view, at))
    }

    /// Whether the token passes by something else than its word.
    fn fits_else(&self, check: &Check, view: &View<'_>, at: usize) -> bool {
        let token = view.token(at);
        let asks = |flag: u8| check.flags & flag != 0;
        asks(ANY)
            || check.kinds >> (token.kind as u8) & 1 == 1
            || (asks(NAME) && view.is_name(at))
            || (asks(CAPITAL) && view.is_capital(at))
            || (asks(HASHTAG) && view.is_hashtag(at))
            || (asks(REPEAT) && view.repeats())
            || (asks(EXTRA) && self.has_extra(check, view, at))
    }

    fn has_extra(&self, check: &Check, view: &View<'_>, at: usize) -> bool {
        let Extra { inside, all } = &self.extras[usize::from(check.extra)];
        let token = view.token(at);
        let stands_inside = || {
            let found = view.marks.inside(token.start);
            inside.iter().any(|class| found.contains(class))
        };
        (token.kind == Kind::Address && !inside.is_empty() && stands_inside())
            || all
                .iter()
                .any(|all| all.iter().all(|(check, not)| self.fits(check, view, at) != *not))
    }
}

/// One look for one pattern, to one side of the anchor at a time.
struct Look<'a> {
    code: &'a Code,
    view: &'a View<'a>,
    first: i64,
    last: i64,
    asks: bool,
    steps: u32,
    taken: SmallVec<[u32; 8]>,
}

impl Look<'_> {
    /// Takes the steps nearest the anchor first; `step` is the reading direction.
    fn go(&mut self, steps: &[Step], at: i64, step: i64) -> bool {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return false;
        }
        let next = if step > 0 { steps.split_first() } else { steps.split_last() };
        let Some((next, rest)) = next else { return true };
        match next {
            Step::Begins => at < self.first && step < 0 && self.go(rest, at, step),
            Step::Ends => at >= self.last && step > 0 && self.go(rest, at, step),
            Step::Asks => self.asks && self.go(rest, at, step),
            Step::AsksText => self.view.asks() && self.go(rest, at, step),
            Step::Not(check) => !self.fits(check, at) && self.go(rest, at, step),
            Step::Gap { most, crosses } => self.gap(rest, at, step, (*most, *crosses), None),
            Step::GapWithout { most, crosses, without } => {
                self.gap(rest, at, step, (*most, *crosses), Some(without))
            }
            Step::One(check) => self.take(check, rest, at, step),
            Step::Maybe(check) => self.take(check, rest, at, step) || self.go(rest, at, step),
        }
    }

    fn take(&mut self, check: &Check, rest: &[Step], at: i64, step: i64) -> bool {
        if !self.fits(check, at) {
            return false;
        }
        self.taken.push(at as u32);
        if self.go(rest, at + step, step) {
            return true;
        }
        self.taken.pop();
        false
    }

    fn gap(
        &mut self,
        rest: &[Step],
        at: i64,
        step: i64,
        (most, crosses): (u8, bool),
        without: Option<&Check>,
    ) -> bool {
        let before = (self.first, self.last, self.asks);
        if crosses {
            self.cross(step);
        }
        for n in 0..=i64::from(most) {
            let to = at + n * step;
            let last = to - step;
            if n > 0
                && (last < self.first
                    || last >= self.last
                    || without.is_some_and(|check| self.fits(check, last)))
            {
                break;
            }
            if self.may_go_on(rest, to, step) && self.go(rest, to, step) {
                return true;
            }
        }
        (self.first, self.last, self.asks) = before;
        false
    }

    /// Whether the step that comes next can be taken at the token, as far as its word tells.
    #[inline]
    fn may_go_on(&self, rest: &[Step], at: i64, step: i64) -> bool {
        let next = if step > 0 { rest.first() } else { rest.last() };
        match next {
            Some(Step::One(check)) => {
                self.is_inside(at) && self.view.has(at as usize, check.needed)
            }
            _ => true,
        }
    }

    /// Takes the next sentence in the reading direction in as well.
    fn cross(&mut self, step: i64) {
        let sentences = &self.view.tokens.sentences;
        let inside = if step > 0 { self.last - 1 } else { self.first };
        let here = self.view.token(inside as usize).sentence as usize;
        if step > 0 {
            if let Some(next) = sentences.get(here + 1) {
                self.last = i64::from(next.last);
                self.asks = next.asks;
            }
        } else if let Some(previous) = here.checked_sub(1).and_then(|i| sentences.get(i)) {
            self.first = i64::from(previous.first);
        }
    }

    #[inline]
    fn is_inside(&self, at: i64) -> bool {
        at >= self.first && at < self.last
    }

    #[inline]
    fn fits(&self, check: &Check, at: i64) -> bool {
        self.is_inside(at) && self.code.fits(check, self.view, at as usize)
    }
}
