//! Saved replies, and the draft to whoever wrote something that was hidden, removed or registered. Both end in
//! the field of the answer, where a person reads and changes them; nothing is sent from here.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::domain::account::{Account, PlatformKind};
use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::Outcome;
use crate::domain::decision::Choice;
use crate::domain::ground::Ground;
use crate::domain::ids::{AccountId, CaseId, SavedReplyId};
use crate::domain::inform::{Done, Inform, KeptFor};
use crate::domain::item::ItemKind;
use crate::domain::person::Act;
use crate::domain::policy::Policy;
use crate::domain::retention::RetentionClass;
use crate::domain::saved_reply::{Field, Ready, ReplyText};
use crate::platforms::capability::{LengthUnit, Offer, ReplyLimit};
use crate::store::rows::{CaseRow, ItemRow};
use crate::store::sqlite::saved_replies::{NewVersion, ReplyVersion};

use super::corrections::words;
use super::decide::check_answer;
use super::secrecy::says_secret;
use super::{ServiceError, Services, Viewer};

/// The longest title, in characters.
const LONGEST_TITLE: usize = 80;

/// A version of a saved reply, as pages show it.
pub type Version = ReplyVersion;

/// A saved reply as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// What it is called.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Key of its account; empty for all of them. Only a new one is given an account.
    pub account: String,
}

/// The page of saved replies.
#[derive(Clone, Debug)]
pub struct Board {
    /// Those that are offered.
    pub offered: Vec<Version>,
    /// Those that were taken away.
    pub removed: Vec<Version>,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Whether the viewer may change them.
    pub may_edit: bool,
}

/// A saved reply with what is known of a case put in its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Which.
    pub reply: SavedReplyId,
    /// What it is called.
    pub title: String,
    /// Whether it is the account's own.
    pub own: bool,
    /// Its text, ready to be read and changed.
    pub ready: Ready,
}

/// Whether to write to whoever wrote the item (*informera invånaren*).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Informing {
    /// There is nothing to tell, or it was told.
    #[default]
    Nothing,
    /// It was hidden, removed or registered, and nobody has answered: a draft is offered.
    Offered,
    /// So it was, but they cannot or must not be answered here: why, and the draft where it may be sent in another way.
    Not {
        /// Why, in Swedish.
        why: String,
        /// The draft, to copy.
        draft: Option<String>,
    },
}

/// An answer as whoever wrote the item will see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Who it stands under: the account's name.
    pub by: String,
    /// Where.
    pub platform: PlatformKind,
    /// What it answers: a message is seen by nobody else.
    pub kind: ItemKind,
    /// The whole text, with the signature.
    pub text: String,
    /// The policy that had the signature added, where it was.
    pub signed_by: Option<String>,
    /// Why it would be refused as it stands.
    pub problem: Option<String>,
}

/// What helps to write an answer in a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// Saved replies, the account's own first.
    pub replies: Vec<Filled>,
    /// Whether whoever wrote it is to be told something.
    pub informing: Informing,
}

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

/// What a form's ticks come to.
pub fn done_by(choices: &[Choice]) -> Done {
    let mut done = Done::default();
    for choice in choices {
        match choice {
            Choice::Hide => done.hidden = true,
            Choice::Delete => done.deleted = true,
            Choice::Register => done.registered = true,
            Choice::Unhide
            | Choice::NotRegister { .. }
            | Choice::Answer { .. }
            | Choice::Refer { .. }
            | Choice::Forward { .. }
            | Choice::Report { .. }
            | Choice::Dismiss
            | Choice::ConsiderPoliceReport
            | Choice::Hold { .. } => {}
        }
    }
    done
}

/// Whether a text has room within a limit of the platform's.
fn has_room(text: &str, limit: Option<ReplyLimit>) -> bool {
    let Some(limit) = limit else { return true };
    let length = match limit.unit {
        LengthUnit::Bytes => text.len(),
        LengthUnit::Graphemes => text.graphemes(true).count(),
        // Links and wide letters weigh more elsewhere; Swedish letters one each.
        LengthUnit::Weighted | LengthUnit::Characters => text.chars().count(),
    };
    length <= limit.most as usize
}

fn kept_for(policy: &Policy, done: Done) -> KeptFor {
    let outcome = if done.registered { Outcome::Registered } else { Outcome::CarriedOut };
    let Some(retention) = &policy.retention else { return KeptFor::Undecided };
    if retention.decision.is_none() {
        return KeptFor::Undecided;
    }
    match retention.rule(RetentionClass::of(outcome)).months {
        Some(months) => KeptFor::Months(months),
        None => KeptFor::Always,
    }
}

