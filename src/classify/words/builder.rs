//! Forms with their classes, gathered in any order, and made into the table.
//!
//! A lexicon adds some 600,000 times: nested classes bring the same words again and again. So a
//! text is kept once and known by number, with its derived readings, and a set of classes is kept
//! once as well, so that adding a class to a form goes from one number to another.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::classify::gate::ClassMask;
use crate::classify::words::compounds::{Part, Parts, first_four, last_four};
use crate::classify::words::texts::{TextId, Texts};
use crate::classify::words::{ClassId, Entry, EntryId, Form, Words};

/// In how many ways a form may be read, each holding those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readings {
    /// As spelled.
    Exact,
    /// Also without å, ä, ö, in a text that has none of them.
    Stripped,
    /// Also with letters stretched.
    Disguised,
}

/// What every class is that a lexicon has no room for: no word is ever in it.
pub const OVERFULL: ClassId = ClassId(u16::MAX);

/// The shortest part of a compound, in bytes.
const SHORTEST_PART: usize = 2;

/// Gathers forms with their classes, and builds the table.
#[derive(Clone, Debug, Default)]
pub struct WordsBuilder {
    texts: Texts,
    /// By the number of the text.
    forms: Vec<Forms>,
    sets: Sets,
    firsts: RawParts,
    lasts: RawParts,
    /// Where derived readings are written before they have a number.
    buffer: String,
}

/// What is known of one text.
#[derive(Clone, Copy, Debug)]
struct Forms {
    /// The classes of each [`Form`] of that text.
    sets: [SetId; 3],
    /// The text without å, ä, ö: itself, where it has none.
    stripped: TextId,
    /// The text and the stripped one with every run of a letter made single.
    squeezed: [TextId; 2],
    /// It may be met misspelled.
    disguised: bool,
}

const NO_FORMS: Forms = Forms {
    sets: [SetId::EMPTY; 3],
    stripped: TextId::OPEN,
    squeezed: [TextId::OPEN; 2],
    disguised: false,
};

impl WordsBuilder {
    /// The number of a text, for [`Self::add_text`].
    pub fn text(&mut self, text: &str) -> TextId {
        let id = self.texts.add(text);
        if self.forms.len() < self.texts.len() {
            self.forms.push(NO_FORMS);
        }
        id
    }

    /// Adds a form to a class, with the readings it may have.
    pub fn add(&mut self, form: &str, class: ClassId, readings: Readings) {
        let text = self.text(form);
        self.add_text(text, class, readings);
    }

    /// As [`Self::add`], for a form whose number is known.
    pub fn add_text(&mut self, text: TextId, class: ClassId, readings: Readings) {
        self.put(text, Form::Exact, class);
        if readings == Readings::Exact {
            return;
        }
        let bare = self.stripped(text);
        if readings == Readings::Disguised {
            self.forms[text.place()].disguised = true;
            let [squeezed, squeezed_bare] = self.squeezed(text, bare);
            self.put(squeezed, Form::Squeezed, class);
            if bare != text {
                self.put(squeezed_bare, Form::Squeezed, class);
            }
        }
        if bare != text {
            self.put(bare, Form::Stripped, class);
        }
    }

    fn put(&mut self, text: TextId, form: Form, class: ClassId) {
        if class == OVERFULL {
            return;
        }
        let set = &mut self.forms[text.place()].sets[form as usize];
        *set = self.sets.with(*set, class);
    }

    /// The text without rings and dots.
    fn stripped(&mut self, text: TextId) -> TextId {
        let known = self.forms[text.place()].stripped;
        if known != TextId::OPEN {
            return known;
        }
        let stripped = self.derived(text, |from, to| {
            to.extend(from.chars().map(|c| match c {
                'å' | 'ä' => 'a',
                'ö' => 'o',
                c => c,
            }));
        });
        self.forms[text.place()].stripped = stripped;
        stripped
    }

