"""A cassette is data: whatever stands in it, nothing is imported, executed or opened because of it."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.hostile import PAYLOADS

V1 = Path(__file__).parents[1] / "histories" / "cassette_v1.yaml"
MANY = 260

ATTACKS = (
    "!!python/object/apply:os.system ['touch pwned']", "!!python/name:os.system", "!!python/module:pwned", "!!python/object/new:subprocess.Popen [[touch, pwned]]",
    "!!python/object/apply:builtins.eval ['1']", "!!binary aGVsbG8=", "!!set {a, b}", "!<tag:yaml.org,2002:python/object/apply:os.system> [x]", "&a [*a]", "*x", "<<: {a: b}",
    "{$model: [os.system, {}, null, null, null]}", "{$dataclass: [subprocess.Popen, {args: [touch, pwned]}]}", "{$enum: [os.system, x]}", "{$namedtuple: [pwned.Thing, {a: 1}]}",
    "{$ndarray: [object, [1], [{$model: [pwned, {}, null, null, null]}]]}", "{$ndarray: ['|O', [1], gASVAAAA]}", "{$ndarray: ['<U9999999', [1], AAAA]}", "{$ndarray: ['|S3', 5, {a: b}]}",
    "{$arrow: [table, AAAA]}", "{$dataframe: [1, 2, 3, 4, 5]}", "{$pickle: gASVAAAA}", "{$bytes: '***'}", "{$bytes: 7}", "{$bytes: {blob: ../../etc/passwd}}", "{$str: /w==}", "{$set: [[1]]}",
    "{$set: 5}", "{$model: 5}", "{$blob: '00000000000000000000000000000000'}", "{$path: /etc/passwd}", "{$zoneinfo: ../../../etc/passwd}", "{$zoneinfo: Europe/Berlin}", "{$int: 'x'}",
    "{$decimal: '1e999999999'}", "{$fraction: [1, 0]}", "{$range: [0, 99999999999999, 1]}", "{$defaultdict: [__import__, []]}", "{$defaultdict: [os.system, [[a, b]]]}", "{$timezone: [x, y]}",
    "{$dict: [[{$dict: []}, 1]]}", "{$dict: [[1]]}", "{$pandas_array: [os, 1]}", "{$index: [__class__, 1, 2]}", "{$unknown: 1}", "{$a: 1, $b: 2}", "{$uuid: x}", "{$date: x}", "{$deque: [5, 6]}",
    "__import__('os').system('touch pwned')", "${PATH}", "{{ 7*7 }}", "file:///etc/passwd", "../../../../etc/passwd", "\\N{BULLET}", "[[[[[[[[[[", "{a: {a: {a: ", "1e400", "0x" + "f" * 50, "9" * 5000,
    "\0", "\ufeff", "---\nx: 1", "...\n", "? [a]\n: b", "'", '"', "|9\n x", ">+\n x", "%YAML 9.9\n---\n", "%TAG ! tag:x,2002:\n---\n", "-", ": ", "#", "\t", "@", "`", "~",
)  # fmt: skip


def mutants() -> list[str]:
    """Cassettes gone bad: hostile values in every place, and bytes changed at random; always the same ones."""
    dice = random.Random("cassettes")
    good = V1.read_text()
    lines = good.splitlines()
    made = []
    for attack in ATTACKS:
        for field in ("output:", "input:", "message:", "type:", "notes:", "cassette:"):
            at = dice.choice([i for i, line in enumerate(lines) if line.strip().startswith(field)] or [len(lines) - 1])
            made.append("\n".join([*lines[:at], f"{lines[at].partition(':')[0]}: {attack}", *lines[at + 1 :]]))
    for payload in PAYLOADS:
        clean = payload.encode("utf-8", "replace").decode()
        made.append(good.replace("the model is busy", clean).replace("A bakery in Bonn", clean))
    for _ in range(200):
        text = list(good)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(text))
            action = dice.random()
            if action < 0.4:
                text[at] = chr(dice.choice([dice.randrange(32, 127), dice.randrange(0x110000 - 0x3000) % 0xD800]))
            elif action < 0.7:
                del text[at : at + dice.randint(1, 40)]
            else:
                text[at:at] = dice.choice([":", "- ", "\n", "  ", "{", "[", "$model", "!!", "&a ", "*a", '"', "'"])
        made.append("".join(text))
    return made


WATCHED = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from orchestration_kit.errors import OrchestrationError
    from orchestration_kit.journal.cassette import Cassette, CassetteMiss, cassette
    from orchestration_kit.journal.cassette import outcomes as recorded_outcome
    from tests.journal.tapes import Site, run
    import numpy, pandas, pyarrow, asyncio, zoneinfo, unicodedata, pydantic, yaml
    from orchestration_kit.journal.codec import arrays
    from orchestration_kit.journal.codec import tables
    from orchestration_kit.journal.codec import arrow
    from orchestration_kit.journal.codec import kinds
    "".encode("utf-32-le"), "".encode("utf-32-be"), "".encode("latin-1"), "".encode("utf-8", "surrogatepass")
    folder = Path(sys.argv[1])
    good = Path(sys.argv[2])
    with cassette(good, "replay"):  # what a replay loads lazily is loaded now
        run(Site().hub(), "A bakery in Bonn", "site")
    kinds.zone_names()
    zoneinfo.ZoneInfo("Europe/Berlin")  # one of a known list, kept once it was read
    try:
        run(Site().hub(), "A bakery in Bonn", "site")
        with cassette(good, "replay"):
            run(Site().hub(), "another", "site")
    except BaseException:
        pass
    WATCHED = {"import", "exec", "compile", "open", "os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "pickle.find_class", "ctypes.dlopen", "marshal.loads", "code.__new__"}
    seen, watching, allowed = [], [False], [None]
    def hook(event, args):
        if not watching[0] or event not in WATCHED:
            return
        if event == "open" and str(args[0]) == allowed[0]:
            return
        if event == "import" and args[0] in sys.modules:
            return
        seen.append((event, str(args)[:200]))
    sys.addaudithook(hook)
    outcomes = {}
    for file in sorted(folder.iterdir()):
        hub = Site().hub()
        started = hub.start("site", "A bakery in Bonn")
        allowed[0] = str(file)
        watching[0] = True
        try:
            with cassette(file, "replay") as tape:
                for one in tape:
                    try:
                        recorded_outcome.outcome_of(one), one.input, repr(one)
                    except (OrchestrationError, ValueError):
                        pass
                run(hub, "A bakery in Bonn", "site")
            outcome = "replayed"
        except (OrchestrationError, CassetteMiss) as error:
            outcome = type(error).__name__
            str(error)
        finally:
            watching[0] = False
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if seen:
            print(file.read_text()[-3000:], seen, file=sys.stderr)
            sys.exit(1)
    print(outcomes)
    """
)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_hostile_cassettes_do_nothing(tmp_path, every):
    folder = tmp_path / "files"
    folder.mkdir()
    texts = mutants()[::every]
    assert len(texts) > MANY / every
    for number, text in enumerate(texts):
        (folder / f"{number:04}.yaml").write_text(text, encoding="utf-8", errors="replace")
    done = subprocess.run([sys.executable, "-c", WATCHED, str(folder), str(V1)], capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[2])  # fmt: skip
    assert done.returncode == 0, done.stderr[-6000:]
    print(f"{len(texts)} hostile cassettes: {done.stdout.strip()}")
    assert not (Path(__file__).parents[2] / "pwned").exists()
