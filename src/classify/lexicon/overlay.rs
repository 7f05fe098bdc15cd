//! Changes laid over the files that they are about, before anything is compiled.
//!
//! A rule that is changed or replaced moves to the file that says so, with all of it at the line that says so: what
//! does not hold is then told where it can be mended. What is put into a class stands in a class of its own that
//! the other one brings in, for the same reason.

use std::collections::BTreeSet;
use std::mem::take;

use crate::classify::lexicon::Source;
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::file::change::{RawChange, RawList};
use crate::classify::lexicon::file::{self, Member, RawClass, RawFile, RawRule};

/// The name of the source that holds an authority's own rules.
pub const OWN: &str = "sv/egna.toml";

/// These sources with an authority's own rules beside them.
pub fn with_own(mut sources: Vec<Source>, text: &str) -> Vec<Source> {
    if !text.trim().is_empty() {
        sources.push(Source { name: OWN.to_owned(), text: text.to_owned() });
    }
    sources
}

/// Reads all files of a language, with what they change about each other.
pub(super) fn read_all<'s>(
    sources: &'s [Source],
    complaints: &mut Vec<Complaint>,
) -> Vec<(&'s str, RawFile)> {
    let mut files: Vec<(&str, RawFile)> = sources
        .iter()
        .filter(|source| source.is_of_a_language())
        .map(|source| (source.name.as_str(), file::read(&source.name, &source.text, complaints)))
        .collect();
    for own in 0..files.len() {
        let mut over = Over { own, files: &mut files, complaints };
        // The built-in files are ours, and may share what they rest on.
        let held = match over.files[own].0 == OWN {
            true => Held::by(over.files, own),
            false => Held::default(),
        };
        over.replace();
        over.change();
        over.list(&held);
        over.guard(&held);
    }
    files
}

/// What the rules that keep what may not be had from being copied rest on.
#[derive(Default)]
struct Held {
    classes: BTreeSet<String>,
    guards: BTreeSet<String>,
}

impl Held {
    fn by(files: &[(&str, RawFile)], own: usize) -> Self {
        let mut held = Self::default();
        let others = || files.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, f)| &f.1);
        let marked = others().flat_map(|file| &file.rules).filter(|rule| rule.mark.is_some());
        for rule in marked {
            let lists = [
                &rule.patterns,
                &rule.except,
                &rule.unless,
                &rule.requires,
                &rule.unless_text,
                &rule.requires_text,
            ];
            held.name(lists.into_iter().flatten().map(|(text, _)| text.as_str()));
            held.members(&rule.members);
            held.guards.extend(rule.guards.iter().map(|(name, _)| name.clone()));
        }
        for guard in others().flat_map(|file| &file.guards) {
            if held.guards.contains(&guard.id) {
                let lines = guard.patterns.iter().flat_map(|(_, lines)| lines);
                held.name(lines.map(|(text, _)| text.as_str()));
            }
        }
        // Classes of classes, until there are no more.
        loop {
            let before = held.classes.len();
            for class in others().flat_map(|file| &file.classes) {
                if held.classes.contains(&class.name) {
                    held.members(&class.members);
                    held.members(&class.without);
                }
            }
            if held.classes.len() == before {
                return held;
            }
        }
    }

    /// Classes that patterns name: `@klass`.
    fn name<'t>(&mut self, patterns: impl Iterator<Item = &'t str>) {
        for named in patterns.flat_map(|text| text.split('@').skip(1)) {
            let end = named.find(|c: char| !c.is_alphanumeric() && c != '_');
            self.classes.insert(named[..end.unwrap_or(named.len())].to_owned());
        }
    }

    fn members(&mut self, members: &[Member]) {
        self.classes.extend(members.iter().filter_map(|member| match member {
            Member::Class(name, _) => Some(name.clone()),
            Member::Lexeme(_) => None,
        }));
    }
}

struct Over<'a, 's> {
    own: usize,
    files: &'a mut Vec<(&'s str, RawFile)>,
    complaints: &'a mut Vec<Complaint>,
}

impl Over<'_, '_> {
    fn complain(&mut self, line: usize, what: String, mend: impl Into<String>) {
        let file = self.files[self.own].0.to_owned();
        self.complaints.push(Complaint { file, line, what, mend: mend.into() });
    }

    fn nearest(&self, name: &str) -> String {
        let rules = self.files.iter().flat_map(|(_, file)| &file.rules);
        let near = rules.map(|rule| (file::distance(&rule.id, name), &rule.id)).min();
        match near {
            Some((_, known)) => format!("Menades `{known}`"),
            None => "Rätta namnet".to_owned(),
        }
    }

