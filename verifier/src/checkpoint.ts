// Checkpoints (c2sp.org/tlog-checkpoint): a log's statement of how many leaves
// its tree has and what their root is.

import { equal, fromBase64, fromDecimal, hex, textOf } from "./bytes.js";
import { type Key, type Signed, parseNote, signers } from "./note.js";
import { EMPTY_ROOT } from "./tree.js";
import { Fault } from "./verdict.js";

/** Whom to believe. */
export interface Policy {
  log: Key;
  witnesses?: Key[];
  /** How many of the witnesses must have signed. */
  quorum?: number;
}

/** A checkpoint whose signatures hold. */
export interface Checkpoint {
  /** The log's name for itself. */
  origin: string;
  size: bigint;
  root: Uint8Array;
  /** Of the policy's witnesses: one each, the latest. */
  cosignatures: Signed[];
}

/** Reads a checkpoint and verifies its signatures.
 *
 *  @throws {Fault} in whatever way it is wrong. */
export async function openCheckpoint(file: string, policy: Policy): Promise<Checkpoint> {
  const note = parseNote(file);
  const checkpoint = parse(note.text);
  const signed = await signers(note, [policy.log, ...(policy.witnesses ?? [])]);
  const wrong = (detail: string): Fault => new Fault("tampered", "checkpoint", detail);
  if (!signed.some(({ key }) => key === policy.log)) throw wrong("it is not signed with the log's key");
  if (checkpoint.origin !== policy.log.name) throw wrong("it is of another log than the key");
  if (checkpoint.size === 0n && !equal(checkpoint.root, EMPTY_ROOT)) throw wrong("an empty tree has another root");

  const cosignatures = latest(signed.filter(({ key }) => key !== policy.log));
  const quorum = policy.quorum ?? 0;
  if (cosignatures.length < quorum) {
    const detail = `${cosignatures.length} of the ${quorum} cosignatures that are asked for are there`;
    throw new Fault("tampered", "cosignatures", detail);
  }
  return { ...checkpoint, cosignatures };
}

/** The same for a file that stands by itself: whatever is wrong is wrong with it. */
export async function openCheckpointFile(name: string, file: Uint8Array, policy: Policy): Promise<Checkpoint> {
  const note = textOf(file);
  if (note === undefined) throw new Fault("unreadable", name, "this is no text");
  return openCheckpoint(note, policy).catch((error: unknown) => {
    const { verdict, place, detail } = Fault.of(error);
    throw new Fault(verdict, name, place === "checkpoint" ? detail : `${place}: ${detail}`);
  });
}

function parse(text: string): { origin: string; size: bigint; root: Uint8Array } {
  const [origin, sizeLine, rootLine, ...extensions] = text.slice(0, -1).split("\n");
  const size = fromDecimal(sizeLine ?? "");
  const root = fromBase64(rootLine ?? "");
  if (!origin || size === undefined || root?.length !== 32 || extensions.includes("")) {
    throw new Fault("unreadable", "checkpoint", "the note is no checkpoint");
  }
  return { origin, size, root };
}

/** One for each public key: what a witness signs does not say its name, so a
 *  second name must not make it count twice. */
function latest(signed: Signed[]): Signed[] {
  const byKey = new Map<string, Signed>();
  for (const one of signed) {
    const key = hex(one.key.publicKey);
    const other = byKey.get(key);
    if (other === undefined || (one.time ?? 0n) > (other.time ?? 0n)) byKey.set(key, one);
  }
  return [...byKey.values()];
}
