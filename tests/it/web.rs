//! The web page as a browser without scripts meets it, over the program as it is put together.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use tempfile::TempDir;
use tower::ServiceExt as _;
use uppsikt::app::App;
use uppsikt::config;
use uppsikt::domain::person::Role;
use uppsikt::runtime::clock::Clock;
use uppsikt::runtime::secret::Secret;
use uppsikt::services::users::Person;
use uppsikt::telemetry::metrics::Metrics;

mod api;
mod desk;
mod provider;
mod public;
mod shut;
mod sign_in;

const PASSWORD: &str = "ett-langt-losenord-1";

/// What every secret of the settings is.
const SHARED: &str = "0123456789abcdef0123456789abcdef";

/// Recorders belong to the process.
static METRICS: OnceLock<Metrics> = OnceLock::new();

pub struct Site {
    _dir: TempDir,
    app: App,
    router: Router,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub location: String,
    pub cookie: Option<String>,
    /// Every cookie that was set, as a browser sends it back; those taken away are empty.
    pub cookies: Vec<String>,
    pub policy: Option<String>,
    pub body: String,
}

impl Site {
    /// A site with one editor and one case, number 1.
    async fn with_a_case() -> Self {
        Self::with_a_case_of("Jag vet var du bor och ska slå ihjäl dig.", "").await
    }

    /// The same with a case of this text, on an account with more lines of its own.
    async fn with_a_case_of(text: &str, more: &str) -> Self {
        Self::with_a_case_at(text, more, Clock::system()).await
    }

    /// The same whose settings refer to this secret.
    pub async fn with_secret(more: &str, secret: String) -> Self {
        Self::with_all("Jag vet var du bor och ska slå ihjäl dig.", more, Clock::system(), &secret)
            .await
    }

    /// The same by another clock.
    async fn with_a_case_at(text: &str, more: &str, clock: Clock) -> Self {
        Self::with_all(text, more, clock, SHARED).await
    }

    async fn with_all(text: &str, more: &str, clock: Clock, secret: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let app = build(dir.path(), text, more, clock, secret).await;
        let router = app.router();
        let person = Person {
            login: "kim".into(),
            name: "Kim Exempel".into(),
            title: "kommunikatör".into(),
            role: Role::Editor,
        };
        app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
        app.services().begin_polls().await.unwrap();
        app.services().finish_polls().await;
        while app.services().assess_waiting().await.unwrap() {}
        Self { _dir: dir, app, router }
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        self.ask_from("127.0.0.1", request).await
    }

    /// The same from another address.
    async fn ask_from(&self, peer: &str, request: Request<Body>) -> Answer {
        let mut request = request;
        let peer = SocketAddr::new(peer.parse().unwrap(), 40_000);
        request.extensions_mut().insert(ConnectInfo(peer));
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let header = |name: &str| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
        let set = response.headers().get_all("set-cookie").iter();
        let set = set.map(|c| c.to_str().unwrap().split(';').next().unwrap().to_owned());
        let cookies: Vec<_> = set.collect();
        let cookie = header("set-cookie").map(|c| c.split(';').next().unwrap().to_owned());
        let (status, location) = (response.status(), header("location").unwrap_or_default());
        let policy = header("content-security-policy");
        let body = axum::body::to_bytes(response.into_body(), 5_000_000).await.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status, location, cookie, cookies, policy, body }
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        let request = Request::builder().uri(path).header("cookie", cookie);
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("cookie", cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(form)).unwrap()).await
    }

    /// Lines of the audit log about acts that were refused.
    fn refused_acts(&self) -> Vec<String> {
        let store = rusqlite::Connection::open(self._dir.path().join("uppsikt.db")).unwrap();
        let sql = "select user_name || ': ' || subject || ' (' || detail || ')' from audit
                   where act = 'act.refused' order by id";
        let mut ask = store.prepare(sql).unwrap();
        let lines = ask.query_map([], |row| row.get(0)).unwrap();
        lines.collect::<Result<_, _>>().unwrap()
    }

    async fn log_in(&self, then: &str) -> Answer {
        self.log_in_as("kim", then).await
    }

    async fn log_in_as(&self, login: &str, then: &str) -> Answer {
        let fields = [("namn", login), ("losenord", PASSWORD), ("sedan", then)];
        self.post("/logga-in", "", &fields).await
    }
}

