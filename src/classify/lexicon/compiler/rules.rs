//! Rules, guards and their patterns, with names resolved to classes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::classify::lexicon::Example;
use crate::classify::lexicon::compiler::{Compiler, members_by_class};
use crate::classify::lexicon::file::{GuardKey, Member, RawFile, RawRule};
use crate::classify::rules::guard::{Guard, Shape};
use crate::classify::rules::pattern::{Pattern, Resolve};
use crate::classify::rules::{Rule, TextPattern};
use crate::classify::words::ClassId;
use crate::classify::words::builder::Readings;

/// The names that patterns may use, with single words becoming classes of their own.
struct Names<'c>(&'c mut Compiler);

impl Resolve for Names<'_> {
    fn class(&mut self, name: &str) -> Option<ClassId> {
        self.0.by_name.get(name).copied()
    }

    fn word(&mut self, word: &str) -> ClassId {
        let text = self.0.builder.text(word);
        if let Some(class) = self.0.by_word.get(&text) {
            return *class;
        }
        let class = self.0.unnamed_class(format!("={word}"), false, false);
        self.0.by_word.insert(text, class);
        self.0.builder.add_text(text, class, Readings::Stripped);
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
    pub(super) fn rules(&mut self, files: &[(&str, RawFile)]) {
        let members = members_by_class(files);
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
                if let Some(mut rule) = self.rule(name, raw, &members) {
                    if raw.off {
                        rule.patterns.clear();
                    }
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
                    if !raw.off {
                        self.examples.extend(raw.examples.iter().map(example(true)));
                        self.examples.extend(raw.counterexamples.iter().map(example(false)));
                    }
                    self.rules.push(rule);
                    self.rule_at.insert(((*name).to_owned(), raw.line), index);
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
            self.members(file, &raw.members, class, members, true);
            let name = format!("@ord:{}", raw.id);
            patterns.push(Pattern::parse(&name, &mut Names(self)).ok()?);
        }
        patterns.extend(self.patterns(file, &raw.patterns, false));
        if patterns.is_empty() {
            return None;
        }
        let before = self.complaints.len();
        let rule = Rule {
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
            certain: raw.certain,
            mark: raw.mark,
        };
        // Without what narrows it, a rule would find just what its author took care to leave.
        (self.complaints.len() == before).then_some(rule)
    }

    /// Makes the guards: the shaped ones first, then those that authors add; one of a known name
    /// adds to it.
    pub(super) fn guards(&mut self, files: &[(&str, RawFile)]) {
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
                let before = self.complaints.len();
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
                if self.complaints.len() > before {
                    self.broken_guards.insert(raw.id.clone());
                }
            }
        }
    }

    fn guard_ids(&mut self, file: &str, names: &[(String, usize)]) -> Vec<u16> {
        let mut ids = Vec::new();
        for (name, line) in names {
            match self.guards.iter().position(|g| *g.id == **name) {
                Some(_) if self.broken_guards.contains(name) => self.complain(
                    file,
                    *line,
                    format!("spärren `{name}` kan inte läsas helt, så regeln används inte"),
                    "Rätta spärren först",
                ),
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

    /// Whether a rule leaves its hits to the other, straight or by way of others.
    fn yields(&self, rule: u32, to: u32) -> bool {
        let mut seen = BTreeSet::from([rule]);
        let mut next = vec![rule];
        while let Some(rule) = next.pop() {
            if rule == to {
                return true;
            }
            next.extend(
                self.rules[rule as usize].yields_to.iter().copied().filter(|r| seen.insert(*r)),
            );
        }
        false
    }

    /// Resolves `yields_to`, once all rules are known.
    pub(super) fn resolve_yields(&mut self, files: &[(&str, RawFile)]) {
        let by_id: BTreeMap<Arc<str>, u32> =
            self.rules.iter().enumerate().map(|(i, r)| (Arc::clone(&r.id), i as u32)).collect();
        for (name, file) in files {
            for raw in &file.rules {
                // Not by name: a second rule of that name was left out.
                let own = self.rule_at.get(&((*name).to_owned(), raw.line)).copied();
                for (other, line) in &raw.yields_to {
                    match (own, by_id.get(other.as_str())) {
                        (Some(own), Some(other)) if self.yields(*other, own) => self.complain(
                            name,
                            *line,
                            format!(
                                "`{}` lämnar till `{}` i en ring",
                                raw.id, self.rules[*other as usize].id
                            ),
                            "Bryt ringen: annars tystar reglerna varandra",
                        ),
                        (Some(own), Some(other)) => {
                            self.rules[own as usize].yields_to.push(*other);
                        }
                        (own, None) => {
                            self.complain(
                                name,
                                *line,
                                format!("okänd regel `{other}`"),
                                "Rätta namnet; tills dess används inte regeln som lämnar till den",
                            );
                            // It would find just what it should leave.
                            if let Some(own) = own {
                                self.rules[own as usize].patterns.clear();
                            }
                        }
                        (None, Some(_)) => {}
                    }
                }
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
                Ok(patterns) if out.len() + patterns.len() > MOST_PATTERNS => {
                    let what = format!("fler än {MOST_PATTERNS} mönster i en lista");
                    self.complain(file, *line, what, "Dela upp listan på flera regler");
                    break;
                }
                Ok(patterns) => out.extend(patterns),
                Err(what) => {
                    let unknown = what.split('`').nth(1).and_then(|name| name.strip_prefix('@'));
                    let mend = match unknown {
                        Some(name) => self.nearest(name),
                        None if condition => {
                            "Rätta villkoret; tills dess används inte det som bär det".to_owned()
                        }
                        None => "Rätta mönstret; resten av regeln används".to_owned(),
                    };
                    self.complain(file, *line, format!("mönstret `{text}`: {what}"), &mend);
                }
            }
        }
        out
    }
}

/// How long a pattern may be.
const MOST_ELEMENTS: usize = 64;
/// How many patterns one list may come to.
const MOST_PATTERNS: usize = 10_000;

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
    if variants.iter().any(|v| v.split_whitespace().count() > MOST_ELEMENTS) {
        return Err(format!("fler än {MOST_ELEMENTS} led i ett mönster"));
    }
    Ok(variants)
}
