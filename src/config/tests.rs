use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::account::PlatformConfig;
use super::*;
use crate::domain::account::PlatformKind;
use crate::domain::action::ActionKind;

const LONG: &str = "0123456789abcdef0123456789abcdef";

fn env(name: &str) -> Option<String> {
    match name {
        "LOSEN" => Some("hemligt-losen".to_owned()),
        "DELAD" => Some(LONG.to_owned()),
        "TOM" => Some(String::new()),
        "RADER" => Some("en\ntva".to_owned()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Config, ConfigError> {
    parse("config.toml", text, Path::new("/etc/uppsikt"), &env)
}

fn good(text: &str) -> Config {
    match read(text) {
        Ok(config) => config,
        Err(error) => panic!("should be accepted:\n{error}\n---\n{text}"),
    }
}

const LEAST: &str = "[authority]\nname = \"Exempelstads kommun\"\n";

/// The file in the repository, beside which the program is first started.
const SHIPPED: &str = include_str!("../../config.toml");

#[test]
fn the_shipped_file_is_valid_as_it_stands() {
    let config = good(SHIPPED);
    assert_eq!(config.authority, "Exempelstads kommun");
    assert_eq!(config.accounts.len(), 1);
    assert_eq!(config.accounts[0].kind(), PlatformKind::OwnSite);
    assert_eq!(config.accounts[0].interval, Duration::from_secs(10));
}

#[test]
fn the_shipped_file_shows_the_defaults() {
    let shown = good(SHIPPED);
    let bare = good(LEAST);
    let without_accounts = |mut c: Config| {
        c.accounts.clear();
        format!("{c:#?}")
    };
    assert_eq!(without_accounts(shown), without_accounts(bare));
}

/// The shipped file with the `#` taken away from every line that holds a key or a header.
fn shipped_with_examples() -> String {
    let mut text = String::new();
    for line in SHIPPED.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_key = bare.split_once(" = ").is_some_and(|(key, _)| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        });
        let keep = if is_key || bare.starts_with('[') { bare } else { line };
        let _ = writeln!(text, "{keep}");
    }
    text.replace("file = \"riktlinje.toml\"", "")
        .replace("stampel-rot.pem", "fixtures/tsa/ca.pem")
        .replace("epost-rot.pem", "fixtures/tsa/ca.pem")
        .replace("inloggning-rot.pem", "fixtures/tsa/ca.pem")
}

#[test]
fn the_commented_lines_of_the_shipped_file_are_valid_too() {
    let env = |_: &str| Some(LONG.to_owned());
    let text = shipped_with_examples();
    let config = parse("config.toml", &text, Path::new(""), &env).expect("every example holds");
    let kinds: Vec<_> = config.accounts.iter().map(AccountConfig::kind).collect();
    use PlatformKind::{
        Bluesky, Facebook, Flickr, Instagram, LinkedIn, Mastodon, OwnSite, Reddit, TikTok,
        WordPress, X, YouTube,
    };
    assert_eq!(
        kinds,
        [
            OwnSite, WordPress, Facebook, Mastodon, Bluesky, YouTube, Instagram, LinkedIn, Reddit,
            X, TikTok, Flickr
        ]
    );
    assert!(config.server.secure_cookies);
    assert!(matches!(
        &config.accounts[0].platform,
        PlatformConfig::OwnSite { folder: Some(_), secrets, acts: Some(acts) }
            if secrets.len() == 1 && acts.can.len() == 4
    ));
}

#[test]
fn a_proxy_that_is_not_trusted_is_noticed() {
    let https = "public_url = \"https://uppsikt.exempelstad.example\"";
    for (server, untold) in [
        (String::new(), false),
        (https.to_owned(), true),
        (format!("{https}\ntrusted_proxies = [\"127.0.0.1\"]"), false),
    ] {
        let config = good(&format!("{LEAST}\n[server]\n{server}\n"));
        assert_eq!(config.server.proxy_is_untold(), untold, "{server}");
    }
}

#[test]
fn values_come_out_typed_and_paths_are_joined_to_the_folder() {
    let config = good(&format!(
        r#"{LEAST}
[server]
listen = "[::1]:9000"
public_url = "https://uppsikt.exempelstad.example"
trusted_proxies = ["127.0.0.1", "::1"]
[store]
path = "data/u.db"
[evidence]
dir = "/srv/bevis"
browser = "/usr/bin/chromium"
[policy]
undo_s = 0
opens = "07:30"
closes = "16:00"
[limits]
intake_body_kb = 2_048
[[account]]
key = "blogg"
platform = "wordpress"
name = "Bloggen"
url = "https://blogg.exempelstad.example/nyheter"
user = "uppsikt"
password = "env:LOSEN"
[[account]]
key = "forum"
platform = "jsonl"
name = "Forum"
secrets = ["env:DELAD"]
actions_url = "https://forum.exempelstad.example/uppsikt"
can = ["hide", "reply"]
[[account]]
key = "sim"
platform = "facebook"
name = "Simulerad sida"
simulated = true
page_id = "1"
token = "env:LOSEN"
api_url = "http://127.0.0.1:8081"
"#
    ));
    assert_eq!(config.server.listen, "[::1]:9000".parse().expect("a socket address"));
    assert!(config.server.secure_cookies);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.store_path, Path::new("/etc/uppsikt/data/u.db"));
    assert_eq!(config.evidence.folder, Path::new("/srv/bevis"));
    assert_eq!(config.evidence.browser, Browser::Path("/usr/bin/chromium".into()));
    assert_eq!(config.policy.undo, jiff::SignedDuration::ZERO);
    assert_eq!(config.policy.office.opens, jiff::civil::time(7, 30, 0, 0));
    assert_eq!(config.limits.intake_body_bytes, 2 << 20);
    match &config.accounts[0].platform {
        PlatformConfig::WordPress { url, password, .. } => {
            assert_eq!(url.as_str(), "https://blogg.exempelstad.example/nyheter/");
            assert_eq!(password.expose(), "hemligt-losen");
        }
        other => panic!("{other:?}"),
    }
    match &config.accounts[1].platform {
        PlatformConfig::OwnSite { acts: Some(acts), folder: None, .. } => {
            assert_eq!(acts.can, [ActionKind::Hide, ActionKind::Reply]);
            assert_eq!(acts.url.path(), "/uppsikt");
        }
        other => panic!("{other:?}"),
    }
    assert!(config.accounts[2].simulated);
    // Nothing that can be logged shows a secret.
    let shown = format!("{config:?}");
    assert!(!shown.contains("hemligt-losen") && !shown.contains(LONG), "{shown}");
}