async fn build(dir: &Path, text: &str, more: &str, clock: Clock, secret: &str) -> App {
    std::fs::create_dir(dir.join("inkorg")).unwrap();
    let author = serde_json::json!({"name": "Robin Påhitt"});
    let created = "2026-11-01T08:00:00Z";
    let item =
        serde_json::json!({"id": "1", "created_at": created, "author": author, "text": text});
    std::fs::write(dir.join("inkorg/inlagg.jsonl"), format!("{item}\n")).unwrap();
    let file = dir.join("config.toml");
    let own = more.contains("[api]");
    let api = if own { "" } else { "[api]\nkeys_for_others = true\n" };
    let text =
        "[[account]]\nkey = \"forum\"\nplatform = \"jsonl\"\nname = \"Forum\"\ndir = \"inkorg\"\n";
    let head = "[authority]\nname = \"Exempelstads kommun\"\n[evidence]\nbrowser = \"av\"\n";
    std::fs::write(&file, format!("{head}{api}{text}{more}")).unwrap();
    let config = config::load(&file, &|_| Some(secret.to_owned())).unwrap();
    let metrics = METRICS.get_or_init(|| Metrics::install().unwrap()).clone();
    App::build(&config, clock, metrics).await.unwrap()
}

/// The same for other tests.
pub fn field_of<'a>(page: &'a str, name: &str) -> &'a str {
    field(page, name)
}

/// The value of a hidden field.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let head = format!("name=\"{name}\" value=\"");
    let start = page.find(&head).unwrap_or_else(|| panic!("no field {name}")) + head.len();
    let end = page[start..].find('"').unwrap();
    &page[start..start + end]
}

#[tokio::test]
async fn a_decision_after_the_session_has_ended_is_told_of_and_leads_back_to_its_case() {
    let site = Site::with_a_case().await;
    let gone = "uppsikt=finns-inte";
    let answer = site.post("/arende/1/beslut", gone, &[("val", "dismiss")]).await;
    assert_eq!(answer.location, "/logga-in?sedan=%2Farende%2F1&sparat=nej");
    let page = site.get(&answer.location, "").await;
    assert!(page.body.contains("Du har loggats ut. Beslutet sparades inte."));
    let then = field(&page.body, "sedan").to_owned();
    let answer = site.log_in(&then).await;
    assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/arende/1"));

    for (path, location) in [
        ("/arende/1/ta", "/logga-in?sedan=%2Farende%2F1&sparat=inget"),
        ("/diarium/7", "/logga-in?sedan=%2Fdiarium&sparat=inget"),
        ("/logga-ut", "/logga-in?sedan=%2F"),
    ] {
        assert_eq!(site.post(path, gone, &[]).await.location, location, "{path}");
    }
    let page = site.get("/logga-in?sedan=/arende/1", "").await;
    assert!(!page.body.contains("Du har loggats ut"));
}

