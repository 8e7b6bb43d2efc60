"""The deployer publishes what was approved: completely, safely, and never over other people's files."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import pytest

from orchestration_kit.workers.website import serving
from orchestration_kit.workers.website.bus import site_digest
from orchestration_kit.workers.website.deployer import Deployer
from orchestration_kit.workers.website.errors import (
    ForeignDirectory,
    MissingDemoExtra,
    MissingSite,
    SiteNotServed,
    UnapprovedSite,
    UnreadableSpec,
    UnsafePath,
)
from orchestration_kit.workers.website.extras import require
from orchestration_kit.workers.website.publishing import MANIFEST, check_paths, path_problem, staged_site
from tests.workers.website.support import BAKERY, FakeContext, clean_site, walk

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"index.html": "<p>one</p>", "images/a b.svg": "<svg></svg>", "é.html": "<p>é</p>"}


def deploy(out_dir: Path, files: dict[str, str] = SMALL) -> dict[str, object]:
    return Deployer(out_dir)(None, FakeContext(data={"implement_code_output": {"files": files}}))


def contents(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8")
        for path in directory.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }


def test_an_approved_site_is_written_and_every_page_is_fetched(tmp_path: Path) -> None:
    context = walk(BAKERY, 3, mistake_rate=0.7)
    output = Deployer(tmp_path / "site")(None, context)
    files = context.data["implement_code_output"]["files"]
    assert contents(tmp_path / "site") == files
    assert output["files"] == len(files)
    assert {page["path"] for page in output["pages"]} == {path for path in files if path.endswith(".html")}
    assert {page["status"] for page in output["pages"]} == {200}
    assert json.loads(json.dumps(output)) == output


def test_the_output_is_the_same_from_run_to_run(tmp_path: Path) -> None:
    assert deploy(tmp_path / "site") == deploy(tmp_path / "site")


def test_nothing_but_the_site_is_left_behind(tmp_path: Path) -> None:
    deploy(tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_the_manifest_lists_what_was_written(tmp_path: Path) -> None:
    deploy(tmp_path / "site")
    manifest = json.loads((tmp_path / "site" / MANIFEST).read_text(encoding="utf-8"))
    assert sorted(manifest["files"]) == sorted(SMALL)


def test_a_new_deployment_replaces_an_earlier_one_entirely(tmp_path: Path) -> None:
    deploy(tmp_path / "site")
    deploy(tmp_path / "site", {"index.html": "<p>two</p>"})
    assert contents(tmp_path / "site") == {"index.html": "<p>two</p>"}


def test_an_empty_directory_and_missing_parents_are_fine(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    deploy(tmp_path / "empty")
    deploy(tmp_path / "deep" / "down" / "site")
    assert contents(tmp_path / "empty") == contents(tmp_path / "deep" / "down" / "site") == SMALL


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../up.html", "a/../../up.html", "a//b", "./a", "", "a/", "c:/x", "a\\b", "nul.html",
        "a/COM1", "x\x00y", "tail.", "tail ", "x" * 200, MANIFEST, "a\ud800", "?.html",
    ],
)  # fmt: skip
def test_an_unsafe_path_is_refused_before_anything_is_written(tmp_path: Path, path: str) -> None:
    assert path_problem(path)
    with pytest.raises(UnsafePath):
        deploy(tmp_path / "site", {"index.html": "x", path: "x"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("files", [{"a.html": "", "A.html": ""}, {"a": "", "a/b.html": ""}])
def test_paths_that_collide_are_refused(files: dict[str, str]) -> None:
    with pytest.raises(UnsafePath):
        check_paths(files)


def test_a_directory_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ForeignDirectory, match="Choose another directory"):
        deploy(tmp_path)
    assert contents(tmp_path) == {"thesis.txt": "years of work"}


def test_a_file_added_to_an_earlier_deployment_is_not_deleted(tmp_path: Path) -> None:
    deploy(tmp_path / "site")
    (tmp_path / "site" / "images" / "mine.png").write_text("mine", encoding="utf-8")
    with pytest.raises(ForeignDirectory, match=r"mine\.png"):
        deploy(tmp_path / "site")
    assert contents(tmp_path / "site")["images/mine.png"] == "mine"


def test_a_file_edited_after_a_deployment_is_not_overwritten(tmp_path: Path) -> None:
    deploy(tmp_path / "site")
    (tmp_path / "site" / "index.html").write_text("edited by hand", encoding="utf-8")
    with pytest.raises(ForeignDirectory, match="changed after it was deployed"):
        deploy(tmp_path / "site")


@pytest.mark.parametrize("manifest", ["not json", "[]", '{"files": 3}', '{"files": {"a": 1}}'])
def test_a_manifest_that_cannot_be_trusted_is_no_permission(tmp_path: Path, manifest: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest, encoding="utf-8")
    with pytest.raises(ForeignDirectory):
        deploy(tmp_path)


def test_directories_of_somebody_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "site" / "plans").mkdir(parents=True)
    with pytest.raises(ForeignDirectory, match="directories"):
        deploy(tmp_path / "site")


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "site").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(ForeignDirectory, match="symbolic link"):
        deploy(tmp_path / "site")
    deploy(tmp_path / "real")
    (tmp_path / "real" / "index.html").unlink()
    (tmp_path / "real" / "index.html").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ForeignDirectory):
        deploy(tmp_path / "real")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file", encoding="utf-8")
    with pytest.raises(ForeignDirectory, match="not a directory"):
        deploy(tmp_path / "site")


def test_a_failure_before_the_swap_leaves_the_old_site_whole(tmp_path: Path) -> None:
    deploy(tmp_path / "site")
    with (
        pytest.raises(RuntimeError, match="power cut"),
        staged_site({"index.html": "new"}, tmp_path / "site"),
    ):
        raise RuntimeError("power cut")
    assert contents(tmp_path / "site") == SMALL
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_failure_in_the_middle_of_the_swap_brings_the_old_site_back(tmp_path: Path) -> None:
    deploy(tmp_path / "site")
    with pytest.raises(FileNotFoundError), staged_site({"index.html": "new"}, tmp_path / "site") as staged:
        staged.rename(tmp_path / "stolen")
    assert contents(tmp_path / "site") == SMALL


def test_a_file_that_appears_while_staging_stops_the_swap(tmp_path: Path) -> None:
    deploy(tmp_path / "site")
    with pytest.raises(ForeignDirectory), staged_site({"index.html": "new"}, tmp_path / "site"):
        (tmp_path / "site" / "late.txt").write_text("late", encoding="utf-8")
    assert contents(tmp_path / "site") == SMALL | {"late.txt": "late"}


def test_what_the_server_sends_is_compared_with_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("other", encoding="utf-8")
    with pytest.raises(SiteNotServed, match="not as it was written"):
        serving.fetch_all(tmp_path, {"index.html": "right"})
    with pytest.raises(SiteNotServed, match="could not be fetched"):
        serving.fetch_all(tmp_path, {"gone.html": "right"})


def test_a_refused_site_is_not_deployed(tmp_path: Path) -> None:
    data = {"implement_code_output": {"files": SMALL}, "review_code_output": {"approved": False}}
    with pytest.raises(UnapprovedSite, match="did not approve"):
        Deployer(tmp_path / "site")(None, FakeContext(data=data))
    assert list(tmp_path.iterdir()) == []


def test_files_changed_after_the_approval_are_not_deployed(tmp_path: Path) -> None:
    approval = {"approved": True, "digest": site_digest(clean_site())}
    data = {"implement_code_output": {"files": SMALL}, "review_code_output": approval}
    with pytest.raises(UnapprovedSite, match="not the ones"):
        Deployer(tmp_path / "site")(None, FakeContext(data=data))


def test_the_files_may_come_as_input(tmp_path: Path) -> None:
    assert Deployer(tmp_path / "site")({"files": SMALL}, FakeContext())["files"] == len(SMALL)


@pytest.mark.parametrize("given", [None, {"files": {"about.html": "x"}}])
def test_without_a_site_nothing_is_deployed(tmp_path: Path, given: object) -> None:
    with pytest.raises(MissingSite):
        Deployer(tmp_path / "site")(given, FakeContext())


def test_a_missing_library_names_the_extra_to_install() -> None:
    with pytest.raises(MissingDemoExtra, match=r"orchestration-kit\[demo\]"):
        require("a_library_that_nobody_has")


@pytest.mark.parametrize(
    "error",
    [
        MissingDemoExtra("jinja2"),
        UnreadableSpec("why"),
        MissingSite("coder", "why"),
        UnapprovedSite("why"),
        UnsafePath("../x", "why"),
        ForeignDirectory("there", "why"),
        SiteNotServed("x", "why"),
    ],
)
def test_errors_survive_pickling(error: Exception) -> None:
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
