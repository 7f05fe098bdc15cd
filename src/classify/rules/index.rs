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

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::classify::rules::pattern::{Needed, Outline, Wanted};
use crate::classify::rules::{Rule, everyday};
use crate::classify::tokens::{Kind, Sentence, Token, Tokens};
use crate::classify::words::{ClassId, EntryId, Words};

/// How many bits a mask has.
const N_BITS: usize = 1024;
/// How many of them belong to one set each; the rest are shared by the sets that are met least.
/// More sharing lets more through: with 256 bits in all it was seven times as much.
const N_OWN: usize = N_BITS / 2;
/// No bit: nothing is asked for.
const NOTHING: u16 = u16::MAX;
/// The widest stretch in which a set is looked for by its place.
const WIDEST: i16 = 6;
/// How often a kind of token is met among ten thousand words.
const KIND: f32 = 60.0;

/// Sets of classes, as bits.
#[derive(Clone, Copy, Debug)]
struct Mask([u64; N_BITS / 64]);

impl Mask {
    const NONE: Self = Self([0; N_BITS / 64]);

    #[inline]
    fn add(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(other.0) {
            *mine |= others;
        }
    }

    fn set(&mut self, bit: u16) {
        self.0[usize::from(bit) / 64] |= 1 << (bit % 64);
    }

    #[inline]
    fn has(&self, bit: u16) -> bool {
        self.0[usize::from(bit) / 64] >> (bit % 64) & 1 == 1
    }
}

/// A stretch of tokens, counted from the trigger.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    least: i16,
    most: i16,
}

/// A pattern at one of its triggers.
#[derive(Clone, Copy, Debug)]
struct Trigger {
    /// The pattern, by its place in [`Index::patterns`].
    pattern: u32,
    /// The bit of a token that must stand in this stretch.
    beside: u16,
    at: Stretch,
    /// The bit of a token that must stand in the sentence.
    within: u16,
    /// The sentence must ask.
    asks: bool,
    /// All of this may stand in another sentence.
    crosses: bool,
}

/// Any place will do.
const ANYWHERE: Stretch = Stretch { least: i16::MIN, most: i16::MAX };

/// A pattern of a rule.
#[derive(Clone, Debug)]
struct Place {
    rule: u32,
    pattern: u16,
    anchors: SmallVec<[ClassId; 4]>,
    /// Where the anchor stands, counted from the trigger.
    anchor: Stretch,
    /// Where the sentence must begin.
    begins: Stretch,
    /// Where it must be over.
    ends: Stretch,
}

/// A pattern that may stand at a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The token at which looking begins.
    pub at: u32,
    /// Its class that the pattern begins with.
    pub class: ClassId,
    /// The rule.
    pub rule: u32,
    /// The pattern of the rule.
    pub pattern: u16,
}

/// All patterns of all rules by their triggers.
#[derive(Debug)]
pub struct Index {
    /// For every entry, where its triggers begin; they end where those of the next begin.
    begins: Vec<u32>,
    triggers: Vec<Trigger>,
    /// What every entry adds to the mask of its sentence.
    masks: Vec<Mask>,
    /// What every kind adds.
    kinds: [Mask; Kind::ALL.len()],
    patterns: Vec<Place>,
}

/// A pattern while it is indexed.
struct Chosen {
    trigger: Needed,
    /// The rest, the rarest first, with how often each is met.
    rest: Vec<(f32, Needed)>,
    outline: Outline,
}

impl Index {
    /// Indexes the patterns. A pattern that begins at `repeat` alone is left out: no word stands
    /// for that class.
    pub fn new(rules: &[Rule], words: &Words, n_classes: usize, repeat: ClassId) -> Self {
        let often = Often::new(words, n_classes);
        let mut patterns = Vec::new();
        let mut chosen = Vec::new();
        for (r, rule) in rules.iter().enumerate() {
            for (p, pattern) in rule.patterns.iter().enumerate() {
                let anchors: SmallVec<[ClassId; 4]> =
                    pattern.anchors().iter().copied().filter(|c| *c != repeat).collect();
                if !anchors.is_empty() {
                    let own = choose(&anchors, pattern.outline(), &often);
                    patterns.push(own.place(r as u32, p as u16, anchors));
                    chosen.push(own);
                }
            }
        }
        let bits = share_out(&chosen);
        let mut at_class: BTreeMap<ClassId, Vec<Trigger>> = BTreeMap::new();
        for (n, chosen) in chosen.iter().enumerate() {
            let trigger = chosen.trigger(n as u32, &bits);
            for class in &chosen.trigger.classes {
                at_class.entry(*class).or_default().push(trigger);
            }
        }
        let mut index = Self {
            begins: Vec::with_capacity(words.n_entries() + 1),
            triggers: Vec::new(),
            masks: Vec::new(),
            kinds: [Mask::NONE; Kind::ALL.len()],
            patterns,
        };
        index.set_masks(&bits, words);
        for entry in 0..words.n_entries() {
            index.begins.push(index.triggers.len() as u32);
            let classes = words.classes_of(EntryId(entry as u32)).iter();
            let mut own: Vec<Trigger> =
                classes.filter_map(|c| at_class.get(c)).flatten().copied().collect();
            own.sort_by_key(|t| t.pattern);
            own.dedup_by_key(|t| t.pattern);
            index.triggers.extend(own);
        }
        index.begins.push(index.triggers.len() as u32);
        index
    }

