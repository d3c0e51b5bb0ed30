// What receipts and consistency files have in common: lines, an empty line, and
// a checkpoint.

import { fromBase64, fromDecimal, textOf } from "./bytes.js";
import { Fault } from "./verdict.js";

export function unreadable(place: string, detail: string): Fault {
  return new Fault("unreadable", place, detail);
}

/** The lines before the first empty one, and the text of the checkpoint after it. */
export function split(file: Uint8Array): { lines: string[]; checkpoint: string } {
  const text = textOf(file);
  const end = text?.indexOf("\n\n") ?? -1;
  if (text === undefined || end < 0) throw unreadable("file", "this is no proof with a checkpoint");
  return { lines: text.slice(0, end).split("\n"), checkpoint: text.slice(end + 2) };
}

/** The rest of a line that must begin with this word and a space. */
export function after(word: string, line: string | undefined): string {
  if (!line?.startsWith(`${word} `)) throw unreadable(word, `the line \`${word}\` is missing`);
  return line.slice(word.length + 1);
}

export function number(word: string, line: string | undefined): bigint {
  const value = fromDecimal(after(word, line));
  if (value === undefined) throw unreadable(word, "this is no number, or has zeros in front");
  return value;
}

/** A tree path, a hash a line. */
export function path(lines: string[]): Uint8Array[] {
  // No tree whose size is a u64 has a longer one.
  if (lines.length > 64) throw unreadable("proof", "the proof has too many lines");
  return lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw unreadable("proof", "a line of the proof is no hash");
    return hash;
  });
}