#[test]
fn a_wildcard_address_without_encryption_needs_a_plain_word() {
    let open = |more: &str| read(&format!("{LEAST}[server]\nlisten = \"0.0.0.0:80\"\n{more}\n"));
    assert!(open("").is_err());
    assert!(open("secure_cookies = \"never\"").is_ok());
    assert!(open("public_url = \"https://u.example\"").is_ok());
}

/// Broken files: a name, and lines that are added to [`LEAST`] unless the case begins with `!`.
const BROKEN: &[(&str, &str)] = &[
    ("unknown section", "[severr]\nlisten = \"127.0.0.1:1\""),
    (
        "unknown key, near",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\ndir = \"d\"\nintervall_sek = 5",
    ),
    ("unknown key, far", "[store]\nkatalog = \"x\""),
    ("unknown key with a line break in it", "[store]\n\"a\\nb\" = 1"),
    (
        "key of another platform",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\ndir = \"d\"\npage_id = \"1\"",
    ),
    ("no authority", "!"),
    ("blank authority", "![authority]\nname = \"  \""),
    ("authority as number", "![authority]\nname = 7"),
    ("control character in a name", "![authority]\nname = \"a\\u0000b\""),
    ("section as value", "store = \"uppsikt.db\"\n!"),
    ("listen without port", "[server]\nlisten = \"127.0.0.1\""),
    ("listen as name", "[server]\nlisten = \"localhost:8080\""),
    ("listen open without encryption", "[server]\nlisten = \"0.0.0.0:8080\""),
    ("public address with path", "[server]\npublic_url = \"https://a.example/uppsikt\""),
    ("public address of another kind", "[server]\npublic_url = \"ftp://a.example\""),
    (
        "cookies never over https",
        "[server]\npublic_url = \"https://a.example\"\nsecure_cookies = \"never\"",
    ),
    ("cookies as truth", "[server]\nsecure_cookies = true"),
    ("proxy as name", "[server]\ntrusted_proxies = [\"proxy.example\"]"),
    ("proxy not a list", "[server]\ntrusted_proxies = \"127.0.0.1\""),
    ("browser by name", "[evidence]\nbrowser = \"chromium\""),
    ("capture too long", "[evidence]\ncapture_s = 600"),
    ("negative number", "[evidence]\nattachment_mb = -1"),
    ("number as text", "[limits]\nclaim_min = \"15\""),
    ("number too large for the machine", "[limits]\nclaim_min = 99999999999999999999999"),
    ("fraction", "[limits]\nsession_h = 1.5"),
    ("log format, near", "[log]\nformat = \"jsom\""),
    ("log level, far", "[log]\nlevel = \"allt\""),
    ("office closes before it opens", "[policy]\nopens = \"17:00\"\ncloses = \"08:00\""),
    ("office at no time", "[policy]\nopens = \"8\""),
    ("office in the hour that is skipped", "[policy]\nopens = \"02:30\""),
    ("undo too long", "[policy]\nundo_s = 3600"),
    ("policy that is not there", "[policy]\nfile = \"saknas.toml\""),
    ("account as one table", "[account]\nkey = \"a\""),
    ("account without anything", "[[account]]"),
    (
        "account key with letters it cannot have",
        "[[account]]\nkey = \"Min Blogg\"\nplatform = \"jsonl\"\nname = \"A\"\ndir = \"d\"",
    ),
    (
        "two accounts with one key",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\ndir = \"d\"\n[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"B\"\ndir = \"e\"",
    ),
    ("unknown platform, near", "[[account]]\nkey = \"a\"\nplatform = \"word-press\"\nname = \"A\""),
    ("unknown platform, far", "[[account]]\nkey = \"a\"\nplatform = \"fax\"\nname = \"A\""),
    (
        "interval too short",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\ndir = \"d\"\ninterval_s = 1",
    ),
    ("own site without a source", "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\""),
    (
        "own site with three secrets",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\nsecrets = [\"env:DELAD\", \"env:DELAD\", \"env:DELAD\"]",
    ),
    (
        "shared secret too short",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\nsecrets = [\"env:LOSEN\"]",
    ),
    (
        "acts without secrets",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\ndir = \"d\"\nactions_url = \"https://a.example/u\"\ncan = [\"hide\"]",
    ),
    (
        "acts without verbs",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\nsecrets = [\"env:DELAD\"]\nactions_url = \"https://a.example/u\"",
    ),
    (
        "verbs without acts",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\ndir = \"d\"\ncan = [\"hide\"]",
    ),
    (
        "verb that nobody offers",
        "[[account]]\nkey = \"a\"\nplatform = \"jsonl\"\nname = \"A\"\nsecrets = [\"env:DELAD\"]\nactions_url = \"https://a.example/u\"\ncan = [\"hid\", \"register\"]",
    ),
    (
        "bluesky with an address for a handle",
        "[[account]]\nkey = \"a\"\nplatform = \"bluesky\"\nname = \"A\"\nhandle = \"@kommunen\"\npassword = \"env:LOSEN\"",
    ),
    (
        "youtube with a handle for a channel",
        "[[account]]\nkey = \"a\"\nplatform = \"youtube\"\nname = \"A\"\nchannel_id = \"@kommunen\"\nclient_id = \"k\"\nclient_secret = \"env:LOSEN\"\nrefresh_token = \"env:LOSEN\"\nunits_per_day = 10",
    ),
    (
        "youtube with a simulator's address and without consent",
        "[[account]]\nkey = \"a\"\nplatform = \"youtube\"\nname = \"A\"\nchannel_id = \"UCexempelstadsimulerad00\"\napi_url = \"http://127.0.0.1:8081/\"",
    ),
    (
        "instagram with a name for a number and a page beside a login of its own",
        "[[account]]\nkey = \"a\"\nplatform = \"instagram\"\nname = \"A\"\nig_id = \"kommunen\"\nlogin = \"instagram\"\npage_id = \"1\"\ntoken = \"env:LOSEN\"",
    ),
    (
        "instagram simulated nowhere, by no known way",
        "[[account]]\nkey = \"a\"\nplatform = \"instagram\"\nname = \"A\"\nsimulated = true\nig_id = \"1\"\nlogin = \"meta\"\ntoken = \"env:LOSEN\"",
    ),
    (
        "linkedin with a name for a number and too few calls",
        "[[account]]\nkey = \"a\"\nplatform = \"linkedin\"\nname = \"A\"\norganization_id = \"kommunen\"\ncalls_per_day = 5\ntoken = \"env:LOSEN\"",
    ),
    (
        "reddit with what stands before names there and without consent",
        "[[account]]\nkey = \"a\"\nplatform = \"reddit\"\nname = \"A\"\naccount = \"u/kommunen\"\nsubreddit = \"r/kommunen\"\nclient_id = \"k\"",
    ),
    (
        "x with a name for a number and without consent",
        "[[account]]\nkey = \"a\"\nplatform = \"x\"\nname = \"A\"\nuser_id = \"@kommunen\"\nclient_id = \"k\"",
    ),
    (
        "tiktok with a handle for an id and without consent",
        "[[account]]\nkey = \"a\"\nplatform = \"tiktok\"\nname = \"A\"\nbusiness_id = \"@kommunen\"\nclient_id = \"k\"",
    ),
    (
        "flickr with a name for an id and without consent",
        "[[account]]\nkey = \"a\"\nplatform = \"flickr\"\nname = \"A\"\nuser_id = \"kommunen\"\napi_key = \"k\"",
    ),
    (
        "pushes of meta without what they are signed with, and without the word for the address",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"env:LOSEN\"\nwebhook_verify = \"env:LOSEN\"\n[[account]]\nkey = \"b\"\nplatform = \"instagram\"\nname = \"B\"\nig_id = \"1\"\ntoken = \"env:LOSEN\"\nwebhook_secret = \"env:LOSEN\"",
    ),
    (
        "pushes where the platform has none",
        "[[account]]\nkey = \"a\"\nplatform = \"mastodon\"\nname = \"A\"\nurl = \"https://a.example\"\ntoken = \"env:LOSEN\"\nwebhook_secret = \"env:LOSEN\"",
    ),
    (
        "bluesky simulated nowhere",
        "[[account]]\nkey = \"a\"\nplatform = \"bluesky\"\nname = \"A\"\nsimulated = true\nhandle = \"a.example\"\npassword = \"env:LOSEN\"",
    ),
    (
        "wordpress without anything",
        "[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"",
    ),
    (
        "wordpress over http",
        "[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"\nurl = \"http://a.example\"\nuser = \"u\"\npassword = \"env:LOSEN\"",
    ),
    (
        "wordpress in a private net",
        "[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"\nurl = \"https://10.1.2.3/\"\nuser = \"u\"\npassword = \"env:LOSEN\"",
    ),
    (
        "wordpress on this machine by a mapped address",
        "[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"\nurl = \"https://[::ffff:127.0.0.1]/\"\nuser = \"u\"\npassword = \"env:LOSEN\"",
    ),
    (
        "wordpress on this machine by a decimal address",
        "[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"\nurl = \"https://2130706433/\"\nuser = \"u\"\npassword = \"env:LOSEN\"",
    ),
    (
        "password in the address",
        "[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"\nurl = \"https://u:hemligt-losen@a.example\"\nuser = \"u\"\npassword = \"env:LOSEN\"",
    ),
    (
        "no address",
        "[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"\nurl = \"bloggen\"\nuser = \"u\"\npassword = \"env:LOSEN\"",
    ),
    (
        "address with query",
        "[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"\nurl = \"https://a.example/?p=1\"\nuser = \"u\"\npassword = \"env:LOSEN\"",
    ),
    (
        "simulator on another machine",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\nsimulated = true\npage_id = \"1\"\ntoken = \"env:LOSEN\"\napi_url = \"https://graph.example/\"",
    ),
    (
        "simulator without address",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\nsimulated = true\npage_id = \"1\"\ntoken = \"env:LOSEN\"",
    ),
    (
        "other address without simulator",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"env:LOSEN\"\napi_url = \"http://127.0.0.1:1/\"",
    ),
    (
        "page by name",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"exempelstad\"\ntoken = \"env:LOSEN\"",
    ),
    (
        "secret in the file",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"hemligt-losen\"",
    ),
    (
        "secret behind env",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"env:hemligt-losen\"",
    ),
    (
        "secret as number",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = 4711",
    ),
    (
        "variable that is not set",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"env:SAKNAS\"",
    ),
    (
        "variable that is empty",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"env:TOM\"",
    ),
    (
        "secret of two lines",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"env:RADER\"",
    ),
    (
        "secret file that is not there",
        "[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"file:/nonexistent/token\"",
    ),
    (
        "several faults at once",
        "[server]\nlisten = \"x\"\n[log]\nlevel = \"inof\"\n[limits]\nfoo = 1\nclaim_min = 0\n[[account]]\nkey = \"a\"\nplatform = \"wordpress\"\nname = \"A\"\nurl = \"http://a.example\"\npassword = \"x\"",
    ),
    (
        "witnesses by mail without mail",
        "[evidence.checkpoint]\nwitness_mail = [\"arkiv@exempelstad.example\"]",
    ),
    ("diary by mail without a mail server", "[diary]\nmail = \"registrator@exempel.example\""),
    ("diary by call without a secret", "[diary]\nwebhook = \"https://diariet.example/\""),
    (
        "diary by call in the open",
        "[diary]\nwebhook = \"http://diariet.example/\"\nsecret = \"env:DELAD\"",
    ),
    ("diary with a short secret", "[diary]\nsecret = \"env:LOSEN\""),
    ("reports of the public without anybody to turn to", "[public_reports]\nenabled = true"),
    ("key twice", "[store]\npath = \"a\"\npath = \"b\""),
    ("section twice", "[store]\n[store]"),
    ("text without quotes", "[store]\npath = uppsikt.db"),
    ("text that does not end", "[store]\npath = \"uppsikt.db"),
    ("key without value", "[store]\npath ="),
    ("header that does not end", "[store\npath = \"a\""),
    ("swedish letters in a bare key", "[store]\nsökväg = \"a\""),
    ("list that does not end", "[server]\ntrusted_proxies = [\"127.0.0.1\""),
    ("backslash", "[store]\npath = \"c:\\data\""),
];

fn broken_text(lines: &str) -> String {
    if let Some(lines) = lines.strip_prefix('!') {
        lines.to_owned()
    } else if let Some(lines) = lines.strip_suffix("\n!") {
        format!("{lines}\n{LEAST}")
    } else {
        format!("{LEAST}{lines}\n")
    }
}

#[test]
fn broken_files_are_refused_with_line_and_mend() {
    let mut table = String::new();
    for (name, lines) in BROKEN {
        match read(&broken_text(lines)) {
            Ok(_) => panic!("should be refused: {name}"),
            Err(error) => {
                let error = error.to_string();
                assert!(!error.contains("hemligt-losen"), "{name} shows a secret: {error}");
                let _ = writeln!(table, "── {name}\n{error}");
            }
        }
    }
    insta::assert_snapshot!("broken_files", table);
}

#[test]
fn the_table_of_broken_files_has_no_doubles_and_is_large() {
    let mut names: Vec<_> = BROKEN.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), BROKEN.len());
    assert!(BROKEN.len() >= 40);
}

#[test]
fn one_bad_value_gives_one_complaint_and_makes_no_other_key_unknown() {
    let env = |_: &str| Some(LONG.to_owned());
    let text = shipped_with_examples();
    let mut tried = 0;
    for (index, line) in text.lines().enumerate() {
        let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let broken: Vec<_> = text
            .lines()
            .enumerate()
            .map(
                |(i, line)| {
                    if i == index { format!("{key} = 2000-01-01") } else { line.to_owned() }
                },
            )
            .collect();
        match parse("c", &broken.join("\n"), Path::new(""), &env) {
            Err(ConfigError::Refused(complaints)) => {
                assert_eq!(complaints.len(), 1, "{key}: {complaints:#?}");
                assert_eq!(complaints[0].line, index + 1, "{key}");
                assert!(complaints[0].what.contains("inte ett datum"), "{key}");
            }
            other => panic!("{key}: {other:?}"),
        }
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn any_bytes_are_answered_without_panic() {
    use proptest::prelude::*;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("config.toml");
    proptest!(ProptestConfig::with_cases(256), |(bytes in any::<Vec<u8>>(), at in 0..SHIPPED.len(), cut in 0..40usize)| {
        fs::write(&path, &bytes).expect("a temporary file");
        prop_assert!(load(&path, &env).is_err());
        // The shipped file with a piece torn out of it, wherever that is.
        let mut torn = SHIPPED.as_bytes().to_vec();
        torn.splice(at..(at + cut).min(SHIPPED.len()), bytes);
        fs::write(&path, &torn).expect("a temporary file");
        if let Err(ConfigError::Refused(complaints)) = load(&path, &env) {
            let lines = torn.iter().filter(|b| **b == b'\n').count() + 1;
            prop_assert!(!complaints.is_empty());
            prop_assert!(complaints.iter().all(|c| (1..=lines).contains(&c.line) && c.column >= 1));
        }
    });
}

#[test]
fn a_file_that_is_no_utf8_is_told_by_line() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("config.toml");
    fs::write(&path, b"[authority]\nname = \"\xc5lid\"\n").expect("a temporary file");
    let error = load(&path, &env).expect_err("Latin-1 is refused").to_string();
    assert!(
        error.ends_with(":2:9: tecknet är inte UTF-8: spara filen med teckenkodningen UTF-8"),
        "{error}"
    );
    fs::write(&path, format!("\u{FEFF}{LEAST}")).expect("a temporary file");
    assert!(load(&path, &env).is_ok(), "a byte order mark is no fault");
    let missing = load(&dir.path().join("nej.toml"), &env).expect_err("there is no such file");
    assert!(matches!(&missing, ConfigError::Unreadable { .. }));
    assert!(std::error::Error::source(&missing).is_some());
}

#[test]
fn a_file_without_end_or_bottom_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("config.toml");
    let attempt = |text: String| {
        fs::write(&path, text).expect("a temporary file");
        load(&path, &env).expect_err("is refused").to_string()
    };
    assert!(attempt("#".repeat(2 << 20)).ends_with("det är knappast rätt fil"));
    for open in ["[", "{a=", "a."] {
        let deep = attempt(format!("a = {}", open.repeat(100_000)));
        assert!(deep.contains("filen följer inte TOML här"), "{}", &deep[..200.min(deep.len())]);
    }
    assert!(load(Path::new("/dev/zero"), &env).is_err());
    let many = attempt((0..1000).fold(String::new(), |text, i| format!("{text}a{i} = 1\n")));
    assert_eq!(many.lines().count(), 26);
    assert!(many.ends_with("och 976 fel till: rätta de första och försök igen"), "{many}");
}

#[test]
fn secret_files_must_be_closed_to_others_and_lose_their_last_line_break() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("token");
    let text = format!(
        "{LEAST}[[account]]\nkey = \"a\"\nplatform = \"facebook\"\nname = \"A\"\npage_id = \"1\"\ntoken = \"file:token\"\n"
    );
    let attempt = |content: &[u8], mode: u32| {
        fs::write(&file, content).expect("a temporary file");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("its mode");
        let read = parse("c", &text, dir.path(), &env);
        read.map(|config| match &config.accounts[0].platform {
            PlatformConfig::Facebook { token, .. } => token.expose().to_owned(),
            other => panic!("{other:?}"),
        })
        .map_err(|error| error.to_string())
    };
    assert_eq!(attempt(b"abc\n", 0o600).as_deref(), Ok("abc"));
    assert_eq!(attempt(b"abc\r\n", 0o400).as_deref(), Ok("abc"));
    assert_eq!(attempt(b" abc ", 0o600).as_deref(), Ok(" abc "));
    for mode in [0o640, 0o604, 0o644, 0o660, 0o622] {
        let error = attempt(b"abc", mode).expect_err("others may touch it");
        assert!(error.contains("chmod 600") && !error.contains("abc"), "{error}");
    }
    assert!(attempt(b"", 0o600).is_err_and(|e| e.contains("är tom")));
    assert!(attempt(b"a\nb\n", 0o600).is_err_and(|e| e.contains("en enda rad")));
    assert!(attempt(b"\xff\xfe", 0o600).is_err_and(|e| e.contains("UTF-8")));
    assert!(attempt(&[b'a'; 70_000], 0o600).is_err_and(|e| e.contains("för stor")));
    let folder = text.replace("file:token", "file:.");
    let error = parse("c", &folder, dir.path(), &env).expect_err("a folder is no file");
    assert!(error.to_string().contains("ingen vanlig fil"), "{error}");
}

