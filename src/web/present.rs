//! What services give → display values.

use jiff::Timestamp;

use crate::domain::account::{Account, PlatformKind};
use crate::domain::action::{ActionKind, ActionState};
use crate::domain::calendar::local;
use crate::domain::case::CaseState;
use crate::domain::connection::when;
use crate::domain::decision::Choice;
use crate::domain::escalation::EscalationStep;
use crate::domain::evidence::PartKind;
use crate::domain::ground::Ground;
use crate::domain::ids::{ActionId, CaseId, UserId};
use crate::domain::item::{Author, Permalink, Presence};
use crate::domain::language::Language;
use crate::domain::likeness::{ALIKE_COUNTED, Alike, AlikeItem};
use crate::domain::text::capitalised;
use crate::services::case_file::{ActionView, CaseFile};
use crate::services::decide::FORWARD_BY_HAND;
use crate::services::offers::{Offered, Offers};
use crate::services::queue::{ClaimedBy, Line, Watch};
use crate::services::records::{Evidence, SealedEvidence};

use super::view::accounts::{AccountView, Health, OfferRow, OfferWord, RestView, Summary, Unread};
use super::view::case::{
    AlikeRow, AlikeView, AuthorView, CaseView, ClaimView, ContextView, EarlierCase, FailedAction,
    HistoryRow, PostView, ThreadItem, UndoBar, WhyRow,
};
use super::view::changed::{ChangedView, Seen};
use super::view::choice::{ChoiceKind, will_be};
use super::view::decision::{
    Again, DecisionForm, DecisionInput, DiaryInput, FormState, PlatformOffer, Proposal, rests,
};
use super::view::evidence::{
    CheckRow, Checked, EvidenceBox, MissingView, Seal, Verification, hanging,
};
use super::view::grounds::GroundMenu;
use super::view::marked::MarkedText;
use super::view::masked::Masked;
use super::view::outside::Outside;
use super::view::queue::{Claimed, Looked, QueueRow, looked};
use super::view::tasks::TaskView;
use super::view::times::{Deadline, Moment};
use super::view::words::CategoryWord;
use super::{present_changes, present_keeping, present_replies};

/// How much of a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A very long text in part.
    Part,
    /// However long.
    Whole,
}

/// A row of the queue.
pub fn row(line: &Line, me: UserId, now: Timestamp) -> QueueRow {
    QueueRow {
        case: line.case,
        line: Masked::line(&line.text),
        author: Masked::line(&line.author),
        account: line.account.name.clone(),
        platform: line.account.platform.label(),
        kind: line.kind.label(),
        age: Moment::ago(line.created_at.unwrap_or(line.fetched_at), now),
        categories: line.categories.iter().map(|(c, s)| CategoryWord::new(*c, *s)).collect(),
        severity: line.categories.iter().map(|(_, s)| *s).max(),
        deadline: (line.state.needs_a_person() && !line.outside)
            .then(|| Deadline::of_case(line.due_at, line.waits_since, now)),
        claimed: line.claim.as_ref().map(|claim| Claimed::new(&claim.name, claim.user == me)),
        returned: match &line.state {
            CaseState::Returned { reason } => Some(reason.clone()),
            CaseState::Waiting
            | CaseState::Held { .. }
            | CaseState::Decided
            | CaseState::AwaitingDiary
            | CaseState::Closed { .. } => None,
        },
        similar: line.n_alike as usize,
        together: line.n_similar as usize,
        rests: line.rests_until.map(|until| Moment::new(until, now)),
        has_rested: line.has_rested,
        // That whoever answers for it was reminded is no news in the queue.
        went_on: line
            .went_on_to
            .filter(|step| *step > EscalationStep::Owner)
            .map(EscalationStep::label),
        responsible: line.responsible.clone(),
    }
}

/// When an account was last looked at.
pub fn look(watch: &Watch, now: Timestamp) -> Looked {
    let name = format!("{} ({})", watch.account.name, watch.account.platform.label());
    let trouble = watch.problem.clone().or_else(|| watch.gap.clone());
    looked(name, watch.last_ok_at, trouble, now)
}

