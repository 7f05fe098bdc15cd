//! Mail and webhooks from settings, for notices and for packages to the diary.

use super::AppError;
use crate::config::Config;
use crate::config::diary::PublicReportsConfig;
use crate::config::notices::{MailSecurity, WebhookForm};
use crate::domain::handover::HandoverWay;
use crate::runtime::clock::Clock;
use crate::runtime::supervise::chain;
use crate::services::Services;
use crate::services::forward;
use crate::services::handovers::{self, Handovers, HookTo, MailTo, Ways};
use crate::services::hooks;
use crate::services::imap::{ImapSettings, try_mailbox};
use crate::services::notices::courier::{
    BadCourier, Courier, HookForm, MailSettings, Security, WebhookSettings,
};
use crate::services::notices::{self, Settings};
use crate::services::public_reports::Bounds;
use crate::store::Store;

/// Who is told, and when not.
pub(super) fn settings(config: &Config) -> Settings {
    notices::Settings {
        public_url: config.server.public_url.clone(),
        quiet: config.notices.quiet,
        shows_text: config.notices.shows_text,
        told: config.notices.told.clone(),
    }
}

fn security(kept: MailSecurity) -> Security {
    match kept {
        MailSecurity::StartTls => Security::StartTls,
        MailSecurity::Tls => Security::Tls,
        MailSecurity::Plain => Security::Plain,
    }
}

/// How the public may report.
pub(super) fn reports(config: &PublicReportsConfig) -> Bounds {
    let imap = config.imap.as_ref().map(|imap| ImapSettings {
        host: imap.host.clone(),
        port: imap.port,
        security: security(imap.security),
        login: imap.login.clone(),
        ca_pem: imap.ca_pem.clone(),
        folder: imap.folder.clone(),
    });
    Bounds {
        enabled: config.enabled,
        contact: config.contact.clone(),
        per_day: config.per_day,
        per_address_hour: config.per_address_hour,
        mails_per_day: config.mails_per_day,
        mailbox: config.mailbox.clone(),
        imap,
    }
}

/// What `doctor` says of the mailbox for reports; nothing where the settings name none.
pub(super) async fn mailbox_in_order(config: &Config) -> Option<Result<String, String>> {
    let reports = reports(&config.public_reports);
    let told = match (&reports.imap, &reports.mailbox) {
        (None, None) => return None,
        (Some(imap), _) => match try_mailbox(imap).await {
            Ok(n) => format!("{}:{} svarar, {n} brev i {}", imap.host, imap.port, imap.folder),
            Err(error) => return Some(Err(chain(&error))),
        },
        (None, Some(folder)) => match std::fs::read_dir(folder) {
            Ok(_) => format!("mappen {} går att läsa", folder.display()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                format!("mappen {} görs vid starten", folder.display())
            }
            Err(error) => {
                return Some(Err(format!(
                    "mappen {} går inte att läsa: {error}. Ge Uppsikt rätt att läsa och flytta filer i den",
                    folder.display()
                )));
            }
        },
    };
    Some(Ok(match reports.enabled {
        true => told,
        false => format!("{told}; den läses inte, för `enabled` i [public_reports] är false"),
    }))
}

/// The ways by which notices leave.
pub(super) async fn courier(
    config: &Config,
    store: &Store,
    clock: &Clock,
) -> Result<Courier, AppError> {
    let fresh = uuid::Uuid::new_v4().simple().to_string();
    let installation = store.settle_fact("installation", fresh).await?;
    made(config, installation, clock)
        .map_err(|e| AppError::System { doing: "aviseringarna", source: Box::new(e) })
}

fn made(config: &Config, installation: String, clock: &Clock) -> Result<Courier, BadCourier> {
    let mail = config.mail.as_ref().map(|mail| MailSettings {
        host: mail.host.clone(),
        port: mail.port,
        security: security(mail.security),
        login: mail.login.clone(),
        from: mail.from.clone(),
        ca_pem: mail.ca_pem.clone(),
    });
    let hooks: Vec<_> = config
        .notices
        .webhooks
        .iter()
        .map(|hook| WebhookSettings {
            name: hook.name.clone(),
            form: match hook.form {
                WebhookForm::Teams => HookForm::Teams,
                WebhookForm::Slack => HookForm::Slack,
            },
            url: hook.url.clone(),
            only_urgent: hook.only_urgent,
        })
        .collect();
    Courier::new(mail.as_ref(), &hooks, installation, clock.clone())
}

/// What `doctor` says of the mail server; nothing where there is none in the settings.
pub(super) async fn mail_in_order(
    config: &Config,
    store: &Store,
    clock: &Clock,
) -> Option<Result<String, String>> {
    let mail = config.mail.as_ref()?;
    let courier = match courier(config, store, clock).await {
        Ok(courier) => courier,
        Err(error) => return Some(Err(chain(&error))),
    };
    let found = courier.try_mail().await?;
    Some(found.map(|()| format!("{}:{} svarar och tar emot oss", mail.host, mail.port)))
}

/// By what ways packages are queued for the diary.
pub(super) fn ways(config: &Config) -> Ways {
    let diary = &config.diary;
    let mail = diary.mail.as_ref().map(|_| HandoverWay::Mail);
    let hook = diary.webhook.as_ref().map(|_| HandoverWay::Webhook);
    Ways { ways: mail.into_iter().chain(hook).collect(), secret: diary.secret.clone() }
}

/// Where messages to other systems may go.
pub(super) fn hooks(config: &Config) -> hooks::Settings {
    hooks::Settings {
        allow_loopback: config.api.allow_http_loopback,
        allow_private: config.api.allow_private_addresses,
        keys_for_others: config.api.keys_for_others,
        public_url: Some(config.server.public_url.clone()),
    }
}

/// To which units what is forwarded goes by mail.
pub(super) fn forwarding(config: &Config) -> forward::Settings {
    let units = config.forward.units.iter();
    let units = units.map(|(name, mail)| forward::Unit { name: name.clone(), mail: mail.clone() });
    forward::Settings { units: units.collect(), most_bytes: config.forward.most_bytes }
}

/// What hands packages over.
pub(super) fn handovers(
    config: &Config,
    services: Services,
    courier: Courier,
) -> Result<Handovers, AppError> {
    let diary = &config.diary;
    let hook = diary.webhook.clone().zip(diary.secret.clone()).map(|(url, secret)| HookTo {
        url,
        secret,
        most_bytes: diary.webhook_most_bytes,
        allow_private: diary.allow_private_addresses,
    });
    let mail = diary.mail.clone().map(|address| MailTo {
        address,
        most_bytes: diary.mail_most_bytes,
        secret_too: diary.mail_secret,
    });
    let settings = handovers::Settings {
        mail,
        hook,
        replies: diary.replies.clone(),
        public_url: Some(config.server.public_url.clone()),
    };
    Handovers::new(services, courier, settings)
        .map_err(|e| AppError::System {
            doing: "överlämningen till diariet", source: Box::new(e)
        })
}
