//! Plainly fictional pages for tests: every part shown, every state at least once.

use askama::Template as _;
use jiff::{SignedDuration, Timestamp};

use crate::domain::account::PlatformKind;
use crate::domain::case::Outcome;
use crate::domain::category::{Category, Severity};
use crate::domain::evidence::{Manifest, MissingPart, Part, PartKind};
use crate::domain::ground::Ground;
use crate::domain::ids::{
    AccountKey, ActionId, CaseId, ContentHash, DecisionId, EvidenceId, PlatformItemId,
    RegistrationId,
};
use crate::domain::item::{Author, ItemKind, Permalink, PermalinkSource, Presence};
use crate::domain::person::Role;
use crate::domain::verdict::{Finding, Span};

use super::accounts::{AccountView, AccountsPage, Health, OfferRow, OfferWord};
use super::case::{
    AuthorView, CasePage, CaseView, ClaimView, ContextView, EarlierCase, FailedAction, HistoryRow,
    PostView, ThreadItem, UndoBar, WhyRow,
};
use super::decision::{
    ChoiceKind, DecisionForm, DecisionInput, Filled, FormState, PlatformOffer, Proposal,
};
use super::diary::{AwaitingRow, DiaryPage, NOT_A_NUMBER, RegisteredRow};
use super::error::{ErrorPage, Trouble};
use super::evidence::{
    CheckRow, Checked, EvidenceBox, EvidencePage, MissingView, Seal, Verification,
};
use super::help::HelpPage;
use super::login::{LoginPage, WRONG};
use super::marked::MarkedText;
use super::masked::Masked;
use super::outside::Outside;
use super::queue::{AccountOption, Filter, QueuePage, QueueRow, claimed_words, looked};
use super::shell::{Keys, Notice, Place, Shell, Who};
use super::times::{Deadline, Moment};
use super::words::CategoryWord;

/// Now: a Wednesday at nine in the morning.
pub fn now() -> Timestamp {
    "2026-11-04T08:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

/// A logged-in editor's surroundings.
pub fn shell(here: Place) -> Shell {
    Shell::inside(
        "Exempelstads kommun",
        Who::new("Kim Exempel", Role::Editor),
        "0123abcd".to_owned(),
        Keys::On,
        here,
        true,
        now(),
    )
}

/// A finding on every place where `words` stand in `text`.
pub fn finding(
    text: &str,
    words: &str,
    category: Category,
    severity: Severity,
    rule: &str,
    why: &str,
    legal: &str,
) -> Finding {
    let at = |(start, found): (usize, &str)| {
        Span::from((u32::try_from(start).unwrap(), u32::try_from(start + found.len()).unwrap()))
    };
    Finding {
        category,
        severity,
        rule: rule.into(),
        spans: text.match_indices(words).map(at).collect(),
        why: why.into(),
        legal: legal.into(),
    }
}

const TEXT: &str = "Ni på socialkontoret är så jävla dumma i huvudet. Jag vet var du bor, \
    Kim Exempel, på Provgatan 3, och jag ska komma hem och slå ihjäl dig.\n\n\
    Läs mer på https://skvaller.example/kim?sida=2 innan ni raderar!";

/// The findings of the fixture's text, overlapping on purpose.
pub fn findings() -> Vec<Finding> {
    vec![
        finding(
            TEXT,
            "Jag vet var du bor, Kim Exempel, på Provgatan 3, och jag ska komma hem och slå ihjäl dig",
            Category::Threat,
            Severity::High,
            "hot.hem-till-dig",
            "Någon hotas till livet och får veta att avsändaren känner till bostaden.",
            "1998:112 5 § 1 a; BrB 4:5",
        ),
        finding(
            TEXT,
            "Provgatan 3",
            Category::PersonalData,
            Severity::Medium,
            "uppgift.gatuadress",
            "En namngiven persons gatuadress står i texten.",
            "GDPR art. 5 och 6",
        ),
        finding(
            TEXT,
            "jävla dumma i huvudet",
            Category::Insult,
            Severity::Low,
            "angrepp.dum-i-huvudet",
            "De som arbetar på en namngiven enhet kallas dumma.",
            "sidans regler: kränkande innehåll",
        ),
    ]
}

fn native(effect: &str) -> PlatformOffer {
    PlatformOffer::Native { effect: Some(effect.to_owned()) }
}

fn decision_input(seal: &Seal) -> DecisionInput<'static> {
    DecisionInput {
        case: CaseId(214),
        revision: 7,
        state: FormState::Open,
        gate: seal.gate(),
        hidden: false,
        hide: native("Författaren och författarens vänner ser den fortfarande."),
        unhide: native("Alla ser den igen."),
        delete: native("Den försvinner för alla. Det går inte att ångra på Facebook."),
        reply: PlatformOffer::Native { effect: None },
        forward: PlatformOffer::No { why: "E-post är inte inställd i Uppsikt.".to_owned() },
        longest_reply: Some((8_000, "tecken")),
        suggested: vec![Ground::Threat, Ground::Harassment, Ground::PersonalData],
        proposal: Proposal {
            choices: vec![ChoiceKind::Hide, ChoiceKind::Register],
            ground: Some(Ground::Threat),
        },
        again: None,
        permalink: Some("https://www.facebook.example/exempelstad/posts/1?comment_id=2"),
        platform: "Facebook",
        now: now(),
    }
}

