//! The matrix of the `platforms` sheet (sections 1.1, 1.4, 1.10, 17.4 and 20) as data.

use std::borrow::Cow;

use crate::domain::account::PlatformKind;

use crate::platforms::capability::{Capabilities, LengthUnit, Links, Offer, ReplyLimit, Told};

const YES: Offer = Offer::Native;

const fn when(condition: &'static str) -> Offer {
    Offer::Conditional { condition }
}

const fn by_hand(why: &'static str) -> Offer {
    Offer::ByHand { why }
}

const fn no(why: &'static str) -> Offer {
    Offer::No { why }
}

const fn at_most(most: u32, unit: LengthUnit) -> Option<ReplyLimit> {
    Some(ReplyLimit { most, unit })
}

const NO_MESSAGES: &str = "plattformen har inga privata meddelanden";
const NO_HIDE: &str = "plattformen låter inte kontot dölja andras inlägg";
const REPORT_BY_HAND: &str = "anmäl via länken till inlägget, på plattformen";
const DELETE_OWN_ONLY: &str = "plattformen låter bara skribenten själv ta bort; anmäl inlägget eller blockera skribenten på plattformen";
const HIDDEN_CANNOT: &str = "Inlägg kan inte döljas här.";
const DELETE_CANNOT: &str = "Andras inlägg kan inte tas bort här.";

pub const fn of(kind: PlatformKind) -> Capabilities {
    match kind {
        PlatformKind::Facebook => FACEBOOK,
        PlatformKind::Instagram => INSTAGRAM,
        PlatformKind::YouTube => YOUTUBE,
        PlatformKind::LinkedIn => LINKEDIN,
        PlatformKind::X => X,
        PlatformKind::TikTok => TIKTOK,
        PlatformKind::Reddit => REDDIT,
        PlatformKind::WordPress => WORDPRESS,
        PlatformKind::Mastodon => MASTODON,
        PlatformKind::Bluesky => BLUESKY,
        PlatformKind::Flickr => FLICKR,
        PlatformKind::Snapchat => SNAPCHAT,
        PlatformKind::OwnSite => OWN_SITE,
        PlatformKind::Manual => MANUAL,
    }
}

const FACEBOOK: Capabilities = Capabilities {
    list: YES,
    thread: YES,
    messages: when("kräver utökad åtkomst (Advanced Access) till pages_messaging"),
    hide: when("plattformen anger för varje kommentar om den kan döljas; sidans egna kan det inte"),
    unhide: YES,
    delete: when("plattformen anger för varje kommentar om den kan tas bort"),
    reply_comment: YES,
    reply_message: when(
        "inom 24 timmar efter personens senaste meddelande, inom 7 dygn med rätten Human Agent",
    ),
    report: by_hand(REPORT_BY_HAND),
    webhook: YES,
    hide_effect: Cow::Borrowed(
        "Döljs för alla utom författaren och författarens vänner. Kan visas igen.",
    ),
    delete_effect: Cow::Borrowed(
        "Tas bort för gott, troligen tillsammans med svaren under. Kan inte ångras.",
    ),
    edits: Told::Pushed,
    deletes: Told::Pushed,
    links: Links::Given,
    read_batch: 50,
    longest_reply: at_most(8_000, LengthUnit::Characters),
    longest_message: at_most(2_000, LengthUnit::Characters),
    answers_messages_for: None,
    storage_terms: "Plattformens villkor: uppgifter raderas på begäran eller när de inte längre behövs; bilder och filmer i meddelanden bör inte sparas.",
};

const INSTAGRAM: Capabilities = Capabilities {
    list: YES,
    thread: YES,
    messages: when(
        "kräver åtkomst till meddelanden; bara de 20 senaste i varje konversation kan läsas",
    ),
    hide: YES,
    unhide: YES,
    delete: YES,
    reply_comment: when(
        "svar hamnar under den översta kommentaren; dolda kommentarer och livesändningar kan inte besvaras",
    ),
    reply_message: when(
        "inom 24 timmar efter personens senaste meddelande, inom 7 dygn med rätten Human Agent",
    ),
    report: by_hand(REPORT_BY_HAND),
    webhook: when("kräver utökad åtkomst (Advanced Access) och ett öppet konto"),
    hide_effect: Cow::Borrowed(
        "Döljs för alla utom författaren och kontot självt. Kan visas igen.",
    ),
    delete_effect: Cow::Borrowed("Tas bort för gott. Kan inte ångras."),
    edits: Told::Silent,
    deletes: Told::OnRead,
    links: Links::PostOnly,
    read_batch: 50,
    longest_reply: at_most(300, LengthUnit::Characters),
    longest_message: at_most(1_000, LengthUnit::Bytes),
    answers_messages_for: None,
    storage_terms: "Plattformens villkor: uppgifter raderas på begäran eller när de inte längre behövs; bilder och filmer i meddelanden bör inte sparas.",
};

