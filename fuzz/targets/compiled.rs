//! Any bytes in the place of a compiled lexicon, under a right checksum: refused, or a lexicon that
//! answers. The first byte says how the rest is meant: even, as the whole body; odd, as changes to
//! a body that was rightly made, each of position (two bytes), kind and value.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use uppsikt_fuzz::classify::lexicon::{Lexicon, Source, SourcesHash, compiled};
use uppsikt_fuzz::classify::{Classifier, Context, Scratch};

/// Every kind of pattern, guard and condition.
const SMALL: &str = include_str!("../../fixtures/fuzz/rules/every-kind.toml");

const TEXTS: [&str; 6] = [
    "Glufsbilen och halvglufs, gluuufs!",
    "jag bil kör. väg?",
    "inte glufs; tut tut glufs larm",
    "storglufsarna på sammansättningsfogarna, glufsig lastbil",
    "bil 5 https://lastbilen.example/ garage",
    "köp nu köp nu köp nu?",
];

/// Sign and hash stand before the checksum.
const HEAD: usize = 8 + 32;

struct Made {
    hash: SourcesHash,
    bytes: Vec<u8>,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let sources = [Source { name: "sv/prov.toml".to_owned(), text: SMALL.to_owned() }];
    let hash = SourcesHash::of(&sources);
    let bytes = compiled::encode(&Lexicon::compile(&sources), &hash);
    assert!(compiled::decode(&bytes, &hash).is_ok());
    Made { hash, bytes }
});

fuzz_target!(|input: &[u8]| {
    let Made { hash, bytes } = &*MADE;
    // As they are: refused, since nobody guesses the hash.
    assert!(compiled::decode(input, hash).is_err());
    let Some((how, rest)) = input.split_first() else { return };
    let body = if how % 2 == 0 { rest.to_vec() } else { changed(&bytes[HEAD + 4..], rest) };
    let sealed =
        [&bytes[..HEAD], crc32fast::hash(&body).to_le_bytes().as_slice(), &body].concat();
    let Ok(lexicon) = compiled::decode(&sealed, hash) else { return };
    let classifier = Classifier::new(lexicon);
    let mut scratch = Scratch::default();
    for text in TEXTS {
        classifier.classify_with(&mut scratch, text, &Context::default());
    }
});

fn changed(body: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    for change in changes.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % body.len().max(1);
        match (change[2] % 4, body.get_mut(at)) {
            (0, Some(byte)) => *byte = change[3],
            (1, Some(byte)) => *byte ^= 1 << (change[3] % 8),
            (2, Some(_)) => body.truncate(at),
            (3, Some(_)) => body.insert(at, change[3]),
            (_, _) => {}
        }
    }
    body
}
