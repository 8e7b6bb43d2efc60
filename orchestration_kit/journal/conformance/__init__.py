"""The conformance suite: what every journal has to do, as tests for pytest.

A backend of your own is right when it passes these. In your tests:

```python
import pytest
from orchestration_kit.journal.conformance import JournalConformance


class TestMyJournal(JournalConformance):
    @pytest.fixture
    def make_journal(self, tmp_path):
        return lambda: MyJournal(tmp_path / "runs")  # an empty one, however often it is called in a test
```

Where several processes may open the same journal, take `SharedJournalConformance`: there `make_journal` returns, each
time it is called in one test, another journal object on the same runs.
"""

from __future__ import annotations

from orchestration_kit.journal.conformance.appending import Appending
from orchestration_kit.journal.conformance.blobs import Blobs
from orchestration_kit.journal.conformance.leasing import Leasing
from orchestration_kit.journal.conformance.lifecycle import Lifecycle
from orchestration_kit.journal.conformance.listing import Listing
from orchestration_kit.journal.conformance.making import MakeJournal
from orchestration_kit.journal.conformance.runs import Runs
from orchestration_kit.journal.conformance.sharing import Sharing

__all__ = ["JournalConformance", "MakeJournal", "SharedJournalConformance"]


class JournalConformance(Runs, Appending, Leasing, Blobs, Listing, Lifecycle):
    """What every journal has to do. Override the fixture `make_journal`.

    >>> import pytest
    >>> from orchestration_kit import MemoryJournal
    >>> class TestMine(JournalConformance):
    ...     @pytest.fixture
    ...     def make_journal(self):
    ...         return MemoryJournal
    >>> len([name for name in dir(TestMine) if name.startswith("test_")]) > 40
    True
    """


class SharedJournalConformance(JournalConformance, Sharing):
    """What a journal has to do that several processes may open. Override the fixture `make_journal`.

    >>> import pytest
    >>> from orchestration_kit import SQLiteJournal
    >>> class TestMine(SharedJournalConformance):
    ...     @pytest.fixture
    ...     def make_journal(self, tmp_path):
    ...         return lambda: SQLiteJournal(tmp_path / "runs.db")
    >>> len([name for name in dir(TestMine) if name.startswith("test_")]) > 40
    True
    """
