// The hashes of FORMAT.md section 2: BLAKE3 in derive-key mode, one context for
// each use.

import { blake3 } from "@noble/hashes/blake3.js";
import { utf8 } from "./bytes.js";

function derived(use: string): (...parts: Uint8Array[]) => Uint8Array {
  // The key comes from the context alone, so it is made once and copied.
  const keyed = blake3.create({ context: utf8(`luzhang 2026 ${use} v1`) });
  return (...parts) => {
    const hasher = keyed.clone();
    for (const part of parts) hasher.update(part);
    return hasher.digest();
  };
}

/** Of the ledger's id. */
export const genesisOf = derived("genesis");
/** Of the hash of the event before and the event's stored bytes. */
export const eventHash = derived("event hash");
/** Of a block up to its hash. */
export const blockHash = derived("block hash");
/** Of an export file up to its checksum. */
export const exportChecksum = derived("export");
