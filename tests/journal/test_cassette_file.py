"""The file: readable, stable, whole, shared, and checked."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestration_kit.journal.cassette import Cassette, CassetteError, cassette
from orchestration_kit.journal.cassette import tape as cassette_module
from orchestration_kit.journal.cassette import tape_file as cassette_file
from orchestration_kit.journal.cassette.file_lock import exclusive
from orchestration_kit.journal.cassette.recording import Recording
from orchestration_kit.journal.cassette.tape_file import CassetteFile
from tests.journal.tapes import Site, chain, one_step, run

GOOD = textwrap.dedent(
    """\
    cassette: 1
    recordings:
      - path: draft#1
        attempt: 1
        worker: writer
        input: a bakery
        output: Bread
    """
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tape.yaml"


def recording(number: int, **more) -> Recording:
    return Recording(f"work#{number}", 1, "worker", {"input": f"input {number}", "output": {"n": number}, **more})


def test_a_file_reads_well(path):
    with cassette(path):
        run(Site().hub(), "bakery", "site")
    text = path.read_text()
    assert text.startswith(
        "# Recorded outputs of workers, made by orchestration_kit: replayed instead of calling the workers.\n"
    )
    for part in ("  - path: code#1\n    attempt: 1\n", "    error:\n      type: TimeoutError\n      message: the model is busy\n      bases:\n        - OSError\n",
                 "    pieces:\n      - |\n        <html>\n      - |\n        version 1\n    data:\n      removed:\n        - draft\n",
                 "    data:\n      set:\n        draft: 1\n        notes: |\n          For bakery:\n          be brief.\n    usage:\n      input_tokens: 3\n      output_tokens: 4\n      cost_usd: 0.25\n      model: writer-1\n",
                 "    failure:\n      reason: no heading\n      output:\n        findings:\n          - h1\n"):  # fmt: skip
        assert part in text


def test_the_same_recordings_give_the_same_file(tmp_path):
    texts = set()
    for name in ("one", "two"):
        with cassette(tmp_path / f"{name}.yaml"):
            run(Site().hub(), "bakery", "site")
        texts.add((tmp_path / f"{name}.yaml").read_bytes())
    with cassette(tmp_path / "one.yaml", "record"):
        run(Site().hub(), "bakery", "site")
    texts.add((tmp_path / "one.yaml").read_bytes())
    assert len(texts) == 1
    assert str(tmp_path).encode() not in texts.pop()


def test_recordings_stand_in_natural_order(path):
    CassetteFile(path).write({}, {one.key: one for one in map(recording, (10, 2, 1))})
    assert [one.path for one in Cassette(path)] == ["work#1", "work#2", "work#10"]
    assert path.read_text().index("work#2") < path.read_text().index("work#10")


def test_what_is_written_is_read_back(path):
    fresh = {one.key: one for one in map(recording, range(5))}
    CassetteFile(path).write({}, fresh)
    assert CassetteFile(path).load() == fresh
    CassetteFile(path).write({}, {}, list(fresh))
    assert CassetteFile(path).load() == {}


def test_a_file_edited_by_hand_is_what_counts(path):
    path.write_text(GOOD.replace("draft#1", "work#1").replace("writer", "work").replace("a bakery", "goal"))
    with cassette(path, "replay") as tape:
        assert run(one_step(lambda x: "live")).data["work_output"] == "Bread"
        path.write_text(path.read_text().replace("Bread", "Cake"))
        assert run(one_step(lambda x: "live")).data["work_output"] == "Cake"
    assert tape.hits == 2


def test_an_empty_file_is_an_empty_cassette(path):
    for text in ("", "\n\n", "cassette: 1\n", "cassette: 1\nrecordings: []\n"):
        path.write_text(text)
        assert list(Cassette(path)) == []


BAD = {
    "[]": "it is no cassette. A cassette begins with",
    "recordings: []": "it is no cassette",
    "just text": "it is no cassette",
    "name: site\nsteps: {}": "it is no cassette",
    "cassette: '1'\nrecordings: []": "it is no cassette",
    "cassette: true\nrecordings: []": "it is no cassette",
    "cassette: 1\nrecordings: {}": "it is no cassette",
    "cassette: 2\nrecordings: []": "it is of version 2, and 1 is what is read here. Upgrade orchestration_kit",
    "cassette: 1\nrecording: []": r"it has 'recording'. Did you mean 'recordings'\?",
    "cassette: 1\nrecordings: [3]": "in recording 1, a recording is int, not a mapping",
    "cassette: 1\nrecordings:\n  - *x": "YAML:|alias",
    "cassette: 1\n\trecordings: []": "YAML: .*line 2",
    "a: [": "YAML: .*line 2",
    GOOD + "---\na: 1\n": "line 8, column 1 holds a second document. One|a second document",
    GOOD.replace("output: Bread", "outptu: Bread"): r"in recording 1 \(draft#1\), a recording has 'outptu'. Did you mean 'output'",
    GOOD.replace("    output: Bread\n", ""): "it has none as outcome. Give one of output, error, failure, spawn, cancelled",
    GOOD + "    error:\n      type: X\n": "it has output, error as outcome",
    GOOD.replace("    input: a bakery\n", ""): "it has no input",
    GOOD.replace("attempt: 1", "attempt: one"): "its attempt is 'one'. An attempt is a number from 1",
    GOOD.replace("attempt: 1", "attempt: -1"): "its attempt is below 1",
    GOOD.replace("attempt: 1", "attempt: true"): "its attempt is True",
    GOOD.replace("path: draft#1", "path: 7"): "its path is 7",
    GOOD.replace("worker: writer", "worker:"): "its worker is None",
    GOOD + "    hash: XYZ\n": "its hash is 'XYZ'. Leave the line out",
    GOOD + "    pieces: x\n": "its pieces is no list",
    GOOD + "    data: x\n": "its data is str, not a mapping",
    GOOD + "    data: {sett: {}}\n": "its data has 'sett'. Did you mean 'set'",
    GOOD + "    usage: {input_tokens: x}\n": "its usage has input_tokens 'x'",
    GOOD + "    usage: {cost_usd: -1}\n": "its usage has cost_usd -1",
    GOOD + "    usage: {input_tokens: true}\n": "its usage has input_tokens True",
    GOOD + "    usage: {model: 3}\n": "its usage has model 3",
    GOOD.replace("output: Bread", "error: Bread"): "its error is str",
    GOOD.replace("output: Bread", "error: {message: x}"): "its error has no name",
    GOOD.replace("output: Bread", "error: {type: X, bases: Y}"): "its error has no name",
    GOOD.replace("output: Bread", 'error: {type: "X\\0"}'): "its error has no name",
    GOOD + GOOD.partition("recordings:\n")[2]: r"recording 2 \(draft#1\) has the same input as one before it. Delete one",
    GOOD.replace("output: Bread", "output: Bread\n    output: Cake"): "stands twice",
    GOOD.replace("output: Bread", "output: !!python/object/apply:os.system [id]"): "holds the tag",
    GOOD.replace("output: Bread", "output: " + "[" * 2000 + "]" * 2000): "more than 900 levels",
    GOOD.replace("output: Bread", "output: \x01"): "YAML",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[-40:]))
def test_a_malformed_file_is_refused_and_left_alone(path, text):
    path.write_text(text)
    with pytest.raises(CassetteError, match=BAD[text]) as caught:
        list(Cassette(path))
    assert str(path) in str(caught.value)
    called = []
    with pytest.raises(CassetteError), cassette(path):
        run(one_step(lambda x: called.append(x)))
    assert called == []
    assert path.read_text() == text


def test_a_file_that_is_no_text_is_refused(path):
    path.write_bytes(b"cassette: 1\nrecordings: \xff")
    with pytest.raises(CassetteError, match="it is not UTF-8 text"):
        list(Cassette(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(CassetteError, match="directory"):
        list(Cassette(path))


def test_a_file_that_is_too_large_is_refused(path, monkeypatch):
    path.write_text(GOOD)
    monkeypatch.setattr(cassette_file, "MAX_BYTES", 20)
    with pytest.raises(CassetteError, match=r"it has \d+ bytes. At most 20 are read"):
        list(Cassette(path))


def test_a_file_that_cannot_be_written_costs_nothing_that_was_recorded(tmp_path):
    path = tmp_path / "tape.yaml"
    with (
        pytest.raises(CassetteError, match=r"YAML.*What was recorded is in .*tape.rescued.yaml"),
        cassette(path) as tape,
    ):
        run(chain(lambda x: "A", lambda x: path.write_text("a: [") and "B"))
    assert [one.output for one in Cassette(tmp_path / "tape.rescued.yaml")] == ["A", "B"] or [
        one.output for one in Cassette(tmp_path / "tape.rescued.yaml")
    ] == ["B"]
    assert path.read_text() == "a: ["
    assert tape.recorded == 2


def test_a_failed_save_does_not_hide_why_the_block_was_left(tmp_path):
    path = tmp_path / "tape.yaml"
    with pytest.raises(ZeroDivisionError) as caught, cassette(path):
        run(one_step(lambda x: path.write_text("a: [")))
        1 / 0
    assert "could not be saved" in caught.value.__notes__[0]


def test_a_directory_is_made_and_links_and_modes_are_kept(tmp_path):
    path = tmp_path / "new" / "deep" / "tape.yaml"
    with cassette(path):
        run(one_step(lambda x: x))
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    with cassette(link):
        run(one_step(lambda x: x), "another goal")
    assert link.is_symlink()
    assert len(Cassette(path)) == 2
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in path.parent.iterdir()) == ["tape.yaml"]


def test_a_write_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    with cassette(path):
        run(one_step(lambda x: x))
    before = path.read_bytes()

    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(CassetteError, match=r"cannot be written \(No space left"), cassette(path):
        run(one_step(lambda x: x), "another goal")
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["tape.yaml"]
    assert run(one_step(lambda x: x), "goal")


def test_two_cassettes_of_one_file_lose_nothing(path):
    one, two = Cassette(path), Cassette(path)
    with one, two:
        pass
    with one:
        run(one_step(lambda x: "one"), "goal 1")
        with two:
            run(one_step(lambda x: "two"), "goal 2")
        run(one_step(lambda x: "three"), "goal 3")
    assert sorted(tape.output for tape in Cassette(path)) == ["one", "three", "two"]


def _add(path: str, name: str, many: int) -> None:
    for number in range(many):
        with cassette(path, "record"):
            run(one_step(lambda x: f"{name} {number}"), f"{name} {number}")


def test_processes_that_write_one_file_lose_nothing(path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add, args=(str(path), name, 15)) for name in ("a", "b", "c")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(Cassette(path)) == 45
    assert [p.name for p in path.parent.iterdir()] == ["tape.yaml"]


def test_readers_never_see_half_a_file(path):
    stop = threading.Event()
    seen = []

    def read():
        while not stop.is_set():
            seen.append(len(list(Cassette(path))))

    reader = threading.Thread(target=read)
    reader.start()
    with cassette(path):
        for number in range(30):
            run(one_step(lambda x: "x" * 2000), f"goal {number}")
    stop.set()
    reader.join()
    assert seen == sorted(seen)
    assert len(Cassette(path)) == 30


def test_prune_drops_what_was_not_used(path):
    with cassette(path):
        run(chain(lambda x: "A", lambda x: "B"))
        run(chain(lambda x: "A2", lambda x: "B2"), "old goal")
    tape = Cassette(path)
    with tape:
        run(chain(lambda x: "A", lambda x: "B", lambda x: "C"))
    assert tape.prune() == 2
    assert tape.prune() == 0
    assert [one.output for one in Cassette(path)] == ["A", "B", "C"]


def test_recordings_get_to_the_file_while_a_run_goes_on(path, monkeypatch):
    """Writing takes at most a twentieth of the time: here a write takes 1 s, and each worker 10 s."""
    now, seen = [1000.0], []
    write = CassetteFile.write

    def slow_write(*arguments):
        now[0] += 1
        return write(*arguments)

    def worker(x):
        now[0] += 10
        seen.append(len(CassetteFile(path).load()))
        return x

    monkeypatch.setattr(CassetteFile, "write", slow_write)
    monkeypatch.setattr(cassette_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with cassette(path):
        run(chain(*[worker] * 8))
    assert seen == [0, 1, 1, 3, 3, 5, 5, 7]


def test_a_crash_loses_little(tmp_path):
    path = tmp_path / "tape.yaml"
    script = f"""
        import os
        from orchestration_kit.journal.cassette import cassette
        from tests.journal.tapes import chain, run
        with cassette({str(path)!r}):
            run(chain(lambda x: "costly"))
            run(chain(lambda x: "costly too", lambda x: os._exit(7)), "another goal")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=Path(__file__).parents[2], timeout=60)
    assert done.returncode == 7
    assert "costly" in [one.output for one in Cassette(path)]