/// A case with every part.
pub fn case() -> CaseView {
    let seal = Seal::sealed(ago(11), Checked::Sound, now());
    CaseView {
        id: CaseId(214),
        heading: "kommentar på Facebook".to_owned(),
        account: "Exempelstads kommun".to_owned(),
        state: "väntar på beslut",
        deadline: Some(Deadline::new(later(192), now())),
        author: AuthorView {
            name: Masked::line("Robin Påhitt"),
            handle: Some(Masked::line("robin.pahitt")),
            profile: Some(Outside::new("Profilen", "https://www.facebook.example/robin.pahitt")),
            earlier: vec![
                EarlierCase::new(CaseId(190), ago(9_000), Some(Outcome::CarriedOut), now()),
                EarlierCase::new(CaseId(77), ago(90_000), Some(Outcome::Dismissed), now()),
            ],
        },
        written: Some(Moment::new(ago(14), now())),
        fetched: Moment::new(ago(12), now()),
        version: Some("Ändrad av författaren: lydelse 2 av 2".to_owned()),
        presence: "synlig",
        permalink: Some(Outside::new(
            "Kommentaren på Facebook",
            "https://www.facebook.example/exempelstad/posts/1?comment_id=2",
        )),
        claim: ClaimView::Mine { until: Moment::new(later(5), now()) },
        failed: Vec::new(),
        undo: None,
        text: MarkedText::new(TEXT, &findings()),
        folded: Some(MarkedText::plain("jag vet var du bor kim exempel på provgatan 3 och jag ska komma hem och slå ihjäl dig")),
        why: WhyRow::rows(&findings()),
        context: ContextView {
            post: Some(PostView {
                title: Some(Masked::line("Nya öppettider på socialkontoret")),
                text: MarkedText::plain("Från den 1 december har vi öppet till kl. 18 på torsdagar."),
                at: Some(Moment::new(ago(1_500), now())),
                link: None,
            }),
            above: vec![ThreadItem {
                author: Masked::line("Alex Testsson"),
                at: Some(Moment::new(ago(40), now())),
                text: MarkedText::plain("Bra! Äntligen hinner man efter jobbet."),
                case: None,
            }],
            below: vec![ThreadItem {
                author: Masked::line("Love Provare"),
                at: None,
                text: MarkedText::plain("Men lugna dig nu."),
                case: Some(CaseId(215)),
            }],
            missing: vec!["Ett svar i tråden har aldrig hämtats: det togs bort på Facebook innan Uppsikt hann läsa det.".to_owned()],
        },
        evidence: EvidenceBox {
            seal: seal.clone(),
            record: Some(EvidenceId(88)),
            has_sheet: true,
            missing: vec![MissingView::new(PartKind::Screenshot, "Sidan kräver inloggning.")],
        },
        decision: DecisionForm::new(decision_input(&seal)),
        history: vec![
            HistoryRow {
                at: Moment::exact(ago(12), now()),
                who: "Uppsikt".to_owned(),
                what: "hämtade kommentaren och öppnade ärendet".to_owned(),
                detail: None,
            },
            HistoryRow {
                at: Moment::exact(ago(11), now()),
                who: "Uppsikt".to_owned(),
                what: "säkrade bevis 88".to_owned(),
                detail: Some("Skärmbild saknas: sidan kräver inloggning.".to_owned()),
            },
            HistoryRow {
                at: Moment::exact(ago(2), now()),
                who: "Kim Exempel".to_owned(),
                what: "började arbeta med ärendet".to_owned(),
                detail: None,
            },
        ],
    }
}

