//! The pages of the fixtures, drawn and looked at from all sides.

mod hostile;
mod markup;
mod snapshots;

use std::path::Path;

use super::fixtures::pages;

/// Set it to a folder to get every page of the fixtures as a file, to look at in a browser.
const FOLDER: &str = "UPPSIKT_PAGES";

#[test]
fn every_page_can_be_drawn() {
    let folder = std::env::var_os(FOLDER);
    for (name, html) in pages() {
        assert!(html.starts_with("<!doctype html>"), "{name}");
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(Path::new(folder).join(format!("{name}.html")), html).unwrap();
        }
    }
}
