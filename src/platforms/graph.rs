//! What Facebook and Instagram share: calls, pages, times, errors and limits of Meta's Graph
//! interface (`platforms` sheet, section 2).

pub mod messages;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::Sha256;
use url::Url;

use crate::platforms::allowance::left_to_editors;
use crate::platforms::connector::{Answered, Wanted};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::http::{Answer, Http, below};
use crate::platforms::json;
use crate::platforms::limit::{Shares, fingerprint};
use crate::platforms::push::Subscribed;
use crate::platforms::usage::{Apps, HOLDS, Meter};
use crate::runtime::secret::Secret;

/// How long to wait after a limit for which Meta names no time. Limits are counted over a sliding
/// hour; calling meanwhile lengthens the block.
const UNTOLD_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// Code 341.
const APP_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// From here on (per cent) background reading goes slower, and from there it stops.
const SLOW_FROM: u32 = 75;
const STOP_FROM: u32 = 90;

/// Calls to Graph with one token.
pub struct Graph {
    pub http: Http,
    base: Url,
    version: String,
    token: Secret,
    app_secret: Option<Secret>,
    /// What the app has used, told to whichever account of it called last.
    app: Arc<Meter>,
    /// What this account has used by itself.
    own: Meter,
    /// The platform has once not found the token in the header: it is shown as a parameter (`platforms` sheet,
    /// section 2.1, where the header is from memory).
    as_parameter: AtomicBool,
}

/// What the app is to be told of a Page.
pub const SUBSCRIBED: &str = "feed,mention,messages";

/// The app that an account belongs to. An authority has one, and all its pages and accounts are in
/// it: which one a token is from only the platform knows.
pub const APP: &str = "meta";

/// One page of an edge.
#[derive(Deserialize)]
pub struct Page<'a> {
    #[serde(borrow)]
    pub data: Vec<&'a RawValue>,
    #[serde(default)]
    paging: Paging,
}

#[derive(Default, Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    next: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

/// What the platform tells of a token.
#[derive(Debug, Default)]
pub struct TokenTold {
    /// When it ends.
    pub ends: Option<Timestamp>,
    /// What it may not do, in Swedish.
    pub lacks: Vec<String>,
}

#[derive(Deserialize)]
struct Debugged {
    data: DebuggedToken,
}

#[derive(Deserialize)]
struct DebuggedToken {
    #[serde(default)]
    expires_at: Option<i64>,
    #[serde(default)]
    data_access_expires_at: Option<i64>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Success {
    #[serde(default)]
    success: bool,
}

/// Whether an act was carried out, as its answer says.
pub fn carried_out(answer: &Answer, wanted: Wanted) -> Result<Answered, PlatformError> {
    if answer.object::<Success>()?.success {
        Ok(Answered::Success)
    } else {
        Err(PlatformError::Contract { detail: format!("{wanted:?}: no success") })
    }
}

#[derive(Deserialize)]
pub struct Summary {
    #[serde(default)]
    pub total_count: u64,
}

impl Page<'_> {
    /// Where the next page begins. `next` only tells that there is one: following it would put
    /// the token into an address.
    pub fn after(&self) -> Option<&str> {
        self.paging.next.as_ref()?;
        self.paging.cursors.as_ref()?.after.as_deref()
    }
}

/// How fast background reading may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Free,
    Slow,
    /// Nothing in the background before this time.
    Stop(Timestamp),
}

impl Graph {
    /// Whether enough of the limits is left to editors.
    pub fn may_read_on(&self) -> Result<(), PlatformError> {
        match self.pace() {
            Pace::Stop(until) => Err(left_to_editors(until)),
            Pace::Free | Pace::Slow => Ok(()),
        }
    }

