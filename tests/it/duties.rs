//! The table of the duties (`tests/duties.md`): whole, each row once, and no test named that does not exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every paragraph of the five rulebooks that obliges (M) or advises (B), by rulebook and lines.
const ROWS: &[&str] = &[
    "J 30–33",
    "J 35–36",
    "J 47–51",
    "J 61–77",
    "J 79–85",
    "J 87–89",
    "J 93–100",
    "J 101–103",
    "J 105–107",
    "J 109–110",
    "J 112–113",
    "J 115–116",
    "J 118–119",
    "J 127–131",
    "J 131–135",
    "J 139–143",
    "J 145–147",
    "J 149–150",
    "J 152–153",
    "J 155–157",
    "J 159–162",
    "J 165–168",
    "J 168–170",
    "J 170–172",
    "J 172–173",
    "J 177–182",
    "J 182–188",
    "J 192–196",
    "J 199–202, 205",
    "J 205–207",
    "J 209–235",
    "J 237–239",
    "J 239–240",
    "J 242–245",
    "J 247–255",
    "J 257–261",
    "J 263–267",
    "J 271–276",
    "J 279–283",
    "J 285–289",
    "J 291–292",
    "J 294–302",
    "J 307–311",
    "J 366–369",
    "J 373–376",
    "J 377–379",
    "J 381–383",
    "J 385–386",
    "J 399–401",
    "J 408–414",
    "J 416–420",
    "N 5–7, 112–114 (21)",
    "N 13",
    "N 15–16 (1–2)",
    "N 25 (3)",
    "N 25, 88 (3, 15)",
    "N 27 (4)",
    "N 31 (5)",
    "N 33 (6)",
    "N 35–37 (7)",
    "N 41–47 (8)",
    "N 51 (9)",
    "N 53–64 (9)",
    "N 66 (10)",
    "N 72 (12)",
    "N 76 (13)",
    "N 78 (13)",
    "N 82 (14)",
    "N 84 (14)",
    "N 92 (16)",
    "N 96 (17)",
    "N 108 (20)",
    "S 33–36",
    "S 38–41",
    "S 47–49",
    "S 51–56",
    "S 59–66",
    "S 71–74",
    "S 77–83",
    "S 88",
    "S 99–101",
    "S 103–107",
    "S 109",
    "S 109–111",
    "S 113–115",
    "S 117–121",
    "S 124–125",
    "S 127–128",
    "S 128–129",
    "S 129–130",
    "S 130–131",
    "S 133–150",
    "S 152",
    "S 192–193",
    "S 194–230",
    "K 54–56",
    "K 58",
    "K 60 a",
    "K 60 b",
    "K 60 c",
    "K 64",
    "K 78",
    "K 82 a",
    "K 82 b",
    "K 82 c",
    "K 84–91",
    "K 93–99",
    "K 103",
    "K 103–105",
    "K 107",
    "K 111",
    "K 117 a",
    "K 117 b",
    "K 117 c",
    "K 119–121",
    "K 129",
    "F 94",
    "F 98",
    "F 100",
    "F 106–110",
    "F 111",
    "F 112 a",
    "F 112 b",
    "F 112 c",
    "F 113",
    "F 119–123",
    "F 127",
    "F 129–135",
    "F 137",
    "F 141",
    "F 143–149",
    "F 149",
    "F 151",
    "F 175–177",
    "F 179–181",
    "F 185",
    "F 187",
    "F 195",
    "F 199–201",
    "F 203",
    "F 215",
    "F 221",
    "F 225",
    "F 229–233",
    "F 239–243",
    "F 245",
    "F 347–349",
    "F 363–369",
    "F 373–375",
    "F 377–389",
    "F 391",
    "F 399",
    "F 419",
    "F 421–427",
    "F 429–434",
    "F 438",
    "F 442–448",
    "F 452",
    "F 454",
    "F 456",
    "F 458",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The names of all tests: functions after a line that says that they are one.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("tests/it"), &mut files);
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
            if line.starts_with("#[") || line.starts_with("//") {
                continue;
            }
            // In a `proptest!` block the mark stands there as well.
            if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                names.insert(rest.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
            is_test = false;
        }
    }
    names
}

/// Rows of the table: their cells.
fn table() -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("tests/duties.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect();
    rows.skip(1).map(cells).collect()
}

#[test]
fn every_row_stands_in_the_table_once_with_a_test_or_a_reason() {
    let rows = table();
    let ids: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(ids, ROWS);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "twice");
    for row in &rows {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(["M", "B", "M/B"].contains(&row[1].as_str()), "{row:?}");
        let reason = row[3].split_once("Reason: ").is_some_and(|(_, why)| why.len() > 20);
        assert!(row[4].contains('`') || reason, "neither a test nor a reason: {}", row[0]);
    }
}

#[test]
fn every_test_that_the_table_names_exists() {
    let tests = tests();
    assert!(tests.len() > 1_000, "{}", tests.len());
    for row in table() {
        for named in row[4].split(", ").filter(|named| !named.is_empty()) {
            let name = named.trim_matches('`');
            assert!(tests.contains(name), "{}: there is no test {named}", row[0]);
        }
    }
}

/// Whether a name holds an id among those that it begins with: `t12_t14_…` holds both.
fn holds(name: &str, id: &str) -> bool {
    let is_id = |part: &&str| {
        part.len() == 3
            && part.starts_with(['r', 't'])
            && part[1..].bytes().all(|b| b.is_ascii_digit())
    };
    name.split('_').take_while(is_id).any(|part| part == id)
}

#[test]
fn every_clock_and_every_rule_of_the_diary_has_a_test_with_its_id() {
    let tests = tests();
    let clocks = (1..=26).map(|n| format!("t{n:02}"));
    let rules = (1..=24).map(|n| format!("r{n:02}"));
    let lacking: Vec<_> =
        clocks.chain(rules).filter(|id| !tests.iter().any(|name| holds(name, id))).collect();
    assert_eq!(lacking, [] as [String; 0]);
    assert!(!holds("t11_t13_and_t12_too", "t12"));
}
