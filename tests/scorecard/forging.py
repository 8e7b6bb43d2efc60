"""Hostile journal and workflow files: forged by somebody who knows the format, with checksums that fit.

Each would leave a file called `pwned`, import `antigravity`, read `/etc/passwd`, or take all memory, if it had its way.
"""

from __future__ import annotations

import base64
import itertools
import json
import pickle
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orchestration_kit.journal.codec
from orchestration_kit.engine.summary import Totals
from orchestration_kit.journal import codec
from orchestration_kit.journal.chain import next_check, seal_facts, seal_standing, write_totals
from orchestration_kit.journal.codec.reading import READERS
from orchestration_kit.journal.port import Facts, Row, Standing
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.damage import flip_bits, overwrite_span
from tests.support import step, workflow_of

COMMAND = "touch pwned"


class _Pickled:
    def __reduce__(self):
        import os

        return (os.system, (COMMAND,))


PICKLE = pickle.dumps(_Pickled())


def _payloads() -> list[Any]:
    packed = base64.b64encode(PICKLE).decode()
    return [
        "os.system",
        ["os.system", COMMAND],
        ["os.system", [COMMAND]],
        ["subprocess.Popen", {"args": COMMAND, "shell": True}],
        ["subprocess.Popen", [["args", COMMAND]]],
        ["builtins.exec", "import antigravity"],
        ["antigravity", {"fly": 1}],
        "/etc/passwd",
        "../../../../etc/passwd",
        "antigravity.fly/us",
        packed,
        ["O", [1], packed],
        ["object", [1], packed],
        ["|O", [10**9], {"$bytes": packed}],
        ["<f8", [10**15], ""],
        ["object", [10**9], []],
        ["V9999999999", [1], packed],
        ["frame", packed],
        ["table", {"$bytes": packed}],
        ["pickle", packed],
        {"__reduce__": ["os.system", [COMMAND]]},
        [[["__class__", "os.system"]]],
        [10**400, 0, 0],
        "9" * 5_000,
        "1e999999999",
        {"$blob": "0" * 32},
        None,
        [],
    ]


def forged_values() -> Iterator[Any]:
    """Values of every tag there is, and of some that there are not."""
    invented = ("$pickle", "$object", "$import", "$python", "$eval", "$ref", "$type", "py/object", "__reduce__", "$")
    for tag, payload in itertools.product((*sorted(READERS), *invented), _payloads()):
        yield {tag: payload}


def raw_bodies() -> Iterator[bytes]:
    """Bodies that are hardly JSON."""
    deep = 200_000
    yield b"[" * deep
    yield b'{"$tuple":[' * deep
    yield b'["a","","quick",1,1,0.0,0.0,null,' + b"[" * deep + b"]" * deep + b"]"
    yield b'["a","","quick",1,1,0.0,0.0,null,' + b"9" * 100_000 + b"]"
    yield b'["a","","quick",1,1,NaN,Infinity,null,null]'
    yield b'["e","completed",null,1e999,1]'
    yield b'["e","completed",null,0.0,' + b"9" * 10_000 + b"]"
    yield b'["a","","__import__(\'os\')",1,1,0.0,0.0,null,null]'
    yield b'["a","../","quick",1,1,0.0,0.0,"antigravity",null]'
    yield b"\xff\xfe\x00["
    yield b"\x80\x04" + PICKLE
    yield PICKLE
    yield zlib.compress(b"[" * 10_000_000)
    yield b'["f","quick#1",0.0,[["x",["d",[["y",["i",99999999999,["=",1]]]],["z"]]]],[],null]'
    yield b'["f","quick#1",0.0,[["x",["l",-1,-1,[]]]],[],null]'
    yield b'["r"]'
    yield b"null"
    yield b""
    yield b'["a"]'
    yield b'{"$blob":"' + b"0" * 32 + b'"}'


