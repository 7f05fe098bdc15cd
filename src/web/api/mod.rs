//! `/api/v1`: the acts of the pages for programs, as JSON.
//!
//! There is one table of operations ([`operations`]). From it comes what is served, what is demanded of whoever calls
//! (key, scope, form of what is sent) and the document at `/api/v1/openapi.json`, so none of them can say
//! something else. Acts go through the same services as those of the pages, as the user that the key acts for.

// First of those that use its macro.
#[macro_use]
mod shape;
mod around;
mod cases;
pub mod openapi;
mod problem;
mod records;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tracing::Instrument as _;

use crate::domain::api_key::Scope;
use crate::domain::ids::{CaseId, ContentHash};
use crate::services::ServiceError;
use crate::services::api_keys::{Caller, Once};

use super::refused;
use super::state::Site;
use problem::{Fault, Problem};
use shape::{Known, LARGEST, Shape, faults, settle};

/// Where all of it lies.
pub const ROOT: &str = "/api/v1";
/// The largest body, in bytes: an answer may have 65 kB on the most generous platform.
const MOST_BYTES: usize = 256 * 1024;
/// How long a body may take.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// What an act is told from another by.
const ONCE_HEADER: &str = "idempotency-key";

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
}

impl Place {
    const fn id(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter.
struct Parameter {
    name: &'static str,
    place: Place,
    required: bool,
    schema: Value,
    text: &'static str,
    example: Option<Value>,
}

/// What comes back.
enum Gives {
    Json(fn(&mut Known) -> Value),
    Zip,
    /// The document itself.
    Document,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;
type Handler = Box<dyn Fn(Ask, Value) -> Answer + Send + Sync>;

/// One thing that can be asked for.
struct Operation {
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    about: &'static str,
    scope: Option<Scope>,
    parameters: Vec<Parameter>,
    takes: Option<fn(&mut Known) -> Value>,
    gives: Gives,
    status: StatusCode,
    handler: Handler,
}

/// What is answered, with the revision that it holds for.
struct Told<T> {
    body: T,
    revision: Option<u64>,
}

impl<T> From<T> for Told<T> {
    fn from(body: T) -> Self {
        Self { body, revision: None }
    }
}

/// A call that was let in.
struct Ask {
    site: Site,
    caller: Caller,
    values: BTreeMap<&'static str, Value>,
}

impl Ask {
    fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_str()
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.values.get(name)?.as_i64()
    }

    /// A number of the path: it was read before anybody was let in.
    fn id(&self, name: &str) -> i64 {
        self.number(name).unwrap_or_default()
    }

    /// The case of the path, where the key is for its account.
    async fn case(&self) -> Result<CaseId, Problem> {
        Ok(self.site.services.within(&self.caller, CaseId(self.id("case"))).await?)
    }
}

fn answered<T: Serialize>(status: StatusCode, told: &Told<T>) -> Result<Response, Problem> {
    let body = serde_json::to_string(&told.body).map_err(|error| {
        Problem::from(ServiceError::Broken { doing: "answer", source: Box::new(error) })
    })?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(tag) = told.revision.and_then(|n| HeaderValue::from_str(&format!("\"{n}\"")).ok()) {
        headers.insert(ETAG, tag);
    }
    Ok(response)
}

impl Operation {
    fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        let nothing: Handler = Box::new(|_, _| Box::pin(async { Err(Problem::not_found()) }));
        let parameters = path.split('/').filter_map(|part| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            Some(path_parameter(name))
        });
        Self {
            method,
            path,
            id,
            summary,
            about: "",
            scope: None,
            parameters: parameters.collect(),
            takes: None,
            gives: Gives::Document,
            status: StatusCode::OK,
            handler: nothing,
        }
    }

    fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, id, summary)
    }

    fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, id, summary)
    }

    fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    fn scope(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    fn query(mut self, name: &'static str, schema: Value, text: &'static str) -> Self {
        let place = Place::Query;
        self.parameters.push(Parameter {
            name,
            place,
            required: false,
            schema,
            text,
            example: None,
        });
        self
    }

    /// It is one act however often it is sent with the same header.
    fn once(mut self) -> Self {
        self.parameters.push(Parameter {
            name: ONCE_HEADER,
            place: Place::Header,
            required: true,
            schema: json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$" }),
            text: "Ett eget värde för varje ny handling. Skickas samma värde igen inom ett dygn utförs inget nytt, och svaret är detsamma.",
            example: Some(json!("beslut-2026-11-23-0001")),
        });
        self
    }

    /// Reads without a body, answers as JSON.
    fn reads<Out, F, Fut>(mut self, handler: F) -> Self
    where
        Out: Shape + Serialize + 'static,
        F: Fn(Ask) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Told<Out>, Problem>> + Send + 'static,
    {
        let status = self.status;
        self.gives = Gives::Json(Out::schema);
        self.handler = Box::new(move |ask, _| {
            let done = handler(ask);
            Box::pin(async move { answered(status, &done.await?) })
        });
        self
    }

    /// Takes a body, answers as JSON.
    fn takes<In, Out, F, Fut>(mut self, handler: F) -> Self
    where
        In: Shape + DeserializeOwned + 'static,
        Out: Shape + Serialize + 'static,
        F: Fn(Ask, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Told<Out>, Problem>> + Send + 'static,
    {
        let status = self.status;
        self.takes = Some(In::schema);
        self.gives = Gives::Json(Out::schema);
        self.handler = Box::new(move |ask, body| match serde_json::from_value(body) {
            Ok(body) => {
                let done = handler(ask, body);
                Box::pin(async move { answered(status, &done.await?) })
            }
            // The schema has let it through, so this is a fault of ours; the place is told all the same.
            Err(error) => {
                Box::pin(async move { Err(Problem::unreadable_at("", error.to_string())) })
            }
        });
        self
    }

    /// Gives a package.
    fn packs<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Ask) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        self.gives = Gives::Zip;
        self.handler = Box::new(move |ask, _| Box::pin(handler(ask)));
        self
    }

    /// The parts of a path that are parameters, where the path is of this form.
    fn matches<'a>(&self, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
        let (ours, asked) = (self.path.split('/'), path.split('/'));
        if ours.clone().count() != asked.clone().count() {
            return None;
        }
        let mut found = Vec::new();
        for (ours, asked) in ours.zip(asked) {
            match ours.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => found.push((name, asked)),
                None if ours == asked => {}
                None => return None,
            }
        }
        Some(found)
    }
}

fn path_parameter(name: &'static str) -> Parameter {
    let number = json!({ "type": "integer", "minimum": 1, "maximum": LARGEST });
    let example = match name {
        "span" => json!("2026-11"),
        "account" => json!("forum"),
        _ => json!(1),
    };
    let (schema, text) = match name {
        "case" => (number, "Ärendets nummer"),
        "decision" => (number, "Beslutets nummer"),
        "registration" => (number, "Diarieföringens nummer"),
        "evidence" => (number, "Bevisets nummer"),
        "span" => (
            json!({ "type": "string", "pattern": "^20[0-9]{2}(-(0[1-9]|1[0-2]))?$" }),
            "Ett år, 2026, eller en månad, 2026-11",
        ),
        "account" => (
            json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,99}$" }),
            "Kontots nyckel i inställningarna",
        ),
        _ => (json!({ "type": "string" }), ""),
    };
    Parameter { name, place: Place::Path, required: true, schema, text, example: Some(example) }
}

/// Everything that can be asked for, with the schemas that it names.
struct Table {
    operations: Vec<Operation>,
    known: Known,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let document = Operation::get("/openapi.json", "getDocument", "Det här dokumentet")
            .about("OpenAPI 3.1, för alla. Ingen nyckel behövs.");
        let mut operations = vec![document];
        operations.extend(around::operations());
        operations.extend(cases::operations());
        operations.extend(records::operations());
        let mut known = Known::default();
        Problem::schema(&mut known);
        openapi::HookMessage::schema(&mut known);
        for operation in &operations {
            if let Gives::Json(schema) = operation.gives {
                schema(&mut known);
            }
            if let Some(schema) = operation.takes {
                schema(&mut known);
            }
        }
        Table { operations, known }
    })
}

/// The key that a call shows.
pub(super) fn shown_key(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Who calls, where their key is in force, has calls left and is for that.
async fn let_in(site: &Site, headers: &HeaderMap, parts: Parts<'_>) -> Result<Caller, Problem> {
    let key = shown_key(headers).ok_or_else(Problem::no_key)?;
    let caller = site.services.caller(key, parts.address).await?.ok_or_else(Problem::no_key)?;
    let now = site.services.clock().now();
    site.meter.take(caller.key, caller.per_min, now).map_err(Problem::too_many)?;
    match parts.scope {
        Some(scope) if !caller.scopes.contains(&scope) => {
            let why = format!(
                "Nyckeln {} saknar behörigheten {} ({}).",
                caller.name,
                scope.id(),
                scope.label()
            );
            refused::of_program(
                site,
                &caller.viewer,
                parts.method,
                parts.path,
                StatusCode::FORBIDDEN,
            )
            .await;
            Err(Problem::beyond_key(why))
        }
        Some(_) | None => Ok(caller),
    }
}

/// What letting in needs to know of a call.
struct Parts<'a> {
    address: std::net::IpAddr,
    scope: Option<Scope>,
    method: &'a Method,
    path: &'a str,
}

