//! A checkpoint of checkpoints: a tree whose leaves are what the ledgers signed.

use luzhang_ledger::{
    Body, Position,
    log::Reader,
    proof::{
        Node, Policy, SignedCheckpoint, SigningKey, TreeHead,
        note::{KeyName, Purpose},
        tile::TiledTree,
        tree::{self, Leaf, Nodes},
    },
};
use luzhang_server::{
    proofs::{self, Form},
    replay::each_event,
};

use crate::{
    commands::fresh_id,
    go_between::{Crash, GoBetween, Outcome},
    province::{Claim, DAYS, Province},
    site::test,
};

/// The tree, and what each ledger had signed last.
struct Roots {
    key: SigningKey,
    leaves: Vec<Node>,
    newest: Vec<Option<TreeHead>>,
}

/// Why a checkpoint does not become a leaf.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    /// Nobody that is known signed it.
    Unknown,
    /// It does not continue what its ledger signed before.
    Forked,
}

impl Roots {
    fn new(ledgers: usize) -> Self {
        let name = KeyName::new("province.example/roots").unwrap();
        Self {
            key: SigningKey::from_seed(name, Purpose::Author, &[9; 32]),
            leaves: Vec::new(),
            newest: vec![None; ledgers],
        }
    }

    /// Takes what a ledger signed, if it continues what it signed before: whoever keeps
    /// this tree is a witness of every ledger.
    fn take(
        &mut self,
        ledger: usize,
        signed: &SignedCheckpoint,
        policy: &Policy,
        proof: &[Node],
    ) -> Result<u64, Refused> {
        policy.check(signed).map_err(|_| Refused::Unknown)?;
        let head = signed.head();
        if let Some(old) = &self.newest[ledger] {
            tree::verify_consistency(old, &head, proof).map_err(|_| Refused::Forked)?;
        }
        self.newest[ledger] = Some(head);
        self.leaves.push(Node::leaf(signed.to_string().as_bytes()));
        Ok(u64::try_from(self.leaves.len() - 1).unwrap())
    }

    fn head(&mut self) -> TreeHead {
        let size = u64::try_from(self.leaves.len()).unwrap();
        let root = tree::root(self, size).unwrap();
        TreeHead { size, root }
    }

    fn signed(&mut self) -> SignedCheckpoint {
        let head = self.head();
        SignedCheckpoint::sign(head, &[&self.key]).unwrap()
    }
}

impl Nodes for Roots {
    type Error = std::convert::Infallible;

    fn node(&mut self, height: u32, index: u64) -> Result<Node, Self::Error> {
        if height == 0 {
            return Ok(self.leaves[usize::try_from(index).unwrap()]);
        }
        let left = self.node(height - 1, 2 * index)?;
        let right = self.node(height - 1, 2 * index + 1)?;
        Ok(Node::parent(left, right))
    }
}

#[test]
fn a_payment_anywhere_is_under_one_root_and_a_fork_never_is() {
    test(async {
        let province = Province::new(3, 6, 1_000_000).await;
        let mut roots = Roots::new(3);
        let mut seen = Vec::new();
        for (round, day) in DAYS.into_iter().enumerate().take(3) {
            let going = GoBetween {
                province: &province,
                crash: Crash::Never,
            };
            for person in 0..6 {
                let claim = Claim {
                    request: fresh_id(),
                    number: format!("R{round}-{person}"),
                    person,
                    day,
                    office: 510_502 + person % 3,
                };
                let outcome = going.claim(&claim).await.unwrap();
                let Outcome::Granted(_, paid) = outcome else {
                    panic!("{outcome:?}");
                };
                seen.push((province.place_of(claim.office), paid));
            }
            for (number, place) in province.places.iter().enumerate() {
                let engine = &place.site().unwrap().engine;
                let end = engine.head().position.unwrap();
                let signed = engine.checkpoint(end).await.unwrap();
                let policy = trust(&**engine.reader());
                let head = signed.head();
                let old = roots.newest[number].as_ref().map_or(0, |old| old.size);
                let tiles = engine.tree().unwrap().tiles.clone();
                let proof =
                    tree::consistency(&mut TiledTree::new(&tiles, head.size), old, head.size);
                let leaf = roots.take(number, &signed, &policy, &proof.unwrap());
                assert_eq!(leaf, Ok(u64::try_from(3 * round + number).unwrap()));
            }
        }
        let root = roots.signed();
        // What is under it grows, and nothing before it changes.
        let older = {
            let size = 4;
            let root = tree::root(&mut roots, size).unwrap();
            TreeHead { size, root }
        };
        let newest = root.head();
        let proof = tree::consistency(&mut roots, older.size, newest.size).unwrap();
        tree::verify_consistency(&older, &newest, &proof).unwrap();

        // Of each payment: event, its ledger's checkpoint, the one root.
        for (place, position) in seen {
            let engine = &province.places[place].site().unwrap().engine;
            let at = Position::new(position).unwrap();
            let receipt = proofs::receipt(engine, at, Form::Hash).await.unwrap();
            let newest = engine.tree().unwrap().published().unwrap();
            receipt.prove(newest.head()).unwrap();
            let index = u64::try_from(6 + place).unwrap();
            let path = tree::inclusion(&mut roots, index, root.head().size).unwrap();
            let leaf = Leaf {
                index,
                node: Node::leaf(newest.to_string().as_bytes()),
            };
            tree::verify_inclusion(leaf, &path, &root.head()).unwrap();
            // Of another ledger it is not.
            let other = Leaf {
                index: (index - 6 + 1) % 3 + 6,
                ..leaf
            };
            tree::verify_inclusion(other, &path, &root.head()).unwrap_err();
        }

        // A ledger with another history, under its own key, is not let in.
        let engine = &province.places[0].site().unwrap().engine;
        let newest = engine.tree().unwrap().published().unwrap();
        let forged_key = SigningKey::from_seed(
            KeyName::new(newest.checkpoint().origin.clone()).unwrap(),
            Purpose::Author,
            &[3; 32],
        );
        let forked = TreeHead {
            size: newest.head().size + 1,
            root: Node::leaf(b"another history"),
        };
        let forked = SignedCheckpoint::sign(forked, &[&forged_key]).unwrap();
        let before = roots.leaves.len();
        let policy = trust(&**engine.reader());
        assert_eq!(roots.take(0, &forked, &policy, &[]), Err(Refused::Unknown));
        let own = Policy::of_key(forged_key.verifier().clone());
        assert_eq!(roots.take(0, &forked, &own, &[]), Err(Refused::Forked));
        assert_eq!(roots.leaves.len(), before);
    });
}

/// The key that a ledger's log names.
fn trust(log: &dyn Reader) -> Policy {
    let mut key = None;
    for block in log.blocks_from(Position::FIRST) {
        let read = each_event(&block.unwrap(), |_, event, _| {
            if let Body::CheckpointKeyAdopted(adoption) = &event.body {
                key = Some(adoption.key.clone());
            }
        });
        read.unwrap();
    }
    Policy::of_key(key.unwrap())
}
