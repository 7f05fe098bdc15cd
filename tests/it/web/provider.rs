//! Log-in at the authority's own provider (OpenID Connect), against a provider that signs what a test tells it to;
//! and everybody who tries to get in by it. The real one is in `real`.

use std::sync::atomic::AtomicU8;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uppsikt::runtime::clock::TestClock;
use url::Url;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::sign_in::{audited, clock, held};
use super::*;

const THREAT: &str = "Jag vet var du bor och ska slå ihjäl dig.";

struct Provider {
    server: MockServer,
    key: EcdsaKeyPair,
    clock: TestClock,
    told: AtomicU8,
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

fn published(key: &EcdsaKeyPair, id: &str) -> Value {
    let point = key.public_key().as_ref();
    json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
           "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])})
}

fn signed(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A log-in that was begun: what the browser holds, and what the address asked for.
struct Begun {
    cookie: String,
    asked: std::collections::BTreeMap<String, String>,
}

impl Begun {
    fn nonce(&self) -> &str {
        &self.asked["nonce"]
    }

    fn answer(&self) -> String {
        format!("/logga-in/svar?code=kod-1&state={}", self.asked["state"])
    }
}

impl Provider {
    async fn started() -> Self {
        let server = MockServer::start().await;
        let provider = Self { server, key: new_key(), clock: clock(), told: AtomicU8::new(255) };
        let at = provider.server.uri();
        provider
            .tell(
                "/.well-known/openid-configuration",
                json!({"issuer": at, "authorization_endpoint": format!("{at}/auth"),
                       "token_endpoint": format!("{at}/token"), "jwks_uri": format!("{at}/jwks")}),
            )
            .await;
        provider.publish(&[published(&provider.key, "k1")]).await;
        provider
    }

    async fn tell(&self, at: &str, body: Value) {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        // What is told last counts.
        let priority = self.told.fetch_sub(1, Ordering::SeqCst);
        Mock::given(path(at))
            .respond_with(answer)
            .with_priority(priority)
            .mount(&self.server)
            .await;
    }

    async fn publish(&self, keys: &[Value]) {
        self.tell("/jwks", json!({ "keys": keys })).await;
    }

    /// A site that goes to this provider.
    async fn site(&self) -> Site {
        let more = format!(
            "[limits]\nlogins_per_min = 600\n[login.oidc]\nissuer = \"{}\"\nclient_id = \"uppsikt\"\n\
             client_secret = \"env:KLIENT\"\nname = \"Exempelkontot\"\n\
             [[login.group]]\ngroup = \"chefer\"\nrole = \"kontoansvarig\"\nunit = \"Kultur\"\n\
             [[login.group]]\ngroup = \"redaktion\"\nrole = \"redaktor\"\naccounts = [\"forum\"]\n",
            self.server.uri()
        );
        Site::with_a_case_at(THREAT, &more, self.clock.clock()).await
    }

    fn claims(&self, begun: &Begun, more: Value) -> Value {
        let at = self.clock.clock().now().as_second();
        let mut claims = json!({"iss": self.server.uri(), "aud": "uppsikt", "sub": "person-1",
            "iat": at, "exp": at + 600, "nonce": begun.nonce(), "groups": ["redaktion"],
            "name": "Rut Redaktör", "preferred_username": "rut@exempelstad.example"});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// What it gives for the next code.
    async fn gives(&self, token: &str) {
        self.tell(
            "/token",
            json!({"access_token": "x", "token_type": "Bearer", "id_token": token}),
        )
        .await;
    }

    /// Somebody logs in with these claims.
    async fn log_in(&self, site: &Site, more: Value) -> Answer {
        let begun = begin(site, "/arende/1").await;
        let header = json!({"alg": "ES256", "kid": "k1"});
        self.gives(&signed(&self.key, &header, &self.claims(&begun, more))).await;
        site.get(&begun.answer(), &begun.cookie).await
    }
}

async fn begin(site: &Site, then: &str) -> Begun {
    let sent = site.get(&format!("/logga-in/konto?sedan={then}"), "").await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let address = Url::parse(&sent.location).unwrap();
    let asked = address.query_pairs().into_owned().collect();
    Begun { cookie: held(&sent, "uppsikt-steg"), asked }
}

fn refused(answer: &Answer) -> bool {
    answer.status == StatusCode::UNAUTHORIZED
        && !answer.cookies.iter().any(|cookie| cookie.starts_with("uppsikt="))
}

fn rows(site: &Site, sql: &str) -> Vec<String> {
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    let mut ask = store.prepare(sql).unwrap();
    ask.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn whoever_the_provider_vouches_for_becomes_a_user_and_is_what_their_groups_say() {
    let provider = Provider::started().await;
    let site = provider.site().await;
    let page = site.get("/logga-in?sedan=/arende/1", "").await.body;
    assert!(
        page.contains("href=\"/logga-in/konto?sedan=%2Farende%2F1\">Logga in med Exempelkontot"),
        "{page}"
    );
    let begun = begin(&site, "/arende/1").await;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "uppsikt"),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "http://127.0.0.1:8080/logga-in/svar"),
    ] {
        assert_eq!(begun.asked[name], value);
    }
    let done = provider.log_in(&site, json!({})).await;
    assert_eq!(
        (done.status, done.location.as_str()),
        (StatusCode::SEE_OTHER, "/arende/1"),
        "{}",
        done.body
    );
    let session = held(&done, "uppsikt");
    assert!(site.get("/arende/1", &session).await.body.contains("Rut Redaktör</a>, redaktör"));
    // The code went with the verifier of the challenge, and with our secret where it belongs.
    let calls = provider.server.received_requests().await.unwrap();
    let call = calls.iter().rfind(|call| call.url.path() == "/token").unwrap();
    let form: std::collections::BTreeMap<_, _> =
        url::form_urlencoded::parse(&call.body).into_owned().collect();
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"])).len(), 43);
    assert!(call.headers["authorization"].to_str().unwrap().starts_with("Basic "));
    assert!(!form.contains_key("client_secret"));
    // No password fits such a user.
    for password in ["", "!", PASSWORD] {
        let fields = [("namn", "rut@exempelstad.example"), ("losenord", password)];
        assert_eq!(site.post("/logga-in", "", &fields).await.status, StatusCode::UNAUTHORIZED);
    }
    let parts = "select a.key || ' ' || p.part from account_people p join accounts a on a.id = p.account_id";
    assert_eq!(rows(&site, parts), ["forum editor"]);
    // Another group, another role; known by `sub`, whatever the person is called now.
    let more = json!({"groups": ["andra", "chefer"], "name": "Rut Nygift", "preferred_username": "nygift"});
    let done = provider.log_in(&site, more).await;
    let next = held(&done, "uppsikt");
    assert!(site.get("/", &next).await.body.contains("Rut Redaktör</a>, kontoansvarig"));
    assert_eq!(rows(&site, "select login from users where id > 1"), ["rut@exempelstad.example"]);
    assert_eq!(rows(&site, parts), Vec::<String>::new(), "what the first group gave is gone");
    assert_eq!((audited(&site, "user.join"), audited(&site, "user.role")), (1, 1));
    // In no group: not let in, and what was open ends.
    let out = provider.log_in(&site, json!({"groups": ["andra"]})).await;
    assert!(refused(&out) && out.body.contains("hör inte till någon grupp"), "{}", out.body);
    for cookie in [&session, &next] {
        assert!(site.get("/", cookie).await.location.starts_with("/logga-in"));
    }
    // Whoever was shut out here stays out, whatever the provider says.
    let store = rusqlite::Connection::open(site._dir.path().join("uppsikt.db")).unwrap();
    store.execute("update users set active = 0 where id = 2", []).unwrap();
    assert!(refused(&provider.log_in(&site, json!({})).await));
}

/// The names that a provider sends are its users' own choice.
#[tokio::test]
async fn nobody_takes_over_a_user_by_being_called_the_same() {
    let provider = Provider::started().await;
    let site = provider.site().await;
    let more =
        json!({"preferred_username": "kim", "name": "Kim Exempel", "email": "kim@x.example"});
    let session = held(&provider.log_in(&site, more).await, "uppsikt");
    let page = site.get("/", &session).await.body;
    assert!(page.contains("Kim Exempel (konto-"), "{page}");
    let more =
        json!({"sub": "person-2", "preferred_username": "\u{202e}mik", "name": "<b>\u{200b}"});
    let session = held(&provider.log_in(&site, more).await, "uppsikt");
    assert!(site.get("/mig", &session).await.body.contains(">konto-"));
    let long = "x".repeat(300);
    for sub in ["a\nb", long.as_str(), " "] {
        assert!(refused(&provider.log_in(&site, json!({ "sub": sub })).await), "{sub}");
    }
    assert_eq!(rows(&site, "select login from users where login = 'kim'").len(), 1);
}

#[tokio::test]
async fn a_token_that_is_not_for_this_log_in_opens_nothing() {
    let provider = Provider::started().await;
    let site = provider.site().await;
    let at = provider.clock.clock().now().as_second();
    for more in [
        json!({"nonce": "annan"}),
        json!({"nonce": null}),
        json!({"aud": "annan-tjanst"}),
        json!({"aud": ["uppsikt", "annan-tjanst"]}),
        json!({"iss": "https://annan.example"}),
        json!({"exp": at - 3_600, "iat": at - 7_200}),
        json!({"iat": at + 3_600}),
    ] {
        assert!(refused(&provider.log_in(&site, more.clone()).await), "{more}");
    }
    let stranger = new_key();
    for (header, key) in [
        (json!({"alg": "none"}), &provider.key),
        (json!({"alg": "HS256", "kid": "k1"}), &provider.key),
        (json!({"alg": "ES256", "kid": "k1"}), &stranger),
        (json!({"alg": "ES256", "kid": "okand"}), &stranger),
        (json!({"alg": "ES256", "jwk": published(&stranger, "k1")}), &stranger),
    ] {
        let begun = begin(&site, "/").await;
        let mut token = signed(key, &header, &provider.claims(&begun, json!({})));
        if header["alg"] == "none" {
            token = format!("{}.", token.rsplit_once('.').unwrap().0);
        }
        provider.gives(&token).await;
        assert!(refused(&site.get(&begun.answer(), &begun.cookie).await), "{header}");
    }
    assert_eq!(audited(&site, "session.refused"), 12);
    assert_eq!(rows(&site, "select login from users"), ["kim"], "nobody was added");
    // And none of it is in the log of acts but which check it failed.
    let details =
        rows(&site, "select coalesce(detail, '') from audit where act = 'session.refused'");
    assert!(
        details.iter().all(|d| d.starts_with("provider: ") && !d.contains("annan")),
        "{details:?}"
    );
}

#[tokio::test]
async fn an_answer_is_good_once_in_the_browser_that_asked_and_for_a_while() {
    let provider = Provider::started().await;
    let site = provider.site().await;
    let header = json!({"alg": "ES256", "kid": "k1"});
    let begun = begin(&site, "/").await;
    let token = signed(&provider.key, &header, &provider.claims(&begun, json!({})));
    provider.gives(&token).await;
    assert_eq!(site.get(&begun.answer(), &begun.cookie).await.status, StatusCode::SEE_OTHER);
    assert!(refused(&site.get(&begun.answer(), &begun.cookie).await), "again");
    // Another's answer, put into somebody's browser: whatever that holds.
    let other = begin(&site, "/").await;
    for cookie in ["", &other.cookie, "uppsikt-steg=pahittad", "uppsikt-steg="] {
        let begun = begin(&site, "/").await;
        provider.gives(&signed(&provider.key, &header, &provider.claims(&begun, json!({})))).await;
        assert!(refused(&site.get(&begun.answer(), cookie).await), "{cookie}");
        // It is spent by that too.
        assert!(refused(&site.get(&begun.answer(), &begun.cookie).await));
    }
    // Made up, without a code, from somebody else, refused there, or too late.
    let begun = begin(&site, "/").await;
    assert!(refused(&site.get("/logga-in/svar?code=kod&state=pahittad", &begun.cookie).await));
    assert!(refused(&site.get("/logga-in/svar", &begun.cookie).await));
    for more in ["&iss=https%3A%2F%2Fannan.example", "&iss="] {
        let begun = begin(&site, "/").await;
        let answer = format!("{}{more}", begun.answer());
        assert!(refused(&site.get(&answer, &begun.cookie).await), "{more}");
    }
    let begun = begin(&site, "/").await;
    let denied = format!("/logga-in/svar?error=access_denied<b>&state={}", begun.asked["state"]);
    let denied = site.get(&denied.replace('<', "%3C").replace('>', "%3E"), &begun.cookie).await;
    assert!(refused(&denied) && !denied.body.contains("<b>"));
    let begun = begin(&site, "/").await;
    provider.gives(&signed(&provider.key, &header, &provider.claims(&begun, json!({})))).await;
    provider.clock.advance(SignedDuration::from_mins(11));
    assert!(refused(&site.get(&begun.answer(), &begun.cookie).await), "too late");
    // Each log-in has numbers of its own, and nobody is sent elsewhere after it.
    let (one, two) = (begin(&site, "//fel.example").await, begin(&site, "/").await);
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(one.asked[name], two.asked[name], "{name}");
    }
    provider.gives(&signed(&provider.key, &header, &provider.claims(&one, json!({})))).await;
    assert_eq!(site.get(&one.answer(), &one.cookie).await.location, "/");
}

