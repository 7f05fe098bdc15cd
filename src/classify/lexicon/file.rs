//! One author's file: TOML in, raw lexemes and rules out, with a complaint for everything that
//! does not hold. Unknown keys are refused by name and line; a bad entry never takes its
//! neighbours with it.

pub mod change;
mod lexeme;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::classify::cues::table::{SUMS, exceptions};
use crate::classify::lexicon::Source;
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::file::change::{RawChange, RawList};
use crate::domain::category::{Category, Severity};
use crate::domain::toml_words;
use crate::domain::verdict::Mark;

/// A lexeme as written: `hora n1 first last not=horisont`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLexeme {
    /// The dictionary form; `skit-` and `-unge` are parts of compounds alone.
    pub word: String,
    /// The paradigm, `x` when none is given.
    pub paradigm: String,
    /// As first part of compounds: the part's form (empty: from the word) and the class that the
    /// rest must be in.
    pub first: Option<(String, Option<String>)>,
    /// As last part of compounds: the class that the front must be in.
    pub last: Option<Option<String>>,
    /// What only looks like one of its compounds.
    pub stops: Vec<String>,
    /// Only as spelled: no reading without å, ä, ö and none in disguise.
    pub exact: bool,
    /// Where it stands.
    pub line: usize,
}

/// What a class holds.
#[derive(Clone, Debug)]
pub enum Member {
    /// A lexeme with its forms.
    Lexeme(RawLexeme),
    /// All members of another class.
    Class(String, usize),
}

/// A named set of words, `[[class]]`.
#[derive(Clone, Debug)]
pub struct RawClass {
    /// The name, without `@`.
    pub name: String,
    /// Its words.
    pub members: Vec<Member>,
    /// Whether its words may be met in disguise.
    pub disguise: bool,
    /// Classes and words whose forms are taken out of it again.
    pub without: Vec<Member>,
    /// Everyday words: no rule begins to be looked for at them.
    pub common: bool,
    /// Where it stands.
    pub line: usize,
}

/// A guard that authors write, `[[guard]]`; one of a name that has a shape of its own adds to it.
#[derive(Clone, Debug, Default)]
pub struct RawGuard {
    /// The name.
    pub id: String,
    /// Patterns by where they stand to the hit, with lines: see [`GUARD_KEYS`].
    pub patterns: Vec<(GuardKey, Vec<(String, usize)>)>,
    /// Where it stands.
    pub line: usize,
}

/// Where the patterns of a guard stand to the hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardKey {
    /// Just before.
    Lead,
    /// Just after.
    Tail,
    /// Before, in the sentence.
    Before,
    /// After, in the sentence.
    After,
    /// In the sentence.
    Sentence,
    /// On the same words.
    Overlap,
    /// In the text.
    Text,
    /// In the sentence, lifting the guard.
    Except,
    /// In the text, lifting the guard.
    ExceptText,
}

/// The keys of a guard.
pub const GUARD_KEYS: [(&str, GuardKey); 9] = [
    ("lead", GuardKey::Lead),
    ("tail", GuardKey::Tail),
    ("before", GuardKey::Before),
    ("after", GuardKey::After),
    ("sentence", GuardKey::Sentence),
    ("overlap", GuardKey::Overlap),
    ("text", GuardKey::Text),
    ("except", GuardKey::Except),
    ("except_text", GuardKey::ExceptText),
];

