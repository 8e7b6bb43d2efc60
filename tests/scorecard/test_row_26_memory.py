"""Row 26 in a real kernel: fifty large results pass through a notebook, and what is shown of them keeps none alive.

What a person holds is theirs: a context or a run that is the last value of a cell stays in IPython's `Out`, with its
values, as anything does. A name that is used again, a semicolon, a picture or a closed player holds nothing.
"""

from __future__ import annotations

import pytest

from tests.scorecard.forks import ROOT
from tests.scorecard.kernels import Kernel

RESULTS = 50
SETUP = """
import ctypes, gc, os, sys, time
sys.path.insert(0, ROOT)
from orchestration_kit import visualize
from IPython.display import display
from tests.support import hub_of, step, workflow_of

def big(given):
    return b"y" * (MB * 10**6)

hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": str, "b": big}, journal=JOURNAL)

def started():
    run = hub.start("flow", "g")
    run.run()
    return run

def held_mb():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what nobody holds is given back to the system first
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 10**6

def settled_mb(limit):
    "What is held when whatever looks at runs now and then has looked for the last time."
    end = time.monotonic() + 20
    while (now := held_mb()) > limit and time.monotonic() < end:
        time.sleep(0.05)
    return now
"""
CELLS = {
    "a name that is used again": "context = hub.execute_workflow('flow', 'g', verbose=False)",
    "an account and a semicolon": "hub.execute_workflow('flow', 'g');",
    "a picture": "visualize(started())",
    "its words": "run = started(); repr(run), repr(run.context), run.state",
    "a player that was closed": "player = started().player(); display(player); player.close()",
}


@pytest.mark.parametrize(("mb", "results"), [(4, 12), pytest.param(100, RESULTS, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("journal", "shown"),
    [
        (None, tuple(CELLS)),
        pytest.param("runs.db", ("a name that is used again", "a player that was closed"), marks=pytest.mark.soak),
    ],
)
def test_what_is_shown_of_a_result_keeps_it_not_alive(tmp_path, figure, shown, journal, mb, results):
    grown_mb = {}
    allowed_mb = 2 * mb + 30  # the row has 200 for results of 100; what the kernel itself grows by does not shrink
    kernel = Kernel(tmp_path)
    try:
        kernel.do(SETUP.replace("ROOT", repr(str(ROOT))).replace("MB", str(mb)).replace("JOURNAL", repr(journal)))
        for name in shown:
            for _ in range(2):
                kernel.do(CELLS[name])
            before_mb = int(kernel.value("held_mb()"))
            for _ in range(results):
                kernel.do(CELLS[name])
            grown_mb[name] = int(kernel.value(f"settled_mb({before_mb + allowed_mb})")) - before_mb
            figure(f"row 26: {results} results of {mb} MB, {name}, journal {journal}: growth {grown_mb[name]} MB")
    finally:
        kernel.close()
    assert all(grown < allowed_mb for grown in grown_mb.values()), grown_mb
