use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(value: &Value, expect: &str) {
    let bytes = to_vec(value).expect("a canonical form");
    assert_eq!(String::from_utf8(bytes.clone()).expect("UTF-8"), expect);
    assert!(is_canonical(&bytes));
}

#[test]
fn objects_are_sorted_and_tight() {
    check(
        &json!({"b": [1, true, null, {"z": -5, "a": ""}], "a": 2}),
        r#"{"a":2,"b":[1,true,null,{"a":"","z":-5}]}"#,
    );
    check(&json!({}), "{}");
    check(&json!([]), "[]");
}

/// The example of RFC 8785, section 3.2.3: the surrogate pair of the emoji sorts before U+FB33.
#[test]
fn names_sort_by_utf16_code_units() {
    let value: Value = serde_json::from_str(
        r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
            "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
    )
    .expect("JSON");
    let text = String::from_utf8(to_vec(&value).expect("canonical")).expect("UTF-8");
    let order: Vec<usize> = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"]
        .iter()
        .map(|word| text.find(word).expect("in the text"))
        .collect();
    assert!(order.is_sorted(), "{text}");
}

/// RFC 8785, section 3.2.2.2 and the string of its section 3.2.2.
#[test]
fn strings_have_the_shortest_escapes() {
    check(&json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/"), "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
    check(
        &json!("\u{0}\u{8}\t\u{c}\r\u{1f}\u{7f}å😀\u{2028}"),
        "\"\\u0000\\b\\t\\f\\r\\u001f\u{7f}å😀\u{2028}\"",
    );
}

#[test]
fn numbers_are_whole_and_safe() {
    check(
        &json!([0, -1, 9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64]),
        "[0,-1,9007199254740991,-9007199254740991]",
    );
    let cases: [(Value, Problem); 4] = [
        (json!(9_007_199_254_740_992_i64), Problem::LargeNumber),
        (json!(u64::MAX), Problem::LargeNumber),
        (json!(1.0), Problem::Fraction),
        (json!(0.1), Problem::Fraction),
    ];
    for (value, problem) in cases {
        assert_eq!(to_vec(&value).expect_err("refused").problem, problem);
    }
    assert_eq!(to_vec(&f64::NAN).expect_err("refused").problem, Problem::Fraction);
    assert_eq!(to_vec(&i128::MIN).expect_err("refused").problem, Problem::LargeNumber);
}

#[test]
fn an_error_names_the_place_and_the_mend() {
    let error = to_vec(&json!({"parts": [{"size": 1}, {"size": 1.5}]})).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "no canonical JSON at `$.parts.1.size`: fractions are not sealed; write whole numbers of a smaller unit"
    );
}

#[test]
fn doubled_names_odd_keys_and_raw_json_are_refused() {
    struct Twice;
    impl Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            s.collect_map([("a", 1), ("a", 2)])
        }
    }
    assert_eq!(to_vec(&Twice).expect_err("refused").problem, Problem::NameTwice("a".to_owned()));
    let odd = BTreeMap::from([(vec![1_u8], 2_u8)]);
    assert_eq!(to_vec(&odd).expect_err("refused").problem, Problem::KeyNotText);
    let raw = serde_json::value::RawValue::from_string("{ \"a\" : 1 }".to_owned()).expect("JSON");
    assert_eq!(to_vec(&raw).expect_err("refused").problem, Problem::Raw);
    let numbers = BTreeMap::from([(10_u8, "b"), (9_u8, "a")]);
    assert_eq!(to_vec(&numbers).expect("canonical"), br#"{"10":"b","9":"a"}"#);
}

#[test]
fn enums_and_options_are_written_as_serde_json_does() {
    #[derive(Serialize)]
    enum Shape {
        Plain,
        Wrapped(Option<u8>),
        Pair(u8, char),
        Named { z: (), a: &'static str },
    }
    let value =
        [Shape::Plain, Shape::Wrapped(None), Shape::Pair(1, 'å'), Shape::Named { z: (), a: "x" }];
    let bytes = to_vec(&value).expect("canonical");
    assert_eq!(
        String::from_utf8(bytes.clone()).expect("UTF-8"),
        r#"["Plain",{"Wrapped":null},{"Pair":[1,"å"]},{"Named":{"a":"x","z":null}}]"#
    );
    let parsed: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(parsed, serde_json::to_value(&value).expect("JSON"));
}

#[test]
fn what_only_means_the_same_is_not_canonical() {
    for bytes in [
        &b"{\"b\":1,\"a\":2}"[..],
        b"{\"a\": 1}",
        b"{\"a\":1}\n",
        b"\"\\u00e5\"",
        b"1.0",
        b"1e3",
        b"-0",
        b"{\"a\":1,\"a\":1}",
        b"\xef\xbb\xbf{}",
        b"{",
        b"",
    ] {
        assert!(!is_canonical(bytes), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn the_hash_is_of_the_canonical_bytes() {
    let (bytes, hash) = to_vec_and_hash(&json!({"b": 1, "a": 2})).expect("canonical");
    assert_eq!(bytes, br#"{"a":2,"b":1}"#);
    assert_eq!(hash, ContentHash::of(br#"{"a":2,"b":1}"#));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_form_is_read_back_unchanged_and_is_its_own_form(value in any_json()) {
        let bytes = to_vec(&value).expect("a canonical form");
        let back: Value = serde_json::from_slice(&bytes).expect("JSON");
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(to_vec(&back).expect("a canonical form"), bytes.clone());
        prop_assert!(is_canonical(&bytes));
    }
}
