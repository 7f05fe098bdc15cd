//! The comment streams hold what their readers rely on.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;
use uppsikt::domain::category::{Category, Severity};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Post {
    key: String,
    title: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    after_s: u32,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comment {
    key: String,
    post: String,
    parent: Option<String>,
    name: String,
    text: String,
    after_s: u32,
    edit: Option<Edit>,
    delete_after_s: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    key: String,
    post: String,
    parent: Option<String>,
    name: String,
    text: String,
    expect: Vec<Category>,
    severity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordPress {
    posts: Vec<Post>,
    comments: Vec<Expected>,
}

fn read(name: &str) -> String {
    let path = format!("{}/fixtures/comments/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Checks posts, and gives their keys.
fn posts(posts: &[Post]) -> BTreeSet<&str> {
    assert!(posts.iter().all(|p| !p.title.is_empty() && p.text.len() > 40));
    let keys: BTreeSet<_> = posts.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(keys.len(), posts.len());
    keys
}

#[test]
fn the_demo_stream_is_whole() {
    let all_posts: Vec<Post> = serde_json::from_str(&read("posts.json")).expect("posts.json");
    let keys = posts(&all_posts);
    let text = read("demo.jsonl");
    let comments: Vec<Comment> = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            serde_json::from_str(line).unwrap_or_else(|e| panic!("demo.jsonl:{}: {e}", i + 1))
        })
        .collect();
    assert!(comments.len() >= 160);
    assert_eq!(comments.iter().filter(|c| c.after_s == 0).count(), 60);
    assert!(comments.is_sorted_by_key(|c| c.after_s));
    assert!(comments.iter().all(|c| c.after_s <= 1800));
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for comment in &comments {
        assert!(keys.contains(comment.post.as_str()), "{}", comment.key);
        assert!(!comment.name.is_empty() && !comment.text.is_empty());
        if let Some(parent) = &comment.parent {
            // Answered before it stands there, or under another post: neither can be shown.
            assert_eq!(seen.get(parent.as_str()), Some(&comment.post.as_str()), "{}", comment.key);
        }
        if let Some(edit) = &comment.edit {
            assert!(edit.after_s > comment.after_s && edit.text != comment.text);
        }
        assert!(comment.delete_after_s.is_none_or(|s| s > comment.after_s));
        assert!(seen.insert(&comment.key, &comment.post).is_none(), "{} twice", comment.key);
    }
    assert!(comments.iter().filter(|c| c.edit.is_some()).count() >= 3);
    assert!(comments.iter().filter(|c| c.delete_after_s.is_some()).count() >= 2);
}

#[test]
fn the_wordpress_stream_is_whole() {
    let file: WordPress = serde_json::from_str(&read("wordpress-200.json")).expect("the file");
    let keys = posts(&file.posts);
    assert_eq!((file.posts.len(), file.comments.len()), (3, 200));
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut texts = BTreeSet::new();
    for comment in &file.comments {
        assert!(keys.contains(comment.post.as_str()) && !comment.name.is_empty());
        if let Some(parent) = &comment.parent {
            assert_eq!(seen.get(parent.as_str()), Some(&comment.post.as_str()), "{}", comment.key);
        }
        let severity = [Severity::Low, Severity::Medium, Severity::High]
            .into_iter()
            .find(|s| s.id() == comment.severity);
        assert_eq!(severity.is_some(), !comment.expect.is_empty(), "{}", comment.key);
        assert!(seen.insert(&comment.key, &comment.post).is_none(), "{} twice", comment.key);
        // WordPress refuses the same text twice.
        assert!(texts.insert(comment.text.as_str()), "{} repeats a text", comment.key);
    }
    let expected = file.comments.iter().filter(|c| !c.expect.is_empty()).count();
    assert!((60..=90).contains(&expected), "{expected}");
    let demo = read("demo.jsonl");
    let demo: BTreeSet<String> = demo
        .lines()
        .map(|line| serde_json::from_str::<Comment>(line).expect("read above").text)
        .collect();
    assert!(texts.iter().all(|text| !demo.contains(*text)), "the two streams share nothing");
}
