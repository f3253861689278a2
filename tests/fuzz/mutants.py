#!/usr/bin/python3
"""Runs lsdn-explain on damaged copies of real models and photographs, one process each, and checks what it leaves behind.

    mutants.py PROGRAM COUNT SEED PHOTO...                  damages the photographs
    mutants.py PROGRAM COUNT SEED --models PHOTO MODEL...   damages the models and explains the photograph with them

Mutant k is made from the seed SEED + k alone: `mutants.py PROGRAM 1 SEED+k ...` makes it again. A run must end by itself with status 0 and a whole PNG,
or with status 1, a reason and no file, within 10 seconds (or, of a sanitizer build, ten times what it takes for the file as it was), and may take no
more than 1 GiB more than for the file as it was. What breaks this is kept in ./mutants-found. A sanitizer's report is status 77.
"""

import copy
import math
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import zlib
from pathlib import Path

SECONDS, GROWTH_KIB, REPORTED = 10, 1 << 20, 77

# Which fields of ONNX's messages are messages; all other lengths are of bytes.
MESSAGES = {
    "model": {7: "graph", 8: "opset"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor"},
    "value": {2: "type"},
    "type": {1: "tensor_type"},
    "tensor_type": {2: "shape"},
    "shape": {1: "dimension"},
}
NUMBERS = [0, 1, 2, 3, 6, 7, 9, 11, 127, 255, 4096, 65535, 2**24, 2**30, 2**31 - 1, 2**31, 2**32, 2**62, 2**63, 2**64 - 1, 2**64 - 2]
FLOATS = [bytes.fromhex(x) for x in ("0000c07f", "0000807f", "000080ff", "ffff7f7f", "01000000", "00000080")]
WORDS = [b"", b"Conv", b"Relu", b"Concat", b"Reshape", b"Gemm", b"Add", b"Mul", b"Flatten", b"Softmax", b"BatchNormalization", b"MaxPool", b"LRN",
         b"Identity", b"Constant", b"Transpose", b"Sum", b"GlobalAveragePool", b"\xff\xfe", b"\n\x1b[2J", b"x" * 5000]


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


class Message:
    """A protobuf message as a list of [tag, value]: a whole number, bytes, or a message."""

    def __init__(self, data, kind):
        self.kind, self.fields = kind, []
        at = 0
        while at < len(data):
            tag, at = read_varint(data, at)
            if tag & 7 == 0:
                value, at = read_varint(data, at)
            else:
                size, at = (8, at) if tag & 7 == 1 else (4, at) if tag & 7 == 5 else read_varint(data, at)
                value, at = data[at:at + size], at + size
                child = MESSAGES.get(kind, {}).get(tag >> 3)
                value = Message(value, child) if child else bytes(value)
            self.fields.append([tag, value])

    def all(self):
        """This message and those in it, leaves too, so that each is as likely to be damaged."""
        yield self
        for _, value in self.fields:
            if isinstance(value, Message):
                yield from value.all()

    def write(self, out, at, places, lengths):
        """Appends parts to out; places gets the ranges of bytes that are structure, lengths the places of lengths. Returns the size."""
        start = at
        for tag, value in self.fields:
            head = varint(tag)
            if tag & 7 == 0:
                head += varint(value)
                body, size = [], 0
            else:
                body, inner, inner_lengths = [], [], []
                if isinstance(value, Message):
                    size = value.write(body, 0, inner, inner_lengths)
                else:
                    body, size = [value], len(value)
                    inner = [(0, size)] if 0 < size <= 64 else []
                if tag & 7 == 2:
                    lengths.append(at + len(head))
                    head += varint(size)
                places.extend((at + len(head) + a, at + len(head) + b) for a, b in inner)
                lengths.extend(at + len(head) + a for a in inner_lengths)
            places.append((at, at + len(head)))
            out.append(head)
            out.extend(body)
            at += len(head) + size
        return at - start


def damage_bytes(r, value):
    value = bytearray(value)
    choice = r.randrange(6)
    if choice == 0:
        return r.choice(WORDS)
    if choice == 1 and value:
        at = r.randrange(len(value))
        value[at] ^= 1 << r.randrange(8)
    elif choice == 2:
        del value[r.randrange(len(value) + 1):]
    elif choice == 3:
        value += value[:r.randrange(len(value) + 1)] or b"\0"
    elif choice == 4 and len(value) >= 4:
        at = r.randrange(len(value) // 4) * 4
        value[at:at + 4] = r.choice(FLOATS)
    else:
        value += varint(r.choice(NUMBERS))
    return bytes(value)


def damage_tree(r, model):
    messages = list(model.all())
    for _ in range(r.choice([1, 1, 1, 2, 4])):
        message = r.choice(messages)
        fields = message.fields
        if not fields:
            continue
        at, other = r.randrange(len(fields)), r.randrange(len(fields))
        choice = r.randrange(8)
        if choice == 0:
            fields.insert(other, copy.deepcopy(fields[at]))
        elif choice == 1:
            del fields[at]
        elif choice == 2:
            fields[at], fields[other] = fields[other], fields[at]
        elif choice == 3:
            like = [m for m in messages if m.kind == message.kind and m.fields]
            fields[at] = copy.deepcopy(r.choice(r.choice(like).fields))
        elif isinstance(fields[at][1], int):
            fields[at][1] = r.choice([r.choice(NUMBERS), (fields[at][1] + r.choice([-1, 1])) % 2**64])
        elif isinstance(fields[at][1], bytes) and fields[at][0] & 7 == 2:
            fields[at][1] = damage_bytes(r, fields[at][1])
        else:
            like = [f for m in messages for f in m.fields if f[0] == fields[at][0]]
            fields[at][1] = copy.deepcopy(r.choice(like)[1])


def damage_model(r, tree):
    tree = copy.deepcopy(tree)
    if r.random() < 0.7:
        damage_tree(r, tree)
    parts, places, lengths = [], [], []
    tree.write(parts, 0, places, lengths)
    data = bytearray(b"".join(parts))
    choice = r.randrange(10)
    if choice < 3:
        for _ in range(r.choice([1, 2, 8])):
            data[min(r.randrange(*r.choice(places)), len(data) - 1)] ^= 1 << r.randrange(8)
    elif choice == 3:
        at = r.choice(lengths)
        data[at:read_varint(data, at)[1]] = varint(r.choice(NUMBERS))
    elif choice == 4:
        del data[r.choice([r.randrange(len(data)), r.randrange(*r.choice(places))]):]
    return data


def png_mended(data):
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        if at + 12 + size > len(data):
            break
        data[at + 8 + size:at + 12 + size] = zlib.crc32(data[at + 4:at + 8 + size]).to_bytes(4, "big")
        at += 12 + size


def damage_photo(r, data, others):
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 4, 16])):
        size = len(data)
        if size < 2:
            break
        # Headers and tables come first: half of all damage goes there.
        at, to = (r.randrange(min(size, 700)) if r.random() < 0.5 else r.randrange(size) for _ in range(2))
        length = r.randrange(1, r.choice([4, 64, 4096]))
        choice = r.randrange(9)
        if choice < 3:
            data[at] ^= 1 << r.randrange(8)
        elif choice == 3:
            data[at] = r.choice([0, 1, 127, 128, 255])
        elif choice == 4:
            data[to:to] = data[at:at + length]
        elif choice == 5:
            del data[at:at + length]
        elif choice == 6:
            data[at:at + length] = r.choice(others)[to:to + length]
        elif choice == 7:
            markers = [i for i in range(size - 4) if data[i] == 255 and 0xc0 <= data[i + 1] < 0xff] or [at]
            place = r.choice(markers) + 2
            data[place:place + 2] = r.choice([0, 1, 2, 3, 17, 255, 65535, length]).to_bytes(2, "big")
        elif r.random() < 0.3:
            del data[at:]
    if data[:4] == b"\x89PNG" and r.random() < 0.7:
        png_mended(data)
    return data


