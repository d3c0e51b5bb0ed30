//! RFC 6962, section 2.1, word by word: recursive, and slow.

use sha2::{Digest as _, Sha256};

/// A node, in the model.
pub type Digest = [u8; 32];

fn hash(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// `SHA-256(00 ‖ data)`.
pub fn leaf(data: &[u8]) -> Digest {
    hash(&[&[0], data])
}

fn parent(left: Digest, right: Digest) -> Digest {
    hash(&[&[1], &left, &right])
}

/// The largest power of two smaller than `n`, for `n > 1`.
fn largest_below(n: u64) -> u64 {
    let mut k = 1;
    while k < n - k {
        k *= 2;
    }
    k
}

fn split<T>(data: &[T]) -> (&[T], &[T]) {
    let k = largest_below(data.len() as u64);
    data.split_at(usize::try_from(k).unwrap())
}

/// The Merkle tree hash over leaves that are hashed already.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => hash(&[]),
        [only] => *only,
        [..] => {
            let (left, right) = split(leaves);
            parent(root(left), root(right))
        }
    }
}

/// `PATH(m, D)`: for the leaf at `m`.
pub fn path(m: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = split(leaves);
    let (mut nodes, sibling) = if m < left.len() {
        (path(m, left), root(right))
    } else {
        (path(m - left.len(), right), root(left))
    };
    nodes.push(sibling);
    nodes
}

/// `PROOF(m, D)`: that the first `m` are the beginning; `0 < m`.
pub fn proof(m: usize, leaves: &[Digest]) -> Vec<Digest> {
    subproof(m, leaves, true)
}

fn subproof(m: usize, leaves: &[Digest], known: bool) -> Vec<Digest> {
    if m == leaves.len() {
        return if known {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let (left, right) = split(leaves);
    let (mut nodes, other) = if m <= left.len() {
        (subproof(m, left, known), root(right))
    } else {
        (subproof(m - left.len(), right, false), root(left))
    };
    nodes.push(other);
    nodes
}

/// The root that a path leads to, if it is as long as it must be.
pub fn climb(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    if size == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (sibling, path) = path.split_last()?;
    let k = largest_below(size);
    Some(if index < k {
        parent(climb(leaf, index, k, path)?, *sibling)
    } else {
        parent(*sibling, climb(leaf, index - k, size - k, path)?)
    })
}

/// Whether a path proves the leaf to be under the root.
pub fn includes(leaf: Digest, index: u64, size: u64, root: Digest, path: &[Digest]) -> bool {
    index < size && climb(leaf, index, size, path) == Some(root)
}

/// The two roots that a consistency proof leads to, for `0 < m < n`.
pub fn roots(m: u64, n: u64, known: Option<Digest>, proof: &[Digest]) -> Option<(Digest, Digest)> {
    if m == n {
        let same = match (known, proof) {
            (Some(root), []) => Some(root),
            (None, [root]) => Some(*root),
            (Some(_) | None, [..]) => None,
        }?;
        return Some((same, same));
    }
    let (other, proof) = proof.split_last()?;
    let k = largest_below(n);
    Some(if m <= k {
        let (old, new) = roots(m, k, known, proof)?;
        (old, parent(new, *other))
    } else {
        let (old, new) = roots(m - k, n - k, None, proof)?;
        (parent(*other, old), parent(*other, new))
    })
}

/// A size and a root.
pub type Head = (u64, Digest);

/// Whether a proof shows the old tree to be the beginning of the new one.
pub fn continues((m, old): Head, (n, new): Head, proof: &[Digest]) -> bool {
    let empty = hash(&[]);
    if m > n || (m == 0 && old != empty) || (n == 0 && new != empty) {
        return false;
    }
    if m == 0 || m == n {
        return proof.is_empty() && (m == 0 || old == new);
    }
    roots(m, n, Some(old), proof) == Some((old, new))
}
