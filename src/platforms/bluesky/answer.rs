//! Our own answers: where they are put, and how links in them are marked.
//!
//! The key of an answer follows from what it answers and from the action alone, so that a second
//! attempt finds the first in its place instead of publishing another.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::platforms::bluesky::tid::{CLOCK_BITS, key_of, time_of};
use crate::platforms::bluesky::wire::Uri;
use crate::platforms::error::PlatformError;

/// About a second: how much later than what it answers an answer claims to be.
const SPREAD_BITS: u32 = 20;

/// Of what has no time in its key: 2023-01-01 in microseconds.
const LONG_AGO: u64 = 1_672_531_200_000_000;

const MOST_GRAPHEMES: usize = 300;
const MOST_BYTES: usize = 3_000;

/// The key of our answer: a time shortly after what it answers, with the rest from a hash.
pub fn rkey(parent: &Uri, action: &str) -> String {
    let hash = Sha256::new().chain_update(parent.as_str()).chain_update([0]).chain_update(action);
    let hash = hash.finalize();
    let drawn = hash.iter().take(8).fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    let written = time_of(parent.rkey()).unwrap_or(LONG_AGO);
    let later = drawn & ((1 << SPREAD_BITS) - 1);
    let program = drawn >> SPREAD_BITS & ((1 << CLOCK_BITS) - 1);
    key_of((written + later) << CLOCK_BITS | program)
}

/// Refuses what the platform would.
pub fn fits(text: &str) -> Result<(), PlatformError> {
    let problem = if text.trim().is_empty() {
        "Plattformen godtar inte ett tomt svar.".to_owned()
    } else if text.graphemes(true).count() > MOST_GRAPHEMES || text.len() > MOST_BYTES {
        format!("Svaret är för långt: plattformen tar högst {MOST_GRAPHEMES} tecken. Korta det.")
    } else {
        return Ok(());
    };
    Err(PlatformError::Refused { code: "text".into(), reason: problem })
}

/// The links in a text. The platform counts in bytes, and shows as text what is not marked.
pub fn facets(text: &str) -> Value {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split(char::is_whitespace) {
        let begin = at;
        at += word.len() + text[at + word.len()..].chars().next().map_or(0, char::len_utf8);
        let Some(from) = ["https://", "http://"].iter().filter_map(|start| word.find(start)).min()
        else {
            continue;
        };
        let link =
            word[from..].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '»', '”']);
        if link.ends_with("//") {
            continue;
        }
        let begin = begin + from;
        found.push(json!({
            "index": {"byteStart": begin, "byteEnd": begin + link.len()},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": link}],
        }));
    }
    Value::Array(found)
}

#[cfg(test)]
mod tests {
    use crate::platforms::bluesky::tid::LENGTH;

    use super::*;

    fn uri(rkey: &str) -> Uri {
        Uri::of("did:plc:kim", rkey).unwrap()
    }

    #[test]
    fn a_key_is_the_same_for_the_same_answer_and_later_than_what_it_answers() {
        let parent = uri("3l6aexempel2b");
        let key = rkey(&parent, "svar-1");
        assert_eq!(key, rkey(&parent, "svar-1"));
        assert_ne!(key, rkey(&parent, "svar-2"));
        assert_ne!(key, rkey(&uri("3l6aexempel2c"), "svar-1"));
        let later = time_of(&key).unwrap() - time_of(parent.rkey()).unwrap();
        assert!(later < 2_000_000, "{later} µs");
        assert_eq!(rkey(&uri("eget-namn"), "svar-1").len(), LENGTH);
    }

    #[test]
    fn links_are_marked_by_bytes() {
        let text = "Läs mer: https://exempelstad.example/åäö?a=1. Eller (http://x.example) 😀 https:// slut";
        let marked: Vec<_> = facets(text)
            .as_array()
            .unwrap()
            .iter()
            .map(|facet| {
                let at = |name: &str| facet["index"][name].as_u64().unwrap() as usize;
                let marked = text[at("byteStart")..at("byteEnd")].to_owned();
                assert_eq!(facet["features"][0]["uri"], marked.as_str());
                marked
            })
            .collect();
        assert_eq!(marked, ["https://exempelstad.example/åäö?a=1", "http://x.example"]);
        assert_eq!(facets("inga länkar"), json!([]));
    }

    #[test]
    fn length_is_counted_as_people_see_it() {
        assert!(fits(&"👩‍👩‍👧‍👦".repeat(100)).is_ok());
        assert!(fits(&"å".repeat(300)).is_ok());
        assert!(fits(&"å".repeat(301)).unwrap_err().swedish().contains("högst 300 tecken"));
        assert!(fits(&"👩‍👩‍👧‍👦".repeat(150)).is_err(), "3 750 bytes");
        assert!(fits(" \n").is_err());
    }
}
