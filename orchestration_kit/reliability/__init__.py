"""How likely does a workflow succeed, what does it cost, and what would change that?

Runs, or rates that somebody gives, become a chain (`chain.py`); it is solved exactly (`solving.py`), drawn from what is
known of it (`posterior.py`), held against the runs (`fit.py`), and changed (`changing.py`).
"""

from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep, Took
from orchestration_kit.reliability.counting import Counts, Path, Way, counts_of
from orchestration_kit.reliability.errors import ChainError, MissingReliabilityExtra
from orchestration_kit.reliability.estimating import reliability, what_if
from orchestration_kit.reliability.fit import GoodnessOfFit
from orchestration_kit.reliability.frailty import Frailty, beta_binomial
from orchestration_kit.reliability.given import chain_of
from orchestration_kit.reliability.posterior import Estimate
from orchestration_kit.reliability.report import Reliability
from orchestration_kit.reliability.simulation import Simulation, simulate
from orchestration_kit.reliability.solving import Solved, solve

__all__ = [
    "COMPLETED",
    "FAILED",
    "Chain",
    "ChainError",
    "ChainStep",
    "Counts",
    "Estimate",
    "Frailty",
    "GoodnessOfFit",
    "MissingReliabilityExtra",
    "Path",
    "Reliability",
    "Simulation",
    "Solved",
    "Took",
    "Way",
    "beta_binomial",
    "chain_of",
    "counts_of",
    "reliability",
    "simulate",
    "solve",
    "what_if",
]