/// An account with what it can do.
pub fn account(watch: Watch, now: Timestamp) -> AccountView {
    let Watch { account, last_ok_at, next_at, problem, gap, rest, login_ends, offers, .. } = watch;
    let unread = watch.last_unreadable.map(|(at, what)| Unread {
        number: watch.n_unreadable,
        at: Moment::new(at, now),
        what,
    });
    let by_hand = account.platform == PlatformKind::Manual;
    let health = match (problem.or(gap), last_ok_at) {
        _ if by_hand => Health::ByHand,
        (Some(trouble), _) => Health::Trouble(trouble),
        (None, Some(_)) => Health::Well,
        (None, None) => Health::NotYet,
    };
    AccountView {
        key: account.key.as_str().to_owned(),
        platform: account.platform.label(),
        simulated: account.simulated,
        unread,
        looked: last_ok_at.map(|at| Moment::ago(at, now)),
        // What rests says so by itself, with its next try.
        next: (rest.is_none() && !by_hand).then(|| Moment::new(next_at, now)),
        rest: rest.map(|rest| RestView {
            why: rest.why.words(),
            since: Moment::new(rest.since, now),
            failures: rest.failures,
            next: Moment::new(rest.next_at, now),
        }),
        login_ends: login_ends.map(|on| (on.to_string(), when(on, local(now).date()))),
        health,
        terms: offers.as_ref().map(|o| o.storage_terms.to_owned()),
        offers: offers
            .map(|o| o.rows)
            .unwrap_or_default()
            .into_iter()
            .map(|(what, offer)| offer_row(what, offer))
            .collect(),
        name: account.name,
        card: Summary::default(),
    }
}

fn offer_row(what: &'static str, offer: Offered) -> OfferRow {
    let (word, detail) = match offer {
        Offered::Yes => (OfferWord::Yes, None),
        Offered::Conditional(condition) => (OfferWord::Conditional, Some(condition)),
        Offered::ByHand(why) => (OfferWord::ByHand, Some(why)),
        Offered::No(why) => (OfferWord::No, Some(why)),
    };
    OfferRow { what, word, detail: detail.map(str::to_owned) }
}

fn platform_offer(offer: Option<Offered>, effect: Option<&str>) -> PlatformOffer {
    match offer {
        Some(Offered::Yes) => PlatformOffer::Native { effect: effect.map(str::to_owned) },
        Some(Offered::Conditional(condition)) => PlatformOffer::Native {
            effect: Some(match effect {
                Some(effect) => format!("{effect} {}", sentence(condition)),
                None => sentence(condition),
            }),
        },
        Some(Offered::ByHand(why)) => PlatformOffer::Task { why: sentence(why) },
        Some(Offered::No(why)) => PlatformOffer::No { why: sentence(why) },
        None => PlatformOffer::ByHand {
            why:
                "Kontot finns inte längre i inställningarna, så plattformen kan inte nås härifrån."
                    .into(),
        },
    }
}

fn claim(claim: Option<&ClaimedBy>, me: UserId, may_take: bool) -> ClaimView {
    match claim {
        None => ClaimView::Free,
        Some(claim) if claim.user == me => ClaimView::Mine,
        Some(claim) => ClaimView::Other { name: claim.name.clone(), may_take },
    }
}

/// An address that may be opened, or of what may not be looked at, one that can be read alone.
fn outside(what: &str, address: &str, barred: bool) -> Outside {
    if barred { Outside::read_only(what, address) } else { Outside::new(what, address) }
}

fn author(author: &Author, barred: bool) -> AuthorView {
    let shown = |text: &Option<String>| text.as_deref().map(Masked::line).filter(|t| !t.is_empty());
    AuthorView {
        name: shown(&author.name).unwrap_or_else(|| Masked::words("okänd avsändare")),
        handle: shown(&author.handle),
        // What is suspected may stand on the profile, too.
        profile: author.url.as_deref().map(|url| outside("Avsändarens profil", url, barred)),
        earlier: Vec::new(),
    }
}

