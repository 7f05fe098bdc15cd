//! Identities, hashes and small parsers.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::domain::account::PlatformKind;
use crate::domain::action::ActionKind;
use crate::domain::category::{Category, Severity};
use crate::domain::ground::{Force, Ground};
use crate::domain::ids::{CaseId, ContentHash};
use crate::domain::item::{Attachment, Author, FetchedItem, ItemKind, Presence};
use crate::domain::registration::parse_diary_number;
use crate::domain::verdict::{Finding, Verdict};

#[test]
fn identifiers_are_unique_and_read_back() {
    fn unique<T>(all: &[T], id: impl Fn(&T) -> &'static str) {
        let ids: BTreeSet<_> = all.iter().map(&id).collect();
        assert_eq!(ids.len(), all.len());
        assert!(ids.iter().all(|id| id.is_ascii() && !id.contains(' ')), "{ids:?}");
    }
    unique(Category::ALL, |c| c.id());
    unique(Ground::ALL, |g| g.code());
    unique(PlatformKind::ALL, |p| p.id());
    unique(ItemKind::ALL, |k| k.id());
    unique(ActionKind::ALL, |k| k.id());
    for &category in Category::ALL {
        assert_eq!(category.id().parse::<Category>().ok(), Some(category));
        let json = serde_json::to_string(&category).expect("serialises");
        assert_eq!(serde_json::from_str::<Category>(&json).ok(), Some(category));
    }
    for &ground in Ground::ALL {
        assert_eq!(Ground::from_code(ground.code()), Some(ground));
        // A paragraph is named exactly where the ground is one of the statute's.
        assert_eq!(
            ground.force() == Force::Statute,
            ground.statute().is_some_and(|s| s.starts_with("1998:112"))
        );
    }
    assert!("nonsense".parse::<Category>().is_err());
}

#[test]
fn what_opens_a_case() {
    let with = |findings: &[(Category, Severity)]| Verdict {
        lexicon: crate::domain::ids::LexiconVersion::new("test"),
        findings: findings
            .iter()
            .map(|(category, severity)| Finding {
                category: *category,
                severity: *severity,
                rule: "r".into(),
                spans: vec![],
                why: "w".into(),
                legal: "l".into(),
                mark: None,
            })
            .collect(),
    };
    use Severity::{High, Low, Medium};
    let table: &[(&[(Category, Severity)], bool)] = &[
        (&[], false),
        (&[(Category::Profanity, Low)], false),
        (&[(Category::Profanity, Medium)], true),
        (&[(Category::Question, Low)], true),
        (&[(Category::Case, Low)], true),
        (&[(Category::PartyPolitical, Low), (Category::Threat, High)], true),
    ];
    for (findings, opens) in table {
        assert_eq!(with(findings).opens_case(ItemKind::Comment), *opens, "{findings:?}");
        assert!(with(findings).opens_case(ItemKind::DirectMessage));
    }
    assert_eq!(with(&[]).severity(), None);
    assert_eq!(with(&[(Category::Question, Low), (Category::Hate, High)]).severity(), Some(High));
}

fn item(text: &str, attachments: &[(&str, Option<&str>)]) -> FetchedItem {
    FetchedItem {
        platform_id: crate::domain::ids::PlatformItemId::new("1"),
        kind: ItemKind::Comment,
        post_id: None,
        parent_id: None,
        page: None,
        author: Author::default(),
        text: text.to_owned(),
        created_at: None,
        created_raw: None,
        edited_at: None,
        permalink: None,
        attachments: attachments
            .iter()
            .map(|(kind, name)| Attachment {
                kind: (*kind).to_owned(),
                url: Some("https://a.example/signed?x".to_owned()),
                media_type: None,
                name: name.map(str::to_owned),
            })
            .collect(),
        presence: Presence::Visible,
        by_us: false,
        barred: Vec::new(),
        raw: Vec::new(),
        exchange: None,
    }
}

#[test]
fn a_text_cannot_pass_for_another_version_with_an_attachment() {
    let with = item("a", &[("photo", Some("x"))]);
    for text in ["a\0photo\0x", "aphotox", "a\u{FF}photo\u{FF}x"] {
        assert_ne!(item(text, &[]).content_hash(), with.content_hash(), "{text:?}");
    }
    assert_eq!(item("hej", &[]).content_hash(), ContentHash::of(b"hej"));
    assert_ne!(
        item("", &[("a", Some("b"))]).content_hash(),
        item("", &[("ab", None)]).content_hash()
    );
}

#[test]
fn a_new_signed_address_is_no_new_version() {
    let mut later = item("a", &[("photo", None)]);
    let before = later.content_hash();
    later.attachments[0].url = Some("https://a.example/signed?y".to_owned());
    later.edited_at = Some(jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(later.content_hash(), before);
}

#[test]
fn hashes_read_back_and_refuse_what_is_none() {
    let hash = ContentHash::of(b"hej");
    assert_eq!(hash.to_string().parse::<ContentHash>().ok(), Some(hash));
    assert_eq!(
        ContentHash::of(b"").to_hex(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for wrong in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
        assert!(wrong.parse::<ContentHash>().is_err(), "{wrong}");
    }
    assert_eq!(format!("{:?} {}", CaseId(7), CaseId(7)), "CaseId(7) 7");
}

#[test]
fn diary_numbers_are_taken_as_authorities_form_them() {
    for (typed, kept) in [
        ("KS 2026/123", "KS 2026/123"),
        ("  BUN.2026.7 ", "BUN.2026.7"),
        ("2026-114\t(2)", "2026-114 (2)"),
        ("KS\n2026/1", "KS 2026/1"),
        ("Dnr 1/å", "Dnr 1/å"),
    ] {
        assert_eq!(parse_diary_number(typed).map(|n| n.to_string()).as_deref(), Ok(kept));
    }
    let long = "1".repeat(61);
    for wrong in ["", "12", "abc", "KS 2026/1\0", "KS\u{202E}2026/1", "KS 2026/\u{200B}1", &long] {
        assert!(parse_diary_number(wrong).is_err(), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn different_content_has_different_hashes(a in any::<String>(), b in any::<String>(), k in any::<String>()) {
        prop_assume!(a != b);
        prop_assert_ne!(item(&a, &[]).content_hash(), item(&b, &[]).content_hash());
        prop_assert_ne!(item(&a, &[(&k, None)]).content_hash(), item(&a, &[]).content_hash());
        prop_assert_ne!(item(&a, &[(&k, None)]).content_hash(), item(&b, &[]).content_hash());
    }
}