    /// Takes a rule out of the other file that it stands in.
    fn take(&mut self, id: &str) -> Option<RawRule> {
        let own = self.own;
        let others = self.files.iter_mut().enumerate().filter(|(at, _)| *at != own);
        for (_, (_, file)) in others {
            if let Some(at) = file.rules.iter().position(|rule| rule.id == id) {
                return Some(file.rules.remove(at));
            }
        }
        None
    }

    /// Whether the rule keeps what may not be had from being copied: that is no authority's to turn off.
    fn is_held(&mut self, rule: &RawRule, line: usize) -> bool {
        if rule.mark.is_some() {
            self.complain(
                line,
                format!("regeln `{}` hindrar att sådant som inte får innehas kopieras", rule.id),
                "Den kan inte ändras; skriv en egen regel bredvid",
            );
        }
        rule.mark.is_some()
    }

    fn replace(&mut self) {
        let replacing = |rule: &RawRule| rule.replaces.then(|| (rule.id.clone(), rule.line));
        let all: Vec<_> = self.files[self.own].1.rules.iter().filter_map(replacing).collect();
        for (id, line) in all {
            let Some(old) = self.take(&id) else {
                let mend = format!("{}, eller ta bort `replaces`", self.nearest(&id));
                self.complain(line, format!("ingen regel heter `{id}` att ersätta"), mend);
                continue;
            };
            if self.is_held(&old, line) {
                self.files[self.own].1.rules.retain(|rule| rule.id != id);
                self.files[self.own].1.rules.push(old);
            }
        }
    }

    fn change(&mut self) {
        for change in take(&mut self.files[self.own].1.changes) {
            let Some(mut rule) = self.take(&change.rule) else {
                let mend = self.nearest(&change.rule);
                self.complain(change.line, format!("okänd regel `{}`", change.rule), mend);
                continue;
            };
            if !self.is_held(&rule, change.line) {
                let is_list = !rule.members.is_empty();
                if !change.members.is_empty() && !is_list {
                    self.complain(
                        change.line,
                        format!("regeln `{}` har mönster, inte ord", rule.id),
                        "Skriv `patterns`, eller lägg orden i en ordklass med `[[list]]`",
                    );
                }
                changed(&mut rule, change, is_list);
            }
            self.files[self.own].1.rules.push(rule);
        }
    }

    /// Own patterns of a guard that such a rule rests on could hollow it out unseen.
    fn guard(&mut self, held: &Held) {
        let own = self.own;
        let is_held = |guard: &file::RawGuard| held.guards.contains(&guard.id);
        let guards = take(&mut self.files[own].1.guards);
        let (refused, kept): (Vec<_>, Vec<_>) = guards.into_iter().partition(is_held);
        self.files[own].1.guards = kept;
        for guard in refused {
            self.complain(
                guard.line,
                format!(
                    "`{}` hör till en regel som hindrar att sådant som inte får innehas kopieras",
                    guard.id
                ),
                "Den kan inte ändras; skriv en egen med ett annat namn",
            );
        }
    }

    fn list(&mut self, held: &Held) {
        let mut fresh = Vec::new();
        for (n, list) in take(&mut self.files[self.own].1.lists).into_iter().enumerate() {
            let RawList { name, members, without, line } = list;
            if held.classes.contains(&name) {
                self.complain(
                    line,
                    format!("ordklassen `{name}` hör till en regel som hindrar att sådant som inte får innehas kopieras"),
                    "Den kan inte ändras; skriv en egen klass med ett annat namn",
                );
                continue;
            }
            let mut classes = self.files.iter_mut().flat_map(|(_, file)| &mut file.classes);
            let Some(class) = classes.find(|class| class.name == name) else {
                let all = self.files.iter().flat_map(|(_, file)| &file.classes);
                let near = all.map(|c| (file::distance(&c.name, &name), &c.name)).min();
                let mend = match near {
                    Some((_, known)) => format!("Menades `{known}`"),
                    None => "Rätta namnet".to_owned(),
                };
                self.complain(line, format!("okänd ordklass `{name}`"), mend);
                continue;
            };
            let mut beside = |sign: char, members: Vec<Member>, into: &mut Vec<Member>| {
                if members.is_empty() {
                    return;
                }
                // No author can write a name with a blank.
                let own = format!("{name} {sign}{n}");
                into.push(Member::Class(own.clone(), line));
                fresh.push(RawClass {
                    name: own,
                    members,
                    without: Vec::new(),
                    disguise: class.disguise,
                    common: class.common,
                    line,
                });
            };
            beside('+', members, &mut class.members);
            beside('-', without, &mut class.without);
        }
        self.files[self.own].1.classes.extend(fresh);
    }
}