/// The seal with what checking it gave.
pub fn seal(evidence: &Evidence, now: Timestamp) -> Seal {
    match evidence {
        Evidence::None | Evidence::Wanted { problem: None } => Seal::Taking,
        Evidence::Wanted { problem: Some(problem) } => Seal::Lacking(problem.clone()),
        Evidence::Sealed(sealed) => {
            let checked = match &sealed.manifest {
                Ok(_) => Checked::Sound,
                Err(problem) => Checked::Broken(problem.clone()),
            };
            // One time wherever the seal is told: the one that the record and its sheet bear.
            let at = sealed.manifest.as_ref().map_or(sealed.sealed_at, |m| m.sealed_at);
            Seal::sealed(at, checked, now)
        }
        Evidence::Disposed { under: Some((protocol, at)), .. } => {
            Seal::Disposed { rule: format!("protokoll {protocol}"), at: Moment::exact(*at, now) }
        }
        Evidence::Disposed { under: None, .. } => Seal::Lacking(
            "Beviset är gallrat, men protokollet saknas. Kontakta den som sköter servern.".into(),
        ),
    }
}

fn evidence_box(file: &CaseFile, now: Timestamp) -> EvidenceBox {
    let (evidence, may_read) = (&file.evidence, file.may_read_evidence);
    let seal = seal(evidence, now);
    let Evidence::Sealed(sealed) = evidence else {
        let may_read_anew = file.may_decide && matches!(seal, Seal::Disposed { .. });
        let missing = Vec::new();
        let hanging = Vec::new();
        return EvidenceBox {
            seal,
            record: None,
            has_sheet: false,
            again: Vec::new(),
            hanging,
            missing,
            may_read_anew,
        };
    };
    let manifest = sealed.manifest.as_ref().ok();
    EvidenceBox {
        seal,
        record: may_read.then_some(sealed.id),
        has_sheet: manifest.is_some_and(|m| m.parts.iter().any(|p| p.kind == PartKind::SheetPng)),
        again: present_changes::sealed_again(file, now),
        hanging: manifest.filter(|_| may_read).map(|m| hanging(sealed.id, m)).unwrap_or_default(),
        missing: manifest
            .map(|m| m.missing.iter().map(|p| MissingView::new(p.kind, &p.reason)).collect())
            .unwrap_or_default(),
        may_read_anew: false,
    }
}

/// What checking one record gave, in words.
pub fn verification(sealed: &SealedEvidence) -> Verification {
    let leaf = Some(format!("post {} i loggen", sealed.log_seq));
    match &sealed.manifest {
        Ok(manifest) => Verification {
            checked: Checked::Sound,
            rows: vec![
                CheckRow {
                    what: "Manifest",
                    words: format!("Läst och omräknat nyss. SHA-256: {}", sealed.manifest_hash),
                    sound: true,
                },
                CheckRow {
                    what: "Delar",
                    words: format!(
                        "{} filer. Var och en räknas om när den öppnas; hela arkivet med uppsikt evidence verify.",
                        manifest.parts.len()
                    ),
                    sound: true,
                },
            ],
            leaf,
        },
        Err(problem) => Verification {
            checked: Checked::Broken(problem.clone()),
            rows: vec![CheckRow { what: "Manifest", words: problem.clone(), sound: false }],
            leaf,
        },
    }
}

fn failed(file: &CaseFile, now: Timestamp) -> Vec<FailedAction> {
    let standing = file.standing.as_ref().map(|s| s.id);
    file.actions
        .iter()
        .filter(|action| Some(action.decision) == standing)
        .filter_map(|action| match &action.state {
            ActionState::Failed { at, reason, .. } => Some(FailedAction {
                action: action.id,
                what: format!("Det gick inte att {}", action.kind.label()),
                reason: reason.clone(),
                at: Moment::new(*at, now),
                may_retry: file.may_decide,
            }),
            ActionState::Pending { .. }
            | ActionState::UnderWay { .. }
            | ActionState::Retrying { .. }
            | ActionState::Done { .. }
            | ActionState::Moot { .. }
            | ActionState::Cancelled { .. } => None,
        })
        .collect()
}

