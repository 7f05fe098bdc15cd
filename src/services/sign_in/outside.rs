//! People whom somebody else vouches for: the authority's provider, or a proxy before us.
//!
//! A person is known by what the other side calls them for good (`sub`), never by a name or a mail address, which are
//! given to somebody else some day. Who is new becomes a user; what they may is told by their groups at each log-in.
//! Whoever is in none of our groups gets in no more, and loses what was open.

use std::net::IpAddr;

use crate::domain::card::Card;
use crate::domain::ids::{AccountId, ContentHash};
use crate::domain::notice::Part;
use crate::domain::sign_in::{GroupRule, Way, part_in, rules_of};
use crate::services::session::Opened;
use crate::services::users::{check_name, is_login};
use crate::services::{ServiceError, Services};
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, UserRow};
use crate::store::sqlite::sign_in::Standing;
use crate::store::sqlite::users::NewUser;

use super::sessions::line_of;

/// What stands in place of a password's hash: no password fits it.
const NO_PASSWORD: &str = "!";
/// The longest name by which another knows somebody, in bytes (OpenID Connect Core 1.0, section 2).
const LONGEST_SUBJECT: usize = 255;
/// Who vouches for those whom a proxy tells of.
const PROXY: &str = "proxy";

/// A proxy whose word on who somebody is, is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    /// From where it calls.
    pub addresses: Vec<IpAddr>,
    /// The header with what the person is called for good.
    pub user_header: String,
    /// The header with their name.
    pub name_header: Option<String>,
    /// The header with their groups.
    pub groups_header: String,
    /// What stands between groups.
    pub separator: char,
}

/// A person as another knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who says so.
    pub issuer: String,
    /// What they call the person, for good.
    pub subject: String,
    /// What the person logs in as there.
    pub login: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

const NO_GROUP: &str = "Du är inloggad hos organisationen, men hör inte till någon grupp som får använda Uppsikt. Be den som administrerar Uppsikt att lägga till dig i rätt grupp, och logga in igen.";
const SHUT_OUT: &str =
    "Din användare är avstängd i Uppsikt. Vänd dig till den som administrerar Uppsikt.";
const UNREADABLE: &str = "Organisationens inloggning lämnade uppgifter som Uppsikt inte kan använda. Vänd dig till den som administrerar Uppsikt.";

impl Services {
    /// The proxy that vouches for people, where there is one.
    pub fn trusted_proxy(&self) -> Option<&ProxySettings> {
        self.sign_in().proxy.as_ref()
    }

