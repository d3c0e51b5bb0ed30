// Receipts and consistency files, and the command line.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { concat, hex, textOf, utf8 } from "luzhang-verifier/bytes.js";
import { verifyConsistency } from "luzhang-verifier/consistency.js";
import { eventHash } from "luzhang-verifier/hash.js";
import { LOG, WITNESS, parseKey } from "luzhang-verifier/note.js";
import { verifyReceipt } from "luzhang-verifier/receipt.js";
import { EVENTS, HASHES, Signer, base64, body, checkpoint, flipped, log } from "./support.js";
import { naivePath, naiveProof, naiveRoot } from "./support.js";

const SIZE = 29;
const witness = await Signer.make("witness.example", WITNESS);
const policy = { log: parseKey(log.vkey, LOG)!, witnesses: [parseKey(witness.vkey, WITNESS)!], quorum: 1 };
const NOTE = await checkpoint(SIZE);
const COSIGNED = NOTE + (await witness.line(body(SIZE, naiveRoot(HASHES)), 1_700_000_000n));

const hashOnly = (index: number) => concat(Uint8Array.of(1), HASHES[index]!);
const whole = (index: number) => concat(Uint8Array.of(2), HASHES[index - 1]!, EVENTS[index]!.bytes);

function receipt(index: number, extra: Uint8Array, note = COSIGNED, leaves = HASHES): string {
  const path = naivePath(index, leaves).map((hash) => `${base64(hash)}\n`);
  return `c2sp.org/tlog-proof@v1\nextra ${base64(extra)}\nindex ${index}\n${path.join("")}\n${note}`;
}

function consistency(old: number, note = NOTE): string {
  return `old ${old}\n${naiveProof(old, HASHES).map((hash) => `${base64(hash)}\n`).join("")}\n${note}`;
}

test("a receipt of every event, by its hash and by its bytes", async () => {
  for (let index = 0; index < SIZE; index += 1) {
    const report = await verifyReceipt(utf8(receipt(index, hashOnly(index))), policy);
    assert.deepEqual([report.verdict, report.position, report.size], ["intact", BigInt(index + 1), 29n]);
    assert.deepEqual([report.eventHash, report.event, report.root], [HASHES[index], null, naiveRoot(HASHES)]);
    assert.equal(report.cosignatures[0]?.time, 1_700_000_000n);
    if (index === 0) continue;
    const full = await verifyReceipt(utf8(receipt(index, whole(index))), policy);
    assert.deepEqual([full.verdict, full.eventHash, full.event], ["intact", HASHES[index], EVENTS[index]!.bytes]);
  }
});

test("every changed byte of a receipt and of a consistency file is found", async () => {
  const file = utf8(receipt(12, whole(12)));
  for (let at = 0; at < file.length; at += 1) {
    const report = await verifyReceipt(flipped(file, at, at % 8), policy);
    assert.match(report.verdict, /tampered|unreadable/, `byte ${at}`);
    assert.deepEqual([report.position, report.eventHash, report.root], [null, null, null]);
    assert.notEqual((await verifyReceipt(file.subarray(0, at), policy)).verdict, "intact");
  }
  const old = utf8(await checkpoint(12));
  const proof = utf8(consistency(12));
  for (let at = 0; at < proof.length; at += 1) {
    const { verdict } = await verifyConsistency(old, flipped(proof, at, at % 8), { log: policy.log });
    assert.match(verdict, /tampered|unreadable/, `byte ${at}`);
  }
});

test("receipts that say something else", async () => {
  const good = receipt(12, hashOnly(12));
  const stranger = concat(Uint8Array.of(2), HASHES[0]!, Uint8Array.of(8, 99));
  const path = naivePath(12, HASHES).map(base64);
  // A log may well sign this. Event 13 says that it is event 99.
  const leaves = HASHES.with(12, eventHash(HASHES[0]!, Uint8Array.of(8, 99)));
  const text = body(SIZE, naiveRoot(leaves));
  const forged = `${text}\n${await log.line(text)}${await witness.line(text, 1n)}`;
  const rows: [string, string, string][] = [
    ["of another event", receipt(12, hashOnly(13)), "tampered"],
    ["an event of another position", receipt(12, whole(13)), "tampered"],
    ["an event of the log's own making", receipt(12, stranger, forged, leaves), "tampered"],
    ["an event that is not there", receipt(12, stranger), "tampered"],
    ["of no witness", receipt(12, hashOnly(12), NOTE), "tampered"],
    ["of an index past the end", good.replace("index 12", "index 29"), "tampered"],
    ["of the last index", good.replace("index 12", "index 18446744073709551615"), "tampered"],
    ["a line more", good.replace(path[0]!, `${path[0]}\n${path[0]}`), "tampered"],
    ["a line less", good.replace(`${path[0]}\n`, ""), "tampered"],
    ["65 lines", good.replace(path[0]!, Array(65).fill(path[0]).join("\n")), "unreadable"],
    ["zeros in front", good.replace("index 12", "index 012"), "unreadable"],
    ["without extra", good.replace(/extra .*\n/, ""), "unreadable"],
    ["extra of another form", receipt(12, concat(Uint8Array.of(3), HASHES[12]!)), "unreadable"],
    ["a hash and more", receipt(12, concat(hashOnly(12), Uint8Array.of(0))), "unreadable"],
    ["no extra bytes", receipt(12, new Uint8Array()), "unreadable"],
    ["another version", good.replace("@v1", "@v2"), "unreadable"],
    ["carriage returns", good.replaceAll("\n", "\r\n"), "unreadable"],
    ["a byte order mark", `\ufeff${good}`, "unreadable"],
    ["nothing", "", "unreadable"],
  ];
  for (const [name, file, verdict] of rows) {
    assert.equal((await verifyReceipt(utf8(file), policy)).verdict, verdict, name);
  }
  assert.equal((await verifyReceipt(Uint8Array.of(0xff, 10, 10, 0xfe), policy)).verdict, "unreadable");
});

