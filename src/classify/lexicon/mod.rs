//! Authors' files → checked lexemes, classes and rules, ready for the engine.
//!
//! Loading never fails as a whole: what does not hold is left out and named in
//! [`Lexicon::complaints`], the rest is used.

pub mod built_in;
pub mod compiled;
mod compiler;
pub mod complaint;
pub mod file;
pub mod inflect;
pub mod lint;
pub mod overlay;
pub mod part;
pub mod trial;

use std::collections::BTreeMap;
use std::path::Path;

use crate::classify::context;
use crate::classify::cues::table::{Cues, SUMS, WEIGHTS};
use crate::classify::gate::Bits;
use crate::classify::identifier::marks::MarkEntries;
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::repair::Repair;
use crate::classify::rules::everyday::Often;
use crate::classify::rules::guard::Guard;
use crate::classify::rules::index::{Index, Plan};
use crate::classify::rules::pattern::Pattern;
use crate::classify::rules::sets::{Asked, Sets};
use crate::classify::rules::{Guards, Rule, everyday};
use crate::classify::words::{ClassId, Words};
use crate::domain::category::Severity;
use crate::domain::ids::{ContentHash, LexiconVersion};

/// The program, as far as it decides what is made of sources and texts: its version, and a hash
/// over the classifier's code and all dependencies' versions (`fingerprint.rs`). By construction, since
/// nobody remembers to raise a number whenever the engine may answer otherwise.
const ENGINE: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("UPPSIKT_CLASSIFIER"));

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
    /// The sets that patterns ask of words.
    pub sets: Sets,
    /// The same patterns, each at its rarest word.
    pub index: Index,
    /// The guards.
    pub guards: Guards,
    /// What stands for numbers and addresses.
    pub marks: MarkEntries,
    /// What is broken, run together or misspelled.
    pub repair: Repair,
    /// What is weighed.
    pub cues: Cues,
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

impl Lexicon {
    /// How grave a rule, or the sum of a category's cues, says that its findings are; nothing for what is no
    /// rule of the lexicon.
    pub fn severity_of(&self, rule: &str) -> Option<Severity> {
        let of_rule = self.rules.iter().find(|r| *r.id == *rule).map(|r| r.severity);
        let mut sums = self.cues.sums.iter().flatten();
        of_rule.or_else(|| sums.find(|sum| *sum.rule == *rule).map(|sum| sum.severity))
    }

    /// Every name under which something is found, by the text itself or by what stands around it.
    pub fn rule_names(&self) -> impl Iterator<Item = &str> {
        let of_rules = self.rules.iter().map(|r| &*r.id);
        let of_sums = self.cues.sums.iter().flatten().map(|sum| &*sum.rule);
        of_rules.chain(of_sums).chain(context::RULES)
    }
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

/// The folders of a lexicon, by language.
const LANGUAGES: [&str; 2] = ["sv", "en"];

impl Source {
    /// Whether it holds words and rules: everything but what is weighed.
    fn is_of_a_language(&self) -> bool {
        let folder = self.name.split_once('/').map(|(folder, _)| folder);
        folder.is_some_and(|folder| LANGUAGES.contains(&folder))
    }
}

/// Reads the sources under `folder`: every `.toml` in `sv/`, by name, and what is weighed
/// in `cues/`, if it is there.
///
/// # Errors
/// A file that cannot be read, or a folder without files.
pub fn read_folder(folder: &Path) -> Result<Vec<Source>, CannotRead> {
    let at = |path: &Path| path.display().to_string();
    let mut sources = Vec::new();
    for language in LANGUAGES {
        let of_language = folder.join(language);
        let failed = |source| CannotRead::File { path: at(&of_language), source };
        let entries = match std::fs::read_dir(&of_language) {
            Ok(entries) => entries,
            // Swedish is what everything else stands beside.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && language != LANGUAGES[0] => {
                continue;
            }
            Err(source) => return Err(failed(source)),
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| CannotRead::File { path: at(&path), source })?;
                let name =
                    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                sources.push(Source { name: format!("{language}/{name}"), text });
            }
        }
    }
    if sources.is_empty() {
        return Err(CannotRead::Empty { path: at(folder) });
    }
    for name in [SUMS, WEIGHTS] {
        let path = folder.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => sources.push(Source { name: name.to_owned(), text }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(CannotRead::File { path: at(&path), source }),
        }
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

/// The SHA-256 over all sources and the engine that reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcesHash(ContentHash);

impl SourcesHash {
    /// Takes the hash.
    pub fn of(sources: &[Source]) -> Self {
        let mut all = String::from(ENGINE);
        for source in sources {
            all.push_str(&format!("\n{} {}\n", source.name, source.text.len()));
            all.push_str(&source.text);
        }
        Self(ContentHash::of(all.as_bytes()))
    }

    /// The version of these sources: the first 16 hexadecimal digits of their hash.
    pub fn version(&self) -> LexiconVersion {
        LexiconVersion::new(&self.0.to_string()[..16])
    }
}

/// Makes words, rules and guards ready for use, once all are known.
fn prepare(
    words: &mut Words,
    rules: &mut [Rule],
    guards: &mut [Guard],
    n_classes: usize,
    repeat: ClassId,
) -> (Sets, Index) {
    let conditions = || {
        let of_rules = rules.iter().flat_map(Rule::conditions);
        of_rules.chain(guards.iter().flat_map(Guard::patterns))
    };
    let needed = conditions().flat_map(Pattern::needs).flatten();
    let bits = Bits::share_out(needed, &everyday::by_class(words, n_classes));
    words.set_masks(&bits);
    let often = Often::new(words, n_classes);
    let mut asked = Asked::default();
    conditions().for_each(|p| p.ask_gate(&mut asked, &often));
    conditions().chain(rules.iter().flat_map(|r| &r.patterns)).for_each(|p| p.ask(&mut asked));
    let plan = Plan::new(rules, &often, repeat);
    plan.ask(&mut asked);
    asked.share_out();
    let sets = Sets::new(&asked, words, n_classes);
    let index = Index::new(&plan, &asked, &sets, words, n_classes);
    rules.iter_mut().for_each(|r| r.prepare(&asked, &often));
    guards.iter_mut().for_each(|g| g.prepare(&asked, &often));
    (sets, index)
}

/// For every class, the rules and patterns that begin at it.
fn starts_of(rules: &[Rule], n_classes: usize) -> Vec<Vec<(u32, u16)>> {
    let mut starts = vec![Vec::new(); n_classes];
    for (r, rule) in rules.iter().enumerate() {
        for (p, pattern) in rule.patterns.iter().enumerate() {
            for class in pattern.anchors() {
                starts[class.0 as usize].push((r as u32, p as u16));
            }
        }
    }
    starts
}

#[cfg(test)]
mod tests;
