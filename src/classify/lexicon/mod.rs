//! Authors' files → checked lexemes, classes and rules, ready for the engine.
//!
//! Loading never fails as a whole: what does not hold is left out and named in
//! [`Lexicon::complaints`], the rest is used.

pub mod built_in;
pub mod complaint;
pub mod file;
pub mod inflect;
pub mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::classify::gate::Bits;
use crate::classify::identifier::marks::MarkEntries;
use crate::classify::identifier::{ADDRESS_SIGN, ADDRESS_SIGNS, Mark};
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::file::{GuardKey, Member, RawFile, RawLexeme, RawRule};
use crate::classify::repair::{self, Repair};
use crate::classify::rules::guard::{Guard, GuardClasses, Shape};
use crate::classify::rules::index::Index;
use crate::classify::rules::pattern::{Pattern, Resolve};
use crate::classify::rules::{Guards, Rule, TextPattern, everyday};
use crate::classify::words::{ClassId, Readings, Words, WordsBuilder, hash_of};
use crate::domain::ids::{ContentHash, LexiconVersion};

/// Raised whenever the engine may answer otherwise for the same lexicon.
const ENGINE_VERSION: &str = "engine 2";

/// The source of one file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path under the lexicon's folder.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// An example or counterexample of a rule.
#[derive(Clone, Debug)]
pub struct Example {
    /// The rule.
    pub rule: u32,
    /// The text.
    pub text: String,
    /// Whether the rule must hit.
    pub hits: bool,
    /// The file it stands in.
    pub file: String,
    /// The line it stands on.
    pub line: usize,
}

/// What a lexicon holds, for `lexicon stats`.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Lexemes per file.
    pub lexemes: BTreeMap<String, usize>,
    /// Rules per file, word groups counted as one each.
    pub rules: BTreeMap<String, usize>,
    /// Classes of words.
    pub classes: usize,
}

/// A compiled lexicon.
#[derive(Debug)]
pub struct Lexicon {
    /// The words.
    pub words: Words,
    /// The rules.
    pub rules: Vec<Rule>,
    /// For every class, the rules and patterns that begin at it.
    pub starts: Vec<Vec<(u32, u16)>>,
    /// The same patterns, each at its rarest word.
    pub index: Index,
    /// The guards.
    pub guards: Guards,
    /// What stands for numbers and addresses.
    pub marks: MarkEntries,
    /// What is broken, run together or misspelled.
    pub repair: Repair,
    /// The class that stands for a text that repeats itself.
    pub repeat: ClassId,
    /// Hash over all sources and the engine.
    pub version: LexiconVersion,
    /// What was left out.
    pub complaints: Vec<Complaint>,
    /// The rules' own trials.
    pub examples: Vec<Example>,
    /// Names of classes, by id.
    pub class_names: Vec<String>,
    /// How much there is.
    pub counts: Counts,
}

/// The folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CannotRead {
    /// A folder or file that cannot be opened.
    #[error("cannot read {path}")]
    File {
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No rule files in the folder.
    #[error("no .toml files under {path}/sv")]
    Empty {
        /// Where.
        path: String,
    },
}

