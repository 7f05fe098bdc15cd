//! Which layer may name which: the architecture as a test.
//!
//! The table below is the whole of it. Every file under `src/` is read, its `crate::` paths are
//! taken out (grouped imports and inline paths alike), and each is held against the table. Ways
//! round it are refused too: `super` out of a layer, `super::super`, re-exports, aliases of the
//! crate, files taken in by `#[path]` or `include!`, and folders that the table does not know.

use std::fs;
use std::path::{Path, PathBuf};

/// A layer and what it may name beside itself: a layer as a whole, or one path inside it.
/// In the order in which they may know each other.
const TABLE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("telemetry", &["domain"]),
    // Beside the domain the names of metrics, which are kept in one place.
    ("runtime", &["domain", "telemetry"]),
    ("classify", &["domain"]),
    ("formats", &["domain"]),
    ("store", &["domain", "runtime", "telemetry"]),
    ("evidence", &["domain", "formats", "store", "runtime", "telemetry"]),
    // Of evidence only the proof that a removing call consumes.
    ("platforms", &["domain", "evidence::warrant", "runtime", "telemetry"]),
    (
        "services",
        &[
            "domain",
            "classify",
            "formats",
            "store",
            "evidence",
            "platforms",
            "runtime",
            "telemetry",
        ],
    ),
    // Not the store: permission, masking and audit sit in services, and no page reads past them.
    ("web", &["domain", "services", "runtime", "telemetry"]),
    ("config", &["domain", "runtime", "telemetry"]),
    (
        "app",
        &[
            "domain",
            "classify",
            "formats",
            "store",
            "evidence",
            "platforms",
            "services",
            "web",
            "config",
            "runtime",
            "telemetry",
        ],
    ),
    ("cli", &["app", "config", "domain", "classify", "services", "runtime", "telemetry"]),
];

/// What `main.rs` may name of the library.
const MAIN_MAY_NAME: &[&str] = &["cli", "app"];

#[test]
fn every_file_names_only_what_its_layer_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    assert!(files.len() > 20, "the tree was read");
    let mut offences = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).expect("source files are UTF-8 and can be read");
        // A reader that loses its way in a string sees braces that do not match.
        let count = |brace: &str| tokens(&source).iter().filter(|t| *t == brace).count();
        assert_eq!(count("{"), count("}"), "{}: not read to its end", file.display());
        let inside = file.strip_prefix(&src).expect("found under src");
        offences.extend(offences_of(&inside.to_string_lossy(), &source));
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn the_table_has_an_order_and_no_circles() {
    for (at, (layer, may)) in TABLE.iter().enumerate() {
        for named in *may {
            let head = named.split("::").next().unwrap_or(named);
            let position = TABLE.iter().position(|(other, _)| *other == head);
            assert!(
                position.is_some_and(|p| p < at),
                "{layer} may name {named}, which comes later"
            );
        }
    }
}

