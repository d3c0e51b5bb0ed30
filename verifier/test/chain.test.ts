import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, fromHex, hex } from "luzhang-verifier/bytes.js";
import { type Anchors, verifyChain } from "luzhang-verifier/chain.js";
import { blockHash, exportChecksum } from "luzhang-verifier/hash.js";
import { type Block, LEDGER, created, event, exportOf } from "./forge.js";
import { HASHES, fixture, flipped, naiveRoot } from "./support.js";

const FILE = fixture("v1/ledger.luzhang-export");
const LIFE = fixture("v1-life/ledger.luzhang-export");
/** The end mark and the trailer. */
const END = 116;
/** FORMAT.md section 10: `export-0`. */
const EMPTY = fromHex(
  "4c555a48414e47204558504f52542031" +
    "0198c5a27d0070008000000000000001" +
    "00".repeat(20) +
    "a8aa651b626f8c0365ccf888b0c1a2c07f8cd7650959d55abf0275eb443bdf52".repeat(2) +
    "e59e22d2a17e70e3d455f4e02fd00fed1159ec8f7cb43fc34bb90538d5e28e63",
  148,
)!;

/** Of each block: where it begins, and its first event. */
const BLOCKS: { at: number; first: number }[] = [];
for (let at = 36; at < FILE.length - END + 4; at += 4 + Buffer.from(FILE).readUInt32LE(at - 4)) {
  BLOCKS.push({ at, first: Buffer.from(FILE).readUInt32LE(at + 16) });
}
const LAST = BLOCKS.at(-1)!.at;

/** Bytes written over the file, and the hashes from there on recomputed: of the
 *  last block, of the trailer, of the file. */
function forged(at: number, ...bytes: number[]): Uint8Array {
  const file = Uint8Array.from(FILE);
  file.set(bytes, at);
  const end = file.length - END;
  if (at < end) {
    file.set(blockHash(file.subarray(LAST, end - 32)), end - 32);
    file.set(file.subarray(end - 32, end), end + 52);
  }
  file.set(exportChecksum(file.subarray(0, -32)), file.length - 32);
  return file;
}

test("the fixtures of version 1 are consistent", () => {
  const report = verifyChain(FILE);
  assert.deepEqual([report.verdict, report.events, report.place], ["self_consistent", 29n, null]);
  assert.equal(hex(report.chainHead!), "662c1c0bf3ca35722842ab6a8e90d85883f87aeff1073207e290941b23b6ec41");
  assert.deepEqual(BLOCKS.map(({ first }) => first), [1, 2, 9, 16, 23, 29]);
  const life = verifyChain(LIFE);
  assert.deepEqual([life.verdict, life.events], ["self_consistent", 45n]);
  assert.equal(verifyChain(EMPTY).verdict, "empty");
});

test("a changed byte is found, and in the right block", () => {
  // All of the trailer and of the beginning; a step that is prime to any alignment between.
  for (let at = 0; at < FILE.length; at += at < 400 || at >= FILE.length - END ? 1 : 5) {
    const { verdict, place, firstBadPosition: bad } = verifyChain(flipped(FILE, at, at % 8));
    const message = `byte ${at}: ${verdict} at ${place}`;
    assert.equal(verdict, at < 16 ? "unreadable" : "tampered", message);
    const block = BLOCKS.findIndex((_, index) => at < (BLOCKS[index + 1]?.at ?? FILE.length - END + 4) - 4);
    if (at < 32) assert.equal(place, "file header", message);
    else if (block < 0) assert.equal(place, "file trailer", message);
    else assert(BLOCKS[block]!.first <= bad! && bad! < (BLOCKS[block + 1]?.first ?? 30), message);
  }
  for (const [file, step] of [[LIFE, 7], [EMPTY, 1]] as const) {
    for (let at = 0; at < file.length; at += step) {
      assert.match(verifyChain(flipped(file, at)).verdict, at < 16 ? /unreadable/ : /tampered/, `byte ${at}`);
    }
  }
});

test("a cut is found, and names the first event that is missing", () => {
  for (let length = 0; length < FILE.length; length += 5) {
    const { verdict, firstBadPosition } = verifyChain(FILE.subarray(0, length));
    const missing = BLOCKS.find((_, index) => length < (BLOCKS[index + 1]?.at ?? FILE.length - END + 4) - 4);
    const expected = length < 32 ? ["unreadable", null] : ["truncated", BigInt(missing?.first ?? 30)];
    assert.deepEqual([verdict, firstBadPosition], expected, `cut at ${length}`);
  }
});

test("recomputed hashes do not excuse a broken rule", () => {
  const end = FILE.length - END;
  const longer = concat(FILE, Uint8Array.of(0));
  const rows: [string, Uint8Array, string, string][] = [
    ["nothing", forged(LAST, 1), "self_consistent", "null"],
    ["version", forged(LAST, 2), "tampered", "event 29"],
    ["algorithm", forged(LAST + 1, 2), "tampered", "event 29"],
    ["zeros", forged(LAST + 3, 1), "tampered", "event 29"],
    ["no events", forged(LAST + 4, 0), "tampered", "event 29"],
    ["another count", forged(LAST + 4, 2), "tampered", "event 29"],
    ["height", forged(LAST + 8, 9), "tampered", "event 29"],
    ["first position", forged(LAST + 16, 28), "tampered", "event 29"],
    ["epoch that falls", forged(LAST + 24, 0), "tampered", "event 29"],
    ["time of its own", forged(LAST + 32, 0), "tampered", "event 29"],
    ["previous block", forged(LAST + 40, 7), "tampered", "event 29"],
    ["chain before", forged(LAST + 72, 7), "tampered", "event 29"],
    ["chain after", forged(LAST + 104, 7), "tampered", "event 29"],
    ["one event more in the trailer", forged(end + 4, 30), "truncated", "event 30"],
    ["one block more", forged(end + 12, 7), "truncated", "event 30"],
    ["one event less", forged(end + 4, 28), "tampered", "file trailer"],
    ["another head", forged(end + 20, 7), "tampered", "file trailer"],
    ["another ledger", forged(31, 7), "tampered", "file header"],
    ["a byte more", longer, "tampered", "file trailer"],
    ["a byte more and no end mark", flipped(longer, end), "tampered", "event 30"],
    ["garbage after the header", concat(FILE.subarray(0, 32), FILE), "tampered", "event 1"],
  ];
  for (const [name, file, verdict, place] of rows) {
    const report = verifyChain(file);
    assert.deepEqual([report.verdict, String(report.place)], [verdict, place], name);
  }
});

