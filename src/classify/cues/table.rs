//! The list of cues with their weights, and the sums that are made of them.
//!
//! Two files under `cues/` in the lexicon's folder: `sums.toml` says in words what a finding of each
//! category tells; `weights.tsv` holds one cue a line with its weights, and the thresholds. Both may
//! be read and changed by hand; [`crate::classify::cues::fit`] writes the second.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::classify::cues::extract::{Cue, CueKey, Shape};
use crate::classify::cues::quick::MOST_CUES;
use crate::classify::cues::thresholds::{BETWEEN, NEVER};
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::file::{GuardKey, RawGuard};
use crate::classify::rules::guard::Guard;
use crate::classify::words::{ClassId, hash_of};
use crate::domain::category::{Category, Severity};

/// The file with the words of findings.
pub const SUMS: &str = "cues/sums.toml";
/// The file with cues, weights and thresholds.
pub const WEIGHTS: &str = "cues/weights.tsv";

/// How many categories are weighed: all but numbers, which are proved.
pub const LANES: usize = 16;

/// The categories in the order of the lanes.
pub const WEIGHED: [Category; LANES] = [
    Category::Threat,
    Category::Incitement,
    Category::Hate,
    Category::Violence,
    Category::Sexual,
    Category::SensitiveData,
    Category::PersonalData,
    Category::Insult,
    Category::Profanity,
    Category::LinkIllegal,
    Category::Copyright,
    Category::Spam,
    Category::Commercial,
    Category::PartyPolitical,
    Category::Case,
    Category::Question,
];

/// The weights of one cue, in hundredths, one for each category.
pub type Row = [i16; LANES];

/// What is said where a category's cues weigh enough.
#[derive(Clone, Debug)]
pub struct Sum {
    /// The rule's identifier, as findings name it.
    pub rule: Arc<str>,
    /// The severity of what is clearly above the threshold.
    pub severity: Severity,
    /// The sentence for the editor.
    pub why: Arc<str>,
    /// Law or house rule.
    pub legal: Arc<str>,
    /// What excuses a word, so that it does not weigh: guards by their place in the list of them,
    /// the sum's own exceptions among them.
    pub guards: Vec<u16>,
}

/// All cues and sums. Empty where the lexicon has none.
#[derive(Debug)]
pub struct Cues {
    /// By lane; nothing for a category that is not weighed.
    pub sums: [Option<Sum>; LANES],
    /// What each sum starts from, before any cue.
    pub start: Row,
    /// From here on there is a finding.
    pub finding: Row,
    /// From here on the finding has the category's own severity; below, at most `medium`.
    pub sure: Row,
    /// Below this a rule's finding becomes a note.
    pub doubt: Row,
    /// The same for what a rule says is high. Asked only of those that were wrong too often alone: who
    /// wrote the others had order and addressee in them, which a sum of words knows nothing of.
    pub grave: Row,
    /// These rules, by index, in order.
    doubted: Vec<u32>,
    places: Vec<Place>,
    /// Some bits for each cue of letters, by its key.
    filter: Vec<u64>,
    /// The same for pairs alone.
    pairs: Vec<u64>,
    /// A bit for the beginning that each pair begins with, and for the one that it ends with.
    fronts: Vec<u64>,
    backs: Vec<u64>,
    rows: Vec<Row>,
    by_class: Vec<u32>,
    by_rule: Vec<u32>,
}

