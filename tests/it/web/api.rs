//! The interface for programs, over the program as it is put together.

use serde_json::{Value, json};

use super::*;

/// A program's answer.
struct Told {
    status: StatusCode,
    kind: String,
    replayed: bool,
    body: Value,
}

impl Site {
    async fn program(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Told {
        self.program_once(key, method, path, body, None).await
    }

    async fn program_once(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        token: Option<&str>,
    ) -> Told {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if let Some(token) = token {
            request = request.header("idempotency-key", token);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let mut request = request.body(body).unwrap();
        let peer: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let header = |name: &str| {
            let found = response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
            found.unwrap_or_default()
        };
        let (status, kind) = (response.status(), header("content-type"));
        let replayed = header("idempotency-replayed") == "true";
        let bytes = axum::body::to_bytes(response.into_body(), 50_000_000).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Told { status, kind, replayed, body }
    }

    /// A key made by an administrator on the page, as it is shown there once.
    async fn key(&self, ada: &str, person: &str, scopes: &[&str], more: &[(&str, &str)]) -> String {
        let page = self.get("/nycklar", ada).await.body;
        let mut fields = vec![("csrf", field(&page, "csrf")), ("namn", "Prov"), ("person", person)];
        fields.extend(scopes.iter().map(|scope| ("far", *scope)));
        fields.extend(
            [("dagar", "30"), ("takt", "6000")]
                .iter()
                .filter(|(name, _)| !more.iter().any(|(other, _)| other == name)),
        );
        fields.extend(more);
        let made = self.post("/nycklar", ada, &fields).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let start = made.body.find("<code class=\"bryts\">uppsikt_").expect("shown once") + 20;
        let key = made.body[start..].split('<').next().unwrap().to_owned();
        assert_eq!(key.len(), 81);
        assert!(!self.get("/nycklar", ada).await.body.contains(&key), "and never again");
        key
    }
}

const SCOPES: [&str; 9] = [
    "queue:read",
    "cases:read",
    "cases:decide",
    "notes:write",
    "intake:write",
    "register:write",
    "evidence:read",
    "statistics:read",
    "accounts:read",
];

#[tokio::test]
async fn each_operation_takes_its_own_scope_and_no_other() {
    let (site, ada) = with_an_administrator().await;
    while site.app.services().capture_wanted().await.unwrap() {}
    let document = site.program("", "GET", "/openapi.json", None).await;
    assert_eq!(document.status, StatusCode::OK);
    let dismiss = json!({ "revision": 99, "choices": [{ "choice": "dismiss" }] });
    let table = [
        ("GET", "/cases", None, "queue:read"),
        ("POST", "/search", Some(json!({ "words": "bor" })), "queue:read"),
        ("GET", "/cases/1", None, "cases:read"),
        ("POST", "/cases/1/decisions", Some(dismiss), "cases:decide"),
        ("POST", "/cases/1/decisions/1/undo", None, "cases:decide"),
        ("POST", "/cases/1/claim", None, "cases:decide"),
        ("POST", "/cases/1/take-over", None, "cases:decide"),
        ("POST", "/cases/1/release", None, "cases:decide"),
        ("POST", "/cases/1/notes", Some(json!({ "text": "En anteckning" })), "notes:write"),
        ("GET", "/registrations", None, "register:write"),
        (
            "PUT",
            "/registrations/1/number",
            Some(json!({ "number": "KS 2026/1" })),
            "register:write",
        ),
        ("GET", "/evidence/1", None, "evidence:read"),
        ("GET", "/evidence/1/package", None, "evidence:read"),
        ("GET", "/statistics/2026", None, "statistics:read"),
        ("GET", "/accounts", None, "accounts:read"),
        ("GET", "/accounts/forum", None, "accounts:read"),
    ];
    // Whatever stands in the document stands in the table, but for what anybody may ask and three that sign or
    // log in in another way.
    let paths = document.body["paths"].as_object().unwrap();
    let n: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(n, table.len() + 5, "{:?}", paths.keys().collect::<Vec<_>>());
    for (n, scope) in SCOPES.into_iter().enumerate() {
        let key = site.key(&ada, "kim", &[scope], &[]).await;
        assert_eq!(site.program(&key, "GET", "/key", None).await.body["scopes"], json!([scope]));
        for (method, path, body, wanted) in &table {
            let token = format!("nummer-{n}-{}", path.len());
            let told = site.program_once(&key, method, path, body.clone(), Some(&token)).await;
            let refused = told.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, scope != *wanted, "{scope} {method} {path}: {}", told.body);
            if refused {
                assert_eq!(told.kind, "application/problem+json", "{method} {path}");
                assert_eq!(told.body["status"], 403);
            }
            let nobody = site.program_once("", method, path, body.clone(), Some(&token)).await;
            assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
        let form = Request::builder()
            .method("POST")
            .uri("/api/v1/items")
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "multipart/form-data; boundary=x")
            .body(Body::from(
                "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nHej\r\n--x--\r\n",
            ));
        let sent = site.ask(form.unwrap()).await;
        let refused = sent.status == StatusCode::FORBIDDEN;
        assert_eq!(refused, scope != "intake:write", "{scope} items: {}", sent.body);
    }
    // Each deed stands in the log with person and key; of the key only its hash is kept.
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    let n: i64 = store
        .query_row(
            "select count(*) from audit where act = 'case.note' and user_name like 'Kim Exempel (nyckel ________)'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(n, 1);
}

#[tokio::test]
async fn a_role_holds_a_key_back_whatever_its_scopes() {
    let (site, ada) = with_an_administrator().await;
    // An administrator may read cases masked, and neither decide, search nor read evidence.
    let key = site.key(&ada, "ada", &SCOPES, &[]).await;
    for (method, path, body) in [
        ("POST", "/search", Some(json!({ "words": "bor" }))),
        ("POST", "/cases/1/claim", None),
        ("POST", "/cases/1/notes", Some(json!({ "text": "En anteckning" }))),
        ("GET", "/evidence/1", None),
    ] {
        let told = site.program_once(&key, method, path, body, Some("nummer-ett")).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{method} {path}: {}", told.body);
        assert!(told.body["detail"].as_str().unwrap().contains("Det får"), "{}", told.body);
    }
    assert_eq!(site.program(&key, "GET", "/cases/1", None).await.status, StatusCode::OK);
    let noted = site.refused_acts();
    assert!(
        noted[0].starts_with("Ada Exempel (nyckel ") && noted[0].contains("/api/v1/search"),
        "{noted:?}"
    );
    // Nobody else makes keys or receivers.
    let kim = site.log_in("/").await.cookie.unwrap();
    for page in ["/nycklar", "/webbhookar"] {
        assert_eq!(site.get(page, &kim).await.status, StatusCode::FORBIDDEN, "{page}");
    }
    assert!(site.get("/hjalp/api", &kim).await.body.contains("/api/v1/cases/{case}/decisions"));
}

#[tokio::test]
async fn a_decision_is_made_once_however_often_it_is_sent_and_never_on_a_stale_case() {
    let (site, ada) = with_an_administrator().await;
    let key = site.key(&ada, "kim", &["cases:read", "cases:decide", "register:write"], &[]).await;
    let case = site.program(&key, "GET", "/cases/1", None).await.body;
    let revision = case["revision"].as_u64().unwrap();
    assert_eq!(case["state"], "waiting");
    assert!(case["text"].as_str().unwrap().contains("ihjäl"), "an editor reads it");
    let body =
        json!({ "revision": revision, "choices": [{ "choice": "register" }], "ground": "hot" });
    let path = "/cases/1/decisions";
    let bare = site.program(&key, "POST", path, Some(body.clone())).await;
    assert_eq!(bare.status, StatusCode::BAD_REQUEST);
    assert_eq!(bare.body["errors"][0]["pointer"], "idempotency-key");
    let stale = json!({ "revision": revision + 1, "choices": [{ "choice": "register" }] });
    let send = async |body: &Value, token| {
        site.program_once(&key, "POST", path, Some(body.clone()), Some(token)).await
    };
    let refused = send(&stale, "beslut-0001").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    // What was refused is sent again mended, with the same token.
    let first = send(&body, "beslut-0001").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let again = send(&body, "beslut-0001").await;
    assert!(again.replayed && !first.replayed);
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    let other = json!({ "revision": revision, "choices": [{ "choice": "police" }] });
    assert_eq!(send(&other, "beslut-0001").await.status, StatusCode::CONFLICT);
    assert_eq!(send(&body, "beslut-0002").await.status, StatusCode::CONFLICT, "it is stale now");
    let decision = first.body["decision"].as_i64().unwrap();
    let undo = format!("/cases/1/decisions/{decision}/undo");
    let undone = site.program(&key, "POST", &undo, None).await;
    assert_eq!((undone.status, undone.body["state"].as_str()), (StatusCode::OK, Some("waiting")));
    let twice = site.program(&key, "POST", &undo, None).await;
    assert!(twice.status.is_client_error(), "{}", twice.status);

    // What the policy or the form does not allow says what to change.
    let revision = undone.body["revision"].as_u64().unwrap();
    for (choices, status) in [
        (json!([{ "choice": "hide" }]), 422),
        (json!([{ "choice": "dismiss" }, { "choice": "register" }]), 422),
        (json!([{ "choice": "hold" }]), 422),
        (json!([{ "choice": "spräng" }]), 400),
        (json!([]), 400),
        (json!([{ "choice": "dismiss", "annat": 1 }]), 400),
    ] {
        let told = send(&json!({ "revision": revision, "choices": choices }), "beslut-0003").await;
        assert_eq!(told.status.as_u16(), status, "{choices}: {}", told.body);
        assert_eq!(told.kind, "application/problem+json");
    }
    let slip = json!([{ "choice": "answer", "text": "Ditt personnummer är 850709-9805." }]);
    let warned = send(&json!({ "revision": revision, "choices": slip }), "beslut-0004").await;
    assert_eq!(warned.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(warned.body["detail"].as_str().unwrap().contains("in_spite_of"), "{}", warned.body);
}

#[tokio::test]
async fn an_act_whose_caller_hangs_up_is_done_and_answered_when_it_is_sent_again() {
    let (site, ada) = with_an_administrator().await;
    let key = site.key(&ada, "kim", &["cases:read", "notes:write"], &[]).await;
    let body = || Some(json!({ "text": "Ringde skolan" }));
    let path = "/cases/1/notes";
    {
        let call = site.program_once(&key, "POST", path, body(), Some("anteckning-1"));
        tokio::pin!(call);
        let raw = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
        let is_in_hand = || raw.prepare("select 1 from api_answers").unwrap().exists([]).unwrap();
        while !is_in_hand() {
            tokio::select! {
                _ = &mut call => break,
                () = tokio::time::sleep(std::time::Duration::from_micros(100)) => {}
            }
        }
    }
    let mut told = site.program_once(&key, "POST", path, body(), Some("anteckning-1")).await;
    for _ in 0..200 {
        if told.replayed {
            break;
        }
        assert_eq!(told.status, StatusCode::CONFLICT, "in hand: {}", told.body);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        told = site.program_once(&key, "POST", path, body(), Some("anteckning-1")).await;
    }
    assert!(told.replayed && told.status.is_success(), "{}", told.body);
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    let sql = "select count(*) from case_events where detail = 'Ringde skolan'";
    let n: i64 = store.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(n, 1, "it is done once");
}

#[tokio::test]
async fn a_key_that_is_revoked_over_or_somebodys_who_left_opens_nothing() {
    let (site, ada) = with_an_administrator().await;
    let key = site.key(&ada, "kim", &["queue:read"], &[]).await;
    let asked = async |key: &str| site.program(key, "GET", "/cases", None).await.status;
    assert_eq!(asked(&key).await, StatusCode::OK);
    // The last digit of the secret is another one.
    let end = if key.ends_with('0') { '1' } else { '0' };
    let near = format!("{}{end}", &key[..key.len() - 1]);
    for wrong in [near.as_str(), "uppsikt_", &key[..40], "x"] {
        assert_eq!(asked(wrong).await, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let page = site.get("/nycklar", &ada).await.body;
    assert!(page.contains("Kim Exempel, redaktör") && page.contains("använd"));
    let csrf = field(&page, "csrf").to_owned();
    let revoked = site.post("/nycklar/1/aterkalla", &ada, &[("csrf", &csrf)]).await;
    assert_eq!(revoked.location, "/nycklar");
    assert_eq!(asked(&key).await, StatusCode::UNAUTHORIZED);
    let twice = site.post("/nycklar/1/aterkalla", &ada, &[("csrf", &csrf)]).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);

    let second = site.key(&ada, "kim", &["queue:read"], &[]).await;
    assert_eq!(asked(&second).await, StatusCode::OK);
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    store.execute("update users set active = 0 where login = 'kim'", []).unwrap();
    assert_eq!(
        asked(&second).await,
        StatusCode::UNAUTHORIZED,
        "whoever leaves takes the keys along"
    );
    store.execute("update users set active = 1 where login = 'kim'", []).unwrap();
    for sql in [
        "update api_keys set revoked_at = null, revoked_by = null where id = 1",
        "update api_keys set scopes = 'cases:decide' where id = 2",
        "delete from api_keys",
    ] {
        store.execute(sql, []).unwrap_err();
    }
    let kept: i64 = store
        .query_row("select count(*) from api_keys where instr(?1, prefix) = 9", [&second], |r| {
            r.get(0)
        })
        .unwrap();
    assert_eq!(kept, 1, "the shown part finds it");
    let whole = std::fs::read(site._dir.path().join("uppsikt.db")).unwrap();
    let secret = &second.as_bytes()[17..];
    assert!(!whole.windows(secret.len()).any(|w| w == secret), "the secret lies in no file");
}

#[tokio::test]
async fn a_key_has_so_many_calls_a_minute_and_reaches_its_own_accounts_alone() {
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("andra");
    std::fs::create_dir(&other).unwrap();
    let more = format!(
        "[[account]]\nkey = \"andra\"\nplatform = \"jsonl\"\nname = \"Andra\"\ndir = \"{}\"\n",
        other.display()
    );
    let site = Site::with_a_case_of("Jag vet var du bor och ska slå ihjäl dig.", &more).await;
    let person = Person {
        login: "ada".into(),
        name: "Ada Exempel".into(),
        title: "systemförvaltare".into(),
        role: Role::Administrator,
    };
    site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
    let ada = site.log_in_as("ada", "/").await.cookie.unwrap();

    let few = site.key(&ada, "kim", &["queue:read"], &[("takt", "2")]).await;
    let asked = async |key: &str| site.program(key, "GET", "/cases", None).await;
    assert_eq!(asked(&few).await.status, StatusCode::OK);
    assert_eq!(asked(&few).await.status, StatusCode::OK);
    let stopped = asked(&few).await;
    assert_eq!(stopped.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        stopped.body["retry_after"].as_u64().is_some_and(|s| (1..=30).contains(&s)),
        "{}",
        stopped.body
    );

    let near = site.key(&ada, "kim", &SCOPES, &[("konto", "forum")]).await;
    let far = site.key(&ada, "kim", &SCOPES, &[("konto", "andra")]).await;
    for (key, reaches) in [(&near, true), (&far, false)] {
        let n = asked(key).await.body["cases"].as_array().unwrap().len();
        assert_eq!(n, usize::from(reaches));
        for path in ["/cases/1", "/accounts/forum", "/cases?account=forum"] {
            let told = site.program(key, "GET", path, None).await;
            let status = if reaches { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(told.status, status, "{path}: {}", told.body);
        }
        let found = site.program(key, "POST", "/search", Some(json!({ "words": "bor" }))).await;
        assert_eq!(found.body["results"].as_array().unwrap().len(), usize::from(reaches));
        let all = site.program(key, "GET", "/statistics/2026", None).await;
        assert_eq!(all.status, StatusCode::FORBIDDEN, "statistics count all accounts");
        let claimed = site.program(key, "POST", "/cases/1/claim", None).await;
        assert_eq!(claimed.status.is_success(), reaches);
    }
}

#[tokio::test]
async fn a_secret_case_is_refused_to_a_program_outside_its_circle_and_that_is_an_event() {
    let (site, ada) = with_an_administrator().await;
    while site.app.services().capture_wanted().await.unwrap() {}
    let kim = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/arende/1", &kim).await.body;
    let mark =
        [("csrf", field(&page, "csrf")), ("lagrum", "OSL 26 kap. 1 §"), ("skal", "Om hälsa.")];
    assert_eq!(site.post("/arende/1/sekretess", &kim, &mark).await.location, "/arende/1");
    let person = Person {
        login: "lo".into(),
        name: "Lo Exempel".into(),
        title: "redaktör".into(),
        role: Role::Editor,
    };
    site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
    let key = site.key(&ada, "lo", &SCOPES, &[]).await;
    let decide = json!({ "revision": 1, "choices": [{ "choice": "dismiss" }] });
    for (method, path, body) in [
        ("GET", "/cases/1", None),
        ("GET", "/evidence/1", None),
        ("GET", "/evidence/1/package", None),
        ("POST", "/cases/1/claim", None),
        ("POST", "/cases/1/decisions", Some(decide)),
        ("POST", "/cases/1/notes", Some(json!({ "text": "En anteckning" }))),
    ] {
        let told = site.program_once(&key, method, path, body, Some("nummer-ett")).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{method} {path}: {}", told.body);
        assert!(!told.body.to_string().contains("ihjäl"));
    }
    let line = &site.program(&key, "GET", "/cases", None).await.body["cases"][0];
    assert_eq!(
        (line["secret"].as_bool(), line["found"].as_array().map(Vec::len)),
        (Some(true), Some(0))
    );
    assert!(!line.to_string().contains("ihjäl") && !line.to_string().contains("Robin"));
    // Whoever is in the circle reads it, and that is an event too.
    let inside = site.key(&ada, "kim", &SCOPES, &[]).await;
    assert_eq!(site.program(&inside, "GET", "/cases/1", None).await.status, StatusCode::OK);
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    let n: i64 = store
        .query_row(
            "select count(distinct act) from audit where subject = 'case 1' and user_name like '% (nyckel ________)'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(n >= 2, "opened and refused, each with its key");
}

#[tokio::test]
async fn a_receiver_is_added_on_the_page_its_secret_is_shown_once_and_no_other_address_is_taken() {
    let (site, ada) = with_an_administrator().await;
    let page = site.get("/webbhookar", &ada).await.body;
    let csrf = field(&page, "csrf").to_owned();
    let inside = [
        ("csrf", csrf.as_str()),
        ("namn", "Inåt"),
        ("adress", "https://10.0.0.1/"),
        ("om", "case.opened"),
    ];
    let refused = site.post("/webbhookar", &ada, &inside).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("privat nät") && refused.body.contains("value=\"Inåt\""));
    let out = [
        ("csrf", csrf.as_str()),
        ("namn", "Utåt"),
        ("adress", "https://system.example/a"),
        ("om", "case.opened"),
    ];
    let added = site.post("/webbhookar", &ada, &out).await;
    assert_eq!(added.status, StatusCode::CREATED);
    assert_eq!(added.body.matches("whsec_").count(), 1);
    assert!(!site.get("/webbhookar", &ada).await.body.contains("whsec_"));
    let turned = site.post("/webbhookar/1/ny-hemlighet", &ada, &[("csrf", &csrf)]).await;
    assert!(turned.body.contains("whsec_") && turned.body.contains("Hemligheten för Utåt"));
    let again = site.post("/webbhookar/1/igen", &ada, &[("csrf", &csrf)]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "there is nothing to send");
    let gone = site.post("/webbhookar/1/ta-bort", &ada, &[("csrf", &csrf)]).await;
    assert_eq!(gone.location, "/webbhookar");
    assert!(site.get("/webbhookar", &ada).await.body.contains("Borttagen"));
    // Signs nothing that lies in a file: the secret is made of the one beside the database.
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    let n: i64 = store
        .query_row("select count(*) from hooks where url like '%whsec%'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(n, 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_with_its_place_and_what_is_not_there_as_that() {
    let (site, ada) = with_an_administrator().await;
    let key = site.key(&ada, "kim", &SCOPES, &[]).await;
    for (method, path, body, status, pointer) in [
        ("GET", "/cases?state=alla", None, 400, "state"),
        ("GET", "/cases?limit=0", None, 400, "limit"),
        ("GET", "/cases?limit=1&limit=2", None, 400, "limit"),
        ("GET", "/cases?annat=1", None, 400, "annat"),
        ("GET", "/cases?cursor=fel", None, 422, ""),
        ("GET", "/cases/x", None, 400, "case"),
        ("GET", "/cases/99", None, 404, ""),
        ("GET", "/ingenting", None, 404, ""),
        ("DELETE", "/cases/1", None, 405, ""),
        ("GET", "/statistics/2026-13", None, 400, "span"),
        ("POST", "/search", Some(json!({})), 422, ""),
        ("POST", "/search", Some(json!([])), 400, ""),
        ("POST", "/search", None, 415, ""),
    ] {
        let told = site.program(&key, method, path, body).await;
        assert_eq!(told.status.as_u16(), status, "{method} {path}: {}", told.body);
        assert_eq!(told.kind, "application/problem+json", "{method} {path}");
        let found = told.body["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert_eq!(found, pointer, "{method} {path}: {}", told.body);
    }
}

/// Who sets the system up may neither decide nor read evidence through somebody else's key.
#[tokio::test]
async fn a_key_for_somebody_else_is_made_on_the_server_unless_the_settings_say_otherwise() {
    let site = Site::with_a_case_of("Hej! När öppnar simhallen?", "[api]\n").await;
    let everybody = super::desk::roles(&site).await;
    let ada = &everybody.iter().find(|(role, _)| *role == Role::Administrator).unwrap().1;
    let page = site.get("/nycklar", ada).await.body;
    let csrf = field(&page, "csrf");
    let asked = |person| {
        [
            ("csrf", csrf),
            ("namn", "Prov"),
            ("person", person),
            ("far", "queue:read"),
            ("dagar", "30"),
            ("takt", "60"),
        ]
    };
    let refused = site.post("/nycklar", ada, &asked("kim")).await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    assert!(refused.body.contains("uppsikt keys add"), "{}", refused.body);
    assert!(!refused.body.contains("class=\"bryts\">uppsikt_"));
}
