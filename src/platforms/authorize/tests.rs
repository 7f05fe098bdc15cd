//! A whole connection against a platform that checks what it is shown, and everything that must not work.

use serde_json::json;

use super::*;
use crate::platforms::simulate::reply::Reply;

const CODE: &str = "kod-4711";

/// A platform that remembers the challenge of the last address that was opened, and gives tokens to whoever
/// shows its verifier.
struct Platform {
    server: Server,
    asked: Arc<Mutex<BTreeMap<String, String>>>,
}

async fn platform(answer: serde_json::Value) -> Platform {
    let port = Port::open(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let asked: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let shared = Arc::clone(&asked);
    let server = port.serve(move |call| {
        let asked = held(&shared).clone();
        let form: BTreeMap<_, _> = call.form().into_iter().collect();
        let verifier = Secret::new(form.get("code_verifier").cloned().unwrap_or_default());
        let basic =
            call.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let is_good = call.method == Method::POST
            && form.get("code").map(String::as_str) == Some(CODE)
            && form.get("redirect_uri") == asked.get("redirect_uri")
            && Some(&challenge(&verifier)) == asked.get("code_challenge")
            && basic.as_deref() == Some("Basic a2xpZW50OmhlbWxpZ3Q=");
        let reply = match is_good {
            true => Reply::ok(&answer),
            false => Reply::told(400, &json!({"error": "invalid_grant"})),
        };
        let body = reply.body.clone().into_bytes();
        let answer = reply.into_response("prov", body);
        async move { answer }
    });
    Platform { server, asked }
}

impl Platform {
    fn provider(&self) -> Provider {
        let at = |path: &str| self.server.base().join(path).unwrap();
        Provider {
            authorize: at("authorize"),
            token: at("token"),
            scopes: vec!["read".into(), "write".into()],
            extra: &[("duration", "permanent")],
            client: ClientShown::Basic,
            kept: Kept::Refresh,
            how: How::Standard,
        }
    }

    /// A person opens the address: the platform remembers what was asked for.
    fn opened(&self, waiting: &Waiting) -> String {
        let asked: BTreeMap<_, _> = waiting.address().query_pairs().into_owned().collect();
        *held(&self.asked) = asked.clone();
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(
            (asked["scope"].as_str(), asked["duration"].as_str()),
            ("read write", "permanent")
        );
        asked["state"].clone()
    }
}

fn client() -> Client {
    Client { id: "klient".into(), secret: Some(Secret::new("hemligt")) }
}

fn whole() -> serde_json::Value {
    json!({"access_token": "a-1", "expires_in": 3600, "refresh_token": "r-1",
        "refresh_token_expires_in": 86_400, "scope": "read"})
}

async fn back(waiting: &Waiting, query: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("{}{query}", waiting.redirect())).send().await.unwrap().status().as_u16()
}

async fn finish(waiting: Waiting) -> Result<Connected, NotConnected> {
    waiting.finish(&HttpSettings::loopback(), None, Clock::system()).await
}

#[tokio::test]
async fn an_account_is_connected_with_its_own_state_once() {
    let platform = platform(whole()).await;
    let waiting = begin(platform.provider(), client(), 0).await.unwrap();
    let state = platform.opened(&waiting);
    // Somebody else's answers are turned away and end nothing.
    for wrong in
        ["?code=annan", "?code=annan&state=", "?code=annan&state=fel", "?state=x&error=a", "annat"]
    {
        assert_eq!(back(&waiting, wrong).await, 400, "{wrong}");
    }
    assert_eq!(back(&waiting, &format!("?state={state}")).await, 400, "no code");
    assert_eq!(back(&waiting, &format!("?code={CODE}&state={state}")).await, 200);
    assert_eq!(back(&waiting, &format!("?code=annan&state={state}")).await, 410, "a second one");
    let connected = finish(waiting).await.unwrap();
    assert_eq!(connected.token.expose(), "r-1");
    assert_eq!(connected.lacks, ["write"]);
    let left = connected.ends.unwrap().duration_since(Clock::system().now()).as_secs();
    assert!((86_300..=86_400).contains(&left), "{left}");
    assert!(!format!("{connected:?}").contains("r-1"));
}