/// Reads the sources under `folder`: every `.toml` in `sv/`, by name.
///
/// # Errors
/// A file that cannot be read, or a folder without files.
pub fn read_folder(folder: &Path) -> Result<Vec<Source>, CannotRead> {
    let sv = folder.join("sv");
    let at = |path: &Path| path.display().to_string();
    let entries =
        std::fs::read_dir(&sv).map_err(|source| CannotRead::File { path: at(&sv), source })?;
    let mut sources = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| CannotRead::File { path: at(&sv), source })?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let text = std::fs::read_to_string(&path)
                .map_err(|source| CannotRead::File { path: at(&path), source })?;
            let name =
                path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            sources.push(Source { name: format!("sv/{name}"), text });
        }
    }
    if sources.is_empty() {
        return Err(CannotRead::Empty { path: at(folder) });
    }
    // The guards belong to the engine as much as to the lexicon: a folder without them gets ours.
    for name in ["sv/guards.toml"] {
        if !sources.iter().any(|s| s.name == name) {
            sources.extend(built_in::sources().into_iter().filter(|s| s.name == name));
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

/// The version of these sources: the first 16 hexadecimal digits of a SHA-256.
pub(in crate::classify) fn version_of(sources: &[Source]) -> LexiconVersion {
    let mut all = String::from(ENGINE_VERSION);
    for source in sources {
        all.push_str(&format!("\n{} {}\n", source.name, source.text.len()));
        all.push_str(&source.text);
    }
    let hash = ContentHash::of(all.as_bytes()).to_string();
    LexiconVersion::new(&hash[..16])
}

impl Lexicon {
    /// Compiles sources. Never fails; see [`Lexicon::complaints`].
    pub fn compile(sources: &[Source]) -> Self {
        let mut complaints = Vec::new();
        let files: Vec<(&str, RawFile)> = sources
            .iter()
            .map(|s| (s.name.as_str(), file::read(&s.name, &s.text, &mut complaints)))
            .collect();
        let mut compiler = Compiler { complaints, ..Compiler::default() };
        compiler.declare(&files);
        compiler.fill(&files);
        compiler.take_out(&files);
        compiler.guards(&files);
        compiler.rules(&files);
        compiler.yields(&files);
        compiler.finish(version_of(sources))
    }
}

#[derive(Default)]
struct Compiler {
    complaints: Vec<Complaint>,
    builder: WordsBuilder,
    names: Vec<String>,
    by_name: BTreeMap<String, ClassId>,
    common: Vec<bool>,
    disguise: Vec<bool>,
    rules: Vec<Rule>,
    rule_ids: BTreeSet<String>,
    examples: Vec<Example>,
    counts: Counts,
    guards: Vec<Guard>,
    n_text_patterns: u32,
}

/// The names that patterns may use, with single words becoming classes of their own.
struct Names<'c>(&'c mut Compiler);

impl Resolve for Names<'_> {
    fn class(&mut self, name: &str) -> Option<ClassId> {
        self.0.by_name.get(name).copied()
    }

    fn word(&mut self, word: &str) -> ClassId {
        let name = format!("={word}");
        if let Some(class) = self.0.by_name.get(&name) {
            return *class;
        }
        let class = self.0.new_class(name, false, false);
        self.0.builder.add(word, class, Readings::Stripped);
        class
    }

    fn is_common(&self, class: ClassId) -> bool {
        let own = self.0.common[class.0 as usize];
        own || self.0.names[class.0 as usize].strip_prefix('=').is_some_and(|word| {
            self.0.builder.classes_of_form(word).iter().any(|c| self.0.common[c.0 as usize])
        })
    }
}

impl Compiler {
    fn new_class(&mut self, name: String, common: bool, disguise: bool) -> ClassId {
        let class = ClassId(
            u16::try_from(self.names.len())
                .expect("a lexicon has fewer than 65,536 classes and single words"),
        );
        self.by_name.insert(name.clone(), class);
        self.names.push(name);
        self.common.push(common);
        self.disguise.push(disguise);
        class
    }

    fn complain(&mut self, file: &str, line: usize, what: String, mend: &str) {
        self.complaints.push(Complaint {
            file: file.to_owned(),
            line,
            what,
            mend: mend.to_owned(),
        });
    }

    /// How to mend the name of a class that is unknown.
    fn nearest(&self, name: &str) -> String {
        let near = self
            .by_name
            .keys()
            .filter(|known| !known.starts_with(['=', '%', '-']) && !known.starts_with("ord:"))
            .map(|known| (file::distance(known, name), known))
            .min()
            .filter(|(distance, _)| *distance <= 3);
        match near {
            Some((_, known)) => format!("Menades `@{known}`"),
            None => "Rätta namnet eller lägg till klassen".to_owned(),
        }
    }

    /// Gives every class an id first, so that files may refer to each other in any order.
    fn declare(&mut self, files: &[(&str, RawFile)]) {
        self.new_class("harmlöst".to_owned(), false, false);
        self.marks();
        for name in repair::classes() {
            let class = self.new_class(name.to_owned(), false, false);
            self.builder.add(name, class, Readings::Exact);
        }
        for (name, file) in files {
            for class in &file.classes {
                if self.by_name.contains_key(&class.name) {
                    self.complain(
                        name,
                        class.line,
                        format!("ordklassen `{}` finns redan", class.name),
                        "Slå ihop de två eller byt namn på den ena",
                    );
                } else {
                    self.new_class(class.name.clone(), class.common, class.disguise);
                }
            }
        }
        self.counts.classes = self.names.len();
    }