/// A program that may record by hand; the refusal is the whole answer.
pub(super) async fn recorder(
    site: &Site,
    address: std::net::IpAddr,
    headers: &HeaderMap,
) -> Result<Caller, Response> {
    let parts = Parts {
        address,
        scope: Some(Scope::IntakeWrite),
        method: &Method::POST,
        path: "/api/v1/items",
    };
    let caller =
        let_in(site, headers, parts).await.map_err(|problem| dressed(problem.response()))?;
    if !caller.accounts.is_empty() {
        let why = "Nyckeln gäller bara vissa konton. Det som läggs in för hand hör till platser, så en sådan nyckel kan inte lägga in något.";
        return Err(dressed(Problem::beyond_key(why).response()));
    }
    Ok(caller)
}

/// Headers of every answer.
fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; sandbox"));
    response
}

/// Answers everything below `/api/v1` that has no handler of its own.
pub(super) async fn serve(
    State(site): State<Site>,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
    request: Request,
) -> Response {
    let done = match path {
        Ok(Path(path)) => call(&site, &format!("/{path}"), request).await,
        Err(_) => Err(Problem::unreadable_at("path", "är inte text i UTF-8")),
    };
    dressed(done.unwrap_or_else(|problem| problem.response()))
}

async fn call(site: &Site, path: &str, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let here: Vec<_> = table().operations.iter().filter(|o| o.matches(path).is_some()).collect();
    if here.is_empty() {
        return Err(Problem::not_found());
    }
    let Some(operation) = here.iter().find(|o| o.method == parts.method) else {
        let methods: Vec<_> = here.iter().map(|o| o.method.as_str()).collect();
        let detail = format!("Adressen tar emot {}.", methods.join(" och "));
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "metod", "Fel metod", detail);
        let mut response = problem.response();
        if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
            response.headers_mut().insert(ALLOW, allow);
        }
        return Ok(response);
    };
    if matches!(operation.gives, Gives::Document) {
        return answered(StatusCode::OK, &Told::from(openapi::document(site)));
    }
    let address = site.address(&parts);
    let seen = Parts {
        address,
        scope: operation.scope,
        method: &parts.method,
        path: &site_path(operation),
    };
    let caller = let_in(site, &parts.headers, seen).await?;
    let values = values(operation, path, parts.uri.query().unwrap_or_default(), &parts.headers)?;
    let (body, bytes) = match operation.takes {
        Some(schema) => read(schema, &parts.headers, body).await?,
        None => (Value::Null, Vec::new()),
    };
    let viewer = caller.viewer.clone();
    let once = values.get(ONCE_HEADER).and_then(Value::as_str).map(str::to_owned);
    let ask = Ask { site: site.clone(), caller: caller.clone(), values };
    let done = match once {
        Some(token) => {
            let said = [format!("{} {path}\n", parts.method).as_bytes(), bytes.as_slice()].concat();
            let act = (operation.handler)(ask, body);
            let (site, said) = (site.clone(), ContentHash::of(&said));
            // In a task of its own: whoever hangs up finds it done, and answered, when they send it again.
            let once = async move { act_once(&site, &caller, &token, said, act).await };
            let done = tokio::spawn(once.in_current_span()).await;
            done.unwrap_or_else(|error| Err(Problem::broken(&error)))
        }
        None => (operation.handler)(ask, body).await,
    };
    if let Err(problem) = &done
        && matches!(problem.status, 403 | 409)
    {
        let status =
            if problem.status == 403 { StatusCode::FORBIDDEN } else { StatusCode::CONFLICT };
        refused::of_program(site, &viewer, &parts.method, &site_path(operation), status).await;
    }
    done
}

fn site_path(operation: &Operation) -> String {
    format!("{ROOT}{}", operation.path)
}

