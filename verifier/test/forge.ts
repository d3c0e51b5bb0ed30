// Export files made from nothing, with every hash right, for what only a forger
// could get wrong.

import { concat, u64s, utf8 } from "luzhang-verifier/bytes.js";
import { blockHash, eventHash, exportChecksum, genesisOf } from "luzhang-verifier/hash.js";

export const LEDGER = new Uint8Array(16).fill(7);

/** The smallest event: its position, its time, and whatever else. Both below 128. */
export function event(position: number, time: number, ...more: number[]): Uint8Array {
  return Uint8Array.of(0x08, position, 0x28, time, ...more);
}

/** `LedgerCreated`, which says so in field 20. */
export function created(ledger: Uint8Array): Uint8Array {
  return event(1, 1, 0xa2, 0x01, 18, 0x0a, 16, ...ledger);
}

export interface Block {
  events: Uint8Array[];
  /** The time of the last event. */
  time: number;
  /** Instead of the number of events; the chain leaves out those not counted. */
  count?: number;
  /** Instead of the hash of the event before. */
  before?: Uint8Array;
}

/** `seed` is the id that the genesis is made of, if not the header's. */
export function exportOf(ledger: Uint8Array, blocks: Block[], seed = ledger): Uint8Array {
  const parts = [utf8("LUZHANG EXPORT 1"), ledger];
  let chain = genesisOf(seed);
  let previous = chain;
  let next = 1;
  blocks.forEach(({ events, time, count = events.length, before = chain }, index) => {
    const frames: Uint8Array[] = [];
    chain = before;
    events.forEach((bytes, number) => {
      const hash = eventHash(chain, bytes);
      if (number < count) chain = hash;
      frames.push(u32s(bytes.length), hash.subarray(0, 8), bytes);
    });
    const length = concat(...frames).length;
    const numbers = u64s(BigInt(index + 1), BigInt(next), 1n, BigInt(time));
    const head = concat(u32s(0x0101, count), numbers, previous, before, chain, u32s(length), ...frames);
    previous = blockHash(head);
    parts.push(u32s(head.length + 32), head, previous);
    next += count;
  });
  parts.push(u32s(0), u64s(BigInt(next - 1), BigInt(blocks.length)), chain, previous);
  return concat(...parts, exportChecksum(...parts));
}

function u32s(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
