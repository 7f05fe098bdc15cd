//! The tree against a naive one that is the RFC's definition word by word, and against the known
//! heads of the Certificate Transparency project's eight leaves.

use std::convert::Infallible;

use proptest::prelude::*;

use crate::domain::ids::ContentHash;
use crate::domain::log::leaf_hash;
use crate::domain::tree::{
    Growing, Node, consistency, empty_root, goes_on, inclusion, leaves_of, n_nodes, node_hash,
    place, root, root_of_path,
};

/// MTH of RFC 9162 section 2.1.1.
fn naive(leaves: &[ContentHash]) -> ContentHash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let k = split(leaves.len());
            node_hash(naive(&leaves[..k]), naive(&leaves[k..]))
        }
    }
}

fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// PATH of section 2.1.3.1.
fn naive_path(m: usize, leaves: &[ContentHash]) -> Vec<ContentHash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (mut path, other) = if m < k {
        (naive_path(m, &leaves[..k]), naive(&leaves[k..]))
    } else {
        (naive_path(m - k, &leaves[k..]), naive(&leaves[..k]))
    };
    path.push(other);
    path
}

/// SUBPROOF of section 2.1.4.1.
fn naive_subproof(m: usize, leaves: &[ContentHash], whole: bool) -> Vec<ContentHash> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![naive(leaves)] };
    }
    let k = split(leaves.len());
    let (mut path, other) = if m <= k {
        (naive_subproof(m, &leaves[..k], whole), naive(&leaves[k..]))
    } else {
        (naive_subproof(m - k, &leaves[k..], false), naive(&leaves[..k]))
    };
    path.push(other);
    path
}

fn leaves(n: usize) -> Vec<ContentHash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

/// Perfect subtrees as a store keeps them: those that [`Growing`] tells of, by their places.
struct Kept {
    leaves: Vec<ContentHash>,
    nodes: Vec<ContentHash>,
}

impl Kept {
    fn new(leaves: Vec<ContentHash>) -> Self {
        let (mut growing, mut nodes) = (Growing::default(), Vec::new());
        for leaf in &leaves {
            growing.push(*leaf, |place, hash| {
                assert_eq!(place, nodes.len() as u64, "they come in the order of their places");
                nodes.push(hash);
            });
        }
        Self { leaves, nodes }
    }

    fn find(&self) -> impl FnMut(Node) -> Result<ContentHash, Infallible> {
        |node| {
            let kept = if node.level == 0 {
                self.leaves[node.at as usize]
            } else {
                self.nodes[place(node) as usize]
            };
            let first = (node.at << node.level) as usize;
            assert_eq!(kept, naive(&self.leaves[first..first + (1 << node.level)]), "{node:?}");
            Ok(kept)
        }
    }
}

fn done<T>(result: Result<T, Infallible>) -> T {
    result.unwrap_or_else(|never| match never {})
}

#[test]
fn the_known_heads_come_out() {
    let leaves: Vec<ContentHash> = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    .map(|leaf| leaf_hash(&hex::decode(leaf).unwrap()))
    .into();
    let heads = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let kept = Kept::new(leaves);
    for (n, head) in (1..).zip(heads) {
        assert_eq!(done(root(n, kept.find())).to_hex(), head, "{n} leaves");
    }
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(done(root(0, kept.find())).to_hex(), nothing);
}

#[test]
fn places_follow_each_other_and_lead_back_to_sizes() {
    let mut next = 0;
    for n in 0..300_u64 {
        assert_eq!(n_nodes(n), next, "{n} leaves");
        // The nth leaf completes as many levels as its number ends in ones.
        for level in 1..=n.trailing_ones() {
            assert_eq!(place(Node { level, at: n >> level }), next);
            next += 1;
        }
        assert!(n_nodes(leaves_of(next)) == next && leaves_of(next) > n, "{n} leaves");
    }
    assert_eq!(leaves_of(0), 1, "one leaf has no inner subtree");
    // Between two sizes: the third and fourth leaf bring places 1 and 2 at once.
    assert_eq!(leaves_of(2), 3);
}

#[test]
fn every_proof_of_small_trees_is_the_naive_one_and_holds() {
    let all = leaves(40);
    let kept = Kept::new(all.clone());
    for n in 1..=all.len() {
        let head = naive(&all[..n]);
        assert_eq!(done(root(n as u64, kept.find())), head);
        for m in 0..n {
            let path = done(inclusion(m as u64, n as u64, kept.find())).unwrap();
            assert_eq!(path, naive_path(m, &all[..n]), "leaf {m} of {n}");
            assert_eq!(root_of_path(all[m], m as u64, n as u64, &path), Some(head));
        }
        for m in 1..=n {
            let path = done(consistency(m as u64, n as u64, kept.find())).unwrap();
            assert_eq!(path, naive_subproof(m, &all[..n], true), "{m} to {n}");
            let old = (m as u64, naive(&all[..m]));
            assert!(goes_on(old, (n as u64, head), &path), "{m} to {n}");
        }
        assert!(goes_on((0, empty_root()), (n as u64, head), &[]));
    }
    assert_eq!(done(inclusion(40, 40, kept.find())), None);
    assert_eq!(done(consistency(41, 40, kept.find())), None);
}

proptest! {
    #[test]
    fn a_proof_that_was_changed_in_any_way_does_not_hold(
        n in 2_usize..200, at in any::<prop::sample::Index>(), how in 0..6, step in any::<prop::sample::Index>(),
    ) {
        let all = leaves(n);
        let kept = Kept::new(all.clone());
        let (m, n) = (at.index(n), n as u64);
        let head = naive(&all);
        let mut path = done(inclusion(m as u64, n, kept.find())).unwrap();
        let (mut leaf, mut index, mut size) = (all[m], m as u64, n);
        match how {
            0 => { let i = step.index(path.len()); path[i] = leaf_hash(path[i].bytes()); }
            1 => { path.pop(); }
            2 => path.push(leaf_hash(b"more")),
            3 => leaf = leaf_hash(leaf.bytes()),
            4 => index = (index + 1) % n,
            // The nearest size that asks for another way: the same way may lead there from others.
            _ => size = n * 2,
        }
        prop_assert_ne!(root_of_path(leaf, index, size, &path), Some(head));
    }

    #[test]
    fn a_log_that_was_rewritten_does_not_go_on(
        n in 2_usize..200, m in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
    ) {
        let all = leaves(n);
        let m = 1 + m.index(n - 1);
        let mut other = all.clone();
        let changed = at.index(m);
        other[changed] = leaf_hash(b"another");
        let kept = Kept::new(other.clone());
        let path = done(consistency(m as u64, n as u64, kept.find())).unwrap();
        let new = (n as u64, naive(&other));
        prop_assert!(goes_on((m as u64, naive(&other[..m])), new, &path));
        prop_assert!(!goes_on((m as u64, naive(&all[..m])), new, &path));
        for cut in 0..path.len() {
            prop_assert!(!goes_on((m as u64, naive(&other[..m])), new, &path[..cut]));
        }
    }
}
