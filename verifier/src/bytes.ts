// Bytes, and the texts that stand for them. Every reader is strict: a value has
// one spelling, so that no two files say the same thing.

export const U64_MAX = 2n ** 64n - 1n;

/** Of text in UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of UTF-8; `undefined` for anything else. A byte order mark is text like any other. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, index) => byte === bytes[index]);
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && startsWith(a, b);
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Small digits only. */
export function fromHex(text: string, length: number): Uint8Array | undefined {
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from({ length }, (_, index) => parseInt(text.slice(2 * index, 2 * index + 2), 16));
}

/** Standard base64 with padding. `atob` forgives spaces, missing padding and idle
 *  bits; encoding again and comparing does not. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    const binary = atob(text);
    if (btoa(binary) !== text) return undefined;
    return Uint8Array.from(binary, (byte) => byte.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** A u64 in decimal without leading zeros. */
export function fromDecimal(text: string): bigint | undefined {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= U64_MAX ? value : undefined;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Little-endian, as in all of FORMAT.md. */
export function u32(bytes: Uint8Array, at: number): number {
  return view(bytes).getUint32(at, true);
}

export function u64(bytes: Uint8Array, at: number): bigint {
  return view(bytes).getBigUint64(at, true);
}

export function i64(bytes: Uint8Array, at: number): bigint {
  return view(bytes).getBigInt64(at, true);
}

/** Each as 8 bytes, little-endian. */
export function u64s(...values: bigint[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  values.forEach((value, index) => view(bytes).setBigUint64(8 * index, value, true));
  return bytes;
}

/** Big-endian, as in signed notes. */
export function u64BigEndian(bytes: Uint8Array): bigint {
  return view(bytes).getBigUint64(0);
}