/// A rule, `[[rule]]`, or a group of words that are hits by themselves, `[[words]]`.
#[derive(Clone, Debug)]
pub struct RawRule {
    /// The identifier, `omrade.namn`.
    pub id: String,
    /// What it finds.
    pub category: Category,
    /// How grave.
    pub severity: Severity,
    /// The sentence for the editor.
    pub why: String,
    /// Law or house rule.
    pub legal: String,
    /// Words that are hits by themselves (only `[[words]]`).
    pub members: Vec<Member>,
    /// What to look for (only `[[rule]]`), with lines.
    pub patterns: Vec<(String, usize)>,
    /// Overlapping these, a hit is none: idioms.
    pub except: Vec<(String, usize)>,
    /// With one of these in the sentence, a hit is none.
    pub unless: Vec<(String, usize)>,
    /// One of these must be in the sentence as well.
    pub requires: Vec<(String, usize)>,
    /// With one of these anywhere in the text, a hit is none.
    pub unless_text: Vec<(String, usize)>,
    /// One of these must be somewhere in the text as well.
    pub requires_text: Vec<(String, usize)>,
    /// Names of general guards.
    pub guards: Vec<(String, usize)>,
    /// Rules to which a hit on the same words is left.
    pub yields_to: Vec<(String, usize)>,
    /// Counted, but never shown.
    pub shadow: bool,
    /// Looked for no more: its name stands, so that whatever names it still holds.
    pub off: bool,
    /// Stands in the place of another file's rule of this name.
    pub replaces: bool,
    /// Never lowered by cues.
    pub certain: bool,
    /// What its findings mean beyond their category.
    pub mark: Option<Mark>,
    /// Texts that must be hit.
    pub examples: Vec<(String, usize)>,
    /// Texts that must not.
    pub counterexamples: Vec<(String, usize)>,
    /// Where it stands.
    pub line: usize,
}

/// Everything in one file.
#[derive(Debug, Default)]
pub struct RawFile {
    /// `[[class]]`.
    pub classes: Vec<RawClass>,
    /// `[[guard]]`.
    pub guards: Vec<RawGuard>,
    /// `[[words]]` and `[[rule]]`.
    pub rules: Vec<RawRule>,
    /// Real words that must never be taken for a compound.
    pub harmless: Vec<RawLexeme>,
    /// `[[change]]`: what is different about rules of other files.
    pub changes: Vec<RawChange>,
    /// `[[list]]`: what is put into classes of other files, and taken out of them.
    pub lists: Vec<RawList>,
}

impl RawFile {
    /// What the file of sums adds to the files of a language: the exceptions of sums, as guards.
    pub fn of_sums(sources: &[Source]) -> Option<(&str, Self)> {
        let sums = sources.iter().find(|s| s.name == SUMS)?;
        Some((&*sums.name, Self { guards: exceptions(&sums.text), ..Self::default() }))
    }
}

/// What may stand at the top of a file.
const KEYS: &[&str] = &[
    "category", "legal", "shadow", "harmless", "class", "guard", "words", "rule", "change", "list",
];

/// How many examples, and how many counterexamples, a rule needs.
const FEWEST_EXAMPLES: usize = 3;