#[tokio::test]
async fn keys_are_changed_by_the_provider_and_asked_for_no_oftener_than_need_be() {
    let mut provider = Provider::started().await;
    let site = provider.site().await;
    assert_eq!(provider.log_in(&site, json!({})).await.status, StatusCode::SEE_OTHER);
    let asked = async |provider: &Provider| {
        let calls = provider.server.received_requests().await.unwrap();
        calls.iter().filter(|call| call.url.path() == "/jwks").count()
    };
    assert_eq!(asked(&provider).await, 1);
    let header = json!({"alg": "ES256", "kid": "k2"});
    let log_in = async |provider: &Provider| {
        let begun = begin(&site, "/").await;
        provider.gives(&signed(&provider.key, &header, &provider.claims(&begun, json!({})))).await;
        site.get(&begun.answer(), &begun.cookie).await
    };
    provider.key = new_key();
    // Asked a moment ago: whoever names keys that are none has nobody asked on and on.
    for _ in 0..3 {
        assert!(refused(&log_in(&provider).await));
    }
    assert_eq!(asked(&provider).await, 1);
    provider.publish(&[published(&provider.key, "k2")]).await;
    provider.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(log_in(&provider).await.status, StatusCode::SEE_OTHER);
    assert_eq!(asked(&provider).await, 2);
    assert_eq!(log_in(&provider).await.status, StatusCode::SEE_OTHER);
    assert_eq!(asked(&provider).await, 2);
}

