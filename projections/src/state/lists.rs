//! Many short lists in two flat arrays: one list per owner, newest first.
//!
//! A ledger of ten million subjects has tens of millions of small histories; a
//! `Vec` for each would cost more in headers than in content.

use std::io;

use super::digest::Digester;
use crate::snapshot::{Reader, Record, Writer, record};

/// The end of a list.
const NONE: u32 = u32::MAX;
/// How far into a list is read ahead: most are no longer.
const DEEP: usize = 2;

/// Lists of `T` by owner number.
#[derive(Clone, Debug)]
pub(crate) struct Lists<T> {
    heads: Vec<u32>,
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    value: T,
    next: u32,
}

record!(Node<T> { value, next });

impl<T: Record + Send> Lists<T> {
    pub(crate) fn write(&self, name: &str, to: &mut Writer<'_>) -> io::Result<()> {
        let Self { heads, nodes } = self;
        to.column(&format!("{name}.heads"), heads)?;
        to.column(&format!("{name}.nodes"), nodes)
    }

    pub(crate) fn read(name: &str, from: &Reader<'_>) -> io::Result<Self> {
        Ok(Self {
            heads: from.column(&format!("{name}.heads"))?,
            nodes: from.column(&format!("{name}.nodes"))?,
        })
    }
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self {
            heads: Vec::new(),
            nodes: Vec::new(),
        }
    }
}

impl<T> Lists<T> {
    /// Puts `value` at the front of the owner's list.
    pub(crate) fn push(&mut self, owner: u32, value: T) {
        let Ok(owner) = usize::try_from(owner) else {
            return;
        };
        if self.heads.len() <= owner {
            self.heads.resize(owner.saturating_add(1), NONE);
        }
        let node = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        if let Some(head) = self.heads.get_mut(owner) {
            let next = std::mem::replace(head, node);
            self.nodes.push(Node { value, next });
        }
    }

    /// The owner's list, newest first.
    pub(crate) fn of(&self, owner: Option<u32>) -> impl Iterator<Item = &T> {
        let head = owner
            .and_then(|owner| usize::try_from(owner).ok())
            .and_then(|owner| self.heads.get(owner))
            .copied()
            .unwrap_or(NONE);
        std::iter::successors(self.node(head), |node| self.node(node.next)).map(|node| &node.value)
    }

    /// Reads a little of the lists of these owners, all of them at a time, so that the
    /// memory they are in is near when they are read one by one; see
    /// [`super::State::anticipate`]. Returns something of what was read.
    pub(crate) fn touch(&self, owners: &[u32], mut value: impl FnMut(&T) -> u64) -> u64 {
        if self.nodes.is_empty() {
            return 0;
        }
        let mut read = 0;
        let heads = owners.iter().filter_map(|owner| {
            let owner = usize::try_from(*owner).ok()?;
            self.heads.get(owner).copied().filter(|head| *head != NONE)
        });
        let mut places: Vec<u32> = heads.collect();
        for _ in 0..DEEP {
            if places.is_empty() {
                break;
            }
            places.retain_mut(|place| {
                let Some(node) = self.node(*place) else {
                    return false;
                };
                read ^= value(&node.value);
                *place = node.next;
                node.next != NONE
            });
        }
        read
    }

    /// The same where no more is read than where the lists of these owners begin.
    pub(crate) fn touch_heads(&self, owners: &[u32]) -> u64 {
        let heads = owners.iter().filter_map(|owner| {
            let owner = usize::try_from(*owner).ok()?;
            self.heads.get(owner)
        });
        heads.fold(0, |read, head| read ^ u64::from(*head))
    }

    /// Everything, with its owner; newest first of each owner.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &T)> {
        let owners = (0_u32..).zip(&self.heads);
        owners.flat_map(|(owner, head)| {
            std::iter::successors(self.node(*head), |node| self.node(node.next))
                .map(move |node| (owner, &node.value))
        })
    }

    /// The first value of the owner's list for which `wanted` holds, to change.
    pub(crate) fn find_mut(
        &mut self,
        owner: u32,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> Option<&mut T> {
        let mut place = *self.heads.get(usize::try_from(owner).ok()?)?;
        loop {
            let index = usize::try_from(place).ok().filter(|_| place != NONE)?;
            let node = self.nodes.get(index)?;
            if wanted(&node.value) {
                return self.nodes.get_mut(index).map(|node| &mut node.value);
            }
            place = node.next;
        }
    }

    fn node(&self, place: u32) -> Option<&Node<T>> {
        if place == NONE {
            return None;
        }
        self.nodes.get(usize::try_from(place).ok()?)
    }

    /// Feeds everything into a digest: values in the order in which they were
    /// pushed, with their links, so that the owners are covered too.
    pub(crate) fn digest(&self, hasher: &mut Digester, mut value: impl FnMut(&T, &mut Digester)) {
        hasher.update(&count(self.heads.len()));
        for head in &self.heads {
            hasher.update(&head.to_le_bytes());
        }
        hasher.update(&count(self.nodes.len()));
        for node in &self.nodes {
            hasher.update(&node.next.to_le_bytes());
            value(&node.value, hasher);
        }
    }
}

/// A length as digest input.
pub(crate) fn count(length: usize) -> [u8; 8] {
    u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lists: &Lists<u8>, owner: u32) -> Vec<u8> {
        lists.of(Some(owner)).copied().collect()
    }

    #[test]
    fn each_owner_has_its_own_list_newest_first() {
        let mut lists = Lists::default();
        for (owner, value) in [(3, 1), (0, 2), (3, 3), (3, 4)] {
            lists.push(owner, value);
        }
        assert_eq!(of(&lists, 3), [4, 3, 1]);
        assert_eq!(of(&lists, 0), [2]);
        assert_eq!(of(&lists, 1), [0_u8; 0]);
        assert_eq!(of(&lists, 9), [0_u8; 0]);
        assert_eq!(lists.of(None).count(), 0);
        // Of each the two newest, and nothing of who has none.
        assert_eq!(lists.touch(&[3, 0, 1, 9], |v| 1 << *v), 0b1_1100);
        *lists.find_mut(3, |v| *v == 3).unwrap() = 9;
        assert_eq!(of(&lists, 3), [4, 9, 1]);
        assert!(lists.find_mut(3, |v| *v == 77).is_none());
        assert!(lists.find_mut(8, |_| true).is_none());
    }
}