class Forge:
    """Writes one journal file of forged runs."""

    def __init__(self, path: Path) -> None:
        self.journal = SQLiteJournal(path)
        workflow = workflow_of(step("quick", "done"), step("done", worker_type="quick"))
        self.skeleton = {
            "definition": workflow.to_dict(),
            "workers": [["quick", "quick", "quick", None], ["done", "quick", "quick", None]],
        }
        self.count = 0

    def header(self, **changed: Any) -> dict[str, Any]:
        return {
            "v": 1,
            "goal": "g",
            "fingerprint": "f",
            "seed": "s",
            "limits": {"max_steps": 1000, "max_seconds": None, "max_cost_usd": None, "max_tokens": None},
            "data": [],
            **changed,
        }

    def run(self, *bodies: bytes, header: bytes | None = None, skeleton: bytes | None = None, **blobs: bytes) -> None:
        """Add a run with these row bodies."""
        self.count += 1
        content = zlib.compress(skeleton if skeleton is not None else codec.dumps(self.skeleton))
        digest = codec.content_digest(content)
        stored = {digest: content, **{codec.content_digest(blob): blob for blob in blobs.values()}}
        plain = header if header is not None else json.dumps(self.header(skeleton=digest)).encode()
        run_id = f"forged{self.count}"
        facts = seal_facts(
            Facts(run_id, "flow", 0.0, None, None, 0, {}, plain.replace(b"SKELETON", digest.encode()), b"")
        )
        check, rows = facts.check, []
        for seq, body in enumerate(bodies, 1):
            check = next_check(check, seq, body)
            rows.append(Row(seq, body, check))
        empty = Standing("in_progress", None, None, 0, write_totals(facts.check, Totals()), b"")
        lease = self.journal.create(facts, seal_standing(run_id, empty), stored)
        standing = Standing("in_progress", None, None, len(rows), write_totals(check, Totals()), b"")
        self.journal.append(lease, rows, {}, standing=seal_standing(run_id, standing), release=True)


def attempt_of(value: Any) -> bytes:
    return json.dumps(["a", "", "quick", 1, 1, 0.0, 0.0, "done", value]).encode()


