//! Flickr: OAuth 1.0a (RFC 5849, section 2), which begins with a call. The platform gives a name to the request, the
//! person agrees to what bears it, and comes back with it and a word that is good once (`platforms` sheet, section 13).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;
use url::Url;

use super::{Client, Connected, NotConnected, PATIENCE, chance, page};
use crate::platforms::error::PlatformError;
use crate::platforms::flickr::session::{header, signature};
use crate::platforms::held;
use crate::platforms::http::{Http, HttpSettings};
use crate::platforms::simulate::server::{Call, Port, Server};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// Where all of it happens: `request_token`, `authorize` and `access_token` lie below.
pub const FLICKR_OAUTH: &str = "https://www.flickr.com/services/oauth/";

/// A connection that waits for a person.
#[derive(Debug)]
pub struct Asked {
    http: Http,
    base: Url,
    client: Client,
    /// The request's name, and what belongs to it.
    request: (Secret, Secret),
    redirect: String,
    address: Url,
    came: oneshot::Receiver<Result<Secret, String>>,
    server: Server,
}

fn contract(detail: &str) -> NotConnected {
    NotConnected::Exchange(PlatformError::Contract { detail: detail.to_owned() })
}

/// One signed call; what it is answered with is a form.
async fn call(
    http: &Http,
    url: &Url,
    client: &Client,
    token: Option<&(Secret, Secret)>,
    more: &[(&str, &str)],
) -> Result<BTreeMap<String, String>, NotConnected> {
    let nonce = chance()?;
    let now = http.clock().now().as_second().to_string();
    let mut shown = vec![
        ("oauth_consumer_key", client.id.as_str()),
        ("oauth_nonce", nonce.expose()),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", now.as_str()),
        ("oauth_version", "1.0"),
    ];
    shown.extend(token.map(|(name, _)| ("oauth_token", name.expose())));
    shown.extend(more);
    let mut shown: Vec<_> =
        shown.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let none = Secret::new("");
    let (app, own) =
        (client.secret.as_ref().unwrap_or(&none), token.map_or(&none, |(_, secret)| secret));
    let signed = signature(&Method::GET, url, &shown, app, own);
    shown.push(("oauth_signature".to_owned(), signed));
    let asked = http.call(Method::GET, url.clone()).header(AUTHORIZATION, header(&shown));
    let answer = http.send(asked).await.map_err(NotConnected::Exchange)?;
    if !answer.is_success() {
        let error = match answer.status {
            401 => PlatformError::Forbidden {
                what: "appens nyckel eller hemlighet godtas inte".into(),
            },
            _ => answer.trouble().unwrap_or_else(|| answer.not_json()),
        };
        return Err(NotConnected::Exchange(error));
    }
    Ok(url::form_urlencoded::parse(&answer.body).into_owned().collect())
}

/// Name and secret in an answer.
fn pair(told: &BTreeMap<String, String>) -> Result<(Secret, Secret), NotConnected> {
    let field = |name: &str| told.get(name).filter(|value| !value.is_empty()).cloned();
    match (field("oauth_token"), field("oauth_token_secret")) {
        (Some(name), Some(secret)) => Ok((Secret::new(name), Secret::new(secret))),
        (_, _) => Err(contract("an answer without oauth_token or its secret")),
    }
}

/// What the platform sends back with the person.
fn taken(call: &Call, request: &Secret) -> Result<Result<Secret, String>, &'static str> {
    if call.method != Method::GET || call.uri.path() != "/" {
        return Err("Här finns inget.");
    }
    let query: BTreeMap<_, _> = call.query_by_name();
    let theirs = query.get("oauth_token").map_or("", String::as_str);
    if !bool::from(theirs.as_bytes().ct_eq(request.expose().as_bytes())) {
        return Err("Svaret hör inte till den här anslutningen. Börja om från kommandot.");
    }
    match query.get("oauth_verifier").filter(|word| !word.is_empty()) {
        Some(word) => Ok(Ok(Secret::new(word.clone()))),
        None => Ok(Err("ingen bekräftelse".into())),
    }
}

