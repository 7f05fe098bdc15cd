use super::*;
use crate::domain::category::{Category, Severity};
use crate::domain::evidence::{Manifest, MissingPart, PartKind, Thread, ThreadItem};
use crate::domain::ids::{AccountKey, ContentHash, LexiconVersion, PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, FetchedPost, ItemKind, Permalink, PermalinkSource, Presence,
};
use crate::domain::verdict::{Finding, Span, Verdict};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().expect("an instant")
}

/// A sheet with everything on it, around `text`.
fn content(text: &str) -> SheetContent {
    SheetContent {
        authority: "Exempelstads kommun".to_owned(),
        account_name: "Exempelstad på nätet".to_owned(),
        platform_name: "WordPress".to_owned(),
        simulated: false,
        manifest: Manifest {
            format: 1,
            account: AccountKey::new("blogg"),
            platform: "wordpress".to_owned(),
            simulated: false,
            item: PlatformItemId::new("4711"),
            version: 2,
            content_sha256: ContentHash::of(text.as_bytes()),
            kind: ItemKind::Comment,
            author: Author {
                platform_id: Some("u-17".to_owned()),
                name: Some("Kim Exempel".to_owned()),
                handle: Some("@kim.exempel".to_owned()),
                url: Some("https://blogg.exempelstad.example/kim".to_owned()),
            },
            created_raw: Some("2026-04-03T14:05:09+02:00".to_owned()),
            created_at: Some(at("2026-04-03T12:05:09Z")),
            edited_at: None,
            fetched_at: at("2026-04-03T12:06:00Z"),
            sealed_at: at("2026-04-03T12:06:07Z"),
            presence: Presence::Visible,
            permalink: Some(Permalink {
                url: "https://blogg.exempelstad.example/2026/04/nytt-badhus/#comment-4711"
                    .to_owned(),
                source: PermalinkSource::Given,
            }),
            attachments: vec![Attachment {
                kind: "photo".to_owned(),
                url: Some("https://blogg.exempelstad.example/bild.jpg".to_owned()),
                media_type: Some("image/jpeg".to_owned()),
                name: None,
            }],
            verdict: Some(Verdict {
                lexicon: LexiconVersion::new("3f9a0c1d2e"),
                findings: vec![Finding {
                    category: Category::Threat,
                    severity: Severity::High,
                    rule: "hot.doda-dig".into(),
                    spans: vec![Span { start: 0, end: 3 }],
                    why: "Texten säger att mottagaren ska skadas.".into(),
                    legal: "1998:112 5 § 1 a; BrB 4:5".into(),
                }],
            }),
            parts: Vec::new(),
            missing: vec![MissingPart {
                kind: PartKind::Screenshot,
                reason: "Sidan kräver inloggning.".to_owned(),
            }],
            sealed_by: "Uppsikt 0.1.0".to_owned(),
        },
        text: text.to_owned(),
        thread: Thread {
            post: Some(FetchedPost {
                platform_id: PlatformPostId::new("12"),
                title: Some("Nytt badhus".to_owned()),
                text: "Nu börjar vi bygga.\nInvigning nästa år.".to_owned(),
                created_at: Some(at("2026-04-02T08:00:00Z")),
                permalink: None,
            }),
            above: vec![ThreadItem {
                platform_id: PlatformItemId::new("4710"),
                author: Author { name: Some("Robin Påhitt".to_owned()), ..Author::default() },
                text: "Vad kostar det?".to_owned(),
                created_at: Some(at("2026-04-03T11:00:00Z")),
            }],
            missing: vec!["4709".to_owned()],
        },
        screenshot_png: None,
    }
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let content = content("Jag ska döda dig.\n\nHälsar Kim 👍🏽");
    let sheet = render(&content).expect("a sheet");
    assert_eq!(sheet, render(&content).expect("a sheet"));
    assert!(sheet.uncovered.is_empty());
    assert_eq!(sheet.pages_png.len(), 2);
}
