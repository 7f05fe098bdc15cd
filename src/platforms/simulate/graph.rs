//! What the simulators of Graph share: field selection, pages, errors and usage headers
//! (`platforms` sheet, section 2).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::platforms::simulate::LABEL;
use crate::platforms::simulate::faults::Fault;
use crate::platforms::simulate::server::Call;

/// The platform's own default and most.
const DEFAULT_LIMIT: usize = 25;
const MOST_LIMIT: usize = 100;

/// Whose answers they are.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// The platform, as answers are labelled.
    pub platform: &'static str,
    /// The account, and the platform's word for its kind in usage headers.
    pub id: &'a str,
    pub kind: &'static str,
}

/// How much is used, in per cent.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub app: u32,
    pub own: u32,
}

/// An answer before the headers that all have.
pub struct Reply {
    status: StatusCode,
    body: String,
    /// Minutes until a limit ends.
    regain: u32,
}

impl Reply {
    pub fn ok(body: &Value) -> Self {
        Self { status: StatusCode::OK, body: body.to_string(), regain: 0 }
    }

    pub fn fault(code: i64, subcode: i64, message: &str) -> Self {
        let status =
            if code <= 2 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
        let mut error = json!({
            "message": format!("(#{code}) {message}"), "type": "OAuthException", "code": code,
            "fbtrace_id": "AbCdEfG",
        });
        if subcode != 0 {
            error["error_subcode"] = json!(subcode);
        }
        Self { status, body: json!({ "error": error }).to_string(), regain: 0 }
    }

    pub fn no_such_object(id: &str) -> Self {
        Self::fault(
            100,
            33,
            &format!(
                "Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation"
            ),
        )
    }

    /// The body, to be sent through what may go wrong with it.
    pub fn take_body(&mut self) -> String {
        std::mem::take(&mut self.body)
    }

    /// With the headers that all answers have.
    pub fn into_response(self, of: Of<'_>, usage: Usage, body: Vec<u8>) -> Response {
        let Usage { app, own } = usage;
        let app = json!({"call_count": app, "total_time": app / 2, "total_cputime": app / 3});
        let page = json!({of.id: [{"type": of.kind, "call_count": own, "total_cputime": own / 3,
            "total_time": own / 2, "estimated_time_to_regain_access": self.regain}]});
        let text = |value: Value| {
            HeaderValue::from_str(&value.to_string()).expect("numbers and ASCII names fit a header")
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8")),
            (HeaderName::from_static(LABEL), HeaderValue::from_static(of.platform)),
            (HeaderName::from_static("x-app-usage"), text(app)),
            (HeaderName::from_static("x-business-use-case-usage"), text(page)),
        ];
        (self.status, headers, body).into_response()
    }
}

/// The answer of a call that is turned away unread.
pub fn refusal(fault: Fault, own_limit: i64) -> Option<Reply> {
    match fault {
        Fault::AppLimit { minutes } => Some(Reply {
            regain: minutes,
            ..Reply::fault(4, 0, "Application request limit reached")
        }),
        Fault::PageLimit { minutes } => {
            Some(Reply { regain: minutes, ..Reply::fault(own_limit, 0, "Request limit reached") })
        }
        Fault::TokenLimit { minutes } => {
            Some(Reply { regain: minutes, ..Reply::fault(17, 0, "User request limit reached") })
        }
        Fault::ExpiredToken => {
            Some(Reply::fault(190, 463, "Error validating access token: Session has expired"))
        }
        Fault::ServerError => Some(Reply::fault(2, 0, "Service temporarily unavailable")),
        Fault::HtmlPage => Some(Reply {
            status: StatusCode::FORBIDDEN,
            body: "<html><title>Blocked</title></html>".into(),
            regain: 0,
        }),
        Fault::CursorInvalid => Some(Reply::fault(100, 0, "Invalid cursors values")),
        Fault::BrokenJson
        | Fault::Slow(_)
        | Fault::LostAnswer
        | Fault::DuplicatePage
        | Fault::ClockSkew { .. } => None,
    }
}

