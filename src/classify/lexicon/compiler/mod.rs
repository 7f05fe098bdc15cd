//! Authors' files into a lexicon: every class gets a number, every lexeme its forms, every
//! pattern its classes; what does not hold is complained of and left out.

mod finish;
mod rules;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::classify::cues::table::{Cues, SUMS, WEIGHTS};
use crate::classify::identifier::{ADDRESS_SIGN, ADDRESS_SIGNS, Mark};
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::file::{self, Member, RawFile, RawLexeme};
use crate::classify::lexicon::overlay;
use crate::classify::lexicon::part::LexiconPart;
use crate::classify::lexicon::{Counts, Example, Lexicon, Source, SourcesHash, inflect};
use crate::classify::repair;
use crate::classify::rules::Rule;
use crate::classify::rules::guard::Guard;
use crate::classify::words::ClassId;
use crate::classify::words::builder::{OVERFULL, Readings, WordsBuilder};
use crate::classify::words::texts::TextId;

impl Lexicon {
    /// Compiles sources. Never fails; see [`Lexicon::complaints`].
    pub fn compile(sources: &[Source]) -> Self {
        Self::compile_without(sources, None)
    }

    /// Compiles sources as if a part of them said nothing, to see what it brings.
    pub fn compile_without(sources: &[Source], part: Option<&LexiconPart>) -> Self {
        let mut complaints = Vec::new();
        let mut files = overlay::read_all(sources, &mut complaints);
        files.extend(RawFile::of_sums(sources));
        if let Some(part) = part {
            files.iter_mut().for_each(|(name, file)| part.silence(name, file));
        }
        let mut compiler = Compiler { complaints, ..Compiler::default() };
        compiler.declare(&files);
        compiler.fill(&files);
        compiler.take_out(&files);
        compiler.guards(&files);
        compiler.rules(&files);
        compiler.resolve_yields(&files);
        let mut lexicon = compiler.finish(SourcesHash::of(sources).version());
        if part != Some(&LexiconPart::Cues) {
            lexicon.weigh(sources);
        }
        lexicon
    }

    /// Reads what is weighed; nothing is where the lexicon has no list of cues.
    fn weigh(&mut self, sources: &[Source]) {
        let of = |name: &'static str| {
            sources.iter().find(|s| s.name == name).map(|s| (name, s.text.as_str()))
        };
        if let (Some(sums), Some(weights)) = (of(SUMS), of(WEIGHTS)) {
            let rules: Vec<Arc<str>> = self.rules.iter().map(|r| Arc::clone(&r.id)).collect();
            let Self { class_names, guards, complaints, .. } = self;
            self.cues = Cues::read(sums, weights, class_names, &rules, &guards.list, complaints);
            // A rule that is only tried has no say here either.
            for (rule, _) in self.rules.iter().enumerate().filter(|(_, r)| r.shadow) {
                self.cues.leave_out_rule(rule);
            }
        } else if let Some((name, _)) = of(SUMS).or(of(WEIGHTS)) {
            self.complaints.push(Complaint {
                file: name.to_owned(),
                line: 1,
                what: "filen står ensam, så inga tecken vägs".to_owned(),
                mend: format!("lägg både {SUMS} och {WEIGHTS} i mappen, eller ingen av dem"),
            });
        }
    }
}

#[derive(Default)]
struct Compiler {
    complaints: Vec<Complaint>,
    builder: WordsBuilder,
    names: Vec<String>,
    by_name: HashMap<String, ClassId>,
    /// The classes of single words that patterns name.
    by_word: HashMap<TextId, ClassId>,
    inflected: Inflected,
    common: Vec<bool>,
    disguise: Vec<bool>,
    rules: Vec<Rule>,
    rule_ids: BTreeSet<String>,
    examples: Vec<Example>,
    counts: Counts,
    guards: Vec<Guard>,
    /// The guards that lack something that could not be read.
    broken_guards: BTreeSet<String>,
    /// The rules that were taken in, by file and line.
    rule_at: HashMap<(String, usize), u32>,
    n_text_patterns: u32,
}

/// The forms of lexemes that were inflected before: nested classes bring the same ones again.
#[derive(Default)]
struct Inflected {
    /// By word and paradigm, with a line break between.
    known: HashMap<String, Range<usize>>,
    forms: Vec<TextId>,
    key: String,
}

impl Inflected {
    fn forms(
        &mut self,
        word: &str,
        paradigm: &str,
        builder: &mut WordsBuilder,
    ) -> Result<Range<usize>, inflect::CannotInflect> {
        self.key.clear();
        self.key.push_str(word);
        self.key.push('\n');
        self.key.push_str(paradigm);
        if let Some(known) = self.known.get(&self.key) {
            return Ok(known.clone());
        }
        let from = self.forms.len();
        let forms = inflect::inflect(word, paradigm)?;
        self.forms.extend(forms.iter().map(|form| builder.text(form)));
        self.known.insert(self.key.clone(), from..self.forms.len());
        Ok(from..self.forms.len())
    }
}

