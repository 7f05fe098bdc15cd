//! Mail and webhooks from settings, for notices and for packages to the diary.

use super::AppError;
use crate::config::Config;
use crate::config::notices::{MailSecurity, WebhookForm};
use crate::domain::handover::HandoverWay;
use crate::runtime::clock::Clock;
use crate::services::Services;
use crate::services::handovers::{self, Handovers, HookTo, MailTo, Ways};
use crate::services::hooks;
use crate::services::notices::courier::{
    BadCourier, Courier, HookForm, MailSettings, Security, WebhookSettings,
};
use crate::services::notices::{self, Settings};
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
        security: match mail.security {
            MailSecurity::StartTls => Security::StartTls,
            MailSecurity::Tls => Security::Tls,
            MailSecurity::Plain => Security::Plain,
        },
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
        Err(error) => return Some(Err(crate::runtime::supervise::chain(&error))),
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
