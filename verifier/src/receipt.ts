// Receipts: that one event is in the tree of a checkpoint (c2sp.org/tlog-proof).

import { fromBase64, startsWith } from "./bytes.js";
import { type Policy, openCheckpoint } from "./checkpoint.js";
import { beginning } from "./event.js";
import { eventHash } from "./hash.js";
import type { Signed } from "./note.js";
import { after, number, path, split, unreadable } from "./proof.js";
import { includes } from "./tree.js";
import { Fault, type Verdict, finding } from "./verdict.js";

/** Nothing of a receipt that does not hold is passed on: then all is `null`. */
export interface ReceiptReport {
  verdict: Verdict;
  position: bigint | null;
  eventHash: Uint8Array | null;
  /** The event as it is stored, if the receipt carries it. */
  event: Uint8Array | null;
  size: bigint | null;
  root: Uint8Array | null;
  cosignatures: Signed[];
  place: string | null;
  detail: string | null;
}

/** Verifies a receipt. Never rejects. */
export async function verifyReceipt(file: Uint8Array, policy: Policy): Promise<ReceiptReport> {
  try {
    const { lines, checkpoint: note } = split(file);
    const [form, extra, index, ...rest] = lines;
    if (form !== "c2sp.org/tlog-proof@v1") throw unreadable("file", "this is no receipt, or of another version");
    const stated = readExtra(after("extra", extra));
    const leaf = number("index", index);
    const position = leaf + 1n;
    const proof = path(rest);
    const { size, root, cosignatures } = await openCheckpoint(note, policy);
    if (stated.event !== null && !startsWith(stated.event, beginning(position))) {
      throw new Fault("tampered", "extra", "the event stands at another position than the receipt says");
    }
    if (!includes({ size, root }, leaf, stated.eventHash, proof)) {
      throw new Fault("tampered", "proof", "the proof does not lead from the event to the checkpoint's root");
    }
    return { verdict: "intact", position, ...stated, size, root, cosignatures, place: null, detail: null };
  } catch (error) {
    const nothing = { position: null, eventHash: null, event: null, size: null, root: null, cosignatures: [] };
    return { ...nothing, ...finding(Fault.of(error)) };
  }
}

/** Which event it is: its hash, or the hash before it and the event itself. */
function readExtra(base64: string): { eventHash: Uint8Array; event: Uint8Array | null } {
  const bytes = fromBase64(base64);
  if (bytes?.[0] === 0x01 && bytes.length === 33) return { eventHash: bytes.subarray(1), event: null };
  if (bytes?.[0] === 0x02 && bytes.length > 33) {
    const event = bytes.subarray(33);
    return { eventHash: eventHash(bytes.subarray(1, 33), event), event };
  }
  throw unreadable("extra", "the line `extra` is of no form that is known here");
}