/// What a gateway in between says when it has lost the answer.
pub fn gateway_page(platform: &'static str) -> Response {
    (StatusCode::BAD_GATEWAY, [(LABEL, platform)], "<html><title>502</title></html>")
        .into_response()
}

/// The top-level names in `a,b{c,d},e.limit(0){f}`, each with what follows it.
pub fn fields(text: &str) -> Vec<(String, String)> {
    let mut all = vec![String::new()];
    let mut depth = 0_i32;
    for c in text.chars() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            ',' if depth == 0 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        all.last_mut().expect("begins with one").push(c);
    }
    all.into_iter()
        .map(|field| {
            let end = field.find(['{', '.', '(']).unwrap_or(field.len());
            (field[..end].trim().to_owned(), field[end..].to_owned())
        })
        .collect()
}

/// What a page's cursor says.
fn read_place(cursor: &str) -> Option<(Timestamp, u64)> {
    let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    let (at, number) = text.split_once(' ')?;
    Some((at.parse().ok()?, number.parse().ok()?))
}

pub fn graph_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// What a call holds in query and form, where a body of JSON counts as one.
pub struct Form(Vec<(String, String)>);

impl Form {
    pub fn of(call: &Call) -> Self {
        let mut all = call.query();
        match serde_json::from_slice::<Value>(&call.body) {
            Ok(Value::Object(body)) => {
                all.extend(body.into_iter().map(|(name, value)| (name, value.to_string())));
            }
            Ok(_) | Err(_) => all.extend(call.form()),
        }
        Self(all)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The object with `id` and the fields asked for, inner ones too.
    pub fn selected(&self, object: Value) -> Value {
        select(object, self.field("fields").unwrap_or("id"))
    }

    pub fn select(&self, object: Value) -> Reply {
        Reply::ok(&self.selected(object))
    }

    /// One page. The cursor tells the place of the last element, so that what is deleted or
    /// written meanwhile moves nothing.
    pub fn page(&self, all: &[((Timestamp, u64), Value)], descending: bool) -> Reply {
        let limit = match self.field("limit").map_or(Ok(DEFAULT_LIMIT), str::parse) {
            Ok(limit @ 1..=MOST_LIMIT) => limit,
            Ok(_) | Err(_) => return Reply::fault(100, 0, "limit must be between 1 and 100"),
        };
        let begin = match self.field("after").map(read_place) {
            None => 0,
            Some(Some(place)) => {
                all.partition_point(|(p, _)| if descending { *p >= place } else { *p <= place })
            }
            Some(None) => return Reply::fault(100, 0, "Invalid cursors values"),
        };
        let shown: Vec<_> = all.iter().skip(begin).take(limit).collect();
        let data: Vec<_> = shown.iter().map(|(_, value)| value).collect();
        let mut page = json!({ "data": data });
        if let (Some((first, _)), Some((last, _))) = (shown.first(), shown.last()) {
            let token = |(at, number): &(Timestamp, u64)| hex::encode(format!("{at} {number}"));
            page["paging"] = json!({"cursors": {"before": token(first), "after": token(last)}});
            if begin + shown.len() < all.len() {
                page["paging"]["next"] = json!("https://graph.facebook.com/…");
            }
        }
        Reply::ok(&page)
    }
}

/// What follows a name in braces.
fn inner(rest: &str) -> Option<&str> {
    let begin = rest.find('{')?;
    rest[begin + 1..].strip_suffix('}')
}

fn select(value: Value, wanted: &str) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(|one| select(one, wanted)).collect(),
        // A list within an object: its elements are meant.
        Value::Object(mut all) if all.contains_key("data") => {
            if let Some(data) = all.remove("data") {
                all.insert("data".into(), select(data, wanted));
            }
            Value::Object(all)
        }
        Value::Object(all) => {
            let wanted = fields(wanted);
            let kept = all.into_iter().filter_map(|(name, value)| {
                match wanted.iter().find(|(field, _)| *field == name) {
                    Some((_, rest)) => match inner(rest) {
                        Some(fields) => Some((name, select(value, fields))),
                        None => Some((name, value)),
                    },
                    None => (name == "id").then_some((name, value)),
                }
            });
            Value::Object(kept.collect())
        }
        other => other,
    }
}
