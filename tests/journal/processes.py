"""Other processes for tests: programs as text, talked to by lines."""

from __future__ import annotations

import queue
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager

PRELUDE = """
import os, sys, time, urllib.parse, warnings # pathlib wants the one when it is another user, who may not read Python's folder
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning) # from Python 3.12 on: forks are what is tried
from orchestration_kit.journal.conformance.making import a_row, begin, some_rows, some_standing
from orchestration_kit.journal.errors import *
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.port import *
from orchestration_kit.journal.sqlite import SQLiteJournal
def say(*words): print(*words, flush=True)
def hear(): return sys.stdin.readline().strip()
"""


class Program:
    """A process that runs a program, and says and hears lines."""

    def __init__(self, process):
        self.process, self.pid = process, process.pid
        self.lines = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())
        self.lines.put(None)

    def say(self, line=""):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, timeout_s=30.0):
        """The next line that it says."""
        line = self.lines.get(timeout=timeout_s)
        assert line is not None, f"the other process is gone:\n{self.process.stderr.read()}"
        return line

    def end(self, timeout_s=60.0):
        """All the rest that it says, once it is done."""
        self.process.stdin.close()
        self.process.wait(timeout_s)
        self.reader.join(timeout_s)
        error = self.process.stderr.read()
        assert (self.process.returncode, error) == (0, ""), error
        rest = []
        while (line := self.lines.get(timeout=timeout_s)) is not None:
            rest.extend(line.split())
        return rest


@contextmanager
def program(text, *arguments):
    """Start a program; it is gone at the end, whatever happens."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(text), *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        one = Program(process)
        try:
            yield one
        finally:
            process.kill()
            one.reader.join(30)