/// A case before its evidence is sealed, on a platform that cannot hide, after a refused try.
pub fn case_before_evidence() -> CaseView {
    let seal = Seal::Taking;
    let mut input = decision_input(&seal);
    input.hide = PlatformOffer::ByHand {
        why: "Reddit låter inte oss dölja via gränssnittet. Gör det i moderatorsvyn.".to_owned(),
    };
    input.platform = "Reddit";
    input.again = Some((
        Filled {
            choices: vec![ChoiceKind::Answer, ChoiceKind::NotRegister],
            answer: "Hej! Vi läser vad du skriver.".to_owned(),
            ..Filled::default()
        },
        "Skriv varför det inte ska diarieföras.".to_owned(),
    ));
    CaseView {
        heading: "kommentar på Reddit".to_owned(),
        evidence: EvidenceBox {
            seal: seal.clone(),
            record: None,
            has_sheet: false,
            missing: Vec::new(),
        },
        decision: DecisionForm::new(input),
        claim: ClaimView::Free,
        written: None,
        deadline: Some(Deadline::new(ago(40), now())),
        version: None,
        folded: None,
        context: ContextView::default(),
        ..case()
    }
}

/// A case whose action failed, held by a colleague.
pub fn case_failed() -> CaseView {
    CaseView {
        state: "kom tillbaka",
        failed: vec![FailedAction {
            action: ActionId(301),
            what: "Det gick inte att dölja kommentaren".to_owned(),
            reason: "Facebook svarade att behörigheten har gått ut. Kommentaren syns fortfarande, beviset är säkrat. Anslut kontot på nytt och försök igen.".to_owned(),
            at: Moment::new(ago(3), now()),
            may_retry: true,
        }],
        claim: ClaimView::Other { name: "Sam Prov".to_owned(), until: Moment::new(later(4), now()) },
        decision: DecisionForm::new(DecisionInput {
            state: FormState::Closed("Sam Prov arbetar med ärendet. Du kan besluta när Sam Prov är klar, senast 09:04.".to_owned()),
            ..decision_input(&Seal::sealed(ago(11), Checked::Sound, now()))
        }),
        ..case()
    }
}

/// A case just decided: it can be undone.
pub fn case_decided() -> CaseView {
    CaseView {
        state: "beslutat, genomförs",
        undo: Some(undo()),
        claim: ClaimView::Free,
        decision: DecisionForm::new(DecisionInput {
            state: FormState::Closed(
                "Beslutat. Ett nytt beslut kan fattas när det här är genomfört.".to_owned(),
            ),
            ..decision_input(&Seal::sealed(ago(11), Checked::Sound, now()))
        }),
        ..case()
    }
}

/// A case full of tricks.
pub fn case_hostile() -> CaseView {
    let text = format!(
        "<script>alert(1)</script><img src=x onerror=alert(2)> \u{202E}txet ednäv\u{202C} h{}ej \u{200B}\u{200B} \0 مرحبا 你好 👩‍👩‍👧 {} javascript:alert(3) https://fel.example/\"onclick=alert(4)",
        "\u{0301}\u{0316}".repeat(60),
        "långtordutanmellanslag".repeat(40),
    );
    CaseView {
        author: AuthorView {
            name: Masked::line("</bdi><b>Falsk\u{202E}nman"),
            handle: Some(Masked::line("\"><script>alert(5)</script>")),
            profile: Some(Outside::new("Profilen", "javascript:alert(6)")),
            earlier: Vec::new(),
        },
        permalink: Some(Outside::new("Kommentaren", "data:text/html,<script>alert(7)</script>")),
        text: MarkedText::new(&text, &[]),
        why: Vec::new(),
        folded: None,
        ..case()
    }
}

