//! The work items.

use std::{hint::black_box, mem};

use luzhang_ledger::{
    Event, Hash, block::BlockBuilder, codec, hash::ChainHasher, verify::Verifier,
};
use luzhang_projections::{Command, State, projection::Projections};

/// Each against the same state.
pub(crate) fn decide(state: &State, commands: Vec<Command>) {
    for command in commands {
        black_box(luzhang_projections::decide(state, command).unwrap());
    }
}

pub(crate) fn encode(events: &[Event]) {
    let mut bytes = Vec::new();
    for event in events {
        bytes.clear();
        codec::encode(event, &mut bytes);
        black_box(&bytes);
    }
}

/// Into the chain.
pub(crate) fn hash(events: &[Vec<u8>]) {
    let mut hasher = ChainHasher::default();
    let mut chain = Hash::from_bytes([0; 32]);
    for event in events {
        chain = hasher.event(chain, event);
    }
    black_box(chain);
}

/// Encoded into blocks, hashed, and the blocks' own hashes.
pub(crate) fn seal(builder: BlockBuilder, events: &[Event]) {
    black_box(blocks(builder, events));
}

/// Blocks of these events.
pub(crate) fn blocks(mut builder: BlockBuilder, events: &[Event]) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    for event in events {
        if builder.push(event).unwrap().is_none() {
            blocks.push(builder.seal().bytes);
            builder.push(event).unwrap().unwrap();
        }
    }
    blocks.push(builder.seal().bytes);
    blocks
}

pub(crate) fn decode(events: &[Vec<u8>]) {
    for event in events {
        black_box(codec::decode(event).unwrap());
    }
}

/// Into all projections.
pub(crate) fn fold(mut projections: Projections, events: &[Event]) {
    for event in events {
        projections.apply(event);
    }
    // Its end is no part of a fold.
    mem::forget(black_box(projections));
}

pub(crate) fn verify(blocks: &[Vec<u8>]) {
    let mut verifier = Verifier::new(None);
    verifier.push(blocks).unwrap();
    black_box(verifier.head());
}