mod policies {
    use super::*;
    use crate::config::policy::parse;
    use crate::config::policy::ready::standard;
    use crate::domain::category::{Category, Severity, Task};
    use crate::domain::deadline::Clock;
    use crate::domain::policy::Proposed;

    const STANDARD: &str = include_str!("../../lexicons/policies/standard.toml");

    #[test]
    fn the_standard_policy_is_valid_and_has_an_answer_for_everything() {
        let policy = standard().expect("the built-in policy is valid");
        for &category in Category::ALL {
            let rule = policy.rule(category);
            for severity in [Severity::Low, Severity::Medium, Severity::High] {
                let line = rule.line(severity);
                assert!(!line.choices.is_empty());
                assert!(rule.ground.is_some() || !line.choices.iter().any(|c| c.removes()));
            }
            if let Some(ground) = rule.ground {
                let suggested = crate::domain::ground::Ground::suggested_by(category);
                assert!(suggested.contains(&ground), "{category}: {ground:?}");
            } else {
                assert_eq!(category.task(), Task::Routing);
            }
        }
        let threat = policy.rule(Category::Threat).line(Severity::High);
        assert_eq!(threat.clock, Clock::AtOnce);
        assert_eq!(
            threat.choices,
            [Proposed::Hide, Proposed::Register, Proposed::ConsiderPoliceReport]
        );
        assert_eq!(policy.rule(Category::Question).low.clock, Clock::TWO_WORKING_DAYS);
        assert_eq!(policy.rule(Category::Insult).medium.clock, Clock::ELAPSED_24H);
    }

