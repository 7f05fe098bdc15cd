//! Logging in by steps: second factors, recovery codes, sessions that are listed and ended, those who leave, a proxy
//! that vouches for people; and everybody who tries to get past.

use jiff::SignedDuration;
use uppsikt::domain::sign_in::{base32, code_at, from_base32, step_at};
use uppsikt::runtime::clock::TestClock;
use uppsikt::services::sign_in::{Entered, Given};

use super::*;

const THREAT: &str = "Jag vet var du bor och ska slå ihjäl dig.";
const MANY: &str = "[limits]\nlogins_per_min = 600\n";
const DEMANDED: &str = "[login]\ntwo_factor = [\"redaktor\"]\n";

pub fn clock() -> TestClock {
    TestClock::at("2026-11-23T09:00:00Z".parse().unwrap())
}

/// What a browser holds of this name.
pub fn held(answer: &Answer, name: &str) -> String {
    let head = format!("{name}=");
    let found = answer.cookies.iter().find(|cookie| cookie.starts_with(&head) && **cookie != head);
    found.unwrap_or_else(|| panic!("no cookie {name} in {:?}", answer.cookies)).clone()
}

/// An authenticator.
struct Telephone(Vec<u8>);

impl Telephone {
    /// Set up with the key on a page.
    fn with(page: &str) -> Self {
        let key = page.split("Nyckel: <code>").nth(1).unwrap().split('<').next().unwrap();
        Self(from_base32(key).unwrap())
    }

    fn code(&self, clock: &TestClock) -> String {
        code_at(&self.0, step_at(clock.clock().now()))
    }
}

fn codes(page: &str) -> Vec<String> {
    let codes = page.split("<li><code>").skip(1);
    codes.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

/// Lines of the audit log about an act.
pub fn audited(site: &Site, act: &str) -> u64 {
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    store.query_row("select count(*) from audit where act = ?1", [act], |row| row.get(0)).unwrap()
}

fn is_inside(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && answer.body.contains("form class=\"inloggad\"")
}

/// Whoever has to set up a second factor, and has: the page with what to set up was answered.
async fn set_up(site: &Site, clock: &TestClock) -> (Telephone, Vec<String>, String) {
    let begun = site.log_in("/arende/1").await;
    assert_eq!(begun.location, "/logga-in/tvasteg?sedan=%2Farende%2F1");
    let step = held(&begun, "uppsikt-steg");
    let page = site.get(&begun.location, &step).await.body;
    let telephone = Telephone::with(&page);
    let code = telephone.code(clock);
    let fields = [("csrf", field(&page, "csrf")), ("sedan", "/arende/1"), ("kod", code.as_str())];
    let done = site.post("/logga-in/tvasteg", &step, &fields).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let session = held(&done, "uppsikt");
    assert!(done.cookies.contains(&"uppsikt-steg=".to_owned()), "the step is over");
    // Nothing of the step goes on.
    assert_eq!(
        site.post("/logga-in/tvasteg", &step, &fields).await.location,
        "/logga-in?sedan=%2Farende%2F1"
    );
    (telephone, codes(&done.body), session)
}

#[tokio::test]
async fn who_must_sets_up_a_second_factor_and_shows_it_from_then_on() {
    let clock = clock();
    let site = Site::with_a_case_at(THREAT, DEMANDED, clock.clock()).await;
    let begun = site.log_in("//fel.example").await;
    assert_eq!(begun.location, "/logga-in/tvasteg?sedan=%2F", "and nobody is sent elsewhere");
    // A step is no session, whatever its cookie is called.
    let step = held(&begun, "uppsikt-steg");
    let renamed = step.replace("uppsikt-steg", "uppsikt");
    for cookie in [&step, &renamed] {
        assert!(site.get("/arende/1", cookie).await.location.starts_with("/logga-in?"));
        assert_eq!(site.get("/logga-in/kod", cookie).await.location, "/logga-in?sedan=%2F");
    }
    let page = site.get("/logga-in/tvasteg", &step).await.body;
    let svg = page.split("<svg class=\"qr\"").nth(1).unwrap();
    assert!(
        svg.contains("role=\"img\"") && svg.contains("<path fill=\"#000000\" d=\"M4 4h1v1h-1z")
    );
    let forged = [("csrf", "00"), ("kod", "123456")];
    assert_eq!(site.post("/logga-in/tvasteg", &step, &forged).await.status, StatusCode::FORBIDDEN);
    let wrong = [("csrf", field(&page, "csrf")), ("kod", "000000"), ("sedan", "/")];
    let refused = site.post("/logga-in/tvasteg", &step, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.cookies.is_empty() && refused.body.contains("Koden stämmer inte"));

    let (telephone, recovery, session) = set_up(&site, &clock).await;
    assert!(is_inside(&site.get("/arende/1", &session).await));
    assert_eq!(recovery.len(), 10);

    // The code that set it up is spent; so is each that was taken.
    let sign_in = async |code: &str| {
        let begun = site.log_in("/arende/1").await;
        assert_eq!(begun.location, "/logga-in/kod?sedan=%2Farende%2F1");
        let step = held(&begun, "uppsikt-steg");
        let page = site.get(&begun.location, &step).await.body;
        let fields = [("csrf", field(&page, "csrf")), ("sedan", "//fel.example"), ("kod", code)];
        site.post("/logga-in/kod", &step, &fields).await
    };
    let again = telephone.code(&clock);
    assert_eq!(sign_in(&again).await.status, StatusCode::UNAUTHORIZED);
    clock.advance(SignedDuration::from_secs(30));
    let next = telephone.code(&clock);
    let spaced = format!("{} {}", &next[..3], &next[3..]);
    let done = sign_in(&spaced).await;
    assert_eq!((done.status, done.location.as_str()), (StatusCode::SEE_OTHER, "/"));
    assert_ne!(held(&done, "uppsikt"), session, "a new session");
    // A recovery code is good once, however it is written.
    let done = sign_in(&recovery[3].to_uppercase().replace('-', " ")).await;
    assert!(is_inside(&site.get("/mig", &held(&done, "uppsikt")).await));
    assert_eq!(sign_in(&recovery[3]).await.status, StatusCode::UNAUTHORIZED);
    let page = site.get("/mig", &session).await.body;
    assert!(page.contains("9 återställningskoder kvar") && page.contains("krävs för din roll"));
    for (act, n) in [
        ("factor.set", 1),
        ("factor.recovery", 1),
        ("session.code_refused", 2),
        ("session.open", 3),
    ] {
        assert_eq!(audited(&site, act), n, "{act}");
    }
    // Neither secret nor codes lie in the clear.
    let mut bytes = std::fs::read(site._dir.path().join("uppsikt.db")).unwrap();
    bytes.extend(std::fs::read(site._dir.path().join("uppsikt.db-wal")).unwrap_or_default());
    for secret in [base32(&telephone.0), recovery[0].clone(), recovery[0].replace('-', "")] {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "stands in the database");
    }
}