    /// The text, and the same stripped, with every run of a letter made single.
    fn squeezed(&mut self, text: TextId, bare: TextId) -> [TextId; 2] {
        let known = self.forms[text.place()].squeezed;
        if known[0] != TextId::OPEN {
            return known;
        }
        let squeezed = [text, bare].map(|of| {
            self.derived(of, |from, to| {
                for c in from.chars() {
                    if !to.ends_with(c) {
                        to.push(c);
                    }
                }
            })
        });
        self.forms[text.place()].squeezed = squeezed;
        squeezed
    }

    fn derived(&mut self, text: TextId, write: impl Fn(&str, &mut String)) -> TextId {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        write(self.texts.get(text), &mut buffer);
        let derived = self.text(&buffer);
        self.buffer = buffer;
        derived
    }

    /// Adds a first part of compounds, if it is long enough to be one.
    pub fn add_first(
        &mut self,
        part: &str,
        class: ClassId,
        rest: Option<ClassId>,
        stops: &[String],
    ) {
        if part.len() < SHORTEST_PART || class == OVERFULL {
            return;
        }
        let text = self.text(part);
        let bare = self.stripped(text);
        let stops: Vec<Vec<u8>> = stops.iter().map(|s| s.as_bytes().to_vec()).collect();
        if bare != text {
            let bare = self.texts.get(bare).as_bytes().to_vec();
            self.firsts.entry(bare).or_default().push((class, rest, stops.clone()));
        }
        self.firsts.entry(part.as_bytes().to_vec()).or_default().push((class, rest, stops));
    }

    /// Adds a last part of compounds, if it is long enough to be one; stops are what may not stand
    /// in front.
    pub fn add_last(
        &mut self,
        part: TextId,
        class: ClassId,
        rest: Option<ClassId>,
        stops: &[String],
    ) {
        let part = self.texts.get(part);
        if part.len() < SHORTEST_PART || class == OVERFULL {
            return;
        }
        let stops: Vec<Vec<u8>> = stops.iter().map(|s| s.as_bytes().to_vec()).collect();
        self.lasts.entry(part.as_bytes().to_vec()).or_default().push((class, rest, stops));
    }

    /// Gives every form also the classes that it has as a compound, unless it is of the class
    /// `never`.
    pub fn add_compounds(&mut self, words: &Words, never: ClassId) {
        let Self { texts, forms, sets, .. } = self;
        for (n, form) in forms.iter_mut().enumerate() {
            let set = &mut form.sets[Form::Exact as usize];
            if *set == SetId::EMPTY || sets.get(*set).contains(&never) {
                continue;
            }
            let text = texts.get(TextId::at(n));
            for class in words.classes_of(words.compound(text.as_bytes(), false)) {
                *set = sets.with(*set, *class);
            }
        }
    }

    /// Takes every form of `out` out of the class.
    pub fn take_out(&mut self, class: ClassId, out: ClassId) {
        let n_sets = self.sets.all.len();
        let left: Vec<SetId> = (0..n_sets)
            .map(|n| {
                let set = Arc::clone(&self.sets.all[n]);
                if !set.contains(&out) {
                    return SetId(n as u32);
                }
                self.sets.number(set.iter().copied().filter(|c| *c != class && *c != out).collect())
            })
            .collect();
        for set in self.forms.iter_mut().flat_map(|f| &mut f.sets) {
            *set = left[set.0 as usize];
        }
    }

    /// The forms that may be met misspelled, in order.
    pub fn disguised(&self) -> Vec<&str> {
        let disguised = self.forms.iter().enumerate().filter(|(_, form)| form.disguised);
        let mut all: Vec<&str> = disguised.map(|(n, _)| self.texts.get(TextId::at(n))).collect();
        all.sort_unstable();
        all
    }