    /// Logs somebody in by the proxy's word. The caller has seen that it is the proxy that speaks.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn enter_by_proxy(
        &self,
        subject: String,
        name: Option<String>,
        groups: Vec<String>,
        address: IpAddr,
    ) -> Result<Opened, ServiceError> {
        let login = Some(subject.clone());
        let person = Person { issuer: PROXY.to_owned(), subject, login, name, groups };
        self.enter(person, Way::Proxy, address).await
    }

    /// Logs in somebody whom another vouches for.
    pub(super) async fn enter(
        &self,
        person: Person,
        way: Way,
        address: IpAddr,
    ) -> Result<Opened, ServiceError> {
        let plain = !person.subject.trim().is_empty()
            && person.subject.len() <= LONGEST_SUBJECT
            && !person.subject.chars().any(char::is_control);
        if !plain {
            return Err(self.refuse_login(address, Some("subject".into()), UNREADABLE).await?);
        }
        let rules = rules_of(&self.sign_in().groups, &person.groups);
        let known = (person.issuer.clone(), person.subject.clone());
        let known = self.inner.store.outside_user(known.0, known.1).await?;
        let Some(first) = rules.first() else {
            if let Some((user, _)) = known {
                self.turn_out(&user, address).await?;
            }
            return Err(self.refuse_login(address, Some("no group".into()), NO_GROUP).await?);
        };
        let now = self.inner.clock.now();
        let (user, hash) = match known {
            Some((user, _)) if !user.active => {
                return Err(self.refuse_login(address, Some("shut out".into()), SHUT_OUT).await?);
            }
            Some((user, hash)) => (UserRow { role: first.role, ..user }, hash),
            None => (self.join(&person, first, address).await?, NO_PASSWORD.to_owned()),
        };
        let parts = self.parts_of(&rules).await?;
        let standing = Standing { role: first.role, name: user.name.clone(), parts };
        let line = AuditLine {
            detail: Some(first.role.id().to_owned()),
            ..line_of(&user, "user.role", address)
        };
        self.inner.store.follow_groups(user.id, standing, line, now).await?;
        self.let_in(user, hash, way, address).await
    }

    /// Accounts that groups say anything of, with the part that these rules give.
    async fn parts_of(
        &self,
        rules: &[&GroupRule],
    ) -> Result<Vec<(AccountId, Option<Part>)>, ServiceError> {
        let all: Vec<&GroupRule> = self.sign_in().groups.iter().collect();
        let cards = self.inner.store.cards().await?;
        let unit = |account: AccountId| {
            let card = cards.iter().find(|row| row.account == account);
            card.map_or("", |row| {
                let card: &Card = &row.card;
                card.unit.as_str()
            })
        };
        let accounts = self.inner.store.accounts().await?;
        let told = accounts.iter().filter(|a| part_in(&all, &a.key, unit(a.id)).is_some());
        Ok(told.map(|a| (a.id, part_in(rules, &a.key, unit(a.id)))).collect())
    }

    /// Makes a user of somebody who comes for the first time.
    async fn join(
        &self,
        person: &Person,
        rule: &GroupRule,
        address: IpAddr,
    ) -> Result<UserRow, ServiceError> {
        let (store, now) = (&self.inner.store, self.inner.clock.now());
        // Where the name is one that cannot be shown or is somebody's already, a short mark of the person stands for it.
        let of = format!("{}\n{}", person.issuer, person.subject);
        let mark = format!("konto-{}", &ContentHash::of(of.as_bytes()).to_hex()[..10]);
        let users = store.users().await?;
        let login = person.login.as_deref().map(|login| login.trim().to_lowercase());
        let login = login.filter(|login| is_login(login));
        let login = login.filter(|login| users.iter().all(|user| user.login != *login));
        let login = login.unwrap_or_else(|| mark.clone());
        let told = person.name.as_deref().and_then(|name| check_name("Namnet", name).ok());
        let name = told.filter(|name| !name.is_empty()).unwrap_or_else(|| login.clone());
        // The history tells people by name alone.
        let taken = |name: &str| {
            let same = |other: &str| other.to_lowercase() == name.to_lowercase();
            same("Uppsikt") || users.iter().any(|user| user.active && same(&user.name))
        };
        let name = if taken(&name) { format!("{name} ({login})") } else { name };
        let user = NewUser {
            login: login.clone(),
            name: name.clone(),
            title: String::new(),
            role: rule.role,
            password_hash: NO_PASSWORD.to_owned(),
        };
        let line = AuditLine {
            user: None,
            user_name: name.clone(),
            act: "user.join",
            subject: format!("user {login}"),
            address: address.to_string(),
            detail: Some(rule.role.id().to_owned()),
        };
        let by = (person.issuer.clone(), person.subject.clone());
        let id = store.join_user(user, by, line, now).await.map_err(|error| match error {
            // Somebody came in between, perhaps the same person in another tab.
            StoreError::Conflict { .. } => {
                ServiceError::TryLater { why: "Försök logga in igen.".into() }
            }
            error => error.into(),
        })?;
        Ok(UserRow { id, login, name, title: String::new(), role: rule.role, active: true })
    }

    /// Ends what somebody has here who is in none of our groups any more.
    async fn turn_out(&self, user: &UserRow, address: IpAddr) -> Result<(), ServiceError> {
        let told = self.parts_of(&[]).await?.into_iter().map(|(account, _)| account).collect();
        let held = self.inner.store.held_by(user.id).await?;
        let line = line_of(user, "user.turned_out", address);
        let (name, now) = (user.name.clone(), self.inner.clock.now());
        self.inner.store.turn_out(user.id, name, told, line, now).await?;
        self.tell_cases(&held);
        Ok(())
    }
}