    fn set_masks(&mut self, bits: &BTreeMap<Wanted, u16>, words: &Words) {
        let mut of_class: BTreeMap<ClassId, Vec<u16>> = BTreeMap::new();
        for ((classes, kinds), bit) in bits {
            for class in classes {
                of_class.entry(*class).or_default().push(*bit);
            }
            for kind in kinds {
                self.kinds[*kind as usize].set(*bit);
            }
        }
        let mask_of = |entry: usize| {
            let mut mask = Mask::NONE;
            let classes = words.classes_of(EntryId(entry as u32)).iter();
            classes.filter_map(|c| of_class.get(c)).flatten().for_each(|bit| mask.set(*bit));
            mask
        };
        self.masks = (0..words.n_entries()).map(mask_of).collect();
    }

    /// Gathers the patterns that may stand in the text, in the order in which they are to be tried.
    pub fn candidates(&self, tokens: &Tokens, words: &Words, out: &mut Vec<Candidate>) {
        out.clear();
        let mut sentence = (u32::MAX, Mask::NONE);
        let mut text = None;
        for (at, token) in tokens.tokens.iter().enumerate() {
            let entry = token.entry.0 as usize;
            let (from, to) = (self.begins[entry] as usize, self.begins[entry + 1] as usize);
            for trigger in &self.triggers[from..to] {
                if trigger.asks && !asks(trigger, tokens, token)
                    || !self.stands_beside(trigger, at, &tokens.tokens)
                {
                    continue;
                }
                if trigger.within != NOTHING {
                    let stands_within = if trigger.crosses {
                        let all = || {
                            let mut mask = Mask::NONE;
                            self.fill(&mut mask, &tokens.tokens);
                            mask
                        };
                        text.get_or_insert_with(all).has(trigger.within)
                    } else {
                        if sentence.0 != token.sentence {
                            sentence.0 = token.sentence;
                            let Sentence { first, last, .. } = sentence_of(tokens, token);
                            let of = &tokens.tokens[first as usize..last as usize];
                            self.fill(&mut sentence.1, of);
                        }
                        sentence.1.has(trigger.within)
                    };
                    if !stands_within {
                        continue;
                    }
                }
                let place = &self.patterns[trigger.pattern as usize];
                if place.begins.holds(at, sentence_of(tokens, token).first)
                    && place.ends.holds(at, sentence_of(tokens, token).last)
                {
                    place.anchors(at, tokens, words, out);
                }
            }
        }
        out.sort_unstable();
        out.dedup();
    }

    #[inline]
    fn stands_beside(&self, trigger: &Trigger, at: usize, tokens: &[Token]) -> bool {
        trigger.beside == NOTHING
            || trigger.at.round(at, tokens.len()).any(|i| self.has(&tokens[i], trigger.beside))
    }

    #[inline]
    fn has(&self, token: &Token, bit: u16) -> bool {
        self.masks[token.entry.0 as usize].has(bit)
            || (token.kind != Kind::Word && self.kinds[token.kind as usize].has(bit))
    }

    /// What the tokens set together.
    fn fill(&self, mask: &mut Mask, tokens: &[Token]) {
        *mask = Mask::NONE;
        for token in tokens {
            if token.entry != EntryId::UNKNOWN {
                mask.add(&self.masks[token.entry.0 as usize]);
            }
            if token.kind != Kind::Word {
                mask.add(&self.kinds[token.kind as usize]);
            }
        }
    }
}

#[inline]
fn sentence_of(tokens: &Tokens, token: &Token) -> Sentence {
    tokens.sentences[token.sentence as usize]
}

/// Whether the sentence asks. Which sentences a pattern reaches that crosses a border is seen only
/// when it is looked for.
#[inline]
fn asks(trigger: &Trigger, tokens: &Tokens, token: &Token) -> bool {
    trigger.crosses || sentence_of(tokens, token).asks
}