impl Services {
    /// All saved replies.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn saved_replies(&self, viewer: &Viewer) -> Result<Board, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let store = &self.inner.store;
        let all = store.saved_replies().await?;
        let (offered, removed) = all.into_iter().partition(|reply| reply.offered);
        let accounts = store.accounts().await?;
        Ok(Board { offered, removed, accounts, may_edit: viewer.may(Act::EditReplies) })
    }

    /// All versions of one, the newest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn reply_versions(
        &self,
        viewer: &Viewer,
        reply: SavedReplyId,
    ) -> Result<Vec<Version>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let versions = self.inner.store.reply_versions(reply).await?;
        match versions.is_empty() {
            true => Err(ServiceError::NotFound { what: "saved reply" }),
            false => Ok(versions),
        }
    }

    /// Saves a new reply, or a new version of one. Gives it, and what there is to be warned of in its text.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn save_reply(
        &self,
        viewer: &Viewer,
        of: Option<(SavedReplyId, u32)>,
        typed: &Typed,
    ) -> Result<(SavedReplyId, Option<String>), ServiceError> {
        viewer.demand(Act::EditReplies)?;
        let title = words(&typed.title, "Namnet")?;
        if title.is_empty() || title.contains('\n') || title.chars().count() > LONGEST_TITLE {
            return refused("Ge svaret ett namn på högst 80 tecken, till exempel Öppettider.");
        }
        let text = ReplyText::parse(&typed.text)
            .map_err(|why| ServiceError::Refused { why: why.swedish() })?;
        let account = match typed.account.as_str() {
            "" => None,
            key => {
                let known = self.inner.store.accounts().await?;
                match known.iter().find(|account| account.key.as_str() == key) {
                    Some(found) => Some(found.id),
                    None => return refused("Kontot finns inte. Ladda om sidan och välj på nytt."),
                }
            }
        };
        let warning = self.warns_of(std::iter::once(text.as_str()), false);
        let text = text.as_str().to_owned();
        let new = NewVersion { of, account, title, text, offered: true, by: viewer.user };
        let line = viewer.line("reply.save", "saved reply");
        let reply = self.inner.store.save_reply(new, line, self.inner.clock.now()).await?;
        Ok((reply, warning))
    }

    /// Takes a reply away, or brings it back as a version of it stood: either is a version of its own.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn turn_reply(
        &self,
        viewer: &Viewer,
        (reply, seen): (SavedReplyId, u32),
        back_to: Option<u32>,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::EditReplies)?;
        let versions = self.reply_versions(viewer, reply).await?;
        let wanted = back_to.unwrap_or(seen);
        let Some(as_it_was) = versions.into_iter().find(|version| version.number == wanted) else {
            return Err(ServiceError::NotFound { what: "version of a saved reply" });
        };
        let Version { title, text, .. } = as_it_was;
        // What was a field then may not be one now.
        if back_to.is_some() {
            ReplyText::parse(&text).map_err(|why| ServiceError::Refused { why: why.swedish() })?;
        }
        let (of, offered) = (Some((reply, seen)), back_to.is_some());
        let new = NewVersion { of, account: None, title, text, offered, by: viewer.user };
        let act = if offered { "reply.restore" } else { "reply.remove" };
        let line = viewer.line(act, "saved reply");
        self.inner.store.save_reply(new, line, self.inner.clock.now()).await?;
        Ok(())
    }

    /// How the person at the page signs on an account; nothing where its policy sets no form.
    fn signature(&self, viewer: &Viewer, account: AccountId) -> Option<String> {
        let signature = self.policy_of(account).duties.answers.signature;
        signature.of(&viewer.name, &viewer.title)
    }

    /// What is known of an account's card: its unit, and the link to its rules.
    async fn card_words(&self, account: AccountId) -> Result<(String, String), ServiceError> {
        let card = self.inner.store.cards().await?.into_iter().find(|row| row.account == account);
        Ok(card.map(|row| (row.card.unit, row.card.rules_link)).unwrap_or_default())
    }

    /// The newest diary number of a case.
    async fn number_of(&self, case: CaseId) -> Result<Option<String>, ServiceError> {
        let registrations = self.inner.store.registrations_of(case).await?;
        let mut numbers = registrations.into_iter().filter_map(|r| r.diary_number);
        Ok(numbers.next_back().map(|number| number.as_str().to_owned()))
    }

    /// What helps to answer in a case. For those who may decide; others get nothing.
    pub(super) async fn help_to_answer(
        &self,
        viewer: &Viewer,
        row: &CaseRow,
        item: &ItemRow,
    ) -> Result<Help, ServiceError> {
        if !viewer.may(Act::Decide) {
            return Ok(Help::default());
        }
        let versions = self.inner.store.replies_for(item.account).await?;
        let account = self.inner.store.queue_line(row.id).await?.account;
        let (unit, rules_link) = self.card_words(item.account).await?;
        let number = self.number_of(row.id).await?;
        let signature = self.signature(viewer, item.account);
        let known = |field: Field| match field {
            Field::FirstName => viewer.name.split_whitespace().next().map(str::to_owned),
            Field::Name => Some(viewer.name.clone()),
            Field::Title => Some(viewer.title.clone()),
            Field::DiaryNumber => number.clone(),
            Field::Account => Some(account.name.clone()),
            Field::Unit => Some(unit.clone()),
            Field::Authority => Some(self.inner.settings.authority.clone()),
            Field::RulesLink => Some(rules_link.clone()),
        };
        let filled = versions.into_iter().filter_map(|version| {
            // What was saved was checked; a field that is gone since then is left out of the list.
            let text = ReplyText::parse(&version.text).ok()?;
            Some(Filled {
                reply: version.reply,
                title: version.title,
                own: version.account.is_some(),
                ready: text.fill(known, signature.as_deref()),
            })
        });
        let replies = filled.collect();
        Ok(Help { replies, informing: self.informing(viewer, row, item).await? })
    }

    /// What was done to a case's item by the decisions that stand, and on what ground.
    async fn done_to(&self, case: CaseId) -> Result<(Done, Option<Ground>, bool), ServiceError> {
        let store = &self.inner.store;
        let (mut done, mut answered) = (Done::default(), false);
        for action in store.actions_on(case).await? {
            let is_done = matches!(action.state, ActionState::Done { .. });
            match action.kind {
                ActionKind::Hide => done.hidden |= is_done,
                ActionKind::Unhide if is_done => done.hidden = false,
                ActionKind::Delete => done.deleted |= is_done,
                ActionKind::Register => done.registered |= is_done,
                // Also one that is on its way, or that a person does.
                ActionKind::Reply => {
                    answered |= !matches!(action.state, ActionState::Cancelled { .. });
                }
                ActionKind::Unhide | ActionKind::Report | ActionKind::Forward => {}
            }
        }
        let decisions = store.decisions_on(case).await?.into_iter();
        let mut grounds = decisions.filter(|d| d.undone_at.is_none()).filter_map(|d| {
            let removed = done_by(&d.choices).removed();
            d.ground.filter(|_| removed)
        });
        Ok((done, grounds.next_back(), answered))
    }

    async fn informing(
        &self,
        viewer: &Viewer,
        row: &CaseRow,
        item: &ItemRow,
    ) -> Result<Informing, ServiceError> {
        let (done, ground, answered) = self.done_to(row.id).await?;
        if done.is_nothing() || answered {
            return Ok(Informing::Nothing);
        }
        let not = |why: String, draft| Ok(Informing::Not { why, draft });
        if let Some(why) = self.says_nothing(row, item).await? {
            return not(why, None);
        }
        let text = self.drafted(viewer, row, item, done, ground).await?;
        if done.deleted {
            return not(
                "Inlägget är borttaget, så det går inte att svara på det. Kan du nå den som skrev på ett annat sätt finns ett utkast här.".into(),
                Some(text),
            );
        }
        let Some(served) = self.served(item.account) else { return Ok(Informing::Nothing) };
        let can = served.platform.capabilities();
        let offer = match item.kind {
            ItemKind::DirectMessage => &can.reply_message,
            ItemKind::Comment
            | ItemKind::Reply
            | ItemKind::PostByOther
            | ItemKind::Mention
            | ItemKind::Review => &can.reply_comment,
        };
        match offer {
            Offer::Native | Offer::Conditional { .. } | Offer::ByHand { .. } => {
                Ok(Informing::Offered)
            }
            Offer::No { why } => not(
                format!(
                    "Det går inte att svara härifrån: {why}. Kan du nå den som skrev på ett annat sätt finns ett utkast här."
                ),
                Some(text),
            ),
        }
    }

    /// Why whoever wrote it is not written to at all, where so it is.
    async fn says_nothing(
        &self,
        row: &CaseRow,
        item: &ItemRow,
    ) -> Result<Option<String>, ServiceError> {
        if item.no_copy {
            return Ok(Some("Svara inte den som skrev: inlägget misstänks vara barnpornografibrott. Följ polisens anvisning.".into()));
        }
        let marked = self.inner.store.secrecy_of(row.id).await?.mark.is_some();
        let standing = self.inner.store.standing_decision(row.id).await?;
        let policy = self.policy_of(item.account);
        let secret = marked || standing.as_ref().is_some_and(says_secret);
        Ok(match (secret, policy.duties.register.secrecy_ends_talk, item.kind) {
            (false, ..) => None,
            (true, true, _) => Some(format!(
                "{} avbryter samtalet när det kan gälla sekretess. Kontakta den som skrev på ett annat sätt.",
                policy.name
            )),
            (true, false, ItemKind::DirectMessage) => None,
            (true, false, _) => Some("Ärendet kan omfattas av sekretess, och ett svar som alla ser kan röja det. Kontakta den som skrev på ett annat sätt.".into()),
        })
    }

    async fn drafted(
        &self,
        viewer: &Viewer,
        row: &CaseRow,
        item: &ItemRow,
        done: Done,
        ground: Option<Ground>,
    ) -> Result<String, ServiceError> {
        let (_, rules_link) = self.card_words(item.account).await?;
        let number = self.number_of(row.id).await?;
        let signature = self.signature(viewer, item.account);
        let inform = Inform {
            kind: item.kind,
            done,
            ground,
            rules_link: Some(rules_link.as_str()).filter(|link| !link.is_empty()),
            number: number.as_deref(),
            kept: kept_for(&self.policy_of(item.account), done),
            authority: &self.inner.settings.authority,
            signature: signature.as_deref(),
        };
        let limit = self.served(item.account).and_then(|served| {
            let can = served.platform.capabilities();
            match item.kind {
                ItemKind::DirectMessage => can.longest_message,
                ItemKind::Comment
                | ItemKind::Reply
                | ItemKind::PostByOther
                | ItemKind::Mention
                | ItemKind::Review => can.longest_reply,
            }
        });
        Ok(inform.fitting(|text| has_room(text, limit)))
    }

    /// A draft to whoever wrote the item, from what is ticked, or else from what was done.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where there is nothing to tell, or it must not be told.
    pub async fn draft_to_citizen(
        &self,
        viewer: &Viewer,
        case: CaseId,
        ticked: Done,
        ground: Option<Ground>,
    ) -> Result<String, ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let row = self.inner.store.case(case).await?;
        let item = self.inner.store.item(row.item).await?;
        if let Some(why) = self.says_nothing(&row, &item).await? {
            return refused(why);
        }
        let (done, ground) = match ticked.is_nothing() {
            false => (ticked, ground),
            true => {
                let (done, ground, _) = self.done_to(case).await?;
                (done, ground)
            }
        };
        if done.is_nothing() {
            return refused(
                "Kryssa först för Dölj, Ta bort eller Diarieför, och välj grund. Då skrivs utkastet efter det.",
            );
        }
        if done.removed() && ground == Some(Ground::ChildAbuse) {
            return refused("Svara inte den som skrev. Följ polisens anvisning.");
        }
        self.drafted(viewer, &row, &item, done, ground).await
    }

    /// An answer as whoever wrote the item will see it, before anything is sent.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn preview(
        &self,
        viewer: &Viewer,
        case: CaseId,
        text: &str,
    ) -> Result<Preview, ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let line = self.inner.store.queue_line(case).await?;
        let policy = self.policy_of(line.account.id);
        let signature = policy.duties.answers.signature;
        let signed = signature.under(text, &viewer.name, &viewer.title);
        let limit = self.served(line.account.id).and_then(|served| {
            let can = served.platform.capabilities();
            check_answer(signed.as_deref().unwrap_or(text), &can, line.kind).err()
        });
        let problem = match limit {
            Some(ServiceError::Refused { why }) => Some(why),
            Some(error) => return Err(error),
            None if text.trim().is_empty() => Some("Skriv svaret först, så visas det här.".into()),
            None => None,
        };
        Ok(Preview {
            by: line.account.name,
            platform: line.account.platform,
            kind: line.kind,
            signed_by: signed.is_some().then(|| policy.name.clone()),
            text: signed.unwrap_or_else(|| text.to_owned()),
            problem,
        })
    }

    /// A saved reply for a case, with its fields filled.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where there is no such reply for its account.
    pub async fn reply_for(
        &self,
        viewer: &Viewer,
        case: CaseId,
        reply: SavedReplyId,
    ) -> Result<Filled, ServiceError> {
        viewer.demand(Act::Decide)?;
        self.demand_open(viewer, case).await?;
        let row = self.inner.store.case(case).await?;
        let item = self.inner.store.item(row.item).await?;
        let help = self.help_to_answer(viewer, &row, &item).await?;
        match help.replies.into_iter().find(|filled| filled.reply == reply) {
            Some(filled) => Ok(filled),
            None => refused("Det sparade svaret finns inte längre. Välj ett annat."),
        }
    }
}
