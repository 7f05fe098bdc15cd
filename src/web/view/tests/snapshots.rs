use regex::Regex;

use crate::web::view::fixtures::pages;

/// The page without what changes with the stylesheet and the script.
fn settled(html: &str) -> String {
    let hash = Regex::new(r"\.[0-9a-f]{12}\.(css|js|svg)").unwrap();
    let empty = Regex::new(r"(?m)^\s+\n").unwrap();
    empty.replace_all(&hash.replace_all(html, ".HASH.$1"), "").into_owned()
}

#[test]
fn pages_look_as_they_did() {
    for (name, html) in pages() {
        insta::assert_snapshot!(name, settled(&html));
    }
}
