//! Secrecy marks, the circle that opens a case under one, and the read log that goes with it.
//!
//! Whatever shows, copies or changes the content of a case asks [`Services::demand_open`] first. What many are asked of
//! at once (lists, searches) leaves out what a mark stands on: for everybody in lists, and for those outside the circle
//! in searches, where a hit alone tells that a word stands there.

use std::collections::BTreeSet;

use crate::domain::calendar::local;
use crate::domain::custody::CustodyAct;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::domain::ids::{CaseId, EvidenceId, ItemId, UserId};
use crate::domain::notice::Part;
use crate::domain::person::Act;
use crate::domain::register::{Answered, Question, is_said_secret};
use crate::domain::secrecy::{Circle, Grounds, Mark, circle};
use crate::store::Store;
use crate::store::rows::{AuditLine, DecisionRow, EvidenceRow, EvidenceState};

use super::corrections::{reason, words};
use super::{Change, ServiceError, Services, Viewer};

/// The shortest provision that names anything, in characters: `OSL 5`.
const SHORTEST_PROVISION: usize = 5;
/// The longest.
const LONGEST_PROVISION: usize = 200;

/// How a case's circle is smaller, as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrecy {
    /// The mark; none where it is a suspicion that makes the circle smaller.
    pub mark: Option<Mark>,
    /// Who may open it, in words.
    pub circle: String,
    /// Who was let in by name.
    pub named: Vec<(UserId, String)>,
    /// Who else could be let in by name.
    pub others: Vec<(UserId, String)>,
}

fn refused(why: &str) -> ServiceError {
    ServiceError::Refused { why: why.to_owned() }
}

/// Whether whoever decided said that secrecy may apply: by the ground, or as an answer on the way to the diary. The
/// record leaves the house as carefully as one under a mark, though the provision is not named yet.
pub(super) fn says_secret(decision: &DecisionRow) -> bool {
    let kept = decision.answered.as_ref();
    let answer = kept.and_then(|kept| kept.answers.get(Question::Secrecy.id())).copied();
    is_said_secret(decision.ground, answer)
}

/// What stands as the provision of a mark whose provision nobody has named: whoever opens the case is to see that it is
/// still to be named.
pub const UNNAMED: &str = "OSL, bestämmelsen är inte angiven än";

/// The mark that a decision sets by what it says itself: what goes to the diary and may be secret stands under one from
/// that moment, whoever set it. Nothing where it says no such thing, or registers nothing.
///
/// # Errors
/// [`ServiceError::Refused`] where what was written as the provision names none.
pub(super) fn mark_of(
    decision: &Decision,
    answered: &Answered,
) -> Result<Option<(String, String)>, ServiceError> {
    let ground = decision.ground();
    let written = answered.provision.as_deref().filter(|text| !text.trim().is_empty());
    let written = written.map(provision).transpose()?;
    if !answered.says_secret(ground) || !decision.choices().contains(&Choice::Register) {
        return Ok(None);
    }
    let known = ground.and_then(Ground::provision).unwrap_or(UNNAMED);
    let why = match ground.filter(|ground| ground.may_be_secret()) {
        Some(ground) => format!("Beslutet att diarieföra har grunden {}.", ground.label()),
        None => "Den som beslutade att diarieföra svarade att inlägget kan omfattas av sekretess."
            .to_owned(),
    };
    Ok(Some((written.unwrap_or_else(|| known.to_owned()), why)))
}

/// A provision as somebody wrote it.
fn provision(text: &str) -> Result<String, ServiceError> {
    let provision = words(text, "Lagrummet")?;
    let length = provision.chars().count();
    if !(SHORTEST_PROVISION..=LONGEST_PROVISION).contains(&length)
        || !provision.contains(|c: char| c.is_ascii_digit())
        || provision.contains('\n')
    {
        return Err(refused(
            "Ange den bestämmelse som kan vara tillämplig, till exempel OSL 26 kap. 1 §. Lagen kräver det av en sekretessmarkering.",
        ));
    }
    Ok(provision)
}

/// The mark as it stands on whatever leaves the case: with provision, date and authority, as
/// offentlighets- och sekretesslagen 5 kap. 5 § has it.
pub fn stamp(mark: &Mark, authority: &str) -> String {
    format!(
        "Sekretess. {}. {}. {authority}.",
        mark.provision.trim_end_matches('.'),
        local(mark.set_at).date()
    )
}