    #[test]
    fn party_politics_is_never_hidden_by_the_standard_policy() {
        let policy = standard().expect("the built-in policy is valid");
        let rule = policy.rule(Category::PartyPolitical);
        for severity in [Severity::Low, Severity::Medium, Severity::High] {
            assert!(rule.line(severity).choices.iter().all(|c| !c.removes()));
        }
    }

    #[test]
    fn broken_policies_are_refused_with_line_and_mend() {
        let change = |from: &str, to: &str| {
            assert!(STANDARD.contains(from), "{from}");
            STANDARD.replacen(from, to, 1)
        };
        let cases = [
            ("unknown category", change("[hate]", "[hatt]")),
            (
                "unknown key",
                change("clock = \"svar48\"\n", "clock = \"svar48\"\nklocka = \"svar48\"\n"),
            ),
            ("unknown clock", change("clock = \"omedelbart\" }", "clock = \"omedelbar\" }")),
            ("unknown ground", change("ground = \"hot\"", "ground = \"kritik\"")),
            ("unknown choice", change("do = [\"refer\"]", "do = [\"block\"]")),
            (
                "choice twice",
                change("do = [\"register\", \"forward\"]", "do = [\"forward\", \"forward\"]"),
            ),
            (
                "choices that exclude each other",
                change("do = [\"hide\", \"register\", \"police\"]", "do = [\"hide\", \"delete\"]"),
            ),
            ("nothing to do", change("do = [\"dismiss\"]", "do = []")),
            ("removing without a ground", change("ground = \"reklam\"\n", "")),
            ("removing messages", change("do = [\"answer\"]", "do = [\"hide\"]")),
            ("no reason", change("why = \"Reklam bryter mot sidans regler.\"\n", "")),
            (
                "severity left out",
                change("low = { do = [\"register\"], clock = \"nasta_arbetsdag\" }\n", ""),
            ),
            ("unknown severity", change("low = {", "lov = {")),
            ("no messages", change("[message]", "[messages]")),
            ("office hours", change("opens = \"08:00\"", "opens = \"24:00\"")),
        ];
        let mut table = String::new();
        for (name, text) in cases {
            let error = parse("riktlinje.toml", &text).expect_err(name);
            let _ = writeln!(table, "── {name}\n{error}");
        }
        insta::assert_snapshot!("broken_policies", table);
    }

