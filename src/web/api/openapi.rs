//! The document: made of the table of operations, so it says what is served.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::problem::KIND;
use super::shape::{Known, one_of};
use super::{Gives, Operation, Place, ROOT, table};
use crate::domain::api_key::Scope;
use crate::domain::hook::HookEvent;
use crate::web::state::Site;

shape! {
    "Vad en webbhook berättar"
    HookData {
        "Ärendets nummer" case: i64,
        "Kontots nyckel" account: String,
        "Var ärendet stod när meddelandet skrevs" state: String,
        "Länk till ärendet, för den som loggar in" link: Option<String>,
        "Beslutet" decision: Option<i64>,
        "Diarieföringen" registration: Option<i64>,
        "Beviset" evidence: Option<i64>,
    }
}

shape! {
    "Ett meddelande till en webbhook: nummer, lägen och länkar, aldrig text eller personuppgifter"
    HookMessage {
        "Vad som har hänt" r#type: String = one_of(HookEvent::ALL.iter().map(|event| event.id())),
        "När det hände" timestamp: Timestamp,
        "Vad det gäller" data: HookData,
    }
}

/// The document.
pub struct Document(Value);

impl serde::Serialize for Document {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

fn problems(operation: &Operation) -> Vec<(u16, &'static str)> {
    let mut all = vec![(400, "Det som skickades går inte att läsa")];
    if !matches!(operation.gives, Gives::Document) {
        all.push((401, "Ingen giltig nyckel"));
        all.push((403, "Nyckeln, rollen eller sekretessen tillåter det inte"));
        all.push((404, "Finns inte"));
        all.push((422, "Reglerna tillåter det inte"));
        all.push((429, "För många anrop"));
        all.push((503, "Går inte just nu"));
    }
    if operation.takes.is_some() {
        all.push((413, "För stort"));
        all.push((415, "Fel medietyp"));
    }
    if operation.method != axum::http::Method::GET {
        all.push((409, "Ärendet är ändrat, upptaget eller skickat förut"));
    }
    all.sort_unstable();
    all
}

fn described(operation: &Operation) -> Value {
    let known = &mut Known::default();
    let mut answers = Map::new();
    let content = match operation.gives {
        Gives::Json(schema) => json!({ "application/json": { "schema": schema(known) } }),
        Gives::Zip => {
            json!({ "application/zip": { "schema": { "type": "string", "contentMediaType": "application/zip" } } })
        }
        Gives::Document => json!({ "application/json": { "schema": { "type": "object" } } }),
    };
    let done = json!({ "description": operation.summary, "content": content });
    answers.insert(operation.status.as_u16().to_string(), done);
    for (status, text) in problems(operation) {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ KIND: { "schema": schema } });
        answers.insert(status.to_string(), json!({ "description": text, "content": content }));
    }
    let parameters = operation.parameters.iter().map(|parameter| {
        let mut said = json!({
            "name": if parameter.place == Place::Header { "Idempotency-Key" } else { parameter.name },
            "in": parameter.place.id(), "required": parameter.required,
            "schema": parameter.schema, "description": parameter.text,
        });
        if let Some(example) = &parameter.example {
            said["example"] = example.clone();
        }
        said
    });
    let mut said = json!({
        "operationId": operation.id, "summary": operation.summary,
        "parameters": parameters.collect::<Vec<_>>(), "responses": answers,
    });
    let scope = operation.scope.map(|scope| format!("Kräver behörigheten {}.", scope.id()));
    let about = [Some(operation.about.to_owned()), scope].into_iter().flatten();
    let about: Vec<_> = about.filter(|text| !text.is_empty()).collect();
    if !about.is_empty() {
        said["description"] = json!(about.join(" "));
    }
    said["security"] = match operation.gives {
        Gives::Document => json!([]),
        Gives::Json(_) | Gives::Zip => json!([{ "nyckel": [] }]),
    };
    if let Some(schema) = operation.takes {
        let content = json!({ "application/json": { "schema": schema(known) } });
        said["requestBody"] = json!({ "required": true, "content": content });
    }
    said
}