#[tokio::test]
async fn a_refusal_a_wrong_code_and_a_token_that_cannot_be_renewed_are_told() {
    let platform = platform(json!({"access_token": "a-1", "expires_in": 3600})).await;
    let begun = || async { begin(platform.provider(), client(), 0).await.unwrap() };
    let waiting = begun().await;
    let state = platform.opened(&waiting);
    back(&waiting, &format!("?error=access_denied&state={state}")).await;
    assert!(
        matches!(finish(waiting).await, Err(NotConnected::Denied { code }) if code == "access_denied")
    );
    let waiting = begun().await;
    let state = platform.opened(&waiting);
    back(&waiting, &format!("?code=gissad&state={state}")).await;
    let refused = finish(waiting).await.unwrap_err();
    assert!(
        matches!(refused, NotConnected::Exchange(PlatformError::ReauthNeeded { .. })),
        "{refused:?}"
    );
    let waiting = begun().await;
    let state = platform.opened(&waiting);
    back(&waiting, &format!("?code={CODE}&state={state}")).await;
    assert!(matches!(finish(waiting).await, Err(NotConnected::NotKept)));
    // The code of one connection is no good with the verifier of another.
    let (one, other) = (begun().await, begun().await);
    platform.opened(&one);
    let state: BTreeMap<_, _> = other.address().query_pairs().into_owned().collect();
    back(&other, &format!("?code={CODE}&state={}", state["state"])).await;
    assert!(matches!(finish(other).await, Err(NotConnected::Exchange(_))));
}

