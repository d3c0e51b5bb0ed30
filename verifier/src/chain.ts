// The export file and the chain in it. The numbers are the steps of FORMAT.md
// section 6; their order decides what a damaged file is called.

import { concat, equal, i64, startsWith, u32, u64, u64s, utf8 } from "./bytes.js";
import { beginning, ledgerCreated, recordedAt } from "./event.js";
import { blockHash, eventHash, exportChecksum, genesisOf } from "./hash.js";
import { Frontier } from "./tree.js";
import { Fault, type Verdict, finding } from "./verdict.js";

/** What is known from elsewhere, and must be found in the chain. */
export interface Anchors {
  /** The hash of an event, and its position if that is known. */
  head?: { hash: Uint8Array; position?: bigint | undefined } | undefined;
  /** What a checkpoint that was verified says. One of size 0 says nothing. */
  checkpoint?: { size: bigint; root: Uint8Array } | undefined;
}

export interface ChainReport {
  verdict: Verdict;
  /** Events in whole blocks that hold. */
  events: bigint;
  /** The hash of the last of them. */
  chainHead: Uint8Array | null;
  /** Of the first event that is missing or bad. */
  firstBadPosition: bigint | null;
  place: string | null;
  detail: string | null;
}

const MAGIC = utf8("LUZHANG EXPORT 1");
const FILE_HEADER = 32;
const BLOCK_HEADER = 140;
const FRAME_HEADER = 12;
const HASH = 32;
const SHORTEST_BLOCK = BLOCK_HEADER + HASH;
const LONGEST_BLOCK = 122_880;
/** Without the end mark; the checksum is its last 32 bytes. */
const TRAILER = 112;
const UNSUMMED_TRAILER = TRAILER - HASH;

/** Verifies a whole export file. Never throws. */
export function verifyChain(file: Uint8Array, anchors: Anchors = {}): ChainReport {
  const chain = new Chain(anchors);
  const report = (verdict: Verdict): ChainReport => ({
    verdict,
    events: chain.head?.events ?? 0n,
    chainHead: chain.head?.chain ?? null,
    firstBadPosition: null,
    place: null,
    detail: null,
  });
  try {
    readFile(file, chain);
    const anchored = chain.anchors.finish(chain.next);
    return report(chain.head === null ? "empty" : anchored ? "intact" : "self_consistent");
  } catch (error) {
    const fault = Fault.of(error);
    const firstBadPosition = typeof fault.place === "bigint" ? fault.place : null;
    return { ...report(fault.verdict), ...finding(fault), firstBadPosition };
  }
}

/** How far the chain has come: what the next block must continue. */
interface Head {
  events: bigint;
  blocks: bigint;
  chain: Uint8Array;
  block: Uint8Array;
  epoch: bigint;
  time: bigint;
}

function genesis(ledger: Uint8Array): Head {
  const hash = genesisOf(ledger);
  return { events: 0n, blocks: 0n, chain: hash, block: hash, epoch: 0n, time: 0n };
}

function tampered(place: bigint | string, detail: string): Fault {
  return new Fault("tampered", place, detail);
}

