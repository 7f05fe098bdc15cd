//! What tells that two texts are nearly the same, as values: no text can be made of them again.
//!
//! They serve two questions about an item at hand: has the same been written elsewhere, and has its
//! author gone for the same person before. Numbers for persons are forgotten after [`KEPT_DAYS`] and until
//! then stand in the database under a secret that lies beside it; that two texts were alike, and by how
//! many authors, stays as long as the items. They hold no category, and nothing lists authors by them (*dataskyddslagen 3:3*, invariant 8).

use std::sync::Arc;

use super::category::Severity;
use super::ids::{AccountId, CaseId, ItemId};

/// How many keys a text is found by.
pub const N_BANDS: usize = 8;
/// How many values a sketch holds at most.
pub const SKETCH: usize = 64;
/// How far back the same text is looked for, in days.
pub const ALIKE_DAYS: u8 = 7;
/// How far back attacks on the same person are looked for, and how long all this is kept, in days.
pub const KEPT_DAYS: u8 = 30;

/// So many items alike are counted at most.
pub const ALIKE_COUNTED: u32 = 500;

/// The fingerprint of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    /// Keys of an index: nearly equal texts have at least one in common, with few exceptions.
    pub bands: [u64; N_BANDS],
    /// The smallest hashes of what the text is made of, in order, each once.
    pub sketch: Vec<u32>,
}

impl Print {
    /// How much two texts have in common of all that they are made of, in percent. Exact where
    /// both sketches hold everything, else a good estimate.
    pub fn likeness_percent(&self, other: &Self) -> u8 {
        let (a, b) = (&self.sketch, &other.sketch);
        let (mut i, mut j, mut both, mut either) = (0, 0, 0_usize, 0_usize);
        while either < SKETCH && (i < a.len() || j < b.len()) {
            either += 1;
            match (a.get(i), b.get(j)) {
                (Some(x), Some(y)) if x == y => {
                    both += 1;
                    i += 1;
                    j += 1;
                }
                (Some(x), Some(y)) if x > y => j += 1,
                (Some(_), _) => i += 1,
                (None, _) => j += 1,
            }
        }
        if either == 0 {
            return 0;
        }
        // At most 100.
        (both * 100 / either) as u8
    }

    /// The sketch as bytes, for keeping.
    pub fn sketch_bytes(&self) -> Vec<u8> {
        self.sketch.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    /// A sketch that was kept; the keys are not kept with it.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let (numbers, _) = bytes.as_chunks::<4>();
        let sketch = numbers.iter().take(SKETCH).map(|n| u32::from_le_bytes(*n)).collect();
        Self { bands: [0; N_BANDS], sketch }
    }
}

/// An earlier item whose text may be nearly the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierPrint {
    /// The item.
    pub item: ItemId,
    /// The account it stands on.
    pub account: AccountId,
    /// A number for its author; none where the platform gives none.
    pub author: Option<u64>,
    /// Its fingerprint.
    pub print: Print,
}

/// What assessing an item leaves behind for those after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// A number for the author.
    pub author: Option<u64>,
    /// The fingerprint; none of a text too short to tell anything.
    pub print: Option<Print>,
    /// Earlier items with nearly the same text.
    pub alike: Vec<ItemId>,
    /// Numbers for the persons whom the text goes for.
    pub targets: Vec<u64>,
    /// The rules that fired, each once, with the severity they have and whether in shadow.
    pub rules: Vec<RuleFired>,
}

/// One rule that fired on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFired {
    /// The rule.
    pub rule: Arc<str>,
    /// How grave what it finds is.
    pub severity: Severity,
    /// Counted, not shown.
    pub in_shadow: bool,
}

/// Items with nearly the same text as one at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike {
    /// How many others; [`ALIKE_COUNTED`] where there are that many or more.
    pub n_items: u64,
    /// On how many accounts, that of the item at hand included.
    pub n_accounts: u64,
    /// By how many authors as far as known, that of the item at hand included.
    pub n_authors: u64,
    /// Some of them, newest first.
    pub some: Vec<AlikeItem>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlikeItem {
    /// The item.
    pub item: ItemId,
    /// Its case, where it has one.
    pub case: Option<CaseId>,
    /// The name of the account.
    pub account: String,
    /// When it was written or, where that is unknown, fetched.
    pub at: jiff::Timestamp,
    /// Link to it.
    pub permalink: Option<String>,
}