#[tokio::test]
async fn a_ticked_removal_is_never_left_out_of_a_decision_in_silence() {
    let site = Site::with_a_case().await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/arende/1", &cookie).await.body;
    let (csrf, revision) = (field(&page, "csrf"), field(&page, "utgava"));
    let mut fields =
        vec![("csrf", csrf), ("utgava", revision), ("val", "register"), ("sparrat", "hide")];
    let refused = site.post("/arende/1/beslut", &cookie, &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    // On top, with a way to the form, and in the form.
    assert_eq!(refused.body.matches("Dölj är valt men kunde inte tas med").count(), 2);
    assert!(refused.body.contains(r##"<a href="#beslut-fel">"##));
    assert!(refused.body.contains(r#"id="beslut-fel""#));
    fields.push(("avsta", "ja"));
    let given_up = site.post("/arende/1/beslut", &cookie, &fields).await;
    assert_eq!(given_up.location, "/?angra=1");
}

/// A site with an administrator beside its editor, and the administrator's cookie.
async fn with_an_administrator() -> (Site, String) {
    let site = Site::with_a_case().await;
    let person = Person {
        login: "ada".into(),
        name: "Ada Exempel".into(),
        title: "systemförvaltare".into(),
        role: Role::Administrator,
    };
    site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
    let cookie = site.log_in_as("ada", "/").await.cookie.unwrap();
    (site, cookie)
}

#[tokio::test]
async fn t14_a_crisis_is_begun_by_one_form_and_every_page_says_so_until_it_is_ended() {
    let (site, ada) = with_an_administrator().await;
    let kim = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/krislage", &ada).await.body;
    // When it ends stands there already: one reason and one button.
    let until = page.split(r#"name="till" value=""#).nth(1).unwrap().split('"').next().unwrap();
    let csrf = field(&page, "csrf");
    let why = "Vattnet är <b>otjänligt</b>.";
    let fields = [("csrf", csrf), ("varfor", why), ("till", until), ("konto", "forum")];
    let begun = site.post("/krislage", &ada, &fields).await;
    assert_eq!((begun.status, begun.location.as_str()), (StatusCode::SEE_OTHER, "/krislage"));
    for path in ["/", "/sok", "/konton", "/arende/1", "/uppsikt", "/krislage", "/hjalp"] {
        let page = site.get(path, &kim).await.body;
        assert!(page.contains("Krisläge för ett konto till "), "{path}");
        assert!(page.contains("Vattnet är &#60;b&#62;otjänligt"), "{path}");
    }
    assert!(!site.get("/logga-in", "").await.body.contains("Krisläge"));
    let csrf = field(&page, "csrf");
    let refused = site.post("/krislage/avsluta", &kim, &[("csrf", csrf)]).await;
    assert!(refused.status.is_client_error());
    let ended = site.post("/krislage/avsluta", &ada, &[("csrf", csrf)]).await;
    assert_eq!(ended.location, "/krislage");
    assert!(!site.get("/", &kim).await.body.contains("Krisläge för"));
    assert!(site.get("/uppsikt", &kim).await.body.contains("avslutat 20"));
}

#[tokio::test]
async fn an_account_is_written_down_without_a_script_and_the_public_list_is_fetched() {
    let (site, ada) = with_an_administrator().await;
    let page = site.get("/konton/forum", &ada).await.body;
    assert!(page.contains("Ingen kontoansvarig."));
    let csrf = field(&page, "csrf").to_owned();
    let person = [("csrf", csrf.as_str()), ("person", "kim"), ("del", "owner")];
    assert_eq!(site.post("/konton/forum/person", &ada, &person).await.location, "/konton/forum");
    let mut fields = vec![
        ("csrf", csrf.as_str()),
        ("syfte", "Frågor och svar"),
        ("malgrupp", "Invånare"),
        ("verksamhet", "Kommunikation"),
        ("adress", "forum.example"),
        ("regellank", "https://exempelstad.example/regler"),
        ("markning", "skola"),
        ("text", "avsandare"),
        ("text", "regler"),
        ("chef", "ja"),
        ("lista", "ja"),
    ];
    let refused = site.post("/konton/forum", &ada, &fields).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("Frågor och svar"), "what was typed stands there");
    fields[4] = ("adress", "https://forum.example/");
    assert_eq!(site.post("/konton/forum", &ada, &fields).await.location, "/konton/forum");
    let page = site.get("/konton/forum", &ada).await.body;
    for words in ["skolkonto", "Kim Exempel är kontoansvarig.", "saknas: vilka som kan se det"] {
        assert!(page.contains(words), "{words}");
    }
    let list = site.get("/konton/lista.json", &ada).await.body;
    assert!(list.contains("https://forum.example/") && !list.contains("Kim"), "{list}");
    for path in ["/konton/lista.csv", "/konton/bemanning", "/rapport", "/rapport?tid=2026"] {
        assert_eq!(site.get(path, &ada).await.status, StatusCode::OK, "{path}");
    }
    for path in ["/konton/finns-inte", "/rapport/2026/annat.pdf", "/rapport/x/rapport.csv"] {
        assert_eq!(site.get(path, &ada).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // A session that has ended leads back to the account.
    let gone = site.post("/konton/forum/person", "uppsikt=finns-inte", &person).await;
    assert!(gone.location.starts_with("/logga-in?sedan=%2Fkonton%2Fforum"), "{}", gone.location);
}

#[tokio::test]
async fn r12_the_wizard_asks_proposes_and_holds_the_decision_to_it_without_a_script() {
    let text = "Hej! När öppnar simhallen på söndag?";
    let site = Site::with_a_case_of(text, "policy = \"finspang\"\n").await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/arende/1", &cookie).await.body;
    assert!(page.contains("<summary>Diariet: Svara på frågorna</summary>"));
    assert!(page.contains("Enligt Finspångs riktlinje."));
    // The grounds of the account's own policy and no others.
    assert!(page.contains("value=\"personskydd\"") && !page.contains("value=\"skvaller\""));

    let (csrf, revision) = (field(&page, "csrf"), field(&page, "utgava"));
    let head = [("csrf", csrf), ("utgava", revision)];
    let answers = [("enkelt", "ja"), ("sekretess", "nej")];
    let mut fields = [&head[..], &answers, &[("dnr", "<b>"), ("val", "answer")]].concat();
    fields.extend([("svar", "Klockan tio."), ("anteckning", "Ringde badet.")]);
    let asked = site.post("/arende/1/forslag", &cookie, &fields).await;
    assert_eq!(asked.status, StatusCode::OK);
    let asked = asked.body;
    assert!(asked.contains("<summary>Diariet: Ska inte diarieföras</summary>"));
    assert!(asked.contains("Det du skrev är inget diarienummer."));
    let is_checked = |page: &str, id: &str| {
        let at = page.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
        page[at..at + page[at..].find('>').unwrap()].contains(" checked")
    };
    for id in ["diarie-enkelt-ja", "diarie-sekretess-nej", "val-not_register", "val-answer"] {
        assert!(is_checked(&asked, id), "{id}");
    }
    for words in [">Klockan tio.<", ">Ringde badet.<", "value=\"&#60;b&#62;\""] {
        assert!(asked.contains(words), "{words}");
    }
    assert!(!asked.contains("sparades inte"), "nothing was refused");
    // Who comes back finds it again, with what they have unticked since left alone.
    assert!(site.get("/arende/1", &cookie).await.body.contains(">Ringde badet.<"));
    assert!(site.get("/?arende=1", &cookie).await.body.contains(">Ringde badet.<"));

    // A number that is none never goes out in silence.
    let wrong = site.post("/arende/1/beslut", &cookie, &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("är inget diarienummer"));

    // Answers count without the proposal having been asked for.
    let mut fields = [&head[..], &answers, &[("val", "register")]].concat();
    let refused = site.post("/arende/1/beslut", &cookie, &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("skriv varför i din anteckning"));
    assert!(is_checked(&refused.body, "diarie-enkelt-ja"), "the answers stay");
    // Another answer: the old refusal is gone with what it was about.
    let other = [&head[..], &[("enkelt", "nej"), ("val", "register")]].concat();
    let asked = site.post("/arende/1/forslag", &cookie, &other).await.body;
    assert!(!asked.contains("skriv varför i din anteckning"));
    fields.push(("anteckning", "Hör till ett ärende om öppettider."));
    let decided = site.post("/arende/1/beslut", &cookie, &fields).await;
    assert_eq!(decided.location, "/?angra=1", "{}", decided.body);
}

#[tokio::test]
async fn an_answer_with_a_slip_in_it_is_warned_of_and_published_only_when_that_is_said() {
    let text = "Hej! När öppnar simhallen på söndag?";
    let site = Site::with_a_case_of(text, "policy = \"nassjo\"\n").await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/arende/1", &cookie).await.body;
    let head = [("csrf", field(&page, "csrf")), ("utgava", field(&page, "utgava"))];
    let answer = |text| [&head[..], &[("val", "answer"), ("svar", text)]].concat();
    let slip = answer("Hej! Ditt personnummer 850709-9805 har vi fått.");
    let refused = site.post("/arende/1/beslut", &cookie, &slip).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    assert!(refused.body.contains("Svaret innehåller personnummer"));
    assert!(refused.body.contains("id=\"publicera\""), "and says how to go on");
    let mark = field(&refused.body, "publicera").to_owned();
    // What may be secret is asked about, too.
    let secret = [&answer("Hej! Vi öppnar tio.")[..], &[("sekretess", "ja"), ("val", "register")]];
    let refused = site.post("/arende/1/beslut", &cookie, &secret.concat()).await;
    assert!(refused.body.contains("kan omfattas av sekretess, och ett svar"));
    // Whoever was warned of one thing has not been warned of another.
    for unread in ["ja", mark.as_str()] {
        let other = answer("Hej! Ring Kim på 070-174 06 35 om personnummer 850709-9805.");
        let other = [&other[..], &[("publicera", unread)]].concat();
        let refused = site.post("/arende/1/beslut", &cookie, &other).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{unread}");
    }
    let anyway = [&slip[..], &[("publicera", mark.as_str())]].concat();
    let decided = site.post("/arende/1/beslut", &cookie, &anyway).await;
    assert_eq!(decided.location, "/?angra=1", "{}", decided.body);
}

#[tokio::test]
async fn where_the_policy_breaks_off_the_talk_nothing_secret_is_answered() {
    let text = "Hej! När öppnar simhallen på söndag?";
    let site = Site::with_a_case_of(text, "policy = \"finspang\"\n").await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/arende/1", &cookie).await.body;
    let fields = [
        ("csrf", field(&page, "csrf")),
        ("utgava", field(&page, "utgava")),
        ("val", "answer"),
        ("val", "register"),
        ("svar", "Hej! Vi öppnar tio."),
        ("sekretess", "ja"),
        ("publicera", "ja"),
    ];
    let refused = site.post("/arende/1/beslut", &cookie, &fields).await;
    assert!(refused.body.contains("avbryter samtalet"), "{}", refused.body);
}

#[tokio::test]
async fn a_refused_act_leaves_a_line_without_what_was_sent() {
    let site = Site::with_a_case().await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let denied = site.get("/gallring", &cookie).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    let forged = [("csrf", "fel"), ("anteckning", "Åsa Ek")];
    assert_eq!(site.post("/arende/1/beslut", &cookie, &forged).await.status, StatusCode::FORBIDDEN);
    let page = site.get("/arende/1", &cookie).await.body;
    let stale = [("csrf", field(&page, "csrf")), ("utgava", "99"), ("val", "dismiss")];
    assert_eq!(site.post("/arende/1/beslut", &cookie, &stale).await.status, StatusCode::CONFLICT);
    let noted = site.refused_acts();
    assert_eq!(
        noted,
        [
            "Kim Exempel: GET /gallring (svar 403)",
            "Kim Exempel: POST /arende/1/beslut (svar 403)",
            "Kim Exempel: POST /arende/1/beslut (svar 409)",
        ]
    );
    for _ in 0..60 {
        site.get("/gallring", &cookie).await;
    }
    let noted = site.refused_acts();
    assert_eq!(noted.len(), 20, "no flood");
    assert!(noted[19].contains("fler skrivs inte"));
}

#[tokio::test]
async fn an_account_that_there_is_not_is_told_of() {
    let site = Site::with_a_case().await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/?konto=finnsinte", &cookie).await.body;
    assert!(page.contains("Kontot finns inte.") && page.contains("Visa alla konton"));
    assert!(!page.contains("Inget väntar på dig"));
    assert!(!site.get("/?konto=forum", &cookie).await.body.contains("Kontot finns inte."));
}

#[tokio::test]
async fn a_refused_decision_keeps_what_was_written_where_the_case_has_closed() {
    let site = Site::with_a_case().await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/arende/1", &cookie).await.body;
    let (csrf, revision) = (field(&page, "csrf"), field(&page, "utgava"));
    let decide = |val, note| {
        [("csrf", csrf), ("utgava", revision), ("val", val), ("anteckning", note), ("grund", "hot")]
    };
    let first = site.post("/arende/1/beslut", &cookie, &decide("register", "")).await;
    assert_eq!(first.location, "/?angra=1");
    let second = site.post("/arende/1/beslut", &cookie, &decide("police", "Ring polisen")).await;
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert!(second.body.contains("<strong>Ditt beslut sparades inte.</strong>"));
    assert!(second.body.contains("<dd>Ring polisen</dd>"));
    assert!(!second.body.contains("id=\"beslutsform\""));
    assert!(
        !second.body.contains("<strong>Sparat.</strong>"),
        "the other decision's undo misleads"
    );
}

#[tokio::test]
async fn files_of_the_evidence_may_do_nothing_in_a_browser() {
    let site = Site::with_a_case().await;
    while site.app.services().capture_wanted().await.unwrap() {}
    let cookie = site.log_in("/").await.cookie.unwrap();
    let drawn = ["bild/bevisblad-1.png", "sudd/bevisblad-1.png"];
    let kept = ["fil/payload.json", "fil/text.txt", "sida/1.png", "manifest.json"];
    for file in kept.into_iter().chain(drawn) {
        let answer = site.get(&format!("/bevis/1/{file}"), &cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert_eq!(answer.policy.as_deref(), Some("default-src 'none'; sandbox"), "{file}");
    }
    let page = site.get("/bevis/1", &cookie).await;
    assert!(page.policy.unwrap().contains("script-src 'self'"));
}

#[tokio::test]
async fn the_address_of_a_form_leads_to_its_page() {
    let site = Site::with_a_case().await;
    for (form, page) in [
        ("/arende/1/beslut", "/arende/1"),
        ("/arende/1/angra", "/arende/1"),
        ("/arende/1/forsok-igen", "/arende/1"),
        ("/arende/1/ta", "/arende/1"),
        ("/arende/1/slapp", "/arende/1"),
        ("/diarium/1", "/diarium"),
        ("/hjalp/tangenter", "/hjalp"),
        ("/logga-ut", "/"),
    ] {
        let answer = site.get(form, "").await;
        assert_eq!((answer.status.as_u16(), answer.location.as_str()), (303, page), "{form}");
    }
}

#[tokio::test]
async fn control_characters_in_the_way_back_break_nothing() {
    let site = Site::with_a_case().await;
    for then in ["/\0", "/\u{b}", "/\u{1f}", "/\u{7f}", "/arende/1\r\nX: y"] {
        let answer = site.log_in(then).await;
        assert_eq!((answer.status.as_u16(), answer.location.as_str()), (303, "/"), "{then:?}");
    }
}

#[tokio::test]
async fn numbers_for_machines_are_counted_by_the_loop_and_not_by_who_asks() {
    let site = Site::with_a_case().await;
    let waiting = |body: &str| {
        body.lines()
            .find_map(|line| line.strip_prefix("uppsikt_cases_waiting ")?.parse::<f64>().ok())
    };
    metrics::gauge!("uppsikt_cases_waiting").set(7.0);
    assert_eq!(waiting(&site.get("/metrics", "").await.body), Some(7.0));
    site.app.services().gauge_cases().await.unwrap();
    assert_eq!(waiting(&site.get("/metrics", "").await.body), Some(1.0));
}

#[tokio::test]
async fn the_archive_is_verified_from_its_page_and_disposal_is_for_those_who_may() {
    let site = Site::with_a_case().await;
    let person = Person {
        login: "adam".into(),
        name: "Adam <Prov>".into(),
        title: "förvaltare".into(),
        role: Role::Administrator,
    };
    site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
    let editor = site.log_in("/").await.cookie.unwrap();
    let adam = site.log_in_as("adam", "/").await.cookie.unwrap();

    let refused = site.get("/gallring", &editor).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let page = site.get("/gallring", &adam).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("anger inget gallringsbeslut"), "{}", page.body);
    // No form is offered, and one that is sent all the same is told why not.
    let csrf = field(&page.body, "csrf").to_owned();
    let refused = site.post("/gallring", &adam, &[("csrf", &csrf)]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("anger inget gallringsbeslut"));
    assert_eq!(site.get("/gallring/1/protokoll-1.csv", &adam).await.status, StatusCode::NOT_FOUND);

    let reason = ("skal", "Begärd <i>i går</i>");
    let exempted = site.post("/arende/1/undanta", &adam, &[("csrf", &csrf), reason]).await;
    assert_eq!(exempted.location, "/arende/1");
    let page = site.get("/arende/1", &editor).await.body;
    assert!(page.contains("Undantaget från gallring."));
    assert!(page.contains("Begärd &#60;i&#62;i går") && page.contains("Adam &#60;Prov&#62;"));
    assert!(!page.contains("/arende/1/hav-undantag"), "an editor may not lift it");
    let listed = site.get("/?visa=undantagna", &editor).await.body;
    assert!(listed.contains("data-arende=\"1\"") && listed.contains("Undantagna från gallring"));

    let page = site.get("/bevis/kontroll", &editor).await.body;
    assert!(page.contains("Vad den inte kan utesluta"));
    let csrf = field(&page, "csrf").to_owned();
    let begun = site.post("/bevis/kontroll", &editor, &[("csrf", &csrf)]).await;
    assert_eq!(begun.location, "/bevis/kontroll");
    let mut page = String::new();
    for _ in 0..1_000 {
        page = site.get("/bevis/kontroll", &editor).await.body;
        if page.contains("Avslutad") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(page.contains("Allt stämmer.") && page.contains("begärd av Kim Exempel"), "{page}");
}

/// A body that notes when somebody begins to read it.
fn watched() -> (Body, Arc<AtomicBool>) {
    let was_read = Arc::new(AtomicBool::new(false));
    let note = was_read.clone();
    let stream = futures_util::stream::poll_fn(move |_| {
        note.store(true, Ordering::Relaxed);
        Poll::Ready(None::<Result<String, std::io::Error>>)
    });
    (Body::from_stream(stream), was_read)
}

#[tokio::test]
async fn nobodys_body_is_read_before_it_is_known_who_sends_it() {
    let site = Site::with_a_case().await;
    // kim:fel and kim with the right password, in base64.
    let (wrong, right) = ("Basic a2ltOmZlbA==", "Basic a2ltOmV0dC1sYW5ndC1sb3Nlbm9yZC0x");
    for (path, header, value, status, is_read) in [
        ("/api/v1/items", "accept", "*/*", StatusCode::UNAUTHORIZED, false),
        ("/api/v1/items", "authorization", wrong, StatusCode::UNAUTHORIZED, false),
        ("/api/v1/items", "authorization", right, StatusCode::BAD_REQUEST, true),
        ("/api/v1/intake/annat", "accept", "*/*", StatusCode::NOT_FOUND, false),
        ("/nytt", "accept", "*/*", StatusCode::SEE_OTHER, false),
    ] {
        let (body, was_read) = watched();
        let request =
            Request::post(path).header(header, value).header("sec-fetch-site", "same-origin");
        let answer = site.ask(request.body(body).unwrap()).await;
        assert_eq!(answer.status, status, "{path} {value}: {}", answer.body);
        assert_eq!(was_read.load(Ordering::Relaxed), is_read, "{path} {value}");
    }
    // Nor at all where somebody else's page makes a browser send it, which remembers the password.
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let (body, was_read) = watched();
        let request = Request::post("/api/v1/items")
            .header("authorization", right)
            .header("host", "uppsikt.example")
            .header(header, value);
        let answer = site.ask(request.body(body).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{header}: {}", answer.body);
        assert!(!was_read.load(Ordering::Relaxed));
    }
}