function readFile(file: Uint8Array, chain: Chain): void {
  if (file.length < FILE_HEADER || !startsWith(file, MAGIC)) /* 1 */ {
    throw new Fault("unreadable", "file header", "this is not a luzhang export");
  }
  const named = file.subarray(MAGIC.length, FILE_HEADER);
  // What the trailer should say by now, up to its checksum.
  const trailer = (): Uint8Array => {
    const head = chain.head ?? genesis(named);
    return concat(u64s(head.events, head.blocks), head.chain, head.block);
  };
  const cut = (): Fault => new Fault("truncated", chain.next, "the file ends before its trailer");

  let at = FILE_HEADER;
  for (;;) {
    if (file.length - at < 4) /* 2 */ throw cut();
    const length = u32(file, at);
    at += 4;
    if (length === 0) break;
    const rest = file.subarray(at);
    if (rest.length === TRAILER && startsWith(rest, trailer())) /* 3 */ {
      throw tampered("file trailer", "the end mark before the trailer was changed");
    }
    const stated = rest.length < BLOCK_HEADER ? length : SHORTEST_BLOCK + u32(rest, 136);
    if (length < SHORTEST_BLOCK || length > LONGEST_BLOCK || length !== stated) /* 4 */ {
      throw tampered(chain.next, "the length of a block is not the one in it, or none that a block has");
    }
    if (rest.length < length) /* 5 */ throw cut();
    chain.push(rest.subarray(0, length));
    at += length;
  }

  const rest = file.subarray(at);
  if (rest.length < TRAILER) /* 14 */ throw cut();
  const sum = exportChecksum(file.subarray(0, at + UNSUMMED_TRAILER));
  const summed = equal(sum, rest.subarray(UNSUMMED_TRAILER, TRAILER));
  const more = rest.length > TRAILER;
  if (!summed && more) /* 15 */ {
    throw tampered(chain.next, "the length of a block was changed to zero, which marks the end");
  }
  if (namesAnotherLedger(named, chain, rest)) /* 16 */ {
    throw tampered("file header", "the file header names another ledger than the chain");
  }
  if (!summed) /* 17 */ throw tampered("file trailer", "the checksum of the file is wrong");
  const [events, blocks] = [chain.head?.events ?? 0n, chain.head?.blocks ?? 0n];
  if (u64(rest, 0) > events || u64(rest, 8) > blocks) /* 18 */ {
    throw new Fault("truncated", chain.next, "the trailer counts more than the file holds");
  }
  if (more || !startsWith(rest, trailer())) /* 19 */ {
    throw tampered("file trailer", "the trailer does not describe the blocks, or is not the end");
  }
}

/** Of an empty ledger only the trailer speaks: twice the genesis, of some id. */
function namesAnotherLedger(named: Uint8Array, chain: Chain, trailer: Uint8Array): boolean {
  if (chain.ledger !== null) return !equal(named, chain.ledger);
  const [last, block] = [trailer.subarray(16, 48), trailer.subarray(48, 80)];
  return equal(last, block) && !equal(last, genesisOf(named));
}

/** Takes the blocks in order. */
class Chain {
  /** Of the last block that holds. */
  head: Head | null = null;
  /** The id in the first event. */
  ledger: Uint8Array | null = null;
  readonly anchors: Anchoring;

  constructor(anchors: Anchors) {
    this.anchors = new Anchoring(anchors);
  }

  /** The position of the next event. */
  get next(): bigint {
    return (this.head?.events ?? 0n) + 1n;
  }

  /** Steps 6 to 13 for a block whose length is right. */
  push(block: Uint8Array): void {
    const next = this.next;
    const need = (holds: boolean, detail: string): void => {
      if (!holds) throw tampered(next, detail);
    };
    const hashAt = (at: number): Uint8Array => block.subarray(at, at + HASH);
    const end = block.length - HASH;
    const count = u32(block, 4);
    const height = u64(block, 8);
    const epoch = u64(block, 24);
    const time = i64(block, 32);

    need(startsWith(block, Uint8Array.of(1, 1, 0, 0)), "the block has another version"); // 6
    need(count > 0 && height > 0n, "the block has no events or no height");
    need(u64(block, 16) === next, "the block does not begin where the last one ended");

    const { hashes, first, last } = readFrames(block.subarray(BLOCK_HEADER, end), count, next, hashAt(72)); // 7, 8
    const chain = hashes.at(-1)!;
    need(equal(chain, hashAt(104)), "the block's chain hash does not follow from its events"); // 9
    need(equal(blockHash(block.subarray(0, end)), hashAt(end)), "the block does not match its hash"); // 10
    need(recordedAt(last) === time, "the block's time is not that of its last event"); // 11

    const ledger = this.ledger ?? ledgerCreated(first); // 12
    if (ledger === undefined) throw tampered(next, "the first event is not LedgerCreated");
    const head = this.head ?? genesis(ledger);

    need(height === head.blocks + 1n, "a block is missing or out of order"); // 13
    need(equal(hashAt(40), head.block), "the block does not follow the block before");
    need(equal(hashAt(72), head.chain), "the block does not continue the chain");
    need(epoch >= head.epoch && time > head.time, "time or epoch runs backwards");

    this.anchors.see(next, hashes);
    this.ledger = ledger;
    const events = head.events + BigInt(count);
    this.head = { events, blocks: height, chain, block: hashAt(end), epoch, time };
  }
}

