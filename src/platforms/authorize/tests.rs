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
    waiting.finish(&HttpSettings::loopback(), Clock::system()).await
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