/// A decision that can be undone for ten seconds.
pub fn undo() -> UndoBar {
    let until = now() + SignedDuration::from_secs(10);
    UndoBar::new(CaseId(214), DecisionId(57), "döljs och diarieförs", until, now()).unwrap()
}

fn row(case: i64, line: &str, minutes: i64) -> QueueRow {
    QueueRow {
        case: CaseId(case),
        line: Masked::line(line),
        author: Masked::line("Robin Påhitt"),
        account: "Exempelstads kommun".to_owned(),
        platform: PlatformKind::Facebook.label(),
        kind: "kommentar",
        age: Moment::ago(ago(minutes), now()),
        categories: Vec::new(),
        severity: None,
        deadline: None,
        claimed: None,
        returned: None,
        similar: 0,
    }
}

/// Rows in every state.
pub fn rows() -> Vec<QueueRow> {
    let word = CategoryWord::new;
    vec![
        QueueRow {
            categories: vec![
                word(Category::Threat, Severity::High),
                word(Category::PersonalData, Severity::Medium),
                word(Category::Insult, Severity::Low),
            ],
            severity: Some(Severity::High),
            deadline: Some(Deadline::new(later(192), now())),
            claimed: Some(claimed_words("Kim Exempel", true)),
            ..row(
                214,
                "Ni på socialkontoret är så jävla dumma i huvudet. Jag vet var du bor, Kim Exempel, på *********, och jag ska komma hem och slå ihjäl dig.",
                14,
            )
        },
        QueueRow {
            categories: vec![word(Category::Threat, Severity::High)],
            severity: Some(Severity::High),
            deadline: Some(Deadline::new(ago(40), now())),
            returned: Some("Facebook svarade att behörigheten har gått ut.".to_owned()),
            ..row(203, "Du ska få se vad som händer med sådana som du", 1_480)
        },
        QueueRow {
            categories: vec![word(Category::PersonalId, Severity::High)],
            severity: Some(Severity::High),
            deadline: Some(Deadline::new(later(700), now())),
            claimed: Some(claimed_words("Sam Prov", false)),
            platform: PlatformKind::WordPress.label(),
            account: "Exempelbloggen".to_owned(),
            ..row(212, "Hej, mitt personnummer är 8112**-****, kan ni kolla mitt ärende?", 33)
        },
        QueueRow {
            categories: vec![word(Category::Spam, Severity::Medium)],
            severity: Some(Severity::Medium),
            deadline: Some(Deadline::new(later(1_300), now())),
            similar: 16,
            ..row(198, "Tjäna 40 000 i veckan hemifrån, skriv till mig så berättar jag hur", 180)
        },
        QueueRow {
            categories: vec![word(Category::Question, Severity::Medium)],
            severity: Some(Severity::Medium),
            deadline: Some(Deadline::new(later(2_600), now())),
            ..row(201, "När öppnar badhuset i Provdalen efter renoveringen?", 65)
        },
        QueueRow { kind: "privat meddelande", ..row(200, "", 90) },
    ]
}

/// The queue with rows.
pub fn queue() -> QueuePage {
    let filter = |label, count, id: &str, current| Filter {
        label,
        count,
        href: if id.is_empty() { "/".to_owned() } else { format!("/?visa={id}") },
        current,
    };
    QueuePage {
        shell: shell(Place::Queue),
        notice: None,
        undos: Vec::new(),
        filters: vec![
            filter("Att besluta", 6, "", true),
            filter("Väntar", 2, "vantar", false),
            filter("Genomförs", 1, "genomfors", false),
            filter("Avslutade", 1_204, "avslutade", false),
        ],
        accounts: vec![
            AccountOption { key: String::new(), label: "Alla konton".to_owned(), selected: true },
            AccountOption {
                key: "facebook".to_owned(),
                label: "Exempelstads kommun (Facebook)".to_owned(),
                selected: false,
            },
            AccountOption {
                key: "blogg".to_owned(),
                label: "Exempelbloggen (WordPress)".to_owned(),
                selected: false,
            },
        ],
        filter: "",
        rows: rows(),
        next: Some("/?sida=2".to_owned()),
        previous: None,
        looked: vec![
            looked("Exempelstads kommun (Facebook)".to_owned(), Some(ago(2)), None, now()),
            looked("Exempelbloggen (WordPress)".to_owned(), None, None, now()),
        ],
        selected: None,
    }
}