def test_what_a_hub_of_its_own_recorded_is_saved_at_the_end_of_the_process(tmp_path):
    path = tmp_path / "tape.yaml"
    script = f"""
        from orchestration_kit.journal.cassette import Cassette
        from tests.journal.tapes import chain, run
        tape = Cassette({str(path)!r})
        tape._save_took = tape._saved_at = 1e12  # nothing is saved in passing
        hub = chain(lambda x: "A")
        hub.start("flow", "goal")
        hub.cassette = tape
        hub.start("flow", "goal").run()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=Path(__file__).parents[2], timeout=60)
    assert done.returncode == 0
    assert [one.output for one in Cassette(path)] == ["A"]


def test_a_thousand_recordings_load_and_one_more_is_added(path):
    body = "A paragraph of the page, as a model writes it.\n" * 20
    many = {}
    for number in range(1000):
        one = recording(number, usage={"input_tokens": 1, "output_tokens": 2, "cost_usd": 0.1, "model": "m"})
        one = Recording(
            one.path, 1, "worker", {**one.body, "output": {"title": f"Page {number}", "body": body, "tags": ["a", "b"]}}
        )
        many[one.key] = one
    CassetteFile(path).write({}, many)
    begun = time.perf_counter()
    assert len(Cassette(path)) == 1000
    loading = time.perf_counter() - begun
    tape = Cassette(path)
    with tape:
        run(one_step(lambda x: x))  # the first save writes all of it anew
        begun = time.perf_counter()
        run(one_step(lambda x: x), "another goal")
        tape.save()
    adding = time.perf_counter() - begun
    print(f"1,000 recordings of 1 KB: {loading:.2f} s to load, {adding * 1000:.0f} ms to add one")
    assert len(Cassette(path)) == 1002


@pytest.mark.soak
def test_recording_costs_no_more_for_each_as_they_get_many(path):
    def seconds(many: int) -> float:
        begun = time.perf_counter()
        with cassette(path.with_name(f"{many}.yaml")) as tape:
            for number in range(many):
                tape.add(recording(number))
        return time.perf_counter() - begun

    seconds(50)
    assert seconds(2000) < 10 * max(seconds(400), 0.1)


def test_the_lock_is_waited_for_but_not_for_ever(path):
    path.write_text("")
    with exclusive(path, 1.0), pytest.raises(TimeoutError, match="locked by another process"), exclusive(path, 0.05):
        pass
    with exclusive(path, 0.05):
        pass


def test_without_locks_of_the_system_a_file_is_the_lock(path, monkeypatch):
    monkeypatch.setattr("orchestration_kit.journal.cassette.file_lock.fcntl", None)
    with exclusive(path, 1.0):
        assert os.listdir(path.parent) == [".tape.yaml.lock"]
        with pytest.raises(TimeoutError), exclusive(path, 0.02):
            pass
    assert os.listdir(path.parent) == []
