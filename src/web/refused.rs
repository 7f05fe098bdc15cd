//! A line of the audit log for each act that was refused: an auditor sees who tried which door.
//!
//! Never what was sent: the line names the form, by the address that we have for it, and the status. Who tries
//! again and again writes so many lines in a while and no more, and the last of them says that there were others.
//! Strangers are counted together, and apart from those who have logged in: nobody fills the log from outside,
//! nor keeps others from being written down.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::state::Site;
use crate::services::Viewer;

/// Lines of one caller in [`WHILE`], and of all strangers together.
const MOST: u32 = 20;
/// How long they count.
const WHILE: SignedDuration = SignedDuration::from_mins(10);
/// What stands for everybody without a session.
const STRANGERS: &str = "";

/// How many refusals of whom are on record already.
#[derive(Default)]
pub struct Refusals(Mutex<HashMap<String, (Timestamp, u32)>>);

/// Whether a refusal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// It is.
    Yes,
    /// It is, and it is the last one for a while.
    AsTheLast,
    /// There have been enough.
    No,
}

impl Refusals {
    fn count(&self, caller: &str, now: Timestamp) -> Written {
        // Short sections that cannot leave anything half done.
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (since, _)| now.duration_since(*since) < WHILE);
        let (_, n) = held.entry(caller.to_owned()).or_insert((now, 0));
        *n = n.saturating_add(1);
        match *n {
            n if n < MOST => Written::Yes,
            MOST => Written::AsTheLast,
            _ => Written::No,
        }
    }
}

/// The form that was asked for: our own address of it, with the numbers that stood in it, and where somebody has
/// logged in the short names too. Nothing else that a caller wrote comes here: what stands in the log stays there.
fn form(ours: Option<&str>, asked: &str, is_known: bool) -> String {
    let Some(ours) = ours else { return "okänd adress".to_owned() };
    let plain = |part: &str| {
        let small = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let number = part.bytes().all(|b| b.is_ascii_digit());
        part.len() <= 32 && (number || is_known && small)
    };
    let parts = ours.split('/').zip(asked.split('/'));
    let parts =
        parts.map(|(ours, asked)| if ours.starts_with('{') && plain(asked) { asked } else { ours });
    parts.collect::<Vec<_>>().join("/")
}

/// Writes the lines, after the answer is known.
pub async fn noted(State(site): State<Site>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // An open page that asks whether it may go on is no act of a person.
    let asks = parts.uri.path().ends_with("/kvar");
    let ours = parts.extensions.get::<MatchedPath>().cloned();
    let (method, asked) = (parts.method.clone(), parts.uri.path().to_owned());
    let known = (site.address(&parts), site.cookie().read(&parts.headers));
    let response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    if asks || !matches!(status, StatusCode::FORBIDDEN | StatusCode::CONFLICT) {
        return response;
    }
    let (address, token) = known;
    let session = match token {
        Some(token) => site.services.session(&token, address).await.ok().flatten(),
        None => None,
    };
    let viewer = session.map(|session| session.viewer);
    let caller = viewer.as_ref().map_or_else(|| STRANGERS.to_owned(), |v| v.user.to_string());
    let detail = match site.refusals.count(&caller, site.services.clock().now()) {
        Written::Yes => format!("svar {}", status.as_u16()),
        Written::AsTheLast => {
            format!("svar {}; fler skrivs inte de närmaste tio minuterna", status.as_u16())
        }
        Written::No => return response,
    };
    let form = form(ours.as_ref().map(MatchedPath::as_str), &asked, viewer.is_some());
    site.services.note_refused(viewer.as_ref(), address, format!("{method} {form}"), detail).await;
    response
}

/// The same for a program: `ours` is our own address of what it asked for.
pub(super) async fn of_program(
    site: &Site,
    viewer: &Viewer,
    method: &Method,
    ours: &str,
    status: StatusCode,
) {
    let caller = viewer.key.clone().unwrap_or_else(|| viewer.user.to_string());
    let detail = match site.refusals.count(&caller, site.services.clock().now()) {
        Written::Yes => format!("svar {}", status.as_u16()),
        Written::AsTheLast => {
            format!("svar {}; fler skrivs inte de närmaste tio minuterna", status.as_u16())
        }
        Written::No => return,
    };
    let (form, address) = (format!("{method} {ours}"), viewer.address);
    site.services.note_refused(Some(viewer), address, form, detail).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_stranger_wrote_stands_in_a_line() {
        let card = Some("/konton/{key}/{act}");
        for (ours, asked, known, expected) in [
            (None, "/Anna-Andersson-bor-dar", true, "okänd adress"),
            (Some("/arende/{id}/beslut"), "/arende/17/beslut", false, "/arende/17/beslut"),
            (Some("/arende/{id}/beslut"), "/arende/Anna/beslut", true, "/arende/{id}/beslut"),
            (card, "/konton/anna/person", false, "/konton/{key}/{act}"),
            (card, "/konton/facebook/person", true, "/konton/facebook/person"),
            (card, "/konton/anna%20a/person", true, "/konton/{key}/person"),
        ] {
            assert_eq!(form(ours, asked, known), expected, "{asked}");
        }
    }

    #[test]
    fn so_many_are_written_in_a_while_and_others_are_counted_by_themselves() {
        let refusals = Refusals::default();
        let at = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let written: Vec<_> = (0..30).map(|_| refusals.count("1", at(0))).collect();
        assert_eq!(written.iter().filter(|w| **w == Written::Yes).count(), 19);
        assert_eq!((written[19], written[20]), (Written::AsTheLast, Written::No));
        assert_eq!(refusals.count("2", at(1)), Written::Yes);
        assert_eq!(refusals.count("1", at(11)), Written::Yes);
    }
}
