// A log to test with: the slow, obvious tree, keys that sign, and the fixtures.

import { readFileSync } from "node:fs";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, fromHex, utf8 } from "luzhang-verifier/bytes.js";
import { type KeyType, LOG } from "luzhang-verifier/note.js";
import { EMPTY_ROOT, leafHash, nodeHash } from "luzhang-verifier/tree.js";

// From dist/test/.
export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`../../../tests/fixtures/${name}`, import.meta.url));
}

/** Hash and bytes of every event of the fixture `v1`. */
export const EVENTS = new TextDecoder()
  .decode(fixture("v1/events.txt"))
  .trimEnd()
  .split("\n")
  .map((line) => line.split(" "))
  .map(([, , hash, bytes]) => ({ hash: fromHex(hash!, 32)!, bytes: fromHex(bytes!, bytes!.length / 2)! }));

export const HASHES = EVENTS.map(({ hash }) => hash);

/** With one bit changed. */
export function flipped(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
}

/** RFC 6962 section 2.1, as it is written there. */
export function naiveRoot(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leafHash(leaves[0]!);
  const k = split(leaves.length);
  return nodeHash(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

/** Section 2.1.1. */
export function naivePath(index: number, leaves: Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return index < k
    ? [...naivePath(index, left), naiveRoot(right)]
    : [...naivePath(index - k, right), naiveRoot(left)];
}

/** Section 2.1.2. */
export function naiveProof(old: number, leaves: Uint8Array[], whole = true): Uint8Array[] {
  if (old === 0) return [];
  if (old === leaves.length) return whole ? [] : [naiveRoot(leaves)];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return old <= k
    ? [...naiveProof(old, left, whole), naiveRoot(right)]
    : [...naiveProof(old - k, right, false), naiveRoot(left)];
}

function split(size: number): number {
  let k = 1;
  while (2 * k < size) k *= 2;
  return k;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** A key that signs notes. */
export class Signer {
  private constructor(
    readonly vkey: string,
    private readonly name: string,
    private readonly id: Uint8Array,
    private readonly pair: CryptoKeyPair,
  ) {}

  static async make(name: string, type: KeyType): Promise<Signer> {
    const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
    const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
    const key = concat(Uint8Array.of(type), new Uint8Array(raw));
    const id = sha256(concat(utf8(`${name}\n`), key)).subarray(0, 4);
    const hexId = Buffer.from(id).toString("hex");
    return new Signer(`${name}+${hexId}+${base64(key)}`, name, id, pair);
  }

  /** The line below a note; with a time, that of a witness. */
  async line(text: string, time?: bigint): Promise<string> {
    const stamp = new Uint8Array(time === undefined ? 0 : 8);
    if (time !== undefined) new DataView(stamp.buffer).setBigUint64(0, time);
    const message = time === undefined ? text : `cosignature/v1\ntime ${time}\n${text}`;
    const signature = await crypto.subtle.sign("Ed25519", this.pair.privateKey, new Uint8Array(utf8(message)));
    return `— ${this.name} ${base64(concat(this.id, stamp, new Uint8Array(signature)))}\n`;
  }
}

export const ORIGIN = "luzhang/0198c5a2-7d00-7000-8000-000000000001";
export const log = await Signer.make(ORIGIN, LOG);

export function body(size: number | bigint, root: Uint8Array, origin = ORIGIN): string {
  return `${origin}\n${size}\n${base64(root)}\n`;
}

/** The checkpoint of the first `size` leaves. */
export async function checkpoint(size: number, leaves = HASHES): Promise<string> {
  const text = body(size, naiveRoot(leaves.slice(0, size)));
  return `${text}\n${await log.line(text)}`;
}