    /// The classes that a form has so far.
    pub fn classes_of_form(&self, form: &str) -> &[ClassId] {
        let text = self.texts.find(form);
        text.map_or(&[], |t| self.sets.get(self.forms[t.place()].sets[Form::Exact as usize]))
    }

    /// Builds the table. `anchors` are the classes that rules begin at, `disguisable` those that
    /// may be met in disguise.
    pub fn build(&mut self, anchors: &[bool], disguisable: &[bool]) -> Words {
        self.build_of(&[Form::Exact, Form::Stripped, Form::Squeezed], anchors, disguisable)
    }

    /// The same without derived readings: enough to ask about compounds.
    pub fn build_as_spelled(&mut self, anchors: &[bool], disguisable: &[bool]) -> Words {
        self.build_of(&[Form::Exact], anchors, disguisable)
    }

    fn build_of(&mut self, readings: &[Form], anchors: &[bool], disguisable: &[bool]) -> Words {
        let firsts = self.sets.grouped(&self.firsts);
        let lasts = self.sets.grouped(&self.lasts);
        let mut used = vec![false; self.sets.all.len()];
        let of_forms = self.forms.iter().flat_map(|f| readings.iter().map(|r| f.sets[*r as usize]));
        let mut n_forms = 0;
        for set in of_forms.filter(|set| *set != SetId::EMPTY) {
            used[set.0 as usize] = true;
            n_forms += 1;
        }
        for (_, parts) in firsts.iter().chain(&lasts) {
            parts.iter().for_each(|part| used[part.set.0 as usize] = true);
        }
        let entries = Entries::new(&self.sets, &used, anchors, disguisable);
        let mut words = Words::for_forms(n_forms);
        for reading in readings {
            for (n, forms) in self.forms.iter().enumerate() {
                let set = forms.sets[*reading as usize];
                if set != SetId::EMPTY {
                    let text = self.texts.get(TextId::at(n)).as_bytes();
                    words.put(*reading, self.texts.hash(TextId::at(n)), text, entries.of(set));
                }
            }
        }
        words.firsts = Parts::new(parts(firsts, &entries), first_four);
        words.lasts = Parts::new(parts(lasts, &entries), last_four);
        words.entries = entries.all;
        words.n_begin = entries.n_begin;
        words.classes = entries.classes;
        words
    }
}

fn parts(grouped: Vec<(Vec<u8>, Vec<RawPart>)>, entries: &Entries) -> HashMap<Vec<u8>, Vec<Part>> {
    let part = |raw: RawPart| Part { entry: entries.of(raw.set), rest: raw.rest, stops: raw.stops };
    grouped.into_iter().map(|(text, parts)| (text, parts.into_iter().map(part).collect())).collect()
}

/// The number of a set of classes in one builder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct SetId(u32);

impl SetId {
    const EMPTY: Self = Self(0);
}

/// Sets of classes, each once, in rising order of classes.
#[derive(Clone, Debug)]
struct Sets {
    all: Vec<Arc<[ClassId]>>,
    numbers: HashMap<Arc<[ClassId]>, SetId>,
    /// What some sets become with a class more, found out before: set, class, what becomes of it.
    steps: Vec<(SetId, ClassId, SetId)>,
}

impl Default for Sets {
    fn default() -> Self {
        let empty: Arc<[ClassId]> = Arc::new([]);
        Self {
            numbers: HashMap::from([(Arc::clone(&empty), SetId::EMPTY)]),
            all: vec![empty],
            // Nothing is added to the empty set to make it the empty set.
            steps: vec![(SetId::EMPTY, ClassId(0), SetId::EMPTY); N_STEPS],
        }
    }
}

/// How many steps are kept.
const N_STEPS: usize = 1 << 12;

impl Sets {
    fn get(&self, set: SetId) -> &[ClassId] {
        &self.all[set.0 as usize]
    }