/// The queue with a case beside it, a decision to undo and an account in trouble.
pub fn queue_with_case() -> QueuePage {
    let mut page = queue();
    page.undos = vec![undo()];
    page.looked[0].trouble =
        Some("Facebook svarar inte sedan 08:40. Det som redan är hämtat är sparat. Uppsikt försöker igen 09:05.".to_owned());
    page.selected = Some(case());
    page
}

/// Nothing to do.
pub fn queue_empty() -> QueuePage {
    QueuePage {
        rows: Vec::new(),
        next: None,
        notice: Some(Notice::done("Diarienumret är sparat.")),
        ..queue()
    }
}

fn case_page(case: CaseView) -> CasePage {
    CasePage { shell: shell(Place::Queue), notice: None, case }
}

/// A sealed record.
pub fn evidence() -> EvidencePage {
    let part = |kind: PartKind, name: &str, media_type: &str, size_bytes, method: &str| Part {
        kind,
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        sha256: ContentHash::of(name.as_bytes()),
        size_bytes,
        captured_at: ago(11),
        method: method.to_owned(),
    };
    let manifest = Manifest {
        format: 1,
        account: AccountKey::new("facebook"),
        platform: "facebook".to_owned(),
        simulated: true,
        item: PlatformItemId::new("1_2"),
        version: 2,
        content_sha256: ContentHash::of(TEXT.as_bytes()),
        kind: ItemKind::Comment,
        author: Author { name: Some("Robin Påhitt".to_owned()), ..Author::default() },
        created_raw: None,
        created_at: None,
        edited_at: None,
        fetched_at: ago(12),
        sealed_at: ago(11),
        presence: Presence::Visible,
        permalink: Some(Permalink {
            url: "https://www.facebook.example/1_2".to_owned(),
            source: PermalinkSource::Given,
        }),
        attachments: Vec::new(),
        verdict: None,
        parts: vec![
            part(
                PartKind::Payload,
                "payload.json",
                "application/json",
                1_204,
                "Plattformens svar, byte för byte.",
            ),
            part(
                PartKind::SheetPdf,
                "sheet.pdf",
                "application/pdf",
                88_100,
                "Gjort av Uppsikt 0.1.0.",
            ),
            part(
                PartKind::SheetPng,
                "sheet-1.png",
                "image/png",
                204_000,
                "Gjort av Uppsikt 0.1.0.",
            ),
        ],
        missing: vec![MissingPart {
            kind: PartKind::Screenshot,
            reason: "Sidan kräver inloggning.".to_owned(),
        }],
        sealed_by: "Uppsikt 0.1.0".to_owned(),
    };
    EvidencePage::new(
        shell(Place::Queue),
        EvidenceId(88),
        "/arende/214".to_owned(),
        &manifest,
        Verification {
            checked: Checked::Sound,
            rows: vec![
                CheckRow {
                    what: "Filerna",
                    words: "3 filer har samma innehåll som när de säkrades.".to_owned(),
                    sound: true,
                },
                CheckRow {
                    what: "Förteckningen",
                    words: "Dess hash är densamma som i loggen.".to_owned(),
                    sound: true,
                },
                CheckRow {
                    what: "Loggen",
                    words: "Löv 88 ingår i det undertecknade läget från 08:50.".to_owned(),
                    sound: true,
                },
            ],
            leaf: Some("löv 88 av 214".to_owned()),
        },
        now(),
    )
}