test("nor do files that were made from nothing", () => {
  const first = { events: [created(LEDGER)], time: 1 };
  const second = { events: [event(2, 2), event(3, 3)], time: 3 };
  const of = (...blocks: Block[]) => exportOf(LEDGER, blocks);
  const other = new Uint8Array(16).fill(9);
  // Its second block has 512 bytes, so that one changed byte makes its length zero.
  const padded = of(first, { events: [event(2, 2, 0x1a, 0xc1, 0x02, ...new Uint8Array(321).fill(1))], time: 2 });
  const length = 36 + Buffer.from(padded).readUInt32LE(32);
  assert.deepEqual([...padded.subarray(length, length + 4)], [0, 2, 0, 0]);
  const rows: [string, Uint8Array, string, string][] = [
    ["nothing", of(first, second), "self_consistent", "null"],
    ["padded", padded, "self_consistent", "null"],
    ["a length of zero", flipped(padded, length + 1, 1), "tampered", "event 2"],
    ["no ledger created", of({ events: [event(1, 1)], time: 1 }), "tampered", "event 1"],
    ["created with a short id", of({ events: [created(LEDGER.subarray(1))], time: 1 }), "tampered", "event 1"],
    ["the genesis of another ledger", exportOf(LEDGER, [first], other), "tampered", "event 1"],
    ["another ledger in the header", exportOf(other, [first], LEDGER), "tampered", "file header"],
    ["an event of another position", of(first, { events: [event(2, 2), event(4, 3)], time: 3 }), "tampered", "event 3"],
    ["a position in too many bytes", of({ events: [Uint8Array.of(8, 129, 0)], time: 1 }), "tampered", "event 1"],
    ["a count that is too low", of(first, { ...second, count: 1, time: 2 }), "tampered", "event 2"],
    ["a count that is too high", of(first, { ...second, count: 3 }), "tampered", "event 2"],
    ["time that stands still", of(first, { events: [event(2, 1)], time: 1 }), "tampered", "event 2"],
    ["no time", of({ events: [Uint8Array.of(8, 1, ...created(LEDGER).subarray(4))], time: 0 }), "tampered", "event 1"],
    ["another chain before", of(first, { ...second, before: HASHES[0]! }), "tampered", "event 2"],
  ];
  for (const [name, file, verdict, place] of rows) {
    const report = verifyChain(file);
    assert.deepEqual([report.verdict, String(report.place)], [verdict, place], name);
  }
});

test("anchors find what agrees with itself", () => {
  const head = (number: number, position?: bigint): Anchors => ({ head: { hash: HASHES[number - 1]!, position } });
  const other = (size: number, root = HASHES[0]!): Anchors => ({ checkpoint: { size: BigInt(size), root } });
  const root = (size: number): Anchors => other(size, naiveRoot(HASHES.slice(0, size)));
  const rows: [string, Uint8Array, Anchors, string, bigint | null][] = [
    ["hash", FILE, head(12), "intact", null],
    ["hash at its position", FILE, head(29, 29n), "intact", null],
    ["hash at another position", FILE, head(12, 13n), "forked", 13n],
    ["hash past the end", FILE, head(12, 30n), "truncated", 30n],
    ["unknown hash", FILE, { head: { hash: EMPTY.subarray(0, 32) } }, "forked", null],
    ["checkpoint of all", FILE, root(29), "intact", null],
    ["checkpoint of some", FILE, root(17), "intact", null],
    ["checkpoint of one", FILE, root(1), "intact", null],
    ["checkpoint of none says nothing", FILE, root(0), "self_consistent", null],
    ["checkpoint of others", FILE, other(17), "forked", 17n],
    ["checkpoint of more", FILE, other(30), "truncated", 30n],
    ["both", FILE, { ...head(12), ...root(17) }, "intact", null],
    ["both, one of others", FILE, { ...head(12), ...other(17) }, "forked", 17n],
    ["damage before the anchor's end", flipped(FILE, LAST), root(29), "tampered", 29n],
    ["nothing left", EMPTY, head(29), "truncated", 1n],
    ["nothing left of a checkpoint", EMPTY, root(29), "truncated", 1n],
    ["nothing, as ever", EMPTY, root(0), "empty", null],
  ];
  for (const [name, file, anchors, verdict, bad] of rows) {
    const report = verifyChain(file, anchors);
    assert.deepEqual([report.verdict, report.firstBadPosition], [verdict, bad], name);
  }
});

test("noise is a verdict", () => {
  let state = 1;
  const noise = () => (state = (state * 48271) % 2147483647) & 0xff;
  for (let round = 0; round < 300; round += 1) {
    const file = concat(FILE.subarray(0, (round * 37) % FILE.length), Uint8Array.from({ length: round }, noise));
    assert.match(verifyChain(file).verdict, round === 0 ? /unreadable/ : /tampered|truncated|unreadable/);
  }
});
