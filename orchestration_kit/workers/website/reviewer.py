"""The reviewer: runs every check on the files of a site and returns all that it found.

It raises nothing about a faulty site: the workflow's `success_when="output.approved == true"` turns a
refusal into a failure. It trusts nobody: everything is read from the files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.workers.website.bus import SITE, as_mapping, files_of, site_digest
from orchestration_kit.workers.website.publishing import path_problem
from orchestration_kit.workers.website.review import accessibility, contrast, links, markup
from orchestration_kit.workers.website.review.finding import Finding
from orchestration_kit.workers.website.review.site import read_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestration_kit.workers.website.bus import WorkContext
    from orchestration_kit.workers.website.review.site import Site


def unsafe_path(site: Site) -> Iterator[Finding]:
    """Find a file that would not land inside the directory of the site."""
    for path in site.files:
        problem = path_problem(path)
        if problem:
            fix = "Use a relative path with forward slashes, such as images/hero.svg."
            yield Finding(path, 1, "unsafe_path", f"The path {problem}.", fix)


CHECKS: tuple[Callable[[Site], Iterator[Finding]], ...] = (
    unsafe_path,
    markup.html_parse_error,
    markup.missing_title,
    markup.missing_lang,
    markup.missing_viewport,
    markup.duplicate_id,
    markup.active_content,
    accessibility.missing_alt,
    accessibility.heading_order,
    accessibility.missing_label,
    accessibility.missing_main,
    links.dead_link,
    links.dead_asset,
    links.unreachable_page,
    contrast.low_contrast,
)
"""Every check. The name of a check is the code of its findings."""


def review(files: dict[str, str]) -> list[Finding]:
    """Return what is wrong with a site, by file and line; [] for a site without a fault."""
    site = read_site(files)
    return sorted({finding for check in CHECKS for finding in check(site)})


def reviewer(input_data: object, context: WorkContext) -> dict[str, Any]:
    """Return `{"approved": bool, "findings": [...], "checked": {...}, "digest": "..."}`.

    The digest names exactly the files that were reviewed, so that nothing else gets deployed.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="reviewer", name="Ben", executor=reviewer))
    >>> hub.register_workflow(create_generic_pipeline([("review", "reviewer", "")]))
    >>> data = {"implement_code_output": {"files": {"index.html": "<p>Welcome to Luna Bakery"}}}
    >>> report = hub.execute_workflow("review", "a site", initial_data=data, verbose=False).data["review_output"]
    >>> report["approved"], report["findings"][0]["message"]
    (False, 'The page has 0 headings of the first level instead of one.')

    Raises:
        MissingSite: there are no files to review.
    """
    direct = as_mapping(input_data)
    given = input_data if direct is not None and "files" in direct else context.data.get(SITE)
    files = files_of(given, worker="reviewer")
    findings = review(files)
    pages = read_site(files).pages
    return {
        "approved": not findings,
        "findings": [finding.as_dict() for finding in findings],
        "checked": {
            "checks": len(CHECKS),
            "files": len(files),
            "pages": len(pages),
            "elements": sum(1 for root in pages.values() for _ in root.walk()) - len(pages),
            "links": sum(len(root.find_all("a")) for root in pages.values()),
            "pictures": sum(len(root.find_all("img", "svg")) for root in pages.values()),
        },
        "digest": site_digest(files),
    }
