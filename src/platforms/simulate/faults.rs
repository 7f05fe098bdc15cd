//! What goes wrong at a simulated platform.

use std::collections::VecDeque;
use std::time::Duration;

/// One thing that goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Code 4: the app calls too much. The header tells for how many minutes.
    AppLimit {
        /// Minutes.
        minutes: u32,
    },
    /// Code 32: the Page is called too much.
    PageLimit {
        /// Minutes.
        minutes: u32,
    },
    /// Code 17: the token is used too much, by whichever account.
    TokenLimit {
        /// Minutes.
        minutes: u32,
    },
    /// Code 190/463: the token has run out.
    ExpiredToken,
    /// Code 2 with status 500.
    ServerError,
    /// A page from a gateway in between.
    HtmlPage,
    /// JSON that stops in the middle.
    BrokenJson,
    /// The answer comes late.
    Slow(Duration),
    /// The call is carried out, and the answer is lost on the way.
    LostAnswer,
    /// A page of a list has the page before in it once more.
    DuplicatePage,
    /// The place in a list that the call names is no longer known. Strikes only calls that name one.
    CursorInvalid,
    /// From this call on what others write is shown so much later than it was written, with its old time.
    Late {
        /// Seconds; nought ends it.
        seconds: u32,
    },
    /// From this call on the platform's clock is off by so much.
    ClockSkew {
        /// Seconds ahead of ours; less than nought where it is behind.
        seconds: i32,
    },
}

impl Fault {
    /// One of each kind, mild enough for a demonstration.
    pub const MILD: &[Self] = &[
        Self::PageLimit { minutes: 1 },
        Self::ServerError,
        Self::HtmlPage,
        Self::BrokenJson,
        Self::Slow(Duration::from_millis(1_500)),
        Self::LostAnswer,
    ];

    /// What a drill can be made of, each under the name that the command line takes.
    pub const MENU: &[(&str, Self)] = &[
        ("gräns", Self::PageLimit { minutes: 1 }),
        ("appgräns", Self::AppLimit { minutes: 1 }),
        ("nyckelgräns", Self::TokenLimit { minutes: 1 }),
        ("500", Self::ServerError),
        ("html", Self::HtmlPage),
        ("avhuggen", Self::BrokenJson),
        ("långsam", Self::Slow(Duration::from_millis(1_500))),
        ("tappad", Self::LostAnswer),
        ("dubbel", Self::DuplicatePage),
        ("sidmärke", Self::CursorInvalid),
        ("klocka", Self::ClockSkew { seconds: 90 }),
        ("utgången", Self::ExpiredToken),
        ("eftersläpning", Self::Late { seconds: 60 }),
    ];

    /// Until when nothing may be called after this, in minutes from now.
    pub(super) const fn limits_for(self) -> Option<u32> {
        match self {
            Self::AppLimit { minutes }
            | Self::PageLimit { minutes }
            | Self::TokenLimit { minutes } => Some(minutes),
            Self::ExpiredToken
            | Self::ServerError
            | Self::HtmlPage
            | Self::BrokenJson
            | Self::Slow(_)
            | Self::LostAnswer
            | Self::DuplicatePage
            | Self::CursorInvalid
            | Self::Late { .. }
            | Self::ClockSkew { .. } => None,
        }
    }
}

/// How often things go wrong by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Where the dice begin; the same seed and calls give the same faults.
    pub seed: u64,
    /// Of a thousand calls, how many fail.
    pub per_thousand: u16,
    /// What then happens, each as likely as the others.
    pub kinds: Vec<Fault>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }
}

/// Deals out the faults.
#[derive(Debug)]
pub struct Dice {
    faults: Faults,
    state: u64,
    ordered: VecDeque<Fault>,
}

impl Dice {
    /// Dice for these faults.
    pub fn new(faults: Faults) -> Self {
        Self { state: faults.seed, faults, ordered: VecDeque::new() }
    }

    /// Lets the next `times` calls fail so, before anything else.
    pub fn order(&mut self, fault: Fault, times: usize) {
        self.ordered.extend(std::iter::repeat_n(fault, times));
    }

    /// What goes wrong with the next call.
    pub fn deal(&mut self) -> Option<Fault> {
        if let Some(fault) = self.ordered.pop_front() {
            return Some(fault);
        }
        let kinds = u64::try_from(self.faults.kinds.len()).ok().filter(|kinds| *kinds > 0)?;
        let strikes = self.roll() % 1_000 < u64::from(self.faults.per_thousand);
        let kind = usize::try_from(self.roll() % kinds).ok()?;
        strikes.then(|| self.faults.kinds[kind])
    }

    /// SplitMix64 (Steele, Lea and Flood 2014): small, and the same everywhere.
    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_deals_the_same_faults() {
        let faults = Faults { seed: 7, per_thousand: 300, kinds: Fault::MILD.to_vec() };
        let deal = || {
            let mut dice = Dice::new(faults.clone());
            (0..1_000).map(|_| dice.deal()).collect::<Vec<_>>()
        };
        let dealt = deal();
        assert_eq!(dealt, deal());
        let struck = dealt.iter().flatten().count();
        assert!((250..350).contains(&struck), "{struck} of 1000");
    }

    #[test]
    fn ordered_faults_come_first_and_end() {
        let mut dice = Dice::new(Faults::none());
        dice.order(Fault::ServerError, 2);
        let dealt: Vec<_> = (0..3).map(|_| dice.deal()).collect();
        assert_eq!(dealt, [Some(Fault::ServerError), Some(Fault::ServerError), None]);
    }
}