/// Reads one file. What cannot be used is left out and complained of.
pub fn read(name: &str, source: &str, complaints: &mut Vec<Complaint>) -> RawFile {
    let breaks = memchr::memchr_iter(b'\n', source.as_bytes()).collect();
    let mut reader = Reader { name, source, breaks, complaints };
    let (table, errors) = DeTable::parse_recoverable(source);
    for error in errors {
        let at = error.span().map_or(0, |s| s.start);
        reader.complain(
            at,
            format!("filen följer inte TOML här: {}", toml_words::syntax(error.message())),
            "Rätta raden",
        );
    }
    let mut file = RawFile::default();
    let mut category = None;
    let mut legal = String::new();
    let table = table.get_ref();
    if let Some((_, value)) = table.iter().find(|(k, _)| k.get_ref() == "category") {
        category = reader.category(value);
    }
    if let Some((_, value)) = table.iter().find(|(k, _)| k.get_ref() == "legal") {
        legal = reader.text("legal", value).unwrap_or_default();
    }
    let shadow = table
        .iter()
        .find(|(k, _)| k.get_ref() == "shadow")
        .is_some_and(|(_, value)| reader.flag("shadow", value));
    for (key, value) in table {
        let at = key.span().start;
        match key.get_ref().as_ref() {
            "category" | "legal" | "shadow" => {}
            "harmless" => {
                file.harmless =
                    reader.lexemes(value, "x").into_iter().filter_map(only_lexeme).collect()
            }
            "class" => {
                for (table, at) in reader.tables("class", value) {
                    file.classes.extend(reader.class(table, at));
                }
            }
            "guard" => {
                for (table, at) in reader.tables("guard", value) {
                    file.guards.extend(reader.guard(table, at));
                }
            }
            kind @ ("words" | "rule") => {
                for (table, at) in reader.tables(kind, value) {
                    let own = table.iter().find(|(key, _)| key.get_ref() == "category");
                    let of_rule = match own {
                        Some((_, value)) => reader.category(value),
                        None => category,
                    };
                    match of_rule {
                        Some(category) => file.rules.extend(reader.rule(
                            table,
                            at,
                            kind == "words",
                            category,
                            &legal,
                        )),
                        None if own.is_some() => {}
                        None => reader.complain(
                            at,
                            "filen saknar `category`".into(),
                            "Skriv till exempel `category = \"threat\"` överst, eller i regeln",
                        ),
                    }
                }
            }
            "change" => {
                for (table, at) in reader.tables("change", value) {
                    file.changes.extend(reader.change(table, at));
                }
            }
            "list" => {
                for (table, at) in reader.tables("list", value) {
                    file.lists.extend(reader.list(table, at));
                }
            }
            other => reader.unknown(at, other, KEYS),
        }
    }
    for rule in &mut file.rules {
        rule.shadow |= shadow;
    }
    file
}

fn only_lexeme(member: Member) -> Option<RawLexeme> {
    match member {
        Member::Lexeme(lexeme) => Some(lexeme),
        Member::Class(..) => None,
    }
}

struct Reader<'a> {
    name: &'a str,
    source: &'a str,
    /// Where its lines end.
    breaks: Vec<usize>,
    complaints: &'a mut Vec<Complaint>,
}