/// Does what was not done before under this token, or gives what it was answered with.
async fn act_once(
    site: &Site,
    caller: &Caller,
    token: &str,
    request: ContentHash,
    act: Answer,
) -> Result<Response, Problem> {
    let conflict =
        |detail: &str| Err(Problem::new(StatusCode::CONFLICT, "upprepat", "Skickat förut", detail));
    match site.services.begin_once(caller, token, request).await? {
        Once::New => {}
        Once::InHand => {
            return conflict(
                "Samma anrop pågår, eller bröts. Läs ärendet för att se vad som gäller, och använd ett nytt värde i Idempotency-Key för en ny handling.",
            );
        }
        Once::Another => {
            return conflict(
                "Värdet i Idempotency-Key har använts för något annat. Använd ett nytt värde för varje ny handling.",
            );
        }
        Once::Answered { status, body } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
            return Ok(response);
        }
    }
    let done = act.await;
    let (kept, done) = match done {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, MOST_BYTES).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let kept = parts.status.is_success().then(|| (parts.status.as_u16(), text));
            (kept, Ok(Response::from_parts(parts, Body::from(bytes))))
        }
        // It may have been done before whatever failed: the token stays in hand, and nothing is done twice.
        Err(problem) if problem.status == 500 => return Err(problem),
        // What was refused is sent again mended, with the same token.
        Err(problem) => (None, Err(problem)),
    };
    if let Err(error) = site.services.end_once(caller, token, kept).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "what an act was answered with could not be kept");
    }
    done
}

/// Path, query and headers, each held to its schema; what nobody asked for is refused.
fn values(
    operation: &Operation,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<BTreeMap<&'static str, Value>, Problem> {
    let mut given: Vec<(Place, String, String)> = Vec::new();
    for (name, value) in operation.matches(path).unwrap_or_default() {
        given.push((Place::Path, name.to_owned(), value.to_owned()));
    }
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        given.push((Place::Query, name.into_owned(), value.into_owned()));
    }
    for parameter in operation.parameters.iter().filter(|p| p.place == Place::Header) {
        for value in headers.get_all(parameter.name) {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            given.push((Place::Header, parameter.name.to_owned(), value));
        }
    }
    let (mut values, mut wrong) = (BTreeMap::new(), Vec::new());
    for (place, name, text) in given {
        let known = operation.parameters.iter().find(|p| p.place == place && p.name == name);
        let pointer: String = name.chars().take(60).collect();
        let Some(parameter) = known else {
            wrong.push(Fault { pointer, problem: "är ingen parameter här".into() });
            continue;
        };
        let value = match parameter.schema["type"].as_str() {
            // Only plain digits: `+5` and `05` are not what the document shows.
            Some("integer") => match text.parse::<i64>() {
                Ok(number) if number.to_string() == text => json!(number),
                Ok(_) | Err(_) => json!(text),
            },
            Some(_) | None => json!(text),
        };
        let mut found = faults(&parameter.schema, &value, &table().known);
        found.iter_mut().for_each(|fault| fault.pointer = pointer.clone());
        if values.insert(parameter.name, value).is_some() {
            found.push(Fault { pointer, problem: "står mer än en gång".into() });
        }
        wrong.append(&mut found);
    }
    for parameter in operation.parameters.iter().filter(|p| p.required) {
        if !values.contains_key(parameter.name) {
            wrong.push(Fault { pointer: parameter.name.to_owned(), problem: "saknas".into() });
        }
    }
    if wrong.is_empty() { Ok(values) } else { Err(Problem::unreadable(wrong)) }
}

/// The body, within its bounds and held to its schema.
async fn read(
    schema: fn(&mut Known) -> Value,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Value, Vec<u8>), Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "medietyp",
            "Fel medietyp",
            "Skicka Content-Type: application/json.",
        ));
    }
    let bytes = match tokio::time::timeout(READ_WITHIN, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let detail = format!("Högst {} kB tas emot.", MOST_BYTES / 1024);
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "storlek",
                "För stort",
                detail,
            ));
        }
        Err(_) => return Err(Problem::unreadable_at("", "kom inte fram i tid")),
    };
    let mut value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let place = format!("är inte JSON: rad {}, tecken {}", error.line(), error.column());
        Problem::unreadable_at("", place)
    })?;
    settle(&mut value);
    let schema = schema(&mut Known::default());
    let found = faults(&schema, &value, &table().known);
    if found.is_empty() { Ok((value, bytes.to_vec())) } else { Err(Problem::unreadable(found)) }
}

#[cfg(test)]
mod tests;