/// The password is known; the code is not.
#[tokio::test]
async fn a_second_factor_that_was_set_up_meanwhile_is_not_replaced() {
    let clock = clock();
    let site = Site::with_a_case_at(THREAT, DEMANDED, clock.clock()).await;
    // Whoever knows the password has begun too, before the owner is done.
    let other = held(&site.log_in("/").await, "uppsikt-steg");
    let page = site.get("/logga-in/tvasteg?sedan=%2F", &other).await.body;
    let (telephone, _, _) = set_up(&site, &clock).await;
    let theirs = Telephone::with(&page).code(&clock);
    let fields = [("csrf", field(&page, "csrf")), ("sedan", "/"), ("kod", theirs.as_str())];
    let refused = site.post("/logga-in/tvasteg", &other, &fields).await;
    assert_ne!(refused.status, StatusCode::OK, "{}", refused.body);
    assert!(
        !refused.cookies.iter().any(|cookie| cookie.starts_with("uppsikt=")),
        "nobody is let in"
    );
    assert_eq!(audited(&site, "factor.set"), 1);
    // The owner's is the one that opens.
    clock.advance(jiff::SignedDuration::from_mins(2));
    let begun = site.log_in("/").await;
    let step = held(&begun, "uppsikt-steg");
    let page = site.get(&begun.location, &step).await.body;
    let code = telephone.code(&clock);
    let fields = [("csrf", field(&page, "csrf")), ("sedan", "/"), ("kod", code.as_str())];
    let done = site.post("/logga-in/kod", &step, &fields).await;
    assert_eq!((done.status, done.location.as_str()), (StatusCode::SEE_OTHER, "/"));
    assert!(is_inside(&site.get("/", &held(&done, "uppsikt")).await));
}