#[test]
fn planted_offenders_are_found() {
    let offenders = [
        ("domain/case.rs", "use crate::store::Store;", "crate::store::Store"),
        ("domain/case.rs", "fn f() { crate::web::render() }", "crate::web::render"),
        (
            "domain/case.rs",
            "use crate::{domain::ids, services::{audit, cases::queue}};",
            "crate::services::audit",
        ),
        (
            "domain/case.rs",
            "use crate::{\n    // why\n    domain::ids,\n    web as page,\n};",
            "crate::web",
        ),
        ("domain/case.rs", "use crate::*;", "crate::*"),
        ("domain/case.rs", "use crate as all;", "alias"),
        ("domain/case.rs", "macro_rules! m { () => { $crate::web::x() } }", "crate::web::x"),
        ("domain/case.rs", "fn f(x: impl Fn(crate::cli::Args)) {}", "crate::cli::Args"),
        ("domain/case.rs", "use super::super::web;", "super::super"),
        ("domain/case.rs", "use super::{super::web, ids};", "super::super"),
        ("domain/mod.rs", "use super::web;", "leads out of the layer"),
        ("domain/mod.rs", "use self::super::web;", "leads out of the layer"),
        (
            "domain/mod.rs",
            "mod a { fn f() {} }\nfn g() { super::web::x() }",
            "leads out of the layer",
        ),
        ("app.rs", "use super::cli;", "leads out of the layer"),
        ("domain/case.rs", "pub use crate::domain::ids::CaseId;", "re-export"),
        ("domain/case.rs", "pub(crate) use std::fmt;", "re-export"),
        ("lib.rs", "pub mod domain;\npub use domain::ids;", "re-export"),
        ("lib.rs", "pub mod helpers;", "`helpers` is not in the table"),
        ("lib.rs", "extern crate self as uppsikt;", "alias"),
        ("domain/case.rs", "#[path = \"../web/mod.rs\"]\nmod w;", "`#[path]`"),
        ("domain/case.rs", "include!(\"../web/mod.rs\");", "`include!`"),
        ("helpers/mod.rs", "", "not in the table"),
        ("util.rs", "", "not in the table"),
        ("platforms/meta.rs", "use crate::evidence::seal;", "crate::evidence::seal"),
        ("platforms/meta.rs", "use crate::evidence;", "crate::evidence"),
        (
            "platforms/meta.rs",
            "use crate::evidence::{warrant::RemovalWarrant, blob};",
            "crate::evidence::blob",
        ),
        ("web/pages/queue.rs", "use crate::store::cases;", "crate::store::cases"),
        (
            "store/mod.rs",
            "#[cfg(test)] mod tests { use crate::platforms::Platform; }",
            "crate::platforms::Platform",
        ),
        ("telemetry/mod.rs", "use crate::runtime::clock::Clock;", "crate::runtime::clock::Clock"),
        ("main.rs", "fn main() { uppsikt::store::open() }", "uppsikt::store::open"),
        // A string or comment that looks like an end must not hide what follows.
        ("domain/case.rs", "const A: &str = \"/*\"; use crate::web::x;", "crate::web::x"),
        ("domain/case.rs", "const A: &str = r#\"\"\"#; use crate::web::x;", "crate::web::x"),
        (
            "domain/case.rs",
            "const A: char = '\"'; use crate::web::x; const B: char = '\"';",
            "crate::web::x",
        ),
        ("domain/case.rs", "fn f<'a>(x: &'a str) { crate::web::x() }", "crate::web::x"),
        ("domain/case.rs", "/* /* */ */ use crate::web::x;", "crate::web::x"),
        ("domain/case.rs", "const A: u8 = b'\\''; use crate::web::x;", "crate::web::x"),
    ];
    for (file, source, expected) in offenders {
        let found = offences_of(file, source);
        assert!(
            found.iter().any(|o| o.contains(expected) && o.starts_with(file)),
            "{file}: {source}\nfound: {found:?}"
        );
    }
}

#[test]
fn what_is_allowed_is_left_alone() {
    let innocents = [
        ("domain/case.rs", "use super::ids::CaseId; use crate::domain::ground::Ground;"),
        (
            "domain/mod.rs",
            "pub mod ids;\n#[cfg(test)]\nmod tests { use super::ids; use super::*; }",
        ),
        ("domain/case.rs", "//! See crate::web::pages.\n/// [`crate::web`]\nfn f() {}"),
        ("domain/case.rs", "const A: &str = \"crate::web::x and super::super\";"),
        ("domain/case.rs", "const A: &str = r##\"use crate::web::x; \"# \"##;"),
        ("domain/case.rs", "/* use crate::web::x; /* nested */ use crate::web; */"),
        (
            "domain/case.rs",
            "pub(crate) fn f() {} pub(super) struct S; pub(in crate::domain) fn g() {}",
        ),
        ("platforms/meta.rs", "use crate::evidence::warrant::RemovalWarrant;"),
        (
            "platforms/meta.rs",
            "use crate::{domain::item, evidence::warrant::{ItemAddress, RemovalWarrant}};",
        ),
        ("services/mod.rs", "use crate::store::Store; use crate::platforms::Platform;"),
        ("main.rs", "fn main() { uppsikt::cli::run() }"),
        ("lib.rs", "//! [`domain`] → [`web`]\npub mod domain;\nmod app;\npub mod web;"),
        ("app.rs", "use crate::web; mod tests { use super::*; }"),
        ("domain/case.rs", "struct Crate; fn krate(superb: u8) { let _ = 'c'; }"),
    ];
    for (file, source) in innocents {
        assert_eq!(offences_of(file, source), Vec::<String>::new(), "{file}: {source}");
    }
}

