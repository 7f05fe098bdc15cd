//! Sealed tokens, from the settings' side.

use std::path::Path;

use crate::config::account::PlatformConfig;
use crate::config::{load_tokens, parse, secret};
use crate::runtime::vault::Key;

const LEAST: &str = "[authority]\nname = \"Exempelstads kommun\"\n";

fn env(_: &str) -> Option<String> {
    None
}

const LINKEDIN: &str =
    "[[account]]\nkey = \"l\"\nplatform = \"linkedin\"\nname = \"L\"\norganization_id = \"12\"\n";

#[test]
fn a_sealed_token_is_opened_with_the_key_and_brings_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = "[tokens]\nkey_file = \"nyckel\"\n";
    let text =
        |tokens: &str, name: &str| format!("{LEAST}{tokens}{LINKEDIN}token = \"sealed:{name}\"\n");
    let read = |text: &str| parse("config.toml", text, dir.path(), &env);
    let refused = |text: &str| read(text).unwrap_err().to_string();
    assert!(refused(&text("", "linkedin")).contains("[tokens]"));
    assert!(refused(&text(tokens, "../hemligt")).contains("sealed:youtube"));
    assert!(!refused(&text(tokens, "AbC123hemlig")).contains("AbC123"));
    assert!(refused(&text(tokens, "linkedin")).contains("nyckelfilen"));
    // Connecting makes the key, and reads a file whose accounts are not right yet.
    std::fs::write(dir.path().join("config.toml"), text(tokens, "linkedin")).unwrap();
    let connecting = load_tokens(&dir.path().join("config.toml")).unwrap().tokens;
    let key = Key::read_or_make(&connecting.key_file).unwrap();
    assert!(refused(&text(tokens, "linkedin")).contains("accounts connect"));
    let shelf = secret::Tokens { key: Some(key), ..connecting }.shelf("linkedin");
    let since = "2026-11-23T08:00:00Z";
    let sealed = format!(
        "{{\"token\":\"hemlig-4711\",\"ends\":\"2027-01-22T08:00:00Z\",\"since\":\"{since}\"}}"
    );
    shelf.write(&sealed).unwrap();
    assert!(!std::fs::read_to_string(shelf.path()).unwrap().contains("4711"));
    let config = read(&text(tokens, "linkedin")).unwrap();
    let account = &config.accounts[0];
    let PlatformConfig::LinkedIn { token, .. } = &account.platform else { panic!("{account:?}") };
    assert_eq!(token.expose(), "hemlig-4711");
    assert_eq!(account.token_expires, Some(jiff::civil::date(2027, 1, 22)));
    assert!(!format!("{config:?}").contains("4711"));
    // A day that somebody has written stands; one that is none is told.
    let own = format!("{}token_expires = 2027-01-31\n", text(tokens, "linkedin"));
    let own = read(&own).unwrap().accounts[0].token_expires;
    assert_eq!(own, Some(jiff::civil::date(2027, 1, 31)));
    for wrong in ["\"snart\"", "2027-01-31T10:00:00Z", "31"] {
        let text = format!("{}token_expires = {wrong}\n", text(tokens, "linkedin"));
        assert!(refused(&text).contains("2027-01-31"), "{wrong}");
    }
    // Under another name the seal does not hold.
    std::fs::copy(shelf.path(), dir.path().join("tokens/x.sealed")).unwrap();
    assert!(refused(&text(tokens, "x")).contains("går inte att öppna"));
    assert!(load_tokens(Path::new("/finns/inte")).is_err());
}
