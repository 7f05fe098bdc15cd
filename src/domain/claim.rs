//! The lease on a case (*ärendet är taget*): who works on it, until when, and how it changes hands.
//!
//! Two people never decide the same item, and nobody's absence holds one: a lease runs out by itself,
//! is renewed by whoever is active, and is taken over in one act. Whoever it was taken from is told.
//! The store asks [`Claim::ask`] and does what it says; nothing else sets who holds a case.

use jiff::{SignedDuration, Timestamp};

use super::ids::UserId;

/// Who works on a case, until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub by: UserId,
    /// Until when.
    pub until: Timestamp,
    /// How firmly.
    pub hold: Hold,
}

/// How firmly a case is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// It was opened. Moving on to another case, or back to the list, lets it go.
    Opened,
    /// Something is written in it, or it was taken on purpose: it stays while its lease lasts.
    Kept,
}

/// What somebody wants of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To look at it in order to decide.
    Open,
    /// To hold it while looking at other things.
    Keep,
    /// To hold it although somebody else does.
    TakeOver,
}

/// How a wish was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// Nobody held it.
    Taken,
    /// It was theirs already and is so for longer.
    Renewed,
    /// Somebody else held it and is to be told.
    TakenFrom(UserId),
}

/// Somebody else holds the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("somebody else holds the case")]
pub struct HeldBy(
    /// Who, and until when.
    pub Claim,
);

impl Claim {
    /// Whether the lease has not run out.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.until > now
    }

    /// Whether somebody else holds the case now.
    pub fn blocks(&self, user: UserId, now: Timestamp) -> bool {
        self.by != user && self.stands(now)
    }

    /// Whether a person lets the case go by moving on to something else.
    pub fn ends_by_leaving(&self, user: UserId) -> bool {
        self.by == user && self.hold == Hold::Opened
    }

    /// The claim that follows from what is, what is wanted and what the time is. A hold is never loosened
    /// by its own holder's looking at the case again.
    ///
    /// # Errors
    /// [`HeldBy`] while somebody else holds it, unless the wish is to take it over.
    pub fn ask(
        current: Option<Self>,
        user: UserId,
        wish: Wish,
        lease: SignedDuration,
        now: Timestamp,
    ) -> Result<(Self, Granted), HeldBy> {
        let until = now.saturating_add(lease).unwrap_or(now);
        let asked = match wish {
            Wish::Open | Wish::TakeOver => Hold::Opened,
            Wish::Keep => Hold::Kept,
        };
        match current.filter(|held| held.stands(now)) {
            None => Ok((Self { by: user, until, hold: asked }, Granted::Taken)),
            Some(held) if held.by == user => {
                let hold = held.hold.max(asked);
                Ok((Self { by: user, until, hold }, Granted::Renewed))
            }
            Some(held) => match wish {
                Wish::Open | Wish::Keep => Err(HeldBy(held)),
                Wish::TakeOver => {
                    Ok((Self { by: user, until, hold: asked }, Granted::TakenFrom(held.by)))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEASE: SignedDuration = SignedDuration::from_mins(5);
    const KIM: UserId = UserId(1);
    const SAM: UserId = UserId(2);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn held(by: UserId, until: i64, hold: Hold) -> Option<Claim> {
        Some(Claim { by, until: at(until), hold })
    }

    #[test]
    fn what_becomes_of_every_wish() {
        use Granted::{Renewed, Taken, TakenFrom};
        use Hold::{Kept, Opened};
        use Wish::{Keep, Open, TakeOver};
        // At second 100: what is, what Kim wants, what comes of it.
        let table = [
            (None, Open, Some((Opened, Taken))),
            (None, Keep, Some((Kept, Taken))),
            (None, TakeOver, Some((Opened, Taken))),
            (held(KIM, 200, Opened), Open, Some((Opened, Renewed))),
            (held(KIM, 200, Opened), Keep, Some((Kept, Renewed))),
            (held(KIM, 200, Kept), Open, Some((Kept, Renewed))),
            (held(KIM, 200, Kept), TakeOver, Some((Kept, Renewed))),
            (held(KIM, 100, Kept), Open, Some((Opened, Taken))),
            (held(SAM, 101, Opened), Open, None),
            (held(SAM, 101, Opened), Keep, None),
            (held(SAM, 101, Kept), TakeOver, Some((Opened, TakenFrom(SAM)))),
            (held(SAM, 100, Kept), Open, Some((Opened, Taken))),
            (held(SAM, 100, Kept), TakeOver, Some((Opened, Taken))),
        ];
        for (current, wish, expected) in table {
            let answer = Claim::ask(current, KIM, wish, LEASE, at(100));
            let expected = expected
                .map(|(hold, how)| (Claim { by: KIM, until: at(400), hold }, how))
                .ok_or_else(|| HeldBy(current.unwrap()));
            assert_eq!(answer, expected, "{current:?} {wish:?}");
        }
    }

    #[test]
    fn leaving_lets_go_of_what_was_only_opened_and_is_ones_own() {
        for (claim, leaves) in [
            (held(KIM, 9, Hold::Opened), true),
            (held(KIM, 9, Hold::Kept), false),
            (held(SAM, 9, Hold::Opened), false),
        ] {
            assert_eq!(claim.unwrap().ends_by_leaving(KIM), leaves, "{claim:?}");
        }
    }

    fn wish() -> impl Strategy<Value = Wish> {
        prop_oneof![Just(Wish::Open), Just(Wish::Keep), Just(Wish::TakeOver)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_case_has_one_holder_and_nobody_holds_it_longer_than_a_lease_after_their_last_act(
            steps in prop::collection::vec((0_i64..4, wish(), 0_i64..400), 1..40)
        ) {
            let (mut claim, mut now, mut last_act): (Option<Claim>, _, _) = (None, 0, [None; 4]);
            for (user, wish, pause) in steps {
                now += pause;
                let before = claim.filter(|c| c.stands(at(now)));
                match Claim::ask(claim, UserId(user), wish, LEASE, at(now)) {
                    Ok((next, how)) => {
                        prop_assert_eq!(next.by, UserId(user));
                        prop_assert_eq!(how == Granted::Taken, before.is_none());
                        if let Granted::TakenFrom(from) = how {
                            prop_assert_eq!(before.map(|c| c.by), Some(from));
                            prop_assert_eq!(wish, Wish::TakeOver);
                        }
                        last_act[user as usize] = Some(now);
                        claim = Some(next);
                    }
                    Err(HeldBy(by)) => {
                        prop_assert_eq!(Some(by), before);
                        prop_assert!(by.blocks(UserId(user), at(now)));
                        let acted = last_act[by.by.0 as usize].unwrap_or(i64::MIN);
                        prop_assert!(now - acted < LEASE.as_secs());
                    }
                }
            }
        }
    }
}
