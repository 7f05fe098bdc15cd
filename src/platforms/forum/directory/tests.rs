use std::fs;
use std::io::Write as _;

use proptest::prelude::*;
use tempfile::TempDir;

use crate::platforms::push::{News, Pushed};

use super::*;

fn line(id: &str) -> String {
    format!(r#"{{"id":"{id}","text":"text {id}","created_at":"2026-07-23T08:35:18Z"}}"#)
}

fn append(directory: &TempDir, name: &str, text: impl AsRef<[u8]>) {
    let path = directory.path().join(name);
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

/// Reads until nothing more comes: ids in order, `!place` for what is unreadable.
fn drain(directory: &TempDir, position: &mut Position) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let read = read(directory.path(), position).unwrap();
        *position = read.position;
        seen.extend(read.told.into_iter().map(|told| match told {
            Ok(Pushed { told: News::Item(item), .. }) => item.platform_id.to_string(),
            Ok(other) => format!("{other:?}"),
            Err(unreadable) => format!("!{}", unreadable.place),
        }));
        if !read.more {
            return seen;
        }
    }
}

#[test]
fn only_whole_lines_are_taken_and_the_half_one_waits() {
    let directory = tempfile::tempdir().unwrap();
    let mut position = Position::default();
    let (a, b) = (line("a"), line("b"));
    append(&directory, "x.jsonl", format!("{a}\n{}", &b[..20]));
    assert_eq!(drain(&directory, &mut position), ["a"]);
    assert_eq!(drain(&directory, &mut position), [""; 0]);
    append(&directory, "x.jsonl", &b[20..]);
    assert_eq!(drain(&directory, &mut position), [""; 0]);
    append(&directory, "x.jsonl", "\r\n\n");
    assert_eq!(drain(&directory, &mut position), ["b"]);
}

#[test]
fn bad_lines_are_named_by_file_and_line_and_the_rest_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    append(&directory, "x.jsonl", format!("\u{FEFF}{}\n{{\n", line("a")));
    append(&directory, "x.jsonl", b"{\"id\":\"\xff\"}\n");
    append(&directory, "x.jsonl", format!("\n{}\n", line("b")));
    append(&directory, "y.jsonl", format!(r#"{{"items":[{},{{}}]}}"#, line("c")) + "\n");
    append(&directory, "z.txt", line("z"));
    let seen = drain(&directory, &mut Position::default());
    assert_eq!(seen, ["a", "!x.jsonl:2", "!x.jsonl:3", "b", "c", "!y.jsonl:1 items[1]"]);
}

#[test]
fn a_rotated_file_is_finished_and_its_successor_read_from_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut position = Position::default();
    append(&directory, "x.jsonl", line("a") + "\n");
    assert_eq!(drain(&directory, &mut position), ["a"]);
    append(&directory, "x.jsonl", line("b") + "\n");
    let path = |name: &str| directory.path().join(name);
    fs::rename(path("x.jsonl"), path("x-1.jsonl")).unwrap();
    append(&directory, "x.jsonl", line("c") + "\n");
    assert_eq!(drain(&directory, &mut position), ["b", "c"]);
}

#[test]
fn a_cut_or_replaced_file_is_read_from_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut position = Position::default();
    append(&directory, "x.jsonl", line("a") + "\n" + &line("b") + "\n");
    assert_eq!(drain(&directory, &mut position), ["a", "b"]);
    let path = directory.path().join("x.jsonl");
    fs::write(&path, line("c") + "\n").unwrap();
    assert_eq!(drain(&directory, &mut position), ["c"]);
    fs::write(&path, line("d") + "\n" + &line("e") + "\n").unwrap();
    assert_eq!(drain(&directory, &mut position), ["d", "e"]);
    assert_eq!(drain(&directory, &mut position), [""; 0]);
}

#[test]
fn a_comment_of_ten_megabytes_comes_through_and_an_endless_line_does_not_stop_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let mut position = Position::default();
    let large = format!(
        r#"{{"id":"stor","text":"{}","created_at":"2026-07-23T08:35:18Z"}}"#,
        "å".repeat(5 << 20)
    );
    append(&directory, "x.jsonl", large + "\n" + &line("a") + "\n");
    assert_eq!(drain(&directory, &mut position), ["stor", "a"]);
    append(&directory, "x.jsonl", vec![b'x'; LONGEST_LINE + 10]);
    assert_eq!(drain(&directory, &mut position), ["!x.jsonl:3"]);
    append(&directory, "x.jsonl", "yyy\n".to_owned() + &line("b") + "\n");
    assert_eq!(drain(&directory, &mut position), ["b"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// However writing and reading take turns, each line is seen once, in order.
    #[test]
    fn every_line_is_seen_once(cuts in proptest::collection::vec(1_usize..90, 1..12)) {
        let directory = tempfile::tempdir().unwrap();
        let ids: Vec<_> = (0..9).map(|n| n.to_string()).collect();
        let text: String = ids.iter().map(|id| line(id) + "\n").collect();
        let mut position = Position::default();
        let mut seen = Vec::new();
        let mut rest = text.as_bytes();
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            append(&directory, "x.jsonl", head);
            seen.extend(drain(&directory, &mut position));
            rest = tail;
        }
        append(&directory, "x.jsonl", rest);
        seen.extend(drain(&directory, &mut position));
        prop_assert_eq!(seen, ids);
    }
}
