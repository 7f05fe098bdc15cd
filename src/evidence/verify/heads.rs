//! The noted heads against the log: a database that was put back or cut short disagrees, and so
//! does a file of heads that lost lines.

use std::collections::BTreeSet;
use std::io;

use jiff::{SignedDuration, Timestamp};

use super::Report;
use super::chain::LogRead;
use crate::domain::ids::ContentHash;
use crate::domain::log::genesis;

/// An entry is noted right after it is made; who died in between notes it at the next start.
pub(in crate::evidence) const NOTED_WITHIN: SignedDuration = SignedDuration::from_mins(10);

const PLACE: &str = "kedjans ändar";

/// One line: the place in the log and the link there. Zero stands for the log before its first entry.
pub(in crate::evidence) fn parse(line: &str) -> Option<(u64, ContentHash)> {
    let (seq, chain) = line.split_once(' ')?;
    seq.parse().ok().zip(chain.parse().ok())
}

/// Holds the file against the log. It was read before the log.
pub(super) fn verify(
    heads: io::Result<String>,
    log: &LogRead,
    now: Timestamp,
    report: &mut Report,
) {
    let any = !log.links.is_empty();
    let text = match heads {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if any {
                report.fault(PLACE, "filen heads.txt saknas; starta Uppsikt så skrivs den på nytt");
            }
            return;
        }
        Err(_) => {
            report.fault(PLACE, "filen heads.txt går inte att läsa");
            return;
        }
    };
    let mut lines = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let place = format!("heads.txt rad {}", n + 1);
        let Some((seq, chain)) = parse(line) else {
            // The last line may be half-written after a power cut; the next seal writes a new one.
            if text.ends_with('\n') || n + 1 < text.lines().count() {
                report.fault(place, "raden går inte att läsa");
            }
            continue;
        };
        lines.push(seq);
        let link = if seq == 0 { Some(genesis()) } else { log.links.get(&seq).map(|l| l.chain) };
        match link {
            Some(link) if link == chain => {}
            Some(_) => report
                .fault(place, format!("loggens post {seq} är inte den som fanns när raden skrevs")),
            None => report
                .fault(place, format!("loggen har kortats: post {seq} fanns när raden skrevs")),
        }
    }
    let Some(last) = lines.iter().max().copied() else {
        if any {
            let n = log.links.len();
            report.fault(PLACE, format!("filen heads.txt är tom fastän loggen har {n} poster"));
        }
        return;
    };
    verify_whole(&lines, last, log, now, report);
}

/// That no line is missing: in the middle none may be, at the end only what was just sealed.
fn verify_whole(lines: &[u64], last: u64, log: &LogRead, now: Timestamp, report: &mut Report) {
    let noted: BTreeSet<u64> = lines.iter().copied().collect();
    let lacking: Vec<u64> = log
        .links
        .iter()
        .filter(|(seq, link)| link.is_noted && **seq < last && !noted.contains(seq))
        .map(|(seq, _)| *seq)
        .collect();
    if let Some(first) = lacking.first() {
        let n = lacking.len();
        report.fault(
            PLACE,
            format!("filen heads.txt har kortats: {n} rader saknas, den första för post {first}"),
        );
    }
    // Before every entry was noted, each seal wrote a line of the chain's end. Who died in between
    // left one out, now and then; not half of them.
    let old = log.links.iter().take_while(|(_, link)| !link.is_noted);
    let old_seals: Vec<u64> = old.filter(|(_, link)| link.is_seal).map(|(seq, _)| *seq).collect();
    if let (Some(first), Some(end)) = (old_seals.first(), old_seals.last()) {
        let next =
            log.links.iter().find(|(_, link)| link.is_noted).map_or(u64::MAX, |(seq, _)| *seq);
        let written = lines.iter().filter(|seq| (*first..next).contains(seq)).count();
        if lacking.is_empty() && written * 2 < old_seals.len() {
            let n = old_seals.len();
            report.fault(
                PLACE,
                format!("filen heads.txt har kortats: {written} rader, men {n} förseglingar till och med post {end}"),
            );
        }
    }
    let late =
        log.links.range(last + 1..).find(|(_, link)| now.duration_since(link.at) > NOTED_WITHIN);
    if let Some((seq, _)) = late {
        report.fault(
            PLACE,
            format!("filen heads.txt har kortats: den slutar vid post {last}, men post {seq} skrevs för mer än tio minuter sedan"),
        );
    }
}