impl Asked {
    /// Asks the platform for a name and begins to wait for a person: port 0 takes a free one.
    ///
    /// # Errors
    /// [`NotConnected`].
    pub async fn begin(
        base: Url,
        client: Client,
        port: u16,
        settings: &HttpSettings,
        clock: Clock,
    ) -> Result<Self, NotConnected> {
        let secrets = client.secret.iter().cloned().collect();
        let http = Http::new(&base, settings, clock, secrets).map_err(NotConnected::Address)?;
        let listen = SocketAddr::from(([127, 0, 0, 1], port));
        let port = Port::open(listen).await.map_err(NotConnected::Port)?;
        let redirect = format!("{}/", port.origin());
        let at = |path: &str| base.join(path).map_err(|_| contract("the address has no path"));
        let back = [("oauth_callback", redirect.as_str())];
        let told = call(&http, &at("request_token")?, &client, None, &back).await?;
        // Whoever does not say so would send the person anywhere (RFC 5849, section 2.1).
        if told.get("oauth_callback_confirmed").map(String::as_str) != Some("true") {
            return Err(contract("the address to send people back to was not confirmed"));
        }
        let request = pair(&told)?;
        let mut address = at("authorize")?;
        address
            .query_pairs_mut()
            .append_pair("oauth_token", request.0.expose())
            .append_pair("perms", "write");
        let (tell, came) = oneshot::channel();
        let tell = Arc::new(Mutex::new(Some(tell)));
        let wanted = request.0.clone();
        let server = port.serve(move |call| {
            let answer = match taken(&call, &wanted) {
                Err(why) => page(StatusCode::BAD_REQUEST, why),
                // Good once: whoever comes second, with whatever, is told nothing.
                Ok(taken) => match held(&tell).take() {
                    None => page(StatusCode::GONE, "Anslutningen är redan klar."),
                    Some(tell) => {
                        // Nobody waits any more where the command was stopped.
                        drop(tell.send(taken));
                        page(StatusCode::OK, "Klart. Stäng fliken och gå tillbaka till kommandot.")
                    }
                },
            };
            async move { answer }
        });
        Ok(Self { http, base, client, request, redirect, address, came, server })
    }

    /// What the person has to open in a browser.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// Where the platform sends them back.
    pub fn redirect(&self) -> &str {
        &self.redirect
    }

