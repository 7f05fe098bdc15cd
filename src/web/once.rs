//! Forms that may be sent once: a second click, or a page that is loaded anew after it was sent, makes nothing twice.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So many marks are remembered; older ones belong to pages that nobody has open any more.
const KEPT: usize = 2_000;

/// The marks of forms that were sent.
#[derive(Debug, Default)]
pub struct Sent(Mutex<VecDeque<String>>);

impl Sent {
    /// A mark for a form that is about to be shown.
    pub fn mark() -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }

    /// Whether a form with this mark is sent for the first time. One without a mark always is: it guards against
    /// mistakes, not against people.
    pub fn is_first(&self, mark: &str) -> bool {
        if mark.is_empty() {
            return true;
        }
        // Whole values are put in; a panic leaves none half done.
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.iter().any(|known| known == mark) {
            return false;
        }
        if sent.len() == KEPT {
            sent.pop_front();
        }
        sent.push_back(mark.chars().take(64).collect());
        true
    }

    /// Forgets a mark: what was sent was refused, and may be sent again.
    pub fn forget(&self, mark: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| known != mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_once_and_again_after_it_was_refused() {
        let sent = Sent::default();
        let mark = Sent::mark();
        assert!(sent.is_first(&mark));
        assert!(!sent.is_first(&mark));
        sent.forget(&mark);
        assert!(sent.is_first(&mark));
        assert!(sent.is_first("") && sent.is_first(""), "without a mark nothing is refused");
        for _ in 0..KEPT {
            assert!(sent.is_first(&Sent::mark()));
        }
        assert!(sent.is_first(&mark), "the oldest are forgotten");
    }
}