/// What a person still has to do on the platform itself.
fn tasks(file: &CaseFile, now: Timestamp) -> Vec<TaskView> {
    let Some(standing) = &file.standing else { return Vec::new() };
    let waits = |action: &&ActionView| {
        action.decision == standing.id && action.by_hand && !action.state.is_settled()
    };
    let view = |action: &ActionView| {
        task(
            action.id,
            action.kind,
            &file.account,
            file.permalink.as_ref().filter(|_| !file.no_copy && action.hindered.is_none()),
            action.hindered,
            action.text.as_deref(),
            Some((standing.by.clone(), standing.at)),
            file.may_decide,
            now,
        )
    };
    file.actions.iter().filter(waits).map(view).collect()
}

/// One task in words.
#[expect(clippy::too_many_arguments, reason = "a page knows them from two places")]
pub fn task(
    action: ActionId,
    kind: ActionKind,
    account: &Account,
    permalink: Option<&Permalink>,
    hindered: Option<&'static str>,
    text: Option<&str>,
    decided: Option<(String, Timestamp)>,
    may: bool,
    now: Timestamp,
) -> TaskView {
    let place = platform_words(account);
    let (what, why) = match kind {
        ActionKind::Hide => ("dölj inlägget", SEALED_FIRST),
        ActionKind::Delete => ("ta bort inlägget", SEALED_FIRST),
        ActionKind::Unhide => ("visa inlägget igen", "Visa det, och säg sedan till här."),
        ActionKind::Reply => {
            ("publicera svaret", "Publicera texten som den står, och säg sedan till här.")
        }
        ActionKind::Report => {
            ("anmäl inlägget", "Anmäl det till plattformen, och säg sedan till här.")
        }
        ActionKind::Forward => (
            "vidarebefordra inlägget",
            "Skicka det till mottagaren så som det är beslutat, och säg sedan till här.",
        ),
        // Never a task: it is carried out inside the authority.
        ActionKind::Register => (kind.label(), ""),
    };
    TaskView {
        action,
        what: format!("{what} på {place}"),
        why: hindered.unwrap_or(why),
        text: text.map(MarkedText::plain),
        copy: text.map(str::to_owned),
        link: permalink.map(|p| Outside::new("Länk till inlägget", &p.url)),
        decided: decided.map(|(who, at)| (who, Moment::new(at, now))),
        may,
    }
}

const SEALED_FIRST: &str = "Länken visas när den text som Uppsikt senast läste är säkrad. Står det något annat där, så ta inte bort det än. Det kontrolleras när du säger att det är klart.";

/// Where an account is, in words: the place itself where items are recorded by hand.
fn platform_words(account: &Account) -> String {
    match account.platform {
        PlatformKind::Manual => account.name.clone(),
        other => other.label().to_owned(),
    }
}

/// The bar that undoes the standing decision while that is possible.
fn undo(file: &CaseFile, now: Timestamp) -> Option<UndoBar> {
    let standing = file.standing.as_ref()?;
    let rests = matches!(file.state, CaseState::Held { .. });
    if !file.may_decide || !(rests || matches!(file.state, CaseState::Decided)) {
        return None;
    }
    let by_hand = |choice: &Choice| {
        let mut own = file.actions.iter().filter(|action| action.decision == standing.id);
        own.any(|action| action.by_hand && Some(action.kind) == choice.action())
    };
    let what = comes_to(&standing.choices, by_hand);
    let bar = UndoBar::new(file.id, standing.id, what, standing.undo_until, now)?;
    Some(UndoBar { rests, ..bar })
}

