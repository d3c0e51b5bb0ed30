import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, hex, utf8 } from "luzhang-verifier/bytes.js";
import { EMPTY_ROOT, Frontier, continues, includes } from "luzhang-verifier/tree.js";
import { flipped, naivePath, naiveProof, naiveRoot } from "./support.js";

const MOST = 64;
const LEAVES = Array.from({ length: MOST }, (_, index) => utf8(`leaf ${index}`));
const TREES = Array.from({ length: MOST + 1 }, (_, size) => ({
  size: BigInt(size),
  root: naiveRoot(LEAVES.slice(0, size)),
}));

/** Paths that are not this one: each hash changed, one too few, one too many. */
function wrong(path: Uint8Array[]): Uint8Array[][] {
  return [
    ...path.map((hash, at) => path.with(at, flipped(hash, (7 * at) % 32, at % 8))),
    ...(path.length > 0 ? [path.slice(1), path.slice(0, -1)] : []),
    [...path, EMPTY_ROOT],
    [EMPTY_ROOT, ...path],
    [...path, ...path.slice(-1), EMPTY_ROOT],
  ];
}

test("the roots of the certificate transparency test vectors", () => {
  const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
  const tree = new Frontier();
  assert.equal(hex(tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const roots = leaves.map((leaf) => {
    tree.append(fromHex(leaf, leaf.length / 2)!);
    return hex(tree.root());
  });
  assert.deepEqual(roots, [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ]);
});

test("a tree that grows has the roots of the tree that is recomputed", () => {
  const tree = new Frontier();
  for (const { root } of TREES) {
    assert.deepEqual(tree.root(), root);
    tree.append(LEAVES[Number(tree.size) % MOST]!);
  }
});

test("every leaf is in every tree, by its own path only", () => {
  for (const tree of TREES) {
    for (let index = 0; index < tree.size; index += 1) {
      const path = naivePath(index, LEAVES.slice(0, Number(tree.size)));
      const holds = (at: bigint, leaf: Uint8Array, hashes = path, of = tree) => includes(of, at, leaf, hashes);
      const leaf = LEAVES[index]!;
      assert(holds(BigInt(index), leaf));
      for (const other of wrong(path)) assert(!holds(BigInt(index), leaf, other));
      assert(!holds(BigInt(index), utf8("another")));
      assert(!holds(BigInt(index), leaf, path, { ...tree, root: flipped(tree.root, index % 32) }));
      for (let at = 0n; at < tree.size + 2n; at += 1n) assert(at === BigInt(index) || !holds(at, leaf));
    }
  }
});

test("every tree continues every smaller one, by its own proof only", () => {
  for (const next of TREES) {
    for (const old of TREES) {
      if (old.size > next.size) {
        assert(!continues(old, next, naiveProof(Number(next.size), LEAVES.slice(0, Number(old.size)))));
        continue;
      }
      const proof = naiveProof(Number(old.size), LEAVES.slice(0, Number(next.size)));
      assert(continues(old, next, proof));
      for (const other of wrong(proof)) assert(!continues(old, next, other));
      assert(!continues({ ...old, root: flipped(old.root, 5) }, next, proof));
      // From nothing everything follows; the new root is then the signature's matter.
      if (old.size === 0n) continue;
      assert(!continues(old, { ...next, root: flipped(next.root, 5) }, proof));
      assert(!continues(old, { ...next, size: 2n * next.size }, proof));
    }
  }
});
