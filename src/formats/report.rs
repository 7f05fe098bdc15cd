//! What a report is counted from, as JSON lines: whoever doubts a figure counts anew. No text, no author, no
//! name of anybody.

use serde::Serialize;

use crate::domain::report::Facts;

#[derive(Serialize)]
#[serde(tag = "slag", rename_all = "lowercase")]
enum Line<'a> {
    Inlagg {
        konto: &'a str,
        hamtat: jiff::Timestamp,
        privat: bool,
    },
    Arende {
        arende: i64,
        konto: &'a str,
        oppnat: jiff::Timestamp,
        frist: jiff::Timestamp,
        kategori: Option<&'static str>,
        beslutat: Option<jiff::Timestamp>,
        utanfor: bool,
        sett: Option<jiff::Timestamp>,
        avfardat: bool,
        borttaget: bool,
    },
    Borttagning {
        arende: i64,
        konto: &'a str,
        beslutat: jiff::Timestamp,
        grund: Option<&'static str>,
        raderat: bool,
    },
    Diarieforing {
        arende: i64,
        lamnat: jiff::Timestamp,
        numrerat: bool,
    },
    Gallring {
        arende: i64,
        gallrat: jiff::Timestamp,
    },
}

/// One line for each fact, in the order in which they are kept.
pub fn json_lines(facts: &Facts) -> Vec<u8> {
    let mut text = Vec::new();
    let mut line = |line: Line<'_>| {
        // Plain values only, which always can be written.
        serde_json::to_writer(&mut text, &line).expect("a line of numbers and words is JSON");
        text.push(b'\n');
    };
    for item in &facts.items {
        line(Line::Inlagg { konto: &item.account, hamtat: item.at, privat: item.private });
    }
    for case in &facts.cases {
        line(Line::Arende {
            arende: case.case,
            konto: &case.account,
            oppnat: case.opened,
            frist: case.due,
            kategori: case.category.map(|category| category.id()),
            beslutat: case.decided,
            utanfor: case.outside,
            sett: case.seen,
            avfardat: case.dismissed,
            borttaget: case.removed,
        });
    }
    for removal in &facts.removals {
        line(Line::Borttagning {
            arende: removal.case,
            konto: &removal.account,
            beslutat: removal.at,
            grund: removal.ground.map(|ground| ground.code()),
            raderat: removal.deleted,
        });
    }
    for record in &facts.registered {
        line(Line::Diarieforing {
            arende: record.case,
            lamnat: record.at,
            numrerat: record.numbered,
        });
    }
    for record in &facts.disposed {
        line(Line::Gallring { arende: record.case, gallrat: record.at });
    }
    text
}
