//! Who answers for an account, how they are reached, and when they are away: set at the command line.

use jiff::civil::Date;

use crate::domain::calendar::local;
use crate::domain::ids::AccountKey;
use crate::domain::notice::Part;
use crate::domain::person::Act;
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::rows::{AuditLine, UserRow};

use super::users::{known, line};
use super::{ServiceError, Services};

/// Somebody with a part in an account, as the list shows them.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The account's key.
    pub account: String,
    /// The account's name.
    pub account_name: String,
    /// Login name.
    pub login: String,
    /// Name.
    pub name: String,
    /// Their part, in Swedish.
    pub part: &'static str,
    /// Where they are written to.
    pub mail: Option<String>,
    /// Away today.
    pub away: bool,
}

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

/// Sets where somebody is written to, or that they are not.
///
/// # Errors
/// [`ServiceError::Refused`] where there is no such user, or it is no address.
pub async fn set_mail(
    store: &Store,
    clock: &Clock,
    login: &str,
    mail: Option<&str>,
) -> Result<(), ServiceError> {
    let user = known(store, login).await?;
    let mail = mail.map(str::trim).map(str::to_owned);
    if let Some(mail) = &mail
        && mail.parse::<lettre::Address>().is_err()
    {
        return refused("Det är ingen e-postadress. Skriv den som namn@exempelstad.example.");
    }
    let line = line("user.mail", &user.login);
    Ok(store.set_contact(user.id, mail, line, clock.now()).await?)
}

/// Refuses a part in an account for whoever could do nothing there: closed, or of a role that does not decide.
pub(super) fn can_work(user: &UserRow) -> Result<(), ServiceError> {
    if !user.active {
        return refused(format!("{} är avstängd och kan inte ha hand om ett konto.", user.name));
    }
    if !user.role.may(Act::Decide) {
        return refused(format!(
            "{} är {} och kan inte besluta i ärenden. Välj en redaktör eller kontoansvarig.",
            user.name,
            user.role.label().to_lowercase()
        ));
    }
    Ok(())
}

/// Gives somebody a part in an account, or none.
///
/// # Errors
/// [`ServiceError::Refused`] where there is no such user or account.
pub async fn set_part(
    store: &Store,
    clock: &Clock,
    account: &str,
    login: &str,
    part: Option<Part>,
) -> Result<(), ServiceError> {
    let user = known(store, login).await?;
    if part.is_some() {
        can_work(&user)?;
    }
    let overview = store.account_overview().await?;
    let Some(found) = overview.into_iter().find(|o| o.account.key.as_str() == account) else {
        return refused(format!(
            "Det finns inget konto med nyckeln {account}. Kontot blir känt när Uppsikt har startats med det i config.toml."
        ));
    };
    let line = AuditLine {
        detail: Some(format!("{}: {}", user.login, part.map_or("ingen del", Part::label))),
        ..line("account.people", &user.login)
    };
    let line = AuditLine { subject: format!("account {account}"), ..line };
    Ok(store.set_part(found.account.id, user.id, part, line, clock.now()).await?)
}

/// Notes that somebody is away, both days included; or, without days, that they are not any more.
///
/// # Errors
/// [`ServiceError::Refused`] where there is no such user, or the days stand the wrong way round.
pub async fn set_away(
    store: &Store,
    clock: &Clock,
    login: &str,
    days: Option<(Date, Date)>,
) -> Result<(), ServiceError> {
    let user = known(store, login).await?;
    let now = clock.now();
    match days {
        Some((first, last)) if first > last => {
            refused("Den sista dagen ligger före den första. Skriv dem i ordning.")
        }
        Some(days) => {
            let line = line("user.away", &user.login);
            Ok(store.add_absence(user.id, days, line, now).await?)
        }
        None => {
            let line = line("user.back", &user.login);
            Ok(store.clear_absences(user.id, local(now).date(), line, now).await?)
        }
    }
}

/// Everybody with a part in an account; of one account where it is named.
///
/// # Errors
/// [`ServiceError`].
pub async fn all(store: &Store, clock: &Clock) -> Result<Vec<Listed>, ServiceError> {
    let day = local(clock.now()).date();
    let mut listed = Vec::new();
    for overview in store.account_overview().await? {
        let account = overview.account;
        for someone in store.people_of(account.id, day).await? {
            listed.push(Listed {
                account: account.key.as_str().to_owned(),
                account_name: account.name.clone(),
                login: someone.user.login,
                name: someone.user.name,
                part: someone.part.map_or("", Part::label),
                mail: someone.mail,
                away: someone.away,
            });
        }
    }
    Ok(listed)
}

impl Services {
    /// The keys of the accounts that are served.
    pub fn accounts(&self) -> Vec<AccountKey> {
        let mut keys: Vec<_> =
            self.inner.accounts.values().map(|served| served.account.key.clone()).collect();
        keys.sort_unstable();
        keys
    }

    /// [`set_part`] where the program runs: the demo.
    ///
    /// # Errors
    /// As [`set_part`].
    pub async fn set_part(
        &self,
        account: &str,
        login: &str,
        part: Option<Part>,
    ) -> Result<(), ServiceError> {
        set_part(&self.inner.store, &self.inner.clock, account, login, part).await
    }
}