/// What will be done, in words: `Döljs, diarieförs`.
pub(super) fn comes_to(choices: &[Choice], by_hand: impl Fn(&Choice) -> bool) -> String {
    let words = choices.iter().map(|choice| match choice.action() {
        Some(kind) if by_hand(choice) => format!("blir en uppgift att {}", kind.label()),
        Some(_) | None => will_be(choice.id()).to_owned(),
    });
    capitalised(&words.collect::<Vec<_>>().join(", "))
}

/// A clause of the capability record as a sentence of its own.
fn sentence(clause: &str) -> String {
    let stop = if clause.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{stop}", capitalised(clause))
}

fn form_state(file: &CaseFile, me: UserId) -> FormState {
    let closed = |why: &str| FormState::Closed(why.to_owned());
    if !file.may_decide {
        return closed(
            "Din roll får läsa ärendet men inte besluta. Det får redaktörer och kontoansvariga.",
        );
    }
    if let Some(claim) = file.claim.as_ref().filter(|claim| claim.user != me) {
        return FormState::Closed(format!(
            "{} arbetar med ärendet. Ta över det om du ska besluta.",
            claim.name
        ));
    }
    let mut on_its_way = file.actions.iter().filter(|action| !action.state.is_settled());
    if let Some(first) = on_its_way.next() {
        if first.by_hand && on_its_way.all(|action| action.by_hand) {
            return closed(
                "Beslutet är fattat och väntar på det som ska göras för hand. Du kan besluta på nytt när det är klart.",
            );
        }
        return closed("Beslutet genomförs. Du kan besluta på nytt när det är klart.");
    }
    match file.state {
        CaseState::Decided => closed("Ärendet är beslutat."),
        CaseState::Waiting
        | CaseState::Returned { .. }
        | CaseState::Held { .. }
        | CaseState::AwaitingDiary
        | CaseState::Closed { .. } => FormState::Open,
    }
}

fn decision(
    file: &CaseFile,
    gate: super::view::decision::RemovalGate,
    again: Option<Again>,
    me: UserId,
    now: Timestamp,
) -> DecisionForm {
    let offers = file.offers.as_ref();
    let barred = |kind: ActionKind| file.barred.iter().find(|b| b.act == kind);
    let offer =
        |kind: ActionKind, offered: Option<Offered>, effect: Option<&str>| match barred(kind) {
            Some(barred) => PlatformOffer::ByHand { why: sentence(&barred.why) },
            None => platform_offer(offered, effect),
        };
    let (reply, longest_reply) = match offers.map(|o| o.reply(file.kind)) {
        Some((offered, longest)) => (Some(offered), longest),
        None => (None, None),
    };
    let until = offers.and_then(|o| o.answered_until(file.kind, file.created_at, now));
    // After a decision nothing is proposed any more: the person starts afresh.
    let proposes = file.state.needs_a_person() && file.standing.is_none();
    let proposal = if proposes {
        Proposal {
            choices: file
                .proposal
                .choices
                .iter()
                .filter_map(|choice| ChoiceKind::from_id(choice.id()))
                .map(|kind| offers.map_or(kind, |offers| within_reach(kind, offers)))
                .collect(),
            ground: file.proposal.ground,
        }
    } else {
        Proposal::default()
    };
    let form = DecisionForm::new(DecisionInput {
        case: file.id,
        revision: file.revision,
        seen: Seen { steps: file.history.len(), version: file.version.0 },
        state: form_state(file, me),
        gate,
        hidden: file.presence == Presence::Hidden,
        hide: offer(
            ActionKind::Hide,
            offers.map(|o| o.hide),
            offers.map(|o| o.hide_effect.as_str()),
        ),
        unhide: offer(ActionKind::Unhide, offers.map(|o| o.unhide), None),
        delete: offer(
            ActionKind::Delete,
            offers.map(|o| o.delete),
            offers.map(|o| o.delete_effect.as_str()),
        ),
        reply: offer(ActionKind::Reply, reply, until.as_deref()),
        forward: PlatformOffer::Native { effect: Some(forward_words(file).into()) },
        report: offer(ActionKind::Report, offers.map(|o| o.report), None),
        longest_reply,
        grounds: GroundMenu::new(
            file.suggested.iter().map(|(ground, _)| *ground).collect(),
            ground_why(file, proposal.ground),
            &file.duties,
        ),
        diary: Some(DiaryInput {
            policy: file.policy.clone(),
            duties: file.duties.clone(),
            kind: file.kind,
        }),
        rest: rests(file.due_at, file.grave, now),
        proposal,
        again,
        permalink: file.permalink.as_ref().filter(|_| !file.no_copy).map(|p| p.url.as_str()),
        platform: &platform_words(&file.account),
    });
    DecisionForm { units: file.units.clone(), ..form }
}