const YOUTUBE: Capabilities = Capabilities {
    list: YES,
    thread: YES,
    messages: no(NO_MESSAGES),
    hide: YES,
    unhide: when("bara från väntande granskning, inte efter avvisning"),
    delete: when("kommentaren avvisas, vilket inte kan ångras"),
    reply_comment: when("svar läggs under den översta kommentaren, i en nivå"),
    reply_message: no(NO_MESSAGES),
    report: by_hand(REPORT_BY_HAND),
    webhook: no("plattformen ger inga besked om kommentarer"),
    hide_effect: Cow::Borrowed(
        "Hålls för granskning: syns bara för kanalens moderatorer och kanske för författaren. Lämnar granskningslistan i Studio efter 60 dagar. Kan visas igen dessförinnan.",
    ),
    delete_effect: Cow::Borrowed(
        "Avvisas för gott, tillsammans med svaren under. Kan inte ångras.",
    ),
    edits: Told::Flagged,
    deletes: Told::OnRead,
    links: Links::Built,
    read_batch: 50,
    longest_reply: at_most(10_000, LengthUnit::Characters),
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Plattformens villkor: uppgifter förnyas eller raderas inom 30 dagar, och inom 7 dagar efter begäran när åtkomsten återkallats.",
};

const LINKEDIN: Capabilities = Capabilities {
    list: YES,
    thread: YES,
    messages: by_hand("meddelanden lämnas inte ut till program; läs dem på plattformen"),
    hide: no(NO_HIDE),
    unhide: no(NO_HIDE),
    delete: when(
        "egna kommentarer; för andras prövas det, och svarar plattformen nej görs det på plattformen",
    ),
    reply_comment: YES,
    reply_message: by_hand("meddelanden lämnas inte ut till program; svara på plattformen"),
    report: by_hand(REPORT_BY_HAND),
    webhook: when("kräver den högre åtkomstnivån (standard) och gäller bara öppna inlägg"),
    hide_effect: Cow::Borrowed(HIDDEN_CANNOT),
    delete_effect: Cow::Borrowed("Tas bort för gott. Kan inte ångras."),
    edits: Told::Pushed,
    deletes: Told::Pushed,
    links: Links::Built,
    read_batch: 1,
    longest_reply: at_most(1_250, LengthUnit::Characters),
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Plattformens villkor: andra medlemmars inlägg sparas högst 48 timmar och deras profiluppgifter högst 24 timmar; inget lämnas vidare till tredje part.",
};

const X: Capabilities = Capabilities {
    list: YES,
    thread: when("de senaste 7 dagarna"),
    messages: when("de senaste 30 dagarna; krypterade chattar kan inte läsas"),
    hide: when("bara svar i trådar som kontot självt har startat"),
    unhide: when("bara svar i trådar som kontot självt har startat"),
    delete: no(DELETE_OWN_ONLY),
    reply_comment: when("bara när skribenten har nämnt eller citerat kontot"),
    reply_message: YES,
    report: by_hand(REPORT_BY_HAND),
    webhook: YES,
    hide_effect: Cow::Borrowed(
        "Läggs bland dolda svar: alla som öppnar dem kan fortfarande läsa. Kan visas igen.",
    ),
    delete_effect: Cow::Borrowed(DELETE_CANNOT),
    edits: Told::Flagged,
    deletes: Told::OnRead,
    links: Links::Built,
    read_batch: 100,
    longest_reply: at_most(280, LengthUnit::Weighted),
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Plattformens villkor: uppgifter ändras eller raderas inom 24 timmar efter begäran eller efter att inlägget tagits bort eller skyddats.",
};

const TIKTOK: Capabilities = Capabilities {
    list: YES,
    thread: YES,
    messages: by_hand("meddelanden lämnas inte ut för konton i EES; läs dem i appen"),
    hide: YES,
    unhide: YES,
    delete: no(DELETE_OWN_ONLY),
    reply_comment: when("många likadana svar döljs av plattformen som skräp"),
    reply_message: by_hand("meddelanden lämnas inte ut för konton i EES; svara i appen"),
    report: by_hand(REPORT_BY_HAND),
    webhook: YES,
    hide_effect: Cow::Borrowed("Döljs för alla utom författaren. Kan visas igen."),
    delete_effect: Cow::Borrowed(DELETE_CANNOT),
    edits: Told::Silent,
    deletes: Told::Pushed,
    links: Links::PostOnly,
    read_batch: 30,
    longest_reply: at_most(150, LengthUnit::Characters),
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Plattformens villkor: uppgifter raderas på begäran eller när de inte längre behövs.",
};

