"""The conformance suite: what every executor has to do, as tests for pytest.

An executor of your own is right when it passes these. In your tests:

```python
import pytest
from orchestration_kit.executors.conformance import ExecutorConformance


class TestMyExecutor(ExecutorConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def make_executor(cls):
        return lambda: MyExecutor(slots=2)  # another one whenever it is called; of at least 2 slots
```

What is called are functions of `conformance.calls`, from bytes to bytes, as a remote executor may ask for; so its
machines need this package, and the folder of `tmp_path`. Set what does not fit as attributes of your class:
`is_concurrent = False` where a call is over when `submit` returns, `withdraws = False` where one that was sent cannot
be withdrawn, and `loses_machines = True` where a call that ends its process (`os._exit`) is to be made again, or to end
in `WorkerLost` where it must not be.
"""

from __future__ import annotations

from orchestration_kit.executors.conformance.closing import Closing
from orchestration_kit.executors.conformance.concurrent import Concurrent
from orchestration_kit.executors.conformance.losing import Losing
from orchestration_kit.executors.conformance.making import MakeExecutor
from orchestration_kit.executors.conformance.results import Results

__all__ = ["ExecutorConformance", "MakeExecutor"]


class ExecutorConformance(Results, Concurrent, Losing, Closing):
    """What every executor has to do. Override the fixture `make_executor`.

    >>> import pytest
    >>> from orchestration_kit.executors import ThreadsExecutor
    >>> class TestMine(ExecutorConformance):
    ...     @pytest.fixture(scope="class")
    ...     @classmethod
    ...     def make_executor(cls):
    ...         return lambda: ThreadsExecutor(2)
    >>> len([name for name in dir(TestMine) if name.startswith("test_")]) > 20
    True
    """
