"""Checks proofs with programs that are not ours, and has them make some.

`pymerkle` has the tree and inclusion proofs of RFC 6962; its proofs of consistency
have a form of their own, which it makes and checks here against our roots.
`proofbundle` has those of RFC 6962, and checkpoints, cosignatures and proofs as
C2SP has them.

Usage: merkle_peer.py DIRECTORY

DIRECTORY/tree has lines: `leaf HEX`, `root SIZE HEX`, `inclusion INDEX SIZE HEX…`
and `consistency OLD NEW HEX…`. DIRECTORY/log and DIRECTORY/witnesses are keys,
DIRECTORY/checkpoint, DIRECTORY/receipt and DIRECTORY/leaf what they vouch for.
Writes DIRECTORY/their-checkpoint, DIRECTORY/their-log and DIRECTORY/their-witness.
"""

import pathlib
import sys
from collections import Counter

import pymerkle
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from proofbundle import checkpoint, merkle, tlogproof


class Tree:
    """The same tree, by both packages."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self.roots = {0: merkle.merkle_tree_hash([])}
        self.theirs = pymerkle.InmemoryTree(algorithm="sha256")

    def leaf(self, data: bytes) -> None:
        self.leaves.append(data)
        self.theirs.append_entry(data)

    def root(self, size: int, root: bytes) -> None:
        assert self.theirs.get_state(size) == root, f"pymerkle: root of {size}"
        assert merkle.merkle_tree_hash(self.leaves[:size]) == root, f"root of {size}"
        self.roots[size] = root

    def inclusion(self, index: int, size: int, path: list[bytes]) -> None:
        data, root = self.leaves[index], self.roots[size]
        proof = self.theirs.prove_inclusion(index + 1, size)
        base = merkle.leaf_hash(data)
        assert proof.path == [base, *path], f"pymerkle: {index} in {size}"
        pymerkle.verify_inclusion(base, root, proof, index=index + 1, size=size)
        assert merkle.verify_inclusion(data, index, size, path, root)
        assert not merkle.verify_inclusion(data + b"x", index, size, path, root)

    def consistency(self, old: int, new: int, path: list[bytes]) -> None:
        before, after = self.roots[old], self.roots[new]
        assert merkle.consistency_proof(self.leaves[:new], old) == path, f"{old} to {new}"
        assert merkle.verify_consistency(old, new, path, before, after)
        assert not merkle.verify_consistency(old, new, path, after, before) or old == new
        proof = self.theirs.prove_consistency(old, new)
        pymerkle.verify_consistency(before, after, proof, prior_size=old, later_size=new)


def check_tree(lines: list[str]) -> Counter:
    tree, counts = Tree(), Counter()
    for line in lines:
        what, *words = line.split(" ")
        counts[what] += 1
        if what == "leaf":
            tree.leaf(bytes.fromhex(words[0]))
        elif what == "root":
            tree.root(int(words[0]), bytes.fromhex(words[1]))
        else:
            path = [bytes.fromhex(node) for node in words[2:]]
            getattr(tree, what)(int(words[0]), int(words[1]), path)
    return counts


def check_signed(directory: pathlib.Path) -> None:
    log = (directory / "log").read_text()
    witnesses = (directory / "witnesses").read_text().split()
    signed = (directory / "checkpoint").read_text()
    receipt = (directory / "receipt").read_text()
    leaf = (directory / "leaf").read_bytes()
    for changed, sound in [(signed, True), (signed.replace("\n2", "\n3", 1), False)]:
        verdict = checkpoint.verify_witnessed_checkpoint(
            changed, log, witnesses, threshold=len(witnesses)
        )
        assert verdict["ok"] is sound, verdict
    for data, sound in [(leaf, True), (leaf[::-1], False)]:
        verdict = tlogproof.verify_tlog_proof(
            receipt, data, log, witnesses, threshold=len(witnesses)
        )
        assert verdict["ok"] is sound, verdict


def sign(directory: pathlib.Path) -> None:
    log, witness = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (41, 42))
    name, root = "example.com/python", merkle.merkle_tree_hash([b"a", b"b", b"c"])
    signed = checkpoint.sign_checkpoint(name, 3, root, log, name)
    signed = checkpoint.cosign_checkpoint(signed, witness, "example.com/w", 1700000000)
    (directory / "their-checkpoint").write_text(signed)
    key = log.public_key().public_bytes_raw()
    (directory / "their-log").write_text(checkpoint.vkey(name, key))
    key = witness.public_key().public_bytes_raw()
    (directory / "their-witness").write_text(checkpoint.cosign_vkey("example.com/w", key))


def main() -> None:
    directory = pathlib.Path(sys.argv[1])
    counts = check_tree((directory / "tree").read_text().splitlines())
    check_signed(directory)
    sign(directory)
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))


main()
