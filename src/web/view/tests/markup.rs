use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::web::view::fixtures::pages;

fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push((path.clone(), fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "no files under {folder}");
    found
}

/// Templates never leave escaping to anybody else, and hold nothing the policy would refuse.
#[test]
fn no_template_writes_unescaped_or_inline() {
    let inline = Regex::new(r#"(?i)\s(style|on[a-z]+)\s*=|<script(?:[^>]*)>[^<]|<style"#).unwrap();
    for (path, text) in files("src/web/templates", "html") {
        let name = path.display();
        for unescaped in ["|safe", "| safe", "escape none", "|escape(", "| escape("] {
            assert!(!text.contains(unescaped), "{name} holds {unescaped}");
        }
        assert!(!inline.is_match(&text), "{name}: {:?}", inline.find(&text).map(|m| m.as_str()));
    }
}

/// Types that are placed without escaping draw themselves from templates that escape.
#[test]
fn only_three_types_are_taken_as_html() {
    let mark = Regex::new(r"impl\S* (?:\w+::)*HtmlSafe for (\w+)").unwrap();
    let named: BTreeSet<_> = files("src/web", "rs")
        .iter()
        .flat_map(|(_, text)| {
            mark.captures_iter(text).map(|found| found[1].to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["MarkedText", "Moment", "Outside"]);
}

#[test]
fn every_page_has_what_everybody_needs_to_find_their_way() {
    for (name, html) in pages() {
        for needed in [
            r#"<html lang="sv">"#,
            "<title>",
            r##"<a class="hoppa" href="#innehall">"##,
            r#"<main id="innehall""#,
            r#"name="viewport""#,
        ] {
            assert!(html.contains(needed), "{name} lacks {needed}");
        }
        assert_eq!(html.matches("<h1").count(), 1, "{name} has one first heading");
        assert!(!html.contains("user-scalable"), "{name} can be enlarged");
    }
}

#[test]
fn every_field_has_a_label_and_every_id_is_its_own() {
    let field = Regex::new(r"<(?:input|select|textarea)\b[^>]*>").unwrap();
    let id = Regex::new(r#"\sid="([^"]+)""#).unwrap();
    let refers = Regex::new(r#"\s(?:for|aria-labelledby|aria-describedby)="([^"]+)""#).unwrap();
    for (name, html) in pages() {
        let ids: Vec<_> = id.captures_iter(&html).map(|c| c[1].to_owned()).collect();
        let unique: BTreeSet<_> = ids.iter().cloned().collect();
        assert_eq!(ids.len(), unique.len(), "{name} has an id twice: {ids:?}");
        for found in refers.captures_iter(&html) {
            assert!(unique.contains(&found[1]), "{name} refers to {}", &found[1]);
        }
        for found in field.find_iter(&html).filter(|f| !f.as_str().contains("hidden")) {
            let id = id.captures(found.as_str()).map(|c| c[1].to_owned());
            let id = id.unwrap_or_else(|| panic!("{name}: no id on {}", found.as_str()));
            assert!(html.contains(&format!(r#"<label for="{id}""#)), "{name}: no label for {id}");
        }
    }
}

#[test]
fn every_form_that_changes_something_carries_its_token() {
    let form = Regex::new(r#"(?s)<form [^>]*method="post"[^>]*>.*?</form>"#).unwrap();
    for (name, html) in pages() {
        for found in form.find_iter(&html).map(|found| found.as_str()) {
            // Nobody is logged in yet: there the browser's word on the origin is the guard, and for the public's
            // form a token that shows how old it is.
            if found.contains(r#"action="/anmal""#) {
                assert!(
                    found.contains(r#"name="stampel" value="1790000000-00ff""#),
                    "{name}: {found}"
                );
            } else if !found.contains(r#"action="/logga-in""#) {
                assert!(found.contains(r#"name="csrf" value="0123abcd""#), "{name}: {found}");
            }
        }
    }
}

#[test]
fn removing_waits_for_evidence() {
    let pages = pages();
    let page = |wanted: &str| {
        pages.iter().find(|(name, _)| *name == wanted).map(|(_, html)| html.as_str()).unwrap()
    };
    let delete = |html: &str| {
        let at = html.find(r#"value="delete""#).unwrap();
        html[at..].split_once('>').unwrap().0.to_owned()
    };
    assert!(!delete(page("case")).contains("disabled"));
    let waiting = delete(page("case-before-evidence"));
    assert!(waiting.contains("disabled") && waiting.contains("data-vantar-bevis"));
    assert!(page("case-before-evidence").contains("Bevis tas just nu."));
}

#[test]
fn numbers_and_addresses_of_lists_are_masked() {
    let queue = crate::web::view::fixtures::others::queue();
    let html = askama::Template::render(&queue).unwrap();
    assert!(html.contains("8112**-****") && !html.contains("Provgatan"));
}

/// Design, section 7: the queue's first load in bytes, uncompressed.
#[test]
fn the_queue_is_light() {
    use crate::web::assets::{CSS, ICON, JS};
    let fixed = CSS.bytes().len() + JS.bytes().len() + ICON.bytes().len();
    let mut queue = crate::web::view::fixtures::others::queue();
    let few = queue.rows.len();
    let fifty: Vec<_> = queue.rows.iter().cycle().take(50).cloned().collect();
    queue.rows = fifty;
    let html = askama::Template::render(&queue).unwrap();
    let all = fixed + html.len();
    assert!(all < 150_000, "{all} bytes with 50 rows ({few} kinds)");
}
