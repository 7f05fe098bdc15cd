//! The Merkle tree over the log (RFC 9162 section 2.1, the same tree as RFC 6962's), as
//! arithmetic: heads, proofs, and how a proof is held against a head.
//!
//! A *perfect* subtree covers 2^level leaves and begins at a multiple of that; it never changes
//! once its last leaf is there, so it is hashed once and kept. Everything else is put together from
//! perfect subtrees, whoever keeps them: callers hand in a function that finds one.

use sha2::{Digest as _, Sha256};

use super::ids::ContentHash;

/// A perfect subtree: `level` 0 is a leaf, `at` counts subtrees of that level from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Height over the leaves.
    pub level: u32,
    /// How many of the same height stand to its left.
    pub at: u64,
}

/// The head of the tree without leaves: the hash of nothing.
pub fn empty_root() -> ContentHash {
    ContentHash::of(b"")
}

/// An inner node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: ContentHash, right: ContentHash) -> ContentHash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left.bytes());
    hasher.update(right.bytes());
    ContentHash::new(hasher.finalize().into())
}

/// How many inner perfect subtrees a log of `n` leaves has: one for each leaf, but for those that
/// still wait for a neighbour.
pub fn n_nodes(n: u64) -> u64 {
    n - u64::from(n.count_ones())
}

/// Where an inner perfect subtree is kept, counted from 0 in the order in which they come to be:
/// a log that grows only adds at the end.
pub fn place(node: Node) -> u64 {
    debug_assert!(node.level > 0, "leaves are kept by the log itself");
    let last_leaf = ((node.at + 1) << node.level) - 1;
    n_nodes(last_leaf) + u64::from(node.level) - 1
}

/// How many leaves a log has of which exactly `n` inner perfect subtrees are kept; where `n` is
/// between two sizes, the smaller.
pub fn leaves_of(n: u64) -> u64 {
    // `n_nodes` never falls, and n_nodes(m) ≥ m − 64.
    let (mut low, mut high) = (n, n + 64);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if n_nodes(middle) <= n { low = middle } else { high = middle - 1 }
    }
    // Several sizes may have as many (an odd one has none more than the even one before).
    low
}

/// The heads of perfect subtrees that a growing log still has to join, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growing {
    n: u64,
    heads: Vec<ContentHash>,
}

impl Growing {
    /// A log of `n` leaves, of which `find` gives the perfect subtrees.
    ///
    /// # Errors
    /// Those of `find`.
    pub fn of<E>(n: u64, find: impl FnMut(Node) -> Result<ContentHash, E>) -> Result<Self, E> {
        let heads = peaks(n).map(find).collect::<Result<_, _>>()?;
        Ok(Self { n, heads })
    }

    /// How many leaves.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Adds a leaf and hands each inner subtree that it completes to `done`, in the order of their
    /// places.
    pub fn push(&mut self, leaf: ContentHash, mut done: impl FnMut(u64, ContentHash)) {
        let mut place = n_nodes(self.n);
        let mut head = leaf;
        // As many neighbours wait as the number of leaves before ends in ones.
        for _ in 0..self.n.trailing_ones() {
            if let Some(left) = self.heads.pop() {
                head = node_hash(left, head);
                done(place, head);
                place += 1;
            }
        }
        self.heads.push(head);
        self.n += 1;
    }

    /// The head of the tree.
    pub fn root(&self) -> ContentHash {
        let mut heads = self.heads.iter().rev().copied();
        let Some(last) = heads.next() else { return empty_root() };
        heads.fold(last, |right, left| node_hash(left, right))
    }
}

/// The largest perfect subtrees of a log of `n` leaves, from the left.
fn peaks(n: u64) -> impl Iterator<Item = Node> {
    (0..u64::BITS).rev().filter(move |level| n >> level & 1 == 1).map(move |level| {
        // What stands to the left are the larger ones.
        let before = n & !((1 << level) | ((1 << level) - 1));
        Node { level, at: before >> level }
    })
}