    /// Classes that no word is in: numbers and addresses are given them by form. A name with a
    /// per cent sign can be no word of a text.
    fn marks(&mut self) {
        for mark in Mark::ALL {
            for name in mark.classes() {
                let class = match self.by_name.get(*name) {
                    Some(class) => *class,
                    None => self.new_class((*name).to_owned(), true, false),
                };
                self.builder.add(mark.classes()[0], class, Readings::Exact);
            }
        }
        let signs = self.new_class(ADDRESS_SIGN.to_owned(), true, false);
        for word in ADDRESS_SIGNS {
            self.builder.add(word, signs, Readings::Exact);
        }
    }

    fn fill(&mut self, files: &[(&str, RawFile)]) {
        let members: BTreeMap<&str, &[Member]> = files
            .iter()
            .flat_map(|(_, f)| &f.classes)
            .map(|c| (c.name.as_str(), c.members.as_slice()))
            .collect();
        for (name, file) in files {
            for lexeme in &file.harmless {
                self.lexeme(name, lexeme, ClassId(0));
            }
            for class in &file.classes {
                let id = self.by_name[&class.name];
                self.members(name, &class.members, id, &members, 0);
            }
        }
    }

    fn members(
        &mut self,
        file: &str,
        list: &[Member],
        into: ClassId,
        all: &BTreeMap<&str, &[Member]>,
        depth: usize,
    ) {
        for member in list {
            match member {
                Member::Lexeme(lexeme) => {
                    if depth == 0 {
                        *self.counts.lexemes.entry(file.to_owned()).or_default() += 1;
                    }
                    self.lexeme(file, lexeme, into);
                }
                Member::Class(name, line) => match all.get(name.as_str()) {
                    Some(inner) if depth < 8 => self.members(file, inner, into, all, depth + 1),
                    Some(_) => self.complain(
                        file,
                        *line,
                        format!("ordklassen `@{name}` innehåller sig själv"),
                        "Bryt ringen",
                    ),
                    None => {
                        let mend = self.nearest(name);
                        self.complain(file, *line, format!("okänd ordklass `@{name}`"), &mend);
                    }
                },
            }
        }
    }

    fn lexeme(&mut self, file: &str, lexeme: &RawLexeme, class: ClassId) {
        // `skit-` and `-unge` are parts of compounds alone, never words.
        let bare = lexeme.word.trim_matches('-');
        let part_only = bare.len() != lexeme.word.len();
        let forms = match inflect::inflect(bare, &lexeme.paradigm) {
            Ok(forms) => forms,
            Err(inflect::CannotInflect(what)) => {
                return self.complain(
                    file,
                    lexeme.line,
                    what,
                    "Rätta böjningsmönstret eller ordet",
                );
            }
        };
        let readings =
            if self.disguise[class.0 as usize] { Readings::Disguised } else { Readings::Stripped };
        for form in forms.iter().filter(|_| !part_only) {
            let readings = if lexeme.exact { Readings::Exact } else { readings };
            self.builder.add(form, class, readings);
        }
        if let Some((part, rest)) = &lexeme.first {
            let Ok(rest) = self.rest(file, lexeme.line, rest.as_deref()) else { return };
            for part in first_parts(lexeme, part) {
                if part.len() >= 2 {
                    self.builder.add_first(&part, class, rest, &lexeme.stops);
                }
            }
        }
        if let Some(rest) = &lexeme.last {
            let Ok(rest) = self.rest(file, lexeme.line, rest.as_deref()) else { return };
            for form in forms.iter().filter(|f| f.len() >= 2) {
                self.builder.add_last(form, class, rest, &lexeme.stops);
            }
        }
    }

    fn rest(&mut self, file: &str, line: usize, name: Option<&str>) -> Result<Option<ClassId>, ()> {
        match name {
            None => Ok(None),
            Some(name) => match self.by_name.get(name) {
                Some(class) => Ok(Some(*class)),
                None => {
                    let mend = self.nearest(name);
                    self.complain(file, line, format!("okänd ordklass `@{name}`"), &mend);
                    Err(())
                }
            },
        }
    }

