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
const N_OWN: usize = N_BITS / 2;
/// The bit that every stretch of text has: nothing is asked for.
const ALWAYS: u16 = 0;
/// The bit of a sentence that asks.
const ASKS: u16 = 1;
/// The first bit that stands for a set.
const FIRST: usize = 2;
/// How many sets a trigger looks for in its sentence.
const N_WITHIN: usize = 4;
/// The widest stretch in which a set is looked for by its place.
const WIDEST: i16 = 6;
/// How many tokens a sentence may have of which one mask tells. Of a longer one, each stretch of so
/// many has its own, and a token asks that of its stretch and of both beside it.
const STRETCH: usize = 64;
/// How often a kind of token is met among ten thousand words.
const KIND: f32 = 60.0;

/// Sets of classes, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(align(64))]
struct Mask([u64; N_BITS / 64]);

impl Mask {
    const NONE: Self = Self([0; N_BITS / 64]);

    #[inline]
    fn add(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(other.0) {
            *mine |= others;
        }
    }

    #[inline]
    fn set(&mut self, bit: u16) {
        self.0[usize::from(bit) / 64 % (N_BITS / 64)] |= 1 << (bit % 64);
    }

    #[inline]
    fn has(&self, bit: u16) -> bool {
        self.0[usize::from(bit) / 64 % (N_BITS / 64)] >> (bit % 64) & 1 == 1
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
    /// The pattern, by its place in [`Index::places`].
    place: u32,
    /// The bits of what must stand in the sentence, or in the text if the pattern is
    /// [`Trigger::is_wide`].
    within: [u16; N_WITHIN],
}

/// In [`Trigger::place`]: the pattern may reach beyond the sentence, or beyond [`STRETCH`].
const WIDE: u32 = 1 << 31;

/// Any place will do.
const ANYWHERE: Stretch = Stretch { least: i16::MIN, most: i16::MAX };

/// A pattern of a rule.
#[derive(Clone, Debug)]
struct Place {
    rule: u32,
    pattern: u16,
    /// The bit of a token that must stand in this stretch; [`ALWAYS`] if there is none.
    beside: u16,
    at: Stretch,
    /// Where the anchor stands, counted from the trigger.
    anchor: Stretch,
    /// Where the sentence must begin.
    begins: Stretch,
    /// Where it must be over.
    ends: Stretch,
    anchors: SmallVec<[ClassId; 4]>,
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
///
/// Words that rules cannot tell apart share a *profile*. Profiles stand in the order in which they
/// are met, so that those of everyday words lie side by side and stay in the nearest caches.
#[derive(Debug)]
pub struct Index {
    /// For every entry, its profile.
    profiles: Vec<u32>,
    /// What every profile adds to the mask of its sentence.
    masks: Vec<Mask>,
    /// For every profile, where its triggers begin; they end where those of the next begin.
    begins: Vec<u32>,
    triggers: Vec<Trigger>,
    /// What every kind adds.
    kinds: [Mask; Kind::ALL.len()],
    places: Vec<Place>,
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
        let mut owners = Vec::new();
        let mut chosen = Vec::new();
        for (r, rule) in rules.iter().enumerate() {
            for (p, pattern) in rule.patterns.iter().enumerate() {
                let anchors: SmallVec<[ClassId; 4]> =
                    pattern.anchors().iter().copied().filter(|c| *c != repeat).collect();
                if !anchors.is_empty() {
                    chosen.push(choose(&anchors, pattern.outline(), &often));
                    owners.push((r as u32, p as u16, anchors));
                }
            }
        }
        let bits = share_out(&chosen);
        let mut at_class: Vec<Vec<Trigger>> = vec![Vec::new(); n_classes];
        for (n, chosen) in chosen.iter().enumerate() {
            let trigger = chosen.trigger(n as u32, &bits);
            for class in &chosen.trigger.classes {
                at_class[usize::from(class.0)].push(trigger);
            }
        }
        let places = owners.into_iter().zip(&chosen);
        let mut index = Self {
            profiles: vec![0; words.n_entries()],
            masks: Vec::new(),
            begins: Vec::new(),
            triggers: Vec::new(),
            kinds: [Mask::NONE; Kind::ALL.len()],
            places: places.map(|(owner, chosen)| chosen.place(owner, &bits)).collect(),
        };
        index.set_profiles(&at_class, &bits, words);
        index
    }

