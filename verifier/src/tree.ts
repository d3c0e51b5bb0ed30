// The Merkle tree of RFC 6962 over SHA-256. Its leaves are event hashes: the
// event at position P is leaf P - 1.

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal } from "./bytes.js";

/** Of no leaves. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array());

export function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(0), leaf));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(1), left, right));
}

/** A tree that only grows. It keeps the roots of its full subtrees, largest
 *  first: one for each bit that is set in its size. */
export class Frontier {
  size = 0n;
  readonly #full: Uint8Array[] = [];

  append(leaf: Uint8Array): void {
    let hash = leafHash(leaf);
    for (let bits = this.size; bits & 1n; bits >>= 1n) hash = nodeHash(this.#full.pop()!, hash);
    this.#full.push(hash);
    this.size += 1n;
  }

  root(): Uint8Array {
    if (this.#full.length === 0) return EMPTY_ROOT;
    return this.#full.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** Whether the path leads from this leaf to the root, with nothing left over. */
export function includes(
  tree: { size: bigint; root: Uint8Array },
  index: bigint,
  leaf: Uint8Array,
  path: Uint8Array[],
): boolean {
  if (index >= tree.size) return false;
  const climb = new Climb(index, tree.size - 1n);
  let hash = leafHash(leaf);
  for (const sibling of path) {
    if (climb.atRoot()) return false;
    hash = climb.siblingIsLeft() ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    climb.up();
  }
  return climb.atRoot() && equal(hash, tree.root);
}

/** Whether the path shows that the new tree begins with the leaves of the old one. */
export function continues(
  old: { size: bigint; root: Uint8Array },
  next: { size: bigint; root: Uint8Array },
  path: Uint8Array[],
): boolean {
  if (old.size > next.size) return false;
  if (old.size === 0n) return path.length === 0 && equal(old.root, EMPTY_ROOT);
  if (old.size === next.size) return path.length === 0 && equal(old.root, next.root);
  const climb = new Climb(old.size - 1n, next.size - 1n);
  climb.skipFull();
  // The path begins with the largest full subtree that ends the old tree. If that
  // is the whole old tree, its root is known and left out.
  const [start, ...rest] = climb.index === 0n ? [old.root, ...path] : path;
  if (start === undefined) return false;
  let oldHash = start;
  let newHash = start;
  for (const sibling of rest) {
    if (climb.atRoot()) return false;
    if (climb.siblingIsLeft()) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    climb.up();
  }
  return climb.atRoot() && equal(oldHash, old.root) && equal(newHash, next.root);
}

/** The way from a node to the root: where it stands on its level, and where the
 *  level's last node does (RFC 9162 sections 2.1.3.2 and 2.1.4.2). */
class Climb {
  constructor(
    public index: bigint,
    private last: bigint,
  ) {}

  atRoot(): boolean {
    return this.last === 0n;
  }

  /** A last node without a sibling on its right takes the next one on its left,
   *  which is on a higher level. */
  siblingIsLeft(): boolean {
    return (this.index & 1n) === 1n || this.index === this.last;
  }

  up(): void {
    if ((this.index & 1n) === 0n && this.index === this.last) {
      while (this.index !== 0n && (this.index & 1n) === 0n) this.#shift();
    }
    this.#shift();
  }

  /** While the node is a right child, its parent is full and ends where it does. */
  skipFull(): void {
    while ((this.index & 1n) === 1n) this.#shift();
  }

  #shift(): void {
    this.index >>= 1n;
    this.last >>= 1n;
  }
}
