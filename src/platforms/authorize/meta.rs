//! Meta: from a person's consent to the token of a Page, which has no end (`platforms` sheet, section 3.1). The
//! short token of the code is exchanged for a long one, and that for those of the Pages that the person works with.

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::{Client, Connected, NotConnected};
use crate::platforms::graph;
use crate::platforms::http::{Http, below};
use crate::runtime::secret::Secret;

/// What the person must be allowed on the Page.
const TASK: &str = "MODERATE";

/// What is sought for an account: rights that it cannot do without.
const PAGE: &[&str] = crate::platforms::facebook::RIGHTS;
const INSTAGRAM: &[&str] = &["instagram_basic", "instagram_manage_comments"];

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Pages {
    #[serde(default)]
    data: Vec<Page>,
}

#[derive(Deserialize)]
struct Page {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    tasks: Vec<String>,
    #[serde(default)]
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Debugged {
    data: Debug,
}

#[derive(Deserialize)]
struct Debug {
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Linked {
    #[serde(default)]
    instagram_business_account: Option<Account>,
}

#[derive(Deserialize)]
struct Account {
    id: String,
}

/// The interface, as the address of tokens tells it: `…/v26.0/`.
fn root(token: &Url) -> Url {
    let mut root = token.clone();
    let path = token.path().trim_end_matches("oauth/access_token").to_owned();
    root.set_path(&path);
    root
}

/// A call by the person or the Page.
async fn get<T: DeserializeOwned>(
    http: &Http,
    url: Url,
    bearer: Option<&Secret>,
) -> Result<T, NotConnected> {
    let mut call = http.call(Method::GET, url);
    if let Some(token) = bearer {
        call = call.bearer_auth(token.expose());
    }
    let answer = http.send(call).await.map_err(NotConnected::Exchange)?;
    if !answer.is_success() {
        return Err(NotConnected::Exchange(graph::fault(&answer)));
    }
    answer.object().map_err(NotConnected::Exchange)
}

/// Has the app told of the Page: no page of settings does that. Whoever takes no pushes is none the worse for it, so a
/// failure ends nothing.
async fn subscribe(http: &Http, root: &Url, page: &str, token: &Secret) {
    let url = below(root, &format!("{page}/subscribed_apps"), &[]);
    let call = http.call(Method::POST, url).form(&[("subscribed_fields", graph::SUBSCRIBED)]);
    match http.send(call.bearer_auth(token.expose())).await {
        Ok(answer) if answer.is_success() => {}
        Ok(answer) => {
            tracing::warn!(error = %graph::fault(&answer), "the app is not told of the Page");
        }
        Err(error) => tracing::warn!(error = %error, "the app is not told of the Page"),
    }
}

/// What a code was sent for.
pub struct Came<'a> {
    pub token: &'a Url,
    pub code: &'a Secret,
    pub redirect: &'a str,
    pub verifier: &'a Secret,
    /// Which Page, where the person works with several.
    pub page: Option<&'a str>,
    /// Whether the Instagram account that is linked to it is meant.
    pub is_instagram: bool,
}

/// The token of the Page.
pub async fn connect(
    http: &Http,
    client: &Client,
    came: Came<'_>,
) -> Result<Connected, NotConnected> {
    let root = root(came.token);
    let app = client.secret.as_ref().map_or("", |secret| secret.expose());
    let first = [
        ("client_id", client.id.as_str()),
        ("client_secret", app),
        ("redirect_uri", came.redirect),
        ("code", came.code.expose()),
        ("code_verifier", came.verifier.expose()),
    ];
    let short: Token = get(http, below(&root, "oauth/access_token", &first), None).await?;
    let exchange = [
        ("grant_type", "fb_exchange_token"),
        ("client_id", client.id.as_str()),
        ("client_secret", app),
        ("fb_exchange_token", short.access_token.as_str()),
    ];
    let long: Token = get(http, below(&root, "oauth/access_token", &exchange), None).await?;
    let person = Secret::new(long.access_token);
    let fields = [("fields", "id,name,tasks,access_token"), ("limit", "100")];
    let Pages { data } = get(http, below(&root, "me/accounts", &fields), Some(&person)).await?;
    let named: Vec<_> = data.iter().map(|page| format!("{} ({})", page.id, page.name)).collect();
    let mut wanted = data.into_iter().filter(|page| came.page.is_none_or(|id| page.id == id));
    let (Some(page), None) = (wanted.next(), wanted.next()) else {
        return Err(NotConnected::WhichPage { pages: named.join(", ") });
    };
    let token = Secret::new(page.access_token.ok_or(NotConnected::NotKept)?);
    let mut lacks = Vec::new();
    if !page.tasks.iter().any(|task| task == TASK) {
        lacks.push(format!("uppgiften {TASK} på sidan"));
    }
    // Where that is not told nothing is known, and `doctor` asks again.
    let asked = below(&root, "debug_token", &[("input_token", token.expose())]);
    if let Ok(Debugged { data: Debug { scopes: Some(has) } }) =
        get::<Debugged>(http, asked, Some(&token)).await
    {
        let rights = PAGE.iter().chain(if came.is_instagram { INSTAGRAM } else { &[] });
        let lacking = rights.filter(|right| !has.iter().any(|known| known == *right));
        lacks.extend(lacking.map(|right| (*right).to_owned()));
    }
    subscribe(http, &root, &page.id, &token).await;
    let mut beside = vec![("page_id", page.id.clone())];
    if came.is_instagram {
        let fields = [("fields", "instagram_business_account")];
        let linked: Linked = get(http, below(&root, &page.id, &fields), Some(&token)).await?;
        let account = linked.instagram_business_account.ok_or(NotConnected::NoInstagram)?;
        beside.push(("ig_id", account.id));
    }
    // A Page's token has no end.
    Ok(Connected { token, ends: None, scope: None, lacks, beside, second: None })
}
