"""How good is a worker, or a workflow? Cases with what is expected, a rubric, and a table of scores.

```text
dataset.py + files.py   Dataset, Case: what is given and what is expected; YAML, JSON, DataFrames
rubric.py               Rubric, Criterion: dimensions, each with a weight and a threshold
criteria.py             a criterion of any kind becomes a score from 0 to 1, and why
subjects.py             a callable, a worker or a workflow becomes something that can be run on a case
evaluation.py           evaluate: one row per case and repeat
summary.py              summary: a mean and its interval per dimension
```

Every case is a run of a hub: on record, tagged, with its cost. pandas is imported when a function is called.
"""

from orchestration_kit.evaluation.dataset import Case, Dataset
from orchestration_kit.evaluation.errors import DatasetError, RubricError
from orchestration_kit.evaluation.evaluation import evaluate
from orchestration_kit.evaluation.rubric import Criterion, Rubric
from orchestration_kit.evaluation.summary import summary, wilson_interval

__all__ = [
    "Case",
    "Criterion",
    "Dataset",
    "DatasetError",
    "Rubric",
    "RubricError",
    "evaluate",
    "summary",
    "wilson_interval",
]
