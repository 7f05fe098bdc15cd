//! Silent traps in authors' files: what is understood, but cannot mean what its author meant.
//!
//! A word that no text can hold as one word, a `not` that takes nothing out, a class that nobody
//! asks for: none of these is an error, and each is a hole in what the rule was thought to find.
//! `uppsikt lexicon check` tells of them as warnings.

mod patterns;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::classify::cues::table::WEIGHTS;
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::file::{Member, RawClass, RawFile, RawLexeme, RawRule};
use crate::classify::lexicon::{Source, inflect, overlay};
use crate::classify::words::EntryId;
use crate::classify::{Classifier, Scratch};

/// Classes that the engine itself asks for by name.
pub(super) const OF_ENGINE: [&str; 15] = [
    "negation",
    "negation_verb",
    "negation_sken",
    "negation_bro",
    "negation_lätt",
    "satsgräns",
    "hjälpverb",
    "första_person",
    "subjekt",
    "annan_person",
    "utterance",
    "sägeverb",
    "report",
    "report_sak",
    "talord",
];

/// Everything that is understood but cannot be meant, by file and line. `classifier` is the one
/// that these sources make.
pub fn warnings(sources: &[Source], classifier: &Classifier) -> Vec<Complaint> {
    let mut errors = Vec::new();
    let mut files = overlay::read_all(sources, &mut errors);
    files.extend(RawFile::of_sums(sources));
    let weights = sources.iter().find(|s| s.name == WEIGHTS).map_or("", |s| s.text.as_str());
    let mut lint = Lint { classifier, scratch: Scratch::default(), found: Vec::new() };
    let classes: BTreeMap<&str, &RawClass> =
        files.iter().flat_map(|(_, f)| &f.classes).map(|c| (c.name.as_str(), c)).collect();
    let mut forms = Forms { classes: &classes, known: HashMap::new() };
    let used = used(&files, weights);
    for (name, file) in &files {
        for lexeme in &file.harmless {
            lint.can_be_met(name, lexeme);
        }
        for class in &file.classes {
            lint.members(name, &class.members);
            lint.doubles(name, &class.members);
            lint.exclusions(name, class, &mut forms);
            if !used.contains(class.name.as_str()) {
                lint.warn(
                    name,
                    class.line,
                    format!("ordklassen `@{}` används ingenstans", class.name),
                    "Använd den i ett mönster eller ta bort den",
                );
            }
        }
        for guard in &file.guards {
            for (_, texts) in &guard.patterns {
                lint.patterns(name, texts);
            }
        }
        for rule in &file.rules {
            lint.rule(name, rule);
        }
    }
    lint.found.sort_by(|a, b| (&a.file, a.line, &a.what).cmp(&(&b.file, b.line, &b.what)));
    lint.found.dedup();
    lint.found
}

struct Lint<'c> {
    classifier: &'c Classifier,
    scratch: Scratch,
    found: Vec<Complaint>,
}