/// Inside the crate privacy follows modules, so a compile test from outside proves only half: the
/// other half is that the file opens no other door.
#[test]
fn the_warrant_can_be_made_in_the_evidence_layer_alone() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/evidence/warrant.rs");
    let source = fs::read_to_string(path).expect("the warrant's file");
    let text = tokens(&source).join(" ");
    let count = |what: &str| text.matches(what).count();
    assert_eq!(
        count("pub struct RemovalWarrant { item : ItemAddress , basis : WarrantBasis , }"),
        1
    );
    assert_eq!(
        count("# [ derive ( Debug ) ] pub struct RemovalWarrant"),
        1,
        "no Clone, no Deserialize"
    );
    assert_eq!(count("pub ( in crate :: evidence ) fn new"), 1);
    assert_eq!(count("pub ( crate )"), 1);
    assert_eq!(count("# [ cfg ( test ) ] pub ( crate ) fn for_test"), 1);
    // The type is written as a result in the two constructors only: they stand in its one `impl`,
    // and what follows that is no way to a warrant.
    let own = text.split("impl RemovalWarrant").nth(1).unwrap_or_default();
    let own = own.split("impl From < & FetchedItem > for ItemAddress").next().unwrap_or_default();
    assert_eq!(own.matches("- > Self").count(), 2);
    assert_eq!(count("- > RemovalWarrant"), 0);
    assert_eq!(count("impl RemovalWarrant"), 1);
    assert_eq!(count("for RemovalWarrant"), 0, "no trait that makes one");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a folder of the source tree")
        .map(|entry| entry.expect("an entry of the source tree").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Everything in a file that goes against the table. `file` is its path under `src/`.
fn offences_of(file: &str, source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let mut offences = Vec::new();
    let mut offend = |what: String| offences.push(format!("{file}: {what}"));

    let first = file.split('/').next().unwrap_or(file);
    let layer = first.strip_suffix(".rs").unwrap_or(first);
    let root_of_layer = file == format!("{layer}.rs") || file == format!("{layer}/mod.rs");
    let may: &[&str] = match layer {
        "lib" => &[],
        "main" => MAIN_MAY_NAME,
        _ => match TABLE.iter().find(|(name, _)| *name == layer) {
            Some((_, may)) => may,
            None => {
                offend(format!("`{layer}` is not in the table of layers"));
                return offences;
            }
        },
    };
    let allowed = |path: &[String]| {
        let path = path.join("::");
        path == layer
            || path.starts_with(&format!("{layer}::"))
            || may.iter().any(|m| path == *m || path.starts_with(&format!("{m}::")))
    };

    // Depth of braces, and at which depths an inline module was opened.
    let mut depth = 0usize;
    let mut modules: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let word = tokens[at].as_str();
        let next = |n: usize| tokens.get(at + n).map_or("", String::as_str);
        match word {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                modules.retain(|opened| *opened < depth + 1);
            }
            "mod" if next(2) == "{" => modules.push(depth + 1),
            "mod" if layer == "lib" && next(2) == ";" => {
                let name = next(1);
                if !TABLE.iter().any(|(known, _)| *known == name) {
                    offend(format!("`{name}` is not in the table of layers"));
                }
            }
            "pub" => {
                let mut after = at + 1;
                if tokens.get(after).is_some_and(|t| t == "(") {
                    while tokens.get(after).is_some_and(|t| t != ")") {
                        after += 1;
                    }
                    after += 1;
                }
                if tokens.get(after).is_some_and(|t| t == "use") {
                    offend("a re-export (`pub use`) gives one thing two names".into());
                }
            }
            "extern" if next(1) == "crate" => offend("an alias of the crate".into()),
            "crate" if next(1) == "as" => offend("an alias of the crate".into()),
            // A unit test may share a helper with the integration tests; the program may not be
            // put together from files that the tree does not show.
            "#" if next(1) == "[" && next(2) == "path" && !file.contains("/tests/") => {
                offend("a file taken in by `#[path]`".into())
            }
            "include" if next(1) == "!" => offend("a file taken in by `include!`".into()),
            "crate" | "uppsikt" if next(1) == "::" && (word == "crate" || layer == "main") => {
                let mut paths = Vec::new();
                paths_of(&tokens, at + 2, &mut Vec::new(), &mut paths);
                for path in paths.iter().filter(|path| !allowed(path)) {
                    offend(format!("layer `{layer}` may not name `{word}::{}`", path.join("::")));
                }
            }
            "super" => {
                let mut paths = Vec::new();
                paths_of(&tokens, at, &mut Vec::new(), &mut paths);
                if paths.iter().any(|p| p.iter().filter(|part| *part == "super").count() > 1) {
                    offend("`super::super`: write the path from `crate::`".into());
                }
                let in_visibility = at > 0 && tokens[at - 1] == "(" && next(1) == ")";
                if root_of_layer && modules.is_empty() && !in_visibility {
                    offend("`super` leads out of the layer".into());
                }
            }
            _ => {}
        }
        at += 1;
    }
    offences
}