    fn rules(&mut self, files: &[(&str, RawFile)]) {
        let members: BTreeMap<&str, &[Member]> = files
            .iter()
            .flat_map(|(_, f)| &f.classes)
            .map(|c| (c.name.as_str(), c.members.as_slice()))
            .collect();
        for (name, file) in files {
            for raw in &file.rules {
                if !self.rule_ids.insert(raw.id.clone()) {
                    self.complain(
                        name,
                        raw.line,
                        format!("regeln `{}` finns redan", raw.id),
                        "Byt namn på den ena",
                    );
                    continue;
                }
                if let Some(rule) = self.rule(name, raw, &members) {
                    let index = self.rules.len() as u32;
                    let example = |hits: bool| {
                        move |(text, line): &(String, usize)| Example {
                            rule: index,
                            text: text.clone(),
                            hits,
                            file: (*name).to_owned(),
                            line: *line,
                        }
                    };
                    self.examples.extend(raw.examples.iter().map(example(true)));
                    self.examples.extend(raw.counterexamples.iter().map(example(false)));
                    self.rules.push(rule);
                    *self.counts.rules.entry((*name).to_owned()).or_default() += 1;
                }
            }
        }
    }

    fn rule(
        &mut self,
        file: &str,
        raw: &RawRule,
        members: &BTreeMap<&str, &[Member]>,
    ) -> Option<Rule> {
        let mut patterns = Vec::new();
        if !raw.members.is_empty() {
            let class = self.new_class(format!("ord:{}", raw.id), false, true);
            self.members(file, &raw.members, class, members, 0);
            let name = format!("@ord:{}", raw.id);
            patterns.push(Pattern::parse(&name, &mut Names(self)).ok()?);
        }
        patterns.extend(self.patterns(file, &raw.patterns, false));
        if patterns.is_empty() {
            return None;
        }
        Some(Rule {
            id: Arc::from(raw.id.as_str()),
            category: raw.category,
            severity: raw.severity,
            why: Arc::from(raw.why.as_str()),
            legal: Arc::from(raw.legal.as_str()),
            patterns,
            except: self.patterns(file, &raw.except, true).into(),
            unless: self.patterns(file, &raw.unless, true).into(),
            requires: self.patterns(file, &raw.requires, true).into(),
            unless_text: self.text_patterns(file, &raw.unless_text),
            requires_text: self.text_patterns(file, &raw.requires_text),
            guards: self.guard_ids(file, &raw.guards),
            yields_to: Vec::new(),
            shadow: raw.shadow,
        })
    }