type Table<'t> = &'t DeTable<'t>;

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        self.breaks.partition_point(|end| *end < at) + 1
    }

    fn complain(&mut self, at: usize, what: String, mend: impl Into<String>) {
        let line = self.line(at);
        self.complaints.push(Complaint {
            file: self.name.to_owned(),
            line,
            what,
            mend: mend.into(),
        });
    }

    fn unknown(&mut self, at: usize, key: &str, known: &[&str]) {
        let near = known.iter().min_by_key(|k| distance(k, key)).filter(|k| distance(k, key) <= 2);
        let mend = match near {
            Some(near) => format!("Menades `{near}`"),
            None => format!("De nycklar som finns är {}", known.join(", ")),
        };
        self.complain(at, format!("okänd nyckel `{key}`"), mend);
    }

    fn text(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            _ => {
                self.complain(
                    value.span().start,
                    format!("`{key}` ska vara en text"),
                    "Skriv texten inom citattecken",
                );
                None
            }
        }
    }

    fn flag(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> bool {
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.complain(
                value.span().start,
                format!("`{key}` ska vara true eller false"),
                "Skriv true eller false utan citattecken",
            );
            false
        })
    }

    fn texts(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<(String, usize)> {
        let Some(array) = value.get_ref().as_array() else {
            self.complain(
                value.span().start,
                format!("`{key}` ska vara en lista"),
                "Skriv texterna inom hakparentes",
            );
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in array.iter() {
            if let Some(text) = self.text(key, item) {
                out.push((text, self.line(item.span().start)));
            }
        }
        out
    }

    fn tables<'t>(
        &mut self,
        key: &str,
        value: &'t Spanned<DeValue<'t>>,
    ) -> Vec<(Table<'t>, usize)> {
        let items: Vec<_> =
            value.get_ref().as_array().map_or_else(Vec::new, |array| array.iter().collect());
        if items.is_empty() {
            self.complain(
                value.span().start,
                format!("`{key}` ska inledas med dubbla hakparenteser"),
                format!("Skriv `[[{key}]]`"),
            );
        }
        let mut out = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => out.push((table, item.span().start)),
                None => self.complain(
                    item.span().start,
                    format!("`{key}` ska vara en tabell"),
                    format!("Skriv `[[{key}]]`"),
                ),
            }
        }
        out
    }

    fn category(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Category> {
        let text = self.text("category", value)?;
        let found = text.parse().ok();
        if found.is_none() {
            let known: Vec<&str> = Category::ALL.iter().map(|c| c.id()).collect();
            self.complain(
                value.span().start,
                format!("okänd kategori `{text}`"),
                format!("De som finns är {}", known.join(", ")),
            );
        }
        found
    }

    fn severity(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Severity> {
        let text = self.text("severity", value)?;
        let found =
            [Severity::Low, Severity::Medium, Severity::High].into_iter().find(|s| s.id() == text);
        if found.is_none() {
            self.complain(
                value.span().start,
                format!("okänt allvar `{text}`"),
                "De som finns är low, medium, high",
            );
        }
        found
    }

    fn mark(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Mark> {
        let text = self.text("mark", value)?;
        let found = Mark::ALL.iter().copied().find(|mark| mark.id() == text);
        if found.is_none() {
            self.complain(
                value.span().start,
                format!("okänt märke `{text}`"),
                "Det som finns är child",
            );
        }
        found
    }

    fn class(&mut self, table: Table<'_>, at: usize) -> Option<RawClass> {
        const KNOWN: &[&str] = &["name", "lexemes", "not", "paradigm", "disguise", "common"];
        let mut class = RawClass {
            name: String::new(),
            members: Vec::new(),
            without: Vec::new(),
            disguise: false,
            common: false,
            line: self.line(at),
        };
        let paradigm = self.default_paradigm(table);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "name" => class.name = self.text("name", value)?,
                "lexemes" => class.members = self.lexemes(value, &paradigm),
                "not" => class.without = self.lexemes(value, &paradigm),
                "paradigm" => {}
                "disguise" => class.disguise = self.flag("disguise", value),
                "common" => class.common = self.flag("common", value),
                other => self.unknown(key.span().start, other, KNOWN),
            }
        }
        if class.name.is_empty() || class.members.is_empty() {
            self.complain(
                at,
                "en ordklass behöver `name` och `lexemes`".into(),
                "Lägg till det som saknas",
            );
            return None;
        }
        Some(class)
    }

    fn default_paradigm(&mut self, table: Table<'_>) -> String {
        table
            .iter()
            .find(|(k, _)| k.get_ref() == "paradigm")
            .and_then(|(_, value)| self.text("paradigm", value))
            .unwrap_or_else(|| "x".to_owned())
    }

    fn rule(
        &mut self,
        table: Table<'_>,
        at: usize,
        is_words: bool,
        category: Category,
        legal: &str,
    ) -> Option<RawRule> {
        const KNOWN: &[&str] = &[
            "id",
            "category",
            "replaces",
            "severity",
            "why",
            "legal",
            "lexemes",
            "paradigm",
            "patterns",
            "except",
            "unless",
            "requires",
            "unless_text",
            "requires_text",
            "guards",
            "yields_to",
            "shadow",
            "certain",
            "mark",
            "examples",
            "counterexamples",
        ];
        let mut severity = None;
        let mut rule = RawRule {
            id: String::new(),
            category,
            severity: Severity::Low,
            why: String::new(),
            legal: legal.to_owned(),
            members: Vec::new(),
            patterns: Vec::new(),
            except: Vec::new(),
            unless: Vec::new(),
            requires: Vec::new(),
            unless_text: Vec::new(),
            requires_text: Vec::new(),
            guards: Vec::new(),
            yields_to: Vec::new(),
            shadow: false,
            off: false,
            replaces: false,
            certain: false,
            mark: None,
            examples: Vec::new(),
            counterexamples: Vec::new(),
            line: self.line(at),
        };
        let paradigm = self.default_paradigm(table);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "id" => rule.id = self.text("id", value)?,
                "severity" => severity = self.severity(value),
                "why" => rule.why = self.text("why", value)?,
                "legal" => rule.legal = self.text("legal", value)?,
                "lexemes" if is_words => rule.members = self.lexemes(value, &paradigm),
                "paradigm" if is_words => {}
                "patterns" if !is_words => rule.patterns = self.texts("patterns", value),
                "except" => rule.except = self.texts("except", value),
                "unless" => rule.unless = self.texts("unless", value),
                "requires" => rule.requires = self.texts("requires", value),
                "unless_text" => rule.unless_text = self.texts("unless_text", value),
                "requires_text" => rule.requires_text = self.texts("requires_text", value),
                "guards" => rule.guards = self.texts("guards", value),
                "yields_to" => rule.yields_to = self.texts("yields_to", value),
                "category" => {}
                "replaces" => rule.replaces = self.flag("replaces", value),
                "shadow" => rule.shadow = self.flag("shadow", value),
                "certain" => rule.certain = self.flag("certain", value),
                "mark" => rule.mark = self.mark(value),
                "examples" => rule.examples = self.texts("examples", value),
                "counterexamples" => rule.counterexamples = self.texts("counterexamples", value),
                other => self.unknown(key.span().start, other, KNOWN),
            }
        }
        let content = if is_words { !rule.members.is_empty() } else { !rule.patterns.is_empty() };
        let body = if is_words { "lexemes" } else { "patterns" };
        let missing = [
            ("id", !rule.id.is_empty()),
            ("severity", severity.is_some()),
            ("why", !rule.why.is_empty()),
            (body, content),
            ("examples", !rule.examples.is_empty()),
            ("counterexamples", !rule.counterexamples.is_empty()),
        ];
        let missing: Vec<&str> =
            missing.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            self.complain(
                at,
                format!("regeln saknar {}", missing.join(", ")),
                "Lägg till det; regeln används inte förrän dess",
            );
            return None;
        }
        let (n, m) = (rule.examples.len(), rule.counterexamples.len());
        if n < FEWEST_EXAMPLES || m < FEWEST_EXAMPLES {
            self.complain(
                at,
                format!("regeln har {n} exempel och {m} motexempel; minst {FEWEST_EXAMPLES} av varje behövs"),
                "Skriv fler; regeln används så länge",
            );
        }
        rule.severity = severity?;
        Some(rule)
    }

    fn guard(&mut self, table: Table<'_>, at: usize) -> Option<RawGuard> {
        let mut guard = RawGuard { line: self.line(at), ..RawGuard::default() };
        for (key, value) in table {
            let key_text = key.get_ref().as_ref();
            if key_text == "id" {
                guard.id = self.text("id", value)?;
            } else if let Some((name, kind)) = GUARD_KEYS.iter().find(|(k, _)| *k == key_text) {
                guard.patterns.push((*kind, self.texts(name, value)));
            } else {
                let mut known = vec!["id"];
                known.extend(GUARD_KEYS.iter().map(|(k, _)| *k));
                self.unknown(key.span().start, key_text, &known);
            }
        }
        if guard.id.is_empty() || guard.patterns.is_empty() {
            self.complain(
                at,
                "en spärr behöver `id` och minst en lista med mönster".into(),
                "Lägg till det som saknas",
            );
            return None;
        }
        Some(guard)
    }

    fn lexemes(&mut self, value: &Spanned<DeValue<'_>>, paradigm: &str) -> Vec<Member> {
        let at = value.span().start;
        self.texts("lexemes", value)
            .into_iter()
            .filter_map(|(text, line)| match lexeme::read(&text, paradigm, line) {
                Ok(member) => Some(member),
                Err(what) => {
                    let start = self
                        .source
                        .split_inclusive('\n')
                        .take(line - 1)
                        .map(str::len)
                        .sum::<usize>()
                        .max(at.min(1));
                    self.complain(start, what, "Se lexicons/README.md för hur ett ord skrivs");
                    None
                }
            })
            .collect()
    }
}

/// Edits between two short words.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