#[tokio::test]
async fn codes_are_not_to_be_guessed_and_guessing_is_seen() {
    let clock = clock();
    let site = Site::with_a_case_at(THREAT, DEMANDED, clock.clock()).await;
    let (telephone, recovery, _) = set_up(&site, &clock).await;
    clock.advance(SignedDuration::from_secs(60));
    let services = site.app.services();
    let here = "192.0.2.66".parse().unwrap();
    let begin = async || match services.begin_log_in("kim", Secret::new(PASSWORD), here).await {
        Ok(Entered::Step(step)) => step.token.expose().to_owned(),
        other => panic!("{other:?}"),
    };
    let token = begin().await;
    for n in 1..=5 {
        let given = services.give_code(&token, &format!("00000{n}"), here).await.unwrap();
        assert_eq!(matches!(given, Given::Ended(_)), n == 5, "{n}: {given:?}");
    }
    let right = telephone.code(&clock);
    assert!(matches!(services.give_code(&token, &right, here).await.unwrap(), Given::Ended(_)));
    // Another step does not begin the count anew; neither the right code nor a recovery code is tried meanwhile.
    let token = begin().await;
    for code in [&right, &recovery[0]] {
        let Given::Wrong(words) = services.give_code(&token, code, here).await.unwrap() else {
            panic!("taken while one has to wait")
        };
        assert!(words.contains("Vänta 2 minuter"), "{words}");
    }
    clock.advance(SignedDuration::from_secs(61));
    let code = telephone.code(&clock);
    assert!(matches!(services.give_code(&token, &code, here).await.unwrap(), Given::Open(_)));
    assert_eq!(audited(&site, "session.code_refused"), 5);
    // Whoever knew a password that was changed since goes no further.
    let token = begin().await;
    clock.advance(SignedDuration::from_secs(30));
    let code = telephone.code(&clock);
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    let set = |hash: &str| {
        store.execute("update users set password_hash = ?1 where id = 1", [hash]).unwrap()
    };
    let hash: String = store
        .query_row("select password_hash from users where id = 1", [], |row| row.get(0))
        .unwrap();
    set("$changed");
    assert!(matches!(services.give_code(&token, &code, here).await.unwrap(), Given::Ended(_)));
    set(&hash);
    // A step does not wait for ever.
    let token = begin().await;
    clock.advance(SignedDuration::from_mins(10));
    assert!(services.waiting_step(&token).is_none());
    let code = telephone.code(&clock);
    assert!(matches!(services.give_code(&token, &code, here).await.unwrap(), Given::Ended(_)));
}

