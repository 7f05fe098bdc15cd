//! Checkpoints: the form that others read, and nothing that was changed passes.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use crate::domain::checkpoint::{
    Checkpoint, NotANote, Note, Origin, PublicKey, Signer, key_change, notes,
};
use crate::domain::ids::ContentHash;

fn signer(seed: u8) -> Signer {
    Signer::new(Origin::of("prov"), SigningKey::from_bytes(&[seed; 32]))
}

fn checkpoint(size: u64) -> Checkpoint {
    let at = "2026-11-22T14:00:00Z".parse().unwrap();
    Checkpoint { size, root: ContentHash::of(b"head"), at }
}

#[test]
fn a_note_has_the_form_that_others_read() {
    let note = signer(7).note(&checkpoint(42));
    insta::assert_snapshot!(note);
    insta::assert_snapshot!(signer(7).public().note_key(&Origin::of("prov")));
}

#[test]
fn the_known_key_of_the_note_specification_gets_its_short_name() {
    // From the documentation of golang.org/x/mod/sumdb/note.
    let known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let (name, rest) = known.split_once('+').unwrap();
    let (id, key) = rest.split_once('+').unwrap();
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.decode(key).unwrap();
    // An origin of our own making has a prefix; the hash is over whatever the name is.
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest([name.as_bytes(), b"\n", &key].concat());
    assert_eq!(hex::encode(&digest[..4]), id);
}

#[test]
fn what_was_signed_is_read_back_and_found_signed() {
    let (one, other) = (signer(1), signer(2));
    let note = Note::parse(&one.note(&checkpoint(42))).unwrap();
    assert_eq!((note.checkpoint, &note.origin), (checkpoint(42), one.origin()));
    let keys = [other.public().clone(), one.public().clone()];
    assert_eq!(note.signer(&keys), Some(one.public()));
    assert_eq!(note.signer(&keys[..1]), None);
}

#[test]
fn a_key_is_read_back_from_pem_and_from_bytes() {
    let (signer, origin) = (signer(1), Origin::of("prov"));
    let pem = signer.public().pem();
    assert_eq!(PublicKey::from_pem(&origin, &pem).unwrap(), *signer.public());
    assert_eq!(PublicKey::new(&origin, signer.public().bytes()).unwrap(), *signer.public());
    assert!(PublicKey::new(&origin, &[0; 32]).is_err(), "a key of small order");
    assert!(PublicKey::from_pem(&origin, "-----BEGIN PUBLIC KEY-----").is_err());
    assert!(!format!("{signer:?}").contains(&hex::encode([1; 32])), "no secret is shown");
}

#[test]
fn malformed_notes_are_refused_by_the_line() {
    let good = signer(1).note(&checkpoint(42));
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    for (note, why) in [
        (String::new(), NotANote::NoParts),
        ("x\n".into(), NotANote::NoParts),
        (good.trim_end().into(), NotANote::NoParts),
        (with("uppsikt/prov", "upp sikt"), NotANote::Line(1)),
        (with("\n42\n", "\n042\n"), NotANote::Line(2)),
        (with("\n42\n", "\n+42\n"), NotANote::Line(2)),
        (with("\n42\n", "\n99999999999999999999\n"), NotANote::Line(2)),
        (with("=\n", "\n"), NotANote::Line(3)),
        (with("time ", "tid "), NotANote::Line(4)),
        (with("— ", "- "), NotANote::Signature),
        (good.split_inclusive("\n\n").next().unwrap().into(), NotANote::Signature),
    ] {
        assert_eq!(Note::parse(&note), Err(why), "{note}");
    }
}

#[test]
fn a_file_of_notes_is_read_one_by_one() {
    let (a, b) = (signer(1).note(&checkpoint(1)), signer(1).note(&checkpoint(2)));
    let sizes = |file: &str| -> Vec<_> {
        notes(file).into_iter().map(|(n, note)| (n, note.map(|n| n.checkpoint.size).ok())).collect()
    };
    assert_eq!(sizes(&format!("{a}{b}")), [(1, Some(1)), (7, Some(2))]);
    assert_eq!(sizes(&format!("{a}\n\n{b}\n")), [(1, Some(1)), (9, Some(2))]);
    assert_eq!(sizes(&format!("{a}{}", &b[..20])), [(1, Some(1)), (7, None)], "a torn end");
    assert_eq!(sizes(""), []);
}

#[test]
fn a_key_change_names_both_keys_and_the_log() {
    let (old, new) = (signer(1), signer(2));
    let text = key_change(old.origin(), old.public().id(), new.public());
    let signature = old.sign(text.as_bytes());
    assert!(old.public().signed(text.as_bytes(), &signature));
    assert!(!new.public().signed(text.as_bytes(), &signature));
}

proptest! {
    #[test]
    fn a_note_with_any_byte_changed_is_not_signed(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let signer = signer(3);
        let note = signer.note(&checkpoint(1_000_000));
        let mut bytes = note.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        if let Ok(changed) = String::from_utf8(bytes)
            && let Ok(changed) = Note::parse(&changed)
        {
            prop_assert_eq!(changed.signer(std::slice::from_ref(signer.public())), None);
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".{0,200}") {
        drop(notes(&text));
        drop(Note::parse(&text));
    }
}