/** The hash of every event of a block, and the bytes of its first and last one. */
function readFrames(frames: Uint8Array, count: number, start: bigint, before: Uint8Array) {
  const hashes: Uint8Array[] = [];
  let [first, last] = [before, before];
  let chain = before;
  let at = 0;
  for (let position = start; position < start + BigInt(count); position += 1n) {
    const left = frames.length - at;
    if (left === 0) throw tampered(start, "the block counts more events than it holds");
    if (left < FRAME_HEADER || left - FRAME_HEADER < u32(frames, at)) {
      throw tampered(position, "the event does not fit into its block");
    }
    const event = frames.subarray(at + FRAME_HEADER, at + FRAME_HEADER + u32(frames, at));
    chain = eventHash(chain, event);
    if (!startsWith(chain, frames.subarray(at + 4, at + FRAME_HEADER))) {
      throw tampered(position, "the event's bytes do not match its hash");
    }
    if (!startsWith(event, beginning(position))) {
      throw tampered(position, "the event says that it stands elsewhere");
    }
    hashes.push(chain);
    if (position === start) first = event;
    last = event;
    at += FRAME_HEADER + event.length;
  }
  if (at < frames.length) throw tampered(start, "the block holds more events than it counts");
  return { hashes, first, last };
}

/** Looks for the anchors in the chain as it comes by. */
class Anchoring {
  readonly #head: Anchors["head"];
  readonly #checkpoint: Anchors["checkpoint"];
  readonly #tree = new Frontier();
  #headMet = false;

  constructor({ head, checkpoint }: Anchors) {
    this.#head = head;
    this.#checkpoint = checkpoint && checkpoint.size > 0n ? checkpoint : undefined;
  }

  /** The hashes of a block that holds. */
  see(first: bigint, hashes: Uint8Array[]): void {
    hashes.forEach((hash, index) => {
      const position = first + BigInt(index);
      this.#seeHead(position, hash);
      this.#seeCheckpoint(position, hash);
    });
  }

  #seeHead(position: bigint, hash: Uint8Array): void {
    if (this.#head === undefined || (this.#head.position ?? position) !== position) return;
    if (equal(hash, this.#head.hash)) this.#headMet = true;
    else if (this.#head.position !== undefined) {
      throw new Fault("forked", position, "the event at the anchor's position has another hash");
    }
  }

  /** A chain hash covers all events before it, as a root does. So if the roots
   *  differ, the event at the checkpoint's size has another hash too. */
  #seeCheckpoint(position: bigint, hash: Uint8Array): void {
    if (this.#checkpoint === undefined || position > this.#checkpoint.size) return;
    this.#tree.append(hash);
    if (position === this.#checkpoint.size && !equal(this.#tree.root(), this.#checkpoint.root)) {
      throw new Fault("forked", position, "the events up to here have another root than the checkpoint's");
    }
  }

  /** After the last event: whether there were anchors, all of them met. */
  finish(next: bigint): boolean {
    const missing = (detail: string): Fault => new Fault("truncated", next, detail);
    if (this.#checkpoint !== undefined && this.#tree.size < this.#checkpoint.size) {
      throw missing(`the chain ends before the ${this.#checkpoint.size} events of the checkpoint`);
    }
    if (this.#head !== undefined && !this.#headMet) {
      if (this.#head.position !== undefined) throw missing("the chain ends before the anchor's position");
      if (next === 1n) throw missing("nothing is left of what the anchor saw");
      throw new Fault("forked", "ledger", "no event of this chain has the anchor's hash");
    }
    return this.#head !== undefined || this.#checkpoint !== undefined;
  }
}