/// How deep classes may stand within each other.
const DEEPEST: usize = 64;

impl Compiler {
    fn new_class(&mut self, name: String, common: bool, disguise: bool) -> ClassId {
        let class = self.unnamed_class(name.clone(), common, disguise);
        self.by_name.insert(name, class);
        class
    }

    /// A class that files cannot name; `name` is what it is told as.
    fn unnamed_class(&mut self, name: String, common: bool, disguise: bool) -> ClassId {
        let class = match u16::try_from(self.names.len()) {
            Ok(u16::MAX) => {
                self.complain(
                    "ordlistorna",
                    1,
                    format!("fler än {} ordklasser och enstaka ord i mönster", u16::MAX - 1),
                    "Samla enstaka ord i ordklasser; det som inte får plats hittas inte",
                );
                self.names.push(name);
                self.common.push(common);
                self.disguise.push(disguise);
                return OVERFULL;
            }
            Ok(class) => ClassId(class),
            Err(_) => return OVERFULL,
        };
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
            .filter(|known| !known.starts_with(['%', '-']) && !known.starts_with("ord:"))
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
        let members = members_by_class(files);
        for (name, file) in files {
            for lexeme in &file.harmless {
                self.lexeme(name, lexeme, ClassId(0));
            }
            for class in &file.classes {
                let id = self.by_name[&class.name];
                self.members(name, &class.members, id, &members, true);
            }
        }
    }

    /// Puts the members into the class, with those of classes that they name. `counted` says whether the
    /// words are this file's own.
    fn members(
        &mut self,
        file: &str,
        list: &[Member],
        into: ClassId,
        all: &BTreeMap<&str, &[Member]>,
        counted: bool,
    ) {
        self.members_of(file, list, into, all, counted, &mut Within::default());
    }

    fn members_of<'f>(
        &mut self,
        file: &str,
        list: &'f [Member],
        into: ClassId,
        all: &BTreeMap<&str, &'f [Member]>,
        counted: bool,
        within: &mut Within<'f>,
    ) {
        for member in list {
            match member {
                Member::Lexeme(lexeme) => {
                    if counted {
                        *self.counts.lexemes.entry(file.to_owned()).or_default() += 1;
                    }
                    self.lexeme(file, lexeme, into);
                }
                Member::Class(name, line) => match all.get(name.as_str()) {
                    Some(_) if within.path.contains(&name.as_str()) => self.complain(
                        file,
                        *line,
                        format!("ordklassen `@{name}` innehåller sig själv"),
                        "Bryt ringen",
                    ),
                    Some(_) if within.path.len() == DEEPEST => self.complain(
                        file,
                        *line,
                        format!("ordklasser i ordklasser djupare än {DEEPEST}"),
                        "Namnge de inre klasserna direkt",
                    ),
                    // Its words are there already.
                    Some(_) if !within.known.insert(name) => {}
                    Some(inner) => {
                        within.path.push(name);
                        self.members_of(file, inner, into, all, false, within);
                        within.path.pop();
                    }
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
        let forms = match self.inflected.forms(bare, &lexeme.paradigm, &mut self.builder) {
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
        let readings = if lexeme.exact { Readings::Exact } else { readings };
        if !part_only {
            for form in &self.inflected.forms[forms.clone()] {
                self.builder.add_text(*form, class, readings);
            }
        }
        if let Some((part, rest)) = &lexeme.first {
            let Ok(rest) = self.rest(file, lexeme.line, rest.as_deref()) else { return };
            for part in first_parts(lexeme, part) {
                self.builder.add_first(&part, class, rest, &lexeme.stops);
            }
        }
        if let Some(rest) = &lexeme.last {
            let Ok(rest) = self.rest(file, lexeme.line, rest.as_deref()) else { return };
            for form in &self.inflected.forms[forms] {
                self.builder.add_last(*form, class, rest, &lexeme.stops);
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

    /// Takes the forms of `not` out of their classes again.
    fn take_out(&mut self, files: &[(&str, RawFile)]) {
        let members = members_by_class(files);
        for (name, file) in files {
            for class in file.classes.iter().filter(|c| !c.without.is_empty()) {
                let id = self.by_name[&class.name];
                // With all readings that the class itself has, or one of them would stay.
                let disguise = self.disguise[id.0 as usize];
                let out = self.new_class(format!("-{}", class.name), false, disguise);
                self.members(name, &class.without, out, &members, false);
                self.builder.take_out(id, out);
            }
        }
    }
}

/// The classes that another one brings in by name.
#[derive(Default)]
struct Within<'f> {
    /// Those that are being read, the outermost first.
    path: Vec<&'f str>,
    /// Those that were read.
    known: BTreeSet<&'f str>,
}

/// The lexemes of each class, for classes that bring in others by name.
fn members_by_class<'f>(files: &'f [(&str, RawFile)]) -> BTreeMap<&'f str, &'f [Member]> {
    let classes = files.iter().flat_map(|(_, f)| &f.classes);
    classes.map(|c| (c.name.as_str(), c.members.as_slice())).collect()
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