const REDDIT: Capabilities = Capabilities {
    list: YES,
    thread: YES,
    messages: when("inkorg och moderatorpost; chatt kan inte läsas"),
    hide: when("bara i subreddits som kontot modererar"),
    unhide: when("bara i subreddits som kontot modererar"),
    delete: no(DELETE_OWN_ONLY),
    reply_comment: YES,
    reply_message: YES,
    report: YES,
    webhook: no("plattformen ger inga besked; Uppsikt frågar i stället"),
    hide_effect: Cow::Borrowed(
        "Tas bort ur tråden: syns för författaren och moderatorerna, andra ser att något är borttaget. Kan godkännas igen.",
    ),
    delete_effect: Cow::Borrowed(DELETE_CANNOT),
    edits: Told::Flagged,
    deletes: Told::Flagged,
    links: Links::Given,
    read_batch: 100,
    longest_reply: at_most(10_000, LengthUnit::Characters),
    longest_message: at_most(10_000, LengthUnit::Characters),
    answers_messages_for: None,
    storage_terms: "Plattformens villkor: det som raderats på Reddit raderas också här, helst inom 48 timmar; inte ens avidentifierade kopior får behållas.",
};

const WORDPRESS: Capabilities = Capabilities {
    list: YES,
    thread: YES,
    messages: no(NO_MESSAGES),
    hide: YES,
    unhide: YES,
    delete: YES,
    reply_comment: YES,
    reply_message: no(NO_MESSAGES),
    report: no("webbplatsen är myndighetens egen"),
    webhook: no("webbplatsen ger inga besked; Uppsikt frågar i stället"),
    hide_effect: Cow::Borrowed(
        "Läggs i webbplatsens granskningskö och syns bara för moderatorer. Svaren under syns fortfarande. Kan visas igen.",
    ),
    delete_effect: Cow::Borrowed(
        "Läggs i webbplatsens papperskorg, som töms efter 30 dagar. Kan återställas i WordPress dessförinnan.",
    ),
    edits: Told::Silent,
    deletes: Told::OnRead,
    links: Links::Given,
    read_batch: 100,
    longest_reply: at_most(65_525, LengthUnit::Bytes),
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Webbplatsen och dess uppgifter är myndighetens egna.",
};

const LISTED_90_DAYS: &str =
    "svar som inte nämner kontot läses under egna inlägg från de senaste 90 dagarna";

const MASTODON: Capabilities = Capabilities {
    list: when(LISTED_90_DAYS),
    thread: when("svar från andra servrar kan saknas"),
    messages: YES,
    hide: by_hand(
        "plattformen låter ingen dölja andras inlägg: anmäl det, eller ta upp det med den som sköter servern; är servern er egen görs det i dess administration",
    ),
    unhide: no(NO_HIDE),
    delete: when(
        "bara kontots egna inlägg; andras kan anmälas, eller skribenten blockeras på plattformen",
    ),
    reply_comment: YES,
    reply_message: YES,
    report: when("anmälan går till den egna serverns moderatorer och till skribentens server"),
    webhook: no("bara för serverns egna administratörer; Uppsikt frågar i stället"),
    hide_effect: Cow::Borrowed(HIDDEN_CANNOT),
    delete_effect: Cow::Borrowed(
        "Kontots egna inlägg tas bort för gott, och andra servrar ombeds göra detsamma. Kan inte ångras.",
    ),
    edits: Told::Flagged,
    deletes: Told::OnRead,
    links: Links::Given,
    read_batch: 1,
    longest_reply: at_most(500, LengthUnit::Characters),
    longest_message: at_most(500, LengthUnit::Characters),
    answers_messages_for: None,
    storage_terms: "Ingen bestämd tid i villkoren; det som skribenten raderat bör respekteras.",
};

const BLUESKY: Capabilities = Capabilities {
    list: when(LISTED_90_DAYS),
    thread: YES,
    messages: when("kräver ett applösenord med rätt till meddelanden"),
    hide: when("bara i trådar vars första inlägg är kontots eget"),
    unhide: when("bara i trådar vars första inlägg är kontots eget"),
    delete: no(DELETE_OWN_ONLY),
    reply_comment: YES,
    reply_message: when("kräver ett applösenord med rätt till meddelanden"),
    report: YES,
    webhook: no("plattformen ger inga besked; Uppsikt frågar i stället"),
    hide_effect: Cow::Borrowed(
        "Läggs bland dolda svar: alla som öppnar dem, och besökare på författarens profil, kan fortfarande läsa. Kan visas igen.",
    ),
    delete_effect: Cow::Borrowed(DELETE_CANNOT),
    edits: Told::Flagged,
    deletes: Told::OnRead,
    links: Links::Built,
    read_batch: 25,
    longest_reply: at_most(300, LengthUnit::Graphemes),
    longest_message: at_most(1_000, LengthUnit::Graphemes),
    answers_messages_for: None,
    storage_terms: "Ingen bestämd tid i villkoren; det som skribenten raderat bör respekteras.",
};