def png_whole(path):
    data = path.read_bytes()
    at = 8
    while data[:8] == b"\x89PNG\r\n\x1a\n" and at + 12 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        if zlib.crc32(data[at + 4:at + 8 + size]) != int.from_bytes(data[at + 8 + size:at + 12 + size], "big"):
            return False
        if data[at + 4:at + 8] == b"IEND":
            return at + 12 == len(data)
        at += 12 + size
    return False


def explain(command, folder, limit):
    """Status (or minus the signal), seconds, peak KiB and what was said of one run whose picture goes to folder/out/why.png."""
    said = folder / "said"
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.nice(19)
        signal.alarm(limit)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        os.execv(command[0], command + ["--output", str(folder / "out" / "why.png")])
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - start, usage.ru_maxrss, said.read_bytes()


def complaint(status, said, growth, out):
    left = sorted(p.name for p in out.iterdir())
    if status < 0:
        return "slow" if status == -signal.SIGALRM else signal.Signals(-status).name
    if status not in (0, 1):
        return f"status {status}"
    if growth > GROWTH_KIB:
        return f"takes {growth // 1024} MiB more"
    if status == 0 and (left != ["why.png"] or not png_whole(out / "why.png")):
        return "no whole picture"
    if status == 1 and (left or not said.startswith(b"lsdn-explain: ")):
        return f"left {left}" if left else "gives no reason"
    return None


