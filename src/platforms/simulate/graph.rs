//! What the simulators of Graph share: field selection, pages, errors and usage headers
//! (`platforms` sheet, section 2).

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::platforms::simulate::reply::Reply;
use crate::platforms::simulate::server::Call;
use crate::platforms::simulate::stage::Turned;

/// The platform's own default and most.
const DEFAULT_LIMIT: usize = 25;
const MOST_LIMIT: usize = 100;

/// Whose answers they are.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
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

impl Default for Usage {
    fn default() -> Self {
        Self { app: 3, own: 3 }
    }
}

/// An error of Graph's.
pub fn fault(code: i64, subcode: i64, message: &str) -> Reply {
    let mut error = json!({
        "message": format!("(#{code}) {message}"), "type": "OAuthException", "code": code,
        "fbtrace_id": "AbCdEfG",
    });
    if subcode != 0 {
        error["error_subcode"] = json!(subcode);
    }
    Reply::told(if code <= 2 { 500 } else { 400 }, &json!({ "error": error }))
}

pub fn no_such_object(id: &str) -> Reply {
    fault(
        100,
        33,
        &format!(
            "Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation"
        ),
    )
}

/// The reply with the headers that tell how much is used.
pub fn dress(reply: Reply, of: Of<'_>, usage: Usage) -> Reply {
    let Usage { app, own } = usage;
    let app = json!({"call_count": app, "total_time": app / 2, "total_cputime": app / 3});
    let page = json!({of.id: [{"type": of.kind, "call_count": own, "total_cputime": own / 3,
        "total_time": own / 2, "estimated_time_to_regain_access": reply.wait.unwrap_or(0)}]});
    reply.with("x-app-usage", app).with("x-business-use-case-usage", page)
}

/// The answer of a call that is turned away unread. `own_limit` is the code of the account's own.
pub fn turned_away(why: Turned, own_limit: i64) -> Reply {
    match why {
        Turned::App(minutes) => fault(4, 0, "Application request limit reached").after(minutes),
        Turned::Account(minutes) => fault(own_limit, 0, "Request limit reached").after(minutes),
        Turned::Token(minutes) => fault(17, 0, "User request limit reached").after(minutes),
        Turned::Expired => fault(190, 463, "Error validating access token: Session has expired"),
        Turned::Ill => fault(2, 0, "Service temporarily unavailable"),
        Turned::LostPlace => fault(100, 0, "Invalid cursors values"),
        Turned::Refused => fault(10, 0, "Application does not have permission for this action"),
    }
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
            Ok(_) | Err(_) => return fault(100, 0, "limit must be between 1 and 100"),
        };
        let begin = match self.field("after").map(read_place) {
            None => 0,
            Some(Some(place)) => {
                all.partition_point(|(p, _)| if descending { *p >= place } else { *p <= place })
            }
            Some(None) => return fault(100, 0, "Invalid cursors values"),
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