#[tokio::test]
async fn no_session_by_password_alone_outlives_the_second_factor() {
    let clock = clock();
    let site = Site::with_a_case_at(THREAT, "", clock.clock()).await;
    let (old, own) = (site.log_in("/").await, site.log_in("/").await);
    let (old, own) = (held(&old, "uppsikt"), held(&own, "uppsikt"));
    let page = site.get("/mig", &own).await.body;
    assert!(page.contains("Du loggar in med bara lösenord") && page.contains("Avsluta alla andra"));
    let page = site.get("/mig/tvasteg", &own).await.body;
    let telephone = Telephone::with(&page);
    assert_eq!(Telephone::with(&site.get("/mig/tvasteg", &own).await.body).0, telephone.0);
    let csrf = field(&page, "csrf").to_owned();
    let code = telephone.code(&clock);
    // A page that was left open is not enough.
    let fields =
        |password| [("csrf", csrf.as_str()), ("losenord", password), ("kod", code.as_str())];
    let refused = site.post("/mig/tvasteg", &own, &fields("fel-losenord-fel")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = site.post("/mig/tvasteg", &own, &fields(PASSWORD)).await;
    let recovery = codes(&done.body);
    assert_eq!((done.status, recovery.len()), (StatusCode::OK, 10));
    let new = held(&done, "uppsikt");
    for gone in [&old, &own] {
        assert!(site.get("/", gone).await.location.starts_with("/logga-in"), "ended");
    }
    assert!(is_inside(&site.get("/", &new).await));
    // One that was opened beside it, or brought back, is good for nothing.
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    let token = uppsikt::domain::ids::ContentHash::of(b"gammal");
    store.execute(
        "insert into sessions (token_hash, user_id, csrf, opened_at, seen_at, expires_at, address)
         values (?1, (select id from users where login = 'kim'), 'c', 0, 0, 9000000000000, 'x')",
        [token.bytes()],
    ).unwrap();
    assert!(site.get("/", "uppsikt=gammal").await.location.starts_with("/logga-in"));
    // Nor does the interface of programs take the password alone.
    let request = Request::builder()
        .method("POST")
        .uri("/api/v1/items")
        .header("authorization", format!("Basic {}", base64_of(&format!("kim:{PASSWORD}"))));
    let answer = site.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("loggar in i två steg"), "{}", answer.body);

    // New codes, and off again: each with a code, and off with the password too.
    let csrf = field(&site.get("/mig", &new).await.body, "csrf").to_owned();
    let renewed = site.post("/mig/koder", &new, &[("csrf", &csrf), ("kod", &recovery[0])]).await;
    let fresh = codes(&renewed.body);
    assert_eq!(fresh.len(), 10);
    let off = async |password: &str, code: &str| {
        let fields = [("csrf", csrf.as_str()), ("losenord", password), ("kod", code)];
        site.post("/mig/tvasteg/ta-bort", &new, &fields).await
    };
    assert_eq!(off(PASSWORD, &recovery[1]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "old");
    assert_eq!(off("fel-losenord-fel", &fresh[0]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = off(PASSWORD, &fresh[0]).await;
    assert_eq!(done.location, "/mig?klart=av");
    assert!(site.get("/", &new).await.location.starts_with("/logga-in"));
    assert!(is_inside(&site.get("/mig", &held(&done, "uppsikt")).await));
    for (act, n) in [("factor.set", 1), ("factor.codes", 1), ("factor.remove", 1)] {
        assert_eq!(audited(&site, act), n, "{act}");
    }
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Somebody puts a cookie into the browser before its owner logs in, and waits.
#[tokio::test]
async fn a_session_that_was_there_before_the_log_in_is_not_the_one_after() {
    let site = Site::with_a_case_at(THREAT, "", clock().clock()).await;
    let planted = held(&site.log_in("/").await, "uppsikt");
    let fields = [("namn", "kim"), ("losenord", PASSWORD), ("sedan", "https://fel.example/")];
    let done = site.post("/logga-in", &planted, &fields).await;
    assert_eq!(done.location, "/");
    let own = held(&done, "uppsikt");
    assert_ne!(own, planted);
    assert!(site.get("/", &planted).await.location.starts_with("/logga-in"), "ended");
    let made_up = site.post("/logga-in", "uppsikt=pahittad", &fields).await;
    assert_ne!(held(&made_up, "uppsikt"), "uppsikt=pahittad");
    assert!(site.get("/", "uppsikt=pahittad").await.location.starts_with("/logga-in"));
}

/// Everybody, by role.
async fn roles(site: &Site) -> Vec<(Role, String)> {
    let mut cookies = Vec::new();
    for &role in Role::ALL {
        let (login, name) = (format!("p-{}", role.id()), format!("{} Exempel", role.label()));
        let person = Person { login: login.clone(), name, title: "prov".to_owned(), role };
        site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
        cookies.push((role, held(&site.log_in_as(&login, "/").await, "uppsikt")));
    }
    cookies
}

/// Who comes to which page, and whose forms are taken.
#[tokio::test]
async fn each_role_meets_each_address_of_log_ins_as_the_table_says() {
    let site = Site::with_a_case_at(THREAT, MANY, clock().clock()).await;
    for (role, cookie) in roles(&site).await {
        let page = site.get("/mig", &cookie).await;
        assert_eq!(page.status, StatusCode::OK, "{role:?}");
        let csrf = field(&page.body, "csrf").to_owned();
        let manages = role == Role::Administrator;
        assert_eq!(page.body.contains("href=\"/anvandare\""), manages, "{role:?}");
        for (path, may) in [("/mig/tvasteg", true), ("/anvandare", manages)] {
            let status = site.get(path, &cookie).await.status;
            let expected = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(status, expected, "{role:?} {path}");
        }
        // Kim is user 1; nobody is 99.
        for (path, may) in [
            ("/anvandare/1/avsluta", manages),
            ("/anvandare/1/nollstall", manages),
            ("/anvandare/1/stang-av", manages),
            ("/anvandare/1/slapp-in", manages),
            ("/anvandare/99/stang-av", manages),
            ("/anvandare/1/hemligt", true),
            ("/mig/inloggningar", true),
            ("/mig/tvasteg", true),
            ("/mig/tvasteg/ta-bort", true),
            ("/mig/koder", true),
        ] {
            let forged = site.post(path, &cookie, &[("csrf", "00")]).await;
            assert_eq!(forged.status, StatusCode::FORBIDDEN, "{role:?} {path} without a token");
            let sent = site.post(path, &cookie, &[("csrf", &csrf), ("losenord", "x")]).await;
            assert_ne!(
                sent.status == StatusCode::FORBIDDEN,
                may,
                "{role:?} {path}: {}",
                sent.status
            );
            assert!(!sent.status.is_server_error(), "{role:?} {path}");
        }
    }
    for path in ["/mig", "/mig/tvasteg", "/anvandare"] {
        assert!(site.get(path, "").await.location.starts_with("/logga-in?"), "{path}");
    }
    for path in ["/logga-in/kod", "/logga-in/tvasteg"] {
        assert_eq!(site.get(path, "").await.location, "/logga-in?sedan=%2F", "{path}");
        let sent = site.post(path, "uppsikt-steg=pahittat", &[("kod", "123456")]).await;
        assert_eq!(sent.location, "/logga-in?sedan=%2F", "{path}");
    }
    // Ways that are not set up are not there.
    for path in ["/logga-in/konto", "/logga-in/svar?state=x&code=y", "/logga-in/proxy"] {
        assert_eq!(site.get(path, "").await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_owner_and_by_whoever_administers() {
    let (site, ada) = with_an_administrator().await;
    let session = async || held(&site.log_in("/").await, "uppsikt");
    let (one, two, three) = (session().await, session().await, session().await);
    let page = site.get("/mig", &three).await.body;
    assert_eq!(page.matches("name=\"inloggning\"").count(), 2, "all but this one");
    assert!(page.contains("från 127.0.0.1 med lösenord"));
    let hash = uppsikt::domain::ids::ContentHash::of(one.split('=').nth(1).unwrap().as_bytes());
    let mark = hash.to_hex()[..16].to_owned();
    let csrf = field(&page, "csrf").to_owned();
    let ended =
        site.post("/mig/inloggningar", &three, &[("csrf", &csrf), ("inloggning", &mark)]).await;
    assert_eq!(ended.location, "/mig?klart=avslutad");
    assert!(site.get("/", &one).await.location.starts_with("/logga-in"));
    assert!(is_inside(&site.get("/", &two).await));
    // Nobody else's, by whatever mark.
    let own = site.get("/mig", &ada).await.body;
    let theirs = field(&own, "csrf").to_owned();
    let mark = field(&site.get("/mig", &three).await.body, "inloggning").to_owned();
    let strange =
        site.post("/mig/inloggningar", &ada, &[("csrf", &theirs), ("inloggning", &mark)]).await;
    assert_eq!(strange.status, StatusCode::NOT_FOUND);
    // But by whoever administers: one, and all.
    let list = site.get("/anvandare", &ada).await.body;
    assert!(list.contains("Kim Exempel") && list.contains("2 inloggningar"), "{list}");
    let one_of = [("csrf", theirs.as_str()), ("inloggning", mark.as_str())];
    let ended = site.post("/anvandare/1/avsluta", &ada, &one_of).await;
    assert_eq!(ended.location, "/anvandare?klart=avsluta");
    assert!(site.get("/", &two).await.location.starts_with("/logga-in"));
    site.post("/anvandare/1/avsluta", &ada, &one_of[..1]).await;
    assert!(site.get("/", &three).await.location.starts_with("/logga-in"));
    assert_eq!(audited(&site, "session.revoke"), 3);
}

#[tokio::test]
async fn whoever_leaves_is_out_by_one_act_and_their_cases_return_to_the_queue() {
    let (site, ada) = with_an_administrator().await;
    let kim = held(&site.log_in("/").await, "uppsikt");
    let csrf = field(&site.get("/arende/1", &kim).await.body, "csrf").to_owned();
    site.post("/arende/1/ta", &kim, &[("csrf", &csrf)]).await;
    let claimed = || {
        let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
        let sql = "select claimed_by from cases where id = 1";
        store.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).unwrap()
    };
    assert_eq!(claimed(), Some(1));
    let csrf = field(&site.get("/anvandare", &ada).await.body, "csrf").to_owned();
    let act = async |path: &str| site.post(path, &ada, &[("csrf", &csrf)]).await;
    assert_eq!(act("/anvandare/1/stang-av").await.location, "/anvandare?klart=stang-av");
    assert_eq!(claimed(), None, "back in the queue");
    assert!(site.get("/arende/1", &kim).await.location.starts_with("/logga-in"));
    assert_eq!(site.log_in("/").await.status, StatusCode::UNAUTHORIZED);
    assert!(site.get("/anvandare", &ada).await.body.contains("avstängd"));
    assert_eq!(
        act("/anvandare/1/stang-av").await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "twice"
    );
    // Not oneself, who may be the only one left.
    let own = act("/anvandare/2/stang-av").await;
    assert!(own.body.contains("inte stänga av dig själv"));
    assert_eq!(act("/anvandare/1/slapp-in").await.location, "/anvandare?klart=slapp-in");
    assert_eq!(site.log_in("/").await.status, StatusCode::SEE_OTHER);
    assert!(site.get("/arende/1", &kim).await.location.starts_with("/logga-in"), "nothing wakes");
    assert_eq!((audited(&site, "user.disable"), audited(&site, "user.enable")), (1, 1));
}

#[tokio::test]
async fn a_lost_second_factor_is_reset_by_whoever_administers() {
    let clock = clock();
    let site = Site::with_a_case_at(THREAT, DEMANDED, clock.clock()).await;
    let (_, _, session) = set_up(&site, &clock).await;
    let person = Person {
        login: "ada".into(),
        name: "Ada Exempel".into(),
        title: String::new(),
        role: Role::Administrator,
    };
    site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
    let ada = held(&site.log_in_as("ada", "/").await, "uppsikt");
    let csrf = field(&site.get("/anvandare", &ada).await.body, "csrf").to_owned();
    let done = site.post("/anvandare/1/nollstall", &ada, &[("csrf", &csrf)]).await;
    assert_eq!(done.location, "/anvandare?klart=nollstall");
    assert!(site.get("/", &session).await.location.starts_with("/logga-in"));
    let (_, recovery, _) = set_up(&site, &clock).await;
    assert_eq!((recovery.len(), audited(&site, "factor.reset")), (10, 1));
}

const PROXY: &str = "[login.proxy]\naddresses = [\"192.0.2.80\"]\nuser_header = \"X-Anvandare\"\n\
    name_header = \"X-Namn\"\ngroups_header = \"X-Grupper\"\n\
    [[login.group]]\ngroup = \"redaktion\"\nrole = \"redaktor\"\n";

#[tokio::test]
async fn a_proxy_is_believed_from_its_own_address_alone() {
    let site = Site::with_a_case_at(THREAT, PROXY, clock().clock()).await;
    let ask = async |path: &str, peer: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        site.ask_from(peer, request.body(Body::empty()).unwrap()).await
    };
    let (proxy, kim) = ("192.0.2.80", [("x-anvandare", "kim"), ("x-grupper", "redaktion")]);
    let page = ask("/logga-in?sedan=/arende/1", proxy, &[]).await.body;
    assert!(page.contains("/logga-in/proxy?sedan=%2Farende%2F1"), "{page}");
    // From anywhere else they are refused on every page, and it is written down.
    for (peer, path) in
        [("127.0.0.1", "/logga-in/proxy"), ("192.0.2.81", "/logga-in/proxy"), ("::1", "/logga-in")]
    {
        for forged in [&kim[..], &kim[..1], &kim[1..]] {
            let answer = ask(path, peer, forged).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{peer} {path}");
            assert!(answer.cookies.is_empty());
        }
    }
    assert_eq!(site.refused_acts().len(), 9);
    // Whoever says that they speak for the proxy is still where they are.
    let spoken = [kim[0], kim[1], ("x-forwarded-for", "192.0.2.80")];
    assert_eq!(ask("/logga-in/proxy", "127.0.0.1", &spoken).await.status, StatusCode::FORBIDDEN);
    // The proxy itself: somebody else than the user of the same login name.
    let done = ask("/logga-in/proxy?sedan=//fel.example", proxy, &kim).await;
    assert_eq!((done.status, done.location.as_str()), (StatusCode::SEE_OTHER, "/"));
    let session = held(&done, "uppsikt");
    let page = site.get("/mig", &session).await.body;
    assert!(
        page.contains("konto-") && page.contains("Du loggar in genom organisationens inloggning")
    );
    assert_eq!(audited(&site, "user.join"), 1);
    // Twice the same header, nobody, or in none of our groups: not let in, and what was open ends.
    let twice = [kim[0], ("x-anvandare", "chef"), kim[1]];
    for headers in [&twice[..], &kim[1..], &[kim[0], ("x-grupper", "andra;fler")]] {
        let answer = ask("/logga-in/proxy", proxy, headers).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
    assert!(site.get("/mig", &session).await.location.starts_with("/logga-in"));
    assert_eq!(audited(&site, "user.turned_out"), 1);
}
