// Signed notes (c2sp.org/signed-note) with Ed25519: what a log signs, and what a
// witness cosigns (c2sp.org/tlog-cosignature).

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal, fromBase64, fromHex, u64BigEndian, utf8 } from "./bytes.js";
import { Fault } from "./verdict.js";

/** The number of the algorithm, in a key and in its id. */
export const LOG = 0x01;
export const WITNESS = 0x04;
export type KeyType = typeof LOG | typeof WITNESS;

export interface Key {
  name: string;
  id: Uint8Array;
  type: KeyType;
  publicKey: Uint8Array;
}

/** One line below a note. Of an unknown key nothing is known but this. */
interface Signature {
  name: string;
  id: Uint8Array;
  bytes: Uint8Array;
}

export interface Note {
  text: string;
  signatures: Signature[];
}

/** The signature of a known key; it holds. */
export interface Signed {
  key: Key;
  /** When a witness signed, in seconds since 1970. */
  time: bigint | null;
}

/** More than any log has witnesses; a longer note is not worth the work. The same
 *  number as in luzhang, so that the two agree on every note. */
const MOST_SIGNATURES = 64;

/** A verifier key, `NAME+ID+KEY`; `undefined` unless it is one of this type. */
export function parseKey(vkey: string, type: KeyType): Key | undefined {
  // The base64 of the key may hold a plus as well, so only two are separators.
  const [, name, hexId, base64] = /^([^+]*)\+([^+]*)\+(.*)$/.exec(vkey) ?? [];
  const id = fromHex(hexId ?? "", 4);
  const key = fromBase64(base64 ?? "");
  if (name === undefined || !isName(name) || !id || key?.length !== 33 || key[0] !== type) return undefined;
  const expected = sha256(concat(utf8(`${name}\n`), key)).subarray(0, 4);
  return equal(id, expected) ? { name, id, type, publicKey: key.subarray(1) } : undefined;
}

/** A text, not to be believed before its signatures are. */
export function parseNote(note: string): Note {
  const malformed = (detail: string): Fault => new Fault("unreadable", "signatures", detail);
  // The text may have empty lines; the last one is the one before the signatures.
  const end = note.lastIndexOf("\n\n");
  const lines = note.slice(end + 2).split("\n");
  if (/[\0-\x09\x0b-\x1f]/.test(note)) throw malformed("there are control characters in the note");
  if (end < 0 || lines.pop() !== "" || lines.length === 0) throw malformed("this is no signed note");
  if (lines.length > MOST_SIGNATURES) throw malformed("there are too many signatures");
  const signatures = lines.map((line) => {
    const [, name, base64] = /^— ([^ ]*) ([^ ]*)$/.exec(line) ?? [];
    const bytes = fromBase64(base64 ?? "");
    if (name === undefined || !isName(name) || bytes === undefined || bytes.length < 5) {
      throw malformed("a line below the note is no signature");
    }
    return { name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4) };
  });
  return { text: note.slice(0, end + 1), signatures };
}

/** Who of these keys signed a note. A signature of an unknown key is passed over;
 *  a bad one of a known key condemns the note. */
export async function signers({ text, signatures }: Note, keys: Key[]): Promise<Signed[]> {
  const signed: Signed[] = [];
  for (const { name, id, bytes } of signatures) {
    const key = keys.find((key) => key.name === name && equal(key.id, id));
    if (key === undefined) continue;
    const time = key.type === WITNESS && bytes.length === 72 ? u64BigEndian(bytes) : null;
    if (!(await holds(key, text, time, bytes))) {
      throw new Fault("tampered", "signatures", `the signature of ${name} does not hold`);
    }
    signed.push({ key, time });
  }
  return signed;
}

function isName(name: string): boolean {
  return name !== "" && !/[\p{White_Space}+]/u.test(name);
}

async function holds(key: Key, text: string, time: bigint | null, bytes: Uint8Array): Promise<boolean> {
  if (key.type === LOG) return ed25519(key.publicKey, utf8(text), bytes);
  // The highest bit is not used, and a time must be stated.
  if (time === null || time === 0n || time >= 2n ** 63n) return false;
  return ed25519(key.publicKey, utf8(`cosignature/v1\ntime ${time}\n${text}`), bytes.subarray(8));
}

/** False as well for what is no signature or no key at all. */
async function ed25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (crypto?.subtle === undefined) throw new Error("WebCrypto is missing; browsers have it on secure pages only");
  // WebCrypto's types want bytes that no other thread can change: copies are.
  const [raw, data, sig] = [publicKey, message, signature].map((bytes) => new Uint8Array(bytes));
  try {
    const key = await crypto.subtle.importKey("raw", raw!, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, sig!, data!);
  } catch (error) {
    // A browser without Ed25519 must not call a good signature bad.
    if (error instanceof DOMException && error.name === "NotSupportedError") throw error;
    return false;
  }
}