const FLICKR: Capabilities = Capabilities {
    list: when("kommentarer till foton; de till album läses på plattformen"),
    thread: YES,
    messages: by_hand("meddelanden lämnas inte ut till program; läs dem på plattformen"),
    hide: no(NO_HIDE),
    unhide: no(NO_HIDE),
    delete: when(
        "för andras kommentarer prövas det, och svarar plattformen nej görs det på plattformen",
    ),
    reply_comment: when("utan trådar: nämn personen i svaret"),
    reply_message: by_hand("meddelanden lämnas inte ut till program; svara på plattformen"),
    report: by_hand(REPORT_BY_HAND),
    webhook: no("plattformen ger inga besked; Uppsikt frågar i stället"),
    hide_effect: Cow::Borrowed(HIDDEN_CANNOT),
    delete_effect: Cow::Borrowed("Tas bort för gott. Kan inte ångras."),
    edits: Told::Silent,
    deletes: Told::OnRead,
    links: Links::Given,
    // Those of one photo come in one piece.
    read_batch: 25,
    longest_reply: None,
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Ingen bestämd tid i villkoren; det som skribenten raderat bör respekteras.",
};

const BY_HAND: &str = "läses i appen; klistra in text och skärmbild här";
const ACT_BY_HAND: &str = "görs på plattformen; bekräfta här när det är gjort";

const SNAPCHAT: Capabilities = Capabilities {
    list: by_hand(BY_HAND),
    thread: by_hand(BY_HAND),
    messages: by_hand(BY_HAND),
    hide: by_hand(ACT_BY_HAND),
    unhide: by_hand(ACT_BY_HAND),
    delete: by_hand(ACT_BY_HAND),
    reply_comment: by_hand(ACT_BY_HAND),
    reply_message: by_hand(ACT_BY_HAND),
    report: by_hand(ACT_BY_HAND),
    webhook: no("plattformen har inget gränssnitt för program"),
    hide_effect: Cow::Borrowed(HIDDEN_CANNOT),
    delete_effect: Cow::Borrowed(DELETE_CANNOT),
    edits: Told::Silent,
    deletes: Told::Silent,
    links: Links::None,
    read_batch: 1,
    longest_reply: None,
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Det som en handläggare har matat in är myndighetens egna uppgifter.",
};

const DECLARED: &str = "det som webbplatsens inställningar anger";

const OWN_SITE: Capabilities = Capabilities {
    list: YES,
    thread: when("det som webbplatsen har skickat"),
    messages: when("om webbplatsen skickar dem"),
    hide: when(DECLARED),
    unhide: when(DECLARED),
    delete: when(DECLARED),
    reply_comment: when(DECLARED),
    reply_message: when(DECLARED),
    report: no("webbplatsen är myndighetens egen"),
    webhook: YES,
    hide_effect: Cow::Borrowed(
        "Webbplatsen döljer inlägget på sitt eget sätt. Kan visas igen om webbplatsen erbjuder det.",
    ),
    delete_effect: Cow::Borrowed(
        "Webbplatsen tar bort inlägget på sitt eget sätt. Räkna inte med att det kan ångras.",
    ),
    edits: Told::Pushed,
    deletes: Told::Pushed,
    links: Links::Given,
    read_batch: 100,
    longest_reply: None,
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Webbplatsen och dess uppgifter är myndighetens egna.",
};

const MANUAL: Capabilities = Capabilities {
    list: by_hand("matas in av en handläggare"),
    thread: by_hand("matas in av en handläggare"),
    messages: by_hand("matas in av en handläggare"),
    hide: by_hand(ACT_BY_HAND),
    unhide: by_hand(ACT_BY_HAND),
    delete: by_hand(ACT_BY_HAND),
    reply_comment: by_hand(ACT_BY_HAND),
    reply_message: by_hand(ACT_BY_HAND),
    report: by_hand(ACT_BY_HAND),
    webhook: no("inget att ge besked om"),
    hide_effect: Cow::Borrowed(HIDDEN_CANNOT),
    delete_effect: Cow::Borrowed(DELETE_CANNOT),
    edits: Told::Silent,
    deletes: Told::Silent,
    links: Links::AsPasted,
    read_batch: 1,
    longest_reply: None,
    longest_message: None,
    answers_messages_for: None,
    storage_terms: "Det som en handläggare har matat in är myndighetens egna uppgifter.",
};