    /// Those of these objects that one call tells of, each under the id it was asked by, with its
    /// bytes as received. One that is missing fails the lot.
    pub async fn several<T: DeserializeOwned>(
        &self,
        ids: &[String],
        fields: &str,
    ) -> Result<BTreeMap<String, (T, Vec<u8>)>, PlatformError> {
        let query = [("ids", ids.join(",")), ("fields", fields.to_owned())];
        let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = match self.get("", &query).await {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let text = answer.text();
        let told: BTreeMap<String, &RawValue> =
            serde_json::from_str(&text).map_err(|_| answer.not_json())?;
        let read = told.into_iter().filter_map(|(id, raw)| {
            Some((id, (json::decode(raw.get()).ok()?, raw.get().as_bytes().to_vec())))
        });
        Ok(read.collect())
    }

    pub fn new(
        http: Http,
        base: Url,
        version: String,
        token: Secret,
        app_secret: Option<Secret>,
        apps: &Apps,
    ) -> Self {
        let (app, own) = (apps.of(APP), Meter::default());
        let as_parameter = AtomicBool::new(false);
        Self { http, base, version, token, app_secret, app, own, as_parameter }
    }

    /// What this account shares with others.
    pub fn shares(&self) -> Shares {
        Shares { app: APP.into(), token: Some(fingerprint(&self.token)) }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = below(&self.base, &format!("{}/{path}", self.version), query);
        if let Some(key) = &self.app_secret {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
                .expect("HMAC takes keys of any length");
            mac.update(self.token.expose().as_bytes());
            let proof = hex::encode(mac.finalize().into_bytes());
            url.query_pairs_mut().append_pair("appsecret_proof", &proof);
        }
        url
    }

    /// Sends the call that is made of its address, and once more with the token elsewhere where it was not found.
    async fn send(
        &self,
        mut url: Url,
        call: impl Fn(Url) -> reqwest::RequestBuilder + Send,
    ) -> Result<Answer, PlatformError> {
        if !self.as_parameter.load(Ordering::Relaxed) {
            let answer = self.sent(call(url.clone()).bearer_auth(self.token.expose())).await?;
            if !finds_no_token(&answer) {
                return told(answer);
            }
            // Turned away unread: nothing has been done by it.
            self.as_parameter.store(true, Ordering::Relaxed);
        }
        url.query_pairs_mut().append_pair("access_token", self.token.expose());
        told(self.sent(call(url)).await?)
    }

    async fn sent(&self, call: reqwest::RequestBuilder) -> Result<Answer, PlatformError> {
        let answer = self.http.send(call).await?;
        self.app.note(app_usage(&answer).and_then(|usage| most([usage])), answer.at);
        self.own.note(most(business_usage(&answer)), answer.at);
        Ok(answer)
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        self.send(self.url(path, query), |url| self.http.call(Method::GET, url)).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        self.send(self.url(path, &[]), |url| self.http.call(Method::POST, url).form(form)).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Result<Answer, PlatformError> {
        self.send(self.url(path, &[]), |url| self.http.call(Method::POST, url).json(body)).await
    }

    /// Has the app told of a Page (`platforms` sheet, section 2.4): no page of settings does that. Where the app is told,
    /// stands in its settings.
    pub async fn tell_app_of(&self, page: &str) -> Result<Subscribed, PlatformError> {
        let edge = format!("{page}/subscribed_apps");
        let answer = self.post(&edge, &[("subscribed_fields", SUBSCRIBED)]).await?;
        carried_out(&answer, Wanted::Visible)?;
        Ok(Subscribed::Yes)
    }

    /// The platform says the same of what was deleted and of what this token may not see. Where
    /// the post above can still be read, what stood under it is gone; with its post it goes as well,
    /// unless the token no longer sees the account, which `identity` asks.
    pub async fn why_gone(
        &self,
        post: Option<&str>,
        identity: impl Future<Output = Result<String, PlatformError>> + Send,
    ) -> Result<PlatformError, PlatformError> {
        let Some(post) = post else { return Ok(PlatformError::Gone) };
        match self.get(post, &[("fields", "id")]).await {
            Ok(_) => Ok(PlatformError::Gone),
            Err(PlatformError::Gone) => match identity.await {
                Ok(_) => Ok(PlatformError::Gone),
                Err(PlatformError::Gone) => Ok(PlatformError::Forbidden {
                    what: "kontot syns inte längre för inloggningen; anslut det på nytt".into(),
                }),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    pub async fn delete(&self, path: &str) -> Result<Answer, PlatformError> {
        self.send(self.url(path, &[]), |url| self.http.call(Method::DELETE, url)).await
    }

    /// When the token ends and what it may not do of what is wanted, as far as the platform tells. Asked of the
    /// platform by the token itself (`platforms` sheet, section 3.1, step 4, which nobody has tried against a
    /// real account): where that does not work nothing is known, and nothing else is the worse for it.
    pub async fn token(&self, wanted: &[&str]) -> TokenTold {
        let query = [("input_token", self.token.expose())];
        let Ok(answer) = self.get("debug_token", &query).await else { return TokenTold::default() };
        let Ok(Debugged { data }) = answer.object::<Debugged>() else {
            return TokenTold::default();
        };
        // 0 is for ever. Whichever comes first ends it: the token, or the person's leave to read data.
        let ends = [data.expires_at, data.data_access_expires_at].into_iter().flatten();
        let ends = ends.filter(|at| *at > 0).filter_map(|at| Timestamp::from_second(at).ok()).min();
        let lacks = data.scopes.map(|has| {
            let lacking = wanted.iter().filter(|right| !has.iter().any(|known| known == *right));
            lacking.map(|right| format!("rätten {right} saknas: anslut kontot på nytt")).collect()
        });
        TokenTold { ends, lacks: lacks.unwrap_or_default() }
    }

    /// How fast background reading may go, after the usage that the last answers told. Editors'
    /// acts are not asked.
    pub fn pace(&self) -> Pace {
        let now = self.http.clock().now();
        let told = self.app.read(now).into_iter().chain(self.own.read(now));
        match told.max_by_key(|(used, _)| *used) {
            Some((used, at)) if used >= STOP_FROM => {
                Pace::Stop(at.saturating_add(HOLDS).unwrap_or(at))
            }
            Some((used, _)) if used >= SLOW_FROM => Pace::Slow,
            Some(_) | None => Pace::Free,
        }
    }
}

/// Graph's times have no colon in the offset, which RFC 3339 demands.
pub fn time(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok().or_else(|| text.parse().ok())
}

#[derive(Deserialize)]
struct Fault {
    error: FaultBody,
}

#[derive(Deserialize)]
struct FaultBody {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    error_subcode: i64,
    #[serde(default)]
    is_transient: bool,
    #[serde(default)]
    message: String,
}

/// The answer, where it is none of failure.
fn told(answer: Answer) -> Result<Answer, PlatformError> {
    if answer.is_success() && !is_fault(&answer) { Ok(answer) } else { Err(fault(&answer)) }
}

/// Whether the platform says that no token came along, and not that it is a bad one.
fn finds_no_token(answer: &Answer) -> bool {
    serde_json::from_slice::<Fault>(&answer.body).is_ok_and(|told| {
        let words = told.error.message.to_ascii_lowercase();
        matches!(told.error.code, 190 | 104 | 2500)
            && told.error.error_subcode == 0
            && (words.contains("access token is required") || words.contains("active access token"))
    })
}

fn is_fault(answer: &Answer) -> bool {
    serde_json::from_slice::<Fault>(&answer.body).is_ok()
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    call_count: f64,
    #[serde(default)]
    total_time: f64,
    #[serde(default)]
    total_cputime: f64,
    #[serde(default)]
    estimated_time_to_regain_access: f64,
}

fn app_usage(answer: &Answer) -> Option<Usage> {
    answer.header("x-app-usage").and_then(|text| serde_json::from_str(text).ok())
}

/// Those of pages and accounts.
fn business_usage(answer: &Answer) -> Vec<Usage> {
    let told: Option<BTreeMap<String, Vec<Usage>>> =
        answer.header("x-business-use-case-usage").and_then(|text| serde_json::from_str(text).ok());
    told.into_iter().flat_map(|told| told.into_values().flatten()).collect()
}

/// The highest figure, in per cent of a limit.
fn most(usages: impl IntoIterator<Item = Usage>) -> Option<u32> {
    usages
        .into_iter()
        .flat_map(|u| [u.call_count, u.total_time, u.total_cputime])
        .map(|percent| percent.clamp(0.0, 1000.0) as u32)
        .max()
}

/// When a limit ends: the longest time that the headers name, in minutes there.
fn regained(answer: &Answer) -> Timestamp {
    let minutes = app_usage(answer)
        .into_iter()
        .chain(business_usage(answer))
        .map(|u| u.estimated_time_to_regain_access.clamp(0.0, 1440.0).ceil() as i64)
        .max()
        .filter(|minutes| *minutes > 0);
    let wait = minutes.map_or(UNTOLD_WAIT, SignedDuration::from_mins);
    answer.at.saturating_add(wait).unwrap_or(answer.at)
}

/// Turns an error answer into our one vocabulary. Decides on the code, never on status or text,
/// with one exception that the sheet names.
pub fn fault(answer: &Answer) -> PlatformError {
    let Ok(Fault { error }) = serde_json::from_slice::<Fault>(&answer.body) else {
        return answer.trouble().unwrap_or_else(|| answer.not_json());
    };
    let (code, sub) = (error.code, error.error_subcode);
    let name = if sub == 0 { format!("{code}") } else { format!("{code}/{sub}") };
    let throttled = |lane, until| PlatformError::Throttled {
        until,
        lane,
        detail: format!("Graph code {name}"),
    };
    let refused =
        |reason: &str| PlatformError::Refused { code: name.clone(), reason: reason.into() };
    let forbidden = |what: String| PlatformError::Forbidden { what };
    if error.is_transient {
        return transient(answer, &name);
    }
    match (code, sub) {
        (1 | 2, _) => transient(answer, &name),
        (341, _) => throttled(Lane::App, answer.at.saturating_add(APP_WAIT).unwrap_or(answer.at)),
        (4, _) => throttled(Lane::App, regained(answer)),
        (80006, _) | (613, 2_534_040) => throttled(Lane::Call, regained(answer)),
        (17 | 613, _) => throttled(Lane::Token, regained(answer)),
        (32 | 80001 | 80002, _) => throttled(Lane::Account, regained(answer)),
        (368, _) => forbidden("plattformen har spärrat sidan från att skriva; se meddelandet på plattformen innan något görs igen".into()),
        (10, 2_018_278 | 2_534_022) => refused("Tiden för att svara på meddelandet har gått ut. Svara i sidans inkorg om det går."),
        (10, 2_018_108) | (551, _) => refused("Mottagaren kan inte ta emot meddelanden just nu."),
        (200, 2_534_041) => forbidden("åtkomsten till meddelanden är avslagen; slå på den i appens inställningar under Meddelanden".into()),
        (283, _) => forbidden("rätten pages_read_user_content (läsa andras kommentarer) saknas eller har återkallats".into()),
        (3 | 10 | 200..=299, _) => forbidden(format!("en behörighet saknas eller har återkallats (kod {name}); anslut sidan på nytt och godkänn alla rättigheter")),
        (100, 33) | (33, _) => PlatformError::Gone,
        (100, 2_534_014) => refused("Mottagaren är okänd för plattformen."),
        (100, _) if error.message.contains("does not exist") => PlatformError::Gone,
        (102 | 190, _) => PlatformError::ReauthNeeded { detail: format!("Graph code {name}") },
        (506, _) => refused("Plattformen har redan ett likadant svar."),
        (1_609_005, _) => refused("En länk i svaret godtas inte av plattformen. Ta bort den och försök igen."),
        (1705, _) => forbidden("inloggningen är en persons, inte sidans; anslut sidan på nytt".into()),
        (10900, _) => refused("Ett privat svar på den här kommentaren har redan skickats."),
        _ => PlatformError::Contract { detail: format!("HTTP {} Graph code {name}", answer.status) },
    }
}

fn transient(answer: &Answer, name: &str) -> PlatformError {
    PlatformError::Transient {
        detail: format!("HTTP {} Graph code {name}", answer.status),
        may_have_acted: answer.was_write,
        retry_at: answer.retry_after(),
    }
}

#[cfg(test)]
mod tests {
    use crate::platforms::testing::{answer, at};

    use super::*;

    #[test]
    fn every_code_of_the_sheet_has_its_class() {
        let mut table = String::new();
        let codes = [
            (1, 0),
            (2, 0),
            (4, 0),
            (17, 0),
            (613, 0),
            (613, 2_534_040),
            (32, 0),
            (80001, 0),
            (80002, 0),
            (80006, 0),
            (341, 0),
            (368, 0),
            (3, 0),
            (10, 0),
            (200, 0),
            (283, 0),
            (299, 0),
            (10, 2_018_278),
            (10, 2_534_022),
            (10, 2_018_108),
            (551, 0),
            (200, 2_534_041),
            (100, 33),
            (33, 0),
            (100, 2_534_014),
            (100, 0),
            (102, 0),
            (190, 463),
            (506, 0),
            (1_609_005, 0),
            (1705, 0),
            (10900, 0),
            (99999, 0),
        ];
        for (code, sub) in codes {
            let body =
                format!(r#"{{"error":{{"message":"x","code":{code},"error_subcode":{sub}}}}}"#);
            let error = fault(&answer(400, &body, &[]));
            let wait = error.retry_at().map_or(String::new(), |at| at.to_string());
            table.push_str(&format!("{code}/{sub} {} {wait}\n", error.class()));
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn the_exceptions_from_the_code_hold() {
        let gone =
            r#"{"error":{"message":"(#100) Object does not exist, cannot be loaded","code":100}}"#;
        assert_eq!(fault(&answer(400, gone, &[])), PlatformError::Gone);
        let passing = r#"{"error":{"message":"x","code":100,"is_transient":true}}"#;
        assert_eq!(fault(&answer(400, passing, &[])).class(), "transient");
        assert_eq!(fault(&answer(502, "<html>", &[])).class(), "transient");
        assert_eq!(fault(&answer(404, "<html>", &[])).class(), "transient");
    }

    #[test]
    fn a_limit_ends_when_the_headers_say() {
        let body = r#"{"error":{"message":"x","code":32}}"#;
        let header = r#"{"1000":[{"type":"pages","call_count":101,"total_cputime":3,"total_time":5,"estimated_time_to_regain_access":7}]}"#;
        let error = fault(&answer(400, body, &[("x-business-use-case-usage", header)]));
        assert_eq!(error.retry_at(), Some(at("2026-11-21T12:07:00Z")));
    }

    #[test]
    fn times_are_read_with_and_without_colon() {
        let expected: Timestamp = "2026-07-23T06:35:18Z".parse().unwrap();
        assert_eq!(time("2026-07-23T08:35:18+0200"), Some(expected));
        assert_eq!(time("2026-07-23T08:35:18+02:00"), Some(expected));
        assert_eq!(time("i går"), None);
    }

    #[test]
    fn a_page_without_next_is_the_last() {
        let text = r#"{"data":[],"paging":{"cursors":{"before":"a","after":"b"}}}"#;
        assert_eq!(answer(200, text, &[]).view::<Page<'_>>(text).unwrap().after(), None);
        let text = r#"{"data":[],"paging":{"cursors":{"after":"b"},"next":"https://x"}}"#;
        assert_eq!(answer(200, text, &[]).view::<Page<'_>>(text).unwrap().after(), Some("b"));
    }
}