fn changed(rule: &mut RawRule, change: RawChange, is_list: bool) {
    let RawChange { rule: _, off, shadow, severity, why, members, line, .. } = change;
    let lists = [
        &mut rule.patterns,
        &mut rule.except,
        &mut rule.unless,
        &mut rule.requires,
        &mut rule.unless_text,
        &mut rule.requires_text,
        &mut rule.guards,
        &mut rule.yields_to,
        &mut rule.examples,
        &mut rule.counterexamples,
    ];
    lists.into_iter().flatten().for_each(|(_, at)| *at = line);
    rule.line = line;
    rule.off |= off;
    rule.shadow |= shadow;
    rule.severity = severity.unwrap_or(rule.severity);
    rule.why = why.unwrap_or_else(|| take(&mut rule.why));
    if is_list {
        rule.members.extend(members);
    }
    rule.patterns.extend(change.patterns);
    rule.except.extend(change.except);
    rule.unless.extend(change.unless);
    rule.unless_text.extend(change.unless_text);
    rule.guards.extend(change.guards);
    // What is to be left from now on was an example of the rule as it was.
    let left: Vec<_> = change.counterexamples.iter().map(|(text, _)| text.clone()).collect();
    rule.examples.retain(|(text, _)| !left.contains(text));
    rule.examples.extend(change.examples);
    rule.counterexamples.extend(change.counterexamples);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::classify::lexicon::lint::OF_ENGINE;
    use crate::classify::lexicon::{Lexicon, trial};
    use crate::classify::{Classifier, Context};

    /// A small lexicon that changes are laid over.
    const BASE: &str = r#"
category = "insult"
legal = "Prov"

[[class]]
name = "djur"
lexemes = ["svin n5", "gris n2"]

[[rule]]
id = "prov.djur"
severity = "medium"
why = "Prov."
patterns = ["du *2 ^@djur"]
examples = ["Du är ett svin", "Du är en gris", "Du gris"]
counterexamples = ["Du är snäll", "Ett svin", "En gris"]

[[words]]
id = "prov.ord"
severity = "low"
why = "Prov."
lexemes = ["usling n2"]
examples = ["En usling", "Uslingar", "Uslingen"]
counterexamples = ["En vän", "Ett hus", "En dag"]

[[rule]]
id = "prov.barn"
severity = "high"
why = "Prov."
patterns = ["^spärrad text"]
mark = "child"
examples = ["spärrad text", "en spärrad text", "spärrad text här"]
counterexamples = ["En text", "Ett hus", "En dag"]
"#;

    /// It with the classes that the engine asks for.
    pub(crate) fn base() -> Vec<Source> {
        let class = |(n, name): (usize, &&str)| {
            format!(
                "[[class]]\nname = \"{name}\"\nlexemes = [\"qxz{}\"]\n",
                ["a", "b", "c", "d"][n % 4].repeat(n / 4 + 1)
            )
        };
        let engine = OF_ENGINE.iter().enumerate().map(class).collect();
        vec![
            Source { name: "sv/common.toml".into(), text: engine },
            Source { name: "sv/prov.toml".into(), text: BASE.into() },
        ]
    }

    fn over(own: &str) -> Classifier {
        Classifier::new(Lexicon::compile(&with_own(base(), own)))
    }

    fn found(classifier: &Classifier, text: &str) -> Vec<String> {
        let verdict = classifier.classify(text, &Context::default());
        let of = |f: &crate::domain::verdict::Finding| format!("{} {}", f.rule, f.severity.id());
        verdict.findings.iter().map(of).collect()
    }

    #[test]
    fn rules_and_lists_of_other_files_are_changed_and_the_rest_stays() {
        let table = [
            ("", "Du är ett svin", "prov.djur medium"),
            ("[[change]]\nrule = \"prov.djur\"\noff = true", "Du är ett svin", ""),
            ("[[change]]\nrule = \"prov.djur\"\nshadow = true", "Du är ett svin", ""),
            (
                "[[change]]\nrule = \"prov.djur\"\nseverity = \"low\"",
                "Du är ett svin",
                "prov.djur low",
            ),
            (
                "[[change]]\nrule = \"prov.djur\"\nunless = [\"sagan\"]",
                "Du är ett svin i sagan",
                "",
            ),
            (
                "[[change]]\nrule = \"prov.djur\"\npatterns = [\"^@djur där\"]",
                "Gris där",
                "prov.djur medium",
            ),
            (
                "[[list]]\nname = \"djur\"\nlexemes = [\"åsna n1\"]",
                "Du är en åsna",
                "prov.djur medium",
            ),
            ("[[list]]\nname = \"djur\"\nnot = [\"gris n2\"]", "Du är en gris", ""),
            (
                "[[list]]\nname = \"djur\"\nnot = [\"gris n2\"]",
                "Du är ett svin",
                "prov.djur medium",
            ),
            (
                "[[change]]\nrule = \"prov.ord\"\nlexemes = [\"skurk n2\"]",
                "En skurk",
                "prov.ord low",
            ),
            (
                "[[words]]\nid = \"egen.ord\"\ncategory = \"profanity\"\nseverity = \"low\"\nwhy = \"Eget.\"\nlexemes = [\"attans x\"]\nexamples = [\"attans\", \"attans då\", \"fy attans\"]\ncounterexamples = [\"a\", \"b\", \"c\"]",
                "Attans också",
                "egen.ord low",
            ),
            (
                "[[words]]\nid = \"prov.ord\"\nreplaces = true\ncategory = \"insult\"\nseverity = \"high\"\nwhy = \"Eget.\"\nlexemes = [\"kanalje n4\"]\nexamples = [\"kanalje\", \"en kanalje\", \"kanaljen\"]\ncounterexamples = [\"a\", \"b\", \"En usling\"]",
                "En usling och en kanalje",
                "prov.ord high",
            ),
        ];
        for (own, text, expected) in table {
            let classifier = over(own);
            assert_eq!(classifier.lexicon().complaints, [], "{own}");
            assert_eq!(found(&classifier, text).join(", "), expected, "{own}");
            // What is taken out of a list is missed by the rule's own example, and by nothing else.
            let (_, failed) = trial::run(&classifier);
            let left = if own.contains("not =") { "Du är en gris, Du gris" } else { "" };
            let missed: Vec<_> = failed.iter().map(|f| f.text.as_str()).collect();
            assert_eq!(missed.join(", "), left, "{own}");
        }
    }

    #[test]
    fn what_does_not_hold_is_told_at_the_line_that_says_it() {
        let table = [
            ("[[change]]\noff = true", 1, "säger inte vilken regel"),
            (
                "\n[[change]]\nrule = \"prov.dju\"\noff = true",
                2,
                "okänd regel `prov.dju`. Menades `prov.djur`",
            ),
            ("[[change]]\nrule = \"prov.djur\"\nunless = [\"@finns-inte\"]", 3, "finns-inte"),
            ("[[change]]\nrule = \"prov.djur\"\nofff = true", 3, "okänd nyckel `offf`"),
            ("[[change]]\nrule = \"prov.djur\"\nlexemes = [\"a\"]", 1, "har mönster, inte ord"),
            (
                "[[list]]\nname = \"dju\"\nlexemes = [\"åsna n1\"]",
                1,
                "okänd ordklass `dju`. Menades `djur`",
            ),
            ("[[list]]\nname = \"djur\"\nlexemes = [\"åsna n77\"]", 3, "n77"),
            ("[[list]]\nname = \"djur\"", 1, "behöver `name`"),
            ("[[words]]\nid = \"x\"\ncategory = \"finns-inte\"", 3, "okänd kategori"),
            // What keeps forbidden content from being copied is no authority's to turn off.
            ("[[change]]\nrule = \"prov.barn\"\noff = true", 1, "kan inte ändras"),
            ("rule = [[[[", 1, "TOML"),
        ];
        for (own, line, words) in table {
            let classifier = over(own);
            let told: Vec<_> =
                classifier.lexicon().complaints.iter().map(|c| c.to_string()).collect();
            let place = format!("{OWN}:{line}:");
            assert!(
                told.iter().any(|t| t.starts_with(&place) && t.contains(words)),
                "{own}: {told:#?}"
            );
        }
        // And the rule that nobody may turn off is still there.
        let kept = over("[[change]]\nrule = \"prov.barn\"\noff = true");
        assert_eq!(found(&kept, "En spärrad text"), ["prov.barn high"]);
    }

    #[test]
    fn what_the_rules_that_keep_from_copying_rest_on_is_not_changed_either() {
        let base = base();
        let held = base[1].text.replace(
            "patterns = [\"^spärrad text\"]",
            "patterns = [\"^spärrad @sort\"]\nguards = [\"prat\"]",
        );
        let more = "[[guard]]\nid = \"prat\"\nsentence = [\"@prata\"]\n\
             [[class]]\nname = \"sort\"\nlexemes = [\"text n3\"]\n\
             [[class]]\nname = \"prata\"\nlexemes = [\"prat n5\"]\n";
        let sources = || {
            let text = format!("{held}\n{more}");
            vec![base[0].clone(), Source { name: "sv/prov.toml".into(), text }]
        };
        let refused = |own: &str| {
            let lexicon = Lexicon::compile(&with_own(sources(), own));
            lexicon.complaints.iter().filter(|c| c.what.contains("innehas")).count()
        };
        assert_eq!(refused("[[guard]]\nid = \"prat\"\nsentence = [\"hej\"]\n"), 1);
        assert_eq!(refused("[[list]]\nname = \"sort\"\nlexemes = [\"hej x\"]\n"), 1);
        assert_eq!(refused("[[list]]\nname = \"djur\"\nlexemes = [\"hund n2\"]\n"), 0);
        assert_eq!(refused(""), 0, "what is built in may add to what is built in");
    }
}
