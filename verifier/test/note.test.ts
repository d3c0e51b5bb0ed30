import assert from "node:assert/strict";
import { test } from "node:test";
import { U64_MAX, fromBase64, fromDecimal } from "luzhang-verifier/bytes.js";
import { openCheckpoint } from "luzhang-verifier/checkpoint.js";
import { LOG, WITNESS, parseKey, parseNote, signers } from "luzhang-verifier/note.js";
import { EMPTY_ROOT } from "luzhang-verifier/tree.js";
import { Fault } from "luzhang-verifier/verdict.js";
import { HASHES, ORIGIN, Signer, body, checkpoint, log, naiveRoot } from "./support.js";

const EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

/** What it comes to: `undefined` if it holds. */
async function verdict(done: Promise<unknown>): Promise<string | undefined> {
  return done.then(
    () => undefined,
    (error: unknown) => Fault.of(error).verdict,
  );
}

test("numbers and base64 have one spelling", () => {
  for (const [text, value] of [["0", 0n], ["18446744073709551615", U64_MAX]] as const) {
    assert.equal(fromDecimal(text), value);
  }
  for (const text of ["", "00", "01", "+1", "-1", "1 ", " 1", "1e3", "0x1", "１", "18446744073709551616"]) {
    assert.equal(fromDecimal(text), undefined, text);
  }
  assert.deepEqual(fromBase64("AQI="), Uint8Array.of(1, 2));
  for (const text of ["AQI", "AQJ=", "AQI=\n", " AQI=", "AQ==I", "AQI==", "-_8=", "=", "字"]) {
    assert.equal(fromBase64(text), undefined, text);
  }
});

test("the example of the signed note specification", async () => {
  const key = parseKey(EXAMPLE_KEY, LOG)!;
  assert.equal(parseNote(EXAMPLE).text, "This is an example message.\n");
  assert.deepEqual(await signers(parseNote(EXAMPLE), [key]), [{ key, time: null }]);
  const rows: [string, string, string | undefined][] = [
    ["another text", EXAMPLE.replace("This", "That"), "tampered"],
    ["another signature", EXAMPLE.replace("AlTgK7", "AlTgK8"), "tampered"],
    ["a good signature and a bad one", `${EXAMPLE}— example.com/foo Uw2QOgAA\n`, "tampered"],
    ["an unknown key besides", `${EXAMPLE}— example.com/bar Uw2QOgAA\n`, undefined],
    ["no empty line", EXAMPLE.replace("\n\n", "\n"), "unreadable"],
    ["no signature", "This is an example message.\n\n", "unreadable"],
    ["no last line end", EXAMPLE.trimEnd(), "unreadable"],
    ["a line that is no signature", `${EXAMPLE}and more\n`, "unreadable"],
    ["a plus in a name", `${EXAMPLE}— a+b Uw2QOgAA\n`, "unreadable"],
    ["a wide space in a name", `${EXAMPLE}— a\u3000b Uw2QOgAA\n`, "unreadable"],
    ["only a key id", `${EXAMPLE}— a Uw2QOg==\n`, "unreadable"],
    ["a control character", EXAMPLE.replace("This", "\tThis"), "unreadable"],
    ["many signatures", EXAMPLE + "— a Uw2QOgAA\n".repeat(63), undefined],
    ["too many signatures", EXAMPLE + "— a Uw2QOgAA\n".repeat(64), "unreadable"],
  ];
  const open = async (note: string) => signers(parseNote(note), [key]);
  for (const [name, note, expected] of rows) assert.equal(await verdict(open(note)), expected, name);
});

test("a key is taken only for what it is", () => {
  assert(parseKey(EXAMPLE_KEY, LOG));
  assert.equal(parseKey(EXAMPLE_KEY, WITNESS), undefined);
  const changes = [["foo", "fop"], ["530d", "530D"], ["530d", "530e"], ["+A", "+B"], ["2k", "2k="], ["+", ""]];
  for (const [from, to] of changes) assert.equal(parseKey(EXAMPLE_KEY.replace(from!, to!), LOG), undefined, to);
});

test("a checkpoint is the log's, and has its cosignatures", async () => {
  const policyLog = parseKey(log.vkey, LOG)!;
  const signed = async (text: string) => `${text}\n${await log.line(text)}`;
  const witnesses = await Promise.all(["one.example", "two.example"].map((name) => Signer.make(name, WITNESS)));
  const [one, two] = witnesses as [Signer, Signer];
  const keys = witnesses.map(({ vkey }) => parseKey(vkey, WITNESS)!);
  const text = body(9, naiveRoot(HASHES.slice(0, 9)));
  const note = await checkpoint(9);
  const twice = note + (await one.line(text, 5n)) + (await one.line(text, 7n));
  const opened = await openCheckpoint(twice, { log: policyLog, witnesses: keys, quorum: 1 });
  assert.deepEqual(opened.cosignatures, [{ key: keys[0], time: 7n }]);
  assert.deepEqual([opened.origin, opened.size], [ORIGIN, 9n]);

  const rows: [string, string, number, string | undefined][] = [
    ["no witness asked for", note, 0, undefined],
    ["one witness twice is not two", twice, 2, "tampered"],
    ["two witnesses", twice + (await two.line(text, 6n)), 2, undefined],
    ["a cosignature of another text", note + (await one.line(body(8, EMPTY_ROOT), 5n)), 0, "tampered"],
    ["a cosignature without its time", note + (await one.line(text)), 0, "tampered"],
    ["a time of zero", note + (await one.line(text, 0n)), 0, "tampered"],
    ["a time of more than 63 bits", note + (await one.line(text, 2n ** 63n)), 0, "tampered"],
    ["a witness alone", `${text}\n${await one.line(text, 5n)}`, 1, "tampered"],
    ["another log", await signed(body(9, EMPTY_ROOT, "elsewhere")), 0, "tampered"],
    ["an empty tree", await signed(body(0, EMPTY_ROOT)), 0, undefined],
    ["an empty tree with a root", await signed(body(0, HASHES[0]!)), 0, "tampered"],
    ["an extension line", await signed(`${text}and more\n`), 0, undefined],
    ["an empty extension line", await signed(`${text}\nand more\n`), 0, "unreadable"],
    ["zeros in front", await signed(text.replace("\n9\n", "\n09\n")), 0, "unreadable"],
    ["a short root", await signed(body(9, HASHES[0]!.subarray(1))), 0, "unreadable"],
    ["two lines", await signed(`${ORIGIN}\n9\n`), 0, "unreadable"],
  ];
  for (const [name, row, quorum, expected] of rows) {
    assert.equal(await verdict(openCheckpoint(row, { log: policyLog, witnesses: keys, quorum })), expected, name);
  }
});