fn forward_words(file: &CaseFile) -> &'static str {
    match file.units.is_empty() {
        true => FORWARD_BY_HAND,
        false => {
            "Till en enhet i listan skickar Uppsikt ett brev med beviset. Till andra skickar du det själv."
        }
    }
}

/// The removal that the policy prefers, or the other one where the platform has only that.
pub(super) fn within_reach(kind: ChoiceKind, offers: &Offers) -> ChoiceKind {
    let none = |offered| matches!(offered, Offered::No(_));
    match kind {
        ChoiceKind::Hide if none(offers.hide) && !none(offers.delete) => ChoiceKind::Delete,
        ChoiceKind::Delete if none(offers.delete) && !none(offers.hide) => ChoiceKind::Hide,
        other => other,
    }
}

/// Why the ground that stands chosen beforehand does.
fn ground_why(file: &CaseFile, chosen: Option<Ground>) -> Option<String> {
    let chosen = chosen?;
    let (_, why) = file.suggested.iter().find(|(ground, _)| *ground == chosen)?;
    let source = file.duties.ground(chosen).and_then(|known| known.source.as_ref());
    let source = source.map_or_else(String::new, |source| format!(" ({source})"));
    Some(format!("{why}{source}"))
}

fn context(file: &CaseFile, now: Timestamp) -> ContextView {
    let item = |item: &crate::domain::evidence::ThreadItem| ThreadItem {
        author: author(&item.author, file.no_copy).name,
        at: item.created_at.map(|at| Moment::new(at, now)),
        text: MarkedText::plain(&item.text),
        case: None,
    };
    ContextView {
        post: file.above.post.as_ref().map(|post| PostView {
            title: post.title.as_deref().map(Masked::line),
            text: MarkedText::plain(&post.text),
            at: post.created_at.map(|at| Moment::new(at, now)),
            // It stands on the very page.
            link: post
                .permalink
                .as_deref()
                .map(|url| outside("Länk till inlägget", url, file.no_copy)),
        }),
        above: file.above.above.iter().map(item).collect(),
        below: file.below.iter().map(item).collect(),
        missing: file
            .above
            .missing
            .iter()
            .map(|_| "Ett inlägg högre upp i tråden har Uppsikt aldrig fått se.".to_owned())
            .collect(),
    }
}

fn earlier(file: &CaseFile, now: Timestamp) -> Vec<EarlierCase> {
    let ended = |state: &CaseState| match state {
        CaseState::Closed { outcome } => Some(*outcome),
        CaseState::Waiting
        | CaseState::Returned { .. }
        | CaseState::Held { .. }
        | CaseState::Decided
        | CaseState::AwaitingDiary => None,
    };
    let case = |(id, at, state): &(CaseId, Timestamp, CaseState)| {
        EarlierCase::new(*id, *at, ended(state), now)
    };
    file.earlier_cases.iter().map(case).collect()
}

