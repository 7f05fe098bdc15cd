//! Which patterns a text can hold at all: each is indexed at its rarest necessary word.
//!
//! A pattern that holds *vet var du bor* can only stand where *bor* stands. So the compiler picks,
//! for every pattern, the set of classes among those that it needs whose words are met least
//! ([`everyday`]), and lists the pattern at every word of that set: its *trigger*. A text touches
//! only the patterns that its words trigger. Of these, nine in ten are refused by what can be told
//! without looking: another set that must stand beside the trigger, at its place; the next rarest
//! set, somewhere in the sentence; where the sentence begins and ends, and whether it asks. The
//! rest are handed on with the token at which the pattern begins to be looked for, in reading
//! order, just as if every token had been tried with every pattern.
//!
//! An index may let too much through, never too little.

use smallvec::SmallVec;

use crate::classify::rules::Rule;
use crate::classify::rules::everyday::Often;
use crate::classify::rules::pattern::{Needed, Outline};
use crate::classify::rules::sets::{ALWAYS, Asked, Gate, Seen, SetRef, Sets, Wanted, wanted};
use crate::classify::tokens::{Sentence, Token, Tokens};
use crate::classify::words::{ClassId, EntryId, Words};

/// The widest stretch in which a set is looked for by its place.
const WIDEST: i16 = 6;
/// How many tokens a sentence may have of which one row tells. Of a longer one, each stretch of so
/// many has its own, and a token asks that of its stretch and of both beside it.
const STRETCH: usize = 64;

/// A stretch of tokens, counted from the trigger.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    least: i16,
    most: i16,
}

/// A pattern at one of its triggers.
#[derive(Clone, Copy, Debug)]
struct Trigger {
    /// The pattern, by its place in [`Index::places`].
    place: u32,
    /// What must stand in the sentence, or in the text if the pattern is [`Trigger::is_wide`].
    within: Gate,
    /// The bit that a token in this stretch must have; [`ALWAYS`] if there is none.
    beside: u16,
    least: i8,
    most: i8,
}

/// In [`Trigger::place`]: the pattern may reach beyond the sentence, or beyond [`STRETCH`].
const WIDE: u32 = 1 << 31;

/// Any place will do.
const ANYWHERE: Stretch = Stretch { least: i16::MIN, most: i16::MAX };

/// A pattern of a rule.
#[derive(Clone, Copy, Debug)]
struct Place {
    rule: u32,
    pattern: u16,
    /// What must stand round the trigger, by its place in [`Index::nearby`]: from here on…
    nearby: u32,
    /// …so many.
    n_nearby: u16,
    /// A word of this set stands where looking for the pattern begins…
    anchors: SetRef,
    /// …in this stretch.
    anchor: Stretch,
    /// Where the sentence must begin.
    begins: Stretch,
    /// Where it must be over.
    ends: Stretch,
}

/// A token that must stand in a stretch: a word of the set, or one of a kind.
#[derive(Clone, Copy, Debug)]
struct Nearby {
    set: SetRef,
    /// As bits.
    kinds: u8,
    at: Stretch,
}

/// A pattern that may stand at a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The token at which looking begins.
    pub at: u32,
    /// The rule.
    pub rule: u32,
    /// The pattern of the rule.
    pub pattern: u16,
}

/// All patterns of all rules by their triggers.
#[derive(Debug)]
pub struct Index {
    /// For every profile of words, where its triggers begin; they end where those of the next
    /// begin.
    begins: Vec<u32>,
    triggers: Vec<Trigger>,
    places: Vec<Place>,
    nearby: Vec<Nearby>,
}

/// Where each pattern is to be listed, and what for.
#[derive(Debug)]
pub struct Plan(Vec<Chosen>);

/// A pattern while it is indexed.
#[derive(Debug)]
struct Chosen {
    rule: u32,
    pattern: u16,
    anchors: SmallVec<[ClassId; 4]>,
    trigger: Needed,
    /// The rest, the rarest first, with how often each is met.
    rest: Vec<(f32, Needed)>,
    outline: Outline,
}

impl Plan {
    /// Chooses the triggers. A pattern that begins at `repeat` alone is left out: no word stands
    /// for that class.
    pub fn new(rules: &[Rule], often: &Often, repeat: ClassId) -> Self {
        let mut all = Vec::new();
        for (r, rule) in rules.iter().enumerate() {
            for (p, pattern) in rule.patterns.iter().enumerate() {
                let anchors: SmallVec<[ClassId; 4]> =
                    pattern.anchors().iter().copied().filter(|c| *c != repeat).collect();
                if !anchors.is_empty() {
                    let owner = (r as u32, p as u16);
                    all.push(Chosen::new(owner, anchors, pattern.outline(), often));
                }
            }
        }
        Self(all)
    }