/// Cases that await numbers.
pub fn diary() -> DiaryPage {
    let waiting = |id: i64, refused| AwaitingRow {
        registration: RegistrationId(id),
        case: CaseId(id + 100),
        line: Masked::line("Jag vill begära ut alla handlingar om bygget vid Provgatan"),
        account: "Exempelstads kommun (Facebook)".to_owned(),
        exported: Moment::new(ago(200), now()),
        package: format!("uppsikt-arende-{}.zip", id + 100),
        refused,
    };
    DiaryPage {
        shell: shell(Place::Diary),
        notice: None,
        awaiting: vec![waiting(5, Some(("KS".to_owned(), NOT_A_NUMBER))), waiting(6, None)],
        may_enter: true,
        recent: vec![RegisteredRow {
            case: CaseId(99),
            number: "KS 2026/123".to_owned(),
            line: Masked::line("Trasigt räcke vid skolan"),
            at: Moment::new(ago(3_000), now()),
            who: "Sam Prov".to_owned(),
        }],
    }
}

/// Accounts, well and not.
pub fn accounts() -> AccountsPage {
    let offer = |what, word, detail: &str| OfferRow {
        what,
        word,
        detail: (!detail.is_empty()).then(|| detail.to_owned()),
    };
    let account = |key: &str, name: &str, platform, health| AccountView {
        key: key.to_owned(),
        name: name.to_owned(),
        platform,
        simulated: true,
        looked: Some(Moment::ago(ago(2), now())),
        next: Some(Moment::new(later(3), now())),
        health,
        offers: vec![
            offer("Läsa kommentarer", OfferWord::Yes, ""),
            offer(
                "Läsa privata meddelanden",
                OfferWord::Conditional,
                "Kräver en särskild behörighet.",
            ),
            offer(
                "Dölja",
                OfferWord::Yes,
                "Författaren och författarens vänner ser den fortfarande.",
            ),
            offer("Anmäla till plattformen", OfferWord::ByHand, "Gör det på inlägget."),
            offer("Få besked med webhook", OfferWord::No, "Plattformen har ingen."),
        ],
        terms: Some("Uppgifter får sparas så länge de behövs för ändamålet.".to_owned()),
    };
    AccountsPage {
        shell: shell(Place::Accounts),
        accounts: vec![
            account("facebook", "Exempelstads kommun", "Facebook", Health::Well),
            account("blogg", "Exempelbloggen", "WordPress", Health::Trouble("WordPress svarar inte sedan 08:40. Det som redan är hämtat är sparat. Uppsikt försöker igen 09:05.".to_owned())),
            AccountView { looked: None, next: None, ..account("reddit", "r/exempelstad", "Reddit", Health::NotYet) },
        ],
    }
}

/// Every page by name.
pub fn pages() -> Vec<(&'static str, String)> {
    let login = |notice| LoginPage {
        shell: Shell::outside("Exempelstads kommun", true, now()),
        notice,
        name: String::new(),
        then: "/".to_owned(),
    };
    let error = |trouble| ErrorPage {
        shell: shell(Place::Elsewhere),
        trouble,
        number: Some("7f3a-19c2".to_owned()),
    };
    let help = HelpPage { shell: shell(Place::Help), notice: None };
    [
        ("queue", queue().render()),
        ("queue-empty", queue_empty().render()),
        ("queue-with-case", queue_with_case().render()),
        ("case", case_page(case()).render()),
        ("case-before-evidence", case_page(case_before_evidence()).render()),
        ("case-failed", case_page(case_failed()).render()),
        ("case-decided", case_page(case_decided()).render()),
        ("case-hostile", case_page(case_hostile()).render()),
        ("evidence", evidence().render()),
        ("diary", diary().render()),
        ("accounts", accounts().render()),
        ("help", help.render()),
        ("login", login(None).render()),
        ("login-wrong", login(Some(Notice::problem(WRONG))).render()),
        ("error", error(Trouble::Broken).render()),
        ("not-found", error(Trouble::NotFound).render()),
    ]
    .into_iter()
    .map(|(name, html)| (name, html.unwrap()))
    .collect()
}