/// What is served below the same address by handlers of its own, and signs or logs in in another way.
fn elsewhere() -> [(&'static str, Value); 3] {
    let told = |text: &str| {
        let schema = json!({ "type": "object", "properties": { "error": { "type": "string" } } });
        json!({ "description": text, "content": { "application/json": { "schema": schema } } })
    };
    let problem = |text: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        json!({ "description": text, "content": { "application/problem+json": { "schema": schema } } })
    };
    let text = |most: u32| json!({ "type": "string", "maxLength": most });
    let items = json!({ "post": {
        "operationId": "recordItem",
        "summary": "Lägg in ett inlägg för hand",
        "description": "Formulärets fält. Nyckel med behörigheten intake:write, eller användarnamn och lösenord med HTTP Basic. Samma nyckel (ett UUID) ger samma inlägg.",
        "security": [{ "nyckel": [] }, { "inloggning": [] }],
        "requestBody": { "required": true, "content": { "multipart/form-data": { "schema": {
            "type": "object",
            "required": ["plats", "slag"],
            "properties": {
                "plats": text(120), "slag": { "type": "string", "enum": crate::domain::item::ItemKind::ALL.iter().map(|kind| kind.id()).collect::<Vec<_>>() },
                "text": text(100_000), "lank": text(2_000), "avsandare": text(120), "anvandarnamn": text(120),
                "skrivet": text(30), "nyckel": { "type": "string", "format": "uuid" },
                "bild": { "type": "array", "maxItems": 5, "items": { "type": "string", "contentMediaType": "image/png" } },
            },
        } } } },
        "responses": {
            "201": { "description": "Inlagt", "content": { "application/json": { "schema": { "type": "object", "properties": {
                "inlagg": { "type": "integer" }, "arende": { "type": ["integer", "null"] }, "lank": { "type": ["string", "null"] },
            } } } } },
            "400": problem("Går inte att läsa"), "401": problem("Ingen giltig nyckel eller inloggning"),
            "403": problem("Nyckeln eller rollen tillåter det inte"), "413": problem("För stort"),
            "422": problem("Reglerna tillåter det inte"), "429": problem("För många anrop"), "503": problem("Går inte just nu"),
        },
    } });
    let signed = |id: &str, summary: &str, parameters: Value, done: &str| {
        json!({ "post": {
            "operationId": id, "summary": summary, "parameters": parameters,
            "security": [{ "signatur": [] }],
            "requestBody": { "required": true, "content": { "application/json": { "schema": {} } } },
            "responses": {
                done: told("Mottaget"), "400": told("Går inte att läsa"), "401": told("Signaturen gäller inte"),
                "404": { "description": "Finns inte eller är avstängt" }, "413": told("För stort"), "503": told("Går inte just nu"),
            },
        } })
    };
    let account = json!([{ "name": "account", "in": "path", "required": true, "schema": { "type": "string", "maxLength": 40 } }]);
    [
        ("/items", items),
        (
            "/intake/{account}",
            signed("pushItems", "Signerad leverans från en egen webbplats", account, "202"),
        ),
        (
            "/diary",
            signed("pushNumbers", "Signerade diarienummer från diariesystemet", json!([]), "200"),
        ),
    ]
}

/// The whole document for a site.
pub(super) fn document(site: &Site) -> Document {
    let all = table();
    let mut paths: Map<String, Value> = Map::new();
    for operation in &all.operations {
        let method = operation.method.as_str().to_lowercase();
        let path = paths.entry(operation.path.to_owned()).or_insert_with(|| json!({}));
        path[method] = described(operation);
    }
    paths.extend(elsewhere().map(|(path, said)| (path.to_owned(), said)));
    let base =
        site.settings.public_url.join(ROOT).map_or_else(|_| ROOT.to_owned(), |url| url.to_string());
    let scopes: Vec<_> =
        Scope::ALL.iter().map(|scope| format!("{}: {}", scope.id(), scope.label())).collect();
    let message = json!({ "$ref": "#/components/schemas/HookMessage" });
    Document(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Uppsikt",
            "version": "1",
            "description": format!(
                "Samma handlingar som på sidorna, för program. En nyckel handlar för en användare och får högst det som användaren får. Behörigheter: {}.",
                scopes.join("; ")
            ),
        },
        "servers": [{ "url": base }],
        "paths": paths,
        "webhooks": {
            "handelse": { "post": {
                "operationId": "hook",
                "summary": "Något har hänt",
                "description": "Skickas till mottagare som lagts in på sidan Webbhookar, signerat enligt Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature). Svara med 2xx inom 15 sekunder.",
                "requestBody": { "required": true, "content": { "application/json": { "schema": message } } },
                "responses": { "200": { "description": "Mottaget" } },
            } },
        },
        "components": {
            "schemas": all.known.0,
            "securitySchemes": {
                "nyckel": { "type": "http", "scheme": "bearer", "description": "En nyckel från sidan API-nycklar" },
                "inloggning": { "type": "http", "scheme": "basic" },
                "signatur": { "type": "apiKey", "in": "header", "name": "X-Uppsikt-Signature", "description": "t={unix s},v1={HMAC-SHA256}" },
            },
        },
    }))
}

/// One operation as the page tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// `GET`.
    pub method: String,
    /// The whole path.
    pub path: String,
    /// Identifier in the document.
    pub id: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// More.
    pub about: &'static str,
    /// The scope that it takes.
    pub scope: Option<&'static str>,
    /// Parameters: name, whether it has to be there, what it is.
    pub parameters: Vec<(&'static str, bool, &'static str)>,
    /// Fields of what is sent: name, whether it has to be there, what it is.
    pub fields: Vec<(String, bool, String)>,
}

/// All operations, for the page.
pub fn all() -> Vec<Described> {
    let of = |operation: &Operation| {
        let mut known = Known::default();
        let name = operation
            .takes
            .map(|schema| schema(&mut known))
            .and_then(|schema| Some(schema.get("$ref")?.as_str()?.rsplit('/').next()?.to_owned()));
        let schema = name.and_then(|name| known.0.get(name.as_str()).cloned()).unwrap_or_default();
        let required: Vec<_> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let fields = schema["properties"].as_object().into_iter().flatten();
        Described {
            method: operation.method.to_string(),
            path: format!("{ROOT}{}", operation.path),
            id: operation.id,
            summary: operation.summary,
            about: operation.about,
            scope: operation.scope.map(Scope::id),
            parameters: operation
                .parameters
                .iter()
                .map(|parameter| (parameter.name, parameter.required, parameter.text))
                .collect(),
            fields: fields
                .map(|(name, schema)| {
                    let text = schema["description"].as_str().unwrap_or("se dokumentet");
                    (name.clone(), required.contains(&name.as_str()), text.to_owned())
                })
                .collect(),
        }
    };
    table().operations.iter().map(of).collect()
}