    /// Makes the guards: the shaped ones first, then those that authors add; one of a known name
    /// adds to it.
    fn guards(&mut self, files: &[(&str, RawFile)]) {
        self.guards = Shape::ALL
            .iter()
            .map(|(id, shape)| Guard {
                id: Arc::from(*id),
                shape: Some(*shape),
                ..Guard::default()
            })
            .collect();
        for (name, file) in files {
            for raw in &file.guards {
                let at = self.guards.iter().position(|g| *g.id == *raw.id).unwrap_or_else(|| {
                    self.guards.push(Guard { id: Arc::from(raw.id.as_str()), ..Guard::default() });
                    self.guards.len() - 1
                });
                for (key, texts) in &raw.patterns {
                    match key {
                        GuardKey::Text | GuardKey::ExceptText => {
                            let patterns = self.text_patterns(name, texts);
                            let guard = &mut self.guards[at];
                            match key {
                                GuardKey::Text => guard.text.extend(patterns),
                                _ => guard.except_text.extend(patterns),
                            }
                        }
                        _ => {
                            let patterns = self.patterns(name, texts, true);
                            let guard = &mut self.guards[at];
                            match key {
                                GuardKey::Lead => guard.lead.extend(patterns),
                                GuardKey::Tail => guard.tail.extend(patterns),
                                GuardKey::Before => guard.before.extend(patterns),
                                GuardKey::After => guard.after.extend(patterns),
                                GuardKey::Sentence => guard.sentence.extend(patterns),
                                GuardKey::Overlap => guard.overlap.extend(patterns),
                                GuardKey::Except | GuardKey::Text | GuardKey::ExceptText => {
                                    guard.except.extend(patterns);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn guard_ids(&mut self, file: &str, names: &[(String, usize)]) -> Vec<u16> {
        let mut ids = Vec::new();
        for (name, line) in names {
            match self.guards.iter().position(|g| *g.id == **name) {
                Some(at) => ids.push(at as u16),
                None => {
                    let known: Vec<&str> = self.guards.iter().map(|g| &*g.id).collect();
                    let mend = format!("De som finns är {}", known.join(", "));
                    self.complain(file, *line, format!("okänd spärr `{name}`"), &mend);
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn text_patterns(&mut self, file: &str, texts: &[(String, usize)]) -> Vec<TextPattern> {
        let patterns = self.patterns(file, texts, true);
        patterns
            .into_iter()
            .map(|pattern| {
                self.n_text_patterns += 1;
                TextPattern { slot: self.n_text_patterns - 1, pattern }
            })
            .collect()
    }

    /// Resolves `yields_to`, once all rules are known.
    fn yields(&mut self, files: &[(&str, RawFile)]) {
        let by_id: BTreeMap<Arc<str>, u32> =
            self.rules.iter().enumerate().map(|(i, r)| (Arc::clone(&r.id), i as u32)).collect();
        for (name, file) in files {
            for raw in &file.rules {
                for (other, line) in &raw.yields_to {
                    match (by_id.get(raw.id.as_str()), by_id.get(other.as_str())) {
                        (Some(own), Some(other)) => {
                            self.rules[*own as usize].yields_to.push(*other);
                        }
                        (_, None) => self.complain(
                            name,
                            *line,
                            format!("okänd regel `{other}`"),
                            "Rätta namnet",
                        ),
                        (None, _) => {}
                    }
                }
            }
        }
    }

    /// Takes the forms of `not` out of their classes again.
    fn take_out(&mut self, files: &[(&str, RawFile)]) {
        let members: BTreeMap<&str, &[Member]> = files
            .iter()
            .flat_map(|(_, f)| &f.classes)
            .map(|c| (c.name.as_str(), c.members.as_slice()))
            .collect();
        for (name, file) in files {
            for class in file.classes.iter().filter(|c| !c.without.is_empty()) {
                let id = self.by_name[&class.name];
                let out = self.new_class(format!("-{}", class.name), false, false);
                self.members(name, &class.without, out, &members, 1);
                self.builder.take_out(id, out);
            }
        }
    }

    fn patterns(&mut self, file: &str, texts: &[(String, usize)], condition: bool) -> Vec<Pattern> {
        let mut out = Vec::new();
        for (text, line) in texts {
            let parsed = spelled_out(text).and_then(|variants| {
                let names = &mut Names(self);
                let mut patterns = Vec::new();
                for variant in variants {
                    patterns.push(if condition {
                        Pattern::parse_condition(&variant, names)?
                    } else {
                        Pattern::parse(&variant, names)?
                    });
                }
                Ok(patterns)
            });
            match parsed {
                Ok(patterns) => out.extend(patterns),
                Err(what) => {
                    let unknown = what.split('`').nth(1).and_then(|name| name.strip_prefix('@'));
                    let mend = match unknown {
                        Some(name) => self.nearest(name),
                        None => "Rätta mönstret; resten av regeln används".to_owned(),
                    };
                    self.complain(file, *line, format!("mönstret `{text}`: {what}"), &mend);
                }
            }
        }
        out
    }

    fn finish(mut self, version: LexiconVersion) -> Lexicon {
        let mut starts = vec![Vec::new(); self.names.len()];
        for (r, rule) in self.rules.iter().enumerate() {
            for (p, pattern) in rule.patterns.iter().enumerate() {
                for class in pattern.anchors() {
                    starts[class.0 as usize].push((r as u32, p as u16));
                }
            }
        }
        let mut anchors: Vec<bool> = starts.iter().map(|s| !s.is_empty()).collect();
        let address_sign = self.by_name.get(ADDRESS_SIGN).copied();
        if let Some(class) = address_sign {
            // Their texts must not be passed over, though no rule begins at them.
            anchors[class.0 as usize] = true;
        }
        let mut class = |name: &str| {
            let found = self.by_name.get(name).copied();
            if found.is_none() {
                self.complaints.push(Complaint {
                    file: "sv".to_owned(),
                    line: 1,
                    what: format!("ordklassen `{name}`, som spärrarna behöver, saknas"),
                    mend: "Lägg till den, se sv/common.toml och sv/guards.toml".to_owned(),
                });
            }
            found
        };
        let classes = GuardClasses {
            negation: class("negation"),
            refusal: class("negation_verb"),
            apparent: class("negation_sken"),
            bridge: class("negation_bro"),
            light: class("negation_lätt"),
            border: class("satsgräns"),
            modal: class("hjälpverb"),
            first_person: class("första_person"),
            subject: class("subjekt"),
            other_person: class("annan_person"),
            utterance: class("utterance"),
            said: class("sägeverb"),
            report: class("report"),
            report_thing: class("report_sak"),
            number_word: class("talord"),
        };
        let mut guards = Guards { list: self.guards, classes };
        // A compound that one file lists stays what its parts make it in the others.
        let first = self.builder.as_spelled().build(&anchors, &self.disguise);
        self.builder.add_compounds(&first, ClassId(0));
        let near: Vec<String> = self.builder.disguised().map(str::to_owned).collect();
        let mut words = self.builder.build(&anchors, &self.disguise);
        // The index tells of the rules' own patterns; the gate, of conditions and guards.
        let conditions = self.rules.iter().flat_map(Rule::conditions);
        let needed = conditions.chain(guards.list.iter().flat_map(Guard::patterns));
        let needed = needed.flat_map(Pattern::needs).flatten();
        let bits = Bits::share_out(needed, &everyday::by_class(&words, self.names.len()));
        words.set_masks(&bits);
        self.rules.iter_mut().for_each(|r| r.prepare(&bits));
        guards.list.iter_mut().for_each(|g| g.prepare(&bits));
        let entry = |mark: Mark| {
            let name = mark.classes()[0].as_bytes();
            words.look_up(hash_of(name), name, false)
        };
        let marks = MarkEntries {
            entries: Mark::ALL.into_iter().map(entry).collect(),
            address_sign,
            number_word: guards.classes.number_word,
        };
        let named = |name: &str| words.look_up(hash_of(name.as_bytes()), name.as_bytes(), false);
        let repair = Repair {
            near: crate::classify::near::Near::new(near.iter().map(String::as_str), &words),
            money: named("%money"),
            percent: named("%percent"),
        };
        let repeat = self.by_name[repair::REPEAT];
        Lexicon {
            index: Index::new(&self.rules, &words, self.names.len(), repeat),
            words,
            marks,
            repair,
            repeat,
            rules: self.rules,
            starts,
            guards,
            version,
            complaints: self.complaints,
            examples: self.examples,
            class_names: self.names,
            counts: self.counts,
        }
    }
}

/// The most patterns that phrases in one pattern may make of it.
const MOST_VARIANTS: usize = 32;

/// A pattern with phrases among its alternatives (`döda|slå_ihjäl`) as several without: one for
/// the single words, and one for every phrase.
fn spelled_out(text: &str) -> Result<Vec<String>, String> {
    let mut variants = vec![String::new()];
    for piece in text.split_whitespace() {
        let mut ways: Vec<String> = Vec::new();
        if piece.contains('_') && !piece.starts_with(['*', '!', '%', '@']) {
            if piece.ends_with('?') {
                return Err(format!("`{piece}`: en fras kan inte få saknas"));
            }
            let (mark, words) = match piece.strip_prefix('^') {
                Some(words) => ("^", words),
                None => ("", piece),
            };
            let is_phrase = |word: &&str| word.contains('_') && !word.contains(['@', '%', '&']);
            let single: Vec<&str> = words.split('|').filter(|w| !is_phrase(w)).collect();
            if !single.is_empty() {
                ways.push(format!("{mark}{}", single.join("|")));
            }
            ways.extend(
                words
                    .split('|')
                    .filter(is_phrase)
                    .map(|w| format!("{mark}{}", w.replace('_', " "))),
            );
        } else {
            ways.push(piece.to_owned());
        }
        if variants.len() * ways.len() > MOST_VARIANTS {
            return Err(format!("fraserna ger fler än {MOST_VARIANTS} mönster"));
        }
        variants = variants
            .iter()
            .flat_map(|front| ways.iter().map(move |way| format!("{front} {way}")))
            .collect();
    }
    Ok(variants)
}

/// How a lexeme looks as first part: `flicka` → `flick`, else the word, with and without s.
fn first_parts(lexeme: &RawLexeme, written: &str) -> Vec<String> {
    if !written.is_empty() {
        return written.split('/').map(str::to_owned).collect();
    }
    let stem = match lexeme.paradigm.as_str() {
        "n1" => lexeme.word.strip_suffix('a'),
        "n2" => lexeme.word.strip_suffix('e'),
        _ => None,
    };
    match stem {
        Some(stem) => vec![stem.to_owned()],
        None if lexeme.word.ends_with('-') => vec![lexeme.word.trim_matches('-').to_owned()],
        None => vec![lexeme.word.clone(), format!("{}s", lexeme.word)],
    }
}

#[cfg(test)]
mod tests;