    /// Asks for the sets that the index will need.
    pub fn ask(&self, asked: &mut Asked) {
        for chosen in &self.0 {
            chosen.within().for_each(|(often, set)| asked.of_sentence(often, set));
            // Words of one profile have the same triggers.
            asked.of_word(wanted(&chosen.trigger.classes, &[]));
            asked.of_word(wanted(&chosen.anchors, &[]));
            chosen.rest.iter().for_each(|(_, n)| asked.of_word(wanted(&n.classes, &[])));
        }
    }
}

impl Index {
    /// Lists the patterns.
    pub fn new(plan: &Plan, asked: &Asked, sets: &Sets, words: &Words, n_classes: usize) -> Self {
        let mut at_class: Vec<Vec<Trigger>> = vec![Vec::new(); n_classes];
        for (n, chosen) in plan.0.iter().enumerate() {
            let trigger = chosen.trigger(n as u32, asked);
            for class in &chosen.trigger.classes {
                at_class[usize::from(class.0)].push(trigger);
            }
        }
        let mut entries = vec![EntryId::UNKNOWN; sets.n_profiles()];
        for entry in (0..words.n_entries() as u32).map(EntryId) {
            entries[sets.profile(entry)] = entry;
        }
        let (mut begins, mut triggers) = (Vec::new(), Vec::new());
        for entry in entries {
            begins.push(triggers.len() as u32);
            let classes = words.classes_of(entry).iter();
            let own = classes.flat_map(|c| &at_class[usize::from(c.0)]).copied();
            let mut own: Vec<Trigger> = own.collect();
            own.sort_by_key(|t| t.place);
            own.dedup_by_key(|t| t.place);
            triggers.extend(own);
        }
        begins.push(triggers.len() as u32);
        let (mut places, mut nearby) = (Vec::new(), Vec::new());
        for chosen in &plan.0 {
            let from = nearby.len();
            nearby.extend(chosen.nearby(asked));
            places.push(chosen.place(asked, from, nearby.len() - from));
        }
        Self { begins, triggers, places, nearby }
    }

    /// Gathers the patterns that may stand in the text, each with the token at which it may begin,
    /// in reading order.
    pub fn candidates(&self, tokens: &Tokens, sets: &Sets, seen: &Seen, out: &mut Vec<Candidate>) {
        out.clear();
        for sentence in &tokens.sentences {
            let (first, last) = (sentence.first as usize, sentence.last as usize);
            // Most often there is one stretch, and no more than the sentence.
            let mut from = first;
            while from < last {
                let to = if last - from > 2 * STRETCH { from + STRETCH } else { last };
                let around = from.saturating_sub(STRETCH).max(first)..(to + STRETCH).min(last);
                let row = sets.joined(&tokens.tokens[around], sentence.asks);
                for at in from..to {
                    let profile = sets.profile(tokens.tokens[at].entry);
                    let (from, to) = (self.begins[profile], self.begins[profile + 1]);
                    for trigger in &self.triggers[from as usize..to as usize] {
                        let row = if trigger.is_wide() { seen.text(tokens, sets) } else { &row };
                        if row.has_all(&trigger.within)
                            && trigger.stands_beside(at, &tokens.tokens, sets)
                        {
                            self.place(trigger, at, *sentence, &tokens.tokens, sets, out);
                        }
                    }
                }
                from = to;
            }
        }
        out.sort_unstable();
        out.dedup();
    }

    /// The tokens round the trigger at which the pattern may begin, if what can be told by places
    /// does not speak against it.
    fn place(
        &self,
        trigger: &Trigger,
        at: usize,
        sentence: Sentence,
        tokens: &[Token],
        sets: &Sets,
        out: &mut Vec<Candidate>,
    ) {
        let place = &self.places[(trigger.place & !WIDE) as usize];
        if !place.begins.holds(at, sentence.first) || !place.ends.holds(at, sentence.last) {
            return;
        }
        let nearby = &self.nearby[place.nearby as usize..][..usize::from(place.n_nearby)];
        if nearby.iter().all(|n| n.stands(at, tokens, sets)) {
            let Place { rule, pattern, anchors, anchor, .. } = *place;
            let may_begin = |at: &usize| sets.has(tokens[*at].entry, anchors);
            let at = anchor.round(at, tokens.len()).filter(may_begin);
            out.extend(at.map(|at| Candidate { at: at as u32, rule, pattern }));
        }
    }
}

impl Trigger {
    #[inline]
    const fn is_wide(&self) -> bool {
        self.place & WIDE != 0
    }

    #[inline]
    fn stands_beside(&self, at: usize, tokens: &[Token], sets: &Sets) -> bool {
        let Self { beside, least, most, .. } = *self;
        let stretch = Stretch { least: least.into(), most: most.into() };
        beside == ALWAYS
            || stretch.round(at, tokens.len()).any(|i| sets.may_have(&tokens[i], beside))
    }
}

impl Nearby {
    fn stands(&self, at: usize, tokens: &[Token], sets: &Sets) -> bool {
        tokens[self.at.round(at, tokens.len())]
            .iter()
            .any(|t| self.kinds >> (t.kind as u8) & 1 == 1 || sets.has(t.entry, self.set))
    }
}

