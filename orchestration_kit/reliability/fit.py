"""Runs and the chain fitted to them become an answer: does the first-order chain explain these runs?

Three things are held against what chance alone does to runs of the chain: how long runs take to their end
(Kolmogorov-Smirnov on the first passage), whether what happens at a step depends on where the run came from (the
second-order chain), and whether it depends on how often the run had been there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.first_passage import curves, observed_curves
from orchestration_kit.reliability.fit_found import FirstPassage, GoodnessOfFit, Memory
from orchestration_kit.reliability.memory import Kind, ratio
from orchestration_kit.reliability.memory_told import Differs, differences
from orchestration_kit.reliability.needs import scipy_part
from orchestration_kit.reliability.null_model import SAMPLES, Drawn, NullModel, drawn_from
from orchestration_kit.reliability.resampling import CUT_OFF, Visits, visits_of

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.chain import Chain
    from orchestration_kit.reliability.counting import Counts

    Array = np.ndarray[Any, Any]

__all__ = ["FirstPassage", "GoodnessOfFit", "Memory", "goodness"]

_MOST_ATTEMPTS = 2_000
"""Attempts up to which runs are compared."""


def goodness(counts: Counts, *, against: Chain | None = None, level: float = 0.05, seed: int = 0) -> GoodnessOfFit:
    """Test whether the first-order chain explains the runs that were counted.

    All p values are by parametric bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 16):
    sets of runs are drawn from the chain, and each is fitted and tested as the observed one, since tables hold neither
    for distances to what was fitted to the same runs, nor for small counts. The three are joined by the least p value
    (Westfall and Young, Resampling-Based Multiple Testing, 1993), so that a chain that holds is refused in `level` of
    all cases. TraceToChain (arXiv:2604.24579) joins Akaike's criterion and Kolmogorov-Smirnov likewise.

    Args:
        counts: What was observed.
        against: A chain that was not fitted to these runs, to be tested as it is: of given rates. None fits one.
        level: The share of chains that hold to be refused.
        seed: The same seed draws the same sets of runs.

    Raises:
        ChainError: no run has come to an end; `against` has other steps.
    """
    observed = visits_of(counts)
    if not (observed.run_end != CUT_OFF).any():
        raise ChainError(counts.workflow, "no run on record has come to its end, so there is nothing to compare.")
    model = NullModel(counts, against)
    drawn = drawn_from(model, observed, seed)
    passage, passage_by_chance = _passage(model, observed, drawn)
    second, second_by_chance = _memory(model, observed, drawn, "came from")
    visit, visit_by_chance = _memory(model, observed, drawn, "visit")
    p_values, p_value = _p_values(
        [passage.ks, second.statistic, visit.statistic], [passage_by_chance, second_by_chance, visit_by_chance]
    )
    return GoodnessOfFit(
        runs=len(observed.run_end),
        visits=int(observed.known.sum()),
        first_passage=replace(passage, p_value=p_values[0]),
        came_from=replace(second, p_value=p_values[1]),
        visit=replace(visit, p_value=p_values[2]),
        p_value=p_value,
        level=level,
    )


def _passage(model: NullModel, observed: Visits, drawn: Drawn) -> tuple[FirstPassage, Array]:
    """Return the distance to the chain, and by chance: (samples,)."""
    import numpy as np

    visits = drawn.visits
    longest = max(int(observed.run_attempts.max()), int(np.quantile(visits.run_attempts, 0.999)))
    most = min(longest, _MOST_ATTEMPTS)
    alone = np.zeros(len(observed.run_end), np.int64)
    seen = observed_curves(observed.run_attempts, observed.run_end, alone, groups=1, most=most)[0]
    said = curves(model.structure, [model.success], [model.ways], most=most)[0]
    of, at = np.unravel_index(int(np.argmax(abs(seen - said))), seen.shape)
    found = FirstPassage(
        ks=float(abs(seen - said)[of, at]),
        p_value=math.nan,
        attempts=int(at),
        end=("completed", "failed")[int(of)],
        observed=float(seen[of, at]),
        expected=float(said[of, at]),
    )
    by_chance = observed_curves(visits.run_attempts, visits.run_end, drawn.which, groups=SAMPLES, most=most)
    fitted = curves(model.structure, *model.refitted(drawn), most=most)
    return found, abs(by_chance - fitted).max(axis=(1, 2)) / drawn.scale


def _memory(model: NullModel, observed: Visits, drawn: Drawn, kind: Kind) -> tuple[Memory, Array]:
    """Return the likelihood ratio, and by chance: (samples,)."""
    import numpy as np

    n = len(model.names)
    alone = np.zeros(len(observed.run_end), np.int64)
    seen = ratio(observed, kind, steps=n, which=alone, sets=1)
    chance = ratio(drawn.visits, kind, steps=n, which=drawn.which, sets=SAMPLES)
    statistic, freedom = float(seen.statistic.sum()), int(seen.freedom.sum())
    visits, parameters = int(observed.known.sum()), np.array(seen.parameters)
    deviance = -2 * seen.log_likelihood[0]
    aic, bic = (deviance + cost * parameters for cost in (2, math.log(max(visits, 1))))
    rows = differences(observed, model.names, kind)
    found = Memory(
        kind=kind,
        statistic=statistic,
        freedom=freedom,
        p_value=math.nan,
        p_chi_square=float(scipy_part("special").chdtrc(freedom, statistic)) if freedom else 1.0,
        aic=(float(aic[0]), float(aic[1])),
        bic=(float(bic[0]), float(bic[1])),
        contexts=tuple(rows),
        worst=_worst(seen.statistic[0], chance.statistic, rows, model.names),
    )
    return found, chance.statistic.sum(axis=1)


def _worst(statistic: Array, by_chance: Array, rows: Sequence[Differs], names: Sequence[str]) -> Differs | None:
    """Return what differs most at the step whose ratio is furthest from what chance does."""
    import numpy as np

    if not rows:
        return None
    spread = np.maximum(by_chance.std(axis=0), 0.5)
    apart = dict(zip(names, ((statistic - by_chance.mean(axis=0)) / spread).tolist(), strict=True))
    return max(rows, key=lambda row: (apart[row.step], abs(row.excess)))


def _p_values(seen: Sequence[float], by_chance: Sequence[Array]) -> tuple[list[float], float]:
    """Return the p value of each statistic, and that of the least of them."""
    import numpy as np

    every = np.vstack([seen, np.column_stack(by_chance)])  # as if the runs observed were one more set of runs
    p_values = (every[None] >= every[:, None] - 1e-9).mean(axis=1)
    least = p_values.min(axis=1)
    return p_values[0].tolist(), float((least <= least[0] + 1e-9).mean())