    /// Sorts the entries by what can be told of them.
    fn set_profiles(
        &mut self,
        at_class: &[Vec<Trigger>],
        bits: &BTreeMap<Wanted, u16>,
        words: &Words,
    ) {
        let mut of_class: Vec<Vec<u16>> = vec![Vec::new(); at_class.len()];
        for ((classes, kinds), bit) in bits {
            for class in classes {
                of_class[usize::from(class.0)].push(*bit);
            }
            for kind in kinds {
                self.kinds[*kind as usize].set(*bit);
            }
        }
        let mut often = vec![everyday::RARE; words.n_entries()];
        everyday::known(words).for_each(|(entry, known)| often[entry.0 as usize] += known);
        // Entries of one profile are alike in the classes that patterns name at all.
        let mut profiles: BTreeMap<Vec<ClassId>, (f32, Vec<usize>)> = BTreeMap::new();
        let tells = |c: &ClassId| {
            let class = usize::from(c.0);
            !of_class[class].is_empty() || !at_class[class].is_empty()
        };
        for (entry, often) in often.iter().enumerate() {
            let classes = words.classes_of(EntryId(entry as u32)).iter();
            let (all, members) =
                profiles.entry(classes.copied().filter(tells).collect()).or_default();
            *all += often;
            members.push(entry);
        }
        let mut order: Vec<_> = profiles.into_iter().collect();
        order.sort_by(|(_, (a, _)), (_, (b, _))| b.total_cmp(a));
        for (classes, (_, members)) in order {
            for entry in members {
                self.profiles[entry] = self.begins.len() as u32;
            }
            let mut mask = Mask::NONE;
            let of_classes = classes.iter().flat_map(|c| &of_class[usize::from(c.0)]);
            of_classes.for_each(|bit| mask.set(*bit));
            self.masks.push(mask);
            self.begins.push(self.triggers.len() as u32);
            let from = self.triggers.len();
            let triggers = classes.iter().flat_map(|c| &at_class[usize::from(c.0)]);
            self.triggers.extend(triggers.copied());
            self.triggers[from..].sort_by_key(|t| t.place);
            let mut own = self.triggers.split_off(from);
            own.dedup_by_key(|t| t.place);
            self.triggers.append(&mut own);
        }
        self.begins.push(self.triggers.len() as u32);
    }

    /// Gathers the patterns that may stand in the text, in the order in which they are to be tried.
    pub fn candidates(&self, tokens: &Tokens, words: &Words, out: &mut Vec<Candidate>) {
        out.clear();
        let mut text = None;
        for sentence in &tokens.sentences {
            let (first, last) = (sentence.first as usize, sentence.last as usize);
            // Most often there is one stretch, and no more than the sentence.
            let mut from = first;
            while from < last {
                let to = if last - from > 2 * STRETCH { from + STRETCH } else { last };
                let around = from.saturating_sub(STRETCH).max(first)..(to + STRETCH).min(last);
                let mut mask = Mask::NONE;
                self.fill(&mut mask, &tokens.tokens[around]);
                mask.set(ALWAYS);
                if sentence.asks {
                    mask.set(ASKS);
                }
                for at in from..to {
                    let profile = self.profile_of(&tokens.tokens[at]);
                    let (from, to) = (self.begins[profile], self.begins[profile + 1]);
                    for trigger in &self.triggers[from as usize..to as usize] {
                        let mask = if trigger.is_wide() {
                            text.get_or_insert_with(|| self.mask_of_text(tokens))
                        } else {
                            &mask
                        };
                        if trigger.within.iter().all(|bit| mask.has(*bit)) {
                            let place = &self.places[(trigger.place & !WIDE) as usize];
                            self.place(place, at, *sentence, tokens, words, out);
                        }
                    }
                }
                from = to;
            }
        }
        out.sort_unstable();
        out.dedup();
    }

    /// Takes the pattern for a candidate if what can be told by places does not speak against it.
    fn place(
        &self,
        place: &Place,
        at: usize,
        sentence: Sentence,
        tokens: &Tokens,
        words: &Words,
        out: &mut Vec<Candidate>,
    ) {
        let all = &tokens.tokens;
        if place.begins.holds(at, sentence.first)
            && place.ends.holds(at, sentence.last)
            && (place.beside == ALWAYS
                || place.at.round(at, all.len()).any(|i| self.has(&all[i], place.beside)))
        {
            place.anchors(at, tokens, words, out);
        }
    }

    #[inline]
    fn profile_of(&self, token: &Token) -> usize {
        self.profiles[token.entry.0 as usize] as usize
    }

    #[inline]
    fn has(&self, token: &Token, bit: u16) -> bool {
        self.masks[self.profile_of(token)].has(bit)
            || (token.kind != Kind::Word && self.kinds[token.kind as usize].has(bit))
    }

    /// What the tokens set together.
    fn fill(&self, mask: &mut Mask, tokens: &[Token]) {
        for token in tokens {
            if token.entry != EntryId::UNKNOWN {
                mask.add(&self.masks[self.profile_of(token)]);
            }
            if token.kind != Kind::Word {
                mask.add(&self.kinds[token.kind as usize]);
            }
        }
    }

