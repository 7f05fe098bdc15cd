//! How people log in, from the settings.

use super::AppError;
use crate::config::Config;
use crate::runtime::clock::Clock;
use crate::services::sign_in::SignIn;
use crate::services::sign_in::oidc::{Provider, ProviderSettings};
use crate::services::sign_in::outside::ProxySettings;

/// Where the provider sends people back, below the address that they type.
const ANSWER: &str = "logga-in/svar";

/// Puts it together; nobody is asked anything yet.
///
/// # Errors
/// [`AppError::System`] where the provider's address is not to be called.
pub fn sign_in(config: &Config, clock: &Clock) -> Result<SignIn, AppError> {
    let login = &config.login;
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| AppError::System {
        doing: "organisationens inloggning",
        source,
    };
    let provider = login.oidc.as_ref().map(|oidc| {
        let redirect = config.server.public_url.join(ANSWER).map_err(|e| failed(e.into()))?;
        let settings = ProviderSettings {
            issuer: oidc.issuer.clone(),
            client: oidc.client.clone(),
            secret: oidc.secret.clone(),
            name: oidc.name.clone(),
            scopes: oidc.scopes.clone(),
            groups_claim: oidc.groups_claim.clone(),
            redirect,
            allow_private: oidc.allow_private_addresses,
            ca_pem: oidc.ca_pem.clone(),
        };
        Provider::new(settings, clock.clone()).map_err(|e| failed(e.into()))
    });
    let proxy = login.proxy.as_ref().map(|proxy| ProxySettings {
        addresses: proxy.addresses.iter().map(|ip| ip.to_canonical()).collect(),
        user_header: proxy.user_header.clone(),
        name_header: proxy.name_header.clone(),
        groups_header: proxy.groups_header.clone(),
        separator: proxy.separator,
    });
    Ok(SignIn {
        demanded: login.demanded.clone(),
        key_file: login.key_file.clone(),
        groups: login.groups.clone(),
        provider: provider.transpose()?,
        proxy,
    })
}

/// Whether the authority's provider can be asked, where there is one: for `doctor`.
pub async fn provider_in_order(config: &Config, clock: &Clock) -> Option<Result<String, String>> {
    config.login.oidc.as_ref()?;
    let found = match sign_in(config, clock) {
        Ok(SignIn { provider: Some(provider), .. }) => provider.look().await,
        Ok(_) => return None,
        Err(error) => Err(error.to_string()),
    };
    Some(match found {
        Ok(()) => {
            let back = config.server.public_url.join(ANSWER).map(String::from);
            Ok(format!("svarar; ska ha adressen {} registrerad", back.unwrap_or_default()))
        }
        Err(why) => Err(format!("går inte att använda ({why}): se [login.oidc]")),
    })
}