/// The head of the tree over the first `n` leaves.
///
/// # Errors
/// Those of `find`.
pub fn root<E>(n: u64, find: impl FnMut(Node) -> Result<ContentHash, E>) -> Result<ContentHash, E> {
    Ok(Growing::of(n, find)?.root())
}

/// The hash over the leaves from `low` up to `high`: both as the tree splits them.
fn range<E>(
    low: u64,
    high: u64,
    find: &mut impl FnMut(Node) -> Result<ContentHash, E>,
) -> Result<ContentHash, E> {
    let n = high - low;
    if n.is_power_of_two() {
        let level = n.trailing_zeros();
        return find(Node { level, at: low >> level });
    }
    let split = low + left_part(n);
    let left = range(low, split, find)?;
    Ok(node_hash(left, range(split, high, find)?))
}

/// The largest power of two below `n`, which is at least two.
fn left_part(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

/// The hashes that lead from leaf `index` (from 0) to the head over `n` leaves, from below. None
/// where there is no such leaf.
///
/// # Errors
/// Those of `find`.
pub fn inclusion<E>(
    index: u64,
    n: u64,
    mut find: impl FnMut(Node) -> Result<ContentHash, E>,
) -> Result<Option<Vec<ContentHash>>, E> {
    if index >= n {
        return Ok(None);
    }
    let (mut low, mut high) = (0, n);
    let mut path = Vec::new();
    while high - low > 1 {
        let split = low + left_part(high - low);
        if index < split {
            path.push(range(split, high, &mut find)?);
            high = split;
        } else {
            path.push(range(low, split, &mut find)?);
            low = split;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// The hashes that show that the tree over `n` leaves goes on from the one over its first `m`. None
/// where `m` is larger than `n`.
///
/// # Errors
/// Those of `find`.
pub fn consistency<E>(
    m: u64,
    n: u64,
    mut find: impl FnMut(Node) -> Result<ContentHash, E>,
) -> Result<Option<Vec<ContentHash>>, E> {
    if m > n {
        return Ok(None);
    }
    if m == 0 || m == n {
        // Every tree goes on from the empty one, and is itself.
        return Ok(Some(Vec::new()));
    }
    let (mut low, mut high) = (0, n);
    let mut path = Vec::new();
    // Whether the part at hand begins where the older tree does, whose head is known.
    let mut whole = true;
    while m < high {
        let split = low + left_part(high - low);
        if m <= split {
            path.push(range(split, high, &mut find)?);
            high = split;
        } else {
            path.push(range(low, split, &mut find)?);
            low = split;
            whole = false;
        }
    }
    if !whole {
        path.push(range(low, high, &mut find)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// The head that a leaf's path leads to (RFC 9162 section 2.1.3.2); none where the path is not of
/// the length that the place asks for.
pub fn root_of_path(
    leaf: ContentHash,
    index: u64,
    n: u64,
    path: &[ContentHash],
) -> Option<ContentHash> {
    if index >= n {
        return None;
    }
    let (mut at, mut last) = (index, n - 1);
    let mut head = leaf;
    for step in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            head = node_hash(*step, head);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            head = node_hash(head, *step);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(head)
}

/// Whether a path shows that `new_root` over `n` leaves goes on from `old_root` over `m` (RFC 9162
/// section 2.1.4.2).
pub fn goes_on(
    (m, old_root): (u64, ContentHash),
    (n, new_root): (u64, ContentHash),
    path: &[ContentHash],
) -> bool {
    if m > n {
        return false;
    }
    if m == n {
        return path.is_empty() && old_root == new_root;
    }
    if m == 0 {
        return path.is_empty() && old_root == empty_root();
    }
    let mut steps = path.iter().copied();
    let first = if m.is_power_of_two() { Some(old_root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (m - 1, n - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (first, first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old = node_hash(step, old);
            new = node_hash(step, new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(new, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old == old_root && new == new_root
}
