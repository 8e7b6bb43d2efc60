"""The journal in memory, beyond what every journal does."""

from __future__ import annotations

from tests.journal.processes import program

FORK = """
from orchestration_kit.journal.memory import MemoryJournal
import threading
journal = MemoryJournal()
lease = begin(journal)
stop = threading.Event()
def write():
    seq = 0
    while not stop.is_set():
        seq += 1
        journal.append(lease, [a_row(seq)], {})
thread = threading.Thread(target=write)
thread.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        try: journal.append(lease, [a_row(10**6)], {})
        except LeaseLost: os._exit(0 if journal.owner.pid == os.getpid() else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
stop.set()
thread.join()
say(journal.owner.pid == os.getpid())
"""


def test_a_child_process_does_not_hold_what_its_parent_holds():
    with program(FORK) as forker:
        assert forker.end() == ["True"]