#[test]
fn the_challenge_is_that_of_the_standard() {
    // RFC 7636, appendix B.
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn platforms_that_are_connected_in_another_way_say_which() {
    for kind in PlatformKind::ALL {
        match Provider::of(*kind) {
            Ok(provider) => {
                assert!(provider.authorize.scheme() == "https" && !provider.scopes.is_empty())
            }
            Err(NotSo(words)) => assert!(!words.is_empty(), "{kind}"),
        }
    }
}

/// Pages that an app is told of, with what.
type Subscribed = Arc<Mutex<Vec<String>>>;

/// Meta as far as it is asked: each step wants what the one before gave.
async fn meta(pages: serde_json::Value) -> (Server, Subscribed) {
    let port = Port::open(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let subscribed: Subscribed = Arc::default();
    let shared = Arc::clone(&subscribed);
    let server = port.serve(move |call| {
        let query = call.query_by_name();
        let field = |name: &str| query.get(name).map(String::as_str);
        let app = field("client_id") == Some("klient") && field("client_secret") == Some("hemligt");
        let reply = match (call.uri.path(), call.bearer()) {
            ("/v26.0/oauth/access_token", None) if app && field("code") == Some(CODE) => {
                Reply::ok(&json!({"access_token": "kort", "token_type": "bearer"}))
            }
            ("/v26.0/oauth/access_token", None)
                if app
                    && field("grant_type") == Some("fb_exchange_token")
                    && field("fb_exchange_token") == Some("kort") =>
            {
                Reply::ok(&json!({"access_token": "lang", "expires_in": 5_183_944}))
            }
            ("/v26.0/me/accounts", Some("lang")) => Reply::ok(&json!({ "data": pages })),
            ("/v26.0/debug_token", Some("sidans")) => Reply::ok(&json!({"data": {
                "is_valid": true, "expires_at": 0,
                "scopes": ["pages_read_engagement", "pages_read_user_content", "instagram_basic", "instagram_manage_comments"],
            }})),
            ("/v26.0/100000000000009", Some("sidans")) => Reply::ok(&json!({
                "instagram_business_account": {"id": "17841400000000009"}, "id": "100000000000009",
            })),
            ("/v26.0/100000000000009/subscribed_apps", Some("sidans")) if call.method == "POST" => {
                held(&shared).extend(call.form().into_iter().map(|(_, fields)| fields));
                Reply::ok(&json!({"success": true}))
            }
            _ => Reply::told(400, &json!({"error": {"code": 190, "message": "x"}})),
        };
        let body = reply.body.clone().into_bytes();
        let answer = reply.into_response("prov", body);
        async move { answer }
    });
    (server, subscribed)
}

async fn connected_to_meta(
    platform: PlatformKind,
    pages: serde_json::Value,
    page: Option<&str>,
) -> Result<Connected, NotConnected> {
    let (server, subscribed) = meta(pages).await;
    let at = |path: &str| server.base().join(path).unwrap();
    let provider = Provider {
        authorize: at("dialog"),
        token: at("v26.0/oauth/access_token"),
        ..Provider::of(platform).unwrap()
    };
    let waiting = begin(provider, client(), 0).await.unwrap();
    assert!(waiting.redirect().starts_with("http://localhost:"), "{}", waiting.redirect());
    let asked: BTreeMap<_, _> = waiting.address().query_pairs().into_owned().collect();
    assert!(asked["scope"].contains("pages_manage_engagement,"), "{}", asked["scope"]);
    let query = format!("?code={CODE}&state={}", asked["state"]);
    let address = waiting.redirect().replace("localhost", "127.0.0.1");
    let person = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = person.get(format!("{address}{query}")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let connected = waiting.finish(&HttpSettings::loopback(), page, Clock::system()).await;
    if connected.as_ref().is_ok_and(|told| told.beside[0].1 == "100000000000009") {
        assert_eq!(*held(&subscribed), ["feed,mention,messages"], "the app is told of the Page");
    }
    connected
}

#[tokio::test]
async fn a_page_is_connected_by_way_of_the_persons_long_token() {
    let one = json!({"id": "100000000000009", "name": "Exempelstad", "tasks": ["MODERATE"], "access_token": "sidans"});
    let pages = json!([one.clone()]);
    let connected = connected_to_meta(PlatformKind::Facebook, pages.clone(), None).await.unwrap();
    assert_eq!((connected.token.expose(), connected.ends), ("sidans", None));
    assert_eq!(connected.beside, [("page_id", "100000000000009".to_owned())]);
    assert_eq!(connected.lacks, ["pages_manage_engagement"]);
    let connected = connected_to_meta(PlatformKind::Instagram, pages, None).await.unwrap();
    assert_eq!(connected.beside[1], ("ig_id", "17841400000000009".to_owned()));
    // Of several Pages one has to be named; one that is looked at and not moderated is told.
    let other = json!({"id": "2", "name": "Badet", "tasks": ["ANALYZE"], "access_token": "sidans"});
    let pages = json!([one, other]);
    let error = connected_to_meta(PlatformKind::Facebook, pages.clone(), None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "välj en sida med --page: 100000000000009 (Exempelstad), 2 (Badet)"
    );
    let error =
        connected_to_meta(PlatformKind::Facebook, pages.clone(), Some("3")).await.unwrap_err();
    assert!(matches!(error, NotConnected::WhichPage { .. }));
    let connected = connected_to_meta(PlatformKind::Facebook, pages, Some("2")).await.unwrap();
    assert_eq!(connected.lacks[0], "uppgiften MODERATE på sidan");
    let error = connected_to_meta(PlatformKind::Facebook, json!([]), None).await.unwrap_err();
    assert!(matches!(error, NotConnected::WhichPage { .. }));
}

#[tokio::test]
async fn tiktok_is_connected_by_the_address_that_the_person_came_to() {
    let port = Port::open(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let server = port.serve(move |call| {
        let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
        let good = json!({
            "client_id": "klient", "client_secret": "hemligt", "grant_type": "authorization_code",
            "auth_code": "a+b/c", "redirect_uri": "https://exempelstad.example/tiktok/",
        });
        let reply = match body == good {
            true => Reply::ok(&json!({"code": 0, "data": {
                "access_token": "a", "expires_in": 86_400, "refresh_token": "r",
                "refresh_token_expires_in": 31_536_000, "open_id": "_000x",
                "scope": "user.info.basic,video.list,comment.list",
            }})),
            false => Reply::ok(&json!({"code": 40002, "data": {}})),
        };
        let body = reply.body.clone().into_bytes();
        let answer = reply.into_response("prov", body);
        async move { answer }
    });
    let issued =
        Url::parse("https://www.tiktok.com/v2/auth/authorize?client_key=k&state=portalens")
            .unwrap();
    let token = server.base().join("token/").unwrap();
    let waiting = || tiktok::Pasted::begin(&issued, token.clone(), client()).unwrap();
    let state = |of: &tiktok::Pasted| {
        let pairs: Vec<_> = of.address().query_pairs().into_owned().collect();
        assert_eq!(pairs.iter().filter(|(name, _)| name == "state").count(), 1);
        pairs.into_iter().find(|(name, _)| name == "state").unwrap().1
    };
    let finish = async |of: tiktok::Pasted, pasted: &str| {
        of.finish(pasted, &HttpSettings::loopback(), Clock::system()).await
    };
    let one = waiting();
    let came =
        format!(" https://exempelstad.example/tiktok/?auth_code=a%2Bb%2Fc&state={}\n", state(&one));
    let connected = finish(one, &came).await.unwrap();
    assert_eq!(connected.token.expose(), "r");
    assert!(connected.ends.is_some());
    assert_eq!(connected.beside, [("business_id", "_000x".to_owned())]);
    assert_eq!(connected.lacks, ["comment.list.manage"]);
    // Another connection's answer, or none at all, is shown to nobody.
    for wrong in [came.as_str(), "a+b/c", "", "https://exempelstad.example/tiktok/?auth_code=a"] {
        assert!(matches!(finish(waiting(), wrong).await, Err(NotConnected::Pasted)), "{wrong}");
    }
    let one = waiting();
    let spent = format!("https://exempelstad.example/tiktok/?code=spent&state={}", state(&one));
    assert!(matches!(finish(one, &spent).await, Err(NotConnected::Exchange(_))));
}