    /// What all tokens set. Which sentences a pattern reaches that crosses a border, and whether
    /// these ask, is seen only when it is looked for.
    fn mask_of_text(&self, tokens: &Tokens) -> Mask {
        let mut mask = Mask::NONE;
        self.fill(&mut mask, &tokens.tokens);
        mask.set(ALWAYS);
        mask.set(ASKS);
        mask
    }
}

impl Trigger {
    #[inline]
    const fn is_wide(&self) -> bool {
        self.place & WIDE != 0
    }
}

impl Place {
    /// The tokens round the trigger at which looking for the pattern begins.
    fn anchors(&self, at: usize, tokens: &Tokens, words: &Words, out: &mut Vec<Candidate>) {
        for anchor in self.anchor.round(at, tokens.tokens.len()) {
            let entry = tokens.tokens[anchor].entry;
            out.extend(self.anchors.iter().filter(|c| words.is(entry, **c)).map(|class| {
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
    /// What is looked for in the sentence: what is looked for by its place as well, then the
    /// rarest of the rest, each set once.
    fn within(&self) -> impl Iterator<Item = (f32, Wanted)> {
        let beside = self.beside();
        let mut sets: SmallVec<[(f32, Wanted); N_WITHIN]> = SmallVec::new();
        let of_place =
            self.rest.iter().filter(|(_, n)| beside.as_ref().is_some_and(|b| b.0 == set(n)));
        for (often, needed) in of_place.chain(&self.rest) {
            let set = set(needed);
            if sets.len() < N_WITHIN - usize::from(self.asks()) && sets.iter().all(|s| s.1 != set) {
                sets.push((*often, set));
            }
        }
        sets.sort_by(|a, b| a.0.total_cmp(&b.0));
        sets.into_iter()
    }

    /// What is looked for by its place, and where.
    fn beside(&self) -> Option<(Wanted, Stretch)> {
        let places = self.rest.iter().map(|(often, n)| {
            let at = self.from_trigger(n);
            (often * f32::from(at.most - at.least + 1), n, at)
        });
        places
            .filter(|(_, _, at)| at.most - at.least < WIDEST)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, n, at)| (set(n), at))
    }

    /// Where it stands, counted from the trigger.
    fn from_trigger(&self, n: &Needed) -> Stretch {
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
        self.outline.crosses || !self.rest.iter().all(|(_, n)| is_near(self.from_trigger(n)))
    }

    fn trigger(&self, place: u32, bits: &BTreeMap<Wanted, u16>) -> Trigger {
        let wide = if self.is_wide() { WIDE } else { 0 };
        let mut within = [ALWAYS; N_WITHIN];
        let asks = self.asks().then_some(ASKS);
        for (to, bit) in within.iter_mut().zip(self.within().map(|(_, s)| bits[&s]).chain(asks)) {
            *to = bit;
        }
        Trigger { place: place | wide, within }
    }

    fn place(
        &self,
        owner: (u32, u16, SmallVec<[ClassId; 4]>),
        bits: &BTreeMap<Wanted, u16>,
    ) -> Place {
        let (rule, pattern, anchors) = owner;
        let Needed { least, most, .. } = self.trigger;
        let edge = |edge: Option<(i16, i16)>| {
            edge.map_or(ANYWHERE, |(from, to)| Stretch { least: from - most, most: to - least })
        };
        let (begins, ends) = (edge(self.outline.begins), edge(self.outline.ends));
        let anchor = Stretch { least: -most, most: -least };
        let beside = self.beside();
        Place {
            rule,
            pattern,
            beside: beside.as_ref().map_or(ALWAYS, |(set, _)| bits[set]),
            at: beside.map_or(ANYWHERE, |(_, at)| at),
            anchor,
            begins,
            ends,
            anchors,
        }
    }
}

fn set(needed: &Needed) -> Wanted {
    (needed.classes.clone(), needed.kinds.clone())
}

/// Gives the sets their bits: those met most have one each, so that they say nothing of others; the
/// rest, which are seldom set, share.
fn share_out(chosen: &[Chosen]) -> BTreeMap<Wanted, u16> {
    let sets = chosen.iter().flat_map(Chosen::within);
    let sets: BTreeMap<Wanted, f32> = sets.map(|(often, set)| (set, often)).collect();
    let mut order: Vec<(Wanted, f32)> = sets.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let bit = |rank: usize| match rank + FIRST {
        own @ 0..N_OWN => own as u16,
        shared => (N_OWN + (shared - N_OWN) % (N_BITS - N_OWN)) as u16,
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
