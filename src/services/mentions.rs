//! Internal notes on cases, in which colleagues are named with an at sign (*@namn*): they are told, and find all
//! of it in one place. A note is a step of the history, so it is part of the record.

use crate::domain::ids::{CaseId, UserId};
use crate::domain::mention::{Known, named};
use crate::domain::person::Act;
use crate::domain::secrecy::circle;
use crate::store::sqlite::mentions::MentionRow;

use super::corrections::reason;
use super::veiled::VEILED;
use super::{Change, ServiceError, Services, Viewer};

/// How many mentions are listed.
const SHOWN: u32 = 100;

/// A mention of the viewer, as the page shows it.
#[derive(Clone, Debug)]
pub struct Mention {
    /// What was written, by whom, when. Masked for roles that may not read sealed texts, and kept back where the viewer
    /// may not open the case any more.
    pub row: MentionRow,
    /// Whether the viewer may open the case.
    pub open: bool,
}

impl Services {
    /// Everybody who may be named.
    async fn mentionable(&self) -> Result<Vec<Known>, ServiceError> {
        let users = self.inner.store.users().await?.into_iter();
        let users = users.filter(|user| user.active && user.role.may(Act::ReadCases));
        Ok(users.map(|user| Known { user: user.id, login: user.login, name: user.name }).collect())
    }

    /// Names that can be written after an at sign in a case, for whoever may write a note there.
    pub(super) async fn names_to_mention(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<Vec<String>, ServiceError> {
        if !viewer.may(Act::WriteNotes) {
            return Ok(Vec::new());
        }
        let outside = self.outside(case).await?;
        let known = self.mentionable().await?.into_iter();
        let known = known.filter(|one| one.user != viewer.user && !outside.contains(&one.user));
        Ok(known.map(|one| one.name).collect())
    }

    /// Who may not open a case though their role lets them read others.
    async fn outside(&self, case: CaseId) -> Result<Vec<UserId>, ServiceError> {
        let known = self.inner.store.secrecy_of(case).await?;
        let Some(circle) = circle(&known) else { return Ok(Vec::new()) };
        let users = self.inner.store.users().await?.into_iter();
        Ok(users.filter(|user| !circle.holds(user.id, user.role)).map(|user| user.id).collect())
    }

    /// Writes a note in a case, and has those told who are named in it.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] with words for the person where somebody is named
    /// who does not exist, or who may not open the case. Nothing is saved then.
    pub async fn write_note(
        &self,
        viewer: &Viewer,
        case: CaseId,
        typed: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::WriteNotes)?;
        self.demand_open(viewer, case).await?;
        let text = reason(typed).map_err(|error| match error {
            ServiceError::Refused { why } => ServiceError::Refused {
                why: why.replace("Skälet", "Anteckningen").replace("skälet", "anteckningen"),
            },
            other => other,
        })?;
        let known = self.mentionable().await?;
        let who = named(&text, &known)
            .map_err(|unclear| ServiceError::Refused { why: unclear.swedish() })?;
        let outside = self.outside(case).await?;
        let shut: Vec<_> = known
            .iter()
            .filter(|one| who.contains(&one.user) && outside.contains(&one.user))
            .map(|one| one.name.as_str())
            .collect();
        if !shut.is_empty() {
            return Err(ServiceError::Refused {
                why: format!(
                    "{} får inte öppna ärendet och kan därför inte nämnas här. Anteckningen är inte sparad. Den som har rätt till det kan lägga till personen i kretsen.",
                    shut.join(" och ")
                ),
            });
        }
        let who: Vec<_> = who.into_iter().filter(|user| *user != viewer.user).collect();
        let line = viewer.line("case.note", format!("case {case}"));
        let now = self.inner.clock.now();
        self.inner.store.add_note(case, viewer.user, text, who, line, now).await?;
        self.tell(Change::Case(case));
        Ok(())
    }

    /// Where the viewer was named.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn own_mentions(&self, viewer: &Viewer) -> Result<Vec<Mention>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let mut mentions = Vec::new();
        for mut row in self.inner.store.mentions_of(viewer.user, SHOWN).await? {
            let open = self.is_open_to(viewer, row.case).await?;
            let veiled = self.inner.store.case(row.case).await?.veiled;
            row.text = match (open, veiled) {
                (true, false) => self.shown_to(viewer, std::mem::take(&mut row.text)),
                // Shown in the case alone, where that is an event around it.
                (true, true) => VEILED.to_owned(),
                (false, _) => String::new(),
            };
            mentions.push(Mention { row, open });
        }
        Ok(mentions)
    }

    /// How many of them the viewer has not seen.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn n_mentions(&self, viewer: &Viewer) -> Result<u64, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(self.inner.store.n_unseen_mentions(viewer.user).await?)
    }

    /// The viewer has seen them.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn saw_mentions(&self, viewer: &Viewer) -> Result<(), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let now = self.inner.clock.now();
        Ok(self.inner.store.see_mentions(viewer.user, None, now).await?)
    }
}
