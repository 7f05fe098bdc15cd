//! Answers that OpenSSL made: the right one is taken, nothing else is.

use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;

const DATA: &[u8] = include_bytes!("../../../fixtures/tsa/data.txt");
const GOOD: &[u8] = include_bytes!("../../../fixtures/tsa/good.tsr");
const OTHER: &[u8] = include_bytes!("../../../fixtures/tsa/other.tsr");
const REFUSED: &[u8] = include_bytes!("../../../fixtures/tsa/refuse.tsr");
const CA: &str = include_str!("../../../fixtures/tsa/ca.pem");

fn stamped_at() -> Timestamp {
    "2026-11-22T14:51:56Z".parse().unwrap()
}

#[test]
fn the_right_answer_holds_and_tells_its_time() {
    let stamp = check(GOOD, DATA, CA).unwrap();
    assert_eq!(stamp.at, stamped_at());
    assert_eq!(stamp.nonce.map(hex::encode).as_deref(), Some("25d9f346234c227a"));
}

#[test]
fn wrong_answers_are_refused_and_named() {
    use StampError::{OtherImprint, Shape, Signature};
    assert_eq!(check(GOOD, b"another text", CA), Err(OtherImprint));
    let unknown = Signature("certifikatet följer inte med");
    assert_eq!(
        check(OTHER, DATA, CA).map_err(|e| matches!(e, Signature(_))),
        Err(true),
        "{unknown}"
    );
    assert!(matches!(check(REFUSED, DATA, CA), Err(StampError::Refused { status: 2, .. })));
    assert_eq!(check(b"this is not DER", DATA, CA), Err(Shape("asn.1")));
    assert_eq!(check(&GOOD[..GOOD.len() - 1], DATA, CA), Err(Shape("asn.1")));
    assert_eq!(check(&[GOOD, b"x"].concat(), DATA, CA), Err(Shape("asn.1")));
    assert_eq!(check(GOOD, DATA, ""), Err(StampError::BadRoot));
    assert_eq!(check(GOOD, DATA, "-----BEGIN CERTIFICATE-----"), Err(StampError::BadRoot));
}

#[test]
fn an_answer_is_taken_for_its_own_question_alone_and_only_now() {
    let query = Query { der: Vec::new(), nonce: hex::decode("25d9f346234c227a").unwrap() };
    query.check(GOOD, DATA, CA, stamped_at() + 1.minute()).unwrap();
    let late = stamped_at() + 1.hour();
    assert_eq!(query.check(GOOD, DATA, CA, late), Err(StampError::WrongTime(stamped_at())));
    let another = Query::new(DATA, [9; 8]);
    assert_eq!(another.check(GOOD, DATA, CA, stamped_at()), Err(StampError::OtherNonce));
}

#[test]
fn a_question_has_the_bytes_that_the_rfc_says() {
    let query = Query::new(b"", [0xFF, 2, 3, 4, 5, 6, 7, 8]);
    let expected = concat!(
        "30430201013031300d060960864801650304020105000420",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "02087f020304050607080101ff",
    );
    assert_eq!(hex::encode(query.bytes()), expected);
}

#[test]
fn times_are_read_strictly() {
    assert_eq!(time(b"20261122145156Z"), Some(stamped_at()));
    assert_eq!(time(b"20261122145156.25Z"), Some(stamped_at() + 250.milliseconds()));
    for bad in [
        "",
        "Z",
        "20261122145156",
        "20261322145156Z",
        "2026112214515Z",
        "20261122145156.Z",
        "+0261122145156Z",
    ] {
        assert_eq!(time(bad.as_bytes()), None, "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    /// Whatever bit is turned, the answer is refused or says the very same: outside of what is signed
    /// stand the status, certificates that are not needed, and numbers of versions.
    #[test]
    fn no_turned_bit_changes_what_a_stamp_says(at in 0..GOOD.len(), bit in 0_u32..8) {
        let mut bytes = GOOD.to_vec();
        bytes[at] ^= 1_u8 << bit;
        if let Ok(stamp) = check(&bytes, DATA, CA) {
            prop_assert_eq!(stamp.at, stamped_at());
        }
    }

    #[test]
    fn any_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(check(&bytes, DATA, CA).is_err());
    }
}
