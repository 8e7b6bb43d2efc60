"""The deployer: puts the approved site into a directory, after looking at it through a web server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration_kit.workers.website.bus import REVIEW, SITE, as_mapping, files_of, site_digest
from orchestration_kit.workers.website.errors import MissingSite, UnapprovedSite
from orchestration_kit.workers.website.publishing import staged_site
from orchestration_kit.workers.website.serving import fetch_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration_kit.workers.website.bus import WorkContext


@dataclass(frozen=True, slots=True)
class Deployer:
    """Publishes sites into one directory.

    >>> from orchestration_kit import WorkerDefinition
    >>> WorkerDefinition(worker_type="deployer", name="Deployer", executor=Deployer(Path("site"))).name
    'Deployer'
    """

    out_dir: Path

    def __call__(self, input_data: object, context: WorkContext) -> dict[str, Any]:
        """Return `{"out_dir": str, "files": count, "pages": [{"path", "bytes", "status"}...]}`.

        The files come from the coder's output on the data bus, or from `input_data`.

        Raises:
            MissingSite: there are no files.
            UnapprovedSite: the review refused them, or approved others.
            UnsafePath: a file would land outside the directory.
            ForeignDirectory: the directory holds something that no deployment wrote.
            SiteNotServed: the web server sent something else than what was written.
        """
        on_bus = context.data.get(SITE)
        files = files_of(on_bus if on_bus is not None else input_data, worker="deployer")
        _check_approval(as_mapping(context.data.get(REVIEW)), files)
        if "index.html" not in files:
            raise MissingSite("deployer", "it has no index.html")
        out_dir = Path(self.out_dir).expanduser().absolute()
        with staged_site(files, out_dir) as staged:
            fetched = fetch_all(staged, files)
        return {
            "out_dir": str(out_dir),
            "files": len(fetched),
            "pages": [one for one in fetched if one["path"].endswith(".html")],
        }


def _check_approval(review: Mapping[str, Any] | None, files: Mapping[str, str]) -> None:
    """Hold the files against the review, if the workflow has one."""
    if review is None:
        return
    if review.get("approved") is not True:
        raise UnapprovedSite("the last review did not approve the site.")
    if "digest" in review and review["digest"] != site_digest(files):
        raise UnapprovedSite("the files are not the ones that the review approved.")