/// The mark for programs, in packages: the provision, the date and the authority.
pub(super) fn marked_json(mark: &Mark, authority: &str) -> serde_json::Value {
    serde_json::json!({
        "mark": "Sekretess", "provision": mark.provision, "date": local(mark.set_at).date().to_string(),
        "authority": authority,
    })
}

/// The marks of cases whose words a record of another may show: in its thread, and where it has a picture of the
/// page, there.
pub(super) async fn marks_beside(
    store: &Store,
    row: &EvidenceRow,
    pictured: bool,
) -> Result<Vec<Mark>, ServiceError> {
    let mut cases: BTreeSet<_> = store.secret_in_thread(row.item).await?.into_iter().collect();
    if pictured {
        cases.extend(store.secret_on_page(row.item).await?);
    }
    let own = store.case_of(row.item).await?.map(|case| case.id);
    let mut marks = Vec::new();
    for case in cases.into_iter().filter(|case| Some(*case) != own) {
        marks.extend(store.secrecy_of(case).await?.mark);
    }
    Ok(marks)
}

/// The stamp of a case, for whatever leaves it.
pub(super) async fn stamp_of(
    store: &Store,
    case: CaseId,
    authority: &str,
) -> Result<Option<String>, ServiceError> {
    Ok(store.secrecy_of(case).await?.mark.map(|mark| stamp(&mark, authority)))
}

/// What is told to somebody outside: that it exists, when it is due, and who opens it.
fn shut_words(
    case: CaseId,
    due: jiff::Timestamp,
    known: &Grounds,
    circle: &Circle,
    authority: &str,
) -> String {
    let why = match &known.mark {
        Some(mark) => {
            format!("är sekretessmarkerat ({})", stamp(mark, authority).trim_end_matches('.'))
        }
        None => "misstänks vara barnpornografibrott".to_owned(),
    };
    format!(
        "Ärende {case} {why}. Det ska vara klart senast {}. Det får öppnas av {}. Att du försökte står i ärendets läslogg.",
        local(due).strftime("%Y-%m-%d %H:%M"),
        circle.words()
    )
}

/// What somebody at the command line is refused with: there is no role to look at there, so they say why they
/// read, which the read log keeps.
///
/// # Errors
/// [`ServiceError::Refused`] where one of the records is under a mark, or suspected, and no reason is given.
pub async fn demand_reason(
    store: &Store,
    records: &[EvidenceId],
    why: Option<&str>,
    now: jiff::Timestamp,
) -> Result<(), ServiceError> {
    let mut cases = BTreeSet::new();
    for id in records {
        let row = store.evidence(*id).await?;
        cases.extend(store.case_of(row.item).await?.map(|case| case.id));
        cases.extend(store.secret_in_thread(row.item).await?);
        cases.extend(store.secret_on_page(row.item).await?);
    }
    demand_reason_for(store, cases, why, now).await
}

/// The same for cases.
///
/// # Errors
/// As [`demand_reason`].
pub(super) async fn demand_reason_for(
    store: &Store,
    cases: impl IntoIterator<Item = CaseId>,
    why: Option<&str>,
    now: jiff::Timestamp,
) -> Result<(), ServiceError> {
    let why = why.map(reason).transpose()?;
    for case in cases {
        let known = store.secrecy_of(case).await?;
        let Some(circle) = circle(&known) else { continue };
        let line = super::archive::line(CustodyAct::RefusedOpening.id(), format!("case {case}"));
        match &why {
            Some(why) => {
                let act = CustodyAct::OpenCase.id();
                let detail =
                    Some(format!("vid kommandoraden, trots den mindre kretsen. Skäl: {why}"));
                store.record_audit(AuditLine { act, detail, ..line }, now).await?;
            }
            None => {
                store.record_audit(line, now).await?;
                return Err(ServiceError::Refused {
                    why: format!(
                        "Ärende {case} får bara öppnas av {}. Är det ditt uppdrag att läsa det här ändå, ange varför med --secrecy \"skäl\". Skälet står sedan i ärendets läslogg.",
                        circle.words()
                    ),
                });
            }
        }
    }
    Ok(())
}

