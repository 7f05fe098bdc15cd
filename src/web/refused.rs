//! A line of the audit log for each act that was refused: an auditor sees who tried which door.
//!
//! Never what was sent: the line names the address of the form and the status. Who tries again and again writes
//! so many lines in a while and no more, and the last of them says that there were others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::state::Site;

/// Lines of one caller in [`WHILE`].
const MOST: u32 = 20;
/// How long they count.
const WHILE: SignedDuration = SignedDuration::from_mins(10);
/// Callers that are counted at once.
const MOST_CALLERS: usize = 1000;

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
        if held.len() >= MOST_CALLERS && !held.contains_key(caller) {
            return Written::No;
        }
        let (_, n) = held.entry(caller.to_owned()).or_insert((now, 0));
        *n = n.saturating_add(1);
        match *n {
            n if n < MOST => Written::Yes,
            MOST => Written::AsTheLast,
            _ => Written::No,
        }
    }
}

/// Writes the lines, after the answer is known.
pub async fn noted(State(site): State<Site>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // An open page that asks whether it may go on is no act of a person.
    let asks = parts.uri.path().ends_with("/kvar");
    let path = format!("{} {}", parts.method, parts.uri.path());
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
    let caller = viewer.as_ref().map_or_else(|| address.to_string(), |v| v.user.to_string());
    let detail = match site.refusals.count(&caller, site.services.clock().now()) {
        Written::Yes => format!("svar {}", status.as_u16()),
        Written::AsTheLast => {
            format!("svar {}; fler skrivs inte de närmaste tio minuterna", status.as_u16())
        }
        Written::No => return response,
    };
    // The longest address of ours is far shorter.
    let path: String = path.chars().take(120).collect();
    site.services.note_refused(viewer.as_ref(), address, path, detail).await;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

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
