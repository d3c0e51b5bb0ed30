// The little of an event's protobuf that verification needs. Events are hashed
// as they are stored, so nothing here decodes one or looks any deeper.

import { U64_MAX } from "./bytes.js";

/** How the event at this position begins: field 1, in the fewest bytes. */
export function beginning(position: bigint): Uint8Array {
  const bytes = [0x08];
  let rest = position;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(rest));
}

/** UTC microseconds; 0 if the event states no time, `undefined` if it cannot be walked. */
export function recordedAt(event: Uint8Array): bigint | undefined {
  const time = field(event, 5n);
  if (time === "absent") return 0n;
  return typeof time === "bigint" ? BigInt.asIntN(64, time) : undefined;
}

/** The id of the ledger, if this is the event `LedgerCreated`. */
export function ledgerCreated(event: Uint8Array): Uint8Array | undefined {
  const body = field(event, 20n);
  const id = body instanceof Uint8Array ? field(body, 1n) : undefined;
  return id instanceof Uint8Array && id.length === 16 ? id : undefined;
}

/** The first field with this number: a varint's value, or the bytes of anything
 *  else; `undefined` if the message breaks off or is malformed before it. */
function field(message: Uint8Array, wanted: bigint): bigint | Uint8Array | "absent" | undefined {
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value <= U64_MAX ? value : undefined;
    }
    return undefined;
  };
  const take = (length: bigint | undefined): Uint8Array | undefined => {
    if (length === undefined || length > BigInt(message.length - at)) return undefined;
    return message.subarray(at, (at += Number(length)));
  };
  while (at < message.length) {
    const key = varint();
    if (key === undefined) return undefined;
    let value: bigint | Uint8Array | undefined;
    switch (key & 7n) {
      case 0n:
        value = varint();
        break;
      case 1n:
        value = take(8n);
        break;
      case 2n:
        value = take(varint());
        break;
      case 5n:
        value = take(4n);
        break;
    }
    if (value === undefined) return undefined;
    if (key >> 3n === wanted) return value;
  }
  return "absent";
}
