#!/usr/bin/env node
// The command line. The only module that knows of files and of Node.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fromDecimal, fromHex, hex } from "./bytes.js";
import { type Anchors, verifyChain } from "./chain.js";
import { type Policy, openCheckpointFile } from "./checkpoint.js";
import { verifyConsistency } from "./consistency.js";
import { type Key, type KeyType, LOG, WITNESS, parseKey } from "./note.js";
import { verifyReceipt } from "./receipt.js";
import { Fault, type Verdict, exitCode, finding } from "./verdict.js";

const USAGE = `usage:
  cli.js chain FILE [--head [POSITION:]HASH] [--checkpoint FILE --key VKEY]
  cli.js receipt FILE --key VKEY [--witness VKEY]... [--quorum K]
  cli.js consistency OLD_CHECKPOINT FILE --key VKEY`;

class UsageError extends Error {}

type Json = string | number | bigint | null | Uint8Array | Json[] | { [name: string]: Json };
type Report = { verdict: Verdict; [name: string]: Json };

/** What each command prints, in this order; what does not hold stays as it is here. */
const FIELDS = {
  chain: { verdict: null, events: 0, chain_head: null, first_bad_position: null, place: null, detail: null },
  receipt: {
    verdict: null,
    position: null,
    event_hash: null,
    size: null,
    root: null,
    cosignatures: [],
    place: null,
    detail: null,
  },
  consistency: { verdict: null, old_size: null, size: null, root: null, place: null, detail: null },
};
type Command = keyof typeof FIELDS;

async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parse(args);
    const [command, ...files] = positionals;
    if (command === undefined || !isCommand(command)) throw new UsageError("chain, receipt or consistency?");
    const report = await run(command, files, values).catch((error: unknown): Report => {
      if (error instanceof UsageError) throw error;
      return finding(Fault.of(error));
    });
    process.stdout.write(`${json({ ...FIELDS[command], ...report })}\n`);
    return exitCode(report.verdict);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    return 2;
  }
}

function isCommand(word: string): word is Command {
  return Object.hasOwn(FIELDS, word);
}

async function run(command: Command, files: string[], values: Values): Promise<Report> {
  const only = (count: number, ...options: (keyof Values)[]): void => {
    const other = Object.keys(values).find((name) => !options.some((option) => option === name));
    if (other !== undefined) throw new UsageError(`${command} does not take --${other}`);
    if (files.length !== count) throw new UsageError(`${command} takes ${count} file(s)`);
  };
  switch (command) {
    case "chain":
      only(1, "head", "checkpoint", "key");
      return chain(files[0]!, values);
    case "receipt": {
      only(1, "key", "witness", "quorum");
      const believed = policy(values);
      const { eventHash, event: _, cosignatures, ...report } = await verifyReceipt(read(files[0]!), believed);
      const named = cosignatures.map(({ key, time }) => ({ name: key.name, time }));
      return { ...report, event_hash: eventHash, cosignatures: named };
    }
    case "consistency": {
      only(2, "key");
      const believed = policy(values);
      const { oldSize, ...report } = await verifyConsistency(read(files[0]!), read(files[1]!), believed);
      return { ...report, old_size: oldSize };
    }
  }
}

type Values = ReturnType<typeof parse>["values"];

function parse(args: string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { head: text, checkpoint: text, key: text, quorum: text, witness: { ...text, multiple: true } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function chain(file: string, values: Values): Promise<Report> {
  if ((values.checkpoint === undefined) !== (values.key === undefined)) {
    throw new UsageError("--checkpoint and --key go together");
  }
  const head = values.head === undefined ? undefined : anchor(values.head);
  const checkpoint =
    values.checkpoint === undefined
      ? undefined
      : await openCheckpointFile("checkpoint", read(values.checkpoint), policy(values));
  const { chainHead, firstBadPosition, ...report } = verifyChain(read(file), { head, checkpoint });
  return { ...report, chain_head: chainHead, first_bad_position: firstBadPosition };
}

function anchor(text: string): NonNullable<Anchors["head"]> {
  const [, number, digits] = /^(?:(.*):)?(.*)$/.exec(text) ?? [];
  const hash = fromHex(digits ?? "", 32);
  const position = number === undefined ? undefined : fromDecimal(number);
  if (hash === undefined || (number !== undefined && !position)) {
    throw new UsageError("--head is 64 small hexadecimal digits, optionally after `POSITION:`");
  }
  return { hash, position };
}

/** Without a quorum, every witness that is named must have signed. */
function policy({ key, witness = [], quorum }: Values): Policy {
  if (key === undefined) throw new UsageError("--key is missing");
  const witnesses = witness.map((vkey) => keyOf(vkey, WITNESS));
  if (new Set(witnesses.map(({ publicKey }) => hex(publicKey))).size < witnesses.length) {
    throw new UsageError("two witnesses have one key");
  }
  const asked = quorum === undefined ? BigInt(witnesses.length) : fromDecimal(quorum);
  if (asked === undefined || asked > witnesses.length) {
    throw new UsageError("--quorum is at most the number of witnesses");
  }
  return { log: keyOf(key, LOG), witnesses, quorum: Number(asked) };
}

function keyOf(vkey: string, type: KeyType): Key {
  const key = parseKey(vkey, type);
  if (key === undefined) {
    const owner = type === LOG ? "a log (type 01)" : "a witness (type 04)";
    throw new UsageError(`this is no verifier key of ${owner}: ${vkey}`);
  }
  return key;
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Fault("unreadable", "file", error instanceof Error ? error.message : String(error));
  }
}

/** Numbers go out in full: a u64 may be more than a double holds. */
function json(value: Json): string {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return JSON.stringify(hex(value));
  if (Array.isArray(value)) return `[${value.map(json).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, field]) => `${JSON.stringify(name)}:${json(field)}`)
    .join(",")}}`;
}

// Node calls Ed25519 in WebCrypto experimental, once a run, on stderr.
process.removeAllListeners("warning");
process.exitCode = await main(process.argv.slice(2));
