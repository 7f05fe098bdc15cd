//! What another policy does to the deadline of an open case.

use crate::domain::policy::Policy;
use crate::domain::verdict::Verdict;
use crate::store::sqlite::policies::{MovedDeadline, OpenCase};
/// What another policy does to a deadline.
pub(in crate::services) enum Due {
    /// Nothing.
    Same,
    /// It moves.
    Moves(MovedDeadline),
    /// It was set for another reason, and stays.
    Kept,
}

pub(in crate::services) fn due_by(
    case: &OpenCase,
    verdict: &Verdict,
    old: &Policy,
    new: &Policy,
) -> Due {
    let by_old = old.due(verdict, case.kind, case.received_at);
    let by_new = new.due(verdict, case.kind, case.received_at);
    // Columns hold milliseconds.
    match by_old.as_millisecond() == case.due_at.as_millisecond() {
        _ if by_old == by_new => Due::Same,
        true => Due::Moves(MovedDeadline { case: case.case, from: case.due_at, to: by_new }),
        false => Due::Kept,
    }
}