impl Services {
    /// Whether the viewer is in the circle of a case. Nobody is outside where none is smaller.
    pub(super) async fn is_open_to(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<bool, ServiceError> {
        let known = self.inner.store.secrecy_of(case).await?;
        Ok(circle(&known).is_none_or(|circle| circle.holds(viewer.user, viewer.role)))
    }

    /// Refuses whoever is outside the circle of a case; the attempt is a line of the read log.
    pub(super) async fn demand_open(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<(), ServiceError> {
        let known = self.inner.store.secrecy_of(case).await?;
        match circle(&known) {
            Some(circle) if !circle.holds(viewer.user, viewer.role) => {
                let line = viewer.line(CustodyAct::RefusedOpening.id(), format!("case {case}"));
                self.inner.store.record_audit(line, self.inner.clock.now()).await?;
                let due = self.inner.store.case(case).await?.due_at;
                let why = shut_words(case, due, &known, &circle, self.authority());
                Err(ServiceError::Shut { why })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The same for the case that an item belongs to, if it has one.
    pub(super) async fn demand_open_item(
        &self,
        viewer: &Viewer,
        item: ItemId,
    ) -> Result<(), ServiceError> {
        match self.inner.store.case_of(item).await? {
            Some(case) => self.demand_open(viewer, case.id).await,
            None => Ok(()),
        }
    }

    /// Items whose words the viewer may not read.
    pub(super) async fn shut_to(&self, viewer: &Viewer) -> Result<Vec<ItemId>, ServiceError> {
        let known = self.inner.store.secret_items().await?;
        let shut = known.into_iter().filter(|(_, known)| {
            circle(known).is_some_and(|circle| !circle.holds(viewer.user, viewer.role))
        });
        Ok(shut.map(|(item, _)| item).collect())
    }

    /// The stamp of the case that an item belongs to, for what is sealed of it from now on.
    pub(super) async fn stamp_of_item(&self, item: ItemId) -> Result<Option<String>, ServiceError> {
        match self.inner.store.case_of(item).await? {
            Some(case) => stamp_of(&self.inner.store, case.id, self.authority()).await,
            None => Ok(None),
        }
    }

    /// How the circle of a case is smaller, for its page.
    pub(super) async fn secrecy(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<Option<Secrecy>, ServiceError> {
        let known = self.inner.store.secrecy_of(case).await?;
        let Some(circle) = circle(&known) else { return Ok(None) };
        let mut others = Vec::new();
        if viewer.may(Act::MarkSecrecy) {
            for user in self.inner.store.users().await? {
                let reads = user.active && user.role.may(Act::ReadEvidence);
                if reads && !circle.holds(user.id, user.role) {
                    others.push((user.id, user.name));
                }
            }
        }
        let mark =
            known.mark.map(|mark| Mark { reason: self.shown_to(viewer, mark.reason), ..mark });
        Ok(Some(Secrecy { mark, circle: circle.words(), named: known.named, others }))
    }

    /// Marks a case as secret, on a provision and with a reason. From then on a smaller circle opens it.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] with words for the person.
    pub async fn mark_secret(
        &self,
        viewer: &Viewer,
        case: CaseId,
        provision: &str,
        why: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::MarkSecrecy)?;
        self.demand_open(viewer, case).await?;
        let provision = self::provision(provision)?;
        let why = reason(why)?;
        let line = viewer.line(CustodyAct::Mark.id(), format!("case {case}"));
        let now = self.inner.clock.now();
        self.inner.store.mark_secret(case, viewer.user, (provision, why), line, now).await?;
        self.note_log().await;
        tracing::info!(case.id = %case, user.id = %viewer.user, "marked as secret");
        self.tell(Change::Case(case));
        Ok(())
    }

    /// Lifts the mark of a case.
    ///
    /// # Errors
    /// As [`Services::mark_secret`]; [`ServiceError::Shut`] for who is outside the circle.
    pub async fn lift_secrecy(
        &self,
        viewer: &Viewer,
        case: CaseId,
        why: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::LiftSecrecy)?;
        self.demand_open(viewer, case).await?;
        let why = reason(why)?;
        let line = viewer.line(CustodyAct::LiftMark.id(), format!("case {case}"));
        let now = self.inner.clock.now();
        self.inner.store.lift_secrecy(case, viewer.user, why, line, now).await?;
        self.note_log().await;
        tracing::info!(case.id = %case, user.id = %viewer.user, "no longer marked as secret");
        self.tell(Change::Case(case));
        Ok(())
    }

    /// Lets somebody into the circle of a case by name, or out of it again.
    ///
    /// # Errors
    /// As [`Services::lift_secrecy`].
    pub async fn change_circle(
        &self,
        viewer: &Viewer,
        case: CaseId,
        who: UserId,
        is_in: bool,
        why: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::MarkSecrecy)?;
        self.demand_open(viewer, case).await?;
        // Whoever was let in by name, or works on the account, does not let others in.
        let known = self.inner.store.secrecy_of(case).await?;
        let answers = |(user, _, part): &(UserId, String, Part)| {
            *user == viewer.user && matches!(part, Part::Owner | Part::Substitute)
        };
        let is_theirs = known.mark.as_ref().is_some_and(|mark| mark.set_by.0 == viewer.user)
            || known.people.iter().any(answers);
        if !is_theirs {
            viewer.demand(Act::LiftSecrecy)?;
        }
        let why = reason(why)?;
        let users = self.inner.store.users().await?;
        let user = users.into_iter().find(|user| user.id == who && user.active);
        let user = user.ok_or_else(|| refused("Välj en person i listan."))?;
        if is_in && !user.role.may(Act::ReadEvidence) {
            let who = user.role.plural();
            return Err(refused(&format!(
                "{} kan inte läggas till: {who} får inte läsa säkrade bevis.",
                user.name
            )));
        }
        let line = viewer.line(CustodyAct::ChangeCircle.id(), format!("case {case}"));
        let now = self.inner.clock.now();
        let store = &self.inner.store;
        store.change_circle(case, (user.id, user.name), is_in, why, line, now).await?;
        self.tell(Change::Case(case));
        Ok(())
    }

    /// Refuses whoever is outside the circle of the case itself, or of one in its thread: what was sealed of a
    /// thread holds the words of others.
    pub(super) async fn demand_thread_open(
        &self,
        viewer: &Viewer,
        item: ItemId,
    ) -> Result<(), ServiceError> {
        self.demand_open_item(viewer, item).await?;
        let beside = self.inner.store.secret_in_thread(item).await?;
        self.demand_beside(viewer, item, &beside).await
    }

    /// Refuses whoever is outside the circle of one of these cases, which may be seen in what is sealed of an item.
    /// That somebody inside looks there stands on each of them.
    async fn demand_beside(
        &self,
        viewer: &Viewer,
        item: ItemId,
        cases: &[CaseId],
    ) -> Result<(), ServiceError> {
        let store = &self.inner.store;
        for case in cases {
            self.demand_open(viewer, *case).await?;
        }
        let of = store.case_of(item).await?.map(|case| format!("ärende {}", case.id));
        for case in cases {
            let line = viewer.line(CustodyAct::OpenBeside.id(), format!("case {case}"));
            let line = AuditLine { detail: of.clone(), ..line };
            store.record_audit(line, self.inner.clock.now()).await?;
        }
        Ok(())
    }

    /// The same for all of a record: where a picture of the page is in it, for all that stand on that page.
    pub(super) async fn demand_record_open(
        &self,
        viewer: &Viewer,
        row: &EvidenceRow,
    ) -> Result<(), ServiceError> {
        let pictures = match row.state {
            EvidenceState::Sealed { .. } => {
                let manifest = self.inner.evidence.manifest(row).await;
                manifest.map_err(super::archive::broken)?.holds_picture()
            }
            EvidenceState::Wanted | EvidenceState::Disposed { .. } => false,
        };
        match pictures {
            true => self.demand_page_open(viewer, row.item).await,
            false => self.demand_thread_open(viewer, row.item).await,
        }
    }

    /// Whether [`Services::demand_page_open`] would let them in; nobody has tried anything.
    pub(super) async fn is_page_open_to(
        &self,
        viewer: &Viewer,
        item: ItemId,
    ) -> Result<bool, ServiceError> {
        let store = &self.inner.store;
        let own = store.case_of(item).await?.map(|case| case.id);
        let (thread, page) =
            (store.secret_in_thread(item).await?, store.secret_on_page(item).await?);
        for case in own.into_iter().chain(thread).chain(page) {
            if !self.is_open_to(viewer, case).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same, and of any case on the page that the item stands on: pictures of it show them.
    pub(super) async fn demand_page_open(
        &self,
        viewer: &Viewer,
        item: ItemId,
    ) -> Result<(), ServiceError> {
        self.demand_thread_open(viewer, item).await?;
        let beside = self.inner.store.secret_on_page(item).await?;
        self.demand_beside(viewer, item, &beside).await
    }
}
