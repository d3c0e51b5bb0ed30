// Consistency files: that a newer checkpoint's tree begins with the tree of an
// older one, so that nothing was rewritten in between. The form is the body of a
// request to a witness (c2sp.org/tlog-witness, add-checkpoint).

import { equal } from "./bytes.js";
import { type Policy, openCheckpoint, openCheckpointFile } from "./checkpoint.js";
import { number, path, split } from "./proof.js";
import { continues } from "./tree.js";
import { Fault, type Verdict, finding } from "./verdict.js";

/** Nothing of a file that does not hold is passed on: then all is `null`. */
export interface ConsistencyReport {
  verdict: Verdict;
  oldSize: bigint | null;
  size: bigint | null;
  root: Uint8Array | null;
  place: string | null;
  detail: string | null;
}

/** Verifies the old checkpoint, the new one, and the way between. Never rejects.
 *
 *  `forked` is said only when the log's own signatures prove it: two roots for
 *  one size. A proof that does not hold may be the fault of whoever carried it. */
export async function verifyConsistency(
  oldCheckpoint: Uint8Array,
  file: Uint8Array,
  policy: Policy,
): Promise<ConsistencyReport> {
  try {
    const old = await openCheckpointFile("old checkpoint", oldCheckpoint, { log: policy.log });
    const { lines, checkpoint } = split(file);
    const stated = number("old", lines[0]);
    const proof = path(lines.slice(1));
    const { size, root } = await openCheckpoint(checkpoint, policy);
    if (size === old.size && !equal(root, old.root)) {
      throw new Fault("forked", "checkpoint", "the log signed two roots for one size");
    }
    if (size < old.size) throw new Fault("truncated", "checkpoint", "it has fewer events than the old one");
    if (stated !== old.size) {
      throw new Fault("tampered", "old", "the proof begins at another size than the old checkpoint");
    }
    if (!continues(old, { size, root }, proof)) {
      throw new Fault("tampered", "proof", "the proof does not lead from the old root to the new one");
    }
    return { verdict: "intact", oldSize: old.size, size, root, place: null, detail: null };
  } catch (error) {
    return { oldSize: null, size: null, root: null, ...finding(Fault.of(error)) };
  }
}