impl Place {
    /// The tokens round the trigger at which looking for the pattern begins.
    fn anchors(&self, at: usize, tokens: &Tokens, words: &Words, out: &mut Vec<Candidate>) {
        for anchor in self.anchor.round(at, tokens.tokens.len()) {
            let classes = words.classes_of(tokens.tokens[anchor].entry);
            out.extend(classes.iter().filter(|c| self.anchors.contains(c)).map(|class| {
                let Self { rule, pattern, .. } = *self;
                Candidate { at: anchor as u32, class: *class, rule, pattern }
            }));
        }
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

    /// Whether the place is in the stretch.
    #[inline]
    fn holds(self, at: usize, place: u32) -> bool {
        let by = i64::from(place) - at as i64;
        i64::from(self.least) <= by && by <= i64::from(self.most)
            || (self.least == ANYWHERE.least && self.most == ANYWHERE.most)
    }
}

/// Picks the trigger of a pattern among what it needs.
fn choose(anchors: &SmallVec<[ClassId; 4]>, mut outline: Outline, often: &Often) -> Chosen {
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
    Chosen { trigger, rest: needs, outline }
}

impl Chosen {
    /// The rarest set of the rest, but for the one that is looked for by its place.
    fn within(&self) -> Option<Wanted> {
        let beside = self.beside().map(|(set, _)| set);
        self.rest.iter().map(|(_, n)| set(n)).find(|set| beside.as_ref() != Some(set))
    }

    /// What is looked for by its place, and where.
    fn beside(&self) -> Option<(Wanted, Stretch)> {
        let places = self.rest.iter().map(|(often, n)| {
            let (least, most) = (n.least - self.trigger.most, n.most - self.trigger.least);
            (often * f32::from(most - least + 1), n, Stretch { least, most })
        });
        places
            .filter(|(_, _, at)| at.most - at.least < WIDEST)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, n, at)| (set(n), at))
    }

    fn trigger(&self, pattern: u32, bits: &BTreeMap<Wanted, u16>) -> Trigger {
        let (beside, within) = (self.beside(), self.within());
        Trigger {
            pattern,
            beside: beside.as_ref().map_or(NOTHING, |(set, _)| bits[set]),
            at: beside.map_or(ANYWHERE, |(_, at)| at),
            within: within.map_or(NOTHING, |set| bits[&set]),
            asks: self.outline.asks,
            crosses: self.outline.crosses,
        }
    }

    fn place(&self, rule: u32, pattern: u16, anchors: SmallVec<[ClassId; 4]>) -> Place {
        let Needed { least, most, .. } = self.trigger;
        let edge = |edge: Option<(i16, i16)>| {
            edge.map_or(ANYWHERE, |(from, to)| Stretch { least: from - most, most: to - least })
        };
        let (begins, ends) = (edge(self.outline.begins), edge(self.outline.ends));
        let anchor = Stretch { least: -most, most: -least };
        Place { rule, pattern, anchors, anchor, begins, ends }
    }
}

fn set(needed: &Needed) -> Wanted {
    (needed.classes.clone(), needed.kinds.clone())
}

/// Gives the sets their bits: those met most have one each, so that they say nothing of others; the
/// rest, which are seldom set, share.
fn share_out(chosen: &[Chosen]) -> BTreeMap<Wanted, u16> {
    let mut sets: BTreeMap<Wanted, f32> = BTreeMap::new();
    for chosen in chosen {
        let beside = chosen.beside().map(|(set, _)| set);
        let within = chosen.within();
        for (often, needed) in &chosen.rest {
            let set = set(needed);
            if beside.as_ref() == Some(&set) || within.as_ref() == Some(&set) {
                sets.insert(set, *often);
            }
        }
    }
    let mut order: Vec<(Wanted, f32)> = sets.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let bit = |rank: usize| match rank {
        0..N_OWN => rank as u16,
        _ => (N_OWN + (rank - N_OWN) % (N_BITS - N_OWN)) as u16,
    };
    order.into_iter().enumerate().map(|(rank, (set, _))| (set, bit(rank))).collect()
}

/// How often words of each class are met, among ten thousand.
struct Often(Vec<f32>);

impl Often {
    fn new(words: &Words, n_classes: usize) -> Self {
        let mut all = everyday::by_class(words, n_classes);
        for entry in 0..words.n_entries() {
            for class in words.classes_of(EntryId(entry as u32)) {
                all[usize::from(class.0)] += everyday::RARE;
            }
        }
        Self(all)
    }

    /// A word that is in several of the classes counts once for each: near enough.
    fn of(&self, classes: &[ClassId], kinds: &[Kind]) -> f32 {
        let of_class = |c: &ClassId| self.0.get(usize::from(c.0)).copied().unwrap_or(0.0);
        classes.iter().map(of_class).sum::<f32>() + kinds.len() as f32 * KIND
    }
}
