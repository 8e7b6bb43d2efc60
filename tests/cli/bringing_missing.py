"""What brings about the errors of what is not installed, of pictures, and of the demo's workers."""

from __future__ import annotations

from pathlib import Path

from orchestration_kit.executors.errors import MissingExecutorExtra
from orchestration_kit.governance.rules.errors import MissingRulesExtra
from orchestration_kit.governance.telemetry.errors import MissingOtelExtra
from orchestration_kit.reliability.errors import MissingReliabilityExtra
from orchestration_kit.visual.render import DotFailed, DotMissing
from orchestration_kit.visual.timeline_figure import MissingPlotExtra
from orchestration_kit.widgets.dashboard.serving import NoDashboard
from orchestration_kit.workers.llm.errors import InvalidModel, MissingLlmExtra
from orchestration_kit.workers.llm.models import POSSIBLE
from orchestration_kit.workers.website.errors import (
    MissingDemoExtra,
    MissingSite,
    SiteNotServed,
    UnapprovedSite,
    UnreadableSpec,
)
from orchestration_kit.workers.website.publishing import check_paths, check_target
from tests.cli.bringing import BRINGING, brings

BRINGING |= {
    "MissingExecutorExtra": lambda: MissingExecutorExtra("ProcessesExecutor", "cloudpickle", "processes"),
    "MissingRulesExtra": MissingRulesExtra,
    "MissingOtelExtra": MissingOtelExtra,
    "MissingReliabilityExtra": MissingReliabilityExtra,
    "MissingPlotExtra": MissingPlotExtra,
    "MissingLlmExtra": MissingLlmExtra,
    "MissingDemoExtra": lambda: MissingDemoExtra("jinja2"),
}


@brings("InvalidModel")
def _model():
    return InvalidModel("none was given", POSSIBLE)


@brings("DotFailed")
def _failed():
    return DotFailed(
        "A PDF: `dot` did not finish within 30 s and was stopped. renderer='builtin' draws an SVG without it."
    )


@brings("DotMissing")
def _dot():
    return DotMissing("A PDF")


@brings("NoDashboard")
def _dashboard():
    return NoDashboard(
        "port 8866 cannot be used (Address already in use)", "Name another one, or none: then a free one is taken."
    )


@brings("WebsiteError")
def _website():
    return _unapproved()


@brings("UnreadableSpec")
def _spec():
    return UnreadableSpec("expected a dict, got str")


@brings("MissingSite")
def _site():
    return MissingSite("deployer", "it has no index.html")


@brings("UnapprovedSite")
def _unapproved():
    return UnapprovedSite("the files are not the ones that the review approved.")


@brings("UnsafePath")
def _path():
    return check_paths({"index.html": "", "../about.html": ""})


@brings("ForeignDirectory")
def _directory():
    Path("site").mkdir()
    Path("site", "thesis.txt").write_text("Chapter 1", encoding="utf-8")
    return check_target(Path("site"))


@brings("SiteNotServed")
def _served():
    return SiteNotServed("index.html", "came back with status 404 and 335 bytes, not as it was written")