def forge_files(folder: Path, count: int, *, share_of_values: float) -> None:
    """Write `count` hostile files: journals (.db) and workflows (.yaml, .json)."""
    writers = [*_workflow_files(), *_header_files(), *_body_files(), *_blob_files()]
    values = list(forged_values())
    random.Random(15).shuffle(values)
    del values[int(len(values) * share_of_values) :]
    forged = count - len(writers) - count // 5
    assert forged > 20
    share = -(-len(values) // forged)
    writers += [_values_file(values[n : n + share]) for n in range(0, len(values), share)]
    for number, (suffix, write) in enumerate(writers):
        write(folder / f"{number:03}.{suffix}")
    draw = random.Random(16)
    originals = sorted(folder.glob("*.db"))
    for number in range(len(writers), count):
        path = folder / f"{number:03}.db"
        path.write_bytes(draw.choice(originals).read_bytes())
        draw.choice([flip_bits, overwrite_span])(path, draw)


def _values_file(values: list[Any]) -> tuple[str, Any]:
    def write(path: Path) -> None:
        forge = Forge(path)
        for value in values:
            forge.run(attempt_of(value))
            forge.run(header=json.dumps(forge.header(skeleton="SKELETON", data=[["x", value]], goal=value)).encode())
        forge.journal.close()

    return "db", write


def _body_files() -> Iterator[tuple[str, Any]]:
    for body in raw_bodies():

        def write(path: Path, body: bytes = body) -> None:
            forge = Forge(path)
            forge.run(body)
            forge.run(attempt_of(1), body)
            forge.run(header=body)
            forge.run(attempt_of(1), skeleton=body)
            forge.journal.close()

        yield "db", write


def _header_files() -> Iterator[tuple[str, Any]]:
    conditions = [
        "__import__('os').system('touch pwned')",
        "(" * 50_000,
        "output.map(x, output.map(y, y))",
        "a" * 10_000,
    ]
    for text in conditions:

        def write(path: Path, text: str = text) -> None:
            forge = Forge(path)
            definition = workflow_of(step("quick", "done"), step("done", worker_type="quick")).to_dict()
            for fields in ({"branches": [{"when": text, "to": "done"}]}, {"success_when": text}, {"worker_type": text}):
                steps = json.loads(json.dumps(definition))
                target = steps["steps"]
                (target["quick"] if isinstance(target, dict) else target[0]).update(fields)
                content = json.dumps({"definition": steps, "workers": forge.skeleton["workers"]}).encode()
                forge.run(attempt_of({"score": 1}), skeleton=content)
            forge.journal.close()

        yield "db", write
    for changed in (
        {"v": 99},
        {"limits": {"__class__": "os.system"}},
        {"limits": {"max_steps": "os.system"}},
        {"seed": {"$tuple": ["os.system"]}},
        {"data": [["x"]]},
        {"data": {"$dict": [["x", 1]]}},
        {"skeleton": "0" * 64},
        {"skeleton": "../../etc/passwd"},
    ):

        def write(path: Path, changed: dict[str, Any] = changed) -> None:
            forge = Forge(path)
            forge.run(header=json.dumps(forge.header(**{"skeleton": "SKELETON", **changed})).encode())
            forge.journal.close()

        yield "db", write


def _blob_files() -> Iterator[tuple[str, Any]]:
    many = b"[" + b",".join([b'{"$blob":"%s"}'] * 1) + b"]"
    blobs = [PICKLE, zlib.compress(bytes(10_000_000)), b"[" * 100_000, many, b'{"$blob":"' + b"0" * 64 + b'"}']
    for blob in blobs:

        def write(path: Path, blob: bytes = blob) -> None:
            forge = Forge(path)
            digest = codec.content_digest(blob)
            for tag in ("$blob", "$bytes", "$arrow", "$dataframe", "$ndarray"):
                for payload in (digest, {"$blob": digest}, ["table", {"$blob": digest}], [{"$blob": digest}] * 1_000):
                    forge.run(attempt_of({tag: payload}), forged=blob)
            forge.journal.close()

        yield "db", write


def _workflow_files() -> Iterator[tuple[str, Any]]:
    lol = "\n".join(["a0: &a0 [lol]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))])
    texts = [
        ("yaml", f'!!python/object/apply:os.system ["{COMMAND}"]'),
        ("yaml", f'name: !!python/object/apply:os.system ["{COMMAND}"]\nsteps: []'),
        ("yaml", "name: !!python/name:os.system\nsteps: []"),
        ("yaml", "name: !!python/module:antigravity\nsteps: []"),
        ("yaml", f"name: x\nsteps: !!python/object/new:subprocess.Popen [[{COMMAND}]]"),
        ("yaml", lol),
        ("yaml", "[" * 100_000),
        ("yaml", "a: &a [*a]"),
        ("yaml", "name: x\nsteps:\n  a: {worker_type: any, success_when: \"__import__('os').system('touch pwned')\"}"),
        ("yaml", "? {a: b}\n: c"),
        ("yaml", "\x00"),
        ("yaml", "name: 2026-99-99\nsteps: !!binary cG93bg=="),
        ("json", "[" * 100_000),
        ("json", '{"name": "x", "steps": ' + "9" * 100_000 + "}"),
        ("json", '{"name": {"$model": ["os.system", {}]}, "steps": {}}'),
        ("json", '{"__reduce__": ["os.system", ["touch pwned"]]}'),
        ("json", "NaN"),
        ("json", '{"name": "x", "kind": "os.system", "steps": {"a": {"kind": "antigravity"}}}'),
    ]
    for suffix, text in texts:
        yield suffix, lambda path, text=text: path.write_text(text)


assert orchestration_kit.journal.codec  # its readers are installed by importing it