test("consistency with every older checkpoint, and with no other", async () => {
  const check = async (old: string, file: string) =>
    (await verifyConsistency(utf8(old), utf8(file), { log: policy.log })).verdict;
  for (let old = 0; old <= SIZE; old += 1) {
    assert.equal(await check(await checkpoint(old), consistency(old)), "intact", `old ${old}`);
  }
  const others = [...HASHES].reverse();
  assert.equal(await check(await checkpoint(12, others), consistency(12)), "tampered");
  assert.equal(await check(await checkpoint(SIZE, others), consistency(SIZE)), "forked");
  assert.equal(await check(await checkpoint(13), consistency(12)), "tampered");
  assert.equal(await check(NOTE, consistency(12, await checkpoint(12))), "truncated");
  assert.equal(await check("", consistency(12)), "unreadable");
  assert.equal(await check(await checkpoint(12), ""), "unreadable");
});

const dir = mkdtempSync(join(tmpdir(), "luzhang-verifier-"));
after(() => rmSync(dir, { recursive: true }));

test("the command line", async () => {
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const ledger = fileURLToPath(new URL("../../../tests/fixtures/v1/ledger.luzhang-export", import.meta.url));
  const [now, old] = [file("now", NOTE), file("old", await checkpoint(12))];
  const [good, proof] = [file("receipt", receipt(12, whole(12))), file("proof", consistency(12))];
  const key = ["--key", log.vkey];
  const seen = ["--witness", witness.vkey];
  const head = hex(HASHES[11]!);
  const rows: [string[], number, object | null][] = [
    [["chain", ledger], 0, { verdict: "self_consistent", events: 29, first_bad_position: null }],
    [["chain", ledger, "--head", head], 0, { verdict: "intact", chain_head: hex(HASHES[28]!) }],
    [["chain", ledger, "--head", `13:${head}`], 10, { verdict: "forked", first_bad_position: 13, place: "event 13" }],
    [["chain", ledger, "--checkpoint", now, ...key], 0, { verdict: "intact", place: null, detail: null }],
    [["chain", ledger, "--checkpoint", good, ...key], 11, { verdict: "unreadable", place: "checkpoint", events: 0 }],
    [["chain", now], 11, { verdict: "unreadable", place: "file header" }],
    [["chain", join(dir, "missing")], 11, { verdict: "unreadable", events: 0, chain_head: null }],
    [["receipt", good, ...key], 0, { verdict: "intact", position: 13, size: 29, cosignatures: [] }],
    [
      ["receipt", good, ...key, ...seen, "--quorum", "1"],
      0,
      { event_hash: hex(HASHES[12]!), cosignatures: [{ name: "witness.example", time: 1_700_000_000 }] },
    ],
    [["receipt", now, ...key], 11, { verdict: "unreadable", position: null }],
    [["consistency", old, proof, ...key], 0, { verdict: "intact", old_size: 12, size: 29 }],
    [["consistency", now, proof, ...key], 10, { verdict: "tampered", place: "old" }],
    [[], 2, null],
    [["chain"], 2, null],
    [["chain", ledger, "--head", head.toUpperCase()], 2, null],
    [["chain", ledger, "--head", `0:${head}`], 2, null],
    [["chain", ledger, "--checkpoint", now], 2, null],
    [["receipt", good], 2, null],
    [["receipt", good, "--key", witness.vkey], 2, null],
    [["receipt", good, ...key, ...seen, "--quorum", "2"], 2, null],
    [["receipt", good, ...key, ...seen, ...seen], 2, null],
    [["toString", good], 2, null],
  ];
  const cli = fileURLToPath(new URL("../cli.js", import.meta.url));
  for (const [args, code, fields] of rows) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: "utf8" });
    assert.equal(status, code, `${args.join(" ")}: ${stdout}${stderr}`);
    assert.equal(stderr === "", fields !== null, stderr);
    if (fields === null) assert.equal(stdout, "");
    else {
      const report = JSON.parse(stdout);
      assert.deepEqual({ ...report, ...fields }, report);
    }
  }
});

test("only the command line knows of Node", () => {
  const source = new URL("../../src/", import.meta.url);
  for (const name of readdirSync(source).filter((name) => name !== "cli.ts")) {
    assert.doesNotMatch(textOf(readFileSync(new URL(name, source)))!, /from "node:|\bBuffer\b|\bprocess\b/, name);
  }
});
