//! The open event streams of each session: so many and no more.
//!
//! Every open page holds one. A browser left with a hundred tabs, or a script with somebody's
//! cookie, must not hold a connection for each.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::domain::ids::ContentHash;

/// Streams that one session may have open: more than anybody has pages to look at.
const MOST: usize = 12;

/// One session's open streams, oldest first: each with its number and what tells it to end.
type OfSession = VecDeque<(u64, CancellationToken)>;

/// The open streams of all sessions.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<HashMap<ContentHash, OfSession>>>);

/// One open stream; forgotten when dropped.
#[derive(Debug)]
pub struct OpenStream {
    streams: Streams,
    session: ContentHash,
    number: u64,
    crowded_out: CancellationToken,
}

impl Streams {
    /// Opens a stream for a session. Where it has too many, its oldest is told to end.
    pub fn open(&self, session_token: &str) -> OpenStream {
        let session = ContentHash::of(session_token.as_bytes());
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = sessions.entry(session).or_default();
        let number = open.back().map_or(0, |(number, _)| number + 1);
        let crowded_out = CancellationToken::new();
        open.push_back((number, crowded_out.clone()));
        if open.len() > MOST
            && let Some((_, oldest)) = open.pop_front()
        {
            oldest.cancel();
        }
        drop(sessions);
        OpenStream { streams: self.clone(), session, number, crowded_out }
    }
}

impl OpenStream {
    /// Comes when the session has opened too many streams since.
    pub async fn crowded_out(&self) {
        self.crowded_out.cancelled().await;
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut sessions = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = sessions.get_mut(&self.session) {
            open.retain(|(number, _)| *number != self.number);
            if open.is_empty() {
                sessions.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_so_many_streams_and_its_oldest_goes_first() {
        let streams = Streams::default();
        let theirs = streams.open("kollegans");
        let mut open: VecDeque<_> = (0..MOST).map(|_| streams.open("kims")).collect();
        assert!(open.iter().all(|stream| !stream.crowded_out.is_cancelled()));
        open.push_back(streams.open("kims"));
        let crowded: Vec<_> = open.iter().map(|s| s.crowded_out.is_cancelled()).collect();
        assert!(crowded[0] && crowded[1..].iter().all(|crowded| !crowded), "{crowded:?}");
        assert!(!theirs.crowded_out.is_cancelled());
        // One that ends by itself makes room.
        open.truncate(MOST);
        open.pop_front();
        let last = streams.open("kims");
        assert!(open.iter().all(|stream| !stream.crowded_out.is_cancelled()));
        drop((open, last, theirs));
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