impl Lint<'_> {
    fn warn(&mut self, file: &str, line: usize, what: String, mend: impl Into<String>) {
        self.found.push(Complaint { file: file.to_owned(), line, what, mend: mend.into() });
    }

    fn members(&mut self, file: &str, members: &[Member]) {
        for member in members {
            match member {
                Member::Lexeme(lexeme) => self.can_be_met(file, lexeme),
                Member::Class(..) => {}
            }
        }
    }

    fn can_be_met(&mut self, file: &str, lexeme: &RawLexeme) {
        let is_part_alone = lexeme.word.starts_with('-') || lexeme.word.ends_with('-');
        if !is_part_alone && !self.is_one_word(&lexeme.word) {
            self.warn(
                file,
                lexeme.line,
                format!("`{}` kan aldrig hittas: ingen text läses så som ett ord", lexeme.word),
                "Skriv det som texter läses (utan bindestreck, punkt och andra tecken), eller som en fras i ett mönster",
            );
        }
    }

    /// Whether the word, alone in a text, is read as one word that the lexicon knows.
    fn is_one_word(&mut self, word: &str) -> bool {
        let scratch = &mut self.scratch;
        self.classifier.fold(scratch, word);
        self.classifier.cut(scratch);
        self.classifier.repair(scratch, word);
        matches!(scratch.tokens.tokens.as_slice(), [one] if one.entry != EntryId::UNKNOWN)
    }

    /// The same word, or the same class, twice in one list.
    fn doubles(&mut self, file: &str, members: &[Member]) {
        let mut seen = BTreeMap::new();
        for member in members {
            let (key, line) = match member {
                Member::Lexeme(l) => {
                    let marks = (&l.first, &l.last, &l.stops, l.exact);
                    (format!("{} {} {marks:?}", l.word, l.paradigm), l.line)
                }
                Member::Class(name, line) => (format!("@{name}"), *line),
            };
            let word = key.split(' ').next().unwrap_or_default().to_owned();
            if let Some(first) = seen.insert(key, line) {
                self.warn(
                    file,
                    line,
                    format!("`{word}` står redan i listan, på rad {first}"),
                    "Ta bort det ena",
                );
            }
        }
    }

    fn exclusions(&mut self, file: &str, class: &RawClass, forms: &mut Forms<'_>) {
        let own = forms.of_class(&class.name);
        let mut out: HashSet<String> = HashSet::new();
        for member in &class.without {
            let (taken, name, line) = forms.of_member(member);
            if own.is_disjoint(&taken) {
                self.warn(
                    file,
                    line,
                    format!("`{name}` under `not` tar inte bort något ur `@{}`", class.name),
                    "Ta bort det, eller skriv `not=` vid det ord som bildar sammansättningen",
                );
            }
            out.extend(taken);
        }
        if !own.is_empty() && own.iter().all(|form| out.contains(form)) {
            self.warn(
                file,
                class.line,
                format!("ordklassen `@{}` är tom: `not` tar bort alla ord", class.name),
                "Ta bort klassen eller minska `not`",
            );
        }
        for member in &class.members {
            let Member::Class(inner, line) = member else { continue };
            let Some(raw) = forms.classes.get(inner.as_str()) else { continue };
            let of_inner = forms.of_class(inner);
            let taken: HashSet<String> =
                raw.without.iter().flat_map(|member| forms.of_member(member).0).collect();
            let mut back: Vec<String> = taken
                .into_iter()
                .filter(|form| of_inner.contains(form) && !out.contains(form))
                .collect();
            back.sort();
            if let Some(example) = back.first() {
                self.warn(
                    file,
                    *line,
                    format!(
                        "`@{inner}` tas in utan sitt `not`: {} former som den tar bort, som `{example}`, följer med",
                        back.len()
                    ),
                    format!("Skriv samma `not` i `@{}`", class.name),
                );
            }
        }
    }

    fn rule(&mut self, file: &str, rule: &RawRule) {
        self.members(file, &rule.members);
        self.doubles(file, &rule.members);
        for texts in [
            &rule.patterns,
            &rule.except,
            &rule.unless,
            &rule.requires,
            &rule.unless_text,
            &rule.requires_text,
        ] {
            self.patterns(file, texts);
        }
        let mut seen = BTreeMap::new();
        for (text, line) in rule.examples.iter().chain(&rule.counterexamples) {
            if let Some(first) = seen.insert(text.as_str(), *line) {
                self.warn(
                    file,
                    *line,
                    format!("`{}`: exemplet ”{text}” står redan på rad {first}", rule.id),
                    "Skriv ett annat",
                );
            }
        }
    }

    fn patterns(&mut self, file: &str, texts: &[(String, usize)]) {
        let mut seen = BTreeMap::new();
        for (text, line) in texts {
            if let Some(first) = seen.insert(text.as_str(), *line) {
                self.warn(
                    file,
                    *line,
                    format!("mönstret `{text}` står redan på rad {first}"),
                    "Ta bort det ena",
                );
            }
            for trap in patterns::traps(text) {
                self.warn(file, *line, format!("mönstret `{text}`: {}", trap.what), trap.mend);
            }
            for word in patterns::words(text) {
                if !self.is_one_word(word) {
                    self.warn(
                        file,
                        *line,
                        format!("mönstret `{text}`: ordet `{word}` kan aldrig hittas: ingen text läses så som ett ord"),
                        "Skriv det som texter läses, delarna var för sig",
                    );
                }
            }
        }
    }
}

/// What classes hold, in forms.
struct Forms<'f> {
    classes: &'f BTreeMap<&'f str, &'f RawClass>,
    known: HashMap<String, Arc<HashSet<String>>>,
}

impl Forms<'_> {
    /// What the class and those in it hold, before anything is taken out.
    fn of_class(&mut self, name: &str) -> Arc<HashSet<String>> {
        if let Some(known) = self.known.get(name) {
            return Arc::clone(known);
        }
        // A class that holds itself is complained of elsewhere; here it ends.
        self.known.insert(name.to_owned(), Arc::default());
        let mut all = HashSet::new();
        if let Some(class) = self.classes.get(name).copied() {
            for member in &class.members {
                all.extend(self.of_member(member).0);
            }
        }
        let all = Arc::new(all);
        self.known.insert(name.to_owned(), Arc::clone(&all));
        all
    }

    fn of_member(&mut self, member: &Member) -> (HashSet<String>, String, usize) {
        match member {
            Member::Class(name, line) => {
                ((*self.of_class(name)).clone(), format!("@{name}"), *line)
            }
            Member::Lexeme(lexeme) => {
                let word = lexeme.word.trim_matches('-');
                let forms = inflect::inflect(word, &lexeme.paradigm).unwrap_or_default();
                (forms.into_iter().collect(), lexeme.word.clone(), lexeme.line)
            }
        }
    }
}

/// The names of all classes that something asks for.
fn used<'f>(files: &'f [(&'f str, RawFile)], weights: &'f str) -> BTreeSet<&'f str> {
    let mut used = BTreeSet::from(OF_ENGINE);
    used.extend(
        weights
            .lines()
            .filter_map(|line| line.strip_prefix('@'))
            .filter_map(|line| line.split(['\t', ' ', '+', '&']).next()),
    );
    for (_, file) in files {
        let of_classes = file.classes.iter().flat_map(|c| c.members.iter().chain(&c.without));
        for member in of_classes.chain(file.rules.iter().flat_map(|r| &r.members)) {
            match member {
                Member::Class(name, _) => {
                    used.insert(name);
                }
                Member::Lexeme(lexeme) => {
                    used.extend(lexeme.first.iter().filter_map(|(_, rest)| rest.as_deref()));
                    used.extend(lexeme.last.iter().filter_map(|rest| rest.as_deref()));
                }
            }
        }
        let of_guards = file.guards.iter().flat_map(|g| &g.patterns).flat_map(|(_, texts)| texts);
        let of_rules = file.rules.iter().flat_map(|r| {
            [&r.patterns, &r.except, &r.unless, &r.requires, &r.unless_text, &r.requires_text]
                .into_iter()
                .flatten()
        });
        for (text, _) in of_guards.chain(of_rules) {
            used.extend(patterns::classes(text));
        }
    }
    used
}

#[cfg(test)]
mod tests;
