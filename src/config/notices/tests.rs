//! `[mail]` and `[notices]`: what is refused, with place and mend, and what comes out.

use std::path::Path;

use crate::config::notices::{MailSecurity, WebhookForm};
use crate::config::{Config, parse};
use crate::domain::duties::Told;

fn env(name: &str) -> Option<String> {
    match name {
        "LOSEN" => Some("hemligt-losen".to_owned()),
        "KANAL" => Some("https://hooks.exempelstad.example/abc".to_owned()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Config, String> {
    let text = format!("[authority]\nname = \"Exempelstads kommun\"\n{text}");
    parse("config.toml", &text, Path::new("/etc/uppsikt"), &env).map_err(|e| e.to_string())
}

#[test]
fn mail_and_webhooks_are_read_with_their_secrets_by_reference() {
    let config = read(
        "[mail]\nhost = \"smtp.exempelstad.example\"\nsecurity = \"tls\"\nuser = \"uppsikt\"\npassword = \"env:LOSEN\"\nfrom = \"Uppsikt <uppsikt@exempelstad.example>\"\n[notices]\nquiet_free_days = false\n[notices.to]\nchef = \"chef@exempelstad.example\"\n[[notices.webhook]]\nname = \"Jour\"\nformat = \"slack\"\nurl = \"env:KANAL\"\nonly_urgent = true\n",
    )
    .unwrap();
    let mail = config.mail.as_ref().unwrap();
    assert_eq!((mail.port, mail.security), (465, MailSecurity::Tls));
    assert_eq!(mail.login.as_ref().unwrap().1.expose(), "hemligt-losen");
    assert_eq!(config.notices.told[&Told::Manager], "chef@exempelstad.example");
    let hook = &config.notices.webhooks[0];
    assert_eq!((hook.form, hook.only_urgent), (WebhookForm::Slack, true));
    assert!(!config.notices.quiet.unwrap().free_days);
    let shown = format!("{config:?}");
    assert!(!shown.contains("hemligt-losen") && !shown.contains("hooks.exempelstad"), "{shown}");
}

#[test]
fn without_sections_there_is_no_mail_and_nights_are_quiet() {
    let config = read("").unwrap();
    assert!(config.mail.is_none() && config.notices.webhooks.is_empty());
    let quiet = config.notices.quiet.unwrap();
    assert_eq!((quiet.closes.hour(), quiet.opens.hour(), quiet.free_days), (20, 7, true));
    assert!(!config.notices.shows_text);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_mend() {
    for (text, line, told) in [
        ("[mail]\nfrom = \"a@b.example\"", 3, "host = "),
        ("[mail]\nhost = \"a\"\nfrom = \"Uppsikt\"", 5, "ingen e-postadress"),
        (
            "[mail]\nhost = \"a\"\nfrom = \"a@b.example\"\nuser = \"u\"",
            6,
            "`user` kräver `password`",
        ),
        (
            "[mail]\nhost = \"a\"\nfrom = \"a@b.example\"\npassword = \"env:LOSEN\"",
            6,
            "`password` kräver `user`",
        ),
        (
            "[mail]\nhost = \"a\"\nfrom = \"a@b.example\"\nuser = \"u\"\npassword = \"hemligt\"",
            7,
            "får inte stå i filen",
        ),
        (
            "[mail]\nhost = \"smtp.b.example\"\nfrom = \"a@b.example\"\nsecurity = \"ingen\"",
            6,
            "öppet över nätet",
        ),
        ("[mail]\nhost = \"a\"\nfrom = \"a@b.example\"\nport = 0", 6, "mellan 1 och 65535"),
        ("[public_reports.imap]\nhost = \"imap.b.example\"", 3, "nyckeln `user` saknas"),
        (
            "[public_reports.imap]\nhost = \"imap.b.example\"\nsecurity = \"ingen\"\nuser = \"u\"\npassword = \"env:LOSEN\"",
            5,
            "öppet över nätet",
        ),
        ("[notices]\nquiet_from = \"06:00\"", 4, "börja på kvällen"),
        ("[notices]\nquiet_to = \"sju\"", 4, "klockslag"),
        ("[notices.to]\nchef = \"chefen\"", 4, "ingen e-postadress"),
        ("[notices.to]\nkontoansvarig = \"a@b.example\"", 4, "okänd nyckel"),
        ("[[notices.webhook]]\nname = \"J\"\nformat = \"irc\"\nurl = \"env:KANAL\"", 5, "`format`"),
        (
            "[[notices.webhook]]\nname = \"J\"\nformat = \"teams\"\nurl = \"https://h.example/x\"",
            6,
            "får inte stå i filen",
        ),
        ("[notices]\ntxt = true", 4, "menade du `text`"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(told), "{text}\n{error}");
        assert!(error.contains(&format!("config.toml:{line}:")), "{text}\n{error}");
        assert!(!error.contains("h.example/x"), "{error}");
    }
}
