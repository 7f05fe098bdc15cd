//! Lists that tell what is newest first and end after so many, whatever there is: whether a walk down one
//! reached what was known, or the platform left the rest untold.

/// What the walk is to reach. `M` orders what is listed: a time, or a name that grows.
#[derive(Clone, Copy, Debug)]
pub struct Down<M> {
    /// The newest that was known when the walk began; `None` where nothing was.
    pub known: Option<M>,
    /// Where to stop: what was known less a stretch of overlap; `None` reads on to the end.
    pub until: Option<M>,
    /// About how many the platform lists at the most.
    pub most: u32,
}

/// What one page told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a, M> {
    /// The page that was asked for, but for the first.
    pub asked: Option<&'a str>,
    /// The page after it.
    pub next: Option<&'a str>,
    /// The oldest met on it.
    pub oldest: Option<M>,
    /// How many were listed from the top, with this page.
    pub n_listed: u32,
}

/// How a walk goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// With this page.
    On(String),
    /// Everything down to what was known has been listed.
    Reached,
    /// The list has ended before: what lies between may be lost.
    CutOff,
}

/// Of what a platform counts it may leave some out, deleted or withheld: a list this near its end, in
/// tenths, was cut off.
const NEARLY: u32 = 9;

/// Whether so many are all that a list of at most `most` gives.
pub const fn is_full(n_listed: u32, most: u32) -> bool {
    n_listed.saturating_mul(10) >= most.saturating_mul(NEARLY)
}

/// Goes one page on.
pub fn newest_first<M: Ord>(down: &Down<M>, told: Told<'_, M>) -> Then {
    if matches!((&told.oldest, &down.until), (Some(oldest), Some(until)) if oldest < until) {
        return Then::Reached;
    }
    if let Some(next) = told.next.filter(|next| told.asked != Some(next)) {
        return Then::On(next.to_owned());
    }
    let meets =
        matches!((&told.oldest, &down.known), (Some(oldest), Some(known)) if oldest <= known);
    if is_full(told.n_listed, down.most) && !meets { Then::CutOff } else { Then::Reached }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_tells_whether_it_reached_what_was_known() {
        let down = |known, until| Down { known, until, most: 100 };
        let told = |next, oldest, n_listed| Told { asked: Some("b"), next, oldest, n_listed };
        for (down, told, then) in [
            // Below what was known nothing is asked for.
            (down(Some(50), Some(40)), told(Some("c"), Some(39), 20), Then::Reached),
            (down(Some(50), Some(40)), told(Some("c"), Some(40), 20), Then::On("c".into())),
            // To the end, where that is wanted.
            (down(Some(50), None), told(Some("c"), Some(1), 20), Then::On("c".into())),
            (down(Some(50), None), told(None, Some(1), 100), Then::Reached),
            // The list is short, so it is whole.
            (down(Some(50), Some(40)), told(None, Some(60), 89), Then::Reached),
            (down(None, None), told(None, Some(60), 20), Then::Reached),
            // It has ended, and what was known is not on it.
            (down(Some(50), Some(40)), told(None, Some(51), 90), Then::CutOff),
            (down(None, None), told(None, Some(60), 100), Then::CutOff),
            (down(Some(50), Some(40)), told(None, Some(50), 100), Then::Reached),
            // A page that names itself goes round in a circle.
            (down(Some(50), Some(40)), told(Some("b"), Some(60), 100), Then::CutOff),
        ] {
            assert_eq!(newest_first(&down, told), then, "{down:?} {told:?}");
        }
    }
}