    #[test]
    fn a_file_of_ones_own_is_used_and_its_faults_are_told_with_its_name() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let text = format!("{LEAST}[policy]\nfile = \"egen.toml\"\n");
        let own = STANDARD
            .replace("Standardriktlinje\"", "Exempelstads riktlinje\"")
            .replace("undo_s = 10", "undo_s = 25");
        fs::write(dir.path().join("egen.toml"), &own).expect("a temporary file");
        let config = crate::config::parse("c", &text, dir.path(), &env).expect("is valid");
        assert_eq!(config.policy.name, "Exempelstads riktlinje");
        assert_eq!(config.policy.undo.as_secs(), 25);
        assert_ne!(config.policy.version, standard().expect("valid").version);
        // What the main file says goes before.
        let over = crate::config::parse("c", &format!("{text}undo_s = 5\n"), dir.path(), &env);
        assert_eq!(over.expect("is valid").policy.undo.as_secs(), 5);

        fs::write(dir.path().join("egen.toml"), own.replace("[hate]", "[hatt]")).expect("written");
        let error = crate::config::parse("c", &format!("{text}nej = 1\n"), dir.path(), &env)
            .expect_err("both files have faults")
            .to_string();
        assert!(error.contains("egen.toml:") && error.contains("`hatt`"), "{error}");
        assert!(error.starts_with("c:5:1: okänd nyckel `nej`"), "{error}");
    }
}