/// `4 andra, från 3 konton`.
fn alike_view(alike: &Alike, barred: bool, now: Timestamp) -> AlikeView {
    let accounts = match alike.n_accounts {
        0 | 1 => String::new(),
        n => format!(", på {n} konton"),
    };
    let authors = match alike.n_authors {
        0 => String::new(),
        1 => ", från en avsändare".to_owned(),
        n => format!(", från {n} avsändare"),
    };
    let least = if alike.n_items >= u64::from(ALIKE_COUNTED) { "minst " } else { "" };
    let others = if alike.n_items == 1 { "annat inlägg" } else { "andra inlägg" };
    let row = |item: &AlikeItem| AlikeRow {
        case: item.case,
        account: item.account.clone(),
        at: Moment::new(item.at, now),
        link: item
            .permalink
            .as_deref()
            .filter(|_| item.case.is_none())
            .map(|url| outside("Länk till inlägget", url, barred)),
    };
    AlikeView {
        words: format!("{least}{} {others}{authors}{accounts}", alike.n_items),
        rows: alike.some.iter().map(row).collect(),
        more: alike.n_items.saturating_sub(alike.some.len() as u64),
    }
}

/// Everything about one case.
pub fn case(
    file: &CaseFile,
    extent: Extent,
    again: Option<Again>,
    me: UserId,
    now: Timestamp,
) -> CaseView {
    let evidence = evidence_box(file, now);
    let gate = evidence.seal.gate();
    let text = match extent {
        Extent::Part => MarkedText::new(&file.text, &file.findings),
        Extent::Whole => MarkedText::whole(&file.text, &file.findings),
    };
    let (number, of) = file.version;
    CaseView {
        id: file.id,
        heading: format!("{} på {}", capitalised(file.kind.label()), platform_words(&file.account)),
        account: file.account.name.clone(),
        responsible: file.responsible.clone(),
        state: file.state.label(),
        deadline: (file.state.needs_a_person() && !file.outside)
            .then(|| Deadline::of_case(file.due_at, file.waits_since, now)),
        author: AuthorView { earlier: earlier(file, now), ..author(&file.author, file.no_copy) },
        written: file.created_at.map(|at| Moment::new(at, now)),
        fetched: Moment::new(file.fetched_at, now),
        recorded_by: file.recorded_by.clone(),
        disposed: matches!(file.evidence, Evidence::Disposed { .. }),
        veiled: file.veiled.then_some(file.may_read_evidence),
        version: (of > 1).then(|| format!("Ändrad av författaren: lydelse {number} av {of}")),
        presence: file.presence.label(),
        // What may not be shown is not a click away either.
        permalink: file
            .permalink
            .as_ref()
            .map(|p| outside("Länk till inlägget", &p.url, file.no_copy)),
        claim: claim(file.claim.as_ref(), me, file.may_decide),
        failed: failed(file, now),
        tasks: tasks(file, now),
        // Beside one's own decision that was not saved, a bar that begins with "Sparat" would mislead.
        undo: if again.is_some() { None } else { undo(file, now) },
        text,
        folded: None,
        barred: file.no_copy,
        may_suspect: file.may_decide && !file.no_copy,
        may_lift: file.may_lift_bar,
        help: file.help.iter().map(|h| (h.what.clone(), h.number.clone())).collect(),
        alike: file.alike.as_ref().map(|alike| alike_view(alike, file.no_copy, now)),
        foreign: file.language.filter(|l| !l.is_read()).map(Language::label),
        why: WhyRow::judged(&file.findings, &file.withheld, &file.wrong),
        may_judge: file.may_decide,
        context: context(file, now),
        decision: decision(file, gate, again, me, now).helped(present_replies::help(file)),
        changed: ChangedView::default(),
        versions: present_changes::versions(file, extent, now),
        evidence,
        custody: present_keeping::custody(&file.custody, now),
        custody_older: file.custody.n_older,
        exemption: file.exemption.as_ref().map(|e| present_keeping::exemption(e, file.id, now)),
        may_exempt: file.may_exempt,
        secrecy: present_keeping::secrecy(file),
        notes: present_replies::notes(file, now),
        history: file
            .history
            .iter()
            .map(|step| HistoryRow {
                at: Moment::new(step.at, now),
                who: step.by.clone().unwrap_or_else(|| "Uppsikt".to_owned()),
                what: step.what.clone(),
                detail: step.detail.clone(),
            })
            .collect(),
    }
}