/// A provider's own document could lead anywhere.
#[tokio::test]
async fn what_a_provider_says_of_itself_leads_nowhere_inside_the_house() {
    let provider = Provider::started().await;
    let site = provider.site().await;
    let at = provider.server.uri();
    let document = |more: Value| {
        let mut document = json!({"issuer": at, "authorization_endpoint": format!("{at}/auth"),
            "token_endpoint": format!("{at}/token"), "jwks_uri": format!("{at}/jwks")});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        document
    };
    for more in [
        json!({"issuer": "https://annan.example"}),
        json!({"issuer": format!("{at}/")}),
        json!({"authorization_endpoint": "http://10.0.0.1/auth"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
        json!({"jwks_uri": "http://169.254.169.254/jwks"}),
        json!({"jwks_uri": "https://10.0.0.1/jwks"}),
    ] {
        provider.tell("/.well-known/openid-configuration", document(more.clone())).await;
        let sent = site.get("/logga-in/konto", "").await;
        assert_eq!(sent.status, StatusCode::SERVICE_UNAVAILABLE, "{more}");
        assert!(sent.body.contains("svarar inte") && sent.cookies.is_empty(), "{more}");
    }
    // The code goes nowhere inside either.
    let more = json!({"token_endpoint": "https://10.0.0.1/token"});
    provider.tell("/.well-known/openid-configuration", document(more)).await;
    assert!(refused(&provider.log_in(&site, json!({})).await));
}