impl Stretch {
    /// The tokens in the stretch, of `n` in all.
    #[inline]
    fn round(self, at: usize, n: usize) -> std::ops::Range<usize> {
        let place = |by: i16| (at as isize + isize::from(by)).max(0) as usize;
        let end = place(self.most.saturating_add(1)).min(n);
        place(self.least).min(end)..end
    }

    /// Whether the place is in the stretch. One without an end reaches to the end of numbers.
    #[inline]
    fn holds(self, at: usize, place: u32) -> bool {
        let by = i64::from(place) - at as i64;
        let by = by.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        self.least <= by && by <= self.most
    }
}

impl Chosen {
    /// Picks the trigger of a pattern among what it needs.
    fn new(
        (rule, pattern): (u32, u16),
        anchors: SmallVec<[ClassId; 4]>,
        mut outline: Outline,
        often: &Often,
    ) -> Self {
        let anchor = Needed { classes: anchors.clone(), kinds: SmallVec::new(), least: 0, most: 0 };
        // What the anchor needs is told by its classes, in more ways than `needs` can.
        outline.needs.retain(|n| (n.least, n.most) != (0, 0));
        let mut needs: Vec<(f32, Needed)> = std::iter::once(anchor)
            .chain(outline.needs.drain(..))
            .map(|n| (often.of(&n.classes, &n.kinds), n))
            .collect();
        needs.sort_by(|a, b| a.0.total_cmp(&b.0));
        // A number is no word that a pattern could be listed at.
        let at = needs.iter().position(|(_, n)| n.kinds.is_empty()).unwrap_or(0);
        let (_, trigger) = needs.remove(at);
        Self { rule, pattern, anchors, trigger, rest: needs, outline }
    }
}

impl Chosen {
    /// What its sentence must have beside the trigger.
    fn within(&self) -> impl Iterator<Item = (f32, Wanted)> {
        self.rest.iter().map(|(often, needed)| (*often, set(needed)))
    }

    /// What is looked for by its place, and where.
    fn beside(&self) -> Option<(Wanted, Stretch)> {
        let places = self.rest.iter().map(|(often, n)| {
            let at = self.round_trigger(n);
            (often * f32::from(at.most - at.least + 1), n, at)
        });
        places
            .filter(|(_, _, at)| at.most - at.least < WIDEST)
            .filter(|(_, _, at)| i8::try_from(at.least).is_ok() && i8::try_from(at.most).is_ok())
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, n, at)| (set(n), at))
    }

    /// Where it stands, counted from the trigger.
    fn round_trigger(&self, n: &Needed) -> Stretch {
        Stretch { least: n.least - self.trigger.most, most: n.most - self.trigger.least }
    }

    /// Whether the sentence of the trigger must ask. Which sentences a pattern reaches that crosses
    /// a border is seen only when it is looked for.
    fn asks(&self) -> bool {
        self.outline.asks && !self.outline.crosses
    }

    /// Whether something may stand in another sentence, or farther off than one mask tells of.
    fn is_wide(&self) -> bool {
        let near = -(STRETCH as i16)..=STRETCH as i16;
        let is_near = |at: Stretch| near.contains(&at.least) && near.contains(&at.most);
        self.outline.crosses || !self.rest.iter().all(|(_, n)| is_near(self.round_trigger(n)))
    }

    fn trigger(&self, place: u32, asked: &Asked) -> Trigger {
        let wide = if self.is_wide() { WIDE } else { 0 };
        let within = asked.gate(self.within(), self.asks());
        let (beside, at) = match self.beside() {
            Some(((classes, kinds), at)) => (asked.set(&classes, &kinds).bit(), at),
            None => (ALWAYS, Stretch { least: 0, most: 0 }),
        };
        Trigger { place: place | wide, within, beside, least: at.least as i8, most: at.most as i8 }
    }

    /// What must stand round the trigger, the rarest first.
    fn nearby(&self, asked: &Asked) -> impl Iterator<Item = Nearby> {
        self.rest.iter().map(|(_, n)| Nearby {
            set: asked.set(&n.classes, &[]),
            kinds: n.kinds.iter().fold(0, |all, kind| all | 1 << *kind as u8),
            at: self.round_trigger(n),
        })
    }

    fn place(&self, asked: &Asked, nearby: usize, n_nearby: usize) -> Place {
        let Self { rule, pattern, .. } = *self;
        let Needed { least, most, .. } = self.trigger;
        let edge = |edge: Option<(i16, i16)>| {
            edge.map_or(ANYWHERE, |(from, to)| Stretch { least: from - most, most: to - least })
        };
        let (begins, ends) = (edge(self.outline.begins), edge(self.outline.ends));
        let anchor = Stretch { least: -most, most: -least };
        Place {
            rule,
            pattern,
            nearby: nearby as u32,
            n_nearby: n_nearby as u16,
            anchors: asked.set(&self.anchors, &[]),
            anchor,
            begins,
            ends,
        }
    }
}

fn set(needed: &Needed) -> Wanted {
    wanted(&needed.classes, &needed.kinds)
}
