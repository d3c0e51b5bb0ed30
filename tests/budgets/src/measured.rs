//! What is counted: each function by its name, with all that it calls. Whatever it is
//! given it drops, as whoever does the work has to.

use std::hint::black_box;

use luzhang_ledger::{Event, block::BlockBuilder};
use luzhang_projections::{Command, State, projection::Projections};

use crate::work;

/// Functions that do the same are one to the compiler, unless they say who they are.
macro_rules! measured {
    ($($name:ident => $work:ident($($given:ident: $kind:ty),*);)*) => {$(
        #[inline(never)]
        pub(crate) fn $name($($given: $kind),*) {
            begin(stringify!($name));
            work::$work($($given),*);
        }
    )*};
}

/// Ends the preparation: counts are written down, and begin anew, whenever a function
/// of this file ends.
#[inline(never)]
fn begin(item: &str) {
    black_box(item);
}

measured! {
    decide_grant => decide(state: &State, commands: Vec<Command>);
    decide_refusal => decide(state: &State, commands: Vec<Command>);
    encode_grant => encode(events: &[Event]);
    encode_refusal => encode(events: &[Event]);
    hash_grant => hash(events: &[Vec<u8>]);
    seal_grant => seal(builder: BlockBuilder, events: &[Event]);
    decode_grant => decode(events: &[Vec<u8>]);
    decode_refusal => decode(events: &[Vec<u8>]);
    fold_grant => fold(projections: Projections, events: &[Event]);
    fold_refusal => fold(projections: Projections, events: &[Event]);
    verify_grant => verify(blocks: &[Vec<u8>]);
}