    /// Waits for the person, and exchanges what they come back with.
    ///
    /// # Errors
    /// [`NotConnected`].
    pub async fn finish(self) -> Result<Connected, NotConnected> {
        let Self { http, base, client, request, came, server, .. } = self;
        let word = match tokio::time::timeout(PATIENCE, came).await {
            Ok(Ok(Ok(word))) => word,
            Ok(Ok(Err(code))) => return Err(NotConnected::Denied { code }),
            Ok(Err(_)) | Err(_) => return Err(NotConnected::TooLate),
        };
        let url = base.join("access_token").map_err(|_| contract("the address has no path"))?;
        let word = [("oauth_verifier", word.expose())];
        let told = call(&http, &url, &client, Some(&request), &word).await?;
        // The person's page has been sent by now.
        drop(server);
        let (token, secret) = pair(&told)?;
        let user = told.get("user_nsid").cloned();
        Ok(Connected {
            token,
            ends: None,
            scope: None,
            lacks: Vec::new(),
            beside: user.into_iter().map(|id| ("user_id", id)).collect(),
            second: Some(("token_secret", secret)),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::platforms::simulate::reply::Reply;

    use super::*;

    fn client() -> Client {
        Client { id: "app-nyckel".into(), secret: Some(Secret::new("app-hemlighet")) }
    }

    /// What stands in the header of a call, and whether it is signed with these secrets.
    fn signed(call: &Call, base: &str, own: &str) -> Option<BTreeMap<String, String>> {
        let header = call.headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("OAuth ")?;
        let mut shown: Vec<(String, String)> = header
            .split(", ")
            .filter_map(|part| {
                let (name, value) = part.split_once('=')?;
                let value = percent_decoded(value.trim_matches('"'));
                Some((name.to_owned(), value))
            })
            .collect();
        let at = shown.iter().position(|(name, _)| name == "oauth_signature")?;
        let (_, theirs) = shown.remove(at);
        let url = Url::parse(&format!("{base}{}", call.uri.path().trim_start_matches('/'))).ok()?;
        let (app, own) = (Secret::new("app-hemlighet"), Secret::new(own));
        (signature(&Method::GET, &url, &shown, &app, &own) == theirs)
            .then(|| shown.into_iter().collect())
    }

    fn percent_decoded(text: &str) -> String {
        let whole = format!("v={}", text.replace('+', "%2B"));
        url::form_urlencoded::parse(whole.as_bytes()).next().unwrap().1.into_owned()
    }

    /// A platform that holds every call to its signature.
    async fn platform(confirms: bool) -> Server {
        let port = Port::open(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("{}/", port.origin());
        port.serve(move |call| {
            let answer = match call.uri.path() {
                "/request_token" if signed(&call, &base, "").is_some() => Reply::text(
                    200,
                    format!(
                        "oauth_callback_confirmed={confirms}&oauth_token=fraga-1&oauth_token_secret=fraga-hemlig"
                    ),
                ),
                "/access_token" => match signed(&call, &base, "fraga-hemlig") {
                    Some(shown)
                        if shown.get("oauth_verifier").map(String::as_str) == Some("ord-7")
                            && shown["oauth_token"] == "fraga-1" =>
                    {
                        Reply::text(
                            200,
                            "fullname=Exempelstad&oauth_token=nyckel-1&oauth_token_secret=hemlig-1&user_nsid=12345678%40N01&username=exempelstad",
                        )
                    }
                    _ => Reply::text(401, "oauth_problem=signature_invalid"),
                },
                _ => Reply::text(401, "oauth_problem=signature_invalid"),
            };
            let body = answer.body.clone().into_bytes();
            let answer = answer.into_response("prov", body);
            async move { answer }
        })
    }

    async fn begin(server: &Server) -> Result<Asked, NotConnected> {
        let (base, settings) = (server.base().clone(), HttpSettings::loopback());
        Asked::begin(base, client(), 0, &settings, Clock::system()).await
    }

    async fn back(asked: &Asked, query: &str) -> u16 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}{query}", asked.redirect());
        client.get(url).send().await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn an_account_is_connected_by_what_it_agreed_to_once() {
        let server = platform(true).await;
        let asked = begin(&server).await.unwrap();
        let query: BTreeMap<_, _> = asked.address().query_pairs().into_owned().collect();
        assert_eq!((query["oauth_token"].as_str(), query["perms"].as_str()), ("fraga-1", "write"));
        // Somebody else's answers are turned away and end nothing.
        for wrong in ["?oauth_verifier=x", "?oauth_token=annan&oauth_verifier=x", "annat"] {
            assert_eq!(back(&asked, wrong).await, 400, "{wrong}");
        }
        let good = "?oauth_token=fraga-1&oauth_verifier=ord-7";
        assert_eq!(back(&asked, good).await, 200);
        assert_eq!(back(&asked, good).await, 410, "a second one");
        let connected = asked.finish().await.unwrap();
        assert_eq!(connected.token.expose(), "nyckel-1");
        let (key, secret) = connected.second.as_ref().unwrap();
        assert_eq!((*key, secret.expose()), ("token_secret", "hemlig-1"));
        assert_eq!(connected.beside, [("user_id", "12345678@N01".to_owned())]);
        assert!(!format!("{connected:?}").contains("hemlig-1"));
    }

    #[tokio::test]
    async fn a_wrong_word_a_refusal_and_an_unconfirmed_address_are_told() {
        let server = platform(true).await;
        let asked = begin(&server).await.unwrap();
        back(&asked, "?oauth_token=fraga-1&oauth_verifier=fel").await;
        let error = asked.finish().await.unwrap_err();
        assert!(matches!(error, NotConnected::Exchange(PlatformError::Forbidden { .. })));
        let asked = begin(&server).await.unwrap();
        back(&asked, "?oauth_token=fraga-1").await;
        assert!(matches!(asked.finish().await, Err(NotConnected::Denied { .. })));
        let careless = platform(false).await;
        assert!(matches!(begin(&careless).await, Err(NotConnected::Exchange(_))));
    }
}