/// The paths that a use tree or an inline path names, from `at` on: groups are multiplied out.
/// Gives the place after it.
fn paths_of(
    tokens: &[String],
    mut at: usize,
    before: &mut Vec<String>,
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let depth = before.len();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while let Some(token) = tokens.get(at) {
                    match token.as_str() {
                        "}" => {
                            at += 1;
                            break;
                        }
                        "," => at += 1,
                        _ => {
                            let after = paths_of(tokens, at, before, paths);
                            // An alias, or whatever else is no part of a path.
                            at = skip_to_comma(tokens, after.max(at));
                        }
                    }
                }
                break;
            }
            Some(part) if is_word(part) || part == "*" => {
                before.push(part.to_owned());
                at += 1;
                if tokens.get(at).is_some_and(|t| t == "::") {
                    at += 1;
                } else {
                    paths.push(before.clone());
                    break;
                }
            }
            // `::<` of a call with types, or an end.
            _ => {
                paths.push(before.clone());
                break;
            }
        }
    }
    before.truncate(depth);
    at
}

fn skip_to_comma(tokens: &[String], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|t| t != "," && t != "}") {
        at += 1;
    }
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words and signs of a Rust source, without comments, strings and characters.
fn tokens(source: &str) -> Vec<String> {
    let text: Vec<char> = source.chars().collect();
    let at_is = |at: usize, c: char| text.get(at) == Some(&c);
    let mut tokens: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        if c == '/' && at_is(at + 1, '/') {
            while at < text.len() && !at_is(at, '\n') {
                at += 1;
            }
        } else if c == '/' && at_is(at + 1, '*') {
            let mut nested = 0usize;
            loop {
                if at >= text.len() {
                    break;
                } else if at_is(at, '/') && at_is(at + 1, '*') {
                    nested += 1;
                    at += 2;
                } else if at_is(at, '*') && at_is(at + 1, '/') {
                    nested -= 1;
                    at += 2;
                    if nested == 0 {
                        break;
                    }
                } else {
                    at += 1;
                }
            }
        } else if c == '"' {
            at = after_string(&text, at);
        } else if c == '\'' {
            // A character ends with a quote after one character or an escape; else a lifetime.
            if at_is(at + 1, '\\') {
                at += 3;
                while at < text.len() && !at_is(at, '\'') {
                    at += 1;
                }
                at += 1;
            } else if at_is(at + 2, '\'') {
                at += 3;
            } else {
                at += 1;
                while text.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    at += 1;
                }
            }
        } else if c.is_alphanumeric() || c == '_' {
            let start = at;
            while text.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                at += 1;
            }
            let word: String = text[start..at].iter().collect();
            let raw = matches!(word.as_str(), "r" | "br" | "cr");
            if raw && (at_is(at, '"') || at_is(at, '#')) {
                at = after_raw_string(&text, at);
            } else if matches!(word.as_str(), "b" | "c") && at_is(at, '"') {
                at = after_string(&text, at);
            } else {
                tokens.push(word);
            }
        } else if c == ':' && at_is(at + 1, ':') {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            at += 1;
        }
    }
    tokens
}

fn after_string(text: &[char], mut at: usize) -> usize {
    at += 1;
    while let Some(&c) = text.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn after_raw_string(text: &[char], mut at: usize) -> usize {
    let start = at;
    while text.get(at) == Some(&'#') {
        at += 1;
    }
    let hashes = at - start;
    if text.get(at) != Some(&'"') {
        // `r#type` is a word, not a string.
        return at;
    }
    at += 1;
    while at < text.len() {
        let closes = text[at] == '"'
            && text.get(at + 1..at + 1 + hashes).is_some_and(|t| t.iter().all(|c| *c == '#'));
        if closes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    at
}