def main():
    program, count, seed = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    models = sys.argv[4] == "--models"
    photo, sources = (sys.argv[5:6], sys.argv[6:]) if models else ([], sys.argv[4:])
    sources = [Path(s).resolve() for s in sources]
    os.environ.update(ASAN_OPTIONS=f"exitcode={REPORTED}", UBSAN_OPTIONS=f"exitcode={REPORTED}", LSAN_OPTIONS="leak_check_at_exit=0",
                      OMP_NUM_THREADS="1")
    loaded = {s: s.read_bytes() for s in sources}
    trees = {s: Message(memoryview(loaded[s]), "model") for s in sources} if models else {}
    sanitized = b"libasan" in Path(program).read_bytes()
    work = Path(tempfile.mkdtemp(prefix="lsdn-mutants-", dir="/dev/shm"))
    usual, failures, statuses, slowest, most = {}, 0, {0: 0, 1: 0}, 0, 0
    for k in range(-1, count):
        r = random.Random(seed + k)
        source = r.choice(sources)
        folder = work / source.stem
        if source not in usual:  # the file as it was
            (folder / "out").mkdir(parents=True)
            for beside in (source.with_suffix(".cfg"), source.parent / "labels.txt"):
                if models and beside.exists():
                    (folder / beside.name).symlink_to(beside)
        mutant = folder / source.name
        command = [program, "--threads", "1"] + (["--model", str(mutant), photo[0]] if models else [str(mutant)])
        if source not in usual:
            mutant.write_bytes(loaded[source])
            usual[source] = explain(command, folder, 600)[1:3]
            for left in (folder / "out").iterdir():
                left.unlink()
        if k < 0:
            continue
        mutant.write_bytes(damage_model(r, trees[source]) if models else damage_photo(r, loaded[source], list(loaded.values())))
        status, seconds, peak, said = explain(command, folder, max(SECONDS, math.ceil(10 * usual[source][0]) if sanitized else 0))
        growth = peak - usual[source][1]
        wrong = complaint(status, said, growth, folder / "out")
        statuses[status] = statuses.get(status, 0) + 1
        slowest, most = max(slowest, seconds), max(most, growth)
        for left in (folder / "out").iterdir():
            left.unlink()
        if wrong:
            failures += 1
            found = Path("mutants-found")
            found.mkdir(exist_ok=True)
            shutil.copy(mutant, found / f"{seed + k}-{source.name}")
            print(f"{seed + k} {source.name}: {wrong}: {said[-300:].decode(errors='replace')}", flush=True)
    shutil.rmtree(work)
    print(f"{count} mutants from seed {seed}: {statuses[0]} explained, {statuses[1]} refused, {failures} wrong; slowest {slowest:.1f} s, "
          f"largest growth {most / 1024:.0f} MiB")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
