//! Who is responsible (*ansvarig*) for a case before anybody has taken it: whoever published the post that it
//! stands under, as the rulebooks say, and else whoever answers for the account; their substitute while they
//! are away.

use crate::domain::account::Account;
use crate::domain::calendar::local;
use crate::domain::ids::CaseId;
use crate::domain::person::Act;
use crate::domain::sieve::Candidate;
use crate::store::sqlite::publishers;

use super::corrections::words;
use super::queue::Line;
use super::{ServiceError, Services, Viewer};

/// A user of the platform, and whom they are known to be.
pub type Publisher = publishers::Publisher;

/// Who is responsible, in words: `Kim Exempel`, `Eva Exempel (ersätter Kim Exempel)`.
pub fn named(who: &publishers::Responsible) -> String {
    match &who.stands_in_for {
        Some(other) => format!("{} (ersätter {other})", who.name),
        None => who.name.clone(),
    }
}

/// The page of those who publish on an account.
#[derive(Clone, Debug)]
pub struct Board {
    /// The account.
    pub account: Account,
    /// Those that are known of.
    pub publishers: Vec<Publisher>,
    /// Whom they may be: login and name.
    pub users: Vec<(String, String)>,
    /// Whether the viewer may say so.
    pub may_edit: bool,
}

impl Services {
    fn today(&self) -> jiff::civil::Date {
        local(self.inner.clock.now()).date()
    }

    /// Puts in each line who is responsible.
    pub(super) async fn name_lines(&self, lines: &mut [Line]) -> Result<(), ServiceError> {
        let cases = lines.iter().map(|line| line.case).collect();
        let all = self.inner.store.responsible(cases, self.today()).await?;
        for line in lines {
            line.responsible = all.get(&line.case).map(named);
        }
        Ok(())
    }

    /// The same for what cases are picked by.
    pub(super) async fn name_responsible(
        &self,
        cases: &mut [Candidate],
    ) -> Result<(), ServiceError> {
        let numbers = cases.iter().map(|case| case.case).collect();
        let all = self.inner.store.responsible(numbers, self.today()).await?;
        for case in cases {
            case.responsible = all.get(&case.case).map(|who| who.user);
        }
        Ok(())
    }

    /// Who is responsible for one case.
    pub(super) async fn responsible_for(
        &self,
        case: CaseId,
    ) -> Result<Option<String>, ServiceError> {
        let all = self.inner.store.responsible(vec![case], self.today()).await?;
        Ok(all.get(&case).map(named))
    }

    /// Who publishes on an account.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn publishers(&self, viewer: &Viewer, key: &str) -> Result<Board, ServiceError> {
        let file = self.account_file(viewer, key).await?;
        let account = file.entry.account;
        let publishers = self.inner.store.publishers(account.id).await?;
        Ok(Board { account, publishers, users: file.users, may_edit: file.entry.may_edit })
    }

    /// Says whom a user of the platform is; no login: that nobody knows.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] unless the viewer keeps the register or answers for the account;
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn set_publisher(
        &self,
        viewer: &Viewer,
        key: &str,
        platform_user: &str,
        login: &str,
    ) -> Result<(), ServiceError> {
        let board = self.publishers(viewer, key).await?;
        if !board.may_edit {
            return Err(ServiceError::NotPermitted { act: Act::ManageAccounts });
        }
        let platform_user = words(platform_user, "Användaren")?;
        if platform_user.is_empty() || platform_user.chars().count() > 200 {
            return Err(ServiceError::Refused {
                why: "Skriv vad plattformen kallar den som publicerar.".into(),
            });
        }
        let user = match login {
            "" => None,
            login => match board.users.iter().find(|(known, _)| known == login) {
                Some(_) => Some(super::users::known(&self.inner.store, login).await?.id),
                None => {
                    return Err(ServiceError::Refused {
                        why: "Personen finns inte, eller kan inte besluta i ärenden.".into(),
                    });
                }
            },
        };
        let line = viewer.line("account.publisher", format!("account {}", board.account.key));
        let (by, now) = (viewer.user, self.inner.clock.now());
        let account = board.account.id;
        let store = &self.inner.store;
        Ok(store.set_publisher(account, platform_user, user, by, line, now).await?)
    }
}
