use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::classify::lexicon::Source;
use crate::classify::{Classifier, Context, Scratch};

/// Every kind of pattern, guard and condition, and a fault.
const SMALL: &str = r#"
category = "insult"
legal = "x"
harmless = ["glufsig"]
[[class]]
name = "led"
disguise = true
lexemes = ["bil n2", "sammansättningsfog n2", "@stort"]
not = ["bilens"]
[[class]]
name = "stort"
lexemes = ["lastbil n2 last not=van"]
[[guard]]
id = "tuta"
lead = ["tut"]
except_text = ["larm"]
[[words]]
id = "prov.ord"
severity = "medium"
why = "Texten innehåller ett prövat ord."
guards = ["negation", "tuta"]
lexemes = ["glufs n2 first@led last not=halv", "knölig a1"]
examples = ["glufs", "glufsen", "glufsar"]
counterexamples = ["nej", "halvglufs", "ja"]
[[rule]]
id = "prov.regel"
severity = "high"
why = "Prov."
patterns = ["< jag? *2!inte ^@led&!%hashtag !nej **3 kör|%number|%address(@stort) >", "%asks ^%repeat", "finns @inte"]
except = ["%picture"]
unless = ["@stort"]
requires = ["%any"]
unless_text = ["garage"]
requires_text = ["väg", "%asks_text"]
yields_to = ["prov.ord"]
shadow = true
examples = ["a", "a", "a"]
counterexamples = ["b", "b", "b"]
"#;

const TEXTS: [&str; 6] = [
    "Glufsbilen och halvglufs, gluuufs!",
    "jag bil kör. väg?",
    "inte glufs; tut tut glufs larm",
    "storglufsarna på sammansättningsfogarna, glufsig lastbil",
    "bil 5 https://lastbilen.example/ garage",
    "köp nu köp nu köp nu?",
];

fn sources() -> Vec<Source> {
    vec![Source { name: "sv/prov.toml".into(), text: SMALL.into() }]
}

fn small() -> (Lexicon, SourcesHash, Vec<u8>) {
    let sources = sources();
    let (lexicon, hash) = (Lexicon::compile(&sources), SourcesHash::of(&sources));
    let bytes = encode(&lexicon, &hash);
    (lexicon, hash, bytes)
}

fn verdicts(lexicon: Lexicon) -> Vec<String> {
    let classifier = Classifier::new(lexicon);
    // Buffers of its own: those of the thread remember the words of another with this version.
    let mut scratch = Scratch::default();
    let mut told = |text: &&str| {
        format!("{:?}", classifier.classify_with(&mut scratch, text, &Context::default()))
    };
    TEXTS.iter().map(&mut told).collect()
}

#[test]
fn what_is_read_back_is_what_was_written() {
    let (lexicon, hash, bytes) = small();
    assert_eq!((lexicon.rules.len(), lexicon.guards.list.len()), (2, 5));
    assert!(lexicon.complaints.iter().any(|c| c.what.contains("@inte")));
    let back = decode(&bytes, &hash).expect("just written");
    assert_eq!(encode(&back, &hash), bytes);
    let lists = |l: &Lexicon| format!("{:?} {:?} {:?}", l.complaints, l.examples, l.counts);
    assert_eq!(lists(&back), lists(&lexicon));
    assert_eq!((&back.version, &back.starts), (&lexicon.version, &lexicon.starts));
    assert_eq!(format!("{:?}", back.rules), format!("{:?}", lexicon.rules));
    let (was, is) = (verdicts(lexicon), verdicts(back));
    assert!(was.iter().any(|v| v.contains("prov.ord")), "{was:?}");
    assert_eq!(was, is);
}

#[test]
fn a_byte_that_changed_anywhere_is_found_out() {
    let (_, hash, bytes) = small();
    assert!(bytes.len() < 20_000, "{}", bytes.len());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let want = match at {
            0..8 => Unusable::Foreign,
            8..40 => Unusable::Stale,
            _ => Unusable::Damaged,
        };
        assert_eq!(decode(&changed, &hash).err(), Some(want), "byte {at}");
    }
}

#[test]
fn bytes_that_are_cut_or_followed_by_others_are_found_out() {
    let (_, hash, bytes) = small();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length], &hash).is_err(), "{length} bytes");
    }
    assert_eq!(decode(&[&bytes[..], b"\0"].concat(), &hash).err(), Some(Unusable::Damaged));
    assert_eq!(decode(b"", &hash).err(), Some(Unusable::Foreign));
}

#[test]
fn other_sources_make_it_stale() {
    let (_, _, bytes) = small();
    let mut sources = sources();
    sources[0].text.push('\n');
    assert_eq!(decode(&bytes, &SourcesHash::of(&sources)).err(), Some(Unusable::Stale));
}

/// How many bytes stand before the lexicon itself: sign, hash and checksum.
const HEAD: usize = 8 + 32 + 4;

fn sealed_anew(bytes: &[u8], body: &[u8]) -> Vec<u8> {
    [&bytes[..40], &crc32fast::hash(body).to_le_bytes(), body].concat()
}

#[test]
fn bytes_that_end_early_are_refused_under_a_right_checksum_too() {
    let (_, hash, bytes) = small();
    for end in (HEAD..bytes.len()).step_by(3) {
        let cut = sealed_anew(&bytes, &bytes[HEAD..end]);
        assert_eq!(decode(&cut, &hash).err(), Some(Unusable::Damaged), "cut at {end}");
    }
}

proptest! {
    /// The checksum finds damage, not malice. Whoever can write the file can write a right one
    /// over wrong bytes; these may make other verdicts, as other sources may, but never a panic.
    #[test]
    fn no_bytes_under_a_right_checksum_make_the_engine_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..3),
    ) {
        static SMALL: LazyLock<(Lexicon, SourcesHash, Vec<u8>)> = LazyLock::new(small);
        let (_, hash, bytes) = &*SMALL;
        let mut body = bytes[HEAD..].to_vec();
        for (at, change) in changes {
            body[at.index(bytes.len() - HEAD)] ^= change;
        }
        match decode(&sealed_anew(bytes, &body), hash) {
            Ok(lexicon) => prop_assert_eq!(verdicts(lexicon).len(), TEXTS.len()),
            Err(why) => prop_assert_eq!(why, Unusable::Damaged),
        }
    }
}
