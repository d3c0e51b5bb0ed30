"""Verifies luzhang export files. Written from FORMAT.md alone: verify_export.py FILE..."""
import json, struct, sys
from blake3 import blake3
def derive(use, data): return blake3(data, derive_key_context=f"luzhang 2026 {use} v1").digest()
def varint(n): return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)
def need(holds, verdict, position):
    if not holds: raise ValueError(verdict, position)
def block(b, at, last):  # last: events, blocks, chain, block hash, epoch, time
    form, count, height, first, epoch, time, previous, begin, after, size = struct.unpack_from("<IIQQQq32s32s32sI", b)
    need(form == 0x0101 and count and height and first == at, "tampered", at)
    chain, offset, end = begin, 140, 140 + size
    for position in range(at, at + count):
        need(offset < end, "tampered", at)
        need(offset + 12 <= end, "tampered", position)
        length, tag = struct.unpack_from("<I8s", b, offset)
        event, offset = b[offset + 12:offset + 12 + length], offset + 12 + length
        chain = derive("event hash", chain + event)
        need(offset <= end and chain[:8] == tag and event.startswith(b"\x08" + varint(position)), "tampered", position)
    need(offset == end and chain == after and derive("block hash", b[:end]) == b[end:], "tampered", at)
    need(begin == last[2], "tampered", at if last[0] else None)
    need((height, previous) == (last[1] + 1, last[3]) and epoch >= last[4] and time > last[5], "tampered", at)
    return at + count - 1, height, chain, b[end:], epoch, time
def verify(f):
    last, offset = (0, 0, *[derive("genesis", f[16:32])] * 2, 0, 0), 32
    try:
        need(len(f) >= 32 and f[:16] == b"LUZHANG EXPORT 1", "unreadable", None)
        while True:
            at, rest, trailer = last[0] + 1, memoryview(f)[offset + 4:], struct.pack("<QQ32s32s", *last[:4])
            need(len(f) >= offset + 4, "truncated", at)
            length, = struct.unpack_from("<I", f, offset)
            if length == 0: break
            need(len(rest) != 112 or rest[:80] != trailer, "tampered", None)
            need(172 <= length <= 122880, "tampered", at)
            need(len(rest) < 140 or struct.unpack_from("<I", rest, 136)[0] + 172 == length, "tampered", at)
            need(len(rest) >= length, "truncated", at)
            last, offset = block(bytes(rest[:length]), at, last), offset + 4 + length
        need(len(rest) >= 112, "truncated", at)
        need(derive("export", f[:offset + 84]) == rest[80:112], "tampered", at if len(rest) > 112 else None)
        need(all(a <= b for a, b in zip(struct.unpack_from("<QQ", rest), last)), "truncated", at)
        need(rest[:80] == trailer and len(rest) == 112, "tampered", None)
        verdict, bad = "self_consistent" if last[0] else "empty", None
    except ValueError as problem: verdict, bad = problem.args
    return {"verdict": verdict, "events": last[0], "chain_head": last[2].hex() if last[0] else None, "first_bad_position": bad}
for name in sys.argv[1:]: print(json.dumps(verify(open(name, "rb").read())))
