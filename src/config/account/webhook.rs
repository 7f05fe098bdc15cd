//! What an account's settings say of pushes.

use super::{Places, secret};
use crate::config::reader::Table;
use crate::domain::account::PlatformKind;
use crate::runtime::secret::Secret;

/// How an app's pushes are known.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// What they are signed with: the app's secret.
    pub secret: Secret,
    /// What Meta shows when it asks whether the address is ours.
    pub verify: Option<Secret>,
    /// The app's number, where the platform is told who asks it to push (LinkedIn).
    pub app: Option<String>,
    /// The person behind the token, likewise.
    pub person: Option<String>,
    /// The app's own token, where that is what the platform wants (X).
    pub token: Option<Secret>,
}

/// The keys for pushes, of the platforms that push to an app.
pub(super) fn read(
    table: &mut Table<'_, '_>,
    kind: PlatformKind,
    places: &Places<'_>,
) -> Option<Option<WebhookConfig>> {
    let is_meta = matches!(kind, PlatformKind::Facebook | PlatformKind::Instagram);
    let is_other = matches!(kind, PlatformKind::X | PlatformKind::TikTok | PlatformKind::LinkedIn);
    if !is_meta && !is_other {
        return Some(None);
    }
    let asked = table.text("webhook_secret");
    let signed = asked.as_ref().map(|at| secret(table, "webhook_secret", at, places));
    let word = if is_meta { table.text("webhook_verify") } else { None };
    let verify = word.as_ref().map(|at| secret(table, "webhook_verify", at, places));
    let asker = match kind {
        PlatformKind::LinkedIn => [table.text("webhook_app"), table.text("webhook_person")],
        _ => [None, None],
    };
    let own = if kind == PlatformKind::X { table.text("webhook_app_token") } else { None };
    let token = own.as_ref().map(|at| secret(table, "webhook_app_token", at, places));
    let written = [table.has("webhook_app"), table.has("webhook_person")];
    if written[0] != written[1] {
        if let Some(one) = asker.iter().flatten().next() {
            table.complain(one, "`webhook_app` (appens nummer) och `webhook_person` (numret på den som har anslutit kontot) hör ihop: skriv båda, så beställer Uppsikt beskeden av LinkedIn");
        }
        return None;
    }
    if written[0] && asker.iter().any(Option::is_none) && kind == PlatformKind::LinkedIn {
        // What is there and is no text has been complained about.
        return None;
    }
    if let Some(at) = asker[0].as_ref().or(own.as_ref())
        && !table.has("webhook_secret")
    {
        table.complain(at, "att beställa besked kräver `webhook_secret`: appens hemlighet hos plattformen, som beskeden är signerade med");
        return None;
    }
    match (&asked, &word) {
        (None, Some(word)) if !table.has("webhook_secret") => {
            table.complain(word, "`webhook_verify` kräver `webhook_secret`: appens hemlighet hos Meta, till exempel `webhook_secret = \"env:UPPSIKT_META_APP\"`");
            return None;
        }
        (Some(_), None) if is_meta && !table.has("webhook_verify") => {
            table.missing("webhook_verify", "webhook_verify = \"env:UPPSIKT_META_ORD\"");
            return None;
        }
        (_, _) => {}
    }
    let Some(signed) = signed else {
        // What is there and is no text has been complained about.
        return (!table.has("webhook_secret")).then_some(None);
    };
    let verify = match verify {
        Some(verify) => Some(verify?),
        None if table.has("webhook_verify") => return None,
        None => None,
    };
    let [app, person] = asker.map(|at| at.map(|at| at.value));
    let token = match token {
        Some(token) => Some(token?),
        None if table.has("webhook_app_token") => return None,
        None => None,
    };
    Some(Some(WebhookConfig { secret: signed?, verify, app, person, token }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, parse};

    fn read(lines: &str) -> Result<Config, String> {
        let text = format!(
            "[authority]\nname = \"Exempelstads kommun\"\n[[account]]\nname = \"A\"\n{lines}"
        );
        let env = |_: &str| Some("hemligt".to_owned());
        parse("config.toml", &text, Path::new("/etc/uppsikt"), &env).map_err(|e| e.to_string())
    }

    #[test]
    fn pushes_are_ordered_where_all_is_there_that_the_platform_asks_for() {
        let linkedin = "key = \"l\"\nplatform = \"linkedin\"\norganization_id = \"1\"\ntoken = \"env:A\"\nwebhook_secret = \"env:B\"\n";
        let whole =
            read(&format!("{linkedin}webhook_app = \"12\"\nwebhook_person = \"aB\"\n")).unwrap();
        let told = whole.accounts[0].webhook.clone().unwrap();
        assert_eq!((told.app.as_deref(), told.person.as_deref()), (Some("12"), Some("aB")));
        let half = read(&format!("{linkedin}webhook_app = \"12\"\n")).unwrap_err();
        assert!(half.contains("hör ihop"), "{half}");
        let x = "key = \"x\"\nplatform = \"x\"\nuser_id = \"1\"\nclient_id = \"k\"\nrefresh_token = \"env:A\"\nwebhook_app_token = \"env:C\"\n";
        let unsigned = read(x).unwrap_err();
        assert!(unsigned.contains("kräver `webhook_secret`"), "{unsigned}");
        let whole = read(&format!("{x}webhook_secret = \"env:B\"\n")).unwrap();
        assert!(whole.accounts[0].webhook.clone().unwrap().token.is_some());
    }

    #[test]
    fn authors_are_limited_only_by_whoever_moderates_the_server() {
        let mastodon = "key = \"m\"\nplatform = \"mastodon\"\nurl = \"https://a.example/\"\ntoken = \"env:A\"\nlimits_authors = true\n";
        let refused = read(mastodon).unwrap_err();
        assert!(refused.contains("moderator = true"), "{refused}");
        assert!(read(&format!("{mastodon}moderator = true\n")).is_ok());
    }
}
