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
    Some(Some(WebhookConfig { secret: signed?, verify }))
}
