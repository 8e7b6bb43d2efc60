"""Layer 5, understand it: what runs did, as pandas DataFrames, and the difference between two runs.

```text
a run, a context, a list of history entries or of events; or several of these
  -> sources.py     what is on record, read alike whatever it came from
     places.py      the branch an attempt stands in, the key of its step
  -> frames.py      history_frame: one row an attempt
  -> run_rows.py    runs_frame: one row a run
     transitions.py transitions_frame: one row an edge
     bus.py         data_frame: one row a change of the data bus
     usage.py       usage_frame: one row a worker and model
     requests.py    waiting_frame: one row a thing that runs wait for
     actions.py     actions_frame: one row an action that a worker asked for
     statistics.py  compare_many: one row a step, over many runs
     comparison.py  compare: two runs, side by side
  -> csv_export.py  write_csv, to_csv_text: text that no spreadsheet takes for a formula
```

Nothing here runs a workflow or changes a record. pandas is imported when a function is called, not before.
"""

from orchestration_kit.history.actions import actions_frame
from orchestration_kit.history.bus import data_frame
from orchestration_kit.history.comparison import Comparison, compare
from orchestration_kit.history.csv_export import to_csv_text, write_csv
from orchestration_kit.history.differences import Difference
from orchestration_kit.history.divergence import Divergence
from orchestration_kit.history.frames import history_frame
from orchestration_kit.history.requests import waiting_frame
from orchestration_kit.history.run_rows import runs_frame
from orchestration_kit.history.sources import Recorded, recorded, records_of
from orchestration_kit.history.statistics import compare_many
from orchestration_kit.history.transitions import transitions_frame
from orchestration_kit.history.usage import usage_frame

__all__ = [
    "Comparison",
    "Difference",
    "Divergence",
    "Recorded",
    "actions_frame",
    "compare",
    "compare_many",
    "data_frame",
    "history_frame",
    "recorded",
    "records_of",
    "runs_frame",
    "to_csv_text",
    "transitions_frame",
    "usage_frame",
    "waiting_frame",
    "write_csv",
]
