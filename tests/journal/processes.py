"""Other processes for tests: programs as text, talked to by lines."""

from __future__ import annotations

import selectors
import subprocess
import sys
import textwrap
from contextlib import contextmanager

PRELUDE = """
import os, sys, time
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

    def say(self, line=""):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, timeout_s=30.0):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                raise AssertionError("the other process says nothing")
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the other process is gone:\n{self.process.stderr.read()}")
        return line.strip()

    def end(self, timeout_s=60.0):
        """All the rest that it says, once it is done."""
        out, err = self.process.communicate(timeout=timeout_s)
        assert self.process.returncode == 0, err
        assert err == ""
        return out.split()


@contextmanager
def program(text, *arguments):
    """Start a program; it is gone at the end, whatever happens."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(text), *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Program(process)
    finally:
        process.kill()
        process.communicate()