/// Nothing is found and nothing doubted.
impl Default for Cues {
    fn default() -> Self {
        Self {
            sums: Default::default(),
            start: [0; LANES],
            finding: [NEVER; LANES],
            sure: [NEVER; LANES],
            doubt: [-NEVER; LANES],
            grave: [-NEVER; LANES],
            doubted: Vec::new(),
            places: Vec::new(),
            filter: Vec::new(),
            pairs: Vec::new(),
            fronts: Vec::new(),
            backs: Vec::new(),
            rows: Vec::new(),
            by_class: Vec::new(),
            by_rule: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    key: u64,
    /// One more than the row; zero for an empty place.
    row: u32,
}

/// Bits of the filter for each cue, as a power of two.
const FILTER_BITS_PER_CUE: usize = 16;

stored!(Cues {
    sums,
    start,
    finding,
    sure,
    doubt,
    grave,
    doubted,
    places,
    filter,
    pairs,
    fronts,
    backs,
    rows,
    by_class,
    by_rule
});
stored!(Sum { rule, severity, why, legal, guards });
stored!(Place { key, row });

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SumsFile {
    #[serde(default)]
    sum: Vec<SumEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SumEntry {
    id: String,
    category: Category,
    severity: Severity,
    why: String,
    legal: String,
    #[serde(default)]
    except: Vec<Spanned<String>>,
    #[serde(default)]
    unless: Vec<Spanned<String>>,
    #[serde(default)]
    unless_text: Vec<Spanned<String>>,
    #[serde(default)]
    guards: Vec<Spanned<String>>,
}

/// A cue as written in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written<'a> {
    Setting(&'a str),
    Letters(Cue<'a>),
    Class(&'a str),
    Rule(&'a str),
    Doubted(&'a str),
}

pub(super) fn read_cue(name: &str) -> Option<Written<'_>> {
    let bytes = str::as_bytes;
    // A word that would be read as something else.
    if let Some(word) = name.strip_prefix('\\') {
        return Some(Written::Letters(Cue::Word(bytes(word))));
    }
    if let Some((a, b)) = name.split_once(' ') {
        return Some(Written::Letters(Cue::Pair(bytes(a), bytes(b))));
    }
    let first = name.chars().next()?.len_utf8();
    Some(match name.split_at(first) {
        (_, "") => Written::Letters(Cue::Word(bytes(name))),
        ("=", setting) => Written::Setting(setting),
        ("@", class) => Written::Class(class),
        ("!", rule) => Written::Rule(rule),
        ("?", rule) => Written::Doubted(rule),
        ("%", shape) => Written::Letters(Cue::Shape(Shape::named(shape)?)),
        ("^", word) => Written::Letters(Cue::First(bytes(word))),
        ("-", end) => Written::Letters(Cue::End(bytes(end))),
        ("/", rest) if rest.starts_with('/') => {
            Written::Letters(Cue::InAddress(bytes(rest.get(1..)?)))
        }
        _ => match name.strip_suffix('-') {
            Some(start) => Written::Letters(Cue::Start(bytes(start))),
            None => Written::Letters(Cue::Word(bytes(name))),
        },
    })
}

/// The weights as they stand behind a cue, `threat+120 insult-35`; the others stay as they are.
fn read_row(text: &str, mut row: Row) -> Option<Row> {
    for weight in text.split(' ').filter(|w| !w.is_empty()) {
        let sign = weight.find(['+', '-'])?;
        let category: Category = weight[..sign].parse().ok()?;
        row[lane(category)?] = weight[sign..].parse().ok().filter(|w| *w >= -NEVER)?;
    }
    Some(row)
}

/// Where a category stands in a row.
pub fn lane(category: Category) -> Option<usize> {
    WEIGHED.iter().position(|c| *c == category)
}

/// The line of the list for a cue.
pub fn write_row(name: &str, row: &Row) -> String {
    let weights: Vec<String> = WEIGHED
        .iter()
        .zip(row)
        .filter(|(_, w)| name.starts_with('=') || **w != 0)
        .map(|(c, w)| format!("{}{w:+}", c.id()))
        .collect();
    format!("{name}\t{}\n", weights.join(" "))
}

impl Cues {
    /// Reads both files. What does not hold is left out and complained of.
    pub fn read(
        sums: (&str, &str),
        weights: (&str, &str),
        classes: &[String],
        rules: &[Arc<str>],
        guards: &[Guard],
        complaints: &mut Vec<Complaint>,
    ) -> Self {
        let mut cues = Self {
            sums: read_sums(sums, guards, complaints),
            by_class: vec![0; classes.len()],
            by_rule: vec![0; rules.len()],
            ..Self::default()
        };
        let class_ids: HashMap<&str, usize> =
            classes.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
        let rule_ids: HashMap<&str, usize> =
            rules.iter().enumerate().map(|(i, n)| (&**n, i)).collect();
        let mut keys: Vec<(CueKey, u32)> = Vec::new();
        let mut pairs: Vec<[u64; 2]> = Vec::new();
        for (n, line) in weights.1.lines().enumerate() {
            if line.is_empty() || line.starts_with("# ") {
                continue;
            }
            let mut complain = |what: &str, mend: &str| {
                complaints.push(Complaint {
                    file: weights.0.to_owned(),
                    line: n + 1,
                    what: what.to_owned(),
                    mend: mend.to_owned(),
                });
            };
            let read = line.split_once('\t').and_then(|(name, row)| Some((read_cue(name)?, row)));
            let Some((cue, row)) = read.and_then(|(cue, row)| {
                // What a setting does not name keeps its harmless value.
                let base = match cue {
                    Written::Setting("finding" | "sure") => [NEVER; LANES],
                    Written::Setting("doubt" | "grave") => [-NEVER; LANES],
                    _ => [0; LANES],
                };
                Some((cue, read_row(row, base)?))
            }) else {
                complain(
                    "raden kan inte läsas",
                    "skriv tecken, tabb och vikter, till exempel: ord<tabb>threat+120 insult-35",
                );
                continue;
            };
            if let Written::Setting(setting) = cue {
                match setting {
                    "start" => cues.start = row,
                    "finding" => cues.finding = row,
                    "sure" => cues.sure = row,
                    "doubt" => cues.doubt = row,
                    "grave" => cues.grave = row,
                    _ => complain(
                        "inställningen finns inte",
                        "skriv =start, =finding, =sure, =doubt eller =grave",
                    ),
                }
                continue;
            }
            if let Written::Doubted(id) = cue {
                match rule_ids.get(id) {
                    Some(rule) => cues.doubted.push(*rule as u32),
                    None => complain(
                        &format!("regeln {id} finns inte"),
                        "ta bort raden eller kör lexicon fit på nytt",
                    ),
                }
                continue;
            }
            if cues.rows.len() == MOST_CUES {
                complain("listan är för lång; raden används inte", "ta bort tecken som väger lite");
                continue;
            }
            cues.rows.push(row);
            let place = u32::try_from(cues.rows.len()).unwrap_or(u32::MAX);
            match cue {
                Written::Setting(_) | Written::Doubted(_) => {}
                Written::Letters(cue) => {
                    if let Cue::Pair(a, b) = cue {
                        pairs.push([hash_of(a), hash_of(b)]);
                    }
                    keys.extend(cue.key().map(|key| (key, place)));
                }
                Written::Class(name) => match class_ids.get(name) {
                    Some(class) => cues.by_class[*class] = place,
                    None => complain(
                        &format!("ordklassen {name} finns inte"),
                        "ta bort raden eller kör lexicon fit på nytt",
                    ),
                },
                Written::Rule(id) => match rule_ids.get(id) {
                    Some(rule) => cues.by_rule[*rule] = place,
                    None => complain(
                        &format!("regeln {id} finns inte"),
                        "ta bort raden eller kör lexicon fit på nytt",
                    ),
                },
            }
        }
        cues.doubted.sort_unstable();
        cues.put(&keys);
        cues.put_pairs(&pairs);
        for (lane, category) in WEIGHED.into_iter().enumerate() {
            let most = match cues.finding[lane] {
                NEVER => continue,
                finding => finding.saturating_sub(BETWEEN),
            };
            for (name, row) in [("=doubt", &mut cues.doubt), ("=grave", &mut cues.grave)] {
                if row[lane] > most {
                    row[lane] = most;
                    complaints.push(Complaint {
                        file: weights.0.to_owned(),
                        line: 1,
                        what: format!(
                            "{category}: regler betvivlas vid en summa som nästan är en träff"
                        ),
                        mend: format!("sätt {name} till högst {most}"),
                    });
                }
            }
        }
        cues
    }

    /// Whether a rule that says `high` has been wrong so often that cues must speak for it too.
    pub fn is_doubted(&self, rule: u32) -> bool {
        self.doubted.binary_search(&rule).is_ok()
    }

    /// Weighs nothing for hits of that rule.
    pub fn leave_out_rule(&mut self, rule: usize) {
        if let Some(place) = self.by_rule.get_mut(rule) {
            *place = 0;
        }
    }

    fn put_pairs(&mut self, pairs: &[[u64; 2]]) {
        let n = (pairs.len() * FILTER_BITS_PER_CUE).next_power_of_two().max(64) / 64;
        let Self { pairs: of_both, fronts, backs, .. } = self;
        for filter in [&mut *of_both, &mut *fronts, &mut *backs] {
            filter.resize(n, 0);
        }
        for [front, back] in pairs {
            let CueKey(both) = CueKey::of_pair(*front, *back);
            for (filter, key) in
                [(&mut *of_both, both), (&mut *fronts, *front), (&mut *backs, *back)]
            {
                let (word, bit) = filter_bit(filter, key);
                filter[word] |= bit;
            }
        }
    }

    fn put(&mut self, keys: &[(CueKey, u32)]) {
        if keys.is_empty() {
            return;
        }
        self.places = vec![Place::default(); (keys.len() * 2).next_power_of_two()];
        self.filter = vec![0; (keys.len() * FILTER_BITS_PER_CUE).next_power_of_two().max(64) / 64];
        let mask = self.places.len() - 1;
        for (CueKey(key), row) in keys {
            let (word, bit) = filter_bit(&self.filter, *key);
            self.filter[word] |= bit;
            let mut at = *key as usize & mask;
            while self.places[at].row != 0 && self.places[at].key != *key {
                at = (at + 1) & mask;
            }
            self.places[at] = Place { key: *key, row: *row };
        }
    }

    /// Whether every class and rule has its place, and every place its weights.
    pub fn fits(&self, n_classes: usize, n_rules: usize) -> bool {
        if self.rows.is_empty() {
            return true;
        }
        let places = self.by_class.iter().chain(&self.by_rule).copied();
        let mut places = places.chain(self.places.iter().map(|p| p.row));
        // A table without room, or without a filter of that size, would be read past its end.
        let has_room =
            self.places.iter().any(|p| p.row == 0) && self.filter.len().is_power_of_two();
        let filters = [&self.pairs, &self.fronts, &self.backs];
        self.rows.len() <= MOST_CUES
            && filters.into_iter().all(|filter| filter.len().is_power_of_two())
            && self.by_class.len() == n_classes
            && self.by_rule.len() == n_rules
            && self.doubted.is_sorted()
            && (self.places.is_empty() || (has_room && self.places.len().is_power_of_two()))
            && places.all(|row| row as usize <= self.rows.len())
    }

    /// Whether nothing is weighed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many cues there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The place of a cue's weights, counted from one; zero when it has none.
    #[inline]
    pub fn find(&self, cue: Cue<'_>) -> u32 {
        match cue {
            Cue::Class(ClassId(class)) => self.by_class[usize::from(class)],
            Cue::Rule(rule) => self.by_rule[rule as usize],
            _ => cue.key().map_or(0, |key| self.find_key(key)),
        }
    }

    #[inline]
    fn find_key(&self, CueKey(key): CueKey) -> u32 {
        if is_in(&self.filter, key) { self.place_of(key) } else { 0 }
    }

    /// As [`Self::find`] for the pair of beginnings that have these hashes.
    #[inline]
    pub fn pair(&self, front: u64, back: u64) -> u32 {
        let CueKey(key) = CueKey::of_pair(front, back);
        if is_in(&self.pairs, key) { self.place_of(key) } else { 0 }
    }

    /// Whether some pair begins, and whether one ends, with the beginning that has this hash. Yes
    /// a little too often.
    pub fn in_pairs(&self, half: u64) -> (bool, bool) {
        (is_in(&self.fronts, half), is_in(&self.backs, half))
    }

    fn place_of(&self, key: u64) -> u32 {
        if self.places.is_empty() {
            return 0;
        }
        let mask = self.places.len() - 1;
        let mut at = key as usize & mask;
        loop {
            let place = self.places[at];
            if place.key == key || place.row == 0 {
                return place.row;
            }
            at = (at + 1) & mask;
        }
    }

    /// The weights at a place that [`Self::find`] gave.
    #[inline]
    pub fn row(&self, place: u32) -> &Row {
        &self.rows[place as usize - 1]
    }
}

/// Where the bit of a key stands in a filter, whose length is a power of two.
#[inline]
fn filter_bit(filter: &[u64], key: u64) -> (usize, u64) {
    ((key >> 40) as usize & filter.len().wrapping_sub(1), 1 << (key >> 34 & 63))
}

#[inline]
fn is_in(filter: &[u64], key: u64) -> bool {
    let (word, bit) = filter_bit(filter, key);
    filter.get(word).is_some_and(|bits| bits & bit != 0)
}

/// The line that a place in a text stands on.
fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// The exceptions that sums bring themselves, each as a guard that bears the sum's name. Of a file that
/// cannot be read there are none: [`Cues::read`] complains of it.
pub fn exceptions(text: &str) -> Vec<RawGuard> {
    let file: SumsFile = toml::from_str(text).unwrap_or_default();
    let of_sum = |entry: SumEntry| {
        let mut guard = RawGuard { id: entry.id, ..RawGuard::default() };
        let SumEntry { except, unless, unless_text, .. } = entry;
        for (key, texts) in [
            (GuardKey::Overlap, except),
            (GuardKey::Sentence, unless),
            (GuardKey::Text, unless_text),
        ] {
            let texts: Vec<(String, usize)> = texts
                .into_iter()
                .map(|text_at| {
                    let line = line_of(text, text_at.span().start);
                    (text_at.into_inner(), line)
                })
                .collect();
            if let Some((_, line)) = texts.first() {
                guard.line = *line;
                guard.patterns.push((key, texts));
            }
        }
        (!guard.patterns.is_empty()).then_some(guard)
    };
    file.sum.into_iter().filter_map(of_sum).collect()
}

fn read_sums(
    (name, text): (&str, &str),
    guards: &[Guard],
    complaints: &mut Vec<Complaint>,
) -> [Option<Sum>; LANES] {
    let mut sums: [Option<Sum>; LANES] = Default::default();
    let file: SumsFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(e) => {
            let line = e.span().map_or(1, |s| line_of(text, s.start));
            complaints.push(Complaint {
                file: name.to_owned(),
                line,
                what: e.message().to_owned(),
                mend: "rätta filen; tills dess vägs inga tecken".to_owned(),
            });
            return sums;
        }
    };
    for entry in file.sum {
        let line = 1 + text.lines().take_while(|line| !line.contains(&entry.id)).count();
        let mut complain = |line: usize, what: String, mend: &str| {
            let mend = mend.to_owned();
            complaints.push(Complaint { file: name.to_owned(), line, what, mend });
        };
        let Some(lane) = lane(entry.category) else {
            complain(line, format!("{} vägs inte", entry.category), "ta bort summan");
            continue;
        };
        if sums[lane].is_some() {
            complain(line, format!("{} har redan en summa", entry.category), "ta bort den ena");
            continue;
        }
        let place = |id: &str| guards.iter().position(|guard| *guard.id == *id);
        // Its own exceptions first, if it has any.
        let mut of_sum: Vec<u16> = place(&entry.id).map(|at| at as u16).into_iter().collect();
        for guard in entry.guards {
            match place(guard.get_ref()) {
                Some(at) => of_sum.push(at as u16),
                None => complain(
                    line_of(text, guard.span().start),
                    format!("okänd spärr `{}`", guard.get_ref()),
                    "rätta namnet; tills dess undantar den inget",
                ),
            }
        }
        sums[lane] = Some(Sum {
            rule: Arc::from(entry.id),
            severity: entry.severity,
            why: Arc::from(entry.why),
            legal: Arc::from(entry.legal),
            guards: of_sum,
        });
    }
    sums
}