    /// The number of a set in rising order.
    fn number(&mut self, set: Vec<ClassId>) -> SetId {
        if let Some(known) = self.numbers.get(set.as_slice()) {
            return *known;
        }
        let id = SetId(self.all.len() as u32);
        let set: Arc<[ClassId]> = set.into();
        self.all.push(Arc::clone(&set));
        self.numbers.insert(set, id);
        id
    }

    fn with(&mut self, set: SetId, class: ClassId) -> SetId {
        let at = (set.0.wrapping_mul(0x9E37_79B1) ^ u32::from(class.0).wrapping_mul(0x85EB_CA6B))
            as usize
            >> 16
            & (N_STEPS - 1);
        let (of, with, to) = self.steps[at];
        if of == set && with == class && to != SetId::EMPTY {
            return to;
        }
        let old = self.get(set);
        let to = match old.binary_search(&class) {
            Ok(_) => set,
            Err(at) => {
                let mut new = old.to_vec();
                new.insert(at, class);
                self.number(new)
            }
        };
        self.steps[at] = (set, class, to);
        to
    }

    /// Parts with one part per condition, with all its classes: *jäveln* swears, abuses and names
    /// a person at once.
    fn grouped(&mut self, from: &RawParts) -> Vec<(Vec<u8>, Vec<RawPart>)> {
        from.iter()
            .map(|(text, raw)| {
                let mut by_rest: BTreeMap<Option<ClassId>, RawPart> = BTreeMap::new();
                for (class, rest, stops) in raw {
                    let part = by_rest.entry(*rest).or_insert_with(|| RawPart {
                        set: SetId::EMPTY,
                        rest: *rest,
                        stops: Vec::new(),
                    });
                    part.set = self.with(part.set, *class);
                    part.stops.extend(stops.iter().cloned());
                }
                (text.clone(), by_rest.into_values().collect())
            })
            .collect()
    }
}

/// Parts of compounds as added: class, what the rest must be, stops.
type RawParts = BTreeMap<Vec<u8>, Vec<(ClassId, Option<ClassId>, Vec<Vec<u8>>)>>;

/// All parts of one text and condition.
struct RawPart {
    set: SetId,
    rest: Option<ClassId>,
    stops: Vec<Vec<u8>>,
}

/// The sets of classes that words have; those that rules begin at first.
struct Entries {
    /// By the number of the set.
    ids: Vec<EntryId>,
    all: Vec<Entry>,
    classes: Vec<ClassId>,
    n_begin: u32,
}

impl Entries {
    fn new(sets: &Sets, used: &[bool], anchors: &[bool], disguisable: &[bool]) -> Self {
        let holds = |set: &[ClassId], flags: &[bool]| {
            set.iter().any(|c| flags.get(c.0 as usize).copied().unwrap_or(false))
        };
        let mut order: Vec<usize> = (0..used.len()).filter(|n| used[*n]).collect();
        // Most come in order already: classes of single words, each with a set of its own.
        order.sort_by(|a, b| sets.all[*a].cmp(&sets.all[*b]));
        let (begin, rest): (Vec<_>, Vec<_>) =
            order.into_iter().partition(|n| holds(&sets.all[*n], anchors));
        let mut entries = Self {
            ids: vec![EntryId::UNKNOWN; used.len()],
            all: vec![Entry::default()],
            classes: Vec::new(),
            n_begin: begin.len() as u32,
        };
        for n in begin.into_iter().chain(rest) {
            let set = &sets.all[n];
            let from = entries.classes.len() as u32;
            entries.classes.extend_from_slice(set);
            entries.ids[n] = EntryId(entries.all.len() as u32);
            entries.all.push(Entry {
                classes: (from, entries.classes.len() as u32),
                disguisable: holds(set, disguisable),
                mask: ClassMask::default(),
            });
        }
        entries
    }

    fn of(&self, set: SetId) -> EntryId {
        self.ids[set.0 as usize]
    }
}

#[cfg(test)]
mod tests;
