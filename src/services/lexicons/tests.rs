use super::*;
use crate::classify::Context;

fn sources(word: &str) -> Vec<Source> {
    let text = format!(
        "category = \"insult\"\nlegal = \"x\"\n[[words]]\nid = \"prov.ord\"\nseverity = \"medium\"\nwhy = \"Prov.\"\nlexemes = [\"{word} n2\"]\nexamples = [\"a\", \"a\", \"a\"]\ncounterexamples = [\"b\", \"b\", \"b\"]\n"
    );
    vec![Source { name: "sv/prov.toml".into(), text }]
}

fn finds(lexicon: Lexicon, text: &str) -> bool {
    !Classifier::new(lexicon).classify(text, &Context::default()).findings.is_empty()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn the_first_start_compiles_and_the_next_reads_until_sources_change() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("a/b/lexicon.compiled");
    for (word, from) in [
        ("glufs", From::Sources),
        ("glufs", From::Kept),
        ("knöl", From::Sources),
        ("knöl", From::Kept),
        ("glufs", From::Sources),
    ] {
        let (lexicon, was) = lexicon(&sources(word), &file);
        assert_eq!(was, from, "{word}");
        assert!(finds(lexicon, word), "{word}");
    }
    assert_eq!(names(&dir.path().join("a/b")), ["lexicon.compiled"]);
}

#[test]
fn what_is_no_whole_file_of_ours_is_compiled_over() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("lexicon.compiled");
    let (_, _) = lexicon(&sources("glufs"), &file);
    let whole = fs::read(&file).expect("written");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 4;
    for damaged in [&b""[..], b"ett brev", &whole[..whole.len() - 1], &whole[..71], &changed] {
        fs::write(&file, damaged).expect("room for a small file");
        let (found, from) = lexicon(&sources("glufs"), &file);
        assert_eq!(from, From::Sources);
        assert!(finds(found, "glufs"));
        assert_eq!(fs::read(&file).expect("written anew"), whole);
    }
}

#[test]
fn a_place_that_cannot_be_read_or_written_costs_nothing_but_time() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("file"), "").expect("room for an empty file");
    fs::create_dir(dir.path().join("folder")).expect("room for a folder");
    for place in ["file/lexicon.compiled", "folder"] {
        for _ in 0..2 {
            let (found, from) = lexicon(&sources("glufs"), &dir.path().join(place));
            assert_eq!(from, From::Sources, "{place}");
            assert!(finds(found, "glufs"), "{place}");
        }
    }
    let mut left = names(dir.path());
    left.sort();
    assert_eq!(left, ["file", "folder"]);
}

#[test]
fn many_at_once_all_get_the_lexicon_and_leave_one_file() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("lexicon.compiled");
    std::thread::scope(|scope| {
        for n in 0..8 {
            let file = &file;
            scope.spawn(move || {
                // Half of them with other sources, which take the file from each other.
                let word = if n % 2 == 0 { "glufs" } else { "knöl" };
                for _ in 0..20 {
                    assert!(finds(lexicon(&sources(word), file).0, word));
                }
            });
        }
    });
    assert_eq!(names(dir.path()), ["lexicon.compiled"]);
}

#[test]
fn what_a_killed_process_left_is_removed_after_an_hour() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let make = |name: &str, age: Duration| {
        let file = fs::File::create(dir.path().join(name)).expect("room for an empty file");
        let now = file.metadata().and_then(|found| found.modified()).expect("a time of change");
        file.set_modified(now - age).expect("a time that can be set");
    };
    make("lexicon.old.tmp", LEFT_BEHIND + Duration::from_secs(60));
    make("lexicon.new.tmp", Duration::ZERO);
    make("other.tmp", LEFT_BEHIND * 2);
    let (_, _) = lexicon(&sources("glufs"), &dir.path().join("lexicon.compiled"));
    let mut left = names(dir.path());
    left.sort();
    assert_eq!(left, ["lexicon.compiled", "lexicon.new.tmp", "other.tmp"]);
}

#[test]
fn a_user_keeps_each_lexicon_by_itself_where_caches_belong() {
    let of = |vars: &[(&str, &str)], folder: Option<&Path>| {
        of_user(folder, &|name| {
            vars.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
        })
    };
    let path = |text: &str| Some(PathBuf::from(text));
    for (vars, want) in [
        (&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")][..], path("/c/uppsikt/lexicon.compiled")),
        (&[("HOME", "/h")], path("/h/.cache/uppsikt/lexicon.compiled")),
        // Paths that are not absolute do not count, says the specification.
        (&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")], path("/h/.cache/uppsikt/lexicon.compiled")),
        (&[("XDG_CACHE_HOME", "")], None),
        (&[], None),
    ] {
        assert_eq!(of(vars, None), want, "{vars:?}");
    }
    let (a, b) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
    let home = &[("HOME", "/h")];
    let of_folder = |folder: &Path| of(home, Some(folder)).expect("a file");
    assert_eq!(of_folder(a.path()), of_folder(&a.path().join(".")));
    assert_ne!(of_folder(a.path()), of_folder(b.path()));
    assert_ne!(Some(of_folder(a.path())), of(home, None));
}
